package oauth

import (
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/assurance"
)

func TestLacking(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		gap  assurance.Gap
		want string
	}{
		{"an identity", assurance.Gap{Identity: assurance.IdentityVeryHigh}, "identity level very_high"},
		{"a level", assurance.Gap{Authenticator: assurance.AAL3}, "AAL3"},
		{"a way", assurance.Gap{Authenticator: assurance.AAL2, PhishingResistant: true}, "AAL2 by a phishing-resistant method"},
		{"hardware, which resists phishing", assurance.Gap{Authenticator: assurance.AAL1, PhishingResistant: true, HardwareBound: true}, "AAL1 by a key in hardware of a known model"},
		{"methods", assurance.Gap{Authenticator: assurance.AAL2, AMR: []string{"pwd", "otp"}, Methods: []assurance.Method{assurance.Password, assurance.TOTP}}, "AAL2 with amr pwd and otp"},
		{"both", assurance.Gap{Identity: assurance.IdentityHigh, Authenticator: assurance.AAL3}, "identity level high, and AAL3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := lacking(tt.gap); got != tt.want {
				t.Errorf("lacking(%+v) = %q, want %q", tt.gap, got, tt.want)
			}
		})
	}
}

// Whatever is asked for and can be met by somebody, the whole of the description arrives.
func TestDescriptionsOfWhatIsLackingFit(t *testing.T) {
	t.Parallel()
	all := assurance.Demand{Essential: true, MinimumAuthenticator: assurance.AAL3, MinimumIdentity: assurance.IdentityVeryHigh}
	demands := []assurance.Demand{all}
	for _, term := range assurance.Vocabulary() {
		d := all
		switch term.Use {
		case "acr":
			d.Values = []string{"urn:acr.login.gov:verified-facial-match-required", term.Name} // which are combined
		case "vector":
			d.Vectors, d.Trustmark = []string{term.Name}, assurance.Trustmark(term.Vocabulary)
		}
		demands = append(demands, d)
	}
	for _, d := range demands {
		gap := d.Gap(assurance.Reached{})
		if gap.Impossible {
			continue
		}
		said := description(errNotReached("The person has not reached what the request or the client needs", gap))
		if !strings.Contains(said, lacking(gap)+".") || lacking(gap) == "" {
			t.Errorf("of %+v the client is told %q, want all of %q", d, said, lacking(gap))
		}
	}
}
