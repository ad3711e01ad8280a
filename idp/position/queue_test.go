package position_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
)

// queue lists the ids of what an officer wants.
func (d *desk) queue(by deed.Acting, wanted position.Wanted) (ids []uuid.UUID) {
	d.t.Helper()
	rows, err := d.Queue(d.t.Context(), by, wanted, uuid.Nil, 100)
	must(d.t, err)
	for _, r := range rows {
		ids = append(ids, r.ID)
	}
	return ids
}

// ownerIs wants somebody to look after a request, "" being nobody.
func (d *desk) ownerIs(request uuid.UUID, want string) {
	d.t.Helper()
	owner, err := position.Owner(d.t.Context(), d.Store, d.Rules, request, d.clock())
	if err != nil || owner.PersonID != want {
		d.t.Errorf("owner of the request = %+v, %v, want %q", owner, err, want)
	}
}

// Who may decide a request takes it, also from another, and gives it back; nobody else does. Each is on record with who had it, what is so
// already is not, and it keeps nobody from deciding.
func TestTakeAndGiveBack(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ward := d.position(nil)
	request := d.ask(asked(d.nurse, ward))
	own, err := d.Ask(ctx, d.agent, asked(d.person(), ward))
	must(t, err)
	about := d.ask(asked(d.agent.Person, ward))
	nurse := deed.Acting{Person: d.person(), Role: ""}
	nurse.Role = d.grant(nurse.Person, hospital, practitioner)
	for _, tt := range []struct {
		name string
		err  error
		want deed.Reason
	}{
		{"by a sponsor", d.Take(ctx, d.otherSponsor, request, ""), deed.NoRight},
		{"by the sponsor who asked", d.Take(ctx, d.sponsor, request, ""), deed.NoRight},
		{"by a nurse", d.Take(ctx, nurse, request, ""), deed.NoRight},
		{"by an officer elsewhere", d.Take(ctx, d.elsewhere, request, ""), deed.AnotherOrganisation},
		{"by the agent who asked", d.Take(ctx, d.agent, own.Request, ""), deed.OwnRequest},
		{"by whom it is for", d.Take(ctx, d.agent, about, ""), deed.OwnPerson},
		{"in the role of another", d.Take(ctx, deed.Acting{Person: d.agent.Person, Role: d.manager.Role}, request, ""), deed.NotInRole},
		{"to give back what one asked", d.GiveBack(ctx, d.agent, own.Request), deed.OwnRequest},
		{"from somebody who does not have it", d.Take(ctx, d.agent, request, d.manager.Person), position.OwnedSince},
	} {
		refused(t, "Take "+tt.name, tt.err, tt.want)
	}
	if err := d.Take(ctx, d.agent, uuid.New(), ""); err == nil || !strings.Contains(err.Error(), directory.ErrUnknown.Error()) {
		t.Errorf("Take(what is not there) = %v, want that", err)
	}
	d.ownerIs(request, "")

	line := func(by, owner, before string) {
		t.Helper()
		e := d.last("request_owned")
		if e.Actor != by || e.PersonID != d.nurse || e.Refusal != "" || e.Detail["owner"] != owner || e.Detail["owner_before"] != before {
			t.Errorf("the record says %s %+v, want that %s has it from %q to %q", e.Detail, e, by, before, owner)
		}
	}
	must(t, d.Take(ctx, d.agent, request, ""))
	d.ownerIs(request, d.agent.Person)
	line(d.agent.Person, d.agent.Person, "")
	err = d.Take(ctx, d.otherAgent, request, "")
	refused(t, "Take what another has since", err, position.OwnedSince)
	if err == nil || !strings.Contains(err.Error(), "changed by somebody else since you saw it: now it is Ada Example") || !strings.Contains(err.Error(), d.agent.Person) {
		t.Errorf("Take what another has since = %v, want who has it", err)
	}
	must(t, d.Take(ctx, d.otherAgent, request, d.agent.Person))
	line(d.otherAgent.Person, d.otherAgent.Person, d.agent.Person)
	refused(t, "GiveBack of what another has since", d.GiveBack(ctx, d.agent, request), position.OwnedSince)

	d.wait(time.Minute)
	before := len(d.events("request_owned"))
	must(t, d.Take(ctx, d.otherAgent, request, "")) // the button pressed twice
	owner, err := position.Owner(ctx, d.Store, d.Rules, request, d.clock())
	must(t, err)
	if owner.Since.After(now) || len(d.events("request_owned")) != before {
		t.Errorf("what was taken already is %+v with %d lines of the record, want it as it was", owner, len(d.events("request_owned")))
	}
	for owned, want := range map[position.Owned][]uuid.UUID{
		position.Mine: {request}, position.Nobodys: {own.Request, about}, position.Anybodys: {request, own.Request, about},
	} {
		if diff := cmp.Diff(want, d.queue(d.otherAgent, position.Wanted{Owner: owned})); diff != "" {
			t.Errorf("the queue of what is %q (-want +got):\n%s", owned, diff)
		}
	}
	if got := d.queue(d.agent, position.Wanted{Owner: position.Mine}); len(got) != 0 {
		t.Errorf("the queue of an officer who has nothing = %v", got)
	}
	must(t, d.GiveBack(ctx, d.otherAgent, request))
	line(d.otherAgent.Person, "", d.otherAgent.Person)
	before = len(d.events("request_owned"))
	must(t, d.GiveBack(ctx, d.otherAgent, request))
	if got := len(d.events("request_owned")); got != before {
		t.Errorf("to give back what nobody has made %d lines of the record, want none", got-before)
	}

	must(t, d.Take(ctx, d.agent, request, ""))
	_, err = d.Decide(ctx, d.manager, request, position.Refuse, "No", "")
	must(t, err)
	refused(t, "Take(decided)", d.Take(ctx, d.otherAgent, request, d.agent.Person), position.NotOpen)
	refused(t, "GiveBack(decided)", d.GiveBack(ctx, d.agent, request), position.NotOpen)
	d.ownerIs(request, "")
	d.wait(31 * 24 * time.Hour)
	refused(t, "Take(lapsed)", d.Take(ctx, d.manager, own.Request, ""), position.Lapsed)
}

// What an officer took who is none any more is nobody's: it waits for others, who take it without asking her.
func TestTakeFromWhoIsNoOfficerAnyMore(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	request := d.ask(asked(d.nurse, d.position(nil)))
	must(t, d.Take(ctx, d.agent, request, ""))
	must(t, d.exec(`UPDATE role_profile SET ends_at = $2 WHERE id = $1`, d.agent.Role, d.clock().Add(time.Minute)))
	d.grant(d.agent.Person, hospital, practitioner) // she stays
	d.ownerIs(request, d.agent.Person)
	d.wait(time.Hour)
	d.ownerIs(request, "")
	if got := d.queue(d.otherAgent, position.Wanted{Owner: position.Nobodys}); len(got) != 1 {
		t.Errorf("the queue of what is nobody's = %v, want the request", got)
	}
	refused(t, "GiveBack by who is no officer", d.GiveBack(ctx, d.agent, request), deed.NotInRole)
	must(t, d.Take(ctx, d.otherAgent, request, ""))
	d.ownerIs(request, d.otherAgent.Person)
	if e := d.last("request_owned"); e.Detail["owner_before"] != d.agent.Person {
		t.Errorf("the record says %s, want who had it", e.Detail)
	}
	_, err := d.Decide(ctx, d.otherAgent, request, position.Approve, "Yes", "")
	must(t, err)
}

// Who put the person on record may only refuse what was asked for her, and does not look after it.
func TestTakeByWhoTookUp(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id, err := d.Introduce(ctx, d.sponsor, newcomer(d.position(nil)))
	must(t, err)
	request, err := d.TakeUp(ctx, d.agent, id, d.nurse)
	must(t, err)
	refused(t, "Take by who took up", d.Take(ctx, d.agent, request, ""), position.TookUp)
	must(t, d.Take(ctx, d.otherAgent, request, ""))
}

// The queue is narrowed by person and by position, together too, and by what has no such form by nothing.
func TestQueueOfWanted(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ward, night := d.position(nil), d.position(func(p *position.Draft) { p.Name = "Night nurse" })
	one, two := d.ask(asked(d.nurse, ward)), d.ask(asked(d.nurse, night))
	other := d.person()
	three := d.ask(asked(other, ward))
	must(t, d.Take(ctx, d.manager, three, ""))
	for _, tt := range []struct {
		wanted position.Wanted
		want   []uuid.UUID
	}{
		{position.Wanted{}, []uuid.UUID{one, two, three}},
		{position.Wanted{Person: d.nurse}, []uuid.UUID{one, two}},
		{position.Wanted{Position: ward}, []uuid.UUID{one, three}},
		{position.Wanted{Person: d.nurse, Position: ward}, []uuid.UUID{one}},
		{position.Wanted{Position: ward, Owner: position.Nobodys}, []uuid.UUID{one}},
		{position.Wanted{Position: ward, Owner: position.Mine}, []uuid.UUID{three}},
		{position.Wanted{Position: night, Owner: position.Mine}, nil},
		{position.Wanted{Person: "555500000009"}, nil},
	} {
		if diff := cmp.Diff(tt.want, d.queue(d.manager, tt.wanted)); diff != "" {
			t.Errorf("Queue(%+v) (-want +got):\n%s", tt.wanted, diff)
		}
	}
	_, err := d.Queue(ctx, d.manager, position.Wanted{Person: "x", Position: "\x00", Owner: "hers"}, uuid.Nil, 10)
	if wrong, ok := directory.Mistakes(err); !ok || len(wrong) != 3 {
		t.Errorf("Queue(of what has no such form) = %v, want three mistakes", err)
	}
	if got := d.queue(d.elsewhere, position.Wanted{Person: d.nurse}); len(got) != 0 {
		t.Errorf("Queue() of what waits at another organisation = %v, want nothing", got)
	}
}

// Of several officers who take a request at once one has it, and the others are told.
func TestRacesForOwners(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	request := d.ask(asked(d.nurse, d.position(nil)))
	officers := []deed.Acting{d.manager, d.otherManager, d.agent, d.otherAgent}
	won, reasons := race(t, func(i int) error { return d.Take(ctx, officers[i%4], request, "") })
	lines := d.events("request_owned")
	if won != 8 || fmt.Sprint(reasons) != "[owned_since]" || strings.Count(strings.Join(lines, ";"), "owned_since") != 24 || len(lines) != 25 {
		t.Errorf("taken %d times, the others %v, in %d lines of the record: want all eight of one officer, one line of that and 24 refusals", won, reasons, len(lines))
	}
	owner, err := position.Owner(ctx, d.Store, d.Rules, request, d.clock())
	must(t, err)
	won, reasons = race(t, func(i int) error {
		switch i % 3 {
		case 0:
			return d.Take(ctx, officers[i%4], request, owner.PersonID)
		case 1:
			return d.GiveBack(ctx, officers[i%4], request)
		default:
			_, err := d.Decide(ctx, officers[i%4], request, position.Approve, "Yes", "")
			return err
		}
	})
	row, err := d.Store.Request(ctx, request)
	must(t, err)
	if won == 0 || row.State != "approved" {
		t.Errorf("of those who took, gave back and decided at once %d did, the others %v: the request is %s, want it approved", won, reasons, row.State)
	}
	d.ownerIs(request, "")
	if d.queue(d.manager, position.Wanted{}) != nil {
		t.Error("what was decided is still in the queue")
	}
}
