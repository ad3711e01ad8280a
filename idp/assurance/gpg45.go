package assurance

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// PolicyVersion names the tables by which identities are scored and levels derived. It changes with any cell of them, and
// is kept with each result.
const PolicyVersion = "gpg45-0.5/2026-11"

const longestKind = 100 // bytes

// Evidence is a piece of evidence of an identity, scored by GPG 45.
type Evidence struct {
	// Kind is what document or record it is. Only one piece of a kind counts for a profile: two passports are one source.
	// A piece without a kind is of a kind of its own.
	Kind     string `json:"kind,omitempty"`
	Strength int    `json:"strength"` // 1 to 4
	Validity int    `json:"validity"` // 0 to 4
}

// Scores are the five scores of GPG 45 for an identity. What was not checked is 0.
type Scores struct {
	Evidence     []Evidence `json:"evidence"`
	Activity     int        `json:"activity"`     // history of activity, 0 to 4
	Fraud        int        `json:"fraud"`        // counter-fraud checks, 0 to 3
	Verification int        `json:"verification"` // that the person is the one of the evidence, 0 to 4
}

// Result is what scores come to.
type Result struct {
	Level IdentityLevel `json:"level"`
	// Profiles lists every identity profile that is met, in the order of the guide.
	Profiles []string `json:"profiles"`
	// Best is the profile to report: of those that grant the level, the one that needs the fewest pieces of evidence, then
	// the one whose scores add up to the least. It depends on the fewest things being right. Empty when none is met.
	Best          string `json:"best"`
	PolicyVersion string `json:"policy_version"`
	// Next lists for each higher level the shortest ways there, at most three, the easiest first.
	Next []Next `json:"next"`
	// RestsOn lists the pieces that Best needs, as indices of Scores.Evidence in ascending order.
	RestsOn []int `json:"-"`
}

// Next is a way to a level that was not reached: a profile, and all that it still takes, in words.
type Next struct {
	Level   IdentityLevel `json:"level"`
	Profile string        `json:"profile"`
	Missing []string      `json:"missing"`

	things []thing // that are missing
	serves []int   // the pieces that it builds on, as indices of Scores.Evidence, and notThere for each to bring
}

// Evaluate derives the level of an identity from its scores: GPG 45, identity profiles. Scores are never added up; a profile
// is met when every score is at least its minimum, and different pieces of evidence of different kinds serve its needs.
// More evidence or a higher score never lowers a level. Scores out of range are an error.
func (p *Policy) Evaluate(s Scores) (Result, error) {
	if err := s.validate(); err != nil {
		return Result{}, err
	}
	plans := p.plans(&s)
	r := Result{Level: IdentityNone, Profiles: make([]string, 0, 8), PolicyVersion: PolicyVersion}
	best := -1
	for i := range p.profiles {
		if plans[i].effort > 0 {
			continue
		}
		r.Profiles = append(r.Profiles, p.profiles[i].name)
		// Profiles come by level, lowest first.
		if best < 0 || p.profiles[best].level != p.profiles[i].level || p.profiles[i].weight < p.profiles[best].weight {
			best = i
		}
	}
	if best >= 0 {
		r.Level, r.Best = p.profiles[best].level, p.profiles[best].name
		r.RestsOn = slices.Clone(plans[best].serves[:len(p.profiles[best].needs)])
		slices.Sort(r.RestsOn)
	}
	r.Next = p.next(&s, plans)
	return r, nil
}

// validate refuses scores that the guide does not have.
func (s *Scores) validate() error {
	if len(s.Evidence) > MaxPieces {
		return fmt.Errorf("evidence has %d pieces: want at most %d", len(s.Evidence), MaxPieces)
	}
	for i, e := range s.Evidence {
		switch {
		case e.Strength < 1 || e.Strength > checkStrength.most():
			return fmt.Errorf("evidence %d: strength is %d: want 1 to %d", i+1, e.Strength, checkStrength.most())
		case e.Validity < 0 || e.Validity > checkValidity.most():
			return fmt.Errorf("evidence %d: validity is %d: want 0 to %d", i+1, e.Validity, checkValidity.most())
		case !validKind(e.Kind):
			return fmt.Errorf("evidence %d: kind is %q: want at most %d bytes of text, without spaces around it", i+1, shorten(e.Kind), longestKind)
		}
	}
	for _, c := range personChecks() {
		if got := s.of(c); got < 0 || got > c.most() {
			return fmt.Errorf("%s is %d: want 0 to %d", c, got, c.most())
		}
	}
	return nil
}

// validKind refuses kinds that would look alike and count as two.
func validKind(kind string) bool {
	return len(kind) <= longestKind && kind == strings.TrimSpace(kind) && !strings.ContainsFunc(kind, func(r rune) bool {
		return r == utf8.RuneError || !unicode.IsPrint(r)
	})
}

// of is the score of a check that is made once for a person.
func (s *Scores) of(c check) int {
	switch c {
	case checkActivity:
		return s.Activity
	case checkFraud:
		return s.Fraud
	default:
		return s.Verification
	}
}

// check is one of the checks that GPG 45 scores.
type check int

// The first two are made for each piece of evidence, the others once for a person.
const (
	checkStrength check = iota
	checkValidity
	checkActivity
	checkFraud
	checkVerification
)

// personChecks lists the checks that are made once for a person.
func personChecks() [3]check { return [...]check{checkActivity, checkFraud, checkVerification} }

func (c check) String() string {
	return [...]string{"strength", "validity", "activity", "fraud", "verification"}[c]
}

// most is the highest score of the check. The lowest is 0, and 1 for strength.
func (c check) most() int {
	if c == checkFraud {
		return 3
	}
	return 4
}
