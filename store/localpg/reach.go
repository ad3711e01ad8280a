package localpg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// systemDir holds the clusters that root starts where the account cannot go.
const systemDir = "/var/lib/credence"

// account is the operating system's user that PostgreSQL runs as.
type account struct {
	name     string
	uid, gid int
	other    bool // than the user of this process, which is root then
}

// serverAccount is this process's own user, or postgres when that is root,
// because PostgreSQL refuses to run as root.
func serverAccount() (account, error) {
	if os.Geteuid() != 0 {
		return account{name: strconv.Itoa(os.Geteuid()), uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	const name = "postgres"
	u, err := user.Lookup(name)
	if err != nil {
		return account{}, fmt.Errorf("PostgreSQL does not run as root and there is no account %q: apt-get install postgresql, or run as another user: %w", name, err)
	}
	uid, uidErr := strconv.Atoi(u.Uid)
	gid, gidErr := strconv.Atoi(u.Gid)
	if err := errors.Join(uidErr, gidErr); err != nil {
		return account{}, fmt.Errorf("account %q: %w", name, err)
	}
	if uid == 0 {
		return account{}, fmt.Errorf("PostgreSQL does not run as root and the account %q is root: run as another user", name)
	}
	return account{name: name, uid: uid, gid: gid, other: true}, nil
}

// give makes the account the owner of a path that this process has made.
func (a account) give(path string) error {
	if !a.other {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

// DefaultDir is the directory of the cluster that belongs to the default
// directory dir: dir itself, or, for root, a directory below /var/lib/credence
// named for dir when PostgreSQL's account cannot reach dir, as in /root. Every
// command that is given the same dir gets the same answer. A directory that
// somebody asked for by name is used as it is or refused by [Start].
func DefaultDir(dir string) (string, error) {
	a, err := serverAccount()
	if err != nil {
		return "", err
	}
	dir, err = resolve(dir)
	if err != nil {
		return "", fmt.Errorf("find directory of the cluster: %w", err)
	}
	if _, unreachable := errors.AsType[*unreachableError](reach(dir, a)); unreachable {
		return filepath.Join(systemDir, hash(dir)), nil
	}
	return dir, nil
}

// resolve makes a path absolute and free of symbolic links, though the end of
// it may not exist.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	resolved, err := filepath.EvalSymlinks(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return resolved, err
	}
	parent, err := resolve(filepath.Dir(path))
	return filepath.Join(parent, filepath.Base(path)), err
}

// unreachableError reports a directory that the account cannot pass through.
type unreachableError struct {
	path string
	mode fs.FileMode
	name string
}

func (e *unreachableError) Error() string {
	return fmt.Sprintf("the account %q, which PostgreSQL runs as, cannot pass through %s (mode %04o): chmod o+x it or choose another directory", e.name, e.path, e.mode)
}

// reach reports whether the account can get at dir, an absolute path without
// symbolic links of which the end may not exist. It goes by the mode bits.
func reach(dir string, a account) error {
	if !a.other {
		return nil
	}
	for path := dir; ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && !a.passes(info) {
			return &unreachableError{path: path, mode: info.Mode().Perm(), name: a.name}
		}
		if path == filepath.Dir(path) {
			return nil
		}
	}
}

// passes says whether the account may search the directory: the first class
// that fits it decides (POSIX.1-2017, Base Definitions, Section 4.5).
func (a account) passes(info fs.FileInfo) bool {
	stat := info.Sys().(*syscall.Stat_t)
	switch {
	case int(stat.Uid) == a.uid:
		return info.Mode()&0o100 != 0
	case int(stat.Gid) == a.gid:
		return info.Mode()&0o010 != 0
	default:
		return info.Mode()&0o001 != 0
	}
}
