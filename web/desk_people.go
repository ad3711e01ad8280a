package web

import "time"

// DeskPeople searches for people and lists who was found.
type DeskPeople struct {
	Desk
	Sorting
	// Query and Born are what was entered.
	Query, Born string
	// Document is the kind of document of which Query is the number, of Documents to choose from. Empty is none.
	Document  string
	Documents []Option
	// Searched says that somebody was looked for.
	Searched bool
	People   []PersonRow
	// NextURL leads to what follows. Empty at the end.
	NextURL string
	// CreateURL is where a person is put on record, and PositionsURL is where somebody who may not do that chooses a position to
	// ask for, for somebody new. Empty where the officer may not.
	CreateURL, PositionsURL string
}

func (p DeskPeople) page() (string, Frame) { return "desk-people", p.Frame }

// PersonRow is a person in a list.
type PersonRow struct {
	Name, UserID string
	// Identity is how well the identity is proved, in words: "High".
	Identity string
	// Organisations are the names of the first ones.
	Organisations []string
	Disabled      bool
	URL           string
}

// DeskPerson is what an officer sees of a person.
type DeskPerson struct {
	Desk
	// Sorting is of the roles, and URL is where it is asked for.
	Sorting
	URL          string
	Name, UserID string
	// Born is a date in words, and Identity the level. Born and Email are empty where nothing is known.
	Born, Email, Identity string
	Disabled              bool
	// Registrations are numbers from professional bodies.
	Registrations []Detail
	Roles         []RoleRow
	// RolesURL leads to the roles that follow. Empty at the end.
	RolesURL string
	// AskURL is where a position for her is asked for. Empty where the officer may not.
	AskURL string
	// EvidenceURL is where it is shown by what the identity is proved. Empty where the officer may not see it.
	EvidenceURL string
	// PhotographURL is a JPEG of up to 480 by 600 pixels, and TakePhotographURL where one is taken. Empty where there is none,
	// and where the officer may not.
	PhotographURL, TakePhotographURL string
	// AuthenticatorsURL is where what the person signs in with is added and changed. Empty where the officer may not.
	AuthenticatorsURL string
	Requests          []RequestRow
	Authenticators    []Authenticator
	Profile           Profile
}

func (p DeskPerson) page() (string, Frame) { return "desk-person", p.Frame }

// RoleRow is a role that somebody has or is to have.
type RoleRow struct {
	Role
	// PositionName is that of the position which gives it. Empty for none.
	PositionName string
	// ToCome says that she does not have it yet.
	ToCome   bool
	StartsAt time.Time
	// ExpiresAt is zero for a role that does not expire.
	ExpiresAt time.Time
	// EndURL is where its end is asked for. Empty where the officer may not.
	EndURL string
}

// DeskOffered lists the positions that can be asked for, for a person.
type DeskOffered struct {
	Desk
	Sorting
	PersonName, PersonURL string
	// SearchURL is where its form leads, and Query what was entered.
	SearchURL, Query string
	Positions        []OfferedRow
	// NextURL leads to what follows. Empty at the end.
	NextURL string
}

func (p DeskOffered) page() (string, Frame) { return "desk-offered", p.Frame }

// OfferedRow is a position that can be asked for.
type OfferedRow struct {
	Name, Notes, JobRole, OrganisationName string
	// AtOnce says that it is given without another officer.
	AtOnce bool
	URL    string
}

// DeskAsk asks that a person be given a position, or lose it.
type DeskAsk struct {
	Desk
	PersonName, PersonURL, PositionName, OrganisationName, OrganisationCode string
	// End asks for the end of the position.
	End bool
	// AtOnce says that nobody else decides.
	AtOnce   bool
	Position []Detail
	PostURL  string
	// Starts, Ends and Reason are what was entered.
	Starts, Ends, Reason string
}

func (p DeskAsk) page() (string, Frame) { return "desk-ask", p.Frame }
