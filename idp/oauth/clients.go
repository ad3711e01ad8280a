package oauth

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/credence-id/credence/idp/poll"
	"github.com/credence-id/credence/store"
)

// Clients is the registered clients, as this replica last read them. A change is seen within two seconds. What must be
// seen at once, that a client was disabled, is read with every request that a person or a token is part of.
type Clients struct {
	Store *store.Store
	Now   func() time.Time
	Log   *slog.Logger

	current atomic.Pointer[clientSnapshot] // replaced whole, never changed

	loading    sync.Mutex // at most one load at a time
	lastLookup time.Time  // for an unknown client; guarded by loading
}

type clientSnapshot struct {
	generation int64
	byID       map[string]client
}

const (
	// lookUpEvery bounds how often requests that name an unknown client can make a replica look for it.
	lookUpEvery = 500 * time.Millisecond
	clientPage  = 500
)

// Load reads the clients, if they changed since they were last read.
func (c *Clients) Load(ctx context.Context) error {
	c.loading.Lock()
	defer c.loading.Unlock()
	return c.load(ctx)
}

func (c *Clients) load(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	generation, err := c.Store.Generation(ctx, "client") // first: a change in between makes the next poll read again
	if err != nil {
		return fmt.Errorf("read generation of clients: %w", err)
	}
	if s := c.current.Load(); s != nil && s.generation == generation {
		return nil
	}
	s := &clientSnapshot{generation: generation, byID: map[string]client{}}
	for after := ""; ; {
		page, err := c.Store.Clients(ctx, after, clientPage)
		if err != nil {
			return fmt.Errorf("read clients: %w", err)
		}
		for _, row := range page {
			s.byID[row.ID] = c.read(ctx, row)
			after = row.ID
		}
		if len(page) < clientPage {
			break
		}
	}
	c.current.Store(s)
	return nil
}

// read is a client as requests see it. One whose keys cannot be read, which were when they were registered, has none.
func (c *Clients) read(ctx context.Context, row store.Client) client {
	read := client{Client: row}
	if row.JWKS == nil {
		return read
	}
	set, err := ParseKeys(row.JWKS)
	if err != nil {
		c.Log.ErrorContext(ctx, "keys of a client could not be read", slog.String("client", row.ID), slog.Any("error", err))
	}
	read.keys = set
	return read
}

// Run looks for changes until the context ends. It logs when it begins to fail, and when it is well again.
func (c *Clients) Run(ctx context.Context) error {
	return poll.Run(ctx, c.Log, "clients", c.Load)
}

// find returns an enabled client. One that is not known may have been registered a moment ago.
func (c *Clients) find(ctx context.Context, id string) (client, bool) {
	found, ok := c.current.Load().byID[id]
	if !ok && len(id) <= 64 {
		found, ok = c.lookUp(ctx, id)
	}
	return found, ok && found.DisabledAt == nil
}

func (c *Clients) lookUp(ctx context.Context, id string) (client, bool) {
	c.loading.Lock()
	defer c.loading.Unlock()
	if c.Now().Sub(c.lastLookup) >= lookUpEvery {
		if err := c.load(ctx); err != nil {
			c.Log.ErrorContext(ctx, "clients could not be read", slog.Any("error", err))
		}
		c.lastLookup = c.Now() // after it: who waited for a database that is away does not wait for it again
	}
	found, ok := c.current.Load().byID[id]
	return found, ok
}
