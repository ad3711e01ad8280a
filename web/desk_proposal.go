package web

import "time"

// DeskProposals lists the evidence that waits for a second officer.
type DeskProposals struct {
	Desk
	Sorting
	// Organisation is the code that the list is of, with what is below it.
	Organisation string
	Proposals    []ProposalRow
	// NextURL leads to what follows. Empty at the end.
	NextURL string
}

func (p DeskProposals) page() (string, Frame) { return "desk-proposals", p.Frame }

// ProposalRow is a piece of evidence in that list.
type ProposalRow struct {
	// Kind is in words: "Passport".
	Kind, PersonName, ProposedBy string
	// Age is for how long it has waited: "3 days".
	Age, URL string
}

// DeskProposal is one of them, to be confirmed or dismissed.
type DeskProposal struct {
	Desk
	PersonName, EvidenceURL, Kind, ProposedBy string
	ProposedAt                                time.Time
	// Says is what is written on it, and Checks what was checked.
	Says   []Detail
	Checks []string
	// Own says that the officer checked it herself, so that another one has to confirm it.
	Own bool
	// Waits says that it waits. Of what was decided nothing is shown any more.
	Waits bool
	// ByVideo says that who checked it met the person by video, and not face to face.
	ByVideo          bool
	PostURL, Verdict string
}

func (p DeskProposal) page() (string, Frame) { return "desk-proposal", p.Frame }

// Verdicts are the choices of the form.
func (p DeskProposal) Verdicts() []Option {
	dismiss := Option{Value: "dismiss", Label: "Dismiss it", Hint: "It is not put on record"}
	if p.Own {
		return []Option{dismiss}
	}
	return []Option{{Value: "confirm", Label: "Confirm it", Hint: "You have seen the originals too, and find what is said here"}, dismiss}
}
