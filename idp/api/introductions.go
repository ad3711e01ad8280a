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

type introduction struct {
	ID           uuid.UUID  `json:"id"`
	State        string     `json:"state" enum:"open taken_up refused withdrawn lapsed"`
	Title        string     `json:"title,omitempty"`
	GivenName    string     `json:"given_name"`
	MiddleNames  string     `json:"middle_names,omitempty"`
	FamilyName   string     `json:"family_name"`
	DateOfBirth  string     `json:"date_of_birth" format:"date"`
	Email        string     `json:"email,omitempty"`
	Organisation string     `json:"organisation"`
	Position     string     `json:"position"`
	PositionName string     `json:"position_name"`
	Version      int        `json:"version" doc:"Of the position, that was asked for."`
	StartsAt     time.Time  `json:"starts_at"`
	EndsAt       *time.Time `json:"ends_at,omitempty"`
	Reason       string     `json:"reason"`
	AskedBy      someone    `json:"asked_by"`
	AskedAt      time.Time  `json:"asked_at"`
	LapsesAt     time.Time  `json:"lapses_at"`
	Person       string     `json:"person,omitempty" doc:"The user id of who it is, once it was taken up."`
	Request      *uuid.UUID `json:"request,omitempty" doc:"For her, once it was taken up."`
}

func (h *Handler) introductionOf(i store.IntroductionRow) introduction {
	shown := introduction{
		ID: i.ID, State: i.State, Title: i.Title, GivenName: i.GivenName, MiddleNames: i.MiddleNames, FamilyName: i.FamilyName,
		DateOfBirth: i.DateOfBirth.Format(time.DateOnly), Email: i.Email, Organisation: i.OrganisationCode, Position: i.PositionID, PositionName: i.PositionName,
		Version: i.PositionVersion, StartsAt: i.StartsAt.UTC(), EndsAt: utc(i.ExpiresAt), Reason: i.Reason, AskedBy: someone{i.AskedBy, i.AskedByName},
		AskedAt: i.AskedAt.UTC(), LapsesAt: i.LapsesAt.UTC(), Person: or(i.PersonID), Request: i.RequestID,
	}
	if i.State == "open" && !i.LapsesAt.After(h.Now()) {
		shown.State = "lapsed"
	}
	return shown
}

type introductionsWanted struct {
	Organisation string `json:"organisation,omitempty" doc:"Its code; that of the role that you act in, when it is left out."`
	Order        string `json:"order,omitempty" enum:"asked -asked name -name" doc:"By what it is ordered; with -, from the other end. The oldest first, when it is left out."`
	after
}

func (h *Handler) listIntroductions(c call, in introductionsWanted) (page[introduction], error) {
	rows, more, err := h.Introductions(c.Context(), c.officer, cmp.Or(in.Organisation, c.officer.Organisation), ordered(in.Order, store.Order{By: store.ByAsked}), in.id())
	last := ""
	if len(rows) > 0 {
		last = rows[len(rows)-1].ID.String()
	}
	return pageOf(rows, h.introductionOf, c.following(more, last)), err
}

func (h *Handler) readIntroduction(c call, _ nothing) (introduction, error) {
	i, err := h.Introduction(c.Context(), c.officer, c.PathValue("introduction"))
	if err != nil {
		return introduction{}, err
	}
	return h.introductionOf(i.IntroductionRow), nil
}

type introduced struct {
	Title       string     `json:"title,omitempty"`
	GivenName   string     `json:"given_name"`
	MiddleNames string     `json:"middle_names,omitempty"`
	FamilyName  string     `json:"family_name"`
	DateOfBirth string     `json:"date_of_birth" format:"date"`
	Email       string     `json:"email,omitempty"`
	Position    string     `json:"position"`
	StartsAt    time.Time  `json:"starts_at,omitzero" doc:"At once, when it is left out."`
	EndsAt      *time.Time `json:"ends_at,omitempty"`
	Reason      string     `json:"reason" doc:"For the record, which has nothing else of what is sent here."`
}

type identified struct {
	ID uuid.UUID `json:"id"`
}

func (h *Handler) introduce(c call, in introduced) (identified, error) {
	born, err := day("date_of_birth", in.DateOfBirth)
	if err != nil {
		return identified{}, err
	}
	id, err := h.Positions.Introduce(c.Context(), c.officer.Acting(), position.Introduced{
		NewPerson: directory.NewPerson{
			Title: in.Title, GivenName: in.GivenName, MiddleNames: in.MiddleNames, FamilyName: in.FamilyName, Email: in.Email, DateOfBirth: &born,
		},
		Position: in.Position, StartsAt: in.StartsAt, ExpiresAt: in.EndsAt, Reason: in.Reason,
	})
	if err != nil {
		return identified{}, err
	}
	c.created("/api/introductions/" + id.String())
	return identified{id}, nil
}

type takenUp struct {
	Person string `json:"person" doc:"The user id of who it is, whom you found or added."`
}

type requested struct {
	Request uuid.UUID `json:"request" doc:"That was made, for another officer to decide."`
}

func (h *Handler) takeUp(c call, in takenUp) (requested, error) {
	id, err := c.introduction()
	if err != nil {
		return requested{}, err
	}
	request, err := h.Positions.TakeUp(c.Context(), c.officer.Acting(), id, in.Person)
	return requested{request}, err
}

func (h *Handler) dismiss(c call, in reason) (identified, error) {
	id, err := c.introduction()
	if err != nil {
		return identified{}, err
	}
	return identified{id}, h.Positions.Dismiss(c.Context(), c.officer.Acting(), id, in.Reason)
}

// introduction is which introduction the address is about.
func (c call) introduction() (uuid.UUID, error) {
	id, err := uuid.Parse(c.PathValue("introduction"))
	if err != nil {
		return id, fmt.Errorf("introduction %.40q %w", c.PathValue("introduction"), directory.ErrUnknown)
	}
	return id, nil
}
