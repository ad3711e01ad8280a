package wardlist

import (
	"sync"
	"time"
)

// expiring remembers values under unguessable keys for a while. It never holds
// more than max of them: a newcomer displaces the value nearest to its end, so
// that a flood of unfinished sign-ins costs memory that is known beforehand.
type expiring[V any] struct {
	max  int
	life time.Duration

	mu     sync.Mutex // owns values
	values map[string]kept[V]
}

type kept[V any] struct {
	value V
	until time.Time
}

func newExpiring[V any](limit int, life time.Duration) *expiring[V] {
	return &expiring[V]{max: limit, life: life, values: make(map[string]kept[V])}
}

// put remembers value under key.
func (e *expiring[V]) put(key string, value V, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.values) >= e.max {
		var first string
		for k, v := range e.values {
			if first == "" || v.until.Before(e.values[first].until) {
				first = k
			}
		}
		delete(e.values, first)
	}
	e.values[key] = kept[V]{value, now.Add(e.life)}
}

// use returns the value under key and starts its life anew.
func (e *expiring[V]) use(key string, now time.Time) (V, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	k, ok := e.values[key]
	if !ok || !now.Before(k.until) {
		delete(e.values, key)
		var none V
		return none, false
	}
	k.until = now.Add(e.life)
	e.values[key] = k
	return k.value, true
}

// replace changes the value under key, but does not bring back one that was
// taken meanwhile: a check that ends after the sign-out must not undo it.
func (e *expiring[V]) replace(key string, value V) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if k, ok := e.values[key]; ok {
		k.value = value
		e.values[key] = k
	}
}

// take returns the value under key and forgets it, so that of two takers one
// succeeds.
func (e *expiring[V]) take(key string, now time.Time) (V, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	k, ok := e.values[key]
	delete(e.values, key)
	if !ok || !now.Before(k.until) {
		var none V
		return none, false
	}
	return k.value, true
}
