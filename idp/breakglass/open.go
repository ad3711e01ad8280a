package breakglass

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/papercode"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// Demand is what is asked of the sign-in of both people, and of the proof of their identity.
func Demand() assurance.Demand {
	return assurance.Demand{MinimumAuthenticator: assurance.AAL3, MinimumIdentity: deed.LeastIdentity}
}

// Code is what somebody types from an envelope.
type Code struct {
	Organisation string
	Text         string
}

// which says which envelope of a pair is meant.
type which bool

const (
	first  which = false
	second which = true
)

// seal finds the envelopes that a code is of, and keeps others from using them until the transaction ends.
func (a *act) seal(ctx context.Context, c Code, of which) (store.BreakGlassSeal, error) {
	code, ok := papercode.Parse(c.Text, codeSize)
	if !ok || !directory.IsOrganisation(c.Organisation) {
		return store.BreakGlassSeal{}, errCode
	}
	a.Entry.Detail["organisation"] = c.Organisation
	sum := hash(code)
	s, err := a.LockBreakGlassSeal(ctx, c.Organisation, sum)
	if errors.Is(err, store.ErrNotFound) {
		return s, errCode
	}
	if err != nil {
		return s, fmt.Errorf("read envelopes of organisation %s: %w", c.Organisation, err)
	}
	a.Entry.Detail["seal"] = s.ID.String()
	switch {
	case s.EndedAt != nil:
		return s, refuse(CodeSpent)
	case !s.ExpiresAt.After(a.Now):
		return s, refuse(CodeExpired)
	case (string(s.SecondHash) == string(sum)) != bool(of):
		return s, refuse(OtherEnvelope)
	}
	return s, nil
}

// Ask asks, with the code of the first envelope, that a person be a break-glass officer, and takes the place of what was asked
// with it before. It waits half an hour for the second person.
func (r *Registrar) Ask(ctx context.Context, by deed.Acting, c Code, reason string) (id uuid.UUID, err error) {
	if err := directory.CheckText("reason", reason, 1, 500); err != nil {
		return uuid.Nil, err
	}
	if id, err = uuid.NewV7(); err != nil {
		return uuid.Nil, fmt.Errorf("draw an id: %w", err)
	}
	return id, r.use(ctx, by, audit.BreakGlassAsked, c, func(a *act) error {
		a.Entry.Detail["reason"] = reason
		s, err := a.seal(ctx, c, first)
		if err != nil {
			return err
		}
		if err := a.able(ctx, by.Person); err != nil {
			return err
		}
		if err := a.apart(ctx, by.Person); err != nil {
			return err
		}
		lapses := a.Now.Add(Waits)
		a.Entry.Detail["break_glass"], a.Entry.Detail["lapses_at"] = id.String(), lapses.Format(time.RFC3339)
		return a.AddBreakGlassRequest(ctx, store.BreakGlassRequest{ID: id, SealID: s.ID, AskedBy: by.Person, Reason: reason, AskedAt: a.Now, LapsesAt: lapses, AuthenticatorID: by.Authenticator})
	})
}

// apart wants a person to hold nothing that a break-glass officer does not hold as well.
func (a *act) apart(ctx context.Context, person string) error {
	held, err := deed.Held(ctx, a.Tx, person, a.Now)
	if err != nil {
		return err
	}
	duties := []authority.Held{{JobRole: directory.BreakGlassOfficer}}
	for _, h := range held {
		duties = append(duties, authority.Held{JobRole: h.JobRole, Activities: h.Activities})
	}
	if conflicts := a.Rules.Conflicts(duties); len(conflicts) > 0 {
		return position.Refusal(position.SeparationOfDuties).With(conflicts[0].Reason)
	}
	return nil
}

// Join finds what was asked with the first envelope, for another person who has the second, and from then on shows it to her.
func (r *Registrar) Join(ctx context.Context, by deed.Acting, c Code) (id uuid.UUID, err error) {
	err = r.use(ctx, by, audit.BreakGlassJoined, c, func(a *act) error {
		s, err := a.seal(ctx, c, second)
		if err != nil {
			return err
		}
		asked, err := a.BreakGlassRequestOf(ctx, s.ID)
		if errors.Is(err, store.ErrNotFound) || err == nil && !asked.LapsesAt.After(a.Now) {
			return refuse(NobodyAsked)
		}
		if err != nil {
			return fmt.Errorf("read what was asked: %w", err)
		}
		if asked.AskedBy == by.Person {
			return refuse(OwnEnvelope)
		}
		if err := a.able(ctx, by.Person); err != nil {
			return err
		}
		id = asked.ID
		a.Entry.Person, a.Entry.Detail["break_glass"] = asked.AskedBy, id.String()
		return a.JoinBreakGlassRequest(ctx, s.ID, by.Person)
	})
	return id, err
}

// Open makes who asked a break-glass officer, because the other person, who came with the second envelope, lets her. Both
// envelopes are spent by that, and it is told.
func (r *Registrar) Open(ctx context.Context, by deed.Acting, id uuid.UUID) error {
	return r.act(ctx, by, audit.BreakGlassOpened, func(a *act) error {
		a.Entry.Detail["break_glass"] = id.String()
		asked, err := a.LockBreakGlassRequest(ctx, id, a.Now)
		if errors.Is(err, store.ErrNotFound) {
			return refuse(NobodyAsked)
		}
		if err != nil {
			return fmt.Errorf("read what was asked: %w", err)
		}
		a.Entry.Person, a.Entry.Detail["organisation"], a.Entry.Detail["reason"] = asked.AskedBy, asked.OrganisationCode, asked.Reason
		switch {
		case asked.AskedBy == a.By.Person:
			return refuse(OwnEnvelope)
		case asked.JoinedBy == nil || *asked.JoinedBy != a.By.Person || !asked.LapsesAt.After(a.Now):
			return refuse(NobodyAsked)
		case asked.Spent:
			return refuse(CodeSpent)
		}
		if err := a.LockAccess(ctx, asked.AskedBy); err != nil { // before people, as whoever enrols does
			return fmt.Errorf("lock what person %s signs in with: %w", asked.AskedBy, err)
		}
		if err := a.able(ctx, asked.AskedBy, a.By.Person); err != nil {
			return err
		}
		if err := a.apart(ctx, asked.AskedBy); err != nil {
			return err
		}
		opened, err := a.open(ctx, asked)
		if err != nil {
			return err
		}
		return r.alarm(ctx, a, opened)
	})
}

// open spends the envelopes, gives the role and opens the review of what is done in it.
func (a *act) open(ctx context.Context, asked store.BreakGlassRequestRow) (store.BreakGlassRow, error) {
	opened := store.BreakGlassRow{EndsAt: a.Now.Add(Lasts), OrganisationName: asked.OrganisationName}
	if err := a.SpendBreakGlassSeal(ctx, asked.SealID, a.Now); errors.Is(err, store.ErrNotFound) {
		return opened, refuse(CodeSpent)
	} else if err != nil {
		return opened, fmt.Errorf("spend envelopes: %w", err)
	}
	role, err := directory.GrantRoleIn(ctx, a.Tx, directory.NewRole{
		PersonID: asked.AskedBy, Organisation: asked.OrganisationCode, JobRole: directory.BreakGlassOfficer, StartsAt: a.Now, EndsAt: &opened.EndsAt,
		AuthenticatorID: asked.AuthenticatorID, // with which she came: none that another may have bound to her
	}, a.By.Person, a.Now)
	switch {
	case errors.Is(err, directory.ErrTaken): // by envelopes that were sealed since she opened others
		return opened, refuse(position.HeldAlready)
	case errors.Is(err, directory.ErrTooManyRoles):
		return opened, refuse(position.TooManyRoles)
	case err != nil:
		return opened, err
	}
	// Links were made while she was no officer, by officers who may not make one for her as she is now.
	if err := a.SpendLinks(ctx, asked.AskedBy, a.Now); err != nil {
		return opened, fmt.Errorf("spend enrolment links of person %s: %w", asked.AskedBy, err)
	}
	opened.BreakGlass = store.BreakGlass{
		ID: asked.ID, SealID: asked.SealID, OrganisationCode: asked.OrganisationCode, AskedBy: asked.AskedBy, ConfirmedBy: a.By.Person,
		Reason: asked.Reason, RoleID: role, OpenedAt: a.Now,
	}
	a.Entry.Detail["role"], a.Entry.Detail["ends_at"] = role, opened.EndsAt.Format(time.RFC3339)
	if err := a.AddBreakGlass(ctx, opened.BreakGlass); err != nil {
		return opened, err
	}
	return opened, a.RemoveBreakGlassRequest(ctx, asked.SealID)
}

// alarm tells, by mail and here, that break-glass is opened. It is the last that the transaction does: should that fail then, an
// alarm was false, which is better than one that never came.
func (r *Registrar) alarm(ctx context.Context, a *act, b store.BreakGlassRow) error {
	path, err := a.OrganisationPath(ctx, b.OrganisationCode)
	if err != nil {
		return fmt.Errorf("read organisations above %s: %w", b.OrganisationCode, err)
	}
	managers, err := a.RAManagers(ctx, path, mostTold, a.Now)
	if err != nil {
		return fmt.Errorf("list managers of organisation %s: %w", b.OrganisationCode, err)
	}
	for _, manager := range managers {
		letter := messenger.BreakGlassOpened{ID: b.ID, Organisation: b.OrganisationName, EndsAt: b.EndsAt}
		if err := r.Messenger.Post(ctx, a.Tx, messenger.Message{Person: manager, Letter: letter}); err != nil {
			return err
		}
	}
	r.opened.Inc()
	r.Log.ErrorContext(ctx, "break-glass opened", slog.String("break_glass", b.ID.String()), slog.String("organisation", b.OrganisationCode),
		slog.String("person", b.AskedBy), slog.String("confirmed_by", b.ConfirmedBy), slog.Time("until", b.EndsAt))
	return nil
}

// End ends the role of what one of the two opened before its time.
func (r *Registrar) End(ctx context.Context, by deed.Acting, id uuid.UUID) error {
	return r.end(ctx, by, id, func(_ *act, b store.BreakGlassRow) error { return theirs(b, by.Person) })
}

// end ends a role before its time, for whom a check lets.
func (r *Registrar) end(ctx context.Context, by deed.Acting, id uuid.UUID, check func(*act, store.BreakGlassRow) error) error {
	return r.act(ctx, by, audit.BreakGlassEnded, func(a *act) error {
		b, err := a.read(ctx, id)
		if err != nil {
			return err
		}
		if _, err := a.LockIdentities(ctx, b.AskedBy, by.Person); err != nil { // before the role, as whoever changes roles does
			return fmt.Errorf("lock people: %w", err)
		}
		if err := check(a, b); err != nil {
			return err
		}
		ended, err := a.EndRole(ctx, b.RoleID, a.Now)
		if errors.Is(err, store.ErrNotFound) {
			return a.endedAlready(ctx, id)
		}
		if err != nil {
			return fmt.Errorf("end role %s: %w", b.RoleID, err)
		}
		a.Note(directory.Ended(ended))
		return nil
	})
}

// endedAlready is the refusal that a role has ended, with when.
func (a *act) endedAlready(ctx context.Context, id uuid.UUID) error {
	b, err := a.BreakGlass(ctx, id)
	if err != nil {
		return directory.Missing(err, "break-glass", id)
	}
	return refuse(EndedAlready).In("ends_at", "", b.EndsAt.UTC().Format(time.RFC3339))
}

// read reads what was opened, which the line is about from then on.
func (a *act) read(ctx context.Context, id uuid.UUID) (store.BreakGlassRow, error) {
	b, err := a.BreakGlass(ctx, id)
	if err != nil {
		return b, directory.Missing(err, "break-glass", id)
	}
	a.Entry.Person = b.AskedBy
	a.Note(map[string]string{"break_glass": id.String(), "role": b.RoleID, "organisation": b.OrganisationCode})
	return b, nil
}

// theirs wants somebody to be one of the two who opened it: to everybody else it is not there.
func theirs(b store.BreakGlassRow, person string) error {
	if person != b.AskedBy && person != b.ConfirmedBy {
		return directory.Missing(store.ErrNotFound, "break-glass", b.ID)
	}
	return nil
}

// Opened reads what was opened, for one of the two who did.
func (r *Registrar) Opened(ctx context.Context, person string, id uuid.UUID) (store.BreakGlassRow, error) {
	b, err := r.Store.BreakGlass(ctx, id)
	if err != nil {
		return b, directory.Missing(err, "break-glass", id)
	}
	return b, theirs(b, person)
}

// Asked reads what was asked and not opened, for who asked and for who came with the second envelope: to everybody else it is not
// there.
func (r *Registrar) Asked(ctx context.Context, person string, id uuid.UUID) (store.BreakGlassRequestRow, error) {
	asked, err := r.Store.BreakGlassRequest(ctx, id, r.Now())
	if err == nil && person != asked.AskedBy && (asked.JoinedBy == nil || person != *asked.JoinedBy) {
		err = store.ErrNotFound
	}
	return asked, directory.Missing(err, "what was asked", id)
}
