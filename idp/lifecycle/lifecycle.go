// Package lifecycle keeps the profiles of people as their lives go on: details are corrected, two profiles of one person are
// merged, somebody leaves an organisation, a profile is closed, and opened again.
//
// It guarantees that
//   - each act is one transaction with its line of the audit record and a row of what was changed, with the old and the new
//     values of what differs; the role in which the officer acts is looked at again in it, and whoever is refused is recorded;
//   - nobody does anything about herself or about an officer above her, and two officers merge;
//   - what ends does so at once, on any replica, and nothing comes back by itself: whoever is there again starts with nothing;
//   - nothing raises a level: what proved the identity of a profile that was merged away has to be recorded for the one that is
//     kept, and a correction says when the evidence is about other details.
//
// Which officer may do what is package authority's.
package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/store"
)

// Registrar keeps profiles.
type Registrar struct {
	Store    *store.Store
	Rules    *authority.Rules
	Evidence *evidence.Recorder
	Now      func() time.Time

	Messenger *messenger.Outbox // tells people what was done to their profiles, and officers what became of what they asked; nil tells nobody
}

// The reasons for which an officer is refused, beside those of package deed.
const (
	Closed          deed.Reason = "profile_closed"   // it is closed already
	Open            deed.Reason = "profile_open"     // it is not closed
	Merged          deed.Reason = "profile_merged"   // another profile of the same person is kept
	Erased          deed.Reason = "profile_erased"   // nothing says any more who the person was
	OwnClosing      deed.Reason = "own_closing"      // she closed it herself, and is no manager
	NotThere        deed.Reason = "not_there"        // the person has no role at the organisation
	ProposedAlready deed.Reason = "proposed_already" // somebody proposed to merge the same two profiles
	SamePerson      deed.Reason = "same_profile"     // a profile cannot be merged into itself
	KeptUnproved    deed.Reason = "kept_unproved"    // the one that would be kept is of somebody who registered herself, and is not proved
)

// refuse is a refusal in words.
func refuse(reason deed.Reason) *deed.Refusal {
	return &deed.Refusal{Reason: reason, Words: map[deed.Reason]string{
		Closed:          "this profile is closed: it has to be opened again before anything is done to it",
		Open:            "this profile is not closed: there is nothing to open",
		Merged:          "this profile was merged into another one of the same person: see that one",
		Erased:          "this profile was erased: nothing says any more whose it was, so create a new one if the person is back",
		OwnClosing:      "you closed this profile yourself: another officer, or a manager, opens it again",
		NotThere:        "this person has no role at this organisation, or not any more: there is nothing to end",
		ProposedAlready: "it is proposed already that these two profiles be merged: that has to be decided first",
		SamePerson:      "these are one profile: choose another",
		KeptUnproved:    "the profile that would be kept is of somebody who registered herself and is not proved, so anybody may have its account: merge it into the other one, or prove it first",
	}[reason]}
}

// act is one act of an officer.
type act struct {
	*deed.Deed

	messenger *messenger.Outbox
}

// act runs do as one act of an officer about a person.
func (r *Registrar) act(ctx context.Context, by deed.Acting, event audit.Event, person string, do func(*act) error) error {
	a := &act{deed.New(r.Rules, by, r.Now, event, person), r.Messenger}
	return a.Run(ctx, r.Store, func() error { return do(a) })
}

// Subject is a person whom an act is about.
type Subject struct {
	store.Profile
	store.Standing

	Last     uuid.UUID              // the last correction; uuid.Nil: there was none
	Roles    []store.PositionedRole // the first of those that have not ended
	Holdings store.Holdings
}

// mostShown is how many roles of a person are shown before she loses them. The others are counted.
const mostShown = 20

// Look reads a person to whom an officer may do something, at an organisation where it is about one, and records who saw her.
func (r *Registrar) Look(ctx context.Context, by deed.Acting, what authority.Act, person, organisation string) (s Subject, err error) {
	err = r.act(ctx, by, audit.DeskOpened, person, func(a *act) (err error) {
		a.Note(map[string]string{"acts": string(what)})
		if s, err = a.read(ctx, person); err != nil {
			return err
		}
		if err := a.must(ctx, what, s, organisation); err != nil {
			return err
		}
		last, err1 := a.LastChange(ctx, person, "corrected")
		roles, err2 := a.PositionedRoles(ctx, person, store.Order{}, "", mostShown, a.Now)
		holdings, err3 := a.Holdings(ctx, person, a.Now)
		if errors.Is(err1, store.ErrNotFound) {
			err1 = nil
		}
		if err := errors.Join(err1, err2, err3); err != nil {
			return fmt.Errorf("read what person %s has: %w", person, err)
		}
		s.Last, s.Roles, s.Holdings = last.ID, roles, holdings
		a.Entry = a.Line(audit.PersonViewed, person)
		a.Note(map[string]string{"of": string(what)})
		return nil
	})
	return s, err
}

// lock reads people whom an act is about. Whoever would give one of them something, or change what the officer is, waits until
// the transaction ends. What is open for them, and what they sign in with, is locked before, as everybody does who changes it.
func (a *act) lock(ctx context.Context, ids ...string) ([]Subject, error) {
	for _, id := range ids {
		if !directory.IsID(id) {
			return nil, directory.Missing(store.ErrNotFound, "person", id)
		}
	}
	if err := a.LockOpenRequests(ctx, ids...); err != nil {
		return nil, fmt.Errorf("lock requests: %w", err)
	}
	if err := a.LockAccess(ctx, ids...); err != nil {
		return nil, fmt.Errorf("lock what people sign in with: %w", err)
	}
	if _, err := a.LockIdentities(ctx, append(slices.Clone(ids), a.By.Person)...); err != nil {
		return nil, fmt.Errorf("lock people: %w", err)
	}
	people := make([]Subject, len(ids))
	for i, id := range ids {
		var err error
		if people[i], err = a.read(ctx, id); err != nil {
			return nil, err
		}
	}
	return people, nil
}

// read reads a person.
func (a *act) read(ctx context.Context, id string) (s Subject, err error) {
	err = store.ErrNotFound
	if directory.IsID(id) {
		s.Profile, err = a.Profile(ctx, id)
	}
	if err == nil {
		s.Standing, err = a.Person(ctx, id, a.Now)
	}
	return s, directory.Missing(err, "person", id)
}

// must wants the officer to have the right to do something to a person, herself. What she does it to is each organisation at
// which the person has a role, or had when the profile was closed, or else the one that is named; and the person is no officer
// above her.
func (a *act) must(ctx context.Context, what authority.Act, s Subject, organisation string) error {
	about, err := a.subject(ctx, s, organisation)
	if err != nil {
		return err
	}
	return a.Must(ctx, about, what)
}

// subject is what something is done to that is done to a person: see must.
func (a *act) subject(ctx context.Context, s Subject, organisation string) (authority.Subject, error) {
	codes := Organisations(s.Profile, s.Person)
	if organisation != "" {
		codes = []string{organisation}
	}
	about, err := deed.At(ctx, a.Tx, codes...)
	if err != nil {
		return about, err
	}
	about.PersonID = s.PersonID
	return deed.Over(ctx, a.Tx, a.Rules, about, a.Now)
}

// Organisations are the codes of those whose officers a person is for: where she may act as something now, or once could when
// her profile is closed.
func Organisations(profile store.Profile, person store.Person) []string {
	var codes []string
	for _, role := range person.Roles {
		codes = append(codes, role.OrganisationCode)
	}
	if profile.ClosedAt != nil {
		for _, m := range person.Memberships {
			codes = append(codes, m.OrganisationCode)
		}
	}
	slices.Sort(codes)
	return slices.Compact(codes)
}

// stillOpen refuses what nobody does to a profile that is closed.
func stillOpen(p store.Profile) error {
	switch {
	case p.MergedInto != "":
		return refuse(Merged)
	case p.ClosedAt != nil:
		return refuse(Closed).In("closed_as", "", p.ClosedAs)
	}
	return nil
}

// change puts on record what was changed of a profile: values that differ, by their names.
func (a *act) change(ctx context.Context, person, kind, organisation, reason string, before, after map[string]string) error {
	id, err1 := uuid.NewV7()
	from, err2 := json.Marshal(before)
	to, err3 := json.Marshal(after)
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("make a change: %w", err)
	}
	err := a.AddPersonChange(ctx, store.PersonChange{
		ID: id, PersonID: person, Kind: kind, Actor: a.By.Person, ActorRole: a.By.Role, OrganisationCode: organisation, Reason: reason, Old: from, New: to, At: a.Now,
	})
	if err != nil {
		return fmt.Errorf("record what was changed: %w", err)
	}
	if person == a.Entry.Person { // and not the other one of a merge
		a.Note(map[string]string{"change": id.String()})
	}
	return nil
}

// tell tells a person something, at the address on her record.
func (a *act) tell(ctx context.Context, person string, l messenger.Letter) error {
	return a.messenger.Post(ctx, a.Tx, messenger.Message{Person: person, Letter: l})
}
