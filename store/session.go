package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Session is the browser session of a person who has signed in.
type Session struct {
	ID                 uuid.UUID // the `sid` of tokens
	PersonID           string
	AuthenticatorID    *uuid.UUID // nil when the sign-in was simulated
	AuthenticatorLevel int        // 1 to 3, of the last sign-in
	Methods            []string   // amr of the last sign-in, RFC 8176
	AuthenticatedAt    time.Time
	RoleID             *string
	RoleChosenAt       *time.Time
	IdleAt             time.Time
	ExpiresAt          time.Time
}

const sessionColumns = `e.id, e.person_id, e.authenticator_id, e.authenticator_level, e.methods, e.authenticated_at, e.role_id, e.role_chosen_at, e.idle_at, e.expires_at`

// BegunSession says what beginning a session did.
type BegunSession struct {
	ID            uuid.UUID // of the session that goes on
	RoleID        *string   // its active role; it may have ended since it was chosen
	RoleChosenAt  *time.Time
	EndedID       *uuid.UUID // the session of somebody else that this browser had, and that ended now
	EndedPersonID *string
}

// AddSession records that a person signed in, in a browser that had no session cookie.
func (q *queries) AddSession(ctx context.Context, s Session, cookieHash []byte, now time.Time) error {
	return q.db.exec(ctx, `
		INSERT INTO session (id, cookie_hash, person_id, authenticator_id, authenticator_level, methods, authenticated_at, created_at, idle_at, expires_at, role_id, role_chosen_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		s.ID, cookieHash, s.PersonID, s.AuthenticatorID, s.AuthenticatorLevel, s.Methods, s.AuthenticatedAt, now, s.IdleAt, s.ExpiresAt, s.RoleID, s.RoleChosenAt)
}

// BeginSession records that a person signed in, in the browser whose session cookie so far has the hash oldCookieHash.
// A session of the same person goes on, with what is true of the new sign-in, also when it had
// timed out: then the role is chosen anew. A session of somebody else ends. The cookie changes in any case. s.RoleID
// becomes the active role if none was chosen before.
func (q *queries) BeginSession(ctx context.Context, s Session, oldCookieHash, cookieHash []byte, now time.Time) (BegunSession, error) {
	return one[BegunSession](ctx, q, `
		WITH renewed AS (
			UPDATE session SET cookie_hash = $2, authenticator_id = $5, authenticator_level = $6, methods = $7, authenticated_at = $8,
				idle_at = $9, expires_at = $10,
				role_id = CASE WHEN live THEN coalesce(role_id, $12) ELSE $12 END,
				role_chosen_at = CASE WHEN live THEN coalesce(role_chosen_at, $13) ELSE $13 END
			FROM (SELECT id AS old_id, idle_at > $3 AND expires_at > $3 AS live FROM session WHERE cookie_hash = $11) old
			WHERE id = old_id AND cookie_hash = $11 AND person_id = $4 AND ended_at IS NULL -- the cookie again: of concurrent sign-ins one changes it
			RETURNING id, role_id, role_chosen_at
		), ended AS (
			UPDATE session SET ended_at = $3
			WHERE cookie_hash = $11 AND person_id <> $4 AND ended_at IS NULL
			RETURNING id, person_id
		), added AS (
			INSERT INTO session (id, cookie_hash, person_id, authenticator_id, authenticator_level, methods, authenticated_at,
				created_at, idle_at, expires_at, role_id, role_chosen_at)
			SELECT $1, $2, $4, $5, $6, $7, $8, $3, $9, $10, $12, $13 WHERE NOT EXISTS (SELECT FROM renewed)
			RETURNING id, role_id, role_chosen_at
		)
		SELECT b.id, b.role_id, b.role_chosen_at, ended.id AS ended_id, ended.person_id AS ended_person_id
		FROM (SELECT id, role_id, role_chosen_at FROM renewed UNION ALL SELECT id, role_id, role_chosen_at FROM added) b LEFT JOIN ended ON true`,
		s.ID, cookieHash, now, s.PersonID, s.AuthenticatorID, s.AuthenticatorLevel, s.Methods, s.AuthenticatedAt,
		s.IdleAt, s.ExpiresAt, oldCookieHash, s.RoleID, s.RoleChosenAt)
}

// LiveSession is a session that neither ended nor timed out, and what it stands on.
type LiveSession struct {
	Session
	Standing
}

// sessionRow is a session as a statement reads it, with the person's record still to come.
type sessionRow struct {
	Session
	standing
}

func (q *queries) liveSession(ctx context.Context, now time.Time, sql string, args ...any) (LiveSession, error) {
	row, err := one[sessionRow](ctx, q, sql, args...)
	if err != nil {
		return LiveSession{}, err
	}
	s, err := q.stand(ctx, row.standing, row.PersonID, row.AuthenticatorID, row.RoleID, now)
	return LiveSession{row.Session, s}, err
}

// Session finds a live session by the hash of its cookie; client "" means that none is concerned.
func (q *queries) Session(ctx context.Context, cookieHash []byte, clientID string, now time.Time) (LiveSession, error) {
	return q.liveSession(ctx, now, `
		SELECT `+sessionColumns+`, `+standingColumns+`
		FROM session e CROSS JOIN LATERAL standing(e.person_id, nullif($2, ''), e.id) s
		WHERE e.cookie_hash = $1 AND e.ended_at IS NULL AND e.idle_at > $3 AND e.expires_at > $3`, cookieHash, clientID, now)
}

// TimedOutSession is Session for one that was not ended and may have timed out: it is there to be ended.
func (q *queries) TimedOutSession(ctx context.Context, cookieHash []byte, now time.Time) (LiveSession, error) {
	return q.liveSession(ctx, now, `
		SELECT `+sessionColumns+`, `+standingColumns+`
		FROM session e CROSS JOIN LATERAL standing(e.person_id, NULL, e.id) s
		WHERE e.cookie_hash = $1 AND e.ended_at IS NULL`, cookieHash)
}

// TouchSession moves the moment at which an idle session ends. It never moves it back.
func (q *queries) TouchSession(ctx context.Context, id uuid.UUID, idleAt time.Time) error {
	return q.db.exec(ctx, `UPDATE session SET idle_at = $2 WHERE id = $1 AND ended_at IS NULL AND idle_at < $2`, id, idleAt)
}

// ChooseRole makes a role profile the active one of a live session: of its person, and current. Otherwise ErrNotFound.
// A nil role is the choice to act in none.
func (q *queries) ChooseRole(ctx context.Context, id uuid.UUID, roleID *string, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, q, `
		UPDATE session e SET role_id = $2, role_chosen_at = $3
		WHERE e.id = $1 AND e.ended_at IS NULL AND ($2::text IS NULL OR EXISTS (
			SELECT FROM role_profile r JOIN membership m ON m.id = r.membership_id
			WHERE r.id = $2 AND m.person_id = e.person_id AND r.starts_at <= $3 AND (r.ends_at IS NULL OR r.ends_at > $3)))
		RETURNING e.id`, id, roleID, now)
	return err
}

// EndSession ends a session. One that ended already stays as it was.
func (q *queries) EndSession(ctx context.Context, id uuid.UUID, now time.Time) error {
	return q.db.exec(ctx, `UPDATE session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL`, id, now)
}

// EndSessions ends every session of a person, and returns which they were.
func (q *queries) EndSessions(ctx context.Context, personID string, now time.Time) ([]uuid.UUID, error) {
	return scalar[[]uuid.UUID](ctx, q, `
		WITH ended AS (
			UPDATE session SET ended_at = $2 WHERE person_id = $1 AND ended_at IS NULL RETURNING id
		)
		SELECT coalesce(array_agg(id), '{}') FROM ended`, personID, now)
}
