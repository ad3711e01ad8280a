package store

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Review is a review of who holds the positions of an organisation.
type Review struct {
	ID               uuid.UUID // of version 7: in the order in which they were opened
	OrganisationCode string
	Below            bool // it is also of the organisations below
	Removes          bool // what nobody has decided when it is due is removed
	DueAt            time.Time
	Reason           string
	OpenedBy         string
	OpenedRole       string // the role profile that she acted in
	OpenedAt         time.Time
	ClosedAt         *time.Time // nil: something is left to decide
}

const reviewColumns = `r.id, r.organisation_code, r.below, r.removes, r.due_at, r.reason, r.opened_by, r.opened_role, r.opened_at, r.closed_at`

// ReviewRow is a review with how far it has come.
type ReviewRow struct {
	Review
	OrganisationName string
	OpenedByName     string
	Items            int64
	Certified        int64
	Removed          int64 // by an officer
	Lapsed           int64 // removed because nobody decided
	Undecided        int64 // and still held. The rest ended meanwhile
}

// reviewRow is what a ReviewRow has of a review r at the time $2.
const reviewRow = `
	SELECT ` + reviewColumns + `,
		o.name AS organisation_name, (SELECT p.display_name FROM person p WHERE p.id = r.opened_by) AS opened_by_name, i.*
	FROM r
	CROSS JOIN LATERAL (
		SELECT count(*) AS items, count(*) FILTER (WHERE i.outcome = 'certified') AS certified, count(*) FILTER (WHERE i.outcome = 'removed') AS removed,
			count(*) FILTER (WHERE i.outcome = 'lapsed') AS lapsed,
			count(*) FILTER (WHERE i.outcome IS NULL AND EXISTS (
				SELECT FROM role_profile h WHERE h.id = i.role_id AND (h.ends_at IS NULL OR h.ends_at > $2) OFFSET 0)) AS undecided
		FROM review_item i WHERE i.review_id = r.id
	) i
	JOIN organisation o ON o.code = r.organisation_code`

// AddReview records a review without anything to decide. One of the organisation being open is ErrConflict.
func (t *Tx) AddReview(ctx context.Context, r Review) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		INSERT INTO review (id, organisation_code, below, removes, due_at, reason, opened_by, opened_role, opened_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (organisation_code) WHERE closed_at IS NULL DO NOTHING
		RETURNING id`, r.ID, r.OrganisationCode, r.Below, r.Removes, r.DueAt, r.Reason, r.OpenedBy, r.OpenedRole, r.OpenedAt)
	if errors.Is(err, ErrNotFound) {
		return ErrConflict
	}
	return err
}

// OpenReview reads the review of an organisation in which something is left to decide.
func (q *queries) OpenReview(ctx context.Context, organisation string) (Review, error) {
	return one[Review](ctx, q, `SELECT `+reviewColumns+` FROM review r WHERE r.organisation_code = $1 AND r.closed_at IS NULL`, organisation)
}

// AddReviewItems adds to a review the roles that positions of an organisation, and of those below it if that is asked for,
// give at this moment, at most limit of them, and says how many those are.
func (t *Tx) AddReviewItems(ctx context.Context, id uuid.UUID, organisation string, andBelow bool, limit int, now time.Time) (int, error) {
	return scalar[int](ctx, &t.queries, below+`, added AS (
			INSERT INTO review_item (review_id, role_id, person_id, given_by)
			SELECT $2, h.id, m.person_id, coalesce(a.decided_by, a.asked_by)
			FROM below b
			CROSS JOIN LATERAL (SELECT p.id FROM position p WHERE p.organisation_code = b.code OFFSET 0) p
			CROSS JOIN LATERAL (
				SELECT h.id, h.membership_id, h.request_id FROM role_profile h
				WHERE h.position_id = p.id AND h.starts_at <= $5 AND (h.ends_at IS NULL OR h.ends_at > $5) OFFSET 0
			) h
			CROSS JOIN LATERAL (SELECT m.person_id FROM membership m WHERE m.id = h.membership_id OFFSET 0) m
			CROSS JOIN LATERAL (SELECT a.decided_by, a.asked_by FROM request a WHERE a.id = h.request_id OFFSET 0) a
			WHERE $3 OR b.code = $1
			LIMIT $4
			RETURNING 1
		)
		SELECT count(*)::int FROM added`, organisation, id, andBelow, limit, now)
}

// Review reads a review.
func (q *queries) Review(ctx context.Context, id uuid.UUID, now time.Time) (ReviewRow, error) {
	return one[ReviewRow](ctx, q, `WITH r AS (SELECT `+reviewColumns+` FROM review r WHERE r.id = $1)`+reviewRow, id, now)
}

// Reviews lists the reviews of an organisation and of those below it, or those of them that are open, by [ByOpened] or [ByDue],
// from the one after the given id, at most limit of them.
func (q *queries) Reviews(ctx context.Context, organisation string, open bool, o Order, after uuid.UUID, limit int, now time.Time) ([]ReviewRow, error) {
	key := `r.opened_at`
	if o.By == ByDue {
		key = `r.due_at`
	}
	beyond, order := o.beyond(key, `r.id`, `(SELECT `+key+` FROM review r WHERE r.id = $3)`, `$3`), ` ORDER BY `+o.by(key, `r.id`)
	if open {
		beyond += ` AND r.closed_at IS NULL`
	}
	return all[ReviewRow](ctx, q, below+`, r AS (
			SELECT `+reviewColumns+` FROM `+ofBelow("review", "r", `r.organisation_code`, reviewColumns, beyond, order, "$4")+order+` LIMIT $4
		)`+reviewRow+order, organisation, now, from(after), limit)
}

// waitingReviews counts the reviews in which something is left to decide by when they are due, as far as $2.
func waitingReviews() string {
	return countBelow("review", "r", `r.organisation_code`, `r.due_at`, `r.closed_at IS NULL AND r.due_at > '-infinity'`)
}

// ReviewItem is a role that a review is about.
type ReviewItem struct {
	RoleID           string
	PersonID         string // who has it, or had it last
	PersonName       string
	HeldBy           string // who had it when the review was opened
	PositionID       string
	PositionName     string // by the version that the role gives
	OrganisationCode string // of the position
	JobRole          string
	Activities       []string
	StartsAt         time.Time
	EndsAt           *time.Time
	GivenBy          string  // who approved that she got it, or gave it alone
	Outcome          *string // certified, removed or lapsed; nil: not decided
	DecidedBy        *string
	DecidedByName    *string
	DecidedAt        *time.Time
}

// reviewItem is a ReviewItem of an item i of a review.
const reviewItem = `
	SELECT i.role_id, m.person_id, p.display_name AS person_name, i.person_id AS held_by, h.position_id, v.name AS position_name,
		a.organisation_code, h.job_role, h.activities, h.starts_at, h.ends_at, i.given_by, i.outcome, i.decided_by,
		(SELECT d.display_name FROM person d WHERE d.id = i.decided_by) AS decided_by_name, i.decided_at
	FROM review_item i
	JOIN role_profile h ON h.id = i.role_id
	JOIN membership m ON m.id = h.membership_id
	JOIN person p ON p.id = m.person_id
	JOIN request a ON a.id = h.request_id
	JOIN position_version v ON v.position_id = h.position_id AND v.version = h.position_version`

// ReviewItems lists the items of a review by the ids of the roles or by [ByName], [ByPosition], [ByStart] or [ByExpiry], from the
// one after the given id, at most limit of them.
func (q *queries) ReviewItems(ctx context.Context, id uuid.UUID, o Order, after string, limit int) ([]ReviewItem, error) {
	beyond, order := o.ofItems()
	return all[ReviewItem](ctx, q, reviewItem+` WHERE i.review_id = $1 AND `+beyond+order+` LIMIT $3`, id, after, limit)
}

// UndecidedItems is ReviewItems for what nobody has decided and has not ended meanwhile.
func (q *queries) UndecidedItems(ctx context.Context, id uuid.UUID, o Order, after string, limit int, now time.Time) ([]ReviewItem, error) {
	beyond, order := o.ofItems()
	return all[ReviewItem](ctx, q, reviewItem+`
		WHERE i.review_id = $1 AND i.outcome IS NULL AND (h.ends_at IS NULL OR h.ends_at > $4) AND `+beyond+order+` LIMIT $3`, id, after, limit, now)
}

// ofItems is how the items of a review are ordered, which are few thousand at most.
func (o Order) ofItems() (beyond, order string) {
	key := map[Column]string{ByName: nameKey, ByPosition: `v.name`, ByStart: `h.starts_at`, ByExpiry: `coalesce(h.ends_at, '10000-01-01Z')`}[o.By]
	if key == "" {
		return `i.role_id > $2`, ` ORDER BY i.role_id`
	}
	other := `(SELECT ` + key + ` FROM role_profile h JOIN membership m ON m.id = h.membership_id JOIN person p ON p.id = m.person_id
		JOIN request a ON a.id = h.request_id JOIN position_version v ON v.position_id = a.position_id AND v.version = a.position_version WHERE h.id = $2)`
	return o.among(key, `i.role_id`, other, `nullif($2, '')`), ` ORDER BY ` + o.by(key, `i.role_id`)
}

// LockPositionOfItem is LockPosition for the position of an item of a review.
func (t *Tx) LockPositionOfItem(ctx context.Context, id uuid.UUID, roleID string) (HeldPosition, error) {
	return one[HeldPosition](ctx, &t.queries, `
		SELECT p.id, p.organisation_code, o.name AS organisation_name, coalesce(p.version, 0) AS in_force
		FROM position p JOIN organisation o ON o.code = p.organisation_code
		WHERE p.id = (SELECT h.position_id FROM review_item i JOIN role_profile h ON h.id = i.role_id WHERE i.review_id = $1 AND i.role_id = $2)
		FOR NO KEY UPDATE OF p`, id, roleID)
}

// ReviewItem reads an item of a review.
func (q *queries) ReviewItem(ctx context.Context, id uuid.UUID, roleID string) (ReviewItem, error) {
	return one[ReviewItem](ctx, q, reviewItem+` WHERE i.review_id = $1 AND i.role_id = $2`, id, roleID)
}

// TheseReviewItems lists the items of a review that are of some roles, by their ids.
func (q *queries) TheseReviewItems(ctx context.Context, id uuid.UUID, roles []string) ([]ReviewItem, error) {
	return all[ReviewItem](ctx, q, reviewItem+` WHERE i.review_id = $1 AND i.role_id = ANY ($2) ORDER BY i.role_id`, id, roles)
}

// DecideReviewItem decides an item of a review; by and role are nil where nobody did. Of any number at once one does; the
// others get ErrNotFound.
func (t *Tx) DecideReviewItem(ctx context.Context, id uuid.UUID, roleID, outcome string, by, role *string, now time.Time) error {
	_, err := scalar[string](ctx, &t.queries, `
		UPDATE review_item SET outcome = $3, decided_by = $4, decided_role = $5, decided_at = $6
		WHERE review_id = $1 AND role_id = $2 AND outcome IS NULL RETURNING role_id`, id, roleID, outcome, by, role, now)
	return err
}

// CloseReview closes a review in which nothing is left to decide. Of any number at once one does; the others get ErrNotFound,
// and so does who comes too early.
func (t *Tx) CloseReview(ctx context.Context, id uuid.UUID, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		UPDATE review r SET closed_at = $2
		WHERE r.id = $1 AND r.closed_at IS NULL AND NOT EXISTS (
			SELECT FROM review_item i JOIN role_profile h ON h.id = i.role_id
			WHERE i.review_id = r.id AND i.outcome IS NULL AND (h.ends_at IS NULL OR h.ends_at > $2) OFFSET 0)
		RETURNING r.id`, id, now)
	return err
}

// OpenReviews lists reviews that are not closed by the time at which they are due and by id, from the one after the given
// time and id, at most limit of them.
func (q *queries) OpenReviews(ctx context.Context, dueAfter time.Time, after uuid.UUID, limit int) ([]Review, error) {
	return all[Review](ctx, q, `
		SELECT `+reviewColumns+`
		FROM review r WHERE r.closed_at IS NULL AND r.due_at >= $1 AND (r.due_at, r.id) > ($1, $2) ORDER BY r.due_at, r.id LIMIT $3`, dueAfter, after, limit)
}

// DueReviews lists open reviews that are due after one time and up to another, those that are due first first, at most limit
// of them: of whose opener was not told with the key that is the prefix and the review's id, and has an address. One that was
// opened for no longer than notice is not among them.
func (q *queries) DueReviews(ctx context.Context, after, upTo time.Time, notice time.Duration, prefix string, limit int) ([]Review, error) {
	return all[Review](ctx, q, `
		SELECT `+reviewColumns+`
		FROM review r
		WHERE r.closed_at IS NULL AND r.due_at > $1 AND r.due_at <= $2 AND r.opened_at <= r.due_at - $3::interval
			AND EXISTS (SELECT FROM person p WHERE p.id = r.opened_by AND p.disabled_at IS NULL AND coalesce(p.email, '') <> '' OFFSET 0)
			AND NOT EXISTS (SELECT FROM message t WHERE t.dedupe_key = $4 || r.id OFFSET 0)
		ORDER BY r.due_at LIMIT $5`, after, upTo, notice, prefix, limit)
}
