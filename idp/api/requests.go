package api

import (
	"cmp"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

type requestsWanted struct {
	Organisation string         `json:"organisation,omitempty" doc:"Its code; that of the role that you act in, when it is left out."`
	Person       string         `json:"person,omitempty" doc:"For whom: her user id. For everybody, when it is left out."`
	Position     string         `json:"position,omitempty" doc:"For which position: its id. For each, when it is left out."`
	Owner        position.Owned `json:"owner,omitempty" enum:"mine nobody" doc:"After which you look, or nobody. After which whoever looks, or nobody, when it is left out."`
	Order        string         `json:"order,omitempty" enum:"asked -asked starts -starts" doc:"By what it is ordered; with -, from the other end. The oldest first, when it is left out."`
	after
}

type request struct {
	ID             uuid.UUID     `json:"id"`
	Kind           position.Kind `json:"kind" enum:"assign_position end_position"`
	State          string        `json:"state" enum:"open approved refused withdrawn lapsed"`
	Person         someone       `json:"person"`
	Organisation   string        `json:"organisation"`
	Position       string        `json:"position"`
	PositionName   string        `json:"position_name"`
	Version        int           `json:"version" doc:"Of the position, that was asked for."`
	StartsAt       time.Time     `json:"starts_at"`
	EndsAt         *time.Time    `json:"ends_at,omitempty"`
	Reason         string        `json:"reason"`
	AskedBy        someone       `json:"asked_by"`
	AskedAt        time.Time     `json:"asked_at"`
	LapsesAt       time.Time     `json:"lapses_at"`
	Owner          *someone      `json:"owner,omitempty" doc:"Who looks after it while it is open, which keeps nobody else from deciding it. Left out: nobody."`
	OwnedSince     *time.Time    `json:"owned_since,omitempty"`
	DecidedBy      string        `json:"decided_by,omitempty"`
	DecidedAt      *time.Time    `json:"decided_at,omitempty"`
	DecisionReason string        `json:"decision_reason,omitempty"`
	BoundByOthers  []bound       `json:"bound_by_others,omitempty" doc:"What the person signs in with and others had to do with, of one request that is open and makes somebody an officer: have her show each before you approve."`
	BoundMark      string        `json:"bound_by_others_mark,omitempty" doc:"Of that list: a decision that approves it sends it, and so says that you have seen it."`
}

type bound struct {
	Authenticator uuid.UUID `json:"authenticator"`
	Name          string    `json:"name"`
	AddedAt       time.Time `json:"added_at"`
	By            someone   `json:"by"`
}

func boundByOthers(bindings []store.Binding) (list []bound) {
	for _, b := range bindings {
		list = append(list, bound{b.AuthenticatorID, b.Name, b.BoundAt.UTC(), someone{b.By, b.ByName}})
	}
	return list
}

func (h *Handler) requestOf(q store.RequestRow) request {
	shown := request{
		ID: q.ID, Kind: position.Kind(q.Kind), State: q.State, Person: someone{q.PersonID, q.PersonName}, Organisation: q.OrganisationCode,
		Position: q.PositionID, PositionName: q.PositionName, Version: q.PositionVersion, StartsAt: q.StartsAt.UTC(), EndsAt: utc(q.ExpiresAt), Reason: q.Reason,
		AskedBy: someone{q.AskedBy, q.AskedByName}, AskedAt: q.AskedAt.UTC(), LapsesAt: q.LapsesAt.UTC(), DecidedBy: or(q.DecidedBy), DecidedAt: utc(q.DecidedAt), DecisionReason: or(q.DecisionReason),
	}
	if q.State == "open" && !q.LapsesAt.After(h.Now()) {
		shown.State = "lapsed"
	}
	return shown
}

// or is the text that there may be.
func or(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

// owned adds to what is shown of a request who looks after it.
func (q request) owned(id, name string, since *time.Time) request {
	if id != "" {
		q.Owner, q.OwnedSince = &someone{id, name}, utc(since)
	}
	return q
}

func (h *Handler) waitingRequest(q store.WaitingRequest) request {
	return h.requestOf(q.RequestRow).owned(q.OwnedBy, q.OwnedByName, q.OwnerSince)
}

func (h *Handler) listRequests(c call, in requestsWanted) (page[request], error) {
	wanted := position.Wanted{Person: in.Person, Position: in.Position, Owner: in.Owner}
	rows, more, err := h.Queue(c.Context(), c.officer, cmp.Or(in.Organisation, c.officer.Organisation), wanted, ordered(in.Order, store.Order{By: store.ByAsked}), in.id())
	last := ""
	if len(rows) > 0 {
		last = rows[len(rows)-1].ID.String()
	}
	return pageOf(rows, h.waitingRequest, c.following(more, last)), err
}

func (h *Handler) readRequest(c call, _ nothing) (request, error) {
	a, err := h.Request(c.Context(), c.officer, c.PathValue("request"))
	if err != nil {
		return request{}, err
	}
	c.tag(cmp.Or(a.Owner.PersonID, ownedByNobody))
	shown := h.requestOf(a.RequestRow).owned(a.Owner.PersonID, a.Owner.DisplayName, &a.Owner.Since)
	shown.BoundByOthers, shown.BoundMark = boundByOthers(a.Bound), position.MarkOf(a.Bound)
	return shown, nil
}

// ownedByNobody is the ETag of a request after which nobody looks. That of any other is who does.
const ownedByNobody = "nobody"

func (h *Handler) takeRequest(c call, _ nothing) (request, error) {
	id, err := c.request()
	if err != nil {
		return request{}, err
	}
	from, err := c.seen()
	if err != nil {
		return request{}, err
	}
	switch from {
	case "": // which is the ETag of none
		return request{}, errNoTag()
	case ownedByNobody:
		from = ""
	}
	if err := h.Positions.Take(c.Context(), c.officer.Acting(), id, from); err != nil {
		return request{}, err
	}
	return h.readRequest(c, nothing{})
}

func (h *Handler) giveBackRequest(c call, _ nothing) (request, error) {
	id, err := c.request()
	if err != nil {
		return request{}, err
	}
	if err := h.Positions.GiveBack(c.Context(), c.officer.Acting(), id); err != nil {
		return request{}, err
	}
	return h.readRequest(c, nothing{})
}

type asked struct {
	Kind     position.Kind `json:"kind" enum:"assign_position end_position"`
	Person   string        `json:"person" doc:"Her user id."`
	Position string        `json:"position"`
	StartsAt time.Time     `json:"starts_at,omitzero" doc:"At once, when it is left out."`
	EndsAt   *time.Time    `json:"ends_at,omitempty"`
	Reason   string        `json:"reason" doc:"For the record."`
}

type settled struct {
	ID    uuid.UUID `json:"id"`
	State string    `json:"state" enum:"open approved refused withdrawn" doc:"A sponsor gives what is assignable at once."`
	Role  string    `json:"role,omitempty" doc:"The role profile that it gave."`
}

func (h *Handler) ask(c call, in asked) (settled, error) {
	a, err := h.Positions.Ask(c.Context(), c.officer.Acting(), position.Asked{
		Kind: in.Kind, Person: in.Person, Position: in.Position, StartsAt: in.StartsAt, ExpiresAt: in.EndsAt, Reason: in.Reason,
	})
	if err != nil {
		return settled{}, err
	}
	c.created("/api/requests/" + a.Request.String())
	return settled{a.Request, a.State, a.Role}, nil
}

type decision struct {
	Verdict position.Verdict `json:"verdict" enum:"approved refused"`
	Reason  string           `json:"reason" doc:"For the record."`
}

// seeing is a decision that may make somebody an officer.
type seeing struct {
	decision

	BoundMark string `json:"bound_by_others_mark,omitempty" doc:"That was answered beside what others had to do with: you have seen what it is of. Left out where there is none."`
}

func (h *Handler) decide(c call, in seeing) (settled, error) {
	id, err := c.request()
	if err != nil {
		return settled{}, err
	}
	a, err := h.Positions.Decide(c.Context(), c.officer.Acting(), id, in.Verdict, in.Reason, in.BoundMark)
	return settled{a.Request, a.State, a.Role}, err
}

func (h *Handler) withdrawRequest(c call, in reason) (settled, error) {
	id, err := c.request()
	if err != nil {
		return settled{}, err
	}
	return settled{ID: id, State: "withdrawn"}, h.Positions.Withdraw(c.Context(), c.officer.Acting(), id, in.Reason)
}

// request is which request the address is about.
func (c call) request() (uuid.UUID, error) {
	id, err := uuid.Parse(c.PathValue("request"))
	if err != nil {
		return id, fmt.Errorf("request %.40q %w", c.PathValue("request"), directory.ErrUnknown)
	}
	return id, nil
}
