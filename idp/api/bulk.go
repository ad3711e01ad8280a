package api

import (
	"errors"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
)

type bulk struct {
	CSV  string `json:"csv" doc:"Lines (RFC 4180) of person, position, starts, expires and reason, with these titles first."`
	Seal string `json:"seal,omitempty" doc:"As it was answered: to have done what was answered, all of it. Without it nothing is done."`
}

type bulkAnswer struct {
	Lines   []bulkLine `json:"lines"`
	Given   int        `json:"given" doc:"How many come about at once, because the position is assignable."`
	Asked   int        `json:"asked" doc:"How many wait for another officer."`
	Refused int        `json:"refused" doc:"How many are refused. Nothing is done while there is one."`
	Done    bool       `json:"done" doc:"It was done. If it was not, although a seal was sent, something else would come of it than was seen."`
	Seal    string     `json:"seal" doc:"Of what comes of these lines, or would."`
}

type bulkLine struct {
	Line     int        `json:"line"`
	Person   string     `json:"person"`
	Position string     `json:"position"`
	StartsAt *time.Time `json:"starts_at,omitempty"`
	EndsAt   *time.Time `json:"ends_at,omitempty"`
	State    string     `json:"state" enum:"open approved refused" doc:"refused: nothing comes of it."`
	Request  *uuid.UUID `json:"request,omitempty" doc:"That was made."`
	Role     string     `json:"role,omitempty" doc:"The role profile that it gave."`
	Reason   string     `json:"reason,omitempty" doc:"Why it is refused, for programs."`
	Detail   string     `json:"detail,omitempty" doc:"Why it is refused, for people."`
}

func (h *Handler) askBulk(c call, in bulk) (bulkAnswer, error) {
	if err := h.May(c.Context(), c.officer, authority.Subject{Path: []string{c.officer.Organisation}}, authority.RequestPosition); err != nil {
		return bulkAnswer{}, err
	}
	rows, err := position.ParseBulk([]byte(in.CSV))
	if err != nil {
		return bulkAnswer{}, &directory.InvalidError{Field: "csv", Want: "other lines: " + strings.ReplaceAll(err.Error(), "\n", "; ")}
	}
	b, err := h.Positions.AskAll(c.Context(), c.officer.Acting(), rows, in.Seal)
	if err != nil {
		return bulkAnswer{}, err
	}
	line := func(e position.BulkEffect) bulkLine { return bulkLineOf(e, b.Done) }
	return bulkAnswer{pageOf(b.Effects, line, "").Items, b.Given, b.Asked, b.Refused, b.Done, b.Seal}, nil
}

func bulkLineOf(e position.BulkEffect, done bool) bulkLine {
	shown := bulkLine{Line: e.Line, Person: e.Person, Position: e.Position, EndsAt: utc(e.ExpiresAt), State: e.Answer.State}
	if !e.StartsAt.IsZero() {
		shown.StartsAt = utc(&e.StartsAt)
	}
	if done {
		shown.Request, shown.Role = &e.Answer.Request, e.Answer.Role
	}
	if e.Refusal == nil {
		return shown
	}
	shown.State, shown.Reason, shown.Detail = "refused", "invalid", sentence(strings.ReplaceAll(e.Refusal.Error(), "\n", "; "))
	if refusal, refused := errors.AsType[*deed.Refusal](e.Refusal); refused {
		shown.Reason, shown.Detail = string(refusal.Reason), refusal.Sentence()
	}
	return shown
}
