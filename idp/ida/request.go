package ida

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
)

// Request is the claims request parameter: OpenID Connect Core 1.0, Section 5.5. It is stored as the text it came as,
// and parsed again where it is answered.
type Request struct {
	UserInfo Part // what is asked of the userinfo endpoint
	IDToken  Part // what is asked of the ID token
}

// Constraint is what may restrict the value of a claim that is asked for. The zero value asks for whatever is there.
type Constraint struct {
	Essential bool   // for acr alone this changes the answer: Identity Assurance, Section 5.7.1
	Values    []any  // any of these will do, and nil restricts nothing
	MaxAge    *int64 // the oldest that will do, in seconds: of dates and times within verified_claims
}

// Part is what is asked of one place.
type Part struct {
	Claims map[string]Constraint // the individual claims, by name; verified_claims is not among them

	verified []verifiedRequest
	array    bool // verified_claims was an array, and so is its answer
}

// verifiedRequest is one verified_claims element of a request.
type verifiedRequest struct {
	verification element
	claims       map[string]Constraint
}

// ParseClaims reads the claims request parameter. Its errors say what the developer of the relying party has to change,
// and make the request invalid_request; a request that is well formed and cannot be met is no error. What is not known
// is ignored, as both standards ask. The errors name no claims but those that are known here, and repeat nothing else.
func ParseClaims(raw string) (Request, error) {
	value, err := decode(raw)
	if err != nil {
		return Request{}, fmt.Errorf("claims: %w", err)
	}
	top, ok := value.(map[string]any)
	if !ok {
		return Request{}, errors.New("claims: must be a JSON object with the members userinfo and id_token, or one of them")
	}
	var r Request
	if r.UserInfo, err = parsePart(top, "userinfo"); err != nil {
		return Request{}, err
	}
	if r.IDToken, err = parsePart(top, "id_token"); err != nil {
		return Request{}, err
	}
	for _, class := range r.IDToken.Claims["acr"].Values {
		if _, ok := class.(string); !ok {
			return Request{}, errors.New("id_token.acr: each value must be a string")
		}
	}
	return r, nil
}

// ACR is the authentication context that is asked of the ID token, in order of preference, and whether one of the values
// has to be reached: OpenID Connect Core 1.0, Section 5.5.1.1. It is not ok when none is asked about.
func (r Request) ACR() (values []string, essential, ok bool) {
	acr, ok := r.IDToken.Claims["acr"]
	for _, class := range acr.Values {
		if class, ok := class.(string); ok {
			values = append(values, class)
		}
	}
	return values, acr.Essential, ok
}

// AsksVerified says whether verified claims are asked for: whether there is anything to Select.
func (p Part) AsksVerified() bool { return len(p.verified) > 0 }

func parsePart(top map[string]any, where string) (Part, error) {
	value, asked := top[where]
	if !asked {
		return Part{}, nil
	}
	members, ok := value.(map[string]any)
	if !ok {
		return Part{}, fmt.Errorf("%s: must be an object with the claims that are asked for", where)
	}
	p := Part{Claims: map[string]Constraint{}}
	for name, value := range members {
		at := claimAt(where, name)
		if name == "verified_claims" {
			var err error
			if p.verified, p.array, err = parseVerifiedClaims(at, value); err != nil {
				return Part{}, err
			}
			continue
		}
		c, err := parseConstraint(at, value)
		if err != nil {
			return Part{}, err
		}
		p.Claims[name] = c
	}
	entries := 0
	for _, r := range p.verified {
		entries += r.verification.count()
	}
	if entries > maxAllEntries {
		return Part{}, fmt.Errorf("%s.verified_claims: has %d entries of evidence and its checks in all, where %d are the most", where, entries, maxAllEntries)
	}
	return p, nil
}

func parseVerifiedClaims(where string, value any) (requests []verifiedRequest, array bool, err error) {
	elements, array := value.([]any)
	if !array {
		r, err := parseVerifiedRequest(where, value)
		return []verifiedRequest{r}, false, err
	}
	if len(elements) == 0 || len(elements) > maxEntries {
		return nil, true, fmt.Errorf("%s: must have 1 to %d elements", where, maxEntries)
	}
	for i, e := range elements {
		r, err := parseVerifiedRequest(index(where, i), e)
		if err != nil {
			return nil, true, err
		}
		requests = append(requests, r)
	}
	return requests, true, nil
}

func parseVerifiedRequest(where string, value any) (verifiedRequest, error) {
	members, ok := value.(map[string]any)
	if !ok {
		return verifiedRequest{}, fmt.Errorf("%s: must be an object with the members verification and claims, or an array of such objects", where)
	}
	verification, hasVerification := members["verification"]
	claims, hasClaims := members["claims"]
	if !hasVerification || !hasClaims {
		return verifiedRequest{}, fmt.Errorf("%s: both members are required, verification and claims", where)
	}
	var r verifiedRequest
	var err error
	if r.verification, err = parseElement(where+".verification", verificationShape(), verification); err != nil {
		return verifiedRequest{}, err
	}
	if _, ok := r.verification.members["trust_framework"]; !ok {
		return verifiedRequest{}, fmt.Errorf("%s.verification: trust_framework is required, as null if any will do", where)
	}
	r.claims, err = parseVerifiedNames(where+".claims", claims)
	return r, err
}

// parseVerifiedNames reads the claims that are asked for, null if none is, and keeps those that can be answered.
func parseVerifiedNames(where string, value any) (map[string]Constraint, error) {
	names, ok := value.(map[string]any)
	if !ok && value != nil {
		return nil, fmt.Errorf("%s: must be an object with the claims that are asked for", where)
	}
	supported := Supported().Claims
	claims := map[string]Constraint{}
	for name, value := range names {
		at := claimAt(where, name)
		c, err := parseConstraint(at, value)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(supported, name) {
			continue
		}
		if c.MaxAge, err = parseMaxAge(at, name == "birthdate", value); err != nil {
			return nil, err
		}
		claims[name] = c
	}
	return claims, nil
}

// claimAt names a claim in an error, if it is one that is known.
func claimAt(where, name string) string {
	if name == "verified_claims" || name == "acr" || slices.Contains(Supported().Claims, name) {
		return where + "." + name
	}
	return where + ": a claim that is not known here"
}

// parseConstraint reads null, or an object that restricts what will do. Members that are not understood are ignored:
// OpenID Connect Core 1.0, Section 5.5.1.
func parseConstraint(where string, value any) (Constraint, error) {
	members, ok := value.(map[string]any)
	if !ok && value != nil {
		return Constraint{}, fmt.Errorf("%s: must be null, or an object with essential, value or values", where)
	}
	var c Constraint
	if essential, asked := members["essential"]; asked {
		if c.Essential, ok = essential.(bool); !ok {
			return Constraint{}, fmt.Errorf("%s.essential: must be true or false", where)
		}
	}
	one, hasOne := members["value"]
	many, hasMany := members["values"]
	switch {
	case hasOne && hasMany:
		return Constraint{}, fmt.Errorf("%s: has value and values, where one of them must do", where)
	case hasOne:
		c.Values = []any{one}
	case hasMany:
		if c.Values, ok = many.([]any); !ok || len(c.Values) == 0 {
			return Constraint{}, fmt.Errorf("%s.values: must be an array with at least one value", where)
		}
	}
	return c, nil
}

// parseMaxAge reads the max_age of an element, which only dates and times may have.
func parseMaxAge(where string, date bool, value any) (*int64, error) {
	members, _ := value.(map[string]any)
	age, asked := members["max_age"]
	if !asked {
		return nil, nil
	}
	if !date {
		return nil, fmt.Errorf("%s: has max_age, which only dates and times can have", where)
	}
	number, _ := age.(json.Number)
	seconds, err := strconv.ParseInt(number.String(), 10, 64)
	if err != nil || seconds < 0 {
		return nil, fmt.Errorf("%s.max_age: must be a whole number of seconds, not below 0", where)
	}
	return &seconds, nil
}

func index(where string, i int) string { return where + "[" + strconv.Itoa(i) + "]" }
