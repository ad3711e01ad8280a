package idp_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const glassPath = "/api/break-glass/"

// brokenGlass has two programs of two people open it at the hospital, and is its id.
func (g program) brokenGlass(lets program) map[string]string {
	g.t.Helper()
	e := g.envelopes()
	a := g.call(http.MethodPost, glassPath+"first", nil, `{"organisation":"ZX100","code":"`+e.First+`","reason":"Nobody is there"}`)
	if a.StatusCode == http.StatusCreated {
		lets.call(http.MethodPost, glassPath+"second", nil, `{"organisation":"ZX100","code":"`+e.Second+`"}`)
		of := map[string]string{"opening": a.member(g.t, "id")}
		lets.call(http.MethodPost, glassPath+"{opening}/opening", of, "")
		return of
	}
	return map[string]string{"opening": "01935c5e-7a70-7000-8000-000000000001"}
}

// Two people break the glass by programs, with both envelopes, each for what is hers; an officer ends it, and signs for it.
func TestAPIBreaksGlass(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	as, e := p.programs(), p.envelopes()
	asker := p.newOfficer("ZX100", "S8001:G8002:R8008")
	asks, lets, other, manager := as(asker), as(p.newOfficer("ZX200", "S8001:G8002:R8008")), as(p.newOfficer("ZX100", "S8001:G8002:R8008")), as(raManager)
	first, second := `{"organisation":"ZX100","code":"`+e.First+`","reason":"Nobody is there"}`, `{"organisation":"ZX100","code":"`+e.Second+`"}`
	wants := func(name string, a answer, status int, reason string) {
		t.Helper()
		if a.StatusCode != status || a.problem(t).Reason != reason {
			t.Errorf("%s = %d %s, want %d %s", name, a.StatusCode, a.body, status, reason)
		}
	}
	wants("the second envelope first", lets.call(http.MethodPost, glassPath+"second", nil, second), http.StatusConflict, "nobody_asked")
	wants("the code of the other envelope", asks.call(http.MethodPost, glassPath+"first", nil, strings.Replace(first, e.First, e.Second, 1)), http.StatusUnprocessableEntity, "other_envelope")
	if a := asks.call(http.MethodPost, glassPath+"first", nil, strings.Replace(first, "Nobody is there", "", 1)); a.StatusCode != http.StatusUnprocessableEntity || a.problem(t).Errors[0].Field != "reason" {
		t.Errorf("without a reason = %d %s, want 422", a.StatusCode, a.body)
	}
	a := asks.call(http.MethodPost, glassPath+"first", nil, first)
	if a.StatusCode != http.StatusCreated || a.member(t, "state") != "asked" || a.Header.Get("Location") != glassPath+a.member(t, "id") {
		t.Fatalf("the first envelope = %d %s, want it asked", a.StatusCode, a.body)
	}
	of := map[string]string{"opening": a.member(t, "id")}
	wants("who came with no envelope reads it", lets.call(http.MethodGet, glassPath+"{opening}", of, ""), http.StatusNotFound, "unknown")
	wants("who came with no envelope opens it", lets.call(http.MethodPost, glassPath+"{opening}/opening", of, ""), http.StatusConflict, "nobody_asked")
	wants("one person with both", asks.call(http.MethodPost, glassPath+"second", nil, second), http.StatusForbidden, "own_envelope")
	wants("another organisation", lets.call(http.MethodPost, glassPath+"second", nil, strings.Replace(second, "ZX100", "ZX200", 1)), http.StatusUnprocessableEntity, "code_wrong")
	if a := lets.call(http.MethodPost, glassPath+"second", nil, second); a.StatusCode != http.StatusOK || a.member(t, "reason") != "Nobody is there" {
		t.Fatalf("the second envelope = %d %s, want who asks and why", a.StatusCode, a.body)
	}
	wants("who asked opens it", asks.call(http.MethodPost, glassPath+"{opening}/opening", of, ""), http.StatusForbidden, "own_envelope")
	if a := lets.call(http.MethodPost, glassPath+"{opening}/opening", of, ""); a.StatusCode != http.StatusOK || a.member(t, "state") != "open" {
		t.Fatalf("to open it = %d %s, want it open", a.StatusCode, a.body)
	}
	wants("another reads it", other.call(http.MethodGet, glassPath+"{opening}", of, ""), http.StatusNotFound, "unknown")
	wants("another ends it", other.call(http.MethodPost, glassPath+"{opening}/end", of, ""), http.StatusNotFound, "unknown")
	role := asks.call(http.MethodGet, glassPath+"{opening}", of, "").member(t, "role")
	if role != p.glassRole(asker) {
		t.Errorf("the role = %s, want that of break-glass", role)
	}

	const reviews, review = "/api/break-glass-reviews?organisation=ZX100", "/api/break-glass-reviews/{opening}"
	if a := manager.call(http.MethodGet, reviews, nil, ""); !strings.Contains(a.body, of["opening"]) {
		t.Errorf("what is to be signed for = %s, want it", a.body)
	}
	if a := manager.call(http.MethodGet, review, of, ""); a.StatusCode != http.StatusOK || a.member(t, "state") != "open" {
		t.Errorf("the review = %d %s, want it open", a.StatusCode, a.body)
	}
	wants("to sign while it is open", manager.call(http.MethodPost, review+"/signature", of, `{"note":"All well"}`), http.StatusConflict, "not_over")
	wants("who is no officer ends it", other.call(http.MethodPost, review+"/end", of, ""), http.StatusForbidden, "no_right")
	if a := manager.call(http.MethodPost, review+"/end", of, ""); a.StatusCode != http.StatusOK {
		t.Errorf("a manager ends it = %d %s, want 200", a.StatusCode, a.body)
	}
	wants("to end it again", asks.call(http.MethodPost, glassPath+"{opening}/end", of, ""), http.StatusConflict, "ended_already")
	if a := manager.call(http.MethodPost, review+"/signature", of, `{"note":""}`); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("to sign without a note = %d %s, want 422", a.StatusCode, a.body)
	}
	if a := manager.call(http.MethodPost, review+"/signature", of, `{"note":"All well"}`); a.StatusCode != http.StatusOK {
		t.Errorf("to sign = %d %s, want 200", a.StatusCode, a.body)
	}
	if a := manager.call(http.MethodGet, reviews, nil, ""); strings.Contains(a.body, of["opening"]) {
		t.Errorf("what is to be signed for = %s, want nothing", a.body)
	}
	if a := manager.call(http.MethodGet, reviews+"&state=all", nil, ""); !strings.Contains(a.body, `"note":"All well"`) {
		t.Errorf("all that was opened = %s, want what was signed for", a.body)
	}
	want := []string{"break_glass_joined: nobody_asked", "break_glass_opened: nobody_asked", "break_glass_joined: own_envelope", "break_glass_joined: code_wrong", "break_glass_joined", "break_glass_opened: own_envelope", "break_glass_opened"}
	if diff := cmp.Diff(want, p.audited("break_glass_joined", "break_glass_opened")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
	if logs := p.logs.String(); strings.Contains(logs, e.First[:9]) || strings.Contains(logs, e.Second[:9]) {
		t.Error("a code is in the log")
	}
}

// glassRole is the role of somebody that break-glass gave her.
func (p *provider) glassRole(person string) string {
	p.t.Helper()
	found, err := p.store.Person(p.t.Context(), person, p.clock.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	for _, r := range found.Person.Roles {
		if r.JobRole != "S8001:G8002:R8008" {
			return r.ID
		}
	}
	return ""
}

// Whoever has no strong sign-in or no proved identity opens nothing, whatever her organisation asks of officers; and wrong codes are
// answered 429 when there are many, while the right one is taken.
func TestAPIBreakGlassAsksForStrongSignIns(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.lenient()
	d, e := q.description(), p.envelopes()
	right := `{"organisation":"ZX100","code":"` + e.First + `","reason":"Nobody is there"}`
	for _, test := range []struct {
		name, person, method, scope string
		status                      int
	}{
		{"a weak sign-in", raAgent, "totp", apiScopes, http.StatusUnauthorized},
		{"an identity that is not proved", noRole, "smartcard", apiScopes, http.StatusForbidden},
		{"a token to read", raAgent, "smartcard", "openid registration.read", http.StatusForbidden},
		{"a strong sign-in", raAgent, "smartcard", apiScopes, http.StatusCreated},
	} {
		g := program{q, d, q.officerToken(q.browser(), test.person, test.scope, test.method)}
		if a := g.call(http.MethodPost, glassPath+"first", nil, right); a.StatusCode != test.status {
			t.Errorf("%s: %d %s, want %d", test.name, a.StatusCode, a.body, test.status)
		}
	}
	g := program{q, d, q.officerToken(q.browser(), noOfficer, apiScopes, "smartcard")}
	wrong := strings.Replace(right, e.First, strings.Repeat("A", 26), 1)
	for n := range 11 {
		a := g.call(http.MethodPost, glassPath+"first", nil, wrong)
		want := http.StatusUnprocessableEntity
		if n == 10 {
			want = http.StatusTooManyRequests
		}
		if a.StatusCode != want || (want == http.StatusTooManyRequests) != (a.Header.Get("Retry-After") != "") {
			t.Errorf("wrong code %d = %d %s, want %d", n+1, a.StatusCode, a.body, want)
		}
	}
	if a := g.call(http.MethodPost, glassPath+"first", nil, right); a.StatusCode != http.StatusCreated {
		t.Errorf("the right code after that = %d %s, want it taken", a.StatusCode, a.body)
	}
}
