package oauth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/url"
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

// codeIssuer is the authorization endpoint's half of the authorization code grant, with PKCE (RFC 7636) and OpenID Connect as
// one: what they share is one row.
type codeIssuer struct{ *Handler }

var _ fosite.AuthorizeEndpointHandler = codeIssuer{}

// HandleAuthorizeEndpointRequest implements fosite.AuthorizeEndpointHandler: it records the grant and issues its code.
func (h codeIssuer) HandleAuthorizeEndpointRequest(ctx context.Context, ar fosite.AuthorizeRequester, resp fosite.AuthorizeResponder) error {
	g, ok := ar.GetSession().(*grant)
	if !ok || !ar.GetResponseTypes().ExactOne("code") {
		return nil
	}
	tx, code := txOf(ctx), randomToken()
	expiresAt := g.CreatedAt.Add(codeLife)
	if g.ExpiresAt.Before(expiresAt) { // it never outlives the grant
		expiresAt = g.ExpiresAt
	}
	if err := audit.Record(ctx, tx, g.entry(audit.CodeIssued, "", g.CreatedAt)); err != nil { // first: it travels with the line of a sign-in
		return err
	}
	if err := tx.AddGrant(ctx, g.Grant, hash(code), expiresAt); err != nil {
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

// tokenGrant is a grant of the token endpoint: tokens for what a client can use once, a code or a refresh token. Using it is
// the last thing that is done, in one statement with all that is recorded of the tokens, when they are signed and before
// they are sent. What was read or remembered at the beginning, and decided on, is part of the condition of that statement. So what is
// issued stands on nothing that had ended before it was issued, nothing is locked while keys sign, and of concurrent
// uses one gets tokens; those that were signed for the others are thrown away.
type tokenGrant struct {
	*Handler
	grantType string
	parameter string // of the request: it has what is used
	span      string
	find      func(ctx context.Context, hash []byte, clientID string, now time.Time) (store.StandingGrant, error)
	exchange  func(ctx context.Context, x store.Exchange) error
	use       func(tx *store.Tx, ctx context.Context, hash []byte, now time.Time) error                                 // for nothing
	revoke    func(tx *store.Tx, ctx context.Context, hash []byte, clientID string, now time.Time) (store.Grant, error) // of what was used before
	check     func(form url.Values, g *grant) error                                                                     // what the request says against what was granted
}

var _ fosite.TokenEndpointHandler = tokenGrant{}

// codeGrant is the token endpoint's half of the authorization code grant. RFC 6749, Section 4.1.2: "If an authorization code
// is used more than once, the authorization server MUST deny the request and SHOULD revoke (when possible) all tokens
// previously issued based on that authorization code."
func (h *Handler) codeGrant() tokenGrant {
	return tokenGrant{
		h, grantAuthorizationCode, "code", "oauth.UseCode",
		h.Store.Code, h.Store.ExchangeCode, (*store.Tx).UseCode, (*store.Tx).RevokeGrantOfCode, checkCode,
	}
}

// refreshGrant is the refresh token grant with rotation: RFC 9700, Section 4.14.2. A refresh token is used once; a
// second use shows that it was stolen, by whomever, and ends the grant. There is no grace period: of two uses at the same
// moment one is the thief's.
func (h *Handler) refreshGrant() tokenGrant {
	return tokenGrant{
		h, grantRefreshToken, "refresh_token", "oauth.UseRefreshToken",
		h.Store.RefreshToken, h.Store.ExchangeRefreshToken, (*store.Tx).UseRefreshToken, (*store.Tx).RevokeGrantOfRefreshToken, checkScope,
	}
}

// CanHandleTokenEndpointRequest implements fosite.TokenEndpointHandler.
func (h tokenGrant) CanHandleTokenEndpointRequest(_ context.Context, r fosite.AccessRequester) bool {
	return r.GetGrantTypes().ExactOne(h.grantType)
}

// CanSkipClientAuth implements fosite.TokenEndpointHandler.
func (h tokenGrant) CanSkipClientAuth(context.Context, fosite.AccessRequester) bool { return false }

// HandleTokenEndpointRequest implements fosite.TokenEndpointHandler: it decides whether the client gets tokens. When it does
// not, for what it presents or for what that stands on, what it presents is spent, so nobody can try again with
// another verifier.
func (h tokenGrant) HandleTokenEndpointRequest(ctx context.Context, r fosite.AccessRequester) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	ctx, span := trace.Start(ctx, h.span)
	defer span.End()
	c, ok := r.GetClient().(client)
	if !ok {
		return fosite.ErrServerError
	}
	presented := r.GetRequestForm().Get(h.parameter)
	if presented == "" {
		return invalidRequest("The parameter " + h.parameter + " is missing.")
	}
	digest := hash(presented)
	found, recent, err := h.look(ctx, r, c, digest)
	if errors.Is(err, store.ErrNotFound) {
		return h.refuseUnusable(ctx, c, digest)
	}
	if err != nil {
		return err
	}
	// What the client may no longer ask for it gets no longer.
	g := &grant{Grant: found.Grant, Person: found.Person, Scopes: c.allowed(found.Scopes), Version: found.Version, Recent: recent}
	r.SetSession(g)
	err = stand(g, c, found.Standing)
	if err == nil {
		err = h.check(r.GetRequestForm(), g)
	}
	if err != nil && recent {
		return errOvertaken
	}
	if answer, ok := errors.AsType[fatal](err); ok {
		return h.refuse(ctx, g, c, digest, answer)
	}
	return err
}

// look finds the grant of what is presented: by what this replica remembers, if the request may be decided by that, or else
// in the database. A client that has just been sent a code presents it in its next request, which so is one round trip.
func (h tokenGrant) look(ctx context.Context, r fosite.AccessRequester, c client, digest []byte) (found store.StandingGrant, recent bool, err error) {
	now := h.Now()
	if g, ok := r.GetSession().(*grant); ok && g.Recent {
		if found, recent = h.Store.RecentGrant(digest, now); recent && found.ClientID == c.ID && now.Before(found.ExpiresAt) {
			return found, true, nil
		}
	}
	found, err = h.find(ctx, digest, c.ID, now)
	return found, false, err
}

// PopulateTokenEndpointResponse implements fosite.TokenEndpointHandler.
func (h tokenGrant) PopulateTokenEndpointResponse(ctx context.Context, r fosite.AccessRequester, resp fosite.AccessResponder) error {
	if !h.CanHandleTokenEndpointRequest(ctx, r) {
		return fosite.ErrUnknownRequest
	}
	g, okGrant := r.GetSession().(*grant)
	c, okClient := r.GetClient().(client)
	if !okGrant || !okClient {
		return fosite.ErrServerError
	}
	return h.issue(ctx, g, c, hash(r.GetRequestForm().Get(h.parameter)), resp)
}

// fatal is a refusal after which what was presented is spent, and its grant revoked.
type fatal struct {
	error

	why string // in the record
}

func (f fatal) Unwrap() error { return f.error }

// stand says whether a grant, just read, still stands, and has what its client now asks for.
func stand(g *grant, c client, s store.Standing) error {
	switch fallen := g.fallen(c, s); fallen {
	case "":
		return nil
	case "client_disabled":
		return fatal{errInvalidClient(), fallen}
	case "role_ended":
		return fatal{invalidGrant("The role that was chosen has ended."), fallen}
	case "role_required":
		return fatal{invalidGrant("The client lets in only people who act in a role."), fallen}
	case "levels_unmet":
		return fatal{invalidGrant("The levels that the request or the client needs are not reached any more."), fallen}
	default:
		return fatal{invalidGrant("The person's access, session or authenticator has ended."), fallen}
	}
}

// checkCode checks a request against the authorization request of its code.
func checkCode(form url.Values, g *grant) error {
	switch {
	case form.Get("redirect_uri") != g.RedirectURI: // RFC 6749, Section 4.1.3: "their values MUST be identical"
		return fatal{invalidGrant("The redirect_uri is not the one of the authorization request."), "redirect_uri_differs"}
	case !verifies(form.Get("code_verifier"), g.CodeChallenge):
		return fatal{invalidGrant("The code_verifier is missing, or not the one of the code_challenge."), "code_verifier_wrong"}
	}
	return nil
}

var codeVerifier = regexp.MustCompile(`^[A-Za-z0-9._~-]+$`) // RFC 7636, Section 4.1: 43 to 128 of them

// verifies says whether a verifier is the one of an S256 challenge: RFC 7636, Section 4.6.
func verifies(verifier, challenge string) bool {
	sum := sha256.Sum256([]byte(verifier))
	return len(verifier) >= 43 && len(verifier) <= 128 && codeVerifier.MatchString(verifier) &&
		subtle.ConstantTimeCompare([]byte(base64.RawURLEncoding.EncodeToString(sum[:])), []byte(challenge)) == 1
}

// checkScope narrows a request to the scope that it asks for. RFC 6749, Section 6: "The requested scope MUST NOT include any
// scope not originally granted". That mistake costs the client nothing.
func checkScope(form url.Values, g *grant) error {
	if !form.Has("scope") {
		return nil
	}
	asked := scopeSet(form.Get("scope"))
	if len(asked) == 0 || slices.ContainsFunc(asked, func(s string) bool { return !slices.Contains(g.Grant.Scopes, s) }) {
		return fosite.ErrInvalidScope.WithDescription("The scope goes beyond what was granted.")
	}
	g.Scopes = slices.DeleteFunc(asked, func(s string) bool { return !slices.Contains(g.Scopes, s) })
	return nil
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
	case !g.demand(c).Satisfied(g.reached()):
		return "levels_unmet"
	}
	return ""
}

// errOvertaken says that what was decided on has changed since it was read, or might have since it was remembered: it must
// be read and decided again.
var errOvertaken = errors.New("what was presented changed while it was looked at")

// refuse spends a real code or refresh token, revokes its grant and records why. What the refusal did stays done.
func (h tokenGrant) refuse(ctx context.Context, g *grant, c client, digest []byte, answer fatal) error {
	now := h.Now()
	err := h.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := c.use(ctx, tx); err != nil {
			return err
		}
		if err := h.use(tx, ctx, digest, now); err != nil {
			return err
		}
		return errors.Join(tx.RevokeGrant(ctx, g.ID, now), audit.Record(ctx, tx, g.entry(audit.TokenIssued, answer.why, now)))
	})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return errOvertaken
	case err != nil:
		return replayed(err)
	}
	return answer.error
}

// refuseUnusable refuses a code or refresh token that cannot be used. One that was used before ends its grant; of one that
// is no such thing, only who presented it is recorded, and only if that client authenticated.
func (h tokenGrant) refuseUnusable(ctx context.Context, c client, digest []byte) error {
	now := h.Now()
	err := h.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := c.use(ctx, tx); err != nil {
			return err
		}
		reused, err := h.revoke(tx, ctx, digest, c.ID, now)
		entry := (&grant{Grant: reused}).entry(audit.TokenIssued, h.parameter+"_reused", now)
		switch {
		case errors.Is(err, store.ErrNotFound) && c.IsPublic():
			return nil
		case errors.Is(err, store.ErrNotFound):
			entry = audit.Entry{At: now, Event: audit.TokenIssued, Refusal: h.parameter + "_unknown", Client: c.ID}
		case err != nil:
			return err
		}
		return audit.Record(ctx, tx, entry)
	})
	if err != nil {
		return replayed(err)
	}
	return invalidGrant("The " + h.parameter + " is unknown, expired, used already, or another client's.")
}

// issue signs the tokens of a grant, and then spends what they are for. What keeps a remembered grant from being signed for
// may be that it stands no more.
func (h tokenGrant) issue(ctx context.Context, g *grant, c client, digest []byte, resp fosite.AccessResponder) error {
	ctx, span := trace.Start(ctx, "oauth.IssueTokens")
	defer span.End()
	now := h.Now()
	switch err := h.sign(ctx, g, c, now, resp); {
	case err != nil && g.Recent:
		return errOvertaken
	case err != nil:
		return err
	}
	x := store.Exchange{Grant: g.Grant, Hash: digest, Version: g.Version, Proof: c.proof}
	if slices.Contains(c.allowed(g.Grant.Scopes), ScopeOfflineAccess) {
		refresh := randomToken()
		x.Next = hash(refresh)
		resp.SetExtra("refresh_token", refresh)
	}
	entry := g.entry(audit.TokenIssued, "", now)
	if entry.Detail == nil {
		entry.Detail = map[string]string{}
	}
	entry.Detail["grant_type"] = h.grantType
	entry.Detail["authenticator_level"] = strconv.Itoa(g.AuthenticatorLevel)
	err := audit.Record(ctx, within(func(e store.AuditEvent) error {
		x.Event = e
		return h.exchange(ctx, x)
	}), entry)
	if errors.Is(err, store.ErrNotFound) {
		return errOvertaken
	}
	return replayed(err)
}

// sign puts the signed tokens of a grant into the response.
func (h tokenGrant) sign(ctx context.Context, g *grant, c client, now time.Time, resp fosite.AccessResponder) error {
	token, life, err := h.signAccessToken(g, c, now)
	if err != nil {
		return err
	}
	resp.SetAccessToken(token)
	resp.SetTokenType("Bearer")
	resp.SetExpiresIn(life)
	resp.SetScopes(g.Scopes)
	if !slices.Contains(g.Scopes, ScopeOpenID) {
		return nil
	}
	nonce := g.Nonce
	if h.grantType == grantRefreshToken {
		nonce = ""
	}
	signed, err := h.signIDToken(ctx, g, c, nonce, token, now)
	if err != nil {
		return err
	}
	resp.SetExtra("id_token", signed)
	return nil
}

// within records an event within a statement that does more.
type within func(e store.AuditEvent) error

// AddAuditEvent is what audit.Record calls.
func (f within) AddAuditEvent(_ context.Context, e store.AuditEvent) error { return f(e) }

// newGrantID makes the id of a grant, ordered by time so that the index stays small at its end.
func newGrantID() uuid.UUID { return uuid.Must(uuid.NewV7()) }
