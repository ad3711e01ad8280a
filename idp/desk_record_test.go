package idp_test

import (
	"html"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/unusual"
)

var (
	nextPage = regexp.MustCompile(`<a href="([^"]*)" id="next">`)
	dayOf    = regexp.MustCompile(`scope="row"><a href="([^"]*)">[^<]*</a></th><td class="nhsuk-table__cell">([0-9]+)</td>`)
)

// counted has the record read as far as it is settled, as the watch does.
func (p *provider) counted() {
	p.t.Helper()
	p.clock.advance(2 * time.Minute)
	watch := &unusual.Watch{Store: p.store, Now: p.clock.Now, Log: slog.New(slog.DiscardHandler)}
	for range 2 { // the second finds nothing new
		if err := watch.Pass(p.t.Context()); err != nil {
			p.t.Fatal(err)
		}
	}
}

// lines are the references of the lines of a list of the record, page by page.
func (b *browser) lines(path string) (references []string) {
	b.t.Helper()
	for range 20 {
		a := b.get(path)
		if a.StatusCode != http.StatusOK {
			b.t.Fatalf("GET %s = %d, want lines: %s", path, a.StatusCode, text(a.body))
		}
		for _, found := range regexp.MustCompile(`<p>Reference ([^<]*)</p>`).FindAllStringSubmatch(a.body, -1) {
			references = append(references, found[1])
		}
		next := nextPage.FindStringSubmatch(a.body)
		if next == nil {
			return references
		}
		path = html.UnescapeString(next[1])
	}
	b.t.Fatalf("GET %s goes on for ever", path)
	return nil
}

// Each day of sign-ins at a glance leads who reads the record to just the sign-ins that it counts, in either order, each once, also where
// many are of one moment and where the day begins an hour before that of UTC.
func TestDeskGlanceLeadsToTheSignInsOfADay(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	privacy, elsewhere := p.newOfficer("ZX100", "S8002:G8003:R0001"), p.newOfficer("ZX200", "S8001:G8002:R8008")
	p.clock.advance(200 * 24 * time.Hour) // to summer
	midnight := p.clock.Now().UTC().Truncate(24 * time.Hour).Add(-time.Hour)
	for batch, s := range map[string]struct {
		at      time.Time
		count   int
		person  string
		event   string
		refusal string
	}{
		"a": {midnight.Add(-time.Minute), 3, raAgent, "signed_in", ""},
		"b": {midnight, 45, raSponsor, "signed_in", ""}, // of one moment
		"c": {midnight.Add(30 * time.Minute), 2, raAgent, "signed_in", "password_wrong"},
		"d": {midnight.Add(30 * time.Minute), 2, raAgent, "recovered", ""},
		"e": {midnight.Add(40 * time.Minute), 4, elsewhere, "signed_in", ""},
		"f": {midnight.Add(-48 * time.Hour), 1, raAgent, "signed_in", ""},
	} {
		p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
			SELECT $1, $2, $3, $4::text, $4::text, '', $5::text || '-' || n, '', '{}' FROM generate_series(1, $6::int) n`, s.at, s.event, s.refusal, s.person, batch, s.count)
	}
	p.counted()
	b, _ := p.atDesk(privacy, "/desk")
	page := b.get("/desk/organisations/ZX100")
	counts := map[int]int{}
	for _, day := range dayOf.FindAllStringSubmatch(page.body, -1) {
		n, _ := strconv.Atoi(day[2])
		list := html.UnescapeString(day[1])
		newest, oldest := b.lines(list), b.lines(list+"&sort=at")
		seen := map[string]bool{}
		for _, reference := range newest {
			seen[reference] = true
		}
		if len(newest) != n || len(oldest) != n || len(seen) != n {
			t.Errorf("the day counts %d sign-ins, and %s lists %d, and %d the oldest first, %d of them once", n, list, len(newest), len(oldest), len(seen))
		}
		counts[n]++
	}
	if counts[3] != 1 || counts[45] == 0 && counts[46] == 0 || counts[1] < 1 {
		t.Errorf("days with how many sign-ins = %v, want one with 3, one with 45 or so, and one with 1", counts)
	}
	// A day that was counted by a program which lists nothing is left out.
	p.exec(`UPDATE sign_in_day SET sign_ins = sign_ins + 1 WHERE organisation_code = 'ZX100' AND sign_ins = 3`)
	if days := dayOf.FindAllString(b.get("/desk/organisations/ZX100").body, -1); len(days) != 27 {
		t.Errorf("the glance has %d days, want all but the one that is not listed whole: %q", len(days), days)
	}
}

// A privacy officer reads what is on record of an organisation of hers: of its people, and of what was done in roles at it, by days, kind and
// outcome; and nothing of another's.
func TestDeskReadsTheRecordOfAnOrganisation(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.wardNurse()
	p.exec(`INSERT INTO organisation (code, name, parent_code, created_at) VALUES ('ZX199', 'Ward', 'ZX100', $1)`, p.clock.Now())
	agent, _ := p.atDesk(raAgent, "/desk/people/"+noOfficer)
	agent.get("/desk/people/" + raSponsor)
	agent.get("/desk/audit?person=" + raSponsor) // which she may not
	privacy := p.newOfficer("ZX100", "S8002:G8003:R0001")
	p.counted()
	b, _ := p.atDesk(privacy, "/desk/audit")
	today := p.clock.Now().UTC().Format("2/1/2006")
	for _, test := range []struct {
		name, query string
		status      int
		words       string
	}{
		{"of her organisation", "of=organisation", http.StatusOK, "What is on record of ZX100"},
		{"of one below it", "of=organisation&organisation=zx199", http.StatusOK, "Nothing like this is on record"},
		{"of one kind", "of=organisation&event=person_viewed", http.StatusOK, "About Perpetua Vouchsafe"},
		{"of what was done there about nobody", "of=organisation&event=position_approved", http.StatusOK, "Position approved"},
		{"of today", "of=organisation&from=" + today + "&until=" + today, http.StatusOK, "as Registration Authority Agent at ZX100"},
		{"from a time", "of=organisation&from=" + url.QueryEscape(today+" 00:00") + "&event=person_viewed", http.StatusOK, "Record of a person looked at"},
		{"of other days", "of=organisation&until=1/1/2001", http.StatusOK, "Nothing like this is on record"},
		{"of what was refused", "of=organisation&outcome=refused&event=desk_opened", http.StatusOK, "Refused: the role that the officer acted in does not let her do this"},
		{"of what was done", "of=organisation&outcome=done&event=desk_opened", http.StatusOK, "Nothing like this is on record"},
		{"after a line that is none", "of=organisation&after=x&event=person_viewed", http.StatusOK, "Record of a person looked at"},
		{"after a line beyond all", "of=organisation&after=9223372036854775807&sort=at", http.StatusOK, "What happened is listed"},
		{"after more than a line can be", "of=organisation&after=99999999999999999999", http.StatusOK, "What is on record of ZX100"},
		{"before all", "of=organisation&after=-1&sort=at", http.StatusOK, "What is on record of ZX100"},
		{"in an order that is none", "of=organisation&sort=%00", http.StatusOK, "Newest first"},
		{"of nowhere", "of=organisation&organisation=NOWHERE", http.StatusBadRequest, "Enter the code of an organisation"},
		{"of what can be nowhere", "of=organisation&organisation=%00", http.StatusBadRequest, "Enter the code of an organisation"},
		{"of one above hers", "of=organisation&organisation=ZX000", http.StatusForbidden, "neither"},
		{"of another", "of=organisation&organisation=ZX200", http.StatusForbidden, "neither"},
		{"of an organisation and a person", "of=organisation&person=" + noOfficer, http.StatusBadRequest, "Enter no user ID"},
		{"of what services do", "of=organisation&event=token_issued", http.StatusBadRequest, "read of one person alone"},
		{"of no outcome", "of=organisation&outcome=x", http.StatusBadRequest, "Select whether it was done"},
		{"until no time", "of=organisation&until=1/1/2030+25:00", http.StatusBadRequest, "Enter a day"},
		{"until before from", "of=organisation&from=2030-01-02T00:00:00Z&until=2030-01-01T00:00:00Z", http.StatusBadRequest, "not before the first"},
		{"about somebody, what was done", "outcome=done&event=person_viewed&person=" + noOfficer, http.StatusOK, "Record of a person looked at"},
		{"about somebody, what was refused", "outcome=refused&event=person_viewed&person=" + noOfficer, http.StatusOK, "Nothing like this is on record"},
	} {
		if a := b.get("/desk/audit?" + test.query); a.StatusCode != test.status || !strings.Contains(a.words(t), test.words) {
			t.Errorf("the record %s = %d %s, want %d with %q", test.name, a.StatusCode, text(a.body), test.status, test.words)
		}
	}
	if actor, about, detail := p.line("audit_read"); actor != privacy || about != noOfficer || detail["outcome"] != "refused" {
		t.Errorf("the last of what was read is by %s about %s: %v, want what was asked", actor, about, detail)
	}
	const list = "/desk/audit?of=organisation&event=person_viewed"
	lines := b.lines(list)
	if file := b.get("/desk/audit/lines.csv?of=organisation&event=person_viewed"); len(lines) == 0 || strings.Count(file.body, "\r\n") != len(lines)+1 || !strings.Contains(file.Header.Get("Content-Disposition"), "audit-ZX100.csv") {
		t.Errorf("the file has %s, want the %d lines of the list", file.body, len(lines))
	}
	if actor, about, detail := p.line("audit_read"); actor != privacy || about != "" || detail["of"] != "organisation" || detail["organisation"] != "ZX100" {
		t.Errorf("the last of what was read is by %s about %q: %v, want that it was of the hospital", actor, about, detail)
	}
	// The form sends what the list is of.
	if a := b.get(list + "&from=" + url.QueryEscape("2026-01-01T10:30:00Z")); cmp.Diff(url.Values{
		"of": {"organisation"}, "organisation": {"ZX100"}, "person": {""}, "event": {"person_viewed"}, "outcome": {""}, "from": {"1/1/2026 10:30"}, "until": {""}, "sort": {"-at"},
	}, a.filter(t)) != "" {
		t.Errorf("the form of the record sends %v", a.filter(t))
	}
	if a := agent.get("/desk/audit?of=organisation"); a.StatusCode != http.StatusForbidden {
		t.Errorf("the record of an organisation for an agent = %d, want 403", a.StatusCode)
	}
}

// The same by API.
func TestAPIReadsTheRecordOfAnOrganisation(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.wardNurse()
	as := p.programs()
	privacy, manager := as(p.newOfficer("ZX100", "S8002:G8003:R0001")), as(raManager)
	p.counted()
	for _, test := range []struct {
		name   string
		by     program
		query  string
		status int
		want   string
	}{
		{"of her organisation", privacy, "", http.StatusOK, `"event":"request_asked"`},
		{"of one kind", privacy, "&organisation=ZX100&event=position_approved&order=at", http.StatusOK, `"event":"position_approved"`},
		{"on another day", privacy, "&until=2001-01-01", http.StatusOK, `"items":[]`},
		{"from a time on", privacy, "&from=2001-01-01T00:00:00Z&outcome=done", http.StatusOK, `"event":"request_asked"`},
		{"after more than a line can be", privacy, "&after=99999999999999999999", http.StatusOK, `"items":[`},
		{"of another", privacy, "&organisation=ZX200", http.StatusForbidden, "another_organisation"},
		{"of nowhere", privacy, "&organisation=NOWHERE", http.StatusNotFound, "unknown"},
		{"of a person too", privacy, "&person=" + noOfficer, http.StatusUnprocessableEntity, `"field":"person"`},
		{"of what services do", privacy, "&event=code_issued", http.StatusUnprocessableEntity, `"field":"event"`},
		{"of no outcome", privacy, "&outcome=x", http.StatusUnprocessableEntity, `"field":"outcome"`},
		{"from no time", privacy, "&from=2001-01-01T25:00:00Z", http.StatusUnprocessableEntity, `"field":"from"`},
		{"in no order", privacy, "&order=newest", http.StatusUnprocessableEntity, `"field":"order"`},
		{"for who may not", manager, "", http.StatusForbidden, "no_right"},
	} {
		if a := test.by.call(http.MethodGet, "/api/audit?of=organisation"+test.query, nil, ""); a.StatusCode != test.status || !strings.Contains(a.body, test.want) {
			t.Errorf("the record %s = %d %.400s, want %d with %s", test.name, a.StatusCode, a.body, test.status, test.want)
		}
	}
	if a := privacy.call(http.MethodGet, "/api/audit?organisation=ZX100&person="+noOfficer, nil, ""); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("the record of a person at an organisation = %d, want 422", a.StatusCode)
	}
}

// What is on record about somebody is of where she worked then: who reads the record where she was reads nothing of what came after, as of
// her alone, and where she is now nothing of what came before.
func TestDeskRecordOfAnOrganisationEndsWithTheRole(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	privacy := p.newOfficer("ZX100", "S8002:G8003:R0001")
	there := p.newOfficer("ZX200", "S8002:G8003:R0001")
	leaver := p.newOfficer("ZX100", "S8000:G8000:R8001")
	line := func(reference string) {
		p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
			VALUES ($1, 'signed_in', '', $2::text, $2::text, '', $3, '198.51.100.7', '{}')`, p.clock.Now(), leaver, reference)
	}
	line("WHILE-HERE")
	p.clock.advance(time.Hour)
	p.exec(`UPDATE role_profile r SET ends_at = $2 FROM membership m WHERE m.id = r.membership_id AND m.person_id = $1`, leaver, p.clock.Now())
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := directory.GrantRole(t.Context(), p.owner, catalogue, directory.NewRole{PersonID: leaver, Organisation: "ZX200", JobRole: "S8000:G8000:R8001"}, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	p.clock.advance(time.Hour)
	line("WHILE-THERE")
	p.counted()
	for officer, want := range map[string]map[string]bool{privacy: {"WHILE-HERE": true, "WHILE-THERE": false}, there: {"WHILE-HERE": false, "WHILE-THERE": true}} {
		b, _ := p.atDesk(officer, "/desk/audit")
		a := b.get("/desk/audit?of=organisation&event=signed_in")
		for reference, is := range want {
			if a.StatusCode != http.StatusOK || strings.Contains(a.body, reference) != is {
				t.Errorf("what the record of where %s reads has %s: %t, want %t: %d", officer, reference, !is, is, a.StatusCode)
			}
		}
	}
}
