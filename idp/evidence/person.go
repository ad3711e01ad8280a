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
	person, err := lock(ctx, tx, personID)
	if err != nil {
		return Change{}, err
	}
	counts, err := tx.EvidenceInForce(ctx, assurance.MaxPieces, personID)
	if err != nil {
		return Change{}, fmt.Errorf("read evidence: %w", err)
	}
	w := withdrawal{person: person, reason: reason, gone: counts, counts: counts, act: act{actor: actor, at: now}}
	if len(counts) == 0 {
		return Change{PersonID: personID, Before: outcome(person.Identity), After: outcome(person.Identity)}, nil
	}
	w.piece = counts[0]
	return r.withdraw(ctx, tx, w)
}

// NamesIn says, in the caller's transaction, whether all that counts for a person is about her as she is on record now.
func (r *Recorder) NamesIn(ctx context.Context, tx *store.Tx, personID string) (bool, error) {
	person, err := tx.Identity(ctx, personID)
	if err != nil {
		return false, personError(personID, err)
	}
	counts, err := tx.EvidenceInForce(ctx, assurance.MaxPieces, personID)
	if err != nil {
		return false, fmt.Errorf("read evidence: %w", err)
	}
	for _, e := range counts {
		f, err := readFacts(e)
		if err != nil || !f.names(person) {
			return false, err
		}
	}
	return true, nil
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
