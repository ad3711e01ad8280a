package assurance

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// effort orders the ways to a profile: the fewest things to do come first, then the fewest steps of scores. Of steps there
// are too few to come to a thing.
type effort int

const (
	step     effort = 1
	oneThing effort = 1 << 8

	outOfReach effort = math.MaxInt
)

// things counts what has to be done.
func (e effort) things() effort { return e / oneThing }

// plan is the least that has to be done for a profile.
type plan struct {
	effort effort         // 0: the profile is met; outOfReach: nobody can do it
	serves [mostNeeds]int // for each of its needs the index of the piece that serves it, or notThere
}

const notThere = -1

// piece is a piece of evidence that can be told from others of its kind.
type piece struct {
	Evidence
	kind int // the index of the first piece of its kind
}

func piecesOf(evidence []Evidence) []piece {
	pieces := make([]piece, len(evidence))
	for i, e := range evidence {
		pieces[i] = piece{e, i}
		if e.Kind != "" {
			pieces[i].kind = slices.IndexFunc(evidence, func(o Evidence) bool { return strings.EqualFold(o.Kind, e.Kind) })
		}
	}
	return pieces
}

// plans finds for each profile the least that somebody with these scores has to do for it.
func (p *Policy) plans(s *Scores) []plan {
	pieces := piecesOf(s.Evidence)
	var offers [5][5][mostNeeds]offer // by strength and validity
	for _, n := range p.needs {
		offers[n.strength][n.validity] = cheapest(n, pieces)
	}
	plans := make([]plan, len(p.profiles))
	for i := range p.profiles {
		q := &p.profiles[i]
		a := assignment{needs: len(q.needs), best: plan{effort: outOfReach}}
		for j, n := range q.needs {
			a.offers[j] = &offers[n.strength][n.validity]
		}
		a.try(0, plan{})
		for _, c := range personChecks() {
			if short := q.least.of(c) - s.of(c); short > 0 {
				a.best.effort += oneThing + effort(short)*step
			}
		}
		plans[i] = a.best
	}
	return plans
}

// offer is a piece that could serve a need, and what it would take.
type offer struct {
	index, kind int
	effort      effort
}

// cheapest lists the offers for a need that take the least effort, one of each kind, the cheapest first, and new pieces after
// those that are there. As many as a profile can have needs are enough: the other needs leave one.
func cheapest(n need, pieces []piece) [mostNeeds]offer {
	var list [mostNeeds]offer
	for i := range list {
		list[i] = offer{notThere, notThere, oneThing + effort(n.strength+n.validity)*step}
	}
	for i, p := range pieces {
		if p.Strength < n.strength { // no check makes a document stronger
			continue
		}
		o := offer{index: i, kind: p.kind}
		if short := n.validity - p.Validity; short > 0 {
			o.effort = oneThing + effort(short)*step
		}
		at := len(list) - 1
		if same := slices.IndexFunc(list[:], func(l offer) bool { return l.kind == o.kind }); same >= 0 {
			at = same
		}
		if o.effort >= list[at].effort {
			continue
		}
		list[at] = o
		for ; at > 0 && list[at].effort < list[at-1].effort; at-- {
			list[at], list[at-1] = list[at-1], list[at]
		}
	}
	return list
}

// assignment looks for the offers that serve all needs of a profile with the least effort, each by a piece of another kind.
type assignment struct {
	needs  int
	offers [mostNeeds]*[mostNeeds]offer // for each need
	kinds  [mostNeeds]int               // of the pieces that are taken
	best   plan
}

// try serves the needs from the given one on in every way. Those before it are served as in so.
func (a *assignment) try(need int, so plan) {
	if so.effort >= a.best.effort {
		return
	}
	if need == a.needs {
		a.best = so
		return
	}
	for _, o := range a.offers[need] {
		if o.index == notThere || !slices.Contains(a.kinds[:need], o.kind) {
			so := so
			so.effort += o.effort
			so.serves[need], a.kinds[need] = o.index, o.kind
			a.try(need+1, so)
		}
		if o.index == notThere { // as are all after it
			return
		}
	}
}

// thing is one thing to do: reach a score of a check.
type thing struct {
	check    check // checkStrength: bring another piece
	index    int   // of the piece whose validity is short
	strength int   // of the piece to bring
	score    int   // to reach; of a piece to bring, its validity
}

// missing lists what a plan for the profile still takes.
func (q *profile) missing(so *plan, s *Scores) []thing {
	things := make([]thing, 0, so.effort.things())
	for i, n := range q.needs {
		if at := so.serves[i]; at == notThere {
			things = append(things, thing{check: checkStrength, strength: n.strength, score: n.validity})
		} else if n.validity > s.Evidence[at].Validity {
			things = append(things, thing{check: checkValidity, index: at, score: n.validity})
		}
	}
	for _, c := range personChecks() {
		if want := q.least.of(c); want > s.of(c) {
			things = append(things, thing{check: c, score: want})
		}
	}
	return things
}

// asksAsMuch says whether nothing on a list is easier than on the other.
func asksAsMuch(list, other []thing) bool {
	return slices.EqualFunc(list, other, func(a, b thing) bool {
		return a.check == b.check && a.index == b.index && a.strength >= b.strength && a.score >= b.score
	})
}

// mostWays is how many ways to a level are shown.
const mostWays = 3

// Next is [Result.Next] for the scores of these pieces, without the ways that no desk can go by the tables: [Advise] tells none
// of them either. They lead to a score that no row gives, or build on a piece that is worth nothing until it is withdrawn. A
// level to which there is no other way is not there.
func (p *Policy) Next(s Scores, pieces []Piece) ([]Next, error) {
	a, err := newAdviser(pieces, nil)
	if err != nil {
		return nil, fmt.Errorf("say what is missing: %w", err)
	}
	s.Evidence = slices.Clone(s.Evidence)
	for i, w := range a.scored {
		if a.tainted(w) {
			s.Evidence[i].Strength = 0 // it serves no need
		}
	}
	plans := p.plans(&s)
	for i := range plans {
		if _, ok := a.way(p.profiles[i].way(&plans[i], &s)); !ok && plans[i].effort > 0 {
			plans[i].effort = outOfReach
		}
	}
	return p.next(&s, plans), nil
}

// way is the plan for the profile, without words.
func (q *profile) way(so *plan, s *Scores) Next {
	return Next{Level: q.level, Profile: q.name, things: q.missing(so, s), serves: so.serves[:len(q.needs)]}
}

// next lists the shortest ways to each level that is not reached, the easiest first.
func (p *Policy) next(s *Scores, plans []plan) []Next {
	next := make([]Next, 0, 4)
	ways := make([]int, 0, 16) // profiles of a level that take the fewest things
	for i := 0; i < len(p.profiles); {
		level := p.profiles[i].level
		ways = ways[:0]
		for ; i < len(p.profiles) && p.profiles[i].level == level; i++ {
			if plans[i].effort == outOfReach {
				continue
			}
			if len(ways) > 0 && plans[i].effort.things() < plans[ways[0]].effort.things() {
				ways = ways[:0]
			}
			if len(ways) == 0 || plans[i].effort.things() == plans[ways[0]].effort.things() {
				ways = append(ways, i)
			}
		}
		if len(ways) == 0 || plans[ways[0]].effort == 0 {
			continue
		}
		slices.SortStableFunc(ways, func(a, b int) int {
			return cmp.Or(cmp.Compare(plans[a].effort, plans[b].effort), cmp.Compare(p.profiles[a].weight, p.profiles[b].weight))
		})
		shown := len(next)
		for _, at := range ways {
			if len(next) == shown+mostWays {
				break
			}
			way := p.profiles[at].way(&plans[at], s)
			if slices.ContainsFunc(next[shown:], func(easier Next) bool { return asksAsMuch(way.things, easier.things) }) {
				continue
			}
			way.Missing = make([]string, len(way.things))
			for j, t := range way.things {
				way.Missing[j] = p.say(t, s)
			}
			next = append(next, way)
		}
	}
	return next
}

// say puts a thing to do into words.
func (p *Policy) say(t thing, s *Scores) string {
	switch t.check {
	case checkStrength:
		return p.bring[min(len(s.Evidence), 1)][t.strength][t.score]
	case checkValidity:
		e := s.Evidence[t.index]
		name := "the " + strings.ReplaceAll(e.Kind, "_", " ")
		if e.Kind == "" || slices.ContainsFunc(s.Evidence, func(o Evidence) bool { return o != e && strings.EqualFold(o.Kind, e.Kind) }) {
			name = "piece " + strconv.Itoa(t.index+1) + " of the evidence"
		}
		return "raise the validity of " + name + " from " + strconv.Itoa(e.Validity) + " to " + strconv.Itoa(t.score) + ": " + p.words[checkValidity][t.score]
	default:
		return p.reach[t.check][t.score][s.of(t.check)]
	}
}

// phrase makes the sentences that say needs again and again.
func (p *Policy) phrase() {
	for score := range p.words[checkValidity] {
		for strength := range p.words[checkStrength] {
			of := fmt.Sprintf("piece of evidence of strength %d with validity %d", strength, score)
			words := p.words[checkStrength][strength] + ": " + p.words[checkValidity][score]
			p.bring[0][strength][score] = "a " + of + ", " + words
			p.bring[1][strength][score] = "another " + of + ", of a kind not used yet, " + words
		}
		for _, c := range personChecks() {
			for has := range p.reach[c][score] {
				p.reach[c][score][has] = fmt.Sprintf("%s score %d (has %d): %s", c, score, has, p.words[c][score])
			}
		}
	}
}
