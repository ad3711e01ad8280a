package idp_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

// benchmark is an assembled provider on a database of its own, whose handler is called without a network, and somebody who
// is signed in.
type benchmark struct {
	b       *testing.B
	handler http.Handler
	cookies []*http.Cookie
}

func newBenchmark(b *testing.B) *benchmark {
	b.Helper()
	_, serviceURL := storetest.URLs(b)
	s, err := store.Open(b.Context(), serviceURL)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	now := func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	key, _ := seal.NewKey()
	if err := directory.Seed(b.Context(), s, key, now()); err != nil {
		b.Fatal(err)
	}
	client := oauth.Registration{ID: confidentialClient, Name: "Ward system", IDTokenAlg: "ES256", Scopes: oauth.Scopes(), RedirectURIs: []string{callback}}
	if err := oauth.EnsureClient(b.Context(), s, client, secret, "test", now()); err != nil {
		b.Fatal(err)
	}
	log := slog.New(idp.RequestLog{Handler: slog.DiscardHandler})
	provider, err := idp.New(b.Context(), idp.Config{Issuer: issuer, Store: s, Key: key, Now: now, Log: log, Simulated: directory.FixedPeople()})
	if err != nil {
		b.Fatal(err)
	}
	p := &benchmark{b: b, handler: provider}
	page := p.send(http.MethodGet, "/authorize?"+request(confidentialClient, newPKCE()).Encode(), nil)
	shown := answer{Response: page.Result(), body: page.Body.String()}
	shown.Request = httptest.NewRequest(http.MethodGet, issuer, http.NoBody)
	p.send(http.MethodPost, "/sign-in/simulated?"+shown.address().RawQuery, url.Values{"username": {oneRole}})
	return p
}

// send calls the handler as somebody's browser, or as the client.
func (p *benchmark) send(method, target string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if target == "/token" {
		r.SetBasicAuth(confidentialClient, url.QueryEscape(secret))
	}
	for _, c := range p.cookies {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	p.cookies = append(p.cookies, w.Result().Cookies()...)
	return w
}

// code is what the client redeems for tokens.
func (p *benchmark) code() url.Values {
	p.b.Helper()
	k := newPKCE()
	w := p.send(http.MethodGet, "/authorize?"+request(confidentialClient, k, "scope", "openid profile offline_access").Encode(), nil)
	back, err := url.Parse(w.Header().Get("Location"))
	if err != nil || back.Query().Get("code") == "" {
		p.b.Fatalf("GET /authorize leads to %q, %v, want a code", w.Header().Get("Location"), err)
	}
	return redeem(confidentialClient, back.Query().Get("code"), k)
}

func (p *benchmark) tokens(form url.Values) tokens {
	p.b.Helper()
	w := p.send(http.MethodPost, "/token", form)
	var t tokens
	if err := json.Unmarshal(w.Body.Bytes(), &t); err != nil || w.Code != http.StatusOK {
		p.b.Fatalf("POST /token = %d %s, %v, want tokens", w.Code, w.Body, err)
	}
	return t
}

func BenchmarkExchangeCode(b *testing.B) {
	p := newBenchmark(b)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		form := p.code()
		b.StartTimer()
		p.tokens(form)
	}
}

func BenchmarkRefresh(b *testing.B) {
	p := newBenchmark(b)
	t := p.tokens(p.code())
	b.ReportAllocs()
	for b.Loop() {
		t = p.tokens(refresh(t.RefreshToken))
	}
}

func BenchmarkUserinfo(b *testing.B) {
	p := newBenchmark(b)
	t := p.tokens(p.code())
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodGet, "/userinfo", http.NoBody)
		r.Header.Set("Authorization", "Bearer "+t.AccessToken)
		w := httptest.NewRecorder()
		p.handler.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatalf("GET /userinfo = %d %s, want 200", w.Code, w.Body)
		}
	}
}
