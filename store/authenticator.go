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
	State              string     // only what is "active" signs anybody in
	RevokedAt          *time.Time // since when it is not active; nil while it is
}

const authenticatorColumns = `a.id, a.person_id, a.name, a.kind, a.credential_id, a.public_key, a.sign_count, a.aaguid, a.transports, a.backup_eligible,
	a.backup_state, a.attestation_format, a.attestation_object, a.client_data, a.attestation_verdict, a.created_at, a.last_used_at, a.state, a.revoked_at`

// AddAuthenticator binds an authenticator, which is active. A credential id that is bound already, to whomever, is ErrConflict.
func (q *queries) AddAuthenticator(ctx context.Context, a Authenticator) error {
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

// Credential finds an authenticator by its credential id, in whichever state, and reads its owner; client "" means that none
// is concerned.
func (q *queries) Credential(ctx context.Context, credentialID []byte, clientID string, now time.Time) (Credential, error) {
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

// Authenticators lists a person's authenticators, oldest first, those that are not active too when asked; at most 100: of more it
// leaves out the oldest, and none that is active before one that is not, so that nothing that signs anybody in is out of sight.
func (q *queries) Authenticators(ctx context.Context, personID string, inactive bool) ([]Authenticator, error) {
	return all[Authenticator](ctx, q, `
		SELECT `+authenticatorColumns+` FROM (
			SELECT `+authenticatorColumns+` FROM authenticator a
			WHERE a.person_id = $1 AND ($2 OR a.revoked_at IS NULL) ORDER BY a.revoked_at IS NOT NULL, a.created_at DESC, a.id DESC LIMIT 100) a
		ORDER BY a.created_at, a.id`, personID, inactive)
}

// UseAuthenticator records that an authenticator signed somebody in.
func (q *queries) UseAuthenticator(ctx context.Context, id uuid.UUID, signCount int64, backupState bool, now time.Time) error {
	return q.db.exec(ctx, `
		UPDATE authenticator SET sign_count = greatest(sign_count, $2), backup_state = $3, last_used_at = $4 WHERE id = $1`, id, signCount, backupState, now)
}

// Fallout is whom a withdrawal concerns, and which sessions it ended.
type Fallout struct {
	PersonID string
	Sessions []uuid.UUID
}

// HeldAuthenticator is whose an authenticator is, what she calls it, and its state.
type HeldAuthenticator struct{ PersonID, Name, Kind, State string }

// LockAuthenticator waits until nobody signs in with an authenticator, and lets nobody until the transaction ends. What was
// begun with it until then is there for the statements that follow.
func (t *Tx) LockAuthenticator(ctx context.Context, id uuid.UUID) (HeldAuthenticator, error) {
	return one[HeldAuthenticator](ctx, &t.queries, `SELECT person_id, name, kind, state FROM authenticator WHERE id = $1 FOR UPDATE`, id)
}

// RenameAuthenticator gives an authenticator another name. One that is unknown, handed in or revoked is ErrNotFound.
func (q *queries) RenameAuthenticator(ctx context.Context, id uuid.UUID, name string) error {
	_, err := scalar[uuid.UUID](ctx, q, `UPDATE authenticator SET name = $2 WHERE id = $1 AND state NOT IN ('returned', 'revoked') RETURNING id`, id, name)
	return err
}

// ChangeAuthenticator takes an authenticator from one state to another. Unless that is "active", it ends the sessions whose
// last sign-in was made with it: also those in which a password was used beside the authenticator that they name. One that is
// unknown or in another state is ErrNotFound; a password that becomes active beside another one is ErrConflict.
func (q *queries) ChangeAuthenticator(ctx context.Context, id uuid.UUID, from, to string, now time.Time) (Fallout, error) {
	return one[Fallout](ctx, q, `
		WITH changed AS (
			UPDATE authenticator SET state = $3, revoked_at = CASE WHEN $3 <> 'active' THEN $4::timestamptz END WHERE id = $1 AND state = $2
			RETURNING id, person_id, kind, state
		), ended AS (
			UPDATE session s SET ended_at = $4 FROM changed c
			WHERE s.person_id = c.person_id AND s.ended_at IS NULL AND c.state <> 'active'
				AND (s.authenticator_id = c.id OR c.kind = 'password' AND s.authenticator_id IS NOT NULL AND 'pwd' = ANY (s.methods))
			RETURNING s.id
		)
		SELECT person_id, ARRAY(SELECT id FROM ended) AS sessions FROM changed`, id, from, to, now)
}

// AddEnrolmentLink records a link by the hash of its secret, with the keyed hash of the code that has to be given beside it, nil
// for none. An unknown person is ErrReference.
func (q *queries) AddEnrolmentLink(ctx context.Context, hash, codeMAC []byte, personID string, now, expiresAt time.Time) error {
	_, err := scalar[string](ctx, q, `
		INSERT INTO enrolment_link (hash, code_mac, person_id, created_at, expires_at) VALUES ($1, $2, $3, $4, $5) RETURNING person_id`,
		hash, codeMAC, personID, now, expiresAt)
	return err
}

// Enrolment is an enrolment link and for whom it is.
type Enrolment struct {
	ExpiresAt  time.Time
	UsedAt     *time.Time
	Cancelled  bool // which is also why it is used up
	TakesCode  bool
	WrongCodes int // that were given
	Most       int // the highest level that what is bound through it may ever reach; 0 is any
	Standing       // of the person; no client, session or role is concerned
}

// EnrolmentLink reads a link, used and expired ones too, without spending it.
func (q *queries) EnrolmentLink(ctx context.Context, hash []byte, now time.Time) (Enrolment, error) {
	row, err := one[struct {
		PersonID   string
		ExpiresAt  time.Time
		UsedAt     *time.Time
		Cancelled  bool
		TakesCode  bool
		WrongCodes int
		Most       int
		standing
	}](ctx, q, `
		SELECT l.person_id, l.expires_at, l.used_at, l.cancelled_at IS NOT NULL AS cancelled, l.code_mac IS NOT NULL AND l.most_level IS NULL AS takes_code, l.wrong_codes,
			coalesce(l.most_level, 0) AS most, `+standingColumns+`
		FROM enrolment_link l
		CROSS JOIN LATERAL standing(l.person_id, NULL, NULL) s
		WHERE l.hash = $1`, hash)
	if err != nil {
		return Enrolment{}, err
	}
	s, err := q.stand(ctx, row.standing, row.PersonID, nil, nil, now)
	return Enrolment{row.ExpiresAt, row.UsedAt, row.Cancelled, row.TakesCode, row.WrongCodes, row.Most, s}, err
}

// GiveCode tries a code for a live link, which is right when its keyed hash is one of these, and counts it when it is wrong. Of a
// link that takes no code, or for which as many wrong ones were given as are allowed, it is ErrNotFound: also of any number of
// concurrent calls no more are tried.
func (q *queries) GiveCode(ctx context.Context, hash []byte, macs [][]byte, allowed int, now time.Time) (right bool, err error) {
	return scalar[bool](ctx, q, `
		UPDATE enrolment_link SET
			wrong_codes = wrong_codes + CASE WHEN code_mac = ANY ($2) THEN 0 ELSE 1 END,
			code_given_at = CASE WHEN code_mac = ANY ($2) THEN $4 ELSE code_given_at END
		WHERE hash = $1 AND code_mac IS NOT NULL AND most_level IS NULL AND used_at IS NULL AND expires_at > $4 AND wrong_codes < $3
		RETURNING code_mac = ANY ($2)`, hash, macs, allowed, now)
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
func (q *queries) ManagerIsEnrolled(ctx context.Context, now time.Time) (bool, error) {
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
		UPDATE enrolment_link SET used_at = $1, code_given_at = coalesce(code_given_at, $1)
		WHERE used_at IS NULL AND person_id IN (
			SELECT m.person_id FROM role_profile r JOIN membership m ON m.id = r.membership_id WHERE r.job_role LIKE '%:R5080' AND (r.ends_at IS NULL OR r.ends_at > $1))`, now)
}

// SpendLinks spends the enrolment links of a person: whoever has one binds nothing by it any more.
func (t *Tx) SpendLinks(ctx context.Context, personID string, now time.Time) error {
	return t.db.exec(ctx, `
		UPDATE enrolment_link SET used_at = $2, code_given_at = coalesce(code_given_at, $2) WHERE person_id = $1 AND used_at IS NULL`, personID, now)
}

// UseEnrolmentLink spends a live link for what may reach a level, for which its code was given if it takes one, and fewer wrong
// ones than are allowed. Of concurrent calls one succeeds and the others get ErrNotFound.
func (q *queries) UseEnrolmentLink(ctx context.Context, hash []byte, level, allowed int, now time.Time) (personID string, err error) {
	return scalar[string](ctx, q, `
		UPDATE enrolment_link l SET used_at = $3, code_given_at = coalesce(l.code_given_at, $3)
		FROM person p
		WHERE l.hash = $1 AND l.used_at IS NULL AND l.expires_at > $3 AND p.id = l.person_id AND p.disabled_at IS NULL
			AND (l.code_mac IS NULL OR l.code_given_at IS NOT NULL OR l.most_level IS NOT NULL) AND l.wrong_codes < $2
			AND (l.most_level IS NULL OR l.most_level >= $4)
		RETURNING l.person_id`, hash, allowed, now, level)
}

// UseChallenge records that a challenge was answered. When it was answered before, that is ErrReplayed: in a transaction
// it comes with the next statement that reports something, or with the commit, and nothing of the transaction happens.
func (q *queries) UseChallenge(ctx context.Context, hash []byte, expiresAt time.Time) error {
	return q.db.exec(ctx, `INSERT INTO used_challenge (hash, expires_at) VALUES ($1, $2)`, hash, expiresAt)
}
