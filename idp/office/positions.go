package office

import (
	"context"
	"errors"
	"fmt"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// OnPositions are the acts any of which shows positions.
func OnPositions() []authority.Act {
	return []authority.Act{authority.ManagePositions, authority.ApprovePosition, authority.RequestPosition}
}

// Listed is a page of positions.
type Listed struct {
	Rows       []store.PositionRow
	More       bool
	MayPropose bool // the officer, at the organisation that the list is of
}

// ListPositions lists a page of the positions of an organisation and below it whose name begins with a text, in an order, from the one
// after the given id: all, or those of which something waits for approval. See [store.Store.Positions] and [store.Store.ProposedPositions].
func (f *Office) ListPositions(ctx context.Context, o Officer, organisation, name string, proposed bool, order store.Order, after string) (Listed, error) {
	here, err := f.MayAt(ctx, o, organisation, OnPositions()...)
	if err != nil {
		return Listed{}, err
	}
	if name != "" && directory.CheckText("name", name, 1, 200) != nil {
		return Listed{}, &directory.InvalidError{Field: "name", Want: "how the name begins, in up to 200 characters"}
	}
	list := f.Store.Positions
	if proposed {
		list = f.Store.ProposedPositions
	}
	rows, err := list(ctx, organisation, name, order, after, PerPage+1)
	if err != nil {
		return Listed{}, fmt.Errorf("list positions of organisation %s: %w", organisation, err)
	}
	listed := Listed{MayPropose: f.Can(o, here, authority.ManagePositions)}
	listed.Rows, listed.More = page(rows)
	return listed, nil
}

// Position is what a position is and what it is to be.
type Position struct {
	store.PositionRow // the newest version
	store.Holding

	Current   store.PositionVersion // that is in force, or the newest, where none is
	Effect    position.Effect       // what Current gives
	Newest    position.Effect       // what the newest version gives, or would give
	Includers []store.PositionName  // that include it: the first of them, and one more than a page has where there are more
	Versions  []store.PositionVersion
	More      bool              // there are more versions
	Names     map[string]string // of the people of the versions, by id
	At        authority.Subject // where
}

// Position reads a position that an officer may see, with a page of its versions, from the one after the given number: see
// [store.Store.PositionVersions].
func (f *Office) Position(ctx context.Context, o Officer, id string, order store.Order, after int) (Position, error) {
	p, err := f.Seen(ctx, o, id)
	if err != nil {
		return p, err
	}
	versions, err := f.Store.PositionVersions(ctx, id, order, after, PerPage+1)
	if err != nil {
		return p, fmt.Errorf("list versions of position %s: %w", id, err)
	}
	p.Versions, p.More = page(versions)
	ids := []string{p.MadeBy}
	for _, v := range p.Versions {
		ids = append(ids, v.MadeBy)
		if v.ApprovedBy != nil {
			ids = append(ids, *v.ApprovedBy)
		}
	}
	p.Names, err = f.Names(ctx, ids...)
	return p, err
}

// Seen is Position without its versions.
func (f *Office) Seen(ctx context.Context, o Officer, id string) (Position, error) {
	p, err := f.seen(ctx, o, id)
	if err != nil {
		return p, err
	}
	if p.Effect, err = position.EffectOf(ctx, f.Store, p.Current); err != nil && !deed.Refused(err) { // what can be given is shown
		return p, err
	}
	p.Newest = p.Effect
	if p.Version != p.Current.Version {
		if p.Newest, err = position.EffectOf(ctx, f.Store, p.PositionVersion); err != nil && !deed.Refused(err) {
			return p, err
		}
	}
	if p.Includers, err = f.Store.Includers(ctx, id, PerPage+1); err != nil {
		return p, fmt.Errorf("list what includes position %s: %w", id, err)
	}
	return p, nil
}

// ToManage reads a position that an officer may change.
func (f *Office) ToManage(ctx context.Context, o Officer, id string) (Position, error) {
	p, err := f.Seen(ctx, o, id)
	if err == nil {
		err = f.May(ctx, o, p.At, authority.ManagePositions)
	}
	return p, err
}

// ToRevise reads a position that an officer may change, and its newest version as a draft to go on from.
func (f *Office) ToRevise(ctx context.Context, o Officer, id string) (Position, position.Draft, error) {
	p, err := f.ToManage(ctx, o, id)
	if err != nil {
		return p, position.Draft{}, err
	}
	draft, err := position.DraftOf(ctx, f.Store, p.PositionVersion)
	return p, draft, err
}

// seen is Seen without what it includes and what includes it.
func (f *Office) seen(ctx context.Context, o Officer, id string) (Position, error) {
	row, err := store.PositionRow{}, store.ErrNotFound
	if directory.IsID(id) {
		row, err = f.Store.Position(ctx, id)
	}
	if err != nil {
		return Position{}, directory.Missing(err, "position", id)
	}
	p := Position{PositionRow: row, Current: row.PositionVersion}
	if p.At, err = f.At(ctx, row.OrganisationCode); err != nil {
		return p, err
	}
	if err := f.May(ctx, o, p.At, OnPositions()...); err != nil {
		return p, err
	}
	if row.InForce > 0 && row.InForce != row.Version {
		if p.Current, err = f.Store.PositionVersion(ctx, id, row.InForce); err != nil {
			return p, fmt.Errorf("read position %s in version %d: %w", id, row.InForce, err)
		}
	}
	if p.Holding, err = f.Store.Holding(ctx, id, f.Now()); err != nil {
		return p, fmt.Errorf("count holders of position %s: %w", id, err)
	}
	return p, nil
}

// MostByName is how many people are listed by name. More are listed by when they began.
const MostByName = 1000

// Holders reads who holds a position that an officer may see: a page of those who are wanted, in an order, from the one after the given
// role. See [store.Store.Holders]. More than [MostByName] are not listed by name.
func (f *Office) Holders(ctx context.Context, o Officer, id string, which store.HolderFilter, order store.Order, after string) (p Position, rows []store.HolderRow, more bool, err error) {
	if p, err = f.seen(ctx, o, id); err != nil {
		return p, nil, false, err
	}
	if err = f.checkHolders(ctx, which); err != nil {
		return p, nil, false, err
	}
	if order.By == store.ByName && p.Holders > MostByName {
		order, after = store.Order{By: store.ByStart}, ""
	}
	if rows, err = f.Store.Holders(ctx, []string{id}, which, order, after, PerPage+1, f.Now()); err != nil {
		return p, nil, false, fmt.Errorf("list holders of position %s: %w", id, err)
	}
	rows, more = page(rows)
	return p, rows, more, nil
}

// checkHolders wants somebody who is looked for to be named well enough, and where to be on record.
func (f *Office) checkHolders(ctx context.Context, which store.HolderFilter) error {
	switch {
	case which.PersonID != "" && !directory.IsID(which.PersonID):
		return &directory.InvalidError{Field: "person", Want: "a user ID, of 12 digits"}
	case which.Name != "" && (directory.CheckText("name", which.Name, 1, 200) != nil || letters(which.Name) < fewestLetters):
		return &directory.InvalidError{Field: "name", Want: "more of the name, in up to 200 characters"}
	case which.Organisation != "":
		if _, err := f.At(ctx, which.Organisation); errors.Is(err, directory.ErrUnknown) {
			return &directory.InvalidError{Field: "organisation", Want: "the code of an organisation"}
		} else if err != nil {
			return err
		}
	}
	return nil
}
