package position_test

import (
	"bytes"
	"testing"

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
		_, err := d.Decide(t.Context(), d.manager, d.ask(asked(d.nurse, id)), position.Approve, "Yes", "")
		must(t, err)
		q := asked(d.nurse, id)
		q.Kind = position.End
		request := d.ask(q)
		_, err = d.Decide(t.Context(), d.agent, request, position.Approve, "Out", "")
		refused(t, "Decide(by an agent, that a manager is none)", err, deed.AboveOwn)
		if got := d.roles(d.nurse); len(got) != 1 {
			t.Errorf("roles = %v, want the one", got)
		}
		_, err = d.Decide(t.Context(), d.manager, request, position.Approve, "She leaves", "")
		must(t, err)
	})
	t.Run("by closing what is to be changed", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t)
		id := d.position(managers)
		_, err := d.Decide(t.Context(), d.manager, d.ask(asked(d.nurse, id)), position.Approve, "Yes", "")
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
		_, err := d.Decide(t.Context(), d.manager, d.ask(asked(d.nurse, id)), position.Approve, "Yes", "")
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
			_, err := d.Decide(ctx, d.manager, d.ask(asked(d.nurse, d.position(tt.position))), position.Approve, "Yes", "")
			must(t, err)
			found, err := d.Store.EnrolmentLink(ctx, link, now)
			must(t, err)
			if spent := found.UsedAt != nil; spent != tt.spent {
				t.Errorf("the link is spent = %t, want %t", spent, tt.spent)
			}
		})
	}
}
