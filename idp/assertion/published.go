package assertion

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/credence-id/credence/idp/outbound"
)

// How long a published key set is used, and how often it is asked for.
const (
	// Fresh is how long a set is used without asking: so long, at most, does a key work after it was taken out of it.
	Fresh = 5 * time.Minute
	// Kept is how long the last set is used while its address does not answer.
	Kept = time.Hour
	// Between is how long an address is not asked again, whether it answered or not and whatever is presented.
	Between = time.Minute

	longestFetch = 5 * time.Second
	mostKept     = 4096 // sets
)

// Published is the key sets that clients publish at their jwks_uri, as this replica last fetched them. It is safe for
// concurrent use.
type Published struct {
	guard outbound.Guard
	now   func() time.Time
	log   *slog.Logger
	sets  *lru.Cache[string, *published] // by address
}

// published is the set at an address.
type published struct {
	fetching sync.Mutex // at most one fetch at a time
	last     atomic.Pointer[fetched]
}

// fetched is what the last fetches of a set came to.
type fetched struct {
	set     KeySet
	readAt  time.Time // when the set was read; zero when none was
	askedAt time.Time
}

// NewPublished returns the sets, of which none is fetched yet.
func NewPublished(guard outbound.Guard, now func() time.Time, log *slog.Logger) (*Published, error) {
	sets, err := lru.New[string, *published](mostKept)
	if err != nil {
		return nil, fmt.Errorf("make room for key sets: %w", err)
	}
	return &Published{guard, now, log, sets}, nil
}

// Find finds the key that an assertion says it is signed with in the set at a registered address, which it fetches if it has
// to: when the set was read too long ago, or has no such key because there may be a new one.
func (p *Published) Find(ctx context.Context, uri string, of Presented) (Key, bool) {
	entry, there := p.sets.Get(uri)
	if !there {
		fresh := new(published)
		if entry, there, _ = p.sets.PeekOrAdd(uri, fresh); !there {
			entry = fresh
		}
	}
	last := entry.last.Load()
	if key, found := last.find(of, p.now()); found && p.now().Before(last.readAt.Add(Fresh)) {
		return key, true
	}
	return p.refresh(ctx, uri, entry).find(of, p.now())
}

// refresh fetches a set, unless it was asked for a moment ago: whoever waited for another's fetch uses what that one found.
func (p *Published) refresh(ctx context.Context, uri string, entry *published) *fetched {
	entry.fetching.Lock()
	defer entry.fetching.Unlock()
	last := entry.last.Load()
	if last != nil && p.now().Before(last.askedAt.Add(Between)) {
		return last
	}
	// Whoever asked may go away; what is found is for the others too.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), longestFetch)
	defer cancel()
	next := &fetched{askedAt: p.now()}
	set, _, err := Fetch(ctx, p.guard, uri)
	switch {
	case err == nil:
		next.set, next.readAt = set, next.askedAt
	case last != nil && !errors.Is(err, ErrPrivate): // whose other half is out
		next.set, next.readAt = last.set, last.readAt
	}
	if err != nil {
		p.log.WarnContext(ctx, "key set of a client could not be fetched", slog.String("jwks_uri", uri), slog.Any("error", err))
	}
	entry.last.Store(next)
	return next
}

// find finds a key in what was fetched, as long as it may be used.
func (f *fetched) find(of Presented, now time.Time) (Key, bool) {
	if f == nil || f.readAt.IsZero() || !now.Before(f.readAt.Add(Kept)) {
		return Key{}, false
	}
	return f.set.Find(of)
}

// Fetch fetches the key set at an address, with the faults of [ParseKeySet]. The context bounds the time.
func Fetch(ctx context.Context, guard outbound.Guard, uri string) (KeySet, []Fault, error) {
	text, err := guard.Get(ctx, uri, mostPublished, "application/jwk-set+json", "application/json")
	if err != nil {
		return KeySet{}, nil, fmt.Errorf("fetch key set: %w", err)
	}
	return ParseKeySet(text, mostPublished)
}
