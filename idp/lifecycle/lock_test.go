package lifecycle_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// waits waits until a number of transactions wait for locks.
func (d *desk) waits(ctx context.Context, many int) {
	d.t.Helper()
	watcher, err := pgx.Connect(ctx, d.owner)
	must(d.t, err)
	defer func() { _ = watcher.Close(context.WithoutCancel(ctx)) }()
	poll, deadline := time.NewTicker(time.Millisecond), time.After(time.Minute)
	defer poll.Stop()
	for waiting := 0; waiting < many; {
		select {
		case <-poll.C:
			must(d.t, watcher.QueryRow(ctx, `
				SELECT count(DISTINCT pid) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`).Scan(&waiting))
		case <-deadline:
			d.t.Fatalf("fewer than %d transactions wait for a lock after a minute", many)
		}
	}
}

// A request that has lapsed is asked again while the profile of its person is closed: both come to an end.
func TestAskingAndClosingWaitInOneOrder(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	lapsed := d.request(nurse, sponsor)
	row, err := d.Store.Request(ctx, lapsed)
	must(t, err)
	d.exec(`UPDATE request SET lapses_at = $2 WHERE id = $1`, lapsed, now)
	holder, err := pgx.Connect(ctx, d.owner)
	must(t, err)
	defer func() { _ = holder.Close(context.WithoutCancel(ctx)) }()
	for _, statement := range []string{`BEGIN`, `SELECT FROM person WHERE id = '` + nurse + `' FOR NO KEY UPDATE`} {
		_, err := holder.Exec(ctx, statement)
		must(t, err)
	}
	asked, closed := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := d.positions.Ask(ctx, sponsor, position.Asked{Kind: position.Assign, Person: nurse, Position: row.PositionID, Reason: "Again"})
		asked <- err
	}()
	d.waits(ctx, 1)
	go func() { closed <- d.Close(ctx, manager, nurse, lifecycle.Left, "She left") }()
	d.waits(ctx, 2)
	_, err = holder.Exec(ctx, `COMMIT`)
	must(t, err)
	must(t, <-asked)
	must(t, <-closed)
}

// A person is disabled while she enrols: both come to an end.
func TestEnrollingAndDisablingWaitInOneOrder(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	link := sha256.Sum256([]byte("link"))
	must(t, d.Store.AddEnrolmentLink(ctx, link[:], nil, nurse, now, now.AddDate(0, 0, 1)))
	disabled := make(chan error, 1)
	must(t, d.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.UseEnrolmentLink(ctx, link[:], 2, 5, d.Now()); err != nil {
			return err
		}
		go func() { disabled <- directory.DisablePerson(ctx, d.Store, nurse, "operator", d.Now()) }()
		d.waits(ctx, 1)
		_, err := tx.LockIdentities(ctx, nurse) // as the version of her record changes with the authenticator
		return err
	}))
	must(t, <-disabled)
}

// An operator ends a role while an officer ends it with others: both come to an end, one with nothing to do.
func TestEndingRolesWaitsInOneOrder(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	role := d.grant(nurse, hospital, "S8000:G8000:R8001")
	ended := make(chan error, 1)
	must(t, d.Store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.LockIdentities(ctx, nurse); err != nil {
			return err
		}
		go func() { ended <- directory.EndRole(ctx, d.Store, role, "operator", d.Now()) }()
		d.waits(ctx, 1)
		_, err := tx.EndRole(ctx, role, d.Now())
		return err
	}))
	if err := <-ended; !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("EndRole(of what ended meanwhile) = %v, want %v", err, directory.ErrUnknown)
	}
}

// What an officer proposed whose profile was closed since, nobody approves; and who proposed it is one person with the profile into
// which hers was merged.
func TestMergeProposedByWhoIsNoOfficerAnyMore(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	leaver, second := d.manager(board), d.manager(board)
	propose := func(by deed.Acting) uuid.UUID {
		t.Helper()
		id, err := d.ProposeMerge(t.Context(), by, d.person("Jory", "Vale"), d.person("Jory", "Vale"), "The same photograph")
		must(t, err)
		return id
	}
	id := propose(leaver)
	must(t, d.Close(ctx, manager, leaver.Person, lifecycle.Left, "She left"))
	refused(t, "DecideMerge(what somebody proposed who has left)", d.DecideMerge(ctx, second, id, position.Approve, "Yes", ""), position.AskerNoOfficer)
	must(t, d.DecideMerge(ctx, second, id, position.Refuse, "It is not known why", ""))

	twice := d.manager(board)
	id = propose(twice)
	merge, err := d.ProposeMerge(ctx, manager, twice.Person, second.Person, "One officer")
	must(t, err)
	must(t, d.DecideMerge(ctx, d.manager(board), merge, position.Approve, "Yes", ""))
	refused(t, "DecideMerge(by her other profile)", d.DecideMerge(ctx, second, id, position.Approve, "Yes", ""), deed.OwnRequest)
	must(t, d.DecideMerge(ctx, manager, id, position.Approve, "Yes", ""))
}
