package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// newSecret is one of Ana's.
func newSecret(kind string) store.Secret {
	s := store.Secret{ID: uuid.New(), PersonID: ana, Name: "Hers", Kind: kind, Sealed: []byte("sealed"), CreatedAt: now}
	if kind == "totp" {
		s.LastStep = new(int64(7))
	}
	return s
}

func TestSecrets(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	password, app := newSecret("password"), newSecret("totp")
	password.CreatedAt, app.CreatedAt = now.Add(time.Second), now.Add(2*time.Second)
	must(t, in.AddSecret(ctx, password))
	must(t, in.AddSecret(ctx, app))
	read := func(want ...store.Secret) {
		t.Helper()
		got, err := in.Secrets(ctx, ana)
		must(t, err)
		same(t, "Secrets()", got, want)
	}
	read(password, app)
	if got, err := in.Secrets(ctx, ben); err != nil || len(got) > 0 {
		t.Errorf("Secrets(of another) = %v, %v, want none", got, err)
	}
	if got, err := in.Authenticators(ctx, ana, false); err != nil || len(got) != 3 || got[0].CredentialID == nil || got[1].CredentialID != nil {
		t.Errorf("Authenticators() = %v, %v, want the key and both secrets", got, err)
	}
	is(t, "AddSecret(a second password)", in.AddSecret(ctx, newSecret("password")), store.ErrConflict)
	must(t, in.AddSecret(ctx, store.Secret{ID: uuid.New(), PersonID: ben, Name: "His", Kind: "password", Sealed: []byte("sealed"), CreatedAt: now}))

	for range 2 {
		must(t, in.CountFailedAttempt(ctx, password.ID))
	}
	password.FailedAttempts = 2
	read(password, app)
	is(t, "UsePassword(with which too many failed)", in.UsePassword(ctx, password.ID, 2, now), store.ErrNotFound)
	must(t, in.UsePassword(ctx, password.ID, 3, now))
	password.FailedAttempts = 0
	read(password, app)

	is(t, "UseOneTimeCode(of the step before)", in.UseOneTimeCode(ctx, app.ID, 6, now), store.ErrNotFound)
	is(t, "UseOneTimeCode(of the same step)", in.UseOneTimeCode(ctx, app.ID, 7, now), store.ErrNotFound)
	must(t, in.UseOneTimeCode(ctx, app.ID, 8, now))
	app.LastStep = new(int64(8))
	must(t, in.ReplaceSealed(ctx, app.ID, []byte("sealed anew")))
	app.Sealed = []byte("sealed anew")
	read(password, app)

	must(t, second(in.ChangeAuthenticator(ctx, password.ID, "active", "revoked", later)))
	is(t, "UsePassword(revoked)", in.UsePassword(ctx, password.ID, 3, now), store.ErrNotFound)
	must(t, second(in.ChangeAuthenticator(ctx, app.ID, "active", "revoked", later)))
	is(t, "UseOneTimeCode(revoked)", in.UseOneTimeCode(ctx, app.ID, 9, now), store.ErrNotFound)
	read([]store.Secret{}...)
	must(t, in.AddSecret(ctx, newSecret("password")))
}

// What is neither a WebAuthn credential nor a secret, or both, is refused.
func TestAuthenticatorIsOfOneForm(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	for _, tt := range []struct {
		name, constraint string
		change           func(*store.Secret)
	}{
		{"a password without a hash", "authenticator_of_one_form", func(s *store.Secret) { s.Sealed = nil }},
		{"a password with a time step", "authenticator_steps_of_codes", func(s *store.Secret) { s.LastStep = new(int64(1)) }},
		{"an app without a time step", "authenticator_steps_of_codes", func(s *store.Secret) { s.Kind = "totp" }},
		{"a passkey without a key", "authenticator_of_one_form", func(s *store.Secret) { s.Kind = "passkey" }},
		{"another kind", "authenticator_kind_known", func(s *store.Secret) { s.Kind = "sms" }},
		{"a secret that is too long", "authenticator_secret_length", func(s *store.Secret) { s.Sealed = make([]byte, 513) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newSecret("password")
			tt.change(&s)
			if err := in.AddSecret(ctx, s); !errors.Is(err, store.ErrReference) || !strings.HasPrefix(err.Error(), tt.constraint) {
				t.Errorf("AddSecret() = %v, want %s refused", err, tt.constraint)
			}
		})
	}
	is(t, "AddSecret(of nobody)", in.AddSecret(ctx, store.Secret{ID: uuid.New(), PersonID: "100000000009", Name: "x", Kind: "password", Sealed: []byte("x"), CreatedAt: now}), store.ErrReference)
}

// RFC 6238, Section 5.2: a code is taken once, also by all at once.
func TestOneTimeCodeIsUsedOnce(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	app := newSecret("totp")
	must(t, in.AddSecret(ctx, app))
	results := make(chan error, 16)
	var wg sync.WaitGroup
	for range cap(results) {
		wg.Go(func() { results <- in.UseOneTimeCode(ctx, app.ID, 8, now) })
	}
	wg.Wait()
	close(results)
	won := 0
	for err := range results {
		if err == nil {
			won++
		} else if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("UseOneTimeCode() = %v, want nil or %v", err, store.ErrNotFound)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d uses of a code win, want 1", won, cap(results))
	}
}

// A password that is revoked while a sign-in with it and an app is under way ends the session that this begins.
func TestRevokedPasswordEndsTheSessionThatIsBegun(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	password, app := newSecret("password"), newSecret("totp")
	must(t, in.AddSecret(ctx, password))
	must(t, in.AddSecret(ctx, app))
	conn := connect(t, in.ownerURL)
	s := newSession(uuid.New(), ana)
	s.AuthenticatorID, s.Methods = &app.ID, []string{"pwd", "otp", "mfa"}
	ended := make(chan []uuid.UUID, 1)
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.UsePassword(ctx, password.ID, 50, now); err != nil {
			return err
		}
		go func() {
			var fallout store.Fallout
			err := in.InTx(context.WithoutCancel(ctx), func(tx *store.Tx) error {
				_, err := tx.LockAuthenticator(ctx, password.ID)
				if err == nil {
					fallout, err = tx.ChangeAuthenticator(ctx, password.ID, "active", "revoked", later)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
			ended <- fallout.Sessions
		}()
		for value[int](t, conn, `SELECT count(*)::int FROM pg_locks WHERE NOT granted`) == 0 { //nolint:contextcheck // it takes that of the test
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		return tx.AddSession(ctx, s, hash("hers"), now)
	}))
	same(t, "sessions that the revocation ended", <-ended, []uuid.UUID{s.ID})
	is(t, "Session(of the password)", second(in.Session(ctx, hash("hers"), "", now)), store.ErrNotFound)
	is(t, "Session(of the key)", second(in.Session(ctx, hash("cookie"), "", now)), nil)
}

// Secrets are listed to be sealed anew, by the page, revoked ones too.
func TestLockSecrets(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	var want []uuid.UUID
	for _, kind := range []string{"password", "totp", "totp"} {
		s := newSecret(kind)
		must(t, in.AddSecret(ctx, s))
		want = append(want, s.ID)
	}
	must(t, second(in.ChangeAuthenticator(ctx, want[0], "active", "revoked", later)))
	got := map[uuid.UUID]bool{}
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		for after := uuid.Nil; ; {
			list, err := tx.LockSecrets(ctx, after, 2)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, s := range list {
				got[s.ID], after = true, s.ID
			}
		}
	}))
	same(t, "LockSecrets()", got, map[uuid.UUID]bool{want[0]: true, want[1]: true, want[2]: true})
}

// What the release before cannot read goes with its migration, with what rests on it and nothing else.
func TestMigrateDownWithSecrets(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	password, app := newSecret("password"), newSecret("totp")
	must(t, in.AddSecret(ctx, password))
	must(t, in.AddSecret(ctx, app))
	s := newSession(uuid.New(), ana)
	s.AuthenticatorID, s.Methods = &app.ID, []string{"pwd", "otp", "mfa"}
	must(t, in.AddSession(ctx, s, hash("hers"), now))
	g := newGrant(uuid.New())
	g.SessionID, g.AuthenticatorID = s.ID, &app.ID
	must(t, in.AddGrant(ctx, g, hash("her code"), later))
	conn := connect(t, in.ownerURL)
	latest := value[int](t, conn, `SELECT version::int FROM schema_migrations`)
	must(t, store.MigrateDown(ctx, in.ownerURL, latest-17))
	for table, want := range map[string]int{"authenticator": 1, "session": 1, "authorization_grant": 1} {
		if got := value[int](t, conn, `SELECT count(*)::int FROM `+table); got != want {
			t.Errorf("rows of %s = %d, want %d", table, got, want)
		}
	}
	must(t, store.MigrateUp(ctx, in.ownerURL))
	if got, err := in.Authenticators(ctx, ana, true); err != nil || len(got) != 1 {
		t.Errorf("Authenticators() = %v, %v, want the key", got, err)
	}
}
