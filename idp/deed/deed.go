// Package deed is what an officer of the registration authority does, whatever it is about: one act, in a role that is hers at
// that moment, in one transaction with its line of the record.
//
// It guarantees that
//   - what was done is on record with who did it, in which role, and for whom ([Deed.Run]);
//   - who is refused has done nothing, is told why in plain words, and is on record with the reason, as is the request ([Refusal]).
//
// What a role lets an officer do is package authority's, and what is done is the package's that does it.
package deed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// Acting is an officer in the role that she acts in, or somebody who acts in none.
type Acting struct {
	Person   string
	Role     string    // the id of a role profile of hers; "" where the act is no officer's
	Session  uuid.UUID // that she acts in, for the record of what is no officer's
	Operator string    // who acts for her at the command line, for the record; "" when she does

	Authenticator *uuid.UUID // with which she signed in, for what is no officer's; nil: the sign-in was simulated
}

// Check says what is wrong with the ids of an officer and her role, each a [directory.InvalidError].
func (a Acting) Check() error {
	return errors.Join(directory.CheckID("as", a.Person), directory.CheckID("role", a.Role))
}

// Deed is one act of an officer and its line of the record. Its transaction is there while it runs. What takes an interface is given
// the transaction itself: one that held a deed would keep all methods of the transaction in the program once more.
type Deed struct {
	*store.Tx

	Rules *authority.Rules
	By    Acting
	Now   time.Time // when it began
	Entry audit.Entry

	clock func() time.Time
}

// New is an act about a person, or about nobody.
func New(rules *authority.Rules, by Acting, now func() time.Time, event audit.Event, person string) *Deed {
	d := &Deed{Rules: rules, By: by, Now: now(), clock: now}
	d.Entry = d.Line(event, person)
	return d
}

// Line begins a line of the record: of the act, or of what follows from it.
func (d *Deed) Line(event audit.Event, person string) audit.Entry {
	e := audit.Entry{
		At: d.Now, Event: event, Actor: cmp.Or(d.By.Operator, d.By.Person), Person: person, Session: d.By.Session, Detail: make(map[string]string),
	}
	if d.By.Role != "" { // an operator has none
		e.Detail["officer"], e.Detail["officer_role"] = d.By.Person, d.By.Role
	}
	return e
}

// Run does the act in a transaction, with its line of the record unless do clears its event, because the package that it called
// has written it. A refusal undoes what was done, and is recorded by itself.
func (d *Deed) Run(ctx context.Context, in *store.Store, do func() error) error {
	event := d.Entry.Event
	err := in.InTx(ctx, func(tx *store.Tx) error {
		d.Tx = tx
		if err := do(); err != nil || d.Entry.Event == "" {
			return err
		}
		return audit.Record(ctx, tx, d.Entry)
	})
	if refusal, refused := errors.AsType[*Refusal](err); refused {
		d.Entry.Event = event
		return d.Refuse(ctx, in, refusal)
	}
	if d.Entry.Refusal != "" { // though what was done stays, as the count of wrong codes does
		audit.RequestOf(ctx).Refusal.Reason = d.Entry.Refusal
	}
	return err
}

// Refuse records that the act is refused, has the log event of the request say why, and returns why.
func (d *Deed) Refuse(ctx context.Context, in *store.Store, why *Refusal) error {
	d.Entry.Refusal = string(why.Reason)
	return cmp.Or[error](audit.Refuse(ctx, in, d.Entry), why)
}

// Note adds to the line of the record what it has of values, none of which is longer than a person would read.
func (d *Deed) Note(values map[string]string) {
	for name, value := range values {
		values[name] = Clip(value)
	}
	maps.Copy(d.Entry.Detail, values)
}

// Clip bounds a value of the record.
func Clip(value string) string {
	const most = 200
	if len(value) <= most {
		return value
	}
	return strings.ToValidUTF8(value[:most], "") + "…"
}

// Officer reads what the officer is in the role that she acts in, which has to be hers at this moment: one that ended while the act
// waited for others is not.
func (d *Deed) Officer(ctx context.Context) (authority.Officer, error) {
	return Officer(ctx, d.Tx, d.Rules, d.By, d.clock())
}

// LeastIdentity is how well the identity of an officer is proved: she decides who others are.
const LeastIdentity = assurance.IdentityHigh

// Proved says whether the identity of a person is proved as far as that.
func Proved(p store.Person) bool {
	return assurance.IdentityLevel(p.IdentityLevel).AtMost(LeastIdentity) == LeastIdentity
}

// Officer reads what somebody is in the role that she acts in, which has to be hers at this moment, as her identity has to be proved. A
// role that was opened with an authenticator is hers where she signs in with it, so no operator acts for her in that.
func Officer(ctx context.Context, records interface {
	Person(ctx context.Context, id string, now time.Time) (store.Standing, error)
}, rules *authority.Rules, by Acting, now time.Time,
) (authority.Officer, error) {
	standing, err := records.Person(ctx, by.Person, now)
	role, current := standing.Person.Role(by.Role)
	if errors.Is(err, store.ErrNotFound) || err == nil && (!standing.PersonStands || !current) {
		return authority.Officer{}, Refuse(NotInRole)
	}
	if err != nil {
		return authority.Officer{}, fmt.Errorf("read officer %s: %w", by.Person, err)
	}
	if by.Operator != "" && role.AuthenticatorID != nil {
		return authority.Officer{}, Refuse(NotInRole).With("break-glass opened it, for whom signs in with what it was opened with")
	}
	if !Proved(standing.Person) {
		return authority.Officer{}, Refuse(NotProved)
	}
	return authority.Officer{
		PersonID: by.Person, Role: role.ID, Organisation: role.OrganisationCode, Actors: rules.ActorsOf(role.JobRole, role.Activities),
	}, nil
}
