package idp_test

import (
	"encoding/csv"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/position"
)

// nursed has somebody hold the position of a ward nurse, which the agent approved, and is the role.
func (p *provider) nursed(person, positionID string) string {
	p.t.Helper()
	ctx, r := p.t.Context(), p.registrar()
	asked, err := r.Ask(ctx, deed.Acting{Person: raSponsor, Role: sponsorsRole}, position.Asked{Kind: position.Assign, Person: person, Position: positionID, Reason: "Starts on Monday"})
	if err != nil {
		p.t.Fatal(err)
	}
	given, err := r.Decide(ctx, deed.Acting{Person: raAgent, Role: agentsRole}, asked.Request, position.Approve, "Yes", "")
	if err != nil {
		p.t.Fatal(err)
	}
	return given.Role
}

// reviewed opens a review of the hospital.
func (p *provider) reviewed() string {
	p.t.Helper()
	scope := position.Scope{Organisation: "ZX100", DueAt: p.clock.Now().Add(24 * time.Hour), Reason: "Each November"}
	id, err := p.registrar().OpenReview(p.t.Context(), deed.Acting{Person: raManager, Role: managersRole}, scope)
	if err != nil {
		p.t.Fatal(err)
	}
	return id.String()
}

// An officer opens a review at the desk. Another certifies one position and removes the other, and it is finished.
func TestDeskReviews(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, _ := p.wardNurse()
	kept, gone := p.nursed(formerly, ward), p.nursed(p.newOfficer("ZX100", "S8001:G8002:R8008"), ward)
	manager, page := p.atDesk(raManager, "/desk/reviews/new")
	if page.StatusCode != http.StatusOK {
		t.Fatalf("the form = %d %s, want it", page.StatusCode, text(page.body))
	}
	const path = "/desk/reviews/new"
	due := p.clock.Now().AddDate(0, 1, 0).Format(time.DateOnly)
	if a := manager.post(path, url.Values{"organisation": {"NOWHERE"}, "due": {due}, "reason": {"x"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Enter the code of an organisation") {
		t.Errorf("a review of nowhere = %d %s, want 400", a.StatusCode, text(a.body))
	}
	a := manager.post(path, url.Values{"organisation": {"zx100"}, "due": {"yesterday"}, "removes": {"yes"}})
	if words := a.words(t); a.StatusCode != http.StatusBadRequest || !strings.Contains(words, "Enter a day after today") || !strings.Contains(words, "Enter a reason") || !strings.Contains(a.body, `value="yesterday"`) {
		t.Errorf("a review without a day = %d %s, want what was typed and what is wrong", a.StatusCode, text(a.body))
	}
	page = manager.rest(manager.post(path, url.Values{"organisation": {"zx100"}, "due": {due}, "reason": {"Each November"}, "removes": {"yes"}}))
	at := page.path()
	if words := page.words(t); !strings.HasPrefix(at, "/desk/reviews/") || !strings.Contains(words, "What nobody certifies is removed") || !strings.Contains(page.body, `id="entry-`+kept) || !strings.Contains(page.body, `id="entry-`+gone) {
		t.Fatalf("the review = %s %s, want both roles to decide", at, text(page.body))
	}
	if a := manager.post(path, url.Values{"organisation": {"ZX100"}, "due": {due}, "reason": {"Again"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "is open already") {
		t.Errorf("a second review = %d %s, want 400", a.StatusCode, text(a.body))
	}
	if words := manager.get("/desk").words(t); !strings.Contains(words, "1 is open . The last day of the first is") {
		t.Errorf("what needs doing = %s, want the review", words)
	}
	if a := manager.get("/desk/reviews?state=open"); !strings.Contains(a.body, `href="`+at+`"`) {
		t.Errorf("the open reviews = %s, want this one", text(a.body))
	}
	advanced, _ := p.atDesk(raAdvanced, at)
	if a := advanced.post(at, url.Values{"certify": {"ticked"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Tick what you certify or remove") {
		t.Errorf("to certify nothing = %d %s, want 400", a.StatusCode, text(a.body))
	}
	for _, no := range []string{"x", "\x00", "=1+1", strings.Repeat("9", 200)} {
		if a := advanced.post(at, url.Values{"certify": {"ticked"}, "entry": {kept, no}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Tick what you certify or remove") {
			t.Errorf("to certify %q, which is no role = %d %s, want 400", no, a.StatusCode, text(a.body))
		}
	}
	for name, a := range map[string]answer{
		"of another review":    advanced.post("/desk/reviews/"+uuid.NewString(), url.Values{"certify": {kept}}),
		"of no role of it":     advanced.post(at, url.Values{"certify": {"656005750000"}}),
		"of nothing like one":  advanced.post("/desk/reviews/x", url.Values{"certify": {kept}}),
		"of no page that goes": advanced.get("/desk/reviews/x/report.csv"),
	} {
		if a.StatusCode != http.StatusNotFound {
			t.Errorf("a decision %s = %d %s, want 404", name, a.StatusCode, text(a.body))
		}
	}
	agent, _ := p.atDesk(raAgent, "/desk")
	if a := agent.post(at, url.Values{"certify": {kept}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("a decision of an agent = %d, want 403", a.StatusCode)
	}
	if a := advanced.rest(advanced.post(at, url.Values{"certify": {"ticked"}, "entry": {kept}})); a.path() != at || strings.Contains(a.body, `id="entry-`+kept) {
		t.Errorf("the review after one was certified = %s, want it gone from what is left", text(a.body))
	}
	if a := manager.post(at, url.Values{"remove": {"ticked"}, "entry": {kept}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Another officer has decided this already") {
		t.Errorf("to remove what was certified = %d %s, want 400", a.StatusCode, text(a.body))
	}
	if words := manager.rest(manager.post(at, url.Values{"remove": {"ticked"}, "entry": {gone}})).words(t); !strings.Contains(words, "Finished") || !strings.Contains(words, "Nothing is left to decide") {
		t.Errorf("the review after all was decided = %s, want it finished", words)
	}
	late := manager.post(at, url.Values{"remove": {"ticked"}, "entry": {gone, kept}}).words(t)
	for _, want := range []string{"On record now: Certified by Crispin Seconder You entered: Remove it", "On record now: Removed by Winifred Stewardley You entered: Remove it"} {
		if !strings.Contains(late, want) {
			t.Errorf("to remove both when they are decided = %s, want %q", late, want)
		}
	}
	for state, want := range map[string]bool{"": true, "open": false} {
		if a := manager.get("/desk/reviews?state=" + state); strings.Contains(a.body, `href="`+at+`"`) != want {
			t.Errorf("the reviews of state %q have one that is finished = %t, want %t: %s", state, !want, want, text(a.body))
		}
	}
	if words := manager.get(at + "?show=all").words(t); !strings.Contains(words, "Certified by Crispin Seconder") || !strings.Contains(words, "Removed by Winifred Stewardley") {
		t.Errorf("all of the review = %s, want who decided what", words)
	}
	report := manager.get(at + "/report.csv")
	rows, err := csv.NewReader(strings.NewReader(report.body)).ReadAll()
	if err != nil || len(rows) != 3 || rows[0][0] != "person" || report.Header.Get("Content-Type") != "text/csv; charset=utf-8" || !strings.HasPrefix(report.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the report = %v %v %q, want a file of two lines", report.Header, err, rows)
	}
	if actor, _, detail := p.line("person_searched"); actor != raManager || detail["by"] != "review_report" || detail["hits"] != "2" || !strings.HasSuffix(at, detail["review"]) {
		t.Errorf("the record says %s, %v, want that the manager took two names away", actor, detail)
	}
}
