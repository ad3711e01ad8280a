package assurance

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Scoring is what the record of a person comes to: the five scores of GPG 45, and why.
type Scoring struct {
	PolicyVersion string   `json:"policy_version"`
	Scores        Scores   `json:"scores"`
	Pieces        []string `json:"pieces"` // of each of Scores.Evidence, the id of the piece
	Reasons       []Reason `json:"reasons"`
}

// Reason is why a score is what it is.
type Reason struct {
	About   About    `json:"about"`
	Piece   string   `json:"piece,omitempty"` // of strength and validity
	Score   int      `json:"score"`
	Checks  []string `json:"checks,omitempty"` // the ids of those that the score rests on
	Because string   `json:"because"`
}

// About is what a reason is about: one of the five scores.
type About string

// The scores.
const (
	AboutStrength     About = "strength"
	AboutValidity     About = "validity"
	AboutActivity     About = "activity"
	AboutFraud        About = "fraud"
	AboutVerification About = "verification"
)

// Score derives the scores of GPG 45 from what is on record of a person, by the tables of [PolicyVersion]. A missing fact
// means a lower score, and never more than what is certain of the guide is given. It is an error when the record is wrong by
// [Piece.Validate], or contradicts itself: pieces about different people, two dates of one document, a check of tomorrow.
func Score(pieces []Piece, at time.Time) (Scoring, error) {
	t := tables()
	all, err := t.weigh(pieces, at)
	if err != nil {
		return Scoring{}, err
	}
	s := Scoring{PolicyVersion: PolicyVersion, Scores: Scores{Evidence: []Evidence{}}, Pieces: []string{}}
	var genuine []weighed // evidence that is not worth nothing
	validity := map[string]int{}
	for _, w := range all {
		strength := t.scoreStrength(w)
		if strength.Score == 0 {
			continue // a register that was asked is no evidence of who somebody is
		}
		valid := t.scoreValidity(w)
		if w.useless == "" {
			genuine, validity[w.ID] = append(genuine, w), valid.Score
		}
		s.Scores.Evidence = append(s.Scores.Evidence, Evidence{Kind: w.Kind, Strength: strength.Score, Validity: valid.Score})
		s.Pieces = append(s.Pieces, w.ID)
		s.Reasons = append(s.Reasons, strength, valid)
	}
	activity, fraud, verification := t.scoreActivity(genuine), t.scoreFraud(all), t.scoreVerification(genuine, validity)
	s.Scores.Activity, s.Scores.Fraud, s.Scores.Verification = activity.Score, fraud.Score, verification.Score
	s.Reasons = append(s.Reasons, activity, fraud, verification)
	return s, nil
}

func (t *scoringTables) scoreStrength(w weighed) Reason {
	best := w.grade(t.strength[w.Kind])
	r := Reason{About: AboutStrength, Piece: w.ID, Score: best.grade, Because: "it is of the kind " + KindWords(w.Kind)}
	for i, f := range best.features {
		r.Because += []string{", with: ", ", "}[min(i, 1)] + plain(f)
	}
	if best.issuers != nil {
		r.Because += ", of an issuer that the guide names"
	}
	return r
}

func (t *scoringTables) scoreValidity(w weighed) Reason {
	r := Reason{About: AboutValidity, Piece: w.ID, Because: "nothing shows that it is genuine"}
	if w.useless != "" {
		r.Because = w.useless
		return r
	}
	found := w.established()
	var matter []Fact // that any score asks about
	for _, row := range t.validity {
		matter = append(matter, row.facts...)
		if row.score > r.Score && containsAll(found, row.facts) {
			r.Score, r.Because = row.score, t.words(row.facts)
		}
	}
	if r.Score > 0 {
		r.Checks = checksFor(w.checks, matter)
	}
	if len(w.late) > 0 {
		r.Because += fmt.Sprintf("; what was checked after it expired on %s counts for nothing", w.ExpiresOn)
	}
	return r
}

func (t *scoringTables) scoreActivity(genuine []weighed) Reason {
	r := Reason{About: AboutActivity, Because: "no record shows activity for long enough"}
	for _, w := range genuine {
		for _, c := range w.checks {
			for _, row := range t.activity {
				if c.Activity == nil || row.score <= r.Score || !row.reached(*c.Activity, c.At) {
					continue
				}
				r.Score, r.Checks = row.score, []string{c.ID}
				r.Because = fmt.Sprintf("the %s shows activity since %s, at least %d months before it was checked", KindWords(w.Kind), c.Activity.Since, row.months)
			}
		}
	}
	return r
}

// reached says whether the activity, as it was checked then, is long enough and at an organisation that checked people
// well enough.
func (r activityRow) reached(a Activity, checked time.Time) bool {
	since, err := readDate(a.Since)
	return err == nil && slices.Index(activityPolicies(), a.Policy) >= slices.Index(activityPolicies(), r.policy) &&
		day(since.AddDate(0, r.months, 0)) <= day(checked)
}

// scoreFraud scores counter-fraud checks. One that failed leaves nothing, whatever others found.
func (t *scoringTables) scoreFraud(all []weighed) Reason {
	r := Reason{About: AboutFraud, Because: "no checks with authoritative sources found all that it takes"}
	if id := t.fraudFound(all); id != "" {
		r.Because, r.Checks = fmt.Sprintf("check %s found what speaks against the identity", id), []string{id}
		return r
	}
	for _, row := range t.fraud {
		if row.score > r.Score && t.sourced(all, row) {
			r.Score, r.Because, r.Checks = row.score, t.words(row.facts), nil
			for _, w := range all {
				r.Checks = append(r.Checks, checksFor(w.passed(), row.facts)...)
			}
		}
	}
	return r
}

// fraudFound is the id of a counter-fraud check that failed: one that was to establish a fact of that table, or any with a
// register that is no evidence of anything else.
func (t *scoringTables) fraudFound(all []weighed) string {
	for _, w := range all {
		for _, c := range w.failed {
			about := slices.ContainsFunc(t.fraud, func(row scoreRow) bool {
				return slices.ContainsFunc(row.facts, func(f Fact) bool { return slices.Contains(c.Facts, f) })
			})
			if about || w.grade(t.strength[w.Kind]).grade == 0 {
				return c.ID
			}
		}
	}
	return ""
}

// sourced says whether each fact of the row was established with as many organisations as the row wants.
func (t *scoringTables) sourced(all []weighed, row scoreRow) bool {
	organisations := map[Fact]map[string]bool{}
	for _, w := range all {
		for _, c := range w.passed() {
			if row.sources > 1 && !slices.Contains(c.counts, independentSource) {
				continue
			}
			for _, f := range c.counts {
				if organisations[f] == nil {
					organisations[f] = map[string]bool{}
				}
				organisations[f][strings.ToLower(strings.Join(strings.Fields(c.Organisation), " "))] = true
			}
		}
	}
	return !slices.ContainsFunc(row.facts, func(f Fact) bool { return len(organisations[f]) < row.sources })
}

// scoreVerification scores how it was shown that the person is who the evidence is about: by one check, or by all questions
// that were answered rightly.
func (t *scoringTables) scoreVerification(genuine []weighed, validity map[string]int) Reason {
	r := Reason{About: AboutVerification, Because: "no check of the person has all that it takes"}
	var questions []Question
	var asked []string
	for _, w := range genuine {
		for _, c := range w.checks {
			if len(c.Questions) > 0 {
				questions, asked = append(questions, c.Questions...), append(asked, c.ID)
			}
			for _, row := range t.verification {
				if row.score > r.Score && slices.Contains(row.methods, c.Method) && validity[w.ID] >= row.leastValidity && containsAll(c.counts, row.facts) {
					r.Score, r.Checks = row.score, []string{c.ID}
					r.Because = fmt.Sprintf("by the %s: %s", KindWords(w.Kind), t.words(row.facts))
				}
			}
		}
	}
	for _, row := range t.questions {
		if row.score > r.Score && row.reached(questions) {
			r.Score, r.Checks, r.Because = row.score, asked, fmt.Sprintf("%d questions were answered rightly", len(questions))
		}
	}
	return r
}

// reached says whether enough of the questions are those of the row, or better.
func (r questionRow) reached(questions []Question) bool {
	freeText, good := 0, 0
	for _, q := range questions {
		if q.Quality.rank() < r.quality.rank() || (r.dynamic && !q.Dynamic) {
			continue
		}
		good++
		if !q.MultipleChoice {
			freeText++
		}
	}
	return freeText >= r.freeText || good >= r.multipleChoice
}
