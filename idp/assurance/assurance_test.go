package assurance_test

import (
	"testing"
	"time"

	"github.com/credence-id/credence/idp/assurance"
)

func TestIdentityLevel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		level  assurance.IdentityLevel
		number string
		known  bool
	}{
		{assurance.IdentityNone, "0", true},
		{assurance.IdentityLow, "1", true},
		{assurance.IdentityMedium, "2", true},
		{assurance.IdentityHigh, "3", true},
		{assurance.IdentityVeryHigh, "3", true},
		{"", "0", false},
		{"High", "0", false},
		{"3", "0", false},
	} {
		if got := tt.level.Number(); got != tt.number {
			t.Errorf("IdentityLevel(%q).Number() = %q, want %q", tt.level, got, tt.number)
		}
		if got := tt.level.Known(); got != tt.known {
			t.Errorf("IdentityLevel(%q).Known() = %t, want %t", tt.level, got, tt.known)
		}
	}
}

// The limits are within those of NIST SP 800-63B-4: of AAL1 thirty days and no idle limit, of AAL2 24 hours and one, of
// AAL3 12 hours and 15 minutes.
func TestAuthenticatorLevel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		level          assurance.AuthenticatorLevel
		text, acr      string
		idle, absolute time.Duration
	}{
		{assurance.AAL1, "1", "AAL1_ANY", time.Hour, 24 * time.Hour},
		{assurance.AAL2, "2", "AAL2_ANY", time.Hour, 24 * time.Hour},
		{assurance.AAL3, "3", "AAL3_ANY", 15 * time.Minute, 12 * time.Hour},
	} {
		if got := tt.level.String(); got != tt.text {
			t.Errorf("String() = %q, want %q", got, tt.text)
		}
		if got := tt.level.ACR(); got != tt.acr {
			t.Errorf("ACR() = %q, want %q", got, tt.acr)
		}
		if idle, absolute := tt.level.IdleLimit(), tt.level.AbsoluteLimit(); idle != tt.idle || absolute != tt.absolute {
			t.Errorf("limits of %v = %v and %v, want %v and %v", tt.level, idle, absolute, tt.idle, tt.absolute)
		}
	}
}

func TestFreshness(t *testing.T) {
	t.Parallel()
	asked := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	const tick = time.Microsecond
	for _, tt := range []struct {
		name   string
		again  bool
		maxAge time.Duration // -1: none
		signed time.Duration // in, after the request was asked
		now    time.Duration
		want   bool
	}{
		{"nothing is asked", false, -1, -24 * time.Hour, 0, true},
		{"prompt=login, signed in before", true, -1, -tick, 0, false},
		{"prompt=login, signed in at the instant of asking", true, -1, 0, 0, true},
		{"prompt=login, signed in since", true, -1, tick, time.Minute, true},
		{"prompt=login, signed in since, back in ten minutes", true, -1, 0, 10 * time.Minute, true},
		{"prompt=login, signed in since, back later", true, -1, 0, 10*time.Minute + tick, false},
		{"max_age=0, signed in before", false, 0, -tick, 0, false},
		{"max_age=0, signed in at the instant of asking", false, 0, 0, 0, true},
		{"max_age=0, signed in since, and looked at later", false, 0, tick, time.Minute, true},
		{"max_age=60, signed in a minute before", false, time.Minute, -time.Minute, 0, true},
		{"max_age=60, signed in longer before", false, time.Minute, -time.Minute - tick, 0, false},
		{"max_age=60, became too old while the person chose", false, time.Minute, -30 * time.Second, 31 * time.Second, false},
		{"max_age=60, signed in since, back in ten minutes", false, time.Minute, tick, 10 * time.Minute, true},
		{"max_age=60, signed in since, back much later", false, time.Minute, tick, time.Hour, false},
		{"max_age=3600, signed in since, back after half of it", false, time.Hour, tick, 30 * time.Minute, true},
		{"prompt=login and max_age=60, signed in shortly before", true, time.Minute, -time.Second, 0, false},
		{"prompt=login and max_age=0, signed in since", true, 0, tick, tick, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := assurance.Freshness{Again: tt.again, AskedAt: asked}
			if tt.maxAge >= 0 {
				f.MaxAge = &tt.maxAge
			}
			if got := f.SatisfiedBy(asked.Add(tt.signed), asked.Add(tt.now)); got != tt.want {
				t.Errorf("SatisfiedBy() = %t, want %t", got, tt.want)
			}
		})
	}
}
