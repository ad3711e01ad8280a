package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
)

// Table prints results as lines under titles, each as soon as it is known.
type Table struct {
	W io.Writer

	begun bool
}

const titles = "flow              users      per s     p50 ms     p95 ms     p99 ms  errors   server ms  database ms   load ms   server MiB"

// Add prints a result.
func (t *Table) Add(r Result) error {
	if !t.begun {
		t.begun = true
		if _, err := fmt.Fprintln(t.W, titles); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(t.W, "%-16s %6d %10.0f %10.2f %10.2f %10.2f %7d %11s %12s %9s %12s\n", r.Flow, r.Concurrency, r.Rate, r.P50, r.P95, r.P99, r.Errors,
		seen(r.ServerCPU, 3), seen(r.DatabaseCPU, 3), seen(r.LoadCPU, 3), seen(r.Memory, 1))
	if err == nil && r.FirstError != "" {
		_, err = fmt.Fprintf(t.W, "  the first error: %s\n", strconv.QuoteToGraphic(r.FirstError))
	}
	return err
}

// seen is a value, or a dash for what could not be seen.
func seen(v *float64, decimals int) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'f', decimals, 64)
}

// WriteJSON prints a result as one line of JSON.
func WriteJSON(w io.Writer, r Result) error { return json.NewEncoder(w).Encode(r) }
