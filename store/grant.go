package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Grant is one authorization that a person gave to a client by signing in, and all that its code and tokens stand on.
type Grant struct {
	ID                 uuid.UUID
	ClientID           string
	PersonID           string
	SessionID          uuid.UUID
	AuthenticatorID    *uuid.UUID // nil when the sign-in was simulated
	RoleID             *string    // the active role when it was given
	Scopes             []string
	RedirectURI        string
	Nonce              string
	AuthenticatorLevel int
	Methods            []string
	AuthenticatedAt    time.Time
	CodeChallenge      string // RFC 7636, S256
	CreatedAt          time.Time
	ExpiresAt          time.Time // no token is issued from it after this
}

const grantColumns = `g.id, g.client_id, g.person_id, g.session_id, g.authenticator_id, g.role_id, g.scopes, g.redirect_uri, g.nonce, g.authenticator_level, g.methods,
	g.authenticated_at, g.code_challenge, g.created_at, g.expires_at`

// AddGrant records a grant and the hash of its authorization code.
func (q queries) AddGrant(ctx context.Context, g Grant, codeHash []byte, codeExpiresAt time.Time) error {
	return q.db.exec(ctx, `
		INSERT INTO authorization_grant (id, client_id, person_id, session_id, authenticator_id, role_id, scopes, redirect_uri, nonce, authenticator_level, methods,
			authenticated_at, code_hash, code_challenge, code_expires_at, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		g.ID, g.ClientID, g.PersonID, g.SessionID, g.AuthenticatorID, g.RoleID, g.Scopes, g.RedirectURI, g.Nonce, g.AuthenticatorLevel, g.Methods,
		g.AuthenticatedAt, codeHash, g.CodeChallenge, codeExpiresAt, g.CreatedAt, g.ExpiresAt)
}

// StandingGrant is a grant and what it stands on now.
type StandingGrant struct {
	Grant
	Standing
}

// grantRow is a grant as a statement reads it, with the person's record still to come.
type grantRow struct {
	Grant
	standing
}

func (q queries) standingGrant(ctx context.Context, now time.Time, sql string, args ...any) (StandingGrant, error) {
	row, err := one[grantRow](ctx, q, sql, args...)
	if err != nil {
		return StandingGrant{}, err
	}
	s, err := q.stand(ctx, row.standing, row.PersonID, row.AuthenticatorID, row.RoleID, now)
	return StandingGrant{row.Grant, s}, err
}

// UseCode spends an authorization code of a client and returns its grant. The update is the gate: of concurrent calls
// one succeeds and the others get ErrNotFound, as does a code that is unknown, another client's, used or expired.
func (q queries) UseCode(ctx context.Context, hash []byte, clientID string, now time.Time) (StandingGrant, error) {
	return q.standingGrant(ctx, now, `
		WITH g AS (
			UPDATE authorization_grant SET code_used_at = $3
			WHERE code_hash = $1 AND client_id = $2 AND code_used_at IS NULL AND code_expires_at > $3 AND revoked_at IS NULL
			RETURNING *
		)
		SELECT `+grantColumns+`, `+standingColumns+`
		FROM g CROSS JOIN LATERAL standing(g.person_id, g.client_id, g.session_id) s`, hash, clientID, now)
}

// RevokeGrantOfCode revokes the grant of a code that this client has used before, and returns it; otherwise ErrNotFound.
func (q queries) RevokeGrantOfCode(ctx context.Context, hash []byte, clientID string, now time.Time) (Grant, error) {
	return one[Grant](ctx, q, `
		UPDATE authorization_grant g SET revoked_at = coalesce(g.revoked_at, $3)
		WHERE g.code_hash = $1 AND g.client_id = $2 AND g.code_used_at IS NOT NULL
		RETURNING `+grantColumns, hash, clientID, now)
}

// AddRefreshToken records the live refresh token of a grant. A grant has at most one: a second is ErrConflict.
func (q queries) AddRefreshToken(ctx context.Context, hash []byte, grantID uuid.UUID, now time.Time) error {
	return q.db.exec(ctx, `INSERT INTO refresh_token (hash, grant_id, created_at) VALUES ($1, $2, $3)`, hash, grantID, now)
}

// UseRefreshToken spends a refresh token of a client and returns its grant. The update is the gate, as in UseCode.
func (q queries) UseRefreshToken(ctx context.Context, hash []byte, clientID string, now time.Time) (StandingGrant, error) {
	return q.standingGrant(ctx, now, `
		WITH g AS (
			UPDATE refresh_token t SET used_at = $3
			FROM authorization_grant g
			WHERE t.hash = $1 AND t.used_at IS NULL AND g.id = t.grant_id AND g.client_id = $2 AND g.revoked_at IS NULL AND g.expires_at > $3
			RETURNING g.*
		)
		SELECT `+grantColumns+`, `+standingColumns+`
		FROM g CROSS JOIN LATERAL standing(g.person_id, g.client_id, g.session_id) s`, hash, clientID, now)
}

// RevokeGrantOfRefreshToken revokes the grant of a refresh token that this client has used before, and returns it;
// otherwise ErrNotFound.
func (q queries) RevokeGrantOfRefreshToken(ctx context.Context, hash []byte, clientID string, now time.Time) (Grant, error) {
	return one[Grant](ctx, q, `
		UPDATE authorization_grant g SET revoked_at = coalesce(g.revoked_at, $3)
		FROM refresh_token t
		WHERE t.hash = $1 AND t.used_at IS NOT NULL AND g.id = t.grant_id AND g.client_id = $2
		RETURNING `+grantColumns, hash, clientID, now)
}

// RevokeGrant revokes a grant: its code, its refresh token and its access tokens stop working.
func (q queries) RevokeGrant(ctx context.Context, id uuid.UUID, now time.Time) error {
	return q.db.exec(ctx, `UPDATE authorization_grant SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL`, id, now)
}

// Grant reads a grant that is not revoked, and what it stands on now.
func (q queries) Grant(ctx context.Context, id uuid.UUID, now time.Time) (StandingGrant, error) {
	return q.standingGrant(ctx, now, `
		SELECT `+grantColumns+`, `+standingColumns+`
		FROM authorization_grant g CROSS JOIN LATERAL standing(g.person_id, g.client_id, g.session_id) s
		WHERE g.id = $1 AND g.revoked_at IS NULL`, id)
}
