package store

import (
	"context"
	"strconv"
	"strings"
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

// appendLine appends a line to the record.
const appendLine = `
	INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, session_id, grant_id, request_id, address, detail)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`

// AddAuditEvent appends an event.
func (q *queries) AddAuditEvent(ctx context.Context, e AuditEvent) error {
	return q.db.exec(ctx, appendLine, e.values()...)
}

// mostLines is how many lines one statement appends.
const mostLines = 8

// AddAuditEvent appends an event, in one statement with those that were appended just before.
func (t *Tx) AddAuditEvent(_ context.Context, e AuditEvent) error {
	values := e.values()
	if t.lines == 0 || t.lines == mostLines {
		t.hold(appendLine, values...)
		t.lines = 1
		return nil
	}
	last := t.held[len(t.held)-1]
	parameters := make([]string, len(values))
	for i := range parameters {
		parameters[i] = "$" + strconv.Itoa(len(last.Arguments)+i+1)
	}
	last.SQL += ", (" + strings.Join(parameters, ", ") + ")"
	last.Arguments = append(last.Arguments, values...)
	t.lines++
	return nil
}

// values are what a line has in its columns, but for its number.
func (e AuditEvent) values() []any {
	if e.Detail == nil {
		e.Detail = map[string]string{}
	}
	return []any{e.At, e.Event, e.Refusal, e.Actor, e.PersonID, e.ClientID, e.SessionID, e.GrantID, e.RequestID, e.Address, e.Detail}
}

// DoneToClient lists lines of the record of what others did to a client, and not by it, that are of some events, newest first, at most limit
// of them.
func (q *queries) DoneToClient(ctx context.Context, clientID string, events []string, limit int) ([]AuditEvent, error) {
	return all[AuditEvent](ctx, q, `
		SELECT `+auditColumns+` FROM audit_event
		WHERE client_id = $1 AND client_id <> '' AND person_id = '' AND actor <> client_id AND event = ANY ($2) ORDER BY sequence DESC LIMIT $3`,
		clientID, events, limit)
}

// AuditEvents lists events in their order, from the one after the given sequence number, at most limit of them.
func (q *queries) AuditEvents(ctx context.Context, after int64, limit int) ([]AuditEvent, error) {
	return all[AuditEvent](ctx, q, `
		SELECT `+auditColumns+` FROM audit_event WHERE sequence > $1 ORDER BY sequence LIMIT $2`, after, limit)
}
