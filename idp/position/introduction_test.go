package position_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
)

// newcomer is somebody who is not on record yet, for whom a position is asked.
func newcomer(of string) position.Introduced {
	return position.Introduced{
		NewPerson: directory.NewPerson{GivenName: "Zoë", FamilyName: "Quist", DateOfBirth: new(time.Date(1985, time.February, 1, 0, 0, 0, 0, time.UTC))},
		Position:  of, Reason: "Starts on Monday",
	}
}

// A sponsor introduces somebody, an officer takes her up, and a third one approves: none of them does two of the three.
func TestIntroductionIsTakenUpAndApprovedByOthers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx, ward := t.Context(), d.position(nil)
	id, err := d.Introduce(ctx, d.sponsor, newcomer(ward))
	must(t, err)
	introduced := func() uuid.UUID {
		t.Helper()
		id, err := d.Introduce(ctx, d.agent, newcomer(ward))
		must(t, err)
		return id
	}
	own := introduced()

	for _, test := range []struct {
		name   string
		by     deed.Acting
		id     uuid.UUID
		person string
		want   deed.Reason
	}{
		{"a sponsor takes nobody up", d.otherSponsor, id, d.nurse, deed.NoRight},
		{"an officer elsewhere takes nobody up", d.elsewhere, id, d.nurse, deed.AnotherOrganisation},
		{"who asked does not take up", d.agent, own, d.nurse, deed.OwnRequest},
		{"nobody is taken up as herself", d.agent, id, d.agent.Person, deed.OwnPerson},
		{"who asked is not whom she introduced", d.agent, id, d.sponsor.Person, deed.OwnPerson},
	} {
		_, err := d.TakeUp(ctx, test.by, test.id, test.person)
		refused(t, test.name, err, test.want)
	}

	request, err := d.TakeUp(ctx, d.agent, id, d.nurse)
	must(t, err)
	_, err = d.TakeUp(ctx, d.otherAgent, id, d.nurse)
	refused(t, "TakeUp again", err, position.EndedAlready)
	asked, err := d.Store.Request(ctx, request)
	must(t, err)
	if asked.AskedBy != d.sponsor.Person || asked.AskedRole != d.sponsor.Role || asked.PersonID != d.nurse || *asked.TakenUpBy != d.agent.Person || asked.State != "open" {
		t.Errorf("the request is %+v, want an open one of the sponsor for the nurse", asked)
	}
	_, err = d.Decide(ctx, d.agent, request, position.Approve, "As asked", "")
	refused(t, "Decide by who took the person up", err, position.TookUp)
	_, err = d.Decide(ctx, d.sponsor, request, position.Approve, "As asked", "")
	refused(t, "Decide by who asked", err, deed.NoRight)
	answer, err := d.Decide(ctx, d.otherAgent, request, position.Approve, "As asked", "")
	if must(t, err); answer.Role == "" {
		t.Errorf("Decide by another = %+v, want a role", answer)
	}
}

// What a sponsor may give at once is not given so to somebody whom nobody has proved.
func TestIntroductionIsNeverGivenAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id, err := d.Introduce(t.Context(), d.sponsor, newcomer(d.position(func(p *position.Draft) { p.Assignable = true })))
	must(t, err)
	request, err := d.TakeUp(t.Context(), d.agent, id, d.nurse)
	must(t, err)
	if asked, err := d.Store.Request(t.Context(), request); err != nil || asked.State != "open" {
		t.Errorf("the request for an assignable position is %s, %v, want it to wait", asked.State, err)
	}
}

// Nothing comes of an introduction whose sponsor is no officer any more, or whose position has changed.
func TestIntroductionIsLookedAtAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx, of := t.Context(), d.position(nil)
	id, err := d.Introduce(ctx, d.sponsor, newcomer(of))
	must(t, err)
	theirs, err := d.Introduce(ctx, d.otherSponsor, newcomer(of))
	must(t, err)
	must(t, d.exec(`UPDATE role_profile SET ends_at = $2 WHERE id = $1`, d.otherSponsor.Role, now.Add(time.Minute)))
	d.wait(time.Hour)
	_, err = d.TakeUp(ctx, d.agent, theirs, d.nurse)
	refused(t, "TakeUp of what no officer asks", err, position.AskerNoOfficer)
	d.revise(of, 1, func(p *position.Draft) { p.Name = "Another ward" })
	_, err = d.TakeUp(ctx, d.agent, id, d.nurse)
	refused(t, "TakeUp of what has changed", err, deed.ChangedSince)
}

// An introduction ends once: it is withdrawn by who asked, refused by who could take it up, or lapses.
func TestIntroductionEnds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx, of := t.Context(), d.position(nil)
	introduce := func() uuid.UUID {
		t.Helper()
		id, err := d.Introduce(ctx, d.sponsor, newcomer(of))
		must(t, err)
		return id
	}
	turnedDown, withdrawn, lapsed := introduce(), introduce(), introduce()
	refused(t, "Dismiss by another sponsor", d.Dismiss(ctx, d.otherSponsor, turnedDown, "No"), deed.NoRight)
	must(t, d.Dismiss(ctx, d.agent, turnedDown, "No such post"))
	must(t, d.Dismiss(ctx, d.sponsor, withdrawn, "She will not come"))
	refused(t, "Dismiss again", d.Dismiss(ctx, d.sponsor, turnedDown, "No"), position.EndedAlready)
	d.wait(31 * 24 * time.Hour)
	_, err := d.TakeUp(ctx, d.agent, lapsed, d.nurse)
	refused(t, "TakeUp too late", err, position.Lapsed)
	must(t, d.Lapse(ctx))
	for id, want := range map[uuid.UUID]string{turnedDown: "refused", withdrawn: "withdrawn", lapsed: "lapsed"} {
		if i, err := d.Store.Introduction(ctx, id); err != nil || i.State != want {
			t.Errorf("the introduction is %s, %v, want %s", i.State, err, want)
		}
	}
	if n, err := d.Store.SweepIntroductions(ctx, now.Add(31*24*time.Hour), 10); err != nil || n != 3 {
		t.Errorf("SweepIntroductions = %d, %v, want the names of all three gone", n, err)
	}
}

// The schema holds who takes part, whatever the program does.
func TestSchemaKeepsIntroductions(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx, of := t.Context(), d.position(nil)
	id, err := d.Introduce(ctx, d.sponsor, newcomer(of))
	must(t, err)
	violates := func(rule, statement string, id uuid.UUID) {
		t.Helper()
		if err := d.exec(statement, id); err == nil || !strings.Contains(fmt.Sprintf("%+v", err), rule) && !strings.Contains(err.Error(), "ends once") {
			t.Errorf("%s = %v, want it refused by %s", statement, err, rule)
		}
	}
	for constraint, statement := range map[string]string{
		"introduction_ended_by_another":     `UPDATE introduction SET state = 'refused', ended_by = asked_by, ended_role = asked_role, ended_at = asked_at, ended_reason = 'x' WHERE id = $1`,
		"introduction_taken_up_wholly":      `UPDATE introduction SET state = 'taken_up', ended_by = '` + d.agent.Person + `', ended_role = '` + d.agent.Role + `', ended_at = asked_at WHERE id = $1`,
		"introduction_refused_for_a_reason": `UPDATE introduction SET state = 'refused', ended_by = '` + d.agent.Person + `', ended_role = '` + d.agent.Role + `', ended_at = asked_at WHERE id = $1`,
		"introduction_ends_once":            `DELETE FROM introduction WHERE id = $1`,
	} {
		violates(constraint, statement, id)
	}
	request, err := d.TakeUp(ctx, d.agent, id, d.nurse)
	must(t, err)
	violates("introduction_ends_once", `UPDATE introduction SET state = 'lapsed' WHERE id = $1`, id)
	violates("request_approved_by_another", `UPDATE request SET state = 'approved', decided_by = taken_up_by, decided_role = '`+d.agent.Role+`', decided_at = asked_at, decision_reason = 'x' WHERE id = $1`, request)
}
