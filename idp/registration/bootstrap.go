package registration

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// ErrManagerExists says that there is a registration authority manager who can sign in, so that the first was made.
var ErrManagerExists = errors.New("a registration authority manager who has an authenticator exists: she makes the others")

// FirstManager is who is to be the first registration authority manager of an installation.
type FirstManager struct {
	Person       string              // who is there already; "" adds New
	New          directory.NewPerson // when Person is ""
	Organisation string              // the code of the one for which she is, and for those below it
}

// Bootstrapped is what the first manager binds her authenticator with.
type Bootstrapped struct {
	PersonID  string
	Secret    string // of an enrolment link
	ExpiresAt time.Time
}

// Bootstrap makes the first registration authority manager, whom no other can make, and the link with which she binds her
// authenticator. It can be repeated until she has: then only the last link works. From then on it is ErrManagerExists.
func Bootstrap(ctx context.Context, s *store.Store, rules *authority.Rules, first FirstManager, actor string, now time.Time) (Bootstrapped, error) {
	made := Bootstrapped{Secret: rand.Text() + rand.Text(), ExpiresAt: now.Add(linkLife)}
	var refusal error
	err := s.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.LockBootstrap(ctx); err != nil {
			return err
		}
		if err := tx.LockLinksOfManagers(ctx, now); err != nil {
			return err
		}
		enrolled, err := tx.ManagerIsEnrolled(ctx, now)
		if err != nil {
			return fmt.Errorf("look for a manager: %w", err)
		}
		e := audit.Entry{At: now, Event: audit.Bootstrapped, Actor: actor, Person: first.Person, Detail: map[string]string{"organisation": first.Organisation}}
		if enrolled {
			refusal, e.Refusal = ErrManagerExists, "manager_exists"
			return audit.Record(ctx, tx, e)
		}
		if made.PersonID, err = firstManager(ctx, tx, rules, first, actor, now); err != nil {
			return err
		}
		if err := tx.SpendLinksOfManagers(ctx, now); err != nil {
			return err
		}
		if err := tx.AddEnrolmentLink(ctx, hash(made.Secret), nil, made.PersonID, now, made.ExpiresAt); err != nil {
			return fmt.Errorf("add enrolment link: %w", err)
		}
		e.Person, e.Detail["expires_at"] = made.PersonID, made.ExpiresAt.Format(time.RFC3339)
		link := e
		link.Event = audit.EnrolmentLinkMade
		return errors.Join(audit.Record(ctx, tx, e), audit.Record(ctx, tx, link))
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return Bootstrapped{}, err
	}
	return made, nil
}

// firstManager adds the person where she is missing, and the role.
func firstManager(ctx context.Context, tx *store.Tx, rules *authority.Rules, first FirstManager, actor string, now time.Time) (id string, err error) {
	if id = first.Person; id == "" {
		if id, err = directory.AddPersonIn(ctx, tx, first.New, actor, now); err != nil {
			return "", err
		}
	}
	person, err := tx.Person(ctx, id, now)
	if errors.Is(err, store.ErrNotFound) {
		return "", fmt.Errorf("person %q %w", id, directory.ErrUnknown)
	}
	if err != nil {
		return "", fmt.Errorf("read person %q: %w", id, err)
	}
	if !person.PersonStands {
		return "", fmt.Errorf("person %q is disabled: `credence person enable %s` first", id, id)
	}
	if slices.ContainsFunc(person.Person.Roles, func(r store.Role) bool {
		return r.JobRole == directory.RAManager && r.OrganisationCode == first.Organisation
	}) {
		return id, nil
	}
	held := []authority.Held{{JobRole: directory.RAManager}}
	for _, r := range person.Person.Roles {
		held = append(held, authority.Held{JobRole: r.JobRole, Activities: r.Activities})
	}
	if conflicts := rules.Conflicts(held); len(conflicts) > 0 {
		return "", fmt.Errorf("person %q holds what no manager may: %s", id, conflicts[0].Reason)
	}
	_, err = directory.GrantRoleIn(ctx, tx, directory.NewRole{PersonID: id, Organisation: first.Organisation, JobRole: directory.RAManager, StartsAt: now}, actor, now)
	return id, err
}
