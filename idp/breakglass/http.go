package breakglass

import (
	"errors"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/web"
)

// Handler serves the pages on which two people open break-glass.
type Handler struct {
	*Registrar

	Sessions *session.Manager
	SignIn   *signin.Handler
	Pages    *web.Pages
}

const path = "/break-glass"

// Mount adds the pages to the server. A form is posted to the address of the page that has it.
func (h *Handler) Mount(handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	handle("GET "+path, h.people(h.start))
	handle("GET "+path+"/first", h.people(h.asking))
	handle("POST "+path+"/first", h.people(h.ask))
	handle("GET "+path+"/second", h.people(h.joining))
	handle("POST "+path+"/second", h.people(h.join))
	handle("GET "+path+"/{id}", h.people(h.opening))
	handle("POST "+path+"/{id}", h.people(h.change))
}

// people lets somebody to a page who has signed in as strongly as break-glass asks, and whose identity is proved. Whoever has not
// does so first, and comes back to the page.
func (h *Handler) people(page func(http.ResponseWriter, *http.Request, session.Session) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		req := signin.Request{
			ReturnTo: r.URL.Path, ClientName: h.words(r).Say("Break-glass"), Freshness: assurance.Freshness{AskedAt: h.Now()}, Demand: Demand(),
		}
		s, err := h.Sessions.Find(r.Context(), h.Sessions.CookieOf(r), "")
		if errors.Is(err, session.ErrNone) {
			return h.SignIn.Show(w, r, signin.Authenticate, req, h.Sessions.Browser(w, r))
		}
		if err != nil {
			return err
		}
		step, err := h.SignIn.Within(r.Context(), &req, &s)
		if err != nil {
			return err
		}
		if step != signin.Done {
			return h.SignIn.Show(w, r, step, req, h.Sessions.Browser(w, r))
		}
		err = page(w, r, s)
		if errors.Is(err, directory.ErrUnknown) {
			return &web.Problem{
				Status: http.StatusNotFound, Title: "There is nothing here",
				Message: "What this page is about does not exist, is not yours, or is over.", Next: "Begin again with your envelope.",
			}
		}
		return err
	}
}

func (h *Handler) words(r *http.Request) web.Words { return h.Pages.Words(web.LanguageOf(r, "")) }

func (h *Handler) frame(r *http.Request, s session.Session) web.Frame {
	return web.Frame{RequestID: audit.RequestOf(r.Context()).ID, Language: web.LanguageOf(r, ""), SignedInAs: s.Person.DisplayName}
}

// by is who acts, in no role yet.
func by(s session.Session) deed.Acting {
	return deed.Acting{Person: s.Person.ID, Session: s.ID, Authenticator: s.AuthenticatorID}
}

// start says what it is, and leads to the two envelopes.
func (h *Handler) start(w http.ResponseWriter, r *http.Request, s session.Session) error {
	return h.Pages.Render(w, http.StatusOK, web.BreakGlass{Frame: h.frame(r, s)})
}

// asking is the form of who has the first envelope.
func (h *Handler) asking(w http.ResponseWriter, r *http.Request, s session.Session) error {
	return h.Pages.Render(w, http.StatusOK, web.BreakGlassEnvelope{Frame: h.frame(r, s)})
}

// joining is the form of who has the second.
func (h *Handler) joining(w http.ResponseWriter, r *http.Request, s session.Session) error {
	return h.Pages.Render(w, http.StatusOK, web.BreakGlassEnvelope{Frame: h.frame(r, s), Second: true})
}

// ask takes the code of the first envelope.
func (h *Handler) ask(w http.ResponseWriter, r *http.Request, s session.Session) error {
	return h.envelope(w, r, s, false, func(c Code, reason string) (uuid.UUID, error) { return h.Ask(r.Context(), by(s), c, reason) })
}

// join takes the code of the second envelope.
func (h *Handler) join(w http.ResponseWriter, r *http.Request, s session.Session) error {
	return h.envelope(w, r, s, true, func(c Code, _ string) (uuid.UUID, error) { return h.Join(r.Context(), by(s), c) })
}

// envelope takes a code. What is wrong is said beside the field; the code has to be typed again.
func (h *Handler) envelope(w http.ResponseWriter, r *http.Request, s session.Session, second bool, use func(Code, string) (uuid.UUID, error)) error {
	f, err := web.Form(w, r, 16<<10)
	if err != nil {
		return err
	}
	page := web.BreakGlassEnvelope{Frame: h.frame(r, s), Second: second, Organisation: web.OneLine(f.Get("organisation")), Reason: f.Get("reason")}
	id, err := use(Code{Organisation: strings.ToUpper(page.Organisation), Text: f.Get("code")}, web.OneLine(page.Reason))
	if err == nil {
		return web.SeeOther(w, r, path+"/"+id.String())
	}
	status := http.StatusBadRequest
	refusal, refused := errors.AsType[*deed.Refusal](err)
	beyond, limited := errors.AsType[*throttle.LimitError](err)
	wrong, mistaken := directory.Mistakes(err)
	switch {
	case limited:
		w.Header().Set("Retry-After", beyond.RetryAfter())
		status = http.StatusTooManyRequests
		page.Errors = []web.FieldError{{Message: h.words(r).Say("Too many codes have failed. Wait some minutes, then try again")}}
	case refused:
		page.Errors = []web.FieldError{{Field: "code", Message: said(h.words(r), refusal)}}
	case mistaken && len(wrong) > 0:
		page.Errors = []web.FieldError{{Field: "reason", Message: h.words(r).Say("Enter a reason, of up to 500 characters")}}
	default:
		return err
	}
	return h.Pages.Render(w, status, page)
}

// opening shows what was asked, or what was opened, to the two whom it concerns.
func (h *Handler) opening(w http.ResponseWriter, r *http.Request, s session.Session) error {
	page, err := h.shown(r, s)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) shown(r *http.Request, s session.Session) (web.BreakGlassOpening, error) {
	page := web.BreakGlassOpening{Frame: h.frame(r, s), PostURL: r.URL.Path}
	id, err := directory.ParseID("break-glass", r.PathValue("id"))
	if err != nil {
		return page, err
	}
	b, err := h.Opened(r.Context(), s.Person.ID, id)
	if err == nil {
		page.Organisation, page.AskedBy, page.Reason, page.ConfirmedBy = b.OrganisationName, b.AskedByName, b.Reason, b.ConfirmedByName
		page.OpenedAt, page.EndsAt, page.Own = b.OpenedAt, b.EndsAt, s.Person.ID == b.AskedBy
		page.Over, page.Signed = !b.EndsAt.After(h.Now()), b.SignedAt != nil
		return page, nil
	}
	if !errors.Is(err, directory.ErrUnknown) {
		return page, err
	}
	asked, err := h.Asked(r.Context(), s.Person.ID, id)
	if err != nil {
		return page, err
	}
	page.Organisation, page.AskedBy, page.Reason, page.LapsesAt = asked.OrganisationName, asked.AskedByName, asked.Reason, asked.LapsesAt
	page.Own, page.Over = s.Person.ID == asked.AskedBy, asked.Spent || !asked.LapsesAt.After(h.Now())
	return page, nil
}

// change opens what was asked, or ends what was opened.
func (h *Handler) change(w http.ResponseWriter, r *http.Request, s session.Session) error {
	f, err := web.Form(w, r, 16<<10)
	if err != nil {
		return err
	}
	page, err := h.shown(r, s)
	if err != nil {
		return err
	}
	id := uuid.MustParse(r.PathValue("id"))
	switch f.Get("act") {
	case "open":
		err = h.Open(r.Context(), by(s), id)
	case "end":
		err = h.End(r.Context(), by(s), id)
	}
	if refusal, refused := errors.AsType[*deed.Refusal](err); refused {
		page.Errors = []web.FieldError{{Message: said(h.words(r), refusal)}}
		return h.Pages.Render(w, http.StatusConflict, page)
	}
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, r.URL.Path)
}

// said is a refusal for a page.
func said(w web.Words, refusal *deed.Refusal) string {
	switch refusal.Reason {
	case CodeWrong:
		return w.Say("This code does not work at this organisation. Check both")
	case CodeSpent:
		return w.Say("These envelopes were opened already, or there are newer ones, which alone work")
	case CodeExpired:
		return w.Say("These envelopes are too old to be opened. New ones have to be sealed")
	case OtherEnvelope:
		return w.Say("This is the code of the other envelope")
	case NobodyAsked:
		return w.Say("Nobody has used the first envelope in the last 30 minutes. The other person has to begin")
	case OwnEnvelope:
		return w.Say("You used the first envelope yourself. Another person has to use the second")
	case EndedAlready:
		return w.Say("It has ended already")
	case position.SeparationOfDuties:
		return w.Say("You, or the person who asks, hold a role that nobody holds together with this one")
	case position.HeldAlready:
		return w.Say("The person who asks has this role already")
	default:
		return w.Say("You, or the person who asks, cannot be given this role now. Another person has to ask, or to come with the second envelope")
	}
}
