package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// Who is to be an officer tomorrow is one today to whoever would let her sign in: what is bound to her now works then too.
func TestDeskIssuesToNobodyWhoIsToBeAbove(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.enrol(noRole, webauthntest.New())
	of, reason := authenticatorsOf(noRole), url.Values{"reason": {"Found in a drawer"}}
	resume := of + "/" + p.newestKey(noRole) + "/resume"
	agent, manager := p.browserOf(raAgent), p.browserOf(raManager)
	agent.post(strings.Replace(resume, "resume", "suspend", 1), reason)
	c := agent.get(of + "/new").ceremony(t)
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		t.Fatal(err)
	}
	_, err = directory.GrantRole(t.Context(), p.owner, catalogue, directory.NewRole{
		PersonID: noRole, Organisation: "ZX100", JobRole: "S0080:G0450:R5080", StartsAt: p.clock.Now().Add(24 * time.Hour),
	}, "test", p.clock.Now())
	if err != nil {
		t.Fatal(err)
	}

	if got := agent.finish(c, webauthntest.New().Create(c.options, issuer), ""); got.Status != http.StatusForbidden || !strings.Contains(got.Message, "officer above you") {
		t.Errorf("the answer of a ceremony from before = %+v, want 403", got)
	}
	for what, a := range map[string]answer{
		"a key": agent.get(of + "/new"), "the page for a link": agent.get(of + "/link"), "a link": agent.post(of+"/link", nil), "to let it work again": agent.post(resume, reason),
	} {
		if words := a.words(t); a.StatusCode != http.StatusForbidden || !strings.Contains(words, "officer above you") {
			t.Errorf("%s for a manager of tomorrow = %d %s, want 403", what, a.StatusCode, words)
		}
	}
	if n := p.count(`SELECT count(*) FROM enrolment_link WHERE used_at IS NULL`); n != 0 {
		t.Errorf("links = %d, want none", n)
	}
	if body := agent.get(of).body; strings.Contains(body, of+"/link") || strings.Contains(body, resume) {
		t.Error("the list offers what is refused")
	}
	if a := manager.rest(manager.post(resume, reason)); a.StatusCode != http.StatusOK || p.count(`SELECT count(*) FROM authenticator WHERE state = 'active'`) != 1 {
		t.Errorf("to let it work again, by a manager = %d, want it to", a.StatusCode)
	}
	c = manager.get(of + "/new").ceremony(t)
	if got := manager.finish(c, webauthntest.New().Create(c.options, issuer), ""); got.Status != http.StatusOK {
		t.Errorf("the answer at a manager's = %+v, want 200", got)
	}
}

// Whether an officer may bind is decided again in the transaction that binds: she whose role ends meanwhile binds nothing.
func TestDeskBindsNothingByWhoIsNoOfficerAnyMore(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	ctx, of := t.Context(), authenticatorsOf(noRole)
	for name, end := range map[string]bool{"whose role ends meanwhile": true, "who stays one": false} {
		agent := p.browserOf(raAgent)
		c := agent.get(of + "/new").ceremony(t)
		response := webauthntest.New().Create(c.options, issuer)
		before := p.count(`SELECT count(*) FROM authenticator`)

		db, err := pgx.Connect(ctx, p.urls.owner)
		if err != nil {
			t.Fatal(err)
		}
		for _, statement := range []string{`BEGIN`, `UPDATE person SET version = version WHERE id = '` + raAgent + `'`} {
			if _, err := db.Exec(ctx, statement); err != nil {
				t.Fatal(err)
			}
		}
		got := make(chan said, 1)
		go func() { got <- agent.finish(c, response, "") }()
		eventually(t, "the officer waits", func() bool {
			waiting := 0
			err := db.QueryRow(ctx, `SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))`).Scan(&waiting)
			return err != nil || waiting > 0
		})
		if end {
			if _, err := db.Exec(ctx, `UPDATE role_profile SET ends_at = $2 WHERE id = $1`, agentsRole, p.clock.Now()); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := db.Exec(ctx, `COMMIT`); err != nil {
			t.Fatal(err)
		}
		_ = db.Close(ctx)
		want, bound := http.StatusOK, 1
		if end {
			want, bound = http.StatusForbidden, 0
		}
		if got := <-got; got.Status != want || p.count(`SELECT count(*) FROM authenticator`)-before != bound {
			t.Errorf("the answer to an officer %s = %+v, want %d", name, got, want)
		}
		p.exec(`UPDATE role_profile SET ends_at = NULL WHERE id = $1`, agentsRole)
	}
	refused := false
	for _, line := range p.audited("desk_opened") {
		refused = refused || line == "desk_opened: not_in_role"
	}
	if !refused {
		t.Errorf("the record = %v, want the refusal", p.audited("desk_opened"))
	}
}

// Nobody has more authenticators than a list shows: what nobody sees nobody takes away.
func TestNobodyHasMoreAuthenticatorsThanAreShown(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.enrol(noRole, webauthntest.New())
	p.exec(`
		INSERT INTO authenticator (id, person_id, name, kind, credential_id, public_key, sign_count, aaguid, transports,
			backup_eligible, backup_state, attestation_format, attestation_object, client_data, attestation_verdict, created_at, state, revoked_at)
		SELECT gen_random_uuid(), person_id, 'Key', kind, sha256(n::text::bytea), public_key, sign_count, aaguid, transports,
			backup_eligible, backup_state, attestation_format, attestation_object, client_data, attestation_verdict, created_at, s.state, s.at
		FROM authenticator, generate_series(1, 128) n, LATERAL (
			SELECT CASE WHEN n <= 17 THEN 'active' WHEN n = 18 THEN 'lost' ELSE 'revoked' END AS state, CASE WHEN n > 17 THEN created_at END AS at) s
		WHERE person_id = $1`, noRole)
	p.exec(`
		INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
		SELECT now(), 'enrolled', '', person_id, person_id, '', '', '', jsonb_build_object('authenticator', id) FROM authenticator WHERE name = 'Key'`)
	agent, of := p.browserOf(raAgent), authenticatorsOf(noRole)
	p.clock.advance(time.Second)
	for _, want := range []int{http.StatusOK, http.StatusForbidden} { // the last that is taken, and one more
		c := agent.get(of + "/new").ceremony(t)
		if got := agent.finish(c, webauthntest.New().Create(c.options, issuer), "Newest key"); got.Status != want {
			t.Errorf("an authenticator more = %+v, want %d", got, want)
		}
	}
	if body := agent.get(of).body; strings.Count(body, "Newest key") == 0 {
		t.Error("the list does not show the authenticator that was bound last")
	}
	if lines := p.audited("enrolled"); lines[len(lines)-1] != "enrolled: too_many_authenticators" {
		t.Errorf("the record ends with %v, want the refusal", lines)
	}
}

// By what an officer's identity is proved she is an officer: nobody below her takes that away.
func TestDeskLowersNobodyAbove(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	agent, manager := p.browserOf(raAgent), p.browserOf(raManager)
	for _, person := range []string{raAdvanced, noRole} {
		path := "/desk/people/" + person + "/evidence/01900000-0000-7000-8000-000000000000/withdraw"
		want := http.StatusNotFound // there is no such piece
		if person == raAdvanced {
			want = http.StatusForbidden
		}
		if a := agent.post(path, url.Values{"reason": {"mistaken"}}); a.StatusCode != want {
			t.Errorf("an agent at %s = %d %s, want %d", path, a.StatusCode, text(a.body), want)
		}
		if a := manager.post(path, url.Values{"reason": {"mistaken"}}); a.StatusCode != http.StatusNotFound {
			t.Errorf("a manager at %s = %d %s, want 404", path, a.StatusCode, text(a.body))
		}
	}
	if diff := cmp.Diff([]string{"desk_opened: above_own"}, p.audited("desk_opened")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}
