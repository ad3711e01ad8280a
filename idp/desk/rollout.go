package desk

import (
	"net/http"
	"slices"

	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
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
	first, columns := store.Order{By: store.ByStart}, []column{
		{"Person", store.ByName, "A to Z by family name", "Z to A by family name"}, {"Since", store.ByStart, "oldest first", "newest first"}, {name: "Why"},
	}
	order, _ := sorted(r, first, columns...)
	q := r.URL.Query()
	which := holdersOf(q)
	page := web.DeskPositionWithheld{Desk: h.desk(r, o), URL: r.URL.Path, Query: q.Get("name"), Organisation: which.Organisation, LookedAt: position.MostPreviewed}
	var wrong []web.FieldError
	page.State, wrong = chosen(r, "state", page.States())
	list, err := h.Withheld(r.Context(), o.Officer, r.PathValue("id"), page.Waiting(), which, order, following(r))
	if page.Errors, err = mistakes(err, wantHolders(o)); err != nil {
		return err
	}
	if !list.ByName {
		columns[0] = column{name: "Person"}
	}
	_, page.Sorting = sorted(r, first, columns...)
	page.PositionName, page.PositionURL = list.Current.Name, positionsPath+"/"+list.PositionID
	if page.Errors = append(wrong, page.Errors...); len(page.Errors) > 0 {
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	for _, row := range list.Rows {
		person := web.WithheldPerson{
			Name: row.Name, PersonID: row.PersonID, URL: "/desk/people/" + row.PersonID, PositionName: row.PositionName, StartsAt: row.StartsAt, Because: row.Because, Ends: row.Ends,
		}
		if row.Position != "" {
			person.PositionURL = positionsPath + "/" + row.Position
		}
		page.People = append(page.People, person)
	}
	if list.Next != "" {
		page.NextURL = onward(r, list.Next)
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
