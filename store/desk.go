package store

import "context"

// waitingRequests counts what OpenRequests lists, as far as $2.
const waitingRequests = `
		SELECT count(*) AS count, min(r.asked_at) AS first_at
		FROM (
			SELECT r.asked_at FROM request_queue w JOIN request r ON r.id = w.request_id
			WHERE w.organisation_code = $1 AND r.state = 'open' AND r.lapses_at > $3
			ORDER BY w.request_id LIMIT $2
		) r`

// proposed is the positions below whose newest version nobody has approved, from the one after the id $2, at most $3. Little
// waits, so where the organisations are many all of that is looked through.
const proposed = below + `, v AS (
		(SELECT v.organisation_code, v.in_force, ` + versionColumns + ` FROM below b CROSS JOIN LATERAL (
			SELECT p.organisation_code, coalesce(p.version, 0) AS in_force, ` + versionColumns + `
			FROM position p
			CROSS JOIN LATERAL (SELECT ` + versionColumns + ` FROM position_version v WHERE v.position_id = p.id ORDER BY v.version DESC LIMIT 1) v
			WHERE p.organisation_code = b.code AND p.id > $2 AND v.approved_at IS NULL
			ORDER BY p.id LIMIT $3
		) v
		WHERE NOT ` + many + `
		ORDER BY v.position_id LIMIT $3)
		UNION ALL
		(SELECT p.organisation_code, coalesce(p.version, 0) AS in_force, ` + versionColumns + `
		FROM position_version v
		CROSS JOIN LATERAL (SELECT p.organisation_code, p.version FROM position p WHERE p.id = v.position_id OFFSET 0) p
		WHERE ` + many + ` AND v.approved_at IS NULL AND v.position_id > $2 AND ` + isBelow + `
			AND NOT EXISTS (SELECT FROM position_version n WHERE n.position_id = v.position_id AND n.version > v.version OFFSET 0)
		ORDER BY v.position_id LIMIT $3)
	)`

// waitingPositions counts what ProposedPositions lists, as far as $3.
const waitingPositions = proposed + ` SELECT least(count(*), $3) AS count, min(v.made_at) AS first_at FROM v`

// ProposedPositions lists the positions of an organisation and of those below it whose newest version nobody has approved,
// by id, from the one after the given id, at most limit of them.
func (q *queries) ProposedPositions(ctx context.Context, organisation, after string, limit int) ([]PositionRow, error) {
	return all[PositionRow](ctx, q, proposed+` SELECT v.organisation_code, v.in_force, `+versionColumns+` FROM v ORDER BY v.position_id LIMIT $3`, organisation, after, limit)
}

// OrganisationName is what an organisation is called.
func (q *queries) OrganisationName(ctx context.Context, code string) (string, error) {
	return scalar[string](ctx, q, `SELECT o.name FROM organisation o WHERE o.code = $1`, code)
}

// PersonName is what a person is called.
type PersonName struct{ ID, DisplayName string }

// PersonNames reads what people are called, of those ids that there are.
func (q *queries) PersonNames(ctx context.Context, ids []string) ([]PersonName, error) {
	return all[PersonName](ctx, q, `SELECT p.id, p.display_name FROM person p WHERE p.id = ANY ($1)`, ids)
}
