package ida

import (
	"errors"
	"fmt"
	"maps"
)

// shape is the form of a part of the verification element. Without members it is a leaf: a single value.
type shape struct {
	members  map[string]shape // of an object, or of each entry of a list
	list     bool
	whole    bool   // a list that is given as it is, or not at all
	date     bool   // a leaf that is a date or a time
	required string // the member without which an answer would not be valid
	byType   bool   // each request for an entry says of which type
}

// verificationShape is the form of the verification element as far as this provider fills it: Schema Definition,
// Section 5.4. evidence_ref is left out, because it is never asked for: it comes with assurance_details.
func verificationShape() shape {
	leaf, date := shape{}, shape{date: true}
	address := map[string]shape{
		"formatted": leaf, "street_address": leaf, "locality": leaf, "region": leaf, "postal_code": leaf,
		"country": leaf, "country_code": leaf,
	}
	source, voucher := maps.Clone(address), maps.Clone(address)
	maps.Copy(source, map[string]shape{"name": leaf, "jurisdiction": leaf})
	maps.Copy(voucher, map[string]shape{"name": leaf, "birthdate": date, "occupation": leaf, "organization": leaf})
	return shape{required: "trust_framework", members: map[string]shape{
		"trust_framework":      leaf,
		"assurance_level":      leaf,
		"time":                 date,
		"verification_process": leaf,
		"assurance_process": {members: map[string]shape{
			"policy":    leaf,
			"procedure": leaf,
			"assurance_details": {list: true, whole: true, members: map[string]shape{
				"assurance_type":           leaf,
				"assurance_classification": leaf,
			}},
		}},
		"evidence": {list: true, byType: true, required: "type", members: map[string]shape{
			"type": leaf,
			"check_details": {list: true, required: "check_method", members: map[string]shape{
				"check_method": leaf, "check_id": leaf, "organization": leaf, "time": date,
			}},
			"document_details": {required: "type", members: map[string]shape{
				"type": leaf, "document_number": leaf, "serial_number": leaf,
				"date_of_issuance": date, "date_of_expiry": date,
				"issuer": {members: source},
			}},
			"record": {required: "type", members: map[string]shape{
				"type": leaf, "created_at": date, "date_of_expiry": date,
				"source": {members: source},
			}},
			"attestation": {required: "type", members: map[string]shape{
				"type": leaf, "reference_number": leaf, "date_of_issuance": date, "date_of_expiry": date,
				"voucher": {members: voucher},
			}},
		}},
	}}
}

// element is what is asked of a part of the verification element: of a leaf a constraint, of an object some members, of
// a list entries of which any will do.
type element struct {
	constraint Constraint
	members    map[string]element
	entries    []element
	unmeetable bool // it restricts what is not known here, so nothing can be shown to satisfy it
}

// count is how many entries there are of lists.
func (e element) count() int {
	n := len(e.entries)
	for _, entry := range e.entries {
		n += entry.count()
	}
	for _, member := range e.members {
		n += member.count()
	}
	return n
}

func parseElement(where string, s shape, value any) (element, error) {
	switch {
	case s.list:
		return parseList(where, s, value)
	case s.members != nil:
		return parseObject(where, s, value)
	}
	c, err := parseConstraint(where, value)
	if err != nil {
		return element{}, err
	}
	c.MaxAge, err = parseMaxAge(where, s.date, value)
	return element{constraint: c}, err
}

// parseList reads an array. An object stands for an array of itself: examples of the standard ask for check_details so.
func parseList(where string, s shape, value any) (element, error) {
	entries, ok := value.([]any)
	if !ok {
		entries = []any{value}
	}
	if len(entries) == 0 || len(entries) > maxEntries {
		return element{}, fmt.Errorf("%s: must have 1 to %d entries", where, maxEntries)
	}
	var e element
	for i, entry := range entries {
		at := index(where, i)
		parsed, err := parseObject(at, s, entry)
		if err != nil {
			return element{}, err
		}
		if s.byType {
			if err := oneType(entry); err != nil {
				return element{}, fmt.Errorf("%s.type: %w", at, err)
			}
		}
		e.entries = append(e.entries, parsed)
	}
	return e, nil
}

// oneType holds an evidence entry to its rule: "The RP therefore shall specify this type by including the type field
// including a suitable value sub-element value. The values sub-element shall not be used for the evidence/type field."
func oneType(entry any) error {
	members, _ := entry.(map[string]any)
	kind, _ := members["type"].(map[string]any)
	if _, ok := kind["values"]; ok {
		return errors.New("must have value and not values: ask for each type in an entry of its own")
	}
	if _, ok := kind["value"].(string); !ok {
		return errors.New("must have value, the one type of evidence that the entry is about")
	}
	return nil
}

func parseObject(where string, s shape, value any) (element, error) {
	members, ok := value.(map[string]any)
	if !ok {
		return element{}, fmt.Errorf("%s: must be an object with the members that are asked for", where)
	}
	e := element{members: map[string]element{}}
	for name, value := range members {
		known, ok := s.members[name]
		if !ok {
			e.unmeetable = e.unmeetable || restricts(name, value)
			continue
		}
		parsed, err := parseElement(where+"."+name, known, value)
		if err != nil {
			return element{}, err
		}
		e.members[name] = parsed
	}
	return e, nil
}

// restricts says whether something unknown in a request restricts what will do. Asking for what is unknown is answered
// without it, but "the OP shall not ignore some or all of the query restrictions".
func restricts(name string, value any) bool {
	switch name {
	case "value", "values", "max_age":
		return true
	}
	switch v := value.(type) {
	case map[string]any:
		for name, value := range v {
			if restricts(name, value) {
				return true
			}
		}
	case []any:
		for _, value := range v {
			if restricts("", value) {
				return true
			}
		}
	}
	return false
}
