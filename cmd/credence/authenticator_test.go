package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// What moves is one JSON object a line, foreseen and done; what was done does not move again.
func TestRecomputePrintsJSON(t *testing.T) {
	t.Parallel()
	s, _, environ := seeded(t)
	const nurse = "656005750104"
	id := uuid.MustParse("0190b6ce-2f4a-7c1e-9d57-3f0c5c1c7f11")
	err := s.AddAuthenticator(t.Context(), store.Authenticator{
		ID: id, PersonID: nurse, Name: `Blue "key"`, Kind: "passkey", CredentialID: id[:], PublicKey: []byte{1}, AAGUID: id, Transports: []string{"usb"},
		AttestationFormat: "packed", AttestationObject: []byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x40"), ClientData: []byte{1},
		AttestationVerdict: "trusted", CreatedAt: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.SetIdentity(t.Context(), nurse, store.Identity{Level: "very_high"})
	}); err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]string{
		"authenticator": fmt.Sprintf(`{"id":"%s","person":"%s","name":"Blue \"key\"","was":"trusted","is":"none"}`, id, nurse),
		"assurance":     fmt.Sprintf(`{"person_id":"%s","before":{"level":"very_high","profile":"","ial":0,"policy_version":""},"after":{"level":"high","profile":"H1A"`, nurse),
	} {
		foreseen := typed(t, environ, "", command, "recompute", "--json")
		if !strings.HasPrefix(foreseen, want) || strings.Count(foreseen, "\n") != 1 {
			t.Errorf("%s recompute --json = %s, want one line that begins %s", command, foreseen, want)
		}
		if diff := cmp.Diff(foreseen, typed(t, environ, "", command, "recompute", "--apply", "--json")); diff != "" {
			t.Errorf("%s recompute --apply --json (-foreseen +got):\n%s", command, diff)
		}
		if again := typed(t, environ, "", command, "recompute", "--json"); again != "" {
			t.Errorf("%s recompute --json, when it was done = %s, want nothing", command, again)
		}
	}
}
