package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// AuditEvent is a line of the record of what was done and what was refused.
type AuditEvent struct {
	Sequence  int64 // given by the database
	At        time.Time
	Event     string
	Refusal   string // "" when the act was done, else why it was not
	Actor     string
	PersonID  string
	ClientID  string
	SessionID *uuid.UUID
	GrantID   *uuid.UUID
	RequestID string
	Address   string
	Detail    map[string]string
}

const auditColumns = `sequence, at, event, refusal, actor, person_id, client_id, session_id, grant_id, request_id, address, detail`

// AddAuditEvent appends an event.
func (q *queries) AddAuditEvent(ctx context.Context, e AuditEvent) error {
	if e.Detail == nil {
		e.Detail = map[string]string{}
	}
	return q.db.exec(ctx, `
		INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, session_id, grant_id, request_id, address, detail)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		e.At, e.Event, e.Refusal, e.Actor, e.PersonID, e.ClientID, e.SessionID, e.GrantID, e.RequestID, e.Address, e.Detail)
}

// NewestOfClient lists what is of some events among the newest lines of the record about a client, newest first; of a client there may be
// millions.
func (q *queries) NewestOfClient(ctx context.Context, clientID string, events []string, newest int) ([]AuditEvent, error) {
	return all[AuditEvent](ctx, q, `
		SELECT `+auditColumns+` FROM (
			SELECT `+auditColumns+` FROM audit_event WHERE client_id = $1 AND client_id <> '' ORDER BY sequence DESC LIMIT $3) l
		WHERE event = ANY ($2) ORDER BY sequence DESC`, clientID, events, newest)
}

// AuditEvents lists events in their order, from the one after the given sequence number, at most limit of them.
func (q *queries) AuditEvents(ctx context.Context, after int64, limit int) ([]AuditEvent, error) {
	return all[AuditEvent](ctx, q, `
		SELECT `+auditColumns+` FROM audit_event WHERE sequence > $1 ORDER BY sequence LIMIT $2`, after, limit)
}
