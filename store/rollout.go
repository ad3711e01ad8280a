package store

import (
	"context"
	"time"
)

// Rollout is a position of which somebody may hold what it does not give any more, or not yet. A trigger records it when a
// version is approved of the position, or of one that it includes.
type Rollout struct {
	PositionID   string
	InForce      int
	OfPosition   string // of which a version was approved
	OfVersion    int
	ApprovedBy   string
	ApprovedRole string // the role profile that she acted in
	AfterRole    string // roles up to this one are in line
}

// Rollouts lists positions that are to be rolled out by id, from the one after the given id, at most limit of them.
func (q *queries) Rollouts(ctx context.Context, after string, limit int) ([]string, error) {
	return scalar[[]string](ctx, q, `
		SELECT coalesce(array_agg(w.position_id ORDER BY w.position_id), '{}')
		FROM (SELECT w.position_id FROM position_rollout w WHERE w.position_id > $1 ORDER BY w.position_id LIMIT $2) w`, after, limit)
}

// LockRollout reads the rollout of a position and locks both until the transaction ends. When nothing is to be rolled out, or
// somebody else is at it, that is ErrNotFound.
func (t *Tx) LockRollout(ctx context.Context, positionID string) (Rollout, error) {
	return one[Rollout](ctx, &t.queries, `
		SELECT p.id AS position_id, p.version AS in_force, w.of_position, w.of_version, v.approved_by, v.approved_role, w.after_role
		FROM position p
		JOIN position_rollout w ON w.position_id = p.id
		JOIN position_version v ON v.position_id = w.of_position AND v.version = w.of_version
		WHERE p.id = $1 FOR NO KEY UPDATE OF p, w SKIP LOCKED`, positionID)
}

// AdvanceRollout records up to which role a position is in line.
func (t *Tx) AdvanceRollout(ctx context.Context, positionID, afterRole string) error {
	return t.db.exec(ctx, `UPDATE position_rollout SET after_role = $2 WHERE position_id = $1`, positionID, afterRole)
}

// EndRollout records that all roles of a position are in line.
func (t *Tx) EndRollout(ctx context.Context, positionID string) error {
	return t.db.exec(ctx, `DELETE FROM position_rollout WHERE position_id = $1`, positionID)
}

// CountBehind counts the roles of a position that have not ended and may give what it does not give any more, or not yet.
func (q *queries) CountBehind(ctx context.Context, positionID string, now time.Time) (int, error) {
	n, err := scalar[int64](ctx, q, `
		SELECT count(*) FROM position_rollout w JOIN role_profile r ON r.position_id = w.position_id AND r.id > w.after_role
		WHERE w.position_id = $1 AND (r.ends_at IS NULL OR r.ends_at > $2)`, positionID, now)
	return int(n), err
}

// RoleHolder is a role and who has it.
type RoleHolder struct{ RoleID, PersonID, PositionID string }

// RoleHolders lists the roles that positions give and that have not ended by id, from the one after the given id, at most
// limit of them.
func (q *queries) RoleHolders(ctx context.Context, positionIDs []string, after string, limit int, now time.Time) ([]RoleHolder, error) {
	return all[RoleHolder](ctx, q, `
		SELECT r.id AS role_id, m.person_id, r.position_id
		FROM (
			SELECT r.id, r.membership_id, r.position_id
			FROM unnest($1::text[]) p (id)
			CROSS JOIN LATERAL (
				SELECT r.id, r.membership_id, r.position_id FROM role_profile r
				WHERE r.position_id = p.id AND r.id > $2 AND (r.ends_at IS NULL OR r.ends_at > $4) ORDER BY r.id LIMIT $3
			) r
			ORDER BY r.id LIMIT $3
		) r
		JOIN membership m ON m.id = r.membership_id
		ORDER BY r.id`, positionIDs, after, limit, now)
}

// ChangeRoles has roles of a position give something else, by the version that is in force. What that version, with what it
// includes, does not give is ErrReference. Withheld is why they give less, or "".
func (t *Tx) ChangeRoles(ctx context.Context, ids []string, version int, a Access, withheld string) error {
	return t.db.exec(ctx, `
		UPDATE role_profile SET position_version = $2, job_role = $3, areas_of_work = coalesce($4::text[], '{}'), activities = coalesce($5::text[], '{}'),
			workgroups = coalesce($6::text[], '{}'), withheld = nullif($7, '')
		WHERE id = ANY ($1)`, ids, version, a.JobRole, a.AreasOfWork, a.Activities, a.Workgroups, withheld)
}

// EndHeldRoles ends roles at a time, those that are to come when they would begin. Withheld is why their position gives its
// holders nothing, or "".
func (t *Tx) EndHeldRoles(ctx context.Context, ids []string, withheld string, at time.Time) error {
	return t.db.exec(ctx, `UPDATE role_profile SET ends_at = greatest($2, starts_at), withheld = nullif($3, '') WHERE id = ANY ($1)`, ids, at, withheld)
}

// IncludersInTurn lists the positions that include one, and those that include these in turn, by id, at most limit of them.
func (q *queries) IncludersInTurn(ctx context.Context, id string, limit int) ([]string, error) {
	return scalar[[]string](ctx, q, `
		WITH RECURSIVE above (id) AS (
			SELECT $1::text UNION SELECT i.id FROM above a CROSS JOIN LATERAL (`+includers+`[a.id]) i
		)
		SELECT coalesce(array_agg(a.id ORDER BY a.id), '{}') FROM (SELECT id FROM above WHERE id <> $1 ORDER BY id LIMIT $2) a`, id, limit)
}

// Include says whether one of some positions includes another, or one that includes it, as far as a depth.
func (q *queries) Include(ctx context.Context, ids []string, id string, depth int) (bool, error) {
	return scalar[bool](ctx, q, included+`
		SELECT EXISTS (SELECT FROM included WHERE id = $3 AND depth > 1)`, ids, depth+1, id)
}

// Kept is the profile that is kept of the person who has, or had, a profile.
func (q *queries) Kept(ctx context.Context, personID string) (string, error) {
	return scalar[string](ctx, q, `SELECT coalesce(p.merged_into, p.id) FROM person p WHERE p.id = $1`, personID)
}
