package position_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

func managers(p *position.Draft) { p.Name, p.JobRole, p.Activities = "RA manager", raManager, nil }

// Nobody takes away an office above her own, by no way: not by the end of what somebody holds, and not by closing a position
// that has become another since she got it.
func TestNobodyTakesFromAbove(t *testing.T) {
	t.Parallel()
	t.Run("by an end", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		id := d.position(managers)
		_, err := d.Decide(t.Context(), d.manager, d.ask(asked(d.nurse, id)), position.Approve, "Yes")
		must(t, err)
		q := asked(d.nurse, id)
		q.Kind = position.End
		request := d.ask(q)
		_, err = d.Decide(t.Context(), d.agent, request, position.Approve, "Out")
		refused(t, "Decide(by an agent, that a manager is none)", err, deed.AboveOwn)
		if got := d.roles(d.nurse); len(got) != 1 {
			t.Errorf("roles = %v, want the one", got)
		}
		_, err = d.Decide(t.Context(), d.manager, request, position.Approve, "She leaves")
		must(t, err)
	})
	t.Run("by closing what is to be changed", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		id := d.position(managers)
		_, err := d.Decide(t.Context(), d.manager, d.ask(asked(d.nurse, id)), position.Approve, "Yes")
		must(t, err)
		version, err := d.Revise(t.Context(), d.otherManager, id, 1, draft())
		must(t, err)
		_, err = d.Close(t.Context(), d.agent, id, version, "Gone")
		refused(t, "Close(by an agent, of what managers hold)", err, deed.AboveOwn)
		version, err = d.Close(t.Context(), d.otherManager, id, version, "Gone")
		must(t, err)
		_, err = d.Approve(t.Context(), d.otherAgent, id, version)
		refused(t, "Approve(by an agent, the close of what managers hold)", err, deed.AboveOwn)
		_, err = d.Approve(t.Context(), d.manager, id, version)
		must(t, err)
	})
	t.Run("but what managers held and do not hold any more is closed by agents", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		id := d.position(managers)
		_, err := d.Decide(t.Context(), d.manager, d.ask(asked(d.nurse, id)), position.Approve, "Yes")
		must(t, err)
		version, err := d.Revise(t.Context(), d.otherManager, id, 1, draft())
		must(t, err)
		_, err = d.Approve(t.Context(), d.manager, id, version)
		must(t, err)
		version, err = d.Close(t.Context(), d.agent, id, version, "Gone")
		must(t, err)
		_, err = d.Approve(t.Context(), d.otherAgent, id, version)
		must(t, err)
	})
}

// Whoever has more roles, now and to come, than are looked at gets no more: duties that are separated could hide among them.
func TestRolesBeyondWhatIsLookedAt(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(func(p *position.Draft) { p.Assignable = true })
	var err error
	given := 0
	for ; err == nil && given <= 250; given++ {
		q := asked(d.nurse, id)
		q.StartsAt = now.AddDate(1, 0, 2*given)
		q.ExpiresAt = new(now.AddDate(1, 0, 2*given+1))
		_, err = d.Ask(ctx, d.sponsor, q)
	}
	refused(t, "Ask(for one more)", err, position.TooManyRoles)
	if given < 100 {
		t.Errorf("roles that were given = %d, want some hundred first", given)
	}
}

// A link that was made while somebody was nobody's officer binds nothing to the officer that she becomes: whoever made it may
// make none for her now.
func TestLinksFromBeforeAnOffice(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		position func(*position.Draft)
		spent    bool
	}{
		"she becomes an officer": {managers, true},
		"she becomes a nurse":    {func(*position.Draft) {}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, ctx := newDesk(t), t.Context()
			link := bytes.Repeat([]byte{7}, 32)
			must(t, d.Store.InTx(ctx, func(tx *store.Tx) error {
				return tx.AddEnrolmentLink(ctx, link, nil, d.nurse, now, now.AddDate(0, 0, 1))
			}))
			_, err := d.Decide(ctx, d.manager, d.ask(asked(d.nurse, d.position(tt.position))), position.Approve, "Yes")
			must(t, err)
			found, err := d.Store.EnrolmentLink(ctx, link, now)
			must(t, err)
			if spent := found.UsedAt != nil; spent != tt.spent {
				t.Errorf("the link is spent = %t, want %t", spent, tt.spent)
			}
		})
	}
}

// What an officer bound to somebody before signs in no officer above that one: it is suspended with all that came after it, and nothing else is.
func TestAuthenticatorsFromBeforeAnOffice(t *testing.T) {
	t.Parallel()
	type bound struct {
		by   func(*desk) string // who bound it, or made the link through which she did; "" is nobody but she
		want string
	}
	herself, agent, manager := func(*desk) string { return "" }, func(d *desk) string { return d.agent.Person }, func(d *desk) string { return d.manager.Person }
	for name, tt := range map[string]struct {
		position func(*position.Draft)
		bound    []bound
	}{
		"by an agent to a manager":            {managers, []bound{{herself, "active"}, {agent, "suspended"}, {herself, "suspended"}}},
		"by a manager to a manager":           {managers, []bound{{manager, "active"}, {herself, "active"}}},
		"by an agent to a nurse":              {func(*position.Draft) {}, []bound{{agent, "active"}}},
		"by an agent to another agent":        {func(p *position.Draft) { p.JobRole = "S0080:G0450:R5090" }, []bound{{agent, "active"}}},
		"by who is no officer any more":       {managers, []bound{{func(d *desk) string { return d.person() }, "suspended"}}},
		"by herself, and nobody had to do it": {managers, []bound{{herself, "active"}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			var ids []uuid.UUID
			for i, b := range tt.bound {
				id, at := uuid.New(), now.Add(time.Duration(i-10)*time.Minute)
				must(t, d.Store.AddAuthenticator(t.Context(), store.Authenticator{
					ID: id, PersonID: d.nurse, Name: "Key", Kind: "passkey", CredentialID: id[:], PublicKey: []byte{1}, AAGUID: uuid.New(), Transports: []string{},
					AttestationFormat: "none", AttestationObject: []byte{1}, ClientData: []byte{1}, AttestationVerdict: "none", CreatedAt: at,
				}))
				if by := b.by(d); by != "" {
					must(t, audit.Record(t.Context(), d.Store, audit.Entry{At: at, Event: audit.EnrolmentLinkMade, Actor: by, Person: d.nurse}))
				}
				must(t, audit.Record(t.Context(), d.Store, audit.Entry{At: at, Event: audit.Enrolled, Person: d.nurse, Detail: map[string]string{"authenticator": id.String()}}))
				ids = append(ids, id)
			}
			p := d.position(tt.position)
			give := func(ends *time.Time) {
				q := asked(d.nurse, p)
				q.ExpiresAt = ends
				_, err := d.Decide(t.Context(), d.manager, d.ask(q), position.Approve, "Yes")
				must(t, err)
			}
			states := func() map[uuid.UUID]string {
				list, err := d.Store.Authenticators(t.Context(), d.nurse, true)
				must(t, err)
				got := map[uuid.UUID]string{}
				for _, a := range list {
					got[a.ID] = a.State
				}
				return got
			}
			give(new(now.AddDate(0, 1, 0)))
			suspended := 0
			for i, b := range tt.bound {
				if got := states()[ids[i]]; got != b.want {
					t.Errorf("authenticator %d is %s, want %s", i, got, b.want)
				}
				if b.want == "suspended" {
					suspended++
					_, err := d.Store.ChangeAuthenticator(t.Context(), ids[i], "suspended", "active", now)
					must(t, err)
				}
			}
			if got := len(d.events("authenticator_suspended")); got != suspended {
				t.Errorf("suspensions on record = %d, want %d", got, suspended)
			}
			give(nil) // it is only made longer
			for id, state := range states() {
				if state != "active" {
					t.Errorf("authenticator %s, when what she is is made longer, is %s, want it active", id, state)
				}
			}
		})
	}
}
