package desk

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const positionsPath = "/desk/positions"

// positions lists positions.
func (h *Handler) positions(w http.ResponseWriter, r *http.Request, o officer) error {
	organisation := codeOr(r.URL.Query().Get("organisation"), o.Organisation)
	columns := []column{{"Name", store.ByName, "A to Z", "Z to A"}, {name: "Job role"}, {name: "Organisation"}, {name: "State"}}
	page := web.DeskPositions{Desk: h.desk(r, o), Organisation: organisation, Name: r.URL.Query().Get("name")}
	var wrong []web.FieldError
	if page.State, wrong = chosen(r, "state", page.States()); page.State != "" {
		columns = append(columns, column{by: store.ByTime, up: "longest waiting first", down: "newest first"})
	}
	order, sorting := sorted(r, store.Order{By: store.ByName}, columns...)
	page.Sorting = sorting
	list, err := h.ListPositions(r.Context(), o.Officer, organisation, web.OneLine(page.Name), page.State != "", order, following(r))
	if page.Errors, err = ofOrganisation(o, err, wrong...); err != nil {
		typed, err := mistakes(err, map[string]string{"name": "Enter how the name begins, in up to 200 characters"})
		if err != nil {
			return err
		}
		page.Errors = append(typed, page.Errors...)
	}
	if len(page.Errors) > 0 {
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	if list.MayPropose {
		page.ProposeURL = address(positionsPath+"/new", "organisation", organisation)
	}
	for _, row := range list.Rows {
		page.Positions = append(page.Positions, h.positionRow(row))
	}
	if list.More {
		page.NextURL = onward(r, page.Positions[len(page.Positions)-1].ID, "organisation", organisation)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// following is the id after which a list goes on; "" is its beginning.
func following(r *http.Request) string {
	after := r.URL.Query().Get("after")
	if !codeForm.MatchString(after) {
		return ""
	}
	return after
}

func (h *Handler) positionRow(p store.PositionRow) web.PositionRow {
	state := map[position.State]string{position.Drafted: "Not approved yet", position.InForce: "In force", position.Closed: "Closed"}[position.StateOf(p)]
	if p.ApprovedAt == nil && p.InForce > 0 {
		state += ", and a change waits for approval"
	}
	return web.PositionRow{
		Name: p.Name, ID: p.PositionID, OrganisationName: p.OrganisationName, OrganisationCode: p.OrganisationCode, JobRole: h.Catalogue.JobRoleShortName(p.JobRole), State: state,
		URL: positionsPath + "/" + p.PositionID,
	}
}

// holdersOf is which of those who hold a position an address asks for.
func holdersOf(q url.Values) store.HolderFilter {
	which := store.HolderFilter{Name: web.OneLine(q.Get("name")), Organisation: codeOr(q.Get("organisation"), "")}
	if id := strings.ReplaceAll(which.Name, " ", ""); idForm.MatchString(id) {
		which.PersonID, which.Name = id, ""
	}
	return which
}

// wantHolders says how to ask for them.
func wantHolders(o officer) map[string]string {
	return map[string]string{"name": "Enter a user ID, or at least three letters of a name", "organisation": "Enter the code of an organisation, such as " + o.Organisation}
}

// holders lists who holds a position.
func (h *Handler) holders(w http.ResponseWriter, r *http.Request, o officer) error {
	first, columns := store.Order{By: store.ByStart}, []column{
		{"Person", store.ByName, "A to Z by family name", "Z to A by family name"},
		{name: "Version"},
		{"Since", store.ByStart, "oldest first", "newest first"},
		{"Expires", store.ByExpiry, "soonest first", "latest first"},
	}
	order, _ := sorted(r, first, columns...)
	q := r.URL.Query()
	which := holdersOf(q)
	p, rows, more, err := h.Holders(r.Context(), o.Officer, r.PathValue("id"), which, order, following(r))
	wrong, err := mistakes(err, wantHolders(o))
	if err != nil {
		return err
	}
	if p.Holders > office.MostByName {
		columns[0] = column{name: "Person"}
	}
	_, sorting := sorted(r, first, columns...)
	at := positionsPath + "/" + p.PositionID
	page := web.DeskHolders{Desk: h.desk(r, o), PositionName: p.Current.Name, PositionURL: at, Query: q.Get("name"), Organisation: which.Organisation, Sorting: sorting}
	if page.Errors = wrong; len(wrong) > 0 {
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	for _, row := range rows {
		holder := web.Holder{Name: row.DisplayName, PersonID: row.PersonID, URL: "/desk/people/" + row.PersonID, Version: row.Version, StartsAt: row.StartsAt}
		if row.EndsAt != nil {
			holder.ExpiresAt = *row.EndsAt
		}
		page.Holders = append(page.Holders, holder)
	}
	if more {
		page.NextURL = onward(r, rows[len(rows)-1].RoleID)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}
