package idp_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/directory"
)

// cookies are those that an answer sets, by name.
func (a answer) cookies() map[string]*http.Cookie {
	out := map[string]*http.Cookie{}
	for _, c := range a.Cookies() {
		out[c.Name] = c
	}
	return out
}

// signInAlone signs somebody in without a request of a client, and returns the answer that sets the cookie.
func (b *browser) signInAlone(username, method string) answer {
	b.t.Helper()
	a := b.post("/sign-in/simulated", url.Values{"username": {username}, "method": {method}})
	if a.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("sign-in of %s = %d %s, want 303", username, a.StatusCode, text(a.body))
	}
	return a
}

// cookie is the session cookie that the browser has.
func (b *browser) cookie() string {
	b.t.Helper()
	u, err := url.Parse(issuer)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.client.Jar.Cookies(u) {
		if c.Name == "__Host-credence" {
			return c.Value
		}
	}
	return ""
}

func TestCookies(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	check := func(set map[string]*http.Cookie, prefix string, secure bool) {
		t.Helper()
		for _, name := range []string{prefix + "credence", prefix + "credence-browser"} {
			c := set[name]
			if c == nil {
				t.Errorf("cookies = %v, want one called %s", set, name)
				continue
			}
			if c.Secure != secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 0 || !c.Expires.IsZero() {
				t.Errorf("Set-Cookie: %s, want Secure %v, HttpOnly, SameSite=Lax, Path=/, no Domain and no end", c.Raw, secure)
			}
			if len(c.Value) != 52 {
				t.Errorf("cookie %s has %d characters, want 52: 256 bits and more", name, len(c.Value))
			}
		}
	}
	check(p.browser().signInAlone(oneRole, "").cookies(), "__Host-", true)

	loopback := p.second(func(c *idp.Config) { c.Issuer = "http://localhost:8080" })
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost:8080/sign-in/simulated", strings.NewReader("username="+oneRole))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	loopback.handler.ServeHTTP(w, r)
	answered := answer{Response: w.Result()}
	check(answered.cookies(), "", false)
	if got := answered.Header.Get("Strict-Transport-Security"); got != "" {
		t.Errorf("Strict-Transport-Security of an http issuer = %q, want none", got)
	}
	local := p.second(func(c *idp.Config) { c.Issuer = "https://localhost:8080" })
	w = httptest.NewRecorder()
	local.handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "https://localhost:8080/", http.NoBody))
	if got := w.Header().Get("Strict-Transport-Security"); got != "" {
		t.Errorf("Strict-Transport-Security of https://localhost = %q, want none: its other ports are other programs", got)
	}
	home := func(cookie string) string {
		w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost:8080/", http.NoBody)
		r.Header.Set("Cookie", cookie)
		loopback.handler.ServeHTTP(w, r)
		return w.Body.String()
	}
	value := answered.cookies()["credence"].Value
	if !nameOnHome.MatchString(home("credence=" + value)) {
		t.Error("the cookie of the http issuer signs nobody in")
	}
	if nameOnHome.MatchString(home("__Host-credence=" + value)) {
		t.Error("the http issuer takes a cookie by the name of an https one")
	}

	b := p.browser()
	b.signInAlone(oneRole, "")
	if c := b.post("/logout", nil).cookies()["__Host-credence"]; c == nil || c.MaxAge >= 0 || c.Value != "" || !c.Secure {
		t.Errorf("sign-out sets %v, want the cookie taken away", c)
	}
}

func TestStrangeCookiesAreNobody(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	b.signInAlone(oneRole, "")
	good := b.cookie()
	plain := &browser{t: t, p: p, client: p.httpClient(nil)}
	get := func(path, cookie string) answer {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, issuer+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", cookie)
		return plain.send(r)
	}
	if !nameOnHome.MatchString(get("/", "other=1; __Host-credence="+good).body) {
		t.Fatal("the cookie itself signs nobody in")
	}
	authorize := "/authorize?" + request(confidentialClient, newPKCE()).Encode()
	for name, cookie := range map[string]string{
		"twice":                     "__Host-credence=" + good + "; __Host-credence=" + good,
		"after another of its name": "__Host-credence=tossed; __Host-credence=" + good,
		"before another":            "__Host-credence=" + good + "; __Host-credence=",
		"by another name":           "credence=" + good,
		"in other letters":          "__host-credence=" + good,
		"in lower case":             "__Host-credence=" + strings.ToLower(good),
		"cut":                       "__Host-credence=" + good[:51],
		"longer":                    "__Host-credence=" + good + "A",
		"empty":                     "__Host-credence=",
		"as the browser's":          "__Host-credence-browser=" + good,
		"garbage":                   "__Host-credence=\xff\xfe{}\"'; =; ;;;=x",
		"its hash":                  "__Host-credence=\\x0000",
		"of 10 kB":                  "__Host-credence=" + strings.Repeat("A", 10<<10),
		"a thousand others":         strings.Repeat("__Host-credence=x; ", 1000),
		"SQL":                       "__Host-credence=' OR '1'='1",
	} {
		if a := get("/", cookie); a.StatusCode != http.StatusOK || nameOnHome.MatchString(a.body) {
			t.Errorf("GET / with the cookie %s = %d %s, want 200 and nobody signed in", name, a.StatusCode, text(a.body))
		}
		if a := get(authorize, cookie); a.StatusCode != http.StatusOK || a.path() != "/sign-in" {
			t.Errorf("GET /authorize with the cookie %s = %d %s, want the sign-in page", name, a.StatusCode, text(a.body))
		}
		if a := get("/sign-in/role", cookie); a.StatusCode >= 500 {
			t.Errorf("GET /sign-in/role with the cookie %s = %d, want no failure of ours", name, a.StatusCode)
		}
	}
	if b.home() == "" {
		t.Error("the session ended, want it to live")
	}
}

// The cookie that was there before somebody signed in is worth nothing after: session fixation.
func TestCookieChangesWithEverySignIn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	u, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	planted := strings.Repeat("PLANTED", 7)
	b.client.Jar.SetCookies(u, []*http.Cookie{{Name: "__Host-credence", Value: planted, Path: "/", Secure: true}})
	first := p.signedIn(b, confidentialClient, oneRole)
	before := b.cookie()
	if before == planted || before == "" {
		t.Errorf("cookie after sign-in = %q, want a new one", before)
	}
	thief := p.browser()
	with := func(value string) string {
		thief.client.Jar.SetCookies(u, []*http.Cookie{{Name: "__Host-credence", Value: value, Path: "/", Secure: true}})
		return thief.home()
	}
	if with(planted) != "" {
		t.Error("the planted cookie signs somebody in")
	}

	again := p.signedIn(b, confidentialClient, oneRole, "prompt", "login")
	if b.cookie() == before || with(before) != "" {
		t.Error("the cookie did not change when the same person signed in again, or the old one still works")
	}
	if one, two := claims(t, first.IDToken)["sid"], claims(t, again.IDToken)["sid"]; one != two || one == "" {
		t.Errorf("sid = %v, then %v; want the same for the same person in the same browser", one, two)
	}
	before = b.cookie()
	third := p.signedIn(b, confidentialClient, "656005750109", "prompt", "login")
	if one, two := claims(t, first.IDToken)["sid"], claims(t, third.IDToken)["sid"]; one == two {
		t.Error("sid of another person is that of the first, want another session")
	}
	if with(before) != "" || b.home() != "Nadia Fernwhistle" {
		t.Errorf("home greets %q, and the first person's cookie %q; want Nadia Fernwhistle and nobody", b.home(), with(before))
	}
	if a, _ := p.userinfo(first.AccessToken); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo with the first person's token = %d, want 401: that session ended", a.StatusCode)
	}
	if a, _ := p.userinfo(third.AccessToken); a.StatusCode != http.StatusOK {
		t.Errorf("userinfo with the second person's token = %d, want 200", a.StatusCode)
	}
	if diff := cmp.Diff([]string{"session_ended"}, p.audited("session_ended")); diff != "" {
		t.Errorf("audited (-want +got):\n%s", diff)
	}
}

func TestSessionLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method         string
		idle, absolute time.Duration
	}{
		{"smartcard", 15 * time.Minute, 12 * time.Hour},
		{"security-key", 15 * time.Minute, 12 * time.Hour},
		{"passkey", time.Hour, 24 * time.Hour},
		{"totp", time.Hour, 24 * time.Hour},
		{"password", time.Hour, 24 * time.Hour},
	} {
		t.Run(tt.method, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			b := p.browser()
			signedIn := func() bool {
				a := b.authorize(request(confidentialClient, newPKCE()))
				return a.path() == "/authorize" && a.redirect(t).Has("code")
			}
			b.signInAlone(oneRole, tt.method)
			p.clock.advance(tt.idle - time.Second)
			if b.home() == "" {
				t.Errorf("a second before %v idle nobody is signed in", tt.idle)
			}
			p.clock.advance(2 * time.Second) // looking at the home page put nothing off
			if b.home() != "" || signedIn() {
				t.Errorf("after %v idle somebody is signed in", tt.idle)
			}

			b.signInAlone(oneRole, tt.method)
			began := p.clock.Now()
			for p.clock.Now().Sub(began)+tt.idle*3/4 < tt.absolute {
				p.clock.advance(tt.idle * 3 / 4)
				if !signedIn() {
					t.Fatalf("%v after the sign-in nobody is signed in, though something was asked every %v", p.clock.Now().Sub(began), tt.idle*3/4)
				}
			}
			p.clock.advance(tt.absolute - p.clock.Now().Sub(began) - time.Second)
			if !signedIn() {
				t.Errorf("a second before %v nobody is signed in", tt.absolute)
			}
			p.clock.advance(2 * time.Second)
			if b.home() != "" || signedIn() {
				t.Errorf("%v after the sign-in somebody is signed in", tt.absolute)
			}
			if b.signInAlone(oneRole, tt.method); b.home() == "" {
				t.Error("nobody is signed in after signing in again")
			}
		})
	}
}

func TestSignOutEverywhere(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	desk, tablet, other := p.browser(), p.browser(), p.browser()
	desk.signInAlone(oneRole, "")
	tablet.signInAlone(oneRole, "")
	other.signInAlone(twoRoles, "")

	if page := desk.get("/"); !strings.Contains(page.body, `action="/logout"`) || !strings.Contains(page.body, `action="/logout?everywhere=1"`) {
		t.Errorf("home offers no way out: %s", text(page.body))
	}
	cookie := desk.cookie()
	if a := desk.rest(desk.post("/logout", nil)); a.path() != "/logout" || !strings.Contains(a.body, "You have signed out") {
		t.Errorf("sign-out leads to %s %s, want the page that says so", a.path(), text(a.body))
	}
	replay := p.browser()
	u, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	replay.client.Jar.SetCookies(u, []*http.Cookie{{Name: "__Host-credence", Value: cookie, Path: "/", Secure: true}})
	for _, b := range []*browser{desk, desk.at(q), replay, replay.at(q)} {
		if b.home() != "" {
			t.Error("somebody is signed in after signing out")
		}
	}
	if tablet.home() == "" {
		t.Fatal("signing out at the desk ended the session of the tablet")
	}

	desk.signInAlone(oneRole, "")
	desk.rest(desk.post("/logout?everywhere=1", nil))
	for name, b := range map[string]*browser{"desk": desk, "tablet": tablet, "tablet, seen by the other process": tablet.at(q)} {
		if b.home() != "" {
			t.Errorf("%s: somebody is signed in after signing out everywhere", name)
		}
	}
	if other.at(q).home() == "" {
		t.Error("signing out everywhere ended somebody else's session")
	}
	tablet.signInAlone(oneRole, "")
	if tablet.at(q).home() == "" {
		t.Error("nobody is signed in after signing in again")
	}
}

// A disabled person has no access a moment longer, and has to sign in anew when enabled again.
func TestDisabledPersonLosesTheSession(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	b := p.browser()
	tokens := p.signedIn(b, confidentialClient, oneRole, "scope", "openid offline_access")
	page := b.authorize(request(confidentialClient, newPKCE(), "prompt", "login"))
	if err := directory.DisablePerson(t.Context(), p.owner, oneRole, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	gone := func(when string) {
		t.Helper()
		for _, b := range []*browser{b, b.at(q)} {
			if b.home() != "" {
				t.Errorf("%s: home greets %q, want nobody", when, b.home())
			}
			if a := b.authorize(request(confidentialClient, newPKCE())); a.path() != "/sign-in" {
				t.Errorf("%s: authorization leads to %s, want the sign-in page", when, a.path())
			}
			if got := b.authorize(request(confidentialClient, newPKCE(), "prompt", "none")).redirect(t).Get("error"); got != "login_required" {
				t.Errorf("%s: prompt=none = %q, want login_required", when, got)
			}
		}
		if a, _ := q.userinfo(tokens.AccessToken); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: userinfo = %d, want 401", when, a.StatusCode)
		}
	}
	gone("disabled")
	if a := b.post("/sign-in/simulated?"+page.address().RawQuery, url.Values{"username": {oneRole}}); a.StatusCode != http.StatusBadRequest {
		t.Errorf("sign-in of a disabled person = %d, want 400", a.StatusCode)
	}
	if err := directory.EnablePerson(t.Context(), p.owner, oneRole, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	gone("enabled again")
	if got := p.as(confidentialClient, refresh(tokens.RefreshToken)); got.status != http.StatusBadRequest || got.Error != "invalid_grant" {
		t.Errorf("refresh after that = %d %s, want 400 invalid_grant", got.status, got.Error)
	}
	if a := b.simulate(page, oneRole, ""); a.redirect(t).Get("code") == "" || b.home() == "" {
		t.Errorf("sign-in after that leads to %s, want a code", a.Header.Get("Location"))
	}
}
