package office

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// Retained is what was erased because its time was over, as an officer sees it: of one run all, and a page of the runs.
type Retained struct {
	Run    store.RetentionRun // its id is uuid.Nil when there was none
	Counts []store.RetentionCount
	Runs   []store.RetentionRun
	More   bool
}

// Retention reads a run of the rules of retention, or the last one, and a page of the runs, by when they began, from the one after
// the given id. It is of the whole installation, and of nobody.
func (f *Office) Retention(ctx context.Context, o Officer, text string, order store.Order, after uuid.UUID) (r Retained, err error) {
	if err := f.May(ctx, o, authority.Subject{}, authority.ReadRetention); err != nil {
		return r, err
	}
	if r.Runs, err = f.Store.RetentionRuns(ctx, order, after, PerPage+1); err != nil {
		return r, fmt.Errorf("list reports of retention: %w", err)
	}
	r.Runs, r.More = page(r.Runs)
	if r.Run, err = f.retentionRun(ctx, text); err != nil || r.Run.ID == uuid.Nil {
		return r, err
	}
	if r.Counts, err = f.Store.RetentionCounts(ctx, r.Run.ID); err != nil {
		return r, fmt.Errorf("read report of retention %s: %w", r.Run.ID, err)
	}
	return r, nil
}

// retentionRun reads a run, or the last one, whose id is uuid.Nil when there was none.
func (f *Office) retentionRun(ctx context.Context, text string) (run store.RetentionRun, err error) {
	if text == "" {
		last, err := f.Store.RetentionRuns(ctx, store.Order{By: store.ByTime, Descending: true}, uuid.Nil, 1)
		if err != nil || len(last) == 0 {
			return run, err
		}
		return last[0], nil
	}
	id, err := uuid.Parse(text)
	if err != nil {
		return run, fmt.Errorf("report of retention %.40q %w", text, directory.ErrUnknown)
	}
	run, err = f.Store.RetentionRun(ctx, id)
	return run, directory.Missing(err, "report of retention", text)
}
