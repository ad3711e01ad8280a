package idp_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/oauth"
)

// Further people of the seed.
const (
	studentLow = "656005750110" // identity low, a password
	lastCode   = "656005750112" // identity high, a one-time code
)

// asking is a provider with public clients of a test's own, whose tokens are asked for without a secret.
func asking(t *testing.T, registrations ...oauth.Registration) *provider {
	t.Helper()
	p := newProvider(t)
	for _, r := range registrations {
		r.Name, r.Authentication, r.RedirectURIs = "Prescribing", oauth.AuthNone, []string{callback}
		if r.Scopes == nil {
			r.Scopes = oauth.Scopes()
		}
		if err := oauth.EnsureClient(t.Context(), p.owner, r, "", "test", p.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	return p.second() // which has read them
}

// outcome is what a request came to: tokens, or the error that the client was told.
type outcome struct {
	tokens
	refused string
	id      map[string]any // the claims of the ID token
}

// outcome redeems the code to which an answer leads, or reads the error.
func (p *provider) outcome(client string, k pkce, a answer) outcome {
	p.t.Helper()
	told := a.redirect(p.t)
	if told.Get("iss") != issuer || told.Get("state") != "a state" {
		p.t.Errorf("the client is told %v, want iss and state with it", told)
	}
	if told.Has("error") {
		return outcome{refused: told.Get("error")}
	}
	got := p.as(client, redeem(client, told.Get("code"), k))
	got.granted(p.t)
	return outcome{tokens: got, id: claims(p.t, got.IDToken)}
}

// ask runs the code flow of a client in a fresh browser, in which somebody signs in by a method.
func (p *provider) ask(client, username, method string, changes ...string) outcome {
	p.t.Helper()
	b, k := p.browser(), newPKCE()
	a := b.authorize(request(client, k, changes...))
	if a.path() == "/sign-in" {
		a = b.simulate(a, username, method)
	}
	if a.path() == "/sign-in/role" && a.StatusCode == http.StatusOK {
		a = b.rest(b.post(a.address().RequestURI(), url.Values{"role": {""}}))
	}
	return p.outcome(client, k, a)
}

// essential is the parameter claims that asks for one of these as acr.
func essential(values ...string) string {
	list, _ := json.Marshal(values)
	return `{"id_token":{"acr":{"essential":true,"values":` + string(list) + `}}}`
}

const (
	unmet    = "unmet_authentication_requirements"
	loginGov = "urn:acr.login.gov:"
	federal  = "http://idmanagement.gov/ns/assurance/aal/2"
)

// OpenID Connect Core 1.0, Sections 3.1.2.1 and 5.5.1.1: what is asked for is answered as it was asked, and what is not
// reached is never said to be. Each request is the first of a person who signs in for it.
func TestWhatIsAskedIsAnswered(t *testing.T) {
	t.Parallel()
	p := asking(t,
		oauth.Registration{ID: "plain"},
		oauth.Registration{ID: "defaults", DefaultACRValues: []string{"urn:credence:acr:aal3", "urn:credence:acr:aal2"}},
	)
	for _, tt := range []struct {
		name, client, username, method string
		asked                          []string
		acr, refused                   string
	}{
		{"nothing", "plain", oneRole, "passkey", nil, "AAL2_ANY", ""},
		{"one value that is met", "plain", oneRole, "passkey", []string{"acr_values", "AAL2_ANY"}, "AAL2_ANY", ""},
		{"the first of two that are met", "plain", oneRole, "security-key", []string{"acr_values", "urn:credence:acr:aal2 AAL3_ANY"}, "urn:credence:acr:aal2", ""},
		{"the second of two, for the first is not met", "plain", oneRole, "passkey", []string{"acr_values", "AAL3_ANY urn:credence:acr:aal2"}, "urn:credence:acr:aal2", ""},
		{"a voluntary value that is not met", "plain", oneRole, "passkey", []string{"acr_values", "AAL3_ANY"}, "AAL2_ANY", ""},
		{"a voluntary identity that is not proved", "plain", studentLow, "passkey", []string{"acr_values", "urn:credence:acr:identity:high"}, "AAL2_ANY", ""},
		{"a voluntary identity that is proved", "plain", oneRole, "passkey", []string{"acr_values", "urn:credence:acr:identity:high"}, "urn:credence:acr:identity:high", ""},
		{"an unknown value", "plain", oneRole, "passkey", []string{"acr_values", "urn:example:gold"}, "AAL2_ANY", ""},
		{"an unknown value before one that is met", "plain", oneRole, "passkey", []string{"acr_values", "urn:example:gold phr"}, "phr", ""},
		{"an essential value that is met", "plain", oneRole, "security-key", []string{"claims", essential("AAL3_ANY")}, "AAL3_ANY", ""},
		{"an essential value that is not met", "plain", oneRole, "passkey", []string{"claims", essential("AAL3_ANY")}, "", unmet},
		{"an essential value, alone, that is met", "plain", oneRole, "security-key", []string{"claims", `{"id_token":{"acr":{"essential":true,"value":"AAL3_ANY"}}}`}, "AAL3_ANY", ""},
		{"an essential value, alone, that is not met", "plain", oneRole, "passkey", []string{"claims", `{"id_token":{"acr":{"essential":true,"value":"AAL3_ANY"}}}`}, "", unmet},
		{"two essential values of which the second is met", "plain", oneRole, "passkey", []string{"claims", essential("AAL3_ANY", "urn:credence:acr:aal2-phr")}, "urn:credence:acr:aal2-phr", ""},
		{"an essential value that is unknown", "plain", oneRole, "smartcard", []string{"claims", essential("urn:example:gold")}, "", unmet},
		{"an essential value that is unknown, or one that is met", "plain", oneRole, "passkey", []string{"claims", essential("urn:example:gold", "phr")}, "phr", ""},
		{"essential, and no value", "plain", oneRole, "passkey", []string{"claims", `{"id_token":{"acr":{"essential":true}}}`}, "AAL2_ANY", ""},
		{"essential, no value, beside acr_values", "plain", oneRole, "passkey", []string{"claims", `{"id_token":{"acr":{"essential":true}}}`, "acr_values", "phr"}, "phr", ""},
		{"values in claims that are voluntary", "plain", oneRole, "passkey", []string{"claims", `{"id_token":{"acr":{"values":["AAL3_ANY","phr"]}}}`}, "phr", ""},
		{"claims before acr_values", "plain", oneRole, "passkey", []string{"claims", essential("phr"), "acr_values", "AAL3_ANY"}, "phr", ""},
		{"claims before acr_values, not met", "plain", oneRole, "passkey", []string{"claims", essential("AAL3_ANY"), "acr_values", "phr"}, "", unmet},
		{"acr of userinfo, which asks nothing", "plain", oneRole, "passkey", []string{"claims", `{"userinfo":{"acr":{"essential":true,"value":"AAL3_ANY"}}}`}, "AAL2_ANY", ""},
		{"the client's defaults", "defaults", oneRole, "passkey", nil, "urn:credence:acr:aal2", ""},
		{"the client's defaults, met better", "defaults", oneRole, "smartcard", nil, "urn:credence:acr:aal3", ""},
		{"another than the client's defaults", "defaults", oneRole, "passkey", []string{"acr_values", "phr"}, "phr", ""},
		{"another than the client's defaults, in claims", "defaults", oneRole, "passkey", []string{"claims", essential("phr")}, "phr", ""},
		{"vectors and not the client's defaults", "defaults", oneRole, "passkey", []string{"vtr", `["P1"]`}, "AAL2_ANY", ""},

		// assurance.md 6.6: the names of CIS2. A level that is higher will do.
		{"AAL3_ANY", "plain", oneRole, "smartcard", []string{"acr_values", "AAL3_ANY"}, "AAL3_ANY", ""},
		{"AAL2_ANY of level 3", "plain", oneRole, "smartcard", []string{"acr_values", "AAL2_ANY"}, "AAL2_ANY", ""},
		{"AAL2_OR_AAL3_ANY of level 2", "plain", oneRole, "totp", []string{"acr_values", "AAL2_OR_AAL3_ANY"}, "AAL2_ANY", ""},
		{"AAL2_OR_AAL3_ANY of level 3", "plain", oneRole, "smartcard", []string{"acr_values", "AAL2_OR_AAL3_ANY"}, "AAL3_ANY", ""},
		{"AAL2_OR_AAL3_ANY, essential", "plain", oneRole, "smartcard", []string{"claims", essential("AAL2_OR_AAL3_ANY")}, "AAL2_OR_AAL3_ANY", ""},
		{"AAL1_USERPASS", "plain", studentLow, "password", []string{"acr_values", "AAL1_USERPASS"}, "AAL1_USERPASS", ""},
		{"AAL1_USERPASS of a passkey", "plain", studentLow, "passkey", []string{"acr_values", "AAL1_USERPASS"}, "AAL2_ANY", ""},
		{"AAL2_TOTP", "plain", lastCode, "totp", []string{"claims", essential("AAL2_TOTP")}, "AAL2_TOTP", ""},
		{"AAL2_TOTP of a passkey", "plain", lastCode, "passkey", []string{"claims", essential("AAL2_TOTP")}, "", unmet},
		{"AAL3_SMARTCARD", "plain", oneRole, "smartcard", []string{"claims", essential("AAL3_SMARTCARD")}, "AAL3_SMARTCARD", ""},
		{"AAL3_SMARTCARD of a security key", "plain", oneRole, "security-key", []string{"claims", essential("AAL3_SMARTCARD")}, "", unmet},
		{"AAL3_FIDO2", "plain", oneRole, "security-key", []string{"claims", essential("AAL3_FIDO2")}, "AAL3_FIDO2", ""},
		{"AAL3_FIDO2 of a passkey", "plain", oneRole, "passkey", []string{"acr_values", "AAL3_FIDO2"}, "AAL2_ANY", ""},
		{"AAL3_N3_SMARTCARD, which nothing here is", "plain", oneRole, "smartcard", []string{"claims", essential("AAL3_N3_SMARTCARD")}, "", unmet},
		{"AAL3_CIS2_SMARTCARD, voluntary", "plain", oneRole, "smartcard", []string{"acr_values", "AAL3_CIS2_SMARTCARD"}, "AAL3_ANY", ""},
		{"AAL3_IOS, or a smartcard", "plain", oneRole, "smartcard", []string{"acr_values", "AAL3_IOS AAL3_SMARTCARD"}, "AAL3_SMARTCARD", ""},
		{"AAL2_NHSMAIL, which nothing here is", "plain", oneRole, "smartcard", []string{"claims", essential("AAL2_NHSMAIL")}, "", unmet},

		// OpenID EAP ACR Values 1.0, and our own.
		{"phr", "plain", oneRole, "passkey", []string{"claims", essential("phr")}, "phr", ""},
		{"phr of a one-time code", "plain", oneRole, "totp", []string{"claims", essential("phr")}, "", unmet},
		{"phrh", "plain", oneRole, "security-key", []string{"claims", essential("phrh")}, "phrh", ""},
		{"phrh of a passkey", "plain", oneRole, "passkey", []string{"claims", essential("phrh")}, "", unmet},
		{"phrh or phr", "plain", oneRole, "passkey", []string{"acr_values", "phrh phr"}, "phr", ""},
		{"ours, level 1", "plain", studentLow, "password", []string{"acr_values", "urn:credence:acr:aal1"}, "urn:credence:acr:aal1", ""},
		{"ours, level 3", "plain", oneRole, "smartcard", []string{"claims", essential("urn:credence:acr:aal3")}, "urn:credence:acr:aal3", ""},

		// login.gov: values are combined, and the service level is the answer.
		{"login.gov, the default", "plain", oneRole, "passkey", []string{"acr_values", loginGov + "auth-only"}, loginGov + "auth-only", ""},
		{"login.gov, strict", "plain", oneRole, "totp", []string{"acr_values", loginGov + "auth-only " + federal}, loginGov + "auth-only", ""},
		{"login.gov, resisting phishing", "plain", oneRole, "passkey", []string{"acr_values", federal + "?phishing_resistant=true " + loginGov + "verified"}, loginGov + "verified", ""},
		{"login.gov, resisting phishing, with a code", "plain", oneRole, "totp", []string{"acr_values", loginGov + "auth-only " + federal + "?phishing_resistant=true"}, "AAL2_ANY", ""},
		{"login.gov, a card of the United States", "plain", oneRole, "smartcard", []string{"claims", essential(loginGov+"auth-only", federal+"?hspd12=true")}, "", unmet},
		{"login.gov, proved less", "plain", studentLow, "passkey", []string{"acr_values", loginGov + "verified"}, "AAL2_ANY", ""},
		{"login.gov, a portrait", "plain", oneRole, "passkey", []string{"acr_values", loginGov + "verified-facial-match-required"}, loginGov + "verified-facial-match-required", ""},
		{"login.gov, a portrait where there is one", "plain", noRole, "passkey", []string{"acr_values", loginGov + "verified-facial-match-preferred"}, loginGov + "verified-facial-match-preferred", ""},
		{"login.gov, remembered by the browser", "plain", oneRole, "passkey", []string{"acr_values", loginGov + "auth-only urn:gov:gsa:ac:classes:sp:PasswordProtectedTransport:duo"}, loginGov + "auth-only", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := p.in(t)
			got := p.ask(tt.client, tt.username, tt.method, tt.asked...)
			if got.refused != tt.refused {
				t.Fatalf("the client is told %q, want %q", got.refused, tt.refused)
			}
			if tt.refused == "" {
				p.wantACR(got, tt.acr)
			}
		})
	}
}

// wantACR checks that ID token and access token say the same acr, beside what the sign-in was: RFC 9470, Section 6 has the
// service read it from the access token.
func (p *provider) wantACR(got outcome, acr string) {
	p.t.Helper()
	access := claims(p.t, got.AccessToken)
	if got.id["acr"] != acr {
		p.t.Errorf("acr = %v, want %s", got.id["acr"], acr)
	}
	for _, name := range []string{"acr", "amr", "auth_time", "sid", "vot", "vtm", "identity_assurance_level", "authenticator_assurance_level", "id_assurance_level", "authentication_assurance_level"} {
		if diff := cmp.Diff(got.id[name], access[name]); diff != "" {
			p.t.Errorf("%s of the access token differs from the ID token's (-id +access):\n%s", name, diff)
		}
	}
	if _, ok := access["auth_time"].(float64); !ok {
		p.t.Errorf("auth_time of the access token = %v, want a number", access["auth_time"])
	}
}

// RFC 8485, Sections 3 to 5: vectors are answered by clients' own trustmarks, only to those who asked for vectors, and vtm
// leads to what their components mean.
func TestVectorsOfTrust(t *testing.T) {
	t.Parallel()
	p := asking(t,
		oauth.Registration{ID: "no-trustmark"},
		oauth.Registration{ID: "rfc", Trustmark: assurance.RFC8485, DefaultACRValues: []string{"phr"}},
		oauth.Registration{ID: "one-login", Trustmark: assurance.OneLogin},
		oauth.Registration{ID: "nhs-login", Trustmark: assurance.NHSLogin},
		oauth.Registration{ID: "both", Trustmark: assurance.NHSLogin, DefaultACRValues: []string{"phr"}},
	)
	const high, medium, low = oneRole, noRole, studentLow
	for _, tt := range []struct {
		name, client, username, method string
		asked                          []string
		vot, told                      string // in tokens; and of userinfo
		refused                        string
	}{
		{"no vector without a question", "no-trustmark", high, "passkey", nil, "", "", ""},
		{"no vector without a question, of a client that reads them", "rfc", high, "passkey", nil, "", "", ""},
		{"the trustmark of the RFC where none is registered", "no-trustmark", high, "passkey", []string{"vtr", `["P1.Ce"]`}, "P1.Ce", "P1.Ce", ""},

		// assurance.md 6.3. The answer is the vector that was asked for and met, otherwise what is true.
		{"RFC 8485, proofing", "rfc", medium, "passkey", []string{"vtr", `["P2"]`}, "P2", "P2", ""},
		{"RFC 8485, nothing proved", "rfc", low, "passkey", []string{"vtr", `["P0"]`}, "P0", "P0", ""},
		{"RFC 8485, employment, which no level says", "rfc", high, "passkey", []string{"vtr", `["P3"]`}, "P2.Ce.Ma.Ac", "P2.Ce.Ma.Ac", ""},
		{"RFC 8485, a password", "rfc", low, "password", []string{"vtr", `["Cc"]`}, "Cc", "Cc", ""},
		{"RFC 8485, a password and a code", "rfc", high, "totp", []string{"vtr", `["Cc.Cd"]`}, "Cc.Cd", "Cc.Cd", ""},
		{"RFC 8485, a key", "rfc", high, "passkey", []string{"vtr", `["Ce"]`}, "Ce", "Ce", ""},
		{"RFC 8485, hardware", "rfc", high, "security-key", []string{"vtr", `["P2.Cf"]`}, "P2.Cf", "P2.Cf", ""},
		{"RFC 8485, hardware that it is not", "rfc", high, "passkey", []string{"vtr", `["P2.Cf"]`}, "P2.Ce.Ma.Ac", "P2.Ce.Ma.Ac", ""},
		{"RFC 8485, a biometric, which nobody says", "rfc", high, "security-key", []string{"vtr", `["Cg"]`}, "P2.Ce.Cf.Ma.Ac", "P2.Ce.Cf.Ma.Ac", ""},
		{"RFC 8485, the first of the vectors that is met", "rfc", medium, "passkey", []string{"vtr", `["P1.Cf","P1.Ce","P2"]`}, "P1.Ce", "P1.Ce", ""},
		{"RFC 8485, management and assertion", "rfc", high, "passkey", []string{"vtr", `["Ma.Ac"]`}, "Ma.Ac", "Ma.Ac", ""},
		{"RFC 8485, tokens that are encrypted", "rfc", high, "passkey", []string{"vtr", `["Ad"]`}, "P2.Ce.Ma.Ac", "P2.Ce.Ma.Ac", ""},
		{"RFC 8485, beside an essential acr, where one vector is essential too", "rfc", high, "passkey", []string{"vtr", `["P3","P2"]`, "claims", essential("phr")}, "P2", "P2", ""},
		{"RFC 8485, beside an essential acr, and none of them met", "rfc", high, "passkey", []string{"vtr", `["P3"]`, "claims", essential("phr")}, "", "", "unmet_authentication_requirements"},
		{"RFC 8485, beside acr_values", "rfc", high, "passkey", []string{"vtr", `["P2"]`, "acr_values", "phr"}, "P2", "P2", ""},

		{"One Login, the default", "one-login", high, "passkey", nil, "Cl.Cm", "Cl.Cm", ""},
		{"One Login, the default, with a password", "one-login", low, "password", nil, "Cl", "Cl.P0", ""},
		{"One Login, one factor", "one-login", low, "password", []string{"vtr", `["Cl"]`}, "Cl", "Cl", ""},
		{"One Login, the second request, for the identity", "one-login", medium, "totp", []string{"vtr", `["Cl.Cm.P2"]`}, "Cl.Cm", "Cl.Cm.P2", ""},
		{"One Login, the letters in another order", "one-login", medium, "totp", []string{"vtr", `["P2.Cl.Cm"]`}, "Cl.Cm", "P2.Cl.Cm", ""},
		{"One Login, an identity that is not proved", "one-login", low, "passkey", []string{"vtr", `["Cl.Cm.P2"]`}, "Cl.Cm", "Cl.Cm.P1", ""},
		{"One Login, acr_values and no vector", "one-login", high, "passkey", []string{"acr_values", "phr"}, "", "", ""},
		{"One Login, an identity without two factors", "one-login", high, "passkey", []string{"vtr", `["Cl.P2"]`}, "", "", "invalid_request"},

		{"NHS login, the default, by a key", "nhs-login", high, "passkey", nil, "P9.Cm", "P9.Cm", ""},
		{"NHS login, the default, by a code", "nhs-login", high, "totp", nil, "P9.Cp.Ck", "P9.Cp.Ck", ""},
		{"NHS login, the default, which is more than is proved", "nhs-login", medium, "passkey", nil, "P0.Cm", "P0.Cm", ""},
		{"NHS login, of a client that has other defaults", "both", high, "passkey", nil, "", "", ""},
		{"NHS login, the lowest first", "nhs-login", low, "passkey", []string{"vtr", `["P0.Cp","P0.Cm"]`}, "P0.Cm", "P0.Cm", ""},
		{"NHS login, a password", "nhs-login", low, "password", []string{"vtr", `["P0.Cp"]`}, "P0.Cp", "P0.Cp", ""},
		{"NHS login, codes to a telephone", "nhs-login", high, "totp", []string{"vtr", `["P9.Cp.Cd"]`}, "P9.Cp.Ck", "P9.Cp.Ck", ""},

		{"an unknown component", "rfc", high, "passkey", []string{"vtr", `["P1.Zz"]`}, "", "", "invalid_request"},
		{"another trustmark's component", "nhs-login", high, "passkey", []string{"vtr", `["Cl.Cm"]`}, "", "", "invalid_request"},
		{"no JSON", "rfc", high, "passkey", []string{"vtr", "P1"}, "", "", "invalid_request"},
		{"no array", "rfc", high, "passkey", []string{"vtr", `"P1"`}, "", "", "invalid_request"},
		{"an empty array", "rfc", high, "passkey", []string{"vtr", `[]`}, "", "", "invalid_request"},
		{"no strings", "rfc", high, "passkey", []string{"vtr", `[1]`}, "", "", "invalid_request"},
		{"too many", "rfc", high, "passkey", []string{"vtr", `["P1"` + strings.Repeat(`,"P1"`, 10) + `]`}, "", "", "invalid_request"},
		{"too long", "rfc", high, "passkey", []string{"vtr", `["` + strings.Repeat("C", 1100) + `"]`}, "", "", "invalid_request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := p.in(t)
			got := p.ask(tt.client, tt.username, tt.method, tt.asked...)
			if got.refused != tt.refused {
				t.Fatalf("the client is told %q, want %q", got.refused, tt.refused)
			}
			if tt.refused != "" {
				return
			}
			access := claims(t, got.AccessToken)
			_, info := p.userinfo(got.AccessToken)
			vtm := any(nil)
			if tt.vot != "" {
				vtm = issuer + "/trustmark/" + map[string]string{"no-trustmark": "rfc8485", "rfc": "rfc8485"}[tt.client]
				if tt.client == "one-login" || tt.client == "nhs-login" {
					vtm = issuer + "/trustmark/" + tt.client
				}
			}
			for where, c := range map[string]struct {
				claims map[string]any
				vot    string
			}{"the ID token": {got.id, tt.vot}, "the access token": {access, tt.vot}, "userinfo": {info, tt.told}} {
				if vot, _ := c.claims["vot"].(string); vot != c.vot || c.claims["vtm"] != vtm {
					t.Errorf("%s has vot %v, vtm %v; want %q, %v", where, c.claims["vot"], c.claims["vtm"], c.vot, vtm)
				}
			}
			if tt.vot != "" {
				p.wantTrustmark(vtm.(string))
			}
		})
	}
}

// NHS login's claim about the identity goes with the scope profile, to clients that read its trustmark and to nobody else. It
// is a scale of its own: what is proved to level medium is P0 there, and nothing is P5.
func TestIdentityProofingLevel(t *testing.T) {
	t.Parallel()
	p := asking(t,
		oauth.Registration{ID: "nhs-login", Trustmark: assurance.NHSLogin},
		oauth.Registration{ID: "acr", Trustmark: assurance.NHSLogin, DefaultACRValues: []string{"phr"}},
		oauth.Registration{ID: "one-login", Trustmark: assurance.OneLogin},
		oauth.Registration{ID: "plain"},
	)
	for _, tt := range []struct {
		name, client, username string
		asked                  []string
		want                   any
	}{
		{"a portrait was compared", "nhs-login", oneRole, nil, "P9"},
		{"level medium", "nhs-login", noRole, nil, "P0"},
		{"level low", "nhs-login", studentLow, nil, "P0"},
		{"a client that asks for acr values", "acr", oneRole, nil, "P9"},
		{"a lower vector, which tells what is so", "nhs-login", oneRole, []string{"vtr", `["P0.Cm"]`}, "P9"},
		{"without the scope", "nhs-login", oneRole, []string{"scope", "openid email"}, nil},
		{"another trustmark", "one-login", oneRole, nil, nil},
		{"no trustmark, and a vector", "plain", oneRole, []string{"vtr", `["P2"]`}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := p.in(t)
			got := p.ask(tt.client, tt.username, "passkey", tt.asked...)
			a, info := p.userinfo(got.AccessToken)
			p.wantUserinfoSchema(a)
			const name = "identity_proofing_level"
			if got.id[name] != tt.want || info[name] != tt.want {
				t.Errorf("%s of the ID token = %v, of userinfo = %v, want %v", name, got.id[name], info[name], tt.want)
			}
			if access := claims(t, got.AccessToken); access[name] != nil {
				t.Errorf("%s of the access token = %v, want none: it has no claims about the person", name, access[name])
			}
		})
	}

	// It falls with the level, and a refresh does not raise it.
	got := p.ask("nhs-login", lastCode, "passkey", "scope", "openid profile offline_access")
	p.withdraw(lastCode, "")
	_, info := p.userinfo(got.AccessToken)
	renewed := p.as("nhs-login", refresh(got.RefreshToken))
	renewed.granted(t)
	if now := claims(t, renewed.IDToken)["identity_proofing_level"]; got.id["identity_proofing_level"] != "P9" || info["identity_proofing_level"] != "P0" || now != "P0" {
		t.Errorf("before evidence was withdrawn %v, of userinfo after it %v, of a refreshed token %v; want P9, P0, P0", got.id["identity_proofing_level"], info["identity_proofing_level"], now)
	}
}

// wantTrustmark reads what a trustmark means here: RFC 8485, Section 5.
func (p *provider) wantTrustmark(address string) {
	p.t.Helper()
	a := p.browser().get(address)
	var document struct {
		IDP, Trustmark string
		Provider       string `json:"trustmark_provider"`
		C              []string
		Components     []struct{ Name, Mapping string }
	}
	if err := json.Unmarshal([]byte(a.body), &document); err != nil || a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "application/json" {
		p.t.Fatalf("GET %s = %d %s, %v, want JSON", address, a.StatusCode, a.Header.Get("Content-Type"), err)
	}
	if document.IDP != issuer || document.Provider != issuer || !strings.HasSuffix(address, "/"+document.Trustmark) || len(document.C) == 0 || len(document.Components) == 0 {
		p.t.Errorf("GET %s = %s, want what the trustmark of %s means", address, a.body, issuer)
	}
}

// RFC 6711 has no order between names, so we publish that of ours, and what each name takes. Discovery lists those that can
// be met, and all of them can be asked for.
func TestACRValuesArePublished(t *testing.T) {
	t.Parallel()
	p := asking(t, oauth.Registration{ID: "plain"})
	var published struct {
		Values []struct {
			Name      string
			Order     int
			Supported bool
		} `json:"acr_values"`
	}
	if err := json.Unmarshal([]byte(p.browser().get("/acr-values").body), &published); err != nil {
		t.Fatal(err)
	}
	var metadata struct {
		Supported []string `json:"acr_values_supported"`
	}
	if err := json.Unmarshal([]byte(p.browser().get("/.well-known/openid-configuration").body), &metadata); err != nil {
		t.Fatal(err)
	}
	var supported []string
	for _, v := range published.Values {
		if v.Supported {
			supported = append(supported, v.Name)
		}
	}
	listed := slices.Sorted(slices.Values(metadata.Supported))
	slices.Sort(supported)
	if diff := cmp.Diff(listed, supported); diff != "" {
		t.Errorf("discovery and /acr-values differ (-discovery +acr-values):\n%s", diff)
	}
	var ours []string
	for _, v := range published.Values {
		if rest, ok := strings.CutPrefix(v.Name, "urn:credence:acr:aal"); ok {
			ours = append(ours, fmt.Sprintf("%d:%s", v.Order, rest))
		}
	}
	if diff := cmp.Diff([]string{"1:1", "2:2", "3:2-phr", "4:3"}, ours); diff != "" {
		t.Errorf("the order of ours (-want +got):\n%s", diff)
	}
	b := p.browser()
	b.signInAlone(oneRole, "smartcard")
	for _, value := range metadata.Supported {
		k := newPKCE()
		a := b.authorize(request("plain", k, "acr_values", value))
		if a.path() == "/sign-in/step-up" { // the value takes another method: go on without
			a = b.rest(b.post(a.address().RequestURI(), url.Values{"continue": {"1"}}))
		}
		if got := p.outcome("plain", k, a); got.refused != "" {
			t.Errorf("acr_values=%s is refused: %s", value, got.refused)
		}
	}
}
