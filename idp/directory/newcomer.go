package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
)

// Newcomer is a person to add who is, as far as anybody can see, on no record yet.
type Newcomer struct {
	NewPerson          // with a date of birth: without one nobody can tell whether she is on record
	Sure      bool     // whoever adds her says that she is none of those who were shown
	Shown     []string // their ids
}

// Alike is who on record may be the same person as a newcomer, likeliest first.
type Alike struct {
	People []Candidate
	More   bool // there are more, who are less like her
}

// Candidate is somebody on record, and what of it is like a newcomer's.
type Candidate struct {
	store.FoundPerson

	LikeName, SameBirth, SameEmail bool
}

// mostAlike is how many people are listed of those born on the same day with a name like hers, of those who have her e-mail
// address, and of those who have a name still more like hers.
const mostAlike = 10

// AddNewcomer adds a person whom nobody on record is, and returns the id. It lists who may be the same, and adds nobody (the
// id is ""), until whoever adds her is Sure, having been shown each of them. Of two who add the same person at once the second
// is shown the person whom the first has added. An id that is wanted and taken is ErrTaken.
//
// The entry says who adds her, and when. How many people were shown is recorded, and with an addition their ids.
func AddNewcomer(ctx context.Context, s *store.Store, n Newcomer, by audit.Entry) (id string, alike Alike, err error) {
	err = n.Check(by.At)
	if n.DateOfBirth == nil {
		err = errors.Join(err, &InvalidError{"date_of_birth", "a date of birth"})
	}
	if err != nil {
		return "", Alike{}, err
	}
	err = Redraw(n.ID, func() error {
		return s.InTx(ctx, func(tx *store.Tx) (err error) {
			id, alike, err = n.addIn(ctx, tx, by)
			return err
		})
	})
	if err != nil {
		return "", Alike{}, named(fmt.Sprintf("person %q", id), err)
	}
	return id, alike, nil
}

func (n Newcomer) addIn(ctx context.Context, tx *store.Tx, by audit.Entry) (id string, alike Alike, err error) {
	if n.Sure {
		if err := tx.LockNewcomers(ctx, n.DateOfBirth, n.Email); err != nil {
			return "", Alike{}, fmt.Errorf("keep others from adding the same person: %w", err)
		}
	}
	if alike, err = FindAlike(ctx, tx, n.NewPerson, ""); err != nil {
		return "", Alike{}, err
	}
	shown := make([]string, len(alike.People))
	for i, c := range alike.People {
		shown[i] = c.ID
	}
	if !n.Sure || slices.ContainsFunc(shown, func(id string) bool { return !slices.Contains(n.Shown, id) }) {
		if len(shown) == 0 {
			return "", alike, nil
		}
		by.Event, by.Detail = audit.PersonSearched, with(by.Detail, map[string]string{"by": "likeness", "hits": strconv.Itoa(len(shown))})
		return "", alike, audit.Record(ctx, tx, by)
	}
	id, by.Detail = cmp.Or(n.ID, NewID()), with(by.Detail, map[string]string{"shown": strconv.Itoa(len(shown)), "shown_people": strings.Join(shown, " ")})
	return id, alike, addPerson(ctx, tx, id, n.NewPerson, by)
}

// FindAlike finds who on record may be the same as a person, but for the one with this id, who is on record herself; "" is
// none.
func FindAlike(ctx context.Context, tx *store.Tx, n NewPerson, herself string) (alike Alike, err error) {
	name := n.GivenName + " " + n.FamilyName
	if n.DateOfBirth != nil {
		born, err := tx.PeopleBornOn(ctx, *n.DateOfBirth, name, store.Order{}, "", mostAlike+1)
		if err != nil {
			return Alike{}, fmt.Errorf("find people of the same date of birth: %w", err)
		}
		alike.add(born, func(c *Candidate) { c.LikeName, c.SameBirth = true, true })
	}
	if n.Email != "" {
		reached, err := tx.PeopleOfEmail(ctx, n.Email, store.Order{}, "", mostAlike+1)
		if err != nil {
			return Alike{}, fmt.Errorf("find people of the same e-mail address: %w", err)
		}
		alike.add(reached, func(c *Candidate) { c.SameEmail = true })
	}
	called, err := tx.PeopleNamed(ctx, name, store.Order{}, "", mostAlike+1)
	if err != nil {
		return Alike{}, fmt.Errorf("find people of a name like hers: %w", err)
	}
	alike.add(called, func(c *Candidate) { c.LikeName = true })
	alike.People = slices.DeleteFunc(alike.People, func(c Candidate) bool { return c.ID == herself })
	return alike, nil
}

// add adds people, each once, and what makes them alike.
func (a *Alike) add(people []store.FoundPerson, because func(*Candidate)) {
	a.More = a.More || len(people) > mostAlike
	for _, p := range people[:min(len(people), mostAlike)] {
		i := slices.IndexFunc(a.People, func(c Candidate) bool { return c.ID == p.ID })
		if i < 0 {
			i, a.People = len(a.People), append(a.People, Candidate{FoundPerson: p})
		}
		because(&a.People[i])
	}
}

// with is what is said of an event, and more of it.
func with(detail, more map[string]string) map[string]string {
	maps.Copy(more, detail)
	return more
}
