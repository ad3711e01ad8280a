package directory

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// FixedPerson is a person whom every `credence dev` knows, for its simulated sign-in page and its users' scripts.
type FixedPerson struct {
	ID          string
	Name        string
	Description string           // what she is there to try
	Method      assurance.Method // by which she usually signs in, so that her level follows
}

// FixedPeople lists the people that Seed adds, by id.
func FixedPeople() []FixedPerson {
	people := make([]FixedPerson, 0, len(seedPeople()))
	for _, p := range seedPeople() {
		people = append(people, FixedPerson{p.ID, p.displayName(), p.description, p.method})
	}
	return people
}

// Seed adds the invented people of `credence dev`, with the evidence of who they are, their organisations and roles. What is
// there already stays as it is, so a seed that was cut short is completed by the next, and what was changed since is not
// changed back: who had evidence once, also if it was withdrawn, gets no other.
func Seed(ctx context.Context, s *store.Store, key seal.Key, now time.Time) error {
	const actor = "dev"
	catalogue, err := NewCatalogue()
	if err != nil {
		return err
	}
	desk, err := evidence.New(s, key, func() time.Time { return now })
	if err != nil {
		return err
	}
	for _, o := range seedOrganisations() {
		err := AddOrganisation(ctx, s, o, actor, now)
		if err == nil && o.Code == pharmacy {
			err = openToAll(ctx, s, o.Code, audit.Entry{At: now, Actor: actor})
		}
		if err != nil && !errors.Is(err, ErrTaken) {
			return fmt.Errorf("seed: %w", err)
		}
	}
	for _, p := range seedPeople() {
		if _, err := AddPerson(ctx, s, p.NewPerson, actor, now); err != nil && !errors.Is(err, ErrTaken) {
			return fmt.Errorf("seed: %w", err)
		}
		if before, err := desk.Of(ctx, p.ID, uuid.Nil, 1); err != nil {
			return fmt.Errorf("seed: %w", err)
		} else if len(before) == 0 {
			if _, err := desk.Record(ctx, actor, p.ID, inventedEvidence(p.NewPerson, p.level)); err != nil {
				return fmt.Errorf("seed: %w", err)
			}
		}
		for _, r := range p.roles {
			r.PersonID = p.ID
			r.StartsAt = time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC)
			if _, err := GrantRole(ctx, s, catalogue, r, actor, now); err != nil && !errors.Is(err, ErrTaken) {
				return fmt.Errorf("seed: %w", err)
			}
		}
	}
	return nil
}

// openToAll has people register themselves at an organisation.
func openToAll(ctx context.Context, s *store.Store, organisation string, by audit.Entry) error {
	open := PolicyChange{Organisation: organisation, Policy: Policy{SelfRegistration: true}, Reason: "So that newcomers can try it"}
	return NewPolicies(Help{}).SetPolicy(ctx, s, open, by, func(*store.Tx, Stated) error { return nil })
}

// The job roles of the fixed people.
const (
	generalPractitioner = "S0030:G0100:R0260"
	prescriber          = "S0030:G0100:R0620"
	registrationAgent   = "S0080:G0450:R5090"
	practitioner        = "S8000:G8000:R8000"
	nurse               = "S8000:G8000:R8001"
	healthProfessional  = "S8000:G8000:R8003"
	student             = "S8000:G8000:R8004"
	support             = "S8001:G8002:R8008"
	privacyOfficer      = "S8002:G8003:R0001"
)

// Codes of organisations that are invented begin with ZX. The other two belong to the role profiles of a sample that
// integrators know.
const (
	board    = "ZX000"
	hospital = "ZX100"
	surgery  = "ZX200"
	pharmacy = "ZX300"
)

func seedOrganisations() []store.Organisation {
	return []store.Organisation{
		{Code: "X09", Name: "NHS CONNECTING FOR HEALTH"},
		{Code: "Y51", Name: "THE NORTH MIDLANDS AND EAST PROGRAMME FOR IT (NMEPFIT)"},
		{Code: board, Name: "Larkmere Health Board (invented)"},
		{Code: hospital, Name: "Larkmere Hospital (invented)", ParentCode: new(board)},
		{Code: surgery, Name: "Oakhollow Surgery (invented)", ParentCode: new(board)},
		{Code: pharmacy, Name: "Fennimoor Pharmacy (invented)", ParentCode: new(board)},
	}
}

func born(year int, month time.Month, day int) *time.Time {
	return new(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

type seedPerson struct {
	NewPerson
	level       assurance.IdentityLevel // that her evidence earns
	description string
	method      assurance.Method
	roles       []NewRole // the person and the start are filled in
}

// seedPeople lists the people by id. The seven up to 656005750112 have the ids, roles and levels of the users that
// the mock sign-in of the NHS API platform offers, so that what was written against those works here.
func seedPeople() []seedPerson {
	const high = assurance.IdentityHigh
	prescribing := []string{"B0420", "B0401", "B0360"}
	return []seedPerson{
		{
			NewPerson: NewPerson{
				ID: "656005750104", Title: "Mr", GivenName: "Tarn", MiddleNames: "Midden", FamilyName: "Userby", Email: "tarn.userby@larkmere.example", DateOfBirth: born(1976, time.March, 11),
				Registrations: []store.Registration{
					{Body: "gmc", Number: "GMC123"},
					{Body: "gdc", Number: "GDC123"},
					{Body: "gmp", Number: "GMP123"},
					{Body: "gdp", Number: "GDP123"},
					{Body: "nmc", Number: "NMC123"},
					{Body: "rcn", Number: "RCN123"},
					{Body: "gphc", Number: "GPhC123"},
					{Body: "consultant", Number: "TestConsultant"},
				},
			},
			level:       high,
			description: "Support worker and registration authority manager: two roles to choose from, at AAL3",
			method:      assurance.Smartcard,
			roles: []NewRole{
				{
					ID: "656014452101", MembershipID: "656008045105", Organisation: "Y51", JobRole: support,
					Activities: []string{"B0145", "B8002", "B1560"},
				},
				{
					ID: "656005754108", MembershipID: "656005753107", Organisation: "X09", JobRole: RAManager,
					Activities:  []string{"B0015", "B0028", "B0030", "B0017"},
					AreasOfWork: []string{"P0020:Q0300:T0640", "P0010:Q0050:T0210"},
					Workgroups: []store.Workgroup{
						{ID: "655694018104", Name: "AUG 2017 WKGP"},
						{ID: "555653110100", Name: "CAR-384 One"},
						{ID: "655681345103", Name: "chris irish 2"},
						{ID: "555653032105", Name: "CAR-384"},
					},
				},
			},
		},
		{
			NewPerson:   NewPerson{ID: "656005750107", Title: "Dr", GivenName: "Petra", FamilyName: "Larkspell", Email: "petra.larkspell@larkmere.example", DateOfBirth: born(1984, time.July, 2)},
			level:       high,
			description: "Clinical practitioner who prescribes, at AAL3 with a security key",
			method:      assurance.SecurityKey,
			roles:       []NewRole{{ID: "656014107001", MembershipID: "656008107001", Organisation: hospital, JobRole: practitioner, Activities: prescribing}},
		},
		{
			NewPerson:   NewPerson{ID: "656005750108", Title: "Dr", GivenName: "Gwil", FamilyName: "Hawthornby", Email: "gwil.hawthornby@oakhollow.example", DateOfBirth: born(1969, time.October, 23)},
			level:       high,
			description: "General practitioner who prescribes, at AAL3",
			method:      assurance.Smartcard,
			roles:       []NewRole{{ID: "656014108001", MembershipID: "656008108001", Organisation: surgery, JobRole: generalPractitioner, Activities: prescribing}},
		},
		{
			NewPerson:   NewPerson{ID: "656005750109", Title: "Dr", GivenName: "Nadia", FamilyName: "Fernwhistle", Email: "nadia.fernwhistle@larkmere.example", DateOfBirth: born(1990, time.January, 17)},
			level:       high,
			description: "Clinical practitioner who prescribes, at AAL2",
			method:      assurance.Passkey,
			roles:       []NewRole{{ID: "656014109001", MembershipID: "656008109001", Organisation: hospital, JobRole: practitioner, Activities: prescribing}},
		},
		{
			NewPerson:   NewPerson{ID: "656005750110", Title: "Mx", GivenName: "Robin", FamilyName: "Quillwater", Email: "robin.quillwater@larkmere.example", DateOfBirth: born(2003, time.May, 30)},
			level:       assurance.IdentityLow,
			description: "Student with a password only, at AAL1",
			method:      assurance.Password,
			roles:       []NewRole{{ID: "656014110001", MembershipID: "656008110001", Organisation: hospital, JobRole: student, Activities: []string{"B0570"}}},
		},
		{
			NewPerson:   NewPerson{ID: "656005750111", Title: "Dr", GivenName: "Ifeoma", FamilyName: "Brightlade", Email: "ifeoma.brightlade@oakhollow.example", DateOfBirth: born(1981, time.December, 5)},
			level:       high,
			description: "General practitioner who prescribes, at AAL2",
			method:      assurance.Passkey,
			roles:       []NewRole{{ID: "656014111001", MembershipID: "656008111001", Organisation: surgery, JobRole: generalPractitioner, Activities: prescribing}},
		},
		{
			NewPerson:   NewPerson{ID: "656005750112", Title: "Ms", GivenName: "Odile", FamilyName: "Marshpenny", Email: "odile.marshpenny@larkmere.example", DateOfBirth: born(1995, time.August, 14)},
			level:       high,
			description: "Support worker, at AAL2 with a one-time code",
			method:      assurance.TOTP,
			roles:       []NewRole{{ID: "656014112001", MembershipID: "656008112001", Organisation: hospital, JobRole: support, Activities: []string{"B0820", "B0825"}}},
		},
		{
			NewPerson:   NewPerson{ID: "656005750113", Title: "Mr", GivenName: "Jory", FamilyName: "Emptage-Vale", Email: "jory.emptage-vale@larkmere.example", DateOfBirth: born(1972, time.April, 9)},
			level:       assurance.IdentityMedium,
			description: "Somebody who has no role",
			method:      assurance.Passkey,
		},
		{
			NewPerson:   NewPerson{ID: "656005750114", Title: "Mrs", GivenName: "Lotte", FamilyName: "Formerley", Email: "lotte.formerley@larkmere.example", DateOfBirth: born(1987, time.February, 26)},
			level:       high,
			description: "Nurse whose only role has ended",
			method:      assurance.Passkey,
			roles: []NewRole{{
				ID: "656014114001", MembershipID: "656008114001", Organisation: hospital, JobRole: nurse, Activities: []string{"B0360"},
				EndsAt: new(time.Date(2024, time.December, 31, 0, 0, 0, 0, time.UTC)),
			}},
		},
		{
			NewPerson:   NewPerson{ID: "656005750115", Title: "Dr", GivenName: "Sefton", FamilyName: "Manyhatte", Email: "sefton.manyhatte@larkmere.example", DateOfBirth: born(1964, time.June, 21)},
			level:       assurance.IdentityVeryHigh,
			description: "Somebody with seven roles, enough to search among",
			method:      assurance.Smartcard,
			roles: []NewRole{
				{ID: "656014115001", MembershipID: "656008115001", Organisation: hospital, JobRole: practitioner, Activities: prescribing},
				{ID: "656014115002", MembershipID: "656008115001", Organisation: hospital, JobRole: nurse, Activities: []string{"B0360", "B0401"}},
				{ID: "656014115003", MembershipID: "656008115001", Organisation: hospital, JobRole: privacyOfficer, Activities: []string{"B0015", "B0017"}},
				{ID: "656014115004", MembershipID: "656008115002", Organisation: surgery, JobRole: generalPractitioner, Activities: prescribing},
				{ID: "656014115005", MembershipID: "656008115002", Organisation: surgery, JobRole: support, Activities: []string{"B0820"}},
				{ID: "656014115006", MembershipID: "656008115003", Organisation: pharmacy, JobRole: healthProfessional, Activities: []string{"B0570", "B0572"}},
				{ID: "656014115007", MembershipID: "656008115003", Organisation: pharmacy, JobRole: prescriber, Activities: []string{"B0058"}},
			},
		},
		{
			NewPerson:   NewPerson{ID: "656005750116", Title: "Mrs", GivenName: "Winifred", FamilyName: "Stewardley", Email: "winifred.stewardley@larkmere.example", DateOfBirth: born(1970, time.September, 3)},
			level:       high,
			description: "Registration authority manager of the health board, for the desk",
			method:      assurance.Smartcard,
			roles:       []NewRole{{ID: "656014116001", MembershipID: "656008116001", Organisation: board, JobRole: RAManager}},
		},
		{
			NewPerson:   NewPerson{ID: "656005750117", Title: "Mr", GivenName: "Bartholomew", FamilyName: "Keykeeper", Email: "bartholomew.keykeeper@larkmere.example", DateOfBirth: born(1983, time.May, 19)},
			level:       high,
			description: "Registration authority agent of the hospital, for the desk",
			method:      assurance.Smartcard,
			roles:       []NewRole{{ID: "656014117001", MembershipID: "656008117001", Organisation: hospital, JobRole: registrationAgent}},
		},
		{
			NewPerson:   NewPerson{ID: "656005750118", Title: "Ms", GivenName: "Perpetua", FamilyName: "Vouchsafe", Email: "perpetua.vouchsafe@larkmere.example", DateOfBirth: born(1979, time.November, 28)},
			level:       high,
			description: "Sponsor at the hospital, for the desk: she asks for positions",
			method:      assurance.SecurityKey,
			roles:       []NewRole{{ID: "656014118001", MembershipID: "656008118001", Organisation: hospital, JobRole: support, Activities: []string{"B1300"}}},
		},
		{
			NewPerson:   NewPerson{ID: "656005750119", Title: "Mr", GivenName: "Crispin", FamilyName: "Seconder", Email: "crispin.seconder@larkmere.example", DateOfBirth: born(1988, time.January, 7)},
			level:       high,
			description: "Advanced registration authority agent of the hospital, for the desk: he approves positions, or has them approved",
			method:      assurance.SecurityKey,
			roles:       []NewRole{{ID: "656014119001", MembershipID: "656008119001", Organisation: hospital, JobRole: registrationAgent, Activities: []string{"B9001"}}},
		},
	}
}
