package oauth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/ory/fosite"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/keys"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store"
)

// userinfo is the UserInfo endpoint: OpenID Connect Core 1.0, Section 5.3. The token is checked by its signature, and
// everything that it stands on is read again, so that it works no moment longer than they do.
func (h *Handler) userinfo(w http.ResponseWriter, r *http.Request) error {
	bearer, err := bearerToken(w, r)
	if err != nil {
		return h.challenge(w, err)
	}
	token, c, id, err := h.verifyAccessToken(r, bearer)
	if err != nil {
		return h.challenge(w, err)
	}
	scopes := c.allowed(words(token.Scope))
	if !slices.Contains(scopes, ScopeOpenID) {
		return h.challenge(w, &fosite.RFC6749Error{
			ErrorField: "insufficient_scope", DescriptionField: "The token was not issued with the scope openid.", CodeField: http.StatusForbidden,
		})
	}
	found, err := h.Store.Grant(r.Context(), id, h.Now())
	if errors.Is(err, store.ErrNotFound) {
		return h.challenge(w, invalidToken("The token was revoked."))
	}
	if err != nil {
		return err
	}
	g := &grant{Grant: found.Grant, Person: found.Person, Scopes: scopes}
	if fallen := g.fallen(c, found.Standing); fallen != "" {
		if err := h.recordFallen(r.Context(), g, fallen); err != nil {
			return err
		}
		return h.challenge(w, invalidToken("The access that the token stood for has ended."))
	}
	asked, err := g.asked()
	if err != nil {
		return err
	}
	answer, err := h.askedFor(r.Context(), g, c, asked.UserInfo, h.userInfo(g, c))
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, answer)
}

// userInfo are the claims that go with the scopes of a grant, and the vector of trust where the request asked for vectors.
type userInfo struct {
	Subject string `json:"sub"`
	personClaims
	Vector          string `json:"vot,omitempty"`
	VectorTrustmark string `json:"vtm,omitempty"`
}

func (h *Handler) userInfo(g *grant, c client) userInfo {
	u := userInfo{Subject: g.PersonID, personClaims: g.personClaims(h.Catalogue, c)}
	if g.Demand == nil { // nobody asked for a vector
		return u
	}
	demand := g.demand(c)
	if _, u.Vector = demand.Answer(g.reached()); u.Vector != "" {
		u.VectorTrustmark = h.trustmark(demand.Trustmark)
	}
	return u
}

// recordFallen records that a token was presented which stands no longer; as often as the limit of its client at this
// address says, so that nobody floods the record with one dead token.
func (h *Handler) recordFallen(ctx context.Context, g *grant, fallen string) error {
	place := throttle.Subject{Limit: throttle.TokenAddress, Address: audit.RequestOf(ctx).Address, Client: g.ClientID}
	err := h.Throttle.Failed(ctx, place)
	if _, beyond := errors.AsType[*throttle.LimitError](err); beyond {
		return nil
	}
	if err != nil {
		return err
	}
	return audit.Record(ctx, h.Store, g.entry(audit.UserinfoRead, fallen, h.Now()))
}

// verifyAccessToken checks that a token is an access token of ours that has not expired, for the audience that its client
// has: RFC 9068, Section 4. It returns the client and the id of the grant as well.
func (h *Handler) verifyAccessToken(r *http.Request, bearer string) (authority, client, uuid.UUID, error) {
	var t authority
	err := h.Keys.Verify(r.Context(), bearer, keys.AccessToken, &t)
	if err != nil || t.Issuer != h.Issuer || t.ExpiresAt <= h.Now().Unix() {
		return t, client{}, uuid.Nil, invalidToken("The token is malformed, expired, or not ours.")
	}
	c, ok := h.Clients.find(r.Context(), t.ClientID)
	if !ok || t.Audience != h.audience(c) {
		return t, c, uuid.Nil, invalidToken("The token's client is disabled, or its audience has changed.")
	}
	id, err := t.grantID()
	if err != nil {
		return t, c, uuid.Nil, invalidToken("The token is malformed, expired, or not ours.")
	}
	return t, c, id, nil
}

func invalidToken(description string) error {
	return &fosite.RFC6749Error{ErrorField: "invalid_token", DescriptionField: description, CodeField: http.StatusUnauthorized}
}

// errNoToken says that a request has no token at all, and so gets no error code: RFC 6750, Section 3.1.
var errNoToken = errors.New("no bearer token")

// bearerToken reads the token from the header or, of a form, from the body: RFC 6750, Section 2. Never from the address,
// which ends in logs.
func bearerToken(w http.ResponseWriter, r *http.Request) (string, error) {
	headers := r.Header.Values("Authorization")
	inBody := ""
	if r.Method == http.MethodPost && isForm(r) {
		form, err := body(w, r)
		if err != nil {
			return "", err
		}
		inBody = form.Get("access_token")
	}
	switch {
	case r.URL.Query().Has("access_token"):
		return "", invalidRequest("Send the token in the Authorization header, not in the address.")
	case len(headers) > 1 || (len(headers) == 1 && inBody != ""):
		return "", invalidRequest("The token is there more than once.")
	case inBody != "":
		return inBody, nil
	case len(headers) == 0:
		return "", errNoToken
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", errNoToken
	}
	return token, nil
}

// challenge answers a request whose token will not do: RFC 6750, Section 3.
func (h *Handler) challenge(w http.ResponseWriter, err error) error {
	if errors.Is(err, errNoToken) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="credence"`)
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	sent := refusal(err)
	w.Header().Set("WWW-Authenticate", `Bearer realm="credence", error="`+sent.ErrorField+`", error_description="`+description(sent)+`"`)
	return err
}
