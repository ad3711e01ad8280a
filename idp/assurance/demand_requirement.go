package assurance

import (
	"cmp"
	"slices"
	"strings"
)

// requirement is what a name takes. The zero value takes nothing.
type requirement struct {
	never             bool // nothing here can meet it
	authenticator     AuthenticatorLevel
	amr               string // values of RFC 8176, all of them, with spaces between
	methods           string // for each of these, the methods that say it, with bars between
	phishingResistant bool
	hardwareBound     bool
	identity          IdentityLevel // "": none
}

// and takes both.
func (q requirement) and(o requirement) requirement {
	q.never = q.impossible() || o.impossible()
	q.authenticator = max(q.authenticator, o.authenticator)
	q.amr = both(q.amr, o.amr)
	q.methods = both(q.methods, o.methods)
	q.phishingResistant = q.phishingResistant || o.phishingResistant
	q.hardwareBound = q.hardwareBound || o.hardwareBound
	if o.identity != "" && (q.identity == "" || rank(o.identity) > rank(q.identity)) {
		q.identity = o.identity
	}
	return q
}

func both(list, other string) string {
	switch "" {
	case list:
		return other
	case other:
		return list
	}
	return list + " " + other
}

// rank orders identity levels.
func rank(l IdentityLevel) int { return slices.Index(IdentityLevels(), l) }

// impossible says whether nothing can meet the requirement. Levels that there are not are such.
func (q requirement) impossible() bool {
	return q.never || q.authenticator > AAL3 || (q.identity != "" && !q.identity.Known())
}

func (q requirement) metBy(r Reached) bool {
	return !q.impossible() && q.identified(r.Identity) && q.authenticated(r.Authenticator, r.AMR)
}

func (q requirement) identified(l IdentityLevel) bool {
	return q.identity == "" || max(rank(l), 0) >= rank(q.identity)
}

// authenticated says whether a sign-in is what the requirement asks of authenticators.
func (q requirement) authenticated(l AuthenticatorLevel, amr []string) bool {
	switch {
	case l < q.authenticator:
		return false
	case q.phishingResistant && l < AAL3 && !slices.ContainsFunc(amr, showsKey): // AAL3 always is: NIST SP 800-63B-4, Section 2.3
		return false
	case q.hardwareBound && !slices.ContainsFunc(amr, showsHardware):
		return false
	}
	for rest := q.amr; rest != ""; {
		value, after, _ := strings.Cut(rest, " ")
		if !slices.Contains(amr, value) {
			return false
		}
		rest = after
	}
	return true
}

// showsHardware says whether a value that [Authentication.AMR] gives shows that a key is in hardware of a known model.
func showsHardware(amr string) bool { return amr == "hwk" || amr == "sc" }

// showsKey says whether it shows that there is a key. The answers of all are bound to the name of who asks, or to the channel,
// which is what resists phishing: NIST SP 800-63B-4, Section 3.2.5.
func showsKey(amr string) bool { return showsHardware(amr) || amr == "pop" || amr == "swk" }

// stepsDown says whether all that the sign-in misses is a weaker method than the one that was used.
func (q requirement) stepsDown(r Reached) bool {
	if q.authenticator >= r.Authenticator || q.authenticated(r.Authenticator, r.AMR) {
		return false
	}
	q.amr = ""
	return q.authenticated(r.Authenticator, r.AMR)
}

// missing is the part of the requirement that was not reached.
func (q requirement) missing(r Reached) Gap {
	if q.impossible() {
		return Gap{Impossible: true}
	}
	var g Gap
	if !q.identified(r.Identity) {
		g.Identity = q.identity
	}
	if !q.authenticated(r.Authenticator, r.AMR) { // the whole of it: a sign-in takes the place of the one before
		g.Authenticator = q.authenticator
		g.PhishingResistant, g.HardwareBound = q.phishingResistant, q.hardwareBound
		g.Methods = q.useful()
		if q.amr != "" {
			g.AMR = strings.Fields(q.amr)
		}
	}
	return g
}

// useful lists the methods that say some of the amr values.
func (q requirement) useful() []Method {
	var methods []Method
	for name := range strings.FieldsFuncSeq(q.methods, func(r rune) bool { return r == ' ' || r == '|' }) {
		if !slices.Contains(methods, Method(name)) {
			methods = append(methods, Method(name))
		}
	}
	return methods
}

// compare orders requirements, weakest first.
func (q requirement) compare(o requirement) int {
	nobody := Reached{}
	return q.missing(nobody).compare(o.missing(nobody))
}

// compare orders gaps by what it takes to close them: those that can be closed first, then those of the fewest steps, then
// those of the lowest. Proving an identity, at a desk, is a higher step than any sign-in.
func (g Gap) compare(o Gap) int {
	return cmp.Or(
		cmp.Compare(count(g.Impossible), count(o.Impossible)),
		cmp.Compare(g.steps(), o.steps()),
		cmp.Compare(rank(g.Identity), rank(o.Identity)),
		cmp.Compare(g.Authenticator, o.Authenticator),
		cmp.Compare(g.conditions(), o.conditions()),
	)
}

func (g Gap) steps() int { return count(g.Identity != "") + count(g.Authenticator != 0) }

func (g Gap) conditions() int {
	return len(g.AMR) + count(g.PhishingResistant) + count(g.HardwareBound)
}

func count(b bool) int {
	if b {
		return 1
	}
	return 0
}
