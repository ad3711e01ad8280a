package directory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
)

// RAManager is the job role of the managers of the registration authority, of whom `credence bootstrap` makes the first.
const RAManager = "S0080:G0450:R5080"

// BreakGlassOfficer is the job role that package breakglass gives. It is in no catalogue, so that no position gives it.
const BreakGlassOfficer = "S0080:G0450:R9001"

// NewRole is a role profile to grant.
type NewRole struct {
	ID           string // 12 digits; "" draws them at random
	MembershipID string // of a person who is not yet at the organisation: 12 digits; "" draws them at random
	PersonID     string
	Organisation string   // its code
	JobRole      string   // S:G:R code
	AreasOfWork  []string // P:Q:T codes
	Activities   []string // B codes: the effective ones, to which the job role adds none
	Workgroups   []store.Workgroup
	StartsAt     time.Time // zero is now
	EndsAt       *time.Time
	Unlisted     bool // codes that are not in the catalogue are meant, and no mistakes of typing
	PositionID   *string
	RequestID    *uuid.UUID // that gave it, as PositionID says; nil, both: of no position
	Despite      string     // which duties are kept apart that it brings together all the same, for the record; "": none

	BoundBy         string     // who had to do with what she signs in with and is known to, for the record; "": nobody
	AuthenticatorID *uuid.UUID // in sessions of which alone it counts; nil: of whichever
}

// mostRoles is how many current roles a person can have: as many as one read of a person finds.
const mostRoles = 100

// GrantRole records a role profile, makes the person a member of the organisation where that is missing, and returns
// the role's id. A person or an organisation that does not exist is ErrUnknown, a code that is not in the catalogue
// ErrUnknownCode. An id that is taken is ErrTaken, and so is a role that the person has already, in everything the same,
// when both are current. Whoever registered herself and is not proved is ErrUnproved.
func GrantRole(ctx context.Context, s *store.Store, c *Catalogue, r NewRole, actor string, now time.Time) (id string, err error) {
	if r.StartsAt.IsZero() {
		r.StartsAt = now
	}
	if err := r.Check(c); err != nil {
		return "", err
	}
	err = Redraw(r.ID, func() error {
		return s.InTx(ctx, func(tx *store.Tx) (err error) {
			id, err = GrantRoleIn(ctx, tx, r, actor, now)
			return err
		})
	})
	if errors.Is(err, store.ErrConflict) {
		return "", fmt.Errorf("role %s %w", id, ErrTaken)
	}
	return id, err
}

// GrantRoleIn is GrantRole as a part of the caller's transaction, for a role whose codes were checked before. An id drawn at
// random that is taken is store.ErrConflict and fails the transaction, which can be tried again.
func GrantRoleIn(ctx context.Context, tx *store.Tx, r NewRole, actor string, now time.Time) (id string, err error) {
	id = cmp.Or(r.ID, NewID())
	return id, grantRole(ctx, tx, id, r, actor, now)
}

// CheckAccess says what is wrong with what the role lets anybody do, whoever gets it.
func (r NewRole) CheckAccess(c *Catalogue) error {
	errs := []error{
		c.checkCodes(JobRole, []string{r.JobRole}, r.Unlisted),
		cmp.Or(checkList("area_of_work", r.AreasOfWork, 50), c.checkCodes(AreaOfWork, r.AreasOfWork, r.Unlisted)),
		cmp.Or(checkList("activity", r.Activities, 200), c.checkCodes(Activity, r.Activities, r.Unlisted)),
	}
	for _, w := range r.Workgroups {
		errs = append(errs, checkForm("workgroup", w.ID, idForm, "an id of 12 digits"), CheckText("workgroup", w.Name, 1, 200))
	}
	return errors.Join(append(errs, checkList("workgroup", workgroupIDs(r.Workgroups), 50))...)
}

// Check says what is wrong with the role.
func (r NewRole) Check(c *Catalogue) error {
	errs := []error{checkForm("person", r.PersonID, idForm, wantID), r.CheckAccess(c)}
	if r.ID != "" {
		errs = append(errs, checkForm("id", r.ID, idForm, wantID))
	}
	if r.MembershipID != "" {
		errs = append(errs, checkForm("membership", r.MembershipID, idForm, wantID))
	}
	if r.EndsAt != nil && !r.EndsAt.After(r.StartsAt) {
		errs = append(errs, &InvalidError{"ends", "a time after the start"})
	}
	return errors.Join(errs...)
}

func checkList(field string, codes []string, most int) error {
	if len(codes) > most {
		return &InvalidError{field, fmt.Sprintf("at most %d", most)}
	}
	for i, code := range codes {
		if slices.Contains(codes[:i], code) {
			return &InvalidError{field, "each once, and " + code + " is there twice"}
		}
	}
	return nil
}

// among finds the role that grants what this one would, when both are current.
func (r NewRole) among(current []store.Role, now time.Time) (string, bool) {
	if r.StartsAt.After(now) || r.EndsAt != nil && !r.EndsAt.After(now) {
		return "", false
	}
	i := slices.IndexFunc(current, func(c store.Role) bool {
		return c.OrganisationCode == r.Organisation && c.JobRole == r.JobRole && sameSet(c.AreasOfWork, r.AreasOfWork) &&
			sameSet(c.Activities, r.Activities) && sameSet(workgroupIDs(c.Workgroups), workgroupIDs(r.Workgroups))
	})
	if i < 0 {
		return "", false
	}
	return current[i].ID, true
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

func workgroupIDs(workgroups []store.Workgroup) []string {
	ids := make([]string, len(workgroups))
	for i, w := range workgroups {
		ids[i] = w.ID
	}
	return ids
}

func grantRole(ctx context.Context, tx *store.Tx, id string, r NewRole, actor string, now time.Time) error {
	person, err := tx.Person(ctx, r.PersonID, now)
	if err != nil {
		return named("person "+r.PersonID, err)
	}
	if person.Unproved {
		return fmt.Errorf("person %s %w", r.PersonID, ErrUnproved)
	}
	if len(person.Person.Roles) >= mostRoles {
		return fmt.Errorf("person %s %w", r.PersonID, ErrTooManyRoles)
	}
	if same, ok := r.among(person.Person.Roles, now); ok {
		return fmt.Errorf("role %s, which gives person %s the same, %w", same, r.PersonID, ErrTaken)
	}
	membership, err := tx.EnsureMembership(ctx, cmp.Or(r.MembershipID, NewID()), r.PersonID, r.Organisation, now)
	if errors.Is(err, store.ErrReference) { // the person was there
		return fmt.Errorf("organisation %q %w", r.Organisation, ErrUnknown)
	}
	if err != nil {
		return fmt.Errorf("add person %s to organisation %s: %w", r.PersonID, r.Organisation, err)
	}
	for _, w := range r.Workgroups {
		if err := tx.AddWorkgroup(ctx, w); err != nil {
			return err
		}
	}
	err = tx.AddRole(ctx, store.NewRole{
		ID: id, MembershipID: membership, JobRole: r.JobRole, AreasOfWork: r.AreasOfWork, Activities: r.Activities,
		Workgroups: workgroupIDs(r.Workgroups), StartsAt: r.StartsAt, EndsAt: r.EndsAt, PositionID: r.PositionID, RequestID: r.RequestID, AuthenticatorID: r.AuthenticatorID,
	}, now)
	if err != nil {
		return fmt.Errorf("add role %s: %w", id, err)
	}
	detail := map[string]string{"role": id, "organisation": r.Organisation, "job_role": r.JobRole}
	if r.Despite != "" {
		detail["despite_separation_of_duties"] = r.Despite
	}
	if r.BoundBy != "" {
		detail["authenticators_bound_by"] = r.BoundBy
	}
	return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.RoleGranted, Actor: actor, Person: r.PersonID, Detail: detail})
}

// EndRole ends a role profile. One that is unknown or has ended is ErrUnknown.
func EndRole(ctx context.Context, s *store.Store, id, actor string, now time.Time) error {
	return named(fmt.Sprintf("role %q that has not ended", id), s.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.LockPersonOfRole(ctx, id); err != nil { // before the role, as whoever changes roles does
			return err
		}
		ended, err := tx.EndRole(ctx, id, now)
		if err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.RoleEnded, Actor: actor, Person: ended.PersonID, Detail: Ended(ended)})
	}))
}

// Ended is what the record says of a role that was ended: when it ends, and was to.
func Ended(r store.EndedRole) map[string]string {
	before := ""
	if r.EndedBefore != nil {
		before = r.EndedBefore.UTC().Format(time.RFC3339)
	}
	return map[string]string{"role": r.ID, "ends_at": r.EndsAt.UTC().Format(time.RFC3339), "ends_at_before": before}
}
