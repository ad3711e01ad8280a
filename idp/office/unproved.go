package office

import (
	"context"
	"fmt"
	"strconv"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/store"
)

// Unproved lists a page of who registered herself at an organisation or below it and is not proved yet, by when she did, from the one after
// the given id, and says whether there are more. How many were shown is recorded.
func (f *Office) Unproved(ctx context.Context, o Officer, organisation string, order store.Order, after string) (list []store.UnprovedPerson, more bool, err error) {
	if _, err := f.MayAt(ctx, o, organisation, authority.RecordEvidence); err != nil {
		return nil, false, err
	}
	err = f.Store.InTx(ctx, func(tx *store.Tx) error {
		if list, err = tx.UnprovedPeople(ctx, organisation, order, after, PerPage+1); err != nil {
			return fmt.Errorf("list people who registered themselves at organisation %s: %w", organisation, err)
		}
		list, more = page(list)
		return audit.Record(ctx, tx, f.Line(o, audit.PersonSearched, "", map[string]string{"by": "self_registration", "hits": strconv.Itoa(len(list))}))
	})
	return list, more, err
}
