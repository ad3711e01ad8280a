package idp_test

import (
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	xhtml "golang.org/x/net/html"

	"github.com/credence-id/credence/idp/unusual"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// narrowed is what the filters of a list do to a row of it.
type narrowed struct {
	row          string   // by what the row is known
	with         string   // what is always asked for, where the list is empty otherwise
	keeps, drops []string // what is asked for beside that, and the row is there, or is not
	wrong        []string // what no filter takes, beside what is none of the values of a filter that has few
}

// filtered is a site in which each list with filters has a row.
func filtered(t *testing.T) *site {
	t.Helper()
	p, mails := openedToAll(t)
	s := p.site(mails)
	s.role = strconv.Itoa(p.count(`SELECT id::bigint FROM role_profile WHERE position_id = $1`, s.ward))
	p.exec(`UPDATE role_profile SET withheld = 'x', ends_at = $2 WHERE id = $1`, s.role, p.clock.Now().Add(7*24*time.Hour))
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
		VALUES ($1, 'role_changed', '', $2::text, $3::text, '', '', '', jsonb_build_object('role', $4::text, 'withheld', 'x', 'version', '2', 'version_before', '1', 'officer', $2::text, 'officer_role', $5::text))`,
		p.clock.Now(), raAdvanced, formerly, s.role, advancedsRole)
	p.enrol(raSponsor, webauthntest.New())
	p.exec(`UPDATE authenticator SET state = 'suspended', revoked_at = $2 WHERE person_id = $1`, raSponsor, p.clock.Now())
	s.privacy, _ = p.atDesk(p.newOfficer("ZX000", "S8002:G8003:R0001"), "/desk") // who sees what is below
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail) VALUES ($2, 'recovered', '', $1::text, $1::text, '', '', '192.0.2.7', '{}')`, raAgent, p.clock.Now())
	p.clock.advance(2 * time.Minute)
	watch := &unusual.Watch{Store: p.store, Now: p.clock.Now, Log: slog.New(slog.DiscardHandler)}
	if err := watch.Pass(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.advanced.get("/desk/reviews/" + s.review)
	if a := s.advanced.post("/desk/reviews/"+s.review, url.Values{"entry": {s.role}, "certify": {"ticked"}}); a.StatusCode != http.StatusSeeOther {
		t.Fatalf("to certify = %d %s, want it done", a.StatusCode, text(a.body))
	}
	return s
}

// deskFilters are those of the lists of pages, by route.
func deskFilters(s *site) map[string]narrowed {
	hospital := func(row string, drops ...string) narrowed {
		return narrowed{row: row, keeps: []string{"organisation=ZX100", "organisation=zx000"}, drops: append(drops, "organisation=ZX200"), wrong: []string{"organisation=NOWHERE", "organisation=%00"}}
	}
	whom := func(n narrowed) narrowed {
		n.row = formerly
		n.keeps = append(n.keeps, "name="+formerly, "name=Formerley", "organisation=ZX100")
		n.drops = append(n.drops, "name="+oneRole, "name=Xavier", "organisation=X09")
		n.wrong = []string{"name=gw", "organisation=NOWHERE"}
		return n
	}
	requests := hospital(s.request, "owner=mine", "person="+formerly, "position=999999999999")
	requests.keeps = append(requests.keeps, "owner=nobody", "person="+noRole, "position="+s.ward, "owner=nobody&organisation=ZX100&person="+noRole)
	requests.wrong = append(requests.wrong, "person=1", "position=x", "owner=bogus&organisation=NOWHERE")
	expiring := hospital(formerly, "until="+s.p.clock.Now().AddDate(0, 0, 2).Format("2/1/2006"), "from="+s.p.clock.Now().AddDate(0, 0, 20).Format("2/1/2006"))
	expiring.wrong = append(expiring.wrong, "from=soon", "until=1/1/2001")
	clients := hospital(s.client, "state=open", "state=refused")
	clients.with, clients.keeps = "state=approved", append(clients.keeps, "state=approved")
	merges := hospital(s.merge, "organisation=ZX100")
	merges.keeps = []string{"organisation=ZX000"} // they work nowhere
	glasses, reviews, positions := hospital(s.opened), hospital(s.review, "state=open"), hospital(s.ward, "state=proposed", "name=nurse")
	positions.keeps, positions.wrong = append(positions.keeps, "name=WÁRD", "name=Ward+nurse&organisation=ZX100"), append(positions.wrong, "name="+strings.Repeat("x", 201))
	glasses.keeps = append(glasses.keeps, "show=all")
	return map[string]narrowed{
		"GET /desk/requests":                requests,
		"GET /desk/positions":               positions,
		"GET /desk/positions/{id}/holders":  whom(narrowed{}),
		"GET /desk/positions/{id}/withheld": whom(narrowed{drops: []string{"state=proposed"}}),
		"GET /desk/introductions":           hospital(s.introduction),
		"GET /desk/evidence":                hospital(s.proposal),
		"GET /desk/merges":                  merges,
		"GET /desk/reviews":                 reviews,
		"GET /desk/reviews/{id}":            {row: formerly, with: "show=all", drops: []string{"show="}},
		"GET /desk/break-glass":             glasses,
		"GET /desk/clients":                 clients,
		"GET /desk/expiring":                expiring,
		"GET /desk/suspended":               hospital(raSponsor),
		"GET /desk/self-registered":         hospital(s.person),
		"GET /desk/unusual":                 hospital(raAgent),
		"GET /desk/people/{id}/positions":   {row: s.ward, keeps: []string{"q=ward"}, drops: []string{"q=surgeon"}},
		"GET /desk/people": {
			row: raManager, keeps: []string{"q=Stewardley", "q=" + raManager}, drops: []string{"q=Hawthornby", "q=Stewardley&born=1/1/1901", "q=707777707&document=passport"},
			wrong: []string{"q=St", "q=Stewardley&born=31/2/1970"}, with: "q=Stewardley",
		},
		"GET /desk/audit": {
			row: "192.0.2.7", with: "of=about&person=" + raAgent, keeps: []string{"event=recovered", "outcome=done", "of=organisation&organisation=ZX100&person="},
			drops: []string{"event=signed_in", "outcome=refused", "of=did", "until=1/1/2001", "from=1/1/2999", "person=" + raSponsor, "of=organisation&person=&organisation=ZX100&until=1/1/2001"},
			wrong: []string{"event=bogus", "from=soon", "until=soon", "person=1", "of=organisation&organisation=NOWHERE"},
		},
		"GET /account/history": {row: "You signed in", keeps: []string{"show=sign-ins"}, drops: []string{"show=refused"}},
	}
}

// apiFilters are those of the lists of the API, by route.
func apiFilters(s *site) map[string]narrowed {
	now := s.p.clock.Now()
	hospital := func(row string, drops ...string) narrowed {
		return narrowed{row: row, keeps: []string{"organisation=ZX100"}, drops: append(drops, "organisation=ZX200"), wrong: []string{"organisation=NOWHERE"}}
	}
	whom := narrowed{
		row: formerly, keeps: []string{"person=" + formerly, "name=Formerley", "organisation=ZX100"}, drops: []string{"person=" + oneRole, "name=Xavier", "organisation=X09"},
		wrong: []string{"name=gw", "person=1", "organisation=NOWHERE"},
	}
	positions := hospital(s.ward, "state=proposed", "name=nurse")
	positions.keeps, positions.wrong = append(positions.keeps, "name=ward"), append(positions.wrong, "name="+strings.Repeat("x", 201))
	withheld := whom
	withheld.drops = append(slices.Clone(whom.drops), "state=proposed")
	requests := hospital(s.request, "owner=mine", "person="+formerly, "position=999999999999")
	requests.wrong = append(requests.wrong, "person=1", "position=x")
	clients := hospital(s.client, "state=open")
	clients.with = "state=approved"
	merges := hospital(s.merge, "organisation=ZX100")
	merges.keeps = []string{"organisation=ZX000"} // they work nowhere
	glasses := hospital(s.opened)
	glasses.keeps = append(glasses.keeps, "state=all")
	stamp := func(days int) string { return url.QueryEscape(now.AddDate(0, 0, days).Format(time.RFC3339)) }
	return map[string]narrowed{
		"/api/people": {
			row: raManager, keeps: []string{"name=Stewardley", "user_id=" + raManager},
			drops: []string{"name=Hawthornby", "user_id=" + raAgent, "email=nobody@example.org", "name=Stewardley&date_of_birth=1901-01-01", "number=707777707&kind=passport"}, wrong: []string{"name=St", "number=707777707&kind=bogus"},
		},
		"/api/positions":                     positions,
		"/api/positions/{position}/holders":  whom,
		"/api/positions/{position}/withheld": withheld,
		"/api/requests":                      requests,
		"/api/introductions":                 hospital(s.introduction),
		"/api/evidence-proposals":            hospital(s.proposal),
		"/api/merges":                        merges,
		"/api/reviews":                       hospital(s.review, "state=open"),
		"/api/reviews/{review}/items":        {row: formerly, drops: []string{"state=undecided"}},
		"/api/applications":                  clients,
		"/api/break-glass-reviews":           glasses,
		"/api/self-registered":               hospital(s.person),
		"/api/stopped-authenticators":        hospital(raSponsor),
		"/api/expiring-roles":                hospital(formerly, "until="+stamp(2), "from="+stamp(20)),
		"/api/unusual-sign-ins":              hospital(raAgent),
		"/api/codes":                         {row: `"S8000:G8000:R8001"`, keeps: []string{"kind=job_role"}, drops: []string{"kind=activity", "kind=area_of_work"}},
		"/api/audit": {
			row: "192.0.2.7", with: "of=about&person=" + raAgent, keeps: []string{"event=recovered", "outcome=done"},
			drops: []string{"event=signed_in", "outcome=refused", "of=did", "until=2001-01-01", "from=2999-01-01", "person=" + raSponsor, "of=organisation&person=&organisation=ZX200"}, wrong: []string{"from=soon"},
		},
	}
}

// asking is an address that asks for something beside what is always asked for.
func (n narrowed) asking(query string) url.Values {
	asked, _ := url.ParseQuery(n.with)
	more, _ := url.ParseQuery(query)
	maps.Copy(asked, more)
	return asked
}

// unfiltered are forms with which nothing is listed.
func unfiltered() []string {
	return []string{"GET /desk/people/{id}/merge"} // looks for one other profile
}

// Each filter of each list at the desk, and of an account, shows less, and of that what fits; it is in the address, and stays there when
// another order is chosen; and what it does not take is said, and nothing listed. A new list is put into the table first.
func TestDeskListsAreFiltered(t *testing.T) {
	t.Parallel()
	s := filtered(t)
	rows := deskFilters(s)
	for _, pattern := range pageRoutes() {
		if _, path, _ := strings.Cut(pattern, " "); strings.HasPrefix(pattern, "POST ") || !strings.HasPrefix(path, "/desk") && !strings.HasPrefix(path, "/account") || slices.Contains(unfiltered(), pattern) {
			continue
		}
		b, at := s.at(pattern)
		a := b.get(at)
		if a.StatusCode != http.StatusOK || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
			continue
		}
		path, _, _ := strings.Cut(at, "?")
		row, known := rows[pattern]
		delete(rows, pattern)
		fields := a.filters(t, path)
		if known != (len(fields) > 0) {
			t.Errorf("%s has the filters %q, and a row = %t: want both or neither", pattern, slices.Sorted(maps.Keys(fields)), known)
		}
		if known {
			s.wantNarrowed(b, path, row, fields)
		}
	}
	for pattern := range rows {
		t.Errorf("there is a row of %s, which is no list with filters", pattern)
	}
}

// wantNarrowed wants the filters of a list to do what a row says.
func (s *site) wantNarrowed(b *browser, path string, row narrowed, fields map[string]bool) {
	t := s.p.t
	t.Helper()
	proved := map[string]bool{}
	for _, query := range append([]string{""}, row.keeps...) {
		asked := row.asking(query)
		if a := b.get(path + "?" + asked.Encode()); a.StatusCode != http.StatusOK || !strings.Contains(a.listed(), row.row) {
			t.Errorf("GET %s?%s = %d, want %s in it: %s", path, asked.Encode(), a.StatusCode, row.row, text(a.body))
		}
		asked.Set("after", "x") // which is no row: it begins anew, and offers an order whatever there is
		a := b.get(path + "?" + asked.Encode())
		asked.Del("after")
		a.wantAsked(t, path, asked)
	}
	for _, query := range row.drops {
		asked := row.asking(query)
		for name := range asked {
			proved[name] = true
		}
		if a := b.get(path + "?" + asked.Encode()); a.StatusCode != http.StatusOK || strings.Contains(a.listed(), row.row) {
			t.Errorf("GET %s?%s = %d, want %s not in it: %s", path, asked.Encode(), a.StatusCode, row.row, text(a.body))
		}
	}
	wrong := slices.Clone(row.wrong)
	for name, few := range fields {
		if !proved[name] && !slices.Contains(row.keeps, name+"=all") {
			t.Errorf("%s can be filtered by %s: want a row that this drops", path, name)
		}
		if few {
			wrong = append(wrong, name+"=bogus", name+"=%00")
		}
	}
	for _, query := range wrong {
		asked := row.asking(query)
		a := b.get(path + "?" + asked.Encode())
		if page := a.read(t); a.StatusCode != http.StatusBadRequest || len(page.mistakes) == 0 || page.mistakes[0] == "" || strings.Contains(a.listed(), row.row) {
			t.Errorf("GET %s?%s = %d with mistakes in %q, want 400, what it takes, and nothing listed: %s", path, asked.Encode(), a.StatusCode, page.mistakes, text(a.body))
		}
	}
}

// filters are the fields of the form by which a list is narrowed, but for its order, each with whether it has few values to choose from.
func (a answer) filters(t *testing.T, path string) map[string]bool {
	t.Helper()
	doc, err := xhtml.Parse(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]bool{}
	for form := range doc.Descendants() {
		if form.Data != "form" || attribute(form, "role") != "search" || attribute(form, "action") != path {
			continue
		}
		for n := range form.Descendants() {
			if name := attribute(n, "name"); name != "" && name != "sort" {
				fields[name] = fields[name] || n.Data == "select" || attribute(n, "type") == "radio"
			}
		}
	}
	return fields
}

// listed is what of a page follows its filters.
func (a answer) listed() string {
	_, rest, _ := strings.Cut(a.body, `role="search"`)
	_, rest, _ = strings.Cut(rest, "</form>")
	return rest
}

// wantAsked wants a list to have in its form what it was asked for, and in each link to itself.
func (a answer) wantAsked(t *testing.T, path string, asked url.Values) {
	t.Helper()
	sends := a.filter(t)
	for name, values := range asked {
		if got := sends[name]; !slices.EqualFunc(got, values, strings.EqualFold) {
			t.Errorf("the form of %s?%s has %q in %s, want %q", path, asked.Encode(), got, name, values)
		}
	}
	if sends["sort"] == nil {
		t.Errorf("the form of %s?%s offers no order", path, asked.Encode())
	}
	doc, err := xhtml.Parse(strings.NewReader(a.listed()))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		to, err := url.Parse(attribute(n, "href"))
		if n.Data != "a" || err != nil || to.Path != path || to.RawQuery == "" {
			continue
		}
		for name, values := range asked {
			if got := to.Query()[name]; !slices.Equal(got, values) {
				t.Errorf("%s?%s leads to %s, want it to ask for %s=%q as well", path, asked.Encode(), to, name, values)
			}
		}
	}
}

// Each filter of each list of the API shows less, and of that what fits; what it does not take is refused. A new list is put into the
// table first, or said to be short.
func TestAPIListsAreFiltered(t *testing.T) {
	t.Parallel()
	s := filtered(t)
	as := s.p.programs()
	manager, privacy := as(raManager), as(s.p.newOfficer("ZX000", "S8002:G8003:R0001"))
	short := map[string]string{
		"/api/people/{person}":                 "the roles of one person",
		"/api/people/{person}/history":         "what was done to one profile",
		"/api/people/{person}/evidence":        "the evidence of one person",
		"/api/people/{person}/authenticators":  "what one person signs in with",
		"/api/people/{person}/enrolment-links": "the open links of one person",
		"/api/positions/{position}":            "the versions of one position",
		"/api/break-glass-reviews/{opening}":   "what was done in an hour",
		"/api/retention":                       "one line a day",
		"/api/retention/{run}":                 "the same, after which one run is looked at",
	}
	rows := apiFilters(s)
	for _, pattern := range slices.Sorted(maps.Keys(manager.Paths)) {
		operation, list, filters := manager.Paths[pattern]["get"], false, map[string]bool{}
		for _, q := range operation.Parameters {
			list = list || q.Name == "after"
			if q.In == "query" && q.Name != "after" && q.Name != "order" {
				filters[q.Name] = len(q.Schema.Enum) > 0
			}
		}
		row, known := rows[pattern]
		_, is := short[pattern]
		delete(rows, pattern)
		delete(short, pattern)
		if list && known == is || !list && (known || is) || known && len(filters) == 0 || is && len(filters) > 0 {
			t.Errorf("%s is a list = %t with the filters %q, has a row = %t, is short = %t: want one of them of each list", pattern, list, slices.Sorted(maps.Keys(filters)), known, is)
		}
		if !known {
			continue
		}
		g := manager
		if slices.Contains([]string{"/api/audit", "/api/unusual-sign-ins"}, pattern) {
			g = privacy
		}
		s.wantAPINarrowed(g, pattern, row, filters)
	}
	for pattern := range rows {
		t.Errorf("there is a row of %s, which is no list", pattern)
	}
	for pattern := range short {
		t.Errorf("%s is no list, which is said to be short", pattern)
	}
}

func (s *site) wantAPINarrowed(g program, pattern string, row narrowed, filters map[string]bool) {
	t := s.p.t
	t.Helper()
	of := map[string]string{"position": s.ward, "review": s.review}
	get := func(query string) answer {
		return g.call(http.MethodGet, pattern+"?"+row.asking(query).Encode(), of, "")
	}
	for _, query := range row.keeps {
		if a := get(query); a.StatusCode != http.StatusOK || !strings.Contains(a.body, row.row) {
			t.Errorf("GET %s?%s = %d, want %s in it: %s", pattern, query, a.StatusCode, row.row, a.body)
		}
	}
	proved, wrong := map[string]bool{}, slices.Clone(row.wrong)
	for _, query := range row.drops {
		for name := range row.asking(query) {
			proved[name] = true
		}
		if a := get(query); a.StatusCode != http.StatusOK || strings.Contains(a.body, row.row) {
			t.Errorf("GET %s?%s = %d, want %s not in it: %s", pattern, query, a.StatusCode, row.row, a.body)
		}
	}
	for name, few := range filters {
		if !proved[name] && !slices.Contains(row.keeps, name+"=all") {
			t.Errorf("%s can be filtered by %s: want a row that this drops", pattern, name)
		}
		if few {
			wrong = append(wrong, name+"=bogus")
		}
	}
	for _, query := range wrong {
		if a := get(query); a.StatusCode != http.StatusUnprocessableEntity && a.StatusCode != http.StatusNotFound {
			t.Errorf("GET %s?%s = %d, want it refused: %s", pattern, query, a.StatusCode, a.body)
		}
	}
}
