package idp_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

var (
	glanceNumber = regexp.MustCompile(`<strong>[0-9]+|<text [^>]*>[^<]*: [0-9]+|<td class="nhsuk-table__cell">[0-9]+`)
	glanceLink   = regexp.MustCompile(`<a href="([^"]+)">([^<]+)</a></td>\s*<td [^>]*><span [^>]*>How many </span><strong>([0-9]+)</strong>` + // of the figures
		`|<a class="credence-[a-z]+__[a-z]+" href="([^"]+)">\s*<rect [^>]*></rect>\s*<text [^>]*>([^<]+): ([0-9]+)` + // of the charts
		`|<th [^>]*><a href="([^"]+)">([^<]+)</a></th><td class="nhsuk-table__cell">([0-9]+)</td>`) // of the charts as tables
	listRow = regexp.MustCompile(`<tr role="row" class="nhsuk-table__row">|<div class="nhsuk-summary-list__row">`)
)

// figures are all numbers of a glance, by name. Each leads to a list that has as many rows, page by page, and leads back.
func (b *browser) figures(page answer) map[string]int {
	b.t.Helper()
	shown := glanceLink.FindAllStringSubmatch(page.body, -1)
	if numbers := len(glanceNumber.FindAllString(page.body, -1)); numbers != len(shown) {
		b.t.Errorf("the glance shows %d numbers, of which %d lead to lists: %s", numbers, len(shown), page.body)
	}
	figures := map[string]int{}
	for _, f := range shown {
		href, name, count := f[1]+f[4]+f[7], f[2]+f[5]+f[8], f[3]+f[6]+f[9]
		n, err := strconv.Atoi(count)
		if err != nil {
			b.t.Fatal(err)
		}
		figures[name] = n
		path := html.UnescapeString(href)
		a, rows := b.rows(path)
		if rows != n {
			b.t.Errorf("the figure %s is %d, and %s has %d rows, want as many: %s", name, n, path, rows, text(a.body))
		}
		if !strings.Contains(a.body, `<a href="`+page.path()+`" id="back">`) {
			b.t.Errorf("%s does not lead back to %s", path, page.path())
		}
	}
	return figures
}

// rows counts the rows of a list, page by page.
func (b *browser) rows(path string) (a answer, rows int) {
	b.t.Helper()
	for range 20 {
		a = b.get(path)
		_, main, _ := strings.Cut(a.body, "<main")
		rows += len(listRow.FindAllString(main, -1))
		next := nextPage.FindStringSubmatch(main)
		if a.StatusCode != http.StatusOK || next == nil {
			break
		}
		path = html.UnescapeString(next[1])
	}
	if a.StatusCode != http.StatusOK {
		b.t.Errorf("GET %s = %d %s, want a list", path, a.StatusCode, text(a.body))
	}
	return a, rows
}

// Every number that any officer sees at a glance leads her to as many rows. When people sign in sees who reads the record, and nobody else.
func TestDeskGlanceLeadsEachOfficerToWhatItCounts(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, _ := p.wardNurse()
	p.introduced(ward)
	p.nursed(formerly, ward)
	p.exec(`UPDATE role_profile SET ends_at = $2 WHERE position_id = $1`, ward, p.clock.Now().Add(10*24*time.Hour))
	p.reviewed()
	p.nursing(noRole)
	p.proposed()
	p.proposedEvidence(noRole)
	opener, _, _ := p.brokenGlass()
	page := opener.rest(opener.get("/desk/role"))
	opener.post(page.Request.URL.RequestURI(), url.Values{"role": {p.offersBreakGlass(page)}})
	p.enrol(raSponsor, webauthntest.New())
	p.exec(`UPDATE authenticator SET state = 'suspended', revoked_at = $2 WHERE person_id = $1`, raSponsor, p.clock.Now())
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
		SELECT $2, event, '', $1::text, $1::text, '', '', '', '{}' FROM unnest('{signed_in, recovered}'::text[]) event, generate_series(1, 25)`, raAgent, p.clock.Now())
	p.counted()
	const (
		requests, nobodys, newcomers, positions = "Open requests", "Requests that nobody looks after", "People to put on record", "Positions to approve"
		unproved, proof, merges, opened         = "People who registered themselves, to prove", "Evidence that waits for a second checker", "Profiles to merge", "Break-glass to sign for"
		reviews, stopped, unusual, signIns      = "Open access reviews", "Suspended and lost authenticators", "Unusual sign-ins", "Most on a day"
	)
	for _, o := range []struct {
		name, person string
		figures      []string // that she sees beside what expires, and none of them is nothing
		nothing      []string // and those that are
		expiring     bool
	}{
		{"manager", raManager, []string{requests, nobodys, newcomers, proof, merges, opened, reviews, stopped}, []string{positions, unproved}, true},
		{"advanced agent", raAdvanced, []string{requests, nobodys, newcomers, proof, merges, reviews, stopped}, []string{positions, unproved}, true},
		{"agent", raAgent, []string{requests, nobodys, newcomers, proof, stopped}, []string{unproved}, true},
		{"sponsor", raSponsor, []string{requests, nobodys, newcomers, stopped}, nil, true},
		{"identity checker", p.newOfficer("ZX100", "S8001:G8002:R8008", "B0267"), []string{newcomers, proof}, []string{unproved}, false},
		{"smartcard administrator", p.newOfficer("ZX100", "S8001:G8002:R8008", "B9002"), []string{stopped}, nil, false},
		{"privacy officer", p.newOfficer("ZX100", "S8002:G8003:R0001"), []string{opened, unusual, signIns}, nil, false},
		{"break-glass officer", "", []string{requests, nobodys, newcomers, proof, stopped}, []string{unproved}, true},
	} {
		b := opener
		if o.person != "" {
			b, _ = p.atDesk(o.person, "/desk")
		}
		page := b.get("/desk/organisations/ZX100")
		if page.StatusCode != http.StatusOK {
			t.Errorf("the glance of the %s = %d %s", o.name, page.StatusCode, text(page.body))
			continue
		}
		figures := b.figures(page)
		expiring, days := 0, 0
		for name, n := range figures {
			switch {
			case slices.Contains(o.figures, name):
				if n == 0 {
					t.Errorf("the figure %s of the %s is 0, want something to count", name, o.name)
				}
			case slices.Contains(o.nothing, name):
			case strings.HasPrefix(name, "Week from "):
				expiring += n
			default:
				if _, err := time.Parse("2 January 2006", name); err != nil {
					t.Errorf("the %s sees the figure %s = %d, which is not hers", o.name, name, n)
				}
				days++
			}
		}
		for _, name := range append(o.figures, o.nothing...) {
			if _, there := figures[name]; !there {
				t.Errorf("the %s does not see the figure %s", o.name, name)
			}
		}
		if (expiring > 0) != o.expiring {
			t.Errorf("%d positions expire in the chart of the %s, want any: %t", expiring, o.name, o.expiring)
		}
		if want := map[bool]int{true: 28}[slices.Contains(o.figures, signIns)]; !o.expiring && days != want {
			t.Errorf("the %s sees the sign-ins of %d days, want %d", o.name, days, want)
		}
		if strings.Contains(page.body, `id="signed-in"`) != (o.name == "privacy officer") {
			t.Errorf("whether the %s sees when people sign in is wrong", o.name)
		}
	}
	if developer, page := p.atDesk(p.newOfficer("ZX100", "S8001:G8002:R8008", "B9003"), "/desk"); page.StatusCode != http.StatusOK || developer.get("/desk/organisations/ZX100").StatusCode != http.StatusForbidden {
		t.Error("a developer sees at a glance what is not her business")
	}
}

// What needs doing at the hospital is counted, and each figure leads to the list of what it counts.
func TestDeskGlance(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, _ := p.wardNurse()
	p.introduced(ward)
	r, expires := p.registrar(), p.clock.Now().Add(10*24*time.Hour)
	asked, err := r.Ask(t.Context(), deed.Acting{Person: raSponsor, Role: sponsorsRole}, position.Asked{
		Kind: position.Assign, Person: formerly, Position: ward, ExpiresAt: &expires, Reason: "For ten days",
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Decide(t.Context(), deed.Acting{Person: raAgent, Role: agentsRole}, asked.Request, position.Approve, "Yes", ""); err != nil {
		t.Fatal(err)
	}
	p.reviewed()
	p.nursing(noRole)
	p.proposed()
	p.brokenGlass()
	p.enrol(raSponsor, webauthntest.New())
	p.exec(`UPDATE authenticator SET state = 'suspended', revoked_at = $2 WHERE person_id = $1`, raSponsor, p.clock.Now())
	b, page := p.atDesk(raManager, "/desk/organisations/ZX100")
	words := page.words(t)
	for _, want := range []string{"Open requests How many 1 Since when The oldest has waited for", "Requests that nobody looks after How many 1 Since when The oldest has waited for", "People to put on record How many 1", "Positions to approve How many 0 Since when None waits", "Open access reviews How many 1 Since when The last day of the first is", "Week from"} {
		if !strings.Contains(words, want) {
			t.Errorf("the hospital at a glance = %s, want %q", words, want)
		}
	}
	for _, link := range []string{"/desk/requests?organisation=ZX100", "/desk/requests?organisation=ZX100&amp;owner=nobody", "/desk/introductions?organisation=ZX100", "/desk/positions?organisation=ZX100&amp;state=proposed", "/desk/reviews?organisation=ZX100&amp;state=open"} {
		if !strings.Contains(page.body, `href="`+link+`"`) {
			t.Errorf("the hospital at a glance has no link to %s", link)
		}
	}
	figures := b.figures(page)
	for name, want := range map[string]int{"Open requests": 1, "Profiles to merge": 1, "Break-glass to sign for": 1, "Open access reviews": 1, "Suspended and lost authenticators": 1} {
		if figures[name] != want {
			t.Errorf("the figure %s = %d, want %d", name, figures[name], want)
		}
	}
	week := func(n int) answer { // the list that the bar of that week leads to
		from := p.clock.Now().Add(time.Duration(n) * 7 * 24 * time.Hour)
		q := url.Values{"organisation": {"ZX100"}, "from": {from.UTC().Format(time.RFC3339)}, "until": {from.Add(7 * 24 * time.Hour).UTC().Format(time.RFC3339)}}
		return b.get("/desk/expiring?" + q.Encode())
	}
	if a := week(0); a.StatusCode != http.StatusOK || !strings.Contains(a.words(t), "No position expires in that time") {
		t.Errorf("what expires this week = %d %s, want nothing", a.StatusCode, text(a.body))
	}
	for name, a := range map[string]answer{"next week": week(1), "in four weeks": b.get("/desk/expiring"), "until a day": b.get("/desk/expiring?until=1/1/2040&after=%00&sort=-expires")} {
		if a.StatusCode != http.StatusOK || !strings.Contains(a.body, "/desk/people/"+formerly) || !strings.Contains(a.words(t), "Position Ward nurse Organisation ZX100") {
			t.Errorf("what expires %s = %d %s, want the nurse for ten days", name, a.StatusCode, text(a.body))
		}
	}
	// The form keeps from when to when the list is, exactly.
	form := week(1).filter(t)
	if a := b.get("/desk/expiring?" + form.Encode()); form.Get("until") == "" || !strings.Contains(a.body, "/desk/people/"+formerly) || a.filter(t).Encode() != form.Encode() {
		t.Errorf("what expires next week, shown again by its form (%s) = %d %s, want the same", form.Encode(), a.StatusCode, text(a.body))
	}
	for path, want := range map[string]int{
		"/desk/organisations/NOWHERE": http.StatusNotFound, "/desk/organisations/%00": http.StatusNotFound, "/desk/organisations/Y51": http.StatusForbidden,
		"/desk/expiring?organisation=NOWHERE": http.StatusBadRequest, "/desk/expiring?organisation=Y51": http.StatusForbidden,
		"/desk/expiring?from=x": http.StatusBadRequest, "/desk/expiring?until=9999-01-01T00:00:00Z": http.StatusBadRequest, "/desk/expiring?until=%00": http.StatusBadRequest,
		"/desk/expiring?from=1/1/2040&until=1/1/2039": http.StatusBadRequest, "/desk/expiring?from=1/1/1999": http.StatusBadRequest,
	} {
		if got := b.get(path); got.StatusCode != want {
			t.Errorf("GET %s = %d, want %d: %s", path, got.StatusCode, want, text(got.body))
		}
	}
	if home := b.get("/desk"); !strings.Contains(home.body, `id="glance"`) {
		t.Errorf("what needs doing does not lead to the organisation at a glance: %s", text(home.body))
	}
	if _, page := p.atDesk(p.newOfficer("ZX100", "S8001:G8002:R8008", "B9003"), "/desk"); strings.Contains(page.body, `id="glance"`) {
		t.Error("a developer is led to what is not her business")
	}
}
