package store

import (
	"context"
	"time"
)

// RecoveryCodes is how many recovery codes a person has left, and when they were made; nil when none is left.
type RecoveryCodes struct {
	Left   int
	MadeAt *time.Time
}

// RecoveryCodes counts the recovery codes of a person.
func (q *queries) RecoveryCodes(ctx context.Context, personID string) (RecoveryCodes, error) {
	return one[RecoveryCodes](ctx, q, `SELECT count(*)::int AS left, max(created_at) AS made_at FROM recovery_code WHERE person_id = $1`, personID)
}

// ReplaceRecoveryCodes gives a person recovery codes, by their keyed hashes, in place of all that she had.
func (t *Tx) ReplaceRecoveryCodes(ctx context.Context, personID string, macs [][]byte, now time.Time) error {
	err := t.db.exec(ctx, `DELETE FROM recovery_code WHERE person_id = $1`, personID)
	if err == nil && len(macs) > 0 {
		err = t.db.exec(ctx, `INSERT INTO recovery_code (mac, person_id, created_at) SELECT mac, $2, $3 FROM unnest($1::bytea[]) mac`, macs, personID, now)
	}
	return err
}

// UseRecoveryCode spends the recovery code of a person that has one of these keyed hashes. Of concurrent calls one succeeds and
// the others get ErrNotFound.
func (t *Tx) UseRecoveryCode(ctx context.Context, personID string, macs [][]byte) error {
	_, err := scalar[string](ctx, &t.queries, `DELETE FROM recovery_code WHERE mac = ANY ($2) AND person_id = $1 RETURNING person_id`, personID, macs)
	return err
}

// AddRecoveryLink records an enrolment link by the hash of its secret. What is bound through it never reaches more than a level.
// codeMAC is of a code that nobody is told.
func (t *Tx) AddRecoveryLink(ctx context.Context, hash, codeMAC []byte, personID string, most int, now, expiresAt time.Time) error {
	return t.db.exec(ctx, `
		INSERT INTO enrolment_link (hash, code_mac, most_level, person_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`,
		hash, codeMAC, most, personID, now, expiresAt)
}

// EarlierAddresses lists the addresses that a person had before, of corrections made since a time, at most 10.
func (q *queries) EarlierAddresses(ctx context.Context, personID string, since time.Time) ([]string, error) {
	return scalar[[]string](ctx, q, `
		SELECT coalesce(array_agg(DISTINCT c.email), '{}') FROM (
			SELECT old->>'email' AS email FROM person_change
			WHERE person_id = $1 AND kind = 'corrected' AND at > $2 AND coalesce(old->>'email', '') <> '' ORDER BY id DESC LIMIT 10) c`, personID, since)
}
