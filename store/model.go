package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// AuthenticatorModel is a model of authenticators that the operator vouches for.
type AuthenticatorModel struct {
	AAGUID    uuid.UUID
	Name      string
	Roots     string // X.509, PEM: what its attestations chain to
	CreatedAt time.Time
}

// PutAuthenticatorModel adds a model, or replaces what was known of it.
func (q *queries) PutAuthenticatorModel(ctx context.Context, m AuthenticatorModel) error {
	return q.db.exec(ctx, `
		INSERT INTO authenticator_model (aaguid, name, roots, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT (aaguid) DO UPDATE SET name = excluded.name, roots = excluded.roots`, m.AAGUID, m.Name, m.Roots, m.CreatedAt)
}

// RemoveAuthenticatorModel removes a model. One that is not there is ErrNotFound.
func (q *queries) RemoveAuthenticatorModel(ctx context.Context, aaguid uuid.UUID) error {
	_, err := scalar[uuid.UUID](ctx, q, `DELETE FROM authenticator_model WHERE aaguid = $1 RETURNING aaguid`, aaguid)
	return err
}

// AuthenticatorModel reads a model, and locks it when in a transaction that will change it.
func (q *queries) AuthenticatorModel(ctx context.Context, aaguid uuid.UUID) (AuthenticatorModel, error) {
	return one[AuthenticatorModel](ctx, q, `SELECT aaguid, name, roots, created_at FROM authenticator_model WHERE aaguid = $1 FOR UPDATE`, aaguid)
}

// AuthenticatorModels lists the models by AAGUID, from the one after the given one, at most limit of them.
func (q *queries) AuthenticatorModels(ctx context.Context, after uuid.UUID, limit int) ([]AuthenticatorModel, error) {
	return all[AuthenticatorModel](ctx, q, `
		SELECT aaguid, name, roots, created_at FROM authenticator_model WHERE aaguid > $1 ORDER BY aaguid LIMIT $2`, after, limit)
}

// AuthenticatorPolicy is what an organisation asks of the authenticators of its people.
type AuthenticatorPolicy struct {
	OrganisationCode string
	Allowed          []uuid.UUID // AAGUIDs; none: any model
	Denied           []uuid.UUID
	DeviceBound      bool
	Attestation      bool
}

// PutAuthenticatorPolicy sets the policy of an organisation. An unknown organisation is ErrReference, and so is a policy that
// asks for nothing or is too long.
func (q *queries) PutAuthenticatorPolicy(ctx context.Context, p AuthenticatorPolicy) error {
	_, err := scalar[string](ctx, q, `
		INSERT INTO authenticator_policy (organisation_code, allowed, denied, device_bound, attestation)
		VALUES ($1, coalesce($2::uuid[], '{}'), coalesce($3::uuid[], '{}'), $4, $5)
		ON CONFLICT (organisation_code) DO UPDATE SET
			allowed = excluded.allowed, denied = excluded.denied, device_bound = excluded.device_bound, attestation = excluded.attestation
		RETURNING organisation_code`, p.OrganisationCode, p.Allowed, p.Denied, p.DeviceBound, p.Attestation)
	return err
}

// RemoveAuthenticatorPolicy removes the policy of an organisation. None being there is ErrNotFound.
func (q *queries) RemoveAuthenticatorPolicy(ctx context.Context, organisationCode string) error {
	_, err := scalar[string](ctx, q, `DELETE FROM authenticator_policy WHERE organisation_code = $1 RETURNING organisation_code`, organisationCode)
	return err
}

// AuthenticatorPolicy reads the policy of an organisation itself, and locks it when in a transaction that will change it.
func (q *queries) AuthenticatorPolicy(ctx context.Context, organisationCode string) (AuthenticatorPolicy, error) {
	return one[AuthenticatorPolicy](ctx, q, `
		SELECT organisation_code, allowed, denied, device_bound, attestation FROM authenticator_policy WHERE organisation_code = $1 FOR UPDATE`, organisationCode)
}

// AuthenticatorPolicies lists the policies by organisation, from the one after the given code, at most limit of them.
func (q *queries) AuthenticatorPolicies(ctx context.Context, after string, limit int) ([]AuthenticatorPolicy, error) {
	return all[AuthenticatorPolicy](ctx, q, `
		SELECT organisation_code, allowed, denied, device_bound, attestation FROM authenticator_policy
		WHERE organisation_code > $1 ORDER BY organisation_code LIMIT $2`, after, limit)
}

// PolicyHolder says whose policy holds for the people of an organisation: its own, or that of the nearest one above it.
type PolicyHolder struct {
	OrganisationCode string
	Holder           string
}

// PolicyHolders lists every organisation for which a policy holds. They are no more than there are organisations.
func (q *queries) PolicyHolders(ctx context.Context) ([]PolicyHolder, error) {
	return all[PolicyHolder](ctx, q, `
		WITH RECURSIVE held (organisation_code, holder) AS (
			SELECT organisation_code, organisation_code FROM authenticator_policy
			UNION
			SELECT o.code, h.holder FROM held h JOIN organisation o ON o.parent_code = h.organisation_code
			WHERE NOT EXISTS (SELECT FROM authenticator_policy p WHERE p.organisation_code = o.code)
		)
		SELECT organisation_code, holder FROM held`)
}

// Metadata is the blob of the FIDO Metadata Service that this installation goes by.
type Metadata struct {
	Number     int64
	NextUpdate time.Time
	Blob       []byte
	FetchedAt  time.Time // when it came
	CheckedAt  time.Time // when the source was last asked for a newer one
}

// Metadata reads the blob. None being there is ErrNotFound.
func (q *queries) Metadata(ctx context.Context) (Metadata, error) {
	return one[Metadata](ctx, q, `SELECT number, next_update, blob, fetched_at, checked_at FROM fido_metadata`)
}

// MetadataState reads what is known of the blob but its content, and locks it when in a transaction that will change it.
func (q *queries) MetadataState(ctx context.Context) (Metadata, error) {
	return one[Metadata](ctx, q, `SELECT number, next_update, ''::bytea AS blob, fetched_at, checked_at FROM fido_metadata FOR UPDATE`)
}

// PutMetadata replaces the blob by one with a higher number. One whose number is not higher is ErrNotFound.
func (q *queries) PutMetadata(ctx context.Context, m Metadata) error {
	_, err := scalar[int64](ctx, q, `
		INSERT INTO fido_metadata (number, next_update, blob, fetched_at, checked_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT ((true)) DO UPDATE SET
			number = excluded.number, next_update = excluded.next_update, blob = excluded.blob, fetched_at = excluded.fetched_at, checked_at = excluded.checked_at
		WHERE fido_metadata.number < excluded.number
		RETURNING number`, m.Number, m.NextUpdate, m.Blob, m.FetchedAt, m.CheckedAt)
	return err
}

// CheckMetadata records that the source has no newer blob.
func (q *queries) CheckMetadata(ctx context.Context, now time.Time) error {
	return q.db.exec(ctx, `UPDATE fido_metadata SET checked_at = $1`, now)
}

// ModelsGeneration is the number of all that replicas keep in memory of models, policies and metadata. It rises with each
// change.
func (q *queries) ModelsGeneration(ctx context.Context) (int64, error) {
	return scalar[int64](ctx, q, `
		SELECT sum(value)::bigint FROM generation WHERE name IN ('authenticator_model', 'authenticator_policy', 'fido_metadata', 'organisation')`)
}

// Held is an authenticator in use and where its owner works.
type Held struct {
	Authenticator
	Organisations []string // codes
}

// Position is a place in the order of [Store.HeldAuthenticators].
type Position struct {
	PersonID        string
	AuthenticatorID uuid.UUID
}

// HeldAuthenticators lists authenticators in use, from the one after a position, at most limit of them: those of some
// models, and those of the people of some organisations.
func (q *queries) HeldAuthenticators(ctx context.Context, models []uuid.UUID, organisations []string, after Position, limit int) ([]Held, error) {
	return all[Held](ctx, q, `
		WITH of_model AS (
			SELECT a.person_id, a.id FROM unnest($1::uuid[]) m (aaguid) CROSS JOIN LATERAL (
				SELECT a.person_id, a.id FROM authenticator a
				WHERE a.aaguid = m.aaguid AND a.revoked_at IS NULL AND (a.person_id, a.id) > ($3, $4) ORDER BY a.person_id, a.id LIMIT $5) a
		), of_organisation AS (
			SELECT a.person_id, a.id
			FROM (SELECT DISTINCT m.person_id FROM membership m WHERE m.organisation_code = ANY ($2) AND m.person_id >= $3) p
			CROSS JOIN LATERAL (
				SELECT a.person_id, a.id FROM authenticator a
				WHERE a.person_id = p.person_id AND a.revoked_at IS NULL AND (a.person_id, a.id) > ($3, $4) ORDER BY a.id LIMIT 100) a
			ORDER BY a.person_id, a.id LIMIT $5
		)
		SELECT `+authenticatorColumns+`,
			ARRAY(SELECT m.organisation_code FROM membership m WHERE m.person_id = a.person_id ORDER BY m.id LIMIT 100) AS organisations
		FROM (SELECT person_id, id FROM of_model UNION SELECT person_id, id FROM of_organisation ORDER BY person_id, id LIMIT $5) h
		JOIN authenticator a ON a.id = h.id
		ORDER BY a.person_id, a.id`, models, organisations, after.PersonID, after.AuthenticatorID, limit)
}

// AttestedAuthenticators lists authenticators in use that have an attestation, by id, from the one after the given one, at
// most limit of them.
func (q *queries) AttestedAuthenticators(ctx context.Context, after uuid.UUID, limit int) ([]Authenticator, error) {
	return all[Authenticator](ctx, q, `
		SELECT `+authenticatorColumns+` FROM authenticator a
		WHERE a.id > $1 AND a.revoked_at IS NULL AND a.attestation_format <> 'none' ORDER BY a.id LIMIT $2`, after, limit)
}

// SetAttestationVerdict records what the attestation of an authenticator proves.
func (q *queries) SetAttestationVerdict(ctx context.Context, id uuid.UUID, verdict string) error {
	return q.db.exec(ctx, `UPDATE authenticator SET attestation_verdict = $2 WHERE id = $1`, id, verdict)
}
