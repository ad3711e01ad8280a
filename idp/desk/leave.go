package desk

import (
	"cmp"
	"net/http"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/web"
)

// left is the organisation that somebody leaves: unless the address says another, the officer's.
func left(r *http.Request, o officer) string {
	return cmp.Or(r.URL.Query().Get("organisation"), o.Organisation)
}

// leaving shows the form by which it is recorded that a person leaves an organisation.
func (h *Handler) leaving(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.leavePage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) leavePage(r *http.Request, o officer) (web.DeskLeave, error) {
	organisation := left(r, o)
	if _, err := h.At(r.Context(), organisation); err != nil {
		return web.DeskLeave{}, err
	}
	s, err := h.Lifecycle.Look(r.Context(), o.Acting(), authority.AssignPosition, r.PathValue("id"), organisation)
	if err != nil {
		return web.DeskLeave{}, err
	}
	return web.DeskLeave{
		Desk: h.desk(r, o), PersonName: s.DisplayName, PersonURL: "/desk/people/" + s.PersonID, Organisation: organisation,
		PostURL: address(r.URL.Path, "organisation", organisation), Losses: h.losses(s, organisation),
	}, nil
}

// leave records that a person leaves an organisation: at once, or with the end of a last day.
func (h *Handler) leave(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	at := h.Now()
	if text := web.OneLine(f.Get("last")); text != "" {
		var day time.Time
		day, err = date("last", text)
		at = day.AddDate(0, 0, 1)
	}
	if err == nil {
		_, err = h.At(r.Context(), left(r, o))
	}
	if err == nil {
		err = h.Lifecycle.Leave(r.Context(), o.Acting(), r.PathValue("id"), left(r, o), at, web.OneLine(f.Get("reason")))
	}
	if err == nil {
		return web.SeeOther(w, r, "/desk/people/"+r.PathValue("id"))
	}
	gone := refusedAs(err, lifecycle.NotThere)
	wrong, err := mistakes(err, map[string]string{"last": "Enter today or a day within a year, written like 30/11/2030, or nothing", "reason": wantReason})
	if err != nil {
		return err
	}
	page, err := h.leavePage(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Last, page.Reason = wrong, f.Get("last"), f.Get("reason")
	if gone {
		done, err := h.Last(r.Context(), r.PathValue("id"), "organisation", page.Organisation, audit.PersonLeft)
		if err != nil {
			return err
		}
		page.Meanwhile = meanwhile(done, beside("Leaves", momentWords(done.Detail["ends_at"]), cmp.Or(page.Last, "At once")), beside("Reason", done.Detail["reason"], page.Reason))
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}
