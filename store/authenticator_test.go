package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

func TestCredential(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	want := store.Credential{Authenticator: newAuthenticator(authenticatorID, "credential"), Handle: hash("handle " + ana), Standing: standingAna()}
	client := ""
	read := func() {
		t.Helper()
		got, err := in.Credential(ctx, []byte("credential"), client, now)
		must(t, err)
		same(t, "Credential()", got, want)
	}
	read()
	client = ward
	read()
	must(t, in.UseAuthenticator(ctx, authenticatorID, 8, true, later))
	want.SignCount, want.BackupState, want.LastUsedAt = 8, true, &later
	read()
	must(t, second(in.DisablePerson(ctx, ana, now)))
	want.PersonStands = false
	read()
	must(t, second(in.RevokeAuthenticator(ctx, authenticatorID, now)))
	want.RevokedAt, want.AuthenticatorStands = &now, false
	read()
	client, want.ClientStands = "nobody", false
	read()
}

func TestRevokeAuthenticator(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	other := newAuthenticator(uuid.New(), "other")
	other.Transports, other.CreatedAt = nil, later
	must(t, in.AddAuthenticator(ctx, other))
	other.Transports = []string{}
	s := newSession(uuid.New(), ana)
	s.AuthenticatorID = &other.ID
	must(t, second(in.BeginSession(ctx, s, nil, hash("other cookie"), now)))

	at := now.Add(time.Minute)
	fallout, err := in.RevokeAuthenticator(ctx, authenticatorID, at)
	must(t, err)
	same(t, "RevokeAuthenticator()", fallout, store.Fallout{PersonID: ana, Sessions: []uuid.UUID{sessionID}})
	is(t, "RevokeAuthenticator(again)", second(in.RevokeAuthenticator(ctx, authenticatorID, at)), store.ErrNotFound)
	if got, err := in.Grant(ctx, grantID, at); err != nil || got.AuthenticatorStands {
		t.Errorf("Grant(of a sign-in with it) = authenticator stands %t, %v, want false", got.AuthenticatorStands, err)
	}
	is(t, "Session(begun with it)", second(in.Session(ctx, hash("cookie"), "", at)), store.ErrNotFound)
	is(t, "Session(begun with another)", second(in.Session(ctx, hash("other cookie"), "", at)), nil)
	is(t, "AddAuthenticator(a credential that was revoked)", in.AddAuthenticator(ctx, newAuthenticator(uuid.New(), "credential")), store.ErrConflict)

	revoked := newAuthenticator(authenticatorID, "credential")
	revoked.RevokedAt = &at
	for asked, want := range map[bool][]store.Authenticator{false: {other}, true: {revoked, other}} {
		got, err := in.Authenticators(ctx, ana, asked)
		must(t, err)
		same(t, "Authenticators()", got, want)
	}
}

func TestEnrolmentLink(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	want := store.Enrolment{Handle: hash("handle " + ana), ExpiresAt: later, Standing: standingAna()}
	read := func() {
		t.Helper()
		got, err := in.EnrolmentLink(ctx, hash("link"), now)
		must(t, err)
		same(t, "EnrolmentLink()", got, want)
	}
	read()
	read() // to read it was not to spend it
	if person, err := in.UseEnrolmentLink(ctx, hash("link"), now); err != nil || person != ana {
		t.Errorf("UseEnrolmentLink() = %q, %v, want %q", person, err, ana)
	}
	want.UsedAt = &now
	read()
	is(t, "UseEnrolmentLink(again)", second(in.UseEnrolmentLink(ctx, hash("link"), now)), store.ErrNotFound)
}

func TestUseChallenge(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	oneWins(t, "UseChallenge", store.ErrReplayed, func(int) error { return in.UseChallenge(ctx, hash("challenge"), later) })
	err := in.InTx(ctx, func(tx *store.Tx) error {
		is(t, "UseChallenge(held back)", tx.UseChallenge(ctx, hash("challenge"), later), nil)
		return second(tx.Person(ctx, ana, now))
	})
	is(t, "InTx(a challenge that was answered before)", err, store.ErrReplayed)
}
