package assurance_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
)

func score(t *testing.T, record ...assurance.Piece) assurance.Scoring {
	t.Helper()
	s, err := assurance.Score(record, today)
	if err != nil {
		t.Fatalf("Score() = %v, want scores", err)
	}
	return s
}

// reason is the one for a score, of the piece when it is one of a piece.
func reason(t *testing.T, s assurance.Scoring, about assurance.About, piece string) assurance.Reason {
	t.Helper()
	i := slices.IndexFunc(s.Reasons, func(r assurance.Reason) bool { return r.About == about && r.Piece == piece })
	if i < 0 {
		t.Fatalf("Score() = %+v, want a reason for %s of %q", s, about, piece)
	}
	return s.Reasons[i]
}

// The example of the design: a passport and a driving licence, shown at a desk.
func TestScoreExample(t *testing.T) {
	t.Parallel()
	got := score(t, desk()...)
	want := assurance.Scoring{
		PolicyVersion: assurance.PolicyVersion,
		Scores: assurance.Scores{
			Evidence: []assurance.Evidence{{Kind: "passport", Strength: 4, Validity: 3}, {Kind: "driving_permit", Strength: 3, Validity: 2}},
			Activity: 0, Fraud: 1, Verification: 3,
		},
		Pieces: []string{"passport", "driving_permit"},
		Reasons: []assurance.Reason{
			{About: "strength", Piece: "passport", Score: 4, Because: "it is of the kind passport, with: biometric chip"},
			{
				About: "validity", Piece: "passport", Score: 3, Checks: []string{"chk-pp-chip-01", "chk-pp-uv-02"},
				Because: "its signature is right and made by a key of the issuer that leads to a trust anchor and is not revoked",
			},
			{About: "strength", Piece: "driving_permit", Score: 3, Because: "it is of the kind driving licence, with: photocard, of an issuer that the guide names"},
			{About: "validity", Piece: "driving_permit", Score: 2, Checks: []string{"chk-dl-uv-03", "chk-dl-data-04"}, Because: "its details match an authoritative source"},
			{About: "activity", Because: "no record shows activity for long enough"},
			{
				About: "fraud", Score: 1, Checks: []string{"chk-fraud-06"},
				Because: "the identity is not known or reported stolen; the person is at no unusual risk of impersonation; " +
					"the identity is not that of somebody who died; the identity was not made up",
			},
			{
				About: "verification", Score: 3, Checks: []string{"chk-face-05"},
				Because: "by the passport: the checker was trained by a specialist body; the training is refreshed every year; the light was adequate; " +
					"the photo was not altered; masks and make-up and prosthetics would have been spotted; the eyes were not hidden by glare",
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Score() differs (-want +got):\n%s", diff)
	}
	policy, err := assurance.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	result, err := policy.Evaluate(got.Scores)
	if err != nil || result.Level != assurance.IdentityHigh || result.Best != "H1A" {
		t.Errorf("Evaluate() = %s by %s, %v, want high by H1A", result.Level, result.Best, err)
	}

	// With visible features recorded as genuine too, the licence has d, v and u.
	record := desk()
	record[1].Checks[0].Facts = append(record[1].Checks[0].Facts, "visible")
	if got := score(t, record...).Scores.Evidence[1]; got.Validity != 3 {
		t.Errorf("the licence = %+v, want validity 3", got)
	}
	if got := score(t).Scores; !cmp.Equal(got, assurance.Scores{Evidence: []assurance.Evidence{}}) {
		t.Errorf("Score() of nothing = %+v, want nothing", got)
	}
}

// The rows of strength.csv, and what each lacks without its condition: kind, issuer, features, score.
func TestScoreStrength(t *testing.T) {
	t.Parallel()
	rows := `
passport - - 1
passport FRA machine_readable 3
passport FRA biometric_chip 4
id_card DEU - 1
id_card USA biometric_chip 1
id_card - biometric_chip 1
id_card DEU machine_readable 3
id_card ISL biometric_chip 4
passport_card IRL - 1
passport_card USA - 3
driving_permit GBR - 1
driving_permit USA photocard 1
driving_permit GBR photocard 3
driving_permit FRA photocard 3
military_id FRA - 1
military_id GBR - 3
veterans_card GBR - 1
proof_of_age_id GBR - 1
home_office_travel_document - - 1
home_office_travel_document GBR - 2
residence_permit GBR - 1
residence_permit FRA biometric_chip 1
residence_permit GBR biometric_chip 4
bus_pass GBR - 1
bus_pass - older_person 1
bus_pass GBR older_person 2
education_certificate - - 1
education_certificate - regulated_issuer 2
rental_agreement - - 2
purchase_agreement - - 2
pass_card - - 2
pass_card - unique_reference_number 3
freedom_pass - - 2
voter_id GBR - 1
voter_id GB-NIR - 3
bank_statement - - 1
utility_statement - - 1
mortgage_statement - - 1
loan_statement - - 1
tax_statement - - 1
social_security_statement - - 1
pilot_permit - - 1
birth_certificate - - 2
adoption_certificate - - 2
marriage_certificate - - 2
civil_partnership_certificate - - 2
firearm_certificate - - 2
current_account - - 3
bank_account - - 1
bank_account - current_account 3
building_society_account - - 1
building_society_account - current_account 3
credit_union_account - - 1
credit_union_account - current_account 3
student_loan_account - - 3
credit_account - - 3
mortgage_account - - 3
loan_account - - 3
utility_account - - 1
utility_account - gas_or_electricity 2
birth_register - - 1
population_register - - 1
voter_register - - 1
adoption_register - - 1
marriage_register - - 1
civil_partnership_register - - 1
education_record - - 1
military_record - - 1
tax_record - - 1
prison_record - - 1
written_attestation - - 1
digital_attestation - - 1
social_security_record - - 0
death_register - - 0
fraud_register - - 0
`
	tested := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(rows)) {
		w := strings.Fields(line)
		p := gradedPiece(w[0], w[1], w[2])
		tested[w[0]] = true
		got := 0
		if s := score(t, p); len(s.Scores.Evidence) == 1 {
			got = s.Scores.Evidence[0].Strength
		}
		if want, _ := strconv.Atoi(w[3]); got != want {
			t.Errorf("strength of %s = %d, want %d", strings.TrimSpace(line), got, want)
		}
	}
	for _, row := range table(t, "kinds") {
		if !tested[row[1]] {
			t.Errorf("the strength of %s is not tested", row[1])
		}
	}
}

// gradedPiece is a piece of the kind, issuer and feature; "-": none. Which type it has follows from the kind.
func gradedPiece(kind, issuer, feature string) assurance.Piece {
	pieceType := assurance.ElectronicRecord
	for _, t := range []assurance.PieceType{assurance.Document, assurance.Vouch} {
		if piece(t, kind).Validate() == nil {
			pieceType = t
		}
	}
	p := piece(pieceType, kind)
	switch {
	case len(issuer) == 3:
		p.Country = issuer
	case len(issuer) > 3:
		p.Country, p.Jurisdiction = "GBR", issuer
	}
	if feature != "-" {
		p.Features = []assurance.Feature{assurance.Feature(feature)}
	}
	return p
}

// The rows of validity.csv, and of facts.csv what makes an inspection count.
func TestScoreValidity(t *testing.T) {
	t.Parallel()
	visible := check("v", assurance.PhysicalInspection, "physical visible"+original)
	uv := check("u", assurance.PhysicalInspectionUV, "uv_ir"+original)
	data := check("d", assurance.RecordMatch, "authoritative_match")
	chip := check("c", assurance.CryptographicInspection, "cryptographic")
	listed := check("n", assurance.RecordMatch, "not_cancelled")
	failed := data
	failed.ID, failed.Failed = "f", true
	for _, tt := range []struct {
		name   string
		checks []assurance.Check
		want   int
	}{
		{"no checks", nil, 0},
		{"checks that found nothing", []assurance.Check{check("v", assurance.PhysicalInspection, original), listed}, 0},
		{"p", []assurance.Check{check("p", assurance.PhysicalInspection, "physical")}, 1},
		{"v", []assurance.Check{visible}, 2},
		{"u", []assurance.Check{uv}, 2},
		{"d", []assurance.Check{data}, 2},
		{"digital", []assurance.Check{check("g", assurance.DigitalInspection, "digital_genuine")}, 2},
		{"digital, and nothing found", []assurance.Check{check("g", assurance.DigitalInspection, "")}, 0},
		{"v of an image", []assurance.Check{check("i", assurance.RemoteInspection, "visible"+original)}, 2},
		{"d and u", []assurance.Check{data, uv}, 2},
		{"d and v", []assurance.Check{data, visible}, 2},
		{"v and u", []assurance.Check{visible, uv}, 2},
		{"d, v and u", []assurance.Check{data, visible, uv}, 3},
		{"c", []assurance.Check{chip}, 3},
		{"c, v and u", []assurance.Check{chip, visible, uv}, 3},
		{"c, v and n", []assurance.Check{chip, visible, listed}, 3},
		{"c, u and n", []assurance.Check{chip, uv, listed}, 3},
		{"d, v, u and n", []assurance.Check{data, visible, uv, listed}, 3},
		{"c, v, u and n", []assurance.Check{chip, visible, uv, listed}, 4},
		{"c, v, u and n, and a check that failed", []assurance.Check{chip, visible, uv, listed, failed}, 0},
		{"v of a copy", []assurance.Check{check("v", assurance.PhysicalInspection, "physical visible"+trained)}, 1},
		{"v by an untrained checker", []assurance.Check{check("v", assurance.PhysicalInspection, "physical visible original_document")}, 1},
		{"v by a checker whose training is old", []assurance.Check{check("v", assurance.PhysicalInspection, "physical visible original_document specialist_training")}, 1},
		{"v by one whose training is refreshed every three years", []assurance.Check{
			check("v", assurance.PhysicalInspection, "physical visible original_document specialist_training refreshed_three_yearly"),
		}, 2},
		{"v by a system", []assurance.Check{check("v", assurance.RemoteInspection, "visible original_document idvt_system")}, 2},
		{"v by a system of no guidance", []assurance.Check{check("v", assurance.RemoteInspection, "visible original_document")}, 0},
		{"the training of another check", []assurance.Check{
			check("v", assurance.PhysicalInspection, "visible"), check("w", assurance.PhysicalInspection, "physical"+original),
		}, 1},
		{"u by an untrained checker", []assurance.Check{check("u", assurance.PhysicalInspectionUV, "physical uv_ir original_document")}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := score(t, passport(tt.checks...))
			if got := s.Scores.Evidence[0].Validity; got != tt.want {
				t.Errorf("validity = %d because %q, want %d", got, reason(t, s, assurance.AboutValidity, "passport").Because, tt.want)
			}
		})
	}
}

// The same document twice is one piece, with the checks of both.
func TestScoreCountsADocumentOnce(t *testing.T) {
	t.Parallel()
	data := check("d", assurance.RecordMatch, "authoritative_match")
	visible := check("v", assurance.PhysicalInspectionUV, "visible uv_ir"+original)
	first, again, other := passport(data), passport(visible), passport()
	again.ID, again.IssuedOn, other.ID, other.Number = "again", "", "other", "d2"
	s := score(t, first, again)
	if want := []assurance.Evidence{{Kind: "passport", Strength: 4, Validity: 3}}; !cmp.Equal(s.Scores.Evidence, want) || !slices.Equal(s.Pieces, []string{"passport"}) {
		t.Errorf("the same twice = %+v of %v, want %+v of the first", s.Scores.Evidence, s.Pieces, want)
	}
	if got := reason(t, s, assurance.AboutValidity, "passport").Checks; !slices.Equal(got, []string{"d", "v"}) {
		t.Errorf("it rests on %v, want the checks of both", got)
	}
	if s := score(t, first, other); len(s.Scores.Evidence) != 2 || s.Scores.Evidence[0].Validity != 2 {
		t.Errorf("two passports = %+v, want two pieces", s.Scores.Evidence)
	}
	plain, abroad := passport(data), passport()
	plain.Features, abroad.ID, abroad.Country = nil, "abroad", "FRA"
	if s := score(t, plain, again); !cmp.Equal(s.Scores.Evidence, []assurance.Evidence{{Kind: "passport", Strength: 4, Validity: 3}}) {
		t.Errorf("the same twice, its chip seen once = %+v, want strength 4", s.Scores.Evidence)
	}
	if s := score(t, first, abroad); len(s.Scores.Evidence) != 2 {
		t.Errorf("a passport of another country, of the same number = %+v, want two pieces", s.Scores.Evidence)
	}
	card, elsewhere := piece(assurance.Document, "voter_id", data), piece(assurance.Document, "voter_id")
	card.Country, elsewhere.ID, elsewhere.Jurisdiction = "FRA", "elsewhere", "GB-NIR"
	if s := score(t, card, elsewhere); len(s.Scores.Evidence) != 2 || s.Scores.Evidence[0].Strength != 1 {
		t.Errorf("a French card, and one of Northern Ireland of the same number = %+v, want two pieces", s.Scores.Evidence)
	}
	card.Country = "GBR"
	if s := score(t, card, elsewhere); !cmp.Equal(s.Scores.Evidence, []assurance.Evidence{{Kind: "voter_id", Strength: 3, Validity: 2}}) {
		t.Errorf("a British card, and one of Northern Ireland of the same number = %+v, want one piece", s.Scores.Evidence)
	}
	again.Checks[0].Failed = true
	if s := score(t, first, again); s.Scores.Evidence[0].Validity != 0 {
		t.Errorf("the same twice, once forged = %+v, want validity 0", s.Scores.Evidence)
	}
	nameless, unnamed := piece(assurance.Document, "pass_card", data), piece(assurance.Document, "pass_card")
	nameless.Number, unnamed.Number, unnamed.ID = "", "", "unnamed"
	if s := score(t, nameless, unnamed); len(s.Scores.Evidence) != 2 {
		t.Errorf("two cards without numbers = %+v, want two pieces: which of a kind count is for the matcher", s.Scores.Evidence)
	}
}

// A check that failed holds for what may be the same piece, however that was put on record another time.
func TestScoreCheckThatFailed(t *testing.T) {
	t.Parallel()
	chip := check("c", assurance.CryptographicInspection, "cryptographic")
	face := check("f", assurance.ComparisonInPerson, compared)
	card := func(number string, checks ...assurance.Check) assurance.Piece {
		p := piece(assurance.Document, "pass_card", checks...)
		p.Number = number
		return p
	}
	of := func(country, jurisdiction, number string) assurance.Piece {
		p := passport(chip, face)
		p.Country, p.Jurisdiction, p.Number = country, jurisdiction, number
		return p
	}
	forged := passport(failed(check("x", assurance.CryptographicInspection, "cryptographic")))
	for _, tt := range []struct {
		name         string
		failed, then assurance.Piece
		counts       bool
	}{
		{"the same again", forged, of("GBR", "", "d1"), false},
		{"without its country", forged, of("", "", "d1"), false},
		{"with its jurisdiction", forged, of("GBR", "GB-ENG", "d1"), false},
		{"by another issuer", forged, of("FRA", "", "d1"), false},
		{"another number", forged, of("GBR", "", "d2"), true},
		{"another kind", card("1", failed(chip)), of("GBR", "", "1"), true},
		{"without a number, then with one", card("", failed(check("x", assurance.PhysicalInspection, ""))), card("1", chip, face), false},
		{"with a number, then without", card("1", failed(check("x", assurance.PhysicalInspection, ""))), card("", chip, face), false},
		{"both without a number", card("", failed(check("x", assurance.PhysicalInspection, ""))), card("", chip, face), false},
		{"with two numbers", card("1", failed(check("x", assurance.PhysicalInspection, ""))), card("2", chip, face), true},
		{"a check that did not fail, without a number", card("", check("x", assurance.PhysicalInspection, "physical")), card("1", chip, face), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.failed.ID, tt.then.ID = "failed", "then"
			for i, record := range [][]assurance.Piece{{tt.failed, tt.then}, {tt.then, tt.failed}} {
				for j := range record {
					record[j].Checks = slices.Clone(record[j].Checks)
					for k := range record[j].Checks {
						record[j].Checks[k].ID = record[j].ID + record[j].Checks[k].ID
					}
				}
				s := score(t, record...)
				counts := slices.ContainsFunc(s.Scores.Evidence, func(e assurance.Evidence) bool { return e.Validity == 3 })
				if counts != tt.counts || (s.Scores.Verification > 0) != tt.counts {
					t.Errorf("order %d: Score() = %+v, want it to count: %t", i, s.Scores, tt.counts)
				}
				p, err := assurance.Proof(record, today)
				if err != nil || (len(p.Pieces) > 0) && !tt.counts {
					t.Errorf("order %d: Proof() = %+v, %v, want it to rest on nothing", i, p, err)
				}
			}
		})
	}
}

// A kind is called one thing, wherever a person reads of it.
func TestScoreCallsKindsAsPeopleDo(t *testing.T) {
	t.Parallel()
	card := piece(assurance.Document, "pass_card", check("c", assurance.PhysicalInspection, "physical"))
	tainted := piece(assurance.Document, "pass_card", failed(check("x", assurance.PhysicalInspection, "physical")))
	tainted.ID, tainted.Number = "tainted", ""
	s := score(t, card, tainted)
	if got, want := reason(t, s, assurance.AboutStrength, "pass_card").Because, "it is of the kind PASS card"; got != want {
		t.Errorf("because %q, want %q", got, want)
	}
	if got, want := reason(t, s, assurance.AboutValidity, "pass_card").Because, "check x-failed failed, of what may be the same PASS card"; got != want {
		t.Errorf("because %q, want %q", got, want)
	}
}

// The rows of activity.csv, and of better policies than each wants.
func TestScoreActivity(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		policy assurance.ActivityPolicy
		since  string
		want   int
	}{
		{assurance.PolicyNone, "2026-03-14", 1},
		{assurance.PolicyNone, "2026-03-15", 0},
		{assurance.PolicyNone, "1990-01-01", 1},
		{assurance.PolicyPublished, "2026-03-14", 1},
		{assurance.PolicyPublished, "2026-03-15", 0},
		{assurance.PolicyMLR, "2026-03-14", 1},
		{assurance.PolicyMLR, "2026-03-15", 0},
		{assurance.PolicyPhysicalMatch, "2026-03-14", 1},
		{assurance.PolicyPhysicalMatch, "2026-03-15", 0},
		{assurance.PolicyPhysicalMatch, "1990-01-01", 1},
	} {
		c := check("a", assurance.RecordMatch, "")
		c.Activity = &assurance.Activity{Policy: tt.policy, Since: tt.since}
		if got := score(t, piece(assurance.ElectronicRecord, "current_account", c)).Scores.Activity; got != tt.want {
			t.Errorf("activity of policy %s since %s = %d, want %d", tt.policy, tt.since, got, tt.want)
		}
		if got := score(t, expired(piece(assurance.ElectronicRecord, "current_account", c))).Scores.Activity; got != 0 {
			t.Errorf("activity of a record that expired = %d, want 0", got)
		}
		c.Failed = true
		if got := score(t, piece(assurance.ElectronicRecord, "current_account", c)).Scores.Activity; got != 0 {
			t.Errorf("activity of a check that failed = %d, want 0", got)
		}
	}
}

// The rows of fraud.csv, each short of each fact, and with fewer sources.
func TestScoreFraud(t *testing.T) {
	t.Parallel()
	register := func(organisation, words string) assurance.Piece {
		p := piece(assurance.ElectronicRecord, "fraud_register", check("c-"+organisation, assurance.RecordMatch, words))
		p.ID, p.Checks[0].Organisation = organisation, organisation
		return p
	}
	const independent = noFraud + " known_to_organisation independent_source"
	failed := register("bureau", "identity_theft_check")
	failed.Checks[0].Failed = true
	bare := register("bureau", "")
	bare.Checks[0].Failed = true
	licence := piece(assurance.Document, "driving_permit", check("l", assurance.RecordMatch, "authoritative_match"))
	licence.Checks[0].Failed = true
	for _, tt := range []struct {
		name   string
		record []assurance.Piece
		want   int
	}{
		{"nothing", nil, 0},
		{"all of score 1", []assurance.Piece{register("a", noFraud)}, 1},
		{"all of score 1, of two sources", []assurance.Piece{register("a", noFraud), register("b", noFraud)}, 1},
		{"split between two sources", []assurance.Piece{
			register("a", "authoritative_source identity_theft_check mortality_check"),
			register("b", "authoritative_source impersonation_risk_check synthetic_identity_check"),
		}, 1},
		{"not authoritative", []assurance.Piece{register("a", strings.TrimPrefix(noFraud, "authoritative_source "))}, 0},
		{"half of it not authoritative", []assurance.Piece{
			register("a", "authoritative_source identity_theft_check mortality_check"),
			register("b", "impersonation_risk_check synthetic_identity_check"),
		}, 0},
		{"all of score 2", []assurance.Piece{register("a", noFraud+" known_to_organisation")}, 2},
		{"two sources that are not independent", []assurance.Piece{register("a", noFraud+" known_to_organisation"), register("b", independent)}, 2},
		{"one source twice", []assurance.Piece{register("a b", independent), register(" A  B", independent)}, 2},
		{"all of score 3", []assurance.Piece{register("a", independent), register("b", independent)}, 3},
		{"the second source knows less", []assurance.Piece{register("a", independent), register("b", noFraud+" independent_source")}, 2},
		{"all of score 3, and a check that failed", []assurance.Piece{register("a", independent), register("b", independent), failed}, 0},
		{"all of score 3, and a register that says no", []assurance.Piece{register("a", independent), register("b", independent), bare}, 0},
		{"another check that failed is none of fraud", []assurance.Piece{register("a", noFraud), licence}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := score(t, tt.record...)
			if s.Scores.Fraud != tt.want {
				t.Errorf("fraud = %d because %q, want %d", s.Scores.Fraud, reason(t, s, assurance.AboutFraud, "").Because, tt.want)
			}
		})
	}
	for _, missing := range facts(noFraud) {
		if got := score(t, register("a", strings.ReplaceAll(noFraud, string(missing), ""))).Scores.Fraud; got != 0 {
			t.Errorf("fraud without %s = %d, want 0", missing, got)
		}
	}
}

// Every table says which policy it is of.
func TestTablesNameTheirPolicy(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("tables/*.csv")
	if err != nil || len(files) != 16 {
		t.Fatalf("tables = %v, %v, want 16 of them", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if want := "# policy " + assurance.PolicyVersion + "\n"; !strings.HasPrefix(string(text), want) {
			t.Errorf("%s begins with %.40q, want %q", file, text, want)
		}
	}
}

// table is the rows of a table, without comments and titles.
func table(t *testing.T, name string) [][]string {
	t.Helper()
	text, err := os.ReadFile("tables/" + name + ".csv")
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			rows = append(rows, strings.Split(line, ","))
		}
	}
	return rows[1:]
}
