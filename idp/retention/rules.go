package retention

import (
	_ "embed" // rules.csv
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/credence-id/credence/store"
)

//go:embed rules.csv
var rulesCSV string

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
	rows, err := readRules()
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

// readRules reads the rows of the table under its titles.
func readRules() ([][]string, error) {
	titles := []string{"rule", "table", "record", "from", "period", "taken", "basis"}
	c := csv.NewReader(strings.NewReader(rulesCSV))
	c.Comment = '#'
	rows, err := c.ReadAll()
	if err == nil && (len(rows) < 2 || !slices.Equal(rows[0], titles)) {
		err = errors.New("want the titles " + strings.Join(titles, ","))
	}
	if err != nil {
		return nil, fmt.Errorf("rules.csv: %w", err)
	}
	return rows[1:], nil
}
