package deed

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/credence-id/credence/idp/authority"
)

// Reason is why an officer was refused, as the record has it.
type Reason = authority.Refusal

// The reasons of any act. Packages that do something have reasons of their own.
const (
	NoRight                    = authority.NoRight
	AnotherOrganisation        = authority.AnotherOrganisation
	OwnPerson                  = authority.OwnPerson
	OwnRequest                 = authority.OwnRequest
	OwnOrganisation            = authority.OwnOrganisation
	AboveOwn                   = authority.AboveOwn
	NotInRole           Reason = "not_in_role" // she is disabled, or does not have the role that she would act in
	NotProved           Reason = "identity_not_proved"
	AnotherRole         Reason = "another_role"  // a form was filled in for another role than the one that is active now
	ChangedSince        Reason = "changed_since" // it is not any more what she saw
	DecidedAlready      Reason = "decided_already"
)

// Refusal is that an officer may not do something, or not now. Its text is for people.
type Refusal struct { //nolint:errname // in all of this program who is told no is told a refusal
	Reason  Reason
	Words   string   // say the reason, where it is not one of any act
	Because string   // what it is about, in words; often ""
	Changes []Change // of ChangedSince, since then
}

// Change is a value that differs between what an officer saw and what is.
type Change struct{ Field, From, To string }

// Refuse is a refusal for a reason of any act.
func Refuse(reason Reason) *Refusal { return &Refusal{Reason: reason} }

// With is the refusal with what it is about, in words, and what has changed since.
func (r *Refusal) With(because string, changes ...Change) *Refusal {
	r.Because, r.Changes = because, changes
	return r
}

// Decided is the refusal that something is decided already, and as what: by the officer herself, by another one or, where by is nil, by
// nobody in time.
func (d *Deed) Decided(by *string, field, seen, now string) *Refusal {
	r, changes := Refuse(DecidedAlready), []Change{{Field: field, From: seen, To: now}}
	switch {
	case by == nil:
		r.Words = "nobody decided this in time, so it is decided by now"
	case *by == d.By.Person:
		r.Words = "you have decided this already"
		fallthrough
	default:
		changes = append(changes, Change{Field: "decided_by", To: *by})
	}
	return r.With("", changes...)
}

// In is the refusal with the state in which something is that was in another when an officer saw it.
func (r *Refusal) In(field, seen, now string) *Refusal {
	return r.With(r.Because, Change{Field: field, From: seen, To: now})
}

// Refused says whether an error is a refusal, and not a failure.
func Refused(err error) bool {
	_, refused := errors.AsType[*Refusal](err)
	return refused
}

// text says in plain words why not, and what to do about it.
func (r *Refusal) text() string {
	words := cmp.Or(r.Words, map[Reason]string{
		NoRight:             "the role that you act in does not let you do this: ask an officer whose role does",
		AnotherOrganisation: "this is neither at the organisation of the role that you act in nor below it: ask an officer there",
		OwnPerson:           "this is about yourself: ask another officer",
		OwnRequest:          "you asked for this yourself: another officer has to decide",
		OwnOrganisation:     "nobody makes this less strict for the organisation of the role that she acts in: ask a registration authority manager of one above it",
		AboveOwn:            "this is about an officer above you, or makes somebody one: ask one who is as high",
		NotInRole:           "you do not have the role that you act in, or not any more: choose one that you have",
		NotProved:           "the identity of an officer has to be proved to level high, and hers is not, or not any more: ask your registration authority to prove it",
		AnotherRole:         "you filled this in for another role than the one that you act in now, so nothing was done: open the page again and look at it",
		ChangedSince:        "this has changed since you saw it: look at what it is now, and do it again",
		DecidedAlready:      "another officer has decided this already",
	}[r.Reason], "this is refused, as "+string(r.Reason))
	if r.Because != "" {
		words += ": " + r.Because
	}
	return words
}

// Error is the text with what has changed, a line each.
func (r *Refusal) Error() string {
	lines := []string{r.text()}
	for _, c := range r.Changes {
		lines = append(lines, fmt.Sprintf("  %s: %q was %q", c.Field, c.To, c.From))
	}
	return strings.Join(lines, "\n")
}

// Sentence is the text for a page that shows by itself what has changed.
func (r *Refusal) Sentence() string {
	text := r.text()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}
