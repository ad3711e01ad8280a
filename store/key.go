package store

import (
	"context"
	"time"
)

// SigningKey is a key that signs tokens.
type SigningKey struct {
	ID        string // kid
	Alg       string // RS256 or ES256
	Sealed    []byte // private key, PKCS #8, sealed
	CreatedAt time.Time
	ActiveAt  time.Time
	ExpiresAt *time.Time // when it is no longer published; set when it has a successor
}

// SigningKeys lists the keys that are published or were after the given time, oldest first, the newest 100 at most.
func (q *queries) SigningKeys(ctx context.Context, since time.Time) ([]SigningKey, error) {
	return all[SigningKey](ctx, q, `
		SELECT id, alg, sealed, created_at, active_at, expires_at FROM (
			SELECT id, alg, sealed, created_at, active_at, expires_at FROM signing_key
			WHERE expires_at IS NULL OR expires_at > $1 ORDER BY active_at DESC, id LIMIT 100) newest
		ORDER BY active_at, id`, since)
}

// AddSigningKey publishes the first key of its algorithm. One being there already is ErrConflict.
func (q *queries) AddSigningKey(ctx context.Context, k SigningKey) error {
	_, err := scalar[string](ctx, q, `
		INSERT INTO signing_key (id, alg, sealed, created_at, active_at) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
		k.ID, k.Alg, k.Sealed, k.CreatedAt, k.ActiveAt)
	return err
}

// ReplaceSigningKey publishes a key as the successor of another, which stays published until the given time. Of
// concurrent calls for one predecessor one succeeds, and the others get ErrNotFound.
func (q *queries) ReplaceSigningKey(ctx context.Context, predecessorID string, expiresAt time.Time, k SigningKey) error {
	_, err := scalar[string](ctx, q, `
		WITH predecessor AS (
			UPDATE signing_key SET expires_at = $2 WHERE id = $1 AND alg = $4 AND expires_at IS NULL RETURNING id
		)
		INSERT INTO signing_key (id, alg, sealed, created_at, active_at)
		SELECT $3, $4, $5, $6, $7 FROM predecessor
		RETURNING id`, predecessorID, expiresAt, k.ID, k.Alg, k.Sealed, k.CreatedAt, k.ActiveAt)
	return err
}

// LockSigningKeys lists every key that there is, and keeps whoever would change or replace one waiting until the
// transaction ends.
func (t *Tx) LockSigningKeys(ctx context.Context) ([]SigningKey, error) {
	return all[SigningKey](ctx, &t.queries, `SELECT id, alg, sealed, created_at, active_at, expires_at FROM signing_key ORDER BY id FOR UPDATE`)
}

// ResealSigningKey stores a key's private half as it was sealed anew. Only the owner of the tables may.
func (t *Tx) ResealSigningKey(ctx context.Context, id string, sealed []byte) error {
	return t.db.exec(ctx, `UPDATE signing_key SET sealed = $2 WHERE id = $1`, id, sealed)
}
