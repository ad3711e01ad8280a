package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// carys is somebody who registered herself.
const carys = "100000000003"

func newSelfRegistration() store.SelfRegistration {
	return store.SelfRegistration{
		ID: uuid.New(), OrganisationCode: organisation, OrganisationName: "Riverside", GivenName: "Carys", FamilyName: "Pugh", Email: "carys@example.org", ExpiresAt: later,
	}
}

// breaks says whether an error is that a constraint of the schema is broken.
func breaks(err error, constraint string) bool {
	return errors.Is(err, store.ErrReference) && strings.Contains(err.Error(), constraint)
}

// newOpenInstallation is one whose organisation is open to all.
func newOpenInstallation(t *testing.T) *installation {
	t.Helper()
	in := newInstallation(t)
	exec(t, connect(t, in.ownerURL), `UPDATE organisation SET self_registration = true`)
	return in
}

// asks adds a registration with its message, by the hash of "secret".
func (in *installation) asks(ctx context.Context, r store.SelfRegistration) (name string, err error) {
	err = in.InTx(ctx, func(tx *store.Tx) error {
		if name, err = tx.AddSelfRegistration(ctx, r, hash("secret"), now); err != nil {
			return err
		}
		return tx.AddMessage(ctx, store.Message{ID: uuid.New(), SelfRegistrationID: &r.ID, Address: r.Email, Kind: "self_registration", TextSealed: []byte("sealed"), CreatedAt: now})
	})
	return name, err
}

func (in *installation) takes(ctx context.Context, secret string, at time.Time) (r store.SelfRegistration, err error) {
	err = in.InTx(ctx, func(tx *store.Tx) error {
		r, err = tx.TakeSelfRegistration(ctx, hash(secret), at)
		return err
	})
	return r, err
}

// Of any number of uses of a link at once one gets the registration. It goes with its message.
func TestASelfRegistrationIsTakenOnce(t *testing.T) {
	t.Parallel()
	in, ctx, asked := newOpenInstallation(t), t.Context(), newSelfRegistration()
	if name, err := in.asks(ctx, asked); err != nil || name != "Riverside" {
		t.Fatalf("AddSelfRegistration() = %q, %v, want the name of the organisation", name, err)
	}
	found, err := in.SelfRegistration(ctx, hash("secret"), now)
	must(t, err)
	same(t, "SelfRegistration()", found, asked)
	is(t, "SelfRegistration(another secret)", second(in.SelfRegistration(ctx, hash("other"), now)), store.ErrNotFound)
	is(t, "SelfRegistration(too late)", second(in.SelfRegistration(ctx, hash("secret"), later)), store.ErrNotFound)
	is(t, "TakeSelfRegistration(too late)", second(in.takes(ctx, "secret", later)), store.ErrNotFound)
	var taken, late atomic.Int32
	var all sync.WaitGroup
	for range 32 {
		all.Go(func() {
			r, err := in.takes(ctx, "secret", now)
			switch {
			case err == nil && r.ID == asked.ID && r.Email == asked.Email:
				taken.Add(1)
			case errors.Is(err, store.ErrNotFound):
				late.Add(1)
			default:
				t.Errorf("TakeSelfRegistration() = %+v, %v, want it or %v", r, err, store.ErrNotFound)
			}
		})
	}
	all.Wait()
	if taken.Load() != 1 || late.Load() != 31 {
		t.Errorf("32 uses of a link: %d got it and %d came late, want 1 and 31", taken.Load(), late.Load())
	}
	if n := value[int](t, connect(t, in.ownerURL), `SELECT count(*)::int FROM message`); n != 0 {
		t.Errorf("messages of a registration that was taken = %d, want 0", n)
	}
}

// What is not open to all takes nobody, also whom it took when it was.
func TestASelfRegistrationNeedsAnOpenOrganisation(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	owner := connect(t, in.ownerURL)
	is(t, "OpenToAll(one that is not)", second(in.OpenToAll(ctx, organisation)), store.ErrNotFound)
	is(t, "OpenToAll(none)", second(in.OpenToAll(ctx, "RXX99")), store.ErrNotFound)
	is(t, "AddSelfRegistration(not open)", second(in.asks(ctx, newSelfRegistration())), store.ErrNotFound)
	exec(t, owner, `UPDATE organisation SET self_registration = true`)
	is(t, "OpenToAll()", second(in.OpenToAll(ctx, organisation)), nil)
	is(t, "AddSelfRegistration()", second(in.asks(ctx, newSelfRegistration())), nil)
	exec(t, owner, `UPDATE organisation SET self_registration = false`)
	is(t, "SelfRegistration(not open any more)", second(in.SelfRegistration(ctx, hash("secret"), now)), store.ErrNotFound)
	is(t, "TakeSelfRegistration(not open any more)", second(in.takes(ctx, "secret", now)), store.ErrNotFound)
}

func TestAMessageGoesToSomebody(t *testing.T) {
	t.Parallel()
	in, ctx := newOpenInstallation(t), t.Context()
	asked := newSelfRegistration()
	is(t, "AddSelfRegistration()", second(in.asks(ctx, asked)), nil)
	claimed, err := in.ClaimMessages(ctx, later, 10, now)
	if err != nil || len(claimed) != 1 || claimed[0].PersonID != "" || claimed[0].SelfRegistrationID == nil || *claimed[0].SelfRegistrationID != asked.ID {
		t.Errorf("ClaimMessages() = %+v, %v, want the one to who registers herself", claimed, err)
	}
	for what, change := range map[string]func(*store.Message){
		"nobody": func(m *store.Message) { m.PersonID = "" },
		"both":   func(m *store.Message) { m.SelfRegistrationID = &asked.ID },
	} {
		m := newMessage(what)
		change(&m)
		err := in.InTx(ctx, func(tx *store.Tx) error { return tx.AddMessage(ctx, m) })
		if !breaks(err, "message_to_somebody") {
			t.Errorf("AddMessage(to %s) = %v, want it refused", what, err)
		}
	}
}

func TestSweepSelfRegistrations(t *testing.T) {
	t.Parallel()
	in, ctx := newOpenInstallation(t), t.Context()
	is(t, "AddSelfRegistration()", second(in.asks(ctx, newSelfRegistration())), nil)
	for _, at := range []struct {
		now  time.Time
		want int
	}{{later.Add(-time.Microsecond), 0}, {later, 1}} {
		if n, err := in.SweepSelfRegistrations(ctx, at.now, 10); err != nil || n != at.want {
			t.Errorf("SweepSelfRegistrations(%v) = %d, %v, want %d", at.now, n, err, at.want)
		}
	}
	if n := value[int](t, connect(t, in.ownerURL), `SELECT (SELECT count(*) FROM self_registration)::int + (SELECT count(*) FROM message)::int`); n != 0 {
		t.Errorf("rows of registrations that nobody confirmed = %d, want 0", n)
	}
}

// level sets how well the identity of a person is proved.
func (in *installation) level(t *testing.T, person, level string) {
	t.Helper()
	must(t, in.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.SetIdentity(t.Context(), person, store.Identity{Level: level, ComputedAt: &now})
	}))
}

// Whoever registered herself is given nothing, and what she has does not count, while she is proved to less than medium: at any replica.
func TestWhoRegisteredHerselfActsAsNothing(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	other := open(t, in.serviceURL, nil)
	p := newPerson(carys)
	p.Email, p.IdentityLevel, p.SelfRegisteredOrganisation = "carys@example.org", "none", organisation
	must(t, in.AddPerson(ctx, p, now))
	membership, err := in.EnsureMembership(ctx, "200000000003", carys, organisation, now)
	must(t, err)
	roles := 0
	add := func() error {
		roles++
		return in.AddRole(ctx, newRole(fmt.Sprintf("30000000001%d", roles), membership), now)
	}
	for _, step := range []struct {
		level   string
		refused bool
		roles   int // that count
	}{
		{"none", true, 0}, {"low", true, 0}, {"medium", false, 1}, {"high", false, 2}, {"low", true, 0}, {"none", true, 0}, {"very_high", false, 3},
	} {
		in.level(t, carys, step.level)
		err := add()
		if step.refused != breaks(err, "role_profile_of_somebody_proved") || !step.refused && err != nil {
			t.Errorf("AddRole(at level %s) = %v, want it refused: %t", step.level, err, step.refused)
		}
		for _, s := range []*store.Store{in.Store, other} {
			found, err := s.Person(ctx, carys, now)
			if err != nil || len(found.Person.Roles) != step.roles || found.Unproved != step.refused {
				t.Errorf("Person(at level %s) = %d roles, unproved %t, %v, want %d, %t", step.level, len(found.Person.Roles), found.Unproved, err, step.roles, step.refused)
			}
		}
	}
	// The twin: others are given roles at any level.
	in.level(t, ana, "none")
	is(t, "AddRole(of who was put on record)", in.AddRole(ctx, newRole("300000000019", anaMembership), now), nil)
}

// Who is to be proved is listed by when she registered, at an organisation and below it.
func TestUnprovedPeople(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	const below, beside = "RXX02", "RXX03"
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: below, Name: "Ward", ParentCode: new(organisation)}, now))
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: beside, Name: "Elsewhere"}, now))
	want := ""
	for n, who := range []struct {
		at, level string
		listed    bool
	}{
		{organisation, "none", true}, {below, "low", true}, {beside, "none", false}, {organisation, "medium", false}, {"", "none", false}, {below, "none", true},
	} {
		p := newPerson(fmt.Sprintf("10000000002%d", 9-n))
		p.IdentityLevel, p.SelfRegisteredOrganisation = who.level, who.at
		must(t, in.AddPerson(ctx, p, now.Add(time.Duration(n)*time.Second)))
		if who.listed {
			want += p.ID[len(p.ID)-1:]
		}
	}
	disabled := newPerson("100000000019")
	disabled.IdentityLevel, disabled.SelfRegisteredOrganisation = "none", organisation
	must(t, in.AddPerson(ctx, disabled, now))
	must(t, second(in.DisablePerson(ctx, disabled.ID, now)))
	person := func(p store.UnprovedPerson) string { return p.ID }
	same(t, "UnprovedPeople()", paged(t, person, func(after string) ([]store.UnprovedPerson, error) {
		return in.UnprovedPeople(ctx, organisation, store.Order{}, after, 1)
	}), want)
	end := []byte(want)
	slices.Reverse(end)
	same(t, "UnprovedPeople(from the last)", paged(t, person, func(after string) ([]store.UnprovedPerson, error) {
		return in.UnprovedPeople(ctx, organisation, store.Order{By: store.ByTime, Descending: true}, after, 1)
	}), string(end))
	counted := in.waiting(t, store.WaitingPeople, organisation, 10, now)
	same(t, "Waiting()", counted, store.Waiting{Count: 3, FirstAt: &now})
}
