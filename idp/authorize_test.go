package idp_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/keys"
	"github.com/credence-id/credence/idp/oauth"
)

// wantNowhere fails unless an answer is an error page that leads nowhere and repeats nothing of what was sent.
func (a answer) wantNowhere(t *testing.T, code string) {
	t.Helper()
	if a.StatusCode != http.StatusBadRequest || a.Header.Get("Location") != "" || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		t.Errorf("authorize = %d %s to %q, want a page that leads nowhere", a.StatusCode, a.Header.Get("Content-Type"), a.Header.Get("Location"))
	}
	if !strings.Contains(a.body, code) || strings.Contains(a.body, "evil") || strings.Contains(a.body, "http-equiv") {
		t.Errorf("the page does not name %s, or repeats what was sent: %s", code, text(a.body))
	}
}

// RFC 6749, Section 3.1.2.4: "If an authorization request fails validation due to a missing, invalid, or mismatching
// redirection URI, the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically
// redirect the user-agent to the invalid redirection URI." RFC 9700, Section 2.1: addresses are compared by "exact string
// matching except for port numbers in localhost redirection URIs of native apps".
func TestOnlyARegisteredRedirectURILeadsAnywhere(t *testing.T) { //nolint:tparallel // the subtests run in turn: they share a browser
	t.Parallel()
	p := newProvider(t)
	const (
		tlsClient = "tls-loopback" // registers https on the loopback address, which is no native app
		ipv6      = "ipv6-app"
		named     = "named-loopback"
		twoURIs   = "two-addresses"
		ownScheme = "own-scheme"
	)
	for id, uris := range map[string][]string{
		tlsClient: {"https://127.0.0.1/callback"}, ipv6: {"http://[::1]/callback"}, named: {"http://localhost:8000/callback"},
		twoURIs: {"https://rp.example.org/a", "https://rp.example.org/b"}, ownScheme: {"org.example.app:/callback"},
	} {
		r := oauth.Registration{ID: id, Name: id, Authentication: oauth.AuthNone, Scopes: oauth.Scopes(), RedirectURIs: uris}
		if err := oauth.EnsureClient(t.Context(), p.owner, r, "", "test", p.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	for client, uris := range map[string][]string{
		confidentialClient: {
			"https://rp.example.org.evil.example/callback?kept=1", "https://evil-rp.example.org/callback?kept=1", "https://x.rp.example.org/callback?kept=1",
			"https://example.org/callback?kept=1", "https://rp.example.org./callback?kept=1", "https://rp.example.org:443/callback?kept=1",
			"https://rp.example.org:8443/callback?kept=1", "https://rp.example.org:/callback?kept=1", "https://rp.example.org//callback?kept=1",
			"https://rp.example.org/callback/?kept=1", "https://rp.example.org/callback/../callback?kept=1", "https://rp.example.org/./callback?kept=1",
			"https://rp.example.org/callback/%2e%2e/callback?kept=1", "https://rp.example.org/x/..;/callback?kept=1", "https://rp.example.org/callback%2f?kept=1",
			"https://rp.example.org/%63allback?kept=1", "https://rp.example.org/%2563allback?kept=1", "https://rp.example.org/callback%00?kept=1",
			"https://rp.example.org/callback", "https://rp.example.org/callback?", "https://rp.example.org/callback?kept=2",
			"https://rp.example.org/callback?kept=1&more=1", "https://rp.example.org/callback?more=1&kept=1", "https://rp.example.org/callback?kept=%31",
			"https://rp.example.org/callback?kept=1#", "https://rp.example.org/callback?kept=1#evil", "https://rp.example.org/callback#?kept=1",
			"https://evil@rp.example.org/callback?kept=1", "https://rp.example.org@evil.example/callback?kept=1", "https://rp.example.org:443@evil.example/callback?kept=1",
			`https://rp.example.org\@evil.example/callback?kept=1`, `https://evil.example\.rp.example.org/callback?kept=1`, `https:\\rp.example.org\callback?kept=1`,
			"https://rp.example.org/callback?kept=1 ", " https://rp.example.org/callback?kept=1", "https://rp.example.org/call back?kept=1",
			"HTTPS://rp.example.org/callback?kept=1", "https://RP.example.org/callback?kept=1", "https://rp.example.org/Callback?kept=1",
			"http://rp.example.org/callback?kept=1", "//rp.example.org/callback?kept=1", "/callback?kept=1", "callback", "?kept=1", "https:rp.example.org/callback?kept=1",
			"https:///rp.example.org/callback?kept=1", "https://rp.example。org/callback?kept=1", "https://rр.example.org/callback?kept=1", "https://xn--r-jtb.example.org/callback?kept=1",
			"javascript:alert(1)", "JaVaScRiPt:alert(1)//evil", "data:text/html,evil", "vbscript:evil", "file:///etc/passwd", "about:blank", "urn:ietf:wg:oauth:2.0:oob",
			"null", "*", "https://*", "https://rp.example.org/*", signedOut, loopback, "http://127.0.0.1:5000/callback", "http://localhost/callback",
			callback + "," + callback, callback + " " + callback, strings.Repeat("a", 4000),
		},
		publicClient: {
			"http://localhost/callback", "http://localhost:5000/callback", "http://[::1]/callback", "http://[::1]:5000/callback", "https://127.0.0.1/callback",
			"https://127.0.0.1:5000/callback", "http://127.0.0.1:65536/callback", "http://127.0.0.1:-1/callback", "http://127.0.0.1:/callback", "http://127.0.0.1:5000:5001/callback",
			"http://127.0.0.1:5000/", "http://127.0.0.1:5000", "http://127.0.0.1:5000/callback/", "http://127.0.0.1:5000/callback?more=1", "http://127.0.0.1:5000/callback#f",
			"http://127.0.0.1:5000/x/../callback", "http://127.0.0.1:5000//callback", "http://127.0.0.1:5000/Callback", "http://127.0.0.1:5000/%63allback",
			"http://127.0.0.1@evil.example/callback", "http://127.0.0.1:5000@evil.example/callback", "http://evil@127.0.0.1:5000/callback", "http://127.0.0.1.evil.example/callback",
			`http://127.0.0.1:5000\@evil.example/callback`, `http://127.0.0.1\callback`, "http://127.1/callback", "http://127.0.0.2/callback", "http://0.0.0.0/callback",
			"http://2130706433/callback", "http://0x7f.0.0.1/callback", "http://0177.0.0.1/callback", "http://127.0.0.1./callback", "HTTP://127.0.0.1/callback",
			"http://127.0.0.1:5000/callback\t", "http://[::ffff:127.0.0.1]/callback", "http://１27.0.0.1/callback", "ftp://127.0.0.1:5000/callback",
		},
		tlsClient: {"http://127.0.0.1/callback", "http://127.0.0.1:5000/callback", "https://127.0.0.1:5000/callback", "https://127.0.0.1:443/callback"},
		ipv6:      {"http://127.0.0.1/callback", "http://[::1%25lo]/callback", "http://[0:0:0:0:0:0:0:1]/callback", "http://::1/callback", "http://[::1]:99999/callback", "http://[::2]/callback"},
		named:     {"http://localhost/callback", "http://localhost:8001/callback", "http://127.0.0.1:8000/callback", "http://LOCALHOST:8000/callback"},
		twoURIs:   {"https://rp.example.org/", "https://rp.example.org/c", "https://rp.example.org/a,https://rp.example.org/b"},
		ownScheme: {"org.example.app://callback", "org.example.app:callback", "org.example.app:/callback/", "Org.Example.App:/callback", "org.example.apps:/callback"},
	} {
		b := p.browser()
		for _, uri := range uris {
			t.Run(client+" does not have "+uri, func(t *testing.T) {
				q := request(client, newPKCE())
				q.Set("redirect_uri", uri)
				b.get("/authorize?"+q.Encode()).wantNowhere(t, "invalid_request")
			})
		}
		q := request(client, newPKCE())
		q.Del("redirect_uri") // of a client with one address, too
		b.get("/authorize?"+q.Encode()).wantNowhere(t, "invalid_request")
		q.Set("redirect_uri", "")
		b.get("/authorize?"+q.Encode()).wantNowhere(t, "invalid_request")
	}
	b := p.browser()
	q := request(confidentialClient, newPKCE()).Encode()
	for _, twice := range []string{"redirect_uri=" + url.QueryEscape(callback), "redirect_uri=https://evil.example/", "redirect_uri=", "client_id=" + otherClient, "client_id=" + confidentialClient} {
		b.get("/authorize?"+q+"&"+twice).wantNowhere(t, "invalid_request")
		b.get("/authorize?"+twice+"&"+q).wantNowhere(t, "invalid_request")
	}

	// The twins.
	for client, uris := range map[string][]string{
		confidentialClient: {callback},
		publicClient:       {loopback, "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback"},
		tlsClient:          {"https://127.0.0.1/callback"},
		ipv6:               {"http://[::1]/callback", "http://[::1]:5000/callback"},
		named:              {"http://localhost:8000/callback"},
		twoURIs:            {"https://rp.example.org/a", "https://rp.example.org/b"},
		ownScheme:          {"org.example.app:/callback"},
	} {
		for _, uri := range uris {
			location := b.enter(request(client, newPKCE(), "redirect_uri", uri), oneRole, "").Header.Get("Location")
			rest, ok := strings.CutPrefix(location, uri)
			if separator := map[bool]string{true: "&", false: "?"}[strings.Contains(uri, "?")]; !ok || !strings.HasPrefix(rest, separator+"code=") {
				t.Errorf("the answer for %s leads to %s", uri, location)
			}
		}
	}
}

func TestAnUnknownClientLeadsNowhere(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	for _, id := range []string{"", "nobody-at-all", "WARD-SYSTEM", "ward-system ", strings.Repeat("evil", 100), "<script>evil</script>", "'; DROP TABLE client; --"} {
		q := request(confidentialClient, newPKCE())
		q.Set("client_id", id)
		b.get("/authorize?"+q.Encode()).wantNowhere(t, "unauthorized_client")
	}
	b.code(request(confidentialClient, newPKCE()), oneRole)
}

// RFC 6749, Section 4.1.2.1: every other mistake is told to the client, with a registered code and, "REQUIRED if a "state"
// parameter was present in the client authorization request", the state. RFC 9207, Section 2: with the issuer, too.
func TestMistakesAreToldToTheClient(t *testing.T) { //nolint:tparallel // the subtests run in turn: they share a browser
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	b.code(request(confidentialClient, newPKCE()), oneRole)
	for name, tt := range map[string]struct {
		changes []string
		code    string
	}{
		"no response_type":            {[]string{"response_type", ""}, "invalid_request"},
		"response_type token":         {[]string{"response_type", "token"}, "unsupported_response_type"}, // RFC 9700, Section 2.1.2
		"response_type id_token":      {[]string{"response_type", "id_token"}, "unsupported_response_type"},
		"response_type code id_token": {[]string{"response_type", "code id_token"}, "unsupported_response_type"},
		"response_type code token":    {[]string{"response_type", "code token"}, "unsupported_response_type"},
		"response_type none":          {[]string{"response_type", "none"}, "unsupported_response_type"},
		"response_type Code":          {[]string{"response_type", "Code"}, "unsupported_response_type"},
		"response_type code code":     {[]string{"response_type", "code code"}, "unsupported_response_type"},
		"response_mode fragment":      {[]string{"response_mode", "fragment"}, "invalid_request"},
		"response_mode form_post":     {[]string{"response_mode", "form_post"}, "invalid_request"},
		"response_mode web_message":   {[]string{"response_mode", "web_message"}, "invalid_request"},
		// OpenID Connect Core 1.0, Section 6.1 and 6.2: a provider without request objects MUST return these.
		"a request object":               {[]string{"request", "eyJhbGciOiJub25lIn0.e30."}, "request_not_supported"},
		"a request object by address":    {[]string{"request_uri", "https://evil.example/request"}, "request_uri_not_supported"},
		"a pushed request":               {[]string{"request_uri", "urn:ietf:params:oauth:request_uri:x"}, "request_uri_not_supported"},
		"a registration":                 {[]string{"registration", "{}"}, "registration_not_supported"},
		"no scope":                       {[]string{"scope", ""}, "invalid_scope"},
		"a scope of spaces":              {[]string{"scope", "  "}, "invalid_scope"},
		"an unknown scope":               {[]string{"scope", "openid admin"}, "invalid_scope"},
		"a scope in another case":        {[]string{"scope", "OpenID"}, "invalid_scope"},
		"scopes that commas separate":    {[]string{"scope", "openid,profile"}, "invalid_scope"},
		"a scope with a quotation":       {[]string{"scope", `openid "profile"`}, "invalid_scope"},
		"a thousand scopes":              {[]string{"scope", "openid" + strings.Repeat(" x", 1000)}, "invalid_scope"},
		"prompt none beside another":     {[]string{"prompt", "none login"}, "invalid_request"}, // OpenID Connect Core 1.0, Section 3.1.2.1: "an error is returned"
		"prompt none twice":              {[]string{"prompt", "none none"}, "invalid_request"},
		"an unknown prompt":              {[]string{"prompt", "evil"}, "invalid_request"},
		"a prompt in another case":       {[]string{"prompt", "None"}, "invalid_request"},
		"max_age -1":                     {[]string{"max_age", "-1"}, "invalid_request"},
		"max_age 300.0":                  {[]string{"max_age", "300.0"}, "invalid_request"},
		"max_age 1e3":                    {[]string{"max_age", "1e3"}, "invalid_request"},
		"max_age +1":                     {[]string{"max_age", "+1"}, "invalid_request"},
		"max_age 10^30":                  {[]string{"max_age", "1" + strings.Repeat("0", 30)}, "invalid_request"},
		"max_age of text":                {[]string{"max_age", "%!s(int64=300)"}, "invalid_request"},
		"a hint that is no token":        {[]string{"id_token_hint", "evil"}, "invalid_request"},
		"a state of 2049":                {[]string{"state", strings.Repeat("s", 2049)}, "invalid_request"},
		"a nonce of 1025":                {[]string{"nonce", strings.Repeat("n", 1025)}, "invalid_request"},
		"two mistakes":                   {[]string{"prompt", "evil", "id_token_hint", "evil", "code_challenge", ""}, "invalid_request"},
		"a mistake without a state":      {[]string{"scope", "", "state", ""}, "invalid_scope"},
		"a mistake with a strange state": {[]string{"scope", "", "state", `a&b=c#d?e "f" <g> %00 é`}, "invalid_scope"},
	} {
		t.Run(name, func(t *testing.T) {
			q := request(confidentialClient, newPKCE(), tt.changes...)
			a := b.get("/authorize?" + q.Encode())
			got := a.redirect(t)
			if got.Get("error") != tt.code || got.Has("code") || got.Get("iss") != issuer || got.Get("state") != q.Get("state") || got.Has("state") != q.Has("state") {
				t.Errorf("authorize answers %v, want %s with state %q", got, tt.code, q.Get("state"))
			}
			if got.Get("kept") != "1" || !strings.HasPrefix(a.Header.Get("Location"), callback+"&") {
				t.Errorf("the answer leads to %s, want %s", a.Header.Get("Location"), callback)
			}
			if d := got.Get("error_description"); d == "" || strings.ContainsAny(d, "\"\\\n") || strings.Contains(d, "evil") {
				t.Errorf("error_description = %q, want a constant of ours", d)
			}
			if cache := a.Header.Get("Cache-Control"); cache != "no-store" {
				t.Errorf("Cache-Control = %q, want no-store", cache)
			}
		})
	}
	// RFC 6749, Section 3.1: "Request and response parameters MUST NOT be included more than once."
	for _, name := range []string{"response_type", "scope", "state", "nonce", "code_challenge", "code_challenge_method", "prompt", "max_age", "unknown"} {
		q := request(confidentialClient, newPKCE(), "prompt", "login", "max_age", "1", "unknown", "x")
		got := b.get("/authorize?" + q.Encode() + "&" + name + "=" + url.QueryEscape(q.Get(name))).redirect(t)
		if got.Get("error") != "invalid_request" || got.Has("code") || got.Has("state") != (name != "state") {
			t.Errorf("authorize with two %s answers %v, want invalid_request", name, got)
		}
	}
}

// What is not text is not looked at further, and leads nowhere: it could not be given back unmangled.
func TestWhatIsNotTextLeadsNowhere(t *testing.T) { //nolint:tparallel // the subtests run in turn: they share a browser
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	q := request(confidentialClient, newPKCE()).Encode()
	for name, more := range map[string]string{
		"a NUL": "&x=%00", "a line break": "&x=a%0d%0aSet-Cookie:evil", "an invalid byte": "&x=%ff", "an overlong slash": "&x=%c0%af", "half a surrogate": "&x=%ed%a0%80",
		"a broken escape": "&x=%zz", "an unfinished escape": "&x=%", "a semicolon": ";x=y", "a name with a NUL": "&%00=x", "100 kB": "&x=" + strings.Repeat("evil", 25_000),
	} {
		t.Run(name, func(t *testing.T) { b.get("/authorize?"+q+more).wantNowhere(t, "invalid_request") })
	}
	if a := b.get("/authorize?" + q); a.StatusCode != http.StatusOK || a.path() != "/sign-in" {
		t.Errorf("authorize without them = %d %s, want the sign-in page", a.StatusCode, text(a.body))
	}
}

// OpenID Connect Core 1.0, Section 3.1.2.1 and RFC 6749, Section 3.1: "The authorization server MUST ignore unrecognized
// request parameters." What we know and do not use is read past as well; parameters without a value count as absent.
func TestWhatIsReadPast(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	b.code(request(confidentialClient, newPKCE()), oneRole)
	for name, value := range map[string]string{
		"ui_locales": "../../../etc/passwd", "claims_locales": "cy en", "display": "popup", "acr_values": "AAL9_NEVER AAL3_ANY", "claims": `{"id_token":{"acr":{"values":["AAL9"]}}}`,
		"login_hint": "<script>alert(1)</script>", "unknown": "value", "resource": "https://api.example.org", "asked": "evil", "response_mode": "query", "prompt": "consent",
		"client_secret": "", "request": "", "request_uri": "", "registration": "", "max_age": "", "id_token_hint": "", "nonce": "", "code": "evil", "iss": "https://evil.example",
		"error": "access_denied", "vtr": `["P2"]`, "dpop_jkt": "x", "authorization_details": "[]",
	} {
		q := request(confidentialClient, newPKCE())
		q.Set(name, value)
		got := b.authorize(q).redirect(t)
		if !got.Has("code") || got.Get("code") == "evil" || got.Get("iss") != issuer || len(got["code"]) != 1 || got.Has("error") {
			t.Errorf("authorize with %s = %q answers %v, want a code", name, value, got)
		}
	}
	// The order of parameters and of scopes means nothing.
	q := request(confidentialClient, newPKCE(), "scope", "profile openid")
	pairs := strings.Split(q.Encode(), "&")
	slices.Reverse(pairs)
	if got := b.rest(b.get("/authorize?" + strings.Join(pairs, "&"))).redirect(t); !got.Has("code") {
		t.Errorf("authorize in another order answers %v, want a code", got)
	}
	hint := p.browser().authorize(request(confidentialClient, newPKCE(), "login_hint", `"><script>alert(1)</script>`))
	if hint.path() != "/sign-in" || strings.Contains(hint.body, "<script>alert") {
		t.Errorf("the sign-in page has the hint as it came: %s", hint.body)
	}
}

// RFC 6749, Section 4.1.2: state is "The exact value received from the client." OpenID Connect Core 1.0, Section 3.1.2.1: the
// nonce "is passed through unmodified from the Authentication Request to the ID Token."
func TestStateAndNonceComeBackAsTheyWere(t *testing.T) { //nolint:tparallel // the subtests run in turn: they share a browser
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	for name, value := range map[string]string{
		"one character": "x", "384 characters": strings.Repeat("0123456789abcdef", 24), "punctuation": `!"#$%&'()*+,-./:;<=>?@[\]^_{|}~` + "`", "an encoded text": "%26%00+%2B",
		"text of the world": "Ωμέγα 鍵 🗝️", "an address": "https://rp.example.org/?a=b&c=d#e", "JSON": `{"a":[1,"</script>"]}`, "spaces": "  a  b  ", "1024 characters": strings.Repeat("n", 1024),
		"nothing": "",
	} {
		t.Run(name, func(t *testing.T) {
			p, k := p.in(t), newPKCE()
			asked := request(confidentialClient, k, "state", value, "nonce", value)
			fresh := p.browser().enter(asked, oneRole, "").redirect(t) // by way of the sign-in page
			silent := b.enter(asked, oneRole, "").redirect(t)
			for _, got := range []url.Values{fresh, silent} {
				if got.Get("state") != value || got.Has("state") != (value != "") {
					t.Errorf("state = %q, want %q", got.Get("state"), value)
				}
				issued := p.as(confidentialClient, redeem(confidentialClient, got.Get("code"), k))
				issued.granted(t)
				if nonce, _ := claims(t, issued.IDToken)["nonce"].(string); nonce != value {
					t.Errorf("nonce = %q, want %q", nonce, value)
				}
			}
		})
	}
}

// OpenID Connect Core 1.0, Section 3.1.2.1, prompt none: "The Authorization Server MUST NOT display any authentication or
// consent user interface pages."
func TestPromptNoneShowsNoPage(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	silent := func(b *browser, client string, changes ...string) url.Values {
		t.Helper()
		return b.get("/authorize?" + request(client, newPKCE(), append(changes, "prompt", "none")...).Encode()).redirect(t)
	}
	want := func(what string, got url.Values, code string) {
		t.Helper()
		if got.Get("error") != code || got.Has("code") == (code != "") || got.Get("state") != "a state" || got.Get("iss") != issuer {
			t.Errorf("%s: authorize answers %v, want %q", what, got, code)
		}
	}
	want("nobody", silent(p.browser(), confidentialClient), "login_required")

	b := p.browser()
	b.code(request(confidentialClient, newPKCE()), oneRole)
	want("somebody", silent(b, confidentialClient), "")
	want("somebody, for another client", silent(b, otherClient), "")
	want("somebody who signed in just now", silent(b, confidentialClient, "max_age", "60"), "")
	p.clock.advance(2 * time.Minute)
	want("somebody who signed in too long ago", silent(b, confidentialClient, "max_age", "60"), "login_required")
	want("somebody who signed in too long ago for max_age 0", silent(b, confidentialClient, "max_age", "0"), "login_required")
	want("somebody who has no other role to change to", silent(b, confidentialClient, "scope", "openid changedrole"), "")
	p.clock.advance(15 * time.Minute)
	want("somebody who idled", silent(b, confidentialClient), "login_required")

	b = p.browser()
	b.simulate(b.get("/sign-in"), twoRoles, "")
	want("somebody who has not chosen a role", silent(b, confidentialClient), "interaction_required")
	b.enter(request(confidentialClient, newPKCE()), twoRoles, "656014452101")
	want("somebody who has chosen a role", silent(b, otherClient), "")
	want("somebody who should choose again", silent(b, confidentialClient, "scope", "openid changedrole"), "interaction_required")
	if err := directory.EndRole(t.Context(), p.owner, "656014452101", "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	want("somebody whose role has ended", silent(b, confidentialClient), "interaction_required")

	b = p.browser()
	b.enter(request(confidentialClient, newPKCE()), noRole, "")
	want("somebody without a role", silent(b, confidentialClient), "")
	want("somebody without a role, where one is required", silent(b, otherClient), "interaction_required")

	b = p.browser()
	b.code(request(confidentialClient, newPKCE()), hospitalDoctor)
	if err := directory.DisablePerson(t.Context(), p.owner, hospitalDoctor, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	want("somebody who was disabled", silent(b, confidentialClient), "login_required")
}

// OpenID Connect Core 1.0, Section 3.1.2.1, max_age: "If the elapsed time is greater than this value, the OP MUST attempt to
// actively re-authenticate the End-User", and login: "The Authorization Server SHOULD prompt the End-User for
// reauthentication." A sign-in that was made for the request satisfies it, so that nobody goes in circles.
func TestAFreshSignInIsAskedForOnce(t *testing.T) { //nolint:tparallel // the subtests run in turn: they move the clock
	t.Parallel()
	p := newProvider(t)
	for name, tt := range map[string]struct {
		changes []string
		asks    bool
	}{
		"prompt login":               {[]string{"prompt", "login"}, true},
		"prompt select_account":      {[]string{"prompt", "select_account"}, true},
		"prompt login consent":       {[]string{"prompt", "login consent"}, true},
		"prompt login twice":         {[]string{"prompt", "login login"}, true},
		"prompt consent":             {[]string{"prompt", "consent"}, false}, // by policy
		"max_age 0":                  {[]string{"max_age", "0"}, true},
		"max_age 1":                  {[]string{"max_age", "1"}, true},
		"max_age 10000":              {[]string{"max_age", "10000"}, false},
		"max_age 0 and prompt":       {[]string{"max_age", "0", "prompt", "login"}, true},
		"the longest max_age":        {[]string{"max_age", "999999999"}, false},
		"neither prompt nor max_age": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			p := p.in(t)
			b := p.browser()
			authTime := func(a answer, k pkce) float64 {
				got := p.as(confidentialClient, redeem(confidentialClient, a.redirect(t).Get("code"), k))
				got.granted(t)
				return claims(t, got.IDToken)["auth_time"].(float64)
			}
			k := newPKCE()
			first := authTime(b.enter(request(confidentialClient, k), oneRole, ""), k)
			for range 2 { // the second time it asks anew
				p.clock.advance(10 * time.Second)
				a := b.authorize(request(confidentialClient, k, tt.changes...))
				if asked := a.path() == "/sign-in"; asked != tt.asks {
					t.Fatalf("authorize leads to %s, asks = %v, want %v", a.path(), asked, tt.asks)
				}
				if tt.asks {
					p.clock.advance(2 * time.Second) // longer than max_age, while she signs in
					a = b.simulate(a, oneRole, "")
					p.clock.advance(2 * time.Second)
				}
				now := authTime(a, k)
				if (now > first) != tt.asks {
					t.Errorf("auth_time = %v after %v, want a new one: %v", now, first, tt.asks)
				}
				first = now
			}
			// Who goes on in another way than by signing in is not let through.
			if tt.asks {
				k := newPKCE()
				q := request(confidentialClient, k, tt.changes...)
				p.clock.advance(10 * time.Second)
				if a := b.authorize(q); a.path() != "/sign-in" {
					t.Errorf("authorize leads to %s, want the sign-in page", a.path())
				}
				for _, asked := range []string{"", "x", "AAAA", strings.Repeat("A", 200)} {
					if a := b.rest(b.get("/authorize?" + q.Encode() + "&asked=" + asked)); a.path() != "/sign-in" {
						t.Errorf("authorize with asked=%s leads to %s, want the sign-in page", asked, a.path())
					}
				}
			}
		})
	}
}

// OpenID Connect Core 1.0, Section 3.1.2.1, select_account: the person may be anybody.
func TestAnotherPersonMaySignInWhenAsked(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, k := p.browser(), newPKCE()
	b.code(request(confidentialClient, k), oneRole)
	a := b.authorize(request(confidentialClient, k, "prompt", "select_account"))
	got := p.as(confidentialClient, redeem(confidentialClient, b.simulate(a, hospitalDoctor, "").redirect(t).Get("code"), k))
	if sub := claims(t, got.IDToken)["sub"]; sub != hospitalDoctor {
		t.Errorf("sub = %v, want %s", sub, hospitalDoctor)
	}
}

// OpenID Connect Core 1.0, Section 3.1.2.1, id_token_hint: "If the End-User identified by the ID Token is already logged in
// or is logged in as a result of the request [...] then the Authorization Server returns a positive response; otherwise, it
// MUST return an error, such as login_required."
func TestAHintNamesWhoIsMeant(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	mine := p.signedIn(b, confidentialClient, passkeyDoctor).IDToken // AAL2: an hour idle
	theirs := p.signedIn(p.browser(), publicClient, hospitalDoctor).IDToken
	silent := func(hint string) url.Values {
		t.Helper()
		return b.authorize(request(confidentialClient, newPKCE(), "prompt", "none", "id_token_hint", hint)).redirect(t)
	}
	if got := silent(mine); !got.Has("code") {
		t.Errorf("with a hint of hers: %v, want a code", got)
	}
	if got := silent(theirs); got.Get("error") != "login_required" {
		t.Errorf("with a hint of somebody else: %v, want login_required", got)
	}

	// With a page, whoever is meant can sign in; anybody else is told to the client.
	asked := request(confidentialClient, newPKCE(), "id_token_hint", theirs)
	page := b.authorize(asked)
	if got := b.simulate(page, oneRole, "").redirect(t); got.Get("error") != "login_required" || got.Has("code") {
		t.Errorf("somebody else signed in than was meant: %v, want login_required", got)
	}
	if got := b.simulate(b.authorize(asked), hospitalDoctor, "").redirect(t); !got.Has("code") {
		t.Errorf("who was meant signed in: %v, want a code", got)
	}

	// The hint says who was meant, not who is there: it may have expired, and its key may have a successor.
	b = p.browser()
	mine = p.signedIn(b, confidentialClient, passkeyDoctor).IDToken
	p.clock.advance(50 * time.Minute)
	if _, err := keys.New(p.owner, p.key, p.clock.Now, nil).Rotate(t.Context(), "test"); err != nil {
		t.Fatal(err)
	}
	b.code(request(confidentialClient, newPKCE()), passkeyDoctor)
	p.clock.advance(40 * time.Minute)
	if got := silent(mine); !got.Has("code") {
		t.Errorf("with an expired hint, after rotation: %v, want a code", got)
	}
}

// OpenID Connect Core 1.0, Section 3.1.2.1: "Authorization Servers MUST support the use of the HTTP GET and POST methods
// [...] at the Authorization Endpoint." A posted request becomes the same request as GET, with 303 (RFC 9700, Section 4.12:
// "the authorization server MUST NOT use the HTTP 307 status code").
func TestAPostedRequest(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, k := p.browser(), newPKCE()
	b.code(request(confidentialClient, k), oneRole)
	q := request(confidentialClient, k, "state", "a & b")
	post := func(form, contentType string) answer {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, issuer+"/authorize", strings.NewReader(form))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("Sec-Fetch-Site", "cross-site") // from the client's own page
		r.Header.Set("Origin", "https://rp.example.org")
		return b.send(r)
	}
	a := post(q.Encode(), formType)
	location, err := url.Parse(a.Header.Get("Location"))
	if err != nil || a.StatusCode != http.StatusSeeOther || location.Host != "" || location.Path != "/authorize" || location.Query().Encode() != q.Encode() {
		t.Fatalf("POST /authorize = %d to %s, want 303 to the same request", a.StatusCode, a.Header.Get("Location"))
	}
	if got := b.rest(a).redirect(t); !got.Has("code") || got.Get("state") != "a & b" {
		t.Errorf("a posted request is answered %v, want a code", got)
	}
	post("{}", "application/json").wantNowhere(t, "invalid_request")
	post(q.Encode()+"&client_id=x", formType).wantNowhere(t, "invalid_request")
	post(q.Encode()+"&x=%00", formType).wantNowhere(t, "invalid_request")
	post(q.Encode()+"&x="+strings.Repeat("evil", 25_000), formType).wantNowhere(t, "invalid_request")
	b.rest(post(q.Encode()+"&x="+strings.Repeat("evil", 5_000), formType)).wantNowhere(t, "invalid_request")
}

// RFC 6749, Section 4.1.2.1, access_denied: who gives up goes back to the client, with its state.
func TestWhoGivesUpGoesBack(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for _, username := range []string{"", twoRoles} {
		b := p.browser()
		a := b.authorize(request(confidentialClient, newPKCE()))
		if username != "" {
			a = b.simulate(a, username, "")
		}
		got := b.rest(b.post(a.path()+"?"+a.address().RawQuery, url.Values{"cancel": {""}})).redirect(t)
		if got.Get("error") != "access_denied" || got.Get("state") != "a state" || got.Get("iss") != issuer || got.Has("code") {
			t.Errorf("giving up on %s answers %v, want access_denied", a.path(), got)
		}
	}
}

// A client that needs a role gets nobody without one.
func TestARequiredRole(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for _, username := range []string{noRole, expiredRole} {
		b := p.browser()
		a := b.enter(request(otherClient, newPKCE()), username, "")
		if a.Header.Get("Location") != "" || a.StatusCode != http.StatusForbidden {
			t.Errorf("a person without a role gets %d to %q", a.StatusCode, a.Header.Get("Location"))
		}
		if a := b.authorize(request(otherClient, newPKCE())); a.path() != "/sign-in/role" {
			t.Errorf("a second request leads to %s, want the role page", a.path())
		}
		if got := b.enter(request(confidentialClient, newPKCE()), username, "").redirect(t); !got.Has("code") {
			t.Errorf("where no role is required: %v, want a code", got)
		}
	}
	if got := p.browser().enter(request(otherClient, newPKCE()), oneRole, "").redirect(t); !got.Has("code") {
		t.Errorf("a person with a role: %v, want a code", got)
	}
}
