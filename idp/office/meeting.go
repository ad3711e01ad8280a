package office

import (
	"context"
	"errors"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// ToMeet is a person whom an officer may prove, and whether she can meet her by video.
type ToMeet struct {
	Person  store.Person
	Current *store.Meeting // of this officer with the person; nil: there is none that lasts
	Why     *deed.Refusal  // why none can be begun; nil where one can
}

// ToMeet reads a person whom an officer would meet by video.
func (f *Office) ToMeet(ctx context.Context, o Officer, personID string) (m ToMeet, err error) {
	if m.Person, err = f.ToProve(ctx, o, personID); err != nil {
		return m, err
	}
	err = f.Meetings.Refusal(ctx, o.PersonID, personID)
	if why, refused := errors.AsType[*deed.Refusal](err); refused {
		m.Why, err = why, nil
	}
	if err != nil {
		return m, err
	}
	m.Current, err = f.Meetings.With(ctx, o.PersonID, personID)
	return m, err
}

// BeginMeeting begins a meeting by video with a person, who is sent its code: see [meeting.Registrar.Begin].
func (f *Office) BeginMeeting(ctx context.Context, o Officer, personID string) (store.Meeting, error) {
	return f.Meetings.Begin(ctx, o.Acting(), personID)
}

// Meeting reads a meeting of an officer with a person whom she may prove.
func (f *Office) Meeting(ctx context.Context, o Officer, personID, text string) (person store.Person, m store.Meeting, err error) {
	id, err := directory.ParseID("meeting", text)
	if err != nil {
		return person, m, err
	}
	if person, err = f.ToProve(ctx, o, personID); err != nil {
		return person, m, err
	}
	m, err = f.Meetings.Find(ctx, o.PersonID, personID, id)
	return person, m, err
}

// ConfirmMeeting takes the code that an officer heard in a meeting: see [meeting.Registrar.Confirm].
func (f *Office) ConfirmMeeting(ctx context.Context, o Officer, m store.Meeting, code string) error {
	return f.Meetings.Confirm(ctx, o.Acting(), m.PersonID, m.ID, code)
}

// Met reads a person whom an officer meets by video, in a meeting that is confirmed and lasts: one that does not is a refusal.
func (f *Office) Met(ctx context.Context, o Officer, personID, text string) (store.Person, store.Meeting, error) {
	person, m, err := f.Meeting(ctx, o, personID, text)
	if err != nil {
		return person, m, err
	}
	return person, m, f.Meetings.MayRecord(m)
}
