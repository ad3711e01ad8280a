package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// wantRefresh uses a refresh token of the confidential client, and wants what the token endpoint then answers.
func (p *provider) wantRefresh(what, token string, status int) tokens {
	p.t.Helper()
	got := p.as(confidentialClient, refresh(token))
	if got.status != status {
		p.t.Errorf("refresh %s = %d %s, want %d", what, got.status, got.Error, status)
	}
	return got
}

// A session that has timed out is nobody's any more, but what was granted in it stands until somebody ends it: whoever
// signs out then ends it.
func TestSigningOutAfterTheSessionTimedOut(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	got := p.signedIn(b, confidentialClient, oneRole, "scope", "openid offline_access")
	p.clock.advance(16 * time.Minute) // idle, at level 3
	if b.home() != "" {
		t.Fatal("the session has not timed out")
	}
	if a := b.get("/logout"); !a.confirms() || strings.Contains(a.body, "Hawthornby") {
		t.Errorf("the page that asks after a time-out = %d %s, want one that names nobody", a.StatusCode, text(a.body))
	}
	next := p.wantRefresh("of a session that idled out", got.RefreshToken, http.StatusOK)
	out := url.Values{"id_token_hint": {got.IDToken}, "post_logout_redirect_uri": {signedOut}}
	if a := b.get("/logout?" + out.Encode()); a.Header.Get("Location") != signedOut {
		t.Errorf("sign-out leads to %q, want %q", a.Header.Get("Location"), signedOut)
	}
	p.wantRefresh("after the sign-out", next.RefreshToken, http.StatusBadRequest)
	if got := p.audited("session_ended"); len(got) != 1 {
		t.Errorf("the record has %q, want the end of the session", got)
	}
}

// The same person who signs in again goes on in the same session, also after it timed out: so that signing out ends all
// that was granted. The role is chosen anew.
func TestSigningInAfterTheSessionTimedOut(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, k := p.browser(), newPKCE()
	q := request(confidentialClient, k, "scope", "openid offline_access")
	a := b.enter(q, twoRoles, "656014452101")
	first := p.as(confidentialClient, redeem(confidentialClient, a.redirect(t).Get("code"), k))
	p.clock.advance(16 * time.Minute)
	page := b.simulate(b.authorize(q), twoRoles, "")
	if page.path() != "/sign-in/role" {
		t.Fatalf("signing in again leads to %s, want the choice of a role", page.path())
	}
	second := p.as(confidentialClient, redeem(confidentialClient, b.choose(page, "656005754108").redirect(t).Get("code"), k))
	if sid := claims(t, second.IDToken)["sid"]; sid == nil || sid != claims(t, first.IDToken)["sid"] {
		t.Errorf("sid = %v, want that of the first sign-in", sid)
	}
	b.get("/logout?" + url.Values{"id_token_hint": {second.IDToken}}.Encode())
	p.wantRefresh("of the first grant, after signing out", first.RefreshToken, http.StatusBadRequest)
	p.wantRefresh("of the second grant, after signing out", second.RefreshToken, http.StatusBadRequest)
}

// A grant stands on the authenticator that it was given with, also when the session has since been renewed with another.
func TestRevokingTheAuthenticatorOfAGrant(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	lost, kept := webauthntest.New(), webauthntest.New()
	p.enrol(oneRole, lost)
	p.enrol(oneRole, kept)
	b, k := p.browser(), newPKCE()
	scope := []string{"scope", "openid offline_access"}
	code := b.passkey(b.authorize(request(confidentialClient, k, scope...)), lost).redirect(t).Get("code")
	byLost := p.as(confidentialClient, redeem(confidentialClient, code, k))
	code = b.passkey(b.authorize(request(confidentialClient, k, append(scope, "prompt", "login")...)), kept).redirect(t).Get("code")
	byKept := p.as(confidentialClient, redeem(confidentialClient, code, k))

	authenticators, err := p.owner.Authenticators(t.Context(), oneRole, false)
	if err != nil || len(authenticators) != 2 {
		t.Fatalf("Authenticators() = %d, %v, want 2", len(authenticators), err)
	}
	if err := registration.ChangeAuthenticator(t.Context(), p.owner, registration.Change{Authenticator: authenticators[0].ID, Act: registration.Revoke}, audit.Entry{At: p.clock.Now(), Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	p.wantUserinfo(byLost.AccessToken, http.StatusUnauthorized)
	p.wantRefresh("of the grant of the revoked key", byLost.RefreshToken, http.StatusBadRequest)
	p.wantUserinfo(byKept.AccessToken, http.StatusOK)
	p.wantRefresh("of the grant of the other key", byKept.RefreshToken, http.StatusOK)
}

// What a client may no longer ask for it gets no longer, by what it was granted before either.
func TestAClientThatIsRegisteredForLess(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.run()
	got := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid profile nationalrbacaccess offline_access")
	b, k := p.browser(), newPKCE()
	page := b.simulate(b.authorize(request(confidentialClient, k, "scope", "openid offline_access")), noRole, "")
	on := b.rest(b.post(page.address().RequestURI(), url.Values{"continue": {"1"}}))
	without := p.as(confidentialClient, redeem(confidentialClient, on.redirect(t).Get("code"), k))
	change := func(do func(*oauth.Registration)) {
		t.Helper()
		if _, _, err := oauth.UpdateClient(t.Context(), p.owner, confidentialClient, do, false, "test", p.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	change(func(r *oauth.Registration) { r.Scopes = []string{"openid", "offline_access"} })
	eventually(t, "userinfo says nothing but sub", func() bool {
		_, info := p.userinfo(got.AccessToken)
		return len(info) == 1 && info["sub"] == oneRole
	})
	if next := p.wantRefresh("with fewer scopes", got.RefreshToken, http.StatusOK); next.Scope != "offline_access openid" {
		t.Errorf("scope = %q, want what the client is registered for", next.Scope)
	}
	change(func(r *oauth.Registration) { r.RequiresRole = true })
	eventually(t, "nobody without a role is let in", func() bool {
		a, _ := p.userinfo(without.AccessToken)
		return a.StatusCode == http.StatusUnauthorized
	})
	p.wantRefresh("of a person without a role", without.RefreshToken, http.StatusBadRequest)
}

// HEAD does nothing where GET acts: RFC 9110, Section 9.2.1.
func TestHeadDoesNothing(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	got := p.signedIn(b, confidentialClient, oneRole)
	grants := p.count(`SELECT count(*) FROM authorization_grant`)
	for _, location := range []string{
		"/authorize?" + request(confidentialClient, newPKCE()).Encode(),
		"/logout?" + url.Values{"id_token_hint": {got.IDToken}}.Encode(),
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, issuer+location, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if a := b.send(r); a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("HEAD %s = %d, want 405", r.URL.Path, a.StatusCode)
		}
	}
	if n := p.count(`SELECT count(*) FROM authorization_grant`); n != grants || b.home() == "" {
		t.Errorf("%d grants and the session %q after HEAD, want %d and still signed in", n, b.home(), grants)
	}
}

// A link that was made before somebody was disabled does not come back with them.
func TestEnrolmentLinkOfADisabledPersonStaysDead(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	link := p.link(oneRole)
	for _, act := range []error{
		directory.DisablePerson(t.Context(), p.owner, oneRole, "test", p.clock.Now()),
		directory.EnablePerson(t.Context(), p.owner, oneRole, "test", p.clock.Now()),
	} {
		if act != nil {
			t.Fatal(act)
		}
	}
	if a := p.browser().get(link); a.StatusCode != http.StatusGone {
		t.Errorf("the link = %d, want 410", a.StatusCode)
	}
	if a := p.browser().get(p.link(oneRole)); a.StatusCode != http.StatusOK {
		t.Errorf("a new link = %d, want 200", a.StatusCode)
	}
}

// What is missing is decided in one place, and nothing else is asked for.
func TestNextStep(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	minute := time.Minute
	one, two := []store.Role{{ID: "1"}}, []store.Role{{ID: "1"}, {ID: "2"}}
	at := func(signedIn time.Duration, roles []store.Role, active *store.Role, chosen time.Duration) *session.Session {
		s := &session.Session{AuthenticatedAt: now.Add(-signedIn), Person: store.Person{Roles: roles}, Role: active}
		if chosen > 0 {
			s.RoleChosenAt = now.Add(-chosen)
		}
		return s
	}
	asked := assurance.Freshness{AskedAt: now.Add(-minute)}
	again, young := asked, asked
	again.Again, young.MaxAge = true, &minute
	for name, tt := range map[string]struct {
		request signin.Request
		session *session.Session
		want    signin.Step
	}{
		"nobody is signed in":                       {signin.Request{Freshness: asked}, nil, signin.Authenticate},
		"somebody is":                               {signin.Request{Freshness: asked}, at(time.Hour, two, nil, 0), signin.Done},
		"a sign-in of before is not again":          {signin.Request{Freshness: again}, at(time.Hour, one, &one[0], time.Hour), signin.Authenticate},
		"a sign-in since is":                        {signin.Request{Freshness: again}, at(time.Second, one, &one[0], time.Second), signin.Done},
		"a sign-in is too old":                      {signin.Request{Freshness: young}, at(2*time.Minute, one, &one[0], time.Minute), signin.Authenticate},
		"a role is to be chosen":                    {signin.Request{Freshness: asked, Role: signin.RoleIfHeld}, at(time.Hour, two, nil, 0), signin.ChooseRole},
		"a role was chosen":                         {signin.Request{Freshness: asked, Role: signin.RoleIfHeld}, at(time.Hour, two, &two[0], time.Hour), signin.Done},
		"nobody chose to act in none yet":           {signin.Request{Freshness: asked, Role: signin.RoleIfHeld}, at(time.Hour, nil, nil, 0), signin.ChooseRole},
		"somebody chose to act in none":             {signin.Request{Freshness: asked, Role: signin.RoleIfHeld}, at(time.Hour, nil, nil, time.Hour), signin.Done},
		"acting in none is not enough":              {signin.Request{Freshness: asked, Role: signin.RoleRequired}, at(time.Hour, nil, nil, time.Hour), signin.ChooseRole},
		"a role was granted since":                  {signin.Request{Freshness: asked, Role: signin.RoleIfHeld}, at(time.Hour, one, nil, time.Hour), signin.ChooseRole},
		"the role is to be chosen again":            {signin.Request{Freshness: asked, Role: signin.RoleIfHeld, ChooseRole: true}, at(time.Hour, two, &two[0], time.Hour), signin.ChooseRole},
		"it was, since":                             {signin.Request{Freshness: asked, Role: signin.RoleIfHeld, ChooseRole: true}, at(time.Hour, two, &two[0], time.Second), signin.Done},
		"there is no other to choose":               {signin.Request{Freshness: asked, Role: signin.RoleIfHeld, ChooseRole: true}, at(time.Hour, one, &one[0], time.Hour), signin.Done},
		"a request that does not care about a role": {signin.Request{Freshness: asked}, at(time.Hour, two, nil, 0), signin.Done},
	} {
		if got := signin.Next(tt.request, tt.session, now); got != tt.want {
			t.Errorf("Next() when %s = %v, want %v", name, got, tt.want)
		}
	}
}
