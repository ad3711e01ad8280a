package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
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
	IdentityLevel      string          // of the person when it was given
	Demand             json.RawMessage // what was asked of the sign-in, which tokens answer; nil when nothing was
	Claims             string          // the claims parameter; "" when there was none
	CodeChallenge      string          // RFC 7636, S256
	CreatedAt          time.Time
	ExpiresAt          time.Time // no token is issued from it after this
}

const grantColumns = `g.id, g.client_id, g.person_id, g.session_id, g.authenticator_id, g.role_id, g.scopes, g.redirect_uri, g.nonce, g.authenticator_level, g.methods,
	g.authenticated_at, g.identity_level, g.demand, g.claims, g.code_challenge, g.created_at, g.expires_at`

// AddGrant records a grant and the hash of its authorization code.
func (q *queries) AddGrant(ctx context.Context, g Grant, codeHash []byte, codeExpiresAt time.Time) error {
	q.recent.issued(codeHash, g)
	return q.db.exec(ctx, `
		INSERT INTO authorization_grant (id, client_id, person_id, session_id, authenticator_id, role_id, scopes, redirect_uri, nonce, authenticator_level, methods,
			authenticated_at, identity_level, demand, claims, code_hash, code_challenge, code_expires_at, created_at, expires_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)`,
		g.ID, g.ClientID, g.PersonID, g.SessionID, g.AuthenticatorID, g.RoleID, g.Scopes, g.RedirectURI, g.Nonce, g.AuthenticatorLevel, g.Methods,
		g.AuthenticatedAt, g.IdentityLevel, g.Demand, g.Claims, codeHash, g.CodeChallenge, codeExpiresAt, g.CreatedAt, g.ExpiresAt)
}

// StandingGrant is a grant and what it stands on now.
type StandingGrant struct {
	Grant
	Standing
	Version uuid.UUID // of the person's record when the grant was read
}

// grantRow is a grant as a statement reads it, with the person's record still to come.
type grantRow struct {
	Grant
	standing
}

func (q *queries) standingGrant(ctx context.Context, now time.Time, sql string, args ...any) (StandingGrant, error) {
	row, err := one[grantRow](ctx, q, sql, args...)
	if err != nil {
		return StandingGrant{}, err
	}
	s, err := q.stand(ctx, row.standing, row.PersonID, row.AuthenticatorID, row.RoleID, now)
	return StandingGrant{row.Grant, s, row.PersonVersion}, err
}

// Code reads the grant of an authorization code of a client. A code that is unknown, another client's, used or expired is
// ErrNotFound.
func (q *queries) Code(ctx context.Context, hash []byte, clientID string, now time.Time) (StandingGrant, error) {
	return q.standingGrant(ctx, now, `
		SELECT `+grantColumns+`, `+standingColumns+`
		FROM authorization_grant g CROSS JOIN LATERAL standing(g.person_id, g.client_id, g.session_id) s
		WHERE g.code_hash = $1 AND g.client_id = $2 AND g.code_used_at IS NULL AND g.code_expires_at > $3 AND g.revoked_at IS NULL`,
		hash, clientID, now)
}

// RefreshToken reads the grant of a refresh token of a client, as Code does of a code.
func (q *queries) RefreshToken(ctx context.Context, hash []byte, clientID string, now time.Time) (StandingGrant, error) {
	return q.standingGrant(ctx, now, `
		SELECT `+grantColumns+`, `+standingColumns+`
		FROM refresh_token t
		JOIN authorization_grant g ON g.id = t.grant_id
		CROSS JOIN LATERAL standing(g.person_id, g.client_id, g.session_id) s
		WHERE t.hash = $1 AND t.used_at IS NULL AND g.client_id = $2 AND g.revoked_at IS NULL AND g.expires_at > $3`,
		hash, clientID, now)
}

// Exchange is what becomes of a code or refresh token: tokens, which stand on what it was decided by.
type Exchange struct {
	Grant   Grant      // its grant
	Hash    []byte     // of the code or refresh token
	Version uuid.UUID  // of the person's record that it was decided by
	Next    []byte     // the hash of the refresh token that is among the tokens; nil when there is none
	Event   AuditEvent // its time is when they were issued
	Proof   *Assertion // by which the client was known; nil when that was something else
}

// ExchangeCode spends an authorization code, and records what is issued for it. The update is the gate: of concurrent calls
// one succeeds and the others get ErrNotFound. So does one whose grant stands no more as it did when it was read: the grant
// was revoked, client or session ended, or anything of the person's record has changed, her authenticators and roles
// included. Then nothing was done. Nor was it when the proof of the client was taken before, which is ErrReplayed.
func (q *queries) ExchangeCode(ctx context.Context, x Exchange) error {
	return q.exchange(ctx, `
		UPDATE authorization_grant g SET code_used_at = $2
		WHERE g.code_hash = $1 AND g.code_used_at IS NULL AND g.code_expires_at > $2 AND g.revoked_at IS NULL AND `+standsAsRead+`
		RETURNING g.id`, x)
}

// ExchangeRefreshToken spends a refresh token, and records what is issued for it. The update is the gate, as in ExchangeCode.
func (q *queries) ExchangeRefreshToken(ctx context.Context, x Exchange) error {
	return q.exchange(ctx, `
		UPDATE refresh_token t SET used_at = $2
		FROM authorization_grant g
		WHERE t.hash = $1 AND t.used_at IS NULL AND g.id = t.grant_id AND g.revoked_at IS NULL AND g.expires_at > $2 AND `+standsAsRead+`
		RETURNING g.id`, x)
}

// standsAsRead is the condition that a grant stands on the version $3 of the person's record, a client and a session: at the
// moment when the statement begins, as with every read.
const standsAsRead = `EXISTS (
			SELECT FROM standing(g.person_id, g.client_id, g.session_id) s
			WHERE s.person_version = $3 AND s.client_stands AND s.session_stands)`

// exchange runs as one statement what is done only if the first part of it, the gate, returns the id of a grant.
func (q *queries) exchange(ctx context.Context, gate string, x Exchange) error {
	e := x.Event
	var also string // what it does not do costs nothing
	args := []any{x.Hash, e.At, x.Version, e.Event, e.Refusal, e.Actor, e.PersonID, e.ClientID, e.SessionID, e.RequestID, e.Address, e.Detail}
	if x.Next != nil {
		args = append(args, x.Next)
		also = fmt.Sprintf(`, next AS (
			INSERT INTO refresh_token (hash, grant_id, created_at) SELECT $%d, id, $2 FROM spent
		)`, len(args))
	}
	if x.Proof != nil {
		args = append(args, x.Proof.ClientID, x.Proof.Hash, x.Proof.ExpiresAt)
		also += fmt.Sprintf(`, proved AS (
			INSERT INTO used_assertion (client_id, hash, expires_at) SELECT $%d, $%d, $%d FROM spent
		)`, len(args)-2, len(args)-1, len(args))
	}
	_, err := scalar[uuid.UUID](ctx, q, `
		WITH spent AS (`+gate+`
		)`+also+`, recorded AS (
			INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, session_id, grant_id, request_id, address, detail)
			SELECT $2, $4, $5, $6, $7, $8, $9, id, $10, $11, coalesce($12::jsonb, '{}') FROM spent
		)
		SELECT id FROM spent`, args...)
	switch {
	case err == nil:
		q.recent.exchanged(x)
	case errors.Is(err, ErrNotFound):
		q.recent.forget(x.Hash)
	}
	return err
}

// UseCode spends an authorization code for nothing. The update is the gate, as in ExchangeCode.
func (q *queries) UseCode(ctx context.Context, hash []byte, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, q, `
		UPDATE authorization_grant SET code_used_at = $2
		WHERE code_hash = $1 AND code_used_at IS NULL AND revoked_at IS NULL
		RETURNING id`, hash, now)
	return err
}

// UseRefreshToken spends a refresh token for nothing. The update is the gate, as in ExchangeCode.
func (q *queries) UseRefreshToken(ctx context.Context, hash []byte, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, q, `
		UPDATE refresh_token t SET used_at = $2
		FROM authorization_grant g
		WHERE t.hash = $1 AND t.used_at IS NULL AND g.id = t.grant_id AND g.revoked_at IS NULL
		RETURNING g.id`, hash, now)
	return err
}

// RevokeGrantOfCode revokes the grant of a code that this client has used before, and returns it; otherwise ErrNotFound.
func (q *queries) RevokeGrantOfCode(ctx context.Context, hash []byte, clientID string, now time.Time) (Grant, error) {
	return one[Grant](ctx, q, `
		UPDATE authorization_grant g SET revoked_at = coalesce(g.revoked_at, $3)
		WHERE g.code_hash = $1 AND g.client_id = $2 AND g.code_used_at IS NOT NULL
		RETURNING `+grantColumns, hash, clientID, now)
}

// RevokeGrantOfRefreshToken revokes the grant of a refresh token that this client has used before, and returns it;
// otherwise ErrNotFound.
func (q *queries) RevokeGrantOfRefreshToken(ctx context.Context, hash []byte, clientID string, now time.Time) (Grant, error) {
	return one[Grant](ctx, q, `
		UPDATE authorization_grant g SET revoked_at = coalesce(g.revoked_at, $3)
		FROM refresh_token t
		WHERE t.hash = $1 AND t.used_at IS NOT NULL AND g.id = t.grant_id AND g.client_id = $2
		RETURNING `+grantColumns, hash, clientID, now)
}

// RevokeGrant revokes a grant: its code, its refresh token and its access tokens stop working.
func (q *queries) RevokeGrant(ctx context.Context, id uuid.UUID, now time.Time) error {
	return q.db.exec(ctx, `UPDATE authorization_grant SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL`, id, now)
}

// Grant reads a grant that is not revoked, and what it stands on now.
func (q *queries) Grant(ctx context.Context, id uuid.UUID, now time.Time) (StandingGrant, error) {
	return q.standingGrant(ctx, now, `
		SELECT `+grantColumns+`, `+standingColumns+`
		FROM authorization_grant g CROSS JOIN LATERAL standing(g.person_id, g.client_id, g.session_id) s
		WHERE g.id = $1 AND g.revoked_at IS NULL`, id)
}
