package web

import "time"

// DeskAuthenticators is what a person signs in with, and what can be done about it.
type DeskAuthenticators struct {
	Desk
	Sorting // of the authenticators
	// URL is that of the page.
	URL, PersonName, PersonURL string
	Authenticators             []AuthenticatorRow
	// AddURL and LinkURL are where one is bound at the desk, and where a link for it is made. Empty where the officer may not.
	AddURL, LinkURL string
	// Links are the enrolment links that are open.
	Links []OpenLink
	// NextURL and NextLinksURL lead to what follows of each, and are empty at the end.
	NextURL, NextLinksURL string
}

// OpenLink is an enrolment link that works, or will when its code is given.
type OpenLink struct {
	MadeAt, ExpiresAt time.Time
	TakesCode         bool
	// Recovers says that it was mailed to its person, who gave a recovery code.
	Recovers bool
	// CancelURL is posted to, to cancel it. It is empty where the officer may not.
	CancelURL string
}

func (p DeskAuthenticators) page() (string, Frame) { return "desk-authenticators", p.Frame }

// AuthenticatorRow is an authenticator in whichever state.
type AuthenticatorRow struct {
	Authenticator
	// Model is empty where it is not known. State and Level are in words: "Suspended", "Level 3".
	Model, State, Level string
	// Acts lead to what the officer can do to it.
	Acts []KindLink
}

// DeskAuthenticatorNew binds an authenticator to a person who is at the desk.
type DeskAuthenticatorNew struct {
	Desk
	PersonName, ListURL string
	// LinkURL makes a link for it instead.
	LinkURL  string
	Ceremony Ceremony
}

func (p DeskAuthenticatorNew) page() (string, Frame) { return "desk-authenticator-new", p.Frame }

// DeskAuthenticatorLink makes an enrolment link for a person, and shows it once.
type DeskAuthenticatorLink struct {
	Desk
	PersonName, ListURL, PostURL string
	// Link and Code are empty before it is made.
	Link, Code string
	ExpiresAt  time.Time
}

func (p DeskAuthenticatorLink) page() (string, Frame) { return "desk-authenticator-link", p.Frame }

// DeskAuthenticatorChange does something to an authenticator of a person.
type DeskAuthenticatorChange struct {
	Desk
	PersonName, ListURL, PostURL string
	// Act is what is done: "Suspend". What is a sentence on what comes of it.
	Act, What string
	// Back says that the authenticator then signs its owner in again.
	Back          bool
	Authenticator AuthenticatorRow
	// Reason is what was entered.
	Reason string
}

func (p DeskAuthenticatorChange) page() (string, Frame) { return "desk-authenticator-change", p.Frame }
