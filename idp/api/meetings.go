package api

import (
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/meeting"
	"github.com/credence-id/credence/store"
)

// videoMeeting is a meeting by video of an officer with a person.
type videoMeeting struct {
	ID        uuid.UUID `json:"id"`
	Confirmed bool      `json:"confirmed" doc:"The person read the code aloud that she was sent: evidence can name this meeting."`
	Over      bool      `json:"over" doc:"By its time, by wrong codes, or because another was begun."`
	EndsAt    time.Time `json:"ends_at"`
	Left      int       `json:"codes_left" doc:"How many more wrong codes end it."`
}

func (h *Handler) meetingOf(m store.Meeting) videoMeeting {
	return videoMeeting{m.ID, m.ConfirmedAt != nil, !h.Meetings.Lasts(m), m.EndsAt.UTC(), meeting.Left(m)}
}

func (h *Handler) beginMeeting(c call, _ nothing) (videoMeeting, error) {
	m, err := h.BeginMeeting(c.Context(), c.officer, c.PathValue("person"))
	if err != nil {
		return videoMeeting{}, err
	}
	c.created("/api/people/" + m.PersonID + "/meetings/" + m.ID.String())
	return h.meetingOf(m), nil
}

func (h *Handler) readMeeting(c call, _ nothing) (videoMeeting, error) {
	_, m, err := h.Meeting(c.Context(), c.officer, c.PathValue("person"), c.PathValue("meeting"))
	if err != nil {
		return videoMeeting{}, err
	}
	return h.meetingOf(m), nil
}

type heard struct {
	Code string `json:"code" doc:"The digits that the person reads aloud."`
}

func (h *Handler) confirmMeeting(c call, in heard) (videoMeeting, error) {
	_, m, err := h.Meeting(c.Context(), c.officer, c.PathValue("person"), c.PathValue("meeting"))
	if err != nil {
		return videoMeeting{}, err
	}
	code, ok := meeting.ParseCode(in.Code)
	if !ok {
		return videoMeeting{}, &directory.InvalidError{Field: "code", Want: "the 8 digits that the person reads aloud"}
	}
	if err := h.ConfirmMeeting(c.Context(), c.officer, m, code); err != nil {
		return videoMeeting{}, err
	}
	return h.readMeeting(c, nothing{})
}
