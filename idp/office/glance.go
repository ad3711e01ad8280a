package office

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/store"
)

// MostCounted is how far what waits is counted. Whoever has more to do looks at the oldest of it.
const MostCounted = 1000

// WeeksAhead is how many weeks a glance looks ahead to what ends.
const WeeksAhead = 4

const week = 7 * 24 * time.Hour

// Doing is what needs doing at an organisation and below it, of what is an officer's business: nil is not.
type Doing struct {
	Requests, Introductions, Positions *store.Waiting
	Evidence                           *store.Waiting // its list is of her own organisation
	Reviews                            *store.Due
}

// Glance is what needs doing at an organisation and below it, and what soon will.
type Glance struct {
	Doing

	Organisation string
	At           time.Time
	Expiring     []int64 // what positions give that ends, by weeks from At on; nil: it is not her business
}

// OnGlance are the acts any of which shows something at a glance.
func OnGlance() []authority.Act {
	return slices.Concat(OnRequests(), OnIntroductions(), OnPositions(), []authority.Act{authority.ReviewAccess})
}

// Glance counts what needs doing at an organisation and below it: in one round trip for the organisation, and one for each of
// its figures.
func (f *Office) Glance(ctx context.Context, o Officer, organisation string) (g Glance, err error) {
	here, err := f.At(ctx, organisation)
	if err != nil {
		return g, err
	}
	if err := f.May(ctx, o, here, OnGlance()...); err != nil {
		return g, err
	}
	g.Organisation, g.At = organisation, f.Now()
	if g.Doing, err = f.needsDoing(ctx, o, organisation, here, g.At); err != nil || !f.Can(o, here, OnPositions()...) {
		return g, err
	}
	g.Expiring, err = f.Store.CountExpiringRoles(ctx, organisation, g.At, WeeksAhead, MostCounted)
	if err != nil {
		return g, fmt.Errorf("count roles that expire of organisation %s: %w", organisation, err)
	}
	return g, nil
}

// NeedsDoing counts what needs doing at the organisation of an officer and below it, in a round trip for each figure.
func (f *Office) NeedsDoing(ctx context.Context, o Officer) (Doing, error) {
	return f.needsDoing(ctx, o, o.Organisation, authority.Subject{Path: []string{o.Organisation}}, f.Now())
}

func (f *Office) needsDoing(ctx context.Context, o Officer, organisation string, here authority.Subject, now time.Time) (d Doing, err error) {
	for _, figure := range []struct {
		what string
		acts []authority.Act
		read func() error
	}{
		{"open requests", OnRequests(), func() error {
			return keep(&d.Requests)(f.Store.CountOpenRequests(ctx, organisation, MostCounted, now))
		}},
		{"open introductions", OnIntroductions(), func() error {
			return keep(&d.Introductions)(f.Store.CountOpenIntroductions(ctx, organisation, MostCounted, now))
		}},
		{"proposed positions", []authority.Act{authority.ApprovePosition}, func() error {
			return keep(&d.Positions)(f.Store.CountProposedPositions(ctx, organisation, MostCounted))
		}},
		{"open reviews", []authority.Act{authority.ReviewAccess}, func() error {
			return keep(&d.Reviews)(f.Store.CountOpenReviews(ctx, organisation, MostCounted))
		}},
		{"evidence that waits", []authority.Act{authority.RecordEvidence}, func() error {
			if organisation != o.Organisation {
				return nil
			}
			return keep(&d.Evidence)(f.Store.CountEvidenceProposals(ctx, organisation, MostCounted))
		}},
	} {
		if !f.Can(o, here, figure.acts...) {
			continue
		}
		if err := figure.read(); err != nil {
			return Doing{}, fmt.Errorf("count %s of organisation %s: %w", figure.what, organisation, err)
		}
	}
	return d, nil
}

// keep has what was read kept, if it could be.
func keep[T any](in **T) func(T, error) error {
	return func(v T, err error) error {
		*in = &v
		return err
	}
}

// LooksAheadTo is when the weeks are over that a glance looks ahead.
func LooksAheadTo(at time.Time) time.Time { return at.Add(WeeksAhead * week) }

// Week is when the week of that number begins of those that a glance looks ahead.
func (g Glance) Week(n int) time.Time { return g.At.Add(time.Duration(n) * week) }

// ExpiringRoles lists a page of what the positions of an organisation and below it give until a time from one on and before
// another, soonest first, from the one after the given role that ends at from, and says whether there is more.
func (f *Office) ExpiringRoles(ctx context.Context, o Officer, organisation string, from, until time.Time, after string) (rows []store.ExpiringRole, more bool, err error) {
	here, err := f.At(ctx, organisation)
	if err != nil {
		return nil, false, err
	}
	if err := f.May(ctx, o, here, OnPositions()...); err != nil {
		return nil, false, err
	}
	rows, err = f.Store.ExpiringRoles(ctx, organisation, from, until, after, PerPage+1)
	if err != nil {
		return nil, false, fmt.Errorf("list roles that expire of organisation %s: %w", organisation, err)
	}
	return rows[:min(len(rows), PerPage)], len(rows) > PerPage, nil
}
