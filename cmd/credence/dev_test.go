package main

import (
	"bufio"
	"context"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/store/localpg"
	"github.com/credence-id/credence/store/storetest"
)

// What the directory says of its private database, which another process may run, stays true.
func TestDevOnADatabaseOfTheEnvironment(t *testing.T) {
	t.Parallel()
	ownerURL, serviceURL := storetest.URLs(t)
	dir, environ := reachableDir(t), append(os.Environ(), "CREDENCE_DATABASE_URL="+serviceURL, "CREDENCE_DATABASE_OWNER_URL="+ownerURL)
	issuerPath := filepath.Join(dir, defaultData, issuerFile)
	const before = "http://localhost:8080\n"
	if err := os.Mkdir(filepath.Dir(issuerPath), 0o711); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(issuerPath, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	program := filepath.Join(programDir(t), "credence")
	cmd := exec.CommandContext(ctx, program, "dev", "--listen", "localhost:0", "--demo-listen", "127.0.0.1:0", "--metrics-listen", "127.0.0.1:0")
	cmd.Dir, cmd.Env, cmd.Stderr = dir, environ, t.Output()
	printed, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	running := false
	for lines := bufio.NewScanner(printed); !running && lines.Scan(); {
		running = strings.Contains(lines.Text(), "Stop with Ctrl-C")
	}
	if !running {
		t.Fatal("credence dev ended before it ran")
	}
	if got, err := os.ReadFile(issuerPath); err != nil || string(got) != before {
		t.Errorf("the issuer of the directory = %q, %v, want %q as before", got, err, before)
	}
	if _, err := os.Stat(filepath.Join(dir, defaultData, sealKeyFile)); err != nil {
		t.Errorf("the seal key of the directory: %v, want one", err)
	}
	link := exec.CommandContext(ctx, program, "person", "enrol-link", enrolPerson)
	link.Dir, link.Env = dir, environ
	if out, err := link.CombinedOutput(); err == nil || !strings.Contains(string(out), "CREDENCE_ISSUER is not set") {
		t.Errorf("credence person enrol-link = %q, %v, want it to ask for CREDENCE_ISSUER", out, err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("credence dev ended with %v, want status 0", err)
	}
}

// Where a private database would be is of no interest to who brings one.
func TestDevSaysNothingOfADirectoryThatItDoesNotUse(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	d := development{
		program: &program{environ: []string{"CREDENCE_DATABASE_URL=" + databaseURL, "CREDENCE_DATABASE_OWNER_URL=" + ownerURL}, now: time.Now},
		out:     &out, log: slog.New(slog.DiscardHandler),
	}
	dir := filepath.Join(reachableDir(t), "elsewhere")
	got, err := d.database(t.Context(), dir)
	if err != nil || got.serviceURL != databaseURL || got.ownerURL != ownerURL || got.issuerPath != "" {
		t.Errorf("database() = %+v, %v, want that of the environment", got, err)
	}
	if out.Len() > 0 {
		t.Errorf("database() prints %q, want nothing", &out)
	}
	// The next run has to find the seal key, and the next private database its place.
	if again, err := localpg.DefaultDir(dir); err != nil || again != dir {
		t.Errorf("the default directory after database() = %q, %v, want %q still", again, err, dir)
	}
}
