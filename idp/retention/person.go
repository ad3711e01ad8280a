package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// closedProfiles is the rule by which a closed profile is erased.
const closedProfiles = "profile_closed"

// Why nothing is erased, held or released.
var (
	ErrOpen    = errors.New("the profile is open: it is closed first, as whoever signs in has to be on record")
	ErrErased  = errors.New("the profile was erased")
	ErrHeld    = errors.New("the records of the person are held")
	ErrNotHeld = errors.New("the records of the person are not held")
)

// Hold keeps everything of a person from being erased until it is released, for a reason: a claim, an inquiry.
func (e *Eraser) Hold(ctx context.Context, by, person, reason string) error {
	if err := directory.CheckText("reason", reason, 1, 500); err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("draw an id: %w", err)
	}
	return e.about(ctx, by, person, audit.RetentionHeld, reason, func(tx *store.Tx, p store.Profile, line audit.Entry) error {
		if p.ErasedAt != nil {
			return ErrErased
		}
		err := tx.AddHold(ctx, store.Hold{ID: id, PersonID: person, Reason: reason, PlacedBy: by, PlacedAt: line.At})
		if errors.Is(err, store.ErrConflict) {
			return ErrHeld
		}
		return err
	})
}

// Release ends the hold of a person's records. What was due meanwhile goes in the next run.
func (e *Eraser) Release(ctx context.Context, by, person string) error {
	return e.about(ctx, by, person, audit.RetentionReleased, "", func(tx *store.Tx, _ store.Profile, line audit.Entry) error {
		_, err := tx.ReleaseHold(ctx, person, by, line.At)
		if errors.Is(err, store.ErrNotFound) {
			return ErrNotHeld
		}
		return err
	})
}

// ErasePerson erases a closed profile before its time, for a reason, with those that were merged into it: UK GDPR, article 17. One
// that is open is ErrOpen, one that is held, or one of which is held that was merged into it, ErrHeld.
func (e *Eraser) ErasePerson(ctx context.Context, by, person, reason string) error {
	if err := directory.CheckText("reason", reason, 1, 500); err != nil {
		return err
	}
	i := slices.IndexFunc(e.Rules, func(r Rule) bool { return r.Name == closedProfiles })
	return e.about(ctx, by, person, "", reason, func(tx *store.Tx, p store.Profile, line audit.Entry) error {
		switch {
		case p.ErasedAt != nil:
			return ErrErased
		case p.ClosedAt == nil:
			return ErrOpen
		}
		merged, err := tx.MergedInto(ctx, person)
		if err != nil {
			return fmt.Errorf("read who was merged into person %s: %w", person, err)
		}
		var whole []string
		for _, id := range append(merged, person) {
			p, err := tx.Profile(ctx, id)
			if err != nil {
				return fmt.Errorf("read profile of person %s: %w", id, err)
			}
			if p.ErasedAt == nil {
				whole = append(whole, id)
			}
		}
		erased, err := e.erase(ctx, tx, e.Rules[i], whole, line.At, line)
		if err == nil && erased < len(whole) {
			err = ErrHeld
		}
		return err
	})
}

// about does something about a person in a transaction in which nothing else is erased, with its line of the record unless it has
// lines of its own.
func (e *Eraser) about(ctx context.Context, by, person string, event audit.Event, reason string, do func(*store.Tx, store.Profile, audit.Entry) error) error {
	line := audit.Entry{At: e.Now(), Event: event, Actor: by, Person: person, Detail: map[string]string{}}
	if reason != "" {
		line.Detail["reason"] = reason
	}
	return e.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.LockRetention(ctx); err != nil {
			return err
		}
		if err := tx.LockAccess(ctx, person); err != nil {
			return fmt.Errorf("lock what person %s signs in with: %w", person, err)
		}
		if _, err := tx.LockIdentities(ctx, person); err != nil { // nobody opens it again meanwhile
			return fmt.Errorf("lock person %s: %w", person, err)
		}
		p, err := tx.Profile(ctx, person)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("person %.20q %w", person, directory.ErrUnknown)
		}
		if err != nil {
			return fmt.Errorf("read profile of person %s: %w", person, err)
		}
		if err := do(tx, p, line); err != nil {
			return fmt.Errorf("person %s: %w", person, err)
		}
		if event == "" {
			return nil
		}
		return audit.Record(ctx, tx, line)
	})
}
