package store_test

import (
	"context"
	"errors"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/store"
)

// trips counts what travels to the database and back.
type trips struct{ n atomic.Int64 }

var (
	_ pgx.QueryTracer = (*trips)(nil)
	_ pgx.BatchTracer = (*trips)(nil)
)

// TraceQueryStart counts a statement that travels alone.
func (c *trips) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	c.n.Add(1)
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (c *trips) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart counts a batch, which travels as one.
func (c *trips) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	c.n.Add(1)
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (c *trips) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (c *trips) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

var event = store.AuditEvent{At: now, Event: "signed_in", Actor: ana, PersonID: ana}

// oneConnection makes the pool hand out one connection again and again, so that what a transaction leaves on it shows.
func oneConnection(t *testing.T, address string) string {
	t.Helper()
	u, err := url.Parse(address)
	must(t, err)
	q := u.Query()
	q.Set("pool_max_conns", "1")
	u.RawQuery = q.Encode()
	return u.String()
}

func TestTransactionTrips(t *testing.T) { //nolint:tparallel // the subtests take turns on one database
	t.Parallel()
	count := &trips{}
	in := newInstallation(t)
	s := open(t, in.serviceURL, count)
	for _, id := range []string{ana, ben} { // their records stay in memory
		must(t, second(s.Person(t.Context(), id, now)))
	}
	for _, tt := range []struct {
		name string
		want int64
		do   func(ctx context.Context, tx *store.Tx) error
	}{
		{"nothing costs nothing", 0, func(context.Context, *store.Tx) error { return nil }},
		{"an error before the first statement costs nothing", 0, func(context.Context, *store.Tx) error { return errors.ErrUnsupported }},
		{"writes travel as one", 1, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.AddAuditEvent(ctx, event), tx.EndSession(ctx, sessionID, later), tx.AddAuditEvent(ctx, event))
		}},
		{"a read and writes are two", 2, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Person(ctx, ana, now)
			return errors.Join(err, tx.AddAuditEvent(ctx, event), tx.AddAuditEvent(ctx, event))
		}},
		{"writes before a read travel with it", 2, func(ctx context.Context, tx *store.Tx) error {
			held := tx.AddAuditEvent(ctx, event)
			_, err := tx.Person(ctx, ana, now)
			return errors.Join(held, err)
		}},
		{"a second read is a third", 3, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.Person(ctx, ana, now)
			return errors.Join(err, second(tx.Person(ctx, ben, now)))
		}},
		{"a rollback is one", 2, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(second(tx.Person(ctx, ana, now)), errors.ErrUnsupported)
		}},
		{"writes that are not wanted are not sent", 0, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(tx.AddAuditEvent(ctx, event), errors.ErrUnsupported)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := count.n.Load()
			if err := s.InTx(t.Context(), func(tx *store.Tx) error { return tt.do(t.Context(), tx) }); err != nil && !errors.Is(err, errors.ErrUnsupported) {
				t.Fatal(err)
			}
			if got := count.n.Load() - before; got != tt.want {
				t.Errorf("round trips = %d, want %d", got, tt.want)
			}
		})
	}
}

func TestTransaction(t *testing.T) {
	t.Parallel()
	errRefused := errors.New("refused")
	add := func(ctx context.Context, tx *store.Tx, id string) error {
		return tx.AddWorkgroup(ctx, store.Workgroup{ID: id, Name: "New"})
	}
	for _, tt := range []struct {
		name      string
		want      error // nil: any error, unless it commits
		committed bool
		do        func(ctx context.Context, tx *store.Tx) error
	}{
		{"commits what was written", nil, true, func(ctx context.Context, tx *store.Tx) error { return add(ctx, tx, "400000000009") }},
		{"commits after a statement that found nothing", nil, true, func(ctx context.Context, tx *store.Tx) error {
			if _, err := tx.Person(ctx, "100000000009", now); !errors.Is(err, store.ErrNotFound) {
				return err
			}
			return add(ctx, tx, "400000000009")
		}},
		{"rolls back when it is refused", errRefused, false, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(add(ctx, tx, "400000000009"), second(tx.Person(ctx, ana, now)), errRefused)
		}},
		{"rolls back when a statement fails", store.ErrConflict, false, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(add(ctx, tx, "400000000009"), tx.AddPerson(ctx, newPerson(ana), now))
		}},
		{"does not commit although nobody heeds a failed statement", nil, false, func(ctx context.Context, tx *store.Tx) error {
			_ = tx.AddPerson(ctx, newPerson(ana), now)
			return add(ctx, tx, "400000000009")
		}},
		{"answers nothing after a failed statement", nil, false, func(ctx context.Context, tx *store.Tx) error {
			_ = tx.AddPerson(ctx, newPerson(ana), now)
			if _, err := tx.Person(ctx, ana, now); err == nil {
				t.Error("Person(after a failed statement) = nil, want an error")
			}
			return add(ctx, tx, "400000000009")
		}},
		{"tells the error of a statement that was held back at the next that reports something", store.ErrReference, false, func(ctx context.Context, tx *store.Tx) error {
			held := errors.Join(add(ctx, tx, "400000000009"), add(ctx, tx, "x"))
			if held != nil {
				t.Errorf("AddWorkgroup(held back) = %v, want nil", held)
			}
			_, err := tx.Person(ctx, ana, now)
			return err
		}},
		{"tells the error of a statement that was held back at the commit", store.ErrReference, false, func(ctx context.Context, tx *store.Tx) error {
			return errors.Join(add(ctx, tx, "400000000009"), add(ctx, tx, "x"))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := newInstallation(t)
			s := open(t, oneConnection(t, in.serviceURL), nil)
			err := s.InTx(t.Context(), func(tx *store.Tx) error { return tt.do(t.Context(), tx) })
			if (err == nil) != tt.committed || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("InTx() = %v, want committed %t, error %v", err, tt.committed, tt.want)
			}
			checkAfter(t, in, s, tt.committed)
		})
	}
}

// checkAfter checks that the workgroup that a transaction added is there or not, and that the connection it ran on is
// left as it was.
func checkAfter(t *testing.T, in *installation, s *store.Store, committed bool) {
	t.Helper()
	const added = `SELECT EXISTS (SELECT FROM workgroup WHERE id = '400000000009')`
	if got := value[bool](t, connect(t, in.ownerURL), added); got != committed {
		t.Errorf("what the transaction wrote is there = %t, want %t", got, committed)
	}
	is(t, "InTx(the next)", s.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.AddWorkgroup(t.Context(), store.Workgroup{ID: "400000000008", Name: "Next"})
	}), nil)
}

func TestTransactionThatPanics(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	s := open(t, oneConnection(t, in.serviceURL), nil)
	func() {
		defer func() {
			if got := recover(); got != "oh" {
				t.Errorf("recover() = %v, want the panic to go on", got)
			}
		}()
		_ = s.InTx(t.Context(), func(tx *store.Tx) error {
			must(t, tx.AddWorkgroup(t.Context(), store.Workgroup{ID: "400000000009", Name: "New"}))
			_, err := tx.Person(t.Context(), ana, now)
			must(t, err)
			panic("oh")
		})
	}()
	checkAfter(t, in, s, false)
}

// A statement that the server does not even understand takes BEGIN down with it. What came after it would be done for
// good, statement by statement.
func TestTransactionThatDidNotBegin(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	exec(t, connect(t, in.ownerURL), `DROP FUNCTION standing(text, text, uuid)`)
	s := open(t, oneConnection(t, in.serviceURL), nil)
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		if _, err := tx.Person(t.Context(), ana, now); err == nil {
			t.Error("Person(without the function) = nil, want an error")
		}
		return tx.AddWorkgroup(t.Context(), store.Workgroup{ID: "400000000009", Name: "New"})
	})
	if err == nil {
		t.Error("InTx() = nil, want the commit refused")
	}
	checkAfter(t, in, s, false)
}

func TestTransactionThatIsCancelled(t *testing.T) {
	t.Parallel()
	t.Run("between two statements", func(t *testing.T) {
		t.Parallel()
		in := newInstallation(t)
		s := open(t, oneConnection(t, in.serviceURL), nil)
		ctx, cancel := context.WithCancel(t.Context())
		err := s.InTx(ctx, func(tx *store.Tx) error {
			must(t, tx.AddWorkgroup(ctx, store.Workgroup{ID: "400000000009", Name: "New"}))
			_, err := tx.Person(ctx, ana, now)
			cancel()
			return err
		})
		is(t, "InTx(cancelled before its commit)", err, context.Canceled)
		checkAfter(t, in, s, false)
	})
	t.Run("while a statement waits for a lock", func(t *testing.T) {
		t.Parallel()
		in := newInstallation(t)
		s := open(t, oneConnection(t, in.serviceURL), nil)
		owner, watcher := connect(t, in.ownerURL), connect(t, in.ownerURL)
		exec(t, owner, `BEGIN`)
		exec(t, owner, `UPDATE person SET title = 'Prof' WHERE id = $1`, ana)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		done := make(chan error, 1)
		go func() {
			done <- s.InTx(ctx, func(tx *store.Tx) error {
				must(t, tx.AddWorkgroup(ctx, store.Workgroup{ID: "400000000009", Name: "New"}))
				return second(tx.DisablePerson(ctx, ana, now))
			})
		}()
		eventually(t, "wait for the lock", func() bool {
			return value[bool](t, watcher, `SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT granted AND a.datname = current_database())`)
		})
		cancel()
		is(t, "InTx(cancelled in a statement)", <-done, context.Canceled)
		exec(t, owner, `ROLLBACK`)
		checkAfter(t, in, s, false)
	})
	t.Run("before it has a connection", func(t *testing.T) {
		t.Parallel()
		in := newInstallation(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := in.InTx(ctx, func(tx *store.Tx) error {
			return tx.AddWorkgroup(ctx, store.Workgroup{ID: "400000000009", Name: "New"})
		})
		is(t, "InTx(cancelled)", err, context.Canceled)
		checkAfter(t, in, in.Store, false)
	})
}

// Whoever waits for a connection must hold none: otherwise as many transactions as there are connections wait for each
// other.
func TestTransactionHoldsNoConnectionBeforeItsFirstStatement(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	s := open(t, oneConnection(t, in.serviceURL), nil)
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := s.Generation(ctx, "client"); err != nil { // on the one connection
			return err
		}
		return tx.AddWorkgroup(ctx, store.Workgroup{ID: "400000000009", Name: "New"})
	})
	is(t, "InTx(read elsewhere first)", err, nil)
	checkAfter(t, in, s, true)
}

// eventually waits for the condition, which must come true.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(30 * time.Second)
	for !condition() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("%s did not happen within half a minute", what)
		}
	}
}
