package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/credence-id/credence/cmd/credence/bench"
	"github.com/credence-id/credence/store/storetest"
)

// What credence dev runs can be measured beside it, and again.
func TestBench(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
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
		"another server and --alone":        {[]string{"--alone", "--issuer", nowhere}, ownerURL, 2, "alone issuer"},
		"a flow that does not exist":        {[]string{"--flows", "cod"}, ownerURL, 2, "want some of code,"},
		"too little time":                   {[]string{"--issuer", nowhere, "--limit", "1ns"}, ownerURL, 1, "give it more time with --limit"},
		"no server, when all else is right": {[]string{"--issuer", nowhere}, ownerURL, 1, "start the server first"},
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
