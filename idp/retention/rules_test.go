package retention_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/retention"
)

// Of every table it is decided what ends its rows. A new table is put into tables.csv first.
func TestEveryTableIsDecided(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	rows, err := a.owner.Query(t.Context(), `SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename COLLATE "C"`)
	must(t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	text, err := os.ReadFile("tables.csv")
	must(t, err)
	c := csv.NewReader(bytes.NewReader(text))
	c.Comment = '#'
	decisions, err := c.ReadAll()
	must(t, err)
	var decided []string
	for _, row := range decisions[1:] {
		table, kept, why := row[0], row[1], row[2]
		decided = append(decided, table)
		if !slices.Contains([]string{"rule", "sweep", "always"}, kept) || why == "" {
			t.Errorf("table %s is decided as %s for the reason %q: want rule, sweep or always, and why", table, kept, why)
		}
		ruled := slices.ContainsFunc(a.Rules, func(r retention.Rule) bool { return r.Table == table })
		if table != "professional_registration" && ruled != (kept == "rule") { // which goes with the person
			t.Errorf("table %s is decided as %s, and has a rule: %t", table, kept, ruled)
		}
		if !slices.Contains(tables, table) {
			t.Errorf("table %s is decided and not there", table)
		}
	}
	for _, table := range tables {
		if !slices.Contains(decided, table) {
			t.Errorf("nobody has decided how long the rows of table %s are kept: say so in tables.csv", table)
		}
	}
}

func TestPeriod(t *testing.T) {
	t.Parallel()
	day := func(text string) time.Time {
		d, err := time.Parse(time.DateTime, text+" 09:30:00")
		must(t, err)
		return d
	}
	for _, tt := range []struct{ period, words, now, before string }{
		{"P6Y", "6 years", "2030-03-01", "2024-03-01"},
		{"P1Y", "1 year", "2028-02-29", "2027-02-28"}, // not 1 March, which would be a day early
		{"P1Y", "1 year", "2029-02-28", "2028-02-28"}, // so what is of 29 February goes on 1 March
		{"P18M", "18 months", "2030-08-31", "2029-02-28"},
		{"P1M", "1 month", "2030-03-31", "2030-02-28"},
		{"P30D", "30 days", "2030-03-01", "2030-01-30"},
		{"P1Y6M10D", "1 year and 6 months and 10 days", "2030-08-31", "2029-02-18"},
	} {
		p, err := retention.ParsePeriod(tt.period)
		must(t, err)
		if got := p.Before(day(tt.now)); !got.Equal(day(tt.before)) || p.String() != tt.words {
			t.Errorf("%s (%s) before %s = %v, want %s (%s)", tt.period, p, tt.now, got, tt.before, tt.words)
		}
	}
	for _, text := range []string{"", "P", "6Y", "P6", "PT6H", "P0Y", "P-1Y", "P6Y ", "P1000D", "P1D1Y", "p6y"} {
		if p, err := retention.ParsePeriod(text); err == nil {
			t.Errorf("ParsePeriod(%q) = %v, want it refused", text, p)
		}
	}
}

// What was recorded is never over before its period is, whenever that is asked.
func TestPeriodIsNeverEarly(t *testing.T) {
	t.Parallel()
	p, err := retention.ParsePeriod("P1Y1M")
	must(t, err)
	since := time.Date(2023, time.January, 1, 0, 0, 0, 0, time.UTC)
	for range 3 * 366 {
		months := time.Date(since.Year()+1, since.Month()+2, 0, 0, 0, 0, 0, time.UTC) // the last day of the month in which it is over
		over := min(since.Day(), months.Day())
		last := time.Date(months.Year(), months.Month(), over, 0, 0, 0, 0, time.UTC)
		if p.Before(last.Add(-time.Second)).After(since) || p.Before(last.AddDate(0, 0, -1)).Equal(since) {
			t.Errorf("what is of %v is over before %v", since, last)
		}
		since = since.AddDate(0, 0, 1)
	}
}
