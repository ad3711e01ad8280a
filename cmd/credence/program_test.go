package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/localpg"
	"github.com/credence-id/credence/store/storetest"
)

// TestMain is the program itself when the test binary is run by the program's name.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "credence" {
		main()
	}
	storetest.Main(m)
}

// programDir returns a directory with the program, for a PATH.
func programDir(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "credence")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// Each script has a migrated database of its own, as operators have.
func TestScripts(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("scripts = %v, %v, want some", scripts, err)
	}
	for _, script := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(script), ".txtar"), func(t *testing.T) {
			t.Parallel()
			program := programDir(t)
			owner, service := storetest.URLs(t)
			testscript.Run(t, testscript.Params{
				Files: []string{script},
				Setup: func(e *testscript.Env) error {
					e.Setenv("PATH", program+string(filepath.ListSeparator)+e.Getenv("PATH"))
					e.Setenv("GORACE", "atexit_sleep_ms=0") // else the race detector makes every command last a second
					e.Setenv("CREDENCE_DATABASE_OWNER_URL", owner)
					e.Setenv("CREDENCE_DATABASE_URL", service)
					return nil
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){
					"exits":         exits,
					"object":        object,
					"take":          take,
					"empty":         func(ts *testscript.TestScript, _ bool, _ []string) { useEmptyDatabase(t, ts) },
					"private":       func(ts *testscript.TestScript, _ bool, _ []string) { usePrivateDatabase(t, ts) },
					"development":   func(ts *testscript.TestScript, _ bool, _ []string) { markDevelopment(t, ts) },
					"metadata":      func(ts *testscript.TestScript, _ bool, _ []string) { publishMetadata(t, ts) },
					"authenticator": func(ts *testscript.TestScript, _ bool, args []string) { addAuthenticator(t, ts, args[0], args[1:]...) },
					"glass":         func(ts *testscript.TestScript, _ bool, args []string) { openGlass(t, ts, args[0], args[1], args[2]) },
					"prove":         func(ts *testscript.TestScript, _ bool, args []string) { prove(t, ts, args) },
					"waits": func(ts *testscript.TestScript, _ bool, args []string) {
						proposeEvidence(t, ts, args[0], args[1], args[2])
					},
					"picture":  takePicture,
					"recorded": func(ts *testscript.TestScript, _ bool, args []string) { wantRecorded(t, ts, args) },
					"told":     func(ts *testscript.TestScript, _ bool, args []string) { wantTold(t, ts, args) },
				},
				RequireExplicitExec: true,
				RequireUniqueNames:  true,
			})
		})
	}
}

// exits runs a program and wants an exit status: exits 2 credence ...
func exits(ts *testscript.TestScript, _ bool, args []string) {
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](ts.Exec(args[1], args[2:]...)); ok {
		got = exit.ExitCode()
	}
	if strconv.Itoa(got) != args[0] {
		ts.Fatalf("exit status = %d, want %s", got, args[0])
	}
}

// object wants that the last program printed one JSON object and nothing else.
func object(ts *testscript.TestScript, _ bool, _ []string) {
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	var v map[string]any
	if err := d.Decode(&v); err != nil {
		ts.Fatalf("stdout is not a JSON object: %v", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		ts.Fatalf("stdout has more than a JSON object: %v", err)
	}
}

// take puts into a variable what an expression found in what the last program printed: take ID '"id": "(.*)"'
func take(ts *testscript.TestScript, _ bool, args []string) {
	found := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout") + ts.ReadFile("stderr"))
	if len(found) != 2 {
		ts.Fatalf("neither stdout nor stderr has %s", args[1])
	}
	ts.Setenv(args[0], found[1])
}

// useEmptyDatabase gives the script a database without our tables instead.
func useEmptyDatabase(t *testing.T, ts *testscript.TestScript) {
	t.Helper()
	owner, service := storetest.Empty(t)
	ts.Setenv("CREDENCE_DATABASE_OWNER_URL", owner)
	ts.Setenv("CREDENCE_DATABASE_URL", service)
}

// markDevelopment marks the script's database as one of `credence dev`.
func markDevelopment(t *testing.T, ts *testscript.TestScript) {
	t.Helper()
	s, err := store.Open(t.Context(), ts.Getenv("CREDENCE_DATABASE_OWNER_URL"))
	ts.Check(err)
	defer s.Close()
	ts.Check(s.MarkDevelopment(t.Context(), time.Now()))
}

// usePrivateDatabase starts a database in the directory $DATA, which the script has to name with --data, and takes the
// environment's away.
func usePrivateDatabase(t *testing.T, ts *testscript.TestScript) {
	t.Helper()
	dir := t.TempDir()
	for _, path := range []string{filepath.Dir(dir), dir} {
		ts.Check(os.Chmod(path, 0o711)) // PostgreSQL's account passes through
	}
	dir = filepath.Join(dir, "data")
	cluster, err := localpg.Start(t.Context(), localpg.Options{Dir: dir, Unsafe: true})
	ts.Check(err)
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	ts.Setenv("DATA", dir)
	ts.Setenv("CREDENCE_DATABASE_OWNER_URL", "")
	ts.Setenv("CREDENCE_DATABASE_URL", "")
}

// addAuthenticator binds one to a person, with a name that a terminal would obey, and puts its id into $AUTHENTICATOR.
func addAuthenticator(t *testing.T, ts *testscript.TestScript, person string, by ...string) {
	t.Helper()
	s := onScript(t, ts)
	id := uuid.New()
	ts.Check(s.AddAuthenticator(t.Context(), store.Authenticator{
		ID: id, PersonID: person, Name: "Blue\x1b[2Jkey", Kind: "passkey", CredentialID: id[:], PublicKey: []byte{1}, AAGUID: uuid.New(),
		Transports: []string{"usb"}, AttestationFormat: "none", AttestationObject: []byte{1}, ClientData: []byte{1}, AttestationVerdict: "none", CreatedAt: time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC),
	}))
	for _, officer := range by {
		ts.Check(audit.Record(t.Context(), s, audit.Entry{At: time.Now(), Event: audit.Enrolled, Actor: officer, Person: person, Detail: map[string]string{"authenticator": id.String()}}))
	}
	ts.Setenv("AUTHENTICATOR", id.String())
}

// wantTold wants these kinds of messages to wait in the outbox, and no others.
func wantTold(t *testing.T, ts *testscript.TestScript, want []string) {
	t.Helper()
	s := onScript(t, ts)
	waiting, err := s.ClaimMessages(t.Context(), time.Now(), 100, time.Now().Add(time.Minute))
	ts.Check(err)
	got := each(waiting, func(m store.Message) string { return m.Kind })
	slices.Sort(got)
	if !slices.Equal(got, want) {
		ts.Fatalf("messages = %q, want %q", got, want)
	}
}

// wantRecorded wants the record to have an event that an operator caused for an officer, in a role of hers; or that was refused for
// a reason: recorded review_decided 100000000001 200000000001 own_giving
func wantRecorded(t *testing.T, ts *testscript.TestScript, args []string) {
	t.Helper()
	list, err := onScript(t, ts).AuditEvents(t.Context(), 0, 1000)
	ts.Check(err)
	refusal := strings.Join(args[3:], "")
	if !slices.ContainsFunc(list, func(e store.AuditEvent) bool {
		return e.Event == args[0] && strings.HasPrefix(e.Actor, "operator:") && e.Detail["officer"] == args[1] && e.Detail["officer_role"] == args[2] && e.Refusal == refusal
	}) {
		ts.Fatalf("the record has no %q of an operator", args)
	}
}

// everyCommand lists the commands of the program by path.
func everyCommand(root *cobra.Command) map[string]*cobra.Command {
	all := map[string]*cobra.Command{root.CommandPath(): root}
	for _, c := range root.Commands() {
		maps.Copy(all, everyCommand(c))
	}
	return all
}

func TestEveryCommandHelpsWithAnExample(t *testing.T) {
	t.Parallel()
	for path := range everyCommand(newRootCommand(&program{now: time.Now})) {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			root := newRootCommand(&program{now: time.Now})
			root.SetOut(&out)
			root.SetArgs(append(strings.Fields(path)[1:], "--help"))
			if status := execute(context.WithoutCancel(t.Context()), root); status != 0 {
				t.Fatalf("%s --help exits with %d, want 0", path, status)
			}
			for _, want := range []string{"Examples:\n  ", "Usage:\n  " + path} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%s --help = %s, want it to have %q", path, out.String(), want)
				}
			}
		})
	}
}

// An example that no longer works is worse than none: each must name a command, with flags that it has and as many
// arguments as it takes.
func TestExamplesCanBeTyped(t *testing.T) {
	t.Parallel()
	typed := regexp.MustCompile(`credence( [^)\n]*)?`)
	word := regexp.MustCompile(`"[^"]*"|[^ "]+`)
	for path, c := range everyCommand(newRootCommand(&program{now: time.Now})) {
		examples := typed.FindAllString(c.Example, -1)
		if len(examples) == 0 {
			t.Errorf("the example of %s = %q, want one that types credence", path, c.Example)
		}
		for _, example := range examples {
			root := newRootCommand(&program{now: time.Now})
			cmd, args, err := root.Find(word.FindAllString(example, -1)[1:])
			if err != nil {
				t.Errorf("example %q of %s: %v", example, path, err)
				continue
			}
			if err := cmd.ParseFlags(args); err != nil {
				t.Errorf("example %q of %s: %v", example, path, err)
			}
			if err := errors.Join(cmd.ValidateRequiredFlags(), cmd.ValidateArgs(cmd.Flags().Args())); err != nil {
				t.Errorf("example %q of %s: %v", example, path, err)
			}
		}
	}
}
