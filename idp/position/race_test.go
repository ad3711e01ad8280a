package position_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// Two positions that nobody holds together, approved at once for one person: one is given. Both wait for her record, so
// that neither looks at it before the other is done.
func TestRaceForDutiesThatAreSeparated(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	requests := []uuid.UUID{
		d.ask(asked(d.nurse, d.position(func(p *position.Draft) { p.JobRole, p.Activities = privacy, nil }))),
		d.ask(asked(d.nurse, d.position(func(p *position.Draft) { p.Activities = []string{"B1300"} }))),
	}
	holder, watcher := d.connect(), d.connect()
	for _, statement := range []string{`BEGIN`, `SELECT FROM person WHERE id = '` + d.nurse + `' FOR NO KEY UPDATE`} {
		_, err := holder.Exec(ctx, statement)
		must(t, err)
	}
	errs := make(chan error)
	for i, by := range []deed.Acting{d.manager, d.otherManager} {
		go func() {
			_, err := d.Decide(ctx, by, requests[i], position.Approve, "Yes", "")
			errs <- err
		}()
	}
	poll, deadline := time.NewTicker(time.Millisecond), time.After(time.Minute)
	defer poll.Stop()
	for waiting := 0; waiting < 2; {
		select {
		case <-poll.C:
			must(t, watcher.QueryRow(ctx, `
				SELECT count(DISTINCT pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`).Scan(&waiting))
		case <-deadline:
			t.Fatal("the two decisions did not wait for the person's record within a minute")
		}
	}
	_, err := holder.Exec(ctx, `COMMIT`)
	must(t, err)
	won := 0
	for range requests {
		if err := <-errs; err == nil {
			won++
		} else {
			refused(t, "the other decision", err, position.SeparationOfDuties)
		}
	}
	if won != 1 || len(d.roles(d.nurse)) != 1 {
		t.Errorf("approvals = %d, roles %v, want one", won, d.roles(d.nurse))
	}
}

// Of many who ask, decide or withdraw at once one does.
func TestRacesForRequests(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	won, reasons := race(t, func(i int) error {
		_, err := d.Ask(ctx, []deed.Acting{d.sponsor, d.otherSponsor}[i%2], asked(d.nurse, id))
		return err
	})
	if won != 1 || fmt.Sprint(reasons) != "[open_already]" {
		t.Errorf("requests = %d, the others %v, want 1, [open_already]", won, reasons)
	}
	open, err := d.Queue(ctx, d.manager, position.Wanted{}, uuid.Nil, 10)
	must(t, err)
	if len(open) != 1 {
		t.Fatalf("queue = %v, want one", open)
	}
	asker := d.sponsor
	if open[0].AskedBy != asker.Person {
		asker = d.otherSponsor
	}
	won, reasons = race(t, func(i int) error {
		switch i % 4 {
		case 0:
			return d.Withdraw(ctx, asker, open[0].ID, "No")
		case 1:
			_, err := d.Decide(ctx, d.agent, open[0].ID, position.Refuse, "No", "")
			return err
		default:
			_, err := d.Decide(ctx, d.otherAgent, open[0].ID, position.Approve, "Yes", "")
			return err
		}
	})
	if won != 1 || fmt.Sprint(reasons) != "[not_open]" {
		t.Errorf("decisions = %d, the others %v, want 1, [not_open]", won, reasons)
	}

	assignable := d.position(func(p *position.Draft) { p.Assignable, p.Activities = true, []string{"B0420"} })
	whom := d.person()
	won, reasons = race(t, func(int) error {
		_, err := d.Ask(ctx, d.sponsor, asked(whom, assignable))
		return err
	})
	if won != 1 || fmt.Sprint(reasons) != "[held_already]" || len(d.roles(whom)) != 1 {
		t.Errorf("assigned = %d, the others %v, want 1, [held_already]", won, reasons)
	}
}

// Closing a position and approving requests for it, at once: nobody holds what is closed, and nobody waits for another for
// good.
func TestRaceOfCloseAndDecide(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	var requests []uuid.UUID
	for range 15 {
		requests = append(requests, d.ask(asked(d.person(), id)))
	}
	version, err := d.Close(ctx, d.agent, id, 1, "Gone")
	must(t, err)
	race(t, func(i int) error {
		if i >= len(requests) {
			_, err := d.Approve(ctx, d.manager, id, version)
			return err
		}
		_, err := d.Decide(ctx, d.otherAgent, requests[i], position.Approve, "Yes", "")
		return err
	})
	holders, err := d.Store.Holders(ctx, []string{id}, store.HolderFilter{}, store.Order{}, "", 100, d.clock())
	must(t, err)
	if len(holders) != 0 || d.state(id) != position.Closed {
		t.Errorf("holders = %v of a position that is %s, want none of a closed one", holders, d.state(id))
	}
}
