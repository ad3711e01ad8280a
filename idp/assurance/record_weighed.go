package assurance

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// weighed is a piece as rules look at it, with what its checks established.
type weighed struct {
	Piece
	kind    kindRow
	checks  []established // that did not fail, in the order of the record
	late    []established // the same, but made when the piece had expired: of it they show nothing
	failed  []Check
	useless string // why it is worth nothing, whatever was found; empty: it is not
}

// established is a check and what counts of its facts.
type established struct {
	Check
	counts []Fact
}

// weigh makes of a record what rules look at, and refuses one that contradicts itself.
func (t *scoringTables) weigh(pieces []Piece, at time.Time) ([]weighed, error) {
	if len(pieces) > MaxPieces {
		return nil, fmt.Errorf("the record has %d pieces: at most %d are looked at", len(pieces), MaxPieces)
	}
	var all []weighed
	seen := map[string]string{} // the ids of pieces, and of checks with the piece of each
	for _, p := range pieces {
		if err := p.Validate(); err != nil {
			return nil, fmt.Errorf("piece %q: %w", shorten(p.ID), err)
		}
		if _, twice := seen["piece "+p.ID]; twice {
			return nil, fmt.Errorf("there are two pieces of id %q", p.ID)
		}
		seen["piece "+p.ID] = p.ID
		if p.IssuedOn > day(at) {
			return nil, fmt.Errorf("piece %q is issued on %s, which is yet to come", p.ID, p.IssuedOn)
		}
		for _, c := range p.Checks {
			if other, twice := seen["check "+c.ID]; twice {
				return nil, fmt.Errorf("pieces %q and %q both have a check %q", other, p.ID, c.ID)
			}
			seen["check "+c.ID] = p.ID
			if c.At.After(at) {
				return nil, fmt.Errorf("piece %q: check %q is of %s, which is yet to come", p.ID, c.ID, c.At.Format(time.RFC3339))
			}
		}
		if first := pieces[0]; p.Subject != first.Subject {
			return nil, fmt.Errorf("pieces %q and %q are about different people: withdraw the one that is not about this person", first.ID, p.ID)
		}
		known := slices.IndexFunc(all, func(w weighed) bool { return w.same(p) })
		if known < 0 {
			all = append(all, weighed{Piece: p, kind: t.kinds[kindKey{p.Type, p.Kind}]})
			known = len(all) - 1
		} else if err := all[known].join(p); err != nil {
			return nil, err
		}
		all[known].note(t, p.Checks)
	}
	for i := range all {
		all[i].expire(all)
	}
	for i := range all {
		all[i].useless = all[i].flaw(all)
	}
	return all, nil
}

// same says whether the piece is this one once more: of the same kind and number, and by no other issuer. What is said of
// the issuer the one time and not the other is no difference. Facts of two pieces are put together only where they are surely
// of one, and so this asks for more than mayBe, by which what failed is held against a piece.
func (w *weighed) same(p Piece) bool {
	return p.Number != "" && p.Number == w.Number && p.Type == w.Type && p.Kind == w.Kind &&
		agree(p.Country, w.Country) && agree(p.Jurisdiction, w.Jurisdiction) && within(p.Jurisdiction, w.Country) && within(w.Jurisdiction, p.Country)
}

// agree says whether two things that were said, or left unsaid, can both be true.
func agree(a, b string) bool { return a == "" || b == "" || a == b }

// mayBe says whether the pieces may be the same one. Of one person no two of a kind have the same number, whoever is said to
// be the issuer; and one whose number is not on record may be any.
func (w *weighed) mayBe(o weighed) bool {
	return o.Type == w.Type && o.Kind == w.Kind && agree(o.Number, w.Number)
}

// join adds what was put on record of the same piece another time.
func (w *weighed) join(p Piece) error {
	w.Country, w.Jurisdiction = cmp.Or(w.Country, p.Country), cmp.Or(w.Jurisdiction, p.Jurisdiction)
	for _, date := range []struct {
		name       string
		mine, also *string
	}{{"issued_on", &w.IssuedOn, &p.IssuedOn}, {"expires_on", &w.ExpiresOn, &p.ExpiresOn}} {
		switch {
		case *date.mine == "":
			*date.mine = *date.also
		case *date.also != "" && *date.also != *date.mine:
			return fmt.Errorf("pieces %q and %q are the same %s, and their %s differs: %s, %s", w.ID, p.ID, p.Kind, date.name, *date.mine, *date.also)
		}
	}
	w.Features = unique(slices.Concat(w.Features, p.Features))
	return nil
}

func (w *weighed) note(t *scoringTables, checks []Check) {
	for _, c := range checks {
		if c.Failed {
			w.failed = append(w.failed, c)
		} else {
			w.checks = append(w.checks, established{c, t.counting(c.Facts)})
		}
	}
}

// counting is what counts of the facts of one check: those that follow from others too, and none that lack what has to be
// established beside them.
func (t *scoringTables) counting(facts []Fact) []Fact {
	all := slices.Clone(facts)
	for i := 0; i < len(all); i++ { // it grows
		for _, f := range t.facts[all[i]].implies {
			if !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	var counts []Fact
	for _, f := range all {
		beside := t.facts[f].countsWith
		if beside == nil || slices.ContainsFunc(beside, func(needed []Fact) bool { return containsAll(all, needed) }) {
			counts = append(counts, f)
		}
	}
	return counts
}

// expiredGrace is for how many months after its expiry a passport counts: UK digital identity and attributes trust
// framework 1.0, Section 5.2. No other document does.
const expiredGrace = 12

// graceEnds is the last day on which a passport counts that expired on a day.
func graceEnds(expiresOn string) string {
	expired, err := time.Parse(time.DateOnly, expiresOn)
	if err != nil {
		return expiresOn // which is not a day that was validated
	}
	return expired.AddDate(0, expiredGrace, 0).Format(time.DateOnly)
}

// expire sets aside the checks that were made when the piece had expired. What was shown of it before stays shown.
func (w *weighed) expire(all []weighed) {
	var checks []established
	for _, c := range w.checks {
		if w.lapse(day(c.At), all) == "" {
			checks = append(checks, c)
		} else {
			w.late = append(w.late, c)
		}
	}
	w.checks = checks
}

// lapse says why a check that was made on a day shows nothing of the piece: it had expired. Empty: it shows what it found.
func (w *weighed) lapse(on string, all []weighed) string {
	inForce := func(o weighed) bool {
		return o.kind.expires && o.IssuedOn <= on && on <= o.ExpiresOn && o.failed == nil
	}
	because := fmt.Sprintf("it had expired on %s when it was checked", w.ExpiresOn)
	switch {
	case w.ExpiresOn == "" || on <= w.ExpiresOn:
		return ""
	case w.Kind != "passport" || graceEnds(w.ExpiresOn) < on:
		return because
	case slices.ContainsFunc(all, inForce):
		return because + ", and another document was in force"
	}
	return ""
}

// flaw says why the piece is worth nothing; empty: it is worth what its checks say.
func (w *weighed) flaw(all []weighed) string {
	failed := slices.IndexFunc(all, func(o weighed) bool { return o.failed != nil && w.mayBe(o) })
	switch {
	case w.failed != nil:
		return fmt.Sprintf("check %s of it failed", w.failed[0].ID)
	case failed >= 0:
		return fmt.Sprintf("check %s failed, of what may be the same %s", all[failed].failed[0].ID, KindWords(w.Kind))
	case w.kind.expires && w.ExpiresOn == "":
		return "its date of expiry is not on record"
	case len(w.checks) == 0 && len(w.late) > 0:
		return w.lapse(day(w.late[0].At), all)
	}
	return ""
}

// established lists the facts that the checks of the piece established together.
func (w *weighed) established() []Fact {
	var all []Fact
	for _, c := range w.checks {
		all = append(all, c.counts...)
	}
	return unique(all)
}

// grade is the best grade that the rows give to the piece; 0: none gives any.
func (w *weighed) grade(rows []gradeRow) gradeRow {
	var best gradeRow
	for _, r := range rows {
		issued := r.issuers == nil || slices.Contains(r.issuers, w.Country) || slices.Contains(r.issuers, w.Jurisdiction)
		if issued && containsAll(w.Features, r.features) && r.grade > best.grade {
			best = r
		}
	}
	return best
}

// checksFor lists the ids of the checks that established any of the facts.
func checksFor(checks []established, facts []Fact) []string {
	var ids []string
	for _, c := range checks {
		if slices.ContainsFunc(c.counts, func(f Fact) bool { return slices.Contains(facts, f) }) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// passed lists the checks that did not fail. What sources say of the person holds also when the piece had expired.
func (w *weighed) passed() []established { return slices.Concat(w.checks, w.late) }

func containsAll[T comparable](all, needed []T) bool {
	return !slices.ContainsFunc(needed, func(item T) bool { return !slices.Contains(all, item) })
}

// words says facts, as the end of a sentence.
func (t *scoringTables) words(facts []Fact) string {
	var meanings []string
	for _, f := range facts {
		meanings = append(meanings, t.facts[f].meaning)
	}
	return strings.Join(meanings, "; ")
}

// plain writes a word of the vocabulary as people do.
func plain[T ~string](word T) string { return strings.ReplaceAll(string(word), "_", " ") }
