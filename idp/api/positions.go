package api

import (
	"cmp"
	"math"
	"strconv"
	"time"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

type positionsWanted struct {
	Organisation string `json:"organisation,omitempty" doc:"Its code; that of the role that you act in, when it is left out."`
	Name         string `json:"name,omitempty" doc:"Only those whose name begins so."`
	State        string `json:"state,omitempty" enum:"proposed" doc:"proposed: only those of which something waits for approval."`
	Order        string `json:"order,omitempty" enum:"name -name at -at" doc:"By what it is ordered; with -, from the other end. at is since when something waits, with state proposed. By id, when it is left out, or by name where one is given."`
	after
}

type positionRow struct {
	ID           string         `json:"id"`
	Organisation string         `json:"organisation"`
	Name         string         `json:"name"`
	JobRole      string         `json:"job_role"`
	State        position.State `json:"state" enum:"draft approved closed"`
	Proposed     bool           `json:"proposed" doc:"Its newest version waits for approval."`
}

func positionRowOf(p store.PositionRow) positionRow {
	return positionRow{p.PositionID, p.OrganisationCode, p.Name, p.JobRole, position.StateOf(p), p.ApprovedAt == nil}
}

func (h *Handler) listPositions(c call, in positionsWanted) (page[positionRow], error) {
	order := ordered(in.Order, store.Order{})
	if order.By == store.ByTime && in.State == "" {
		return page[positionRow]{}, &directory.InvalidError{Field: "order", Want: "name or -name where state is not proposed"}
	}
	list, err := h.ListPositions(c.Context(), c.officer, cmp.Or(in.Organisation, c.officer.Organisation), in.Name, in.State != "", order, in.After)
	last := ""
	if len(list.Rows) > 0 {
		last = list.Rows[len(list.Rows)-1].PositionID
	}
	return pageOf(list.Rows, positionRowOf, c.following(list.More, last)), err
}

type positionShown struct {
	positionRow

	InForce  *version  `json:"in_force,omitempty" doc:"What it is."`
	Newest   *version  `json:"to_be,omitempty" doc:"What it is to be, when somebody has approved it."`
	Holders  int       `json:"holders" doc:"How many hold it, or are to."`
	Versions []version `json:"versions"`
	Next     string    `json:"next,omitempty" doc:"The address of the next page of versions, when there is one."`
}

type version struct {
	Version     int        `json:"version"`
	Closes      bool       `json:"closes" doc:"It is the end of the position."`
	Name        string     `json:"name"`
	Notes       string     `json:"notes,omitempty"`
	JobRole     string     `json:"job_role"`
	AreasOfWork []string   `json:"areas_of_work,omitempty"`
	Activities  []string   `json:"activities,omitempty"`
	Workgroups  []string   `json:"workgroups,omitempty"`
	Assignable  bool       `json:"assignable"`
	Reason      string     `json:"reason"`
	ProposedBy  string     `json:"proposed_by"`
	ProposedAt  time.Time  `json:"proposed_at"`
	ApprovedBy  string     `json:"approved_by,omitempty"`
	ApprovedAt  *time.Time `json:"approved_at,omitempty"`
}

func versionOf(v store.PositionVersion) version {
	return version{
		Version: v.Version, Closes: v.Closes, Name: v.Name, Notes: v.Notes, JobRole: v.JobRole, AreasOfWork: v.AreasOfWork, Activities: v.Activities,
		Workgroups: v.Workgroups, Assignable: v.Assignable, Reason: v.Reason, ProposedBy: v.MadeBy, ProposedAt: v.MadeAt.UTC(), ApprovedBy: or(v.ApprovedBy), ApprovedAt: utc(v.ApprovedAt),
	}
}

func (h *Handler) readPosition(c call, in newestFirst) (positionShown, error) {
	p, err := h.Position(c.Context(), c.officer, c.PathValue("position"), in.order(), int(min(in.line(), math.MaxInt32)))
	if err != nil {
		return positionShown{}, err
	}
	shown := positionShown{positionRow: positionRowOf(p.PositionRow), Holders: p.Holders, Versions: pageOf(p.Versions, versionOf, "").Items}
	if p.InForce > 0 {
		shown.InForce = new(versionOf(p.Current))
	}
	if p.ApprovedAt == nil {
		shown.Newest = new(versionOf(p.PositionVersion))
	}
	if p.More {
		shown.Next = c.following(true, strconv.Itoa(p.Versions[len(p.Versions)-1].Version))
	}
	c.tag(p.Version)
	return shown, nil
}

type holder struct {
	Role     string     `json:"role"`
	Person   someone    `json:"person"`
	Version  int        `json:"version" doc:"Of the position, that the role gives."`
	StartsAt time.Time  `json:"starts_at"`
	EndsAt   *time.Time `json:"ends_at,omitempty"`
}

type someone struct {
	UserID string `json:"user_id"`
	Name   string `json:"name"`
}

func holderOf(r store.HolderRow) holder {
	return holder{r.RoleID, someone{r.PersonID, r.DisplayName}, r.Version, r.StartsAt.UTC(), utc(r.EndsAt)}
}

// which of those who hold a position are listed.
type which struct {
	Person       string `json:"person,omitempty" doc:"Only her: a user id."`
	Name         string `json:"name,omitempty" doc:"Only people with a name like it, when no person is given."`
	Organisation string `json:"organisation,omitempty" doc:"Only people who have a role there: its code."`
}

func (w which) filter() store.HolderFilter {
	return store.HolderFilter{PersonID: w.Person, Name: w.Name, Organisation: w.Organisation}
}

type holdersWanted struct {
	which

	Order string `json:"order,omitempty" enum:"name -name starts -starts expires -expires" doc:"By what it is ordered; with -, from the other end. By role, when it is left out."`
	after
}

func (h *Handler) listHolders(c call, in holdersWanted) (page[holder], error) {
	_, rows, more, err := h.Holders(c.Context(), c.officer, c.PathValue("position"), in.filter(), ordered(in.Order, store.Order{}), in.After)
	last := ""
	if len(rows) > 0 {
		last = rows[len(rows)-1].RoleID
	}
	return pageOf(rows, holderOf, c.following(more, last)), err
}

type draft struct {
	Name        string      `json:"name"`
	Notes       string      `json:"notes,omitempty"`
	JobRole     string      `json:"job_role" doc:"S:G:R code."`
	AreasOfWork []string    `json:"areas_of_work,omitempty" doc:"P:Q:T codes."`
	Activities  []string    `json:"activities,omitempty" doc:"B codes."`
	Workgroups  []workgroup `json:"workgroups,omitempty"`
	Assignable  bool        `json:"assignable,omitempty" doc:"A sponsor alone gives it."`
	Reason      string      `json:"reason" doc:"For the record."`
}

type workgroup struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

func (d draft) position() position.Draft {
	p := position.Draft{
		Name: d.Name, Notes: d.Notes, JobRole: d.JobRole, AreasOfWork: d.AreasOfWork, Activities: d.Activities, Assignable: d.Assignable, Reason: d.Reason,
	}
	for _, g := range d.Workgroups {
		p.Workgroups = append(p.Workgroups, store.Workgroup(g))
	}
	return p
}

type proposal struct {
	Organisation string `json:"organisation"`
	draft
}

type proposed struct {
	ID      string `json:"id"`
	Version int    `json:"version" doc:"That waits for approval."`
}

func (h *Handler) proposePosition(c call, in proposal) (proposed, error) {
	if _, err := h.At(c.Context(), in.Organisation); err != nil {
		return proposed{}, err
	}
	id, err := h.Positions.Propose(c.Context(), c.officer.Acting(), in.Organisation, in.position())
	if err != nil {
		return proposed{}, err
	}
	c.created("/api/positions/" + id)
	c.tag(1)
	return proposed{id, 1}, nil
}

func (h *Handler) revisePosition(c call, in draft) (proposed, error) {
	return h.proposeVersion(c, func(id string, seen int) (int, error) {
		return h.Positions.Revise(c.Context(), c.officer.Acting(), id, seen, in.position())
	})
}

type reason struct {
	Reason string `json:"reason" doc:"For the record."`
}

func (h *Handler) closePosition(c call, in reason) (proposed, error) {
	return h.proposeVersion(c, func(id string, seen int) (int, error) {
		return h.Positions.Close(c.Context(), c.officer.Acting(), id, seen, in.Reason)
	})
}

func (h *Handler) proposeVersion(c call, propose func(id string, seen int) (int, error)) (proposed, error) {
	seen, err := c.version()
	if err != nil {
		return proposed{}, err
	}
	id := c.PathValue("position")
	n, err := propose(id, seen)
	if err != nil {
		return proposed{}, err
	}
	c.tag(n)
	return proposed{id, n}, nil
}

type nothing struct{}

type approved struct {
	ID           string `json:"id"`
	Version      int    `json:"version" doc:"That is in force now."`
	Closed       bool   `json:"closed"`
	ChangedRoles int    `json:"changed_roles" doc:"How many roles follow it at once; they ended, if the position was closed."`
	LeftRoles    int    `json:"left_roles" doc:"How many are left, which follow within minutes."`
}

func (h *Handler) approvePosition(c call, _ nothing) (approved, error) {
	n, err := c.version()
	if err != nil {
		return approved{}, err
	}
	id := c.PathValue("position")
	done, err := h.Positions.Approve(c.Context(), c.officer.Acting(), id, n)
	if err != nil {
		return approved{}, err
	}
	c.tag(n)
	return approved{id, n, done.Closed, done.Changed, done.Left}, nil
}
