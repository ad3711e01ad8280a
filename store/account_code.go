package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// AccountCode is the last code that an account showed to whoever is signed in to it, so that she reads it aloud to an officer.
type AccountCode struct {
	ID         uuid.UUID // of which the code is a keyed hash
	EndsAt     time.Time // until then it works, once
	UsedAt     *time.Time
	WrongCodes int        // that were given of this code and of those before, lately
	WrongUntil *time.Time // until then they count; nil: none was wrong
}

// AccountCode reads the last code of a person.
func (q *queries) AccountCode(ctx context.Context, personID string) (AccountCode, error) {
	return one[AccountCode](ctx, q, `SELECT id, ends_at, used_at, wrong_codes, wrong_until FROM account_code WHERE person_id = $1`, personID)
}

// MakeAccountCode gives a person a code in place of the one that she had. How many were wrong stays.
func (t *Tx) MakeAccountCode(ctx context.Context, personID string, id uuid.UUID, now, endsAt time.Time) error {
	return t.db.exec(ctx, `
		INSERT INTO account_code (person_id, id, made_at, ends_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (person_id) DO UPDATE SET id = excluded.id, made_at = excluded.made_at, ends_at = excluded.ends_at, used_at = NULL`,
		personID, id, now, endsAt)
}

// UseAccountCode spends a code of a person. One that was used, replaced or is over is ErrNotFound.
func (t *Tx) UseAccountCode(ctx context.Context, personID string, id uuid.UUID, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		UPDATE account_code SET used_at = $3 WHERE person_id = $1 AND id = $2 AND used_at IS NULL AND ends_at > $3 RETURNING id`, personID, id, now)
	return err
}

// CountWrongAccountCode counts a wrong code of a person who has one, and returns how many there were lately. The first counts until
// the given time, and with it those that follow.
func (t *Tx) CountWrongAccountCode(ctx context.Context, personID string, until, now time.Time) (wrong int, err error) {
	return scalar[int](ctx, &t.queries, `
		UPDATE account_code SET wrong_codes = CASE WHEN wrong_until > $3 THEN wrong_codes + 1 ELSE 1 END, wrong_until = CASE WHEN wrong_until > $3 THEN wrong_until ELSE $2 END
		WHERE person_id = $1 RETURNING wrong_codes`, personID, until, now)
}
