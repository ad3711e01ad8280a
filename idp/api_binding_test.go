package idp_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// bindingAnswer is what a program answers to the options of a binding, with a key that made its credential at an origin.
func (p *provider) bindingAnswer(options answer, key *webauthntest.Key, origin string) string {
	p.t.Helper()
	var begun struct {
		PublicKey json.RawMessage `json:"publicKey"`
		Ceremony  string          `json:"ceremony"`
	}
	if err := json.Unmarshal([]byte(options.body), &begun); err != nil || begun.Ceremony == "" {
		p.t.Fatalf("the options of a binding = %d %s, %v", options.StatusCode, options.body, err)
	}
	body, err := json.Marshal(map[string]any{"ceremony": begun.Ceremony, "response": json.RawMessage(key.Create(begun.PublicKey, origin)), "name": "Blue key"})
	if err != nil {
		p.t.Fatal(err)
	}
	return string(body)
}

const (
	bindPath    = "/api/people/{person}/authenticators"
	optionsPath = bindPath + "/options"
)

// By a program an officer binds a key to the person in front of her, who then signs in with it. The ceremony is of the officer's
// grant and of this person, answered at the issuer's origin, in time, once.
func TestAPIBindsAuthenticators(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	as := p.programs()
	agent, again, advanced := as(raAgent), as(raAgent), as(raAdvanced)
	person, key := map[string]string{"person": noRole}, webauthntest.New()
	begun := agent.call(http.MethodPost, optionsPath, person, "")
	if begun.StatusCode != http.StatusOK || !strings.Contains(begun.body, `"rp":{"name":"Credence","id":"`) {
		t.Fatalf("the options = %d %s, want those of the issuer", begun.StatusCode, begun.body)
	}
	body := p.bindingAnswer(begun, key, issuer)
	wants := func(name string, a answer, status int, reason, field string) {
		t.Helper()
		got := a.problem(t)
		if a.StatusCode != status || got.Reason != reason || field != "" && (len(got.Errors) != 1 || got.Errors[0].Field != field) {
			t.Errorf("%s = %d %s, want %d, %s and the field %q", name, a.StatusCode, a.body, status, reason, field)
		}
	}
	wants("by another officer", advanced.call(http.MethodPost, bindPath, person, body), http.StatusUnprocessableEntity, "ceremony_invalid", "ceremony")
	wants("by another grant of hers", again.call(http.MethodPost, bindPath, person, body), http.StatusUnprocessableEntity, "ceremony_invalid", "ceremony")
	wants("to another person", agent.call(http.MethodPost, bindPath, map[string]string{"person": p.nurse()}, body), http.StatusUnprocessableEntity, "ceremony_invalid", "ceremony")
	wants("at another origin", agent.call(http.MethodPost, bindPath, person, p.bindingAnswer(begun, webauthntest.New(), "https://desk.example.org")), http.StatusUnprocessableEntity, "origin_mismatch", "response")
	wants("with a name that is too long", agent.call(http.MethodPost, bindPath, person, strings.Replace(body, "Blue key", long("x", 61), 1)), http.StatusUnprocessableEntity, "name_invalid", "name")
	wants("with an answer that is none", agent.call(http.MethodPost, bindPath, person, `{"ceremony":"`+begun.member(t, "ceremony")+`","response":{}}`), http.StatusUnprocessableEntity, "response_malformed", "response")
	wants("with an answer that is no object", agent.call(http.MethodPost, bindPath, person, `{"ceremony":"x","response":"{}"}`), http.StatusBadRequest, "", "")
	wants("to herself", agent.call(http.MethodPost, optionsPath, map[string]string{"person": raAgent}, ""), http.StatusForbidden, "own_person", "")
	wants("to who is above her", agent.call(http.MethodPost, optionsPath, map[string]string{"person": raAdvanced}, ""), http.StatusForbidden, "above_own", "")
	if p.bound() != 0 {
		t.Fatalf("authenticators after what was refused = %d, want none", p.bound())
	}
	a := agent.call(http.MethodPost, bindPath, person, body)
	if a.StatusCode != http.StatusCreated || a.member(t, "id") != p.newestKey(noRole) {
		t.Fatalf("the answer = %d %s, want the key bound", a.StatusCode, a.body)
	}
	wants("again", agent.call(http.MethodPost, bindPath, person, body), http.StatusUnprocessableEntity, "challenge_replayed", "ceremony")
	if actor, about, detail := p.line("enrolled"); actor != raAgent || about != noRole || detail["officer_role"] != agentsRole {
		t.Errorf("the record says that %s bound it to %s: %v, want the officer", actor, about, detail)
	}
	hers := p.browser()
	if page := hers.passkey(hers.get("/sign-in"), key); page.StatusCode != http.StatusOK || hers.home() == "" {
		t.Errorf("a sign-in with the key leads to %s %d, want her in", page.path(), page.StatusCode)
	}

	begun = agent.call(http.MethodPost, optionsPath, person, "")
	late := p.bindingAnswer(begun, webauthntest.New(), issuer)
	p.clock.advance(9 * time.Minute)
	wants("too late", agent.call(http.MethodPost, bindPath, person, late), http.StatusUnprocessableEntity, "ceremony_expired", "ceremony")
}

// What an officer binds by a sign-in of level 2 reaches no more, and what is bound by a link may: she makes none.
func TestAPIBindsNoMoreThanTheSignIn(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.lenient()
	d, person := q.description(), map[string]string{"person": noRole}
	for method, want := range map[string]struct {
		binds, links int
	}{"totp": {http.StatusForbidden, http.StatusUnauthorized}, "smartcard": {http.StatusCreated, http.StatusOK}} {
		g := program{q, d, q.officerToken(q.browser(), raAgent, apiScopes, method)}
		begun := g.call(http.MethodPost, optionsPath, person, "")
		a := g.call(http.MethodPost, bindPath, person, q.bindingAnswer(begun, webauthntest.NewOf(webauthntest.NewModel(uuid.New())), issuer))
		if a.StatusCode != want.binds || want.binds == http.StatusForbidden && a.problem(t).Reason != "level_above" {
			t.Errorf("a strong key by a sign-in with %s = %d %s, want %d", method, a.StatusCode, a.body, want.binds)
		}
		a = g.call(http.MethodPost, "/api/people/{person}/enrolment-links", person, "")
		if a.StatusCode != want.links || want.links == http.StatusUnauthorized && !strings.Contains(a.Header.Get("WWW-Authenticate"), `acr_values="AAL3_ANY"`) {
			t.Errorf("a link by a sign-in with %s = %d %s, want %d", method, a.StatusCode, a.body, want.links)
		}
	}
}

// By programs a link that is open is listed and cancelled, once, by who may issue.
func TestAPICancelsLinks(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	as := p.programs()
	agent, sponsor := as(raAgent), as(raSponsor)
	const links, link = "/api/people/{person}/enrolment-links", "/api/people/{person}/enrolment-links/{link}"
	of := map[string]string{"person": p.nurse()}
	url := agent.call(http.MethodPost, links, of, "").member(t, "url")
	var list struct {
		Items []struct {
			ID        string `json:"id"`
			TakesCode bool   `json:"takes_code"`
		} `json:"items"`
	}
	a := sponsor.call(http.MethodGet, links, of, "")
	if err := json.Unmarshal([]byte(a.body), &list); err != nil || len(list.Items) != 1 || !list.Items[0].TakesCode || strings.Contains(a.body, "token") {
		t.Fatalf("the links = %d %s, want one that takes a code, without its secret", a.StatusCode, a.body)
	}
	of["link"] = list.Items[0].ID
	if a := sponsor.call(http.MethodDelete, link, of, ""); a.StatusCode != http.StatusForbidden || a.problem(t).Reason != "no_right" {
		t.Errorf("a sponsor cancels it = %d %s, want no_right", a.StatusCode, a.body)
	}
	if a := agent.call(http.MethodDelete, link, map[string]string{"person": p.nurse(), "link": of["link"]}, ""); a.StatusCode != http.StatusNotFound {
		t.Errorf("a link of another = %d %s, want 404", a.StatusCode, a.body)
	}
	if a := p.browser().get(url); a.StatusCode != http.StatusOK {
		t.Errorf("the link before it is cancelled = %d, want 200", a.StatusCode)
	}
	if a := agent.call(http.MethodDelete, link, of, ""); a.StatusCode != http.StatusOK {
		t.Errorf("an agent cancels it = %d %s, want 200", a.StatusCode, a.body)
	}
	if a := p.browser().get(url); a.StatusCode != http.StatusGone {
		t.Errorf("the link after it was cancelled = %d, want 410", a.StatusCode)
	}
	if a := agent.call(http.MethodDelete, link, of, ""); a.StatusCode != http.StatusConflict || a.problem(t).Reason != "link_over" {
		t.Errorf("to cancel it again = %d %s, want link_over", a.StatusCode, a.body)
	}
	if diff := cmp.Diff([]string{"enrolment_cancelled", "enrolment_cancelled: link_over"}, p.audited("enrolment_cancelled")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}
