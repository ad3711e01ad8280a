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
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// Registrar keeps profiles.
type Registrar struct {
	Store    *store.Store
	Rules    *authority.Rules
	Evidence *evidence.Recorder
	Now      func() time.Time

	Messenger *messenger.Outbox // tells people of another address on record, at the one before; nil tells nobody
}

// The reasons for which an officer is refused, beside those of package position.
const (
	Closed          position.Reason = "profile_closed"   // it is closed already
	Open            position.Reason = "profile_open"     // it is not closed
	Merged          position.Reason = "profile_merged"   // another profile of the same person is kept
	OwnClosing      position.Reason = "own_closing"      // she closed it herself, and is no manager
	NotThere        position.Reason = "not_there"        // the person has no role at the organisation
	ProposedAlready position.Reason = "proposed_already" // somebody proposed to merge the same two profiles
	DecidedAlready  position.Reason = "decided_already"  // somebody decided about the merge
	SamePerson      position.Reason = "same_profile"     // a profile cannot be merged into itself
)

// refuse is a refusal in words.
func refuse(reason position.Reason) *position.Refusal {
	return &position.Refusal{Reason: reason, Because: map[position.Reason]string{
		Closed:          "this profile is closed",
		Open:            "this profile is not closed",
		Merged:          "this profile was merged into another one of the same person: see that one",
		OwnClosing:      "you closed this profile yourself: another officer, or a manager, opens it again",
		NotThere:        "this person has no role at this organisation, or not any more",
		ProposedAlready: "it is proposed already that these two profiles be merged: that has to be decided first",
		DecidedAlready:  "this was decided already",
		SamePerson:      "these are one profile: choose another",
	}[reason]}
}

// act is one act of an officer and its line of the record.
type act struct {
	*store.Tx

	rules *authority.Rules
	by    position.Acting
	now   time.Time
	entry audit.Entry
}

// act runs do in a transaction, with its line of the record, about a person. A refusal undoes what was done, and is recorded by
// itself.
func (r *Registrar) act(ctx context.Context, by position.Acting, event audit.Event, person string, do func(*act) error) error {
	var a *act
	err := r.Store.InTx(ctx, func(tx *store.Tx) error {
		a = &act{Tx: tx, rules: r.Rules, by: by, now: r.Now()}
		a.entry = a.line(event, person)
		if err := do(a); err != nil {
			return err
		}
		return audit.Record(ctx, tx, a.entry)
	})
	if refusal, refused := errors.AsType[*position.Refusal](err); refused {
		a.entry.Refusal = string(refusal.Reason)
		if err := audit.Record(ctx, r.Store, a.entry); err != nil {
			return fmt.Errorf("record a refusal: %w", err)
		}
		return refusal
	}
	return err
}

// line begins a line of the record.
func (a *act) line(event audit.Event, person string) audit.Entry {
	actor := a.by.Person
	if a.by.Operator != "" {
		actor = a.by.Operator
	}
	return audit.Entry{At: a.now, Event: event, Actor: actor, Person: person, Detail: map[string]string{"officer": a.by.Person, "officer_role": a.by.Role}}
}

// note adds to the line what it has of values, none of which is longer than a person would read.
func (a *act) note(values map[string]string) {
	const most = 200
	for name, value := range values {
		if len(value) > most {
			values[name] = strings.ToValidUTF8(value[:most], "") + "…"
		}
	}
	maps.Copy(a.entry.Detail, values)
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
func (r *Registrar) Look(ctx context.Context, by position.Acting, what authority.Act, person, organisation string) (s Subject, err error) {
	err = r.act(ctx, by, audit.DeskOpened, person, func(a *act) (err error) {
		a.note(map[string]string{"acts": string(what)})
		if s, err = a.read(ctx, person); err != nil {
			return err
		}
		if err := a.must(ctx, what, s, organisation); err != nil {
			return err
		}
		last, err1 := a.LastChange(ctx, person, "corrected")
		roles, err2 := a.PositionedRoles(ctx, person, "", mostShown, a.now)
		holdings, err3 := a.Holdings(ctx, person, a.now)
		if errors.Is(err1, store.ErrNotFound) {
			err1 = nil
		}
		if err := errors.Join(err1, err2, err3); err != nil {
			return fmt.Errorf("read what person %s has: %w", person, err)
		}
		s.Last, s.Roles, s.Holdings = last.ID, roles, holdings
		a.entry = a.line(audit.PersonViewed, person)
		a.note(map[string]string{"of": string(what)})
		return nil
	})
	return s, err
}

// lock reads people whom an act is about. Whoever would give one of them something, or change what the officer is, waits until
// the transaction ends. What is open for them, and what they sign in with, is locked before, as everybody does who changes it.
func (a *act) lock(ctx context.Context, ids ...string) ([]Subject, error) {
	for _, id := range ids {
		if !idForm(id) {
			return nil, fmt.Errorf("person %.40q %w", id, directory.ErrUnknown)
		}
	}
	if err := a.LockOpenRequests(ctx, ids...); err != nil {
		return nil, fmt.Errorf("lock requests: %w", err)
	}
	if err := a.LockAccess(ctx, ids...); err != nil {
		return nil, fmt.Errorf("lock what people sign in with: %w", err)
	}
	if _, err := a.LockIdentities(ctx, append(slices.Clone(ids), a.by.Person)...); err != nil {
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
	if !idForm(id) {
		return s, fmt.Errorf("person %.40q %w", id, directory.ErrUnknown)
	}
	s.Profile, err = a.Profile(ctx, id)
	if err == nil {
		s.Standing, err = a.Person(ctx, id, a.now)
	}
	if errors.Is(err, store.ErrNotFound) {
		return s, fmt.Errorf("person %s %w", id, directory.ErrUnknown)
	}
	if err != nil {
		return s, fmt.Errorf("read person %s: %w", id, err)
	}
	return s, nil
}

func idForm(id string) bool {
	return len(id) == 12 && strings.Trim(id, "0123456789") == ""
}

// must wants the officer to have the right to do something to a person, herself. What she does it to is each organisation at
// which the person has a role, or had when the profile was closed, or else the one that is named; and the person is no officer
// above her.
func (a *act) must(ctx context.Context, what authority.Act, s Subject, organisation string) error {
	o, err := position.OfficerIn(ctx, a.Tx, a.rules, a.by, a.now)
	if err != nil {
		return err
	}
	about := authority.Subject{PersonID: s.PersonID}
	codes := Organisations(s.Profile, s.Person)
	if organisation != "" {
		codes = []string{organisation}
	}
	for _, code := range codes {
		path, err := a.OrganisationPath(ctx, code)
		if errors.Is(err, store.ErrNotFound) {
			return fmt.Errorf("organisation %.40q %w", code, directory.ErrUnknown)
		}
		if err != nil {
			return fmt.Errorf("read organisations above %q: %w", code, err)
		}
		about.Path = append(about.Path, path...)
	}
	held, err := a.held(ctx, s.PersonID)
	if err != nil {
		return err
	}
	for _, h := range held {
		about.Makes = append(about.Makes, a.rules.ActorsOf(h.JobRole, h.Activities)...)
	}
	d := a.rules.May(o, what, about)
	if d.Refusal == "" && d.Grant != authority.Full {
		d.Refusal = authority.NoRight
	}
	if d.Refusal != "" {
		return &position.Refusal{Reason: position.Reason(d.Refusal)}
	}
	return nil
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

// mostHeld bounds the roles that are looked at of one person: twice as many as she may have.
const mostHeld = 200

func (a *act) held(ctx context.Context, personID string) ([]store.HeldRole, error) {
	held, err := a.HeldRoles(ctx, personID, mostHeld, a.now)
	if err != nil {
		return nil, fmt.Errorf("read roles of person %s: %w", personID, err)
	}
	return held, nil
}

// stillOpen refuses what nobody does to a profile that is closed.
func stillOpen(p store.Profile) error {
	switch {
	case p.MergedInto != "":
		return refuse(Merged)
	case p.ClosedAt != nil:
		return refuse(Closed)
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
		ID: id, PersonID: person, Kind: kind, Actor: a.by.Person, ActorRole: a.by.Role, OrganisationCode: organisation, Reason: reason, Old: from, New: to, At: a.now,
	})
	if err != nil {
		return fmt.Errorf("record what was changed: %w", err)
	}
	return nil
}
