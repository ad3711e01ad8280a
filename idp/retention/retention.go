// Package retention erases what is said of people when the time for which it is kept is over: UK GDPR, articles 5(1)(e) and 17.
//
// How long that is of each kind of record, from when on and why, is data: rules.csv. Of every table of the database tables.csv says
// what ends its rows. What is erased is content: a tombstone stays, so that it can still be said which user id did what when.
//
// It guarantees that
//   - nothing is erased before its time but by [Eraser.ErasePerson], and nothing of a person whose records are held: of the time the
//     database has a clock of its own, so that a server whose clock is wrong, or who lies, erases nothing early;
//   - nothing is left of what is erased in the row that had it, nor does anything fill its place: the database erases, by a function
//     that takes content away and can put none there, and the service has no other right to it;
//   - each batch is one transaction with its count in the report of the run, so that a run which is broken off anywhere is
//     gone on with by the next one, and its report says what it did;
//   - a record that cannot be erased keeps no other from going, and the report says that it stayed, and why.
//
// It is for the law. Package sweep, which keeps tables small, deletes rows that mean nothing to anybody any more: it knows of no
// people, holds or reports.
package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/poll"
	"github.com/credence-id/credence/store"
)

const (
	// every is how often the rules run, and look how often a replica looks whether they are due.
	every = 24 * time.Hour
	look  = 10 * time.Minute
	// deadline is how long a run may take. What is left then goes in the next one.
	deadline = time.Hour
	// lease is for how long a run keeps others from beginning. It is longer than a run, and than clocks differ.
	lease = deadline + 5*time.Minute

	// batch is how many records one transaction erases, and batchOfPeople how many profiles with all that is theirs.
	batch         = 500
	batchOfPeople = 50
	// mostStay is how many records of a rule stay in a run because they cannot be erased. That more cannot is no matter of records.
	mostStay = 100

	// soon is how far the report looks ahead.
	soon = 30 * 24 * time.Hour
)

// MostCounted is as far as the report counts.
const MostCounted = 100_000

// Schedule is the actor of runs that nobody asked for.
const Schedule = "schedule"

// ErrRunning says that the rules are run at this moment, by another process.
var ErrRunning = errors.New("the rules of retention are being run at this moment")

// Eraser erases what is due.
type Eraser struct {
	Store    *store.Store
	Rules    []Rule
	Evidence *evidence.Recorder
	Now      func() time.Time
	Log      *slog.Logger
}

// Run runs the rules each day, at one of all replicas, until the context ends.
func (e *Eraser) Run(ctx context.Context) error {
	return poll.Repeat(ctx, look, e.Log, "the rules of retention could not be run", e.Daily)
}

// Daily runs the rules, unless they ran less than a day ago or are being run.
func (e *Eraser) Daily(ctx context.Context) error {
	id, err := e.begin(ctx, Schedule, every)
	if errors.Is(err, ErrRunning) {
		return nil
	}
	if err != nil {
		return err
	}
	return e.run(ctx, id, Schedule)
}

// Erase runs the rules at once, for somebody, and returns the id of the report. Somebody else being at it is ErrRunning.
func (e *Eraser) Erase(ctx context.Context, by string) (uuid.UUID, error) {
	id, err := e.begin(ctx, by, 0)
	if err != nil {
		return uuid.Nil, err
	}
	return id, e.run(ctx, id, by)
}

// Due says what is due by each rule now, and erases nothing.
func (e *Eraser) Due(ctx context.Context) ([]store.RetentionCount, error) {
	return e.due(ctx, e.Store, e.Now())
}

// counter is a store or a transaction that counts what is due.
type counter interface {
	Overdue(ctx context.Context, kind string, before time.Time, most int) (store.Overdue, error)
}

func (e *Eraser) due(ctx context.Context, c counter, now time.Time) ([]store.RetentionCount, error) {
	var counts []store.RetentionCount
	for _, rule := range e.Rules {
		due, err := c.Overdue(ctx, rule.Name, rule.Period.Before(now), MostCounted)
		if err != nil {
			return nil, fmt.Errorf("count what is due by rule %s: %w", rule.Name, err)
		}
		ahead, err := c.Overdue(ctx, rule.Name, rule.Period.Before(now.Add(soon)), MostCounted)
		if err != nil {
			return nil, fmt.Errorf("count what is soon due by rule %s: %w", rule.Name, err)
		}
		counts = append(counts, store.RetentionCount{Rule: rule.Name, Due: due.Count, Soon: ahead.Count - due.Count, OldestAt: due.OldestAt})
	}
	return counts, nil
}

// begin begins a run and its report, unless the last one began less than a time ago, or one is at work.
func (e *Eraser) begin(ctx context.Context, by string, since time.Duration) (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return id, fmt.Errorf("draw an id: %w", err)
	}
	now := e.Now()
	err = e.Store.InTx(ctx, func(tx *store.Tx) error {
		err := tx.BeginRetention(ctx, store.RetentionRun{ID: id, By: by, BeganAt: now}, now.Add(-since), now.Add(-lease))
		if errors.Is(err, store.ErrNotFound) {
			return ErrRunning
		}
		if err != nil {
			return fmt.Errorf("begin a run: %w", err)
		}
		counts, err := e.due(ctx, tx, now)
		if err != nil {
			return err
		}
		for _, c := range counts {
			if err := tx.AddRetentionCount(ctx, id, c); err != nil {
				return fmt.Errorf("report what is due by rule %s: %w", c.Rule, err)
			}
		}
		return nil
	})
	return id, err
}

// run erases what is due by each rule. A rule at which it fails keeps it from no other.
func (e *Eraser) run(ctx context.Context, id uuid.UUID, by string) error {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	detail := map[string]string{"run": id.String()}
	var failed error
	for _, rule := range e.Rules {
		erased, stay, err := e.apply(ctx, id, rule, by)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("erase by rule %s: %w", rule.Name, err))
		}
		if len(stay) > 0 {
			detail[rule.Name+"_stayed"] = strconv.Itoa(len(stay))
		}
		if erased > 0 {
			detail[rule.Name] = strconv.Itoa(erased)
		}
	}
	if failed != nil {
		return failed // the report stays open, and the next run goes on
	}
	now := e.Now()
	err := e.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.EndRetention(ctx, id, now); err != nil {
			return fmt.Errorf("end a run: %w", err)
		}
		return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.RetentionRun, Actor: by, Detail: detail})
	})
	if err == nil && len(detail) > 1 {
		e.Log.InfoContext(ctx, "records whose time is over were erased", slog.Any("by_rule", detail))
	}
	return err
}

// apply erases, batch after batch, what is due by a rule. A batch that fails is tried again in halves, until what cannot be erased is
// by itself: that stays, with why in the report, and keeps nothing else from going. So it does until the next run.
func (e *Eraser) apply(ctx context.Context, run uuid.UUID, rule Rule, by string) (total int, stay []string, err error) {
	whole := batch
	if rule.ofProfiles() {
		whole = batchOfPeople
	}
	for limit := whole; ; {
		ids, erased, err := e.batch(ctx, run, rule, by, limit, stay)
		switch {
		case err == nil && erased < limit:
			return total + erased, stay, nil
		case err == nil:
			total += erased
		case ctx.Err() != nil, len(ids) == 0, len(stay) == mostStay:
			return total, stay, err
		case len(ids) > 1:
			limit = len(ids) / 2
		default:
			e.Log.ErrorContext(ctx, "a record whose time is over could not be erased", slog.String("rule", rule.Name), slog.String("record", ids[0]), slog.Any("error", err))
			if err := e.Store.CountStayed(ctx, run, rule.Name, deed.Clip(err.Error())); err != nil {
				return total, stay, fmt.Errorf("report what stayed: %w", err)
			}
			stay, limit = append(stay, ids[0]), whole
		}
	}
}

// batch erases in one transaction what is due by a rule, but for what stays, as far as a limit, and says what it took on and how much of
// it went.
func (e *Eraser) batch(ctx context.Context, run uuid.UUID, rule Rule, by string, limit int, stay []string) (ids []string, erased int, err error) {
	err = e.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.LockRetention(ctx); err != nil {
			return err
		}
		now := e.Now()
		due, err := tx.OverdueIDs(ctx, rule.Name, rule.Period.Before(now), limit+len(stay))
		if err != nil {
			return err
		}
		due = slices.DeleteFunc(due, func(id string) bool { return slices.Contains(stay, id) })
		if ids = due[:min(len(due), limit)]; len(ids) == 0 {
			return nil
		}
		line := audit.Entry{At: now, Actor: by, Detail: map[string]string{"rule": rule.Name}}
		if erased, err = e.erase(ctx, tx, rule, ids, rule.Period.Before(now), line); err != nil {
			return err
		}
		return tx.CountErased(ctx, run, rule.Name, erased)
	})
	return ids, erased, err
}

// ofProfiles says whether it is profiles that the rule is about, with all that is theirs.
func (r Rule) ofProfiles() bool { return r.Table == "person" }

// erase erases records of a rule. Of a profile, closed before a time, the evidence stops counting first, with a line of the record
// each; and that all of it is erased has a line too, which begins as given.
func (e *Eraser) erase(ctx context.Context, tx *store.Tx, rule Rule, ids []string, before time.Time, line audit.Entry) (int, error) {
	if rule.ofProfiles() {
		var err error
		if ids, err = tx.LockClosed(ctx, ids, before); err != nil {
			return 0, fmt.Errorf("lock profiles: %w", err)
		}
		for _, id := range ids {
			if _, err := e.Evidence.WithdrawAllIn(ctx, tx, line.Actor, id, evidence.Erased, line.At); err != nil {
				return 0, fmt.Errorf("withdraw evidence of person %s: %w", id, err)
			}
		}
	}
	erased, err := tx.Erase(ctx, rule.Name, ids, line.At)
	if err != nil || rule.Name != closedProfiles {
		return erased, err
	}
	for _, line.Person = range ids {
		line.Event = audit.PersonErased
		if err := audit.Record(ctx, tx, line); err != nil {
			return erased, err
		}
	}
	return erased, nil
}
