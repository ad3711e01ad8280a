package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Tx is a transaction. It offers the statements of [Store]; those that report nothing are held back and travel with the
// next one that does, or with the commit.
type Tx struct {
	queries
	pool   *pgxpool.Pool
	conn   *pgxpool.Conn // nil until the first statement is sent
	held   []*pgx.QueuedQuery
	lines  int  // how many of the record the last of them appends
	begun  bool // BEGIN was sent
	failed bool
}

// InTx runs do in one transaction and commits when it returns nil. BEGIN travels with the first statement that reports
// something and COMMIT with the last, so a transaction of one read and any number of writes is two round trips. When none
// reports anything, all of it is one batch, which PostgreSQL makes a transaction by itself.
//
// An error from do rolls back everything. A refusal that must leave a trace (a revoked grant, an audit event) is
// therefore no error of do: do returns nil and carries the refusal out in a variable.
//
// The connection is taken from the pool when the first statement is sent. Until then do may read elsewhere, and wait;
// after that it must not, or it would hold a connection while it waits for another.
//
// If the process dies before COMMIT arrives, nothing has happened. If it dies after, everything has, and the caller
// never said so: whoever repeats a single-use act then meets its refusal.
func (s *Store) InTx(ctx context.Context, do func(*Tx) error) error {
	tx := &Tx{pool: s.pool}
	tx.queries = queries{tx, s.recent}
	done := false
	defer func() {
		if tx.conn == nil {
			return
		}
		if !done {
			tx.rollback(ctx)
		}
		tx.conn.Release()
	}()
	if err := do(tx); err != nil {
		return err
	}
	if err := tx.commit(ctx); err != nil {
		return err
	}
	done = true
	return nil
}

func (t *Tx) query(ctx context.Context, read func(pgx.Rows) error, sql string, args ...any) error {
	if !t.begun {
		t.begun = true
		t.held = slices.Insert(t.held, 0, &pgx.QueuedQuery{SQL: "BEGIN"})
	}
	t.hold(sql, args...)
	return t.send(ctx, func(results pgx.BatchResults) error {
		rows, err := results.Query()
		if err != nil {
			return err
		}
		defer rows.Close()
		return read(rows)
	})
}

func (t *Tx) exec(_ context.Context, sql string, args ...any) error {
	t.hold(sql, args...)
	return nil
}

// hold puts a statement into the batch.
func (t *Tx) hold(sql string, args ...any) {
	t.held = append(t.held, &pgx.QueuedQuery{SQL: sql, Arguments: args})
	t.lines = 0
}

// send sends the batch; the results of its first statements are only checked, the last one's goes to last. To find
// nothing harms nothing. Any other error ends the transaction, because with it were lost the statements that were held
// back, or BEGIN itself: without it, what came after would be done for good, one by one.
func (t *Tx) send(ctx context.Context, last func(pgx.BatchResults) error) error {
	if t.failed {
		return errors.New("the transaction had failed")
	}
	var err error
	if t.conn == nil {
		if t.conn, err = t.pool.Acquire(ctx); err != nil {
			t.failed = true
			return fmt.Errorf("acquire connection: %w", err)
		}
	}
	batch := pgx.Batch{QueuedQueries: t.held}
	t.held, t.lines = nil, 0
	results := t.conn.SendBatch(ctx, &batch)
	for i := 0; i < batch.Len()-1 && err == nil; i++ {
		_, err = results.Exec()
	}
	if err == nil {
		err = last(results)
	}
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	err = translate(err)
	t.failed = err != nil && !errors.Is(err, ErrNotFound)
	return err
}

func (t *Tx) commit(ctx context.Context) error {
	switch {
	case t.begun:
		t.hold("COMMIT")
	case len(t.held) == 0:
		return nil
	}
	return t.send(ctx, func(results pgx.BatchResults) error {
		_, err := results.Exec()
		return err
	})
}

// rollback undoes what was done, also when the request that asked for it is gone. A connection on which that fails is
// closed, which rolls back too.
func (t *Tx) rollback(ctx context.Context) {
	if t.conn.Conn().IsClosed() || t.conn.Conn().PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if _, err := t.conn.Exec(ctx, "ROLLBACK"); err != nil {
		_ = t.conn.Conn().Close(ctx)
	}
}

// Try runs do within the transaction, and undoes what it did if it fails. Statements that fail in the database end the
// transaction all the same.
func (t *Tx) Try(ctx context.Context, do func() error) error {
	if err := t.exec(ctx, `SAVEPOINT tried`); err != nil {
		return err
	}
	err := do()
	end := `RELEASE SAVEPOINT tried`
	if err != nil {
		end = `ROLLBACK TO SAVEPOINT tried`
	}
	if failed := t.exec(ctx, end); err == nil {
		err = failed
	}
	return err
}
