package directory

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
)

// NewPerson is a person to add. How well the identity is proved follows from evidence, which is recorded afterwards.
type NewPerson struct {
	ID            string // 12 digits; "" draws them at random
	Title         string
	GivenName     string
	MiddleNames   string
	FamilyName    string
	DisplayName   string // "" is the given and the family name
	Email         string
	DateOfBirth   *time.Time
	Registrations []store.Registration // at most one of each of ProfessionalBodies

	SelfRegisteredAt string // the organisation at which she registers herself; "": others put her on record
}

// ProfessionalBodies lists whose registration numbers a person can have.
func ProfessionalBodies() []string {
	return []string{"gmc", "gdc", "gmp", "gdp", "nmc", "rcn", "gphc", "consultant"}
}

// AddPerson records a person and returns the id. An id that is taken is ErrTaken.
func AddPerson(ctx context.Context, s *store.Store, p NewPerson, actor string, now time.Time) (id string, err error) {
	if err := p.Check(now); err != nil {
		return "", err
	}
	by := audit.Entry{At: now, Actor: actor}
	err = Redraw(p.ID, func() error {
		id = cmp.Or(p.ID, NewID())
		return s.InTx(ctx, func(tx *store.Tx) error { return addPerson(ctx, tx, id, p, by) })
	})
	return id, named("person "+id, err)
}

// AddPersonIn is AddPerson as a part of the caller's transaction. An id that is taken is store.ErrConflict and fails the
// transaction; when it was drawn at random, that can be tried again.
func AddPersonIn(ctx context.Context, tx *store.Tx, p NewPerson, actor string, now time.Time) (id string, err error) {
	if err := p.Check(now); err != nil {
		return "", err
	}
	id = cmp.Or(p.ID, NewID())
	return id, addPerson(ctx, tx, id, p, audit.Entry{At: now, Actor: actor})
}

// addPerson adds a person who was checked. The entry says who does it, and when.
func addPerson(ctx context.Context, tx *store.Tx, id string, p NewPerson, by audit.Entry) error {
	handle := make([]byte, 32)
	_, _ = rand.Read(handle)
	err := tx.AddPerson(ctx, store.NewPerson{
		ID: id, Handle: handle, Title: p.Title, GivenName: p.GivenName, MiddleNames: p.MiddleNames, FamilyName: p.FamilyName,
		DisplayName: p.displayName(), Email: p.Email, DateOfBirth: p.DateOfBirth, IdentityLevel: string(assurance.IdentityNone), Registrations: p.Registrations,
		SelfRegisteredOrganisation: p.SelfRegisteredAt,
	}, by.At)
	if err != nil {
		return err
	}
	by.Event, by.Person = audit.PersonAdded, id
	return audit.Record(ctx, tx, by)
}

func (p NewPerson) displayName() string {
	return cmp.Or(p.DisplayName, p.GivenName+" "+p.FamilyName)
}

// Check says what is wrong with the values, each an [InvalidError]. AddPerson checks as well.
func (p NewPerson) Check(now time.Time) error {
	given, family := CheckText("given_name", p.GivenName, 1, 100), CheckText("family_name", p.FamilyName, 1, 100)
	errs := []error{
		CheckText("title", p.Title, 0, 35),
		given,
		CheckText("middle_names", p.MiddleNames, 0, 100),
		family,
		checkEmail(p.Email),
		checkDateOfBirth(p.DateOfBirth, now),
	}
	// One that is made of two wrong names has their mistakes, which were said.
	if p.DisplayName != "" || given == nil && family == nil {
		errs = append(errs, CheckText("display_name", p.displayName(), 1, 200))
	}
	if p.ID != "" {
		errs = append(errs, checkForm("id", p.ID, idForm, wantID))
	}
	var bodies []string
	for _, r := range p.Registrations {
		switch {
		case !slices.Contains(ProfessionalBodies(), r.Body):
			errs = append(errs, &InvalidError{"registration", "as its body " + oneOf(ProfessionalBodies())})
		case slices.Contains(bodies, r.Body):
			errs = append(errs, &InvalidError{"registration", "each body once"})
		default:
			errs = append(errs, CheckText("registration", r.Number, 1, 50))
		}
		bodies = append(bodies, r.Body)
	}
	return errors.Join(errs...)
}

// checkEmail wants an address alone (RFC 5322, Section 3.4.1), without a name before it.
func checkEmail(email string) error {
	if email == "" {
		return nil
	}
	address, err := mail.ParseAddress(email)
	if err != nil || address.Address != email || strings.ContainsFunc(email, func(r rune) bool { return r > unicode.MaxASCII }) { // SMTP takes no others
		return &InvalidError{"email", "an address like ada@example.org"}
	}
	return CheckText("email", email, 0, 254)
}

// checkDateOfBirth wants a date at which somebody was born who works now.
func checkDateOfBirth(born *time.Time, now time.Time) error {
	const youngest, oldest = 14, 120
	if born == nil || born.After(now.AddDate(-oldest, 0, 0)) && born.Before(now.AddDate(-youngest, 0, 0)) {
		return nil
	}
	return &InvalidError{"date_of_birth", fmt.Sprintf("a date between %d and %d years ago", youngest, oldest)}
}

func oneOf[T ~string](words []T) string {
	list := make([]string, len(words))
	for i, w := range words {
		list[i] = string(w)
	}
	return "one of " + strings.Join(list, ", ")
}

// DisablePerson takes all access from a person at once, and ends her sessions. One who is unknown or disabled already
// is ErrUnknown.
func DisablePerson(ctx context.Context, s *store.Store, id, actor string, now time.Time) error {
	return named(fmt.Sprintf("person %q who is enabled", id), s.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.LockAccess(ctx, id); err != nil { // before the person, as whoever enrols does
			return err
		}
		fallout, err := tx.DisablePerson(ctx, id, now)
		if err != nil {
			return err
		}
		if err := audit.RecordEnds(ctx, tx, audit.Entry{At: now, Actor: actor, Person: id}, "person disabled", fallout.Sessions...); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.PersonDisabled, Actor: actor, Person: id})
	}))
}

// EnablePerson gives a disabled person her access back. One who is unknown or not disabled, or whose profile is closed, is
// ErrUnknown.
func EnablePerson(ctx context.Context, s *store.Store, id, actor string, now time.Time) error {
	return named(fmt.Sprintf("person %q who is disabled", id), s.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.EnablePerson(ctx, id); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.PersonEnabled, Actor: actor, Person: id})
	}))
}

// ChooseLanguage has a person written to in a language from then on. The entry says who she is, and when.
func ChooseLanguage(ctx context.Context, s *store.Store, language string, by audit.Entry) error {
	err := s.InTx(ctx, func(tx *store.Tx) error {
		before, err := tx.SetLanguage(ctx, by.Person, language)
		if err != nil {
			return err
		}
		by.Event, by.Detail = audit.LanguageChosen, map[string]string{"from": before, "to": language}
		return audit.Record(ctx, tx, by)
	})
	if err != nil && !errors.Is(err, store.ErrNotFound) { // it is hers already
		return fmt.Errorf("choose language %q for person %s: %w", language, by.Person, err)
	}
	return nil
}
