package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// PositionVersion is what a position is by one of its versions, or is proposed to be.
type PositionVersion struct {
	PositionID  string
	Version     int
	Closes      bool // it is the end of the position
	Name        string
	Notes       string
	JobRole     string   // S:G:R code
	AreasOfWork []string // P:Q:T codes
	Activities  []string // B codes
	Workgroups  []string // ids
	// WorkgroupNames are those of Workgroups as they were proposed. They count when the version is approved; empty are those
	// on record.
	WorkgroupNames []string
	Includes       []string // ids of positions of which it gives everything but the job role as well
	Assignable     bool     // a sponsor gives it without a second officer
	Reason         string
	MadeBy         string
	MadeRole       string // the role profile that she acted in
	MadeAt         time.Time
	ApprovedBy     *string // nil: it gives nobody anything
	ApprovedRole   *string
	ApprovedAt     *time.Time
}

const versionColumns = `v.position_id, v.version, v.closes, v.name, v.notes, v.job_role, v.areas_of_work, v.activities, v.workgroups, v.workgroup_names,
	v.includes, v.assignable, v.reason, v.made_by, v.made_role, v.made_at, v.approved_by, v.approved_role, v.approved_at`

// PositionRow is a position in its newest version.
type PositionRow struct {
	OrganisationCode string
	OrganisationName string
	InForce          int // the version that was approved last; 0: none
	PositionVersion
}

// HeldPosition is a position that somebody locked who decides about it.
type HeldPosition struct {
	ID               string
	OrganisationCode string
	OrganisationName string
	InForce          int // the version that was approved last; 0: none
}

// below is the organisation $1 and those below it. OFFSET 0 keeps the planner, which guesses that they are many, from
// reading all there are.
const below = `
	WITH RECURSIVE below (code) AS (
		SELECT o.code FROM organisation o WHERE o.code = $1
		UNION
		SELECT o.code FROM below b CROSS JOIN LATERAL (SELECT o.code FROM organisation o WHERE o.parent_code = b.code OFFSET 0) o
	)`

// many says whether the organisations below are so many that it is quicker to look at what waits, or at positions one after another,
// wherever they are, than at those of each. It reads no more of them than it takes to know. Then isBelow is what is looked at of a
// position p, and the same between the two others of what belongs to another organisation: the way up from there is short, however many
// are below.
const (
	many       = `(SELECT count(*) > 300 FROM (SELECT FROM below LIMIT 301) b)`
	theWayFrom = `EXISTS (
		WITH RECURSIVE above (code) AS (
			SELECT `
	leadsThere = `
			UNION
			SELECT o.parent_code FROM above a CROSS JOIN LATERAL (SELECT o.parent_code FROM organisation o WHERE o.code = a.code OFFSET 0) o WHERE o.parent_code IS NOT NULL
		)
		SELECT FROM above WHERE code = $1)`
	isBelow = theWayFrom + `p.organisation_code` + leadsThere
)

// ofBelow is, in an order, as many as a limit of the rows of a table that are of the organisation $1 or of one below it and of which
// something is so: some columns of them, by the name that the table is given. Where the organisations are few, those of each are found by
// an index of its own; where they are many, all are walked through in that order, along an index that has it, up to the last that is wanted.
func ofBelow(table, as, at, columns, so, order, limit string) string {
	from, in := ` FROM `+table+` `+as+` WHERE `, order+` LIMIT `+limit
	return `(
			(SELECT ` + columns + ` FROM below w CROSS JOIN LATERAL (SELECT ` + columns + from + at + ` = w.code AND ` + so + in + `) ` + as + `
			WHERE NOT ` + many + in + `)
			UNION ALL
			(SELECT ` + columns + from + many + ` AND ` + so + ` AND ` + theWayFrom + at + leadsThere + in + `)
		) ` + as
}

// countBelow counts rows as ofBelow finds them by a time of theirs, as far as $2, and says which is the first.
func countBelow(table, as, at, since, so string) string {
	return below + `
		SELECT count(*) AS count, min(` + since + `) AS first_at FROM ` + ofBelow(table, as, at, since, so, ` ORDER BY `+since, "$2")
}

// AddPosition records a position without any version. The id being taken is ErrConflict, an unknown organisation ErrReference.
func (t *Tx) AddPosition(ctx context.Context, id, organisation string, now time.Time) error {
	_, err := scalar[string](ctx, &t.queries, `INSERT INTO position (id, organisation_code, created_at) VALUES ($1, $2, $3) RETURNING id`, id, organisation, now)
	return err
}

// LockPosition reads a position. Whoever else would change it, or decide about it, waits until the transaction ends.
func (t *Tx) LockPosition(ctx context.Context, id string) (HeldPosition, error) {
	return one[HeldPosition](ctx, &t.queries, `
		SELECT p.id, p.organisation_code, o.name AS organisation_name, coalesce(p.version, 0) AS in_force
		FROM position p JOIN organisation o ON o.code = p.organisation_code WHERE p.id = $1 FOR NO KEY UPDATE OF p`, id)
}

// LockPositionOfRequest is LockPosition for the position that a request is about.
func (t *Tx) LockPositionOfRequest(ctx context.Context, requestID uuid.UUID) (HeldPosition, error) {
	return one[HeldPosition](ctx, &t.queries, `
		SELECT p.id, p.organisation_code, o.name AS organisation_name, coalesce(p.version, 0) AS in_force
		FROM position p JOIN organisation o ON o.code = p.organisation_code WHERE p.id = (SELECT r.position_id FROM request r WHERE r.id = $1) FOR NO KEY UPDATE OF p`, requestID)
}

// AddPositionVersion proposes a version. It is of force when it was approved.
func (t *Tx) AddPositionVersion(ctx context.Context, v PositionVersion) error {
	return t.db.exec(ctx, `
		INSERT INTO position_version (position_id, version, closes, name, notes, job_role, areas_of_work, activities, workgroups, workgroup_names, includes, assignable, reason,
			made_by, made_role, made_at)
		VALUES ($1, $2, $3, $4, $5, $6, coalesce($7::text[], '{}'), coalesce($8::text[], '{}'), coalesce($9::text[], '{}'), coalesce($10::text[], '{}'), coalesce($11::text[], '{}'),
			$12, $13, $14, $15, $16)`,
		v.PositionID, v.Version, v.Closes, v.Name, v.Notes, v.JobRole, v.AreasOfWork, v.Activities, v.Workgroups, v.WorkgroupNames, v.Includes, v.Assignable, v.Reason,
		v.MadeBy, v.MadeRole, v.MadeAt)
}

// ApprovePositionVersion puts a version in force that nobody has approved. Otherwise ErrNotFound, and the one who made it
// is ErrReference.
func (t *Tx) ApprovePositionVersion(ctx context.Context, positionID string, version int, by, role string, now time.Time) error {
	_, err := scalar[string](ctx, &t.queries, `
		WITH approved AS (
			UPDATE position_version SET approved_by = $3, approved_role = $4, approved_at = $5
			WHERE position_id = $1 AND version = $2 AND approved_at IS NULL RETURNING position_id, version
		)
		UPDATE position p SET version = approved.version FROM approved WHERE p.id = approved.position_id RETURNING p.id`,
		positionID, version, by, role, now)
	return err
}

// PositionVersion reads a version of a position.
func (q *queries) PositionVersion(ctx context.Context, positionID string, version int) (PositionVersion, error) {
	return one[PositionVersion](ctx, q, `SELECT `+versionColumns+` FROM position_version v WHERE v.position_id = $1 AND v.version = $2`, positionID, version)
}

// PositionVersions lists the versions of a position, by [ByTime], from the one after the given number, at most limit of them; 0 is
// the beginning.
func (q *queries) PositionVersions(ctx context.Context, positionID string, o Order, after, limit int) ([]PositionVersion, error) {
	beyond, by := `v.version > $2`, `v.version`
	if o.Descending {
		beyond, by = `v.version < coalesce(nullif($2::integer, 0), 2147483647)`, `v.version DESC`
	}
	return all[PositionVersion](ctx, q, `
		SELECT `+versionColumns+` FROM position_version v WHERE v.position_id = $1 AND `+beyond+` ORDER BY `+by+` LIMIT $3`, positionID, after, limit)
}

// Access is what a role gives.
type Access struct {
	JobRole     string   // S:G:R code
	AreasOfWork []string // P:Q:T codes
	Activities  []string // B codes
	Workgroups  []string // ids
}

// GivenAccess lists what a position gives whoever asks for it now, and what it gave whoever holds it in an older version.
func (q *queries) GivenAccess(ctx context.Context, positionID string, now time.Time) ([]Access, error) {
	return all[Access](ctx, q, `
		SELECT v.job_role, v.areas_of_work, v.activities, v.workgroups FROM position p JOIN position_version v ON v.position_id = p.id
		WHERE p.id = $1 AND v.approved_at IS NOT NULL AND (v.version = p.version OR EXISTS (
			SELECT FROM role_profile r WHERE r.position_id = p.id AND r.position_version = v.version AND (r.ends_at IS NULL OR r.ends_at > $2)))`, positionID, now)
}

const positionAt = `(SELECT n.name FROM organisation n WHERE n.code = p.organisation_code) AS organisation_name`

// Position reads a position in its newest version.
func (q *queries) Position(ctx context.Context, id string) (PositionRow, error) {
	return one[PositionRow](ctx, q, `
		SELECT p.organisation_code, `+positionAt+`, coalesce(p.version, 0) AS in_force, `+versionColumns+`
		FROM position p
		CROSS JOIN LATERAL (SELECT `+versionColumns+` FROM position_version v WHERE v.position_id = p.id ORDER BY v.version DESC LIMIT 1) v
		WHERE p.id = $1`, id)
}

// Positions lists the positions of an organisation and of those below it by id or by [ByName], from the one after the given id, at
// most limit of them, each in its newest version. Those whose name begins with a text, whatever its case and accents, are by name, unless
// they are by time; "" begins each.
func (q *queries) Positions(ctx context.Context, organisation, name string, o Order, after string, limit int) ([]PositionRow, error) {
	if o.By != ByName {
		o = Order{}
	}
	return q.positions(ctx, `p.sorted_as IS NOT NULL`, organisation, name, o, after, limit)
}

// ProposedPositions is Positions for those whose newest version nobody has approved, which it also lists by [ByTime]: since when.
func (q *queries) ProposedPositions(ctx context.Context, organisation, name string, o Order, after string, limit int) ([]PositionRow, error) {
	return q.positions(ctx, `p.proposed_at IS NOT NULL`, organisation, name, o, after, limit)
}

// positions lists those positions p for which something is so.
func (q *queries) positions(ctx context.Context, so, organisation, name string, o Order, after string, limit int) ([]PositionRow, error) {
	const (
		columns = `p.id, p.organisation_code, p.version, p.sorted_as, p.proposed_at`
		begins  = `lower(regexp_replace(normalize($4::text, NFKD), E'[\u0300-\u036F]', '', 'g'))`
	)
	arguments := []any{organisation, after, limit}
	if name != "" {
		so += ` AND p.sorted_as >= ` + begins + ` AND p.sorted_as < ` + begins + ` || E'\U0010FFFF'`
		arguments = append(arguments, name)
		if o.By != ByTime {
			o.By = ByName
		}
	}
	beyond, by := o.ofPositions(`p.sorted_as`, `$2`)
	return all[PositionRow](ctx, q, below+`
		SELECT p.organisation_code, `+positionAt+`, coalesce(p.version, 0) AS in_force, `+versionColumns+`
		FROM `+ofBelow("position", "p", `p.organisation_code`, columns, so+` AND `+beyond, ` ORDER BY `+by, "$3")+`
		CROSS JOIN LATERAL (SELECT `+versionColumns+` FROM position_version v WHERE v.position_id = p.id ORDER BY v.version DESC LIMIT 1) v
		ORDER BY `+by+` LIMIT $3`, arguments...)
}

// waitingPositions counts what ProposedPositions lists, as far as $2.
func waitingPositions() string {
	return countBelow("position", "p", `p.organisation_code`, `p.proposed_at`, `p.proposed_at > '-infinity'`)
}

// HeldRole is a role that somebody has or is to have.
type HeldRole struct {
	Access

	ID         string
	PersonID   string
	PositionID string // "": it is of no position
	Version    int    // of the position
	Withheld   string // why it gives less than that; "": it does not
	StartsAt   time.Time
	EndsAt     *time.Time
}

// HeldRoles lists the roles of a person that have not ended by id, at most limit of them.
func (q *queries) HeldRoles(ctx context.Context, personID string, limit int, now time.Time) ([]HeldRole, error) {
	return q.HeldRolesOf(ctx, []string{personID}, limit, now)
}

// HeldRolesOf is HeldRoles for several people.
func (q *queries) HeldRolesOf(ctx context.Context, personIDs []string, limit int, now time.Time) ([]HeldRole, error) {
	return all[HeldRole](ctx, q, `
		SELECT r.id, m.person_id, coalesce(r.position_id, '') AS position_id, coalesce(r.position_version, 0) AS version, coalesce(r.withheld, '') AS withheld,
			r.job_role, r.areas_of_work, r.activities, r.workgroups, r.starts_at, r.ends_at
		FROM membership m
		JOIN role_profile r ON r.membership_id = m.id
		WHERE m.person_id = ANY ($1) AND (r.ends_at IS NULL OR r.ends_at > $3)
		ORDER BY r.id LIMIT $2`, personIDs, limit, now)
}

// EndedRole is a role that was ended.
type EndedRole struct {
	ID, PersonID string
	EndsAt       time.Time
	EndedBefore  *time.Time // when it was to end; nil: it had no end
}

// endRole begins to end roles at the time $1, what names them of r and m, their memberships, follows; with what they were before.
const endRole = `
	UPDATE role_profile r SET ends_at = greatest($1, r.starts_at)
	FROM membership m, role_profile was
	WHERE was.id = r.id AND m.id = r.membership_id AND (r.ends_at IS NULL OR r.ends_at > $1) AND `

const endedRole = ` RETURNING r.id, m.person_id, r.ends_at, was.ends_at AS ended_before`

// EndPosition ends, at a time, what a position gives a person beyond it, or "" for everybody, and returns which roles those
// are. What begins after it is left if it ends after until, unless that is nil.
func (t *Tx) EndPosition(ctx context.Context, positionID, personID string, at time.Time, until *time.Time) ([]EndedRole, error) {
	return all[EndedRole](ctx, &t.queries, endRole+`($3 = '' OR m.person_id = $3) AND r.position_id = $2 AND ($4::timestamptz IS NULL OR r.starts_at <= $1 OR r.ends_at <= $4)`+
		endedRole, at, positionID, personID, until)
}

// LockInclusions keeps whoever else would approve a version waiting until the transaction ends, so that what includes what stays.
func (t *Tx) LockInclusions(ctx context.Context) error {
	return t.db.exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('position included', 0))`)
}

// IncludedPosition is a position in the version that is in force, which others include.
type IncludedPosition struct {
	OrganisationCode string
	Depth            int // 1 is that it was asked for itself, 2 that one of those includes it, and so on; the most of several
	PositionVersion
}

// included are the positions $1, at depth 1, and those that they include in turn, as far as depth $2.
const included = `
		WITH RECURSIVE included (id, depth) AS (
			SELECT id, 1 FROM unnest($1::text[]) id
			UNION
			SELECT i.id, w.depth + 1
			FROM included w
			CROSS JOIN LATERAL (
				SELECT unnest(v.includes) AS id FROM position p JOIN position_version v ON v.position_id = p.id AND v.version = p.version
				WHERE p.id = w.id AND NOT v.closes
			) i
			WHERE w.depth < $2
		)`

// IncludedPositions lists positions and those that they include in turn as far as a depth, each in the version that is in
// force, nearest first and by id. Those that are closed are there, and what they included is not. It goes no further than limit
// inclusions, of which several may be of one position.
func (q *queries) IncludedPositions(ctx context.Context, ids []string, depth, limit int) ([]IncludedPosition, error) {
	return all[IncludedPosition](ctx, q, included+`
		SELECT p.organisation_code, i.depth, `+versionColumns+`
		FROM (SELECT id, max(depth) AS depth FROM (SELECT id, depth FROM included LIMIT $3) i GROUP BY id) i
		CROSS JOIN LATERAL (SELECT p.id, p.version, p.organisation_code FROM position p WHERE p.id = i.id OFFSET 0) p
		JOIN position_version v ON v.position_id = p.id AND v.version = p.version
		ORDER BY i.depth, p.id`, ids, depth, limit)
}

// PositionName is what a position is called.
type PositionName struct{ ID, OrganisationCode, Name string }

// includers is the positions by whose version in force one is included.
const includers = `
	SELECT p.id, p.organisation_code, v.name FROM position_version v JOIN position p ON p.id = v.position_id AND p.version = v.version
	WHERE v.includes <> '{}' AND NOT v.closes AND v.includes @> ARRAY`

// Includers lists the positions that include one in the version that is in force, by id, at most limit of them.
func (q *queries) Includers(ctx context.Context, id string, limit int) ([]PositionName, error) {
	return all[PositionName](ctx, q, includers+`[$1] ORDER BY p.id LIMIT $2`, id, limit)
}

// IncludedDepth is how many positions, each of which includes the next, lead to one, as far as most.
func (q *queries) IncludedDepth(ctx context.Context, id string, most int) (int, error) {
	return scalar[int](ctx, q, `
		WITH RECURSIVE above (id, depth) AS (
			SELECT $1::text, 0
			UNION
			SELECT i.id, a.depth + 1 FROM above a CROSS JOIN LATERAL (`+includers+`[a.id]) i WHERE a.depth < $2
		)
		SELECT max(depth) FROM above`, id, most)
}

// PositionNames reads what positions are called in the version that is in force, or in the first one where none is, of those ids
// that there are.
func (q *queries) PositionNames(ctx context.Context, ids []string) ([]PositionName, error) {
	return all[PositionName](ctx, q, `
		SELECT p.id, p.organisation_code, v.name FROM position p JOIN position_version v ON v.position_id = p.id AND v.version = coalesce(p.version, 1)
		WHERE p.id = ANY ($1)`, ids)
}
