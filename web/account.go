package web

import "time"

// Account is what every page has on which people see what is on record about themselves.
type Account struct {
	Frame
	// Places are the pages that its navigation leads to.
	Places []Place
}

// AccountOverview says who is signed in, and by what her identity is proved.
type AccountOverview struct {
	Account
	// Meetings are those by video whose codes she is to read aloud.
	Meetings     []AwaitedMeeting
	Name, UserID string
	// Email is empty where none is known. WrittenIn is the language of messages to it: "Welsh".
	Email, WrittenIn string
	// CodeURL is where she who registered herself is shown a code that an officer asks her for. Empty for all others.
	CodeURL string
	// Identity is the level of identity in words.
	Identity string
	Sorting  // of the evidence
	// Evidence is that, in outline. URL is that of the page, and NextURL leads to what follows, and is empty at the end.
	Evidence     []EvidenceOutline
	URL, NextURL string
	// Next is what is missing for the next level. Nil where there is no way to one.
	Next   *NextLevel
	SignIn SignInLevel
}

func (p AccountOverview) page() (string, Frame) { return "account", p.Frame }

// AwaitedMeeting is a meeting by video that waits for its code.
type AwaitedMeeting struct {
	Officer, Organisation, Code string
	EndsAt                      time.Time
}

// AccountCode shows who registered herself the code that an officer asks her for.
type AccountCode struct {
	Account
	// Code is empty when there is none that works.
	Code    string
	EndsAt  time.Time
	PostURL string
}

func (p AccountCode) page() (string, Frame) { return "account-code", p.Frame }

// EvidenceOutline is a piece of evidence as its person sees it.
type EvidenceOutline struct {
	// Kind is for reading: "Passport". Number is the end of its number.
	Kind, Issuer, Number string
	RecordedAt           time.Time
	// Withdrawn says that it counts no more.
	Withdrawn bool
}

// AccountRoles lists what somebody may act as.
type AccountRoles struct {
	Account
	Sorting
	URL   string
	Roles []OwnRole
	// NextURL leads to what follows. Empty at the end.
	NextURL string
	// ChangeRoleURL is where she chooses the active role. Empty if there is nothing to choose.
	ChangeRoleURL string
}

func (p AccountRoles) page() (string, Frame) { return "account-roles", p.Frame }

// OwnRole is a role that somebody has or is to have.
type OwnRole struct {
	Role
	// PositionName is that of the position which gives it. Empty for none.
	PositionName string
	// ToCome says that she does not have it yet, Active that she acts in it.
	ToCome, Active bool
	StartsAt       time.Time
	// ExpiresAt is zero for a role that does not expire.
	ExpiresAt time.Time
}

// AccountAuthenticators lists what somebody signs in with, and what she had.
type AccountAuthenticators struct {
	Account
	Sorting
	URL string
	// Added is the name of one that was added just now. Empty for none.
	Added            string
	Active, Inactive []OwnAuthenticator
	AddURL           string
	// NextURL leads to what follows. Empty at the end.
	NextURL string
}

// Listed is how many are on the page.
func (p AccountAuthenticators) Listed() int { return len(p.Active) + len(p.Inactive) }

func (p AccountAuthenticators) page() (string, Frame) { return "account-authenticators", p.Frame }

// OwnAuthenticator is something that somebody signs in with, as she sees it.
type OwnAuthenticator struct {
	Authenticator
	ID string
	// Model is what its maker calls it. Empty where that is not known.
	Model string
	// State is a word: "lost". Since is when it stopped working.
	State string
	Since time.Time
	// Current says that she is signed in with it.
	Current bool
	// RenameURL, RemoveURL and LostURL are where she names it, takes it away or reports it lost. Empty where she cannot.
	RenameURL, RemoveURL, LostURL string
}

// AccountAdd adds a passkey or security key.
type AccountAdd struct {
	Account
	// Weak says that she signed in too weakly to add anything. There is then no ceremony.
	Weak          bool
	SuggestedName string
	Ceremony      Ceremony
	ListURL       string
}

func (p AccountAdd) page() (string, Frame) { return "account-add", p.Frame }

// AccountRename gives an authenticator another name.
type AccountRename struct {
	Account
	// Is is its name now, and Name what was entered.
	Is, Name         string
	PostURL, ListURL string
}

func (p AccountRename) page() (string, Frame) { return "account-rename", p.Frame }

// AccountRemove asks whether an authenticator is to be taken away, and says what then is lost.
type AccountRemove struct {
	Account
	// Lost says that it is reported lost.
	Lost          bool
	Authenticator OwnAuthenticator
	// None says that nothing is left to sign in with; Falls that what is left reaches level Left in place of Has.
	None, Falls      bool
	Has, Left        string
	PostURL, ListURL string
}

func (p AccountRemove) page() (string, Frame) { return "account-remove", p.Frame }

// AccountSessions lists where somebody is signed in.
type AccountSessions struct {
	Account
	Sorting
	URL      string
	Sessions []OwnSession
	// NextURL leads to what follows. Empty at the end.
	NextURL string
	// EndOthersURL is where she ends all others. Empty where there are none.
	EndOthersURL string
}

func (p AccountSessions) page() (string, Frame) { return "account-sessions", p.Frame }

// OwnSession is a session as its person sees it.
type OwnSession struct {
	ID string
	// Method and Level are of the last sign-in, and Address is from where it was. Address is empty where that is not known any more.
	Method, Level, Address                  string
	BegunAt, SignedInAt, LastSeenAt, EndsAt time.Time
	// Current says that it is the one of this browser.
	Current bool
	// EndURL is where she ends it. Empty for the current one.
	EndURL string
}

// AccountEnd asks whether a session, or every other, is to be ended.
type AccountEnd struct {
	Account
	// Session is nil for every other than the one of this browser.
	Session          *OwnSession
	PostURL, ListURL string
}

func (p AccountEnd) page() (string, Frame) { return "account-end", p.Frame }

// AccountHistory lists sign-ins and what became of what somebody signs in with.
type AccountHistory struct {
	Account
	Sorting
	// Shows are what of it can be listed, and Show is what is.
	Shows []Option
	Show  string
	Lines []HistoryLine
	// NextURL leads to what follows, and is empty at the end. FirstURL leads back to the beginning, and is empty there.
	NextURL, FirstURL string
}

func (p AccountHistory) page() (string, Frame) { return "account-history", p.Frame }

// HistoryLine is something that happened.
type HistoryLine struct {
	What string
	// How is how she signed in. Empty for what is no sign-in.
	How string
	At  time.Time
	// Address is from where it was done, and Reference that of the request. Both are empty at a command line.
	Address, Reference string
	// Refused says that it was refused, and Other that somebody else did it.
	Refused, Other bool
}

// AccountData offers all that is held about somebody as a file.
type AccountData struct {
	Account
	PostURL string
	// MostLines bounds the history in it.
	MostLines int
}

func (p AccountData) page() (string, Frame) { return "account-data", p.Frame }
