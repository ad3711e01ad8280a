package web

import "time"

// DeskMeetingNew begins a meeting by video with a person.
type DeskMeetingNew struct {
	Desk
	PersonName, EvidenceURL string
	// Why says why none can be begun. Empty where one can: then the code goes to Email.
	Why, Email string
	PostURL    string
	// CurrentURL leads to the meeting that lasts. Empty where there is none.
	CurrentURL string
}

func (p DeskMeetingNew) page() (string, Frame) { return "desk-meeting-new", p.Frame }

// DeskMeeting is a meeting by video: it waits for its code, evidence is recorded in it, or it is over.
type DeskMeeting struct {
	Desk
	PersonName, EvidenceURL string
	Confirmed, Over         bool
	// EndsAt is until when the code works; of one that is confirmed until when evidence is recorded.
	EndsAt time.Time
	// Left is how many codes can still be wrong, but for the last.
	Left    int
	PostURL string
	// RecordURL is where evidence is recorded, and AgainURL where another meeting is begun.
	RecordURL, AgainURL string
}

func (p DeskMeeting) page() (string, Frame) { return "desk-meeting", p.Frame }
