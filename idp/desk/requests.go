package desk

import (
	"fmt"
	"net/http"
	"net/url"
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

// requests lists what waits for a decision.
func (h *Handler) requests(w http.ResponseWriter, r *http.Request, o officer) error {
	q := r.URL.Query()
	organisation := codeOr(q.Get("organisation"), o.Organisation)
	order, sorting := sorted(r, store.Order{By: store.ByAsked},
		column{name: "Person"}, column{name: "Position"}, column{name: "Organisation"}, column{name: "Asked by"}, column{name: "Looked after by"},
		column{"Starts", store.ByStart, "soonest first", "latest first"}, column{"Asked", store.ByAsked, "oldest first", "newest first"})
	wanted := position.Wanted{Person: strings.TrimSpace(q.Get("person")), Position: strings.TrimSpace(q.Get("position"))}
	page := web.DeskRequests{Desk: h.desk(r, o), Organisation: organisation, Sorting: sorting, Person: wanted.Person, Position: wanted.Position}
	var wrong []web.FieldError
	page.Owner, wrong = chosen(r, "owner", page.Owners())
	wanted.Owner = position.Owned(page.Owner)
	rows, more, err := h.Queue(r.Context(), o.Officer, organisation, wanted, order, followingUUID(r))
	if page.Errors, err = ofOrganisation(o, err, wrong...); err != nil {
		typed, err := mistakes(err, map[string]string{"person": wantPerson, "position": "Enter the number of a position, of 12 digits"})
		if err != nil {
			return err
		}
		page.Errors = append(page.Errors, typed...)
	}
	if len(page.Errors) > 0 {
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	if h.can(o, authority.Subject{Path: []string{o.Organisation}}, authority.RequestPosition) {
		page.BulkURL = bulkPath
	}
	now := h.Now()
	for _, row := range rows {
		page.Requests = append(page.Requests, waitingRow(row, now))
	}
	if more {
		page.NextURL = onward(r, rows[len(rows)-1].ID.String(), "organisation", organisation)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// waitingRow is requestRow with who looks after it.
func waitingRow(row store.WaitingRequest, now time.Time) web.RequestRow {
	shown := requestRow(row.RequestRow, now)
	shown.OwnerName = row.OwnedByName
	return shown
}

func requestRow(row store.RequestRow, now time.Time) web.RequestRow {
	what := "Give"
	if position.Kind(row.Kind) == position.End {
		what = "End"
	}
	return web.RequestRow{
		What: what, PersonName: row.PersonName, PersonID: row.PersonID, PositionName: row.PositionName, OrganisationName: row.OrganisationName, OrganisationCode: row.OrganisationCode,
		AskedByName: row.AskedByName, Age: age(row.AskedAt, now), StartsAt: row.StartsAt, URL: "/desk/requests/" + row.ID.String(),
	}
}

// request shows one request.
func (h *Handler) request(w http.ResponseWriter, r *http.Request, o officer) error {
	asked, err := h.Request(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, h.requestPage(r, o, asked))
}

func (h *Handler) requestPage(r *http.Request, o officer, a office.Asked) web.DeskRequest {
	now := h.Now()
	page := web.DeskRequest{
		Desk: h.desk(r, o), RequestRow: requestRow(a.RequestRow, now), State: stateWords(a.RequestRow, now), Open: a.State == "open" && a.LapsesAt.After(now),
		Reason: a.Reason, PersonURL: "/desk/people/" + a.PersonID, AskedAt: a.AskedAt, LapsesAt: a.LapsesAt,
		Version: a.PositionVersion, Position: h.details(a.Effect.PositionVersion), PositionURL: "/desk/positions/" + a.PositionID, PostURL: o.form(r.URL.Path),
	}
	if a.ExpiresAt != nil {
		page.ExpiresAt = *a.ExpiresAt
	}
	if a.DecidedAt != nil {
		page.Decided = web.Decision{ByName: a.DecidedByName, Reason: *a.DecisionReason, At: *a.DecidedAt}
	}
	if position.Kind(a.Kind) == position.Assign && a.Now.Version != a.PositionVersion {
		page.Closed, page.Changes = a.Now.Closes, differences(h.details(a.Position), h.details(a.Now))
	}
	if !page.Open {
		return page
	}
	page.CanWithdraw = a.AskedBy == o.PersonID && h.can(o, a.At, authority.RequestPosition)
	of := authority.Subject{PersonID: a.PersonID, Path: a.At.Path}
	why := h.Refusal(o.Officer, of, authority.DecideRequest)
	if why == "" {
		why = authority.FourEyes(a.AskedBy, o.PersonID, a.PersonID)
	}
	page.CanDecide = why == ""
	page.Bound = boundByOthers(a.Bound)
	if page.CanDecide {
		page.PostURL = o.form(r.URL.Path, "bound", position.MarkOf(a.Bound))
	}
	page.TookUp = page.CanDecide && a.TakenUpBy != nil && *a.TakenUpBy == o.PersonID
	page.OwnerName, page.OwnerSince = a.Owner.DisplayName, a.Owner.Since
	switch {
	case !page.CanDecide || page.TookUp:
	case a.Owner.PersonID == o.PersonID:
		page.GiveBackURL = page.PostURL
	default:
		page.TakeURL = o.form(r.URL.Path, "from", a.Owner.PersonID)
	}
	switch {
	case page.CanWithdraw:
	case page.TookUp:
		page.WhyNot = position.Refusal(position.TookUp).Sentence()
	case !page.CanDecide:
		page.WhyNot = deed.Refuse(why).Sentence()
	}
	return page
}

// boundByOthers is what a person signs in with and others had to do with, the oldest first.
func boundByOthers(bindings []store.Binding) (list []web.BoundAuthenticator) {
	for _, b := range bindings {
		list = append(list, web.BoundAuthenticator{Name: b.Name, By: b.ByName, At: b.BoundAt})
	}
	return list
}

// stateWords says for people where a request stands.
func stateWords(q store.RequestRow, now time.Time) string {
	switch {
	case q.State == "open" && !q.LapsesAt.After(now), q.State == "lapsed":
		return "Nobody decided it in time"
	case q.State == "open":
		return "Waits for a decision"
	case q.Assignable:
		return "Given at once, because a sponsor alone decides for this position"
	default:
		return strings.ToUpper(q.State[:1]) + q.State[1:]
	}
}

// decide takes the decision about a request, takes the request back, or says who looks after it.
func (h *Handler) decide(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	err = h.settle(r, o, f)
	if err == nil {
		return web.SeeOther(w, r, r.URL.Path)
	}
	wrong, err := mistakes(err, map[string]string{"reason": wantReason, "verdict": "Select whether you approve or refuse"})
	if err != nil {
		return err
	}
	asked, err := h.Request(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	page := h.requestPage(r, o, asked)
	page.Errors, page.Verdict, page.DecisionReason = wrong, f.Get("verdict"), f.Get("reason")
	if !page.Open {
		page.Meanwhile = decidedMeanwhile(page.Decided, page.State, verdictEntered(f.Has("withdraw"), f.Get("verdict")), f.Get("reason"))
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// settle does what a form of a request says.
func (h *Handler) settle(r *http.Request, o officer, f url.Values) error {
	id, err := uuid.Parse(r.PathValue("id"))
	if err != nil {
		return fmt.Errorf("request %q %w", r.PathValue("id"), directory.ErrUnknown)
	}
	reason := web.OneLine(f.Get("reason"))
	switch {
	case f.Has("take"):
		return h.Positions.Take(r.Context(), o.Acting(), id, r.URL.Query().Get("from"))
	case f.Has("give-back"):
		return h.Positions.GiveBack(r.Context(), o.Acting(), id)
	case f.Has("withdraw"):
		return h.Positions.Withdraw(r.Context(), o.Acting(), id, reason)
	default:
		_, err = h.Positions.Decide(r.Context(), o.Acting(), id, position.Verdict(f.Get("verdict")), reason, r.URL.Query().Get("bound"))
		return err
	}
}

// details says for people what a position lets somebody do.
func (h *Handler) details(v store.PositionVersion) []web.Detail {
	decides := "Another officer"
	if v.Assignable {
		decides = "A sponsor alone: it is given at once"
	}
	list := []web.Detail{
		{Name: "Name", Values: []string{v.Name}},
		{Name: "Notes", Values: some(v.Notes)},
	}
	return append(append(list, h.given(v)...), web.Detail{Name: "Includes", Values: v.Includes}, web.Detail{Name: "Who decides requests", Values: []string{decides}})
}

// given says for people what a version of a position gives.
func (h *Handler) given(v store.PositionVersion) []web.Detail {
	jobRole := web.Detail{Name: "Job role", Values: []string{h.Catalogue.JobRoleShortName(v.JobRole) + " (" + v.JobRole + ")"}}
	return append([]web.Detail{jobRole}, h.access(v)...)
}

// access says for people what a version of a position gives beside its job role.
func (h *Handler) access(v store.PositionVersion) []web.Detail {
	named := func(codes []string, name func(string) string) []string {
		list := make([]string, len(codes))
		for i, code := range codes {
			list[i] = name(code) + " (" + code + ")"
		}
		return list
	}
	return []web.Detail{
		{Name: "Activities", Values: named(v.Activities, h.Catalogue.ActivityName)},
		{Name: "Areas of work", Values: named(v.AreasOfWork, h.Catalogue.AreaOfWorkShortName)},
		{Name: "Workgroups", Values: v.Workgroups},
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
