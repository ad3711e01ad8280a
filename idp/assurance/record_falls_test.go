package assurance_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
)

// Strengthening any fact never lowers a score, an IAL or a level; and so taking one away never raises any. What speaks against
// a piece does: a check that failed; a date of expiry that was not on record, and had passed when the piece was checked; and,
// of a passport that was checked after it expired, a document that was in force then (trust framework 1.0, Section 5.2).
func TestRecordNeverFalls(t *testing.T) {
	t.Parallel()
	policy, err := assurance.NewPolicy()
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(4, 63))
	changed, expired := 0, 0
	for range 1000 {
		record := randomRecord(random)
		before, err := outcomeOf(policy, record)
		if err != nil {
			continue // two dates of one document
		}
		for range 5 {
			what, stronger := strengthen(random, record)
			after, err := outcomeOf(policy, stronger)
			if err != nil {
				continue // it has come to contradict itself
			}
			if less := before.above(after); less != "" && !endsGrace(what, record, stronger) {
				text, _ := json.MarshalIndent(map[string]any{"before": record, "after": stronger}, "", " ")
				t.Fatalf("%s lowers %s:\n%s", what, less, text)
			}
			if !cmp.Equal(before, after) {
				changed++
				if len(expiredOn(stronger)) > 0 {
					expired++
				}
			}
			record, before = stronger, after
		}
	}
	if changed < 300 || expired < 100 {
		t.Errorf("%d changes mattered, %d of them with checks of what had expired, want many more: the records are too dull", changed, expired)
	}
}

// expiredOn lists the days on which documents of the record were checked that had expired.
func expiredOn(record []assurance.Piece) (days []string) {
	for _, p := range record {
		for _, same := range record { // another piece of it may say when it expired
			for _, c := range p.Checks {
				day := c.At.Format(time.DateOnly)
				if p.Kind == same.Kind && p.Number == same.Number && same.ExpiresOn != "" && same.ExpiresOn < day {
					days = append(days, day)
				}
			}
		}
	}
	return days
}

// endsGrace says whether a document may be known now that was in force when an expired passport of the record was checked.
func endsGrace(what string, record, stronger []assurance.Piece) bool {
	passports := slices.DeleteFunc(slices.Clone(record), func(p assurance.Piece) bool { return p.Kind != "passport" })
	return (what == "a piece more" || what == "a check that did not fail") && slices.ContainsFunc(expiredOn(passports), func(day string) bool {
		return slices.ContainsFunc(stronger, func(p assurance.Piece) bool {
			return p.Type == assurance.Document && p.IssuedOn <= day && day <= p.ExpiresOn
		})
	})
}

// outcome is what a record comes to.
type outcome struct {
	Strength, Validity            map[string]int
	Activity, Fraud, Verification int
	IAL                           assurance.IAL
	Level                         int
}

// outcomeOf judges a record as of the last thing in it, as rooms that keep records do.
func outcomeOf(policy *assurance.Policy, record []assurance.Piece) (outcome, error) {
	var at time.Time
	for _, p := range record {
		if issued, err := time.Parse(time.DateOnly, p.IssuedOn); err == nil && issued.After(at) {
			at = issued
		}
		for _, c := range p.Checks {
			if c.At.After(at) {
				at = c.At
			}
		}
	}
	s, err := assurance.Score(record, at)
	if err != nil {
		return outcome{}, err
	}
	p, err := assurance.Proof(record, at)
	if err != nil {
		return outcome{}, err
	}
	r, err := policy.Evaluate(s.Scores)
	if err != nil {
		return outcome{}, err
	}
	o := outcome{map[string]int{}, map[string]int{}, s.Scores.Activity, s.Scores.Fraud, s.Scores.Verification, p.Level, slices.Index(assurance.IdentityLevels(), r.Level)}
	for i, id := range s.Pieces {
		o.Strength[id], o.Validity[id] = s.Scores.Evidence[i].Strength, s.Scores.Evidence[i].Validity
	}
	return o, nil
}

// above names something that is higher than in the other.
func (o outcome) above(other outcome) string {
	for id := range o.Strength {
		if o.Strength[id] > other.Strength[id] || o.Validity[id] > other.Validity[id] {
			return "the evidence " + id
		}
	}
	for name, scores := range map[string][2]int{
		"activity": {o.Activity, other.Activity}, "fraud": {o.Fraud, other.Fraud}, "verification": {o.Verification, other.Verification},
		"IAL": {int(o.IAL), int(other.IAL)}, "level": {o.Level, other.Level},
	} {
		if scores[0] > scores[1] {
			return name
		}
	}
	return ""
}

const (
	inspection = " original_document idvt_system specialist_training refreshed_three_yearly refreshed_yearly"
	comparison = "specialist_training refreshed_three_yearly refreshed_yearly adequate_light unaltered_photo masks_considered eyes_visible"
	biometric  = "one_to_one template_untampered tamper_protected replay_excluded basic_liveness enhanced_liveness resists_simple_artefacts " +
		"resists_costly_artefacts resists_sophisticated_artefacts benchmarked_algorithm suited_capture appropriate_error_rates error_handling"
)

// methodFacts are those that each method can establish.
var methodFacts = map[assurance.CheckMethod][]assurance.Fact{
	"vpip":   facts("physical visible" + inspection),
	"vpiruv": facts("physical visible uv_ir" + inspection),
	"vri":    facts("visible" + inspection),
	"vdig":   facts("digital_genuine"),
	"vcrypt": facts("cryptographic"),
	"data":   facts("authoritative_match not_cancelled core_attributes_validated independent_source known_to_organisation " + noFraud),
	"pvp":    facts(comparison + " biometric_sample_retained"),
	"pvr":    facts(comparison + " live_capture replay_excluded tamper_protected clear_image"),
	"bvp":    facts(biometric + trained + " refreshed_three_yearly controlled_capture supervised biometric_sample_retained"),
	"bvr":    facts(biometric),
	"kbv":    nil, "auth": nil, "token": nil,
}

// The facts of each method are those of the tables, and no others.
func TestMethodsAndFacts(t *testing.T) {
	t.Parallel()
	var all []assurance.Fact
	for _, list := range methodFacts {
		all = append(all, list...)
	}
	for method, list := range methodFacts {
		for _, f := range all {
			c := check("c", method, string(f))
			want := ""
			if !slices.Contains(list, f) {
				want = fmt.Sprintf("%s cannot establish %s", method, f)
			}
			wantError(t, piece(assurance.Document, "passport", c).Validate(), want)
		}
	}
}

func randomRecord(random *rand.Rand) []assurance.Piece {
	var record []assurance.Piece
	for i := range random.IntN(4) {
		record = append(record, randomPiece(random, fmt.Sprintf("p%d", i)))
	}
	return record
}

func randomPiece(random *rand.Rand, id string) assurance.Piece {
	kinds := []struct {
		pieceType assurance.PieceType
		kind      string
		features  []assurance.Feature
	}{
		{assurance.Document, "passport", []assurance.Feature{assurance.MachineReadable, assurance.BiometricChip}},
		{assurance.Document, "driving_permit", []assurance.Feature{assurance.Photocard}},
		{assurance.Document, "pass_card", []assurance.Feature{assurance.UniqueReferenceNumber}},
		{assurance.Document, "veterans_card", nil},
		{assurance.ElectronicRecord, "bank_account", []assurance.Feature{assurance.CurrentAccount}},
		{assurance.ElectronicRecord, "fraud_register", nil},
		{assurance.Vouch, "written_attestation", nil},
	}
	k := kinds[max(0, random.IntN(len(kinds)+2)-2)] // many passports
	p := piece(k.pieceType, k.kind)
	p.ID, p.Country = id, "GBR"
	for _, f := range k.features {
		if random.IntN(2) == 0 {
			p.Features = append(p.Features, f)
		}
	}
	given := p.Number
	p.Number = []string{"n1", "n2", ""}[random.IntN(3)]
	if p.Validate() != nil { // it has to have one
		p.Number = given
	}
	dates := [][2]string{{"2022-05-01", "2032-04-30"}, {"2026-09-01", "2036-08-31"}, {"", "2026-09-14"}, {"2017-05-01", "2026-06-01"}, {"", "2026-06-01"}, {"2022-05-01", ""}}
	if k.pieceType != assurance.Document {
		dates = dates[:5] // of what need not have a date of expiry, one that comes later speaks against it
	}
	chosen := dates[random.IntN(len(dates))]
	if p.IssuedOn, p.ExpiresOn = chosen[0], chosen[1]; k.kind == "veterans_card" {
		p.ExpiresOn = ""
	}
	for i := range random.IntN(4) {
		p.Checks = append(p.Checks, randomCheck(random, p, fmt.Sprintf("%s-c%d", id, i)))
		if random.IntN(3) > 0 { // all of it at once
			p.Checks[i].At = p.Checks[0].At
		}
	}
	return p
}

// randomCheck is one that the piece can have. Most find nearly all that there is to find, so that high scores are not rare.
func randomCheck(random *rand.Rand, p assurance.Piece, id string) assurance.Check {
	methods := append(slices.Sorted(maps.Keys(methodFacts)), "vcrypt", "vcrypt", "pvp", "pvp")
	for {
		c := check(id, methods[random.IntN(len(methods))], "")
		c.At = []time.Time{c.At, c.At.AddDate(0, -1, 0), c.At.AddDate(0, -4, 0)}[random.IntN(3)]
		probe := p
		probe.Checks = []assurance.Check{c}
		if probe.Validate() != nil {
			continue // a method for other pieces
		}
		c.Failed = random.IntN(12) == 0
		c.Organisation = []string{"One", "Two", " two "}[random.IntN(3)]
		for _, f := range methodFacts[c.Method] {
			if random.IntN(10) != 0 && !slices.Contains(c.Facts, f) {
				c.Facts = append(c.Facts, f)
			}
		}
		if slices.Contains(c.Facts, "specialist_training") {
			c.TrainedBy = "a specialist"
		}
		switch {
		case c.Method == assurance.KnowledgeQuestions:
			for range random.IntN(8) {
				c.Questions = append(c.Questions, assurance.Question{Quality: assurance.LowQuality, MultipleChoice: random.IntN(2) == 0})
			}
		case c.Method == assurance.RecordMatch && random.IntN(2) == 0:
			c.Activity = &assurance.Activity{Policy: assurance.PolicyNone, Since: []string{"2026-08-01", "2020-01-01"}[random.IntN(2)]}
		}
		return c
	}
}

// strengthen returns the record with one thing more in it, and says what.
func strengthen(random *rand.Rand, record []assurance.Piece) (string, []assurance.Piece) {
	var stronger []assurance.Piece
	text, _ := json.Marshal(record)
	_ = json.Unmarshal(text, &stronger) // a copy in all its depth
	if len(stronger) == 0 || random.IntN(4) == 0 {
		return "a piece more", append(stronger, randomPassed(random, fmt.Sprintf("more%d", random.Uint32())))
	}
	p := &stronger[random.IntN(len(stronger))]
	if len(p.Checks) == 0 || random.IntN(6) == 0 {
		p.Checks = append(p.Checks, passed(randomCheck(random, *p, fmt.Sprintf("more%d", random.Uint32()))))
		return "a check more", stronger
	}
	if random.IntN(6) == 0 {
		for _, f := range []assurance.Feature{
			assurance.BiometricChip, assurance.MachineReadable, assurance.Photocard, assurance.UniqueReferenceNumber, assurance.CurrentAccount,
		} {
			p.Features = append(p.Features, f)
			if p.Validate() == nil {
				return "the feature " + string(f), stronger
			}
			p.Features = p.Features[:len(p.Features)-1]
		}
	}
	c := &p.Checks[random.IntN(len(p.Checks))]
	switch {
	case c.Failed:
		c.Failed = false
		return "a check that did not fail", stronger
	case len(c.Questions) > 0:
		q := &c.Questions[random.IntN(len(c.Questions))]
		*q = assurance.Question{Quality: assurance.HighQuality, Dynamic: q.Dynamic || random.IntN(2) == 0}
		return "a better question", stronger
	case c.Activity != nil && random.IntN(3) == 0:
		c.Activity.Policy, c.Activity.Since = assurance.PolicyPhysicalMatch, "2019-01-01"
		return "longer activity", stronger
	}
	for _, f := range methodFacts[c.Method] {
		if !slices.Contains(c.Facts, f) {
			c.Facts = append(c.Facts, f)
			if f == "specialist_training" {
				c.TrainedBy = "a specialist"
			}
			return "the fact " + string(f), stronger
		}
	}
	return "nothing", stronger
}

func randomPassed(random *rand.Rand, id string) assurance.Piece {
	p := randomPiece(random, id)
	for i := range p.Checks {
		p.Checks[i] = passed(p.Checks[i])
	}
	return p
}

func passed(c assurance.Check) assurance.Check {
	c.Failed = false
	return c
}
