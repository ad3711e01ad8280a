package idp_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/keys"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// The fixed clients of these tests.
const (
	issuer             = "https://example.com"
	confidentialClient = "ward-system"
	publicClient       = "bedside-app"
	otherClient        = "pharmacy"
	secret             = "a secret that these tests chose, of some length"
	callback           = "https://rp.example.org/callback?kept=1"
	loopback           = "http://127.0.0.1/callback"
	signedOut          = "https://rp.example.org/signed-out"
)

// People of the seed.
const (
	oneRole     = "656005750108" // R0260, usually AAL3
	twoRoles    = "656005750104"
	noRole      = "656005750113"
	expiredRole = "656005750114"
	sevenRoles  = "656005750115"
)

// provider is an assembled provider on a database of its own, served over TLS, with a clock that the test moves.
type provider struct {
	t       *testing.T
	store   *store.Store // connected as the service
	owner   *store.Store
	urls    struct{ owner, service string }
	key     seal.Key
	clock   *clock
	trips   *tripCounter
	logs    *lockedBuffer
	secrets *lockedBuffer // that were given out, a line each
	server  *httptest.Server
	handler *idp.Provider
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the time, which never stands still: two calls in a row are a microsecond apart.
func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Microsecond)
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

// began is when each provider starts.
var began = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// sealKey seals what seeded holds.
var sealKey, _ = seal.NewKey()

// seeded is a database with the seeded people, three clients, and the keys that sign.
var seeded = storetest.Template{Fill: func(tb testing.TB, ownerURL string) {
	tb.Helper()
	now := began.Add(-time.Second)
	s, err := store.Open(tb.Context(), ownerURL)
	if err != nil {
		tb.Fatal(err)
	}
	defer s.Close()
	if err := directory.Seed(tb.Context(), s, sealKey, now); err != nil {
		tb.Fatal(err)
	}
	for _, r := range []oauth.Registration{
		{ID: confidentialClient, Name: "Ward system", Scopes: oauth.Scopes(), RedirectURIs: []string{callback}, PostLogoutRedirectURIs: []string{signedOut}},
		{ID: publicClient, Name: "Bedside app", Authentication: oauth.AuthNone, IDTokenAlg: "ES256", Scopes: oauth.Scopes(), RedirectURIs: []string{loopback}},
		{ID: otherClient, Name: "Pharmacy", Authentication: oauth.AuthPost, Scopes: oauth.Scopes(), RedirectURIs: []string{callback}, RequiresRole: true},
	} {
		if err := oauth.EnsureClient(tb.Context(), s, r, secret, "test", now); err != nil {
			tb.Fatal(err)
		}
	}
	if err := keys.New(s, sealKey, func() time.Time { return now }, nil).Load(tb.Context()); err != nil {
		tb.Fatal(err)
	}
}}

// newProvider starts a provider on a copy of what is seeded.
func newProvider(t *testing.T) *provider {
	t.Helper()
	p := &provider{t: t, clock: &clock{now: began}, key: sealKey, secrets: &lockedBuffer{}}
	p.urls.owner, p.urls.service = seeded.URLs(t)
	p.owner = p.open(p.urls.owner, nil)
	p.start()
	t.Cleanup(func() { storetest.CheckInvariants(t, p.urls.owner, strings.Fields(p.secrets.String())...) })
	t.Cleanup(p.wantRecordTold)
	return p
}

// second is another process of the same installation: another provider on the same database, with the same clock. The
// changes are to how it is assembled.
func (p *provider) second(changes ...func(*idp.Config)) *provider {
	p.t.Helper()
	q := &provider{t: p.t, clock: p.clock, key: p.key, owner: p.owner, urls: p.urls, secrets: p.secrets}
	q.start(changes...)
	return q
}

func (p *provider) start(changes ...func(*idp.Config)) {
	p.t.Helper()
	p.t.Cleanup(func() { *p = provider{} }) // package testing keeps what is to be cleaned up until the last test has ended
	p.trips, p.logs = &tripCounter{}, &lockedBuffer{}
	p.store = p.open(p.urls.service, p.trips)
	config := idp.Config{
		Issuer: issuer, Store: p.store, Key: p.key, Now: p.clock.Now,
		Log:       slog.New(idp.RequestLog{Handler: slog.NewTextHandler(p.logs, nil)}),
		Simulated: directory.FixedPeople(),
	}
	for _, change := range changes {
		change(&config)
	}
	var err error
	if p.handler, err = idp.New(p.t.Context(), config); err != nil {
		p.t.Fatal(err)
	}
	p.server = httptest.NewTLSServer(p.handler)
	p.t.Cleanup(func() { p.server.Close() })
}

func (p *provider) open(url string, tracer pgx.QueryTracer) *store.Store {
	p.t.Helper()
	s, err := store.OpenTraced(p.t.Context(), url, tracer)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(s.Close)
	return s
}

// exec runs a statement of the test's own, as the owner.
func (p *provider) exec(sql string, args ...any) {
	p.t.Helper()
	db, err := pgx.Connect(p.t.Context(), p.urls.owner)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close(p.t.Context()) }()
	if _, err := db.Exec(p.t.Context(), sql, args...); err != nil {
		p.t.Fatalf("%s: %v", sql, err)
	}
}

// count is the single number that a query of the test's own yields, as the owner.
func (p *provider) count(sql string, args ...any) int {
	p.t.Helper()
	db, err := pgx.Connect(p.t.Context(), p.urls.owner)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close(p.t.Context()) }()
	var n int
	if err := db.QueryRow(p.t.Context(), sql, args...).Scan(&n); err != nil {
		p.t.Fatalf("%s: %v", sql, err)
	}
	return n
}

// at is the same browser, when its requests arrive at another process of the installation.
func (b *browser) at(q *provider) *browser {
	b.t.Helper()
	return &browser{t: b.t, p: q, client: q.httpClient(b.client.Jar)}
}

// audited lists the events of a kind as "event" or "event: refusal", oldest first.
func (p *provider) audited(kinds ...string) []string {
	p.t.Helper()
	events, err := p.owner.AuditEvents(p.t.Context(), 0, 1000)
	if err != nil {
		p.t.Fatal(err)
	}
	var out []string
	for _, e := range events {
		line := e.Event
		if e.Refusal != "" {
			line += ": " + e.Refusal
		}
		for _, kind := range kinds {
			if e.Event == kind {
				out = append(out, line)
			}
		}
	}
	return out
}

// browser is a person's browser: it keeps cookies, and follows redirects only when told.
type browser struct {
	t      *testing.T
	p      *provider
	client *http.Client
}

func (p *provider) browser() *browser {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return &browser{t: p.t, p: p, client: p.httpClient(jar)}
}

// httpClient reaches the provider under the issuer's name.
func (p *provider) httpClient(jar http.CookieJar) *http.Client {
	transport := p.server.Client().Transport.(*http.Transport).Clone()
	address := p.server.Listener.Addr().String()
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	p.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{
		Transport: transport, Jar: jar, Timeout: 30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// answer is an HTTP response, read whole.
type answer struct {
	*http.Response
	body string
}

func (b *browser) send(r *http.Request) answer {
	b.t.Helper()
	resp, err := b.client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, cookie := range resp.Cookies() {
		if cookie.Name != "credence-language" {
			fmt.Fprintln(b.p.secrets, cookie.Value)
		}
	}
	if location, err := resp.Location(); err == nil {
		fmt.Fprintln(b.p.secrets, location.Query().Get("code"))
	}
	fmt.Fprintln(b.p.secrets, r.URL.Query().Get("token")) // of an enrolment link
	return answer{resp, string(body)}
}

func (b *browser) absolute(location string) string {
	if strings.HasPrefix(location, "/") {
		return issuer + location
	}
	return location
}

func (b *browser) get(location string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.absolute(location), http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.send(r)
}

func (b *browser) post(location string, form url.Values) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.absolute(location), strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(r)
}

// rest follows redirects until a page, or until they lead to a client; then the answer's Location says where.
func (b *browser) rest(a answer) answer {
	b.t.Helper()
	for range 10 {
		location := a.Header.Get("Location")
		if location == "" || !strings.HasPrefix(b.absolute(location), issuer+"/") {
			return a
		}
		a = b.get(location)
	}
	b.t.Fatalf("redirects without end, the last to %s", a.Header.Get("Location"))
	return a
}

// address is that of the page that an answer shows. The sign-in page may be shown elsewhere; its forms say which it is.
func (a answer) address() *url.URL {
	if _, rest, ok := strings.Cut(a.body, `<form method="post" action="/sign-in`); ok {
		action, _, _ := strings.Cut("/sign-in"+rest, `"`)
		if at, err := a.Request.URL.Parse(html.UnescapeString(action)); err == nil {
			return at
		}
	}
	return a.Request.URL
}

// follow goes where a page's script was told to go, and follows redirects.
func (b *browser) follow(location string) answer {
	b.t.Helper()
	at, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.absolute(location), http.NoBody)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.rest(answer{Response: &http.Response{StatusCode: http.StatusSeeOther, Header: http.Header{"Location": {location}}, Request: at}})
}

// path is the path of the page that an answer shows.
func (a answer) path() string { return a.address().Path }

// redirect is the query of the address of a client to which an answer leads.
func (a answer) redirect(t *testing.T) url.Values {
	t.Helper()
	location, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.StatusCode != http.StatusSeeOther {
		t.Fatalf("answer = %d to %q, want 303 to a client; page: %s", a.StatusCode, a.Header.Get("Location"), text(a.body))
	}
	return location.Query()
}

// text is the words of a page, for messages.
func text(page string) string {
	var b strings.Builder
	in := false
	for _, r := range page {
		switch {
		case r == '<':
			in = true
		case r == '>':
			in = false
			b.WriteByte(' ')
		case !in:
			b.WriteRune(r)
		}
	}
	words := strings.Join(strings.Fields(b.String()), " ")
	return words[:min(len(words), 600)]
}

// pkce is a verifier and its challenge.
type pkce struct{ verifier, challenge string }

func newPKCE() pkce {
	verifier := rand.Text() + rand.Text()
	sum := sha256.Sum256([]byte(verifier))
	return pkce{verifier, base64.RawURLEncoding.EncodeToString(sum[:])}
}

// request is an authorization request of a client, with changes: pairs of a parameter and its value, "" takes it out.
func request(client string, k pkce, changes ...string) url.Values {
	q := url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {callback}, "scope": {"openid profile"},
		"state": {"a state"}, "nonce": {"a nonce"}, "code_challenge": {k.challenge}, "code_challenge_method": {"S256"},
	}
	if client == publicClient {
		q.Set("redirect_uri", loopback)
	}
	for i := 0; i+1 < len(changes); i += 2 {
		if changes[i+1] == "" {
			q.Del(changes[i])
		} else {
			q.Set(changes[i], changes[i+1])
		}
	}
	return q
}

// authorize asks for authorization and follows redirects.
func (b *browser) authorize(q url.Values) answer {
	b.t.Helper()
	return b.rest(b.get("/authorize?" + q.Encode()))
}

// simulate signs somebody in on the sign-in page that an answer shows, by a method ("" is the usual one), and follows
// redirects.
func (b *browser) simulate(page answer, username, method string) answer {
	b.t.Helper()
	if page.path() != "/sign-in" || page.StatusCode != http.StatusOK {
		b.t.Fatalf("page = %d %s, want the sign-in page: %s", page.StatusCode, page.path(), text(page.body))
	}
	return b.rest(b.post("/sign-in/simulated?"+page.address().RawQuery, url.Values{"username": {username}, "method": {method}}))
}

// code signs a person with one role in, if need be, and returns the authorization code.
func (b *browser) code(q url.Values, username string) string {
	b.t.Helper()
	a := b.authorize(q)
	if a.path() == "/sign-in" {
		a = b.simulate(a, username, "")
	}
	code := a.redirect(b.t).Get("code")
	if code == "" {
		b.t.Fatalf("answer leads to %s, want a code", a.Header.Get("Location"))
	}
	return code
}

// tokens is an answer of the token endpoint.
type tokens struct {
	status       int
	header       http.Header
	AccessToken  string `json:"access_token"`
	IDToken      string `json:"id_token"`
	RefreshToken string `json:"refresh_token"`
	Scope        string `json:"scope"`
	TokenType    string `json:"token_type"`
	ExpiresIn    int    `json:"expires_in"`
	Error        string `json:"error"`
	Description  string `json:"error_description"`
}

// token posts to the token endpoint, as the client that the form names.
func (p *provider) token(form url.Values) tokens {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, issuer+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.sendToken(r)
}

func (p *provider) sendToken(r *http.Request) tokens {
	p.t.Helper()
	resp, err := p.httpClient(nil).Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	out := tokens{status: resp.StatusCode, header: resp.Header}
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil {
		p.t.Fatalf("token endpoint answers %d with no JSON: %v", resp.StatusCode, err)
	}
	fmt.Fprintln(p.secrets, out.AccessToken, out.IDToken, out.RefreshToken)
	return out
}

// as sends a form to the token endpoint, authenticated as one of the three clients.
func (p *provider) as(client string, form url.Values) tokens {
	p.t.Helper()
	switch client {
	case confidentialClient:
		r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, issuer+"/token", strings.NewReader(form.Encode()))
		if err != nil {
			p.t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(client, url.QueryEscape(secret))
		return p.sendToken(r)
	case otherClient:
		form.Set("client_secret", secret)
	}
	form.Set("client_id", client)
	return p.token(form)
}

// redeem is the form that redeems a code.
func redeem(client, code string, k pkce) url.Values {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {k.verifier}}
	if client == publicClient {
		form.Set("redirect_uri", loopback)
	}
	return form
}

// refresh is the form that uses a refresh token.
func refresh(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
}

// signedIn runs the code flow of a client for a person with one role and returns the tokens.
func (p *provider) signedIn(b *browser, client, username string, changes ...string) tokens {
	p.t.Helper()
	k := newPKCE()
	got := p.as(client, redeem(client, b.code(request(client, k, changes...), username), k))
	if got.status != http.StatusOK {
		p.t.Fatalf("token endpoint answers %d %s: %s", got.status, got.Error, got.Description)
	}
	return got
}

// claims decodes the payload of a token of the provider, whose signature other tests check.
func claims(t *testing.T, token string) map[string]any {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("token %q is no JWS", token)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(payload, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// userinfo asks the userinfo endpoint with a token.
func (p *provider) userinfo(token string) (answer, map[string]any) {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, issuer+"/userinfo", http.NoBody)
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	a := p.browser().send(r)
	var out map[string]any
	if err := json.Unmarshal([]byte(a.body), &out); err != nil {
		p.t.Fatalf("userinfo answers %d with no JSON: %v", a.StatusCode, err)
	}
	return a, out
}

// tripCounter counts what travels to the database and back, and the transactions that write.
type tripCounter struct {
	mu            sync.Mutex
	trips, writes int
}

var (
	_ pgx.QueryTracer = (*tripCounter)(nil)
	_ pgx.BatchTracer = (*tripCounter)(nil)
)

func (c *tripCounter) count(trips, writes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.trips += trips
	c.writes += writes
}

// take returns the counts so far and begins anew.
func (c *tripCounter) take() (trips, writes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	trips, writes = c.trips, c.writes
	c.trips, c.writes = 0, 0
	return trips, writes
}

// TraceQueryStart counts a statement by itself; one that writes is a transaction of its own.
func (c *tripCounter) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	c.count(1, writes(data.SQL))
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (c *tripCounter) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart counts a batch: it travels as one. It begins a transaction, or is one.
func (c *tripCounter) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	statements := data.Batch.QueuedQueries
	if ends := statements[len(statements)-1].SQL == "COMMIT"; ends && statements[0].SQL != "BEGIN" {
		c.count(1, 0)
	} else {
		c.count(1, 1)
	}
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (c *tripCounter) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (c *tripCounter) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func writes(sql string) int {
	for _, verb := range []string{"INSERT ", "UPDATE ", "DELETE "} {
		if strings.Contains(sql, verb) && !strings.Contains(sql, "FOR UPDATE") {
			return 1
		}
	}
	return 0
}

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares a JSON object with a file of testdata. The members that vary from run to run are named.
func golden(t *testing.T, name string, got map[string]any, varying ...string) {
	t.Helper()
	for _, member := range varying {
		if got[member] != nil {
			got[member] = "(varies)"
		}
	}
	text, err := json.MarshalIndent(got, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, '\n')
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(text)); diff != "" {
		t.Errorf("%s differs (-want +got), -update rewrites it:\n%s", path, diff)
	}
}

// in is the provider for a subtest, which its failures then name.
func (p *provider) in(t *testing.T) *provider {
	t.Helper()
	q := *p
	q.t = t
	return &q
}

// enter signs a person in and has her act in a role, as far as she is asked, and returns the answer that leads to the
// client. Role "" is to go on without.
func (b *browser) enter(q url.Values, username, role string) answer {
	b.t.Helper()
	a := b.authorize(q)
	if a.path() == "/sign-in" {
		a = b.simulate(a, username, "")
	}
	if a.path() == "/sign-in/role" {
		a = b.rest(b.post("/sign-in/role?"+a.address().RawQuery, url.Values{"role": {role}}))
	}
	return a
}

// run runs what a process does beside answering: it looks for changed clients, keys and codes.
func (p *provider) run() {
	p.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(p.t.Context()))
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{p.handler.RunKeys, p.handler.RunClients, p.handler.RunModels, p.handler.RunCatalogue, p.handler.RunPolicies, p.handler.RunThrottle} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				p.t.Error(err)
			}
		})
	}
	p.t.Cleanup(func() { cancel(); running.Wait() })
}

// eventually waits until something holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline, tick := time.After(30*time.Second), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("after 30 s it is still not so that %s", what)
		case <-tick.C:
		}
	}
}
