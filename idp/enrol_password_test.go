package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// The link is spent when password and app are bound, and not by looking, nor by a password that will not do.
func TestSettingAPassword(t *testing.T) { //nolint:tparallel // one browser
	t.Parallel()
	p := newProvider(t)
	b, link := p.browser(), p.link(oneRole)
	page := b.rest(b.get(b.get(link).passwordLink()))
	phone := p.takeOver(page)
	if !strings.Contains(page.body, `href="otpauth://totp/Credence:`+oneRole+`?`) || !strings.Contains(page.body, "<svg ") {
		t.Errorf("the page has no link for an app, or no picture: %s", text(page.body))
	}
	if again := p.takeOver(b.get(page.Request.URL.RequestURI())); string(again.key) != string(phone.key) {
		t.Error("the page shows another key when it is loaded again")
	}
	for _, tt := range []struct{ name, password, code, field, want string }{
		{"too short", "lapwings stubb", phone.code(), "password", "at least 15 characters"},
		{"too long", strings.Repeat("lapwings over stubble ", 12), phone.code(), "password", "at most 256 characters"},
		{"common", "password1234567", phone.code(), "password", "tried first"},
		{"repeated", "heronheronheron", phone.code(), "password", "repeats itself"},
		{"her user id", oneRole + "-2026", phone.code(), "password", "your user ID"},
		{"nothing", "", phone.code(), "password", "at least 15 characters"},
		{"no code", phrase, "", "code", "6 digits"},
		{"another code", phrase, "000000", "code", "6 digits"},
	} {
		t.Run(tt.name, func(t *testing.T) { //nolint:paralleltest // one browser
			a := b.post(page.form(t), url.Values{"password": {tt.password}, "code": {tt.code}})
			if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `<a href="#`+tt.field+`">`) || !strings.Contains(text(a.body), tt.want) {
				t.Errorf("answer = %d %s, want 400 and %q", a.StatusCode, text(a.body), tt.want)
			}
			if tt.password != "" && strings.Contains(a.body, `"`+tt.password+`"`) {
				t.Error("the page shows the password that was entered")
			}
			if string(p.takeOver(a).key) != string(phone.key) {
				t.Error("the page shows another key after a mistake")
			}
		})
	}
	if n := p.count(`SELECT count(*) FROM authenticator WHERE person_id = $1`, oneRole); n != 0 {
		t.Errorf("%d authenticators are bound by what is refused, want 0", n)
	}
	code := phone.code()
	form := url.Values{"password": {phrase}, "code": {code}}
	if a := b.rest(b.post(page.form(t), form)); a.path() != "/enrolled" || a.StatusCode != http.StatusOK {
		t.Fatalf("setting a password ends at %s with %d: %s", a.path(), a.StatusCode, text(a.body))
	}
	if a := b.post(page.form(t), form); a.StatusCode != http.StatusGone {
		t.Errorf("the same again = %d, want 410: the link is spent", a.StatusCode)
	}
	if a := b.get(page.Request.URL.RequestURI()); a.StatusCode != http.StatusGone {
		t.Errorf("the page of a spent link = %d, want 410", a.StatusCode)
	}
	if diff := cmp.Diff([]string{"enrolled", "enrolled", "enrolled: link_used", "enrolled: link_used"}, p.audited("enrolled", "authenticator_revoked")); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	// The code that confirmed the app was taken.
	if a := b.enterPassword(b.get("/sign-in/password"), oneRole, phrase, code); a.StatusCode != http.StatusForbidden {
		t.Errorf("the code of the enrolment signs in: %d, want 403", a.StatusCode)
	}
	if a := b.enterPassword(b.get("/sign-in/password"), oneRole, phrase, phone.later()); a.path() != "/" {
		t.Errorf("the next code leads to %s: %s", a.path(), text(a.body))
	}
	home, levels := b.get("/"), b.get("/levels")
	for _, want := range []string{"Password and one-time code", "Authenticator app", "One-time codes"} {
		if !strings.Contains(home.body, want) {
			t.Errorf("the home page does not say %q", want)
		}
	}
	for _, want := range []string{"One-time codes: level 2", "It counts together with your password", "Password: level 1"} {
		if !strings.Contains(levels.body, want) {
			t.Errorf("the page of her levels does not say %q: %s", want, text(levels.body))
		}
	}
}

// What was begun in another browser, for somebody else, or too long ago, begins again with another key.
func TestOfferIsBoundToBrowserPersonAndTime(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, link := p.browser(), p.link(oneRole)
	begin := func(b *browser, link string) answer {
		t.Helper()
		return b.rest(b.get(strings.Replace(link, "/enrol", "/enrol/password", 1)))
	}
	page := begin(b, link)
	phone := p.takeOver(page)
	anew := func(what string, b *browser, page answer) {
		t.Helper()
		a := b.rest(b.post(page.form(t), url.Values{"password": {phrase}, "code": {phone.code()}}))
		if a.StatusCode != http.StatusOK || a.path() != "/enrol/password" || string(p.takeOver(a).key) == string(phone.key) {
			t.Errorf("%s: %d %s, want the page again, with another key", what, a.StatusCode, a.path())
		}
	}
	anew("another browser", p.browser(), page)
	other := page
	other.body = strings.Replace(page.body, token(link), token(p.link(twoRoles)), 1)
	anew("the link of somebody else", b, other)
	other.body = strings.Replace(page.body, "offer=", "offer=x", 1)
	anew("a broken offer", b, other)
	p.clock.advance(61 * time.Minute)
	anew("an hour later", b, page)
	if n := p.count(`SELECT count(*) FROM authenticator`); n != 0 {
		t.Errorf("%d authenticators are bound, want 0", n)
	}
	page = begin(b, link)
	phone = p.takeOver(page)
	if a := b.rest(b.post(page.form(t), url.Values{"password": {phrase}, "code": {phone.code()}})); a.path() != "/enrolled" {
		t.Errorf("the key that was shown anew leads to %s: %s", a.path(), text(a.body))
	}
}

// Of any number of answers to one link, and of two links at once, one wins: nobody ends with two passwords.
func TestPasswordIsSetOnce(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	p.setPassword(oneRole, phrase)
	same := p.link(oneRole)
	links := []string{same, same, same, p.link(oneRole), p.link(oneRole)}
	answers := make([]func() int, len(links))
	for i, link := range links {
		b := p.browser()
		if i%2 == 1 {
			b = b.at(q)
		}
		page := b.rest(b.get(strings.Replace(link, "/enrol", "/enrol/password", 1)))
		form, code := page.form(t), p.takeOver(page).code()
		answers[i] = func() int {
			for {
				status := b.post(form, url.Values{"password": {otherPhrase}, "code": {code}}).StatusCode
				if status != http.StatusServiceUnavailable { // hashing is busy, and says to try again
					return status
				}
			}
		}
	}
	statuses := make([]int, len(links))
	var wg sync.WaitGroup
	for i, answer := range answers { // only now: a link that has won shows no page to those that are still to come
		wg.Go(func() { statuses[i] = answer() })
	}
	wg.Wait()
	won := 0
	for i, status := range statuses {
		switch status {
		case http.StatusSeeOther:
			won++
		case http.StatusGone, http.StatusBadRequest:
		default:
			t.Errorf("answer %d = %d, want 303, 400 or 410", i, status)
		}
	}
	passwords := p.count(`SELECT count(*) FROM authenticator WHERE kind = 'password' AND revoked_at IS NULL`)
	apps := p.count(`SELECT count(*) FROM authenticator WHERE kind = 'totp'`)
	if passwords != 1 || won < 1 || won > 3 || apps != won+1 {
		t.Errorf("%d answers win, and leave %d passwords and %d apps; want one to three, one password, and an app for each", won, passwords, apps)
	}
}

// An organisation that asks for keys that cannot be copied, or are of known models, takes no passwords.
func TestOrganisationThatTakesNoPasswords(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	phone := p.setPassword(oneRole, phrase)
	p.run()
	b, link := p.browser(), p.link(oneRole)
	before := b.get(link).passwordLink()
	page := b.rest(b.get(before))
	laterPhone := p.takeOver(page)
	found, err := p.store.Person(t.Context(), oneRole, p.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	organisation := found.Person.Memberships[0].OrganisationCode
	err = webauthn.SetPolicy(t.Context(), p.owner, store.AuthenticatorPolicy{OrganisationCode: organisation, DeviceBound: true}, "test", p.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the page of a link offers no password", func() bool { return b.get(link).passwordLink() == "" })
	if a := b.get(before); a.StatusCode != http.StatusForbidden {
		t.Errorf("the page for a password = %d, want 403", a.StatusCode)
	}
	if a := b.post(page.form(t), url.Values{"password": {otherPhrase}, "code": {laterPhone.code()}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("setting a password = %d, want 403", a.StatusCode)
	}
	a := b.enterPassword(b.get("/sign-in/password"), oneRole, phrase, phone.later())
	if a.StatusCode != http.StatusForbidden || !strings.Contains(text(a.body), "does not accept passwords") || b.home() != "" {
		t.Errorf("the password from before = %d %s, want 403 and why", a.StatusCode, text(a.body))
	}
	if a := b.enterPassword(b.get("/sign-in/password"), oneRole, otherPhrase, phone.later()); a.StatusCode != http.StatusForbidden || strings.Contains(text(a.body), "does not accept") {
		t.Errorf("another password = %d %s, want 403, and no word on the organisation", a.StatusCode, text(a.body))
	}
	if err := webauthn.ClearPolicy(t.Context(), p.owner, organisation, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the password works again", func() bool {
		return b.enterPassword(b.get("/sign-in/password"), oneRole, phrase, phone.later()).path() == "/"
	})
}

// Who is signed in too weakly is offered password and code where they would do, and not where they would not.
func TestStepUpWithPassword(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	without := p.second(func(c *idp.Config) { c.Simulated = nil })
	phone := p.setPassword(oneRole, phrase)
	b, k := p.browser(), newPKCE()
	b.simulate(b.get("/sign-in"), oneRole, "password")
	page := b.at(without).authorize(request(confidentialClient, k, "acr_values", "AAL2_ANY"))
	if page.path() != "/sign-in/step-up" || page.passwordLink() == "" || strings.Contains(page.body, "data-options") {
		t.Fatalf("the page is %s with the link %q, want a step-up with a password, and no ceremony: %s", page.path(), page.passwordLink(), text(page.body))
	}
	if a := b.at(without).get(page.passwordLink()); !strings.Contains(a.body, `value="`+oneRole+`"`) {
		t.Errorf("the page for a password does not know whose it is: %s", text(a.body))
	}
	a := b.at(without).password(page, phone.later())
	got := p.as(confidentialClient, redeem(confidentialClient, a.redirect(t).Get("code"), k))
	if got.status != http.StatusOK {
		t.Fatalf("token endpoint answers %d %s", got.status, got.Error)
	}
	if c := claims(t, got.IDToken); c["acr"] != "AAL2_ANY" {
		t.Errorf("acr = %v, want AAL2_ANY", c["acr"])
	}

	p.enrol(oneRole, webauthntest.NewPasskey())
	b = p.browser()
	b.simulate(b.get("/sign-in"), oneRole, "password")
	page = b.at(without).authorize(request(confidentialClient, newPKCE(), "acr_values", "phr"))
	if page.path() != "/sign-in/step-up" || page.passwordLink() != "" || !strings.Contains(page.body, "data-options") {
		t.Errorf("where nothing phishable will do, the page is %s with the link %q, want a step-up with the passkey alone", page.path(), page.passwordLink())
	}

	// A code without its password signs nobody in.
	p.revokeOne(p.authenticator("password"))
	p.exec(`UPDATE authenticator SET revoked_at = $1 WHERE kind = 'passkey'`, p.clock.Now())
	b = p.browser()
	b.simulate(b.get("/sign-in"), oneRole, "password")
	if a := b.at(without).authorize(request(confidentialClient, newPKCE(), "acr_values", "AAL2_ANY")); a.redirect(t).Get("code") == "" {
		t.Errorf("with an app and no password the answer leads to %s, want a code of the true level", a.Header.Get("Location"))
	}

	// A client that needs level 3 of everybody has no use for a password.
	if _, _, err := oauth.UpdateClient(t.Context(), p.owner, confidentialClient, func(r *oauth.Registration) { r.MinimumAuthenticator = assurance.AAL3 }, false, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	third := p.second()
	if page := third.browser().authorize(request(confidentialClient, newPKCE())); page.passwordLink() != "" || page.path() != "/sign-in" {
		t.Errorf("the sign-in page of a client that needs level 3 offers a password")
	}
}
