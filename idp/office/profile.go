package office

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/store"
)

// Profile is what became of the profile of a person, and what an officer does about it herself.
type Profile struct {
	store.Profile

	AlsoKnown []string               // profiles that were merged into it
	Merges    []store.Merge          // of it, that nobody has decided: the first of them
	Does      map[authority.Act]bool // of what is done to one that is open, or closed, as it is
	Leaves    []string               // organisations, for which she records that the person leaves
}

// Profile reads what became of the profile of a person whom an officer sees.
func (f *Office) Profile(ctx context.Context, o Officer, person store.Person) (p Profile, err error) {
	var err1, err2, err3 error
	p.Profile, err1 = f.Store.Profile(ctx, person.ID)
	p.AlsoKnown, err2 = f.Store.MergedInto(ctx, person.ID)
	p.Merges, err3 = f.Store.ProposedMerges(ctx, person.ID, PerPage)
	if err := errors.Join(err1, err2, err3); err != nil {
		return Profile{}, fmt.Errorf("read profile of person %s: %w", person.ID, err)
	}
	does := func(act authority.Act, to authority.Subject) bool {
		return f.Rules.May(o.Officer, act, to).Grant == authority.Full
	}
	about, codes := authority.Subject{PersonID: person.ID}, lifecycle.Organisations(p.Profile, person)
	each, err := deed.AtEach(ctx, f.Store, codes...)
	if err != nil {
		return Profile{}, err
	}
	for _, code := range codes {
		there := each[code]
		about.Path = append(about.Path, there.Path...)
		there.PersonID = person.ID
		if p.ClosedAt == nil && does(authority.AssignPosition, there) {
			p.Leaves = append(p.Leaves, code)
		}
	}
	acts := []authority.Act{authority.CorrectPerson, authority.MergePeople, authority.ClosePerson}
	switch {
	case p.MergedInto != "":
		acts = nil
	case p.ClosedAt != nil:
		acts = []authority.Act{authority.ReopenPerson}
	}
	p.Does = make(map[authority.Act]bool, len(acts))
	for _, act := range acts {
		p.Does[act] = does(act, about)
	}
	return p, nil
}

// History is what was done to the profile of a person, and to those that were merged into it: a page of it, newest first.
type History struct {
	Person  store.Person
	Changes []Changed
	More    bool
}

// Changed is something that was done to a profile.
type Changed struct {
	store.PersonChange

	By     string // the name of who did it
	Fields []deed.Change
}

// History reads what was done to the profile of a person, by when it was, from the change after the given one, and records who
// saw it.
func (f *Office) History(ctx context.Context, o Officer, id string, order store.Order, after uuid.UUID) (h History, err error) {
	if err := f.May(ctx, o, authority.Subject{PersonID: id}, authority.FindPerson); err != nil {
		return History{}, err
	}
	found, err := f.Standing(ctx, id)
	if err != nil {
		return History{}, err
	}
	h.Person = found.Person
	others, err := f.Store.MergedInto(ctx, id)
	if err != nil {
		return History{}, fmt.Errorf("read profiles merged into %s: %w", id, err)
	}
	list, err := f.Store.PersonChanges(ctx, append(others, id), order, after, PerPage+1)
	if err != nil {
		return History{}, fmt.Errorf("list what was changed of person %s: %w", id, err)
	}
	list, h.More = page(list)
	var actors []string
	for _, c := range list {
		actors = append(actors, c.Actor)
	}
	names, err := f.Names(ctx, actors...)
	if err != nil {
		return History{}, err
	}
	for _, c := range list {
		fields, err := changedFields(c)
		if err != nil {
			return History{}, err
		}
		h.Changes = append(h.Changes, Changed{c, cmp.Or(names[c.Actor], c.Actor), fields})
	}
	if err := audit.Record(ctx, f.Store, f.Line(o, audit.PersonViewed, id, map[string]string{"of": "history"})); err != nil {
		return History{}, fmt.Errorf("record: %w", err)
	}
	return h, nil
}

// changedFields are what a change changed, by name.
func changedFields(c store.PersonChange) (list []deed.Change, err error) {
	from, to := map[string]string{}, map[string]string{}
	if err := errors.Join(json.Unmarshal(c.Old, &from), json.Unmarshal(c.New, &to)); err != nil {
		return nil, fmt.Errorf("read change %s: %w", c.ID, err)
	}
	fields := maps.Clone(from)
	maps.Copy(fields, to)
	for _, field := range slices.Sorted(maps.Keys(fields)) {
		list = append(list, deed.Change{Field: field, From: from[field], To: to[field]})
	}
	return list, nil
}
