package assurance

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"
)

// ParseScores reads scores from one JSON object and nothing after it. A member that is absent is 0 or empty, but for strength,
// which each piece has; one that is unknown, stands twice or has another type is an error, where encoding/json would look away: RFC 8259, Section 4. Ranges
// are for [Policy.Evaluate].
func ParseScores(document []byte) (Scores, error) {
	if !utf8.Valid(document) {
		return Scores{}, errors.New("want JSON in UTF-8")
	}
	var whole json.RawMessage // finds every mistake of syntax, also behind the object
	if err := json.Unmarshal(document, &whole); err != nil {
		return Scores{}, fmt.Errorf("want one JSON object: %w", err)
	}
	r := reader{json.NewDecoder(bytes.NewReader(document))}
	r.UseNumber()
	var s Scores
	err := r.object(func(name string) (err error) {
		switch name {
		case "evidence":
			s.Evidence, err = r.evidence()
		case "activity":
			s.Activity, err = r.number()
		case "fraud":
			s.Fraud, err = r.number()
		case "verification":
			s.Verification, err = r.number()
		default:
			return errors.New("no such member: want evidence, activity, fraud, verification")
		}
		return err
	})
	if err != nil {
		return Scores{}, err
	}
	return s, nil
}

// reader takes what it wants from a document that is known to be JSON.
type reader struct{ *json.Decoder }

func (r reader) evidence() ([]Evidence, error) {
	if err := r.begin('['); err != nil {
		return nil, err
	}
	list := []Evidence{}
	for r.More() {
		var e Evidence
		strength := false
		err := r.object(func(name string) (err error) {
			switch name {
			case "kind":
				e.Kind, err = r.text()
			case "strength":
				strength = true
				e.Strength, err = r.number()
			case "validity":
				e.Validity, err = r.number()
			default:
				return errors.New("no such member: want kind, strength, validity")
			}
			return err
		})
		if err == nil && !strength { // which is never 0
			err = fmt.Errorf("strength is missing: want 1 to %d", checkStrength.most())
		}
		if err != nil {
			return nil, fmt.Errorf("%d: %w", len(list)+1, err)
		}
		list = append(list, e)
	}
	_, err := r.Token()
	return list, err
}

// object takes an object, whose members it lets be taken by name.
func (r reader) object(member func(name string) error) error {
	if err := r.begin('{'); err != nil {
		return err
	}
	var seen []string
	for r.More() {
		name, err := r.text()
		if err != nil {
			return err
		}
		if slices.Contains(seen, name) {
			return fmt.Errorf("%q stands twice", shorten(name))
		}
		seen = append(seen, name)
		if err := member(name); err != nil {
			return fmt.Errorf("%q: %w", shorten(name), err)
		}
	}
	_, err := r.Token()
	return err
}

func (r reader) begin(delimiter json.Delim) error {
	t, err := r.Token()
	if err == nil && t != delimiter {
		return fmt.Errorf("want %s", map[json.Delim]string{'{': "an object", '[': "a list"}[delimiter])
	}
	return err
}

func (r reader) text() (string, error) {
	t, err := r.Token()
	text, ok := t.(string)
	if err == nil && !ok {
		return "", errors.New("want text")
	}
	return text, err
}

func (r reader) number() (int, error) {
	t, err := r.Token()
	if err != nil {
		return 0, err
	}
	number, _ := t.(json.Number)
	n, err := strconv.Atoi(string(number))
	if err != nil {
		return 0, errors.New("want a whole number")
	}
	return n, nil
}
