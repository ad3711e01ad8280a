package desk

import (
	"errors"
	"net/http"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const unprovedPath = "/desk/self-registered"

// unproved lists who registered herself and is not proved yet.
func (h *Handler) unproved(w http.ResponseWriter, r *http.Request, o officer) error {
	organisation := codeOr(r.URL.Query().Get("organisation"), o.Organisation)
	order, sorting := sorted(r, store.Order{By: store.ByTime},
		column{name: "Name"}, column{name: "User ID"}, column{name: "Organisation"}, column{"Registered", store.ByTime, "oldest first", "newest first"})
	page := web.DeskUnproved{Desk: h.desk(r, o), Organisation: organisation, Sorting: sorting}
	list, more, err := h.Unproved(r.Context(), o.Officer, organisation, order, following(r))
	if errors.Is(err, directory.ErrUnknown) {
		page.Errors = noOrganisation(o)
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	if err != nil {
		return err
	}
	for _, p := range list {
		page.People = append(page.People, web.UnprovedRow{
			Name: p.DisplayName, UserID: p.ID, OrganisationCode: p.OrganisationCode, RegisteredAt: p.RegisteredAt, URL: "/desk/people/" + p.ID,
		})
	}
	if more {
		page.NextURL = onward(r, list[len(list)-1].ID, "organisation", organisation)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}
