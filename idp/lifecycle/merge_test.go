package lifecycle_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// Two officers merge two profiles: the one that is kept has the roles of both and the level that it had, and the other has nothing.
func TestMerge(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	own := d.grant(nurse, hospital, "S8000:G8000:R8001")
	moved := d.grant(former, hospital, "S8001:G8002:R8008")
	other := d.grant(former, surgery, "S8000:G8000:R8001")
	forHer := d.request(former, sponsor)
	given := d.request(former, sponsor)
	_, err := d.positions.Decide(ctx, agent, given, position.Approve, "Yes", "")
	must(t, err)

	id, err := d.ProposeMerge(ctx, manager, former, nurse, "She told me so")
	must(t, err)
	_, err = d.ProposeMerge(ctx, advanced, nurse, former, "The other way round")
	refused(t, "ProposeMerge(what is proposed)", err, lifecycle.ProposedAlready)
	refused(t, "DecideMerge(who proposed it)", d.DecideMerge(ctx, manager, id, position.Approve, "Yes", ""), deed.OwnRequest)
	refused(t, "DecideMerge(an agent)", d.DecideMerge(ctx, agent, id, position.Approve, "Yes", ""), deed.NoRight)
	if err := d.DecideMerge(ctx, manager, id, "perhaps", "Yes", ""); !isInvalid(err) {
		t.Errorf("DecideMerge(perhaps) = %v, want it invalid", err)
	}
	second := d.manager(board)
	must(t, d.DecideMerge(ctx, second, id, position.Approve, "The same photograph", ""))
	refused(t, "DecideMerge(again)", d.DecideMerge(ctx, second, id, position.Approve, "Yes", ""), lifecycle.Merged)
	refused(t, "DecideMerge(to refuse it after all)", d.DecideMerge(ctx, second, id, position.Refuse, "No", ""), deed.DecidedAlready)

	kept, gone := d.standing(nurse), d.standing(former)
	has := map[string]bool{}
	for _, r := range kept.Person.Roles {
		has[r.ID] = true
	}
	if len(has) != 4 || !has[own] || !has[moved] || !has[other] || kept.Person.IdentityLevel != "medium" || !kept.PersonStands {
		t.Errorf("the profile that is kept = %+v, want four roles and level medium", kept)
	}
	if gone.PersonStands || len(gone.Person.Roles) != 0 || gone.Person.IdentityLevel != "none" {
		t.Errorf("the profile that was merged = %+v, want nothing", gone)
	}
	if r, err := d.Store.Request(ctx, forHer); err != nil || r.State != "lapsed" {
		t.Errorf("request = %s, %v, want it lapsed", r.State, err)
	}
	if into, err := d.Store.MergedInto(ctx, nurse); err != nil || len(into) != 1 || into[0] != former {
		t.Errorf("MergedInto = %v, %v, want the one", into, err)
	}
	changes, err := d.Store.PersonChanges(ctx, []string{nurse, former}, store.Order{Descending: true}, uuid.Nil, 10)
	if err != nil || len(changes) != 2 {
		t.Errorf("what was changed = %v, %v, want a row of each", changes, err)
	}
	refused(t, "Reopen(what was merged)", d.Reopen(ctx, manager, former, "No"), lifecycle.Merged)
	_, err = d.ProposeMerge(ctx, manager, nurse, former, "Back")
	refused(t, "ProposeMerge(into what was merged)", err, lifecycle.Merged)

	// A third profile of hers: what led to the second leads to it.
	third := d.person("Jory", "Vale")
	id, err = d.ProposeMerge(ctx, manager, nurse, third, "One more")
	must(t, err)
	must(t, d.DecideMerge(ctx, second, id, position.Approve, "Yes", ""))
	if into, err := d.Store.MergedInto(ctx, third); err != nil || len(into) != 2 {
		t.Errorf("MergedInto(the third) = %v, %v, want both", into, err)
	}
}

func TestMergeRefuses(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	one, other := d.person("Ada", "Example"), d.person("Ada", "Exampel")
	d.grant(one, hospital, "S8002:G8003:R0001") // a privacy officer
	d.grant(other, hospital, "S8001:G8002:R8008", "B0267")
	for _, test := range []struct {
		name            string
		by              deed.Acting
		duplicate, kept string
		want            deed.Reason
	}{
		{"an agent", agent, nurse, former, deed.NoRight},
		{"a sponsor", sponsor, nurse, former, deed.NoRight},
		{"herself, to be closed", manager, manager.Person, former, deed.OwnPerson},
		{"herself, to be kept", manager, nurse, manager.Person, deed.OwnPerson},
		{"a profile into itself", manager, nurse, nurse, lifecycle.SamePerson},
		{"an officer above her", advanced, manager.Person, nurse, deed.AnotherOrganisation},
		{"what nobody holds together", manager, one, other, position.SeparationOfDuties},
	} {
		_, err := d.ProposeMerge(ctx, test.by, test.duplicate, test.kept, "The same")
		refused(t, "ProposeMerge("+test.name+")", err, test.want)
	}
	if _, err := d.ProposeMerge(ctx, manager, nurse, former, ""); !isInvalid(err) {
		t.Errorf("ProposeMerge(for no reason) = %v, want it invalid", err)
	}
	// What is closed before it is decided is not merged; it can be refused.
	id, err := d.ProposeMerge(ctx, manager, nurse, former, "The same")
	must(t, err)
	must(t, d.Close(ctx, agent, nurse, lifecycle.Deceased, "Certificate seen"))
	second := d.manager(board)
	refused(t, "DecideMerge(of what is closed)", d.DecideMerge(ctx, second, id, position.Approve, "Yes", ""), lifecycle.Closed)
	must(t, d.DecideMerge(ctx, second, id, position.Refuse, "She died", ""))
	if d.standing(former).Person.IdentityLevel != "high" {
		t.Error("what was refused changed a level")
	}
}

// Merges that cross, or that many approve at once, happen once, and lead nowhere twice.
func TestRaceToMerge(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	second := d.manager(board)
	third := d.person("Jory", "Vale")
	var ids []uuid.UUID
	for _, pair := range [][2]string{{nurse, former}, {former, third}, {third, nurse}} { // a ring
		id, err := d.ProposeMerge(ctx, manager, pair[0], pair[1], "The same")
		must(t, err)
		ids = append(ids, id)
	}
	errs := together(12, func(i int) error { return d.DecideMerge(ctx, second, ids[i%len(ids)], position.Approve, "Yes", "") })
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		}
	}
	if done != 2 {
		t.Errorf("merges done = %d, want 2 of the ring: %v", done, errs)
	}
	open := 0
	for _, person := range []string{nurse, former, third} {
		if d.standing(person).PersonStands {
			open++
			if into, err := d.Store.MergedInto(ctx, person); err != nil || len(into) != 2 {
				t.Errorf("MergedInto(the one that is left) = %v, %v, want both", into, err)
			}
		}
	}
	if open != 1 {
		t.Errorf("profiles left = %d, want 1", open)
	}
}

// What somebody has is not moved to a profile that anybody may have made in her name: that one is merged into hers, or proved first.
func TestMergeKeepsWhoIsProved(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	registered := func() string {
		id := d.person("Nia", "Nurse")
		d.exec(`UPDATE person SET self_registered_organisation = 'ZX100', identity_level = 'low' WHERE id = $1`, id)
		must(t, audit.Record(t.Context(), d.Store, audit.Entry{At: now, Event: audit.SelfRegistered, Person: id, Detail: map[string]string{"organisation": "ZX100"}}))
		return id
	}
	hers, another := registered(), registered()
	_, err := d.ProposeMerge(t.Context(), manager, nurse, hers, "One person")
	refused(t, "ProposeMerge(into one of somebody unproved)", err, lifecycle.KeptUnproved)

	d.exec(`UPDATE person SET identity_level = 'medium' WHERE id = $1`, hers)
	id, err := d.ProposeMerge(t.Context(), manager, nurse, hers, "One person")
	must(t, err)
	d.exec(`UPDATE person SET identity_level = 'low' WHERE id = $1`, hers) // meanwhile
	second := d.manager(board)
	refused(t, "DecideMerge(into one of somebody unproved by now)", d.DecideMerge(t.Context(), second, id, position.Approve, "Yes", ""), lifecycle.KeptUnproved)
	must(t, d.DecideMerge(t.Context(), second, id, position.Refuse, "No", ""))

	id, err = d.ProposeMerge(t.Context(), manager, another, hers, "Neither is proved")
	must(t, err)
	must(t, d.DecideMerge(t.Context(), second, id, position.Approve, "Yes", ""))
	id, err = d.ProposeMerge(t.Context(), manager, hers, nurse, "The proved one is kept")
	must(t, err)
	must(t, d.DecideMerge(t.Context(), second, id, position.Approve, "Yes", ""))
}
