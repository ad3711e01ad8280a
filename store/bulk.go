package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
)

// Bulk is a part of a directory that is loaded as one.
type Bulk struct {
	Organisations []Organisation
	Workgroups    []Workgroup
	People        []NewPerson
	Memberships   []NewMembership
	Roles         []NewRole
	Positions     []PositionRow // each with the one version that is in force
	Requests      []Request
	Evidence      []Evidence
}

// NewMembership is a person at an organisation, to add.
type NewMembership struct {
	ID               string // 12 digits
	PersonID         string
	OrganisationCode string
}

// whole refuses a part of the record of a person who is not in it, and who registered herself. The versions of records do not change with
// a load, so that servers would go on with what they have in memory of a person who was there before.
func (b Bulk) whole() error {
	people := make(map[string]bool, len(b.People))
	for _, p := range b.People {
		if p.SelfRegisteredOrganisation != "" {
			return fmt.Errorf("load person %q: who registered herself is not loaded", p.ID)
		}
		people[p.ID] = true
	}
	memberships := make(map[string]bool, len(b.Memberships))
	for _, m := range b.Memberships {
		if !people[m.PersonID] {
			return fmt.Errorf("load membership %q: person %q is not loaded with it", m.ID, m.PersonID)
		}
		memberships[m.ID] = true
	}
	for _, r := range b.Roles {
		if !memberships[r.MembershipID] {
			return fmt.Errorf("load role profile %q: membership %q is not loaded with it", r.ID, r.MembershipID)
		}
	}
	return nil
}

// Load adds people with all that is theirs, by COPY and in one transaction. What is there already is ErrConflict, and then
// nothing was added. Memberships and role profiles are those of people in the same bulk. The caller is the owner of the tables.
func (s *Store) Load(ctx context.Context, b Bulk, now time.Time) error {
	if err := b.whole(); err != nil {
		return err
	}
	return translate(pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		for _, statement := range bulkBegins() {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		for _, part := range []func(context.Context, pgx.Tx, time.Time) error{b.loadOrganisations, b.loadPeople, b.loadPositions, b.loadRequests, b.loadRoles} {
			if err := part(ctx, tx, now); err != nil {
				return err
			}
		}
		for _, statement := range bulkEnds() {
			if _, err := tx.Exec(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	}))
}

func (b Bulk) loadOrganisations(ctx context.Context, tx pgx.Tx, now time.Time) error {
	err := copyRows(ctx, tx, "organisation", []string{"code", "name", "parent_code", "created_at"}, b.Organisations,
		func(o Organisation) []any { return []any{o.Code, o.Name, o.ParentCode, now} })
	if err != nil {
		return err
	}
	return copyRows(ctx, tx, "workgroup", []string{"id", "name"}, b.Workgroups, func(w Workgroup) []any { return []any{w.ID, w.Name} })
}

func (b Bulk) loadPeople(ctx context.Context, tx pgx.Tx, now time.Time) error {
	err := copyRows(ctx, tx, "person", []string{
		"id", "handle", "title", "given_name", "middle_names", "family_name", "display_name", "email", "date_of_birth", "identity_level", "created_at",
	}, b.People, func(p NewPerson) []any {
		var email *string
		if p.Email != "" {
			email = &p.Email
		}
		return []any{p.ID, p.Handle, p.Title, p.GivenName, p.MiddleNames, p.FamilyName, p.DisplayName, email, p.DateOfBirth, p.IdentityLevel, now}
	})
	if err != nil {
		return err
	}
	var registrations [][]any
	for _, p := range b.People {
		for _, r := range p.Registrations {
			registrations = append(registrations, []any{p.ID, r.Body, r.Number})
		}
	}
	err = copyRows(ctx, tx, "professional_registration", []string{"person_id", "body", "number"}, registrations, func(row []any) []any { return row })
	if err != nil {
		return err
	}
	err = copyRows(ctx, tx, "membership", []string{"id", "person_id", "organisation_code", "created_at"}, b.Memberships,
		func(m NewMembership) []any { return []any{m.ID, m.PersonID, m.OrganisationCode, now} })
	if err != nil {
		return err
	}
	return copyRows(ctx, tx, "evidence", []string{
		"id", "person_id", "type", "kind", "facts", "number_sealed", "number_hash", "process_id", "recorded_at", "recorded_by",
	}, b.Evidence, func(e Evidence) []any {
		return []any{e.ID, e.PersonID, e.Type, e.Kind, e.Facts, e.NumberSealed, e.NumberHash, e.ProcessID, e.RecordedAt, e.RecordedBy}
	})
}

// loadPositions puts each in force once its version is there.
func (b Bulk) loadPositions(ctx context.Context, tx pgx.Tx, now time.Time) error {
	err := copyRows(ctx, tx, "position", []string{"id", "organisation_code", "created_at"}, b.Positions,
		func(p PositionRow) []any { return []any{p.PositionID, p.OrganisationCode, now} })
	if err != nil {
		return err
	}
	err = copyRows(ctx, tx, "position_version", []string{
		"position_id", "version", "closes", "name", "notes", "job_role", "areas_of_work", "activities", "workgroups", "workgroup_names", "includes", "assignable", "reason",
		"made_by", "made_role", "made_at", "approved_by", "approved_role", "approved_at",
	}, b.Positions, func(p PositionRow) []any {
		return []any{
			p.PositionID, p.Version, p.Closes, p.Name, p.Notes, p.JobRole, list(p.AreasOfWork), list(p.Activities), list(p.Workgroups), list(p.WorkgroupNames), list(p.Includes),
			p.Assignable, p.Reason, p.MadeBy, p.MadeRole, p.MadeAt, p.ApprovedBy, p.ApprovedRole, p.ApprovedAt,
		}
	})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE position SET version = v.version FROM position_version v WHERE v.position_id = position.id AND position.id = ANY ($1)`,
		column(b.Positions, func(p PositionRow) string { return p.PositionID }))
	return err
}

// loadRequests queues those that are open.
func (b Bulk) loadRequests(ctx context.Context, tx pgx.Tx, _ time.Time) error {
	err := copyRows(ctx, tx, "request", []string{
		"id", "kind", "person_id", "position_id", "position_version", "organisation_code", "starts_at", "expires_at", "reason", "asked_by", "asked_role", "asked_at", "lapses_at",
		"taken_up_by", "state", "assignable", "decided_by", "decided_role", "decided_at", "decision_reason",
	}, b.Requests, func(r Request) []any {
		return []any{
			r.ID, r.Kind, r.PersonID, r.PositionID, r.PositionVersion, r.OrganisationCode, r.StartsAt, r.ExpiresAt, r.Reason, r.AskedBy, r.AskedRole, r.AskedAt, r.LapsesAt,
			r.TakenUpBy, r.State, r.Assignable, r.DecidedBy, r.DecidedRole, r.DecidedAt, r.DecisionReason,
		}
	})
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		WITH RECURSIVE above (code, id) AS (
			SELECT r.organisation_code, r.id FROM request r WHERE r.id = ANY ($1) AND r.state = 'open'
			UNION SELECT o.parent_code, a.id FROM above a JOIN organisation o ON o.code = a.code WHERE o.parent_code IS NOT NULL
		)
		INSERT INTO request_queue (organisation_code, request_id) SELECT code, id FROM above`, column(b.Requests, func(r Request) uuid.UUID { return r.ID }))
	return err
}

func (b Bulk) loadRoles(ctx context.Context, tx pgx.Tx, now time.Time) error {
	return copyRows(ctx, tx, "role_profile", []string{
		"id", "membership_id", "job_role", "areas_of_work", "activities", "workgroups", "starts_at", "ends_at", "position_id", "request_id", "created_at",
	}, b.Roles, func(r NewRole) []any {
		return []any{
			r.ID, r.MembershipID, r.JobRole, list(r.AreasOfWork), list(r.Activities), list(r.Workgroups), r.StartsAt, r.EndsAt, r.PositionID, r.RequestID, now,
		}
	})
}

func bulkBegins() []string {
	return []string{
		// PostgreSQL keeps the plans by which it checks foreign keys. Those that it makes while the tables are small would read
		// all of a table for each row later on.
		`SET LOCAL enable_seqscan = off`,
		// A row of a person's record changes its version, one by one. Here each record comes whole: nobody has read it yet.
		`ALTER TABLE professional_registration DISABLE TRIGGER professional_registration_version`,
		`ALTER TABLE membership DISABLE TRIGGER membership_version`,
		`ALTER TABLE role_profile DISABLE TRIGGER role_profile_version`,
		`ALTER TABLE workgroup DISABLE TRIGGER workgroup_version`,
		// Nobody in it registered herself.
		`ALTER TABLE role_profile DISABLE TRIGGER role_profile_proved`,
		// What was decided before it was loaded waits nowhere.
		`ALTER TABLE request DISABLE TRIGGER request_asked`,
	}
}

func bulkEnds() []string {
	return []string{
		`ALTER TABLE professional_registration ENABLE ALWAYS TRIGGER professional_registration_version`,
		`ALTER TABLE membership ENABLE ALWAYS TRIGGER membership_version`,
		`ALTER TABLE role_profile ENABLE ALWAYS TRIGGER role_profile_version`,
		`ALTER TABLE workgroup ENABLE ALWAYS TRIGGER workgroup_version`,
		`ALTER TABLE role_profile ENABLE ALWAYS TRIGGER role_profile_proved`,
		`ALTER TABLE request ENABLE TRIGGER request_asked`,
	}
}

func copyRows[T any](ctx context.Context, tx pgx.Tx, table string, columns []string, rows []T, values func(T) []any) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) { return values(rows[i]), nil }))
	if err != nil {
		return fmt.Errorf("copy to %s: %w", table, err)
	}
	return nil
}

// list is what a column of type text[] takes for a list that may be nil.
func list(texts []string) []string {
	if texts == nil {
		return []string{}
	}
	return texts
}

// Tidy cleans the tables of the directory after a load and gathers their statistics, which would otherwise begin by itself a
// minute later. The caller is their owner.
func (s *Store) Tidy(ctx context.Context) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return fmt.Errorf("acquire connection: %w", err)
	}
	defer conn.Release()
	for _, statement := range []string{
		`SET statement_timeout = 0`, // the tables may be large
		`VACUUM (ANALYZE) organisation, workgroup, person, professional_registration, membership, role_profile, authenticator, evidence,
			position, position_version, request, request_queue`,
		`RESET statement_timeout`,
	} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return translate(err)
		}
	}
	return nil
}

// LastPerson is the highest id from one up to and without another that a person has, or "".
func (q *queries) LastPerson(ctx context.Context, from, to string) (string, error) {
	return scalar[string](ctx, q, `SELECT coalesce(max(id), '') FROM person WHERE id >= $1 AND id < $2`, from, to)
}

// PeopleOutside says whether anybody has an id that is not from one up to and without another.
func (q *queries) PeopleOutside(ctx context.Context, from, to string) (bool, error) {
	return scalar[bool](ctx, q, `SELECT EXISTS (SELECT FROM person WHERE id < $1) OR EXISTS (SELECT FROM person WHERE id >= $2)`, from, to)
}

// Bound lists those of some credential ids that are bound to somebody.
func (q *queries) Bound(ctx context.Context, credentialIDs [][]byte) ([][]byte, error) {
	return scalar[[][]byte](ctx, q, `SELECT coalesce(array_agg(credential_id), '{}') FROM authenticator WHERE credential_id = ANY ($1)`, credentialIDs)
}

// BackendPID is the process id of a server process of PostgreSQL that serves this pool, on the machine where PostgreSQL runs.
func (q *queries) BackendPID(ctx context.Context) (int, error) {
	pid, err := scalar[int32](ctx, q, `SELECT pg_backend_pid()`)
	return int(pid), err
}
