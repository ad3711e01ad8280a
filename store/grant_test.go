package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// addRefreshToken gives Ana's grant a live refresh token.
func (in *installation) addRefreshToken(t *testing.T, token string) {
	t.Helper()
	exec(t, connect(t, in.ownerURL), `INSERT INTO refresh_token (hash, grant_id, created_at) VALUES ($1, $2, $3)`, hash(token), grantID, now)
}

// exchange is that of a code or refresh token of Ana's grant for tokens, with a refresh token or, for "", without.
func exchange(ctx context.Context, t *testing.T, s *store.Store, presented, next string) store.Exchange {
	t.Helper()
	g, err := s.Grant(ctx, grantID, now)
	if err != nil {
		t.Errorf("Grant() = %v", err)
	}
	x := store.Exchange{Grant: g.Grant, Hash: hash(presented), Version: g.Version, Event: store.AuditEvent{At: now, Event: "token_issued", Actor: ward, PersonID: ana, ClientID: ward}}
	if next != "" {
		x.Next = hash(next)
	}
	return x
}

// standingGrant is a grant of Ana's as it is read, all of it standing.
func standingGrant(g store.Grant, version uuid.UUID) store.StandingGrant {
	return store.StandingGrant{Grant: g, Standing: standingAna(), Version: version}
}

func TestExchangeCode(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	exec(t, connect(t, in.ownerURL), `DELETE FROM refresh_token`)
	for range 2 { // reading spends nothing
		got, err := in.Code(ctx, hash("code"), ward, now)
		must(t, err)
		same(t, "Code()", got, standingGrant(newGrant(grantID), got.Version))
	}
	is(t, "RevokeGrantOfCode(unused)", second(in.RevokeGrantOfCode(ctx, hash("code"), ward, now)), store.ErrNotFound)
	must(t, in.ExchangeCode(ctx, exchange(ctx, t, in.Store, "code", "next")))
	must(t, second(in.RefreshToken(ctx, hash("next"), ward, now)))
	is(t, "Code(used)", second(in.Code(ctx, hash("code"), ward, now)), store.ErrNotFound)
	is(t, "ExchangeCode(used)", in.ExchangeCode(ctx, exchange(ctx, t, in.Store, "code", "another")), store.ErrNotFound)
	is(t, "UseCode(used)", in.UseCode(ctx, hash("code"), now), store.ErrNotFound)

	is(t, "RevokeGrantOfCode(another client's)", second(in.RevokeGrantOfCode(ctx, hash("code"), "another", now)), store.ErrNotFound)
	for range 2 { // who reuses it again is told again
		revoked, err := in.RevokeGrantOfCode(ctx, hash("code"), ward, now)
		must(t, err)
		same(t, "RevokeGrantOfCode()", revoked, newGrant(grantID))
	}
	revokedIsDead(t, in)
}

func TestExchangeRefreshToken(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	for _, tt := range []struct{ token, next string }{{"refresh", "second"}, {"second", "third"}} {
		for range 2 { // reading spends nothing
			got, err := in.RefreshToken(ctx, hash(tt.token), ward, now)
			must(t, err)
			same(t, "RefreshToken()", got, standingGrant(newGrant(grantID), got.Version))
		}
		must(t, in.ExchangeRefreshToken(ctx, exchange(ctx, t, in.Store, tt.token, tt.next)))
		is(t, "RefreshToken(used)", second(in.RefreshToken(ctx, hash(tt.token), ward, now)), store.ErrNotFound)
		is(t, "ExchangeRefreshToken(used)", in.ExchangeRefreshToken(ctx, exchange(ctx, t, in.Store, tt.token, "another")), store.ErrNotFound)
		is(t, "UseRefreshToken(used)", in.UseRefreshToken(ctx, hash(tt.token), now), store.ErrNotFound)
	}
	is(t, "RevokeGrantOfRefreshToken(another client's)", second(in.RevokeGrantOfRefreshToken(ctx, hash("refresh"), "another", now)), store.ErrNotFound)
	is(t, "RevokeGrantOfRefreshToken(live)", second(in.RevokeGrantOfRefreshToken(ctx, hash("third"), ward, now)), store.ErrNotFound)
	for _, token := range []string{"refresh", "second"} { // however old the token is
		revoked, err := in.RevokeGrantOfRefreshToken(ctx, hash(token), ward, now)
		must(t, err)
		same(t, "RevokeGrantOfRefreshToken()", revoked, newGrant(grantID))
	}
	is(t, "RefreshToken(of a revoked grant)", second(in.RefreshToken(ctx, hash("third"), ward, now)), store.ErrNotFound)
	revokedIsDead(t, in)
}

// An exchange without a refresh token leaves none, and one that is refused for nothing leaves nothing.
func TestExchangeForNoRefreshToken(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	must(t, in.ExchangeCode(ctx, exchange(ctx, t, in.Store, "code", "")))
	must(t, in.UseRefreshToken(ctx, hash("refresh"), now))
	if n := value[int](t, connect(t, in.ownerURL), `SELECT count(*)::int FROM refresh_token WHERE used_at IS NULL`); n != 0 {
		t.Errorf("live refresh tokens = %d, want 0", n)
	}
}

// Whatever ends between the read of a grant and the exchange that rests on it, nothing is issued, spent or recorded.
func TestExchangeOfWhatEndedMeanwhile(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(ctx context.Context, in *installation) error{
		"the grant is revoked": func(ctx context.Context, in *installation) error { return in.RevokeGrant(ctx, grantID, now) },
		"the session ends":     func(ctx context.Context, in *installation) error { return in.EndSession(ctx, sessionID, now) },
		"the client is disabled": func(ctx context.Context, in *installation) error {
			return in.DisableClient(ctx, ward, now)
		},
		"the person is disabled": func(ctx context.Context, in *installation) error {
			return second(in.DisablePerson(ctx, ana, now))
		},
		"the role ends": func(ctx context.Context, in *installation) error { return second(in.EndRole(ctx, anaRole, now)) },
		"the authenticator is revoked": func(ctx context.Context, in *installation) error {
			return second(in.ChangeAuthenticator(ctx, authenticatorID, "active", "revoked", now))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, ctx := newInstallation(t), t.Context()
			code, refresh := exchange(ctx, t, in.Store, "code", ""), exchange(ctx, t, in.Store, "refresh", "next")
			must(t, end(ctx, in))
			is(t, "ExchangeCode(of what ended)", in.ExchangeCode(ctx, code), store.ErrNotFound)
			is(t, "ExchangeRefreshToken(of what ended)", in.ExchangeRefreshToken(ctx, refresh), store.ErrNotFound)
			owner := connect(t, in.ownerURL)
			if n := value[int](t, owner, `SELECT count(*)::int FROM audit_event`); n != 0 {
				t.Errorf("events = %d, want 0", n)
			}
			if n := value[int](t, owner, `SELECT (SELECT count(used_at) FROM refresh_token)::int + (SELECT count(code_used_at) FROM authorization_grant)::int`); n != 0 {
				t.Errorf("codes and refresh tokens that were spent = %d, want 0", n)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) { // the twin
		t.Parallel()
		in, ctx := newInstallation(t), t.Context()
		code, refresh := exchange(ctx, t, in.Store, "code", ""), exchange(ctx, t, in.Store, "refresh", "next")
		must(t, in.TouchSession(ctx, sessionID, later.Add(time.Minute)))
		must(t, in.ExchangeCode(ctx, code))
		must(t, in.ExchangeRefreshToken(ctx, refresh))
		events, err := in.AuditEvents(ctx, 0, 10)
		must(t, err)
		want := refresh.Event
		want.GrantID = new(grantID)
		want.Detail = map[string]string{}
		for i := range events {
			events[i].Sequence = 0
		}
		same(t, "AuditEvents()", events, []store.AuditEvent{want, want})
	})
}

func TestRevokeGrant(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	got, err := in.Grant(ctx, grantID, now)
	must(t, err)
	same(t, "Grant()", got, standingGrant(newGrant(grantID), got.Version))
	must(t, in.RevokeGrant(ctx, grantID, now))
	must(t, in.RevokeGrant(ctx, grantID, later)) // stays as it was
	if got := value[time.Time](t, connect(t, in.ownerURL), `SELECT revoked_at FROM authorization_grant`); !got.Equal(now) {
		t.Errorf("revoked_at = %v, want %v", got, now)
	}
	revokedIsDead(t, in)
}

// revokedIsDead checks that nothing of the grant works, and that another grant does.
func revokedIsDead(t *testing.T, in *installation) {
	t.Helper()
	ctx := t.Context()
	is(t, "Grant(revoked)", second(in.Grant(ctx, grantID, now)), store.ErrNotFound)
	is(t, "Code(of a revoked grant)", second(in.Code(ctx, hash("code"), ward, now)), store.ErrNotFound)
	is(t, "UseCode(of a revoked grant)", in.UseCode(ctx, hash("code"), now), store.ErrNotFound)
	is(t, "RefreshToken(of a revoked grant)", second(in.RefreshToken(ctx, hash("refresh"), ward, now)), store.ErrNotFound)
	is(t, "UseRefreshToken(of a revoked grant)", in.UseRefreshToken(ctx, hash("refresh"), now), store.ErrNotFound)
	other := newGrant(uuid.New())
	other.RoleID = nil
	must(t, in.AddGrant(ctx, other, hash("other code"), later))
	got, err := in.Code(ctx, hash("other code"), ward, now)
	must(t, err)
	same(t, "Code(of another grant)", got, standingGrant(other, got.Version))
}
