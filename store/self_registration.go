package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// SelfRegistration is somebody who registers herself, and whose address nobody has confirmed yet.
type SelfRegistration struct {
	ID               uuid.UUID // of version 7
	OrganisationCode string
	OrganisationName string
	GivenName        string
	FamilyName       string
	Email            string
	ExpiresAt        time.Time
	OnRecord         bool // somebody has the address by now
}

// OpenToAll reads the name of an organisation at which people register themselves. Any other is ErrNotFound.
func (q *queries) OpenToAll(ctx context.Context, organisation string) (name string, err error) {
	return scalar[string](ctx, q, `SELECT name FROM organisation WHERE code = $1 AND self_registration`, organisation)
}

// AddSelfRegistration records a registration that waits to be confirmed, by the hash of the secret that is mailed. One at an
// organisation that is not open to all, any more, is ErrNotFound.
func (t *Tx) AddSelfRegistration(ctx context.Context, r SelfRegistration, secretHash []byte, now time.Time) (organisationName string, err error) {
	return scalar[string](ctx, &t.queries, `
		WITH added AS (
			INSERT INTO self_registration (id, secret_hash, organisation_code, given_name, family_name, email, asked_at, expires_at)
			SELECT $1, $2, o.code, $4, $5, $6, $7, $8 FROM organisation o WHERE o.code = $3 AND o.self_registration FOR SHARE -- whoever closes it waits
			RETURNING organisation_code
		)
		SELECT o.name FROM added a JOIN organisation o ON o.code = a.organisation_code`,
		r.ID, secretHash, r.OrganisationCode, r.GivenName, r.FamilyName, r.Email, now, r.ExpiresAt)
}

// DropSelfRegistrations takes away for good what waits to be confirmed by an e-mail address, in whatever case, with its messages, but for
// so many of the newest.
func (t *Tx) DropSelfRegistrations(ctx context.Context, email string, newest int) error {
	return t.db.exec(ctx, `
		DELETE FROM self_registration WHERE id IN (
			SELECT r.id FROM self_registration r WHERE lower(r.email) = lower($1) ORDER BY r.id DESC OFFSET $2)`, email, newest)
}

// CloseSelfRegistrations takes away for good what waits to be confirmed at an organisation, with its messages.
func (t *Tx) CloseSelfRegistrations(ctx context.Context, organisation string) error {
	return t.db.exec(ctx, `DELETE FROM self_registration WHERE organisation_code = $1`, organisation)
}

const selfRegistrationColumns = `r.id, r.organisation_code, o.name AS organisation_name, r.given_name, r.family_name, r.email, r.expires_at,
	EXISTS (SELECT FROM person p WHERE lower(p.email) = lower(r.email)) AS on_record`

// SelfRegistration reads a registration that waits to be confirmed, at an organisation that is still open to all.
func (q *queries) SelfRegistration(ctx context.Context, secretHash []byte, now time.Time) (SelfRegistration, error) {
	return one[SelfRegistration](ctx, q, `
		SELECT `+selfRegistrationColumns+` FROM self_registration r JOIN organisation o ON o.code = r.organisation_code AND o.self_registration
		WHERE r.secret_hash = $1 AND r.expires_at > $2`, secretHash, now)
}

// TakeSelfRegistration is SelfRegistration, and takes it away for good. Of concurrent calls one gets it; the others get ErrNotFound.
func (t *Tx) TakeSelfRegistration(ctx context.Context, secretHash []byte, now time.Time) (SelfRegistration, error) {
	return one[SelfRegistration](ctx, &t.queries, `
		DELETE FROM self_registration r USING organisation o
		WHERE r.secret_hash = $1 AND r.expires_at > $2 AND o.code = r.organisation_code AND o.self_registration
		RETURNING `+selfRegistrationColumns, secretHash, now)
}

// OnRecord finds who has an e-mail address, in whatever case, or the first of those who do. When nobody does, that is ErrNotFound.
func (q *queries) OnRecord(ctx context.Context, email string) (personID string, err error) {
	return scalar[string](ctx, q, `
		WITH p AS MATERIALIZED (SELECT p.id FROM person p WHERE lower(p.email) = lower($1))
		SELECT p.id FROM p ORDER BY p.id LIMIT 1`, email)
}

// unproved is of a person p who registered herself and whose identity is proved to less than medium: she acts as nothing.
const unproved = `p.self_registered_organisation IS NOT NULL AND p.identity_level IN ('none', 'low')`

// toProve is of such a person whom somebody is to prove.
const toProve = unproved + ` AND p.disabled_at IS NULL`

// UnprovedPerson is somebody who registered herself and is not proved yet.
type UnprovedPerson struct {
	ID               string
	DisplayName      string
	OrganisationCode string // at which she registered herself
	RegisteredAt     time.Time
}

// UnprovedPeople lists who registered herself at an organisation or at those below it and is not proved yet, by [ByTime], which is
// when she did, from the one after the given id, at most limit of them.
func (q *queries) UnprovedPeople(ctx context.Context, organisation string, o Order, after string, limit int) ([]UnprovedPerson, error) {
	const key, columns = `p.created_at`, `p.id, p.display_name, p.self_registered_organisation, p.created_at`
	so, order := toProve+` AND `+o.beyond(key, `p.id`, `(SELECT p.created_at FROM person p WHERE p.id = $2)`, `nullif($2, '')`), ` ORDER BY `+o.by(key, `p.id`)
	return all[UnprovedPerson](ctx, q, below+`
		SELECT p.id, p.display_name, p.self_registered_organisation AS organisation_code, p.created_at AS registered_at
		FROM `+ofBelow("person", "p", `p.self_registered_organisation`, columns, so, order, "$3")+order+` LIMIT $3`, organisation, after, limit)
}

// waitingPeople counts what UnprovedPeople lists, as far as $2.
func waitingPeople() string {
	return countBelow("person", "p", `p.self_registered_organisation`, `p.created_at`, toProve+` AND p.created_at > '-infinity'`)
}
