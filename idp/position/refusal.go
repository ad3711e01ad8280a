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
	OpenAlready         Reason = "open_already"  // a request for the same person and position is open
	NotOpen             Reason = "not_open"      // the request was decided, or withdrawn
	TookUp              Reason = "took_up"       // she put the person on record for whom another officer asked
	EndedAlready        Reason = "ended_already" // the introduction was taken up, refused or withdrawn
	NotAsker            Reason = "not_asker"     // another officer asked, and only she withdraws it
	Lapsed              Reason = "lapsed"        // nobody decided the request in time
	HeldAlready         Reason = "held_already"  // the person has what is asked for, for as long as it is asked for
	NotHeld             Reason = "not_held"      // the person does not hold the position
	PersonDisabled      Reason = "person_disabled"
	TooManyRoles        Reason = "too_many_roles"
	SeparationOfDuties  Reason = "separation_of_duties" // the person would hold together what nobody does
	AskerNoOfficer      Reason = "asker_no_officer"     // who asked for it, or proposed it, may not do so any more
	CodeRetired         Reason = "code_retired"         // what it gives is not in the catalogue any more
	WorkgroupNamed      Reason = "workgroup_named"      // the workgroup has another name on record
	NotIncludable       Reason = "not_includable"       // what it includes is not in force, or not at its organisation or above it
	IncludesItself      Reason = "includes_itself"
	IncludesTooDeep     Reason = "includes_too_deep"
	IncludesTooMuch     Reason = "includes_too_much"   // more than a role can have
	ReviewOpenAlready   Reason = "review_open_already" // of this organisation
	NothingToReview     Reason = "nothing_to_review"
	TooMuchToReview     Reason = "too_much_to_review"
	DecidedAlready      Reason = "decided_already" // another officer has, in this review
	OwnGiving           Reason = "own_giving"      // she approved what she would certify
	AnotherRole         Reason = "another_role"    // a form was filled in for another role than the one that is active now
)

// Refusal is that an officer may not do something, or not now. Its text is for people.
type Refusal struct { //nolint:errname // in all of this program who is told no is told a refusal
	Reason  Reason
	Because string   // what it is about, in words; often "". All of it, where the reason is another package's
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
		AboveOwn:            "this is about an officer above you, or makes somebody one: ask one who is as high",
		NotApproved:         "no version of this position has been approved yet: a second officer has to",
		PositionClosed:      "this position is closed",
		ChangedSince:        "this position has changed since: look at what it is now, and ask or propose again",
		ApprovedAlready:     "this version was approved already",
		OpenAlready:         "a request for this person and position is open already: it has to be decided or withdrawn first",
		NotOpen:             "this request was decided or withdrawn already",
		TookUp:              "you found or created this person for the officer who asked, so another officer has to approve",
		EndedAlready:        "somebody has taken this up, refused it or withdrawn it already",
		NotAsker:            "another officer asked for this: she withdraws it, or a third one refuses it",
		Lapsed:              "nobody decided this request in time: it has to be asked again",
		HeldAlready:         "this person has this position already, for as long as you ask for",
		NotHeld:             "this person does not hold this position, or not any more",
		PersonDisabled:      "this person is disabled",
		TooManyRoles:        "this person has as many roles as anybody may have: one has to end first",
		SeparationOfDuties:  "nobody holds this together",
		AskerNoOfficer:      "who asked for this is no officer any more who may, so nobody can approve it: it has to be asked for again",
		CodeRetired:         "this position gives what nobody is given any more, so it has to be changed first",
		WorkgroupNamed:      "a workgroup has one name, which it keeps",
		NotIncludable:       "a position includes what is in force at its organisation or above it, and this is not",
		IncludesItself:      "this position would include itself, by what it includes",
		IncludesTooDeep:     "no more than five positions include one another in a row: include what these include instead",
		IncludesTooMuch:     "with what it includes this position gives more than anybody may have in one role",
		ReviewOpenAlready:   "a review of this organisation is open already: it has to be finished first",
		NothingToReview:     "nobody holds a position there, so there is nothing to review",
		TooMuchToReview:     "more people hold positions there than one review has: review the organisations below one by one",
		DecidedAlready:      "another officer has decided this already",
		OwnGiving:           "you approved this position yourself: another officer has to certify it",
		AnotherRole:         "you filled this in for another role than the one that you act in now, so nothing was done: open the page again and look at it",
	}[r.Reason]
	switch {
	case text == "": // another package's, which says all of it
		text = r.Because
	case r.Because != "":
		text += ": " + r.Because
	}
	lines := []string{text}
	for _, c := range r.Changes {
		lines = append(lines, fmt.Sprintf("  %s: %q was %q", c.Field, c.To, c.From))
	}
	return strings.Join(lines, "\n")
}
