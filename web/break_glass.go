package web

import "time"

// BreakGlass says how two people make one of them an officer for some hours, and leads to the two envelopes.
type BreakGlass struct{ Frame }

func (p BreakGlass) page() (string, Frame) { return "break-glass", p.Frame }

// BreakGlassEnvelope asks for the code of an envelope.
type BreakGlassEnvelope struct {
	Frame
	// Second is the second envelope, with which somebody opens what another asks with the first.
	Second bool
	// What was entered, but for the code.
	Organisation, Reason string
}

func (p BreakGlassEnvelope) page() (string, Frame) { return "break-glass-envelope", p.Frame }

// BreakGlassOpening is what was asked with the first envelope and, when OpenedAt is not zero, was opened with the second.
type BreakGlassOpening struct {
	Frame
	// PostURL is what its forms post to.
	PostURL string
	// Own says that whoever reads it asked.
	Own                           bool
	Organisation, AskedBy, Reason string
	// LapsesAt is until when it waits for the second person.
	LapsesAt time.Time
	// ConfirmedBy opened it, at OpenedAt. It ends at EndsAt.
	ConfirmedBy      string
	OpenedAt, EndsAt time.Time
	// Over says that it has ended, or that nobody can open it any more. Signed says that somebody has signed for it.
	Over, Signed bool
}

func (p BreakGlassOpening) page() (string, Frame) { return "break-glass-opening", p.Frame }

// Opened says whether it was opened.
func (p BreakGlassOpening) Opened() bool { return !p.OpenedAt.IsZero() }

// DeskBreakGlasses lists what was opened.
type DeskBreakGlasses struct {
	Desk
	Sorting
	// Organisation is the code that the list is of, with what is below it.
	Organisation string
	// Show is "all" where what was signed for is listed too, and otherwise empty.
	Show string
	Rows []BreakGlassRow
	// NextURL leads to what follows. Empty at the end.
	NextURL string
}

// Shows are what can be chosen.
func (DeskBreakGlasses) Shows() []Option {
	return []Option{{Value: "", Label: "To be signed for"}, {Value: "all", Label: "All"}}
}

func (p DeskBreakGlasses) page() (string, Frame) { return "desk-break-glasses", p.Frame }

// BreakGlassRow is something that was opened.
type BreakGlassRow struct {
	OrganisationName, OrganisationCode string
	AskedBy, ConfirmedBy, Reason       string
	OpenedAt, EndsAt                   time.Time
	// State is in words: "In use until it ends", "To be signed for", "Overdue", "Signed for".
	State string
	URL   string
}

// DeskBreakGlass is something that was opened, with what was done.
type DeskBreakGlass struct {
	Desk
	Sorting // of the lines
	BreakGlassRow
	// Lines is what was done in the role. NextURL leads to more of it.
	Lines   []AuditLine
	NextURL string
	// PostURL is what its forms post to. CanEnd and CanSign say what is offered.
	PostURL         string
	CanEnd, CanSign bool
	// Note is what was entered, or what SignedBy signed with at SignedAt.
	Note, SignedBy string
	SignedAt       time.Time
}

func (p DeskBreakGlass) page() (string, Frame) { return "desk-break-glass", p.Frame }
