// Package sweep keeps the tables bounded: every few minutes it deletes the rows that are dead, those that expired and that
// nothing needs to remember.
//
// Expiry is decided by whoever reads a row, never by its absence, so a sweep that is late, or fails, changes no answer. Rows
// go in small batches, each a short transaction of its own that waits for nobody. Replicas sweep side by side. The audit
// record is never swept; nor are people, authenticators, clients and keys.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/poll"
	"github.com/credence-id/credence/store"
)

const (
	// every is the time from the beginning of one pass to the beginning of the next.
	every = 2 * time.Minute
	// batch is how many rows one statement deletes, a matter of milliseconds.
	batch = 500
	// most is how many batches of a table one pass deletes: more than two thousand rows a second, for each replica.
	most = 500
	// deadline is how long one table may take, so that all of them have their turn before the next pass.
	deadline = 15 * time.Second

	// grace is how long a dead row is left alone. The clocks of replicas differ, and what began when the row was alive may
	// still be at work. A clock that is wrong by more than this gives its replica other troubles first.
	grace = time.Hour
	// linkKept is how long an enrolment link is kept after it expired, also when it was used: as long as it is there, the
	// record names the person whose link was tried again, which is how it is noticed that somebody else reads her mail.
	linkKept = 7 * 24 * time.Hour
	// messageKept is how long it is known that a message was sent, or could not be: longer than a reminder is repeated.
	messageKept = 30 * 24 * time.Hour
	// introductionKept is how long the names are kept of somebody whom a sponsor introduced, after she was taken up or not.
	introductionKept = 30 * 24 * time.Hour
)

// Sweeper deletes dead rows.
type Sweeper struct {
	store *store.Store
	now   func() time.Time
	log   *slog.Logger

	swept, failures *prometheus.CounterVec
}

// New returns a sweeper that has not begun: see [Sweeper.Run].
func New(s *store.Store, now func() time.Time, log *slog.Logger) *Sweeper {
	w := &Sweeper{
		store: s, now: now, log: log,
		swept: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "credence_swept_rows_total", Help: "Dead rows that were deleted, by table.",
		}, []string{"table"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "credence_sweep_failures_total", Help: "Passes that failed at a table, by table.",
		}, []string{"table"}),
	}
	for _, t := range w.tables() {
		w.swept.WithLabelValues(t.name)
		w.failures.WithLabelValues(t.name)
	}
	return w
}

// Collectors are the metrics of the sweeper.
func (w *Sweeper) Collectors() []prometheus.Collector {
	return []prometheus.Collector{w.swept, w.failures}
}

// table is a table that is swept, and how long its dead rows are kept.
type table struct {
	name  string
	keep  time.Duration
	sweep func(ctx context.Context, now time.Time, limit int) (int, error)
}

// tables are in the order in which their rows depend on each other, so that one pass takes all that is dead.
func (w *Sweeper) tables() []table {
	return []table{
		{"refresh_token", grace, w.store.SweepRefreshTokens},
		{"authorization_grant", grace, w.store.SweepGrants},
		{"session", grace, w.store.SweepSessions},
		{"used_challenge", grace, w.store.SweepChallenges},
		{"used_assertion", grace, w.store.SweepAssertions},
		{"throttle", grace, w.store.SweepThrottle},
		{"break_glass_request", grace, w.store.SweepBreakGlassRequests},
		{"enrolment_link", linkKept, w.store.SweepEnrolmentLinks},
		{"self_registration", grace, w.store.SweepSelfRegistrations},
		{"message", messageKept, w.store.SweepMessages},
		{"introduction", introductionKept, w.store.SweepIntroductions},
	}
}

// Run sweeps at once and then every two minutes, until the context ends.
func (w *Sweeper) Run(ctx context.Context) error {
	return poll.Repeat(ctx, every, w.log, "dead rows could not be swept", w.Pass)
}

// Pass sweeps every table once. A table at which it fails does not keep it from the others.
func (w *Sweeper) Pass(ctx context.Context) error {
	now := w.now()
	var failed error
	var swept []any
	for _, t := range w.tables() {
		n, err := t.pass(ctx, now)
		if err != nil {
			w.failures.WithLabelValues(t.name).Inc()
			failed = errors.Join(failed, fmt.Errorf("sweep %s: %w", t.name, err))
		}
		if n > 0 {
			w.swept.WithLabelValues(t.name).Add(float64(n))
			swept = append(swept, slog.Int(t.name, n))
		}
	}
	if len(swept) > 0 {
		w.log.InfoContext(ctx, "dead rows were swept", swept...)
	}
	return failed
}

// pass deletes batch after batch until nothing dead is left, or enough was deleted for this time, and says how many rows
// went.
func (t table) pass(ctx context.Context, now time.Time) (swept int, err error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	for range most {
		n, err := t.sweep(ctx, now.Add(-t.keep), batch)
		swept += n
		if err != nil || n < batch {
			return swept, err
		}
	}
	return swept, nil
}
