package position

import "github.com/credence-id/credence/idp/deed"

// The reasons for which an officer is refused, beside those of any act.
const (
	NotApproved        deed.Reason = "not_approved" // no version of the position has been approved yet
	PositionClosed     deed.Reason = "position_closed"
	ApprovedAlready    deed.Reason = "approved_already"
	OpenAlready        deed.Reason = "open_already"  // a request for the same person and position is open
	NotOpen            deed.Reason = "not_open"      // the request was decided, or withdrawn
	TookUp             deed.Reason = "took_up"       // she put the person on record for whom another officer asked
	OwnedSince         deed.Reason = "owned_since"   // somebody else looks after the request than the officer saw
	EndedAlready       deed.Reason = "ended_already" // the introduction was taken up, refused or withdrawn
	NotAsker           deed.Reason = "not_asker"     // another officer asked, and only she withdraws it
	Lapsed             deed.Reason = "lapsed"        // nobody decided the request in time
	HeldAlready        deed.Reason = "held_already"  // the person has what is asked for, for as long as it is asked for
	NotHeld            deed.Reason = "not_held"      // the person does not hold the position
	NotProved          deed.Reason = "not_proved"    // she registered herself, and her identity is proved to less than medium
	PersonDisabled     deed.Reason = "person_disabled"
	TooManyRoles       deed.Reason = "too_many_roles"
	SeparationOfDuties deed.Reason = "separation_of_duties" // the person would hold together what nobody does
	AskerNoOfficer     deed.Reason = "asker_no_officer"     // who asked for it, or proposed it, may not do so any more
	CodeRetired        deed.Reason = "code_retired"         // what it gives is not in the catalogue any more
	WorkgroupNamed     deed.Reason = "workgroup_named"      // the workgroup has another name on record
	NotIncludable      deed.Reason = "not_includable"       // what it includes is not in force, or not at its organisation or above it
	IncludesItself     deed.Reason = "includes_itself"
	IncludesTooDeep    deed.Reason = "includes_too_deep"
	IncludesTooMuch    deed.Reason = "includes_too_much"   // more than a role can have
	ReviewOpenAlready  deed.Reason = "review_open_already" // of this organisation
	NothingToReview    deed.Reason = "nothing_to_review"
	TooMuchToReview    deed.Reason = "too_much_to_review"
	OwnGiving          deed.Reason = "own_giving"      // she approved what she would certify
	BoundByOthers      deed.Reason = "bound_by_others" // what whom it makes an officer signs in with, and whoever decides has not seen it
)

// Refusal is a refusal for a reason of this package.
func Refusal(reason deed.Reason) *deed.Refusal {
	return &deed.Refusal{Reason: reason, Words: map[deed.Reason]string{
		NotApproved:        "no version of this position has been approved yet: a second officer has to",
		PositionClosed:     "this position is closed: choose another one",
		deed.ChangedSince:  "this position has changed since: look at what it is now, and ask or propose again",
		ApprovedAlready:    "this version was approved already",
		OpenAlready:        "a request for this person and position is open already: it has to be decided or withdrawn first",
		NotOpen:            "this request was decided or withdrawn already",
		TookUp:             "you found or created this person for the officer who asked, so another officer has to approve",
		OwnedSince:         "who looks after this request was changed by somebody else since you saw it",
		EndedAlready:       "somebody has taken this up, refused it or withdrawn it already",
		NotAsker:           "another officer asked for this: she withdraws it, or a third one refuses it",
		Lapsed:             "nobody decided this request in time: it has to be asked again",
		HeldAlready:        "this person has this position already, for as long as you ask for",
		NotHeld:            "this person does not hold this position, or not any more: there is nothing to end",
		NotProved:          "this person registered without an officer, and can have no position before evidence proves the identity to level medium",
		PersonDisabled:     "this person is disabled and can be given nothing: the operator has to enable the person first",
		TooManyRoles:       "this person has as many roles as anybody may have: one has to end first",
		SeparationOfDuties: "nobody holds this together",
		AskerNoOfficer:     "who asked for this is no officer any more who may, so nobody can approve it: it has to be asked for again",
		CodeRetired:        "this position gives what nobody is given any more, so it has to be changed first",
		WorkgroupNamed:     "a workgroup has one name, which it keeps",
		NotIncludable:      "a position includes what is in force at its organisation or above it, and this is not",
		IncludesItself:     "this position would include itself, by what it includes",
		IncludesTooDeep:    "no more than five positions include one another in a row: include what these include instead",
		IncludesTooMuch:    "with what it includes this position gives more than anybody may have in one role",
		ReviewOpenAlready:  "a review of this organisation is open already: it has to be finished first",
		NothingToReview:    "nobody holds a position there, so there is nothing to review",
		TooMuchToReview:    "more people hold positions there than one review has: review the organisations below one by one",
		BoundByOthers:      "this makes the person an officer, and somebody has bound something to the person that you have not seen: look at all of it together, and decide again",
		OwnGiving:          "you approved this position yourself: another officer has to certify it",
	}[reason]}
}
