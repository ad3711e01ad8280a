package idp_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// A position shows what it gives with what it includes, and what includes it; so does the request for it.
func TestDeskIncludesPositions(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, _ := p.wardNurse()
	manager, _ := p.atDesk(raManager, "/desk/positions/new?organisation=ZX100")
	form := url.Values{"organisation": {"ZX100"}, "name": {"Ward sister"}, "job_role": {"S8000:G8000:R8001"}, "activity": {"B0360"}, "reason": {"New"}}
	form.Set("include", "123")
	if a := manager.post("/desk/positions/new", form); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Enter the 12 digits of each position") || !strings.Contains(a.body, ">123</textarea>") {
		t.Errorf("including what is no position = %d %s, want 400 with what was typed", a.StatusCode, text(a.body))
	}
	form.Set("include", ward+" Ward nurse\r\n\r\n")
	outer := manager.rest(manager.post("/desk/positions/new", form))
	if words := outer.words(t); !strings.Contains(words, "What it includes Ward nurse of ZX100") || !strings.Contains(words, "(B0401)") {
		t.Fatalf("the position that includes another = %s %s, want what it includes and gives", outer.path(), text(outer.body))
	}
	at := outer.path()
	advanced, _ := p.atDesk(raAdvanced, at)
	if a := advanced.rest(advanced.post(at+"?version=1", url.Values{})); !strings.Contains(a.words(t), "In force") {
		t.Fatalf("the position after its approval = %s", text(a.body))
	}
	for _, path := range []string{"", "/revision", "/close"} {
		if a := manager.get("/desk/positions/" + ward + path); !strings.Contains(a.words(t), "Another position includes it") || !strings.Contains(a.body, `href="`+at+`"`) {
			t.Errorf("GET %s of what is included = %s, want it to say by what", path, text(a.body))
		}
	}
	less := url.Values{"name": {"Ward sister"}, "job_role": {"S8000:G8000:R8001"}, "activity": {"B0360"}, "reason": {"Less"}}
	if a := manager.rest(manager.post(at+"/revision?seen=1", less)); !strings.Contains(a.words(t), "Is now: View Detailed Health Records (B0360) View Patient Medication (B0401) Would be: View Detailed Health Records (B0360)") {
		t.Errorf("a change that includes nothing more = %s, want what it would give no more", text(a.body))
	}
	sponsor, _ := p.atDesk(raSponsor, "/desk/people/"+noRole+"/positions/"+strings.TrimPrefix(at, "/desk/positions/"))
	if a := sponsor.get("/desk/people/" + noRole + "/positions/" + strings.TrimPrefix(at, "/desk/positions/")); !strings.Contains(a.words(t), "(B0401)") {
		t.Errorf("the form to ask for it = %s, want what it gives with what it includes", text(a.body))
	}
	asked := sponsor.rest(sponsor.post("/desk/people/"+noRole+"/positions/"+strings.TrimPrefix(at, "/desk/positions/"), url.Values{"reason": {"Starts on Monday"}}))
	if words := asked.words(t); !strings.Contains(words, "(B0360)") || !strings.Contains(words, "(B0401)") {
		t.Errorf("the request for it = %s, want what it gives with what it includes", text(asked.body))
	}
}

// A form that was filled in for one role is not taken for another, which its officer chose in another tab meanwhile.
func TestDeskTakesNoFormOfAnotherRole(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, request := p.wardNurse()
	agent, page := p.atDesk(raAgent, "/desk/requests/"+request)
	const posted = `action="/desk/requests/`
	_, at, _ := strings.Cut(page.body, posted)
	at, _, _ = strings.Cut(at, `"`)
	at = "/desk/requests/" + strings.ReplaceAll(at, "&amp;", "&")
	if !strings.Contains(at, "role=") {
		t.Fatalf("the form is posted to %s, want the role in it", at)
	}
	other, _, _ := strings.Cut(at, "role=")
	form := url.Values{"verdict": {"approved"}, "reason": {"Yes"}}
	if a := agent.post(other+"role=000000000001", form); a.StatusCode != http.StatusForbidden || !strings.Contains(a.words(t), "filled this in for another role") {
		t.Errorf("a form of another role = %d %s, want it refused", a.StatusCode, text(a.body))
	}
	if got := p.audited("desk_opened"); len(got) != 1 || got[0] != "desk_opened: "+string(deed.AnotherRole) {
		t.Errorf("the record = %v, want the refusal", got)
	}
	if a := agent.rest(agent.post(at, form)); !strings.Contains(a.words(t), "Approved") {
		t.Errorf("the same form in its role = %s, want it taken", text(a.body))
	}
	manager, _ := p.atDesk(raManager, "/desk/positions/"+ward)
	for _, path := range []string{"/revision", "/close"} {
		if a := manager.get("/desk/positions/" + ward + path); !strings.Contains(a.body, "role="+managersRole) {
			t.Errorf("the form of %s is posted without its role: %s", path, text(a.body))
		}
	}
}

// A catalogue that was imported is there on a replica that runs within two seconds, and what is retired is offered no more.
func TestCatalogueIsSeenByReplicas(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.run()
	manager, page := p.atDesk(raManager, "/desk/positions/new")
	if !strings.Contains(page.body, `value="B0420"`) {
		t.Fatalf("the form does not offer what the program carries: %s", text(page.body))
	}
	kind, entries, err := directory.ParseCodes([]byte("code,name\nB0401,To look at medicines\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := directory.ImportCodes(t.Context(), p.owner, map[directory.CodeKind][]directory.Entry{kind: entries}, "test", p.clock.Now(), false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the form has the name that was imported", func() bool {
		page = manager.get("/desk/positions/new")
		return strings.Contains(page.body, "To look at medicines")
	})
	if strings.Contains(page.body, `value="B0420"`) {
		t.Errorf("the form offers what is retired: %s", text(page.body))
	}
}

// Whoever decides that somebody becomes an officer is shown what others bound to her, and the record of the decision has who they are.
// Of a position that makes nobody an officer nothing is said.
func TestWhoApprovesAnOfficerSeesWhoBoundWhat(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ctx, r := t.Context(), p.registrar()
	p.enrolBy(raAgent, noRole)
	_, nurses := p.wardNurse()
	request := p.askedForSponsor(noRole)
	manager, page := p.atDesk(raManager, "/desk/requests/"+request)
	by, err := r.Store.PersonNames(ctx, []string{raAgent})
	if err != nil || len(by) != 1 {
		t.Fatalf("PersonNames() = %v, %v, want the agent's", by, err)
	}
	if words := page.words(t); !strings.Contains(words, "blue key, added on") || !strings.Contains(words, by[0].DisplayName+" had to do with it") {
		t.Errorf("the request = %s, want who bound what", words)
	}
	if words := manager.get("/desk/requests/" + nurses).words(t); strings.Contains(words, "blue key") {
		t.Errorf("the request that makes nobody an officer = %s, want nothing of what she signs in with", words)
	}
	approve, path := url.Values{"verdict": {"approved"}, "reason": {"As asked"}}, "/desk/requests/"+request
	send := func(page answer) answer {
		t.Helper()
		found := regexp.MustCompile(`action="(` + path + `\?bound=[^"]*)"`).FindStringSubmatch(page.body)
		if found == nil {
			t.Fatalf("the page has no form that says what it shows: %s", text(page.body))
		}
		return manager.rest(manager.post(html.UnescapeString(found[1]), approve))
	}
	p.clock.advance(time.Minute)
	p.enrol(noRole, webauthntest.New()) // when she had opened the page
	page = send(page)
	if words := page.words(t); page.StatusCode != http.StatusBadRequest || !strings.Contains(words, "somebody has bound something to the person") || strings.Count(words, "blue key, added on") != 2 {
		t.Errorf("to approve when something was bound since = %d %s, want both to look at", page.StatusCode, words)
	}
	if n := p.count(`SELECT count(*) FROM request WHERE id = $1 AND state = 'open'`, request); n != 1 {
		t.Error("the request was decided all the same")
	}
	send(page).wantPage(t, http.StatusOK, path, "Approved")
	if _, _, detail := p.line("request_decided"); detail["authenticators_bound_by"] != raAgent {
		t.Errorf("the record of the decision = %v, want that %s had to do with it", detail, raAgent)
	}
}

// enrolBy has a person bind a key by a link that an officer made.
func (p *provider) enrolBy(officer, person string) {
	p.t.Helper()
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail) VALUES ($1, 'enrolment_link_made', '', $2, $3, '', '', '', '{}')`, p.clock.Now(), officer, person)
	p.enrol(person, webauthntest.New())
}

// askedForSponsor asks that somebody become a sponsor, and returns the request.
func (p *provider) askedForSponsor(person string) string {
	p.t.Helper()
	ctx, r := p.t.Context(), p.registrar()
	id, err := r.Propose(ctx, deed.Acting{Person: raManager, Role: managersRole}, "ZX100", position.Draft{Name: "Sponsor", JobRole: "S8001:G8002:R8008", Activities: []string{"B1300"}, Reason: "A new ward"})
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := r.Approve(ctx, deed.Acting{Person: raAdvanced, Role: advancedsRole}, id, 1); err != nil {
		p.t.Fatal(err)
	}
	asked, err := r.Ask(ctx, deed.Acting{Person: raSponsor, Role: sponsorsRole}, position.Asked{Kind: position.Assign, Person: person, Position: id, Reason: "Starts on Monday"})
	if err != nil {
		p.t.Fatal(err)
	}
	return asked.Request.String()
}

// Who merges the profile of an officer into another makes that an officer's, and sees who bound what to it: at the desk and by programs.
func TestWhoMergesAnOfficerSeesWhoBoundWhat(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	hers, kept := p.nurse(), p.nurse()
	_, err := directory.GrantRole(t.Context(), p.owner, p.registrar().Catalogue, directory.NewRole{PersonID: hers, Organisation: "ZX100", JobRole: "S8001:G8002:R8008", Activities: []string{"B1300"}}, "test", p.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	p.enrolBy(raAgent, kept)
	as := p.programs()
	a := as(raAdvanced).call(http.MethodPost, "/api/merges", nil, `{"duplicate":"`+hers+`","kept":"`+kept+`","reason":"One person"}`)
	merge := map[string]string{"merge": a.member(t, "id")}
	const decision = "/api/merges/{merge}/decision"
	program := as(raManager)
	seen := program.call(http.MethodGet, "/api/merges/{merge}", merge, "")
	if !strings.Contains(seen.body, `"name":"blue key"`) || seen.member(t, "bound_by_others_mark") == "" {
		t.Fatalf("the merge = %s, want who bound what", seen.body)
	}
	blind := program.call(http.MethodPost, decision, merge, `{"verdict":"approved","reason":"One face"}`)
	if problem := blind.problem(t); blind.StatusCode != http.StatusPreconditionFailed || problem.Reason != "bound_by_others" || len(problem.Changes) != 1 {
		t.Errorf("to merge unseen = %d %s, want 412 and what there is", blind.StatusCode, blind.body)
	}
	manager, page := p.atDesk(raManager, "/desk/merges/"+merge["merge"])
	form := regexp.MustCompile(`action="(/desk/merges/[^"]*\?bound=[0-9a-f]{16}&amp;role=[0-9]{12})"`).FindStringSubmatch(page.body)
	if words := page.words(t); form == nil || !strings.Contains(words, "Others bound what this person signs in with") || !strings.Contains(words, "blue key, added on") {
		t.Fatalf("the page = %s, want who bound what, and a form that says that it does", words)
	}
	p.clock.advance(time.Minute)
	p.enrol(kept, webauthntest.New()) // when she had opened the page
	verdict := url.Values{"verdict": {"approved"}, "reason": {"One face"}}
	again := manager.post(html.UnescapeString(form[1]), verdict)
	if words := again.words(t); again.StatusCode != http.StatusBadRequest || strings.Count(words, "blue key, added on") != 2 {
		t.Errorf("to merge when something was bound since = %d %s, want both to look at", again.StatusCode, words)
	}
	if n := p.count(`SELECT count(*) FROM person_merge WHERE state = 'proposed'`); n != 1 {
		t.Error("the merge was decided all the same")
	}
	mark := program.call(http.MethodGet, "/api/merges/{merge}", merge, "").member(t, "bound_by_others_mark")
	if a := program.call(http.MethodPost, decision, merge, `{"verdict":"approved","reason":"One face","bound_by_others_mark":"`+mark+`"}`); a.StatusCode != http.StatusOK {
		t.Errorf("to merge what was seen = %d %s, want 200", a.StatusCode, a.body)
	}
	if _, _, detail := p.line("merge_decided"); detail["authenticators_bound_by"] != raAgent {
		t.Errorf("the record of the merge = %v, want that %s had to do with it", detail, raAgent)
	}
}
