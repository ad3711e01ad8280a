package localpg

// What only Linux has is in this file: the parent-death signal and /proc.

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// childAttributes starts a child as the account, in a process group of its
// own, so that Ctrl-C reaches only this process, and has the kernel send it
// the signal when this process ends, however it ends.
func childAttributes(a account, onDeath syscall.Signal) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: onDeath}
	if a.other {
		attributes.Credential = &syscall.Credential{
			Uid: uint32(a.uid), Gid: uint32(a.gid), //nolint:gosec // ids of the password file are in range
			Groups: []uint32{}, // none of root's
		}
	}
	return attributes
}

// worksIn says whether the process is one of the account's that has dir as its
// working directory, as postgres has its data directory.
func worksIn(pid int, dir string, a account) (bool, error) {
	process, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if ownerOf(process) != a.uid {
		return false, nil
	}
	cwd, err := os.Stat(fmt.Sprintf("/proc/%d/cwd", pid))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // it has exited since, or is about to be reaped
	}
	if err != nil {
		return false, err
	}
	data, err := os.Stat(dir)
	if err != nil {
		return false, err
	}
	return os.SameFile(cwd, data), nil
}
