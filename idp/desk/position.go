package desk

import (
	"math"
	"net/http"
	"slices"
	"strconv"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// position shows one position.
func (h *Handler) position(w http.ResponseWriter, r *http.Request, o officer) error {
	order, _ := inTime(r, true)
	p, err := h.Position(r.Context(), o.Officer, r.PathValue("id"), order, number(r, "after"))
	if err != nil {
		return err
	}
	page, err := h.reachingPage(r, o, p)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// reachingPage is positionPage with whom the position reaches.
func (h *Handler) reachingPage(r *http.Request, o officer, p office.Position) (web.DeskPosition, error) {
	page := h.positionPage(r, o, p)
	reached, err := h.Reach(r.Context(), p)
	page.Reach = reach(p, reached)
	return page, err
}

func (h *Handler) positionPage(r *http.Request, o officer, p office.Position) web.DeskPosition {
	row := h.positionRow(p.PositionRow)
	row.Name = p.Current.Name
	_, sorting := inTime(r, true)
	details := h.details(p.Current)[1:] // the heading has the name
	page := web.DeskPosition{
		Desk: h.desk(r, o), Sorting: sorting, PositionRow: row, Details: details, Holders: p.Holders, HoldersURL: row.URL + "/holders", IncludedBy: includers(p),
	}
	for _, i := range p.Effect.Included {
		page.Includes = append(page.Includes, web.IncludedPosition{
			Name: i.Name, OrganisationCode: i.OrganisationCode, URL: positionsPath + "/" + i.PositionID, Closed: i.Closes, Indirect: i.Depth > 1,
		})
	}
	if len(page.Includes) > 0 {
		page.Effect = h.access(p.Effect.PositionVersion)
	}
	for _, v := range p.Versions {
		page.Versions = append(page.Versions, shownVersion(v, p.Names))
	}
	if p.More {
		page.NextURL = onward(r, strconv.Itoa(p.Versions[len(p.Versions)-1].Version))
	}
	if position.StateOf(p.PositionRow) == position.Closed {
		return page
	}
	if p.InForce > 0 && h.can(o, p.At, authority.RequestPosition) {
		page.IntroduceURL = row.URL + "/introduce"
	}
	if h.can(o, p.At, authority.ManagePositions) {
		page.ReviseURL, page.CloseURL = row.URL+"/revision", row.URL+"/close"
	}
	if p.ApprovedAt != nil {
		return page
	}
	page.Proposed = new(shownVersion(p.PositionVersion, p.Names))
	if p.InForce > 0 {
		page.Changes = differences(h.details(p.Effect.PositionVersion), h.details(p.Newest.PositionVersion))
		was, is := h.given(p.Effect.PositionVersion), h.given(p.Newest.PositionVersion)
		page.Gains, page.Loses = without(is, was), without(was, is)
	}
	switch {
	case !h.can(o, p.At, authority.ApprovePosition):
	case p.MadeBy == o.PersonID:
		page.WhyNot = "You proposed it, so another officer has to approve it."
	default:
		page.ApproveURL = o.form(row.URL, "version", strconv.Itoa(p.Version))
	}
	return page
}

// includers lists what includes a position.
func includers(p office.Position) web.Includers {
	list := web.Includers{More: len(p.Includers) > perPage}
	for _, i := range p.Includers[:min(len(p.Includers), perPage)] {
		list.Positions = append(list.Positions, web.IncludedPosition{Name: i.Name, OrganisationCode: i.OrganisationCode, URL: positionsPath + "/" + i.ID})
	}
	return list
}

func shownVersion(v store.PositionVersion, names map[string]string) web.PositionVersion {
	shown := web.PositionVersion{Number: v.Version, Closes: v.Closes, MadeBy: names[v.MadeBy], Reason: v.Reason, MadeAt: v.MadeAt}
	if v.ApprovedBy != nil {
		shown.ApprovedBy, shown.ApprovedAt = names[*v.ApprovedBy], *v.ApprovedAt
	}
	return shown
}

// approve puts what was proposed in force.
func (h *Handler) approve(w http.ResponseWriter, r *http.Request, o officer) error {
	id := r.PathValue("id")
	_, err := h.Positions.Approve(r.Context(), o.Acting(), id, number(r, "version"))
	if err == nil {
		return web.SeeOther(w, r, positionsPath+"/"+id)
	}
	wrong, err := mistakes(err, nil)
	if err != nil {
		return err
	}
	order, _ := inTime(r, true)
	p, err := h.Position(r.Context(), o.Officer, id, order, 0)
	if err != nil {
		return err
	}
	page, err := h.reachingPage(r, o, p)
	if err != nil {
		return err
	}
	page.Errors = wrong
	i := slices.IndexFunc(p.Versions, func(v store.PositionVersion) bool { return v.Version == number(r, "version") })
	if p.ApprovedAt != nil && i >= 0 && p.Versions[i].ApprovedBy != nil {
		v := shownVersion(p.Versions[i], p.Names)
		page.Meanwhile = meanwhile(office.Done{By: v.ApprovedBy, At: v.ApprovedAt}, beside("Version "+strconv.Itoa(v.Number), "Approved", "Approve"))
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// number is that of a version in the address of a page, or 0, which none has.
func number(r *http.Request, name string) int {
	n, err := strconv.Atoi(r.URL.Query().Get(name))
	if err != nil || n < 0 || n > math.MaxInt32 {
		return 0
	}
	return n
}
