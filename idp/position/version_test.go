package position_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// state is what may be done with a position.
func (d *desk) state(id string) position.State {
	d.t.Helper()
	row, err := d.Store.Position(d.t.Context(), id)
	must(d.t, err)
	return position.StateOf(row)
}

// A position gives nobody anything until a second officer has approved it, and a new version changes nothing until then.
func TestPositionIsApprovedByAnother(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id, err := d.Propose(ctx, d.agent, hospital, draft())
	must(t, err)
	if got := d.state(id); got != position.Drafted {
		t.Errorf("state of a draft = %s, want %s", got, position.Drafted)
	}
	_, err = d.Ask(ctx, d.sponsor, asked(d.nurse, id))
	refused(t, "Ask(for a draft)", err, position.NotApproved)
	_, err = d.Approve(ctx, d.agent, id, 1)
	refused(t, "Approve(by who proposed)", err, deed.OwnRequest)
	_, err = d.Approve(ctx, d.otherAgent, id, 1)
	must(t, err)
	_, err = d.Approve(ctx, d.manager, id, 1)
	refused(t, "Approve(again)", err, position.ApprovedAlready)

	wider := draft()
	wider.Activities = append(wider.Activities, "B0420")
	version, err := d.Revise(ctx, d.agent, id, 1, wider)
	must(t, err)
	a, err := d.Ask(ctx, d.sponsor, asked(d.nurse, id))
	must(t, err)
	_, err = d.Decide(ctx, d.agent, a.Request, position.Approve, "Yes", "")
	must(t, err)
	if got := d.roles(d.nurse)[0].Activities; len(got) != 2 {
		t.Errorf("activities while the wider version is not approved = %v, want those of the version in force", got)
	}
	_, err = d.Approve(ctx, d.manager, id, version)
	must(t, err)
	line := d.last("position_approved")
	if line.Detail["old_activities"] != "B0360 B0401" || line.Detail["new_activities"] != "B0360 B0401 B0420" || line.Detail["old_name"] != "" {
		t.Errorf("the record of the approval = %v, want what changed and nothing else", line.Detail)
	}
	if got := d.state(id); got != position.InForce {
		t.Errorf("state = %s, want %s", got, position.InForce)
	}
}

// Who approves says which version she saw. What was proposed before it, or after, is not what she approves.
func TestApproveWhatWasSeen(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id, err := d.Propose(ctx, d.agent, hospital, draft())
	must(t, err)
	wider := draft()
	wider.Activities = append(wider.Activities, "B0420")
	_, err = d.Revise(ctx, d.agent, id, 1, wider)
	must(t, err)
	_, err = d.Approve(ctx, d.manager, id, 1)
	refused(t, "Approve(the one before)", err, deed.ChangedSince)
	refusal, _ := errors.AsType[*deed.Refusal](err)
	if diff := cmp.Diff([]deed.Change{{Field: "activities", From: "B0360 B0401", To: "B0360 B0401 B0420"}}, refusal.Changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	_, err = d.Revise(ctx, d.otherAgent, id, 1, draft())
	refused(t, "Revise(after the one before)", err, deed.ChangedSince)
	_, err = d.Approve(ctx, d.manager, id, 3)
	if !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("Approve(a version that is not there) = %v, want %v", err, directory.ErrUnknown)
	}
	_, err = d.Approve(ctx, d.manager, id, 2)
	must(t, err)
}

// Closing takes two officers as well. It ends what the position gave, and what is asked for it lapses.
func TestClose(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	_, err := d.Decide(ctx, d.agent, d.ask(asked(d.nurse, id)), position.Approve, "Yes", "")
	must(t, err)
	other := d.person()
	request := d.ask(asked(other, id))
	version, err := d.Close(ctx, d.agent, id, 1, "The ward is closed")
	must(t, err)
	if got := len(d.roles(d.nurse)); got != 1 {
		t.Errorf("roles before the approval = %d, want 1", got)
	}
	_, err = d.Approve(ctx, d.agent, id, version)
	refused(t, "Approve(by who would close it)", err, deed.OwnRequest)
	d.wait(time.Minute)
	done, err := d.Approve(ctx, d.manager, id, version)
	must(t, err)
	if want := (position.Approved{Closed: true, Changed: 1}); done != want || d.state(id) != position.Closed {
		t.Errorf("Approve(to close) = %+v, %s, want %+v, %s", done, d.state(id), want, position.Closed)
	}
	if got := d.roles(d.nurse); len(got) != 0 {
		t.Errorf("roles after the position was closed = %v, want none", got)
	}
	row, err := d.Store.Request(ctx, request)
	must(t, err)
	if row.State != "lapsed" {
		t.Errorf("state of what was asked = %s, want lapsed", row.State)
	}
	_, err = d.Decide(ctx, d.agent, request, position.Approve, "Yes", "")
	refused(t, "Decide(of a closed position)", err, position.NotOpen)
	_, err = d.Ask(ctx, d.sponsor, asked(other, id))
	refused(t, "Ask(for a closed position)", err, position.PositionClosed)
	_, err = d.Revise(ctx, d.agent, id, version, draft())
	refused(t, "Revise(a closed position)", err, position.PositionClosed)
	_, err = d.Close(ctx, d.agent, id, version, "Again")
	refused(t, "Close(a closed position)", err, position.PositionClosed)
	if got := d.events("position_closed", "request_lapsed", "role_ended"); fmt.Sprint(got) != "[request_lapsed role_ended position_closed]" {
		t.Errorf("record = %v, want the end of the role, of the request and of the position", got)
	}
}

// Each act on positions is for officers who may, where they may.
func TestWhoMayManagePositions(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	ended := d.officer(hospital, support, "B9001")
	must(t, directory.EndRole(ctx, d.Store, ended.Role, "operator", now))
	disabled := d.officer(hospital, support, "B9001")
	must(t, directory.DisablePerson(ctx, d.Store, disabled.Person, "operator", now))
	holder := d.officer(hospital, support, "B9001")
	_, err := d.Decide(ctx, d.agent, d.ask(asked(holder.Person, id)), position.Approve, "Yes", "")
	must(t, err)
	version := 1
	for _, tt := range []struct {
		who  string
		by   deed.Acting
		want deed.Reason
	}{
		{"a sponsor", d.sponsor, deed.NoRight},
		{"an advanced agent of another organisation", d.elsewhere, deed.AnotherOrganisation},
		{"one whose role has ended", ended, deed.NotInRole},
		{"one who is disabled", disabled, deed.NotInRole},
		{"one in the role of somebody else", deed.Acting{Person: d.agent.Person, Role: d.manager.Role}, deed.NotInRole},
		{"nobody", deed.Acting{Person: "000000000009", Role: d.agent.Role}, deed.NotInRole},
		{"one who holds the position", holder, deed.OwnPerson},
		{"an advanced agent there", d.otherAgent, ""},
		{"the manager above", d.manager, ""},
	} {
		_, err := d.Revise(ctx, tt.by, id, version, draft())
		refused(t, "Revise by "+tt.who, err, tt.want)
		if err == nil {
			version++
		}
		if tt.who != "one who holds the position" {
			_, err = d.Propose(ctx, tt.by, hospital, draft())
			refused(t, "Propose by "+tt.who, err, tt.want)
		}
		if tt.want != "" {
			_, err = d.Approve(ctx, tt.by, id, version)
			refused(t, "Approve by "+tt.who, err, tt.want)
			line := d.last("position_approved")
			if line.Refusal != string(tt.want) || line.Actor != tt.by.Person || line.Detail["position"] != id {
				t.Errorf("the record of the refusal of %s = %+v, want it with the reason", tt.who, line)
			}
		}
		_, err = d.Close(ctx, tt.by, id, version, "Gone")
		refused(t, "Close by "+tt.who, err, tt.want)
		if err == nil {
			version++
		}
	}
	_, err = d.Approve(ctx, d.otherAgent, id, version) // the manager's
	must(t, err)
}

func TestDraftsThatAreWrong(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	for _, tt := range []struct {
		what   string
		change func(*position.Draft)
		want   string // "" is nothing wrong
	}{
		{"as it should be", func(*position.Draft) {}, ""},
		{"assignable", func(p *position.Draft) { p.Assignable = true }, ""},
		{"without a name", func(p *position.Draft) { p.Name = "" }, "name: want 1 to 100 characters"},
		{"with a name of another direction", func(p *position.Draft) { p.Name = "a\u202eb" }, "name: want no control characters"},
		{"with long notes", func(p *position.Draft) { p.Notes = strings.Repeat("x", 1001) }, "notes: want 0 to 1000 characters"},
		{"without a reason", func(p *position.Draft) { p.Reason = "" }, "reason: want 1 to 500 characters"},
		{"with a job role of nobody", func(p *position.Draft) { p.JobRole = "S8000:G8000:R9999" }, "is not in the catalogue"},
		{"with an activity of nobody", func(p *position.Draft) { p.Activities = []string{"B9999"} }, "is not in the catalogue"},
		{"with an area twice", func(p *position.Draft) { p.AreasOfWork = append(p.AreasOfWork, p.AreasOfWork[0]) }, "area_of_work: want each once"},
		{"with a workgroup of no number", func(p *position.Draft) { p.Workgroups = []store.Workgroup{{ID: "1", Name: "One"}} }, "workgroup: want an id of 12 digits"},
		{"an officer's, assignable", func(p *position.Draft) { p.JobRole, p.Assignable = raManager, true }, "assignable: want a position that makes nobody an officer"},
		{"an officer's", func(p *position.Draft) { p.Activities = []string{"B1300"} }, ""},
	} {
		p := draft()
		tt.change(&p)
		_, err := d.Propose(ctx, d.agent, hospital, p)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Propose(%s) = %v, want %q", tt.what, err, tt.want)
		}
	}
	_, err := d.Propose(ctx, d.manager, "ZX999", draft())
	if !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("Propose(at an unknown organisation) = %v, want %v", err, directory.ErrUnknown)
	}
	_, err = d.Propose(ctx, deed.Acting{Person: "sam", Role: "x"}, hospital, draft())
	if err == nil || !strings.Contains(err.Error(), "as: want 12 digits") || !strings.Contains(err.Error(), "role: want 12 digits") {
		t.Errorf("Propose(by no ids) = %v, want both said", err)
	}
}

// Of many officers who approve at once one does, and of many who revise what they saw one does.
func TestRacesForPositions(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id, err := d.Propose(ctx, d.agent, hospital, draft())
	must(t, err)
	approve := func(ctx context.Context, i int) error {
		_, err := d.Approve(ctx, []deed.Acting{d.manager, d.otherAgent}[i%2], id, 1)
		return err
	}
	won, reasons := race(t, func(i int) error { return approve(ctx, i) })
	if won != 1 || fmt.Sprint(reasons) != "[approved_already]" {
		t.Errorf("approvals = %d, the others %v, want 1, [approved_already]", won, reasons)
	}
	won, reasons = race(t, func(i int) error {
		if i%2 == 0 {
			_, err := d.Close(ctx, d.agent, id, 1, "Gone")
			return err
		}
		_, err := d.Revise(ctx, d.manager, id, 1, draft())
		return err
	})
	if won != 1 || fmt.Sprint(reasons) != "[changed_since]" {
		t.Errorf("versions after the first = %d, the others %v, want 1, [changed_since]", won, reasons)
	}
}

// A value of any length leaves its line of the record.
func TestTheRecordIsBounded(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	long := draft()
	long.Name, long.Notes, long.Reason = strings.Repeat("é", 100), strings.Repeat("é", 1000), strings.Repeat("é", 500)
	long.Activities, long.AreasOfWork = nil, nil
	for _, e := range d.Catalogue.Activities() {
		if len(long.Activities) < 200 && len(d.Rules.ActorsOf("", []string{e.Code})) == 0 {
			long.Activities = append(long.Activities, e.Code)
		}
	}
	long.Workgroups = nil
	for i := range 50 {
		long.Workgroups = append(long.Workgroups, store.Workgroup{ID: fmt.Sprintf("%012d", i+1), Name: "Team"})
	}
	id := d.position(func(p *position.Draft) { *p = long })
	_, err := d.Revise(ctx, d.agent, id, 1, draft())
	must(t, err)
	for name, value := range d.last("position_proposed").Detail {
		if len(value) > 203 {
			t.Errorf("the record's %s has %d bytes, want at most 203", name, len(value))
		}
	}
}
