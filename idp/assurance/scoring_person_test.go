package assurance_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/credence-id/credence/idp/assurance"
)

// The rows of verification.csv. Each is met by what it lists, and by nothing less.
func TestScoreVerification(t *testing.T) {
	t.Parallel()
	const (
		person2    = "specialist_training refreshed_three_yearly adequate_light unaltered_photo"
		person3    = "specialist_training refreshed_yearly adequate_light unaltered_photo masks_considered eyes_visible"
		image      = " live_capture replay_excluded tamper_protected clear_image"
		biometric2 = "one_to_one template_untampered tamper_protected replay_excluded basic_liveness resists_simple_artefacts"
		biometric3 = "one_to_one template_untampered tamper_protected replay_excluded benchmarked_algorithm suited_capture enhanced_liveness resists_costly_artefacts appropriate_error_rates"
		biometric4 = "one_to_one template_untampered tamper_protected replay_excluded benchmarked_algorithm suited_capture enhanced_liveness resists_sophisticated_artefacts " +
			"appropriate_error_rates error_handling controlled_capture supervised specialist_training refreshed_yearly"
	)
	chip := check("chip", assurance.CryptographicInspection, "cryptographic")
	for _, tt := range []struct {
		method assurance.CheckMethod
		words  string
		want   int
	}{
		{"pvp", person2, 2},
		{"pvp", person3, 3},
		{"pvr", person2 + image, 2},
		{"pvr", person3 + image, 3},
		{"bvp", biometric2, 2},
		{"bvr", biometric2, 2},
		{"bvp", biometric3, 3},
		{"bvr", biometric3, 3},
		{"bvp", biometric4, 4},
	} {
		t.Run(fmt.Sprintf("%s for %d", tt.method, tt.want), func(t *testing.T) {
			t.Parallel()
			c := check("c", tt.method, tt.words)
			if got := score(t, passport(chip, c)).Scores.Verification; got != tt.want {
				t.Errorf("verification by %s = %d, want %d", tt.words, got, tt.want)
			}
			if got := score(t, passport(c)).Scores.Verification; got != 0 {
				t.Errorf("verification by a passport that nothing shows to be genuine = %d, want 0", got)
			}
			for i := range c.Facts {
				less := c
				less.Facts = slices.Delete(slices.Clone(c.Facts), i, i+1)
				if c.Facts[i] == "specialist_training" {
					less.TrainedBy = ""
				}
				if got := score(t, passport(chip, less)).Scores.Verification; got >= tt.want {
					t.Errorf("verification without %s = %d, want less than %d", c.Facts[i], got, tt.want)
				}
			}
			c.Failed = true
			s := score(t, passport(chip, c))
			if s.Scores.Verification != 0 || s.Scores.Evidence[0].Validity != 0 {
				t.Errorf("after a comparison that failed = %+v, want neither verification nor validity", s.Scores)
			}
		})
	}
	for _, method := range []assurance.CheckMethod{"auth", "token", "kbv"} {
		if got := score(t, passport(chip, check("c", method, ""))).Scores.Verification; got != 0 {
			t.Errorf("verification by %s = %d, want 0", method, got)
		}
	}
}

// The rows of kbv.csv, at the least number of questions and one short of it.
func TestScoreQuestions(t *testing.T) {
	t.Parallel()
	questions := func(n int, quality assurance.Quality, dynamic, choice bool) []assurance.Question {
		return slices.Repeat([]assurance.Question{{Quality: quality, Dynamic: dynamic, MultipleChoice: choice}}, n)
	}
	scoreOf := func(list ...[]assurance.Question) int {
		c := check("q", assurance.KnowledgeQuestions, "")
		c.Questions = slices.Concat(list...)
		return score(t, piece(assurance.ElectronicRecord, "current_account", c)).Scores.Verification
	}
	for _, tt := range []struct {
		score            int
		dynamic          bool
		quality          assurance.Quality
		freeText, choice int
	}{
		{1, false, "low", 2, 4},
		{1, false, "medium", 1, 2},
		{1, false, "high", 1, 2},
		{2, true, "low", 4, 8},
		{2, true, "medium", 2, 3},
		{2, true, "high", 2, 2},
	} {
		for _, choice := range []bool{false, true} {
			least := map[bool]int{false: tt.freeText, true: tt.choice}[choice]
			if got := scoreOf(questions(least, tt.quality, tt.dynamic, choice)); got != tt.score {
				t.Errorf("%d questions of %+v (multiple choice: %t) = %d, want %d", least, tt, choice, got, tt.score)
			}
			if got := scoreOf(questions(least-1, tt.quality, tt.dynamic, choice)); got >= tt.score {
				t.Errorf("%d questions of %+v (multiple choice: %t) = %d, want less", least-1, tt, choice, got)
			}
		}
	}
	for _, tt := range []struct {
		name string
		got  int
		want int
	}{
		{"one of high and two of medium quality", scoreOf(questions(1, "high", true, true), questions(2, "medium", true, true)), 2},
		{"one of low and two of medium quality", scoreOf(questions(1, "low", true, true), questions(2, "medium", true, true)), 1},
		{"low and better make up the number of low", scoreOf(questions(6, "low", true, true), questions(2, "medium", true, true)), 2},
		{"free text counts as multiple choice", scoreOf(questions(2, "low", false, true), questions(1, "low", false, false), questions(1, "low", false, true)), 1},
		{"static answers are never 2", scoreOf(questions(50, "high", false, false)), 1},
		{"nothing exceeds 2", scoreOf(questions(50, "high", true, false)), 2},
	} {
		if tt.got != tt.want {
			t.Errorf("%s = %d, want %d", tt.name, tt.got, tt.want)
		}
	}
	half := func(id string) assurance.Piece {
		c := check(id, assurance.KnowledgeQuestions, "")
		c.Questions = questions(1, "high", true, false)
		p := piece(assurance.ElectronicRecord, "current_account", c)
		p.ID, p.Number = id, id
		return p
	}
	s := score(t, half("a"), half("b"))
	if r := reason(t, s, assurance.AboutVerification, ""); r.Score != 2 || !slices.Equal(r.Checks, []string{"a", "b"}) {
		t.Errorf("questions of two checks = %+v, want 2, resting on both", r)
	}
	failed := half("b")
	failed.Checks[0].Failed = true
	if got := score(t, half("a"), failed).Scores.Verification; got != 1 {
		t.Errorf("with the second failed = %d, want 1", got)
	}
}
