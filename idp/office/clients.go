package office

import (
	"context"

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
	return listed(ctx, f, o, organisation, "applications", func(limit int) ([]store.ClientApplicationRow, error) {
		return f.Store.ClientApplications(ctx, organisation, state, order, after, limit)
	}, OnClients()...)
}

// Application reads an application for which an officer has one of some rights, and where it is.
func (f *Office) Application(ctx context.Context, o Officer, text string, acts ...authority.Act) (a store.ClientApplication, at authority.Subject, err error) {
	id, err := directory.ParseID("application", text)
	if err != nil {
		return a, at, err
	}
	if a, err = f.Store.ClientApplication(ctx, id); err != nil {
		return a, at, directory.Missing(err, "application", text)
	}
	if at, err = f.At(ctx, a.OrganisationCode); err != nil {
		return a, at, err
	}
	return a, at, f.May(ctx, o, at, acts...)
}
