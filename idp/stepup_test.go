package idp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/metadata"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// wantPage checks that an answer is a page with these words.
func (a answer) wantPage(t *testing.T, status int, path string, words ...string) {
	t.Helper()
	if a.path() != path || a.StatusCode != status {
		t.Fatalf("answer is %d %s to %q, want %d %s: %s", a.StatusCode, a.path(), a.Header.Get("Location"), status, path, text(a.body))
	}
	page := strings.Join(strings.Fields(html.UnescapeString(a.body)), " ")
	for _, want := range words {
		if !strings.Contains(page, want) {
			t.Errorf("%s says nothing of %q: %s", path, want, text(a.body))
		}
	}
}

// press posts a button of the page that an answer shows, and follows redirects.
func (b *browser) press(page answer, button string) answer {
	b.t.Helper()
	return b.rest(b.post(page.address().RequestURI(), url.Values{button: {"1"}}))
}

// stronger signs in on the step-up page that an answer shows, by the simulated sign-in to which it links.
func (b *browser) stronger(page answer, username, method string) answer {
	b.t.Helper()
	_, rest, ok := strings.Cut(page.body, `<a href="/sign-in/simulated?`)
	link, _, _ := strings.Cut(rest, `"`)
	if !ok {
		b.t.Fatalf("the page has no simulated sign-in: %s", text(page.body))
	}
	return b.rest(b.post("/sign-in/simulated?"+html.UnescapeString(link), url.Values{"username": {username}, "method": {method}}))
}

const continueButton = `name="continue"`

// RFC 9470: the client repeats its request with what the service asked for. Who is signed in too weakly is shown what is
// missing and does only that; in the same session, whose tokens say so from then on, and only those that are issued then.
func TestStepUp(t *testing.T) {
	t.Parallel()
	p := asking(t)
	q := p.second()
	b := p.browser()
	b.signInAlone(oneRole, "passkey")
	old := p.signedIn(b, confidentialClient, oneRole, "scope", "openid offline_access", "acr_values", "AAL2_ANY")
	was := claims(t, old.IDToken)

	// Voluntary: she goes on without it, with the level that is true.
	p.clock.advance(10 * time.Second)
	k := newPKCE()
	more := []string{"scope", "openid offline_access", "acr_values", "urn:credence:acr:aal3", "max_age", "3600"}
	page := b.authorize(request(confidentialClient, k, more...))
	page.wantPage(t, http.StatusOK, "/sign-in/step-up", `<strong id="client-name">Ward system</strong>`, `<strong id="needed">at level 3</strong>`, "You are signed in at level 2.", continueButton, `name="cancel"`)
	without := p.outcome(confidentialClient, k, b.press(page, "continue"))
	p.wantACR(without, "AAL2_ANY")
	for _, name := range []string{"sid", "auth_time", "amr"} {
		if diff := cmp.Diff(was[name], without.id[name]); diff != "" {
			t.Errorf("%s after going on as before (-want +got):\n%s", name, diff)
		}
	}

	// She signs in more strongly, at another process.
	k = newPKCE()
	page = b.authorize(request(confidentialClient, k, more...))
	page.wantPage(t, http.StatusOK, "/sign-in/step-up")
	p.clock.advance(10 * time.Second)
	at := b.at(q)
	stepped := q.outcome(confidentialClient, k, at.stronger(page, oneRole, "security-key"))
	p.wantACR(stepped, "urn:credence:acr:aal3")
	if stepped.id["sid"] != was["sid"] || stepped.id["auth_time"].(float64) < was["auth_time"].(float64)+20 {
		t.Errorf("sid %v and auth_time %v after %v and %v, want the same session and a later sign-in", stepped.id["sid"], stepped.id["auth_time"], was["sid"], was["auth_time"])
	}
	if diff := cmp.Diff([]any{"hwk", "user", "mfa", "simulated"}, stepped.id["amr"]); diff != "" {
		t.Errorf("amr (-want +got):\n%s", diff)
	}
	if got := stepped.id["authenticator_assurance_level"]; got != "3" {
		t.Errorf("authenticator_assurance_level = %v, want 3", got)
	}

	// What was granted before stays as it was, at both processes.
	renewed := old
	for _, at := range []*provider{p, q, p} {
		renewed = at.as(confidentialClient, refresh(renewed.RefreshToken))
		renewed.granted(t)
		for what, token := range map[string]string{"ID token": renewed.IDToken, "access token": renewed.AccessToken} {
			got := claims(t, token)
			for _, name := range []string{"acr", "amr", "auth_time", "sid", "authenticator_assurance_level", "authentication_assurance_level"} {
				if diff := cmp.Diff(was[name], got[name]); diff != "" {
					t.Errorf("%s of the refreshed %s of the grant before (-want +got):\n%s", name, what, diff)
				}
			}
		}
	}
	refreshed := q.as(confidentialClient, refresh(stepped.RefreshToken))
	refreshed.granted(t)
	if got := claims(t, refreshed.IDToken)["acr"]; got != "urn:credence:acr:aal3" {
		t.Errorf("acr of the refreshed token of the grant after = %v, want what was asked", got)
	}

	// A lower request asks nothing and takes nothing away.
	for _, tt := range []struct{ asked, acr string }{
		{"AAL1_ANY", "AAL1_ANY"},
		{"urn:credence:acr:aal2", "urn:credence:acr:aal2"},
		{"", "AAL3_ANY"},
		{"urn:credence:acr:aal3", "urn:credence:acr:aal3"},
	} {
		k = newPKCE()
		got := p.outcome(confidentialClient, k, b.authorize(request(confidentialClient, k, "acr_values", tt.asked)))
		p.wantACR(got, tt.acr)
		if got.id["authenticator_assurance_level"] != "3" || got.id["auth_time"] != stepped.id["auth_time"] {
			t.Errorf("acr_values=%s gives level %v of %v, want the session as it is", tt.asked, got.id["authenticator_assurance_level"], got.id["auth_time"])
		}
	}
}

// What has to be reached: without it nobody goes on, and the client is told in the words of its own standard.
func TestStepUpThatHasToBe(t *testing.T) {
	t.Parallel()
	p := asking(t,
		oauth.Registration{ID: "strong", MinimumAuthenticator: assurance.AAL3},
		oauth.Registration{ID: "middling", MinimumAuthenticator: assurance.AAL2},
	)
	for _, tt := range []struct {
		name, client, holds string
		asked               []string
		needed              string
	}{
		{"an essential acr", "middling", "passkey", []string{"claims", essential("AAL3_ANY")}, "at level 3"},
		{"the client's minimum", "strong", "passkey", nil, "at level 3"},
		{"the client's minimum, and a lower request", "strong", "passkey", []string{"acr_values", "AAL1_ANY"}, "at level 3"},
		{"the client's minimum, and an essential one", "middling", "totp", []string{"claims", essential("phrh")}, "at level 2, with a key that cannot be copied"},
		{"an essential method", "middling", "passkey", []string{"claims", essential("AAL3_SMARTCARD")}, "at level 3, with a smartcard"},
		{"one of two methods", "middling", "passkey", []string{"claims", essential("AAL3_FIDO2")}, "at level 3, with a security key or a passkey"},
		{"level 2", "middling", "password", nil, "at level 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := p.in(t)
			strong := "smartcard"
			if tt.needed != "at level 3, with a smartcard" && tt.needed != "at level 2" {
				strong = "security-key"
			}
			begin := func() (*browser, pkce, answer) {
				b, k := p.browser(), newPKCE()
				b.signInAlone(oneRole, tt.holds)
				page := b.authorize(request(tt.client, k, tt.asked...))
				page.wantPage(t, http.StatusOK, "/sign-in/step-up", `<strong id="needed">`+tt.needed+`</strong>`, `name="cancel"`)
				if strings.Contains(page.body, continueButton) {
					t.Error("the page offers to go on without")
				}
				return b, k, page
			}
			b, k, page := begin()
			if got := p.outcome(tt.client, k, b.stronger(page, oneRole, strong)); got.refused != "" || got.id["authenticator_assurance_level"] != "3" {
				t.Errorf("signed in with a %s: %q, level %v, want level 3", strong, got.refused, got.id["authenticator_assurance_level"])
			}
			b, k, page = begin()
			if got := p.outcome(tt.client, k, b.press(page, "cancel")); got.refused != unmet {
				t.Errorf("given up: %q, want %s", got.refused, unmet)
			}
			b, k, page = begin()
			if got := p.outcome(tt.client, k, b.stronger(page, oneRole, "password")); got.refused != unmet {
				t.Errorf("signed in with a password: %q, want %s", got.refused, unmet)
			}
			b, _, page = begin()
			if again := b.press(page, "continue"); again.path() != "/sign-in/step-up" { // which nobody offered
				t.Errorf("a button that is not there leads to %s, want the page again", again.path())
			}
			// Who signs in for this request learns the need beforehand.
			b, k = p.browser(), newPKCE()
			page = b.authorize(request(tt.client, k, tt.asked...))
			page.wantPage(t, http.StatusOK, "/sign-in", `<strong id="needed">`+tt.needed+`</strong>`)
			if got := p.outcome(tt.client, k, b.simulate(page, oneRole, "password")); got.refused != unmet {
				t.Errorf("signed in anew with a password: %q, want %s", got.refused, unmet)
			}
		})
	}
}

// The voluntary part is asked for beside the client's minimum, and who cannot or will not is asked for the minimum alone.
func TestTheMinimumIsEnoughWhereMoreIsVoluntary(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "middling", MinimumAuthenticator: assurance.AAL2, MinimumIdentity: assurance.IdentityLow})
	b, k := p.browser(), newPKCE()
	b.signInAlone(oneRole, "password")
	page := b.authorize(request("middling", k, "acr_values", "AAL3_ANY"))
	page.wantPage(t, http.StatusOK, "/sign-in/step-up", `<strong id="needed">at level 3</strong>`, continueButton)
	page = b.press(page, "continue")
	page.wantPage(t, http.StatusOK, "/sign-in/step-up", `<strong id="needed">at level 2</strong>`)
	if strings.Contains(page.body, continueButton) {
		t.Error("the page offers to go on without the minimum")
	}
	p.wantACR(p.outcome("middling", k, b.stronger(page, oneRole, "passkey")), "AAL2_ANY")

	b, k = p.browser(), newPKCE()
	b.signInAlone(oneRole, "password")
	page = b.authorize(request("middling", k, "acr_values", "AAL3_ANY"))
	p.wantACR(p.outcome("middling", k, b.stronger(page, oneRole, "totp")), "AAL2_ANY") // for this request, and more than the minimum

	// Of an identity that is voluntary nobody is sent to a desk.
	b, k = p.browser(), newPKCE()
	b.signInAlone(studentLow, "passkey")
	p.wantACR(p.outcome("middling", k, b.authorize(request("middling", k, "acr_values", "urn:credence:acr:identity:high"))), "AAL2_ANY")

	// In production she has to have an authenticator that would do: with none she is told of the minimum alone, and with a
	// passkey alone level 3 is not asked for.
	q := p.second(func(c *idp.Config) { c.Simulated = nil })
	at := p.browser()
	at.signInAlone(oneRole, "password")
	at.at(q).authorize(request("middling", newPKCE(), "acr_values", "AAL3_ANY")).wantPage(t, http.StatusForbidden, "/sign-in/unmet", `<strong id="authenticator-needed">at level 2</strong>`)
	passkey := webauthntest.NewPasskey()
	p.enrol(oneRole, passkey)
	at, k = at.at(q), newPKCE()
	page = at.authorize(request("middling", k, "acr_values", "AAL3_ANY"))
	page.wantPage(t, http.StatusOK, "/sign-in/step-up", `<strong id="needed">at level 2</strong>`, "blue key")
	q.wantACR(q.outcome("middling", k, at.passkey(page, passkey)), "AAL2_ANY")
}

// keyOf enrols a key under a name of its own.
func (p *provider) keyOf(personID, name string, key *webauthntest.Key) {
	p.t.Helper()
	b := p.browser()
	c := b.get(p.link(personID)).ceremony(p.t)
	if got := b.finish(c, key.Create(c.options, issuer), name); got.Status != http.StatusOK {
		p.t.Fatalf("enrolment answers %+v, want 200", got)
	}
}

// In production only what she has counts, and what it proved when it was bound: an attested key of a certified model
// steps up, a passkey that syncs and a key that proves nothing do not, and are not offered.
func TestStepUpWithAuthenticators(t *testing.T) {
	t.Parallel()
	publisher, model := webauthntest.NewPublisher("mds.example.org"), webauthntest.NewModel(uuid.New())
	trust, err := metadata.Own(webauthntest.PEM(publisher.Root))
	if err != nil {
		t.Fatal(err)
	}
	p := asking(t, oauth.Registration{ID: "very-high", MinimumIdentity: assurance.IdentityVeryHigh})
	blob := publisher.Blob(1, p.clock.Now().AddDate(0, 1, 0), model.Certified())
	p.second(func(c *idp.Config) {
		c.Metadata = webauthn.Source{Trust: &trust, Fetch: func(context.Context) ([]byte, error) { return blob, nil }}
	}).fetchMetadata()
	eventually(t, "the metadata is there", func() bool { return p.count(`SELECT count(*) FROM fido_metadata`) > 0 })
	q := p.second(func(c *idp.Config) { c.Metadata, c.Simulated = webauthn.Source{Trust: &trust}, nil })
	passkey, key, unattested := webauthntest.NewPasskey(), webauthntest.NewOf(model), webauthntest.New()
	q.keyOf(oneRole, "phone", passkey)
	q.keyOf(oneRole, "stolen design", unattested)

	b := q.browser()
	b.passkey(b.get("/sign-in"), passkey)
	if code := b.authorize(request(confidentialClient, newPKCE(), "acr_values", "AAL3_ANY")).redirect(t).Get("code"); code == "" {
		t.Error("acr_values=AAL3_ANY of somebody without such a key gives no code")
	}
	none := b.authorize(request(confidentialClient, newPKCE(), "claims", essential("AAL3_ANY")))
	none.wantPage(t, http.StatusForbidden, "/sign-in/unmet", `<strong id="authenticator-needed">at level 3</strong>`, "Nothing on your record reaches it")
	if told := b.press(none, "cancel").redirect(t); told.Get("error") != unmet {
		t.Errorf("given up: %v, want %s", told, unmet)
	}
	if again := b.press(none, "continue"); again.path() != "/sign-in/unmet" {
		t.Errorf("a button that is not there leads to %s, want the page again", again.path())
	}

	both := func() answer { return b.authorize(request("very-high", newPKCE(), "claims", essential("AAL3_ANY"))) }
	both().wantPage(t, http.StatusForbidden, "/sign-in/unmet", `<strong id="identity-needed">very high</strong>`, `<strong id="authenticator-needed">at level 3</strong>`)

	q.keyOf(oneRole, "ward key", key)
	if page := both(); strings.Contains(page.body, `id="authenticator-needed"`) || !strings.Contains(page.body, `id="identity-needed"`) {
		t.Errorf("the page speaks of a key that she has: %s", text(page.body))
	}
	b = q.browser()
	before := q.signedInBy(b, passkey)
	k := newPKCE()
	page := b.authorize(request(confidentialClient, k, "acr_values", "AAL3_ANY"))
	page.wantPage(t, http.StatusOK, "/sign-in/step-up", "ward key", continueButton)
	if strings.Contains(page.body, "phone") || strings.Contains(page.body, "stolen design") || strings.Contains(strings.ToLower(page.body), "simulated") {
		t.Errorf("the page offers what will not do: %s", text(page.body))
	}
	var options struct{ AllowCredentials []struct{ ID string } }
	asked := page.ceremony(t)
	if err := json.Unmarshal(asked.options, &options); err != nil || len(options.AllowCredentials) != 1 {
		t.Fatalf("the ceremony allows %v, %v, want one credential", options.AllowCredentials, err)
	}
	unlisted := bytes.Replace(asked.options, []byte(`"allowCredentials"`), []byte(`"ignored"`), 1)
	for name, weak := range map[string]*webauthntest.Key{"a passkey": passkey, "a key that proves nothing": unattested} {
		if got := b.finish(asked, weak.Get(unlisted, issuer), ""); got.Status != http.StatusForbidden {
			t.Errorf("%s that was not asked for = %+v, want 403", name, got)
		}
	}
	p.clock.advance(2 * time.Second)
	after := q.outcome(confidentialClient, k, b.passkey(page, key))
	q.wantACR(after, "AAL3_ANY")
	if after.id["sid"] != before["sid"] || after.id["auth_time"] == before["auth_time"] {
		t.Errorf("sid %v, auth_time %v after %v, %v; want the same session and a later sign-in", after.id["sid"], after.id["auth_time"], before["sid"], before["auth_time"])
	}
	if diff := cmp.Diff([]any{"hwk", "user", "mfa"}, after.id["amr"]); diff != "" {
		t.Errorf("amr (-want +got):\n%s", diff)
	}

	// An organisation that accepts no such model takes the step-up away, and with it the page.
	b = q.browser()
	b.passkey(b.get("/sign-in"), passkey)
	page = b.authorize(request(confidentialClient, newPKCE(), "claims", essential("AAL3_ANY")))
	page.wantPage(t, http.StatusOK, "/sign-in/step-up", "ward key")
	p.exec(`UPDATE authenticator SET revoked_at = $1 WHERE name = 'ward key'`, p.clock.Now())
	b.rest(b.get(page.address().RequestURI())).wantPage(t, http.StatusForbidden, "/sign-in/unmet", "Nothing on your record reaches it")
}

// signedInBy runs the code flow with a key, and returns the claims of the ID token.
func (p *provider) signedInBy(b *browser, key *webauthntest.Key) map[string]any {
	p.t.Helper()
	k := newPKCE()
	got := p.outcome(confidentialClient, k, b.passkey(b.authorize(request(confidentialClient, k)), key))
	return got.id
}

// A page that asks for nothing in particular says nothing of levels.
func TestTheSignInPageSaysWhatIsNeeded(t *testing.T) {
	t.Parallel()
	p := asking(t)
	for asked, want := range map[string]string{"": "", "AAL1_ANY": "", "urn:example:gold": "", "AAL3_ANY": "at level 3", "AAL1_USERPASS": "at level 1, with a password", "AAL2_TOTP": "at level 2, with a one-time code"} {
		page := p.browser().authorize(request(confidentialClient, newPKCE(), "acr_values", asked))
		page.wantPage(t, http.StatusOK, "/sign-in")
		_, needed, _ := strings.Cut(page.body, `<strong id="needed">`)
		if needed, _, _ = strings.Cut(needed, `<`); needed != want {
			t.Errorf("acr_values=%s: the page needs a sign-in %q, want %q", asked, needed, want)
		}
	}
}

// Somebody else at the step-up page is somebody else: her session is another, and her levels are hers.
func TestAnotherPersonAtTheStepUpPage(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "strong", MinimumAuthenticator: assurance.AAL3})
	const colleague = "656005750107"
	b := p.browser()
	b.signInAlone(oneRole, "passkey")
	k := newPKCE()
	mine := p.outcome(confidentialClient, k, b.authorize(request(confidentialClient, k)))
	k = newPKCE()
	page := b.authorize(request(confidentialClient, k, "claims", essential("AAL3_ANY")))
	page.wantPage(t, http.StatusOK, "/sign-in/step-up")
	theirs := p.outcome(confidentialClient, k, b.stronger(page, colleague, "security-key"))
	if theirs.id["sub"] != colleague || theirs.id["sid"] == mine.id["sid"] || theirs.id["acr"] != "AAL3_ANY" {
		t.Errorf("sub %v, sid %v, acr %v; want the colleague's, of a session of her own", theirs.id["sub"], theirs.id["sid"], theirs.id["acr"])
	}
	if a, _ := p.userinfo(mine.AccessToken); a.StatusCode != http.StatusUnauthorized {
		t.Errorf("userinfo of the first person = %d, want 401: her session ended", a.StatusCode)
	}

	// Where the client says whom it means, nobody else will do.
	for name, meant := range map[string][]string{
		"id_token_hint": {"id_token_hint", mine.IDToken, "claims", essential("AAL3_ANY")},
		"the claim sub": {"claims", `{"id_token":{"sub":{"value":"` + oneRole + `"},"acr":{"essential":true,"value":"AAL3_ANY"}}}`},
	} {
		b := p.browser()
		b.signInAlone(oneRole, "passkey")
		begin := func() (pkce, answer) {
			k := newPKCE()
			page := b.authorize(request(confidentialClient, k, meant...))
			page.wantPage(t, http.StatusOK, "/sign-in/step-up")
			return k, page
		}
		k, page := begin()
		if got := p.outcome(confidentialClient, k, b.stronger(page, oneRole, "security-key")); got.refused != "" || got.id["sub"] != oneRole {
			t.Errorf("%s, and she herself: %q as %v, want her", name, got.refused, got.id["sub"])
		}
		b.signInAlone(oneRole, "passkey")
		k, page = begin()
		if got := p.outcome(confidentialClient, k, b.stronger(page, colleague, "security-key")); got.refused != "login_required" {
			t.Errorf("%s, and somebody else: %q, want login_required", name, got.refused)
		}
	}
}

// A page that was left open, or was finished elsewhere, is no dead end.
func TestStaleStepUpPages(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "proved", MinimumIdentity: assurance.IdentityHigh})
	open := func(b *browser, changes ...string) (pkce, answer) {
		k := newPKCE()
		page := b.authorize(request(confidentialClient, k, changes...))
		page.wantPage(t, http.StatusOK, "/sign-in/step-up")
		return k, page
	}
	must, may := []string{"claims", essential("AAL3_ANY")}, []string{"acr_values", "AAL3_ANY"}

	b := p.browser()
	b.signInAlone(oneRole, "passkey")
	k, page := open(b, must...)
	b.signInAlone(oneRole, "smartcard") // in another tab
	if got := p.outcome(confidentialClient, k, b.rest(b.get(page.address().RequestURI()))); got.id["acr"] != "AAL3_ANY" {
		t.Errorf("the page, after signing in in another tab, leads to acr %v %s, want AAL3_ANY", got.id["acr"], got.refused)
	}

	b.signInAlone(oneRole, "passkey")
	_, page = open(b, may...)
	b.rest(b.post("/logout?everywhere=1", nil))
	b.press(page, "continue").wantPage(t, http.StatusOK, "/sign-in")
	b.rest(b.get(page.address().RequestURI())).wantPage(t, http.StatusOK, "/sign-in")

	b.signInAlone(oneRole, "passkey")
	_, page = open(b, may...)
	open(b, must...)
	for range 2 { // in the older of two tabs, twice
		if got := b.press(page, "continue").redirect(t); !got.Has("code") {
			t.Errorf("Continue leads to %v, want a code", got)
		}
	}
	b.press(page, "nothing").wantPage(t, http.StatusOK, "/sign-in/step-up")
	elsewhere := p.browser() // which begins the request anew, and as whom it is signed in
	elsewhere.rest(elsewhere.get(page.address().RequestURI())).wantPage(t, http.StatusOK, "/sign-in")

	_, page = open(b, may...)
	p.clock.advance(30 * time.Minute)
	if b.home() == "" {
		t.Fatal("nobody is signed in any more")
	}
	b.authorize(request(confidentialClient, newPKCE())).redirect(t)
	p.clock.advance(31 * time.Minute)
	b.press(page, "continue").wantPage(t, http.StatusOK, "/sign-in/step-up", continueButton)
	b.rest(b.get(page.address().RequestURI())).wantPage(t, http.StatusOK, "/sign-in/step-up")

	// The page that sends to a desk goes on as soon as the identity is proved.
	b, k = p.browser(), newPKCE()
	b.signInAlone(studentLow, "passkey")
	page = b.authorize(request("proved", k))
	page.wantPage(t, http.StatusForbidden, "/sign-in/unmet")
	p.prove(studentLow)
	if got := p.outcome("proved", k, b.rest(b.get(page.address().RequestURI()))); got.id["identity_assurance_level"] != "high" {
		t.Errorf("the page, after the desk, leads to %s level %v, want high", got.refused, got.id["identity_assurance_level"])
	}
}
