package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// MergeRow is a merge that nobody has decided, in a list of them.
type MergeRow struct {
	ID             uuid.UUID
	Duplicate      string // the profile that is to be closed
	DuplicateName  string
	Kept           string
	KeptName       string
	ProposedBy     string
	ProposedByName string
	ProposedAt     time.Time
}

// openMerges is the merges g that nobody has decided of people who have or had a role at an organisation or below it. Who never had
// one anywhere is where the other of both is, and if that is nowhere too, where the officer acted who proposed it. There are few of
// them at any time, wherever they are.
const openMerges = `
	FROM person_merge g
	CROSS JOIN LATERAL (
		SELECT
			(SELECT bool_or(` + theWayFrom + `m.organisation_code` + leadsThere + `) FROM membership m WHERE m.person_id = g.duplicate) AS duplicate,
			(SELECT bool_or(` + theWayFrom + `m.organisation_code` + leadsThere + `) FROM membership m WHERE m.person_id = g.kept) AS kept
		OFFSET 0
	) here
	WHERE g.state = 'proposed' AND coalesce(here.kept, here.duplicate, true) AND coalesce(here.duplicate, here.kept, (
		SELECT ` + theWayFrom + `m.organisation_code` + leadsThere + ` FROM role_profile r JOIN membership m ON m.id = r.membership_id WHERE r.id = g.proposed_role))`

// OpenMerges lists the merges that nobody has decided, of people of an organisation and of those below it, by [ByTime], which is
// since when, from the one after the given id, at most limit of them.
func (q *queries) OpenMerges(ctx context.Context, organisation string, o Order, after uuid.UUID, limit int) ([]MergeRow, error) {
	const key = `g.proposed_at`
	return all[MergeRow](ctx, q, `
		SELECT g.id, g.duplicate, d.display_name AS duplicate_name, g.kept, k.display_name AS kept_name, g.proposed_by, b.display_name AS proposed_by_name, g.proposed_at
		FROM (
			SELECT g.id, g.duplicate, g.kept, g.proposed_by, g.proposed_at`+openMerges+`
				AND `+o.beyond(key, `g.id`, `(SELECT g.proposed_at FROM person_merge g WHERE g.id = $2)`, `$2`)+`
			ORDER BY `+o.by(key, `g.id`)+` LIMIT $3
		) g
		JOIN person d ON d.id = g.duplicate
		JOIN person k ON k.id = g.kept
		JOIN person b ON b.id = g.proposed_by
		ORDER BY `+o.by(key, `g.id`), organisation, from(after), limit)
}

// waitingMerges counts what OpenMerges lists, as far as $2.
const waitingMerges = `
		SELECT count(*) AS count, min(g.proposed_at) AS first_at FROM (SELECT g.proposed_at` + openMerges + ` AND g.proposed_at > '-infinity' ORDER BY g.proposed_at LIMIT $2) g`
