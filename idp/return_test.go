package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// Nobody is sent on to be asked who they are: the authorization endpoint asks.
func TestAuthorizationShowsTheSignInPage(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	shown := b.get("/authorize?" + request(confidentialClient, newPKCE(), "username", oneRole).Encode())
	if shown.StatusCode != http.StatusOK || shown.address().Path != "/sign-in" {
		t.Fatalf("GET /authorize = %d %s, want the sign-in page", shown.StatusCode, text(shown.body))
	}
	reloaded := b.get(shown.address().RequestURI())
	if reloaded.StatusCode != http.StatusOK || reloaded.address().RequestURI() != shown.address().RequestURI() {
		t.Errorf("the page at its own address = %d %s, want the same", reloaded.StatusCode, text(reloaded.body))
	}
	for _, header := range []string{"Cache-Control", "Content-Security-Policy", "Referrer-Policy", "X-Frame-Options", "Cross-Origin-Opener-Policy"} {
		if diff := cmp.Diff(reloaded.Header[header], shown.Header[header]); diff != "" {
			t.Errorf("%s of the page (-at its own address +at /authorize):\n%s", header, diff)
		}
	}
	if got := shown.Header.Get("Referrer-Policy"); got != "same-origin" { // the address is the authorization request
		t.Errorf("Referrer-Policy = %q, want same-origin", got)
	}
	if got := shown.Header.Get("Content-Security-Policy"); !strings.Contains(got, "form-action 'self' https:") {
		t.Errorf("Content-Security-Policy = %q, want that the form may lead to the client", got)
	}
	if finish := shown.ceremony(t).finish; !strings.HasPrefix(finish, "/sign-in/passkey?") {
		t.Errorf("the ceremony ends at %s, want /sign-in/passkey", finish)
	}
	if strings.Contains(shown.body, oneRole) { // as a client's own parameter, which is not login_hint
		t.Error("the page takes up a parameter that is the client's own")
	}
	if a := b.simulate(shown, oneRole, ""); a.path() != "/sign-in/simulated" || !a.redirect(t).Has("code") {
		t.Errorf("signing in on it leads to %q, want a code from the post itself", a.Header.Get("Location"))
	}
}

// Where the script and the form are told to go, the client's program on the device listens.
func TestReturnToWhateverAClientListensTo(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	key := webauthntest.NewPasskey()
	p.enrol(oneRole, key)
	const app, port = "com.example.ward:/callback", "http://127.0.0.1:51004/callback"
	native := oauth.Registration{ID: "native-app", Name: "Native app", Authentication: oauth.AuthNone, Scopes: oauth.Scopes(), RedirectURIs: []string{app, loopback}}
	if err := oauth.EnsureClient(t.Context(), p.owner, native, "", "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	for _, uri := range []string{app, port} {
		for how, signIn := range map[string]func(*browser, answer) string{
			"a passkey": func(b *browser, page answer) string {
				c := page.ceremony(t)
				return b.finish(c, key.Get(c.options, issuer), "").Location
			},
			"a form": func(b *browser, page answer) string { return b.simulate(page, oneRole, "").Header.Get("Location") },
		} {
			b := p.browser()
			location := signIn(b, b.authorize(request("native-app", newPKCE(), "redirect_uri", uri)))
			if !strings.HasPrefix(location, uri+"?code=") {
				t.Errorf("signing in with %s leads to %s, want %s with a code", how, location, uri)
			}
		}
	}
}

// A client that is disabled gets no code at once and everywhere, also while somebody is at the page that it led to.
func TestNoCodeForAClientThatWasDisabledMeanwhile(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second() // which knows the clients of before
	key := webauthntest.NewPasskey()
	p.enrol(oneRole, key)
	type attempt struct {
		at   func(*provider) answer
		name string
	}
	begin := func() (attempts []attempt) {
		byKey, byForm, chooser := p.browser(), p.browser(), p.browser()
		asked := func() url.Values { return request(confidentialClient, newPKCE()) }
		keyPage, formPage := byKey.authorize(asked()).ceremony(t), byForm.authorize(asked())
		rolePage := chooser.simulate(chooser.authorize(asked()), twoRoles, "")
		return []attempt{
			{func(r *provider) answer {
				said := byKey.at(r).finish(keyPage, key.Get(keyPage.options, issuer), "")
				return answer{&http.Response{StatusCode: said.Status, Header: http.Header{"Location": {said.Location}}}, said.Message}
			}, "a passkey"},
			{func(r *provider) answer {
				return byForm.at(r).post("/sign-in/simulated?"+formPage.address().RawQuery, url.Values{"username": {oneRole}})
			}, "a form"},
			{func(r *provider) answer {
				b := chooser.at(r)
				return b.rest(b.post(rolePage.address().RequestURI(), url.Values{"role": {manager}}))
			}, "the choice of a role"},
		}
	}
	for _, try := range begin() {
		if a := try.at(q); !strings.HasPrefix(a.Header.Get("Location"), callback+"&code=") {
			t.Errorf("%s leads to %q, want a code", try.name, a.Header.Get("Location"))
		}
	}
	attempts := begin()
	sessions, grants := p.sessions(), p.count(`SELECT count(*) FROM authorization_grant`)
	if err := oauth.DisableClient(t.Context(), p.owner, confidentialClient, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	for _, try := range attempts {
		if a := try.at(q); a.StatusCode/100 != 4 || !strings.Contains(a.body, "service") {
			t.Errorf("%s for a client that was disabled = %d to %q: %s, want a refusal that names the service", try.name, a.StatusCode, a.Header.Get("Location"), text(a.body))
		}
	}
	if s, g := p.sessions(), p.count(`SELECT count(*) FROM authorization_grant`); s != sessions || g != grants {
		t.Errorf("%d sessions and %d grants were written, want none", s-sessions, g-grants)
	}
	want := []string{"signed_in: client_disabled", "signed_in: client_disabled", "code_issued: client_disabled"}
	if diff := cmp.Diff(want, refusals(p.audited("signed_in", "code_issued"))); diff != "" {
		t.Errorf("recorded refusals (-want +got):\n%s", diff)
	}
}

func refusals(events []string) (refused []string) {
	for _, e := range events {
		if strings.Contains(e, ": ") {
			refused = append(refused, e)
		}
	}
	return refused
}

// What was true when the page was shown is asked again when somebody has signed in.
func TestARequestIsDecidedAgainAfterTheSignIn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.run()
	b := p.browser()
	satisfied, late := b.authorize(request(confidentialClient, newPKCE())), b.authorize(request(confidentialClient, newPKCE()))
	if a := b.simulate(satisfied, oneRole, ""); !a.redirect(t).Has("code") {
		t.Fatalf("signing in leads to %q, want a code", a.Header.Get("Location"))
	}
	elsewhere := func(r *oauth.Registration) { r.RedirectURIs = []string{"https://rp.example.org/moved"} }
	if _, _, err := oauth.UpdateClient(t.Context(), p.owner, confidentialClient, elsewhere, false, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	anybody := p.browser()
	eventually(t, "the redirect URI is refused", func() bool {
		return anybody.get("/authorize?"+request(confidentialClient, newPKCE()).Encode()).StatusCode == http.StatusBadRequest
	})
	grants := p.count(`SELECT count(*) FROM authorization_grant`)
	if a := b.simulate(late, oneRole, ""); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "You cannot sign in from here") {
		t.Errorf("signing in for a redirect URI that is no more = %d %s, want that the endpoint refuses it", a.StatusCode, text(a.body))
	}
	if p.count(`SELECT count(*) FROM authorization_grant`) != grants {
		t.Error("a code was issued")
	}
}

// Two answers to one challenge are one sign-in, with one session and one code.
func TestOneCodeForOneChallenge(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	key := webauthntest.NewPasskey()
	p.enrol(oneRole, key)
	b := p.browser()
	c := b.authorize(request(confidentialClient, newPKCE())).ceremony(t)
	response := key.Get(c.options, issuer)
	var codes, refused int
	var mu sync.Mutex
	var running sync.WaitGroup
	for range 8 {
		running.Go(func() {
			status := b.finishStatus(c, response)
			mu.Lock()
			defer mu.Unlock()
			switch status {
			case http.StatusOK:
				codes++
			case http.StatusForbidden:
				refused++
			}
		})
	}
	running.Wait()
	if codes != 1 || refused != 7 {
		t.Errorf("eight answers to one challenge: %d taken, %d refused, want 1 and 7", codes, refused)
	}
	if s, g := p.sessions(), p.count(`SELECT count(*) FROM authorization_grant`); s != 1 || g != 1 {
		t.Errorf("%d sessions and %d grants, want one of each", s, g)
	}
}
