// Package poll does again and again what a replica does by itself.
//
// It keeps the copies that a replica has in memory of small sets in the database: it renews them each second, so that a change is
// seen everywhere within two ([Run]). While the database is away a copy stays as it was; the log says once that it does, and once
// that it does no longer. And it repeats work that any replica may do ([Repeat]), of which the log says each time that it fails.
package poll

import (
	"context"
	"log/slog"
	"time"
)

const every = time.Second

// Run renews the copy of what is named until the context ends.
func Run(ctx context.Context, log *slog.Logger, of string, renew func(context.Context) error) error {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for failing := false; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		switch err := renew(ctx); {
		case ctx.Err() != nil:
		case err != nil && !failing:
			failing = true
			log.ErrorContext(ctx, "copy could not be renewed", slog.String("of", of), slog.Any("error", err))
		case err == nil && failing:
			failing = false
			log.InfoContext(ctx, "copy is renewed again", slog.String("of", of))
		}
	}
}

// Repeat does something at once and then at an interval, until the context ends. What is said of a failure is for the log.
func Repeat(ctx context.Context, interval time.Duration, log *slog.Logger, failure string, do func(context.Context) error) error {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		if err := do(ctx); err != nil && ctx.Err() == nil {
			log.ErrorContext(ctx, failure, slog.Any("error", err)) //nolint:sloglint // each caller's is a constant
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}
