package assurance_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/assurance"
)

func proof(t *testing.T, record ...assurance.Piece) assurance.Proofing {
	t.Helper()
	p, err := assurance.Proof(record, today)
	if err != nil {
		t.Fatalf("Proof() = %v, want a level", err)
	}
	return p
}

// The example of the design reaches IAL2 by its passport, and IAL3 where the portrait that was taken is kept.
func TestProofExample(t *testing.T) {
	t.Parallel()
	got := proof(t, desk()...)
	if got.Level != 2 || got.PolicyVersion != assurance.PolicyVersion || !slices.Equal(got.Pieces, []string{"passport"}) ||
		!slices.Equal(got.Checks, []string{"chk-pp-chip-01", "chk-pp-uv-02", "chk-face-05"}) {
		t.Errorf("Proof() = %+v, want IAL2 by the passport and its checks", got)
	}
	if want := "the attributes are validated, and so is the evidence: passport as SUPERIOR; of it 1 verified as the person's"; got.Because != want {
		t.Errorf("because %q, want %q", got.Because, want)
	}
	record := desk()
	record[0].Checks[2].Facts = append(record[0].Checks[2].Facts, "biometric_sample_retained")
	if got := proof(t, record...); got.Level != 3 || got.Level.String() != "ial3" {
		t.Errorf("Proof() with the sample retained = %+v, want IAL3", got)
	}
	if got := proof(t); got.Level != 0 || got.Level.String() != "" {
		t.Errorf("Proof() of nothing = %+v, want no claim", got)
	}
}

// The rows of nist-levels.csv and nist-verification.csv, and what each lacks.
func TestProof(t *testing.T) {
	t.Parallel()
	const (
		live     = "one_to_one basic_liveness replay_excluded tamper_protected"
		person   = "specialist_training refreshed_three_yearly"
		retained = " biometric_sample_retained"
	)
	attributes := check("attributes", assurance.RecordMatch, "authoritative_match core_attributes_validated")
	matched := check("matched", assurance.RecordMatch, "authoritative_match")
	chip := check("chip", assurance.CryptographicInspection, "cryptographic")
	seen := check("seen", assurance.PhysicalInspection, "physical")
	inPerson := check("person", assurance.ComparisonInPerson, person)
	kept := check("kept", assurance.ComparisonInPerson, person+retained)
	token, login := check("token", assurance.IssuedToken, ""), check("login", assurance.ElectronicLogin, "")
	account := func(checks ...assurance.Check) assurance.Piece {
		return piece(assurance.ElectronicRecord, "current_account", checks...)
	}
	licence := func(checks ...assurance.Check) assurance.Piece {
		p := piece(assurance.Document, "driving_permit", checks...)
		p.Country, p.Features = "GBR", []assurance.Feature{assurance.Photocard}
		return p
	}
	questions := check("questions", assurance.KnowledgeQuestions, "")
	questions.Questions = slices.Repeat([]assurance.Question{{Quality: "high", Dynamic: true}}, 50)
	fraud := piece(assurance.ElectronicRecord, "fraud_register", check("fraud", assurance.RecordMatch, "identity_theft_check"))
	fraud.Checks[0].Failed = true
	late := passport(chip, kept)
	late.ExpiresOn = "2026-09-13"

	for _, tt := range []struct {
		name   string
		record []assurance.Piece
		want   assurance.IAL
	}{
		{"1: FAIR, by a return code", []assurance.Piece{account(attributes, token)}, 1},
		{"1: FAIR, by a login", []assurance.Piece{account(attributes, login)}, 1},
		{"1: STRONG, by a return code", []assurance.Piece{licence(attributes, seen, token)}, 1},
		{"1: SUPERIOR, by a return code", []assurance.Piece{passport(chip, token)}, 1},
		{"FAIR that nobody verified", []assurance.Piece{account(attributes)}, 0},
		{"FAIR, by questions", []assurance.Piece{account(attributes, questions)}, 0},
		{"attributes that were not all validated", []assurance.Piece{account(matched, token)}, 0},
		{"attributes validated elsewhere", []assurance.Piece{account(matched, token), piece(assurance.ElectronicRecord, "population_register", attributes)}, 1},
		{"attributes validated with a record that failed", []assurance.Piece{
			account(matched, token), piece(assurance.ElectronicRecord, "population_register", attributes, failed(matched)),
		}, 0},
		{"a document that nobody inspected", []assurance.Piece{licence(attributes, token)}, 0},
		{"evidence that NIST does not name", []assurance.Piece{piece(assurance.Document, "birth_certificate", seen, attributes, token)}, 0},
		{"2: STRONG and FAIR, both verified", []assurance.Piece{licence(seen, inPerson, attributes), account(matched, token)}, 2},
		{"the same in the other order", []assurance.Piece{account(matched, token), licence(seen, inPerson, attributes)}, 2},
		{"2: STRONG and FAIR, by logins", []assurance.Piece{licence(seen, login, attributes), account(matched, check("b", assurance.ElectronicLogin, ""))}, 2},
		{"STRONG and FAIR, the FAIR not verified", []assurance.Piece{licence(seen, inPerson, attributes), account(matched)}, 1},
		{"STRONG and FAIR, the STRONG by a return code", []assurance.Piece{licence(seen, check("a", assurance.IssuedToken, ""), attributes), account(matched, token)}, 1},
		{"STRONG alone", []assurance.Piece{licence(seen, inPerson, attributes)}, 1},
		{"2: SUPERIOR, compared in person", []assurance.Piece{passport(chip, inPerson)}, 2},
		{"2: SUPERIOR, compared remotely", []assurance.Piece{passport(chip, check("r", assurance.RemoteComparison, person+" live_capture replay_excluded tamper_protected"))}, 2},
		{"SUPERIOR, compared with an uploaded photo", []assurance.Piece{passport(chip, check("r", assurance.RemoteComparison, person+" replay_excluded tamper_protected"))}, 0},
		{"2: SUPERIOR, by remote biometrics", []assurance.Piece{passport(chip, check("b", assurance.RemoteBiometric, live))}, 2},
		{"2: SUPERIOR, by biometrics in person", []assurance.Piece{passport(chip, check("b", assurance.BiometricInPerson, live))}, 2},
		{"SUPERIOR, by biometrics without liveness", []assurance.Piece{passport(chip, check("b", assurance.RemoteBiometric, strings.Replace(live, "basic_liveness", "", 1)))}, 0},
		{"SUPERIOR, by an untrained comparison", []assurance.Piece{passport(chip, check("p", assurance.ComparisonInPerson, ""))}, 0},
		{"a passport whose chip was not read is STRONG", []assurance.Piece{passport(seen, inPerson, attributes)}, 1},
		{"3: SUPERIOR, compared in person, the sample retained", []assurance.Piece{passport(chip, kept)}, 3},
		{"3: SUPERIOR, by supervised biometrics, the sample retained", []assurance.Piece{passport(chip, check("b", assurance.BiometricInPerson, live+" supervised"+retained))}, 3},
		{"SUPERIOR, by unattended biometrics, the sample retained", []assurance.Piece{passport(chip, check("b", assurance.BiometricInPerson, live+retained))}, 2},
		{"3: STRONG and FAIR, the STRONG compared, the sample retained", []assurance.Piece{licence(seen, kept, attributes), account(matched)}, 3},
		{"STRONG alone, the sample retained", []assurance.Piece{licence(seen, kept, attributes)}, 1},
		{"two licences are one kind", []assurance.Piece{licence(seen, kept, attributes), second(licence(check("also", assurance.PhysicalInspection, "physical")))}, 1},
		{"a passport that expired yesterday", []assurance.Piece{late}, 0},
		{"a counter-fraud check that failed", []assurance.Piece{passport(chip, kept), fraud}, 0},
		{"a check of the passport that failed", []assurance.Piece{passport(chip, kept, failed(seen))}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := proof(t, tt.record...); got.Level != tt.want || got.Because == "" || (got.Level == 0) != (len(got.Pieces) == 0) {
				t.Errorf("Proof() = %+v, want IAL%d, with a reason", got, tt.want)
			}
		})
	}
}

func second(p assurance.Piece) assurance.Piece {
	p.ID = "second"
	return p
}

func failed(c assurance.Check) assurance.Check {
	c.ID, c.Failed = c.ID+"-failed", true
	return c
}

// The rows of nist-evidence.csv: with a check of each kind, the class shows in the reason.
func TestProofClasses(t *testing.T) {
	t.Parallel()
	rows := `
passport - - none
passport FRA machine_readable STRONG
passport FRA biometric_chip SUPERIOR
passport_card IRL - none
passport_card USA - STRONG
id_card USA biometric_chip none
id_card DEU machine_readable STRONG
id_card DEU biometric_chip STRONG
driving_permit GBR - none
driving_permit AUS photocard none
driving_permit USA photocard STRONG
driving_permit GBR photocard STRONG
driving_permit FRA photocard STRONG
residence_permit GBR - none
residence_permit GBR biometric_chip STRONG
military_id FRA - none
military_id USA - STRONG
military_id GBR - STRONG
veterans_card - - FAIR
bank_account - - FAIR
building_society_account - - FAIR
credit_union_account - - FAIR
current_account - - FAIR
credit_account - - FAIR
student_loan_account - - FAIR
mortgage_account - - FAIR
loan_account - - FAIR
utility_account - - none
bank_statement - - none
social_security_record - - none
`
	tested := map[string]bool{}
	for line := range strings.Lines(strings.TrimSpace(rows)) {
		w := strings.Fields(line)
		p := gradedPiece(w[0], w[1], w[2])
		tested[w[0]] = true
		p.Checks = []assurance.Check{
			check("chip", assurance.CryptographicInspection, "cryptographic"), check("token", assurance.IssuedToken, ""),
			check("attributes", assurance.RecordMatch, "core_attributes_validated"),
		}
		class := "none"
		if got := proof(t, p); got.Level > 0 {
			_, after, _ := strings.Cut(got.Because, " as ")
			class, _, _ = strings.Cut(after, ";")
		}
		if class != w[3] {
			t.Errorf("class of %s = %s, want %s", strings.Join(w[:3], " "), class, w[3])
		}
	}
	for _, row := range table(t, "nist-evidence") {
		if !tested[row[0]] {
			t.Errorf("the class of %s is not tested", row[0])
		}
	}
}

// The rows of nist-validation.csv.
func TestProofValidation(t *testing.T) {
	t.Parallel()
	byMethod := map[assurance.CheckMethod]string{
		"vpip": "physical", "vri": "visible original_document idvt_system", "vpiruv": "uv_ir original_document idvt_system",
		"vcrypt": "cryptographic", "vdig": "digital_genuine", "data": "authoritative_match",
	}
	for _, tt := range []struct {
		pieceType assurance.PieceType
		kind      string
		methods   string // that validate a piece of the type
	}{
		{assurance.Document, "veterans_card", "vpip vri vpiruv vcrypt vdig"},
		{assurance.ElectronicRecord, "current_account", "vcrypt vdig data"},
	} {
		for method, words := range byMethod {
			p := piece(tt.pieceType, tt.kind, check("v", method, words), check("token", assurance.IssuedToken, ""),
				check("attributes", assurance.RecordMatch, "core_attributes_validated"))
			if p.Validate() != nil {
				continue // a method for other pieces
			}
			want := assurance.IAL(0)
			if slices.Contains(strings.Fields(tt.methods), string(method)) {
				want = 1
			}
			if got := proof(t, p); got.Level != want {
				t.Errorf("%s validated by %s = %+v, want IAL%d", tt.kind, method, got, want)
			}
		}
	}
}
