package unusual

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/store"
)

// What makes a sign-in unusual, and what next to it does not.
func TestReasons(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	usual := store.SignInLine{At: at, Event: "signed_in", Hour: 9, SignIns: 20, KnownAddress: true, Used: true}
	with := func(change func(*store.SignInLine)) store.SignInLine {
		l := usual
		change(&l)
		return l
	}
	bound := func(before time.Duration) *time.Time { return new(at.Add(-before)) }
	for _, tt := range []struct {
		name string
		line store.SignInLine
		want []string
	}{
		{"by day from a new address", with(func(l *store.SignInLine) { l.KnownAddress = false }), nil},
		{"at night from a known address", with(func(l *store.SignInLine) { l.Hour = 4 }), nil},
		{"at night from a new address", with(func(l *store.SignInLine) { l.Hour, l.KnownAddress = 4, false }), []string{"night_elsewhere"}},
		{"in the morning from a new address", with(func(l *store.SignInLine) { l.Hour, l.KnownAddress = 5, false }), nil},
		{"the first of all, at night", with(func(l *store.SignInLine) { l.Hour, l.KnownAddress, l.SignIns = 4, false, 0 }), nil},
		{"the first with a new authenticator", with(func(l *store.SignInLine) { l.BoundAt, l.Used = bound(time.Hour), false }), []string{"new_authenticator"}},
		{"the second with it", with(func(l *store.SignInLine) { l.BoundAt = bound(time.Hour) }), nil},
		{"the first with one of the day before", with(func(l *store.SignInLine) { l.BoundAt, l.Used = bound(24*time.Hour), false }), nil},
		{"the first of a newcomer", with(func(l *store.SignInLine) { l.BoundAt, l.Used, l.SignIns = bound(time.Hour), false, 0 }), nil},
		{"after four failures", with(func(l *store.SignInLine) { l.Failures = 4 }), nil},
		{"after five failures", with(func(l *store.SignInLine) { l.Failures = 5 }), []string{"after_failures"}},
		{"a recovery", with(func(l *store.SignInLine) { l.Event = "recovered" }), []string{"recovery"}},
		{"a recovery after failures", with(func(l *store.SignInLine) { l.Event, l.Failures = "recovered", 9 }), []string{"recovery"}},
		{"at night from a new address, after failures", with(func(l *store.SignInLine) { l.Hour, l.KnownAddress, l.Failures = 0, false, 9 }), []string{"night_elsewhere", "after_failures"}},
		{"another line", with(func(l *store.SignInLine) { l.Event, l.Failures = "", 9 }), nil},
	} {
		if diff := cmp.Diff(tt.want, reasons(tt.line)); diff != "" {
			t.Errorf("%s: reasons differ (-want +got):\n%s", tt.name, diff)
		}
	}
}

// Each rule has a name of its own, and words.
func TestRules(t *testing.T) {
	t.Parallel()
	var names []string
	for _, rule := range Rules() {
		names = append(names, string(rule.Reason))
		if rule.Words == "" || strings.HasSuffix(rule.Words, ".") {
			t.Errorf("rule %s says %q, want words without a stop", rule.Reason, rule.Words)
		}
	}
	if got := len(slices.Compact(slices.Sorted(slices.Values(names)))); got != len(names) || got > 10 {
		t.Errorf("rules = %q, want each once, and at most 10", names)
	}
}
