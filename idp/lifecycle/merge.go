package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// mostRoles is how many roles a person can have, as package directory has it.
const mostRoles = 100

// Alike finds who else on record may be the same as a person, and records that they were shown.
func (r *Registrar) Alike(ctx context.Context, by deed.Acting, s Subject) (alike directory.Alike, err error) {
	err = r.act(ctx, by, audit.PersonSearched, s.PersonID, func(a *act) (err error) {
		person := directory.NewPerson{GivenName: s.GivenName, FamilyName: s.FamilyName, Email: s.Email, DateOfBirth: s.DateOfBirth}
		alike, err = directory.FindAlike(ctx, a.Tx, person, s.PersonID)
		a.Note(map[string]string{"by": "likeness", "hits": strconv.Itoa(len(alike.People))})
		return err
	})
	return alike, err
}

// ProposeMerge proposes that a profile be merged into another, which is kept, because both are of one person. Another officer
// decides.
func (r *Registrar) ProposeMerge(ctx context.Context, by deed.Acting, duplicate, kept, reason string) (id uuid.UUID, err error) {
	if err := errors.Join(directory.CheckID("duplicate", duplicate), directory.CheckID("kept", kept), directory.CheckText("reason", reason, 1, 500)); err != nil {
		return uuid.Nil, err
	}
	if id, err = uuid.NewV7(); err != nil {
		return uuid.Nil, fmt.Errorf("draw an id: %w", err)
	}
	return id, r.act(ctx, by, audit.MergeProposed, duplicate, func(a *act) error {
		a.Note(map[string]string{"merge": id.String(), "kept": kept, "reason": reason})
		if err := a.mergeable(ctx, duplicate, kept); err != nil {
			return err
		}
		err := a.AddMerge(ctx, store.Merge{
			ID: id, Duplicate: duplicate, Kept: kept, Reason: reason, ProposedBy: a.By.Person, ProposedRole: a.By.Role, ProposedAt: a.Now,
		})
		if errors.Is(err, store.ErrConflict) {
			return a.proposedAlready(ctx, duplicate, kept)
		}
		if err != nil {
			return fmt.Errorf("propose a merge: %w", err)
		}
		return nil
	})
}

// mostMerges bounds the merges that are looked at of one person.
const mostMerges = 100

// proposedAlready is the refusal that a merge of two profiles waits, with which one it keeps.
func (a *act) proposedAlready(ctx context.Context, duplicate, kept string) error {
	waiting, err := a.ProposedMerges(ctx, duplicate, mostMerges)
	if err != nil {
		return fmt.Errorf("list merges of person %s: %w", duplicate, err)
	}
	for _, m := range waiting {
		if m.Kept == kept || m.Duplicate == kept {
			return refuse(ProposedAlready).With("", deed.Change{Field: "merge", To: m.ID.String()}, deed.Change{Field: "kept", From: kept, To: m.Kept}, deed.Change{Field: "proposed_by", To: m.ProposedBy})
		}
	}
	return refuse(ProposedAlready)
}

// mergeable wants two profiles that are open, of people whom the officer may merge, who may hold together what both have. What somebody
// has whom an officer put on record is not moved to an account that anybody may have made in her name.
func (a *act) mergeable(ctx context.Context, duplicate, kept string) error {
	if duplicate == kept {
		return refuse(SamePerson)
	}
	people, err := a.lock(ctx, duplicate, kept)
	if err != nil {
		return err
	}
	for _, p := range people {
		if err := a.must(ctx, authority.MergePeople, p, ""); err != nil {
			return err
		}
	}
	for _, p := range people {
		if err := stillOpen(p.Profile); err != nil {
			return err
		}
	}
	if people[1].Unproved && !people[0].Unproved {
		return refuse(KeptUnproved)
	}
	var duties []authority.Held
	for _, p := range people {
		held, err := deed.Held(ctx, a.Tx, p.PersonID, a.Now)
		if err != nil {
			return err
		}
		for _, h := range held {
			duties = append(duties, authority.Held{JobRole: h.JobRole, Activities: h.Activities})
		}
	}
	if len(duties) > mostRoles {
		return position.Refusal(position.TooManyRoles)
	}
	if conflicts := a.Rules.Conflicts(duties); len(conflicts) > 0 {
		reasons := make([]string, len(conflicts))
		for i, c := range conflicts {
			reasons[i] = fmt.Sprintf("%s and %s: %s", c.One, c.Other, c.Reason)
		}
		return position.Refusal(position.SeparationOfDuties).With(strings.Join(reasons, "; "))
	}
	return nil
}

// DecideMerge approves or refuses a merge that another officer proposed, for a reason. When it is approved the profile is closed:
// its sessions and the requests for it and by it end, and what was signed in with is revoked. The one that is kept gets the
// roles. Its level stays: what proved the identity of the other counts no more, and can be recorded for this one. Whoever makes it an officer's
// so has seen what others had to do with of what it is signed in with, and says so by its mark: see [Registrar.BoundByOthers].
func (r *Registrar) DecideMerge(ctx context.Context, by deed.Acting, id uuid.UUID, verdict position.Verdict, reason, seen string) error {
	err := directory.CheckText("reason", reason, 1, 500)
	if verdict != position.Approve && verdict != position.Refuse {
		err = errors.Join(&directory.InvalidError{Field: "verdict", Want: "approved or refused"}, err)
	}
	if err != nil {
		return err
	}
	m, err := r.Merge(ctx, id)
	if err != nil {
		return err
	}
	return r.act(ctx, by, audit.MergeDecided, m.Duplicate, func(a *act) error {
		a.Note(map[string]string{"merge": id.String(), "kept": m.Kept, "state": string(verdict), "state_before": "proposed", "proposed_by": m.ProposedBy, "reason": reason})
		if err := a.LockMerges(ctx); err != nil {
			return fmt.Errorf("lock merges: %w", err)
		}
		return a.decide(ctx, r, m, verdict, reason, seen)
	})
}

// makesOfficer says whether the profile that is kept gets a role that makes an officer.
func makesOfficer(ctx context.Context, records interface {
	HeldRoles(ctx context.Context, personID string, limit int, now time.Time) ([]store.HeldRole, error)
}, rules *authority.Rules, m store.Merge, now time.Time,
) (bool, error) {
	of, err := deed.Over(ctx, records, rules, authority.Subject{PersonID: m.Duplicate}, now)
	return len(of.Makes) > 0, err
}

// BoundByOthers lists what others had to do with of what is signed in with to the profile that is kept, where a merge that waits would make
// that an officer's.
func (r *Registrar) BoundByOthers(ctx context.Context, m store.Merge) ([]store.Binding, error) {
	if m.State != "proposed" {
		return nil, nil
	}
	officer, err := makesOfficer(ctx, r.Store, r.Rules, m, r.Now())
	if err != nil || !officer {
		return nil, err
	}
	bindings, err := r.Store.Bindings(ctx, m.Kept)
	if err != nil {
		return nil, fmt.Errorf("read who had to do with what person %s signs in with: %w", m.Kept, err)
	}
	return bindings, nil
}

// Merge reads a merge. What two profiles it is about never changes.
func (r *Registrar) Merge(ctx context.Context, id uuid.UUID) (store.Merge, error) {
	m, err := r.Store.Merge(ctx, id)
	return m, directory.Missing(err, "merge", id)
}

func (a *act) decide(ctx context.Context, r *Registrar, m store.Merge, verdict position.Verdict, reason, seen string) error {
	if verdict == position.Refuse { // also when one of the profiles has been closed since
		people, err := a.lock(ctx, m.Duplicate, m.Kept)
		if err != nil {
			return err
		}
		for _, p := range people {
			if err := a.must(ctx, authority.MergePeople, p, ""); err != nil {
				return err
			}
		}
	} else if err := a.approvable(ctx, m); err != nil {
		return err
	}
	if err := position.FourEyes(ctx, a.Tx, m.ProposedBy, a.By.Person, ""); err != nil {
		return err
	}
	err := a.DecideMerge(ctx, m.ID, string(verdict), a.By.Person, a.By.Role, reason, a.Now)
	if errors.Is(err, store.ErrNotFound) {
		return a.decidedAlready(ctx, m.ID)
	}
	if err != nil {
		return fmt.Errorf("decide merge %s: %w", m.ID, err)
	}
	if err := a.tell(ctx, m.ProposedBy, messenger.MergeDecided{Merge: m.ID, State: string(verdict)}); err != nil {
		return err
	}
	if verdict == position.Refuse {
		return nil
	}
	return a.merge(ctx, r, m, reason, seen)
}

// decidedAlready is the refusal that somebody has decided a merge meanwhile.
func (a *act) decidedAlready(ctx context.Context, id uuid.UUID) error {
	m, err := a.Merge(ctx, id)
	if err != nil {
		return directory.Missing(err, "merge", id)
	}
	return a.Decided(m.DecidedBy, "state", "proposed", m.State)
}

// approvable wants two profiles that can be merged, and who proposed it to be an officer still who may. Whose profile was closed
// since is not.
func (a *act) approvable(ctx context.Context, m store.Merge) error {
	if err := a.mergeable(ctx, m.Duplicate, m.Kept); err != nil {
		return err
	}
	for _, id := range []string{m.Duplicate, m.Kept} {
		s, err := a.read(ctx, id)
		if err != nil {
			return err
		}
		of, err := a.subject(ctx, s, "")
		if err != nil {
			return err
		}
		if err := position.StillMay(ctx, a.Tx, a.Rules, m.ProposedBy, authority.MergePeople, of, a.Now); err != nil {
			return err
		}
	}
	return nil
}

// merge does what was approved.
func (a *act) merge(ctx context.Context, r *Registrar, m store.Merge, reason, seen string) error {
	officer, err := makesOfficer(ctx, a.Tx, a.Rules, m, a.Now)
	if err != nil {
		return err
	}
	if officer {
		if err := position.NoteBound(ctx, a.Deed, m.Kept, seen); err != nil {
			return err
		}
	}
	if err := a.close(ctx, m.Duplicate, Duplicate); err != nil {
		return err
	}
	if err := a.end(ctx, m.Duplicate, "profile merged into "+m.Kept, false); err != nil {
		return err
	}
	withdrawn, err := r.Evidence.WithdrawAllIn(ctx, a.Tx, a.Entry.Actor, m.Duplicate, evidence.Superseded, a.Now)
	if err != nil {
		return fmt.Errorf("withdraw evidence of person %s: %w", m.Duplicate, err)
	}
	if err := a.MergePerson(ctx, m.Duplicate, m.Kept); err != nil {
		return fmt.Errorf("merge person %s into %s: %w", m.Duplicate, m.Kept, err)
	}
	if err := a.SpendLinks(ctx, m.Kept, a.Now); err != nil { // they were made for who had less: see package position
		return fmt.Errorf("spend enrolment links of person %s: %w", m.Kept, err)
	}
	a.Note(map[string]string{"withdrawn_evidence": strconv.Itoa(len(withdrawn.Evidence))})
	return errors.Join(
		a.tellMerged(ctx, m),
		a.change(ctx, m.Duplicate, "merged", "", reason, map[string]string{}, map[string]string{"into": m.Kept}),
		a.change(ctx, m.Kept, "merged", "", reason, map[string]string{}, map[string]string{"from": m.Duplicate}),
	)
}

// tellMerged tells a person that two profiles of hers are one: at the address of each, because nobody may read mail at one of them
// any more, and the two may be of two people after all.
func (a *act) tellMerged(ctx context.Context, m store.Merge) error {
	duplicate, err1 := a.Person(ctx, m.Duplicate, a.Now)
	kept, err2 := a.Person(ctx, m.Kept, a.Now)
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("read profiles that were merged: %w", err)
	}
	if !strings.EqualFold(duplicate.Person.Email, kept.Person.Email) {
		if err := a.tell(ctx, m.Duplicate, messenger.ProfileMerged{}); err != nil {
			return err
		}
	}
	return a.tell(ctx, m.Kept, messenger.ProfileMerged{})
}
