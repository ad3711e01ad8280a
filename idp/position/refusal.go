package position

import (
	"fmt"
	"strings"
)

// Reason is why an officer was refused, as the record has it.
type Reason string

// The reasons. The first five are those of package authority.
const (
	NoRight             Reason = "no_right"
	AnotherOrganisation Reason = "another_organisation"
	OwnPerson           Reason = "own_person"
	OwnRequest          Reason = "own_request"
	AboveOwn            Reason = "above_own"
	NotInRole           Reason = "not_in_role"  // she is disabled, or does not have the role that she would act in
	ReachesUp           Reason = "reaches_up"   // it would make an officer who is higher than she is
	NotApproved         Reason = "not_approved" // no version of the position has been approved yet
	PositionClosed      Reason = "position_closed"
	ChangedSince        Reason = "changed_since" // there is a newer version than the one that she saw or asked for
	ApprovedAlready     Reason = "approved_already"
	OpenAlready         Reason = "open_already" // a request for the same person and position is open
	NotOpen             Reason = "not_open"     // the request was decided, or withdrawn
	NotAsker            Reason = "not_asker"    // another officer asked, and only she withdraws it
	Lapsed              Reason = "lapsed"       // nobody decided the request in time
	HeldAlready         Reason = "held_already" // the person has what is asked for, for as long as it is asked for
	NotHeld             Reason = "not_held"     // the person does not hold the position
	PersonDisabled      Reason = "person_disabled"
	TooManyRoles        Reason = "too_many_roles"
	SeparationOfDuties  Reason = "separation_of_duties" // the person would hold together what nobody does
)

// Refusal is that an officer may not do something, or not now. Its text is for people.
type Refusal struct { //nolint:errname // in all of this program who is told no is told a refusal
	Reason  Reason
	Because string   // what it is about, in words; often ""
	Changes []Change // of ChangedSince, since then
}

// Change is a value of a position that differs between two versions.
type Change struct{ Field, From, To string }

func refuse(reason Reason) *Refusal { return &Refusal{Reason: reason} }

// Error says in plain words why not, and what to do about it.
func (r *Refusal) Error() string {
	text := map[Reason]string{
		NoRight:             "the role that you act in does not let you do this: ask an officer whose role does",
		AnotherOrganisation: "this is neither at the organisation of the role that you act in nor below it: ask an officer there",
		OwnPerson:           "this is about yourself: ask another officer",
		OwnRequest:          "you asked for this yourself: another officer has to decide",
		NotInRole:           "you do not have the role that you act in, or not any more: choose one that you have",
		AboveOwn:            "this makes somebody an officer above you: ask one who is as high",
		NotApproved:         "no version of this position has been approved yet: a second officer has to",
		PositionClosed:      "this position is closed",
		ChangedSince:        "this position has changed since: look at what it is now, and ask or propose again",
		ApprovedAlready:     "this version was approved already",
		OpenAlready:         "a request for this person and position is open already: it has to be decided or withdrawn first",
		NotOpen:             "this request was decided or withdrawn already",
		NotAsker:            "another officer asked for this: she withdraws it, or a third one refuses it",
		Lapsed:              "nobody decided this request in time: it has to be asked again",
		HeldAlready:         "this person has this position already, for as long as you ask for",
		NotHeld:             "this person does not hold this position, or not any more",
		PersonDisabled:      "this person is disabled",
		TooManyRoles:        "this person has as many roles as anybody may have: one has to end first",
		SeparationOfDuties:  "nobody holds this together with what this person has",
	}[r.Reason]
	if r.Because != "" {
		text += ": " + r.Because
	}
	lines := []string{text}
	for _, c := range r.Changes {
		lines = append(lines, fmt.Sprintf("  %s: %q was %q", c.Field, c.To, c.From))
	}
	return strings.Join(lines, "\n")
}
