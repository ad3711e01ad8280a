package desk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// onRequests are the acts any of which shows requests.
func onRequests() []authority.Act {
	return []authority.Act{authority.DecideRequest, authority.RequestPosition}
}

// requests lists what waits for a decision.
func (h *Handler) requests(w http.ResponseWriter, r *http.Request, o officer) error {
	q := r.URL.Query()
	organisation := codeOr(q.Get("organisation"), o.Organisation)
	after, err := uuid.Parse(q.Get("after"))
	if err != nil {
		after = uuid.Nil // from the beginning
	}
	page := web.DeskRequests{Desk: h.desk(r, o), Organisation: organisation}
	rows, more, err := h.queue(r.Context(), o, organisation, after)
	if errors.Is(err, directory.ErrUnknown) {
		page.Errors = noOrganisation(o)
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	if err != nil {
		return err
	}
	now := h.Now()
	for _, row := range rows {
		page.Requests = append(page.Requests, requestRow(row, now))
	}
	if more {
		page.NextURL = address("/desk/requests", "organisation", organisation, "after", rows[len(rows)-1].ID.String())
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// queue lists a page of what is open at an organisation and below it, oldest first, and says whether there is more.
func (h *Handler) queue(ctx context.Context, o officer, organisation string, after uuid.UUID) (rows []store.RequestRow, more bool, err error) {
	here, err := h.at(ctx, organisation)
	if err != nil {
		return nil, false, err
	}
	if err := h.may(ctx, o, here, onRequests()...); err != nil {
		return nil, false, err
	}
	rows, err = h.Store.OpenRequests(ctx, organisation, after, perPage+1, h.Now())
	if err != nil {
		return nil, false, fmt.Errorf("list open requests of organisation %s: %w", organisation, err)
	}
	return rows[:min(len(rows), perPage)], len(rows) > perPage, nil
}

func requestRow(row store.RequestRow, now time.Time) web.RequestRow {
	what := "Give"
	if position.Kind(row.Kind) == position.End {
		what = "End"
	}
	return web.RequestRow{
		What: what, PersonName: row.PersonName, PersonID: row.PersonID, PositionName: row.PositionName, OrganisationCode: row.OrganisationCode,
		AskedByName: row.AskedByName, Age: age(row.AskedAt, now), URL: "/desk/requests/" + row.ID.String(),
	}
}

// request shows one request.
func (h *Handler) request(w http.ResponseWriter, r *http.Request, o officer) error {
	asked, err := h.asked(r.Context(), o, r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, h.requestPage(r, o, asked))
}

// asked is a request with what it is decided by.
type asked struct {
	store.RequestRow

	decidedBy string                // the name of the officer
	position  store.PositionVersion // that was asked for
	now       store.PositionVersion // the version of the position that is in force
	at        authority.Subject     // where
}

// asked reads a request that an officer may see.
func (h *Handler) asked(ctx context.Context, o officer, text string) (asked, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return asked{}, fmt.Errorf("request %q %w", text, directory.ErrUnknown)
	}
	row, err := h.Store.Request(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return asked{}, fmt.Errorf("request %s %w", id, directory.ErrUnknown)
	}
	if err != nil {
		return asked{}, fmt.Errorf("read request %s: %w", id, err)
	}
	a := asked{RequestRow: row}
	if a.at, err = h.at(ctx, row.OrganisationCode); err != nil {
		return asked{}, err
	}
	if err := h.may(ctx, o, a.at, onRequests()...); err != nil {
		return asked{}, err
	}
	if a.position, err = h.Store.PositionVersion(ctx, row.PositionID, row.PositionVersion); err != nil {
		return asked{}, fmt.Errorf("read position %s in version %d: %w", row.PositionID, row.PositionVersion, err)
	}
	newest, err := h.Store.Position(ctx, row.PositionID)
	if err != nil {
		return asked{}, fmt.Errorf("read position %s: %w", row.PositionID, err)
	}
	a.now = newest.PositionVersion
	if newest.InForce != newest.Version { // what is only proposed changes nothing
		if a.now, err = h.Store.PositionVersion(ctx, row.PositionID, newest.InForce); err != nil {
			return asked{}, fmt.Errorf("read position %s in version %d: %w", row.PositionID, newest.InForce, err)
		}
	}
	if row.DecidedBy != nil {
		names, err := h.names(ctx, *row.DecidedBy)
		if err != nil {
			return asked{}, err
		}
		a.decidedBy = names[*row.DecidedBy]
	}
	return a, nil
}

// names reads what people are called, by id.
func (h *Handler) names(ctx context.Context, ids ...string) (map[string]string, error) {
	list, err := h.Store.PersonNames(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read names of people: %w", err)
	}
	names := make(map[string]string, len(list))
	for _, p := range list {
		names[p.ID] = p.DisplayName
	}
	return names, nil
}

func (h *Handler) requestPage(r *http.Request, o officer, a asked) web.DeskRequest {
	now := h.Now()
	page := web.DeskRequest{
		Desk: h.desk(r, o), RequestRow: requestRow(a.RequestRow, now), State: stateWords(a.RequestRow, now), Open: a.State == "open" && a.LapsesAt.After(now),
		Reason: a.Reason, PersonURL: "/desk/people/" + a.PersonID, AskedAt: a.AskedAt, StartsAt: a.StartsAt, LapsesAt: a.LapsesAt,
		Version: a.PositionVersion, Position: h.details(a.position), PositionURL: "/desk/positions/" + a.PositionID, PostURL: r.URL.Path,
	}
	if a.ExpiresAt != nil {
		page.ExpiresAt = *a.ExpiresAt
	}
	if a.DecidedAt != nil {
		page.Decided = web.Decision{ByName: a.decidedBy, Reason: *a.DecisionReason, At: *a.DecidedAt}
	}
	if position.Kind(a.Kind) == position.Assign && a.now.Version != a.PositionVersion {
		page.Closed, page.Changes = a.now.Closes, differences(h.details(a.position), h.details(a.now))
	}
	if !page.Open {
		return page
	}
	page.CanWithdraw = a.AskedBy == o.PersonID && h.can(o, a.at, authority.RequestPosition)
	of := authority.Subject{PersonID: a.PersonID, Path: a.at.Path}
	why := h.refusal(o, of, authority.DecideRequest)
	if why == "" {
		why = authority.FourEyes(a.AskedBy, o.PersonID, a.PersonID)
	}
	page.CanDecide = why == ""
	if !page.CanDecide && !page.CanWithdraw {
		page.WhyNot = sentence(&position.Refusal{Reason: position.Reason(why)})
	}
	return page
}

// stateWords says for people where a request stands.
func stateWords(q store.RequestRow, now time.Time) string {
	switch {
	case q.State == "open" && !q.LapsesAt.After(now), q.State == "lapsed":
		return "Nobody decided it in time"
	case q.State == "open":
		return "Waits for a decision"
	case q.Assignable:
		return "Given at once, because the position is assignable"
	default:
		return strings.ToUpper(q.State[:1]) + q.State[1:]
	}
}

// decide takes the decision about a request, or takes the request back.
func (h *Handler) decide(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	verdict, reason := f.Get("verdict"), oneLine(f.Get("reason"))
	err = h.settle(r.Context(), o, r.PathValue("id"), f.Has("withdraw"), position.Verdict(verdict), reason)
	if err == nil {
		return to(w, r, r.URL.Path)
	}
	wrong, err := mistakes(err, map[string]string{"reason": "Enter a reason, of up to 500 characters", "verdict": "Select whether you approve or refuse"})
	if err != nil {
		return err
	}
	asked, err := h.asked(r.Context(), o, r.PathValue("id"))
	if err != nil {
		return err
	}
	page := h.requestPage(r, o, asked)
	page.Errors, page.Verdict, page.DecisionReason = wrong, verdict, f.Get("reason")
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// settle decides a request, or withdraws it.
func (h *Handler) settle(ctx context.Context, o officer, text string, withdraw bool, verdict position.Verdict, reason string) error {
	id, err := uuid.Parse(text)
	if err != nil {
		return fmt.Errorf("request %q %w", text, directory.ErrUnknown)
	}
	if withdraw {
		return h.Positions.Withdraw(ctx, o.acting(), id, reason)
	}
	_, err = h.Positions.Decide(ctx, o.acting(), id, verdict, reason)
	return err
}

// details says for people what a position lets somebody do.
func (h *Handler) details(v store.PositionVersion) []web.Detail {
	named := func(codes []string, name func(string) string) []string {
		list := make([]string, len(codes))
		for i, code := range codes {
			list[i] = name(code) + " (" + code + ")"
		}
		return list
	}
	assignable := "No: another officer decides each request"
	if v.Assignable {
		assignable = "Yes: a sponsor gives it at once"
	}
	return []web.Detail{
		{Name: "Name", Values: []string{v.Name}},
		{Name: "Notes", Values: some(v.Notes)},
		{Name: "Job role", Values: named([]string{v.JobRole}, h.Catalogue.JobRoleShortName)},
		{Name: "Activities", Values: named(v.Activities, h.Catalogue.ActivityName)},
		{Name: "Areas of work", Values: named(v.AreasOfWork, h.Catalogue.AreaOfWorkShortName)},
		{Name: "Workgroups", Values: v.Workgroups},
		{Name: "Assignable", Values: []string{assignable}},
	}
}

func some(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// differences lists what differs between two of the same details.
func differences(was, is []web.Detail) []web.Difference {
	var list []web.Difference
	for i, d := range was {
		if strings.Join(d.Values, "\n") != strings.Join(is[i].Values, "\n") {
			list = append(list, web.Difference{Name: d.Name, Was: d.Values, Is: is[i].Values})
		}
	}
	return list
}
