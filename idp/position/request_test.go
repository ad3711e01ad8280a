package position_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// Who may ask, and for whom.
func TestWhoMayAsk(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	disabled := d.person()
	must(t, directory.DisablePerson(ctx, d.Store, disabled, "operator", now))
	for _, tt := range []struct {
		who  string
		by   deed.Acting
		whom string
		want deed.Reason
	}{
		{"a sponsor for herself", d.sponsor, d.sponsor.Person, deed.OwnPerson},
		{"a sponsor of another organisation", d.elsewhere, d.nurse, deed.AnotherOrganisation},
		{"a sponsor in a role that is not hers", deed.Acting{Person: d.sponsor.Person, Role: d.agent.Role}, d.nurse, deed.NotInRole},
		{"a nurse", deed.Acting{Person: d.nurse, Role: d.grant(d.nurse, hospital, practitioner)}, d.sponsor.Person, deed.NoRight},
		{"a sponsor for somebody who is disabled", d.sponsor, disabled, position.PersonDisabled},
		{"a sponsor", d.sponsor, d.nurse, ""},
		{"another sponsor, at the same time", d.otherSponsor, d.nurse, position.OpenAlready},
		{"an agent, for a sponsor", d.agent, d.sponsor.Person, ""},
	} {
		_, err := d.Ask(ctx, tt.by, asked(tt.whom, id))
		refused(t, "Ask by "+tt.who, err, tt.want)
		if line := d.last("request_asked"); line.Refusal != string(tt.want) || line.Actor != tt.by.Person || line.PersonID != tt.whom {
			t.Errorf("the record of %s = %+v, want the reason %q", tt.who, line, tt.want)
		}
	}
	for what, q := range map[string]position.Asked{"an unknown person": asked("000000000009", id), "an unknown position": asked(d.nurse, "000000000009")} {
		if _, err := d.Ask(ctx, d.sponsor, q); !errors.Is(err, directory.ErrUnknown) {
			t.Errorf("Ask(for %s) = %v, want %v", what, err, directory.ErrUnknown)
		}
	}
}

func TestRequestsThatAreWrong(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	for _, tt := range []struct {
		what   string
		change func(*position.Asked)
		want   string
	}{
		{"for nobody", func(q *position.Asked) { q.Person = "ada" }, "person: want 12 digits"},
		{"for nothing", func(q *position.Asked) { q.Position = "" }, "position: want 12 digits"},
		{"of no kind", func(q *position.Asked) { q.Kind = "both" }, "kind: want assign_position or end_position"},
		{"without a reason", func(q *position.Asked) { q.Reason = "" }, "reason: want 1 to 500 characters"},
		{"that started last week", func(q *position.Asked) { q.StartsAt = now.AddDate(0, 0, -7) }, "starts: want today or later"},
		{"that ends before it starts", func(q *position.Asked) {
			q.StartsAt, q.ExpiresAt = now.AddDate(0, 0, 2), new(now.AddDate(0, 0, 1))
		}, "ends: want a time after the start"},
		{"that has ended", func(q *position.Asked) { q.StartsAt, q.ExpiresAt = now.Add(-time.Hour), &now }, "ends: want a time after the start"},
		{"to end, with an end", func(q *position.Asked) { q.Kind, q.ExpiresAt = position.End, new(now.AddDate(1, 0, 0)) }, "ends: want none"},
		{"from today on", func(q *position.Asked) { q.StartsAt = now.Add(-time.Hour) }, ""},
	} {
		q := asked(d.nurse, id)
		tt.change(&q)
		_, err := d.Ask(ctx, d.sponsor, q)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Ask(%s) = %v, want %q", tt.what, err, tt.want)
		}
	}
}

// Who may decide: nobody what she asked, nobody about herself, nobody elsewhere, and nobody twice.
func TestWhoMayDecide(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	a, err := d.Ask(ctx, d.agent, asked(d.otherAgent.Person, id))
	must(t, err)
	for _, verdict := range []position.Verdict{position.Approve, position.Refuse} {
		for _, tt := range []struct {
			who  string
			by   deed.Acting
			want deed.Reason
		}{
			{"who asked", d.agent, deed.OwnRequest},
			{"whom it is for", d.otherAgent, deed.OwnPerson},
			{"a sponsor", d.sponsor, deed.NoRight},
			{"an agent of another organisation", d.elsewhere, deed.AnotherOrganisation},
			{"an agent in the role of somebody else", deed.Acting{Person: d.elsewhere.Person, Role: d.agent.Role}, deed.NotInRole},
		} {
			_, err := d.Decide(ctx, tt.by, a.Request, verdict, "Because", "")
			refused(t, fmt.Sprintf("Decide(%s) by %s", verdict, tt.who), err, tt.want)
			if line := d.last("request_decided"); line.Refusal != string(tt.want) || line.Actor != tt.by.Person || line.PersonID != d.otherAgent.Person {
				t.Errorf("the record of %s = %+v, want the reason %q", tt.who, line, tt.want)
			}
		}
	}
	_, err = d.Decide(ctx, d.manager, a.Request, "perhaps", "Because", "")
	if _, wrong := errors.AsType[*directory.InvalidError](err); !wrong {
		t.Errorf("Decide(perhaps) = %v, want it invalid", err)
	}
	got, err := d.Decide(ctx, d.manager, a.Request, position.Refuse, "No contract", "")
	must(t, err)
	if diff := cmp.Diff(position.Answer{Request: a.Request, State: "refused"}, got); diff != "" || len(d.roles(d.otherAgent.Person)) != 1 {
		t.Errorf("Decide(refused) differs, or gave a role (-want +got):\n%s", diff)
	}
	_, err = d.Decide(ctx, d.manager, a.Request, position.Approve, "After all", "")
	refused(t, "Decide(again)", err, position.NotOpen)
	if _, err := d.Decide(ctx, d.manager, uuid.New(), position.Approve, "Yes", ""); !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("Decide(unknown) = %v, want %v", err, directory.ErrUnknown)
	}
}

// What was asked for still has to be what the position is. The officer sees the difference, and it is asked again.
func TestPositionChangedSinceItWasAsked(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	request := d.ask(asked(d.nurse, id))
	wider := draft()
	wider.Activities = append(wider.Activities, "B0420")
	version, err := d.Revise(ctx, d.agent, id, 1, wider)
	must(t, err)
	_, err = d.Approve(ctx, d.manager, id, version)
	must(t, err)
	_, err = d.Decide(ctx, d.agent, request, position.Approve, "Yes", "")
	refused(t, "Decide(of a version before)", err, deed.ChangedSince)
	if !strings.Contains(fmt.Sprint(err), `activities: "B0360 B0401 B0420" was "B0360 B0401"`) || len(d.roles(d.nurse)) != 0 {
		t.Errorf("Decide(of a version before) = %v, %v, want the difference and no role", err, d.roles(d.nurse))
	}
	must(t, d.Withdraw(ctx, d.sponsor, request, "The position has changed"))
	_, err = d.Decide(ctx, d.agent, d.ask(asked(d.nurse, id)), position.Approve, "Yes", "")
	must(t, err)
	if got := d.roles(d.nurse)[0].Activities; len(got) != 3 {
		t.Errorf("activities = %v, want those of the version in force", got)
	}
}

// An assignable position is given at once by a sponsor, and by nobody to herself.
func TestAssignablePosition(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(func(p *position.Draft) { p.Assignable = true })
	_, err := d.Ask(ctx, d.sponsor, asked(d.sponsor.Person, id))
	refused(t, "Ask(for oneself)", err, deed.OwnPerson)
	a, err := d.Ask(ctx, d.sponsor, asked(d.nurse, id))
	must(t, err)
	if roles := d.roles(d.nurse); a.State != "approved" || len(roles) != 1 || roles[0].ID != a.Role {
		t.Errorf("Ask(for an assignable position) = %+v, roles %v, want it given", a, roles)
	}
	row, err := d.Store.Request(ctx, a.Request)
	must(t, err)
	if !row.Assignable || row.DecidedBy != nil || *row.DecisionReason != "the position is assignable" {
		t.Errorf("request = %+v, want it recorded that no second officer decided", row)
	}
	if line := d.last("request_asked"); line.Detail["state"] != "approved" || line.Detail["role"] != a.Role {
		t.Errorf("record = %+v, want what it gave", line)
	}
	_, err = d.Ask(ctx, d.sponsor, asked(d.nurse, id))
	refused(t, "Ask(again)", err, position.HeldAlready)
	q := asked(d.nurse, id)
	q.Kind = position.End
	got, err := d.Ask(ctx, d.sponsor, q)
	must(t, err)
	if got.State != "open" {
		t.Errorf("Ask(to end an assignable position) = %+v, want it open", got)
	}
}

// Duties that nobody holds together are kept apart when it is asked, and when it is given.
func TestSeparationOfDuties(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(func(p *position.Draft) { p.JobRole, p.Activities = privacy, nil })
	_, err := d.Ask(ctx, d.manager, asked(d.sponsor.Person, id))
	refused(t, "Ask(for a privacy officer who is a sponsor)", err, position.SeparationOfDuties)
	if !strings.Contains(fmt.Sprint(err), "R0001 and B1300: who reads the record") {
		t.Errorf("refusal = %v, want the pair and why", err)
	}
	request := d.ask(asked(d.nurse, id))
	role := d.grant(d.nurse, surgery, support, "B1300")
	_, err = d.Decide(ctx, d.manager, request, position.Approve, "Yes", "")
	refused(t, "Decide(for who became a sponsor since)", err, position.SeparationOfDuties)
	must(t, directory.EndRole(ctx, d.Store, role, "operator", now))
	_, err = d.Decide(ctx, d.manager, request, position.Approve, "Yes", "")
	must(t, err)
}

// Duties are apart that follow each other, and together that overlap.
func TestSeparationOfDutiesInTime(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(func(p *position.Draft) { p.JobRole, p.Activities = privacy, nil })
	_, err := directory.GrantRole(ctx, d.Store, d.Catalogue, directory.NewRole{
		PersonID: d.nurse, Organisation: hospital, JobRole: support, Activities: []string{"B1300"},
		StartsAt: now.AddDate(0, 1, 0), EndsAt: new(now.AddDate(0, 2, 0)),
	}, "operator", now)
	must(t, err)
	for _, tt := range []struct {
		from, to time.Time
		want     deed.Reason
	}{
		{now, now.AddDate(0, 1, 1), position.SeparationOfDuties},
		{now.AddDate(0, 1, 29), now.AddDate(0, 3, 0), position.SeparationOfDuties},
		{now, now.AddDate(0, 3, 0), position.SeparationOfDuties},
		{now, now.AddDate(0, 1, 0), ""},
		{now.AddDate(0, 2, 0), now.AddDate(0, 3, 0), ""},
	} {
		q := asked(d.nurse, id)
		q.StartsAt, q.ExpiresAt = tt.from, &tt.to
		a, err := d.Ask(ctx, d.sponsor, q)
		refused(t, fmt.Sprintf("Ask(from %s to %s)", tt.from, tt.to), err, tt.want)
		if err == nil {
			must(t, d.Withdraw(ctx, d.sponsor, a.Request, "It was a test"))
		}
	}
	_, err = d.Ask(ctx, d.sponsor, asked(d.nurse, id))
	refused(t, "Ask(for good)", err, position.SeparationOfDuties)
}

// Nobody makes an officer who is higher than she is.
func TestNobodyReachesUp(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	agent := d.officer(hospital, "S0080:G0450:R5090")
	for _, tt := range []struct {
		makes  string
		change func(*position.Draft)
		by     deed.Acting
		want   deed.Reason
	}{
		{"a manager, by an advanced agent", func(p *position.Draft) { p.JobRole = raManager }, d.agent, deed.AboveOwn},
		{"a manager, by a manager", func(p *position.Draft) { p.JobRole = raManager }, d.manager, ""},
		{"an advanced agent, by an agent", func(p *position.Draft) { p.Activities = []string{"B9001"} }, agent, deed.AboveOwn},
		{"an advanced agent, by an advanced agent", func(p *position.Draft) { p.Activities = []string{"B9001"} }, d.agent, ""},
		{"a sponsor, by an agent", func(p *position.Draft) { p.Activities = []string{"B1300"} }, agent, ""},
		{"a privacy officer, by an advanced agent", func(p *position.Draft) { p.JobRole = privacy }, d.agent, deed.AboveOwn},
		{"a privacy officer, by a manager", func(p *position.Draft) { p.JobRole = privacy }, d.manager, ""},
	} {
		p := draft()
		tt.change(&p)
		id := d.position(tt.change)
		request := d.ask(asked(d.person(), id))
		_, err := d.Decide(ctx, tt.by, request, position.Approve, "Yes", "")
		refused(t, "Decide(a position that makes "+tt.makes+")", err, tt.want)
		if tt.by.Person == agent.Person {
			continue // she does nothing to positions
		}
		_, err = d.Propose(ctx, tt.by, hospital, p)
		refused(t, "Propose(a position that makes "+tt.makes+")", err, tt.want)
		version, err := d.Revise(ctx, d.manager, id, 1, draft())
		must(t, err)
		_, err = d.Revise(ctx, tt.by, id, version, p)
		refused(t, "Revise(to a position that makes "+tt.makes+")", err, tt.want)
		if tt.want == "" {
			continue
		}
		version, err = d.Revise(ctx, d.manager, id, version, p)
		must(t, err)
		_, err = d.Approve(ctx, tt.by, id, version)
		refused(t, "Approve(a position that makes "+tt.makes+")", err, tt.want)
		_, err = d.Close(ctx, tt.by, id, version, "Gone")
		refused(t, "Close(a position that makes "+tt.makes+")", err, tt.want)
		_, err = d.Decide(ctx, tt.by, d.ask(asked(d.person(), id)), position.Refuse, "No", "")
		refused(t, "Decide(against a position that makes "+tt.makes+")", err, "")
	}
}

// Who holds a position gets it again for longer, or in a newer version: the role that follows takes the place of the one
// before, and at no moment are there two.
func TestPositionIsRenewed(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	q := asked(d.nurse, id)
	q.ExpiresAt = new(now.AddDate(0, 1, 0))
	first, err := d.Decide(ctx, d.agent, d.ask(q), position.Approve, "Yes", "")
	must(t, err)
	_, err = d.Ask(ctx, d.sponsor, q)
	refused(t, "Ask(for what she has)", err, position.HeldAlready)
	q.StartsAt, q.ExpiresAt = now.AddDate(0, 0, 14), new(now.AddDate(1, 0, 0))
	next, err := d.Decide(ctx, d.agent, d.ask(q), position.Approve, "Yes", "")
	must(t, err)
	for _, tt := range []struct {
		after time.Duration
		want  string
	}{{0, first.Role}, {13 * 24 * time.Hour, first.Role}, {24 * time.Hour, next.Role}, {30 * 24 * time.Hour, next.Role}} {
		d.wait(tt.after)
		if got := d.roles(d.nurse); len(got) != 1 || got[0].ID != tt.want {
			t.Errorf("roles %s later = %v, want %s alone", tt.after, got, tt.want)
		}
	}
}

func TestPositionIsEnded(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	q := asked(d.nurse, id)
	_, err := d.Decide(ctx, d.agent, d.ask(q), position.Approve, "Yes", "")
	must(t, err)
	q.Kind, q.StartsAt = position.End, now.Add(48*time.Hour)
	_, err = d.Decide(ctx, d.agent, d.ask(q), position.Approve, "She leaves", "")
	must(t, err)
	if got := d.roles(d.nurse); len(got) != 1 {
		t.Errorf("roles before the end = %v, want one", got)
	}
	d.wait(48 * time.Hour)
	if got := d.roles(d.nurse); len(got) != 0 {
		t.Errorf("roles after the end = %v, want none", got)
	}
	_, err = d.Ask(ctx, d.sponsor, q)
	refused(t, "Ask(to end what she does not hold)", err, position.NotHeld)
}

// What nobody decides in time lapses, and can be asked again.
func TestRequestLapses(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	request := d.ask(asked(d.nurse, id))
	d.wait(30*24*time.Hour - time.Second)
	_, err := d.Ask(ctx, d.sponsor, asked(d.nurse, id))
	refused(t, "Ask(while one is open)", err, position.OpenAlready)
	d.wait(time.Second)
	_, err = d.Decide(ctx, d.agent, request, position.Approve, "Yes", "")
	refused(t, "Decide(too late)", err, position.Lapsed)
	refused(t, "Withdraw(too late)", d.Withdraw(ctx, d.sponsor, request, "No"), position.Lapsed)
	if open, err := d.Queue(ctx, d.agent, position.Wanted{}, uuid.Nil, 10); err != nil || len(open) != 0 {
		t.Errorf("Queue() = %v, %v, want nothing", open, err)
	}
	again := d.ask(asked(d.nurse, id))
	if row, err := d.Store.Request(ctx, request); err != nil || row.State != "lapsed" {
		t.Errorf("state = %s, %v, want lapsed", row.State, err)
	}
	_, err = d.Decide(ctx, d.agent, again, position.Approve, "Yes", "")
	must(t, err)
	q := asked(d.person(), id)
	q.ExpiresAt = new(d.clock().Add(time.Hour))
	short := d.ask(q)
	d.wait(time.Hour)
	_, err = d.Decide(ctx, d.agent, short, position.Approve, "Yes", "")
	refused(t, "Decide(after it would have ended)", err, position.Lapsed)
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	request := d.ask(asked(d.nurse, d.position(nil)))
	refused(t, "Withdraw(by another sponsor)", d.Withdraw(ctx, d.otherSponsor, request, "No"), position.NotAsker)
	refused(t, "Withdraw(by somebody elsewhere)", d.Withdraw(ctx, d.elsewhere, request, "No"), deed.AnotherOrganisation)
	must(t, d.Withdraw(ctx, d.sponsor, request, "She starts elsewhere"))
	refused(t, "Withdraw(again)", d.Withdraw(ctx, d.sponsor, request, "No"), position.NotOpen)
	_, err := d.Decide(ctx, d.agent, request, position.Approve, "Yes", "")
	refused(t, "Decide(what was withdrawn)", err, position.NotOpen)
}

// The queue has what is open at an officer's organisation and below it, oldest first, in pages.
func TestQueue(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	here := d.position(nil)
	elsewhere, err := d.Propose(ctx, d.elsewhere, surgery, draft())
	must(t, err)
	_, err = d.Approve(ctx, d.manager, elsewhere, 1)
	must(t, err)
	var want []uuid.UUID
	for i := range 5 {
		by, of := d.sponsor, here
		if i == 2 {
			by, of = d.elsewhere, elsewhere
		}
		a, err := d.Ask(ctx, by, asked(d.person(), of))
		must(t, err)
		want = append(want, a.Request)
	}
	queue := func(by deed.Acting, limit int) (got []uuid.UUID) {
		after := uuid.Nil
		for {
			page, err := d.Queue(ctx, by, position.Wanted{}, after, limit)
			must(t, err)
			if len(page) == 0 {
				return got
			}
			for _, r := range page {
				got = append(got, r.ID)
				if r.PersonName != "Ada Example" || r.PositionName != "Ward nurse" || r.AskedByName != "Ada Example" {
					t.Errorf("row = %+v, want names", r)
				}
			}
			after = page[len(page)-1].ID
		}
	}
	if diff := cmp.Diff(want, queue(d.manager, 2)); diff != "" {
		t.Errorf("queue of the board (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]uuid.UUID{want[0], want[1], want[3], want[4]}, queue(d.sponsor, 3)); diff != "" {
		t.Errorf("queue of the hospital (-want +got):\n%s", diff)
	}
	_, err = d.Decide(ctx, d.agent, want[0], position.Refuse, "No", "")
	must(t, err)
	if diff := cmp.Diff([]uuid.UUID{want[1], want[3], want[4]}, queue(d.agent, 100)); diff != "" {
		t.Errorf("queue after a decision (-want +got):\n%s", diff)
	}
	nurse := deed.Acting{Person: d.nurse, Role: d.grant(d.nurse, hospital, practitioner)}
	_, err = d.Queue(ctx, nurse, position.Wanted{}, uuid.Nil, 10)
	refused(t, "Queue of a nurse", err, deed.NoRight)
	_, err = d.Queue(ctx, deed.Acting{Person: d.nurse, Role: d.agent.Role}, position.Wanted{}, uuid.Nil, 10)
	refused(t, "Queue in the role of another", err, deed.NotInRole)
}

// Somebody who has the same from an operator gets no second role of it.
func TestRoleThatIsThere(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	p := draft()
	request := d.ask(asked(d.nurse, d.position(nil)))
	_, err := directory.GrantRole(ctx, d.Store, d.Catalogue, directory.NewRole{
		PersonID: d.nurse, Organisation: hospital, JobRole: p.JobRole, Activities: p.Activities, AreasOfWork: p.AreasOfWork, Workgroups: p.Workgroups,
	}, "operator", now)
	must(t, err)
	_, err = d.Decide(ctx, d.agent, request, position.Approve, "Yes", "")
	refused(t, "Decide(what she has from the operator)", err, position.HeldAlready)
	row, err := d.Store.Request(ctx, request)
	must(t, err)
	if row.State != "open" {
		t.Errorf("state after the refusal = %s, want it as it was", row.State)
	}
}

// What cannot be recorded does not happen, and neither does what is refused.
func TestNothingHappensWithoutItsRecord(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	assignable := d.position(func(p *position.Draft) { p.Assignable = true })
	pending, err := d.Propose(ctx, d.agent, hospital, draft())
	must(t, err)
	request := d.ask(asked(d.nurse, id))
	must(t, d.exec(`REVOKE INSERT ON audit_event FROM credence_service`))
	for call, do := range map[string]func() error{
		"Propose":           func() error { _, err := d.Propose(ctx, d.agent, hospital, draft()); return err },
		"Revise":            func() error { _, err := d.Revise(ctx, d.agent, id, 1, draft()); return err },
		"Close":             func() error { _, err := d.Close(ctx, d.agent, id, 1, "Gone"); return err },
		"Approve":           func() error { _, err := d.Approve(ctx, d.manager, pending, 1); return err },
		"Ask":               func() error { _, err := d.Ask(ctx, d.sponsor, asked(d.agent.Person, id)); return err },
		"Ask(assignable)":   func() error { _, err := d.Ask(ctx, d.sponsor, asked(d.nurse, assignable)); return err },
		"Decide(approve)":   func() error { _, err := d.Decide(ctx, d.agent, request, position.Approve, "Yes", ""); return err },
		"Decide(refuse)":    func() error { _, err := d.Decide(ctx, d.agent, request, position.Refuse, "No", ""); return err },
		"Withdraw":          func() error { return d.Withdraw(ctx, d.sponsor, request, "No") },
		"Decide by a nurse": func() error { _, err := d.Decide(ctx, d.sponsor, request, position.Approve, "Yes", ""); return err },
	} {
		if err := do(); err == nil || !strings.Contains(err.Error(), "audit_event") {
			t.Errorf("%s = %v, want that it cannot be recorded", call, err)
		}
	}
	must(t, d.exec(`GRANT INSERT ON audit_event TO credence_service`))
	if got := d.roles(d.nurse); len(got) != 0 || d.state(pending) != position.Drafted {
		t.Errorf("roles = %v, state %s, want nothing to have happened", got, d.state(pending))
	}
	_, err = d.Decide(ctx, d.agent, request, position.Approve, "Yes", "")
	must(t, err)
}

// An operator acts for an officer, by the rights of that officer, and the record names both.
func TestOperatorActsForAnOfficer(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	by := d.agent
	by.Operator = "operator:sam"
	id, err := d.Propose(ctx, by, hospital, draft())
	must(t, err)
	line := d.last("position_proposed")
	if line.Actor != by.Operator || line.Detail["officer"] != d.agent.Person {
		t.Errorf("record = %+v, want the operator and the officer", line)
	}
	_, err = d.Approve(ctx, deed.Acting{Person: d.agent.Person, Role: d.agent.Role, Operator: "operator:kim"}, id, 1)
	refused(t, "Approve(by another operator for the same officer)", err, deed.OwnRequest)
	_, err = d.Ask(ctx, deed.Acting{Person: d.nurse, Role: d.agent.Role, Operator: "operator:sam"}, asked(d.nurse, id))
	refused(t, "Ask(by an operator for nobody who is an officer)", err, deed.NotInRole)
}

// Everything that is given changes the version of the person's record, so that every replica's tokens say it at once.
func TestRecordChangesWithAPosition(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	replica := d.Store // its memory has read the record
	id := d.position(nil)
	if got := d.roles(d.nurse); len(got) != 0 {
		t.Fatalf("roles = %v, want none", got)
	}
	_, err := d.Decide(ctx, d.agent, d.ask(asked(d.nurse, id)), position.Approve, "Yes", "")
	must(t, err)
	p, err := replica.Person(ctx, d.nurse, d.clock())
	must(t, err)
	if diff := cmp.Diff([]string{hospital}, organisations(p.Person.Roles)); diff != "" {
		t.Errorf("organisations of the roles (-want +got):\n%s", diff)
	}
}

func organisations(roles []store.Role) []string {
	var codes []string
	for _, r := range roles {
		codes = append(codes, r.OrganisationCode)
	}
	return codes
}
