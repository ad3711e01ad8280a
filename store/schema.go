package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/golang-migrate/migrate/v4"
	"github.com/golang-migrate/migrate/v4/database"
	pgxmigrate "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/credence-id/credence/migrations"
)

// ErrSchema says that the schema is not the one this program was built with.
var ErrSchema = errors.New("the schema does not fit this program")

// Schema is the state of the schema of a database.
type Schema struct {
	Version int // of the database; 0 before the first migration
	Latest  int // that this program knows
}

// MigrateUp brings the schema to the latest version, as the owner that the URL names. Concurrent calls wait for each
// other. A file runs in one transaction: when it fails nothing of it is left behind, and the files before it stay.
func MigrateUp(ctx context.Context, ownerURL string) error {
	return migrateSchema(ctx, ownerURL, (*migrate.Migrate).Up)
}

// MigrateDown takes back the given number of versions. What their tables held is lost.
func MigrateDown(ctx context.Context, ownerURL string, versions int) error {
	return migrateSchema(ctx, ownerURL, func(m *migrate.Migrate) error { return m.Steps(-versions) })
}

func migrateSchema(ctx context.Context, ownerURL string, run func(*migrate.Migrate) error) error {
	pool, err := pgxpool.ParseConfig(ownerURL) // which knows the settings of a pool, that the URL may have
	if err != nil {
		return errors.New("the owner's database URL is not valid: want postgres://user:password@host:port/database")
	}
	pool.ConnConfig.ConnectTimeout = 5 * time.Second
	db := stdlib.OpenDB(*pool.ConnConfig)
	defer func() { _ = db.Close() }()
	if err := db.PingContext(ctx); err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	driver, err := pgxmigrate.WithInstance(db, &pgxmigrate.Config{MigrationsTable: "schema_migrations"})
	if err != nil {
		return fmt.Errorf("prepare to migrate: %w", err)
	}
	files, err := iofs.New(migrations.FS, ".")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	runFile := func(file string, version int) error { return runFile(ctx, db, file, version) }
	m, err := migrate.NewWithInstance("embedded", files, "postgres", &wholeFiles{Driver: driver, run: runFile})
	if err != nil {
		return fmt.Errorf("prepare to migrate: %w", err)
	}
	defer func() { _, _ = m.Close() }()

	before, _, err := m.Version()
	if err != nil && !errors.Is(err, migrate.ErrNilVersion) {
		return fmt.Errorf("read schema version: %w", err)
	}
	if before > uint(latest()) {
		return fmt.Errorf("%w: it is at version %d and this program knows %d: run the newer program", ErrSchema, before, latest())
	}
	if err := run(m); err != nil && !errors.Is(err, migrate.ErrNoChange) {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// wholeFiles makes the version part of the transaction of the file that brings it. The library would record it, and a
// mark that a file is half done, in transactions of their own: when a file then failed or the program died, neither told
// what the schema is.
type wholeFiles struct {
	database.Driver
	run     func(file string, version int) error
	version int
}

// SetVersion is called before a file and after it. Run does its work.
func (w *wholeFiles) SetVersion(version int, _ bool) error {
	w.version = version
	return nil
}

// Run runs a file and records the version that it brings.
func (w *wholeFiles) Run(file io.Reader) error {
	text, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	return w.run(string(text), max(w.version, 0)) // -1 is the library's word for "no version"
}

func runFile(ctx context.Context, db *sql.DB, file string, version int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	if _, err := tx.ExecContext(ctx, file); err != nil {
		fix := ""
		if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Hint != "" {
			fix = ": " + pg.Hint
		}
		return fmt.Errorf("the file on the way to version %d failed and left nothing behind: %w%s", version, err, fix)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM schema_migrations`); err != nil {
		return fmt.Errorf("record version %d of the schema: %w", version, err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO schema_migrations (version, dirty) SELECT $1::bigint, false WHERE $1::bigint > 0`, version); err != nil {
		return fmt.Errorf("record version %d of the schema: %w", version, err)
	}
	return tx.Commit()
}

// Schema reads which version the schema has.
func (s *Store) Schema(ctx context.Context) (Schema, error) {
	schema := Schema{Latest: latest()}
	// The table is opened to the service by the first migration: until then it may be absent or closed.
	there, err := scalar[bool](ctx, &s.queries, `SELECT to_regclass('schema_migrations') IS NOT NULL`)
	if err != nil || !there {
		return schema, err
	}
	readable, err := scalar[bool](ctx, &s.queries, `SELECT has_table_privilege('schema_migrations', 'SELECT')`)
	if err != nil {
		return schema, err
	}
	if !readable {
		return schema, fmt.Errorf("%w: this role may not read it: run `credence migrate up`, and connect as credence_service or a member of it", ErrSchema)
	}
	version, err := scalar[int64](ctx, &s.queries, `SELECT coalesce(max(version), 0) FROM schema_migrations`)
	schema.Version = int(version)
	return schema, err
}

// CheckSchema fails with ErrSchema unless the schema is the one this program was built with.
func (s *Store) CheckSchema(ctx context.Context) error {
	schema, err := s.Schema(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("read schema version: %w", err)
	case schema.Version < schema.Latest:
		return fmt.Errorf("%w: it is at version %d and this program needs %d: run `credence migrate up`", ErrSchema, schema.Version, schema.Latest)
	case schema.Version > schema.Latest:
		return fmt.Errorf("%w: it is at version %d and this program knows %d: run the newer program", ErrSchema, schema.Version, schema.Latest)
	}
	return nil
}

// CheckService fails when the role that we are connected as may do more than the service should: change the audit record.
func (s *Store) CheckService(ctx context.Context) error {
	may, err := scalar[bool](ctx, &s.queries, `
		SELECT has_table_privilege('audit_event', 'UPDATE') OR has_table_privilege('audit_event', 'DELETE') OR has_table_privilege('audit_event', 'TRUNCATE')`)
	if err != nil {
		return fmt.Errorf("read privileges: %w", err)
	}
	if may {
		return errors.New("the database role of the server may change the audit record: connect as credence_service or a member of it, not as the owner or a superuser")
	}
	return nil
}

// latest is the highest number among the embedded files.
func latest() int {
	names, err := fs.Glob(migrations.FS, "*.up.sql")
	if err != nil {
		panic(err) // the pattern is ours
	}
	highest := 0
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		if n, err := strconv.Atoi(number); err == nil {
			highest = max(highest, n)
		}
	}
	return highest
}

// MarkDevelopment marks the database as one of `credence dev`. The caller is its owner.
func (q *queries) MarkDevelopment(ctx context.Context, now time.Time) error {
	return q.db.exec(ctx, `INSERT INTO development (marked_at) VALUES ($1) ON CONFLICT DO NOTHING`, now)
}

// Development says whether the database is marked as one of `credence dev`.
func (q *queries) Development(ctx context.Context) (bool, error) {
	return scalar[bool](ctx, q, `SELECT EXISTS (SELECT FROM development)`)
}

// Empty says whether the database holds no person, no organisation and no client.
func (q *queries) Empty(ctx context.Context) (bool, error) {
	return scalar[bool](ctx, q, `
		SELECT NOT EXISTS (SELECT FROM person) AND NOT EXISTS (SELECT FROM organisation) AND NOT EXISTS (SELECT FROM client)`)
}

// Generation is the number of a set that replicas keep in memory ("client", "signing_key"). It rises with each change.
func (q *queries) Generation(ctx context.Context, set string) (int64, error) {
	return scalar[int64](ctx, q, `SELECT value FROM generation WHERE name = $1`, set)
}
