package assurance_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
)

func policy(tb testing.TB) *assurance.Policy {
	tb.Helper()
	p, err := assurance.NewPolicy()
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func evaluate(tb testing.TB, p *assurance.Policy, s assurance.Scores) assurance.Result {
	tb.Helper()
	r, err := p.Evaluate(s)
	if err != nil {
		tb.Fatalf("Evaluate(%+v) = %v, want a result", s, err)
	}
	return r
}

// scores reads what the guide's table writes as 4/3 + 3/2, 0, 1, 3. Pieces are of different kinds.
func scores(evidence string, activity, fraud, verification int) assurance.Scores {
	s := assurance.Scores{Activity: activity, Fraud: fraud, Verification: verification}
	for pair := range strings.SplitSeq(strings.ReplaceAll(evidence, " ", ""), "+") {
		strength, validity, found := strings.Cut(pair, "/")
		if !found {
			continue
		}
		e := assurance.Evidence{Kind: fmt.Sprintf("kind %d", len(s.Evidence))}
		e.Strength, _ = strconv.Atoi(strength)
		e.Validity, _ = strconv.Atoi(validity)
		s.Evidence = append(s.Evidence, e)
	}
	return s
}

type row struct {
	name  string
	level assurance.IdentityLevel
	least assurance.Scores
}

// guide is the table of identity profiles as it is read from GPG 45 0.4, beside the one that the program carries: H2D and V1A
// in the stricter reading.
func guide() []row {
	return []row{
		{"L1A", assurance.IdentityLow, scores("2/2", 0, 1, 1)},
		{"L1B", assurance.IdentityLow, scores("3/2", 0, 0, 1)},
		{"L1C", assurance.IdentityLow, scores("1/1", 3, 2, 2)},
		{"L2A", assurance.IdentityLow, scores("1/1 + 1/1", 2, 1, 2)},
		{"L2B", assurance.IdentityLow, scores("1/1 + 1/1", 2, 2, 1)},
		{"L3A", assurance.IdentityLow, scores("1/1 + 1/1 + 1/1", 2, 1, 1)},
		{"M1A", assurance.IdentityMedium, scores("4/2", 0, 1, 2)},
		{"M1B", assurance.IdentityMedium, scores("3/2", 1, 2, 2)},
		{"M1C", assurance.IdentityMedium, scores("3/3", 0, 0, 3)},
		{"M1D", assurance.IdentityMedium, scores("2/2", 2, 1, 3)},
		{"M2A", assurance.IdentityMedium, scores("2/2 + 2/2", 3, 2, 2)},
		{"M2B", assurance.IdentityMedium, scores("3/2 + 2/2", 1, 1, 2)},
		{"M2C", assurance.IdentityMedium, scores("3/2 + 2/2", 0, 1, 3)},
		{"M3A", assurance.IdentityMedium, scores("2/2 + 2/2 + 2/2", 2, 2, 2)},
		{"H1A", assurance.IdentityHigh, scores("4/3", 0, 1, 3)},
		{"H1B", assurance.IdentityHigh, scores("3/3", 2, 1, 3)},
		{"H1C", assurance.IdentityHigh, scores("4/3", 0, 0, 4)},
		{"H2A", assurance.IdentityHigh, scores("2/2 + 2/2", 3, 2, 3)},
		{"H2B", assurance.IdentityHigh, scores("4/2 + 3/2", 0, 2, 3)},
		{"H2C", assurance.IdentityHigh, scores("3/3 + 2/2", 1, 1, 3)},
		{"H2D", assurance.IdentityHigh, scores("3/3 + 3/2", 0, 1, 3)},
		{"H2E", assurance.IdentityHigh, scores("4/3 + 3/3", 0, 0, 3)},
		{"H3A", assurance.IdentityHigh, scores("2/2 + 2/2 + 2/2", 2, 2, 3)},
		{"V1A", assurance.IdentityVeryHigh, scores("4/4", 0, 3, 3)},
		{"V1B", assurance.IdentityVeryHigh, scores("4/4", 0, 1, 3)},
		{"V1C", assurance.IdentityVeryHigh, scores("4/3", 1, 1, 4)},
		{"V1D", assurance.IdentityVeryHigh, scores("4/4", 0, 0, 4)},
		{"V2A", assurance.IdentityVeryHigh, scores("3/3 + 3/3", 3, 2, 3)},
		{"V2B", assurance.IdentityVeryHigh, scores("4/3 + 3/3", 0, 2, 3)},
		{"V2C", assurance.IdentityVeryHigh, scores("4/3 + 2/2", 2, 2, 3)},
		{"V2D", assurance.IdentityVeryHigh, scores("4/4 + 4/4", 0, 0, 3)},
		{"V3A", assurance.IdentityVeryHigh, scores("3/3 + 2/2 + 2/2", 3, 3, 3)},
	}
}

func clone(s assurance.Scores) assurance.Scores {
	s.Evidence = slices.Clone(s.Evidence)
	return s
}

// weaker lists the scores that are one step below in one dimension.
func weaker(s assurance.Scores) []assurance.Scores {
	var list []assurance.Scores
	step := func(change func(*assurance.Scores) *int, least int) {
		w := clone(s)
		if at := change(&w); *at > least {
			*at--
			list = append(list, w)
		}
	}
	step(func(w *assurance.Scores) *int { return &w.Activity }, 0)
	step(func(w *assurance.Scores) *int { return &w.Fraud }, 0)
	step(func(w *assurance.Scores) *int { return &w.Verification }, 0)
	for i := range s.Evidence {
		step(func(w *assurance.Scores) *int { return &w.Evidence[i].Strength }, 1)
		step(func(w *assurance.Scores) *int { return &w.Evidence[i].Validity }, 0)
		w := clone(s)
		w.Evidence = slices.Delete(w.Evidence, i, i+1)
		list = append(list, w)
	}
	return list
}

func TestEachProfileIsMetByItsLeastAndNothingLess(t *testing.T) {
	t.Parallel()
	p := policy(t)
	for _, q := range guide() {
		if got := evaluate(t, p, q.least); got.Level != q.level || !slices.Contains(got.Profiles, q.name) {
			t.Errorf("%s at its least: Evaluate(%+v) = %s by %v, want %s", q.name, q.least, got.Level, got.Profiles, q.level)
		}
		below := weaker(q.least)
		if len(q.least.Evidence) > 1 { // two of its pieces are of one kind
			same := clone(q.least)
			same.Evidence[1].Kind = strings.ToUpper(same.Evidence[0].Kind)
			below = append(below, same)
		}
		for _, s := range below {
			if got := evaluate(t, p, s); slices.Contains(got.Profiles, q.name) {
				t.Errorf("%s below its least: Evaluate(%+v) = %v, want it missing", q.name, s, got.Profiles)
			}
		}
	}
}

// A profile of a level that implies another of the level grants nothing by itself. The guide cannot have meant that, and in
// its stricter reading exactly V1A does.
func TestOnlyTheDisputedProfileIsRedundant(t *testing.T) {
	t.Parallel()
	p := policy(t)
	var redundant []string
	for _, q := range guide() {
		for _, other := range guide() {
			if q.level == other.level && q.name != other.name && slices.Contains(evaluate(t, p, q.least).Profiles, other.name) {
				redundant = append(redundant, q.name+" implies "+other.name)
			}
		}
	}
	if diff := cmp.Diff([]string{"V1A implies V1B"}, redundant); diff != "" {
		t.Errorf("redundant profiles (-want +got):\n%s", diff)
	}
}

// met is the rule as the guide puts it, tried in every way there is.
func met(needs, pieces []assurance.Evidence) bool {
	if len(needs) == 0 {
		return true
	}
	for _, e := range pieces {
		if e.Strength < needs[0].Strength || e.Validity < needs[0].Validity {
			continue
		}
		taken := false
		var others []assurance.Evidence
		for _, o := range pieces {
			switch {
			case o == e && e.Kind == "" && !taken:
				taken = true
			case e.Kind == "" || o.Kind != e.Kind:
				others = append(others, o)
			}
		}
		if met(needs[1:], others) {
			return true
		}
	}
	return false
}

// Everything that up to three pieces of evidence can be, of the same and of different kinds; up to two with all other scores,
// three with the highest and with every thirteenth in turn.
func TestEvaluateAgreesWithTryingEverything(t *testing.T) {
	t.Parallel()
	p, table := policy(t), guide()
	for _, kinds := range [][]string{{}, {""}, {"", ""}, {"a", "a"}, {"", "", ""}, {"a", "a", "b"}, {"a", "b", "a"}, {"b", "a", "a"}, {"a", "a", "a"}} {
		t.Run(fmt.Sprintf("%d pieces of kinds %q", len(kinds), kinds), func(t *testing.T) {
			t.Parallel()
			pieces := make([]assurance.Evidence, len(kinds))
			served := make([]bool, len(table))
			const others = 5 * 4 * 5
			turn, every := 0, 1
			if len(kinds) == 3 {
				every = 13
			}
			var fill func(i, from int)
			fill = func(i, from int) {
				if i < len(pieces) {
					for pair := from; pair < 20; pair++ { // in ascending order: which piece comes first changes nothing
						pieces[i] = assurance.Evidence{Kind: kinds[i], Strength: 1 + pair/5, Validity: pair % 5}
						fill(i+1, pair)
					}
					return
				}
				for j, q := range table {
					served[j] = met(q.least.Evidence, pieces)
				}
				turn++
				for other := range others {
					if other != others-1 && (other+turn)%every != 0 {
						continue
					}
					s := assurance.Scores{Evidence: pieces, Activity: other / 20, Fraud: other / 5 % 4, Verification: other % 5}
					checkResult(t, table, served, s, evaluate(t, p, s))
				}
			}
			fill(0, 0)
		})
	}
}

// checkResult wants the profiles that are served and whose other scores are reached.
func checkResult(t *testing.T, table []row, served []bool, s assurance.Scores, got assurance.Result) {
	t.Helper()
	level, n := assurance.IdentityNone, 0
	for j, q := range table {
		if served[j] && s.Activity >= q.least.Activity && s.Fraud >= q.least.Fraud && s.Verification >= q.least.Verification {
			if n >= len(got.Profiles) || got.Profiles[n] != q.name {
				t.Fatalf("Evaluate(%+v).Profiles = %v, want %s there, in its place", s, got.Profiles, q.name)
			}
			level = q.level
			n++
		}
	}
	if n != len(got.Profiles) || got.Level != level || got.PolicyVersion != assurance.PolicyVersion || (n > 0) != slices.Contains(got.Profiles, got.Best) {
		t.Fatalf("Evaluate(%+v) = %+v, want %d profiles and level %s", s, got, n, level)
	}
}

// sample makes scores with up to six pieces, of few kinds.
func sample(r *rand.Rand) assurance.Scores {
	s := assurance.Scores{Activity: r.IntN(5), Fraud: r.IntN(4), Verification: r.IntN(5)}
	for range r.IntN(7) {
		s.Evidence = append(s.Evidence, sampleEvidence(r))
	}
	return s
}

func sampleEvidence(r *rand.Rand) assurance.Evidence {
	return assurance.Evidence{Kind: []string{"", "passport", "driving_permit", "current_account"}[r.IntN(4)], Strength: 1 + r.IntN(4), Validity: r.IntN(5)}
}

func random(t *testing.T) *rand.Rand {
	t.Helper()
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

func TestMoreNeverLowersAndLessNeverRaises(t *testing.T) {
	t.Parallel()
	p, r := policy(t), random(t)
	for range 5_000 {
		less := sample(r)
		more := clone(less)
		if n := len(more.Evidence); n > 0 {
			e := &more.Evidence[r.IntN(n)]
			e.Strength, e.Validity = min(4, e.Strength+r.IntN(2)), min(4, e.Validity+r.IntN(2))
		}
		more.Activity, more.Fraud, more.Verification = min(4, more.Activity+r.IntN(2)), min(3, more.Fraud+r.IntN(2)), min(4, more.Verification+r.IntN(2))
		for range r.IntN(3) {
			more.Evidence = slices.Insert(more.Evidence, r.IntN(len(more.Evidence)+1), sampleEvidence(r))
		}
		low, high := evaluate(t, p, less), evaluate(t, p, more)
		for _, name := range low.Profiles {
			if !slices.Contains(high.Profiles, name) {
				t.Fatalf("Evaluate(%+v) has %s, and Evaluate(%+v), which is more, has not", less, name, more)
			}
		}
		if levels := assurance.IdentityLevels(); slices.Index(levels, low.Level) > slices.Index(levels, high.Level) {
			t.Fatalf("Evaluate(%+v) = %s, and Evaluate(%+v), which is more, = %s", less, low.Level, more, high.Level)
		}
	}
}

// Best rests on pieces that meet its needs without any other.
func TestBestRestsOnItsPiecesAlone(t *testing.T) {
	t.Parallel()
	p, r := policy(t), random(t)
	for range 2_000 {
		s := sample(r)
		got := evaluate(t, p, s)
		alone := s
		alone.Evidence = nil
		for _, i := range got.RestsOn {
			alone.Evidence = append(alone.Evidence, s.Evidence[i])
		}
		if again := evaluate(t, p, alone); again.Best != got.Best || !slices.IsSorted(got.RestsOn) {
			t.Fatalf("Evaluate(%+v).Best = %s on %v, which alone give %s", s, got.Best, got.RestsOn, again.Best)
		}
	}
}

func TestBest(t *testing.T) {
	t.Parallel()
	p := policy(t)
	for _, tt := range []struct {
		name     string
		s        assurance.Scores
		level    assurance.IdentityLevel
		best     string
		restsOn  []int
		profiles string
	}{
		{"the example of a passport and a driving licence", scores("4/3 + 3/2", 0, 1, 3), assurance.IdentityHigh, "H1A", []int{0}, "L1A L1B M1A M1C M2C H1A H2D"},
		{"the passport stands second", scores("3/2 + 4/3", 0, 1, 3), assurance.IdentityHigh, "H1A", []int{1}, "L1A L1B M1A M1C M2C H1A H2D"},
		{"without the chip", scores("4/2 + 3/2", 0, 1, 2), assurance.IdentityMedium, "M1A", []int{0}, "L1A L1B M1A"},
		{"only two pieces together", scores("3/3 + 3/2", 0, 1, 3), assurance.IdentityHigh, "H2D", []int{0, 1}, "L1A L1B M1C M2C H2D"},
		{"the stronger piece serves the lesser need", scores("4/2 + 3/3", 1, 1, 3), assurance.IdentityHigh, "H2C", []int{0, 1}, "L1A L1B M1A M1C M2B M2C H2C H2D"},
		{"nothing", assurance.Scores{}, assurance.IdentityNone, "", nil, ""},
		{"a disputed profile beside one that is not", scores("4/4", 0, 3, 3), assurance.IdentityVeryHigh, "V1B", []int{0}, "L1A L1B M1A M1C H1A V1A V1B"},
	} {
		got := evaluate(t, p, tt.s)
		if got.Level != tt.level || got.Best != tt.best || strings.Join(got.Profiles, " ") != tt.profiles || !slices.Equal(got.RestsOn, tt.restsOn) {
			t.Errorf("%s: Evaluate(%+v) = %s, %s on %v, %v, want %s, %s on %v, %s", tt.name, tt.s, got.Level, got.Best, got.RestsOn, got.Profiles, tt.level, tt.best, tt.restsOn, tt.profiles)
		}
	}
}

// With the strongest piece alone of each kind, the second profile would be lost when the stronger document comes.
func TestStrongerDocumentOfTheSameKindTakesNothingAway(t *testing.T) {
	t.Parallel()
	p := policy(t)
	s := scores("3/3", 0, 0, 3)
	s.Evidence[0].Kind = "passport"
	if got := evaluate(t, p, s); got.Best != "M1C" {
		t.Fatalf("Evaluate(%+v).Best = %s, want M1C", s, got.Best)
	}
	s.Evidence = append(s.Evidence, assurance.Evidence{Kind: "passport", Strength: 4, Validity: 0})
	if got := evaluate(t, p, s); got.Best != "M1C" {
		t.Errorf("Evaluate(%+v).Best = %s, want M1C still", s, got.Best)
	}
}
