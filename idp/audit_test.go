package idp_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// events lists the record from a moment on.
func (p *provider) events(after int64) []store.AuditEvent {
	p.t.Helper()
	events, err := p.owner.AuditEvents(p.t.Context(), after, 1000)
	if err != nil {
		p.t.Fatal(err)
	}
	return events
}

func (p *provider) lastEvent() int64 {
	p.t.Helper()
	return int64(p.count(`SELECT coalesce(max(sequence), 0) FROM audit_event`))
}

// recorded is what a line of the record has to say. "*" is any value but none.
type recorded struct {
	Event, Refusal, Actor, Person, Client, Session, Grant, Request, Address string
	Detail                                                                  map[string]string
}

func some(id *uuid.UUID) string {
	if id == nil {
		return ""
	}
	return "*"
}

func lines(events []store.AuditEvent, request string) []recorded {
	var out []recorded
	for _, e := range events {
		shown := e.RequestID
		if shown == request && request != "" {
			shown = "*"
		}
		for name, value := range e.Detail {
			if value != "" && (name == "authenticator" || name == "aaguid" || strings.HasSuffix(name, "_at")) {
				e.Detail[name] = "*"
			}
		}
		out = append(out, recorded{e.Event, e.Refusal, e.Actor, e.PersonID, e.ClientID, some(e.SessionID), some(e.GrantID), shown, e.Address, e.Detail})
	}
	return out
}

// Each act leaves its line: who did it, whom it concerns, for which client, in which session and request, from where.
func TestEachActIsRecorded(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	const local = "127.0.0.1"
	after := p.lastEvent()
	wantLines := func(what, request string, want ...recorded) {
		t.Helper()
		got := p.events(after)
		if diff := cmp.Diff(want, lines(got, request)); diff != "" {
			t.Errorf("the record of %s (-want +got):\n%s", what, diff)
		}
		for _, e := range got {
			if e.At.IsZero() || e.At.After(p.clock.Now()) || e.At.Before(p.clock.Now().Add(-time.Minute)) {
				t.Errorf("the record of %s is of %v, want now", what, e.At)
			}
		}
		after = p.lastEvent()
	}

	b, key := p.browser(), webauthntest.New()
	link := p.link(twoRoles)
	wantLines("an enrolment link", "", recorded{Event: "enrolment_link_made", Actor: "test", Person: twoRoles, Detail: map[string]string{"expires_at": "*"}})
	c := b.get(link).ceremony(t)
	wantLines("a look at the link", "")
	b.finish(c, key.Create(c.options, issuer), "")
	enrolled := p.events(after)
	wantLines("an enrolment", enrolled[0].RequestID, recorded{
		Event: "enrolled", Actor: twoRoles, Person: twoRoles, Request: "*", Address: local,
		Detail: map[string]string{"authenticator": "*", "aaguid": "*", "kind": "security-key", "attestation": "none"},
	})

	k := newPKCE()
	page := b.authorize(request(confidentialClient, k, "scope", "openid offline_access"))
	c = page.ceremony(t)
	said := b.finish(c, key.Get(c.options, issuer), "")
	signedIn := p.events(after)
	wantLines("a sign-in", signedIn[0].RequestID, recorded{
		Event: "signed_in", Actor: twoRoles, Person: twoRoles, Session: "*", Request: "*", Address: local,
		Detail: map[string]string{"method": "security-key", "authenticator_level": "2", "authenticator": "*"},
	})
	session := signedIn[0].SessionID.String()

	page = b.rest(b.get(said.Location))
	chosen := b.post(page.address().RequestURI(), url.Values{"role": {manager}})
	wantLines("a choice of role that satisfies a request", chosen.Header.Get("X-Request-Id"), recorded{
		Event: "role_chosen", Actor: twoRoles, Person: twoRoles, Session: "*", Request: "*", Address: local, Detail: map[string]string{"role": manager},
	}, recorded{
		Event: "code_issued", Actor: twoRoles, Person: twoRoles, Client: confidentialClient, Session: "*", Grant: "*", Request: "*", Address: local,
		Detail: p.events(after)[0].Detail,
	})
	got := p.as(confidentialClient, redeem(confidentialClient, chosen.redirect(t).Get("code"), k))
	wantLines("a token", got.header.Get("X-Request-Id"), recorded{
		Event: "token_issued", Actor: p.events(after)[0].Actor, Person: twoRoles, Client: confidentialClient, Session: "*", Grant: "*", Request: "*", Address: local,
		Detail: p.events(after)[0].Detail,
	})
	if sid := claims(t, got.IDToken)["sid"]; sid != session {
		t.Errorf("the record has the session %s, and the token %v", session, sid)
	}
	out := b.post("/logout", nil)
	wantLines("a sign-out", out.Header.Get("X-Request-Id"), recorded{
		Event: "session_ended", Actor: twoRoles, Person: twoRoles, Session: "*", Request: "*", Address: local, Detail: map[string]string{"why": "signed out"},
	})

	for what, do := range p.operatorsActs() {
		if err := do(p.owner); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		events := p.events(after)
		if len(events) == 0 {
			t.Errorf("%s left no line", what)
		}
		for _, e := range events {
			if e.Actor != "operator" || e.Refusal != "" || e.PersonID == "" && e.ClientID == "" && len(e.Detail) == 0 {
				t.Errorf("the record of %s = %+v, want one that says who did it and whom it concerns", what, e)
			}
		}
		after = p.lastEvent()
	}

	// No secret is in any line.
	all, err := json.Marshal(p.events(0))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"the link": token(link), "the client's secret": secret, "the code": chosen.redirect(t).Get("code"), "the access token": got.AccessToken,
		"the refresh token": got.RefreshToken, "the verifier": k.verifier,
	} {
		if text == "" || strings.Contains(string(all), text) {
			t.Errorf("the record has %s", name)
		}
	}
}

// operatorsActs are the changes that are made at the command line. Each can be done once.
func (p *provider) operatorsActs() map[string]func(*store.Store) error {
	ctx, now := p.t.Context(), p.clock.Now()
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		p.t.Fatal(err)
	}
	return map[string]func(*store.Store) error{
		"add a person": func(s *store.Store) error {
			_, err := directory.AddPerson(ctx, s, directory.NewPerson{GivenName: "Ada", FamilyName: "Newcombe"}, "operator", now)
			return err
		},
		"disable a person": func(s *store.Store) error {
			return directory.DisablePerson(ctx, s, "656005750112", "operator", now)
		},
		"add an organisation": func(s *store.Store) error {
			return directory.AddOrganisation(ctx, s, store.Organisation{Code: "ZX999", Name: "Somewhere"}, "operator", now)
		},
		"grant a role": func(s *store.Store) error {
			_, err := directory.GrantRole(ctx, s, catalogue, directory.NewRole{PersonID: noRole, Organisation: "ZX100", JobRole: "S8000:G8000:R8001"}, "operator", now)
			return err
		},
		"end a role": func(s *store.Store) error {
			return directory.EndRole(ctx, s, "656014115007", "operator", now)
		},
		"make an enrolment link": func(s *store.Store) error {
			_, _, err := registration.NewEnrolmentLink(ctx, s, noRole, "operator", now)
			return err
		},
		"add a client": func(s *store.Store) error {
			_, _, err := oauth.AddClient(ctx, s, oauth.Registration{Name: "New", RedirectURIs: []string{callback}}, "operator", now)
			return err
		},
		"update a client": func(s *store.Store) error {
			_, _, err := oauth.UpdateClient(ctx, s, confidentialClient, func(r *oauth.Registration) { r.Name = "Renamed" }, true, "operator", now)
			return err
		},
		"disable a client": func(s *store.Store) error {
			return oauth.DisableClient(ctx, s, otherClient, "operator", now)
		},
	}
}

// "If the row cannot be written, the act does not happen."
func TestNothingHappensWithoutItsRecord(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	key, unbound := webauthntest.New(), webauthntest.New()
	p.enrol(oneRole, key)

	// Each act is brought to its last step, and taken when the record cannot be written.
	fresh, chooser, leaver := p.browser(), p.browser(), p.browser()
	k := newPKCE()
	simulated := fresh.authorize(request(confidentialClient, k))
	passkey := p.browser()
	passkeyPage := passkey.get("/sign-in").ceremony(t)
	link := p.link(noRole)
	enrolPage := passkey.get(link).ceremony(t)
	rolePage := chooser.simulate(chooser.authorize(request(confidentialClient, newPKCE())), twoRoles, "")
	tokens := p.signedIn(leaver, confidentialClient, oneRole, "scope", "openid offline_access")
	code := leaver.code(request(confidentialClient, k), oneRole)
	authenticators, err := p.owner.Authenticators(t.Context(), oneRole, false)
	if err != nil {
		t.Fatal(err)
	}

	p.exec(`REVOKE INSERT ON audit_event FROM credence_service`)
	before := p.state()
	for name, do := range map[string]func() int{
		"a simulated sign-in": func() int {
			return fresh.post("/sign-in/simulated?"+simulated.address().RawQuery, url.Values{"username": {oneRole}}).StatusCode
		},
		"a sign-in with a passkey": func() int { return passkey.finishStatus(passkeyPage, key.Get(passkeyPage.options, issuer)) },
		"an enrolment":             func() int { return passkey.finishStatus(enrolPage, unbound.Create(enrolPage.options, issuer)) },
		"a choice of role": func() int {
			return chooser.post(rolePage.address().RequestURI(), url.Values{"role": {manager}}).StatusCode
		},
		"a refusal of a role": func() int {
			return chooser.post(rolePage.address().RequestURI(), url.Values{"role": {onlyRole}}).StatusCode
		},
		"a code": func() int {
			return leaver.get("/authorize?" + request(confidentialClient, newPKCE()).Encode()).StatusCode
		},
		"a sign-out":            func() int { return leaver.post("/logout", nil).StatusCode },
		"a sign-out everywhere": func() int { return leaver.post("/logout?everywhere=1", nil).StatusCode },
		"a token for a code":    func() int { return p.as(confidentialClient, redeem(confidentialClient, code, k)).status },
		"a token for a refresh token": func() int {
			return p.as(confidentialClient, refresh(tokens.RefreshToken)).status
		},
	} {
		if status := do(); status != http.StatusInternalServerError {
			t.Errorf("%s that cannot be recorded = %d, want 500", name, status)
		}
		if diff := cmp.Diff(before, p.state()); diff != "" {
			t.Errorf("%s that cannot be recorded has happened (-before +after):\n%s", name, diff)
		}
	}
	acts := p.operatorsActs()
	acts["revoke an authenticator"] = func(s *store.Store) error {
		return registration.ChangeAuthenticator(t.Context(), s, registration.Change{Authenticator: authenticators[0].ID, Act: registration.Revoke}, audit.Entry{At: p.clock.Now(), Actor: "operator"})
	}
	for name, do := range acts {
		if err := do(p.store); err == nil || !strings.Contains(err.Error(), "audit_event") {
			t.Errorf("%s, when that cannot be recorded = %v, want an error", name, err)
		}
		if diff := cmp.Diff(before, p.state()); diff != "" {
			t.Errorf("%s that cannot be recorded has happened (-before +after):\n%s", name, diff)
		}
	}
	for name, b := range map[string]*browser{"fresh": fresh, "passkey": passkey} {
		if b.home() != "" {
			t.Errorf("somebody is signed in in the browser %q", name)
		}
	}

	p.exec(`GRANT INSERT ON audit_event TO credence_service`)
	// What was not done can be done now: nothing was spent.
	if got := passkey.finish(passkeyPage, key.Get(passkeyPage.options, issuer), ""); got.Status != http.StatusOK {
		t.Errorf("the sign-in again = %+v, want 200", got)
	}
	if got := passkey.finish(enrolPage, webauthntest.New().Create(enrolPage.options, issuer), ""); got.Status != http.StatusOK {
		t.Errorf("the enrolment again = %+v, want 200", got)
	}
	if a := chooser.choose(rolePage, manager); !a.redirect(t).Has("code") {
		t.Errorf("the choice again leads to %s, want a code", a.Header.Get("Location"))
	}
	if got := p.as(confidentialClient, redeem(confidentialClient, code, k)); got.status != http.StatusOK {
		t.Errorf("the code again = %d %s, want 200", got.status, got.Error)
	}
	if got := p.as(confidentialClient, refresh(tokens.RefreshToken)); got.status != http.StatusOK {
		t.Errorf("the refresh token again = %d %s, want 200", got.status, got.Error)
	}
	if leaver.rest(leaver.post("/logout", nil)); leaver.home() != "" {
		t.Error("the sign-out again did not sign out")
	}
}

// finishStatus is the status of an answer that need not be JSON.
func (b *browser) finishStatus(c ceremony, response []byte) int {
	b.t.Helper()
	body, err := json.Marshal(map[string]any{"response": json.RawMessage(response)})
	if err != nil {
		b.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.absolute(c.finish), strings.NewReader(string(body)))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return b.send(r).StatusCode
}

// The service adds to the record and reads it, and cannot change what is there.
func TestRecordCannotBeChanged(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	db, err := pgx.Connect(t.Context(), p.urls.service)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(t.Context()) })
	for _, sql := range []string{
		`UPDATE audit_event SET actor = 'somebody else'`,
		`DELETE FROM audit_event`,
		`TRUNCATE audit_event`,
		`DROP TABLE audit_event`,
		`ALTER TABLE audit_event ADD COLUMN more text`,
		`INSERT INTO audit_event (sequence, at, event, refusal, actor, person_id, client_id, request_id, address, detail)
			OVERRIDING SYSTEM VALUE VALUES (1, now(), 'x', '', 'x', '', '', '', '', '{}')`,
		`SELECT setval(pg_get_serial_sequence('audit_event', 'sequence'), 1)`,
		`ALTER TABLE audit_event DISABLE TRIGGER ALL`,
		`CREATE RULE forget AS ON INSERT TO audit_event DO INSTEAD NOTHING`,
	} {
		if _, err := db.Exec(t.Context(), sql); err == nil {
			t.Errorf("the service may run %s", sql)
		}
	}
	before := p.count(`SELECT count(*) FROM audit_event`)
	p.browser().signInAlone(oneRole, "")
	if got := p.count(`SELECT count(*) FROM audit_event`); got != before+1 {
		t.Errorf("%d lines after a sign-in, want %d", got, before+1)
	}
}

// Anonymous garbage leaves no line: otherwise strangers write the record.
func TestGarbageIsNotRecorded(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	before := p.count(`SELECT count(*) FROM audit_event`)
	page := b.authorize(request(confidentialClient, newPKCE()))
	state := "?" + page.address().RawQuery
	c := page.ceremony(t)
	for _, at := range []string{"/sign-in?state=x", "/sign-in/role?state=x", "/enrol?token=x", "/authorize?client_id=x", "/logout?id_token_hint=x", "/nowhere", "/userinfo"} {
		b.get(at)
	}
	for _, at := range []string{"/sign-in" + state, "/sign-in/simulated" + state, "/enrol?token=x", "/token", "/authorize", "/logout?id_token_hint=x"} {
		b.post(at, url.Values{"username": {"999999999999"}, "code": {"x"}, "refresh_token": {"x"}})
	}
	b.postJSON(c.finish, `{"response":{"id":"x"}}`)
	b.postJSON("/enrol?token=x", `{}`)
	b.postWith("/sign-in"+state, nil, func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") })
	p.userinfo("garbage")
	if got := p.count(`SELECT count(*) FROM audit_event`); got != before {
		t.Errorf("%d lines more, want none: %+v", got-before, lines(p.events(0), "")[before:])
	}
}
