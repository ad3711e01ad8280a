package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/localpg"
)

var killSeed = flag.Uint64("kill-seed", 0, "seed of the moments at which processes are killed; 0 draws one, which the test logs")

// moments draws the moments at which something is killed.
func moments(t *testing.T) func() time.Duration {
	t.Helper()
	seed := *killSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-kill-seed=%d", seed)
	source := rand.New(rand.NewPCG(seed, 0))
	return func() time.Duration {
		return 100*time.Millisecond + time.Duration(source.Int64N(int64(700*time.Millisecond)))
	}
}

// postgres is a PostgreSQL of the test's own, durable as an operator's is.
type postgres struct {
	*localpg.Cluster
	t   *testing.T
	dir string
}

func newPostgres(t *testing.T) *postgres {
	t.Helper()
	p := &postgres{t: t, dir: filepath.Join(reachableDir(t), "data")}
	p.start()
	t.Cleanup(func() { _ = p.Stop() }) // a killed one has not stopped cleanly
	if err := store.MigrateUp(t.Context(), p.OwnerURL()); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *postgres) start() {
	p.t.Helper()
	var err error
	if p.Cluster, err = localpg.Start(p.t.Context(), localpg.Options{Dir: p.dir}); err != nil {
		p.t.Fatal(err)
	}
}

// signal sends a signal to every process of PostgreSQL. The first is stopped meanwhile, so that it starts no other.
func (p *postgres) signal(signal syscall.Signal) {
	p.t.Helper()
	file, err := os.ReadFile(filepath.Join(p.dir, "data", "postmaster.pid"))
	if err != nil {
		p.t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(file), "\n")
	first, err := strconv.Atoi(line)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := syscall.Kill(first, syscall.SIGSTOP); err != nil {
		p.t.Fatal(err)
	}
	children, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", first, first))
	if err != nil {
		p.t.Fatal(err)
	}
	for child := range strings.FieldsSeq(string(children)) {
		pid, err := strconv.Atoi(child)
		if err != nil {
			p.t.Fatal(err)
		}
		_ = syscall.Kill(pid, signal) // it may have ended by itself
	}
	if err := syscall.Kill(first, signal); err != nil {
		p.t.Fatal(err)
	}
}

// kill ends PostgreSQL as a machine that loses its power does, but for what the kernel has still to write.
func (p *postgres) kill() {
	p.t.Helper()
	p.signal(syscall.SIGKILL)
	<-p.Done()
	_ = p.Stop() // "signal: killed"
}

// A held value is a code or a refresh token, as the client that holds it knows it.
type heldValue struct {
	value     string
	k         proof // of a code; empty for a refresh token
	given     int   // answers with tokens
	uncertain bool  // some use was lost: nobody knows what it did
}

// A walker is a clinician whose client does what clients do, for as long as it may, and writes down what it was given. The
// connection, the server and the database may break at any moment.
type walker struct {
	t      *testing.T
	at     *replica
	client string
	her    *clinician

	held     []*heldValue
	access   []string         // access tokens that arrived
	browsers []http.CookieJar // that somebody was signed in at
	lost     int
}

// walk signs in at one browser after the other, and uses what it is given, until it is told to stop.
func (w *walker) walk(stop *atomic.Bool) {
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	for !stop.Load() {
		w.her.anotherBrowser()
		for range 3 {
			k := newProof()
			code, err := w.her.signIn(w.at, w.client, k)
			w.signedIn()
			if !w.certain("sign-in", err) {
				break
			}
			w.chain(&heldValue{value: code, k: k})
		}
		<-pace.C // nobody asks a server that is away as often as a machine can
	}
}

// signedIn notes the browser, if it was given the cookie of a session.
func (w *walker) signedIn() {
	for _, cookie := range w.her.jar.Cookies(&url.URL{Scheme: "https", Host: "id.example.org"}) {
		if cookie.Name == "__Host-credence" && (len(w.browsers) == 0 || w.browsers[len(w.browsers)-1] != w.her.jar) {
			w.browsers = append(w.browsers, w.her.jar)
		}
	}
}

// chain redeems a code, and uses the refresh tokens that follow.
func (w *walker) chain(v *heldValue) {
	for range 4 {
		w.held = append(w.held, v)
		got, ok := w.use(v)
		if !ok && v.uncertain { // as a client does that hopes
			got, ok = w.use(v)
		}
		if !ok {
			return
		}
		status, err := w.at.userinfo(got.AccessToken)
		if w.certain("userinfo", err) && status != http.StatusOK {
			w.t.Errorf("userinfo of a token that was just given = %d, want 200", status)
		}
		v = &heldValue{value: got.RefreshToken}
	}
	w.held = append(w.held, v)
}

// use presents a value, and holds the answer to the rule that it gives tokens once.
func (w *walker) use(v *heldValue) (tokens, bool) {
	var got tokens
	var err error
	if v.k.verifier == "" {
		got, err = w.at.refresh(w.client, v.value)
	} else {
		got, err = w.at.redeem(w.client, v.value, v.k)
	}
	switch {
	case !w.certain("token", err):
		v.uncertain = true
	case got.status == http.StatusOK:
		if v.given++; v.given > 1 {
			w.t.Errorf("a code or refresh token gave tokens %d times", v.given)
		}
		w.access = append(w.access, got.AccessToken)
		return got, true
	case got.Error != "invalid_grant":
		w.t.Errorf("token endpoint answers %d %s, want tokens or invalid_grant", got.status, got.Error)
	case v.given == 0 && !v.uncertain:
		w.t.Errorf("token endpoint refuses a code or refresh token that was never used")
	}
	return got, false
}

// certain says whether a request was answered. That it was lost is to be expected; anything else that is wrong is not.
func (w *walker) certain(what string, err error) bool {
	if _, ok := errors.AsType[lost](err); ok {
		w.lost++
		return false
	}
	if err != nil {
		w.t.Errorf("%s: %v", what, err)
	}
	return err == nil
}

// load runs walkers at a replica. The returned function stops them, and returns what they know.
func (in *installation) load(r *replica, clients []string) (stop func() []*walker) {
	in.t.Helper()
	var walkers []*walker
	var stopped atomic.Bool
	var running sync.WaitGroup
	for i, client := range clients {
		w := &walker{t: in.t, at: r, client: client, her: in.clinician(r, fmt.Sprintf("%012d", i+1))}
		walkers = append(walkers, w)
		running.Go(func() { w.walk(&stopped) })
	}
	stop = sync.OnceValue(func() []*walker {
		stopped.Store(true)
		running.Wait()
		return walkers
	})
	in.t.Cleanup(func() { stop() })
	return stop
}

// settle holds what the walkers know against what is there, when all is calm again.
func (in *installation) settle(walkers []*walker) {
	in.t.Helper()
	recorded := in.outcome(`SELECT grant_id::text, count(*) FROM audit_event WHERE event = 'token_issued' AND refusal = '' GROUP BY grant_id`)
	received := map[string]int{}
	var values, lost int
	var running sync.WaitGroup
	for _, w := range walkers {
		for _, token := range w.access {
			received[grantOf(in.t, token)]++
		}
		values += len(w.held)
		lost += w.lost
		running.Go(func() {
			for _, jar := range w.browsers {
				w.her.jar = jar
				if given, err := w.her.authorize(w.at, w.client, newProof(), "prompt", "none"); given.Get("code") == "" {
					in.t.Errorf("authorization in a session that began gives %v, %v, want a code", given, err)
				}
			}
			for _, v := range slices.Backward(w.held) { // the newest may be unused yet, and work; the reuse of an older one ends its grant
				for range 2 {
					w.use(v)
				}
			}
		})
	}
	running.Wait()
	for id, n := range received {
		if recorded[id] < n {
			in.t.Errorf("%d answers with tokens of grant %s arrived, and %d are on record", n, id, recorded[id])
		}
	}
	in.t.Logf("%d grants, %d codes and refresh tokens, %d requests lost", len(received), values, lost)
	if len(received) < len(walkers) || lost == 0 {
		in.t.Errorf("%d grants were used and %d requests were lost, want more of both for this to show something", len(received), lost)
	}
}

// grantOf reads from which grant an access token came: its id begins with the grant's.
func grantOf(t *testing.T, token string) string {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("access token %q is no JWS", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var claims struct {
		ID string `json:"jti"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		t.Fatal(err)
	}
	id, _, _ := strings.Cut(claims.ID, ".")
	return id
}

func killClients() []string {
	clients := make([]string, 8)
	for i := range clients {
		clients[i] = fmt.Sprintf("ward-%d", i)
	}
	return clients
}

// kill -9 of the server at any moment costs nobody more than the request that was under way: what was answered is so, what
// was not is done whole or not at all, and nothing works twice.
func TestAKilledServer(t *testing.T) {
	t.Parallel()
	p, moment, clients := newPostgres(t), moments(t), killClients()
	in := newInstallation(t, p.OwnerURL(), p.ServiceURL(), clients...)
	r := in.replica()
	stop := in.load(r, clients)
	for range 8 {
		<-time.After(moment())
		r.kill()
		r.start()
	}
	<-time.After(moment())
	in.settle(stop())
}

// kill -9 of PostgreSQL at any moment: the server stays up and says the truth of itself, serves what needs no database,
// fails whole requests and no halves, and comes back by itself. A PostgreSQL that keeps its connections and answers
// nothing must not hold requests for ever either, nor be thought ready.
func TestAKilledDatabase(t *testing.T) {
	t.Parallel()
	p, moment, clients := newPostgres(t), moments(t), killClients()
	in := newInstallation(t, p.OwnerURL(), p.ServiceURL(), clients...)
	r := in.replica()
	visitor := in.clinician(r, "000000000100")
	stop := in.load(r, clients)
	for round := range 4 {
		<-time.After(moment())
		p.kill()
		in.away(r)
		if round == 0 {
			in.startsNot()
		}
		<-time.After(moment())
		in.away(r)
		p.start()
		in.returns(r, visitor)
	}

	<-time.After(moment())
	p.signal(syscall.SIGSTOP)
	resume := sync.OnceFunc(func() { p.signal(syscall.SIGCONT) })
	t.Cleanup(resume) // or it could not be stopped
	in.away(r)
	began := time.Now()
	_, err := r.refresh(clients[0], "unknown")
	if _, ok := errors.AsType[lost](err); !ok || time.Since(began) > 15*time.Second {
		t.Errorf("a request that needs the database = %v after %v, want that it fails within 15 s", err, time.Since(began))
	}
	in.away(r)
	resume()
	in.returns(r, visitor)
	in.settle(stop())
}

// away wants what a server answers while its database is away: that it is not ready, and whatever needs no database.
func (in *installation) away(r *replica) {
	in.t.Helper()
	if a, _ := r.get(nil, "/readyz"); a.status != http.StatusServiceUnavailable || a.body != "the database does not answer\n" {
		in.t.Errorf("GET /readyz while the database is away = %d %q, want 503 that says it", a.status, a.body)
	}
	for _, path := range []string{"/healthz", "/jwks", "/.well-known/openid-configuration"} {
		if a, err := r.get(nil, path); err != nil || a.status != http.StatusOK {
			in.t.Errorf("GET %s while the database is away = %d, %v, want 200", path, a.status, err)
		}
	}
}

// returns wants that a server is ready, and signs in, within seconds of the return of its database.
func (in *installation) returns(r *replica, visitor *clinician) {
	in.t.Helper()
	within(in.t, 5*time.Second, "the server is ready again", func() bool {
		a, _ := r.get(nil, "/readyz")
		return a.status == http.StatusOK
	})
	within(in.t, 5*time.Second, "somebody signs in", func() bool {
		visitor.anotherBrowser()
		k := newProof()
		code, err := visitor.signIn(r, killClients()[0], k)
		if err != nil {
			return false
		}
		got, err := r.redeem(killClients()[0], code, k)
		return err == nil && got.status == http.StatusOK
	})
}

// startsNot wants that a server that is started without its database ends, and says why: what supervises it starts it
// again, and a load balancer never sees it.
func (in *installation) startsNot() {
	in.t.Helper()
	cmd := exec.CommandContext(in.t.Context(), filepath.Join(programDir(in.t), "credence"), "serve")
	cmd.Env = append(append(os.Environ(), in.environ...), "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	u, parseErr := url.Parse(in.serviceURL)
	if parseErr != nil {
		in.t.Fatal(parseErr)
	}
	password, _ := u.User.Password()
	if cmd.ProcessState.ExitCode() != 1 || !strings.HasPrefix(string(out), "credence: reach database: ") || strings.Contains(string(out), password) {
		in.t.Errorf("credence serve without its database = %v, %q, want status 1 and that it cannot be reached", err, out)
	}
}
