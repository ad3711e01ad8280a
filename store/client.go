package store

import (
	"context"
	"time"
)

// Client is a relying party.
type Client struct {
	ID                     string
	Name                   string
	Authentication         string // none, client_secret_basic or client_secret_post
	SecretHash             []byte // SHA-256; nil for a public client
	OldSecretHash          []byte // of the secret before, which works until it ends; nil when there is none
	OldSecretEndsAt        *time.Time
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

const clientColumns = `id, name, authentication, secret_hash, old_secret_hash, old_secret_ends_at, redirect_uris, post_logout_redirect_uris, scopes, id_token_alg, audience, requires_role,
	default_acr_values, minimum_authenticator_level, minimum_identity_level, trustmark, verified_claims, created_at, disabled_at`

// AddClient registers a client. The id being taken is ErrConflict.
func (q queries) AddClient(ctx context.Context, c Client) error {
	_, err := scalar[string](ctx, q, `
		INSERT INTO client (id, name, authentication, secret_hash, redirect_uris, post_logout_redirect_uris, scopes, id_token_alg, audience, requires_role,
			default_acr_values, minimum_authenticator_level, minimum_identity_level, trustmark, verified_claims, created_at)
		VALUES ($1, $2, $3, $4, $5, coalesce($6::text[], '{}'), $7, $8, $9, $10, coalesce($11::text[], '{}'), $12, $13, $14, $15, $16)
		RETURNING id`,
		c.ID, c.Name, c.Authentication, c.SecretHash, c.RedirectURIs, c.PostLogoutRedirectURIs, c.Scopes, c.IDTokenAlg, c.Audience, c.RequiresRole,
		c.DefaultACRValues, c.MinimumAuthenticatorLevel, c.MinimumIdentityLevel, c.Trustmark, c.VerifiedClaims, c.CreatedAt)
	return err
}

// UpdateClient replaces what is registered of a client. An unknown one is ErrNotFound.
func (q queries) UpdateClient(ctx context.Context, c Client) error {
	_, err := scalar[string](ctx, q, `
		UPDATE client SET name = $2, authentication = $3, secret_hash = $4, redirect_uris = $5, post_logout_redirect_uris = coalesce($6::text[], '{}'),
			scopes = $7, id_token_alg = $8, audience = $9, requires_role = $10,
			default_acr_values = coalesce($11::text[], '{}'), minimum_authenticator_level = $12, minimum_identity_level = $13, trustmark = $14, verified_claims = $15,
			old_secret_hash = $16, old_secret_ends_at = $17
		WHERE id = $1 RETURNING id`,
		c.ID, c.Name, c.Authentication, c.SecretHash, c.RedirectURIs, c.PostLogoutRedirectURIs, c.Scopes, c.IDTokenAlg, c.Audience, c.RequiresRole,
		c.DefaultACRValues, c.MinimumAuthenticatorLevel, c.MinimumIdentityLevel, c.Trustmark, c.VerifiedClaims, c.OldSecretHash, c.OldSecretEndsAt)
	return err
}

// DisableClient disables a client. One that is unknown or disabled already is ErrNotFound.
func (q queries) DisableClient(ctx context.Context, id string, now time.Time) error {
	_, err := scalar[string](ctx, q, `UPDATE client SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL RETURNING id`, id, now)
	return err
}

// Client reads a client, and locks it when in a transaction that will change it.
func (q queries) Client(ctx context.Context, id string) (Client, error) {
	return one[Client](ctx, q, `SELECT `+clientColumns+` FROM client WHERE id = $1 FOR UPDATE`, id)
}

// Clients lists clients by id, from the one after the given id, at most limit of them.
func (q queries) Clients(ctx context.Context, after string, limit int) ([]Client, error) {
	return all[Client](ctx, q, `SELECT `+clientColumns+` FROM client WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}
