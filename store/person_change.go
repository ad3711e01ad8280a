package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Details is who a person is said to be, as officers correct it.
type Details struct {
	Title       string
	GivenName   string
	MiddleNames string
	FamilyName  string
	DisplayName string
	Email       string     // "" when none is known
	DateOfBirth *time.Time // nil: it is not known
}

// Profile is who a person is said to be, and whether the profile is closed.
type Profile struct {
	PersonID string
	Details
	DisabledAt *time.Time
	ClosedAt   *time.Time // nil while it is open
	ClosedAs   string     // left, deceased, duplicate, fraud or other; "" while it is open
	MergedInto string     // the profile that is kept of the same person; "" when none
	ErasedAt   *time.Time // since when nothing says who the person was; nil: something does
	CreatedAt  time.Time

	SelfRegisteredOrganisation string // at which the person registered herself; "": others put her on record
}

// Profile reads the profile of a person.
func (q *queries) Profile(ctx context.Context, id string) (Profile, error) {
	return one[Profile](ctx, q, `
		SELECT id AS person_id, title, given_name, middle_names, family_name, display_name, coalesce(email, '') AS email, date_of_birth,
			disabled_at, closed_at, coalesce(closed_as, '') AS closed_as, coalesce(merged_into, '') AS merged_into,
			erased_at, created_at, coalesce(self_registered_organisation, '') AS self_registered_organisation
		FROM person WHERE id = $1`, id)
}

// CorrectPerson changes who a person is said to be.
func (t *Tx) CorrectPerson(ctx context.Context, id string, d Details) error {
	return t.db.exec(ctx, `
		UPDATE person SET title = $2, given_name = $3, middle_names = $4, family_name = $5, display_name = $6, email = nullif($7, ''), date_of_birth = $8
		WHERE id = $1`, id, d.Title, d.GivenName, d.MiddleNames, d.FamilyName, d.DisplayName, d.Email, d.DateOfBirth)
}

// ClosePerson closes a profile, which disables its person. Since when she is disabled who was disabled before, stays as it is.
// A profile that is closed already is ErrNotFound.
func (t *Tx) ClosePerson(ctx context.Context, id, as string, now time.Time) error {
	_, err := scalar[string](ctx, &t.queries, `
		UPDATE person SET disabled_at = coalesce(disabled_at, $3), closed_at = $3, closed_as = $2 WHERE id = $1 AND closed_at IS NULL RETURNING id`, id, as, now)
	return err
}

// ReopenPerson opens a closed profile again. Whoever was disabled before it was closed stays so. A profile that is not closed,
// or was merged, is ErrNotFound.
func (t *Tx) ReopenPerson(ctx context.Context, id string) error {
	_, err := scalar[string](ctx, &t.queries, `
		UPDATE person SET disabled_at = CASE WHEN disabled_at < closed_at THEN disabled_at END, closed_at = NULL, closed_as = NULL
		WHERE id = $1 AND closed_at IS NOT NULL AND merged_into IS NULL RETURNING id`, id)
	return err
}

// Holdings is how much somebody has that ends with her profile.
type Holdings struct {
	Roles          int // that have not ended
	Requests       int // that are open, for her or asked by her
	Authenticators int // that are not revoked
	Sessions       int // that have not ended
}

// Holdings counts what ends with the profile of a person.
func (q *queries) Holdings(ctx context.Context, personID string, now time.Time) (Holdings, error) {
	return one[Holdings](ctx, q, `
		SELECT
			(SELECT count(*) FROM membership m JOIN role_profile r ON r.membership_id = m.id WHERE m.person_id = $1 AND (r.ends_at IS NULL OR r.ends_at > $2)) AS roles,
			(SELECT count(*) FROM request r WHERE r.state = 'open' AND (r.person_id = $1 OR r.asked_by = $1)) AS requests,
			(SELECT count(*) FROM authenticator a WHERE a.person_id = $1 AND a.state <> 'revoked') AS authenticators,
			(SELECT count(*) FROM session s WHERE s.person_id = $1 AND s.ended_at IS NULL AND s.expires_at > $2 AND s.idle_at > $2) AS sessions`, personID, now)
}

// EndRoles ends, at a time, what a person may act as beyond it at an organisation, or "" for each, and returns which roles
// those are.
func (t *Tx) EndRoles(ctx context.Context, personID, organisation string, at time.Time) ([]EndedRole, error) {
	return all[EndedRole](ctx, &t.queries, endRole+`m.person_id = $2 AND ($3 = '' OR m.organisation_code = $3)`+endedRole, at, personID, organisation)
}

// EndRoleSessions ends the sessions in which somebody acts in one of some roles, and returns which those are.
func (t *Tx) EndRoleSessions(ctx context.Context, personID string, roles []string, now time.Time) ([]uuid.UUID, error) {
	return scalar[[]uuid.UUID](ctx, &t.queries, `
		WITH ended AS (UPDATE session SET ended_at = $3 WHERE person_id = $1 AND role_id = ANY ($2) AND ended_at IS NULL RETURNING id)
		SELECT coalesce(array_agg(id), '{}') FROM ended`, personID, roles, now)
}

// EndAccess ends the sessions of a person and spends her enrolment links, and returns which sessions those are.
func (t *Tx) EndAccess(ctx context.Context, personID string, now time.Time) ([]uuid.UUID, error) {
	return scalar[[]uuid.UUID](ctx, &t.queries, `
		WITH spent AS (
			UPDATE enrolment_link SET used_at = $2, code_given_at = coalesce(code_given_at, $2) WHERE person_id = $1 AND used_at IS NULL
		), ended AS (
			UPDATE session SET ended_at = $2 WHERE person_id = $1 AND ended_at IS NULL RETURNING id
		)
		SELECT coalesce(array_agg(id), '{}') FROM ended`, personID, now)
}

// RevokedAuthenticator is what was revoked, and the state in which it was before.
type RevokedAuthenticator struct {
	ID  uuid.UUID
	Was string
}

// RevokeAuthenticators revokes what a person signs in with, and returns what that was.
func (t *Tx) RevokeAuthenticators(ctx context.Context, personID string, now time.Time) ([]RevokedAuthenticator, error) {
	return all[RevokedAuthenticator](ctx, &t.queries, `
		UPDATE authenticator a SET state = 'revoked', revoked_at = coalesce(a.revoked_at, $2)
		FROM authenticator was
		WHERE was.id = a.id AND a.person_id = $1 AND a.state <> 'revoked'
		RETURNING a.id, was.state AS was`, personID, now)
}

// LockOpenRequests keeps whoever would decide what is asked for a person, or by her, waiting until the transaction ends.
// Requests are locked before people.
func (t *Tx) LockOpenRequests(ctx context.Context, personIDs ...string) error {
	return t.db.exec(ctx, `
		SELECT FROM request r WHERE r.state = 'open' AND (r.person_id = ANY ($1) OR r.asked_by = ANY ($1)) ORDER BY r.id FOR NO KEY UPDATE`, personIDs)
}

// LockAccess keeps whoever enrols as one of some people, or changes what they sign in with, waiting until the transaction ends.
// Links are locked before authenticators, and both before people: whoever spends one or takes one away changes the version of its
// person.
func (t *Tx) LockAccess(ctx context.Context, personIDs ...string) error {
	return errors.Join(
		t.db.exec(ctx, `SELECT FROM enrolment_link WHERE person_id = ANY ($1) AND used_at IS NULL ORDER BY hash FOR UPDATE`, personIDs),
		t.db.exec(ctx, `SELECT FROM authenticator WHERE person_id = ANY ($1) ORDER BY id FOR UPDATE`, personIDs))
}

// LockPersonOfRole keeps whoever would change what somebody has who has a role waiting until the transaction ends.
func (t *Tx) LockPersonOfRole(ctx context.Context, roleID string) error {
	return t.db.exec(ctx, `
		SELECT FROM person p WHERE p.id = (SELECT m.person_id FROM role_profile r JOIN membership m ON m.id = r.membership_id WHERE r.id = $1) FOR NO KEY UPDATE`, roleID)
}

// CancelledRequest is a request that ended because of somebody whom it concerns.
type CancelledRequest struct {
	ID         uuid.UUID
	PersonID   string
	PositionID string
	AskedBy    string
}

// CancelRequests ends the open requests for a person at an organisation, or "" for each, and for the whole of her also what
// she asked for others; it returns which those are.
func (t *Tx) CancelRequests(ctx context.Context, personID, organisation, reason string, now time.Time) ([]CancelledRequest, error) {
	return all[CancelledRequest](ctx, &t.queries, `
		UPDATE request SET state = 'lapsed', decision_reason = $3, decided_at = $4
		WHERE state = 'open' AND (person_id = $1 AND ($2 = '' OR organisation_code = $2) OR asked_by = $1 AND $2 = '')
		RETURNING id, person_id, position_id, asked_by`, personID, organisation, reason, now)
}

// PersonChange is something that was done to the profile of a person.
type PersonChange struct {
	ID               uuid.UUID // of version 7: in the order in which they were made
	PersonID         string
	Kind             string // corrected, merged, closed, reopened or left
	Actor            string
	ActorRole        string // the role profile that she acted in
	OrganisationCode string // that the person left; "" otherwise
	Reason           string
	Old, New         json.RawMessage // what differs, by its name: JSON objects of text
	At               time.Time
}

const changeColumns = `c.id, c.person_id, c.kind, c.actor, c.actor_role, coalesce(c.organisation_code, '') AS organisation_code, c.reason, c.old, c.new, c.at`

// AddPersonChange records what was done.
func (t *Tx) AddPersonChange(ctx context.Context, c PersonChange) error {
	return t.db.exec(ctx, `
		INSERT INTO person_change (id, person_id, kind, actor, actor_role, organisation_code, reason, old, new, at)
		VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8, $9, $10)`,
		c.ID, c.PersonID, c.Kind, c.Actor, c.ActorRole, c.OrganisationCode, c.Reason, c.Old, c.New, c.At)
}

// PersonChanges lists what was done to the profiles of some people, by [ByTime], from the change after the given id, at most limit
// of it.
func (q *queries) PersonChanges(ctx context.Context, personIDs []string, o Order, after uuid.UUID, limit int) ([]PersonChange, error) {
	beyond, by := o.byID(`c.id`, `$2`)
	return all[PersonChange](ctx, q, `
		SELECT `+changeColumns+` FROM person_change c
		WHERE c.person_id = ANY ($1) AND `+beyond+` ORDER BY `+by+` LIMIT $3`, personIDs, from(after), limit)
}

// PersonChangesByID reads some things that were done to profiles.
func (q *queries) PersonChangesByID(ctx context.Context, ids []uuid.UUID) ([]PersonChange, error) {
	return all[PersonChange](ctx, q, `SELECT `+changeColumns+` FROM person_change c WHERE c.id = ANY ($1)`, ids)
}

// LastChange reads what was done last to the profile of a person of one kind. When nothing was, that is ErrNotFound.
func (q *queries) LastChange(ctx context.Context, personID, kind string) (PersonChange, error) {
	return one[PersonChange](ctx, q, `
		SELECT `+changeColumns+` FROM person_change c WHERE c.person_id = $1 AND c.kind = $2 ORDER BY c.id DESC LIMIT 1`, personID, kind)
}

// Merge is that two profiles be merged which are of the same person.
type Merge struct {
	ID             uuid.UUID // of version 7: in the order in which they were proposed
	Duplicate      string    // the profile that is closed
	Kept           string
	Reason         string
	ProposedBy     string
	ProposedRole   string // the role profile that she acted in
	ProposedAt     time.Time
	State          string  // proposed, approved or refused
	DecidedBy      *string // nil while it is proposed, as all that follows
	DecidedRole    *string
	DecidedAt      *time.Time
	DecisionReason *string
}

const mergeColumns = `m.id, m.duplicate, m.kept, m.reason, m.proposed_by, m.proposed_role, m.proposed_at, m.state, m.decided_by, m.decided_role, m.decided_at, m.decision_reason`

// AddMerge proposes a merge. One being proposed of the same two profiles, whichever of them is kept, is ErrConflict.
func (t *Tx) AddMerge(ctx context.Context, m Merge) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		INSERT INTO person_merge (id, duplicate, kept, reason, proposed_by, proposed_role, proposed_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (least(duplicate, kept), greatest(duplicate, kept)) WHERE state = 'proposed' DO NOTHING
		RETURNING id`, m.ID, m.Duplicate, m.Kept, m.Reason, m.ProposedBy, m.ProposedRole, m.ProposedAt)
	if errors.Is(err, ErrNotFound) {
		return ErrConflict
	}
	return err
}

// Merge reads a merge.
func (q *queries) Merge(ctx context.Context, id uuid.UUID) (Merge, error) {
	return one[Merge](ctx, q, `SELECT `+mergeColumns+` FROM person_merge m WHERE m.id = $1`, id)
}

// ProposedMerges lists the merges of a person's profile that nobody has decided, oldest first, at most limit of them.
func (q *queries) ProposedMerges(ctx context.Context, personID string, limit int) ([]Merge, error) {
	return all[Merge](ctx, q, `
		SELECT `+mergeColumns+` FROM person_merge m WHERE m.state = 'proposed' AND (m.duplicate = $1 OR m.kept = $1) ORDER BY m.id LIMIT $2`, personID, limit)
}

// LockMerges keeps whoever else would merge people waiting until the transaction ends: a merge also changes the profiles that
// were merged into the one which it closes.
func (t *Tx) LockMerges(ctx context.Context) error {
	return t.db.exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('merge', 0))`)
}

// DecideMerge ends a merge that is proposed. Of any number at once one does; the others get ErrNotFound.
func (t *Tx) DecideMerge(ctx context.Context, id uuid.UUID, state, by, role, reason string, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		UPDATE person_merge SET state = $2, decided_by = $3, decided_role = $4, decision_reason = $5, decided_at = $6
		WHERE id = $1 AND state = 'proposed' RETURNING id`, id, state, by, role, reason, now)
	return err
}

// MergePerson says of a closed profile which one is kept of the same person, also of those that were merged into it before. What
// its person may act as goes to the one that is kept, and so do numbers of professional bodies that this one has not.
func (t *Tx) MergePerson(ctx context.Context, duplicate, kept string) error {
	return errors.Join(
		t.db.exec(ctx, `UPDATE person SET merged_into = $2 WHERE merged_into = $1`, duplicate, kept),
		t.db.exec(ctx, `UPDATE person SET merged_into = $2 WHERE id = $1`, duplicate, kept),
		t.db.exec(ctx, `
			UPDATE role_profile r SET membership_id = k.id
			FROM membership d JOIN membership k ON k.organisation_code = d.organisation_code
			WHERE d.person_id = $1 AND k.person_id = $2 AND r.membership_id = d.id`, duplicate, kept),
		t.db.exec(ctx, `
			UPDATE membership SET person_id = $2
			WHERE person_id = $1 AND organisation_code NOT IN (SELECT k.organisation_code FROM membership k WHERE k.person_id = $2)`, duplicate, kept),
		t.db.exec(ctx, `
			INSERT INTO professional_registration (person_id, body, number)
			SELECT $2, d.body, d.number FROM professional_registration d WHERE d.person_id = $1
			ON CONFLICT (person_id, body) DO NOTHING`, duplicate, kept),
	)
}

// mostMerged bounds the profiles that are listed as merged into another.
const mostMerged = 100

// MergedInto lists the profiles that were merged into another, by id.
func (q *queries) MergedInto(ctx context.Context, kept string) ([]string, error) {
	return scalar[[]string](ctx, q, `
		SELECT coalesce(array_agg(d.id ORDER BY d.id), '{}') FROM (SELECT p.id FROM person p WHERE p.merged_into = $1 ORDER BY p.id LIMIT $2) d`, kept, mostMerged)
}

// PeopleOfIDs lists who has one of some user ids, by id.
func (q *queries) PeopleOfIDs(ctx context.Context, ids []string) ([]FoundPerson, error) {
	return all[FoundPerson](ctx, q, `
		WITH f AS (SELECT p.id, p.display_name, p.identity_level, p.disabled_at FROM person p WHERE p.id = ANY ($1))`+found+` FROM f ORDER BY f.id`, ids)
}
