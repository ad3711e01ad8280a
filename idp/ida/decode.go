package ida

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The bounds of a claims parameter. The deepest restriction that the standard knows lies eleven levels down.
const (
	maxSize    = 16 << 10
	maxDepth   = 12
	maxEntries = 20 // of verified_claims, evidence, check_details and assurance_details, each
	maxName    = 256

	// maxAllEntries is of all lists below the verified_claims of one part: each is compared with all that is held.
	maxAllEntries = 100
)

// decode reads JSON of a stranger: bounded, and of one meaning. A name that comes twice in an object is refused, since
// readers differ in which of the two they see (RFC 8259, Section 4). Errors say where, and nothing of what is there: they
// are shown to whoever follows a link that a stranger made up.
func decode(raw string) (any, error) {
	if len(raw) > maxSize {
		return nil, fmt.Errorf("longer than %d bytes", maxSize)
	}
	d := json.NewDecoder(strings.NewReader(raw))
	d.UseNumber()
	value, err := decodeValue(d, 1)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not JSON: something follows the object")
	}
	return value, nil
}

func decodeValue(d *json.Decoder, depth int) (any, error) {
	token, err := next(d)
	if err != nil {
		return nil, err
	}
	delim, nested := token.(json.Delim)
	if !nested {
		return token, nil
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("nested deeper than %d levels", maxDepth)
	}
	if delim == '[' {
		array := []any{}
		for d.More() {
			value, err := decodeValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			array = append(array, value)
		}
		_, err := next(d)
		return array, err
	}
	object := map[string]any{}
	for d.More() {
		token, err := next(d)
		if err != nil {
			return nil, err
		}
		name, _ := token.(string) // the decoder lets nothing else stand for a name
		if len(name) > maxName {
			return nil, fmt.Errorf("a name is longer than %d bytes", maxName)
		}
		if _, twice := object[name]; twice {
			return nil, fmt.Errorf("a name comes twice in one object, the second time at byte %d", d.InputOffset())
		}
		if object[name], err = decodeValue(d, depth+1); err != nil {
			return nil, err
		}
	}
	_, err = next(d)
	return object, err
}

func next(d *json.Decoder) (json.Token, error) {
	token, err := d.Token()
	switch {
	case errors.Is(err, io.EOF):
		return nil, fmt.Errorf("not JSON: %w", io.ErrUnexpectedEOF)
	case err != nil:
		return nil, fmt.Errorf("not JSON: at byte %d", d.InputOffset())
	}
	return token, nil
}
