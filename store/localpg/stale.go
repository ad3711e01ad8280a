package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// orphanTimeout is how long a dead parent's PostgreSQL may take to stop.
const orphanTimeout = 45 * time.Second

// own takes the directory for this process, until the file is closed or the
// process ends.
func (s site) own() (*os.File, error) {
	f, err := s.lock("owner.lock")
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, fmt.Errorf("another process runs the cluster in %s: stop it first or choose another directory", s.dir)
	}
	return f, err
}

// awaitOrphans returns a lock that every child inherits, and so the children
// of PostgreSQL: while one of them lives, whatever its parent, nobody else
// gets the lock. A PostgreSQL whose parent was killed has been told to stop
// (see childAttributes), and this waits until it has.
func (s site) awaitOrphans(ctx context.Context) (*os.File, error) {
	ctx, cancel := context.WithTimeout(ctx, orphanTimeout)
	defer cancel()
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		f, err := s.lock("postgres.lock")
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return f, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("PostgreSQL of an earlier run has not stopped in %s: kill -INT the process named in %s: %w", s.dir, s.pidFile(), ctx.Err())
		case <-poll.C:
		}
	}
}

// lock opens and locks a file, or returns syscall.EWOULDBLOCK.
func (s site) lock(name string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(s.dir, name), os.O_CREATE|os.O_RDWR, 0o600) //nolint:gosec // a file of the cluster's directory
	if err != nil {
		return nil, fmt.Errorf("open lock of the cluster: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", f.Name(), err), f.Close())
	}
	return f, nil
}

// clearStale removes a dead server's postmaster.pid when postgres would not:
// when another process has that id now, or the file is torn. It is called when
// no process of ours is left. A server that somebody started by hand on the
// data directory is left alone, and refused.
func (s site) clearStale() error {
	b, err := readSmall(s.pidFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read state of the last run: %w", err)
	}
	if pid := parsePostmaster(b).pid; pid != 0 {
		if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			return nil // postgres finds that out itself
		}
		serves, err := worksIn(pid, s.data(), s.account)
		if err != nil {
			return fmt.Errorf("cannot tell whether process %d is PostgreSQL serving %s; if it is not, remove %s: %w", pid, s.data(), s.pidFile(), err)
		}
		if serves {
			return fmt.Errorf("process %d, which credence did not start, serves %s: stop it first", pid, s.data())
		}
	}
	if err := os.Remove(s.pidFile()); err != nil {
		return fmt.Errorf("remove state of the last run: %w", err)
	}
	return nil
}

// postmaster is what postmaster.pid tells: the process id, 0 when it has none to
// tell, and whether that process takes connections.
type postmaster struct {
	pid   int
	ready bool
}

// parsePostmaster reads postmaster.pid: the process id is its first line and the
// status its eighth (PostgreSQL, src/include/utils/pidfile.h).
func parsePostmaster(b []byte) postmaster {
	lines := strings.Split(string(b), "\n")
	pid, err := strconv.ParseInt(strings.TrimSpace(lines[0]), 10, 32)
	if err != nil || pid <= 0 { // kill(2) takes 0 and less for groups
		return postmaster{}
	}
	return postmaster{
		pid:   int(pid),
		ready: len(lines) >= 8 && strings.TrimSpace(lines[7]) == "ready",
	}
}
