package idp_test

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/desk"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// Officers of the seed: the manager is of the health board, the others of its hospital.
const (
	raManager     = "656005750116"
	raAgent       = "656005750117"
	raSponsor     = "656005750118"
	raAdvanced    = "656005750119"
	noOfficer     = "656005750107"
	agentsRole    = "656014117001"
	sponsorsRole  = "656014118001"
	managersRole  = "656014116001"
	advancedsRole = "656014119001"
)

// atDesk signs somebody in who comes to a page of the desk, and shows what she gets.
func (p *provider) atDesk(person, path string) (*browser, answer) {
	p.t.Helper()
	b := p.browser()
	return b, b.simulate(b.get(path), person, "smartcard")
}

// registrar acts as the desk does.
func (p *provider) registrar() *position.Registrar {
	p.t.Helper()
	rules, err := authority.New()
	if err != nil {
		p.t.Fatal(err)
	}
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		p.t.Fatal(err)
	}
	return &position.Registrar{Store: p.store, Rules: rules, Catalogue: catalogue, Now: p.clock.Now}
}

// wardNurse is a position of the hospital that is in force, and a request for it that waits, for somebody who has no role.
func (p *provider) wardNurse() (positionID, requestID string) {
	p.t.Helper()
	ctx, r := p.t.Context(), p.registrar()
	draft := position.Draft{Name: "Ward nurse", JobRole: "S8000:G8000:R8001", Activities: []string{"B0401"}, Reason: "A new ward"}
	id, err := r.Propose(ctx, deed.Acting{Person: raManager, Role: managersRole}, "ZX100", draft)
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := r.Approve(ctx, deed.Acting{Person: raAdvanced, Role: advancedsRole}, id, 1); err != nil {
		p.t.Fatal(err)
	}
	asked, err := r.Ask(ctx, deed.Acting{Person: raSponsor, Role: sponsorsRole}, position.Asked{Kind: position.Assign, Person: noRole, Position: id, Reason: "Starts on Monday"})
	if err != nil {
		p.t.Fatal(err)
	}
	return id, asked.Request.String()
}

// newOfficer makes an officer of somebody new, who has this role alone.
func (p *provider) newOfficer(organisation, jobRole string, activities ...string) string {
	p.t.Helper()
	ctx, now := p.t.Context(), p.clock.Now()
	id, err := directory.AddPerson(ctx, p.owner, directory.NewPerson{GivenName: "Another", FamilyName: "Officer"}, "test", now)
	if err != nil {
		p.t.Fatal(err)
	}
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := directory.GrantRole(ctx, p.owner, catalogue, directory.NewRole{PersonID: id, Organisation: organisation, JobRole: jobRole, Activities: activities}, "test", now); err != nil {
		p.t.Fatal(err)
	}
	p.exec(`UPDATE person SET identity_level = 'high' WHERE id = $1`, id)
	return id
}

// Whoever comes to the desk is taken through what is missing, and no further; an officer comes back to the very page.
func TestDeskIsForOfficers(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const path = "/desk/requests?organisation=ZX100"
	for _, test := range []struct {
		name, person, method string
		status               int
		path, words          string
	}{
		{"an officer comes to the page that she asked for", raAgent, "smartcard", http.StatusOK, "/desk/requests", "Open requests"},
		{"an officer at level 2 has to sign in more strongly", raAgent, "totp", http.StatusOK, "/sign-in/step-up", "Sign in more strongly"},
		{"somebody whose identity is proved to level medium has to prove it", noRole, "smartcard", http.StatusForbidden, "/sign-in/unmet", "You need to prove your identity"},
		{"somebody who has no role is told so", expiredRole, "smartcard", http.StatusOK, "/sign-in/role", "You have no current role"},
		{"somebody who has several chooses one", sevenRoles, "smartcard", http.StatusOK, "/sign-in/role", "Choose your role"},
		{"somebody whose role makes her no officer is refused", noOfficer, "smartcard", http.StatusForbidden, "/desk/requests", "The registration desk is for officers"},
	} {
		b := p.browser()
		page := b.simulate(b.get(path), test.person, test.method)
		if page.StatusCode != test.status || page.path() != test.path || !strings.Contains(page.words(t), test.words) {
			t.Errorf("%s: got %d %s %s, want %d %s with %q", test.name, page.StatusCode, page.path(), text(page.body), test.status, test.path, test.words)
		}
		if test.path == "/desk/requests" && page.Request.URL.RequestURI() != path {
			t.Errorf("%s: came to %s, want %s", test.name, page.Request.URL.RequestURI(), path)
		}
	}
	if diff := cmp.Diff([]string{"desk_opened: no_right"}, p.audited("desk_opened")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}

// An officer who has nothing to sign in with strongly enough is told so, and not asked again and again.
func TestDeskTellsWhoCannotSignInStronglyEnough(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p = p.second(func(c *idp.Config) { c.Simulated = nil })
	key := webauthntest.New()
	p.enrol(raAgent, key)
	b := p.browser()
	page := b.passkey(b.get("/desk"), key)
	if page.StatusCode != http.StatusForbidden || page.path() != "/sign-in/unmet" || !strings.Contains(page.words(t), "Nothing on your record reaches it") {
		t.Errorf("the desk with a key of level 2 = %d %s %s, want the page that says what is missing", page.StatusCode, page.path(), text(page.body))
	}
}

// Which page is whose: each route, each kind of officer, at the organisation concerned and at another. A new page is put here
// first.
func TestDeskPagesByOfficer(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, request := p.wardNurse()
	client, introduction := p.wardList(), p.introduced(ward)
	p.photographed(noRole)
	proposal, meeting := p.proposedEvidence(noRole), p.met(noRole)
	merge := p.proposed()
	p.nursed(formerly, ward)
	review := p.reviewed()
	_, _, opened := p.brokenGlass()
	officers := []struct{ name, person string }{
		{"manager", raManager},
		{"advanced agent", raAdvanced},
		{"agent", raAgent},
		{"sponsor", raSponsor},
		{"identity checker", p.newOfficer("ZX100", "S8001:G8002:R8008", "B0267")},
		{"smartcard administrator", p.newOfficer("ZX100", "S8001:G8002:R8008", "B9002")},
		{"privacy officer", p.newOfficer("ZX100", "S8002:G8003:R0001")},
		{"manager elsewhere", p.newOfficer("ZX200", "S0080:G0450:R5080")},
		{"no officer", noOfficer},
	}
	// y opens, - does not, and n is nothing of hers, in the order of the officers.
	rows := map[string]string{
		"GET /desk":                      "yyyyyyyy-",
		"GET /desk/organisations/{code}": "yyyyyyy--",
		"GET /desk/unusual":              "------y--",

		"GET /desk/organisations/{code}/policy": "yyyyyyy--",

		"GET /desk/suspended":                "yyyy-y-y-",
		"GET /desk/expiring":                 "yyyy---y-",
		"GET /desk/self-registered":          "yyy-y--y-",
		"GET /desk/requests":                 "yyyy---y-",
		"GET /desk/requests/bulk":            "yyyy---y-",
		"GET /desk/requests/{id}":            "yyyy-----",
		"GET /desk/positions":                "yyyy---y-",
		"GET /desk/positions/new":            "yy-----y-",
		"GET /desk/positions/{id}":           "yyyy-----",
		"GET /desk/positions/{id}/revision":  "yy-------",
		"GET /desk/positions/{id}/close":     "yy-------",
		"GET /desk/positions/{id}/holders":   "yyyy-----",
		"GET /desk/positions/{id}/introduce": "yyyy-----",
		"GET /desk/positions/{id}/withheld":  "yyyy-----",
		"GET /desk/introductions":            "yyyyy--y-",
		"GET /desk/introductions/{id}":       "yyyyy----",

		"GET /desk/introductions/{id}/people/{person}": "yyy-y----",

		"GET /desk/evidence":                         "yyy-y--y-",
		"GET /desk/evidence/{proposal}":              "yyy-y--y-",
		"GET /desk/people":                           "yyyyyy-y-",
		"GET /desk/people/new":                       "yyy-y--y-",
		"GET /desk/people/{id}":                      "yyyyyy-y-",
		"GET /desk/people/{id}/positions":            "yyyy---y-",
		"GET /desk/people/{id}/positions/{position}": "yyyy-----",
		"GET /desk/people/{id}/photograph":           "yyy-y--y-",
		"GET /desk/people/{id}/photograph.jpg":       "yyyyyy-y-",
		"GET /desk/people/{id}/correct":              "yyy-y--y-",
		"GET /desk/people/{id}/close":                "yyy----y-",
		"GET /desk/people/{id}/reopen":               "yyy----y-",
		"GET /desk/people/{id}/leave":                "yyy----y-",
		"GET /desk/people/{id}/merge":                "yy-----y-",
		"GET /desk/people/{id}/history":              "yyyyyy-y-",
		"GET /desk/merges":                           "yy-----y-",
		"GET /desk/merges/{merge}":                   "yy-----y-",
		"GET /desk/people/{id}/evidence":             "yyy-y--y-",
		"GET /desk/people/{id}/evidence/new":         "yyy-y--y-",

		"GET /desk/people/{id}/evidence/{evidence}/withdraw": "yyy-y--y-",

		"GET /desk/people/{id}/meetings/new":                "yyy-y--y-",
		"GET /desk/people/{id}/meetings/{meeting}":          "nny-n--n-",
		"GET /desk/people/{id}/meetings/{meeting}/evidence": "nny-n--n-",

		"GET /desk/reviews":                 "yy-----y-",
		"GET /desk/reviews/new":             "yy-----y-",
		"GET /desk/reviews/{id}":            "yy-------",
		"GET /desk/reviews/{id}/report.csv": "yy-------",

		"GET /desk/retention":      "y-----yy-",
		"GET /desk/retention/{id}": "y-----yy-",

		"GET /desk/break-glass":      "y-----yy-",
		"GET /desk/break-glass/{id}": "y-----y--",

		"GET /desk/audit":           "------y--",
		"GET /desk/audit/lines.csv": "------y--",

		"GET /desk/clients":             "yy-----y-",
		"GET /desk/clients/apply":       "yy-----y-",
		"GET /desk/clients/{id}":        "yy-------",
		"GET /desk/clients/{id}/check":  "yy-------",
		"GET /desk/clients/{id}/secret": "yy-------",
		"GET /desk/clients/{id}/keys":   "yy-------",

		"GET /desk/people/{id}/authenticators":                       "yyyy-y-y-",
		"GET /desk/people/{id}/authenticators/new":                   "yyy----y-",
		"GET /desk/people/{id}/authenticators/link":                  "yyy----y-",
		"GET /desk/people/{id}/authenticators/{authenticator}/{act}": "yyy----y-", // to revoke it
	}
	p.enrol(noRole, webauthntest.New())
	browsers := make([]*browser, len(officers))
	for i, o := range officers {
		browsers[i], _ = p.atDesk(o.person, "/desk")
	}
	new(desk.Handler).Mount(func(pattern string, _ func(http.ResponseWriter, *http.Request) error) {
		path, get := strings.CutPrefix(pattern, "GET ")
		if !get || pattern == "GET /desk/role" { // which is for whoever has several
			return
		}
		row, known := rows[pattern]
		if !known || len(row) != len(officers) {
			t.Errorf("%s is whose? want a row that says so for each of %d officers", pattern, len(officers))
			return
		}
		id := map[bool]string{true: ward, false: request}[strings.HasPrefix(path, "/desk/positions")]
		if strings.HasPrefix(path, "/desk/people") {
			id = noRole
		}
		if strings.HasPrefix(path, "/desk/reviews") {
			id = review
		}
		if strings.HasPrefix(path, "/desk/break-glass") {
			id = strings.TrimPrefix(opened, "/break-glass/")
		}
		if strings.HasPrefix(path, "/desk/clients") {
			id = client
		}
		if strings.HasSuffix(path, "/keys") {
			id = p.wardListWithKeys()
		}
		if strings.HasPrefix(path, "/desk/retention") {
			id = p.retained()
		}
		if strings.HasPrefix(path, "/desk/introductions") {
			id = introduction
		}
		path = strings.NewReplacer("{code}", "ZX100", "{merge}", merge, "{id}", id, "{proposal}", proposal, "{position}", ward, "{person}", noRole, "{evidence}", p.recorded(noRole), "{meeting}", meeting, "{authenticator}", p.newestKey(noRole), "{act}", "revoke", "lines.csv", "lines.csv?person="+raAgent).Replace(path)
		for i, o := range officers {
			want := map[byte]int{'y': http.StatusOK, '-': http.StatusForbidden, 'n': http.StatusNotFound}[row[i]]
			if got := browsers[i].get(path); got.StatusCode != want {
				t.Errorf("%s for the %s = %d, want %d: %s", pattern, o.name, got.StatusCode, want, text(got.body))
			}
		}
	})
}

// What is not there is not there for anybody, whatever the address says.
func TestDeskHasNoOtherPages(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, _ := p.wardNurse()
	b, _ := p.atDesk(raManager, "/desk")
	for path, want := range map[string]int{
		"/desk/positions/" + ward + "?after=99999999999999": http.StatusOK,
		"/desk/positions/" + ward + "?after=-1":             http.StatusOK,
		"/desk/positions/" + ward + "/revision?seen=x":      http.StatusOK,
		"/desk/requests/x":                                http.StatusNotFound,
		"/desk/requests/" + uuid.NewString():              http.StatusNotFound,
		"/desk/positions/555500000001":                    http.StatusNotFound,
		"/desk/positions/%00/revision":                    http.StatusNotFound,
		"/desk/positions/%ff%fe/close":                    http.StatusNotFound,
		"/desk/positions?organisation=%00":                http.StatusBadRequest,
		"/desk/requests?organisation=NOWHERE":             http.StatusBadRequest,
		"/desk/requests?organisation=ZX200&after=x":       http.StatusOK,
		"/desk/requests?owner=hers&person=&position=+":    http.StatusBadRequest,
		"/desk/requests?owner=&person=&position=+":        http.StatusOK,
		"/desk/requests?person=%00":                       http.StatusBadRequest,
		"/desk/requests?position=" + long("5", 300):       http.StatusBadRequest,
		"/desk/requests?owner=mine&organisation=Y51":      http.StatusForbidden,
		"/desk/positions?after=%00":                       http.StatusOK,
		"/desk/positions?state=y":                         http.StatusBadRequest,
		"/desk/requests?organisation=Y51":                 http.StatusForbidden,
		"/desk/requests?organisation=" + long("ZX", 2000): http.StatusBadRequest,
		"/desk/positions/new?organisation=<script>":       http.StatusOK,
		"/desk/positions/" + long("5", 300) + "/holders":  http.StatusNotFound,
	} {
		if got := b.get(path); got.StatusCode != want {
			t.Errorf("GET %.80s = %d, want %d: %s", path, got.StatusCode, want, text(got.body))
		}
	}
	if a := p.browser().get("/desk?" + long("x", 5000)); !strings.Contains(a.body, "/sign-in") || len(a.address().RawQuery) > 2000 {
		t.Errorf("the sign-in page for a long address has one of %d bytes, want it bounded", len(a.address().RawQuery))
	}
}

func long(of string, n int) string { return strings.Repeat(of, n) }

// An agent decides at the desk what a sponsor asked for, and the token of the person says so; nobody else can, and a form that
// another site sends does nothing.
func TestDeskDecides(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, id := p.wardNurse()
	path := "/desk/requests/" + id
	approve := url.Values{"verdict": {"approved"}, "reason": {"As\r\n asked"}}

	sponsor, page := p.atDesk(raSponsor, path)
	if strings.Contains(page.body, `id="decide"`) || !strings.Contains(page.body, `id="withdraw"`) {
		t.Errorf("the sponsor is offered to decide %t, to withdraw %t, want only the latter", strings.Contains(page.body, `id="decide"`), strings.Contains(page.body, `id="withdraw"`))
	}
	if a := sponsor.post(path, approve); a.StatusCode != http.StatusForbidden {
		t.Errorf("POST by the sponsor = %d, want 403", a.StatusCode)
	}
	elsewhere, _ := p.atDesk(p.newOfficer("ZX200", "S0080:G0450:R5080"), "/desk")
	if a := elsewhere.post(path, approve); a.StatusCode != http.StatusForbidden || !strings.Contains(a.words(t), "neither at the organisation") {
		t.Errorf("POST by a manager elsewhere = %d %s, want 403", a.StatusCode, text(a.body))
	}
	agent, page := p.atDesk(raAgent, path)
	if !strings.Contains(page.body, `id="decide"`) {
		t.Errorf("the agent is not offered to decide: %s", text(page.body))
	}
	if a := agent.postWith(path, approve, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }); a.StatusCode != http.StatusForbidden {
		t.Errorf("POST from another site = %d, want 403", a.StatusCode)
	}
	a := agent.post(path, url.Values{"verdict": {"perhaps"}, "reason": {"  <b>why</b> "}})
	if words := a.words(t); a.StatusCode != http.StatusBadRequest || !strings.Contains(words, "Select whether you approve or refuse") || !strings.Contains(a.body, "&lt;b&gt;why") {
		t.Errorf("POST without a decision = %d %s, want the form with what was typed", a.StatusCode, text(a.body))
	}
	if a := p.browser().post(path, approve); a.path() != "/sign-in" {
		t.Errorf("POST by nobody = %d %s, want the sign-in page", a.StatusCode, a.path())
	}
	if got := p.count(`SELECT count(*) FROM role_profile WHERE position_id = $1`, ward); got != 0 {
		t.Fatalf("roles after what was refused = %d, want none", got)
	}

	a = agent.rest(agent.post(path, approve))
	if words := a.words(t); a.StatusCode != http.StatusOK || !strings.Contains(words, "Approved") || !strings.Contains(words, "As asked") || !strings.Contains(words, "Bartholomew Keykeeper") {
		t.Errorf("the request after it was approved = %d %s, want who approved it and why", a.StatusCode, text(a.body))
	}
	if a := agent.post(path, approve); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "decided or withdrawn already") {
		t.Errorf("POST again = %d %s, want that it was decided", a.StatusCode, text(a.body))
	}
	k := newPKCE()
	got := p.as(confidentialClient, redeem(confidentialClient, p.browser().code(request(confidentialClient, k), noRole), k))
	if role := claims(t, got.AccessToken)["role"].(map[string]any); role["code"] != "S8000:G8000:R8001" {
		t.Errorf("role of the access token = %v, want the one that was given", role)
	}
	want := []string{"request_asked", "request_decided: no_right", "request_decided: another_organisation", "request_decided", "request_decided: not_open"}
	if diff := cmp.Diff(want, p.audited("request_asked", "request_decided", "desk_opened")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}

// Who asked takes it back, with a reason, and then nobody decides it.
func TestDeskWithdraws(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	_, id := p.wardNurse()
	path := "/desk/requests/" + id
	sponsor, _ := p.atDesk(raSponsor, path)
	if a := sponsor.post(path, url.Values{"withdraw": {"1"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Enter a reason") {
		t.Errorf("to withdraw without a reason = %d %s, want 400", a.StatusCode, text(a.body))
	}
	agent, page := p.atDesk(raAgent, path)
	if strings.Contains(page.body, `id="withdraw"`) {
		t.Error("the agent is offered to withdraw what a sponsor asked")
	}
	if a := agent.post(path, url.Values{"withdraw": {"1"}, "reason": {"x"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Another officer asked for this") {
		t.Errorf("to withdraw what another asked = %d %s, want 400", a.StatusCode, text(a.body))
	}
	if a := sponsor.rest(sponsor.post(path, url.Values{"withdraw": {"1"}, "reason": {"She does not come"}})); !strings.Contains(a.words(t), "Withdrawn") {
		t.Errorf("the request after it was withdrawn = %s, want that it was", text(a.body))
	}
	if a := agent.get(path); strings.Contains(a.body, `id="decide"`) {
		t.Error("the agent is offered to decide what was withdrawn")
	}
}

// A position that changed since it was asked for is not given as it was: whoever decides sees what differs.
func TestDeskShowsWhatChangedSince(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, id := p.wardNurse()
	path, at := "/desk/requests/"+id, "/desk/positions/"+ward
	agent, page := p.atDesk(raAgent, path)
	if strings.Contains(page.body, `id="changed"`) {
		t.Errorf("the page says that the position changed: %s", text(page.body))
	}
	manager, page := p.atDesk(raManager, at+"/revision")
	if !strings.Contains(page.body, `value="Ward nurse"`) || !strings.Contains(page.body, `value="B0401" checked`) {
		t.Errorf("the form does not begin with what the position is: %s", text(page.body))
	}
	change := url.Values{"name": {"Ward nurse"}, "job_role": {"S8000:G8000:R8001"}, "activity": {"B0401", "B0360"}, "workgroup": {"655694018104 AUG 2017 WKGP\r\n\r\n 655694018105  Ward 5"}, "reason": {"Records too"}}
	if a := manager.rest(manager.post(at+"/revision?seen=1", change)); a.path() != at || !strings.Contains(a.words(t), "Waits for approval: version 2") {
		t.Fatalf("the position after a change was proposed = %s %s, want it to wait", a.path(), text(a.body))
	}
	if a := agent.get(path); strings.Contains(a.body, `id="changed"`) {
		t.Error("the page says that the position changed when that is only proposed")
	}

	// Whoever had the version before it before her sees what differs, and proposes again knowing it.
	advanced, _ := p.atDesk(raAdvanced, at)
	other := maps.Clone(change)
	other.Set("name", "Nurse of the ward")
	a := advanced.post(at+"/revision?seen=1", other)
	if words := a.words(t); a.StatusCode != http.StatusBadRequest || !strings.Contains(words, "This position has changed since") || !strings.Contains(words, "View Detailed Health Records (B0360)") ||
		!strings.Contains(a.body, `value="Nurse of the ward"`) || !strings.Contains(a.body, "seen=2\"") {
		t.Errorf("to change what has changed since = %d %s, want what differs and what was typed", a.StatusCode, text(a.body))
	}
	if a := manager.post(at+"?version=2", nil); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "You asked for this yourself") {
		t.Errorf("to approve one's own change = %d %s, want 400", a.StatusCode, text(a.body))
	}
	if a := advanced.rest(advanced.post(at+"?version=2", nil)); !strings.Contains(a.words(t), "Approved by Crispin Seconder") {
		t.Errorf("the position after it was approved = %s, want who approved it", text(a.body))
	}
	if words := agent.get(path).words(t); !strings.Contains(words, "has changed since it was asked for") || !strings.Contains(words, "655694018104 655694018105") {
		t.Errorf("the request for a position that changed = %s, want what differs", words)
	}
	if a := agent.post(path, url.Values{"verdict": {"approved"}, "reason": {"x"}}); a.StatusCode != http.StatusBadRequest {
		t.Errorf("to approve it all the same = %d, want 400", a.StatusCode)
	}
	if a := agent.rest(agent.post(path, url.Values{"verdict": {"refused"}, "reason": {"It is another now"}})); !strings.Contains(a.words(t), "Refused") {
		t.Errorf("the request after it was refused = %s, want that it was", text(a.body))
	}
}

// The end of a position takes two officers, and says who loses it.
func TestDeskClosesAPosition(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, id := p.wardNurse()
	request, err := uuid.Parse(id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.registrar().Decide(t.Context(), deed.Acting{Person: raAgent, Role: agentsRole}, request, position.Approve, "As asked", ""); err != nil {
		t.Fatal(err)
	}
	at := "/desk/positions/" + ward
	advanced, page := p.atDesk(raAdvanced, at+"/close")
	if !strings.Contains(page.words(t), "1 person will lose what it gives") {
		t.Errorf("the form to close does not say who loses it: %s", text(page.body))
	}
	if a := advanced.get(at + "/holders"); !strings.Contains(a.words(t), "Jory Emptage-Vale") {
		t.Errorf("the holders = %s, want the one", text(a.body))
	}
	if a := advanced.post(at+"/close?seen=1", url.Values{"reason": {" "}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Enter a reason") {
		t.Errorf("to close without a reason = %d %s, want 400", a.StatusCode, text(a.body))
	}
	if a := advanced.rest(advanced.post(at+"/close?seen=1", url.Values{"reason": {"The ward has closed"}})); !strings.Contains(a.words(t), "It closes the position. 1 person loses what it gives") {
		t.Errorf("the position = %s, want what would come of it", text(a.body))
	}
	manager, _ := p.atDesk(raManager, "/desk")
	if a := manager.rest(manager.post(at+"?version=2", nil)); !strings.Contains(a.words(t), "State Closed") || strings.Contains(a.body, `id="revise"`) {
		t.Errorf("the position after its end = %s, want it closed", text(a.body))
	}
	if got := p.count(`SELECT count(*) FROM role_profile WHERE position_id = $1 AND ends_at IS NULL`, ward); got != 0 {
		t.Errorf("roles of the position after its end = %d, want none", got)
	}
}

// Whoever works at the desk stays signed in, and whoever leaves it does not.
func TestDeskKeepsASessionThatIsUsed(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, _ := p.atDesk(raAgent, "/desk")
	for range 6 {
		p.clock.advance(10 * time.Minute)
		if a := b.get("/desk/requests"); a.path() != "/desk/requests" {
			t.Fatalf("the desk after ten minutes = %s, want the page", a.path())
		}
	}
	p.clock.advance(16 * time.Minute)
	if a := b.get("/desk/requests"); a.path() != "/sign-in" {
		t.Errorf("the desk after 16 minutes = %s, want the sign-in page", a.path())
	}
}

// The role is changed on the way, and the desk is for the role that is active.
func TestDeskChangesTheRole(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	page := b.simulate(b.get("/desk"), twoRoles, "")
	if a := b.choose(page, manager); a.path() != "/desk" || !strings.Contains(a.words(t), "You act as Registration Authority Manager") {
		t.Fatalf("the desk in the role of a manager = %s %s, want that she acts in it", a.path(), text(a.body))
	}
	page = b.rest(b.get("/desk/role"))
	if a := b.choose(page, "656014452101"); a.StatusCode != http.StatusForbidden || !strings.Contains(a.body, `id="other-role"`) {
		t.Errorf("the desk in another role = %d %s, want a refusal that offers another role", a.StatusCode, text(a.body))
	}
}

// walkDesk is walk through the pages of the desk.
func (p *provider) walkDesk(see func(name string, pending bool, a answer)) {
	p.t.Helper()
	requests, err := p.owner.OpenRequests(p.t.Context(), store.Queue{OrganisationCode: "ZX100"}, store.Order{}, uuid.Nil, 1, p.clock.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	var ward, request string
	if len(requests) > 0 {
		ward, request = requests[0].PositionID, requests[0].ID.String()
	} else {
		ward, request = p.wardNurse()
	}
	ward, request = "/desk/positions/"+ward, "/desk/requests/"+request
	p.enrol(oneRole, webauthntest.New())
	key := p.newestKey(oneRole)
	b, _ := p.atDesk(raManager, "/desk")
	for _, path := range []string{
		"/desk", "/desk/requests", "/desk/requests?organisation=<script>", request, "/desk/positions", "/desk/positions?state=proposed&organisation=ZX000",
		"/desk/positions/new?organisation=<script>", ward, ward + "/revision", ward + "/close", ward + "/holders",
		"/desk/people", "/desk/people/new", "/desk/people?q=<script>alert(1)</script>", "/desk/people/" + noRole, "/desk/people/" + noRole + "/positions?q=<script>",
		strings.Replace(ward, "/desk", "/desk/people/"+noRole, 1),
		"/desk/people/" + noRole + "/photograph", "/desk/people/" + noRole + "/evidence", "/desk/people/" + noRole + "/meetings/new", "/desk/people/" + noRole + "/evidence/new", "/desk/people/" + noRole + "/evidence/new?kind=passport",
		"/desk/people/" + noRole + "/evidence/" + p.recorded(noRole) + "/withdraw",
		authenticatorsOf(noRole), authenticatorsOf(noRole) + "/new", authenticatorsOf(noRole) + "/link", authenticatorsOf(oneRole), authenticatorsOf(oneRole) + "/" + key + "/revoke",
	} {
		see(path, false, b.get(path))
	}
	see("a decision with a mistake", false, b.post(request, url.Values{"reason": {"<script>alert(1)</script>\u202e"}}))
	see("a person who may be on record", false, b.post("/desk/people/new", someone("Winifred", "Stewardly", "1/2/1970", "<b>@example.org")))
	see("a person with a mistake", false, b.post("/desk/people/new?shown=<script>", someone("<script>\u202e", "<b>", "</p>", "\"><script>")))
	see("a position with a mistake", false, b.post("/desk/positions/new", url.Values{"name": {"<b>\u202e"}, "workgroup": {"<script>\r\n<b>"}, "notes": {"</textarea><script>"}}))
	see("evidence with a mistake", false, b.post("/desk/people/"+noRole+"/evidence/new?kind=passport", url.Values{"given_name": {"<script>\u202e"}, "issued_on": {"<b>"}}))
	see("an authenticator with a mistake", false, b.post(authenticatorsOf(oneRole)+"/"+key+"/suspend", url.Values{"reason": {"<script>\u202e" + long("x", 500)}}))
	see("a link and its code", false, b.post(authenticatorsOf(noRole)+"/link", nil))
	p.walkClients(b, see)
	b, page := p.atDesk(noOfficer, "/desk")
	see("no officer", false, page)
	see("no officer in another role", false, b.get("/desk/positions"))
}

// Only whom the active role makes an officer is shown the way to the desk.
func TestHomeLeadsOfficersToTheDesk(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for person, officer := range map[string]bool{raSponsor: true, noOfficer: false} {
		b := p.browser()
		b.simulate(b.get("/sign-in"), person, "smartcard")
		if a := b.get("/"); strings.Contains(a.body, `href="/desk"`) != officer {
			t.Errorf("the home page of %s shows the way to the desk = %t, want %t", person, !officer, officer)
		}
	}
}
