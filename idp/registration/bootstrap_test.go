package registration_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var now = time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)

const board = "ZX000"

func newBoard(t *testing.T) (s *store.Store, ownerURL string) {
	t.Helper()
	ownerURL, serviceURL := storetest.URLs(t)
	s, err := store.Open(t.Context(), serviceURL)
	must(t, err)
	t.Cleanup(s.Close)
	must(t, directory.AddOrganisation(t.Context(), s, store.Organisation{Code: board, Name: "Board"}, "operator", now))
	return s, ownerURL
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func rules(t *testing.T) *authority.Rules {
	t.Helper()
	r, err := authority.New()
	must(t, err)
	return r
}

func ada() registration.FirstManager {
	return registration.FirstManager{New: directory.NewPerson{GivenName: "Ada", FamilyName: "Example"}, Organisation: board}
}

// enrol binds an authenticator to a person.
func enrol(t *testing.T, s *store.Store, person string) uuid.UUID {
	t.Helper()
	id := uuid.New()
	must(t, s.AddAuthenticator(t.Context(), store.Authenticator{
		ID: id, PersonID: person, Name: "Key", Kind: "passkey", CredentialID: id[:], PublicKey: []byte{1}, AAGUID: uuid.New(), Transports: []string{},
		AttestationFormat: "none", AttestationObject: []byte{1}, ClientData: []byte{1}, AttestationVerdict: "none", CreatedAt: now,
	}))
	return id
}

// liveLinks counts the enrolment links that work.
func liveLinks(t *testing.T, ownerURL string) (n int) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), ownerURL)
	must(t, err)
	defer func() { _ = conn.Close(t.Context()) }()
	must(t, conn.QueryRow(t.Context(), `SELECT count(*) FROM enrolment_link WHERE used_at IS NULL`).Scan(&n))
	return n
}

func TestBootstrap(t *testing.T) {
	t.Parallel()
	s, ownerURL := newBoard(t)
	ctx := t.Context()
	first, err := registration.Bootstrap(ctx, s, rules(t), ada(), "operator:sam", now)
	must(t, err)
	person, err := s.Person(ctx, first.PersonID, now)
	must(t, err)
	if roles := person.Person.Roles; len(roles) != 1 || roles[0].JobRole != directory.RAManager || roles[0].OrganisationCode != board {
		t.Errorf("roles = %+v, want that of a manager of the board", roles)
	}
	if len(first.Secret) != 52 || !first.ExpiresAt.Equal(now.Add(24*time.Hour)) {
		t.Errorf("Bootstrap() = %+v, want a secret that works for a day", first)
	}
	events, err := s.AuditEvents(ctx, 0, 100)
	must(t, err)
	var names []string
	for _, e := range events {
		names = append(names, e.Event)
		if strings.Contains(strings.Join([]string{e.Detail["organisation"], e.Detail["expires_at"]}, " "), first.Secret) {
			t.Errorf("record = %+v, want no secret in it", e)
		}
	}
	if diff := cmp.Diff([]string{"organisation_added", "person_added", "role_granted", "bootstrap", "enrolment_link_made"}, names); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}

	// A second one ends the first, and there is one role of it.
	again, err := registration.Bootstrap(ctx, s, rules(t), registration.FirstManager{Person: first.PersonID, Organisation: board}, "operator:sam", now)
	must(t, err)
	if again.PersonID != first.PersonID || again.Secret == first.Secret || liveLinks(t, ownerURL) != 1 {
		t.Errorf("Bootstrap(again) = %+v, %d live links, want the same person, another secret, one link", again, liveLinks(t, ownerURL))
	}
	if person, err := s.Person(ctx, first.PersonID, now); err != nil || len(person.Person.Roles) != 1 {
		t.Errorf("roles = %+v, %v, want one", person.Person.Roles, err)
	}

	// It ends with the first authenticator, and the attempt is on record.
	key := enrol(t, s, first.PersonID)
	_, err = registration.Bootstrap(ctx, s, rules(t), ada(), "operator:eve", now)
	if !errors.Is(err, registration.ErrManagerExists) {
		t.Errorf("Bootstrap(with a manager) = %v, want %v", err, registration.ErrManagerExists)
	}
	events, err = s.AuditEvents(ctx, 0, 100)
	must(t, err)
	if last := events[len(events)-1]; last.Event != "bootstrap" || last.Refusal != "manager_exists" || last.Actor != "operator:eve" {
		t.Errorf("record = %+v, want the refusal", last)
	}
	if people, err := s.People(ctx, "", 10); err != nil || len(people) != 1 {
		t.Errorf("people = %v, %v, want nobody added", people, err)
	}

	// Nobody being left who can sign in, there may be a first again.
	for what, undo := range map[string]func() error{
		"disabled": func() error { return directory.DisablePerson(ctx, s, first.PersonID, "operator", now) },
		"without an authenticator": func() error {
			if err := directory.EnablePerson(ctx, s, first.PersonID, "operator", now); err != nil && !errors.Is(err, directory.ErrUnknown) {
				return err
			}
			_, err := s.ChangeAuthenticator(ctx, key, "active", "revoked", now)
			return err
		},
	} {
		must(t, undo())
		if enrolled, err := s.ManagerIsEnrolled(ctx, now); err != nil || enrolled {
			t.Errorf("ManagerIsEnrolled(%s) = %t, %v, want false", what, enrolled, err)
		}
	}
}

func TestBootstrapIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := newBoard(t)
	ctx := t.Context()
	disabled, err := directory.AddPerson(ctx, s, directory.NewPerson{GivenName: "Dis", FamilyName: "Abled"}, "operator", now)
	must(t, err)
	must(t, directory.DisablePerson(ctx, s, disabled, "operator", now))
	privacy, err := directory.AddPerson(ctx, s, directory.NewPerson{GivenName: "Pri", FamilyName: "Vacy"}, "operator", now)
	must(t, err)
	catalogue, err := directory.NewCatalogue()
	must(t, err)
	_, err = directory.GrantRole(ctx, s, catalogue, directory.NewRole{PersonID: privacy, Organisation: board, JobRole: "S8002:G8003:R0001", StartsAt: now}, "operator", now)
	must(t, err)
	for _, tt := range []struct {
		what  string
		first registration.FirstManager
		want  string
	}{
		{"without a name", registration.FirstManager{Organisation: board}, "given_name: want 1 to 100 characters"},
		{"of an unknown person", registration.FirstManager{Person: "000000000009", Organisation: board}, `person "000000000009" is unknown`},
		{"of one who is disabled", registration.FirstManager{Person: disabled, Organisation: board}, "is disabled"},
		{"of a privacy officer", registration.FirstManager{Person: privacy, Organisation: board}, "holds what no manager may"},
		{"of an unknown organisation", registration.FirstManager{New: ada().New, Organisation: "ZX999"}, `organisation "ZX999" is unknown`},
	} {
		if _, err := registration.Bootstrap(ctx, s, rules(t), tt.first, "operator", now); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Bootstrap(%s) = %v, want %q", tt.what, err, tt.want)
		}
	}
	if people, err := s.People(ctx, "", 10); err != nil || len(people) != 2 {
		t.Errorf("people = %v, %v, want nobody added", people, err)
	}
	_, err = registration.Bootstrap(ctx, s, rules(t), ada(), "operator", now)
	must(t, err)
}

// Of many at once the last one's link works, and no other.
func TestRaceOfBootstraps(t *testing.T) {
	t.Parallel()
	s, ownerURL := newBoard(t)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			<-start
			if _, err := registration.Bootstrap(t.Context(), s, rules(t), ada(), "operator", now); err != nil {
				t.Errorf("Bootstrap() = %v, want no error", err)
			}
		})
	}
	close(start)
	wg.Wait()
	if got := liveLinks(t, ownerURL); got != 1 {
		t.Errorf("live links = %d, want 1", got)
	}
}

// While the first manager enrols, nobody else becomes one: a second start waits for her, and is refused.
func TestBootstrapWaitsForWhoEnrols(t *testing.T) {
	t.Parallel()
	s, ownerURL := newBoard(t)
	ctx := t.Context()
	first, err := registration.Bootstrap(ctx, s, rules(t), ada(), "operator", now)
	must(t, err)
	watcher, err := pgx.Connect(ctx, ownerURL)
	must(t, err)
	defer func() { _ = watcher.Close(context.WithoutCancel(ctx)) }()
	var link []byte
	must(t, watcher.QueryRow(ctx, `SELECT hash FROM enrolment_link WHERE used_at IS NULL`).Scan(&link))

	second := make(chan error, 1)
	must(t, s.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.UseEnrolmentLink(ctx, link, 3, 5, now); err != nil {
			return err
		}
		go func() {
			_, err := registration.Bootstrap(ctx, s, rules(t), registration.FirstManager{New: directory.NewPerson{GivenName: "Bo", FamilyName: "Other"}, Organisation: board}, "operator", now)
			second <- err
		}()
		for waiting := 0; waiting == 0; {
			must(t, watcher.QueryRow(ctx, `SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND a.datname = current_database()`).Scan(&waiting))
			select {
			case err := <-second:
				t.Fatalf("Bootstrap(while somebody enrols) = %v, want it to wait", err)
			default:
			}
		}
		id := uuid.New()
		return tx.AddAuthenticator(ctx, store.Authenticator{
			ID: id, PersonID: first.PersonID, Name: "Key", Kind: "passkey", CredentialID: id[:], PublicKey: []byte{1}, AAGUID: uuid.New(), Transports: []string{},
			AttestationFormat: "none", AttestationObject: []byte{1}, ClientData: []byte{1}, AttestationVerdict: "none", CreatedAt: now,
		})
	}))
	if err := <-second; !errors.Is(err, registration.ErrManagerExists) {
		t.Errorf("Bootstrap(after she enrolled) = %v, want %v", err, registration.ErrManagerExists)
	}
	if got := liveLinks(t, ownerURL); got != 0 {
		t.Errorf("live links = %d, want none", got)
	}
}
