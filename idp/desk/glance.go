package desk

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
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
		f := web.Figure{Name: name, Amount: web.Amount{Count: int(of.Count), OrMore: of.Count >= office.MostCounted}, Note: "None waits", URL: url}
		if of.FirstAt != nil {
			f.Note = waited(is, *of.FirstAt, g.At)
		}
		page.Figures = append(page.Figures, f)
	}
	figure("Open requests", list("/desk/requests"), store.WaitingRequests)
	figure("Requests that nobody looks after", address("/desk/requests", "organisation", g.Organisation, "owner", string(position.Nobodys)), store.UnownedRequests)
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
	if len(g.SignIns) > 0 {
		page.SignIns = &web.LineChart{ID: "signed-in", Title: "Sign-ins of the last four weeks", Description: "How many sign-ins there were, day by day", Of: "Day"}
	}
	for _, day := range g.SignIns {
		page.SignIns.Points = append(page.SignIns.Points, web.Point{
			Name: day.Day.Format(dayForm), Count: int(day.SignIns),
			URL: address(auditPath, "of", "organisation", "organisation", g.Organisation, "event", string(audit.SignedIn), "outcome", string(store.Done),
				"from", at(&day.From), "until", at(&day.Until)),
		})
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
	from, until, wrong := period(q, now)
	order, sorting := sorted(r, store.Order{By: store.ByExpiry},
		column{name: "Person"}, column{name: "Position"}, column{name: "Organisation"}, column{"Expires", store.ByExpiry, "soonest first", "latest first"})
	page := web.DeskExpiring{Desk: h.desk(r, o), Organisation: organisation, EnteredFrom: entered(q.Get("from")), EnteredUntil: entered(q.Get("until")), From: from, Until: until, Sorting: sorting}
	if page.Errors = wrong; len(wrong) > 0 {
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	rows, more, err := h.ExpiringRoles(r.Context(), o.Officer, organisation, from, until, order, following(r))
	if errors.Is(err, directory.ErrUnknown) {
		page.Errors = noOrganisation(o)
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	if err != nil {
		return err
	}
	for _, row := range rows {
		page.Roles = append(page.Roles, web.ExpiringRole{
			Name: row.PersonName, PersonID: row.PersonID, PersonURL: "/desk/people/" + row.PersonID, PositionName: row.PositionName,
			PositionURL: positionsPath + "/" + row.PositionID, OrganisationCode: row.OrganisationCode, ExpiresAt: row.EndsAt,
		})
	}
	if more {
		page.NextURL = onward(r, rows[len(rows)-1].RoleID, "organisation", organisation, "from", at(&from), "until", at(&until))
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// period reads from which time to which one a list is, or takes now and as far as a glance looks ahead where nothing was entered, and
// says what is wrong with what was.
func period(q url.Values, now time.Time) (from, until time.Time, wrong []web.FieldError) {
	from, err := moment("from", q.Get("from"), now)
	if err != nil {
		wrong = append(wrong, web.FieldError{Field: "from", Message: wantDate("a day, or a time,", "1/11/2030 or 1/11/2030 09:00")})
	}
	if until, err = moment("until", q.Get("until"), office.LooksAheadTo(from)); err != nil || len(wrong) == 0 && q.Get("until") != "" && !until.After(from) {
		wrong = append(wrong, web.FieldError{Field: "until", Message: wantDate("a day, or a time, after the first,", "30/11/2030 or 30/11/2030 09:00")})
	}
	return from, until, wrong
}

// entryForm is how a moment stands in a field.
const entryForm = "2/1/2006 15:04:05"

// moment reads a time that was entered or that an address has: a day is its beginning, and "" another time.
func moment(field, text string, other time.Time) (time.Time, error) {
	text = web.OneLine(text)
	if text == "" {
		return other, nil
	}
	t, _, err := instant(field, text)
	if err == nil && (t.Year() < 2000 || t.Year() > 2999) {
		err = &directory.InvalidError{Field: field, Want: "a time of this millennium"}
	}
	return t, err
}

// instant reads a time, or the beginning of a day, and says whether it is a day.
func instant(field, text string) (t time.Time, day bool, err error) {
	for _, layout := range []string{time.RFC3339, entryForm, "2/1/2006 15:04"} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() >= 1000 {
			return t.UTC(), false, nil
		}
	}
	t, err = date(field, text)
	return t, true, err
}

// entered is a time of an address as a field has it, as people write it, or what was entered that is none. The beginning of a day is
// the day.
func entered(text string) string {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	switch t = t.UTC(); {
	case t.Equal(t.Truncate(24 * time.Hour)):
		return t.Format("2/1/2006")
	case t.Second() == 0:
		return t.Format("2/1/2006 15:04")
	default:
		return t.Format(entryForm)
	}
}

// enteredLast is entered for a field that has the last day: where a day begins, the one before it is over.
func enteredLast(text string) string {
	if t, err := time.Parse(time.RFC3339, text); err == nil && t.Equal(t.Truncate(24*time.Hour)) {
		return entered(at(new(t.AddDate(0, 0, -1))))
	}
	return entered(text)
}
