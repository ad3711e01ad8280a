package registration

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
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
	handle("POST /enrol/code", h.giveCode)
	handle("GET /enrol/password", h.passwordPage)
	handle("POST /enrol/password", h.setPassword)
	handle("GET /enrolled", h.enrolledPage)
	handle("GET /levels", h.levels)
	if h.Enroller.Messenger != nil { // otherwise no link is sent
		handle("GET /recover", h.recoverPage)
		handle("POST /recover", h.takeRecoveryCode)
		handle("GET /recover/sent", h.recoverySent)
	}
}

func frame(r *http.Request) web.Frame {
	return web.Frame{RequestID: audit.RequestOf(r.Context()).ID, Language: web.LanguageOf(r, "")}
}

// words are those of the pages for a request.
func (h *Handler) words(r *http.Request) web.Words { return h.Pages.Words(web.LanguageOf(r, "")) }

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

// linkRefused is the answer to whoever comes with a link that does not let her bind anything, or not yet.
func (h *Handler) linkRefused(w http.ResponseWriter, r *http.Request, t ticket, err error, mistakes ...web.FieldError) error {
	if errors.Is(err, errLink) {
		return &web.Problem{
			Status: http.StatusGone, Title: "This link does not work",
			Message: "It has been used, it is too old, it was not copied whole, or a wrong code was entered too often.",
			Next:    "Ask your registration authority for a new link.",
		}
	}
	if !errors.Is(err, errCode) {
		return err
	}
	page, status := web.EnrolCode{Frame: frame(r), PostURL: ticket{secret: t.secret}.address("/enrol/code")}, http.StatusOK
	if page.Errors = mistakes; len(mistakes) > 0 {
		status = http.StatusBadRequest
	}
	return h.Pages.Render(w, status, page)
}

func (h *Handler) enrolPage(w http.ResponseWriter, r *http.Request) error {
	if err := alone(r); err != nil {
		return err
	}
	t := h.ticket(w, r)
	found, err := h.enrolment(r.Context(), t)
	if err != nil {
		return h.linkRefused(w, r, t, err)
	}
	ceremony, err := h.Enroller.Begin(r.Context(), most(found), found.Person, t.browser)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, web.Enrol{
		Frame: frame(r), PersonName: found.Person.DisplayName, SuggestedName: h.words(r).Say("My passkey"),
		Ceremony:    web.Ceremony{Options: ceremony.Options, Finish: t.address("/enrol", "ceremony", ceremony.State)},
		PasswordURL: h.passwordURL(t, found.Person),
	})
}

// giveCode takes the code of a link, before anything is said of whose it is.
func (h *Handler) giveCode(w http.ResponseWriter, r *http.Request) error {
	f, err := web.Form(w, r, 16<<10)
	if err != nil {
		return err
	}
	told, err := h.tell(r.Context(), h.ticket(w, r), strings.Join(strings.Fields(f.Get("code")), ""))
	if err != nil {
		return h.linkRefused(w, r, told, err, web.FieldError{Field: "code", Message: "Enter the 8 digits that you were told. After 5 wrong codes the link stops working"})
	}
	return web.SeeOther(w, r, told.address("/enrol"))
}

// finishEnrol takes the answer to a WebAuthn ceremony from the page's script.
func (h *Handler) finishEnrol(w http.ResponseWriter, r *http.Request) error {
	t := h.ticket(w, r)
	answer, err := AnswerOf(w, r, t.browser)
	if err != nil {
		return h.Pages.Answer(w, http.StatusBadRequest, frame(r).Language, web.Answer{Message: "The answer of your authenticator did not arrive whole. Try again."})
	}
	bound, err := h.enrol(r.Context(), t, answer)
	if errors.Is(err, errLink) {
		return h.Pages.Answer(w, http.StatusGone, frame(r).Language, web.Answer{Message: "This link does not work any more. Ask your registration authority for a new one."})
	}
	if errors.Is(err, errCode) {
		return h.Pages.Answer(w, http.StatusForbidden, frame(r).Language, web.Answer{Message: "Open your enrolment link again, and enter the code that you were told."})
	}
	if beyond, ok := errors.AsType[*throttle.LimitError](err); ok {
		w.Header().Set("Retry-After", beyond.RetryAfter())
		return h.Pages.Answer(w, http.StatusTooManyRequests, frame(r).Language, web.Answer{Message: "This link did not work, and too many other links have failed on your network just now. Wait a minute, then try again. If you see this again, ask your registration authority for a new link."})
	}
	if refused, ok := errors.AsType[*webauthn.Refusal](err); ok {
		h.Log.DebugContext(r.Context(), "enrolment refused", slog.String("reason", refused.Reason), slog.Any("cause", refused.Unwrap()))
		return h.Pages.Answer(w, http.StatusForbidden, frame(r).Language, web.Answer{Message: Explain(refused.Reason)})
	}
	if err != nil {
		return err
	}
	sealed, err := h.Box.SealJSON(enrolled{bound.Name, bound.Kind, bound.CreatedAt}, t.browser)
	if err != nil {
		return err
	}
	return h.Pages.Answer(w, http.StatusOK, frame(r).Language, web.Answer{Location: "/enrolled?" + url.Values{"what": {sealed}}.Encode()})
}

// enrolled is what the page after an enrolment says. It travels sealed and bound to the browser: nobody else has words
// put on a page of ours.
type enrolled struct {
	Name, Kind string
	At         time.Time
}

// AnswerOf reads the answer to a WebAuthn ceremony that the script of a page sends.
func AnswerOf(w http.ResponseWriter, r *http.Request, browser []byte) (Answer, error) {
	var body struct {
		Response json.RawMessage `json:"response"`
		Name     string          `json:"name"`
	}
	if err := json.NewDecoder(web.Body(w, r, 128<<10)).Decode(&body); err != nil {
		return Answer{}, fmt.Errorf("read answer of an authenticator: %w", err)
	}
	return Answer{Browser: browser, Ceremony: r.URL.Query().Get("ceremony"), Name: body.Name, Response: body.Response}, nil
}

// Explain says why an authenticator was not bound, in words for the person who holds it.
func Explain(reason string) string {
	switch reason {
	case webauthn.CeremonyExpired:
		return "This page was open for too long. Reload it and try again."
	case webauthn.NameInvalid:
		return "Enter a name of 1 to 60 letters, digits and signs."
	case webauthn.AuthenticatorKnown:
		return "This passkey or security key is registered already. Use another one."
	case webauthn.NotDiscoverable:
		return "This security key cannot store a passkey, or has no room for another. Use another one."
	case webauthn.TooMany:
		return "No more passkeys and security keys can be registered. Remove one that is not used any more first."
	case webauthn.LevelAbove:
		return "This security key could reach a higher level than the one at which you signed in. Sign in more strongly first, or ask your registration authority to add it."
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

func (h *Handler) enrolledPage(w http.ResponseWriter, r *http.Request) error {
	var what enrolled
	if err := h.Box.OpenJSON(r.URL.Query().Get("what"), h.Sessions.Browser(w, r), &what); err != nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return nil //nolint:nilerr // not a page of this browser: there is nothing to say
	}
	return h.Pages.Render(w, http.StatusOK, web.Enrolled{
		Frame: frame(r), Authenticator: web.Authenticator{Name: what.Name, Kind: KindName(what.Kind), AddedAt: what.At},
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
	authenticators, err := h.Store.Authenticators(r.Context(), s.Person.ID, true)
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
		IdentityAssurance: IdentityWords(assurance.IdentityLevel(s.Person.IdentityLevel)),
		Method:            MethodWords(h.words(r), s.AMR), AuthenticatorAssurance: LevelWords(s.Level), AuthenticatedAt: s.AuthenticatedAt,
		SignOutURL: "/logout", SignOutEverywhereURL: "/logout?everywhere=1", Signals: signals,
	}
	page.SignedInAs, page.Help = s.Person.DisplayName, web.Help(h.Policies.HelpFor(s.Person, s.Role))
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
		if State(a.State) != Active {
			continue
		}
		shown := web.Authenticator{Name: a.Name, Kind: KindName(a.Kind), AddedAt: a.CreatedAt}
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
