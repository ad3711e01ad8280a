package sweep_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/sweep"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// swept is a sweeper of a database of its own, connected as the service, at the time now.
type swept struct {
	*sweep.Sweeper
	owner *pgx.Conn
	lines lines
}

// lines are the lines of a log, as they are written.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// next waits for the next line.
func (l lines) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-l:
		return line
	case <-time.After(30 * time.Second):
		t.Fatal("after 30 s there is no further line in the log")
		return ""
	}
}

func newSwept(t *testing.T) *swept {
	t.Helper()
	ownerURL, serviceURL := storetest.URLs(t)
	owner, err := pgx.Connect(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = owner.Close(context.WithoutCancel(t.Context())) })
	s, err := store.Open(t.Context(), serviceURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	log := make(lines, 10)
	return &swept{sweep.New(s, func() time.Time { return now }, slog.New(slog.NewTextHandler(log, nil))), owner, log}
}

func (s *swept) exec(t *testing.T, sql string, args ...any) {
	t.Helper()
	if _, err := s.owner.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// challenges adds answered challenges that died some time ago, and failures as many counts of them.
func (s *swept) challenges(t *testing.T, n int, ago time.Duration) {
	t.Helper()
	s.exec(t, `INSERT INTO used_challenge (hash, expires_at) SELECT sha256(gen_random_uuid()::text::bytea), $1 FROM generate_series(1, $2::int)`, now.Add(-ago), n)
}

func (s *swept) failures(t *testing.T, n int, ago time.Duration) {
	t.Helper()
	s.exec(t, `INSERT INTO throttle (kind, slot, failures, most, ends_at) SELECT 'token', n, 1, 2, $1 FROM generate_series(1, $2::int) n`, now.Add(-ago), n)
}

func (s *swept) count(t *testing.T, table string) int {
	t.Helper()
	var n int
	if err := s.owner.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// metrics are the counters that are not 0, as "name table".
func (s *swept) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(s.Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out, series := map[string]float64{}, 0
	for _, family := range families {
		for _, m := range family.GetMetric() {
			series++
			if v := m.GetCounter().GetValue(); v != 0 {
				out[family.GetName()+" "+m.GetLabel()[0].GetValue()] = v
			}
		}
	}
	if series != 22 {
		t.Errorf("series = %d, want 22 from the start: two for each table", series)
	}
	return out
}

// A pass takes whatever has been dead for long enough, however many batches that is, and says so once.
func TestPass(t *testing.T) {
	t.Parallel()
	s := newSwept(t)
	s.challenges(t, 1200, time.Hour)
	s.challenges(t, 3, time.Hour-time.Microsecond)
	s.failures(t, 2, time.Hour)
	if err := s.Pass(t.Context()); err != nil {
		t.Errorf("Pass() = %v, want no error", err)
	}
	if left := s.count(t, "used_challenge"); left != 3 {
		t.Errorf("challenges that are left = %d, want the 3 that died less than an hour ago", left)
	}
	want := map[string]float64{"credence_swept_rows_total used_challenge": 1200, "credence_swept_rows_total throttle": 2}
	if diff := cmp.Diff(want, s.metrics(t)); diff != "" {
		t.Errorf("metrics differ (-want +got):\n%s", diff)
	}
	if line := s.lines.next(t); !strings.Contains(line, "used_challenge=1200 throttle=2") {
		t.Errorf("log = %q, want the counts", line)
	}
	if err := s.Pass(t.Context()); err != nil || len(s.lines) != 0 {
		t.Errorf("Pass(again) = %v, and %d lines in the log, want silence where nothing is dead", err, len(s.lines))
	}
}

// An enrolment link is kept for a week after it expired.
func TestPassKeepsEnrolmentLinks(t *testing.T) {
	t.Parallel()
	s := newSwept(t)
	s.exec(t, `INSERT INTO person (id, handle, title, given_name, middle_names, family_name, display_name, identity_level, created_at)
		VALUES ('100000000001', sha256('x'), '', 'A', '', 'B', 'A B', 'high', $1)`, now)
	const week = 7 * 24 * time.Hour
	for _, ago := range []time.Duration{week, week - time.Microsecond, time.Hour, -time.Hour} {
		s.exec(t, `INSERT INTO enrolment_link (hash, person_id, created_at, expires_at) VALUES (sha256($1::text::bytea), '100000000001', $2, $2)`, ago.String(), now.Add(-ago))
	}
	if err := s.Pass(t.Context()); err != nil || s.count(t, "enrolment_link") != 3 {
		t.Errorf("Pass() = %v, and left %d links, want 3: all but the one that expired a week ago", err, s.count(t, "enrolment_link"))
	}
}

// A table that cannot be swept keeps no other from being swept, and what could not be swept is swept when it can.
func TestPassGoesOnAfterAFailure(t *testing.T) {
	t.Parallel()
	s := newSwept(t)
	s.challenges(t, 1, time.Hour)
	s.failures(t, 1, time.Hour)
	s.exec(t, `REVOKE DELETE ON used_challenge, session FROM credence_service`)
	err := s.Pass(t.Context())
	if err == nil || !strings.Contains(err.Error(), "sweep used_challenge: ") || !strings.Contains(err.Error(), "sweep session: ") {
		t.Errorf("Pass() = %v, want an error that names both tables", err)
	}
	want := map[string]float64{"credence_swept_rows_total throttle": 1, "credence_sweep_failures_total used_challenge": 1, "credence_sweep_failures_total session": 1}
	if diff := cmp.Diff(want, s.metrics(t)); diff != "" {
		t.Errorf("metrics differ (-want +got):\n%s", diff)
	}
	s.exec(t, `GRANT DELETE ON used_challenge, session TO credence_service`)
	if err := s.Pass(t.Context()); err != nil || s.count(t, "used_challenge") != 0 {
		t.Errorf("Pass(again) = %v, and left %d challenges, want none", err, s.count(t, "used_challenge"))
	}
}

// Run sweeps as soon as it begins, says once what failed, and ends with its context.
func TestRun(t *testing.T) {
	t.Parallel()
	s := newSwept(t)
	s.challenges(t, 1, time.Hour)
	s.exec(t, `REVOKE DELETE ON session, authorization_grant FROM credence_service`)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	if line := s.lines.next(t); !strings.Contains(line, "used_challenge=1") {
		t.Errorf("log = %q, want what was swept", line)
	}
	if line := s.lines.next(t); !strings.Contains(line, "level=ERROR") || !strings.Contains(line, "session") || !strings.Contains(line, "authorization_grant") {
		t.Errorf("log = %q, want what could not be swept", line)
	}
	cancel()
	if err := <-done; err != nil || len(s.lines) != 0 {
		t.Errorf("Run() = %v, and %d more lines in the log, want no error when its context ends", err, len(s.lines))
	}
}
