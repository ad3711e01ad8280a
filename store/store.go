// Package store holds every SQL statement of the provider, and turns rows into records.
//
// A method runs one statement or one fixed batch, takes the time as an argument, never decides and never logs. What is
// used once (a code, a refresh token, an enrolment link, a challenge) is consumed by the statement that reads it, so that
// of any number of concurrent uses one wins. [Store.InTx] runs several statements as one transaction in as few round
// trips as their results allow.
//
// The database defends itself as well: see package migrations.
package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Errors that callers tell apart. Compare with errors.Is.
var (
	// ErrNotFound says that no row matches: it is absent, or it was consumed, revoked or expired.
	ErrNotFound = errors.New("not found")
	// ErrConflict says that a row with this key exists.
	ErrConflict = errors.New("already exists")
	// ErrReplayed says that a challenge was answered before. It is no ErrConflict: it can come with a later statement
	// of the transaction, and must not pass for a conflict of that one.
	ErrReplayed = errors.New("this challenge was answered before")
	// ErrReference says that a row names another that does not exist, or breaks a rule of the schema.
	ErrReference = errors.New("refused by the schema")
)

// Store is a pool of connections to the database of one installation. It is safe for concurrent use.
type Store struct {
	queries
	pool *pgxpool.Pool
}

// Open connects to the database that a postgres:// URL names. The pool's size is pool_max_conns of the URL, 8 if unset.
func Open(ctx context.Context, url string) (*Store, error) {
	return OpenTraced(ctx, url, nil)
}

// OpenTraced is Open with a tracer that sees every statement and batch.
func OpenTraced(ctx context.Context, url string, tracer pgx.QueryTracer) (*Store, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database URL is not valid: want postgres://user:password@host:port/database")
	}
	if !strings.Contains(url, "pool_max_conns") {
		config.MaxConns = 8
	}
	config.ConnConfig.DescriptionCacheCapacity = 0 // of another mode of pgx than the one that is used
	config.ConnConfig.Tracer = tracer
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	for name, value := range map[string]string{
		"application_name":                    "credence",
		"timezone":                            "UTC",
		"statement_timeout":                   "10s",
		"lock_timeout":                        "5s",
		"idle_in_transaction_session_timeout": "10s",
		// Plans are kept. One that was made while a table was small must not scan it when it has grown, until statistics say
		// so: every statement has its index. Without a way round a scan, its feigned cost must not set off compilation.
		"enable_seqscan": "off",
		"jit":            "off",
	} {
		if _, set := config.ConnConfig.RuntimeParams[name]; !set {
			config.ConnConfig.RuntimeParams[name] = value
		}
	}
	config.AfterConnect = func(_ context.Context, c *pgx.Conn) error {
		registerUUIDs(c.TypeMap())
		return nil
	}
	kept, err := newRecent()
	if err != nil {
		return nil, fmt.Errorf("make room for what is recent: %w", err)
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	s := &Store{queries: queries{pooled{pool}, kept}, pool: pool}
	if err := s.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// Close waits for statements that run, and closes every connection.
func (s *Store) Close() { s.pool.Close() }

// Ping says whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.pool.Ping(ctx); err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	return nil
}

// queries holds the statements, once for the pool and once for a transaction.
type queries struct {
	db     runner
	recent *recent
}

// runner runs statements: on a connection of the pool, or in a transaction.
type runner interface {
	// query runs a statement and hands its rows to read, which must not keep them.
	query(ctx context.Context, read func(pgx.Rows) error, sql string, args ...any) error
	// exec runs a statement whose result nobody needs. In a transaction it is sent with the next query or the
	// commit, and so is its error.
	exec(ctx context.Context, sql string, args ...any) error
}

type pooled struct{ pool *pgxpool.Pool }

func (p pooled) query(ctx context.Context, read func(pgx.Rows) error, sql string, args ...any) error {
	rows, err := p.pool.Query(ctx, sql, args...)
	if err != nil {
		return translate(err)
	}
	defer rows.Close()
	return translate(read(rows))
}

func (p pooled) exec(ctx context.Context, sql string, args ...any) error {
	_, err := p.pool.Exec(ctx, sql, args...)
	return translate(err)
}

// one runs a statement that yields at most one row, and fails with ErrNotFound when it yields none.
func one[T any](ctx context.Context, q *queries, sql string, args ...any) (out T, err error) {
	err = q.only(ctx, func(row pgx.CollectableRow) (err error) {
		out, err = pgx.RowToStructByName[T](row)
		return err
	}, sql, args...)
	return out, err
}

// scalar is one for a statement of one column.
func scalar[T any](ctx context.Context, q *queries, sql string, args ...any) (out T, err error) {
	err = q.only(ctx, func(row pgx.CollectableRow) error { return row.Scan(&out) }, sql, args...)
	return out, err
}

// all runs a statement that yields any number of rows. The statement bounds them.
func all[T any](ctx context.Context, q *queries, sql string, args ...any) ([]T, error) {
	out := []T{}
	err := q.each(ctx, func(row pgx.CollectableRow) error {
		record, err := pgx.RowToStructByName[T](row)
		out = append(out, record)
		return err
	}, sql, args...)
	return out, err
}

// only hands the one row of a statement to read. Like each it is not generic, as what pgx has for this is: the program
// would hold a copy for every type of record.
func (q *queries) only(ctx context.Context, read func(pgx.CollectableRow) error, sql string, args ...any) error {
	return q.db.query(ctx, func(rows pgx.Rows) error {
		if !rows.Next() {
			return cmp.Or(rows.Err(), pgx.ErrNoRows)
		}
		if err := read(rows); err != nil {
			return err
		}
		if rows.Next() {
			return pgx.ErrTooManyRows
		}
		return rows.Err()
	}, sql, args...)
}

// each hands every row of a statement to read.
func (q *queries) each(ctx context.Context, read func(pgx.CollectableRow) error, sql string, args ...any) error {
	return q.db.query(ctx, func(rows pgx.Rows) error {
		for rows.Next() {
			if err := read(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	}, sql, args...)
}

// asOfOneMoment sends the statements that add puts into a batch in one round trip. They see the same moment, and change nothing.
func (s *Store) asOfOneMoment(ctx context.Context, add func(*pgx.Batch)) error {
	var batch pgx.Batch
	batch.Queue(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`)
	add(&batch)
	batch.Queue(`COMMIT`)
	return translate(s.pool.SendBatch(ctx, &batch).Close())
}

// translate turns what callers tell apart into our errors, and names the broken rule of the schema.
func translate(err error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return ErrNotFound
	}
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "23505": // unique_violation
			if pg.ConstraintName == "used_challenge_pkey" || pg.ConstraintName == "used_assertion_pkey" {
				return ErrReplayed
			}
			return fmt.Errorf("%s: %w", pg.ConstraintName, ErrConflict)
		case "23503", "23514": // foreign_key_violation, check_violation
			return fmt.Errorf("%s: %w", pg.ConstraintName, ErrReference)
		case "23502": // not_null_violation, whose constraint has no name
			return fmt.Errorf("%s.%s: %w", pg.TableName, pg.ColumnName, ErrReference)
		}
	}
	return err
}
