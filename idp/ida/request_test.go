package ida

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// minimal asks for as little as can be asked, with more beside it in verification.
func minimal(more string) string {
	return `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null` + more + `},"claims":{}}}}`
}

// claimsOnly asks for claims under any trust framework.
func claimsOnly(claims string) string {
	return `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":` + claims + `}}}`
}

func evidence(entries string) string { return minimal(`,"evidence":[` + entries + `]`) }

// checksOf asks for documents with so many filters of their checks.
func checksOf(n int) string {
	return `{"type":{"value":"document"},"check_details":[` + strings.Join(slices.Repeat([]string{`{"check_method":null}`}, n), ",") + `]}`
}

// Each row is a rule, a request that breaks it, what the developer is told, and the nearest request that does not.
func TestParseClaimsRefusesWhatIsNotARequest(t *testing.T) {
	t.Parallel()
	s := schema(t, "verified_claims_request.json")
	for name, test := range map[string]struct{ rule, refused, says, accepted string }{
		"verification is required": {
			"Core 5.5 and Schema 5.2: verification: Required.",
			`{"userinfo":{"verified_claims":{"claims":{}}}}`, "userinfo.verified_claims: both members are required, verification and claims",
			minimal(""),
		},
		"claims is required": {
			"Schema 5.2: claims: Required.",
			`{"id_token":{"verified_claims":{"verification":{"trust_framework":null}}}}`, "id_token.verified_claims: both members are required",
			`{"id_token":{"verified_claims":{"verification":{"trust_framework":null},"claims":null}}}`,
		},
		"trust_framework is required": {
			"Schema 5.4.2: trust_framework: Required.",
			`{"userinfo":{"verified_claims":{"verification":{},"claims":{}}}}`, "trust_framework is required, as null",
			minimal(""),
		},
		"verified_claims is no null": {
			"Schema 5.2: A single object or an array of objects.",
			`{"userinfo":{"verified_claims":null}}`, "must be an object with the members verification and claims",
			minimal(""),
		},
		"verified_claims is no empty array": {
			"an array of verified_claims objects instead of a single object",
			`{"userinfo":{"verified_claims":[]}}`, "must have 1 to 20 elements",
			`{"userinfo":{"verified_claims":[{"verification":{"trust_framework":null},"claims":{}}]}}`,
		},
		"each element of an array is one": {
			"an array of verified_claims objects instead of a single object",
			`{"userinfo":{"verified_claims":[{"verification":{"trust_framework":null},"claims":{}},{}]}}`, "userinfo.verified_claims[1]: both members",
			`{"userinfo":{"verified_claims":[{"verification":{"trust_framework":null},"claims":{}},{"verification":{"trust_framework":{"value":"eidas"}},"claims":{}}]}}`,
		},
		"an evidence entry says its type": {
			"The RP therefore shall specify this type by including the type field including a suitable value sub-element value.",
			evidence(`{"check_details":[{"check_method":null}]}`), "evidence[0].type: must have value",
			evidence(`{"type":{"value":"document"},"check_details":[{"check_method":null}]}`),
		},
		"an evidence type is not null": {
			"The RP therefore shall specify this type by including the type field including a suitable value sub-element value.",
			evidence(`{"type":null}`), "evidence[0].type: must have value",
			evidence(`{"type":{"value":"vouch"}}`),
		},
		"an evidence type is a string": {
			"The RP therefore shall specify this type by including the type field including a suitable value sub-element value.",
			evidence(`{"type":{"value":1}}`), "evidence[0].type: must have value",
			evidence(`{"type":{"value":"qes"}}`),
		},
		"an evidence type has no values": {
			"The values sub-element shall not be used for the evidence/type field.",
			evidence(`{"type":{"value":"vouch"}},{"type":{"values":["document"]}}`), "evidence[1].type: must have value and not values",
			evidence(`{"type":{"value":"vouch"}},{"type":{"value":"document"}}`),
		},
		"evidence has entries": {
			"One or more entries in the evidence array are used as filter criteria.",
			evidence(""), "evidence: must have 1 to 20 entries",
			evidence(`{"type":{"value":"vouch"}}`),
		},
		"evidence is not null": {
			"the RP shall set fields one step deeper into the structure if it wants to obtain evidence",
			minimal(`,"evidence":null`), "evidence[0]: must be an object",
			evidence(`{"type":{"value":"vouch"}}`),
		},
		"assurance_details is not null": {
			"Schema 5.4.2: JSON array. When present this array shall have at least one member.",
			minimal(`,"assurance_process":{"assurance_details":null}`), "assurance_details[0]: must be an object",
			minimal(`,"assurance_process":{"assurance_details":[{"assurance_type":null}]}`),
		},
		"a part of verification with members is not null": {
			"the RP shall set fields one step deeper into the structure",
			evidence(`{"type":{"value":"document"},"document_details":null}`), "document_details: must be an object",
			evidence(`{"type":{"value":"document"},"document_details":{"type":null}}`),
		},
		"a leaf is null or an object": {
			"For each claim, the value is either null (default), or an object.",
			minimal(`,"time":true`), "verification.time: must be null, or an object",
			minimal(`,"time":{}`),
		},
		"a claim is null or an object": {
			"For each claim, the value is either null (default), or an object.",
			claimsOnly(`{"given_name":"Sarah"}`), "claims.given_name: must be null, or an object",
			claimsOnly(`{"given_name":{"value":"Sarah"}}`),
		},
		"an individual claim is null or an object": {
			"Core 5.5.1: The member values MUST be one of the following: null, JSON Object.",
			`{"userinfo":{"given_name":["Sarah"]}}`, "userinfo.given_name: must be null, or an object",
			`{"userinfo":{"given_name":null,"family_name":{}}}`,
		},
		"claims is an object": {
			"The verified_claims element includes a claims element, which in turn includes the desired claims as keys.",
			claimsOnly(`["given_name"]`), "verified_claims.claims: must be an object",
			claimsOnly(`{"given_name":null}`),
		},
		"essential is true or false": {
			"Core 5.5.1: essential OPTIONAL. If the value is true ...; If the value is false",
			claimsOnly(`{"given_name":{"essential":"yes"}}`), "given_name.essential: must be true or false",
			claimsOnly(`{"given_name":{"essential":false}}`),
		},
		"values is an array": {
			"Core 5.5.1: values OPTIONAL. Requests that the Claim be returned with one of a set of values",
			minimal(`,"assurance_level":{"values":"high"}`), "assurance_level.values: must be an array",
			minimal(`,"assurance_level":{"values":["high"]}`),
		},
		"values has a value": {
			"Core 5.5.1: values OPTIONAL. Requests that the Claim be returned with one of a set of values",
			minimal(`,"assurance_level":{"values":[]}`), "assurance_level.values: must be an array with at least one value",
			minimal(`,"assurance_level":{"values":["high","very_high"]}`),
		},
		"value and values do not come together": {
			"Core 5.5.1 has no meaning for both",
			minimal(`,"assurance_level":{"value":"high","values":["high"]}`), "assurance_level: has value and values",
			minimal(`,"assurance_level":{"value":"high"}`),
		},
		"max_age is not below 0": {
			"max_age: JSON number value ... the maximum time (in seconds) to be allowed to elapse",
			minimal(`,"time":{"max_age":-1}`), "time.max_age: must be a whole number of seconds, not below 0",
			minimal(`,"time":{"max_age":0}`),
		},
		"max_age is a whole number": {
			"max_age: JSON number value ... the maximum time (in seconds) to be allowed to elapse",
			minimal(`,"time":{"max_age":1.5}`), "time.max_age: must be a whole number",
			minimal(`,"time":{"max_age":63113852}`),
		},
		"max_age is a number": {
			"max_age: JSON number value",
			minimal(`,"time":{"max_age":"60"}`), "time.max_age: must be a whole number",
			minimal(`,"time":{"max_age":60}`),
		},
		"max_age is not beyond all bounds": {
			"every field is bounded",
			minimal(`,"time":{"max_age":9223372036854775808}`), "time.max_age: must be a whole number",
			minimal(`,"time":{"max_age":9223372036854775807}`),
		},
		"max_age is for dates in verification": {
			"max_age: only applicable to claims that contain dates or timestamps",
			minimal(`,"assurance_level":{"max_age":1}`), "assurance_level: has max_age, which only dates and times can have",
			evidence(`{"type":{"value":"document"},"document_details":{"type":null,"date_of_expiry":{"max_age":1},"date_of_issuance":{"max_age":1}}}`),
		},
		"max_age is for dates in claims": {
			"max_age: only applicable to claims that contain dates or timestamps",
			claimsOnly(`{"given_name":{"max_age":1}}`), "given_name: has max_age, which only dates and times can have",
			claimsOnly(`{"birthdate":{"max_age":1}}`),
		},
		"no name comes twice": {
			"RFC 8259, 4: The names within an object SHOULD be unique.",
			minimal(`,"time":null,"time":{"max_age":1}`), "a name comes twice in one object, the second time at byte 89",
			minimal(`,"time":{"max_age":1}`),
		},
		"userinfo is an object": {
			"Core 5.5: userinfo OPTIONAL. Requests that the listed individual Claims be returned",
			`{"userinfo":null}`, "userinfo: must be an object",
			`{"userinfo":{}}`,
		},
		"the parameter is an object": {
			"Core 5.5: The claims parameter value is represented in an OAuth 2.0 request as UTF-8 encoded JSON.",
			`[]`, "claims: must be a JSON object",
			`{}`,
		},
		"the parameter is JSON":          {"Core 5.5", `{"userinfo":}`, "claims: not JSON", `{"userinfo":{}}`},
		"the parameter is there":         {"Core 5.5", ``, "claims: not JSON: unexpected EOF", `{}`},
		"the parameter is complete":      {"Core 5.5", `{"userinfo":{"a":[`, "claims: not JSON: unexpected EOF", `{"userinfo":{}}`},
		"the parameter is one document":  {"Core 5.5", `{} {}`, "claims: not JSON: something follows", ` {} `},
		"an acr value is a string":       {"Core 5.5.1.1", `{"id_token":{"acr":{"values":[3]}}}`, "id_token.acr: each value must be a string", `{"id_token":{"acr":{"values":["AAL3_ANY"]}}}`},
		"the parameter is not too long":  {"bounds", `{"userinfo":{}}` + strings.Repeat(" ", maxSize), "claims: longer than 16384 bytes", `{"userinfo":{}}` + strings.Repeat(" ", maxSize-15)},
		"the parameter is not too deep":  {"bounds", strings.Repeat(`{"a":`, 13) + `1` + strings.Repeat(`}`, 13), "claims: nested deeper than 12 levels", strings.Repeat(`{"a":`, 12) + `1` + strings.Repeat(`}`, 12)},
		"there are not too many filters": {"bounds", evidence(strings.Repeat(`{"type":{"value":"vouch"}},`, 20) + `{"type":{"value":"vouch"}}`), "must have 1 to 20 entries", evidence(strings.Repeat(`{"type":{"value":"vouch"}},`, 19) + `{"type":{"value":"vouch"}}`)},
		"there are not too many in all": {
			"bounds",
			evidence(strings.Join(slices.Repeat([]string{checksOf(20)}, 5), ",")), "userinfo.verified_claims: has 105 entries of evidence and its checks in all, where 100 are the most",
			evidence(strings.Join(slices.Repeat([]string{checksOf(19)}, 5), ",")),
		},
		"a name is not too long":             {"bounds", fmt.Sprintf(`{"userinfo":{%q:null}}`, strings.Repeat("n", 257)), "claims: a name is longer than 256 bytes", fmt.Sprintf(`{"userinfo":{%q:null}}`, strings.Repeat("n", 256))},
		"an array in an array is no element": {"Schema 5.2", `{"userinfo":{"verified_claims":[[]]}}`, "userinfo.verified_claims[0]: must be an object", minimal("")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := ParseClaims(test.refused); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%s\nParseClaims(%.200s) = %v, want an error that says %q", test.rule, test.refused, err, test.says)
			}
			if _, err := ParseClaims(test.accepted); err != nil {
				t.Errorf("%s\nParseClaims(%.200s) = %v, want no error", test.rule, test.accepted, err)
			}
			if err := s.Validate(decoded(t, []byte(test.accepted))); err != nil {
				t.Errorf("%.200s is accepted but not as the schema says: %v", test.accepted, err)
			}
		})
	}
}

// Whoever makes up a link makes up what it asks, so the error that it causes has nothing of that but names that are known.
func TestErrorsOfParseClaimsRepeatNothing(t *testing.T) {
	t.Parallel()
	const words = "Call 0800 111"
	for raw, want := range map[string]string{
		`{"userinfo":{"` + words + `":1}}`:                               "userinfo: a claim that is not known here: must be null",
		`{"id_token":{"` + words + `":{"essential":1}}}`:                 "id_token: a claim that is not known here.essential: must be true or false",
		`{"id_token":{"given_name":1}}`:                                  "id_token.given_name: must be null",
		`{"id_token":{"acr":1}}`:                                         "id_token.acr: must be null",
		claimsOnly(`{"` + words + `":1}`):                                "userinfo.verified_claims.claims: a claim that is not known here: must be null",
		claimsOnly(`{"given_name":1}`):                                   "userinfo.verified_claims.claims.given_name: must be null",
		`{"userinfo":{"` + words + `":null,"` + words + `":null}}`:       "a name comes twice in one object, the second time at byte 49",
		`{"userinfo":{"` + words + `" "` + words + `"}}`:                 "not JSON: at byte ",
		minimal(`,"` + words + `":1,"time":{"max_age":"` + words + `"}`): "verification.time.max_age: must be a whole number",
		`{"id_token":{"acr":{"values":["` + words + `",1]}}}`:            "id_token.acr: each value must be a string",
	} {
		_, err := ParseClaims(raw)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "0800") {
			t.Errorf("ParseClaims(%s) = %v, want %q and nothing of what was asked", raw, err, want)
		}
	}
}

// "Any members used that are not understood MUST be ignored" (Core 5.5 and 5.5.1); "Implementations shall ignore any
// sub-element not defined in this specification" (Schema 5.2).
func TestParseClaimsIgnoresWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for name, raw := range map[string]string{
		"a place":                      `{"introspection":7,"userinfo":{}}`,
		"a member of a claim":          `{"userinfo":{"given_name":{"purpose":"x","max_age":"x"}}}`,
		"a claim":                      claimsOnly(`{"favourite colour \u00e9 <>":{"essential":true,"max_age":1}}`),
		"a member of verified_claims":  `{"userinfo":{"verified_claims":{"verification":{"trust_framework":null},"claims":{},"purpose":1}}}`,
		"a member of verification":     minimal(`,"risk":7,"essential":true`),
		"a member of an evidence":      evidence(`{"type":{"value":"document"},"attachments":null,"derived_claims":{"name":null}}`),
		"the purpose of an old draft":  claimsOnly(`{"given_name":{"purpose":"ab"}}`),
		"the members of evidence_ref":  minimal(`,"assurance_process":{"assurance_details":[{"evidence_ref":[{"check_id":null}]}]}`),
		"a restriction it cannot read": minimal(`,"risk":{"score":{"value":1}}`),
	} {
		if _, err := ParseClaims(raw); err != nil {
			t.Errorf("%s: ParseClaims(%s) = %v, want no error", name, raw, err)
		}
	}
}

func TestParseClaimsReadsTheExample(t *testing.T) {
	t.Parallel()
	raw := read(t, "ida-request-example.json")
	if err := schema(t, "verified_claims_request.json").Validate(decoded(t, raw)); err != nil {
		t.Errorf("the example is not as the schema says: %v", err)
	}
	r, err := ParseClaims(string(raw))
	if err != nil {
		t.Fatalf("ParseClaims(example) = %v", err)
	}
	if !r.UserInfo.AsksVerified() || r.IDToken.AsksVerified() {
		t.Errorf("verified claims are asked of userinfo %v and id_token %v, want of userinfo alone", r.UserInfo.AsksVerified(), r.IDToken.AsksVerified())
	}
}

func TestParseClaimsReadsIndividualClaims(t *testing.T) {
	t.Parallel()
	r, err := ParseClaims(`{"userinfo":{"given_name":{"essential":true},"email":null},"id_token":{"sub":{"value":"u1"},"auth_time":{"essential":true}}}`)
	if err != nil {
		t.Fatal(err)
	}
	if email, ok := r.UserInfo.Claims["email"]; !ok || email.Essential || email.Values != nil {
		t.Errorf("email = %+v, %v; want asked for without a constraint", email, ok)
	}
	if !r.UserInfo.Claims["given_name"].Essential || !r.IDToken.Claims["auth_time"].Essential {
		t.Error("given_name and auth_time are not essential, want them to be")
	}
	sub := r.IDToken.Claims["sub"]
	if now := at("2026-11-22T00:00:00Z"); !sub.Admits("u1", now) || sub.Admits("u2", now) {
		t.Errorf("sub %+v admits u1 %v and u2 %v, want u1 alone", sub, sub.Admits("u1", now), sub.Admits("u2", now))
	}
	if _, ok := r.UserInfo.Claims["sub"]; ok {
		t.Error("sub is asked of userinfo, want of the ID token alone")
	}
}

func TestACR(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]struct {
		values        []string
		essential, ok bool
	}{
		`{}`:                        {},
		`{"id_token":{}}`:           {},
		`{"userinfo":{"acr":null}}`: {},
		`{"id_token":{"acr":null}}`: {ok: true},
		`{"id_token":{"acr":{"essential":true}}}`:                                          {essential: true, ok: true},
		`{"id_token":{"acr":{"value":"AAL3_ANY"}}}`:                                        {values: []string{"AAL3_ANY"}, ok: true},
		`{"id_token":{"acr":{"essential":true,"values":["AAL3_ANY","AAL2_OR_AAL3_ANY"]}}}`: {values: []string{"AAL3_ANY", "AAL2_OR_AAL3_ANY"}, essential: true, ok: true},
	} {
		r, err := ParseClaims(raw)
		if err != nil {
			t.Fatalf("ParseClaims(%s) = %v", raw, err)
		}
		if values, essential, ok := r.ACR(); !slices.Equal(values, want.values) || essential != want.essential || ok != want.ok {
			t.Errorf("ACR of %s = %q, %v, %v; want %q, %v, %v", raw, values, essential, ok, want.values, want.essential, want.ok)
		}
	}
}
