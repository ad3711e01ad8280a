package api

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// details are who a person is said to be.
type details struct {
	Title       string `json:"title,omitempty"`
	GivenName   string `json:"given_name"`
	MiddleNames string `json:"middle_names,omitempty"`
	FamilyName  string `json:"family_name"`
	DisplayName string `json:"display_name,omitempty" doc:"As pages show her; the given and the family name, when it is left out."`
	DateOfBirth string `json:"date_of_birth,omitempty" format:"date"`
	Email       string `json:"email,omitempty"`
}

func detailsOf(d store.Details) details {
	shown := details{
		Title: d.Title, GivenName: d.GivenName, MiddleNames: d.MiddleNames, FamilyName: d.FamilyName, DisplayName: d.DisplayName, Email: d.Email,
	}
	if d.DateOfBirth != nil {
		shown.DateOfBirth = d.DateOfBirth.Format(time.DateOnly)
	}
	return shown
}

// profile is the profile of a person, as far as it is corrected, merged, closed and opened again.
type profile struct {
	UserID string `json:"user_id"`
	details

	Identity string             `json:"identity_assurance_level"`
	ClosedAs lifecycle.ClosedAs `json:"closed_as,omitempty" enum:"left deceased duplicate fraud other" doc:"Left out while it is open."`
	ClosedAt *time.Time         `json:"closed_at,omitempty"`
	KeptAs   string             `json:"merged_into,omitempty" doc:"The user id of the profile of the same person that is kept."`
}

func profileOf(s lifecycle.Subject) profile {
	return profile{s.PersonID, detailsOf(s.Details), s.Person.IdentityLevel, lifecycle.ClosedAs(s.ClosedAs), utc(s.ClosedAt), s.MergedInto}
}

func (h *Handler) readDetails(c call, _ nothing) (profile, error) {
	s, err := h.Lifecycle.Look(c.Context(), c.officer.Acting(), authority.CorrectPerson, c.PathValue("person"), "")
	if err != nil {
		return profile{}, err
	}
	c.tag(s.Last)
	return profileOf(s), nil
}

type correction struct {
	details

	Reason         string   `json:"reason" doc:"For the record."`
	CandidatesSeen []string `json:"candidates_seen,omitempty" doc:"The user ids of the candidates of an answer 409, when the person is none of them."`
}

type corrected struct {
	Changes []difference `json:"changes"`
	Unnamed bool         `json:"evidence_counts_no_more" doc:"There is evidence, and it is about other details than these."`
}

func (h *Handler) correctPerson(c call, in correction) (corrected, error) {
	wanted := lifecycle.Correction{
		Person: c.PathValue("person"), Reason: in.Reason, Sure: true, Shown: in.CandidatesSeen,
		Details: store.Details{
			Title: in.Title, GivenName: in.GivenName, MiddleNames: in.MiddleNames, FamilyName: in.FamilyName, DisplayName: in.DisplayName, Email: in.Email,
		},
	}
	seen, err := c.seen()
	if err != nil {
		return corrected{}, err
	}
	if wanted.Seen, err = uuid.Parse(seen); err != nil {
		return corrected{}, errNoTag()
	}
	if in.DateOfBirth != "" {
		born, err := day("date_of_birth", in.DateOfBirth)
		if err != nil {
			return corrected{}, err
		}
		wanted.DateOfBirth = &born
	}
	done, err := h.Lifecycle.Correct(c.Context(), c.officer.Acting(), wanted)
	if err != nil {
		return corrected{}, err
	}
	if done.Alike.People != nil {
		return corrected{}, alike(done.Alike)
	}
	return corrected{differences(done.Changes), done.Unnamed}, nil
}

// changedProfile is something that was done to a profile.
type changedProfile struct {
	ID           uuid.UUID    `json:"id"`
	Kind         string       `json:"kind" enum:"corrected merged closed reopened left"`
	UserID       string       `json:"user_id" doc:"Of the profile: also of one that was merged into this."`
	By           someone      `json:"by"`
	Role         string       `json:"role" doc:"That the officer acted in."`
	Organisation string       `json:"organisation,omitempty" doc:"That the person left."`
	Reason       string       `json:"reason"`
	At           time.Time    `json:"at"`
	Changes      []difference `json:"changes"`
}

func changedProfileOf(c office.Changed) changedProfile {
	return changedProfile{c.ID, c.Kind, c.PersonID, someone{c.Actor, c.By}, c.ActorRole, c.OrganisationCode, c.Reason, c.At.UTC(), differences(c.Fields)}
}

func (h *Handler) readHistory(c call, in newestFirst) (page[changedProfile], error) {
	p, err := h.History(c.Context(), c.officer, c.PathValue("person"), in.order(), in.id())
	return goesOn(c, p.Changes, changedProfileOf, p.More, func(c office.Changed) string { return c.ID.String() }), err
}

type closing struct {
	As     lifecycle.ClosedAs `json:"as" enum:"left deceased duplicate fraud other"`
	Reason string             `json:"reason" doc:"For the record."`
}

// whose says which profile it was done to.
type whose struct {
	UserID string `json:"user_id"`
}

func (h *Handler) closePerson(c call, in closing) (whose, error) {
	id := c.PathValue("person")
	return whose{id}, h.Lifecycle.Close(c.Context(), c.officer.Acting(), id, in.As, in.Reason)
}

func (h *Handler) reopenPerson(c call, in reason) (whose, error) {
	id := c.PathValue("person")
	return whose{id}, h.Lifecycle.Reopen(c.Context(), c.officer.Acting(), id, in.Reason)
}

type departure struct {
	Organisation string `json:"organisation"`
	Last         string `json:"last,omitempty" format:"date" doc:"Her last day, within a year; she leaves at once, when it is left out."`
	Reason       string `json:"reason" doc:"For the record."`
}

func (h *Handler) leave(c call, in departure) (whose, error) {
	at := h.Now()
	if in.Last != "" {
		last, err := day("last", in.Last)
		if err != nil {
			return whose{}, err
		}
		at = last.AddDate(0, 0, 1)
	}
	if _, err := h.At(c.Context(), in.Organisation); err != nil {
		return whose{}, err
	}
	id := c.PathValue("person")
	return whose{id}, h.Lifecycle.Leave(c.Context(), c.officer.Acting(), id, in.Organisation, at, in.Reason)
}

type merging struct {
	Duplicate string `json:"duplicate" doc:"The user id of the profile that is closed."`
	Kept      string `json:"kept" doc:"The user id of the profile that is kept."`
	Reason    string `json:"reason" doc:"For the record."`
}

func (h *Handler) proposeMerge(c call, in merging) (identified, error) {
	id, err := h.Lifecycle.ProposeMerge(c.Context(), c.officer.Acting(), in.Duplicate, in.Kept, in.Reason)
	if err != nil {
		return identified{}, err
	}
	c.created("/api/merges/" + id.String())
	return identified{id}, nil
}

type merge struct {
	ID             uuid.UUID  `json:"id"`
	State          string     `json:"state" enum:"proposed approved refused"`
	Duplicate      profile    `json:"duplicate"`
	Kept           profile    `json:"kept"`
	Reason         string     `json:"reason"`
	ProposedBy     string     `json:"proposed_by"`
	ProposedAt     time.Time  `json:"proposed_at"`
	DecidedBy      string     `json:"decided_by,omitempty"`
	DecidedAt      *time.Time `json:"decided_at,omitempty"`
	DecisionReason string     `json:"decision_reason,omitempty"`
	BoundByOthers  []bound    `json:"bound_by_others,omitempty" doc:"What the profile that is kept is signed in with and others had to do with, where it becomes an officer's: have her show each before you approve."`
	BoundMark      string     `json:"bound_by_others_mark,omitempty" doc:"Of that list: a decision that approves it sends it, and so says that you have seen it."`
}

func (h *Handler) readMerge(c call, _ nothing) (merge, error) {
	id, err := c.merge()
	if err != nil {
		return merge{}, err
	}
	m, err := h.Lifecycle.Merge(c.Context(), id)
	if err != nil {
		return merge{}, err
	}
	shown := merge{
		ID: m.ID, State: m.State, Reason: m.Reason, ProposedBy: m.ProposedBy, ProposedAt: m.ProposedAt.UTC(),
		DecidedBy: or(m.DecidedBy), DecidedAt: utc(m.DecidedAt), DecisionReason: or(m.DecisionReason),
	}
	if shown.Duplicate, err = h.mergeable(c, m.Duplicate); err != nil {
		return merge{}, err
	}
	if shown.Kept, err = h.mergeable(c, m.Kept); err != nil {
		return merge{}, err
	}
	bindings, err := h.Lifecycle.BoundByOthers(c.Context(), m)
	shown.BoundByOthers, shown.BoundMark = boundByOthers(bindings), position.MarkOf(bindings)
	return shown, err
}

func (h *Handler) mergeable(c call, person string) (profile, error) {
	s, err := h.Lifecycle.Look(c.Context(), c.officer.Acting(), authority.MergePeople, person, "")
	if err != nil {
		return profile{}, err
	}
	return profileOf(s), nil
}

func (h *Handler) decideMerge(c call, in seeing) (identified, error) {
	id, err := c.merge()
	if err != nil {
		return identified{}, err
	}
	return identified{id}, h.Lifecycle.DecideMerge(c.Context(), c.officer.Acting(), id, in.Verdict, in.Reason, in.BoundMark)
}

type openMerge struct {
	ID         uuid.UUID `json:"id"`
	Duplicate  someone   `json:"duplicate" doc:"The profile that is to be closed."`
	Kept       someone   `json:"kept"`
	ProposedBy someone   `json:"proposed_by"`
	ProposedAt time.Time `json:"proposed_at"`
}

func openMergeOf(m store.MergeRow) openMerge {
	return openMerge{m.ID, someone{m.Duplicate, m.DuplicateName}, someone{m.Kept, m.KeptName}, someone{m.ProposedBy, m.ProposedByName}, m.ProposedAt.UTC()}
}

func (h *Handler) listMerges(c call, in atByTime) (page[openMerge], error) {
	rows, more, err := h.OpenMerges(c.Context(), c.officer, in.organisation(c), ordered(in.Order, store.Order{By: store.ByTime}), in.id())
	return goesOn(c, rows, openMergeOf, more, func(m store.MergeRow) string { return m.ID.String() }), err
}

// merge is which merge the address is about.
func (c call) merge() (uuid.UUID, error) {
	id, err := uuid.Parse(c.PathValue("merge"))
	if err != nil {
		return id, fmt.Errorf("merge %.40q %w", c.PathValue("merge"), directory.ErrUnknown)
	}
	return id, nil
}
