package storetest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"github.com/credence-id/credence/store/localpg"
)

// The private servers of one user live in one directory:
//
//	lock      held while one of them is made and started
//	cluster/  a new cluster, to be copied
//	run-…/    the copy that a test binary runs, or a killed one left

// startPrivate starts a server for this binary alone. It copies the cluster
// that an earlier binary made, because initdb takes ten times as long.
func startPrivate(ctx context.Context) (_ *server, err error) {
	bin, err := localpg.FindBinaries(ctx, "", 0)
	if err != nil {
		return nil, err
	}
	cache, err := openCache(bin)
	if err != nil {
		return nil, err
	}
	lock, err := lockCache(cache)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := sweep(ctx, cache); err != nil {
		return nil, err
	}
	source, err := newCluster(ctx, cache, bin)
	if err != nil {
		return nil, err
	}
	dir := runDir(cache)
	if out, err := exec.CommandContext(ctx, "cp", "-a", source, dir).CombinedOutput(); err != nil { //nolint:gosec // both paths are ours
		return nil, fmt.Errorf("copy cluster: %w: %s", err, out)
	}
	c, err := localpg.Start(ctx, localpg.Options{Dir: dir, BinDir: bin.Dir, Unsafe: true})
	if err != nil {
		// A cluster that a cleaner of temporary files has thinned out does not
		// start; the next run makes it again.
		return nil, errors.Join(err, os.RemoveAll(source))
	}
	s, err := newServer(ctx, c.SuperuserURL("postgres"), c.OwnerURL(), c.ServiceURL())
	if err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	s.stop = func() error {
		s.admin.Close()
		return errors.Join(c.Stop(), os.RemoveAll(dir)) // scratch data of this run
	}
	return s, nil
}

// openCache makes the directory of the private servers, and refuses one that
// another user has put there.
func openCache(bin localpg.Binaries) (string, error) {
	installation := sha256.Sum256([]byte(bin.Dir))
	dir := filepath.Join(os.TempDir(), fmt.Sprintf("credence-test-%d-%d-%x", os.Geteuid(), bin.Major, installation[:4]))
	const mode = 0o711 // PostgreSQL's account passes through when we are root
	if err := os.Mkdir(dir, mode); err == nil {
		if err := os.Chmod(dir, mode); err != nil { // whatever the umask
			return "", err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", err
	}
	if owner := info.Sys().(*syscall.Stat_t).Uid; !info.IsDir() || int(owner) != os.Geteuid() || info.Mode()&0o022 != 0 {
		return "", fmt.Errorf("%s is not this user's own directory: remove it", dir)
	}
	return dir, nil
}

// lockCache waits for the other test binaries of this user that are starting.
func lockCache(cache string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(cache, "lock"), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // our directory
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func runDir(cache string) string { return filepath.Join(cache, "run-"+rand.Text()[:8]) }

// sweep removes what killed test binaries left. A binary that lives has its
// server running whenever another one holds the lock of the cache.
func sweep(ctx context.Context, cache string) error {
	dirs, err := filepath.Glob(filepath.Join(cache, "run-*"))
	if err != nil {
		return err
	}
	for _, dir := range dirs {
		if _, err := localpg.Running(ctx, dir); !errors.Is(err, localpg.ErrNotRunning) {
			continue // in use, or still stopping: then the next binary removes it
		}
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("remove what a killed test left: %w", err)
		}
	}
	return nil
}

// newCluster is a cluster that has not been used, made once.
func newCluster(ctx context.Context, cache string, bin localpg.Binaries) (string, error) {
	dir := filepath.Join(cache, "cluster")
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return dir, err
	}
	unfinished := runDir(cache)
	c, err := localpg.Start(ctx, localpg.Options{Dir: unfinished, BinDir: bin.Dir, Unsafe: true})
	if err != nil {
		return "", err
	}
	if err := c.Stop(); err != nil {
		return "", err
	}
	return dir, os.Rename(unfinished, dir)
}
