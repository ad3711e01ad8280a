package position

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// Known is what an operator knows of and grants a role all the same. The record says so.
type Known struct {
	Separated bool // that nobody holds it together with what the person has
	Bound     bool // who had to do with what she signs in with
}

// BoundError says that a role would make somebody an officer, and who had to do with what she signs in with. One of them may be able to
// come in her place, whom she will be above from then on.
type BoundError struct {
	PersonID string
	Bindings []store.Binding
}

func (e *BoundError) Error() string {
	lines := []string{"person " + e.PersonID + " becomes an officer, and others had to do with what she signs in with: ask her to show you each"}
	for _, b := range e.Bindings {
		lines = append(lines, fmt.Sprintf("  %s, bound on %s, last by %s: %q", b.AuthenticatorID, b.BoundAt.UTC().Format("2 January 2006"), b.By, b.Name))
	}
	return strings.Join(lines, "\n")
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
				if role.BoundBy, _, err = bound(ctx, tx, role.PersonID, known.Bound, now); err != nil {
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

// bound spends the enrolment links of a person who becomes an officer: they were made while she was none, by officers who may not make
// one for her as she is now. It says, for the record, who had to do with what she signs in with, and when the newest of that was bound.
// Unless that is known it is a *[BoundError].
func bound(ctx context.Context, tx *store.Tx, personID string, known bool, now time.Time) (by string, newest time.Time, err error) {
	if err := tx.SpendLinks(ctx, personID, now); err != nil {
		return "", newest, fmt.Errorf("spend enrolment links of person %s: %w", personID, err)
	}
	bindings, err := tx.Bindings(ctx, personID)
	if err != nil {
		return "", newest, fmt.Errorf("read who had to do with what person %s signs in with: %w", personID, err)
	}
	if len(bindings) > 0 && !known {
		return "", newest, &BoundError{personID, bindings}
	}
	var officers []string
	for _, b := range bindings {
		newest = later(newest, b.BoundAt)
		if !slices.Contains(officers, b.By) {
			officers = append(officers, b.By)
		}
	}
	return deed.Clip(strings.Join(officers, " ")), newest, nil
}

// meets says whether somebody would have a role at the same time as another that starts, and ends, or does not, if that is nil.
func meets(h store.HeldRole, starts time.Time, ends *time.Time) bool {
	return (h.EndsAt == nil || h.EndsAt.After(starts)) && (ends == nil || h.StartsAt.Before(*ends))
}
