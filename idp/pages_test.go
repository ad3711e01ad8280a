package idp_test

import (
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	xhtml "golang.org/x/net/html"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// walk reaches each page that a person can come to, and hands each to see.
func (p *provider) walk(client string, see func(name string, pending bool, a answer)) {
	p.t.Helper()
	b := p.browser()
	see("welcome", false, b.get("/"))
	see("sign-in by oneself", false, b.get("/sign-in"))
	page := b.authorize(request(client, newPKCE()))
	at := page.address().RequestURI()
	see("sign-in", true, page)
	see("sign-in for a user id", true, b.get(at+"&username="+oneRole))
	see("sign-in with a mistake", true, b.post(at, url.Values{"username": {"<b>\u202e"}}))
	see("simulated", true, b.get("/sign-in/simulated?"+page.address().RawQuery))
	see("simulated with a mistake", true, b.post("/sign-in/simulated?"+page.address().RawQuery, url.Values{"username": {"<b>\u202e"}}))
	see("enrol", false, b.get(p.link(sevenRoles)))
	see("enrol with a link that does not work", false, b.get("/enrol?token=x"))
	c := b.get(p.link(sevenRoles)).ceremony(p.t)
	see("enrolled", false, b.get(b.finish(c, webauthntest.New().Create(c.options, issuer), `<script>alert(1)</script>`).Location))
	see("a pending request that is not ours", false, b.get("/sign-in?state=x"))
	see("no page", false, b.get("/nowhere/<script>alert(1)</script>"))
	see("a method that is not taken", false, b.postWith("/enrolled", nil, func(*http.Request) {}))
	see("a form of another site", false, b.postWith(at, nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }))
	see("a request that cannot be answered", false, b.get("/authorize?client_id="+client+"&redirect_uri=https://evil.example"))
	see("a way back that is not registered", false, b.get("/logout?post_logout_redirect_uri=https://evil.example"))

	page = b.simulate(page, sevenRoles, "")
	see("roles", true, page)
	see("roles with a mistake", true, b.post(page.address().RequestURI(), url.Values{"role": {"x"}}))
	see("roles, searched", true, b.post(page.address().RequestURI(), url.Values{"q": {"<script>alert(1)</script>"}, "search": {"1"}}))
	b.choose(page, "656014115001")
	see("home", false, b.get("/"))
	see("levels", false, b.get("/levels"))
	see("roles from home", false, b.get("/sign-in/role"))
	see("sign-out", false, b.get("/logout"))
	see("signed out", false, b.rest(b.post("/logout", nil)))
	p.walkDesk(see)
	p.walkAccount(see)
	b = p.browser()
	see("no role", true, b.simulate(b.authorize(request(client, newPKCE())), noRole, ""))
}

func TestEveryPageIsGuarded(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for client, loopbackOrigin := range map[string]string{confidentialClient: "", publicClient: " http://127.0.0.1"} {
		p.walk(client, func(name string, pending bool, a answer) {
			formAction, opener := "'self'", "same-origin"
			if pending {
				formAction, opener = "'self' https:"+loopbackOrigin, ""
			}
			want := map[string]string{
				"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action " +
					formAction + "; base-uri 'none'; frame-ancestors 'none'",
				"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store",
				"Content-Type": "text/html; charset=utf-8", "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
				"Cross-Origin-Opener-Policy": opener, "Access-Control-Allow-Origin": "", "Server": "", "X-Powered-By": "",
			}
			got := map[string]string{}
			for header := range want {
				got[header] = a.Header.Get(header)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("headers of the page %q (-want +got):\n%s", name, diff)
			}
			if id := a.Header.Get("X-Request-Id"); id == "" || !strings.Contains(a.body, `id="reference">`+id+`<`) {
				t.Errorf("the page %q does not show its reference %s", name, id)
			}
			if !strings.Contains(a.body, `class="credence-development"`) {
				t.Errorf("the page %q has no banner", name)
			}
			if strings.Count(a.body, "<h1") != 1 {
				t.Errorf("the page %q has %d headings of the first level, want 1", name, strings.Count(a.body, "<h1"))
			}
		})
	}
}

// What is stored, and what is sent, is shown as the text that it is.
func TestTextIsShownEscaped(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.enrol(sevenRoles, webauthntest.New())
	canary := func(column string, length int) string {
		c := fmt.Sprintf(`<script>alert('%s')</script>"><img src=x onerror=alert(1)>{{7*7}}${7*7}'`+"\u202e\u200b😀\n", column)
		return c + strings.Repeat("W", length-len([]rune(c)))
	}
	// As whoever writes to the database can put them there; directory and client refuse half of it.
	p.exec(`UPDATE person SET display_name = $1, given_name = $2, family_name = $2`, canary("person", 200), canary("name", 100)[:95])
	p.exec(`UPDATE organisation SET name = $1`, canary("organisation", 200))
	p.exec(`UPDATE client SET name = $1`, canary("client", 100))
	p.exec(`UPDATE authenticator SET name = '<script>alert(1)</script>"><img src=x onerror=alert(1)>' || $1`, "\u202e😀")
	q := p.second()
	seen := map[string]bool{}
	q.walk(confidentialClient, func(name string, _ bool, a answer) {
		doc, err := xhtml.Parse(strings.NewReader(a.body))
		if err != nil {
			t.Fatal(err)
		}
		for n := range doc.Descendants() {
			if n.Type == xhtml.TextNode {
				for _, column := range []string{"person", "organisation", "client", "1"} {
					if strings.Contains(n.Data, "<script>alert('"+column+"')</script>") || strings.Contains(n.Data, "<script>alert("+column+")</script>") {
						seen[column] = true
					}
				}
			}
			if n.Type != xhtml.ElementNode {
				continue
			}
			for _, attribute := range n.Attr {
				switch {
				case strings.HasPrefix(attribute.Key, "on"), attribute.Key == "style":
					t.Errorf("the page %q has an element %s with %s", name, n.Data, attribute.Key)
				case (attribute.Key == "src" || attribute.Key == "href") && strings.Contains(attribute.Val, ":") && !strings.HasPrefix(attribute.Val, "/"):
					t.Errorf("the page %q leads to %s", name, attribute.Val)
				case n.Data == "script" && attribute.Key == "src" && !strings.HasPrefix(attribute.Val, "/static/"):
					t.Errorf("the page %q runs %s", name, attribute.Val)
				}
			}
			if n.Data == "script" && (n.FirstChild != nil || len(n.Attr) == 0) || n.Data == "style" || n.Data == "iframe" || n.Data == "object" {
				t.Errorf("the page %q has an element %s of its own", name, n.Data)
			}
		}
	})
	if diff := cmp.Diff(map[string]bool{"person": true, "organisation": true, "client": true, "1": true}, seen); diff != "" {
		t.Errorf("what was shown as text (-want +got):\n%s", diff)
	}
}

// Links, cookies, ceremonies and the issuer come from the configuration, whatever a request says of itself.
func TestHostAndForwardedHeadersAreIgnored(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	volatile := regexp.MustCompile(`state=[^"&]*|data-options="[^"]*"|ceremony=[^"&]*|id="reference">[A-Z0-9]+<`)
	look := func(path string, change func(*http.Request)) (string, answer) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, issuer+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		a := b.send(r)
		return fmt.Sprint(a.StatusCode, volatile.ReplaceAllString(a.Header.Get("Location"), ""), volatile.ReplaceAllString(a.body, "")), a
	}
	b.get("/sign-in")
	for name, change := range map[string]func(*http.Request){
		"Host":              func(r *http.Request) { r.Host = "evil.example" },
		"Host with a port":  func(r *http.Request) { r.Host = "example.com:8443" },
		"X-Forwarded-Host":  func(r *http.Request) { r.Header.Set("X-Forwarded-Host", "evil.example") },
		"X-Forwarded-Proto": func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "http") },
		"Forwarded":         func(r *http.Request) { r.Header.Set("Forwarded", "for=1.2.3.4;host=evil.example;proto=http") },
		"X-Original-URL": func(r *http.Request) {
			r.Header.Set("X-Original-URL", "/healthz")
			r.Header.Set("X-Rewrite-URL", "/healthz")
		},
		"X-HTTP-Method-Override": func(r *http.Request) {
			r.Header.Set("X-HTTP-Method-Override", "DELETE")
		},
	} {
		for _, path := range []string{"/", "/sign-in", "/.well-known/openid-configuration", "/authorize?" + request(confidentialClient, newPKCE()).Encode()} {
			want, _ := look(path, func(*http.Request) {})
			got, a := look(path, change)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("GET %.40s with %s (-without +with):\n%s", path, name, diff)
			}
			for _, c := range a.Cookies() {
				if c.Domain != "" || !c.Secure {
					t.Errorf("GET %.40s with %s sets %s", path, name, c.Raw)
				}
			}
			if path == "/sign-in" && !strings.Contains(html.UnescapeString(a.body), `"rpId":"example.com"`) {
				t.Errorf("GET /sign-in with %s asks for another RP ID", name)
			}
		}
	}
	spoof := func(r *http.Request) {
		r.Header.Set("X-Forwarded-For", "203.0.113.9")
		r.Header.Set("X-Real-IP", "203.0.113.9")
		r.Header.Set("X-Request-Id", "MINE")
	}
	if a := b.postWith("/sign-in/simulated", url.Values{"username": {oneRole}}, spoof); a.StatusCode != http.StatusSeeOther || a.Header.Get("X-Request-Id") == "MINE" {
		t.Errorf("sign-in = %d with the id %s, want 303 with one of ours", a.StatusCode, a.Header.Get("X-Request-Id"))
	}
	if n := p.count(`SELECT count(*) FROM audit_event WHERE event = 'signed_in' AND address = '127.0.0.1' AND request_id <> 'MINE'`); n != 1 {
		t.Error("the record does not have the address of the connection")
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	page := b.authorize(request(confidentialClient, newPKCE()))
	state := "?" + page.address().RawQuery
	link := p.link(noRole)
	before := p.rows()
	for _, at := range []string{
		"/sign-in" + state, "/sign-in/passkey" + state, "/sign-in/simulated" + state, "/sign-in/role" + state, link,
		"/sign-in", "/enrol", "/authorize/../sign-in/simulated", "//sign-in/simulated", "/token/../sign-in/simulated", "/logout/%2e%2e/sign-in/simulated",
	} {
		for name, change := range map[string]func(*http.Request){
			"Sec-Fetch-Site: cross-site": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
			"Sec-Fetch-Site: same-site":  func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-site") },
			"an Origin":                  func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
			"an Origin by http":          func(r *http.Request) { r.Header.Set("Origin", "http://evil.example.com") },
			"an Origin of a suffix":      func(r *http.Request) { r.Header.Set("Origin", "https://example.com.evil.example") },
			"an opaque Origin":           func(r *http.Request) { r.Header.Set("Origin", "null") },
		} {
			a := b.postWith(at, url.Values{"username": {oneRole}, "role": {onlyRole}}, change)
			if a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, "This form was sent from another site") {
				t.Errorf("POST %.30s with %s = %d %s, want 403 and the page that says why", at, name, a.StatusCode, text(a.body))
			}
		}
	}
	if diff := cmp.Diff(before, p.rows()); diff != "" {
		t.Errorf("rows of the tables (-before +after):\n%s", diff)
	}
	for name, change := range map[string]func(*http.Request){
		"Sec-Fetch-Site: same-origin": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "same-origin") },
		"Sec-Fetch-Site: none":        func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "none") },
		"our Origin":                  func(r *http.Request) { r.Header.Set("Origin", issuer) },
		"neither, as from curl":       func(*http.Request) {},
	} {
		if a := b.postWith("/sign-in"+state, url.Values{"username": {oneRole}}, change); a.StatusCode != http.StatusSeeOther {
			t.Errorf("POST /sign-in with %s = %d, want 303", name, a.StatusCode)
		}
	}
}

func TestUnknownAddressesAndMethods(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	send := func(method, path string) answer {
		r, err := http.NewRequestWithContext(t.Context(), method, issuer+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		return b.send(r)
	}
	for _, path := range []string{"/nowhere", "/sign-in/", "/sign-in/x", "/SIGN-IN", "/sign-in%2fsimulated", "/sign-in;x", "/userinfo/x.css", "/.env", "/admin", "/metrics", "/debug/pprof/", "/%00", "/%ff"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			if a := send(method, path); a.StatusCode != http.StatusNotFound || !strings.Contains(a.body, "Page not found") {
				t.Errorf("%s %s = %d, want 404 and a page", method, path, a.StatusCode)
			}
		}
	}
	for _, tt := range []struct{ method, path, allow string }{
		{http.MethodDelete, "/sign-in", "GET, HEAD POST"},
		{http.MethodPut, "/sign-in/role", "GET, HEAD POST"},
		{http.MethodGet, "/sign-in/passkey", "POST"},
		{http.MethodPost, "/jwks", "GET, HEAD"},
		{http.MethodPost, "/enrolled", "GET, HEAD"},
		{"BREW", "/", "GET, HEAD"},
		{http.MethodOptions, "/authorize", "GET, HEAD POST"},
		{http.MethodTrace, "/logout", "GET, HEAD POST"},
	} {
		a := send(tt.method, tt.path)
		allow := strings.Join(a.Header.Values("Allow"), " ")
		if allow == "POST GET, HEAD" {
			allow = "GET, HEAD POST"
		}
		if a.StatusCode != http.StatusMethodNotAllowed || allow != tt.allow {
			t.Errorf("%s %s = %d, Allow: %s; want 405 and %s", tt.method, tt.path, a.StatusCode, allow, tt.allow)
		}
	}
	for path, want := range map[string]int{"/": 200, "/sign-in": 200, "/healthz": 200, "/readyz": 200, "/jwks": 200} {
		if a := send(http.MethodHead, path); a.StatusCode != want || a.body != "" {
			t.Errorf("HEAD %s = %d, want %d and no body", path, a.StatusCode, want)
		}
	}
	for _, path := range []string{"//sign-in", "/./sign-in", "/x/../sign-in"} { // the router redirects, and never serves another page than it guards
		if a := send(http.MethodGet, path); a.StatusCode/100 != 3 || a.Header.Get("Location") != "/sign-in" {
			t.Errorf("GET %s = %d to %s, want to be sent to /sign-in", path, a.StatusCode, a.Header.Get("Location"))
		}
	}
}

// A panic is a bug of ours: the person sees a page with a reference, and the log has what happened under it.
func TestPanicsAndFailuresBecomeAPage(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	var calls atomic.Int64
	q := p.second(func(c *idp.Config) {
		now := c.Now
		c.Now = func() time.Time {
			if calls.Add(1) == 2 { // the first call of a request is the log's
				panic("the clock of secrets broke")
			}
			return now()
		}
	})
	calls.Store(0)
	b := q.browser()
	wantFault := func(what string, a answer, cause string) {
		t.Helper()
		id := a.Header.Get("X-Request-Id")
		if a.StatusCode != http.StatusInternalServerError || !strings.Contains(a.body, "Sorry, there is a problem with this service") || !strings.Contains(a.body, id) || id == "" {
			t.Errorf("a page %s = %d %s, want 500 and one that says it is our fault", what, a.StatusCode, text(a.body))
		}
		if strings.Contains(a.body, cause) || strings.Contains(a.body, "SQLSTATE") || strings.Contains(a.body, ".go:") {
			t.Errorf("a page %s tells the cause: %s", what, text(a.body))
		}
		logged := false
		for line := range strings.Lines(q.logs.String()) {
			logged = logged || strings.Contains(line, "level=ERROR") && strings.Contains(line, "request_id="+id) && strings.Contains(line, cause)
		}
		if !logged {
			t.Errorf("the log does not have %q under the reference %s:\n%s", cause, id, q.logs)
		}
		if !strings.Contains(q.logs.String(), "status=500") {
			t.Error("the log has no request with status 500")
		}
	}
	wantFault("on which we panic", b.get("/sign-in"), "the clock of secrets broke")
	if a := b.get("/sign-in"); a.StatusCode != http.StatusOK {
		t.Errorf("the next request = %d, want 200", a.StatusCode)
	}
	b.signInAlone(oneRole, "")
	p.exec(`ALTER TABLE session RENAME TO hidden`)
	wantFault("when the database fails", b.get("/"), "does not exist")
	p.exec(`ALTER TABLE hidden RENAME TO session`)
	if b.home() == "" {
		t.Error("nobody is signed in when the database is well again")
	}
}

// One id is in the answer, on the page, in each line of the log and in the record.
func TestRequestID(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	a := b.signInAlone(oneRole, "")
	id := a.Header.Get("X-Request-Id")
	if !regexp.MustCompile(`^[A-Z2-7]{16}$`).MatchString(id) {
		t.Errorf("X-Request-Id = %q, want 16 letters and digits", id)
	}
	if n := p.count(`SELECT count(*) FROM audit_event WHERE request_id = $1 AND event = 'signed_in'`, id); n != 1 {
		t.Errorf("%d lines of the record have the id, want 1", n)
	}
	if n := strings.Count(p.logs.String(), "msg=request method=POST route=\"POST /sign-in/simulated\" status=303"); n != 1 {
		t.Errorf("%d lines of the log tell of the request, want 1:\n%s", n, p.logs)
	}
	if n := strings.Count(p.logs.String(), "request_id="+id); n != 1 {
		t.Errorf("%d lines of the log have the id, want 1:\n%s", n, p.logs)
	}
	if again := b.signInAlone(oneRole, "").Header.Get("X-Request-Id"); again == id {
		t.Error("two requests have one id")
	}
	for name, secret := range map[string]string{"the session cookie": b.cookie(), "a user id": oneRole} {
		if strings.Contains(p.logs.String(), secret) {
			t.Errorf("the log has %s", name)
		}
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	get := func(path string) int {
		w := httptest.NewRecorder()
		q.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, issuer+path, http.NoBody))
		return w.Code
	}
	if live, ready := get("/healthz"), get("/readyz"); live != http.StatusOK || ready != http.StatusOK {
		t.Errorf("/healthz = %d and /readyz = %d, want 200 and 200", live, ready)
	}
	if log := q.logs.String(); strings.Contains(log, "readyz") || strings.Contains(log, "healthz") {
		t.Errorf("what a balancer asks all day is logged: %s", log)
	}
	// A replica of the release before goes on while an upgrade replaces it: migrations expand first. One that is ahead of the
	// schema lacks something.
	for _, tt := range []struct {
		change string
		want   int
	}{{"version + 1", http.StatusOK}, {"version - 2", http.StatusServiceUnavailable}, {"version + 1", http.StatusOK}} {
		p.exec("UPDATE schema_migrations SET version = " + tt.change)
		if ready := get("/readyz"); ready != tt.want {
			t.Errorf("/readyz with the schema at %s = %d, want %d", tt.change, ready, tt.want)
		}
	}
	q.store.Close()
	if live, ready := get("/healthz"), get("/readyz"); live != http.StatusOK || ready != http.StatusServiceUnavailable {
		t.Errorf("without a database /healthz = %d and /readyz = %d, want 200 and 503", live, ready)
	}
	if log := q.logs.String(); !strings.Contains(log, "readyz") || strings.Contains(log, "healthz") {
		t.Errorf("the log has %s, want that the server was not ready", log)
	}
}
