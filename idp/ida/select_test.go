package ida

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// at is a time as JSON writes it.
func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

func parsed(tb testing.TB, raw string) Request {
	tb.Helper()
	r, err := ParseClaims(raw)
	if err != nil {
		tb.Fatalf("ParseClaims(%s) = %v", raw, err)
	}
	return r
}

func selected(tb testing.TB, p Part, held []VerifiedClaims, now time.Time) any {
	tb.Helper()
	answer, err := p.Select(held, now)
	if err != nil {
		tb.Fatalf("Select = %v", err)
	}
	return answer
}

// Rows are of the example's person (H1A, proved on 2026-09-14) on 2026-11-22. Each has the sentence of the standard that
// it is about, a verified_claims request, and the answer; an answer of null is none.
func TestSelect(t *testing.T) {
	t.Parallel()
	const (
		bare     = `{"verification":{"trust_framework":"uk_diatf"},"claims":{}}`
		withName = `{"verification":{"trust_framework":"uk_diatf"},"claims":{"given_name":"Sarah"}}`
		minimize = "Note: The OP shall not provide the RP with any data it did not request."
		mismatch = "If the respective requirement was expressed for a claim within verified_claims/verification, the OP shall omit the whole verified_claims element."
		omitted  = "Otherwise, the OP shall omit the respective claim from the response."
		upwards  = "If an element is to be omitted ..., but is a requirement for a valid response, the OP shall omit its parent element as well."
		absent   = "If the OP does not have data about a certain claim, does not understand/support the respective claim, OPs shall omit the respective claim"
		anyOf    = "If multiple entries are present in evidence, these filters are linked by a logical OR."
		whole    = "Where assurance_details has been requested by an RP the OP shall return the assurance_details element along with all sub-elements that it has."
		refers   = "The claim provider shall ensure that check_id is present in the check_details when evidence_ref element is used."
		deeper   = "the RP shall set fields one step deeper into the structure if it wants to obtain evidence"
		checks   = "An RP can filter check_details by requesting a particular value for one or more of its sub-elements. If multiple entries for the same sub-element are present this acts as a logical OR between them."
		restrict = "The OP shall not ignore some or all of the query restrictions on possible values and shall not deliver available verified/verification data that does not match these constraints."
		age      = "The OP should make the calculation of elapsed time starting from the last valid second of the date value."
		each     = "The OP will provide verified_claims response elements for every verified_claims request element whose requirements it is able to fulfill."
		required = "Important: The behavior described below is independent from the use of essential."
	)
	verification := func(more string) string {
		return `{"verification":{"trust_framework":null` + more + `},"claims":{}}`
	}
	claims := func(claims string) string {
		return `{"verification":{"trust_framework":null},"claims":` + claims + `}`
	}
	s := schema(t, "verified_claims.json")
	for name, test := range map[string]struct{ rule, request, want string }{
		"the least that can be asked":        {minimize, verification(""), bare},
		"null claims are no claims":          {"The claims element may be empty, to support use cases where verification is required but no claims data needs to be shared.", claims(`null`), bare},
		"a claim":                            {minimize, claims(`{"given_name":null}`), withName},
		"an essential claim":                 {required, claims(`{"given_name":{"essential":true}}`), withName},
		"an optional claim":                  {required, claims(`{"given_name":{"essential":false}}`), withName},
		"a claim that is not held":           {absent, claims(`{"given_name":null,"birth_family_name":null}`), withName},
		"an essential claim that is not":     {required, claims(`{"given_name":null,"title":{"essential":true}}`), withName},
		"a claim that is not known":          {absent, claims(`{"given_name":null,"https://example.com/!$%":{"essential":true}}`), withName},
		"an object claim is no leaf":         {"it is not possible to request sub-claims", claims(`{"nationalities":{}}`), `{"verification":{"trust_framework":"uk_diatf"},"claims":{"nationalities":["GBR"]}}`},
		"a claim of the asked value":         {omitted, claims(`{"given_name":{"value":"Sarah"}}`), withName},
		"a claim of one of the asked values": {omitted, claims(`{"given_name":{"values":["Sara","Sarah"]}}`), withName},
		"a claim of an array's value":        {omitted, claims(`{"nationalities":{"value":["GBR"]}}`), `{"verification":{"trust_framework":"uk_diatf"},"claims":{"nationalities":["GBR"]}}`},
		"a claim of another value":           {omitted, claims(`{"given_name":{"value":"Sara"},"family_name":null}`), `{"verification":{"trust_framework":"uk_diatf"},"claims":{"family_name":"Meredyth"}}`},
		"a claim of none of the values":      {omitted, claims(`{"given_name":{"values":["Sara","Zara"],"essential":true}}`), bare},
		"a claim of another type":            {omitted, claims(`{"given_name":{"value":["Sarah"]}}`), bare},
		"a birthdate young enough":           {age, claims(`{"birthdate":{"max_age":3153600000}}`), `{"verification":{"trust_framework":"uk_diatf"},"claims":{"birthdate":"1976-03-11"}}`},
		"a birthdate too long ago":           {omitted, claims(`{"birthdate":{"max_age":567648000},"given_name":null}`), withName},

		"the trust framework as asked":   {mismatch, `{"verification":{"trust_framework":{"value":"uk_diatf"}},"claims":{"given_name":null}}`, withName},
		"another trust framework":        {mismatch, `{"verification":{"trust_framework":{"value":"eidas"}},"claims":{"given_name":null}}`, `null`},
		"one of the trust frameworks":    {"The following example shows how an RP requests claims either complying with trust framework gold or silver.", `{"verification":{"trust_framework":{"values":["gold","uk_diatf"]}},"claims":{"given_name":null}}`, withName},
		"none of the trust frameworks":   {mismatch, `{"verification":{"trust_framework":{"values":["gold","silver"]}},"claims":{"given_name":null}}`, `null`},
		"a level as asked":               {mismatch, verification(`,"assurance_level":{"values":["high","very_high"]}`), `{"verification":{"trust_framework":"uk_diatf","assurance_level":"high"},"claims":{}}`},
		"another level":                  {mismatch, verification(`,"assurance_level":{"value":"very_high"}`), `null`},
		"a demand that is not essential": {required, verification(`,"assurance_level":{"value":"very_high","essential":false}`), `null`},
		"a process":                      {minimize, verification(`,"verification_process":null,"assurance_process":{"policy":{"value":"gpg45"},"procedure":null}`), `{"verification":{"trust_framework":"uk_diatf","verification_process":"2b6f6b0e-6d0b-4a43-9c51-5b8f6a0f1c77","assurance_process":{"policy":"gpg45","procedure":"h1a"}},"claims":{}}`},
		"another procedure":              {mismatch, verification(`,"assurance_process":{"procedure":{"value":"m1a"}}`), `null`},
		"a process without members":      {minimize, verification(`,"assurance_process":{}`), bare},
		"a time young enough":            {age, verification(`,"time":{"max_age":5966280}`), `{"verification":{"trust_framework":"uk_diatf","time":"2026-09-14T10:42:00Z"},"claims":{}}`},
		"a time too long ago":            {mismatch, verification(`,"time":{"max_age":5966279}`), `null`},
		"a restriction not understood":   {restrict, verification(`,"risk":{"score":{"values":["low"]}}`), `null`},
		"a request not understood":       {absent, verification(`,"risk":{"score":null}`), bare},
		"a restriction on a reference":   {restrict, verification(`,"assurance_process":{"assurance_details":[{"evidence_ref":[{"check_id":{"value":"chk-face-05"}}]}]}`), `null`},
		"a restriction on an object":     {restrict, verification(`,"assurance_process":{"value":"gpg45"}`), `null`},

		"evidence of a type":           {deeper, verification(`,"evidence":[{"type":{"value":"document"}}]`), `{"verification":{"trust_framework":"uk_diatf","evidence":[{"type":"document"},{"type":"document"}]},"claims":{}}`},
		"evidence of a type not there": {mismatch, verification(`,"evidence":[{"type":{"value":"vouch"}}]`), `null`},
		"evidence of an unknown type":  {mismatch, verification(`,"evidence":[{"type":{"value":"electronic_signature"},"issuer":null}]`), `null`},
		"evidence of any of two types": {anyOf, verification(`,"evidence":[{"type":{"value":"vouch"}},{"type":{"value":"electronic_record"}}]`), `{"verification":{"trust_framework":"uk_diatf","evidence":[{"type":"electronic_record"}]},"claims":{}}`},
		"each filter is a template": {
			anyOf, verification(`,"evidence":[
			{"type":{"value":"document"},"document_details":{"type":{"value":"passport"},"document_number":null}},
			{"type":{"value":"electronic_record"},"record":{"type":null,"source":{"name":null}}}]`),
			`{"verification":{"trust_framework":"uk_diatf","evidence":[{"type":"document","document_details":{"type":"passport","document_number":"123456789"}},
			{"type":"electronic_record","record":{"type":"fraud_register","source":{"name":"National Fraud Database"}}}]},"claims":{}}`,
		},
		"two filters that admit the same": {
			anyOf, verification(`,"evidence":[
			{"type":{"value":"document"},"document_details":{"type":{"value":"passport"}},"check_details":[{"check_method":{"value":"pvp"}}]},
			{"type":{"value":"document"},"document_details":{"type":null,"date_of_expiry":null,"issuer":{"country_code":null}},"check_details":[{"check_method":{"value":"vcrypt"},"check_id":null}]}]`),
			`{"verification":{"trust_framework":"uk_diatf","evidence":[{"type":"document",
			"check_details":[{"check_method":"vcrypt","check_id":"chk-pp-chip-01"},{"check_method":"pvp"}],
			"document_details":{"type":"passport","date_of_expiry":"2031-03-02","issuer":{"country_code":"GBR"}}}]},"claims":{}}`,
		},
		"a document of another type":     {mismatch, verification(`,"evidence":[{"type":{"value":"document"},"document_details":{"type":{"value":"idcard"}}}]`), `null`},
		"a document issued too long ago": {mismatch, verification(`,"evidence":[{"type":{"value":"document"},"document_details":{"type":null,"date_of_issuance":{"max_age":86400}}}]`), `null`},
		"a document issued lately": {
			restrict, verification(`,"evidence":[{"type":{"value":"document"},"document_details":{"type":null,"date_of_issuance":{"max_age":157680000}}}]`),
			`{"verification":{"trust_framework":"uk_diatf","evidence":[{"type":"document","document_details":{"type":"driving_permit","date_of_issuance":"2022-05-01"}}]},"claims":{}}`,
		},
		"a document that has not expired": {
			"the maximum time (in seconds) to be allowed to elapse since the value of the date/timestamp", verification(`,"evidence":[{"type":{"value":"document"},"document_details":{"type":{"value":"passport"},"date_of_expiry":{"max_age":0}}}]`),
			`{"verification":{"trust_framework":"uk_diatf","evidence":[{"type":"document","document_details":{"type":"passport","date_of_expiry":"2031-03-02"}}]},"claims":{}}`,
		},
		"a restriction on what is not held":    {restrict, verification(`,"evidence":[{"type":{"value":"document"},"document_details":{"type":null,"serial_number":{"value":"x"}}}]`), `null`},
		"a restriction in the wrong evidence":  {restrict, verification(`,"evidence":[{"type":{"value":"document"},"record":{"type":{"value":"passport"}}}]`), `null`},
		"a member of another type of evidence": {absent, verification(`,"evidence":[{"type":{"value":"electronic_record"},"document_details":{"type":null}}]`), `{"verification":{"trust_framework":"uk_diatf","evidence":[{"type":"electronic_record"}]},"claims":{}}`},
		"a document without its type":          {upwards, verification(`,"evidence":[{"type":{"value":"document"},"document_details":{"document_number":null}}]`), `{"verification":{"trust_framework":"uk_diatf","evidence":[{"type":"document"},{"type":"document"}]},"claims":{}}`},
		"a check without its method":           {upwards, verification(`,"evidence":[{"type":{"value":"electronic_record"},"check_details":[{"time":null}]}]`), `{"verification":{"trust_framework":"uk_diatf","evidence":[{"type":"electronic_record"}]},"claims":{}}`},
		"a document details without members":   {deeper, verification(`,"evidence":[{"type":{"value":"electronic_record"},"record":{}}]`), `{"verification":{"trust_framework":"uk_diatf","evidence":[{"type":"electronic_record"}]},"claims":{}}`},
		"checks of one method":                 {checks, verification(`,"evidence":[{"type":{"value":"document"},"check_details":[{"check_method":{"value":"pvp"},"time":null}]}]`), `{"verification":{"trust_framework":"uk_diatf","evidence":[{"type":"document","check_details":[{"check_method":"pvp","time":"2026-09-14T10:36:00Z"}]}]},"claims":{}}`},
		"checks of several methods":            {checks, verification(`,"evidence":[{"type":{"value":"document"},"check_details":[{"check_method":{"value":"pvp"}},{"check_method":{"value":"data"}}]}]`), `{"verification":{"trust_framework":"uk_diatf","evidence":[{"type":"document","check_details":[{"check_method":"pvp"}]},{"type":"document","check_details":[{"check_method":"data"}]}]},"claims":{}}`},
		"checks of a method that was not used": {mismatch, verification(`,"evidence":[{"type":{"value":"document"},"check_details":[{"check_method":{"value":"kbv"}}]}]`), `null`},
		"checks asked for as an object":        {"the examples of Section 5.4 ask for check_details as an object", verification(`,"evidence":[{"type":{"value":"electronic_record"},"check_details":{"check_method":null}}]`), `{"verification":{"trust_framework":"uk_diatf","evidence":[{"type":"electronic_record","check_details":[{"check_method":"data"}]}]},"claims":{}}`},
		"checks too long ago":                  {mismatch, verification(`,"evidence":[{"type":{"value":"document"},"check_details":[{"check_method":null,"time":{"max_age":1}}]}]`), `null`},

		"details whole, and no evidence": {
			whole + " " + refers, verification(`,"assurance_process":{"assurance_details":[{"assurance_type":null}]}`),
			`{"verification":{"trust_framework":"uk_diatf","assurance_process":{"assurance_details":[
			{"assurance_type":"evidence_validation","assurance_classification":"score_3"},{"assurance_type":"evidence_validation","assurance_classification":"score_2"},
			{"assurance_type":"verification","assurance_classification":"score_3"},{"assurance_type":"counter_fraud","assurance_classification":"score_1"}]}},"claims":{}}`,
		},
		"details refer to checks that are given": {
			refers, verification(`,"assurance_process":{"assurance_details":[{}]},"evidence":[{"type":{"value":"document"},"check_details":[{"check_method":{"value":"vcrypt"},"check_id":null}]}]`),
			`{"verification":{"trust_framework":"uk_diatf","assurance_process":{"assurance_details":[
			{"assurance_type":"evidence_validation","assurance_classification":"score_3","evidence_ref":[{"check_id":"chk-pp-chip-01","evidence_metadata":{"evidence_classification":"score_4_strength"}}]},
			{"assurance_type":"evidence_validation","assurance_classification":"score_2"},
			{"assurance_type":"verification","assurance_classification":"score_3"},{"assurance_type":"counter_fraud","assurance_classification":"score_1"}]},
			"evidence":[{"type":"document","check_details":[{"check_method":"vcrypt","check_id":"chk-pp-chip-01"}]}]},"claims":{}}`,
		},
		"details as demanded": {
			restrict, verification(`,"assurance_process":{"assurance_details":[{"assurance_type":{"value":"counter_fraud"},"assurance_classification":{"values":["score_1"]}}]}`),
			`{"verification":{"trust_framework":"uk_diatf","assurance_process":{"assurance_details":[
			{"assurance_type":"evidence_validation","assurance_classification":"score_3"},{"assurance_type":"evidence_validation","assurance_classification":"score_2"},
			{"assurance_type":"verification","assurance_classification":"score_3"},{"assurance_type":"counter_fraud","assurance_classification":"score_1"}]}},"claims":{}}`,
		},
		"details not as demanded": {mismatch, verification(`,"assurance_process":{"assurance_details":[{"assurance_type":{"value":"counter_fraud"},"assurance_classification":{"value":"score_3"}}]}`), `null`},

		"an array":                    {each, `[` + claims(`{"given_name":null}`) + `]`, `[` + withName + `]`},
		"an array, partly as asked":   {each, `[{"verification":{"trust_framework":{"value":"eidas"}},"claims":{}},` + claims(`{"given_name":null}`) + `]`, `[` + withName + `]`},
		"an array, none as asked":     {each, `[{"verification":{"trust_framework":{"value":"eidas"}},"claims":{}}]`, `null`},
		"a claim in several elements": {"if multiple verified_claims elements contain the same end-user claim(s), the OP delivers the claim in as many verified claims response objects it can fulfill", `[` + claims(`{"given_name":null}`) + `,` + claims(`{"given_name":null}`) + `]`, `[` + withName + `,` + withName + `]`},
		"elements keep to their own":  {minimize, `[` + claims(`{"given_name":null}`) + `,` + verification(`,"assurance_level":null`) + `]`, `[` + withName + `,{"verification":{"trust_framework":"uk_diatf","assurance_level":"high"},"claims":{}}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, place := range []string{"userinfo", "id_token"} {
				r := parsed(t, `{"`+place+`":{"verified_claims":`+test.request+`}}`)
				asked, other := r.UserInfo, r.IDToken
				if place == "id_token" {
					asked, other = other, asked
				}
				got := selected(t, asked, []VerifiedClaims{h1a(t)}, at("2026-11-22T12:00:00Z"))
				if diff := cmp.Diff(decoded(t, []byte(test.want)), got); diff != "" {
					t.Errorf("%s\nanswer to %s in %s (-want +got):\n%s", test.rule, test.request, place, diff)
				}
				if got != nil {
					holds(t, s, []byte(test.request), got)
				}
				if got := selected(t, other, []VerifiedClaims{h1a(t)}, at("2026-11-22T12:00:00Z")); got != nil {
					t.Errorf("asked in %s, the other place is given %v", place, got)
				}
			}
		})
	}
}

// The answer to the example, whole: what is not there, such as who checked and the numbers of the documents, was not asked for.
func TestSelectAnswersTheExample(t *testing.T) {
	t.Parallel()
	r := parsed(t, string(read(t, "ida-request-example.json")))
	got := selected(t, r.UserInfo, []VerifiedClaims{everything(t), h1a(t)}, at("2026-11-22T12:00:00Z"))
	want := decoded(t, []byte(`{
		"verification": {
			"trust_framework": "uk_diatf",
			"assurance_level": "high",
			"assurance_process": {
				"policy": "gpg45",
				"procedure": "h1a",
				"assurance_details": [
					{ "assurance_type": "evidence_validation", "assurance_classification": "score_3", "evidence_ref": [
						{ "check_id": "chk-pp-chip-01", "evidence_metadata": { "evidence_classification": "score_4_strength" } },
						{ "check_id": "chk-pp-uv-02", "evidence_metadata": { "evidence_classification": "score_4_strength" } } ] },
					{ "assurance_type": "evidence_validation", "assurance_classification": "score_2", "evidence_ref": [
						{ "check_id": "chk-dl-uv-03", "evidence_metadata": { "evidence_classification": "score_3_strength" } },
						{ "check_id": "chk-dl-data-04", "evidence_metadata": { "evidence_classification": "score_3_strength" } } ] },
					{ "assurance_type": "verification", "assurance_classification": "score_3", "evidence_ref": [ { "check_id": "chk-face-05" } ] },
					{ "assurance_type": "counter_fraud", "assurance_classification": "score_1" }
				]
			},
			"time": "2026-09-14T10:42:00Z",
			"evidence": [
				{ "type": "document", "document_details": { "type": "passport" }, "check_details": [
					{ "check_method": "vcrypt", "check_id": "chk-pp-chip-01", "time": "2026-09-14T10:31:00Z" },
					{ "check_method": "vpiruv", "check_id": "chk-pp-uv-02", "time": "2026-09-14T10:33:00Z" },
					{ "check_method": "pvp", "check_id": "chk-face-05", "time": "2026-09-14T10:36:00Z" } ] },
				{ "type": "document", "document_details": { "type": "driving_permit" }, "check_details": [
					{ "check_method": "vpiruv", "check_id": "chk-dl-uv-03", "time": "2026-09-14T10:34:00Z" },
					{ "check_method": "data", "check_id": "chk-dl-data-04", "time": "2026-09-14T10:35:00Z" } ] }
			]
		},
		"claims": { "given_name": "Sarah", "family_name": "Meredyth", "birthdate": "1976-03-11" }
	}`))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer to the example (-want +got):\n%s", diff)
	}
	// Two years after the proof, max_age is past, and the person's other element is under another framework.
	if got := selected(t, r.UserInfo, []VerifiedClaims{everything(t), h1a(t)}, at("2028-11-22T12:00:00Z")); got != nil {
		t.Errorf("two years later the answer is %v, want none", got)
	}
}

func TestSelectTakesTheFirstHeldElementThatWillDo(t *testing.T) {
	t.Parallel()
	now := at("2026-11-22T12:00:00Z")
	r := parsed(t, `{"userinfo":{"verified_claims":[
		{"verification":{"trust_framework":null},"claims":{"given_name":null}},
		{"verification":{"trust_framework":{"value":"example_framework"}},"claims":{"given_name":null,"salary":null}},
		{"verification":{"trust_framework":{"value":"uk_dvstf"},"assurance_process":{"procedure":{"value":"H1A"}}},"claims":{}}]}}`)
	got := selected(t, r.UserInfo, []VerifiedClaims{h1a(t).UK(), everything(t)}, now)
	want := decoded(t, []byte(`[
		{"verification":{"trust_framework":"uk_dvstf"},"claims":{"given_name":"Sarah"}},
		{"verification":{"trust_framework":"example_framework"},"claims":{"given_name":"Ada"}},
		{"verification":{"trust_framework":"uk_dvstf","assurance_process":{"procedure":"H1A"}},"claims":{}}]`))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if got := selected(t, r.UserInfo, nil, now); got != nil {
		t.Errorf("of a person about whom nothing is held, the answer is %v, want none", got)
	}
}

// Several requests are answered from one held element: what one of them leaves out, the next still gets.
func TestSelectDoesNotSpoilWhatIsHeld(t *testing.T) {
	t.Parallel()
	const details = `"assurance_process":{"assurance_details":[{}]}`
	const checks = `"evidence":[{"type":{"value":"document"},"check_details":[{"check_method":null,"check_id":null}]}]`
	r := parsed(t, `{"userinfo":{"verified_claims":[
		{"verification":{"trust_framework":null,`+details+`},"claims":{}},
		{"verification":{"trust_framework":null,`+details+`,`+checks+`},"claims":{}}]}}`)
	answers, _ := selected(t, r.UserInfo, []VerifiedClaims{h1a(t)}, at("2026-11-22T12:00:00Z")).([]any)
	if len(answers) != 2 {
		t.Fatalf("Select gives %d elements, want 2", len(answers))
	}
	for i, want := range []int{0, 5} {
		if got := strings.Count(string(encoded(t, answers[i])), `"evidence_ref"`); (got > 0) != (want > 0) {
			t.Errorf("element %d has %d evidence_ref, want some: %v", i, got, want > 0)
		}
	}
}

// Details that do nothing but refer to evidence say nothing where that evidence was not asked for.
func TestSelectLeavesOutDetailsOfWhichNothingRemains(t *testing.T) {
	t.Parallel()
	const details = `"assurance_process":{"assurance_details":[{}]}`
	held := everything(t)
	held.Verification.AssuranceProcess.Details = held.Verification.AssuranceProcess.Details[1:2]
	for request, want := range map[string]string{
		details: `{"trust_framework":"example_framework"}`,
		details + `,"evidence":[{"type":{"value":"electronic_record"},"check_details":[{"check_method":null,"check_id":null}]}]`: `{"trust_framework":"example_framework",
			"assurance_process":{"assurance_details":[{"evidence_ref":[{"check_id":"chk-bank"}]}]},
			"evidence":[{"type":"electronic_record","check_details":[{"check_method":"data","check_id":"chk-bank"}]},{"type":"electronic_record"}]}`,
	} {
		r := parsed(t, minimal(","+request))
		got := selected(t, r.UserInfo, []VerifiedClaims{held}, at("2026-11-22T12:00:00Z"))
		if diff := cmp.Diff(decoded(t, []byte(want)), find(got, "verification")); diff != "" {
			t.Errorf("verification asked for by %s (-want +got):\n%s", request, diff)
		}
	}
}

func TestAdmits(t *testing.T) {
	t.Parallel()
	now := at("2026-11-22T12:00:00Z")
	for _, test := range []struct {
		value any
		age   int64
		want  bool
	}{
		{"2026-11-22T12:00:00Z", 0, true},
		{"2026-11-22T11:59:59Z", 0, false},
		{"2026-11-22T11:59:59Z", 1, true},
		{"2026-11-22T12:59:00+01:00", 60, true},
		{"2026-11-22T11:58Z", 61, true}, // its last second is 11:58:59
		{"2026-11-22T11:58Z", 60, false},
		{"2026-11-22", 0, true}, // it ends tonight
		{"2026-11-21", 43201, true},
		{"2026-11-21", 43200, false},
		{"2027-01-01", 0, true}, // yet to come
		{"2025", 28123200, false},
		{"2025", 28123201, true},
		{"2026-02-30", 1 << 62, false},
		{"yesterday", 1 << 62, false},
		{json.Number("1763812800"), 1 << 62, false},
		{nil, 1 << 62, false},
	} {
		if got := (Constraint{MaxAge: &test.age}).Admits(test.value, now); got != test.want {
			t.Errorf("max_age %d admits %v = %v, want %v", test.age, test.value, got, test.want)
		}
	}
	if (Constraint{Values: []any{nil}}).Admits(nil, now) {
		t.Error("a value of null admits what is not there, want not")
	}
	if !(Constraint{}).Admits(nil, now) {
		t.Error("no restriction refuses what is not there, want not")
	}
}

// holds checks what is promised of every answer: it is as the schema says, tells nothing that was not asked for, and
// refers to nothing that is not in it. request is the verified_claims that was asked for.
func holds(tb testing.TB, s *jsonschema.Schema, request []byte, answer any) {
	tb.Helper()
	if err := s.Validate(map[string]any{"verified_claims": answer}); err != nil {
		tb.Errorf("the answer to %s is not as the schema says: %v", request, err)
	}
	var asked []map[string]bool
	for _, r := range elements(decoded(tb, request)) {
		asked = append(asked, requestedPaths(r))
	}
	for _, element := range elements(answer) {
		told := toldPaths(element)
		if !slices.ContainsFunc(asked, func(allowed map[string]bool) bool {
			return !slices.ContainsFunc(told, func(path string) bool { return !allowed[path] })
		}) {
			tb.Errorf("asked for %s\nno element asks for all of %q", request, told)
		}
	}
}

func elements(value any) []any {
	if array, ok := value.([]any); ok {
		return array
	}
	return []any{value}
}

// requestedPaths lists what an element asks for, evidence by its type. It knows nothing of the package but the standard.
func requestedPaths(request any) map[string]bool {
	paths := map[string]bool{}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		paths[path] = true
		switch v := value.(type) {
		case map[string]any:
			for name, value := range v {
				walk(path+"/"+name, value)
			}
		case []any:
			for _, value := range v {
				if kind, ok := find(value, "type", "value").(string); ok && path == "/verification/evidence" {
					walk(path+"/"+kind, value)
				} else {
					walk(path, value)
				}
			}
		}
	}
	walk("", request)
	if paths["/verification/assurance_process/assurance_details"] {
		for _, name := range []string{"assurance_type", "assurance_classification", "evidence_ref/check_id", "evidence_ref/evidence_metadata/evidence_classification"} {
			paths["/verification/assurance_process/assurance_details/"+name] = true
		}
	}
	return paths
}

// toldPaths lists the leaves of an answer. A reference to a check that the answer does not give is listed as what it is: told.
func toldPaths(answer any) []string {
	var paths, given []string
	for _, e := range elements(find(answer, "verification", "evidence")) {
		for _, check := range elements(find(e, "check_details")) {
			if id, ok := find(check, "check_id").(string); ok {
				given = append(given, id)
			}
		}
	}
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch v := value.(type) {
		case map[string]any:
			if strings.Count(path, "/") == 2 && strings.HasPrefix(path, "/claims/") {
				paths = append(paths, path)
				return
			}
			for name, value := range v {
				walk(path+"/"+name, value)
			}
		case []any:
			for _, value := range v {
				if path == "/verification/evidence" {
					walk(fmt.Sprint(path, "/", find(value, "type")), value)
				} else {
					walk(path, value)
				}
			}
		default:
			if strings.HasSuffix(path, "/evidence_ref/check_id") && !slices.Contains(given, fmt.Sprint(v)) {
				path += " of a check that is not given"
			}
			paths = append(paths, path)
		}
	}
	walk("", answer)
	return paths
}

func find(value any, names ...string) any {
	for _, name := range names {
		members, _ := value.(map[string]any)
		value = members[name]
	}
	return value
}

// The checker of leaks sees leaks.
func TestLeaksAreSeen(t *testing.T) {
	t.Parallel()
	const request = `{"verification":{"trust_framework":null,"evidence":[{"type":{"value":"document"},"check_details":[{"check_method":null}]}],"assurance_process":{"assurance_details":[{}]}},"claims":{"given_name":null}}`
	allowed := requestedPaths(decoded(t, []byte(request)))
	for answer, leaks := range map[string]bool{
		`{"verification":{"trust_framework":"x","evidence":[{"type":"document","check_details":[{"check_method":"x"}]}]},"claims":{"given_name":"x"}}`: false,
		`{"verification":{"trust_framework":"x","time":"x"},"claims":{}}`:                                                                              true,
		`{"verification":{"trust_framework":"x","evidence":[{"type":"vouch"}]},"claims":{}}`:                                                           true,
		`{"verification":{"trust_framework":"x","evidence":[{"type":"document","check_details":[{"check_id":"x"}]}]},"claims":{}}`:                     true,
		`{"verification":{"trust_framework":"x"},"claims":{"family_name":"x"}}`:                                                                        true,
		`{"verification":{"trust_framework":"x"},"claims":{"address":{"locality":"x"}}}`:                                                               true,
		`{"verification":{"trust_framework":"x","assurance_process":{"assurance_details":[{"assurance_type":"x"}]}},"claims":{}}`:                      false,
		`{"verification":{"trust_framework":"x","assurance_process":{"assurance_details":[{"evidence_ref":[{"check_id":"x"}]}]}},"claims":{}}`:         true,
	} {
		told := toldPaths(decoded(t, []byte(answer)))
		if got := slices.ContainsFunc(told, func(path string) bool { return !allowed[path] }); got != leaks {
			t.Errorf("leak in %s = %v, want %v", answer, got, leaks)
		}
	}
}

func checkParts(tb testing.TB, s *jsonschema.Schema, raw string, held []VerifiedClaims) {
	tb.Helper()
	r, err := ParseClaims(raw)
	if err != nil {
		return
	}
	for place, part := range map[string]Part{"userinfo": r.UserInfo, "id_token": r.IDToken} {
		if answer := selected(tb, part, held, at("2026-11-22T12:00:00Z")); answer != nil {
			holds(tb, s, encoded(tb, find(decoded(tb, []byte(raw)), place, "verified_claims")), answer)
		}
	}
	r.ACR()
}

// No text makes ParseClaims fail otherwise than by an error, and no request that it admits is told what it did not ask for.
func FuzzParseClaims(f *testing.F) {
	f.Add(string(read(f, "ida-request-example.json")))
	f.Add(minimal(`,"time":{"max_age":60},"risk":{"value":1}`))
	f.Add(claimsOnly(`{"address":null,"given_name":{"values":["Ada"]}}`))
	f.Add(`{"id_token":{"acr":{"essential":true,"values":["AAL3_ANY"]},"verified_claims":[{"verification":{"trust_framework":{"value":"eidas"}},"claims":{}}]}}`)
	f.Add(evidence(`{"type":{"value":"vouch"},"check_details":{"check_method":null},"attestation":{"type":null,"voucher":{"name":null}}}`))
	s, held := schema(f, "verified_claims.json"), []VerifiedClaims{h1a(f), everything(f)}
	f.Fuzz(func(t *testing.T, raw string) { checkParts(t, s, raw, held) })
}

// FuzzSelect asks at random for what the standard knows, from which mutated text seldom comes.
func FuzzSelect(f *testing.F) {
	for seed := range uint64(300) {
		f.Add(seed)
	}
	s, held := schema(f, "verified_claims.json"), []VerifiedClaims{h1a(f), everything(f), h1a(f).UK()}
	f.Fuzz(func(t *testing.T, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 0)) // the same requests for the same seed
		request := encoded(t, randomElements(rng, held))
		if _, err := ParseClaims(`{"userinfo":{"verified_claims":` + string(request) + `}}`); err != nil {
			t.Fatalf("ParseClaims(%s) = %v", request, err)
		}
		checkParts(t, s, `{"userinfo":{"verified_claims":`+string(request)+`}}`, held[rng.IntN(len(held)):])
	})
}

func randomElements(rng *rand.Rand, held []VerifiedClaims) []any {
	var requests []any
	for range 1 + rng.IntN(3) {
		verification, _ := randomRequest(rng, verificationShape()).(map[string]any)
		verification["trust_framework"] = nil
		if rng.IntN(3) == 0 {
			verification["trust_framework"] = map[string]any{"values": []string{held[rng.IntN(len(held))].Verification.TrustFramework, "eidas"}}
		}
		claims := map[string]any{}
		for _, name := range append(Supported().Claims, "salary") {
			if rng.IntN(2) == 0 {
				claims[name] = nil
			}
		}
		requests = append(requests, map[string]any{"verification": verification, "claims": claims})
	}
	return requests
}

func randomRequest(rng *rand.Rand, s shape) any {
	if s.members == nil {
		switch rng.IntN(12) {
		case 0:
			return map[string]any{"value": "high"}
		case 1:
			if s.date {
				return map[string]any{"max_age": rng.Int64N(1 << 30)}
			}
			return map[string]any{"essential": true}
		}
		return nil
	}
	if !s.list {
		return randomMembers(rng, s)
	}
	var entries []any
	for range 1 + rng.IntN(3) {
		entry := randomMembers(rng, s)
		if s.byType {
			entry["type"] = map[string]any{"value": []string{TypeDocument, TypeElectronicRecord, TypeVouch}[rng.IntN(3)]}
		}
		entries = append(entries, entry)
	}
	return entries
}

func randomMembers(rng *rand.Rand, s shape) map[string]any {
	members := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(s.members)) { // so that a seed means the same request each time
		if name == s.required && rng.IntN(8) > 0 || rng.IntN(2) == 0 {
			members[name] = randomRequest(rng, s.members[name])
		}
	}
	return members
}
