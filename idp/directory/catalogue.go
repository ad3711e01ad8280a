package directory

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

//go:embed catalogue/*.csv
var catalogueFiles embed.FS

// Catalogue names the job roles, activities and areas of work that can be granted. It is a small part of the national
// database: a code that it does not know stands for itself. It never changes, and is safe for concurrent use.
type Catalogue struct{ jobRoles, activities, areasOfWork []Entry }

// Entry is a code with its name.
type Entry struct {
	Code string
	Name string // of one part, or of three parts in quotes and joined by colons, as the Care Identity Service writes them
	last string // the last part of the name
}

// NewCatalogue reads the catalogue that the program carries.
func NewCatalogue() (*Catalogue, error) { return readCatalogue(catalogueFiles) }

func readCatalogue(files fs.FS) (*Catalogue, error) {
	jobRoles, err1 := readEntries(files, "catalogue/job_roles.csv", jobRoleForm, 3)
	activities, err2 := readEntries(files, "catalogue/activities.csv", activityForm, 1)
	areasOfWork, err3 := readEntries(files, "catalogue/areas_of_work.csv", areaOfWorkForm, 3)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	return &Catalogue{jobRoles, activities, areasOfWork}, nil
}

// readEntries reads a file of codes, each with a name of so many parts in the columns after it. Columns after those are
// for whoever edits the file.
func readEntries(files fs.FS, name string, form *regexp.Regexp, parts int) ([]Entry, error) {
	f, err := files.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	defer func() { _ = f.Close() }() // nothing was written
	r := csv.NewReader(f)
	r.Comment = '#'
	lines, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("read catalogue %s: %w", name, err)
	}
	var entries []Entry
	for i, line := range lines {
		if i == 0 {
			continue // titles
		}
		if len(line) <= parts || !form.MatchString(line[0]) || slices.ContainsFunc(line[1:1+parts], blank) {
			return nil, fmt.Errorf("read catalogue %s: entry %q: want a code like %s and a name of %d parts", name, line, form, parts)
		}
		if i > 1 && line[0] <= lines[i-1][0] {
			return nil, fmt.Errorf("read catalogue %s: %s is not in its place: want each code once, in order", name, line[0])
		}
		e := Entry{Code: line[0], Name: line[1], last: line[parts]}
		if parts > 1 {
			e.Name = `"` + strings.Join(line[1:1+parts], `":"`) + `"`
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// blank also refuses the quotes that frame a part of a name.
func blank(part string) bool { return strings.TrimSpace(part) == "" || strings.Contains(part, `"`) }

// JobRoles lists the job roles by code.
func (c *Catalogue) JobRoles() []Entry { return slices.Clone(c.jobRoles) }

// Activities lists the activities by code.
func (c *Catalogue) Activities() []Entry { return slices.Clone(c.activities) }

// AreasOfWork lists the areas of work by code.
func (c *Catalogue) AreasOfWork() []Entry { return slices.Clone(c.areasOfWork) }

// JobRoleName is the name of a job role in three parts, the quotes included: "Clinical":"Clinical Provision":"Nurse Access Role".
func (c *Catalogue) JobRoleName(code string) string { return find(c.jobRoles, code).Name }

// JobRoleShortName is the last part of the name of a job role, for people to read: Nurse Access Role.
func (c *Catalogue) JobRoleShortName(code string) string { return find(c.jobRoles, code).last }

// ActivityName is the name of an activity.
func (c *Catalogue) ActivityName(code string) string { return find(c.activities, code).Name }

// AreaOfWorkName is the name of an area of work in three parts, the quotes included.
func (c *Catalogue) AreaOfWorkName(code string) string { return find(c.areasOfWork, code).Name }

// AreaOfWorkShortName is the last part of the name of an area of work, for people to read: Phlebotomy.
func (c *Catalogue) AreaOfWorkShortName(code string) string { return find(c.areasOfWork, code).last }

// checkCodes wants codes that the catalogue has. One that it has not stands for nothing that anybody could check, and is
// taken only when unlisted ones are, and when it has the form.
func checkCodes(what string, codes []string, entries []Entry, form *regexp.Regexp, unlisted bool) error {
	var errs []error
	for _, code := range codes {
		if unlisted && form.MatchString(code) {
			continue
		}
		if !slices.ContainsFunc(entries, func(e Entry) bool { return e.Code == code }) {
			errs = append(errs, fmt.Errorf("%s %q %w", what, code, ErrUnknownCode))
		}
	}
	return errors.Join(errs...)
}

// find looks a code up. The lists are short and sorted.
func find(entries []Entry, code string) Entry {
	i, known := slices.BinarySearchFunc(entries, code, func(e Entry, code string) int { return strings.Compare(e.Code, code) })
	if !known {
		return Entry{Code: code, Name: code, last: code}
	}
	return entries[i]
}
