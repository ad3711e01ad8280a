package desk

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/breakglass"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const breakGlassPath = "/desk/break-glass"

// breakGlasses lists what was opened by break-glass.
func (h *Handler) breakGlasses(w http.ResponseWriter, r *http.Request, o officer) error {
	q := r.URL.Query()
	organisation := codeOr(q.Get("organisation"), o.Organisation)
	order, sorting := sorted(r, store.Order{By: store.ByTime, Descending: true},
		column{name: "Organisation"}, column{name: "Who"}, column{"Opened", store.ByTime, "oldest first", "newest first"}, column{name: "State"})
	page := web.DeskBreakGlasses{Desk: h.desk(r, o), Organisation: organisation, Sorting: sorting}
	var wrong []web.FieldError
	page.Show, wrong = chosen(r, "show", page.Shows())
	rows, more, err := h.ListBreakGlass(r.Context(), o.Officer, organisation, page.Show == "", order, followingUUID(r))
	if page.Errors, err = ofOrganisation(o, err, wrong...); err != nil {
		return err
	}
	if len(page.Errors) > 0 {
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	for _, b := range rows {
		page.Rows = append(page.Rows, h.breakGlassRow(b))
	}
	if more {
		page.NextURL = onward(r, rows[len(rows)-1].ID.String(), "organisation", organisation)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) breakGlassRow(b store.BreakGlassRow) web.BreakGlassRow {
	row := web.BreakGlassRow{
		OrganisationName: b.OrganisationName, OrganisationCode: b.OrganisationCode, AskedBy: b.AskedByName, ConfirmedBy: b.ConfirmedByName, Reason: b.Reason,
		OpenedAt: b.OpenedAt, EndsAt: b.EndsAt, State: "To be signed for", URL: breakGlassPath + "/" + b.ID.String(),
	}
	switch now := h.Now(); {
	case b.SignedAt != nil:
		row.State = "Signed for"
	case b.EndsAt.After(now):
		row.State = "In use"
	case !b.OpenedAt.Add(breakglass.ReviewWithin).After(now):
		row.State = "Overdue to be signed for"
	}
	return row
}

// overdue says of what nobody has signed for that the oldest of it should have been, and is "" before that.
func overdue(oldest, now time.Time) string {
	if oldest.Add(breakglass.ReviewWithin).After(now) {
		return ""
	}
	return ", which is overdue"
}

// breakGlass shows what was opened, and what was done.
func (h *Handler) breakGlass(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.breakGlassPage(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) breakGlassPage(r *http.Request, o officer) (web.DeskBreakGlass, error) {
	b, err := h.BreakGlass(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return web.DeskBreakGlass{}, err
	}
	page := web.DeskBreakGlass{Desk: h.desk(r, o), BreakGlassRow: h.breakGlassRow(b)}
	page.PostURL, page.CanEnd = o.form(page.URL), b.EndsAt.After(h.Now())
	page.CanSign = !page.CanEnd && b.SignedAt == nil && !slices.Contains(b.People, o.PersonID)
	if b.SignedAt != nil {
		page.SignedBy, page.SignedAt, page.Note = *b.SignedByName, *b.SignedAt, *b.Note
	}
	var order store.Order
	order, page.Sorting = inTime(r, true)
	lines, more, err := h.DoneByBreakGlass(r.Context(), o.Officer, b, order, followingLine(r))
	if err != nil {
		return page, err
	}
	for _, line := range lines {
		page.Lines = append(page.Lines, h.auditLine(o, line))
	}
	if more {
		page.NextURL = onward(r, strconv.FormatInt(lines[len(lines)-1].Sequence, 10))
	}
	return page, nil
}

// changeBreakGlass signs for what was done, or ends what is open.
func (h *Handler) changeBreakGlass(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	page, err := h.breakGlassPage(r, o)
	if err != nil {
		return err
	}
	id, note := uuid.MustParse(r.PathValue("id")), web.OneLine(f.Get("note"))
	if f.Get("act") == "end" {
		err = h.Breakglass.Stop(r.Context(), o.Acting(), id)
	} else {
		err = h.Breakglass.Sign(r.Context(), o.Acting(), id, note)
	}
	if err == nil {
		return web.SeeOther(w, r, page.URL)
	}
	wrong, err := mistakes(err, map[string]string{"note": "Enter what you found, in up to 1,000 characters"})
	if err != nil {
		return err
	}
	if page, err = h.breakGlassPage(r, o); err != nil { // as it is by now
		return err
	}
	page.Errors = wrong
	switch {
	case f.Get("act") == "end" && !page.CanEnd:
		done, err := h.EndedBreakGlass(r.Context(), o.Officer, r.PathValue("id"))
		if err != nil {
			return err
		}
		if done.At.IsZero() {
			break
		}
		page.Meanwhile = meanwhile(done, beside("State", "It has ended", "To end it"))
	case page.SignedBy != "":
		page.Meanwhile = meanwhile(office.Done{By: page.SignedBy, At: page.SignedAt}, beside("Note", page.Note, f.Get("note")))
	default:
		page.Note = f.Get("note")
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}
