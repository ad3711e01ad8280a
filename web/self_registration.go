package web

import "time"

// SelfRegister asks somebody who she is, to put herself on record at an organisation.
type SelfRegister struct {
	Frame
	// Organisation is its name. PostURL is what the form posts to.
	Organisation, PostURL string
	// What was entered.
	GivenName, FamilyName, Email string
}

func (p SelfRegister) page() (string, Frame) { return "self-register", p.Frame }

// SelfRegistrationSent says that a link is on its way to the address that was entered, whether or not it is on record.
type SelfRegistrationSent struct{ Frame }

func (p SelfRegistrationSent) page() (string, Frame) { return "self-registration-sent", p.Frame }

// SelfRegistrationConfirm asks whoever has the link whether it is she.
type SelfRegistrationConfirm struct {
	Frame
	// Name and Email are what was entered, Organisation is the name of the one with which she registers.
	Name, Email, Organisation string
	// PostURL is what the form posts to.
	PostURL string
}

func (p SelfRegistrationConfirm) page() (string, Frame) { return "self-registration-confirm", p.Frame }

// SelfRegistrationKnown tells whoever has the link that the address is on record already.
type SelfRegistrationKnown struct{ Frame }

func (p SelfRegistrationKnown) page() (string, Frame) { return "self-registration-known", p.Frame }

// DeskUnproved lists people who registered themselves and are not proved yet.
type DeskUnproved struct {
	Desk
	Sorting
	// Organisation is the code that the list is of, with what is below it.
	Organisation string
	People       []UnprovedRow
	// NextURL leads to what follows. Empty at the end.
	NextURL string
}

func (p DeskUnproved) page() (string, Frame) { return "desk-self-registered", p.Frame }

// UnprovedRow is somebody who registered herself at an organisation.
type UnprovedRow struct {
	Name, UserID, OrganisationCode string
	RegisteredAt                   time.Time
	URL                            string
}
