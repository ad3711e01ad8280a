package idp_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/store"
)

// asksSecondChecker says that what is checked at an organisation waits for a second officer, or does not.
func (p *provider) asksSecondChecker(organisation string, asks bool) {
	p.t.Helper()
	p.setPolicy(organisation, func(policy *directory.Policy) { policy.SecondChecker = asks })
}

// proposedEvidence is a piece of evidence of somebody that the agent checked and that waits.
func (p *provider) proposedEvidence(person string) string {
	p.t.Helper()
	ctx := p.t.Context()
	about, err := p.store.Identity(ctx, person)
	if err != nil {
		p.t.Fatal(err)
	}
	piece := evidence.Piece{
		Piece: assurance.Piece{
			Type: assurance.Document, Kind: "bank_statement",
			Checks: []assurance.Check{{Method: assurance.PhysicalInspection, At: p.clock.Now(), Facts: []assurance.Fact{"physical"}}},
		},
		Subject: evidence.Subject{GivenName: about.GivenName, FamilyName: about.FamilyName}, Declared: evidence.InPerson,
	}
	err = p.store.InTx(ctx, func(tx *store.Tx) error {
		change, refusal, err := p.desk().ProposeIn(ctx, tx, evidence.Checker{PersonID: raAgent, Role: agentsRole}, "ZX100", person, piece)
		if err == nil && (refusal != nil || !change.Awaits) {
			err = fmt.Errorf("it is %+v, %w", change, refusal)
		}
		return err
	})
	if err != nil {
		p.t.Fatalf("ProposeIn() = %v, want it to wait", err)
	}
	return p.waiting(person)[0]
}

// waiting are the ids of the pieces of somebody that wait for a second officer.
func (p *provider) waiting(person string) (ids []string) {
	p.t.Helper()
	list, err := p.store.EvidenceProposalsOf(p.t.Context(), person, 20)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, w := range list {
		ids = append(ids, w.ID.String())
	}
	return ids
}

// Where an organisation asks for it, what one officer checked counts for nothing until another confirms it.
func TestDeskHasASecondChecker(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	person := p.unproved()
	of := "/desk/people/" + person + "/evidence"
	p.asksSecondChecker("ZX000", true) // the health board, and so its hospital
	agent, _ := p.atDesk(raAgent, of)
	for range 2 { // a form that is sent twice waits once
		a := agent.post(of+"/new?kind=passport", passportForm())
		if words := a.words(t); a.StatusCode != http.StatusOK || !strings.Contains(words, "Waits for a second officer: passport") || !strings.Contains(words, "Identity before Not proved Identity once it is confirmed Medium (M1C)") {
			t.Fatalf("to record a passport = %d %s, want that it waits", a.StatusCode, text(a.body))
		}
	}
	waiting := p.waiting(person)
	if got := p.count(`SELECT count(*) FROM evidence WHERE person_id = $1`, person); got != 0 || len(waiting) != 1 {
		t.Fatalf("pieces on record = %d, and %d that wait, want none and one", got, len(waiting))
	}
	if words := agent.get(of).words(t); !strings.Contains(words, "Identity Not proved") || !strings.Contains(words, "Waits for a second officer") {
		t.Errorf("the evidence = %s, want that nothing is proved, and what waits", words)
	}
	path := "/desk/evidence/" + waiting[0]
	if got := p.count(`SELECT count(*) FROM evidence_proposal WHERE position('707777707' IN encode(piece_sealed, 'escape')) > 0`); got != 0 {
		t.Error("what waits rests as it is, want it sealed")
	}

	// Who checked it cannot confirm it, nor can who proves nobody, nor who works elsewhere.
	if words := agent.get(path).words(t); !strings.Contains(words, "You checked this yourself") || strings.Contains(words, "Confirm it You have seen") {
		t.Errorf("what she checked herself = %s, want that another officer has to confirm it", words)
	}
	if a := agent.post(path, url.Values{"verdict": {"confirm"}}); a.StatusCode != http.StatusForbidden || !strings.Contains(a.words(t), "another officer has to decide") {
		t.Errorf("to confirm her own = %d %s, want 403", a.StatusCode, text(a.body))
	}
	sponsor, _ := p.atDesk(raSponsor, "/desk")
	if a := sponsor.post(path, url.Values{"verdict": {"confirm"}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("to confirm it as a sponsor = %d, want 403", a.StatusCode)
	}
	advanced, home := p.atDesk(raAdvanced, "/desk")
	if !strings.Contains(home.words(t), "Evidence to confirm 1 waits") {
		t.Errorf("the desk = %s, want that one piece waits", text(home.body))
	}
	if words := advanced.get("/desk/evidence").words(t); !strings.Contains(words, "Passport Sarah Meredyth") || !strings.Contains(words, "Checked by Bartholomew Keykeeper") {
		t.Errorf("what waits = %s, want the passport", words)
	}
	for list, want := range map[string]int{"?organisation=zx100": http.StatusOK, "?organisation=ZX200": http.StatusForbidden, "?organisation=NOWHERE": http.StatusBadRequest, "?organisation=%00": http.StatusBadRequest} {
		if a := advanced.get("/desk/evidence" + list); a.StatusCode != want || strings.Contains(a.body, path) != (want == http.StatusOK) {
			t.Errorf("what waits at %s = %d %s, want %d", list, a.StatusCode, text(a.body), want)
		}
	}
	above, glance := p.atDesk(p.newOfficer("ZX000", "S8001:G8002:R8008", "B0267"), "/desk/organisations/ZX100")
	if !strings.Contains(glance.words(t), "Evidence that waits for a second checker How many 1") || !strings.Contains(glance.body, `href="/desk/evidence?organisation=ZX100"`) {
		t.Errorf("the hospital at a glance from above = %s, want the passport, and the way to it", text(glance.body))
	}
	for _, list := range []string{"", "?organisation=ZX000", "?organisation=ZX100"} {
		if a := above.get("/desk/evidence" + list); !strings.Contains(a.body, path) {
			t.Errorf("what waits from above at %q = %s, want the passport", list, text(a.body))
		}
	}
	if a := advanced.post(path, url.Values{}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Select whether you confirm or dismiss it") {
		t.Errorf("to decide nothing = %d %s, want 400", a.StatusCode, text(a.body))
	}
	if a := advanced.postWith(path, url.Values{"verdict": {"confirm"}}, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }); a.StatusCode != http.StatusForbidden {
		t.Errorf("to confirm it from another site = %d, want 403", a.StatusCode)
	}
	if got := p.count(`SELECT count(*) FROM evidence WHERE person_id = $1`, person); got != 0 {
		t.Fatalf("pieces on record after that = %d, want none", got)
	}

	// What failed waits for nobody: it can only take away.
	if a := agent.post(of+"/new?kind=passport", with(passportForm(), "number", "707777709", "pvp", "", "failed", "pvp")); !strings.Contains(a.words(t), "Identity now Not proved") || len(p.waiting(person)) != 1 {
		t.Errorf("to record a passport with another face = %s, want it on record", text(a.body))
	}
	if a := advanced.post(of+"/"+p.recorded(person)+"/withdraw", url.Values{"reason": {"mistaken"}}); a.StatusCode != http.StatusOK {
		t.Fatalf("to withdraw it = %d, want it done", a.StatusCode)
	}

	if words := advanced.get(path).words(t); !strings.Contains(words, "Number 707 777 707") || !strings.Contains(words, "Its signature verified") {
		t.Errorf("what is to be confirmed = %s, want what it says and what was checked", words)
	}
	a := advanced.post(path, url.Values{"verdict": {"confirm"}})
	if words := a.words(t); a.StatusCode != http.StatusOK || !strings.Contains(words, "Identity before Not proved Identity now Medium (M1C)") {
		t.Errorf("to confirm it = %d %s, want the level", a.StatusCode, text(a.body))
	}
	for _, verdict := range []string{"confirm", "dismiss"} {
		if a := advanced.post(path, url.Values{"verdict": {verdict}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "On record now: Confirmed") {
			t.Errorf("to %s it again = %d %s, want what was decided", verdict, a.StatusCode, text(a.body))
		}
	}
	list, err := p.desk().Of(t.Context(), person, uuid.Nil, 10)
	if err != nil || len(list) != 2 || list[1].RecordedBy != raAdvanced || list[1].Checks[0].Checker != raAgent {
		t.Errorf("Of() = %+v, %v, want one more piece, checked by the agent and recorded by who confirmed it", list, err)
	}
	if a := agent.post(of+"/new?kind=passport", passportForm()); !strings.Contains(a.words(t), "It was on record already") || len(p.waiting(person)) != 0 {
		t.Errorf("to send the form once more = %s, want that it is on record", text(a.body))
	}
	want := []string{"organisation_policy_set", "evidence_proposed", "evidence_decided: own_request", "evidence_recorded", "evidence_recorded", "evidence_decided", "evidence_decided: decided_already", "evidence_decided: decided_already"}
	if got := p.audited("organisation_policy_set", "evidence_proposed", "evidence_recorded", "evidence_decided"); !slices.Equal(got[len(got)-len(want):], want) {
		t.Errorf("the record ends with %q, want %q", got, want)
	}

	p.asksSecondChecker("ZX000", false)
	licence := with(passportForm(), "number", "707777708")
	if a := agent.post(of+"/new?kind=passport", licence); !strings.Contains(a.words(t), "Identity now") || len(p.waiting(person)) != 0 {
		t.Errorf("to record where nobody asks for it = %s, want it on record", text(a.body))
	}
}

// What waits is confirmed by what is on record then, and can be dismissed, also by who checked it.
func TestDeskDismissesWhatWaits(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	first, second := p.unproved(), p.unproved()
	p.asksSecondChecker("ZX100", true)
	agent, _ := p.atDesk(raAgent, "/desk")
	for _, person := range []string{first, second} { // the same document of two people: whichever is confirmed first
		if a := agent.post("/desk/people/"+person+"/evidence/new?kind=passport", passportForm()); a.StatusCode != http.StatusOK {
			t.Fatalf("to record = %d %s, want that it waits", a.StatusCode, text(a.body))
		}
	}
	advanced, _ := p.atDesk(raAdvanced, "/desk")
	if a := advanced.post("/desk/evidence/"+p.waiting(first)[0], url.Values{"verdict": {"confirm"}}); a.StatusCode != http.StatusOK {
		t.Fatalf("to confirm the first = %d %s, want it done", a.StatusCode, text(a.body))
	}
	other := "/desk/evidence/" + p.waiting(second)[0]
	if a := advanced.post(other, url.Values{"verdict": {"confirm"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "on record for another person") || len(p.waiting(second)) != 1 {
		t.Errorf("to confirm the second = %d %s, want that it counts for another, and still waits", a.StatusCode, text(a.body))
	}
	if a := agent.rest(agent.post(other, url.Values{"verdict": {"dismiss"}})); a.StatusCode != http.StatusOK || len(p.waiting(second)) != 0 {
		t.Errorf("to take it back = %d %s, want it gone", a.StatusCode, text(a.body))
	}
	if got := p.count(`SELECT count(*) FROM evidence_proposal WHERE piece_sealed IS NOT NULL`); got != 0 {
		t.Errorf("pieces that are kept after they were decided = %d, want none", got)
	}
	if a := advanced.get("/desk/evidence/x"); a.StatusCode != http.StatusNotFound {
		t.Errorf("what is no proposal = %d, want 404", a.StatusCode)
	}
}
