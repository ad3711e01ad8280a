package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/store"
)

// Correction is who a person is to be on record as, all of it.
type Correction struct {
	Person string
	store.Details
	Reason string
	Seen   uuid.UUID // the correction that was the last when the officer read what she changes; uuid.Nil: there was none
	Sure   bool      // she says that the person is none of those who were shown
	Shown  []string  // their ids
}

// Corrected is what came of a correction.
type Corrected struct {
	Changes []deed.Change   // what was changed
	Alike   directory.Alike // who may be the same person by the new details: then nothing was changed
	Unnamed bool            // evidence was about other details, and counts no more
}

// Correct changes who a person is said to be, for a reason. Somebody else having corrected it since is the refusal
// deed.ChangedSince, which has what is on record now and what it was to be. When the name or the date of birth changes,
// it lists who else on record may be the person, and changes nothing, until the officer is Sure, having been shown each.
func (r *Registrar) Correct(ctx context.Context, by deed.Acting, c Correction) (corrected Corrected, err error) {
	if err := errors.Join(c.newPerson().Check(r.Now()), directory.CheckText("reason", c.Reason, 1, 500)); err != nil {
		return Corrected{}, err
	}
	if c.DisplayName == "" {
		c.DisplayName = c.GivenName + " " + c.FamilyName
	}
	err = r.act(ctx, by, audit.PersonCorrected, c.Person, func(a *act) error {
		corrected, err = a.correct(ctx, r, c)
		return err
	})
	return corrected, err
}

func (c Correction) newPerson() directory.NewPerson {
	return directory.NewPerson{
		Title: c.Title, GivenName: c.GivenName, MiddleNames: c.MiddleNames, FamilyName: c.FamilyName, DisplayName: c.DisplayName, Email: c.Email,
		DateOfBirth: c.DateOfBirth,
	}
}

func (a *act) correct(ctx context.Context, r *Registrar, c Correction) (Corrected, error) {
	people, err := a.lock(ctx, c.Person)
	if err != nil {
		return Corrected{}, err
	}
	before := people[0].Profile
	if err := a.must(ctx, authority.CorrectPerson, people[0], ""); err != nil {
		return Corrected{}, err
	}
	if err := stillOpen(before); err != nil {
		return Corrected{}, err
	}
	last, err := a.LastChange(ctx, c.Person, "corrected")
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Corrected{}, fmt.Errorf("read corrections of person %s: %w", c.Person, err)
	}
	changes := differences(before.Details, c.Details)
	if last.ID != c.Seen {
		return Corrected{}, deed.Refuse(deed.ChangedSince).With("", changes...)
	}
	if len(changes) == 0 {
		return Corrected{}, &directory.InvalidError{Field: "reason", Want: "something to correct"}
	}
	if before.DateOfBirth != nil && c.DateOfBirth == nil {
		return Corrected{}, &directory.InvalidError{Field: "date_of_birth", Want: "a date of birth"}
	}
	if identifies(changes) {
		alike, err := a.others(ctx, c)
		if err != nil || alike.People != nil {
			return Corrected{Alike: alike}, err
		}
	}
	if err := a.CorrectPerson(ctx, c.Person, c.Details); err != nil {
		return Corrected{}, fmt.Errorf("correct person %s: %w", c.Person, err)
	}
	if before.Email != "" && before.Email != c.Email {
		told := messenger.Message{Person: c.Person, Address: before.Email, Letter: messenger.AddressChanged{}}
		if err := a.messenger.Post(ctx, a.Tx, told); err != nil {
			return Corrected{}, err
		}
	}
	if err := a.tell(ctx, c.Person, messenger.DetailsCorrected{}); err != nil {
		return Corrected{}, err
	}
	withdrawn, err := r.Evidence.WithdrawUnnamedIn(ctx, a.Tx, a.Entry.Actor, c.Person, a.Now)
	if err != nil {
		return Corrected{}, fmt.Errorf("withdraw evidence of person %s: %w", c.Person, err)
	}
	unnamed := len(withdrawn.Evidence) > 0
	from, to := map[string]string{}, map[string]string{}
	var fields []string // what they were and are is in the change, which is erased when its time is over: the record never is
	for _, change := range changes {
		from[change.Field], to[change.Field] = change.From, change.To
		fields = append(fields, change.Field)
	}
	a.Note(map[string]string{"fields": strings.Join(fields, " "), "reason": c.Reason})
	if unnamed {
		a.Note(map[string]string{"withdrawn_evidence": strconv.Itoa(len(withdrawn.Evidence))})
	}
	return Corrected{Changes: changes, Unnamed: unnamed}, a.change(ctx, c.Person, "corrected", "", c.Reason, from, to)
}

// others finds who else may be the person by the new details, unless the officer was shown all of them and is sure.
func (a *act) others(ctx context.Context, c Correction) (directory.Alike, error) {
	if c.Sure && c.DateOfBirth != nil {
		if err := a.LockNewcomers(ctx, c.DateOfBirth, c.Email); err != nil {
			return directory.Alike{}, fmt.Errorf("keep others from adding the same person: %w", err)
		}
	}
	alike, err := directory.FindAlike(ctx, a.Tx, c.newPerson(), c.Person)
	if err != nil {
		return directory.Alike{}, err
	}
	unseen := func(other directory.Candidate) bool { return !slices.Contains(c.Shown, other.ID) }
	if c.Sure && !slices.ContainsFunc(alike.People, unseen) || len(alike.People) == 0 {
		a.Note(map[string]string{"shown": strconv.Itoa(len(alike.People))})
		return directory.Alike{}, nil
	}
	a.Entry.Event = audit.PersonSearched
	a.Note(map[string]string{"by": "likeness", "hits": strconv.Itoa(len(alike.People))})
	return alike, nil
}

// identifies says whether it is another name or date of birth, by which people are told apart.
func identifies(changes []deed.Change) bool {
	return slices.ContainsFunc(changes, func(c deed.Change) bool {
		return c.Field == "given_name" || c.Field == "family_name" || c.Field == "date_of_birth"
	})
}

// Differences are the details of a person that differ from others, which they were to be.
func (s Subject) Differences(to store.Details) []deed.Change {
	if to.DisplayName == "" {
		to.DisplayName = to.GivenName + " " + to.FamilyName
	}
	return differences(s.Details, to)
}

// differences are the values that differ, by their names.
func differences(from, to store.Details) (changes []deed.Change) {
	was, is := values(from), values(to)
	for _, field := range slices.Sorted(maps.Keys(was)) {
		if was[field] != is[field] {
			changes = append(changes, deed.Change{Field: field, From: was[field], To: is[field]})
		}
	}
	return changes
}

func values(d store.Details) map[string]string {
	born := ""
	if d.DateOfBirth != nil {
		born = d.DateOfBirth.Format(time.DateOnly)
	}
	return map[string]string{
		"title": d.Title, "given_name": d.GivenName, "middle_names": d.MiddleNames, "family_name": d.FamilyName, "display_name": d.DisplayName,
		"email": d.Email, "date_of_birth": born,
	}
}
