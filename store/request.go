package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Request is that somebody be given a position, or lose it.
type Request struct {
	ID               uuid.UUID // of version 7: in the order in which they were asked
	Kind             string    // assign_position or end_position
	PersonID         string    // whom it is for
	PositionID       string
	PositionVersion  int    // that was in force when it was asked
	OrganisationCode string // of the position
	StartsAt         time.Time
	ExpiresAt        *time.Time
	Reason           string
	AskedBy          string
	AskedRole        string // the role profile that she acted in
	AskedAt          time.Time
	LapsesAt         time.Time // when nobody has decided it by then, nobody does
	TakenUpBy        *string   // who took up the introduction that it came of; nil: there was none
	State            string    // open, approved, refused, withdrawn or lapsed
	Assignable       bool      // the position was, so that no second officer decided
	DecidedBy        *string   // nil but of what an officer approved or refused
	DecidedRole      *string
	DecidedAt        *time.Time // nil while it is open
	DecisionReason   *string
	OwnerID          *string    // who took it, to look after it; nil: nobody did. Whether she still does: see [Owner]
	OwnerSince       *time.Time // when she took it
}

const requestColumns = `r.id, r.kind, r.person_id, r.position_id, r.position_version, r.organisation_code, r.starts_at, r.expires_at, r.reason,
	r.asked_by, r.asked_role, r.asked_at, r.lapses_at, r.taken_up_by, r.state, r.assignable, r.decided_by, r.decided_role, r.decided_at, r.decision_reason,
	r.owner_id, r.owner_since`

// RequestRow is a request with the names that a person reads.
type RequestRow struct {
	Request
	PersonName   string
	PositionName string // by the version that was asked for
	AskedByName  string

	OrganisationName string
}

const requestNames = `p.display_name AS person_name, v.name AS position_name, a.display_name AS asked_by_name,
	(SELECT n.name FROM organisation n WHERE n.code = r.organisation_code) AS organisation_name`

// Joins of a request r with what it names.
const requestNamed = `
	JOIN person p ON p.id = r.person_id
	JOIN person a ON a.id = r.asked_by
	JOIN position_version v ON v.position_id = r.position_id AND v.version = r.position_version`

// AddRequest records an open request. One being open for the person and position is ErrConflict.
func (t *Tx) AddRequest(ctx context.Context, r Request) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		INSERT INTO request (id, kind, person_id, position_id, position_version, organisation_code, starts_at, expires_at, reason, asked_by, asked_role,
			asked_at, lapses_at, taken_up_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (person_id, position_id) WHERE state = 'open' DO NOTHING
		RETURNING id`,
		r.ID, r.Kind, r.PersonID, r.PositionID, r.PositionVersion, r.OrganisationCode, r.StartsAt, r.ExpiresAt, r.Reason, r.AskedBy, r.AskedRole,
		r.AskedAt, r.LapsesAt, r.TakenUpBy)
	if errors.Is(err, ErrNotFound) {
		return ErrConflict
	}
	return err
}

// Request reads a request.
func (q *queries) Request(ctx context.Context, id uuid.UUID) (RequestRow, error) {
	return one[RequestRow](ctx, q, `SELECT `+requestColumns+`, `+requestNames+` FROM request r`+requestNamed+` WHERE r.id = $1`, id)
}

// OpenRequest reads the request for a person and position that nobody has decided.
func (q *queries) OpenRequest(ctx context.Context, personID, positionID string) (Request, error) {
	return one[Request](ctx, q, `SELECT `+requestColumns+` FROM request r WHERE r.person_id = $1 AND r.position_id = $2 AND r.state = 'open'`, personID, positionID)
}

// LockRequest reads a request. Whoever else would decide it waits until the transaction ends.
//
// What else is open for the person is locked with it: of two who each held one, and then wanted the other, neither would go on.
func (t *Tx) LockRequest(ctx context.Context, id uuid.UUID) (Request, error) {
	if err := t.db.exec(ctx, `
		SELECT FROM request r
		WHERE r.id = $1 OR r.state = 'open' AND (r.person_id = (SELECT person_id FROM request WHERE id = $1) OR r.asked_by = (SELECT person_id FROM request WHERE id = $1))
		ORDER BY r.id FOR NO KEY UPDATE`, id); err != nil {
		return Request{}, err
	}
	return one[Request](ctx, &t.queries, `SELECT `+requestColumns+` FROM request r WHERE r.id = $1 FOR NO KEY UPDATE`, id)
}

// Settlement is how an open request ends.
type Settlement struct {
	State      string  // approved, refused, withdrawn or lapsed
	By         *string // who decided; nil: nobody, but whoever withdrew it
	Role       *string // the role profile that she acted in
	Assignable bool    // nobody decided, because the position is
	Reason     string
	At         time.Time
}

// SettleRequest ends an open request. Of any number at once one does; the others get ErrNotFound.
func (t *Tx) SettleRequest(ctx context.Context, id uuid.UUID, s Settlement) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		UPDATE request SET state = $2, decided_by = $3, decided_role = $4, assignable = $5, decision_reason = $6, decided_at = $7
		WHERE id = $1 AND state = 'open' RETURNING id`, id, s.State, s.By, s.Role, s.Assignable, s.Reason, s.At)
	return err
}

// LapsedRequest is a request that nobody decides any more.
type LapsedRequest struct {
	ID         uuid.UUID
	PersonID   string
	PositionID string
	AskedBy    string
}

// LapseRequests ends the open requests for a position and a person, or "" for everybody, that lapse up to a time, and
// returns which they are.
func (t *Tx) LapseRequests(ctx context.Context, positionID, personID string, upTo time.Time, reason string, now time.Time) ([]LapsedRequest, error) {
	return all[LapsedRequest](ctx, &t.queries, `
		UPDATE request SET state = 'lapsed', decision_reason = $4, decided_at = $5
		WHERE position_id = $1 AND ($2 = '' OR person_id = $2) AND state = 'open' AND lapses_at <= $3
		RETURNING id, person_id, position_id, asked_by`, positionID, personID, upTo, reason, now)
}

// LapseOldRequests ends open requests that have lapsed, those that lapsed first first, at most limit of them, and returns
// which they are. One that somebody is deciding is passed over.
func (t *Tx) LapseOldRequests(ctx context.Context, reason string, limit int, now time.Time) ([]LapsedRequest, error) {
	return all[LapsedRequest](ctx, &t.queries, `
		UPDATE request SET state = 'lapsed', decision_reason = $1, decided_at = $3
		WHERE id = ANY (ARRAY(
			SELECT id FROM request WHERE state = 'open' AND lapses_at <= $3 ORDER BY lapses_at LIMIT $2 FOR NO KEY UPDATE SKIP LOCKED))
		RETURNING id, person_id, position_id, asked_by`, reason, limit, now)
}
