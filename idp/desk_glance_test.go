package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/position"
)

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
	b, page := p.atDesk(raManager, "/desk/organisations/ZX100")
	words := page.words(t)
	for _, want := range []string{"Open requests 1 The oldest has waited for", "People to put on record 1", "Positions to approve 0", "Open access reviews 1 The last day of the first is", "Week from"} {
		if !strings.Contains(words, want) {
			t.Errorf("the hospital at a glance = %s, want %q", words, want)
		}
	}
	for _, link := range []string{"/desk/requests?organisation=ZX100", "/desk/introductions?organisation=ZX100", "/desk/positions?organisation=ZX100&amp;state=proposed", "/desk/reviews?organisation=ZX100"} {
		if !strings.Contains(page.body, `href="`+link+`"`) {
			t.Errorf("the hospital at a glance has no link to %s", link)
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
	for name, a := range map[string]answer{"next week": week(1), "in four weeks": b.get("/desk/expiring"), "in times that are none": b.get("/desk/expiring?from=x&until=9999-01-01T00:00:00Z&after=%00")} {
		if a.StatusCode != http.StatusOK || !strings.Contains(a.body, "/desk/people/"+formerly) || !strings.Contains(a.words(t), "Position Ward nurse Organisation ZX100") {
			t.Errorf("what expires %s = %d %s, want the nurse for ten days", name, a.StatusCode, text(a.body))
		}
	}
	for path, want := range map[string]int{
		"/desk/organisations/NOWHERE": http.StatusNotFound, "/desk/organisations/%00": http.StatusNotFound, "/desk/organisations/Y51": http.StatusForbidden,
		"/desk/expiring?organisation=NOWHERE": http.StatusBadRequest, "/desk/expiring?organisation=Y51": http.StatusForbidden,
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
