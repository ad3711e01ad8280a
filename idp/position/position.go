// Package position keeps positions and the requests for them: what an organisation lets people act as, and who asked that
// somebody may.
//
// A position is a series of versions. One officer proposes each of them, another approves it, and until then it gives
// nobody anything; the last one may close the position, which ends what it gave. What a version says never changes, so
// whoever approved it approved what it says. A request asks that a person be given a position in the version that is in
// force, or lose it. One officer asks and another decides, and neither is the person it is for; only a position that is
// marked as assignable is given at once, by a sponsor. For somebody who is not on record yet an officer introduces her, another
// puts her on record, and a third decides. What was approved is a role profile, like any other but that it
// names its position and its request, and it ends when the request said. A version that is approved later reaches who
// holds the position when somebody asks for it again: the role that follows replaces the one before.
//
// A position may include others, of its organisation or of those above it: it gives what they give as well, but for their job
// roles, as they are when it is given ([EffectOf]). Nobody is given what was retired from the catalogue.
//
// Officers act in one of their roles, which has to be current when they act; what it lets them do is package authority's.
// Nobody gives what makes an officer higher than she is. Duties that nobody holds together are kept apart when something
// is asked and when it is given. Each act is one transaction with its line of the record, which has the old and the new
// values; an officer who is refused is recorded with the reason. The schema holds four eyes as well.
//
// It follows the practice of the Care Identity Service of NHS England: positions, assignable positions, requests.
package position

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/store"
)

// Registrar keeps positions and requests.
type Registrar struct {
	Store     *store.Store
	Rules     *authority.Rules
	Catalogue *directory.Catalogue
	Messenger *messenger.Outbox // tells who gets a position, and who asked; nil tells nobody
	Now       func() time.Time
	Log       *slog.Logger // of RunLapse, which alone needs it
}

// Acting is an officer in the role that she acts in.
type Acting struct {
	Person   string
	Role     string // the id of a role profile of hers
	Operator string // who acts for her at the command line, for the record; "" when she does
}

var idForm = regexp.MustCompile(`^[0-9]{12}$`)

func checkID(field, id string) error {
	if !idForm.MatchString(id) {
		return &directory.InvalidError{Field: field, Want: "12 digits"}
	}
	return nil
}

func (a Acting) check() error { return errors.Join(checkID("as", a.Person), checkID("role", a.Role)) }

// act is one act of an officer and its line of the record.
type act struct {
	*store.Tx

	rules     *authority.Rules
	catalogue *directory.Catalogue
	messenger *messenger.Outbox
	by        Acting
	now       time.Time
	entry     audit.Entry
}

// attempts bounds how often an act is tried again because an id drawn at random was taken.
const attempts = 5

// act runs do in a transaction, with its line of the record. A refusal undoes what was done, and is recorded by itself.
func (r *Registrar) act(ctx context.Context, by Acting, event audit.Event, do func(*act) error) (err error) {
	var a *act
	for range attempts {
		err = r.Store.InTx(ctx, func(tx *store.Tx) error {
			a = &act{Tx: tx, rules: r.Rules, catalogue: r.Catalogue, messenger: r.Messenger, by: by, now: r.Now()}
			a.entry = a.line(event, "")
			if err := do(a); err != nil {
				return err
			}
			return audit.Record(ctx, tx, a.entry)
		})
		if !errors.Is(err, store.ErrConflict) {
			break
		}
	}
	if refusal, refused := errors.AsType[*Refusal](err); refused {
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
	return audit.Entry{
		At: a.now, Event: event, Actor: actor, Person: person,
		Detail: map[string]string{"officer": a.by.Person, "officer_role": a.by.Role},
	}
}

// note adds to the line what it has of values, none of which is longer than a person would read.
func (a *act) note(values map[string]string) {
	for name, value := range values {
		values[name] = clip(value)
	}
	maps.Copy(a.entry.Detail, values)
}

// clip bounds a value of the record.
func clip(value string) string {
	const most = 200
	if len(value) <= most {
		return value
	}
	return strings.ToValidUTF8(value[:most], "") + "…"
}

// OfficerIn reads what an officer is in the role that she acts in, which has to be hers at this moment.
func OfficerIn(ctx context.Context, records interface {
	Person(ctx context.Context, id string, now time.Time) (store.Standing, error)
}, rules *authority.Rules, by Acting, now time.Time,
) (authority.Officer, error) {
	standing, err := records.Person(ctx, by.Person, now)
	role, current := standing.Person.Role(by.Role)
	if errors.Is(err, store.ErrNotFound) || err == nil && (!standing.PersonStands || !current) {
		return authority.Officer{}, refuse(NotInRole)
	}
	if err != nil {
		return authority.Officer{}, fmt.Errorf("read officer %s: %w", by.Person, err)
	}
	return authority.Officer{
		PersonID: by.Person, Role: role.ID, Organisation: role.OrganisationCode, Actors: rules.ActorsOf(role.JobRole, role.Activities),
	}, nil
}

// may says whether the officer may do something to a position of an organisation, for a person unless it is "", and so
// make somebody these officers.
func (a *act) may(ctx context.Context, what authority.Act, organisation, person string, makes ...authority.Actor) (authority.Grant, error) {
	o, err := OfficerIn(ctx, a.Tx, a.rules, a.by, a.now)
	if err != nil {
		return authority.None, err
	}
	path, err := a.OrganisationPath(ctx, organisation)
	if errors.Is(err, store.ErrNotFound) {
		return authority.None, fmt.Errorf("organisation %q %w", organisation, directory.ErrUnknown)
	}
	if err != nil {
		return authority.None, fmt.Errorf("read organisations above %q: %w", organisation, err)
	}
	decision := a.rules.May(o, what, authority.Subject{PersonID: person, Path: path, Makes: makes})
	if decision.Refusal != "" {
		return authority.None, refuse(Reason(decision.Refusal))
	}
	return decision.Grant, nil
}

// mustFully is may for what she does herself or not at all.
func (a *act) mustFully(ctx context.Context, what authority.Act, organisation, person string, makes ...authority.Actor) error {
	grant, err := a.may(ctx, what, organisation, person, makes...)
	if err == nil && grant != authority.Full {
		err = refuse(NoRight)
	}
	return err
}

// stillMay wants who asked for something, or proposed it, to be an officer still who may, in whichever of her roles.
func (a *act) stillMay(ctx context.Context, asker string, what authority.Act, organisation, person string) error {
	standing, err := a.Person(ctx, asker, a.now)
	if err != nil {
		return unknown(err, "officer", asker)
	}
	path, err := a.OrganisationPath(ctx, organisation)
	if err != nil {
		return fmt.Errorf("read organisations above %q: %w", organisation, err)
	}
	for _, role := range standing.Person.Roles {
		o := authority.Officer{PersonID: asker, Role: role.ID, Organisation: role.OrganisationCode, Actors: a.rules.ActorsOf(role.JobRole, role.Activities)}
		if standing.PersonStands && a.rules.May(o, what, authority.Subject{PersonID: person, Path: path}).Grant == authority.Full {
			return nil
		}
	}
	return refuse(AskerNoOfficer)
}

// mostHeld bounds the roles that are looked at of one person: twice as many as she may have.
const mostHeld = 200

// herself is the officer when she holds a position, which is then about her, and "" otherwise.
func (a *act) herself(ctx context.Context, positionID string) (string, error) {
	held, err := a.HeldRoles(ctx, a.by.Person, mostHeld, a.now)
	if err != nil {
		return "", fmt.Errorf("read roles of person %s: %w", a.by.Person, err)
	}
	if len(held) >= mostHeld || slices.ContainsFunc(held, func(h store.HeldRole) bool { return h.PositionID == positionID }) {
		return a.by.Person, nil
	}
	return "", nil
}

// unknown names what is not there.
func unknown(err error, what string, id any) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("%s %v %w", what, id, directory.ErrUnknown)
	}
	return fmt.Errorf("read %s %v: %w", what, id, err)
}
