package web

import (
	"slices"
	"time"
)

// DeskClients lists the applications for clients that are in a state.
type DeskClients struct {
	Desk
	Sorting
	// Organisation is the code that the list is of, with what is below it.
	Organisation string
	// State is the Value of one of States.
	State   string
	Clients []ClientRow
	// ApplyURL is empty for whom may not apply, and NextURL at the end.
	ApplyURL, NextURL string
}

func (p DeskClients) page() (string, Frame) { return "desk-clients", p.Frame }

// States are what the list can be of.
func (p DeskClients) States() []Option {
	return []Option{{Value: "open", Label: "Waits for a decision"}, {Value: "approved", Label: "Approved"}, {Value: "refused", Label: "Refused"}, {Value: "withdrawn", Label: "Withdrawn"}}
}

// ClientRow is an application in a list.
type ClientRow struct {
	Name, OrganisationCode, Environment, AppliedByName string
	AppliedAt                                          time.Time
	URL                                                string
}

// DeskClientForm applies for a client.
type DeskClientForm struct {
	Desk
	PostURL string
	// FollowsName and FollowsURL are the application for integration that this one goes live after. Empty for a new service, of
	// which Organisation and Environment are asked.
	FollowsName, FollowsURL string
	// What was entered.
	Organisation, Environment, Name, Purpose, Contact, RedirectURIs, PostLogoutRedirectURIs, Authentication, MinimumAuthenticator, MinimumIdentity string
	// JWKS is what was entered if it is a set of public keys, or else empty.
	JWKS, JWKSURI string
	// What can be chosen. SetChoices sets these.
	Scopes, RequiresRole, Identities []Option
}

func (p DeskClientForm) page() (string, Frame) { return "desk-client-form", p.Frame }

// SetChoices sets what can be ticked, and what is, and the levels of identity.
func (p *DeskClientForm) SetChoices(ticked []string, requiresRole bool, scopes, identities []Option) {
	for i := range scopes {
		scopes[i].Checked = slices.Contains(ticked, scopes[i].Value)
	}
	p.Scopes, p.Identities = scopes, identities
	p.RequiresRole = []Option{{Value: "yes", Label: "Only people who act in a role", Checked: requiresRole}}
}

// Environments are the stages that a new service can apply for.
func (p DeskClientForm) Environments() []Option {
	return []Option{
		{Value: "development", Label: "Development", Hint: "Addresses may be on your own machine"},
		{Value: "integration", Label: "Integration", Hint: "It comes before live: when its addresses answer, you apply for live from it"},
	}
}

// Authentications are the ways in which a service proves that it is itself.
func (p DeskClientForm) Authentications() []Option {
	return []Option{
		{Value: "client_secret_basic", Label: "With a secret, in a header", Hint: "A service with a server. Its libraries call it client_secret_basic"},
		{Value: "private_key_jwt", Label: "With a key of its own", Hint: "A service with a server that signs: private_key_jwt. Nobody but the service ever has the key"},
		{Value: "client_secret_post", Label: "With a secret, in the form", Hint: "Only where the header is not possible: client_secret_post"},
		{Value: "none", Label: "It cannot keep a secret", Hint: "An app, or a page without a server"},
	}
}

// Authenticators are the levels of sign-in.
func (p DeskClientForm) Authenticators() []Option {
	return []Option{
		{Value: "1", Label: "Level 1: a password is enough"}, {Value: "2", Label: "Level 2: two factors"}, {Value: "3", Label: "Level 3: a key that cannot be copied"},
	}
}

// DeskClient is one application, and what can be done about it.
type DeskClient struct {
	Desk
	Name, State   string
	Open          bool
	Details       []Detail
	AppliedByName string
	AppliedAt     time.Time
	// Decided is zero where it was not.
	Decided Decision
	// ClientID is empty before there is one.
	ClientID string
	// Check is the last readiness check. Nil when there was none.
	Check *ClientCheck
	// Alike says what else has a name that looks like this one.
	Alike []string
	// CheckURL, SecretURL, KeysURL, LiveURL and FollowsURL are empty where there is nothing to do or to see.
	CheckURL, SecretURL, KeysURL, LiveURL, FollowsURL string
	// CanDecide and CanWithdraw offer the forms, which post to PostURL what is entered: Verdict is "approved" or "refused".
	CanDecide, CanWithdraw           bool
	PostURL, Verdict, DecisionReason string
	// WhyNot says why neither can be done, in a sentence. Empty where one can.
	WhyNot string
}

func (p DeskClient) page() (string, Frame) { return "desk-client", p.Frame }

// Verdicts are the choices of the form that decides.
func (p DeskClient) Verdicts() []Option {
	return []Option{{Value: "approved", Label: "Approve", Hint: "People can sign in to the service once it has a secret, if it needs one"}, {Value: "refused", Label: "Refuse", Hint: "Nothing changes"}}
}

// ClientCheck is what a readiness check found.
type ClientCheck struct {
	At     time.Time
	ByName string
	// Ended is not set while it runs, and if it was cut off.
	Ended, Passed bool
	Findings      []ClientFinding
}

// ClientFinding is what came of one address.
type ClientFinding struct {
	URI, Use string
	OK       bool
	// Found and Fix are sentences: what was tried and what came back, and what to do about it.
	Found, Fix string
}

// DeskClientCheck shows the last readiness check and offers another.
type DeskClientCheck struct {
	Desk
	Name, ClientURL, PostURL string
	CanCheck                 bool
	Check                    *ClientCheck
}

func (p DeskClientCheck) page() (string, Frame) { return "desk-client-check", p.Frame }

// DeskClientSecret says which secrets of a client work, and makes another.
type DeskClientSecret struct {
	Desk
	Name, ClientURL, ClientID, PostURL string
	// First says that nobody has seen one yet.
	First bool
	// MadeAt is zero before the first, and OldEndsAt where no old one works.
	MadeAt, OldEndsAt time.Time
	// Days is what was entered.
	Days string
}

func (p DeskClientSecret) page() (string, Frame) { return "desk-client-secret", p.Frame }

// DeskClientSecretMade shows a secret, this once.
type DeskClientSecretMade struct {
	Desk
	Name, ClientURL, ClientID, Secret string
	OldEndsAt                         time.Time
}

func (p DeskClientSecretMade) page() (string, Frame) { return "desk-client-secret-made", p.Frame }

// DeskClientKeys says which public keys of a client are registered, and takes others in their place.
type DeskClientKeys struct {
	Desk
	Name, ClientURL, ClientID, PostURL string
	Keys                               []string
	// JWKS is what was entered if it is a set of public keys, or else empty.
	JWKS string
}

func (p DeskClientKeys) page() (string, Frame) { return "desk-client-keys", p.Frame }
