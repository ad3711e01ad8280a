package idp_test

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// openedToAll is an installation with mail, at whose hospital people register themselves.
func openedToAll(t *testing.T) (*provider, post) {
	t.Helper()
	p := newProvider(t)
	p.exec(`UPDATE organisation SET self_registration = true WHERE code = 'ZX100'`)
	return p.mailing()
}

func applicant(email string) url.Values {
	return url.Values{"given_name": {"Sarah"}, "family_name": {"Meredyth"}, "email": {email}}
}

// asks registers somebody, as far as the link that is mailed, and returns it.
func (m post) asks(b *browser, email string) (link string) {
	b.t.Helper()
	before := links(m.delivered())
	b.rest(b.post("/register/ZX100", applicant(email))).wantPage(b.t, http.StatusOK, "/register/sent", "We have sent a link")
	for _, link := range links(m.delivered()) {
		if !slices.Contains(before, link) {
			return link
		}
	}
	b.t.Fatalf("no link was mailed to %s", email)
	return ""
}

// registers puts somebody on record who then signs in with a key, and returns her user id.
func (m post) registers(email string, key *webauthntest.Key) (person string) {
	m.p.t.Helper()
	b := m.p.browser()
	link := m.asks(b, email)
	c := b.rest(b.post(link, nil)).ceremony(m.p.t)
	if got := b.finish(c, key.Create(c.options, issuer), "phone"); got.Status != http.StatusOK {
		m.p.t.Fatalf("enrolment of who registered herself = %+v, want 200", got)
	}
	person, err := m.p.owner.OnRecord(m.p.t.Context(), email)
	if err != nil {
		m.p.t.Fatalf("OnRecord(%s) = %v, want who registered herself", email, err)
	}
	return person
}

// signedInAt runs the code flow of a client for whoever has a key.
func (p *provider) signedInAt(client string, key *webauthntest.Key) map[string]any {
	p.t.Helper()
	k, b := newPKCE(), p.browser()
	a := b.passkey(b.authorize(request(client, k, "scope", "openid nationalrbacaccess nhsperson")), key)
	if a.path() == "/sign-in/role" {
		a = b.rest(b.post("/sign-in/role?"+a.address().RawQuery, url.Values{"role": {""}}))
	}
	got := p.as(client, redeem(client, a.redirect(p.t).Get("code"), k))
	if got.status != http.StatusOK {
		p.t.Fatalf("token endpoint answers %d %s: %s", got.status, got.Error, got.Description)
	}
	told := claims(p.t, got.IDToken)
	_, more := p.userinfo(got.AccessToken)
	maps.Copy(told, more)
	return told
}

// Somebody registers herself, signs in as nobody who is known, is proved at the desk and given a position: the same person throughout.
func TestSelfRegistration(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	key := webauthntest.NewPasskey()
	person := mails.registers("sarah@example.org", key)

	told := p.signedInAt(confidentialClient, key)
	if told["sub"] != person || told["identity_assurance_level"] != "none" || told["nhsid_nrbac_roles"] != nil || told["role"] != nil {
		t.Errorf("the token of who registered herself says %v, want %s at level none, without a role", told, person)
	}
	if _, about, detail := p.line("self_registered"); about != person || detail["organisation"] != "ZX100" {
		t.Errorf("the record says %q registered herself, %v, want %s at ZX100", about, detail, person)
	}

	// The desk finds her, and cannot approve what is asked for her.
	agent, page := p.atDesk(raAgent, "/desk/self-registered")
	if page.found() != person {
		t.Errorf("the list of who is to be proved = %q, want %s: %s", page.found(), person, text(page.body))
	}
	agent.get("/desk").wantPage(t, http.StatusOK, "/desk", "People who registered themselves, to prove", "<strong>1</strong> waits")
	agent.get("/desk/people/"+person).wantPage(t, http.StatusOK, "/desk/people/"+person, "nothing else was checked", "/desk/people?q=Sarah+Meredyth")
	ward, _ := p.wardNurse()
	asked, err := p.registrar().Ask(t.Context(), deed.Acting{Person: raSponsor, Role: sponsorsRole}, position.Asked{Kind: position.Assign, Person: person, Position: ward, Reason: "Starts on Monday"})
	if err != nil || asked.State != "open" {
		t.Fatalf("Ask(for who registered herself) = %+v, %v, want it to wait", asked, err)
	}
	request, approval := "/desk/requests/"+asked.Request.String(), url.Values{"verdict": {"approved"}, "reason": {"As asked"}}
	agent.post(request, approval).wantPage(t, http.StatusBadRequest, request, "can have no position before evidence proves the identity to level medium")

	// It proves the same person, who reads the code of her account, and who then is what was asked for.
	a := agent.post("/desk/people/"+person+"/evidence/new?kind=passport", with(passportForm(), "account_code", p.accountCode(person)))
	a.wantPage(t, http.StatusOK, "/desk/people/"+person+"/evidence/new", "Medium (M1C)")
	if left := agent.get("/desk/self-registered"); left.found() != "" {
		t.Errorf("the list of who is to be proved = %q, want nobody any more", left.found())
	}
	agent.rest(agent.post(request, approval)).wantPage(t, http.StatusOK, request, "Approved")
	roled := p.browser()
	roled.passkey(roled.get("/sign-in"), key)
	got := p.signedIn(roled, otherClient, "", "scope", "openid offline_access nationalrbacaccess")
	if c := claims(t, got.IDToken); c["sub"] != person || c["identity_assurance_level"] != "medium" || c["role"] == nil {
		t.Errorf("the token of who was proved says %v, want %s at level medium in a role", c, person)
	}

	// Without what proved her she acts as nothing again, at once and everywhere.
	list, err := p.desk().Of(t.Context(), person, uuid.Nil, 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("Of() = %v, %v, want the passport", list, err)
	}
	if _, err := p.desk().Withdraw(t.Context(), raAgent, uuid.MustParse(list[0].ID), evidence.Forged); err != nil {
		t.Fatal(err)
	}
	if again := p.as(otherClient, refresh(got.RefreshToken)); again.status != http.StatusBadRequest || again.Error != "invalid_grant" {
		t.Errorf("a refresh of a role without what proved her = %d %s, want 400 invalid_grant", again.status, again.Error)
	}
	if told := p.signedInAt(confidentialClient, key); told["identity_assurance_level"] != "none" || told["role"] != nil {
		t.Errorf("the token without what proved her says %v, want level none and no role", told)
	}
}

// What is not open to all is not found, whether there is such an organisation or not.
func TestSelfRegistrationIsOpened(t *testing.T) {
	t.Parallel()
	p, _ := openedToAll(t)
	b := p.browser()
	for _, code := range []string{"ZX000", "ZX200", "NOWHERE", "zx100", "%3Cscript%3E", "%00", strings.Repeat("Z", 2000)} {
		for what, a := range map[string]answer{"GET": b.get("/register/" + code), "POST": b.post("/register/"+code, applicant("sarah@example.org"))} {
			if a.StatusCode != http.StatusNotFound || !strings.Contains(a.body, "You cannot register here") {
				t.Errorf("%s /register/%.20s = %d %s, want 404", what, code, a.StatusCode, text(a.body))
			}
		}
	}
	b.get("/register/ZX100").wantPage(t, http.StatusOK, "/register/ZX100", "Larkmere Hospital")
	if n := p.count(`SELECT count(*) FROM message`); n != 0 {
		t.Errorf("messages = %d, want none", n)
	}
	without := p.second()
	if a := b.at(without).get("/register/ZX100"); a.StatusCode != http.StatusNotFound {
		t.Errorf("GET /register/ZX100 without mail = %d, want 404", a.StatusCode)
	}
}

func TestSelfRegistrationSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	p, _ := openedToAll(t)
	b := p.browser()
	for _, test := range []struct {
		name, field, value, words string
	}{
		{"no given name", "given_name", " ", "Enter your given name"},
		{"a given name without end", "given_name", strings.Repeat("a", 101), "Enter your given name"},
		{"a name that turns text", "family_name", "Mere\u202edyth", "Enter your family name"},
		{"no address", "email", "", "Enter your email address"},
		{"no address at all", "email", "sarah", "Enter your email address"},
		{"an address with a name", "email", "Sarah <sarah@example.org>", "Enter your email address"},
		{"two addresses", "email", "sarah@example.org, eve@example.org", "Enter your email address"},
		{"an address with a header", "email", "sarah@example.org\r\nBcc: eve@example.org", "Enter your email address"},
	} {
		form := applicant("sarah@example.org")
		form.Set(test.field, test.value)
		a := b.post("/register/ZX100", form)
		a.wantPage(t, http.StatusBadRequest, "/register/ZX100", test.words)
		if test.field != "family_name" && !strings.Contains(a.body, `value="Meredyth"`) {
			t.Errorf("%s: the form has not kept what was entered: %s", test.name, text(a.body))
		}
	}
	if n := p.count(`SELECT count(*) FROM self_registration`) + p.count(`SELECT count(*) FROM throttle WHERE kind LIKE 'self%'`); n != 0 {
		t.Errorf("rows of what was wrong = %d, want none", n)
	}
	b.rest(b.post("/register/ZX100", applicant("sarah@example.org"))).wantPage(t, http.StatusOK, "/register/sent")
}

// An address that is somebody's is asked, counted, written and mailed as any other. Only behind the link is it said whose it is: hers.
func TestSelfRegistrationTellsNobodyWhoIsOnRecord(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	b := p.browser()
	b.get("/register/ZX100")
	const hers = "gwil.hawthornby@oakhollow.example"
	type told struct {
		status, trips, writes int
		location, retry       string
	}
	seen := map[string]told{}
	for _, email := range []string{"warm@example.org", "nobody@example.org", hers} {
		p.trips.take()
		a := b.post("/register/ZX100", applicant(email))
		trips, writes := p.trips.take()
		seen[email] = told{a.StatusCode, trips, writes, a.Header.Get("Location"), a.Header.Get("Retry-After")}
	}
	if seen[hers] != seen["nobody@example.org"] || seen[hers].status != http.StatusSeeOther {
		t.Errorf("an address on record is told %+v, and another %+v, want the same", seen[hers], seen["nobody@example.org"])
	}
	said := map[string]string{}
	for _, l := range mails.delivered() {
		said[l.to] = l.subject + mailedLink.ReplaceAllString(l.body, "")
		if strings.Contains(l.body, "Sarah") || strings.Contains(l.body, "Gwil") {
			t.Errorf("the message to %s names somebody: %s", l.to, l.body)
		}
	}
	if said[hers] == "" || said[hers] != said["nobody@example.org"] {
		t.Errorf("an address on record is mailed %q, and another %q, want the same", said[hers], said["nobody@example.org"])
	}

	for _, email := range []string{hers, strings.ToUpper(hers[:1]) + hers[1:]} {
		link := mails.asks(b, email)
		b.get(link).wantPage(t, http.StatusConflict, "/register/confirm", "You are on record already")
		b.post(link, nil).wantPage(t, http.StatusConflict, "/register/confirm", "You are on record already")
		b.post(link, nil).wantPage(t, http.StatusGone, "/register/confirm", "This link does not work")
	}
	if n := p.count(`SELECT count(*) FROM person WHERE lower(email) = $1`, hers); n != 1 {
		t.Errorf("people with the address = %d, want the 1 that there was", n)
	}
	if actor, about, _ := p.line("self_registered"); actor != "unknown" || about != oneRole {
		t.Errorf("the record says %q registered with the address of %q, want unknown and %s", actor, about, oneRole)
	}
}

// Whoever looks at a link spends nothing. Of any number of uses at once one puts somebody on record.
func TestSelfRegistrationHappensOnce(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	b := p.browser()
	first, second := mails.asks(b, "sarah@example.org"), mails.asks(b, "sarah@example.org")
	for _, link := range []string{first, second, first} {
		b.get(link).wantPage(t, http.StatusOK, "/register/confirm", "Is this you?", "Sarah Meredyth", "sarah@example.org")
	}
	if n := p.count(`SELECT count(*) FROM person WHERE email = 'sarah@example.org'`); n != 0 {
		t.Fatalf("people on record before anybody confirmed = %d, want 0", n)
	}
	var won, gone atomic.Int32
	var all sync.WaitGroup
	for n := range 32 {
		link := []string{first, second}[n%2]
		all.Go(func() {
			switch a := p.browser().post(link, nil); a.StatusCode {
			case http.StatusSeeOther:
				won.Add(1)
			case http.StatusGone:
				gone.Add(1)
			default:
				t.Errorf("to confirm = %d %s", a.StatusCode, text(a.body))
			}
		})
	}
	all.Wait()
	if won.Load() != 1 || gone.Load() != 31 {
		t.Errorf("32 uses of two links for one address: %d, and %d too late, want 1 and 31", won.Load(), gone.Load())
	}
	if n := p.count(`SELECT count(*) FROM person WHERE email = 'sarah@example.org'`); n != 1 {
		t.Errorf("people on record = %d, want 1", n)
	}
	for _, link := range []string{"/register/confirm", "/register/confirm?token=", "/register/confirm?token=x%00", "/register/confirm?token=" + strings.Repeat("A", 5000)} {
		b.get(link).wantPage(t, http.StatusGone, "/register/confirm", "This link does not work")
		b.post(link, nil).wantPage(t, http.StatusGone, "/register/confirm", "This link does not work")
	}
}

// With the organisation closed to all, its links are dead at once, and for good. Those of others are not.
func TestSelfRegistrationIsClosed(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	p.exec(`UPDATE organisation SET self_registration = true WHERE code = 'ZX000'`)
	b := p.browser()
	link := mails.asks(b, "sarah@example.org")
	b.rest(b.post("/register/ZX000", applicant("another@example.org"))).wantPage(t, http.StatusOK, "/register/sent")
	p.setPolicy("ZX100", func(policy *directory.Policy) { policy.SelfRegistration = false })
	b.post(link, nil).wantPage(t, http.StatusGone, "/register/confirm", "This link does not work")
	p.setPolicy("ZX100", func(policy *directory.Policy) { policy.SelfRegistration = true })
	b.post(link, nil).wantPage(t, http.StatusGone, "/register/confirm", "This link does not work")
	if n := p.count(`SELECT count(*) FROM self_registration WHERE organisation_code = 'ZX000'`); n != 1 {
		t.Errorf("registrations at another organisation = %d, want the 1 that there was", n)
	}
	if link := mails.asks(b, "sarah@example.org"); b.post(link, nil).StatusCode != http.StatusSeeOther {
		t.Error("a link of when it was opened again puts nobody on record")
	}
}

// Whoever knows an address, and asks with it as often as anybody is let, from as many places as she likes, ends no link that its owner
// asked for: for an hour at least that works. No more than ten work at a time, in whatever case the address was written, and all end with the one that is used.
func TestSelfRegistrationIsNotEndedByOthers(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.exec(`UPDATE organisation SET self_registration = true WHERE code = 'ZX100'`)
	p, mails := p.mailing()
	ask := func(n int) {
		t.Helper()
		var all sync.WaitGroup
		var beyond atomic.Int32
		for i := range 2 * n {
			email := []string{"sarah@example.org", "Sarah@Example.org", "SARAH@example.org"}[i%3]
			all.Go(func() {
				if p.browser().post("/register/ZX100", applicant(email)).StatusCode == http.StatusTooManyRequests {
					beyond.Add(1)
				}
			})
		}
		all.Wait()
		if int(beyond.Load()) != n {
			t.Fatalf("of %d who ask %d are beyond the limit, want %d", 2*n, beyond.Load(), n)
		}
	}
	b := p.browser()
	hers := mails.asks(b, "sarah@example.org")
	ask(4) // in the same hour
	b.get(hers).wantPage(t, http.StatusOK, "/register/confirm", "Is this you?")
	p.clock.advance(time.Hour)
	ask(5) // in the next
	b.get(hers).wantPage(t, http.StatusOK, "/register/confirm", "Is this you?")
	if n := p.count(`SELECT count(*) FROM self_registration`); n != 10 {
		t.Errorf("links that work = %d, want 10", n)
	}
	p.clock.advance(time.Hour)
	newest := mails.asks(b, "sarah@example.org")
	b.get(hers).wantPage(t, http.StatusGone, "/register/confirm", "This link does not work")
	if n := p.count(`SELECT count(*) FROM self_registration`); n != 10 {
		t.Errorf("links that work = %d, want no more than 10", n)
	}
	if a := b.post(newest, nil); a.StatusCode != http.StatusSeeOther {
		t.Errorf("to confirm = %d, want 303: %s", a.StatusCode, text(a.body))
	}
	if n := p.count(`SELECT count(*) FROM self_registration`); n != 0 {
		t.Errorf("links that work when one was used = %d, want none", n)
	}
}

// A link works for a day, and while the organisation is open to all. What nobody confirmed is forgotten.
func TestSelfRegistrationEnds(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	b := p.browser()
	link := mails.asks(b, "sarah@example.org")
	for _, test := range []struct {
		name   string
		change func()
		works  bool
	}{
		{"at first", func() {}, true},
		{"when something else was changed there", func() { p.setPolicy("ZX100", func(policy *directory.Policy) { policy.SecondChecker = true }) }, true},
		{"after almost a day", func() { p.clock.advance(24*time.Hour - time.Minute) }, true},
		{"after a day", func() { p.clock.advance(time.Minute) }, false},
	} {
		test.change()
		want := map[bool]int{true: http.StatusOK, false: http.StatusGone}[test.works]
		if a := b.get(link); a.StatusCode != want {
			t.Errorf("the link %s = %d, want %d: %s", test.name, a.StatusCode, want, text(a.body))
		}
	}
	if a := b.post(link, nil); a.StatusCode != http.StatusGone {
		t.Errorf("to confirm after a day = %d, want 410", a.StatusCode)
	}
	p.clock.advance(2 * time.Hour)
	if _, err := p.store.SweepSelfRegistrations(t.Context(), p.clock.Now(), 10); err != nil {
		t.Fatal(err)
	}
	if n := p.count(`SELECT (SELECT count(*) FROM self_registration) + (SELECT count(*) FROM message)`); n != 0 {
		t.Errorf("rows of what nobody confirmed = %d, want 0", n)
	}
}

// Every attempt counts: of an address, of a mailbox and of an organisation. The message that was mailed still works.
func TestSelfRegistrationIsLimited(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		limit string
		most  int
		again func(n int) (from, email string)
	}{
		{"self_registration_address", 60, func(n int) (string, string) { return another(1), fmt.Sprintf("sarah%d@example.org", n) }},
		{"self_registration_mailbox", 5, func(n int) (string, string) {
			return another(n), []string{"sarah@example.org", "sarah+1@example.org", "SARAH+2@example.org", "Sarah@Example.org"}[n%4]
		}},
		{"self_registration_organisation", 1000, func(n int) (string, string) { return another(n), fmt.Sprintf("sarah%d@example.org", n) }},
	} {
		t.Run(test.limit, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			p.exec(`UPDATE organisation SET self_registration = true WHERE code = 'ZX100'`)
			p = p.second(mailTo(t.TempDir()), behindProxy)
			ask := func(n int) answer {
				from, email := test.again(n)
				return p.from(from).post("/register/ZX100", applicant(email))
			}
			if a := ask(0); a.StatusCode != http.StatusSeeOther {
				t.Fatalf("the first = %d %s, want 303", a.StatusCode, text(a.body))
			}
			p.nearly(test.limit, test.most)
			if a := ask(1); a.StatusCode != http.StatusSeeOther {
				t.Errorf("the last that is allowed = %d %s, want 303", a.StatusCode, text(a.body))
			}
			a := ask(2)
			if a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, `value="Meredyth"`) {
				t.Errorf("beyond the limit = %d, Retry-After %q: %s", a.StatusCode, a.Header.Get("Retry-After"), text(a.body))
			}
			if diff := cmp.Diff([]string{test.limit}, p.reached()); diff != "" {
				t.Errorf("limits that were reached (-want +got):\n%s", diff)
			}
			if n := p.count(`SELECT count(*) FROM self_registration`); n != 2 {
				t.Errorf("registrations = %d, want the 2 that were allowed", n)
			}
			p.clock.advance(time.Hour)
			if a := ask(3); a.StatusCode != http.StatusSeeOther {
				t.Errorf("an hour later = %d %s, want 303", a.StatusCode, text(a.body))
			}
		})
	}
}

// Whoever registered herself is given no role, whoever gives it; and what is assignable waits.
func TestWhoRegisteredHerselfIsGivenNothing(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	person := mails.registers("sarah@example.org", webauthntest.NewPasskey())
	ctx, r := t.Context(), p.registrar()
	role := directory.NewRole{PersonID: person, Organisation: "ZX100", JobRole: "S8000:G8000:R8001"}
	_, err := r.Grant(ctx, role, "operator", position.Known{Separated: true})
	if !errors.Is(err, directory.ErrUnproved) {
		t.Errorf("Grant(at the command line) = %v, want %v", err, directory.ErrUnproved)
	}
	id, err := r.Propose(ctx, deed.Acting{Person: raManager, Role: managersRole}, "ZX100", position.Draft{Name: "Porter", JobRole: "S8000:G8000:R8001", Activities: []string{"B0401"}, Assignable: true, Reason: "Porters"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Approve(ctx, deed.Acting{Person: raAdvanced, Role: advancedsRole}, id, 1); err != nil {
		t.Fatal(err)
	}
	ask := func(person string) position.Answer {
		asked, err := r.Ask(ctx, deed.Acting{Person: raSponsor, Role: sponsorsRole}, position.Asked{Kind: position.Assign, Person: person, Position: id, Reason: "Starts on Monday"})
		if err != nil {
			t.Fatal(err)
		}
		return asked
	}
	asked := ask(person)
	if asked.State != "open" || asked.Role != "" {
		t.Errorf("Ask(for an assignable position) = %+v, want it to wait", asked)
	}
	if other := ask(noRole); other.State != "approved" {
		t.Errorf("Ask(for an assignable position, for another) = %+v, want it given", other)
	}
	_, err = r.Decide(ctx, deed.Acting{Person: raAgent, Role: agentsRole}, asked.Request, position.Approve, "As asked", "")
	if refusal, refused := errors.AsType[*deed.Refusal](err); !refused || refusal.Reason != position.NotProved {
		t.Errorf("Decide(for who registered herself) = %v, want %s", err, position.NotProved)
	}
	if n := p.count(`SELECT count(*) FROM role_profile r JOIN membership m ON m.id = r.membership_id WHERE m.person_id = $1`, person); n != 0 {
		t.Errorf("roles of who registered herself = %d, want none", n)
	}
	p.prove(person)
	if _, err := r.Decide(ctx, deed.Acting{Person: raAgent, Role: agentsRole}, asked.Request, position.Approve, "As asked", ""); err != nil {
		t.Errorf("Decide(for who was proved) = %v, want it given", err)
	}
	if _, err := r.Grant(ctx, directory.NewRole{PersonID: person, Organisation: "ZX200", JobRole: "S8000:G8000:R8001"}, "operator", position.Known{}); err != nil {
		t.Errorf("Grant(to who was proved) = %v, want it given", err)
	}
}
