package idp_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/directory"
)

// recorded is the id of the newest piece of evidence of somebody.
func (p *provider) recorded(person string) string {
	p.t.Helper()
	list, err := p.desk().Of(p.t.Context(), person, uuid.Nil, 20)
	if err != nil || len(list) == 0 {
		p.t.Fatalf("Of(%s) = %v, %v, want evidence", person, list, err)
	}
	return list[len(list)-1].ID
}

// unproved is somebody new of whom nothing is on record but the name and the date of birth.
func (p *provider) unproved() string {
	p.t.Helper()
	id, err := directory.AddPerson(p.t.Context(), p.owner, directory.NewPerson{
		GivenName: "Sarah", FamilyName: "Meredyth", DateOfBirth: new(time.Date(1976, time.March, 11, 0, 0, 0, 0, time.UTC)),
	}, "test", p.clock.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	return id
}

// passportForm is what an officer enters who has read the chip of a passport and compared the face.
func passportForm() url.Values {
	return url.Values{
		"given_name": {"SARAH"}, "family_name": {"Meredyth"}, "birthdate": {"11/3/1976"}, "number": {"707 777 707"}, "issuer": {"HM Passport Office"},
		"country": {"gbr"}, "issued_on": {"2/3/2021"}, "expires_on": {"1 March 2031"}, "feature": {"biometric_chip"}, "trained_by": {"Some Training Body"},
		"vpiruv": {"physical", "visible", "uv_ir", "original_document", "specialist_training", "refreshed_three_yearly"}, "vcrypt": {"cryptographic"},
		"pvp": {"specialist_training", "refreshed_yearly", "adequate_light", "unaltered_photo", "masks_considered", "eyes_visible"}, "declared": {"in_person"},
	}
}

func with(form url.Values, pairs ...string) url.Values {
	changed := maps.Clone(form)
	for i := 0; i < len(pairs); i += 2 {
		changed[pairs[i]] = strings.Fields(pairs[i+1])
	}
	return changed
}

// An officer records what she checked, and the level is what that comes to; she takes one piece back, and it falls.
func TestDeskProves(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	person := p.unproved()
	of := "/desk/people/" + person + "/evidence"
	b, page := p.atDesk(raAgent, "/desk/people/"+person)
	if !strings.Contains(page.body, `href="`+of+`"`) {
		t.Errorf("the page of a person does not lead to the evidence: %s", text(page.body))
	}
	if words := b.get(of).words(t); !strings.Contains(words, "Identity Not proved") || !strings.Contains(words, "Bring a proof of who you are") || !strings.Contains(words, "Nothing is on record yet. Record evidence") {
		t.Errorf("the evidence of who has none = %s, want that, and what to bring", words)
	}
	for kind, want := range map[string]string{
		"passport": "Its photo compared with the person", "current_account": "A matching record found", "written_attestation": "Inspected in the hand",
	} {
		if !strings.Contains(b.get(of+"/new").body, of+"/new?kind="+kind) {
			t.Errorf("the choice of kinds has no %s", kind)
		}
		if words := b.get(of + "/new?kind=" + kind).words(t); !strings.Contains(words, want) || strings.Contains(words, "Its photo") != (kind == "passport") {
			t.Errorf("the form for a %s = %s, want %q, and a photo only where there is one", kind, words, want)
		}
	}

	const number = "707777707"
	steps := []struct {
		name, kind    string
		form          url.Values
		before, after string
	}{
		{"a passport by its chip and a face", "passport", passportForm(), "Not proved", "Medium (M1C)"},
		{
			"a driving licence", "driving_permit", url.Values{
				"given_name": {"Sarah"}, "family_name": {"Meredyth"}, "number": {"MERED753116SM9IJ"}, "country": {"GBR"}, "feature": {"photocard"},
				"expires_on": {"30/4/2032"}, "vpip": {"physical"}, "organisation": {"DVLA"}, "data": {"authoritative_match"}, "declared": {"in_person"},
			}, "Medium (M1C)", "Medium",
		},
		{
			"a register against fraud", "fraud_register", url.Values{
				"given_name": {"Sarah"}, "family_name": {"Meredyth"}, "organisation": {"Some Fraud Bureau"}, "declared": {"in_person"},
				"data": {"authoritative_source", "identity_theft_check", "impersonation_risk_check", "mortality_check", "synthetic_identity_check"},
			}, "Medium", "High (H1A)",
		},
	}
	for _, step := range steps {
		a := b.post(of+"/new?kind="+step.kind, step.form)
		words := a.words(t)
		if _, _, detail := p.line("evidence_recorded"); detail["declared"] != "in_person" {
			t.Errorf("the record of %s says %v, want what was declared", step.name, detail)
		}
		if a.StatusCode != http.StatusOK || !strings.Contains(words, "Identity before "+step.before) || !strings.Contains(words, "Identity now "+step.after) {
			t.Fatalf("record %s = %d %s, want %s to become %s", step.name, a.StatusCode, words, step.before, step.after)
		}
	}
	if words := b.post(of+"/new?kind=passport", passportForm()).words(t); !strings.Contains(words, "It was on record already, word for word") {
		t.Errorf("to send the form twice = %s, want that it is recorded once", words)
	}
	list, err := p.desk().Of(t.Context(), person, uuid.Nil, 20)
	if err != nil || len(list) != len(steps) {
		t.Fatalf("Of() = %d pieces, %v, want %d", len(list), err, len(steps))
	}
	for _, piece := range list {
		for _, c := range piece.Checks {
			organisation := map[string]string{"data/fraud_register": "Some Fraud Bureau", "data/driving_permit": "DVLA"}[string(c.Method)+"/"+piece.Kind]
			if organisation == "" {
				organisation = "LARKMERE HOSPITAL (INVENTED)"
			}
			if c.Checker != raAgent || !strings.EqualFold(c.Organisation, organisation) || c.At.After(p.clock.Now()) || piece.RecordedBy != raAgent {
				t.Errorf("check %s of the %s = %+v, recorded by %s: want the officer's, now, of %s", c.Method, piece.Kind, c, piece.RecordedBy, organisation)
			}
		}
	}

	page = b.get(of)
	for _, part := range []string{"High (H1A)", "Number ···707", "From HM Passport Office", "Issued on 2 March 2021, expires on 1 March 2031", "Recorded by Bartholomew Keykeeper", "Bartholomew Keykeeper at Larkmere Hospital (invented)", "declared to have met the person face to face", "It counts wherever the person works", "For level very high"} {
		if !strings.Contains(page.words(t), part) {
			t.Errorf("the evidence has no %q: %s", part, text(page.body))
		}
	}
	withdraw := of + "/" + list[0].ID + "/withdraw"
	if !strings.Contains(page.body, withdraw) || strings.Contains(strings.NewReplacer(" ", "").Replace(page.body), number) {
		t.Errorf("the evidence leads to %s %t and has the whole number %t, want only the former", withdraw, strings.Contains(page.body, withdraw), strings.Contains(page.body, number))
	}
	if a := b.post(withdraw, url.Values{"reason": {"bored"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "Select why it is withdrawn") {
		t.Errorf("to withdraw for no reason = %d %s, want 400", a.StatusCode, text(a.body))
	}
	if a := b.post(withdraw, url.Values{"reason": {"mistaken"}}); a.StatusCode != http.StatusOK || !strings.Contains(a.words(t), "Identity before High (H1A) Identity now Not proved") {
		t.Errorf("to withdraw the passport = %d %s, want that the level falls", a.StatusCode, text(a.body))
	}
	if words := b.get(of).words(t); !strings.Contains(words, "Withdrawn: mistaken. By Bartholomew Keykeeper") {
		t.Errorf("the evidence after that = %s, want who withdrew it and why", words)
	}
	if a := b.post(withdraw, url.Values{"reason": {"mistaken"}}); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.words(t), "It was withdrawn before") {
		t.Errorf("to withdraw it again = %d %s, want that it was", a.StatusCode, text(a.body))
	}
	actor, about, detail := p.line("person_viewed")
	if diff := cmp.Diff(map[string]string{"officer": raAgent, "officer_role": agentsRole, "of": "evidence"}, detail); actor != raAgent || about != person || diff != "" {
		t.Errorf("the record says %q saw %q (-want +got):\n%s", actor, about, diff)
	}
	want := []string{"evidence_recorded", "evidence_recorded", "evidence_recorded", "evidence_withdrawn", "evidence_withdrawn: withdrawn_before"}
	if got := p.audited("evidence_recorded", "evidence_withdrawn"); !slices.Equal(got[len(got)-len(want):], want) {
		t.Errorf("the record ends with %q, want %q", got, want)
	}
	if actor, about, _ := p.line("evidence_withdrawn"); actor != raAgent || about != person {
		t.Errorf("the record says %q withdrew what is about %q, want the agent and the person", actor, about)
	}
}

// What cannot be recorded is said beside the field that it is about, and what was entered stays.
func TestDeskSaysWhatIsWrongWithEvidence(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	person := p.unproved()
	of := "/desk/people/" + person + "/evidence/new?kind=passport"
	b, _ := p.atDesk(raAgent, of)
	for _, test := range []struct {
		name         string
		form         url.Values
		field, words string
	}{
		{"another given name", with(passportForm(), "given_name", "Sara"), "given_name", "These given names are not the ones on record"},
		{"no given name", with(passportForm(), "given_name", ""), "given_name", "These given names are not the ones on record"},
		{"another family name", with(passportForm(), "family_name", "<script>"), "family_name", "This family name is not the one on record"},
		{"another date of birth", with(passportForm(), "birthdate", "12/3/1976"), "birthdate", "This date of birth is not the one on record"},
		{"no date of birth", with(passportForm(), "birthdate", "yesterday"), "birthdate", "Enter a date"},
		{"no number", with(passportForm(), "number", ""), "number", "Enter its number"},
		{"a number of other signs", with(passportForm(), "number", "<>"), "number", "Enter the number with letters"},
		{"no country", with(passportForm(), "country", "UK"), "country", "Enter the three capital letters"},
		{"no date of issue", with(passportForm(), "issued_on", "31/2/2021"), "issued_on", "Enter a date"},
		{"issued before she was born", with(passportForm(), "issued_on", "1/1/1970", "expires_on", ""), "issued_on", "It was issued on 1970-01-01, before"},
		{"issued only later", with(passportForm(), "issued_on", "1/1/2027"), "issued_on", "Check 1: it was done on 2026-03-04, before"},
		{"expired before it was issued", with(passportForm(), "expires_on", "1/3/2020"), "expires_on", "It expires on 2020-03-01, not after"},
		{"expired long ago", with(passportForm(), "issued_on", "1/3/2011", "expires_on", "1/3/2021"), "expires_on", "Check 1: it was done on"},
		{"trained by nobody", with(passportForm(), "trained_by", ""), "trained_by", "Enter who trained you"},
		{"trained for nothing", with(passportForm(), "vpiruv", "", "pvp", ""), "trained_by", "Tick in each check"},
		{"an official source that is not named", with(passportForm(), "data", "authoritative_source"), "organisation", "Enter whose record was asked"},
		{"no declaration", with(passportForm(), "declared", ""), "declared", "Tick that you met the person"},
		{"a declaration of something else", with(passportForm(), "declared", "video"), "declared", "It is declared to have been checked"},
		{"nothing checked", with(passportForm(), "vpiruv", "", "pvp", "", "vcrypt", "", "trained_by", ""), "vpip", "Tick what you checked"},
	} {
		a := b.post(of, test.form)
		if a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `<a href="#`+test.field+`">`+test.words) {
			t.Errorf("evidence with %s = %d %s, want a mistake at %s", test.name, a.StatusCode, text(a.body), test.field)
		}
		for _, field := range []string{"given_name", "number", "issued_on", "trained_by"} {
			if typed := strings.NewReplacer("<", "&lt;", ">", "&gt;").Replace(test.form.Get(field)); typed != "" && !strings.Contains(a.body, `value="`+typed+`"`) {
				t.Errorf("evidence with %s: the form has not kept %q", test.name, typed)
			}
		}
	}
	for name, form := range map[string]url.Values{"a fact of nothing": with(passportForm(), "vcrypt", "genuine"), "a feature of something else": with(passportForm(), "feature", "gas_or_electricity")} {
		if a := b.post(of, form); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `id="error-summary"`) {
			t.Errorf("evidence with %s = %d %s, want a mistake", name, a.StatusCode, text(a.body))
		}
	}
	if got := p.count(`SELECT count(*) FROM evidence WHERE person_id = $1`, person); got != 0 {
		t.Fatalf("pieces after what was refused = %d, want none", got)
	}

	// The document of somebody else, and one that was found forged.
	if a := b.post(of, passportForm()); a.StatusCode != http.StatusOK {
		t.Fatalf("evidence without a mistake = %d %s, want it recorded", a.StatusCode, text(a.body))
	}
	other := "/desk/people/" + p.unproved() + "/evidence/new?kind=passport"
	if a := b.post(other, passportForm()); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `<a href="#number">This document is on record for another person`) {
		t.Errorf("the passport of somebody else = %d %s, want that it is", a.StatusCode, text(a.body))
	}
	if a := b.post("/desk/people/"+person+"/evidence/"+p.recorded(person)+"/withdraw", url.Values{"reason": {"forged"}}); a.StatusCode != http.StatusOK {
		t.Fatalf("to withdraw as forged = %d %s, want it done", a.StatusCode, text(a.body))
	}
	if a := b.post(other, passportForm()); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `<a href="#number">This document was found forged before`) {
		t.Errorf("a forged passport = %d %s, want that it is", a.StatusCode, text(a.body))
	}
	got := p.audited("evidence_recorded")
	if want := []string{"evidence_recorded", "evidence_recorded: duplicate_evidence", "evidence_recorded: forged_evidence"}; !slices.Equal(got[len(got)-3:], want) {
		t.Errorf("the record ends with %q, want %q", got, want)
	}
}

// A record shows since when it is in use, and how well the person was known before.
func TestDeskRecordsActivity(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	of := "/desk/people/" + p.unproved() + "/evidence"
	account := url.Values{
		"given_name": {"Sarah"}, "family_name": {"Meredyth"}, "number": {"12345678"}, "organisation": {"Some Bank"}, "data": {"authoritative_match"},
		"activity_since": {"1/5/2024"}, "activity_policy": {"published"}, "declared": {"in_person"},
	}
	b, page := p.atDesk(raAgent, of+"/new?kind=current_account")
	if !strings.Contains(page.body, `id="activity_since"`) || strings.Contains(b.get(of+"/new?kind=passport").body, `id="activity_since"`) {
		t.Errorf("the form asks since when an account is in use: %t, want it to, and not of a passport", strings.Contains(page.body, `id="activity_since"`))
	}
	for _, test := range []struct{ field, value, at, words string }{
		{"activity_policy", "", "activity_policy", "Select how they checked the person"},
		{"activity_policy", "none at all", "activity_policy", "Select how they checked the person"},
		{"activity_since", "", "activity_since", "Enter since when it is in use"},
		{"activity_since", "May", "activity_since", "Enter a date"},
		{"activity_since", "1/5/2027", "activity_since", "Check 1: the activity begins on 2027-05-01, after"},
	} {
		form := maps.Clone(account)
		form.Set(test.field, test.value)
		if a := b.post(of+"/new?kind=current_account", form); a.StatusCode != http.StatusBadRequest || !strings.Contains(a.body, `<a href="#`+test.at+`">`+test.words) {
			t.Errorf("an account with %s %q = %d %s, want a mistake at %s", test.field, test.value, a.StatusCode, text(a.body), test.at)
		}
	}
	if a := b.post(of+"/new?kind=current_account", account); a.StatusCode != http.StatusOK {
		t.Fatalf("an account in use = %d %s, want it recorded", a.StatusCode, text(a.body))
	}
	if words := b.get(of).words(t); !strings.Contains(words, "A matching record found (its details match an authoritative source), in use since 1 May 2024, Some Bank") {
		t.Errorf("the evidence = %s, want since when the account is in use", words)
	}
}

// A check whose result is no takes away what the piece counted for.
func TestDeskRecordsWhatFailed(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	person := p.unproved()
	of := "/desk/people/" + person + "/evidence"
	b, _ := p.atDesk(raAgent, of)
	if a := b.post(of+"/new?kind=passport", with(passportForm(), "pvp", "", "failed", "pvp")); a.StatusCode != http.StatusOK {
		t.Fatalf("a passport with another face = %d %s, want it recorded", a.StatusCode, text(a.body))
	}
	if words := b.get(of).words(t); !strings.Contains(words, "Failed: Its photo compared with the person, by somebody") {
		t.Errorf("the evidence = %s, want the check that failed", words)
	}
}

// Nobody proves herself, or who works elsewhere; and nobody does it whose role does not let her.
func TestDeskProvesOnlyWhomTheOfficerMay(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	elsewhere := p.newOfficer("ZX200", "S8000:G8000:R8001")
	here := p.newOfficer("ZX100", "S8000:G8000:R8001")
	person := p.unproved()
	agent, _ := p.atDesk(raAgent, "/desk")
	sponsor, _ := p.atDesk(raSponsor, "/desk")
	piece := p.recorded(noRole)
	for _, test := range []struct {
		name   string
		b      *browser
		person string
		status int
		words  string
	}{
		{"herself", agent, raAgent, http.StatusForbidden, "about yourself"},
		{"who works elsewhere", agent, elsewhere, http.StatusForbidden, "neither at the organisation"},
		{"in a role for something else", sponsor, person, http.StatusForbidden, "does not let you do this"},
		{"nobody", agent, "656005750999", http.StatusNotFound, "There is nothing here"},
		{"what is no person", agent, "x", http.StatusNotFound, "There is nothing here"},
	} {
		of := "/desk/people/" + test.person + "/evidence"
		for path, form := range map[string]url.Values{of: nil, of + "/new": nil, of + "/new?kind=passport": passportForm(), of + "/" + piece + "/withdraw": {"reason": {"mistaken"}}} {
			a := test.b.get(path)
			if a.StatusCode != test.status || !strings.Contains(a.words(t), test.words) {
				t.Errorf("%s: GET %s = %d %s, want %d with %q", test.name, path, a.StatusCode, text(a.body), test.status, test.words)
			}
			if form == nil {
				continue
			}
			if a := test.b.post(path, form); a.StatusCode != test.status {
				t.Errorf("%s: POST %s = %d %s, want %d", test.name, path, a.StatusCode, text(a.body), test.status)
			}
		}
		if a := test.b.get("/desk/people/" + test.person); strings.Contains(a.body, `id="prove"`) {
			t.Errorf("%s: the page of the person leads to the evidence", test.name)
		}
	}
	if a := agent.get("/desk/people/" + here + "/evidence"); a.StatusCode != http.StatusOK {
		t.Errorf("the evidence of who works at the hospital = %d, want 200", a.StatusCode)
	}
	for path, want := range map[string]int{
		"/desk/people/" + person + "/evidence/" + piece + "/withdraw":            http.StatusNotFound, // it is about somebody else
		"/desk/people/" + noRole + "/evidence/" + uuid.NewString() + "/withdraw": http.StatusNotFound,
		"/desk/people/" + noRole + "/evidence/x/withdraw":                        http.StatusNotFound,
		"/desk/people/" + noRole + "/evidence/" + piece + "/withdraw":            http.StatusOK,
		"/desk/people/" + noRole + "/evidence/new?kind=%00":                      http.StatusOK, // the choice
		"/desk/people/" + noRole + "/evidence?after=x":                           http.StatusOK,
	} {
		if a := agent.get(path); a.StatusCode != want {
			t.Errorf("GET %s = %d, want %d", path, a.StatusCode, want)
		}
	}
	if a := agent.post("/desk/people/"+person+"/evidence/new?kind=elephant", passportForm()); a.StatusCode != http.StatusNotFound {
		t.Errorf("evidence of no kind = %d, want 404", a.StatusCode)
	}
	crossSite := func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }
	for path, form := range map[string]url.Values{
		"/desk/people/" + person + "/evidence/new?kind=passport":      passportForm(),
		"/desk/people/" + noRole + "/evidence/" + piece + "/withdraw": {"reason": {"mistaken"}},
	} {
		if a := agent.postWith(path, form, crossSite); a.StatusCode != http.StatusForbidden {
			t.Errorf("POST %s from another site = %d, want 403", path, a.StatusCode)
		}
	}
	if got := p.count(`SELECT count(*) FROM evidence WHERE person_id = $1 OR withdrawn_at IS NOT NULL`, person); got != 0 {
		t.Errorf("pieces that were recorded or withdrawn by those = %d, want none", got)
	}
	for reason, want := range map[string]int{"own_person": 6, "another_organisation": 6, "no_right": 6} {
		if got := strings.Count(strings.Join(p.audited("desk_opened"), "\n"), reason); got != want {
			t.Errorf("refusals on record for %s = %d, want %d", reason, got, want)
		}
	}
}
