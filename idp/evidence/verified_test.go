package evidence_test

import (
	"encoding/json"
	"errors"
	"fmt"
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

// A claim is given when a piece that counts states it, and not because it is on record.
func TestVerifiedClaimsAreStated(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		says func(list []evidence.Piece) // takes birthdates away
		born bool
	}{
		"all say it":                {func([]evidence.Piece) {}, true},
		"the passport alone":        {func(list []evidence.Piece) { list[1].Subject.Birthdate, list[2].Subject.Birthdate = "", "" }, true},
		"none":                      {func(list []evidence.Piece) { unsay(list) }, false},
		"a register that was asked": {func(list []evidence.Piece) { unsay(list[:2]) }, false},
		"a licence that is worth nothing": {func(list []evidence.Piece) {
			list[0].Subject.Birthdate, list[2].Subject.Birthdate, list[1].ExpiresOn = "", "", "2026-09-13"
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, ctx := newInstallation(t), t.Context()
			list := example(t)
			tt.says(list)
			_, err := in.Record(ctx, desk, sarah, list)
			must(t, err)
			verified, err := in.Verified(ctx, sarah)
			must(t, err)
			want := map[string]any{"given_name": "Sarah", "family_name": "Meredyth"}
			if tt.born {
				want["birthdate"] = "1976-03-11"
			}
			if diff := cmp.Diff(want, verified[0].Claims); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
		})
	}
}

// unsay takes the birthdates away.
func unsay(list []evidence.Piece) {
	for i := range list {
		list[i].Subject.Birthdate = ""
	}
}

// Of a record as long as can be only a part is told: what the level rests on is in it, and all that is referred to.
func TestVerifiedIsBounded(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	kinds := []string{"bank_statement", "utility_statement", "loan_statement", "tax_statement", "mortgage_statement"}
	for act := range 4 {
		var list []evidence.Piece
		for i := range 20 {
			p := withoutIDs(example(t))[0]
			p.Kind, p.Number, p.Features, p.ExpiresOn = kinds[i%5], fmt.Sprint("N", act, i), nil, ""
			inspected := p.Checks[1]
			p.Checks = nil
			for range 25 {
				p.Checks = append(p.Checks, inspected)
			}
			list = append(list, p)
		}
		_, err := in.Record(ctx, desk, sarah, list)
		must(t, err)
	}
	change, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	if change.After.Profile != "H1A" {
		t.Fatalf("Record(the example) = %+v, want H1A", change.After)
	}
	verified, err := in.Verified(ctx, sarah)
	must(t, err)
	told, checks := map[string]bool{}, map[string]bool{}
	for _, e := range verified[0].Verification.Evidence {
		if len(e.CheckDetails) > 10 {
			t.Errorf("%d checks of a piece are told, want at most 10", len(e.CheckDetails))
		}
		for _, c := range e.CheckDetails {
			checks[c.ID] = true
		}
		if e.DocumentDetails != nil {
			told[e.DocumentDetails.Type] = true
		}
	}
	if n := len(verified[0].Verification.Evidence); n != 20 || !told["passport"] || !checks["chk-face-05"] || !checks["chk-fraud-06"] {
		t.Errorf("%d pieces are told, %v, want 20 and what the level rests on", n, told)
	}
	for _, d := range verified[0].Verification.AssuranceProcess.Details {
		for _, ref := range d.Evidence {
			if !checks[ref.CheckID] {
				t.Errorf("%s refers to check %s, which is not told", d.Type, ref.CheckID)
			}
		}
	}
}
