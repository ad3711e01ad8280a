package idp_test

import (
	"html"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/unusual"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// first is which of two texts comes first on a page, or "" where one is not there.
func (a answer) first(one, other string) string {
	i, j := strings.Index(a.body, one), strings.Index(a.body, other)
	switch {
	case i < 0 || j < 0:
		return ""
	case i < j:
		return one
	default:
		return other
	}
}

// A list is in the order of its address, its headings lead to the other orders, and both filter and next page keep the order.
func TestDeskListsAreSorted(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, request := p.wardNurse()
	starts := p.clock.Now().Add(-time.Hour)
	later, err := p.registrar().Ask(t.Context(), deed.Acting{Person: raSponsor, Role: sponsorsRole}, position.Asked{Kind: position.Assign, Person: formerly, Position: ward, StartsAt: starts.Add(48 * time.Hour), Reason: "On Wednesday"})
	if err != nil {
		t.Fatal(err)
	}
	older, newer := "/desk/requests/"+request, "/desk/requests/"+later.Request.String()
	b, _ := p.atDesk(raManager, "/desk")
	for query, want := range map[string]string{
		"": older, "?sort=asked": older, "?sort=-asked": newer, "?sort=starts": older, "?sort=-starts": newer, "?sort=-starts&organisation=ZX100": newer,
		"?sort=name": older, "?sort=--asked": older, "?sort=%00&after=%00": older, "?sort=asked%3B+DROP+TABLE+request": older, "?sort=-": older, "?sort=-starts&after=x": newer,
		"?sort=-starts&after=01935c5e-7a70-7000-8000-000000000001": newer, // of no request
	} {
		a := b.get("/desk/requests" + query)
		if got := a.first(older, newer); a.StatusCode != http.StatusOK || got != want {
			t.Errorf("GET /desk/requests%s = %d with %s first, want %s", query, a.StatusCode, got, want)
		}
	}
	a := b.get("/desk/requests?organisation=ZX100&sort=-starts&after=" + later.Request.String())
	for _, want := range []string{
		`aria-sort="descending"><a href="/desk/requests?organisation=ZX100&amp;sort=starts"`, `<a href="/desk/requests?organisation=ZX100&amp;sort=asked"`, `<option value="-starts" selected>`,
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("the requests by their start have no %s: %s", want, a.body)
		}
	}
	p.nursed(oneRole, ward)
	held := p.nursed(sevenRoles, ward)
	review, run := p.reviewed(), p.retained()
	for _, list := range []struct{ path, sorts string }{
		{"/desk/requests?owner=nobody", "asked starts"},
		{"/desk/requests?owner=mine&position=" + ward, "asked starts"},
		{"/desk/introductions", "asked name"},
		{"/desk/reviews", "opened due"},
		{"/desk/reviews/" + review, "name position starts expires"},
		{"/desk/positions/" + ward + "/holders", "name starts expires"},
		{"/desk/positions/" + ward + "/withheld", "name starts"},
		{"/desk/positions/" + ward + "/withheld?state=proposed&name=User", "name starts"},
		{"/desk/expiring", "expires"},
		{"/desk/people?q=User", "likeness name person"},
		{"/desk/suspended", "starts"},
		{"/desk/self-registered", "at"},
		{"/desk/merges", "at"},
		{"/desk/break-glass?show=all", "at"},
		{"/desk/clients", "asked name"},
		{"/desk/positions", "name"},
		{"/desk/positions?state=proposed", "name at"},
		{"/desk/people/" + noRole + "/positions?q=nurse", "name"},
		{"/desk/people/" + oneRole + "/evidence", "at"},
		{"/desk/positions/" + ward, "at"},
		{"/desk/retention", "at"},
		{"/desk/people/" + oneRole + "/authenticators", "at"},
		{"/desk/people/" + oneRole + "/history", "at"},
		{"/desk/retention/" + run, "at"},
	} {
		for by := range strings.FieldsSeq(list.sorts) {
			for _, order := range []string{by, "-" + by} {
				for _, after := range []string{"", "%00", held, strings.Repeat("9", 400), review} {
					path := list.path + map[bool]string{true: "&", false: "?"}[strings.Contains(list.path, "?")] + "sort=" + order + "&after=" + after
					a := b.get(path)
					if a.StatusCode != http.StatusOK || order != "-likeness" && after != "" && !strings.Contains(a.body, `<option value="`+order+`" selected>`) {
						t.Errorf("GET %s = %d, want it in that order: %s", path, a.StatusCode, text(a.body))
					}
				}
			}
		}
	}
	if a := b.get("/desk/people/" + sevenRoles + "?sort=-expires"); !strings.Contains(a.body, `<option value="-expires" selected>`) {
		t.Errorf("the roles of a person, the last to end first = %d, want them in that order: %s", a.StatusCode, text(a.body))
	}
	p.exec(`INSERT INTO organisation (code, name, parent_code, created_at) SELECT 'N' || n, 'N', 'ZX100', now() FROM generate_series(1, 400) n`)
	if got := b.get("/desk/requests?sort=-starts").first(older, newer); got != newer {
		t.Errorf("the requests of many organisations by their start begin with %q, want %s", got, newer)
	}
}

// Those who hold a position are narrowed to who is like a name, has a user id, or works somewhere; at the desk and by API.
func TestHoldersAreFiltered(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, _ := p.wardNurse()
	p.nursed(oneRole, ward)
	p.nursed(sevenRoles, ward)
	b, _ := p.atDesk(raManager, "/desk")
	g := program{p, p.description(), p.officerToken(p.browser(), raManager, apiScopes, "smartcard")}
	holders := "/desk/positions/" + ward + "/holders?"
	all := b.get(holders).body
	if !strings.Contains(all, oneRole) || !strings.Contains(all, sevenRoles) {
		t.Fatalf("who holds the position = %s, want both", text(all))
	}
	for _, tt := range []struct {
		desk, api string
		status    [2]int
		one, more bool // is listed
	}{
		{"name=" + oneRole, "person=" + oneRole, [2]int{200, 200}, true, false},
		{"name=6560+0575+0108", "person=" + oneRole, [2]int{200, 200}, true, false},
		{"name=gwil", "name=gwil", [2]int{200, 200}, true, false},
		{"name=Gwil+Hawthornby&sort=-name", "name=Gwil+Hawthornby&order=-name", [2]int{200, 200}, true, false},
		{"organisation=zx200", "organisation=ZX200", [2]int{200, 200}, true, true},
		{"organisation=ZX100", "organisation=ZX100", [2]int{200, 200}, true, true},
		{"name=gwil&organisation=Y51", "name=gwil&organisation=Y51", [2]int{200, 200}, false, false},
		{"name=Xavier+Quist", "name=Xavier+Quist", [2]int{200, 200}, false, false},
		{"name=999999999999", "person=999999999999", [2]int{200, 200}, false, false},
		{"name=gw", "name=gw", [2]int{400, 422}, false, false},
		{"name=%00gwil", "person=gwil", [2]int{400, 422}, false, false},
		{"organisation=NOWHERE", "organisation=NOWHERE", [2]int{400, 422}, false, false},
		{"organisation=%00", "organisation=%20", [2]int{400, 422}, false, false},
	} {
		atDesk, byAPI := b.get(holders+tt.desk), g.call(http.MethodGet, "/api/positions/"+ward+"/holders?"+tt.api, nil, "")
		if got := [2]int{atDesk.StatusCode, byAPI.StatusCode}; got != tt.status {
			t.Errorf("who holds it (%s) = %v, want %v: %s %s", tt.desk, got, tt.status, text(atDesk.body), byAPI.body)
		}
		_, table, _ := strings.Cut(atDesk.body, "<table")
		for person, want := range map[string]bool{oneRole: tt.one, sevenRoles: tt.more} {
			if strings.Contains(table, person) != want || byAPI.StatusCode == http.StatusOK && strings.Contains(byAPI.body, person) != want {
				t.Errorf("who holds it (%s) has %s = %t, want %t: %s %s", tt.desk, person, !want, want, text(table), byAPI.body)
			}
		}
	}
}

// A page of a list goes on in its order and with its filters, and has each row once.
func TestDeskListsGoOnInTheirOrder(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, _ := p.wardNurse()
	other, _ := p.wardNurse()
	p.exec(`INSERT INTO person (id, handle, title, given_name, middle_names, family_name, display_name, identity_level, created_at, version)
		SELECT '7000000000' || to_char(n, 'FM00'), sha256(n::text::bytea), '', 'Many', '', 'Person' || to_char(n, 'FM00'), 'Many Person' || to_char(n, 'FM00'), 'high', now(), gen_random_uuid() FROM generate_series(1, 45) n`)
	p.exec(`INSERT INTO request (id, kind, person_id, position_id, position_version, organisation_code, starts_at, reason, asked_by, asked_role, asked_at, lapses_at)
		SELECT gen_random_uuid(), 'assign_position', '7000000000' || to_char(n, 'FM00'), of, 1, 'ZX100', $2::timestamptz + n / 5 * interval '1 hour', 'x', $3, $4, $2, $2::timestamptz + interval '1 day'
		FROM generate_series(1, 45) n, unnest($1::text[]) of`, []string{ward, other}, p.clock.Now(), raSponsor, sponsorsRole)
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
		SELECT asked_at, 'request_asked', '', asked_by, person_id, '', '', '', jsonb_build_object('request', id, 'officer', asked_by, 'officer_role', asked_role) FROM request WHERE person_id LIKE '70000%'`)
	b, _ := p.atDesk(raManager, "/desk")
	for list, rows := range map[string]string{"/desk/requests?sort=-starts&organisation=ZX100&owner=nobody&position=" + ward: `<br>7000000000`, "/desk/people?q=Many+Person&sort=-name": `href="/desk/people/7000000000`} {
		seen := 0
		for page, path := 0, list; path != "" && page < 9; page++ {
			a := b.get(path)
			seen += strings.Count(a.body, rows)
			path = ""
			if _, rest, more := strings.Cut(a.body, `<a href="`+strings.Split(list, "?")[0]+`?after=`); more {
				next, _, _ := strings.Cut(rest, `"`)
				path = strings.Split(list, "?")[0] + "?after=" + html.UnescapeString(next)
			}
		}
		if seen != 45 {
			t.Errorf("GET %s, page by page, has %d people, want each of 45 once", list, seen)
		}
	}
}

// What is sent to the API that nobody has is a mistake of whoever sent it.
func TestAPIRefusesCharactersThatNothingHas(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, _ := p.wardNurse()
	g := program{p, p.description(), p.officerToken(p.browser(), raManager, apiScopes, "smartcard")}
	for _, path := range []string{"/api/requests", "/api/people/" + noRole, "/api/positions/" + ward + "/holders", "/api/people?name=Rolande", "/api/positions"} {
		for after, want := range map[string]int{"%00": http.StatusBadRequest, "12%0034": http.StatusBadRequest, "%FF": http.StatusOK, "x": http.StatusOK, url.QueryEscape("'; --"): http.StatusOK} {
			path := path + map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")] + "after=" + after
			if a := g.call(http.MethodGet, path, nil, ""); a.StatusCode != want {
				t.Errorf("GET %s = %d, want %d: %s", path, a.StatusCode, want, a.body)
			}
		}
	}
}

// Each order that the description says is taken, and no other; and a list goes on in it.
func TestAPIListsAreSorted(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ward, older := p.wardNurse()
	later, err := p.registrar().Ask(t.Context(), deed.Acting{Person: raSponsor, Role: sponsorsRole}, position.Asked{
		Kind: position.Assign, Person: formerly, Position: ward, StartsAt: p.clock.Now().Add(48 * time.Hour), Reason: "On Wednesday",
	})
	if err != nil {
		t.Fatal(err)
	}
	newer := later.Request.String()
	p.nursed(oneRole, ward)
	review, run := p.reviewed(), p.retained()
	g := program{p, p.description(), p.officerToken(p.browser(), raManager, apiScopes, "smartcard")}
	reader := program{p, g.description, p.officerToken(p.browser(), p.newOfficer("ZX100", "S8002:G8003:R0001"), apiScopes, "smartcard")}
	for path, orders := range map[string]string{
		"/api/people?name=User":                 "likeness name -name person -person",
		"/api/positions?organisation=ZX100":     "name -name",
		"/api/positions?state=proposed":         "name -name at -at",
		"/api/positions/" + ward + "/holders?":  "name -name starts -starts expires -expires",
		"/api/positions/" + ward + "/withheld?": "name -name starts -starts",
		"/api/requests?organisation=ZX100":      "asked -asked starts -starts",
		"/api/requests?owner=mine":              "asked -asked starts -starts",
		"/api/introductions?organisation=ZX100": "asked -asked name -name",
		"/api/people/" + oneRole + "?":          "starts -starts expires -expires",
		"/api/evidence-proposals?":              "at -at",
		"/api/reviews?organisation=ZX100":       "opened -opened due -due",
		"/api/reviews?state=open":               "opened -opened due -due",
		"/api/reviews/" + review + "/items?":    "name -name position -position starts -starts expires -expires",
		"/api/applications?organisation=ZX100":  "asked -asked name -name",
		"/api/merges?organisation=ZX100":        "at -at",
		"/api/break-glass-reviews?state=all":    "at -at",
		"/api/people/" + oneRole + "/history?":  "at -at",
		"/api/expiring-roles?":                  "expires -expires",
		"/api/stopped-authenticators?":          "starts -starts",
		"/api/unusual-sign-ins?":                "at -at",
		"/api/self-registered?":                 "at -at",
		"/api/people/" + oneRole + "/evidence?": "at -at",
		"/api/positions/" + ward + "?":          "at -at",
		"/api/retention?":                       "at -at",
		"/api/codes?kind=job_role":              "code -code",

		"/api/people/" + oneRole + "/authenticators?":  "at -at",
		"/api/people/" + oneRole + "/enrolment-links?": "at -at",
		"/api/retention/" + run + "?":                  "at -at",
	} {
		g := g
		if strings.HasPrefix(path, "/api/unusual-sign-ins") { // is a privacy officer's
			g = reader
		}
		for order := range strings.FieldsSeq(orders) {
			for _, after := range []string{"", "x", review, oneRole} {
				if a := g.call(http.MethodGet, path+"&order="+order+"&after="+after, nil, ""); a.StatusCode != http.StatusOK {
					t.Errorf("GET %s&order=%s&after=%s = %d, want 200: %s", path, order, after, a.StatusCode, a.body)
				}
			}
		}
		for _, order := range []string{"-likeness", "--name", "id", "name%3B+DROP+TABLE+request", "-"} {
			if a := g.call(http.MethodGet, path+"&order="+order, nil, ""); a.StatusCode != http.StatusUnprocessableEntity {
				t.Errorf("GET %s&order=%s = %d, want 422: %s", path, order, a.StatusCode, a.body)
			}
		}
	}
	if a := g.call(http.MethodGet, "/api/positions?order=at", nil, ""); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("the positions by since when something waits, of which nothing may = %d, want 422: %s", a.StatusCode, a.body)
	}
	for query, want := range map[string]string{"": older, "&order=starts": older, "&order=-starts": newer, "&order=-asked": newer, "&order=-starts&after=" + newer: ""} {
		if got := g.call(http.MethodGet, "/api/requests?organisation=ZX100"+query, nil, "").first(older, newer); got != want {
			t.Errorf("GET /api/requests?organisation=ZX100%s has %q first, want %q", query, got, want)
		}
	}
}

// A glance says to who reads the record how many sign-ins there were and how many were unusual, and to who changes authenticators how many are
// suspended. It leads each of them to which.
func TestDeskGlanceOfSignIns(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	key := webauthntest.New()
	p.enrol(raSponsor, key)
	p.exec(`UPDATE authenticator SET state = 'suspended', revoked_at = $2 WHERE person_id = $1`, raSponsor, p.clock.Now())
	privacy := p.newOfficer("ZX100", "S8002:G8003:R0001")
	manager, _ := p.atDesk(raManager, "/desk")
	officer, _ := p.atDesk(privacy, "/desk")
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail) SELECT $2, 'recovered', '', $1::text, $1::text, '', '', '192.0.2.7', '{}' FROM generate_series(1, 25)`, raAgent, p.clock.Now())
	p.clock.advance(2 * time.Minute)
	watch := &unusual.Watch{Store: p.store, Now: p.clock.Now, Log: slog.New(slog.DiscardHandler)}
	for range 2 { // the second finds nothing new
		if err := watch.Pass(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const list = "/desk/unusual?organisation=ZX100"
	for _, o := range []struct {
		who  string
		b    *browser
		page string
		want bool
	}{
		{"manager", manager, list, false},
		{"privacy officer", officer, list, true},
		{"manager", manager, "/desk/suspended?organisation=ZX100", true},
		{"privacy officer", officer, "/desk/suspended?organisation=ZX100", false},
	} {
		a := o.b.get("/desk/organisations/ZX100")
		words := a.words(t)
		reads := o.who == "privacy officer"
		if strings.Contains(words, "Unusual sign-ins How many 25 Since when In the last 28 days") != reads || strings.Contains(words, "Sign-ins of the last four weeks") != reads {
			t.Errorf("the glance of the %s = %d %s, want sign-ins, and how many were unusual, if she reads the record", o.who, a.StatusCode, words)
		}
		if strings.Contains(a.body, `href="`+o.page+`"`) != o.want {
			t.Errorf("the glance leads the %s to %s = %t, want %t", o.who, o.page, !o.want, o.want)
		}
		if got, want := o.b.get(o.page).StatusCode, map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[o.want]; got != want {
			t.Errorf("GET %s for the %s = %d, want %d", o.page, o.who, got, want)
		}
	}
	for person, want := range map[string]bool{raManager: false, privacy: true} {
		g := program{p, p.description(), p.officerToken(p.browser(), person, apiScopes, "smartcard")}
		a := g.call(http.MethodGet, "/api/organisations/{organisation}/glance", map[string]string{"organisation": "ZX100"}, "")
		if a.StatusCode != http.StatusOK || strings.Contains(a.body, `"sign_ins":[{"day":"`) != want || strings.Contains(a.body, `"unusual_sign_ins":25`) != want {
			t.Errorf("the glance of %s by a program = %d %s, want sign-ins %t", person, a.StatusCode, a.body, want)
		}
	}
	if a := manager.get("/desk/suspended?organisation=ZX100"); !strings.Contains(a.words(t), "Suspended") || !strings.Contains(a.body, authenticatorsOf(raSponsor)) {
		t.Errorf("what is suspended = %s, want the key", text(a.body))
	}
	a := officer.get(list + "&sort=at")
	if rows := strings.Count(a.body, "A recovery code was used"); rows != 20 || !strings.Contains(a.body, "192.0.2.7") || !strings.Contains(a.body, "/desk/audit?from=") {
		t.Errorf("the unusual sign-ins have %d rows, want 20 with the way to the record: %s", rows, text(a.body))
	}
	rows := p.count(`SELECT sequence FROM unusual_sign_in WHERE organisation_code = 'ZX100' ORDER BY sequence OFFSET 19 LIMIT 1`)
	if got := strings.Count(officer.get(list+"&sort=at&after="+strconv.Itoa(rows)).body, "A recovery code was used"); got != 5 {
		t.Errorf("the next page has %d rows, want 5", got)
	}
	for path, want := range map[string]int{
		list + "&after=%00": http.StatusOK, list + "&after=-1&sort=-at": http.StatusOK, list + "&after=99999999999999999999": http.StatusOK,
		"/desk/unusual?organisation=Y51": http.StatusForbidden, "/desk/unusual?organisation=%00": http.StatusBadRequest,
	} {
		if got := officer.get(path); got.StatusCode != want {
			t.Errorf("GET %s = %d, want %d: %s", path, got.StatusCode, want, text(got.body))
		}
	}
	if got := p.count(`SELECT count(*) FROM audit_event WHERE event = 'audit_read' AND refusal = '' AND detail ->> 'of' = 'unusual'`); got < 3 {
		t.Errorf("lines of the record on who read it = %d, want one for each look", got)
	}
	if got := p.count(`SELECT sign_ins FROM sign_in_day WHERE organisation_code = 'ZX100'`); got < 1 {
		t.Errorf("sign-ins of the day = %d, want some", got)
	}
}
