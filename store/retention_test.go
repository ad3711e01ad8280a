package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/credence-id/credence/store"
)

// eraseDue counts what is due by each rule, and erases some of it, with reports.
func eraseDue(ctx context.Context, s *store.Store) error {
	var all error
	for _, kind := range store.RetainedKinds() {
		all = errors.Join(all, second(s.Overdue(ctx, kind, later, 10)), s.InTx(ctx, func(tx *store.Tx) error {
			ids, err := tx.OverdueIDs(ctx, kind, later, 10)
			if err != nil {
				return err
			}
			if strings.HasPrefix(kind, "profile_") && kind != "profile_changed" {
				if ids, err = tx.LockClosed(ctx, ids, later); err != nil {
					return err
				}
			}
			return errors.Join(tx.LockRetention(ctx), second(tx.Erase(ctx, kind, ids, later)))
		}))
	}
	run := store.RetentionRun{ID: uuid.New(), By: "schedule", BeganAt: now}
	return errors.Join(all, s.InTx(ctx, func(tx *store.Tx) error {
		hold := store.Hold{ID: uuid.New(), PersonID: ana, Reason: "Inquest", PlacedBy: "operator", PlacedAt: now}
		return errors.Join(tx.BeginRetention(ctx, run, now, now), tx.AddRetentionCount(ctx, run.ID, store.RetentionCount{Rule: "profile_closed", Due: 1}),
			tx.CountErased(ctx, run.ID, "profile_closed", 1), tx.EndRetention(ctx, run.ID, now), tx.AddHold(ctx, hold), second(tx.ReleaseHold(ctx, ana, "operator", now)))
	}), second(s.RetentionRuns(ctx, store.Order{}, uuid.Nil, 10)), second(s.RetentionRuns(ctx, store.Order{Descending: true}, uuid.New(), 10)), second(s.RetentionRun(ctx, run.ID)), second(s.RetentionCounts(ctx, run.ID)), second(s.Holds(ctx, uuid.Nil, 10)))
}

// What was erased is a tombstone for good: nothing fills it, and a profile that was erased is neither opened nor corrected.
func TestErasedForGood(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	owner := connect(t, in.ownerURL)
	exec(t, owner, `UPDATE authenticator SET state = 'revoked', revoked_at = $1 WHERE person_id = $2`, now, ana)
	exec(t, owner, `UPDATE person SET disabled_at = $1, closed_at = $1, closed_as = 'left' WHERE id = $2`, now, ana)
	must(t, in.InTx(t.Context(), func(tx *store.Tx) error {
		n, err := tx.Erase(t.Context(), "profile_closed", []string{ana}, later)
		if n != 1 {
			t.Errorf("Erase(closed profile) = %d, want 1", n)
		}
		return err
	}))
	for _, statement := range []string{
		`UPDATE person SET given_name = 'Ana'`,
		`UPDATE person SET date_of_birth = '1980-12-31'`,
		`UPDATE person SET email = 'ana@example.org'`,
		`UPDATE person SET identity_level = 'low'`,
		`UPDATE person SET closed_at = NULL, closed_as = NULL`,
		`UPDATE authenticator SET secret_sealed = 'x'`,
		`UPDATE authenticator SET public_key = 'x'`,
		`UPDATE authenticator SET state = 'active', revoked_at = NULL`,
	} {
		_, err := owner.Exec(t.Context(), statement+` WHERE erased_at IS NOT NULL`)
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "23514" {
			t.Errorf("%s of what was erased = %v, want a check to refuse it", statement, err)
		}
	}
	if n := value[int](t, owner, `SELECT count(*)::int FROM person WHERE erased_at IS NOT NULL`); n != 1 {
		t.Errorf("profiles that were erased = %d, want 1", n)
	}
}

// Of profiles that were due when they were listed, those are erased that still are once nobody can open them any more.
func TestLockClosed(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	owner := connect(t, in.ownerURL)
	for _, tt := range []struct {
		name, change string
		want         []string
	}{
		{"an open profile", `SELECT`, []string{}},
		{"one that was closed by then", `UPDATE person SET disabled_at = '2026-03-04 05:06:07Z', closed_at = '2026-03-04 05:06:07Z', closed_as = 'left' WHERE id = '100000000001'`, []string{ana}},
		{"one that is held", `INSERT INTO retention_hold (id, person_id, reason, placed_by, placed_at) VALUES (gen_random_uuid(), '100000000001', 'x', 'x', now())`, []string{}},
		{"one that was released", `UPDATE retention_hold SET released_by = 'x', released_at = now()`, []string{ana}},
		{"one that was closed again since", `UPDATE person SET closed_at = '2026-03-04 05:06:08Z' WHERE id = '100000000001'`, []string{}},
	} {
		exec(t, owner, tt.change)
		must(t, in.InTx(t.Context(), func(tx *store.Tx) error {
			got, err := tx.LockClosed(t.Context(), []string{ana}, now)
			same(t, "LockClosed("+tt.name+")", got, tt.want)
			return err
		}))
	}
}

// The function runs as the owner. No temporary table of the service stands in for one of those that it erases.
func TestEraseSeesNoTemporaryTable(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	owner := connect(t, in.ownerURL)
	exec(t, owner, `UPDATE person SET disabled_at = $1, closed_at = $1, closed_as = 'left' WHERE id = $2`, now, ana)
	exec(t, owner, `INSERT INTO retention_hold (id, person_id, reason, placed_by, placed_at) VALUES (gen_random_uuid(), $2, 'x', 'x', $1)`, now, ana)
	conn := connect(t, in.serviceURL)
	exec(t, conn, `CREATE TEMPORARY TABLE retention_hold (person_id text, released_at timestamptz)`)
	exec(t, conn, `GRANT ALL ON pg_temp.retention_hold TO PUBLIC`)
	if n := value[int](t, conn, `SELECT erase('person', ARRAY[$1], now())`, ana); n != 0 {
		t.Errorf("erase(held) beside a temporary table = %d, want 0: it is held", n)
	}
}
