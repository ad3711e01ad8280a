package idp_test

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// accountCode is a fresh code of the account of somebody who needs one, and "" for all others.
func (p *provider) accountCode(person string) string {
	p.t.Helper()
	ctx, desk := p.t.Context(), p.desk()
	if asks, err := desk.AsksAccountCode(ctx, person); err != nil || !asks {
		return ""
	}
	err := p.store.InTx(ctx, func(tx *store.Tx) error {
		return desk.MakeAccountCodeIn(ctx, tx, person, audit.Entry{At: p.clock.Now(), Person: person})
	})
	code, err1 := desk.AccountCode(ctx, person)
	if err := errors.Join(err, err1); err != nil {
		p.t.Fatal(err)
	}
	return strings.ReplaceAll(code.Code, " ", "")
}

var accountsCode = regexp.MustCompile(`<strong class="credence-code">([0-9]{4} [0-9]{4})</strong>`)

// Somebody registers in the name of another, who then comes to a desk: without a code of that account, which she cannot read aloud,
// nothing is put on record for it, whoever tries and however.
func TestNobodyIsProvedOnTheAccountOfAnother(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	key := webauthntest.NewPasskey()
	person := mails.registers("somebody.else@example.org", key)
	record := "/desk/people/" + person + "/evidence/new?kind=passport"
	agent, page := p.atDesk(raAgent, record)
	page.wantPage(t, http.StatusOK, "/desk/people/"+person+"/evidence/new", "Code of her account")

	form := passportForm()
	agent.post(record, form).wantPage(t, http.StatusBadRequest, "/desk/people/"+person+"/evidence/new", "Enter the 8 digits", `value="707 777 707"`)
	agent.post(record, with(form, "account_code", "12345678")).wantPage(t, http.StatusBadRequest, "/desk/people/"+person+"/evidence/new", "This is not the code", `value="707 777 707"`)
	d := p.description()
	api := program{p, d, p.officerToken(p.browser(), raAgent, apiScopes, "smartcard")}
	body := `{"kind":"bank_statement","subject":{"given_name":"Sarah","family_name":"Meredyth","birthdate":"1976-03-11"},"declared":"in_person","checks":[{"method":"vpip","facts":["physical"]}]}`
	of := map[string]string{"person": person}
	if a := api.call(http.MethodPost, "/api/people/{person}/evidence", of, body); a.StatusCode != http.StatusConflict || a.problem(t).Reason != "no_account_code" {
		t.Errorf("by a program = %d %s, want no_account_code", a.StatusCode, a.body)
	}
	piece := evidence.Piece{Piece: bankStatement(p.clock.Now()), Subject: evidence.Subject{GivenName: "Sarah", FamilyName: "Meredyth", Birthdate: "1976-03-11"}}
	if _, err := p.desk().Record(t.Context(), "operator", person, []evidence.Piece{piece}); !errors.Is(err, evidence.ErrNoAccountCode) {
		t.Errorf("Record(by an operator) = %v, want %v", err, evidence.ErrNoAccountCode)
	}
	if n := p.count(`SELECT count(*) FROM evidence`) - p.count(`SELECT count(*) FROM evidence WHERE person_id <> $1`, person); n != 0 {
		t.Fatalf("pieces on the account of another = %d, want none", n)
	}

	// Whoever has the account signs in, lately, and is shown a code; and every way takes one.
	holder := p.browser()
	holder.passkey(holder.get("/sign-in"), key)
	holder.get("/account").wantPage(t, http.StatusOK, "/account", "Show a code for the registration desk")
	show := func() string {
		t.Helper()
		a := holder.rest(holder.post("/account/code", nil))
		found := accountsCode.FindStringSubmatch(a.body)
		if a.StatusCode != http.StatusOK || found == nil {
			t.Fatalf("to show a code = %d %s, want one", a.StatusCode, text(a.body))
		}
		return strings.ReplaceAll(found[1], " ", "")
	}
	if a := api.call(http.MethodPost, "/api/people/{person}/evidence", of, strings.Replace(body, `{`, `{"account_code":"`+show()+`",`, 1)); a.StatusCode != http.StatusOK {
		t.Errorf("by a program with the code = %d %s, want it recorded", a.StatusCode, a.body)
	}
	piece.AccountCode, piece.Issuer = show(), "Another bank"
	if _, err := p.desk().Record(t.Context(), "operator", person, []evidence.Piece{piece}); err != nil {
		t.Errorf("Record(by an operator, with the code) = %v, want it recorded", err)
	}
	agent.post(record, with(form, "account_code", piece.AccountCode)).wantPage(t, http.StatusBadRequest, "/desk/people/"+person+"/evidence/new", "This is not the code")
	agent.post(record, with(form, "account_code", show())).wantPage(t, http.StatusOK, "/desk/people/"+person+"/evidence/new", "Medium")

	// She is proved now, and asked for no more of them.
	holder.get("/account/code").wantPage(t, http.StatusNotFound, "/account/code", "There is nothing here")
	if a := agent.get(record); strings.Contains(a.body, "Code of her account") {
		t.Error("the form asks for a code of who is proved")
	}
	given := p.audited("account_code_made", "account_code_given")
	want := []string{
		"account_code_given: wrong_code", "account_code_made", "account_code_given", "account_code_made", "account_code_given",
		"account_code_given: wrong_code", "account_code_made", "account_code_given",
	}
	if !slices.Equal(given, want) {
		t.Errorf("the record = %q, want %q", given, want)
	}
	if actor, about, detail := p.line("account_code_given"); actor != raAgent || about != person || detail["officer_role"] != agentsRole {
		t.Errorf("the last code = by %s of %s %v, want the agent's in her role", actor, about, detail)
	}
	holder.get("/account/history").wantPage(t, http.StatusOK, "/account/history", "A code of your account was given to an officer", "A code that is not your account’s")
}

func bankStatement(at time.Time) assurance.Piece {
	return assurance.Piece{Type: "document", Kind: "bank_statement", Checks: []assurance.Check{{Method: "vpip", At: at, Facts: []assurance.Fact{"physical"}}}}
}

// Nothing is bound at the desk beside what an account has that anybody may have made: its holder would keep it. Who has nothing to sign in
// with yet is given something, and so is who is proved.
func TestNothingIsBoundToTheAccountOfAnother(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	person := mails.registers("sarah@example.org", webauthntest.NewPasskey())
	of := authenticatorsOf(person)
	agent := p.browserOf(raAgent)
	for what, a := range map[string]answer{"a key": agent.get(of + "/new"), "a link": agent.post(of+"/link", nil)} {
		if words := a.words(t); a.StatusCode != http.StatusForbidden || !strings.Contains(words, "somebody else may have the account") {
			t.Errorf("%s for who registered herself = %d %s, want 403", what, a.StatusCode, words)
		}
	}
	b := p.browser()
	b.post(mails.asks(b, "another@example.org"), nil)
	interrupted, err := p.owner.OnRecord(t.Context(), "another@example.org")
	if err != nil {
		t.Fatal(err)
	}
	p.prove(person)
	for what, id := range map[string]string{"who was proved": person, "who has nothing yet": interrupted} {
		path := authenticatorsOf(id) + "/new"
		if a := agent.get(path); a.StatusCode != http.StatusOK {
			t.Errorf("a key for %s = %d %s, want the page", what, a.StatusCode, text(a.body))
		}
	}
}

// A code works once, for ten minutes, and for its own account. After five wrong ones not even the right one is taken for a quarter of an
// hour. What only takes away takes none, and who did not register herself is never asked.
func TestAccountCode(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	ctx, desk := t.Context(), p.desk()
	person, other := mails.registers("sarah@example.org", webauthntest.NewPasskey()), mails.registers("another@example.org", webauthntest.NewPasskey())
	issuer := 0
	record := func(person, code string, change ...func(*evidence.Piece)) error {
		issuer++
		piece := evidence.Piece{
			Piece: bankStatement(p.clock.Now()), Subject: evidence.Subject{GivenName: "Sarah", FamilyName: "Meredyth"}, AccountCode: code,
			Issuer: "Bank " + strings.Repeat("I", issuer),
		}
		for _, c := range change {
			c(&piece)
		}
		_, err := desk.Record(ctx, raAgent, person, []evidence.Piece{piece})
		return err
	}
	wants := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("Record(%s) = %v, want %v", what, err, want)
		}
	}
	for _, code := range []string{"", "1234567", "123456789", "12345678x", "١٢٣٤٥٦٧٨"} {
		wants("with "+code, record(person, code), evidence.ErrNoAccountCode)
	}
	code := p.accountCode(person)
	wants("with the code of another", record(other, code), evidence.ErrAccountCode)
	wants("with what is wrong besides", record(person, code, func(e *evidence.Piece) { e.Subject.FamilyName = "Else" }), evidence.ErrInvalid)
	wants("with hers, which that did not spend", record(person, code[:4]+" - "+code[4:]), nil)
	wants("with hers again", record(person, code), evidence.ErrAccountCode)
	code = p.accountCode(person)
	p.clock.advance(10 * time.Minute)
	wants("with one of ten minutes before", record(person, code), evidence.ErrAccountCode)
	wants("of which a check failed, without a code", record(person, "", func(e *evidence.Piece) { e.Checks[0].Failed = true }), nil)
	replaced := p.accountCode(person)
	code = p.accountCode(person)
	wants("with one that was replaced", record(person, replaced), evidence.ErrAccountCode)

	for range 2 {
		wants("with a wrong one", record(person, replaced), evidence.ErrAccountCode)
	}
	wants("with hers, after five wrong ones", record(person, code), evidence.ErrAccountCodes)
	wants("with hers, of another account than of that", record(other, p.accountCode(other)), nil)
	p.clock.advance(15 * time.Minute)
	wants("with hers, a quarter of an hour later", record(person, p.accountCode(person)), nil)
	code = p.accountCode(person)
	var won atomic.Int32
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			piece := evidence.Piece{
				Piece: bankStatement(p.clock.Now()), Subject: evidence.Subject{GivenName: "Sarah", FamilyName: "Meredyth"}, AccountCode: code, Issuer: "Bank " + strings.Repeat("V", n+1),
			}
			if _, err := desk.Record(ctx, raAgent, person, []evidence.Piece{piece}); err == nil {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Errorf("8 uses of a code: %d were right, want 1", won.Load())
	}
	if asks, err := desk.AsksAccountCode(ctx, p.unproved()); err != nil || asks {
		t.Errorf("AsksAccountCode(of whom an officer put on record) = %t, %v, want false", asks, err)
	}
	if asks, err := desk.AsksAccountCode(ctx, "x"); asks || !errors.Is(err, evidence.ErrUnknown) {
		t.Errorf("AsksAccountCode(nobody) = %t, %v, want %v", asks, err, evidence.ErrUnknown)
	}
}

// Where a second officer confirms, the code is read to the first; what was checked without it is not confirmed, though it waited before.
func TestAccountCodeOfAProposal(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	person := mails.registers("sarah@example.org", webauthntest.NewPasskey())
	p.asksSecondChecker("ZX000", true)
	record := "/desk/people/" + person + "/evidence/new?kind=passport"
	agent, _ := p.atDesk(raAgent, record)
	agent.post(record, passportForm()).wantPage(t, http.StatusBadRequest, "/desk/people/"+person+"/evidence/new", "Enter the 8 digits")
	code := p.accountCode(person)
	for range 2 { // the form is sent twice
		agent.post(record, with(passportForm(), "account_code", code)).wantPage(t, http.StatusOK, "/desk/people/"+person+"/evidence/new", "Waits for a second officer")
	}
	advanced, _ := p.atDesk(raAdvanced, "/desk")
	confirm, path := url.Values{"verdict": {"confirm"}}, "/desk/evidence/"+p.waiting(person)[0]
	p.exec(`UPDATE evidence_proposal SET account_code = false`) // as the release before proposes
	if a := advanced.post(path, confirm); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "without the code that the account") {
		t.Errorf("to confirm what was checked without a code = %d %s, want it refused", a.StatusCode, text(a.body))
	}
	p.exec(`UPDATE evidence_proposal SET account_code = true`)
	advanced.post(path, confirm).wantPage(t, http.StatusOK, path, "Medium")
}

// Who checked evidence does not confirm it under another of her profiles, when they were merged since.
func TestTwoProfilesAreOneChecker(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	person := p.unproved()
	was, err := directory.AddPerson(t.Context(), p.owner, directory.NewPerson{GivenName: "Hebe", FamilyName: "Former"}, "test", p.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	advanced, _ := p.atDesk(raAdvanced, "/desk")
	confirm := url.Values{"verdict": {"confirm"}}
	proposed := func() string {
		p.proposedEvidence(person)
		p.exec(`UPDATE evidence_proposal SET proposed_by = $1 WHERE state = 'proposed'`, was)
		return "/desk/evidence/" + p.waiting(person)[0]
	}
	path := proposed()
	advanced.post(path, confirm).wantPage(t, http.StatusOK, path)

	p.clock.advance(time.Minute)
	path = proposed()
	p.exec(`INSERT INTO person_merge (id, duplicate, kept, reason, proposed_by, proposed_role, proposed_at, state, decided_by, decided_role, decided_at, decision_reason)
		VALUES ('019cae00-0000-7000-8000-00000000000a', $1, $2, 'One person', $3, $4, now(), 'approved', $5, $6, now(), 'One person')`, was, raAdvanced, raManager, managersRole, raAgent, agentsRole)
	for event, officer := range map[audit.Event]string{audit.MergeProposed: raManager, audit.MergeDecided: raAgent} {
		err := audit.Record(t.Context(), p.store, audit.Entry{
			At: p.clock.Now(), Event: event, Actor: officer, Person: was, Detail: map[string]string{"merge": "019cae00-0000-7000-8000-00000000000a", "state": "approved", "state_before": "proposed"},
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	p.exec(`UPDATE person SET merged_into = $2, closed_at = created_at, closed_as = 'duplicate', disabled_at = created_at WHERE id = $1`, was, raAdvanced)
	if a := advanced.post(path, confirm); a.StatusCode != http.StatusForbidden || !strings.Contains(a.words(t), "another officer has to decide") {
		t.Errorf("to confirm what she checked under another profile = %d %s, want 403", a.StatusCode, text(a.body))
	}
	if words := advanced.get(path).words(t); !strings.Contains(words, "You checked this yourself") {
		t.Errorf("what she checked under another profile = %s, want that it is her own", words)
	}
}
