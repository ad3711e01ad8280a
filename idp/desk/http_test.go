package desk

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

func TestAge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, time.November, 22, 9, 0, 0, 0, time.UTC)
	for passed, want := range map[time.Duration]string{
		0:                         "less than a minute",
		-time.Hour:                "less than a minute", // by the clock of another replica
		time.Minute:               "1 minute",
		119*time.Minute + 59*1e9:  "119 minutes",
		2 * time.Hour:             "2 hours",
		48*time.Hour - 1:          "47 hours",
		48 * time.Hour:            "2 days",
		30*24*time.Hour + 5*60e9:  "30 days",
		61 * time.Second:          "1 minute",
		10*time.Minute - 1:        "9 minutes",
		24*time.Hour + time.Hour:  "25 hours",
		365 * 24 * time.Hour:      "365 days",
		time.Minute - time.Second: "less than a minute",
	} {
		if got := age(now.Add(-passed), now); got != want {
			t.Errorf("age(%v ago) = %q, want %q", passed, got, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	words := map[string]string{"reason": "Enter a reason", "job_role": "Select a job role"}
	failure := errors.New("the database is away")
	for _, test := range []struct {
		name string
		err  error
		want []web.FieldError // nil: the error is returned
	}{
		{"in the words of the page", &directory.InvalidError{Field: "reason", Want: "1 to 500 characters"}, []web.FieldError{{Field: "reason", Message: "Enter a reason"}}},
		{"in those of the domain", &directory.InvalidError{Field: "ends", Want: "a time after the start"}, []web.FieldError{{Field: "ends", Message: "Enter a time after the start"}}},
		{
			"several, however they were joined",
			errors.Join(&directory.InvalidError{Field: "reason"}, nil, errors.Join(fmt.Errorf("job role %q %w", "", directory.ErrUnknownCode), &directory.InvalidError{Field: "ends", Want: "none"})),
			[]web.FieldError{{Field: "reason", Message: "Enter a reason"}, {Field: "job_role", Message: "Select a job role"}, {Field: "ends", Message: "Enter none"}},
		},
		{"a refusal, without the values that changed", position.Refusal(deed.ChangedSince).With("", deed.Change{Field: "name", From: "a", To: "b"}), []web.FieldError{
			{Message: "This position has changed since: look at what it is now, and ask or propose again."},
		}},
		{"a role that does not let her", deed.Refuse(deed.NoRight), nil},
		{"a failure", failure, nil},
		{"a failure beside a mistake", errors.Join(&directory.InvalidError{Field: "reason"}, failure), nil},
	} {
		got, err := mistakes(test.err, words)
		if diff := cmp.Diff(test.want, got); diff != "" || (err == nil) != (test.want != nil) {
			t.Errorf("mistakes(%s) = %v, %v (-want +got):\n%s", test.name, got, err, diff)
		}
	}
}

func TestDraftOf(t *testing.T) {
	t.Parallel()
	got := draftOf(url.Values{
		"name": {" Ward  nurse "}, "notes": {"Nights\r\ntoo"}, "job_role": {"S8000:G8000:R8001"}, "activity": {"B0401", "B0360"}, "assignable": {"yes"},
		"workgroup": {"655694018104 Ward 4\r\n\r\n  655694018105\tWard   5\r\nnonsense"}, "reason": {"A new\nward"}, "made_by": {"somebody else"},
	})
	want := position.Draft{
		Name: "Ward nurse", Notes: "Nights too", JobRole: "S8000:G8000:R8001", Activities: []string{"B0401", "B0360"}, Assignable: true, Reason: "A new ward",
		Workgroups: []store.Workgroup{{ID: "655694018104", Name: "Ward 4"}, {ID: "655694018105", Name: "Ward 5"}, {ID: "nonsense"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("draftOf() (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(position.Draft{}, draftOf(nil)); diff != "" {
		t.Errorf("draftOf(nothing) (-want +got):\n%s", diff)
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"/desk":                        address("/desk"),
		"/desk/positions":              address("/desk/positions", "after", ""),
		"/desk/people?after=1&q=a+%26": address("/desk/people", "q", "a &", "born", "", "after", "1"),
	} {
		if got != want {
			t.Errorf("address() = %q, want %q", got, want)
		}
	}
}

func TestFollowing(t *testing.T) {
	t.Parallel()
	for after, want := range map[string]string{"400000000001": "400000000001", "": "", "%00": "", "4000000000011": "", "a": "", "4'": ""} {
		if got := following(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/desk/positions?after="+after, nil)); got != want {
			t.Errorf("following(%q) = %q, want %q", after, got, want)
		}
	}
}

// Every officer has a name that people know.
func TestOfficerWords(t *testing.T) {
	t.Parallel()
	for _, a := range authority.Actors() {
		if officerWords(a) == "" {
			t.Errorf("officerWords(%s) = nothing, want a name", a)
		}
	}
}

// A time of an address stands in a field as somebody would have typed it, and is read from there as the same time.
func TestTimesStandInFieldsAsPeopleTypeThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct{ first, last string }{
		"2026-11-23T00:00:00Z":      {"23/11/2026", "22/11/2026"},
		"2026-03-01T00:00:00Z":      {"1/3/2026", "28/2/2026"},
		"2026-06-30T23:00:00Z":      {"30/6/2026 23:00", "30/6/2026 23:00"},
		"2026-07-01T00:00:00+01:00": {"30/6/2026 23:00", "30/6/2026 23:00"},
		"2026-07-01T01:00:00+01:00": {"1/7/2026", "30/6/2026"},
		"2026-11-23T09:30:05Z":      {"23/11/2026 09:30:05", "23/11/2026 09:30:05"},
		"yesterday":                 {"yesterday", "yesterday"},
		"":                          {"", ""},
	} {
		if first, last := entered(text), enteredLast(text); first != want.first || last != want.last {
			t.Errorf("%q is in the fields %q and %q, want %q and %q", text, first, last, want.first, want.last)
		}
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			continue
		}
		if first, _, err := instant("from", want.first); err != nil || !first.Equal(at) {
			t.Errorf("%q is read as %v, %v, want %v", want.first, first, err, at)
		}
		last, day, err := instant("until", want.last)
		if day { // the last one: until it is over
			last = last.AddDate(0, 0, 1)
		}
		if err != nil || !last.Equal(at) {
			t.Errorf("%q is read as until %v, %v, want %v", want.last, last, err, at)
		}
	}
}
