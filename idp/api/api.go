// Package api is the registration desk for programs: the acts of officers as JSON under /api/, described by OpenAPI 3.1 at
// /api/openapi.json.
//
// It guarantees that
//   - nobody comes in but an officer, through a client: by an access token of the issuer's own, which a person was issued by
//     the code flow with a scope of the API (RFC 6750), from a sign-in as strong as the desk asks for and no older than an hour;
//     who has to sign in again, is told how (RFC 9470). The role that is active in the token decides what she may do. Only to
//     break-glass anybody comes, as at the pages of it;
//   - whatever is done is done by the same function as at the desk, and refused and recorded as there; each line of the record
//     names the client and the grant as well;
//   - what is sent is read strictly, and bounded; what is answered, refusals included (RFC 9457), is as described: server,
//     description and tests are made from one table of routes.
//
// There are no cookies here and no CORS: pages of other sites can do nothing with it.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/breakglass"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/retention"
	"github.com/credence-id/credence/idp/strictjson"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store"
)

// Handler serves the API.
type Handler struct {
	*office.Office

	Lifecycle  *lifecycle.Registrar
	Onboarding *onboarding.Registrar
	Breakglass *breakglass.Registrar
	Retained   []retention.Rule // for how long records are kept

	Issuer string
	Tokens *oauth.Handler
	Log    *slog.Logger
}

// SignInLasts is how long after her sign-in an officer acts through programs. Nobody sees from a token whether she is still
// there, as a page does, which asks again when it was left alone.
const SignInLasts = time.Hour

// Mount adds the routes to the server.
func (h *Handler) Mount(handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	known := http.NewServeMux()
	for _, route := range routes() {
		handle(route.method+" "+route.pattern, h.answered(func(w http.ResponseWriter, r *http.Request) error { return route.serve(h, w, r) }))
		known.HandleFunc(route.method+" "+route.pattern, http.NotFound)
	}
	description := sync.OnceValues(func() (func(http.ResponseWriter, *http.Request) error, error) { // few ask for it
		document, err := h.describe()
		return oauth.Fixed("application/json", document), err
	})
	handle("GET /api/openapi.json", func(w http.ResponseWriter, r *http.Request) error {
		serve, err := description()
		if err != nil {
			return err
		}
		return serve(w, r)
	})
	known.HandleFunc("GET /api/openapi.json", http.NotFound)
	handle("/api/", h.answered(nothingThere(known)))
}

// nothingThere answers what no route takes: RFC 9110, Sections 9.3.7 and 15.5.6.
func nothingThere(known *http.ServeMux) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		allow := []string{http.MethodOptions}
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodDelete} {
			other := r.WithContext(r.Context()) // a copy
			other.Method = method
			if _, pattern := known.Handler(other); pattern != "" {
				allow = append(allow, method)
			}
		}
		if len(allow) == 1 {
			return &Problem{Status: http.StatusNotFound, Detail: "There is no such resource: /api/openapi.json lists those there are."}
		}
		slices.Sort(allow)
		w.Header().Set("Allow", strings.Join(allow, ", "))
		if r.Method == http.MethodOptions {
			w.WriteHeader(http.StatusNoContent)
			return nil
		}
		return &Problem{Status: http.StatusMethodNotAllowed, Detail: "This resource takes " + strings.Join(allow, ", ") + "."}
	}
}

// call is a request of an officer.
type call struct {
	http.ResponseWriter
	*http.Request

	officer office.Officer
	access  oauth.Access // by which she acts
}

// demand is what a route asks of the sign-in and the identity of whoever acts at an organisation.
func (h *Handler) demand(to route, organisation string) assurance.Demand {
	if to.anybody {
		return breakglass.Demand()
	}
	d := h.Demand(organisation)
	d.MinimumAuthenticator = max(d.MinimumAuthenticator, to.least)
	return d
}

// enter lets officers in, and nobody else but where a route is for anybody.
func (h *Handler) enter(w http.ResponseWriter, r *http.Request, to route) (call, error) {
	access, err := h.Tokens.Bearer(w, r, oauth.Requirement{
		Scope: to.scope, MaxAge: SignInLasts, Event: audit.DeskOpened,
		Authenticator: func(role store.Role) assurance.AuthenticatorLevel {
			return h.demand(to, role.OrganisationCode).MinimumAuthenticator
		},
	})
	if err != nil {
		return call{}, err
	}
	request := audit.RequestOf(r.Context())
	request.Client, request.Grant = access.Client, access.Grant
	ctx := audit.WithRequest(r.Context(), request)
	c := call{w, r.WithContext(ctx), h.Officer(access.Person.ID, access.Role), access}
	if demand := h.demand(to, access.Role.OrganisationCode); !demand.Satisfied(access.Reached) {
		request.Refusal.Reason = string(deed.NotProved)
		return call{}, &Problem{
			Status: http.StatusForbidden, Reason: request.Refusal.Reason,
			Detail: "Your identity has to be proved to level " + string(demand.MinimumIdentity) + ": ask your registration authority.",
		}
	}
	if to.anybody {
		return c, nil
	}
	return c, h.Enter(ctx, c.officer)
}

// mostBody bounds what is read of a request, in bytes: a file of requests with what JSON escapes of it.
const mostBody = 2 * position.LargestBulk

// read reads what a request sends: the body, or of a GET the parameters of its address.
func (c call) read(into any) error {
	if picture, is := into.(*image); is {
		return picture.read(c)
	}
	if c.Method == http.MethodGet || c.Method == http.MethodHead {
		return c.readQuery(into)
	}
	sent := c.Request.Header.Get("Content-Type")
	if kind, _, err := mime.ParseMediaType(sent); sent != "" && (err != nil || kind != "application/json") {
		return errNotJSON()
	}
	text, err := c.body(mostBody)
	if err != nil {
		return err
	}
	if len(text) > 0 && sent == "" {
		return errNotJSON()
	}
	if len(text) == 0 {
		text = []byte("{}")
	}
	return decode(text, into)
}

func errNotJSON() error {
	return &Problem{Status: http.StatusUnsupportedMediaType, Detail: "Send JSON, with the Content-Type application/json."}
}

// decode reads one object.
func decode(text []byte, into any) error {
	if err := strictjson.Unmarshal(text, into); err != nil {
		return &Problem{Status: http.StatusBadRequest, Detail: "The body cannot be read: " + err.Error() + "."}
	}
	return nil
}

// readQuery reads each parameter once, and none that is not described, nor a value that is not.
func (c call) readQuery(into any) error {
	given := map[string]string{}
	for name, values := range c.URL.Query() {
		if len(values) > 1 {
			return &Problem{Status: http.StatusBadRequest, Detail: "A parameter of the address is there more than once."}
		}
		if strings.ContainsRune(values[0], 0) { // which no text on record has, and the database takes none
			return &Problem{Status: http.StatusBadRequest, Detail: "A parameter of the address has a character that nothing has."}
		}
		given[name] = values[0]
	}
	text, err := json.Marshal(given)
	if err != nil {
		return fmt.Errorf("encode parameters: %w", err)
	}
	if err := strictjson.Unmarshal(text, into); err != nil {
		return &Problem{Status: http.StatusBadRequest, Detail: "The address has a parameter that is not known there, or the wrong way."}
	}
	for _, p := range members(reflect.TypeOf(into).Elem()) {
		if one := strings.Fields(p.Tag.Get("enum")); len(one) > 0 && given[p.name] != "" && !slices.Contains(one, given[p.name]) {
			return &directory.InvalidError{Field: p.name, Want: "one of " + strings.Join(one, ", ") + ", or nothing"}
		}
	}
	return nil
}

// following is the address of the next page of a list, or "" when there is none.
func (c call) following(more bool, after string) string {
	if !more {
		return ""
	}
	q := c.URL.Query()
	q.Set("after", after)
	return c.URL.EscapedPath() + "?" + q.Encode()
}

// created says where what was made is.
func (c call) created(location string) { c.ResponseWriter.Header().Set("Location", location) }

// tag says which version of a thing was answered, so that a change can say which it changes: RFC 9110, Section 8.8.3.
func (c call) tag(version any) {
	c.ResponseWriter.Header().Set("ETag", strconv.Quote(fmt.Sprint(version)))
}

// seen is the version of the thing which a change is for: RFC 9110, Section 13.1.1.
func (c call) seen() (string, error) {
	tag := c.Request.Header.Get("If-Match")
	if tag == "" {
		return "", &Problem{Status: http.StatusPreconditionRequired, Detail: "Send If-Match with the ETag of what you have seen."}
	}
	version := strings.Trim(tag, `"`)
	if tag != strconv.Quote(version) {
		return "", errNoTag()
	}
	return version, nil
}

// version is what seen is of a thing whose versions are numbered.
func (c call) version() (int, error) {
	text, err := c.seen()
	if err != nil {
		return 0, err
	}
	version, err := strconv.ParseInt(text, 10, 32)
	if err != nil || text != strconv.FormatInt(version, 10) {
		return 0, errNoTag()
	}
	return int(version), nil
}

func errNoTag() error {
	return &directory.InvalidError{Field: "If-Match", Want: "one ETag as it was answered, such as \"3\""}
}

// answer sends what a route answers.
func answer(w http.ResponseWriter, status int, contentType string, body any) error {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(text.Bytes()) // a client that is gone needs no answer
	return nil
}

// answered answers the error of a route as a problem.
func (h *Handler) answered(serve func(http.ResponseWriter, *http.Request) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		err := serve(w, r)
		if err == nil {
			return nil
		}
		p := problemOf(err)
		if beyond, is := errors.AsType[*throttle.LimitError](err); is {
			w.Header().Set("Retry-After", beyond.RetryAfter())
		}
		if p.Status == http.StatusInternalServerError {
			h.Log.ErrorContext(r.Context(), "request failed", slog.Any("error", err))
		}
		p.Title, p.RequestID = http.StatusText(p.Status), requestID(r.Context())
		return answer(w, p.Status, "application/problem+json", p)
	}
}

func requestID(ctx context.Context) string { return audit.RequestOf(ctx).ID }
