package desk

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const reviewsPath = "/desk/reviews"

// reviews lists the reviews of who holds positions.
func (h *Handler) reviews(w http.ResponseWriter, r *http.Request, o officer) error {
	q := r.URL.Query()
	organisation := codeOr(q.Get("organisation"), o.Organisation)
	order, sorting := sorted(r, store.Order{By: store.ByOpened, Descending: true},
		column{name: "Organisation"}, column{"Opened", store.ByOpened, "oldest first", "newest first"}, column{"Due", store.ByDue, "soonest first", "latest first"},
		column{name: "State"}, column{name: "Left to decide"})
	page := web.DeskReviews{Desk: h.desk(r, o), Organisation: organisation, NewURL: reviewsPath + "/new", Sorting: sorting}
	var wrong []web.FieldError
	page.State, wrong = chosen(r, "state", page.States())
	rows, more, err := h.ListReviews(r.Context(), o.Officer, organisation, page.State != "", order, followingUUID(r))
	if page.Errors, err = ofOrganisation(o, err, wrong...); err != nil {
		return err
	}
	if len(page.Errors) > 0 {
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	for _, row := range rows {
		page.Reviews = append(page.Reviews, h.reviewRow(row))
	}
	if more {
		page.NextURL = onward(r, rows[len(rows)-1].ID.String(), "organisation", organisation)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) reviewRow(v store.ReviewRow) web.ReviewRow {
	row := web.ReviewRow{
		OrganisationName: v.OrganisationName, OrganisationCode: v.OrganisationCode, Below: v.Below, Removes: v.Removes, OpenedAt: v.OpenedAt, DueAt: v.DueAt, State: "Open",
		Items: int(v.Items), Certified: int(v.Certified), Removed: int(v.Removed), Lapsed: int(v.Lapsed), Undecided: int(v.Undecided),
		Ended: int(v.Items - v.Certified - v.Removed - v.Lapsed - v.Undecided), URL: reviewsPath + "/" + v.ID.String(),
	}
	switch {
	case v.Undecided == 0:
		row.State = "Finished"
	case !v.DueAt.After(h.Now()):
		row.State = "Overdue"
	}
	return row
}

// newReview is the form that opens a review.
func (h *Handler) newReview(w http.ResponseWriter, r *http.Request, o officer) error {
	if err := h.may(r.Context(), o, authority.Subject{Path: []string{o.Organisation}}, authority.ReviewAccess); err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, h.reviewForm(r, o, o.Organisation, false, false))
}

func (h *Handler) reviewForm(r *http.Request, o officer, organisation string, below, removes bool) web.DeskReviewForm {
	return web.DeskReviewForm{
		Desk: h.desk(r, o), PostURL: o.form(r.URL.Path), Organisation: organisation,
		Below:   []web.Option{{Value: "yes", Label: "Also the organisations below it", Checked: below}},
		Removes: []web.Option{{Value: "yes", Label: "Remove it", Checked: removes}},
	}
}

// openReview takes that form. What can be decided on the last day can be until it ends.
func (h *Handler) openReview(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	scope := position.Scope{
		Organisation: codeOr(f.Get("organisation"), o.Organisation), Below: f.Get("below") == "yes", Removes: f.Get("removes") == "yes", Reason: web.OneLine(f.Get("reason")),
	}
	day, dateErr := date("due", web.OneLine(f.Get("due")))
	if dateErr == nil {
		scope.DueAt = day.AddDate(0, 0, 1)
	}
	var wrong []web.FieldError
	if codeForm.MatchString(scope.Organisation) {
		var id uuid.UUID
		if id, err = h.Positions.OpenReview(r.Context(), o.Acting(), scope); err == nil {
			return web.SeeOther(w, r, reviewsPath+"/"+id.String())
		}
	} else {
		err = directory.ErrUnknown
	}
	already := refusedAs(err, position.ReviewOpenAlready)
	if errors.Is(err, directory.ErrUnknown) {
		wrong = noOrganisation(o)
	} else if wrong, err = mistakes(err, map[string]string{"due": "Enter a day after today and within a year, written like 30/11/2030", "reason": wantReason}); err != nil {
		return err
	}
	page := h.reviewForm(r, o, f.Get("organisation"), scope.Below, scope.Removes)
	page.Errors, page.Due, page.Reason = wrong, f.Get("due"), f.Get("reason")
	if already {
		if page.Meanwhile, err = h.openedMeanwhile(r.Context(), o, scope.Organisation, page); err != nil {
			return err
		}
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// openedMeanwhile is the review of an organisation that another officer opened, beside what was entered.
func (h *Handler) openedMeanwhile(ctx context.Context, o officer, organisation string, page web.DeskReviewForm) (*web.Meanwhile, error) {
	rows, _, err := h.ListReviews(ctx, o.Officer, organisation, true, store.Order{By: store.ByOpened, Descending: true}, uuid.Nil)
	i := slices.IndexFunc(rows, func(v store.ReviewRow) bool { return v.OrganisationCode == organisation })
	if err != nil || i < 0 {
		return nil, err
	}
	due := rows[i].DueAt.Add(-time.Second).Format("2 January 2006") // until the end of that day
	return meanwhile(office.Done{By: rows[i].OpenedByName, At: rows[i].OpenedAt}, beside("Due", due, page.Due), beside("Reason", rows[i].Reason, page.Reason)), nil
}

// review shows a review.
func (h *Handler) review(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.reviewPage(r, o)
	if err != nil {
		return err
	}
	if len(page.Errors) > 0 {
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) reviewPage(r *http.Request, o officer) (web.DeskReview, error) {
	row, err := h.Review(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return web.DeskReview{}, err
	}
	page := web.DeskReview{
		Desk: h.desk(r, o), ReviewRow: h.reviewRow(row), Reason: row.Reason, OpenedBy: row.OpenedByName,
	}
	page.Show, page.Errors = chosen(r, "show", page.Shows())
	var order store.Order
	order, page.Sorting = sorted(r, store.Order{By: store.ByName},
		column{"Person", store.ByName, "A to Z by family name", "Z to A by family name"}, column{"Position", store.ByPosition, "A to Z", "Z to A"},
		column{"Since", store.ByStart, "oldest first", "newest first"}, column{"Expires", store.ByExpiry, "soonest first", "latest first"})
	page.ReportURL = page.URL + "/report.csv"
	page.PostURL = o.form(page.URL, "show", page.Show, "sort", page.Order, "after", following(r))
	items, more, err := h.ReviewItems(r.Context(), row.ID, page.Show == "", order, following(r))
	if err != nil {
		return web.DeskReview{}, err
	}
	var certifiable []string
	for _, item := range items {
		entry := h.reviewEntry(o, item)
		if entry.Decidable && entry.Note == "" {
			certifiable = append(certifiable, entry.Role)
		}
		page.Entries = append(page.Entries, entry)
	}
	page.OnPage = strings.Join(certifiable, " ")
	if more {
		page.NextURL = onward(r, items[len(items)-1].RoleID)
	}
	return page, nil
}

// reviewEntry shows something that a review is about. A note on what can be decided says that it cannot be certified.
func (h *Handler) reviewEntry(o officer, i store.ReviewItem) web.ReviewEntry {
	entry := web.ReviewEntry{
		Role: i.RoleID, Name: i.PersonName, PersonID: i.PersonID, PersonURL: "/desk/people/" + i.PersonID, PositionName: i.PositionName,
		OrganisationCode: i.OrganisationCode, StartsAt: i.StartsAt, Outcome: office.OutcomeWords(i, h.Now()),
	}
	if i.EndsAt != nil {
		entry.ExpiresAt = *i.EndsAt
	}
	if i.DecidedByName != nil {
		entry.By = *i.DecidedByName
	}
	if i.DecidedAt != nil {
		entry.At = *i.DecidedAt
	}
	if entry.Outcome != "" {
		return entry
	}
	subject := authority.Subject{PersonID: i.PersonID, Path: []string{o.Organisation}, Makes: h.Rules.ActorsOf(i.JobRole, i.Activities)}
	why := h.Refusal(o.Officer, subject, authority.ReviewAccess)
	if i.HeldBy == o.PersonID {
		why = authority.OwnPerson
	}
	switch {
	case why != "":
		entry.Note = strings.TrimSuffix(deed.Refuse(why).Sentence(), ".")
	case i.GivenBy == o.PersonID:
		entry.Decidable, entry.Note = true, "You approved it, so you can only remove it"
	default:
		entry.Decidable = true
	}
	return entry
}

// decideReview certifies or removes what is ticked on the page of a review, or certifies all that is on it.
func (h *Handler) decideReview(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	page, err := h.reviewPage(r, o)
	if err != nil {
		return err
	}
	outcome, roles := position.Removed, f["entry"]
	if f.Has("certify") {
		outcome = position.Certified
		if all := f.Get("certify"); all != "ticked" {
			roles = strings.Fields(all)
		}
	}
	if len(roles) == 0 || len(roles) > perPage || slices.ContainsFunc(roles, func(role string) bool { return !directory.IsID(role) }) {
		page.Errors = []web.FieldError{{Field: "entry", Message: "Tick what you certify or remove"}}
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	left, err := h.Positions.DecideReview(r.Context(), o.Acting(), uuid.MustParse(r.PathValue("id")), roles, outcome)
	if err != nil {
		return err
	}
	if len(left) == 0 {
		return web.SeeOther(w, r, address(page.URL, "show", r.URL.Query().Get("show")))
	}
	names := make(map[string]string)
	for _, e := range page.Entries { // as they were before
		names[e.Role] = e.Name
	}
	if page, err = h.reviewPage(r, o); err != nil {
		return err
	}
	for _, l := range left {
		page.Errors = append(page.Errors, web.FieldError{Field: "entry", Message: strings.TrimPrefix(names[l.Role]+": ", ": ") + l.Refusal.Sentence()})
	}
	for i := range page.Entries {
		page.Entries[i].Ticked = slices.Contains(roles, page.Entries[i].Role)
	}
	if page.Meanwhile, err = h.reviewedMeanwhile(r.Context(), uuid.MustParse(r.PathValue("id")), left, outcome); err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// reviewedMeanwhile is what others have decided of what somebody wanted to decide in a review.
func (h *Handler) reviewedMeanwhile(ctx context.Context, review uuid.UUID, left []position.Left, entered position.Outcome) (*web.Meanwhile, error) {
	roles := make([]string, len(left))
	for i, l := range left {
		roles[i] = l.Role
	}
	items, err := h.TheseReviewItems(ctx, review, roles)
	if err != nil {
		return nil, err
	}
	var since *web.Meanwhile
	for _, item := range items {
		if item.DecidedAt == nil || item.DecidedByName == nil {
			continue
		}
		if since == nil {
			since = meanwhile(office.Done{By: *item.DecidedByName, At: *item.DecidedAt})
		}
		wanted := map[position.Outcome]string{position.Certified: "Certify it", position.Removed: "Remove it"}[entered]
		since.Differences = append(since.Differences, beside(item.PersonName, office.OutcomeWords(item, h.Now())+" by "+*item.DecidedByName, wanted))
	}
	return since, nil
}

// reviewReport answers with all that a review is about, as a file of CSV.
func (h *Handler) reviewReport(w http.ResponseWriter, r *http.Request, o officer) error {
	row, sheet, err := h.ReviewReport(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	return download(w, "review-"+row.ID.String(), sheet)
}

// download answers with a file of CSV of a name.
func download(w http.ResponseWriter, name string, rows [][]string) error {
	var body bytes.Buffer
	if err := office.WriteSheet(&body, rows); err != nil {
		return fmt.Errorf("write %s.csv: %w", name, err)
	}
	header := w.Header()
	header.Set("Content-Type", "text/csv; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="`+name+`.csv"`)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body.Bytes()) // a browser that is gone needs no answer
	return nil
}

func at(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
