package localpg

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// oldest is the first major version of PostgreSQL that Credence supports.
const oldest = 15

// Binaries is a directory with the programs postgres and initdb.
type Binaries struct {
	Dir   string
	Major int // their major version
}

// FindBinaries returns the server programs of the given major version, or of
// any supported one (15 or newer) when major is 0. It looks in dir alone when
// one is given; otherwise at the postgres on the PATH, then where
// distributions put theirs, newest first.
func FindBinaries(ctx context.Context, dir string, major int) (Binaries, error) {
	if major != 0 && major < oldest {
		return Binaries{}, fmt.Errorf("PostgreSQL %d made it, and %d is the oldest supported: move the data with pg_dump", major, oldest)
	}
	found, where := installed(ctx), "on this machine"
	if dir != "" {
		found, where = nil, "in "+dir
		if b, ok := inspect(ctx, dir); ok {
			found = []Binaries{b}
		}
	}
	majors := make([]string, 0, len(found))
	for _, b := range found {
		if b.Major == major || major == 0 && b.Major >= oldest {
			return b, nil
		}
		majors = append(majors, strconv.Itoa(b.Major))
	}
	has := "none"
	if len(majors) > 0 {
		has = "only PostgreSQL " + strings.Join(majors, ", ")
	}
	if major != 0 {
		return Binaries{}, fmt.Errorf("PostgreSQL %d made it and nothing else can open it; %s is %s: apt-get install postgresql-%d", major, has, where, major)
	}
	return Binaries{}, fmt.Errorf("PostgreSQL %d or newer is needed and %s is %s: apt-get install postgresql", oldest, has, where)
}

// installed returns what it finds, best first.
func installed(ctx context.Context) []Binaries {
	var dirs []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",              // Debian, Ubuntu
		"/usr/pgsql-*/bin",                       // packages of the PostgreSQL project for Red Hat
		"/usr/libexec/postgresql*",               // Alpine
		"/usr/lib/postgresql*/bin",               // SUSE
		"/opt/homebrew/opt/postgresql@*/bin",     // macOS
		"/usr/local/opt/postgresql@*/bin",        // macOS
		"/usr/local/pgsql/bin", "/usr/local/bin", // from source, BSD
	} {
		matches, _ := filepath.Glob(pattern) // fails only on a malformed pattern
		dirs = append(dirs, matches...)
	}
	var found []Binaries
	for _, dir := range dirs {
		if b, ok := inspect(ctx, dir); ok {
			found = append(found, b)
		}
	}
	slices.SortStableFunc(found, func(a, b Binaries) int { return cmp.Compare(b.Major, a.Major) })
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			if b, ok := inspect(ctx, filepath.Dir(path)); ok {
				found = slices.Insert(found, 0, b)
			}
		}
	}
	return found
}

// inspect asks the postgres in dir for its version.
func inspect(ctx context.Context, dir string) (Binaries, bool) {
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return Binaries{}, false // a client package alone
	}
	out, err := exec.CommandContext(ctx, filepath.Join(dir, "postgres"), "--version").Output() //nolint:gosec // a directory of the operator's or of the distribution's
	if err != nil {
		return Binaries{}, false
	}
	major, ok := parseVersion(string(out))
	return Binaries{Dir: dir, Major: major}, ok
}

// parseVersion reads the major version from what `postgres --version` prints,
// such as "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)" or
// "postgres (PostgreSQL) 19beta1".
func parseVersion(out string) (int, bool) {
	_, version, ok := strings.Cut(out, "(PostgreSQL) ")
	if !ok {
		return 0, false
	}
	end := strings.IndexFunc(version, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(version)
	}
	major, err := strconv.Atoi(version[:end])
	return major, err == nil && major > 0
}
