package position_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// What an operator grants is no more than anybody may hold together, unless she says that she means it, which is recorded.
func TestGrantKeepsDutiesApart(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	role := directory.NewRole{PersonID: d.sponsor.Person, Organisation: hospital, JobRole: privacy, Unlisted: true}
	_, err := d.Grant(ctx, role, "operator", position.Known{})
	refused(t, "Grant(what is kept apart)", err, position.SeparationOfDuties)
	if got := d.roles(d.sponsor.Person); len(got) != 1 {
		t.Errorf("roles = %v, want the one that she had", got)
	}
	id, err := d.Grant(ctx, role, "operator", position.Known{Separated: true})
	must(t, err)
	if got := d.last("role_granted").Detail; got["role"] != id || !strings.HasPrefix(got["despite_separation_of_duties"], "R0001 and B1300: ") {
		t.Errorf("the record of the role = %v, want what it was granted despite", got)
	}
	role.PersonID = d.nurse // who has nothing
	_, err = d.Grant(ctx, role, "operator", position.Known{Separated: true})
	must(t, err)
	if got, despite := d.last("role_granted").Detail["despite_separation_of_duties"]; despite {
		t.Errorf("the record of a role that goes with all others = %q, want nothing", got)
	}
	role.PersonID = d.agent.Person
	role.StartsAt, role.EndsAt = now.AddDate(0, 0, 1), new(now.AddDate(0, 0, 2))
	_, err = d.Grant(ctx, role, "operator", position.Known{})
	refused(t, "Grant(for another day, on which she is an agent still)", err, position.SeparationOfDuties)
	role.PersonID = "000000000009"
	if _, err := d.Grant(ctx, role, "operator", position.Known{}); !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("Grant(to nobody) = %v, want %v", err, directory.ErrUnknown)
	}
	role.JobRole = "R1"
	if _, err := d.Grant(ctx, role, "operator", position.Known{}); !errors.Is(err, directory.ErrUnknownCode) {
		t.Errorf("Grant(of no code) = %v, want %v", err, directory.ErrUnknownCode)
	}
}

// Whom an operator makes an officer had nothing bound to her by another, or by what another bound, unless the operator knows, which is
// recorded. What makes nobody an officer is asked nothing.
func TestGrantSaysWhoBoundWhat(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	officer := directory.NewRole{PersonID: d.nurse, Organisation: hospital, JobRole: raManager}
	nurse := directory.NewRole{PersonID: d.nurse, Organisation: hospital, JobRole: "S8000:G8000:R8001", Activities: []string{"B0401"}}
	hers := uuid.MustParse("01935c5e-7a70-7000-8000-000000000001")
	bound := func(id uuid.UUID, by string, at time.Time) {
		t.Helper()
		d.bound(d.nurse, id, by, at)
	}
	known := func(want string) {
		t.Helper()
		bindings, err := d.Store.Bindings(t.Context(), d.nurse)
		must(t, err)
		_, err = d.Grant(t.Context(), officer, "operator", position.Known{Bound: position.MarkOf(bindings[:1])})
		if _, unseen := errors.AsType[*position.BoundError](err); !unseen {
			t.Errorf("Grant(to whom something was bound since it was looked at) = %v, want all of it", err)
		}
		id, err := d.Grant(t.Context(), officer, "operator", position.Known{Bound: position.MarkOf(bindings)})
		must(t, err)
		if got := d.last("role_granted").Detail["authenticators_bound_by"]; got != want {
			t.Errorf("the record says that it was bound by %q, want %q", got, want)
		}
		must(t, directory.EndRole(t.Context(), d.Store, id, "operator", now))
	}
	bound(hers, "", now)
	bound(uuid.New(), "operator:root", now)
	must(t, d.exec(`INSERT INTO enrolment_link (hash, person_id, created_at, expires_at) VALUES (sha256('x'), $1, $2, $2::timestamptz + interval '1 day')`, d.nurse, now))
	_, err := d.Grant(t.Context(), nurse, "operator", position.Known{})
	must(t, err)
	if n := d.unspent(); n != 1 {
		t.Errorf("enrolment links of who is made no officer = %d, want the 1", n)
	}
	id, err := d.Grant(t.Context(), officer, "operator", position.Known{})
	must(t, err) // she bound one, and an operator the other
	must(t, directory.EndRole(t.Context(), d.Store, id, "operator", now))
	if n := d.unspent(); n != 0 {
		t.Errorf("enrolment links of who is made an officer = %d, want none", n)
	}

	agents, added := uuid.New(), uuid.New()
	bound(agents, d.agent.Person, now.Add(time.Hour))
	bound(added, "", now.Add(2*time.Hour)) // by whoever had that one
	_, err = d.Grant(t.Context(), officer, "operator", position.Known{})
	e, ok := errors.AsType[*position.BoundError](err)
	if !ok || len(e.Bindings) != 2 || e.Bindings[0].AuthenticatorID != agents || e.Bindings[1].AuthenticatorID != added || e.Bindings[1].By != d.agent.Person {
		t.Fatalf("Grant(to whom an agent bound a key) = %v, want that and what was added after it", err)
	}
	if got := d.roles(d.nurse); len(got) != 1 {
		t.Errorf("roles = %v, want no more than she had", got)
	}
	_, err = d.Grant(t.Context(), directory.NewRole{PersonID: d.nurse, Organisation: hospital, JobRole: "S8000:G8000:R8000"}, "operator", position.Known{})
	must(t, err)
	known(d.agent.Person)
	must(t, d.exec(`UPDATE authenticator SET state = 'revoked', revoked_at = $2 WHERE id = $1`, agents, now))
	_, err = d.Grant(t.Context(), officer, "operator", position.Known{})
	if e, ok := errors.AsType[*position.BoundError](err); !ok || len(e.Bindings) != 1 || e.Bindings[0].AuthenticatorID != added {
		t.Errorf("Grant(once the agent's was revoked) = %v, want what was added by it", err)
	}
	must(t, d.exec(`UPDATE authenticator SET state = 'revoked', revoked_at = $2 WHERE id = $1`, added, now))
	_, err = d.Grant(t.Context(), officer, "operator", position.Known{})
	must(t, err)
}

// bound has somebody bind a key to a person.
func (d *desk) bound(person string, id uuid.UUID, by string, at time.Time) {
	d.t.Helper()
	must(d.t, d.exec(`INSERT INTO authenticator (id, person_id, name, kind, credential_id, public_key, sign_count, aaguid, transports, backup_eligible, backup_state, attestation_format,
			attestation_object, client_data, created_at)
		VALUES ($1, $2, 'blue "key"', 'security-key', $3, 'k', 0, $1, '{}', false, false, 'none', 'o', 'd', $4)`, id, person, id[:], at))
	must(d.t, d.Store.InTx(d.t.Context(), func(tx *store.Tx) error {
		return audit.Record(d.t.Context(), tx, audit.Entry{At: at, Event: audit.Enrolled, Actor: by, Person: person, Detail: map[string]string{"authenticator": id.String()}})
	}))
}

// unspent counts the enrolment links of the nurse that work.
func (d *desk) unspent() (n int) {
	d.t.Helper()
	must(d.t, d.connect().QueryRow(d.t.Context(), `SELECT count(*) FROM enrolment_link WHERE person_id = $1 AND used_at IS NULL`, d.nurse).Scan(&n))
	return n
}

// Each giving of a position ends by itself: a short one ends nothing that follows it for longer.
func TestShortGivingLeavesTheNext(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	give := func(from, until time.Time) {
		t.Helper()
		q := asked(d.nurse, id)
		q.StartsAt, q.ExpiresAt = from, new(until)
		a, err := d.Ask(ctx, d.sponsor, q)
		must(t, err)
		_, err = d.Decide(ctx, d.agent, a.Request, position.Approve, "Yes", "")
		must(t, err)
	}
	month := func(n int) time.Time { return now.AddDate(0, n, 0) }
	give(month(2), month(12))
	give(month(0), month(3)) // the first month of the other one is of both
	held := func(last int) {
		t.Helper()
		for n := range 15 {
			p, err := d.Store.Person(ctx, d.nurse, month(n).Add(time.Hour))
			must(t, err)
			if got := len(p.Person.Roles); got == 0 && n < last || got > 0 && n >= last {
				t.Errorf("roles after %d months = %d, want some until %d are over", n, got, last)
			}
		}
	}
	held(12)
	give(month(1), month(14)) // all of what is left, and more: it takes the place of both
	held(14)
}

// What an officer asked or proposed whose evidence was found forged since, say, nobody approves before she is proved again.
func TestAskerWhoIsNotProvedAnyMore(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	request := d.ask(asked(d.nurse, d.position(nil)))
	draftID, err := d.Propose(ctx, d.otherAgent, hospital, draft())
	must(t, err)
	for _, level := range []string{"none", "low", "medium"} {
		must(t, d.exec(`UPDATE person SET identity_level = $3 WHERE id IN ($1, $2)`, d.sponsor.Person, d.otherAgent.Person, level))
		_, err = d.Decide(ctx, d.agent, request, position.Approve, "Yes", "")
		refused(t, "Decide(what somebody asked whose level is "+level+")", err, position.AskerNoOfficer)
		_, err = d.Approve(ctx, d.manager, draftID, 1)
		refused(t, "Approve(what somebody proposed whose level is "+level+")", err, position.AskerNoOfficer)
	}
	must(t, d.exec(`UPDATE person SET identity_level = 'high' WHERE id IN ($1, $2)`, d.sponsor.Person, d.otherAgent.Person))
	_, err = d.Decide(ctx, d.agent, request, position.Approve, "Yes", "")
	must(t, err)
	_, err = d.Approve(ctx, d.manager, draftID, 1)
	must(t, err)
}

// What an officer asked or proposed who is none any more nobody approves; another asks again.
func TestAskerWhoIsNoOfficerAnyMore(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	request := d.ask(asked(d.nurse, id))
	draftID, err := d.Propose(ctx, d.otherAgent, hospital, draft())
	must(t, err)
	closing, err := d.Close(ctx, d.otherAgent, id, 1, "It goes")
	must(t, err)
	must(t, directory.DisablePerson(ctx, d.Store, d.sponsor.Person, "operator", now))
	must(t, directory.EndRole(ctx, d.Store, d.otherAgent.Role, "operator", now))

	_, err = d.Decide(ctx, d.agent, request, position.Approve, "Yes", "")
	refused(t, "Decide(what somebody asked who is disabled)", err, position.AskerNoOfficer)
	_, err = d.Approve(ctx, d.manager, draftID, 1)
	refused(t, "Approve(what somebody proposed who is no officer)", err, position.AskerNoOfficer)
	_, err = d.Approve(ctx, d.manager, id, closing)
	refused(t, "Approve(the end that she proposed)", err, position.AskerNoOfficer)

	_, err = d.Decide(ctx, d.agent, request, position.Refuse, "Ask again", "")
	must(t, err)
	a, err := d.Ask(ctx, d.otherSponsor, asked(d.nurse, id))
	must(t, err)
	_, err = d.Decide(ctx, d.agent, a.Request, position.Approve, "Yes", "")
	must(t, err)
	d.grant(d.otherAgent.Person, hospital, practitioner, "B9001") // another role, and she may again
	_, err = d.Approve(ctx, d.manager, draftID, 1)
	must(t, err)
}

// A workgroup gets its name when a position that names it is approved, and keeps it.
func TestWorkgroupNames(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	first, err := d.Propose(ctx, d.agent, hospital, draft())
	must(t, err)
	if known, err := d.Store.Workgroups(ctx, []string{"655694018104"}); err != nil || len(known) != 0 {
		t.Errorf("workgroups of a draft on record = %v, %v, want none", known, err)
	}
	other := draft()
	other.Workgroups[0].Name = "Ward 5"
	second, err := d.Propose(ctx, d.agent, hospital, other)
	must(t, err)
	row, err := d.Store.Position(ctx, second)
	must(t, err)
	if again, err := position.DraftOf(ctx, d.Store, row.PositionVersion); err != nil || again.Workgroups[0].Name != "Ward 5" {
		t.Errorf("DraftOf(what is proposed) = %v, %v, want the name that was proposed", again, err)
	}
	_, err = d.Approve(ctx, d.manager, first, 1)
	must(t, err)
	for call, do := range map[string]func() error{
		"Approve(with another name)": func() error { _, err := d.Approve(ctx, d.manager, second, 1); return err },
		"Propose(with another name)": func() error { _, err := d.Propose(ctx, d.agent, hospital, other); return err },
		"Revise(to another name)":    func() error { _, err := d.Revise(ctx, d.agent, first, 1, other); return err },
	} {
		err := do()
		if refused(t, call, err, position.WorkgroupNamed); err != nil && !strings.Contains(err.Error(), `655694018104 is called "Ward 4", and not "Ward 5"`) {
			t.Errorf("%s = %v, want both names", call, err)
		}
	}
	_, err = d.Revise(ctx, d.agent, second, 1, draft())
	must(t, err)
	_, err = d.Approve(ctx, d.manager, second, 2)
	must(t, err)
}
