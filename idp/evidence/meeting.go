package evidence

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// declaration is what the record says of how the officer met the person.
func (p Piece) declaration() map[string]string {
	detail := map[string]string{}
	if p.Declared != "" {
		detail["declared"] = string(p.Declared)
	}
	if p.MeetingID != "" {
		detail["meeting"] = p.MeetingID
	}
	return detail
}

// inMeeting makes the meeting in which a piece was checked by video the process that it came with. It is ErrInvalid when the piece
// was not checked in that.
func inMeeting(ctx context.Context, tx *store.Tx, e *store.Evidence, p Piece) error {
	if (p.Declared == ByVideo) != (p.MeetingID != "") {
		return fmt.Errorf("%w: what was checked by video names the meeting, and nothing else does: set declared to %s, and meeting", ErrInvalid, ByVideo)
	}
	if p.MeetingID == "" {
		return nil
	}
	m, err := store.Meeting{}, store.ErrNotFound
	if id, invalid := uuid.Parse(p.MeetingID); invalid == nil {
		m, err = tx.Meeting(ctx, id)
	}
	if errors.Is(err, store.ErrNotFound) || err == nil && (m.PersonID != e.PersonID || m.ConfirmedAt == nil) {
		return fmt.Errorf("%w: its meeting: the code of no meeting %.40q with this person was read back", ErrInvalid, p.MeetingID)
	}
	if err != nil {
		return fmt.Errorf("read meeting %s: %w", p.MeetingID, err)
	}
	e.ProcessID = m.ID
	for i, c := range p.Checks {
		began := m.ConfirmedAt.Truncate(time.Minute) // a desk dates its checks by the minute
		switch {
		case c.Method.InPerson():
			return fmt.Errorf("%w: check %d: by video nothing and nobody is there to be checked by %s", ErrInvalid, i+1, c.Method)
		case c.Checker != m.Officer:
			return fmt.Errorf("%w: check %d: its meeting was another officer's", ErrInvalid, i+1)
		case c.At.Before(began) || c.At.After(m.EndsAt):
			return fmt.Errorf("%w: check %d: it was not made while its meeting lasted", ErrInvalid, i+1)
		}
	}
	return nil
}
