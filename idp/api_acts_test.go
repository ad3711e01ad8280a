package idp_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// programs gives the programs of officers, each with her token.
func (p *provider) programs() (as func(person string) program) {
	d := p.description()
	return func(person string) program {
		return program{p, d, p.officerToken(p.browser(), person, apiScopes, "smartcard")}
	}
}

// By programs a profile is corrected by who has seen it as it is, closed, and opened again by another officer; somebody leaves; and
// two officers merge. Whatever is refused is on record.
func TestAPIKeepsProfiles(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	as := p.programs()
	manager, advanced := as(raManager), as(raAdvanced)
	person := map[string]string{"person": p.nurse()}
	const details = "/api/people/{person}/details"
	a := manager.call(http.MethodGet, details, person, "")
	seen := a.Header.Get("ETag")
	correction := `{"given_name":"Another","family_name":"Matron","display_name":"Sister Matron","reason":"She married"}`
	if a := manager.call(http.MethodPost, details, person, correction); a.StatusCode != http.StatusPreconditionRequired {
		t.Errorf("a correction of what was not seen = %d %s, want 428", a.StatusCode, a.body)
	}
	if a := manager.call(http.MethodPost, details, person, correction, "If-Match", seen); a.StatusCode != http.StatusOK || !strings.Contains(a.body, `"to":"Matron"`) {
		t.Fatalf("a correction = %d %s, want what was changed", a.StatusCode, a.body)
	}
	again := advanced.call(http.MethodPost, details, person, strings.Replace(correction, "Matron", "Nurse", 1), "If-Match", seen)
	if changes := again.problem(t).Changes; again.StatusCode != http.StatusPreconditionFailed || len(changes) == 0 {
		t.Errorf("a correction of what has changed since = %d %s, want 412 and what differs", again.StatusCode, again.body)
	}
	if a := manager.call(http.MethodGet, details, person, ""); a.Header.Get("ETag") == seen || a.member(t, "family_name") != "Matron" {
		t.Errorf("the details = %s %s, want them corrected, and of another ETag", a.Header.Get("ETag"), a.body)
	}

	if a := manager.call(http.MethodPost, "/api/people/{person}/departure", person, `{"organisation":"ZX100","last":"2026-02-30","reason":"x"}`); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a departure on no day = %d %s, want 422", a.StatusCode, a.body)
	}
	if a := manager.call(http.MethodPost, "/api/people/{person}/departure", person, `{"organisation":"ZX100","reason":"The contract ends"}`); a.StatusCode != http.StatusOK {
		t.Errorf("a departure = %d %s, want 200", a.StatusCode, a.body)
	}
	const closure, reopening = "/api/people/{person}/closure", "/api/people/{person}/reopening"
	if a := advanced.call(http.MethodPost, closure, person, `{"as":"left","reason":"She emigrates"}`); a.StatusCode != http.StatusOK {
		t.Errorf("a closure = %d %s, want 200", a.StatusCode, a.body)
	}
	if a := advanced.call(http.MethodPost, reopening, person, `{"reason":"She is back"}`); a.StatusCode != http.StatusForbidden || a.problem(t).Reason != "own_closing" {
		t.Errorf("who closed it opens it = %d %s, want own_closing", a.StatusCode, a.body)
	}
	if a := manager.call(http.MethodPost, reopening, person, `{"reason":"She is back"}`); a.StatusCode != http.StatusOK {
		t.Errorf("another opens it = %d %s, want 200", a.StatusCode, a.body)
	}

	duplicate, kept := p.nurse(), p.nurse()
	a = manager.call(http.MethodPost, "/api/merges", nil, `{"duplicate":"`+duplicate+`","kept":"`+kept+`","reason":"One person"}`)
	merge := map[string]string{"merge": a.member(t, "id")}
	yes := `{"verdict":"approved","reason":"The same photograph"}`
	if a := manager.call(http.MethodPost, "/api/merges/{merge}/decision", merge, yes); a.StatusCode != http.StatusForbidden || a.problem(t).Reason != "own_request" {
		t.Errorf("who proposed it decides = %d %s, want own_request", a.StatusCode, a.body)
	}
	if a := advanced.call(http.MethodPost, "/api/merges/{merge}/decision", merge, yes); a.StatusCode != http.StatusOK {
		t.Errorf("another decides = %d %s, want 200", a.StatusCode, a.body)
	}
	if a := manager.call(http.MethodGet, "/api/merges/{merge}", merge, ""); a.member(t, "state") != "approved" || !strings.Contains(a.body, `"merged_into":"`+kept) {
		t.Errorf("the merge = %s, want it approved", a.body)
	}
	want := []string{"person_reopened: own_closing", "person_reopened", "merge_decided: own_request", "merge_decided"}
	if diff := cmp.Diff(want, p.audited("person_reopened", "merge_decided")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}

// By programs an authenticator is suspended and works again, and a link to enrol one is answered once, with its code.
func TestAPIKeepsAuthenticators(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	as := p.programs()
	agent, sponsor := as(raAgent), as(raSponsor)
	person := map[string]string{"person": p.nurse()}
	a := agent.call(http.MethodPost, "/api/people/{person}/enrolment-links", person, "")
	if a.StatusCode != http.StatusOK || !strings.HasPrefix(a.member(t, "url"), issuer+"/enrol?token=") || len(a.member(t, "code")) != 8 {
		t.Errorf("a link = %d %s, want it with its code", a.StatusCode, a.body)
	}
	person["person"] = hospitalDoctor
	p.enrol(hospitalDoctor, webauthntest.New())
	person["authenticator"] = p.newestKey(hospitalDoctor)
	const of = "/api/people/{person}/authenticators/{authenticator}/"
	lost := `{"reason":"Left on the bus"}`
	if a := sponsor.call(http.MethodPost, of+"loss", person, `{"reason":""}`); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a loss without a reason = %d %s, want 422", a.StatusCode, a.body)
	}
	if a := sponsor.call(http.MethodPost, of+"loss", person, lost); a.StatusCode != http.StatusOK {
		t.Errorf("a loss = %d %s, want 200", a.StatusCode, a.body)
	}
	if a := sponsor.call(http.MethodPost, of+"suspension", person, lost); a.StatusCode != http.StatusConflict || a.problem(t).Reason != "authenticator_lost" {
		t.Errorf("a suspension of what is lost = %d %s, want authenticator_lost", a.StatusCode, a.body)
	}
	if a := sponsor.call(http.MethodPost, of+"finding", person, lost); a.StatusCode != http.StatusForbidden {
		t.Errorf("who may not find it = %d %s, want 403", a.StatusCode, a.body)
	}
	if a := agent.call(http.MethodPost, of+"finding", person, lost); a.StatusCode != http.StatusOK {
		t.Errorf("it is found = %d %s, want 200", a.StatusCode, a.body)
	}
	if a := agent.call(http.MethodGet, "/api/people/{person}/authenticators", person, ""); !strings.Contains(a.body, person["authenticator"]) {
		t.Errorf("what she has = %s, want the key", a.body)
	}
	person["person"] = p.nurse()
	if a := agent.call(http.MethodPost, of+"revocation", person, lost); a.StatusCode != http.StatusNotFound {
		t.Errorf("a revocation of what is another's = %d %s, want 404", a.StatusCode, a.body)
	}
}

// By programs a file of requests is done as it was seen, all of it; and a policy is changed by who has seen it as it is.
func TestAPIDoesWhatWasSeen(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	as := p.programs()
	sponsor, manager := as(raSponsor), as(raManager)
	ward, _ := p.wardNurse()
	const path, titles = "/api/requests/bulk", `{"csv":"person,position,starts,expires,reason\n`
	line := p.nurse() + "," + ward + `,,,Starts on Monday\n"`
	a := sponsor.call(http.MethodPost, path, nil, titles+line+`}`)
	if a.StatusCode != http.StatusOK || !strings.Contains(a.body, `"done":false`) || len(p.audited("request_asked")) != 1 { // that of wardNurse
		t.Fatalf("what would come of it = %d %s, want nothing done", a.StatusCode, a.body)
	}
	if a := sponsor.call(http.MethodPost, path, nil, titles+line+`,"seal":"`+a.member(t, "seal")+`"}`); !strings.Contains(a.body, `"done":true`) || !strings.Contains(a.body, `"request":`) {
		t.Errorf("what was seen = %d %s, want it done", a.StatusCode, a.body)
	}
	if a := sponsor.call(http.MethodPost, path, nil, titles+`x"}`); a.StatusCode != http.StatusUnprocessableEntity || len(a.problem(t).Errors) != 1 {
		t.Errorf("no file = %d %s, want 422", a.StatusCode, a.body)
	}

	here := map[string]string{"organisation": "ZX100"}
	const policy = "/api/organisations/{organisation}/policy"
	seen := manager.call(http.MethodGet, policy, here, "").Header.Get("ETag")
	said := `{"second_checker":true,"help_text":"Ring the desk","reason":"As agreed"}`
	if a := manager.call(http.MethodPost, policy, here, said, "If-Match", seen); a.StatusCode != http.StatusOK || a.Header.Get("ETag") == seen {
		t.Errorf("a policy that was seen = %d %s, want it changed", a.StatusCode, a.body)
	}
	if a := manager.call(http.MethodPost, policy, here, said, "If-Match", seen); a.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("a policy that was changed since = %d %s, want 412", a.StatusCode, a.body)
	}
}

// By programs, too, nobody makes somebody an officer who has not seen what others had to do with of what she signs in with, all of it.
func TestAPIWhoApprovesAnOfficerSeesWhoBoundWhat(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.enrolBy(raAgent, noRole)
	request, manager := map[string]string{"request": p.askedForSponsor(noRole)}, p.programs()(raManager)
	decide := func(mark string) answer {
		t.Helper()
		return manager.call(http.MethodPost, "/api/requests/{request}/decision", request, `{"verdict":"approved","reason":"As asked","bound_by_others_mark":"`+mark+`"}`)
	}
	seen := func() string {
		t.Helper()
		return manager.call(http.MethodGet, "/api/requests/{request}", request, "").member(t, "bound_by_others_mark")
	}
	old := seen()
	p.clock.advance(time.Minute)
	p.enrol(noRole, webauthntest.New())
	for name, mark := range map[string]string{"nothing": "", "less": old, "something else": "0123456789abcdef"} {
		a := decide(mark)
		if problem := a.problem(t); a.StatusCode != http.StatusPreconditionFailed || problem.Reason != "bound_by_others" || len(problem.Changes) != 2 || !strings.Contains(problem.Changes[0].To, "last by "+raAgent+`: "blue key"`) {
			t.Errorf("to approve who has seen %s = %d %s, want 412 and both", name, a.StatusCode, a.body)
		}
	}
	if n := p.count(`SELECT count(*) FROM role_profile r JOIN membership m ON m.id = r.membership_id WHERE m.person_id = $1`, noRole); n != 0 {
		t.Errorf("roles of whom nobody has looked at = %d, want none", n)
	}
	if a := decide(seen()); a.StatusCode != http.StatusOK || a.member(t, "state") != "approved" {
		t.Errorf("to approve who has seen all = %d %s, want 200", a.StatusCode, a.body)
	}
	if _, _, detail := p.line("request_decided"); detail["authenticators_bound_by"] != raAgent {
		t.Errorf("the record of the decision = %v, want that %s had to do with it", detail, raAgent)
	}
}
