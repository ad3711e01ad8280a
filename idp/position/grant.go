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

// Known is what an operator knows of and grants a role all the same. The record says so.
type Known struct {
	Separated bool   // that nobody holds it together with what the person has
	Bound     string // who had to do with what she signs in with, by its mark: see [MarkOf]
}

// Grant gives a person a role of no position, as [directory.GrantRole] does, unless nobody holds it together with what she
// has, or it makes her an officer and another had to do with what she signs in with, which is a *[BoundError]. An operator who knows of
// it grants it despite that. Enrolment links that were made for whom it makes an officer work no more.
func (r *Registrar) Grant(ctx context.Context, role directory.NewRole, operator string, known Known) (id string, err error) {
	now := r.Now()
	if role.StartsAt.IsZero() {
		role.StartsAt = now
	}
	if err := role.Check(r.Catalogue); err != nil {
		return "", err
	}
	err = directory.Redraw(role.ID, func() error {
		return r.Store.InTx(ctx, func(tx *store.Tx) error {
			if err := tx.LockAccess(ctx, role.PersonID); err != nil { // before people, as whoever enrols does
				return fmt.Errorf("lock what person %s signs in with: %w", role.PersonID, err)
			}
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
			case apart && !known.Separated:
				return refusal
			case apart:
				role.Despite = deed.Clip(refusal.Because)
			}
			if len(r.Rules.ActorsOf(role.JobRole, role.Activities)) > 0 {
				if role.BoundBy, err = bound(ctx, tx, role.PersonID, known.Bound, now); err != nil {
					return err
				}
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
