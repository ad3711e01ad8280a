package assurance_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
)

// advise is what somebody with the record is told of a level, and the level that she has.
func advise(t *testing.T, level assurance.IdentityLevel, record []assurance.Piece) ([][]string, assurance.IdentityLevel) {
	t.Helper()
	result := evaluate(t, policy(t), score(t, record...).Scores)
	ways, err := assurance.Advise(result.Next, level, record, nil)
	if err != nil {
		t.Fatalf("Advise(%s) = %v, want ways", level, err)
	}
	return ways, result.Level
}

// Each of these is followed too: the first way leads to the level.
func TestAdvise(t *testing.T) {
	t.Parallel()
	const (
		inspected = "physical visible uv_ir" + original
		medium    = "specialist_training refreshed_three_yearly adequate_light unaltered_photo"
		chip      = "Bring your passport again: the desk has to read its chip."
		bank      = "The desk has to ask an organisation that ought to know you, such as your bank, whether it does. You bring nothing for that."
	)
	face := func(facts string) assurance.Check { return check("face", assurance.ComparisonInPerson, facts) }
	uv := func(facts string) assurance.Check { return check("uv", assurance.PhysicalInspectionUV, facts) }
	vcrypt := check("chip", assurance.CryptographicInspection, "cryptographic")
	data := check("data", assurance.RecordMatch, "authoritative_match not_cancelled")
	fraud := func(facts string) assurance.Piece {
		return piece(assurance.ElectronicRecord, "fraud_register", check("fraud", assurance.RecordMatch, facts))
	}
	certificate := piece(assurance.Document, "birth_certificate", check("paper", assurance.PhysicalInspectionUV, inspected))
	certificate.ExpiresOn = ""
	licence := desk()[1]
	with := func(p assurance.Piece, change func(*assurance.Piece)) assurance.Piece {
		change(&p)
		return p
	}
	for _, tt := range []struct {
		name   string
		record []assurance.Piece
		level  assurance.IdentityLevel
		want   []string // ways; what each takes is separated by " | "
		then   []assurance.Piece
	}{
		{
			"only the chip was not read",
			[]assurance.Piece{passport(uv(inspected), face(compared)), fraud(noFraud)},
			assurance.IdentityHigh,
			[]string{chip},
			[]assurance.Piece{passport(uv(inspected), face(compared), vcrypt), fraud(noFraud)},
		},
		{
			"only one fact is missing for the highest level",
			[]assurance.Piece{passport(uv(inspected), face(compared), vcrypt), fraud(noFraud)},
			assurance.IdentityVeryHigh,
			[]string{
				"Bring your passport again: the desk has to see that it was not cancelled, lost or stolen.",
			},
			[]assurance.Piece{passport(uv(inspected), face(compared), vcrypt, data), fraud(noFraud)},
		},
		{
			"only an organisation that knows her is missing",
			[]assurance.Piece{passport(face(compared), vcrypt), with(licence, func(p *assurance.Piece) {
				p.Checks = []assurance.Check{check("licence", assurance.PhysicalInspectionUV, inspected), check("dvla", assurance.RecordMatch, "authoritative_match")}
			}), fraud(noFraud)},
			assurance.IdentityVeryHigh,
			[]string{bank},
			[]assurance.Piece{passport(face(compared), vcrypt), with(licence, func(p *assurance.Piece) {
				p.Checks = []assurance.Check{check("licence", assurance.PhysicalInspectionUV, inspected), check("dvla", assurance.RecordMatch, "authoritative_match")}
			}), fraud(noFraud + " known_to_organisation")},
		},
		{
			"one fact is missing of the comparison",
			[]assurance.Piece{passport(vcrypt, face(strings.Replace(compared, "masks_considered ", "", 1))), fraud(noFraud)},
			assurance.IdentityHigh,
			[]string{"Have your face compared with the photo of your passport again: it is not on record that masks and make-up and prosthetics would have been spotted."},
			[]assurance.Piece{passport(vcrypt, face(compared)), fraud(noFraud)},
		},
		{
			"the comparison was by somebody without training",
			[]assurance.Piece{passport(vcrypt, face("adequate_light unaltered_photo")), fraud(noFraud)},
			assurance.IdentityMedium,
			[]string{"Have your face compared with the photo of your passport again: it is not on record that the checker was trained by a specialist body and that the training is refreshed at least every three years."},
			[]assurance.Piece{passport(vcrypt, face(medium)), fraud(noFraud)},
		},
		{
			"nothing was compared",
			[]assurance.Piece{passport(vcrypt), fraud(noFraud)},
			assurance.IdentityHigh,
			[]string{"Have your face compared with the photo of your passport, by somebody at the desk who was trained for it in the last year."},
			[]assurance.Piece{passport(vcrypt, face(compared)), fraud(noFraud)},
		},
		{
			"the comparison waits for the chip",
			[]assurance.Piece{passport(face(compared)), fraud(noFraud)},
			assurance.IdentityHigh,
			[]string{chip},
			[]assurance.Piece{passport(face(compared), vcrypt), fraud(noFraud)},
		},
		{
			"what was found does not count without training",
			[]assurance.Piece{passport(uv("physical visible uv_ir original_document"), vcrypt, data, face(compared)), fraud(noFraud)},
			assurance.IdentityVeryHigh,
			[]string{
				"Bring your passport again: the desk has to examine its visible security features and examine it under ultraviolet or infrared light, " +
					"and put on record that the checker was trained by a specialist body and that the training is refreshed at least every three years.",
			},
			[]assurance.Piece{passport(uv(inspected), vcrypt, data, face(compared)), fraud(noFraud)},
		},
		{
			"a chip that is not there is not read",
			[]assurance.Piece{with(passport(uv("physical uv_ir"+original), face(compared)), func(p *assurance.Piece) {
				p.Features = []assurance.Feature{assurance.MachineReadable}
			}), fraud(noFraud)},
			assurance.IdentityMedium,
			[]string{
				"Bring your passport again: the desk has to compare its details with an official source and examine its visible security features.",
				"Bring another proof of who you are, such as a photocard driving licence, a birth certificate or a rental agreement: the desk has to see that it is genuine.",
			},
			[]assurance.Piece{with(passport(uv(inspected), data, face(compared)), func(p *assurance.Piece) {
				p.Features = []assurance.Feature{assurance.MachineReadable}
			}), fraud(noFraud)},
		},
		{
			"the licence has expired",
			[]assurance.Piece{with(licence, func(p *assurance.Piece) { p.ExpiresOn = "2026-06-30" }), fraud(noFraud)},
			assurance.IdentityMedium,
			[]string{
				"Bring a driving licence that has not expired: the desk has to compare its details with an official source, and examine its security features, also under ultraviolet light. | " +
					"Have your face compared with the photo of the document that you bring, by somebody at the desk who was trained for it in the last year.",
				"Bring another proof of who you are, such as a passport with a chip, a biometric residence permit or an identity card with a chip from the EU or EEA: the desk has to see that it is genuine. | " +
					"Have your face compared with the photo of the document that you bring, by somebody at the desk who was trained for it in the last three years.",
			},
			[]assurance.Piece{with(licence, func(p *assurance.Piece) {
				p.Checks = []assurance.Check{check("licence", assurance.PhysicalInspectionUV, inspected), check("dvla", assurance.RecordMatch, "authoritative_match"), face(compared)}
			})},
		},
		{
			"the licence has expired since it was first checked",
			[]assurance.Piece{with(licence, func(p *assurance.Piece) {
				before, after := uv(inspected), data
				before.At = today.AddDate(0, -4, 0)
				p.ExpiresOn, p.Checks = "2026-06-30", []assurance.Check{before, after}
			}), fraud(noFraud)},
			assurance.IdentityLow,
			[]string{"Have your face compared with the photo of a document that you bring, such as a passport, or answer questions to which only you know the answers."},
			nil,
		},
		{
			"the passport was found forged",
			[]assurance.Piece{with(passport(vcrypt), func(p *assurance.Piece) { p.Checks[0].Failed = true }), fraud(noFraud)},
			assurance.IdentityHigh, nil, nil,
		},
		{
			"the day of its expiry is not on record",
			[]assurance.Piece{with(passport(vcrypt, face(compared)), func(p *assurance.Piece) { p.ExpiresOn = "" }), fraud(noFraud)},
			assurance.IdentityHigh,
			[]string{"Bring your passport again: the desk has to put its date of expiry on record."},
			[]assurance.Piece{passport(vcrypt, face(compared)), fraud(noFraud)},
		},
		{
			"there is nothing", nil, assurance.IdentityMedium,
			[]string{
				"Bring a proof of who you are, such as a passport or a photocard driving licence: the desk has to compare its details with an official source, and examine its security features, also under ultraviolet light. | " +
					"Have your face compared with the photo of the document that you bring, by somebody at the desk who was trained for it in the last year.",
			},
			[]assurance.Piece{with(licence, func(p *assurance.Piece) {
				p.Checks = []assurance.Check{check("licence", assurance.PhysicalInspectionUV, inspected), check("dvla", assurance.RecordMatch, "authoritative_match"), face(compared)}
			})},
		},
		{
			"her documents have no photo",
			[]assurance.Piece{certificate, fraud(noFraud)},
			assurance.IdentityLow,
			[]string{"Have your face compared with the photo of a document that you bring, such as a passport, or answer questions to which only you know the answers."},
			[]assurance.Piece{certificate, fraud(noFraud), passport(vcrypt, face(compared))},
		},
		{
			"a check against fraud found something, which is not said",
			[]assurance.Piece{passport(vcrypt, face(compared)), with(fraud(noFraud), func(p *assurance.Piece) { p.Checks[0].Failed = true })},
			assurance.IdentityHigh,
			[]string{
				"The desk has to check your details against records of fraud. You bring nothing for that.",
				"Have your face compared with the photo of your passport, by a camera at the desk, with somebody there who supervises it.",
			},
			[]assurance.Piece{passport(vcrypt, face(compared)), fraud(noFraud)},
		},
		{
			"a level that is reached", []assurance.Piece{passport(vcrypt, face(compared)), fraud(noFraud)}, assurance.IdentityHigh, nil, []assurance.Piece{passport(vcrypt, face(compared)), fraud(noFraud)},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ways, _ := advise(t, tt.level, tt.record)
			var got []string
			for _, way := range ways {
				got = append(got, strings.Join(way, " | "))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Advise(%s) (-want +got):\n%s", tt.level, diff)
			}
			if tt.then == nil {
				return
			}
			if _, reached := advise(t, tt.level, tt.then); tt.level.AtMost(reached) != tt.level {
				t.Errorf("whoever does that has level %s, want %s", reached, tt.level)
			}
		})
	}
}

// Two of a kind are told apart by their expiry.
func TestAdviseNamesWhichOfTwo(t *testing.T) {
	t.Parallel()
	first := passport(check("chip", assurance.CryptographicInspection, "cryptographic"), check("face", assurance.ComparisonInPerson, compared))
	second := passport()
	second.ID, second.Number, second.ExpiresOn = "second", "d2", "2030-01-02"
	record := []assurance.Piece{first, second, desk()[2]}
	record[0].Checks = record[0].Checks[:1]
	ways, _ := advise(t, assurance.IdentityHigh, record)
	if want := "the photo of your passport that expires on 2 March 2031"; len(ways) != 1 || !strings.Contains(ways[0][0], want) {
		t.Errorf("Advise() = %q, want %s", ways, want)
	}
}

// Whatever is on record, no way speaks of scores, and no record makes it fail.
func TestAdviseSpeaksOfNoScores(t *testing.T) {
	t.Parallel()
	r := random(t)
	technical := regexp.MustCompile(`(?i)score|validity|strength|\bactivity\b|profile|%|_|\bchk|  |\.\.|such as:|to \.|GPG`)
	told := 0
	for range 400 {
		record := randomRecord(r)
		s, err := assurance.Score(record, today)
		if err != nil {
			continue
		}
		result := evaluate(t, policy(t), s.Scores)
		for _, level := range assurance.IdentityLevels() {
			ways, err := assurance.Advise(result.Next, level, record, nil)
			if err != nil {
				t.Fatalf("Advise(%s) of %+v = %v, want no error", level, record, err)
			}
			for _, sentence := range slices.Concat(ways...) {
				told++
				if technical.MatchString(sentence) || !strings.HasSuffix(sentence, ".") {
					t.Errorf("Advise(%s) says %q", level, sentence)
				}
			}
		}
	}
	if told == 0 {
		t.Error("nothing was ever said")
	}
}

func TestAdviseRefusesWhatCannotBeScored(t *testing.T) {
	t.Parallel()
	if ways, err := assurance.Advise(nil, assurance.IdentityHigh, []assurance.Piece{{}}, nil); err == nil {
		t.Errorf("Advise(a piece of nothing) = %q, want an error", ways)
	}
}

// What the table says of kinds and facts is so by the tables that decide.
func TestPlainWordsAgreeWithTheTables(t *testing.T) {
	t.Parallel()
	read := func(name string) [][]string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var rows [][]string
		for line := range strings.Lines(string(text)) {
			if !strings.HasPrefix(line, "#") && strings.TrimSpace(line) != "" {
				rows = append(rows, strings.SplitN(strings.TrimSpace(line), ",", 4))
			}
		}
		return rows[1:]
	}
	strongest, kinds := map[string]string{}, map[string]bool{}
	for _, row := range read("tables/strength.csv") {
		strongest[row[0]] = max(strongest[row[0]], row[3])
	}
	for _, row := range read("tables/kinds.csv") {
		kinds[row[1]] = true
	}
	said := map[string]bool{}
	for _, row := range read("plain-words.csv") {
		about, score, name, words := row[0], row[1], row[2], row[3]
		key := strings.Join(row[:3], ",")
		if said[key] || words == "" {
			t.Errorf("the row %q stands twice, or says nothing", key)
		}
		said[key] = true
		if about == "bring" && strongest[name] < score || (about == "bring" || about == "kind") && !kinds[name] {
			t.Errorf("the row %q is of no kind that is so strong", row)
		}
	}
	for _, row := range read("tables/validity.csv") {
		for fact := range strings.FieldsSeq(row[1]) {
			if !said["fact,,"+fact] {
				t.Errorf("nothing is said of the fact %q", fact)
			}
		}
	}
	for _, q := range guide() {
		for _, e := range q.least.Evidence {
			chip := map[bool]string{true: "chip"}[e.Strength == 4]
			if v := string(rune('0' + e.Validity)); !said["new,"+v+","] && !said["new,"+v+","+chip] {
				t.Errorf("nothing is said of a new piece with a validity of %d", e.Validity)
			}
		}
	}
	for about, most := range map[string]int{"fraud": 3, "face": 4} {
		for score := range most {
			if key := about + "," + string(rune('1'+score)) + ","; !said[key] {
				t.Errorf("nothing is said of %s", key)
			}
		}
	}
}
