package assurance

import (
	"fmt"
	"iter"
	"strings"
)

// Reached is what was reached: by the sign-in, and by proving the identity at whatever time.
type Reached struct {
	Authenticator AuthenticatorLevel
	AMR           []string
	Identity      IdentityLevel
}

// Demand is what a request asks, and what its client always asks. It travels with the request, sealed. Of values that name
// alternatives one has to be met, and likewise of vectors.
type Demand struct {
	Values    []string  `json:"values,omitempty"`  // acr values, in order of preference
	Vectors   []string  `json:"vectors,omitempty"` // vtr, in order of preference
	Trustmark Trustmark `json:"trustmark,omitempty"`
	Essential bool      `json:"essential,omitempty"` // refused when unmet: OpenID Connect Core 1.0, Section 5.5.1.1

	// The client's minimum levels are always essential.
	MinimumAuthenticator AuthenticatorLevel `json:"minimum_authenticator,omitempty"`
	MinimumIdentity      IdentityLevel      `json:"minimum_identity,omitempty"`
}

// Gap is what is missing for the nearest alternative that a demand accepts. The zero value is nothing.
//
// When the authenticator is missing, everything is said that the sign-in has to be, for it takes the place of the one before.
type Gap struct {
	Authenticator     AuthenticatorLevel `json:"authenticator,omitempty"` // the least AAL of another sign-in; 0: no other is needed
	Methods           []Method           `json:"methods,omitempty"`       // only these will do, together where one is not enough; nil: any
	AMR               []string           `json:"amr,omitempty"`           // the sign-in has to have all of these
	PhishingResistant bool               `json:"phishing_resistant,omitempty"`
	HardwareBound     bool               `json:"hardware_bound,omitempty"`
	Identity          IdentityLevel      `json:"identity,omitempty"`   // the level to be proved; "": nothing
	Impossible        bool               `json:"impossible,omitempty"` // no step leads there: nothing here meets any alternative
	Essential         bool               `json:"essential,omitempty"`  // as things are, the request is refused
}

// Empty says whether nothing is missing.
func (g Gap) Empty() bool { return g.steps() == 0 && !g.Impossible }

// MetBy says whether a sign-in of that level and those methods would close the gap as far as signing in can.
func (g Gap) MetBy(level AuthenticatorLevel, amr []string) bool {
	return requirement{
		never: g.Impossible, authenticator: g.Authenticator, amr: strings.Join(g.AMR, " "),
		phishingResistant: g.PhishingResistant, hardwareBound: g.HardwareBound,
	}.metBy(Reached{Authenticator: level, AMR: amr})
}

// The most that is read of acr_values. More is refused.
const (
	maxValues = 20
	maxValue  = 200 // bytes
)

// ParseValues reads the parameter acr_values: OpenID Connect Core 1.0, Section 3.1.2.1. Values that are not known stay:
// when one of the values is essential, they count as unmet.
func ParseValues(acrValues string) ([]string, error) {
	if len(acrValues) > maxValues*(maxValue+1) {
		return nil, fmt.Errorf("read acr values: they have %d bytes: want at most %d", len(acrValues), maxValues*(maxValue+1))
	}
	var values []string
	for v := range strings.SplitSeq(acrValues, " ") {
		if v != "" {
			values = append(values, v)
		}
	}
	return values, CheckValues(values)
}

// CheckValues refuses lists of acr values that are too long, as those of the parameter claims can be.
func CheckValues(values []string) error {
	if len(values) > maxValues {
		return fmt.Errorf("read acr values: there are %d: want at most %d", len(values), maxValues)
	}
	for i, v := range values {
		if v == "" || len(v) > maxValue {
			return fmt.Errorf("read acr values: value %d has %d bytes: want 1 to %d", i+1, len(v), maxValue)
		}
	}
	return nil
}

// Required is the part of the demand without which a request is refused.
func (d Demand) Required() Demand {
	if !d.Essential {
		d.Values, d.Vectors = nil, nil
	}
	return d
}

// Satisfied says whether what was reached is all that is essential.
func (d Demand) Satisfied(r Reached) bool {
	for q := range d.Required().alternatives() {
		if q.metBy(r) {
			return true
		}
	}
	return false
}

// Gap is what is missing for the nearest alternative, by the fewest and lowest steps and then by preference. Somebody who
// cannot close it, and has no need to, may still have to close that of [Demand.Required].
//
// Nobody is asked for a weaker method than was used because a request would like it better. Whether some sign-in would do
// for any of the alternatives is the gap after it.
func (d Demand) Gap(r Reached) Gap {
	var nearest Gap
	found := false
	for q := range d.alternatives() {
		if q.metBy(r) {
			return Gap{}
		}
		if !d.Essential && q.stepsDown(r) {
			continue
		}
		if g := q.missing(r); !found || g.compare(nearest) < 0 {
			nearest, found = g, true
		}
	}
	if !d.Essential && (!found || nearest.Impossible) {
		if least := d.minimum(); !least.metBy(r) {
			nearest = least.missing(r)
		}
	}
	nearest.Essential = !d.Satisfied(r)
	return nearest
}

// Answer is what is told of what was reached. acr is the value that was asked for and met, and otherwise the class of the
// level. vector is the one that was asked for and met, otherwise the one that is true, and "" when none was asked for.
// It says what is so; whether that will do is for [Demand.Satisfied].
func (d Demand) Answer(r Reached) (acr, vector string) {
	if r.Authenticator >= AAL1 {
		acr = r.Authenticator.ACR()
	}
	if value, ok := d.metValue(r); ok {
		acr = value
	}
	if len(d.Vectors) == 0 {
		return acr, ""
	}
	for _, v := range d.Vectors {
		if q, err := d.Trustmark.parse(v); err == nil && q.metBy(r) {
			return acr, v
		}
	}
	return acr, d.Trustmark.Vector(r)
}

// metValue is the acr value to answer with, if one was met.
func (d Demand) metValue(r Reached) (string, bool) {
	service, combined := d.service()
	if combined {
		for _, q := range d.values() {
			if !q.metBy(r) {
				return "", false
			}
		}
		return service, true
	}
	for _, v := range d.Values {
		e, ok := lookUp(acrRows, v)
		if !ok || !e.metBy(r) {
			continue
		}
		// This value is a choice and not a class, so the answer says what was chosen, unless it has to be the value itself.
		if v == "AAL2_OR_AAL3_ANY" && !d.Essential {
			return r.Authenticator.ACR(), true
		}
		return v, true
	}
	return "", false
}

// service is the first service level of login.gov that is asked for. Beside one, values are not alternatives: all are asked
// for together, and the service level is the answer.
func (d Demand) service() (string, bool) {
	for _, v := range d.Values {
		if e, ok := lookUp(acrRows, v); ok && e.vocabulary == loginGov {
			return v, true
		}
	}
	return "", false
}

// alternatives goes through what would do, always with the client's minimum.
func (d Demand) alternatives() iter.Seq[requirement] {
	return func(yield func(requirement) bool) {
		vectors := d.vectors()
		for _, value := range d.values() {
			for _, vector := range vectors {
				if !yield(d.minimum().and(value).and(vector)) {
					return
				}
			}
		}
	}
}

func (d Demand) minimum() requirement {
	return requirement{authenticator: d.MinimumAuthenticator, identity: d.MinimumIdentity}
}

// values lists what the acr values take. Those that are not known are passed over, unless one has to be met. Where nothing
// is asked, nothing is taken.
func (d Demand) values() []requirement {
	var list []requirement
	for _, v := range d.Values {
		e, ok := lookUp(acrRows, v)
		if !ok && d.Essential {
			e.never = true
		}
		if ok || d.Essential {
			list = append(list, e.requirement)
		}
	}
	if len(list) == 0 {
		return []requirement{{}}
	}
	if _, combined := d.service(); combined {
		var all requirement
		for _, q := range list {
			all = all.and(q)
		}
		return []requirement{all}
	}
	return list
}

// vectors lists what the vectors take, by the rules of values.
func (d Demand) vectors() []requirement {
	var list []requirement
	for _, v := range d.Vectors {
		q, err := d.Trustmark.parse(v)
		if err != nil && d.Essential {
			q = requirement{never: true}
		}
		if err == nil || d.Essential {
			list = append(list, q)
		}
	}
	if len(list) == 0 {
		return []requirement{{}}
	}
	return list
}
