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
	Runs   []store.RetentionRun // newest first
	More   bool
}

// Retention reads a run of the rules of retention, or the last one, and a page of the runs, from the one before the given id;
// uuid.Max is from the newest. It is of the whole installation, and of nobody.
func (f *Office) Retention(ctx context.Context, o Officer, text string, before uuid.UUID) (r Retained, err error) {
	if err := f.May(ctx, o, authority.Subject{}, authority.ReadRetention); err != nil {
		return r, err
	}
	if r.Runs, err = f.Store.RetentionRuns(ctx, before, PerPage+1); err != nil {
		return r, fmt.Errorf("list reports of retention: %w", err)
	}
	r.Runs, r.More = page(r.Runs)
	switch {
	case text != "":
		id, err := uuid.Parse(text)
		if err != nil {
			return r, fmt.Errorf("report of retention %.40q %w", text, directory.ErrUnknown)
		}
		if r.Run, err = f.Store.RetentionRun(ctx, id); err != nil {
			return r, directory.Missing(err, "report of retention", text)
		}
	case len(r.Runs) > 0:
		r.Run = r.Runs[0]
	default:
		return r, nil
	}
	if r.Counts, err = f.Store.RetentionCounts(ctx, r.Run.ID); err != nil {
		return r, fmt.Errorf("read report of retention %s: %w", r.Run.ID, err)
	}
	return r, nil
}
