package idp_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	source "go/token"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/lifecycle"
)

// A privacy officer reads what is on record about people at her organisation and below it, and what officers did in roles there;
// of anybody else she reads nothing; and what she reads is on record.
func TestDeskReadsTheRecord(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	_, request := p.wardNurse()
	agent, _ := p.atDesk(raAgent, "/desk/people/"+noOfficer)
	agent.get("/desk/people/" + raSponsor)
	privacy := p.newOfficer("ZX100", "S8002:G8003:R0001")
	b, page := p.atDesk(privacy, "/desk/audit")
	if page.StatusCode != http.StatusOK || !strings.Contains(page.body, `href="/desk/audit"`) {
		t.Fatalf("the page for a privacy officer = %d %s, want it", page.StatusCode, text(page.body))
	}
	for _, test := range []struct {
		name, query string
		status      int
		words       string
	}{
		{"what is on record about somebody", "person=" + noOfficer, http.StatusOK, "Record of a person looked at"},
		{"with spaces in the user id", "person=6560+0575+0107", http.StatusOK, "as Registration Authority Agent at ZX100"},
		{"of one kind", "event=person_viewed&person=" + noOfficer, http.StatusOK, "Record of a person looked at"},
		{"of another kind", "event=person_closed&person=" + noOfficer, http.StatusOK, "Nothing like this is on record"},
		{"of some days", fmt.Sprintf("person=%s&from=%s&until=%[2]s", noOfficer, p.clock.Now().UTC().Format("2/1/2006")), http.StatusOK, "Record of a person looked at"},
		{"of earlier days", "until=1/1/2001&person=" + noOfficer, http.StatusOK, "Nothing like this is on record"},
		{"of later days", "from=1/1/2999&person=" + noOfficer, http.StatusOK, "Nothing like this is on record"},
		{"what an officer did", "of=did&person=" + raAgent, http.StatusOK, "About Perpetua Vouchsafe (" + raSponsor + ")"},
		{"her own lines", "person=" + privacy, http.StatusOK, "Audit record read"},
		{"about a line that is none", "after=x&person=" + noOfficer, http.StatusOK, "Record of a person looked at"},
		{"after the last line", "after=1&person=" + noOfficer, http.StatusOK, "Nothing like this is on record"},
		{"about somebody who has no role", "person=" + noRole, http.StatusForbidden, "neither at the organisation"},
		{"what an officer of the organisation above did", "of=did&person=" + raManager, http.StatusForbidden, "neither at the organisation"},
		{"about nobody", "person=555500000001", http.StatusBadRequest, "Enter the user ID of somebody"},
		{"about what is no user id", "person=%00", http.StatusBadRequest, "Enter the user ID of somebody"},
		{"of no kind that there is", "event=x&of=y&person=" + noOfficer, http.StatusBadRequest, "Select what to read"},
		{"until before from", "from=2/1/2030&until=1/1/2030&person=" + noOfficer, http.StatusBadRequest, "not before the first"},
		{"from no day", "from=soon&person=" + noOfficer, http.StatusBadRequest, "Enter a day"},
	} {
		if a := b.get("/desk/audit?" + test.query); a.StatusCode != test.status || !strings.Contains(a.words(t), test.words) {
			t.Errorf("%s = %d %s, want %d with %q", test.name, a.StatusCode, text(a.body), test.status, test.words)
		}
	}
	if words := b.get("/desk/audit?of=did&person=" + raSponsor).words(t); !strings.Contains(words, "Position asked for") {
		t.Errorf("what the sponsor did, who asked for %s = %s, want that", request, words)
	}
	if got := p.audited("audit_read"); len(got) != 12 {
		t.Errorf("the record has %d lines of what was read, want 12: %v", len(got), got)
	}
	if actor, about, detail := p.line("audit_read"); actor != privacy || about != raSponsor || detail["of"] != "did" || detail["officer_role"] == "" {
		t.Errorf("the last of them is by %s about %s: %v, want the privacy officer, the sponsor and what was asked", actor, about, detail)
	}
	refused := p.audited("desk_opened")
	if diff := cmp.Diff([]string{"desk_opened: another_organisation", "desk_opened: another_organisation"}, refused); diff != "" {
		t.Errorf("the refusals on record differ (-want +got):\n%s", diff)
	}
}

// What an officer did in a role elsewhere is not read here; of a role here that ended it is.
func TestDeskReadsWhatWasDoneInRolesHere(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.wardNurse()
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
		VALUES ($1, 'person_viewed', '', $2, $3, '', 'ELSEWHERE', '', '{"officer_role": "555200000999"}')`, p.clock.Now(), raSponsor, noRole)
	p.exec(`UPDATE role_profile SET ends_at = $2, starts_at = $2::timestamptz - interval '1 day' WHERE id = $1`, sponsorsRole, p.clock.Now())
	b, _ := p.atDesk(p.newOfficer("ZX100", "S8002:G8003:R0001"), "/desk/audit")
	if a := b.get("/desk/audit?of=did&person=" + raSponsor); !strings.Contains(a.words(t), "Position asked for") || strings.Contains(a.body, "ELSEWHERE") {
		t.Errorf("what a sponsor of old did = %s, want what she did here and no more", text(a.body))
	}
	if a := b.get("/desk/audit?person=" + raSponsor); a.StatusCode != http.StatusForbidden {
		t.Errorf("what is on record about her = %d, want 403: she has no role here", a.StatusCode)
	}
}

// A line opens, and says what was changed with what it was before, why, and what it is about, which leads there if she may open it; the
// API says the same. What is sealed is not in it.
func TestDeskReadsWhatWasChanged(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	_, request := p.wardNurse()
	privacy := p.newOfficer("ZX100", "S8002:G8003:R0001")
	nurse, agent := p.nurse(), deed.Acting{Person: raAgent, Role: agentsRole}
	before, err := p.owner.Profile(t.Context(), nurse)
	if err != nil {
		t.Fatal(err)
	}
	wanted, id := lifecycle.Correction{Person: nurse, Details: before.Details, Reason: "Hers now", Sure: true}, uuid.MustParse(request)
	wanted.Email = "hers@example.org"
	_, err = p.profiles().Correct(t.Context(), agent, wanted)
	if err := errors.Join(err, p.registrar().Take(t.Context(), agent, id, ""), p.registrar().GiveBack(t.Context(), agent, id)); err != nil {
		t.Fatal(err)
	}
	b, page := p.atDesk(privacy, "/desk/audit?of=did&person="+raAgent)
	words := page.words(t)
	for _, want := range []string{
		"Details corrected", "Email address: nothing became hers@example.org", "Reason: Hers now", "Request taken", "Looked after by: nothing became Bartholomew Keykeeper (" + raAgent + ")", "Request given back",
		"Looked after by: Bartholomew Keykeeper (" + raAgent + ") became nothing", "Request: " + request,
	} {
		if !strings.Contains(words, want) {
			t.Errorf("the record = %s, want %q", words, want)
		}
	}
	if strings.Contains(page.body, `href="/desk/requests/`) || strings.Contains(words, "given_name") {
		t.Errorf("the record leads a privacy officer to requests, which she may not open, or names a field as programs do: %s", words)
	}
	a := p.programs()(privacy).call(http.MethodGet, "/api/audit?person="+nurse+"&event=person_corrected", nil, "")
	if !strings.Contains(a.body, `{"field":"email","from":"","to":"hers@example.org"}`) || !strings.Contains(a.body, `{"name":"reason","value":"Hers now"}`) {
		t.Errorf("the record by API = %s, want the same", a.body)
	}
	p.prove(nurse)
	if words := b.get("/desk/audit?event=evidence_recorded&person=" + nurse).words(t); !strings.Contains(words, "Level: ") || strings.Contains(words, "Number") {
		t.Errorf("the record of evidence = %s, want the level and no number", words)
	}
}

// A list goes on where it ended, and a file of it has no formulas.
func TestDeskDownloadsTheRecord(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.exec(`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
		SELECT $1::timestamptz - n * interval '1 s', 'person_viewed', '', '=1+1', $2, '', 'LINE' || n, '', '{}' FROM generate_series(1, 1010) n`, p.clock.Now().Add(-time.Minute), noOfficer)
	b, page := p.atDesk(p.newOfficer("ZX100", "S8002:G8003:R0001"), "/desk/audit?event=person_viewed&person="+noOfficer)
	if !strings.Contains(page.body, "LINE1010<") || strings.Contains(page.body, "LINE990<") {
		t.Errorf("the first page = %s, want the newest 20", text(page.body))
	}
	next := regexp.MustCompile(`href="(/desk/audit\?after=[^"]*)"`).FindStringSubmatch(page.body)
	if next == nil {
		t.Fatalf("the first page leads to no next: %s", text(page.body))
	}
	if a := b.get(html.UnescapeString(next[1])); !strings.Contains(a.body, "LINE990<") || strings.Contains(a.body, "LINE991<") {
		t.Errorf("the next page = %s, want what follows", text(a.body))
	}
	page = b.get("/desk/audit?sort=at&event=person_viewed&person=" + noOfficer)
	if !strings.Contains(page.body, "LINE1<") || strings.Contains(page.body, "LINE21<") || !strings.Contains(page.body, "/desk/audit/lines.csv?event=person_viewed&amp;of=about&amp;person="+noOfficer+"&amp;sort=at") {
		t.Errorf("the first page, the oldest first = %s, want the oldest 20", text(page.body))
	}
	a := b.get("/desk/audit/lines.csv?event=person_viewed&person=" + noOfficer)
	if kind := a.Header.Get("Content-Type"); a.StatusCode != http.StatusOK || kind != "text/csv; charset=utf-8" || !strings.HasPrefix(a.Header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("the file = %d %s, want CSV to keep", a.StatusCode, kind)
	}
	rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
	if err != nil || len(rows) != 1001 || rows[1][4] != "'=1+1" || rows[1][12] != "LINE1010" {
		t.Errorf("the file has %d rows, the first %v, %v, want titles and the newest 1,000", len(rows), rows[:min(2, len(rows))], err)
	}
	if a := b.get("/desk/audit/lines.csv"); a.StatusCode != http.StatusBadRequest {
		t.Errorf("the file of nobody = %d, want 400", a.StatusCode)
	}
	if a := b.get("/desk/audit/lines.csv?person=" + noRole); a.StatusCode != http.StatusForbidden {
		t.Errorf("the file of somebody elsewhere = %d, want 403", a.StatusCode)
	}
}

// Each event has words: the page offers as many as there are.
func TestEachEventHasWords(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(source.NewFileSet(), "audit/audit.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := newProvider(t)
	_, page := p.atDesk(p.newOfficer("ZX100", "S8002:G8003:R0001"), "/desk/audit")
	found := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if kind, named := spec.Type.(*ast.Ident); !ok || !named || kind.Name != "Event" {
			return true
		}
		found++
		if !strings.Contains(page.body, "<option value="+literal.Value) {
			t.Errorf("the event %s has no words", literal.Value)
		}
		return true
	})
	if found < 70 {
		t.Errorf("found %d events, want all", found)
	}
}
