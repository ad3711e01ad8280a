package assurance

import "slices"

// AuthenticatorType is what an authenticator counts as by GPG 44, in the words of the UK data schema 1.0.
type AuthenticatorType string

// The authenticator types: something that is known, that somebody has, that she is.
const (
	PINAuthenticator       AuthenticatorType = "pin"
	PasswordAuthenticator  AuthenticatorType = "password"
	PhysicalToken          AuthenticatorType = "physical_token"
	DigitalToken           AuthenticatorType = "digital_token"
	BiometricAuthenticator AuthenticatorType = "biometric"
)

func authenticatorTypes() []AuthenticatorType {
	return []AuthenticatorType{PINAuthenticator, PasswordAuthenticator, PhysicalToken, DigitalToken, BiometricAuthenticator}
}

// similar is the one type that stands for all of which several count as one: two things that are known are no better
// than one.
func (t AuthenticatorType) similar() AuthenticatorType {
	switch t {
	case PINAuthenticator:
		return PasswordAuthenticator
	case PhysicalToken:
		return DigitalToken
	default:
		return t
	}
}

// Protection is how well an authentication is protected, by GPG 44.
type Protection string

// The protections, lowest first. What is less than low is none.
const (
	NoProtection       Protection = "none"
	LowProtection      Protection = "low"
	MediumProtection   Protection = "medium"
	HighProtection     Protection = "high"
	VeryHighProtection Protection = "very_high"
)

func protections() []Protection {
	return []Protection{LowProtection, MediumProtection, HighProtection, VeryHighProtection}
}

// Protected is an authentication by GPG 44, in the form of the UK data schema 1.0.
type Protected struct {
	Protection     Protection      `json:"authenticator_protection"`
	Multifactor    bool            `json:"multifactor"`
	Monitoring     bool            `json:"monitoring"`
	Authenticators []Authenticator `json:"authenticators"`
}

// Authenticator is an authenticator by GPG 44.
type Authenticator struct {
	Type    AuthenticatorType `json:"authenticator_type"`
	Quality Quality           `json:"authenticator_quality"`
}

// GPG44 is the quality of each authenticator of the sign-in and the protection that they give together, where sign-ins are
// monitored for what is unusual, or not. The tables are our policy: the guide's were not read.
func (a Authentication) GPG44(monitored bool) Protected {
	t := tables()
	p := Protected{Monitoring: monitored, Authenticators: []Authenticator{}}
	for _, f := range a.Factors {
		for _, kind := range authenticatorTypes() {
			if q := t.qualityOf(f, kind); q != "" {
				p.Authenticators = append(p.Authenticators, Authenticator{kind, q})
			}
		}
	}
	best := bestOfEach(p.Authenticators)
	p.Multifactor = len(best) > 1
	p.Protection = t.protect(best, monitored)
	return p
}

// protect is the highest protection that qualities of different types, best first, give together.
func (t *scoringTables) protect(best []Quality, monitored bool) Protection {
	highest := NoProtection
	for _, row := range t.protection {
		if row.reached(best, monitored) && slices.Index(protections(), row.protection) > slices.Index(protections(), highest) {
			highest = row.protection
		}
	}
	return highest
}

// qualityOf is the best quality that the factor has as an authenticator of the type; empty: it is none.
func (t *scoringTables) qualityOf(f Factor, kind AuthenticatorType) Quality {
	best := Quality("")
	for _, row := range t.quality {
		if row.method == f.Method && row.authenticator == kind && f.has(row.facts) && row.quality.rank() > best.rank() {
			best = row.quality
		}
	}
	return best
}

// factorFacts lists the facts of a factor as tables name them.
func factorFacts() []string { return []string{"user_verified", "device_bound", "attested", "approved"} }

func (f Factor) has(facts []string) bool {
	known := []bool{f.UserVerified, f.DeviceBound, f.Attested, f.Approved}
	return !slices.ContainsFunc(facts, func(name string) bool { return !known[slices.Index(factorFacts(), name)] })
}

// bestOfEach is the best quality of each type of which several count as one, best first.
func bestOfEach(authenticators []Authenticator) []Quality {
	best := map[AuthenticatorType]Quality{}
	for _, a := range authenticators {
		if kind := a.Type.similar(); a.Quality.rank() > best[kind].rank() {
			best[kind] = a.Quality
		}
	}
	var list []Quality
	for _, q := range slices.Backward(qualities()) {
		for _, b := range best {
			if b == q {
				list = append(list, q)
			}
		}
	}
	return list
}

// reached says whether qualities, best first, are those of the row, which are best first too.
func (r protectionRow) reached(best []Quality, monitored bool) bool {
	if len(best) < len(r.qualities) || (r.monitoring && !monitored) {
		return false
	}
	for i, least := range r.qualities {
		if best[i].rank() < least.rank() {
			return false
		}
	}
	return true
}
