package idp_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/directory"
)

const creating = "/desk/people/new"

var createForm = regexp.MustCompile(`action="(/desk/people/new[^"]*)"`)

// posts is where the form of a page leads that creates a person.
func (a answer) posts() string {
	if found := createForm.FindStringSubmatch(a.body); found != nil {
		return found[1]
	}
	return ""
}

// likely lists whom a page shows as who may be the person.
func (a answer) likely() string {
	var ids []string
	for _, found := range regexp.MustCompile(`<a href="/desk/people/([0-9]{12})">This is the person`).FindAllStringSubmatch(a.body, -1) {
		ids = append(ids, found[1])
	}
	return strings.Join(ids, " ")
}

func someone(given, family, born, email string) url.Values {
	return url.Values{"title": {"Dr"}, "given_name": {given}, "middle_names": {""}, "family_name": {family}, "date_of_birth": {born}, "email": {email}}
}

// An officer who does not find a person creates her, and is shown beforehand who on record may be the same.
func TestDeskCreatesAPerson(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, page := p.atDesk(raAgent, "/desk/people?q=Winnie+Stewardly")
	if !strings.Contains(page.body, `href="`+creating+`"`) {
		t.Errorf("the search offers an agent no way to create: %s", text(page.body))
	}
	if a := b.get("/desk/people"); strings.Contains(a.body, creating) {
		t.Error("the page offers to create somebody before she was looked for")
	}
	sponsor, page := p.atDesk(raSponsor, "/desk/people?q=Winnie+Stewardly")
	if strings.Contains(page.body, creating) {
		t.Error("the search offers a sponsor to create somebody")
	}
	if a := b.get(creating); a.StatusCode != http.StatusOK || a.posts() != creating {
		t.Fatalf("the form = %d %s, want it", a.StatusCode, text(a.body))
	}

	people := func() int { return p.count(`SELECT count(*) FROM person`) }
	before := people()
	typed := someone("Winifred", " Stewardly ", "3/9/1970", "w.stewardly@example.org")
	a := b.post(creating, typed)
	if words := a.words(t); a.StatusCode != http.StatusOK || a.likely() != raManager || !strings.Contains(words, "1 person on record may be the same person") || !strings.Contains(words, "A similar name") {
		t.Fatalf("to create somebody who may be on record = %d %q %s, want who she may be", a.StatusCode, a.likely(), text(a.body))
	}
	if !strings.Contains(a.body, `value="3 September 1970"`) || !strings.Contains(a.body, "w.stewardly@example.org") {
		t.Errorf("the page has not kept what was entered: %s", text(a.body))
	}
	if actor, _, detail := p.line("person_searched"); actor != raAgent || detail["by"] != "likeness" || detail["hits"] != "1" {
		t.Errorf("the record says %q was shown people: %v, want one by likeness", actor, detail)
	}
	sure := a.posts()
	for name, refused := range map[string]answer{
		"by a sponsor":      sponsor.post(sure, typed),
		"from another site": b.postWith(sure, typed, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }),
	} {
		if refused.StatusCode != http.StatusForbidden {
			t.Errorf("to create her %s = %d, want 403", name, refused.StatusCode)
		}
	}
	if a := p.browser().post(sure, typed); a.path() != "/sign-in" {
		t.Errorf("to create her by nobody = %d %s, want the sign-in page", a.StatusCode, a.path())
	}
	for _, unseen := range []string{creating + "?shown=", creating + "?shown=" + noRole, creating + "?shown=%00.x"} {
		if a := b.post(unseen, typed); a.likely() != raManager || !strings.Contains(a.body, `id="again"`) {
			t.Errorf("to create her at %s = %d %q, want who was not shown", unseen, a.StatusCode, a.likely())
		}
	}
	if got := people(); got != before {
		t.Fatalf("people after what was refused = %d, want %d", got, before)
	}

	a = b.rest(b.post(sure, typed))
	id := strings.TrimPrefix(a.path(), "/desk/people/")
	if words := a.words(t); !strings.Contains(words, "Winifred Stewardly") || !strings.Contains(words, "3 September 1970") || !strings.Contains(words, "Not proved") {
		t.Errorf("after she was created = %d %s %s, want her page", a.StatusCode, a.path(), text(a.body))
	}
	actor, person, detail := p.line("person_added")
	want := map[string]string{"officer": raAgent, "officer_role": agentsRole, "shown": "1", "shown_people": raManager}
	if diff := cmp.Diff(want, detail); actor != raAgent || person != id || diff != "" {
		t.Errorf("the record says %q added %q (-want +got):\n%s", actor, person, diff)
	}
	if a := b.post(sure, typed); !strings.HasPrefix(a.likely(), id) || !strings.Contains(a.body, `id="again"`) || !strings.Contains(a.words(t), "Born on the same day The same email address") {
		t.Errorf("to create her again = %d %q %s, want that she is on record", a.StatusCode, a.likely(), text(a.body))
	}
	if got := people(); got != before+1 {
		t.Errorf("people = %d, want one more than %d", got, before)
	}
}

// What was typed stays where something was wrong with it.
func TestDeskKeepsWhatWasTypedOfAPerson(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, _ := p.atDesk(raAdvanced, creating)
	with := func(field, value string) url.Values {
		f := someone("Zoë", "Müller", "1/1/1990", "zoe@example.org")
		f.Set(field, value)
		return f
	}
	for _, test := range []struct{ name, field, value, at string }{
		{"no given name", "given_name", " ", "given_name"},
		{"no family name", "family_name", "", "family_name"},
		{"a name that turns text around", "family_name", "a\u202eb", "family_name"},
		{"a family name that is far too long", "family_name", long("x", 101), "family_name"},
		{"middle names that are far too long", "middle_names", long("x", 101), "middle_names"},
		{"a title that is far too long", "title", long("x", 36), "title"},
		{"no date of birth", "date_of_birth", "", "date_of_birth"},
		{"no date", "date_of_birth", "<b>May</b>", "date_of_birth"},
		{"a child", "date_of_birth", "1/1/2020", "date_of_birth"},
		{"no address", "email", "Zoë <zoe@example.org>", "email"},
	} {
		for _, path := range []string{creating, creating + "?shown="} {
			a := b.post(path, with(test.field, test.value))
			if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `<a href="#`+test.at+`">Enter `) || a.posts() != creating {
				t.Errorf("POST %s with %s = %d %s, want a mistake at %s", path, test.name, a.StatusCode, text(a.body), test.at)
			}
			if typed := strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(test.value); !strings.Contains(a.body, typed) || !strings.Contains(a.body, `value="Dr"`) && test.field != "title" {
				t.Errorf("POST %s with %s: the form has not kept what was typed", path, test.name)
			}
		}
	}
	both := someone(long("x", 100), long("y", 100), "1/1/1990", "")
	if a := b.post(creating, both); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `<a href="#family_name">Enter a given and a family name`) {
		t.Errorf("POST with names that are too long together = %d %s, want a mistake at one", a.StatusCode, text(a.body))
	}
	if a := b.post(creating, url.Values{}); strings.Count(a.body, `">Enter `) < 3 {
		t.Errorf("POST of nothing = %d %s, want three mistakes", a.StatusCode, text(a.body))
	}
	if got := len(p.audited("person_searched")); got != 0 {
		t.Errorf("times that people were shown for mistakes = %d, want none", got)
	}
	a := b.post(creating, with("middle_names", "A\r\n B"))
	if !strings.Contains(a.body, `id="none"`) || a.posts() != creating+"?shown=" {
		t.Fatalf("POST of who is like nobody = %d %s, want that nobody is", a.StatusCode, text(a.body))
	}
	if a := b.rest(b.post(a.posts(), with("middle_names", "A\r\n B"))); !strings.Contains(a.words(t), "Zoë Müller") {
		t.Errorf("after she was created = %d %s, want her page", a.StatusCode, text(a.body))
	}
	if got := p.count(`SELECT count(*) FROM person WHERE middle_names = 'A B' AND family_name = 'Müller'`); got != 1 {
		t.Errorf("people of that name = %d, want 1", got)
	}
}

// Of two officers who create the same person at once, at two processes, the second is shown whom the first has created.
func TestDeskCreatesAPersonOnce(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	one, _ := p.atDesk(raAgent, creating)
	other, _ := q.atDesk(raAdvanced, creating)
	both := map[*browser]url.Values{one: someone("Zoë", "Müller", "1/1/1990", ""), other: someone("Zoe", "MÜLLER", "1 January 1990", "")}
	const sure = creating + "?shown="
	for b, typed := range both {
		if a := b.post(creating, typed); a.posts() != sure {
			t.Fatalf("POST of who is like nobody = %d, whose form leads to %q, want %q", a.StatusCode, a.posts(), sure)
		}
	}
	answers := make(chan answer, 2)
	for b, typed := range both {
		go func() { answers <- b.post(sure, typed) }()
	}
	var created, shown string
	for range 2 {
		if a := <-answers; a.StatusCode == http.StatusSeeOther {
			created += strings.TrimPrefix(a.Header.Get("Location"), "/desk/people/")
		} else {
			shown += a.likely()
		}
	}
	if len(created) != 12 || shown != created {
		t.Errorf("%q was created and %q shown, want one, and her", created, shown)
	}
	if got := p.count(`SELECT count(*) FROM person WHERE date_of_birth = '1990-01-01'`); got != 1 {
		t.Errorf("people who were born that day = %d, want 1", got)
	}
}

// Only who may create somebody is shown who is alike.
func TestDeskCreatesForOfficersWhoMay(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	if _, err := directory.AddPerson(t.Context(), p.owner, directory.NewPerson{GivenName: "Zoë", FamilyName: "Müller"}, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	sponsor, _ := p.atDesk(raSponsor, "/desk")
	for name, typed := range map[string]url.Values{"whole": someone("Zoë", "Müller", "1/1/1990", ""), "wrong": {}} {
		if a := sponsor.post(creating, typed); a.StatusCode != http.StatusForbidden || a.likely() != "" || !strings.Contains(a.words(t), "does not let you do this") {
			t.Errorf("POST by a sponsor of a form that is %s = %d %s, want 403", name, a.StatusCode, text(a.body))
		}
	}
	if diff := cmp.Diff([]string{"desk_opened: no_right", "desk_opened: no_right"}, p.audited("desk_opened", "person_searched")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
	checker, _ := p.atDesk(p.newOfficer("ZX100", "S8001:G8002:R8008", "B0267"), creating)
	if a := checker.post(creating, someone("Zoë", "Müller", "1/1/1990", "")); a.StatusCode != http.StatusOK || a.likely() == "" {
		t.Errorf("POST by a checker of identities = %d %s, want who may be the person", a.StatusCode, text(a.body))
	}
}
