package web

import "time"

// DeskIntroductions lists people who are not on record yet, for whom positions are asked.
type DeskIntroductions struct {
	Desk
	Sorting
	// Organisation is the code that the list is of, with what is below it.
	Organisation  string
	Introductions []IntroductionRow
	// NextURL leads to what follows. Empty at the end.
	NextURL string
	// PositionsURL leads to what can be asked for. Empty for whom may not.
	PositionsURL string
}

func (p DeskIntroductions) page() (string, Frame) { return "desk-introductions", p.Frame }

// IntroductionRow is somebody in that list. Name is as it was introduced.
type IntroductionRow struct {
	Name, PositionName, OrganisationName, OrganisationCode, AskedByName string
	// Age is for how long it has waited: "3 days".
	Age, URL string
}

// DeskIntroduce is the form by which a position is asked for somebody who is not on record yet.
type DeskIntroduce struct {
	Desk
	PostURL, PositionName, PositionURL, OrganisationName, OrganisationCode string
	Position                                                               []Detail
	// What was entered.
	Person               Newcomer
	Starts, Ends, Reason string
}

func (p DeskIntroduce) page() (string, Frame) { return "desk-introduce", p.Frame }

// DeskIntroduction is one introduction, and what can be done about it.
type DeskIntroduction struct {
	Desk
	IntroductionRow
	// State is in words: "Waits for an officer", "Refused".
	State string
	// Person is what is known of her.
	Person                      []Detail
	Reason                      string
	AskedAt, StartsAt, LapsesAt time.Time
	// ExpiresAt and Ended are zero where there is none.
	ExpiresAt time.Time
	Ended     Decision
	// PersonURL and RequestURL lead to who she is and what is asked for her, once it was taken up.
	PersonURL, RequestURL string
	Version               int
	Position              []Detail
	PositionURL           string
	// LookURL leads to the look for her. Empty for whom may not, and then WhyNot says why, in a sentence, if it is open.
	LookURL, WhyNot string
	// Dismiss is what the form does that ends it: "Withdraw", "Refuse". Empty for whom may not. It posts to PostURL.
	Dismiss, PostURL, DismissReason string
}

func (p DeskIntroduction) page() (string, Frame) { return "desk-introduction", p.Frame }

// DeskIntroductionPerson asks whether somebody on record is who was introduced.
type DeskIntroductionPerson struct {
	Desk
	IntroductionRow
	// Introduced and OnRecord are the same details of both.
	Introduced, OnRecord []Detail
	PersonName, PostURL  string
	// BackURL leads to the introduction.
	BackURL string
}

func (p DeskIntroductionPerson) page() (string, Frame) { return "desk-introduction-person", p.Frame }
