package position

import (
	"context"
	"fmt"
	"slices"

	"github.com/credence-id/credence/store"
)

// DraftOf is a version of a position as a draft to go on from.
func DraftOf(ctx context.Context, records interface {
	Workgroups(ctx context.Context, ids []string) ([]store.Workgroup, error)
}, v store.PositionVersion,
) (Draft, error) {
	known, err := records.Workgroups(ctx, v.Workgroups)
	if err != nil {
		return Draft{}, fmt.Errorf("read workgroups: %w", err)
	}
	for i, id := range v.Workgroups {
		recorded := slices.ContainsFunc(known, func(w store.Workgroup) bool { return w.ID == id })
		if !recorded && i < len(v.WorkgroupNames) {
			known = append(known, store.Workgroup{ID: id, Name: v.WorkgroupNames[i]})
		}
	}
	return Draft{
		Name: v.Name, Notes: v.Notes, JobRole: v.JobRole, AreasOfWork: v.AreasOfWork, Activities: v.Activities, Workgroups: known, Includes: v.Includes,
		Assignable: v.Assignable,
	}, nil
}

// sameNames wants workgroups to have the names that are on record, of those that are.
func (a *act) sameNames(ctx context.Context, ids, names []string) error {
	known, err := a.Workgroups(ctx, ids)
	if err != nil {
		return fmt.Errorf("read workgroups: %w", err)
	}
	for _, w := range known {
		i := slices.Index(ids, w.ID)
		if i < len(names) && names[i] != w.Name {
			return Refusal(WorkgroupNamed).With(fmt.Sprintf("%s is called %q, and not %q", w.ID, w.Name, names[i]))
		}
	}
	return nil
}

// takeWorkgroups puts the workgroups of a version on record, by the names that were proposed.
func (a *act) takeWorkgroups(ctx context.Context, v store.PositionVersion) error {
	for i, name := range v.WorkgroupNames {
		if err := a.AddWorkgroup(ctx, store.Workgroup{ID: v.Workgroups[i], Name: name}); err != nil {
			return fmt.Errorf("add workgroup %s: %w", v.Workgroups[i], err)
		}
	}
	return a.sameNames(ctx, v.Workgroups, v.WorkgroupNames)
}
