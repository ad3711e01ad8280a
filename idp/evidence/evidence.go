// Package evidence keeps on record by what the identity of each person was proved, and how well.
//
// A desk records pieces of evidence with the checks that were made: documents, electronic records and people who vouch, by
// the words of OpenID Identity Assurance Schema Definition 1.0. What they come to is computed in the same transaction, by
// package assurance, from all that is on record for the person and counts; nobody can assert a level. A piece that was forged,
// or recorded by mistake, is withdrawn: it stays on record and counts no more, and the level falls at once, also in sessions
// that live. A result that was once computed stands until the evidence changes or somebody lets it be recomputed, and comes
// to the same then: each check is judged as of the day on which it was made, so a document that expires later takes nothing
// from what was proved by it.
//
// A piece names whom it is about, and is refused when that is not the person; and so is one that nobody checked. Document
// numbers rest sealed, and are found again by a keyed hash; a document that counts for one person is refused for another, and
// one that was found forged for everybody. Whoever withdraws a piece as forged withdraws all that is on record of the document
// for that person, also when the piece was withdrawn for another reason before. Where it counts for somebody else too she is
// told so, and decides: the number of a forged document may be the number of a true one. No error, event or list has a number.
//
// Where a second officer has to confirm what a first one checked, it is a [Proposal] until then: in a table of its own, sealed,
// where nothing counts it. Confirmed, it is recorded like any other piece, by what is on record at that moment.
//
// What is declared to have been checked by video names the meeting: one with this very person that the officer who checked it
// confirmed by its code, while it lasted. No check of it is one that takes the person, or the document, before the officer. The
// meeting is then the process that relying parties are told (verification_process), and the record has it under the same id.
//
// Who registered herself may have done so in the name of another, so that an officer proves that one on an account which is not hers.
// Until she is proved to level medium nothing is put on record for her but with a code that her account shows whoever is signed in to
// it, and that she reads aloud: it works once, for ten minutes, and after five wrong ones none does for a while.
package evidence

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// Errors that callers tell apart. Compare with errors.Is.
var (
	// ErrUnknown says that nobody, or nothing on record, has this id.
	ErrUnknown = errors.New("is unknown")
	// ErrWithdrawn says that a piece was withdrawn before, and so cannot be once more.
	ErrWithdrawn = errors.New("was withdrawn before")
	// ErrInvalid says that a piece is not one that can be recorded.
	ErrInvalid = errors.New("is not valid")
	// ErrDuplicate says that a document counts for somebody else.
	ErrDuplicate = errors.New("duplicate evidence: this document is on record for another person")
	// ErrClosed says that the profile of a person is closed: by what is put on record of her then, nothing would ever be erased.
	ErrClosed = errors.New("the profile of this person is closed: reopen it before anything is put on record")
	// ErrForged says that a document was found forged before, whoever showed it then.
	ErrForged = errors.New("forged evidence: this document was found forged before: talk to whoever leads on fraud at the registration authority")
)

// Piece is a piece of evidence as a desk hands it in. It has no id yet; its checks may have ids, of which no two of a person
// are the same.
type Piece struct {
	assurance.Piece
	Subject Subject `json:"subject"`          // whom it names
	Number  string  `json:"number,omitempty"` // of the document, record or attestation
	Issuer  string  `json:"issuer,omitempty"` // who issued the document, keeps the record or vouches
	// Declared says how whoever records the piece met the person, and that she made the checks herself and saw the originals.
	// "" where nobody declares it.
	Declared Meeting `json:"declared,omitempty"`
	// MeetingID is of the meeting by video in which it was checked; "" where it was not by video.
	MeetingID string `json:"meeting,omitempty"`
	// AccountCode is what the person read aloud of her account: see [Recorder.AsksAccountCode]. Of pieces that are handed in together it
	// is with the first. It works once, and is kept nowhere.
	AccountCode string `json:"-"`
}

// Meeting is how an officer met a person whose identity she proves.
type Meeting string

// The ways to meet. By video is in a meeting that a code confirmed, which the person was told and read back: nothing else of a
// video says that it is live, and whom it shows. What was checked so was in nobody's hand: by an image of it a document is worth
// less.
const (
	InPerson Meeting = "in_person"
	ByVideo  Meeting = "video"
)

// Reason is why a piece of evidence was withdrawn.
type Reason string

// The reasons.
const (
	Forged     Reason = "forged"
	Mistaken   Reason = "mistaken" // it was recorded wrongly, or for somebody whom it is not about
	Superseded Reason = "superseded"
	Erased     Reason = "erased" // the time is over for which it is kept (package retention): nobody gives it for a reason
)

// Reasons lists the reasons that somebody may give.
func Reasons() []Reason { return []Reason{Forged, Mistaken, Superseded} }

// Recorder records evidence and knows what it comes to. It is safe for concurrent use.
type Recorder struct {
	store  *store.Store
	key    seal.Key
	now    func() time.Time
	policy *assurance.Policy

	// Messenger tells people that their identity is proved to another level, and officers that what they checked was dismissed. Nil
	// tells nobody.
	Messenger *messenger.Outbox
}

// New returns a recorder. It fails when the tables that the program carries are broken.
func New(s *store.Store, key seal.Key, now func() time.Time) (*Recorder, error) {
	policy, err := assurance.NewPolicy()
	if err != nil {
		return nil, err
	}
	return &Recorder{store: s, key: key, now: now, policy: policy}, nil
}

// facts is what rests of a piece beside its number: the piece as assurance reads it, who issued it, the date of birth that
// it says, and what was declared.
type facts struct {
	assurance.Piece
	Issuer    string  `json:"issuer,omitempty"`
	Birthdate string  `json:"birthdate,omitempty"`
	Declared  Meeting `json:"declared,omitempty"`
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

// Checker is who checks evidence: an officer, and the role that she acts in; or whoever has the command line, without one.
type Checker struct {
	PersonID, Role string
	Operator       string // who acts for the officer at the command line; "" when she does
}

// line is one of the record of what she did.
func (c Checker) line(at time.Time, event audit.Event, person string, detail map[string]string) audit.Entry {
	if c.Role != "" {
		detail["officer"], detail["officer_role"] = c.PersonID, c.Role
	}
	return audit.Entry{At: at, Event: event, Actor: cmp.Or(c.Operator, c.PersonID), Person: person, Detail: detail}
}

// act is one act of recording.
type act struct {
	process uuid.UUID
	by      Checker
	at      time.Time
}

// prepare makes of a piece what can be recorded of the person that it is about.
func (r *Recorder) prepare(p Piece, person store.IdentityRow, a act) (e store.Evidence, err error) {
	f := facts{p.Piece, p.Issuer, p.Subject.Birthdate, p.Declared}
	if p.ID != "" {
		return e, errors.New("its id is given when it is recorded: leave it out")
	}
	if p.Declared != "" && p.Declared != InPerson && p.Declared != ByVideo {
		return e, fmt.Errorf("it is declared to have been checked %.40q: want %s, %s, or nothing", p.Declared, InPerson, ByVideo)
	}
	f.Subject = digest(person, f.Birthdate)
	e = store.Evidence{PersonID: person.PersonID, Type: string(p.Type), Kind: p.Kind, ProcessID: a.process, RecordedAt: a.at, RecordedBy: a.by.PersonID}
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
	if p.Number != "" {
		if err := checkNumber(p.Number); err != nil {
			return e, fmt.Errorf("its number: %w", err)
		}
		e.NumberHash = r.hashes(p.Number)[0]
		e.NumberSealed = r.box().Seal([]byte(p.Number), bound(e))
	}
	f.Number = hex.EncodeToString(e.NumberHash)
	if err := f.Validate(); err != nil {
		return e, err
	}
	if len(f.Checks) == 0 {
		return e, errors.New("nothing of it was checked, so it would count for nothing: set checks")
	}
	if i := slices.IndexFunc(f.Checks, assurance.Check.Empty); i >= 0 {
		return e, fmt.Errorf("check %d: nothing that it established is on record: set facts, questions or activity; or failed, where its result was no", i+1)
	}
	if err := p.Subject.check(person); err != nil {
		return e, err
	}
	if err := notBefore(born(person, f.Birthdate), f.Piece); err != nil {
		return e, err
	}
	if err := checkText("issuer", p.Issuer); err != nil {
		return e, err
	}
	f.Number = "" // it rests as the hash, which another seal key makes another
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

// normalNumber is a document number without what is only there to be read, so that one document has one. It is "" when the
// number has anything else: letters and digits of other scripts look like these and are not the same.
func normalNumber(number string) string {
	number = strings.ToUpper(strings.NewReplacer(" ", "", ".", "", "-", "", "/", "").Replace(number))
	if strings.Trim(number, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return ""
	}
	return number
}

// checkNumber says in words why a number is none.
func checkNumber(number string) error {
	if normalNumber(number) == "" || len(number) > maxNumber {
		return fmt.Errorf("want 1 to %d letters and digits, A to Z and 0 to 9, and between them only spaces, dots, hyphens and slashes", maxNumber)
	}
	return nil
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

// personIDForm is that of the id of a person. The database is not asked for any other.
var personIDForm = regexp.MustCompile(`^[0-9]{12}$`)

// unknownPerson says that nobody has an id: whatever was typed for one.
func unknownPerson(personID string) error {
	return fmt.Errorf("person %.40q %w", personID, ErrUnknown)
}

// personError says who could not be read, and why.
func personError(personID string, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return unknownPerson(personID)
	}
	return fmt.Errorf("read person %q: %w", personID, err)
}
