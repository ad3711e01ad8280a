package office

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// OnClients are the acts any of which shows applications for clients.
func OnClients() []authority.Act {
	return []authority.Act{authority.ApplyClient, authority.ApproveClient}
}

// Applications lists a page of the applications for clients of an organisation and below it that are in a state, by when they
// were made, from the one after the given id, and says whether there are more.
func (f *Office) Applications(ctx context.Context, o Officer, organisation, state string, order store.Order, after uuid.UUID) (rows []store.ClientApplicationRow, more bool, err error) {
	here, err := f.At(ctx, organisation)
	if err != nil {
		return nil, false, err
	}
	if err := f.May(ctx, o, here, OnClients()...); err != nil {
		return nil, false, err
	}
	rows, err = f.Store.ClientApplications(ctx, organisation, state, order, after, PerPage+1)
	if err != nil {
		return nil, false, fmt.Errorf("list applications of organisation %s: %w", organisation, err)
	}
	rows, more = page(rows)
	return rows, more, nil
}

// Application reads an application for which an officer has one of some rights, and where it is.
func (f *Office) Application(ctx context.Context, o Officer, text string, acts ...authority.Act) (a store.ClientApplication, at authority.Subject, err error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return a, at, fmt.Errorf("application %.40q %w", text, directory.ErrUnknown)
	}
	if a, err = f.Store.ClientApplication(ctx, id); err != nil {
		return a, at, missing(err, "application", text)
	}
	if at, err = f.At(ctx, a.OrganisationCode); err != nil {
		return a, at, err
	}
	return a, at, f.May(ctx, o, at, acts...)
}
