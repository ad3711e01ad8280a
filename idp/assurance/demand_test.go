package assurance_test

import (
	"encoding/json"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
)

func essential(values ...string) assurance.Demand {
	return assurance.Demand{Values: values, Essential: true}
}

func voluntary(values ...string) assurance.Demand { return assurance.Demand{Values: values} }

// What is asked, and what is reached, give what is missing and what is answered.
func TestDemand(t *testing.T) {
	t.Parallel()
	const verified, aal2, phishing = "urn:acr.login.gov:verified", "http://idmanagement.gov/ns/assurance/aal/2", "http://idmanagement.gov/ns/assurance/aal/2?phishing_resistant=true"
	vectors := func(t assurance.Trustmark, essential bool, v ...string) assurance.Demand {
		return assurance.Demand{Vectors: v, Trustmark: t, Essential: essential}
	}
	for _, tt := range []struct {
		name    string
		asked   assurance.Demand
		reached assurance.Reached
		gap     assurance.Gap
		acr     string
		vector  string
	}{
		// OpenID Connect Core 1.0, Section 3.1.2.1: voluntary, in order of preference.
		{"nothing is asked", assurance.Demand{}, byPasskey, assurance.Gap{}, "AAL2_ANY", ""},
		{"nothing is asked, and nobody is there", assurance.Demand{}, nobody, assurance.Gap{}, "", ""},
		{"the level that is there", voluntary("AAL2_ANY"), byPasskey, assurance.Gap{}, "AAL2_ANY", ""},
		{"a lower one", voluntary("AAL2_ANY"), bySmartcard, assurance.Gap{}, "AAL2_ANY", ""},
		{"a higher one", voluntary("AAL3_ANY"), byPasskey, assurance.Gap{Authenticator: 3}, "AAL2_ANY", ""},
		{"the first that is met", voluntary("AAL3_ANY", "phr", "AAL2_ANY"), byPasskey, assurance.Gap{}, "phr", ""},
		{"the nearest of two", voluntary("AAL3_ANY", "AAL2_ANY"), byPassword, assurance.Gap{Authenticator: 2}, "AAL1_ANY", ""},
		{"a choice is answered with what was chosen", voluntary("AAL2_OR_AAL3_ANY"), byPasskey, assurance.Gap{}, "AAL2_ANY", ""},
		{"a choice, and more is there", voluntary("AAL2_OR_AAL3_ANY"), bySmartcard, assurance.Gap{}, "AAL3_ANY", ""},
		{"a choice, and less is there", voluntary("AAL2_OR_AAL3_ANY"), byPassword, assurance.Gap{Authenticator: 2}, "AAL1_ANY", ""},
		{
			"a method", voluntary("AAL3_SMARTCARD"), byKey,
			assurance.Gap{Authenticator: 3, Methods: []assurance.Method{assurance.Smartcard}, AMR: []string{"sc"}},
			"AAL3_ANY", "",
		},
		{
			"a method or any: any is nearer", voluntary("AAL3_SMARTCARD", "AAL3_ANY"), byPasskey, assurance.Gap{Authenticator: 3}, "AAL2_ANY", "",
		},
		{
			"two methods: by preference", voluntary("AAL3_FIDO2", "AAL3_SMARTCARD"), byPasskey,
			assurance.Gap{Authenticator: 3, Methods: []assurance.Method{assurance.SecurityKey, assurance.Passkey}, AMR: []string{"hwk"}},
			"AAL2_ANY", "",
		},
		{"a weaker method than was used", voluntary("AAL2_TOTP"), bySmartcard, assurance.Gap{}, "AAL3_ANY", ""},
		{
			"a weaker method than was used, or a stronger one", voluntary("AAL2_TOTP", "AAL3_SMARTCARD"), byKey,
			assurance.Gap{Authenticator: 3, Methods: []assurance.Method{assurance.Smartcard}, AMR: []string{"sc"}},
			"AAL3_ANY", "",
		},
		{"resistance to phishing, and a code is there", voluntary("phr"), byTOTP, assurance.Gap{Authenticator: 1, PhishingResistant: true}, "AAL2_ANY", ""},
		{"hardware, and a synced passkey is there", voluntary("phrh"), byPasskey, assurance.Gap{Authenticator: 1, PhishingResistant: true, HardwareBound: true}, "AAL2_ANY", ""},
		{"hardware, and it is there", voluntary("phrh"), byUncertain, assurance.Gap{}, "phrh", ""},
		{"an unknown value", voluntary("urn:mace:incommon:iap:silver"), byPasskey, assurance.Gap{}, "AAL2_ANY", ""},
		{"an unknown value and a known one", voluntary("urn:mace:incommon:iap:silver", "AAL3_ANY"), byPasskey, assurance.Gap{Authenticator: 3}, "AAL2_ANY", ""},
		{"a known value that nobody meets", voluntary("AAL3_IOS"), bySmartcard, assurance.Gap{Impossible: true}, "AAL3_ANY", ""},
		{"one that nobody meets, and another", voluntary("AAL3_IOS", "AAL3_ANY"), byPasskey, assurance.Gap{Authenticator: 3}, "AAL2_ANY", ""},
		{"a name of a vector", voluntary("P0"), byPasskey, assurance.Gap{}, "AAL2_ANY", ""},
		{"a name that is only told", voluntary("substantial"), byPasskey, assurance.Gap{}, "AAL2_ANY", ""},
		{"a cell of the table", voluntary("AAL2_ANY,acr,cis2"), byPasskey, assurance.Gap{}, "AAL2_ANY", ""},

		// Section 5.5.1.1: essential.
		{"essential and met", essential("AAL2_ANY"), byPasskey, assurance.Gap{}, "AAL2_ANY", ""},
		{"essential, a choice is answered as asked", essential("AAL2_OR_AAL3_ANY"), bySmartcard, assurance.Gap{}, "AAL2_OR_AAL3_ANY", ""},
		{"essential and unmet", essential("AAL3_ANY"), byPasskey, assurance.Gap{Authenticator: 3, Essential: true}, "AAL2_ANY", ""},
		{"essential and unknown", essential("urn:mace:incommon:iap:silver"), bySmartcard, assurance.Gap{Impossible: true, Essential: true}, "AAL3_ANY", ""},
		{"essential, one is unknown and the other met", essential("urn:mace:incommon:iap:silver", "AAL2_ANY"), bySmartcard, assurance.Gap{}, "AAL2_ANY", ""},
		{"essential and nobody meets it", essential("AAL3_N3_SMARTCARD"), bySmartcard, assurance.Gap{Impossible: true, Essential: true}, "AAL3_ANY", ""},
		{"essential without a value", essential(), byPassword, assurance.Gap{}, "AAL1_ANY", ""},
		{
			"essential, a weaker method than was used", essential("AAL2_TOTP"), bySmartcard,
			assurance.Gap{Authenticator: 2, Methods: []assurance.Method{assurance.TOTP}, AMR: []string{"otp"}, Essential: true},
			"AAL3_ANY", "",
		},
		{"our own, met by what is stronger", essential("urn:credence:acr:aal2-phr"), bySmartcard, assurance.Gap{}, "urn:credence:acr:aal2-phr", ""},
		{"our own, by a code", essential("urn:credence:acr:aal2-phr"), byTOTP, assurance.Gap{Authenticator: 2, PhishingResistant: true, Essential: true}, "AAL2_ANY", ""},
		{
			"our own, an identity", essential("urn:credence:acr:identity:high"), proved(byPasskey, assurance.IdentityMedium),
			assurance.Gap{Identity: assurance.IdentityHigh, Essential: true},
			"AAL2_ANY", "",
		},
		{
			"our own, an identity that is more", essential("urn:credence:acr:identity:high"), proved(byPasskey, assurance.IdentityVeryHigh),
			assurance.Gap{},
			"urn:credence:acr:identity:high", "",
		},
		{
			"an identity or a better sign-in: signing in is nearer", essential("urn:credence:acr:identity:low", "urn:credence:acr:aal3"), byPasskey,
			assurance.Gap{Authenticator: 3, Essential: true},
			"AAL2_ANY", "",
		},

		// login.gov: values are combined.
		{"login.gov, all of it", voluntary(verified, phishing), proved(byPasskey, assurance.IdentityMedium), assurance.Gap{}, verified, ""},
		{"login.gov, the order does not matter", voluntary(phishing, verified), proved(byPasskey, assurance.IdentityMedium), assurance.Gap{}, verified, ""},
		{"login.gov, one of two is not enough", voluntary(verified, phishing), proved(byTOTP, assurance.IdentityMedium), assurance.Gap{Authenticator: 2, PhishingResistant: true}, "AAL2_ANY", ""},
		{"login.gov, the other of two is not enough", voluntary(verified, aal2), byPasskey, assurance.Gap{Identity: assurance.IdentityMedium}, "AAL2_ANY", ""},
		{
			"login.gov, both are missing", essential(verified, aal2), byPassword,
			assurance.Gap{Authenticator: 2, Identity: assurance.IdentityMedium, Essential: true},
			"AAL1_ANY", "",
		},
		{"login.gov, no password alone", voluntary("urn:acr.login.gov:auth-only"), byPassword, assurance.Gap{Authenticator: 2}, "AAL1_ANY", ""},
		{"login.gov, a portrait", voluntary("urn:acr.login.gov:verified-facial-match-required"), proved(byPasskey, assurance.IdentityMedium), assurance.Gap{Identity: assurance.IdentityHigh}, "AAL2_ANY", ""},
		{"login.gov, a portrait if possible", voluntary("urn:acr.login.gov:verified-facial-match-preferred"), proved(byPasskey, assurance.IdentityMedium), assurance.Gap{}, "urn:acr.login.gov:verified-facial-match-preferred", ""},
		{"login.gov, a card of the United States", voluntary("urn:acr.login.gov:auth-only", aal2+"?hspd12=true"), bySmartcard, assurance.Gap{Impossible: true}, "AAL3_ANY", ""},
		{"login.gov, an unknown value beside it", voluntary("urn:acr.login.gov:auth-only", "whatever"), byPasskey, assurance.Gap{}, "urn:acr.login.gov:auth-only", ""},
		{"login.gov, an unknown value beside it, essential", essential("urn:acr.login.gov:auth-only", "whatever"), byPasskey, assurance.Gap{Impossible: true, Essential: true}, "AAL2_ANY", ""},
		{"without a service level they are alternatives", voluntary(phishing, aal2), byTOTP, assurance.Gap{}, aal2, ""},

		// The client's minimum.
		{"a minimum that is met", assurance.Demand{MinimumAuthenticator: 2, MinimumIdentity: "low"}, proved(byPasskey, "low"), assurance.Gap{}, "AAL2_ANY", ""},
		{"a minimum of nothing", assurance.Demand{MinimumIdentity: "none"}, byPassword, assurance.Gap{}, "AAL1_ANY", ""},
		{"a minimum authenticator", assurance.Demand{MinimumAuthenticator: 2}, byPassword, assurance.Gap{Authenticator: 2, Essential: true}, "AAL1_ANY", ""},
		{"a minimum identity", assurance.Demand{MinimumIdentity: "medium"}, proved(byPasskey, "low"), assurance.Gap{Identity: "medium", Essential: true}, "AAL2_ANY", ""},
		{
			"both minimums",
			assurance.Demand{MinimumAuthenticator: 3, MinimumIdentity: "high"},
			byPasskey,
			assurance.Gap{Authenticator: 3, Identity: "high", Essential: true},
			"AAL2_ANY", "",
		},
		{
			"what is asked is met, and the minimum is not",
			assurance.Demand{Values: []string{"AAL2_ANY"}, MinimumAuthenticator: 3},
			byPasskey,
			assurance.Gap{Authenticator: 3, Essential: true},
			"AAL2_ANY", "",
		},
		{
			"more is asked than the minimum, which is met",
			assurance.Demand{Values: []string{"AAL3_ANY"}, MinimumAuthenticator: 2},
			byPasskey,
			assurance.Gap{Authenticator: 3},
			"AAL2_ANY", "",
		},
		{
			"more is asked than the minimum, which is not met",
			assurance.Demand{Values: []string{"AAL3_ANY"}, MinimumAuthenticator: 2},
			byPassword,
			assurance.Gap{Authenticator: 3, Essential: true},
			"AAL1_ANY", "",
		},
		{
			"what is asked is impossible, the minimum is not",
			assurance.Demand{Values: []string{"AAL3_IOS"}, MinimumAuthenticator: 2},
			byPassword,
			assurance.Gap{Authenticator: 2, Essential: true},
			"AAL1_ANY", "",
		},
		{
			"what is asked is impossible, the minimum is met",
			assurance.Demand{Values: []string{"AAL3_IOS"}, MinimumAuthenticator: 2},
			byPasskey,
			assurance.Gap{Impossible: true},
			"AAL2_ANY", "",
		},
		{"what is asked is unknown, the minimum is not met", assurance.Demand{Values: []string{"x"}, MinimumAuthenticator: 2}, byPassword, assurance.Gap{Authenticator: 2, Essential: true}, "AAL1_ANY", ""},
		{"a minimum that there is not", assurance.Demand{MinimumAuthenticator: 4}, bySmartcard, assurance.Gap{Impossible: true, Essential: true}, "AAL3_ANY", ""},
		{"a minimum identity that there is not", assurance.Demand{MinimumIdentity: "highest"}, proved(bySmartcard, "very_high"), assurance.Gap{Impossible: true, Essential: true}, "AAL3_ANY", ""},
		{
			"a minimum identity that there is not, beside one that is asked",
			assurance.Demand{Values: []string{"urn:credence:acr:identity:low"}, MinimumIdentity: "highest"},
			proved(bySmartcard, "very_high"),
			assurance.Gap{Impossible: true, Essential: true},
			"urn:credence:acr:identity:low", "",
		},
		{
			"a minimum with a method",
			assurance.Demand{Values: []string{"AAL1_USERPASS"}, Essential: true, MinimumAuthenticator: 2},
			byPasskey,
			assurance.Gap{Authenticator: 2, Methods: []assurance.Method{assurance.Password}, AMR: []string{"pwd"}, Essential: true},
			"AAL2_ANY", "",
		},

		// RFC 8485 and those after it.
		{"a vector that is met", vectors(assurance.RFC8485, true, "P0.Ce"), byPasskey, assurance.Gap{}, "AAL2_ANY", "P0.Ce"},
		{"a vector that is not met", vectors(assurance.RFC8485, false, "P2.Cf"), byPasskey, assurance.Gap{
			Authenticator: 1, HardwareBound: true, Identity: assurance.IdentityMedium,
		}, "AAL2_ANY", "P0.Ce.Ma.Ac"},
		{"the second vector is met", vectors(assurance.RFC8485, true, "P2.Ce", "Cc.Cd"), byTOTP, assurance.Gap{}, "AAL2_ANY", "Cc.Cd"},
		{
			"two credentials in a vector", vectors(assurance.RFC8485, true, "Cc.Cd"), byPassword,
			assurance.Gap{Authenticator: 1, Methods: []assurance.Method{assurance.Password, assurance.TOTP}, AMR: []string{"pwd", "otp"}, Essential: true},
			"AAL1_ANY", "P0.Cc.Ma.Ac",
		},
		{
			"two of one credential", vectors(assurance.RFC8485, true, "Ce.Cf"), byPassword,
			assurance.Gap{Authenticator: 1, PhishingResistant: true, HardwareBound: true, Essential: true},
			"AAL1_ANY", "P0.Cc.Ma.Ac",
		},
		{"a vector that nobody meets", vectors(assurance.RFC8485, true, "P1.Cc.Ad"), proved(byPassword, "low"), assurance.Gap{Impossible: true, Essential: true}, "AAL1_ANY", "P1.Cc.Ma.Ac"},
		{"a vector without a trustmark", vectors("", true, "Cl.Cm"), bySmartcard, assurance.Gap{Impossible: true, Essential: true}, "AAL3_ANY", ""},
		{"a cell of the table as the trustmark", vectors("rfc8485,1", true, "P0"), bySmartcard, assurance.Gap{Impossible: true, Essential: true}, "AAL3_ANY", ""},
		{"a vector without a trustmark, voluntary", vectors("", false, "Cl.Cm"), bySmartcard, assurance.Gap{}, "AAL3_ANY", ""},
		{"One Login's default", vectors(assurance.OneLogin, true, assurance.OneLogin.Default()...), byPasskey, assurance.Gap{}, "AAL2_ANY", "Cl.Cm"},
		{"One Login's Cm is a level", vectors(assurance.OneLogin, true, "Cl.Cm"), byPassword, assurance.Gap{Authenticator: 2, Essential: true}, "AAL1_ANY", "Cl.P0"},
		{
			"One Login, a second step for the identity", vectors(assurance.OneLogin, true, "Cl.Cm.P2"), proved(byPasskey, "low"),
			assurance.Gap{Identity: assurance.IdentityMedium, Essential: true},
			"AAL2_ANY", "Cl.Cm.P1",
		},
		{
			"NHS login's Cm is a key", vectors(assurance.NHSLogin, true, "P0.Cm"), byTOTP,
			assurance.Gap{Authenticator: 2, PhishingResistant: true, Essential: true},
			"AAL2_ANY", "P0.Cp.Ck",
		},
		{"NHS login's default", vectors(assurance.NHSLogin, true, assurance.NHSLogin.Default()...), proved(bySmartcard, "high"), assurance.Gap{}, "AAL3_ANY", "P9.Cm"},
		{"NHS login's default, by a code", vectors(assurance.NHSLogin, true, assurance.NHSLogin.Default()...), proved(byTOTP, "high"), assurance.Gap{}, "AAL2_ANY", "P9.Cp.Ck"},
		{
			"NHS login's default, and GPG 45 medium", vectors(assurance.NHSLogin, true, assurance.NHSLogin.Default()...), proved(byPasskey, "medium"),
			assurance.Gap{Identity: assurance.IdentityHigh, Essential: true},
			"AAL2_ANY", "P0.Cm",
		},
		{
			"values and vectors",
			assurance.Demand{Values: []string{"AAL3_ANY"}, Vectors: []string{"Cl.Cm.P1"}, Trustmark: assurance.OneLogin, Essential: true},
			byPasskey,
			assurance.Gap{Authenticator: 3, Identity: assurance.IdentityLow, Essential: true},
			"AAL2_ANY", "Cl.Cm.P0",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.gap, tt.asked.Gap(tt.reached)); diff != "" {
				t.Errorf("Gap() differs (-want +got):\n%s", diff)
			}
			if acr, vector := tt.asked.Answer(tt.reached); acr != tt.acr || vector != tt.vector {
				t.Errorf("Answer() = %q, %q, want %q, %q", acr, vector, tt.acr, tt.vector)
			}
			if got := tt.asked.Satisfied(tt.reached); got == tt.gap.Essential {
				t.Errorf("Satisfied() = %t beside a gap that is %+v", got, tt.gap)
			}
			checkDemand(t, tt.asked)
		})
	}
}

// RFC 9470: the client repeats the request with the acr values of the challenge, and one step later it is met.
func TestStepUp(t *testing.T) {
	t.Parallel()
	d := voluntary("urn:credence:acr:aal3")
	before := d.Gap(byPasskey)
	if before.Empty() || before.Essential {
		t.Fatalf("Gap(a byPasskey) = %+v, want one that is not essential", before)
	}
	for _, tt := range []struct {
		name string
		with assurance.Reached
		want bool
	}{
		{"a security key", byKey, true},
		{"a smartcard", bySmartcard, true},
		{"a key whose model is not approved", byUncertain, false},
		{"a passkey again", byPasskey, false},
		{"a password and a code", byTOTP, false},
	} {
		if got := before.MetBy(tt.with.Authenticator, tt.with.AMR); got != tt.want {
			t.Errorf("MetBy(%s) = %t, want %t", tt.name, got, tt.want)
		}
		if got := d.Gap(tt.with).Empty(); got != tt.want {
			t.Errorf("Gap(%s) is empty: %t, want %t", tt.name, got, tt.want)
		}
		acr, _ := d.Answer(tt.with)
		if want := "urn:credence:acr:aal3"; (acr == want) != tt.want {
			t.Errorf("Answer(%s) = %q, want %q: %t", tt.name, acr, want, tt.want)
		}
	}
	if lower := voluntary("AAL1_ANY").Gap(byKey); !lower.Empty() {
		t.Errorf("Gap() = %+v for less than was reached, want none", lower)
	}
	if (assurance.Gap{Impossible: true}).MetBy(3, []string{"sc"}) {
		t.Error("MetBy() = true for what nothing meets")
	}
	if !(assurance.Gap{Identity: "high"}).MetBy(0, nil) {
		t.Error("MetBy() = false where no sign-in is missing")
	}
}

func TestParseValues(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, values string
		want         []string
		refused      bool
	}{
		{"none", "", nil, false},
		{"one", "AAL3_ANY", []string{"AAL3_ANY"}, false},
		{"in order", "AAL3_ANY urn:x phr", []string{"AAL3_ANY", "urn:x", "phr"}, false},
		{"spaces around", "  AAL3_ANY  phr ", []string{"AAL3_ANY", "phr"}, false},
		{"no other space divides", "AAL3_ANY\tphr", []string{"AAL3_ANY\tphr"}, false},
		{"twenty", strings.Repeat("x ", 20), slices.Repeat([]string{"x"}, 20), false},
		{"twenty-one", strings.Repeat("x ", 21), nil, true},
		{"200 bytes", strings.Repeat("x", 200), []string{strings.Repeat("x", 200)}, false},
		{"201 bytes", strings.Repeat("x", 201), nil, true},
		{"twenty of 200 bytes", strings.Repeat(strings.Repeat("x", 200)+" ", 20), slices.Repeat([]string{strings.Repeat("x", 200)}, 20), false},
		{"a great many spaces", strings.Repeat(" ", 5000), nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := assurance.ParseValues(tt.values)
			if (err != nil) != tt.refused {
				t.Fatalf("ParseValues(%q) = %v, %v, want it refused: %t", tt.values, got, err, tt.refused)
			}
			if diff := cmp.Diff(tt.want, got); err == nil && diff != "" {
				t.Errorf("ParseValues(%q) differs (-want +got):\n%s", tt.values, diff)
			}
		})
	}
	if err := assurance.CheckValues([]string{"AAL3_ANY", ""}); err == nil {
		t.Error("CheckValues() = nil for an empty value")
	}
	if err := assurance.CheckValues([]string{"AAL3_ANY", "with a space"}); err != nil {
		t.Errorf("CheckValues() = %v for a list", err)
	}
}

func FuzzParseValues(f *testing.F) {
	f.Add("AAL3_ANY phr urn:acr.login.gov:verified")
	f.Add(" ,acr,cis2 # name,use\n")
	f.Fuzz(func(t *testing.T, s string) {
		values, err := assurance.ParseValues(s)
		if err != nil {
			return
		}
		if joined := strings.Join(values, " "); strings.ReplaceAll(joined, " ", "") != strings.ReplaceAll(s, " ", "") {
			t.Errorf("ParseValues(%q) = %q, want all of it", s, values)
		}
		for _, r := range []assurance.Reached{nobody, byTOTP, proved(bySmartcard, "high")} {
			checkReached(t, essential(values...), r)
			checkReached(t, voluntary(values...), r)
		}
	})
}

func TestDemandTravels(t *testing.T) {
	t.Parallel()
	want := assurance.Demand{
		Values: []string{"AAL3_ANY"}, Vectors: []string{"P0.Cm"}, Trustmark: assurance.NHSLogin, Essential: true,
		MinimumAuthenticator: 2, MinimumIdentity: assurance.IdentityHigh,
	}
	text, err := json.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got assurance.Demand
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a demand that travelled differs (-want +got):\n%s", diff)
	}
	if text, err = json.Marshal(assurance.Demand{}); err != nil || string(text) != "{}" {
		t.Errorf("a demand of nothing is %s, %v, want {}", text, err)
	}
}

// Any demand of known and unknown names holds what is promised, whatever was reached.
func TestDemandProperties(t *testing.T) {
	t.Parallel()
	values := []string{"unknown"}
	names := map[assurance.Trustmark][]string{"": {"Cl.Cm"}, assurance.OneLogin: {"unknown", "Cl", "Cl.Cm", "Cl.Cm.P1", "Cl.Cm.P3"}}
	for _, term := range assurance.Vocabulary() {
		switch term.Use {
		case "acr":
			values = append(values, term.Name)
		case "vector":
			names[assurance.Trustmark(term.Vocabulary)] = append(names[assurance.Trustmark(term.Vocabulary)], term.Name)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	some := func(of []string) []string {
		var list []string
		for range random.IntN(4) {
			list = append(list, of[random.IntN(len(of))])
		}
		return list
	}
	for range 100 {
		trustmark := append(assurance.Trustmarks(), "")[random.IntN(4)]
		checkDemand(t, assurance.Demand{
			Values: some(values), Vectors: some(names[trustmark]), Trustmark: trustmark, Essential: random.IntN(2) == 0,
			MinimumAuthenticator: assurance.AuthenticatorLevel(random.IntN(4)),
			MinimumIdentity:      append(assurance.IdentityLevels(), "", "highest")[random.IntN(7)],
		})
	}
}

// allReached goes through every level with sets of amr, each after those that are less.
func allReached() iter.Seq[assurance.Reached] {
	return func(yield func(assurance.Reached) bool) {
		for _, identity := range assurance.IdentityLevels() {
			for level := range assurance.AuthenticatorLevel(4) {
				for _, amr := range []string{"", "pwd", "otp", "pop", "swk", "sc", "hwk", "pwd otp", "pwd hwk", "pwd otp sms", "pwd otp pop hwk swk sc sms"} {
					if !yield(assurance.Reached{Authenticator: level, AMR: strings.Fields(amr), Identity: identity}) {
						return
					}
				}
			}
		}
	}
}

// checkDemand holds a demand to what is promised of all.
func checkDemand(t *testing.T, d assurance.Demand) {
	t.Helper()
	levels := assurance.IdentityLevels()
	for r := range allReached() {
		gap := checkReached(t, d, r)
		// What is stronger satisfies whatever this does.
		more, above := r, slices.Index(levels, r.Identity)+1
		more.Authenticator = min(r.Authenticator+1, assurance.AAL3)
		for _, amr := range [][]string{r.AMR, append(slices.Clone(r.AMR), "hwk"), append(slices.Clone(r.AMR), "mfa", "pwd", "sc")} {
			for _, identity := range levels[above-1 : min(above+1, len(levels))] {
				more.AMR, more.Identity = amr, identity
				if !gap.Essential && !d.Satisfied(more) {
					t.Fatalf("%+v satisfies %+v, and %+v does not", r, d, more)
				}
			}
		}
		if gap.Empty() || gap.Impossible {
			continue
		}
		// A sign-in that closes the gap leaves none that another sign-in would close.
		next := r
		for _, with := range []assurance.Reached{byPassword, byTOTP, byPasskey, byKey, byKeyAndWord, bySmartcard} {
			if !gap.MetBy(with.Authenticator, with.AMR) || gap.Authenticator == 0 {
				continue
			}
			next.Authenticator, next.AMR = with.Authenticator, with.AMR
			if left := d.Gap(next); left.Authenticator != 0 {
				t.Fatalf("%+v of %+v misses %+v; after %+v still %+v", r, d, gap, with, left)
			}
		}
		// Whoever does all that is missing has done it: nobody is sent round in circles.
		next = r
		if gap.Authenticator != 0 {
			next.Authenticator, next.AMR = gap.Authenticator, append([]string{"hwk"}, gap.AMR...)
		}
		if gap.Identity != "" {
			next.Identity = gap.Identity
		}
		if left := d.Gap(next); left.Authenticator != 0 || left.Identity != "" || left.Essential {
			t.Fatalf("%+v of %+v misses %+v; after that still %+v", r, d, gap, left)
		}
	}
}

// checkReached holds what a demand says of what was reached to itself.
func checkReached(t *testing.T, d assurance.Demand, r assurance.Reached) assurance.Gap {
	t.Helper()
	gap, satisfied := d.Gap(r), d.Satisfied(r)
	acr, vector := d.Answer(r)
	switch {
	case gap.Essential == satisfied:
		t.Fatalf("%+v of %+v: Satisfied() = %t, and the gap is %+v", r, d, satisfied, gap)
	case d.Essential && gap.Empty() != satisfied, gap.Empty() && !satisfied:
		t.Fatalf("%+v of %+v: Satisfied() = %t, and the gap is %+v", r, d, satisfied, gap)
	case satisfied != d.Required().Gap(r).Empty():
		t.Fatalf("%+v of %+v: Satisfied() = %t, and what is required misses %+v", r, d, satisfied, d.Required().Gap(r))
	case satisfied && d.Essential && len(d.Values) > 0 && !slices.Contains(d.Values, acr):
		t.Fatalf("%+v of %+v: acr = %q, which was not asked for", r, d, acr)
	case satisfied && d.Essential && len(d.Vectors) > 0 && !slices.Contains(d.Vectors, vector):
		t.Fatalf("%+v of %+v: vector = %q, which was not asked for", r, d, vector)
	case len(d.Vectors) == 0 && vector != "":
		t.Fatalf("%+v of %+v: vector = %q, and none was asked for", r, d, vector)
	}
	return gap
}
