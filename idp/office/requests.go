package office

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// OnRequests are the acts any of which shows requests.
func OnRequests() []authority.Act {
	return []authority.Act{authority.DecideRequest, authority.RequestPosition}
}

// Queue lists a page of what an officer wants of what is open at an organisation and below it, in an order: see
// [store.Store.OpenRequests]. It goes on from the one after the given id, and says whether there is more.
func (f *Office) Queue(ctx context.Context, o Officer, organisation string, wanted position.Wanted, order store.Order, after uuid.UUID) (rows []store.WaitingRequest, more bool, err error) {
	queue, err := wanted.In(organisation, o.PersonID, f.Rules)
	if err != nil {
		return nil, false, err
	}
	return listed(ctx, f, o, organisation, "open requests", func(limit int) ([]store.WaitingRequest, error) {
		return f.Store.OpenRequests(ctx, queue, order, after, limit, f.Now())
	}, OnRequests()...)
}

// Asked is a request with what it is decided by.
type Asked struct {
	store.RequestRow

	Owner         store.Owner // who looks after it while it is open; without an id nobody
	DecidedByName string
	Position      store.PositionVersion // that was asked for
	Effect        position.Effect       // what that gives
	Now           store.PositionVersion // the version of the position that is in force
	At            authority.Subject     // where
	Bound         []store.Binding       // of somebody whom it would make an officer, for who may decide: what another had to do with
}

// Request reads a request that an officer may see.
func (f *Office) Request(ctx context.Context, o Officer, text string) (Asked, error) {
	id, err := directory.ParseID("request", text)
	if err != nil {
		return Asked{}, err
	}
	row, err := f.Store.Request(ctx, id)
	if err != nil {
		return Asked{}, directory.Missing(err, "request", text)
	}
	a := Asked{RequestRow: row}
	if a.At, err = f.At(ctx, row.OrganisationCode); err != nil {
		return Asked{}, err
	}
	if err := f.May(ctx, o, a.At, OnRequests()...); err != nil {
		return Asked{}, err
	}
	if row.OwnerID != nil {
		if a.Owner, err = position.Owner(ctx, f.Store, f.Rules, id, f.Now()); err != nil {
			return Asked{}, err
		}
	}
	if a.Position, err = f.Store.PositionVersion(ctx, row.PositionID, row.PositionVersion); err != nil {
		return Asked{}, fmt.Errorf("read position %s in version %d: %w", row.PositionID, row.PositionVersion, err)
	}
	if a.Effect, err = position.EffectOf(ctx, f.Store, a.Position); err != nil && !deed.Refused(err) { // what can be given is shown
		return Asked{}, err
	}
	newest, err := f.Store.Position(ctx, row.PositionID)
	if err != nil {
		return Asked{}, fmt.Errorf("read position %s: %w", row.PositionID, err)
	}
	a.Now = newest.PositionVersion
	if newest.InForce != newest.Version { // what is only proposed changes nothing
		if a.Now, err = f.Store.PositionVersion(ctx, row.PositionID, newest.InForce); err != nil {
			return Asked{}, fmt.Errorf("read position %s in version %d: %w", row.PositionID, newest.InForce, err)
		}
	}
	if row.State == "open" && position.Kind(row.Kind) == position.Assign && f.Can(o, a.At, authority.DecideRequest) && len(f.Rules.ActorsOf(a.Effect.JobRole, a.Effect.Activities)) > 0 {
		if a.Bound, err = f.Store.Bindings(ctx, row.PersonID); err != nil {
			return Asked{}, fmt.Errorf("read who had to do with what person %s signs in with: %w", row.PersonID, err)
		}
	}
	if row.DecidedBy != nil {
		names, err := f.Names(ctx, *row.DecidedBy)
		if err != nil {
			return Asked{}, err
		}
		a.DecidedByName = names[*row.DecidedBy]
	}
	return a, nil
}
