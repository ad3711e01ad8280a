package store

import (
	"context"
	"slices"
	"time"
)

// HolderRow is somebody who holds a position, or is to hold it.
type HolderRow struct {
	RoleID      string
	PersonID    string
	PositionID  string
	DisplayName string
	Version     int    // of the position, which the role gives
	Withheld    string // why it gives less than that; "": it does not
	StartsAt    time.Time
	EndsAt      *time.Time
}

// HolderFilter says which of those who hold a position are listed; what is "" narrows nothing.
type HolderFilter struct {
	PersonID     string
	Name         string // like which hers is, if no PersonID is given
	Organisation string // where she has a role
}

// Holders lists the roles that positions give and that have not ended, by id or by [ByName], [ByStart] or [ByExpiry], from the one
// after the given id, at most limit of them.
func (q *queries) Holders(ctx context.Context, positionIDs []string, which HolderFilter, o Order, after string, limit int, now time.Time) ([]HolderRow, error) {
	return q.holders(ctx, `(r.ends_at IS NULL OR r.ends_at > $4)`, positionIDs, which, o, after, limit, now)
}

// WithheldRoles is Holders for the roles that give less than their position does, or were ended for that since a time.
func (q *queries) WithheldRoles(ctx context.Context, positionID string, which HolderFilter, o Order, after string, limit int, since time.Time) ([]HolderRow, error) {
	return q.holders(ctx, `r.withheld IS NOT NULL AND (r.ends_at IS NULL OR r.ends_at >= $4)`, []string{positionID}, which, o, after, limit, since)
}

// holders lists those roles r of positions for which something is so at a time. Of each position as many are read as are listed.
func (q *queries) holders(ctx context.Context, so string, positionIDs []string, which HolderFilter, o Order, after string, limit int, at time.Time) ([]HolderRow, error) {
	if !slices.Contains([]Column{ByName, ByStart, ByExpiry}, o.By) {
		o = Order{}
	}
	who, wanted, roles := which.among()
	key, beyond := o.ofHolders()
	return all[HolderRow](ctx, q, wanted+`
		SELECT h.role_id, h.person_id, h.position_id, h.display_name, h.version, h.withheld, h.starts_at, h.ends_at
		FROM unnest($5::text[]) o (position_id)
		CROSS JOIN LATERAL (
			SELECT r.id AS role_id, p.id AS person_id, r.position_id, p.display_name, r.position_version AS version, coalesce(r.withheld, '') AS withheld,
				r.starts_at, r.ends_at, `+key+` AS key`+roles+`
			WHERE r.position_id = o.position_id AND `+beyond+` AND `+so+` AND $1::text IS NOT NULL AND ($6 = '' OR EXISTS (
				SELECT FROM membership a JOIN role_profile x ON x.membership_id = a.id
				WHERE a.person_id = p.id AND a.organisation_code = $6 AND (x.ends_at IS NULL OR x.ends_at > $4) OFFSET 0))
			ORDER BY `+o.by(key, `r.id`)+` LIMIT $3
		) h
		ORDER BY `+o.by(`h.key`, `h.role_id`)+` LIMIT $3`,
		who, after, limit, at, positionIDs, which.Organisation)
}

// among is whom holders are looked for by, as $1, and the roles r, of people p, among which they are. A position may have many
// holders, and a name many bearers: whoever is looked for is looked for first.
func (f HolderFilter) among() (who, wanted, roles string) {
	const theirs = `
			FROM wanted w
			CROSS JOIN LATERAL (SELECT m.id FROM membership m WHERE m.person_id = w.id OFFSET 0) m
			CROSS JOIN LATERAL (
				SELECT r.id, r.position_id, r.position_version, r.withheld, r.starts_at, r.ends_at FROM role_profile r WHERE r.membership_id = m.id OFFSET 0
			) r
			CROSS JOIN LATERAL (SELECT p.id, p.display_name, p.given_name, p.family_name FROM person p WHERE p.id = w.id OFFSET 0) p`
	switch {
	case f.PersonID != "":
		return f.PersonID, `WITH wanted AS MATERIALIZED (SELECT $1::text AS id)`, theirs
	case f.Name != "":
		return f.Name, `WITH wanted AS MATERIALIZED (SELECT p.id FROM person p WHERE ` + lookedFor + ` OPERATOR(trigram.<%) ` + searchedName + `)`, theirs
	default:
		return "", "", `
			FROM role_profile r
			JOIN membership m ON m.id = r.membership_id
			JOIN person p ON p.id = m.person_id`
	}
}

// ofHolders is by what the holders of a position are ordered, and which of them come after a role. By name all of them are read.
func (o Order) ofHolders() (key, beyond string) {
	const other = `nullif($2, '')`
	switch o.By {
	case ByName:
		of := `(SELECT ` + nameKey + ` FROM role_profile r JOIN membership m ON m.id = r.membership_id JOIN person p ON p.id = m.person_id WHERE r.id = $2)`
		return nameKey, o.among(nameKey, `r.id`, of, other)
	case ByStart, ByExpiry:
		key := map[Column]string{ByStart: `r.starts_at`, ByExpiry: expiryKey}[o.By]
		return key, o.beyond(key, `r.id`, `(SELECT `+key+` FROM role_profile r WHERE r.id = $2)`, other)
	default:
		return `r.id`, `r.id > $2`
	}
}

// CountHolders counts what Holders lists of some positions.
func (q *queries) CountHolders(ctx context.Context, positionIDs []string, now time.Time) (int, error) {
	n, err := scalar[int64](ctx, q, `SELECT count(*) FROM role_profile r WHERE r.position_id = ANY ($1) AND (r.ends_at IS NULL OR r.ends_at > $2)`, positionIDs, now)
	return int(n), err
}

// Holding is how many hold a position.
type Holding struct {
	Holders  int // whom Holders lists
	Behind   int // of them, who may have what it does not give any more, or not yet
	Withheld int // whom WithheldRoles lists since the version that is in force was approved
}

// Holding counts who holds a position.
func (q *queries) Holding(ctx context.Context, positionID string, now time.Time) (Holding, error) {
	return one[Holding](ctx, q, `
		SELECT
			(SELECT count(*) FROM role_profile r WHERE r.position_id = p.id AND (r.ends_at IS NULL OR r.ends_at > $2)) AS holders,
			(SELECT count(*) FROM position_rollout w JOIN role_profile r ON r.position_id = w.position_id AND r.id > w.after_role
				WHERE w.position_id = p.id AND (r.ends_at IS NULL OR r.ends_at > $2)) AS behind,
			(SELECT count(*) FROM role_profile r WHERE r.position_id = p.id AND r.withheld IS NOT NULL AND (r.ends_at IS NULL OR r.ends_at >= v.approved_at)) AS withheld
		FROM position p LEFT JOIN position_version v ON v.position_id = p.id AND v.version = p.version
		WHERE p.id = $1`, positionID, now)
}
