package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/position"
)

// RFC 6750, Section 3; RFC 9470, Section 3. A token opens the API at both processes for as long as all that it stands on does, and
// not one moment longer at either.
func TestAPITakesOnlyTokensThatStand(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q, d := p.second(), p.description()
	const weak = `error="insufficient_user_authentication"`
	for _, test := range []struct {
		name, person, scope, method string
		fall                        func(b *browser)
		status                      int
		challenge                   []string
	}{
		{"a token without a scope of the API", raAgent, "openid", "smartcard", nil, http.StatusForbidden, []string{`error="insufficient_scope"`, `scope="registration.read"`}},
		{"a token to write, for what is read", raAgent, "openid registration.write", "smartcard", nil, http.StatusForbidden, []string{`error="insufficient_scope"`, `scope="registration.read"`}},
		{"a weak sign-in", raAgent, apiScopes, "totp", nil, http.StatusUnauthorized, []string{weak, `acr_values="AAL3_ANY"`, `max_age="3600"`}},
		{"an identity that is not proved", noRole, apiScopes, "smartcard", nil, http.StatusForbidden, nil},
		{"no role", expiredRole, apiScopes, "smartcard", nil, http.StatusForbidden, nil},
		{"an officer", raManager, "registration.read", "smartcard", nil, http.StatusOK, nil},
		{"a person who was disabled", raManager, apiScopes, "smartcard", func(*browser) {
			if err := directory.DisablePerson(t.Context(), p.owner, raManager, "test", p.clock.Now()); err != nil {
				t.Fatal(err)
			}
		}, http.StatusUnauthorized, []string{`error="invalid_token"`}},
		{"a session that was signed out", raAdvanced, apiScopes, "smartcard", func(b *browser) { b.rest(b.post("/logout", url.Values{})) }, http.StatusUnauthorized, []string{`error="invalid_token"`}},
		{"a role that ended", raSponsor, apiScopes, "smartcard", func(*browser) {
			if err := directory.EndRole(t.Context(), p.owner, sponsorsRole, "test", p.clock.Now()); err != nil {
				t.Fatal(err)
			}
		}, http.StatusUnauthorized, []string{`error="invalid_token"`}},
		{"a token that has expired", raAgent, apiScopes, "smartcard", func(*browser) { p.clock.advance(11 * time.Minute) }, http.StatusUnauthorized, []string{`error="invalid_token"`}},
		{"a client that was disabled", raAgent, apiScopes, "smartcard", func(*browser) {
			if err := oauth.DisableClient(t.Context(), p.owner, publicClient, "test", p.clock.Now()); err != nil {
				t.Fatal(err)
			}
		}, http.StatusUnauthorized, []string{`error="invalid_token"`}},
	} {
		b := p.browser()
		token := p.officerToken(b, test.person, test.scope, test.method)
		if test.fall != nil {
			for _, at := range []*provider{p, q} {
				if a := (program{at, d, token}).call(http.MethodGet, "/api/people?name=Larkspell", nil, ""); a.StatusCode != http.StatusOK {
					t.Errorf("%s, before: %d %s, want 200", test.name, a.StatusCode, a.body)
				}
			}
			test.fall(b)
		}
		for _, at := range []*provider{p, q} {
			a := program{at, d, token}.call(http.MethodGet, "/api/people?name=Larkspell", nil, "")
			challenge := a.Header.Get("WWW-Authenticate")
			if a.StatusCode != test.status || test.challenge == nil && challenge != "" {
				t.Errorf("%s: %d %s, challenge %s, want %d", test.name, a.StatusCode, a.body, challenge, test.status)
			}
			for _, want := range test.challenge {
				if !strings.Contains(challenge, want) {
					t.Errorf("%s: WWW-Authenticate = %s, want %s in it", test.name, challenge, want)
				}
			}
		}
	}
}

// Nobody sees from a token whether its officer is still there: an hour after the sign-in she signs in again, however fresh the
// token is.
func TestAPIAsksForANewSignIn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, k := p.browser(), newPKCE()
	a := b.simulate(b.authorize(request(publicClient, k, "scope", apiScopes+" offline_access")), raAgent, "smartcard")
	got := p.as(publicClient, redeem(publicClient, a.redirect(t).Get("code"), k))
	for _, want := range []int{http.StatusOK, http.StatusUnauthorized} {
		p.clock.advance(30 * time.Minute)
		got = p.as(publicClient, refresh(got.RefreshToken))
		got.granted(t)
		if a := (program{p, p.description(), got.AccessToken}).call(http.MethodGet, "/api/requests", nil, ""); a.StatusCode != want {
			t.Errorf("GET /api/requests = %d %s, want %d", a.StatusCode, a.body, want)
		}
	}
}

// A client whose tokens are for another resource hands that resource nothing which it could use here.
func TestAPITakesNoTokenForAnotherResource(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	err := oauth.EnsureClient(t.Context(), p.owner, oauth.Registration{
		ID: "elsewhere", Name: "Elsewhere", Authentication: oauth.AuthNone, Audience: "https://api.example.org", Scopes: oauth.Scopes(), RedirectURIs: []string{callback},
	}, "", "test", p.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	p.clock.advance(time.Second)
	b, k := p.browser(), newPKCE()
	a := b.simulate(b.authorize(request("elsewhere", k, "scope", apiScopes)), raAgent, "smartcard")
	form := redeem("elsewhere", a.redirect(t).Get("code"), k)
	form.Set("client_id", "elsewhere")
	got := p.token(form)
	got.granted(t)
	if a := (program{p, p.description(), got.AccessToken}).call(http.MethodGet, "/api/requests", nil, ""); a.StatusCode != http.StatusUnauthorized || a.problem(t).Reason != "invalid_token" {
		t.Errorf("GET /api/requests = %d %s, want 401 invalid_token", a.StatusCode, a.body)
	}
}

// What is sent is read strictly, and what is not there is said to be not there, always as a problem.
func TestAPIReadsStrictly(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	g := program{p, p.description(), p.officerToken(p.browser(), raManager, apiScopes, "smartcard")}
	good := `{"given_name":"Una","family_name":"Newfound","date_of_birth":"1980-03-31"}`
	for _, test := range []struct {
		name, method, path, body string
		headers                  []string
		status                   int
	}{
		{"what is right", http.MethodPost, "/api/people", good, nil, http.StatusCreated},
		{"an unknown member", http.MethodPost, "/api/people", `{"nickname":"U",` + good[1:], nil, http.StatusBadRequest},
		{"a member twice", http.MethodPost, "/api/people", `{"given_name":"Ada",` + good[1:], nil, http.StatusBadRequest},
		{"two values", http.MethodPost, "/api/people", good + good, nil, http.StatusBadRequest},
		{"a list", http.MethodPost, "/api/people", "[" + good + "]", nil, http.StatusBadRequest},
		{"no JSON", http.MethodPost, "/api/people", "given_name=Una", nil, http.StatusBadRequest},
		{"a form", http.MethodPost, "/api/people", "given_name=Una", []string{"Content-Type", formType}, http.StatusUnsupportedMediaType},
		{"nothing", http.MethodPost, "/api/people", "", nil, http.StatusUnprocessableEntity},
		{"too much", http.MethodPost, "/api/people", `{"title":"` + strings.Repeat("a", 2*position.LargestBulk) + `"}`, nil, http.StatusRequestEntityTooLarge},
		{"values that are wrong", http.MethodPost, "/api/people", `{"given_name":"","family_name":"\u202e","date_of_birth":"1980-03-31"}`, nil, http.StatusUnprocessableEntity},
		{"a date that is none", http.MethodPost, "/api/people", `{"given_name":"Una","family_name":"Newfound","date_of_birth":"31/3/1980"}`, nil, http.StatusUnprocessableEntity},
		{"an unknown parameter", http.MethodGet, "/api/people?name=Larkspell&nickname=P", "", nil, http.StatusBadRequest},
		{"a parameter twice", http.MethodGet, "/api/people?name=Larkspell&name=P", "", nil, http.StatusBadRequest},
		{"nobody to look for", http.MethodGet, "/api/people", "", nil, http.StatusUnprocessableEntity},
		{"too little of a name", http.MethodGet, "/api/people?name=L", "", nil, http.StatusUnprocessableEntity},
		{"a token in the address", http.MethodGet, "/api/requests?access_token=" + g.token, "", nil, http.StatusBadRequest},
		{"nobody of that id", http.MethodGet, "/api/people/1", "", nil, http.StatusNotFound},
		{"no such request", http.MethodGet, "/api/requests/%00", "", nil, http.StatusNotFound},
		{"no such organisation", http.MethodGet, "/api/positions?organisation=NOWHERE", "", nil, http.StatusNotFound},
		{"a version that is none", http.MethodPost, "/api/positions/555500000001/approval", "", []string{"If-Match", "*"}, http.StatusUnprocessableEntity},
		{"no such resource", http.MethodGet, "/api/nothing", "", nil, http.StatusNotFound},
		{"a method that it does not take", http.MethodDelete, "/api/people", "", nil, http.StatusMethodNotAllowed},
	} {
		a := g.call(test.method, test.path, nil, test.body, test.headers...)
		if a.StatusCode != test.status {
			t.Errorf("%s: %s %.60s = %d %.300s, want %d", test.name, test.method, test.path, a.StatusCode, a.body, test.status)
		}
		if a.StatusCode >= http.StatusBadRequest {
			a.problem(t)
		}
		if a.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: the answer opens itself to other sites", test.name)
		}
	}
	if a := g.call(http.MethodPost, "/api/{people}", map[string]string{"people": "people"}, good, "Sec-Fetch-Site", "cross-site"); a.StatusCode != http.StatusForbidden {
		t.Errorf("POST /api/people from another site = %d, want 403", a.StatusCode)
	}
	if a := g.call(http.MethodOptions, "/api/people", nil, ""); a.StatusCode != http.StatusNoContent || a.Header.Get("Allow") != "GET, HEAD, OPTIONS, POST" {
		t.Errorf("OPTIONS /api/people = %d, Allow %s, want 204 and what it takes", a.StatusCode, a.Header.Get("Allow"))
	}
	if a := g.call(http.MethodHead, "/api/requests", nil, ""); a.StatusCode != http.StatusOK || a.body != "" {
		t.Errorf("HEAD /api/requests = %d %q, want 200 without a body", a.StatusCode, a.body)
	}
	etag := p.browser().get("/api/openapi.json").Header.Get("ETag")
	if a := g.call(http.MethodGet, "/api/openapi.json", nil, "", "If-None-Match", etag); etag == "" || a.StatusCode != http.StatusNotModified {
		t.Errorf("GET /api/openapi.json again = %d, want 304", a.StatusCode)
	}
}

// Lists go on where their pages end, by the address that each page has.
func TestAPIListsGoOn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	g := program{p, p.description(), p.officerToken(p.browser(), raManager, apiScopes, "smartcard")}
	for range 21 {
		a := g.call(http.MethodPost, "/api/positions", nil, `{"organisation":"ZX100","name":"Ward nurse","job_role":"S8000:G8000:R8001","reason":"A new ward"}`)
		if a.StatusCode != http.StatusCreated {
			t.Fatalf("POST /api/positions = %d %s, want 201", a.StatusCode, a.body)
		}
	}
	first := g.call(http.MethodGet, "/api/positions?organisation=ZX100&state=proposed", nil, "")
	next := first.member(t, "next")
	second := g.call(http.MethodGet, next, nil, "")
	if n, m := strings.Count(first.body, `"id"`), strings.Count(second.body, `"id"`); n != 20 || m != 1 || strings.Contains(second.body, `"next"`) {
		t.Errorf("pages of %d and %d positions, the latter %s, want 20, and 1 with no next", n, m, second.body)
	}
}
