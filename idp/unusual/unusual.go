// Package unusual reads the record as it grows: it notes of which organisations each line is, counts sign-ins by day and notes those that
// are unusual, each for the organisations where the person has a role and for those above, so that officers see at a glance what is the
// case where they are, and read the record of it.
//
// It guarantees that
//   - each line of the record is counted once, by one replica at a time, in the transaction that says how far the record was read;
//   - a sign-in does not wait for it, and does nothing more because of it;
//   - what it notes is the number of a line, and why: who reads the line is decided where it is read.
//
// That a sign-in is unusual refuses nothing. Which are is what [Rules] says.
package unusual

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/poll"
	"github.com/credence-id/credence/store"
)

// Zone is where people are: a day begins at its midnight.
const Zone = "Europe/London"

// Kept is for how long it is known how many sign-ins there were, and which were unusual.
const Kept = 28 * 24 * time.Hour

const (
	// every is how often a replica reads on.
	every = time.Minute
	// settled is after which time no transaction is open any more that may add a line before another one.
	settled = time.Minute
	// batch is how many lines one transaction reads, and most how many transactions one pass has.
	batch, most = 1000, 500
	// swept is how many places of sign-ins one transaction deletes: more than it adds.
	swept = 20 * batch
	// deadline is how long one pass may take.
	deadline = 50 * time.Second
	// lately is how many lines about a person a sign-in is judged by.
	lately = 100
)

// Reason is why a sign-in is unusual.
type Reason string

// Rule says which sign-ins are unusual for a reason.
type Rule struct {
	Reason  Reason
	Words   string // for people
	applies func(store.SignInLine) bool
}

// Rules are why sign-ins are unusual.
func Rules() []Rule {
	return []Rule{
		{"night_elsewhere", "Between midnight and 5 in the morning, from an address that was not used lately", func(l store.SignInLine) bool {
			return l.Hour < 5 && l.SignIns > 0 && !l.KnownAddress && l.Event == string(audit.SignedIn)
		}},
		{"new_authenticator", "The first with something that was added less than a day before, beside what was used till then", func(l store.SignInLine) bool {
			return l.BoundAt != nil && l.At.Sub(*l.BoundAt) < 24*time.Hour && l.SignIns > 0 && !l.Used
		}},
		{"after_failures", "After five or more in an hour that were refused", func(l store.SignInLine) bool {
			return l.Failures >= 5 && l.Event == string(audit.SignedIn)
		}},
		{"recovery", "A recovery code was used", func(l store.SignInLine) bool { return l.Event == string(audit.Recovered) }},
	}
}

// Watch reads the record.
type Watch struct {
	Store *store.Store
	Now   func() time.Time
	Log   *slog.Logger
}

// Run reads on at once and then every minute, until the context ends.
func (w *Watch) Run(ctx context.Context) error {
	return poll.Repeat(ctx, every, w.Log, "sign-ins could not be counted", w.Pass)
}

// Pass reads to the end of what is settled, unless another replica does.
func (w *Watch) Pass(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	for range most {
		read := 0
		err := w.Store.InTx(ctx, func(tx *store.Tx) (err error) {
			read, err = w.read(ctx, tx)
			return err
		})
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("count sign-ins: %w", err)
		}
		if read < batch {
			return nil
		}
	}
	return nil
}

// read reads some lines, and says how many.
func (w *Watch) read(ctx context.Context, tx *store.Tx) (int, error) {
	now := w.Now()
	after, err := tx.LockSignInReading(ctx)
	if err != nil {
		return 0, err
	}
	lines, err := tx.SignInLines(ctx, after, now.Add(-settled), Zone, lately, batch)
	if err != nil || len(lines) == 0 {
		return 0, err
	}
	last := lines[len(lines)-1].Sequence
	for _, l := range lines {
		if why := reasons(l); len(why) > 0 {
			if err := tx.AddUnusualSignIn(ctx, l, why); err != nil {
				return 0, err
			}
		}
	}
	return len(lines), errors.Join(
		tx.PlaceLines(ctx, after, last, unplaced(), Zone),
		tx.SweepSignIns(ctx, now.Add(-Kept), swept),
		tx.SetSignInReading(ctx, last),
	)
}

// unplaced are the events of which the record of an organisation has no lines, for which see [audit.OfServices].
func unplaced() (events []string) {
	for _, event := range audit.OfServices() {
		events = append(events, string(event))
	}
	return events
}

// reasons are why a sign-in is unusual.
func reasons(l store.SignInLine) (why []string) {
	if l.Event == "" {
		return nil
	}
	for _, rule := range Rules() {
		if rule.applies(l) {
			why = append(why, string(rule.Reason))
		}
	}
	return why
}
