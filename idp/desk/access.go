package desk

import (
	"context"
	"errors"
	"net/http"
	"regexp"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// officer is who is at the desk, in the role that is active in her session.
type officer struct {
	office.Officer

	name    string
	session uuid.UUID
	level   assurance.AuthenticatorLevel // of her sign-in
	role    store.Role
	choice  bool // she has another role
}

// form is the address that a form is posted to which she fills in for the role that she acts in. It is refused once she acts in
// another.
func (o officer) form(path string, pairs ...string) string {
	return address(path, append(pairs, "role", o.Role)...)
}

// officers lets officers to a page, and nobody else. Whoever has not signed in, or not strongly enough, or acts in no role, is
// taken there first, and comes back to the page.
func (h *Handler) officers(page func(http.ResponseWriter, *http.Request, officer) error) func(http.ResponseWriter, *http.Request) error {
	return h.officersAt(0, page)
}

// officersAt is officers for a page that asks for a sign-in of a level, whatever the organisation asks for.
func (h *Handler) officersAt(least assurance.AuthenticatorLevel, page func(http.ResponseWriter, *http.Request, officer) error) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error { return h.open(w, r, least, page) }
}

// open opens a page to an officer, or shows whoever comes what she has to do first, or why she may not.
func (h *Handler) open(w http.ResponseWriter, r *http.Request, least assurance.AuthenticatorLevel, page func(http.ResponseWriter, *http.Request, officer) error) error {
	s, err := h.who(r)
	if err != nil {
		return err
	}
	req := h.needs(r, s)
	req.Demand.MinimumAuthenticator = max(req.Demand.MinimumAuthenticator, least)
	step, err := h.SignIn.Within(r.Context(), &req, s)
	if err != nil {
		return err
	}
	if step != signin.Done {
		return h.SignIn.Show(w, r, step, req, h.Sessions.Browser(w, r))
	}
	o := h.officer(*s)
	err = h.enter(r.Context(), o, *s)
	if of := r.URL.Query().Get("role"); err == nil && r.Method == http.MethodPost && of != "" && of != o.Role {
		err = h.Refuse(r.Context(), o.Officer, deed.Refuse(deed.AnotherRole))
	}
	if err == nil {
		err = page(w, r, o)
	}
	if refusal, refused := errors.AsType[*deed.Refusal](err); refused {
		return h.Pages.Render(w, http.StatusForbidden, web.DeskRefused{Desk: h.desk(r, o), Why: refusal.Sentence(), Next: next(o)})
	}
	if errors.Is(err, directory.ErrUnknown) {
		return &web.Problem{
			Status: http.StatusNotFound, Title: "There is nothing here",
			Message: "What this page is about does not exist, or not any more.",
			Next:    "If you typed the address, check it. Otherwise go back to the registration desk and look for it there.",
		}
	}
	return err
}

// who finds who is signed in; nil is nobody.
func (h *Handler) who(r *http.Request) (*session.Session, error) {
	s, err := h.Sessions.Find(r.Context(), h.Sessions.CookieOf(r), "")
	if errors.Is(err, session.ErrNone) {
		return nil, nil //nolint:nilnil // nobody is a valid answer, and what signin.Next takes
	}
	return &s, err
}

// longestReturn bounds the address that travels with a sign-in, because its pages have it in theirs.
const longestReturn = 500

// needs is what the desk asks of whoever comes to a page, by the role that she acts in: once she has another one it is asked
// again. A form is posted to the address of the page that has it, so it is always an address to come back to.
func (h *Handler) needs(r *http.Request, s *session.Session) signin.Request {
	back := r.URL.RequestURI()
	if len(back) > longestReturn {
		back = "/desk"
	}
	req := signin.Request{
		ReturnTo: back, ClientName: "Registration desk", Role: signin.RoleRequired, Freshness: assurance.Freshness{AskedAt: h.Now()},
		Demand: h.LeastDemand(),
	}
	if s != nil && s.Role != nil {
		req.Demand = h.Demand(s.Role.OrganisationCode)
	}
	if s != nil && len(s.Person.Roles) > 1 {
		req.RoleURL = rolePath
	}
	return req
}

// officer is who a session makes, which has an active role.
func (h *Handler) officer(s session.Session) officer {
	return officer{Officer: h.Officer(s.Person.ID, *s.Role), name: s.Person.DisplayName, session: s.ID, level: s.Level, role: *s.Role, choice: len(s.Person.Roles) > 1}
}

// enter refuses whom the active role makes no officer. Whoever works at the desk is not signed out for being idle.
func (h *Handler) enter(ctx context.Context, o officer, s session.Session) error {
	if err := h.Enter(ctx, o.Officer); err != nil {
		return err
	}
	return h.Sessions.Keep(ctx, s)
}

// can says whether to offer what takes one of some acts.
func (h *Handler) can(o officer, subject authority.Subject, acts ...authority.Act) bool {
	return h.Can(o.Officer, subject, acts...)
}

// may wants one of some acts to be the officer's, and records that none is.
func (h *Handler) may(ctx context.Context, o officer, subject authority.Subject, acts ...authority.Act) error {
	return h.May(ctx, o.Officer, subject, acts...)
}

// codeForm is what the code of an organisation, and an id in a list, look like.
var codeForm = regexp.MustCompile(`^[A-Z0-9]{1,12}$`)

// next is what an officer who is refused can do.
func next(o officer) string {
	if len(o.Actors) == 0 {
		return "The registration desk is for officers of the registration authority. If you are to be one, ask the registration authority manager of your organisation."
	}
	return "If it is your work, act in the role that you have for it, or ask the registration authority manager of your organisation."
}
