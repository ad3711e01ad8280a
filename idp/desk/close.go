package desk

import (
	"cmp"
	"net/http"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/web"
)

// losses says how much ends of what, and of roles which.
func (h *Handler) losses(s lifecycle.Subject, organisation string) []web.Detail {
	roles := web.Detail{Name: "Roles"}
	for _, role := range s.Roles {
		if organisation == "" || role.OrganisationCode == organisation {
			roles.Values = append(roles.Values, cmp.Or(role.PositionName, h.Catalogue.JobRoleShortName(role.JobRole))+" at "+role.OrganisationName)
		}
	}
	if organisation != "" {
		return []web.Detail{roles}
	}
	if more := s.Holdings.Roles - len(s.Roles); more > 0 {
		roles.Values = append(roles.Values, "and "+many(more, "other role"))
	}
	return []web.Detail{
		roles,
		{Name: "Requests", Values: []string{many(s.Holdings.Requests, "open request") + " for the person or by them"}},
		{Name: "Signs in with", Values: []string{many(s.Holdings.Authenticators, "authenticator")}},
		{Name: "Is signed in", Values: []string{many(s.Holdings.Sessions, "session")}},
	}
}

// closingProfile shows the form by which the profile of a person is closed.
func (h *Handler) closingProfile(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.closePage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) closePage(r *http.Request, o officer) (web.DeskClose, error) {
	s, err := h.Lifecycle.Look(r.Context(), o.Acting(), authority.ClosePerson, r.PathValue("id"), "")
	if err != nil {
		return web.DeskClose{}, err
	}
	page := web.DeskClose{
		Desk: h.desk(r, o), PersonName: s.DisplayName, PersonURL: "/desk/people/" + s.PersonID, PostURL: r.URL.Path, Losses: h.losses(s, ""),
	}
	for _, as := range lifecycle.ClosedAsWords() {
		page.As = append(page.As, web.Option{Value: string(as), Label: capital(closedWords(as))})
	}
	return page, nil
}

// closeProfile closes the profile of a person.
func (h *Handler) closeProfile(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	err = h.Lifecycle.Close(r.Context(), o.Acting(), r.PathValue("id"), lifecycle.ClosedAs(f.Get("as")), web.OneLine(f.Get("reason")))
	if err == nil {
		return web.SeeOther(w, r, "/desk/people/"+r.PathValue("id"))
	}
	closed := refusedAs(err, lifecycle.Closed)
	wrong, err := mistakes(err, map[string]string{"as": "Select why it is closed", "reason": wantReason})
	if err != nil {
		return err
	}
	page, err := h.closePage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Chosen, page.Reason = wrong, f.Get("as"), f.Get("reason")
	if closed {
		done, err := h.Last(r.Context(), r.PathValue("id"), "", "", audit.PersonClosed) // what was merged says so itself
		if err != nil {
			return err
		}
		as := func(text string) string { return capital(closedWords(lifecycle.ClosedAs(text))) }
		page.Meanwhile = meanwhile(done, beside("Closed as", as(done.Detail["as"]), as(page.Chosen)), beside("Reason", done.Detail["reason"], page.Reason))
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// reopening shows the form by which a closed profile is opened again.
func (h *Handler) reopening(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.reopenPage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) reopenPage(r *http.Request, o officer) (web.DeskReopen, error) {
	s, err := h.Lifecycle.Look(r.Context(), o.Acting(), authority.ReopenPerson, r.PathValue("id"), "")
	if err != nil {
		return web.DeskReopen{}, err
	}
	page := web.DeskReopen{Desk: h.desk(r, o), PersonName: s.DisplayName, PersonURL: "/desk/people/" + s.PersonID, PostURL: r.URL.Path}
	if s.ClosedAt != nil {
		page.Profile = web.Profile{Closed: closedWords(lifecycle.ClosedAs(s.ClosedAs)), ClosedAt: *s.ClosedAt}
	}
	return page, nil
}

// reopen opens a closed profile again.
func (h *Handler) reopen(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	err = h.Lifecycle.Reopen(r.Context(), o.Acting(), r.PathValue("id"), web.OneLine(f.Get("reason")))
	if err == nil {
		return web.SeeOther(w, r, "/desk/people/"+r.PathValue("id"))
	}
	opened := refusedAs(err, lifecycle.Open)
	wrong, err := mistakes(err, map[string]string{"reason": wantReason})
	if err != nil {
		return err
	}
	page, err := h.reopenPage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Reason = wrong, f.Get("reason")
	if opened {
		done, err := h.Last(r.Context(), r.PathValue("id"), "", "", audit.PersonReopened)
		if err != nil {
			return err
		}
		page.Meanwhile = meanwhile(done, beside("Profile", "Opened again", "To open it again"), beside("Reason", done.Detail["reason"], page.Reason))
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}
