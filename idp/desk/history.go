package desk

import (
	"net/http"

	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/web"
)

// history lists what was done to the profile of a person, and to those that were merged into it.
func (h *Handler) history(w http.ResponseWriter, r *http.Request, o officer) error {
	order, sorting := inTime(r, true)
	list, err := h.History(r.Context(), o.Officer, r.PathValue("id"), order, followingUUID(r))
	if err != nil {
		return err
	}
	page := web.DeskHistory{Desk: h.desk(r, o), Sorting: sorting, URL: r.URL.Path, PersonName: list.Person.DisplayName, PersonURL: "/desk/people/" + list.Person.ID}
	for _, c := range list.Changes {
		page.Changes = append(page.Changes, historyRow(c, list.Person.ID))
	}
	if list.More {
		page.NextURL = onward(r, list.Changes[len(list.Changes)-1].ID.String())
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func historyRow(c office.Changed, of string) web.HistoryRow {
	row := web.HistoryRow{By: c.By, Reason: c.Reason, At: c.At, Changes: changed(c.Fields)}
	row.What = map[string]string{
		"corrected": "Details corrected", "merged": "Merged with another profile", "closed": "Profile closed", "reopened": "Profile opened again",
		"left": "Leaves " + c.OrganisationCode,
	}[c.Kind]
	if c.PersonID != of {
		row.UserID = c.PersonID
	}
	return row
}
