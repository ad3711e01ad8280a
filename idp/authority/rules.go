package authority

import (
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

//go:embed *.csv
var tables embed.FS

// codeForm is an R part of a job role, or an activity.
var codeForm = regexp.MustCompile(`^[RB][0-9]{4}$`)

// New reads the rules that the program carries.
func New() (*Rules, error) { return readRules(tables) }

func readRules(files fs.FS) (*Rules, error) {
	r := new(Rules)
	if err := errors.Join(r.readOfficers(files), r.readRights(files), r.readSeparation(files)); err != nil {
		return nil, fmt.Errorf("read rights of officers: %w", err)
	}
	return r, nil
}

func (r *Rules) readOfficers(files fs.FS) error {
	r.officers = make(map[string]Actor)
	return readTable(files, "officers.csv", []string{"code", "actor", "source"}, func(row []string) error {
		code, actor := row[0], Actor(row[1])
		if _, twice := r.officers[code]; twice {
			return fmt.Errorf("code %s is there twice", code)
		}
		r.officers[code] = actor
		return errors.Join(checkCode(code), oneOf(actor, Actors()), checkSource(row[2]))
	})
}

func (r *Rules) readRights(files fs.FS) error {
	titles := []string{"act", "where", "own"}
	for _, a := range Actors() {
		titles = append(titles, string(a))
	}
	r.rights = make(map[Act]right)
	missing := Acts()
	err := readTable(files, "rights.csv", append(titles, "source"), func(row []string) error {
		// In the order of Acts, so that each is there, and once.
		act := Act(row[0])
		if len(missing) == 0 || act != missing[0] {
			return fmt.Errorf("%q is not in its place: want the acts %q, in this order", act, Acts())
		}
		missing = missing[1:]
		rule := right{where: Where(row[1]), own: row[2] == "yes", grants: make(map[Actor]Grant)}
		errs := []error{oneOf(rule.where, wheres()), oneOf(row[2], []string{"yes", "no"}), checkSource(row[len(row)-1])}
		for i, a := range Actors() {
			cell := row[3+i]
			if cell == "-" {
				continue
			}
			rule.grants[a] = Grant(cell)
			errs = append(errs, oneOf(Grant(cell), grants()[1:]))
		}
		r.rights[act] = rule
		return errors.Join(errs...)
	})
	if err == nil && len(missing) > 0 {
		return fmt.Errorf("rights.csv: the acts %q are missing", missing)
	}
	return err
}

func (r *Rules) readSeparation(files fs.FS) error {
	return readTable(files, "separation.csv", []string{"one", "other", "reason"}, func(row []string) error {
		c := Conflict{One: row[0], Other: row[1], Reason: row[2]}
		r.separated = append(r.separated, c)
		if c.One == c.Other {
			return fmt.Errorf("%s is paired with itself", c.One)
		}
		if strings.TrimSpace(c.Reason) == "" {
			return errors.New("want a reason")
		}
		return errors.Join(checkCode(c.One), checkCode(c.Other))
	})
}

// readTable reads the rows of a table after its titles, until one is wrong.
func readTable(files fs.FS, name string, titles []string, read func(row []string) error) error {
	f, err := files.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // nothing was written
	c := csv.NewReader(f)
	c.Comment = '#'
	rows, err := c.ReadAll()
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if len(rows) == 0 || !slices.Equal(rows[0], titles) {
		return fmt.Errorf("%s: want the titles %q", name, titles)
	}
	for _, row := range rows[1:] {
		if err := read(row); err != nil {
			return fmt.Errorf("%s: row %q: %w", name, strings.Join(row, ","), err)
		}
	}
	return nil
}

func checkCode(code string) error {
	if !codeForm.MatchString(code) {
		return fmt.Errorf("code %q: want R or B and four digits, such as R5080", code)
	}
	return nil
}

func checkSource(source string) error { return oneOf(source, []string{"published", "ours"}) }

func oneOf[T ~string](word T, known []T) error {
	if !slices.Contains(known, word) {
		return fmt.Errorf("%q is not one of %q", word, known)
	}
	return nil
}
