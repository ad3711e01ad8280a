package oauth

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/ory/fosite"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/keys"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store"
)

// Requirement is what a resource of our own asks of an access token.
type Requirement struct {
	Scope         string
	Authenticator func(store.Role) assurance.AuthenticatorLevel // of the sign-in, by the role that she acts in
	MaxAge        time.Duration                                 // since the sign-in
	Event         audit.Event                                   // of the record, when what the token stood on has fallen
}

// Access is what an access token stands for now.
type Access struct {
	Person  store.Person
	Role    store.Role // that she acts in; the zero value is none
	Reached assurance.Reached
	Client  string
	Grant   uuid.UUID

	Authenticator *uuid.UUID // with which she signed in; nil: the sign-in was simulated
}

// BearerError is why a request gets nothing for its access token: RFC 6750, Section 3.1; RFC 9470, Section 3.
type BearerError struct {
	Status      int
	Code        string // "" where there is no token: then nothing is said of what is wrong
	Description string
}

// Error says what is wrong.
func (e *BearerError) Error() string { return "bearer token: " + e.Code + ": " + e.Description }

// Bearer checks the access token of a request to a resource of our own, and reads again all that it stands on: person,
// client, session, authenticator, grant and role. The token has to be for the issuer: a client whose tokens are for another
// resource (`credence client add --audience`) has none for ours, so that the other cannot use here what it is given. A
// *[BearerError] has its WWW-Authenticate in the answer.
func (h *Handler) Bearer(w http.ResponseWriter, r *http.Request, q Requirement) (Access, error) {
	g, c, err := h.present(w, r, q.Event, q.Scope)
	var role store.Role
	if err == nil {
		role, _ = g.role()
	}
	least := q.Authenticator(role)
	var parameters []string
	switch {
	case err != nil:
		parameters = []string{"scope", q.Scope}
	case h.audience(c) != h.Issuer:
		err = invalidToken("The token is for another resource.")
	case g.reached().Authenticator < least || !h.Now().Before(g.AuthenticatedAt.Add(q.MaxAge)):
		err = &fosite.RFC6749Error{
			ErrorField: "insufficient_user_authentication", DescriptionField: "Another sign-in is needed: a stronger or a newer one.", CodeField: http.StatusUnauthorized,
		}
		parameters = []string{"acr_values", least.ACR(), "max_age", strconv.Itoa(int(q.MaxAge.Seconds()))}
	}
	if err == nil {
		return Access{Person: g.Person, Role: role, Reached: g.reached(), Client: c.ID, Grant: g.ID, Authenticator: g.AuthenticatorID}, nil
	}
	err = challenge(w, err, parameters...)
	if errors.Is(err, errNoToken) {
		return Access{}, &BearerError{Status: http.StatusUnauthorized}
	}
	sent := refusal(err)
	if sent.ErrorField == fosite.ErrServerError.ErrorField {
		return Access{}, err
	}
	h.note(r.Context(), "api", sent)
	return Access{}, &BearerError{sent.CodeField, sent.ErrorField, description(sent)}
}

// present finds the grant of the access token that a request presents, which has to be of a scope. Whatever the token stands
// on is read again: its refusal is a *fosite.RFC6749Error or errNoToken, and recorded as the event when the grant has fallen.
func (h *Handler) present(w http.ResponseWriter, r *http.Request, event audit.Event, scope string) (*grant, client, error) {
	bearer, err := bearerToken(w, r)
	if err != nil {
		return nil, client{}, err
	}
	token, c, id, err := h.verifyAccessToken(r, bearer)
	if err != nil {
		return nil, c, err
	}
	scopes := c.allowed(words(token.Scope))
	if !slices.Contains(scopes, scope) {
		return nil, c, &fosite.RFC6749Error{
			ErrorField: "insufficient_scope", DescriptionField: "The token was not issued with the scope " + scope + ".", CodeField: http.StatusForbidden,
		}
	}
	found, err := h.Store.Grant(r.Context(), id, h.Now())
	if errors.Is(err, store.ErrNotFound) {
		return nil, c, invalidToken("The token was revoked.")
	}
	if err != nil {
		return nil, c, err
	}
	g := &grant{Grant: found.Grant, Person: found.Person, Scopes: scopes}
	if fallen := g.fallen(c, found.Standing); fallen != "" {
		if err := h.recordFallen(r.Context(), g, event, fallen); err != nil {
			return nil, c, err
		}
		return nil, c, invalidToken("The access that the token stood for has ended.")
	}
	return g, c, nil
}

// recordFallen records that a token was presented which stands no longer; as often as the limit of its client at this
// address says, so that nobody floods the record with one dead token.
func (h *Handler) recordFallen(ctx context.Context, g *grant, event audit.Event, fallen string) error {
	place := throttle.Subject{Limit: throttle.TokenAddress, Address: audit.RequestOf(ctx).Address, Client: g.ClientID}
	err := h.Throttle.Failed(ctx, place)
	if _, beyond := errors.AsType[*throttle.LimitError](err); beyond {
		return nil
	}
	if err != nil {
		return err
	}
	return audit.Record(ctx, h.Store, g.entry(event, fallen, h.Now()))
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

// challenge answers a request whose token will not do, or that has none: RFC 6750, Section 3. Parameters are pairs of a name and
// its value. What is our fault challenges nobody.
func challenge(w http.ResponseWriter, err error, parameters ...string) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, errNoToken) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="credence"`)
		return err
	}
	sent := refusal(err)
	if sent.ErrorField == fosite.ErrServerError.ErrorField {
		return err
	}
	parts := []string{`Bearer realm="credence"`, `error="` + sent.ErrorField + `"`, `error_description="` + description(sent) + `"`}
	for i := 0; i+1 < len(parameters); i += 2 {
		parts = append(parts, parameters[i]+`="`+parameters[i+1]+`"`)
	}
	w.Header().Set("WWW-Authenticate", strings.Join(parts, ", "))
	return err
}
