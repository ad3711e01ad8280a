package web

import "time"

// DeskPositions lists positions by their ids.
type DeskPositions struct {
	Desk
	Sorting
	// Organisation is the code that the list is of, with what is below it.
	Organisation string
	// Name is what was entered of how the names begin. State is "proposed" where only what waits for approval is listed, and otherwise empty.
	Name, State string
	Positions   []PositionRow
	// NextURL leads to what follows. ProposeURL is empty for whom may not propose positions.
	NextURL, ProposeURL string
}

// States are what can be chosen.
func (DeskPositions) States() []Option {
	return []Option{{Value: "", Label: "Any"}, {Value: "proposed", Label: "Waits for approval"}}
}

func (p DeskPositions) page() (string, Frame) { return "desk-positions", p.Frame }

// PositionRow is a position in a list.
type PositionRow struct {
	Name, ID, OrganisationName, OrganisationCode, JobRole string
	// State is in words: "In force", "Waits for approval".
	State string
	URL   string
}

// DeskPosition is one position, and what can be done about it.
type DeskPosition struct {
	Desk
	Sorting // of its versions
	PositionRow
	// Details are those of the version in force, or before there is one of what is proposed. Changes is what the proposed
	// version would change.
	Details []Detail
	Changes []Difference
	// Includes is what it includes, and Effect what it gives with that, which is empty where it includes nothing.
	Includes   []IncludedPosition
	Effect     []Detail
	IncludedBy Includers
	// Proposed is the version that waits for approval, and Closes says that it would close the position. Nil when none waits.
	Proposed *PositionVersion
	// Gains and Loses is what who holds it gets and loses by the version that waits.
	Gains, Loses []Detail
	// Holders is how many hold it.
	Holders    int
	HoldersURL string
	Reach      Reach
	// ApproveURL is what the form posts to that approves. Empty for whom may not, and then WhyNot says why, in a sentence, if
	// something waits that is her business.
	ApproveURL, WhyNot string
	// ReviseURL and CloseURL lead to the forms. Empty for whom may not.
	ReviseURL, CloseURL string
	// IntroduceURL leads to the form by which it is asked for somebody who is not on record yet. Empty for whom may not.
	IntroduceURL string
	// NextURL leads to more of the versions.
	Versions []PositionVersion
	NextURL  string
}

func (p DeskPosition) page() (string, Frame) { return "desk-position", p.Frame }

// Reach is how far a position has come to who holds it, and whom the version reaches that waits for approval.
type Reach struct {
	// Behind is how many do not have what is in force yet, and Withheld how many have less than it gives. WithheldURL lists these.
	Behind, Withheld int
	WithheldURL      string
	// Including is how many hold what includes it. Refused is to how many what waits would be withheld, of the first LookedAt where
	// that is not 0; RefusedURL lists these.
	Including, Refused, LookedAt int
	RefusedURL                   string
}

// DeskPositionWithheld lists who has less than a position gives, or would have by the version that waits for approval.
type DeskPositionWithheld struct {
	Desk
	Sorting
	URL, PositionName, PositionURL string
	// State is the Value of one of States. Query is what was entered to find people, and Organisation the code of where they work.
	State, Query, Organisation string
	People                     []WithheldPerson
	// LookedAt is how many were looked at to make this page, at most.
	LookedAt int
	NextURL  string
}

func (p DeskPositionWithheld) page() (string, Frame) { return "desk-position-withheld", p.Frame }

// States are by which version of the position it can be.
func (DeskPositionWithheld) States() []Option {
	return []Option{{Value: "", Label: "What is in force"}, {Value: "proposed", Label: "What waits for approval"}}
}

// Waiting says that it is by the version that waits for approval.
func (p DeskPositionWithheld) Waiting() bool { return p.State != "" }

// WithheldPerson is somebody who has less than a position gives.
type WithheldPerson struct {
	Name, PersonID, URL string
	// PositionName is another position, which the person holds and which includes this one. Empty where it is this one.
	PositionName, PositionURL string
	// StartsAt is since when the person has the role.
	StartsAt time.Time
	// Because is why, and Ends says that the role ends.
	Because string
	Ends    bool
}

// IncludedPosition is a position that another includes, or that includes another.
type IncludedPosition struct {
	Name, OrganisationCode, URL string
	// Closed gives nothing any more, and Indirect is included by one that is included.
	Closed, Indirect bool
}

// Includers is the positions that include one. More are left out.
type Includers struct {
	Positions []IncludedPosition
	More      bool
}

// PositionVersion is who made a version of a position, who approved it, and why.
type PositionVersion struct {
	Number         int
	Closes         bool
	MadeBy, Reason string
	MadeAt         time.Time
	// ApprovedBy is empty, and ApprovedAt zero, where nobody did.
	ApprovedBy string
	ApprovedAt time.Time
}

// DeskPositionForm proposes a position, or what one is to be instead.
type DeskPositionForm struct {
	Desk
	PostURL string
	// PositionName is what the position is called now, and PositionURL leads to it. Empty for a new one, of which Organisation is asked as well.
	PositionName, PositionURL, Organisation string
	// What was entered.
	Name, Notes, JobRole, Workgroups, Includes, Reason string
	// IncludedBy is what includes the position.
	IncludedBy Includers
	// JobRoles are to choose one from, the others to tick any of.
	JobRoles, Activities, AreasOfWork, Assignable []Option
}

func (p DeskPositionForm) page() (string, Frame) { return "desk-position-form", p.Frame }

// DeskPositionClose proposes that a position end.
type DeskPositionClose struct {
	Desk
	PostURL, PositionName, PositionURL, Reason string
	// Holders is how many would lose it.
	Holders    int
	HoldersURL string
	IncludedBy Includers
}

func (p DeskPositionClose) page() (string, Frame) { return "desk-position-close", p.Frame }

// DeskHolders lists who holds a position.
type DeskHolders struct {
	Desk
	Sorting
	PositionName, PositionURL string
	// Query and Organisation are what was entered: whom of them to list, and who works where.
	Query, Organisation string
	Holders             []Holder
	NextURL             string
}

func (p DeskHolders) page() (string, Frame) { return "desk-holders", p.Frame }

// Holder is somebody who holds a position.
type Holder struct {
	Name, PersonID, URL string
	Version             int
	StartsAt            time.Time
	// ExpiresAt is zero for never.
	ExpiresAt time.Time
}
