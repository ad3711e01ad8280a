package localpg_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/store/localpg"
)

// parentEnv makes the test binary start the cluster of that directory and wait
// to be killed.
const parentEnv = "CREDENCE_TEST_LOCALPG_PARENT"

func TestMain(m *testing.M) {
	dir := os.Getenv(parentEnv)
	if dir == "" {
		os.Exit(m.Run())
	}
	if _, err := localpg.Start(context.Background(), localpg.Options{Dir: dir}); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("started")
	select {} // until killed
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
	return filepath.Join(dir, "cluster")
}

func start(t *testing.T, o localpg.Options) *localpg.Cluster {
	t.Helper()
	c, err := localpg.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("Start(%+v) = %v, want no error", o, err)
	}
	t.Cleanup(func() { _ = c.Stop() }) // tests that care have asked
	return c
}

func stop(t *testing.T, c *localpg.Cluster) {
	t.Helper()
	if err := c.Stop(); err != nil {
		t.Fatalf("Stop() = %v, want no error", err)
	}
}

// refused wants Start to fail with an error that says all of the words.
func refused(t *testing.T, o localpg.Options, words ...string) {
	t.Helper()
	c, err := localpg.Start(t.Context(), o)
	if err == nil {
		stop(t, c)
		t.Fatalf("Start(%+v) = nil, want an error", o)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("Start(%+v) = %q, want %q in it", o, err, word)
		}
	}
}

// query returns the one value that the statement yields as text.
func query(t *testing.T, url, statement string) string {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	var value string
	if err := conn.QueryRow(ctx, statement).Scan(&value); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
	return value
}

const (
	makeNote = `WITH made AS (INSERT INTO note VALUES ('kept') RETURNING text) SELECT text FROM made`
	readNote = `SELECT text FROM note`
)

func execute(t *testing.T, url, statement string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	if _, err := conn.Exec(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// leaveNote stores a row that a later run must find.
func leaveNote(t *testing.T, a localpg.Address) {
	t.Helper()
	execute(t, a.OwnerURL(), `CREATE TABLE note (text text)`)
	query(t, a.OwnerURL(), makeNote)
}

func wantNote(t *testing.T, a localpg.Address) {
	t.Helper()
	if got := query(t, a.OwnerURL(), readNote); got != "kept" {
		t.Errorf("note of the earlier run = %q, want %q", got, "kept")
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

// postmaster is the process id that the data directory names.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		t.Fatal(err)
	}
	return pid
}

// asServer makes the command run as PostgreSQL's account.
func asServer(t *testing.T, dir string, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: stat.Uid, Gid: stat.Gid}
	}
	return cmd
}

func TestFirstStart(t *testing.T) { //nolint:tparallel // the subtests take turns on one cluster
	t.Parallel()
	c := start(t, localpg.Options{Dir: scratch(t)})

	t.Run("commits are durable", func(t *testing.T) {
		for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes", "data_checksums"} {
			if got := query(t, c.OwnerURL(), `SHOW `+setting); got != "on" {
				t.Errorf("%s = %s, want on", setting, got)
			}
		}
	})
	t.Run("nothing listens on the network", func(t *testing.T) {
		if got := query(t, c.OwnerURL(), `SHOW listen_addresses`); got != "" {
			t.Errorf("listen_addresses = %q, want none", got)
		}
	})
	t.Run("each URL is of its role and database", func(t *testing.T) {
		for url, want := range map[string]string{
			c.OwnerURL():                "credence_owner credence",
			c.ServiceURL():              "credence_service credence",
			c.SuperuserURL("template1"): "postgres template1",
		} {
			if got := query(t, url, `SELECT current_user || ' ' || current_database()`); got != want {
				t.Errorf("user and database = %q, want %q", got, want)
			}
		}
	})
	t.Run("the roles have no more than they need", func(t *testing.T) {
		got := query(t, c.OwnerURL(), `SELECT string_agg(rolname, ' ') FROM pg_roles
			WHERE rolname LIKE 'credence%' AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
			HAVING count(*) > 0 UNION ALL SELECT 'none' LIMIT 1`)
		if got != "none" {
			t.Errorf("roles with powers = %q, want none", got)
		}
		if got := query(t, c.ServiceURL(), `SELECT has_schema_privilege('public', 'CREATE')::text || has_database_privilege('credence', 'CREATE')::text`); got != "falsefalse" {
			t.Errorf("service role may create in schema, database = %q, want falsefalse", got)
		}
	})
	t.Run("a wrong password is refused", func(t *testing.T) {
		config, err := pgx.ParseConfig(c.OwnerURL())
		if err != nil {
			t.Fatal(err)
		}
		config.Password = "wrong"
		if _, err := pgx.ConnectConfig(t.Context(), config); err == nil {
			t.Error("Connect(wrong password) = nil, want an error")
		}
	})
	t.Run("the passwords are for the owner of the directory alone", func(t *testing.T) {
		info, err := os.Stat(filepath.Join(filepath.Dir(socketDir(t, c)), "passwords.json"))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := info.Mode().Perm(), os.FileMode(0o600); got != want {
			t.Errorf("mode of passwords.json = %v, want %v", got, want)
		}
	})
	t.Run("a log record shows no password", func(t *testing.T) {
		if got, want := c.LogValue().String(), socketDir(t, c); got != want {
			t.Errorf("LogValue() = %q, want %q", got, want)
		}
	})
	stop(t, c)
	select {
	case <-c.Done():
	default:
		t.Error("Done() is open after Stop, want it closed")
	}
}

func socketDir(t *testing.T, c *localpg.Cluster) string {
	t.Helper()
	config, err := pgx.ParseConfig(c.OwnerURL())
	if err != nil {
		t.Fatal(err)
	}
	return config.Host
}

func TestSecondRunFindsTheData(t *testing.T) {
	t.Parallel()
	o := localpg.Options{Dir: scratch(t)}
	c := start(t, o)
	url := c.OwnerURL()
	leaveNote(t, c.Address)
	stop(t, c)
	c = start(t, o)
	wantNote(t, c.Address)
	if c.OwnerURL() != url {
		t.Error("OwnerURL() differs from that of the first run, want the same")
	}
}

func TestSecondOwnerIsRefused(t *testing.T) {
	t.Parallel()
	o := localpg.Options{Dir: scratch(t), Unsafe: true}
	c := start(t, o)
	refused(t, o, "another process runs the cluster in "+o.Dir, "stop it first")
	query(t, c.OwnerURL(), `SELECT 'the first is undisturbed'`)
}

func TestMissingDatabaseIsMadeAgain(t *testing.T) {
	t.Parallel()
	o := localpg.Options{Dir: scratch(t), Unsafe: true}
	c := start(t, o)
	execute(t, c.SuperuserURL("postgres"), `DROP DATABASE credence`)
	execute(t, c.SuperuserURL("postgres"), `DROP ROLE credence_service`)
	stop(t, c)
	c = start(t, o)
	query(t, c.ServiceURL(), `SELECT 'made'`)
}

func TestKilledParent(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	parent := spawnParent(t, dir)
	var running localpg.Address
	eventually(t, "start of the cluster", func() bool {
		var err error
		running, err = localpg.Running(t.Context(), dir)
		return err == nil
	})
	leaveNote(t, running)
	server := postmaster(t, dir)
	kill(t, parent)

	c := start(t, localpg.Options{Dir: dir}) // at once: it waits
	wantNote(t, c.Address)
	if postmaster(t, dir) == server {
		t.Error("the killed parent's postgres serves on, want a new one")
	}
	b, err := os.ReadFile(filepath.Join(dir, "postgres.log.old"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), "database system is shut down") {
		t.Errorf("log of the killed parent's postgres = %s, want a clean shutdown", b)
	}
}

func TestKilledInitdb(t *testing.T) {
	t.Parallel()
	t.Run("with its parent, half way", func(t *testing.T) {
		t.Parallel()
		dir := scratch(t)
		parent := spawnParent(t, dir)
		eventually(t, "work of initdb", func() bool {
			_, err := os.Stat(filepath.Join(dir, "data.new", "base", "1"))
			return err == nil
		})
		kill(t, parent)
		if _, err := os.Stat(filepath.Join(dir, "data")); !os.IsNotExist(err) {
			t.Fatalf("Stat(data) = %v, want it absent: the kill came too late", err)
		}
		c := start(t, localpg.Options{Dir: dir})
		query(t, c.OwnerURL(), `SELECT 'healed'`)
		if _, err := os.Stat(filepath.Join(dir, "data.new")); !os.IsNotExist(err) {
			t.Errorf("Stat(data.new) = %v, want it gone", err)
		}
	})
	t.Run("by the end of the context", func(t *testing.T) {
		t.Parallel()
		o := localpg.Options{Dir: scratch(t), Unsafe: true}
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			defer cancel()
			for ctx.Err() == nil {
				if _, err := os.Stat(filepath.Join(o.Dir, "data.new", "base")); err == nil {
					return
				}
			}
		}()
		if c, err := localpg.Start(ctx, o); err == nil {
			stop(t, c)
			t.Fatal("Start(cancelled) = nil, want an error")
		}
		c := start(t, o)
		query(t, c.OwnerURL(), `SELECT 'healed'`)
	})
}

func spawnParent(t *testing.T, dir string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), parentEnv+"="+dir)
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // for tests that fail before they do
	return cmd
}

// kill ends the process as nothing can prevent, and reaps it.
func kill(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // "signal: killed"
}

func TestKilledServer(t *testing.T) {
	t.Parallel()
	o := localpg.Options{Dir: scratch(t)}
	c := start(t, o)
	leaveNote(t, c.Address)
	if err := syscall.Kill(postmaster(t, o.Dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	if err := c.Stop(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("Stop() = %v, want how postgres ended", err)
	}
	wantNote(t, start(t, o).Address)
}

func TestServerStoppedBySomebodyElse(t *testing.T) {
	t.Parallel()
	o := localpg.Options{Dir: scratch(t), Unsafe: true}
	c := start(t, o)
	if err := syscall.Kill(postmaster(t, o.Dir), syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	<-c.Done()
	if err := c.Stop(); err == nil || !strings.Contains(err.Error(), "somebody else") {
		t.Errorf("Stop() = %v, want that somebody else stopped it", err)
	}
}

func TestStaleState(t *testing.T) { //nolint:tparallel // the subtests take turns on one cluster
	t.Parallel()
	o := localpg.Options{Dir: scratch(t), Unsafe: true}
	c := start(t, o)
	leaveNote(t, c.Address)
	stop(t, c)

	ended := asServer(t, o.Dir, exec.Command("true"))
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	other := asServer(t, o.Dir, exec.Command("sleep", "600")) // a process that postgres would take for a server
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { kill(t, other) })

	for _, tt := range []struct{ name, pid string }{
		{"process that has ended", strconv.Itoa(ended.Process.Pid)},
		{"process of the same account", strconv.Itoa(other.Process.Pid)},
		{"process of this test", strconv.Itoa(os.Getpid())},
		{"process group", "-1"},
		{"nothing", ""},
		{"no process at all", "\x00\x00\x00\x00"},
	} {
		t.Run("left by a crash, naming a "+tt.name, func(t *testing.T) {
			socket := socketDir(t, c)
			for path, text := range map[string]string{
				filepath.Join(o.Dir, "data", "postmaster.pid"): fmt.Sprintf("%s\n%s\n1700000000\n5432\n%s\n\n  123456   1\nready   \n", tt.pid, filepath.Join(o.Dir, "data"), socket),
				filepath.Join(socket, ".s.PGSQL.5432.lock"):    fmt.Sprintf("%s\n%s\n1700000000\n5432\n%s\n", tt.pid, filepath.Join(o.Dir, "data"), socket),
			} {
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				if info, err := os.Stat(filepath.Join(o.Dir, "data")); err != nil {
					t.Fatal(err)
				} else if stat := info.Sys().(*syscall.Stat_t); os.Chown(path, int(stat.Uid), int(stat.Gid)) != nil {
					t.Fatal("chown")
				}
			}
			c := start(t, o)
			wantNote(t, c.Address)
			stop(t, c)
		})
	}
}

func TestServerStartedByHandIsRefused(t *testing.T) {
	t.Parallel()
	o := localpg.Options{Dir: scratch(t), Unsafe: true}
	stop(t, start(t, o))
	bin, err := localpg.FindBinaries(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(o.Dir, "data")
	byHand := asServer(t, o.Dir, exec.Command(filepath.Join(bin.Dir, "postgres"), "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories="+filepath.Join(o.Dir, "run")))
	byHand.Dir = data
	if err := byHand.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = byHand.Process.Signal(syscall.SIGINT)
		_ = byHand.Wait()
	})
	eventually(t, "start by hand", func() bool {
		_, err := localpg.Running(t.Context(), o.Dir)
		return err == nil
	})
	refused(t, o, fmt.Sprintf("process %d", byHand.Process.Pid), "stop it first")
	if _, err := localpg.Running(t.Context(), o.Dir); err != nil {
		t.Errorf("Running() = %v, want the server started by hand undisturbed", err)
	}
}

func TestOtherMajorVersionIsRefused(t *testing.T) { //nolint:tparallel // the subtests take turns on one cluster
	t.Parallel()
	o := localpg.Options{Dir: scratch(t), Unsafe: true}
	c := start(t, o)
	leaveNote(t, c.Address)
	stop(t, c)
	path := filepath.Join(o.Dir, "data", "PG_VERSION")
	version, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, version string
		words         []string
	}{
		{"newer than any installed", "99\n", []string{o.Dir, "PostgreSQL 99", "apt-get install postgresql-99"}},
		{"older than supported", "13\n", []string{o.Dir, "PostgreSQL 13", "15 is the oldest", "pg_dump"}},
		{"unreadable", "9.6\n", []string{"move it away"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(tt.version), 0o600); err != nil {
				t.Fatal(err)
			}
			refused(t, o, tt.words...)
		})
	}
	t.Run("and its data is still there", func(t *testing.T) {
		if err := os.WriteFile(path, version, 0o600); err != nil {
			t.Fatal(err)
		}
		wantNote(t, start(t, o).Address)
	})
}

func TestForeignDataDirectoryIsRefused(t *testing.T) {
	t.Parallel()
	o := localpg.Options{Dir: scratch(t)}
	if err := os.MkdirAll(filepath.Join(o.Dir, "data"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(o.Dir, 0o711); err != nil { // whatever the umask
		t.Fatal(err)
	}
	thesis := filepath.Join(o.Dir, "data", "thesis.txt")
	if err := os.WriteFile(thesis, []byte("years of work"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, o, "no PostgreSQL cluster", "move it away")
	if _, err := os.Stat(thesis); err != nil {
		t.Errorf("Stat(thesis.txt) = %v, want it untouched", err)
	}
}

func TestFailedStartSaysWhy(t *testing.T) {
	t.Parallel()
	o := localpg.Options{Dir: scratch(t), Unsafe: true}
	stop(t, start(t, o))
	config := filepath.Join(o.Dir, "data", "postgresql.conf")
	if err := os.WriteFile(config, []byte("shared_memory_type = 'nonsense'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused(t, o, "exit status 1", "postgres.log", "configuration file")
}

// It is not parallel: a program that was just written cannot be run while
// another test's new process still has the file open.
func TestFindBinaries(t *testing.T) {
	fake := func(version string) string {
		dir := t.TempDir()
		for name, script := range map[string]string{"postgres": "#!/bin/sh\necho '" + version + "'\n", "initdb": "#!/bin/sh\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	for _, tt := range []struct {
		name, dir string
		major     int
		want      string // of the error
	}{
		{"a directory without programs", t.TempDir(), 0, "apt-get install postgresql"},
		{"a version that is too old", fake("postgres (PostgreSQL) 14.9"), 0, "PostgreSQL 15 or newer is needed"},
		{"another version than asked for", fake("postgres (PostgreSQL) 16.1"), 17, "apt-get install postgresql-17"},
		{"another program", fake("mysqld 8.0"), 0, "apt-get install postgresql"},
		{"a version that is new enough", fake("postgres (PostgreSQL) 15.1"), 0, ""},
		{"the version asked for", fake("postgres (PostgreSQL) 17.0"), 17, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := localpg.FindBinaries(t.Context(), tt.dir, tt.major)
			if tt.want == "" {
				if err != nil || got.Dir != tt.dir {
					t.Errorf("FindBinaries() = %v, %v, want those in %s", got, err, tt.dir)
				}
			} else if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("FindBinaries() = %v, %v, want an error with %q", got, err, tt.want)
			}
		})
	}
}
