package directory

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/credence-id/credence/idp/poll"
	"github.com/credence-id/credence/store"
)

//go:embed catalogue/*.csv
var catalogueFiles embed.FS

// Catalogue names the job roles, activities and areas of work that can be granted: those that the operator imported, as this
// replica last read them, or while there are none a small part of the national database, which the program carries. A code that
// it does not know stands for itself. It is safe for concurrent use.
type Catalogue struct {
	current atomic.Pointer[codes] // replaced whole, never changed
	loading sync.Mutex            // at most one load at a time
}

// codes is what a catalogue is at a moment: each list by code.
type codes struct {
	generation int64
	lists      map[CodeKind][]Entry
}

// CodeKind is what codes are of.
type CodeKind string

// The kinds.
const (
	JobRole    CodeKind = "job_role"
	Activity   CodeKind = "activity"
	AreaOfWork CodeKind = "area_of_work"
)

// CodeKinds lists the kinds.
func CodeKinds() []CodeKind { return []CodeKind{JobRole, Activity, AreaOfWork} }

// Entry is a code with its name.
type Entry struct {
	Code    string
	Name    string // of one part, or of three parts in quotes and joined by colons, as the Care Identity Service writes them
	Retired bool   // it is not given any more

	parts []string // of the name
}

func newEntry(code string, parts []string, retired bool) Entry {
	e := Entry{Code: code, Name: parts[0], Retired: retired, parts: parts}
	if len(parts) > 1 {
		e.Name = `"` + strings.Join(parts, `":"`) + `"`
	}
	return e
}

// NewCatalogue reads the catalogue that the program carries.
func NewCatalogue() (*Catalogue, error) {
	lists, err := carried()
	if err != nil {
		return nil, err
	}
	c := new(Catalogue)
	c.current.Store(&codes{generation: -1, lists: lists})
	return c, nil
}

// carried reads the files that the program carries.
func carried() (map[CodeKind][]Entry, error) {
	lists := make(map[CodeKind][]Entry)
	for _, name := range []string{"job_roles", "activities", "areas_of_work"} {
		data, err := catalogueFiles.ReadFile("catalogue/" + name + ".csv")
		if err != nil {
			return nil, fmt.Errorf("read catalogue: %w", err)
		}
		kind, entries, err := ParseCodes(data)
		if err != nil {
			return nil, fmt.Errorf("read catalogue %s: %w", name, err)
		}
		lists[kind] = entries
	}
	return lists, nil
}

// Load reads the catalogue that was imported, if it changed since it was last read.
func (c *Catalogue) Load(ctx context.Context, s *store.Store) error {
	c.loading.Lock()
	defer c.loading.Unlock()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	generation, err := s.Generation(ctx, "catalogue_code") // first: a change in between makes the next poll read again
	if err != nil {
		return fmt.Errorf("read generation of catalogue: %w", err)
	}
	if c.current.Load().generation == generation {
		return nil
	}
	rows, err := s.CatalogueCodes(ctx)
	if err != nil {
		return fmt.Errorf("read catalogue: %w", err)
	}
	lists, err := listsOf(rows)
	if err != nil {
		return err
	}
	c.current.Store(&codes{generation, lists})
	return nil
}

// listsOf is the catalogue of what is on record, or the one that the program carries where nothing is.
func listsOf(rows []store.CatalogueCode) (map[CodeKind][]Entry, error) {
	if len(rows) == 0 {
		return carried()
	}
	lists := make(map[CodeKind][]Entry)
	for _, r := range rows {
		lists[CodeKind(r.Kind)] = append(lists[CodeKind(r.Kind)], newEntry(r.Code, r.Name, r.RetiredAt != nil))
	}
	for _, list := range lists {
		slices.SortFunc(list, byCode) // the database may order otherwise
	}
	return lists, nil
}

func byCode(a, b Entry) int { return cmp.Compare(a.Code, b.Code) }

// Run looks for another catalogue until the context ends.
func (c *Catalogue) Run(ctx context.Context, s *store.Store, log *slog.Logger) error {
	return poll.Run(ctx, log, "catalogue", func(ctx context.Context) error { return c.Load(ctx, s) })
}

// All lists the codes of a kind by code, those that are retired included.
func (c *Catalogue) All(kind CodeKind) []Entry { return slices.Clone(c.current.Load().lists[kind]) }

// given lists the codes of a kind that are not retired.
func (c *Catalogue) given(kind CodeKind) []Entry {
	return slices.DeleteFunc(c.All(kind), func(e Entry) bool { return e.Retired })
}

// JobRoles lists the job roles that can be granted, by code.
func (c *Catalogue) JobRoles() []Entry { return c.given(JobRole) }

// Activities lists the activities that can be granted, by code.
func (c *Catalogue) Activities() []Entry { return c.given(Activity) }

// AreasOfWork lists the areas of work that can be granted, by code.
func (c *Catalogue) AreasOfWork() []Entry { return c.given(AreaOfWork) }

// JobRoleName is the name of a job role in three parts, the quotes included: "Clinical":"Clinical Provision":"Nurse Access Role".
func (c *Catalogue) JobRoleName(code string) string { return c.find(JobRole, code).Name }

// JobRoleShortName is the last part of the name of a job role, for people to read: Nurse Access Role.
func (c *Catalogue) JobRoleShortName(code string) string { return c.find(JobRole, code).last() }

// ActivityName is the name of an activity.
func (c *Catalogue) ActivityName(code string) string { return c.find(Activity, code).Name }

// AreaOfWorkName is the name of an area of work in three parts, the quotes included.
func (c *Catalogue) AreaOfWorkName(code string) string { return c.find(AreaOfWork, code).Name }

// AreaOfWorkShortName is the last part of the name of an area of work, for people to read: Phlebotomy.
func (c *Catalogue) AreaOfWorkShortName(code string) string { return c.find(AreaOfWork, code).last() }

func (e Entry) last() string { return e.parts[len(e.parts)-1] }

// checkCodes wants codes that the catalogue has, and that are not retired. One that it has not stands for nothing that anybody
// could check, and is taken only when unlisted ones are, and when it has the form.
func (c *Catalogue) checkCodes(kind CodeKind, codes []string, unlisted bool) error {
	var errs []error
	list := c.current.Load().lists[kind]
	for _, code := range codes {
		i := index(list, code)
		switch {
		case unlisted && kind.form().MatchString(code) || i >= 0 && !list[i].Retired:
		case i >= 0:
			errs = append(errs, fmt.Errorf("%s %q %w", kind.words(), code, ErrRetiredCode))
		default:
			errs = append(errs, fmt.Errorf("%s %q %w", kind.words(), code, ErrUnknownCode))
		}
	}
	return errors.Join(errs...)
}

func (k CodeKind) words() string { return strings.ReplaceAll(string(k), "_", " ") }

// find looks a code up.
func (c *Catalogue) find(kind CodeKind, code string) Entry {
	list := c.current.Load().lists[kind]
	if i := index(list, code); i >= 0 {
		return list[i]
	}
	if kind == JobRole && code == BreakGlassOfficer { // has a name, and is nothing to choose
		return newEntry(code, []string{"Admin & Clerical", "Management - A & C", "Break-glass Officer"}, false)
	}
	return Entry{Code: code, Name: code, parts: []string{code}} // it stands for itself
}

// index is where a code is in a list, or -1.
func index(list []Entry, code string) int {
	i, known := slices.BinarySearchFunc(list, code, func(e Entry, code string) int { return cmp.Compare(e.Code, code) })
	if !known {
		return -1
	}
	return i
}
