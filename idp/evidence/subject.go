package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/store"
)

// Subject is whom a piece of evidence names. It has to be the person: letter case, spaces, hyphens and apostrophes aside.
type Subject struct {
	GivenName  string `json:"given_name"` // with middle names or without
	FamilyName string `json:"family_name"`
	Birthdate  string `json:"birthdate,omitempty"` // YYYY-MM-DD; "" when the piece does not say it
}

// check says in words why the piece is not about this person.
func (s Subject) check(person store.IdentityRow) error {
	given, family := normalName(person.GivenName), normalName(person.FamilyName)
	if got := normalName(s.GivenName); got == "" || got != given && got != normalName(person.GivenName+person.MiddleNames) {
		return errors.New("it is about a different person: its given_name is not the one on record")
	}
	if got := normalName(s.FamilyName); got == "" || got != family {
		return errors.New("it is about a different person: its family_name is not the one on record")
	}
	if s.Birthdate == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, s.Birthdate); err != nil {
		return errors.New("its birthdate: want a date like 1980-12-31")
	}
	if born(person, s.Birthdate) != s.Birthdate {
		return errors.New("it is about a different person: its birthdate is not the one on record")
	}
	return nil
}

// born is the person's date of birth: of her record, or else the one that a piece says; "" when neither does.
func born(person store.IdentityRow, birthdate string) string {
	if person.DateOfBirth != nil {
		return person.DateOfBirth.Format(time.DateOnly)
	}
	return birthdate
}

// digest is the subject that all pieces have which are about this person. It is another when her name or date of birth is.
func digest(person store.IdentityRow, birthdate string) string {
	sum := sha256.Sum256([]byte(normalName(person.FamilyName) + "\x00" + normalName(person.GivenName) + "\x00" + born(person, birthdate)))
	return hex.EncodeToString(sum[:])
}

// names says whether the piece is about the person as she is on record now.
func (f facts) names(person store.IdentityRow) bool { return f.Subject == digest(person, f.Birthdate) }

// normalName is a name without what documents and records write differently.
func normalName(name string) string {
	return strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsMark(c) {
			return unicode.ToLower(unicode.ToUpper(c))
		}
		return -1
	}, name)
}

// notBefore refuses what is said to have been before the person was born; "": that is not known. The dates of records are
// ordered as text is.
func notBefore(born string, p assurance.Piece) error {
	if p.IssuedOn != "" && p.IssuedOn < born {
		return fmt.Errorf("it was issued on %s, before the person was born", p.IssuedOn)
	}
	for i, c := range p.Checks {
		if day := c.At.UTC().Format(time.DateOnly); day < born {
			return fmt.Errorf("check %d: it was done on %s, before the person was born", i+1, day)
		}
		if c.Activity != nil && c.Activity.Since < born {
			return fmt.Errorf("check %d: the activity begins on %s, before the person was born", i+1, c.Activity.Since)
		}
	}
	return nil
}
