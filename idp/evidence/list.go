package evidence

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// Recorded is a piece of evidence on record, as it is shown.
type Recorded struct {
	PersonID string `json:"person_id"`
	assurance.Piece
	Subject    string      `json:"subject,omitempty"` // "": that of the piece is a digest, and says nothing
	Number     string      `json:"number,omitempty"`  // its end, as in ···789
	Issuer     string      `json:"issuer,omitempty"`
	Declared   Meeting     `json:"declared,omitempty"` // how whoever recorded it met the person, whom she declares to have checked
	RecordedAt time.Time   `json:"recorded_at"`
	RecordedBy string      `json:"recorded_by"`
	Withdrawn  *Withdrawal `json:"withdrawn,omitempty"` // nil while it counts
}

// Withdrawal is when, by whom and why a piece was withdrawn.
type Withdrawal struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Reason Reason    `json:"reason"`
}

// Of lists what was ever recorded of a person, in the order of recording, from the one after the given id, at most limit of
// it. Who is not known is ErrUnknown.
func (r *Recorder) Of(ctx context.Context, personID string, after uuid.UUID, limit int) ([]Recorded, error) {
	return r.Sorted(ctx, personID, store.Order{By: store.ByTime}, after, limit)
}

// Sorted is Of in an order: see [store.Store.EvidenceOf].
func (r *Recorder) Sorted(ctx context.Context, personID string, order store.Order, after uuid.UUID, limit int) ([]Recorded, error) {
	if !personIDForm.MatchString(personID) {
		return nil, unknownPerson(personID)
	}
	rows, err := r.store.EvidenceOf(ctx, personID, order, after, limit)
	if err != nil {
		return nil, fmt.Errorf("list evidence: %w", err)
	}
	if len(rows) == 0 {
		if _, err := r.store.Identity(ctx, personID); err != nil {
			return nil, personError(personID, err)
		}
	}
	return r.recorded(rows)
}

// ByNumber lists what was ever recorded with a number, however it is written, what counts first. What can be no number is
// ErrInvalid.
func (r *Recorder) ByNumber(ctx context.Context, number string) ([]Recorded, error) {
	if err := checkNumber(number); err != nil {
		return nil, fmt.Errorf("number %w: %w", ErrInvalid, err)
	}
	rows, err := r.store.EvidenceByNumber(ctx, r.hashes(number), mostFound)
	if err != nil {
		return nil, fmt.Errorf("find evidence: %w", err)
	}
	return r.recorded(rows)
}

func (r *Recorder) recorded(rows []store.Evidence) ([]Recorded, error) {
	list := make([]Recorded, len(rows))
	for i, e := range rows {
		f, err := readFacts(e)
		if err != nil {
			return nil, err
		}
		list[i] = Recorded{PersonID: e.PersonID, Piece: f.Piece, Issuer: f.Issuer, Declared: f.Declared, RecordedAt: e.RecordedAt.UTC(), RecordedBy: e.RecordedBy}
		if e.WithdrawnAt != nil {
			list[i].Withdrawn = &Withdrawal{e.WithdrawnAt.UTC(), *e.WithdrawnBy, Reason(*e.WithdrawnReason)}
		}
		if e.NumberSealed != nil {
			list[i].Number = hidden(r.number(e))
		}
	}
	return list, nil
}

// hidden is the end of a number, enough to tell it from another in the hand; and less of a short one.
func hidden(number string, err error) string {
	if err != nil {
		return "(sealed under another key)"
	}
	letters := []rune(number)
	return "···" + strings.TrimSpace(string(letters[len(letters)-min(3, len(letters)/3):]))
}

// Reseal seals the numbers of all evidence under the first line of the seal key, in batches, and says how many there are and
// how many were sealed anew. Those that no line opens stay as they are; when all others are done it fails with
// [seal.ErrSeal] and how many there are. The store has to be the owner's. It may be run again.
func (r *Recorder) Reseal(ctx context.Context, actor string) (resealed, total int, err error) {
	const batch = 500
	closed := 0
	for after, more := uuid.Nil, true; more; {
		var b resealing
		err := r.store.InTx(ctx, func(tx *store.Tx) error {
			rows, err := tx.LockSealedNumbers(ctx, after, batch)
			if err != nil {
				return fmt.Errorf("read evidence: %w", err)
			}
			if more = len(rows) == batch; more {
				after = rows[batch-1].ID
			}
			b, err = r.reseal(ctx, tx, rows)
			if err != nil || b.anew == 0 {
				return err
			}
			return audit.Record(ctx, tx, audit.Entry{At: r.now(), Event: audit.EvidenceResealed, Actor: actor, Detail: map[string]string{"numbers": strconv.Itoa(b.anew)}})
		})
		if err != nil {
			return resealed, total, err
		}
		resealed, total, closed = resealed+b.anew, total+b.all, closed+b.closed
	}
	if closed > 0 {
		return resealed, total, fmt.Errorf("open the numbers of evidence: %w: no line of the seal key opens %d of %d; %d were sealed anew", seal.ErrSeal, closed, total, resealed)
	}
	return resealed, total, nil
}

// resealing counts the numbers of a batch, and of them those that were sealed anew and those that no line opens.
type resealing struct{ all, anew, closed int }

func (r *Recorder) reseal(ctx context.Context, tx *store.Tx, rows []store.Evidence) (resealing, error) {
	b := resealing{all: len(rows)}
	for _, e := range rows {
		number, err := r.number(e)
		if err != nil {
			b.closed++
			continue
		}
		sealed, err := r.box().Reseal(e.NumberSealed, bound(e))
		if err != nil {
			return b, fmt.Errorf("seal the number of evidence %s: %w", e.ID, err)
		}
		hash := r.hashes(number)[0]
		if bytes.Equal(sealed, e.NumberSealed) && bytes.Equal(hash, e.NumberHash) {
			continue
		}
		b.anew++
		if err := tx.ResealNumber(ctx, e.ID, sealed, hash); err != nil {
			return b, fmt.Errorf("store the number of evidence %s: %w", e.ID, err)
		}
	}
	return b, nil
}
