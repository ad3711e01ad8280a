package desk

import (
	"errors"
	"net/http"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/meeting"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// meetingURL is where a meeting by video is.
func meetingURL(m store.Meeting) string {
	return "/desk/people/" + m.PersonID + "/meetings/" + m.ID.String()
}

// newMeeting shows the form by which a meeting by video is begun.
func (h *Handler) newMeeting(w http.ResponseWriter, r *http.Request, o officer) error {
	m, err := h.ToMeet(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	page := web.DeskMeetingNew{
		Desk: h.desk(r, o), PersonName: m.Person.DisplayName, EvidenceURL: "/desk/people/" + m.Person.ID + "/evidence", Email: m.Person.Email, PostURL: r.URL.Path,
	}
	if m.Why != nil {
		page.Why = m.Why.Sentence()
	}
	if m.Current != nil {
		page.CurrentURL = meetingURL(*m.Current)
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// beginMeeting takes that form.
func (h *Handler) beginMeeting(w http.ResponseWriter, r *http.Request, o officer) error {
	m, err := h.BeginMeeting(r.Context(), o.Officer, r.PathValue("id"))
	if err != nil {
		return err
	}
	return web.SeeOther(w, r, meetingURL(m))
}

// meeting shows a meeting by video, and the form that takes its code.
func (h *Handler) meeting(w http.ResponseWriter, r *http.Request, o officer) error {
	person, m, err := h.Meeting(r.Context(), o.Officer, r.PathValue("id"), r.PathValue("meeting"))
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, h.meetingPage(r, o, person, m))
}

func (h *Handler) meetingPage(r *http.Request, o officer, person store.Person, m store.Meeting) web.DeskMeeting {
	of := "/desk/people/" + person.ID
	return web.DeskMeeting{
		Desk: h.desk(r, o), PersonName: person.DisplayName, EvidenceURL: of + "/evidence", Confirmed: m.ConfirmedAt != nil, Over: !h.Meetings.Lasts(m), EndsAt: m.EndsAt,
		Left: meeting.Left(m), PostURL: r.URL.Path, RecordURL: meetingURL(m) + "/evidence", AgainURL: of + "/meetings/new",
	}
}

// confirmMeeting takes that form.
func (h *Handler) confirmMeeting(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	person, m, err := h.Meeting(r.Context(), o.Officer, r.PathValue("id"), r.PathValue("meeting"))
	if err != nil {
		return err
	}
	wrong := web.FieldError{Field: "code", Message: "Enter the 8 digits that the person reads aloud"}
	if code, ok := meeting.ParseCode(f.Get("code")); ok {
		err := h.ConfirmMeeting(r.Context(), o.Officer, m, code)
		if err == nil {
			return web.SeeOther(w, r, meetingURL(m))
		}
		if refusal, refused := errors.AsType[*deed.Refusal](err); !refused || refusal.Reason != meeting.WrongCode {
			return err
		}
		if _, m, err = h.Meeting(r.Context(), o.Officer, person.ID, m.ID.String()); err != nil { // as it is now
			return err
		}
		wrong.Message = "This is not the code that the person was sent: ask for it once more"
	}
	page := h.meetingPage(r, o, person, m)
	if !page.Over {
		page.Errors = []web.FieldError{wrong}
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}
