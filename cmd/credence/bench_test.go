package main

import (
	"bufio"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/cmd/credence/bench"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

// What credence dev runs can be measured beside it, and again.
func TestBench(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	d.loaded = true
	metrics := d.printed(`Metrics +(\S+)`)
	measure := func(args ...string) string {
		t.Helper()
		return d.command(append([]string{"bench", "--metrics", metrics, "--people", "200", "--concurrency", "1,4", "--duration", "200ms", "--warm", "0s"}, args...)...)
	}
	out := measure()
	if !strings.Contains(out, "200 of 200 people") {
		t.Errorf("credence bench prints %q, want how many people it has added", out)
	}
	for _, flow := range bench.Flows() {
		for _, users := range []string{"1", "4"} {
			line := regexp.MustCompile(`(?m)^` + flow + ` +` + users + ` +[1-9]\d*( +\d+\.\d\d){3} +0( +\d+\.\d{3}){3} +\d+\.\d$`)
			if !line.MatchString(out) {
				t.Errorf("credence bench prints %s\nwant a line of %s by %s users, without errors", out, flow, users)
			}
		}
	}
	again := measure("--json", "--flows", "code,refresh", "--rs256")
	lines := 0
	for line := range strings.Lines(again) {
		var r bench.Result
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.Operations == 0 || r.Errors > 0 {
			t.Errorf("credence bench --json prints %q, %v, want a result without errors", line, err)
		}
		lines++
	}
	if lines != 4 {
		t.Errorf("credence bench --json prints %d lines, want 4 results and nothing else: %s", lines, again)
	}
}

// A server with TLS is measured as it is: the authority of its directory is trusted there, and nowhere else.
func TestBenchHTTPS(t *testing.T) {
	t.Parallel()
	dir := reachableDir(t)
	printed, _ := startDev(t, dir, "--https")
	issuer, metrics := found(t, `Issuer +(https://localhost:\d+)\n`, printed), found(t, `Metrics +(\S+)`, printed)
	few := []string{"bench", "--metrics", metrics, "--people", "20", "--flows", "code,refresh,discovery", "--concurrency", "4", "--duration", "200ms", "--warm", "0s"}
	out, err := benchCommand(t, append(few, "--data", dir)...).CombinedOutput()
	if err != nil || len(regexp.MustCompile(`(?m)^(code|refresh|discovery) +4 +[1-9]\d*( +\d+\.\d\d){3} +0 `).FindAll(out, -1)) != 3 {
		t.Errorf("credence bench of %s = %v, %s\nwant three lines without errors", issuer, err, out)
	}
	ownerURL, serviceURL := storetest.URLs(t)
	elsewhere := benchCommand(t, append(few, "--issuer", issuer, "--fill", "--secret-file", filepath.Join(t.TempDir(), "secret"))...)
	elsewhere.Env = append(elsewhere.Env, "CREDENCE_DATABASE_URL="+serviceURL, "CREDENCE_DATABASE_OWNER_URL="+ownerURL)
	out, err = elsewhere.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "with --data") || strings.Contains(string(out), "start the server") {
		t.Errorf("credence bench without the directory of the authority = %v, %s\nwant that it is named, and not that the server is started", err, out)
	}
}

func benchCommand(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(programDir(t), "credence"), args...)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	return cmd
}

// Whoever stops it keeps what was measured.
func TestBenchStopped(t *testing.T) {
	t.Parallel()
	dir := reachableDir(t)
	printed, _ := startDev(t, dir)
	cmd := benchCommand(t, "bench", "--data", dir, "--metrics", found(t, `Metrics +(\S+)`, printed), "--people", "20",
		"--flows", "discovery,code", "--concurrency", "1", "--duration", "2s", "--warm", "0s")
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for scanner := bufio.NewScanner(out); scanner.Scan(); {
		lines = append(lines, scanner.Text())
		if strings.HasPrefix(scanner.Text(), "discovery") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = cmd.Wait()
	if len(lines) != 2 || cmd.ProcessState.ExitCode() != 1 || !strings.Contains(complaint.String(), "\ncredence: stopped before everything was measured\n") {
		t.Errorf("credence bench that is stopped = %v, %q\n%s\nwant the titles, a line and status 1, and that it says so", err, lines, &complaint)
	}
	if strings.Contains(complaint.String(), "context") {
		t.Errorf("credence bench that is stopped says %q, want it in words", &complaint)
	}
}

// Invented people who can sign in get into nothing that somebody uses, or may mean to; and what is refused is left as it was.
func TestBenchAsksBeforeItFills(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		somebody bool
		flags    []string
		want     string
		people   int
	}{
		"an empty database":                             {false, nil, "say --fill", 0},
		"an empty database that is to be filled":        {false, []string{"--fill"}, "start the server first", 66},
		"a database with somebody":                      {true, nil, "this database is somebody's", 1},
		"a database with somebody that is to be filled": {true, []string{"--fill"}, "this database is somebody's", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ownerURL, serviceURL := storetest.URLs(t)
			s, err := store.Open(t.Context(), serviceURL)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			if tt.somebody {
				if _, err := directory.AddPerson(t.Context(), s, directory.NewPerson{GivenName: "Ada", FamilyName: "Real"}, "test", time.Now()); err != nil {
					t.Fatal(err)
				}
			}
			secret := filepath.Join(t.TempDir(), "secret")
			cmd := benchCommand(t, append([]string{"bench", "--people", "2", "--issuer", "http://localhost:1", "--secret-file", secret}, tt.flags...)...)
			cmd.Env = append(cmd.Env, "CREDENCE_DATABASE_URL="+serviceURL, "CREDENCE_DATABASE_OWNER_URL="+ownerURL)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), tt.want) {
				t.Errorf("credence bench = %v, %s\nwant an error that says %q", err, out, tt.want)
			}
			rows, err := s.People(t.Context(), "", 100)
			if err != nil || len(rows) != tt.people {
				t.Errorf("people = %d, %v, want %d", len(rows), err, tt.people)
			}
			taken := tt.people == 66
			if _, err := os.Stat(secret); taken != (err == nil) {
				t.Errorf("the secret: %v, want it there only when the database is taken", err)
			}
		})
	}
}

// By itself it starts everything that it needs, and leaves nothing.
func TestBenchAlone(t *testing.T) {
	t.Parallel()
	dir := reachableDir(t)
	cmd := exec.CommandContext(t.Context(), filepath.Join(programDir(t), "credence"), "bench", "--alone",
		"--people", "20", "--flows", "code", "--concurrency", "2", "--duration", "200ms", "--warm", "0s")
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "GORACE=atexit_sleep_ms=0")
	out, err := cmd.CombinedOutput()
	if err != nil && !strings.Contains(string(out), "may take") { // the race detector is over every budget
		t.Fatalf("credence bench --alone = %v: %s", err, out)
	}
	for _, want := range []string{`(?m)^start +\d+ ms`, `(?m)^memory +\d+\.\d MiB`, `(?m)^code +2 +[1-9]`} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("credence bench --alone prints %s\nwant %s", out, want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("credence bench --alone leaves %v, %v, want nothing", left, err)
	}
}

func TestBenchRefuses(t *testing.T) {
	t.Parallel()
	ownerURL, serviceURL := storetest.URLs(t)
	const nowhere = "http://localhost:1"
	for name, tt := range map[string]struct {
		args     []string
		database string // of the owner
		status   int
		want     string
	}{
		"a server that others use":          {[]string{"--issuer", "https://id.example.org"}, ownerURL, 2, "say --remote"},
		"a database that others use":        {[]string{"--issuer", nowhere}, "postgres://owner:hunter2@db.example.org/credence", 2, "say --remote"},
		"an issuer that is none":            {[]string{"--issuer", "localhost:8080"}, ownerURL, 2, "--issuer localhost:8080"},
		"another directory and --alone":     {[]string{"--alone", "--data", "x"}, ownerURL, 2, "leave --data out"},
		"another server and --alone":        {[]string{"--alone", "--issuer", nowhere}, ownerURL, 2, "leave --issuer out"},
		"many people":                       {[]string{"--people", "many"}, ownerURL, 2, `"many" for "--people" flag: want a whole number`},
		"a flow that does not exist":        {[]string{"--flows", "cod"}, ownerURL, 2, "want some of code,"},
		"too little time":                   {[]string{"--issuer", nowhere, "--limit", "1ns"}, ownerURL, 1, "give it more time with --limit"},
		"no server, when all else is right": {[]string{"--issuer", nowhere, "--fill"}, ownerURL, 1, "start the server first"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := append([]string{"bench", "--people", "2", "--secret-file", filepath.Join(t.TempDir(), "secret")}, tt.args...)
			if tt.args[0] == "--alone" {
				args = append([]string{"bench"}, tt.args...)
			}
			cmd := exec.CommandContext(t.Context(), filepath.Join(programDir(t), "credence"), args...)
			cmd.Env = append(os.Environ(), "CREDENCE_DATABASE_URL="+serviceURL, "CREDENCE_DATABASE_OWNER_URL="+tt.database, "GORACE=atexit_sleep_ms=0")
			out, err := cmd.CombinedOutput()
			if err == nil || cmd.ProcessState.ExitCode() != tt.status || !strings.Contains(string(out), tt.want) {
				t.Errorf("credence %s = status %d, %s\nwant status %d and %q", strings.Join(args, " "), cmd.ProcessState.ExitCode(), out, tt.status, tt.want)
			}
			if strings.Contains(string(out), "hunter2") {
				t.Errorf("credence %s tells the password: %s", strings.Join(args, " "), out)
			}
		})
	}
}

func TestLocalDatabase(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]bool{
		"postgres://u:p@localhost/credence":                        true,
		"postgres://u:p@127.0.0.1:5432/credence":                   true,
		"postgres://u:p@[::1]/credence":                            true,
		"postgres://u:p@/credence?host=/run/postgresql":            true,
		"postgres://u:p@db.example.org/credence":                   false,
		"postgres://u:p@192.0.2.1/credence":                        false,
		"postgres://u:p@localhost,db.example.org/credence":         false,
		"postgres://u:p@localhost/credence?host=db.example.org":    false,
		"postgres://u:p@localhost.example.org/credence":            false,
		"postgres://u:p@localhost:port/credence":                   false,
		"postgres://u:p@localhost/credence?sslmode=prefer":         true,
		"postgres://u:p@db.example.org/credence?sslmode=prefer":    false,
		"postgres://u:p@db.example.org,localhost:5433/credence":    false,
		"postgres://u:p@127.0.0.1,localhost/credence?port=1,5432":  true,
		"postgres://u:p@localhost/credence?host=/tmp,db.example.x": false,
	} {
		if got := localDatabase(url); got != want {
			t.Errorf("localDatabase(%q) = %t, want %t", url, got, want)
		}
	}
}
