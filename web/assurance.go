package web

import "time"

// StepUp says on [SignIn] why somebody who is signed in has to sign in again.
type StepUp struct {
	// Has is how strongly the person is signed in: "at level 2". Takes says in a sentence what a sign-in is made with that is
	// strong enough.
	Has, Takes string
	// With names those of her authenticators that will do. Empty where that is not known.
	With []string
	// CanContinue offers to go on as she is signed in.
	CanContinue bool
	// ChangeRoleURL is a page to choose another role on, in which less may be asked. Empty for none.
	ChangeRoleURL string
}

// Unmet tells a person that a service asks for more than can be given now, and what to do about it.
type Unmet struct {
	Frame
	// PostURL is what its forms post to.
	PostURL    string
	ClientName string
	// Identity is what is missing of the proof of her identity. Nil when nothing is.
	Identity *IdentityGap
	// Authenticator is how strong the sign-in has to be that none of her authenticators makes: "at level 3". Empty when one
	// does. Takes says in a sentence what such a sign-in is made with.
	Authenticator, Takes string
	// CanContinue offers to go on all the same; Cancelable to go back to the service.
	CanContinue, Cancelable bool
	// ChangeRoleURL is a page to choose another role on, in which less may be asked. Empty for none.
	ChangeRoleURL string
}

func (p Unmet) page() (string, Frame) { return "unmet", p.Frame }

// IdentityGap is what is missing of the proof of an identity.
type IdentityGap struct {
	// Needs and Has are levels of GPG 45 in words: "high". Rank says which of all the levels the needed one is: "the third of
	// four levels". Has is "" of an identity that nobody has proved.
	Needs, Has, Rank string
	// Ways are the shortest ways to the level. Any one of them will do; of a way everything is needed.
	Ways [][]string
}

// Levels shows a person which rules granted her levels, and what is missing for the next.
type Levels struct {
	Frame
	Identity       IdentityLevel
	SignIn         SignInLevel
	Authenticators []AuthenticatorLevel
	// Elsewhere is how others name what was reached.
	Elsewhere []Elsewhere
}

func (p Levels) page() (string, Frame) { return "levels", p.Frame }

// IdentityLevel is how well an identity was proved, and why.
type IdentityLevel struct {
	// Level is in words: "high".
	Level string
	// Profile is the identity profile of GPG 45 that was met: "H1A". Empty when none was. Also lists others that were: "M1A, M1C".
	Profile, Also string
	// IAL is the level of NIST SP 800-63A-4: "2". Empty where there is no claim.
	IAL string
	// Policy is the version of the rules. Empty when no rules were applied: the level was written down by somebody, or there
	// never was evidence.
	Policy string
	// Asserted says that nothing on record proves the level.
	Asserted bool
	// Today is the level by the rules of today, where that is another. Empty otherwise.
	Today string
	// Scores say what each check came to. MoreScores is how many are not among them.
	Scores     []Score
	MoreScores int
	// Next says what is missing for each level that was not reached, lowest first.
	Next []NextLevel
}

// Score is one score of GPG 45, and on what it rests.
type Score struct {
	Name  string
	Value int
	Why   string
	// Count is of how many pieces of evidence it is the score.
	Count int
}

// NextLevel is a level that was not reached, and the shortest ways to it: any one of them will do, and of a way everything
// is needed.
type NextLevel struct {
	Level string
	Ways  [][]string
}

// SignInLevel is how strongly somebody signed in, and why.
type SignInLevel struct {
	Level, Method, Why string
	At                 time.Time
}

// AuthenticatorLevel is the level that an authenticator reaches, and why.
type AuthenticatorLevel struct {
	Name, Kind, Level string
	Why               []string
	// Current says that the person signed in with it.
	Current bool
}

// Elsewhere is how others name what was reached.
type Elsewhere struct {
	// Of is whose name it is, and Name the name.
	Of, Name string
	// Mapping says who decided what the name takes: "Published", by whoever uses the name, or "Our policy".
	Mapping string
}
