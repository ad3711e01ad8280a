// Package office is the work of the registration authority, whatever it is done through: pages, the API or commands. It says who works
// there, and reads and does for officers what they may.
//
// It guarantees that
//   - an officer is somebody who signed in at authenticator assurance level 3, or 2 where the policy of the organisation that she
//     acts at allows it, whose identity is proved to level high, and whose role makes her one ([Office.Demand], [Office.Enter]), or
//     whom an operator acts for, who is on record with her ([Office.Represented]), in a role that needs no sign-in of a kind;
//   - she sees what that role lets her see, at its organisation and below it, and whoever is refused is recorded, with why;
//   - who looked for people, and who looked at whose record, is recorded in the transaction that reads it.
//
// What she may do is package authority's. What changes positions and requests is decided again by package position in its
// transaction, and what an identity comes to by package evidence. Who records evidence, takes a photograph or binds an authenticator
// has the right to it in the transaction that does it: whose role ended a moment ago is refused.
package office

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/meeting"
	"github.com/credence-id/credence/idp/photograph"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/store"
)

// Office is where officers work.
type Office struct {
	Store       *store.Store
	Positions   *position.Registrar
	Evidence    *evidence.Recorder
	Photographs *photograph.Album
	Meetings    *meeting.Registrar
	Enroller    *registration.Enroller
	Rules       *authority.Rules
	Policies    *directory.Policies
	Now         func() time.Time
}

// Officer is somebody in the role that she acts in.
type Officer struct {
	authority.Officer

	OrganisationName string
	Operator         string // who acts for her at the command line; "" when she does
}

// Acting is the officer as package position knows her.
func (o Officer) Acting() deed.Acting {
	return deed.Acting{Person: o.PersonID, Role: o.Role, Operator: o.Operator}
}

// Officer is who somebody is in a role of hers.
func (f *Office) Officer(personID string, role store.Role) Officer {
	return Officer{
		Officer: authority.Officer{
			PersonID: personID, Role: role.ID, Organisation: role.OrganisationCode, Actors: f.Rules.ActorsOf(role.JobRole, role.Activities),
		},
		OrganisationName: role.OrganisationName,
	}
}

// Represented is the officer for whom an operator acts at the command line, in a role that has to be hers at this moment and to make
// her one.
func (f *Office) Represented(ctx context.Context, by deed.Acting) (Officer, error) {
	if err := by.Check(); err != nil {
		return Officer{}, err
	}
	o := Officer{Officer: authority.Officer{PersonID: by.Person, Role: by.Role}, Operator: by.Operator}
	current, err := deed.Officer(ctx, f.Store, f.Rules, by, f.Now())
	if refusal, refused := errors.AsType[*deed.Refusal](err); refused {
		return o, f.Refuse(ctx, o, refusal)
	}
	if err != nil {
		return o, err
	}
	o.Officer = current
	if o.OrganisationName, err = f.Store.OrganisationName(ctx, o.Organisation); err != nil {
		return o, fmt.Errorf("read name of organisation %s: %w", o.Organisation, err)
	}
	return o, f.Enter(ctx, o)
}

// PerPage is how many rows a list has on a page.
const PerPage = 20

// page is a page of what was read of a list, one more than a page has, and whether there is more.
func page[T any](rows []T) ([]T, bool) { return rows[:min(len(rows), PerPage)], len(rows) > PerPage }

// Enter refuses whom her role makes no officer.
func (f *Office) Enter(ctx context.Context, o Officer) error {
	if len(o.Actors) == 0 {
		return f.Refuse(ctx, o, deed.Refuse(deed.NoRight))
	}
	return nil
}

// Refusal is why an officer may do none of some acts to a subject, or "" when she may one, fully or in part.
func (f *Office) Refusal(o Officer, subject authority.Subject, acts ...authority.Act) authority.Refusal {
	why := authority.NoRight
	for _, act := range acts {
		switch d := f.Rules.May(o.Officer, act, subject); d.Refusal {
		case "":
			return ""
		case authority.NoRight: // another act may say more
		default:
			why = d.Refusal
		}
	}
	return why
}

// Can says whether to offer what takes one of some acts.
func (f *Office) Can(o Officer, subject authority.Subject, acts ...authority.Act) bool {
	return f.Refusal(o, subject, acts...) == ""
}

// May wants one of some acts to be the officer's, and records that none is.
func (f *Office) May(ctx context.Context, o Officer, subject authority.Subject, acts ...authority.Act) error {
	if why := f.Refusal(o, subject, acts...); why != "" {
		return f.Refuse(ctx, o, deed.Refuse(why), acts...)
	}
	return nil
}

// Refuse records that an officer came for what she may not do, and returns why.
func (f *Office) Refuse(ctx context.Context, o Officer, why *deed.Refusal, acts ...authority.Act) error {
	words := make([]string, len(acts))
	for i, act := range acts {
		words[i] = string(act)
	}
	d := deed.New(f.Rules, o.Acting(), f.Now, audit.DeskOpened, "")
	d.Entry.Detail["acts"] = strings.Join(words, " ")
	return d.Refuse(ctx, f.Store, why)
}

// stillMay reads a person to whom an officer does something, and wants that to be her right at this moment: see [deed.Deed.MustTo].
func (f *Office) stillMay(ctx context.Context, tx *store.Tx, o Officer, what authority.Act, personID string, over bool) (store.Standing, error) {
	d := deed.New(f.Rules, o.Acting(), f.Now, audit.DeskOpened, personID)
	d.Tx = tx
	return d.MustTo(ctx, personID, over, what)
}

// Line is a line of the record of what an officer did.
func (f *Office) Line(o Officer, event audit.Event, person string, detail map[string]string) audit.Entry {
	line := deed.New(f.Rules, o.Acting(), f.Now, event, person).Entry
	maps.Copy(line.Detail, detail)
	return line
}

// At is what belongs to an organisation.
func (f *Office) At(ctx context.Context, organisation string) (authority.Subject, error) {
	return deed.At(ctx, f.Store, organisation)
}

// MayAt is May for what is done at an organisation, which it reads.
func (f *Office) MayAt(ctx context.Context, o Officer, organisation string, acts ...authority.Act) (authority.Subject, error) {
	here, err := f.At(ctx, organisation)
	if err != nil {
		return here, err
	}
	return here, f.May(ctx, o, here, acts...)
}

// listed reads a page of what is named, which belongs to an organisation and to those below it, for an officer who may do one of some
// acts there, and says whether there is more.
func listed[T any](ctx context.Context, f *Office, o Officer, organisation, what string, read func(limit int) ([]T, error), acts ...authority.Act) (rows []T, more bool, err error) {
	if _, err := f.MayAt(ctx, o, organisation, acts...); err != nil {
		return nil, false, err
	}
	if rows, err = read(PerPage + 1); err != nil {
		return nil, false, fmt.Errorf("list %s of organisation %s: %w", what, organisation, err)
	}
	rows, more = page(rows)
	return rows, more, nil
}

// Names reads what people are called, by id.
func (f *Office) Names(ctx context.Context, ids ...string) (map[string]string, error) {
	list, err := f.Store.PersonNames(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("read names of people: %w", err)
	}
	names := make(map[string]string, len(list))
	for _, p := range list {
		names[p.ID] = p.DisplayName
	}
	return names, nil
}
