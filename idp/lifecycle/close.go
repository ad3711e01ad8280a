package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/store"
)

// ClosedAs is why a profile is closed.
type ClosedAs string

// Why a profile is closed. One that is merged into another is closed as a duplicate.
const (
	Left      ClosedAs = "left" // health and care altogether
	Deceased  ClosedAs = "deceased"
	Duplicate ClosedAs = "duplicate"
	Fraud     ClosedAs = "fraud"
	Other     ClosedAs = "other"
)

// ClosedAsWords lists them.
func ClosedAsWords() []ClosedAs { return []ClosedAs{Left, Deceased, Duplicate, Fraud, Other} }

// Close closes the profile of a person, for a reason. She cannot sign in from that moment; her roles, her sessions and the
// requests for her and by her end, and what she signed in with is revoked, her recovery codes included.
func (r *Registrar) Close(ctx context.Context, by deed.Acting, person string, as ClosedAs, reason string) error {
	err := directory.CheckText("reason", reason, 1, 500)
	if !slices.Contains(ClosedAsWords(), as) {
		err = errors.Join(&directory.InvalidError{Field: "as", Want: "left, deceased, duplicate, fraud or other"}, err)
	}
	if err != nil {
		return err
	}
	return r.act(ctx, by, audit.PersonClosed, person, func(a *act) error {
		a.Note(map[string]string{"as": string(as), "reason": reason})
		people, err := a.lock(ctx, person)
		if err != nil {
			return err
		}
		if err := a.must(ctx, authority.ClosePerson, people[0], ""); err != nil {
			return err
		}
		if err := stillOpen(people[0].Profile); err != nil {
			return err
		}
		if err := a.close(ctx, person, as); err != nil {
			return err
		}
		if err := a.end(ctx, person, "profile closed", true); err != nil {
			return err
		}
		if as != Deceased { // nobody writes to the bereaved
			if err := a.tell(ctx, person, messenger.ProfileClosed{}); err != nil {
				return err
			}
		}
		return a.change(ctx, person, "closed", "", reason, map[string]string{}, map[string]string{"as": string(as)})
	})
}

func (a *act) close(ctx context.Context, person string, as ClosedAs) error {
	err := a.ClosePerson(ctx, person, string(as), a.Now)
	if errors.Is(err, store.ErrNotFound) {
		return refuse(Closed)
	}
	if err != nil {
		return fmt.Errorf("close profile of person %s: %w", person, err)
	}
	return nil
}

// end ends what somebody can act with, each with a line of the record, and of her roles all unless they are to be another's.
func (a *act) end(ctx context.Context, person, why string, roles bool) error {
	ended := 0
	if roles {
		list, err := a.endRoles(ctx, person, "", a.Now)
		if err != nil {
			return err
		}
		ended = len(list)
	}
	cancelled, err := a.cancel(ctx, person, "", why)
	if err != nil {
		return err
	}
	sessions, err := a.EndAccess(ctx, person, a.Now)
	if err != nil {
		return fmt.Errorf("end sessions of person %s: %w", person, err)
	}
	if err := audit.RecordEnds(ctx, a.Tx, a.Line(audit.SessionEnded, person), why, sessions...); err != nil {
		return err
	}
	revoked, err := a.RevokeAuthenticators(ctx, person, a.Now)
	if err != nil {
		return fmt.Errorf("revoke authenticators of person %s: %w", person, err)
	}
	for _, r := range revoked {
		e := a.Line(audit.AuthenticatorRevoked, person)
		maps.Copy(e.Detail, map[string]string{"authenticator": r.ID.String(), "from": r.Was, "to": "revoked", "reason": why})
		if err := audit.Record(ctx, a.Tx, e); err != nil {
			return err
		}
	}
	if err := a.ReplaceRecoveryCodes(ctx, person, nil, a.Now); err != nil {
		return fmt.Errorf("drop recovery codes of person %s: %w", person, err)
	}
	a.Note(map[string]string{
		"ended_roles": strconv.Itoa(ended), "cancelled_requests": strconv.Itoa(cancelled), "ended_sessions": strconv.Itoa(len(sessions)),
		"revoked_authenticators": strconv.Itoa(len(revoked)),
	})
	return nil
}

// endRoles ends, at a time, the roles of a person at an organisation, or "" for each, and returns which those are.
func (a *act) endRoles(ctx context.Context, person, organisation string, at time.Time) (ids []string, err error) {
	ended, err := a.EndRoles(ctx, person, organisation, at)
	if err != nil {
		return nil, fmt.Errorf("end roles of person %s: %w", person, err)
	}
	for _, role := range ended {
		e := a.Line(audit.RoleEnded, person)
		maps.Copy(e.Detail, directory.Ended(role))
		if err := audit.Record(ctx, a.Tx, e); err != nil {
			return nil, err
		}
		ids = append(ids, role.ID)
	}
	return ids, nil
}

// cancel ends the open requests for a person at an organisation, or "" for each and also what she asked. Others who asked are told.
func (a *act) cancel(ctx context.Context, person, organisation, why string) (int, error) {
	cancelled, err := a.CancelRequests(ctx, person, organisation, why, a.Now)
	if err != nil {
		return 0, fmt.Errorf("cancel requests for person %s: %w", person, err)
	}
	for _, c := range cancelled {
		e := a.Line(audit.RequestLapsed, c.PersonID)
		e.Detail["request"], e.Detail["position"], e.Detail["why"] = c.ID.String(), c.PositionID, why
		if err := audit.Record(ctx, a.Tx, e); err != nil {
			return 0, err
		}
		if c.AskedBy == person {
			continue
		}
		if err := a.tell(ctx, c.AskedBy, messenger.RequestCancelled{Request: c.ID}); err != nil {
			return 0, err
		}
	}
	return len(cancelled), nil
}

// Reopen opens a closed profile again, for a reason: by an officer who did not close it, or by a manager. Nothing that ended
// comes back, and what was given to the closed profile since, as an operator can, ends as well.
func (r *Registrar) Reopen(ctx context.Context, by deed.Acting, person, reason string) error {
	if err := directory.CheckText("reason", reason, 1, 500); err != nil {
		return err
	}
	return r.act(ctx, by, audit.PersonReopened, person, func(a *act) error {
		a.Note(map[string]string{"reason": reason})
		people, err := a.lock(ctx, person)
		if err != nil {
			return err
		}
		closed := people[0].Profile
		if err := a.must(ctx, authority.ReopenPerson, people[0], ""); err != nil {
			return err
		}
		switch {
		case closed.MergedInto != "":
			return refuse(Merged)
		case closed.ErasedAt != nil:
			return refuse(Erased)
		case closed.ClosedAt == nil:
			return refuse(Open).In("state", "closed", "open")
		}
		if err := a.notOwnClosing(ctx, person); err != nil {
			return err
		}
		if err := a.end(ctx, person, "profile reopened", true); err != nil {
			return err
		}
		if err := a.ReopenPerson(ctx, person); err != nil {
			return fmt.Errorf("reopen profile of person %s: %w", person, err)
		}
		if err := a.tell(ctx, person, messenger.ProfileReopened{}); err != nil {
			return err
		}
		return a.change(ctx, person, "reopened", "", reason, map[string]string{"as": closed.ClosedAs}, map[string]string{})
	})
}

// notOwnClosing wants another officer than the one who closed a profile, unless she is a manager.
func (a *act) notOwnClosing(ctx context.Context, person string) error {
	closing, err := a.LastChange(ctx, person, "closed")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read who closed the profile of person %s: %w", person, err)
	}
	o, err := a.Officer(ctx)
	if err != nil {
		return err
	}
	if closing.Actor == a.By.Person && !slices.Contains(o.Actors, authority.RAManager) {
		return refuse(OwnClosing)
	}
	return nil
}

// Leave ends what a person may act as at an organisation, at a time that is now or up to a year to come, and at once what is
// asked for her there. Her identity stays, and so does what she may act as elsewhere. Up to now is at once.
func (r *Registrar) Leave(ctx context.Context, by deed.Acting, person, organisation string, at time.Time, reason string) error {
	now, err := r.Now(), directory.CheckText("reason", reason, 1, 500)
	if at.After(now.AddDate(1, 0, 1)) || at.Before(now.AddDate(0, 0, -1)) {
		err = errors.Join(&directory.InvalidError{Field: "last", Want: "today, or a day within a year"}, err)
	}
	if err != nil {
		return err
	}
	return r.act(ctx, by, audit.PersonLeft, person, func(a *act) error {
		if at.Before(a.Now) {
			at = a.Now
		}
		ends := at.UTC().Format(time.RFC3339)
		a.Note(map[string]string{"organisation": organisation, "ends_at": ends, "reason": reason})
		people, err := a.lock(ctx, person)
		if err != nil {
			return err
		}
		if err := a.must(ctx, authority.AssignPosition, people[0], organisation); err != nil {
			return err
		}
		if err := stillOpen(people[0].Profile); err != nil {
			return err
		}
		roles, err := a.endRoles(ctx, person, organisation, at)
		if err != nil {
			return err
		}
		cancelled, err := a.cancel(ctx, person, organisation, "the person leaves "+organisation)
		if err != nil {
			return err
		}
		if len(roles)+cancelled == 0 {
			return a.gone(ctx, person, organisation)
		}
		a.Note(map[string]string{"ended_roles": strconv.Itoa(len(roles)), "cancelled_requests": strconv.Itoa(cancelled)})
		if !at.After(a.Now) {
			sessions, err := a.EndRoleSessions(ctx, person, roles, a.Now)
			if err != nil {
				return fmt.Errorf("end sessions of person %s: %w", person, err)
			}
			if err := audit.RecordEnds(ctx, a.Tx, a.Line(audit.SessionEnded, person), "the person left", sessions...); err != nil {
				return err
			}
		}
		if len(roles) > 0 {
			if err := a.tell(ctx, person, messenger.OrganisationLeft{Organisation: named(people[0], organisation), EndsAt: at}); err != nil {
				return err
			}
		}
		return a.change(ctx, person, "left", organisation, reason, map[string]string{}, map[string]string{"ends_at": ends})
	})
}

// gone is the refusal that a person has nothing at an organisation to end, with when she left it if somebody has said so.
func (a *act) gone(ctx context.Context, person, organisation string) error {
	last, err := a.LastChange(ctx, person, "left")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read when person %s left: %w", person, err)
	}
	var said struct {
		EndsAt string `json:"ends_at"`
	}
	if err != nil || last.OrganisationCode != organisation || json.Unmarshal(last.New, &said) != nil {
		return refuse(NotThere)
	}
	return refuse(NotThere).With("", deed.Change{Field: "ends_at", To: said.EndsAt}, deed.Change{Field: "left_by", To: last.Actor})
}

// named is what an organisation is called to which a person belongs.
func named(s Subject, organisation string) string {
	for _, m := range s.Person.Memberships {
		if m.OrganisationCode == organisation {
			return m.OrganisationName
		}
	}
	return organisation
}
