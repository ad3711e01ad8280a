package oauth

import (
	"context"
	"net/http"
	"net/url"

	"github.com/ory/fosite"

	"github.com/credence-id/credence/idp/audit"
)

// authenticateClient is how a client authenticates: RFC 6749, Section 2.3. A client authenticates in the one way that
// it registered, and no other.
func (h *Handler) authenticateClient(ctx context.Context, r *http.Request, form url.Values) (fosite.Client, error) {
	id, secret, method, err := presented(r, form)
	if err != nil {
		return nil, err
	}
	c, ok := h.Clients.find(ctx, id)
	audit.RequestOf(ctx).Refusal.Client = c.ID
	match := c.hasSecret(secret, h.Now())
	switch {
	case !ok || c.Authentication != method:
		return nil, errInvalidClient()
	case method != AuthNone && !match:
		return nil, errInvalidClient()
	}
	return c, nil
}

// presented reads with what a client authenticates, and how. RFC 6749, Section 2.3: "The client MUST NOT use more than
// one authentication method in each request."
func presented(r *http.Request, form url.Values) (id, secret, method string, err error) {
	headers := r.Header.Values("Authorization")
	switch {
	case len(headers) > 1:
		return "", "", "", invalidRequest("There is more than one Authorization header.")
	case form.Has("client_assertion") || form.Has("client_assertion_type"):
		return "", "", "", errInvalidClient()
	case len(headers) == 0 && form.Has("client_secret"):
		return form.Get("client_id"), form.Get("client_secret"), AuthPost, nil
	case len(headers) == 0:
		return form.Get("client_id"), "", AuthNone, nil
	case form.Has("client_secret"):
		return "", "", "", invalidRequest("The client authenticates in two ways at once.")
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		return "", "", "", errInvalidClient()
	}
	// RFC 6749, Section 2.3.1: both are encoded with application/x-www-form-urlencoded first.
	id, errID := url.QueryUnescape(user)
	secret, errSecret := url.QueryUnescape(password)
	if errID != nil || errSecret != nil {
		return "", "", "", errInvalidClient()
	}
	if form.Has("client_id") && form.Get("client_id") != id {
		return "", "", "", invalidRequest("The body and the Authorization header name different clients.")
	}
	return id, secret, AuthBasic, nil
}
