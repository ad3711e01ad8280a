package office

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// Offered are positions that an officer can ask for, for a person: a page of them.
type Offered struct {
	Person    store.Person
	Positions []store.OfferedPosition
	More      bool
	Gives     bool // the officer gives those herself that are assignable
}

// Offer lists a page of the positions at an officer's organisation and below it that have a text in their name, from the one
// after the given id.
func (f *Office) Offer(ctx context.Context, o Officer, personID, text string, order store.Order, after string) (Offered, error) {
	here := authority.Subject{PersonID: personID, Path: []string{o.Organisation}}
	if err := f.May(ctx, o, here, authority.RequestPosition); err != nil {
		return Offered{}, err
	}
	person, err := f.whom(ctx, o, personID)
	if err != nil {
		return Offered{}, err
	}
	text = strings.Map(func(r rune) rune { // what no name has, and the database does not take
		if !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, text)
	list, err := f.Store.OfferedPositions(ctx, o.Organisation, text, order, after, PerPage+1)
	if err != nil {
		return Offered{}, fmt.Errorf("list positions that can be asked for at organisation %s: %w", o.Organisation, err)
	}
	offered := Offered{Person: person, Gives: f.Can(o, here, authority.AssignPosition)}
	offered.Positions, offered.More = page(list)
	return offered, nil
}

// whom reads for whom something is to be asked, and records that the officer sees who it is.
func (f *Office) whom(ctx context.Context, o Officer, personID string) (store.Person, error) {
	found, err := f.Standing(ctx, personID)
	if err != nil {
		return store.Person{}, err
	}
	return found.Person, audit.Record(ctx, f.Store, f.Line(o, audit.PersonViewed, personID, map[string]string{"of": "request"}))
}

// Askable is a position that an officer may ask for.
type Askable struct {
	store.PositionVersion // that is in force, with what it includes

	Person           store.Person // for whom; nobody, where somebody new is introduced
	OrganisationCode string       // of the position
	OrganisationName string       // of that one
	AtOnce           bool         // the officer gives it herself
}

// ToAsk reads a position that an officer may ask for, for a person.
func (f *Office) ToAsk(ctx context.Context, o Officer, personID, positionID string) (Askable, error) {
	a, err := f.askable(ctx, o, personID, positionID)
	if err != nil {
		return Askable{}, err
	}
	a.Person, err = f.whom(ctx, o, personID)
	return a, err
}

// ToIntroduce reads a position that an officer may ask for, for somebody who is not on record yet.
func (f *Office) ToIntroduce(ctx context.Context, o Officer, positionID string) (Askable, error) {
	return f.askable(ctx, o, "", positionID)
}

func (f *Office) askable(ctx context.Context, o Officer, personID, positionID string) (Askable, error) {
	newest, err := store.PositionRow{}, store.ErrNotFound
	if directory.IsID(positionID) {
		newest, err = f.Store.Position(ctx, positionID)
	}
	if err != nil {
		return Askable{}, directory.Missing(err, "position", positionID)
	}
	there, err := f.At(ctx, newest.OrganisationCode)
	if err != nil {
		return Askable{}, err
	}
	there.PersonID = personID
	if err := f.May(ctx, o, there, authority.RequestPosition); err != nil {
		return Askable{}, err
	}
	if newest.InForce == 0 {
		return Askable{}, position.Refusal(position.NotApproved)
	}
	v, err := f.Store.PositionVersion(ctx, positionID, newest.InForce)
	if err != nil {
		return Askable{}, fmt.Errorf("read position %s in version %d: %w", positionID, newest.InForce, err)
	}
	if v.Closes {
		return Askable{}, position.Refusal(position.PositionClosed)
	}
	e, err := position.EffectOf(ctx, f.Store, v)
	if err != nil && !deed.Refused(err) { // its end can be asked for
		return Askable{}, err
	}
	atOnce := v.Assignable && len(f.Rules.ActorsOf(e.JobRole, e.Activities)) == 0 && f.Can(o, there, authority.AssignPosition)
	return Askable{PositionVersion: e.PositionVersion, OrganisationCode: newest.OrganisationCode, OrganisationName: newest.OrganisationName, AtOnce: atOnce}, nil
}
