package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credence-id/credence/store"
)

// swept lists the tables that are swept, in the order in which one round takes all that is dead.
func swept() []string {
	return []string{"refresh_token", "authorization_grant", "session", "used_challenge", "used_assertion", "enrolment_link", "throttle", "message"}
}

// sweep sweeps one of them.
func (in *installation) sweep(ctx context.Context, table string, now time.Time, limit int) (int, error) {
	switch table {
	case "refresh_token":
		return in.SweepRefreshTokens(ctx, now, limit)
	case "authorization_grant":
		return in.SweepGrants(ctx, now, limit)
	case "session":
		return in.SweepSessions(ctx, now, limit)
	case "used_challenge":
		return in.SweepChallenges(ctx, now, limit)
	case "used_assertion":
		return in.SweepAssertions(ctx, now, limit)
	case "enrolment_link":
		return in.SweepEnrolmentLinks(ctx, now, limit)
	case "throttle":
		return in.SweepThrottle(ctx, now, limit)
	case "message":
		return in.SweepMessages(ctx, now, limit)
	}
	return 0, errors.New("no sweep of " + table)
}

// sweeps checks how many rows a sweep deletes.
func (in *installation) sweeps(t *testing.T, table string, now time.Time, limit, want int) {
	t.Helper()
	if got, err := in.sweep(t.Context(), table, now, limit); err != nil || got != want {
		t.Errorf("sweep of %s at %v = %d, %v, want %d", table, now, got, err, want)
	}
}

// newDying is an installation with some rows in each table that is swept, which all die at later. Their hashes are of the
// numbers from 1 on.
func newDying(t *testing.T, rows int) *installation {
	t.Helper()
	in := newInstallation(t)
	conn := connect(t, in.ownerURL)
	exec(t, conn, `DELETE FROM enrolment_link`)
	exec(t, conn, `DELETE FROM refresh_token`)
	for _, statement := range []string{
		`INSERT INTO used_challenge (hash, expires_at) SELECT sha256(n::text::bytea), $1 FROM generate_series(1, $2::int) n`,
		`INSERT INTO used_assertion (client_id, hash, expires_at) SELECT 'ward', sha256(n::text::bytea), $1 FROM generate_series(1, $2::int) n`,
		`INSERT INTO enrolment_link (hash, person_id, created_at, expires_at) SELECT sha256(n::text::bytea), '100000000001', $1, $1 FROM generate_series(1, $2::int) n`,
		`INSERT INTO throttle (kind, slot, failures, most, ends_at) SELECT 'token', n, 1, 2, $1 FROM generate_series(1, $2::int) n`,
		`INSERT INTO message (id, person_id, address, kind, dedupe_key, created_at, sent_at)
			SELECT gen_random_uuid(), '100000000001', 'ana@example.org', 'told', n, $1, $1 FROM generate_series(1, $2::int) n`,
		`INSERT INTO refresh_token (hash, grant_id, created_at, used_at) SELECT sha256(n::text::bytea), id, $1, $1 FROM authorization_grant, generate_series(1, $2::int) n`,
		`INSERT INTO authorization_grant (id, client_id, person_id, session_id, scopes, redirect_uri, nonce, authenticator_level, methods, authenticated_at,
				code_hash, code_challenge, code_expires_at, created_at, expires_at)
			SELECT gen_random_uuid(), 'ward', person_id, id, '{}', '', '', 2, '{pop}', $1, sha256(n::text::bytea), repeat('c', 43), $1, $1, $1
			FROM session, generate_series(1, $2::int) n`,
		`INSERT INTO session (id, cookie_hash, person_id, authenticator_level, methods, authenticated_at, created_at, idle_at, expires_at)
			SELECT gen_random_uuid(), sha256(n::text::bytea), '100000000002', 2, '{pop}', $1, $1, $1, $1 FROM generate_series(1, $2::int) n`,
	} {
		exec(t, conn, statement, later, rows)
	}
	return in
}

func TestSweepTakesTheDeadAndLeavesTheLiving(t *testing.T) {
	t.Parallel()
	const (
		noToken   = `DELETE FROM refresh_token; `
		noGrant   = `DELETE FROM authorization_grant; `
		assertion = `INSERT INTO used_assertion VALUES ('ward', sha256('x'), '2026-03-04 06:06:07Z')`
		challenge = `INSERT INTO used_challenge VALUES (sha256('x'), '2026-03-04 06:06:07Z')`
		message   = `INSERT INTO message (id, person_id, address, kind, text_sealed, created_at, due_at) VALUES (gen_random_uuid(), '100000000001', 'a@example.org', 'told', 'x', '2026-03-04 06:06:07Z', '2026-03-04 06:06:07Z'); `
		failures  = `INSERT INTO throttle (kind, slot, failures, most, ends_at) VALUES ('token', 1, 3, 3, '2026-03-04 06:06:07Z')`
	)
	for _, tt := range []struct {
		name, table string
		change      string // of what is there: see newInstallation
		dies        bool   // at later, and not a microsecond before; or not even then
	}{
		{"a refresh token dies with its grant", "refresh_token", "", true},
		{"a spent one too: until then its second use is seen", "refresh_token", `UPDATE refresh_token SET used_at = created_at`, true},
		{"and one of a revoked grant", "refresh_token", `UPDATE authorization_grant SET revoked_at = created_at`, true},
		{"a grant", "authorization_grant", noToken, true},
		{"a grant whose code was used", "authorization_grant", noToken + `UPDATE authorization_grant SET code_used_at = created_at`, true},
		{"a revoked grant", "authorization_grant", noToken + `UPDATE authorization_grant SET revoked_at = created_at`, true},
		{"a grant with a refresh token stays until that has gone", "authorization_grant", "", false},
		{"a session", "session", noGrant, true},
		{"a session that idled out", "session", noGrant + `UPDATE session SET idle_at = created_at`, true},
		{"a session that ended", "session", noGrant + `UPDATE session SET ended_at = created_at`, true},
		{"a session stays until the grants that were given in it have gone", "session", noToken, false},
		{"an answered challenge", "used_challenge", challenge, true},
		{"an assertion that was taken", "used_assertion", assertion, true},
		{"an enrolment link", "enrolment_link", "", true},
		{"a used enrolment link", "enrolment_link", `UPDATE enrolment_link SET used_at = created_at`, true},
		{"a count of failures", "throttle", failures, true},
		{"a message that was sent", "message", message + `UPDATE message SET sent_at = due_at, due_at = NULL, text_sealed = NULL`, true},
		{"a message that was given up", "message", message + `UPDATE message SET gave_up_at = due_at, due_at = NULL, text_sealed = NULL, last_error = 'refused'`, true},
		{"a message stays until it was sent", "message", message, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := newInstallation(t)
			conn := connect(t, in.ownerURL)
			exec(t, conn, tt.change)
			in.sweeps(t, tt.table, later.Add(-time.Microsecond), 10, 0)
			if n := value[int](t, conn, `SELECT count(*)::int FROM `+tt.table); n != 1 {
				t.Errorf("rows of %s that live = %d, want 1", tt.table, n)
			}
			want := 0
			if tt.dies {
				want = 1
			}
			in.sweeps(t, tt.table, later, 10, want)
			if n := value[int](t, conn, `SELECT count(*)::int FROM `+tt.table); n != 1-want {
				t.Errorf("rows of %s that are left = %d, want %d", tt.table, n, 1-want)
			}
		})
	}
}

// One round takes a sign-in that is dead in all its parts, and leaves the record whole.
func TestSweepsLeaveNothingDead(t *testing.T) {
	t.Parallel()
	in := newDying(t, 1)
	must(t, in.AddAuditEvent(t.Context(), event))
	conn := connect(t, in.ownerURL)
	for _, table := range swept() {
		if _, err := in.sweep(t.Context(), table, later, 10); err != nil {
			t.Errorf("sweep of %s = %v", table, err)
		}
		if n := value[int](t, conn, `SELECT count(*)::int FROM `+table); n != 0 {
			t.Errorf("rows of %s that are left = %d, want none", table, n)
		}
	}
	is(t, "RevokeGrantOfRefreshToken(of a grant that is gone)", second(in.RevokeGrantOfRefreshToken(t.Context(), hash("1"), ward, later)), store.ErrNotFound)
	for _, table := range []string{"audit_event", "authenticator", "client"} {
		if n := value[int](t, conn, `SELECT count(*)::int FROM `+table); n != 1 {
			t.Errorf("rows of %s = %d, want 1", table, n)
		}
	}
}

func TestSweepTakesAtMostALimitOldestFirst(t *testing.T) {
	t.Parallel()
	in := newDying(t, 25)
	conn := connect(t, in.ownerURL)
	exec(t, conn, `UPDATE used_challenge SET expires_at = expires_at - interval '1 s' WHERE hash = $1`, hash("25"))
	in.sweeps(t, "used_challenge", later, 1, 1)
	if n := value[int](t, conn, `SELECT count(*)::int FROM used_challenge WHERE hash = $1`, hash("25")); n != 0 {
		t.Error("SweepChallenges(one) left the oldest")
	}
	in.sweeps(t, "used_challenge", later, 1, 1)
	for _, table := range []string{"refresh_token", "session", "enrolment_link", "throttle", "message"} {
		for _, want := range []int{10, 10, 5, 0} {
			in.sweeps(t, table, later, 10, want)
		}
	}
	for _, want := range []int{10, 10, 6, 0} { // with the one that all the refresh tokens were of
		in.sweeps(t, "authorization_grant", later, 10, want)
	}
}

// Whoever holds a row holds up nobody: the others go, and that one later.
func TestSweepPassesOverALockedRow(t *testing.T) {
	t.Parallel()
	for _, table := range swept() {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			in := newDying(t, 10)
			holder := connect(t, in.ownerURL)
			exec(t, holder, `BEGIN`)
			column := map[string]string{"authorization_grant": "code_hash", "session": "cookie_hash", "throttle": "sha256(slot::text::bytea)", "message": "sha256(dedupe_key::bytea)"}[table]
			if column == "" {
				column = "hash"
			}
			exec(t, holder, `SELECT FROM `+table+` WHERE `+column+` = sha256('1') FOR KEY SHARE`) // the weakest of all locks
			ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)                        // less than the server waits for a lock
			defer cancel()
			if got, err := in.sweep(ctx, table, later, 100); err != nil || got != 9 {
				t.Errorf("sweep of %s beside a locked row = %d, %v, want 9", table, got, err)
			}
			exec(t, holder, `COMMIT`)
			in.sweeps(t, table, later, 100, 1)
		})
	}
}

// A session goes after the grants that were given in it.
func TestSweepLeavesASessionOfAGrant(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	in.sweeps(t, "session", later, 10, 0)
	exec(t, connect(t, in.ownerURL), `DELETE FROM authorization_grant`)
	in.sweeps(t, "session", later, 10, 1)
}

// Any number of replicas sweep side by side: each row goes once, and is counted once.
func TestSweepsSideBySide(t *testing.T) {
	t.Parallel()
	const rows = 200
	for _, table := range swept() {
		t.Run(table, func(t *testing.T) {
			t.Parallel()
			in := newDying(t, rows)
			var total atomic.Int64
			for _, err := range race(func(int) error {
				for {
					n, err := in.sweep(t.Context(), table, later, 7)
					total.Add(int64(n))
					if err != nil || n == 0 {
						return err
					}
				}
			}) {
				is(t, "sweep of "+table, err, nil)
			}
			if got := total.Load(); got != rows {
				t.Errorf("rows of %s swept by many at once = %d, want %d", table, got, rows)
			}
			in.sweeps(t, table, later, 1, 0)
		})
	}
}
