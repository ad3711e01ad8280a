package store_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/credence-id/credence/store"
)

// few is so many people at one organisation, from a number on.
func few(from, count int) store.Bulk {
	var b store.Bulk
	for n := from; n < from+count; n++ {
		code := fmt.Sprintf("ZB%03d", n)
		b.Organisations = append(b.Organisations, store.Organisation{Code: code, Name: "Somewhere"})
		b.Workgroups = append(b.Workgroups, store.Workgroup{ID: fmt.Sprintf("040%09d", n), Name: "Some team"})
		p := newPerson(fmt.Sprintf("010%09d", n))
		b.People = append(b.People, p)
		m := store.NewMembership{ID: fmt.Sprintf("020%09d", n), PersonID: p.ID, OrganisationCode: code}
		b.Memberships = append(b.Memberships, m)
		r := newRole(fmt.Sprintf("030%09d", n), m.ID)
		r.Workgroups = []string{b.Workgroups[len(b.Workgroups)-1].ID}
		b.Roles = append(b.Roles, r)
	}
	b.Organisations[0].ParentCode = new(organisation)
	return b
}

// What was loaded is read as if it had been added one by one.
func TestLoad(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	owner := open(t, in.ownerURL, nil)
	must(t, owner.Load(ctx, few(0, 3), now))
	got, err := in.Person(ctx, "010000000002", now)
	must(t, err)
	want, err := in.Person(ctx, ben, now)
	must(t, err)
	p := &want.Person
	p.ID = "010000000002"
	p.Memberships[0] = store.Membership{ID: "020000000002", OrganisationCode: "ZB002", OrganisationName: "Somewhere"}
	r := &p.Roles[0]
	r.ID, r.MembershipID, r.OrganisationCode, r.OrganisationName = "030000000002", "020000000002", "ZB002", "Somewhere"
	r.Workgroups = []store.Workgroup{{ID: "040000000002", Name: "Some team"}}
	same(t, "Person(loaded)", got, want)

	// What changes afterwards is seen as ever.
	must(t, second(in.EndRole(ctx, r.ID, now)))
	got, err = in.Person(ctx, p.ID, later)
	must(t, err)
	same(t, "roles of Person(whose role has ended)", got.Person.Roles, []store.Role{})

	// All or nothing: number 2 is there.
	is(t, "Load(of what is there)", owner.Load(ctx, few(2, 3), now), store.ErrConflict)
	is(t, "Person(loaded with what was there)", second(in.Person(ctx, "010000000003", now)), store.ErrNotFound)
	must(t, owner.Load(ctx, few(3, 2), now))
	must(t, owner.Tidy(ctx))
	must(t, owner.Tidy(ctx))
}

// The record of a person who is there already would stay as servers have it in memory.
func TestLoadRefusesPartsOfRecords(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	owner := open(t, in.ownerURL, nil)
	before, err := in.Person(ctx, ben, now)
	must(t, err)
	for name, tt := range map[string]struct {
		spoil func(*store.Bulk)
		want  string
	}{
		"a membership of somebody who is there": {func(b *store.Bulk) { b.Memberships[1].PersonID = ben }, `person "` + ben + `" is not loaded with it`},
		"a membership of nobody":                {func(b *store.Bulk) { b.People = b.People[:1] }, `person "010000000001" is not loaded with it`},
		"a role of somebody who is there": {
			func(b *store.Bulk) { b.Roles[1].MembershipID = before.Person.Memberships[0].ID }, `membership "` + before.Person.Memberships[0].ID + `" is not loaded with it`,
		},
		"a role of nobody": {func(b *store.Bulk) { b.Memberships = b.Memberships[:1] }, `membership "020000000001" is not loaded with it`},
	} {
		b := few(0, 2)
		tt.spoil(&b)
		if err := owner.Load(ctx, b, now); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("Load(%s) = %v, want an error that says %s", name, err, tt.want)
		}
	}
	is(t, "Person(of a load that was refused)", second(in.Person(ctx, "010000000000", now)), store.ErrNotFound)
	must(t, owner.Load(ctx, few(0, 2), now))
}

func TestLastPerson(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	owner := open(t, in.ownerURL, nil)
	for _, tt := range []struct {
		from, to, last string
		outside        bool
	}{
		{"010", "011", "", true},
		{ana, "200", ben, false},
		{ana, ben, ana, true},
		{ben, "200", ben, true},
	} {
		last, err := owner.LastPerson(ctx, tt.from, tt.to)
		must(t, err)
		outside, err := owner.PeopleOutside(ctx, tt.from, tt.to)
		must(t, err)
		if last != tt.last || outside != tt.outside {
			t.Errorf("from %s to %s the last person is %q, and people outside: %t; want %q and %t", tt.from, tt.to, last, outside, tt.last, tt.outside)
		}
	}
}

func TestBound(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	got, err := in.Bound(ctx, [][]byte{[]byte("credential"), []byte("another")})
	must(t, err)
	same(t, "Bound()", got, [][]byte{[]byte("credential")})
	got, err = in.Bound(ctx, [][]byte{[]byte("another")})
	must(t, err)
	same(t, "Bound(of none)", got, [][]byte{})
}

func TestBackendPID(t *testing.T) {
	t.Parallel()
	pid, err := newInstallation(t).BackendPID(t.Context())
	if err != nil || pid <= 1 || pid == os.Getpid() {
		t.Errorf("BackendPID() = %d, %v, want another process", pid, err)
	}
}
