package web

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Page is one of the page types of this package. A handler fills the struct and gives it to [Pages.Render]; a type from elsewhere does
// not compile.
type Page interface {
	// page returns the name of the template under templates/pages and what every page has.
	page() (name string, frame Frame)
}

// Frame is what every page has. Each page type embeds it.
type Frame struct {
	// RequestID is shown as the reference that a person can give to support. Empty for none.
	RequestID string
	// Language is the one that the page is in, as [LanguageOf] finds it. Empty means [English].
	Language Language
	// FormAction lists further places that a form on this page may lead to, as Content Security Policy sources ("https:",
	// "com.example.app:", "http://127.0.0.1:8080"): browsers apply form-action to the whole chain of redirects after a post, and
	// this chain ends at the relying party. It is set on the pages of a pending authorization request and only there.
	FormAction []string
	// SignedInAs is the name of the person whose session this is. Empty when nobody is signed in. With a name there is a way out on every
	// page, because computers are shared: a button in the header, except on [SignOutConfirm], which is that question already.
	SignedInAs string
	// SignOutURL is what the button in the header posts to. Empty means /logout.
	SignOutURL string
	// Help is where the person finds help. Empty means [Options].Help.
	Help Help
	// Camera lets the script of the page ask for the camera.
	Camera bool
	// Errors are mistakes in what was entered. A page with errors says so in its title and in a summary at its top.
	Errors []FieldError
	// Meanwhile is what somebody else did since the page was opened from which a form came, so that nothing of it was done. Nil where
	// nobody was in the way.
	Meanwhile *Meanwhile
}

// Meanwhile is what somebody did, and how that differs from what was entered.
type Meanwhile struct {
	// By is who did it, and At when. Empty where that is not on record.
	By string
	At time.Time
	// Differences are of what is on record now, which was first, from what was entered.
	Differences []Difference
}

// FieldError is one mistake in what a person entered.
type FieldError struct {
	// Field is the name of the field, which is also its id: "username", "method", "role", "q". Empty if no one field is at fault.
	Field string
	// Message says how to put it right: "Enter your user ID".
	Message string
}

// Ceremony is the browser's part of a WebAuthn ceremony. static/webauthn.js carries it out: it posts
//
//	{"response": RegistrationResponseJSON or AuthenticationResponseJSON, "name": "…"}
//
// as application/json to Finish, with name only from [Enrol], and gets an [Answer].
type Ceremony struct {
	// Options is the JSON of WebAuthn Level 3, Sections 5.1.8 and 5.1.9: PublicKeyCredentialCreationOptionsJSON on [Enrol],
	// PublicKeyCredentialRequestOptionsJSON on [SignIn]; the value of "publicKey", without that wrapper.
	Options json.RawMessage
	// Finish is the URL to post the response to.
	Finish string
}

// SignIn asks who is there, passkey or security key first.
type SignIn struct {
	Frame
	// PostURL is what its forms post to. The page may be shown at another address.
	PostURL string
	// ClientName is the service that asked for the sign-in. Empty for none.
	ClientName string
	// Username is the user id that was entered. With it, and without Errors, Ceremony.Options allows the credentials of this person
	// only; otherwise those of anyone.
	Username string
	Ceremony Ceremony
	// PasswordURL links to the [PasswordSignIn] page. Empty for none.
	PasswordURL string
	// SimulatedURL links to the [Simulated] page. Empty for none.
	SimulatedURL string
	// RecoverURL links to the [Recover] page. Empty for none.
	RecoverURL string
	// Cancelable offers to go back to the service without signing in.
	Cancelable bool
	// Needs is how strongly the service asks for the sign-in: "at level 3". Empty when any will do.
	Needs string
	// StepUp is set for somebody who is signed in already, and not strongly enough. The page is then hers alone.
	StepUp *StepUp
}

func (p SignIn) page() (string, Frame) { return "sign-in", p.Frame }

// Identified reports whether the page knows whom it signs in.
func (p SignIn) Identified() bool { return p.Username != "" && len(p.Errors) == 0 }

// Mistyped returns the user id to put right: none if the page knows whom it signs in, because the field is then for somebody else.
func (p SignIn) Mistyped() string {
	if p.Identified() {
		return ""
	}
	return p.Username
}

// Simulated lets a developer sign in as anyone, by any method, with no authenticator at all.
type Simulated struct {
	Frame
	// PostURL is what its forms post to.
	PostURL    string
	ClientName string
	People     []SimulatedPerson
	// Username is the user id that was chosen or entered.
	Username string
	// Methods are offered after the person's usual method, whose value is empty; Method is the chosen one.
	Methods []Option
	Method  string
	// Cancelable offers to go back to the service without signing in.
	Cancelable bool
}

func (p Simulated) page() (string, Frame) { return "simulated", p.Frame }

// MethodOptions returns the methods to choose from. The first leaves it to the person's record.
func (p Simulated) MethodOptions() []Option {
	return append([]Option{{Label: "The person’s usual method"}}, p.Methods...)
}

// SimulatedPerson is one person that [Simulated] lists.
type SimulatedPerson struct {
	Name, UserID string
	// Description says what this person is good for: "R8000 Clinical Practitioner, level 3, high".
	Description string
	// URL is the simulated sign-in page with this person's user id already entered.
	URL string
}

// Option is one choice in a list.
type Option struct {
	// Value is what the form posts.
	Value string
	Label string
	// Hint is a second line under the label; lists of radio buttons show it.
	Hint string
	// Checked is what lists of checkboxes show as ticked.
	Checked bool
}

// Role is a role that a person holds at an organisation.
type Role struct {
	// ID identifies the role to the handler: the value of the radio button, and "role-" with ID is its id.
	ID string
	// Name is for reading: "Nurse Access Role".
	Name string
	// Organisation and OrganisationCode are where the role is held: "Leeds Teaching Hospitals", "RR8".
	Organisation, OrganisationCode string
	// Activities are what the role may do. Only [Home] shows them.
	Activities []string
}

// RoleChoice asks in which role the person acts.
type RoleChoice struct {
	Frame
	// PostURL is what its forms post to. The page may be shown at another address.
	PostURL    string
	ClientName string
	// Roles are all current roles of the person. More than five get a search.
	Roles []Role
	// Search is the posted "q". When it is set, only roles are shown that contain each of its words.
	Search string
	// Selected is the ID of the role to show as chosen. Empty for none.
	Selected string
	// Cancelable offers to go back to the service without choosing.
	Cancelable bool
}

func (p RoleChoice) page() (string, Frame) { return "role-choice", p.Frame }

// manyRoles is the number of roles from which on a person is offered a search.
const manyRoles = 6

// Searchable reports whether there are so many roles that a search helps.
func (p RoleChoice) Searchable() bool { return len(p.Roles) >= manyRoles }

// Options returns the roles that match the search, as radio buttons.
func (p RoleChoice) Options() []Option {
	var options []Option
	for _, r := range p.Roles {
		if r.matches(p.Search) {
			options = append(options, Option{Value: r.ID, Label: r.Name, Hint: r.Where()})
		}
	}
	return options
}

// Where returns the organisation and its code for reading.
func (r Role) Where() string {
	if r.OrganisationCode == "" {
		return r.Organisation
	}
	return fmt.Sprintf("%s (%s)", r.Organisation, r.OrganisationCode)
}

func (r Role) matches(search string) bool {
	text := strings.ToLower(r.Name + " " + r.Where())
	for word := range strings.FieldsSeq(strings.ToLower(search)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// NoRole says that the person holds no current role.
type NoRole struct {
	Frame
	// PostURL is what its forms post to. The page may be shown at another address.
	PostURL    string
	ClientName string
	// CanContinue offers to go on without a role. Otherwise the service lets in only people who have one.
	CanContinue bool
	// Cancelable offers to go back to the service.
	Cancelable bool
}

func (p NoRole) page() (string, Frame) { return "no-role", p.Frame }

// Enrol adds a passkey or security key to a person's record.
type Enrol struct {
	Frame
	// PersonName is the person whom the enrolment link is for.
	PersonName string
	// SuggestedName is the name that the authenticator gets if the person enters no other.
	SuggestedName string
	Ceremony      Ceremony
	// PasswordURL links to the [SetPassword] page. Empty where passwords are not accepted.
	PasswordURL string
}

func (p Enrol) page() (string, Frame) { return "enrol", p.Frame }

// EnrolCode asks for the code without which an enrolment link does not work. It does not say whose link it is.
type EnrolCode struct {
	Frame
	// PostURL is what its form posts to.
	PostURL string
}

func (p EnrolCode) page() (string, Frame) { return "enrol-code", p.Frame }

// Enrolled says what was added.
type Enrolled struct {
	Frame
	Authenticator Authenticator
	// Password says that it is a password with an authenticator app.
	Password bool
	// ContinueURL leads to the sign-in page.
	ContinueURL string
}

func (p Enrolled) page() (string, Frame) { return "enrolled", p.Frame }

// Authenticator is something that a person can sign in with.
type Authenticator struct {
	// Name is what the person calls it.
	Name string
	// Kind is for reading: "Security key".
	Kind    string
	AddedAt time.Time
	// LastUsedAt is zero if it was never used.
	LastUsedAt time.Time
}

// Welcome is the home page of somebody who is not signed in.
type Welcome struct {
	Frame
	SignInURL string
}

func (p Welcome) page() (string, Frame) { return "welcome", p.Frame }

// Home is the home page of a person who is signed in.
type Home struct {
	Frame
	Name, UserID string
	// IdentityAssurance is the identity assurance level in words: "High: identity proved in person".
	IdentityAssurance string
	// Method is how the person signed in ("Security key"), and AuthenticatorAssurance the level of that, in words.
	Method, AuthenticatorAssurance string
	AuthenticatedAt                time.Time
	// Role is the active role. Nil for none.
	Role *Role
	// OtherRoles are the current roles that are not active.
	OtherRoles     []Role
	Authenticators []Authenticator
	// ChangeRoleURL is a page to choose a role on. Empty if there is nothing to choose.
	ChangeRoleURL string
	// DeskURL is the registration desk. Empty if the active role makes nobody an officer.
	DeskURL string
	// SignOutURL, of the header's button too, and SignOutEverywhereURL are posted to.
	SignOutURL, SignOutEverywhereURL string
	// Signals is what static/signals.js tells the browser of the person's passkeys, as JSON. Empty tells it nothing.
	Signals json.RawMessage
}

func (p Home) page() (string, Frame) { return "home", p.Frame }

// SignOutConfirm asks before signing out, because a relying party, or a page that pretends to be one, asked for it (OpenID Connect
// RP-Initiated Logout 1.0, Section 2).
type SignOutConfirm struct {
	Frame
	// ClientName is the service that asked. Empty if it is not known.
	ClientName string
	// StayURL leads back without signing out.
	StayURL string
}

func (p SignOutConfirm) page() (string, Frame) { return "sign-out-confirm", p.Frame }

// SignedOut says that the session has ended.
type SignedOut struct {
	Frame
	SignInURL string
}

func (p SignedOut) page() (string, Frame) { return "signed-out", p.Frame }

// Problem is a refusal that a person sees. Handlers return it as an error, and its text is safe to show.
type Problem struct { //nolint:errname // it is a page first, and named as one
	Frame
	// Status is the HTTP status code to render it with.
	Status int
	// Title says what is wrong, as a heading: "This link has expired".
	Title string
	// Message says it in a sentence or two.
	Message string
	// Next says what the person can do now. Nobody is refused without being told who can help.
	Next string
	// Retry offers a button to the same address.
	Retry bool
	// Code and Description are the error and error_description of RFC 6749, Section 4.1.2.1, for the developer of a service whose
	// request is so wrong that it cannot be answered at the service. Empty for none.
	Code, Description string
}

func (p *Problem) page() (string, Frame) { return "problem", p.Frame }

// Error implements error.
func (p *Problem) Error() string { return fmt.Sprintf("%d %s", p.Status, p.Title) }
