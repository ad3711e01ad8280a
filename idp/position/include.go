package position

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

const (
	// mostIncludes is how many positions one includes itself.
	mostIncludes = 20
	// mostDeep is how many positions may follow one another, each included by the one before.
	mostDeep = 5
	// mostIncluded bounds what is read of positions that one includes, and that those include in turn.
	mostIncluded = 200
)

// Effect is what a version of a position gives: what it says, and the areas of work, activities and workgroups of the
// positions that it includes, as they are now. The job role is its own.
type Effect struct {
	store.PositionVersion // with the codes of all

	Included  []store.IncludedPosition // those that these include in turn as well, nearest first
	ChangedAt time.Time                // when the last of them was put in force; zero where there is none
}

// EffectOf reads what a version of a position gives now, or would give. More than a role can have is refused.
func EffectOf(ctx context.Context, records interface {
	IncludedPositions(ctx context.Context, ids []string, depth, limit int) ([]store.IncludedPosition, error)
}, v store.PositionVersion,
) (Effect, error) {
	e := Effect{PositionVersion: v}
	if len(v.Includes) == 0 {
		return e, nil
	}
	included, err := records.IncludedPositions(ctx, v.Includes, mostDeep+1, mostIncluded)
	if err != nil {
		return e, fmt.Errorf("read what position %s includes: %w", v.PositionID, err)
	}
	e.Included = included
	e.AreasOfWork, e.Activities, e.Workgroups = slices.Clone(v.AreasOfWork), slices.Clone(v.Activities), slices.Clone(v.Workgroups)
	for _, i := range included {
		if i.ApprovedAt.After(e.ChangedAt) {
			e.ChangedAt = *i.ApprovedAt
		}
		if !i.Closes {
			e.AreasOfWork, e.Activities, e.Workgroups = union(e.AreasOfWork, i.AreasOfWork), union(e.Activities, i.Activities), union(e.Workgroups, i.Workgroups)
		}
	}
	if len(included) >= mostIncluded || len(e.AreasOfWork) > 50 || len(e.Activities) > 200 || len(e.Workgroups) > 50 {
		return e, Refusal(IncludesTooMuch)
	}
	return e, nil
}

func union(codes, more []string) []string {
	for _, code := range more {
		if !slices.Contains(codes, code) {
			codes = append(codes, code)
		}
	}
	return codes
}

// makes is which officers it makes whoever gets it.
func (a *act) makes(v store.PositionVersion) []authority.Actor {
	return a.Rules.ActorsOf(v.JobRole, v.Activities)
}

// mayInclude wants what a version of a position includes to be in force at its organisation or above it, not to lead back to
// the position and not to go deeper than positions do, and all of it together to be what somebody may have and the officer may
// give.
func (a *act) mayInclude(ctx context.Context, what authority.Act, organisation string, v store.PositionVersion) error {
	e, err := EffectOf(ctx, a.Tx, v)
	if err != nil {
		return err
	}
	if err := cmp.Or(a.listed(e.PositionVersion), a.apart(e.PositionVersion)); err != nil {
		return err
	}
	if len(v.Includes) == 0 {
		return nil
	}
	path, err := a.OrganisationPath(ctx, organisation)
	if err != nil {
		return fmt.Errorf("read organisations above %q: %w", organisation, err)
	}
	for _, id := range v.Includes {
		i := slices.IndexFunc(e.Included, func(p store.IncludedPosition) bool { return p.PositionID == id })
		if i < 0 || e.Included[i].Closes || !slices.Contains(path, e.Included[i].OrganisationCode) {
			return Refusal(NotIncludable).With(id)
		}
	}
	deep := 0
	for _, i := range e.Included {
		if i.PositionID == v.PositionID {
			return Refusal(IncludesItself)
		}
		deep = max(deep, i.Depth)
	}
	above, err := a.IncludedDepth(ctx, v.PositionID, mostDeep)
	if err != nil {
		return fmt.Errorf("read what includes position %s: %w", v.PositionID, err)
	}
	if above+deep > mostDeep {
		return Refusal(IncludesTooDeep)
	}
	makes := a.makes(e.PositionVersion)
	if v.Assignable && len(makes) > 0 {
		return notAssignable()
	}
	return a.mustFully(ctx, what, organisation, "", makes...)
}

// listed wants a position to give nothing that is not in the catalogue any more.
func (a *act) listed(v store.PositionVersion) error {
	access := directory.NewRole{JobRole: v.JobRole, AreasOfWork: v.AreasOfWork, Activities: v.Activities}
	if err := access.CheckAccess(a.catalogue); err != nil {
		return Refusal(CodeRetired).With(strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return nil
}

// apart wants nothing in a position that nobody holds together.
func (a *act) apart(v store.PositionVersion) error {
	return separated(a.Rules, []authority.Held{{JobRole: v.JobRole, Activities: v.Activities}})
}

// separated refuses duties that nobody holds together, saying why nobody does.
func separated(rules *authority.Rules, duties []authority.Held) error {
	if why := because(rules.Conflicts(duties)); why != "" {
		return Refusal(SeparationOfDuties).With(why)
	}
	return nil
}

// because says why nobody holds some duties together, or "".
func because(conflicts []authority.Conflict) string {
	reasons := make([]string, len(conflicts))
	for i, c := range conflicts {
		reasons[i] = fmt.Sprintf("%s and %s: %s", c.One, c.Other, c.Reason)
	}
	return strings.Join(reasons, "; ")
}

// notAssignable is that what makes an officer takes two people, always.
func notAssignable() error {
	return &directory.InvalidError{Field: "assignable", Want: "a position that makes nobody an officer, because a second one has to decide about that"}
}
