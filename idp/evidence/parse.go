package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// MaxInput is the most bytes of JSON that one act of recording is read from.
const MaxInput = 256 << 10

// Parse reads what a desk hands in as JSON: one piece, or an array of them. A member that it does not know is an error: it
// might be a fact that would not count; and so is one that comes twice, since readers differ in which of the two they see
// (RFC 8259, Section 4). An error says where, and nothing of what was handed in but names that are known: a number may stand
// in the wrong place.
func Parse(text []byte) ([]Piece, error) {
	if len(text) > MaxInput {
		return nil, fmt.Errorf("evidence %w: more than %d bytes", ErrInvalid, MaxInput)
	}
	if err := checkMembers(text); err != nil {
		return nil, fmt.Errorf("evidence %w: %s", ErrInvalid, err.Error())
	}
	text = bytes.TrimSpace(text)
	if text[0] == '{' {
		text = append(append([]byte{'['}, text...), ']')
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var pieces []Piece
	if err := d.Decode(&pieces); err != nil {
		said := err.Error()
		if !strings.HasPrefix(said, "json: ") { // which has no names by now but known ones: the only other that reads is time.Time
			said = "a time is not of the form 2026-09-14T10:31:00Z"
		}
		return nil, fmt.Errorf("evidence %w: want a JSON object, or an array of them: %s", ErrInvalid, said)
	}
	if len(pieces) == 0 || len(pieces) > maxAtOnce {
		return nil, fmt.Errorf("evidence %w: %d pieces at once: want 1 to %d", ErrInvalid, len(pieces), maxAtOnce)
	}
	return pieces, nil
}

// checkMembers says where the text is not one JSON value, or has a member that is not known anywhere, or one twice.
func checkMembers(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	known := map[string]bool{}
	addMembers(known, reflect.TypeFor[Piece]())
	if err := checkValue(d, known, maxDepth); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("want one JSON object, or one array of them: there is more after it")
	}
	return nil
}

// maxDepth is how deep a value may be nested: a question of a check of a piece of an array.
const maxDepth = 8

func checkValue(d *json.Decoder, known map[string]bool, depth int) error {
	token, err := d.Token()
	delim, nested := token.(json.Delim)
	switch {
	case err != nil:
		return fmt.Errorf("want a JSON object, or an array of them: it is not JSON at byte %d", d.InputOffset())
	case !nested:
		return nil
	case depth == 0:
		return fmt.Errorf("it is nested deeper than %d levels", maxDepth)
	}
	seen := map[string]bool{}
	for d.More() {
		if delim == '{' {
			token, err := d.Token()
			name, _ := token.(string) // of a member: the decoder lets nothing else stand here
			switch {
			case err != nil:
				return fmt.Errorf("it is not JSON at byte %d", d.InputOffset())
			case !known[name]:
				return fmt.Errorf("the name that ends at byte %d is not known: `credence evidence add --help` says which are", d.InputOffset())
			case seen[name]:
				return fmt.Errorf("%s comes twice in one object, the second time at byte %d", name, d.InputOffset())
			}
			seen[name] = true
		}
		if err := checkValue(d, known, depth-1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("it is not JSON at byte %d", d.InputOffset())
	}
	return nil
}

// addMembers adds the names of the members that a type has in JSON, and those of what it holds.
func addMembers(known map[string]bool, t reflect.Type) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[time.Time]() {
		return
	}
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		known[name] = known[name] || name != ""
		addMembers(known, f.Type)
	}
}
