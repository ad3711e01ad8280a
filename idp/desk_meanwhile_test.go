package idp_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// meanwhile has the agent do something to a person, and another statement happen when she has come as far as to wait for either.
func (p *provider) meanwhile(person, statement string, do func() answer) answer {
	p.t.Helper()
	ctx := p.t.Context()
	db, err := pgx.Connect(ctx, p.urls.owner)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close(ctx) }()
	for _, s := range []string{`BEGIN`, `SELECT FROM person WHERE id IN ('` + person + `', '` + raAgent + `') ORDER BY id FOR NO KEY UPDATE`} {
		if _, err := db.Exec(ctx, s); err != nil {
			p.t.Fatal(err)
		}
	}
	got := make(chan answer, 1)
	go func() { got <- do() }()
	eventually(p.t, "she waits", func() bool {
		waiting := 0
		err := db.QueryRow(ctx, `SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))`).Scan(&waiting)
		return err != nil || waiting > 0
	})
	for _, s := range []string{statement, `COMMIT`} {
		if _, err := db.Exec(ctx, s); err != nil {
			p.t.Fatal(err)
		}
	}
	return <-got
}

// Whether an officer may prove somebody, take it back, take her photograph, make a link for her or stop what she signs in with is decided in
// the transaction that does it: she whose
// role ends meanwhile does nothing, and it is on record that she tried.
func TestDeskDoesNothingByWhoIsNoOfficerAnyMore(t *testing.T) {
	t.Parallel()
	const ended = `UPDATE role_profile SET ends_at = now() - interval '20 years', starts_at = now() - interval '30 years' WHERE id = '` + agentsRole + `'`
	for _, test := range []struct {
		name, event string
		prepare     func(p *provider, person string)
		do          func(p *provider, b *browser, person string) answer
		done        string // counts what it did
	}{
		{
			"to record evidence", "evidence_recorded", func(*provider, string) {},
			func(_ *provider, b *browser, person string) answer {
				return b.post("/desk/people/"+person+"/evidence/new?kind=passport", passportForm())
			}, `SELECT count(*) FROM evidence WHERE person_id = $1`,
		},
		{
			"to propose evidence", "evidence_recorded", func(p *provider, _ string) { p.asksSecondChecker("ZX000", true) },
			func(_ *provider, b *browser, person string) answer {
				return b.post("/desk/people/"+person+"/evidence/new?kind=passport", passportForm())
			}, `SELECT count(*) FROM evidence_proposal WHERE person_id = $1`,
		},
		{
			"to dismiss it", "evidence_decided", func(p *provider, person string) { p.proposedEvidence(person) },
			func(p *provider, b *browser, person string) answer {
				return b.post("/desk/evidence/"+p.waiting(person)[0], url.Values{"verdict": {"dismiss"}})
			}, `SELECT count(*) FROM evidence_proposal WHERE person_id = $1 AND state <> 'proposed'`,
		},
		{
			"to confirm it", "evidence_decided", func(p *provider, person string) {
				p.proposedEvidence(person)
				p.exec(`UPDATE evidence_proposal SET proposed_by = $1, proposed_role = $2`, raAdvanced, advancedsRole)
			},
			func(p *provider, b *browser, person string) answer {
				return b.post("/desk/evidence/"+p.waiting(person)[0], url.Values{"verdict": {"confirm"}})
			}, `SELECT count(*) FROM evidence WHERE person_id = $1`,
		},
		{
			"to take evidence back", "evidence_withdrawn", func(p *provider, person string) { p.prove(person) },
			func(p *provider, b *browser, person string) answer {
				return b.post("/desk/people/"+person+"/evidence/"+p.recorded(person)+"/withdraw", url.Values{"reason": {"mistaken"}})
			}, `SELECT count(*) FROM evidence WHERE person_id = $1 AND withdrawn_at IS NOT NULL`,
		},
		{
			"to take a photograph", "photograph_taken", func(*provider, string) {},
			func(p *provider, b *browser, person string) answer {
				return b.postImage("/desk/people/"+person+"/photograph", "upload", portrait(p.t, 480, 600), "same-origin")
			}, `SELECT count(*) FROM photograph WHERE person_id = $1`,
		},
		{
			"to make an enrolment link", "desk_opened", func(*provider, string) {},
			func(_ *provider, b *browser, person string) answer {
				return b.post(authenticatorsOf(person)+"/link", nil)
			}, `SELECT count(*) FROM enrolment_link WHERE person_id = $1`,
		},
		{
			"to suspend an authenticator", "desk_opened", func(p *provider, person string) { p.enrol(person, webauthntest.New()) },
			func(p *provider, b *browser, person string) answer {
				return b.post(authenticatorsOf(person)+"/"+p.newestKey(person)+"/suspend", url.Values{"reason": {"Lost"}})
			}, `SELECT count(*) FROM authenticator WHERE person_id = $1 AND state = 'suspended'`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			person := p.unproved()
			test.prepare(p, person)
			agent, _ := p.atDesk(raAgent, "/desk/people/"+person)
			do := func() answer { return test.do(p, agent, person) }
			before := p.count(test.done, person)
			if a := p.meanwhile(person, ended, do); a.StatusCode != http.StatusForbidden || !strings.Contains(a.words(t), "not have the role that you act in") {
				t.Errorf("%s, by whose role ends meanwhile = %d %s, want 403", test.name, a.StatusCode, text(a.body))
			}
			if n := p.count(test.done, person); n != before {
				t.Errorf("%s, by whose role ends meanwhile: %d done, want %d", test.name, n, before)
			}
			if !slices.Contains(p.audited(test.event), test.event+": not_in_role") {
				t.Errorf("the record = %v, want that she was refused", p.audited(test.event))
			}
			p.exec(`UPDATE role_profile SET ends_at = NULL WHERE id = $1`, agentsRole)
			agent, _ = p.atDesk(raAgent, "/desk/people/"+person)
			if a := p.meanwhile(person, `SELECT`, do); a.StatusCode >= http.StatusBadRequest {
				t.Errorf("%s, by who stays one = %d %s, want it done", test.name, a.StatusCode, text(a.body))
			}
			if n := p.count(test.done, person); n != before+1 && test.event != "evidence_withdrawn" || n == before {
				t.Errorf("%s, by who stays one: %d done, want %d", test.name, n, before+1)
			}
		})
	}
}

// Who takes away for good what an officer signs in with takes her office away: nobody below her does. To stop it cannot wait.
func TestDeskTakesNoKeyFromAbove(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.enrol(raAdvanced, webauthntest.New())
	of := authenticatorsOf(raAdvanced) + "/" + p.newestKey(raAdvanced) + "/"
	agent, _ := p.atDesk(raAgent, "/desk")
	for _, act := range []struct {
		name string
		want int
	}{{"revoke", http.StatusForbidden}, {"return", http.StatusForbidden}, {"suspend", http.StatusSeeOther}} {
		if a := agent.post(of+act.name, url.Values{"reason": {"Lost"}}); a.StatusCode != act.want {
			t.Errorf("an agent may %s what an advanced agent signs in with = %d, want %d: %s", act.name, a.StatusCode, act.want, text(a.body))
		}
	}
}

// Of two officers who propose that the same profiles be merged, or close the same one, the second sees what the first did about these, and
// nothing of what was decided about others, which may be elsewhere.
func TestDeskTellsTheSecondOfTheSameAlone(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ctx, profiles := t.Context(), p.profiles()
	manager, advanced := deed.Acting{Person: raManager, Role: managersRole}, deed.Acting{Person: raAdvanced, Role: advancedsRole}
	one, other, elsewhere := p.unproved(), p.unproved(), p.unproved()
	propose := func(kept, reason string) uuid.UUID {
		t.Helper()
		id, err := profiles.ProposeMerge(ctx, manager, one, kept, reason)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	merge := propose(other, "The same face")
	propose(elsewhere, "The same secret")
	b, _ := p.atDesk(raAdvanced, "/desk")
	for _, kept := range []string{other, one} {
		a := b.post("/desk/people/"+one+"/merge?other="+other, url.Values{"keep": {kept}, "reason": {"They are one"}})
		if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "The same face") || strings.Contains(a.body, "The same secret") || strings.Contains(a.body, elsewhere) {
			t.Errorf("to propose what was proposed, keeping %s = %d %s, want what was said of these two", kept, a.StatusCode, text(a.body))
		}
	}
	if err := profiles.Close(ctx, manager, one, lifecycle.Fraud, "A forged passport"); err != nil {
		t.Fatal(err)
	}
	if err := profiles.DecideMerge(ctx, advanced, merge, position.Refuse, "Two faces", ""); err != nil {
		t.Fatal(err)
	}
	if a := b.post("/desk/people/"+one+"/close", url.Values{"as": {"left"}, "reason": {"She retired"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, "A forged passport") || strings.Contains(a.body, "Two faces") {
		t.Errorf("to close what is closed = %d %s, want as what, and why", a.StatusCode, text(a.body))
	}
}
