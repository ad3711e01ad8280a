package wardlist

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	testClient = "wardlist"
	testSecret = "a secret only the two of them know"
)

// clockwork is a clock that moves when told.
type clockwork struct {
	mu sync.Mutex
	at time.Time
}

func (c *clockwork) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clockwork) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// fakeProvider is a tiny OpenID provider: it signs with a real key, checks what
// it is sent, and lets each test spoil one of its answers.
type fakeProvider struct {
	server       *httptest.Server
	signer       jose.Signer // of ID tokens
	accessSigner jose.Signer
	keys         jose.JSONWebKeySet
	clock        *clockwork
	secret       string // of the client; empty for a public one

	mu       sync.Mutex // owns the rest
	down     bool
	answer   func(url.Values)     // changes the authorization response
	mint     func(map[string]any) // changes the ID token
	issue    func(map[string]any) // changes the access token
	userInfo func() (int, map[string]any)
	claims   map[string]any        // of both tokens, beside those of the protocol
	stepUp   map[string]any        // the claims that change when a request asks for an acr
	asked    []url.Values          // authorization requests
	ended    []url.Values          // end_session requests
	codes    map[string]url.Values // code to its authorization request
	tokens   map[string]bool       // access tokens alive
	issued   []string              // access tokens, in order
	calls    map[string]int        // by path
}

// clinician are the claims of somebody who may do everything.
func clinician() map[string]any {
	return map[string]any{
		"sub":                           "656005750107",
		"acr":                           "AAL3_ANY",
		"amr":                           []string{"hwk", "pin"},
		"sid":                           "9f0c5b9e-6a0e-4f57-a8f2-3f1c1f0a7b11",
		"identity_assurance_level":      "3",
		"authenticator_assurance_level": "3",
		"organisation":                  map[string]any{"code": "A9A5A", "name": "Example Hospital"},
		"role":                          map[string]any{"id": "656014452101", "code": "S8000:G8000:R8000", "name": "Clinical Practitioner Access Role"},
		"roles":                         []string{"S8000:G8000:R8000"},
		"entitlements":                  []string{"B0278", "B0401", "B0420", "B0572", "B0825"},
		"selected_roleid":               "656014452101",
	}
}

func clinicianInfo() map[string]any {
	return map[string]any{
		"sub": "656005750107", "nhsid_useruid": "656005750107", "uid": "656005750107",
		"name": "Rowan Invented", "given_name": "Rowan", "family_name": "Invented", "email": "rowan.invented@example.org",
		"nhsid_user_orgs": []any{map[string]any{"org_name": "Example Hospital", "org_code": "A9A5A"}},
		"nhsid_nrbac_roles": []any{map[string]any{
			"person_orgid": "656008045105", "person_roleid": "656014452101", "org_code": "A9A5A",
			"role_name":      `"Clinical":"Clinical Provision":"Clinical Practitioner Access Role"`,
			"role_code":      "S8000:G8000:R8000",
			"activity_codes": []string{"B0278", "B0401", "B0420", "B0572", "B0825"},
		}},
	}
}

// providerKey is made once: under the race detector a key takes a second.
var providerKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newSigner(t *testing.T, key *rsa.PrivateKey, typ jose.ContentType) jose.Signer {
	t.Helper()
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: key, KeyID: "k1"}},
		(&jose.SignerOptions{}).WithType(typ),
	)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func newFakeProvider(t *testing.T) *fakeProvider {
	t.Helper()
	key, err := providerKey()
	if err != nil {
		t.Fatal(err)
	}
	p := &fakeProvider{
		signer:       newSigner(t, key, "JWT"),
		accessSigner: newSigner(t, key, "at+jwt"), // RFC 9068, Section 2.1
		keys:         jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}},
		clock:        &clockwork{at: time.Date(2031, time.March, 4, 9, 41, 7, 0, time.UTC)},
		secret:       testSecret,
		answer:       func(url.Values) {},
		mint:         func(map[string]any) {},
		issue:        func(map[string]any) {},
		userInfo:     func() (int, map[string]any) { return http.StatusOK, clinicianInfo() },
		claims:       clinician(),
		codes:        make(map[string]url.Values),
		tokens:       make(map[string]bool),
		calls:        make(map[string]int),
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /jwks", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, p.keys) })
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	mux.HandleFunc("GET /userinfo", p.info)
	mux.HandleFunc("GET /end", p.end)
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.calls[r.URL.Path]++
		if p.down {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.server.Close)
	return p
}

func (p *fakeProvider) discovery(w http.ResponseWriter, _ *http.Request) {
	base := p.server.URL
	writeJSON(w, http.StatusOK, map[string]any{
		"issuer": base, "authorization_endpoint": base + "/authorize", "token_endpoint": base + "/token",
		"userinfo_endpoint": base + "/userinfo", "jwks_uri": base + "/jwks", "end_session_endpoint": base + "/end",
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

func (p *fakeProvider) authorize(w http.ResponseWriter, r *http.Request) {
	request := r.URL.Query()
	p.asked = append(p.asked, request)
	code := rand.Text()
	p.codes[code] = request
	response := url.Values{"code": {code}, "state": {request.Get("state")}, "iss": {p.server.URL}}
	p.answer(response)
	http.Redirect(w, r, request.Get("redirect_uri")+"?"+response.Encode(), http.StatusSeeOther)
}

func (p *fakeProvider) token(w http.ResponseWriter, r *http.Request) {
	request, ok := p.codes[r.PostFormValue("code")]
	delete(p.codes, r.PostFormValue("code"))
	challenge := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	id, secret, basic := r.BasicAuth()
	if !basic {
		id = r.PostFormValue("client_id")
	}
	unescaped, _ := url.QueryUnescape(secret) // RFC 6749, Section 2.3.1
	switch {
	case id != testClient, unescaped != p.secret, basic != (p.secret != ""):
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	case !ok, request.Get("redirect_uri") != r.PostFormValue("redirect_uri"),
		request.Get("code_challenge_method") != "S256",
		request.Get("code_challenge") != base64.RawURLEncoding.EncodeToString(challenge[:]):
		writeJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant", "error_description": "The code is spent."})
		return
	}
	now := p.clock.Now()
	about := map[string]any{"iss": p.server.URL, "iat": now.Unix(), "auth_time": now.Unix()}
	maps.Copy(about, p.claims)
	if request.Get("acr_values") != "" {
		maps.Copy(about, p.stepUp)
	}
	ofAccess := maps.Clone(about)
	maps.Copy(ofAccess, map[string]any{
		"aud": p.server.URL, "client_id": testClient, "exp": now.Add(10 * time.Minute).Unix(), "jti": rand.Text(), "scope": request.Get("scope"),
	})
	p.issue(ofAccess)
	access, err := jwt.Signed(p.accessSigner).Claims(ofAccess).Serialize()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p.tokens[access] = true
	p.issued = append(p.issued, access)
	hash := sha256.Sum256([]byte(access))
	ofID := maps.Clone(about)
	maps.Copy(ofID, map[string]any{
		"aud": testClient, "exp": now.Add(time.Hour).Unix(),
		"nonce": request.Get("nonce"), "at_hash": base64.RawURLEncoding.EncodeToString(hash[:16]),
	})
	p.mint(ofID)
	idToken, err := jwt.Signed(p.signer).Claims(ofID).Serialize()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"access_token": access, "token_type": "Bearer", "expires_in": 600, "id_token": idToken})
}

func (p *fakeProvider) info(w http.ResponseWriter, r *http.Request) {
	access, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !p.tokens[access] {
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
		writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_token"})
		return
	}
	status, body := p.userInfo()
	writeJSON(w, status, body)
}

func (p *fakeProvider) end(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	p.ended = append(p.ended, q)
	http.Redirect(w, r, q.Get("post_logout_redirect_uri")+"?state="+url.QueryEscape(q.Get("state")), http.StatusSeeOther)
}

// change lets a test change the provider while it runs.
func (p *fakeProvider) change(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

// lastAsked returns the last authorization request.
func (p *fakeProvider) lastAsked(t *testing.T) url.Values {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.asked) == 0 {
		t.Fatal("the provider got no authorization request")
	}
	return p.asked[len(p.asked)-1]
}

// newWardList starts a ward list for the provider and returns its URL.
func newWardList(t *testing.T, p *fakeProvider) string {
	t.Helper()
	return startWardList(t, p, "", nil)
}

// startWardList starts a ward list with an audience, and with another API in
// the place of its own unless that is nil.
func startWardList(t *testing.T, p *fakeProvider, audience string, api http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	list, err := New(Config{
		Issuer: p.server.URL, ClientID: testClient, ClientSecret: p.secret, Audience: audience, URL: base,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Now: p.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if api != nil && r.URL.Path == prescriptionsPath {
			api(w, r)
			return
		}
		list.ServeHTTP(w, r)
	})
	server.Start()
	t.Cleanup(server.Close)
	return base
}

// newBrowser returns a client with a cookie jar that follows redirects.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

// answer is what the browser shows in the end.
type answer struct {
	status int
	url    *url.URL
	header http.Header
	body   string
	page   page
}

func get(t *testing.T, browser *http.Client, target string) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	return send(t, browser, request)
}

// post sends a form as the browser does from the ward list's own page.
func post(t *testing.T, browser *http.Client, target string, form url.Values) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return send(t, browser, request)
}

// cookies returns the names of the cookies the browser holds for target.
func cookies(t *testing.T, browser *http.Client, target string) []string {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range browser.Jar.Cookies(u) {
		names = append(names, c.Name)
	}
	slices.Sort(names)
	return names
}
