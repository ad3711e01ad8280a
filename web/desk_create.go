package web

// DeskCreate is the form by which a person is put on record, and who there may be the same person.
type DeskCreate struct {
	Desk
	PostURL string
	// Person is what was entered.
	Person Newcomer
	// Looked says that it was looked for who may be the same. People are they, likeliest first.
	Looked bool
	People []Candidate
	// More says that there are more, who are less like the person.
	More bool
	// For is what is asked for the person. Nil where nothing is.
	For *IntroductionRow
	// Again says that somebody is among them who was not when the officer looked before.
	Again bool
}

func (p DeskCreate) page() (string, Frame) { return "desk-create", p.Frame }

// Newcomer is what was entered of a person who is to be put on record.
type Newcomer struct {
	Title, GivenName, MiddleNames, FamilyName, Born, Email string
}

// Candidate is somebody who may be the same person.
type Candidate struct {
	PersonRow
	// Why is what is alike: "Born on the same day".
	Why []string
}
