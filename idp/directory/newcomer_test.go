package directory_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func newcomer(given, family, email string, born time.Time) directory.Newcomer {
	return directory.Newcomer{NewPerson: directory.NewPerson{GivenName: given, FamilyName: family, Email: email, DateOfBirth: &born}}
}

// last is what the last line of the record says.
func last(t *testing.T, s *store.Store) (event, person string, detail map[string]string) {
	t.Helper()
	list, err := s.AuditEvents(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	e := list[len(list)-1]
	return e.Event, e.PersonID, e.Detail
}

// Nobody is added before everybody who may be the same was shown.
func TestAddNewcomer(t *testing.T) {
	t.Parallel()
	s, ctx := storetest.New(t), t.Context()
	born, otherDay := time.Date(1985, time.March, 31, 0, 0, 0, 0, time.UTC), time.Date(1990, time.January, 1, 0, 0, 0, 0, time.UTC)
	for _, p := range []directory.NewPerson{
		{ID: "100000000001", GivenName: "Amara", FamilyName: "Okafor", DateOfBirth: &otherDay},
		{ID: "100000000002", GivenName: "Amarah", FamilyName: "Okafr", DateOfBirth: &born},
		{ID: "100000000003", GivenName: "Bram", FamilyName: "de Vries", Email: "Amara@example.org"},
		{ID: "100000000004", GivenName: "Xavier", FamilyName: "Quist", DateOfBirth: &born},
	} {
		if _, err := directory.AddPerson(ctx, s, p, operator, now); err != nil {
			t.Fatal(err)
		}
	}
	by := audit.Entry{At: now, Actor: operator, Detail: map[string]string{"officer_role": "1"}}
	amara := newcomer("Amara", "Okafor", "amara@example.org", born)
	for _, test := range []struct {
		name  string
		sure  bool
		shown []string
	}{
		{"before she is sure", false, nil},
		{"before she is sure, whatever was shown", false, []string{"100000000001", "100000000002", "100000000003"}},
		{"sure without having been shown anybody", true, nil},
		{"sure without having been shown one", true, []string{"100000000001", "100000000002", "100000000004"}},
	} {
		amara.Sure, amara.Shown = test.sure, test.shown
		id, alike, err := directory.AddNewcomer(ctx, s, amara, by)
		if err != nil || id != "" {
			t.Fatalf("AddNewcomer(%s) = %q, %v, want nobody", test.name, id, err)
		}
		want := []directory.Candidate{
			{FoundPerson: store.FoundPerson{ID: "100000000002"}, LikeName: true, SameBirth: true},
			{FoundPerson: store.FoundPerson{ID: "100000000003"}, SameEmail: true},
			{FoundPerson: store.FoundPerson{ID: "100000000001"}, LikeName: true},
		}
		byID := cmp.Comparer(func(a, b store.FoundPerson) bool { return a.ID == b.ID })
		if diff := cmp.Diff(directory.Alike{People: want}, alike, byID); diff != "" {
			t.Errorf("AddNewcomer(%s): who is alike differs (-want +got):\n%s", test.name, diff)
		}
		event, _, detail := last(t, s)
		if diff := cmp.Diff(map[string]string{"officer_role": "1", "by": "likeness", "hits": "3"}, detail); event != "person_searched" || diff != "" {
			t.Errorf("AddNewcomer(%s) is recorded as %s (-want +got):\n%s", test.name, event, diff)
		}
	}

	amara.Sure, amara.Shown = true, []string{"100000000003", "100000000002", "100000000001", "100000000099"}
	id, _, err := directory.AddNewcomer(ctx, s, amara, by)
	if err != nil || id == "" {
		t.Fatalf("AddNewcomer(sure) = %q, %v, want an id", id, err)
	}
	event, person, detail := last(t, s)
	want := map[string]string{"officer_role": "1", "shown": "3", "shown_people": "100000000002 100000000003 100000000001"}
	if diff := cmp.Diff(want, detail); event != "person_added" || person != id || diff != "" {
		t.Errorf("AddNewcomer(sure) is recorded as %s of %s (-want +got):\n%s", event, person, diff)
	}
	if id, alike, err := directory.AddNewcomer(ctx, s, amara, by); err != nil || id != "" || len(alike.People) != 4 {
		t.Errorf("AddNewcomer(again) = %q, %v, %v, want that she is on record", id, alike, err)
	}

	// Where nobody is alike nobody looked at anybody.
	zoe := newcomer("Zoë", "Müller-Sørensen", "", born)
	before := len(events(t, s))
	if id, alike, err := directory.AddNewcomer(ctx, s, zoe, by); err != nil || id != "" || len(alike.People) != 0 || len(events(t, s)) != before {
		t.Errorf("AddNewcomer(like nobody) = %q, %v, %v, want nobody and no line of the record", id, alike, err)
	}
	zoe.Sure = true
	if id, _, err := directory.AddNewcomer(ctx, s, zoe, by); err != nil || id == "" {
		t.Errorf("AddNewcomer(like nobody, sure) = %q, %v, want an id", id, err)
	}
}

func TestAddNewcomerListsTheLikest(t *testing.T) {
	t.Parallel()
	s, ctx := storetest.New(t), t.Context()
	born := time.Date(1985, time.March, 31, 0, 0, 0, 0, time.UTC)
	for i := range 12 {
		p := directory.NewPerson{ID: fmt.Sprint(100000000000 + i), GivenName: "Amara", FamilyName: "Okafor"}
		if i == 11 {
			p.DateOfBirth = &born
		}
		if _, err := directory.AddPerson(ctx, s, p, operator, now); err != nil {
			t.Fatal(err)
		}
	}
	_, alike, err := directory.AddNewcomer(ctx, s, newcomer("Amara", "Okafor", "", born), audit.Entry{At: now, Actor: operator})
	if err != nil || !alike.More || len(alike.People) != 11 || alike.People[0].ID != "100000000011" {
		t.Errorf("AddNewcomer(a common name) = %d people, more %t, %v, want 11 and more, of the same day first", len(alike.People), alike.More, err)
	}
}

func TestAddNewcomerRefuses(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	for name, n := range map[string]directory.Newcomer{
		"without a date of birth": {NewPerson: directory.NewPerson{GivenName: "Ada", FamilyName: "Example"}, Sure: true},
		"of the future":           newcomer("Ada", "Example", "", now.AddDate(1, 0, 0)),
		"without a name":          newcomer("", "Example", "", now.AddDate(-30, 0, 0)),
	} {
		n.Sure = true
		id, _, err := directory.AddNewcomer(t.Context(), s, n, audit.Entry{At: now, Actor: operator})
		if _, invalid := errors.AsType[*directory.InvalidError](err); !invalid || id != "" {
			t.Errorf("AddNewcomer(%s) = %q, %v, want what is wrong", name, id, err)
		}
	}
	ada := newcomer("Ada", "Example", "", now.AddDate(-30, 0, 0))
	ada.Sure = true
	if id, _, err := directory.AddNewcomer(t.Context(), s, ada, audit.Entry{At: now, Actor: operator}); err != nil || id == "" {
		t.Errorf("AddNewcomer(without mistakes) = %q, %v, want an id", id, err)
	}
}

// Of those who add the same person at once one does, and the others are shown whom.
func TestAddNewcomerAtOnce(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	const officers = 4
	type outcome struct {
		id    string
		alike directory.Alike
		err   error
	}
	outcomes := make(chan outcome, officers)
	for i := range officers {
		n := newcomer([]string{"Zoë", "Zoe"}[i%2], "Müller", "", time.Date(1990, time.January, 1, 0, 0, 0, 0, time.UTC))
		n.Sure = true
		go func() {
			id, alike, err := directory.AddNewcomer(t.Context(), s, n, audit.Entry{At: now, Actor: operator})
			outcomes <- outcome{id, alike, err}
		}()
	}
	var added string
	var shown []string
	for range officers {
		o := <-outcomes
		switch {
		case o.err != nil:
			t.Error(o.err)
		case o.id != "":
			added += o.id
		case len(o.alike.People) == 1:
			shown = append(shown, o.alike.People[0].ID)
		}
	}
	if got, want := strings.Join(shown, ","), strings.Join([]string{added, added, added}, ","); len(added) != 12 || got != want {
		t.Errorf("%q was added, and %s were shown to the others, want one, and her", added, got)
	}
}
