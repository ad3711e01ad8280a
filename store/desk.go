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

// unownedRequests counts what OpenRequests lists of those after which nobody looks, as far as $2.
func unownedRequests() string {
	return `
		SELECT count(*) AS count, min(r.asked_at) AS first_at
		FROM (
			SELECT r.asked_at FROM request_queue w JOIN request r ON r.id = w.request_id` + owned(`$3`, `$4`) + `
			WHERE w.organisation_code = $1 AND r.state = 'open' AND r.lapses_at > $3 AND o.id IS NULL
			ORDER BY w.request_id LIMIT $2
		) r`
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
