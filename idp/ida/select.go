package ida

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"
)

// Select is the value of the verified_claims that p asks for, as encoding/json decodes it: an element, or an array of
// elements if an array was asked for, or nil when there is nothing to give. held is all that may be told about the
// person, most preferred first: each element that is asked for is answered from the first held one that satisfies it.
//
// The answer has nothing that was not asked for. assurance_details are given whole, as the standard asks, but they refer
// only to checks that are given beside them; a reference to evidence that was not asked for would tell of that evidence.
func (p Part) Select(held []VerifiedClaims, now time.Time) (any, error) {
	if !p.AsksVerified() {
		return nil, nil
	}
	data := make([]map[string]any, len(held))
	for i, v := range held {
		encoded, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("encode verified claims: %w", err)
		}
		d := json.NewDecoder(bytes.NewReader(encoded))
		d.UseNumber()
		if err := d.Decode(&data[i]); err != nil {
			return nil, fmt.Errorf("decode verified claims: %w", err)
		}
	}
	var answers []any
	for _, r := range p.verified {
		for _, d := range data {
			if answer := r.answer(d, now); answer != nil {
				answers = append(answers, answer)
				break
			}
		}
	}
	switch {
	case len(answers) == 0:
		return nil, nil
	case !p.array:
		return answers[0], nil
	}
	return answers, nil
}

// answer is what is given of an element, or nil if its verification is not as it was asked to be: Identity Assurance,
// Section 5.7.4, "If the respective requirement was expressed for a claim within verified_claims/verification, the OP
// shall omit the whole verified_claims element. Otherwise, the OP shall omit the respective claim from the response."
func (r verifiedRequest) answer(held map[string]any, now time.Time) any {
	s := verificationShape()
	picked, met := r.verification.pick(s, held["verification"], now)
	if !met {
		return nil
	}
	verification, ok := prune(s, picked).(map[string]any)
	if !ok {
		return nil
	}
	dropReferences(verification)
	claims := map[string]any{}
	all, _ := held["claims"].(map[string]any)
	for name, c := range r.claims {
		if value := all[name]; value != nil && c.Admits(value, now) {
			claims[name] = value
		}
	}
	return map[string]any{"verification": verification, "claims": claims}
}

// pick takes from data what e asks for, and says whether all that e demands is met. What is not there meets no demand.
// A picked list keeps the places of the data, with nil for what was not picked, so that two picks can be merged.
func (e element) pick(s shape, data any, now time.Time) (picked any, met bool) {
	switch {
	case s.list:
		return e.pickList(s, data, now)
	case s.members != nil:
		return e.pickObject(s, data, now)
	}
	return data, e.constraint.Admits(data, now)
}

func (e element) pickObject(s shape, data any, now time.Time) (any, bool) {
	if e.unmeetable {
		return nil, false
	}
	members, _ := data.(map[string]any)
	picked := map[string]any{}
	for name, asked := range e.members {
		value, met := asked.pick(s.members[name], members[name], now)
		if !met {
			return nil, false
		}
		if value != nil {
			picked[name] = value
		}
	}
	return picked, true
}

// pickList gives the items that any of the entries admits, each with what those entries ask for.
func (e element) pickList(s shape, data any, now time.Time) (any, bool) {
	items, _ := data.([]any)
	picked, found := make([]any, len(items)), false
	for i, item := range items {
		for _, entry := range e.entries {
			if value, met := entry.pickObject(s, item, now); met {
				picked[i], found = merge(picked[i], value), true
			}
		}
	}
	if !found { // nothing to give, which is no matter if an entry demands nothing
		return nil, slices.ContainsFunc(e.entries, func(entry element) bool {
			_, met := entry.pickObject(s, nil, now)
			return met
		})
	}
	if s.whole {
		return data, true
	}
	return picked, true
}

// merge joins two picks of the same data.
func merge(a, b any) any {
	switch b := b.(type) {
	case map[string]any:
		a, ok := a.(map[string]any)
		if !ok {
			return b
		}
		for name, value := range b {
			a[name] = merge(a[name], value)
		}
		return a
	case []any:
		a, ok := a.([]any)
		if !ok {
			return b
		}
		for i, value := range b {
			a[i] = merge(a[i], value)
		}
		return a
	case nil:
		return a
	}
	return b
}

// prune takes away what an answer is not valid with, or nil if nothing remains: Identity Assurance, Section 5.7.5, "If
// an element is to be omitted according to the rules above, but is a requirement for a valid response, the OP shall omit
// its parent element as well."
func prune(s shape, picked any) any {
	switch v := picked.(type) {
	case []any:
		if s.whole {
			return v
		}
		s.list = false
		items := []any{}
		for _, item := range v {
			if item = prune(s, item); item != nil {
				items = append(items, item)
			}
		}
		if len(items) > 0 {
			return items
		}
		return nil
	case map[string]any:
		for name, value := range v {
			if v[name] = prune(s.members[name], value); v[name] == nil {
				delete(v, name)
			}
		}
		if _, ok := v[s.required]; len(v) == 0 || s.required != "" && !ok {
			return nil
		}
	}
	return picked
}

// dropReferences removes from the assurance_details the references to checks that are not given: Schema Definition,
// Section 5.4.2, "The claim provider shall ensure that check_id is present in the check_details when evidence_ref
// element is used."
func dropReferences(verification map[string]any) {
	given := map[any]bool{}
	evidence, _ := verification["evidence"].([]any)
	for _, e := range evidence {
		for _, check := range list(e, "check_details") {
			if check, ok := check.(map[string]any); ok && check["check_id"] != nil {
				given[check["check_id"]] = true
			}
		}
	}
	process, _ := verification["assurance_process"].(map[string]any)
	var details []any
	for _, d := range list(verification["assurance_process"], "assurance_details") {
		detail, _ := d.(map[string]any)
		detail = maps.Clone(detail) // held data is shared with the other elements of the request
		references := slices.DeleteFunc(slices.Clone(list(d, "evidence_ref")), func(reference any) bool {
			r, _ := reference.(map[string]any)
			return !given[r["check_id"]]
		})
		delete(detail, "evidence_ref")
		if len(references) > 0 {
			detail["evidence_ref"] = references
		}
		if len(detail) > 0 {
			details = append(details, detail)
		}
	}
	delete(process, "assurance_details")
	if len(details) > 0 {
		process["assurance_details"] = details
	}
	if len(process) == 0 {
		delete(verification, "assurance_process")
	}
}

// list is the array of that name in an object, if it is there.
func list(object any, name string) []any {
	members, _ := object.(map[string]any)
	values, _ := members[name].([]any)
	return values
}

// Admits says whether a value, as encoding/json decodes it, will do. One that is not there satisfies no restriction.
func (c Constraint) Admits(value any, now time.Time) bool {
	if value == nil {
		return c.Values == nil && c.MaxAge == nil
	}
	if c.Values != nil && !slices.ContainsFunc(c.Values, func(v any) bool { return reflect.DeepEqual(v, value) }) {
		return false
	}
	if c.MaxAge == nil {
		return true
	}
	text, _ := value.(string)
	last, ok := lastSecond(text)
	return ok && now.Unix()-last.Unix() <= *c.MaxAge
}

// lastSecond is the end of the date or time, from which its age counts: Identity Assurance, Section 5.5.2, "The OP should
// make the calculation of elapsed time starting from the last valid second of the date value." A date is one in UTC.
func lastSecond(text string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, true
	}
	if t, err := time.Parse("2006-01-02T15:04Z07:00", text); err == nil {
		return t.Add(time.Minute - time.Second), true
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t.AddDate(0, 0, 1).Add(-time.Second), true
	}
	t, err := time.Parse("2006", text) // a birthdate may be a year: OpenID Connect Core 1.0, Section 5.1
	return t.AddDate(1, 0, 0).Add(-time.Second), err == nil
}
