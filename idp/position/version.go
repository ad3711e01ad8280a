package position

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/store"
)

// Draft is what a position is to be.
type Draft struct {
	Name        string
	Notes       string
	JobRole     string   // S:G:R code
	AreasOfWork []string // P:Q:T codes
	Activities  []string // B codes
	Workgroups  []store.Workgroup
	Includes    []string // ids of positions whose areas of work, activities and workgroups it gives as well
	Assignable  bool     // a sponsor gives it without a second officer
	Reason      string   // for the record
}

// check wants codes of the catalogue. What makes an officer takes two people, always.
func (r *Registrar) check(d Draft) error {
	access := directory.NewRole{JobRole: d.JobRole, AreasOfWork: d.AreasOfWork, Activities: d.Activities, Workgroups: d.Workgroups}
	errs := []error{
		directory.CheckText("name", d.Name, 1, 100),
		directory.CheckText("notes", d.Notes, 0, 1000),
		directory.CheckText("reason", d.Reason, 1, 500),
		access.CheckAccess(r.Catalogue),
		checkIncludes(d.Includes),
	}
	if d.Assignable && len(r.Rules.ActorsOf(d.JobRole, d.Activities)) > 0 {
		errs = append(errs, notAssignable())
	}
	return errors.Join(errs...)
}

func checkIncludes(ids []string) error {
	if len(ids) > mostIncludes {
		return &directory.InvalidError{Field: "include", Want: fmt.Sprintf("at most %d positions", mostIncludes)}
	}
	for i, id := range ids {
		if !directory.IsID(id) || slices.Contains(ids[:i], id) {
			return &directory.InvalidError{Field: "include", Want: "the 12 digits of each position, once"}
		}
	}
	return nil
}

// Propose drafts a position of an organisation and returns its id. It gives nobody anything until another officer has
// approved it.
func (r *Registrar) Propose(ctx context.Context, by deed.Acting, organisation string, d Draft) (id string, err error) {
	if err := errors.Join(by.Check(), r.check(d)); err != nil {
		return "", err
	}
	err = r.act(ctx, by, audit.PositionProposed, func(a *act) error {
		if err := a.mustFully(ctx, authority.ManagePositions, organisation, "", a.Rules.ActorsOf(d.JobRole, d.Activities)...); err != nil {
			return err
		}
		id = directory.NewID()
		if err := a.AddPosition(ctx, id, organisation, a.Now); err != nil {
			return fmt.Errorf("add position %s: %w", id, err)
		}
		return a.propose(ctx, organisation, id, 1, d, store.PositionVersion{})
	})
	return id, err
}

// propose adds a version that follows from a draft, after one that was before.
func (a *act) propose(ctx context.Context, organisation, id string, version int, d Draft, before store.PositionVersion) error {
	v := store.PositionVersion{
		PositionID: id, Version: version, Name: d.Name, Notes: d.Notes, JobRole: d.JobRole, AreasOfWork: d.AreasOfWork, Activities: d.Activities,
		Includes: d.Includes, Assignable: d.Assignable, Reason: d.Reason, MadeBy: a.By.Person, MadeRole: a.By.Role, MadeAt: a.Now,
	}
	for _, w := range d.Workgroups {
		v.Workgroups, v.WorkgroupNames = append(v.Workgroups, w.ID), append(v.WorkgroupNames, w.Name)
	}
	a.noteVersion(v, before)
	if err := a.sameNames(ctx, v.Workgroups, v.WorkgroupNames); err != nil {
		return err
	}
	if err := a.mayInclude(ctx, authority.ManagePositions, organisation, v); err != nil {
		return err
	}
	if err := a.AddPositionVersion(ctx, v); err != nil {
		return fmt.Errorf("add version %d of position %s: %w", version, id, err)
	}
	return nil
}

func (a *act) noteVersion(v, before store.PositionVersion) {
	values := map[string]string{"position": v.PositionID, "version": strconv.Itoa(v.Version), "reason": v.Reason}
	if v.Closes {
		values["closes"] = "true"
	}
	for _, c := range changes(before, v) {
		values["old_"+c.Field], values["new_"+c.Field] = deed.Clip(c.From), c.To
	}
	a.Note(values)
}

// changes lists what differs between two versions.
func changes(from, to store.PositionVersion) (list []deed.Change) {
	sorted := func(codes []string) string { return strings.Join(slices.Sorted(slices.Values(codes)), " ") }
	for _, v := range [][3]string{
		{"name", from.Name, to.Name},
		{"notes", from.Notes, to.Notes},
		{"job_role", from.JobRole, to.JobRole},
		{"areas_of_work", sorted(from.AreasOfWork), sorted(to.AreasOfWork)},
		{"activities", sorted(from.Activities), sorted(to.Activities)},
		{"workgroups", sorted(from.Workgroups), sorted(to.Workgroups)},
		{"workgroup_names", strings.Join(from.WorkgroupNames, ", "), strings.Join(to.WorkgroupNames, ", ")},
		{"includes", sorted(from.Includes), sorted(to.Includes)},
		{"assignable", strconv.FormatBool(from.Assignable), strconv.FormatBool(to.Assignable)},
		{"closes", strconv.FormatBool(from.Closes), strconv.FormatBool(to.Closes)},
	} {
		if v[1] != v[2] {
			list = append(list, deed.Change{Field: v[0], From: v[1], To: v[2]})
		}
	}
	return list
}

// Revise proposes what a position is to be instead, after the version that the officer saw, and returns the version's
// number. It changes nothing until another officer has approved it, and takes the place of what was proposed before.
func (r *Registrar) Revise(ctx context.Context, by deed.Acting, id string, seen int, d Draft) (version int, err error) {
	if err := errors.Join(by.Check(), directory.CheckID("position", id), r.check(d)); err != nil {
		return 0, err
	}
	err = r.act(ctx, by, audit.PositionProposed, func(a *act) error {
		newest, err := a.manage(ctx, authority.ManagePositions, id, seen, a.Rules.ActorsOf(d.JobRole, d.Activities)...)
		if err != nil {
			return err
		}
		version = newest.Version + 1
		return a.propose(ctx, newest.OrganisationCode, id, version, d, newest.PositionVersion)
	})
	return version, err
}

// Close proposes that a position end, with all that it gives, and returns the number of the version that says so. It
// ends nothing until another officer has approved it. [store.Store.Holders] lists who would lose what.
func (r *Registrar) Close(ctx context.Context, by deed.Acting, id string, seen int, reason string) (version int, err error) {
	if err := errors.Join(by.Check(), directory.CheckID("position", id), directory.CheckText("reason", reason, 1, 500)); err != nil {
		return 0, err
	}
	err = r.act(ctx, by, audit.PositionProposed, func(a *act) error {
		newest, err := a.manage(ctx, authority.ManagePositions, id, seen)
		if err != nil {
			return err
		}
		v := newest.PositionVersion
		v.Version, v.Closes, v.Reason, v.MadeBy, v.MadeRole, v.MadeAt = newest.Version+1, true, reason, by.Person, by.Role, a.Now
		version = v.Version
		a.noteVersion(v, newest.PositionVersion)
		if err := a.AddPositionVersion(ctx, v); err != nil {
			return fmt.Errorf("add version %d of position %s: %w", version, id, err)
		}
		return nil
	})
	return version, err
}

// manage locks a position for an officer who manages it, and reads its newest version, which has to be the one that she
// saw. It may make nobody an officer above her, by what it is nor by what it is to be.
func (a *act) manage(ctx context.Context, what authority.Act, id string, seen int, makes ...authority.Actor) (store.PositionRow, error) {
	a.Note(map[string]string{"position": id})
	p, err := a.LockPosition(ctx, id)
	if err != nil {
		return store.PositionRow{}, directory.Missing(err, "position", id)
	}
	herself, err := a.ifHolds(ctx, a.By.Person, id)
	if err != nil {
		return store.PositionRow{}, err
	}
	newest, err := a.Position(ctx, id)
	if err != nil {
		return store.PositionRow{}, directory.Missing(err, "position", id)
	}
	e, err := EffectOf(ctx, a.Tx, newest.PositionVersion)
	if _, refused := errors.AsType[*deed.Refusal](err); err != nil && !refused { // it can be changed, and has to be
		return store.PositionRow{}, err
	}
	makes = append(makes, a.makes(e.PositionVersion)...)
	given, err := a.GivenAccess(ctx, id, a.Now)
	if err != nil {
		return store.PositionRow{}, fmt.Errorf("read what position %s gives: %w", id, err)
	}
	for _, g := range given {
		makes = append(makes, a.Rules.ActorsOf(g.JobRole, g.Activities)...)
	}
	if err := a.mustFully(ctx, what, p.OrganisationCode, herself, makes...); err != nil {
		return store.PositionRow{}, err
	}
	if StateOf(newest) == Closed {
		return store.PositionRow{}, Refusal(PositionClosed)
	}
	if newest.Version != seen {
		before, err := a.PositionVersion(ctx, id, seen)
		if err != nil {
			return store.PositionRow{}, directory.Missing(err, "position "+id+" in version", seen)
		}
		return store.PositionRow{}, Refusal(deed.ChangedSince).With("", changes(before, newest.PositionVersion)...)
	}
	return newest, nil
}

// Approved is what came of an approval.
type Approved struct {
	Closed  bool
	Changed int // roles that follow at once; they ended, if the position was closed
	Left    int // roles that follow by and by: see RollOut
}

// Approve puts the newest version of a position in force, which another officer proposed. Neither of them holds it, or what
// includes it. The roles that it gives follow ([Registrar.RollOut]). A version that closes the position ends them, and whatever is
// asked for it lapses.
func (r *Registrar) Approve(ctx context.Context, by deed.Acting, id string, version int) (Approved, error) {
	if err := errors.Join(by.Check(), directory.CheckID("position", id)); err != nil {
		return Approved{}, err
	}
	var done Approved
	err := r.act(ctx, by, audit.PositionApproved, func(a *act) error {
		v, err := a.manage(ctx, authority.ApprovePosition, id, version)
		if err != nil {
			return err
		}
		if v.ApprovedAt != nil {
			return Refusal(ApprovedAlready).In("approved_by", "", *v.ApprovedBy)
		}
		if err := FourEyes(ctx, a.Tx, v.MadeBy, by.Person, ""); err != nil {
			return err
		}
		var before store.PositionVersion
		if v.InForce > 0 {
			if before, err = a.PositionVersion(ctx, id, v.InForce); err != nil {
				return directory.Missing(err, "position "+id+" in version", v.InForce)
			}
		}
		a.noteVersion(v.PositionVersion, before)
		if err := a.LockInclusions(ctx); err != nil {
			return fmt.Errorf("lock inclusions: %w", err)
		}
		if err := a.makerStillMay(ctx, v); err != nil {
			return err
		}
		if err := a.mayApprove(ctx, v); err != nil {
			return err
		}
		if err := a.ApprovePositionVersion(ctx, id, version, by.Person, by.Role, a.Now); err != nil {
			return fmt.Errorf("approve version %d of position %s: %w", version, id, err)
		}
		done = Approved{Closed: v.Closes}
		if v.Closes {
			a.Entry.Event = audit.PositionClosed
			if err := a.lapseAll(ctx, id); err != nil {
				return err
			}
		}
		done.Changed, done.Left, err = a.rollOutFirst(ctx, id)
		a.Note(map[string]string{"changed_roles": strconv.Itoa(done.Changed), "left_roles": strconv.Itoa(done.Left)})
		return err
	})
	return done, err
}

// makerStillMay wants who proposed a version to be an officer still who may, and not to hold the position since.
func (a *act) makerStillMay(ctx context.Context, v store.PositionRow) error {
	maker, err := a.Kept(ctx, v.MadeBy)
	if err != nil {
		return directory.Missing(err, "officer", v.MadeBy)
	}
	herself, err := a.ifHolds(ctx, maker, v.PositionID)
	if err != nil {
		return err
	}
	return a.stillMay(ctx, maker, authority.ManagePositions, v.OrganisationCode, herself)
}

// mayApprove looks again at what could be proposed, and takes what counts from now on.
func (a *act) mayApprove(ctx context.Context, v store.PositionRow) error {
	if v.Closes {
		return nil
	}
	if err := a.mayInclude(ctx, authority.ApprovePosition, v.OrganisationCode, v.PositionVersion); err != nil {
		return err
	}
	return a.takeWorkgroups(ctx, v.PositionVersion)
}

// lapseAll ends what is asked for a position.
func (a *act) lapseAll(ctx context.Context, id string) error {
	lapsed, err := a.LapseRequests(ctx, id, "", a.Now.Add(requestLife), "the position was closed", a.Now)
	if err != nil {
		return fmt.Errorf("end requests for position %s: %w", id, err)
	}
	for _, l := range lapsed {
		if err := a.recordLapse(ctx, l, id); err != nil {
			return err
		}
		if err := a.messenger.Post(ctx, a.Tx, messenger.Message{Person: l.AskedBy, Letter: messenger.RequestCancelled{Request: l.ID}}); err != nil {
			return err
		}
	}
	a.Note(map[string]string{"lapsed_requests": strconv.Itoa(len(lapsed))})
	return nil
}

func (a *act) recordLapse(ctx context.Context, l store.LapsedRequest, positionID string) error {
	e := a.Line(audit.RequestLapsed, l.PersonID)
	e.Detail["request"], e.Detail["position"] = l.ID.String(), positionID
	return audit.Record(ctx, a.Tx, e)
}

// State is what may be done with a position.
type State string

// The states.
const (
	Drafted State = "draft"    // no version of it is in force
	InForce State = "approved" // it can be asked for, in the version that is in force
	Closed  State = "closed"   // for good
)

// StateOf says what may be done with a position.
func StateOf(p store.PositionRow) State {
	switch {
	case p.InForce == 0:
		return Drafted
	case p.InForce == p.Version && p.Closes:
		return Closed
	default:
		return InForce
	}
}
