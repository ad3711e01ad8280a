package office

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/store"
)

// Wanted is who is looked for: by user id, by e-mail address, or by name, which may come with a date of birth; or by the number
// of a document or record, with its kind.
type Wanted struct {
	Text     string
	Born     *time.Time
	Document string // the kind of evidence of which the text is the number; "" is none
}

// Search finds a page of people, wherever they work, from the one after the given id, and says whether there are more. Those who
// have a name like one are in an order: see [store.Store.PeopleNamed]. How much is found is recorded, also when it is nothing, without
// what was looked for.
func (f *Office) Search(ctx context.Context, o Officer, who Wanted, order store.Order, after string) (list []store.FoundPerson, more bool, err error) {
	if err := f.May(ctx, o, authority.Subject{}, authority.FindPerson); err != nil {
		return nil, false, err
	}
	by, find, err := who.finder(order, after)
	switch {
	case who.Document != "" && !slices.ContainsFunc(assurance.Kinds(), func(k assurance.Kind) bool { return k.Numbered && k.Name == who.Document }):
		err = &directory.InvalidError{Field: "document", Want: "a kind of document that has a number"}
	case who.Document != "":
		by, err = "document", nil
		find = func(ctx context.Context, tx *store.Tx) ([]store.FoundPerson, error) {
			ids, err := f.Evidence.PeopleByNumberIn(ctx, tx, who.Document, who.Text)
			if errors.Is(err, evidence.ErrInvalid) {
				return nil, &directory.InvalidError{Field: "q", Want: "the number of a document, of letters and digits"}
			}
			if err != nil || len(ids) == 0 {
				return nil, err
			}
			return tx.PeopleOfIDs(ctx, ids[:min(len(ids), PerPage)])
		}
	}
	if err != nil {
		return nil, false, err
	}
	err = f.Store.InTx(ctx, func(tx *store.Tx) error {
		if list, err = find(ctx, tx); err != nil {
			return fmt.Errorf("find people by %s: %w", by, err)
		}
		list, more = page(list)
		return audit.Record(ctx, tx, f.Line(o, audit.PersonSearched, "", map[string]string{"by": by, "hits": strconv.Itoa(len(list))}))
	})
	return list, more, err
}

// fewestLetters is how much of a name has to be known without a date of birth: fewer would find anybody.
const fewestLetters = 3

// finder says by what people are looked for, and how.
func (w Wanted) finder(order store.Order, after string) (by string, find func(context.Context, *store.Tx) ([]store.FoundPerson, error), err error) {
	if err := directory.CheckText("q", w.Text, 1, 200); err != nil {
		return "", nil, &directory.InvalidError{Field: "q", Want: "a name, a user ID or an email address"}
	}
	if id := strings.ReplaceAll(w.Text, " ", ""); directory.IsID(id) {
		return "user_id", func(ctx context.Context, tx *store.Tx) ([]store.FoundPerson, error) { return tx.PeopleOfID(ctx, id) }, nil
	}
	if strings.Contains(w.Text, "@") {
		return "email", func(ctx context.Context, tx *store.Tx) ([]store.FoundPerson, error) {
			return tx.PeopleOfEmail(ctx, w.Text, order, after, PerPage+1)
		}, nil
	}
	if w.Born != nil {
		return "name_and_birth", func(ctx context.Context, tx *store.Tx) ([]store.FoundPerson, error) {
			return tx.PeopleBornOn(ctx, *w.Born, w.Text, order, after, PerPage+1)
		}, nil
	}
	if letters(w.Text) < fewestLetters {
		return "", nil, &directory.InvalidError{Field: "q", Want: "more of the name, or the date of birth as well"}
	}
	return "name", func(ctx context.Context, tx *store.Tx) ([]store.FoundPerson, error) {
		return tx.PeopleNamed(ctx, w.Text, order, after, PerPage+1)
	}, nil
}

func letters(text string) (n int) {
	for _, r := range text {
		if unicode.IsLetter(r) {
			n++
		}
	}
	return n
}

// Add puts a person on record whom nobody there is: [directory.AddNewcomer].
func (f *Office) Add(ctx context.Context, o Officer, n directory.Newcomer) (id string, alike directory.Alike, err error) {
	if err := f.May(ctx, o, authority.Subject{}, authority.CreatePerson); err != nil {
		return "", directory.Alike{}, err
	}
	return directory.AddNewcomer(ctx, f.Store, n, f.Line(o, audit.PersonAdded, "", map[string]string{}))
}

// Known is what an officer sees of a person.
type Known struct {
	store.Standing

	Born           *time.Time
	Roles          []store.PositionedRole // a page of them
	MoreRoles      bool
	Requests       []store.WaitingRequest // that are open
	Authenticators []store.Authenticator
	Asks, Sees     map[string]bool         // organisations where the officer may ask for something for her, or see what is asked
	Proves         bool                    // the officer may record evidence of her, and take her photograph
	Photograph     *store.PhotographTaking // nil: there is none
	Keeps          bool                    // the officer may change her authenticators
}

// mostRequests bounds the open requests that are shown of one person.
const mostRequests = 50

// View reads a person, with her roles in an order from the one after the given id, and records who saw her.
func (f *Office) View(ctx context.Context, o Officer, id string, order store.Order, after string) (p Known, err error) {
	if err := f.May(ctx, o, authority.Subject{PersonID: id}, authority.FindPerson); err != nil {
		return Known{}, err
	}
	now := f.Now()
	err = f.Store.InTx(ctx, func(tx *store.Tx) error {
		if p.Standing, err = standing(ctx, tx, id, now); err != nil {
			return err
		}
		if p.Born, err = tx.DateOfBirth(ctx, id); err != nil {
			return fmt.Errorf("read date of birth of person %s: %w", id, err)
		}
		if p.Roles, err = tx.PositionedRoles(ctx, id, order, after, PerPage+1, now); err != nil {
			return fmt.Errorf("list roles of person %s: %w", id, err)
		}
		if p.Requests, err = tx.OpenRequestsFor(ctx, id, f.Rules.Codes(authority.DecideRequest), mostRequests, now); err != nil {
			return fmt.Errorf("list open requests for person %s: %w", id, err)
		}
		if p.Photograph, err = taking(ctx, tx, id); err != nil {
			return err
		}
		if p.Authenticators, err = tx.Authenticators(ctx, id, false); err != nil {
			return fmt.Errorf("list authenticators of person %s: %w", id, err)
		}
		return audit.Record(ctx, tx, f.Line(o, audit.PersonViewed, id, map[string]string{}))
	})
	if err != nil {
		return Known{}, err
	}
	p.Roles, p.MoreRoles = page(p.Roles)
	return p, f.reach(ctx, o, &p)
}

// reach finds out what an officer may do about a person, and at which organisations.
func (f *Office) reach(ctx context.Context, o Officer, p *Known) error {
	p.Asks, p.Sees = map[string]bool{}, map[string]bool{}
	var codes []string
	for _, role := range p.Roles {
		codes = append(codes, role.OrganisationCode)
	}
	for _, row := range p.Requests {
		codes = append(codes, row.OrganisationCode)
	}
	shown := len(codes)
	for _, role := range p.Person.Roles {
		codes = append(codes, role.OrganisationCode)
	}
	there, err := deed.AtEach(ctx, f.Store, codes...)
	if err != nil {
		return err
	}
	for _, code := range codes[:shown] {
		at := there[code]
		p.Sees[code] = f.Can(o, at, OnRequests()...)
		at.PersonID = p.Person.ID
		p.Asks[code] = f.Can(o, at, authority.RequestPosition)
	}
	works := authority.Subject{PersonID: p.Person.ID}
	for _, code := range codes[shown:] {
		works.Path = append(works.Path, there[code].Path...)
	}
	p.Proves = f.Can(o, works, authority.RecordEvidence)
	p.Keeps = f.Can(o, works, authority.IssueAuthenticator, authority.UnlockAuthenticator)
	return nil
}

// Works is what an officer does something to who does it to a person: at whichever organisations she may act as something now.
func (f *Office) Works(ctx context.Context, p store.Person) (authority.Subject, error) {
	return deed.Of(ctx, f.Store, p)
}

// Standing reads a person and whether she is enabled. That an officer sees who it is, is on record elsewhere.
func (f *Office) Standing(ctx context.Context, id string) (store.Standing, error) {
	return standing(ctx, f.Store, id, f.Now())
}

func standing(ctx context.Context, records interface {
	Person(ctx context.Context, id string, now time.Time) (store.Standing, error)
}, id string, now time.Time,
) (store.Standing, error) {
	found, err := store.Standing{}, store.ErrNotFound
	if directory.IsID(id) {
		found, err = records.Person(ctx, id, now)
	}
	if err != nil {
		return store.Standing{}, directory.Missing(err, "person", id)
	}
	return found, nil
}
