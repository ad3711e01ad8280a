package office

import (
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// ListReviews lists a page of the reviews of an organisation and below it, or of those of them that are open, in an order: see [store.Store.Reviews]. It goes on from
// the one after the given id, and says whether there are more.
func (f *Office) ListReviews(ctx context.Context, o Officer, organisation string, open bool, order store.Order, after uuid.UUID) (rows []store.ReviewRow, more bool, err error) {
	return listed(ctx, f, o, organisation, "reviews", func(limit int) ([]store.ReviewRow, error) {
		return f.Store.Reviews(ctx, organisation, open, order, after, limit, f.Now())
	}, authority.ReviewAccess)
}

// Review reads a review that an officer may see.
func (f *Office) Review(ctx context.Context, o Officer, text string) (store.ReviewRow, error) {
	id, err := directory.ParseID("review", text)
	if err != nil {
		return store.ReviewRow{}, err
	}
	row, err := f.Store.Review(ctx, id, f.Now())
	if err != nil {
		return row, directory.Missing(err, "review", text)
	}
	_, err = f.MayAt(ctx, o, row.OrganisationCode, authority.ReviewAccess)
	return row, err
}

// ReviewItems lists a page of what a review is about, in an order: see [store.Store.ReviewItems]. It goes on from the role after the
// given one, and says whether there is more: all of it, or what is left to decide.
func (f *Office) ReviewItems(ctx context.Context, id uuid.UUID, undecided bool, order store.Order, after string) (items []store.ReviewItem, more bool, err error) {
	if undecided {
		items, err = f.Store.UndecidedItems(ctx, id, order, after, PerPage+1, f.Now())
	} else {
		items, err = f.Store.ReviewItems(ctx, id, order, after, PerPage+1)
	}
	if err != nil {
		return nil, false, fmt.Errorf("list what review %s is about: %w", id, err)
	}
	items, more = page(items)
	return items, more, nil
}

// ReviewReport lists all that a review is about, and records who took it away. Whoever reads it may ([Office.Review]).
func (f *Office) ReviewReport(ctx context.Context, o Officer, id uuid.UUID) (items []store.ReviewItem, err error) {
	const batch = 500
	for after, more := "", true; more; {
		list, err := f.Store.ReviewItems(ctx, id, store.Order{}, after, batch)
		if err != nil {
			return nil, fmt.Errorf("list what review %s is about: %w", id, err)
		}
		items = append(items, list...)
		if more = len(list) == batch; more {
			after = list[batch-1].RoleID
		}
	}
	entry := f.Line(o, audit.PersonSearched, "", map[string]string{"by": "review_report", "review": id.String(), "hits": strconv.Itoa(len(items))})
	if err := audit.Record(ctx, f.Store, entry); err != nil {
		return nil, fmt.Errorf("record: %w", err)
	}
	return items, nil
}
