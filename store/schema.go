package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/golang-migrate/migrate/v4"
	pgxmigrate "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
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
	config, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return errors.New("the owner's database URL is not valid: want postgres://user:password@host:port/database")
	}
	config.ConnectTimeout = 5 * time.Second
	db := stdlib.OpenDB(*config)
	if err := db.PingContext(ctx); err != nil {
		_ = db.Close()
		return fmt.Errorf("reach database: %w", err)
	}
	driver, err := pgxmigrate.WithInstance(db, &pgxmigrate.Config{MigrationsTable: "schema_migrations"})
	if err != nil {
		_ = db.Close()
		return fmt.Errorf("prepare to migrate: %w", err)
	}
	files, err := iofs.New(migrations.FS, ".")
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	m, err := migrate.NewWithInstance("embedded", files, "postgres", driver)
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
	err = run(m)
	if errors.Is(err, migrate.ErrNoChange) {
		return nil
	}
	if err != nil {
		return errors.Join(fmt.Errorf("migrate: %w", err), clearDirty(m))
	}
	return nil
}

// clearDirty takes back the mark that the migration library sets before it runs a file. The file was one transaction
// and is rolled back, so the schema is whole at the version before.
func clearDirty(m *migrate.Migrate) error {
	failed, dirty, err := m.Version()
	if err != nil {
		return fmt.Errorf("read schema version: %w", err)
	}
	if !dirty {
		return nil
	}
	good := int(failed) - 1
	if good == 0 {
		good = -1 // the library's word for "no version"
	}
	if err := m.Force(good); err != nil {
		return fmt.Errorf("clear the mark of the failed migration %d: %w", failed, err)
	}
	return fmt.Errorf("migration %d failed and left nothing behind: the schema stays at version %d", failed, failed-1)
}

// Schema reads which version the schema has.
func (s *Store) Schema(ctx context.Context) (Schema, error) {
	schema := Schema{Latest: latest()}
	known, err := scalar[bool](ctx, s.queries, `SELECT to_regclass('schema_migrations') IS NOT NULL`)
	if err != nil || !known {
		return schema, err
	}
	version, err := scalar[int64](ctx, s.queries, `SELECT coalesce(max(version), 0) FROM schema_migrations`)
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
func (q queries) MarkDevelopment(ctx context.Context, now time.Time) error {
	return q.db.exec(ctx, `INSERT INTO development (marked_at) VALUES ($1) ON CONFLICT DO NOTHING`, now)
}

// Development says whether the database is marked as one of `credence dev`.
func (q queries) Development(ctx context.Context) (bool, error) {
	return scalar[bool](ctx, q, `SELECT EXISTS (SELECT FROM development)`)
}

// Empty says whether the database holds no person, no organisation and no client.
func (q queries) Empty(ctx context.Context) (bool, error) {
	return scalar[bool](ctx, q, `
		SELECT NOT EXISTS (SELECT FROM person) AND NOT EXISTS (SELECT FROM organisation) AND NOT EXISTS (SELECT FROM client)`)
}

// Generation is the number of a set that replicas keep in memory ("client", "signing_key"). It rises with each change.
func (q queries) Generation(ctx context.Context, set string) (int64, error) {
	return scalar[int64](ctx, q, `SELECT value FROM generation WHERE name = $1`, set)
}
