package messenger

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"text/template"
	"time"
	"unicode"

	"github.com/google/uuid"
	gomail "github.com/wneessen/go-mail"

	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// Letter is what a message says. A letter names the person whom it is to, if it is to one on record, and what it is about, nothing
// else of anybody, and no secret but that of a link which works once, or of a meeting.
type Letter interface {
	kind() string // the name of its text under letters
}

// PositionGiven tells a person what she may act as.
type PositionGiven struct {
	Position, Organisation string
	StartsAt               time.Time
	EndsAt                 *time.Time
}

// PositionEnds reminds a person of the end of what she may act as.
type PositionEnds struct {
	Position, Organisation string
	EndsAt                 time.Time
}

// RequestDecided tells an officer that a request of hers was approved or refused.
type RequestDecided struct {
	Request uuid.UUID
	State   string
}

// RequestLapsed tells an officer that nobody decided a request of hers.
type RequestLapsed struct{ Request uuid.UUID }

// ReviewDue tells an officer that something is left to decide in a review that she opened.
type ReviewDue struct {
	Review uuid.UUID
	DueAt  time.Time
}

// BreakGlassOpened tells a registration authority manager that somebody is an officer for some hours.
type BreakGlassOpened struct {
	ID           uuid.UUID
	Organisation string
	EndsAt       time.Time
}

// AuthenticatorAdded tells a person with what she, or somebody else, can sign in from now on.
type AuthenticatorAdded struct{ Authenticator string }

// AuthenticatorChanged tells a person what became of an authenticator of hers.
type AuthenticatorChanged struct {
	Authenticator string
	State         string // that it is in, as package registration calls it
}

// AddressChanged tells a person that her address on record is another, at the one that she had before.
type AddressChanged struct{}

// RecoveryCodesMade tells a person that she has new recovery codes.
type RecoveryCodesMade struct{}

// Recovery brings a person the link with which she binds what she signs in with from now on, after she gave a recovery code.
type Recovery struct {
	URL       string
	ExpiresAt time.Time
}

// MeetingBegun brings a person the code that she reads back to the officer who meets her by video. It is worth nothing to anybody
// whom the officer does not see.
type MeetingBegun struct {
	Code, Organisation string
	EndsAt             time.Time
}

// RecoveryBegun tells a person, at an address that she had before, that somebody gave a recovery code of hers.
type RecoveryBegun struct{}

// SelfRegistration brings somebody who is nobody yet the link with which she registers herself at an organisation. It says the same to
// who is on record already.
type SelfRegistration struct {
	Organisation string
	URL          string
	ExpiresAt    time.Time
}

func (PositionGiven) kind() string        { return "position_given" }
func (PositionEnds) kind() string         { return "position_ends" }
func (RequestDecided) kind() string       { return "request_decided" }
func (RequestLapsed) kind() string        { return "request_lapsed" }
func (ReviewDue) kind() string            { return "review_due" }
func (BreakGlassOpened) kind() string     { return "break_glass_opened" }
func (AuthenticatorAdded) kind() string   { return "authenticator_added" }
func (AuthenticatorChanged) kind() string { return "authenticator_changed" }
func (AddressChanged) kind() string       { return "address_changed" }
func (RecoveryCodesMade) kind() string    { return "recovery_codes_made" }
func (Recovery) kind() string             { return "recovery" }
func (RecoveryBegun) kind() string        { return "recovery_begun" }
func (MeetingBegun) kind() string         { return "meeting_begun" }
func (SelfRegistration) kind() string     { return "self_registration" }

//go:embed letters
var letters embed.FS

func parseLetters() (*template.Template, error) {
	moment := func(t time.Time) string { return t.UTC().Format("15:04 UTC on 2 January 2006") }
	return template.New("").Funcs(template.FuncMap{"moment": moment}).ParseFS(letters, "letters/*.txt")
}

// text is what a message says, as it rests under the seal.
type text struct{ Name, Subject, Body string }

// mostName bounds what somebody is called in a message, so that it fits a line.
const mostName = 200

// write writes a letter to somebody, or to whoever reads it if the name is "". The first line of its template is the subject, in which
// nothing is ever filled in.
func (o *Outbox) write(name string, l Letter) (text, error) {
	var written strings.Builder
	if err := o.letters.ExecuteTemplate(&written, l.kind()+".txt", struct {
		Issuer string
		Letter Letter
	}{o.issuer, l}); err != nil {
		return text{}, fmt.Errorf("write letter: %w", err)
	}
	subject, body, _ := strings.Cut(written.String(), "\n\n")
	name = strings.ReplaceAll(plain(name), "\n", " ")
	if runes := []rune(name); len(runes) > mostName {
		name = string(runes[:mostName])
	}
	greeting := "Dear " + name
	if name == "" {
		greeting = "Hello"
	}
	return text{
		Name: name, Subject: subject,
		Body: greeting + ",\n\n" + plain(body) + "\n" + o.issuer + " sent this message by itself: nobody reads an answer to it.\n",
	}, nil
}

// plain keeps of a text what is seen, and the ends of lines: nothing that moves the cursor or turns the direction of text.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsGraphic(r) && r != unicode.ReplacementChar {
			return r
		}
		return -1
	}, s)
}

// seal seals what a message says, for that message alone.
func (o *Outbox) seal(t text, id uuid.UUID) ([]byte, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("seal a message: %w", err)
	}
	return o.box.Seal(b, id[:]), nil
}

// errAddress says that nothing can be sent to an address.
var errAddress = errors.New("no mail can be sent to this address")

// compose makes of a message what is sent. It is the same each time.
func (o *Outbox) compose(m store.Message) (*gomail.Msg, error) {
	opened, err := o.box.Open(m.TextSealed, m.ID[:])
	if err != nil {
		return nil, fmt.Errorf("open a message: %w", err)
	}
	var t text
	if err := json.Unmarshal(opened, &t); err != nil {
		return nil, seal.ErrSeal // sealed by another version of this program
	}
	to, err := mail.ParseAddress(m.Address)
	if err != nil || to.Address != m.Address || strings.ContainsFunc(to.Address, func(r rune) bool { return r > unicode.MaxASCII }) { // SMTP takes no others
		return nil, errAddress
	}
	to.Name = t.Name
	_, domain, _ := strings.Cut(o.from.Address, "@")
	composed := gomail.NewMsg(gomail.WithNoDefaultUserAgent(), gomail.WithEncoding(gomail.EncodingQP))
	composed.FromMailAddress(o.from)
	composed.ToMailAddress(to)
	composed.Subject(t.Subject)
	composed.SetDateWithValue(m.CreatedAt.UTC())
	composed.SetMessageIDWithValue(m.ID.String() + "@" + domain)
	composed.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834, Section 5.1
	composed.SetBodyString(gomail.TypeTextPlain, t.Body)
	return composed, nil
}
