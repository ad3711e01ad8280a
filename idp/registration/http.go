package registration

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// Mount adds the pages to the server.
func (h *Handler) Mount(handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	handle("GET /{$}", h.home)
	handle("GET /enrol", h.enrolPage)
	handle("POST /enrol", h.finishEnrol)
	handle("GET /enrol/password", h.passwordPage)
	handle("POST /enrol/password", h.setPassword)
	handle("GET /enrolled", h.enrolledPage)
	handle("GET /levels", h.levels)
}

func frame(r *http.Request) web.Frame {
	return web.Frame{RequestID: audit.RequestOf(r.Context()).ID, Language: web.LanguageOf(r, "")}
}

// alone refuses a link that was opened as a part of another page.
func alone(r *http.Request) error {
	// W3C Fetch Metadata Request Headers, Section 2.1. Pictures on a page elsewhere would fill the limit of everybody who
	// looks at it.
	if dest := r.Header.Get("Sec-Fetch-Dest"); dest != "" && dest != "document" {
		audit.RequestOf(r.Context()).Refusal.Reason = "link_embedded"
		return &web.Problem{
			Status: http.StatusForbidden, Title: "This link has to be opened by itself",
			Message: "It was opened as a part of another page.",
			Next:    "Open the link in a browser window of its own, from the message in which you got it.",
		}
	}
	return nil
}

// linkDead is the answer to errLink.
func linkDead() error {
	return &web.Problem{
		Status: http.StatusGone, Title: "This link does not work",
		Message: "It has been used, it is too old, or it was not copied whole.",
		Next:    "Ask your registration authority for a new link.",
	}
}

func (h *Handler) enrolPage(w http.ResponseWriter, r *http.Request) error {
	if err := alone(r); err != nil {
		return err
	}
	browser, token := h.Sessions.Browser(w, r), r.URL.Query().Get("token")
	found, err := h.enrolment(r.Context(), token)
	if errors.Is(err, errLink) {
		return linkDead()
	}
	if err != nil {
		return err
	}
	existing, err := h.Store.Authenticators(r.Context(), found.Person.ID, false)
	if err != nil {
		return fmt.Errorf("list authenticators: %w", err)
	}
	ceremony, err := h.WebAuthn.BeginEnrolment(found.Person, found.Handle, existing, browser)
	if err != nil {
		return fmt.Errorf("begin enrolment: %w", err)
	}
	return h.Pages.Render(w, http.StatusOK, web.Enrol{
		Frame: frame(r), PersonName: found.Person.DisplayName, SuggestedName: "My passkey",
		Ceremony: web.Ceremony{
			Options: ceremony.Options,
			Finish:  "/enrol?" + url.Values{"token": {token}, "ceremony": {ceremony.State}}.Encode(),
		},
		PasswordURL: h.passwordURL(token, found.Person),
	})
}

// finishEnrol takes the answer to a WebAuthn ceremony from the page's script.
func (h *Handler) finishEnrol(w http.ResponseWriter, r *http.Request) error {
	var body struct {
		Response json.RawMessage `json:"response"`
		Name     string          `json:"name"`
	}
	if err := json.NewDecoder(web.Body(w, r, 128<<10)).Decode(&body); err != nil {
		return web.Answer{Message: "The answer of your authenticator did not arrive whole. Try again."}.Write(w, http.StatusBadRequest)
	}
	q := r.URL.Query()
	browser := h.Sessions.Browser(w, r)
	bound, err := h.enrol(r.Context(), q.Get("token"), browser, q.Get("ceremony"), body.Name, body.Response)
	if errors.Is(err, errLink) {
		return web.Answer{Message: "This link does not work any more. Ask your registration authority for a new one."}.Write(w, http.StatusGone)
	}
	if beyond, ok := errors.AsType[*throttle.LimitError](err); ok {
		w.Header().Set("Retry-After", beyond.RetryAfter())
		return web.Answer{Message: "This link did not work, and too many other links have failed on your network just now. Wait a minute, then try again. If you see this again, ask your registration authority for a new link."}.Write(w, http.StatusTooManyRequests)
	}
	if refused, ok := errors.AsType[*webauthn.Refusal](err); ok {
		h.Log.DebugContext(r.Context(), "enrolment refused", slog.String("reason", refused.Reason), slog.Any("cause", refused.Unwrap()))
		return web.Answer{Message: explain(refused.Reason)}.Write(w, http.StatusForbidden)
	}
	if err != nil {
		return err
	}
	sealed, err := h.Box.SealJSON(enrolled{bound.Name, bound.Kind, bound.CreatedAt}, browser)
	if err != nil {
		return err
	}
	return web.Answer{Location: "/enrolled?" + url.Values{"what": {sealed}}.Encode()}.Write(w, http.StatusOK)
}

// enrolled is what the page after an enrolment says. It travels sealed and bound to the browser: nobody else has words
// put on a page of ours.
type enrolled struct {
	Name, Kind string
	At         time.Time
}

// explain says why an authenticator was not bound, in words for the person who holds it.
func explain(reason string) string {
	switch reason {
	case webauthn.CeremonyExpired:
		return "This page was open for too long. Reload it and try again."
	case webauthn.NameInvalid:
		return "Enter a name of 1 to 60 letters, digits and signs."
	case webauthn.AuthenticatorKnown:
		return "This passkey or security key is registered already. Use another one."
	case webauthn.NotDiscoverable:
		return "This security key cannot store a passkey, or has no room for another. Use another one."
	case webauthn.ModelRevoked:
		return "This kind of passkey or security key is no longer safe. Use another one."
	case webauthn.ModelDenied, webauthn.ModelNotAllowed:
		return "Your organisation does not accept this kind of passkey or security key. Ask your registration authority which ones it accepts."
	case webauthn.DeviceBoundRequired:
		return "Your organisation does not accept passkeys that are copied between devices. Use a security key."
	case webauthn.AttestationRequired:
		return "Your organisation has to know which make it is. Use a security key, and let the browser show its make and model when it asks. If that does not help, ask your registration authority which ones your organisation accepts."
	}
	return "This passkey or security key could not be added. Reload the page and try again, or use another one."
}

// kindName is how people call a kind of authenticator.
func kindName(kind string) string {
	switch kind {
	case string(assurance.SecurityKey):
		return "Security key"
	case string(assurance.Password):
		return "Password"
	case string(assurance.TOTP):
		return "One-time codes"
	}
	return "Passkey"
}

func (h *Handler) enrolledPage(w http.ResponseWriter, r *http.Request) error {
	var what enrolled
	if err := h.Box.OpenJSON(r.URL.Query().Get("what"), h.Sessions.Browser(w, r), &what); err != nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil //nolint:nilerr // not a page of this browser: there is nothing to say
	}
	return h.Pages.Render(w, http.StatusOK, web.Enrolled{
		Frame: frame(r), Authenticator: web.Authenticator{Name: what.Name, Kind: kindName(what.Kind), AddedAt: what.At},
		Password: what.Kind == string(assurance.TOTP), ContinueURL: "/sign-in",
	})
}

// home says who is signed in, at which levels, and in which role.
func (h *Handler) home(w http.ResponseWriter, r *http.Request) error {
	s, err := h.Sessions.Find(r.Context(), h.Sessions.CookieOf(r), "")
	if errors.Is(err, session.ErrNone) {
		return h.Pages.Render(w, http.StatusOK, web.Welcome{Frame: frame(r), SignInURL: "/sign-in"})
	}
	if err != nil {
		return err
	}
	authenticators, err := h.Store.Authenticators(r.Context(), s.Person.ID, false)
	if err != nil {
		return fmt.Errorf("list authenticators: %w", err)
	}
	handle, err := h.Store.Handle(r.Context(), s.Person.ID)
	if err != nil {
		return fmt.Errorf("read user handle: %w", err)
	}
	signals, err := h.WebAuthn.Signals(s.Person, handle, authenticators)
	if err != nil {
		return err
	}
	page := web.Home{
		Frame: frame(r), Name: s.Person.DisplayName, UserID: s.Person.ID,
		IdentityAssurance: identityWords(assurance.IdentityLevel(s.Person.IdentityLevel)),
		Method:            methodWords(s.AMR), AuthenticatorAssurance: levelWords(s.Level), AuthenticatedAt: s.AuthenticatedAt,
		SignOutURL: "/logout", SignOutEverywhereURL: "/logout?everywhere=1", Signals: signals,
	}
	page.SignedInAs = s.Person.DisplayName
	for _, role := range s.Person.Roles {
		shown := h.role(role)
		if s.Role != nil && s.Role.ID == role.ID {
			page.Role = &shown
		} else {
			page.OtherRoles = append(page.OtherRoles, shown)
		}
	}
	if len(page.OtherRoles) > 0 {
		page.ChangeRoleURL = "/sign-in/role"
	}
	if s.Role != nil && len(h.Rules.ActorsOf(s.Role.JobRole, s.Role.Activities)) > 0 {
		page.DeskURL = "/desk"
	}
	for _, a := range authenticators {
		shown := web.Authenticator{Name: a.Name, Kind: kindName(a.Kind), AddedAt: a.CreatedAt}
		if a.LastUsedAt != nil {
			shown.LastUsedAt = *a.LastUsedAt
		}
		page.Authenticators = append(page.Authenticators, shown)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) role(r store.Role) web.Role {
	shown := web.Role{ID: r.ID, Name: h.Catalogue.JobRoleShortName(r.JobRole), Organisation: r.OrganisationName, OrganisationCode: r.OrganisationCode}
	for _, code := range r.Activities {
		shown.Activities = append(shown.Activities, h.Catalogue.ActivityName(code)+" ("+code+")")
	}
	return shown
}

func identityWords(l assurance.IdentityLevel) string {
	switch l {
	case assurance.IdentityVeryHigh:
		return "Very high"
	case assurance.IdentityHigh:
		return "High"
	case assurance.IdentityMedium:
		return "Medium"
	case assurance.IdentityLow:
		return "Low"
	case assurance.IdentityNone:
	}
	return "None: your identity has not been proved"
}

func levelWords(l assurance.AuthenticatorLevel) string {
	switch l {
	case assurance.AAL3:
		return "3: the strongest"
	case assurance.AAL2:
		return "2: strong"
	case assurance.AAL1:
	}
	return "1: basic"
}

// methodWords says how somebody signed in, from the methods that the session recorded.
func methodWords(amr []string) string {
	words := "Passkey or security key"
	switch {
	case slices.Contains(amr, "sc"):
		words = "Smartcard"
	case slices.Contains(amr, "otp"):
		words = "Password and one-time code"
	case slices.Contains(amr, "pwd"):
		words = "Password"
	}
	if slices.Contains(amr, "simulated") {
		words += " (simulated)"
	}
	return words
}
