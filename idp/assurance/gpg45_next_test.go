package assurance_test

import (
	"fmt"
	"math/bits"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/assurance"
)

func TestNext(t *testing.T) {
	t.Parallel()
	p := policy(t)
	passport := assurance.Evidence{Kind: "passport", Strength: 4, Validity: 2}
	licence := assurance.Evidence{Kind: "driving_permit", Strength: 3, Validity: 2}
	for _, tt := range []struct {
		name string
		s    assurance.Scores
		want []string // how each way begins, and what it takes
	}{
		{"the chip was not read", assurance.Scores{Evidence: []assurance.Evidence{passport, licence}, Fraud: 1, Verification: 3}, []string{
			"high H1A: raise the validity of the passport from 2 to 3: read its chip and verify the signature, or",
			"high H2B: fraud score 2 (has 1): counter-fraud sources say",
			"very_high V1B: raise the validity of the passport from 2 to 4: read its chip and verify the signature, examine",
		}},
		{"the face was not compared", assurance.Scores{Evidence: []assurance.Evidence{{Strength: 4, Validity: 3}}, Fraud: 1}, []string{
			"low L1A: verification score 1 (has 0): questions",
			"medium M1A: verification score 2 (has 0): a comparison of the face",
			"high H1A: verification score 3 (has 0): a comparison of the face with the photo by a checker trained within the last year",
			"very_high V1B: raise the validity of piece 1 of the evidence from 3 to 4: read | verification score 3 (has 0): a comparison",
			"very_high V1C: activity score 1 (has 0): records | verification score 4 (has 0): a biometric comparison",
		}},
		{"another document helps", assurance.Scores{Evidence: []assurance.Evidence{licence}, Fraud: 1, Verification: 3}, []string{
			"medium M1C: raise the validity of the driving permit from 2 to 3: read",
			"medium M1D: activity score 2 (has 0): records",
			"medium M2C: another piece of evidence of strength 2 with validity 2, of a kind not used yet, such as a birth certificate or a rental agreement: compare",
			"high H2D: another piece of evidence of strength 3 with validity 3, of a kind not used yet, such as a passport, a photocard driving licence or a bank account: read",
			"very_high V1B: another piece of evidence of strength 4 with validity 4, of a kind not used yet, such as a passport with a chip",
		}},
		{"two documents of one kind", assurance.Scores{Evidence: []assurance.Evidence{{Kind: "passport", Strength: 3, Validity: 2}, passport}, Fraud: 1, Verification: 3}, []string{
			"high H1A: raise the validity of piece 2 of the evidence from 2 to 3: read",
			"high H2D: another piece of evidence of strength 3 with validity 3, of a kind not used yet",
			"very_high V1B: raise the validity of piece 2 of the evidence from 2 to 4: read",
		}},
		{"a stronger document, or one checked better", scores("", 0, 1, 3), []string{
			"low L1A: a piece of evidence of strength 2 with validity 2, such as a birth certificate",
			"medium M1A: a piece of evidence of strength 4 with validity 2, such as",
			"medium M1C: a piece of evidence of strength 3 with validity 3, such as",
			"high H1A: a piece of evidence of strength 4 with validity 3, such as",
			"very_high V1B: a piece of evidence of strength 4 with validity 4, such as",
		}},
		{"more of one check, or more of another", scores("1/1 + 1/1", 2, 0, 0), []string{
			"low L2A: fraud score 1 (has 0): a counter-fraud source | verification score 2 (has 0): a comparison",
			"low L2B: fraud score 2 (has 0): counter-fraud sources | verification score 1 (has 0): questions",
			"low L1B: another piece of evidence of strength 3 with validity 2, | verification score 1 (has 0)",
			"medium M1C: another piece of evidence of strength 3 with validity 3, | verification score 3 (has 0)",
			"high H1C: another piece of evidence of strength 4 with validity 3, | verification score 4 (has 0)",
			"very_high V1D: another piece of evidence of strength 4 with validity 4, | verification score 4 (has 0)",
		}},
		{"a disputed profile takes the same as one that is not", scores("4/3", 0, 3, 3), []string{
			"very_high V1B: raise the validity of the kind 0 from 3 to 4: read",
			"very_high V2B: another piece of evidence of strength 3 with validity 3, of a kind not used yet, such as",
		}},
		{"nothing is there", assurance.Scores{}, []string{
			"low L1B: a piece of evidence of strength 3 with validity 2, such as | verification score 1 (has 0)",
			"medium M1C: a piece of evidence of strength 3 with validity 3, such as | verification score 3 (has 0)",
			"high H1C: a piece of evidence of strength 4 with validity 3, such as | verification score 4 (has 0)",
			"very_high V1D: a piece of evidence of strength 4 with validity 4, such as | verification score 4 (has 0)",
		}},
		{"the highest level is reached", scores("4/4", 0, 1, 3), nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := evaluate(t, p, tt.s).Next
			if got == nil || len(got) != len(tt.want) {
				t.Fatalf("Next = %v, want %q", got, tt.want)
			}
			for i, want := range tt.want {
				line := fmt.Sprintf("%s %s: %s", got[i].Level, got[i].Profile, strings.Join(got[i].Missing, " | "))
				begins := strings.Split(want, " | ")
				same := len(got[i].Missing) == len(begins) && strings.HasPrefix(line, begins[0])
				for j := 1; same && j < len(begins); j++ {
					same = strings.HasPrefix(got[i].Missing[j], begins[j])
				}
				if !same {
					t.Errorf("Next[%d] = %s, want %s", i, line, want)
				}
			}
		})
	}
}

// Of a record, no way is told that nobody can go by the tables, though the guide has it, and the others are.
func TestNextOfARecord(t *testing.T) {
	t.Parallel()
	const another = "another piece of evidence of strength "
	p := policy(t)
	licence := desk()[1]
	licence.Checks = []assurance.Check{check("chip", assurance.CryptographicInspection, "cryptographic"), check("face", assurance.ComparisonInPerson, compared)}
	forged := passport(check("forged", assurance.CryptographicInspection, "cryptographic"))
	forged.Checks[0].Failed = true
	ways := func(next []assurance.Next) (names []string) {
		for _, n := range next {
			names = append(names, fmt.Sprintf("%s %s: %s", n.Level, n.Profile, regexp.MustCompile(`( score \d|, | from ).*`).ReplaceAllString(strings.Join(n.Missing, " | "), "")))
		}
		return names
	}
	for _, tt := range []struct {
		name              string
		record            []assurance.Piece
		byScores, ofTable []string // each way and how it begins
	}{
		{
			"activity of 2",
			[]assurance.Piece{licence, desk()[2]},
			[]string{"high H1B: activity", "high H2D: " + another + "3 with validity 2", "very_high V1B: " + another + "4 with validity 4"},
			[]string{"high H2D: " + another + "3 with validity 2", "very_high V1B: " + another + "4 with validity 4"},
		},
		{
			"a document that was found forged",
			[]assurance.Piece{forged, licence, desk()[2]},
			[]string{"high H1B: activity", "high H2D: raise the validity of the passport", "very_high V1B: raise the validity of the passport"},
			[]string{"high H2D: " + another + "3 with validity 2", "very_high V1B: " + another + "4 with validity 4"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := score(t, tt.record...).Scores
			if got := ways(evaluate(t, p, s).Next); !slices.Equal(got, tt.byScores) {
				t.Errorf("Evaluate().Next = %q, want %q", got, tt.byScores)
			}
			next, err := p.Next(s, tt.record)
			if got := ways(next); err != nil || !slices.Equal(got, tt.ofTable) {
				t.Errorf("Next() = %q, %v, want %q", got, err, tt.ofTable)
			}
		})
	}
	if next, err := p.Next(assurance.Scores{}, []assurance.Piece{{}}); err == nil {
		t.Errorf("Next(a piece of nothing) = %v, want an error", next)
	}
}

// apply does what a way says, by its words alone.
func apply(t *testing.T, s assurance.Scores, missing []string) assurance.Scores {
	t.Helper()
	s = clone(s)
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i, words := range missing {
		if m := regexp.MustCompile(`^(activity|fraud|verification) score (\d) \(has (\d)\): .`).FindStringSubmatch(words); m != nil {
			at := map[string]*int{"activity": &s.Activity, "fraud": &s.Fraud, "verification": &s.Verification}[m[1]]
			if *at != number(m[3]) {
				t.Fatalf("%+v: %q, which is not so", s, words)
			}
			*at = number(m[2])
		} else if m := regexp.MustCompile(`^raise the validity of (?:piece (\d) of the evidence|the (.*)) from (\d) to (\d): .`).FindStringSubmatch(words); m != nil {
			at := slices.IndexFunc(s.Evidence, func(e assurance.Evidence) bool { return m[2] != "" && strings.ReplaceAll(e.Kind, "_", " ") == m[2] })
			if m[1] != "" {
				at = number(m[1]) - 1
			}
			if s.Evidence[at].Validity != number(m[3]) {
				t.Fatalf("%+v: %q, which is not so", s, words)
			}
			s.Evidence[at].Validity = number(m[4])
		} else if m := regexp.MustCompile(`^(?:a|another) piece of evidence of strength (\d) with validity (\d), .`).FindStringSubmatch(words); m != nil {
			s.Evidence = append(s.Evidence, assurance.Evidence{Kind: fmt.Sprintf("new %d", i), Strength: number(m[1]), Validity: number(m[2])})
		} else {
			t.Fatalf("%q is nothing that can be done", words)
		}
	}
	return s
}

// fewest is the least number of things that lead to a level, found by trying: every score at its highest is one thing, as is
// the validity of every piece, and another piece.
func fewest(t *testing.T, table []row, s assurance.Scores, level assurance.IdentityLevel) int {
	t.Helper()
	const newPieces = 3
	least := 100
	for set := range uint(1 << (3 + len(s.Evidence) + newPieces)) {
		if bits.OnesCount(set) >= least {
			continue
		}
		done := clone(s)
		for i := range done.Evidence {
			if set>>(3+newPieces+i)&1 == 1 {
				done.Evidence[i].Validity = 4
			}
		}
		for i := range newPieces {
			if set>>(3+i)&1 == 1 {
				done.Evidence = append(done.Evidence, assurance.Evidence{Strength: 4, Validity: 4})
			}
		}
		if set&1 != 0 {
			done.Activity = 4
		}
		if set&2 != 0 {
			done.Fraud = 3
		}
		if set&4 != 0 {
			done.Verification = 4
		}
		for _, q := range table {
			if q.level == level && done.Activity >= q.least.Activity && done.Fraud >= q.least.Fraud && done.Verification >= q.least.Verification &&
				met(q.least.Evidence, done.Evidence) {
				least = bits.OnesCount(set)
				break
			}
		}
	}
	return least
}

// Whoever does what a way says has its profile, and nothing shorter leads to its level.
func TestNextLeadsThereAndNothingShorterDoes(t *testing.T) {
	t.Parallel()
	p, r, table := policy(t), random(t), guide()
	for range 200 {
		s := sample(r)
		s.Evidence = s.Evidence[:min(4, len(s.Evidence))]
		got := evaluate(t, p, s)
		ways := map[assurance.IdentityLevel]int{}
		for i, n := range got.Next {
			ways[n.Level]++
			if i > 0 && slices.Index(assurance.IdentityLevels(), n.Level) < slices.Index(assurance.IdentityLevels(), got.Next[i-1].Level) {
				t.Fatalf("Evaluate(%+v).Next = %v, want the lowest level first", s, got.Next)
			}
			if done := apply(t, s, n.Missing); !slices.Contains(evaluate(t, p, done).Profiles, n.Profile) {
				t.Fatalf("Evaluate(%+v).Next has %s by %q, which gives %+v and not the profile", s, n.Profile, n.Missing, done)
			}
			if ways[n.Level] == 1 {
				if want := fewest(t, table, s, n.Level); len(n.Missing) != want {
					t.Fatalf("Evaluate(%+v).Next has %s by %q, want %d things", s, n.Level, n.Missing, want)
				}
			} else if len(n.Missing) != len(got.Next[i-1].Missing) {
				t.Fatalf("Evaluate(%+v).Next = %v, want ways of one length to a level", s, got.Next)
			}
		}
		for i, level := range assurance.IdentityLevels() {
			above := i > slices.Index(assurance.IdentityLevels(), got.Level)
			if n := ways[level]; above != (n > 0) || n > 3 {
				t.Fatalf("Evaluate(%+v) = %s with %d ways to %s, want some to what is above, and at most 3", s, got.Level, n, level)
			}
		}
	}
}
