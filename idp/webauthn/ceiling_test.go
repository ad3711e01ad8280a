package webauthn_test

import (
	"testing"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
)

// What can be copied, or proves nothing, never reaches AAL3. What proves something that nobody trusts today may.
func TestCeiling(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		verdict webauthn.Verdict
		syncs   bool
		want    assurance.AuthenticatorLevel
	}{
		{webauthn.VerdictNone, false, assurance.AAL2},
		{webauthn.VerdictNone, true, assurance.AAL2},
		{webauthn.VerdictTrusted, true, assurance.AAL2},
		{webauthn.VerdictSelf, false, assurance.AAL3},
		{webauthn.VerdictUntrusted, false, assurance.AAL3},
		{webauthn.VerdictTrusted, false, assurance.AAL3},
	} {
		a := store.Authenticator{AttestationVerdict: string(tt.verdict), BackupEligible: tt.syncs}
		if got := webauthn.Ceiling(a); got != tt.want {
			t.Errorf("Ceiling(%s, syncs %t) = %s, want %s", tt.verdict, tt.syncs, got, tt.want)
		}
	}
}
