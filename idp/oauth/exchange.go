package oauth

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"github.com/ory/fosite"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/throttle"
)

// exchange is the token endpoint: RFC 6749, Section 3.2.
func (h *Handler) exchange(w http.ResponseWriter, r *http.Request) error {
	// W3C Fetch Metadata Request Headers, Section 2.4. Services send no such header. Forms on a page elsewhere would fill the
	// limit of a client at the address of everybody who looks at it.
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "none" && site != "same-origin" {
		return invalidRequest("Send the request from a service: pages of other sites cannot use this endpoint.")
	}
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
	ctx, from := r.Context(), h.place(r, form)
	if err := h.Throttle.Check(from); err != nil {
		return err
	}
	answer, err := h.answer(ctx, r)
	if err != nil {
		return cmp.Or(h.failed(ctx, from, err), err)
	}
	h.tokens.WithLabelValues(form.Get("grant_type")).Inc()
	return writeJSON(w, http.StatusOK, answer.ToMap())
}

// mostDecisions bounds how often a request is decided again. By what is remembered it is decided once. Who was overtaken by
// another use finds that out at once; more than once are only those whose person's record changes meanwhile.
const mostDecisions = 4

// answer has fosite decide a request and issue its tokens: anew, when what it had decided on changed before it was done.
func (h *Handler) answer(ctx context.Context, r *http.Request) (answer fosite.AccessResponder, err error) {
	for decision := range mostDecisions {
		var request fosite.AccessRequester
		if request, err = h.fosite.NewAccessRequest(ctx, r, &grant{Recent: decision == 0}); err == nil {
			answer, err = h.fosite.NewAccessResponse(ctx, request)
		}
		if !errors.Is(err, errOvertaken) {
			break
		}
	}
	return answer, err
}

// place is from where a token request comes: an address, and the client that it names. All unknown clients are one.
func (h *Handler) place(r *http.Request, form url.Values) throttle.Subject {
	given, err := presented(r, form)
	id := given.clientID
	if _, known := h.Clients.current.Load().byID[id]; !known || err != nil {
		id = ""
	}
	return throttle.Subject{Limit: throttle.TokenAddress, Address: audit.RequestOf(r.Context()).Address, Client: id}
}

// failed counts a token request that was refused, if it tried what it had no right to; beyond a limit the answer is a
// *throttle.LimitError. Under the client itself count only those that did not prove to be its: it always learns what
// became of a code or refresh token, whatever others try in its name.
func (h *Handler) failed(ctx context.Context, from throttle.Subject, refused error) error {
	switch refusal(refused).ErrorField {
	case "invalid_client":
		return h.Throttle.Failed(ctx, from, throttle.Subject{Limit: throttle.TokenClient, Client: from.Client})
	case "invalid_grant":
		return h.Throttle.Failed(ctx, from)
	}
	return nil
}
