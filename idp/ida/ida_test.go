package ida

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func read(tb testing.TB, name string) []byte {
	tb.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return content
}

// decoded is JSON as encoding/json has it, for comparison.
func decoded(tb testing.TB, document []byte) any {
	tb.Helper()
	var value any
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		tb.Fatalf("decode %s: %v", document, err)
	}
	return value
}

func encoded(tb testing.TB, value any) []byte {
	tb.Helper()
	document, err := json.Marshal(value)
	if err != nil {
		tb.Fatal(err)
	}
	return document
}

// strictly decodes into the types, and fails for a member that they do not know.
func strictly(tb testing.TB, document []byte, into any) {
	tb.Helper()
	d := json.NewDecoder(bytes.NewReader(document))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		tb.Fatal(err)
	}
}

// h1a is the person of the example: passport and driving licence, face to face.
func h1a(tb testing.TB) VerifiedClaims {
	tb.Helper()
	var document struct {
		VerifiedClaims VerifiedClaims `json:"verified_claims"`
	}
	strictly(tb, read(tb, "ida-example-h1a.json"), &document)
	return document.VerifiedClaims
}

// everything is an element in which each member of the types is filled somewhere.
func everything(tb testing.TB) VerifiedClaims {
	tb.Helper()
	var v VerifiedClaims
	strictly(tb, read(tb, "everything.json"), &v)
	return v
}

func schema(tb testing.TB, name string) *jsonschema.Schema {
	tb.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("https://example.com/"+name, decoded(tb, read(tb, filepath.Join("schema", name)))); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile("https://example.com/" + name)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func TestElementsTravelWithoutLoss(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{
		"ida-example-h1a.json": map[string]any{"verified_claims": h1a(t)},
		"everything.json":      everything(t),
	} {
		if diff := cmp.Diff(decoded(t, read(t, name)), decoded(t, encoded(t, v))); diff != "" {
			t.Errorf("%s changes in the types (-want +got):\n%s", name, diff)
		}
	}
}

func TestElementsAreAsTheSchemaSays(t *testing.T) {
	t.Parallel()
	s := schema(t, "verified_claims.json")
	for name, v := range map[string]VerifiedClaims{
		"the example": h1a(t), "the example for the UK": h1a(t).UK(), "everything": everything(t),
	} {
		if err := s.Validate(map[string]any{"verified_claims": decoded(t, encoded(t, v))}); err != nil {
			t.Errorf("%s is not as the schema says: %v", name, err)
		}
	}
	for name, wrong := range map[string]string{
		"nothing":                     `{}`,
		"null":                        `{"verified_claims":null}`,
		"an empty array":              `{"verified_claims":[]}`,
		"no verification":             `{"verified_claims":{"claims":{}}}`,
		"no claims":                   `{"verified_claims":{"verification":{"trust_framework":"x"}}}`,
		"no trust framework":          `{"verified_claims":{"verification":{},"claims":{}}}`,
		"an empty trust framework":    `{"verified_claims":{"verification":{"trust_framework":""},"claims":{}}}`,
		"no evidence in evidence":     `{"verified_claims":{"verification":{"trust_framework":"x","evidence":[]},"claims":{}}}`,
		"evidence without its type":   `{"verified_claims":{"verification":{"trust_framework":"x","evidence":[{}]},"claims":{}}}`,
		"a check without its method":  `{"verified_claims":{"verification":{"trust_framework":"x","evidence":[{"type":"vouch","check_details":[{"check_id":"x"}]}]},"claims":{}}}`,
		"a document without its type": `{"verified_claims":{"verification":{"trust_framework":"x","evidence":[{"type":"document","document_details":{}}]},"claims":{}}}`,
		"a record in a document":      `{"verified_claims":{"verification":{"trust_framework":"x","evidence":[{"type":"document","record":{"type":"x"}}]},"claims":{}}}`,
		"a time that is none":         `{"verified_claims":{"verification":{"trust_framework":"x","time":"today"},"claims":{}}}`,
		"a claim that is null":        `{"verified_claims":{"verification":{"trust_framework":"x"},"claims":{"name":null}}}`,
		"an unknown member":           `{"verified_claims":{"verification":{"trust_framework":"x","txn":"x"},"claims":{}}}`,
		"an unknown member of source": `{"verified_claims":{"verification":{"trust_framework":"x","evidence":[{"type":"electronic_record","record":{"type":"x","source":{"x":"x"}}}]},"claims":{}}}`,
	} {
		if s.Validate(decoded(t, []byte(wrong))) == nil {
			t.Errorf("the schema admits %s: %s", name, wrong)
		}
	}
}

func TestUKSpelling(t *testing.T) {
	t.Parallel()
	plain := h1a(t)
	plain.Verification.Evidence[1].DocumentDetails.Type = "idcard"
	plain.Verification.AssuranceProcess.Details[2].Evidence[0].Metadata = &EvidenceMetadata{Classification: "high_kbv"}
	before := encoded(t, plain)
	uk := plain.UK()
	if diff := cmp.Diff(decoded(t, before), decoded(t, encoded(t, plain))); diff != "" {
		t.Errorf("UK changes its receiver (-want +got):\n%s", diff)
	}
	if got := uk.Verification.TrustFramework; got != "uk_dvstf" {
		t.Errorf("trust_framework = %q, want uk_dvstf", got)
	}
	if got := uk.Verification.AssuranceProcess.Procedure; got != "H1A" {
		t.Errorf("procedure = %q, want H1A", got)
	}
	var kinds, classes []string
	for _, d := range uk.Verification.AssuranceProcess.Details {
		kinds = append(kinds, d.Type)
		for _, ref := range d.Evidence {
			if ref.Metadata != nil {
				classes = append(classes, ref.CheckID+" "+ref.Metadata.Classification)
			}
		}
	}
	if want := []string{"validation", "validation", "verification", "counter_fraud"}; !slices.Equal(kinds, want) {
		t.Errorf("assurance_type = %q, want %q", kinds, want)
	}
	// The UK schema has no way to say strength.
	if want := []string{"chk-face-05 high_kbv", "chk-fraud-06 id_fraud"}; !slices.Equal(classes, want) {
		t.Errorf("evidence_classification = %q, want %q", classes, want)
	}
	if got := []string{uk.Verification.Evidence[0].DocumentDetails.Type, uk.Verification.Evidence[1].DocumentDetails.Type}; !slices.Equal(got, []string{"passport", "id_card"}) {
		t.Errorf("document types = %q, want passport and id_card", got)
	}
	// Another framework is not ours to spell.
	if diff := cmp.Diff(decoded(t, encoded(t, everything(t))), decoded(t, encoded(t, everything(t).UK()))); diff != "" {
		t.Errorf("UK changes an element of another framework (-want +got):\n%s", diff)
	}
	if got := (VerifiedClaims{Verification: Verification{TrustFramework: TrustFramework}}).UK().Verification.TrustFramework; got != TrustFrameworkUK {
		t.Errorf("trust_framework of a bare element = %q, want %q", got, TrustFrameworkUK)
	}
}

// OpenID Connect for Identity Assurance 1.0, Section 8: what is required, and "This array shall have at least one
// member" of each.
func TestMetadataHasWhatTheStandardRequires(t *testing.T) {
	t.Parallel()
	document, _ := decoded(t, encoded(t, Supported())).(map[string]any)
	for _, key := range []string{
		"trust_frameworks_supported", "claims_in_verified_claims_supported", "evidence_supported", "documents_supported",
		"documents_check_methods_supported", "electronic_records_supported",
	} {
		values, _ := document[key].([]any)
		if len(values) == 0 {
			t.Errorf("%s = %v, want at least one member", key, document[key])
		}
		for i, value := range values {
			if slices.Contains(values[:i], value) {
				t.Errorf("%s has %v twice", key, value)
			}
		}
	}
	if len(document) != 6 {
		t.Errorf("the metadata has %d members, want 6", len(document))
	}
	v := h1a(t)
	for claim := range v.Claims {
		if !slices.Contains(Supported().Claims, claim) {
			t.Errorf("the example's claim %s is not supported", claim)
		}
	}
	for _, e := range v.Verification.Evidence {
		if !slices.Contains(Supported().Evidence, e.Type) {
			t.Errorf("the example's evidence %s is not supported", e.Type)
		}
		if d := e.DocumentDetails; d != nil && !slices.Contains(Supported().Documents, d.Type) {
			t.Errorf("the example's document %s is not supported", d.Type)
		}
		if r := e.Record; r != nil && !slices.Contains(Supported().ElectronicRecords, r.Type) {
			t.Errorf("the example's record %s is not supported", r.Type)
		}
		for _, check := range e.CheckDetails {
			if e.Type == TypeDocument && !slices.Contains(Supported().DocumentsCheckMethods, check.Method) {
				t.Errorf("the example's check %s is not supported", check.Method)
			}
		}
	}
}
