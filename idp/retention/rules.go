package retention

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/credence-id/credence/store"
)

//go:embed rules.csv tables.csv
var tables embed.FS

// Rule is how long a kind of record is kept, and what becomes of it.
type Rule struct {
	Name   string
	Table  string
	Record string // what the records are, for people
	From   string // when its time begins: "it was withdrawn"
	Period Period
	Taken  string // what goes; "": the record goes altogether
	Basis  string // why so long
}

// Kept is in words how long records are kept: "6 years after it was decided".
func (r Rule) Kept() string { return r.Period.String() + " after " + r.From }

// Rules reads the rules that the program carries.
func Rules() ([]Rule, error) {
	rows, err := readTable("rules.csv", "rule", "table", "record", "from", "period", "taken", "basis")
	if err != nil {
		return nil, err
	}
	var rules []Rule
	var names []string
	for _, row := range rows {
		period, err := ParsePeriod(row[4])
		if err != nil {
			return nil, fmt.Errorf("rules.csv: rule %s: %w", row[0], err)
		}
		rules = append(rules, Rule{Name: row[0], Table: row[1], Record: row[2], From: row[3], Period: period, Taken: row[5], Basis: row[6]})
		names = append(names, row[0])
	}
	slices.Sort(names)
	if known := store.RetainedKinds(); !slices.Equal(names, known) {
		return nil, fmt.Errorf("rules.csv: it has rules for %q: want one for each of %q", names, known)
	}
	return rules, nil
}

// Decision is why the rows of a table are kept for as long as they are.
type Decision struct {
	Table string
	Kept  Kept
	Why   string
}

// Kept says who ends the rows of a table.
type Kept string

// The decisions. Of every table there is one.
const (
	ByRule  Kept = "rule"  // the rules of this package
	BySweep Kept = "sweep" // package sweep, soon after they are dead
	Always  Kept = "always"
)

// Decisions reads what is decided of each table.
func Decisions() ([]Decision, error) {
	rows, err := readTable("tables.csv", "table", "kept", "why")
	if err != nil {
		return nil, err
	}
	var list []Decision
	for _, row := range rows {
		d := Decision{Table: row[0], Kept: Kept(row[1]), Why: row[2]}
		if !slices.Contains([]Kept{ByRule, BySweep, Always}, d.Kept) || d.Why == "" {
			return nil, fmt.Errorf("tables.csv: table %s: want rule, sweep or always, and why", d.Table)
		}
		list = append(list, d)
	}
	return list, nil
}

// readTable reads the rows of a table under its titles.
func readTable(name string, titles ...string) ([][]string, error) {
	text, err := tables.ReadFile(name)
	if err != nil {
		return nil, err
	}
	c := csv.NewReader(strings.NewReader(string(text)))
	c.Comment = '#'
	rows, err := c.ReadAll()
	if err == nil && (len(rows) < 2 || !slices.Equal(rows[0], titles)) {
		err = errors.New("want the titles " + strings.Join(titles, ","))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rows[1:], nil
}
