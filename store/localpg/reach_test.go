package localpg_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/credence-id/credence/store/localpg"
)

// closed is a directory below one that only this process's user can enter.
func closed(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "home")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(filepath.Dir(dir)), 0o711); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, ".credence")
}

func TestDirectoryBelowAClosedOne(t *testing.T) { //nolint:tparallel // the subtests take turns on one directory
	t.Parallel()
	dir := closed(t)
	got, err := localpg.DefaultDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() != 0 {
		if got != dir {
			t.Errorf("DefaultDir(%s) = %s, want it unchanged: PostgreSQL runs as this user", dir, got)
		}
		stop(t, start(t, localpg.Options{Dir: dir, Unsafe: true}))
		return
	}
	if filepath.Dir(got) != "/var/lib/credence" {
		t.Errorf("DefaultDir(%s) = %s, want a directory in /var/lib/credence", dir, got)
	}
	refused(t, localpg.Options{Dir: dir}, filepath.Dir(dir), "0700", "chmod o+x")

	t.Run("gets the same default whether it exists or not", func(t *testing.T) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if again, err := localpg.DefaultDir(dir); err != nil || again != got {
			t.Errorf("DefaultDir() = %s, %v, want %s", again, err, got)
		}
	})
	t.Run("gets the same default through a symbolic link", func(t *testing.T) {
		link := filepath.Join(t.TempDir(), "link")
		if err := os.Symlink(filepath.Dir(dir), link); err != nil {
			t.Fatal(err)
		}
		if again, err := localpg.DefaultDir(filepath.Join(link, ".credence")); err != nil || again != got {
			t.Errorf("DefaultDir() = %s, %v, want %s", again, err, got)
		}
	})
	t.Run("gets another default than its neighbour", func(t *testing.T) {
		if other, err := localpg.DefaultDir(dir + "2"); err != nil || other == got {
			t.Errorf("DefaultDir() = %s, %v, want another", other, err)
		}
	})
}

func TestDefaultDirThatCanBeReached(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	if got, err := localpg.DefaultDir(dir); err != nil || got != dir {
		t.Errorf("DefaultDir(%s) = %s, %v, want it unchanged", dir, got, err)
	}
}

func TestDirectoryThatIsNotPrivate(t *testing.T) {
	t.Parallel()
	dir := scratch(t)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	refused(t, localpg.Options{Dir: dir}, "others can write to "+dir, "chmod go-w")
	if os.Geteuid() == 0 {
		if err := os.Chown(dir, 65534, 65534); err != nil {
			t.Fatal(err)
		}
		refused(t, localpg.Options{Dir: dir}, "belongs to user 65534")
	} else {
		refused(t, localpg.Options{Dir: "/usr"}, "belongs to user 0")
	}
}

func TestRunning(t *testing.T) {
	t.Parallel()
	o := localpg.Options{Dir: scratch(t), Unsafe: true}
	notRunning := func(when string) {
		t.Helper()
		_, err := localpg.Running(t.Context(), o.Dir)
		if !errors.Is(err, localpg.ErrNotRunning) || !strings.Contains(err.Error(), "start `credence dev` first") {
			t.Errorf("Running(%s) = %v, want ErrNotRunning", when, err)
		}
	}
	notRunning("no directory")
	c := start(t, o)
	got, err := localpg.Running(t.Context(), o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if got.OwnerURL() != c.OwnerURL() || got.ServiceURL() != c.ServiceURL() {
		t.Error("Running() has other URLs than the cluster, want the same")
	}
	stop(t, c)
	notRunning("stopped")
}

// Both those of a socket in the cluster's directory and those of a socket
// elsewhere, where that directory's path does not do.
func TestURLsSuitPsql(t *testing.T) {
	t.Parallel()
	bin, err := localpg.FindBinaries(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for name, dir := range map[string]string{
		"odd characters": filepath.Join(scratch(t), `a b+c%d&e=f?g'h"i`),
		"comma":          filepath.Join(scratch(t), "a,b"),
		"long path":      filepath.Join(scratch(t), strings.Repeat("long/", 30)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := start(t, localpg.Options{Dir: dir, Unsafe: true})
			for url, want := range map[string]string{
				c.OwnerURL():               "credence_owner",
				c.ServiceURL():             "credence_service",
				c.SuperuserURL("credence"): "postgres",
			} {
				psql := exec.Command(filepath.Join(bin.Dir, "psql"), "-XAtc", "SELECT current_user", url)
				psql.Env = append(os.Environ(), "PGPORT=1", "PGHOST=nowhere.invalid")
				out, err := psql.CombinedOutput()
				if got := strings.TrimSpace(string(out)); err != nil || got != want {
					t.Errorf("psql: %q, %v, want %q", got, err, want)
				}
				if got := query(t, url, `SELECT current_user::text`); got != want {
					t.Errorf("pgx: %q, want %q", got, want)
				}
			}
			if _, err := localpg.Running(t.Context(), dir); err != nil {
				t.Errorf("Running() = %v, want no error", err)
			}
			socket := socketDir(t, c)
			stop(t, c)
			if filepath.Dir(socket) == "/tmp" {
				if _, err := os.Stat(socket); !os.IsNotExist(err) {
					t.Errorf("Stat(%s) = %v, want it gone", socket, err)
				}
			}
		})
	}
}
