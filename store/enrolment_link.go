package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// OpenLink is an enrolment link that works, or will when its code is given.
type OpenLink struct {
	ID                   uuid.UUID
	CreatedAt, ExpiresAt time.Time
	TakesCode            bool
	Recovers             bool // it was mailed to its person, who gave a recovery code
}

// OpenLinks lists the enrolment links of a person for which fewer wrong codes were given than are allowed, by when they were made,
// [ByTime], from the one after the given id, at most limit of them.
func (q *queries) OpenLinks(ctx context.Context, personID string, allowed int, o Order, after uuid.UUID, limit int, now time.Time) ([]OpenLink, error) {
	return all[OpenLink](ctx, q, `
		SELECT id, created_at, expires_at, code_mac IS NOT NULL AND most_level IS NULL AS takes_code, most_level IS NOT NULL AS recovers
		FROM enrolment_link WHERE person_id = $1 AND used_at IS NULL AND expires_at > $3 AND wrong_codes < $2
			AND `+o.among(`created_at`, `id`, `(SELECT l.created_at FROM enrolment_link l WHERE l.id = $4 AND l.person_id = $1)`, `$4::uuid`)+`
		ORDER BY `+o.by(`created_at`, `id`)+` LIMIT $5`, personID, allowed, now, from(after), limit)
}

// HeldLink is whose an enrolment link is, and whether it is used up: also what was cancelled is.
type HeldLink struct {
	PersonID             string
	CreatedAt, ExpiresAt time.Time
	UsedAt, CancelledAt  *time.Time
}

// LockLink waits until nobody enrols by a link, and lets nobody until the transaction ends.
func (t *Tx) LockLink(ctx context.Context, id uuid.UUID) (HeldLink, error) {
	return one[HeldLink](ctx, &t.queries, `SELECT person_id, created_at, expires_at, used_at, cancelled_at FROM enrolment_link WHERE id = $1 FOR UPDATE`, id)
}

// CancelLink cancels a link that is not used up: nobody binds anything by it any more.
func (t *Tx) CancelLink(ctx context.Context, id uuid.UUID, now time.Time) error {
	return t.db.exec(ctx, `
		UPDATE enrolment_link SET cancelled_at = $2, used_at = $2, code_given_at = coalesce(code_given_at, $2) WHERE id = $1 AND used_at IS NULL`, id, now)
}
