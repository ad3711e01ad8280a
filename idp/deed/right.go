package deed

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// Paths reads which organisations are above one.
type Paths interface {
	OrganisationPaths(ctx context.Context, codes []string) (map[string][]string, error)
}

// AtEach is what belongs to each of some organisations, by code, in one read. One that is not on record is [directory.ErrUnknown].
func AtEach(ctx context.Context, records Paths, organisations ...string) (map[string]authority.Subject, error) {
	there := make(map[string]authority.Subject, len(organisations))
	codes := slices.Compact(slices.Sorted(slices.Values(organisations)))
	for _, code := range codes {
		if !directory.IsOrganisation(code) { // what does not look like one is asked of no database
			return nil, directory.Missing(store.ErrNotFound, "organisation", code)
		}
	}
	if len(codes) == 0 {
		return there, nil
	}
	paths, err := records.OrganisationPaths(ctx, codes)
	for _, code := range codes {
		if err == nil && paths[code] == nil {
			err = store.ErrNotFound
		}
		if err != nil {
			return nil, directory.Missing(err, "organisation", code)
		}
		there[code] = authority.Subject{Path: paths[code]}
	}
	return there, nil
}

// At is what belongs to an organisation, or to several. One that is not on record is [directory.ErrUnknown].
func At(ctx context.Context, records Paths, organisations ...string) (s authority.Subject, err error) {
	there, err := AtEach(ctx, records, organisations...)
	for _, code := range slices.Sorted(maps.Keys(there)) {
		s.Path = append(s.Path, there[code].Path...)
	}
	return s, err
}

// Of is what an officer does something to who does it to a person: at whichever organisations she may act as something now.
func Of(ctx context.Context, records Paths, p store.Person) (authority.Subject, error) {
	var codes []string
	for _, role := range p.Roles {
		codes = append(codes, role.OrganisationCode)
	}
	s, err := At(ctx, records, codes...)
	s.PersonID = p.ID
	return s, err
}

// MostHeld bounds the roles that are looked at of one person: twice as many as she may have.
const MostHeld = 200

// Held reads the roles that a person has, or is to have.
func Held(ctx context.Context, records interface {
	HeldRoles(ctx context.Context, personID string, limit int, now time.Time) ([]store.HeldRole, error)
}, personID string, now time.Time,
) ([]store.HeldRole, error) {
	held, err := records.HeldRoles(ctx, personID, MostHeld, now)
	if err != nil {
		return nil, fmt.Errorf("read roles of person %s: %w", personID, err)
	}
	return held, nil
}

// Over is what an officer does something to who does it to a person as the officer that the person is, or is to be: who lets her
// sign in can act as that, and who takes from her what it rests on takes it away.
func Over(ctx context.Context, records interface {
	HeldRoles(ctx context.Context, personID string, limit int, now time.Time) ([]store.HeldRole, error)
}, rules *authority.Rules, of authority.Subject, now time.Time,
) (authority.Subject, error) {
	held, err := Held(ctx, records, of.PersonID, now)
	if err != nil {
		return of, err
	}
	for _, role := range held {
		of.Makes = append(of.Makes, rules.ActorsOf(role.JobRole, role.Activities)...)
	}
	return of, nil
}

// Must wants one of some acts to be the officer's, herself, in the role that she acts in, which has to be hers at this moment.
func (d *Deed) Must(ctx context.Context, of authority.Subject, acts ...authority.Act) error {
	o, err := d.Officer(ctx)
	if err != nil {
		return err
	}
	var why authority.Refusal
	for _, what := range acts {
		decision := d.Rules.May(o, what, of)
		if decision.Grant == authority.Full {
			return nil
		}
		why = cmp.Or(decision.Refusal, NoRight)
	}
	return Refuse(why)
}

// MustAt is Must for what is done at an organisation.
func (d *Deed) MustAt(ctx context.Context, organisation string, acts ...authority.Act) error {
	of, err := At(ctx, d.Tx, organisation)
	if err != nil {
		return err
	}
	return d.Must(ctx, of, acts...)
}

// MustTo reads a person, and is Must for what is done to her, over her if she is an officer; nobody makes the one or the other more
// or less until the transaction ends. Who is not on record is [directory.ErrUnknown].
func (d *Deed) MustTo(ctx context.Context, person string, over bool, acts ...authority.Act) (store.Standing, error) {
	if !directory.IsID(person) {
		return store.Standing{}, directory.Missing(store.ErrNotFound, "person", person)
	}
	if _, err := d.LockIdentities(ctx, person, d.By.Person); err != nil {
		return store.Standing{}, fmt.Errorf("lock people: %w", err)
	}
	now := d.clock()
	found, err := d.Person(ctx, person, now)
	if err != nil {
		return found, directory.Missing(err, "person", person)
	}
	of, err := Of(ctx, d.Tx, found.Person)
	if over && err == nil {
		of, err = Over(ctx, d.Tx, d.Rules, of, now)
	}
	if err != nil {
		return found, err
	}
	return found, d.Must(ctx, of, acts...)
}
