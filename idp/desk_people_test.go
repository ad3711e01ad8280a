package idp_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
)

var personLink = regexp.MustCompile(`<a href="/desk/people/([0-9]{12})">`)

// found lists the people to whom a page of the search leads.
func (a answer) found() string {
	var ids []string
	for _, link := range personLink.FindAllStringSubmatch(a.body, -1) {
		ids = append(ids, link[1])
	}
	return strings.Join(ids, " ")
}

// line is the last line of the record of an event: who did it, about whom, and what of it.
func (p *provider) line(event string) (actor, person string, detail map[string]string) {
	p.t.Helper()
	events, err := p.owner.AuditEvents(p.t.Context(), 0, 1000)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, e := range events {
		if e.Event == event {
			actor, person, detail = e.Actor, e.PersonID, e.Detail
		}
	}
	return actor, person, detail
}

// People are found wherever they work, and what was entered stays on the page.
func TestDeskFindsPeople(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const winifred, winnie = raManager, "656005750199"
	_, err := directory.AddPerson(t.Context(), p.owner, directory.NewPerson{
		ID: winnie, GivenName: "Winnifréd", FamilyName: "Stewardly", Email: "winnie@example.org", DateOfBirth: new(time.Date(1990, time.March, 31, 0, 0, 0, 0, time.UTC)),
	}, "test", p.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	b, _ := p.atDesk(raSponsor, "/desk/people")
	for _, test := range []struct {
		name, query, born string
		found, by         string
	}{
		{"by name, likest first", "winifred stewardley", "", winifred + " " + winnie, "name"},
		{"by another spelling", "Winnifred Stewardly", "", winnie + " " + winifred, "name"},
		{"by user id, in groups", "6560 0575 0116", "", winifred, "user_id"},
		{"by email address", "Winnie@example.org", "", winnie, "email"},
		{"by name and date of birth", "Win Steward", "31/3/1990", winnie, "name_and_birth"},
		{"by a date that is written out", "stewardly", "31 March 1990", winnie, "name_and_birth"},
		{"by a date as programs write it", "stewardly", "1990-03-31", winnie, "name_and_birth"},
		{"nobody of that date", "stewardly", "1/3/1990", "", "name_and_birth"},
		{"nobody of that name", "Xavier Quist", "", "", "name"},
		{"nobody of that id", "656005750999", "", "", "user_id"},
		{"nobody of that address", "nobody@example.org", "", "", "email"},
	} {
		before := len(p.audited("person_searched"))
		a := b.get("/desk/people?" + url.Values{"q": {test.query}, "born": {test.born}}.Encode())
		if got := a.found(); a.StatusCode != http.StatusOK || got != test.found {
			t.Errorf("search %s = %d %q, want %q", test.name, a.StatusCode, got, test.found)
		}
		if !strings.Contains(a.body, `value="`+test.query+`"`) {
			t.Errorf("search %s: the page has not kept %q", test.name, test.query)
		}
		recorded := len(p.audited("person_searched")) - before
		if test.found == "" && !strings.Contains(a.words(t), "Nobody was found") {
			t.Errorf("search %s says %s, want that nobody was found", test.name, text(a.body))
		}
		actor, person, detail := p.line("person_searched")
		want := map[string]string{"officer": raSponsor, "officer_role": sponsorsRole, "by": test.by, "hits": fmt.Sprint(len(strings.Fields(test.found)))}
		if diff := cmp.Diff(want, detail); recorded != 1 || actor != raSponsor || person != "" || diff != "" {
			t.Errorf("search %s is recorded %d times, by %q about %q (-want +got):\n%s", test.name, recorded, actor, person, diff)
		}
	}
}

func TestDeskSearchRefusesWhatFindsAnybody(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, _ := p.atDesk(raAgent, "/desk/people")
	for _, test := range []struct{ name, query, born, field, words string }{
		{"nothing", "", "", "q", "Enter a name, a user ID or an email address"},
		{"only a date of birth", "", "3/9/1970", "q", "Enter a name, a user ID or an email address"},
		{"two letters", "Li", "", "q", "Enter more of the name, or the date of birth as well"},
		{"signs", "%_%_%_%_", "", "q", "Enter more of the name"},
		{"control characters", "Wini\x00fred", "", "q", "Enter a name"},
		{"bytes that are no text", "Wini\xfffred", "", "q", "Enter a name"},
		{"far too much", strings.Repeat("Winifred ", 30), "", "q", "Enter a name"},
		{"no date", "Winifred", "last week", "born", "Enter a date of birth such as 31/3/1980"},
		{"a day that no month has", "Winifred", "31/2/1980", "born", "Enter a date of birth such as 31/3/1980"},
		{"a year of two digits", "Winifred", "1/2/80", "born", "Enter a date of birth such as 31/3/1980"},
		{"a year of nobody", "Winifred", "1/2/0080", "born", "Enter a date of birth such as 31/3/1980"},
	} {
		a := b.get("/desk/people?" + url.Values{"q": {test.query}, "born": {test.born}}.Encode())
		if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `<a href="#`+test.field+`">`+test.words) {
			t.Errorf("search for %s = %d %s, want the form with %q at %s", test.name, a.StatusCode, text(a.body), test.words, test.field)
		}
	}
	// The twins: as little as it may be.
	for _, query := range []string{"q=Win", "q=Wi&born=3/9/1970", "q=Winifred&after=nobody", "q=Winifred&after=%00"} {
		if a := b.get("/desk/people?" + query); a.StatusCode != http.StatusOK || a.found() != raManager {
			t.Errorf("search for %s = %d %q, want the manager", query, a.StatusCode, a.found())
		}
	}
	if got := len(p.audited("person_searched")); got != 4 {
		t.Errorf("lines of the record = %d, want 4: of what found somebody", got)
	}
}

// Whoever may not search learns nothing by it, and is recorded.
func TestDeskSearchIsForOfficersWhoFindPeople(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const search = "/desk/people?q=Winifred"
	b, _ := p.atDesk(p.newOfficer("ZX100", "S8002:G8003:R0001"), "/desk")
	if a := b.get(search); a.StatusCode != http.StatusForbidden || a.found() != "" || !strings.Contains(a.words(t), "does not let you do this") {
		t.Errorf("search by a privacy officer = %d %s, want 403", a.StatusCode, text(a.body))
	}
	if diff := cmp.Diff([]string{"desk_opened: no_right"}, p.audited("desk_opened", "person_searched")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
	checker, _ := p.atDesk(p.newOfficer("ZX100", "S8001:G8002:R8008", "B0267"), "/desk")
	if a := checker.get(search); a.StatusCode != http.StatusOK || a.found() != raManager {
		t.Errorf("search by a checker of identities = %d %q, want the manager", a.StatusCode, a.found())
	}
}

// Each page of what was found leads to the next, and everybody is on one of them, once.
func TestDeskSearchIsPaged(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const people = 45
	for n := range people {
		_, err := directory.AddPerson(t.Context(), p.owner, directory.NewPerson{ID: fmt.Sprintf("1000000000%02d", n), GivenName: "Quentin", FamilyName: "Quill"}, "test", p.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
	}
	b, _ := p.atDesk(raAgent, "/desk/people")
	next := regexp.MustCompile(`<a href="([^"]+)" id="next">`)
	seen, location, pages := map[string]bool{}, "/desk/people?q=Quentin+Quill", 0
	for location != "" {
		a := b.get(location)
		for id := range strings.FieldsSeq(a.found()) {
			if seen[id] {
				t.Errorf("page %d has %s again", pages+1, id)
			}
			seen[id] = true
		}
		pages++
		link := next.FindStringSubmatch(a.body)
		location = ""
		if link != nil {
			location = strings.ReplaceAll(link[1], "&amp;", "&")
		}
	}
	if len(seen) != people || pages != 3 {
		t.Errorf("%d pages have %d people, want 3 with %d", pages, len(seen), people)
	}
}

// What an officer sees of a person, and that she saw it, is recorded.
func TestDeskShowsPerson(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, request := p.wardNurse()
	path := "/desk/people/" + noRole
	b, page := p.atDesk(raSponsor, path)
	for _, part := range []string{noRole, "Jory Emptage-Vale", "No role, and none to come", "Give Ward nurse", "/desk/requests/" + request, path + "/positions"} {
		if !strings.Contains(page.body, part) {
			t.Errorf("the page of a person has no %q: %s", part, text(page.body))
		}
	}
	actor, person, detail := p.line("person_viewed")
	if diff := cmp.Diff(map[string]string{"officer": raSponsor, "officer_role": sponsorsRole}, detail); actor != raSponsor || person != noRole || diff != "" {
		t.Errorf("the record says %q saw %q (-want +got):\n%s", actor, person, diff)
	}

	if _, err := p.registrar().Decide(t.Context(), deed.Acting{Person: raAgent, Role: agentsRole}, uuid.MustParse(request), position.Approve, "Yes", ""); err != nil {
		t.Fatal(err)
	}
	end := path + "/positions/" + ward + "?end=1"
	if a := b.get(path); !strings.Contains(a.body, end) || !strings.Contains(a.words(t), "Ward nurse") || strings.Contains(a.body, "/desk/requests/"+request) {
		t.Errorf("the page of who has the position = %s, want it, and a way to ask for its end", text(a.body))
	}
	elsewhere, _ := p.atDesk(p.newOfficer("ZX200", "S8001:G8002:R8008", "B1300"), "/desk")
	if a := elsewhere.get(path); a.StatusCode != http.StatusOK || strings.Contains(a.body, end) {
		t.Errorf("the page for a sponsor elsewhere = %d %s, want it without a way to ask for the end", a.StatusCode, text(a.body))
	}
	if a := b.get("/desk/people/" + raSponsor); a.StatusCode != http.StatusOK || strings.Contains(a.body, `id="ask"`) {
		t.Errorf("the sponsor's own page = %d %s, want it without a way to ask", a.StatusCode, text(a.body))
	}
	for _, id := range []string{"656005750999", "x", "%00", "%ff"} {
		for _, of := range []string{"", "/positions", "/positions/" + ward} {
			if a := b.get("/desk/people/" + id + of); a.StatusCode != http.StatusNotFound {
				t.Errorf("GET /desk/people/%s%s = %d, want 404", id, of, a.StatusCode)
			}
		}
	}
}

// A sponsor asks at the desk, for a first and a last day; what she typed stays where something was wrong.
func TestDeskAsks(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, _ := p.wardNurse()
	path := "/desk/people/" + oneRole + "/positions/" + ward
	b, page := p.atDesk(raSponsor, path)
	if page.StatusCode != http.StatusOK || !strings.Contains(page.words(t), "Another officer decides") {
		t.Errorf("the form = %d %s, want it", page.StatusCode, text(page.body))
	}
	for _, test := range []struct{ name, starts, ends, reason, field string }{
		{"no reason", "", "", "  ", "reason"},
		{"a day that is over", "1/3/2026", "", "Because", "starts"},
		{"no date", "Monday", "", "Because", "starts"},
		{"an end before the start", "1/4/2026", "31/3/2026", "Because", "ends"},
		{"an end that is over", "", "1/1/2026", "Because", "ends"},
		{"no date to end", "", "<Friday>", "Because", "ends"},
		{"a reason that is too long", "", "", long("why ", 150), "reason"},
	} {
		a := b.post(path, url.Values{"starts": {test.starts}, "ends": {test.ends}, "reason": {test.reason}})
		if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `<a href="#`+test.field+`">Enter `) {
			t.Errorf("ask with %s = %d %s, want a mistake at %s", test.name, a.StatusCode, text(a.body), test.field)
		}
		for _, typed := range []string{test.starts, test.ends, test.reason} {
			if !strings.Contains(a.body, strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(typed)) {
				t.Errorf("ask with %s: the form has not kept %q", test.name, typed)
			}
		}
	}
	if a := b.postWith(path, url.Values{"reason": {"Because"}}, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }); a.StatusCode != http.StatusForbidden {
		t.Errorf("POST from another site = %d, want 403", a.StatusCode)
	}
	if got := p.count(`SELECT count(*) FROM request WHERE person_id = $1`, oneRole); got != 0 {
		t.Fatalf("requests after what was refused = %d, want none", got)
	}

	a := b.rest(b.post(path, url.Values{"starts": {"1/4/2026"}, "ends": {"1.4.2026"}, "reason": {"One\r\nday"}}))
	if !strings.HasPrefix(a.path(), "/desk/requests/") || !strings.Contains(a.words(t), "Waits for a decision") {
		t.Errorf("ask = %d %s %s, want the page of the request", a.StatusCode, a.path(), text(a.body))
	}
	if got := p.count(`SELECT count(*) FROM request WHERE person_id = $1 AND asked_by = $2 AND reason = 'One day'
		AND starts_at = '2026-04-01Z' AND expires_at = '2026-04-02Z'`, oneRole, raSponsor); got != 1 {
		t.Errorf("requests of the whole of that one day = %d, want 1", got)
	}
	if a := b.post(path, url.Values{"reason": {"Again"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "open already") {
		t.Errorf("ask again = %d %s, want that a request is open", a.StatusCode, text(a.body))
	}
	for name, path := range map[string]string{
		"for herself":                   "/desk/people/" + raSponsor + "/positions/" + ward,
		"for herself, any":              "/desk/people/" + raSponsor + "/positions",
		"for a position of no approval": "/desk/people/" + oneRole + "/positions/" + p.drafted(),
	} {
		if a := b.get(path); a.StatusCode != http.StatusForbidden {
			t.Errorf("the form %s = %d, want 403", name, a.StatusCode)
		}
	}
	if a := b.post("/desk/people/"+raSponsor+"/positions/"+ward, url.Values{"reason": {"Mine"}}); a.StatusCode != http.StatusForbidden {
		t.Errorf("ask for herself = %d %s, want 403", a.StatusCode, text(a.body))
	}
	for _, nowhere := range []string{"/desk/people/" + oneRole + "/positions/555500000001", "/desk/people/" + oneRole + "/positions/x"} {
		if a := b.post(nowhere, url.Values{"reason": {"Because"}}); a.StatusCode != http.StatusNotFound {
			t.Errorf("POST %s = %d, want 404", nowhere, a.StatusCode)
		}
	}
}

// drafted is a position of the hospital that nobody has approved.
func (p *provider) drafted() string {
	p.t.Helper()
	id, err := p.registrar().Propose(p.t.Context(), deed.Acting{Person: raAdvanced, Role: advancedsRole}, "ZX100",
		position.Draft{Name: "Not yet", JobRole: "S8000:G8000:R8001", Reason: "Later"})
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

// A position that is assignable is given at once by a sponsor, and its end is asked for like anything else.
func TestDeskGivesAtOnceAndAsksForTheEnd(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ctx, r := t.Context(), p.registrar()
	bank, err := r.Propose(ctx, deed.Acting{Person: raManager, Role: managersRole}, "ZX100",
		position.Draft{Name: "Bank nurse", JobRole: "S8000:G8000:R8001", Assignable: true, Reason: "Winter"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Approve(ctx, deed.Acting{Person: raAdvanced, Role: advancedsRole}, bank, 1); err != nil {
		t.Fatal(err)
	}
	person := "/desk/people/" + noRole
	b, page := p.atDesk(raSponsor, person+"/positions?q=BANK")
	if !strings.Contains(page.body, person+"/positions/"+bank) || !strings.Contains(page.words(t), "At once") {
		t.Errorf("the positions on offer = %d %s, want the one that is given at once", page.StatusCode, text(page.body))
	}
	if a := b.get(person + "/positions?q=surgeon%00%ff"); a.StatusCode != http.StatusOK || strings.Contains(a.body, bank) || !strings.Contains(a.words(t), "no such position") {
		t.Errorf("the positions of another name = %d %s, want none", a.StatusCode, text(a.body))
	}
	if a := b.get(person + "/positions/" + bank); !strings.Contains(a.words(t), "You give this position at once") {
		t.Errorf("the form = %s, want that nobody else decides", text(a.body))
	}
	a := b.rest(b.post(person+"/positions/"+bank, url.Values{"reason": {"Short of staff"}}))
	if !strings.Contains(a.words(t), "Given at once") {
		t.Errorf("ask for what is given at once = %d %s, want that it was", a.StatusCode, text(a.body))
	}
	if got := p.count(`SELECT count(*) FROM role_profile WHERE position_id = $1 AND ends_at IS NULL`, bank); got != 1 {
		t.Errorf("roles that it gave = %d, want 1", got)
	}
	end := person + "/positions/" + bank + "?end=1"
	if a := b.get(end); !strings.Contains(a.words(t), "Ask for the end of Bank nurse") || strings.Contains(a.body, `id="ends"`) || !strings.Contains(a.words(t), "Another officer decides") {
		t.Errorf("the form for the end = %d %s, want it", a.StatusCode, text(a.body))
	}
	a = b.rest(b.post(end, url.Values{"reason": {"The winter is over"}}))
	if !strings.Contains(a.words(t), "Waits for a decision") {
		t.Errorf("ask for the end = %d %s, want that it waits", a.StatusCode, text(a.body))
	}
	if got := p.count(`SELECT count(*) FROM request WHERE position_id = $1 AND kind = 'end_position' AND state = 'open'`, bank); got != 1 {
		t.Errorf("open requests for the end = %d, want 1", got)
	}
}

// What a page of the desk may cost, beside finding out who is there.
func TestDeskRoundTrips(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, request := p.wardNurse()
	b, _ := p.atDesk(raManager, "/desk")
	elsewhere := p.newOfficer("ZX200", "S8000:G8000:R8001")
	p.nursing(elsewhere)
	for path, most := range map[string]int{
		"/desk": 2, "/desk/requests": 3, "/desk/requests/" + request: 5, "/desk/positions": 3, "/desk/positions/" + ward: 7, "/desk/positions/" + ward + "/holders": 5,
		"/desk/positions/new": 1,
	} {
		b.get(path)
		p.trips.take()
		a := b.get(path)
		if trips, writes := p.trips.take(); a.StatusCode != http.StatusOK || trips > most || writes > 0 {
			t.Errorf("GET %s = %d, with %d round trips of which %d write, want at most %d and none", path, a.StatusCode, trips, writes, most)
		}
	}
	for path, most := range map[string]int{ // who looked is on record; and the person at two organisations costs no more
		"/desk/people?q=Larkspell": 3, "/desk/people/" + p.nurse(): 14, "/desk/people/" + elsewhere: 14,
	} {
		b.get(path)
		p.trips.take()
		a := b.get(path)
		if trips, _ := p.trips.take(); a.StatusCode != http.StatusOK || trips > most {
			t.Errorf("GET %s = %d, with %d round trips, want at most %d", path, a.StatusCode, trips, most)
		}
	}
}
