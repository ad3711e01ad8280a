package store

import (
	"context"
	"time"
)

// FailureCount is how often something failed in the window that runs.
type FailureCount struct {
	Kind     string
	Slot     int32 // which of the 2^20 slots of its kind
	Failures int32
	Most     int32 // failures that reach the limit
	EndsAt   time.Time
}

// CountFailures counts one failure for each of the given kinds and slots, no two of which are the same, and returns
// their counts in no order. Most and EndsAt are given: EndsAt is the end of the window, should the failure begin one. Of
// any number of concurrent calls each gets a count of its own.
func (q *queries) CountFailures(ctx context.Context, failures []FailureCount, now time.Time) ([]FailureCount, error) {
	n := len(failures)
	kinds, slots, most, ends := make([]string, n), make([]int32, n), make([]int32, n), make([]time.Time, n)
	for i, f := range failures {
		kinds[i], slots[i], most[i], ends[i] = f.Kind, f.Slot, f.Most, f.EndsAt
	}
	return all[FailureCount](ctx, q, `
		INSERT INTO throttle AS t (kind, slot, failures, most, ends_at)
		SELECT f.kind, f.slot, 1, f.most, f.ends_at
		FROM unnest($1::text[], $2::integer[], $3::integer[], $4::timestamptz[]) f (kind, slot, most, ends_at)
		ORDER BY f.kind, f.slot -- one order for all, so that no two calls wait for each other
		ON CONFLICT (kind, slot) DO UPDATE SET
			failures = CASE WHEN t.ends_at > $5 THEN t.failures + 1 ELSE 1 END,
			most = excluded.most,
			ends_at = CASE WHEN t.ends_at > $5 THEN t.ends_at ELSE excluded.ends_at END
		RETURNING t.kind, t.slot, t.failures, t.most, t.ends_at`, kinds, slots, most, ends, now)
}

// ReachedLimits lists whatever reached its limit in a window that runs, at most limit of them: those that stay longest.
func (q *queries) ReachedLimits(ctx context.Context, now time.Time, limit int) ([]FailureCount, error) {
	return all[FailureCount](ctx, q, `
		SELECT kind, slot, failures, most, ends_at FROM throttle
		WHERE reached AND ends_at > $1 ORDER BY ends_at DESC LIMIT $2`, now, limit)
}
