package idp_test

import (
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
)

// introduced is a request for a position for somebody who is not on record yet, which nobody has taken up.
func (p *provider) introduced(ward string) string {
	p.t.Helper()
	id, err := p.registrar().Introduce(p.t.Context(), deed.Acting{Person: raSponsor, Role: sponsorsRole}, position.Introduced{
		NewPerson: directory.NewPerson{GivenName: "Zoë", FamilyName: "Quist", DateOfBirth: new(time.Date(1985, time.February, 1, 0, 0, 0, 0, time.UTC))},
		Position:  ward, Reason: "Starts on Monday",
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return id.String()
}

// A sponsor asks at the desk for a position for somebody new; an officer creates her, and another approves. What is wrong is
// said, what was typed is kept, and the record has nothing of who never came.
func TestDeskIntroduces(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, _ := p.wardNurse()
	form := someone("Zoë", "Quist", "1/2/1985", "")
	path := "/desk/positions/" + ward + "/introduce"
	sponsor, _ := p.atDesk(raSponsor, path)
	a := sponsor.post(path, with(form, "date_of_birth", "yesterday", "starts", "soon"))
	for _, words := range []string{"Enter the date of birth", "Enter a day that is today or later", "Enter a reason"} {
		if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), words) {
			t.Errorf("POST of what is wrong = %d %s, want %q", a.StatusCode, text(a.body), words)
		}
	}
	if !strings.Contains(a.body, `value="yesterday"`) || !strings.Contains(a.body, `value="soon"`) {
		t.Errorf("the form after a mistake has not what was typed: %s", a.body)
	}
	a = sponsor.rest(sponsor.post(path, with(form, "reason", "Monday")))
	of := a.path()
	if !strings.HasPrefix(of, "/desk/introductions/") || !strings.Contains(a.words(t), "Waits for an officer") || strings.Contains(a.body, `id="look"`) {
		t.Fatalf("the introduction = %d %s %s, want that it waits for another officer", a.StatusCode, of, text(a.body))
	}
	if _, _, detail := p.line("person_introduced"); strings.Contains(detail["reason"]+detail["position"]+detail["person"], "Quist") || detail["introduction"] == "" {
		t.Errorf("the record of the introduction = %v, want no name", detail)
	}

	agent, page := p.atDesk(raAgent, "/desk")
	if !strings.Contains(page.words(t), "People to put on record") {
		t.Errorf("the agent's desk = %s, want who is to be put on record", page.words(t))
	}
	page = agent.get("/desk/people/new?introduction=" + strings.TrimPrefix(of, "/desk/introductions/"))
	if !strings.Contains(page.body, `value="Quist"`) || !strings.Contains(page.body, `value="1 February 1985"`) {
		t.Errorf("the form to create = %s, want it filled in", page.body)
	}
	a = agent.post(html.UnescapeString(page.posts()), someone("Zoë", "Quist", "1/2/1985", ""))
	if !strings.Contains(a.words(t), "Nobody on record is like") {
		t.Errorf("the look for her = %s, want nobody", a.words(t))
	}
	a = agent.rest(agent.post(html.UnescapeString(a.posts()), someone("Zoë", "Quist", "1/2/1985", "")))
	person := strings.TrimSuffix(strings.TrimPrefix(a.path(), "/desk/people/"), "/evidence")
	if !strings.HasSuffix(a.path(), "/evidence") || p.count(`SELECT count(*) FROM request WHERE person_id = $1 AND taken_up_by = $2 AND asked_by = '`+raSponsor+`'`, person, raAgent) != 1 {
		t.Fatalf("after she was created = %d %s, want her evidence, and one request", a.StatusCode, a.path())
	}
	if a := agent.get("/desk/people/new?introduction=" + strings.TrimPrefix(of, "/desk/introductions/")); a.StatusCode != http.StatusForbidden || !strings.Contains(a.words(t), "taken this up") {
		t.Errorf("the form for who was taken up = %d %s, want a refusal", a.StatusCode, text(a.body))
	}
	request := "/desk/requests/" + p.requestOf(person)
	approve := url.Values{"verdict": {"approved"}, "reason": {"As asked"}}
	if a := agent.get(request); strings.Contains(a.body, "verdict-approved") || !strings.Contains(a.words(t), "another officer has to approve") {
		t.Errorf("the request as the agent sees it = %s, want that she cannot approve it", text(a.body))
	}
	if a := agent.post(request, approve); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "another officer has to approve") {
		t.Errorf("approval by who took her up = %d %s, want a refusal", a.StatusCode, text(a.body))
	}
	advanced, _ := p.atDesk(raAdvanced, request)
	if a := advanced.rest(advanced.post(request, approve)); !strings.Contains(a.words(t), "Approved") {
		t.Errorf("approval by another = %d %s, want it", a.StatusCode, text(a.body))
	}
	want := []string{"person_introduced", "introduction_ended", "request_decided: took_up", "request_decided"}
	if diff := cmp.Diff(want, p.audited("person_introduced", "introduction_ended", "request_decided")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}

// requestOf is the newest request for a person.
func (p *provider) requestOf(person string) (id string) {
	p.t.Helper()
	rows, err := p.store.OpenRequestsFor(p.t.Context(), person, nil, 1, p.clock.Now())
	if err != nil || len(rows) != 1 {
		p.t.Fatalf("OpenRequestsFor(%s) = %v, %v, want one", person, rows, err)
	}
	return rows[0].ID.String()
}

// Whoever is introduced may be on record already: then the officer says who it is.
func TestDeskRecognises(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, _ := p.wardNurse()
	id := p.introduced(ward)
	of := "/desk/introductions/" + id
	agent, _ := p.atDesk(raAgent, of)
	a := agent.post("/desk/people/new?introduction="+id, someone("Winifred", "Stewardley", "1/2/1985", ""))
	link := of + "/people/" + raManager
	if !strings.Contains(a.body, link) {
		t.Errorf("who may be the same = %s, want a link to %s", a.body, link)
	}
	if a := agent.post(of+"/people/"+raSponsor, nil); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "about yourself") {
		t.Errorf("taking up for who asked = %d %s, want a refusal", a.StatusCode, text(a.body))
	}
	if a := agent.get(of + "/people/555500000009"); a.StatusCode != http.StatusNotFound {
		t.Errorf("GET for nobody on record = %d, want 404", a.StatusCode)
	}
	a = agent.rest(agent.post(of+"/people/"+expiredRole, nil))
	if a.path() != "/desk/people/"+expiredRole || p.requestOf(expiredRole) == "" {
		t.Errorf("taking up for somebody on record = %d %s, want her page and a request", a.StatusCode, a.path())
	}
}

// Who asked withdraws it, and an officer refuses it, with a reason.
func TestDeskDismissesIntroductions(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, _ := p.wardNurse()
	for _, test := range []struct{ officer, button, state string }{{raSponsor, "Withdraw", "Withdrawn"}, {raAgent, "Refuse", "Refused"}} {
		of := "/desk/introductions/" + p.introduced(ward)
		b, page := p.atDesk(test.officer, of)
		if !strings.Contains(page.words(t), test.button+" it") {
			t.Errorf("the page of %s = %s, want %q", test.officer, page.words(t), test.button)
		}
		if a := b.post(of, url.Values{"reason": {" "}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Enter a reason") {
			t.Errorf("POST without a reason = %d, want 400", a.StatusCode)
		}
		if a := b.rest(b.post(of, url.Values{"reason": {"Not needed"}})); !strings.Contains(a.words(t), test.state) || !strings.Contains(a.words(t), "Not needed") {
			t.Errorf("after it was ended = %s, want %s", a.words(t), test.state)
		}
	}
}
