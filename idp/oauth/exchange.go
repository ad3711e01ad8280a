package oauth

import (
	"errors"
	"net/http"
	"slices"

	"github.com/ory/fosite"

	"github.com/credence-id/credence/store"
)

// exchange is the token endpoint: RFC 6749, Section 3.2. One request is one transaction. Refusals commit, because what a
// refusal did (a spent code, a revoked grant, a line of the record) must last; failures roll back.
func (h *Handler) exchange(w http.ResponseWriter, r *http.Request) error {
	if r.URL.RawQuery != "" { // RFC 6749, Section 2.3.1: the parameters "MUST NOT be included in the request URI"
		return invalidRequest("Send the parameters in the body, none in the address.")
	}
	form, err := body(w, r)
	if err != nil {
		return err
	}
	switch grantType := form.Get("grant_type"); {
	case grantType == "":
		return invalidRequest("The parameter grant_type is missing.")
	case !slices.Contains(grantTypes(), grantType):
		return fosite.ErrUnsupportedGrantType.WithDescription("The grant_type must be authorization_code or refresh_token.")
	}
	var answer fosite.AccessResponder
	var refused error
	ctx := r.Context()
	err = h.Store.InTx(ctx, func(tx *store.Tx) error {
		ctx := withTx(ctx, tx)
		request, err := h.fosite.NewAccessRequest(ctx, r, &grant{})
		if err == nil {
			answer, err = h.fosite.NewAccessResponse(ctx, request)
		}
		if _, ok := errors.AsType[unspent](err); !ok && err != nil && refusal(err).ErrorField != "server_error" {
			refused = err
			return nil
		}
		return err
	})
	if err != nil { // not refused as well: what the refusal did was rolled back
		return err
	}
	if refused != nil {
		return refused
	}
	h.tokens.WithLabelValues(form.Get("grant_type")).Inc()
	return writeJSON(w, http.StatusOK, answer.ToMap())
}
