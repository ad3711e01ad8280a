package registration

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// OpenLinks lists the enrolment links of a person that work, or will when their code is given: see [store.Store.OpenLinks].
func OpenLinks(ctx context.Context, s *store.Store, personID string, order store.Order, after uuid.UUID, limit int, now time.Time) ([]store.OpenLink, error) {
	list, err := s.OpenLinks(ctx, personID, mostWrongCodes, order, after, limit, now)
	if err != nil {
		return nil, fmt.Errorf("list enrolment links of person %s: %w", personID, err)
	}
	return list, nil
}

// Link is an enrolment link.
type Link struct {
	ID     uuid.UUID
	Person string // whose it has to be; "" is anybody's
}

// LinkOverError says that an enrolment link works no more.
type LinkOverError struct {
	State string // used, cancelled or expired
}

// Error says it in words.
func (e *LinkOverError) Error() string {
	return "the enrolment link works no more: look at whether something was added by it"
}

// over is why a link works no more, or "".
func over(l store.HeldLink, now time.Time) string {
	switch {
	case l.CancelledAt != nil:
		return "cancelled"
	case l.UsedAt != nil:
		return "used"
	case !l.ExpiresAt.After(now):
		return "expired"
	}
	return ""
}

// CancelLink cancels an enrolment link, if it is permitted in the transaction that does it: whoever has it binds nothing by it from
// that moment. Of somebody who enrols and somebody who cancels at once one does. The entry says who does it, and when.
//
// A link that there is not, or that is somebody else's, is directory.ErrUnknown, and one that works no more a *[LinkOverError].
func CancelLink(ctx context.Context, s *store.Store, l Link, by audit.Entry, permit func(*store.Tx) error) error {
	by.Event, by.Detail = audit.EnrolmentLinkCancelled, with(by.Detail, map[string]string{"link": l.ID.String()})
	err := s.InTx(ctx, func(tx *store.Tx) error {
		held, err := tx.LockLink(ctx, l.ID)
		if errors.Is(err, store.ErrNotFound) || err == nil && l.Person != "" && l.Person != held.PersonID {
			return fmt.Errorf("enrolment link %s %w", l.ID, directory.ErrUnknown)
		}
		if err != nil {
			return fmt.Errorf("read enrolment link %s: %w", l.ID, err)
		}
		by.Person = held.PersonID
		if err := permit(tx); err != nil {
			return err
		}
		if why := over(held, by.At); why != "" {
			return &LinkOverError{why}
		}
		if err := tx.CancelLink(ctx, l.ID, by.At); err != nil {
			return fmt.Errorf("cancel enrolment link %s: %w", l.ID, err)
		}
		by.Detail["made_at"], by.Detail["expires_at"] = held.CreatedAt.UTC().Format(time.RFC3339), held.ExpiresAt.UTC().Format(time.RFC3339)
		return audit.Record(ctx, tx, by)
	})
	if _, is := errors.AsType[*LinkOverError](err); is {
		by.Refusal = "link_over"
		if err := audit.Refuse(ctx, s, by); err != nil {
			return err
		}
	}
	return err
}
