package web

import "time"

// DeskUnusual lists unusual sign-ins.
type DeskUnusual struct {
	Desk
	Sorting
	// Organisation is the code that the list is of, with what is below it.
	Organisation string
	// Days is how many days it is of.
	Days    int
	SignIns []UnusualSignIn
	// NextURL leads to what follows, and is empty at the end.
	NextURL string
}

func (p DeskUnusual) page() (string, Frame) { return "desk-unusual", p.Frame }

// UnusualSignIn is one of them. URL leads to what is on record about the person. Address is empty where none is known.
type UnusualSignIn struct {
	At                           time.Time
	Name, PersonID, Address, URL string
	Reasons                      []string
}

// DeskSuspended lists authenticators that are suspended or lost.
type DeskSuspended struct {
	Desk
	Sorting
	// Organisation is the code that the list is of, with what is below it.
	Organisation   string
	Authenticators []SuspendedAuthenticator
	// NextURL leads to what follows, and is empty at the end.
	NextURL string
}

func (p DeskSuspended) page() (string, Frame) { return "desk-suspended", p.Frame }

// SuspendedAuthenticator is one of them. URL leads to what its person signs in with. State is in words: "Suspended".
type SuspendedAuthenticator struct {
	PersonName, PersonID, URL, Name, Kind, State string
	Since                                        time.Time
}
