package position

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/poll"
	"github.com/credence-id/credence/store"
)

const (
	// lapseEvery is how often a replica ends what has lapsed. Nobody can decide it meanwhile.
	lapseEvery = 5 * time.Minute
	// lapseBatch is how many requests one transaction ends.
	lapseBatch = 50
	// lapseDeadline is how long one pass may take.
	lapseDeadline = time.Minute

	// undecided is why a request lapses by itself.
	undecided = "nobody decided it in time"
)

// RunLapse ends requests and introductions that nobody decided or took up in time, at once and then every few minutes, until the context ends.
func (r *Registrar) RunLapse(ctx context.Context) error {
	return poll.Repeat(ctx, lapseEvery, r.Log, "what has lapsed could not be ended", func(ctx context.Context) error {
		return errors.Join(r.Lapse(ctx), r.LapseReviews(ctx))
	})
}

// Lapse ends requests that nobody decided in time and introductions that nobody took up, each with its line of the record, and tells
// who asked. Any number of replicas do so side by side.
func (r *Registrar) Lapse(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, lapseDeadline)
	defer cancel()
	for _, lapse := range []func(context.Context, *store.Tx) (int, error){r.lapse, r.lapseIntroductions} {
		for ended := lapseBatch; ended == lapseBatch; {
			err := r.Store.InTx(ctx, func(tx *store.Tx) (err error) {
				ended, err = lapse(ctx, tx)
				return err
			})
			if err != nil {
				return fmt.Errorf("end requests that have lapsed: %w", err)
			}
		}
	}
	return nil
}

func (r *Registrar) lapse(ctx context.Context, tx *store.Tx) (int, error) {
	now := r.Now()
	lapsed, err := tx.LapseOldRequests(ctx, undecided, lapseBatch, now)
	if err != nil {
		return 0, err
	}
	for _, l := range lapsed {
		if err := audit.Record(ctx, tx, audit.Entry{
			At: now, Event: audit.RequestLapsed, Actor: "expiry", Person: l.PersonID, Detail: map[string]string{"request": l.ID.String(), "position": l.PositionID},
		}); err != nil {
			return 0, err
		}
		if err := r.Messenger.Post(ctx, tx, messenger.Message{Person: l.AskedBy, Letter: messenger.RequestLapsed{Request: l.ID}}); err != nil {
			return 0, err
		}
	}
	return len(lapsed), nil
}
