package idp_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// revoke takes the authenticators of a person away.
func (p *provider) revoke(personID string) {
	p.t.Helper()
	authenticators, err := p.owner.Authenticators(p.t.Context(), personID, false)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, a := range authenticators {
		if err := registration.ChangeAuthenticator(p.t.Context(), p.owner, registration.Change{Authenticator: a.ID, Act: registration.Revoke}, audit.Entry{At: p.clock.Now(), Actor: "test"}); err != nil {
			p.t.Fatal(err)
		}
	}
}

// Who proved to have a key or a link is recorded when refused, whatever the limits say: an attacker who fills them first
// hides nothing. What proves nothing leaves no line then.
func TestLimitsHideNoProof(t *testing.T) {
	t.Parallel()
	p := newProvider(t).second(behindProxy)
	hers, disabled, copied, replayed := webauthntest.New(), webauthntest.New(), webauthntest.New(), webauthntest.NewPasskey()
	const disabledPerson = "656005750107"
	for person, key := range map[string]*webauthntest.Key{oneRole: hers, disabledPerson: disabled, twoRoles: copied, sevenRoles: replayed} {
		p.enrol(person, key)
	}
	used := p.link(noRole)
	first := p.browser()
	enrolled := first.get(used).ceremony(t)
	if got := first.finish(enrolled, webauthntest.New().Create(enrolled.options, issuer), ""); got.Status != http.StatusOK {
		t.Fatalf("enrolment = %+v, want 200", got)
	}
	old, _, err := registration.NewEnrolmentLink(t.Context(), p.owner, noRole, "test", p.clock.Now().Add(-25*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	live := p.link(noRole)
	p.browser().passkeyElsewhere(copied)
	copied.SignCount = 0
	begun := p.browser()
	once := begun.get("/sign-in").ceremony(t)
	answered := replayed.Get(once.options, issuer)
	if got := begun.finish(once, answered, ""); got.Status != http.StatusOK {
		t.Fatalf("sign-in = %+v, want 200", got)
	}
	if err := directory.DisablePerson(t.Context(), p.owner, disabledPerson, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	p.revoke(oneRole)

	const address = "192.0.2.1"
	begun.client.Transport = forwarding{begun.client.Transport, address}
	b := p.from(address)
	fill := map[string]func() answer{"wrong answers": func() answer { return b.failKey(hers) }, "links": func() answer { return b.get("/enrol?token=none") }}
	for _, fail := range fill {
		fail()
		for limit, most := range map[string]int{"sign_in_address": 100, "sign_in_client": 300, "sign_in_person": 50, "enrolment_address": 60} {
			p.nearly(limit, most)
		}
		fail()
	}
	events := []string{"signed_in", "enrolled"}
	sofar := len(p.audited(events...))
	wants := func(what string, status int, got answer, line string) {
		t.Helper()
		var want []string
		if line != "" {
			want = []string{line}
		}
		if got.StatusCode != status {
			t.Errorf("%s = %d %s, want %d", what, got.StatusCode, text(got.body), status)
		}
		if diff := cmp.Diff(want, p.audited(events...)[sofar:], cmp.Transformer("", func(s []string) string { return strings.Join(s, "\n") })); diff != "" {
			t.Errorf("the record of %s beyond the limits (-want +got):\n%s", what, diff)
		}
		sofar = len(p.audited(events...))
	}
	assertion := func(key *webauthntest.Key) answer {
		c := b.authorize(request(confidentialClient, newPKCE())).ceremony(t)
		return b.answer(c, string(key.Get(c.options, issuer)))
	}
	for what, fail := range fill {
		wants(what, http.StatusTooManyRequests, fail(), "")
	}
	wants("a revoked authenticator", http.StatusForbidden, assertion(hers), "signed_in: authenticator_revoked")
	wants("a disabled person's", http.StatusForbidden, assertion(disabled), "signed_in: person_disabled")
	wants("a copied one", http.StatusForbidden, assertion(copied), "signed_in: counter_regressed")
	wants("an answer for the second time", http.StatusForbidden, begun.answer(once, string(answered)), "signed_in: challenge_replayed")
	wants("a used link", http.StatusGone, b.get(used), "enrolled: link_used")
	wants("an answer with a used link", http.StatusGone, first.answer(enrolled, `{"id":"x"}`), "enrolled: link_used")
	wants("an old link", http.StatusGone, b.get("/enrol?token="+old), "enrolled: link_expired")
	wants("garbage with a link that works", http.StatusForbidden, b.answer(b.get(live).ceremony(t), `{"id":"x"}`), "enrolled: response_malformed")
	for what, fail := range fill {
		wants(what+", again", http.StatusTooManyRequests, fail(), "")
	}
}

// Whoever is given the reference of a sign-in or enrolment that failed finds in the log why, and in the record whose it was.
func TestLogSaysWhyPeopleAreRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t).second(behindProxy)
	hers, nobodys := webauthntest.New(), webauthntest.New()
	p.enrol(oneRole, hers)
	p.enrol(twoRoles, nobodys)
	p.exec(`DELETE FROM authenticator WHERE person_id = $1`, twoRoles)
	b := p.from("192.0.2.1")
	assertion := func(key *webauthntest.Key) answer {
		c := b.get("/sign-in").ceremony(t)
		return b.answer(c, string(key.Get(c.options, issuer)))
	}
	for _, tt := range []struct {
		reason string
		person string // in the record, "" when there is no line
		got    answer
	}{
		{"authenticator_unknown", "", assertion(nobodys)},
		{"response_malformed", "", b.failSignIn()},
		{"assertion_invalid", oneRole, b.failKey(hers)},
		{"authenticator_revoked", oneRole, func() answer { p.revoke(oneRole); return assertion(hers) }()},
		{"person_unknown", "", b.post("/sign-in/simulated", url.Values{"username": {"999999999999"}})},
		{"link_unknown", "", b.get("/enrol?token=none")},
		{"response_malformed", noRole, b.answer(b.get(p.link(noRole)).ceremony(t), `{"id":"x"}`)},
	} {
		id := tt.got.Header.Get("X-Request-Id")
		line := regexp.MustCompile(`.*request_id=` + id + `.*`).FindString(p.logs.String())
		if id == "" || !strings.Contains(line, "refusal="+tt.reason) || strings.Contains(line, oneRole) || strings.Contains(line, noRole) {
			t.Errorf("the request %q is logged as %q, want refusal=%s, and nobody's id", id, line, tt.reason)
		}
		events, err := p.owner.AuditEvents(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		var found string
		for _, e := range events {
			if e.RequestID == id {
				found += e.Refusal + " " + e.PersonID
			}
		}
		want := ""
		if tt.person != "" {
			want = tt.reason + " " + tt.person
		}
		if found != want {
			t.Errorf("the record of request %s is %q, want %q", id, found, want)
		}
	}
	a := b.get("/sign-in")
	if line := regexp.MustCompile(`.*request_id=` + a.Header.Get("X-Request-Id") + `.*`).FindString(p.logs.String()); line == "" || strings.Contains(line, "refusal=") {
		t.Errorf("a page that is shown is logged as %q, want no refusal", line)
	}
}

// What a page elsewhere has browsers send costs nothing, and is not held against the place where they are. W3C Fetch
// Metadata Request Headers, Sections 2.1 and 2.4.
func TestPagesElsewhereDoNotCount(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	k := newPKCE()
	code, link := p.browser().code(request(otherClient, k), oneRole), p.link(noRole)
	b := p.browser()
	send := func(method, location string, form url.Values, header, value string) answer {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, b.absolute(location), strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		if method == http.MethodPost {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if value != "" {
			r.Header.Set(header, value)
		}
		return b.send(r)
	}
	open := func(link, dest string) answer {
		t.Helper()
		return send(http.MethodGet, link, nil, "Sec-Fetch-Dest", dest)
	}
	token := func(secret, site string) answer {
		t.Helper()
		return send(http.MethodPost, "/token", authenticated(redeem(otherClient, code, k), secret), "Sec-Fetch-Site", site)
	}
	p.trips.take()
	for _, dest := range []string{"image", "iframe", "script", "empty"} {
		for _, link := range []string{"/enrol?token=none", link} {
			if got := open(link, dest); got.StatusCode != http.StatusForbidden || strings.Contains(got.body, "ceremony") {
				t.Errorf("a link for %s = %d %s, want 403", dest, got.StatusCode, text(got.body))
			}
		}
	}
	for _, site := range []string{"cross-site", "same-site"} {
		for _, secret := range []string{"no secret", secret} {
			if got := token(secret, site); got.StatusCode != http.StatusBadRequest || !strings.Contains(got.body, `"invalid_request"`) {
				t.Errorf("a token request from %s = %d %s, want 400 invalid_request", site, got.StatusCode, got.body)
			}
		}
	}
	if trips, _ := p.trips.take(); trips != 0 {
		t.Errorf("they took %d round trips, want none", trips)
	}
	for _, dest := range []string{"", "document"} {
		if got := open("/enrol?token=none", dest); got.StatusCode != http.StatusGone {
			t.Errorf("a bad link for %q = %d, want 410", dest, got.StatusCode)
		}
		if got := open(link, dest); got.StatusCode != http.StatusOK {
			t.Errorf("a good link for %q = %d, want 200", dest, got.StatusCode)
		}
	}
	for _, site := range []string{"", "none", "same-origin"} {
		if got := token("no secret", site); got.StatusCode != http.StatusUnauthorized {
			t.Errorf("a token request from %q with a wrong secret = %d %s, want 401", site, got.StatusCode, got.body)
		}
	}
	if got := token(secret, ""); got.StatusCode != http.StatusOK {
		t.Errorf("a token request of a service = %d %s, want 200", got.StatusCode, got.body)
	}
	if got := p.count(`SELECT sum(failures) FROM throttle WHERE kind IN ('enrolment_address', 'token_address')`); got != 5 {
		t.Errorf("%d failures are counted, want the 5 that were nobody else's", got)
	}
}

// While the database is away, each loop says so once, and once that it is back.
func TestLoopsSayOnceThatTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	away, back := []string{}, []string{}
	for _, what := range []string{`"signing keys"`, "clients", `"authenticator models"`, "limits"} {
		away, back = append(away, `"copy could not be renewed" of=`+what), append(back, `"copy is renewed again" of=`+what)
	}
	said := func(messages []string) (total int) {
		for _, m := range messages {
			total += strings.Count(p.logs.String(), m)
		}
		return total
	}
	p.run()
	p.exec(`ALTER TABLE generation RENAME TO generation_away`)
	p.exec(`ALTER TABLE throttle RENAME TO throttle_away`)
	eventually(t, "all loops say that they fail", func() bool { return said(away) == len(away) })
	p.trips.take()
	polls := 0
	eventually(t, "they went on trying", func() bool {
		trips, _ := p.trips.take()
		polls += trips
		return polls >= 2*len(away)
	})
	if got := said(back); got != 0 {
		t.Errorf("%d loops say that they are well, want none", got)
	}
	p.exec(`ALTER TABLE generation_away RENAME TO generation`)
	p.exec(`ALTER TABLE throttle_away RENAME TO throttle`)
	eventually(t, "all loops say that they are well again", func() bool { return said(back) == len(back) })
	for _, m := range append(away, back...) {
		if got := strings.Count(p.logs.String(), m); got != 1 {
			t.Errorf("the log says %q %d times, want once", m, got)
		}
	}
}
