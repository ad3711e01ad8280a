package messenger

import (
	"context"
	"fmt"
	"time"

	"github.com/credence-id/credence/store"
)

const (
	// remindEvery is how often a replica looks for what ends.
	remindEvery = 10 * time.Minute
	// reminderLate is how late a reminder may be, because servers were away; after that it is left out.
	reminderLate = 2 * 24 * time.Hour
	// reminderBatch is how many reminders one transaction writes.
	reminderBatch = 50
)

// notice is how long before its end somebody is reminded of a position.
type notice struct {
	key string // what the reminder is told once by, with the role
	of  time.Duration
}

func notices() []notice {
	const day = 24 * time.Hour
	return []notice{{"position_ends/30/", 30 * day}, {"position_ends/7/", 7 * day}}
}

// RunReminders reminds people of positions that end, until the context ends.
func (o *Outbox) RunReminders(ctx context.Context) error {
	if o == nil {
		return nil
	}
	return o.repeat(ctx, remindEvery, "nobody is reminded", "people are reminded again", o.Remind)
}

// Remind writes the reminders that are due. Any number of replicas do so side by side, and each is written once.
func (o *Outbox) Remind(ctx context.Context) error {
	for _, n := range notices() {
		for written := reminderBatch; written == reminderBatch; {
			err := o.store.InTx(ctx, func(tx *store.Tx) (err error) {
				written, err = o.remind(ctx, tx, n)
				return err
			})
			if err != nil {
				return fmt.Errorf("remind of positions that end: %w", err)
			}
		}
	}
	for _, n := range reviewNotices() {
		for written := reminderBatch; written == reminderBatch; {
			err := o.store.InTx(ctx, func(tx *store.Tx) (err error) {
				written, err = o.remindOfReviews(ctx, tx, n)
				return err
			})
			if err != nil {
				return fmt.Errorf("remind of reviews that are due: %w", err)
			}
		}
	}
	return nil
}

// reviewNotices are how long before a review is due its opener is reminded of it.
func reviewNotices() []notice {
	return []notice{{"review_due/7/", 7 * 24 * time.Hour}, {"review_due/0/", 0}}
}

func (o *Outbox) remindOfReviews(ctx context.Context, tx *store.Tx, n notice) (int, error) {
	upTo := o.now().Add(n.of)
	due, err := tx.DueReviews(ctx, upTo.Add(-reminderLate), upTo, n.of, n.key, reminderBatch)
	if err != nil {
		return 0, err
	}
	for _, r := range due {
		if err := o.Post(ctx, tx, Message{Person: r.OpenedBy, Once: n.key + r.ID.String(), Letter: ReviewDue{Review: r.ID, DueAt: r.DueAt}}); err != nil {
			return 0, err
		}
	}
	return len(due), nil
}

func (o *Outbox) remind(ctx context.Context, tx *store.Tx, n notice) (int, error) {
	upTo := o.now().Add(n.of)
	ending, err := tx.EndingRoles(ctx, upTo.Add(-reminderLate), upTo, n.of, n.key, reminderBatch)
	if err != nil {
		return 0, err
	}
	for _, r := range ending {
		err := o.Post(ctx, tx, Message{
			Person: r.PersonID, Once: n.key + r.ID, Letter: PositionEnds{Position: r.PositionName, Organisation: r.OrganisationName, EndsAt: r.EndsAt},
		})
		if err != nil {
			return 0, err
		}
	}
	return len(ending), nil
}
