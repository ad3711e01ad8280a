package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/trace"
	"github.com/credence-id/credence/store"
)

// The grant types: RFC 6749, Sections 4.1 and 6.
const (
	grantAuthorizationCode = "authorization_code"
	grantRefreshToken      = "refresh_token"
)

func grantTypes() []string { return []string{grantAuthorizationCode, grantRefreshToken} }

// codeGrant is the authorization code grant with PKCE (RFC 7636) and OpenID Connect as one: what they share is one row,
// and using it is one statement.
type codeGrant struct{ *Handler }

var (
	_ fosite.AuthorizeEndpointHandler = codeGrant{}
	_ fosite.TokenEndpointHandler     = codeGrant{}
)

// HandleAuthorizeEndpointRequest implements fosite.AuthorizeEndpointHandler: it records the grant and issues its code.
func (h codeGrant) HandleAuthorizeEndpointRequest(ctx context.Context, ar fosite.AuthorizeRequester, resp fosite.AuthorizeResponder) error {
	g, ok := ar.GetSession().(*grant)
	if !ok || !ar.GetResponseTypes().ExactOne("code") {
		return nil
	}
	tx, code := txOf(ctx), randomToken()
	expiresAt := g.CreatedAt.Add(codeLife)
	if g.ExpiresAt.Before(expiresAt) { // it never outlives the grant
		expiresAt = g.ExpiresAt
	}
	if err := tx.AddGrant(ctx, g.Grant, hash(code), expiresAt); err != nil {
		return err
	}
	if err := audit.Record(ctx, tx, g.entry(audit.CodeIssued, "", g.CreatedAt)); err != nil {
		return err
	}
	resp.AddParameter("code", code)
	ar.SetResponseTypeHandled("code")
	return nil
}

// entry is a line of the record about a grant.
func (g *grant) entry(event audit.Event, refusal string, now time.Time) audit.Entry {
	e := audit.Entry{At: now, Event: event, Refusal: refusal, Person: g.PersonID, Client: g.ClientID, Session: g.SessionID, Grant: g.ID}
	if event != audit.CodeIssued {
		e.Actor = g.ClientID
	}
	if g.RoleID != nil {
		e.Detail = map[string]string{"role": *g.RoleID}
	}
	return e
}

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (h codeGrant) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(grantAuthorizationCode)
}

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (h codeGrant) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler: it spends the code. Whatever is wrong after that,
// the code stays spent, so nobody can try again with another verifier.
func (h codeGrant) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	ctx, span := trace.Start(ctx, "oauth.UseCode")
	defer span.End()
	form, clientID, now := r.GetRequestForm(), r.GetClient().GetID(), h.Now()
	code := form.Get("code")
	if code == "" {
		return invalidRequest("The parameter code is missing.")
	}
	found, err := txOf(ctx).UseCode(ctx, hash(code), clientID, now)
	if errors.Is(err, store.ErrNotFound) {
		return h.refuseUnusable(ctx, r, "code", func() (store.Grant, error) {
			// RFC 6749, Section 4.1.2: "If an authorization code is used more than once, the authorization server MUST deny
			// the request and SHOULD revoke (when possible) all tokens previously issued based on that authorization code."
			return txOf(ctx).RevokeGrantOfCode(ctx, hash(code), clientID, now)
		})
	}
	if err != nil {
		return err
	}
	g, err := h.stand(ctx, r, found)
	if err != nil {
		return err
	}
	switch {
	case form.Get("redirect_uri") != g.RedirectURI: // RFC 6749, Section 4.1.3: "their values MUST be identical"
		return h.refuse(ctx, g, "redirect_uri_differs", invalidGrant("The redirect_uri is not the one of the authorization request."))
	case !verifies(form.Get("code_verifier"), g.CodeChallenge):
		return h.refuse(ctx, g, "code_verifier_wrong", invalidGrant("The code_verifier is missing, or not the one of the code_challenge."))
	}
	return nil
}

var codeVerifier = regexp.MustCompile(`^[A-Za-z0-9._~-]{43,128}$`) // RFC 7636, Section 4.1

// verifies says whether a verifier is the one of an S256 challenge: RFC 7636, Section 4.6.
func verifies(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return codeVerifier.MatchString(verifier) &&
		subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler.
func (h codeGrant) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	g, ok := r.GetSession().(*grant)
	if !ok {
		return fosite.ErrServerError
	}
	return h.issue(ctx, r, resp, g.Nonce)
}

// refreshGrant is the refresh token grant with rotation: RFC 9700, Section 4.14.2. A refresh token is used once; a
// second use shows that it was stolen, by whomever, and ends the grant. There is no grace period: of two uses at the same
// moment one is the thief's.
type refreshGrant struct{ *Handler }

var _ fosite.TokenEndpointHandler = refreshGrant{}

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (h refreshGrant) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(grantRefreshToken)
}

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (h refreshGrant) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler: it spends the refresh token.
func (h refreshGrant) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	ctx, span := trace.Start(ctx, "oauth.UseRefreshToken")
	defer span.End()
	form, clientID, now := r.GetRequestForm(), r.GetClient().GetID(), h.Now()
	token := form.Get("refresh_token")
	if token == "" {
		return invalidRequest("The parameter refresh_token is missing.")
	}
	found, err := txOf(ctx).UseRefreshToken(ctx, hash(token), clientID, now)
	if errors.Is(err, store.ErrNotFound) {
		return h.refuseUnusable(ctx, r, "refresh_token", func() (store.Grant, error) {
			return txOf(ctx).RevokeGrantOfRefreshToken(ctx, hash(token), clientID, now)
		})
	}
	if err != nil {
		return err
	}
	g, err := h.stand(ctx, r, found)
	if err != nil {
		return err
	}
	if form.Has("scope") {
		// RFC 6749, Section 6: "The requested scope MUST NOT include any scope not originally granted".
		asked := scopeSet(form.Get("scope"))
		if len(asked) == 0 || slices.ContainsFunc(asked, func(s string) bool { return !slices.Contains(g.Grant.Scopes, s) }) {
			return unspent{fosite.ErrInvalidScope.WithDescription("The scope goes beyond what was granted.")}
		}
		g.Scopes = slices.DeleteFunc(asked, func(s string) bool { return !slices.Contains(g.Scopes, s) })
	}
	return nil
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler.
func (h refreshGrant) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	return h.issue(ctx, r, resp, "")
}

// unspent is a refusal that takes back what the request did: a mistake of the client's, which costs it nothing.
type unspent struct{ error }

func (u unspent) Unwrap() error { return u.error }

// refuse records why a real code or refresh token was refused and revokes its grant. What the refusal did stays done.
func (h *Handler) refuse(ctx context.Context, g *grant, why string, answer error) error {
	tx, now := txOf(ctx), h.Now()
	if err := errors.Join(tx.RevokeGrant(ctx, g.ID, now), audit.Record(ctx, tx, g.entry(audit.TokenIssued, why, now))); err != nil {
		return err
	}
	return answer
}

// fallen names what a grant stood on and stands no longer, or what its client now asks for and it lacks; "" when it stands.
func (g *grant) fallen(c client, s store.Standing) string {
	fallen := s.Fallen()
	switch {
	case fallen != "":
		return fallen
	case !s.RoleStands:
		return "role_ended"
	case c.RequiresRole && g.RoleID == nil:
		return "role_required"
	}
	return ""
}

// stand checks that a grant, just read, still stands, and notes it on the request: its tokens will rest on it. What the
// client may no longer ask for it gets no longer.
func (h *Handler) stand(ctx context.Context, r fosite.AccessRequester, found store.StandingGrant) (*grant, error) {
	c, ok := r.GetClient().(client)
	if !ok {
		return nil, fosite.ErrServerError
	}
	g := &grant{Grant: found.Grant, Person: found.Person, Scopes: c.allowed(found.Scopes)}
	r.SetSession(g)
	switch fallen := g.fallen(c, found.Standing); fallen {
	case "":
		return g, nil
	case "client_disabled":
		return nil, h.refuse(ctx, g, fallen, errInvalidClient())
	case "role_ended":
		return nil, h.refuse(ctx, g, fallen, invalidGrant("The role that was chosen has ended."))
	case "role_required":
		return nil, h.refuse(ctx, g, fallen, invalidGrant("The client lets in only people who act in a role."))
	default:
		return nil, h.refuse(ctx, g, fallen, invalidGrant("The person's access, session or authenticator has ended."))
	}
}

// refuseUnusable refuses a code or refresh token that cannot be used. One that was used before ends its grant; of one that
// is no such thing, only who presented it is recorded, and only if that client authenticated.
func (h *Handler) refuseUnusable(ctx context.Context, r fosite.AccessRequester, kind string, revoke func() (store.Grant, error)) error {
	answer := invalidGrant("The " + kind + " is unknown, expired, used already, or another client's.")
	reused, err := revoke()
	entry := (&grant{Grant: reused}).entry(audit.TokenIssued, kind+"_reused", h.Now())
	switch {
	case errors.Is(err, store.ErrNotFound) && r.GetClient().IsPublic():
		return answer
	case errors.Is(err, store.ErrNotFound):
		entry = audit.Entry{At: h.Now(), Event: audit.TokenIssued, Refusal: kind + "_unknown", Client: r.GetClient().GetID()}
	case err != nil:
		return err
	}
	if err := audit.Record(ctx, txOf(ctx), entry); err != nil {
		return err
	}
	return answer
}

// issue signs the tokens of a grant, and records them with the statements that travel with the commit: if that does not
// arrive, no token was issued and none is sent.
func (h *Handler) issue(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder, nonce string) error {
	ctx, span := trace.Start(ctx, "oauth.IssueTokens")
	defer span.End()
	g, okGrant := r.GetSession().(*grant)
	c, okClient := r.GetClient().(client)
	if !okGrant || !okClient {
		return fosite.ErrServerError
	}
	tx, now := txOf(ctx), h.Now()
	token, life, err := h.signAccessToken(g, c, now)
	if err != nil {
		return err
	}
	resp.SetAccessToken(token)
	resp.SetTokenType("Bearer")
	resp.SetExpiresIn(life)
	resp.SetScopes(g.Scopes)
	if slices.Contains(g.Scopes, ScopeOpenID) {
		signed, err := h.signIDToken(g, c, nonce, token, now)
		if err != nil {
			return err
		}
		resp.SetExtra("id_token", signed)
	}
	if slices.Contains(c.allowed(g.Grant.Scopes), ScopeOfflineAccess) {
		refresh := randomToken()
		if err := tx.AddRefreshToken(ctx, hash(refresh), g.ID, now); err != nil {
			return err
		}
		resp.SetExtra("refresh_token", refresh)
	}
	entry := g.entry(audit.TokenIssued, "", now)
	if entry.Detail == nil {
		entry.Detail = map[string]string{}
	}
	entry.Detail["grant_type"] = r.GetRequestForm().Get("grant_type")
	entry.Detail["authenticator_level"] = strconv.Itoa(g.AuthenticatorLevel)
	return audit.Record(ctx, tx, entry)
}

// newGrantID makes the id of a grant, ordered by time so that the index stays small at its end.
func newGrantID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
