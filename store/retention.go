package store

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
)

// retained is a kind of record that is kept for a time: which of it are due, being from before $1 and not held, and what the SQL
// function erase calls it. Each has an index on the time from which it is kept.
type retained struct{ due, what string }

func retainedKinds() map[string]retained {
	return map[string]retained{
		"evidence_withdrawn": {`SELECT id::text, withdrawn_at AS since FROM evidence
			WHERE withdrawn_at <= $1 AND erased_at IS NULL AND withdrawn_reason <> 'forged' AND NOT on_hold(person_id)`, "evidence"},
		"evidence_forged": {`SELECT id::text, withdrawn_at AS since FROM evidence
			WHERE withdrawn_at <= $1 AND erased_at IS NULL AND withdrawn_reason = 'forged' AND NOT on_hold(person_id)`, "evidence"},
		"photograph_replaced": {`SELECT id::text, replaced_at AS since FROM photograph
			WHERE replaced_at <= $1 AND erased_at IS NULL AND NOT on_hold(person_id)`, "photograph"},
		"authenticator_revoked": {`SELECT id::text, revoked_at AS since FROM authenticator
			WHERE revoked_at <= $1 AND state = 'revoked' AND erased_at IS NULL AND NOT on_hold(person_id)`, "authenticator"},
		"application_refused": {`SELECT id::text, decided_at AS since FROM client_application
			WHERE decided_at <= $1 AND state IN ('refused', 'withdrawn') AND erased_at IS NULL AND NOT on_hold(applied_by)`, "client_application"},
		"request_decided": {`SELECT id::text, decided_at AS since FROM request
			WHERE decided_at <= $1 AND state <> 'open' AND erased_at IS NULL AND NOT on_hold(person_id)`, "request"},
		"profile_changed": {`SELECT id::text, at AS since FROM person_change
			WHERE at <= $1 AND erased_at IS NULL AND NOT on_hold(person_id)`, "person_change"},
		"merge_decided": {`SELECT id::text, decided_at AS since FROM person_merge
			WHERE decided_at <= $1 AND state <> 'proposed' AND erased_at IS NULL AND NOT on_hold(duplicate) AND NOT on_hold(kept)`, "person_merge"},
		"break_glass_signed": {`SELECT id::text, signed_at AS since FROM break_glass
			WHERE signed_at <= $1 AND erased_at IS NULL AND NOT on_hold(asked_by) AND NOT on_hold(confirmed_by)`, "break_glass"},
		"hold_released": {`SELECT id::text, released_at AS since FROM retention_hold
			WHERE released_at <= $1 AND NOT on_hold(person_id)`, "retention_hold"},
		"profile_proofs": {`SELECT id, closed_at AS since FROM person
			WHERE closed_at <= $1 AND erased_at IS NULL AND (proofs_erased_at IS NULL OR proofs_erased_at < closed_at) AND NOT on_hold(id)`, "proofs"},
		"profile_closed": {`SELECT id, closed_at AS since FROM person
			WHERE closed_at <= $1 AND erased_at IS NULL AND NOT on_hold(id)`, "person"},
	}
}

// RetainedKinds lists the kinds of record that are kept for a time, and erased when it is over.
func RetainedKinds() []string { return slices.Sorted(maps.Keys(retainedKinds())) }

// Overdue is how much of a kind of record is due.
type Overdue struct {
	Count    int
	OldestAt *time.Time // since when the oldest is kept; nil when none is due
}

// Overdue counts the records of a kind that are from before a time, as far as most. What is held is not due.
func (q *queries) Overdue(ctx context.Context, kind string, before time.Time, most int) (Overdue, error) {
	return one[Overdue](ctx, q, `SELECT count(*)::int AS count, min(since) AS oldest_at FROM (`+retainedKinds()[kind].due+` ORDER BY since LIMIT $2) d`, before, most)
}

// OverdueIDs lists the records that Overdue counts, oldest first, at most limit of them.
func (q *queries) OverdueIDs(ctx context.Context, kind string, before time.Time, limit int) ([]string, error) {
	return scalar[[]string](ctx, q, `SELECT coalesce(array_agg(d.id), '{}') FROM (`+retainedKinds()[kind].due+` ORDER BY since LIMIT $2) d`, before, limit)
}

// Erase takes what records of a kind say, and says of how many it did: those that are held, or have not ended, stay as they are.
func (t *Tx) Erase(ctx context.Context, kind string, ids []string, now time.Time) (int, error) {
	return scalar[int](ctx, &t.queries, `SELECT erase($1, $2, $3)`, retainedKinds()[kind].what, ids, now)
}

// LockClosed locks those of some profiles that were closed by a time, and are neither held nor erased, with what they sign in with,
// and returns which those are. Nobody opens one again until the transaction ends.
func (t *Tx) LockClosed(ctx context.Context, personIDs []string, by time.Time) ([]string, error) {
	if err := t.LockAccess(ctx, personIDs...); err != nil {
		return nil, err
	}
	return scalar[[]string](ctx, &t.queries, `
		SELECT coalesce(array_agg(c.id), '{}') FROM (
			SELECT p.id FROM person p
			WHERE p.id = ANY ($1) AND p.closed_at <= $2 AND p.erased_at IS NULL AND NOT on_hold(p.id) ORDER BY p.id FOR NO KEY UPDATE) c`, personIDs, by)
}

// LockRetention keeps whoever else would erase, or would hold somebody's records, waiting until the transaction ends: what is held
// by then is not erased.
func (t *Tx) LockRetention(ctx context.Context) error {
	return t.db.exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('retention', 0))`)
}

// Hold is that nothing of a person is erased.
type Hold struct {
	ID         uuid.UUID // of version 7
	PersonID   string
	Reason     string
	PlacedBy   string
	PlacedAt   time.Time
	ReleasedBy *string // nil while it holds
	ReleasedAt *time.Time
}

const holdColumns = `id, person_id, reason, placed_by, placed_at, released_by, released_at`

// AddHold holds the records of a person. When they are held already that is ErrConflict.
func (t *Tx) AddHold(ctx context.Context, h Hold) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		INSERT INTO retention_hold (id, person_id, reason, placed_by, placed_at) VALUES ($1, $2, $3, $4, $5) RETURNING id`,
		h.ID, h.PersonID, h.Reason, h.PlacedBy, h.PlacedAt)
	return err
}

// ReleaseHold ends the hold of the records of a person, and returns which that was. When they are not held that is ErrNotFound.
func (t *Tx) ReleaseHold(ctx context.Context, personID, by string, now time.Time) (Hold, error) {
	return one[Hold](ctx, &t.queries, `
		UPDATE retention_hold SET released_by = $2, released_at = $3 WHERE person_id = $1 AND released_at IS NULL RETURNING `+holdColumns, personID, by, now)
}

// Holds lists what is held by id, from the one after the given id, at most limit of it.
func (q *queries) Holds(ctx context.Context, after uuid.UUID, limit int) ([]Hold, error) {
	return all[Hold](ctx, q, `SELECT `+holdColumns+` FROM retention_hold WHERE id > $1 AND released_at IS NULL ORDER BY id LIMIT $2`, after, limit)
}

// RetentionRun is one run of the rules, over all records.
type RetentionRun struct {
	ID      uuid.UUID // of version 7: in the order in which they began
	By      string
	BeganAt time.Time
	EndedAt *time.Time // nil: it is at work, or was broken off
	Due     int        // by all rules, as it began
	Erased  int
}

// RetentionCount is what a run found and did by one rule.
type RetentionCount struct {
	Rule     string
	Due      int        // as the run began
	Soon     int        // due within the 30 days after
	OldestAt *time.Time // since when the oldest that was due was kept; nil: none was
	Erased   int

	Stayed        int // of those that were due: they could not be erased
	StayedBecause string
}

// BeginRetention begins a run, unless one has ended that began after lastEnded, or one is at work that began after lastBegan: then
// it is ErrNotFound. Of any number of replicas at once one begins.
func (t *Tx) BeginRetention(ctx context.Context, run RetentionRun, lastEnded, lastBegan time.Time) error {
	if err := t.LockRetention(ctx); err != nil {
		return err
	}
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		INSERT INTO retention_run (id, by, began_at)
		SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM retention_run r WHERE r.began_at > CASE WHEN r.ended_at IS NULL THEN $5::timestamptz ELSE $4 END)
		RETURNING id`, run.ID, run.By, run.BeganAt, lastEnded, lastBegan)
	return err
}

// AddRetentionCount writes into the report of a run what is due by a rule.
func (t *Tx) AddRetentionCount(ctx context.Context, run uuid.UUID, c RetentionCount) error {
	return t.db.exec(ctx, `INSERT INTO retention_count (run_id, rule, due, soon, oldest_at) VALUES ($1, $2, $3, $4, $5)`, run, c.Rule, c.Due, c.Soon, c.OldestAt)
}

// CountErased adds to the report of a run what was erased by a rule.
func (t *Tx) CountErased(ctx context.Context, run uuid.UUID, rule string, erased int) error {
	return t.db.exec(ctx, `UPDATE retention_count SET erased = erased + $3 WHERE run_id = $1 AND rule = $2`, run, rule, erased)
}

// CountStayed adds to the report of a run a record that could not be erased by a rule, and why.
func (q *queries) CountStayed(ctx context.Context, run uuid.UUID, rule, because string) error {
	return q.db.exec(ctx, `UPDATE retention_count SET stayed = stayed + 1, stayed_because = $3 WHERE run_id = $1 AND rule = $2`, run, rule, because)
}

// EndRetention ends a run.
func (t *Tx) EndRetention(ctx context.Context, run uuid.UUID, now time.Time) error {
	return t.db.exec(ctx, `UPDATE retention_run SET ended_at = $2 WHERE id = $1`, run, now)
}

// RetentionRuns lists runs, by [ByTime], from the one after the given id, at most limit of them.
func (q *queries) RetentionRuns(ctx context.Context, o Order, after uuid.UUID, limit int) ([]RetentionRun, error) {
	beyond, by := o.byID(`id`, `$1`)
	return all[RetentionRun](ctx, q, `
		SELECT r.id, r.by, r.began_at, r.ended_at, coalesce(c.due, 0)::int AS due, coalesce(c.erased, 0)::int AS erased
		FROM (SELECT id, by, began_at, ended_at FROM retention_run WHERE `+beyond+` ORDER BY `+by+` LIMIT $2) r
		LEFT JOIN LATERAL (SELECT sum(due) AS due, sum(erased) AS erased FROM retention_count WHERE run_id = r.id) c ON true
		ORDER BY r.`+by, from(after), limit)
}

// RetentionRun reads a run.
func (q *queries) RetentionRun(ctx context.Context, id uuid.UUID) (RetentionRun, error) {
	return one[RetentionRun](ctx, q, `
		SELECT r.id, r.by, r.began_at, r.ended_at, coalesce(sum(c.due), 0)::int AS due, coalesce(sum(c.erased), 0)::int AS erased
		FROM retention_run r LEFT JOIN retention_count c ON c.run_id = r.id WHERE r.id = $1 GROUP BY r.id`, id)
}

// RetentionCounts lists the report of a run, by rule.
func (q *queries) RetentionCounts(ctx context.Context, run uuid.UUID) ([]RetentionCount, error) {
	return all[RetentionCount](ctx, q, `SELECT rule, due, soon, oldest_at, erased, stayed, stayed_because FROM retention_count WHERE run_id = $1 ORDER BY rule`, run)
}
