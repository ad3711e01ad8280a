package localpg

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// site is a cluster's directory, absolute and without symbolic links, and the
// account that its processes run as.
type site struct {
	dir     string
	account account
}

func (s site) data() string         { return filepath.Join(s.dir, "data") }
func (s site) pidFile() string      { return filepath.Join(s.data(), "postmaster.pid") }
func (s site) passwordFile() string { return filepath.Join(s.dir, "passwords.json") }
func (s site) log() string          { return filepath.Join(s.dir, "postgres.log") }

// openSite makes the directory when it is absent, and refuses one that cannot
// hold a cluster.
func openSite(dir string) (site, error) {
	a, err := serverAccount()
	if err != nil {
		return site{}, err
	}
	mode := fs.FileMode(0o700)
	if a.other {
		mode = 0o711 // the account passes through to data/ and run/
	}
	if err := makeDir(dir, mode); err != nil {
		return site{}, fmt.Errorf("make directory of the cluster: %w", err)
	}
	return findSite(dir)
}

// findSite is openSite for a directory that exists.
func findSite(dir string) (site, error) {
	a, err := serverAccount()
	if err != nil {
		return site{}, err
	}
	dir, err = resolve(dir)
	if err != nil {
		return site{}, err
	}
	// Whoever else owned the directory, or could write to it, could put links
	// in it for root to follow.
	if err := checkPrivate(dir, os.Geteuid()); err != nil {
		return site{}, err
	}
	return site{dir, a}, reach(dir, a)
}

// makeDir is os.MkdirAll with exactly that mode, whatever the umask, so that
// the account can pass.
func makeDir(dir string, mode fs.FileMode) error {
	err := os.Mkdir(dir, mode)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeDir(filepath.Dir(dir), mode); err != nil {
			return err
		}
		err = os.Mkdir(dir, mode)
	}
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return os.Chmod(dir, mode)
}

// checkPrivate reports a path that is not a directory of that user's, which
// nobody else can write to.
func checkPrivate(path string, uid int) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is not a directory", path)
	}
	if owner := ownerOf(info); owner != uid {
		return fmt.Errorf("%s belongs to user %d and not to user %d: run as its owner or choose another directory", path, owner, uid)
	}
	if info.Mode()&0o022 != 0 {
		return fmt.Errorf("others can write to %s: chmod go-w it", path)
	}
	return nil
}

func ownerOf(info fs.FileInfo) int {
	return int(info.Sys().(*syscall.Stat_t).Uid)
}

// major is the version that made the cluster, or 0 when there is none yet.
func (s site) major() (int, error) {
	if _, err := os.Lstat(s.data()); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	b, err := readSmall(filepath.Join(s.data(), "PG_VERSION"))
	if err != nil {
		return 0, fmt.Errorf("%s is no PostgreSQL cluster, move it away: %w", s.data(), err)
	}
	major, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || major <= 0 {
		return 0, fmt.Errorf("%s is of no known PostgreSQL version, move it away: PG_VERSION reads %q", s.data(), b)
	}
	return major, nil
}

// socket is the directory of the socket: in the cluster's own when the path
// fits sockaddr_un and has no comma, which separates hosts in a URL; else one
// in /tmp that the path determines. It is /tmp and not os.TempDir because
// $TMPDIR may be just as long, and differ from process to process.
func (s site) socket() string {
	const longest = 107 - len("/.s.PGSQL.5432")
	if dir := filepath.Join(s.dir, "run"); len(dir) <= longest && !strings.Contains(dir, ",") {
		return dir
	}
	return "/tmp/credence-" + hash(s.dir)
}

// hash shortens a path for use in another.
func hash(path string) string {
	sum := sha256.Sum256([]byte(path))
	return fmt.Sprintf("%x", sum[:8])
}

// openSocket makes the directory of the socket anew. It is called when no
// process of PostgreSQL is left, and what a killed one left there is in the
// way: the socket's lock file may name a process id that something else has by
// now, which postgres would take for a running server.
func (s site) openSocket() error {
	dir := s.socket()
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("remove socket of a dead server: %w", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil { // fails if it is there: anyone can write to /tmp
		return fmt.Errorf("make directory of the socket: %w", err)
	}
	return s.account.give(dir)
}

// checkSocket makes sure that whoever answers on the socket may be told a
// password: anyone can write to /tmp.
func (s site) checkSocket() error {
	if err := checkPrivate(s.socket(), s.account.uid); err != nil {
		return fmt.Errorf("directory of the socket: %w", err)
	}
	return nil
}

// closeSocket leaves nothing in /tmp.
func (s site) closeSocket() error {
	if filepath.Dir(s.socket()) == s.dir {
		return nil
	}
	return os.Remove(s.socket())
}

// openLog begins a log and keeps the last one, so that neither grows for ever.
func (s site) openLog() (*os.File, error) {
	if err := os.Rename(s.log(), s.log()+".old"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("keep last log of postgres: %w", err)
	}
	f, err := os.OpenFile(s.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of postgres: %w", err)
	}
	return f, nil
}

// complaint is the last line of a failed start's log that says what went wrong.
func (s site) complaint() string {
	b, err := readSmall(s.log())
	if err != nil {
		return err.Error()
	}
	found := "it gave no reason"
	for line := range strings.Lines(string(b)) {
		for _, mark := range []string{"FATAL:  ", "PANIC:  ", "error: "} {
			if _, text, ok := strings.Cut(line, mark); ok {
				found = strings.TrimSpace(text)
			}
		}
	}
	return found
}

// readSmall reads a file of which the beginning is enough.
func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path) //nolint:gosec // a file of the cluster's directory
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // nothing was written
	return io.ReadAll(io.LimitReader(f, 64<<10))
}
