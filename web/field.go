package web

import (
	"fmt"
	"strings"
)

// row is one line of a summary list.
type row struct{ Label, Value string }

// field is what the form components print: an input, a select or a list of radio buttons.
type field struct {
	ID           string
	Name         string // in the form; the ID unless given
	Label        string
	Hint         string
	Value        string
	Width        string // in characters
	MaxLength    string // in characters; no limit unless given
	Type         string // of an input
	InputMode    string
	Autocomplete string
	Error        string // what is wrong with the value
	Options      []Option
}

// newField makes a field from the page's errors and pairs of key and value, as in
//
//	{{template "input" (field .Errors "id" "username" "label" "User ID" "value" .Username)}}
func newField(errors []FieldError, pairs ...string) (field, error) {
	f := field{Type: "text"}
	keys := map[string]*string{
		"id": &f.ID, "name": &f.Name, "label": &f.Label, "hint": &f.Hint, "value": &f.Value,
		"width": &f.Width, "maxlength": &f.MaxLength, "type": &f.Type, "inputmode": &f.InputMode, "autocomplete": &f.Autocomplete,
	}
	for len(pairs) >= 2 {
		value, ok := keys[pairs[0]]
		if !ok {
			return field{}, fmt.Errorf("field has no %q", pairs[0])
		}
		*value, pairs = pairs[1], pairs[2:]
	}
	if len(pairs) != 0 {
		return field{}, fmt.Errorf("field: no value for %q", pairs[0])
	}
	if f.Name == "" {
		f.Name = f.ID
	}
	for _, e := range errors {
		if e.Field == f.ID {
			f.Error = e.Message
			break
		}
	}
	return f, nil
}

// choices gives a field its options: {{field … | choices .Methods}}.
func choices(options []Option, f field) field {
	f.Options = options
	return f
}

// pieces are the parts of an email address after which a line may end.
func pieces(address string) (all []string) {
	for part := range strings.SplitAfterSeq(address, "@") {
		all = append(all, strings.SplitAfter(part, ".")...)
	}
	return all
}
