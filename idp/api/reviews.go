package api

import (
	"cmp"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

type review struct {
	ID           uuid.UUID `json:"id"`
	Organisation string    `json:"organisation"`
	Below        bool      `json:"below" doc:"It is also of the organisations below."`
	Removes      bool      `json:"removes" doc:"What nobody has decided when it is due is removed, but for what makes officers."`
	Reason       string    `json:"reason"`
	OpenedBy     someone   `json:"opened_by"`
	OpenedAt     time.Time `json:"opened_at"`
	DueAt        time.Time `json:"due_at"`
	Items        int       `json:"items" doc:"How many roles it is about. Those that are in no other count ended meanwhile."`
	Certified    int       `json:"certified"`
	Removed      int       `json:"removed" doc:"By an officer."`
	Lapsed       int       `json:"lapsed" doc:"Removed, because nobody decided."`
	Undecided    int       `json:"undecided"`
}

func reviewOf(r store.ReviewRow) review {
	return review{
		ID: r.ID, Organisation: r.OrganisationCode, Below: r.Below, Removes: r.Removes, Reason: r.Reason, OpenedBy: someone{r.OpenedBy, r.OpenedByName},
		OpenedAt: r.OpenedAt.UTC(), DueAt: r.DueAt.UTC(), Items: int(r.Items), Certified: int(r.Certified), Removed: int(r.Removed), Lapsed: int(r.Lapsed),
		Undecided: int(r.Undecided),
	}
}

type reviewsWanted struct {
	Organisation string `json:"organisation,omitempty" doc:"Its code; that of the role that you act in, when it is left out."`
	State        string `json:"state,omitempty" enum:"open" doc:"open: only those in which something is left to decide."`
	Order        string `json:"order,omitempty" enum:"opened -opened due -due" doc:"By what it is ordered; with -, from the other end. The newest first, when it is left out."`
	after
}

func (h *Handler) listReviews(c call, in reviewsWanted) (page[review], error) {
	order := ordered(in.Order, store.Order{By: store.ByOpened, Descending: true})
	rows, more, err := h.ListReviews(c.Context(), c.officer, cmp.Or(in.Organisation, c.officer.Organisation), in.State != "", order, in.id())
	last := ""
	if len(rows) > 0 {
		last = rows[len(rows)-1].ID.String()
	}
	return pageOf(rows, reviewOf, c.following(more, last)), err
}

func (h *Handler) readReview(c call, _ nothing) (review, error) {
	row, err := h.Review(c.Context(), c.officer, c.PathValue("review"))
	if err != nil {
		return review{}, err
	}
	return reviewOf(row), nil
}

type scope struct {
	Organisation string `json:"organisation"`
	Below        bool   `json:"below,omitempty" doc:"Also of the organisations below it."`
	Removes      bool   `json:"removes,omitempty" doc:"What nobody has decided by then is removed, but for what makes officers."`
	Due          string `json:"due" format:"date" doc:"The last day, within a year."`
	Reason       string `json:"reason" doc:"For the record."`
}

func (h *Handler) openReview(c call, in scope) (identified, error) {
	due, err := day("due", in.Due)
	if err != nil {
		return identified{}, err
	}
	if _, err := h.At(c.Context(), in.Organisation); err != nil {
		return identified{}, err
	}
	id, err := h.Positions.OpenReview(c.Context(), c.officer.Acting(), position.Scope{
		Organisation: in.Organisation, Below: in.Below, Removes: in.Removes, DueAt: due.AddDate(0, 0, 1), Reason: in.Reason,
	})
	if err != nil {
		return identified{}, err
	}
	c.created("/api/reviews/" + id.String())
	return identified{id}, nil
}

type itemsWanted struct {
	State string `json:"state,omitempty" enum:"undecided" doc:"undecided: only what is left to decide."`
	Order string `json:"order,omitempty" enum:"name -name position -position starts -starts expires -expires" doc:"By what it is ordered; with -, from the other end. By role, when it is left out."`
	after
}

type reviewItem struct {
	Role         string           `json:"role"`
	Person       someone          `json:"person"`
	StartsAt     time.Time        `json:"starts_at"`
	EndsAt       *time.Time       `json:"ends_at,omitempty"`
	Position     string           `json:"position"`
	PositionName string           `json:"position_name"`
	Organisation string           `json:"organisation"`
	GivenBy      string           `json:"given_by" doc:"Who approved it, and does not certify it as well."`
	Outcome      position.Outcome `json:"outcome,omitempty" enum:"certified removed lapsed"`
	DecidedBy    string           `json:"decided_by,omitempty"`
	DecidedAt    *time.Time       `json:"decided_at,omitempty"`
}

func reviewItemOf(i store.ReviewItem) reviewItem {
	return reviewItem{
		Role: i.RoleID, Person: someone{i.PersonID, i.PersonName}, StartsAt: i.StartsAt.UTC(), EndsAt: utc(i.EndsAt), Position: i.PositionID,
		PositionName: i.PositionName, Organisation: i.OrganisationCode, GivenBy: i.GivenBy, Outcome: position.Outcome(or(i.Outcome)),
		DecidedBy: or(i.DecidedBy), DecidedAt: utc(i.DecidedAt),
	}
}

func (h *Handler) listReviewItems(c call, in itemsWanted) (page[reviewItem], error) {
	row, err := h.Review(c.Context(), c.officer, c.PathValue("review"))
	if err != nil {
		return page[reviewItem]{}, err
	}
	items, more, err := h.ReviewItems(c.Context(), row.ID, in.State != "", ordered(in.Order, store.Order{}), in.After)
	last := ""
	if len(items) > 0 {
		last = items[len(items)-1].RoleID
	}
	return pageOf(items, reviewItemOf, c.following(more, last)), err
}

type certification struct {
	Roles   []string         `json:"roles" doc:"As many as a page of the list has, at most."`
	Outcome position.Outcome `json:"outcome" enum:"certified removed"`
}

type leftRoles struct {
	Left []leftRole `json:"left" doc:"What was not decided: all else was."`
}

type leftRole struct {
	Role   string `json:"role"`
	Reason string `json:"reason" doc:"Why, for programs."`
	Detail string `json:"detail" doc:"Why, for people."`
}

func (h *Handler) decideReview(c call, in certification) (leftRoles, error) {
	row, err := h.Review(c.Context(), c.officer, c.PathValue("review"))
	if err != nil {
		return leftRoles{}, err
	}
	if n := len(in.Roles); n == 0 || n > office.PerPage {
		return leftRoles{}, &directory.InvalidError{Field: "roles", Want: "roles of the review, as many as a page of the list has at most"}
	}
	left, err := h.Positions.DecideReview(c.Context(), c.officer.Acting(), row.ID, in.Roles, in.Outcome)
	return leftRoles{pageOf(left, leftOf, "").Items}, err
}

func leftOf(l position.Left) leftRole {
	return leftRole{l.Role, string(l.Refusal.Reason), l.Refusal.Sentence()}
}
