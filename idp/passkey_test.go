package idp_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

var nameOnHome = regexp.MustCompile(`<h1 [^>]*id="name"[^>]*>([^<]*)</h1>`)

// home is the name of the person whom the home page greets, or "".
func (b *browser) home() string {
	b.t.Helper()
	a := b.get("/")
	if a.StatusCode != http.StatusOK {
		b.t.Fatalf("GET / = %d %s, want 200", a.StatusCode, text(a.body))
	}
	if found := nameOnHome.FindStringSubmatch(a.body); found != nil {
		return html.UnescapeString(found[1])
	}
	return ""
}

// passkey signs in with a key on the sign-in page that an answer shows, and follows redirects.
func (b *browser) passkey(page answer, key *webauthntest.Key) answer {
	b.t.Helper()
	c := page.ceremony(b.t)
	got := b.finish(c, key.Get(c.options, issuer), "")
	if got.Status != http.StatusOK {
		b.t.Fatalf("sign-in answers %+v, want 200", got)
	}
	return b.follow(got.Location)
}

func (p *provider) sessions() int {
	p.t.Helper()
	return p.count(`SELECT count(*) FROM session`)
}

func TestPasskeySignIn(t *testing.T) { //nolint:tparallel // a key answers one ceremony at a time
	t.Parallel()
	p := newProvider(t)
	hers, his := webauthntest.New(), webauthntest.NewPasskey()
	p.enrol(oneRole, hers)
	p.enrol(twoRoles, his)
	tests := []struct {
		name     string
		key      *webauthntest.Key
		username string // "" lets the authenticator say who it is
		person   string
		amr      []any
	}{
		{"a security key that says whose it is", hers, "", oneRole, []any{"pop", "user", "mfa"}},
		{"a security key after the user id", hers, oneRole, oneRole, []any{"pop", "user", "mfa"}},
		{"a passkey that says whose it is", his, "", twoRoles, []any{"pop", "user", "mfa"}},
		{"a passkey after the user id", his, twoRoles, twoRoles, []any{"pop", "user", "mfa"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, k := p.browser(), newPKCE()
			page := b.authorize(request(confidentialClient, k))
			if tt.username != "" {
				page = b.rest(b.post(page.address().RequestURI(), map[string][]string{"username": {tt.username}}))
			}
			a := b.passkey(page, tt.key)
			if a.path() == "/sign-in/role" && a.StatusCode == http.StatusOK {
				a = b.rest(b.post(a.address().RequestURI(), map[string][]string{"role": {"656014452101"}}))
			}
			got := p.as(confidentialClient, redeem(confidentialClient, a.redirect(t).Get("code"), k))
			if got.status != http.StatusOK {
				t.Fatalf("token endpoint answers %d %s", got.status, got.Error)
			}
			c := claims(t, got.IDToken)
			if c["sub"] != tt.person || c["acr"] != "AAL2_ANY" || c["authenticator_assurance_level"] != "2" {
				t.Errorf("ID token has sub %v, acr %v, level %v; want %s, AAL2_ANY, 2", c["sub"], c["acr"], c["authenticator_assurance_level"], tt.person)
			}
			if diff := cmp.Diff(tt.amr, c["amr"]); diff != "" {
				t.Errorf("amr (-want +got):\n%s", diff)
			}
		})
	}
}

// Nobody learns from the page who exists: WebAuthn Level 3, Section 14.6.2.
func TestSignInPageDoesNotTellWhoExists(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const disabled = "656005750107"
	p.enrol(oneRole, webauthntest.NewPasskey())
	p.enrol(disabled, webauthntest.NewPasskey())
	if err := directory.DisablePerson(t.Context(), p.owner, disabled, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	b := p.browser()
	page := b.authorize(request(confidentialClient, newPKCE()))

	type shape struct {
		Status, Size int
		Header       []string
		Transports   [][]string
		Types        []string
		IDs          []int // their lengths
		Page         string
	}
	volatile := regexp.MustCompile(`data-options="[^"]*" data-finish="[^"]*"|id="reference">[A-Z0-9]+<|[0-9]{12}`)
	look := func(username string) (shape, string) {
		t.Helper()
		posted := b.post(page.address().RequestURI(), map[string][]string{"username": {username}})
		if posted.StatusCode != http.StatusSeeOther {
			t.Fatalf("POST of user id %s = %d, want 303", username, posted.StatusCode)
		}
		a := b.rest(posted)
		var options struct {
			AllowCredentials []struct {
				ID, Type   string
				Transports []string
			}
			Challenge, RPID, UserVerification string
		}
		if err := json.Unmarshal(a.ceremony(t).options, &options); err != nil {
			t.Fatal(err)
		}
		s := shape{Status: a.StatusCode, Size: len(a.body), Page: volatile.ReplaceAllString(a.body, "")}
		for name := range a.Header {
			s.Header = append(s.Header, name)
		}
		slices.Sort(s.Header)
		var ids []string
		for _, c := range options.AllowCredentials {
			ids, s.IDs = append(ids, c.ID), append(s.IDs, len(c.ID))
			s.Transports, s.Types = append(s.Transports, c.Transports), append(s.Types, c.Type)
		}
		return s, strings.Join(ids, " ")
	}
	want, wantIDs := look(oneRole)
	if _, again := look(oneRole); again != wantIDs || len(want.IDs) != 1 {
		t.Errorf("allowCredentials of a person with one passkey = %q, then %q; want the same one", wantIDs, again)
	}
	// People have authenticators of several shapes, and so do those who are not there.
	plausible := []string{"22 [hybrid internal]", "27 [hybrid internal]", "43 [internal]", "64 [nfc usb]", "86 [usb]"}
	for what, username := range map[string]string{
		"nobody": "999999999999", "somebody else who does not exist": "000000000000", "somebody without an authenticator": noRole, "somebody disabled": disabled,
	} {
		got, ids := look(username)
		for i, transports := range got.Transports {
			if len(got.IDs) > 2 || got.Types[i] != want.Types[0] || !slices.Contains(plausible, fmt.Sprint(got.IDs[i], transports)) {
				t.Errorf("credential %d of %s is %q with an id of %d, want one as people have them", i, what, transports, got.IDs[i])
			}
		}
		got.IDs, got.Types, got.Transports, got.Size = want.IDs, want.Types, want.Transports, want.Size
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("page of %s differs from that of somebody with a passkey (-want +got):\n%s", what, diff)
		}
		if _, again := look(username); again != ids || ids == wantIDs {
			t.Errorf("allowCredentials of %s = %q, then %q; want the same, and nobody else's", what, ids, again)
		}
	}
}

func TestPasskeyAnswerIsTakenOnce(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	key := webauthntest.NewPasskey() // which does not count, so that nothing but the challenge tells a replay
	p.enrol(oneRole, key)
	b := p.browser()
	c := b.authorize(request(confidentialClient, newPKCE())).ceremony(t)
	response := key.Get(c.options, issuer)
	if got := b.finish(c, response, ""); got.Status != http.StatusOK {
		t.Fatalf("the first answer = %+v, want 200", got)
	}
	for what, response := range map[string][]byte{"the same answer": response, "another answer to the challenge": key.Get(c.options, issuer)} {
		if got := b.finish(c, response, ""); got.Status != http.StatusForbidden {
			t.Errorf("%s = %+v, want 403", what, got)
		}
	}
	if n := p.sessions(); n != 1 {
		t.Errorf("%d sessions after replays, want 1", n)
	}
	if diff := cmp.Diff([]string{"signed_in", "signed_in: challenge_replayed", "signed_in: challenge_replayed"}, p.audited("signed_in")); diff != "" {
		t.Errorf("audited (-want +got):\n%s", diff)
	}
	if b.home() == "" {
		t.Error("the session of the first answer ended, want it to live")
	}
}

func TestPasskeyAnswerRace(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	key := webauthntest.NewPasskey()
	p.enrol(oneRole, key)
	b := p.browser()
	c := b.authorize(request(confidentialClient, newPKCE())).ceremony(t)
	response := key.Get(c.options, issuer)
	var won atomic.Int32
	var running sync.WaitGroup
	start := make(chan struct{})
	for _, b := range []*browser{b, b.at(q)} {
		for range 16 {
			running.Go(func() {
				<-start
				switch got := b.finish(c, response, ""); got.Status {
				case http.StatusOK:
					won.Add(1)
				case http.StatusForbidden:
				default:
					t.Errorf("answer = %+v, want 200 or 403", got)
				}
			})
		}
	}
	close(start)
	running.Wait()
	if won.Load() != 1 || p.sessions() != 1 {
		t.Errorf("%d of 32 answers won, and there are %d sessions; want 1 and 1", won.Load(), p.sessions())
	}
	if got := len(p.audited("signed_in")); got != 32 {
		t.Errorf("%d lines of the record, want one for each of 32 answers", got)
	}
}

func TestPasskeyIsRefused(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	hers, his, disabled, stranger := webauthntest.New(), webauthntest.New(), webauthntest.New(), webauthntest.New()
	p.enrol(oneRole, hers)
	p.enrol(twoRoles, his)
	p.enrol(noRole, disabled)
	if err := directory.DisablePerson(t.Context(), p.owner, noRole, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	p.enrol(sevenRoles, stranger)
	p.exec(`UPDATE authenticator SET credential_id = sha256(credential_id) WHERE person_id = $1`, sevenRoles) // so it is nobody's now

	b := p.browser()
	page := b.authorize(request(confidentialClient, newPKCE()))
	fresh := func(username string) ceremony {
		t.Helper()
		return b.get(page.address().RequestURI() + "&username=" + username).ceremony(t)
	}
	withoutList := func(options []byte) []byte { // the attacker's browser asks every authenticator
		var o map[string]any
		if err := json.Unmarshal(options, &o); err != nil {
			t.Fatal(err)
		}
		delete(o, "allowCredentials")
		out, err := json.Marshal(o)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	enrolment := b.get(p.link(oneRole)).ceremony(t)
	state := regexp.MustCompile(`ceremony=([^&]*)`)
	tests := []struct {
		name    string
		do      func() said
		refusal string // in the record, "" for none
	}{
		{"the authenticator of another person than was named", func() said {
			c := fresh(twoRoles)
			return b.finish(c, hers.Get(withoutList(c.options), issuer), "")
		}, ""},
		{"an authenticator that nobody has", func() said { c := fresh(""); return b.finish(c, stranger.Get(c.options, issuer), "") }, ""},
		{"somebody's, for a user id that nobody has", func() said {
			c := fresh("999999999999")
			return b.finish(c, hers.Get(withoutList(c.options), issuer), "")
		}, ""},
		{"a disabled person's", func() said { c := fresh(""); return b.finish(c, disabled.Get(c.options, issuer), "") }, "person_disabled"},
		{"one asked by another origin", func() said {
			c := fresh("")
			return b.finish(c, hers.Get(c.options, "https://example.com:8443"), "")
		}, ""},
		{"one that did not verify its user", func() said {
			c := fresh("")
			hers.Flags &^= webauthntest.UserVerified
			defer func() { hers.Flags |= webauthntest.UserVerified }()
			return b.finish(c, hers.Get(c.options, issuer), "")
		}, "assertion_invalid"},
		{"another browser's ceremony", func() said {
			c := fresh("")
			c2 := p.browser().get("/sign-in").ceremony(t)
			return b.finish(swap(c, c2, state), hers.Get(c2.options, issuer), "")
		}, ""},
		{"the ceremony of an enrolment", func() said {
			c := fresh("")
			return b.finish(swap(c, enrolment, state), hers.Get(c.options, issuer), "")
		}, ""},
		{"a challenge that was not asked", func() said { c := fresh(""); return b.finish(c, hers.Get(fresh("").options, issuer), "") }, "assertion_invalid"},
		{"no answer at all", func() said { return b.postJSON(fresh("").finish, `{}`) }, ""},
		{"an answer that is null", func() said { return b.postJSON(fresh("").finish, `null`) }, ""},
		{"a counter that went back", func() said {
			b.passkeyElsewhere(his)
			his.SignCount = 0
			c := fresh("")
			return b.finish(c, his.Get(c.options, issuer), "")
		}, "counter_regressed"},
	}
	var want []string
	for _, tt := range tests {
		before := p.audited("signed_in")
		got := tt.do()
		if got.Status != http.StatusForbidden || !strings.HasPrefix(got.Message, "We could not sign you in with that passkey or security key.") {
			t.Errorf("sign-in with %s = %+v, want 403 and what everybody is told", tt.name, got)
		}
		if b.home() != "" {
			t.Fatalf("sign-in with %s began a session", tt.name)
		}
		want = nil
		if tt.refusal != "" {
			want = []string{"signed_in: " + tt.refusal}
		}
		var refused []string
		for _, line := range p.audited("signed_in")[len(before):] {
			if line != "signed_in" {
				refused = append(refused, line)
			}
		}
		if diff := cmp.Diff(want, refused); diff != "" {
			t.Errorf("audited of %s (-want +got):\n%s", tt.name, diff)
		}
	}
	for name, body := range map[string]string{
		"nothing": "", "no JSON": "response=1", "a list": "[]", "a number": "1", "half an object": `{"response":`, "too much": `{"response":"` + strings.Repeat("a", 65<<10) + `"}`,
	} {
		if got := b.postJSON(fresh("").finish, body); got.Status != http.StatusBadRequest || !strings.Contains(got.Message, "did not arrive whole") {
			t.Errorf("sign-in with %s = %+v, want 400", name, got)
		}
	}
	late := fresh("")
	p.clock.advance(5 * time.Minute)
	if got := b.finish(late, hers.Get(late.options, issuer), ""); got.Status != http.StatusForbidden || !strings.Contains(got.Message, "open for too long") {
		t.Errorf("sign-in on a page that was open for five minutes = %+v, want 403", got)
	}
	late = fresh("")
	p.clock.advance(time.Hour)
	if got := b.finish(late, hers.Get(late.options, issuer), ""); !strings.HasPrefix(got.Location, "/authorize?") {
		t.Errorf("sign-in of an hour ago = %+v, want that it begins again", got)
	}
	if a := b.passkey(b.authorize(request(confidentialClient, newPKCE())), hers); a.redirect(t).Get("code") == "" {
		t.Errorf("sign-in as it should be done leads to %s, want a code", a.Header.Get("Location"))
	}
}

// swap is a ceremony of a page with the sealed state of another.
func swap(c, other ceremony, state *regexp.Regexp) ceremony {
	c.finish = state.ReplaceAllString(c.finish, "ceremony="+state.FindStringSubmatch(other.finish)[1])
	return c
}

// passkeyElsewhere signs in with a key in another browser.
func (b *browser) passkeyElsewhere(key *webauthntest.Key) {
	b.t.Helper()
	other := b.p.browser()
	other.passkey(other.get("/sign-in"), key)
}

func TestRevokedAuthenticator(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	lost, kept := webauthntest.New(), webauthntest.New()
	p.enrol(oneRole, lost)
	p.enrol(oneRole, kept)
	withLost, withKept := p.browser(), p.browser()
	withLost.passkey(withLost.get("/sign-in"), lost)
	withKept.passkey(withKept.get("/sign-in"), kept)
	if withLost.home() == "" || withLost.at(q).home() == "" {
		t.Fatal("nobody is signed in before the authenticator was revoked")
	}
	authenticators, err := p.owner.Authenticators(t.Context(), oneRole, false)
	if err != nil {
		t.Fatal(err)
	}
	if err := registration.ChangeAuthenticator(t.Context(), p.owner, registration.Change{Authenticator: authenticators[0].ID, Act: registration.Revoke}, audit.Entry{At: p.clock.Now(), Actor: "test"}); err != nil {
		t.Fatal(err)
	}
	for _, b := range []*browser{withLost, withLost.at(q)} {
		if got := b.home(); got != "" {
			t.Errorf("the session that the revoked authenticator began still greets %s", got)
		}
		if a := b.authorize(request(confidentialClient, newPKCE())); a.path() != "/sign-in" {
			t.Errorf("authorization in that session leads to %s, want the sign-in page", a.path())
		}
	}
	c := withLost.get("/sign-in").ceremony(t)
	if got := withLost.finish(c, lost.Get(c.options, issuer), ""); got.Status != http.StatusForbidden {
		t.Errorf("sign-in with the revoked authenticator = %+v, want 403", got)
	}
	c = withLost.get("/sign-in?username=" + oneRole).ceremony(t)
	if lost.Get(c.options, issuer) != nil {
		t.Error("the revoked authenticator is still asked for")
	}
	if withKept.home() == "" {
		t.Error("the session of the other authenticator ended too")
	}
	if a := withLost.passkey(withLost.get("/sign-in"), kept); a.path() != "/" || withLost.home() == "" {
		t.Errorf("sign-in with the other authenticator leads to %s, want home", a.path())
	}
	if err := registration.ChangeAuthenticator(t.Context(), p.owner, registration.Change{Authenticator: authenticators[0].ID, Act: registration.Revoke}, audit.Entry{At: p.clock.Now(), Actor: "test"}); err == nil {
		t.Error("ChangeAuthenticator(revoked) = nil, want an error")
	}
	if err := registration.ChangeAuthenticator(t.Context(), p.owner, registration.Change{Authenticator: uuid.New(), Act: registration.Revoke}, audit.Entry{At: p.clock.Now(), Actor: "test"}); err == nil {
		t.Error("ChangeAuthenticator(unknown) = nil, want an error")
	}
	if diff := cmp.Diff([]string{"authenticator_revoked", "authenticator_revoked: authenticator_revoked"}, p.audited("authenticator_revoked")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}
