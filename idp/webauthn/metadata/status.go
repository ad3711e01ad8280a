package metadata

import (
	"slices"
	"time"
)

// Report is a status that a model has: FIDO Metadata Service v3.1, Sections 3.1.3 and 3.1.4.
type Report struct {
	Status string
	Since  time.Time // the zero time when it always was

	undated bool // it has a date that cannot be read
}

func newReport(status, effectiveDate string) Report {
	r := Report{Status: status}
	if effectiveDate != "" {
		since, err := time.Parse(time.DateOnly, effectiveDate)
		r.Since, r.undated = since, err != nil
	}
	return r
}

// Effect is what the reports on a model take away from whoever uses it.
type Effect struct {
	Refused    bool // nobody signs in with it
	Unverified bool // that it verified its user counts for nothing
	Unattested bool // an attestation of it proves nothing
	Exportable bool // its keys may have left it
	Retired    bool // it is not certified any more
}

// effect is the effect of one status. What is not here has none: UPDATE_AVAILABLE says what is on sale and not what is in a
// person's hand; SELF_ASSERTION_SUBMITTED and the certificates of FIPS 140 are no certification by FIDO; and a status that is
// not known is to be ignored (Section 3.1.4).
//
// A report of a weakness stays in force when the vendor has mended it and the model was certified anew: nothing in a
// sign-in says which firmware is in the authenticator.
func effect(status string) Effect {
	switch status {
	case "REVOKED": // not to be trusted for any reason
		return Effect{Refused: true}
	case "USER_KEY_REMOTE_COMPROMISE": // whoever signs in with it may be anybody
		return Effect{Refused: true}
	case "USER_KEY_PHYSICAL_COMPROMISE": // whoever had it in hand for a while may have the keys
		return Effect{Exportable: true}
	case "USER_VERIFICATION_BYPASS":
		return Effect{Unverified: true}
	case "ATTESTATION_KEY_COMPROMISE": // anything can pass for it
		return Effect{Unattested: true}
	case "RETIRED":
		return Effect{Retired: true}
	}
	return Effect{}
}

// None says that nothing is taken away.
func (e Effect) None() bool { return e == Effect{} }

func (e Effect) and(other Effect) Effect {
	return Effect{
		Refused:    e.Refused || other.Refused,
		Unverified: e.Unverified || other.Unverified,
		Unattested: e.Unattested || other.Unattested,
		Exportable: e.Exportable || other.Exportable,
		Retired:    e.Retired || other.Retired,
	}
}

// Certification is a level of FIDO's Authenticator Certification; 0 is none.
type Certification int

// certifications are the levels by their names, lowest first. FIDO_CERTIFIED, which went before them, is of the protocol
// and says nothing of how keys are protected.
func certifications() []string {
	return []string{
		"NOT_FIDO_CERTIFIED", "FIDO_CERTIFIED_L1", "FIDO_CERTIFIED_L1plus", "FIDO_CERTIFIED_L2", "FIDO_CERTIFIED_L2plus", "FIDO_CERTIFIED_L3", "FIDO_CERTIFIED_L3plus",
	}
}

// Certifications lists the names of the levels that there are, lowest first.
func Certifications() []string { return certifications()[1:] }

// ParseCertification reads the name of a level; what is none is 0.
func ParseCertification(name string) Certification {
	return Certification(max(slices.Index(certifications(), name), 0))
}

// String is the name of the level.
func (c Certification) String() string { return certifications()[c] }

// At is what the reports in force at a time come to: what they take away, which ones do, and which certification is
// left. One that was given before the model lost all counts no more.
func (m Model) At(at time.Time) (taken Effect, statuses []string, certified Certification) {
	lost, ever := time.Time{}, false
	for _, r := range m.Reports {
		if r.Since.After(at) {
			continue
		}
		if e := effect(r.Status); !e.None() {
			taken = taken.and(e)
			statuses = append(statuses, r.Status)
		}
		if r.Status == certifications()[0] && (!ever || r.Since.After(lost)) {
			lost, ever = r.Since, true
		}
	}
	if taken.Retired {
		return taken, statuses, 0
	}
	for _, r := range m.Reports {
		if !r.undated && !r.Since.After(at) && (!ever || r.Since.After(lost)) {
			certified = max(certified, ParseCertification(r.Status))
		}
	}
	return taken, statuses, certified
}

// ProtectsKeys says whether the model keeps keys where programs do not get at them: FIDO Registry of Predefined Values,
// Section 3.2.
func (m Model) ProtectsKeys() bool {
	return !slices.Contains(m.KeyProtection, "software") && slices.ContainsFunc(m.KeyProtection, func(p string) bool {
		return p == "hardware" || p == "tee" || p == "secure_element"
	})
}
