package web

import "time"

// Desk is what every page of the registration desk has: as whom the officer acts. Each embeds it in place of [Frame].
type Desk struct {
	Frame
	// Role is the active role, and Officer what it makes her, in words. Empty where the name of the role says it.
	Role    Role
	Officer string
	// ChangeRoleURL is a page to choose a role on. Empty if there is nothing to choose.
	ChangeRoleURL string
	// Places are the parts of the desk that her role opens.
	Places []Place
}

// Place is a part of the desk.
type Place struct {
	Name, URL string
	// Current is "page" on the place itself, "true" on a page below it, and otherwise empty.
	Current string
}

// DeskRefused says that the active role does not open a page of the desk, or does not let its officer do something.
type DeskRefused struct {
	Desk
	// Why and Next are sentences: what is refused, and what to do about it.
	Why, Next string
}

func (p DeskRefused) page() (string, Frame) { return "desk-refused", p.Frame }

// DeskHome is what needs doing.
type DeskHome struct {
	Desk
	// Requests, people to put on record, positions and evidence that wait for somebody. Nil where that is not her business.
	Requests, Introductions, Positions, Evidence *Waiting
	// Unproved are people who registered themselves and whose identity is to be proved. Nil where that is not her business.
	Unproved *Waiting
	// Merges are of profiles of one person, and wait for a second officer. Nil where that is not her business.
	Merges *Waiting
	// Reviews are those in which something is left to decide. Nil where that is not her business.
	Reviews *ReviewsDue
	// BreakGlass is what was opened and nobody has signed for. Nil where that is not her business.
	BreakGlass *Waiting
	// CanFind offers to search for people.
	CanFind bool
	// GlanceURL leads to her organisation at a glance. Empty where nothing there is her business.
	GlanceURL string
}

func (p DeskHome) page() (string, Frame) { return "desk", p.Frame }

// Waiting is how much waits, and for how long the oldest of it has: "3 days".
type Waiting struct {
	Count  int
	OrMore bool
	Oldest string
	URL    string
}

// DeskRequests lists what is asked for and not decided.
type DeskRequests struct {
	Desk
	Sorting
	// Organisation is the code that the list is of, with what is below it.
	Organisation string
	// Owner is the Value of one of Owners. Person and Position are ids, of whom and for which the list is; empty: of all.
	Owner, Person, Position string
	Requests                []RequestRow
	// NextURL leads to what follows. Empty at the end. BulkURL is where a file of requests is handed in; empty where the officer
	// may not.
	NextURL, BulkURL string
}

func (p DeskRequests) page() (string, Frame) { return "desk-requests", p.Frame }

// Owners are whose requests can be chosen.
func (DeskRequests) Owners() []Option {
	return []Option{{Value: "", Label: "Anybody or nobody"}, {Value: "mine", Label: "Me"}, {Value: "nobody", Label: "Nobody"}}
}

// RequestRow is a request in a list.
type RequestRow struct {
	// What is "Give" or "End".
	What, PersonName, PersonID, PositionName, OrganisationName, OrganisationCode, AskedByName string
	// OwnerName is who looks after it while it is open. Empty for nobody.
	OwnerName string
	// Age is for how long it has waited: "3 days".
	Age      string
	StartsAt time.Time
	URL      string
}

// DeskRequest is one request, and what can be done about it.
type DeskRequest struct {
	Desk
	RequestRow
	// State is in words: "Waits for a decision", "Approved".
	State string
	// Open says that it can still be decided or withdrawn.
	Open              bool
	Reason            string
	PersonURL         string
	AskedAt, LapsesAt time.Time
	// ExpiresAt and Decided are zero where there is none.
	ExpiresAt time.Time
	Decided   Decision
	// Position says what the position is by the version that was asked for. Changes is what it is since, of what differs, and
	// Closed says that it is none any more.
	Version     int
	Position    []Detail
	PositionURL string
	Changes     []Difference
	Closed      bool
	// Bound is what the person signs in with, whom it would make an officer, and another had to do with.
	Bound []BoundAuthenticator
	// CanDecide and CanWithdraw offer the forms, which post to PostURL what is entered: Verdict is "approved" or "refused".
	CanDecide, CanWithdraw bool
	// TookUp says that the officer put the person on record for whom it was asked, so that she may only refuse it.
	TookUp                           bool
	PostURL, Verdict, DecisionReason string
	// OwnerSince is since when somebody looks after it. TakeURL and GiveBackURL are where the officer says that she does, or does so no more;
	// empty where she does already or does not, or may not.
	OwnerSince           time.Time
	TakeURL, GiveBackURL string
	// WhyNot says why neither can be done, in a sentence. Empty where one can.
	WhyNot string
}

// BoundAuthenticator is something that a person signs in with, and which other had to do with it.
type BoundAuthenticator struct {
	Name, By string
	At       time.Time
}

func (p DeskRequest) page() (string, Frame) { return "desk-request", p.Frame }

// Verdicts are the choices of the form that decides.
func (p DeskRequest) Verdicts() []Option {
	refuse := Option{Value: "refused", Label: "Refuse", Hint: "Nothing changes"}
	if p.TookUp {
		return []Option{refuse}
	}
	return []Option{{Value: "approved", Label: "Approve", Hint: "What is asked for happens"}, refuse}
}

// Decision is what came of a request.
type Decision struct {
	// ByName is empty where nobody decided: the position is assignable, or the request was withdrawn or lapsed.
	ByName, Reason string
	At             time.Time
}

// Detail is one thing that is said of something: a name and its values.
type Detail struct {
	Name   string
	Values []string
}

// Difference is what a detail was and is now; of [Meanwhile] what is on record now, and what was entered.
type Difference struct {
	Name    string
	Was, Is []string
}
