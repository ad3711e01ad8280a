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
	page := web.DeskGlance{Desk: h.desk(r, o), Organisation: g.Organisation, Name: g.Name, PolicyURL: policyPath(g.Organisation)}
	figure := func(name, url string, is store.Figure) {
		of, hers := g.Doing[is]
		if !hers {
			return
		}
		f := web.Figure{Name: name, Amount: web.Amount{Count: int(of.Count), OrMore: of.Count >= office.MostCounted}, URL: url}
		if of.FirstAt != nil {
			f.Note = waited(is, *of.FirstAt, g.At)
		}
		page.Figures = append(page.Figures, f)
	}
	figure("Open requests", list("/desk/requests"), store.WaitingRequests)
	figure("People to put on record", list(introductionsPath), store.WaitingIntroductions)
	figure("Positions to approve", address(positionsPath, "organisation", g.Organisation, "state", "proposed"), store.WaitingPositions)
	figure("People who registered themselves, to prove", list(unprovedPath), store.WaitingPeople)
	figure("Evidence that waits for a second checker", list(proposalsPath), store.WaitingEvidence)
	figure("Profiles to merge", list(mergesPath), store.WaitingMerges)
	figure("Break-glass to sign for", list(breakGlassPath), store.UnsignedBreakGlasses)
	figure("Open access reviews", address(reviewsPath, "organisation", g.Organisation, "state", "open"), store.WaitingReviews)
	figure("Suspended and lost authenticators", list(suspendedPath), store.WaitingAuthenticators)
	if g.Unusual != nil {
		page.Figures = append(page.Figures, web.Figure{
			Name: "Unusual sign-ins", Amount: web.Amount{Count: int(*g.Unusual), OrMore: *g.Unusual >= office.MostCounted},
			Note: "In the last " + many(office.DaysBack, "day"), URL: list(unusualPath),
		})
	}
	page.SignIns = &web.LineChart{ID: "signed-in", Title: "Sign-ins of the last four weeks", Description: "How many sign-ins there were, day by day", Of: "Day"}
	for _, day := range g.SignIns {
		page.SignIns.Points = append(page.SignIns.Points, web.Point{Name: day.Day.Format(dayForm), Count: int(day.SignIns)})
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

// waited says how long the first of what waits has, and whether that is too long.
func waited(figure store.Figure, first, now time.Time) string {
	switch {
	case figure == store.WaitingReviews && !first.After(now):
		return "The first is overdue since " + first.Format(dayForm)
	case figure == store.WaitingReviews:
		return "The last day of the first is " + first.UTC().Add(-time.Nanosecond).Format(dayForm)
	case figure == store.UnsignedBreakGlasses:
		return "The oldest has waited for " + age(first, now) + overdue(first, now)
	default:
		return "The oldest has waited for " + age(first, now)
	}
}

// dayForm is how a day is written.
const dayForm = "2 January 2006"

// expiring lists whose positions expire soon.
func (h *Handler) expiring(w http.ResponseWriter, r *http.Request, o officer) error {
	q := r.URL.Query()
	organisation, now := codeOr(q.Get("organisation"), o.Organisation), h.Now()
	from, until := moment(q.Get("from"), now), moment(q.Get("until"), office.LooksAheadTo(now))
	order, sorting := sorted(r, store.Order{By: store.ByExpiry},
		column{name: "Person"}, column{name: "Position"}, column{name: "Organisation"}, column{"Expires", store.ByExpiry, "soonest first", "latest first"})
	page := web.DeskExpiring{Desk: h.desk(r, o), Organisation: organisation, From: from, Until: until, Sorting: sorting}
	rows, more, err := h.ExpiringRoles(r.Context(), o.Officer, organisation, from, until, order, following(r))
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
		page.NextURL = address(expiringPath, "organisation", organisation, "from", at(&from), "until", at(&until), "sort", sorting.Order, "after", rows[len(rows)-1].RoleID)
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
