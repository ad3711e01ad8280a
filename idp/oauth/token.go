package oauth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/keys"
)

const (
	codeLife        = time.Minute // RFC 6749, Section 4.1.2 allows ten; a browser needs seconds
	accessTokenLife = 10 * time.Minute
	idTokenLife     = time.Hour
)

// registered are the claims of RFC 7519, Section 4.1.
type registered struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	ExpiresAt int64  `json:"exp"`
	IssuedAt  int64  `json:"iat"`
	ID        string `json:"jti"`
}

// idToken is an ID token: OpenID Connect Core 1.0, Section 2.
type idToken struct {
	registered
	assuranceClaims
	personClaims
	AuthorizedParty string `json:"azp"`
	Nonce           string `json:"nonce,omitempty"`
	AccessTokenHash string `json:"at_hash,omitempty"`

	// As the Care Identity Service writes them.
	IdentityAssuranceLevel string `json:"idassurancelevel"`
	SelectedRoleID         string `json:"selected_roleid,omitempty"`
}

// accessToken is a JWT access token: RFC 9068, Section 2.2.
type accessToken struct {
	authority
	assuranceClaims
}

// authority is by whom, for whom and for what an access token was issued. The rest of it is for those who serve: we read
// that anew.
type authority struct {
	registered
	ClientID string `json:"client_id"`
	Scope    string `json:"scope,omitempty"`
}

// grantID reads from which grant an access token came. The token's id begins with the grant's.
func (t authority) grantID() (uuid.UUID, error) {
	id, _, _ := strings.Cut(t.ID, ".")
	return uuid.Parse(id)
}

// audience is for whom a client's access tokens are.
func (h *Handler) audience(c client) string {
	if c.Audience != "" {
		return c.Audience
	}
	return h.Issuer
}

// signAccessToken signs an access token, and says in how many seconds it expires. It never outlives the grant.
func (h *Handler) signAccessToken(g *grant, c client, now time.Time) (string, time.Duration, error) {
	life := min(accessTokenLife, g.ExpiresAt.Sub(now))
	token, err := h.Keys.Sign(keys.ES256, keys.AccessToken, accessToken{
		authority: authority{
			registered: registered{
				Issuer: h.Issuer, Subject: g.PersonID, Audience: h.audience(c), ExpiresAt: now.Add(life).Unix(), IssuedAt: now.Unix(),
				ID: g.ID.String() + "." + randomToken()[:22],
			},
			ClientID: c.ID, Scope: strings.Join(g.Scopes, " "),
		},
		assuranceClaims: h.assuranceClaims(g, c),
	})
	if err != nil {
		return "", 0, fmt.Errorf("access token: %w", err)
	}
	return token, life, nil
}

// signIDToken signs an ID token. The nonce is for the one that answers the authorization code: of a refreshed one,
// OpenID Connect Core 1.0, Section 12.2 says that it SHOULD NOT have a nonce.
func (h *Handler) signIDToken(ctx context.Context, g *grant, c client, nonce, accessToken string, now time.Time) (string, error) {
	t := idToken{
		registered: registered{
			Issuer: h.Issuer, Subject: g.PersonID, Audience: c.ID, ExpiresAt: now.Add(idTokenLife).Unix(), IssuedAt: now.Unix(), ID: randomToken()[:22],
		},
		assuranceClaims: h.assuranceClaims(g, c), personClaims: g.personClaims(h.Catalogue, c),
		AuthorizedParty: c.ID, Nonce: nonce, AccessTokenHash: halfHash(accessToken), IdentityAssuranceLevel: g.reached().Identity.Number(),
	}
	for _, scope := range g.Scopes {
		if role, ok := g.role(); ok && (scope == ScopeSelectedRole || scope == ScopeChangedRole) {
			t.SelectedRoleID = role.ID
		}
	}
	asked, err := g.asked()
	if err != nil {
		return "", err
	}
	claims, err := h.askedFor(ctx, g, c, asked.IDToken, t)
	if err != nil {
		return "", err
	}
	token, err := h.Keys.Sign(c.IDTokenAlg, keys.IDToken, claims)
	if err != nil {
		return "", fmt.Errorf("ID token: %w", err)
	}
	return token, nil
}

// halfHash is the left half of the SHA-256 of a token, as at_hash has it for our algorithms: OpenID Connect Core 1.0,
// Section 3.1.3.6.
func halfHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// hint is an ID token that came back to us as a hint of whom a request is about.
type hint struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	SessionID string `json:"sid"`
}

// readHint checks an id_token_hint: that we issued it. It may have expired: it says who was meant, not who is there.
func (h *Handler) readHint(ctx context.Context, token string) (hint, error) {
	var t hint
	if err := h.Keys.VerifyHint(ctx, token, &t); err != nil {
		return hint{}, err
	}
	if t.Issuer != h.Issuer || t.Subject == "" || t.Audience == "" {
		return hint{}, keys.ErrToken
	}
	return t, nil
}
