package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/store"
)

// figures are all of them.
func figures() []store.Figure {
	return []store.Figure{
		store.WaitingRequests, store.UnownedRequests, store.WaitingIntroductions, store.WaitingPositions, store.WaitingEvidence, store.WaitingPeople, store.WaitingReviews,
		store.UnsignedBreakGlasses, store.WaitingAuthenticators, store.WaitingMerges,
	}
}

// waiting reads one figure.
func (in *installation) waiting(t *testing.T, figure store.Figure, organisation string, most int, at time.Time) store.Waiting {
	t.Helper()
	counted, err := in.Waiting(t.Context(), organisation, []store.Figure{figure}, officers(), most, at)
	must(t, err)
	return counted[figure]
}

// Figures that are read together are each what it is by itself, and what is not asked for is not there.
func TestWaitingTogether(t *testing.T) {
	t.Parallel()
	in, ctx := withPosition(t), t.Context()
	all, err := in.Waiting(ctx, organisation, figures(), officers(), 10, now)
	must(t, err)
	for _, figure := range figures() {
		is, counted := all[figure]
		if !counted {
			t.Errorf("Waiting() has no %s", figure)
		}
		same(t, "Waiting("+string(figure)+")", is, in.waiting(t, figure, organisation, 10, now))
	}
	same(t, "Waiting(requests)", all[store.WaitingRequests], store.Waiting{Count: 1, FirstAt: &now})
	same(t, "Waiting(requests of nobody)", all[store.UnownedRequests], store.Waiting{Count: 1, FirstAt: &now})
	none, err := in.Waiting(ctx, organisation, nil, officers(), 10, now)
	must(t, err)
	same(t, "Waiting(nothing)", none, map[store.Figure]store.Waiting{})
	if _, err := in.Waiting(ctx, organisation, []store.Figure{store.WaitingRequests, "regrets"}, officers(), 10, now); err == nil || !strings.Contains(err.Error(), `"regrets"`) {
		t.Errorf("Waiting(what nothing counts) = %v, want an error that names it", err)
	}
}
