package assurance_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
)

var today = time.Date(2026, 9, 14, 12, 0, 0, 0, time.UTC)

// facts are those of the words.
func facts(words string) []assurance.Fact {
	var list []assurance.Fact
	for f := range strings.FieldsSeq(words) {
		list = append(list, assurance.Fact(f))
	}
	return list
}

// check is one that was done half an hour ago, by somebody trained when the facts say so.
func check(id string, method assurance.CheckMethod, words string) assurance.Check {
	c := assurance.Check{ID: id, Method: method, At: today.Add(-30 * time.Minute), Organisation: "Example Trust ID Desk", Facts: facts(words)}
	if slices.Contains(c.Facts, "specialist_training") {
		c.TrainedBy = "National Document Fraud Unit"
	}
	return c
}

const (
	trained  = " specialist_training refreshed_yearly"
	original = " original_document" + trained
	compared = "adequate_light unaltered_photo masks_considered eyes_visible" + trained
	noFraud  = "authoritative_source identity_theft_check impersonation_risk_check mortality_check synthetic_identity_check"
)

// passport is a British one in date, with the checks.
func passport(checks ...assurance.Check) assurance.Piece {
	return assurance.Piece{
		ID: "passport", Type: assurance.Document, Kind: "passport", Subject: "sarah meredyth 1976-03-11", Number: "d1", Country: "GBR",
		Features: []assurance.Feature{assurance.BiometricChip}, IssuedOn: "2021-03-02", ExpiresOn: "2031-03-02", Checks: checks,
	}
}

// piece is one of the kind in date, of the same person, with the checks. A document has a number.
func piece(pieceType assurance.PieceType, kind string, checks ...assurance.Check) assurance.Piece {
	number := ""
	if pieceType == assurance.Document {
		number = "the " + kind
	}
	return assurance.Piece{
		ID: kind, Type: pieceType, Kind: kind, Subject: "sarah meredyth 1976-03-11", Number: number, IssuedOn: "2022-05-01", ExpiresOn: "2032-04-30", Checks: checks,
	}
}

// desk is the record of the example: a passport and a driving licence, shown at a desk.
func desk() []assurance.Piece {
	licence := piece(assurance.Document, "driving_permit",
		check("chk-dl-uv-03", assurance.PhysicalInspectionUV, "physical uv_ir"+original), check("chk-dl-data-04", assurance.RecordMatch, "authoritative_match"))
	licence.Country, licence.Jurisdiction, licence.Features = "GBR", "GB-GBN", []assurance.Feature{assurance.Photocard}
	return []assurance.Piece{
		passport(
			check("chk-pp-chip-01", assurance.CryptographicInspection, "cryptographic"),
			check("chk-pp-uv-02", assurance.PhysicalInspectionUV, "physical uv_ir"+original),
			check("chk-face-05", assurance.ComparisonInPerson, compared)),
		licence,
		piece(assurance.ElectronicRecord, "fraud_register", check("chk-fraud-06", assurance.RecordMatch, noFraud)),
	}
}

func TestRecordTravelsAsJSON(t *testing.T) {
	t.Parallel()
	record := desk()
	record[2].Checks[0].Activity = &assurance.Activity{Policy: assurance.PolicyPublished, Since: "2019-02-03"}
	record[1].Checks = append(record[1].Checks, check("kbv", assurance.KnowledgeQuestions, ""))
	record[1].Checks[2].Questions = []assurance.Question{{Quality: assurance.HighQuality, Dynamic: true, MultipleChoice: true}}
	text, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	var back []assurance.Piece
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(record, back); diff != "" {
		t.Errorf("the record changed on its way (-want +got):\n%s", diff)
	}
	for _, p := range back {
		if err := p.Validate(); err != nil {
			t.Errorf("Validate() = %v, want it valid", err)
		}
	}
}

func TestPieceValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(p *assurance.Piece)
		want   string // empty: it is valid
	}{
		{"as it is", func(*assurance.Piece) {}, ""},
		{"no id", func(p *assurance.Piece) { p.ID = "" }, "it has no id"},
		{"a long id", func(p *assurance.Piece) { p.ID = strings.Repeat("x", 201) }, "its id is longer than 200 characters"},
		{"an id of 200 characters", func(p *assurance.Piece) { p.ID = strings.Repeat("é", 200) }, ""},
		{"control characters", func(p *assurance.Piece) { p.Subject = "a\x00b" }, "its subject is not plain text"},
		{"text that turns round", func(p *assurance.Piece) { p.Subject = "a\u202eb" }, "its subject is not plain text"},
		{"a character that stands for a broken one", func(p *assurance.Piece) { p.Subject = "a\ufffdb" }, "its subject is not plain text"},
		{"broken UTF-8", func(p *assurance.Piece) { p.Number = "\xff" }, "its number is not plain text"},
		{"an unknown type", func(p *assurance.Piece) { p.Type = "electronic_signature" }, `the type "electronic_signature" is unknown: want one of document, electronic_record, vouch`},
		{"no type", func(p *assurance.Piece) { p.Type, p.Kind = "", "" }, "it has no type: want one of document, electronic_record, vouch"},
		{"no kind", func(p *assurance.Piece) { p.Kind, p.Checks = "", nil }, "it has no kind: want one of passport, id_card, "},
		{"a type that is long", func(p *assurance.Piece) { p.Type = assurance.PieceType(strings.Repeat("t", 9999)) }, `the type "` + strings.Repeat("t", 60) + `..." is unknown`},
		{"a kind as long as can be", func(p *assurance.Piece) { p.Kind = strings.Repeat("k", 200) }, `no "` + strings.Repeat("k", 60) + `..." is known of type "document"`},
		{"an unknown kind", func(p *assurance.Piece) { p.Kind = "library_card" }, `no "library_card" is known of type "document": want one of passport, id_card, passport_card, driving_permit, `},
		{"a kind of another type", func(p *assurance.Piece) { p.Kind = "voter_register" }, `no "voter_register" is known of type "document": it is of type electronic_record`},
		{"no subject", func(p *assurance.Piece) { p.Subject = "" }, "it has no subject"},
		{"a country in words", func(p *assurance.Piece) { p.Country = "UK" }, `country "UK" is not three capital letters`},
		{"a jurisdiction in words", func(p *assurance.Piece) { p.Jurisdiction = "Wales" }, `jurisdiction "Wales" is not a code`},
		{"a jurisdiction of one letter", func(p *assurance.Piece) { p.Jurisdiction = "W" }, `jurisdiction "W" is not a code`},
		{"a jurisdiction of another country", func(p *assurance.Piece) { p.Country, p.Jurisdiction = "FRA", "GB-NIR" }, `jurisdiction "GB-NIR" is not one of country "FRA"`},
		{"a jurisdiction of no country", func(p *assurance.Piece) { p.Jurisdiction = "QQ-NIR" }, `jurisdiction "QQ-NIR" is not one of country "GBR"`},
		{"a jurisdiction of the country", func(p *assurance.Piece) { p.Jurisdiction = "GB-NIR" }, ""},
		{"a jurisdiction of a country that no table names", func(p *assurance.Piece) { p.Country, p.Jurisdiction = "BRA", "BR-SP" }, ""},
		{"a jurisdiction, and no country", func(p *assurance.Piece) { p.Country, p.Jurisdiction = "", "GB-NIR" }, ""},
		{"a date that is none", func(p *assurance.Piece) { p.IssuedOn = "2021-02-30" }, `issued_on: "2021-02-30" is not a date of the form 2026-03-04`},
		{"a date of antiquity", func(p *assurance.Piece) { p.IssuedOn = "0021-02-03" }, "issued_on: "},
		{"a date with time", func(p *assurance.Piece) { p.ExpiresOn = "2031-03-02T00:00:00Z" }, "expires_on: "},
		{"expires before it was issued", func(p *assurance.Piece) { p.ExpiresOn = "2021-03-02" }, "it expires on 2021-03-02, not after it was issued on 2021-03-02"},
		{"expires too long after it was issued", func(p *assurance.Piece) { p.ExpiresOn = "2032-03-03" }, "it expires on 2032-03-03, more than 11 years after it was issued on 2021-03-02"},
		{"expires as late as may be", func(p *assurance.Piece) { p.ExpiresOn = "2032-03-02" }, ""},
		{"expires too long after it was checked", func(p *assurance.Piece) { p.IssuedOn, p.ExpiresOn = "", "2037-09-15" }, "it was done on 2026-09-14, more than 11 years before passport expires on 2037-09-15"},
		{"expires as late as may be after it was checked", func(p *assurance.Piece) { p.IssuedOn, p.ExpiresOn = "", "2037-09-14" }, ""},
		{"an identity card for life", func(p *assurance.Piece) { p.Kind, p.Country, p.ExpiresOn = "id_card", "ESP", "9999-01-01" }, ""},
		{"checked too long after it expired", func(p *assurance.Piece) { p.ExpiresOn = "2025-09-13" }, "it was done on 2026-09-14, more than 12 months after passport expired on 2025-09-13"},
		{"checked 12 months after it expired", func(p *assurance.Piece) { p.ExpiresOn = "2025-09-14" }, ""},
		{"found false long after it expired", func(p *assurance.Piece) { p.ExpiresOn, p.Checks[0].Failed = "2024-09-13", true }, ""},
		{"no number", func(p *assurance.Piece) { p.Number = "" }, "no such passport is put on record without its number"},
		{"no number, of a kind that need not have one", func(p *assurance.Piece) { p.Kind, p.Features, p.Number = "pass_card", nil, "" }, ""},
		{"no unique reference number", func(p *assurance.Piece) {
			p.Kind, p.Features, p.Number = "pass_card", []assurance.Feature{assurance.UniqueReferenceNumber}, ""
		}, "no such PASS card is put on record without its number"},
		{"a unique reference number", func(p *assurance.Piece) {
			p.Kind, p.Features = "pass_card", []assurance.Feature{assurance.UniqueReferenceNumber}
		}, ""},
		{"another kind's feature", func(p *assurance.Piece) { p.Features = []assurance.Feature{assurance.Photocard} }, `a passport has no feature "photocard": want one of machine_readable, biometric_chip`},
		{"a feature of a kind that has none", func(p *assurance.Piece) { p.Kind, p.Features = "tax_statement", []assurance.Feature{"\x1b[2J"} }, `a tax statement has no feature "\x1b[2J": want none`},
		{"a feature twice", func(p *assurance.Piece) { p.Features = []assurance.Feature{"biometric_chip", "biometric_chip"} }, "the feature biometric_chip is there twice"},
		{"both features of the kind", func(p *assurance.Piece) { p.Features = []assurance.Feature{"biometric_chip", "machine_readable"} }, ""},
		{"too many checks", func(p *assurance.Piece) { p.Checks = make([]assurance.Check, 51) }, "it has 51 checks: at most 50 are looked at"},
		{"a check twice", func(p *assurance.Piece) { p.Checks = append(p.Checks, p.Checks[0]) }, `check 2: there are two checks of the id "face"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := passport(check("face", assurance.ComparisonInPerson, compared))
			tt.change(&p)
			wantError(t, p.Validate(), tt.want)
		})
	}
}

func TestCheckValidate(t *testing.T) {
	t.Parallel()
	activity := func(policy assurance.ActivityPolicy, since string) func(c *assurance.Check) {
		return func(c *assurance.Check) {
			c.Method, c.Facts, c.TrainedBy = assurance.RecordMatch, nil, ""
			c.Activity = &assurance.Activity{Policy: policy, Since: since}
		}
	}
	questions := func(n int, quality assurance.Quality) func(c *assurance.Check) {
		return func(c *assurance.Check) {
			c.Method, c.Facts, c.TrainedBy = assurance.KnowledgeQuestions, nil, ""
			c.Questions = slices.Repeat([]assurance.Question{{Quality: quality}}, n)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(c *assurance.Check)
		want   string
	}{
		{"as it is", func(*assurance.Check) {}, ""},
		{"no id", func(c *assurance.Check) { c.ID = "" }, "it has no id"},
		{"an unknown method", func(c *assurance.Check) { c.Method = "pipp" }, `the method "pipp" is unknown: want one of vpip, vpiruv, vri, vdig, vcrypt, data, pvp, pvr, bvp, bvr, kbv, auth, token`},
		{"no time", func(c *assurance.Check) { c.At = time.Time{} }, "it does not say when it was done"},
		{"before the piece was issued", func(c *assurance.Check) { c.At = time.Date(2021, 3, 1, 23, 59, 0, 0, time.UTC) }, "it was done on 2021-03-01, before passport was issued on 2021-03-02"},
		{"on the day the piece was issued", func(c *assurance.Check) { c.At = time.Date(2021, 3, 2, 0, 0, 0, 0, time.UTC) }, ""},
		{"a fact that is none", func(c *assurance.Check) { c.Facts = facts("handsome") }, `the fact "handsome" is unknown: of pvp, want one of specialist_training, refreshed_three_yearly, refreshed_yearly, adequate_light, `},
		{"a fact of a method that establishes none", func(c *assurance.Check) { c.Method = assurance.KnowledgeQuestions }, "kbv cannot establish adequate_light: want none"},
		{"a fact that the method cannot yield", func(c *assurance.Check) { c.Facts = append(c.Facts, "uv_ir") }, "pvp cannot establish uv_ir: want one of specialist_training, "},
		{"a fact twice", func(c *assurance.Check) { c.Facts = append(c.Facts, "eyes_visible") }, "the fact eyes_visible is there twice"},
		{"a thousand facts", func(c *assurance.Check) { c.Facts = make([]assurance.Fact, 1000) }, "it has 1000 facts"},
		{"a long organisation", func(c *assurance.Check) { c.Organisation = strings.Repeat("x", 201) }, "its organisation is longer"},
		{"a checker on two lines", func(c *assurance.Check) { c.Checker = "a\nb" }, "its checker is not plain text"},
		{"trained by nobody", func(c *assurance.Check) { c.TrainedBy = "" }, "it is not said by which: set trained_by"},
		{"a trainer, and no training", func(c *assurance.Check) { c.Facts = facts("eyes_visible") }, "it says who trained the checker, and lacks the fact specialist_training"},
		{"an authoritative source that is not named", func(c *assurance.Check) {
			c.Method, c.Facts, c.TrainedBy, c.Organisation = assurance.RecordMatch, facts(noFraud), "", ""
		}, "set organisation"},
		{"questions of a comparison", func(c *assurance.Check) { c.Questions = make([]assurance.Question, 1) }, "pvp asks no questions"},
		{"fifty questions", questions(50, "low"), ""},
		{"too many questions", questions(51, "low"), "it has 51 questions: at most 50 are looked at"},
		{"a question of no quality", questions(1, ""), `the quality of a question is ""`},
		{"activity of a comparison", func(c *assurance.Check) { c.Activity = &assurance.Activity{} }, "pvp shows no activity"},
		{"activity", activity("none", "2026-09-14"), ""},
		{"activity of an unknown policy", activity("best", "2020-01-01"), `the activity policy "best" is unknown: want one of none, published, money_laundering_regulations, physical_or_biometric_official`},
		{"activity since nothing", activity("none", ""), "the activity does not say since when"},
		{"activity since no date", activity("none", "yesterday"), `activity since: "yesterday" is not a date`},
		{"activity of tomorrow", activity("none", "2026-09-15"), "the activity begins on 2026-09-15, after it was checked on 2026-09-14"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := check("face", assurance.ComparisonInPerson, compared)
			tt.change(&c)
			wantError(t, passport(c).Validate(), tt.want)
		})
	}
}

func TestCheckEmpty(t *testing.T) {
	t.Parallel()
	failed := check("c", assurance.CryptographicInspection, "")
	failed.Failed = true
	active := check("c", assurance.RecordMatch, "")
	active.Activity = &assurance.Activity{Policy: assurance.PolicyNone, Since: "2020-01-01"}
	asked := check("c", assurance.KnowledgeQuestions, "")
	asked.Questions = []assurance.Question{{Quality: assurance.LowQuality}}
	for _, tt := range []struct {
		name string
		c    assurance.Check
		want bool
	}{
		{"a chip, and nothing of it", check("c", assurance.CryptographicInspection, ""), true},
		{"a chip", check("c", assurance.CryptographicInspection, "cryptographic"), false},
		{"a chip that was false", failed, false},
		{"a record, and nothing of it", check("c", assurance.RecordMatch, ""), true},
		{"a record that shows activity", active, false},
		{"no questions", check("c", assurance.KnowledgeQuestions, ""), true},
		{"questions", asked, false},
		{"a code that came back", check("c", assurance.IssuedToken, ""), false},
		{"a login", check("c", assurance.ElectronicLogin, ""), false},
	} {
		if got := tt.c.Empty(); got != tt.want {
			t.Errorf("%s: Empty() = %t, want %t", tt.name, got, tt.want)
		}
	}
}

// The rows of methods.csv: which pieces a method is for.
func TestMethodsAndTypes(t *testing.T) {
	t.Parallel()
	for method, types := range map[assurance.CheckMethod]string{
		"vpip": "document vouch", "vpiruv": "document", "vri": "document vouch",
		"vdig": "document electronic_record vouch", "vcrypt": "document electronic_record vouch", "data": "document electronic_record vouch",
		"pvp": "document", "pvr": "document", "bvp": "document", "bvr": "document",
		"kbv": "document electronic_record", "auth": "document electronic_record", "token": "document electronic_record",
	} {
		for pieceType, kind := range map[assurance.PieceType]string{
			assurance.Document: "passport", assurance.ElectronicRecord: "current_account", assurance.Vouch: "written_attestation",
		} {
			want := fmt.Sprintf("%s is no check of type %s", method, pieceType)
			if strings.Contains(types, string(pieceType)) {
				want = ""
			}
			wantError(t, piece(pieceType, kind, check("c", method, "")).Validate(), want)
		}
	}
	for _, method := range []assurance.CheckMethod{"pvp", "pvr", "bvp", "bvr"} {
		wantError(t, piece(assurance.Document, "birth_certificate", check("c", method, "")).Validate(), string(method)+" compares a portrait, and birth_certificate carries none")
		wantError(t, piece(assurance.Document, "driving_permit", check("c", method, "")).Validate(), "")
	}
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("error = %v, want none", err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("error = %v, want one that says %q", err, want)
	}
}

// What a whole record cannot say.
func TestScoreRefusesContradictions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(r []assurance.Piece) []assurance.Piece
		want   string
	}{
		{"as it is", func(r []assurance.Piece) []assurance.Piece { return r }, ""},
		{"nothing", func([]assurance.Piece) []assurance.Piece { return nil }, ""},
		{"different people", func(r []assurance.Piece) []assurance.Piece {
			r[1].Subject = "somebody else"
			return r
		}, `pieces "passport" and "driving_permit" are about different people`},
		{"a piece twice", func(r []assurance.Piece) []assurance.Piece { return append(r, r[0]) }, `there are two pieces of id "passport"`},
		{"a check of two pieces", func(r []assurance.Piece) []assurance.Piece {
			r[1].Checks[0].ID = "chk-face-05"
			return r
		}, `pieces "passport" and "driving_permit" both have a check "chk-face-05"`},
		{"a check of tomorrow", func(r []assurance.Piece) []assurance.Piece {
			r[1].Checks[0].At = today.Add(time.Second)
			return r
		}, `check "chk-dl-uv-03" is of 2026-09-14T12:00:01Z, which is yet to come`},
		{"a check of now", func(r []assurance.Piece) []assurance.Piece {
			r[1].Checks[0].At = today
			return r
		}, ""},
		{"a piece of tomorrow", func(r []assurance.Piece) []assurance.Piece {
			r[1].IssuedOn, r[1].Checks = "2026-09-15", nil
			return r
		}, `piece "driving_permit" is issued on 2026-09-15, which is yet to come`},
		{"a piece that is not valid", func(r []assurance.Piece) []assurance.Piece {
			r[1].Kind = "licence"
			return r
		}, `piece "driving_permit": no "licence" is known`},
		{"one document with two dates", func(r []assurance.Piece) []assurance.Piece {
			again := passport()
			again.ID, again.ExpiresOn = "again", "2031-03-03"
			return append(r, again)
		}, `pieces "passport" and "again" are the same passport, and their expires_on differs: 2031-03-02, 2031-03-03`},
		{"too many pieces", func([]assurance.Piece) []assurance.Piece { return make([]assurance.Piece, 101) }, "the record has 101 pieces: at most 100 are looked at"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			record := tt.change(desk())
			_, err := assurance.Score(record, today)
			wantError(t, err, tt.want)
			_, err = assurance.Proof(record, today)
			wantError(t, err, tt.want)
		})
	}
}

// Whatever is put on record, it is refused in words or scored within the ranges.
func FuzzRecord(f *testing.F) {
	for _, record := range [][]assurance.Piece{nil, desk(), randomRecord(rand.New(rand.NewPCG(1, 2)))} {
		text, err := json.Marshal(record)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	policy, err := assurance.NewPolicy()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var record []assurance.Piece
		if json.Unmarshal(text, &record) != nil {
			return
		}
		s, err := assurance.Score(record, today)
		if _, also := assurance.Proof(record, today); (err == nil) != (also == nil) {
			t.Fatalf("Score = %v, Proof = %v, want both to refuse a record or neither", err, also)
		}
		if err != nil {
			return
		}
		if len(s.Pieces) != len(s.Scores.Evidence) || len(s.Reasons) != 2*len(s.Pieces)+3 {
			t.Errorf("Score = %+v, want a piece for each evidence and a reason for each score", s)
		}
		if _, err := policy.Evaluate(s.Scores); err != nil {
			t.Errorf("Evaluate(%+v) = %v, want scores in range", s.Scores, err)
		}
	})
}
