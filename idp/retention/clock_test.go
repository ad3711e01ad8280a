package retention_test

import (
	"testing"
	"time"

	"github.com/credence-id/credence/idp/retention"
	"github.com/credence-id/credence/store"
)

// What the service says of the time makes nothing older than it is by the clock of the database: neither what it may erase by each
// rule, nor what is noted of when it was.
func TestTheServiceErasesNothingEarly(t *testing.T) {
	t.Parallel()
	rules, err := retention.Rules()
	must(t, err)
	for _, tt := range []struct {
		name  string
		older time.Duration
		goes  bool
	}{
		{"a minute before its time nothing goes", -time.Minute, false},
		{"a minute after its time it goes", time.Minute, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newArchive(t)
			var clock time.Time
			must(t, a.owner.QueryRow(t.Context(), `SELECT now()`).Scan(&clock))
			for _, rule := range rules {
				if rule.Name == "profile_closed" { // at her own wish it goes before its time
					continue
				}
				for _, statement := range recordedSince(rule.Name) {
					a.exec(statement, rule.Period.Before(clock).Add(-tt.older))
				}
			}
			for _, rule := range rules {
				if rule.Name == "profile_closed" {
					continue
				}
				late := clock.AddDate(50, 0, 0)
				err := a.Store.InTx(t.Context(), func(tx *store.Tx) error {
					ids, err := tx.OverdueIDs(t.Context(), rule.Name, late, 100)
					if err != nil || len(ids) == 0 {
						t.Errorf("OverdueIDs(%s, by 50 years from now) = %q, %v, want some", rule.Name, ids, err)
					}
					n, err := tx.Erase(t.Context(), rule.Name, ids, late)
					if (n > 0) != tt.goes {
						t.Errorf("Erase(%s, as of 50 years from now) = %d, want some: %t", rule.Name, n, tt.goes)
					}
					return err
				})
				must(t, err)
			}
			if early := a.text(`SELECT count(*)::text FROM break_glass WHERE erased_at > now()`); early != "0" {
				t.Errorf("what was done by break-glass and is erased by a time that is still to come = %s, want none", early)
			}
		})
	}
}

// What was opened by break-glass stays for its years from then on, whenever the service says that it was signed for.
func TestBreakGlassThatWasSignedForTooEarly(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	var clock time.Time
	must(t, a.owner.QueryRow(t.Context(), `SELECT now()`).Scan(&clock))
	for _, tt := range []struct {
		openedAt time.Time
		want     int
	}{{clock, 0}, {now, 1}} {
		a.exec(`TRUNCATE break_glass_seal CASCADE`)
		a.exec(ended, now)
		a.exec(opened, tt.openedAt)
		a.exec(signed, now)
		must(t, a.Store.InTx(t.Context(), func(tx *store.Tx) error {
			ids, err := tx.OverdueIDs(t.Context(), "break_glass_signed", clock, 10)
			must(t, err)
			n, err := tx.Erase(t.Context(), "break_glass_signed", ids, clock)
			if n != tt.want || len(ids) != 1 {
				t.Errorf("Erase(%q, opened at %v) = %d, want %d of 1", ids, tt.openedAt, n, tt.want)
			}
			return err
		}))
	}
}
