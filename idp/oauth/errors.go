package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/ory/fosite"

	"github.com/credence-id/credence/idp/assertion"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/idp/trace"
)

// refusal maps an error to the one that is sent: RFC 6749, Sections 4.1.2.1 and 5.2. What is not a protocol error is our
// fault, and says nothing.
func refusal(err error) *fosite.RFC6749Error {
	if beyond, ok := errors.AsType[*throttle.LimitError](err); ok {
		// RFC 6749, Section 5.2 has no code for this. Of those that are registered, RFC 9126, Section 2.3 has an endpoint that
		// answers in this form use the ones of Section 4.1.2.1 as well, beside status 429, and there is one that says to come
		// back: a client that was told invalid_grant would throw away what is good.
		check := "its secret"
		if beyond.Limit == throttle.TokenAddress { // which counts what a client holds as well
			check = "its id, its secret and its refresh tokens"
		}
		return &fosite.RFC6749Error{
			ErrorField: "temporarily_unavailable", CodeField: http.StatusTooManyRequests,
			DescriptionField: "Too many requests of this client failed here: check " + check + ". Wait as long as Retry-After says.",
		}
	}
	// RFC 7521, Section 4.2.1: "The authorization server MUST set the value of the "error" parameter to "invalid_client"". Why is for
	// the log alone.
	if _, disproved := errors.AsType[*assertion.RefusedError](err); disproved {
		err = errInvalidClient()
	}
	known, ok := errors.AsType[*fosite.RFC6749Error](err)
	if !ok || !slices.Contains(registeredErrors(), known.ErrorField) {
		return fosite.ErrServerError
	}
	return known
}

// registeredErrors lists the error codes that we send. Each is in the IANA registry of OAuth extensions errors.
func registeredErrors() []string {
	return []string{
		"invalid_request", "unauthorized_client", "access_denied", "unsupported_response_type", "invalid_scope", "server_error",
		"temporarily_unavailable", "invalid_client", "invalid_grant", "unsupported_grant_type", "invalid_token", "insufficient_scope",
		"login_required", "interaction_required", "request_not_supported", "request_uri_not_supported", "registration_not_supported",
		"unmet_authentication_requirements", "insufficient_user_authentication",
	}
}

// description is the error_description: printable ASCII without quotation mark and backslash (RFC 6749, Section 5.2). Their
// words are ours; the filter and the cut hold whatever happens to them.
func description(e *fosite.RFC6749Error) string {
	text := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return -1
		}
		return r
	}, e.DescriptionField)
	if len(text) > maxDescription {
		return text[:maxDescription-len(cut)] + cut
	}
	return text
}

const (
	maxDescription = 300
	cut            = "..."
)

func invalidRequest(description string) error {
	return fosite.ErrInvalidRequest.WithDescription(description)
}

func invalidGrant(description string) error {
	return fosite.ErrInvalidGrant.WithDescription(description)
}

// errInvalidClient is one answer for every way to fail, so that none is told from another.
func errInvalidClient() error {
	return fosite.ErrInvalidClient.WithDescription("Client authentication failed: check the client id, the secret or the assertion, and that the client uses the authentication method that it registered.")
}

// note counts a refusal, and has the log event of the request say it.
func (h *Handler) note(ctx context.Context, endpoint string, sent *fosite.RFC6749Error) {
	h.refusals.WithLabelValues(endpoint, sent.ErrorField).Inc()
	trace.Refuse(ctx, sent.ErrorField)
	noted := audit.RequestOf(ctx).Refusal
	noted.Error, noted.Description = sent.ErrorField, description(sent)
}

// onlyBy refuses the methods that an endpoint does not take: RFC 9110, Section 15.5.6.
func onlyBy(methods string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Allow", methods)
		return &fosite.RFC6749Error{
			ErrorField: "invalid_request", DescriptionField: "Send the request by " + methods + ".", CodeField: http.StatusMethodNotAllowed,
		}
	}
}

// writeJSON answers with JSON that nobody may keep: RFC 6749, Section 5.1.
func writeJSON(w http.ResponseWriter, status int, body any) error {
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that is gone needs no answer
	return nil
}

// api makes a handler of an endpoint that services call: what goes wrong there is answered in JSON, never with a page.
func (h *Handler) api(endpoint string, f func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := f(w, r)
		if err == nil {
			return nil
		}
		sent := refusal(err)
		h.note(r.Context(), endpoint, sent)
		if refused, disproved := errors.AsType[*assertion.RefusedError](err); disproved {
			audit.RequestOf(r.Context()).Refusal.Reason = string(refused.Why)
		}
		if sent.ErrorField == "server_error" {
			h.Log.ErrorContext(r.Context(), "request failed", slog.String("endpoint", endpoint), slog.Any("error", err))
		}
		if beyond, ok := errors.AsType[*throttle.LimitError](err); ok {
			w.Header().Set("Retry-After", beyond.RetryAfter())
		}
		if sent.CodeField == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
			w.Header().Set("WWW-Authenticate", `Basic realm="credence"`) // RFC 6749, Section 5.2
		}
		return writeJSON(w, sent.CodeField, map[string]string{"error": sent.ErrorField, "error_description": description(sent)})
	}
}
