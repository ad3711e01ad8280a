package position_test

import (
	"fmt"
	"slices"
	"strconv"
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

// hand has somebody hold a position.
func (d *desk) hand(person, id string) {
	d.t.Helper()
	_, err := d.Decide(d.t.Context(), d.agent, d.ask(asked(person, id)), position.Approve, "Yes", "")
	must(d.t, err)
}

// gives is what the only role of a person gives: its job role and its activities.
func (d *desk) gives(person string) string {
	d.t.Helper()
	var list []string
	for _, r := range d.roles(person) {
		if r.JobRole != privacy {
			list = append(list, r.JobRole[strings.LastIndex(r.JobRole, ":")+1:]+" "+strings.Join(r.Activities, " "))
		}
	}
	return strings.Join(list, ", ")
}

// A version that is approved is what everybody has who holds the position, in the transaction that approves it: in the same role,
// with the old and the new values on record.
func TestVersionReachesHolders(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	d.hand(d.nurse, id)
	role := d.roles(d.nurse)[0].ID
	d.revise(id, 1, func(p *position.Draft) {
		p.JobRole, p.Activities, p.AreasOfWork = support, []string{"B0401", "B0420"}, nil
		p.Workgroups = append(p.Workgroups, store.Workgroup{ID: "655694018105", Name: "Ward 5"})
	})
	want := []store.Role{{
		ID: role, OrganisationCode: hospital, OrganisationName: "Hospital", JobRole: support, Activities: []string{"B0401", "B0420"}, AreasOfWork: []string{},
		Workgroups: []store.Workgroup{{ID: "655694018104", Name: "Ward 4"}, {ID: "655694018105", Name: "Ward 5"}},
	}}
	got := d.roles(d.nurse)
	got[0].MembershipID = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
	line := d.last("role_changed")
	wantLine := map[string]string{
		"officer": d.manager.Person, "officer_role": d.manager.Role, "role": role, "position": id, "version": "2",
		"old_job_role": practitioner, "new_job_role": support, "old_activities": "B0360 B0401", "new_activities": "B0401 B0420",
		"old_areas_of_work": "P0020:Q0300:T0640", "new_areas_of_work": "", "old_workgroups": "655694018104", "new_workgroups": "655694018104 655694018105",
	}
	if diff := cmp.Diff(wantLine, line.Detail); diff != "" || line.PersonID != d.nurse || line.Actor != d.manager.Person {
		t.Errorf("the record says %s of %s (-want +got):\n%s", line.Actor, line.PersonID, diff)
	}
	if line := d.last("position_approved"); line.Detail["changed_roles"] != "1" || line.Detail["left_roles"] != "0" {
		t.Errorf("the record of the approval = %v, want how many roles changed", line.Detail)
	}
	holders, err := d.Store.Holders(ctx, []string{id}, store.HolderFilter{}, store.Order{}, "", 10, d.clock())
	must(t, err)
	if len(holders) != 1 || holders[0].Version != 2 {
		t.Errorf("holders = %+v, want one of version 2", holders)
	}
	_, err = d.Ask(ctx, d.sponsor, asked(d.nurse, id))
	refused(t, "Ask(for what she has by now)", err, position.HeldAlready)
}

// What a version adds is withheld from whoever would hold together what nobody does; what it takes away it takes from her too.
func TestVersionKeepsDutiesApart(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	reader, other := d.person(), d.person()
	for _, p := range []string{reader, other} {
		d.hand(p, id)
	}
	reads := d.grant(reader, board, privacy)
	d.revise(id, 1, func(p *position.Draft) { p.Activities = []string{"B0401", "B1300"} })
	if got := d.gives(other); got != "R8000 B0401 B1300" {
		t.Errorf("who may have it has %q, want all of it", got)
	}
	if got := d.gives(reader); got != "R8000 B0401" {
		t.Errorf("who may not have it has %q, want what is left", got)
	}
	why := "R0001 and B1300: who reads the record of what officers did would read her own as sponsor"
	if line := d.last("role_changed"); slices.Contains(d.events("role_changed"), "") || line.Detail["version"] != "2" {
		t.Errorf("the record = %v", line.Detail)
	}
	list, err := d.Store.WithheldRoles(ctx, id, store.HolderFilter{}, store.Order{}, "", 10, now)
	must(t, err)
	if len(list) != 1 || list[0].PersonID != reader || list[0].Withheld != why {
		t.Errorf("withheld = %+v, want it of %s because %s", list, reader, why)
	}
	// A job role that she may not have at all ends what she has.
	d.wait(time.Minute)
	d.revise(id, 2, func(p *position.Draft) { p.JobRole, p.Activities = "S0080:G0450:R5090", []string{"B0401"} })
	if got, others := d.gives(reader), d.gives(other); got != "" || others != "R5090 B0401" {
		t.Errorf("roles = %q and %q, want none, and the new job role", got, others)
	}
	if line := d.last("role_ended"); line.PersonID != reader || !strings.Contains(line.Detail["withheld"], "R0001 and R5090") {
		t.Errorf("the record of the end = %v", line.Detail)
	}
	// When she may have it she asks again.
	d.wait(time.Minute)
	must(t, d.exec(`UPDATE role_profile SET ends_at = $2 WHERE id = $1`, reads, d.clock()))
	d.revise(id, 3, func(p *position.Draft) { p.JobRole, p.Activities = practitioner, []string{"B0401"} })
	d.wait(time.Minute)
	d.hand(reader, id)
	if got := d.gives(reader); got != "R8000 B0401" {
		t.Errorf("roles after she asked again = %q", got)
	}
}

// Whom a version would be withheld from is listed in each order, page by page and each once, those who hold what includes it among them;
// and who is looked for alone.
func TestPreviewIsInOrder(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	wide := d.position(func(p *position.Draft) {
		p.Name, p.Activities, p.Includes = "Ward sister", []string{"B0360"}, []string{id}
	})
	people := map[string]string{}
	for i, family := range []string{"Zander", "adams", "Ädelman"} {
		person, err := directory.AddPerson(ctx, d.Store, directory.NewPerson{GivenName: "Mary", FamilyName: family}, "operator", now)
		must(t, err)
		people[person] = strconv.Itoa(i)
		d.hand(person, map[bool]string{true: wide, false: id}[i == 1])
		d.grant(person, board, privacy)
		d.wait(time.Minute)
	}
	d.hand(d.person(), id) // who gets all of it
	row, err := d.Store.Position(ctx, id)
	must(t, err)
	p, err := position.DraftOf(ctx, d.Store, row.PositionVersion)
	must(t, err)
	p.Activities, p.Reason = append(p.Activities, "B1300"), "Changed"
	version, err := d.Revise(ctx, d.otherManager, id, 1, p)
	must(t, err)
	v, err := d.Store.PositionVersion(ctx, id, version)
	must(t, err)
	e, err := position.EffectOf(ctx, d.Store, v)
	must(t, err)
	list := func(which store.HolderFilter, o store.Order) (got string) {
		for after := ""; len(got) < 9; {
			page, next, err := d.Preview(ctx, e, which, o, after, 1)
			must(t, err)
			for _, w := range page {
				got += people[w.PersonID]
			}
			if after = next; after == "" {
				break
			}
		}
		return got
	}
	for o, want := range map[store.Order]string{
		{By: store.ByStart}: "012", {By: store.ByStart, Descending: true}: "210", {By: store.ByName}: "120", {By: store.ByName, Descending: true}: "021",
	} {
		if got := list(store.HolderFilter{}, o); got != want {
			t.Errorf("Preview(%+v) = %q, want %q", o, got, want)
		}
	}
	for want, which := range map[string]store.HolderFilter{"2": {Name: "Adelman"}, "0": {Name: "Zander"}, "012": {Organisation: hospital}, "": {Organisation: "X09"}} {
		if got := list(which, store.Order{By: store.ByStart}); got != want {
			t.Errorf("Preview(%+v) = %q, want %q", which, got, want)
		}
	}
}

// Who was withheld something asks for it when she may have it, without another version.
func TestWithheldIsAskedAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.position(nil)
	d.hand(d.nurse, id)
	reads := d.grant(d.nurse, board, privacy)
	d.revise(id, 1, func(p *position.Draft) { p.Activities = []string{"B0401", "B1300"} })
	d.wait(time.Minute)
	must(t, d.exec(`UPDATE role_profile SET ends_at = $2 WHERE id = $1`, reads, d.clock()))
	d.hand(d.nurse, id)
	if got := d.gives(d.nurse); got != "R8000 B0401 B1300" {
		t.Errorf("roles = %q, want all of it", got)
	}
}

// A version makes nobody an officer, nor a higher one, who signs in with what others bound: whoever approves it looks at the position. It is asked
// for her again, and whoever decides has seen that. So it is with who holds what includes the position.
func TestVersionMakesNobodyAnOfficerUnseen(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(func(p *position.Draft) { p.Activities = []string{"B0401"} })
	outer := d.position(func(p *position.Draft) { p.Activities, p.Includes = []string{"B0360"}, []string{id} })
	bound, unbound, included := d.nurse, d.person(), d.person()
	d.hand(bound, id)
	d.hand(unbound, id)
	d.hand(included, outer)
	for _, person := range []string{bound, included} {
		d.bound(person, uuid.New(), d.agent.Person, now)
	}
	d.bound(unbound, uuid.New(), "", now)
	d.wait(time.Minute)
	p, err := d.Store.PositionVersion(ctx, id, 1)
	must(t, err)
	p.Version, p.Activities = 2, []string{"B0401", "B0420", "B1300"}
	said, _, err := d.Preview(ctx, position.Effect{PositionVersion: p}, store.HolderFilter{}, store.Order{}, "", 10)
	if err != nil || len(said) != 2 || said[0].Ends || !strings.Contains(said[0].Because, "others had to do with") {
		t.Errorf("Preview() = %v, %v, want the two for whom others bound something", said, err)
	}
	d.revise(id, 1, func(p *position.Draft) { p.Activities = []string{"B0401", "B0420", "B1300"} })
	must(t, d.RollOut(ctx))
	for person, want := range map[string]string{bound: "R8000 B0401", unbound: "R8000 B0401 B0420 B1300", included: "R8000 B0360 B0401"} {
		if got := d.gives(person); got != want {
			t.Errorf("roles = %q, want %q", got, want)
		}
	}
	request := d.ask(asked(bound, id))
	_, err = d.Decide(ctx, d.manager, request, position.Approve, "Yes", "")
	refused(t, "Decide(unseen)", err, position.BoundByOthers)
	bindings, err := d.Store.Bindings(ctx, bound)
	must(t, err)
	_, err = d.Decide(ctx, d.manager, request, position.Approve, "Yes", position.MarkOf(bindings))
	must(t, err)
	if got := d.gives(bound); got != "R8000 B0401 B0420 B1300" {
		t.Errorf("roles when somebody had looked = %q, want all of it", got)
	}
	d.revise(id, 2, func(p *position.Draft) { p.Activities = []string{"B0401", "B1300"} })
	if got := d.gives(bound); got != "R8000 B0401 B1300" {
		t.Errorf("roles of who is the same officer = %q, want what the position gives", got)
	}
}

// Duties that an operator granted despite all are no reason to withhold what has nothing to do with them.
func TestVersionAddsWhatConflictsWithNothing(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.position(func(p *position.Draft) { p.Activities = []string{"B1300"} })
	d.hand(d.nurse, id)
	d.grant(d.nurse, board, privacy) // as with --despite-separation-of-duties
	d.revise(id, 1, func(p *position.Draft) { p.Activities = []string{"B1300", "B0401"} })
	if got := d.gives(d.nurse); got != "R8000 B1300 B0401" {
		t.Errorf("roles = %q, want what was added as well", got)
	}
	d.revise(id, 2, func(p *position.Draft) { p.Activities = []string{"B1300", "B0401", "B0267"} })
	if got := d.gives(d.nurse); got != "R8000 B1300 B0401" {
		t.Errorf("roles = %q, want another conflict withheld", got)
	}
}

// What an included position changes reaches who holds what includes it, in turn; and what closing it takes away.
func TestVersionReachesHoldersOfIncluders(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	deep := d.base("B0420")
	middle := d.base("B0360", deep)
	id := d.position(func(p *position.Draft) { p.Activities, p.Includes = []string{"B0401"}, []string{middle} })
	d.hand(d.nurse, id)
	d.wait(time.Minute)
	d.revise(deep, 1, func(p *position.Draft) { p.Activities = []string{"B0380"} })
	must(t, d.RollOut(ctx))
	if got := d.gives(d.nurse); got != "R8000 B0401 B0360 B0380" {
		t.Errorf("roles after what is included in turn changed = %q", got)
	}
	line := d.last("role_changed")
	if line.Actor != "rollout" || line.Detail["officer"] != d.manager.Person || line.Detail["of_position"] != deep || line.Detail["of_version"] != "2" || line.Detail["position"] != id {
		t.Errorf("the record = %s %v, want by what it changed and who approved that", line.Actor, line.Detail)
	}
	d.wait(time.Minute)
	version, err := d.Close(ctx, d.otherManager, middle, 1, "No more")
	must(t, err)
	_, err = d.Approve(ctx, d.manager, middle, version)
	must(t, err)
	must(t, d.RollOut(ctx))
	if got := d.gives(d.nurse); got != "R8000 B0401" {
		t.Errorf("roles after what is included was closed = %q", got)
	}
}

// Nobody widens her own: neither who approves nor who proposed it holds the position, or what includes it, by whichever of her
// profiles.
func TestNobodyApprovesWhatSheHolds(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	base := d.base("B0360")
	id := d.position(func(p *position.Draft) { p.Includes = []string{base} })
	propose := func() int {
		t.Helper()
		row, err := d.Store.Position(ctx, base)
		must(t, err)
		p, err := position.DraftOf(ctx, d.Store, row.PositionVersion)
		must(t, err)
		p.Activities, p.Reason = []string{"B0360", "B0420"}, "More"
		version, err := d.Revise(ctx, d.agent, base, row.Version, p)
		must(t, err)
		return version
	}
	d.hand(d.manager.Person, id)
	version := propose()
	_, err := d.Approve(ctx, d.manager, base, version)
	refused(t, "Approve(by who holds what includes it)", err, deed.OwnPerson)
	_, err = d.Revise(ctx, d.manager, base, version, draft())
	refused(t, "Revise(by who holds what includes it)", err, deed.OwnPerson)
	_, err = d.Approve(ctx, d.otherManager, base, version)
	must(t, err)

	version = propose()
	_, err = d.Decide(ctx, d.otherAgent, d.ask(asked(d.agent.Person, id)), position.Approve, "Yes", "")
	must(t, err)
	_, err = d.Approve(ctx, d.otherManager, base, version)
	refused(t, "Approve(what somebody proposed who has it since)", err, position.AskerNoOfficer)
	must(t, d.RollOut(ctx))
}

// Many who hold a position follow in batches, whichever replica brings it to them; one that stops in the middle is no harm.
func TestRollOutInBatches(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	const many = 2000
	d.hold(id, many)
	version, err := d.Revise(ctx, d.otherManager, id, 1, func() position.Draft { p := draft(); p.Activities = []string{"B0401"}; return p }())
	must(t, err)
	done, err := d.Approve(ctx, d.manager, id, version)
	must(t, err)
	if done.Changed != 250 || done.Left != many-250 {
		t.Errorf("Approve() = %+v, want the first 250 changed", done)
	}
	// It stops in the middle: of the batch that fails nothing is done, and what was done before stays.
	must(t, d.exec(`ALTER TABLE audit_event ADD CONSTRAINT broken CHECK (event <> 'role_changed' OR sequence % 400 <> 0) NOT VALID`))
	if err := d.RollOut(ctx); err == nil {
		t.Error("RollOut() while a batch fails = nil, want the failure")
	}
	left, err := d.Store.CountBehind(ctx, id, d.clock())
	must(t, err)
	changed := len(d.changedRoles())
	if left == 0 || left%250 != 0 || changed != many-left {
		t.Errorf("left = %d, and %d changed, want whole batches of %d", left, changed, many)
	}
	must(t, d.exec(`ALTER TABLE audit_event DROP CONSTRAINT broken`))
	errs := make(chan error)
	for range 4 {
		go func() { errs <- d.RollOut(ctx) }()
	}
	for range 4 {
		must(t, <-errs)
	}
	roles := d.changedRoles()
	slices.Sort(roles)
	if left, err = d.Store.CountBehind(ctx, id, d.clock()); err != nil || left != 0 || len(roles) != many || len(slices.Compact(roles)) != many {
		t.Errorf("left = %d, %v, and %d roles changed, want each of %d once", left, err, len(roles), many)
	}
}

// Two replicas that each approve and roll out, and officers who give and take meanwhile: nobody waits for another for good, and
// everybody has what the position gives.
func TestRaceOfRollOut(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	base := d.base("B0360")
	id := d.position(func(p *position.Draft) { p.Includes, p.Assignable = []string{base}, true })
	d.hold(id, 300)
	version, err := d.Revise(ctx, d.agent, base, 1, position.Draft{Name: "Base", JobRole: support, Activities: []string{"B0420"}, Reason: "Other"})
	must(t, err)
	var people []string
	for range 16 {
		people = append(people, d.person())
	}
	won, reasons := race(t, func(i int) error {
		switch {
		case i == 0:
			_, err := d.Approve(ctx, d.manager, base, version)
			return err
		case i%2 == 1:
			_, err := d.Ask(ctx, d.sponsor, asked(people[i/2], id))
			return err
		default:
			return d.RollOut(ctx)
		}
	})
	must(t, d.RollOut(ctx))
	if won != 32 {
		t.Errorf("acts that were done = %d, and not for %v, want all", won, reasons)
	}
	for _, p := range people {
		if got := d.gives(p); got != "R8000 B0360 B0401 B0420" {
			t.Errorf("roles of %s = %q, want what the position gives", p, got)
		}
	}
}

// hold has many people hold a position, as if each had been asked and given it.
func (d *desk) hold(id string, many int) {
	d.t.Helper()
	must(d.t, d.exec(`
		WITH n AS (SELECT n, '7' || lpad(n::text, 11, '0') AS id FROM generate_series(1, `+fmt.Sprint(many)+`) n),
		p AS (
			INSERT INTO person (id, handle, given_name, family_name, display_name, title, middle_names, identity_level, created_at)
			SELECT id, sha256(id::bytea), 'Ada', 'Example', 'Ada Example', '', '', 'high', $2 FROM n RETURNING id
		), m AS (INSERT INTO membership (id, person_id, organisation_code, created_at) SELECT id, id, '`+hospital+`', $2 FROM p RETURNING id),
		q AS (
			INSERT INTO request (id, kind, person_id, position_id, position_version, organisation_code, starts_at, reason, asked_by, asked_role, asked_at, lapses_at,
				state, decided_by, decided_role, decided_at, decision_reason)
			SELECT gen_random_uuid(), 'assign_position', id, $1, 1, '`+hospital+`', $2, 'x', $3, $4, $2, $2::timestamptz + interval '1 day', 'approved', $5, $6, $2, 'x' FROM m
			RETURNING id, person_id
		), e AS (
			INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
			SELECT $2::timestamptz, x.event, '', 'a', q.person_id, '', '', '', jsonb_build_object('request', q.id, 'state', 'approved') FROM q, (VALUES ('request_asked'), ('request_decided')) x (event)
		)
		SELECT count(*) FROM q`, id, now, d.sponsor.Person, d.sponsor.Role, d.agent.Person, d.agent.Role))
	must(d.t, d.exec(`DELETE FROM request_queue WHERE request_id IN (SELECT id FROM request WHERE state <> 'open')`))
	must(d.t, d.exec(`
		INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, created_at, position_id, request_id)
		SELECT q.person_id, q.person_id, v.job_role, v.areas_of_work,
			v.activities || ARRAY(SELECT unnest(i.activities) FROM position_version i WHERE i.position_id = ANY (v.includes) AND i.version = 1), v.workgroups, $2, $2, $1, q.id
		FROM request q JOIN position_version v ON v.position_id = q.position_id AND v.version = 1 WHERE q.position_id = $1 AND q.person_id LIKE '7%'
			AND EXISTS (SELECT FROM membership m WHERE m.id = q.person_id)`, id, now))
}

// changedRoles lists the roles that the record says have changed.
func (d *desk) changedRoles() (roles []string) {
	d.t.Helper()
	for after := int64(0); ; {
		list, err := d.Store.AuditEvents(d.t.Context(), after, 1000)
		must(d.t, err)
		for _, e := range list {
			if after = e.Sequence; e.Event == "role_changed" {
				roles = append(roles, e.Detail["role"])
			}
		}
		if len(list) < 1000 {
			return roles
		}
	}
}
