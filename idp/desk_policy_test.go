package idp_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// setPolicy has an operator change how an organisation has its work done.
func (p *provider) setPolicy(organisation string, change func(*directory.Policy)) {
	p.t.Helper()
	ctx, policies := p.t.Context(), directory.NewPolicies(directory.Help{})
	stated, err := policies.Policy(ctx, p.store, organisation)
	if err != nil {
		p.t.Fatal(err)
	}
	change(&stated.Own)
	err = policies.SetPolicy(ctx, p.store, directory.PolicyChange{Organisation: organisation, Policy: stated.Own, Reason: "A test", Seen: stated.Version},
		audit.Entry{At: p.clock.Now(), Actor: "test"}, func(*store.Tx, directory.Stated) error { return nil })
	if err != nil {
		p.t.Fatal(err)
	}
}

// lenient is a process that knows that officers of the hospital may sign in at level 2.
func (p *provider) lenient() *provider {
	p.t.Helper()
	p.setPolicy("ZX100", func(policy *directory.Policy) { policy.DeskLevel = assurance.AAL2 })
	return p.second()
}

// roleAt is the id of the role of somebody at an organisation.
func (p *provider) roleAt(person, organisation string) string {
	p.t.Helper()
	roles, err := p.store.Person(p.t.Context(), person, p.clock.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range roles.Person.Roles {
		if r.OrganisationCode == organisation {
			return r.ID
		}
	}
	p.t.Fatalf("person %s has no role at %s", person, organisation)
	return ""
}

// newManagerOfBoth is a registration authority manager of two organisations.
func (p *provider) newManagerOfBoth(one, other string) string {
	p.t.Helper()
	const manager = "S0080:G0450:R5080"
	id := p.newOfficer(one, manager)
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := directory.GrantRole(p.t.Context(), p.owner, catalogue, directory.NewRole{PersonID: id, Organisation: other, JobRole: manager}, "test", p.clock.Now()); err != nil {
		p.t.Fatal(err)
	}
	return id
}

// Where the policy of the organisation allows it an officer comes to the desk after a sign-in at level 2, and elsewhere she does
// not; nobody does after less, or whose identity is not proved to level high.
func TestDeskLevelIsOfTheOrganisation(t *testing.T) {
	t.Parallel()
	p := newProvider(t).lenient()
	elsewhere := p.newOfficer("ZX200", "S0080:G0450:R5080")
	for _, test := range []struct {
		name, person, method string
		status               int
		path                 string
	}{
		{"an officer there at level 2", raAgent, "totp", http.StatusOK, "/desk"},
		{"an officer there at level 3", raAgent, "smartcard", http.StatusOK, "/desk"},
		{"an officer there at level 1", raAgent, "password", http.StatusOK, "/sign-in/step-up"},
		{"an officer elsewhere at level 2", elsewhere, "totp", http.StatusOK, "/sign-in/step-up"},
		{"an officer above at level 2", raManager, "totp", http.StatusOK, "/sign-in/step-up"},
		{"somebody whose identity is proved to level medium", noRole, "totp", http.StatusForbidden, "/sign-in/unmet"},
	} {
		b := p.browser()
		page := b.simulate(b.get("/desk"), test.person, test.method)
		if page.StatusCode != test.status || page.path() != test.path {
			t.Errorf("%s comes to %d %s, want %d %s: %s", test.name, page.StatusCode, page.path(), test.status, test.path, text(page.body))
		}
		if test.path != "/sign-in/step-up" {
			continue
		}
		if page = b.stronger(page, test.person, "smartcard"); page.StatusCode != http.StatusOK || page.path() != "/desk" {
			t.Errorf("%s, signed in more strongly, comes to %d %s, want the desk", test.name, page.StatusCode, page.path())
		}
	}
}

// Who changes at the desk to a role of a stricter organisation is asked for the stronger sign-in, and can go back instead.
func TestDeskLevelFollowsTheRole(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	person := p.newManagerOfBoth("ZX100", "ZX200")
	p = p.lenient()
	b := p.browser()
	choose := func(page answer, organisation string) answer {
		t.Helper()
		if page.path() != "/sign-in/role" {
			t.Fatalf("page = %d %s, want the choice of a role: %s", page.StatusCode, page.path(), text(page.body))
		}
		return b.rest(b.post("/sign-in/role?"+page.address().RawQuery, url.Values{"role": {p.roleAt(person, organisation)}}))
	}
	want := func(step string, page answer, path, words string) {
		t.Helper()
		if page.StatusCode != http.StatusOK || page.path() != path || !strings.Contains(page.words(t), words) {
			t.Fatalf("%s: %d %s %s, want %s with %q", step, page.StatusCode, page.path(), text(page.body), path, words)
		}
	}
	page := choose(b.simulate(b.get("/desk"), person, "totp"), "ZX100")
	want("in the role of the lenient organisation", page, "/desk", "ZX100")
	p.clock.advance(1)
	page = choose(b.rest(b.get("/desk/role")), "ZX200")
	want("in that of the stricter one", page, "/sign-in/step-up", "Act in another role")
	if a := b.rest(b.get("/desk/people")); a.path() != "/sign-in/step-up" {
		t.Errorf("another page in that role = %d %s, want to be asked for the stronger sign-in", a.StatusCode, a.path())
	}
	p.clock.advance(1)
	page = choose(b.rest(b.get("/desk/role")), "ZX100")
	want("back in the first role", page, "/desk", "ZX100")
	p.clock.advance(1)
	page = b.stronger(choose(b.rest(b.get("/desk/role")), "ZX200"), person, "smartcard")
	want("signed in more strongly", page, "/desk", "ZX200")
}

// A form that was opened at level 2 does nothing once the organisation asks for level 3.
func TestDeskLevelIsAskedOfEachRequest(t *testing.T) {
	t.Parallel()
	p := newProvider(t).lenient()
	_, request := p.wardNurse()
	b := p.browser()
	if page := b.simulate(b.get("/desk/requests/"+request), raAgent, "totp"); !strings.Contains(page.body, `id="decide"`) {
		t.Fatalf("the request at level 2 = %d %s, want the form", page.StatusCode, text(page.body))
	}
	p.setPolicy("ZX100", func(policy *directory.Policy) { policy.DeskLevel = assurance.AAL3 })
	approve := url.Values{"verdict": {"approved"}, "reason": {"As asked"}}
	stricter := p.second()
	if a := b.at(stricter).rest(b.at(stricter).post("/desk/requests/"+request, approve)); a.path() != "/sign-in/step-up" {
		t.Errorf("POST at level 2 where level 3 is asked for = %d %s, want to be asked for the stronger sign-in", a.StatusCode, a.path())
	}
	if n := p.count(`SELECT count(*) FROM request WHERE state = 'open'`); n != 1 {
		t.Errorf("open requests after that = %d, want the one", n)
	}
	p.setPolicy("ZX100", func(policy *directory.Policy) { policy.DeskLevel = assurance.AAL2 })
	again := p.second()
	if a := b.at(again).post("/desk/requests/"+request, approve); a.StatusCode != http.StatusSeeOther {
		t.Errorf("POST at level 2 where that is enough = %d %s, want it decided", a.StatusCode, text(a.body))
	}
}

// A change is seen by processes that run.
func TestPolicyIsSeenWithinSeconds(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.run()
	b := p.browser()
	page := b.simulate(b.get("/desk"), raAgent, "totp")
	if page.path() != "/sign-in/step-up" {
		t.Fatalf("page = %d %s, want to be asked for a stronger sign-in", page.StatusCode, page.path())
	}
	p.setPolicy("ZX000", func(policy *directory.Policy) { policy.DeskLevel = assurance.AAL2 })
	eventually(t, "an officer below comes in at level 2", func() bool {
		return b.rest(b.get("/desk")).path() == "/desk"
	})
}

// Whatever organisations ask and whatever she has: each way to the desk ends, and at the desk only with what is asked.
func TestNoWayToTheDeskLoops(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	both := p.newManagerOfBoth("ZX100", "ZX200")
	for _, at := range []*provider{p, p.lenient()} { // the first does not know of it
		least := map[bool]int{true: 3, false: 2}[at == p]
		for _, person := range []string{raAgent, raManager, both, noOfficer, noRole, expiredRole} {
			for _, first := range []string{"password", "totp", "smartcard"} {
				for _, then := range []string{"password", "totp", "smartcard"} {
					for _, organisation := range []string{"ZX100", "ZX200"} {
						at.toTheDesk(person, first, then, organisation, least)
					}
				}
			}
		}
	}
}

// toTheDesk goes to the desk as far as she gets, by a method, by another one when she is asked again, and in a role. At the hospital
// she has to be signed in at some level at least, and elsewhere at level 3.
func (p *provider) toTheDesk(person, first, then, organisation string, least int) {
	p.t.Helper()
	b := p.browser()
	a := b.get("/desk")
	for range 6 {
		switch path := a.path(); {
		case path == "/sign-in":
			a = b.simulate(a, person, first)
		case path == "/sign-in/step-up" && then == "password":
			return // nothing that she does helps, and she is asked once
		case path == "/sign-in/step-up":
			next := b.stronger(a, person, then)
			if next.path() == path && then == "smartcard" {
				p.t.Errorf("%s is asked for a stronger sign-in than with a smartcard", person)
			}
			if next.path() == path {
				return
			}
			a = next
		case path == "/sign-in/role" && strings.Contains(a.body, `name="role"`):
			a = b.rest(b.post("/sign-in/role?"+a.address().RawQuery, url.Values{"role": {p.roleAt(person, organisation)}}))
		case a.StatusCode == http.StatusOK && path == "/desk":
			if n := p.count(`
				SELECT s.authenticator_level - CASE WHEN m.organisation_code = 'ZX100' THEN $2 ELSE 3 END
				FROM session s JOIN role_profile r ON r.id = s.role_id JOIN membership m ON m.id = r.membership_id
				WHERE s.person_id = $1 ORDER BY s.authenticated_at DESC LIMIT 1`, person, least); n < 0 {
				p.t.Errorf("%s is at the desk by %s and %s below the level that is asked", person, first, then)
			}
			return
		default:
			return // a page that says why not
		}
	}
	p.t.Errorf("the way of %s by %s and %s to the desk at %s has no end, the last page is %s", person, first, then, organisation, a.path())
}

// A program is let in by the level that the organisation of the role asks for, and is told which. RFC 9470, Section 3.
func TestAPILevelIsOfTheOrganisation(t *testing.T) {
	t.Parallel()
	p := newProvider(t).lenient()
	d := p.description()
	for _, test := range []struct {
		name, person, method string
		status               int
		challenge            string
	}{
		{"an officer of the lenient organisation at level 2", raAgent, "totp", http.StatusOK, ""},
		{"at level 1", raAgent, "password", http.StatusUnauthorized, `acr_values="AAL2_ANY"`},
		{"one of the stricter organisation at level 2", raManager, "totp", http.StatusUnauthorized, `acr_values="AAL3_ANY"`},
		{"and at level 3", raManager, "smartcard", http.StatusOK, ""},
	} {
		a := program{p, d, p.officerToken(p.browser(), test.person, apiScopes, test.method)}.call(http.MethodGet, "/api/people?name=Larkspell", nil, "")
		challenge := a.Header.Get("WWW-Authenticate")
		if a.StatusCode != test.status || !strings.Contains(challenge, test.challenge) || test.challenge != "" && a.problem(t).Reason != "insufficient_user_authentication" {
			t.Errorf("%s: %d %s, challenge %s, want %d with %s", test.name, a.StatusCode, a.body, challenge, test.status, test.challenge)
		}
	}
}

// An officer who has signed in at level 2 binds nothing that reaches more, and makes no link by which somebody could.
func TestOfficerBindsNothingAboveHerSignIn(t *testing.T) {
	t.Parallel()
	p := newProvider(t).lenient()
	of := "/desk/people/" + noRole + "/authenticators"
	b := p.browser()
	c := b.simulate(b.get(of+"/new"), raAgent, "totp").ceremony(t)
	if got := b.finish(c, webauthntest.New().Create(c.options, issuer), ""); got.Status != http.StatusOK {
		t.Errorf("to bind a passkey at level 2 = %+v, want it bound", got)
	}
	for _, a := range []answer{b.rest(b.get(of + "/link")), b.rest(b.post(of+"/link", url.Values{}))} {
		if a.path() != "/sign-in/step-up" {
			t.Errorf("to make a link at level 2 = %d %s, want to be asked for level 3", a.StatusCode, a.path())
		}
	}
	if n := p.count(`SELECT count(*) FROM enrolment_link WHERE person_id = $1`, noRole); n != 0 {
		t.Errorf("links after that = %d, want none", n)
	}
	if a := b.stronger(b.rest(b.get(of+"/link")), raAgent, "smartcard"); a.StatusCode != http.StatusOK || a.path() != of+"/link" {
		t.Errorf("to make a link at level 3 = %d %s, want the form", a.StatusCode, a.path())
	}
}

// policyForm is what the form of an organisation sends, with changes.
func policyForm(pairs ...string) url.Values {
	form := url.Values{"desk_level": {"inherit"}, "reason": {"A test"}}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// seen is the address of the form on a page.
func (a answer) seen(t *testing.T) string {
	t.Helper()
	_, rest, ok := strings.Cut(a.body, `<form method="post" action="/desk/organisations/`)
	action, _, _ := strings.Cut(rest, `"`)
	if !ok {
		t.Fatalf("the page has no form: %s", text(a.body))
	}
	return "/desk/organisations/" + strings.ReplaceAll(action, "&amp;", "&")
}

// The manager of an organisation makes it stricter and says where help is; what makes it less strict is for one above.
func TestDeskSetsPolicy(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const path = "/desk/organisations/ZX100/policy"
	before := len(p.audited("organisation_policy_set")) // by the seed
	board, _ := p.atDesk(raManager, "/desk")
	hers, _ := p.atDesk(p.newOfficer("ZX100", "S0080:G0450:R5080"), "/desk")
	elsewhere, _ := p.atDesk(p.newOfficer("ZX200", "S0080:G0450:R5080"), "/desk")
	agent, page := p.atDesk(raAgent, path)
	if words := page.words(t); page.StatusCode != http.StatusOK || strings.Contains(page.body, `id="send"`) || !strings.Contains(words, "Officers sign in At level 3 No organisation says anything about it") {
		t.Errorf("the page for an agent = %d %s, want what holds, and no form", page.StatusCode, text(page.body))
	}
	for _, test := range []struct {
		name   string
		b      *browser
		form   url.Values
		status int
		words  string // on the page that she then sees
	}{
		{"an agent says where help is", agent, policyForm("help_text", "Ask me."), http.StatusForbidden, "does not let you do this"},
		{"a manager elsewhere does", elsewhere, policyForm("help_text", "Ask me."), http.StatusForbidden, "neither at the organisation"},
		{"hers lets officers in at level 2", hers, policyForm("desk_level", "2"), http.StatusBadRequest, "ask a registration authority manager of one above it"},
		{"hers lets people register themselves", hers, policyForm("self_registration", "yes"), http.StatusBadRequest, "ask a registration authority manager of one above it"},
		{"hers says where help is", hers, policyForm("help_text", "Ask\r\n <b>me</b>.", "help_email", " help@example.org ", "help_telephone", "0113 496 0000"), http.StatusOK, "Ask <b>me</b>. Said by this organisation itself"},
		{"hers wants a second checker", hers, policyForm("second_checker", "yes", "desk_level", "3"), http.StatusOK, "Evidence waits for a second officer Yes"},
		{"hers does without one again", hers, policyForm("desk_level", "3"), http.StatusBadRequest, "ask a registration authority manager of one above it"},
		{"one above lets officers in at level 2", board, policyForm("desk_level", "2"), http.StatusOK, "Officers sign in At level 2 Said by this organisation itself"},
		{"hers keeps it and says more", hers, policyForm("desk_level", "2", "help_text", "Ask."), http.StatusOK, "Ask."},
		{"no reason", hers, policyForm("desk_level", "3", "reason", " "), http.StatusBadRequest, "Change something, and enter a reason"},
		{"nothing to change", hers, policyForm("desk_level", "2", "help_text", "Ask."), http.StatusBadRequest, "Change something, and enter a reason"},
		{"no level", hers, policyForm("desk_level", "1"), http.StatusBadRequest, "Select how officers sign in"},
		{"an address that is none", hers, policyForm("desk_level", "2", "help_email", "a@b?bcc=c@d"), http.StatusBadRequest, "Enter an email address"},
		{"a number that is none", hers, policyForm("desk_level", "2", "help_telephone", "javascript:1"), http.StatusBadRequest, "Enter a telephone number"},
		{"a text that is too long", hers, policyForm("desk_level", "2", "help_text", long("x", 501)), http.StatusBadRequest, "up to 500 characters"},
		{"hers makes it stricter", hers, policyForm("desk_level", "3"), http.StatusOK, "Officers sign in At level 3"},
	} {
		to := path + "?seen=0"
		if page := test.b.get(path); strings.Contains(page.body, `id="send"`) {
			to = page.seen(t)
		}
		if a := test.b.rest(test.b.post(to, test.form)); a.StatusCode != test.status || !strings.Contains(a.words(t), test.words) {
			t.Errorf("%s = %d %s, want %d with %q", test.name, a.StatusCode, a.words(t), test.status, test.words)
		}
	}
	if a := hers.post("/desk/organisations/ZX000/policy?seen=0", policyForm("help_text", "x")); a.StatusCode != http.StatusForbidden {
		t.Errorf("the organisation above hers = %d, want 403", a.StatusCode)
	}
	if a := hers.postWith(path+"?seen=5", policyForm("help_text", "x"), func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }); a.StatusCode != http.StatusForbidden {
		t.Errorf("from another site = %d, want 403", a.StatusCode)
	}
	if a := board.get("/desk/organisations/NOWHERE/policy"); a.StatusCode != http.StatusNotFound {
		t.Errorf("no organisation = %d, want 404", a.StatusCode)
	}
	got := p.audited("organisation_policy_set")[before:]
	if want := slices.Repeat([]string{"organisation_policy_set"}, 5); !slices.Equal(got, want) {
		t.Errorf("the record has %v, want %v", got, want)
	}
	refusals := p.audited("desk_opened")
	want := []string{"no_right", "another_organisation", "another_organisation", "own_organisation", "own_organisation", "own_organisation", "another_organisation"} // to look is refused, too
	for i := range want {
		want[i] = "desk_opened: " + want[i]
	}
	if diff := cmp.Diff(want, refusals); diff != "" {
		t.Errorf("refusals differ (-want +got):\n%s", diff)
	}
}

// Of two who change the same version the second is shown what the first did, keeps what she entered, and may then send it again.
func TestDeskPolicyChangedSince(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const path = "/desk/organisations/ZX100/policy"
	one, first := p.atDesk(raManager, path)
	other, second := p.atDesk(raManager, path)
	if a := one.post(first.seen(t), policyForm("help_text", "Ask at the front desk.")); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("the first change = %d %s, want it made", a.StatusCode, text(a.body))
	}
	upstairs := policyForm("help_text", "Ask upstairs.", "reason", "We moved")
	a := other.post(second.seen(t), upstairs)
	if words := a.words(t); a.StatusCode != http.StatusBadRequest || !strings.Contains(words, "On record now: Ask at the front desk. You entered: Ask upstairs.") || !strings.Contains(a.body, "We moved") {
		t.Fatalf("the second change = %d %s, want the difference", a.StatusCode, words)
	}
	if again := other.post(second.seen(t), upstairs); again.StatusCode != http.StatusBadRequest {
		t.Errorf("the same form again = %d, want the difference again", again.StatusCode)
	}
	if done := other.post(a.seen(t), upstairs); done.StatusCode != http.StatusSeeOther {
		t.Errorf("the second change, sent again = %d %s, want it made", done.StatusCode, text(done.body))
	}
	if twice := other.post(a.seen(t), upstairs); twice.StatusCode != http.StatusBadRequest {
		t.Errorf("a form that was sent already = %d, want nothing done", twice.StatusCode)
	}
}

// Whoever is refused is told where help is: by the organisation that she acts for or belongs to, or by the provider.
func TestNoRefusalIsADeadEnd(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for organisation, words := range map[string]string{"ZX000": "Ask the board.", "ZX100": "Ask the hospital."} {
		p.setPolicy(organisation, func(policy *directory.Policy) {
			policy.Help = directory.Help{Text: words, Email: "help@example.org", Telephone: "+44 113 496 0000"}
		})
	}
	q := p.second(func(c *idp.Config) { c.Help = directory.Help{Text: "Ask the provider.", Email: "provider@example.org"} })
	agent, _ := q.atDesk(raAgent, "/desk")
	manager, _ := q.atDesk(raManager, "/desk")
	stranger, noOffice := q.atDesk(noOfficer, "/desk")
	unproved, unmet := q.atDesk(noRole, "/desk")
	_, none := q.atDesk(expiredRole, "/desk")
	weak := q.browser()
	for _, test := range []struct {
		name string
		page answer
		want string
	}{
		{"what her role does not open", agent.get("/desk/audit"), "Ask the hospital."},
		{"what is not there, at the desk", agent.get("/desk/people/1"), "Ask the hospital."},
		{"what is not there, of the one above", manager.get("/desk/people/1"), "Ask the board."},
		{"a form that is not whole", agent.post("/desk/people/new?x=%zz", url.Values{"a": {"%zz"}}), "Ask the hospital."},
		{"what is not there, at her account", agent.get("/account/sessions/x/end"), "Ask the hospital."},
		{"what is not there at all", agent.get("/nothing"), "Ask the hospital."},
		{"nobody is an officer", noOffice, "Ask the hospital."},
		{"nor at another page", stranger.get("/desk/people"), "Ask the hospital."},
		{"an identity that is not proved", unmet, "Ask the provider."},
		{"and the next page", unproved.rest(unproved.get("/desk/people/1")), "Ask the provider."},
		{"no role in date", none, "Ask the hospital."},
		{"a sign-in that is too weak", weak.simulate(weak.get("/desk"), raAgent, "totp"), "Ask the hospital."},
		{"nobody is known", q.browser().get("/desk"), "Ask the provider."},
		{"a link that does not work", q.browser().get("/enrol?token=x"), "Ask the provider."},
		{"a password that is wrong", q.browser().post("/sign-in/password", url.Values{"username": {raAgent}, "password": {"x"}}), "Ask the provider."},
		{"a page that there is not", q.browser().get("/nothing"), "Ask the provider."},
	} {
		if words := test.page.words(t); !strings.Contains(words, "Get help "+test.want) {
			t.Errorf("%s: %d %s, want help that says %q", test.name, test.page.StatusCode, words, test.want)
		}
	}
	page := agent.get("/desk/audit")
	for _, want := range []string{`<a href="mailto:help@example.org"`, `<a href="tel:&#43;441134960000"`} {
		if !strings.Contains(page.body, want) {
			t.Errorf("the help has no %s: %s", want, page.body)
		}
	}
	if a := p.browser().get("/nothing"); strings.Contains(a.body, `id="help"`) {
		t.Errorf("where nobody says where help is the page has %s, want nothing", text(a.body))
	}
}
