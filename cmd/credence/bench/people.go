package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// Ids of what is seeded begin with 0, as those that are drawn for people never do.
func personID(n int) string     { return fmt.Sprintf("010%09d", n) }
func membershipID(n int) string { return fmt.Sprintf("020%09d", n) }
func roleID(n int) string       { return fmt.Sprintf("030%09d", n) }
func workgroupID(n int) string  { return fmt.Sprintf("040%09d", n) }

const (
	firstPerson, afterPeople, afterOfficers = "010", "011", "012"

	mostPeople = 10_000_000
	signers    = 2000 // so many of the people, the first ones, have an authenticator
	chunk      = 10_000

	// A national service of health and care has some 1.5 million people with some 3 million role profiles, at some 40,000
	// organisations.
	peopleOfOrganisation = 40
	peopleOfWorkgroup    = 20
	organisationsOfBoard = 50
	rolesOfPerson        = 2

	clientES256, clientRS256 = "credence-bench", "credence-bench-rs256"
	callback                 = "http://127.0.0.1/credence-bench" // nobody is there: the browser stops before
	actor                    = "credence bench"
)

func checkPeople(n int) error {
	if n < 2 || n > mostPeople {
		return fmt.Errorf("%d people: want 2 to %d", n, mostPeople)
	}
	return nil
}

var (
	// ErrForeign is returned by [CheckDatabase] for a database that somebody uses.
	ErrForeign = errors.New("this database is somebody's: it is not one of `credence dev`, and not everything in it was made by `credence bench`")
	// ErrOlder is returned by [Seed] for people whom a release filled in that had no officers.
	ErrOlder = errors.New("an older release filled this database: take a new one")
	// ErrEmpty is returned by [CheckDatabase] for a database that nobody uses yet.
	ErrEmpty = errors.New("this database is empty, and not one of `credence dev`: somebody may mean to use it")
)

// CheckDatabase refuses a database that invented people, who can sign in, should not get into. One of `credence dev` is taken,
// because `credence serve` refuses it, and so is one that was filled before. An empty one is taken when whoever it is wants it
// filled. The store is connected as the owner of the tables.
func CheckDatabase(ctx context.Context, owner *store.Store, fill bool) error {
	development, err := owner.Development(ctx)
	if err != nil || development {
		return err
	}
	empty, err := owner.Empty(ctx)
	if err == nil && empty && !fill {
		return ErrEmpty
	}
	if err != nil || empty {
		return err
	}
	foreign, err := owner.PeopleOutside(ctx, firstPerson, afterOfficers)
	if err != nil {
		return err
	}
	_, err = owner.Client(ctx, clientES256)
	if foreign || errors.Is(err, store.ErrNotFound) {
		return ErrForeign
	}
	return err
}

// Seed makes a database that [CheckDatabase] takes hold so many invented people, each with two role profiles, of which every
// second person holds one no longer, and officers who work for all of them. What is there already stays, so that it goes on where it was cut short. The store is
// connected as the owner of the tables.
func Seed(ctx context.Context, owner *store.Store, key seal.Key, issuer string, people int, now func() time.Time, progress io.Writer) error {
	if err := checkPeople(people); err != nil {
		return err
	}
	// The clients come first: they mark the database as ours.
	if err := ensureClients(ctx, owner, key, now()); err != nil {
		return err
	}
	if err := ensureOfficers(ctx, owner, key, now()); err != nil {
		return err
	}
	loaded, err := loadPeople(ctx, owner, people, now, progress)
	if err != nil {
		return err
	}
	bound, err := bindAuthenticators(ctx, owner, key, issuer, min(people, signers), now)
	if err != nil {
		return err
	}
	if loaded || bound {
		return owner.Tidy(ctx)
	}
	return nil
}

func ensureClients(ctx context.Context, owner *store.Store, key seal.Key, now time.Time) error {
	for id, alg := range map[string]string{clientES256: "ES256", clientRS256: "RS256"} {
		r := oauth.Registration{ID: id, Name: "credence bench", IDTokenAlg: alg, Scopes: oauth.Scopes(), RedirectURIs: []string{callback}}
		if err := oauth.EnsureClient(ctx, owner, r, clientSecret(key), actor, now); err != nil {
			return err
		}
	}
	return nil
}

// loadPeople adds the people who are missing, and says whether there were any. A chunk is one transaction, and the chunks are
// in order: whoever is there has everybody before.
func loadPeople(ctx context.Context, owner *store.Store, people int, now func() time.Time, progress io.Writer) (bool, error) {
	last, err := owner.LastPerson(ctx, firstPerson, afterPeople)
	if err != nil {
		return false, err
	}
	next := 0
	if last != "" {
		n, err := strconv.Atoi(last[len(firstPerson):])
		if err != nil {
			return false, fmt.Errorf("person %q: %w", last, err)
		}
		next = n + 1
	}
	if next >= people {
		return false, nil
	}
	p, err := newPopulation(now())
	if err != nil {
		return false, err
	}
	began := time.Now()
	for err == nil && next < people {
		end := min(next+chunk, people)
		if err = p.load(ctx, owner, next, end); err != nil {
			break
		}
		next = end
		_, err = fmt.Fprintf(progress, "\r%d of %d people, %.0f s", next, people, time.Since(began).Seconds())
	}
	_, unprinted := fmt.Fprintln(progress) // what follows has a line of its own
	return true, errors.Join(err, unprinted)
}

func (p population) load(ctx context.Context, owner *store.Store, from, to int) error {
	b, err := p.bulk(from, to)
	if err == nil {
		err = owner.Load(ctx, b, p.now)
	}
	if err != nil {
		return fmt.Errorf("load people %d to %d: %w", from, to, err)
	}
	return nil
}

// bindAuthenticators binds the authenticators of those who sign in, where they are missing, and says whether there were any.
func bindAuthenticators(ctx context.Context, owner *store.Store, key seal.Key, issuer string, count int, now func() time.Time) (bool, error) {
	people, err := authenticators(key, count)
	if err != nil {
		return false, err
	}
	desk, err := securityKeys(key)
	if err != nil {
		return false, err
	}
	keys := slices.Concat(people, desk)
	ids := make([][]byte, len(keys))
	for i, a := range keys {
		ids[i] = a.credentialID
	}
	found, err := owner.Bound(ctx, ids)
	if err != nil {
		return false, err
	}
	bound := make(map[string]bool, len(found))
	for _, id := range found {
		bound[string(id)] = true
	}
	const together = 100
	for begin := 0; begin < len(keys); begin += together {
		err := owner.InTx(ctx, func(tx *store.Tx) error {
			for n := begin; n < min(begin+together, len(keys)); n++ {
				if bound[string(ids[n])] {
					continue
				}
				if err := bind(ctx, tx, keys[n].row(issuer, now())); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return false, fmt.Errorf("bind authenticators: %w", err)
		}
	}
	return len(found) < len(keys), nil
}

func bind(ctx context.Context, tx *store.Tx, a store.Authenticator) error {
	a.ID = uuid.New()
	if err := tx.AddAuthenticator(ctx, a); err != nil {
		return err
	}
	return audit.Record(ctx, tx, audit.Entry{
		At: a.CreatedAt, Event: audit.Enrolled, Actor: actor, Person: a.PersonID,
		Detail: map[string]string{"authenticator": a.ID.String(), "kind": a.Kind, "aaguid": a.AAGUID.String(), "attestation": a.AttestationFormat},
	})
}
