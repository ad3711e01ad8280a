package assurance

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
)

//go:embed gpg45-*.csv
var gpg45Files embed.FS

// Policy is the rules of GPG 45 as tables: the identity profiles, and what earns each score in words. It never changes, and
// is safe for concurrent use.
type Policy struct {
	profiles []profile // by level, lowest first
	needs    []need    // each that a profile has, once
	words    [checkVerification + 1][5]string
	bring    [2][5][5]string                     // the first piece, or another, by strength and validity
	reach    [checkVerification + 1][5][5]string // a score, of one that has another
}

// profile is an identity profile: a combination of scores that grants a level.
type profile struct {
	name   string
	level  IdentityLevel
	needs  []need
	least  Scores // the lowest that meet it
	weight int    // less for what needs fewer pieces of evidence, and then for what needs lower scores
}

// need is the least that a piece of evidence has to be.
type need struct{ strength, validity int }

// mostNeeds is how many pieces of evidence a profile can need.
const mostNeeds = 3

// NewPolicy reads the tables that the program carries, and refuses them when they cannot be those of GPG 45.
func NewPolicy() (*Policy, error) { return readPolicy(gpg45Files) }

func readPolicy(files fs.FS) (*Policy, error) {
	profiles, err1 := readRows(files, "gpg45-profiles.csv", "profile", "level", "evidence", "activity", "fraud", "verification")
	words, err2 := readRows(files, "gpg45-words.csv", "check", "score", "words")
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	p := new(Policy)
	for _, row := range profiles {
		q, err := readProfile(row)
		if err != nil {
			return nil, fmt.Errorf("read GPG 45 profile %q: %w", row, err)
		}
		p.profiles = append(p.profiles, q)
		for _, n := range q.needs {
			if !slices.Contains(p.needs, n) {
				p.needs = append(p.needs, n)
			}
		}
	}
	for _, row := range words {
		if err := p.readWords(row); err != nil {
			return nil, fmt.Errorf("read GPG 45 words %q: %w", row, err)
		}
	}
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("read GPG 45 policy: %w", err)
	}
	p.phrase()
	return p, nil
}

// readRows reads a table and checks its titles.
func readRows(files fs.FS, name string, titles ...string) ([][]string, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read GPG 45 table: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	r := csv.NewReader(f)
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read GPG 45 table %s: %w", name, err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], titles) {
		return nil, fmt.Errorf("read GPG 45 table %s: want the titles %q", name, titles)
	}
	return rows[1:], nil
}

// readProfile reads a row such as M2B,medium,3/2;2/2,1,1,2.
func readProfile(row []string) (profile, error) {
	q := profile{name: row[0], level: IdentityLevel(row[1])}
	if q.name == "" || q.level == IdentityNone || !q.level.Known() {
		return profile{}, errors.New("want a name and a level that it grants")
	}
	var malformed []error
	number := func(text string) int {
		n, err := strconv.Atoi(text)
		malformed = append(malformed, err)
		return n
	}
	for pair := range strings.SplitSeq(row[2], ";") {
		strength, validity, _ := strings.Cut(pair, "/")
		n := need{number(strength), number(validity)}
		q.needs = append(q.needs, n)
		q.least.Evidence = append(q.least.Evidence, Evidence{Strength: n.strength, Validity: n.validity})
		q.weight += 100 + n.strength + n.validity
	}
	q.least.Activity, q.least.Fraud, q.least.Verification = number(row[3]), number(row[4]), number(row[5])
	q.weight += q.least.Activity + q.least.Fraud + q.least.Verification
	if len(q.needs) > mostNeeds {
		malformed = append(malformed, fmt.Errorf("want at most %d pieces of evidence", mostNeeds))
	}
	return q, errors.Join(append(malformed, q.least.validate())...)
}

// readWords reads a row such as fraud,1,words.
func (p *Policy) readWords(row []string) error {
	score, err := strconv.Atoi(row[1])
	if err != nil {
		return err
	}
	for c := range p.words {
		if c := check(c); c.String() == row[0] && score >= 1 && score <= c.most() && p.words[c][score] == "" && row[2] != "" {
			p.words[c][score] = row[2]
			return nil
		}
	}
	return errors.New("want words for each score of each check, once")
}

// check refuses tables in which a cell was lost or grants more than it can mean: each level has profiles, lowest first, each
// named once; whoever meets a profile has the level below as well, and none above.
func (p *Policy) check() error {
	for c, words := range p.words {
		if c := check(c); slices.Contains(words[1:c.most()+1], "") {
			return fmt.Errorf("a score of %s has no words", c)
		}
	}
	levels, last := IdentityLevels(), 0
	for i, q := range p.profiles {
		level := slices.Index(levels, q.level)
		if level < last || level > last+1 {
			return fmt.Errorf("profile %s is not in its place: want the lowest level first, and none left out", q.name)
		}
		last = level
		if slices.ContainsFunc(p.profiles[:i], func(o profile) bool { return o.name == q.name }) {
			return fmt.Errorf("profile %s stands twice", q.name)
		}
		below := level == 1
		for j, plan := range p.plans(&q.least) {
			if plan.effort > 0 {
				continue
			}
			implied := slices.Index(levels, p.profiles[j].level)
			if implied > level {
				return fmt.Errorf("profile %s grants what %s does, of a lower level", q.name, p.profiles[j].name)
			}
			below = below || implied == level-1
		}
		if !below {
			return fmt.Errorf("profile %s is met without the level below", q.name)
		}
	}
	if levels[last] != IdentityVeryHigh {
		return fmt.Errorf("no profile grants %s", IdentityVeryHigh)
	}
	return nil
}
