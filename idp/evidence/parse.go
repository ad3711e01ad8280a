package evidence

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxInput is the most bytes of JSON that one act of recording is read from.
const MaxInput = 256 << 10

// Parse reads what a desk hands in as JSON: one piece, or an array of them. A member that it does not know is an error: it
// might be a fact that would not count.
func Parse(text []byte) ([]Piece, error) {
	if len(text) > MaxInput {
		return nil, fmt.Errorf("evidence %w: more than %d bytes", ErrInvalid, MaxInput)
	}
	text = bytes.TrimSpace(text)
	if len(text) > 0 && text[0] == '{' {
		text = append(append([]byte{'['}, text...), ']')
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var pieces []Piece
	if err := d.Decode(&pieces); err != nil {
		return nil, fmt.Errorf("evidence %w: want a JSON object, or an array of them: %s", ErrInvalid, err.Error())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("evidence %w: want one JSON object, or one array of them: there is more after it", ErrInvalid)
	}
	if len(pieces) == 0 || len(pieces) > maxAtOnce {
		return nil, fmt.Errorf("evidence %w: %d pieces at once: want 1 to %d", ErrInvalid, len(pieces), maxAtOnce)
	}
	return pieces, nil
}
