package evidence

import (
	"bytes"
	"fmt"

	"github.com/credence-id/credence/idp/strictjson"
)

// MaxInput is the most bytes of JSON that one act of recording is read from.
const MaxInput = 256 << 10

// Parse reads what a desk hands in as JSON, strictly: one piece, or an array of them. A member that is not known, or comes
// twice, is an error, and no error repeats what was handed in: a number may stand in the wrong place.
func Parse(text []byte) ([]Piece, error) {
	if len(text) > MaxInput {
		return nil, fmt.Errorf("evidence %w: more than %d bytes", ErrInvalid, MaxInput)
	}
	var err error
	pieces := make([]Piece, 1)
	if bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{")) {
		err = strictjson.Unmarshal(text, &pieces[0])
	} else {
		err = strictjson.Unmarshal(text, &pieces)
	}
	if err != nil {
		return nil, fmt.Errorf("evidence %w: %s", ErrInvalid, err.Error())
	}
	if len(pieces) == 0 || len(pieces) > maxAtOnce {
		return nil, fmt.Errorf("evidence %w: %d pieces at once: want 1 to %d", ErrInvalid, len(pieces), maxAtOnce)
	}
	return pieces, nil
}
