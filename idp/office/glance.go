package office

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// MostCounted is how far what waits is counted. Whoever has more to do looks at the oldest of it.
const MostCounted = 1000

// WeeksAhead is how many weeks a glance looks ahead to what ends.
const WeeksAhead = 4

const week = 7 * 24 * time.Hour

// Doing is what needs doing at an organisation and below it, of what is an officer's business: what is not is not there.
type Doing map[store.Figure]store.Waiting

// Glance is what needs doing at an organisation and below it, and what soon will.
type Glance struct {
	Doing        Doing // and how many requests nobody looks after, and authenticators are suspended or lost
	Organisation string
	Name         string
	At           time.Time
	Expiring     []int64           // what positions give that ends, by weeks from At on; nil: it is not her business
	SignIns      []store.SignInDay // by days, the last of them today; none: she may not see which
	Unusual      *int64            // how many of them were; nil likewise
}

// OnGlance are the acts any of which shows something at a glance.
func OnGlance() []authority.Act {
	return slices.Concat(OnRequests(), OnIntroductions(), OnPositions(), OnAuthenticators(), []authority.Act{authority.ReviewAccess, authority.ReviewBreakGlass, authority.ReadAudit})
}

// Glance counts what needs doing at an organisation and below it.
func (f *Office) Glance(ctx context.Context, o Officer, organisation string) (g Glance, err error) {
	here, err := f.MayAt(ctx, o, organisation, OnGlance()...)
	if err != nil {
		return g, err
	}
	g.Organisation, g.At = organisation, f.Now()
	if g.Name, err = f.Store.OrganisationName(ctx, organisation); err != nil {
		return g, directory.Missing(err, "organisation", organisation)
	}
	figures := f.business(o, here)
	if f.Can(o, here, OnRequests()...) {
		figures = append(figures, store.UnownedRequests)
	}
	if f.Can(o, here, OnAuthenticators()...) {
		figures = append(figures, store.WaitingAuthenticators)
	}
	if g.Doing, err = f.doing(ctx, organisation, figures, g.At); err != nil {
		return g, err
	}
	if f.Can(o, here, OnPositions()...) {
		if g.Expiring, err = f.Store.CountExpiringRoles(ctx, organisation, g.Week(0), WeeksAhead, MostCounted); err != nil {
			return g, fmt.Errorf("count roles that expire of organisation %s: %w", organisation, err)
		}
	}
	if f.Can(o, here, authority.ReadAudit) {
		err = f.signIns(ctx, &g)
	}
	return g, err
}

// NeedsDoing counts what needs doing at the organisation of an officer and below it, in one round trip.
func (f *Office) NeedsDoing(ctx context.Context, o Officer) (Doing, error) {
	return f.doing(ctx, o.Organisation, f.business(o, authority.Subject{Path: []string{o.Organisation}}), f.Now())
}

func (f *Office) doing(ctx context.Context, organisation string, figures []store.Figure, now time.Time) (Doing, error) {
	waiting, err := f.Store.Waiting(ctx, organisation, figures, f.Rules.Codes(authority.DecideRequest), MostCounted, now)
	if err != nil {
		return nil, fmt.Errorf("count what needs doing at organisation %s: %w", organisation, err)
	}
	return waiting, nil
}

// business is what of what needs doing at an organisation is an officer's.
func (f *Office) business(o Officer, here authority.Subject) (figures []store.Figure) {
	for _, figure := range []struct {
		of   store.Figure
		acts []authority.Act
	}{
		{store.WaitingRequests, OnRequests()},
		{store.WaitingIntroductions, OnIntroductions()},
		{store.WaitingPositions, []authority.Act{authority.ApprovePosition}},
		{store.WaitingReviews, []authority.Act{authority.ReviewAccess}},
		{store.UnsignedBreakGlasses, []authority.Act{authority.ReviewBreakGlass}},
		{store.WaitingPeople, []authority.Act{authority.RecordEvidence}},
		{store.WaitingEvidence, []authority.Act{authority.RecordEvidence}},
		{store.WaitingMerges, []authority.Act{authority.MergePeople}},
	} {
		if f.Can(o, here, figure.acts...) {
			figures = append(figures, figure.of)
		}
	}
	return figures
}

// LooksAheadTo is when the weeks are over that a glance looks ahead.
func LooksAheadTo(at time.Time) time.Time { return at.Add(WeeksAhead * week) }

// Week is when the week of that number begins of those that a glance looks ahead: a time that an address can have.
func (g Glance) Week(n int) time.Time { return g.At.Truncate(time.Second).Add(time.Duration(n) * week) }

// ExpiringRoles lists a page of what the positions of an organisation and below it give until a time from one on and before
// another, by when that is, from the one after the given role, and says whether there is more.
func (f *Office) ExpiringRoles(ctx context.Context, o Officer, organisation string, from, until time.Time, order store.Order, after string) (rows []store.ExpiringRole, more bool, err error) {
	return listed(ctx, f, o, organisation, "roles that expire", func(limit int) ([]store.ExpiringRole, error) {
		return f.Store.ExpiringRoles(ctx, organisation, from, until, order, after, limit)
	}, OnPositions()...)
}
