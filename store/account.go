package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// KeptAuthenticators lists the authenticators of a person that can sign her in, or can again when an officer says so, oldest
// first; at most 100.
func (q *queries) KeptAuthenticators(ctx context.Context, personID string) ([]Authenticator, error) {
	return all[Authenticator](ctx, q, `
		SELECT `+authenticatorColumns+` FROM authenticator a
		WHERE a.person_id = $1 AND `+signsIn+` ORDER BY a.created_at, a.id LIMIT 100`, personID)
}

// AuthenticatorsOf lists the authenticators of a person in whichever state by when they were added, [ByTime], those first that can sign
// her in, from the one after the given id, at most limit of them.
func (q *queries) AuthenticatorsOf(ctx context.Context, personID string, o Order, after uuid.UUID, limit int) ([]Authenticator, error) {
	const oldest, newest = `a.revoked_at IS NOT NULL, a.created_at`, `a.revoked_at IS NULL, a.created_at`
	key, than, by := oldest, `>`, `a.revoked_at IS NOT NULL, a.created_at, a.id`
	if o.Descending {
		key, than, by = newest, `<`, `a.revoked_at IS NULL DESC, a.created_at DESC, a.id DESC`
	}
	return all[Authenticator](ctx, q, `
		SELECT `+authenticatorColumns+` FROM authenticator a
		WHERE a.person_id = $1 AND ($2::uuid IS NULL OR (`+key+`, a.id) `+than+` (SELECT `+key+`, a.id FROM authenticator a WHERE a.id = $2 AND a.person_id = $1))
		ORDER BY `+by+` LIMIT $3`, personID, from(after), limit)
}

// Binding is an authenticator that another person had to do with: she bound it, or she bound one before it or made a link, by which its
// owner, or whoever came in her place, could add others.
type Binding struct {
	AuthenticatorID uuid.UUID
	Name            string
	BoundAt         time.Time
	By              string // the last who had to do with it, an officer: operators are no people
	ByName          string
}

// Of an authenticator a of a person and a line e of the record about her: that it signs her in, or can again; and that another had to do
// with what she signs in with.
const (
	signsIn     = `a.state IN ('active', 'suspended', 'lost')`
	anotherDeed = `e.person_id <> '' AND e.actor <> e.person_id AND e.event IN ('enrolled', 'enrolment_link_made') AND e.refusal = ''
			AND EXISTS (SELECT FROM person o WHERE o.id = e.actor)`
)

// Bindings lists the authenticators of a person that can sign her in, or can again, and that another had to do with, oldest first; at
// most 100.
func (q *queries) Bindings(ctx context.Context, personID string) ([]Binding, error) {
	return all[Binding](ctx, q, `
		WITH other AS MATERIALIZED (
			SELECT e.sequence, e.at, e.actor, e.detail->>'authenticator' AS authenticator FROM audit_event e
			WHERE e.person_id = $1 AND `+anotherDeed+`
		)
		SELECT a.id AS authenticator_id, a.name, a.created_at AS bound_at, o.actor AS by, (SELECT p.display_name FROM person p WHERE p.id = o.actor) AS by_name
		FROM authenticator a
		CROSS JOIN LATERAL (
			SELECT o.actor FROM other o WHERE o.at <= a.created_at OR o.authenticator = a.id::text
			ORDER BY o.authenticator = a.id::text DESC NULLS LAST, o.sequence DESC LIMIT 1) o
		WHERE a.person_id = $1 AND `+signsIn+` ORDER BY a.created_at, a.id LIMIT 100`, personID)
}

// BoundByOthers lists those of some people of whom [queries.Bindings] would list something.
func (q *queries) BoundByOthers(ctx context.Context, personIDs []string) ([]string, error) {
	return scalar[[]string](ctx, q, `
		SELECT ARRAY(SELECT p.id FROM person p
		WHERE p.id = ANY ($1) AND EXISTS (
			SELECT FROM authenticator a
			JOIN audit_event e ON e.person_id = a.person_id AND `+anotherDeed+`
			WHERE a.person_id = p.id AND `+signsIn+` AND (e.at <= a.created_at OR e.detail->>'authenticator' = a.id::text)))`, personIDs)
}

// LockAuthenticators waits until nobody signs in with an authenticator of a person or takes one away, and lets nobody until the
// transaction ends. They are locked by id, so that two who do so at once do not wait for each other.
func (t *Tx) LockAuthenticators(ctx context.Context, personID string) error {
	return t.db.exec(ctx, `SELECT FROM authenticator WHERE person_id = $1 ORDER BY id FOR UPDATE`, personID)
}

// OwnSession is a live session as its person sees it.
type OwnSession struct {
	ID                 uuid.UUID
	AuthenticatorLevel int
	Methods            []string
	CreatedAt          time.Time
	AuthenticatedAt    time.Time
	IdleAt             time.Time
	ExpiresAt          time.Time
	Address            string // from which she last signed in; "" where the record does not say so any more
}

// SessionsOf lists the live sessions of a person by when she signed in, [ByTime], from the one after the given id, at most limit of
// them. The address is looked up in the last thousand lines about her.
func (q *queries) SessionsOf(ctx context.Context, personID string, o Order, after uuid.UUID, limit int, now time.Time) ([]OwnSession, error) {
	return all[OwnSession](ctx, q, `
		WITH lately AS MATERIALIZED (
			SELECT e.sequence, e.event, e.refusal, e.session_id, e.address
			FROM audit_event e WHERE e.person_id = $1 AND e.person_id <> '' ORDER BY e.sequence DESC LIMIT 1000
		)
		SELECT s.id, s.authenticator_level, s.methods, s.created_at, s.authenticated_at, s.idle_at, s.expires_at, coalesce((
			SELECT l.address FROM lately l WHERE l.session_id = s.id AND l.event = 'signed_in' AND l.refusal = '' ORDER BY l.sequence DESC LIMIT 1), '') AS address
		FROM session s
		WHERE s.person_id = $1 AND s.ended_at IS NULL AND s.idle_at > $3 AND s.expires_at > $3
			AND `+o.among(`s.authenticated_at`, `s.id`, `(SELECT s.authenticated_at FROM session s WHERE s.id = $4 AND s.person_id = $1)`, `$4::uuid`)+`
		ORDER BY `+o.by(`s.authenticated_at`, `s.id`)+` LIMIT $2`, personID, limit, now, from(after))
}

// EndSessionOf ends a session of a person. One that is not hers, or ended already, is ErrNotFound.
func (q *queries) EndSessionOf(ctx context.Context, personID string, id uuid.UUID, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, q, `UPDATE session SET ended_at = $3 WHERE id = $2 AND person_id = $1 AND ended_at IS NULL RETURNING id`, personID, id, now)
	return err
}

// EndOtherSessions ends every session of a person but one, and returns which they were.
func (q *queries) EndOtherSessions(ctx context.Context, personID string, but uuid.UUID, now time.Time) ([]uuid.UUID, error) {
	return scalar[[]uuid.UUID](ctx, q, `
		WITH ended AS (
			UPDATE session SET ended_at = $3 WHERE person_id = $1 AND id <> $2 AND ended_at IS NULL RETURNING id
		)
		SELECT coalesce(array_agg(id), '{}') FROM ended`, personID, but, now)
}

// EventsAbout lists lines of the record about a person that are of some events, or of those what was refused, by [ByTime], from the one
// after the given sequence number, at most limit of them; 0 is the beginning.
func (q *queries) EventsAbout(ctx context.Context, personID string, events []string, refused bool, o Order, after int64, limit int) ([]AuditEvent, error) {
	beyond, order := `sequence > $4`, ` ORDER BY sequence`
	if o.Descending {
		beyond, order = `sequence < coalesce(nullif($4::bigint, 0), 9223372036854775807)`, ` ORDER BY sequence DESC`
	}
	return all[AuditEvent](ctx, q, `
		SELECT `+auditColumns+` FROM audit_event WHERE person_id = $1 AND person_id <> '' AND event = ANY ($2) AND (refusal <> '' OR NOT $3) AND `+beyond+order+` LIMIT $5`,
		personID, events, refused, after, limit)
}
