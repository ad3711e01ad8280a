package store_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/credence-id/credence/store"
)

// failure is a failure at a slot of a kind that is blocked at three.
func failure(kind string, slot int32, endsAt time.Time) store.FailureCount {
	return store.FailureCount{Kind: kind, Slot: slot, Most: 3, EndsAt: endsAt}
}

func TestCountFailures(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	ends := now.Add(time.Minute)
	for _, tt := range []struct {
		name     string
		at       time.Time
		failures int32
		endsAt   time.Time
	}{
		{"the first begins a window", now, 1, ends},
		{"the second counts in it", now.Add(time.Second), 2, ends},
		{"one in its last moment counts in it", ends.Add(-time.Microsecond), 3, ends},
		{"one beyond the limit counts in it", ends.Add(-time.Microsecond), 4, ends},
		{"one at its end begins another", ends, 1, ends.Add(time.Minute)},
		{"the next counts there", ends, 2, ends.Add(time.Minute)},
	} {
		got, err := in.CountFailures(ctx, []store.FailureCount{failure("a", 7, tt.at.Add(time.Minute))}, tt.at)
		must(t, err)
		want := failure("a", 7, tt.endsAt)
		want.Failures = tt.failures
		same(t, tt.name+": CountFailures()", got, []store.FailureCount{want})
	}
	got, err := in.CountFailures(ctx, []store.FailureCount{failure("b", 7, ends), failure("a", 8, ends)}, now)
	must(t, err)
	for _, c := range got {
		if c.Failures != 1 {
			t.Errorf("CountFailures(another kind, another slot) = %+v, want 1: they are counted apart", c)
		}
	}
	for what, slot := range map[string]int32{"a negative slot": -1, "a slot of 21 bits": 1 << 20} {
		is(t, "CountFailures("+what+")", second(in.CountFailures(ctx, []store.FailureCount{failure("a", slot, ends)}, now)), store.ErrReference)
	}
}

// Each of many at once gets a count of its own, and none waits for another that waits for it.
func TestCountFailuresAtOnce(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	const runners, rounds = 16, 10
	var mu sync.Mutex
	seen := map[string][]int32{}
	var race sync.WaitGroup
	for i := range runners {
		race.Go(func() {
			for range rounds {
				both := []store.FailureCount{failure("a", 1, later), failure("b", 2, later)}
				if i%2 == 0 {
					slices.Reverse(both)
				}
				counts, err := in.CountFailures(ctx, both, now)
				if err != nil {
					t.Errorf("CountFailures() = %v", err)
				}
				mu.Lock()
				for _, c := range counts {
					seen[c.Kind] = append(seen[c.Kind], c.Failures)
				}
				mu.Unlock()
			}
		})
	}
	race.Wait()
	want := make([]int32, runners*rounds)
	for i := range want {
		want[i] = int32(i + 1)
	}
	for kind, got := range seen {
		slices.Sort(got)
		same(t, "the counts of kind "+kind, got, want)
	}
	if n := value[int](t, connect(t, in.ownerURL), `SELECT count(*)::int FROM throttle`); n != 2 {
		t.Errorf("throttle has %d rows, want one for each slot", n)
	}
}

func TestReachedLimits(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	for slot, failures := range []int{2, 3, 4, 3} {
		for range failures {
			_, err := in.CountFailures(ctx, []store.FailureCount{failure("a", int32(slot), now.Add(time.Duration(slot)*time.Minute))}, now.Add(-time.Minute))
			must(t, err)
		}
	}
	slots := func(at time.Time, limit int) (slots []int32) {
		counts, err := in.ReachedLimits(ctx, at, limit)
		must(t, err)
		for _, c := range counts {
			slots = append(slots, c.Slot)
		}
		return slots
	}
	same(t, "ReachedLimits()", slots(now, 10), []int32{3, 2, 1})
	same(t, "ReachedLimits(at the end of the first)", slots(now.Add(time.Minute), 10), []int32{3, 2})
	same(t, "ReachedLimits(two at most)", slots(now, 2), []int32{3, 2})
}
