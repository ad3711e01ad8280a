package position_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// base is a position that others include, with one activity.
func (d *desk) base(activity string, includes ...string) string {
	d.t.Helper()
	return d.position(func(p *position.Draft) {
		*p = position.Draft{Name: "Base " + activity, JobRole: support, Activities: []string{activity}, Includes: includes, Reason: "Base"}
	})
}

// revise puts another version of a position in force.
func (d *desk) revise(id string, seen int, change func(*position.Draft)) {
	d.t.Helper()
	row, err := d.Store.Position(d.t.Context(), id)
	must(d.t, err)
	p, err := position.DraftOf(d.t.Context(), d.Store, row.PositionVersion)
	must(d.t, err)
	p.Reason = "Changed"
	change(&p)
	version, err := d.Revise(d.t.Context(), d.otherManager, id, seen, p)
	must(d.t, err)
	_, err = d.Approve(d.t.Context(), d.manager, id, version)
	must(d.t, err)
}

// Whoever gets a position gets what it includes as well, in its own job role; and what is included counts as it is when it is
// given.
func TestIncludedPositions(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	deep := d.base("B0420")
	wards := d.position(func(p *position.Draft) {
		*p = position.Draft{
			Name: "All wards", JobRole: support, Activities: []string{"B0360"}, AreasOfWork: []string{"P0010:Q0050:T0210"},
			Workgroups: []store.Workgroup{{ID: "655694018105", Name: "Ward 5"}}, Includes: []string{deep}, Reason: "Base",
		}
	})
	id := d.position(func(p *position.Draft) { p.Includes = []string{wards} })
	give := func(person string) store.Role {
		t.Helper()
		a, err := d.Ask(ctx, d.sponsor, asked(person, id))
		must(t, err)
		_, err = d.Decide(ctx, d.agent, a.Request, position.Approve, "Yes", "")
		must(t, err)
		p, err := d.Store.Person(ctx, person, d.clock())
		must(t, err)
		return p.Person.Roles[0]
	}
	got := give(d.nurse)
	got.ID, got.MembershipID = "", ""
	want := store.Role{
		OrganisationCode: hospital, OrganisationName: "Hospital", JobRole: practitioner, Activities: []string{"B0360", "B0401", "B0420"},
		AreasOfWork: []string{"P0020:Q0300:T0640", "P0010:Q0050:T0210"}, Workgroups: []store.Workgroup{{ID: "655694018104", Name: "Ward 4"}, {ID: "655694018105", Name: "Ward 5"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the position gives (-want +got):\n%s", diff)
	}

	late := d.person()
	request := d.ask(asked(late, id))
	d.wait(time.Minute)
	d.revise(deep, 1, func(p *position.Draft) { p.Activities = []string{"B0145"} })
	_, err := d.Decide(ctx, d.agent, request, position.Approve, "Yes", "")
	refused(t, "Decide(what includes something that has changed since)", err, deed.ChangedSince)
	_, err = d.Decide(ctx, d.agent, request, position.Refuse, "Ask again", "")
	must(t, err)
	if got := give(late).Activities; !slices.Equal(got, []string{"B0360", "B0401", "B0145"}) {
		t.Errorf("what it gives after a change below it = %v", got)
	}
	if got := d.roles(d.nurse)[0].Activities; !slices.Contains(got, "B0420") {
		t.Errorf("what a holder has after a change below it = %v, want what she was given", got)
	}

	version, err := d.Close(ctx, d.otherManager, deep, 2, "It goes")
	must(t, err)
	_, err = d.Approve(ctx, d.manager, deep, version)
	must(t, err)
	if got := give(d.person()).Activities; slices.Contains(got, "B0145") {
		t.Errorf("what it gives after one of them was closed = %v, want nothing of that", got)
	}
	includers, err := d.Store.Includers(ctx, wards, 10)
	must(t, err)
	if diff := cmp.Diff([]store.PositionName{{ID: id, OrganisationCode: hospital, Name: "Ward nurse"}}, includers); diff != "" {
		t.Errorf("Includers() (-want +got):\n%s", diff)
	}
}

// What a position includes is looked at when it is proposed and when it is approved.
func TestWhatAPositionIncludes(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	base := d.base("B0360")
	propose := func(by deed.Acting, organisation string, change func(*position.Draft)) (string, error) {
		p := draft()
		p.Includes = []string{base}
		change(&p)
		return d.Propose(ctx, by, organisation, p)
	}
	none := func(*position.Draft) {}
	_, err := propose(d.elsewhere, surgery, none)
	refused(t, "Propose(with one of another organisation)", err, position.NotIncludable)
	proposed, err := d.Propose(ctx, d.agent, hospital, draft())
	must(t, err)
	_, err = propose(d.agent, hospital, func(p *position.Draft) { p.Includes = []string{proposed} })
	refused(t, "Propose(with one that nobody approved)", err, position.NotIncludable)
	for name, change := range map[string]func(*position.Draft){
		"twice": func(p *position.Draft) { p.Includes = []string{base, base} },
		"no id": func(p *position.Draft) { p.Includes = []string{"x"} },
		"too many": func(p *position.Draft) {
			p.Includes = nil
			for n := range 21 {
				p.Includes = append(p.Includes, fmt.Sprintf("%012d", n))
			}
		},
	} {
		if _, err := propose(d.agent, hospital, change); !isInvalid(err, "include") {
			t.Errorf("Propose(%s) = %v, want a mistake of include", name, err)
		}
	}
	manages := d.base("B1300")
	_, err = propose(d.agent, hospital, func(p *position.Draft) { p.Includes, p.Assignable = []string{manages}, true })
	if !isInvalid(err, "assignable") {
		t.Errorf("Propose(assignable, and makes a sponsor) = %v, want a mistake of assignable", err)
	}
	_, err = propose(d.manager, hospital, func(p *position.Draft) { p.JobRole, p.Activities, p.Includes = privacy, nil, []string{manages} })
	refused(t, "Propose(what nobody holds together)", err, position.SeparationOfDuties)
	// The board's position makes managers by an activity that only a manager gives.
	highest := d.position(func(p *position.Draft) { p.Activities = []string{"B9001"} })
	low := d.officer(hospital, "S0080:G0450:R5090")
	_, err = propose(low, hospital, func(p *position.Draft) { p.Includes = []string{highest} })
	if refusal, ok := errors.AsType[*deed.Refusal](err); !ok || refusal.Reason != deed.AboveOwn && refusal.Reason != deed.NoRight {
		t.Errorf("Propose(officers above her, by what is included) = %v, want it refused", err)
	}

	ok, err := propose(d.agent, hospital, none) // the twin
	must(t, err)
	version, err := d.Close(ctx, d.otherManager, base, 1, "It goes")
	must(t, err)
	_, err = d.Approve(ctx, d.manager, base, version)
	must(t, err)
	_, err = d.Approve(ctx, d.manager, ok, 1)
	refused(t, "Approve(with one that is closed by now)", err, position.NotIncludable)
}

// No position includes itself, by however many others, and no more than five include one another in a row.
func TestInclusionsEnd(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	chain := []string{d.base("B0360")}
	for range 5 {
		chain = append(chain, d.base("B0360", chain[len(chain)-1]))
	}
	p := draft()
	p.Includes = []string{chain[5]}
	_, err := d.Propose(ctx, d.agent, hospital, p)
	refused(t, "Propose(with one that five follow)", err, position.IncludesTooDeep)
	p.Includes = []string{chain[4]}
	_, err = d.Propose(ctx, d.agent, hospital, p)
	must(t, err)
	p.Includes = []string{chain[1]}
	_, err = d.Revise(ctx, d.agent, chain[0], 1, p)
	refused(t, "Revise(to include what includes it)", err, position.IncludesItself)
	p.Includes = []string{d.base("B0360")}
	_, err = d.Revise(ctx, d.agent, chain[0], 1, p)
	refused(t, "Revise(to include another, where five lead to it)", err, position.IncludesTooDeep)
}

// Of two approvals at once that would make positions include each other one is refused.
func TestRaceToIncludeEachOther(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ids := []string{d.base("B0360"), d.base("B0401")}
	for i, id := range ids {
		p := draft()
		p.Includes = []string{ids[1-i]}
		_, err := d.Revise(ctx, d.agent, id, 1, p)
		must(t, err)
	}
	won, reasons := race(t, func(i int) error {
		_, err := d.Approve(ctx, d.manager, ids[i%2], 2)
		return err
	})
	slices.Sort(reasons)
	if won != 1 || !slices.Equal(reasons, []deed.Reason{position.ApprovedAlready, position.IncludesItself}) {
		t.Errorf("approvals = %d, refusals %v, want one", won, reasons)
	}
}

func isInvalid(err error, field string) bool {
	invalid, ok := errors.AsType[*directory.InvalidError](err)
	return ok && invalid.Field == field
}
