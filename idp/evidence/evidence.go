// Package evidence keeps on record by what the identity of each person was proved, and how well.
//
// A desk records pieces of evidence with the checks that were made: documents, electronic records and people who vouch, by
// the words of OpenID Identity Assurance Schema Definition 1.0. What they come to is computed in the same transaction, by
// package assurance, from all that is on record for the person and counts; nobody can assert a level. A piece that was forged,
// or recorded by mistake, is withdrawn: it stays on record and counts no more, and the level falls at once, also in sessions
// that live. A result that was once computed stands until the evidence changes or somebody lets it be recomputed, and comes
// to the same then: evidence is judged as of the last check of it, so a document that expires later takes nothing from what
// was proved by it. Who is checked anew is judged as of then.
//
// A piece names whom it is about, and is refused when that is not the person. Document numbers rest sealed, and are found
// again by a keyed hash; a document that counts for one person is refused for another. No error, event or list has a number.
package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// Errors that callers tell apart. Compare with errors.Is.
var (
	// ErrUnknown says that nobody, or nothing that counts, has this id.
	ErrUnknown = errors.New("is unknown")
	// ErrInvalid says that a piece is not one that can be recorded.
	ErrInvalid = errors.New("is not valid")
	// ErrDuplicate says that a document counts for somebody else.
	ErrDuplicate = errors.New("duplicate evidence: this document is on record for another person")
)

// Piece is a piece of evidence as a desk hands it in. It has no id yet; its checks may have ids, of which no two of a person
// are the same.
type Piece struct {
	assurance.Piece
	Subject Subject `json:"subject"`          // whom it names
	Number  string  `json:"number,omitempty"` // of the document, record or attestation
	Issuer  string  `json:"issuer,omitempty"` // who issued the document, keeps the record or vouches
}

// Subject is whom a piece of evidence names. It has to be the person: letter case, spaces, hyphens and apostrophes aside.
type Subject struct {
	GivenName  string `json:"given_name"` // with middle names or without
	FamilyName string `json:"family_name"`
	Birthdate  string `json:"birthdate,omitempty"` // YYYY-MM-DD; "" when the piece does not say it
}

// Reason is why a piece of evidence was withdrawn.
type Reason string

// The reasons.
const (
	Forged     Reason = "forged"
	Mistaken   Reason = "mistaken" // it was recorded wrongly, or for somebody whom it is not about
	Superseded Reason = "superseded"
)

// Reasons lists the reasons.
func Reasons() []Reason { return []Reason{Forged, Mistaken, Superseded} }

// Recorder records evidence and knows what it comes to. It is safe for concurrent use.
type Recorder struct {
	store  *store.Store
	key    seal.Key
	now    func() time.Time
	policy *assurance.Policy
}

// New returns a recorder. It fails when the tables that the program carries are broken.
func New(s *store.Store, key seal.Key, now func() time.Time) (*Recorder, error) {
	policy, err := assurance.NewPolicy()
	if err != nil {
		return nil, err
	}
	return &Recorder{store: s, key: key, now: now, policy: policy}, nil
}

// facts is what rests of a piece beside its number: the piece as assurance reads it, and who issued it.
type facts struct {
	assurance.Piece
	Issuer string `json:"issuer,omitempty"`
}

// readFacts reads what rests of a piece, with the hash of its number for the number.
func readFacts(e store.Evidence) (facts, error) {
	var f facts
	if err := json.Unmarshal(e.Facts, &f); err != nil {
		return facts{}, fmt.Errorf("read evidence %s: %w", e.ID, err)
	}
	f.ID, f.Number = e.ID.String(), hex.EncodeToString(e.NumberHash)
	return f, nil
}

// act is one act of recording.
type act struct {
	process uuid.UUID
	actor   string
	at      time.Time
}

// prepare makes of a piece what can be recorded of the person that it is about.
func (r *Recorder) prepare(p Piece, person store.IdentityRow, a act) (e store.Evidence, err error) {
	f := facts{p.Piece, p.Issuer}
	if p.ID != "" {
		return e, errors.New("its id is given when it is recorded: leave it out")
	}
	if f.Subject, err = p.Subject.of(person); err != nil {
		return e, err
	}
	e = store.Evidence{PersonID: person.PersonID, Type: string(p.Type), Kind: p.Kind, ProcessID: a.process, RecordedAt: a.at, RecordedBy: a.actor}
	if e.ID, err = uuid.NewV7(); err != nil {
		return e, fmt.Errorf("draw an id: %w", err)
	}
	f.ID = e.ID.String()
	f.Checks = make([]assurance.Check, len(p.Checks))
	for i, c := range p.Checks {
		if c.ID == "" {
			c.ID = fmt.Sprintf("%s-%d", f.ID, i+1)
		}
		if c.At.After(a.at) {
			return e, fmt.Errorf("check %d: it was made at %s, which is still to come", i+1, c.At.UTC().Format(time.RFC3339))
		}
		c.At = c.At.UTC().Truncate(time.Second)
		f.Checks[i] = c
	}
	if err := f.Validate(); err != nil {
		return e, err
	}
	if err := checkText("issuer", p.Issuer); err != nil {
		return e, err
	}
	if p.Number != "" {
		if err := checkText("number", p.Number); err != nil {
			return e, err
		}
		if normalNumber(p.Number) == "" || len(p.Number) > maxNumber {
			return e, fmt.Errorf("its number: want 1 to %d letters and digits", maxNumber)
		}
		e.NumberHash = r.hashes(p.Number)[0]
		e.NumberSealed = r.box().Seal([]byte(p.Number), bound(e))
	}
	if e.Facts, err = json.Marshal(f); err != nil {
		return e, fmt.Errorf("write its facts: %w", err)
	}
	if len(e.Facts) > maxFacts {
		return e, fmt.Errorf("its facts take %d bytes: want at most %d", len(e.Facts), maxFacts)
	}
	return e, nil
}

const (
	maxNumber = 64    // bytes
	maxText   = 200   // characters
	maxFacts  = 12000 // bytes: PostgreSQL writes the same with more spaces, and refuses more than 16384
)

func checkText(field, text string) error {
	if utf8.RuneCountInString(text) > maxText || !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return !unicode.IsGraphic(c) }) {
		return fmt.Errorf("its %s: want at most %d characters of plain text", field, maxText)
	}
	return nil
}

// of is the digest of the subject that all pieces have which are about this person, and an error when it is somebody else.
func (s Subject) of(person store.IdentityRow) (string, error) {
	given, family := normalName(person.GivenName), normalName(person.FamilyName)
	if got := normalName(s.GivenName); got == "" || got != given && got != normalName(person.GivenName+person.MiddleNames) {
		return "", errors.New("it is about a different person: its given_name is not the one on record")
	}
	if got := normalName(s.FamilyName); got == "" || got != family {
		return "", errors.New("it is about a different person: its family_name is not the one on record")
	}
	born := s.Birthdate
	if born != "" {
		if _, err := time.Parse(time.DateOnly, born); err != nil {
			return "", errors.New("its birthdate: want a date like 1980-12-31")
		}
	}
	if person.DateOfBirth != nil {
		recorded := person.DateOfBirth.Format(time.DateOnly)
		if born != "" && born != recorded {
			return "", errors.New("it is about a different person: its birthdate is not the one on record")
		}
		born = recorded
	}
	sum := sha256.Sum256([]byte(family + "\x00" + given + "\x00" + born))
	return hex.EncodeToString(sum[:]), nil
}

// normalName is a name without what documents and records write differently.
func normalName(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsMark(c) {
			return unicode.ToLower(unicode.ToUpper(c))
		}
		return -1
	}, name)
}

// normalNumber is a document number without what is only there to be read.
func normalNumber(number string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsDigit(c) {
			return unicode.ToUpper(c)
		}
		return -1
	}, number)
}

func (r *Recorder) box() seal.Box { return r.key.Box("evidence number") }

// hashes are those by which a number may be on record, however it is written: the first is the one of today.
func (r *Recorder) hashes(number string) [][]byte {
	return r.key.MACs("evidence number", []byte(normalNumber(number)))
}

// bound is what a number is sealed together with, so that it opens for its own piece and person only.
func bound(e store.Evidence) []byte { return slices.Concat(e.ID[:], []byte(e.PersonID)) }

// number opens the number of a piece; "" when it has none.
func (r *Recorder) number(e store.Evidence) (string, error) {
	if e.NumberSealed == nil {
		return "", nil
	}
	number, err := r.box().Open(e.NumberSealed, bound(e))
	if err != nil {
		return "", fmt.Errorf("open the number of evidence %s: %w", e.ID, err)
	}
	return string(number), nil
}

// named turns the store's absence into ours, and says of what.
func named(what string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%s %w", what, ErrUnknown)
	}
	return err
}
