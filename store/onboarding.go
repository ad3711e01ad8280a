package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// ClientApplication is that an organisation wants a client.
type ClientApplication struct {
	ID                        uuid.UUID // of version 7: in the order in which they were made
	OrganisationCode          string
	Environment               string     // development, integration or live
	Follows                   *uuid.UUID // of one for live, the application for integration
	Name                      string
	Purpose                   string
	Contact                   string
	Authentication            string
	JWKS                      json.RawMessage
	JWKSURI                   string
	RedirectURIs              []string
	PostLogoutRedirectURIs    []string
	Scopes                    []string
	RequiresRole              bool
	MinimumAuthenticatorLevel int
	MinimumIdentityLevel      string
	AppliedBy                 string
	AppliedRole               string // the role profile that she acted in
	AppliedAt                 time.Time
	State                     string  // open, approved, refused or withdrawn
	DecidedBy                 *string // nil but of what an officer approved or refused
	DecidedRole               *string
	DecidedAt                 *time.Time // nil while it is open
	DecisionReason            *string
	ClientID                  *string    // that it made; nil before it is approved
	Secrets                   int        // of the client, that were shown
	SecretAt                  *time.Time // when the last of them was
}

const applicationColumns = `a.id, a.organisation_code, a.environment, a.follows, a.name, a.purpose, a.contact, a.authentication, a.jwks, a.jwks_uri, a.redirect_uris,
	a.post_logout_redirect_uris, a.scopes, a.requires_role, a.minimum_authenticator_level, a.minimum_identity_level, a.applied_by, a.applied_role,
	a.applied_at, a.state, a.decided_by, a.decided_role, a.decided_at, a.decision_reason, a.client_id, a.secrets, a.secret_at`

// AddClientApplication records an open application. An unknown organisation is ErrReference.
func (t *Tx) AddClientApplication(ctx context.Context, a ClientApplication) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		INSERT INTO client_application (id, organisation_code, environment, follows, name, purpose, contact, authentication, redirect_uris,
			post_logout_redirect_uris, scopes, requires_role, minimum_authenticator_level, minimum_identity_level, applied_by, applied_role, applied_at, jwks, jwks_uri)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10::text[], '{}'), $11, $12, $13, $14, $15, $16, $17, $18, $19)
		RETURNING id`,
		a.ID, a.OrganisationCode, a.Environment, a.Follows, a.Name, a.Purpose, a.Contact, a.Authentication, a.RedirectURIs,
		a.PostLogoutRedirectURIs, a.Scopes, a.RequiresRole, a.MinimumAuthenticatorLevel, a.MinimumIdentityLevel, a.AppliedBy, a.AppliedRole, a.AppliedAt, a.JWKS, a.JWKSURI)
	return err
}

// OpenClientApplications counts what a person applied for that is not decided. Until the transaction ends she applies for
// nothing elsewhere, so that what is counted stays so.
func (t *Tx) OpenClientApplications(ctx context.Context, person string) (int, error) {
	if err := t.db.exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('client applications of ' || $1::text, 0))`, person); err != nil {
		return 0, err
	}
	return scalar[int](ctx, &t.queries, `SELECT count(*)::int FROM client_application WHERE applied_by = $1 AND state = 'open'`, person)
}

// SameName is an enabled client, or an organisation, with a name that looks like another.
type SameName struct {
	Name             string
	ClientID         string // "" for an organisation
	OrganisationCode string // "" for a client that the operator registered
	Environment      string // of a client that was applied for
}

// SameNames lists what has a name that looks like one, elsewhere than at an organisation itself: at most twenty.
func (q *queries) SameNames(ctx context.Context, name, organisation string) ([]SameName, error) {
	return all[SameName](ctx, q, `
		SELECT c.name, c.id AS client_id, coalesce(a.organisation_code, '') AS organisation_code, coalesce(a.environment, '') AS environment
		FROM client c LEFT JOIN client_application a ON a.client_id = c.id
		WHERE looks_like(c.name) = looks_like($1) AND c.disabled_at IS NULL AND a.organisation_code IS DISTINCT FROM $2
		UNION ALL
		SELECT o.name, '', o.code, '' FROM organisation o WHERE looks_like(o.name) = looks_like($1) AND o.code <> $2
		LIMIT 20`, name, organisation)
}

// LockName keeps others from giving a name that looks like one to a client until the transaction ends, if they lock it too.
func (t *Tx) LockName(ctx context.Context, name string) error {
	return t.db.exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('client name ' || looks_like($1), 0))`, name)
}

// ClientApplication reads an application.
func (q *queries) ClientApplication(ctx context.Context, id uuid.UUID) (ClientApplication, error) {
	return one[ClientApplication](ctx, q, `SELECT `+applicationColumns+` FROM client_application a WHERE a.id = $1`, id)
}

// LockClientApplication reads an application. Whoever else would decide it, check it or make a secret of it waits until the
// transaction ends.
func (t *Tx) LockClientApplication(ctx context.Context, id uuid.UUID) (ClientApplication, error) {
	return one[ClientApplication](ctx, &t.queries, `SELECT `+applicationColumns+` FROM client_application a WHERE a.id = $1 FOR NO KEY UPDATE`, id)
}

// ClientApplicationRow is an application in a list.
type ClientApplicationRow struct {
	ID               uuid.UUID
	OrganisationCode string
	Environment      string
	Name             string
	AppliedByName    string
	AppliedAt        time.Time
	State            string
}

// ClientApplications lists those of an organisation and of those below it that are in a state, by [ByAsked], which is
// the order of their ids, or by [ByName], from the one after the given id, at most limit of them.
func (q *queries) ClientApplications(ctx context.Context, organisation, state string, o Order, after uuid.UUID, limit int) ([]ClientApplicationRow, error) {
	const columns = `a.id, a.organisation_code, a.environment, a.name, a.applied_by, a.applied_at, a.state`
	beyond, order := `a.id > coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid)`, ` ORDER BY a.id`
	switch {
	case o.By == ByName:
		beyond, order = o.beyondName(applicationKey, `a.id`, `(SELECT `+applicationKey+` FROM client_application a WHERE a.id = $3)`, `$3`), ` ORDER BY `+o.by(applicationKey, `a.id`)
	case o.Descending:
		beyond, order = `a.id < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)`, ` ORDER BY a.id DESC`
	}
	return all[ClientApplicationRow](ctx, q, below+`
		SELECT a.id, a.organisation_code, a.environment, a.name, p.display_name AS applied_by_name, a.applied_at, a.state
		FROM `+ofBelow("client_application", "a", `a.organisation_code`, columns, `a.state = $2 AND `+beyond, order, "$4")+`
		CROSS JOIN LATERAL (SELECT p.display_name FROM person p WHERE p.id = a.applied_by OFFSET 0) p`+order+` LIMIT $4`, organisation, state, from(after), limit)
}

// ClientSettlement is how an open application ends.
type ClientSettlement struct {
	State    string  // approved, refused or withdrawn
	By       *string // who decided; nil: nobody, but whoever withdrew it
	Role     *string // the role profile that she acted in
	Reason   string
	ClientID *string // that it made
	At       time.Time
}

// SettleClientApplication ends an open application. Of any number at once one does; the others get ErrNotFound.
func (t *Tx) SettleClientApplication(ctx context.Context, id uuid.UUID, s ClientSettlement) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		UPDATE client_application SET state = $2, decided_by = $3, decided_role = $4, decision_reason = $5, client_id = $6, decided_at = $7
		WHERE id = $1 AND state = 'open' RETURNING id`, id, s.State, s.By, s.Role, s.Reason, s.ClientID, s.At)
	return err
}

// CountClientSecret counts a secret of the client of an application that is shown now.
func (t *Tx) CountClientSecret(ctx context.Context, id uuid.UUID, now time.Time) error {
	return t.db.exec(ctx, `UPDATE client_application SET secrets = secrets + 1, secret_at = $2 WHERE id = $1`, id, now)
}

// ClientCheck is that somebody had it checked whether the addresses of an application answer.
type ClientCheck struct {
	ID            uuid.UUID // of version 7: in the order in which they began
	ApplicationID uuid.UUID
	CheckedBy     string
	CheckedRole   string
	BeganAt       time.Time
	EndedAt       *time.Time // nil while it runs, and if it never ended
	Passed        *bool
	Findings      []byte // JSON
}

// AddClientCheck records that a check begins.
func (t *Tx) AddClientCheck(ctx context.Context, c ClientCheck) error {
	return t.db.exec(ctx, `INSERT INTO client_check (id, application_id, checked_by, checked_role, began_at) VALUES ($1, $2, $3, $4, $5)`,
		c.ID, c.ApplicationID, c.CheckedBy, c.CheckedRole, c.BeganAt)
}

// EndClientCheck records what a check found.
func (t *Tx) EndClientCheck(ctx context.Context, id uuid.UUID, passed bool, findings []byte, now time.Time) error {
	return t.db.exec(ctx, `UPDATE client_check SET passed = $2, findings = $3, ended_at = $4 WHERE id = $1 AND ended_at IS NULL`, id, passed, findings, now)
}

// LastClientCheck reads the check of an application that began last.
func (q *queries) LastClientCheck(ctx context.Context, application uuid.UUID) (ClientCheck, error) {
	return one[ClientCheck](ctx, q, `
		SELECT id, application_id, checked_by, checked_role, began_at, ended_at, passed, findings
		FROM client_check WHERE application_id = $1 ORDER BY id DESC LIMIT 1`, application)
}
