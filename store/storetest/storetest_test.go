package storetest_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/localpg"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func open(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// value is what the statement yields, as text.
func value(t *testing.T, conn *pgx.Conn, statement string, args ...any) string {
	t.Helper()
	var got string
	if err := conn.QueryRow(t.Context(), statement, args...).Scan(&got); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return got
}

func TestNew(t *testing.T) {
	t.Parallel()
	t.Run("has the schema of this program", func(t *testing.T) {
		t.Parallel()
		if err := storetest.New(t).CheckSchema(t.Context()); err != nil {
			t.Errorf("CheckSchema() = %v, want no error", err)
		}
	})
	t.Run("is empty", func(t *testing.T) {
		t.Parallel()
		if empty, err := storetest.New(t).Empty(t.Context()); err != nil || !empty {
			t.Errorf("Empty() = %v, %v, want true", empty, err)
		}
	})
}

func TestTemplate(t *testing.T) {
	t.Parallel()
	filled := 0
	template := storetest.Template{Fill: func(tb testing.TB, ownerURL string) {
		tb.Helper()
		filled++
		s, err := store.Open(tb.Context(), ownerURL)
		if err != nil {
			tb.Fatal(err)
		}
		defer s.Close()
		if err := s.MarkDevelopment(tb.Context(), time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)); err != nil {
			tb.Fatal(err)
		}
	}}
	const marks = `SELECT count(*)::text FROM development`
	for range 2 {
		ownerURL, serviceURL := template.URLs(t)
		if got := value(t, open(t, serviceURL), marks); got != "1" {
			t.Errorf("a copy has %s marks, want 1", got)
		}
		if _, err := open(t, ownerURL).Exec(t.Context(), `DELETE FROM development`); err != nil { // the next copy has it still
			t.Fatal(err)
		}
	}
	if filled != 1 {
		t.Errorf("the template was filled %d times, want once", filled)
	}
}

func TestURLs(t *testing.T) { //nolint:tparallel // the subtests take turns on one database
	t.Parallel()
	ownerURL, serviceURL := storetest.URLs(t)
	owner, service := open(t, ownerURL), open(t, serviceURL)

	t.Run("name one database", func(t *testing.T) {
		const statement = `SELECT current_database()`
		if a, b := value(t, owner, statement), value(t, service, statement); a != b {
			t.Errorf("databases = %s, %s, want one", a, b)
		}
	})
	t.Run("connect the service as credence_service", func(t *testing.T) {
		if got := value(t, service, `SELECT current_user`); got != "credence_service" {
			t.Errorf("current_user = %s, want credence_service", got)
		}
		if _, err := service.Exec(t.Context(), `CREATE TABLE mine ()`); err == nil {
			t.Error("CREATE TABLE by the service = nil, want it refused")
		}
	})
	t.Run("share nothing with another test's", func(t *testing.T) {
		if _, err := owner.Exec(t.Context(), `CREATE TABLE mine ()`); err != nil {
			t.Fatal(err)
		}
		otherURL, _ := storetest.URLs(t)
		if got := value(t, open(t, otherURL), `SELECT (to_regclass('mine') IS NULL)::text`); got != "true" {
			t.Error("a table of one test's database is in another's, want it absent")
		}
	})
	t.Run("end with the test", func(t *testing.T) {
		var name string
		t.Run("test", func(t *testing.T) {
			url, _ := storetest.URLs(t)
			conn := open(t, url)
			name = value(t, conn, `SELECT current_database()`)
		})
		if got := value(t, owner, `SELECT count(*)::text FROM pg_database WHERE datname = $1`, name); got != "0" {
			t.Errorf("databases named %s = %s, want 0", name, got)
		}
	})
}

func TestEmptyCanBeMigrated(t *testing.T) {
	t.Parallel()
	ownerURL, serviceURL := storetest.Empty(t)
	if err := store.MigrateUp(t.Context(), ownerURL); err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), serviceURL)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.CheckSchema(t.Context()); err != nil {
		t.Errorf("CheckSchema() = %v, want no error", err)
	}
}

// scratch is an empty directory that PostgreSQL's account can reach.
func scratch(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, path := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(path, 0o711); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// binary is this test binary once more, running the named test.
func binary(t *testing.T, test string, env ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^"+test+"$")
	cmd.Env = append(os.Environ(), env...)
	return cmd
}

func TestSharedServer(t *testing.T) {
	t.Parallel()
	c, err := localpg.Start(t.Context(), localpg.Options{Dir: filepath.Join(scratch(t), "cluster"), Unsafe: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Stop() }()
	admin := c.SuperuserURL("postgres")

	var binaries []*exec.Cmd
	for range 2 {
		cmd := binary(t, "TestNew|TestURLs|TestEmptyCanBeMigrated", "CREDENCE_TEST_DATABASE="+admin)
		cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		binaries = append(binaries, cmd)
	}
	for _, cmd := range binaries {
		if err := cmd.Wait(); err != nil {
			t.Errorf("tests on a shared server: %v", err)
		}
	}
	got := value(t, open(t, admin), `SELECT string_agg(regexp_replace(datname, '_[0-9a-f]{16}$', '_HASH'), ' ' ORDER BY datname) FROM pg_database WHERE datname ~ '_'`)
	if got != "template_HASH" {
		t.Errorf("databases left = %q, want one template alone", got)
	}
}

func TestSharedServerWithoutURL(t *testing.T) {
	t.Parallel()
	out, err := binary(t, "TestNew", "CREDENCE_TEST_DATABASE=host=localhost password=secret").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "not a postgres:// URL") || strings.Contains(string(out), "secret") {
		t.Errorf("TestNew = %v, %s, want it refused without the password shown", err, out)
	}
}

// A private server leaves nothing but the cache, though a test binary is killed.
func TestPrivateServer(t *testing.T) {
	t.Parallel()
	tmp := scratch(t)
	env := []string{"CREDENCE_TEST_DATABASE=", "TMPDIR=" + tmp}
	runs := func() []string {
		dirs, err := filepath.Glob(filepath.Join(tmp, "credence-test-*", "run-*"))
		if err != nil {
			t.Fatal(err)
		}
		return dirs
	}

	killed := binary(t, "TestNew", env...)
	killed.Args = append(killed.Args, "-test.count=100000")
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = killed.Process.Kill() }) // should the test fail before it does
	var left string
	eventually(t, "start of the private server", func() bool {
		for _, dir := range runs() {
			_, err := os.Stat(filepath.Join(filepath.Dir(dir), "cluster"))
			if _, notRunning := localpg.Running(t.Context(), dir); err == nil && notRunning == nil {
				left = dir
			}
		}
		return left != ""
	})
	if err := killed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait() // "signal: killed"
	eventually(t, "end of the killed binary's server", func() bool {
		_, err := localpg.Running(t.Context(), left)
		return err != nil && strings.Contains(err.Error(), "start `credence dev` first")
	})
	if _, err := os.Stat(left); err != nil {
		t.Fatalf("Stat(what the killed binary left) = %v, want it there", err)
	}

	if out, err := binary(t, "TestNew", env...).CombinedOutput(); err != nil {
		t.Fatalf("TestNew = %v, %s", err, out)
	}
	if got := runs(); len(got) != 0 {
		t.Errorf("left = %v, want nothing", got)
	}
}

// eventually waits for the condition, which must come true.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	deadline := time.After(time.Minute)
	for !condition() {
		select {
		case <-poll.C:
		case <-deadline:
			t.Fatalf("%s did not happen within a minute", what)
		}
	}
}
