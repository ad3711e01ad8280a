package evidence

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/store"
)

// WithdrawAllIn is Withdraw for all that counts for a person, as a part of the caller's transaction. It is for a person whose
// profile is merged into another: what proves who she is has to be recorded for that one, and could not be while it counts here.
func (r *Recorder) WithdrawAllIn(ctx context.Context, tx *store.Tx, actor, personID string, reason Reason, now time.Time) (Change, error) {
	return r.withdrawIn(ctx, tx, act{by: Checker{PersonID: actor}, at: now}, personID, reason, func(store.IdentityRow, store.Evidence) (bool, error) { return true, nil })
}

// WithdrawUnnamedIn is Withdraw, in the caller's transaction, for what counts for a person and is not about her by the name and
// date of birth that are on record now: it proves who somebody else is, or was.
func (r *Recorder) WithdrawUnnamedIn(ctx context.Context, tx *store.Tx, actor, personID string, now time.Time) (Change, error) {
	change, err := r.withdrawIn(ctx, tx, act{by: Checker{PersonID: actor}, at: now}, personID, Superseded, func(person store.IdentityRow, e store.Evidence) (bool, error) {
		f, err := readFacts(e)
		return err == nil && !f.names(person), err
	})
	if err != nil {
		return Change{}, err
	}
	return change, r.inform(ctx, tx, change)
}

// withdrawIn withdraws those pieces that are gone of all that count for a person.
func (r *Recorder) withdrawIn(ctx context.Context, tx *store.Tx, by act, personID string, reason Reason, gone func(store.IdentityRow, store.Evidence) (bool, error)) (Change, error) {
	person, err := lock(ctx, tx, personID)
	if err != nil {
		return Change{}, err
	}
	counts, err := tx.EvidenceInForce(ctx, assurance.MaxPieces, personID)
	if err != nil {
		return Change{}, fmt.Errorf("read evidence: %w", err)
	}
	w := withdrawal{person: person, reason: reason, counts: counts, act: by}
	for _, e := range counts {
		goes, err := gone(person, e)
		if err != nil {
			return Change{}, err
		}
		if goes {
			w.gone = append(w.gone, e)
		}
	}
	if len(w.gone) == 0 {
		return Change{PersonID: personID, Before: outcome(person.Identity), After: outcome(person.Identity)}, nil
	}
	w.piece = w.gone[0]
	return r.withdraw(ctx, tx, w)
}

// PeopleByNumberIn lists by id, in the caller's transaction, of whom a piece of a kind with this number is on record, whether it
// counts or not. What can be no number is ErrInvalid.
func (r *Recorder) PeopleByNumberIn(ctx context.Context, tx *store.Tx, kind, number string) ([]string, error) {
	if err := checkNumber(number); err != nil {
		return nil, fmt.Errorf("number %w: %w", ErrInvalid, err)
	}
	rows, err := tx.EvidenceByNumber(ctx, r.hashes(number), mostFound)
	if err != nil {
		return nil, fmt.Errorf("find evidence: %w", err)
	}
	var people []string
	for _, e := range rows {
		if e.Kind == kind {
			people = append(people, e.PersonID)
		}
	}
	slices.Sort(people)
	return slices.Compact(people), nil
}
