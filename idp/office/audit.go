package office

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// AuditSearch says which lines of the record a privacy officer asks for: of a person, or of an organisation and those below it.
type AuditSearch struct {
	Person       string // a user id
	Did          bool   // what she did to others as an officer, in place of what is on record about her
	Organisation string // of people and in roles of which, in place of a person
	Event        audit.Event
	Outcome      store.Outcome
	From, Until  time.Time // until is not among them; zero is none
	Oldest       bool      // first, and not the newest
	After        int64     // the line after which the list goes on; 0 is its beginning
}

// AuditLine is a line of the record with what people call what it names.
type AuditLine struct {
	store.AuditEvent

	ActorName, PersonName string          // "": it is no person, or nobody
	Role                  store.RolePlace // in which an officer acted; its id is "" where none did

	Changes []deed.Change              // what was changed, with what it was before
	Details map[string]string          // what else it says
	Names   map[string]string          // of the officers whom that names, by user id
	Roles   map[string]store.RolePlace // that it names, by id
}

// ReadAudit reads lines of the record, at most limit of them, says whether there are more, and records who read
// which. A privacy officer reads about whoever has a role at her organisation or below it, and what officers did in roles
// there, whether they still have them or not; of one person, or of all of them. Of all, [audit.OfServices] are not listed, and what is
// says package unusual.
func (f *Office) ReadAudit(ctx context.Context, o Officer, asked AuditSearch, limit int) (lines []AuditLine, more bool, err error) {
	if err := f.May(ctx, o, authority.Subject{Path: []string{o.Organisation}}, authority.ReadAudit); err != nil { // before it says who there is
		return nil, false, err
	}
	wanted := store.AuditLines{Event: string(asked.Event), Outcome: asked.Outcome, From: asked.From, Until: asked.Until, Oldest: asked.Oldest, After: asked.After}
	if wanted.Until.IsZero() {
		wanted.Until = f.Now().Add(time.Hour) // of clocks that are fast
	}
	if asked.Organisation != "" {
		err = f.readableAt(ctx, o, asked)
	} else {
		wanted.PersonID, wanted.Roles, err = f.readable(ctx, o, asked)
	}
	if err != nil {
		return nil, false, err
	}
	var events []store.AuditEvent
	err = f.Store.InTx(ctx, func(tx *store.Tx) error {
		if asked.Organisation != "" {
			events, err = tx.ReadAuditAt(ctx, asked.Organisation, wanted, limit+1)
		} else {
			events, err = tx.ReadAudit(ctx, wanted, limit+1)
		}
		if err != nil {
			return fmt.Errorf("read record of %q: %w", cmp.Or(asked.Organisation, asked.Person), err)
		}
		more, events = len(events) > limit, events[:min(len(events), limit)]
		return audit.Record(ctx, tx, f.Line(o, audit.AuditRead, asked.Person, asked.detail(len(events))))
	})
	if err != nil {
		return nil, false, err
	}
	lines, err = f.named(ctx, events)
	return lines, more, err
}

// readable is of whom an officer may read what she asks for, and done in which roles; none: it is about her.
func (f *Office) readable(ctx context.Context, o Officer, asked AuditSearch) (person string, roles []string, err error) {
	p, err := f.Standing(ctx, asked.Person)
	if err != nil {
		return "", nil, err
	}
	of, err := f.Works(ctx, p.Person)
	if asked.Did && err == nil {
		of, roles, err = f.served(ctx, o, p.Person.ID)
	}
	if err != nil {
		return "", nil, err
	}
	return p.Person.ID, roles, f.May(ctx, o, of, authority.ReadAudit)
}

// readableAt wants what an officer asks for to be of an organisation of hers, and listed of one.
func (f *Office) readableAt(ctx context.Context, o Officer, asked AuditSearch) error {
	if _, err := f.MayAt(ctx, o, asked.Organisation, authority.ReadAudit); err != nil {
		return err
	}
	if slices.Contains(audit.OfServices(), asked.Event) {
		return &directory.InvalidError{Field: "event", Want: "another one: this is read of a person alone"}
	}
	return nil
}

// detail is what the record says of what was asked, and of how much was read.
func (s AuditSearch) detail(lines int) map[string]string {
	detail := map[string]string{"lines": strconv.Itoa(lines), "of": map[bool]string{false: "about", true: "did"}[s.Did]}
	if s.Organisation != "" {
		detail["of"], detail["organisation"] = "organisation", s.Organisation
	}
	if s.Event != "" {
		detail["event"] = string(s.Event)
	}
	if s.Outcome != "" {
		detail["outcome"] = string(s.Outcome)
	}
	for name, t := range map[string]time.Time{"from": s.From, "until": s.Until} {
		if !t.IsZero() {
			detail[name] = t.UTC().Format(time.RFC3339)
		}
	}
	if s.After != 0 {
		detail["after"] = strconv.FormatInt(s.After, 10)
	}
	return detail
}

// served is where somebody has or had roles, and which of them are within an officer's reach.
func (f *Office) served(ctx context.Context, o Officer, personID string) (of authority.Subject, within []string, err error) {
	of.PersonID = personID
	roles, err := f.Store.RolesEver(ctx, personID)
	if err != nil {
		return of, nil, fmt.Errorf("list roles of person %s: %w", personID, err)
	}
	codes := make([]string, len(roles))
	for n, role := range roles {
		codes[n] = role.OrganisationCode
	}
	there, err := deed.AtEach(ctx, f.Store, codes...)
	if err != nil {
		return of, nil, err
	}
	for _, role := range roles {
		at := there[role.OrganisationCode]
		of.Path = append(of.Path, at.Path...)
		if f.Can(o, at, authority.ReadAudit) {
			within = append(within, role.ID)
		}
	}
	return of, within, nil
}

// named adds what people call whom and what lines name.
func (f *Office) named(ctx context.Context, events []store.AuditEvent) ([]AuditLine, error) {
	people, roles := make(map[string]bool), make(map[string]bool)
	for _, e := range events {
		people[e.Actor], people[e.PersonID], roles[e.Detail["officer_role"]], roles[e.Detail["role"]] = true, true, true, true
		for _, name := range officersNamed() {
			people[e.Detail[name]] = true
		}
	}
	names, err := f.Names(ctx, slices.Collect(maps.Keys(people))...)
	if err != nil {
		return nil, err
	}
	places, err := f.Store.RolePlaces(ctx, slices.Collect(maps.Keys(roles)))
	if err != nil {
		return nil, fmt.Errorf("read roles: %w", err)
	}
	by := make(map[string]store.RolePlace)
	for _, place := range places {
		by[place.ID] = place
	}
	lines := make([]AuditLine, len(events))
	for i, e := range events {
		lines[i] = AuditLine{AuditEvent: e, ActorName: names[e.Actor], PersonName: names[e.PersonID], Role: by[e.Detail["officer_role"]], Names: names, Roles: by}
	}
	return lines, f.withValues(ctx, lines)
}

// officersNamed are the details of lines that are user ids of officers. Whoever else a line names may be of no organisation of the reader,
// and stays an id.
func officersNamed() []string {
	return []string{"officer", "owner", "owner_before", "asked_by", "given_by", "proposed_by", "authenticators_bound_by"}
}
