package api

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/breakglass"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// firstEnvelope is what who has the first envelope sends.
type firstEnvelope struct {
	Organisation string `json:"organisation"`
	Code         string `json:"code" doc:"Of the first envelope."`
	Reason       string `json:"reason" doc:"For the record, and for who has the second."`
}

// secondEnvelope is what who has the second sends.
type secondEnvelope struct {
	Organisation string `json:"organisation"`
	Code         string `json:"code" doc:"Of the second envelope."`
}

// breakGlass is what was asked by break-glass, or opened.
type breakGlass struct {
	ID           uuid.UUID  `json:"id"`
	State        string     `json:"state" enum:"asked lapsed open over"`
	Organisation string     `json:"organisation"`
	AskedBy      someone    `json:"asked_by"`
	Reason       string     `json:"reason"`
	LapsesAt     *time.Time `json:"lapses_at,omitempty" doc:"Until when it waits for the second envelope."`
	ConfirmedBy  *someone   `json:"confirmed_by,omitempty" doc:"Who came with it."`
	Role         string     `json:"role,omitempty" doc:"Of who asked, to be chosen at another sign-in."`
	OpenedAt     *time.Time `json:"opened_at,omitempty"`
	EndsAt       *time.Time `json:"ends_at,omitempty"`
	SignedBy     *someone   `json:"signed_by,omitempty"`
	SignedAt     *time.Time `json:"signed_at,omitempty"`
	Note         string     `json:"note,omitempty" doc:"Of who signed for it."`
}

func (h *Handler) breakGlassOf(b store.BreakGlassRow) breakGlass {
	shown := breakGlass{
		ID: b.ID, State: "open", Organisation: b.OrganisationCode, AskedBy: someone{b.AskedBy, b.AskedByName}, Reason: b.Reason, ConfirmedBy: &someone{b.ConfirmedBy, b.ConfirmedByName},
		Role: b.RoleID, OpenedAt: utc(&b.OpenedAt), EndsAt: utc(&b.EndsAt), SignedAt: utc(b.SignedAt), Note: or(b.Note),
	}
	if !b.EndsAt.After(h.Now()) {
		shown.State = "over"
	}
	if b.SignedBy != nil {
		shown.SignedBy = &someone{*b.SignedBy, or(b.SignedByName)}
	}
	return shown
}

// person is who acts, in no role: both of the two come as whoever they are.
func (c call) person() deed.Acting {
	return deed.Acting{Person: c.access.Person.ID, Authenticator: c.access.Authenticator}
}

func (h *Handler) askBreakGlass(c call, in firstEnvelope) (breakGlass, error) {
	id, err := h.Breakglass.Ask(c.Context(), c.person(), breakglass.Code{Organisation: in.Organisation, Text: in.Code}, in.Reason)
	if err != nil {
		return breakGlass{}, err
	}
	c.created("/api/break-glass/" + id.String())
	return h.concerned(c, id)
}

func (h *Handler) joinBreakGlass(c call, in secondEnvelope) (breakGlass, error) {
	id, err := h.Breakglass.Join(c.Context(), c.person(), breakglass.Code{Organisation: in.Organisation, Text: in.Code})
	if err != nil {
		return breakGlass{}, err
	}
	return h.concerned(c, id)
}

// concerned reads what was asked, or opened, for one of the two whom it concerns.
func (h *Handler) concerned(c call, id uuid.UUID) (breakGlass, error) {
	b, err := h.Breakglass.Opened(c.Context(), c.access.Person.ID, id)
	if err == nil {
		return h.breakGlassOf(b), nil
	}
	if !errors.Is(err, directory.ErrUnknown) {
		return breakGlass{}, err
	}
	asked, err := h.Breakglass.Asked(c.Context(), c.access.Person.ID, id)
	if err != nil {
		return breakGlass{}, err
	}
	shown := breakGlass{
		ID: asked.ID, State: "asked", Organisation: asked.OrganisationCode, AskedBy: someone{asked.AskedBy, asked.AskedByName}, Reason: asked.Reason, LapsesAt: utc(&asked.LapsesAt),
	}
	if asked.Spent || !asked.LapsesAt.After(h.Now()) {
		shown.State = "lapsed"
	}
	return shown, nil
}

// glass is which break-glass the address is about.
func (c call) glass() (uuid.UUID, error) {
	return directory.ParseID("break-glass", c.PathValue("opening"))
}

func (h *Handler) readBreakGlass(c call, _ nothing) (breakGlass, error) {
	id, err := c.glass()
	if err != nil {
		return breakGlass{}, err
	}
	return h.concerned(c, id)
}

func (h *Handler) openBreakGlass(c call, _ nothing) (breakGlass, error) {
	id, err := c.glass()
	if err != nil {
		return breakGlass{}, err
	}
	if err := h.Breakglass.Open(c.Context(), c.person(), id); err != nil {
		return breakGlass{}, err
	}
	return h.concerned(c, id)
}

func (h *Handler) endBreakGlass(c call, _ nothing) (breakGlass, error) {
	id, err := c.glass()
	if err != nil {
		return breakGlass{}, err
	}
	if err := h.Breakglass.End(c.Context(), c.person(), id); err != nil {
		return breakGlass{}, err
	}
	return h.concerned(c, id)
}

type glassesWanted struct {
	State string `json:"state,omitempty" enum:"unsigned all" doc:"unsigned, when it is left out: what nobody has signed for."`
	atByTime
}

func (h *Handler) listBreakGlass(c call, in glassesWanted) (page[breakGlass], error) {
	state := cmp.Or(in.State, "unsigned")
	if !slices.Contains([]string{"unsigned", "all"}, state) {
		return page[breakGlass]{}, &directory.InvalidError{Field: "state", Want: "unsigned or all"}
	}
	rows, more, err := h.ListBreakGlass(c.Context(), c.officer, in.organisation(c), state == "unsigned", ordered(in.Order, store.Order{By: store.ByTime, Descending: true}), in.id())
	return goesOn(c, rows, h.breakGlassOf, more, func(b store.BreakGlassRow) string { return b.ID.String() }), err
}

type breakGlassReview struct {
	breakGlass

	Done page[auditLine] `json:"done" doc:"What was done in the role."`
}

func (h *Handler) reviewBreakGlass(c call, in newestFirst) (breakGlassReview, error) {
	b, err := h.BreakGlass(c.Context(), c.officer, c.PathValue("opening"))
	if err != nil {
		return breakGlassReview{}, err
	}
	lines, more, err := h.DoneByBreakGlass(c.Context(), c.officer, b, in.order(), in.line())
	return breakGlassReview{h.breakGlassOf(b), goesOn(c, lines, auditLineOf, more, lineOf)}, err
}

func (h *Handler) stopBreakGlass(c call, _ nothing) (identified, error) {
	b, err := h.BreakGlass(c.Context(), c.officer, c.PathValue("opening"))
	if err != nil {
		return identified{}, err
	}
	return identified{b.ID}, h.Breakglass.Stop(c.Context(), c.officer.Acting(), b.ID)
}

type signature struct {
	Note string `json:"note" doc:"What you found, in up to 1000 characters."`
}

func (h *Handler) signBreakGlass(c call, in signature) (identified, error) {
	b, err := h.BreakGlass(c.Context(), c.officer, c.PathValue("opening"))
	if err != nil {
		return identified{}, err
	}
	return identified{b.ID}, h.Breakglass.Sign(c.Context(), c.officer.Acting(), b.ID, in.Note)
}
