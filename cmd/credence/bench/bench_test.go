package bench

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }

// provider is a real provider on a database of its own, with a few people, whose answers can be spoilt on the way.
type provider struct {
	owner  *store.Store
	config Config
	spoil  atomic.Pointer[func(r *http.Request, body []byte, header http.Header) []byte]
}

const fewPeople = 60

func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{owner: newOwner(t)}
	key, _ := seal.NewKey()
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		spoil := p.spoil.Load()
		if spoil == nil {
			handler.ServeHTTP(w, r)
			return
		}
		asked, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(asked))
		recorder := httptest.NewRecorder()
		handler.ServeHTTP(recorder, r)
		r.Body = io.NopCloser(bytes.NewReader(asked))
		body := (*spoil)(r, recorder.Body.Bytes(), recorder.Header())
		maps.Copy(w.Header(), recorder.Header())
		w.Header().Del("Content-Length") // it may be another now
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	_, port, _ := strings.Cut(strings.TrimPrefix(server.URL, "http://"), ":")
	p.config = Config{
		Issuer: "http://localhost:" + port, Key: key, People: fewPeople, Flows: Flows(), Concurrency: []int{1},
		Duration: 50 * time.Millisecond,
	}
	if err := Seed(t.Context(), p.owner, key, p.config.Issuer, fewPeople, now, io.Discard); err != nil {
		t.Fatal(err)
	}
	var err error
	handler, err = idp.New(t.Context(), idp.Config{Issuer: p.config.Issuer, Store: p.owner, Key: key, Now: now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func newOwner(t *testing.T) *store.Store {
	t.Helper()
	ownerURL, _ := storetest.URLs(t)
	owner, err := store.Open(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(owner.Close)
	return owner
}

func TestRun(t *testing.T) {
	t.Parallel()
	for name, rs256 := range map[string]bool{"ES256": false, "RS256": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			p.config.RS256, p.config.Concurrency, p.config.Postmaster = rs256, []int{1, 4}, os.Getpid()
			var flows []string
			err := Run(t.Context(), p.config, func(r Result) error {
				if r.Operations == 0 || r.Errors > 0 || r.Rate <= 0 || r.P50 <= 0 || r.P99 < r.P50 {
					t.Errorf("Run() measures %+v, want operations and no error", r)
				}
				if r.LoadCPU == nil || r.DatabaseCPU == nil || r.ServerCPU != nil || r.Memory != nil {
					t.Errorf("Run() sees %+v, want CPU times of load and database, and nothing of a server whose metrics it was not told", r)
				}
				if r.Concurrency == 4 {
					flows = append(flows, r.Flow)
				}
				return nil
			})
			if err != nil {
				t.Fatalf("Run() = %v, want no error", err)
			}
			if diff := cmp.Diff(Flows(), flows); diff != "" {
				t.Errorf("flows (-want +got):\n%s", diff)
			}
		})
	}
}

// A provider that is fast because it is broken must not look fast. Its twin is TestRun.
func TestWrongAnswersAreErrors(t *testing.T) { //nolint:tparallel // the subtests take turns to spoil one provider's answers
	t.Parallel()
	replace := func(path, old, by string) func(*http.Request, []byte, http.Header) []byte {
		return func(r *http.Request, body []byte, header http.Header) []byte {
			if r.URL.Path == path {
				header.Set("Location", strings.Replace(header.Get("Location"), old, by, 1))
				header.Set("Cache-Control", strings.Replace(header.Get("Cache-Control"), old, by, 1))
				body = bytes.ReplaceAll(body, []byte(old), []byte(by))
			}
			return body
		}
	}
	// once answers with what was answered first.
	once := func(grantType string) func(*http.Request, []byte, http.Header) []byte {
		var first []byte
		return func(r *http.Request, body []byte, _ http.Header) []byte {
			asked, err := io.ReadAll(r.Body)
			if err != nil || r.URL.Path != "/token" || !bytes.Contains(asked, []byte("grant_type="+grantType)) {
				return body
			}
			if first == nil {
				first = bytes.Clone(body)
			}
			return first
		}
	}
	forge := func(r *http.Request, body []byte, _ http.Header) []byte {
		var answer map[string]any
		if r.URL.Path != "/token" || json.Unmarshal(body, &answer) != nil {
			return body
		}
		token, _ := answer["id_token"].(string)
		dot := strings.LastIndexByte(token, '.')
		answer["id_token"] = token[:dot+1] + strings.Repeat("A", len(token)-dot-1)
		out, err := json.Marshal(answer)
		if err != nil {
			t.Error(err)
		}
		return out
	}
	tests := []struct {
		name, flow, want string
		spoil            func(*http.Request, []byte, http.Header) []byte
	}{
		{"the state is another", "code_sso", "callback", replace("/authorize", "state=", "state=x")},
		{"the issuer is another", "code_sso", "callback", replace("/authorize", "iss=http", "iss=https")},
		{"the code is an error", "code_sso", "access_denied", replace("/authorize", "code=", "error=access_denied&was=")},
		{"the sign-in leads nowhere", "code", "want to be sent on", replace("/sign-in/passkey", "location", "nowhere")},
		{"the page asks for nothing", "code", "neither for a passkey", replace("/authorize", "data-options", "data-nothing")},
		{"the roles are somebody else's", "code_role", "nor for a role", replace("/sign-in/role", "radio", "checkbox")},
		{"the tokens are of another sign-in", "code_sso", "ID token", once("authorization_code")},
		{"the signature is forged", "code_sso", "ID token", forge},
		{"the tokens may be kept", "code_sso", "no caching", replace("/token", "no-store", "public")},
		{"the refresh token comes back", "refresh", "POST /token", once("refresh_token")},
		{"the subject is another", "userinfo", "GET /userinfo", replace("/userinfo", `"sub":"0`, `"sub":"1`)},
		{"the configuration changes", "discovery", "want the", replace(configuration, "code", "coda")},
		{"the keys change", "jwks", "want the", replace("/jwks", "keys", "kays")},
	}
	p := newProvider(t)
	l, err := newLoad(t.Context(), p.config)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := l.worker()
			defer w.close()
			p.spoil.Store(nil)
			if err := w.prepare(t.Context(), tt.flow); err != nil {
				t.Fatal(err)
			}
			p.spoil.Store(&tt.spoil)
			err := w.run(t.Context(), tt.flow)
			if err == nil { // an answer can only come back once it was given
				err = w.run(t.Context(), tt.flow)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s = %v, want an error that says %q", tt.flow, err, tt.want)
			}
		})
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.config.Duration = time.Hour
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := Run(ctx, p.config, func(Result) error { return nil }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Run() that is cut short = %v, want %v", err, context.DeadlineExceeded)
	}
}

// What stands in the way is said, and how to mend it.
func TestNewSiteSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // that a handshake fails is no surprise
	server.StartTLS()
	t.Cleanup(server.Close)
	trusted := x509.NewCertPool()
	trusted.AddCert(server.Certificate())
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	for name, tt := range map[string]struct {
		issuer string
		roots  *x509.CertPool
		want   string // of the error; "" for none
		never  string
	}{
		"TLS that is trusted":     {server.URL, trusted, "", ""},
		"TLS that is not trusted": {server.URL, x509.NewCertPool(), "with --data", "start the server"},
		"nobody":                  {"http://127.0.0.1:1", nil, "start the server first", "--data"},
		"nobody, with TLS":        {"https://127.0.0.1:1", trusted, "start the server first", "--data"},
		"a server without TLS":    {strings.Replace(plain.URL, "http", "https", 1), trusted, "reach https://", "start the server"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := newSite(t.Context(), tt.issuer, tt.roots)
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("newSite(%s) = %v, want no error", tt.issuer, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), tt.never)):
				t.Errorf("newSite(%s) = %v, want an error that says %q and not %q", tt.issuer, err, tt.want, tt.never)
			}
		})
	}
}

func TestSeed(t *testing.T) {
	t.Parallel()
	owner, ctx := newOwner(t), t.Context()
	key, _ := seal.NewKey()
	seed := func(key seal.Key, people int) string {
		t.Helper()
		var progress strings.Builder
		if err := Seed(ctx, owner, key, "http://localhost:8080", people, now, &progress); err != nil {
			t.Fatalf("Seed(%d) = %v, want no error", people, err)
		}
		return progress.String()
	}
	people := func() int {
		t.Helper()
		rows, err := owner.People(ctx, "", 1000)
		if err != nil {
			t.Fatal(err)
		}
		return len(rows) - officers
	}
	roles := func(n int) int {
		t.Helper()
		found, err := owner.Person(ctx, personID(n), now())
		if err != nil {
			t.Fatal(err)
		}
		return len(found.Person.Roles)
	}
	seed(key, 100)
	if got := people(); got != 100 {
		t.Errorf("people after Seed(100) = %d, want 100", got)
	}
	if one, two := roles(0), roles(1); one != 1 || two != 2 {
		t.Errorf("current roles of the first two people = %d and %d, want 1 and 2", one, two)
	}
	if progress := seed(key, 100); progress != "" || people() != 100 {
		t.Errorf("the same again prints %q and leaves %d people, want nothing and 100", progress, people())
	}
	seed(key, 250)
	if got := people(); got != 250 {
		t.Errorf("people after Seed(250) = %d, want 250", got)
	}
	all, err := owner.Roles(ctx, "", "", 1000)
	if err != nil || len(all) != 500+officers {
		t.Errorf("role profiles = %d, %v, want 500 and those of the officers", len(all), err)
	}
	// Whoever has lost the secret takes another one.
	other, _ := seal.NewKey()
	seed(other, 250)
	bound, err := owner.Authenticators(ctx, personID(249), true)
	if err != nil || len(bound) != 2 {
		t.Errorf("authenticators of a person under two secrets = %d, %v, want 2", len(bound), err)
	}
}

// People whom a release filled in that had no officers get none later, and nothing is added to them.
func TestSeedRefusesWhatAnOlderReleaseFilled(t *testing.T) {
	t.Parallel()
	owner, ctx := newOwner(t), t.Context()
	p, err := newPopulation(now())
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Load(ctx, store.Bulk{People: []store.NewPerson{p.person(0)}}, now()); err != nil {
		t.Fatal(err)
	}
	key, _ := seal.NewKey()
	if err := Seed(ctx, owner, key, "http://localhost:8080", 2, now, io.Discard); !errors.Is(err, ErrOlder) {
		t.Errorf("Seed(what has people and no officers) = %v, want %v", err, ErrOlder)
	}
	rows, err := owner.People(ctx, "", 10)
	if err != nil || len(rows) != 1 || rows[0].ID != personID(0) {
		t.Errorf("people after it = %v, %v, want the one who was there", rows, err)
	}
}

// Names are as common as those of a nation, so that a search has as much to look through: of a hundred people two or three have the most
// common given name and one the most common family name, and most names are rare.
func TestNamesAreAsCommonAsThoseOfANation(t *testing.T) {
	t.Parallel()
	const people = 100_000
	n := newNames()
	given, family, full := map[string]int{}, map[string]int{}, map[string]int{}
	for person := range people {
		g, f := n.of(person)
		given[g]++
		family[f]++
		full[g+" "+f]++
	}
	most := func(of map[string]int) (name string, perMille float64) {
		for other, count := range of {
			if count > of[name] {
				name = other
			}
		}
		return name, float64(of[name]) * 1000 / people
	}
	for what, tt := range map[string]struct {
		of        map[string]int
		want      string // "": any
		from, til float64
	}{
		"given name":  {given, n.given[0], 20, 30},
		"family name": {family, n.family[0], 10, 15},
		"full name":   {full, "", 0.1, 0.5},
	} {
		if name, perMille := most(tt.of); tt.want != "" && name != tt.want || perMille < tt.from || perMille > tt.til {
			t.Errorf("the most common %s is %s, of %.2f in a thousand people, want %s, of %.1f to %.1f", what, name, perMille, tt.want, tt.from, tt.til)
		}
	}
	rare := 0
	for _, count := range family {
		if count <= people/10_000 {
			rare++
		}
	}
	if all := len(family); all < 5000 || rare < all/2 {
		t.Errorf("of %d family names %d are those of one in ten thousand people at most, want half of 5,000 and more", all, rare)
	}
}

func TestCheckDatabase(t *testing.T) {
	t.Parallel()
	somebody := func(owner *store.Store) error {
		_, err := directory.AddPerson(t.Context(), owner, directory.NewPerson{GivenName: "Ada", FamilyName: "Real"}, "test", now())
		return err
	}
	key, _ := seal.NewKey()
	seed := func(owner *store.Store) error {
		return Seed(t.Context(), owner, key, "http://localhost:8080", 2, now, io.Discard)
	}
	for name, tt := range map[string]struct {
		before func(*store.Store) error
		want   error
		fill   error // want, when an empty one is to be filled
	}{
		"an empty one": {func(*store.Store) error { return nil }, ErrEmpty, nil},
		"an empty one of credence dev": {func(owner *store.Store) error {
			return owner.MarkDevelopment(t.Context(), now())
		}, nil, nil},
		"one of credence dev": {func(owner *store.Store) error {
			return errors.Join(owner.MarkDevelopment(t.Context(), now()), somebody(owner))
		}, nil, nil},
		"one of its own":                             {seed, nil, nil},
		"one of its own that was cut short":          {func(owner *store.Store) error { return ensureClients(t.Context(), owner, key, now()) }, nil, nil},
		"one that it made, where somebody was added": {func(owner *store.Store) error { return errors.Join(seed(owner), somebody(owner)) }, ErrForeign, ErrForeign},
		"one with a person":                          {somebody, ErrForeign, ErrForeign},
		"one with an organisation": {func(owner *store.Store) error {
			return directory.AddOrganisation(t.Context(), owner, store.Organisation{Code: "ZZ1", Name: "Real"}, "test", now())
		}, ErrForeign, ErrForeign},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			owner := newOwner(t)
			if err := tt.before(owner); err != nil {
				t.Fatal(err)
			}
			for fill, want := range map[bool]error{false: tt.want, true: tt.fill} {
				if err := CheckDatabase(t.Context(), owner, fill); !errors.Is(err, want) {
					t.Errorf("CheckDatabase(%s, %t) = %v, want %v", name, fill, err, want)
				}
			}
		})
	}
}

// What rests of an authenticator is what an enrolment would have left.
func TestAttestation(t *testing.T) {
	t.Parallel()
	key, _ := seal.NewKey()
	list, err := authenticators(key, 1)
	if err != nil {
		t.Fatal(err)
	}
	row := list[0].row("http://localhost:8080", now())
	var object protocol.AttestationObject
	if err := webauthncbor.Unmarshal(row.AttestationObject, &object); err != nil {
		t.Fatal(err)
	}
	if err := object.AuthData.Unmarshal(object.RawAuthData); err != nil {
		t.Fatal(err)
	}
	if object.Format != "none" || !bytes.Equal(object.AuthData.AttData.CredentialID, row.CredentialID) || !bytes.Equal(object.AuthData.AttData.CredentialPublicKey, row.PublicKey) {
		t.Errorf("attestation = %+v, want the credential %x with its key", object, row.CredentialID)
	}
	if _, err := webauthncose.ParsePublicKey(row.PublicKey); err != nil {
		t.Errorf("ParsePublicKey() = %v, want a COSE key", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	good := Config{Flows: []string{"code"}, Concurrency: []int{1}, Duration: time.Second, People: 2}
	if err := good.Check(); err != nil {
		t.Fatalf("Check(%+v) = %v, want no error", good, err)
	}
	for want, spoil := range map[string]func(*Config){
		`no flow "cod"`:    func(c *Config) { c.Flows = []string{"cod"} },
		"concurrency 0":    func(c *Config) { c.Concurrency = []int{1, 0} },
		"concurrency 5000": func(c *Config) { c.Concurrency = []int{5000} },
		"duration 0s":      func(c *Config) { c.Duration = 0 },
		"1 people":         func(c *Config) { c.People = 1 },
	} {
		bad := good
		spoil(&bad)
		if err := bad.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check(%+v) = %v, want an error that says %q", bad, err, want)
		}
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	upTo := func(n int) []time.Duration {
		list := make([]time.Duration, n)
		for i := range list {
			list[i] = time.Duration(i+1) * time.Millisecond
		}
		return list
	}
	for _, tt := range []struct {
		of, percent int
		want        float64
	}{
		{0, 50, 0}, {1, 50, 1}, {1, 99, 1}, {2, 50, 1}, {3, 50, 2}, {10, 95, 10}, {100, 50, 50}, {100, 95, 95}, {100, 99, 99}, {200, 99, 198}, {1000, 100, 1000},
	} {
		if got := percentile(upTo(tt.of), tt.percent); got != tt.want {
			t.Errorf("percentile(1 to %d ms, %d) = %v, want %v", tt.of, tt.percent, got, tt.want)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	table := Table{W: &out}
	for _, r := range []Result{
		{
			Flow: "code", Concurrency: 8, Operations: 6543, Rate: 1308.6, P50: 5.5, P95: 8.25, P99: 12.125,
			ServerCPU: new(0.4321), DatabaseCPU: new(0.25), LoadCPU: new(0.5), Memory: new(41.26),
		},
		{Flow: "discovery", Concurrency: 256, Rate: 31234, P50: 0.031, P95: 0.1, P99: 0.2, Errors: 3, FirstError: "status 500\x1b"},
	} {
		if err := table.Add(r); err != nil {
			t.Fatal(err)
		}
	}
	want := titles + `
code                  8       1309       5.50       8.25      12.12       0       0.432        0.250     0.500         41.3
discovery           256      31234       0.03       0.10       0.20       3           -            -         -            -
  the first error: "status 500\x1b"
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestTreeCPU(t *testing.T) {
	t.Parallel()
	proc := t.TempDir()
	for _, stat := range []string{
		"10 (postgres) S 1 10 10 0 -1 4194560 9 9 0 0 100 50 30 20 20 0 1 0",
		"11 (postgres: a) b) S 10 11 11 0 -1 4194560 9 9 0 0 7 3 0 0 20 0 1 0",
		"12 (other) S 1 12 12 0 -1 4194560 9 9 0 0 1000 1000 0 0 20 0 1 0",
		"13 (short) S 10",
	} {
		pid, _, _ := strings.Cut(stat, " ")
		if err := os.MkdirAll(filepath.Join(proc, pid), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(proc, pid, "stat"), []byte(stat), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := treeCPU(proc, 10); err != nil || got != 2.1 {
		t.Errorf("treeCPU(10) = %v, %v, want 2.1 s: its own, of its children that ended and of the one that lives", got, err)
	}
	if got, err := treeCPU(proc, 99); err == nil {
		t.Errorf("treeCPU(of no process) = %v, want an error", got)
	}
}

func TestPostmaster(t *testing.T) {
	t.Parallel()
	backend, err := newOwner(t).BackendPID(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("CREDENCE_TEST_DATABASE") == "" { // otherwise PostgreSQL may be on another machine
		parent := Postmaster(backend)
		command, err := os.ReadFile("/proc/" + strconv.Itoa(parent) + "/cmdline")
		if err != nil || !strings.Contains(string(command), "postgres") {
			t.Errorf("Postmaster(%d) = %d, which runs %q, %v; want a postgres", backend, parent, command, err)
		}
	}
	if got := Postmaster(os.Getpid()); got != 0 {
		t.Errorf("Postmaster(this test) = %d, want 0", got)
	}
}

func TestReadMetrics(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 12.5\nlabelled{a=\"b\"} 1\nprocess_resident_memory_bytes 4.194304e+07\n")
	}))
	defer server.Close()
	got, err := readMetrics(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if cpu, memory := got["process_cpu_seconds_total"], got["process_resident_memory_bytes"]; cpu == nil || *cpu != 12.5 || memory == nil || *memory != 40<<20 {
		t.Errorf("readMetrics() = %v and %v, want 12.5 and %d", cpu, memory, 40<<20)
	}
	l := &load{config: Config{Metrics: server.URL}}
	if u := l.usage(t.Context()); u.memory == nil || *u.memory != 40 || u.database != nil {
		t.Errorf("usage() = %+v, want 40 MiB and nothing of a database", u)
	}
	nowhere := httptest.NewServer(http.NotFoundHandler())
	defer nowhere.Close()
	if got, err := readMetrics(t.Context(), nowhere.URL); err == nil {
		t.Errorf("readMetrics(404) = %v, want an error", got)
	}
}
