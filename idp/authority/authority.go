// Package authority decides which officer of the registration authority may do what, where, and to whom.
//
// Rights are data: officers.csv says which codes of a role make whom which officer, rights.csv what each may do, and
// separation.csv what nobody holds together. The package reads nothing else: no clock, no database, no request. Whoever
// calls it says as whom she acts, which is the one role that is active in her session, and finds out beforehand whether
// that role is current.
//
// It guarantees that what is not granted is refused: an unknown act, an officer without an organisation, and what belongs to
// an organisation when none is named. Nobody does anything about herself but read; and of what takes two people, the one who
// asked never decides ([FourEyes]).
//
// The officers, and the rights that are not marked as ours, are those of the Care Identity Service of NHS England: an
// organisation acts by authority that is delegated to it, for itself and for what belongs to it.
package authority

import (
	"slices"
	"strings"
)

// Actor is a kind of officer.
type Actor string

// The officers. Of the first three each may do what the next may, an agent what a checker of identities and what a sponsor
// may, and a sponsor what an administrator of smartcards may. The privacy officer, the developer and the break-glass officer
// stand beside them.
const (
	RAManager                   Actor = "ra_manager"
	RAAgentAdvanced             Actor = "ra_agent_advanced"
	RAAgent                     Actor = "ra_agent"
	IDChecker                   Actor = "id_checker"
	Sponsor                     Actor = "sponsor"
	LocalSmartcardAdministrator Actor = "local_smartcard_administrator"
	PrivacyOfficer              Actor = "privacy_officer"
	Developer                   Actor = "developer"           // of services that people sign in to: relying parties
	BreakGlassOfficer           Actor = "break_glass_officer" // for some hours, when no other is to be had: see package breakglass
)

// Actors lists the officers, highest first, and then who stand beside them.
func Actors() []Actor {
	return []Actor{RAManager, RAAgentAdvanced, RAAgent, IDChecker, Sponsor, LocalSmartcardAdministrator, PrivacyOfficer, Developer, BreakGlassOfficer}
}

// Act is something that officers do.
type Act string

// The acts.
const (
	CreatePerson            Act = "create_person"
	CorrectPerson           Act = "correct_person"
	ClosePerson             Act = "close_person"
	ReopenPerson            Act = "reopen_person"
	MergePeople             Act = "merge_people" // as another officer proposed, or to propose it
	FindPerson              Act = "find_person"
	RecordEvidence          Act = "record_evidence"           // also to read it and to withdraw it
	IssueAuthenticator      Act = "issue_authenticator"       // also to repair, to clear and to cancel one
	UnlockAuthenticator     Act = "unlock_authenticator"      // also to renew certificates that expire soon
	RenewExpiredCertificate Act = "renew_expired_certificate" // with the person there, her identity checked again
	AssignPosition          Act = "assign_position"           // also to change and to remove what is assigned
	RequestPosition         Act = "request_position"
	ManagePositions         Act = "manage_positions" // to draft, to change and to close them, and to say which are assignable
	ApprovePosition         Act = "approve_position" // that another officer drafted or changed
	DecideRequest           Act = "decide_request"
	ReviewAccess            Act = "review_access"        // to open a review of who holds positions, and to decide in one
	ReviewBreakGlass        Act = "review_break_glass"   // to read what was done by break-glass and to sign for it, and to end it
	TakeUpIntroduction      Act = "take_up_introduction" // of somebody who is not on record yet, for whom another officer asks for a position
	ApplyClient             Act = "apply_client"         // also to check whether one is ready, and to make its secrets
	ApproveClient           Act = "approve_client"       // that another officer applied for
	SetPolicy               Act = "set_policy"           // how an organisation has its work done: where its people find help, and whatever is stricter than it was
	RelaxPolicy             Act = "relax_policy"         // whatever is less strict than it was: nobody does that for the organisation that she acts at
	ReadRetention           Act = "read_retention"       // reports of what was erased because its time was over: numbers, of the whole installation
	ReadAudit               Act = "read_audit"
)

// Acts lists the acts, in the order of rights.csv.
func Acts() []Act {
	return []Act{
		CreatePerson, CorrectPerson, ClosePerson, ReopenPerson, MergePeople, FindPerson, RecordEvidence, IssueAuthenticator, UnlockAuthenticator,
		RenewExpiredCertificate, AssignPosition, RequestPosition, ManagePositions, ApprovePosition, DecideRequest, TakeUpIntroduction, ReviewAccess, ReviewBreakGlass,
		ApplyClient, ApproveClient, SetPolicy, RelaxPolicy, ReadRetention, ReadAudit,
	}
}

// Grant is how far an officer may do something.
type Grant string

// The grants, least first.
const (
	None       Grant = ""           // not
	Request    Grant = "request"    // she may ask another officer for it
	Assignable Grant = "assignable" // she may do it where the position is marked as assignable, and ask otherwise
	Full       Grant = "full"       // she may do it
)

func grants() []Grant { return []Grant{None, Request, Assignable, Full} }

func (g Grant) exceeds(other Grant) bool {
	return slices.Index(grants(), g) > slices.Index(grants(), other)
}

// Refusal is why an officer may not.
type Refusal string

// The refusals. "" is none.
const (
	NoRight             Refusal = "no_right"             // none of what she is lets her
	OwnPerson           Refusal = "own_person"           // it is about herself
	AnotherOrganisation Refusal = "another_organisation" // it is neither at her organisation nor below it
	OwnOrganisation     Refusal = "own_organisation"     // it is for an officer of an organisation above the one that it is about
	OwnRequest          Refusal = "own_request"          // she asked for it
	AboveOwn            Refusal = "above_own"            // it would make somebody an officer above her
)

// Officer is a person in the role that she acts in.
type Officer struct {
	PersonID     string
	Role         string // the id of the role profile
	Organisation string // of that role: she acts there, and below it
	Actors       []Actor
}

// Subject is what an act is done to.
type Subject struct {
	// PersonID is whose record, authenticators, roles or rights the act changes or shows, or "" when nobody's. A position
	// that the officer herself holds is hers: changing it changes her rights.
	PersonID string
	// Path is the organisation concerned and those above it, nearest first. Of a person who is at several it is all of
	// theirs, and any is enough. It is empty when none is concerned, as of a person who is at none.
	Path []string
	// Makes is which officers the act makes somebody, or would: by giving a position, or by saying what one gives. Nobody
	// makes officers above herself, and only a manager is above privacy officers and break-glass officers, who stand beside the others.
	// A break-glass officer is above nobody.
	Makes []Actor
}

// Decision is whether an officer may: to the extent of Grant, or not at all, because of Refusal. One of them is "".
type Decision struct {
	Grant   Grant
	Refusal Refusal
}

// Where is of whom or of what something may be done.
type Where string

// The reaches of acts.
const (
	Anywhere       Where = "anywhere"     // people are found and recorded once in the nation, wherever they work
	AtPerson       Where = "person"       // of a person at the officer's organisation, below it, or at none
	AtOrganisation Where = "organisation" // at the officer's organisation or below it
	Below          Where = "below"        // at an organisation below the officer's
)

func wheres() []Where { return []Where{Anywhere, AtPerson, AtOrganisation, Below} }

func (w Where) reaches(organisation string, path []string) bool {
	switch {
	case w == Anywhere:
		return true
	case len(path) == 0:
		return w == AtPerson
	default:
		return organisation != "" && slices.Contains(path, organisation)
	}
}

// right is a row of rights.csv.
type right struct {
	where  Where
	own    bool // also about oneself
	grants map[Actor]Grant
}

// Conflict is two codes that nobody holds together.
type Conflict struct {
	One    string `json:"one"`
	Other  string `json:"other"`
	Reason string `json:"reason"` // a clause: who reads the record of what officers did would read her own
}

// Rules are the rights, who is which officer, and which duties are separated. They never change, and are safe for
// concurrent use.
type Rules struct {
	officers  map[string]Actor // by R or B code
	rights    map[Act]right
	separated []Conflict
}

// ActorsOf lists which officers a role makes whoever acts in it, highest first. The job role is an S:G:R code, of which the
// R part counts, and the activities are B codes.
func (r *Rules) ActorsOf(jobRole string, activities []string) []Actor {
	var held []Actor
	for _, code := range (Held{jobRole, activities}).codes() {
		if a, officer := r.officers[code]; officer {
			held = append(held, a)
		}
	}
	return slices.DeleteFunc(Actors(), func(a Actor) bool { return !slices.Contains(held, a) })
}

// Codes lists, in their order, the R and B codes each of which makes whoever has it an officer who may do something herself.
func (r *Rules) Codes(act Act) []string {
	var codes []string
	for code, actor := range r.officers {
		if r.rights[act].grants[actor] == Full {
			codes = append(codes, code)
		}
	}
	slices.Sort(codes)
	return codes
}

// May says whether an officer may do something to a subject. Who is several officers may what any of them may.
func (r *Rules) May(o Officer, act Act, s Subject) Decision {
	right := r.rights[act]
	most := None
	for _, a := range o.Actors {
		if g := right.grants[a]; g.exceeds(most) {
			most = g
		}
	}
	switch {
	case most == None:
		return Decision{Refusal: NoRight}
	case s.PersonID != "" && s.PersonID == o.PersonID && !right.own:
		return Decision{Refusal: OwnPerson}
	case right.where == Below && len(s.Path) > 0 && s.Path[0] == o.Organisation:
		return Decision{Refusal: OwnOrganisation}
	case !right.where.reaches(o.Organisation, s.Path):
		return Decision{Refusal: AnotherOrganisation}
	case slices.ContainsFunc(s.Makes, func(a Actor) bool { return !o.reaches(a) }):
		return Decision{Refusal: AboveOwn}
	default:
		return Decision{Grant: most}
	}
}

// reaches says whether an officer is at least as high as another.
func (o Officer) reaches(other Actor) bool {
	if other == PrivacyOfficer || other == BreakGlassOfficer {
		return slices.Contains(o.Actors, RAManager)
	}
	return slices.ContainsFunc(o.Actors, func(a Actor) bool {
		return a != PrivacyOfficer && a != BreakGlassOfficer && slices.Index(Actors(), a) <= slices.Index(Actors(), other)
	})
}

// Where says of whom or of what an act may be done by whoever has the right to it. It is "" for an unknown act.
func (r *Rules) Where(act Act) Where { return r.rights[act].where }

// FourEyes says why it may not be this person who decides what another asked for, or "". The asker never decides, and
// nobody asks or decides about herself. The subject is "" where it is about nobody.
func FourEyes(asker, decider, subject string) Refusal {
	switch {
	case subject != "" && (decider == subject || asker == subject):
		return OwnPerson
	case decider == asker:
		return OwnRequest
	default:
		return ""
	}
}

// Held is the codes of a role that somebody has, or is to have.
type Held struct {
	JobRole    string   // S:G:R code, of which the R part counts
	Activities []string // B codes
}

func (h Held) codes() []string {
	return append([]string{h.JobRole[strings.LastIndex(h.JobRole, ":")+1:]}, h.Activities...)
}

// Conflicts lists which codes of these are not held together by anybody, in one role or in several.
func (r *Rules) Conflicts(held []Held) []Conflict {
	var codes []string
	for _, h := range held {
		codes = append(codes, h.codes()...)
	}
	var found []Conflict
	for _, c := range r.separated {
		if slices.Contains(codes, c.One) && slices.Contains(codes, c.Other) {
			found = append(found, c)
		}
	}
	return found
}
