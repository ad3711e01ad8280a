package position

import (
	"context"
	"fmt"
	"slices"

	"github.com/credence-id/credence/store"
)

const (
	// MostPreviewed is how many roles one preview looks at.
	MostPreviewed = 1000
	// mostIncluders bounds the positions that include one and whose holders a preview looks at.
	mostIncluders = 200
)

// Includers lists the positions that include one, and those that include these in turn, as far as previews look at them.
func (r *Registrar) Includers(ctx context.Context, id string) ([]string, error) {
	ids, err := r.Store.IncludersInTurn(ctx, id, mostIncluders)
	if err != nil {
		return nil, fmt.Errorf("list what includes position %s in turn: %w", id, err)
	}
	return ids, nil
}

// Withheld is somebody who would not get all that a version of a position adds.
type Withheld struct {
	store.HolderRow

	Because string
	Ends    bool // she would lose the role, because she may not have its job role
}

// Preview says to whom of those who hold a position, or what includes it, it would be withheld what a version adds, of those who are
// wanted and in an order of their roles, from the one after a given one on, most of them at most: see [store.Store.Holders]. It looks
// at MostPreviewed roles and returns the one to go on from, "" when it has come to the end. It changes nothing, and decides as
// [Registrar.RollOut] will by what is so then.
func (r *Registrar) Preview(ctx context.Context, e Effect, which store.HolderFilter, order store.Order, after string, most int) (withheld []Withheld, next string, err error) {
	if e.Closes { // which adds nothing
		return nil, "", nil
	}
	ids, err := r.Includers(ctx, e.PositionID)
	if err != nil {
		return nil, "", err
	}
	now := r.Now()
	holders, err := r.Store.Holders(ctx, append(ids, e.PositionID), which, order, after, MostPreviewed, now)
	if err != nil {
		return nil, "", fmt.Errorf("list who holds position %s: %w", e.PositionID, err)
	}
	people := make([]string, len(holders))
	for i, h := range holders {
		people[i] = h.PersonID
	}
	held, err := heldBy(ctx, r.Store, people, now)
	if err != nil {
		return nil, "", err
	}
	unseen, err := unseenOf(ctx, r.Store, len(r.Rules.ActorsOf(e.JobRole, e.Activities)) > 0, people)
	if err != nil {
		return nil, "", err
	}
	for _, h := range holders {
		i := slices.IndexFunc(held[h.PersonID], func(role store.HeldRole) bool { return role.ID == h.RoleID })
		if i < 0 { // it has ended since
			continue
		}
		role, wanted := held[h.PersonID][i], accessOf(e.PositionVersion)
		if h.PositionID != e.PositionID { // what includes it gives its own as well, by its own job role
			wanted = store.Access{
				JobRole: role.JobRole, AreasOfWork: union(slices.Clone(role.AreasOfWork), e.AreasOfWork),
				Activities: union(slices.Clone(role.Activities), e.Activities), Workgroups: union(slices.Clone(role.Workgroups), e.Workgroups),
			}
		}
		if o := follow(r.Rules, role, held[h.PersonID], wanted, nil, slices.Contains(unseen, h.PersonID)); o.withheld != "" {
			withheld = append(withheld, Withheld{HolderRow: h, Because: o.withheld, Ends: o.ends})
			if len(withheld) == most {
				return withheld, h.RoleID, nil
			}
		}
	}
	if len(holders) == MostPreviewed {
		next = holders[len(holders)-1].RoleID
	}
	return withheld, next, nil
}
