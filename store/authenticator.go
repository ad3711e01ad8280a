package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Authenticator is what a person signs in with: a WebAuthn credential, or a [Secret] without what is secret.
type Authenticator struct {
	ID                 uuid.UUID
	PersonID           string
	Name               string
	Kind               string // "passkey" or "security-key", which are WebAuthn credentials; "password" or "totp"
	CredentialID       []byte // of a WebAuthn credential, as all that follows
	PublicKey          []byte // COSE
	SignCount          int64
	AAGUID             uuid.UUID
	Transports         []string
	BackupEligible     bool
	BackupState        bool
	AttestationFormat  string
	AttestationObject  []byte // as the browser sent it
	ClientData         []byte // that the attestation signs
	AttestationVerdict string // "none", "self", "untrusted" or "trusted"
	CreatedAt          time.Time
	LastUsedAt         *time.Time
	RevokedAt          *time.Time
}

const authenticatorColumns = `a.id, a.person_id, a.name, a.kind, a.credential_id, a.public_key, a.sign_count, a.aaguid, a.transports,
	a.backup_eligible, a.backup_state, a.attestation_format, a.attestation_object, a.client_data, a.attestation_verdict, a.created_at, a.last_used_at, a.revoked_at`

// AddAuthenticator binds an authenticator. A credential id that is bound already, to whomever, is ErrConflict.
func (q queries) AddAuthenticator(ctx context.Context, a Authenticator) error {
	_, err := scalar[uuid.UUID](ctx, q, `
		INSERT INTO authenticator (id, person_id, name, kind, credential_id, public_key, sign_count, aaguid, transports,
			backup_eligible, backup_state, attestation_format, attestation_object, client_data, attestation_verdict, created_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9::text[], '{}'), $10, $11, $12, $13, $14, $15, $16)
		RETURNING id`,
		a.ID, a.PersonID, a.Name, a.Kind, a.CredentialID, a.PublicKey, a.SignCount, a.AAGUID, a.Transports,
		a.BackupEligible, a.BackupState, a.AttestationFormat, a.AttestationObject, a.ClientData, a.AttestationVerdict, a.CreatedAt)
	return err
}

// Credential is an authenticator with whose it is.
type Credential struct {
	Authenticator
	Handle   []byte // WebAuthn user handle of its owner
	Standing        // of its owner, and of the client that asks; no session or role is concerned
}

// Credential finds an authenticator by its credential id, revoked ones too, and reads its owner; client "" means that none
// is concerned.
func (q queries) Credential(ctx context.Context, credentialID []byte, clientID string, now time.Time) (Credential, error) {
	row, err := one[struct {
		Authenticator
		Handle []byte
		standing
	}](ctx, q, `
		SELECT `+authenticatorColumns+`, p.handle, `+standingColumns+`
		FROM authenticator a
		JOIN person p ON p.id = a.person_id
		CROSS JOIN LATERAL standing(a.person_id, nullif($2, ''), NULL) s
		WHERE a.credential_id = $1`, credentialID, clientID)
	if err != nil {
		return Credential{}, err
	}
	s, err := q.stand(ctx, row.standing, row.PersonID, &row.ID, nil, now)
	return Credential{row.Authenticator, row.Handle, s}, err
}

// Authenticators lists a person's authenticators, oldest first, the revoked ones too when asked; at most 100.
func (q queries) Authenticators(ctx context.Context, personID string, revoked bool) ([]Authenticator, error) {
	return all[Authenticator](ctx, q, `
		SELECT `+authenticatorColumns+` FROM authenticator a
		WHERE a.person_id = $1 AND ($2 OR a.revoked_at IS NULL) ORDER BY a.created_at, a.id LIMIT 100`, personID, revoked)
}

// UseAuthenticator records that an authenticator signed somebody in.
func (q queries) UseAuthenticator(ctx context.Context, id uuid.UUID, signCount int64, backupState bool, now time.Time) error {
	return q.db.exec(ctx, `
		UPDATE authenticator SET sign_count = greatest(sign_count, $2), backup_state = $3, last_used_at = $4 WHERE id = $1`, id, signCount, backupState, now)
}

// Fallout is whom a withdrawal concerns, and which sessions it ended.
type Fallout struct {
	PersonID string
	Sessions []uuid.UUID
}

// RevokeAuthenticator revokes an authenticator and ends the sessions whose last sign-in was made with it: also those in which
// a password was used beside the authenticator that they name. One that is unknown or revoked already is ErrNotFound.
func (q queries) RevokeAuthenticator(ctx context.Context, id uuid.UUID, now time.Time) (Fallout, error) {
	return one[Fallout](ctx, q, `
		WITH revoked AS (
			UPDATE authenticator SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL RETURNING id, person_id, kind
		), ended AS (
			UPDATE session s SET ended_at = $2 FROM revoked r
			WHERE s.person_id = r.person_id AND s.ended_at IS NULL
				AND (s.authenticator_id = r.id OR r.kind = 'password' AND s.authenticator_id IS NOT NULL AND 'pwd' = ANY (s.methods))
			RETURNING s.id
		)
		SELECT person_id, ARRAY(SELECT id FROM ended) AS sessions FROM revoked`, id, now)
}

// AddEnrolmentLink records a link by the hash of its secret. An unknown person is ErrReference.
func (q queries) AddEnrolmentLink(ctx context.Context, hash []byte, personID string, now, expiresAt time.Time) error {
	_, err := scalar[string](ctx, q, `
		INSERT INTO enrolment_link (hash, person_id, created_at, expires_at) VALUES ($1, $2, $3, $4) RETURNING person_id`,
		hash, personID, now, expiresAt)
	return err
}

// Enrolment is an enrolment link and for whom it is.
type Enrolment struct {
	Handle    []byte
	ExpiresAt time.Time
	UsedAt    *time.Time
	Standing  // of the person; no client, session or role is concerned
}

// EnrolmentLink reads a link, used and expired ones too, without spending it.
func (q queries) EnrolmentLink(ctx context.Context, hash []byte, now time.Time) (Enrolment, error) {
	row, err := one[struct {
		PersonID  string
		Handle    []byte
		ExpiresAt time.Time
		UsedAt    *time.Time
		standing
	}](ctx, q, `
		SELECT l.person_id, p.handle, l.expires_at, l.used_at, `+standingColumns+`
		FROM enrolment_link l
		JOIN person p ON p.id = l.person_id
		CROSS JOIN LATERAL standing(l.person_id, NULL, NULL) s
		WHERE l.hash = $1`, hash)
	if err != nil {
		return Enrolment{}, err
	}
	s, err := q.stand(ctx, row.standing, row.PersonID, nil, nil, now)
	return Enrolment{row.Handle, row.ExpiresAt, row.UsedAt, s}, err
}

// LockBootstrap keeps whoever else would make the first registration authority manager waiting until the transaction ends.
func (t *Tx) LockBootstrap(ctx context.Context) error {
	return t.db.exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('bootstrap', 0))`)
}

// LockLinksOfManagers waits for whoever is enrolling as a registration authority manager, and keeps others waiting.
func (t *Tx) LockLinksOfManagers(ctx context.Context, now time.Time) error {
	return t.db.exec(ctx, `
		SELECT FROM enrolment_link WHERE used_at IS NULL AND person_id IN (
			SELECT m.person_id FROM role_profile r JOIN membership m ON m.id = r.membership_id WHERE r.job_role LIKE '%:R5080' AND (r.ends_at IS NULL OR r.ends_at > $1))
		FOR UPDATE`, now)
}

// ManagerIsEnrolled says whether a registration authority manager who is enabled has an authenticator.
func (q queries) ManagerIsEnrolled(ctx context.Context, now time.Time) (bool, error) {
	return scalar[bool](ctx, q, `
		SELECT EXISTS (
			SELECT FROM role_profile r
			JOIN membership m ON m.id = r.membership_id
			JOIN person p ON p.id = m.person_id
			WHERE r.job_role LIKE '%:R5080' AND r.starts_at <= $1 AND (r.ends_at IS NULL OR r.ends_at > $1) AND p.disabled_at IS NULL
				AND EXISTS (SELECT FROM authenticator a WHERE a.person_id = p.id AND a.revoked_at IS NULL))`, now)
}

// SpendLinksOfManagers spends the enrolment links of registration authority managers.
func (t *Tx) SpendLinksOfManagers(ctx context.Context, now time.Time) error {
	return t.db.exec(ctx, `
		UPDATE enrolment_link SET used_at = $1
		WHERE used_at IS NULL AND person_id IN (
			SELECT m.person_id FROM role_profile r JOIN membership m ON m.id = r.membership_id WHERE r.job_role LIKE '%:R5080' AND (r.ends_at IS NULL OR r.ends_at > $1))`, now)
}

// UseEnrolmentLink spends a live link. Of concurrent calls one succeeds and the others get ErrNotFound.
func (q queries) UseEnrolmentLink(ctx context.Context, hash []byte, now time.Time) (personID string, err error) {
	return scalar[string](ctx, q, `
		UPDATE enrolment_link l SET used_at = $2
		FROM person p
		WHERE l.hash = $1 AND l.used_at IS NULL AND l.expires_at > $2 AND p.id = l.person_id AND p.disabled_at IS NULL
		RETURNING l.person_id`, hash, now)
}

// UseChallenge records that a challenge was answered. When it was answered before, that is ErrReplayed: in a transaction
// it comes with the next statement that reports something, or with the commit, and nothing of the transaction happens.
func (q queries) UseChallenge(ctx context.Context, hash []byte, expiresAt time.Time) error {
	return q.db.exec(ctx, `INSERT INTO used_challenge (hash, expires_at) VALUES ($1, $2)`, hash, expiresAt)
}
