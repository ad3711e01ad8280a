package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/store"
)

// withPeople has people of several names beside Ana and Ben, who are both called Ana Ng.
func withPeople(t *testing.T) *installation {
	t.Helper()
	in, ctx := newInstallation(t), t.Context()
	for _, p := range []struct{ id, given, family, born, email string }{
		{"100000000011", "Amara", "Okafor", "1985-03-31", "Amara.Okafor@example.org"},
		{"100000000012", "Amara Grace", "Okafor", "1985-03-31", ""},
		{"100000000013", "Zoë", "Müller-Sørensen", "1990-01-01", ""},
		{"100000000014", "Siobhán", "O’Brien", "", "amara.okafor@example.org"},
		{"100000000015", "John", "Smith", "1990-01-01", ""},
		{"100000000016", "Jon", "Smyth", "1990-01-01", ""},
	} {
		person := store.NewPerson{
			ID: p.id, Handle: hash("handle " + p.id), GivenName: p.given, FamilyName: p.family, DisplayName: p.given + " " + p.family, Email: p.email,
			IdentityLevel: "none",
		}
		if p.born != "" {
			person.DateOfBirth = new(day(t, p.born))
		}
		must(t, in.AddPerson(ctx, person, now))
	}
	return in
}

func day(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, text)
	must(t, err)
	return d
}

// ids is the last two digits of each id.
func ids(people []store.FoundPerson) string {
	list := make([]string, len(people))
	for i, p := range people {
		list[i] = p.ID[10:]
	}
	return strings.Join(list, " ")
}

func TestPeopleNamed(t *testing.T) {
	t.Parallel()
	in, ctx := withPeople(t), t.Context()
	for _, tt := range []struct{ what, name, after, want string }{
		{"the whole name, likest first", "Amara Okafor", "", "11 12"},
		{"without regard to case", "AMARA okafor", "", "11 12"},
		{"the family name first", "okafor amara", "", "11 12"},
		{"a part of the name", "okafor", "", "11 12"},
		{"the beginning of a name", "okaf", "", "11 12"},
		{"a letter that is missing", "Amara Okafr", "", "11 12"},
		{"a name that stands between", "Amara Grace Okafor", "", "12 11"},
		{"from one person on", "Amara Okafor", "100000000011", "12"},
		{"from the last on", "Amara Okafor", "100000000012", ""},
		{"from one who is nobody", "Amara Okafor", "100000000099", ""},
		{"without its accents", "zoe muller", "", "13"},
		{"with its accents", "Zoë Müller-Sørensen", "", "13"},
		{"with another apostrophe", "Siobhan O'Brien", "", "14"},
		{"a name that is only a little like it", "Amanda Oakley", "", ""},
		{"nobody's", "Xavier Quist", "", ""},
		{"no name", "", "", ""},
		{"signs that mean something elsewhere", `%_\'`, "", ""},
	} {
		got, err := in.PeopleNamed(ctx, tt.name, store.Order{}, tt.after, 10)
		if err != nil || ids(got) != tt.want {
			t.Errorf("PeopleNamed(%s: %q, after %q) = %s, %v, want %s", tt.what, tt.name, tt.after, ids(got), err, tt.want)
		}
	}
	first, err := in.PeopleNamed(ctx, "Amara Okafor", store.Order{}, "", 1)
	must(t, err)
	same(t, "PeopleNamed(at most one)", first, []store.FoundPerson{{ID: "100000000011", DisplayName: "Amara Okafor", IdentityLevel: "none", Organisations: []string{}}})
	must(t, second(in.DisablePerson(ctx, ben, later)))
	both, err := in.PeopleNamed(ctx, "Ana Ng", store.Order{}, "", 10)
	must(t, err)
	same(t, "PeopleNamed(of one name)", both, []store.FoundPerson{
		{ID: ana, DisplayName: "Ana Ng", IdentityLevel: "high", Organisations: []string{"Riverside"}},
		{ID: ben, DisplayName: "Ana Ng", IdentityLevel: "high", DisabledAt: &later, Organisations: []string{"Riverside"}},
	})
}

// Who is called as is looked for is found though more than are looked at have the same given name, and so are like it.
func TestPeopleNamedAmongMany(t *testing.T) {
	t.Parallel()
	in, ctx := withPeople(t), t.Context()
	owner := connect(t, in.ownerURL)
	exec(t, owner, `INSERT INTO person (id, handle, title, given_name, middle_names, family_name, display_name, identity_level, created_at, version)
		SELECT to_char(200000000000 + n, 'FM000000000000'), sha256(n::text::bytea), '', 'Jennifer', '', CASE n WHEN 2088 THEN 'Day' ELSE 'Smith' END, 'Jennifer', 'none', now(), gen_random_uuid()
		FROM generate_series(1, 2088) n`)
	exec(t, owner, `ANALYZE person`)
	for _, name := range []string{"Jennifer Day", "day jennifer", "Jennifer Dayy"} {
		for _, order := range []store.Order{{}, {By: store.ByPerson, Descending: true}} {
			got, err := in.PeopleNamed(ctx, name, order, "", 2)
			if err != nil || len(got) != 2 || got[0].ID != "200000002088" {
				t.Errorf("PeopleNamed(%s, %v) = %+v, %v, want her who is called so first", name, order, got, err)
			}
		}
	}
	exec(t, owner, `UPDATE person SET family_name = 'Daye' WHERE id = '200000002087'`)
	for limit, want := range map[int]int{2: 2, 10: 10} { // two are called so
		got, err := in.PeopleNamed(ctx, "Jennifer Day", store.Order{}, "", limit)
		if err != nil || len(got) != want || ids(got[:2]) != "88 87" {
			t.Errorf("PeopleNamed(at most %d) = %s, %v, want %d, and first who are called so", limit, ids(got), err, want)
		}
	}
	got, err := in.PeopleNamed(ctx, "Jenifer Smith", store.Order{}, "", 20)
	if err != nil || len(got) != 20 || ids(got[:1]) == "88" {
		t.Errorf("PeopleNamed(of a name that many have) = %s, %v, want 20 of them", ids(got), err)
	}
}

func TestPeopleBornOn(t *testing.T) {
	t.Parallel()
	in, ctx := withPeople(t), t.Context()
	for _, tt := range []struct{ what, born, name, after, want string }{
		{"the likest first", "1990-01-01", "John Smith", "", "15 16"},
		{"a name that is less like it", "1990-01-01", "Jon Smyt", "", "16 15"},
		{"from one person on", "1990-01-01", "John Smith", "100000000015", "16"},
		{"another name", "1990-01-01", "Okafor", "", ""},
		{"another day", "1990-01-02", "John Smith", "", ""},
	} {
		got, err := in.PeopleBornOn(ctx, day(t, tt.born), tt.name, store.Order{}, tt.after, 10)
		if err != nil || ids(got) != tt.want {
			t.Errorf("PeopleBornOn(%s: %s, %q) = %s, %v, want %s", tt.what, tt.born, tt.name, ids(got), err, tt.want)
		}
	}
	for person, want := range map[string]*time.Time{"100000000011": new(day(t, "1985-03-31")), "100000000014": nil} {
		born, err := in.DateOfBirth(ctx, person)
		must(t, err)
		same(t, "DateOfBirth("+person+")", born, want)
	}
	_, err := in.DateOfBirth(ctx, "100000000099")
	is(t, "DateOfBirth(unknown)", err, store.ErrNotFound)
}

func TestPeopleOfEmail(t *testing.T) {
	t.Parallel()
	in, ctx := withPeople(t), t.Context()
	for _, tt := range []struct{ email, after, want string }{
		{"amara.okafor@example.org", "", "11 14"},
		{"AMARA.OKAFOR@EXAMPLE.ORG", "", "11 14"},
		{"amara.okafor@example.org", "100000000011", "14"},
		{"amara.okafor", "", ""},
		{"", "", ""},
	} {
		got, err := in.PeopleOfEmail(ctx, tt.email, store.Order{}, tt.after, 10)
		if err != nil || ids(got) != tt.want {
			t.Errorf("PeopleOfEmail(%q, after %q) = %s, %v, want %s", tt.email, tt.after, ids(got), err, tt.want)
		}
	}
}

func TestPeopleOfID(t *testing.T) {
	t.Parallel()
	in, ctx := withPeople(t), t.Context()
	for id, want := range map[string][]store.FoundPerson{
		ana:            {{ID: ana, DisplayName: "Ana Ng", IdentityLevel: "high", Organisations: []string{"Riverside"}}},
		"100000000099": {},
	} {
		got, err := in.PeopleOfID(ctx, id)
		must(t, err)
		same(t, "PeopleOfID("+id+")", got, want)
	}
}

func TestPositionedRoles(t *testing.T) {
	t.Parallel()
	in, ctx := withPosition(t), t.Context()
	const given = "300000000009"
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		role := newRole(given, benMembership)
		role.PositionID, role.RequestID, role.EndsAt = new(anaPosition), &requestID, nil
		return tx.AddRole(ctx, role, now)
	}))
	of := func(id, positionID, name string, ends *time.Time) store.PositionedRole {
		return store.PositionedRole{
			ID: id, OrganisationCode: organisation, OrganisationName: "Riverside", JobRole: "S8000:G8000:R8000", PositionID: positionID, PositionName: name,
			StartsAt: now, EndsAt: ends,
		}
	}
	granted, positioned := of(benRole, "", "", &later), of(given, anaPosition, "Ward nurse", nil)
	for _, tt := range []struct {
		after string
		limit int
		at    time.Time
		want  []store.PositionedRole
	}{
		{"", 10, now, []store.PositionedRole{granted, positioned}},
		{"", 1, now, []store.PositionedRole{granted}},
		{benRole, 10, now, []store.PositionedRole{positioned}},
		{"", 10, later, []store.PositionedRole{positioned}}, // the other has ended
	} {
		got, err := in.PositionedRoles(ctx, ben, store.Order{}, tt.after, tt.limit, tt.at)
		must(t, err)
		same(t, "PositionedRoles(after "+tt.after+")", got, tt.want)
	}
}

func TestOpenRequestsFor(t *testing.T) {
	t.Parallel()
	in, ctx := withPosition(t), t.Context()
	for _, tt := range []struct {
		person string
		at     time.Time
		want   int
	}{{ben, now, 1}, {ben, later, 0}, {ana, now, 0}} {
		got, err := in.OpenRequestsFor(ctx, tt.person, nil, 10, tt.at)
		if err != nil || len(got) != tt.want || tt.want > 0 && (got[0].ID != requestID || got[0].PositionName != "Ward nurse") {
			t.Errorf("OpenRequestsFor(%s at %s) = %v, %v, want %d", tt.person, tt.at, got, err, tt.want)
		}
	}
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		return tx.SettleRequest(ctx, requestID, store.Settlement{State: "withdrawn", Reason: "No", At: now})
	}))
	got, err := in.OpenRequestsFor(ctx, ben, nil, 10, now)
	must(t, err)
	same(t, "OpenRequestsFor(whose request was withdrawn)", got, []store.WaitingRequest{})
}

func TestOfferedPositions(t *testing.T) {
	t.Parallel()
	in, ctx := withPosition(t), t.Context()
	const draft, closed, below = "600000000002", "600000000003", "600000000004"
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		for id, at := range map[string]string{draft: organisation, closed: organisation, below: "RXX02"} {
			must(t, tx.AddPosition(ctx, id, at, now))
			v := newVersion(1)
			v.PositionID, v.Closes, v.Name, v.Assignable = id, id == closed, "Porter", id == below
			must(t, tx.AddPositionVersion(ctx, v))
			if id != draft {
				must(t, tx.ApprovePositionVersion(ctx, id, 1, ben, benRole, now))
			}
		}
		return nil
	}))
	nurse := store.OfferedPosition{ID: anaPosition, OrganisationCode: organisation, OrganisationName: "Riverside", Name: "Ward nurse", Notes: "Nights", JobRole: "S8000:G8000:R8000"}
	porter := store.OfferedPosition{ID: below, OrganisationCode: "RXX02", OrganisationName: "Ward", Name: "Porter", Notes: "Nights", JobRole: "S8000:G8000:R8000", Assignable: true}
	for _, tt := range []struct {
		organisation, text, after string
		limit                     int
		want                      []store.OfferedPosition
	}{
		{organisation, "", "", 10, []store.OfferedPosition{nurse, porter}},
		{organisation, "", "", 1, []store.OfferedPosition{nurse}},
		{organisation, "", anaPosition, 10, []store.OfferedPosition{porter}},
		{organisation, "WARD", "", 10, []store.OfferedPosition{nurse}},
		{organisation, "%", "", 10, []store.OfferedPosition{}},
		{"RXX02", "", "", 10, []store.OfferedPosition{porter}},
		{"nowhere", "", "", 10, []store.OfferedPosition{}},
	} {
		got, err := in.OfferedPositions(ctx, tt.organisation, tt.text, store.Order{}, tt.after, tt.limit)
		must(t, err)
		same(t, "OfferedPositions("+tt.organisation+" "+tt.text+")", got, tt.want)
	}
}
