package web

import "time"

// DeskEvidence is by what the identity of a person is proved, and what is missing for more.
type DeskEvidence struct {
	Desk
	Sorting
	// URL is that of the page.
	URL, PersonName, PersonURL string
	// Identity is the level with the profile that it was reached by, in words: "High (H1A)". Note is what it does not say, or
	// empty.
	Identity, Note string
	// Missing is what the higher levels take, the next first.
	Missing []EvidenceGap
	// Waiting leads to what waits for a second officer.
	Waiting []KindLink
	// AddURL is where evidence is recorded, and MeetURL where the officer meets the person by video.
	AddURL, MeetURL string
	// VideoURL is where evidence is recorded in the meeting by video that lasts until VideoUntil. Empty where there is none.
	VideoURL   string
	VideoUntil time.Time
	Evidence   []EvidenceRow
	// NextURL leads to what follows. Empty at the end.
	NextURL string
}

func (p DeskEvidence) page() (string, Frame) { return "desk-evidence", p.Frame }

// EvidenceGap is what a level takes that is not reached: any of the ways, of which everything is to be done.
type EvidenceGap struct {
	Level string
	// Ways are in plain words, and Exact in those of the rules.
	Ways, Exact [][]string
}

// EvidenceRow is a piece of evidence that was recorded.
type EvidenceRow struct {
	Kind, Issuer string
	// Number is only its end.
	Number string
	// IssuedOn and ExpiresOn are dates in words. Empty where none is on record.
	IssuedOn, ExpiresOn string
	// Checks say what was done and what it established.
	Checks     []string
	RecordedBy string
	RecordedAt time.Time
	// Organisation is where it was checked, and CheckedBy who did, where a second officer recorded it. Empty for none.
	Organisation, CheckedBy string
	// FaceToFace and ByVideo say how whoever checked it declared to have met the person.
	FaceToFace, ByVideo bool
	// Withdrawn says when, by whom and why it was withdrawn. Nil while it counts.
	Withdrawn *Withdrawn
	// WithdrawURL is where it is withdrawn. Empty where that was done.
	WithdrawURL string
}

// Withdrawn is when, by whom and why a piece of evidence was withdrawn.
type Withdrawn struct {
	Reason, By string
	At         time.Time
}

// DeskEvidenceKinds offers the kinds of evidence that can be recorded.
type DeskEvidenceKinds struct {
	Desk
	PersonName, EvidenceURL string
	// VideoUntil is until when the meeting by video lasts. Zero: it is face to face.
	VideoUntil time.Time
	Groups     []KindGroup
}

func (p DeskEvidenceKinds) page() (string, Frame) { return "desk-evidence-kinds", p.Frame }

// KindGroup is kinds of evidence of one type.
type KindGroup struct {
	Name  string
	Kinds []KindLink
}

// KindLink leads to the form for a kind of evidence.
type KindLink struct{ Name, URL string }

// DeskEvidenceForm records a piece of evidence.
type DeskEvidenceForm struct {
	Desk
	PersonName, EvidenceURL string
	// VideoUntil is until when the meeting by video lasts. Zero: it is face to face.
	VideoUntil time.Time
	// Kind is in words: "driving licence".
	Kind    string
	PostURL string
	// AsksCode says that the person registered herself, so that the code of her account is asked for.
	AsksCode bool
	// Numbered says that the kind has to have a number.
	Numbered bool
	// What was entered.
	GivenName, FamilyName, Born, Number, Issuer, Country, Issued, Expires, Source, TrainedBy, Since, Policy string
	Features                                                                                                []Option
	Checks                                                                                                  []CheckGroup
	// Policies say how well whoever keeps a record had checked the person. Empty for what is no record.
	Policies []Option
	// Failed is what a check may have found that failed, each with the ID of that check.
	Failed []Option
	// Declaration is what the officer stands for. Nothing is recorded without it.
	Declaration []Option
}

func (p DeskEvidenceForm) page() (string, Frame) { return "desk-evidence-form", p.Frame }

// CheckGroup is a check and what it can establish.
type CheckGroup struct {
	ID, Name string
	Facts    []Option
}

// DeskEvidenceWithdraw withdraws a piece of evidence.
type DeskEvidenceWithdraw struct {
	Desk
	PersonName, EvidenceURL, Kind, RecordedBy string
	RecordedAt                                time.Time
	PostURL, Reason                           string
}

func (p DeskEvidenceWithdraw) page() (string, Frame) { return "desk-evidence-withdraw", p.Frame }

// Reasons are the choices of the form.
func (p DeskEvidenceWithdraw) Reasons() []Option {
	return []Option{
		{Value: "mistaken", Label: "It was recorded by mistake", Hint: "It was recorded wrongly, or for somebody whom it is not about"},
		{Value: "superseded", Label: "Something newer takes its place", Hint: "Record the newer one as well"},
		{Value: "forged", Label: "It is forged", Hint: "All that is on record of the same document counts no more, and nobody can record the document again"},
	}
}

// DeskEvidenceChange says what came of recording or withdrawing evidence.
type DeskEvidenceChange struct {
	Desk
	PersonName, EvidenceURL, Kind string
	// Withdrawn says that it was withdrawn and not recorded.
	Withdrawn bool
	// Before and After are levels with their profiles: "High (H1A)".
	Before, After string
	// Awaits says that it is not on record until a second officer confirms it, and After what it comes to then.
	Awaits bool
	// Again says that it was on record already, and Like that it may be a document that is.
	Again, Like bool
	// Others are people for whom the same document counts, which was found forged.
	Others []KindLink
}

func (p DeskEvidenceChange) page() (string, Frame) { return "desk-evidence-change", p.Frame }

// AfterLabel says when the level is the one after.
func (p DeskEvidenceChange) AfterLabel() string {
	if p.Awaits {
		return "Identity once it is confirmed"
	}
	return "Identity now"
}

// NumberLabel says whether a number has to be entered.
func (p DeskEvidenceForm) NumberLabel() string {
	if p.Numbered {
		return "Number"
	}
	return "Number (optional)"
}
