package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/migrations"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/localpg"
	"github.com/credence-id/credence/store/storetest"
)

// catalogue lists all that the schema is made of, and what the migrations put into its tables. What schema_migrations is
// belongs to no version.
func catalogue(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	list := value[[]string](t, conn, `
		WITH tables AS (
			SELECT oid, relname FROM pg_class
			WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S') AND relname <> 'schema_migrations'
		)
		SELECT coalesce(array_agg(line ORDER BY line), '{}') FROM (
			SELECT format('table %s %s %s', c.relname, c.relkind, c.relacl) FROM pg_class c JOIN tables USING (oid)
			UNION ALL SELECT format('column %s.%s %s %s %s %s', relname, attname, format_type(atttypid, atttypmod), attnotnull, attidentity, pg_get_expr(adbin, adrelid))
				FROM tables JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
			UNION ALL SELECT format('constraint %s %s %s', relname, conname, pg_get_constraintdef(c.oid)) FROM tables JOIN pg_constraint c ON conrelid = tables.oid
			UNION ALL SELECT 'index ' || pg_get_indexdef(indexrelid) FROM tables JOIN pg_index ON indrelid = tables.oid
			UNION ALL SELECT 'trigger ' || pg_get_triggerdef(g.oid) FROM tables JOIN pg_trigger g ON tgrelid = tables.oid AND NOT tgisinternal
			UNION ALL SELECT format('function %s %s', pg_get_functiondef(oid), proacl) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
			UNION ALL SELECT format('type %s', typname) FROM pg_type WHERE typnamespace = 'public'::regnamespace AND typtype <> 'c' AND typelem = 0
		) lines (line)`)
	if value[bool](t, conn, `SELECT to_regclass('generation') IS NOT NULL`) {
		list = append(list, value[[]string](t, conn, `SELECT coalesce(array_agg('generation of ' || name ORDER BY name), '{}') FROM generation`)...)
	}
	return list
}

// atEachVersion is the catalogue after each up file, from version 0, run by hand.
func atEachVersion(t *testing.T) [][]string {
	t.Helper()
	ownerURL, _ := storetest.Empty(t)
	conn := connect(t, ownerURL)
	exec(t, conn, `CREATE TABLE schema_migrations ()`)
	files, err := fs.Glob(migrations.FS, "*.up.sql")
	must(t, err)
	slices.Sort(files)
	list := [][]string{catalogue(t, conn)}
	for _, file := range files {
		text, err := fs.ReadFile(migrations.FS, file)
		must(t, err)
		exec(t, conn, string(text))
		list = append(list, catalogue(t, conn))
	}
	return list
}

func version(t *testing.T, url string) store.Schema {
	t.Helper()
	s, err := store.Open(t.Context(), url)
	must(t, err)
	defer s.Close()
	schema, err := s.Schema(t.Context())
	must(t, err)
	return schema
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	want := atEachVersion(t)
	latest := len(want) - 1
	ownerURL, serviceURL := storetest.Empty(t)
	conn := connect(t, ownerURL)
	for _, direction := range []string{"first", "second"} {
		must(t, store.MigrateUp(t.Context(), ownerURL))
		is(t, "MigrateUp(again)", store.MigrateUp(t.Context(), ownerURL), nil)
		same(t, "schema after the "+direction+" up", catalogue(t, conn), want[latest])
		for v := latest; v > 0; v-- {
			if got := version(t, serviceURL); got != (store.Schema{Version: v, Latest: latest}) {
				t.Errorf("Schema() = %+v, want version %d of %d", got, v, latest)
			}
			must(t, store.MigrateDown(t.Context(), ownerURL, 1))
			same(t, fmt.Sprintf("schema after down to %d", v-1), catalogue(t, conn), want[v-1])
		}
	}
	must(t, store.MigrateUp(t.Context(), ownerURL))
	must(t, store.MigrateDown(t.Context(), ownerURL, latest))
	same(t, "schema after down at once", catalogue(t, conn), want[0])
}

func TestConcurrentMigrateUp(t *testing.T) {
	t.Parallel()
	ownerURL, serviceURL := storetest.Empty(t)
	done := make(chan error)
	for range 3 {
		go func() { done <- store.MigrateUp(t.Context(), ownerURL) }()
	}
	for range 3 {
		is(t, "MigrateUp", <-done, nil)
	}
	is(t, "CheckSchema", open(t, serviceURL, nil).CheckSchema(t.Context()), nil)
}

func TestFailedMigrateUp(t *testing.T) {
	t.Parallel()
	want := atEachVersion(t)
	for _, tt := range []struct {
		stands string // in the way of a file
		at     int    // version that is reached
	}{{"used_challenge", 2}, {"client", 4}, {"development", 0}, {"audit_event", 7}} {
		t.Run("a file that finds the table "+tt.stands+" leaves nothing behind", func(t *testing.T) {
			t.Parallel()
			ownerURL, serviceURL := storetest.Empty(t)
			conn := connect(t, ownerURL)
			exec(t, conn, `CREATE TABLE `+tt.stands+` ()`)
			for range 2 {
				err := store.MigrateUp(t.Context(), ownerURL)
				if err == nil || !strings.Contains(err.Error(), "left nothing behind") || !strings.Contains(err.Error(), tt.stands) {
					t.Errorf("MigrateUp() = %v, want it to say that the file left nothing behind, and why", err)
				}
			}
			service := open(t, serviceURL, nil)
			if err := service.CheckSchema(t.Context()); !errors.Is(err, store.ErrSchema) || !strings.Contains(err.Error(), "run `credence migrate up`") {
				t.Errorf("CheckSchema() = %v, want %v and the fix", err, store.ErrSchema)
			}
			if got := version(t, ownerURL); got.Version != tt.at {
				t.Errorf("version = %d, want %d", got.Version, tt.at)
			}
			exec(t, conn, `DROP TABLE `+tt.stands)
			same(t, "schema", catalogue(t, conn), want[tt.at])
			is(t, "MigrateUp(with nothing in the way)", store.MigrateUp(t.Context(), ownerURL), nil)
			is(t, "CheckSchema", service.CheckSchema(t.Context()), nil)
			same(t, "schema", catalogue(t, conn), want[len(want)-1])
		})
	}
}

func TestFailedMigrateDown(t *testing.T) {
	t.Parallel()
	want := atEachVersion(t)
	for _, tt := range []struct {
		used string // by a view, so that it cannot be dropped
		at   int    // version that is reached
	}{{"audit_event", 8}, {"session", 4}, {"development", 1}} {
		t.Run("a file that may not drop "+tt.used+" leaves everything", func(t *testing.T) {
			t.Parallel()
			ownerURL, _ := storetest.URLs(t)
			conn := connect(t, ownerURL)
			exec(t, conn, `CREATE VIEW uses AS SELECT count(*) FROM `+tt.used)
			err := store.MigrateDown(t.Context(), ownerURL, len(want)-1)
			if err == nil || !strings.Contains(err.Error(), "left nothing behind") {
				t.Errorf("MigrateDown() = %v, want it to say that the file left nothing behind", err)
			}
			if got := version(t, ownerURL); got.Version != tt.at {
				t.Errorf("version = %d, want %d", got.Version, tt.at)
			}
			exec(t, conn, `DROP VIEW uses`)
			same(t, "schema", catalogue(t, conn), want[tt.at])
			must(t, store.MigrateDown(t.Context(), ownerURL, tt.at))
			same(t, "schema", catalogue(t, conn), want[0])
		})
	}
}

func TestMigrateThatIsCancelled(t *testing.T) {
	t.Parallel()
	ownerURL, _ := storetest.Empty(t)
	conn, watcher := connect(t, ownerURL), connect(t, ownerURL)
	exec(t, conn, `BEGIN`)
	exec(t, conn, `CREATE TABLE client ()`) // the file that makes it waits for this transaction
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	done := make(chan error)
	go func() { done <- store.MigrateUp(ctx, ownerURL) }()
	eventually(t, "wait for the other transaction", func() bool {
		return value[bool](t, watcher, `SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT granted AND a.datname = current_database())`)
	})
	cancel()
	is(t, "MigrateUp(cancelled)", <-done, context.Canceled)
	exec(t, conn, `ROLLBACK`)
	if got := version(t, ownerURL); got.Version != 4 {
		t.Errorf("version = %d, want 4", got.Version)
	}
	is(t, "MigrateUp", store.MigrateUp(t.Context(), ownerURL), nil)
}

func TestCheckSchema(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, change, fix string
	}{
		{"an empty database is too old", `DROP TABLE schema_migrations`, "run `credence migrate up`"},
		{"no version is too old", `DELETE FROM schema_migrations`, "it is at version 0 and this program needs "},
		{"an older version is too old", `UPDATE schema_migrations SET version = version - 1`, "run `credence migrate up`"},
		{"a newer version is too new", `UPDATE schema_migrations SET version = version + 1`, "run the newer program"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := newInstallation(t)
			is(t, "CheckSchema", in.CheckSchema(t.Context()), nil)
			exec(t, connect(t, in.ownerURL), tt.change)
			if err := in.CheckSchema(t.Context()); !errors.Is(err, store.ErrSchema) || !strings.Contains(err.Error(), tt.fix) {
				t.Errorf("CheckSchema() = %v, want %v, %q", err, store.ErrSchema, tt.fix)
			}
		})
	}
	t.Run("an older program does not migrate a newer database", func(t *testing.T) {
		t.Parallel()
		ownerURL, _ := storetest.URLs(t)
		conn := connect(t, ownerURL)
		before := catalogue(t, conn)
		exec(t, conn, `UPDATE schema_migrations SET version = 9000`)
		for call, err := range map[string]error{"MigrateUp": store.MigrateUp(t.Context(), ownerURL), "MigrateDown": store.MigrateDown(t.Context(), ownerURL, 1)} {
			if !errors.Is(err, store.ErrSchema) || !strings.Contains(err.Error(), "run the newer program") {
				t.Errorf("%s() = %v, want %v and the fix", call, err, store.ErrSchema)
			}
		}
		same(t, "schema", catalogue(t, conn), before)
	})
}

// The owner of the database need not be able to create roles, when the service's is there.
func TestMigrateWithoutTheServiceRole(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{filepath.Dir(dir), dir} {
		must(t, os.Chmod(path, 0o711)) // PostgreSQL's account passes through when we are root
	}
	cluster, err := localpg.Start(t.Context(), localpg.Options{Dir: filepath.Join(dir, "cluster"), Unsafe: true})
	must(t, err)
	defer func() { _ = cluster.Stop() }()
	admin := connect(t, cluster.SuperuserURL("postgres"))
	if value[bool](t, connect(t, cluster.OwnerURL()), `SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user`) {
		t.Fatal("the owner of a private cluster may create roles, want it not to")
	}
	exec(t, admin, `DROP OWNED BY credence_service`)
	exec(t, admin, `DROP ROLE credence_service`)
	err = store.MigrateUp(t.Context(), cluster.OwnerURL())
	for _, part := range []string{"the role credence_service does not exist and the owner may not create it", "As a superuser: CREATE ROLE credence_service LOGIN", "left nothing behind"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("MigrateUp(without the role) = %v, want %q", err, part)
		}
	}
	exec(t, admin, `CREATE ROLE credence_service`)
	is(t, "MigrateUp(with the role)", store.MigrateUp(t.Context(), cluster.OwnerURL()), nil)
}
