package directory_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

// seeded is everything that a seed makes.
type seeded struct {
	People        []store.Standing
	Organisations []store.Organisation
	Roles         []store.RoleRow
}

func readSeeded(t *testing.T, s *store.Store) seeded {
	t.Helper()
	var all seeded
	people, err := s.People(t.Context(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range people {
		person, err := s.Person(t.Context(), row.ID, now)
		if err != nil {
			t.Fatal(err)
		}
		all.People = append(all.People, person)
	}
	if all.Organisations, err = s.Organisations(t.Context(), "", 100); err != nil {
		t.Fatal(err)
	}
	if all.Roles, err = s.Roles(t.Context(), "", "", 100); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestSeedTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	key, _ := seal.NewKey()
	s := storetest.New(t)
	if err := directory.Seed(t.Context(), s, key, now); err != nil {
		t.Fatal(err)
	}
	first, record := readSeeded(t, s), events(t, s)
	if len(first.People) != len(directory.FixedPeople()) {
		t.Errorf("Seed made %d people, want %d", len(first.People), len(directory.FixedPeople()))
	}
	if err := directory.Seed(t.Context(), s, key, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(first, readSeeded(t, s)); diff != "" {
		t.Errorf("after the second Seed (-first +second):\n%s", diff)
	}
	if diff := cmp.Diff(record, events(t, s)); diff != "" {
		t.Errorf("audit record after the second Seed (-first +second):\n%s", diff)
	}
}

func TestSeedCompletesAHalf(t *testing.T) {
	t.Parallel()
	key, _ := seal.NewKey()
	whole, half := storetest.New(t), storetest.New(t)
	if err := directory.Seed(t.Context(), whole, key, now); err != nil {
		t.Fatal(err)
	}
	// Without what follows a person, who was added last before the process died.
	if err := directory.AddOrganisation(t.Context(), half, store.Organisation{Code: "X09", Name: "NHS CONNECTING FOR HEALTH"}, "dev", now); err != nil {
		t.Fatal(err)
	}
	if _, err := directory.AddPerson(t.Context(), half, directory.NewPerson{
		ID: "656005750107", Title: "Dr", GivenName: "Petra", FamilyName: "Larkspell", Email: "petra.larkspell@larkmere.example",
	}, "dev", now); err != nil {
		t.Fatal(err)
	}
	if err := directory.Seed(t.Context(), half, key, now); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(readSeeded(t, whole), readSeeded(t, half)); diff != "" {
		t.Errorf("Seed of a half (-whole +half):\n%s", diff)
	}
}

func TestSeedLeavesChangesAlone(t *testing.T) {
	t.Parallel()
	key, _ := seal.NewKey()
	s := storetest.New(t)
	if err := directory.Seed(t.Context(), s, key, now); err != nil {
		t.Fatal(err)
	}
	if err := directory.DisablePerson(t.Context(), s, "656005750107", operator, now); err != nil {
		t.Fatal(err)
	}
	if err := directory.EndRole(t.Context(), s, "656014108001", operator, now); err != nil {
		t.Fatal(err)
	}
	changed := readSeeded(t, s)
	if err := directory.Seed(t.Context(), s, key, now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(changed, readSeeded(t, s)); diff != "" {
		t.Errorf("Seed after changes (-before +after):\n%s", diff)
	}
}

// A database from before there was evidence gets it; a person from whom evidence was taken gets none again.
func TestSeedAddsEvidenceOnce(t *testing.T) {
	t.Parallel()
	key, _ := seal.NewKey()
	s := storetest.New(t)
	const before, forger = "656005750107", "656005750108"
	if _, err := directory.AddPerson(t.Context(), s, directory.NewPerson{ID: before, GivenName: "Petra", FamilyName: "Larkspell"}, "dev", now); err != nil {
		t.Fatal(err)
	}
	level := func(id string) string {
		t.Helper()
		person, err := s.Person(t.Context(), id, now)
		if err != nil {
			t.Fatal(err)
		}
		return person.Person.IdentityLevel
	}
	if err := directory.Seed(t.Context(), s, key, now); err != nil {
		t.Fatal(err)
	}
	if got := level(before); got != "high" {
		t.Errorf("level of a person from before = %s, want high", got)
	}
	desk, err := evidence.New(s, key, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	list, err := desk.Of(t.Context(), forger, uuid.Nil, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range list {
		if _, err := desk.Withdraw(t.Context(), operator, uuid.MustParse(piece.ID), evidence.Forged); err != nil {
			t.Fatal(err)
		}
	}
	if err := directory.Seed(t.Context(), s, key, now); err != nil {
		t.Fatal(err)
	}
	if got := level(forger); got != "none" {
		t.Errorf("level of a person whose evidence was withdrawn = %s, want none", got)
	}
}

// The seven users of the mock sign-in of the NHS API platform, by role and level, and ours beside them.
func TestSeededPeopleHaveTheirRolesAndLevels(t *testing.T) {
	t.Parallel()
	key, _ := seal.NewKey()
	s := storetest.New(t)
	if err := directory.Seed(t.Context(), s, key, now); err != nil {
		t.Fatal(err)
	}
	type row struct {
		ID       string
		Level    assurance.AuthenticatorLevel
		Identity string // and the profile of GPG 45 that her evidence meets
		JobRoles []string
	}
	var got []row
	for _, fixed := range directory.FixedPeople() {
		person, err := s.Person(t.Context(), fixed.ID, now)
		if err != nil {
			t.Fatal(err)
		}
		if person.Person.DisplayName != fixed.Name || fixed.Description == "" {
			t.Errorf("FixedPeople: %+v, want the name %q and a description", fixed, person.Person.DisplayName)
		}
		identity, err := s.Identity(t.Context(), fixed.ID)
		if err != nil || identity.Level != person.Person.IdentityLevel {
			t.Errorf("Identity(%s) = %+v, %v, want the level %s", fixed.ID, identity, err, person.Person.IdentityLevel)
		}
		r := row{ID: fixed.ID, Level: assurance.Simulate(fixed.Method, now).Level(), Identity: identity.Level + " " + identity.Profile}
		for _, role := range person.Person.Roles {
			r.JobRoles = append(r.JobRoles, role.JobRole)
			prescribes := role.JobRole == "S8000:G8000:R8000" || role.JobRole == "S0030:G0100:R0260"
			if slices.Contains(role.Activities, "B0420") != prescribes {
				t.Errorf("role %s of %s has activities %v, want B0420: %v", role.JobRole, fixed.ID, role.Activities, prescribes)
			}
		}
		got = append(got, r)
	}
	want := []row{
		{"656005750104", 3, "high H1A", []string{"S0080:G0450:R5080", "S8001:G8002:R8008"}},
		{"656005750107", 3, "high H1A", []string{"S8000:G8000:R8000"}},
		{"656005750108", 3, "high H1A", []string{"S0030:G0100:R0260"}},
		{"656005750109", 2, "high H1A", []string{"S8000:G8000:R8000"}},
		{"656005750110", 1, "low L1A", []string{"S8000:G8000:R8004"}},
		{"656005750111", 2, "high H1A", []string{"S0030:G0100:R0260"}},
		{"656005750112", 2, "high H1A", []string{"S8001:G8002:R8008"}},
		{"656005750113", 2, "medium M1A", nil},
		{"656005750114", 2, "high H1A", nil},
		{"656005750115", 3, "very_high V1B", []string{
			"S8000:G8000:R8000", "S8000:G8000:R8001", "S8002:G8003:R0001", "S0030:G0100:R0260", "S8001:G8002:R8008", "S8000:G8000:R8003", "S0030:G0100:R0620",
		}},
		{"656005750116", 3, "high H1A", []string{"S0080:G0450:R5080"}},
		{"656005750117", 3, "high H1A", []string{"S0080:G0450:R5090"}},
		{"656005750118", 3, "high H1A", []string{"S8001:G8002:R8008"}},
		{"656005750119", 3, "high H1A", []string{"S0080:G0450:R5090"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fixed people (-want +got):\n%s", diff)
	}
	expired, err := s.Roles(t.Context(), "656005750114", "", 10)
	if err != nil || len(expired) != 1 || expired[0].EndsAt == nil {
		t.Errorf("roles of 656005750114 = %v, %v, want one that has ended", expired, err)
	}
}

// 656005750104 holds the role profiles of the public userinfo sample, code for code.
func TestSeededSamplePerson(t *testing.T) {
	t.Parallel()
	key, _ := seal.NewKey()
	s := storetest.New(t)
	if err := directory.Seed(t.Context(), s, key, now); err != nil {
		t.Fatal(err)
	}
	got, err := s.Person(t.Context(), "656005750104", now)
	if err != nil {
		t.Fatal(err)
	}
	wantRoles := []store.Role{
		{
			ID: "656005754108", MembershipID: "656005753107", OrganisationCode: "X09", OrganisationName: "NHS CONNECTING FOR HEALTH", JobRole: "S0080:G0450:R5080",
			AreasOfWork: []string{"P0020:Q0300:T0640", "P0010:Q0050:T0210"}, Activities: []string{"B0015", "B0028", "B0030", "B0017"},
			Workgroups: []store.Workgroup{
				{ID: "655694018104", Name: "AUG 2017 WKGP"},
				{ID: "555653110100", Name: "CAR-384 One"},
				{ID: "655681345103", Name: "chris irish 2"},
				{ID: "555653032105", Name: "CAR-384"},
			},
		},
		{
			ID: "656014452101", MembershipID: "656008045105", OrganisationCode: "Y51", OrganisationName: "THE NORTH MIDLANDS AND EAST PROGRAMME FOR IT (NMEPFIT)",
			JobRole: "S8001:G8002:R8008", AreasOfWork: []string{}, Activities: []string{"B0145", "B8002", "B1560"}, Workgroups: []store.Workgroup{},
		},
	}
	if diff := cmp.Diff(wantRoles, got.Person.Roles); diff != "" {
		t.Errorf("roles (-want +got):\n%s", diff)
	}
	wantRegistrations := []store.Registration{
		{Body: "consultant", Number: "TestConsultant"},
		{Body: "gdc", Number: "GDC123"},
		{Body: "gdp", Number: "GDP123"},
		{Body: "gmc", Number: "GMC123"},
		{Body: "gmp", Number: "GMP123"},
		{Body: "gphc", Number: "GPhC123"},
		{Body: "nmc", Number: "NMC123"},
		{Body: "rcn", Number: "RCN123"},
	}
	if diff := cmp.Diff(wantRegistrations, got.Person.Registrations); diff != "" {
		t.Errorf("registrations (-want +got):\n%s", diff)
	}
}
