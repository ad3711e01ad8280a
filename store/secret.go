package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Secret is an authenticator of a person that both sides have to know: a password, or the key of an app that makes one-time
// codes.
type Secret struct {
	ID             uuid.UUID
	PersonID       string
	Name           string
	Kind           string // "password" or "totp"
	Sealed         []byte // the hash of a password, or a key
	FailedAttempts int    // with a password, since it last signed its owner in
	LastStep       *int64 // of a key: the time step of the last code that was taken
	CreatedAt      time.Time
}

const secretColumns = `id, person_id, name, kind, secret_sealed AS sealed, failed_attempts, last_step, created_at` //nolint:gosec // names of columns

// AddSecret binds a secret to a person. A second password that is not revoked is ErrConflict.
func (q *queries) AddSecret(ctx context.Context, s Secret) error {
	_, err := scalar[uuid.UUID](ctx, q, `
		INSERT INTO authenticator (id, person_id, name, kind, secret_sealed, last_step, created_at,
			sign_count, aaguid, transports, backup_eligible, backup_state, attestation_format, attestation_verdict)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '00000000-0000-0000-0000-000000000000', '{}', true, false, 'none', 'none')
		RETURNING id`, s.ID, s.PersonID, s.Name, s.Kind, s.Sealed, s.LastStep, s.CreatedAt)
	return err
}

// Secrets lists the secrets of a person that are not revoked, oldest first; at most 100.
func (q *queries) Secrets(ctx context.Context, personID string) ([]Secret, error) {
	return all[Secret](ctx, q, `
		SELECT `+secretColumns+` FROM authenticator
		WHERE person_id = $1 AND revoked_at IS NULL AND secret_sealed IS NOT NULL ORDER BY created_at, id LIMIT 100`, personID)
}

// CountFailedAttempt counts a sign-in with a password that failed.
func (q *queries) CountFailedAttempt(ctx context.Context, id uuid.UUID) error {
	return q.db.exec(ctx, `UPDATE authenticator SET failed_attempts = failed_attempts + 1 WHERE id = $1`, id)
}

// UsePassword records that a password signed somebody in, and forgets the attempts that failed. One that was revoked, or with
// which as many failed as are given, is ErrNotFound. Until the transaction ends, nobody revokes it.
func (q *queries) UsePassword(ctx context.Context, id uuid.UUID, mostFailed int, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, q, `
		UPDATE authenticator SET failed_attempts = 0, last_used_at = $3 WHERE id = $1 AND revoked_at IS NULL AND failed_attempts < $2
		RETURNING id`, id, mostFailed, now)
	return err
}

// UseOneTimeCode records that the code of a time step was taken. When the key was revoked, or a code of this step or of a later
// one was taken before, that is ErrNotFound: of concurrent uses of a code one succeeds.
func (q *queries) UseOneTimeCode(ctx context.Context, id uuid.UUID, step int64, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, q, `
		UPDATE authenticator SET last_step = $2, last_used_at = $3 WHERE id = $1 AND revoked_at IS NULL AND last_step < $2
		RETURNING id`, id, step, now)
	return err
}

// ReplaceSealed stores a secret as it was hashed or sealed anew.
func (q *queries) ReplaceSealed(ctx context.Context, id uuid.UUID, sealed []byte) error {
	return q.db.exec(ctx, `UPDATE authenticator SET secret_sealed = $2 WHERE id = $1`, id, sealed)
}

// LockSecrets lists secrets by id, revoked ones too, from the one after the given id, at most limit of them, to be sealed anew.
func (t *Tx) LockSecrets(ctx context.Context, after uuid.UUID, limit int) ([]Secret, error) {
	return all[Secret](ctx, &t.queries, `
		SELECT `+secretColumns+` FROM authenticator WHERE id > $1 AND secret_sealed IS NOT NULL ORDER BY id LIMIT $2 FOR UPDATE`, after, limit)
}
