package position

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/store"
)

// Kind is what a request is for.
type Kind string

// The kinds.
const (
	Assign Kind = "assign_position" // that somebody get a position
	End    Kind = "end_position"    // that somebody lose it
)

// Asked is a request to make.
type Asked struct {
	Kind      Kind
	Person    string // whom it is for
	Position  string
	StartsAt  time.Time  // when she is to get it, or to lose it; zero is as soon as it is approved
	ExpiresAt *time.Time // when it ends; nil is never, and so it is of End
	Reason    string
}

// requestLife is how long officers have to decide a request, or to take up an introduction.
const requestLife = 30 * 24 * time.Hour

func (q Asked) check(now time.Time) error {
	errs := []error{directory.CheckID("person", q.Person), directory.CheckID("position", q.Position), directory.CheckText("reason", q.Reason, 1, 500)}
	if q.Kind != Assign && q.Kind != End {
		errs = append(errs, &directory.InvalidError{Field: "kind", Want: string(Assign) + " or " + string(End)})
	}
	if q.StartsAt.Before(now.AddDate(0, 0, -1)) || q.StartsAt.UTC().Year() > 9999 {
		errs = append(errs, &directory.InvalidError{Field: "starts", Want: "today or later"})
	}
	switch {
	case q.ExpiresAt == nil:
	case q.Kind == End:
		errs = append(errs, &directory.InvalidError{Field: "ends", Want: "none, where a position is to end"})
	case !q.ExpiresAt.After(q.StartsAt) || !q.ExpiresAt.After(now) || q.ExpiresAt.UTC().Year() > 9999:
		errs = append(errs, &directory.InvalidError{Field: "ends", Want: "a time after the start"})
	}
	return errors.Join(errs...)
}

// Answer is what came of a request.
type Answer struct {
	Request uuid.UUID
	State   string // open, approved or refused
	Role    string // the id of the role profile that it gave, or ""

	Gives Effect // what the position gives at this moment
}

// Ask asks that a person be given a position that is in force, or lose it. Another officer has to decide; but a position
// that is assignable is given at once by an officer who may assign such.
func (r *Registrar) Ask(ctx context.Context, by deed.Acting, q Asked) (answer Answer, err error) {
	if q.StartsAt.IsZero() {
		q.StartsAt = r.Now()
	}
	if err := errors.Join(by.Check(), q.check(r.Now())); err != nil {
		return Answer{}, err
	}
	err = r.act(ctx, by, audit.RequestAsked, func(a *act) error {
		answer, err = a.ask(ctx, q)
		return err
	})
	return answer, err
}

func (a *act) ask(ctx context.Context, q Asked) (Answer, error) {
	a.Entry.Person = q.Person
	a.Note(map[string]string{"kind": string(q.Kind), "position": q.Position, "reason": q.Reason, "starts_at": moment(&q.StartsAt), "expires_at": moment(q.ExpiresAt)})
	p, err := a.LockPosition(ctx, q.Position)
	if err != nil {
		return Answer{}, directory.Missing(err, "position", q.Position)
	}
	if err := a.lockOpen(ctx, q.Person); err != nil {
		return Answer{}, err
	}
	if err := a.mustFully(ctx, authority.RequestPosition, p.OrganisationCode, q.Person); err != nil {
		return Answer{}, err
	}
	v, err := a.versionInForce(ctx, p)
	if err != nil {
		return Answer{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Answer{}, fmt.Errorf("draw an id: %w", err)
	}
	request := store.Request{
		ID: id, Kind: string(q.Kind), PersonID: q.Person, PositionID: p.ID, PositionVersion: v.Version, OrganisationCode: p.OrganisationCode,
		StartsAt: q.StartsAt, ExpiresAt: q.ExpiresAt, Reason: q.Reason, AskedBy: a.By.Person, AskedRole: a.By.Role, AskedAt: a.Now,
		LapsesAt: lapses(a.Now, q.ExpiresAt), State: "open",
	}
	e, err := EffectOf(ctx, a.Tx, v)
	if err != nil && q.Kind == Assign {
		return Answer{}, err
	}
	if err := a.open(ctx, request, e.PositionVersion); err != nil {
		return Answer{}, err
	}
	a.Note(map[string]string{"request": id.String(), "version": strconv.Itoa(v.Version)})
	answer := Answer{Request: id, State: "open", Gives: e}
	makes := a.makes(e.PositionVersion)
	if q.Kind != Assign || !v.Assignable || len(makes) > 0 { // what it includes may make officers since
		return answer, nil
	}
	if person, err := a.Person(ctx, q.Person, a.Now); err != nil || person.Unproved { // it waits until she is proved
		return answer, err
	}
	grant, err := a.may(ctx, authority.AssignPosition, p.OrganisationCode, q.Person, makes...)
	if _, refused := errors.AsType[*deed.Refusal](err); refused {
		return answer, nil // she may ask and not assign
	}
	if err != nil {
		return Answer{}, err
	}
	if grant != authority.Assignable && grant != authority.Full {
		return answer, nil
	}
	settled := store.Settlement{State: "approved", Assignable: true, Reason: "the position is assignable", At: a.Now}
	answer.State = settled.State
	answer.Role, err = a.grant(ctx, p, request, e.PositionVersion, settled)
	return answer, err
}

// open puts a request on record, of what the person may have.
func (a *act) open(ctx context.Context, q store.Request, v store.PositionVersion) error {
	if err := a.mayHave(ctx, q, v); err != nil {
		return err
	}
	lapsed, err := a.LapseRequests(ctx, q.PositionID, q.PersonID, a.Now, undecided, a.Now)
	if err != nil {
		return fmt.Errorf("end requests that have lapsed: %w", err)
	}
	for _, l := range lapsed {
		if err := a.recordLapse(ctx, l, q.PositionID); err != nil {
			return err
		}
		if err := a.messenger.Post(ctx, a.Tx, messenger.Message{Person: l.AskedBy, Letter: messenger.RequestLapsed{Request: l.ID}}); err != nil {
			return err
		}
	}
	err = a.AddRequest(ctx, q)
	if errors.Is(err, store.ErrConflict) {
		return a.askedAlready(ctx, q)
	}
	if err != nil {
		return fmt.Errorf("add request: %w", err)
	}
	return nil
}

// askedAlready is the refusal that a request for the same person and position is open, with which one.
func (a *act) askedAlready(ctx context.Context, q store.Request) error {
	open, err := a.OpenRequest(ctx, q.PersonID, q.PositionID)
	if errors.Is(err, store.ErrNotFound) { // it was decided a moment ago
		return Refusal(OpenAlready)
	}
	if err != nil {
		return fmt.Errorf("read request for person %s: %w", q.PersonID, err)
	}
	return Refusal(OpenAlready).With("", deed.Change{Field: "request", To: open.ID.String()}, deed.Change{Field: "asked_by", To: open.AskedBy})
}

// lockOpen is lockPeople after what is open for the person, because what has lapsed of it may be ended.
func (a *act) lockOpen(ctx context.Context, person string) error {
	if err := a.LockOpenRequests(ctx, person); err != nil {
		return fmt.Errorf("lock requests: %w", err)
	}
	return a.lockPeople(ctx, person)
}

// lockPeople keeps whoever would give the person something else waiting, or end a role of the officer.
func (a *act) lockPeople(ctx context.Context, person string) error {
	if err := a.LockAccess(ctx, person); err != nil {
		return fmt.Errorf("lock what people sign in with: %w", err)
	}
	people, err := a.LockIdentities(ctx, person, a.By.Person)
	if err != nil {
		return fmt.Errorf("lock people: %w", err)
	}
	if !slices.ContainsFunc(people, func(p store.IdentityRow) bool { return p.PersonID == person }) {
		return directory.Missing(store.ErrNotFound, "person", person)
	}
	return nil
}

// versionInForce is what a position is now. One that is closed is no position any more.
func (a *act) versionInForce(ctx context.Context, p store.HeldPosition) (store.PositionVersion, error) {
	if p.InForce == 0 {
		return store.PositionVersion{}, Refusal(NotApproved)
	}
	v, err := a.PositionVersion(ctx, p.ID, p.InForce)
	if err != nil {
		return v, directory.Missing(err, "position "+p.ID+" in version", p.InForce)
	}
	if v.Closes {
		return v, Refusal(PositionClosed)
	}
	return v, nil
}

// mayHave says whether a person may get the position that is asked for, or has what she is to lose.
func (a *act) mayHave(ctx context.Context, q store.Request, v store.PositionVersion) error {
	held, err := deed.Held(ctx, a.Tx, q.PersonID, a.Now)
	if err != nil {
		return err
	}
	ofPosition := func(h store.HeldRole) bool { return h.PositionID == q.PositionID }
	if Kind(q.Kind) == End {
		if !slices.ContainsFunc(held, ofPosition) {
			return Refusal(NotHeld)
		}
		return nil
	}
	if err := a.listed(v); err != nil {
		return err
	}
	if len(held) >= deed.MostHeld { // there may be more, which nobody would look at
		return Refusal(TooManyRoles)
	}
	person, err := a.Person(ctx, q.PersonID, a.Now)
	if err != nil {
		return directory.Missing(err, "person", q.PersonID)
	}
	if !person.PersonStands {
		return Refusal(PersonDisabled)
	}
	duties := []authority.Held{{JobRole: v.JobRole, Activities: v.Activities}}
	for _, h := range held {
		switch {
		case ofPosition(h): // it is replaced
			lasts := h.EndsAt == nil || q.ExpiresAt != nil && !h.EndsAt.Before(*q.ExpiresAt)
			if h.Version == v.Version && h.Withheld == "" && lasts && !h.StartsAt.After(later(q.StartsAt, a.Now)) {
				return Refusal(HeldAlready)
			}
		case meets(h, q.StartsAt, q.ExpiresAt):
			duties = append(duties, authority.Held{JobRole: h.JobRole, Activities: h.Activities})
		}
	}
	return separated(a.Rules, duties)
}

// grant approves a request and gives what it asks for. What the person holds of the position already ends when that begins;
// what she is to get later, and for longer, still follows it.
func (a *act) grant(ctx context.Context, p store.HeldPosition, q store.Request, v store.PositionVersion, s store.Settlement) (role string, err error) {
	if err := a.settle(ctx, q, s); err != nil {
		return "", err
	}
	starts := later(q.StartsAt, a.Now)
	if _, err := a.end(ctx, q.PositionID, q.PersonID, starts, q.ExpiresAt); err != nil {
		return "", err
	}
	workgroups, err := a.Workgroups(ctx, v.Workgroups)
	if err != nil {
		return "", fmt.Errorf("read workgroups: %w", err)
	}
	role, err = directory.GrantRoleIn(ctx, a.Tx, directory.NewRole{
		PersonID: q.PersonID, Organisation: q.OrganisationCode, JobRole: v.JobRole, AreasOfWork: v.AreasOfWork, Activities: v.Activities,
		Workgroups: workgroups, StartsAt: starts, EndsAt: q.ExpiresAt, PositionID: &q.PositionID, RequestID: &q.ID,
	}, a.Entry.Actor, a.Now)
	switch {
	case errors.Is(err, directory.ErrUnproved):
		return "", Refusal(NotProved)
	case errors.Is(err, directory.ErrTooManyRoles):
		return "", Refusal(TooManyRoles)
	case errors.Is(err, directory.ErrTaken):
		return "", Refusal(HeldAlready).With(err.Error())
	case err != nil:
		return "", fmt.Errorf("give position %s: %w", q.PositionID, err)
	}
	a.Note(map[string]string{"role": role})
	if len(a.Rules.ActorsOf(v.JobRole, v.Activities)) > 0 {
		if err := NoteBound(ctx, a.Deed, q.PersonID, a.seen); err != nil {
			return "", err
		}
	}
	return role, a.messenger.Post(ctx, a.Tx, messenger.Message{
		Person: q.PersonID, Letter: messenger.PositionGiven{Position: v.Name, Organisation: p.OrganisationName, StartsAt: starts, EndsAt: q.ExpiresAt},
	})
}

// settle ends a request. It was open when it was locked.
func (a *act) settle(ctx context.Context, q store.Request, s store.Settlement) error {
	a.Note(map[string]string{"state": s.State, "state_before": "open", "decision_reason": s.Reason})
	err := a.SettleRequest(ctx, q.ID, s)
	if errors.Is(err, store.ErrNotFound) {
		return Refusal(NotOpen)
	}
	if err != nil {
		return fmt.Errorf("decide request %s: %w", q.ID, err)
	}
	return nil
}

// end ends, at a time, what a position gives a person, with a line of the record for each role. What is
// to begin after it, and to last beyond until, is left, unless that is nil. It says whether there was anything to end.
func (a *act) end(ctx context.Context, positionID, personID string, at time.Time, until *time.Time) (did bool, err error) {
	ended, err := a.EndPosition(ctx, positionID, personID, at, until)
	if err != nil {
		return false, fmt.Errorf("end roles of position %s: %w", positionID, err)
	}
	for _, r := range ended {
		e := a.Line(audit.RoleEnded, r.PersonID)
		maps.Copy(e.Detail, directory.Ended(r))
		e.Detail["position"] = positionID
		if err := audit.Record(ctx, a.Tx, e); err != nil {
			return false, err
		}
	}
	return len(ended) > 0, nil
}

// take ends what a position gives a person, who is told.
func (a *act) take(ctx context.Context, p store.HeldPosition, name, personID string, at time.Time) error {
	if did, err := a.end(ctx, p.ID, personID, at, nil); err != nil || !did {
		return err
	}
	return a.messenger.Post(ctx, a.Tx, messenger.Message{
		Person: personID, Letter: messenger.PositionEnded{Position: name, Organisation: p.OrganisationName, EndsAt: at},
	})
}

// Verdict is what an officer decides.
type Verdict string

// The verdicts.
const (
	Approve Verdict = "approved"
	Refuse  Verdict = "refused"
)

// Decide approves or refuses an open request, for a reason, by an officer who neither asked nor is the person it is for.
// Approving looks at everything again: what was asked for still has to be what the position is, and what the person may
// hold. Whoever makes somebody an officer has seen what others had to do with of what she signs in with, and says so by its mark.
func (r *Registrar) Decide(ctx context.Context, by deed.Acting, id uuid.UUID, verdict Verdict, reason, seen string) (answer Answer, err error) {
	err = errors.Join(by.Check(), directory.CheckText("reason", reason, 1, 500))
	if verdict != Approve && verdict != Refuse {
		err = errors.Join(err, &directory.InvalidError{Field: "verdict", Want: string(Approve) + " or " + string(Refuse)})
	}
	if err != nil {
		return Answer{}, err
	}
	err = r.act(ctx, by, audit.RequestDecided, func(a *act) error {
		a.seen = seen
		answer, err = a.decide(ctx, id, verdict, reason)
		return err
	})
	return answer, err
}

func (a *act) decide(ctx context.Context, id uuid.UUID, verdict Verdict, reason string) (Answer, error) {
	p, q, err := a.request(ctx, id)
	if err != nil {
		return Answer{}, err
	}
	if err := a.mustFully(ctx, authority.DecideRequest, p.OrganisationCode, q.PersonID); err != nil {
		return Answer{}, err
	}
	if err := FourEyes(ctx, a.Tx, q.AskedBy, a.By.Person, q.PersonID); err != nil {
		return Answer{}, err
	}
	if err := a.stillOpen(q); err != nil {
		return Answer{}, err
	}
	told := messenger.Message{Person: q.AskedBy, Letter: messenger.RequestDecided{Request: q.ID, State: string(verdict)}}
	if err := a.messenger.Post(ctx, a.Tx, told); err != nil { // a refusal below undoes it
		return Answer{}, err
	}
	settled := store.Settlement{State: string(verdict), By: &a.By.Person, Role: &a.By.Role, Reason: reason, At: a.Now}
	answer := Answer{Request: id, State: settled.State}
	if verdict != Approve {
		return answer, a.settle(ctx, q, settled)
	}
	if err := a.notTookUp(ctx, q); err != nil {
		return Answer{}, err
	}
	if err := a.stillMay(ctx, q.AskedBy, authority.RequestPosition, p.OrganisationCode, q.PersonID); err != nil {
		return Answer{}, err
	}
	v, err := a.versionInForce(ctx, p)
	if err != nil {
		return Answer{}, err
	}
	e, err := EffectOf(ctx, a.Tx, v)
	if err != nil && Kind(q.Kind) == Assign {
		return Answer{}, err
	}
	if err := a.mayHave(ctx, q, e.PositionVersion); err != nil {
		return Answer{}, err
	}
	if Kind(q.Kind) == End { // whatever the position is by now; but nobody takes what an officer above her has
		held, err := deed.Held(ctx, a.Tx, q.PersonID, a.Now)
		if err != nil {
			return Answer{}, err
		}
		var takes []authority.Actor
		for _, h := range held {
			if h.PositionID == p.ID {
				takes = append(takes, a.Rules.ActorsOf(h.JobRole, h.Activities)...)
			}
		}
		if err := a.mustFully(ctx, authority.DecideRequest, p.OrganisationCode, q.PersonID, takes...); err != nil {
			return Answer{}, err
		}
		if err := a.settle(ctx, q, settled); err != nil {
			return Answer{}, err
		}
		return answer, a.take(ctx, p, v.Name, q.PersonID, later(q.StartsAt, a.Now))
	}
	if err := a.unchanged(ctx, v, e, q.PositionVersion, q.AskedAt); err != nil {
		return Answer{}, err
	}
	if err := a.mustFully(ctx, authority.DecideRequest, p.OrganisationCode, q.PersonID, a.makes(e.PositionVersion)...); err != nil {
		return Answer{}, err
	}
	answer.Role, err = a.grant(ctx, p, q, e.PositionVersion, settled)
	return answer, err
}

// notTookUp wants another officer than the one who put on record the person for whom it was asked.
func (a *act) notTookUp(ctx context.Context, q store.Request) error {
	if q.TakenUpBy == nil {
		return nil
	}
	err := FourEyes(ctx, a.Tx, *q.TakenUpBy, a.By.Person, "")
	if deed.Refused(err) {
		return Refusal(TookUp)
	}
	return err
}

// unchanged wants a position to give what it gave in a version, when that was asked for.
func (a *act) unchanged(ctx context.Context, v store.PositionVersion, e Effect, version int, askedAt time.Time) error {
	if v.Version != version {
		before, err := a.PositionVersion(ctx, v.PositionID, version)
		if err != nil {
			return directory.Missing(err, "position "+v.PositionID+" in version", version)
		}
		return Refusal(deed.ChangedSince).With("", changes(before, v)...)
	}
	if e.ChangedAt.After(askedAt) {
		return Refusal(deed.ChangedSince).With("a position that it includes has")
	}
	return nil
}

// request locks a request, the position that it is about and the people whom it concerns, in the order in which everybody
// locks them.
func (a *act) request(ctx context.Context, id uuid.UUID) (store.HeldPosition, store.Request, error) {
	a.Note(map[string]string{"request": id.String()})
	p, err := a.LockPositionOfRequest(ctx, id)
	if err != nil {
		return store.HeldPosition{}, store.Request{}, directory.Missing(err, "request", id)
	}
	q, err := a.LockRequest(ctx, id)
	if err != nil {
		return store.HeldPosition{}, store.Request{}, directory.Missing(err, "request", id)
	}
	a.Entry.Person = q.PersonID
	a.Note(map[string]string{
		"kind": q.Kind, "position": p.ID, "version": strconv.Itoa(q.PositionVersion), "asked_by": q.AskedBy,
		"starts_at": moment(&q.StartsAt), "expires_at": moment(q.ExpiresAt),
	})
	return p, q, a.lockPeople(ctx, q.PersonID)
}

func (a *act) stillOpen(q store.Request) error {
	switch {
	case q.State != "open":
		return Refusal(NotOpen).In("state", "open", q.State)
	case !q.LapsesAt.After(a.Now):
		return Refusal(Lapsed)
	default:
		return nil
	}
}

// Withdraw takes an open request back, by the officer who asked.
func (r *Registrar) Withdraw(ctx context.Context, by deed.Acting, id uuid.UUID, reason string) error {
	if err := errors.Join(by.Check(), directory.CheckText("reason", reason, 1, 500)); err != nil {
		return err
	}
	return r.act(ctx, by, audit.RequestDecided, func(a *act) error {
		p, q, err := a.request(ctx, id)
		if err != nil {
			return err
		}
		if err := a.mustFully(ctx, authority.RequestPosition, p.OrganisationCode, q.PersonID); err != nil {
			return err
		}
		if q.AskedBy != by.Person {
			return Refusal(NotAsker)
		}
		if err := a.stillOpen(q); err != nil {
			return err
		}
		return a.settle(ctx, q, store.Settlement{State: "withdrawn", Reason: reason, At: a.Now})
	})
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
