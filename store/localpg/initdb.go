package localpg

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// initdb makes the data directory. It works in data.new and renames that when
// it is whole and on disk, so that data is never half a cluster, whatever is
// killed meanwhile.
func (s site) initdb(ctx context.Context, bin Binaries, o Options, processes, log *os.File) error {
	p, err := s.makePasswords()
	if err != nil {
		return err
	}
	unfinished := filepath.Join(s.dir, "data.new")
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("remove what a killed initdb left: %w", err)
	}
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	if err := s.account.give(unfinished); err != nil {
		return fmt.Errorf("make data directory: %w", err)
	}
	password, err := s.sendLine(p.Superuser)
	if err != nil {
		return fmt.Errorf("pass password to initdb: %w", err)
	}
	defer func() { _ = password.Close() }() // a pipe that was only read

	args := []string{
		"-D", unfinished, "--username=" + superuser, "--auth=scram-sha-256", "--pwfile=/dev/fd/4",
		"--encoding=UTF8", "--locale=C", "--data-checksums", "--no-instructions",
	}
	if o.Unsafe {
		args = append(args, "--no-sync", "--wal-segsize=1")
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin.Dir, "initdb"), args...) //nolint:gosec // found by FindBinaries, never named by a request
	cmd.Dir, cmd.Env = unfinished, environment(unfinished)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{processes, password} // descriptors 3 and 4
	cmd.SysProcAttr = childAttributes(s.account, syscall.SIGKILL)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // with the processes it has started
	runtime.LockOSThread()                                                               // see Cluster.spawn
	err = cmd.Run()
	runtime.UnlockOSThread()
	if err != nil {
		return fmt.Errorf("initdb in %s: %w: %s (see %s)", s.dir, err, s.complaint(), s.log())
	}
	if err := os.Rename(unfinished, s.data()); err != nil {
		return fmt.Errorf("put data directory in place: %w", err)
	}
	return syncDir(s.dir)
}

// sendLine is a pipe that holds the line, for the account alone to read:
// unlike a file it cannot be left behind.
func (s site) sendLine(line string) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	if s.account.other { // opening /dev/fd/4 is subject to the pipe's owner
		if err := r.Chown(s.account.uid, s.account.gid); err != nil {
			return nil, err
		}
	}
	if _, err := fmt.Fprintln(w, line); err != nil { // far less than a pipe holds
		return nil, err
	}
	return r, w.Close()
}

// syncDir makes a rename in the directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the cluster's directory
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }() // nothing was written
	return d.Sync()
}
