package idp_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/breakglass"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/metadata"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// envelopes seals those of the hospital.
func (p *provider) envelopes() breakglass.Envelopes {
	p.t.Helper()
	e, err := breakglass.Seal(p.t.Context(), p.owner, "ZX100", "operator", p.clock.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	return e
}

// brokenGlass has two people open it at the hospital, and is their browsers and the address of it.
func (p *provider) brokenGlass() (asks, lets *browser, path string) {
	p.t.Helper()
	e := p.envelopes()
	asks, _ = p.atDesk(p.newOfficer("ZX100", "S8001:G8002:R8008"), "/break-glass/first")
	lets, _ = p.atDesk(p.newOfficer("ZX200", "S8001:G8002:R8008"), "/break-glass/second")
	path = asks.rest(asks.post("/break-glass/first", url.Values{"organisation": {"zx100"}, "code": {e.First}, "reason": {"Nobody is there"}})).path()
	lets.rest(lets.post("/break-glass/second", url.Values{"organisation": {"ZX100"}, "code": {strings.ToLower(e.Second)}}))
	if words := lets.rest(lets.post(path, url.Values{"act": {"open"}})).words(p.t); !strings.Contains(words, "Break-glass is open") {
		p.t.Fatalf("after it was opened = %s, want that it is open", words)
	}
	return asks, lets, path
}

// Two people open break-glass, one of them works at the desk, and the manager reads what she did and signs for it.
func TestBreakGlassAtTheDesk(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	asks, lets, path := p.brokenGlass()
	if a := lets.get("/desk"); a.StatusCode != http.StatusForbidden {
		t.Errorf("the desk for who let her = %d, want 403", a.StatusCode)
	}
	page := asks.rest(asks.get("/desk/role"))
	role := p.offersBreakGlass(page)
	if words := asks.rest(asks.post(page.Request.URL.RequestURI(), url.Values{"role": {role}})).words(t); !strings.Contains(words, "Find a person") || !strings.Contains(words, "act as Break-glass Officer") {
		t.Fatalf("the desk for a break-glass officer = %s, want it", words)
	}
	for path, status := range map[string]int{"/desk/people/" + formerly: http.StatusOK, "/desk/requests": http.StatusOK, "/desk/positions/new": http.StatusForbidden, "/desk/reviews/new": http.StatusForbidden, "/desk/break-glass": http.StatusForbidden, "/desk/audit": http.StatusForbidden} {
		if a := asks.get(path); a.StatusCode != status {
			t.Errorf("%s for a break-glass officer = %d, want %d", path, a.StatusCode, status)
		}
	}

	manager, page := p.atDesk(raManager, "/desk")
	if words := page.words(t); !strings.Contains(words, "Break-glass to sign for 1 waits") {
		t.Errorf("what needs doing = %s, want break-glass", words)
	}
	desk := "/desk" + path
	page = manager.get(desk)
	if words := page.words(t); !strings.Contains(words, "Nobody is there") || !strings.Contains(words, "Officer looked at a record") && !strings.Contains(words, "About") || strings.Contains(page.body, `id="sign"`) || !strings.Contains(page.body, `id="end"`) {
		t.Errorf("the review while it is open = %s, want what was done, and to end it", text(page.body))
	}
	if a := manager.post(desk, url.Values{"act": {"sign"}, "note": {"All well"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "It is not over yet") {
		t.Errorf("to sign while it is open = %d %s, want 400", a.StatusCode, text(a.body))
	}
	if words := manager.rest(manager.post(desk, url.Values{"act": {"end"}})).words(t); !strings.Contains(words, "To be signed for") {
		t.Errorf("the review after it was ended = %s, want to sign", words)
	}
	if a := asks.get("/desk/people"); a.StatusCode == http.StatusOK && strings.Contains(a.words(t), "act as Break-glass Officer") {
		t.Errorf("the desk when it is over = %d %s, want it closed", a.StatusCode, text(a.body))
	}
	if words := asks.get(path).words(t); !strings.Contains(words, "Break-glass is over") {
		t.Errorf("the page of the two when it is over = %s", words)
	}
	if a := manager.post(desk, url.Values{"act": {"sign"}, "note": {" "}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Enter what you found") {
		t.Errorf("to sign without a note = %d %s, want 400", a.StatusCode, text(a.body))
	}
	p.clock.advance(8 * 24 * time.Hour)
	manager, page = p.atDesk(raManager, "/desk")
	if words := page.words(t); !strings.Contains(words, "8 days, which is overdue") {
		t.Errorf("what needs doing a week later = %s, want that it is overdue", words)
	}
	if words := manager.rest(manager.post(desk, url.Values{"act": {"sign"}, "note": {"All <b>well</b>"}})).words(t); !strings.Contains(words, "Signed for by Winifred Stewardley") || !strings.Contains(words, "All <b>well</b>") {
		t.Errorf("the review after it was signed = %s, want who signed", words)
	}
	if a := manager.post(desk, url.Values{"act": {"sign"}, "note": {"Again"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "signed for this already") {
		t.Errorf("to sign again = %d %s, want 400", a.StatusCode, text(a.body))
	}
	if words := manager.get("/desk/break-glass").words(t); !strings.Contains(words, "Nothing waits to be signed for") {
		t.Errorf("the list = %s, want nothing left", words)
	}
	if words := manager.get("/desk/break-glass?show=all&organisation=ZX000").words(t); !strings.Contains(words, "Signed for") {
		t.Errorf("all of the list = %s, want it", words)
	}
	for _, path := range []string{desk + "x", "/desk/break-glass/01935c5e-7a70-7000-8000-000000000001", "/break-glass/x", "/break-glass/01935c5e-7a70-7000-8000-000000000001", path} {
		if a := manager.get(path); a.StatusCode != http.StatusNotFound {
			t.Errorf("%s = %d, want 404", path, a.StatusCode)
		}
	}
}

// certified is a process that knows a model of security key with which people sign in at level 3.
func certified(t *testing.T) (*provider, *webauthntest.Model) {
	t.Helper()
	publisher, model := webauthntest.NewPublisher("mds.example.org"), webauthntest.NewModel(uuid.New())
	trust, err := metadata.Own(webauthntest.PEM(publisher.Root))
	if err != nil {
		t.Fatal(err)
	}
	p := newProvider(t)
	blob := publisher.Blob(1, p.clock.Now().AddDate(0, 1, 0), model.Certified())
	p.second(func(c *idp.Config) {
		c.Metadata = webauthn.Source{Trust: &trust, Fetch: func(context.Context) ([]byte, error) { return blob, nil }}
	}).fetchMetadata()
	eventually(t, "the metadata is there", func() bool { return p.count(`SELECT count(*) FROM fido_metadata`) > 0 })
	return p.second(func(c *idp.Config) { c.Metadata = webauthn.Source{Trust: &trust} }), model
}

// Whoever bound another key to who opened it is no officer by that: the role counts with the key with which she asked, wherever it is used.
func TestBreakGlassIsActedInWithTheKeyThatAsked(t *testing.T) {
	t.Parallel()
	p, model := certified(t)
	e, person := p.envelopes(), p.newOfficer("ZX100", "S8001:G8002:R8008")
	hers, anothers := webauthntest.NewOf(model), webauthntest.NewOf(model)
	p.enrol(person, hers)
	p.enrol(person, anothers)
	signedIn := func(key *webauthntest.Key) *browser {
		b := p.browser()
		b.passkey(b.get("/sign-in"), key)
		return b
	}
	asks, waits := signedIn(hers), signedIn(anothers)
	byProgram := program{p, p.description(), p.signedIn(asks, publicClient, "", "scope", apiScopes).AccessToken}
	if a := byProgram.call(http.MethodPost, glassPath+"first", nil, `{"organisation":"ZX100","code":"`+e.First+`","reason":"Nobody is there"}`); a.StatusCode != http.StatusCreated {
		t.Errorf("the first envelope by a program = %d %s, want 201", a.StatusCode, a.body)
	}
	if n := p.count(`SELECT count(*) FROM break_glass_request r JOIN session s ON s.authenticator_id = r.authenticator_id`); n != 1 {
		t.Errorf("what was asked by a program with her key = %d, want 1", n)
	}
	path := asks.rest(asks.post("/break-glass/first", url.Values{"organisation": {"ZX100"}, "code": {e.First}, "reason": {"Nobody is there"}})).path()
	lets, _ := p.atDesk(p.newOfficer("ZX200", "S8001:G8002:R8008"), "/break-glass/second")
	lets.rest(lets.post("/break-glass/second", url.Values{"organisation": {"ZX100"}, "code": {e.Second}}))
	lets.rest(lets.post(path, url.Values{"act": {"open"}}))

	chooses := func(b *browser, role string) answer {
		page := b.rest(b.get("/desk/role"))
		if role == "" {
			role = p.offersBreakGlass(page)
		}
		return b.rest(b.post(page.Request.URL.RequestURI(), url.Values{"role": {role}}))
	}
	if words := chooses(asks, "").words(t); !strings.Contains(words, "act as Break-glass Officer") {
		t.Fatalf("the desk with the key that asked = %s, want it", words)
	}
	role := p.glassRole(person)
	for what, b := range map[string]*browser{"a session of before": waits, "a session of after": signedIn(anothers)} {
		if page := b.rest(b.get("/desk/role")); strings.Contains(page.body, role) {
			t.Errorf("%s with another key is offered the role: %s", what, text(page.body))
		}
		if a := chooses(b, role); strings.Contains(a.words(t), "act as Break-glass Officer") {
			t.Errorf("%s with another key acts as the officer: %s", what, text(a.body))
		}
		if a := b.get("/desk/people"); a.StatusCode == http.StatusOK {
			t.Errorf("the desk for %s with another key = %d, want it closed", what, a.StatusCode)
		}
	}
	asks.passkey(asks.get("/sign-in"), anothers) // in the same browser
	if a := asks.get("/desk/people"); a.StatusCode == http.StatusOK {
		t.Errorf("the desk once she has signed in with another key = %d, want it closed", a.StatusCode)
	}
	if again := signedIn(hers); !strings.Contains(chooses(again, "").words(t), "act as Break-glass Officer") {
		t.Error("another session with the key that asked does not act as the officer, want that it does")
	}
}

// offersBreakGlass finds on the page to choose a role the one that was opened.
func (p *provider) offersBreakGlass(page answer) string {
	p.t.Helper()
	const name = "Break-glass Officer"
	for part := range strings.SplitSeq(page.body, `id="role-`) {
		if id, rest, _ := strings.Cut(part, `"`); len(id) == 12 && strings.Contains(rest, name) {
			return id
		}
	}
	p.t.Fatalf("no role %s in %s", name, text(page.body))
	return ""
}

// Whoever has no strong sign-in or no proved identity does not come to the envelopes, and a code that is wrong opens nothing.
func TestBreakGlassAsksForStrongSignIns(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	e := p.envelopes()
	for _, test := range []struct{ person, method, path string }{
		{noOfficer, "smartcard", "/break-glass/first"},
		{noOfficer, "totp", "/sign-in/step-up"},
		{noRole, "smartcard", "/sign-in/unmet"},
	} {
		b := p.browser()
		if page := b.simulate(b.get("/break-glass/first"), test.person, test.method); page.path() != test.path {
			t.Errorf("the first envelope for %s with %s = %s, want %s", test.person, test.method, page.path(), test.path)
		}
		if test.path == "/break-glass/first" {
			continue
		}
		b.post("/break-glass/first", url.Values{"organisation": {"ZX100"}, "code": {e.First}, "reason": {"x"}})
	}
	if n := p.count(`SELECT count(*) FROM break_glass_request`); n != 0 {
		t.Errorf("requests = %d, want 0", n)
	}
	b, _ := p.atDesk(noOfficer, "/break-glass/first")
	wrong := url.Values{"organisation": {"ZX100"}, "code": {strings.Repeat("A", 26)}, "reason": {"Nobody is there"}}
	a := b.post("/break-glass/first", wrong)
	if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "This code does not work") || !strings.Contains(a.body, "Nobody is there") || strings.Contains(a.body, strings.Repeat("A", 26)) {
		t.Errorf("a wrong code = %d %s, want what was typed but the code", a.StatusCode, text(a.body))
	}
	if actor, _, detail := p.line("break_glass_asked"); actor != noOfficer || detail["organisation"] != "ZX100" {
		t.Errorf("the record of a wrong code says %v by %s, want the organisation", detail, actor)
	}
	if n := p.count(`SELECT count(*) FROM audit_event WHERE event = 'break_glass_asked' AND refusal = 'code_wrong' AND session_id IS NOT NULL`); n != 1 {
		t.Errorf("wrong codes on record with their session = %d, want 1", n)
	}
	b.post("/break-glass/second", with(wrong, "organisation", "<b>ZX"))
	if _, _, detail := p.line("break_glass_joined"); len(detail) != 0 {
		t.Errorf("the record of a wrong code at no organisation says %v, want nothing of it", detail)
	}
	for range 9 {
		a = b.post("/break-glass/second", wrong)
	}
	if a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" || !strings.Contains(a.words(t), "Too many codes") {
		t.Errorf("the eleventh wrong code = %d %s, want 429", a.StatusCode, text(a.body))
	}
	wrong.Set("code", e.First)
	if page := b.rest(b.post("/break-glass/first", wrong)); !strings.Contains(page.words(t), "Waiting for the second envelope") {
		t.Errorf("the right code after that = %s, want it taken", text(page.body))
	}
	b.get("/language/cy")
	if words := b.get("/break-glass/second").words(t); !strings.Contains(words, "Defnyddio’r ail amlen") {
		t.Errorf("the second envelope in Welsh = %s", words)
	}
	lines := p.audited("break_glass_asked", "limit_reached")
	if diff := cmp.Diff([]string{"break_glass_asked: code_wrong", "limit_reached", "break_glass_asked"}, lines); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
	if logs := p.logs.String(); strings.Contains(logs, e.First[:9]) || strings.Contains(logs, "AAAAAAAAAA") {
		t.Error("a code is in the log")
	}
}

// At another replica the role is there as soon as it was opened, and is gone as soon as it was ended.
func TestBreakGlassAtAnotherReplica(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second(func(*idp.Config) {})
	asks, _, path := p.brokenGlass()
	page := asks.at(q).rest(asks.at(q).get("/desk/role"))
	role := p.offersBreakGlass(page)
	if a := asks.at(q).rest(asks.at(q).post(page.Request.URL.RequestURI(), url.Values{"role": {role}})); !strings.Contains(a.words(t), "Find a person") {
		t.Fatalf("the desk at the other replica = %s, want it", text(a.body))
	}
	asks.rest(asks.post(path, url.Values{"act": {"end"}}))
	if a := asks.at(q).get("/desk/requests"); strings.Contains(a.words(t), "Open requests") {
		t.Errorf("the desk at the other replica when it is over = %s, want it closed", text(a.body))
	}
}
