package desk

import (
	"errors"
	"net/http"
	"time"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const (
	organisationsPath = "/desk/organisations"
	expiringPath      = "/desk/expiring"
)

// glance is what needs doing at an organisation, at a glance.
func (h *Handler) glance(w http.ResponseWriter, r *http.Request, o officer) error {
	g, err := h.Glance(r.Context(), o.Officer, r.PathValue("code"))
	if err != nil {
		return err
	}
	list := func(path string) string { return address(path, "organisation", g.Organisation) }
	page := web.DeskGlance{Desk: h.desk(r, o), Organisation: g.Organisation}
	waiting := func(name, url string, of *store.Waiting) {
		if of == nil {
			return
		}
		f := web.Figure{Name: name, Amount: web.Amount{Count: int(of.Count), OrMore: of.Count >= office.MostCounted}, URL: url}
		if of.OldestAt != nil {
			f.Note = "The oldest has waited for " + age(*of.OldestAt, g.At)
		}
		page.Figures = append(page.Figures, f)
	}
	waiting("Open requests", list("/desk/requests"), g.Requests)
	waiting("People to put on record", list(introductionsPath), g.Introductions)
	waiting("Positions to approve", address(positionsPath, "organisation", g.Organisation, "state", "proposed"), g.Positions)
	waiting("Evidence that waits for a second checker", proposalsPath, g.Evidence)
	if g.Reviews != nil {
		f := web.Figure{Name: "Open access reviews", Amount: web.Amount{Count: int(g.Reviews.Count), OrMore: g.Reviews.Count >= office.MostCounted}, URL: list(reviewsPath)}
		if first := g.Reviews.FirstAt; first != nil {
			f.Note = "The first is due on " + first.Format(dayForm)
			if !first.After(g.At) {
				f.Note = "The first is overdue since " + first.Format(dayForm)
			}
		}
		page.Figures = append(page.Figures, f)
	}
	if g.Expiring != nil {
		page.Expiring = &web.Chart{ID: "expiring", Title: "Positions that people lose in the next four weeks", Description: "How many expire, week by week", Of: "Week from"}
	}
	for n, count := range g.Expiring {
		page.Expiring.Bars = append(page.Expiring.Bars, web.Bar{
			Name: g.Week(n).Format(dayForm), Amount: web.Amount{Count: int(count), OrMore: count >= office.MostCounted},
			URL: address(expiringPath, "organisation", g.Organisation, "from", at(new(g.Week(n))), "until", at(new(g.Week(n+1)))),
		})
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// dayForm is how a day is written.
const dayForm = "2 January 2006"

// expiring lists whose positions expire soon.
func (h *Handler) expiring(w http.ResponseWriter, r *http.Request, o officer) error {
	q := r.URL.Query()
	organisation, now := codeOr(q.Get("organisation"), o.Organisation), h.Now()
	from, until := moment(q.Get("from"), now), moment(q.Get("until"), office.LooksAheadTo(now))
	page := web.DeskExpiring{Desk: h.desk(r, o), Organisation: organisation, From: from, Until: until}
	rows, more, err := h.ExpiringRoles(r.Context(), o.Officer, organisation, from, until, following(r))
	if errors.Is(err, directory.ErrUnknown) {
		page.Errors = noOrganisation(o)
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	if err != nil {
		return err
	}
	page.GlanceURL = organisationsPath + "/" + organisation
	for _, row := range rows {
		page.Roles = append(page.Roles, web.ExpiringRole{
			Name: row.PersonName, PersonID: row.PersonID, PersonURL: "/desk/people/" + row.PersonID, PositionName: row.PositionName,
			PositionURL: positionsPath + "/" + row.PositionID, OrganisationCode: row.OrganisationCode, ExpiresAt: row.EndsAt,
		})
	}
	if more {
		last := rows[len(rows)-1]
		page.NextURL = address(expiringPath, "organisation", organisation, "from", last.EndsAt.UTC().Format(time.RFC3339Nano), "until", at(&until), "after", last.RoleID)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// moment reads a time of an address, or takes another where it is none that a list can be of.
func moment(text string, other time.Time) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 2000 || t.Year() > 2999 {
		return other
	}
	return t
}
