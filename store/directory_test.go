package store_test

import (
	"cmp"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/store"
)

// standingAna is Ana as standing() reads her, all of it standing.
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

// Each thing that access stands on can fall alone, and is then the only one that does not stand.
func TestStanding(t *testing.T) { //nolint:tparallel // the subtests take turns on one database
	t.Parallel()
	in := newInstallation(t)
	owner := connect(t, in.ownerURL)
	const second = `'2026-03-04 05:06:08+00'`
	for _, tt := range []struct {
		name   string
		change string
		at     time.Time // now if zero
		client string    // the ward if ""
		role   string    // Ana's if ""

		authenticator uuid.UUID // Ana's if nil
		want          func(*store.Standing)
		fallen        string
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
			name: "the client is unknown", client: "nobody",
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
			name: "the session is unknown", change: `DELETE FROM refresh_token; DELETE FROM authorization_grant; DELETE FROM session`,
			want: func(s *store.Standing) { s.SessionStands = false }, fallen: "session_ended",
		},
		{
			name: "the authenticator is revoked", change: `UPDATE authenticator SET revoked_at = ` + second,
			want: func(s *store.Standing) { s.AuthenticatorStands = false }, fallen: "authenticator_revoked",
		},
		{
			name: "the authenticator is unknown", authenticator: sessionID,
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
			name: "the role has not started", at: now.Add(-time.Microsecond),
			want: func(s *store.Standing) { s.RoleStands, s.Person.Roles = false, []store.Role{} },
		},
		{
			name: "the role is of another person", role: benRole,
			want: func(s *store.Standing) { s.RoleStands = false },
		},
		{
			name: "the role is unknown", role: "300000000009",
			want: func(s *store.Standing) { s.RoleStands = false },
		},
		{name: "the role starts now", at: now, want: func(*store.Standing) {}},
		{name: "the role ends in a moment", at: later.Add(-time.Microsecond), want: func(*store.Standing) {}},
		{
			name: "no e-mail address is known, and there is nothing to list", change: `UPDATE person SET email = NULL; DELETE FROM professional_registration;
				UPDATE session SET role_id = NULL; UPDATE authorization_grant SET role_id = NULL; DELETE FROM role_profile; DELETE FROM membership`,
			want: func(s *store.Standing) {
				s.RoleStands = false
				s.Person.Email, s.Person.Registrations, s.Person.Memberships, s.Person.Roles = "", []store.Registration{}, []store.Membership{}, []store.Role{}
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			exec(t, owner, `BEGIN`)
			defer exec(t, owner, `ROLLBACK`)
			exec(t, owner, tt.change)
			at := tt.at
			if at.IsZero() {
				at = now
			}
			rows, err := owner.Query(t.Context(), `
				SELECT person_stands, client_stands, session_stands, authenticator_stands, role_stands, person FROM standing($1, $2, $3, $4, $5, $6)`,
				ana, cmp.Or(tt.client, ward), sessionID, cmp.Or(tt.authenticator, authenticatorID), cmp.Or(tt.role, anaRole), at)
			must(t, err)
			got, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[store.Standing])
			must(t, err)
			want := standingAna()
			tt.want(&want)
			same(t, "standing()", got, want)
			if got.Fallen() != tt.fallen {
				t.Errorf("Fallen() = %q, want %q", got.Fallen(), tt.fallen)
			}
		})
	}
}

func TestPerson(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	at := now.Add(time.Minute)
	got, err := in.Person(ctx, ana, at)
	must(t, err)
	same(t, "Person()", got, standingAna())

	fallout, err := in.DisablePerson(ctx, ana, at)
	must(t, err)
	same(t, "DisablePerson()", fallout, store.Fallout{PersonID: ana, Sessions: []uuid.UUID{sessionID}})
	is(t, "UseEnrolmentLink(of a disabled person)", second(in.UseEnrolmentLink(ctx, hash("link"), at)), store.ErrNotFound)
	if got, err = in.Person(ctx, ana, at); err != nil || got.PersonStands {
		t.Errorf("Person(disabled) = stands %t, %v, want false", got.PersonStands, err)
	}
	must(t, in.EnablePerson(ctx, ana))
	if got, err = in.Person(ctx, ana, at); err != nil || !got.PersonStands {
		t.Errorf("Person(enabled) = stands %t, %v, want true", got.PersonStands, err)
	}
	// Sessions that ended stay ended.
	is(t, "UseEnrolmentLink(of a person who was disabled)", second(in.UseEnrolmentLink(ctx, hash("link"), at)), store.ErrNotFound)
	is(t, "Session(of a person who was disabled)", second(in.Session(ctx, hash("cookie"), "", at)), store.ErrNotFound)
	if got, err := in.Grant(ctx, grantID, at); err != nil || got.Fallen() != "session_ended" {
		t.Errorf("Grant(of a person who was disabled) = fallen %q, %v, want session_ended", got.Fallen(), err)
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
		if person, err := in.EndRole(ctx, role, at); err != nil || person != ana {
			t.Errorf("EndRole(%s) = %q, %v, want %q", role, person, err, ana)
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
