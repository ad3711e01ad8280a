package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/store"
)

// standingAna is Ana as she is read, all of it standing.
func standingAna() store.Standing {
	return store.Standing{
		PersonStands: true, ClientStands: true, SessionStands: true, AuthenticatorStands: true, RoleStands: true,
		Person: store.Person{
			ID: ana, Title: "Dr", GivenName: "Ana", MiddleNames: "Maria", FamilyName: "Ng", DisplayName: "Ana Ng", Email: "ana@example.org", IdentityLevel: "high",
			Registrations: []store.Registration{{Body: "gmc", Number: "1234567"}, {Body: "nmc", Number: "12A3456E"}},
			Memberships:   []store.Membership{{ID: anaMembership, OrganisationCode: organisation, OrganisationName: "Riverside"}},
			Roles: []store.Role{{
				ID: anaRole, MembershipID: anaMembership, OrganisationCode: organisation, OrganisationName: "Riverside", JobRole: "S8000:G8000:R8000",
				AreasOfWork: []string{"P1:Q1:T1"}, Activities: []string{"B0420", "B0001"}, Workgroups: []store.Workgroup{{ID: workgroup, Name: "Night team"}},
			}},
		},
	}
}

// Each thing that access stands on can fall alone, and is then the only one that does not stand; also for a replica that
// had read the record of the person before.
func TestStanding(t *testing.T) {
	t.Parallel()
	const second = `'2026-03-04 05:06:08+00'`
	for _, tt := range []struct {
		name   string
		change string
		at     time.Time // now if zero
		want   func(*store.Standing)
		fallen string
	}{
		{name: "all stand", want: func(*store.Standing) {}},
		{
			name: "the person is disabled", change: `UPDATE person SET disabled_at = ` + second + ` WHERE id = '` + ana + `'`,
			want: func(s *store.Standing) { s.PersonStands = false }, fallen: "person_disabled",
		},
		{
			name: "the client is disabled", change: `UPDATE client SET disabled_at = ` + second,
			want: func(s *store.Standing) { s.ClientStands = false }, fallen: "client_disabled",
		},
		{
			name: "the client is unknown", change: `UPDATE authorization_grant SET client_id = 'nobody'`,
			want: func(s *store.Standing) { s.ClientStands = false }, fallen: "client_disabled",
		},
		{
			name: "the session ended", change: `UPDATE session SET ended_at = ` + second,
			want: func(s *store.Standing) { s.SessionStands = false }, fallen: "session_ended",
		},
		{
			name: "the session is of another person", change: `UPDATE session SET person_id = '` + ben + `'`,
			want: func(s *store.Standing) { s.SessionStands = false }, fallen: "session_ended",
		},
		{
			name: "the authenticator is revoked", change: `UPDATE authenticator SET revoked_at = ` + second,
			want: func(s *store.Standing) { s.AuthenticatorStands = false }, fallen: "authenticator_revoked",
		},
		{
			name: "the authenticator is unknown", change: `UPDATE authorization_grant SET authenticator_id = session_id`,
			want: func(s *store.Standing) { s.AuthenticatorStands = false }, fallen: "authenticator_revoked",
		},
		{
			name: "the authenticator is of another person", change: `UPDATE authenticator SET person_id = '` + ben + `'`,
			want: func(s *store.Standing) { s.AuthenticatorStands = false }, fallen: "authenticator_revoked",
		},
		{
			name: "the role ended", at: later,
			want: func(s *store.Standing) { s.RoleStands, s.Person.Roles = false, []store.Role{} },
		},
		{
			name: "the role was ended", change: `UPDATE role_profile SET ends_at = starts_at`,
			want: func(s *store.Standing) { s.RoleStands, s.Person.Roles = false, []store.Role{} },
		},
		{
			name: "the role has not started", at: now.Add(-time.Microsecond),
			want: func(s *store.Standing) { s.RoleStands, s.Person.Roles = false, []store.Role{} },
		},
		{
			name: "the role is of another person", change: `UPDATE authorization_grant SET role_id = '` + benRole + `'`,
			want: func(s *store.Standing) { s.RoleStands = false },
		},
		{
			name: "the role was given to another person", change: `UPDATE role_profile SET membership_id = '` + benMembership + `'`,
			want: func(s *store.Standing) { s.RoleStands, s.Person.Roles = false, []store.Role{} },
		},
		{
			name: "the role is unknown", change: `UPDATE authorization_grant SET role_id = '300000000009'`,
			want: func(s *store.Standing) { s.RoleStands = false },
		},
		{name: "the role starts now", at: now, want: func(*store.Standing) {}},
		{name: "the role ends in a moment", at: later.Add(-time.Microsecond), want: func(*store.Standing) {}},
		{
			name: "the organisation has another name", change: `UPDATE organisation SET name = 'Lakeside'`,
			want: func(s *store.Standing) {
				s.Person.Memberships[0].OrganisationName, s.Person.Roles[0].OrganisationName = "Lakeside", "Lakeside"
			},
		},
		{
			name: "the workgroup has another name", change: `UPDATE workgroup SET name = 'Day team'`,
			want: func(s *store.Standing) { s.Person.Roles[0].Workgroups[0].Name = "Day team" },
		},
		{
			name: "her identity was proved anew", change: `UPDATE person SET identity_level = 'very_high'`,
			want: func(s *store.Standing) { s.Person.IdentityLevel = "very_high" },
		},
		{
			name: "no e-mail address is known, and there is nothing to list", change: `UPDATE person SET email = NULL; DELETE FROM professional_registration;
				UPDATE session SET role_id = NULL; DELETE FROM role_profile; DELETE FROM membership`,
			want: func(s *store.Standing) {
				s.RoleStands = false
				s.Person.Email, s.Person.Registrations, s.Person.Memberships, s.Person.Roles = "", []store.Registration{}, []store.Membership{}, []store.Role{}
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := newInstallation(t)
			at := tt.at
			if at.IsZero() {
				at = now
			}
			_, err := in.Grant(t.Context(), grantID, at)
			must(t, err)
			exec(t, connect(t, in.ownerURL), tt.change)
			got, err := in.Grant(t.Context(), grantID, at)
			must(t, err)
			want := standingAna()
			tt.want(&want)
			same(t, "Grant().Standing", got.Standing, want)
			if got.Fallen() != tt.fallen {
				t.Errorf("Fallen() = %q, want %q", got.Fallen(), tt.fallen)
			}
		})
	}
}

// The record of a person is read once, and again when it changed; not when somebody signed in, or tried in vain to change it.
func TestRecordIsReadOnce(t *testing.T) {
	t.Parallel()
	in, ctx, count := newInstallation(t), t.Context(), &trips{}
	replica := open(t, in.serviceURL, count)
	read := func(when string, want int64) {
		t.Helper()
		before := count.n.Load()
		got, err := replica.Grant(ctx, grantID, now)
		must(t, err)
		same(t, "Grant().Standing "+when, got.Standing, standingAna())
		if n := count.n.Load() - before; n != want {
			t.Errorf("Grant() %s = %d round trips, want %d", when, n, want)
		}
	}
	read("at first", 2)
	read("again", 1)
	must(t, in.UseAuthenticator(ctx, authenticatorID, 8, true, now))
	read("after a sign-in", 1)
	failure := errors.New("no")
	is(t, "InTx", in.InTx(ctx, func(tx *store.Tx) error {
		must(t, tx.AddRole(ctx, newRole("300000000009", anaMembership), now))
		changed, err := tx.Grant(ctx, grantID, now)
		must(t, err)
		if len(changed.Person.Roles) != 2 {
			t.Errorf("Grant() in the transaction that adds a role = %d roles, want 2", len(changed.Person.Roles))
		}
		return failure
	}), failure)
	read("after a change that was rolled back", 1)
	if got, err := in.Grant(ctx, grantID, now); err != nil || len(got.Person.Roles) != 1 {
		t.Errorf("Grant() where a change was rolled back = %d roles, %v, want 1", len(got.Person.Roles), err)
	}
	_, err := in.DisablePerson(ctx, ben, now)
	must(t, err)
	read("after a change of somebody else", 1)
	exec(t, connect(t, in.ownerURL), `UPDATE person SET title = title WHERE id = '`+ana+`'`)
	read("after a change", 2)
}

func TestPerson(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	at := now.Add(time.Minute)
	got, err := in.Person(ctx, ana, at)
	must(t, err)
	same(t, "Person()", got, standingAna())
	for client, want := range map[string]bool{"": true, ward: true, "nobody": false} {
		if got, err = in.PersonAndClient(ctx, ana, client, at); err != nil || got.ClientStands != want {
			t.Errorf("PersonAndClient(%q) = client stands %t, %v, want %t", client, got.ClientStands, err, want)
		}
	}

	fallout, err := in.DisablePerson(ctx, ana, at)
	must(t, err)
	same(t, "DisablePerson()", fallout, store.Fallout{PersonID: ana, Sessions: []uuid.UUID{sessionID}})
	is(t, "UseEnrolmentLink(of a disabled person)", second(in.UseEnrolmentLink(ctx, hash("link"), 3, 5, at)), store.ErrNotFound)
	if got, err = in.Person(ctx, ana, at); err != nil || got.PersonStands {
		t.Errorf("Person(disabled) = stands %t, %v, want false", got.PersonStands, err)
	}
	must(t, in.EnablePerson(ctx, ana))
	if got, err = in.Person(ctx, ana, at); err != nil || !got.PersonStands {
		t.Errorf("Person(enabled) = stands %t, %v, want true", got.PersonStands, err)
	}
	// Sessions that ended stay ended.
	is(t, "UseEnrolmentLink(of a person who was disabled)", second(in.UseEnrolmentLink(ctx, hash("link"), 3, 5, at)), store.ErrNotFound)
	is(t, "Session(of a person who was disabled)", second(in.Session(ctx, hash("cookie"), "", at)), store.ErrNotFound)
	if got, err := in.Grant(ctx, grantID, at); err != nil || got.Fallen() != "session_ended" {
		t.Errorf("Grant(of a person who was disabled) = fallen %q, %v, want session_ended", got.Fallen(), err)
	}
}

func TestOrganisationPath(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	for i, code := range []string{"RXX02", "RXX03"} {
		must(t, in.AddOrganisation(ctx, store.Organisation{Code: code, Name: "Branch", ParentCode: new([]string{organisation, "RXX02"}[i])}, now))
	}
	for code, want := range map[string][]string{organisation: {organisation}, "RXX03": {"RXX03", "RXX02", organisation}} {
		got, err := in.OrganisationPath(ctx, code)
		must(t, err)
		same(t, "OrganisationPath("+code+")", got, want)
	}
	got, err := in.OrganisationPaths(ctx, []string{"RXX03", "RXX09", organisation})
	must(t, err)
	same(t, "OrganisationPaths()", got, map[string][]string{organisation: {organisation}, "RXX03": {"RXX03", "RXX02", organisation}})
	is(t, "OrganisationPath(of none)", second(in.OrganisationPath(ctx, "RXX09")), store.ErrNotFound)

	// Organisations that stand above each other, which only the owner could bring about, end it.
	conn, err := pgx.Connect(ctx, in.ownerURL)
	must(t, err)
	exec(t, conn, `UPDATE organisation SET parent_code = 'RXX03' WHERE code = '`+organisation+`'`)
	must(t, conn.Close(ctx))
	if got, err := in.OrganisationPath(ctx, "RXX03"); err != nil || len(got) != 21 {
		t.Errorf("OrganisationPath(in a circle) = %q, %v, want an end after 20 above it", got, err)
	}
}

func TestEnsureMembership(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	got, err := in.EnsureMembership(t.Context(), "200000000009", ana, organisation, now)
	if err != nil || got != anaMembership {
		t.Errorf("EnsureMembership(that is there) = %q, %v, want %q", got, err, anaMembership)
	}
}

func TestAddWorkgroupTwice(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	is(t, "AddWorkgroup(again)", in.AddWorkgroup(t.Context(), store.Workgroup{ID: workgroup, Name: "Another name"}), nil)
	got, err := in.Person(t.Context(), ana, now)
	must(t, err)
	same(t, "Person()", got, standingAna())
}

func TestRoles(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	future := newRole("300000000003", anaMembership)
	future.StartsAt, future.EndsAt, future.AreasOfWork, future.Activities, future.Workgroups = later, nil, nil, nil, nil
	must(t, in.AddRole(ctx, future, now))
	row := store.RoleRow{ID: anaRole, PersonID: ana, OrganisationCode: organisation, JobRole: "S8000:G8000:R8000", Activities: []string{"B0420", "B0001"}, StartsAt: now, EndsAt: &later}
	third := row
	third.ID, third.Activities, third.StartsAt, third.EndsAt = "300000000003", []string{}, later, nil
	got, err := in.Roles(ctx, ana, "", 10)
	must(t, err)
	same(t, "Roles(of Ana)", got, []store.RoleRow{row, third})

	at := now.Add(time.Minute)
	for role, end := range map[string]time.Time{anaRole: at, future.ID: later} { // one that has not started never does
		ended, err := in.EndRole(ctx, role, at)
		must(t, err)
		if before := map[string]*time.Time{anaRole: &later, future.ID: nil}[role]; ended.PersonID != ana || !ended.EndsAt.Equal(end) || (before == nil) != (ended.EndedBefore == nil) {
			t.Errorf("EndRole(%s) = %+v, want a role of %s that ends at %v, and was to end at %v", role, ended, ana, end, before)
		}
		rows, err := in.Roles(ctx, ana, role[:11], 10)
		must(t, err)
		for _, r := range rows {
			if r.ID == role && (r.EndsAt == nil || !r.EndsAt.Equal(end)) {
				t.Errorf("end of role %s = %v, want %v", role, r.EndsAt, end)
			}
		}
	}
	for _, at := range []time.Time{at, later, later.Add(time.Hour)} {
		p, err := in.Person(ctx, ana, at)
		must(t, err)
		same(t, "roles after they ended", p.Person.Roles, []store.Role{})
	}
}

// Lists go by key, from the one after the last that was seen.
func TestPages(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: "RXX02", Name: "Branch", ParentCode: new(organisation)}, now))
	must(t, in.AddClient(ctx, newClient("zebra")))
	for _, tt := range []struct {
		list string
		page func(after string, limit int) ([]string, error)
		want []string
	}{
		{"People", func(after string, limit int) ([]string, error) {
			rows, err := in.People(ctx, after, limit)
			return keys(rows, func(r store.PersonRow) string { return r.ID }), err
		}, []string{ana, ben}},
		{"Organisations", func(after string, limit int) ([]string, error) {
			rows, err := in.Organisations(ctx, after, limit)
			return keys(rows, func(r store.Organisation) string { return r.Code }), err
		}, []string{organisation, "RXX02"}},
		{"Roles", func(after string, limit int) ([]string, error) {
			rows, err := in.Roles(ctx, "", after, limit)
			return keys(rows, func(r store.RoleRow) string { return r.ID }), err
		}, []string{anaRole, benRole}},
		{"Clients", func(after string, limit int) ([]string, error) {
			rows, err := in.Clients(ctx, after, limit)
			return keys(rows, func(r store.Client) string { return r.ID }), err
		}, []string{ward, "zebra"}},
	} {
		t.Run(tt.list, func(t *testing.T) {
			t.Parallel()
			first, second := tt.want[0], tt.want[1]
			for _, page := range []struct {
				after string
				limit int
				want  []string
			}{{"", 10, tt.want}, {"", 1, []string{first}}, {first, 1, []string{second}}, {second, 10, []string{}}, {"", 0, []string{}}} {
				got, err := tt.page(page.after, page.limit)
				must(t, err)
				same(t, tt.list+" after "+page.after, got, page.want)
			}
		})
	}
}

func keys[T any](rows []T, key func(T) string) []string {
	out := make([]string, 0, len(rows))
	for _, r := range rows {
		out = append(out, key(r))
	}
	return out
}

// Who is born on one day, or has one address, is added by one after the other.
func TestLockNewcomers(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	watcher := connect(t, in.ownerURL)
	waiting := func() int {
		return value[int](t, watcher, `SELECT count(*)::int FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND NOT granted AND datname = current_database()`)
	}
	lock := func(born, email string, meanwhile func()) error {
		return in.InTx(ctx, func(tx *store.Tx) error {
			if err := tx.LockNewcomers(ctx, new(day(t, born)), email); err != nil {
				return err
			}
			_, err := tx.PeopleOfID(ctx, ana) // with which the lock travels
			meanwhile()
			return err
		})
	}
	done := make(chan error, 2)
	must(t, lock("1990-01-01", "zoe@example.org", func() {
		is(t, "LockNewcomers(another)", lock("1990-01-02", "ana@example.org", func() {}), nil)
		is(t, "LockNewcomers(another without an address)", lock("1990-01-03", "", func() {}), nil)
		for i, email := range []string{"ZOE@example.org", ""} {
			born := []string{"1990-01-02", "1990-01-01"}[i]
			go func() { done <- lock(born, email, func() {}) }()
			eventually(t, "the wait of one more", func() bool { return waiting() == i+1 })
		}
		if len(done) != 0 {
			t.Error("LockNewcomers(who is being added) came back, want it to wait")
		}
	}))
	is(t, "LockNewcomers(let go)", errors.Join(<-done, <-done), nil)
	must(t, lock("1990-01-01", "", func() {
		is(t, "LockNewcomers(of no address, beside another of none)", lock("1990-01-02", "", func() {}), nil)
	}))
}
