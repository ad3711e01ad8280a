package position

import (
	"context"
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
	"github.com/credence-id/credence/idp/poll"
	"github.com/credence-id/credence/store"
)

const (
	// rollOutEvery is how often a replica looks for what is to be rolled out.
	rollOutEvery = time.Second
	// rollOutBatch is how many roles one transaction changes, the one that approves included.
	rollOutBatch = 250
	// rollOutDeadline is how long one transaction may take.
	rollOutDeadline = 20 * time.Second
	// rollOutsListed is how many positions are read at a time.
	rollOutsListed = 100
)

// RunRollouts brings what was approved of positions to who holds them, until the context ends.
func (r *Registrar) RunRollouts(ctx context.Context) error {
	return poll.Repeat(ctx, rollOutEvery, r.Log, "positions could not be rolled out", r.RollOut)
}

// RollOut brings what was approved of positions to who holds them, and to who holds what includes them, in batches, until
// everybody has it: each position in turn, so that one that many hold keeps no other waiting. Any number of replicas do so side
// by side, and whatever stops one of them, the next goes on where it was. What cannot be rolled out keeps nothing else from it.
func (r *Registrar) RollOut(ctx context.Context) error {
	for {
		moved, failed := false, error(nil)
		for after, more := "", true; more; {
			ids, err := r.Store.Rollouts(ctx, after, rollOutsListed)
			if err != nil {
				return fmt.Errorf("list positions to roll out: %w", err)
			}
			for _, id := range ids {
				err := r.rollOutNext(ctx, id)
				moved = moved || err == nil
				if err != nil && !errors.Is(err, store.ErrNotFound) { // another replica is at it, or was
					failed = errors.Join(failed, fmt.Errorf("roll out position %s: %w", id, err))
				}
				after = id
			}
			more = len(ids) == rollOutsListed
		}
		if !moved {
			return failed
		}
	}
}

// rollOutNext brings the next roles of a position in line, in the name of the officer who approved what they follow.
func (r *Registrar) rollOutNext(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, rollOutDeadline)
	defer cancel()
	return r.Store.InTx(ctx, func(tx *store.Tx) error {
		w, err := tx.LockRollout(ctx, id)
		if err != nil {
			return err
		}
		a := r.begin(deed.Acting{Person: w.ApprovedBy, Role: w.ApprovedRole, Operator: "rollout"}, "")
		a.Tx = tx
		_, err = a.rollOut(ctx, w)
		return err
	})
}

// rollOutFirst brings the first roles of a position in line that was just approved, in the same transaction, and says how many
// of them changed and how many are left.
func (a *act) rollOutFirst(ctx context.Context, id string) (changed, left int, err error) {
	w, err := a.LockRollout(ctx, id)
	if errors.Is(err, store.ErrNotFound) { // it is the first version, which nobody holds
		return 0, 0, nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("read what of position %s is to be rolled out: %w", id, err)
	}
	if changed, err = a.rollOut(ctx, w); err != nil {
		return 0, 0, err
	}
	if left, err = a.CountBehind(ctx, id, a.Now); err != nil {
		return 0, 0, fmt.Errorf("count who holds position %s and does not follow it yet: %w", id, err)
	}
	return changed, left, nil
}

// rollOut brings the next roles of a position in line with what it gives now, and says how many of them changed.
func (a *act) rollOut(ctx context.Context, w store.Rollout) (changed int, err error) {
	v, err := a.PositionVersion(ctx, w.PositionID, w.InForce)
	if err != nil {
		return 0, directory.Missing(err, "position "+w.PositionID+" in version", w.InForce)
	}
	e, err := EffectOf(ctx, a.Tx, v)
	tooMuch, refused := errors.AsType[*deed.Refusal](err)
	if err != nil && !refused {
		return 0, err
	}
	next, err := a.RoleHolders(ctx, []string{w.PositionID}, w.AfterRole, rollOutBatch, a.Now)
	if err != nil {
		return 0, fmt.Errorf("list who holds position %s: %w", w.PositionID, err)
	}
	officers := len(a.makes(e.PositionVersion)) > 0
	people := make([]string, len(next))
	for i, h := range next {
		people[i] = h.PersonID
	}
	held, err := a.lockHolders(ctx, people, officers)
	if err != nil {
		return 0, err
	}
	unseen, err := unseenOf(ctx, a.Tx, officers, people)
	if err != nil {
		return 0, err
	}
	var same []string // roles that get all of it
	var ended []store.HeldRole
	for _, n := range next {
		i := slices.IndexFunc(held[n.PersonID], func(h store.HeldRole) bool { return h.ID == n.RoleID })
		if i < 0 { // it has ended since, or a merge has given it to somebody else
			return 0, fmt.Errorf("role %s of person %s has changed meanwhile: %w", n.RoleID, n.PersonID, store.ErrConflict)
		}
		h := held[n.PersonID][i]
		o := outcome{ends: v.Closes}
		if !v.Closes {
			o = follow(a.Rules, h, held[n.PersonID], accessOf(e.PositionVersion), tooMuch, slices.Contains(unseen, n.PersonID))
		}
		if !o.ends && o.withheld == "" {
			same = append(same, h.ID)
		}
		did, err := a.carryOut(ctx, w, h, o)
		if err != nil {
			return 0, err
		}
		if o.ends {
			ended = append(ended, h)
		}
		if did {
			changed++
		}
	}
	if len(same) > 0 {
		if err := a.ChangeRoles(ctx, same, w.InForce, accessOf(e.PositionVersion), ""); err != nil {
			return 0, fmt.Errorf("change roles of position %s: %w", w.PositionID, err)
		}
	}
	if err := a.tellEnded(ctx, v, ended); err != nil {
		return 0, err
	}
	if len(next) < rollOutBatch {
		return changed, a.EndRollout(ctx, w.PositionID)
	}
	return changed, a.AdvanceRollout(ctx, w.PositionID, next[len(next)-1].RoleID)
}

// tellEnded tells people whose roles of a position have ended with it.
func (a *act) tellEnded(ctx context.Context, v store.PositionVersion, ended []store.HeldRole) error {
	if len(ended) == 0 {
		return nil
	}
	p, err := a.Position(ctx, v.PositionID)
	if err != nil {
		return directory.Missing(err, "position", v.PositionID)
	}
	organisation, err := a.OrganisationName(ctx, p.OrganisationCode)
	if err != nil {
		return directory.Missing(err, "organisation", p.OrganisationCode)
	}
	for _, h := range ended {
		letter := messenger.PositionEnded{Position: v.Name, Organisation: organisation, EndsAt: later(h.StartsAt, a.Now)}
		if err := a.messenger.Post(ctx, a.Tx, messenger.Message{Person: h.PersonID, Letter: letter}); err != nil {
			return err
		}
	}
	return nil
}

// lockHolders locks people who hold a position, and reads all that each of them holds. Of whom it makes officers it also locks
// what they sign in with.
func (a *act) lockHolders(ctx context.Context, people []string, officers bool) (map[string][]store.HeldRole, error) {
	if officers {
		if err := a.LockAccess(ctx, people...); err != nil {
			return nil, fmt.Errorf("lock what people sign in with: %w", err)
		}
	}
	if _, err := a.LockIdentities(ctx, people...); err != nil {
		return nil, fmt.Errorf("lock people: %w", err)
	}
	return heldBy(ctx, a.Tx, people, a.Now)
}

// unseenOf lists those of some people who hold it who would become officers by what their position gives, if that makes any, though others had to do
// with what they sign in with: whoever approves a version looks at a position, and not at each of them.
func unseenOf(ctx context.Context, records interface {
	BoundByOthers(ctx context.Context, personIDs []string) ([]string, error)
}, officers bool, people []string,
) ([]string, error) {
	if !officers {
		return nil, nil
	}
	unseen, err := records.BoundByOthers(ctx, people)
	if err != nil {
		return nil, fmt.Errorf("list for whom others bound something: %w", err)
	}
	return unseen, nil
}

// heldBy reads what people hold, each by her id.
func heldBy(ctx context.Context, records interface {
	HeldRolesOf(ctx context.Context, personIDs []string, limit int, now time.Time) ([]store.HeldRole, error)
}, people []string, now time.Time,
) (map[string][]store.HeldRole, error) {
	roles, err := records.HeldRolesOf(ctx, people, deed.MostHeld*max(len(people), 1), now)
	if err != nil {
		return nil, fmt.Errorf("read roles of people: %w", err)
	}
	held := make(map[string][]store.HeldRole, len(people))
	for _, h := range roles {
		held[h.PersonID] = append(held[h.PersonID], h)
	}
	return held, nil
}

// carryOut records what becomes of a role, if that is something else than it was, and does it unless the role gets all that the
// position gives, as most do: those are changed together.
func (a *act) carryOut(ctx context.Context, w store.Rollout, h store.HeldRole, o outcome) (changed bool, err error) {
	before := store.PositionVersion{JobRole: h.JobRole, AreasOfWork: h.AreasOfWork, Activities: h.Activities, Workgroups: h.Workgroups}
	after := store.PositionVersion{JobRole: o.JobRole, AreasOfWork: o.AreasOfWork, Activities: o.Activities, Workgroups: o.Workgroups}
	line := a.Line(audit.RoleChanged, h.PersonID)
	maps.Copy(line.Detail, map[string]string{"role": h.ID, "position": w.PositionID, "version": strconv.Itoa(w.InForce)})
	if w.OfPosition != w.PositionID {
		line.Detail["of_position"], line.Detail["of_version"] = w.OfPosition, strconv.Itoa(w.OfVersion)
	}
	if o.withheld != "" {
		line.Detail["withheld"] = o.withheld
	}
	if o.ends {
		line.Event, line.Detail["ends_at"], line.Detail["ends_at_before"] = audit.RoleEnded, moment(new(later(h.StartsAt, a.Now))), moment(h.EndsAt)
		return true, errors.Join(a.EndHeldRoles(ctx, []string{h.ID}, o.withheld, a.Now), audit.Record(ctx, a.Tx, line))
	}
	if o.withheld != "" {
		if err := a.ChangeRoles(ctx, []string{h.ID}, w.InForce, o.Access, o.withheld); err != nil {
			return false, fmt.Errorf("change role %s: %w", h.ID, err)
		}
	}
	if higher(a.Rules, h.Access, o.Access) {
		if err := a.SpendLinks(ctx, h.PersonID, a.Now); err != nil { // as when she is given it: see grant
			return false, fmt.Errorf("spend enrolment links of person %s: %w", h.PersonID, err)
		}
	}
	differ := changes(before, after)
	if len(differ) == 0 && o.withheld == h.Withheld {
		return false, nil
	}
	for _, c := range differ {
		line.Detail["old_"+c.Field], line.Detail["new_"+c.Field] = c.From, c.To
	}
	return true, audit.Record(ctx, a.Tx, line)
}

// outcome is what becomes of a role when its position gives something else.
type outcome struct {
	store.Access

	withheld string // why it gives less than the position, or ends; "" otherwise
	ends     bool
}

// follow is what a role comes to when its position gives something else: that, or, where nobody holds what is added together with
// what the person holds otherwise, what is left of what the role gave. If nobody holds even the job role together with that, the
// role ends. Held is all that she holds. TooMuch is why the position gives nobody anything more, or nil. Unseen says that others had to do with
// what she signs in with, so that nothing makes her an officer, or a higher one, before somebody has asked for it for her, and another has seen
// that and decided ([Registrar.Decide]).
func follow(rules *authority.Rules, h store.HeldRole, held []store.HeldRole, wanted store.Access, tooMuch *deed.Refusal, unseen bool) outcome {
	duties := []authority.Held{{}}
	for _, other := range held {
		if other.PositionID != h.PositionID && meets(other, h.StartsAt, h.EndsAt) { // another role of the position takes the place of this one
			duties = append(duties, authority.Held{JobRole: other.JobRole, Activities: other.Activities})
		}
	}
	conflicts := func(a store.Access) []authority.Conflict {
		duties[0] = authority.Held{JobRole: a.JobRole, Activities: a.Activities}
		return rules.Conflicts(duties)
	}
	already := conflicts(h.Access) // an operator can grant despite
	added := func(a store.Access) string {
		if unseen && higher(rules, h.Access, a) {
			return "this makes the person an officer, and others had to do with what the person signs in with: ask for the position again, so that whoever decides sees it"
		}
		return because(slices.DeleteFunc(conflicts(a), func(c authority.Conflict) bool { return slices.Contains(already, c) }))
	}
	why := added(wanted)
	if tooMuch != nil {
		why = tooMuch.Error()
	}
	if why == "" {
		return outcome{Access: wanted}
	}
	left := store.Access{
		JobRole:     wanted.JobRole,
		AreasOfWork: both(h.AreasOfWork, wanted.AreasOfWork), Activities: both(h.Activities, wanted.Activities), Workgroups: both(h.Workgroups, wanted.Workgroups),
	}
	if ends := added(left); ends != "" {
		return outcome{withheld: deed.Clip(ends), ends: true}
	}
	return outcome{Access: left, withheld: deed.Clip(why)}
}

// higher says whether somebody becomes another officer by what she is to have than she is by what she has.
func higher(rules *authority.Rules, has, gets store.Access) bool {
	made := rules.ActorsOf(has.JobRole, has.Activities)
	return slices.ContainsFunc(rules.ActorsOf(gets.JobRole, gets.Activities), func(now authority.Actor) bool { return !slices.Contains(made, now) })
}

func accessOf(v store.PositionVersion) store.Access {
	return store.Access{JobRole: v.JobRole, AreasOfWork: v.AreasOfWork, Activities: v.Activities, Workgroups: v.Workgroups}
}

// both is the codes that are in two lists.
func both(codes, others []string) []string {
	return slices.DeleteFunc(slices.Clone(codes), func(code string) bool { return !slices.Contains(others, code) })
}
