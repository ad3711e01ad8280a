package web

import "time"

// Link leads somewhere.
type Link struct{ Name, URL string }

// Profile is what became of a person's profile, and what an officer can do to it. What she may not do is empty.
type Profile struct {
	// Closed is why it was closed, in words, at ClosedAt. Empty while it is open.
	Closed   string
	ClosedAt time.Time
	// MergedInto is the profile that is kept of the same person.
	MergedInto Link
	// RegisteredWith is the code of the organisation with which the person registered herself, at RegisteredAt. Empty where others put
	// her on record. Unproved says that nothing but the address is known to be right; others of her name are found at SameNameURL.
	RegisteredWith string
	RegisteredAt   time.Time
	Unproved       bool
	SameNameURL    string
	// AlsoKnown are the profiles that were merged into this one.
	AlsoKnown []Link
	// Merges are those that nobody has decided.
	Merges []Link
	// Leaves are where it is recorded that she leaves an organisation.
	Leaves []Link

	CorrectURL, MergeURL, CloseURL, ReopenURL, HistoryURL string
}

// DeskCorrect corrects who a person is said to be.
type DeskCorrect struct {
	Desk
	PersonName, PersonURL, PostURL string
	// Person, DisplayName and Reason are what was entered.
	Person              Newcomer
	DisplayName, Reason string
	// Identity says how well the identity of the details on record is proved. Empty when it is not.
	Identity string
	// Looked says that it was looked for who else may be the person. People are they, likeliest first, and More says that there
	// are more.
	Looked, More bool
	People       []Candidate
}

func (p DeskCorrect) page() (string, Frame) { return "desk-correct", p.Frame }

// DeskCorrected is what was corrected.
type DeskCorrected struct {
	Desk
	PersonName, PersonURL string
	Changes               []Difference
	// Unnamed says that evidence was about other details, and counts no more. What is to prove the identity is recorded at EvidenceURL.
	Unnamed     bool
	EvidenceURL string
}

func (p DeskCorrected) page() (string, Frame) { return "desk-corrected", p.Frame }

// DeskClose closes the profile of a person.
type DeskClose struct {
	Desk
	PersonName, PersonURL, PostURL string
	// Losses says how much ends of what.
	Losses []Detail
	// As are the reasons to choose from. Chosen and Reason are what was entered.
	As             []Option
	Chosen, Reason string
}

func (p DeskClose) page() (string, Frame) { return "desk-close", p.Frame }

// DeskReopen opens a closed profile again.
type DeskReopen struct {
	Desk
	PersonName, PersonURL, PostURL string
	Profile                        Profile
	Reason                         string
}

func (p DeskReopen) page() (string, Frame) { return "desk-reopen", p.Frame }

// DeskLeave records that a person leaves an organisation.
type DeskLeave struct {
	Desk
	PersonName, PersonURL, PostURL, Organisation string
	// Losses says what ends.
	Losses []Detail
	// Last and Reason are what was entered.
	Last, Reason string
}

func (p DeskLeave) page() (string, Frame) { return "desk-leave", p.Frame }

// DeskSame finds another profile of the same person.
type DeskSame struct {
	Desk
	PersonName, PersonURL, SearchURL string
	// Other is what was entered.
	Other  string
	People []Candidate
}

func (p DeskSame) page() (string, Frame) { return "desk-same", p.Frame }

// Side is one of two profiles that are merged.
type Side struct {
	Name, UserID, Born, Email, Identity, URL string
	Roles                                    []string
	// Kept says that it is the one which is kept.
	Kept bool
}

// DeskMerges lists the merges that nobody has decided.
type DeskMerges struct {
	Desk
	Sorting
	// Organisation is the code that the list is of, with what is below it.
	Organisation string
	Merges       []MergeRow
	// NextURL leads to what follows, and is empty at the end.
	NextURL string
}

func (p DeskMerges) page() (string, Frame) { return "desk-merges", p.Frame }

// MergeRow is one of them. Age is for how long it has waited: "3 days".
type MergeRow struct {
	KeptName, KeptID, ClosedName, ClosedID, ProposedBy, Age, URL string
}

// DeskMerge proposes that two profiles be merged, or decides about it.
type DeskMerge struct {
	Desk
	Sides   []Side
	PostURL string
	// Proposed says that it is proposed, by whom, when and why; State how it stands.
	Proposed bool
	Details  []Detail
	// CanDecide says that the officer may decide.
	CanDecide bool
	// Bound is what the profile that is kept is signed in with, which would become an officer's, and another had to do with.
	Bound []BoundAuthenticator
	// Keep are the profiles of which one is kept, to choose from. Kept, Verdict and Reason are what was entered.
	Keep                  []Option
	Kept, Verdict, Reason string
}

func (p DeskMerge) page() (string, Frame) { return "desk-merge", p.Frame }

// DeskHistory lists what was done to the profile of a person.
type DeskHistory struct {
	Desk
	Sorting
	PersonName, PersonURL string
	URL                   string // of the page
	Changes               []HistoryRow
	// NextURL leads to what follows. Empty at the end.
	NextURL string
}

func (p DeskHistory) page() (string, Frame) { return "desk-history", p.Frame }

// HistoryRow is something that was done to a profile.
type HistoryRow struct {
	What, UserID, By, Reason string
	At                       time.Time
	Changes                  []Difference
}
