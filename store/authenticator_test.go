package store_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

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
	must(t, second(in.ChangeAuthenticator(ctx, authenticatorID, "active", "revoked", now)))
	want.State, want.RevokedAt, want.AuthenticatorStands = "revoked", &now, false
	read()
	client, want.ClientStands = "nobody", false
	read()
}

// Of more than are listed the oldest are left out, and none that is active before one that is not.
func TestAuthenticatorsListsWhatIsActive(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	exec(t, connect(t, in.ownerURL), `
		INSERT INTO authenticator (id, person_id, name, kind, credential_id, public_key, sign_count, aaguid, transports,
			backup_eligible, backup_state, attestation_format, attestation_object, client_data, attestation_verdict, created_at, state, revoked_at)
		SELECT gen_random_uuid(), person_id, n::text, kind, sha256(n::text::bytea), public_key, sign_count, aaguid, transports,
			backup_eligible, backup_state, attestation_format, attestation_object, client_data, attestation_verdict, created_at + n * interval '1 minute', 'revoked', created_at
		FROM authenticator, generate_series(1, 120) n WHERE id = '`+authenticatorID.String()+`'`)
	list, err := in.Authenticators(ctx, ana, true)
	must(t, err)
	if len(list) != 100 || list[0].ID != authenticatorID || list[1].Name != "22" || list[99].Name != "120" {
		t.Errorf("Authenticators() = %d from %s and %s to %s, want the active one and the 99 newest", len(list), list[0].ID, list[1].Name, list[len(list)-1].Name)
	}
}

func TestChangeAuthenticator(t *testing.T) {
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
	fallout, err := in.ChangeAuthenticator(ctx, authenticatorID, "active", "revoked", at)
	must(t, err)
	same(t, "ChangeAuthenticator()", fallout, store.Fallout{PersonID: ana, Sessions: []uuid.UUID{sessionID}})
	is(t, "ChangeAuthenticator(again)", second(in.ChangeAuthenticator(ctx, authenticatorID, "active", "revoked", at)), store.ErrNotFound)
	if got, err := in.Grant(ctx, grantID, at); err != nil || got.AuthenticatorStands {
		t.Errorf("Grant(of a sign-in with it) = authenticator stands %t, %v, want false", got.AuthenticatorStands, err)
	}
	is(t, "Session(begun with it)", second(in.Session(ctx, hash("cookie"), "", at)), store.ErrNotFound)
	is(t, "Session(begun with another)", second(in.Session(ctx, hash("other cookie"), "", at)), nil)
	is(t, "AddAuthenticator(a credential that was revoked)", in.AddAuthenticator(ctx, newAuthenticator(uuid.New(), "credential")), store.ErrConflict)

	revoked := newAuthenticator(authenticatorID, "credential")
	revoked.State, revoked.RevokedAt = "revoked", &at
	for asked, want := range map[bool][]store.Authenticator{false: {other}, true: {revoked, other}} {
		got, err := in.Authenticators(ctx, ana, asked)
		must(t, err)
		same(t, "Authenticators()", got, want)
	}
}

// What is not active stands no more at once, also where its owner's record is in memory, and stands again when it is active.
// Sessions that ended stay ended.
func TestAuthenticatorStandsWhileActive(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	other := open(t, in.serviceURL, nil)
	state := "active"
	for _, to := range []string{"suspended", "active", "lost", "active", "suspended", "lost", "returned", "revoked"} {
		must(t, second(other.Credential(ctx, []byte("credential"), "", now))) // so that it has her record in memory
		must(t, second(in.ChangeAuthenticator(ctx, authenticatorID, state, to, now)))
		state = to
		got, err := other.Credential(ctx, []byte("credential"), "", now)
		must(t, err)
		if got.State != to || got.AuthenticatorStands != (to == "active") || (got.RevokedAt == nil) != (to == "active") {
			t.Errorf("Credential(%s) = %s, stands %t, not active since %v", to, got.State, got.AuthenticatorStands, got.RevokedAt)
		}
		if list, err := other.Authenticators(ctx, ana, false); err != nil || (len(list) == 1) != (to == "active") {
			t.Errorf("Authenticators(%s) = %d, %v", to, len(list), err)
		}
		is(t, "Session(begun with it)", second(other.Session(ctx, hash("cookie"), "", now)), store.ErrNotFound)
	}
}

// A replica of the release before knows no states.
func TestAuthenticatorStateOfTheReleaseBefore(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	conn := connect(t, in.serviceURL)
	state := func() string {
		t.Helper()
		got, err := in.Credential(ctx, []byte("credential"), "", now)
		must(t, err)
		return got.State
	}
	must(t, second(in.ChangeAuthenticator(ctx, authenticatorID, "active", "suspended", now)))
	const revoke, list = `UPDATE authenticator SET revoked_at = now() WHERE revoked_at IS NULL`, `SELECT count(*)::int FROM authenticator WHERE revoked_at IS NULL`
	exec(t, conn, revoke)
	if n := value[int](t, conn, list); n != 0 || state() != "suspended" {
		t.Errorf("suspended: not revoked = %d, state %s, want none and suspended", n, state())
	}
	must(t, second(in.ChangeAuthenticator(ctx, authenticatorID, "suspended", "active", now)))
	if n := value[int](t, conn, list); n != 1 {
		t.Errorf("active: not revoked = %d, want it", n)
	}
	exec(t, conn, revoke)
	if state() != "revoked" {
		t.Errorf("state of what it revoked = %s, want revoked", state())
	}
	for what, statement := range map[string]string{
		"authenticator_revoked_for_good": `UPDATE authenticator SET state = 'active', revoked_at = NULL`,
		"authenticator_active_or_not":    `UPDATE authenticator SET revoked_at = NULL`,
		"authenticator_state_known":      `UPDATE authenticator SET state = 'blue'`,
	} {
		_, err := conn.Exec(ctx, statement)
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != what && what != "authenticator_state_known" {
			t.Errorf("%s = %v, want %s", statement, err, what)
		}
	}
}

// A link that takes a code is used only when it was given, whoever uses it, and no more wrong codes are tried than are allowed.
func TestEnrolmentLinkWithCode(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	link := func(name string) []byte {
		t.Helper()
		must(t, in.AddEnrolmentLink(ctx, hash(name), hash("code"), ana, now, later))
		return hash(name)
	}
	right, wrong := [][]byte{hash("other key"), hash("code")}, [][]byte{hash("wrong")}
	given := link("given")
	if got, err := in.EnrolmentLink(ctx, given, now); err != nil || !got.TakesCode || got.WrongCodes != 0 {
		t.Errorf("EnrolmentLink() = %+v, %v, want one that takes a code", got, err)
	}
	is(t, "UseEnrolmentLink(without its code)", second(in.UseEnrolmentLink(ctx, given, 3, 5, now)), store.ErrNotFound)
	_, err := connect(t, in.serviceURL).Exec(ctx, `UPDATE enrolment_link SET used_at = now() WHERE hash = $1`, given)
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != "enrolment_link_used_with_its_code" {
		t.Errorf("use of it by a replica of the release before = %v, want it refused", err)
	}
	for _, tt := range []struct {
		codes [][]byte
		want  bool
	}{{wrong, false}, {right, true}, {wrong, false}} {
		if got, err := in.GiveCode(ctx, given, tt.codes, 5, now); err != nil || got != tt.want {
			t.Errorf("GiveCode() = %t, %v, want %t", got, err, tt.want)
		}
	}
	must(t, second(in.UseEnrolmentLink(ctx, given, 3, 5, now)))
	is(t, "GiveCode(of a used link)", second(in.GiveCode(ctx, given, right, 5, now)), store.ErrNotFound)
	is(t, "GiveCode(of an expired link)", second(in.GiveCode(ctx, link("expired"), right, 5, later)), store.ErrNotFound)
	is(t, "GiveCode(of a link that takes none)", second(in.GiveCode(ctx, hash("link"), right, 5, now)), store.ErrNotFound)

	guessed := link("guessed")
	must(t, second(in.GiveCode(ctx, guessed, right, 5, now)))
	var tried atomic.Int32
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			_, err := in.GiveCode(ctx, guessed, wrong, 5, now)
			if err == nil {
				tried.Add(1)
			} else if !errors.Is(err, store.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if tried.Load() != 5 {
		t.Errorf("wrong codes tried = %d, want 5", tried.Load())
	}
	is(t, "GiveCode(the right one, after five wrong ones)", second(in.GiveCode(ctx, guessed, right, 5, now)), store.ErrNotFound)
	is(t, "UseEnrolmentLink(after five wrong codes)", second(in.UseEnrolmentLink(ctx, guessed, 3, 5, now)), store.ErrNotFound)
}

func TestEnrolmentLink(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	want := store.Enrolment{ExpiresAt: later, Standing: standingAna()}
	read := func() {
		t.Helper()
		got, err := in.EnrolmentLink(ctx, hash("link"), now)
		must(t, err)
		same(t, "EnrolmentLink()", got, want)
	}
	read()
	read() // to read it was not to spend it
	if person, err := in.UseEnrolmentLink(ctx, hash("link"), 3, 5, now); err != nil || person != ana {
		t.Errorf("UseEnrolmentLink() = %q, %v, want %q", person, err, ana)
	}
	want.UsedAt = &now
	read()
	is(t, "UseEnrolmentLink(again)", second(in.UseEnrolmentLink(ctx, hash("link"), 3, 5, now)), store.ErrNotFound)
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
