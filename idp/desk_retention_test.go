package idp_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/retention"
	"github.com/credence-id/credence/idp/seal"
)

// retained runs the rules of retention, and returns the id of the report.
func (p *provider) retained() string {
	p.t.Helper()
	rules, err := retention.Rules()
	if err != nil {
		p.t.Fatal(err)
	}
	key, _ := seal.NewKey()
	recorder, err := evidence.New(p.store, key, p.clock.Now)
	if err != nil {
		p.t.Fatal(err)
	}
	eraser := &retention.Eraser{Store: p.store, Rules: rules, Evidence: recorder, Now: p.clock.Now, Log: slog.New(slog.DiscardHandler)}
	id, err := eraser.Erase(p.t.Context(), "operator:test")
	if err != nil {
		p.t.Fatal(err)
	}
	return id.String()
}

// A manager sees for how long what is kept, and what each run erased.
func TestDeskRetention(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b, first := p.atDesk(raManager, "/desk/retention")
	if words := first.words(t); !strings.Contains(words, "The rules have not run yet") || !strings.Contains(words, "Photographs that were replaced") || !strings.Contains(words, "6 years after the profile was closed") {
		t.Errorf("the page before the first run = %s, want the rules and no run", words)
	}
	p.exec(`UPDATE person SET disabled_at = $2, closed_at = $2, closed_as = 'left' WHERE id = $1`, noRole, p.clock.Now().AddDate(-3, 0, 0))
	run := p.retained()
	p.clock.advance(time.Minute)
	p.retained()
	page := b.get("/desk/retention/" + run)
	if words := page.words(t); page.StatusCode != http.StatusOK || !strings.Contains(words, "Evidence and photographs of closed profiles") || !strings.Contains(words, "operator:test") {
		t.Errorf("the page of a run = %d %s, want what it erased", page.StatusCode, words)
	}
	if got := strings.Count(b.get("/desk/retention").body, `href="/desk/retention/`); got != 2 {
		t.Errorf("runs on the page = %d, want 2", got)
	}
	for path, want := range map[string]int{
		"/desk/retention/x": http.StatusNotFound, "/desk/retention/" + uuid.NewString(): http.StatusNotFound,
		"/desk/retention?after=%00&sort=at": http.StatusOK, "/desk/retention?after=" + run: http.StatusOK,
	} {
		if got := b.get(path); got.StatusCode != want {
			t.Errorf("GET %s = %d, want %d", path, got.StatusCode, want)
		}
	}
}

// Of somebody whose profile is closed nothing is put on record, which no rule would ever erase, and what is there can be seen.
func TestDeskPutsNothingOnRecordOfClosedProfiles(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	person := p.newcomer()
	about := "/desk/people/" + person
	b, _ := p.atDesk(raAgent, about)
	record := map[string]func() answer{
		"evidence":     func() answer { return b.post(about+"/evidence/new?kind=passport", passportForm()) },
		"a photograph": func() answer { return b.postImage(about+"/photograph", "upload", portrait(t, 480, 600), "same-origin") },
	}
	kept := func() int {
		return p.count(`SELECT (SELECT count(*) FROM evidence WHERE person_id = $1) + (SELECT count(*) FROM photograph WHERE person_id = $1)`, person)
	}
	p.exec(`UPDATE person SET disabled_at = $2, closed_at = $2, closed_as = 'left' WHERE id = $1`, person, p.clock.Now())
	for name, send := range record {
		if a := send(); a.StatusCode != http.StatusForbidden || !strings.Contains(a.words(t), "profile of this person is closed") {
			t.Errorf("%s of a closed profile = %d %s, want 403 and why", name, a.StatusCode, a.words(t))
		}
	}
	if n := kept(); n != 0 {
		t.Errorf("on record of a closed profile = %d, want nothing", n)
	}
	if n := p.count(`SELECT count(*) FROM audit_event WHERE refusal = 'profile_closed' AND actor = $1`, raAgent); n != 2 {
		t.Errorf("refusals on record = %d, want 2", n)
	}
	if a := b.get(about + "/evidence"); a.StatusCode != http.StatusOK {
		t.Errorf("the evidence of a closed profile = %d, want it shown", a.StatusCode)
	}
	p.exec(`UPDATE person SET disabled_at = NULL, closed_at = NULL, closed_as = NULL WHERE id = $1`, person)
	for name, send := range record {
		if a := b.rest(send()); a.StatusCode != http.StatusOK {
			t.Errorf("%s of an open profile = %d %s, want it recorded", name, a.StatusCode, a.words(t))
		}
	}
	if n := kept(); n != 2 {
		t.Errorf("on record of an open profile = %d, want 2", n)
	}
}
