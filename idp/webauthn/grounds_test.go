package webauthn

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/webauthn/metadata"
)

// The owner of an authenticator reads sentences without a word of ours; the operator reads which rule it was.
func TestGrounds(t *testing.T) {
	t.Parallel()
	jargon := regexp.MustCompile(`(?i:fido|attestation|factor|aaguid|credential|verif|metadata|operator)|_|[A-Z]{4,}`)
	key := func(change func(*Judgement)) Judgement {
		j := Judgement{kind: string(assurance.SecurityKey), verdict: VerdictTrusted, Verifies: true, DeviceBound: true, Attested: true, Approved: true, certified: metadata.Certification(2)}
		change(&j)
		return j
	}
	for _, tt := range []struct {
		name string
		j    Judgement
		want []string
		why  string // for the operator
	}{
		{"certified", key(func(*Judgement) {}), []string{"Its key cannot be copied: its model has been tested and certified."}, metadata.Certification(2).String()},
		{
			"vouched for", key(func(j *Judgement) { j.vouched = true }),
			[]string{"Its key cannot be copied: the people who run this service vouch for its model."},
			"the operator vouches for its model",
		},
		{
			"of another model", key(func(j *Judgement) { j.Approved = false }),
			[]string{"Its model is known, and is not one of those that are trusted to keep a key safe enough for level 3."},
			"its model is not certified highly enough, does not protect keys, or was retired, and nobody here vouches for it",
		},
		{
			"of no proven model", key(func(j *Judgement) { j.Attested, j.Approved, j.verdict = false, false, VerdictNone }),
			[]string{"It does not prove which model it is, so nothing shows that its key cannot be copied. Level 3 needs that."},
			"nothing proves which model it is: attestation none",
		},
		{
			"of a model whose proofs are worth nothing any more", key(func(j *Judgement) { j.Attested, j.Approved = false, false }),
			[]string{"It does not prove which model it is, so nothing shows that its key cannot be copied. Level 3 needs that."},
			"its attestation proves nothing any more",
		},
		{
			"a key that syncs", key(func(j *Judgement) { j.kind, j.DeviceBound = string(assurance.Passkey), false }),
			[]string{"Its key can be copied to other devices. Level 3 needs one that stays in one device."},
			"its key can be copied",
		},
		{
			"reported, and refused", key(func(j *Judgement) {
				j.Refusal, j.Statuses, j.Verifies, j.DeviceBound = ModelRevoked, []string{"USER_VERIFICATION_BYPASS", "REVOKED"}, false, false
			}),
			[]string{
				"A weakness of its model has been reported.", "It may work without your PIN, fingerprint or face.",
				"Its key can be copied to other devices. Level 3 needs one that stays in one device.",
			},
			"refused: model_revoked; FIDO metadata reports USER_VERIFICATION_BYPASS; FIDO metadata reports REVOKED; its key can be copied",
		},
		{
			"a password",
			Judgement{kind: string(assurance.Password), Verifies: true},
			[]string{"Your password alone is one thing that you know. With the codes of your authenticator app it is two."},
			"it is one factor, and two with the codes of an app",
		},
		{
			"an app",
			Judgement{kind: string(assurance.TOTP), Verifies: true},
			[]string{"It counts together with your password: something that you have, and something that you know."},
			"its codes are one factor, and two with a password",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.j.Grounds()); diff != "" {
				t.Errorf("Grounds() (-want +got):\n%s", diff)
			}
			if said := strings.Join(tt.j.Grounds(), " "); jargon.MatchString(said) {
				t.Errorf("Grounds() = %q, want plain words", said)
			}
			if got := strings.Join(tt.j.Why(), "; "); got != tt.why {
				t.Errorf("Why() = %q, want %q", got, tt.why)
			}
		})
	}
}
