package bench

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

// population invents people by number: the same number is the same person, whenever.
type population struct {
	names                names
	catalogue            *directory.Catalogue
	jobRoles, activities []directory.Entry // that make nobody an officer
	now, starts, ended   time.Time
}

func newPopulation(now time.Time) (population, error) {
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		return population{}, err
	}
	rules, err := authority.New()
	if err != nil {
		return population{}, err
	}
	return population{
		names: newNames(), catalogue: catalogue,
		jobRoles:   slices.DeleteFunc(catalogue.JobRoles(), func(e directory.Entry) bool { return len(rules.ActorsOf(e.Code, nil)) > 0 }),
		activities: slices.DeleteFunc(catalogue.Activities(), func(e directory.Entry) bool { return len(rules.ActorsOf("", []string{e.Code})) > 0 }),
		now:        now, starts: now.AddDate(-3, 0, 0), ended: now.AddDate(-1, 0, 0),
	}, nil
}

// twoRoles says whether a person holds both role profiles. The others hold the first one only, and are not asked in which to
// act.
func twoRoles(n int) bool { return n%2 == 1 }

// Whose first role a position gives, of the nation or of her organisation, and who waits for one.
func holdsNational(n int) bool { return n%15 == 1 }
func holdsLocal(n int) bool    { return n%10 == 0 && !holdsNational(n) }
func waits(n int) bool         { return n%100 == 55 && !holdsNational(n) }

func (p population) bulk(from, to int) (store.Bulk, error) {
	var b store.Bulk
	if from == 0 {
		b.Positions = append(b.Positions, p.position(0, nation))
	}
	for n := from; n < to; n++ {
		if n%peopleOfOrganisation == 0 {
			of := n / peopleOfOrganisation
			b.Organisations = append(b.Organisations, organisation(of))
			b.Positions = append(b.Positions, p.position(of+1, organisationCode(of)))
		}
		if n%peopleOfWorkgroup == 0 {
			g := n / peopleOfWorkgroup
			b.Workgroups = append(b.Workgroups, store.Workgroup{ID: workgroupID(g), Name: fmt.Sprintf("Team %d (invented)", g)})
		}
		b.People = append(b.People, p.person(n))
		memberships := p.memberships(n)
		b.Memberships = append(b.Memberships, memberships...)
		roles := p.roles(n, memberships)
		if position, is := p.wanted(n); is {
			r, err := p.request(n, position)
			if err != nil {
				return store.Bulk{}, err
			}
			b.Requests = append(b.Requests, r)
			if r.State == "approved" {
				roles[0].PositionID, roles[0].RequestID, roles[0].EndsAt = &r.PositionID, &r.ID, r.ExpiresAt
				roles[0].JobRole, roles[0].Activities, roles[0].Workgroups = position.JobRole, position.Activities, position.Workgroups
			}
		}
		b.Roles = append(b.Roles, roles...)
		if n%4 == 0 {
			e, err := p.evidence(n)
			if err != nil {
				return store.Bulk{}, err
			}
			b.Evidence = append(b.Evidence, e)
		}
	}
	return b, nil
}

func organisationCode(n int) string { return fmt.Sprintf("ZB%06d", n) }

// organisation is one of a board, or the board itself, which is one of the nation.
func organisation(n int) store.Organisation {
	o := store.Organisation{Code: organisationCode(n), Name: fmt.Sprintf("Organisation %d (invented)", n), ParentCode: new(nation)}
	if board := n - n%organisationsOfBoard; board != n {
		o.ParentCode = new(organisationCode(board))
	}
	return o
}

func (p population) person(n int) store.NewPerson {
	given, family := p.names.of(n)
	person := store.NewPerson{
		ID: personID(n), Handle: handle(personID(n)), Title: "Dr", GivenName: given, FamilyName: family, DisplayName: given + " " + family,
		Email: fmt.Sprintf("person.%d@bench.example", n), DateOfBirth: new(born(n)), IdentityLevel: "high",
	}
	if n%3 == 0 {
		person.Registrations = []store.Registration{{Body: "gmc", Number: strconv.Itoa(n)}}
	}
	return person
}

// handle is a person's WebAuthn user handle. It is no secret, only a name that says nothing.
func handle(person string) []byte {
	sum := sha256.Sum256([]byte("credence bench " + person))
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
		return store.NewRole{
			ID: roleID(rolesOfPerson*n + i), MembershipID: membership.ID, JobRole: p.jobRoles[(n+i)%len(p.jobRoles)].Code, StartsAt: p.starts,
			Workgroups: []string{workgroupID(n / peopleOfWorkgroup)}, Activities: p.some(n + i),
		}
	}
	first, second := role(0, memberships[0]), role(1, memberships[len(memberships)-1])
	if !twoRoles(n) {
		second.EndsAt = &p.ended
	}
	return []store.NewRole{first, second}
}

// some are four activities.
func (p population) some(n int) (codes []string) {
	for i := range 4 {
		codes = append(codes, p.activities[(n+i)%len(p.activities)].Code)
	}
	return codes
}

func positionID(n int) string { return fmt.Sprintf("050%09d", n) }

// position is number 0, which is the nation's, or the one of an organisation: in force, as one officer proposed and another approved it.
func (p population) position(n int, organisation string) store.PositionRow {
	made, approved := officerID(n%(officers/2)), officerID(officers/2+n%(officers/2))
	role := p.jobRoles[n%len(p.jobRoles)].Code
	return store.PositionRow{OrganisationCode: organisation, InForce: 1, PositionVersion: store.PositionVersion{
		PositionID: positionID(n), Version: 1, Name: fmt.Sprintf("%s %d (invented)", p.catalogue.JobRoleShortName(role), n), JobRole: role, Activities: p.some(n), Reason: "Invented",
		MadeBy: made, MadeRole: officerRole(made), MadeAt: p.starts, ApprovedBy: &approved, ApprovedRole: new(officerRole(approved)), ApprovedAt: &p.starts,
	}}
}

// wanted is the position that a person was given by a request, or waits for.
func (p population) wanted(n int) (store.PositionRow, bool) {
	home := n / peopleOfOrganisation
	switch {
	case holdsNational(n):
		return p.position(0, nation), true
	case holdsLocal(n), waits(n):
		return p.position(home+1, organisationCode(home)), true
	}
	return store.PositionRow{}, false
}

// request is what one officer asked for a person, and another approved but for who waits. Every second that was approved expires
// within three years.
func (p population) request(n int, position store.PositionRow) (store.Request, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return store.Request{}, fmt.Errorf("draw an id: %w", err)
	}
	asked, decided := officerID(n%(officers/2)), officerID(officers/2+n%(officers/2))
	r := store.Request{
		ID: id, Kind: "assign_position", PersonID: personID(n), PositionID: position.PositionID, PositionVersion: position.Version, OrganisationCode: position.OrganisationCode,
		StartsAt: p.starts, Reason: "Invented", AskedBy: asked, AskedRole: officerRole(asked), AskedAt: p.starts, LapsesAt: p.now.AddDate(1, 0, 0), State: "open",
	}
	if waits(n) {
		r.StartsAt, r.AskedAt = p.now.AddDate(0, 0, int(90*draw(n, 4))), p.now
		return r, nil
	}
	r.State, r.DecidedBy, r.DecidedRole, r.DecidedAt, r.DecisionReason = "approved", &decided, new(officerRole(decided)), &p.starts, new("Invented")
	if n%20 < 10 {
		r.ExpiresAt = new(p.now.AddDate(0, 0, 1+int(3*365*draw(n, 4))))
	}
	return r, nil
}

// evidence is a passport that an officer looked at.
func (p population) evidence(n int) (store.Evidence, error) {
	id, err1 := uuid.NewV7()
	process, err2 := uuid.NewV7()
	checker := officerID(n % officers)
	facts, err3 := json.Marshal(struct {
		assurance.Piece

		Issuer   string `json:"issuer"`
		Declared string `json:"declared"`
	}{assurance.Piece{
		ID: id.String(), Type: assurance.Document, Kind: "passport", Subject: "invented", Country: "GBR", IssuedOn: "2021-03-02", ExpiresOn: "2031-03-02",
		Checks: []assurance.Check{{ID: id.String() + "-1", Method: assurance.PhysicalInspection, At: p.starts, Organisation: nation, Checker: checker}},
	}, "HM Passport Office", "in_person"})
	for _, err := range []error{err1, err2, err3} {
		if err != nil {
			return store.Evidence{}, fmt.Errorf("invent evidence: %w", err)
		}
	}
	number := sha256.Sum256([]byte("credence bench passport " + personID(n)))
	return store.Evidence{
		ID: id, PersonID: personID(n), Type: string(assurance.Document), Kind: "passport", Facts: facts, NumberSealed: []byte("nobody has the key"), NumberHash: number[:],
		ProcessID: process, RecordedAt: p.starts, RecordedBy: checker,
	}, nil
}
