package position

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/store"
)

// become takes from somebody who becomes an officer of an organisation by what others could come in her place. Links were made while she was
// nobody's officer, by officers who may not make one for her as she is now. And what she signs in with may have been bound by one of those: all
// of it from then on is suspended, because with that the rest could be added, until an officer who may lets it work again, who asks her first.
func (a *act) become(ctx context.Context, personID, organisation string, makes []authority.Actor) error {
	if err := a.SpendLinks(ctx, personID, a.Now); err != nil {
		return fmt.Errorf("spend enrolment links of person %s: %w", personID, err)
	}
	since, err := a.doubtful(ctx, personID, organisation, makes)
	if err != nil || since.IsZero() {
		return err
	}
	list, err := a.KeptAuthenticators(ctx, personID)
	if err != nil {
		return fmt.Errorf("list authenticators of person %s: %w", personID, err)
	}
	for _, k := range list {
		if k.State != "active" || k.CreatedAt.Before(since) {
			continue
		}
		fallout, err := a.ChangeAuthenticator(ctx, k.ID, k.State, "suspended", a.Now)
		if err != nil {
			return fmt.Errorf("suspend authenticator %s: %w", k.ID, err)
		}
		line := a.Line(audit.AuthenticatorSuspended, personID)
		if err := audit.RecordEnds(ctx, a.Tx, line, "authenticator suspended", fallout.Sessions...); err != nil {
			return err
		}
		line.Detail["authenticator"], line.Detail["kind"], line.Detail["from"], line.Detail["to"] = k.ID.String(), k.Kind, k.State, "suspended"
		line.Detail["reason"] = "the person becomes an officer, and one who may not bind it to her had to do with it"
		if err := audit.Record(ctx, a.Tx, line); err != nil {
			return err
		}
		letter := messenger.AuthenticatorChanged{Authenticator: k.Name, State: "suspended"}
		if err := a.messenger.Post(ctx, a.Tx, messenger.Message{Person: personID, Letter: letter}); err != nil {
			return err
		}
	}
	return nil
}

// doubtful is since when an officer may have bound something to a person who could not bind it to the officer that she becomes; zero where
// there is no such.
func (a *act) doubtful(ctx context.Context, personID, organisation string, makes []authority.Actor) (time.Time, error) {
	path, err := a.OrganisationPath(ctx, organisation)
	if err != nil {
		return time.Time{}, fmt.Errorf("read organisations above %q: %w", organisation, err)
	}
	binders, err := a.Binders(ctx, personID)
	if err != nil {
		return time.Time{}, fmt.Errorf("list who bound something to person %s: %w", personID, err)
	}
	of := authority.Subject{PersonID: personID, Path: path, Makes: makes}
	for _, b := range binders { // the first in time comes first
		err := StillMay(ctx, a.Tx, a.Rules, b.PersonID, authority.IssueAuthenticator, of, a.Now)
		if _, refused := errors.AsType[*deed.Refusal](err); refused {
			return b.Since, nil
		}
		if err != nil {
			return time.Time{}, err
		}
	}
	return time.Time{}, nil
}

// isAlready says whether a role that somebody holds now by a position makes her all of these officers.
func (a *act) isAlready(held []store.HeldRole, positionID string, makes []authority.Actor) bool {
	return slices.ContainsFunc(held, func(h store.HeldRole) bool {
		made := a.Rules.ActorsOf(h.JobRole, h.Activities)
		return h.PositionID == positionID && !h.StartsAt.After(a.Now) && !slices.ContainsFunc(makes, func(m authority.Actor) bool { return !slices.Contains(made, m) })
	})
}
