package idp_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

var (
	glanceNumber = regexp.MustCompile(`<strong>[0-9]+|<text [^>]*>[^<]*: [0-9]+</text>`)
	glanceFigure = regexp.MustCompile(`<dt [^>]*><a href="([^"]+)">([^<]+)</a></dt>\s*<dd [^>]*><p><strong>([0-9]+)</strong>`)
	glanceBar    = regexp.MustCompile(`<a class="credence-chart__bar" href="([^"]+)">\s*<rect [^>]*></rect>\s*<text [^>]*>([^<]+): ([0-9]+)</text>`)
	listRow      = regexp.MustCompile(`<tr role="row" class="nhsuk-table__row">|<div class="nhsuk-summary-list__row">`)
)

// figures are the figures and bars of a glance, by name. Each leads to a list that has as many rows.
func (b *browser) figures(page answer) map[string]int {
	b.t.Helper()
	shown := append(glanceFigure.FindAllStringSubmatch(page.body, -1), glanceBar.FindAllStringSubmatch(page.body, -1)...)
	if numbers := len(glanceNumber.FindAllString(page.body, -1)) - strings.Count(page.body, "Most on a day: "); numbers != len(shown) {
		b.t.Errorf("the glance shows %d numbers, of which %d lead to lists: %s", numbers, len(shown), page.body)
	}
	figures := map[string]int{}
	for _, f := range shown {
		n, err := strconv.Atoi(f[3])
		if err != nil {
			b.t.Fatal(err)
		}
		figures[f[2]] = n
		path := html.UnescapeString(f[1])
		a := b.get(path)
		_, main, _ := strings.Cut(a.body, "<main")
		if rows := len(listRow.FindAllString(main, -1)); a.StatusCode != http.StatusOK || rows != n {
			b.t.Errorf("the figure %s is %d, GET %s = %d with %d rows, want as many: %s", f[2], n, path, a.StatusCode, rows, text(a.body))
		}
	}
	return figures
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
	if _, err := r.Decide(t.Context(), deed.Acting{Person: raAgent, Role: agentsRole}, asked.Request, position.Approve, "Yes"); err != nil {
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
	for _, want := range []string{"Open requests 1 The oldest has waited for", "Requests that nobody looks after 1 The oldest has waited for", "People to put on record 1", "Positions to approve 0", "Open access reviews 1 The last day of the first is", "Week from"} {
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
