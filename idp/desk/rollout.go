package desk

import (
	"net/http"
	"slices"

	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/web"
)

// reach is whom a position reaches, and where that is listed.
func reach(p office.Position, r office.Reach) web.Reach {
	at := positionsPath + "/" + p.PositionID + "/withheld"
	shown := web.Reach{
		Behind: p.Behind, Withheld: p.Withheld, WithheldURL: at, Including: r.Including, Refused: r.Refused, RefusedURL: address(at, "state", "proposed"),
	}
	if r.More {
		shown.LookedAt = position.MostPreviewed
	}
	return shown
}

// holdersWithLess lists who has less than a position gives, or would have.
func (h *Handler) holdersWithLess(w http.ResponseWriter, r *http.Request, o officer) error {
	waiting := r.URL.Query().Get("state") == "proposed"
	p, rows, next, err := h.Withheld(r.Context(), o.Officer, r.PathValue("id"), waiting, following(r))
	if err != nil {
		return err
	}
	at := positionsPath + "/" + p.PositionID
	page := web.DeskPositionWithheld{Desk: h.desk(r, o), PositionName: p.Current.Name, PositionURL: at, Waiting: waiting, LookedAt: position.MostPreviewed}
	for _, row := range rows {
		person := web.WithheldPerson{
			Name: row.Name, PersonID: row.PersonID, URL: "/desk/people/" + row.PersonID, PositionName: row.PositionName, Because: row.Because, Ends: row.Ends,
		}
		if row.Position != "" {
			person.PositionURL = positionsPath + "/" + row.Position
		}
		page.People = append(page.People, person)
	}
	if next != "" {
		page.NextURL = address(at+"/withheld", "state", r.URL.Query().Get("state"), "after", next)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// without is what of details is not in others.
func without(details, others []web.Detail) []web.Detail {
	var list []web.Detail
	for i, d := range details {
		d.Values = slices.DeleteFunc(slices.Clone(d.Values), func(v string) bool { return slices.Contains(others[i].Values, v) })
		if len(d.Values) > 0 {
			list = append(list, d)
		}
	}
	return list
}
