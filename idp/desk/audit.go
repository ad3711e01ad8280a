package desk

import (
	"cmp"
	"errors"
	"maps"
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
		page.Lines = append(page.Lines, h.auditLine(o, line))
	}
	if len(lines) > 0 {
		q := r.URL.Query()
		asked := []string{
			"person", page.Person, "of", page.Of, "organisation", page.Organisation, "event", page.Event, "outcome", page.Outcome, "from", q.Get("from"), "until", q.Get("until"), "sort", page.Order,
		}
		page.DownloadURL = address(auditPath+"/lines.csv", asked...)
		if more {
			page.NextURL = onward(r, strconv.FormatInt(lines[len(lines)-1].Sequence, 10), "organisation", page.Organisation)
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
	rows := [][]string{{"number", "at", "event", "refusal", "actor", "actor_name", "officer_role", "organisation", "person", "person_name", "client", "address", "reference", "changes", "details"}}
	for _, l := range lines {
		rows = append(rows, []string{
			strconv.FormatInt(l.Sequence, 10), at(&l.At), l.Event, l.Refusal, l.Actor, l.ActorName, l.Role.ID, l.Role.OrganisationCode, l.PersonID, l.PersonName,
			l.ClientID, l.Address, l.RequestID, changesCell(l), detailsCell(l),
		})
	}
	return download(w, "audit-"+cmp.Or(page.Person, page.Organisation), rows)
}

// changesCell is what a line says was changed, for a cell of a file: name=before->after.
func changesCell(l office.AuditLine) string {
	cells := make([]string, len(l.Changes))
	for i, c := range l.Changes {
		cells[i] = c.Field + "=" + c.From + "->" + c.To
	}
	return strings.Join(cells, "; ")
}

// detailsCell is what else a line says, for a cell of a file.
func detailsCell(l office.AuditLine) string {
	var cells []string
	for _, name := range slices.Sorted(maps.Keys(l.Details)) {
		cells = append(cells, name+"="+l.Details[name])
	}
	return strings.Join(cells, "; ")
}

// readAudit reads the lines that an address asks for, and begins the page of them. It has mistakes where none were read.
func (h *Handler) readAudit(r *http.Request, o officer, limit int) (web.DeskAudit, []office.AuditLine, bool, error) {
	q := r.URL.Query()
	page := web.DeskAudit{
		Desk: h.desk(r, o), Person: q.Get("person"), Of: cmp.Or(q.Get("of"), "about"), Organisation: strings.ToUpper(strings.TrimSpace(q.Get("organisation"))),
		Event: q.Get("event"), Outcome: q.Get("outcome"), From: entered(q.Get("from")), Until: enteredLast(q.Get("until")),
		Ofs: auditOfs(), Events: auditEvents(), Outcomes: auditOutcomes(), Most: mostAuditLines,
	}
	if err := h.may(r.Context(), o, authority.Subject{Path: []string{o.Organisation}}, authority.ReadAudit); err != nil || !q.Has("person") && !q.Has("of") {
		return page, nil, false, err
	}
	if page.Of == "organisation" {
		page.Organisation = cmp.Or(page.Organisation, o.Organisation)
	}
	asked, wrong := askedOf(page)
	var order store.Order
	order, page.Sorting = inTime(r, true)
	asked.Oldest, asked.After = !order.Descending, followingLine(r)
	if page.Errors = wrong; len(wrong) > 0 {
		return page, nil, false, nil
	}
	lines, more, err := h.ReadAudit(r.Context(), o.Officer, asked, limit)
	switch {
	case errors.Is(err, directory.ErrUnknown) && asked.Organisation != "":
		page.Errors = noOrganisation(o)
		return page, nil, false, nil
	case errors.Is(err, directory.ErrUnknown):
		page.Errors = []web.FieldError{{Field: "person", Message: wantPerson}}
		return page, nil, false, nil
	case err != nil:
		page.Errors, err = mistakes(err, map[string]string{"event": "Select something else: what services do is read of one person alone"})
		return page, nil, false, err
	}
	page.Searched, page.Person = true, asked.Person
	if asked.Organisation != "" {
		page.Name = asked.Organisation
		return page, lines, more, nil
	}
	names, err := h.Names(r.Context(), asked.Person)
	page.Name = names[asked.Person]
	return page, lines, more, err
}

// auditOfs are of what the record is read.
func auditOfs() []web.Option {
	return []web.Option{
		{Value: "about", Label: "What is on record about this person"},
		{Value: "did", Label: "What this person did as an officer", Hint: "In roles at your organisation or below it"},
		{Value: "organisation", Label: "What is on record of an organisation", Hint: "Of its people and of what its officers did, with the organisations below it"},
	}
}

// auditOutcomes are what came of what was tried.
func auditOutcomes() []web.Option {
	return []web.Option{{Label: "Any"}, {Value: string(store.Done), Label: "Done"}, {Value: string(store.Refused), Label: "Refused"}}
}

const wantPerson = "Enter the user ID of somebody who is on record, of 12 digits"

// askedOf reads what was entered, and says what is wrong with it.
func askedOf(page web.DeskAudit) (asked office.AuditSearch, wrong []web.FieldError) {
	mistake := func(is bool, field, message string) {
		if is {
			wrong = append(wrong, web.FieldError{Field: field, Message: message})
		}
	}
	asked.Person, asked.Did, asked.Event, asked.Outcome = strings.ReplaceAll(page.Person, " ", ""), page.Of == "did", audit.Event(page.Event), store.Outcome(page.Outcome)
	offered := func(list []web.Option, value string) bool {
		return slices.ContainsFunc(list, func(o web.Option) bool { return o.Value == value })
	}
	mistake(!offered(page.Ofs, page.Of), "of", "Select what to read")
	if page.Of == "organisation" {
		asked.Organisation = page.Organisation
		mistake(asked.Person != "", "person", "Enter no user ID, or select what to read of this person")
	} else {
		mistake(!idForm.MatchString(asked.Person), "person", wantPerson)
	}
	mistake(!offered(page.Events, page.Event), "event", "Select what happened, or anything")
	mistake(!offered(page.Outcomes, page.Outcome), "outcome", "Select whether it was done, or any")
	var err error
	if text := web.OneLine(page.From); text != "" {
		asked.From, _, err = instant("from", text)
		mistake(err != nil, "from", wantDate("a day", "1/11/2030"))
	}
	if text := web.OneLine(page.Until); text != "" {
		var day bool
		asked.Until, day, err = instant("until", text)
		mistake(err != nil || asked.Until.Before(asked.From), "until", wantDate("a day that is not before the first,", "30/11/2030"))
		if day {
			asked.Until = asked.Until.AddDate(0, 0, 1)
		}
	}
	return asked, wrong
}

func (h *Handler) auditLine(o officer, l office.AuditLine) web.AuditLine {
	shown := web.AuditLine{
		At: l.At, What: happened(l), Refused: RefusalWords(l.Refusal), By: called(l.ActorName, l.Actor), About: called(l.PersonName, l.PersonID),
		Service: l.ClientID, Address: l.Address, Reference: l.RequestID, Changes: h.auditChanges(l), Details: h.auditDetails(o, l),
	}
	if l.Role.ID != "" {
		shown.Role = h.roleWords(l.Role)
	}
	return shown
}

// roleWords is a role, and where it is.
func (h *Handler) roleWords(r store.RolePlace) string {
	return h.Catalogue.JobRoleShortName(r.JobRole) + " at " + r.OrganisationCode
}

// happened says for people what a line is of.
func happened(l office.AuditLine) string {
	if audit.Event(l.Event) == audit.RequestOwned && l.Refusal == "" {
		if l.Detail["owner"] == "" {
			return "Request given back"
		}
		return "Request taken"
	}
	return cmp.Or(auditWords()[audit.Event(l.Event)], l.Event)
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
