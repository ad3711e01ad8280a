package storetest

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/credence-id/credence/migrations"
	"github.com/credence-id/credence/store"
)

// server is where test databases are made.
type server struct {
	admin      *pgxpool.Pool
	owner      string // role that owns the databases
	ownerURL   string // of any database
	serviceURL string // of any database
	stop       func() error

	making   sync.Mutex
	template string // the migrated database, once it is made

	keeping sync.Mutex
	kept    []string // databases that last as long as the test binary
}

// connect connects to the server that the environment names, or starts one.
func connect(ctx context.Context) (*server, error) {
	shared := os.Getenv("CREDENCE_TEST_DATABASE")
	if shared == "" {
		return startPrivate(ctx)
	}
	serviceURL, err := inServiceRole(shared)
	if err != nil {
		return nil, fmt.Errorf("CREDENCE_TEST_DATABASE: %w", err)
	}
	return newServer(ctx, shared, shared, serviceURL)
}

func newServer(ctx context.Context, adminURL, ownerURL, serviceURL string) (*server, error) {
	owner, err := pgx.ParseConfig(ownerURL)
	if err != nil {
		return nil, err
	}
	admin, err := pgxpool.New(ctx, adminURL)
	if err != nil {
		return nil, err
	}
	s := &server{
		admin:      admin,
		owner:      pgx.Identifier{owner.User}.Sanitize(),
		ownerURL:   ownerURL,
		serviceURL: serviceURL,
	}
	s.stop = func() error {
		defer admin.Close()
		return s.dropKept(context.WithoutCancel(ctx))
	}
	return s, nil
}

// create makes a database as a copy of another.
func (s *server) create(ctx context.Context, name, template string) error {
	// The default strategy logs every page; copying files is faster where
	// nothing has to reach the disk.
	_, err := s.admin.Exec(ctx, `CREATE DATABASE `+name+` OWNER `+s.owner+` TEMPLATE `+template+` STRATEGY FILE_COPY`)
	return err
}

func (s *server) drop(ctx context.Context, name string) error {
	_, err := s.admin.Exec(ctx, `DROP DATABASE `+name+` WITH (FORCE)`)
	return err
}

// keep leaves a database to the end of the test binary.
func (s *server) keep(name string) {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	s.kept = append(s.kept, name)
}

func (s *server) dropKept(ctx context.Context) (err error) {
	for _, name := range s.kept {
		err = errors.Join(err, s.drop(ctx, name))
	}
	return err
}

// migrated names the template with the schema.
func (s *server) migrated(tb testing.TB) string {
	tb.Helper()
	name, err := s.migrate(tb.Context())
	if err != nil {
		tb.Fatalf("make template database: %v", err)
	}
	return name
}

// migrate makes the template with the schema where it is missing. It is named
// for the migrations, so that test binaries on a shared server share it, and a
// changed migration makes another.
func (s *server) migrate(ctx context.Context) (_ string, err error) {
	s.making.Lock()
	defer s.making.Unlock()
	if s.template != "" {
		return s.template, nil
	}
	sum, err := hashMigrations()
	if err != nil {
		return "", fmt.Errorf("read migrations: %w", err)
	}
	name := "template_" + sum
	unfinished := name + "_unfinished"

	conn, err := s.admin.Acquire(ctx)
	if err != nil {
		return "", err
	}
	defer conn.Release()
	// Test binaries run side by side: the first to take the lock migrates.
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(hashtextextended($1, 0))`, name); err != nil {
		return "", err
	}
	defer func() {
		_, unlockErr := conn.Exec(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(hashtextextended($1, 0))`, name)
		err = errors.Join(err, unlockErr)
	}()
	var exists bool
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)`, name).Scan(&exists)
	if err != nil {
		return "", err
	}
	if !exists {
		// A template has its name only when it is whole.
		if _, err := conn.Exec(ctx, `DROP DATABASE IF EXISTS `+unfinished+` WITH (FORCE)`); err != nil {
			return "", err
		}
		if err := s.create(ctx, unfinished, "template0"); err != nil {
			return "", err
		}
		migrating, err := at(s.ownerURL, unfinished)
		if err != nil {
			return "", err
		}
		if err := store.MigrateUp(ctx, migrating); err != nil {
			return "", err
		}
		if _, err := conn.Exec(ctx, `ALTER DATABASE `+unfinished+` RENAME TO `+name); err != nil {
			return "", err
		}
	}
	s.template = name
	return name, nil
}

func hashMigrations() (string, error) {
	h := sha256.New()
	err := fs.WalkDir(migrations.FS, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		b, err := fs.ReadFile(migrations.FS, path)
		fmt.Fprintf(h, "%s %d\n%s", path, len(b), b)
		return err
	})
	return fmt.Sprintf("%x", h.Sum(nil)[:8]), err
}

// at is the address of another database on the same server.
func at(address, database string) (string, error) {
	u, err := parse(address)
	if err != nil {
		return "", err
	}
	u.Path = "/" + database
	return u.String(), nil
}

// inServiceRole makes the address one whose connections act as
// credence_service. It is an option and not a parameter "role" of the address,
// which libpq does not know.
func inServiceRole(address string) (string, error) {
	u, err := parse(address)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("options", strings.TrimSpace(q.Get("options")+" -c role=credence_service"))
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20") // libpq does not know the plus sign
	return u.String(), nil
}

func parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errors.New("database address is not a postgres:// URL") // without the address: it has a password
	}
	return u, nil
}
