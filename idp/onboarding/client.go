package onboarding

import (
	"context"
	"fmt"

	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/store"
)

// ToReplaceKeys reads the client of an application, whose keys can be replaced.
func (r *Registrar) ToReplaceKeys(ctx context.Context, a store.ClientApplication) (store.Client, error) {
	c, err := r.client(ctx, a)
	if err == nil && (c.JWKS == nil || c.DisabledAt != nil) {
		err = Refuse(NoKeys)
	}
	return c, err
}

// ToRotate reads the client of an application, which can have another secret.
func (r *Registrar) ToRotate(ctx context.Context, a store.ClientApplication) (store.Client, error) {
	c, err := r.client(ctx, a)
	if err == nil && (!oauth.HasSecret(c.Authentication) || c.DisabledAt != nil) {
		err = Refuse(NoSecret)
	}
	return c, err
}

func (r *Registrar) client(ctx context.Context, a store.ClientApplication) (store.Client, error) {
	if a.ClientID == nil {
		return store.Client{}, Refuse(NotApproved)
	}
	c, err := r.Store.Client(ctx, *a.ClientID)
	if err != nil {
		return c, fmt.Errorf("read client %q: %w", *a.ClientID, err)
	}
	return c, nil
}

// Alike reads what else has a name that looks like that of an application, for whoever decides about it.
func (r *Registrar) Alike(ctx context.Context, a store.ClientApplication) ([]store.SameName, error) {
	others, err := r.Store.SameNames(ctx, a.Name, a.OrganisationCode)
	if err != nil {
		return nil, fmt.Errorf("look for names like that of application %s: %w", a.ID, err)
	}
	return others, nil
}
