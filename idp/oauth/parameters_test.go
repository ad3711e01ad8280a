package oauth

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/store"
)

// newParsing is a handler that knows two clients and never asks a database.
func newParsing() *Handler {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	clients := &Clients{Now: func() time.Time { return now }, lastLookup: now}
	clients.current.Store(&clientSnapshot{byID: map[string]client{
		"ward":   {Client: store.Client{ID: "ward", Authentication: AuthBasic, RedirectURIs: []string{"https://rp.example.org/cb?kept=1"}, PostLogoutRedirectURIs: []string{"https://rp.example.org/bye"}, Scopes: Scopes()}},
		"levels": {Client: store.Client{ID: "levels", Authentication: AuthNone, RedirectURIs: []string{"https://rp.example.org/cb?kept=1"}, Scopes: Scopes(), Trustmark: "nhs-login", MinimumAuthenticatorLevel: 2, MinimumIdentityLevel: "medium", DefaultACRValues: []string{"phr"}}},
		"native": {Client: store.Client{ID: "native", Authentication: AuthNone, RedirectURIs: []string{"http://127.0.0.1/cb"}, Scopes: []string{ScopeOpenID}}},
	}})
	return &Handler{Issuer: "https://example.com", Clients: clients, Now: clients.Now}
}

const asked = "response_type=code&client_id=ward&redirect_uri=https%3A%2F%2Frp.example.org%2Fcb%3Fkept%3D1&scope=openid" +
	"&code_challenge=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&code_challenge_method=S256"

func FuzzAuthorization(f *testing.F) {
	f.Add(asked)
	f.Add(asked + "&state=a%26b&nonce=n&prompt=login+consent&max_age=0&login_hint=656005750104&ui_locales=cy")
	f.Add(asked + "&prompt=none+login")
	f.Add(asked + "&state=a&state=b")
	f.Add(asked + "&request_uri=urn:x&max_age=1e3")
	f.Add(strings.Replace(asked, "client_id=ward", "client_id=native", 1))
	f.Add("client_id=native&redirect_uri=http%3A%2F%2F127.0.0.1%3A5000%2Fcb&state=%00")
	f.Add(asked + "&acr_values=AAL3_ANY+phr+urn:x&vtr=%5B%22P2.Cf%22%5D&max_age=60")
	f.Add(asked + `&claims={"id_token":{"acr":{"essential":true,"values":["AAL3_ANY","\u0000"]},"sub":{"value":"656005750104"}},"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":null}}}`)
	f.Add(strings.Replace(asked, "client_id=ward", "client_id=levels", 1))
	f.Add(strings.Replace(asked, "client_id=ward", "client_id=levels", 1) + `&vtr=["P9.Cp.Cd"]&acr_values=urn:acr.login.gov:verified`)
	f.Fuzz(func(t *testing.T, raw string) {
		if p, err := url.ParseQuery(raw); err == nil && p.Has("id_token_hint") {
			return // needs keys
		}
		h := newParsing()
		a, err := h.parseAuthorization(t.Context(), raw)
		if _, ok := errors.AsType[unredirectable](err); ok {
			return
		}
		if !registeredRedirect(a.client.RedirectURIs, a.redirectURI) {
			t.Fatalf("parseAuthorization(%q) leads to %q, which is not registered", raw, a.redirectURI)
		}
		if err != nil {
			sent := refusal(err)
			if sent.ErrorField == "server_error" {
				t.Fatalf("parseAuthorization(%q) = %v, want a refusal", raw, err)
			}
			if d := description(sent); len(d) > 300 {
				t.Errorf("parseAuthorization(%q) is described in %d characters", raw, len(d))
			}
			location, err := h.errorURL(a, sent)
			if err != nil || !strings.HasPrefix(location, a.redirectURI) || mustParse(t, location).Query().Get("state") != a.state {
				t.Errorf("errorURL(%q) = %q, %v", raw, location, err)
			}
			return
		}
		if len(a.scopes) == 0 || slices.ContainsFunc(a.scopes, func(s string) bool { return !slices.Contains(a.client.Scopes, s) }) {
			t.Errorf("parseAuthorization(%q) has scopes %q", raw, a.scopes)
		}
		if len(a.codeChallenge) != 43 || len(a.state) > 2048 || len(a.nonce) > 1024 || !utf8.ValidString(a.state+a.nonce) {
			t.Errorf("parseAuthorization(%q) = %+v", raw, a)
		}
		checkAsked(t, h, a)
		if a.maxAge != nil && (*a.maxAge < 0 || *a.maxAge%time.Second != 0) {
			t.Errorf("parseAuthorization(%q) has max_age %v", raw, *a.maxAge)
		}
	})
}

// checkAsked checks that what a request asks of a sign-in can be kept, and decided about.
func checkAsked(t *testing.T, h *Handler, a authorization) {
	t.Helper()
	kept, err := newGrant(a, session.Session{Person: store.Person{ID: "656005750104"}, Level: assurance.AAL1}, h.Now())
	if err != nil || strings.Contains(string(kept.Demand), `\u0000`) || strings.ContainsRune(kept.Claims, 0) {
		t.Fatalf("newGrant(%+v) = %s, %v, which a database does not take", a, kept.Demand, err)
	}
	if _, err := kept.asked(); err != nil {
		t.Errorf("asked() of %q = %v", kept.Claims, err)
	}
	kept.IdentityLevel, kept.Person.IdentityLevel = "low", "low"
	if said := h.assuranceClaims(kept, a.client); said.ACR == "" || (said.Vector == "") != (said.VectorTrustmark == "") || (said.Vector == "") != (len(a.demand.Vectors) == 0) {
		t.Errorf("assuranceClaims(%+v) = %+v", a.demand, said)
	}
	if _, err := h.decide(a, a.needs(firstAsk{At: h.Now()}), nil, false); err != nil && refusal(err).ErrorField == "server_error" {
		t.Errorf("decide(%+v) = %v, want a refusal", a.demand, err)
	}
	if a.meant != nil && len(a.meant) == 0 {
		t.Errorf("%+v means nobody", a)
	}
}

func FuzzSignOut(f *testing.F) {
	f.Add("client_id=ward&post_logout_redirect_uri=https%3A%2F%2Frp.example.org%2Fbye&state=a%26b")
	f.Add("client_id=native&post_logout_redirect_uri=https%3A%2F%2Frp.example.org%2Fbye")
	f.Add("post_logout_redirect_uri=https%3A%2F%2Fevil.example")
	f.Fuzz(func(t *testing.T, raw string) {
		if p, err := url.ParseQuery(raw); err == nil && p.Has("id_token_hint") {
			return // needs keys
		}
		out, err := newParsing().parseSignOut(&http.Request{URL: &url.URL{RawQuery: raw}})
		if err == nil && out.returnTo != "" && !strings.HasPrefix(out.returnTo, "https://rp.example.org/bye") {
			t.Errorf("parseSignOut(%q) leads to %q", raw, out.returnTo)
		}
	})
}

// What the Authorization header and the body say is never a failure of ours, and a client's own encoding is undone.
func FuzzBasicHeader(f *testing.F) {
	f.Add("Basic d2FyZDpzZWNyZXQ=", "client_id=ward", "ward", "s e+c&r:e%t")
	f.Add("Basic !!", "client_secret=x", "ä", "")
	f.Add("Bearer x", "client_assertion=x", ":", "\x00")
	f.Add("basic Og==", "", "", "")
	f.Fuzz(func(t *testing.T, header, form, id, secret string) {
		parameters, err := url.ParseQuery(form)
		if err != nil {
			return
		}
		r := httptest.NewRequest(http.MethodPost, "/token", http.NoBody)
		r.Header["Authorization"] = []string{header}
		if given, err := presented(r, parameters); err != nil {
			if sent := refusal(err); sent.ErrorField != "invalid_client" && sent.ErrorField != "invalid_request" {
				t.Errorf("presented(%q, %q) = %v, want a refusal", header, form, err)
			}
		} else if given.method != AuthBasic {
			t.Errorf("presented(%q, %q) is by %s, want %s", header, form, given.method, AuthBasic)
		}
		r = httptest.NewRequest(http.MethodPost, "/token", http.NoBody)
		r.SetBasicAuth(url.QueryEscape(id), url.QueryEscape(secret))
		got, err := presented(r, url.Values{})
		if err != nil || got.clientID != id || got.secret != secret {
			t.Errorf("presented(%q, %q) = %q, %q, %v", id, secret, got.clientID, got.secret, err)
		}
	})
}

// A body is a form of text, in which each parameter is there once and has a value.
func FuzzBody(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", "grant_type=authorization_code&code=x&empty=")
	f.Add("Application/X-WWW-Form-URLencoded ; charset=utf-8", "a=b&a=c")
	f.Add("multipart/form-data; boundary=x", "--x\r\n")
	f.Add("", "a=%00&b=%ff&;")
	f.Add("application/x-www-form-urlencoded", "=&=") // a parameter without a name, twice
	f.Fuzz(func(t *testing.T, contentType, content string) {
		r := httptest.NewRequest(http.MethodPost, "/token?in=address", strings.NewReader(content))
		r.Header["Content-Type"] = []string{contentType}
		form, err := body(httptest.NewRecorder(), r)
		if err != nil {
			if sent := refusal(err); sent.ErrorField != "invalid_request" {
				t.Errorf("body(%q) = %v, want invalid_request", content, err)
			}
			return
		}
		for name, values := range form {
			if len(values) != 1 || values[0] == "" || !utf8.ValidString(name+values[0]) || strings.ContainsRune(values[0], 0) || name == "in" {
				t.Errorf("body(%q) has %q = %q", content, name, values)
			}
		}
	})
}

// error_description is the sent text: RFC 6749, Section 5.2, "MUST NOT include characters outside the set %x20-21 /
// %x23-5B / %x5D-7E".
func TestErrorsThatAreSent(t *testing.T) {
	t.Parallel()
	for _, err := range []error{
		errors.New("a failure with details"),
		store.ErrNotFound,
		errors.Join(errors.New("first"), invalidRequest("second")),
		fatal{invalidGrant("third"), "why"},
		unredirectable{errInvalidClient()},
		invalidRequest("quo\"te back\\slash \n ü"),
		invalidRequest(strings.Repeat("long ü", 1000)),
	} {
		sent := refusal(err)
		if !slices.Contains(registeredErrors(), sent.ErrorField) {
			t.Errorf("refusal(%v) = %q, want a registered code", err, sent.ErrorField)
		}
		if d := description(sent); len(d) > 300 || strings.ContainsAny(d, "\"\\\nü") || strings.Contains(d, "details") {
			t.Errorf("description(%v) = %q", err, d)
		}
	}
	if sent := refusal(errors.New("a failure")); sent.ErrorField != "server_error" {
		t.Errorf("refusal(a failure) = %q, want server_error", sent.ErrorField)
	}
}
