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

// AddAuditEvent appends an event.
func (q *queries) AddAuditEvent(ctx context.Context, e AuditEvent) error {
	return q.db.exec(ctx, appendLines[0], e.values()...)
}

// AddAuditEvent appends an event, in one statement with those that were appended just before.
func (t *Tx) AddAuditEvent(_ context.Context, e AuditEvent) error {
	if t.lines == 0 || t.lines == len(appendLines) {
		t.hold(appendLines[0], e.values()...)
		t.lines = 1
		return nil
	}
	last := t.held[len(t.held)-1]
	last.SQL, last.Arguments = appendLines[t.lines], append(last.Arguments, e.values()...)
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

// appendLines are the statements that append one line, two, and so on.
var appendLines = func() (statements [8]string) {
	columns := len(AuditEvent{}.values())
	var rows []string
	for i := range statements {
		parameters := make([]string, columns)
		for j := range parameters {
			parameters[j] = "$" + strconv.Itoa(i*columns+j+1)
		}
		rows = append(rows, "("+strings.Join(parameters, ", ")+")")
		statements[i] = `INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, session_id, grant_id, request_id, address, detail) VALUES ` +
			strings.Join(rows, ", ")
	}
	return statements
}()

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
