package store

import (
	"context"
	"encoding/json"
	"time"
)

// Client is a relying party.
type Client struct {
	ID                     string
	Name                   string
	OrganisationName       string // whose application made it; "" when the operator registered it
	Authentication         string // none, client_secret_basic, client_secret_post or private_key_jwt
	SecretHash             []byte // SHA-256; nil for a client without a secret
	OldSecretHash          []byte // of the secret before, which works until it ends; nil when there is none
	OldSecretEndsAt        *time.Time
	JWKS                   json.RawMessage // its public keys, a JSON Web Key Set; nil when it has none or publishes them
	JWKSURI                string          // where it publishes them; "" when it does not
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	Scopes                 []string
	IDTokenAlg             string // RS256 or ES256
	Audience               string // of its access tokens; "" is the issuer
	RequiresRole           bool   // a person without a role is not let in

	DefaultACRValues          []string // what it asks for when a request asks for nothing
	MinimumAuthenticatorLevel int      // nobody is let in who signed in at less: 1 to 3
	MinimumIdentityLevel      string   // nobody is let in whose identity is proved less well
	Trustmark                 string   // by which it reads vectors of trust; "" when it does not
	VerifiedClaims            string   // the spelling in which it may ask for verified claims, oidf or uk; "" when it may not

	CreatedAt  time.Time
	DisabledAt *time.Time
}

const clientColumns = `id, name, coalesce((SELECT o.name FROM client_application a JOIN organisation o ON o.code = a.organisation_code WHERE a.client_id = client.id), '') AS organisation_name,
	authentication, secret_hash, old_secret_hash, old_secret_ends_at, jwks, jwks_uri, redirect_uris, post_logout_redirect_uris, scopes, id_token_alg, audience, requires_role,
	default_acr_values, minimum_authenticator_level, minimum_identity_level, trustmark, verified_claims, created_at, disabled_at`

// AddClient registers a client. The id being taken is ErrConflict.
func (q *queries) AddClient(ctx context.Context, c Client) error {
	_, err := scalar[string](ctx, q, `
		INSERT INTO client (id, name, authentication, secret_hash, redirect_uris, post_logout_redirect_uris, scopes, id_token_alg, audience, requires_role,
			default_acr_values, minimum_authenticator_level, minimum_identity_level, trustmark, verified_claims, created_at, jwks, jwks_uri)
		VALUES ($1, $2, $3, $4, $5, coalesce($6::text[], '{}'), $7, $8, $9, $10, coalesce($11::text[], '{}'), $12, $13, $14, $15, $16, $17, $18)
		RETURNING id`,
		c.ID, c.Name, c.Authentication, c.SecretHash, c.RedirectURIs, c.PostLogoutRedirectURIs, c.Scopes, c.IDTokenAlg, c.Audience, c.RequiresRole,
		c.DefaultACRValues, c.MinimumAuthenticatorLevel, c.MinimumIdentityLevel, c.Trustmark, c.VerifiedClaims, c.CreatedAt, c.JWKS, c.JWKSURI)
	return err
}

// UpdateClient replaces what is registered of a client. An unknown one is ErrNotFound.
func (q *queries) UpdateClient(ctx context.Context, c Client) error {
	_, err := scalar[string](ctx, q, `
		UPDATE client SET name = $2, authentication = $3, secret_hash = $4, redirect_uris = $5, post_logout_redirect_uris = coalesce($6::text[], '{}'),
			scopes = $7, id_token_alg = $8, audience = $9, requires_role = $10,
			default_acr_values = coalesce($11::text[], '{}'), minimum_authenticator_level = $12, minimum_identity_level = $13, trustmark = $14, verified_claims = $15,
			old_secret_hash = $16, old_secret_ends_at = $17, jwks = $18, jwks_uri = $19
		WHERE id = $1 RETURNING id`,
		c.ID, c.Name, c.Authentication, c.SecretHash, c.RedirectURIs, c.PostLogoutRedirectURIs, c.Scopes, c.IDTokenAlg, c.Audience, c.RequiresRole,
		c.DefaultACRValues, c.MinimumAuthenticatorLevel, c.MinimumIdentityLevel, c.Trustmark, c.VerifiedClaims, c.OldSecretHash, c.OldSecretEndsAt, c.JWKS, c.JWKSURI)
	return err
}

// DisableClient disables a client. One that is unknown or disabled already is ErrNotFound.
func (q *queries) DisableClient(ctx context.Context, id string, now time.Time) error {
	_, err := scalar[string](ctx, q, `UPDATE client SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL RETURNING id`, id, now)
	return err
}

// Client reads a client.
func (q *queries) Client(ctx context.Context, id string) (Client, error) {
	return one[Client](ctx, q, `SELECT `+clientColumns+` FROM client WHERE id = $1`, id)
}

// LockClient reads a client that is about to be changed. Whoever else would change it waits until the transaction ends.
func (t *Tx) LockClient(ctx context.Context, id string) (Client, error) {
	return one[Client](ctx, &t.queries, `SELECT `+clientColumns+` FROM client WHERE id = $1 FOR UPDATE OF client`, id)
}

// Clients lists clients by id, from the one after the given id, at most limit of them.
func (q *queries) Clients(ctx context.Context, after string, limit int) ([]Client, error) {
	return all[Client](ctx, q, `SELECT `+clientColumns+` FROM client WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}

// Assertion is by what a client proved that it is itself, which works once: RFC 7523, Section 3.
type Assertion struct {
	ClientID  string
	Hash      []byte // SHA-256 of its jti
	ExpiresAt time.Time
}

// UseAssertion takes an assertion. One that was taken before is ErrReplayed: when the statement is sent.
func (t *Tx) UseAssertion(ctx context.Context, a Assertion) error {
	return t.db.exec(ctx, `INSERT INTO used_assertion (client_id, hash, expires_at) VALUES ($1, $2, $3)`, a.ClientID, a.Hash, a.ExpiresAt)
}
