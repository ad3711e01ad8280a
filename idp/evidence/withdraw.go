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
func (r *Recorder) Withdraw(ctx context.Context, actor string, id uuid.UUID, reason Reason) (Change, error) {
	if !slices.Contains(Reasons(), reason) {
		return Change{}, fmt.Errorf("reason %.40q %w: want forged, mistaken or superseded", reason, ErrInvalid)
	}
	var change Change
	err := r.store.InTx(ctx, func(tx *store.Tx) error {
		e, err := readPiece(ctx, tx, id)
		if err != nil {
			return err
		}
		person, err := lock(ctx, tx, e.PersonID)
		if err != nil {
			return err
		}
		counts, err := tx.EvidenceInForce(ctx, assurance.MaxPieces, e.PersonID)
		if err != nil {
			return fmt.Errorf("read evidence: %w", err)
		}
		if !slices.ContainsFunc(counts, func(c store.Evidence) bool { return c.ID == id }) {
			_, err := readPiece(ctx, tx, id) // as it is, now that nobody else changes it
			return err
		}
		goes := func(c store.Evidence) bool {
			return c.ID == id || reason == Forged && sameDocument(c, e)
		}
		var gone []store.Evidence
		var ids []uuid.UUID
		for _, c := range counts {
			if goes(c) {
				gone, ids = append(gone, c), append(ids, c.ID)
			}
		}
		var others []Other
		if reason == Forged {
			if others, err = r.others(ctx, tx, e); err != nil {
				return err
			}
		}
		now := r.now()
		if err := tx.WithdrawEvidence(ctx, ids, actor, string(reason), now); err != nil {
			return fmt.Errorf("withdraw evidence: %w", err)
		}
		if change, err = r.settle(ctx, tx, person, slices.DeleteFunc(counts, goes), now); err != nil {
			return err
		}
		change.Evidence, change.Others = ids, others
		for _, g := range gone {
			detail := change.detail(g)
			detail["reason"] = string(reason)
			if g.ID != id {
				detail["with"] = id.String()
			}
			if err := audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.EvidenceWithdrawn, Actor: actor, Person: e.PersonID, Detail: detail}); err != nil {
				return fmt.Errorf("record: %w", err)
			}
		}
		return nil
	})
	return change, err
}

// readPiece reads a piece that is to be withdrawn.
func readPiece(ctx context.Context, tx *store.Tx, id uuid.UUID) (store.Evidence, error) {
	e, err := tx.Evidence(ctx, id)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return e, fmt.Errorf("evidence %s %w", id, ErrUnknown)
	case err != nil:
		return e, fmt.Errorf("read evidence %s: %w", id, err)
	case e.WithdrawnAt != nil:
		return e, fmt.Errorf("evidence %s %w: at %s, as %s", id, ErrWithdrawn, e.WithdrawnAt.UTC().Format(time.RFC3339), *e.WithdrawnReason)
	}
	return e, nil
}

// others are the pieces that count for other people and may be of the same document. Nobody can record one more meanwhile.
func (r *Recorder) others(ctx context.Context, tx *store.Tx, e store.Evidence) (others []Other, err error) {
	if e.NumberHash == nil {
		return nil, nil
	}
	hashes := [][]byte{e.NumberHash}
	if number, err := r.number(e); err == nil { // else it is sealed under a key that was lost
		hashes = r.hashes(number)
	}
	if err := tx.LockNumbers(ctx, hashes); err != nil {
		return nil, fmt.Errorf("lock numbers: %w", err)
	}
	found, err := tx.EvidenceByNumber(ctx, hashes, mostFound)
	if err != nil {
		return nil, fmt.Errorf("find evidence: %w", err)
	}
	for _, other := range found {
		may, err := mayBeSame(other, e)
		if err != nil {
			return nil, err
		}
		if may && other.WithdrawnAt == nil && other.PersonID != e.PersonID {
			others = append(others, Other{PersonID: other.PersonID, Evidence: other.ID})
		}
	}
	return others, nil
}
