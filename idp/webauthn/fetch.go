package webauthn

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/webauthn/metadata"
	"github.com/credence-id/credence/store"
)

// Source is where FIDO metadata comes from, and what of it is believed.
type Source struct {
	Fetch func(ctx context.Context) ([]byte, error) // reads the newest blob, in bounded time; nil: there is none to be had
	Every time.Duration                             // the source is asked again so long after it answered, and each hour at most

	Trust   *metadata.Trust        // nil: the FIDO Alliance
	Minimum metadata.Certification // that approves a model; 0: level 1
}

func (s Source) trust() metadata.Trust {
	if s.Trust == nil {
		return metadata.FIDO()
	}
	return *s.Trust
}

func (s Source) minimum() metadata.Certification { return max(s.Minimum, 1) }

// RunMetadata asks the source for newer metadata, now and from then on, until the context ends. Of replicas that share a
// database one asks, most of the time. Without newer ones what is there is gone by, however old, and that is said each hour.
func (m *Models) RunMetadata(ctx context.Context) error {
	if m.source.Fetch == nil {
		return nil
	}
	tick := time.NewTicker(time.Hour)
	defer tick.Stop()
	for {
		m.Refresh(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Refresh asks the source once, if it is time to. What is older than what is there, or not genuine, is not taken.
func (m *Models) Refresh(ctx context.Context) {
	state, err := m.store.MetadataState(ctx)
	if errors.Is(err, store.ErrNotFound) {
		state, err = store.Metadata{}, nil
	}
	now := m.now()
	if err == nil && (now.Sub(state.CheckedAt) >= m.source.Every || !now.Before(state.NextUpdate)) {
		err = m.fetch(ctx)
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		m.failures.Inc()
		m.log.ErrorContext(ctx, "FIDO metadata was not taken", slog.Any("error", err))
	}
	if k := m.current.Load(); k.metadata != nil && !now.Before(k.metadata.NextUpdate) {
		m.log.WarnContext(ctx, "FIDO metadata is out of date, and is gone by all the same",
			slog.Int64("number", k.metadata.Number), slog.String("next_update", k.metadata.NextUpdate.Format(time.DateOnly)))
	}
}

func (m *Models) fetch(ctx context.Context) error {
	blob, err := m.source.Fetch(ctx)
	if err != nil {
		return fmt.Errorf("fetch: %w", err)
	}
	if err := m.take(ctx, blob); err != nil {
		return err
	}
	return m.Load(ctx)
}

// take verifies a blob and keeps it, unless it is there already.
func (m *Models) take(ctx context.Context, blob []byte) error {
	now := m.now()
	parsed, err := metadata.Parse(blob, m.source.trust(), now)
	if err != nil {
		return err
	}
	return m.store.InTx(ctx, func(tx *store.Tx) error {
		detail := map[string]string{"number": strconv.FormatInt(parsed.Number, 10), "next_update": parsed.NextUpdate.Format(time.DateOnly)}
		was, err := tx.MetadataState(ctx)
		switch {
		case errors.Is(err, store.ErrNotFound):
		case err != nil:
			return fmt.Errorf("read what is there: %w", err)
		case parsed.Number < was.Number:
			return fmt.Errorf("it has number %d, and %d is here already: somebody offers what was withdrawn", parsed.Number, was.Number)
		case parsed.Number == was.Number:
			return tx.CheckMetadata(ctx, now)
		default:
			detail["predecessor"] = strconv.FormatInt(was.Number, 10)
		}
		err = tx.PutMetadata(ctx, store.Metadata{Number: parsed.Number, NextUpdate: parsed.NextUpdate, Blob: blob, FetchedAt: now, CheckedAt: now})
		if errors.Is(err, store.ErrNotFound) {
			return nil // another replica was first
		}
		if err != nil {
			return fmt.Errorf("store number %d: %w", parsed.Number, err)
		}
		return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.MetadataTaken, Actor: "schedule", Detail: detail})
	})
}

// MetadataState is which FIDO metadata this installation goes by.
type MetadataState struct {
	Number     int64
	NextUpdate time.Time
	FetchedAt  time.Time
	CheckedAt  time.Time
	Models     int // of which there is metadata
	Unread     int // entries and certificates that could not be read
}

// MetadataState reads which metadata this installation goes by, as it was last loaded; false says that there is none.
func (m *Models) MetadataState(ctx context.Context) (MetadataState, bool, error) {
	state, err := m.store.MetadataState(ctx)
	k := m.current.Load()
	if errors.Is(err, store.ErrNotFound) || err == nil && k.metadata == nil {
		return MetadataState{}, false, nil
	}
	if err != nil {
		return MetadataState{}, false, fmt.Errorf("read FIDO metadata: %w", err)
	}
	return MetadataState{
		Number: k.metadata.Number, NextUpdate: k.metadata.NextUpdate, FetchedAt: state.FetchedAt, CheckedAt: state.CheckedAt,
		Models: len(k.metadata.Models), Unread: k.metadata.Unread,
	}, true, nil
}
