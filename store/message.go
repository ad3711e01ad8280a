package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Message is something that somebody is to be told. It rests in the outbox until it was sent.
type Message struct {
	ID                 uuid.UUID // of version 7
	PersonID           string    // "": it is for somebody who registers herself, and is nobody yet
	SelfRegistrationID *uuid.UUID
	Address            string // to which it goes
	Kind               string
	DedupeKey          *string // of what is told once
	TextSealed         []byte
	CreatedAt          time.Time
	Attempts           int // that failed
}

// AddMessage puts a message into the outbox, due at once. One with a key that was there before is not added.
func (t *Tx) AddMessage(ctx context.Context, m Message) error {
	return t.db.exec(ctx, `
		INSERT INTO message (id, person_id, self_registration_id, address, kind, dedupe_key, text_sealed, created_at, due_at)
		VALUES ($1, nullif($2, ''), $3, $4, $5, $6, $7, $8, $8)
		ON CONFLICT (dedupe_key) DO NOTHING`,
		m.ID, m.PersonID, m.SelfRegistrationID, m.Address, m.Kind, m.DedupeKey, m.TextSealed, m.CreatedAt)
}

// ClaimMessages takes messages that are due, those that have been due for longest first, at most limit of them. Until then
// nobody else takes them; so if the one who did says no more of them, they are taken again.
func (q *queries) ClaimMessages(ctx context.Context, until time.Time, limit int, now time.Time) ([]Message, error) {
	return all[Message](ctx, q, `
		UPDATE message SET due_at = $1 WHERE id = ANY (ARRAY(
			SELECT id FROM message WHERE due_at <= $3 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED))
		RETURNING id, coalesce(person_id, '') AS person_id, self_registration_id, address, kind, dedupe_key, text_sealed, created_at, attempts`, until, limit, now)
}

// MessageSent takes a message out of the outbox, and forgets what it said.
func (q *queries) MessageSent(ctx context.Context, id uuid.UUID, now time.Time) error {
	return q.db.exec(ctx, `UPDATE message SET sent_at = $2, due_at = NULL, text_sealed = NULL WHERE id = $1 AND due_at IS NOT NULL`, id, now)
}

// PostponeMessage has a message tried again at a time, because it could not be sent.
func (q *queries) PostponeMessage(ctx context.Context, id uuid.UUID, until time.Time, failure string) error {
	return q.db.exec(ctx, `UPDATE message SET due_at = $2, last_error = $3, attempts = attempts + 1 WHERE id = $1 AND due_at IS NOT NULL`, id, until, failure)
}

// GiveUpMessage takes a message out of the outbox that cannot be sent, and forgets what it said. When it is not there any
// more, that is ErrNotFound.
func (t *Tx) GiveUpMessage(ctx context.Context, id uuid.UUID, failure string, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		UPDATE message SET gave_up_at = $3, last_error = $2, attempts = attempts + 1, due_at = NULL, text_sealed = NULL
		WHERE id = $1 AND due_at IS NOT NULL RETURNING id`, id, failure, now)
	return err
}

// EndingRole is a role that a position gave somebody, and that is to end.
type EndingRole struct {
	ID               string
	PersonID         string
	PositionName     string
	OrganisationName string
	EndsAt           time.Time
}

// EndingRoles lists roles that a position gave and that end after one time and up to another, those that end first first, at
// most limit of them: of people who have an address, who have not been told with the key that is the prefix and the role's
// id, and whom the same position does not give a role that lasts longer. One that was given for no longer than notice is
// not among them. OFFSET 0 keeps the planner from beginning with everybody who has an address.
func (q *queries) EndingRoles(ctx context.Context, after, upTo time.Time, notice time.Duration, prefix string, limit int) ([]EndingRole, error) {
	return all[EndingRole](ctx, q, `
		SELECT r.id, m.person_id, v.name AS position_name, o.name AS organisation_name, r.ends_at
		FROM role_profile r
		CROSS JOIN LATERAL (
			SELECT m.person_id, m.organisation_code FROM membership m JOIN person p ON p.id = m.person_id
			WHERE m.id = r.membership_id AND p.disabled_at IS NULL AND coalesce(p.email, '') <> '' OFFSET 0
		) m
		JOIN organisation o ON o.code = m.organisation_code
		JOIN request a ON a.id = r.request_id
		JOIN position_version v ON v.position_id = a.position_id AND v.version = a.position_version
		WHERE r.position_id IS NOT NULL AND r.ends_at > $1 AND r.ends_at <= $2 AND r.created_at <= r.ends_at - $3::interval
			AND NOT EXISTS (SELECT FROM message t WHERE t.dedupe_key = $4 || r.id OFFSET 0)
			AND NOT EXISTS (
				SELECT FROM role_profile n
				WHERE n.membership_id = r.membership_id AND coalesce(n.position_id, '') = r.position_id AND n.starts_at <= r.ends_at
					AND (n.ends_at IS NULL OR n.ends_at > r.ends_at)
				OFFSET 0)
		ORDER BY r.ends_at LIMIT $5`, after, upTo, notice, prefix, limit)
}
