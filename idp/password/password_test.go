package password

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/argon2"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/totp"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const person = "656005750104"

var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// installation is a database with one person, and the two lines of a seal key.
type installation struct {
	owner, service *store.Store
	old, fresh     string
}

func newInstallation(t *testing.T) installation {
	t.Helper()
	ownerURL, serviceURL := storetest.URLs(t)
	var in installation
	for url, s := range map[string]**store.Store{ownerURL: &in.owner, serviceURL: &in.service} {
		var err error
		if *s, err = store.Open(t.Context(), url); err != nil {
			t.Fatal(err)
		}
		t.Cleanup((*s).Close)
	}
	_, in.old = seal.NewKey()
	_, in.fresh = seal.NewKey()
	if err := in.owner.AddPerson(t.Context(), store.NewPerson{ID: person, Handle: make([]byte, 32), GivenName: "Amara", FamilyName: "Okafor", DisplayName: "Amara Okafor", IdentityLevel: "none"}, start); err != nil {
		t.Fatal(err)
	}
	return in
}

// at is a manager with a seal key of some lines, at a time.
func (in installation) at(t *testing.T, now time.Time, lines ...string) *Manager {
	t.Helper()
	key, err := seal.ParseKey(strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return New(in.service, key, func() time.Time { return now })
}

// enrol binds a password and an app, and returns the key of the app.
func (in installation) enrol(t *testing.T, m *Manager) []byte {
	t.Helper()
	ctx, browser := t.Context(), []byte("browser")
	who, err := in.service.Person(ctx, person, m.now())
	if err != nil {
		t.Fatal(err)
	}
	offer, err := m.BeginEnrolment(who.Person, browser)
	if err != nil {
		t.Fatal(err)
	}
	o, err := m.open(offer.State, browser, who.Person)
	if err != nil {
		t.Fatal(err)
	}
	e, err := m.VerifyEnrolment(ctx, offer.State, browser, who.Person, phrase, totp.Code(o.Key, totp.Step(m.now())))
	if err == nil {
		err = in.service.InTx(ctx, func(tx *store.Tx) error {
			for _, s := range []store.Secret{e.Password, e.App} {
				if err := audit.Record(ctx, tx, audit.Entry{At: m.now(), Event: audit.Enrolled, Person: person, Detail: map[string]string{"authenticator": s.ID.String()}}); err != nil {
					return err
				}
			}
			return e.Record(ctx, tx)
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return o.Key
}

// signIn signs in with the code of an app.
func signIn(t *testing.T, m *Manager, key []byte) error {
	t.Helper()
	in, err := m.VerifySignIn(t.Context(), "", person, phrase, totp.Code(key, totp.Step(m.now())))
	if err != nil {
		return err
	}
	return m.store.InTx(t.Context(), func(tx *store.Tx) error { return in.Record(t.Context(), tx) })
}

// Passwords and keys of apps open at each step of the rotation of the seal key.
func TestSealKeyRotates(t *testing.T) {
	t.Parallel()
	in, ctx, now := newInstallation(t), t.Context(), start
	key := in.enrol(t, in.at(t, now, in.old))
	next := func(lines ...string) *Manager {
		t.Helper()
		now = now.Add(time.Minute)
		return in.at(t, now, lines...)
	}
	if err := signIn(t, next(in.fresh), key); !errors.Is(err, seal.ErrSeal) {
		t.Errorf("sign-in with the new line alone, at once = %v, want %v", err, seal.ErrSeal)
	}
	for _, lines := range [][]string{{in.old}, {in.old, in.fresh}, {in.fresh, in.old}} {
		if err := signIn(t, next(lines...), key); err != nil {
			t.Errorf("sign-in at a step of the rotation = %v, want no error", err)
		}
	}
	both := next(in.fresh, in.old)
	both.store = in.owner
	alone := next(in.fresh)
	alone.store = in.owner
	if got, total, err := alone.Reseal(ctx, "operator"); !errors.Is(err, seal.ErrSeal) || got != 0 || total != 2 {
		t.Errorf("Reseal(without the old line) = %d of %d, %v, want 0 of 2 and %v", got, total, err, seal.ErrSeal)
	}
	for _, want := range []int{2, 0} {
		if got, total, err := both.Reseal(ctx, "operator"); err != nil || got != want || total != 2 {
			t.Errorf("Reseal() = %d of %d, %v, want %d of 2", got, total, err, want)
		}
	}
	if err := signIn(t, next(in.fresh), key); err != nil {
		t.Errorf("sign-in with the new line alone, at the end = %v, want no error", err)
	}
	if err := signIn(t, next(in.old), key); !errors.Is(err, seal.ErrSeal) {
		t.Errorf("sign-in with the old line alone, at the end = %v, want %v", err, seal.ErrSeal)
	}
	events, err := in.owner.AuditEvents(ctx, 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var resealed []string
	for _, e := range events {
		if e.Event == "secrets_resealed" {
			resealed = append(resealed, e.Actor+" "+e.Detail["secrets"])
		}
	}
	if diff := cmp.Diff([]string{"operator 2"}, resealed); diff != "" {
		t.Errorf("events of the reseal differ (-want +got):\n%s", diff)
	}
}

// A hash of other parameters is made anew when its password is used, and not when another one is entered.
func TestHashIsMadeAnew(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	m := in.at(t, start, in.fresh)
	key := in.enrol(t, m)
	hash := func() string {
		t.Helper()
		has, err := m.secrets(ctx, person)
		if err != nil {
			t.Fatal(err)
		}
		return has.hash
	}
	has, err := m.secrets(ctx, person)
	if err != nil {
		t.Fatal(err)
	}
	weak := encode(parameters{memory: 64, passes: 1, threads: 1}, []byte("a salt from 2019"), argon2.IDKey([]byte(phrase), []byte("a salt from 2019"), 1, 64, 1, hashSize))
	if err := in.owner.ReplaceSealed(ctx, has.password.ID, m.rest.Seal([]byte(weak), bound(*has.password))); err != nil {
		t.Fatal(err)
	}
	later := in.at(t, start.Add(time.Minute), in.fresh)
	if _, err := later.VerifySignIn(ctx, "", person, "another", ""); err == nil || hash() != weak {
		t.Errorf("another password = %v, and the hash is %s, want it refused and the hash as it was", err, hash())
	}
	for i := range 2 {
		before := hash()
		if err := signIn(t, in.at(t, start.Add(time.Duration(i+1)*time.Minute), in.fresh), key); err != nil {
			t.Fatal(err)
		}
		p, _, _, err := decode(hash())
		if err != nil || p != current() || (hash() == before) != (i > 0) {
			t.Errorf("after sign-in %d the hash has %+v, %v, and changed: %t; want it changed by the first", i+1, p, err, hash() != before)
		}
	}
}

// A secret opens for its own row, person and kind only: whoever can write to the table gives nobody the password of another.
func TestSecretsAreBoundToTheirRows(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	m := in.at(t, start, in.fresh)
	key := in.enrol(t, m)
	has, err := m.secrets(ctx, person)
	if err != nil {
		t.Fatal(err)
	}
	other := *has.password
	other.PersonID = "656005750108"
	if _, err := m.rest.Open(has.password.Sealed, bound(other)); !errors.Is(err, seal.ErrSeal) {
		t.Errorf("Open(for another person) = %v, want %v", err, seal.ErrSeal)
	}
	if err := in.owner.ReplaceSealed(ctx, has.apps[0].ID, has.password.Sealed); err != nil {
		t.Fatal(err)
	}
	if err := signIn(t, in.at(t, start.Add(time.Minute), in.fresh), key); !errors.Is(err, seal.ErrSeal) {
		t.Errorf("sign-in with the hash of the password in place of the key of the app = %v, want %v", err, seal.ErrSeal)
	}
	if err := in.owner.ReplaceSealed(ctx, has.apps[0].ID, has.apps[0].Sealed); err != nil {
		t.Fatal(err)
	}
	if err := signIn(t, in.at(t, start.Add(time.Minute), in.fresh), key); err != nil {
		t.Errorf("sign-in with what was there = %v, want no error", err)
	}
}
