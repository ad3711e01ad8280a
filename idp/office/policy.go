package office

import (
	"context"
	"errors"
	"fmt"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// Demand is what is asked of the sign-in of whoever acts at an organisation, and of the proof of her identity.
func (f *Office) Demand(organisation string) assurance.Demand {
	return demand(f.Policies.Of(organisation).DeskLevel)
}

// LeastDemand is what is asked of whoever has chosen no role yet: less is asked of nobody.
func (f *Office) LeastDemand() assurance.Demand { return demand(f.Policies.LeastDeskLevel()) }

func demand(level assurance.AuthenticatorLevel) assurance.Demand {
	return assurance.Demand{MinimumAuthenticator: level, MinimumIdentity: deed.LeastIdentity}
}

// Policy reads how an organisation has its work done, for whoever has business there.
func (f *Office) Policy(ctx context.Context, o Officer, organisation string) (directory.Stated, error) {
	if _, err := f.MayAt(ctx, o, organisation, OnGlance()...); err != nil {
		return directory.Stated{}, err
	}
	return f.Policies.Policy(ctx, f.Store, organisation)
}

// SetPolicy changes what an organisation says of how it has its work done. What makes it less strict is for officers of the
// organisations above it. Somebody else having changed it since it was seen is the refusal deed.ChangedSince.
func (f *Office) SetPolicy(ctx context.Context, o Officer, c directory.PolicyChange) error {
	act := authority.SetPolicy
	var stated directory.Stated
	err := f.Policies.SetPolicy(ctx, f.Store, c, f.Line(o, "", "", map[string]string{}), func(tx *store.Tx, before directory.Stated) error {
		if stated = before; before.Relaxes(c.Policy) {
			act = authority.RelaxPolicy
		}
		acting, err := deed.Officer(ctx, tx, f.Rules, o.Acting(), f.Now())
		if err != nil {
			return err
		}
		if why := f.Rules.May(acting, act, authority.Subject{Path: before.Path()}).Refusal; why != "" {
			return deed.Refuse(why)
		}
		return nil
	})
	if refused, ok := errors.AsType[*deed.Refusal](err); ok {
		return f.Refuse(ctx, o, refused, act)
	}
	if errors.Is(err, directory.ErrChangedSince) {
		var changes []deed.Change
		sent := c.Policy.Settings()
		for i, now := range stated.Own.Settings() {
			if now.Value != sent[i].Value {
				changes = append(changes, deed.Change{Field: now.Name, From: sent[i].Value, To: now.Value})
			}
		}
		return fmt.Errorf("%w: %w", deed.Refuse(deed.ChangedSince).With("", changes...), err)
	}
	return err
}
