package directory_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const operator = "operator:test"

var now = time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)

// invalid lists the fields that an error finds wrong.
func invalid(t *testing.T, err error) []string {
	t.Helper()
	var fields []string
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		t.Fatalf("error = %v, want joined errors", err)
	}
	for _, err := range joined.Unwrap() {
		wrong, ok := errors.AsType[*directory.InvalidError](err)
		if !ok {
			t.Fatalf("error = %v, want an InvalidError", err)
		}
		fields = append(fields, wrong.Field)
	}
	return fields
}

func addPerson(t *testing.T, s *store.Store) string {
	t.Helper()
	id, err := directory.AddPerson(t.Context(), s, directory.NewPerson{GivenName: "Ada", FamilyName: "Example"}, operator, now)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func addOrganisation(t *testing.T, s *store.Store, code string) {
	t.Helper()
	if err := directory.AddOrganisation(t.Context(), s, store.Organisation{Code: code, Name: "Organisation " + code}, operator, now); err != nil {
		t.Fatal(err)
	}
}

func catalogue(t *testing.T) *directory.Catalogue {
	t.Helper()
	c, err := directory.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// events lists the audit record as "event actor person", which a test compares with what it did.
func events(t *testing.T, s *store.Store) []string {
	t.Helper()
	list, err := s.AuditEvents(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, e := range list {
		lines = append(lines, strings.TrimSpace(strings.Join([]string{e.Event, e.Actor, e.PersonID}, " ")))
	}
	return lines
}

func TestAddPerson(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	born := time.Date(1980, time.June, 1, 0, 0, 0, 0, time.UTC)
	id, err := directory.AddPerson(t.Context(), s, directory.NewPerson{
		Title: "Dr", GivenName: "Siân", MiddleNames: "नि\u200dकोला", FamilyName: "O’Example-Świt", Email: "sian@example.org", DateOfBirth: &born,
		Registrations: []store.Registration{{Body: "nmc", Number: "98A7654E"}, {Body: "gmc", Number: "7654321"}},
	}, operator, now)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`^[1-9][0-9]{11}$`).MatchString(id) {
		t.Errorf("AddPerson(without an id) = %q, want 12 digits", id)
	}
	got, err := s.Person(t.Context(), id, now)
	if err != nil {
		t.Fatal(err)
	}
	want := store.Person{
		ID: id, Title: "Dr", GivenName: "Siân", MiddleNames: "नि\u200dकोला", FamilyName: "O’Example-Świt", DisplayName: "Siân O’Example-Świt",
		Email: "sian@example.org", IdentityLevel: "none", Registrations: []store.Registration{{Body: "gmc", Number: "7654321"}, {Body: "nmc", Number: "98A7654E"}},
		Memberships: []store.Membership{}, Roles: []store.Role{},
	}
	if diff := cmp.Diff(want, got.Person); diff != "" {
		t.Errorf("Person after AddPerson (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"person_added operator:test " + id}, events(t, s)); diff != "" {
		t.Errorf("audit record (-want +got):\n%s", diff)
	}

	_, err = directory.AddPerson(t.Context(), s, directory.NewPerson{ID: id, GivenName: "Ada", FamilyName: "Example"}, operator, now)
	if !errors.Is(err, directory.ErrTaken) || !strings.Contains(err.Error(), id) {
		t.Errorf("AddPerson(taken id) = %v, want %v with the id", err, directory.ErrTaken)
	}
	if got := len(events(t, s)); got != 1 {
		t.Errorf("audit record after a refused AddPerson has %d lines, want 1", got)
	}
}

func TestAddPersonRefuses(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for name, test := range map[string]struct {
		change func(*directory.NewPerson)
		want   []string
	}{
		"a missing name":    {func(p *directory.NewPerson) { p.GivenName = "" }, []string{"given_name"}},
		"two missing names": {func(p *directory.NewPerson) { p.GivenName, p.FamilyName = "", "" }, []string{"given_name", "family_name"}},
		"names too long to show together": {func(p *directory.NewPerson) {
			p.GivenName, p.FamilyName = strings.Repeat("x", 100), strings.Repeat("x", 100)
		}, []string{"display_name"}},
		"a long name":                        {func(p *directory.NewPerson) { p.FamilyName = strings.Repeat("x", 101) }, []string{"family_name"}},
		"a line break in a name":             {func(p *directory.NewPerson) { p.DisplayName = "Ada\nExample" }, []string{"display_name"}},
		"an escape sequence in a title":      {func(p *directory.NewPerson) { p.Title = "\x1b[2J" }, []string{"title"}},
		"a right-to-left override":           {func(p *directory.NewPerson) { p.MiddleNames = "a\u202eb" }, []string{"middle_names"}},
		"a bidirectional isolate":            {func(p *directory.NewPerson) { p.MiddleNames = "a\u2066b" }, []string{"middle_names"}},
		"a byte order mark":                  {func(p *directory.NewPerson) { p.MiddleNames = "a\ufeffb" }, []string{"middle_names"}},
		"a line separator":                   {func(p *directory.NewPerson) { p.MiddleNames = "a\u2028b" }, []string{"middle_names"}},
		"a zero byte":                        {func(p *directory.NewPerson) { p.MiddleNames = "a\x00b" }, []string{"middle_names"}},
		"broken UTF-8":                       {func(p *directory.NewPerson) { p.MiddleNames = "a\xffb" }, []string{"middle_names"}},
		"a space at an end":                  {func(p *directory.NewPerson) { p.MiddleNames = "a " }, []string{"middle_names"}},
		"an id of letters":                   {func(p *directory.NewPerson) { p.ID = "65600575010A" }, []string{"id"}},
		"an id of digits of another script":  {func(p *directory.NewPerson) { p.ID = strings.Repeat("٣", 12) }, []string{"id"}},
		"an e-mail address with a name":      {func(p *directory.NewPerson) { p.Email = "Ada <ada@example.org>" }, []string{"email"}},
		"an e-mail address without a domain": {func(p *directory.NewPerson) { p.Email = "ada" }, []string{"email"}},
		"a long e-mail address":              {func(p *directory.NewPerson) { p.Email = strings.Repeat("a", 250) + "@example.org" }, []string{"email"}},
		"an e-mail address of letters that no mail server takes": {func(p *directory.NewPerson) { p.Email = "ana@օրինակ.հայ" }, []string{"email"}},
		"a birth in the future":                                  {func(p *directory.NewPerson) { p.DateOfBirth = new(now.AddDate(1, 0, 0)) }, []string{"date_of_birth"}},
		"a child":                                                {func(p *directory.NewPerson) { p.DateOfBirth = new(now.AddDate(-13, 0, 0)) }, []string{"date_of_birth"}},
		"a birth in the year one":                                {func(p *directory.NewPerson) { p.DateOfBirth = &time.Time{} }, []string{"date_of_birth"}},
		"an unknown professional body":                           {func(p *directory.NewPerson) { p.Registrations = []store.Registration{{Body: "abc", Number: "1"}} }, []string{"registration"}},
		"a registration without a number":                        {func(p *directory.NewPerson) { p.Registrations = []store.Registration{{Body: "gmc"}} }, []string{"registration"}},
		"two registrations of the same body": {func(p *directory.NewPerson) {
			p.Registrations = []store.Registration{{Body: "gmc", Number: "1"}, {Body: "gmc", Number: "2"}}
		}, []string{"registration"}},
		"several mistakes, and says them all": {func(p *directory.NewPerson) { p.ID, p.Title, p.Email = "1", "\t", "@" }, []string{"title", "email", "id"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := directory.NewPerson{GivenName: "Ada", FamilyName: "Example"}
			test.change(&p)
			_, err := directory.AddPerson(t.Context(), s, p, operator, now)
			if diff := cmp.Diff(test.want, invalid(t, err)); diff != "" {
				t.Errorf("AddPerson(%+v) (-want +got fields):\n%s", p, diff)
			}
		})
	}
}

func TestDisableAndEnablePerson(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	id := addPerson(t, s)
	for _, step := range []struct {
		name   string
		do     func() error
		want   error
		stands bool
	}{
		{"enable one who is enabled", func() error { return directory.EnablePerson(t.Context(), s, id, operator, now) }, directory.ErrUnknown, true},
		{"disable", func() error { return directory.DisablePerson(t.Context(), s, id, operator, now) }, nil, false},
		{"disable again", func() error { return directory.DisablePerson(t.Context(), s, id, operator, now) }, directory.ErrUnknown, false},
		{"enable", func() error { return directory.EnablePerson(t.Context(), s, id, operator, now) }, nil, true},
		{"disable nobody", func() error { return directory.DisablePerson(t.Context(), s, "000000000000", operator, now) }, directory.ErrUnknown, true},
	} {
		if err := step.do(); !errors.Is(err, step.want) {
			t.Errorf("%s: error = %v, want %v", step.name, err, step.want)
		}
		got, err := s.Person(t.Context(), id, now)
		if err != nil || got.PersonStands != step.stands {
			t.Errorf("%s: then PersonStands = %v, %v, want %v", step.name, got.PersonStands, err, step.stands)
		}
	}
	want := []string{"person_added operator:test " + id, "person_disabled operator:test " + id, "person_enabled operator:test " + id}
	if diff := cmp.Diff(want, events(t, s)); diff != "" {
		t.Errorf("audit record (-want +got):\n%s", diff)
	}
}

func TestAddOrganisation(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	addOrganisation(t, s, "ZX000")
	for name, test := range map[string]struct {
		organisation store.Organisation
		want         error    // to be told apart, or
		wantFields   []string // found wrong
	}{
		"one with a parent":              {store.Organisation{Code: "ZX100", Name: "Larkmere", ParentCode: new("ZX000")}, nil, nil},
		"a code that is taken":           {store.Organisation{Code: "ZX000", Name: "Another"}, directory.ErrTaken, nil},
		"a parent that does not exist":   {store.Organisation{Code: "ZX200", Name: "Orphan", ParentCode: new("ZX999")}, directory.ErrUnknown, nil},
		"its own parent":                 {store.Organisation{Code: "ZX300", Name: "Self", ParentCode: new("ZX300")}, nil, []string{"parent"}},
		"a small letter in the code":     {store.Organisation{Code: "zX400", Name: "Small"}, nil, []string{"code"}},
		"no name and a malformed parent": {store.Organisation{Code: "ZX500", ParentCode: new("-")}, nil, []string{"name", "parent"}},
		"an override in the name":        {store.Organisation{Code: "ZX600", Name: "a\u202eb"}, nil, []string{"name"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := directory.AddOrganisation(t.Context(), s, test.organisation, operator, now)
			if test.wantFields != nil {
				var fields []string
				for _, field := range []string{"code", "name", "parent"} {
					if strings.Contains(err.Error(), field+": want") {
						fields = append(fields, field)
					}
				}
				if diff := cmp.Diff(test.wantFields, fields); diff != "" {
					t.Errorf("AddOrganisation(%+v) = %v (-want +got fields):\n%s", test.organisation, err, diff)
				}
				return
			}
			if !errors.Is(err, test.want) {
				t.Errorf("AddOrganisation(%+v) = %v, want %v", test.organisation, err, test.want)
			}
		})
	}
}

func TestGrantAndEndRole(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	c := catalogue(t)
	person := addPerson(t, s)
	addOrganisation(t, s, "ZX100")

	first, err := directory.GrantRole(t.Context(), s, c, directory.NewRole{
		PersonID: person, Organisation: "ZX100", JobRole: "S8000:G8000:R8000", Activities: []string{"B0420", "B0360"},
		AreasOfWork: []string{"P0020:Q0300:T0640"}, Workgroups: []store.Workgroup{{ID: "655694018104", Name: "Ward 4"}},
	}, operator, now)
	if err != nil {
		t.Fatal(err)
	}
	second, err := directory.GrantRole(t.Context(), s, c, directory.NewRole{
		PersonID: person, Organisation: "ZX100", JobRole: "S8000:G8000:R8001", EndsAt: new(now.Add(time.Hour)),
	}, operator, now)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.Person(t.Context(), person, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Person.Memberships) != 1 {
		t.Fatalf("two roles at one organisation made memberships %v, want one", got.Person.Memberships)
	}
	membership := got.Person.Memberships[0].ID
	role, _ := got.Person.Role(first)
	want := store.Role{
		ID: first, MembershipID: membership, OrganisationCode: "ZX100", OrganisationName: "Organisation ZX100", JobRole: "S8000:G8000:R8000",
		AreasOfWork: []string{"P0020:Q0300:T0640"}, Activities: []string{"B0420", "B0360"}, Workgroups: []store.Workgroup{{ID: "655694018104", Name: "Ward 4"}},
	}
	if diff := cmp.Diff(want, role); diff != "" {
		t.Errorf("role as granted (-want +got):\n%s", diff)
	}
	if role, ok := got.Person.Role(second); !ok || role.MembershipID != membership {
		t.Errorf("second role = %+v, %v, want one of membership %s", role, ok, membership)
	}

	if err := directory.EndRole(t.Context(), s, first, operator, now); err != nil {
		t.Fatal(err)
	}
	if err := directory.EndRole(t.Context(), s, first, operator, now); !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("EndRole(ended) = %v, want %v", err, directory.ErrUnknown)
	}
	got, err = s.Person(t.Context(), person, now.Add(2*time.Hour))
	if err != nil || len(got.Person.Roles) != 0 {
		t.Errorf("roles after both ended = %v, %v, want none", got.Person.Roles, err)
	}
	wantEvents := []string{
		"person_added operator:test " + person, "organisation_added operator:test",
		"role_granted operator:test " + person, "role_granted operator:test " + person, "role_ended operator:test " + person,
	}
	if diff := cmp.Diff(wantEvents, events(t, s)); diff != "" {
		t.Errorf("audit record (-want +got):\n%s", diff)
	}
}

func TestGrantRoleRefuses(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	c := catalogue(t)
	person := addPerson(t, s)
	addOrganisation(t, s, "ZX100")
	taken, err := directory.GrantRole(t.Context(), s, c, directory.NewRole{PersonID: person, Organisation: "ZX100", JobRole: "S8000:G8000:R8000"}, operator, now)
	if err != nil {
		t.Fatal(err)
	}
	many := make([]string, 201)
	for i := range many {
		many[i] = fmt.Sprintf("B%04d", i)
	}
	for name, test := range map[string]struct {
		change func(*directory.NewRole)
		want   error  // to be told apart, or
		text   string // of the error
	}{
		"an unknown person":                          {func(r *directory.NewRole) { r.PersonID = "000000000000" }, directory.ErrUnknown, "person 000000000000"},
		"an unknown organisation":                    {func(r *directory.NewRole) { r.Organisation = "ZX999" }, directory.ErrUnknown, `organisation "ZX999"`},
		"an id that is taken":                        {func(r *directory.NewRole) { r.ID, r.JobRole = taken, "S8000:G8000:R8001" }, directory.ErrTaken, taken},
		"a job role that is not in the catalogue":    {func(r *directory.NewRole) { r.JobRole = "S8000:G8000:R9999" }, directory.ErrUnknownCode, `job role "S8000:G8000:R9999"`},
		"a part of a job role's code":                {func(r *directory.NewRole) { r.JobRole = "R8000" }, directory.ErrUnknownCode, `job role "R8000"`},
		"an activity that is not in the catalogue":   {func(r *directory.NewRole) { r.Activities = []string{"B0420", "B9999"} }, directory.ErrUnknownCode, `activity "B9999"`},
		"an area of work that is not there":          {func(r *directory.NewRole) { r.AreasOfWork = []string{"P9999:Q9999:T9999"} }, directory.ErrUnknownCode, `area of work "P9999:Q9999:T9999"`},
		"a malformed activity":                       {func(r *directory.NewRole) { r.Activities = []string{"420"} }, directory.ErrUnknownCode, `activity "420"`},
		"a malformed one, though unlisted are taken": {func(r *directory.NewRole) { r.Unlisted, r.Activities = true, []string{"B0420", "B99999"} }, directory.ErrUnknownCode, `activity "B99999"`},
		"an activity twice":                          {func(r *directory.NewRole) { r.Activities = []string{"B0420", "B0420"} }, nil, "activity: want each once"},
		"too many activities":                        {func(r *directory.NewRole) { r.Activities = many }, nil, "activity: want at most 200"},
		"a malformed area of work":                   {func(r *directory.NewRole) { r.AreasOfWork = []string{"T0640"} }, directory.ErrUnknownCode, `area of work "T0640"`},
		"a workgroup without a name":                 {func(r *directory.NewRole) { r.Workgroups = []store.Workgroup{{ID: "655694018104"}} }, nil, "workgroup: want 1 to 200 characters"},
		"a workgroup with a malformed id":            {func(r *directory.NewRole) { r.Workgroups = []store.Workgroup{{ID: "1", Name: "Ward"}} }, nil, "workgroup: want an id"},
		"an end before the start":                    {func(r *directory.NewRole) { r.EndsAt = new(now.Add(-time.Second)) }, nil, "ends: want a time after the start"},
		"a malformed id":                             {func(r *directory.NewRole) { r.ID, r.MembershipID = "1", "2" }, nil, "id: want 12 digits\nmembership: want 12 digits"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := directory.NewRole{PersonID: person, Organisation: "ZX100", JobRole: "S8000:G8000:R8000"}
			test.change(&r)
			_, err := directory.GrantRole(t.Context(), s, c, r, operator, now)
			if err == nil || test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) {
				t.Errorf("GrantRole(%+v) = %v, want %v with %q", r, err, test.want, test.text)
			}
		})
	}
}

// A role that differs in nothing from one that the person has says nothing, and would be there twice to choose from.
func TestTheSameRoleIsGrantedOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	c := catalogue(t)
	person, another := addPerson(t, s), addPerson(t, s)
	addOrganisation(t, s, "ZX100")
	addOrganisation(t, s, "ZX200")
	role := directory.NewRole{
		PersonID: person, Organisation: "ZX100", JobRole: "S8000:G8000:R8000", Activities: []string{"B0420", "B0360"},
		AreasOfWork: []string{"P0020:Q0300:T0640"}, Workgroups: []store.Workgroup{{ID: "655694018104", Name: "Ward 4"}},
	}
	granted, err := directory.GrantRole(t.Context(), s, c, role, operator, now)
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		change func(*directory.NewRole)
		want   error
	}{
		"again":                           {func(*directory.NewRole) {}, directory.ErrTaken},
		"under an id":                     {func(r *directory.NewRole) { r.ID = "000000000002" }, directory.ErrTaken},
		"with its codes in another order": {func(r *directory.NewRole) { r.Activities = []string{"B0360", "B0420"} }, directory.ErrTaken},
		"with an end":                     {func(r *directory.NewRole) { r.EndsAt = new(now.Add(time.Hour)) }, directory.ErrTaken},
		"from later on":                   {func(r *directory.NewRole) { r.StartsAt = now.Add(time.Hour) }, nil},
		"for a time that is over":         {func(r *directory.NewRole) { r.StartsAt, r.EndsAt = now.Add(-2*time.Hour), new(now.Add(-time.Hour)) }, nil},
		"to another person":               {func(r *directory.NewRole) { r.PersonID = another }, nil},
		"at another organisation":         {func(r *directory.NewRole) { r.Organisation = "ZX200" }, nil},
		"as another job role":             {func(r *directory.NewRole) { r.JobRole = "S8000:G8000:R8001" }, nil},
		"with an activity less":           {func(r *directory.NewRole) { r.Activities = []string{"B0360"} }, nil},
		"with an area of work more":       {func(r *directory.NewRole) { r.AreasOfWork = append([]string{"P0010:Q0050:T0210"}, r.AreasOfWork...) }, nil},
		"without the workgroup":           {func(r *directory.NewRole) { r.Workgroups = nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := role
			test.change(&r)
			_, err := directory.GrantRole(t.Context(), s, c, r, operator, now)
			if !errors.Is(err, test.want) {
				t.Errorf("GrantRole(%+v) = %v, want %v", r, err, test.want)
			}
			if test.want != nil && !strings.Contains(err.Error(), granted) {
				t.Errorf("GrantRole(%+v) = %v, want it to name role %s", r, err, granted)
			}
		})
	}
}

func TestAPersonHasAtMost100CurrentRoles(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	c := catalogue(t)
	person := addPerson(t, s)
	addOrganisation(t, s, "ZX100")
	role := directory.NewRole{PersonID: person, Organisation: "ZX100", JobRole: "S8000:G8000:R8000"}
	var id string
	for i := range 100 {
		role.Workgroups = []store.Workgroup{{ID: fmt.Sprintf("%012d", i), Name: "Ward"}}
		var err error
		if id, err = directory.GrantRole(t.Context(), s, c, role, operator, now); err != nil {
			t.Fatal(err)
		}
	}
	role.Workgroups = nil
	if _, err := directory.GrantRole(t.Context(), s, c, role, operator, now); !errors.Is(err, directory.ErrTooManyRoles) {
		t.Errorf("GrantRole(the 101st) = %v, want %v", err, directory.ErrTooManyRoles)
	}
	if err := directory.EndRole(t.Context(), s, id, operator, now); err != nil {
		t.Fatal(err)
	}
	if _, err := directory.GrantRole(t.Context(), s, c, role, operator, now); err != nil {
		t.Errorf("GrantRole(after one has ended) = %v, want nil", err)
	}
}
