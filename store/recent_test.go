package store_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// What was issued here is known here without a word to the database, and nowhere else.
func TestRecentGrant(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	if _, ok := in.RecentGrant(hash("code"), now); ok {
		t.Error("RecentGrant(of somebody whose record was not read) = found, want nothing")
	}
	read, err := in.Code(ctx, hash("code"), ward, now)
	must(t, err)
	got, ok := in.RecentGrant(hash("code"), now)
	if !ok {
		t.Fatal("RecentGrant(issued here) = nothing, want the grant")
	}
	same(t, "RecentGrant()", got, read)
	if _, ok := in.RecentGrant(hash("refresh"), now); ok {
		t.Error("RecentGrant(not issued here) = found, want nothing")
	}
	if _, ok := open(t, in.serviceURL, nil).RecentGrant(hash("code"), now); ok {
		t.Error("RecentGrant(at another replica) = found, want nothing")
	}
	x := exchange(ctx, t, in.Store, "refresh", "next")
	must(t, in.ExchangeRefreshToken(ctx, x))
	if _, ok := in.RecentGrant(hash("refresh"), now); ok {
		t.Error("RecentGrant(spent) = found, want nothing")
	}
	got, ok = in.RecentGrant(hash("next"), now)
	if !ok {
		t.Fatal("RecentGrant(of the next refresh token) = nothing, want the grant")
	}
	same(t, "RecentGrant(of the next refresh token)", got, read)
	must(t, in.ExchangeRefreshToken(ctx, store.Exchange{Grant: got.Grant, Hash: hash("next"), Version: got.Version, Event: x.Event}))
	is(t, "ExchangeRefreshToken(again)", in.ExchangeRefreshToken(ctx, store.Exchange{Grant: got.Grant, Hash: hash("next"), Version: got.Version, Event: x.Event}), store.ErrNotFound)
}

// What has ended since is not seen in what is remembered; the exchange sees it.
func TestRecentGrantOfWhatEnded(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(ctx context.Context, in *installation) error{
		"the grant is revoked":   func(ctx context.Context, in *installation) error { return in.RevokeGrant(ctx, grantID, now) },
		"the session ends":       func(ctx context.Context, in *installation) error { return in.EndSession(ctx, sessionID, now) },
		"the client is disabled": func(ctx context.Context, in *installation) error { return in.DisableClient(ctx, ward, now) },
		"the person is disabled": func(ctx context.Context, in *installation) error { return second(in.DisablePerson(ctx, ana, now)) },
		"the role ends":          func(ctx context.Context, in *installation) error { return second(in.EndRole(ctx, anaRole, now)) },
		"the code expires":       func(context.Context, *installation) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, ctx, at := newInstallation(t), t.Context(), now
			must(t, second(in.Code(ctx, hash("code"), ward, now)))
			must(t, end(ctx, in))
			if name == "the code expires" {
				at = later.Add(time.Hour)
			}
			found, ok := in.RecentGrant(hash("code"), now)
			if !ok {
				t.Fatal("RecentGrant() = nothing, want the grant as it was")
			}
			event := store.AuditEvent{At: at, Event: "token_issued", Actor: ward, PersonID: ana, ClientID: ward}
			is(t, "ExchangeCode(of what ended)", in.ExchangeCode(ctx, store.Exchange{Grant: found.Grant, Hash: hash("code"), Version: found.Version, Event: event}), store.ErrNotFound)
			if _, ok := in.RecentGrant(hash("code"), now); ok {
				t.Error("RecentGrant(that was found to have ended) = found, want it forgotten")
			}
		})
	}
}

// What is remembered of a grant is bounded.
func TestRecentGrantIsBounded(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	must(t, second(in.Code(ctx, hash("code"), ward, now)))
	long := newGrant(uuid.New())
	long.Demand, long.Claims = json.RawMessage(`{}`), strings.Repeat("a", 1<<10)
	must(t, in.AddGrant(ctx, long, hash("long"), later))
	if _, ok := in.RecentGrant(hash("long"), now); ok {
		t.Error("RecentGrant(that asked for much) = found, want it read")
	}
}
