package desk

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/office"
)

// Every kind of evidence can be checked at a desk, and by video too, where nothing is in the hand; and every check has a name that
// people know.
func TestDeskChecks(t *testing.T) {
	t.Parallel()
	for met, some := range map[evidence.Meeting]map[string][]assurance.CheckMethod{
		evidence.InPerson: {
			"passport": {
				assurance.PhysicalInspection, assurance.PhysicalInspectionUV, assurance.DigitalInspection, assurance.CryptographicInspection, assurance.RecordMatch,
				assurance.ComparisonInPerson, assurance.BiometricInPerson,
			},
			"birth_certificate": {
				assurance.PhysicalInspection, assurance.PhysicalInspectionUV, assurance.DigitalInspection, assurance.CryptographicInspection, assurance.RecordMatch,
			},
			"current_account":     {assurance.DigitalInspection, assurance.CryptographicInspection, assurance.RecordMatch},
			"written_attestation": {assurance.PhysicalInspection, assurance.DigitalInspection, assurance.CryptographicInspection, assurance.RecordMatch},
		},
		evidence.ByVideo: {
			"passport":            {assurance.RemoteInspection, assurance.DigitalInspection, assurance.RecordMatch, assurance.RemoteComparison, assurance.RemoteBiometric},
			"birth_certificate":   {assurance.RemoteInspection, assurance.DigitalInspection, assurance.RecordMatch},
			"current_account":     {assurance.DigitalInspection, assurance.RecordMatch},
			"written_attestation": {assurance.RemoteInspection, assurance.DigitalInspection, assurance.RecordMatch},
		},
	} {
		for _, kind := range assurance.Kinds() {
			var methods []assurance.CheckMethod
			for _, use := range office.Checks(kind, met) {
				methods = append(methods, use.Method)
				if met == evidence.ByVideo && use.Method.InPerson() {
					t.Errorf("office.Checks(%s, by video) has %s, for which somebody has to be there", kind.Name, use.Method)
				}
			}
			if len(methods) == 0 {
				t.Errorf("office.Checks(%s, %s) = none, want some", kind.Name, met)
			}
			if want, known := some[kind.Name]; known && cmp.Diff(want, methods) != "" {
				t.Errorf("office.Checks(%s, %s) (-want +got):\n%s", kind.Name, met, cmp.Diff(want, methods))
			}
		}
	}
	for _, use := range assurance.MethodUses() {
		if checkWords(use.Method) == "" {
			t.Errorf("checkWords(%s) = nothing, want a name", use.Method)
		}
		if failed := failedWords(use.Method); failed == "" || failed == checkWords(use.Method) {
			t.Errorf("failedWords(%s) = %q, want what the check found, and not its name again", use.Method, failed)
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
		{"a refusal", deed.Refuse(deed.OwnPerson), ""},
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
