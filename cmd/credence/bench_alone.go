package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/localpg"
)

// What `credence serve` may take on a migrated database, with four connections to it.
const (
	startBudget  = 100 * time.Millisecond // from the start of the process to its first answer
	memoryBudget = 30 << 20               // resident, when nothing is asked of it

	measuredStarts = 5
)

// alone measures this program by itself: it starts a private database and `credence serve` on it, measures the start and the
// memory, and then what --alone shares with every other run. Nothing of it is left.
func (b *benchmark) alone(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "credence-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // PostgreSQL's account passes through
		return err
	}
	cluster, err := localpg.Start(ctx, localpg.Options{Dir: filepath.Join(dir, "database")})
	if err != nil {
		return b.explain(ctx, err)
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	return b.explain(ctx, b.aloneOn(ctx, dir, cluster))
}

// aloneOn is alone on an empty cluster.
func (b *benchmark) aloneOn(ctx context.Context, dir string, cluster *localpg.Cluster) (err error) {
	if err := store.MigrateUp(ctx, cluster.OwnerURL()); err != nil {
		return err
	}
	s, err := newServed(ctx, dir, cluster.ServiceURL()+"&pool_max_conns=4")
	if err != nil {
		return err
	}
	if _, err := ensureSealKey(s.sealKeyFile); err != nil {
		return err
	}
	b.config.Issuer, b.config.Metrics = s.issuer, s.metrics
	b.secretFile, b.fill = s.sealKeyFile, true
	over, err := b.start(ctx, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	if err := b.seed(ctx, cluster.OwnerURL()); err != nil {
		return err
	}
	return errors.Join(b.drive(ctx), over)
}

// startFigures say how a server starts and what it then takes.
type startFigures struct {
	FirstStart float64 `json:"first_start_ms"` // which makes the signing keys
	Start      float64 `json:"start_ms"`       // median of those after
	IdleMemory float64 `json:"idle_memory_mib"`
}

// start measures the start of a server and its memory, and leaves it running. over says which budgets they are over.
func (b *benchmark) start(ctx context.Context, s *served) (over, err error) {
	first, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	var took []time.Duration
	for range measuredStarts {
		if err := s.stop(); err != nil {
			return nil, err
		}
		again, err := s.start(ctx)
		if err != nil {
			return nil, err
		}
		took = append(took, again)
	}
	select {
	case <-time.After(b.idle):
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), s.stop())
	}
	memory, err := s.memory()
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	slices.Sort(took)
	median := took[len(took)/2]
	figures := startFigures{milliseconds(first), milliseconds(median), float64(memory) / (1 << 20)}
	if b.json {
		err = printJSON(b.out, figures)
	} else {
		_, err = fmt.Fprintf(b.out, "start      %.0f ms (the first, which makes the signing keys, %.0f ms); budget %.0f ms\nmemory     %.1f MiB when idle; budget %d MiB\n\n",
			figures.Start, figures.FirstStart, milliseconds(startBudget), figures.IdleMemory, memoryBudget>>20)
	}
	if err != nil {
		return nil, errors.Join(err, s.stop())
	}
	if median > startBudget {
		over = errors.Join(over, fmt.Errorf("the start takes %.0f ms, and may take %.0f", figures.Start, milliseconds(startBudget)))
	}
	if memory > memoryBudget {
		over = errors.Join(over, fmt.Errorf("the idle server takes %.1f MiB, and may take %d", figures.IdleMemory, memoryBudget>>20))
	}
	return over, nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// served is a `credence serve` of this program, in a process of its own.
type served struct {
	issuer, metrics, sealKeyFile string

	program string
	environ []string
	client  http.Client
	cmd     *exec.Cmd
	log     *bytes.Buffer // of the first start, which says what is wrong; of the others nobody reads it
	end     context.CancelFunc
	ended   chan error
}

func newServed(ctx context.Context, dir, databaseURL string) (*served, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	metrics, err := freeAddress(ctx)
	if err != nil {
		return nil, err
	}
	_, number, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	s := &served{
		issuer: "http://localhost:" + number, metrics: "http://" + metrics + "/metrics", sealKeyFile: filepath.Join(dir, sealKeyFile), program: program,
		client: http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
	}
	s.environ = []string{
		"CREDENCE_ISSUER=" + s.issuer, "CREDENCE_LISTEN=" + address, "CREDENCE_METRICS_LISTEN=" + metrics,
		"CREDENCE_DATABASE_URL=" + databaseURL, "CREDENCE_SEAL_KEY_FILE=" + s.sealKeyFile,
	}
	return s, nil
}

// freeAddress is an address of this machine that nobody listens on.
func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// start starts it, and says how long it took to the first answer.
func (s *served) start(ctx context.Context) (time.Duration, error) {
	run, end := context.WithCancel(context.WithoutCancel(ctx))
	s.end = end
	s.cmd = exec.CommandContext(run, s.program) //nolint:gosec // this program
	s.cmd.Args = []string{"credence", "serve"}
	s.cmd.Env = s.environ
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = stopTimeout + 10*time.Second
	if s.log == nil {
		s.log = new(bytes.Buffer)
		s.cmd.Stderr = s.log
	}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		end()
		return 0, err
	}
	s.ended = make(chan error, 1)
	go func() { s.ended <- s.cmd.Wait() }()
	const patience = 20 * time.Second
	for !s.answers(ctx) {
		if time.Since(began) > patience || ctx.Err() != nil {
			return 0, errors.Join(fmt.Errorf("`credence serve` did not answer within %s", patience), ctx.Err(), s.stop())
		}
		select {
		case err := <-s.ended:
			end()
			return 0, fmt.Errorf("`credence serve` ended: %w: %s", err, s.log)
		case <-time.After(time.Millisecond):
		}
	}
	return time.Since(began), nil
}

func (s *served) answers(ctx context.Context) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.issuer+"/.well-known/openid-configuration", http.NoBody)
	if err != nil {
		return false
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return false
	}
	return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
}

// stop tells it to stop, and waits until it has.
func (s *served) stop() error {
	s.end()
	if err := <-s.ended; err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("`credence serve` did not end as it should: %w", err)
	}
	return nil
}

// memory is what it has resident, in bytes: proc_pid_status(5).
func (s *served) memory() (int, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(b, []byte("\nVmRSS:"))
	line, _, _ := strings.Cut(string(rest), "\n")
	var kilobytes int
	if _, err := fmt.Sscanf(line, "%d kB", &kilobytes); err != nil {
		return 0, fmt.Errorf("read memory of process %d: %w", s.cmd.Process.Pid, err)
	}
	return kilobytes << 10, nil
}
