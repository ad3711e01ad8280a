package assurance

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// IAL is an identity assurance level of NIST SP 800-63A-4: 1, 2 or 3. 0 is no claim, which is not level 1.
type IAL int

// String is the level as verified claims write it: "ial2"; empty where there is no claim.
func (l IAL) String() string {
	if l == 0 {
		return ""
	}
	return "ial" + strconv.Itoa(int(l))
}

// Proofing is the IAL that the record of a person comes to, and why.
type Proofing struct {
	PolicyVersion string   `json:"policy_version"`
	Level         IAL      `json:"level"`
	Pieces        []string `json:"pieces,omitempty"` // the ids of those that the level rests on, the strongest first
	Checks        []string `json:"checks,omitempty"` // and of their checks
	Because       string   `json:"because"`
}

// evidenceClass is how strong NIST takes a piece of evidence to be: SP 800-63A-4, Section 2.4 and Appendix A.
type evidenceClass string

const (
	fair     evidenceClass = "fair"
	strong   evidenceClass = "strong"
	superior evidenceClass = "superior"
)

// evidenceClasses lists the classes, weakest first.
func evidenceClasses() []evidenceClass { return []evidenceClass{fair, strong, superior} }

// rank orders the classes. What is none of them is below.
func (c evidenceClass) rank() int { return slices.Index(evidenceClasses(), c) }

// proof is a piece that NIST takes as evidence.
type proof struct {
	weighed
	class    evidenceClass
	verified IAL // the highest level that the person is verified for as the holder of the piece
}

// Proof derives the IAL from what is on record of a person, by tables of its own: nothing follows from GPG 45. It fails
// where [Score] does.
func Proof(pieces []Piece, at time.Time) (Proofing, error) {
	t := tables()
	all, err := t.weigh(pieces, at)
	if err != nil {
		return Proofing{}, err
	}
	p := Proofing{PolicyVersion: PolicyVersion, Because: "no pieces were validated and verified as even the lowest level takes it"}
	if id := t.fraudFound(all); id != "" {
		p.Because, p.Checks = fmt.Sprintf("check %s found what speaks against the identity", id), []string{id}
		return p, nil
	}
	proofs := t.proofs(all)
	if !attributesValidated(all, proofs) {
		p.Because = "the attributes are not validated: neither against an authoritative or credible source, nor by a signature on superior evidence"
		return p, nil
	}
	for _, row := range t.nistLevels {
		if row.level <= p.Level {
			continue
		}
		if used := row.meet(nil, proofs); used != nil {
			p.rest(row, used)
		}
	}
	return p, nil
}

// rest makes the level rest on the pieces.
func (p *Proofing) rest(row nistLevelRow, used []proof) {
	p.Level, p.Pieces, p.Checks = row.level, nil, nil
	var words []string
	for _, u := range used {
		p.Pieces = append(p.Pieces, u.ID)
		for _, c := range u.checks {
			p.Checks = append(p.Checks, c.ID)
		}
		words = append(words, fmt.Sprintf("%s as %s", KindWords(u.Kind), strings.ToUpper(string(u.class))))
	}
	p.Because = fmt.Sprintf("the attributes are validated, and so is the evidence: %s; of it %d verified as the person's", strings.Join(words, ", "), row.verified)
}

// proofs lists the pieces that are validated, strongest first.
func (t *scoringTables) proofs(all []weighed) []proof {
	var list []proof
	for _, w := range all {
		// What has expired is no evidence: the grace for passports is the trust framework's, and not NIST's.
		w.checks = slices.DeleteFunc(slices.Clone(w.checks), func(c established) bool { return w.ExpiresOn != "" && w.ExpiresOn < day(c.At) })
		found := w.established()
		class := w.grade(t.nistEvidence[w.Kind]).grade
		validated := slices.ContainsFunc(t.nistValidation[w.Type], func(f Fact) bool { return slices.Contains(found, f) })
		if class == 0 || !validated || w.useless != "" {
			continue
		}
		p := proof{weighed: w, class: evidenceClasses()[class-1]}
		// Appendix A: without a signature that was verified, SUPERIOR evidence is treated as STRONG.
		if p.class == superior && !slices.Contains(found, cryptographic) {
			p.class = strong
		}
		for _, row := range t.nistVerification {
			if row.level > p.verified && row.class.rank() >= p.class.rank() && slices.ContainsFunc(w.checks, row.met) {
				p.verified = row.level
			}
		}
		list = append(list, p)
	}
	slices.SortStableFunc(list, func(a, b proof) int {
		return cmp.Or(b.class.rank()-a.class.rank(), int(b.verified-a.verified))
	})
	return list
}

func (r nistVerificationRow) met(c established) bool {
	return slices.Contains(r.methods, c.Method) && containsAll(c.counts, r.facts)
}

// attributesValidated says whether the core attributes match a source, or are signed in SUPERIOR evidence.
func attributesValidated(all []weighed, proofs []proof) bool {
	return slices.ContainsFunc(proofs, func(p proof) bool { return p.class == superior }) ||
		slices.ContainsFunc(all, func(w weighed) bool {
			return w.useless == "" && slices.Contains(w.established(), coreAttributesValidated)
		})
}

// meet finds pieces of different kinds for all that the row takes beside those that are used; nil: there are none.
func (r nistLevelRow) meet(used, proofs []proof) []proof {
	if len(used) == len(r.evidence) {
		return used
	}
	for _, p := range proofs {
		taken := slices.ContainsFunc(used, func(u proof) bool { return u.Kind == p.Kind })
		verified := len(used) >= r.verified || p.verified >= r.level
		if taken || !verified || p.class.rank() < r.evidence[len(used)].rank() {
			continue
		}
		if all := r.meet(append(slices.Clone(used), p), proofs); all != nil {
			return all
		}
	}
	return nil
}
