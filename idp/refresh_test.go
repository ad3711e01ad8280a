package idp_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/oauth"
)

// RFC 9700, Section 4.14.2: "Authorization servers MUST utilize one of these methods to detect refresh token replay by
// malicious actors for public clients": rotation, for every client. A second use ends the grant, whoever it was.
func TestASecondUseOfARefreshTokenEndsTheGrant(t *testing.T) { //nolint:tparallel // the subtests run in turn: they share the record
	t.Parallel()
	p := newProvider(t)
	for _, client := range []string{confidentialClient, publicClient, otherClient} {
		t.Run(client, func(t *testing.T) {
			p := p.in(t)
			first := p.signedIn(p.browser(), client, oneRole, "scope", "openid offline_access")
			family := []tokens{first}
			for range 3 {
				next := p.as(client, refresh(family[len(family)-1].RefreshToken))
				next.granted(t)
				if slices.ContainsFunc(family, func(old tokens) bool {
					return old.RefreshToken == next.RefreshToken || old.AccessToken == next.AccessToken || old.IDToken == next.IDToken
				}) {
					t.Errorf("a refresh returned a token that was there before")
				}
				p.wantUserinfo(next.AccessToken, http.StatusOK)
				family = append(family, next)
			}
			p.as(client, refresh(family[1].RefreshToken)).refused(t, http.StatusBadRequest, "invalid_grant")
			for _, member := range family {
				p.as(client, refresh(member.RefreshToken)).refused(t, http.StatusBadRequest, "invalid_grant")
				p.wantUserinfo(member.AccessToken, http.StatusUnauthorized)
			}
			if got := p.audited("token_issued"); !slices.Contains(got, "token_issued: refresh_token_reused") {
				t.Errorf("the record has %q, want refresh_token_reused", got)
			}
			// The twin: another grant of the same person and client goes on.
			p.signedIn(p.browser(), client, oneRole)
		})
	}
}

// Whoever presents a stolen token and hangs up has shown that it was stolen all the same.
func TestASecondUseCountsAlsoWhenTheClientHangsUp(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	held := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid offline_access")
	p.as(confidentialClient, refresh(held.RefreshToken)).granted(t)
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	r := httptest.NewRequestWithContext(gone, http.MethodPost, issuer+"/token", strings.NewReader(refresh(held.RefreshToken).Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(confidentialClient, url.QueryEscape(secret))
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest {
		t.Errorf("second use of a client that is gone = %d %s, want 400", w.Code, w.Body)
	}
	p.wantUserinfo(held.AccessToken, http.StatusUnauthorized)
	if got := p.audited("token_issued"); !slices.Contains(got, "token_issued: refresh_token_reused") {
		t.Errorf("the record has %q, want refresh_token_reused", got)
	}
}

// RFC 6749, Section 6: "the authorization server MUST [...] validate the refresh token", and Section 10.4: "The authorization
// server MUST maintain the binding between a refresh token and the client to whom it was issued." Another client neither
// uses it, nor spends it, nor ends its grant: not when it is alive and not when it was used.
func TestAnotherClientsRefreshTokenIsRefusedAndNotSpent(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	held := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid offline_access")
	steal := func(token string) {
		for _, thief := range []string{otherClient, publicClient} {
			p.as(thief, refresh(token)).refused(t, http.StatusBadRequest, "invalid_grant")
		}
	}
	steal(held.RefreshToken)
	next := p.as(confidentialClient, refresh(held.RefreshToken))
	next.granted(t)
	steal(held.RefreshToken)
	p.wantUserinfo(next.AccessToken, http.StatusOK)
	p.as(confidentialClient, refresh(next.RefreshToken)).granted(t)
}

// RFC 6749, Section 6: "If a new refresh token is issued, the refresh token scope MUST be identical to that of the refresh
// token included by the client in the request."
func TestANarrowerScopeIsForTheAccessTokenOnly(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	held := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid profile email offline_access")
	const whole = "email offline_access openid profile"
	for _, tt := range []struct{ asked, want string }{
		{"openid", "openid"},
		{"", whole}, // Section 3.2: "Parameters sent without a value MUST be treated as if they were omitted"
		{"openid email", "email openid"},
		{"openid email openid", "email openid"},
		{"profile", "profile"},
		{whole, whole},
	} {
		form := refresh(held.RefreshToken)
		form.Set("scope", tt.asked)
		held = p.as(confidentialClient, form)
		held.granted(t)
		if held.Scope != tt.want || claims(t, held.AccessToken)["scope"] != tt.want {
			t.Errorf("refresh(scope %q) has scope %q in the answer and %q in the token, want %q", tt.asked, held.Scope, claims(t, held.AccessToken)["scope"], tt.want)
		}
		if (held.IDToken != "") != (tt.asked != "profile") {
			t.Errorf("refresh(scope %q) has the ID token %q", tt.asked, held.IDToken)
		}
	}
	held = p.as(confidentialClient, refresh(held.RefreshToken))
	if held.granted(t); held.Scope != whole {
		t.Errorf("scope after narrowing = %q, want all that was granted", held.Scope)
	}
}

// RFC 6749, Section 6: "The requested scope MUST NOT include any scope not originally granted by the resource owner". The
// mistake costs the client nothing: its token is not spent.
func TestAWiderScopeIsRefusedAndSpendsNothing(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	held := p.signedIn(p.browser(), publicClient, oneRole, "scope", "openid offline_access")
	for _, scope := range []string{"openid profile", "profile", "openid unknown", "OPENID", "openid,offline_access", "openid\u00a0email"} {
		form := refresh(held.RefreshToken)
		form.Set("scope", scope)
		p.as(publicClient, form).refused(t, http.StatusBadRequest, "invalid_scope")
	}
	p.as(publicClient, refresh(held.RefreshToken)).granted(t)
}

// OpenID Connect Core 1.0, Section 12.2: of a refreshed ID token "its iss Claim Value MUST be the same as in the ID Token
// issued when the original authentication occurred", and so sub, aud and auth_time; "it SHOULD NOT have a nonce Claim".
func TestARefreshedIDTokenSaysWhatTheFirstSaid(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	held := p.signedIn(b, confidentialClient, oneRole, "scope", "openid offline_access selectedrole", "max_age", "1000")
	first := claims(t, held.IDToken)
	p.clock.advance(20 * time.Minute)
	p.signedIn(b, confidentialClient, oneRole) // she has signed in again meanwhile, which is nothing to this grant
	next := claims(t, p.as(confidentialClient, refresh(held.RefreshToken)).IDToken)
	if first["nonce"] != "a nonce" || next["nonce"] != nil {
		t.Errorf("nonce = %v, then %v, want it in the first alone", first["nonce"], next["nonce"])
	}
	if next["iat"] == first["iat"] || next["exp"] == first["exp"] || next["jti"] == first["jti"] || next["at_hash"] == first["at_hash"] {
		t.Errorf("refreshed ID token = %v, want a new one", next)
	}
	for _, name := range []string{"nonce", "iat", "exp", "jti", "at_hash"} {
		delete(first, name)
		delete(next, name)
	}
	if diff := cmp.Diff(first, next); diff != "" {
		t.Errorf("refreshed ID token differs (-first +refreshed):\n%s", diff)
	}
}

// OpenID Connect Core 1.0, Section 11: offline_access asks for a refresh token, and nothing else yields one.
func TestOnlyOfflineAccessYieldsARefreshToken(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	if got := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid profile"); got.RefreshToken != "" {
		t.Error("scope openid profile yields a refresh token")
	}
	if got := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid offline_access"); got.RefreshToken == "" {
		t.Error("scope openid offline_access yields no refresh token")
	}
}

// RFC 9700, Section 4.14.2: refresh tokens expire. A grant ends when the sign-in reaches the absolute limit of its level,
// however often it is refreshed, and not when the session idles.
func TestAGrantEndsAtTheLimitOfItsLevel(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for username, limit := range map[string]time.Duration{oneRole: 12 * time.Hour, passkeyDoctor: 24 * time.Hour, passwordOnly: 24 * time.Hour} {
		held := p.signedIn(p.browser(), confidentialClient, username, "scope", "openid offline_access")
		if held.ExpiresIn != 600 {
			t.Errorf("expires_in = %d, want 600", held.ExpiresIn)
		}
		for range 3 {
			p.clock.advance(limit/3 - time.Minute)
			held = p.as(confidentialClient, refresh(held.RefreshToken))
			held.granted(t)
		}
		if held.ExpiresIn > 180 {
			t.Errorf("expires_in of %s = %d three minutes before the end, want at most 180", username, held.ExpiresIn)
		}
		p.wantUserinfo(held.AccessToken, http.StatusOK)
		p.clock.advance(3 * time.Minute)
		p.wantUserinfo(held.AccessToken, http.StatusUnauthorized)
		p.as(confidentialClient, refresh(held.RefreshToken)).refused(t, http.StatusBadRequest, "invalid_grant")
	}
}

// Refresh tokens are used once, whatever races: at two processes, one of many succeeds and the others end the grant.
func TestOneOfManyRefreshesWins(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	processes := []*provider{p, p.second()}
	b, k := p.browser(), newPKCE()
	for range stormRounds {
		code := b.code(request(publicClient, k, "scope", "openid offline_access"), oneRole)
		held := p.as(publicClient, redeem(publicClient, code, k))
		held.granted(t)
		won := winner(t, storm(stormSize, processes, publicClient, func(int) url.Values { return refresh(held.RefreshToken) }))
		for _, p := range processes {
			p.wantUserinfo(won.AccessToken, http.StatusUnauthorized)
			p.as(publicClient, refresh(won.RefreshToken)).refused(t, http.StatusBadRequest, "invalid_grant")
		}
	}
	if diff := cmp.Diff(slices.Repeat([]int{2}, stormRounds), p.issuedTimes()); diff != "" { // by the code, and by one refresh
		t.Errorf("tokens issued for each grant differ (-want +got):\n%s", diff)
	}
}

// beforeExchange is a tracer that does something when tokens have been signed, each time before the statement that issues
// them is sent.
type beforeExchange struct{ do func() }

var _ pgx.QueryTracer = beforeExchange{}

// TraceQueryStart implements pgx.QueryTracer.
func (b beforeExchange) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if strings.Contains(data.SQL, "WITH spent") {
		b.do()
	}
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (beforeExchange) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// Tokens are issued on nothing that ended while they were signed. What is decided then is what a request gets that came
// after the end.
func TestWhatChangesWhileTokensAreSigned(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what, want string // what the record says of the tokens; "" when they are issued
		status     int
		change     func(t *testing.T, p *provider, b *browser, again url.Values)
	}{
		{"the session ends", "token_issued: session_ended", http.StatusBadRequest, func(t *testing.T, _ *provider, b *browser, _ url.Values) {
			t.Helper()
			b.post("/logout", nil)
		}},
		{"the person is disabled", "token_issued: person_disabled", http.StatusBadRequest, func(t *testing.T, p *provider, _ *browser, _ url.Values) {
			t.Helper()
			if err := directory.DisablePerson(t.Context(), p.owner, oneRole, "test", p.clock.Now()); err != nil {
				t.Error(err)
			}
		}},
		{"the client is disabled", "token_issued: client_disabled", http.StatusUnauthorized, func(t *testing.T, p *provider, _ *browser, _ url.Values) {
			t.Helper()
			if err := oauth.DisableClient(t.Context(), p.owner, confidentialClient, "test", p.clock.Now()); err != nil {
				t.Error(err)
			}
		}},
		{"it is used elsewhere", "_reused", http.StatusBadRequest, func(t *testing.T, p *provider, _ *browser, again url.Values) {
			t.Helper()
			p.as(confidentialClient, again).granted(t)
		}},
		{"the record of the person changes, and everything stands", "", http.StatusOK, func(_ *testing.T, p *provider, _ *browser, _ url.Values) {
			p.exec(`UPDATE person SET title = 'Prof' WHERE id = $1`, oneRole)
		}},
	} {
		t.Run(tt.what, func(t *testing.T) {
			t.Parallel()
			for _, grantType := range []string{"authorization_code", "refresh_token"} {
				p := newProvider(t)
				b, k := p.browser(), newPKCE()
				form := redeem(confidentialClient, b.code(request(confidentialClient, k, "scope", "openid offline_access"), oneRole), k)
				if grantType == "refresh_token" {
					form = refresh(p.as(confidentialClient, form).RefreshToken)
				}
				changed := false
				q := p.second(func(c *idp.Config) {
					c.Store = p.open(p.urls.service, beforeExchange{func() {
						if !changed {
							changed = true
							tt.change(t, p, b, form)
						}
					}})
				})
				got := q.as(confidentialClient, form)
				if got.status != tt.status || (got.AccessToken != "") != (tt.want == "") || !changed {
					t.Errorf("%s while tokens for the %s are signed = %d %s, tokens %t, want %d", tt.what, grantType, got.status, got.Error, got.AccessToken != "", tt.status)
				}
				events := p.audited("token_issued")
				if last := events[len(events)-1]; !strings.HasSuffix(last, tt.want) {
					t.Errorf("the record of the %s has %q at last, want %s", grantType, last, tt.want)
				}
			}
		})
	}
}

// Somebody whose record changes each time gets no tokens and loses nothing.
func TestWhatChangesWheneverTokensAreSigned(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	held := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid offline_access")
	q := p.second(func(c *idp.Config) {
		c.Store = p.open(p.urls.service, beforeExchange{func() { p.exec(`UPDATE person SET title = 'Prof' WHERE id = $1`, oneRole) }})
	})
	q.as(confidentialClient, refresh(held.RefreshToken)).refused(t, http.StatusInternalServerError, "server_error")
	p.as(confidentialClient, refresh(held.RefreshToken)).granted(t)
}
