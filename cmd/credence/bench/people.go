package bench

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
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
	firstPerson, afterPeople = "010", "011"

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
	foreign, err := owner.PeopleOutside(ctx, firstPerson, afterPeople)
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
// second person holds one no longer. What is there already stays, so that it goes on where it was cut short. The store is
// connected as the owner of the tables.
func Seed(ctx context.Context, owner *store.Store, key seal.Key, issuer string, people int, now func() time.Time, progress io.Writer) error {
	if err := checkPeople(people); err != nil {
		return err
	}
	// The clients come first: they mark the database as ours.
	if err := ensureClients(ctx, owner, key, now()); err != nil {
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
		if err = owner.Load(ctx, p.bulk(next, end), now()); err != nil {
			err = fmt.Errorf("load people %d to %d: %w", next, end, err)
			break
		}
		next = end
		_, err = fmt.Fprintf(progress, "\r%d of %d people, %.0f s", next, people, time.Since(began).Seconds())
	}
	_, unprinted := fmt.Fprintln(progress) // what follows has a line of its own
	return true, errors.Join(err, unprinted)
}

// population invents people by number: the same number is the same person, whenever.
type population struct {
	jobRoles, activities []directory.Entry
	starts, ended        time.Time
}

func newPopulation(now time.Time) (population, error) {
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		return population{}, err
	}
	return population{
		jobRoles: catalogue.JobRoles(), activities: catalogue.Activities(),
		starts: now.AddDate(-3, 0, 0), ended: now.AddDate(-1, 0, 0),
	}, nil
}

// twoRoles says whether a person holds both role profiles. The others hold the first one only, and are not asked in which to
// act.
func twoRoles(n int) bool { return n%2 == 1 }

func (p population) bulk(from, to int) store.Bulk {
	var b store.Bulk
	for n := from; n < to; n++ {
		if n%peopleOfOrganisation == 0 {
			b.Organisations = append(b.Organisations, organisation(n/peopleOfOrganisation))
		}
		if n%peopleOfWorkgroup == 0 {
			g := n / peopleOfWorkgroup
			b.Workgroups = append(b.Workgroups, store.Workgroup{ID: workgroupID(g), Name: fmt.Sprintf("Team %d (invented)", g)})
		}
		b.People = append(b.People, person(n))
		memberships := p.memberships(n)
		b.Memberships = append(b.Memberships, memberships...)
		b.Roles = append(b.Roles, p.roles(n, memberships)...)
	}
	return b
}

func organisationCode(n int) string { return fmt.Sprintf("ZB%06d", n) }

func organisation(n int) store.Organisation {
	o := store.Organisation{Code: organisationCode(n), Name: fmt.Sprintf("Organisation %d (invented)", n)}
	if board := n - n%organisationsOfBoard; board != n {
		o.ParentCode = new(organisationCode(board))
	}
	return o
}

func person(n int) store.NewPerson {
	p := store.NewPerson{
		ID: personID(n), Handle: handle(n), Title: "Dr", GivenName: "Person", FamilyName: "Number " + strconv.Itoa(n), DisplayName: "Person Number " + strconv.Itoa(n),
		Email: fmt.Sprintf("person.%d@bench.example", n), IdentityLevel: "high",
	}
	if n%3 == 0 {
		p.Registrations = []store.Registration{{Body: "gmc", Number: strconv.Itoa(n)}}
	}
	return p
}

// handle is a person's WebAuthn user handle. It is no secret, only a name that says nothing.
func handle(n int) []byte {
	sum := sha256.Sum256([]byte("credence bench " + personID(n)))
	return sum[:]
}

// memberships are one organisation for most, and two for every fourth person.
func (p population) memberships(n int) []store.NewMembership {
	home := n / peopleOfOrganisation
	list := []store.NewMembership{{ID: membershipID(rolesOfPerson * n), PersonID: personID(n), OrganisationCode: organisationCode(home)}}
	if other := home / 2; n%4 == 1 && other != home {
		list = append(list, store.NewMembership{ID: membershipID(rolesOfPerson*n + 1), PersonID: personID(n), OrganisationCode: organisationCode(other)})
	}
	return list
}

func (p population) roles(n int, memberships []store.NewMembership) []store.NewRole {
	role := func(i int, membership store.NewMembership) store.NewRole {
		r := store.NewRole{
			ID: roleID(rolesOfPerson*n + i), MembershipID: membership.ID, JobRole: p.jobRoles[(n+i)%len(p.jobRoles)].Code, StartsAt: p.starts,
			Workgroups: []string{workgroupID(n / peopleOfWorkgroup)},
		}
		for j := range 4 {
			r.Activities = append(r.Activities, p.activities[(n+i+j)%len(p.activities)].Code)
		}
		return r
	}
	first, second := role(0, memberships[0]), role(1, memberships[len(memberships)-1])
	if !twoRoles(n) {
		second.EndsAt = &p.ended
	}
	return []store.NewRole{first, second}
}

// bindAuthenticators binds the authenticators of those who sign in, where they are missing, and says whether there were any.
func bindAuthenticators(ctx context.Context, owner *store.Store, key seal.Key, issuer string, count int, now func() time.Time) (bool, error) {
	keys, err := authenticators(key, count)
	if err != nil {
		return false, err
	}
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
