package idp_test

import (
	"encoding/base32"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/totp"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

const (
	phrase      = "seven lapwings over wet stubble"
	otherPhrase = "a heron beside the lower sluice"
)

// app is an authenticator app: it knows the key that a page showed, and what time it is.
type app struct {
	p   *provider
	key []byte
}

var (
	keyOnPage = regexp.MustCompile(`id="key">([A-Z2-7 ]+)<`)
	formOf    = regexp.MustCompile(`<form method="post" action="(/(?:enrol|sign-in)/password[^"]*)"`)
	reference = regexp.MustCompile(`id="reference">([A-Z0-9]+)<`)
	linkTo    = regexp.MustCompile(`<a href="([^"]*)" id="password-link">`)
)

// form is where the form of a page posts to.
func (a answer) form(t *testing.T) string {
	t.Helper()
	found := formOf.FindStringSubmatch(a.body)
	if found == nil {
		t.Fatalf("%s answers %d, want a page with a form for a password: %s", a.path(), a.StatusCode, text(a.body))
	}
	return html.UnescapeString(found[1])
}

// reference is the one at the end of a page.
func (a answer) reference(t *testing.T) string {
	t.Helper()
	found := reference.FindStringSubmatch(a.body)
	if found == nil {
		t.Fatalf("the page has no reference: %s", text(a.body))
	}
	return found[1]
}

// passwordLink is where a page offers a password, or "".
func (a answer) passwordLink() string {
	found := linkTo.FindStringSubmatch(a.body)
	if found == nil {
		return ""
	}
	return html.UnescapeString(found[1])
}

// takeOver has an app take over the key that a page shows.
func (p *provider) takeOver(page answer) app {
	p.t.Helper()
	found := keyOnPage.FindStringSubmatch(page.body)
	if found == nil {
		p.t.Fatalf("%s answers %d, want a page with a key: %s", page.path(), page.StatusCode, text(page.body))
	}
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(found[1], " ", ""))
	if err != nil || len(key) != totp.KeySize {
		p.t.Fatalf("the key on the page is %q, want %d bytes", found[1], totp.KeySize)
	}
	_, _ = fmt.Fprintln(p.secrets, string(key))
	return app{p, key}
}

// code is what the app shows now.
func (a app) code() string { return totp.Code(a.key, totp.Step(a.p.clock.Now())) }

// later is the next code that the app shows.
func (a app) later() string {
	a.p.clock.advance(30 * time.Second)
	return a.code()
}

// setPassword binds a password and an app to a person, in a browser of its own.
func (p *provider) setPassword(personID, password string) app {
	p.t.Helper()
	for word := range strings.FieldsSeq(password) {
		if len(word) > 6 {
			_, _ = fmt.Fprintln(p.secrets, word)
		}
	}
	b := p.browser()
	link := b.get(p.link(personID)).passwordLink()
	if link == "" {
		p.t.Fatal("the page of an enrolment link offers no password")
	}
	page := b.rest(b.get(link))
	a := p.takeOver(page)
	done := b.rest(b.post(page.form(p.t), url.Values{"password": {password}, "code": {a.code()}}))
	if done.StatusCode != http.StatusOK || done.path() != "/enrolled" || !strings.Contains(done.body, "Password and authenticator app") {
		p.t.Fatalf("setting a password ends at %s with %d: %s", done.path(), done.StatusCode, text(done.body))
	}
	return a
}

// password signs in the person with one role, on the page that an answer offers it on, and follows redirects.
func (b *browser) password(page answer, code string) answer {
	b.t.Helper()
	link := page.passwordLink()
	if link == "" {
		b.t.Fatalf("%s offers no sign-in with a password: %s", page.path(), text(page.body))
	}
	return b.enterPassword(b.get(link), oneRole, phrase, code)
}

// enterPassword fills in the page for a password.
func (b *browser) enterPassword(page answer, username, password, code string) answer {
	b.t.Helper()
	return b.rest(b.post(page.form(b.t), url.Values{"username": {username}, "password": {password}, "code": {code}}))
}

// authenticator is the one of a kind that the person with one role has.
func (p *provider) authenticator(kind string) uuid.UUID {
	p.t.Helper()
	list, err := p.owner.Authenticators(p.t.Context(), oneRole, false)
	if err != nil {
		p.t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(a store.Authenticator) bool { return a.Kind == kind })
	if i < 0 {
		p.t.Fatalf("person %s has no %s", oneRole, kind)
	}
	return list[i].ID
}

func (p *provider) revokeOne(id uuid.UUID) {
	p.t.Helper()
	if err := registration.ChangeAuthenticator(p.t.Context(), p.owner, registration.Change{Authenticator: id, Act: registration.Revoke}, audit.Entry{At: p.clock.Now(), Actor: "test"}); err != nil {
		p.t.Fatal(err)
	}
}

// hashes is how many passwords the process has hashed.
func (p *provider) hashes() int {
	p.t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(p.handler.Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		p.t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "credence_password_hashes_total" {
			return int(family.GetMetric()[0].GetCounter().GetValue())
		}
	}
	p.t.Fatal("there is no metric credence_password_hashes_total")
	return 0
}

// Level 2 with a code, level 1 without an app: NIST SP 800-63B-4, Sections 2.1 and 2.2.
func TestPasswordSignIn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	phone := p.setPassword(oneRole, phrase)
	signIn := func(code string) map[string]any {
		t.Helper()
		b, k := p.browser(), newPKCE()
		a := b.password(b.authorize(request(confidentialClient, k)), code)
		got := p.as(confidentialClient, redeem(confidentialClient, a.redirect(t).Get("code"), k))
		if got.status != http.StatusOK {
			t.Fatalf("token endpoint answers %d %s", got.status, got.Error)
		}
		return claims(t, got.IDToken)
	}
	want := func(c map[string]any, acr, level string, amr ...any) {
		t.Helper()
		if c["sub"] != oneRole || c["acr"] != acr || c["authenticator_assurance_level"] != level {
			t.Errorf("ID token has sub %v, acr %v, level %v; want %s, %s, %s", c["sub"], c["acr"], c["authenticator_assurance_level"], oneRole, acr, level)
		}
		if diff := cmp.Diff(amr, c["amr"]); diff != "" {
			t.Errorf("amr (-want +got):\n%s", diff)
		}
	}
	code := phone.later()
	want(signIn(code[:3]+" "+code[3:]), "AAL2_ANY", "2", "pwd", "otp", "mfa") // as people write it
	second := p.setPassword(oneRole, phrase)                                  // another app, and the same password anew
	want(signIn(second.later()), "AAL2_ANY", "2", "pwd", "otp", "mfa")
	want(signIn(phone.later()), "AAL2_ANY", "2", "pwd", "otp", "mfa")
	p.revokeOne(p.authenticator("totp"))
	p.revokeOne(p.authenticator("totp"))
	want(signIn(""), "AAL1_ANY", "1", "pwd")
	if page := p.browser().get("/sign-in/password?username=" + oneRole); !strings.Contains(page.body, `value="`+oneRole+`"`) {
		t.Errorf("the page for a password does not begin with the user id of its address: %s", text(page.body))
	}
}

// Whatever is wrong, the answer and its cost are the same: nobody learns who exists, who has a password or an app, and
// whether a password was right. Beside each stands what lets the person in.
func TestPasswordSignInRefuses(t *testing.T) { //nolint:tparallel // they count hashes
	t.Parallel()
	p := newProvider(t)
	const nobody, disabled = "656005750199", "656005750107"
	hers, gone := p.setPassword(oneRole, phrase), p.setPassword(disabled, phrase)
	p.enrol(twoRoles, webauthntest.New())
	if err := directory.DisablePerson(t.Context(), p.owner, disabled, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	b := p.browser()
	page := b.get(b.get("/sign-in").passwordLink())
	taken := hers.later()
	if a := b.enterPassword(page, oneRole, phrase, taken); a.path() != "/" || b.home() == "" {
		t.Fatalf("the right password and code lead to %s: %s", a.path(), text(a.body))
	}
	volatile := regexp.MustCompile(`id="reference">[A-Z0-9]+<|value="[0-9]{12}"|state=[^"&]*`)
	var first string
	for _, tt := range []struct{ name, username, password, code, reason string }{
		{"another password", oneRole, otherPhrase, hers.later(), "password_wrong"},
		{"another password, and no code", oneRole, otherPhrase, "", "password_wrong"},
		{"the password in capitals", oneRole, strings.ToUpper(phrase), hers.code(), "password_wrong"},
		{"a password that is no text", oneRole, phrase + "\xff", hers.code(), "password_wrong"},
		{"a password of 10,000 characters", oneRole, strings.Repeat("x", 10_000), hers.code(), "password_wrong"},
		{"no code", oneRole, phrase, "", "code_missing"},
		{"another code", oneRole, phrase, "0", "code_wrong"},
		{"a code that was taken", oneRole, phrase, taken, "code_replayed"},
		{"somebody without a password", twoRoles, phrase, "123456", "password_none"},
		{"nobody", nobody, phrase, "123456", "person_unknown"},
		{"somebody disabled", disabled, phrase, gone.code(), "person_disabled"},
		{"somebody disabled, and another password", disabled, otherPhrase, gone.code(), "password_wrong"},
	} {
		t.Run(tt.name, func(t *testing.T) { //nolint:paralleltest // they count hashes
			hashes := p.hashes()
			c := p.browser()
			a := c.enterPassword(c.get(c.get("/sign-in").passwordLink()), tt.username, tt.password, tt.code)
			if a.StatusCode != http.StatusForbidden || len(a.Cookies()) > 0 || c.home() != "" {
				t.Errorf("answer = %d with %d cookies, want 403 with none", a.StatusCode, len(a.Cookies()))
			}
			said := volatile.ReplaceAllString(a.body, "")
			if first == "" {
				first = said
			}
			if said != first {
				t.Errorf("the page differs from that of another refusal (-first +this):\n%s", cmp.Diff(first, said))
			}
			if strings.Contains(a.body, "lapwings") || strings.Contains(a.body, "heron") {
				t.Error("the page shows the password")
			}
			if got := p.hashes() - hashes; got != 1 {
				t.Errorf("the answer costs %d hashes, want 1", got)
			}
			lines := strings.Split(p.logs.String(), "\n")
			posted := slices.IndexFunc(lines, func(line string) bool {
				return strings.Contains(line, `"POST /sign-in/password"`) && strings.Contains(line, a.reference(t))
			})
			if posted < 0 || !strings.Contains(lines[posted], "refusal="+tt.reason+" ") && !strings.HasSuffix(lines[posted], "refusal="+tt.reason) {
				t.Errorf("the log does not say %s of reference %s", tt.reason, a.reference(t))
			}
			p.exec(`DELETE FROM throttle`)
		})
	}
	if a := b.enterPassword(page, oneRole, phrase, hers.later()); a.path() != "/" {
		t.Errorf("the right password and code afterwards lead to %s: %s", a.path(), text(a.body))
	}
	if n := p.count(`SELECT failed_attempts FROM authenticator WHERE id = $1`, p.authenticator("password")); n != 0 {
		t.Errorf("%d failed attempts are left after the right password, want 0", n)
	}
	// What names nobody is not on record.
	want := []string{"signed_in: password_wrong", "signed_in: code_missing", "signed_in: code_wrong", "signed_in: code_replayed", "signed_in: password_none", "signed_in: person_disabled"}
	if got := slices.Compact(p.audited("signed_in")); !cmp.Equal(slices.DeleteFunc(got, func(e string) bool { return e == "signed_in" })[:len(want)], want) {
		t.Errorf("the record has %q, want %q", got, want)
	}
}

func TestPasswordPageSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	page := b.get("/sign-in/password")
	hashes := p.hashes()
	for _, tt := range []struct{ username, password, want string }{
		{"", phrase, `href="#username"`},
		{"6560", phrase, `href="#username"`},
		{oneRole, "", `href="#password"`},
	} {
		a := b.enterPassword(page, tt.username, tt.password, "")
		if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, tt.want) || strings.Contains(a.body, "lapwings") {
			t.Errorf("entering %q and %q = %d %s, want 400 and %s", tt.username, tt.password, a.StatusCode, text(a.body), tt.want)
		}
	}
	if got := p.hashes() - hashes; got != 0 {
		t.Errorf("what cannot be right costs %d hashes, want 0", got)
	}
	page = b.get(b.authorize(request(confidentialClient, newPKCE())).passwordLink())
	if a := b.rest(b.post(page.form(t), url.Values{"cancel": {"1"}})); a.redirect(t).Get("error") != "access_denied" {
		t.Errorf("cancelling leads to %s, want the client and access_denied", a.Header.Get("Location"))
	}
	if a := b.get("/sign-in/password?state=x"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("the page with a broken state = %d, want 400", a.StatusCode)
	}
}

// RFC 6238, Section 5.2: "The verifier MUST NOT accept the second attempt of the OTP after the successful validation has been
// issued for the first OTP". On two processes, all at once.
func TestCodeSignsInOnce(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	phone := p.setPassword(oneRole, phrase)
	for range 3 {
		code := phone.later()
		var mu sync.Mutex
		var wg sync.WaitGroup
		won := 0
		for i := range 8 {
			b := p.browser()
			if i%2 == 1 {
				b = b.at(q)
			}
			form := b.get("/sign-in/password").form(t)
			wg.Go(func() {
				a := b.post(form, url.Values{"username": {oneRole}, "password": {phrase}, "code": {code}})
				mu.Lock()
				defer mu.Unlock()
				if a.StatusCode == http.StatusSeeOther {
					won++
				} else if a.StatusCode != http.StatusForbidden {
					t.Errorf("a use of the code = %d %s, want 303 or 403", a.StatusCode, text(a.body))
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d of 8 uses of one code sign in, want 1", won)
		}
		p.exec(`DELETE FROM throttle`)
		p.clock.advance(11 * time.Minute) // what is in memory ends too
	}
}

// A password can be guessed, so where many have failed it is not looked at, the right one neither. The passkey of the same
// person works on.
func TestPasswordBeyondLimit(t *testing.T) {
	t.Parallel()
	p := newProvider(t).second(behindProxy)
	key := webauthntest.NewPasskey()
	p.enrol(oneRole, key)
	phone := p.setPassword(oneRole, phrase)
	const nobody = "656005750199"
	for _, username := range []string{oneRole, nobody} {
		for i := range 10 {
			b := p.from(another(i))
			if a := b.enterPassword(b.get("/sign-in/password"), username, otherPhrase, ""); a.StatusCode != http.StatusForbidden {
				t.Fatalf("failure %d of %s = %d, want 403", i+1, username, a.StatusCode)
			}
		}
		hashes := p.hashes()
		b := p.from(another(20))
		a := b.enterPassword(b.get("/sign-in/password"), username, phrase, phone.later())
		if a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" || !strings.Contains(text(a.body), "Wait ") || b.home() != "" {
			t.Errorf("the right password of %s after ten that were wrong = %d, Retry-After %q: %s; want 429, when to come back, and nobody signed in",
				username, a.StatusCode, a.Header.Get("Retry-After"), text(a.body))
		}
		if got := p.hashes() - hashes; got != 0 {
			t.Errorf("what is beyond the limit costs %d hashes, want 0", got)
		}
	}
	b := p.from(another(21))
	b.passkey(b.get("/sign-in"), key)
	if b.home() == "" {
		t.Error("her passkey does not work beyond the limit of her password")
	}
	b = p.from(another(22))
	if a := b.enterPassword(b.get("/sign-in/password"), twoRoles, phrase, ""); a.StatusCode != http.StatusForbidden {
		t.Errorf("the password of somebody else = %d, want 403: it is looked at", a.StatusCode)
	}
	p.clock.advance(10 * time.Minute)
	b = p.from(another(20))
	if a := b.enterPassword(b.get("/sign-in/password"), oneRole, phrase, phone.later()); a.path() != "/" || b.home() == "" {
		t.Errorf("the right password ten minutes later leads to %s: %s", a.path(), text(a.body))
	}
}

// Where too many sign-ins of any kind have failed, no password is looked at.
func TestPasswordAtAnAddressBeyondLimit(t *testing.T) {
	t.Parallel()
	p := newProvider(t).second(behindProxy)
	phone := p.setPassword(oneRole, phrase)
	const attacker, home = "192.0.2.1", "192.0.2.2"
	p.from(attacker).failSignIn()
	p.nearly("sign_in_address", 100)
	p.from(attacker).failSignIn()
	b := p.from(attacker)
	if a := b.enterPassword(b.get("/sign-in/password"), oneRole, phrase, phone.later()); a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" {
		t.Errorf("the right password at an address beyond its limit = %d, want 429 with Retry-After", a.StatusCode)
	}
	b = p.from(home)
	if a := b.enterPassword(b.get("/sign-in/password"), oneRole, phrase, phone.later()); a.path() != "/" {
		t.Errorf("the right password at another address leads to %s: %s", a.path(), text(a.body))
	}
}

// NIST SP 800-63B-4, Section 3.2.2: no more than 100 failures in a row, over whatever time. Then another password has to be
// bound.
func TestPasswordIsShutAfterManyFailures(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	key := webauthntest.NewPasskey()
	p.enrol(oneRole, key)
	phone := p.setPassword(oneRole, phrase)
	b := p.browser()
	failed := func(n int) {
		t.Helper()
		p.exec(`UPDATE authenticator SET failed_attempts = $1 WHERE id = $2`, n, p.authenticator("password"))
	}
	enter := func(password, code string) answer {
		t.Helper()
		return b.enterPassword(b.get("/sign-in/password"), oneRole, password, code)
	}
	failed(48)
	enter(otherPhrase, "")
	if a := enter(phrase, phone.later()); a.path() != "/" {
		t.Errorf("the right password after 49 failures leads to %s: %s", a.path(), text(a.body))
	}
	failed(49)
	enter(phrase, "") // a code is a part of it
	if a := enter(phrase, phone.later()); a.StatusCode != http.StatusForbidden {
		t.Errorf("the right password after 50 failures = %d, want 403", a.StatusCode)
	}
	if got := p.audited("signed_in"); got[len(got)-1] != "signed_in: password_shut" {
		t.Errorf("the record ends with %q, want that the password is shut", got)
	}
	c := p.browser()
	c.passkey(c.get("/sign-in"), key)
	if c.home() == "" {
		t.Error("her passkey does not work when her password is shut")
	}
	fresh := p.setPassword(oneRole, otherPhrase)
	if a := enter(otherPhrase, fresh.later()); a.path() != "/" {
		t.Errorf("the new password leads to %s: %s", a.path(), text(a.body))
	}
}

// What rests on a password or an app ends when it is taken away, and when another password takes its place.
func TestRevokedPasswordEndsSessions(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	key := webauthntest.NewPasskey()
	p.enrol(oneRole, key)
	withKey := p.browser()
	withKey.passkey(withKey.get("/sign-in"), key)
	phone := p.setPassword(oneRole, phrase)
	signedIn := func(code string) (*browser, tokens) {
		t.Helper()
		b, k := p.browser(), newPKCE()
		a := b.password(b.authorize(request(confidentialClient, k, "scope", "openid offline_access")), code)
		return b, p.as(confidentialClient, redeem(confidentialClient, a.redirect(t).Get("code"), k))
	}
	ended := func(what string, b *browser, got tokens) {
		t.Helper()
		if b.home() != "" {
			t.Errorf("%s: the session goes on, want it ended", what)
		}
		p.wantUserinfo(got.AccessToken, http.StatusUnauthorized)
		p.wantRefresh(what, got.RefreshToken, http.StatusBadRequest)
	}
	b, got := signedIn(phone.later())
	p.revokeOne(p.authenticator("totp"))
	ended("the app was revoked", b, got)
	b, got = signedIn("")
	phone = p.setPassword(oneRole, phrase)
	ended("another password was set", b, got)
	b, got = signedIn(phone.later())
	p.revokeOne(p.authenticator("password"))
	ended("the password was revoked, of a sign-in with an app", b, got)
	if a := p.browser(); a.enterPassword(a.get("/sign-in/password"), oneRole, phrase, phone.later()).StatusCode != http.StatusForbidden {
		t.Error("the revoked password signs in")
	}
	if withKey.home() == "" {
		t.Error("the session of the passkey has ended, want that it goes on")
	}
	if a := p.browser().get("/sign-in?username=" + oneRole); strings.Count(string(a.ceremony(t).options), `"public-key"`) != 1 {
		t.Errorf("the ceremony of the person asks for %s, want her passkey alone", a.ceremony(t).options)
	}
}

// A flood of passwords takes no more memory and cores than a few: who finds the queue full is told at once to come back.
func TestFloodOfPasswordsIsTurnedAway(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	phone := p.setPassword(oneRole, phrase)
	b := p.browser()
	form := b.get("/sign-in/password").form(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	statuses := map[int]int{}
	for i := range 90 { // of as many people, so that no limit is reached
		wg.Go(func() {
			a := b.post(form, url.Values{"username": {fmt.Sprintf("6560057%05d", i)}, "password": {otherPhrase}, "code": {"123456"}})
			mu.Lock()
			defer mu.Unlock()
			statuses[a.StatusCode]++
			if a.StatusCode == http.StatusServiceUnavailable && (a.Header.Get("Retry-After") != "5" || !strings.Contains(text(a.body), "Wait a moment")) {
				t.Errorf("who is turned away is told %q, Retry-After %q; want when to come back", text(a.body), a.Header.Get("Retry-After"))
			}
		})
	}
	wg.Wait()
	if statuses[http.StatusForbidden] == 0 || statuses[http.StatusServiceUnavailable] == 0 || statuses[http.StatusForbidden]+statuses[http.StatusServiceUnavailable] != 90 {
		t.Errorf("answers to a flood = %v, want some 403 and some 503", statuses)
	}
	if a := b.enterPassword(b.get("/sign-in/password"), oneRole, phrase, phone.later()); a.path() != "/" {
		t.Errorf("the right password after the flood leads to %s: %s", a.path(), text(a.body))
	}
}
