package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

func TestUseCode(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	got, err := in.UseCode(ctx, hash("code"), ward, now)
	must(t, err)
	same(t, "UseCode()", got, store.StandingGrant{Grant: newGrant(grantID), Standing: standingAna()})
	is(t, "UseCode(again)", second(in.UseCode(ctx, hash("code"), ward, now)), store.ErrNotFound)

	is(t, "RevokeGrantOfCode(another client's)", second(in.RevokeGrantOfCode(ctx, hash("code"), "another", now)), store.ErrNotFound)
	for range 2 { // who reuses it again is told again
		revoked, err := in.RevokeGrantOfCode(ctx, hash("code"), ward, now)
		must(t, err)
		same(t, "RevokeGrantOfCode()", revoked, newGrant(grantID))
	}
	revokedIsDead(t, in)
}

func TestUseRefreshToken(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	want := store.StandingGrant{Grant: newGrant(grantID), Standing: standingAna()}
	for _, token := range []string{"refresh", "second"} {
		got, err := in.UseRefreshToken(ctx, hash(token), ward, now)
		must(t, err)
		same(t, "UseRefreshToken()", got, want)
		is(t, "UseRefreshToken(again)", second(in.UseRefreshToken(ctx, hash(token), ward, now)), store.ErrNotFound)
		must(t, in.AddRefreshToken(ctx, hash(map[string]string{"refresh": "second", "second": "third"}[token]), grantID, now))
	}
	is(t, "RevokeGrantOfRefreshToken(another client's)", second(in.RevokeGrantOfRefreshToken(ctx, hash("refresh"), "another", now)), store.ErrNotFound)
	is(t, "RevokeGrantOfRefreshToken(live)", second(in.RevokeGrantOfRefreshToken(ctx, hash("third"), ward, now)), store.ErrNotFound)
	for _, token := range []string{"refresh", "second"} { // however old the token is
		revoked, err := in.RevokeGrantOfRefreshToken(ctx, hash(token), ward, now)
		must(t, err)
		same(t, "RevokeGrantOfRefreshToken()", revoked, newGrant(grantID))
	}
	is(t, "UseRefreshToken(of a revoked grant)", second(in.UseRefreshToken(ctx, hash("third"), ward, now)), store.ErrNotFound)
	revokedIsDead(t, in)
}

func TestRevokeGrant(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	got, err := in.Grant(ctx, grantID, now)
	must(t, err)
	same(t, "Grant()", got, store.StandingGrant{Grant: newGrant(grantID), Standing: standingAna()})
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
	is(t, "UseCode(of a revoked grant)", second(in.UseCode(ctx, hash("code"), ward, now)), store.ErrNotFound)
	is(t, "UseRefreshToken(of a revoked grant)", second(in.UseRefreshToken(ctx, hash("refresh"), ward, now)), store.ErrNotFound)
	other := newGrant(uuid.New())
	other.RoleID = nil
	must(t, in.AddGrant(ctx, other, hash("other code"), later))
	got, err := in.UseCode(ctx, hash("other code"), ward, now)
	must(t, err)
	same(t, "UseCode(of another grant)", got, store.StandingGrant{Grant: other, Standing: standingAna()})
}
