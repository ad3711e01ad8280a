package idp_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

func authenticatorsOf(person string) string { return "/desk/people/" + person + "/authenticators" }

// newestKey is the id of the newest authenticator of somebody, in whichever state.
func (p *provider) newestKey(person string) string {
	p.t.Helper()
	list, err := p.owner.Authenticators(p.t.Context(), person, true)
	if err != nil || len(list) == 0 {
		p.t.Fatalf("Authenticators(%s) = %v, %v, want one", person, list, err)
	}
	return list[len(list)-1].ID.String()
}

// An officer binds a key to the person in front of her, who then signs in with it; the record says who did.
func TestDeskBindsAuthenticator(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	of, key := authenticatorsOf(noRole), webauthntest.New()
	b, page := p.atDesk(raAgent, "/desk/people/"+noRole)
	if !strings.Contains(page.body, `href="`+of+`"`) {
		t.Errorf("the page of a person does not lead to the authenticators: %s", text(page.body))
	}
	if words := b.get(of).words(t); !strings.Contains(words, "Nothing yet") {
		t.Errorf("the authenticators of who has none = %s, want that", words)
	}
	c := b.get(of + "/new").ceremony(t)
	response := key.Create(c.options, issuer)

	// The ceremony is of this officer's session, and of this person.
	other, _ := p.atDesk(raAdvanced, "/desk")
	signedInAgain := &browser{t: t, p: p, client: p.httpClient(b.client.Jar)}
	for _, tt := range []struct {
		name   string
		b      *browser
		finish string
	}{
		{"another officer", other, c.finish},
		{"another person", b, strings.Replace(c.finish, noRole, p.unproved(), 1)},
		{"an enrolment link", b, strings.Replace(c.finish, of+"/new?", p.link(noRole)+"&", 1)},
	} {
		if got := tt.b.finish(ceremony{c.options, tt.finish}, response, ""); got.Status != http.StatusForbidden {
			t.Errorf("the answer by way of %s = %+v, want 403", tt.name, got)
		}
	}
	if got := b.finish(c, response, "long "+long("x", 60)); got.Status != http.StatusForbidden || !strings.Contains(got.Message, "Enter a name") {
		t.Errorf("an answer with a name that is too long = %+v, want 403", got)
	}
	if n := p.bound(); n != 0 {
		t.Fatalf("authenticators after what was refused = %d, want none", n)
	}
	if got := signedInAgain.finish(c, response, "Blue key"); got.Status != http.StatusOK || got.Location != of {
		t.Fatalf("the answer at the desk = %+v, want 200 and the list", got)
	}
	if got := b.finish(c, response, "Blue key"); got.Status != http.StatusForbidden {
		t.Errorf("the answer again = %+v, want 403", got)
	}
	actor, person, detail := p.line("enrolled")
	if actor != raAgent || person != noRole {
		t.Errorf("the record says that %s bound it to %s, want %s and %s", actor, person, raAgent, noRole)
	}
	if detail["officer_role"] != agentsRole || detail["officer"] != raAgent {
		t.Errorf("the record says of it %v, want the officer and her role", detail)
	}
	if words := b.get(of).words(t); !strings.Contains(words, "Blue key Active Security key Reaches level") {
		t.Errorf("the authenticators after it was bound = %s, want it, active, and its level", words)
	}
	if key.Create(b.get(of+"/new").ceremony(t).options, issuer) != nil {
		t.Error("the key is offered to be bound again")
	}
	if got := p.signInWith(key); got.Status != http.StatusOK {
		t.Errorf("sign-in with the key = %+v, want 200", got)
	}
	want := []string{"enrolled: ceremony_invalid", "enrolled: ceremony_invalid", "enrolled: ceremony_invalid", "enrolled: name_invalid", "enrolled", "enrolled: challenge_replayed"}
	if diff := cmp.Diff(want, p.audited("enrolled")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}

// Nobody issues for herself, for who is an officer above her, or for who is disabled; and each may be issued for by another, or
// when enabled.
func TestDeskIssuesToNobodyAbove(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	agent, _ := p.atDesk(raAgent, "/desk")
	manager, _ := p.atDesk(raManager, "/desk")
	privacy := p.newOfficer("ZX100", "S8002:G8003:R0001")
	for _, tt := range []struct {
		name, person, why string
		other             *browser // who may; nil is nobody
	}{
		{"herself", raAgent, "about yourself", manager},
		{"an officer above her", raAdvanced, "officer above you", manager},
		{"a manager", raManager, "neither at the organisation", nil},
		{"a privacy officer", privacy, "officer above you", manager},
	} {
		for _, page := range []string{"/new", "/link"} {
			a := agent.get(authenticatorsOf(tt.person) + page)
			if words := a.words(t); a.StatusCode != http.StatusForbidden || !strings.Contains(words, tt.why) {
				t.Errorf("%s for %s = %d %s, want 403 and %q", page, tt.name, a.StatusCode, words, tt.why)
			}
			if tt.other == nil {
				continue
			}
			if a := tt.other.get(authenticatorsOf(tt.person) + page); a.StatusCode != http.StatusOK {
				t.Errorf("%s for %s by a manager = %d, want 200", page, tt.name, a.StatusCode)
			}
		}
	}
	if a := agent.post(authenticatorsOf(raAdvanced)+"/link", nil); a.StatusCode != http.StatusForbidden || p.count(`SELECT count(*) FROM enrolment_link`) != 0 {
		t.Errorf("a link for an officer above her = %d, want 403 and none made", a.StatusCode)
	}

	c := agent.get(authenticatorsOf(noRole) + "/new").ceremony(t)
	response := webauthntest.New().Create(c.options, issuer)
	if err := directory.DisablePerson(t.Context(), p.owner, noRole, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if got := agent.finish(c, response, ""); got.Status != http.StatusForbidden || !strings.Contains(got.Message, "disabled") {
		t.Errorf("the answer for who was disabled meanwhile = %+v, want 403", got)
	}
	if a := agent.get(authenticatorsOf(noRole) + "/link"); a.StatusCode != http.StatusForbidden {
		t.Errorf("a link for who is disabled = %d, want 403", a.StatusCode)
	}
	if err := directory.EnablePerson(t.Context(), p.owner, noRole, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if got := agent.finish(c, response, ""); got.Status != http.StatusOK {
		t.Errorf("the answer once she is enabled = %+v, want 200", got)
	}
}

// A sponsor suspends a key: it signs nobody in at any process from then on, and its sessions are gone. An agent has it work
// again; she reports it lost, finds it, and revokes it, each with a reason.
func TestDeskChangesAuthenticators(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	key := webauthntest.New()
	p.enrol(noRole, key)
	id := p.newestKey(noRole)
	of := authenticatorsOf(noRole) + "/" + id + "/"
	sponsor, _ := p.atDesk(raSponsor, "/desk")
	agent, _ := p.atDesk(raAgent, "/desk")
	reason := url.Values{"reason": {"Left on\r\n the bus"}}

	hers := p.browser()
	wants := func(what string, works bool) {
		t.Helper()
		for _, at := range []*provider{q, p} {
			if got := hers.at(at).home() != ""; got {
				t.Errorf("%s: the session from before it is there = %t, want none", what, got)
			}
			status := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[works]
			if got := at.signInWith(key); got.Status != status || got.Forget != (what == "revoked") {
				t.Errorf("%s: sign-in = %+v, want %d", what, got, status)
			}
		}
	}
	hers.passkey(hers.get("/sign-in"), key)
	if hers.at(q).home() == "" {
		t.Fatal("nobody is signed in at the other process")
	}
	if a := sponsor.post(of+"suspend", url.Values{"reason": {" "}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Enter a reason") {
		t.Errorf("to suspend without a reason = %d %s, want 400", a.StatusCode, text(a.body))
	}
	a := sponsor.rest(sponsor.post(of+"suspend", reason))
	if words := a.words(t); a.path() != authenticatorsOf(noRole) || !strings.Contains(words, "Suspended") {
		t.Errorf("after it was suspended: %s %s, want the list that says so", a.path(), words)
	}
	wants("suspended", false)
	if offered := strings.Contains(a.body, of+"resume"); offered {
		t.Error("the sponsor is offered to let it work again")
	}
	if a := sponsor.post(of+"resume", reason); a.StatusCode != http.StatusForbidden {
		t.Errorf("to resume, by the sponsor = %d, want 403", a.StatusCode)
	}
	if a := sponsor.post(of+"suspend", reason); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "The authenticator is suspended already.") {
		t.Errorf("to suspend again = %d %s, want 400", a.StatusCode, text(a.body))
	}
	if a := agent.get(of + "suspend"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("the page that suspends what is suspended = %d, want the list", a.StatusCode)
	}
	agent.rest(agent.post(of+"resume", reason))
	wants("resumed", true)
	hers.passkey(hers.get("/sign-in"), key)
	sponsor.post(of+"report_lost", reason)
	wants("lost", false)
	agent.post(of+"found", reason)
	wants("found", true)
	agent.post(of+"revoke", reason)
	wants("revoked", false)
	if a := agent.post(of+"resume", reason); a.StatusCode != http.StatusBadRequest {
		t.Errorf("to resume what is revoked = %d, want 400", a.StatusCode)
	}
	for _, path := range []string{
		authenticatorsOf(p.unproved()) + "/" + id + "/suspend", authenticatorsOf(noRole) + "/x/suspend", of + "paint", strings.Replace(of, id, "01900000-0000-7000-8000-000000000000", 1) + "suspend",
	} {
		if a := agent.post(path, reason); a.StatusCode != http.StatusNotFound {
			t.Errorf("POST %s = %d, want 404", path, a.StatusCode)
		}
	}
	events := []string{"authenticator_suspended", "authenticator_resumed", "authenticator_lost", "authenticator_found", "authenticator_revoked"}
	want := []string{"authenticator_suspended", "authenticator_suspended: authenticator_suspended", "authenticator_resumed", "authenticator_lost", "authenticator_found", "authenticator_revoked", "authenticator_resumed: authenticator_revoked"}
	if diff := cmp.Diff(want, p.audited(events...)); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
	if actor, person, detail := p.line("authenticator_found"); actor != raAgent || person != noRole || detail["from"] != "lost" || detail["to"] != "active" || detail["reason"] != "Left on the bus" || detail["officer_role"] != agentsRole {
		t.Errorf("the record says that %s did it to %s: %v, want all of it", actor, person, detail)
	}
	if got := p.audited("session_ended"); len(got) == 0 {
		t.Error("the sessions that ended are on no record")
	}
}

// A password that is suspended signs nobody in, and the codes of an app that is count for nothing.
func TestSuspendedPasswordSignsNobodyIn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	codes := p.setPassword(oneRole, phrase)
	manager := p.browserOf(raManager)
	for _, kind := range []string{"password", "totp"} {
		id := p.authenticator(kind).String()
		b := p.browser()
		if a := b.password(b.get("/sign-in"), codes.later()); a.path() != "/" {
			t.Fatalf("sign-in before the %s is suspended leads to %s", kind, a.path())
		}
		manager.post(authenticatorsOf(oneRole)+"/"+id+"/suspend", url.Values{"reason": {"Seen by others"}})
		if b.home() != "" {
			t.Errorf("the session of a suspended %s is there", kind)
		}
		a := b.password(b.get("/sign-in"), codes.later())
		if n := p.count(`SELECT count(*) FROM session WHERE ended_at IS NULL AND 'otp' = ANY (methods)`); n != 0 || kind == "password" && b.home() != "" {
			t.Errorf("sign-in with a suspended %s leads to %s, and %d sessions of both", kind, a.path(), n)
		}
		manager.post(authenticatorsOf(oneRole)+"/"+id+"/resume", url.Values{"reason": {"Not after all"}})
		if a := b.password(b.get("/sign-in"), codes.later()); a.path() != "/" {
			t.Errorf("sign-in once the %s is resumed leads to %s: %s", kind, a.path(), text(a.body))
		}
	}
}

// browserOf is the browser of an officer at the desk.
func (p *provider) browserOf(person string) *browser {
	p.t.Helper()
	b, _ := p.atDesk(person, "/desk")
	return b
}

var (
	linkMade = regexp.MustCompile(`id="enrolment-link">` + regexp.QuoteMeta(issuer) + `(/enrol\?token=[A-Z2-7]+)<`)
	codeMade = regexp.MustCompile(`id="enrolment-code">([0-9]{8})<`)
)

// invitation is a link for the person without a role and its code, as an officer makes them.
func (p *provider) invitation() (link, code string) {
	p.t.Helper()
	a := p.browserOf(raAgent).post(authenticatorsOf(noRole)+"/link", nil)
	madeLink, madeCode := linkMade.FindStringSubmatch(html.UnescapeString(a.body)), codeMade.FindStringSubmatch(a.body)
	if a.StatusCode != http.StatusOK || madeLink == nil || madeCode == nil || a.Header.Get("Cache-Control") != "no-store" {
		p.t.Fatalf("POST link = %d %s, want a link and a code that nobody keeps", a.StatusCode, text(a.body))
	}
	return madeLink[1], madeCode[1]
}

func (b *browser) giveCode(link, code string) answer {
	b.t.Helper()
	return b.post(strings.Replace(link, "/enrol?", "/enrol/code?", 1), url.Values{"code": {code}})
}

func wrongCode(code string) string {
	return map[bool]string{true: "00000000", false: "00000001"}[code != "00000000"]
}

// A link that an officer sends works only with the code that she tells, in the browser in which it was entered.
func TestLinkTakesCode(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	link, code := p.invitation()
	if _, person, detail := p.line("enrolment_link_made"); person != noRole || detail["officer"] != raAgent || detail["code"] != "asked" || strings.Contains(strings.Join([]string{detail["code"], detail["expires_at"]}, ""), code) {
		t.Errorf("the record says of the link of %s: %v, want the officer, and no secret", person, detail)
	}
	b, key := p.browser(), webauthntest.New()
	a := b.get(link)
	if words := a.words(t); a.StatusCode != http.StatusOK || !strings.Contains(words, "Enter the code") || strings.Contains(words, "Romero") || strings.Contains(a.body, "data-options") {
		t.Errorf("the link = %d %s, want to be asked for the code, and told nothing", a.StatusCode, words)
	}
	passwords := strings.Replace(link, "/enrol", "/enrol/password", 1)
	if words := b.get(passwords).words(t); !strings.Contains(words, "Enter the code") {
		t.Errorf("the page for a password = %s, want to be asked for the code", words)
	}
	if got := b.finish(ceremony{nil, link}, []byte(`{}`), ""); got.Status != http.StatusForbidden || !strings.Contains(got.Message, "code") {
		t.Errorf("an answer before the code = %+v, want 403", got)
	}
	if a := b.giveCode(link, wrongCode(code)); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Enter the 8 digits") {
		t.Errorf("a wrong code = %d %s, want to be asked again", a.StatusCode, text(a.body))
	}
	a = b.rest(b.giveCode(link, code[:4]+" "+code[4:]))
	c := a.ceremony(t)
	told := a.address().Query().Get("told")

	// Whoever has the link, and even the address, has to know the code in her own browser.
	thief := p.browser()
	for _, address := range []string{link, link + "&told=" + told} {
		if words := thief.get(address).words(t); !strings.Contains(words, "Enter the code") {
			t.Errorf("%s in another browser = %s, want to be asked for the code", address, words)
		}
	}
	other, _ := p.invitation()
	if words := b.get(other + "&told=" + told).words(t); !strings.Contains(words, "Enter the code") {
		t.Errorf("another link in this browser = %s, want to be asked for its code", words)
	}
	if got := b.finish(c, key.Create(c.options, issuer), "Blue key"); got.Status != http.StatusOK {
		t.Fatalf("the answer = %+v, want 200", got)
	}
	if a := b.giveCode(link, code); a.StatusCode != http.StatusGone {
		t.Errorf("the code of a used link = %d, want 410", a.StatusCode)
	}
	if got := b.finish(c, webauthntest.New().Create(c.options, issuer), ""); got.Status != http.StatusGone {
		t.Errorf("an answer to a used link = %+v, want 410", got)
	}
	if got := p.signInWith(key); got.Status != http.StatusOK {
		t.Errorf("sign-in = %+v, want 200", got)
	}
	if diff := cmp.Diff([]string{"enrolled: code_wrong", "enrolled", "enrolled: link_used", "enrolled: link_used"}, p.audited("enrolled")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
	if p.count(`SELECT count(*) FROM enrolment_link WHERE code_mac IS NULL`) != 0 || strings.Contains(p.dump(), code) {
		t.Error("the database has the code in clear, or a link without one")
	}
}

// A password is set through such a link as well.
func TestLinkWithCodeSetsPassword(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	link, code := p.invitation()
	b := p.browser()
	page := b.rest(b.get(b.rest(b.giveCode(link, code)).passwordLink()))
	codes := p.takeOver(page)
	done := b.rest(b.post(page.form(t), url.Values{"password": {phrase}, "code": {codes.code()}}))
	if done.StatusCode != http.StatusOK || done.path() != "/enrolled" {
		t.Errorf("setting a password ends at %s with %d: %s", done.path(), done.StatusCode, text(done.body))
	}
}

// After five wrong codes, and after a day, not even the right one helps; four wrong ones do no harm. The key of a code may be
// replaced while its link is out.
func TestLinkWithCodeDies(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	for wrong, want := range map[int]int{4: http.StatusOK, 5: http.StatusGone, 7: http.StatusGone} {
		link, code := p.invitation()
		for range wrong {
			b.giveCode(link, wrongCode(code))
		}
		if a := b.rest(b.giveCode(link, code)); a.StatusCode != want {
			t.Errorf("the right code after %d wrong ones = %d %s, want %d", wrong, a.StatusCode, text(a.body), want)
		}
		if a := b.get(link); wrong > 4 && a.StatusCode != http.StatusGone {
			t.Errorf("the link after %d wrong codes = %d, want 410", wrong, a.StatusCode)
		}
	}

	// A link whose code was given dies too, when others guess at it.
	link, code := p.invitation()
	c := b.rest(b.giveCode(link, code)).ceremony(t)
	for range 5 {
		p.browser().giveCode(link, wrongCode(code))
	}
	if got := b.finish(c, webauthntest.New().Create(c.options, issuer), ""); got.Status != http.StatusGone {
		t.Errorf("the answer after five wrong codes = %+v, want 410", got)
	}

	link, code = p.invitation()
	p.clock.advance(24*time.Hour - time.Second)
	if a := b.rest(b.giveCode(link, code)); a.StatusCode != http.StatusOK {
		t.Errorf("the code within a day = %d, want 200", a.StatusCode)
	}
	p.clock.advance(time.Second)
	if a := b.giveCode(link, code); a.StatusCode != http.StatusGone {
		t.Errorf("the code after a day = %d, want 410", a.StatusCode)
	}

	if a := b.giveCode(p.link(noRole), "12345678"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("a code for a link that takes none = %d, want to go on", a.StatusCode)
	}
	if a := b.giveCode("/enrol?token=nobody", "12345678"); a.StatusCode != http.StatusGone {
		t.Errorf("a code for no link = %d, want 410", a.StatusCode)
	}
}
