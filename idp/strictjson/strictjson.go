// Package strictjson reads JSON that somebody hands in to be put on record.
//
// It guarantees that nothing of it is read past or guessed. A member that is not known where it stands is an error: it might
// be a fact that would not count; and so is one that comes twice, since readers differ in which of the two they see (RFC 8259,
// Section 4), and whatever follows the one value. An error says where, and nothing of what was handed in but names that are
// known: a secret may stand in the wrong place.
//
// It reads structs of text, booleans, whole numbers, times, lists and structs, with a tag json on each field. A field that is a
// [json.RawMessage] takes an object as it is, of which the rest is for whoever reads that.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Unmarshal reads one JSON value into what v points to: a struct, or a list of them.
func Unmarshal(text []byte, v any) error {
	if !utf8.Valid(text) { // RFC 8259, Section 8.1; encoding/json would put other characters in its place
		return errors.New("want it in UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := checkValue(d, "", reflect.TypeOf(v).Elem()); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("want one JSON object, or one array of them: there is more after it")
	}
	if err := json.Unmarshal(text, v); err != nil { // of what has the shape, only a time that is written with escapes
		return fmt.Errorf("want %s for a time", inWords(reflect.TypeFor[time.Time]()))
	}
	return nil
}

// checkValue checks the next value, which is the member of that name or in its list.
func checkValue(d *json.Decoder, name string, t reflect.Type) error {
	if t == reflect.TypeFor[json.RawMessage]() {
		return checkRaw(d, name)
	}
	token, err := d.Token()
	if err != nil {
		return notJSON(d)
	}
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	right := false
	switch token := token.(type) {
	case nil:
		right = true // as if it were not there
	case bool:
		right = t.Kind() == reflect.Bool
	case string:
		right = t.Kind() == reflect.String || t == reflect.TypeFor[time.Time]() && new(time.Time).UnmarshalText([]byte(token)) == nil
	case json.Number:
		_, err := strconv.ParseInt(token.String(), 10, 32)
		right = t.Kind() == reflect.Int && err == nil
	case json.Delim:
		switch {
		case token == '[' && t.Kind() == reflect.Slice:
			return checkList(d, name, t.Elem())
		case token == '{' && t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]():
			return checkMembers(d, t)
		}
	}
	switch {
	case right:
		return nil
	case name == "":
		return fmt.Errorf("want a JSON object, or an array of them, at byte %d", d.InputOffset())
	}
	return fmt.Errorf("the value of %s at byte %d: want %s", name, d.InputOffset(), inWords(t))
}

// checkRaw checks a member that somebody else reads, by other rules: it has to be an object.
func checkRaw(d *json.Decoder, name string) error {
	var raw json.RawMessage
	if err := d.Decode(&raw); err != nil {
		return notJSON(d)
	}
	if raw[0] != '{' {
		return fmt.Errorf("the value of %s at byte %d: want an object", name, d.InputOffset())
	}
	return nil
}

func checkList(d *json.Decoder, name string, element reflect.Type) error {
	for d.More() {
		if err := checkValue(d, name, element); err != nil {
			return err
		}
	}
	return closed(d)
}

// checkMembers checks the members of an object that is read into a struct.
func checkMembers(d *json.Decoder, t reflect.Type) error {
	types := map[string]reflect.Type{}
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" {
			types[name], names = f.Type, append(names, name)
		}
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		name, _ := token.(string) // the decoder lets nothing else stand here
		switch {
		case err != nil:
			return notJSON(d)
		case types[name] == nil:
			return fmt.Errorf("the name that ends at byte %d is not known there: want one of %s", d.InputOffset(), strings.Join(names, ", "))
		case seen[name]:
			return fmt.Errorf("%s comes twice in one object, the second time at byte %d", name, d.InputOffset())
		}
		seen[name] = true
		if err := checkValue(d, name, types[name]); err != nil {
			return err
		}
	}
	return closed(d)
}

// closed takes the end of a list or an object.
func closed(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return notJSON(d)
	}
	return nil
}

func notJSON(d *json.Decoder) error {
	return fmt.Errorf("want a JSON object, or an array of them: it is not JSON at byte %d", d.InputOffset())
}

// inWords says what stands in JSON for a type.
func inWords(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return "a time such as 2026-09-14T10:31:00Z"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() == reflect.Int:
		return "a whole number"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Struct:
		return "an object"
	}
	return "text"
}
