package keys_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/keys"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// What the package promises about time.
const (
	lead         = keys.MaxAge + 30*time.Second
	longestToken = 2 * time.Hour
	hintLife     = 24 * time.Hour
	rotateEvery  = 90 * 24 * time.Hour
	moment       = time.Microsecond
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// replica is one process of an installation.
type replica struct {
	*keys.Ring

	store *store.Store
	polls *statements
	logs  *lockedBuffer
}

// statements counts what a replica asks of the database.
type statements struct{ n atomic.Int64 }

// TraceQueryStart implements pgx.QueryTracer.
func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	s.n.Add(1)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// installation is a database, a seal key and a clock, which replicas share.
type installation struct {
	ownerURL, url string
	key           seal.Key
	clock         *clock
}

func newInstallation(tb testing.TB) *installation {
	tb.Helper()
	in := &installation{clock: newClock()}
	in.ownerURL, in.url = storetest.URLs(tb)
	in.key, _ = seal.NewKey()
	return in
}

// replica is a process that has not read the keys.
func (in *installation) replica(tb testing.TB) *replica {
	tb.Helper()
	r := &replica{polls: &statements{}, logs: &lockedBuffer{}}
	s, err := store.OpenTraced(tb.Context(), in.url, r.polls)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	r.store = s
	r.Ring = keys.New(s, in.key, in.clock.Now, slog.New(slog.NewTextHandler(r.logs, nil)))
	return r
}

func (in *installation) started(tb testing.TB) *replica {
	tb.Helper()
	r := in.replica(tb)
	if err := r.Load(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return r
}

// run runs the replica until the test ends, or the returned function is called.
func (r *replica) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run(until its context ends) = %v, want no error", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func (r *replica) rows(tb testing.TB, at time.Time) []store.SigningKey {
	tb.Helper()
	rows, err := r.store.SigningKeys(tb.Context(), at)
	if err != nil {
		tb.Fatal(err)
	}
	return rows
}

func (r *replica) published(tb testing.TB) jose.JSONWebKeySet {
	tb.Helper()
	body, _ := r.Published()
	var set jose.JSONWebKeySet
	if err := json.Unmarshal(body, &set); err != nil {
		tb.Fatal(err)
	}
	return set
}

func (r *replica) algorithms(tb testing.TB) string {
	tb.Helper()
	var algs []string
	for _, k := range r.published(tb).Keys {
		algs = append(algs, k.Algorithm)
	}
	slices.Sort(algs)
	return strings.Join(algs, " ")
}

type claims struct {
	Subject string `json:"sub"`
}

func (r *replica) sign(tb testing.TB, alg, typ string) string {
	tb.Helper()
	token, err := r.Sign(alg, typ, claims{"ana"})
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

func (r *replica) verify(tb testing.TB, token, typ string) error {
	tb.Helper()
	var got claims
	err := r.Verify(tb.Context(), token, typ, &got)
	if err == nil && got.Subject != "ana" {
		tb.Errorf("Verify(%s) decoded %+v, want the claims that were signed", token, got)
	}
	return err
}

// signer is the id of the key that signs now.
func (r *replica) signer(tb testing.TB, alg string) string {
	tb.Helper()
	signed, err := jose.ParseSignedCompact(r.sign(tb, alg, keys.IDToken), []jose.SignatureAlgorithm{jose.RS256, jose.ES256})
	if err != nil {
		tb.Fatal(err)
	}
	return signed.Signatures[0].Protected.KeyID
}

// eventually waits for the condition, which must come true.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(30 * time.Second)
	for !condition() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("%s did not happen within half a minute", what)
		}
	}
}

func TestFirstStart(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	r := in.started(t)
	if got := r.algorithms(t); got != "ES256 RS256" {
		t.Errorf("published keys = %s, want ES256 RS256", got)
	}
	for _, k := range r.published(t).Keys {
		thumbprint, err := k.Thumbprint(crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if want := base64.RawURLEncoding.EncodeToString(thumbprint); k.KeyID != want || k.Use != "sig" || !k.IsPublic() {
			t.Errorf("key = %q for %q, public %t, want %q for sig, public", k.KeyID, k.Use, k.IsPublic(), want) // RFC 7638
		}
	}
	body, etag := r.Published()
	for _, private := range []string{`"d"`, `"p"`, `"q"`, `"dp"`, `"dq"`, `"qi"`, `"k"`} {
		if strings.Contains(string(body), private) {
			t.Errorf("published set has the private member %s", private)
		}
	}
	again := in.started(t)
	if gotBody, gotTag := again.Published(); !bytes.Equal(gotBody, body) || gotTag != etag {
		t.Error("the set after a restart is another, want the same")
	}
	events, err := r.store.AuditEvents(t.Context(), 0, 10)
	if err != nil || len(events) != 2 {
		t.Errorf("audit events = %d, %v, want one for each key", len(events), err)
	}
}

func TestReplicasThatStartAtOnce(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	replicas := make([]*replica, 6)
	var wg sync.WaitGroup
	for i := range replicas {
		replicas[i] = in.replica(t)
		wg.Go(func() {
			if err := replicas[i].Load(t.Context()); err != nil {
				t.Errorf("Load() = %v, want no error", err)
			}
		})
	}
	wg.Wait()
	for _, r := range replicas[1:] {
		if diff := cmp.Diff(replicas[0].algorithms(t), r.algorithms(t)); diff != "" || r.algorithms(t) != "ES256 RS256" {
			t.Errorf("published keys differ: %s", diff)
		}
		if err := r.verify(t, replicas[0].sign(t, keys.RS256, keys.IDToken), keys.IDToken); err != nil {
			t.Errorf("Verify(token of another replica) = %v, want no error", err)
		}
	}
	if got := len(replicas[0].rows(t, in.clock.Now())); got != 2 {
		t.Errorf("keys = %d, want 2", got)
	}
}

func TestPrivateKeysRestSealed(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	r := in.started(t)
	rows := r.rows(t, in.clock.Now())
	for _, row := range rows {
		der, err := in.key.Box("signing key").Open(row.Sealed, []byte(row.ID+row.Alg))
		if err != nil {
			t.Fatalf("Open(%s) = %v, want the key", row.Alg, err)
		}
		private, err := x509.ParsePKCS8PrivateKey(der)
		if err != nil {
			t.Fatal(err)
		}
		var secret []byte
		switch k := private.(type) {
		case *rsa.PrivateKey:
			secret = k.D.Bytes()
		case *ecdsa.PrivateKey:
			if secret, err = k.Bytes(); err != nil {
				t.Fatal(err)
			}
		}
		for i := 0; i+8 <= len(secret); i++ {
			if bytes.Contains(row.Sealed, secret[i:i+8]) {
				t.Fatalf("the row of the %s key holds bytes of the private key", row.Alg)
			}
		}
	}
	other, _ := seal.NewKey()
	stranger := keys.New(r.store, other, in.clock.Now, slog.New(slog.DiscardHandler))
	if err := stranger.Load(t.Context()); !errors.Is(err, seal.ErrSeal) || !strings.Contains(err.Error(), "start with the seal key of this database") {
		t.Errorf("Load(with another seal key) = %v, want %v and the fix", err, seal.ErrSeal)
	}
	if got := r.rows(t, in.clock.Now()); len(got) != len(rows) {
		t.Errorf("keys after a start with another seal key = %d, want %d", len(got), len(rows))
	}
	if _, err := stranger.Rotate(t.Context(), "somebody"); !errors.Is(err, seal.ErrSeal) {
		t.Errorf("Rotate(with another seal key) = %v, want %v", err, seal.ErrSeal)
	}
}

func TestSignAndVerify(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).started(t)
	for _, alg := range []string{keys.RS256, keys.ES256} {
		for _, typ := range []string{keys.IDToken, keys.AccessToken} {
			token := r.sign(t, alg, typ)
			for _, asked := range []string{keys.IDToken, keys.AccessToken, "", "jwt", "AT+JWT"} {
				want := keys.ErrToken
				if asked == typ {
					want = nil
				}
				if err := r.verify(t, token, asked); !errors.Is(err, want) {
					t.Errorf("Verify(%s of type %q as %q) = %v, want %v", alg, typ, asked, err, want)
				}
			}
			var number struct {
				Subject int `json:"sub"`
			}
			if err := r.Verify(t.Context(), token, typ, &number); !errors.Is(err, keys.ErrToken) {
				t.Errorf("Verify(into another type of claim) = %v, want %v", err, keys.ErrToken)
			}
		}
	}
	if _, err := r.Sign("HS256", keys.IDToken, claims{}); err == nil {
		t.Error("Sign(HS256) = nil, want an error")
	}
	if _, err := r.Sign(keys.RS256, keys.IDToken, make(chan int)); err == nil {
		t.Error("Sign(what does not marshal) = nil, want an error")
	}
}

// forge makes a token as an attacker would, with a header of any kind.
func forge(tb testing.TB, alg jose.SignatureAlgorithm, key any, header map[string]any) string {
	tb.Helper()
	options := &jose.SignerOptions{}
	options.WithType(keys.IDToken)
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		tb.Fatal(err)
	}
	signed, err := signer.Sign([]byte(`{"sub":"ana"}`))
	if err != nil {
		tb.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		tb.Fatal(err)
	}
	return token
}

// forgeries are tokens that no key of ours signed as they stand, by what is wrong with them.
func forgeries(tb testing.TB, r *replica) map[string]string {
	tb.Helper()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	ours := map[string]jose.JSONWebKey{}
	for _, k := range r.published(tb).Keys {
		ours[k.Algorithm] = k
	}
	rs, es := ours[keys.RS256], ours[keys.ES256]
	der, err := x509.MarshalPKIXPublicKey(rs.Key)
	if err != nil {
		tb.Fatal(err)
	}
	text := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	unsigned := func(header string) string { return text(header) + "." + text(`{"sub":"ana"}`) + "." }
	parts := strings.Split(r.sign(tb, keys.ES256, keys.IDToken), ".")
	other := strings.Split(r.sign(tb, keys.RS256, keys.IDToken), ".")
	attackers := &jose.JSONWebKey{Key: &rsaKey.PublicKey, KeyID: rs.KeyID, Algorithm: "RS256", Use: "sig"}
	return map[string]string{
		"nothing":                               "",
		"no token":                              "token",
		"alg none":                              unsigned(`{"alg":"none","typ":"JWT","kid":"` + rs.KeyID + `"}`),
		"alg None":                              unsigned(`{"alg":"None","typ":"JWT","kid":"` + rs.KeyID + `"}`),
		"no alg":                                unsigned(`{"typ":"JWT","kid":"` + rs.KeyID + `"}`),
		"no signature":                          parts[0] + "." + parts[1] + ".",
		"no last part":                          parts[0] + "." + parts[1],
		"a fourth part":                         strings.Join(parts, ".") + ".x",
		"the signature of another token":        parts[0] + "." + parts[1] + "." + other[2],
		"the header of another key":             other[0] + "." + parts[1] + "." + parts[2],
		"other claims":                          parts[0] + "." + text(`{"sub":"ben"}`) + "." + parts[2],
		"HS256 with the public key's DER":       forge(tb, jose.HS256, der, map[string]any{"kid": rs.KeyID}),
		"HS256 with the modulus":                forge(tb, jose.HS256, rs.Key.(*rsa.PublicKey).N.Bytes(), map[string]any{"kid": rs.KeyID}),
		"RS256 of a stranger":                   forge(tb, jose.RS256, rsaKey, map[string]any{"kid": rs.KeyID}),
		"RS256 of a stranger, kid of ES256":     forge(tb, jose.RS256, rsaKey, map[string]any{"kid": es.KeyID}),
		"ES256 of a stranger, kid of RS256":     forge(tb, jose.ES256, ecKey, map[string]any{"kid": rs.KeyID}),
		"ES256 of a stranger":                   forge(tb, jose.ES256, ecKey, map[string]any{"kid": es.KeyID}),
		"PS256 of a stranger":                   forge(tb, jose.PS256, rsaKey, map[string]any{"kid": rs.KeyID}),
		"no kid":                                forge(tb, jose.RS256, rsaKey, nil),
		"a kid that is a path":                  forge(tb, jose.RS256, rsaKey, map[string]any{"kid": "../../dev/null"}),
		"a kid that is no text":                 unsigned(`{"alg":"RS256","typ":"JWT","kid":["` + rs.KeyID + `"]}`),
		"an embedded jwk":                       forge(tb, jose.RS256, rsaKey, map[string]any{"kid": rs.KeyID, "jwk": attackers}),
		"an embedded jwk and no kid":            forge(tb, jose.RS256, rsaKey, map[string]any{"jwk": attackers}),
		"a jku":                                 forge(tb, jose.RS256, rsaKey, map[string]any{"kid": rs.KeyID, "jku": "https://attacker.example/jwks"}),
		"an x5u":                                forge(tb, jose.RS256, rsaKey, map[string]any{"kid": rs.KeyID, "x5u": "https://attacker.example/chain"}),
		"an x5c":                                forge(tb, jose.RS256, rsaKey, map[string]any{"kid": rs.KeyID, "x5c": []string{base64.StdEncoding.EncodeToString(der)}}),
		"a critical header that nobody knows":   forge(tb, jose.RS256, rsaKey, map[string]any{"kid": rs.KeyID, "crit": []string{"x"}, "x": 1}),
		"JSON serialization":                    `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"JSON serialization with two signers":   `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}]}`,
		"an ES256 signature of zeros":           parts[0] + "." + parts[1] + "." + text(strings.Repeat("\x00", 64)),
		"longer than any token":                 strings.Join(parts, ".") + strings.Repeat("A", 64<<10),
		"a header that is no JSON":              text("{") + "." + parts[1] + "." + parts[2],
		"an encrypted token":                    text(`{"alg":"dir","enc":"A256GCM"}`) + "..A.A.A",
		"a payload that is not part of it, b64": unsigned(`{"alg":"RS256","typ":"JWT","kid":"` + rs.KeyID + `","b64":false,"crit":["b64"]}`),
	}
}

func TestForgeries(t *testing.T) {
	t.Parallel()
	r := newInstallation(t).started(t)
	for name, token := range forgeries(t, r) {
		if err := r.verify(t, token, keys.IDToken); !errors.Is(err, keys.ErrToken) {
			t.Errorf("Verify(%s) = %v, want %v", name, err, keys.ErrToken)
		}
	}
	stranger := newInstallation(t).started(t)
	for _, alg := range []string{keys.RS256, keys.ES256} {
		if err := r.verify(t, stranger.sign(t, alg, keys.IDToken), keys.IDToken); !errors.Is(err, keys.ErrToken) {
			t.Errorf("Verify(token of another installation) = %v, want %v", err, keys.ErrToken)
		}
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	r := in.started(t)
	first := map[string]string{keys.RS256: r.signer(t, keys.RS256), keys.ES256: r.signer(t, keys.ES256)}
	early := r.sign(t, keys.RS256, keys.IDToken)
	at := in.clock.Now()
	added, err := r.Rotate(t.Context(), "operator")
	if err != nil || len(added) != 2 {
		t.Fatalf("Rotate() = %d keys, %v, want 2", len(added), err)
	}
	if got := r.algorithms(t); got != "ES256 ES256 RS256 RS256" {
		t.Errorf("published keys = %s, want two of each algorithm", got)
	}
	in.clock.advance(lead - moment)
	for alg, id := range first {
		if got := r.signer(t, alg); got != id {
			t.Errorf("%s signer just before the lead is over = %s, want the first key, %s", alg, got, id)
		}
	}
	last := r.sign(t, keys.RS256, keys.IDToken)
	in.clock.advance(moment)
	for _, k := range added {
		if got := r.signer(t, k.Alg); got != k.ID {
			t.Errorf("%s signer after the lead = %s, want the new key, %s", k.Alg, got, k.ID)
		}
		if !k.CreatedAt.Equal(at) || !k.ActiveAt.Equal(at.Add(lead)) {
			t.Errorf("key made at %v signs from %v, want %v and %v", k.CreatedAt, k.ActiveAt, at, at.Add(lead))
		}
	}
	late := r.sign(t, keys.RS256, keys.IDToken)
	fresh := in.started(t) // and one that has seen nothing of it
	in.clock.advance(longestToken - moment)
	for _, r := range []*replica{r, fresh, in.started(t)} {
		for _, token := range []string{early, last, late} {
			if err := r.verify(t, token, keys.IDToken); err != nil {
				t.Errorf("Verify(while tokens of the first key may live) = %v, want no error", err)
			}
		}
	}
	in.clock.advance(moment)
	for _, r := range []*replica{r, fresh, in.started(t)} {
		for token, want := range map[string]error{early: keys.ErrToken, last: keys.ErrToken, late: nil} {
			if err := r.verify(t, token, keys.IDToken); !errors.Is(err, want) {
				t.Errorf("Verify(when tokens of the first key are dead) = %v, want %v", err, want)
			}
		}
	}
	r.run(t)
	eventually(t, "removal of the first keys from the set", func() bool { return r.algorithms(t) == "ES256 RS256" })
	hint := func(token string, want error) {
		t.Helper()
		for _, r := range []*replica{r, in.started(t)} {
			if err := r.VerifyHint(t.Context(), token, &claims{}); !errors.Is(err, want) {
				t.Errorf("VerifyHint() = %v, want %v", err, want)
			}
		}
	}
	in.clock.advance(hintLife - moment)
	hint(early, nil)
	hint(late, nil)
	hint(r.sign(t, keys.RS256, keys.AccessToken), keys.ErrToken)
	in.clock.advance(moment)
	hint(early, keys.ErrToken)
	hint(late, nil)
}

// Two rotations one after the other leave one signer at any time, and no token that cannot be verified.
func TestRotateTwice(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	r := in.started(t)
	var tokens []string
	for range 3 {
		if _, err := r.Rotate(t.Context(), "operator"); err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, r.sign(t, keys.ES256, keys.IDToken))
		in.clock.advance(time.Second)
	}
	in.clock.advance(lead)
	tokens = append(tokens, r.sign(t, keys.ES256, keys.IDToken))
	for i, token := range tokens {
		if err := in.started(t).verify(t, token, keys.IDToken); err != nil {
			t.Errorf("Verify(token %d) = %v, want no error", i, err)
		}
	}
	newest := r.rows(t, in.clock.Now())
	if got, want := r.signer(t, keys.ES256), newest[len(newest)-1]; want.Alg == keys.ES256 && got != want.ID {
		t.Errorf("signer = %s, want the newest key, %s", got, want.ID)
	}
}

func TestConcurrentRotate(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	replicas := []*replica{in.started(t), in.started(t), in.started(t), in.started(t)}
	var wg sync.WaitGroup
	for _, r := range replicas {
		wg.Go(func() {
			if _, err := r.Rotate(t.Context(), "operator"); err != nil {
				t.Errorf("Rotate() = %v, want no error", err)
			}
		})
	}
	wg.Wait()
	current := map[string]int{}
	for _, row := range replicas[0].rows(t, in.clock.Now()) {
		if row.ExpiresAt == nil {
			current[row.Alg]++
		}
	}
	if diff := cmp.Diff(map[string]int{keys.RS256: 1, keys.ES256: 1}, current); diff != "" {
		t.Errorf("current keys differ (-want +got):\n%s", diff)
	}
}

func TestRunSeesARotation(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	command, server := in.started(t), in.started(t)
	_, before := server.Published()
	server.run(t)
	if _, err := command.Rotate(t.Context(), "operator"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "publication of the new keys by the other replica", func() bool {
		_, etag := server.Published()
		return etag != before
	})
	want, _ := command.Published()
	if got, _ := server.Published(); !bytes.Equal(got, want) {
		t.Errorf("Published() = %s, want %s", got, want)
	}
}

func TestRunRotatesBySchedule(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	one, two := in.started(t), in.started(t)
	in.clock.advance(rotateEvery - moment)
	one.run(t)
	two.run(t)
	polls := one.polls.n.Load()
	eventually(t, "two polls just before the time", func() bool { return one.polls.n.Load() > polls+1 })
	if got := one.algorithms(t); got != "ES256 RS256" {
		t.Errorf("published keys just before the time = %s, want no successor", got)
	}
	in.clock.advance(moment)
	eventually(t, "rotation of both keys, seen by both replicas", func() bool {
		return one.algorithms(t) == "ES256 ES256 RS256 RS256" && two.algorithms(t) == "ES256 ES256 RS256 RS256"
	})
	events, err := one.store.AuditEvents(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var actors []string
	for _, e := range events {
		actors = append(actors, e.Actor)
	}
	if diff := cmp.Diff([]string{"first start", "first start", "schedule", "schedule"}, actors); diff != "" {
		t.Errorf("actors of rotations differ (-want +got):\n%s", diff)
	}
	for _, row := range one.rows(t, in.clock.Now()) {
		if made := row.ExpiresAt == nil; made && !row.CreatedAt.Equal(in.clock.Now()) {
			t.Errorf("successor was made at %v, want %v", row.CreatedAt, in.clock.Now())
		}
	}
}

func TestRunWithoutDatabase(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	r := in.started(t)
	body, _ := r.Published()
	stop := r.run(t)
	r.store.Close()
	eventually(t, "complaint in the log", func() bool { return strings.Contains(r.logs.String(), "copy could not be renewed") })
	if err := r.verify(t, r.sign(t, keys.RS256, keys.IDToken), keys.IDToken); err != nil {
		t.Errorf("Verify(without a database) = %v, want no error", err)
	}
	if got, _ := r.Published(); !bytes.Equal(got, body) {
		t.Error("Published() without a database changed, want the keys that were read")
	}
	stop()
}

// A token that names a key which another replica made a moment ago is good. Tokens that name nothing do not make us ask
// the database more than once a second.
func TestUnknownKey(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	r, other := in.started(t), in.started(t)
	stranger := newInstallation(t).started(t).sign(t, keys.ES256, keys.IDToken)
	if _, err := other.Rotate(t.Context(), "operator"); err != nil {
		t.Fatal(err)
	}
	in.clock.advance(lead)
	if err := r.verify(t, other.sign(t, keys.ES256, keys.IDToken), keys.IDToken); err != nil {
		t.Errorf("Verify(token of a new key) = %v, want no error", err)
	}
	for _, tt := range []struct {
		after time.Duration // since the row before
		looks bool
	}{{0, false}, {time.Second - moment, false}, {moment, true}, {moment, false}, {time.Hour, true}} {
		in.clock.advance(tt.after)
		before := r.polls.n.Load()
		for range 5 {
			if err := r.verify(t, stranger, keys.IDToken); !errors.Is(err, keys.ErrToken) {
				t.Errorf("Verify(token of an unknown key) = %v, want %v", err, keys.ErrToken)
			}
		}
		want := int64(0)
		if tt.looks {
			want = 2 // the generation and the keys, once for all five
		}
		if got := r.polls.n.Load() - before; got != want {
			t.Errorf("statements after %v more = %d, want %d", tt.after, got, want)
		}
	}
}

func BenchmarkSign(b *testing.B) {
	r := newInstallation(b).started(b)
	for _, alg := range []string{keys.RS256, keys.ES256} {
		b.Run(alg, func(b *testing.B) {
			for b.Loop() {
				r.sign(b, alg, keys.AccessToken)
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	r := newInstallation(b).started(b)
	for _, alg := range []string{keys.RS256, keys.ES256} {
		token := r.sign(b, alg, keys.AccessToken)
		b.Run(alg, func(b *testing.B) {
			for b.Loop() {
				if err := r.verify(b, token, keys.AccessToken); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// No token of others is accepted, however it is changed.
func FuzzVerify(f *testing.F) {
	r := newInstallation(f).started(f)
	for _, token := range forgeries(f, newInstallation(f).started(f)) {
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		for _, typ := range []string{keys.IDToken, keys.AccessToken} {
			if err := r.verify(t, token, typ); !errors.Is(err, keys.ErrToken) {
				t.Errorf("Verify(%q) = %v, want %v", token, err, keys.ErrToken)
			}
		}
	})
}

// A token that was verified is known again: as it was, and no longer than its key is published.
func TestTokensAreKnownAgain(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	r := in.started(t)
	token := r.sign(t, keys.ES256, keys.AccessToken)
	for range 2 {
		if err := r.verify(t, token, keys.AccessToken); err != nil {
			t.Errorf("Verify() = %v, want it verified", err)
		}
	}
	other, err := r.Sign(keys.ES256, keys.AccessToken, claims{"ben"})
	if err != nil {
		t.Fatal(err)
	}
	end := strings.LastIndexByte(token, '.')
	for name, forged := range map[string]string{
		"its content with the signature of another": token[:end] + other[strings.LastIndexByte(other, '.'):],
		"its signature, shortened":                  token[:len(token)-4],
		"its signature under another header":        strings.Replace(token, ".", "A.", 1),
	} {
		if err := r.verify(t, forged, keys.AccessToken); !errors.Is(err, keys.ErrToken) {
			t.Errorf("Verify(%s) = %v, want %v", name, err, keys.ErrToken)
		}
	}
	if err := r.verify(t, token, keys.IDToken); !errors.Is(err, keys.ErrToken) {
		t.Errorf("Verify(as another type) = %v, want %v", err, keys.ErrToken)
	}
	if _, err := r.Rotate(t.Context(), "operator"); err != nil {
		t.Fatal(err)
	}
	if err := r.verify(t, token, keys.AccessToken); err != nil {
		t.Errorf("Verify(of the key before) = %v, want it verified", err)
	}
	in.clock.advance(4 * time.Hour)
	if err := r.verify(t, token, keys.AccessToken); !errors.Is(err, keys.ErrToken) {
		t.Errorf("Verify(of a key that is published no more) = %v, want %v", err, keys.ErrToken)
	}
}
