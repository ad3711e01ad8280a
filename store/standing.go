package store

import (
	"context"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Standing is what decides access, as one read found it.
type Standing struct {
	PersonStands        bool
	ClientStands        bool
	SessionStands       bool
	AuthenticatorStands bool
	RoleStands          bool
	Unproved            bool   // she registered herself, and her identity is proved to less than medium: she acts as nothing
	Person              Person // with what she may act as at that time
}

// Fallen names the first thing that no longer stands, of those whose fall ends access whatever was granted: person,
// client, session, authenticator. It is "" when all stand. A fallen role is the caller's to judge.
func (s Standing) Fallen() string {
	switch {
	case !s.PersonStands:
		return "person_disabled"
	case !s.ClientStands:
		return "client_disabled"
	case !s.SessionStands:
		return "session_ended"
	case !s.AuthenticatorStands:
		return "authenticator_revoked"
	}
	return ""
}

// standing is what the function of that name in the schema reads.
type standing struct {
	PersonVersion uuid.UUID
	ClientStands  bool
	SessionStands bool
}

const standingColumns = `s.person_version, s.client_stands, s.session_stands`

// stand completes what a statement read by the record of the person, in the version that the statement saw or a newer one.
// A nil authenticator or role is none.
func (q *queries) stand(ctx context.Context, s standing, personID string, authenticatorID *uuid.UUID, roleID *string, now time.Time) (Standing, error) {
	r, ok := q.recent.record(personID)
	if !ok || r.Version != s.PersonVersion {
		var err error
		if r, err = q.record(ctx, personID, now); err != nil {
			return Standing{}, err
		}
		q.recent.keepRecord(r)
	}
	return s.with(r, authenticatorID, roleID, now), nil
}

func (s standing) with(r record, authenticatorID *uuid.UUID, roleID *string, now time.Time) Standing {
	return Standing{
		PersonStands:        !r.Disabled,
		ClientStands:        s.ClientStands,
		SessionStands:       s.SessionStands,
		AuthenticatorStands: authenticatorID == nil || slices.Contains(r.Authenticators, *authenticatorID),
		RoleStands:          roleID == nil || slices.ContainsFunc(r.Roles, func(role datedRole) bool { return role.ID == *roleID && role.counts(authenticatorID, now) }),
		Unproved:            r.Unproved,
		Person:              r.at(authenticatorID, now),
	}
}

// record is what is on record of a person, at one version.
type record struct {
	Version        uuid.UUID
	Disabled       bool
	Unproved       bool
	Person         Person      // without roles
	Roles          []datedRole // that had not ended when it was read, those to come included, by id; none while she is unproved
	Authenticators []uuid.UUID // that are active
}

// datedRole is a role profile and when it is one.
type datedRole struct {
	Role
	StartsAt time.Time  `json:"starts_at"`
	EndsAt   *time.Time `json:"ends_at"`
}

// counts says whether somebody acts in the role at a time who signed in with an authenticator; nil is that none is concerned.
func (r datedRole) counts(authenticatorID *uuid.UUID, now time.Time) bool {
	return !r.StartsAt.After(now) && (r.EndsAt == nil || r.EndsAt.After(now)) &&
		(r.AuthenticatorID == nil || authenticatorID == nil || *r.AuthenticatorID == *authenticatorID)
}

// mostRoles bounds the roles that a person is shown and acts in.
const mostRoles = 100

// at is the person with the roles that count at a time for who signed in with an authenticator.
func (r record) at(authenticatorID *uuid.UUID, now time.Time) Person {
	p := r.Person
	p.Roles = make([]Role, 0, min(len(r.Roles), mostRoles))
	for _, role := range r.Roles {
		if role.counts(authenticatorID, now) && len(p.Roles) < mostRoles {
			p.Roles = append(p.Roles, role.Role)
		}
	}
	return p
}

// record reads the record of a person. It is bounded: a person with more roles than that is shown the first ones.
func (q *queries) record(ctx context.Context, id string, now time.Time) (record, error) {
	return one[record](ctx, q, `
		SELECT p.version, p.disabled_at IS NOT NULL AS disabled, `+unproved+` AS unproved,
			jsonb_build_object(
				'id', p.id,
				'title', p.title,
				'given_name', p.given_name,
				'middle_names', p.middle_names,
				'family_name', p.family_name,
				'display_name', p.display_name,
				'email', coalesce(p.email, ''),
				'language', coalesce(p.language, ''),
				'identity_level', p.identity_level,
				'registrations', coalesce((
					SELECT jsonb_agg(jsonb_build_object('body', g.body, 'number', g.number) ORDER BY g.body)
					FROM professional_registration g WHERE g.person_id = p.id), '[]'),
				'memberships', coalesce((
					SELECT jsonb_agg(jsonb_build_object('id', m.id, 'organisation_code', o.code, 'organisation_name', o.name) ORDER BY m.id)
					FROM (SELECT m.id, m.organisation_code FROM membership m WHERE m.person_id = p.id ORDER BY m.id LIMIT 100) m
					JOIN organisation o ON o.code = m.organisation_code), '[]')) AS person,
			coalesce((
				SELECT jsonb_agg(jsonb_build_object(
					'id', r.id,
					'membership_id', r.membership_id,
					'organisation_code', r.code,
					'organisation_name', r.name,
					'job_role', r.job_role,
					'areas_of_work', r.areas_of_work,
					'activities', r.activities,
					'starts_at', r.starts_at,
					'ends_at', r.ends_at,
					'authenticator_id', r.authenticator_id,
					'workgroups', coalesce((
						SELECT jsonb_agg(jsonb_build_object('id', w.id, 'name', w.name) ORDER BY u.n)
						FROM unnest(r.workgroups) WITH ORDINALITY u (id, n) JOIN workgroup w ON w.id = u.id), '[]')) ORDER BY r.id)
				FROM (SELECT r.id, r.membership_id, r.job_role, r.areas_of_work, r.activities, r.workgroups, r.starts_at, r.ends_at, r.authenticator_id, o.code, o.name
					FROM membership m
					JOIN organisation o ON o.code = m.organisation_code
					JOIN role_profile r ON r.membership_id = m.id
					WHERE m.person_id = p.id AND (r.ends_at IS NULL OR r.ends_at > $2) AND NOT (`+unproved+`)
					ORDER BY r.starts_at > $2, r.id LIMIT 200) r), '[]') AS roles, -- current ones before those to come
			ARRAY(SELECT a.id FROM authenticator a WHERE a.person_id = p.id AND a.state = 'active') AS authenticators
		FROM person p
		WHERE p.id = $1`, id, now)
}
