package evidence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
)

// Withdraw lets a piece of evidence count no more, and computes what is left. With one that was forged goes all that counts
// for the person of the same document, however often that was recorded; what counts of it for others stays, and is told. Each
// has a line of the record. One that is unknown is ErrUnknown, one that was withdrawn before ErrWithdrawn.
//
// A piece with a number that was withdrawn for another reason can prove forged later. What was withdrawn stays as it was, so
// the document is recorded once more and withdrawn at once: that never counts, and from then on it is refused for everybody.
func (r *Recorder) Withdraw(ctx context.Context, actor string, id uuid.UUID, reason Reason) (change Change, err error) {
	err = r.store.InTx(ctx, func(tx *store.Tx) error {
		change, err = r.WithdrawIn(ctx, tx, Checker{PersonID: actor}, id, reason)
		return err
	})
	return change, err
}

// WithdrawIn is Withdraw in a transaction.
func (r *Recorder) WithdrawIn(ctx context.Context, tx *store.Tx, by Checker, id uuid.UUID, reason Reason) (Change, error) {
	if !slices.Contains(Reasons(), reason) {
		return Change{}, fmt.Errorf("reason %.40q %w: want forged, mistaken or superseded", reason, ErrInvalid)
	}
	e, err := readPiece(ctx, tx, id)
	if err != nil {
		return Change{}, err
	}
	person, err := lock(ctx, tx, e.PersonID)
	if err != nil {
		return Change{}, err
	}
	if e, err = readPiece(ctx, tx, id); err != nil { // as it is, now that nobody else changes it
		return Change{}, err
	}
	w := withdrawal{person: person, piece: e, reason: reason, gone: []store.Evidence{e}, act: act{by: by, at: r.now()}}
	if w.counts, err = tx.EvidenceInForce(ctx, assurance.MaxPieces, e.PersonID); err != nil {
		return Change{}, fmt.Errorf("read evidence: %w", err)
	}
	if reason == Forged && e.NumberHash != nil && !foundForged(e) {
		err = r.forged(ctx, tx, &w)
	} else if e.WithdrawnAt != nil {
		err = withdrawnBefore(e)
	}
	if err != nil {
		return Change{}, err
	}
	change, err := r.withdraw(ctx, tx, w)
	if err != nil {
		return Change{}, err
	}
	return change, r.inform(ctx, tx, change)
}

// withdrawal is what is to be withdrawn of a person who is locked, and why.
type withdrawal struct {
	act

	person store.IdentityRow
	piece  store.Evidence
	reason Reason
	counts []store.Evidence // for her
	gone   []store.Evidence // with the piece
	others []Other          // that count for other people, when it was forged
	again  uuid.UUID        // what was put on record once more, to go, because the piece was withdrawn before; or none
}

// forged looks for what is on record of a forged document: of hers all goes.
func (r *Recorder) forged(ctx context.Context, tx *store.Tx, w *withdrawal) error {
	hashes := [][]byte{w.piece.NumberHash}
	number, lost := r.number(w.piece) // when its key was
	if lost == nil {
		hashes = append(hashes, r.hashes(number)...)
	}
	if err := tx.LockNumbers(ctx, hashes); err != nil { // nobody can record it meanwhile
		return fmt.Errorf("lock numbers: %w", err)
	}
	found, err := tx.EvidenceByNumber(ctx, hashes, mostFound)
	if err != nil {
		return fmt.Errorf("find evidence: %w", err)
	}
	if found, err = sameDocument(found, w.piece, hashes); err != nil {
		return err
	}
	for _, other := range found {
		if other.PersonID != w.person.PersonID && other.WithdrawnAt == nil {
			w.others = append(w.others, Other{PersonID: other.PersonID, Evidence: other.ID})
		}
	}
	if w.gone, err = sameDocument(w.counts, w.piece, hashes); err != nil || w.piece.WithdrawnAt == nil {
		return err
	}
	if i := slices.IndexFunc(found, func(other store.Evidence) bool { return other.PersonID == w.person.PersonID && foundForged(other) }); i >= 0 {
		return withdrawnBefore(found[i])
	}
	if lost != nil {
		return lost
	}
	again, err := r.recordAgain(ctx, tx, *w, number)
	w.gone, w.again = append(w.gone, again), again.ID
	return err
}

// recordAgain puts a piece that was withdrawn on record once more, to be withdrawn as forged.
func (r *Recorder) recordAgain(ctx context.Context, tx *store.Tx, w withdrawal, number string) (store.Evidence, error) {
	e := w.piece
	id, err1 := uuid.NewV7()
	process, err2 := uuid.NewV7()
	if err := errors.Join(err1, err2); err != nil {
		return e, fmt.Errorf("draw an id: %w", err)
	}
	e.ID, e.ProcessID, e.RecordedAt, e.RecordedBy = id, process, w.at, w.by.PersonID
	e.NumberHash, e.NumberSealed = r.hashes(number)[0], r.box().Seal([]byte(number), bound(e))
	if err := tx.AddEvidence(ctx, e); err != nil {
		return e, fmt.Errorf("record evidence: %w", err)
	}
	stays := outcome(w.person.Identity)
	detail := Change{Before: stays, After: stays}.detail(e)
	detail["withdrawn_before"] = w.piece.ID.String()
	return e, audit.Record(ctx, tx, w.by.line(w.at, audit.EvidenceRecorded, e.PersonID, detail))
}

// withdraw lets all that goes count no more.
func (r *Recorder) withdraw(ctx context.Context, tx *store.Tx, w withdrawal) (change Change, err error) {
	var ids []uuid.UUID
	for _, g := range w.gone {
		ids = append(ids, g.ID)
	}
	if err := tx.WithdrawEvidence(ctx, ids, w.by.PersonID, string(w.reason), w.at); err != nil {
		return Change{}, fmt.Errorf("withdraw evidence: %w", err)
	}
	left := slices.DeleteFunc(slices.Clone(w.counts), func(c store.Evidence) bool { return slices.Contains(ids, c.ID) })
	change = Change{PersonID: w.person.PersonID, Before: outcome(w.person.Identity), After: outcome(w.person.Identity)}
	if len(left) < len(w.counts) {
		if change, err = r.settle(ctx, tx, w.person, left, w.at); err != nil {
			return Change{}, err
		}
	}
	change.Evidence, change.Others = ids, w.others
	for _, g := range w.gone {
		detail := change.detail(g)
		detail["reason"] = string(w.reason)
		switch g.ID {
		case w.again:
			detail["withdrawn_before"], detail["reason_before"] = w.piece.ID.String(), *w.piece.WithdrawnReason
			change.Known = []Known{{Evidence: g.ID, As: w.piece.ID}}
		case w.piece.ID:
		default:
			detail["with"] = w.piece.ID.String()
		}
		if err := audit.Record(ctx, tx, w.by.line(w.at, audit.EvidenceWithdrawn, w.person.PersonID, detail)); err != nil {
			return Change{}, fmt.Errorf("record: %w", err)
		}
	}
	return change, nil
}

// readPiece reads a piece that is to be withdrawn.
func readPiece(ctx context.Context, tx *store.Tx, id uuid.UUID) (store.Evidence, error) {
	e, err := tx.Evidence(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return e, fmt.Errorf("evidence %s %w", id, ErrUnknown)
	case err != nil:
		return e, fmt.Errorf("read evidence %s: %w", id, err)
	}
	return e, nil
}

// WithdrawnError is ErrWithdrawn of a piece, with when, by whom and why it was.
type WithdrawnError struct {
	Evidence uuid.UUID
	Withdrawal
}

// Error says it in words.
func (e *WithdrawnError) Error() string {
	return fmt.Sprintf("evidence %s %s: at %s, as %s", e.Evidence, ErrWithdrawn, e.At.Format(time.RFC3339), e.Reason)
}

// Unwrap is ErrWithdrawn.
func (e *WithdrawnError) Unwrap() error { return ErrWithdrawn }

func withdrawnBefore(e store.Evidence) error {
	return &WithdrawnError{e.ID, Withdrawal{e.WithdrawnAt.UTC(), *e.WithdrawnBy, Reason(*e.WithdrawnReason)}}
}

// foundForged says whether a piece was withdrawn as forged.
func foundForged(e store.Evidence) bool {
	return e.WithdrawnReason != nil && *e.WithdrawnReason == string(Forged)
}
