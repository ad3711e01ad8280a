package api

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/store"
)

// at is the organisation that a list is of, with those below it.
type at struct {
	Organisation string `json:"organisation,omitempty" doc:"Its code; that of the role that you act in, when it is left out."`
	after
}

// atByTime is [at], of a list in the order of time.
type atByTime struct {
	at

	Order string `json:"order,omitempty" enum:"at -at" doc:"By what it is ordered: at, the oldest first, or -at, the newest first. As the list is described, when it is left out."`
}

// oldestFirst and newestFirst are lists in the order of time, by what is first when it is not said.
type oldestFirst struct {
	Order string `json:"order,omitempty" enum:"at -at" doc:"By what it is ordered: at, the oldest first, also when it is left out, or -at, the newest first."`
	after
}

type newestFirst struct {
	Order string `json:"order,omitempty" enum:"at -at" doc:"By what it is ordered: at, the oldest first, or -at, the newest first, also when it is left out."`
	after
}

func (o oldestFirst) order() store.Order { return ordered(o.Order, store.Order{By: store.ByTime}) }

func (o newestFirst) order() store.Order {
	return ordered(o.Order, store.Order{By: store.ByTime, Descending: true})
}

// organisation is that code.
func (a at) organisation(c call) string { return cmp.Or(a.Organisation, c.officer.Organisation) }

// line is the line of the record that the list goes on after; 0 when it begins.
func (a after) line() int64 {
	n, _ := strconv.ParseInt(a.After, 10, 64)
	return max(n, 0)
}

// goesOn is a page of a list, whose next begins after the key of the last row.
func goesOn[Row, Item any](c call, rows []Row, item func(Row) Item, more bool, key func(Row) string) page[Item] {
	if len(rows) == 0 {
		return pageOf(rows, item, "")
	}
	return pageOf(rows, item, c.following(more, key(rows[len(rows)-1])))
}

type expiring struct {
	at

	From  time.Time `json:"from,omitzero" doc:"Now, when it is left out."`
	Until time.Time `json:"until,omitzero" doc:"And not at this time itself; in four weeks, when it is left out."`
	Order string    `json:"order,omitempty" enum:"expires -expires" doc:"By what it is ordered; with -, from the other end. The soonest first, when it is left out."`
}

type expiringRole struct {
	Role         string    `json:"role"`
	Person       someone   `json:"person"`
	Organisation string    `json:"organisation"`
	Position     string    `json:"position"`
	PositionName string    `json:"position_name"`
	EndsAt       time.Time `json:"ends_at"`
}

func expiringRoleOf(r store.ExpiringRole) expiringRole {
	return expiringRole{r.RoleID, someone{r.PersonID, r.PersonName}, r.OrganisationCode, r.PositionID, r.PositionName, r.EndsAt.UTC()}
}

func (h *Handler) listExpiringRoles(c call, in expiring) (page[expiringRole], error) {
	now := h.Now()
	from, until := cmp.Or(in.From, now), cmp.Or(in.Until, office.LooksAheadTo(now))
	rows, more, err := h.ExpiringRoles(c.Context(), c.officer, in.organisation(c), from, until, ordered(in.Order, store.Order{By: store.ByExpiry}), in.After)
	return goesOn(c, rows, expiringRoleOf, more, func(r store.ExpiringRole) string { return r.RoleID }), err
}

type stoppedWanted struct {
	at

	Order string `json:"order,omitempty" enum:"starts -starts" doc:"By what it is ordered; with -, from the other end. What was stopped first, when it is left out."`
}

type stoppedAuthenticator struct {
	ID     uuid.UUID          `json:"id"`
	Person someone            `json:"person"`
	Kind   string             `json:"kind"`
	Name   string             `json:"name"`
	State  registration.State `json:"state" enum:"suspended lost"`
	Since  time.Time          `json:"since"`
}

func stoppedAuthenticatorOf(a store.SuspendedAuthenticator) stoppedAuthenticator {
	return stoppedAuthenticator{a.ID, someone{a.PersonID, a.PersonName}, a.Kind, a.Name, registration.State(a.State), a.Since.UTC()}
}

func (h *Handler) listStoppedAuthenticators(c call, in stoppedWanted) (page[stoppedAuthenticator], error) {
	rows, more, err := h.SuspendedAuthenticators(c.Context(), c.officer, in.organisation(c), ordered(in.Order, store.Order{By: store.ByStart}), in.id())
	return goesOn(c, rows, stoppedAuthenticatorOf, more, func(a store.SuspendedAuthenticator) string { return a.ID.String() }), err
}

type unusualSignIn struct {
	Line    int64     `json:"line" doc:"Of the audit record."`
	At      time.Time `json:"at"`
	Person  someone   `json:"person"`
	Address string    `json:"address" doc:"From which it came."`
	Reasons []string  `json:"reasons" doc:"What was unusual, such as new_country."`
}

func unusualSignInOf(s store.UnusualSignIn) unusualSignIn {
	return unusualSignIn{s.Sequence, s.At.UTC(), someone{s.PersonID, s.PersonName}, s.Address, s.Reasons}
}

func (h *Handler) listUnusualSignIns(c call, in atByTime) (page[unusualSignIn], error) {
	rows, more, err := h.UnusualSignIns(c.Context(), c.officer, in.organisation(c), ordered(in.Order, store.Order{By: store.ByTime, Descending: true}), in.line())
	return goesOn(c, rows, unusualSignInOf, more, func(s store.UnusualSignIn) string { return strconv.FormatInt(s.Sequence, 10) }), err
}

type selfRegistered struct {
	Person       someone   `json:"person"`
	Organisation string    `json:"organisation" doc:"At which she registered herself."`
	RegisteredAt time.Time `json:"registered_at"`
}

func selfRegisteredOf(p store.UnprovedPerson) selfRegistered {
	return selfRegistered{someone{p.ID, p.DisplayName}, p.OrganisationCode, p.RegisteredAt.UTC()}
}

func (h *Handler) listSelfRegistered(c call, in atByTime) (page[selfRegistered], error) {
	rows, more, err := h.Unproved(c.Context(), c.officer, in.organisation(c), ordered(in.Order, store.Order{By: store.ByTime}), in.After)
	return goesOn(c, rows, selfRegisteredOf, more, func(p store.UnprovedPerson) string { return p.ID }), err
}

type withheldWanted struct {
	State string `json:"state,omitempty" enum:"in_force proposed" doc:"proposed: by what waits for approval; otherwise by what is in force."`
	which

	Order string `json:"order,omitempty" enum:"name -name starts -starts" doc:"By what it is ordered; with -, from the other end. By role, when it is left out."`
	after
}

type withheld struct {
	Person       someone   `json:"person"`
	Position     string    `json:"position,omitempty" doc:"That she holds, when it is another one which includes this."`
	PositionName string    `json:"position_name,omitempty"`
	StartsAt     time.Time `json:"starts_at" doc:"Since when she has the role."`
	Because      string    `json:"because"`
	Ends         bool      `json:"ends" doc:"She has lost the role altogether, or would."`
}

func withheldOf(r office.WithheldRow) withheld {
	return withheld{someone{r.PersonID, r.Name}, r.Position, r.PositionName, r.StartsAt.UTC(), r.Because, r.Ends}
}

func (h *Handler) listWithheld(c call, in withheldWanted) (page[withheld], error) {
	state := cmp.Or(in.State, "in_force")
	if !slices.Contains([]string{"in_force", "proposed"}, state) {
		return page[withheld]{}, &directory.InvalidError{Field: "state", Want: "in_force or proposed"}
	}
	list, err := h.Withheld(c.Context(), c.officer, c.PathValue("position"), state == "proposed", in.filter(), ordered(in.Order, store.Order{}), in.After)
	return pageOf(list.Rows, withheldOf, c.following(list.Next != "", list.Next)), err
}

type codesWanted struct {
	Kind  directory.CodeKind `json:"kind" enum:"job_role activity area_of_work"`
	Order string             `json:"order,omitempty" enum:"code -code" doc:"By what it is ordered; with -, from the other end. By code, when it is left out."`
	after
}

type code struct {
	Code string `json:"code"`
	Name string `json:"name"`
}

// listCodes lists what positions can be made of.
func (h *Handler) listCodes(c call, in codesWanted) (page[code], error) {
	const perPage = 100
	if err := h.May(c.Context(), c.officer, authority.Subject{Path: []string{c.officer.Organisation}}, office.OnPositions()...); err != nil {
		return page[code]{}, err
	}
	if !slices.Contains(directory.CodeKinds(), in.Kind) {
		return page[code]{}, &directory.InvalidError{Field: "kind", Want: "job_role, activity or area_of_work"}
	}
	rows, before := h.Positions.Catalogue.All(in.Kind), -1
	if in.Order == "-code" {
		slices.Reverse(rows)
		before = 1
	}
	rows = slices.DeleteFunc(rows, func(e directory.Entry) bool {
		return e.Retired || in.After != "" && strings.Compare(e.Code, in.After) != -before
	})
	more := len(rows) > perPage
	return goesOn(c, rows[:min(len(rows), perPage)], codeOf, more, func(e directory.Entry) string { return e.Code }), nil
}

func codeOf(e directory.Entry) code { return code{e.Code, e.Name} }
