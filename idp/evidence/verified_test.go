package evidence_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/evidence"
)

// The element of the example of the standard is what its evidence gives, but for two claims that are not on record.
func TestVerified(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	_, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	verified, err := in.Verified(ctx, sarah)
	if err != nil || len(verified) != 1 {
		t.Fatalf("Verified(Sarah) = %v, %v, want one element", verified, err)
	}
	text, err := json.Marshal(map[string]any{"verified_claims": verified[0]})
	must(t, err)
	var got, want map[string]any
	must(t, json.Unmarshal(text, &got))
	text, err = os.ReadFile("../ida/testdata/ida-example-h1a.json")
	must(t, err)
	must(t, json.Unmarshal(text, &want))
	element := want["verified_claims"].(map[string]any)
	delete(element["claims"].(map[string]any), "nationalities")
	verification := element["verification"].(map[string]any)
	verification["time"] = "2026-09-14T10:40:00Z" // of the last check
	verification["verification_process"] = verified[0].Verification.VerificationProcess
	for _, e := range verification["evidence"].([]any) {
		if details, ok := e.(map[string]any)["document_details"].(map[string]any); ok {
			delete(details["issuer"].(map[string]any), "country") // its code says the same
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Verified(Sarah) (-example +got):\n%s", diff)
	}
	if _, err := uuid.Parse(verified[0].Verification.VerificationProcess); err != nil {
		t.Errorf("verification_process = %v, want a UUID", err)
	}

	in.exec(t, `UPDATE person SET identity_level = 'high' WHERE id = '`+lou+`'`)
	if verified, err := in.Verified(ctx, lou); err != nil || verified != nil {
		t.Errorf("Verified(whose level was asserted) = %v, %v, want nothing", verified, err)
	}
	in.exec(t, `UPDATE person SET identity_policy = 'older'`)
	verified, err = in.Verified(ctx, sarah)
	if err != nil || len(verified) != 1 || verified[0].Verification.AssuranceLevel != "high" || verified[0].Verification.AssuranceProcess.Details != nil {
		t.Errorf("Verified(by older tables) = %+v, %v, want the level without the reasons of today", verified, err)
	}
	if _, err := in.Verified(ctx, nobod); !errors.Is(err, evidence.ErrUnknown) {
		t.Errorf("Verified(nobody) = %v, want %v", err, evidence.ErrUnknown)
	}
}
