package position

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// Grant gives a person a role of no position, as [directory.GrantRole] does, unless nobody holds it together with what she
// has. The operator who does so despite that is recorded to.
func (r *Registrar) Grant(ctx context.Context, role directory.NewRole, operator string, despite bool) (id string, err error) {
	now := r.Now()
	if role.StartsAt.IsZero() {
		role.StartsAt = now
	}
	if err := role.Check(r.Catalogue); err != nil {
		return "", err
	}
	err = directory.Redraw(role.ID, func() error {
		return r.Store.InTx(ctx, func(tx *store.Tx) error {
			if _, err := tx.LockIdentities(ctx, role.PersonID, role.PersonID); err != nil {
				return fmt.Errorf("lock person %s: %w", role.PersonID, err)
			}
			held, err := deed.Held(ctx, tx, role.PersonID, now)
			if err != nil {
				return err
			}
			duties := []authority.Held{{JobRole: role.JobRole, Activities: role.Activities}}
			for _, h := range held {
				if meets(h, role.StartsAt, role.EndsAt) {
					duties = append(duties, authority.Held{JobRole: h.JobRole, Activities: h.Activities})
				}
			}
			refusal, apart := errors.AsType[*deed.Refusal](separated(r.Rules, duties))
			switch {
			case apart && !despite:
				return refusal
			case apart:
				role.Despite = deed.Clip(refusal.Because)
			}
			id, err = directory.GrantRoleIn(ctx, tx, role, operator, now)
			return err
		})
	})
	if errors.Is(err, store.ErrConflict) {
		return "", fmt.Errorf("role %s %w", role.ID, directory.ErrTaken)
	}
	return id, err
}

// meets says whether somebody would have a role at the same time as another that starts, and ends, or does not, if that is nil.
func meets(h store.HeldRole, starts time.Time, ends *time.Time) bool {
	return (h.EndsAt == nil || h.EndsAt.After(starts)) && (ends == nil || h.StartsAt.Before(*ends))
}
