// Package bench measures a running provider as its users meet it: whole sign-ins with passkeys, codes redeemed with PKCE,
// refreshes, userinfo, and the documents that everybody reads.
//
// [CheckDatabase] keeps it from what somebody uses; [Seed] fills a database with invented people; [Run] drives a server on it
// from outside, over HTTP alone, and the server knows nothing of it. What comes back is checked (state, nonce, issuer, subject, and the signatures of a sample), and a
// wrong answer counts as an error, so that nothing is fast because it is broken.
//
// Those who sign in have authenticators in software, whose keys are derived from a secret that whoever measures keeps.
// Nobody else can sign in as them, on any database.
package bench

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/seal"
)

// Config says what is driven, and how.
type Config struct {
	Issuer      string
	Roots       *x509.CertPool // that a server with TLS is trusted by; nil for those of this machine
	Key         seal.Key       // that the people were seeded with
	People      int            // how many were
	Flows       []string       // of Flows
	Concurrency []int          // each flow is measured at each
	Duration    time.Duration
	Warm        time.Duration // before each measurement
	RS256       bool          // ID tokens are signed with RS256, and with ES256 otherwise
	Metrics     string        // address of the server's metrics; "" when they are not to be seen
	Postmaster  int           // process id of the PostgreSQL on this machine; 0 when it is elsewhere
}

// Result is what one flow did at one concurrency. Times are in milliseconds, and CPU times are of one operation. What could
// not be seen is nil.
type Result struct {
	Flow        string   `json:"flow"`
	Concurrency int      `json:"concurrency"`
	Operations  int      `json:"operations"`
	Rate        float64  `json:"rate"` // operations a second
	P50         float64  `json:"p50_ms"`
	P95         float64  `json:"p95_ms"`
	P99         float64  `json:"p99_ms"`
	Errors      int      `json:"errors"`
	FirstError  string   `json:"first_error,omitempty"`
	ServerCPU   *float64 `json:"server_cpu_ms"`
	DatabaseCPU *float64 `json:"database_cpu_ms"`
	LoadCPU     *float64 `json:"load_cpu_ms"`
	Memory      *float64 `json:"server_memory_mib"` // resident, at the end
}

// Check says what is wrong with a configuration.
func (c Config) Check() error {
	for _, name := range c.Flows {
		if !slices.Contains(Flows(), name) {
			return fmt.Errorf("there is no flow %q: want some of %s", name, strings.Join(Flows(), ","))
		}
	}
	for _, n := range c.Concurrency {
		if n < 1 || n > 4096 {
			return fmt.Errorf("concurrency %d: want 1 to 4096", n)
		}
	}
	if c.Duration <= 0 || c.Warm < 0 {
		return fmt.Errorf("duration %s after %s: want some time", c.Duration, c.Warm)
	}
	return checkPeople(c.People)
}

// Run measures each flow at each concurrency, and tells each result as soon as it is known. It ends early, with an error that
// says so, when the context does.
func Run(ctx context.Context, c Config, tell func(Result) error) error {
	l, err := newLoad(ctx, c)
	if err != nil {
		return errors.Join(ctx.Err(), err)
	}
	for _, name := range c.Flows {
		for _, n := range c.Concurrency {
			result, err := l.measure(ctx, name, n)
			if err != nil {
				return fmt.Errorf("measure %s at %d: %w", name, n, err)
			}
			if err := tell(result); err != nil {
				return err
			}
		}
	}
	return nil
}
