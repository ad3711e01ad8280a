package desk

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
)

// Every kind of evidence can be checked at a desk, and every check has a name that people know.
func TestDeskChecks(t *testing.T) {
	t.Parallel()
	for _, kind := range assurance.Kinds() {
		var methods []assurance.CheckMethod
		for _, use := range office.Checks(kind) {
			methods = append(methods, use.Method)
		}
		if len(methods) == 0 {
			t.Errorf("office.Checks(%s) = none, want some", kind.Name)
		}
		want, known := map[string][]assurance.CheckMethod{
			"passport": {
				assurance.PhysicalInspection, assurance.PhysicalInspectionUV, assurance.DigitalInspection, assurance.CryptographicInspection, assurance.RecordMatch,
				assurance.ComparisonInPerson, assurance.BiometricInPerson,
			},
			"birth_certificate": {
				assurance.PhysicalInspection, assurance.PhysicalInspectionUV, assurance.DigitalInspection, assurance.CryptographicInspection, assurance.RecordMatch,
			},
			"current_account":     {assurance.DigitalInspection, assurance.CryptographicInspection, assurance.RecordMatch},
			"written_attestation": {assurance.PhysicalInspection, assurance.DigitalInspection, assurance.CryptographicInspection, assurance.RecordMatch},
		}[kind.Name]
		if diff := cmp.Diff(want, methods); known && diff != "" {
			t.Errorf("office.Checks(%s) (-want +got):\n%s", kind.Name, diff)
		}
	}
	for _, use := range assurance.MethodUses() {
		if checkWords(use.Method) == "" {
			t.Errorf("checkWords(%s) = nothing, want a name", use.Method)
		}
	}
}

func TestEvidenceMistakes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		err  error
		want string // the field, and "-" for none; "": the error is returned
	}{
		{"a field by the words of the rules", fmt.Errorf("piece 1 %w: check 2: it says nothing: set organisation", evidence.ErrInvalid), "organisation"},
		{"what is about no field", fmt.Errorf("piece 1 %w: its facts take 20000 bytes", evidence.ErrInvalid), "-"},
		{"the document of somebody else", evidence.ErrDuplicate, "number"},
		{"what was forged", fmt.Errorf("record: %w", evidence.ErrForged), "number"},
		{"a refusal", &position.Refusal{Reason: position.OwnPerson}, ""},
		{"a failure", errors.New("the database is away"), ""},
	} {
		got, err := evidenceMistakes(test.err)
		if (err == nil) != (test.want != "") {
			t.Errorf("evidenceMistakes(%s) = %v, %v, want the field %q", test.name, got, err, test.want)
			continue
		}
		if err != nil {
			continue
		}
		if len(got) != 1 || got[0].Message == "" || (got[0].Field != test.want && (test.want != "-" || got[0].Field != "")) {
			t.Errorf("evidenceMistakes(%s) = %v, want one at %q", test.name, got, test.want)
		}
	}
}
