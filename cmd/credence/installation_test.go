package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

// What the tests of an installation have everywhere.
const (
	installationIssuer = "https://id.example.org" // of serveEnviron
	clientSecret       = "4bLGRr0hMCkHZJm9aHEwQh3Zq0yQ8Tz2rLk5uVnXo1s"
	clientCallback     = "https://rp.example.org/callback"
)

// An installation is a database, and servers on it under one name: each a `credence serve` in a process of its own, as
// behind a load balancer. What was given out by any of them is noted, to be looked for where it must not be.
type installation struct {
	t                    *testing.T
	ownerURL, serviceURL string
	environ              []string
	owner                *store.Store
	requests             atomic.Uint32

	mu      sync.Mutex
	secrets []string
}

// newInstallation fills a migrated database with clients, and checks the invariants when the test ends.
func newInstallation(t *testing.T, ownerURL, serviceURL string, clients ...string) *installation {
	t.Helper()
	in := &installation{t: t, ownerURL: ownerURL, serviceURL: serviceURL, environ: append(serveEnviron(t, serviceURL), "CREDENCE_TRUSTED_PROXIES=127.0.0.1")}
	var err error
	if in.owner, err = store.Open(t.Context(), ownerURL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(in.owner.Close)
	t.Cleanup(func() { storetest.CheckInvariants(t, ownerURL, append(in.given(), clientSecret)...) })
	if err := directory.AddOrganisation(t.Context(), in.owner, store.Organisation{Code: "ZX100", Name: "Larkmere Hospital (invented)"}, "test", time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, id := range clients {
		r := oauth.Registration{ID: id, Name: "Ward system", Scopes: []string{"openid", "profile", "offline_access"}, RedirectURIs: []string{clientCallback}}
		if err := oauth.EnsureClient(t.Context(), in.owner, r, clientSecret, "test", time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

// note keeps what was given out.
func (in *installation) note(secrets ...string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.secrets = append(in.secrets, secrets...)
}

func (in *installation) given() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.secrets
}

// command runs another command of the program on the same database, as an operator does.
func (in *installation) command(args ...string) {
	in.t.Helper()
	cmd := exec.CommandContext(in.t.Context(), filepath.Join(programDir(in.t), "credence"), args...)
	cmd.Env = append(append(os.Environ(), in.environ...), "GORACE=atexit_sleep_ms=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		in.t.Fatalf("credence %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// A replica is one of the servers. It can be killed and started again, and then has another address: requests for the
// issuer find it.
type replica struct {
	in        *installation
	server    *server
	drained   chan struct{} // closed when all that the server logged was read
	address   atomic.Pointer[string]
	transport *http.Transport
}

// replica starts a server.
func (in *installation) replica() *replica {
	in.t.Helper()
	r := &replica{in: in, transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	in.t.Cleanup(r.transport.CloseIdleConnections)
	r.start()
	return r
}

func (r *replica) start() {
	r.in.t.Helper()
	r.server, r.drained = startServer(r.in.t, r.in.environ), make(chan struct{})
	r.address.Store(&r.server.address)
	t, lines, drained := r.in.t, r.server.lines, r.drained
	go func() { // a server whose log nobody reads stops
		defer close(drained)
		for line := range lines {
			if strings.Contains(line, `"panic"`) || strings.Contains(line, "DATA RACE") {
				t.Errorf("the server logs %s", line)
			}
		}
	}()
	t.Cleanup(r.kill)
}

// kill ends the server as kill -9 does.
func (r *replica) kill() {
	_ = r.server.cmd.Process.Kill() // fails when it has ended
	<-r.drained
	_ = r.server.cmd.Wait() // "signal: killed"
}

// RoundTrip implements http.RoundTripper: it takes a request for the issuer to the server, as a proxy that ends TLS does.
// Each comes from an address of its own, so that failures by the thousand are not slowed down.
func (r *replica) RoundTrip(asked *http.Request) (*http.Response, error) {
	out := asked.Clone(asked.Context())
	out.Host, out.URL.Scheme, out.URL.Host = asked.URL.Host, "http", *r.address.Load()
	n := r.in.requests.Add(1)
	out.Header.Set("X-Forwarded-For", netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}).String())
	return r.transport.RoundTrip(out) //nolint:wrapcheck // it is the transport
}

// answer is an HTTP response that arrived whole.
type answer struct {
	status int
	header http.Header
	body   string
}

// whole says whether a failure is answered as the kind of answer that it says it is.
func (a answer) whole() bool {
	switch kind, _, _ := strings.Cut(a.header.Get("Content-Type"), ";"); kind {
	case "application/json":
		return json.Valid([]byte(a.body))
	case "text/html":
		return strings.HasSuffix(strings.TrimSpace(a.body), "</html>")
	case "text/plain":
		return strings.HasSuffix(a.body, "\n")
	}
	return false
}

// lost says that nobody knows what a request did: the connection broke, or the server said that it failed.
type lost struct{ error }

func (l lost) Unwrap() error { return l.error }

// send sends a request with the cookies of a jar, which may be nil. Whatever breaks or fails on the way is lost.
func (r *replica) send(jar http.CookieJar, request *http.Request) (answer, error) {
	client := &http.Client{
		Transport: r, Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(request)
	if err != nil {
		return answer{}, lost{err}
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return answer{}, lost{err}
	}
	for _, cookie := range resp.Cookies() {
		r.in.note(cookie.Value)
	}
	a := answer{resp.StatusCode, resp.Header, string(body)}
	if a.status >= http.StatusInternalServerError {
		if !a.whole() {
			return a, fmt.Errorf("%s %s answers %d %q, want JSON, a whole page, or a line", request.Method, request.URL.Path, a.status, a.body)
		}
		return a, lost{fmt.Errorf("%s %s answers %d", request.Method, request.URL.Path, a.status)}
	}
	return a, nil
}

func (r *replica) get(jar http.CookieJar, location string, header ...string) (answer, error) {
	return r.request(jar, http.MethodGet, location, "", header...)
}

// request sends a request to an address of the issuer; the headers are pairs of name and value.
func (r *replica) request(jar http.CookieJar, method, location, body string, header ...string) (answer, error) {
	request, err := http.NewRequestWithContext(context.WithoutCancel(r.in.t.Context()), method, installationIssuer+strings.TrimPrefix(location, installationIssuer), strings.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	return r.send(jar, request)
}

// tokens is an answer of the token endpoint.
type tokens struct {
	status       int
	AccessToken  string `json:"access_token"`
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`
	Error        string `json:"error"`
}

// token posts to the token endpoint as a client.
func (r *replica) token(client string, form url.Values) (tokens, error) {
	basic := base64.StdEncoding.EncodeToString([]byte(client + ":" + clientSecret))
	a, err := r.request(nil, http.MethodPost, "/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Authorization", "Basic "+basic)
	out := tokens{status: a.status}
	if a.status == 0 {
		return out, err
	}
	if wrong := json.Unmarshal([]byte(a.body), &out); wrong != nil || (out.Error == "") != (a.status == http.StatusOK) {
		return out, fmt.Errorf("the token endpoint answers %d %q, want JSON with tokens or an error", a.status, a.body)
	}
	r.in.note(out.AccessToken, out.IDToken, out.RefreshToken)
	return out, err
}

func (r *replica) redeem(client, code string, k proof) (tokens, error) {
	return r.token(client, url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {clientCallback}, "code_verifier": {k.verifier}})
}

func (r *replica) refresh(client, token string) (tokens, error) {
	return r.token(client, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// userinfo is the status that the userinfo endpoint answers a token with.
func (r *replica) userinfo(token string) (int, error) {
	a, err := r.get(nil, "/userinfo", "Authorization", "Bearer "+token)
	return a.status, err
}

// proof is a code_verifier and its challenge: RFC 7636.
type proof struct{ verifier, challenge string }

func newProof() proof {
	verifier := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	return proof{verifier, base64.RawURLEncoding.EncodeToString(sum[:])}
}

// A clinician is a person with one role and a passkey, at a browser.
type clinician struct {
	in  *installation
	id  string
	key *webauthntest.Key
	jar http.CookieJar
}

// clinician adds a person to the directory and has her bind a passkey at a replica.
func (in *installation) clinician(r *replica, id string) *clinician {
	in.t.Helper()
	c := &clinician{in: in, id: id, key: webauthntest.NewPasskey()}
	c.anotherBrowser()
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		in.t.Fatal(err)
	}
	if _, err := directory.AddPerson(in.t.Context(), in.owner, directory.NewPerson{ID: id, GivenName: "Sam", FamilyName: "Sample"}, "test", time.Now()); err != nil {
		in.t.Fatal(err)
	}
	role := directory.NewRole{PersonID: id, Organisation: "ZX100", JobRole: "S8000:G8000:R8001", StartsAt: time.Now().Add(-time.Hour)}
	if _, err := directory.GrantRole(in.t.Context(), in.owner, catalogue, role, "test", time.Now()); err != nil {
		in.t.Fatal(err)
	}
	secret, _, err := registration.NewEnrolmentLink(in.t.Context(), in.owner, id, "test", time.Now())
	if err != nil {
		in.t.Fatal(err)
	}
	in.note(secret)
	page, err := r.get(c.jar, "/enrol?token="+secret)
	if err != nil {
		in.t.Fatal(err)
	}
	if _, err := c.ceremony(r, page, c.key.Create); err != nil {
		in.t.Fatal(err)
	}
	return c
}

// anotherBrowser has her sit down at a browser where nobody was before.
func (c *clinician) anotherBrowser() {
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it has no way to fail
	}
	c.jar = jar
}

var ceremonyOfPage = regexp.MustCompile(`data-options="([^"]*)" data-finish="([^"]*)"`)

// ceremony does what a page asks of her passkey, and returns where the page then leads.
func (c *clinician) ceremony(r *replica, page answer, perform func(options []byte, origin string) []byte) (location string, err error) {
	found := ceremonyOfPage.FindStringSubmatch(page.body)
	if found == nil {
		return "", fmt.Errorf("a page answers %d without a ceremony: %s", page.status, page.body)
	}
	body, err := json.Marshal(map[string]any{"response": json.RawMessage(perform([]byte(html.UnescapeString(found[1])), installationIssuer)), "name": "blue key"})
	if err != nil {
		return "", err
	}
	a, err := r.request(c.jar, http.MethodPost, html.UnescapeString(found[2]), string(body), "Content-Type", "application/json", "Sec-Fetch-Site", "same-origin")
	if err != nil {
		return "", err
	}
	var to struct{ Location string }
	if err := json.Unmarshal([]byte(a.body), &to); err != nil || a.status != http.StatusOK {
		return "", fmt.Errorf("a ceremony answers %d %s, want 200 and where to go", a.status, a.body)
	}
	return to.Location, nil
}

// authorize asks a replica for authorization, signs in where that is needed, and returns what the client is given. The
// changes are pairs of a parameter and its value.
func (c *clinician) authorize(r *replica, client string, k proof, changes ...string) (url.Values, error) {
	q := url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {clientCallback}, "scope": {"openid offline_access"},
		"state": {"a state"}, "code_challenge": {k.challenge}, "code_challenge_method": {"S256"},
	}
	for i := 0; i+1 < len(changes); i += 2 {
		q.Set(changes[i], changes[i+1])
	}
	location := "/authorize?" + q.Encode()
	for range 6 {
		if strings.HasPrefix(location, clientCallback) {
			to, err := url.Parse(location)
			if err != nil {
				return nil, err
			}
			c.in.note(to.Query().Get("code"))
			return to.Query(), nil
		}
		a, err := r.get(c.jar, location)
		if err != nil {
			return nil, err
		}
		switch location = a.header.Get("Location"); {
		case a.status == http.StatusOK:
			if location, err = c.ceremony(r, a, c.key.Get); err != nil {
				return nil, err
			}
		case a.status != http.StatusSeeOther:
			return nil, fmt.Errorf("authorization answers %d: %s", a.status, a.body)
		}
	}
	return nil, errors.New("authorization leads nowhere")
}

// signIn authorizes a client and returns the code.
func (c *clinician) signIn(r *replica, client string, k proof) (string, error) {
	given, err := c.authorize(r, client, k)
	if err != nil {
		return "", err
	}
	if given.Get("code") == "" {
		return "", fmt.Errorf("authorization gives the client %v, want a code", given)
	}
	return given.Get("code"), nil
}

// tokens signs in and redeems the code.
func (c *clinician) tokens(r *replica, client string) tokens {
	c.in.t.Helper()
	k := newProof()
	code, err := c.signIn(r, client, k)
	if err != nil {
		c.in.t.Fatal(err)
	}
	held, err := r.redeem(client, code, k)
	if err != nil || held.status != http.StatusOK {
		c.in.t.Fatalf("redeem() = %d %s, %v, want tokens", held.status, held.Error, err)
	}
	return held
}
