package evidence_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
)

// A passport whose chip was found false earns nothing when it is recorded once more, whatever is left out the second time,
// until it is withdrawn. Another passport does.
func TestACheckThatFailedIsNotEvaded(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		again func(*evidence.Piece)
		level assurance.IdentityLevel
	}{
		"the same":                  {func(*evidence.Piece) {}, "none"},
		"without its country":       {func(p *evidence.Piece) { p.Country = "" }, "none"},
		"with its jurisdiction":     {func(p *evidence.Piece) { p.Jurisdiction = "GB-ENG" }, "none"},
		"of another country":        {func(p *evidence.Piece) { p.Country = "FRA" }, "none"},
		"its number written so":     {func(p *evidence.Piece) { p.Number = "12 34-56.789" }, "none"},
		"a passport that is no lie": {func(p *evidence.Piece) { p.Number = "987654321" }, "high"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, ctx := newInstallation(t), t.Context()
			forged := example(t)
			forged[0].Checks[0].Failed = true
			first, err := in.Record(ctx, desk, sarah, forged)
			must(t, err)
			again := withoutIDs(example(t))[:1]
			tt.again(&again[0])
			change, err := in.Record(ctx, desk, sarah, again)
			must(t, err)
			if first.After.Level != "none" || change.After.Level != tt.level {
				t.Errorf("levels = %s, then %s, want none, then %s", first.After.Level, change.After.Level, tt.level)
			}
			change, err = in.Withdraw(ctx, desk, first.Evidence[0], evidence.Mistaken)
			must(t, err)
			if change.After.Level != "high" {
				t.Errorf("level, when what failed is withdrawn = %s, want high", change.After.Level)
			}
		})
	}
}

// A document that was withdrawn as forged is refused for everybody, for good; for another reason it is not.
func TestForgedDocuments(t *testing.T) {
	t.Parallel()
	lous := func(number, country string) []evidence.Piece {
		list := withoutIDs(numbered(about(t, subjectLou, "7"), number))[:1]
		list[0].Country = country
		return list
	}
	sarahs := func(country string) []evidence.Piece {
		list := withoutIDs(example(t))[:1]
		list[0].Country = country
		return list
	}
	for name, tt := range map[string]struct {
		reason evidence.Reason
		person string
		list   []evidence.Piece
		err    error
	}{
		"forged, for her again":               {evidence.Forged, sarah, sarahs("GBR"), evidence.ErrForged},
		"forged, for her from elsewhere":      {evidence.Forged, sarah, sarahs("FRA"), evidence.ErrForged},
		"forged, for somebody else":           {evidence.Forged, lou, lous("123 456 789", "GBR"), evidence.ErrForged},
		"forged, for somebody, of no country": {evidence.Forged, lou, lous("123456789", ""), evidence.ErrForged},
		"forged, and another number":          {evidence.Forged, lou, lous("123456780", "GBR"), nil},
		"forged, and another state's":         {evidence.Forged, lou, lous("123456789", "FRA"), nil},
		"mistaken, for her again":             {evidence.Mistaken, sarah, sarahs("GBR"), nil},
		"mistaken, for somebody else":         {evidence.Mistaken, lou, lous("123456789", "GBR"), nil},
		"superseded, for her again":           {evidence.Superseded, sarah, sarahs("GBR"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, ctx := newInstallation(t), t.Context()
			change, err := in.Record(ctx, desk, sarah, example(t))
			must(t, err)
			_, err = in.Withdraw(ctx, desk, change.Evidence[0], tt.reason)
			must(t, err)
			_, err = in.Record(ctx, desk, tt.person, tt.list)
			if !errors.Is(err, tt.err) {
				t.Errorf("Record() = %v, want %v", err, tt.err)
			}
			refused := slices.Contains(in.audited(t, tt.person), "evidence_recorded forged_evidence >")
			if refused != (tt.err != nil) || err != nil && (strings.Contains(err.Error(), sarah) || strings.Contains(err.Error(), "789")) {
				t.Errorf("Record() = %v, and the refusal is recorded: %t, want it recorded with nothing of Sarah in the error", err, refused)
			}
		})
	}
}

// Evidence without a number is nobody else's, so nobody waits while it is recorded; of a number that is recorded all do.
func TestNoNumberNoLock(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	for what, tt := range map[string]struct {
		list  []evidence.Piece
		locks int
	}{
		"a register without a number": {withoutIDs(example(t))[2:], 0},
		"a passport":                  {withoutIDs(example(t))[:1], 1},
	} {
		holder := in.connect(t)
		tx, err := holder.Begin(ctx)
		must(t, err)
		_, err = tx.Exec(ctx, `LOCK TABLE audit_event IN EXCLUSIVE MODE`) // it is recorded last
		must(t, err)
		done := make(chan error, 1)
		go func() {
			_, err := in.Record(ctx, desk, sarah, tt.list)
			done <- err
		}()
		in.awaitWaiter(t)
		var locks int
		must(t, tx.QueryRow(ctx, `SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND datname = current_database()`).Scan(&locks))
		if locks != tt.locks {
			t.Errorf("locks of numbers while %s is recorded = %d, want %d", what, locks, tt.locks)
		}
		must(t, tx.Commit(ctx))
		must(t, <-done)
	}
}
