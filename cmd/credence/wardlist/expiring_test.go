package wardlist

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestExpiring(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 22, 9, 0, 0, 0, time.UTC)

	t.Run("a value is gone at the end of its life", func(t *testing.T) {
		t.Parallel()
		e := newExpiring[int](2, time.Minute)
		e.put("a", 1, now)
		if v, ok := e.use("a", now.Add(time.Minute-1)); v != 1 || !ok {
			t.Errorf("use(a) in its life = %d, %t, want 1, true", v, ok)
		}
		if v, ok := e.take("a", now.Add(2*time.Minute)); v != 0 || ok {
			t.Errorf("take(a) after its life = %d, %t, want 0, false", v, ok)
		}
	})

	t.Run("a newcomer displaces the value nearest to its end", func(t *testing.T) {
		t.Parallel()
		e := newExpiring[int](3, time.Minute)
		for i := range 5 {
			e.put(strconv.Itoa(i), i, now.Add(time.Duration(i)))
		}
		if len(e.values) != 3 {
			t.Errorf("5 values put into room for 3 leave %d", len(e.values))
		}
		for i := range 5 {
			if _, ok := e.use(strconv.Itoa(i), now); ok != (i >= 2) {
				t.Errorf("use(%d) = %t, want %t", i, ok, i >= 2)
			}
		}
	})

	t.Run("a value that was taken is not brought back", func(t *testing.T) {
		t.Parallel()
		e := newExpiring[int](3, time.Minute)
		e.put("a", 1, now)
		e.replace("a", 2)
		if v, _ := e.take("a", now); v != 2 {
			t.Errorf("take(a) = %d, want 2", v)
		}
		e.replace("a", 3)
		if _, ok := e.use("a", now); ok {
			t.Error("replace(a) brought back a value that was taken")
		}
	})

	t.Run("of many takers one succeeds", func(t *testing.T) {
		t.Parallel()
		e := newExpiring[int](3, time.Minute)
		e.put("a", 1, now)
		var taken atomic.Int32
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if _, ok := e.take("a", now); ok {
					taken.Add(1)
				}
			})
		}
		wg.Wait()
		if got := taken.Load(); got != 1 {
			t.Errorf("%d of 16 takers succeeded, want 1", got)
		}
	})
}
