// Package localpg runs a private PostgreSQL cluster, so that a first run and
// the tests need no database server set up beforehand.
//
// A cluster lives in one directory:
//
//	owner.lock      held by the process that started the cluster
//	postgres.lock   held by every process of PostgreSQL itself
//	passwords.json  of the three roles; mode 0600
//	data/           the PostgreSQL data directory
//	data.new/       what a killed initdb left behind
//	run/            the socket
//	postgres.log    what PostgreSQL and initdb print; postgres.log.old of the run before
//
// It guarantees that
//
//   - a directory has one owner: a second [Start] is refused;
//   - PostgreSQL stops with the process that started it, however that process
//     ends, and a later [Start] waits for it;
//   - data is never deleted and never opened by another major version;
//   - commits are durable, unless [Options.Unsafe] says otherwise;
//   - nothing listens on the network, and only the account that runs the
//     program (and root) reaches the socket.
//
// PostgreSQL refuses to run as root, so a root process runs it as the account
// "postgres" that every distribution's package makes.
package localpg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// startTimeout leaves room for crash recovery.
	startTimeout = 2 * time.Minute
	pollInterval = 10 * time.Millisecond
)

// Options says where and how a cluster runs.
type Options struct {
	// Dir is the cluster's directory. Start makes it when it is absent.
	Dir string

	// BinDir is the directory of the programs postgres and initdb. When it is
	// empty, Start looks for them as [FindBinaries] says.
	BinDir string

	// Unsafe trades durability for speed. A crash of the machine may lose
	// everything: for tests only.
	Unsafe bool
}

// Cluster is a running PostgreSQL.
type Cluster struct {
	Address

	site  site
	owner *os.File // the lock of the directory
	cmd   *exec.Cmd
	done  chan struct{}
	exit  error // how postgres ended; read after done
	stop  func() error
}

// Start runs the cluster in o.Dir and returns when it answers. On first use it
// makes the cluster; it also makes the login roles credence_owner and
// credence_service and the database credence where they are missing. The
// context limits the start and not the life of the cluster, which lasts until
// [Cluster.Stop] or the end of the process.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	s, err := openSite(o.Dir)
	if err != nil {
		return nil, err
	}
	owner, err := s.own()
	if err != nil {
		return nil, err
	}
	c := &Cluster{site: s, owner: owner, done: make(chan struct{})}
	c.stop = sync.OnceValue(c.shutDown)
	if err := c.start(ctx, o); err != nil {
		_ = c.Stop() // err is why
		return nil, err
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o Options) (err error) {
	major, err := c.site.major()
	if err != nil {
		return err
	}
	bin, err := FindBinaries(ctx, o.BinDir, major)
	if err != nil {
		return fmt.Errorf("cluster in %s: %w", c.site.dir, err)
	}
	// The children have their own copies of both files.
	processes, err := c.site.awaitOrphans(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, processes.Close()) }()
	log, err := c.site.openLog()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()

	if major == 0 {
		if err := c.site.initdb(ctx, bin, o, processes, log); err != nil {
			return err
		}
	}
	if err := c.site.clearStale(); err != nil {
		return err
	}
	if err := c.site.openSocket(); err != nil {
		return err
	}
	c.Address, err = c.site.address()
	if err != nil {
		return err
	}
	c.cmd = c.site.command(ctx, bin, o, processes, log)
	if err := c.spawn(); err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	if err := c.awaitReady(ctx); err != nil {
		return err
	}
	return c.prepare(ctx)
}

// command is the postgres process itself, not pg_ctl, so that it is our child.
func (s site) command(ctx context.Context, bin Binaries, o Options, processes, log *os.File) *exec.Cmd {
	settings := []string{
		"listen_addresses=",
		"port=5432", // only part of the socket's name
		"unix_socket_directories=" + quoteListItem(s.socket()),
		"unix_socket_permissions=0700",
		"password_encryption=scram-sha-256",
		"dynamic_shared_memory_type=mmap", // containers have a small /dev/shm
		"shared_buffers=32MB",
		"max_connections=200",
		"logging_collector=off",
		"log_destination=stderr",
		// Statements and details carry passwords and people's data.
		"log_error_verbosity=terse",
		"log_min_error_statement=panic",
	}
	if o.Unsafe {
		settings = append(settings, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	args := []string{"-D", s.data()}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	// The context is that of the start; it must not end the server.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), filepath.Join(bin.Dir, "postgres"), args...) //nolint:gosec // found by FindBinaries, never named by a request
	cmd.Dir, cmd.Env = s.data(), environment(s.data())
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{processes}
	cmd.SysProcAttr = childAttributes(s.account, syscall.SIGINT) // SIGINT: fast, clean shutdown
	return cmd
}

// spawn starts postgres and watches it until it exits.
func (c *Cluster) spawn() error {
	started := make(chan error)
	go func() {
		// The parent-death signal is sent when the thread that forked dies, so
		// that thread is kept for the life of the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(c.done)
		c.exit = c.cmd.Start()
		started <- c.exit
		if c.exit == nil {
			c.exit = c.cmd.Wait()
		}
	}()
	return <-started
}

// awaitReady returns when postgres takes connections. It reads the status line
// of postmaster.pid, as pg_ctl does.
func (c *Cluster) awaitReady(ctx context.Context) error {
	poll := time.NewTicker(pollInterval)
	defer poll.Stop()
	for {
		b, err := readSmall(c.site.pidFile())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("read state of postgres: %w", err)
		}
		if p := parsePostmaster(b); p.pid == c.cmd.Process.Pid && p.ready {
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("%w: %s", c.failure(), c.site.complaint())
		case <-ctx.Done():
			return fmt.Errorf("wait for postgres (see %s): %w", c.site.log(), ctx.Err())
		case <-poll.C:
		}
	}
}

// Done is closed when PostgreSQL has exited, wanted or not.
func (c *Cluster) Done() <-chan struct{} { return c.done }

// Stop shuts the cluster down and gives its directory up. It returns an error
// when PostgreSQL had exited on its own or did not stop cleanly; its data
// survives that. Later calls return what the first did.
func (c *Cluster) Stop() error { return c.stop() }

func (c *Cluster) shutDown() error {
	var err error
	if c.cmd != nil {
		select {
		case <-c.done:
			err = c.failure()
		default:
			c.end()
			if c.exit != nil {
				err = c.failure()
			}
		}
		err = errors.Join(err, c.site.closeSocket())
	}
	return errors.Join(err, c.owner.Close())
}

// failure says why postgres has exited when it should not have.
func (c *Cluster) failure() error {
	exit := c.exit
	if exit == nil {
		exit = errors.New("somebody else stopped it")
	}
	return fmt.Errorf("postgres in %s: %w (see %s)", c.site.dir, exit, c.site.log())
}

// end stops postgres, more rudely with every step: disconnect the clients and
// write a checkpoint; leave the rest to crash recovery; kill.
func (c *Cluster) end() {
	for _, step := range []struct {
		signal  syscall.Signal
		timeout time.Duration
	}{
		{syscall.SIGINT, 30 * time.Second},
		{syscall.SIGQUIT, 10 * time.Second},
		{syscall.SIGKILL, 10 * time.Second},
	} {
		_ = c.cmd.Process.Signal(step.signal) // fails only when it has exited
		select {
		case <-c.done:
			return
		case <-time.After(step.timeout):
		}
	}
	<-c.done // the kernel owes it
}

// environment is that of the child processes: nothing of the caller's PG…
// variables, locale or time zone reaches the cluster.
func environment(home string) []string {
	return []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC", "HOME=" + home}
}

// quoteListItem writes one item of a comma-separated PostgreSQL setting.
func quoteListItem(s string) string {
	return `"` + strings.ReplaceAll(s, `"`, `""`) + `"`
}
