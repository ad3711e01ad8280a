package assurance

import (
	"cmp"
	_ "embed" // of the table
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// plainWords is the table of what a person reads of all this.
//
//go:embed plain-words.csv
var plainWords string

// wordsFor are the words of a row, or "".
func wordsFor(about, score, name string) string {
	for line := range strings.Lines(plainWords) {
		if words, ok := strings.CutPrefix(line, about+","+score+","+name+","); ok {
			return strings.TrimSuffix(words, "\n")
		}
	}
	return ""
}

// KindWords is how people call a kind of document or record.
func KindWords(kind string) string { return cmp.Or(wordsFor("kind", "", kind), plain(kind)) }

// Advise says what is to be done for a level, to whoever goes to a registration desk and knows nothing of scores: the ways of
// next, which was found for the scores of these pieces, in sentences. Of a way everything is to be done; any way will do.
//
// It looks behind the scores at what is on record, and names what is missing there: often a single fact. Where one thing is
// enough it tells no way that takes more, and never one that no desk can go by the tables, so that there may be none. Nor
// does it say what a check against fraud found: whoever asks may be an impostor.
//
// It says it in the language into which say translates: each sentence with its verbs (package fmt), and each text that is put into
// one. Nil leaves it as it stands, in English.
func Advise(next []Next, level IdentityLevel, pieces []Piece, say func(string) string) ([][]string, error) {
	a, err := newAdviser(pieces, say)
	if err != nil {
		return nil, fmt.Errorf("say what is missing: %w", err)
	}
	var ways []advice
	for _, n := range next {
		if n.Level != level {
			continue
		}
		way, ok := a.way(n)
		if ok && !slices.ContainsFunc(ways, func(o advice) bool { return slices.Equal(o.steps, way.steps) }) {
			ways = append(ways, way)
		}
	}
	slices.SortStableFunc(ways, func(a, b advice) int { return cmp.Compare(a.effort, b.effort) })
	var said [][]string
	for _, way := range ways {
		if ways[0].effort > 1 || way.effort == 1 {
			said = append(said, way.steps)
		}
	}
	return said, nil
}

// advice is what is to be done, in sentences, and how many things that are.
type advice struct {
	steps  []string
	effort int
}

func (way *advice) add(effort int, sentence string) {
	way.steps, way.effort = append(way.steps, sentence+"."), way.effort+effort
}

// adviser looks for what is missing behind the scores.
type adviser struct {
	t        *scoringTables
	all      []weighed
	scored   []weighed // as Scores.Evidence has them
	validity []int     // of each of those
	fraud    int
	say      func(string) string
}

func newAdviser(pieces []Piece, say func(string) string) (*adviser, error) {
	var at time.Time // when all of this was there
	for _, p := range pieces {
		if issued, err := readDate(p.IssuedOn); err == nil && issued.After(at) {
			at = issued
		}
		for _, c := range p.Checks {
			if c.At.After(at) {
				at = c.At
			}
		}
	}
	t := tables()
	all, err := t.weigh(pieces, at)
	if err != nil {
		return nil, err
	}
	if say == nil {
		say = func(text string) string { return text }
	}
	a := &adviser{t: t, all: all, fraud: t.scoreFraud(all).Score, say: say}
	for _, w := range all {
		if t.scoreStrength(w).Score > 0 {
			a.scored, a.validity = append(a.scored, w), append(a.validity, t.scoreValidity(w).Score)
		}
	}
	return a, nil
}

// sayf is a sentence with texts or values in it.
func (a *adviser) sayf(format string, args ...any) string { return fmt.Sprintf(a.say(format), args...) }

// wordsFor are the words of a row, or "".
func (a *adviser) wordsFor(about, score, name string) string {
	words := wordsFor(about, score, name)
	if words == "" {
		return ""
	}
	return a.say(words)
}

// way says what a way takes. It is not ok when no desk can go it.
func (a *adviser) way(n Next) (way advice, ok bool) {
	for _, next := range n.things {
		switch next.check {
		case checkStrength:
			ok = a.bring(&way, next, n)
		case checkValidity:
			ok = a.prove(&way, next)
		case checkActivity:
			ok = a.live(&way, next.score)
		case checkFraud:
			var work []string
			for score := a.fraud + 1; score <= next.score; score++ {
				work = append(work, a.wordsFor("fraud", strconv.Itoa(score), ""))
			}
			way.add(1, a.sayf("The desk has to %s. You bring nothing for that", list(work, a.say("and"))))
			ok = true
		case checkVerification:
			a.compare(&way, next.score, n)
			ok = true
		}
		if !ok {
			return advice{}, false
		}
	}
	return way, len(way.steps) > 0
}

// bring asks for a piece of a kind that the way does not build on already.
func (a *adviser) bring(way *advice, next thing, n Next) bool {
	var examples []string
	for line := range strings.Lines(plainWords) {
		rest, _ := strings.CutPrefix(line, "bring,"+strconv.Itoa(next.strength)+",")
		kind, words, _ := strings.Cut(strings.TrimSuffix(rest, "\n"), ",")
		_, document := a.t.kinds[kindKey{Document, kind}]
		used := slices.ContainsFunc(n.serves, func(i int) bool { return i != notThere && a.scored[i].Kind == kind })
		if rest != line && !used && (document || next.score <= 2) && len(examples) < 3 {
			examples = append(examples, a.say(words))
		}
	}
	bring := "Bring a proof of who you are, such as %s: the desk has to %s"
	if len(a.scored) > 0 || len(way.steps) > 0 {
		bring = "Bring another proof of who you are, such as %s: the desk has to %s"
	}
	way.add(2, a.sayf(bring, list(examples, a.say("or")), a.new(next.strength, next.score)))
	return len(examples) > 0
}

// new is what a desk has to do with a document that it has not seen before.
func (a *adviser) new(strength, validity int) string {
	chip := ""
	if strength == checkStrength.most() {
		chip = "chip"
	}
	score := strconv.Itoa(validity)
	return cmp.Or(a.wordsFor("new", score, chip), a.wordsFor("new", score, ""))
}

// prove says what is missing for the validity of a piece that is on record.
func (a *adviser) prove(way *advice, next thing) bool {
	w := a.scored[next.index]
	undated := w.undated()
	switch {
	case a.tainted(w):
		return false
	case w.spent():
		bring, kind := "Bring a %s that has not expired: the desk has to %s", KindWords(w.Kind)
		if strings.HasPrefix(article(kind), "an ") {
			bring = "Bring an %s that has not expired: the desk has to %s"
		}
		way.add(2, a.sayf(bring, a.say(kind), a.new(a.t.scoreStrength(w).Score, next.score)))
		return true
	}
	var todo []Fact
	least, able := 0, false
	for _, row := range a.t.validity {
		lacks := without(row.facts, w.established())
		if row.score < next.score || slices.ContainsFunc(lacks, func(f Fact) bool { return !a.canEstablish(f, w) }) {
			continue
		}
		if effort := a.checks(lacks); !able || effort < least || effort == least && len(lacks) < len(todo) {
			todo, least, able = lacks, effort, true
		}
	}
	var work []string
	if undated {
		work, least = append(work, a.say("put its date of expiry on record")), max(least, 1)
	}
	var beside []Fact
	for _, f := range todo {
		work, beside = append(work, a.wordsFor("fact", "", string(f))), append(beside, a.beside(f, w)...)
	}
	has := list(work, a.say("and"))
	if beside = unique(beside); len(beside) > 0 {
		has += a.sayf(", and put on record that %s", list(a.meanings(beside), a.say("and that")))
	}
	if w.Type == Document {
		way.add(least, a.sayf("Bring your %s again: the desk has to %s", a.name(w), has))
	} else {
		way.add(least, a.sayf("Have your %s looked at again: the desk has to %s", a.name(w), has))
	}
	return able
}

// tainted says whether a check failed of what may be the piece. It is worth nothing until that is withdrawn.
func (a *adviser) tainted(w weighed) bool {
	return slices.ContainsFunc(a.all, func(o weighed) bool { return o.failed != nil && w.mayBe(o) })
}

// undated says whether only its date of expiry is missing on record for the piece to be worth something.
func (w *weighed) undated() bool { return w.kind.expires && w.ExpiresOn == "" && w.failed == nil }

// spent says whether a desk can show nothing more of the piece: it is known to have expired, or is worth nothing for good.
func (w *weighed) spent() bool { return len(w.late) > 0 || w.useless != "" && !w.undated() }

// canEstablish says whether a desk can find out the fact about what somebody brings.
func (a *adviser) canEstablish(f Fact, w weighed) bool {
	if w.Type == Document && (f == "digital_genuine" || f == cryptographic && !slices.Contains(w.Features, BiometricChip)) {
		return false
	}
	return slices.ContainsFunc(a.t.facts[f].methods, func(m CheckMethod) bool { return slices.Contains(a.t.methods[m].types, w.Type) })
}

// checks is how many checks at least establish the facts: those that have a method in common are one.
func (a *adviser) checks(facts []Fact) int {
	n := 0
	for i, f := range facts {
		if !slices.ContainsFunc(facts[:i], func(o Fact) bool {
			return slices.ContainsFunc(a.t.facts[f].methods, func(m CheckMethod) bool { return slices.Contains(a.t.facts[o].methods, m) })
		}) {
			n++
		}
	}
	return n
}

// mostLacking is how many facts that a check lacks are named. Of more it is not the same check again.
const mostLacking = 2

// beside is what is missing of a check that found the fact, for the fact to count.
func (a *adviser) beside(f Fact, w weighed) []Fact {
	for _, c := range w.checks {
		if !slices.Contains(c.Facts, f) {
			continue
		}
		for _, needed := range a.t.facts[f].countsWith {
			if lacks := without(needed, c.Facts); len(lacks) <= mostLacking {
				return lacks
			}
		}
	}
	return nil
}

func (a *adviser) meanings(facts []Fact) (words []string) {
	for _, f := range facts {
		words = append(words, a.say(a.t.facts[f].meaning))
	}
	return words
}

// live asks for an account that was in use.
func (a *adviser) live(way *advice, score int) bool {
	months := 0
	for _, row := range a.t.activity {
		if row.score >= score && (months == 0 || row.months < months) {
			months = row.months
		}
	}
	way.add(1, a.sayf("Bring the details of an account that you have used for at least %d months, such as a current account", months))
	return months > 0
}

// compare says what is missing to show that the person is the one of the evidence: of the comparison that comes closest, or
// all of it. It says nothing where a comparison is only waiting for what the way proves of its document.
func (a *adviser) compare(way *advice, score int, n Next) {
	var with *weighed // whose photo
	lacks := make([]Fact, mostLacking+1)
	for i := range a.scored {
		w := &a.scored[i]
		mended := w.undated() && a.after(n, i) > a.validity[i]
		if !w.kind.portrait || w.spent() || w.useless != "" && !mended {
			continue
		}
		for _, row := range a.t.verification {
			if row.score < score || a.after(n, i) < row.leastValidity {
				continue
			}
			with = cmp.Or(with, w)
			for _, c := range w.checks {
				if missing := without(row.facts, c.counts); slices.Contains(row.methods, c.Method) && len(missing) < len(lacks) {
					with, lacks = w, missing
				}
			}
		}
	}
	photo := a.say("the photo of a document that you bring, such as a passport")
	switch brings := slices.ContainsFunc(n.things, a.bringsPhoto); {
	case brings && (with == nil || len(lacks) > mostLacking):
		photo = a.say("the photo of the document that you bring")
	case with != nil:
		photo = a.sayf("the photo of your %s", a.name(*with))
	}
	switch {
	case len(lacks) == 0:
	case len(lacks) <= mostLacking:
		way.add(1, a.sayf("Have your face compared with %s again: it is not on record that %s", photo, list(a.meanings(lacks), a.say("and that"))))
	default:
		way.add(1, a.sayf("Have your face compared with %s%s", photo, a.wordsFor("face", strconv.Itoa(score), "")))
	}
}

// after is the validity of a piece when the way was gone.
func (a *adviser) after(n Next, piece int) int {
	for _, t := range n.things {
		if t.check == checkValidity && t.index == piece {
			return t.score
		}
	}
	return a.validity[piece]
}

// bringsPhoto says whether a thing is to bring a new document that has a photo.
func (a *adviser) bringsPhoto(t thing) bool {
	switch t.check {
	case checkStrength:
		return t.strength > 2 && t.score > 2 || t.strength == checkStrength.most()
	case checkValidity:
		w := a.scored[t.index]
		return w.kind.portrait && w.spent()
	default:
		return false
	}
}

// name tells a piece from others of its kind by its expiry.
func (a *adviser) name(w weighed) string {
	name := a.say(KindWords(w.Kind))
	expires, err := readDate(w.ExpiresOn)
	others := slices.ContainsFunc(a.scored, func(o weighed) bool { return o.Kind == w.Kind && o.ID != w.ID })
	if others && err == nil && !expires.IsZero() {
		name = a.sayf("%s that expires on %s", name, expires.Format("2 ")+a.say(expires.Month().String())+expires.Format(" 2006"))
	}
	return name
}

func without(facts, found []Fact) []Fact {
	return slices.DeleteFunc(slices.Clone(facts), func(f Fact) bool { return slices.Contains(found, f) })
}

func article(noun string) string {
	if strings.ContainsRune("aeiou", rune(noun[0])) {
		return "an " + noun
	}
	return "a " + noun
}

// list is words as a sentence lists them.
func list(words []string, conjunction string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}
