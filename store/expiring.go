package store

import (
	"context"
	"time"
)

// ExpiringRole is what a position gives somebody until a time.
type ExpiringRole struct {
	RoleID           string
	PersonID         string
	PersonName       string
	PositionID       string
	PositionName     string
	OrganisationCode string
	EndsAt           time.Time
}

// expiring is what the positions below give until a time from f on and before u, which is the case, in an order, at most n of it.
// Where the organisations are many, all that ends then is looked through, wherever it is.
func expiring(f, u, which, n string, o Order) string {
	const columns = `r.id AS role_id, r.membership_id, r.position_id, p.organisation_code, r.ends_at`
	then := `r.position_id IS NOT NULL AND r.ends_at >= ` + f + ` AND r.ends_at < ` + u + ` AND ` + which
	order := ` ORDER BY ` + o.by(`r.ends_at`, `r.id`)
	return `
		SELECT r.role_id, r.membership_id, r.position_id, r.organisation_code, r.ends_at FROM (
			(SELECT ` + columns + `
			FROM below b
			CROSS JOIN LATERAL (SELECT p.id, p.organisation_code FROM position p WHERE p.organisation_code = b.code OFFSET 0) p
			CROSS JOIN LATERAL (SELECT r.id, r.membership_id, r.position_id, r.ends_at FROM role_profile r WHERE r.position_id = p.id AND ` + then + ` OFFSET 0) r
			WHERE NOT ` + many + order + ` LIMIT ` + n + `)
			UNION ALL
			(SELECT ` + columns + `
			FROM (SELECT r.id, r.membership_id, r.position_id, r.ends_at FROM role_profile r WHERE ` + then + order + ` OFFSET 0) r
			CROSS JOIN LATERAL (SELECT p.organisation_code FROM position p WHERE p.id = r.position_id OFFSET 0) p
			WHERE ` + many + ` AND ` + isBelow + order + ` LIMIT ` + n + `)
		) r
		ORDER BY ` + o.by(`r.ends_at`, `r.role_id`) + ` LIMIT ` + n
}

// ExpiringRoles lists what the positions of an organisation and of those below it give until a time from one on and before
// another, by [ByExpiry], from the one after the given id, at most limit of it.
func (q *queries) ExpiringRoles(ctx context.Context, organisation string, from, until time.Time, o Order, after string, limit int) ([]ExpiringRole, error) {
	beyond := o.beyond(`r.ends_at`, `r.id`, `(SELECT r.ends_at FROM role_profile r WHERE r.id = $4)`, `nullif($4, '')`)
	return all[ExpiringRole](ctx, q, below+`
		SELECT r.role_id, p.id AS person_id, p.display_name AS person_name, r.position_id, v.name AS position_name, r.organisation_code, r.ends_at
		FROM (`+expiring("$2", "$3", beyond, "$5", o)+`) r
		JOIN membership m ON m.id = r.membership_id
		JOIN person p ON p.id = m.person_id
		CROSS JOIN LATERAL (SELECT v.name FROM position_version v WHERE v.position_id = r.position_id ORDER BY v.version DESC LIMIT 1) v
		ORDER BY `+o.by(`r.ends_at`, `r.role_id`), organisation, from, until, after, limit)
}

// CountExpiringRoles counts what ExpiringRoles lists week by week from a time on, each week as far as most.
func (q *queries) CountExpiringRoles(ctx context.Context, organisation string, from time.Time, weeks, most int) ([]int64, error) {
	return scalar[[]int64](ctx, q, below+`
		SELECT array_agg((SELECT count(*) FROM (`+expiring("w.f", "w.u", "true", "$4", Order{})+`) r) ORDER BY w.f)
		FROM (SELECT $2::timestamptz + n * interval '7 days' AS f, $2::timestamptz + (n + 1) * interval '7 days' AS u FROM generate_series(0, $3::int - 1) n) w`,
		organisation, from, weeks, most)
}
