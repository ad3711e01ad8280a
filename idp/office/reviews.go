package office

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
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

// TheseReviewItems reads of some roles those that a review is about. Whoever reads them may ([Office.Review]).
func (f *Office) TheseReviewItems(ctx context.Context, id uuid.UUID, roles []string) ([]store.ReviewItem, error) {
	items, err := f.Store.TheseReviewItems(ctx, id, roles)
	if err != nil {
		return nil, fmt.Errorf("list some of what review %s is about: %w", id, err)
	}
	return items, nil
}

// ReviewReport is all that a review is about which an officer may see, as rows after their titles, and records who took it away.
func (f *Office) ReviewReport(ctx context.Context, o Officer, text string) (review store.ReviewRow, rows [][]string, err error) {
	if review, err = f.Review(ctx, o, text); err != nil {
		return review, nil, err
	}
	const batch = 500
	rows = [][]string{{"person", "name", "position", "position_name", "organisation", "role", "starts", "ends", "outcome", "decided_by", "decided_by_name", "decided_at"}}
	for after, more := "", true; more; {
		list, err := f.Store.ReviewItems(ctx, review.ID, store.Order{}, after, batch)
		if err != nil {
			return review, nil, fmt.Errorf("list what review %s is about: %w", review.ID, err)
		}
		for _, i := range list {
			rows = append(rows, f.reported(review, i))
		}
		if more = len(list) == batch; more {
			after = list[batch-1].RoleID
		}
	}
	entry := f.Line(o, audit.PersonSearched, "", map[string]string{"by": "review_report", "review": review.ID.String(), "hits": strconv.Itoa(len(rows) - 1)})
	if err := audit.Record(ctx, f.Store, entry); err != nil {
		return review, nil, fmt.Errorf("record: %w", err)
	}
	return review, rows, nil
}

// reported is something that a review is about as a row of its report.
func (f *Office) reported(review store.ReviewRow, i store.ReviewItem) []string {
	outcome := OutcomeWords(i, f.Now())
	if outcome == "" {
		outcome = map[bool]string{true: "Undecided", false: "Overdue"}[review.DueAt.After(f.Now())]
	}
	return []string{
		i.PersonID, i.PersonName, i.PositionID, i.PositionName, i.OrganisationCode, i.RoleID, reportedTime(&i.StartsAt), reportedTime(i.EndsAt), outcome,
		reportedText(i.DecidedBy), reportedText(i.DecidedByName), reportedTime(i.DecidedAt),
	}
}

// OutcomeWords says for people what became of something that a review is about, or "" while it can be decided.
func OutcomeWords(i store.ReviewItem, now time.Time) string {
	if i.Outcome != nil {
		return map[position.Outcome]string{
			position.Certified: "Certified", position.Removed: "Removed", position.Unreviewed: "Removed because nobody decided",
		}[position.Outcome(*i.Outcome)]
	}
	if i.EndsAt != nil && !i.EndsAt.After(now) {
		return "Ended meanwhile"
	}
	return ""
}

func reportedTime(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func reportedText(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
