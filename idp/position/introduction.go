package position

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

// Introduced is somebody who is not on record yet, and the position that is asked for her.
type Introduced struct {
	directory.NewPerson // with a date of birth

	Position  string
	StartsAt  time.Time  // zero is as soon as it is approved
	ExpiresAt *time.Time // nil is never
	Reason    string
}

func (i Introduced) check(now time.Time) error {
	errs := []error{i.Check(now)}
	if i.DateOfBirth == nil {
		errs = append(errs, &directory.InvalidError{Field: "date_of_birth", Want: "a date of birth"})
	}
	asked := Asked{Kind: Assign, Person: "000000000000", Position: i.Position, StartsAt: i.StartsAt, ExpiresAt: i.ExpiresAt, Reason: i.Reason} // who is known later
	return errors.Join(append(errs, asked.check(now))...)
}

// Introduce asks that a position that is in force be given to somebody who is not on record yet. Another officer has to take
// that up. The record has neither her name nor anything else of her: she may never become a person on record.
func (r *Registrar) Introduce(ctx context.Context, by deed.Acting, i Introduced) (id uuid.UUID, err error) {
	if i.StartsAt.IsZero() {
		i.StartsAt = r.Now()
	}
	if err := errors.Join(by.Check(), i.check(r.Now())); err != nil {
		return uuid.Nil, err
	}
	err = r.act(ctx, by, audit.PersonIntroduced, func(a *act) error {
		id, err = a.introduce(ctx, i)
		return err
	})
	return id, err
}

func (a *act) introduce(ctx context.Context, i Introduced) (uuid.UUID, error) {
	a.Note(map[string]string{"position": i.Position, "reason": i.Reason, "starts_at": moment(&i.StartsAt), "expires_at": moment(i.ExpiresAt)})
	p, err := a.LockPosition(ctx, i.Position)
	if err != nil {
		return uuid.Nil, directory.Missing(err, "position", i.Position)
	}
	if err := a.mustFully(ctx, authority.RequestPosition, p.OrganisationCode, ""); err != nil {
		return uuid.Nil, err
	}
	v, err := a.versionInForce(ctx, p)
	if err != nil {
		return uuid.Nil, err
	}
	e, err := EffectOf(ctx, a.Tx, v)
	if err != nil {
		return uuid.Nil, err
	}
	if err := a.listed(e.PositionVersion); err != nil {
		return uuid.Nil, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("draw an id: %w", err)
	}
	added := store.Introduction{
		ID: id, PositionID: p.ID, PositionVersion: v.Version, OrganisationCode: p.OrganisationCode, Title: i.Title, GivenName: i.GivenName,
		MiddleNames: i.MiddleNames, FamilyName: i.FamilyName, DateOfBirth: *i.DateOfBirth, Email: i.Email, StartsAt: i.StartsAt, ExpiresAt: i.ExpiresAt,
		Reason: i.Reason, AskedBy: a.By.Person, AskedRole: a.By.Role, AskedAt: a.Now, LapsesAt: lapses(a.Now, i.ExpiresAt),
	}
	if err := a.AddIntroduction(ctx, added); err != nil {
		return uuid.Nil, fmt.Errorf("add introduction: %w", err)
	}
	a.Note(map[string]string{"introduction": id.String(), "version": strconv.Itoa(v.Version)})
	return id, nil
}

// lapses is when something lapses that is asked now.
func lapses(now time.Time, expires *time.Time) time.Time {
	at := now.Add(requestLife)
	if expires != nil && expires.Before(at) {
		return *expires
	}
	return at
}

// TakeUp says who on record it is that was introduced, and makes the request of the officer who asked, who still has to be one
// who may. Whoever takes it up is neither of them, and does not approve the request.
func (r *Registrar) TakeUp(ctx context.Context, by deed.Acting, id uuid.UUID, person string) (request uuid.UUID, err error) {
	if err := errors.Join(by.Check(), directory.CheckID("person", person)); err != nil {
		return uuid.Nil, err
	}
	err = r.act(ctx, by, audit.IntroductionEnded, func(a *act) error {
		request, err = a.takeUp(ctx, id, person)
		return err
	})
	return request, err
}

func (a *act) takeUp(ctx context.Context, id uuid.UUID, person string) (uuid.UUID, error) {
	p, i, err := a.introduction(ctx, id)
	if err != nil {
		return uuid.Nil, err
	}
	a.Entry.Person = person
	if err := a.lockOpen(ctx, person); err != nil {
		return uuid.Nil, err
	}
	if err := a.mustFully(ctx, authority.TakeUpIntroduction, p.OrganisationCode, person); err != nil {
		return uuid.Nil, err
	}
	if err := FourEyes(ctx, a.Tx, i.AskedBy, a.By.Person, person); err != nil {
		return uuid.Nil, err
	}
	if err := a.stillIntroduced(i); err != nil {
		return uuid.Nil, err
	}
	if err := a.stillMay(ctx, i.AskedBy, authority.RequestPosition, p.OrganisationCode, person); err != nil {
		return uuid.Nil, err
	}
	v, err := a.versionInForce(ctx, p)
	if err != nil {
		return uuid.Nil, err
	}
	e, err := EffectOf(ctx, a.Tx, v)
	if err != nil {
		return uuid.Nil, err
	}
	if err := a.unchanged(ctx, v, e, i.PositionVersion, i.AskedAt); err != nil {
		return uuid.Nil, err
	}
	request, err := uuid.NewV7()
	if err != nil {
		return uuid.Nil, fmt.Errorf("draw an id: %w", err)
	}
	q := store.Request{
		ID: request, Kind: string(Assign), PersonID: person, PositionID: p.ID, PositionVersion: v.Version, OrganisationCode: p.OrganisationCode,
		StartsAt: i.StartsAt, ExpiresAt: i.ExpiresAt, Reason: i.Reason, AskedBy: i.AskedBy, AskedRole: i.AskedRole, AskedAt: a.Now,
		LapsesAt: lapses(a.Now, i.ExpiresAt), TakenUpBy: &a.By.Person,
	}
	if err := a.open(ctx, q, e.PositionVersion); err != nil {
		return uuid.Nil, err
	}
	asked := a.Line(audit.RequestAsked, person)
	maps.Copy(asked.Detail, map[string]string{
		"kind": q.Kind, "position": p.ID, "version": strconv.Itoa(v.Version), "reason": deed.Clip(q.Reason), "starts_at": moment(&q.StartsAt), "expires_at": moment(q.ExpiresAt),
		"request": request.String(), "asked_by": q.AskedBy, "introduction": id.String(),
	})
	if err := audit.Record(ctx, a.Tx, asked); err != nil {
		return uuid.Nil, err
	}
	a.Note(map[string]string{"request": request.String()})
	return request, a.endIntroduction(ctx, id, store.IntroductionEnd{State: "taken_up", Person: &person, Request: &request})
}

// introduction locks an introduction and the position that it is about.
func (a *act) introduction(ctx context.Context, id uuid.UUID) (store.HeldPosition, store.Introduction, error) {
	a.Note(map[string]string{"introduction": id.String()})
	row, err := a.Introduction(ctx, id)
	if err != nil {
		return store.HeldPosition{}, store.Introduction{}, directory.Missing(err, "introduction", id)
	}
	p, err := a.LockPosition(ctx, row.PositionID)
	if err != nil {
		return store.HeldPosition{}, store.Introduction{}, directory.Missing(err, "position", row.PositionID)
	}
	i, err := a.LockIntroduction(ctx, id)
	if err != nil {
		return store.HeldPosition{}, store.Introduction{}, directory.Missing(err, "introduction", id)
	}
	a.Note(map[string]string{"position": p.ID, "version": strconv.Itoa(i.PositionVersion), "asked_by": i.AskedBy})
	return p, i, nil
}

func (a *act) stillIntroduced(i store.Introduction) error {
	switch {
	case i.State != "open":
		return Refusal(EndedAlready).In("state", "open", i.State)
	case !i.LapsesAt.After(a.Now):
		return Refusal(Lapsed)
	default:
		return nil
	}
}

func (a *act) endIntroduction(ctx context.Context, id uuid.UUID, e store.IntroductionEnd) error {
	e.By, e.Role, e.At = a.By.Person, a.By.Role, a.Now
	a.Note(map[string]string{"state": e.State, "state_before": "open"})
	if err := a.EndIntroduction(ctx, id, e); err != nil {
		return fmt.Errorf("end introduction %s: %w", id, err)
	}
	return nil
}

// Dismiss ends an introduction that is not to be taken up: the officer who asked withdraws it, and any who could take it up
// refuses it.
func (r *Registrar) Dismiss(ctx context.Context, by deed.Acting, id uuid.UUID, reason string) error {
	if err := errors.Join(by.Check(), directory.CheckText("reason", reason, 1, 500)); err != nil {
		return err
	}
	return r.act(ctx, by, audit.IntroductionEnded, func(a *act) error {
		p, i, err := a.introduction(ctx, id)
		if err != nil {
			return err
		}
		what, state := authority.TakeUpIntroduction, "refused"
		if i.AskedBy == by.Person {
			what, state = authority.RequestPosition, "withdrawn"
		}
		if err := a.mustFully(ctx, what, p.OrganisationCode, ""); err != nil {
			return err
		}
		if err := a.stillIntroduced(i); err != nil {
			return err
		}
		a.Note(map[string]string{"reason": reason})
		if state == "refused" {
			told := messenger.Message{Person: i.AskedBy, Letter: messenger.IntroductionEnded{Introduction: id, State: state}}
			if err := a.messenger.Post(ctx, a.Tx, told); err != nil {
				return err
			}
		}
		return a.endIntroduction(ctx, id, store.IntroductionEnd{State: state, Reason: &reason})
	})
}

// lapseIntroductions ends introductions that nobody took up in time, and tells who asked.
func (r *Registrar) lapseIntroductions(ctx context.Context, tx *store.Tx) (int, error) {
	now := r.Now()
	lapsed, err := tx.LapseIntroductions(ctx, lapseBatch, now)
	if err != nil {
		return 0, err
	}
	for _, l := range lapsed {
		if err := audit.Record(ctx, tx, audit.Entry{
			At: now, Event: audit.IntroductionLapsed, Actor: "expiry", Detail: map[string]string{"introduction": l.ID.String(), "position": l.PositionID},
		}); err != nil {
			return 0, err
		}
		told := messenger.Message{Person: l.AskedBy, Letter: messenger.IntroductionEnded{Introduction: l.ID, State: "lapsed"}}
		if err := r.Messenger.Post(ctx, tx, told); err != nil {
			return 0, err
		}
	}
	return len(lapsed), nil
}
