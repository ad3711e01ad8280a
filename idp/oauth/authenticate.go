package oauth

import (
	"context"
	"net/http"
	"net/url"

	"github.com/ory/fosite"

	"github.com/credence-id/credence/idp/assertion"
	"github.com/credence-id/credence/idp/audit"
)

// authenticateClient is how a client authenticates: RFC 6749, Section 2.3. A client authenticates in the one way that
// it registered, and no other.
func (h *Handler) authenticateClient(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
	given, err := presented(r, form)
	if err != nil {
		return nil, err
	}
	c, ok := h.Clients.find(ctx, given.clientID)
	audit.RequestOf(ctx).Refusal.Client = c.ID
	match := c.hasSecret(given.secret, h.Now())
	switch {
	case !ok || c.Authentication != given.method:
		return nil, errInvalidClient()
	case HasSecret(given.method) && !match:
		return nil, errInvalidClient()
	case given.method == AuthPrivateKeyJWT:
		if c.proof, err = h.asserted(ctx, c, given.assertion); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// credentials are with what a client authenticates, and how.
type credentials struct {
	method, clientID string
	secret           string
	assertion        assertion.Presented
}

// presented reads with what a client authenticates. RFC 6749, Section 2.3: "The client MUST NOT use more than one
// authentication method in each request."
func presented(r *http.Request, form url.Values) (credentials, error) {
	headers := r.Header.Values("Authorization")
	switch {
	case len(headers) > 1:
		return credentials{}, invalidRequest("There is more than one Authorization header.")
	case form.Has("client_assertion") || form.Has("client_assertion_type"):
		return presentedAssertion(form, len(headers) > 0 || form.Has("client_secret"))
	case len(headers) == 0 && form.Has("client_secret"):
		return credentials{method: AuthPost, clientID: form.Get("client_id"), secret: form.Get("client_secret")}, nil
	case len(headers) == 0:
		return credentials{method: AuthNone, clientID: form.Get("client_id")}, nil
	case form.Has("client_secret"):
		return credentials{}, invalidRequest("The client authenticates in two ways at once.")
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		return credentials{}, errInvalidClient()
	}
	// RFC 6749, Section 2.3.1: both are encoded with application/x-www-form-urlencoded first.
	id, errID := url.QueryUnescape(user)
	secret, errSecret := url.QueryUnescape(password)
	if errID != nil || errSecret != nil {
		return credentials{}, errInvalidClient()
	}
	if form.Has("client_id") && form.Get("client_id") != id {
		return credentials{}, invalidRequest("The body and the Authorization header name different clients.")
	}
	return credentials{method: AuthBasic, clientID: id, secret: secret}, nil
}

// presentedAssertion reads an assertion: RFC 7521, Section 4.2. "The client MUST NOT use more than one authentication method"
// beside it, and a client_id, which is "unnecessary for client assertion authentication", "MUST identify the same client".
func presentedAssertion(form url.Values, another bool) (credentials, error) {
	if another || form.Get("client_assertion_type") != assertion.Type {
		return credentials{}, &assertion.RefusedError{Why: assertion.Malformed}
	}
	p, err := assertion.Parse(form.Get("client_assertion"))
	if err != nil {
		return credentials{}, err
	}
	if form.Has("client_id") && form.Get("client_id") != p.ClientID {
		return credentials{}, &assertion.RefusedError{Why: assertion.WrongSubject}
	}
	return credentials{method: AuthPrivateKeyJWT, clientID: p.ClientID, assertion: p}, nil
}
