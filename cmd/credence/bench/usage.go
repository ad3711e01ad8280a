package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// usage is what was used up to a moment, in seconds of CPU; nil is what cannot be seen.
type usage struct {
	server, database, load *float64
	memory                 *float64 // of the server, in MiB
}

func (l *load) usage(ctx context.Context) usage {
	var u usage
	if l.config.Metrics != "" {
		if found, err := readMetrics(ctx, l.config.Metrics); err == nil {
			u.server = found["process_cpu_seconds_total"]
			if bytes := found["process_resident_memory_bytes"]; bytes != nil {
				u.memory = new(*bytes / (1 << 20))
			}
		}
	}
	if l.config.Postmaster != 0 {
		if seconds, err := treeCPU("/proc", l.config.Postmaster); err == nil {
			u.database = &seconds
		}
	}
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err == nil {
		u.load = new(time.Duration(own.Utime.Nano() + own.Stime.Nano()).Seconds())
	}
	return u
}

// spent is what an operation cost, in milliseconds.
func spent(before, after *float64, operations int) *float64 {
	if before == nil || after == nil || operations == 0 {
		return nil
	}
	return new((*after - *before) * 1000 / float64(operations))
}

// readMetrics reads those samples without labels that a Prometheus endpoint has.
func readMetrics(ctx context.Context, address string) (map[string]*float64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := new(http.Client).Do(r)
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read metrics: status %d", resp.StatusCode)
	}
	found := map[string]*float64{}
	for lines := bufio.NewScanner(io.LimitReader(resp.Body, 1<<20)); lines.Scan(); {
		name, text, _ := strings.Cut(lines.Text(), " ")
		if value, err := strconv.ParseFloat(text, 64); err == nil {
			found[name] = &value
		}
	}
	return found, nil
}

// treeCPU is the CPU time of a process and its children, those that have ended included, in seconds: proc_pid_stat(5).
func treeCPU(proc string, pid int) (float64, error) {
	files, err := filepath.Glob(filepath.Join(proc, "[0-9]*", "stat"))
	if err != nil {
		return 0, err
	}
	const hertz = 100 // USER_HZ, which Linux has made a constant
	ticks, there := int64(0), false
	for _, file := range files {
		b, err := os.ReadFile(file) //nolint:gosec // of /proc
		if err != nil {
			continue // it has ended
		}
		// The second field is a name in brackets, in which anything can be.
		text := string(b)
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		const parent, user, system, childrenUser, childrenSystem = 1, 11, 12, 13, 14
		if len(fields) <= childrenSystem {
			continue
		}
		own := strings.HasPrefix(text, strconv.Itoa(pid)+" ")
		switch {
		case own:
			there = true
			ticks += number(fields[childrenUser]) + number(fields[childrenSystem])
		case fields[parent] != strconv.Itoa(pid):
			continue
		}
		ticks += number(fields[user]) + number(fields[system])
	}
	if !there {
		return 0, fmt.Errorf("process %d is not here", pid)
	}
	return float64(ticks) / hertz, nil
}

func number(text string) int64 {
	n, _ := strconv.ParseInt(text, 10, 64) // the kernel writes numbers
	return n
}

// Postmaster is the parent of a server process of PostgreSQL on this machine, or 0 when there is no such process here.
func Postmaster(backend int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", backend))
	if err != nil {
		return 0
	}
	var pid, parent int
	var state string
	if _, err := fmt.Sscanf(string(b), "%d (postgres) %1s %d", &pid, &state, &parent); err != nil {
		return 0
	}
	return parent
}
