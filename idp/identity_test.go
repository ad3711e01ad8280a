package idp_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/oauth"
)

// desk is a registration desk.
func (p *provider) desk() *evidence.Recorder {
	p.t.Helper()
	desk, err := evidence.New(p.store, p.key, p.clock.Now)
	if err != nil {
		p.t.Fatal(err)
	}
	return desk
}

// prove has somebody go to a desk with the passport and the driving licence of the example of OpenID Identity Assurance.
func (p *provider) prove(personID string) {
	p.t.Helper()
	example, err := os.ReadFile(filepath.Join("evidence", "testdata", "h1a.json"))
	if err != nil {
		p.t.Fatal(err)
	}
	found, err := p.owner.Person(p.t.Context(), personID, p.clock.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	pieces, err := evidence.Parse([]byte(strings.ReplaceAll(string(example), "2026-09-14", "2026-02-14")))
	if err != nil {
		p.t.Fatal(err)
	}
	for i := range pieces {
		pieces[i].Subject = evidence.Subject{GivenName: found.Person.GivenName, FamilyName: found.Person.FamilyName}
	}
	pieces[0].AccountCode = p.accountCode(personID)
	if change, err := p.desk().Record(p.t.Context(), "operator:desk", personID, pieces); err != nil || change.After.Level != assurance.IdentityHigh {
		p.t.Fatalf("Record() = %+v, %v, want level high", change, err)
	}
}

// withdraw takes back what is on record for somebody, but for what is of another kind than the one that is given; "" is all.
func (p *provider) withdraw(personID, kind string) {
	p.t.Helper()
	list, err := p.desk().Of(p.t.Context(), personID, uuid.Nil, 20)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, piece := range list {
		if kind != "" && piece.Kind != kind {
			continue
		}
		if _, err := p.desk().Withdraw(p.t.Context(), "operator:desk", uuid.MustParse(piece.ID), evidence.Mistaken); err != nil {
			p.t.Fatal(err)
		}
	}
}

// Who is proved less well than a service asks is told what to bring to a desk, in the words of the evidence, and the service
// is told by its own standard.
func TestIdentityThatIsNotProved(t *testing.T) {
	t.Parallel()
	p := asking(t,
		oauth.Registration{ID: "plain"},
		oauth.Registration{ID: "medium", MinimumIdentity: assurance.IdentityMedium},
		oauth.Registration{ID: "high", MinimumIdentity: assurance.IdentityHigh, MinimumAuthenticator: assurance.AAL3},
		oauth.Registration{ID: "very-high", MinimumIdentity: assurance.IdentityVeryHigh},
	)
	for _, tt := range []struct {
		name, client, username, method string
		asked                          []string
		needs                          assurance.IdentityLevel // "": she is let in
		has                            string
	}{
		{"low for medium", "medium", studentLow, "passkey", nil, assurance.IdentityMedium, "low"},
		{"low for high, and too weak a sign-in", "high", studentLow, "passkey", nil, assurance.IdentityHigh, "low"},
		{"high for very high", "very-high", oneRole, "passkey", nil, assurance.IdentityVeryHigh, "high"},
		{"an essential value", "plain", studentLow, "passkey", []string{"claims", essential("urn:credence:acr:identity:high")}, assurance.IdentityHigh, "low"},
		{"an essential service of login.gov", "plain", studentLow, "passkey", []string{"claims", essential(loginGov + "verified")}, assurance.IdentityMedium, "low"},
		{"a voluntary one beside the client's minimum", "medium", studentLow, "passkey", []string{"acr_values", "urn:credence:acr:identity:high"}, assurance.IdentityMedium, "low"},
		{"medium for medium", "medium", noRole, "passkey", nil, "", ""},
		{"high for medium", "medium", oneRole, "passkey", nil, "", ""},
		{"high for high", "high", oneRole, "smartcard", nil, "", ""},
		{"a voluntary value", "plain", studentLow, "passkey", []string{"acr_values", "urn:credence:acr:identity:high"}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := p.in(t)
			if tt.needs == "" {
				if got := p.ask(tt.client, tt.username, tt.method, tt.asked...); got.refused != "" {
					t.Errorf("the client is told %s, want tokens", got.refused)
				}
				return
			}
			explained, err := p.desk().Explain(t.Context(), tt.username)
			if err != nil {
				t.Fatal(err)
			}
			words := []string{
				`<strong id="identity-needed">` + strings.ReplaceAll(string(tt.needs), "_", " ") + `</strong>`,
				`<strong id="identity-held">` + tt.has + `</strong>`, "Go to a registration desk", "Prescribing", `name="cancel"`,
			}
			ways, err := explained.Advice(tt.needs, nil)
			if err != nil || len(ways) == 0 {
				t.Fatalf("Advice(%s) = %v, %v, want ways", tt.needs, ways, err)
			}
			for _, way := range ways {
				words = append(words, way...)
			}
			for how, begin := range map[string]func(*browser) answer{
				"who is signed in": func(b *browser) answer {
					b.signInAlone(tt.username, tt.method)
					return b.authorize(request(tt.client, newPKCE(), tt.asked...))
				},
				"who signs in": func(b *browser) answer {
					return b.simulate(b.authorize(request(tt.client, newPKCE(), tt.asked...)), tt.username, tt.method)
				},
			} {
				b := p.browser()
				page := begin(b)
				page.wantPage(t, http.StatusForbidden, "/sign-in/unmet", words...)
				if again := b.press(page, "continue"); again.path() != "/sign-in/unmet" || again.StatusCode != http.StatusForbidden {
					t.Errorf("%s presses a button that is not there: %d %s, want the page again", how, again.StatusCode, again.path())
				}
				told := b.press(page, "cancel").redirect(t)
				delete(told, "error_description")
				if diff := cmp.Diff(url.Values{"kept": {"1"}, "error": {unmet}, "state": {"a state"}, "iss": {issuer}}, told); diff != "" {
					t.Errorf("%s gives up: the client is told (-want +got):\n%s", how, diff)
				}
				if got := b.authorize(request(tt.client, newPKCE(), append([]string{"prompt", "none"}, tt.asked...)...)).redirect(t).Get("error"); got != unmet {
					t.Errorf("%s, with prompt=none: %q, want %s", how, got, unmet)
				}
			}
		})
	}
}

// What is withdrawn lowers what tokens say at once and everywhere, and ends what had to be so: RFC 6749, Section 5.2; RFC 6750,
// Section 3.1.
func TestWithdrawnEvidenceAndWhatWasAsked(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "plain"}, oauth.Registration{ID: "high", MinimumIdentity: assurance.IdentityHigh}, oauth.Registration{ID: "nhs-login", Trustmark: assurance.NHSLogin})
	q := p.second()
	const scope = "openid nhsperson offline_access"
	voluntary := p.ask("plain", oneRole, "passkey", "scope", scope, "acr_values", "urn:credence:acr:identity:high phr")
	vectors := p.ask("nhs-login", oneRole, "passkey", "scope", scope)
	must := p.ask("plain", oneRole, "passkey", "scope", scope, "claims", essential("urn:credence:acr:identity:high"))
	least := p.ask("high", oneRole, "passkey", "scope", scope)
	b, k := p.browser(), newPKCE()
	b.signInAlone(oneRole, "passkey")
	unused := b.authorize(request("high", k)).redirect(t).Get("code")
	for name, got := range map[string]outcome{"voluntary": voluntary, "of vectors": vectors, "essential": must, "the client's": least} {
		if a, _ := q.userinfo(got.AccessToken); a.StatusCode != http.StatusOK {
			t.Errorf("userinfo of what was asked, %s, before = %d, want 200", name, a.StatusCode)
		}
	}

	p.withdraw(oneRole, "passport")

	for _, at := range []*provider{q, p} {
		if a, info := at.userinfo(voluntary.AccessToken); a.StatusCode != http.StatusOK || info["idassurancelevel"] != "0" {
			t.Errorf("userinfo of what was voluntary = %d, level %v, want 200, 0", a.StatusCode, info["idassurancelevel"])
		}
		if a, info := at.userinfo(vectors.AccessToken); a.StatusCode != http.StatusOK || info["vot"] != "P0.Cm" {
			t.Errorf("userinfo of vectors = %d, vot %v, want 200, P0.Cm", a.StatusCode, info["vot"])
		}
		for name, got := range map[string]outcome{"essential": must, "the client's": least} {
			a, _ := at.userinfo(got.AccessToken)
			if a.StatusCode != http.StatusUnauthorized || !strings.Contains(a.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
				t.Errorf("userinfo of what was %s = %d %s, want 401 invalid_token", name, a.StatusCode, a.Header.Get("WWW-Authenticate"))
			}
		}
	}
	renewed := q.as("plain", refresh(voluntary.RefreshToken))
	renewed.granted(t)
	if got := claims(t, renewed.IDToken); got["acr"] != "phr" || got["identity_assurance_level"] != "none" || got["id_assurance_level"] != "0" {
		t.Errorf("refreshed: acr %v, level %v, want phr, none", got["acr"], got["identity_assurance_level"])
	}
	renewed = q.as("nhs-login", refresh(vectors.RefreshToken))
	renewed.granted(t)
	if got := claims(t, renewed.AccessToken)["vot"]; got != "P0.Cm" {
		t.Errorf("refreshed: vot %v, want P0.Cm", got)
	}
	for name, got := range map[string]tokens{
		"essential": q.as("plain", refresh(must.RefreshToken)), "the client's": q.as("high", refresh(least.RefreshToken)), "a code": q.as("high", redeem("high", unused, k)),
	} {
		if got.status != http.StatusBadRequest || got.Error != "invalid_grant" {
			t.Errorf("tokens for what was asked, %s = %d %s, want 400 invalid_grant", name, got.status, got.Error)
		}
	}
	unmetLevels := 0
	for _, line := range p.audited("token_issued", "userinfo_read") {
		if strings.HasSuffix(line, ": levels_unmet") {
			unmetLevels++
		}
	}
	if unmetLevels == 0 {
		t.Error("nothing of it is on the record")
	}
	b.at(q).authorize(request("high", newPKCE())).wantPage(t, http.StatusForbidden, "/sign-in/unmet")
}

// A client whose minimum is raised lets nobody go on who is below it, also by what was granted before.
func TestRaisedMinimum(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "raised"}, oauth.Registration{ID: "raised-too"})
	weak := p.ask("raised", oneRole, "passkey", "scope", "openid offline_access")
	strong := p.ask("raised", oneRole, "smartcard", "scope", "openid offline_access")
	low := p.ask("raised-too", studentLow, "passkey", "scope", "openid offline_access")
	high := p.ask("raised-too", oneRole, "passkey", "scope", "openid offline_access")
	for id, change := range map[string]func(*oauth.Registration){
		"raised":     func(r *oauth.Registration) { r.MinimumAuthenticator = assurance.AAL3 },
		"raised-too": func(r *oauth.Registration) { r.MinimumIdentity = assurance.IdentityHigh },
	} {
		if _, _, err := oauth.UpdateClient(t.Context(), p.owner, id, change, false, "test", p.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	q := p.second() // which has read the clients since
	for _, tt := range []struct {
		name, client string
		held         outcome
		stands       bool
	}{
		{"too weak a sign-in", "raised", weak, false},
		{"a sign-in as strong as that", "raised", strong, true},
		{"too low an identity", "raised-too", low, false},
		{"an identity as high as that", "raised-too", high, true},
	} {
		a, _ := q.userinfo(tt.held.AccessToken)
		renewed := q.as(tt.client, refresh(tt.held.RefreshToken))
		want := [2]int{http.StatusOK, http.StatusOK}
		if !tt.stands {
			want = [2]int{http.StatusUnauthorized, http.StatusBadRequest}
		}
		if got := [2]int{a.StatusCode, renewed.status}; got != want || (renewed.Error == "invalid_grant") == tt.stands {
			t.Errorf("%s: userinfo, refresh = %v %s, want %v", tt.name, got, renewed.Error, want)
		}
	}
}

// A refresh raises nothing: not by what is proved later, and not by a stronger sign-in of the same session. What is asked
// anew says all of it.
func TestRefreshRaisesNothing(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "plain", VerifiedClaims: oauth.VerifiedOIDF})
	q := p.second()
	b, k := p.browser(), newPKCE()
	b.signInAlone(studentLow, "passkey")
	const evidence = `"userinfo":{"verified_claims":{"verification":{"trust_framework":null,"assurance_level":null},"claims":null}}`
	asked := []string{
		"claims", `{` + evidence + `}`, "scope", "openid nhsperson offline_access", "vtr", `["P2.Cf","P0"]`, "acr_values", "urn:credence:acr:identity:high urn:credence:acr:aal3",
	}
	page := b.authorize(request("plain", k, asked...))
	page.wantPage(t, http.StatusOK, "/sign-in/step-up")
	before := p.outcome("plain", k, b.press(page, "continue"))
	levels := func(c map[string]any) map[string]any {
		out := map[string]any{}
		for _, name := range []string{
			"acr", "amr", "auth_time", "sid", "vot", "vtm", "identity_assurance_level", "authenticator_assurance_level",
			"id_assurance_level", "authentication_assurance_level", "idassurancelevel",
		} {
			if c[name] != nil {
				out[name] = c[name]
			}
		}
		return out
	}
	_, toldBefore := p.userinfo(before.AccessToken)
	if got := at(toldBefore["verified_claims"], "verification", "assurance_level"); got != "low" {
		t.Errorf("verified_claims say level %v, want low", got)
	}
	accessBefore := levels(claims(t, before.AccessToken))

	p.prove(studentLow)
	p.clock.advance(10 * time.Second)
	k = newPKCE()
	page = b.at(q).authorize(request("plain", k, asked...))
	now := q.outcome("plain", k, page)
	if now.id["acr"] != "urn:credence:acr:identity:high" || now.id["identity_assurance_level"] != "high" {
		t.Errorf("asked anew: acr %v, level %v, want what was proved", now.id["acr"], now.id["identity_assurance_level"])
	}
	b.signInAlone(studentLow, "security-key")
	renewed := before.tokens
	for _, at := range []*provider{p, q} {
		renewed = at.as("plain", refresh(renewed.RefreshToken))
		renewed.granted(t)
		if diff := cmp.Diff(levels(before.id), levels(claims(t, renewed.IDToken))); diff != "" {
			t.Errorf("refreshed ID token (-before +after):\n%s", diff)
		}
		if diff := cmp.Diff(accessBefore, levels(claims(t, renewed.AccessToken))); diff != "" {
			t.Errorf("refreshed access token (-before +after):\n%s", diff)
		}
		for what, token := range map[string]string{"before": before.AccessToken, "refreshed": renewed.AccessToken} {
			if _, told := at.userinfo(token); cmp.Diff(levels(toldBefore), levels(told)) != "" {
				t.Errorf("userinfo with the token of %s (-before +after):\n%s", what, cmp.Diff(levels(toldBefore), levels(told)))
			} else if told["verified_claims"] != nil {
				t.Errorf("userinfo with the token of %s tells of evidence that is newer than the grant: %v", what, told["verified_claims"])
			}
		}
	}
	k = newPKCE()
	now = q.outcome("plain", k, b.at(q).authorize(request("plain", k, append(asked, "claims", `{"id_token":{"acr":{"essential":true,"value":"urn:credence:acr:aal3"}},`+evidence+`}`)...)))
	if now.id["acr"] != "urn:credence:acr:aal3" || now.id["vot"] != "P2.Cf" || now.id["auth_time"] == before.id["auth_time"] {
		encoded, _ := json.Marshal(levels(now.id))
		t.Errorf("asked anew after a stronger sign-in: %s, want level 3 and P2.Cf", encoded)
	}
	if _, told := q.userinfo(now.AccessToken); at(told["verified_claims"], "verification", "assurance_level") != "high" {
		t.Errorf("asked anew: verified_claims = %v, want level high", told["verified_claims"])
	}
}
