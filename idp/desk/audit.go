package desk

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const auditPath = "/desk/audit"

// mostAuditLines is how many lines a file of the record has at most.
const mostAuditLines = 1000

// audit reads the record.
func (h *Handler) audit(w http.ResponseWriter, r *http.Request, o officer) error {
	page, lines, more, err := h.readAudit(r, o, perPage)
	if err != nil {
		return err
	}
	if len(page.Errors) > 0 {
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	for _, line := range lines {
		page.Lines = append(page.Lines, h.auditLine(line))
	}
	if len(lines) > 0 {
		asked := []string{"person", page.Person, "of", page.Of, "event", page.Event, "from", page.From, "until", page.Until, "sort", page.Order}
		page.DownloadURL = address(auditPath+"/lines.csv", asked...)
		if more {
			page.NextURL = address(auditPath, append(asked, "after", strconv.FormatInt(lines[len(lines)-1].Sequence, 10))...)
		}
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// auditLines answers with the first lines as a file of CSV.
func (h *Handler) auditLines(w http.ResponseWriter, r *http.Request, o officer) error {
	page, lines, _, err := h.readAudit(r, o, mostAuditLines)
	if err != nil {
		return err
	}
	if !page.Searched {
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	var body bytes.Buffer
	c := csv.NewWriter(&body)
	c.UseCRLF = true // RFC 4180, Section 2
	rows := [][]string{{"number", "at", "event", "refusal", "actor", "actor_name", "officer_role", "organisation", "person", "person_name", "client", "address", "reference"}}
	for _, l := range lines {
		rows = append(rows, cells(
			strconv.FormatInt(l.Sequence, 10), at(&l.At), l.Event, l.Refusal, l.Actor, l.ActorName, l.Role.ID, l.Role.OrganisationCode, l.PersonID, l.PersonName,
			l.ClientID, l.Address, l.RequestID))
	}
	if err := c.WriteAll(rows); err != nil {
		return fmt.Errorf("write lines of the record: %w", err)
	}
	header := w.Header()
	header.Set("Content-Type", "text/csv; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="audit-`+page.Person+`.csv"`)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body.Bytes()) // a browser that is gone needs no answer
	return nil
}

// readAudit reads the lines that an address asks for, and begins the page of them. It has mistakes where none were read.
func (h *Handler) readAudit(r *http.Request, o officer, limit int) (web.DeskAudit, []office.AuditLine, bool, error) {
	q := r.URL.Query()
	page := web.DeskAudit{
		Desk: h.desk(r, o), Person: q.Get("person"), Of: cmp.Or(q.Get("of"), "about"), Event: q.Get("event"), From: q.Get("from"), Until: q.Get("until"),
		Ofs:    []web.Option{{Value: "about", Label: "What is on record about this person"}, {Value: "did", Label: "What this person did as an officer", Hint: "In roles at your organisation or below it"}},
		Events: auditEvents(), Most: mostAuditLines,
	}
	if err := h.may(r.Context(), o, authority.Subject{Path: []string{o.Organisation}}, authority.ReadAudit); err != nil || !q.Has("person") {
		return page, nil, false, err
	}
	asked, wrong := askedOf(page)
	var order store.Order
	order, page.Sorting = sorted(r, store.Order{By: store.ByTime, Descending: true}, column{by: store.ByTime, up: "oldest first", down: "newest first"})
	asked.Oldest = !order.Descending
	if asked.After, _ = strconv.ParseInt(q.Get("after"), 10, 64); asked.After < 0 {
		asked.After = 0 // from the beginning
	}
	if page.Errors = wrong; len(wrong) > 0 {
		return page, nil, false, nil
	}
	page.Person = asked.Person
	lines, more, err := h.ReadAudit(r.Context(), o.Officer, asked, limit)
	if errors.Is(err, directory.ErrUnknown) {
		page.Errors = []web.FieldError{{Field: "person", Message: wantPerson}}
		return page, nil, false, nil
	}
	if err != nil {
		return page, nil, false, err
	}
	names, err := h.Names(r.Context(), asked.Person)
	page.Searched, page.Name = true, names[asked.Person]
	return page, lines, more, err
}

const wantPerson = "Enter the user ID of somebody who is on record, of 12 digits"

// askedOf reads what was entered, and says what is wrong with it.
func askedOf(page web.DeskAudit) (asked office.AuditSearch, wrong []web.FieldError) {
	asked.Person, asked.Did, asked.Event = strings.ReplaceAll(page.Person, " ", ""), page.Of == "did", audit.Event(page.Event)
	if !idForm.MatchString(asked.Person) {
		wrong = append(wrong, web.FieldError{Field: "person", Message: wantPerson})
	}
	if !slices.ContainsFunc(page.Ofs, func(o web.Option) bool { return o.Value == page.Of }) {
		wrong = append(wrong, web.FieldError{Field: "of", Message: "Select what to read"})
	}
	if !slices.ContainsFunc(page.Events, func(o web.Option) bool { return o.Value == page.Event }) {
		wrong = append(wrong, web.FieldError{Field: "event", Message: "Select what happened, or anything"})
	}
	var err error
	if text := web.OneLine(page.From); text != "" {
		if asked.From, err = date("from", text); err != nil {
			wrong = append(wrong, web.FieldError{Field: "from", Message: wantDate("a day", "1/11/2030")})
		}
	}
	if text := web.OneLine(page.Until); text != "" {
		if asked.Until, err = date("until", text); err != nil || asked.Until.Before(asked.From) {
			wrong = append(wrong, web.FieldError{Field: "until", Message: wantDate("a day that is not before the first,", "30/11/2030")})
		}
		asked.Until = asked.Until.AddDate(0, 0, 1)
	}
	return asked, wrong
}

func (h *Handler) auditLine(l office.AuditLine) web.AuditLine {
	shown := web.AuditLine{
		At: l.At, What: cmp.Or(auditWords()[audit.Event(l.Event)], l.Event), Refused: strings.ReplaceAll(l.Refusal, "_", " "),
		By: called(l.ActorName, l.Actor), About: called(l.PersonName, l.PersonID), Service: l.ClientID, Address: l.Address, Reference: l.RequestID,
	}
	if l.Role.ID != "" {
		shown.Role = h.Catalogue.JobRoleShortName(l.Role.JobRole) + " at " + l.Role.OrganisationCode
	}
	return shown
}

// called is somebody by name and id, or by what there is of them.
func called(name, id string) string {
	if name == "" {
		return id
	}
	return name + " (" + id + ")"
}

// auditEvents are the events to choose from, by their words.
func auditEvents() []web.Option {
	var list []web.Option
	for event, words := range auditWords() {
		list = append(list, web.Option{Value: string(event), Label: words})
	}
	slices.SortFunc(list, func(a, b web.Option) int { return cmp.Compare(a.Label, b.Label) })
	return append([]web.Option{{Label: "Anything"}}, list...)
}
