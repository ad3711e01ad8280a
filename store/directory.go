package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Person is somebody who may sign in, with what they act as now.
type Person struct {
	ID            string         `json:"id"`
	Title         string         `json:"title"`
	GivenName     string         `json:"given_name"`
	MiddleNames   string         `json:"middle_names"`
	FamilyName    string         `json:"family_name"`
	DisplayName   string         `json:"display_name"`
	Email         string         `json:"email"`    // "" when none is known
	Language      string         `json:"language"` // in which she is written to, as a BCP 47 tag; "" when nobody knows
	IdentityLevel string         `json:"identity_level"`
	Registrations []Registration `json:"registrations"`
	Memberships   []Membership   `json:"memberships"`
	Roles         []Role         `json:"roles"` // current ones only, by id
}

// Registration is a number from a professional body.
type Registration struct {
	Body   string `json:"body"` // gmc, nmc, ...
	Number string `json:"number"`
}

// Membership is a person at an organisation.
type Membership struct {
	ID               string `json:"id"`
	OrganisationCode string `json:"organisation_code"`
	OrganisationName string `json:"organisation_name"`
}

// Role is a role profile: what a person may act as for an organisation.
type Role struct {
	ID               string      `json:"id"`
	MembershipID     string      `json:"membership_id"`
	OrganisationCode string      `json:"organisation_code"`
	OrganisationName string      `json:"organisation_name"`
	JobRole          string      `json:"job_role"`      // S:G:R code
	AreasOfWork      []string    `json:"areas_of_work"` // P:Q:T codes
	Activities       []string    `json:"activities"`    // B codes
	Workgroups       []Workgroup `json:"workgroups"`

	AuthenticatorID *uuid.UUID `json:"authenticator_id"` // which alone lets her act in it; nil: any of hers
}

// Workgroup is a team whose members see the same patients.
type Workgroup struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Role returns the current role with the given id.
func (p Person) Role(id string) (Role, bool) {
	for _, r := range p.Roles {
		if r.ID == id {
			return r, true
		}
	}
	return Role{}, false
}

// NewPerson is a person to add.
type NewPerson struct {
	ID            string // 12 digits
	Handle        []byte // WebAuthn user handle, 32 random bytes
	Title         string
	GivenName     string
	MiddleNames   string
	FamilyName    string
	DisplayName   string
	Email         string
	DateOfBirth   *time.Time
	IdentityLevel string
	Registrations []Registration

	SelfRegisteredOrganisation string // at which she registered herself; "": others put her on record
}

// AddPerson records a person. The id being taken is ErrConflict.
func (q *queries) AddPerson(ctx context.Context, p NewPerson, now time.Time) error {
	_, err := scalar[string](ctx, q, `
		WITH added AS (
			INSERT INTO person (id, handle, title, given_name, middle_names, family_name, display_name, email, date_of_birth, identity_level, created_at,
				self_registered_organisation)
			VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''), $9, $10, $11, nullif($14, ''))
			RETURNING id
		), registered AS (
			INSERT INTO professional_registration (person_id, body, number)
			SELECT added.id, r.body, r.number FROM added, unnest($12::text[], $13::text[]) r (body, number)
		)
		SELECT id FROM added`,
		p.ID, p.Handle, p.Title, p.GivenName, p.MiddleNames, p.FamilyName, p.DisplayName, p.Email, p.DateOfBirth, p.IdentityLevel, now,
		column(p.Registrations, func(r Registration) string { return r.Body }),
		column(p.Registrations, func(r Registration) string { return r.Number }),
		p.SelfRegisteredOrganisation)
	return err
}

// LockNewcomers keeps whoever would add somebody born on the same day, or with the same e-mail address, waiting until the
// transaction ends, also while nobody is on record. A day of nil and an address of "" are nobody's.
func (t *Tx) LockNewcomers(ctx context.Context, born *time.Time, email string) error {
	var keys []string
	if born != nil {
		keys = append(keys, "born "+born.Format(time.DateOnly))
	}
	if email != "" {
		keys = append(keys, "email "+email)
	}
	return t.db.exec(ctx, `
		SELECT pg_advisory_xact_lock(k.lock) FROM ( -- in one order: of two transactions neither has what the other waits for
			SELECT DISTINCT hashtextextended(lower(key), 0) AS lock FROM unnest($1::text[]) key ORDER BY lock
		) k`, keys)
}

// Handle reads the WebAuthn user handle of a person.
func (q *queries) Handle(ctx context.Context, personID string) ([]byte, error) {
	return scalar[[]byte](ctx, q, `SELECT handle FROM person WHERE id = $1`, personID)
}

// Person reads a person and whether she is enabled.
func (q *queries) Person(ctx context.Context, id string, now time.Time) (Standing, error) {
	return q.PersonAndClient(ctx, id, "", now)
}

// PersonAndClient is Person, and reads whether the client that asks for her is enabled; "" means that none is concerned.
func (q *queries) PersonAndClient(ctx context.Context, id, clientID string, now time.Time) (Standing, error) {
	s, err := one[standing](ctx, q, `SELECT `+standingColumns+` FROM standing($1, nullif($2, ''), NULL) s`, id, clientID)
	if err != nil {
		return Standing{}, err
	}
	return q.stand(ctx, s, id, nil, nil, now)
}

// SetLanguage has a person written to in a language from then on, and returns the one until then, "" for none. When it is that one
// already, or there is no such person, that is ErrNotFound.
func (q *queries) SetLanguage(ctx context.Context, id, language string) (before string, err error) {
	return scalar[string](ctx, q, `
		UPDATE person p SET language = $2 FROM (SELECT id, language FROM person WHERE id = $1 FOR NO KEY UPDATE) was
		WHERE p.id = was.id AND was.language IS DISTINCT FROM $2 RETURNING coalesce(was.language, '')`, id, language)
}

// SuggestLanguage is SetLanguage for somebody of whom no language is known; any other keeps hers.
func (q *queries) SuggestLanguage(ctx context.Context, id, language string) error {
	return q.db.exec(ctx, `UPDATE person SET language = $2 WHERE id = $1 AND language IS NULL`, id, language)
}

// PersonRow is a line of a list of people.
type PersonRow struct {
	ID            string
	DisplayName   string
	IdentityLevel string
	DisabledAt    *time.Time
}

// People lists people by id, from the one after the given id, at most limit of them.
func (q *queries) People(ctx context.Context, after string, limit int) ([]PersonRow, error) {
	return all[PersonRow](ctx, q, `
		SELECT id, display_name, identity_level, disabled_at FROM person WHERE id > $1 ORDER BY id LIMIT $2`, after, limit)
}

// DisablePerson disables a person, ends her sessions and spends her enrolment links. A person who is unknown or disabled
// already is ErrNotFound.
func (q *queries) DisablePerson(ctx context.Context, id string, now time.Time) (Fallout, error) {
	return one[Fallout](ctx, q, `
		WITH disabled AS (
			UPDATE person SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL RETURNING id
		), ended AS (
			UPDATE session SET ended_at = $2 WHERE person_id IN (SELECT id FROM disabled) AND ended_at IS NULL RETURNING id
		), spent AS (
			UPDATE enrolment_link SET used_at = $2, code_given_at = coalesce(code_given_at, $2)
			WHERE person_id IN (SELECT id FROM disabled) AND used_at IS NULL
		)
		SELECT id AS person_id, ARRAY(SELECT id FROM ended) AS sessions FROM disabled`, id, now)
}

// EnablePerson enables a disabled person whose profile is not closed. Sessions that ended stay ended.
func (q *queries) EnablePerson(ctx context.Context, id string) error {
	_, err := scalar[string](ctx, q, `
		UPDATE person SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL AND closed_at IS NULL RETURNING id`, id)
	return err
}

// Organisation is a body that people act for.
type Organisation struct {
	Code       string
	Name       string
	ParentCode *string
}

// AddOrganisation records an organisation. The code being taken is ErrConflict, an unknown parent ErrReference.
func (q *queries) AddOrganisation(ctx context.Context, o Organisation, now time.Time) error {
	_, err := scalar[string](ctx, q, `
		INSERT INTO organisation (code, name, parent_code, created_at) VALUES ($1, $2, $3, $4) RETURNING code`,
		o.Code, o.Name, o.ParentCode, now)
	return err
}

// Organisations lists organisations by code, from the one after the given code, at most limit of them.
func (q *queries) Organisations(ctx context.Context, after string, limit int) ([]Organisation, error) {
	return all[Organisation](ctx, q, `
		SELECT code, name, parent_code FROM organisation WHERE code > $1 ORDER BY code LIMIT $2`, after, limit)
}

// MostAbove is how many organisations stand above another, at most: whatever is higher still has no authority over it.
const MostAbove = 20

// OrganisationPath reads the code of an organisation and of those above it, nearest first. One that is unknown is ErrNotFound.
func (q *queries) OrganisationPath(ctx context.Context, code string) ([]string, error) {
	paths, err := q.OrganisationPaths(ctx, []string{code})
	if err == nil && len(paths) == 0 {
		err = ErrNotFound
	}
	return paths[code], err
}

// OrganisationPaths reads of each of some organisations what [Store.OrganisationPath] does of one, by code. One that is unknown is not
// among them.
func (q *queries) OrganisationPaths(ctx context.Context, codes []string) (map[string][]string, error) {
	type row struct {
		Code string
		Path []string
	}
	rows, err := all[row](ctx, q, `
		WITH RECURSIVE path (of, code, parent_code, above) AS (
			SELECT code, code, parent_code, 0 FROM organisation WHERE code = ANY($1)
			UNION ALL
			SELECT p.of, o.code, o.parent_code, p.above + 1 FROM path p JOIN organisation o ON o.code = p.parent_code WHERE p.above < $2
		)
		SELECT of AS code, array_agg(code ORDER BY above) AS path FROM path GROUP BY of`, codes, MostAbove)
	paths := make(map[string][]string, len(rows))
	for _, r := range rows {
		paths[r.Code] = r.Path
	}
	return paths, err
}

// EnsureMembership returns the id of a person's membership of an organisation, and adds it under the given id when
// there is none. An unknown person or organisation is ErrReference.
func (q *queries) EnsureMembership(ctx context.Context, id, person, organisation string, now time.Time) (string, error) {
	return scalar[string](ctx, q, `
		INSERT INTO membership (id, person_id, organisation_code, created_at) VALUES ($1, $2, $3, $4)
		ON CONFLICT ON CONSTRAINT membership_once DO UPDATE SET person_id = EXCLUDED.person_id
		RETURNING id`, id, person, organisation, now)
}

// AddWorkgroup records a workgroup. One that is known already is left as it is.
func (q *queries) AddWorkgroup(ctx context.Context, w Workgroup) error {
	return q.db.exec(ctx, `INSERT INTO workgroup (id, name) VALUES ($1, $2) ON CONFLICT DO NOTHING`, w.ID, w.Name)
}

// Workgroups lists workgroups by id: those of some ids that there are.
func (q *queries) Workgroups(ctx context.Context, ids []string) ([]Workgroup, error) {
	return all[Workgroup](ctx, q, `SELECT id, name FROM workgroup WHERE id = ANY ($1) ORDER BY id`, ids)
}

// NewRole is a role profile to add.
type NewRole struct {
	ID           string // 12 digits
	MembershipID string
	JobRole      string
	AreasOfWork  []string
	Activities   []string
	Workgroups   []string // ids
	StartsAt     time.Time
	EndsAt       *time.Time
	PositionID   *string // nil: it is of no position
	RequestID    *uuid.UUID

	AuthenticatorID *uuid.UUID // which alone lets her act in it; nil: any of hers
}

// AddRole records a role profile. The id being taken is ErrConflict, an unknown membership ErrReference.
func (q *queries) AddRole(ctx context.Context, r NewRole, now time.Time) error {
	_, err := scalar[string](ctx, q, `
		INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, ends_at, position_id, request_id, authenticator_id, created_at)
		VALUES ($1, $2, $3, coalesce($4::text[], '{}'), coalesce($5::text[], '{}'), coalesce($6::text[], '{}'), $7, $8, $9, $10, $11, $12)
		RETURNING id`,
		r.ID, r.MembershipID, r.JobRole, r.AreasOfWork, r.Activities, r.Workgroups, r.StartsAt, r.EndsAt, r.PositionID, r.RequestID, r.AuthenticatorID, now)
	return err
}

// EndRole ends a role profile that has not ended. Otherwise ErrNotFound.
func (q *queries) EndRole(ctx context.Context, id string, now time.Time) (EndedRole, error) {
	return one[EndedRole](ctx, q, endRole+`r.id = $2`+endedRole, now, id)
}

// RoleRow is a line of a list of role profiles, ended and future ones included.
type RoleRow struct {
	ID               string
	PersonID         string
	OrganisationCode string
	JobRole          string
	Activities       []string
	StartsAt         time.Time
	EndsAt           *time.Time
}

// Roles lists role profiles by id, from the one after the given id, at most limit of them; person "" means everybody's.
func (q *queries) Roles(ctx context.Context, person, after string, limit int) ([]RoleRow, error) {
	return all[RoleRow](ctx, q, `
		SELECT r.id, m.person_id, m.organisation_code, r.job_role, r.activities, r.starts_at, r.ends_at
		FROM role_profile r JOIN membership m ON m.id = r.membership_id
		WHERE r.id > $2 AND ($1 = '' OR m.person_id = $1) ORDER BY r.id LIMIT $3`, person, after, limit)
}

// column takes one value from each element.
func column[T, V any](list []T, value func(T) V) []V {
	out := make([]V, len(list))
	for i, e := range list {
		out[i] = value(e)
	}
	return out
}
