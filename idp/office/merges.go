package office

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/store"
)

// OpenMerges lists a page of the merges that nobody has decided, of people of an organisation and of those below it, by since when,
// from the one after the given id, and says whether there are more: see [store.Store.OpenMerges].
func (f *Office) OpenMerges(ctx context.Context, o Officer, organisation string, order store.Order, after uuid.UUID) (rows []store.MergeRow, more bool, err error) {
	here, err := f.At(ctx, organisation)
	if err != nil {
		return nil, false, err
	}
	if err := f.May(ctx, o, here, authority.MergePeople); err != nil {
		return nil, false, err
	}
	rows, err = f.Store.OpenMerges(ctx, organisation, order, after, PerPage+1)
	if err != nil {
		return nil, false, fmt.Errorf("list open merges of organisation %s: %w", organisation, err)
	}
	rows, more = page(rows)
	return rows, more, nil
}
