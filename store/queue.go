package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Owner is who looks after an open request: who took it, or the profile that hers was merged into, while she may decide it. That is as
// long as she is not disabled, neither asked nor is whom it is for, and has a role at its organisation or above it that makes her an
// officer who may. Whoever is not that any more looks after nothing, and no act has to say so.
type Owner struct {
	PersonID    string
	DisplayName string
	Since       time.Time
}

// owned joins an open request r with its owner o: at a time, by the codes of what makes an officer who may decide it. Where she is such an
// officer depends on her alone, so that it is found once for all that she has.
func owned(now, codes string) string {
	return `
		LEFT JOIN LATERAL (
			SELECT k.id, k.display_name, array_agg(m.organisation_code) AS organisations
			FROM person t JOIN person k ON k.id = coalesce(t.merged_into, t.id) JOIN membership m ON m.person_id = k.id
			WHERE t.id = r.owner_id AND k.disabled_at IS NULL AND EXISTS (
				SELECT FROM role_profile h WHERE h.membership_id = m.id AND h.starts_at <= ` + now + ` AND (h.ends_at IS NULL OR h.ends_at > ` + now + `)
					AND (split_part(h.job_role, ':', 3) = ANY (` + codes + `::text[]) OR h.activities && ` + codes + `::text[]))
			GROUP BY k.id
		) o ON o.id NOT IN (r.person_id, r.asked_by) AND o.id IS DISTINCT FROM r.taken_up_by
			AND EXISTS (SELECT FROM request_queue u WHERE u.organisation_code = ANY (o.organisations) AND u.request_id = r.id OFFSET 0)`
}

// Owner reads who looks after a request, by the codes of the job roles and activities that make officers who may decide it. Nobody is
// ErrNotFound, also of one that was decided or has lapsed.
func (q *queries) Owner(ctx context.Context, request uuid.UUID, codes []string, now time.Time) (Owner, error) {
	return one[Owner](ctx, q, `
		SELECT o.id AS person_id, o.display_name, r.owner_since AS since FROM request r`+owned(`$3`, `$2`)+`
		WHERE r.id = $1 AND r.state = 'open' AND r.lapses_at > $3 AND o.id IS NOT NULL`, request, codes, now)
}

// OwnRequest says who looks after an open request from a time on, "" being nobody. One that is not open is ErrNotFound.
func (t *Tx) OwnRequest(ctx context.Context, id uuid.UUID, owner string, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		UPDATE request SET owner_id = nullif($2, ''), owner_since = CASE WHEN $2 <> '' THEN $3::timestamptz END
		WHERE id = $1 AND state = 'open' RETURNING id`, id, owner, now)
	return err
}

// Queue is what of the open requests is listed.
type Queue struct {
	OrganisationCode string   // of which, with what is below it
	PersonID         string   // for whom; "": for everybody
	PositionID       string   // for which; "": for each
	OwnerID          string   // who looks after it; "": whoever does, or nobody
	Unowned          bool     // after which nobody looks
	Codes            []string // that make officers who may decide: see [Store.Owner]
}

// WaitingRequest is an open request and who looks after it.
type WaitingRequest struct {
	RequestRow
	OwnedBy     string // "": nobody
	OwnedByName string
}

// ownerNames is what a WaitingRequest has of its owner o.
const ownerNames = `coalesce(o.id, '') AS owned_by, coalesce(o.display_name, '') AS owned_by_name`

// narrowed is which open requests r of those of its organisation a queue has, by conditions whose arguments follow others: those that an
// index finds, "" being all, and what is looked at of each.
func (w Queue) narrowed(others ...any) (found, each string, arguments []any) {
	arguments = others
	argument := func(value string) string {
		arguments = append(arguments, value)
		return fmt.Sprintf("$%d", len(arguments))
	}
	if w.PersonID != "" {
		found += ` AND r.person_id = ` + argument(w.PersonID)
	}
	if w.PositionID != "" {
		found += ` AND r.position_id = ` + argument(w.PositionID)
	}
	if w.OwnerID != "" {
		owner := argument(w.OwnerID)
		found += ` AND r.owner_id = ANY (ARRAY(SELECT ` + owner + ` UNION ALL SELECT d.id FROM person d WHERE d.merged_into = ` + owner + `))`
		each += ` AND o.id = ` + owner
	}
	if w.Unowned {
		each += ` AND o.id IS NULL`
	}
	return found, each, arguments
}

// OpenRequests lists what of a queue nobody has decided and has not lapsed, by [ByAsked] or [ByStart], from the one after the given id,
// at most limit of it.
//
// What is for somebody or something, or somebody's, is found first; all else is read along the queue of the organisation. By their start,
// where the organisations are many, all that waits is looked through, wherever it does.
func (q *queries) OpenRequests(ctx context.Context, w Queue, o Order, after uuid.UUID, limit int, now time.Time) ([]WaitingRequest, error) {
	const (
		columns = `SELECT ` + requestColumns
		waits   = `(SELECT true FROM request_queue w WHERE w.organisation_code = $1 AND w.request_id = r.id)`
	)
	found, each, arguments := w.narrowed(w.OrganisationCode, from(after), limit, now, w.Codes)
	beyond, by := o.byID(`r.id`, `$2`)
	if o.By == ByStart {
		beyond, by = o.beyond(`r.starts_at`, `r.id`, `(SELECT r.starts_at FROM request r WHERE r.id = $2)`, `$2`), o.by(`r.starts_at`, `r.id`)
	}
	row, owner := columns+`, `+ownerNames+` FROM `, owned(`$4`, `$5`)
	so, order := `r.state = 'open' AND r.lapses_at > $4 AND `+beyond+each, ` ORDER BY `+by+` LIMIT $3`
	var page string
	switch {
	case found != "":
		page = row + `(` + columns + ` FROM request r WHERE r.state = 'open'` + found + ` OFFSET 0) r` + owner + ` WHERE ` + waits + ` AND ` + so + order
	case o.By == ByStart:
		page = `(` + row + `request_queue w CROSS JOIN LATERAL (` + columns + ` FROM request r WHERE r.id = w.request_id OFFSET 0) r` + owner + `
			WHERE NOT ` + many + ` AND w.organisation_code = $1 AND ` + so + order + `)
			UNION ALL
			(` + row + `request r` + owner + ` WHERE ` + many + ` AND ` + so + ` AND ` + waits + order + `)`
	default:
		beyond, by := o.byID(`w.request_id`, `$2`)
		page = row + `request_queue w JOIN request r ON r.id = w.request_id` + owner + `
			WHERE w.organisation_code = $1 AND ` + beyond + ` AND ` + so + ` ORDER BY ` + by + ` LIMIT $3`
	}
	return all[WaitingRequest](ctx, q, below+columns+`, `+requestNames+`, r.owned_by, r.owned_by_name FROM (`+page+`) r`+requestNamed+order, arguments...)
}
