package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// SuspendedAuthenticator is an authenticator that signs nobody in for the time being.
type SuspendedAuthenticator struct {
	ID         uuid.UUID
	PersonID   string
	PersonName string
	Name       string
	Kind       string
	State      string // suspended or lost
	Since      time.Time
}

// suspended is the authenticators a that are suspended or lost, of people who have or had a role at an organisation or below it. There are
// few of them at any time, wherever they are.
const suspended = `
	FROM authenticator a
	WHERE a.state IN ('suspended', 'lost')
		AND EXISTS (SELECT FROM membership m WHERE m.person_id = a.person_id AND ` + theWayFrom + `m.organisation_code` + leadsThere + ` OFFSET 0)`

// SuspendedAuthenticators lists the authenticators that are suspended or lost, of people of an organisation and of those below it, by
// [ByStart], which is since when, from the one after the given id, at most limit of them.
func (q *queries) SuspendedAuthenticators(ctx context.Context, organisation string, o Order, after uuid.UUID, limit int) ([]SuspendedAuthenticator, error) {
	const key = `a.revoked_at`
	return all[SuspendedAuthenticator](ctx, q, `
		SELECT a.id, p.id AS person_id, p.display_name AS person_name, a.name, a.kind, a.state, a.revoked_at AS since
		FROM (
			SELECT a.id, a.person_id, a.name, a.kind, a.state, a.revoked_at`+suspended+`
				AND `+o.beyond(key, `a.id`, `(SELECT a.revoked_at FROM authenticator a WHERE a.id = $2)`, `$2`)+`
			ORDER BY `+o.by(key, `a.id`)+` LIMIT $3
		) a
		JOIN person p ON p.id = a.person_id
		ORDER BY `+o.by(key, `a.id`), organisation, from(after), limit)
}

// waitingAuthenticators counts what SuspendedAuthenticators lists, as far as $2.
const waitingAuthenticators = `
		SELECT count(*) AS count, min(a.revoked_at) AS first_at FROM (SELECT a.revoked_at` + suspended + ` AND a.revoked_at > '-infinity' ORDER BY a.revoked_at LIMIT $2) a`
