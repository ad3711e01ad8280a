package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/lifecycle"
)

// formerly is somebody of the seed whose only role has ended, and whose identity is proved to level high.
const formerly = "656005750114"

// profiles acts as the desk does.
func (p *provider) profiles() *lifecycle.Registrar {
	p.t.Helper()
	rules, err := authority.New()
	if err != nil {
		p.t.Fatal(err)
	}
	recorder, err := evidence.New(p.store, p.key, p.clock.Now)
	if err != nil {
		p.t.Fatal(err)
	}
	return &lifecycle.Registrar{Store: p.store, Rules: rules, Evidence: recorder, Now: p.clock.Now}
}

// proposed is a merge of two people who have no role, which nobody has decided.
func (p *provider) proposed() string {
	p.t.Helper()
	id, err := p.profiles().ProposeMerge(p.t.Context(), deed.Acting{Person: raManager, Role: managersRole}, p.unproved(), noRole, "The same photograph")
	if err != nil {
		p.t.Fatal(err)
	}
	return id.String()
}

// nursing gives somebody a role at the hospital.
func (p *provider) nursing(person string) {
	p.t.Helper()
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		p.t.Fatal(err)
	}
	role := directory.NewRole{PersonID: person, Organisation: "ZX100", JobRole: "S8000:G8000:R8001"}
	if _, err := directory.GrantRole(p.t.Context(), p.owner, catalogue, role, "test", p.clock.Now()); err != nil {
		p.t.Fatal(err)
	}
}

// An officer corrects details, and another who had the form open before sees what differs and sends hers again.
func TestDeskCorrects(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const path = "/desk/people/" + noRole + "/correct"
	agent, page := p.atDesk(raAgent, path)
	if !strings.Contains(page.body, `value="Emptage-Vale"`) || !strings.Contains(page.body, `value="9 April 1972"`) || !strings.Contains(page.words(t), "The identity is proved to level medium") {
		t.Fatalf("the form = %s, want what is on record and how well it is proved", text(page.body))
	}
	post := strings.ReplaceAll(formAction(t, page.body, "/desk/people/"+noRole+"/correct"), "&amp;", "&")
	details := url.Values{"title": {"Mr"}, "given_name": {"Jory"}, "family_name": {"Emptage"}, "date_of_birth": {"9/4/1972"}, "email": {"jory@example.org"}, "reason": {"Deed poll seen"}}
	if a := agent.post(post, with(details, "reason", "")); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "enter a reason") || !strings.Contains(a.body, `value="Emptage"`) {
		t.Errorf("to correct without a reason = %d %s, want the form with what was entered", a.StatusCode, text(a.body))
	}
	if a := agent.post(post, with(details, "date_of_birth", "yesterday")); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `<a href="#date_of_birth">`) {
		t.Errorf("to correct to no date = %d %s, want 400", a.StatusCode, text(a.body))
	}
	sponsor, _ := p.atDesk(raSponsor, "/desk")
	if a := sponsor.post(post, details); a.StatusCode != http.StatusForbidden || !strings.Contains(a.words(t), "ask an officer whose role does") {
		t.Errorf("to correct as a sponsor = %d %s, want 403 and whom to ask", a.StatusCode, text(a.body))
	}
	if a := agent.post(post, details); a.StatusCode != http.StatusOK || !strings.Contains(a.words(t), "Family name Was: Emptage-Vale Now: Emptage") || !strings.Contains(a.body, `id="unnamed"`) {
		t.Errorf("the correction = %d %s, want what was changed, and that the evidence is about another name", a.StatusCode, text(a.body))
	}
	manager, _ := p.atDesk(raManager, "/desk")
	details.Set("title", "Dr")
	details.Set("family_name", "Emptage-Vale")
	a := manager.post(post, details)
	if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "On record now: Emptage You entered: Emptage-Vale") {
		t.Errorf("to correct what has changed since = %d %s, want the difference", a.StatusCode, text(a.body))
	}
	again := strings.ReplaceAll(formAction(t, a.body, path), "&amp;", "&")
	if a := manager.post(again, details); a.StatusCode != http.StatusOK || strings.Contains(a.body, `id="unnamed"`) {
		t.Errorf("to correct having seen it = %d %s, want it done", a.StatusCode, text(a.body))
	}
	if a := manager.get("/desk/people/" + noRole + "/history"); !strings.Contains(a.words(t), "Family name: Emptage-Vale became Emptage") || !strings.Contains(a.words(t), "by Bartholomew Keykeeper") {
		t.Errorf("the history = %s, want both corrections and by whom", text(a.body))
	}
	if diff := cmp.Diff([]string{"person_corrected: no_right", "person_corrected", "person_corrected: changed_since", "person_corrected"}, p.audited("person_corrected")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}

// formAction is the address to which a form of a page posts that begins so.
func formAction(t *testing.T, body, begins string) string {
	t.Helper()
	_, after, found := strings.Cut(body, `action="`+begins)
	value, _, closed := strings.Cut(after, `"`)
	if !found || !closed {
		t.Fatalf("the page has no form whose action begins with %s: %s", begins, text(body))
	}
	return begins + value
}

// Whose profile is closed has nothing from that moment, at any replica, and whose is opened again begins with nothing.
func TestDeskClosesAProfile(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.nursing(formerly)
	other := p.second()
	got := p.signedIn(p.browser(), confidentialClient, formerly, "scope", "openid offline_access")
	if a, _ := other.userinfo(got.AccessToken); a.StatusCode != http.StatusOK {
		t.Fatalf("userinfo before = %d, want 200", a.StatusCode)
	}
	const of = "/desk/people/" + formerly
	agent, page := p.atDesk(raAgent, of+"/close")
	if words := page.words(t); !strings.Contains(words, "Nurse Access Role at") || !strings.Contains(words, "1 session") {
		t.Errorf("the form = %s, want who loses what", words)
	}
	if a := agent.post(of+"/close", url.Values{"reason": {"x"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `<a href="#as">Select why it is closed`) {
		t.Errorf("to close without saying as what = %d %s, want 400", a.StatusCode, text(a.body))
	}
	closing := url.Values{"as": {"left"}, "reason": {"Retired"}}
	if a := agent.postWith(of+"/close", closing, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }); a.StatusCode != http.StatusForbidden {
		t.Errorf("POST from another site = %d, want 403", a.StatusCode)
	}
	a := agent.rest(agent.post(of+"/close", closing))
	if words := a.words(t); !strings.Contains(words, "This profile was closed on") || strings.Contains(a.body, `id="correct"`) || !strings.Contains(a.body, `id="reopen"`) {
		t.Errorf("the person after = %s, want the profile closed", words)
	}
	if a, _ := other.userinfo(got.AccessToken); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo at the other replica, at once = %d, want 401", a.StatusCode)
	}
	p.wantRefresh("after the profile was closed", got.RefreshToken, http.StatusBadRequest)
	if a := agent.post(of+"/reopen", url.Values{"reason": {"Back"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "You closed this profile yourself") {
		t.Errorf("to open it again oneself = %d %s, want 400", a.StatusCode, text(a.body))
	}
	manager, _ := p.atDesk(raManager, "/desk")
	if a := manager.rest(manager.post(of+"/reopen", url.Values{"reason": {"Back"}})); strings.Contains(a.body, `id="closed"`) || !strings.Contains(a.words(t), "No role, and none to come") {
		t.Errorf("the person after it was opened again = %s, want no role", text(a.body))
	}
	p.wantRefresh("after the profile was opened again", got.RefreshToken, http.StatusBadRequest)
	if a, _ := other.userinfo(got.AccessToken); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo after it was opened again = %d, want 401", a.StatusCode)
	}
	want := []string{"person_closed", "person_reopened: own_closing", "person_reopened"}
	if diff := cmp.Diff(want, p.audited("person_closed", "person_reopened")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}

// Whoever leaves an organisation acts there no more.
func TestDeskRecordsALeaver(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.nursing(formerly)
	const of = "/desk/people/" + formerly
	agent, page := p.atDesk(raAgent, of)
	if !strings.Contains(page.body, of+"/leave?organisation=ZX100") {
		t.Fatalf("the person = %s, want the way to record that she leaves", text(page.body))
	}
	for body, words := range map[string]string{"last=soon&reason=x": "Enter today or a day within a year", "last=1/1/2000&reason=x": "Enter today or a day within a year", "last=": wantAReason} {
		f, _ := url.ParseQuery(body)
		if a := agent.post(of+"/leave?organisation=ZX100", f); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), words) {
			t.Errorf("to leave with %s = %d %s, want %q", body, a.StatusCode, text(a.body), words)
		}
	}
	if a := agent.get(of + "/leave?organisation=NOWHERE"); a.StatusCode != http.StatusNotFound {
		t.Errorf("to leave nowhere = %d, want 404", a.StatusCode)
	}
	day := p.clock.Now().AddDate(0, 1, 0)
	if a := agent.rest(agent.post(of+"/leave?organisation=ZX100", url.Values{"last": {day.Format("2/1/2006")}, "reason": {"New job"}})); !strings.Contains(a.words(t), "Expires on "+day.AddDate(0, 0, 1).Format("2 January 2006")) {
		t.Errorf("the person who leaves = %s, want the role to end after the last day", text(a.body))
	}
	if a := agent.rest(agent.post(of+"/leave?organisation=ZX100", url.Values{"reason": {"Sooner"}})); !strings.Contains(a.words(t), "No role, and none to come") {
		t.Errorf("the person who has left = %s, want no role", text(a.body))
	}
	if a := agent.post(of+"/leave?organisation=ZX100", url.Values{"reason": {"Sooner"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "no role at this organisation") {
		t.Errorf("to leave again = %d %s, want 400", a.StatusCode, text(a.body))
	}
}

const wantAReason = "Enter a reason, of up to 500 characters"

// Two officers merge two profiles; that of whoever proposed it is not enough.
func TestDeskMerges(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.nursing(formerly)
	const of = "/desk/people/" + noRole
	advanced, page := p.atDesk(raAdvanced, of+"/merge?other=no")
	if page.StatusCode != http.StatusBadRequest || !strings.Contains(page.words(t), "of 12 digits") {
		t.Errorf("to compare with what is no id = %d %s, want 400", page.StatusCode, text(page.body))
	}
	page = advanced.get(of + "/merge?other=6560+0575+0114")
	if !strings.Contains(page.words(t), "Lotte Formerley") || !strings.Contains(page.words(t), "Nurse Access Role at") {
		t.Fatalf("the two = %d %s, want both", page.StatusCode, text(page.body))
	}
	const post = of + "/merge?other=" + formerly
	if a := advanced.post(post, url.Values{"reason": {"x"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Select which profile is kept") {
		t.Errorf("to propose without saying which is kept = %d %s, want 400", a.StatusCode, text(a.body))
	}
	a := advanced.rest(advanced.post(post, url.Values{"keep": {noRole}, "reason": {"The same photograph"}}))
	if !strings.HasPrefix(a.path(), "/desk/merges/") || strings.Contains(a.body, `id="decide"`) {
		t.Fatalf("the proposal = %s %s, want it to wait for another officer", a.path(), text(a.body))
	}
	if a := advanced.post(a.path(), url.Values{"verdict": {"approved"}, "reason": {"x"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "You asked for this yourself") {
		t.Errorf("to approve it oneself = %d %s, want 400", a.StatusCode, text(a.body))
	}
	manager, page := p.atDesk(raManager, of)
	for list, want := range map[string]bool{"/desk/merges": true, "/desk/merges?organisation=ZX100&sort=-at": true, "/desk/merges?organisation=ZX200": false} {
		page := manager.get(list)
		if lists := strings.Contains(page.body, a.path()) && strings.Contains(page.words(t), "Lotte Formerley "+formerly); page.StatusCode != http.StatusOK || lists != want {
			t.Errorf("GET %s = %d, lists the merge = %t, want %t: %s", list, page.StatusCode, lists, want, text(page.body))
		}
	}
	if words := manager.get("/desk").words(t); !strings.Contains(words, "Profiles to merge 1 waits") {
		t.Errorf("what needs doing = %s, want the merge", words)
	}
	if page := manager.get("/desk/merges?organisation=NOWHERE"); page.StatusCode != http.StatusBadRequest {
		t.Errorf("the merges of no organisation = %d, want 400", page.StatusCode)
	}
	if !strings.Contains(page.body, a.path()) {
		t.Errorf("the person = %s, want that a merge is proposed", text(page.body))
	}
	if a := manager.rest(manager.post(a.path(), url.Values{"verdict": {"approved"}, "reason": {"Yes"}})); !strings.Contains(a.words(t), "State Approved") || !strings.Contains(a.words(t), "Decided by Winifred Stewardley") {
		t.Errorf("the merge after it was approved = %s, want that it was", text(a.body))
	}
	if page := manager.get("/desk/merges"); !strings.Contains(page.body, `id="none"`) {
		t.Errorf("the merges after = %s, want none", text(page.body))
	}
	if a := manager.get(of); !strings.Contains(a.words(t), "Also known as "+formerly) || !strings.Contains(a.words(t), "Nurse Access Role") {
		t.Errorf("the profile that is kept = %s, want what it has of the other", text(a.body))
	}
	if a := manager.get("/desk/people/" + formerly); !strings.Contains(a.body, `id="kept"`) || strings.Contains(a.body, `id="reopen"`) {
		t.Errorf("the profile that is closed = %s, want the way to the other", text(a.body))
	}
	if a := manager.get("/desk/merges/x"); a.StatusCode != http.StatusNotFound {
		t.Errorf("no merge = %d, want 404", a.StatusCode)
	}
}

// Somebody is found by the number of a document that is on record of her, however it is written, and by no part of it.
func TestDeskFindsByDocument(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	person := p.unproved()
	b, _ := p.atDesk(raAgent, "/desk")
	if a := b.post("/desk/people/"+person+"/evidence/new?kind=passport", passportForm()); a.StatusCode != http.StatusOK {
		t.Fatalf("record = %d %s", a.StatusCode, text(a.body))
	}
	for _, test := range []struct{ name, number, kind, found string }{
		{"by the number", "707777707", "passport", person},
		{"however it is written", "707-777 707", "passport", person},
		{"not of another kind", "707777707", "driving_permit", ""},
		{"not by a part", "70777770", "passport", ""},
	} {
		a := b.get("/desk/people?" + url.Values{"q": {test.number}, "document": {test.kind}}.Encode())
		if a.StatusCode != http.StatusOK || a.found() != test.found {
			t.Errorf("search %s = %d %q, want %q", test.name, a.StatusCode, a.found(), test.found)
		}
		if _, _, detail := p.line("person_searched"); detail["by"] != "document" || strings.Contains(strings.Join([]string{detail["q"], detail["number"]}, ""), "7") {
			t.Errorf("search %s is recorded as %v, want by document and no number", test.name, detail)
		}
	}
	if a := b.get("/desk/people?q=707777707&document=bogus"); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Select what you entered") {
		t.Errorf("search of no kind that there is = %d %s, want what it takes", a.StatusCode, text(a.body))
	}
	for _, number := range []string{"", "Sarah Meredyth!", long("7", 100)} {
		if a := b.get("/desk/people?" + url.Values{"q": {number}, "document": {"passport"}}.Encode()); a.StatusCode != http.StatusBadRequest {
			t.Errorf("search for %.20q = %d, want 400", number, a.StatusCode)
		}
	}
}
