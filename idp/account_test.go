package idp_test

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/metadata"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// inEarnest is a process where nobody is simulated, and which knows one model of security keys that FIDO has certified.
func inEarnest(t *testing.T, changes ...func(*idp.Config)) (*provider, *webauthntest.Model) {
	t.Helper()
	p := newProvider(t)
	publisher, model := webauthntest.NewPublisher("mds.example.org"), webauthntest.NewModel(uuid.New())
	trust, err := metadata.Own(webauthntest.PEM(publisher.Root))
	if err != nil {
		t.Fatal(err)
	}
	blob := publisher.Blob(1, p.clock.Now().AddDate(0, 1, 0), model.Certified())
	p.second(func(c *idp.Config) {
		c.Metadata = webauthn.Source{Trust: &trust, Fetch: func(context.Context) ([]byte, error) { return blob, nil }}
	}).fetchMetadata()
	eventually(t, "the metadata is there", func() bool { return p.count(`SELECT count(*) FROM fido_metadata`) > 0 })
	return p.second(append(changes, func(c *idp.Config) { c.Metadata, c.Simulated = webauthn.Source{Trust: &trust}, nil })...), model
}

// signedInWith is a browser in which somebody has just signed in with a key.
func (p *provider) signedInWith(key *webauthntest.Key) *browser {
	p.t.Helper()
	b := p.browser()
	b.passkey(b.get("/sign-in"), key)
	return b
}

// authenticatorCalled is the id of what somebody calls so.
func (p *provider) authenticatorCalled(name string) string {
	p.t.Helper()
	for _, person := range []string{oneRole, noRole, sevenRoles} {
		list, err := p.owner.Authenticators(p.t.Context(), person, true)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, a := range list {
			if a.Name == name {
				return a.ID.String()
			}
		}
	}
	p.t.Fatalf("nobody has an authenticator called %q", name)
	return ""
}

// confirmed sends the form of the page at an address, and follows redirects.
func (b *browser) confirmed(page answer) answer {
	b.t.Helper()
	_, rest, ok := strings.Cut(page.body, `<form method="post" action="/account/`)
	action, _, _ := strings.Cut(rest, `"`)
	if !ok || page.StatusCode != http.StatusOK {
		b.t.Fatalf("%s = %d, want a page that asks: %s", page.path(), page.StatusCode, text(page.body))
	}
	return b.rest(b.post("/account/"+action, nil))
}

// accountPaths are the pages that show what is on record.
func accountPaths() []string {
	return []string{"/account", "/account/roles", "/account/authenticators", "/account/sessions", "/account/history", "/account/data"}
}

// walkAccount reaches each page of an account.
func (p *provider) walkAccount(see func(name string, pending bool, a answer)) {
	p.t.Helper()
	b := p.browser()
	b.signInAlone(sevenRoles, "smartcard")
	list, err := p.owner.Authenticators(p.t.Context(), sevenRoles, false)
	if err != nil || len(list) == 0 {
		p.t.Fatalf("Authenticators(%s) = %v, %v, want one", sevenRoles, list, err)
	}
	key := "/account/authenticators/" + list[0].ID.String()
	for _, path := range append(accountPaths(), "/account/authenticators/new", key+"/remove", key+"/lost", key+"/name", "/account/sessions/end", "/account/sessions/x/end") {
		see(path, false, b.get(path))
	}
	b.signInAlone(sevenRoles, "password")
	see("an account after too weak a sign-in", false, b.rest(b.get(key+"/remove")))
}

// Each page shows her own, to her alone; whoever is not signed in signs in and comes back.
func TestAccountShowsWhatIsOnRecord(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.keyOf(twoRoles, "green key", webauthntest.New())
	p.keyOf(oneRole, "not hers", webauthntest.New())
	for path, words := range map[string][]string{
		"/account":                {"User ID", twoRoles, "Signed in with"},
		"/account/roles":          {"Since", "If a role is missing"},
		"/account/authenticators": {"green key", "Report it lost", "Not used yet"},
		"/account/sessions":       {"This browser", "From 127.0.0.1"},
		"/account/history":        {"You signed in", "Something to sign in with was added"},
		"/account/data":           {"Download your data"},
	} {
		b := p.browser()
		page := b.simulate(b.get(path), twoRoles, "passkey")
		page.wantPage(t, http.StatusOK, path, words...)
		if strings.Contains(page.body, "not hers") || strings.Contains(page.body, oneRole) {
			t.Errorf("%s shows what is somebody else's: %s", path, text(page.body))
		}
		if got := page.Header.Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control of %s = %q, want no-store", path, got)
		}
	}
	b := p.browser()
	b.signInAlone(twoRoles, "passkey")
	if home := b.get("/"); !strings.Contains(home.body, `href="/account"`) {
		t.Errorf("the home page does not lead to the account: %s", text(home.body))
	}
}

// Somebody who is disabled has no account to see, and nothing that she began goes on.
func TestAccountOfSomebodyDisabled(t *testing.T) {
	t.Parallel()
	p, _ := inEarnest(t)
	key := webauthntest.NewPasskey()
	p.keyOf(oneRole, "phone", key)
	b := p.signedInWith(key)
	c := b.get("/account/authenticators/new").ceremony(t)
	sign := func(disable bool) {
		act := directory.DisablePerson
		if !disable {
			act = directory.EnablePerson
		}
		if err := act(t.Context(), p.owner, oneRole, "test", p.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	sign(true)
	for _, path := range append(accountPaths(), "/account/authenticators/new", "/account/authenticators/"+p.authenticatorCalled("phone")+"/remove") {
		if page := b.get(path); page.path() != "/sign-in" {
			t.Errorf("%s of somebody disabled = %s, want the sign-in page", path, page.path())
		}
	}
	if got := b.finish(c, webauthntest.NewPasskey().Create(c.options, issuer), ""); got.Location != "/account/authenticators/new" {
		t.Errorf("adding by somebody disabled = %+v, want the sign-in first", got)
	}
	if n := p.count(`SELECT count(*) FROM authenticator WHERE person_id = $1`, oneRole); n != 1 {
		t.Errorf("%d authenticators, want the one that there was", n)
	}
	sign(false)
	p.signedInWith(key).get("/account").wantPage(t, http.StatusOK, "/account")
}

// What changes by what she signs in takes a sign-in as strong as the strongest that she has, of the last five minutes.
func TestAccountStepsUp(t *testing.T) {
	t.Parallel()
	p, model := inEarnest(t)
	phone, key := webauthntest.NewPasskey(), webauthntest.NewOf(model)
	p.keyOf(oneRole, "phone", phone)
	p.keyOf(oneRole, "ward key", key)
	b := p.signedInWith(phone)
	elsewhere := p.signedInWith(phone)
	elsewhere.get("/account").wantPage(t, http.StatusOK, "/account")
	other := p.count(`SELECT count(*) FROM session WHERE ended_at IS NULL`)
	if other != 2 {
		t.Fatalf("%d sessions, want 2", other)
	}
	id := p.authenticatorCalled("phone")
	for _, path := range []string{
		"/account/authenticators/new", "/account/authenticators/" + id + "/remove", "/account/authenticators/" + id + "/lost", "/account/authenticators/" + id + "/name",
		"/account/sessions/end", "/account/sessions/" + uuid.NewString() + "/end",
	} {
		b.rest(b.get(path)).wantPage(t, http.StatusOK, "/sign-in/step-up", "at level 3", "ward key")
		if strings.HasSuffix(path, "/new") {
			continue
		}
		b.rest(b.post(path+"?left=3", nil)).wantPage(t, http.StatusOK, "/sign-in/step-up", "at level 3")
	}
	if n := p.count(`SELECT count(*) FROM session WHERE ended_at IS NULL`); n != other {
		t.Errorf("%d sessions go on, want that nothing was ended", n)
	}

	page := b.passkey(b.rest(b.get("/account/authenticators/new")), key)
	page.wantPage(t, http.StatusOK, "/account/authenticators/new", "Add a passkey or security key")
	p.clock.advance(4 * time.Minute)
	b.get("/account/sessions/end").wantPage(t, http.StatusOK, "/account/sessions/end", "End all other sessions?")
	p.clock.advance(2 * time.Minute)
	stale := b.get("/account/authenticators/new")
	stale.wantPage(t, http.StatusOK, "/sign-in", "at level 3")
	c := page.ceremony(t)
	if got := b.finish(c, webauthntest.NewPasskey().Create(c.options, issuer), ""); got.Location != "/account/authenticators/new" {
		t.Errorf("adding after six minutes = %+v, want another sign-in", got)
	}
	b.passkey(stale, key).wantPage(t, http.StatusOK, "/account/authenticators/new", "Add a passkey or security key")
}

// Whatever a key proves or will prove: bound by a sign-in of level 2, it reaches no more. By one of level 3 it does.
func TestAccountAddsNoMoreThanItsSignIn(t *testing.T) {
	t.Parallel()
	p, model := inEarnest(t)
	phone, key := webauthntest.NewPasskey(), webauthntest.NewOf(model)
	p.keyOf(oneRole, "phone", phone)
	b := p.signedInWith(phone)
	add := func(b *browser, key *webauthntest.Key, name string) said {
		t.Helper()
		c := b.get("/account/authenticators/new").ceremony(t)
		return b.finish(c, key.Create(c.options, issuer), name)
	}
	c := b.get("/account/authenticators/new").ceremony(t)
	if !strings.Contains(string(c.options), `"attestation":"none"`) {
		t.Errorf("the options of a sign-in of level 2 are %s, want that nothing is to be proved", c.options)
	}
	for name, strong := range map[string]*webauthntest.Key{"of a certified model": key, "of a model that nobody knows yet": webauthntest.NewOf(webauthntest.NewModel(uuid.New()))} {
		if got := add(b, strong, name); got.Status != http.StatusForbidden || !strings.Contains(got.Message, "higher level than the one at which you signed in") {
			t.Errorf("adding a key %s at level 2 = %+v, want 403", name, got)
		}
	}
	if got := p.audited("enrolled"); got[len(got)-1] != "enrolled: level_above" {
		t.Errorf("record = %v, want the refusal", got)
	}
	weak := webauthntest.New()
	got := add(b, weak, "plain key")
	if got.Status != http.StatusOK {
		t.Fatalf("adding a key that proves nothing at level 2 = %+v, want 200", got)
	}
	b.get(got.Location).wantPage(t, http.StatusOK, "/account/authenticators", "You have added plain key")
	p.signedInWith(weak)
	if n := p.count(`SELECT count(*) FROM session WHERE authenticator_level > 2`); n != 0 {
		t.Errorf("%d sessions above level 2, want none", n)
	}

	p.keyOf(oneRole, "ward key", key) // by a link
	b = p.signedInWith(key)
	spare := webauthntest.NewOf(model)
	if got := add(b, spare, "spare key"); got.Status != http.StatusOK {
		t.Fatalf("adding a certified key at level 3 = %+v, want 200", got)
	}
	p.signedInWith(spare)
	if n := p.count(`SELECT count(*) FROM session WHERE authenticator_level = 3`); n != 2 {
		t.Errorf("%d sessions of level 3, want 2: by the key and by the spare", n)
	}

	// One whose page was opened at level 3 is not bound when she has signed in again at level 2 since.
	c = b.get("/account/authenticators/new").ceremony(t)
	third := webauthntest.NewOf(model)
	response := third.Create(c.options, issuer)
	b.passkey(b.get("/sign-in"), phone)
	if got := b.finish(c, response, "third"); got.Location != "/account/authenticators/new" {
		t.Errorf("adding after a weaker sign-in = %+v, want a stronger one first", got)
	}
}

// Who reports the strongest lost is not let any nearer to adding or removing anything; what protects her stays open.
func TestReportingALossLowersNoBar(t *testing.T) {
	t.Parallel()
	p, model := inEarnest(t)
	phone, key := webauthntest.NewPasskey(), webauthntest.NewOf(model)
	p.keyOf(oneRole, "phone", phone)
	p.keyOf(oneRole, "ward key", key)
	p.signedInWith(key)
	b := p.signedInWith(phone)
	list := b.confirmed(b.get("/account/authenticators/" + p.authenticatorCalled("ward key") + "/lost"))
	list.wantPage(t, http.StatusOK, "/account/authenticators", "Reported lost")
	if got := p.audited("authenticator_lost"); !slices.Equal(got, []string{"authenticator_lost"}) {
		t.Errorf("record = %v, want the loss", got)
	}
	if got := p.signInWith(key); got.Status != http.StatusForbidden {
		t.Errorf("a sign-in with what was reported lost = %+v, want 403", got)
	}
	if n := p.count(`SELECT count(*) FROM session WHERE ended_at IS NULL`); n != 1 {
		t.Errorf("%d sessions go on, want hers alone: that of the lost key has ended", n)
	}
	for _, path := range []string{"/account/authenticators/new", "/account/authenticators/" + p.authenticatorCalled("phone") + "/remove"} {
		b.rest(b.get(path)).wantPage(t, http.StatusForbidden, "/sign-in/unmet", "at level 3")
	}
	b.get("/account/sessions/end").wantPage(t, http.StatusOK, "/account/sessions/end")
	b.get("/account/authenticators/"+p.authenticatorCalled("phone")+"/lost").wantPage(t, http.StatusOK, "/account/authenticators/"+p.authenticatorCalled("phone")+"/lost", "You will not be able to sign in")
}

// Before she takes something away she is told what is left, and no more than that is lost.
func TestAccountRemoves(t *testing.T) {
	t.Parallel()
	p, model := inEarnest(t)
	phone, key, his := webauthntest.NewPasskey(), webauthntest.NewOf(model), webauthntest.NewPasskey()
	p.keyOf(oneRole, "phone", phone)
	p.keyOf(oneRole, "ward key", key)
	p.keyOf(noRole, "his phone", his)
	b := p.signedInWith(key)
	of := func(name, what string) string {
		return "/account/authenticators/" + p.authenticatorCalled(name) + "/" + what
	}

	b.get(of("phone", "remove")).wantPage(t, http.StatusOK, of("phone", "remove"), "you still reach level 3")
	page := b.get(of("ward key", "remove"))
	page.wantPage(t, http.StatusOK, of("ward key", "remove"), "You will reach level 2 only", "you will be signed out")
	for _, left := range []string{"", "?left=3", "?left=x", "?left=0"} { // which she was not told
		b.rest(b.post(of("ward key", "remove")+left, nil)).wantPage(t, http.StatusOK, of("ward key", "remove"), "You will reach level 2 only")
	}
	for _, what := range []string{"remove", "lost"} {
		for _, nobodys := range []string{of("his phone", what), "/account/authenticators/" + uuid.NewString() + "/" + what, "/account/authenticators/x/" + what} {
			b.get(nobodys).wantPage(t, http.StatusNotFound, nobodys, "not yours")
			path, _, _ := strings.Cut(nobodys, "?")
			b.post(nobodys+"?left=2", nil).wantPage(t, http.StatusNotFound, path, "not yours")
		}
	}
	if got := p.audited("authenticator_revoked", "authenticator_lost"); len(got) != 6 || got[0] != "authenticator_revoked: authenticator_unknown" || got[5] != "authenticator_lost: authenticator_unknown" {
		t.Errorf("record = %v, want six refusals", got)
	}
	b.confirmed(page).wantPage(t, http.StatusOK, "/sign-in")
	if got := p.signInWith(key); got.Status != http.StatusForbidden {
		t.Errorf("a sign-in with what was removed = %+v, want 403", got)
	}
	b = p.signedInWith(phone)
	b.get(of("phone", "remove")).wantPage(t, http.StatusOK, of("phone", "remove"), "You will not be able to sign in")
	p.signedInWith(his).get("/account/authenticators").wantPage(t, http.StatusOK, "/account/authenticators", "his phone")
}

// She calls what she signs in with what she likes, as text, and officers read it as that; nobody names what is not hers.
func TestAccountNames(t *testing.T) {
	t.Parallel()
	p, _ := inEarnest(t)
	phone, his := webauthntest.NewPasskey(), webauthntest.NewPasskey()
	p.keyOf(oneRole, "phone", phone)
	p.keyOf(noRole, "his phone", his)
	b := p.signedInWith(phone)
	path := "/account/authenticators/" + p.authenticatorCalled("phone") + "/name"
	b.get(path).wantPage(t, http.StatusOK, path, "What do you call phone?", `value="phone"`)
	named := func(name string) answer { return b.rest(b.post(path, url.Values{"name": {name}})) }
	for what, name := range map[string]string{
		"nothing": "", "spaces": " \u00a0 ", "too much": strings.Repeat("é", 61), "what clears a terminal": "blue\x1b[2J", "what turns text": "blue\u202eyek", "no text": "blue\xff",
	} {
		if page := named(name); page.StatusCode != http.StatusBadRequest || !strings.Contains(page.body, "Enter a name of 1 to 60 letters") || !strings.Contains(page.body, "What do you call phone?") {
			t.Errorf("naming it %s = %d %s, want the form again", what, page.StatusCode, text(page.body))
		}
	}
	if got := p.audited("authenticator_renamed"); len(got) != 0 {
		t.Errorf("record = %v, want nothing yet", got)
	}
	const hostile = `<b id="x">ffôn \" {{.}}`
	for range 2 { // the second changes nothing
		named(" "+hostile).wantPage(t, http.StatusOK, "/account/authenticators", `<b id="x">ffôn`)
	}
	if got := p.audited("authenticator_renamed"); len(got) != 1 {
		t.Errorf("record = %v, want one line", got)
	}
	if actor, person, detail := p.line("authenticator_renamed"); actor != oneRole || person != oneRole || detail["from"] != "phone" || detail["to"] != hostile || detail["authenticator"] == "" {
		t.Errorf("record = %s %s %v, want both names", actor, person, detail)
	}
	for _, nobodys := range []string{p.authenticatorCalled("his phone"), uuid.NewString(), "x"} {
		path := "/account/authenticators/" + nobodys + "/name"
		b.get(path).wantPage(t, http.StatusNotFound, path, "not yours")
		b.post(path, url.Values{"name": {"mine"}}).wantPage(t, http.StatusNotFound, path, "not yours")
	}
	if got := p.audited("authenticator_renamed"); len(got) != 4 || got[3] != "authenticator_renamed: authenticator_unknown" {
		t.Errorf("record = %v, want three refusals", got)
	}
	p.signedInWith(his).get("/account/authenticators").wantPage(t, http.StatusOK, "/account/authenticators", "his phone")
	b.get("/account/history").wantPage(t, http.StatusOK, "/account/history", "Something to sign in with got another name")
}

// Of two who take away one each of the last two, one is told anew what is left.
func TestRaceOfRemovals(t *testing.T) {
	t.Parallel()
	p, _ := inEarnest(t)
	one, two := webauthntest.NewPasskey(), webauthntest.NewPasskey()
	p.keyOf(oneRole, "one", one)
	p.keyOf(oneRole, "two", two)
	paths := map[string]*browser{"one": p.signedInWith(two), "two": p.signedInWith(one)}
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for name, b := range paths {
		path := "/account/authenticators/" + p.authenticatorCalled(name) + "/remove?left=2"
		wg.Go(func() { <-begin; b.post(path, nil) })
	}
	close(begin)
	wg.Wait()
	if n := p.count(`SELECT count(*) FROM authenticator WHERE person_id = $1 AND state = 'active'`, oneRole); n != 1 {
		t.Errorf("%d authenticators are left, want 1", n)
	}
}

// She sees where she is signed in, ends one, and ends all others; nobody's else.
func TestAccountSessions(t *testing.T) {
	t.Parallel()
	p, _ := inEarnest(t)
	phone, his := webauthntest.NewPasskey(), webauthntest.NewPasskey()
	p.keyOf(oneRole, "phone", phone)
	p.keyOf(noRole, "his phone", his)
	b, second, third, him := p.signedInWith(phone), p.signedInWith(phone), p.signedInWith(phone), p.signedInWith(his)
	sid := func(person string, n int) string {
		list, err := p.owner.SessionsOf(t.Context(), person, store.Order{By: store.ByTime, Descending: true}, uuid.Nil, 10, p.clock.Now())
		if err != nil || len(list) <= n {
			t.Fatalf("SessionsOf(%s) = %v, %v, want more", person, list, err)
		}
		return list[n].ID.String()
	}
	page := b.get("/account/sessions")
	if got := strings.Count(page.body, "Another browser"); got != 2 {
		t.Errorf("%d other browsers, want 2: %s", got, text(page.body))
	}
	theirs := "/account/sessions/" + sid(noRole, 0) + "/end"
	b.get(theirs).wantPage(t, http.StatusNotFound, theirs)
	b.post(theirs, nil).wantPage(t, http.StatusNotFound, theirs)
	if got := p.audited("session_ended"); !slices.Equal(got, []string{"session_ended: session_unknown"}) {
		t.Errorf("record = %v, want the refusal", got)
	}
	b.confirmed(b.get("/account/sessions/"+sid(oneRole, 0)+"/end")).wantPage(t, http.StatusOK, "/account/sessions")
	third.get("/account").wantPage(t, http.StatusOK, "/sign-in")
	second.get("/account").wantPage(t, http.StatusOK, "/account")
	page = b.confirmed(b.get("/account/sessions/end"))
	page.wantPage(t, http.StatusOK, "/account/sessions", "This browser")
	if strings.Contains(page.body, "Another browser") {
		t.Errorf("a session goes on: %s", text(page.body))
	}
	second.get("/account").wantPage(t, http.StatusOK, "/sign-in")
	him.get("/account").wantPage(t, http.StatusOK, "/account")
	if got := p.audited("session_ended"); len(got) != 3 {
		t.Errorf("record = %v, want two ends", got)
	}
}

// Her history is hers, refusals too, in pages that neither repeat nor leave out a line.
func TestAccountHistory(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
		SELECT now(), 'signed_in', CASE WHEN n % 2 = 0 THEN 'assertion_invalid' ELSE '' END, $1::text, $1::text, '', 'LINE-' || n, '192.0.2.1', '{}' FROM generate_series(1, 60) n`, twoRoles)
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail) VALUES (now(), 'signed_in', '', $1::text, $1::text, '', 'HIS', '', '{}')`, oneRole)
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail) VALUES (now(), 'person_viewed', '', 'x', $1, '', 'VIEW', '', '{}')`, twoRoles)
	b := p.browser()
	b.signInAlone(twoRoles, "passkey")
	seen, page := map[string]int{}, b.get("/account/history")
	page.wantPage(t, http.StatusOK, "/account/history", "A sign-in was refused", "You signed in")
	for range 5 {
		for _, part := range strings.Split(page.body, "Reference LINE-")[1:] {
			n, _, _ := strings.Cut(part, "<")
			seen[n]++
		}
		if strings.Contains(page.body, "HIS") || strings.Contains(page.body, "VIEW") {
			t.Errorf("the history has what is not hers: %s", text(page.body))
		}
		_, rest, more := strings.Cut(page.body, `href="/account/history?after=`)
		if !more {
			break
		}
		after, _, _ := strings.Cut(rest, `"`)
		page = b.get("/account/history?after=" + html.UnescapeString(after))
	}
	for n, times := range seen {
		if times != 1 {
			t.Errorf("line %s is there %d times, want once", n, times)
		}
	}
	if len(seen) != 60 {
		t.Errorf("%d lines, want 60", len(seen))
	}
	b.get("/account/history?after=-1").wantPage(t, http.StatusOK, "/account/history", "You signed in")
	b.get("/account/history?after=<script>&sort=<script>").wantPage(t, http.StatusOK, "/account/history", "You signed in")
	b.get("/account/history?show=<script>").wantPage(t, http.StatusBadRequest, "/account/history", "Select what to show")
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail) VALUES (now(), 'enrolled', '', $1::text, $1::text, '', 'ADDED', '', '{}')`, twoRoles)
	for query, want := range map[string]string{
		"": "ADDED", "?sort=-at": "ADDED", "?sort=at": "LINE-1", "?show=sign-ins&sort=at": "LINE-1", "?show=refused&sort=at": "LINE-2", "?show=refused": "LINE-60", "?show=changes": "ADDED",
	} {
		page := b.get("/account/history" + query)
		_, rest, _ := strings.Cut(page.body, `<p class="nhsuk-hint">Reference `)
		if got, _, _ := strings.Cut(rest, "<"); got != want || strings.Contains(query, "show=sign-ins") && strings.Contains(page.body, "ADDED") {
			t.Errorf("GET /account/history%s begins with %q, want %q: %s", query, got, want, text(page.body))
		}
	}
	if page := b.get("/account/history?sort=at&show=refused"); strings.Contains(page.body, "You signed in") || !strings.Contains(page.body, `href="/account/history?after=`) || !strings.Contains(page.body, "&amp;show=refused&amp;sort=at") {
		t.Errorf("what was refused, the oldest first = %s, want nothing else, and what follows of it", text(page.body))
	}
}

// From where she did something she is told, on the page and in the file; from where an officer did is the officer's.
func TestAccountHistoryKeepsAddressesOfOthers(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const line = `INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail) VALUES (now(), $1, '', $2, $3, '', 'LINE', $4, '{"from": "active", "to": "suspended"}')`
	p.exec(line, "authenticator_suspended", raAgent, twoRoles, "192.0.2.77")
	p.exec(line, "authenticator_lost", twoRoles, twoRoles, "192.0.2.78")
	b := p.browser()
	b.signInAlone(twoRoles, "passkey")
	for what, a := range map[string]answer{"history": b.get("/account/history"), "data": b.post("/account/data", nil)} {
		if !strings.Contains(a.body, "192.0.2.78") || strings.Contains(a.body, "192.0.2.77") {
			t.Errorf("her %s = %d %s, want her own address and not that of an officer", what, a.StatusCode, text(a.body))
		}
	}
}

// The file that she downloads has what its schema says, nothing of anybody else and nothing that is secret.
func TestAccountData(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.wardNurse()
	p.keyOf(noRole, "phone", webauthntest.NewPasskey())
	text, err := os.ReadFile("account/data.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	if err := compiler.AddResource("data.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile("data.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, person := range []string{noRole, twoRoles, sevenRoles, raManager} {
		b := p.browser()
		b.signInAlone(person, "passkey")
		file := b.post("/account/data", nil)
		if file.StatusCode != http.StatusOK || file.Header.Get("Content-Disposition") != `attachment; filename="credence-`+person+`.json"` || file.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("download of %s = %d %v, want a file that nobody keeps", person, file.StatusCode, file.Header)
		}
		instance, err := jsonschema.UnmarshalJSON(strings.NewReader(file.body))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(instance); err != nil {
			t.Errorf("download of %s: %v", person, err)
		}
		var d struct {
			Person         map[string]any
			Authenticators []map[string]any
			Requests       []map[string]any
		}
		if err := json.Unmarshal([]byte(file.body), &d); err != nil {
			t.Fatal(err)
		}
		if d.Person["user_id"] != person {
			t.Errorf("download of %s is about %v", person, d.Person["user_id"])
		}
		if person == noRole {
			var members []string
			for member := range d.Authenticators[0] {
				members = append(members, member)
			}
			slices.Sort(members)
			if diff := cmp.Diff([]string{"added_at", "id", "kind", "name", "state"}, members); diff != "" {
				t.Errorf("what is told of an authenticator (-want +got):\n%s", diff)
			}
			if len(d.Requests) != 1 || !strings.Contains(file.body, "···") {
				t.Errorf("download of %s = %s, want the request for her, and evidence in outline", person, file.body)
			}
		}
	}
	if got := p.audited("data_downloaded"); len(got) != 4 {
		t.Errorf("record = %v, want four downloads", got)
	}
	if a := p.browser().post("/account/data", nil); a.path() != "/sign-in" {
		t.Errorf("download by nobody = %d %s, want the sign-in page", a.StatusCode, a.path())
	}
}

// A form of another site does nothing.
func TestAccountFormsOfAnotherSite(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	b.signInAlone(twoRoles, "passkey")
	for _, path := range []string{"/account/data", "/account/sessions/end", "/account/authenticators/" + uuid.NewString() + "/remove", "/account/authenticators/" + uuid.NewString() + "/name", "/account/authenticators/new"} {
		a := b.postWith(path, url.Values{}, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
		if a.StatusCode != http.StatusForbidden {
			t.Errorf("POST %s of another site = %d, want 403", path, a.StatusCode)
		}
	}
}
