package idp_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// ceremony is what a page asks its script to do.
type ceremony struct {
	options []byte
	finish  string
}

var ceremonyForm = regexp.MustCompile(`data-options="([^"]*)" data-finish="([^"]*)"`)

func (a answer) ceremony(t *testing.T) ceremony {
	t.Helper()
	found := ceremonyForm.FindStringSubmatch(a.body)
	if found == nil || a.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %d, want a page with a ceremony: %s", a.path(), a.StatusCode, text(a.body))
	}
	return ceremony{[]byte(html.UnescapeString(found[1])), html.UnescapeString(found[2])}
}

// said is what the page's script was answered: where to go, or what to show.
type said struct {
	Status            int `json:"-"`
	Location, Message string
	Forget            bool
}

// finish posts an authenticator's answer as the page's script does.
func (b *browser) finish(c ceremony, response []byte, name string) said {
	b.t.Helper()
	if response == nil {
		b.t.Fatal("the authenticator has nothing to answer")
	}
	body, err := json.Marshal(map[string]any{"response": json.RawMessage(response), "name": name})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.postJSON(c.finish, string(body))
}

func (b *browser) postJSON(location, body string) said {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.absolute(location), strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	a := b.send(r)
	out := said{Status: a.StatusCode}
	if err := json.Unmarshal([]byte(a.body), &out); err != nil || a.Header.Get("Content-Type") != "application/json" ||
		a.Header.Get("Cache-Control") != "no-store" || (out.Location == "") == (out.Message == "") {
		b.t.Fatalf("%s answers %d %v %s, want JSON for its script that nobody keeps", a.path(), a.StatusCode, a.Header, a.body)
	}
	if location, err := url.Parse(out.Location); err == nil {
		fmt.Fprintln(b.p.secrets, location.Query().Get("code"))
	}
	return out
}

// link makes an enrolment link for a person, as `credence person enrol-link` does.
func (p *provider) link(personID string) string {
	p.t.Helper()
	secret, _, err := registration.NewEnrolmentLink(p.t.Context(), p.owner, personID, "test", p.clock.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	return "/enrol?token=" + secret
}

// enrol binds a key to a person, in a browser of its own.
func (p *provider) enrol(personID string, key *webauthntest.Key) {
	p.t.Helper()
	b := p.browser()
	c := b.get(p.link(personID)).ceremony(p.t)
	if got := b.finish(c, key.Create(c.options, issuer), "blue key"); got.Status != http.StatusOK {
		p.t.Fatalf("enrolment answers %+v, want 200", got)
	}
}

// bound counts the authenticators of the person without a role.
func (p *provider) bound() int {
	p.t.Helper()
	return p.count(`SELECT count(*) FROM authenticator WHERE person_id = $1`, noRole)
}

func TestEnrolmentLinkWorksOnce(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, key, link := p.browser(), webauthntest.New(), p.link(noRole)
	var c ceremony
	for range 3 { // as mail scanners do
		c = b.get(link).ceremony(t)
	}
	name := strings.Repeat("blue 🔑 key", 6) // 60 characters, and more bytes
	got := b.finish(c, key.Create(c.options, issuer), name)
	if got.Status != http.StatusOK {
		t.Fatalf("the first enrolment answers %+v, want 200", got)
	}
	if page := b.get(got.Location); page.StatusCode != http.StatusOK || !strings.Contains(page.body, name) || !strings.Contains(page.body, "Security key") {
		t.Errorf("page after enrolment = %d %s, want one that names the blue key", page.StatusCode, text(page.body))
	}
	if page := b.get(link); page.StatusCode != http.StatusGone {
		t.Errorf("the used link answers %d, want 410", page.StatusCode)
	}
	if got := b.finish(c, webauthntest.New().Create(c.options, issuer), ""); got.Status != http.StatusGone {
		t.Errorf("the used link takes another authenticator: %+v, want 410", got)
	}
	if n := p.bound(); n != 1 {
		t.Errorf("%d authenticators are bound, want 1", n)
	}

	// A new link excludes what is bound already, and the challenge of the old one stays spent.
	link = p.link(noRole)
	fresh := b.get(link).ceremony(t)
	if key.Create(fresh.options, issuer) != nil {
		t.Error("the options of a second enrolment do not exclude the first authenticator")
	}
	replayed := ceremony{c.options, strings.Replace(c.finish, "token="+token(c.finish), "token="+token(link), 1)}
	if got := b.finish(replayed, webauthntest.New().Create(c.options, issuer), ""); got.Status != http.StatusForbidden {
		t.Errorf("the answered challenge with a new link answers %+v, want 403", got)
	}
	if got := b.finish(fresh, webauthntest.New().Create(fresh.options, issuer), ""); got.Status != http.StatusOK {
		t.Errorf("the new link after that answers %+v, want 200: a refusal does not spend it", got)
	}
	want := []string{"enrolled", "enrolled: link_used", "enrolled: link_used", "enrolled: challenge_replayed", "enrolled"}
	if diff := cmp.Diff(want, p.audited("enrolled")); diff != "" {
		t.Errorf("audited (-want +got):\n%s", diff)
	}
}

func token(link string) string {
	_, query, _ := strings.Cut(link, "?")
	q, _ := url.ParseQuery(query)
	return q.Get("token")
}

func TestEnrolmentLinkRace(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	link := p.link(noRole)
	var won, lost atomic.Int32
	var running sync.WaitGroup
	start := make(chan struct{})
	for _, b := range []*browser{p.browser(), q.browser()} {
		for range 16 { // each its own ceremony
			c := b.get(link).ceremony(t)
			response := webauthntest.New().Create(c.options, issuer)
			running.Go(func() {
				<-start
				switch got := b.finish(c, response, ""); got.Status {
				case http.StatusOK:
					won.Add(1)
				case http.StatusGone:
					lost.Add(1)
				default:
					t.Errorf("enrolment answers %+v, want 200 or 410", got)
				}
			})
		}
	}
	close(start)
	running.Wait()
	if won.Load() != 1 || lost.Load() != 31 || p.bound() != 1 {
		t.Errorf("%d enrolments won and %d lost, and %d authenticators are bound; want 1, 31 and 1", won.Load(), lost.Load(), p.bound())
	}
	lines := map[string]int{}
	for _, line := range p.audited("enrolled") {
		lines[line]++
	}
	if diff := cmp.Diff(map[string]int{"enrolled": 1, "enrolled: link_used": 31}, lines); diff != "" {
		t.Errorf("audited (-want +got):\n%s", diff)
	}
}

func TestEnrolmentIsRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()

	begun := b.get(p.link(noRole)).ceremony(t)
	other := b.get(p.link(twoRoles)).ceremony(t)
	p.enrol(oneRole, webauthntest.New())
	signIn := b.get("/sign-in").ceremony(t)
	crossed := func(state ceremony) ceremony { // the link of one with the ceremony of another
		_, query, _ := strings.Cut(state.finish, "?")
		q, _ := url.ParseQuery(query)
		return ceremony{begun.options, "/enrol?" + url.Values{"token": {token(begun.finish)}, "ceremony": {q.Get("ceremony")}}.Encode()}
	}
	wrongOrigin := webauthntest.New().Create(begun.options, "https://example.com.evil.example")
	tests := []struct {
		name     string
		browser  *browser
		ceremony ceremony
		response []byte
		label    string
		refusal  string // in the record
		says     string
	}{
		{"in another browser", p.browser(), begun, nil, "", "ceremony_invalid", "could not be added"},
		{"with the ceremony of another person", b, crossed(other), nil, "", "ceremony_invalid", "could not be added"},
		{"with the ceremony of a sign-in", b, crossed(signIn), nil, "", "ceremony_invalid", "could not be added"},
		{"for another origin", b, begun, wrongOrigin, "", "origin_mismatch", "could not be added"},
		{"with a name that is too long", b, begun, nil, strings.Repeat("n", 61), "name_invalid", "Enter a name"},
		{"with a name that changes the direction of text", b, begun, nil, "key\u202eyek", "name_invalid", "Enter a name"},
		{"with an answer of the wrong kind", b, begun, []byte(`[]`), "", "response_malformed", "could not be added"},
	}
	var want []string
	for _, tt := range tests { // in this order, because the record is compared at the end
		response := tt.response
		if response == nil {
			response = webauthntest.New().Create(tt.ceremony.options, issuer)
		}
		if got := tt.browser.finish(tt.ceremony, response, tt.label); got.Status != http.StatusForbidden || !strings.Contains(got.Message, tt.says) {
			t.Errorf("enrolment %s = %+v, want 403 and a message with %q", tt.name, got, tt.says)
		}
		want = append(want, "enrolled: "+tt.refusal)
	}
	if n := p.bound(); n != 0 {
		t.Errorf("%d authenticators are bound after refusals, want none", n)
	}
	if got := b.finish(begun, webauthntest.New().Create(begun.options, issuer), ""); got.Status != http.StatusOK {
		t.Errorf("enrolment as it should be done = %+v, want 200", got)
	}
	if diff := cmp.Diff(append([]string{"enrolled"}, append(want, "enrolled")...), p.audited("enrolled")); diff != "" {
		t.Errorf("audited (-want +got):\n%s", diff)
	}

	for name, body := range map[string]string{
		"nothing": "", "no JSON": "username=1", "a list": "[]", "a number": `{"response":{},"name":7}`, "too much": `{"response":"` + strings.Repeat("a", 130<<10) + `"}`,
	} {
		if got := b.postJSON(begun.finish, body); got.Status != http.StatusBadRequest {
			t.Errorf("enrolment with %s = %+v, want 400", name, got)
		}
	}
}

func TestEnrolmentLinkOfNoUse(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	wantGone := func(what, link string) {
		t.Helper()
		if a := b.get(link); a.StatusCode != http.StatusGone || !strings.Contains(a.body, "Ask your registration authority") {
			t.Errorf("a link %s answers %d %s, want 410 with who can help", what, a.StatusCode, text(a.body))
		}
	}
	for name, secret := range map[string]string{
		"without a token": "", "with garbage": "x", "with control characters": "%00%0d%0a", "with half a character": "%ff", "of 6 kB": strings.Repeat("A", 6<<10),
	} {
		wantGone(name, "/enrol?token="+secret)
	}
	if got := p.audited("enrolled"); got != nil {
		t.Errorf("audited of anonymous garbage: %q, want nothing", got)
	}

	disabled := p.link(noRole)
	c := b.get(disabled).ceremony(t)
	if err := directory.DisablePerson(t.Context(), p.owner, noRole, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	wantGone("of a disabled person", disabled)
	if got := b.finish(c, webauthntest.New().Create(c.options, issuer), ""); got.Status != http.StatusGone {
		t.Errorf("an enrolment begun before the person was disabled = %+v, want 410", got)
	}
	if diff := cmp.Diff([]string{"enrolled: person_disabled", "enrolled: person_disabled"}, p.audited("enrolled")); diff != "" {
		t.Errorf("audited (-want +got):\n%s", diff)
	}
	if err := directory.EnablePerson(t.Context(), p.owner, noRole, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	wantGone("that was made before the person was disabled", disabled)

	old := p.link(noRole)
	p.clock.advance(24*time.Hour - time.Second)
	c = b.get(old).ceremony(t)
	p.clock.advance(time.Second)
	wantGone("of a day ago", old)
	if got := b.finish(c, webauthntest.New().Create(c.options, issuer), ""); got.Status != http.StatusGone {
		t.Errorf("an enrolment begun before the link expired = %+v, want 410", got)
	}
	link := p.link(noRole)
	c = b.get(link).ceremony(t)
	p.clock.advance(5 * time.Minute)
	if got := b.finish(c, webauthntest.New().Create(c.options, issuer), ""); got.Status != http.StatusForbidden || !strings.Contains(got.Message, "open for too long") {
		t.Errorf("an enrolment whose page was open for five minutes = %+v, want 403", got)
	}
	c = b.get(link).ceremony(t)
	if got := b.finish(c, webauthntest.New().Create(c.options, issuer), ""); got.Status != http.StatusOK {
		t.Errorf("an enrolment after that = %+v, want 200", got)
	}
}
