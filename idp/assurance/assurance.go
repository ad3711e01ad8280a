// Package assurance knows how much is known: how well an identity was proved (GPG 45, NIST SP 800-63A-4), how strongly
// somebody signed in (GPG 44, NIST SP 800-63B-4), and whether what was done satisfies what was asked.
//
// Levels are derived from facts and never asserted: a fact that is absent lowers the level. Each framework has tables of its
// own, as versioned data ([PolicyVersion]), and none is converted into another. The package is pure: it imports nothing of
// ours, reads no clock and does no I/O.
package assurance

import (
	"slices"
	"strconv"
	"time"
)

// IdentityLevel is the level of confidence in an identity by the words of GPG 45.
type IdentityLevel string

// The identity levels, lowest first.
const (
	IdentityNone     IdentityLevel = "none"
	IdentityLow      IdentityLevel = "low"
	IdentityMedium   IdentityLevel = "medium"
	IdentityHigh     IdentityLevel = "high"
	IdentityVeryHigh IdentityLevel = "very_high"
)

// IdentityLevels lists the levels, lowest first.
func IdentityLevels() []IdentityLevel {
	return []IdentityLevel{IdentityNone, IdentityLow, IdentityMedium, IdentityHigh, IdentityVeryHigh}
}

// Known says whether the level is one of those of GPG 45.
func (l IdentityLevel) Known() bool { return slices.Contains(IdentityLevels(), l) }

// AtMost is the level, or the other one when that is lower.
func (l IdentityLevel) AtMost(other IdentityLevel) IdentityLevel {
	if slices.Index(IdentityLevels(), other) < slices.Index(IdentityLevels(), l) {
		return other
	}
	return l
}

// Number is the level as the Care Identity Service writes it: "0" to "3", where high and very high are both "3".
func (l IdentityLevel) Number() string {
	return strconv.Itoa(min(max(slices.Index(IdentityLevels(), l), 0), 3))
}

// AuthenticatorLevel is an authenticator assurance level (AAL) of NIST SP 800-63B-4: 1, 2 or 3.
type AuthenticatorLevel int

// The authenticator assurance levels.
const (
	AAL1 AuthenticatorLevel = 1
	AAL2 AuthenticatorLevel = 2
	AAL3 AuthenticatorLevel = 3
)

// String is the level as tokens carry it: "1", "2" or "3".
func (l AuthenticatorLevel) String() string { return strconv.Itoa(int(l)) }

// ACR is the authentication context class of the level: AAL1_ANY, AAL2_ANY or AAL3_ANY.
func (l AuthenticatorLevel) ACR() string { return "AAL" + l.String() + "_ANY" }

// IdleLimit is how long a session of the level lasts when nothing is asked of it: NIST SP 800-63B-4, Sections 2.1.3,
// 2.2.3 and 2.3.3.
func (l AuthenticatorLevel) IdleLimit() time.Duration {
	if l == AAL3 {
		return 15 * time.Minute
	}
	return time.Hour
}

// AbsoluteLimit is how long after a sign-in at the level the person has to sign in again, whatever was asked meanwhile.
func (l AuthenticatorLevel) AbsoluteLimit() time.Duration {
	if l == AAL3 {
		return 12 * time.Hour
	}
	return 24 * time.Hour
}

// Freshness is what a request asks about when the person signed in: OpenID Connect Core 1.0, Section 3.1.2.1.
type Freshness struct {
	Again   bool           `json:",omitzero"` // prompt=login: a sign-in made for this request
	MaxAge  *time.Duration `json:",omitzero"` // max_age: the oldest sign-in that will do
	AskedAt time.Time      // when the request was first asked
}

// returnWindow is how long a sign-in counts as made for the request that asked for it: time to choose a role and come back.
const returnWindow = 10 * time.Minute

// SatisfiedBy says whether a sign-in at the given time will do. One that was made since the request was first asked does
// for a while, whatever was asked: otherwise max_age=0 could never be satisfied.
func (f Freshness) SatisfiedBy(authenticatedAt, now time.Time) bool {
	if !authenticatedAt.Before(f.AskedAt) && now.Sub(authenticatedAt) <= returnWindow {
		return true
	}
	return !f.Again && (f.MaxAge == nil || now.Sub(authenticatedAt) <= *f.MaxAge)
}
