package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Officers say at the desk who looks after a request: one takes it, another from her, and gives it back. Who saw something else is told who
// does, who may not decide it is offered nothing, and the queue lists what is whose.
func TestDeskSaysWhoLooksAfterARequest(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, id := p.wardNurse()
	path, take, giveBack := "/desk/requests/"+id, url.Values{"take": {"1"}}, url.Values{"give-back": {"1"}}
	shows := func(b *browser, list string, want bool) {
		t.Helper()
		if a := b.get(list); a.StatusCode != http.StatusOK || strings.Contains(a.body, `href="`+path+`"`) != want {
			t.Errorf("GET %s = %d, want the request there %t: %s", list, a.StatusCode, want, text(a.body))
		}
	}

	sponsor, page := p.atDesk(raSponsor, path)
	if strings.Contains(page.body, `id="take"`) || !strings.Contains(page.words(t), "Looked after by Nobody") {
		t.Errorf("the sponsor sees %s, want that nobody looks after it and no button", text(page.body))
	}
	if a := sponsor.post(path+"?from=", take); a.StatusCode != http.StatusForbidden {
		t.Errorf("to take what one asked = %d, want 403", a.StatusCode)
	}
	elsewhere, _ := p.atDesk(p.newOfficer("ZX200", "S0080:G0450:R5080"), "/desk")
	if a := elsewhere.post(path+"?from=", take); a.StatusCode != http.StatusForbidden {
		t.Errorf("to take what is elsewhere = %d, want 403", a.StatusCode)
	}
	agent, page := p.atDesk(raAgent, path)
	if !strings.Contains(page.body, `id="take"`) || strings.Contains(page.body, `id="give-back"`) {
		t.Errorf("the agent is not offered to take it: %s", text(page.body))
	}
	if a := agent.postWith(path, take, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }); a.StatusCode != http.StatusForbidden {
		t.Errorf("to take it from another site = %d, want 403", a.StatusCode)
	}
	manager, _ := p.atDesk(raManager, path)
	a := agent.rest(agent.post(path+"?from=&role="+agentsRole, take))
	if words := a.words(t); !strings.Contains(words, "Looked after by Bartholomew Keykeeper, since") || !strings.Contains(a.body, `id="give-back"`) || strings.Contains(a.body, `id="take"`) || !strings.Contains(a.body, `id="decide"`) {
		t.Errorf("the request after she took it = %s, want that she looks after it", text(a.body))
	}
	if a := agent.rest(agent.post(path+"?from=", take)); a.StatusCode != http.StatusOK { // pressed twice
		t.Errorf("to take what one has = %d %s, want nothing wrong", a.StatusCode, text(a.body))
	}
	shows(agent, "/desk/requests?owner=mine", true)
	shows(agent, "/desk/requests?owner=nobody", false)
	shows(agent, "/desk/requests?owner=mine&position="+ward+"&person="+noRole+"&sort=-starts", true)
	shows(agent, "/desk/requests?owner=mine&person="+oneRole, false)
	shows(manager, "/desk/requests?owner=mine", false)
	if a := sponsor.get("/desk/requests"); !strings.Contains(a.words(t), "Looked after by Bartholomew Keykeeper") {
		t.Errorf("the queue does not say who looks after what: %s", text(a.body))
	}
	if a := sponsor.get("/desk/people/" + noRole); !strings.Contains(a.words(t), "Looked after by Bartholomew Keykeeper") {
		t.Errorf("the page of the person does not say who looks after what is asked for her: %s", text(a.body))
	}
	if a := manager.get("/desk/organisations/ZX100"); !strings.Contains(a.words(t), "Requests that nobody looks after How many 0") {
		t.Errorf("the glance = %s, want no request of nobody", text(a.body))
	}

	a = manager.post(path+"?from=&role="+managersRole, take)
	if words := a.words(t); a.StatusCode != http.StatusBadRequest || !strings.Contains(words, "was changed by somebody else since you saw it: now it is Bartholomew Keykeeper") || !strings.Contains(words, "Look after this request instead of Bartholomew Keykeeper") {
		t.Errorf("to take what another has since = %d %s, want who has it", a.StatusCode, text(a.body))
	}
	_, query, _ := strings.Cut(a.body, `action="`+path+`?from=`)
	if query, _, _ = strings.Cut(query, `"`); !strings.HasPrefix(query, raAgent) {
		t.Fatalf("the form to take it from her is for %q, want the agent", query)
	}
	if a := manager.rest(manager.post(path+"?from="+raAgent, take)); !strings.Contains(a.words(t), "Looked after by Winifred Stewardley") {
		t.Errorf("the request after the manager took it = %s", text(a.body))
	}
	if a := agent.post(path, giveBack); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "now it is Winifred Stewardley") {
		t.Errorf("to give back what another has since = %d %s, want who has it", a.StatusCode, text(a.body))
	}
	if a := manager.rest(manager.post(path, giveBack)); !strings.Contains(a.words(t), "Looked after by Nobody") {
		t.Errorf("the request after she gave it back = %s", text(a.body))
	}
	if a := sponsor.get("/desk/people/" + noRole); !strings.Contains(a.words(t), "Looked after by nobody") {
		t.Errorf("the page of the person does not say that nobody looks after what is asked for her: %s", text(a.body))
	}
	agent.post(path+"?from=", take)
	if a := manager.rest(manager.post(path, url.Values{"verdict": {"approved"}, "reason": {"As asked"}})); !strings.Contains(a.words(t), "Approved") || strings.Contains(a.body, "Looked after by") {
		t.Errorf("the request after the manager approved what the agent looks after = %s", text(a.body))
	}
	if a := agent.post(path+"?from=", take); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "decided or withdrawn already") {
		t.Errorf("to take what was decided = %d %s, want 400", a.StatusCode, text(a.body))
	}
	want := []string{
		"request_owned: no_right", "request_owned: another_organisation", "request_owned", "request_owned: owned_since", "request_owned", "request_owned: owned_since", "request_owned",
		"request_owned", "request_owned: not_open",
	}
	if diff := cmp.Diff(want, p.audited("request_owned")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}

// The same by programs, which say by If-Match who looked after it when they read it.
func TestAPISaysWhoLooksAfterARequest(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	_, id := p.wardNurse()
	d, of := p.description(), map[string]string{"request": id}
	as := func(person string) program {
		return program{p, d, p.officerToken(p.browser(), person, apiScopes, "smartcard")}
	}
	agent, manager := as(raAgent), as(raManager)
	const path, take, giveBack = "/api/requests/{request}", "/api/requests/{request}/taking", "/api/requests/{request}/return"

	read := manager.call(http.MethodGet, path, of, "")
	if tag := read.Header.Get("ETag"); tag != `"nobody"` || strings.Contains(read.body, `"owner"`) {
		t.Errorf("a request that nobody took = %s %s, want no owner", tag, read.body)
	}
	if a := agent.call(http.MethodPost, take, of, ""); a.StatusCode != http.StatusPreconditionRequired {
		t.Errorf("to take it unseen = %d, want 428", a.StatusCode)
	}
	for tag, status := range map[string]int{`""`: http.StatusUnprocessableEntity, `*`: http.StatusUnprocessableEntity, `W/"nobody"`: http.StatusUnprocessableEntity, `"nobody", "x"`: http.StatusUnprocessableEntity, `"NOBODY"`: http.StatusPreconditionFailed} {
		if a := agent.call(http.MethodPost, take, of, "", "If-Match", tag); a.StatusCode != status {
			t.Errorf("to take it as %s = %d %s, want %d", tag, a.StatusCode, a.body, status)
		}
	}
	a := agent.call(http.MethodPost, take, of, "", "If-Match", `"nobody"`)
	if a.StatusCode != http.StatusOK || a.Header.Get("ETag") != `"`+raAgent+`"` || !strings.Contains(a.body, `"owner":{"user_id":"`+raAgent+`","name":"Bartholomew Keykeeper"},"owned_since":"`) {
		t.Errorf("to take it = %d %s, want it hers", a.StatusCode, a.body)
	}
	a = manager.call(http.MethodPost, take, of, "", "If-Match", read.Header.Get("ETag"))
	if a.StatusCode != http.StatusPreconditionFailed || a.problem(t).Reason != "owned_since" || !strings.Contains(a.body, `"changes":[{"field":"owner","from":"","to":"`+raAgent+`"}]`) {
		t.Errorf("to take what another has since = %d %s, want 412 and who", a.StatusCode, a.body)
	}
	for query, want := range map[string]bool{"": true, "?owner=mine": false, "?owner=nobody": false, "?person=" + noRole: true, "?person=" + oneRole: false} {
		if a := manager.call(http.MethodGet, "/api/requests"+query, nil, ""); a.StatusCode != http.StatusOK || strings.Contains(a.body, `"owner":{"user_id":"`+raAgent) != want {
			t.Errorf("GET /api/requests%s = %d %s, want the request of the agent there %t", query, a.StatusCode, a.body, want)
		}
	}
	if a := manager.call(http.MethodGet, "/api/people/{person}", map[string]string{"person": noRole}, ""); !strings.Contains(a.body, `"owner":{"user_id":"`+raAgent+`","name":"Bartholomew Keykeeper"},"owned_since":"`) {
		t.Errorf("the person does not say who looks after what is asked for her: %s", a.body)
	}
	for _, query := range []string{"?owner=hers", "?person=x", "?position=5"} {
		if a := manager.call(http.MethodGet, "/api/requests"+query, nil, ""); a.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("GET /api/requests%s = %d, want 422", query, a.StatusCode)
		}
	}
	if a := manager.call(http.MethodPost, take, of, "", "If-Match", `"`+raAgent+`"`); a.StatusCode != http.StatusOK {
		t.Errorf("to take it from her = %d %s", a.StatusCode, a.body)
	}
	if a := agent.call(http.MethodPost, giveBack, of, ""); a.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("to give back what another has since = %d %s, want 412", a.StatusCode, a.body)
	}
	if a := manager.call(http.MethodPost, giveBack, of, ""); a.StatusCode != http.StatusOK || strings.Contains(a.body, `"owner"`) {
		t.Errorf("to give it back = %d %s, want it nobody's", a.StatusCode, a.body)
	}
	if a := manager.call(http.MethodPost, giveBack, map[string]string{"request": "x"}, ""); a.StatusCode != http.StatusNotFound {
		t.Errorf("to give back what is not there = %d, want 404", a.StatusCode)
	}
}
