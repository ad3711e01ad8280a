package store_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

// The time in these tests, and the rows that newInstallation makes.
var (
	now   = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	later = now.Add(time.Hour)

	sessionID       = uuid.MustParse("11111111-1111-4111-8111-111111111111")
	authenticatorID = uuid.MustParse("22222222-2222-4222-8222-222222222222")
	grantID         = uuid.MustParse("33333333-3333-4333-8333-333333333333")
)

const (
	ana           = "100000000001"
	ben           = "100000000002"
	organisation  = "RXX01"
	anaMembership = "200000000001"
	benMembership = "200000000002"
	anaRole       = "300000000001"
	benRole       = "300000000002"
	workgroup     = "400000000001"
	ward          = "ward"
)

// hash stands for the hash of a secret.
func hash(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

// installation is a database with two people, who have a role each, and a client. Ana has an authenticator, a session
// with the cookie "cookie", an enrolment link "link" and a grant with the code "code" and the refresh token "refresh".
// All of it lasts until later.
type installation struct {
	*store.Store // connected as the service

	ownerURL, serviceURL string
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	in, ctx := &installation{}, t.Context()
	in.ownerURL, in.serviceURL = storetest.URLs(t)
	in.Store = open(t, in.serviceURL, nil)
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: organisation, Name: "Riverside"}, now))
	must(t, in.AddWorkgroup(ctx, store.Workgroup{ID: workgroup, Name: "Night team"}))
	for _, p := range []struct{ person, membership, role string }{{ana, anaMembership, anaRole}, {ben, benMembership, benRole}} {
		must(t, in.AddPerson(ctx, newPerson(p.person), now))
		_, err := in.EnsureMembership(ctx, p.membership, p.person, organisation, now)
		must(t, err)
		must(t, in.AddRole(ctx, newRole(p.role, p.membership), now))
	}
	must(t, in.AddClient(ctx, newClient(ward)))
	must(t, in.AddAuthenticator(ctx, newAuthenticator(authenticatorID, "credential")))
	must(t, in.AddEnrolmentLink(ctx, hash("link"), nil, ana, now, later))
	must(t, in.AddSession(ctx, newSession(sessionID, ana), hash("cookie"), now))
	must(t, in.AddGrant(ctx, newGrant(grantID), hash("code"), later))
	in.addRefreshToken(t, "refresh")
	return in
}

func newPerson(id string) store.NewPerson {
	return store.NewPerson{
		ID: id, Handle: hash("handle " + id), Title: "Dr", GivenName: "Ana", MiddleNames: "Maria", FamilyName: "Ng", DisplayName: "Ana Ng",
		Email: "ana@example.org", DateOfBirth: new(time.Date(1980, 2, 29, 0, 0, 0, 0, time.UTC)), IdentityLevel: "high",
		Registrations: []store.Registration{{Body: "gmc", Number: "1234567"}, {Body: "nmc", Number: "12A3456E"}},
	}
}

func newRole(id, membership string) store.NewRole {
	return store.NewRole{
		ID: id, MembershipID: membership, JobRole: "S8000:G8000:R8000", AreasOfWork: []string{"P1:Q1:T1"},
		Activities: []string{"B0420", "B0001"}, Workgroups: []string{workgroup}, StartsAt: now, EndsAt: &later,
	}
}

func newClient(id string) store.Client {
	return store.Client{
		ID: id, Name: "Ward list", Authentication: "client_secret_basic", SecretHash: hash("secret"),
		RedirectURIs: []string{"https://rp.example.org/callback"}, PostLogoutRedirectURIs: []string{}, Scopes: []string{"openid"},
		IDTokenAlg: "RS256", DefaultACRValues: []string{}, MinimumAuthenticatorLevel: 1, MinimumIdentityLevel: "none", CreatedAt: now,
	}
}

// newAuthenticator is one of Ana's.
func newAuthenticator(id uuid.UUID, credential string) store.Authenticator {
	return store.Authenticator{
		ID: id, PersonID: ana, Name: "Blue key", Kind: "security-key", CredentialID: []byte(credential), PublicKey: []byte("public"),
		SignCount: 7, AAGUID: uuid.MustParse("44444444-4444-4444-8444-444444444444"), Transports: []string{"usb", "nfc"},
		BackupEligible: true, AttestationFormat: "packed", AttestationObject: []byte("object"), ClientData: []byte("{}"), AttestationVerdict: "untrusted", CreatedAt: now,
		State: "active",
	}
}

func newSession(id uuid.UUID, person string) store.Session {
	s := store.Session{
		ID: id, PersonID: person, AuthenticatorLevel: 2, Methods: []string{"pop", "mfa"}, AuthenticatedAt: now, IdleAt: later, ExpiresAt: later,
	}
	if person == ana {
		s.AuthenticatorID, s.RoleID, s.RoleChosenAt = &authenticatorID, new(anaRole), &now
	}
	return s
}

// newGrant is one of Ana's session to the client.
func newGrant(id uuid.UUID) store.Grant {
	return store.Grant{
		ID: id, ClientID: ward, PersonID: ana, SessionID: sessionID, AuthenticatorID: &authenticatorID, RoleID: new(anaRole), Scopes: []string{"openid"},
		RedirectURI: "https://rp.example.org/callback", Nonce: "n", AuthenticatorLevel: 2, Methods: []string{"pop", "mfa"},
		AuthenticatedAt: now, CodeChallenge: strings.Repeat("c", 43), CreatedAt: now, ExpiresAt: later,
	}
}

func open(t *testing.T, url string, tracer pgx.QueryTracer) *store.Store {
	t.Helper()
	s, err := store.OpenTraced(t.Context(), url, tracer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// connect is a connection of the test's own.
func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, sql string, args ...any) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql, args...); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// value is what a statement of one row and column yields.
func value[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	rows, err := conn.Query(t.Context(), sql, args...)
	must(t, err)
	got, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return got
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// is reports an error of the call that is not the wanted one.
func is(t *testing.T, call string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s = %v, want %v", call, err, want)
	}
}

// same reports how what a call returned differs from what it should have.
func same(t *testing.T, call string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", call, diff)
	}
}

// contended runs a race while the rows of a table are locked, and lets them go when several runners have found their
// row and wait for it: whoever only looked before, and not again now, is caught.
func (in *installation) contended(t *testing.T, table string, race func()) {
	t.Helper()
	holder, watcher := connect(t, in.ownerURL), connect(t, in.ownerURL)
	exec(t, holder, `BEGIN`)
	exec(t, holder, `SELECT FROM `+table+` FOR UPDATE`)
	var wg sync.WaitGroup
	wg.Go(race)
	eventually(t, "wait of several for a row of "+table, func() bool {
		return value[int](t, watcher, `SELECT count(*)::int FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT granted AND a.datname = current_database()`) >= 4
	})
	exec(t, holder, `COMMIT`)
	wg.Wait()
}

// race runs do in many goroutines at once and returns the errors, of which nil is a success.
func race(do func(i int) error) []error {
	const runners = 32
	errs := make([]error, runners)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range runners {
		wg.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	wg.Wait()
	return errs
}

// oneWins races do: one call succeeds and every other fails with the error.
func oneWins(t *testing.T, call string, want error, do func(i int) error) {
	t.Helper()
	won := 0
	for _, err := range race(do) {
		if err == nil {
			won++
			continue
		}
		is(t, "lost race of "+call, err, want)
	}
	if won != 1 {
		t.Errorf("races of %s won = %d, want 1", call, won)
	}
}

func TestSingleUse(t *testing.T) { //nolint:tparallel // the subtests take turns on one database
	t.Parallel()
	in := newInstallation(t)
	at := now.Add(time.Minute)
	must(t, in.AddSigningKey(t.Context(), newSigningKey("ES256", "first")))
	for _, tt := range []struct {
		call  string
		table string // of the row that they race for
		lost  error
		do    func(ctx context.Context, i int) error
	}{
		{"ExchangeCode", "authorization_grant", store.ErrNotFound, func(ctx context.Context, _ int) error {
			return in.ExchangeCode(ctx, exchange(ctx, t, in.Store, "code", ""))
		}},
		{"ExchangeRefreshToken", "refresh_token", store.ErrNotFound, func(ctx context.Context, i int) error {
			return in.ExchangeRefreshToken(ctx, exchange(ctx, t, in.Store, "refresh", string(rune('a'+i))))
		}},
		{"ExchangeRefreshToken or UseRefreshToken", "refresh_token", store.ErrNotFound, func(ctx context.Context, i int) error {
			if i%2 == 0 {
				return in.UseRefreshToken(ctx, hash("another"), at)
			}
			return in.ExchangeRefreshToken(ctx, exchange(ctx, t, in.Store, "another", string(rune('A'+i))))
		}},
		{"ExchangeCode or UseCode", "authorization_grant", store.ErrNotFound, func(ctx context.Context, i int) error {
			if i%2 == 0 {
				return in.UseCode(ctx, hash("another"), at)
			}
			return in.ExchangeCode(ctx, exchange(ctx, t, in.Store, "another", ""))
		}},
		{"UseEnrolmentLink", "enrolment_link", store.ErrNotFound, func(ctx context.Context, _ int) error {
			_, err := in.UseEnrolmentLink(ctx, hash("link"), 3, 5, at)
			return err
		}},
		{"AddSigningKey", "generation", store.ErrConflict, func(ctx context.Context, i int) error {
			return in.AddSigningKey(ctx, newSigningKey("RS256", string(rune('a'+i))))
		}},
		{"ReplaceSigningKey", "signing_key", store.ErrNotFound, func(ctx context.Context, i int) error {
			return in.ReplaceSigningKey(ctx, "first", later, newSigningKey("ES256", string(rune('A'+i))))
		}},
		{"ChangeAuthenticator", "authenticator", store.ErrNotFound, func(ctx context.Context, _ int) error {
			_, err := in.ChangeAuthenticator(ctx, authenticatorID, "active", "revoked", at)
			return err
		}},
		{"EndRole", "role_profile", store.ErrNotFound, func(ctx context.Context, _ int) error {
			_, err := in.EndRole(ctx, anaRole, at)
			return err
		}},
		{"DisablePerson", "person", store.ErrNotFound, func(ctx context.Context, _ int) error {
			_, err := in.DisablePerson(ctx, ben, at)
			return err
		}},
		{"DisableClient", "client", store.ErrNotFound, func(ctx context.Context, _ int) error { return in.DisableClient(ctx, ward, at) }},
	} {
		t.Run("one of many concurrent calls of "+tt.call+" wins", func(t *testing.T) {
			switch tt.call {
			case "ExchangeRefreshToken or UseRefreshToken":
				exec(t, connect(t, in.ownerURL), `DELETE FROM refresh_token`)
				in.addRefreshToken(t, "another")
			case "ExchangeCode or UseCode":
				must(t, in.AddGrant(t.Context(), newGrant(uuid.New()), hash("another"), later))
			}
			in.contended(t, tt.table, func() {
				oneWins(t, tt.call, tt.lost, func(i int) error { return tt.do(t.Context(), i) })
			})
		})
	}
}

func TestBeginSessionRace(t *testing.T) {
	t.Parallel()
	begin := func(in *installation, person string) []store.BegunSession {
		begun := make([]store.BegunSession, 32)
		in.contended(t, "session", func() {
			for _, err := range race(func(i int) (err error) {
				s := newSession(uuid.New(), person)
				begun[i], err = in.BeginSession(t.Context(), s, hash("cookie"), hash(s.ID.String()), now.Add(time.Minute))
				return err
			}) {
				is(t, "BeginSession", err, nil)
			}
		})
		return begun
	}
	t.Run("of sign-ins of one person with one cookie, one goes on with its session", func(t *testing.T) {
		t.Parallel()
		renewed := 0
		for _, b := range begin(newInstallation(t), ana) {
			if b.ID == sessionID {
				renewed++
			}
		}
		if renewed != 1 {
			t.Errorf("sessions that went on = %d, want 1", renewed)
		}
	})
	t.Run("of sign-ins of another person with one cookie, one ends its session", func(t *testing.T) {
		t.Parallel()
		ended := 0
		for _, b := range begin(newInstallation(t), ben) {
			if b.ID == sessionID {
				t.Error("a sign-in of Ben went on with Ana's session, want it ended")
			}
			if b.EndedID != nil {
				ended++
			}
		}
		if ended != 1 {
			t.Errorf("sign-ins that ended the session = %d, want 1", ended)
		}
	})
}

// Whatever a statement adds, a key that is taken and a row that is not there are told apart, by the name of the rule.
func TestRefusalsOfTheSchema(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	must(t, in.AddSigningKey(t.Context(), newSigningKey("RS256", "first")))
	must(t, in.AddOrganisation(t.Context(), store.Organisation{Code: "RXX03", Name: "Third"}, now))
	for _, tt := range []struct {
		name string
		want error
		rule string
		do   func(ctx context.Context) error
	}{
		{"a person's id is taken", store.ErrConflict, "person_pkey", func(ctx context.Context) error {
			p := newPerson(ana)
			p.Handle = hash("another")
			return in.AddPerson(ctx, p, now)
		}},
		{"a person's handle is taken", store.ErrConflict, "person_handle_key", func(ctx context.Context) error {
			p := newPerson("100000000009")
			p.Handle = newPerson(ana).Handle
			return in.AddPerson(ctx, p, now)
		}},
		{"a person has two numbers of one body", store.ErrConflict, "professional_registration_pkey", func(ctx context.Context) error {
			p := newPerson("100000000009")
			p.Registrations = []store.Registration{{Body: "gmc", Number: "1"}, {Body: "gmc", Number: "2"}}
			return in.AddPerson(ctx, p, now)
		}},
		{"a person's id is no number", store.ErrReference, "person_id_form", func(ctx context.Context) error {
			return in.AddPerson(ctx, newPerson("10000000000x"), now)
		}},
		{"a person's identity level is unknown", store.ErrReference, "person_identity_level_known", func(ctx context.Context) error {
			p := newPerson("100000000009")
			p.IdentityLevel = "3"
			return in.AddPerson(ctx, p, now)
		}},
		{"a person has no handle", store.ErrReference, "person.handle", func(ctx context.Context) error {
			p := newPerson("100000000009")
			p.Handle = nil
			return in.AddPerson(ctx, p, now)
		}},
		{"an organisation's code is taken", store.ErrConflict, "organisation_pkey", func(ctx context.Context) error {
			return in.AddOrganisation(ctx, store.Organisation{Code: organisation, Name: "Another"}, now)
		}},
		{"an organisation's parent is unknown", store.ErrReference, "organisation_parent_code_fkey", func(ctx context.Context) error {
			return in.AddOrganisation(ctx, store.Organisation{Code: "RXX02", Name: "Another", ParentCode: new("RXX09")}, now)
		}},
		{"an organisation is its own parent", store.ErrReference, "organisation_not_its_parent", func(ctx context.Context) error {
			return in.AddOrganisation(ctx, store.Organisation{Code: "RXX02", Name: "Another", ParentCode: new("RXX02")}, now)
		}},
		{"a membership is of an unknown person", store.ErrReference, "membership_person_id_fkey", func(ctx context.Context) error {
			_, err := in.EnsureMembership(ctx, "200000000009", "100000000009", organisation, now)
			return err
		}},
		{"a membership is of an unknown organisation", store.ErrReference, "membership_organisation_code_fkey", func(ctx context.Context) error {
			_, err := in.EnsureMembership(ctx, "200000000009", ana, "RXX09", now)
			return err
		}},
		{"a membership's id is taken", store.ErrConflict, "membership_pkey", func(ctx context.Context) error {
			_, err := in.EnsureMembership(ctx, benMembership, ana, "RXX03", now)
			return err
		}},
		{"a role's id is taken", store.ErrConflict, "role_profile_pkey", func(ctx context.Context) error {
			return in.AddRole(ctx, newRole(anaRole, benMembership), now)
		}},
		{"a role is of an unknown membership", store.ErrReference, "role_profile_membership_id_fkey", func(ctx context.Context) error {
			return in.AddRole(ctx, newRole("300000000009", "200000000009"), now)
		}},
		{"a role ends before it starts", store.ErrReference, "role_profile_ends_after_start", func(ctx context.Context) error {
			r := newRole("300000000009", anaMembership)
			r.EndsAt = new(now.Add(-time.Second))
			return in.AddRole(ctx, r, now)
		}},
		{"a client's id is taken", store.ErrConflict, "client_pkey", func(ctx context.Context) error { return in.AddClient(ctx, newClient(ward)) }},
		{"a confidential client has no secret", store.ErrReference, "client_secret_when_confidential", func(ctx context.Context) error {
			c := newClient("another")
			c.SecretHash = nil
			return in.AddClient(ctx, c)
		}},
		{"a public client has a secret", store.ErrReference, "client_secret_when_confidential", func(ctx context.Context) error {
			c := newClient(ward)
			c.Authentication = "none"
			return in.UpdateClient(ctx, c)
		}},
		{"a client has no list of scopes", store.ErrReference, "client.scopes", func(ctx context.Context) error {
			c := newClient("another")
			c.Scopes = nil
			return in.AddClient(ctx, c)
		}},
		{"a credential is bound already", store.ErrConflict, "authenticator_credential_id_key", func(ctx context.Context) error {
			a := newAuthenticator(uuid.New(), "credential")
			a.PersonID = ben
			return in.AddAuthenticator(ctx, a)
		}},
		{"an authenticator is of an unknown person", store.ErrReference, "authenticator_person_id_fkey", func(ctx context.Context) error {
			a := newAuthenticator(uuid.New(), "another")
			a.PersonID = "100000000009"
			return in.AddAuthenticator(ctx, a)
		}},
		{"an enrolment link is for an unknown person", store.ErrReference, "enrolment_link_person_id_fkey", func(ctx context.Context) error {
			return in.AddEnrolmentLink(ctx, hash("another"), nil, "100000000009", now, later)
		}},
		{"an enrolment link is there already", store.ErrConflict, "enrolment_link_pkey", func(ctx context.Context) error {
			return in.AddEnrolmentLink(ctx, hash("link"), nil, ben, now, later)
		}},
		{"a session's cookie is taken", store.ErrConflict, "session_cookie_hash_key", func(ctx context.Context) error {
			_, err := in.BeginSession(ctx, newSession(uuid.New(), ben), nil, hash("cookie"), now)
			return err
		}},
		{"a grant's code is taken", store.ErrConflict, "authorization_grant_code_hash_key", func(ctx context.Context) error {
			return in.AddGrant(ctx, newGrant(uuid.New()), hash("code"), later)
		}},
		{"a refresh token is taken", store.ErrConflict, "refresh_token_pkey", func(ctx context.Context) error {
			return in.ExchangeRefreshToken(ctx, exchange(ctx, t, in.Store, "refresh", "refresh"))
		}},
		{"an algorithm has a current key", store.ErrConflict, "signing_key_one_current", func(ctx context.Context) error {
			return in.AddSigningKey(ctx, newSigningKey("RS256", "second"))
		}},
		{"a key's algorithm is unknown", store.ErrReference, "signing_key_alg_known", func(ctx context.Context) error {
			return in.AddSigningKey(ctx, newSigningKey("HS256", "second"))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := tt.do(t.Context())
			if !errors.Is(err, tt.want) || !strings.HasPrefix(err.Error(), tt.rule+": ") {
				t.Errorf("error = %v, want %s: %v", err, tt.rule, tt.want)
			}
		})
	}
}

// What is not there, or no longer as the statement needs it, is ErrNotFound.
func TestAbsent(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	ctx := t.Context()
	must(t, in.AddPerson(ctx, newPerson("100000000003"), now))
	must(t, second(in.DisablePerson(ctx, "100000000003", now)))
	must(t, in.AddEnrolmentLink(ctx, hash("of the disabled"), nil, "100000000003", now, later))
	must(t, in.AddEnrolmentLink(ctx, hash("expired"), nil, ana, now, now.Add(time.Second)))
	at := now.Add(time.Minute)
	for call, err := range map[string]error{
		"Person(unknown)":                       second(in.Person(ctx, "100000000009", at)),
		"DisablePerson(unknown)":                second(in.DisablePerson(ctx, "100000000009", at)),
		"DisablePerson(disabled)":               second(in.DisablePerson(ctx, "100000000003", at)),
		"EnablePerson(enabled)":                 in.EnablePerson(ctx, ana),
		"EnablePerson(unknown)":                 in.EnablePerson(ctx, "100000000009"),
		"EndRole(unknown)":                      second(in.EndRole(ctx, "300000000009", at)),
		"EndRole(ended)":                        second(in.EndRole(ctx, anaRole, later)),
		"Client(unknown)":                       second(in.Client(ctx, "nobody")),
		"UpdateClient(unknown)":                 in.UpdateClient(ctx, newClient("nobody")),
		"DisableClient(unknown)":                in.DisableClient(ctx, "nobody", at),
		"Credential(unknown)":                   second(in.Credential(ctx, []byte("nothing"), "", at)),
		"ChangeAuthenticator(unknown)":          second(in.ChangeAuthenticator(ctx, uuid.New(), "active", "revoked", at)),
		"EnrolmentLink(unknown)":                second(in.EnrolmentLink(ctx, hash("nothing"), at)),
		"ChangeAuthenticator(in another state)": second(in.ChangeAuthenticator(ctx, authenticatorID, "suspended", "active", at)),
		"UseEnrolmentLink(expired)":             second(in.UseEnrolmentLink(ctx, hash("expired"), 3, 5, at)),
		"UseEnrolmentLink(expiring now)":        second(in.UseEnrolmentLink(ctx, hash("link"), 3, 5, later)),
		"UseEnrolmentLink(of the disabled)":     second(in.UseEnrolmentLink(ctx, hash("of the disabled"), 3, 5, at)),
		"TimedOutSession(unknown)":              second(in.TimedOutSession(ctx, hash("nothing"), at)),
		"Session(unknown)":                      second(in.Session(ctx, hash("nothing"), "", at)),
		"Session(timed out)":                    second(in.Session(ctx, hash("cookie"), "", later)),
		"ChooseRole(unknown session)":           in.ChooseRole(ctx, uuid.New(), new(anaRole), at),
		"ChooseRole(of somebody else)":          in.ChooseRole(ctx, sessionID, new(benRole), at),
		"ChooseRole(unknown)":                   in.ChooseRole(ctx, sessionID, new("300000000009"), at),
		"ChooseRole(ended)":                     in.ChooseRole(ctx, sessionID, new(anaRole), later),
		"ChooseRole(not started)":               in.ChooseRole(ctx, sessionID, new(anaRole), now.Add(-time.Second)),
		"Code(unknown)":                         second(in.Code(ctx, hash("nothing"), ward, at)),
		"Code(another client's)":                second(in.Code(ctx, hash("code"), "another", at)),
		"Code(expired)":                         second(in.Code(ctx, hash("code"), ward, later)),
		"UseCode(unknown)":                      in.UseCode(ctx, hash("nothing"), at),
		"RevokeGrantOfCode(unused)":             second(in.RevokeGrantOfCode(ctx, hash("code"), ward, at)),
		"RefreshToken(unknown)":                 second(in.RefreshToken(ctx, hash("nothing"), ward, at)),
		"RefreshToken(another client's)":        second(in.RefreshToken(ctx, hash("refresh"), "another", at)),
		"RefreshToken(of an expired one)":       second(in.RefreshToken(ctx, hash("refresh"), ward, later)),
		"UseRefreshToken(unknown)":              in.UseRefreshToken(ctx, hash("nothing"), at),
		"RevokeGrantOfRefreshToken(unused)":     second(in.RevokeGrantOfRefreshToken(ctx, hash("refresh"), ward, at)),
		"Grant(unknown)":                        second(in.Grant(ctx, uuid.New(), at)),
		"ReplaceSigningKey(unknown)":            in.ReplaceSigningKey(ctx, "nothing", later, newSigningKey("RS256", "x")),
		"Generation(of a set that is no set)":   second(in.Generation(ctx, "nothing")),
	} {
		is(t, call, err, store.ErrNotFound)
	}
}

func second[T any](_ T, err error) error { return err }

// Nobody finds a password in a log, however wrong the URL is.
func TestErrorsHideThePassword(t *testing.T) {
	t.Parallel()
	const password = "hunter2"
	ownerURL, _ := storetest.Empty(t)
	with := func(change func(*url.URL)) string {
		u, err := url.Parse(ownerURL)
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword(u.User.Username(), password)
		change(u)
		return u.String()
	}
	for name, address := range map[string]string{
		"no URL":              "host=localhost password=" + password + " port=x",
		"a bad port":          "postgres://credence:" + password + "@localhost:port/credence",
		"a bad option":        "postgres://credence:" + password + "@localhost/credence?pool_max_conns=" + password,
		"a bad escape":        "postgres://credence:%zz" + password + "@localhost/credence",
		"a user who is wrong": with(func(u *url.URL) { u.User = url.UserPassword("nobody", password) }),
		"an unreachable host": "postgres://credence:" + password + "@127.0.0.1:1/credence",
		"an unknown host":     "postgres://credence:" + password + "@host.invalid/credence",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, openErr := store.Open(t.Context(), address)
			if openErr == nil {
				s.Close()
			}
			for call, err := range map[string]error{"Open": openErr, "MigrateUp": store.MigrateUp(t.Context(), address)} {
				if err == nil || strings.Contains(err.Error(), password) {
					t.Errorf("%s(%s) = %v, want an error without the password", call, name, err)
				}
			}
		})
	}
}
