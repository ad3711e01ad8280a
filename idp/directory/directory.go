// Package directory keeps who people are, which organisations there are, and who may act for which in what role.
//
// A person has one record for life. Organisations grant role profiles to people and end them; they never own the person.
// Each act is one transaction together with the line of the audit record that says who did it. What is recorded is
// bounded and can be shown anywhere: names hold no control characters and nothing that changes the direction of text.
//
// Job roles, activities and areas of work have the codes of the national role-based access control database of the NHS,
// of which the package carries a small [Catalogue]. [Seed] fills the database of `credence dev` with invented people.
package directory

import (
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// Errors that callers tell apart. Compare with errors.Is.
var (
	// ErrTaken says that a record with this id or code exists.
	ErrTaken = errors.New("exists already")
	// ErrUnknown says that nothing with this id or code exists, or not in the state that the act needs.
	ErrUnknown = errors.New("is unknown")
	// ErrUnknownCode says that a job role, an activity or an area of work is not in the catalogue.
	ErrUnknownCode = errors.New("is not in the catalogue")
	// ErrRetiredCode says that it was, and is an ErrUnknownCode: who has it keeps it, and nobody else is given it.
	ErrRetiredCode = fmt.Errorf("was retired, and %w any more", ErrUnknownCode)
	// ErrUnproved says that a person registered herself and can have no role before her identity is proved to level medium.
	ErrUnproved = errors.New("registered without an officer, and can have no role before evidence proves the identity to level medium")
	// ErrTooManyRoles says that a person has as many current roles as anybody may have.
	ErrTooManyRoles = errors.New("has 100 current roles already, and one has to end first")
)

// InvalidError says what is wrong with one value of a record. Several are joined with errors.Join.
type InvalidError struct {
	Field string // of the record, in snake_case
	Want  string // what would be right
}

// Error names the field and what would be right.
func (e *InvalidError) Error() string { return e.Field + ": want " + e.Want }

// Mistakes lists what is wrong with what was entered. It is not ok when the error says anything else as well.
func Mistakes(err error) (list []*InvalidError, ok bool) {
	for _, e := range Parts(err) {
		invalid, is := errors.AsType[*InvalidError](e)
		if errors.Is(e, ErrUnknownCode) {
			invalid, is = &InvalidError{Field: "job_role", Want: "codes of the catalogue"}, true
		}
		if !is {
			return nil, false
		}
		list = append(list, invalid)
	}
	return list, true
}

// Parts are the errors that one was joined of.
func Parts(err error) (list []error) {
	joined, ok := err.(interface{ Unwrap() []error }) // what errors.Join makes, and nothing that wraps it
	if !ok {
		return []error{err}
	}
	for _, e := range joined.Unwrap() {
		list = append(list, Parts(e)...)
	}
	return list
}

// Forms of ids and codes. The schema holds the same.
var (
	idForm           = regexp.MustCompile(`^[0-9]{12}$`)
	organisationForm = regexp.MustCompile(`^[A-Z0-9]{2,12}$`)
	jobRoleForm      = regexp.MustCompile(`^S[0-9]{4}:G[0-9]{4}:R[0-9]{4}$`)
	areaOfWorkForm   = regexp.MustCompile(`^P[0-9]{4}:Q[0-9]{4}:T[0-9]{4}$`)
	activityForm     = regexp.MustCompile(`^B[0-9]{4}$`)
)

const wantID = "12 digits"

// IsID says whether a text looks like the id of a person, a role or a position. What does not is asked of no database.
func IsID(text string) bool { return idForm.MatchString(text) }

// CheckID says that a text is no id of a person, a role or a position, as an [InvalidError].
func CheckID(field, text string) error {
	if !IsID(text) {
		return &InvalidError{field, wantID}
	}
	return nil
}

// IsOrganisation says whether a text looks like the code of an organisation.
func IsOrganisation(text string) bool { return organisationForm.MatchString(text) }

// ParseID reads the id, from an address or a form, of what is named. No id is one of nothing: ErrUnknown.
func ParseID(what, text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return uuid.Nil, Missing(store.ErrNotFound, what, text)
	}
	return id, nil
}

// Missing names what could not be read: what is not there is ErrUnknown.
func Missing(err error, what string, id any) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("%s %.40q %w", what, fmt.Sprint(id), ErrUnknown)
	}
	return fmt.Errorf("read %s %.40q: %w", what, fmt.Sprint(id), err)
}

// NewID draws an id of 12 digits, as people, memberships, roles and positions have. It does not begin with 0, for whoever
// stores it as a number after all.
func NewID() string {
	const lowest, count = 100_000_000_000, 900_000_000_000
	n, _ := rand.Int(rand.Reader, big.NewInt(count))
	return n.Add(n, big.NewInt(lowest)).String()
}

// Redraw does what draws an id at random unless one is wanted, and does it again while the id that was drawn is taken, a few times at
// most.
func Redraw(wanted string, do func() error) (err error) {
	const attempts = 5
	for range attempts {
		if err = do(); wanted != "" || !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	return err
}

// CheckText says what is wrong with text that people will read, as an [InvalidError]. Everything in it must have a shape of its own: that
// refuses control characters and what reverses the direction of text, with which a name could pose as another. Joiners
// have none, and some languages need them.
func CheckText(field, text string, least, most int) error {
	n := utf8.RuneCountInString(text)
	switch {
	case n < least || n > most:
		return &InvalidError{field, fmt.Sprintf("%d to %d characters", least, most)}
	case !utf8.ValidString(text):
		return &InvalidError{field, "valid UTF-8"}
	case strings.TrimSpace(text) != text:
		return &InvalidError{field, "no space at either end"}
	case strings.ContainsFunc(text, func(r rune) bool {
		const nonJoiner, joiner = '\u200c', '\u200d'
		return !unicode.IsGraphic(r) && r != nonJoiner && r != joiner
	}):
		return &InvalidError{field, "no control characters and none that change the direction of text"}
	}
	return nil
}

func checkForm(field, value string, form *regexp.Regexp, want string) error {
	if !form.MatchString(value) {
		return &InvalidError{field, want}
	}
	return nil
}

// named turns the store's errors into ours and says what they are about.
func named(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, store.ErrConflict):
		return fmt.Errorf("%s %w", what, ErrTaken)
	case errors.Is(err, store.ErrNotFound):
		return fmt.Errorf("%s %w", what, ErrUnknown)
	}
	return fmt.Errorf("%s: %w", what, err)
}
