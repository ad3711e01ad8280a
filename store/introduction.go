package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Introduction is that a position is asked for somebody who is not on record yet.
type Introduction struct {
	ID               uuid.UUID // of version 7: in the order in which they were asked
	PositionID       string
	PositionVersion  int    // that was in force when it was asked
	OrganisationCode string // of the position
	Title            string
	GivenName        string
	MiddleNames      string
	FamilyName       string
	DateOfBirth      time.Time
	Email            string
	StartsAt         time.Time
	ExpiresAt        *time.Time
	Reason           string
	AskedBy          string
	AskedRole        string // the role profile that she acted in
	AskedAt          time.Time
	LapsesAt         time.Time  // when nobody has taken it up by then, nobody does
	State            string     // open, taken_up, refused, withdrawn or lapsed
	EndedBy          *string    // who took it up, refused it or withdrew it
	EndedAt          *time.Time // nil while it is open
	EndedReason      *string    // of what was refused or withdrawn
	PersonID         *string    // who it is, and the request for her, of what was taken up
	RequestID        *uuid.UUID
}

const introductionColumns = `i.id, i.position_id, i.position_version, i.organisation_code, i.title, i.given_name, i.middle_names, i.family_name,
	i.date_of_birth, i.email, i.starts_at, i.expires_at, i.reason, i.asked_by, i.asked_role, i.asked_at, i.lapses_at, i.state, i.ended_by, i.ended_at,
	i.ended_reason, i.person_id, i.request_id`

// IntroductionRow is an introduction with the names that a person reads.
type IntroductionRow struct {
	Introduction
	PositionName string // by the version that was asked for
	AskedByName  string

	OrganisationName string
}

const introductionRow = `SELECT ` + introductionColumns + `,
		(SELECT v.name FROM position_version v WHERE v.position_id = i.position_id AND v.version = i.position_version) AS position_name,
		(SELECT a.display_name FROM person a WHERE a.id = i.asked_by) AS asked_by_name,
		(SELECT n.name FROM organisation n WHERE n.code = i.organisation_code) AS organisation_name`

// AddIntroduction records an open introduction.
func (t *Tx) AddIntroduction(ctx context.Context, i Introduction) error {
	return t.db.exec(ctx, `
		INSERT INTO introduction (id, position_id, position_version, organisation_code, title, given_name, middle_names, family_name, date_of_birth, email,
			starts_at, expires_at, reason, asked_by, asked_role, asked_at, lapses_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
		i.ID, i.PositionID, i.PositionVersion, i.OrganisationCode, i.Title, i.GivenName, i.MiddleNames, i.FamilyName, i.DateOfBirth, i.Email,
		i.StartsAt, i.ExpiresAt, i.Reason, i.AskedBy, i.AskedRole, i.AskedAt, i.LapsesAt)
}

// Introduction reads an introduction.
func (q *queries) Introduction(ctx context.Context, id uuid.UUID) (IntroductionRow, error) {
	return one[IntroductionRow](ctx, q, introductionRow+` FROM introduction i WHERE i.id = $1`, id)
}

// LockIntroduction reads an introduction. Whoever else would end it waits until the transaction ends.
func (t *Tx) LockIntroduction(ctx context.Context, id uuid.UUID) (Introduction, error) {
	return one[Introduction](ctx, &t.queries, `SELECT `+introductionColumns+` FROM introduction i WHERE i.id = $1 FOR NO KEY UPDATE`, id)
}

// OpenIntroductions lists what nobody has taken up and has not lapsed, of an organisation and of those below it, by [ByAsked] or
// [ByName], from the one after the given id, at most limit of them.
func (q *queries) OpenIntroductions(ctx context.Context, organisation string, o Order, after uuid.UUID, limit int, now time.Time) ([]IntroductionRow, error) {
	key, beyond := `i.asked_at`, Order.beyond
	if o.By == ByName {
		key, beyond = introductionKey, Order.beyondName
	}
	so, order := `i.state = 'open' AND i.lapses_at > $4 AND `+beyond(o, key, `i.id`, `(SELECT `+key+` FROM introduction i WHERE i.id = $2)`, `$2`), ` ORDER BY `+o.by(key, `i.id`)
	return all[IntroductionRow](ctx, q, below+introductionRow+`
		FROM `+ofBelow("introduction", "i", `i.organisation_code`, introductionColumns, so, order, "$3")+order+` LIMIT $3`, organisation, from(after), limit, now)
}

// waitingIntroductions counts what OpenIntroductions lists, as far as $2.
func waitingIntroductions() string {
	return countBelow("introduction", "i", `i.organisation_code`, `i.asked_at`, `i.state = 'open' AND i.lapses_at > $3 AND i.asked_at > '-infinity'`)
}

// IntroductionEnd is how an open introduction ends.
type IntroductionEnd struct {
	State   string // taken_up, refused or withdrawn
	By      string
	Role    string // the role profile that she acted in
	Reason  *string
	Person  *string // whom it was taken up for, and the request for her
	Request *uuid.UUID
	At      time.Time
}

// EndIntroduction ends an open introduction. Of any number at once one does; the others get ErrNotFound.
func (t *Tx) EndIntroduction(ctx context.Context, id uuid.UUID, e IntroductionEnd) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		UPDATE introduction SET state = $2, ended_by = $3, ended_role = $4, ended_reason = $5, person_id = $6, request_id = $7, ended_at = $8
		WHERE id = $1 AND state = 'open' RETURNING id`, id, e.State, e.By, e.Role, e.Reason, e.Person, e.Request, e.At)
	return err
}

// LapsedIntroduction is an introduction that nobody takes up any more.
type LapsedIntroduction struct {
	ID         uuid.UUID
	PositionID string
	AskedBy    string
}

// LapseIntroductions ends open introductions that have lapsed, those that lapsed first first, at most limit of them, and
// returns which they are. One that somebody is taking up is passed over.
func (t *Tx) LapseIntroductions(ctx context.Context, limit int, now time.Time) ([]LapsedIntroduction, error) {
	return all[LapsedIntroduction](ctx, &t.queries, `
		UPDATE introduction SET state = 'lapsed', ended_at = $2
		WHERE id = ANY (ARRAY(
			SELECT id FROM introduction WHERE state = 'open' AND lapses_at <= $2 ORDER BY lapses_at LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED))
		RETURNING id, position_id, asked_by`, limit, now)
}

// SweepIntroductions deletes introductions some time after they ended: they have the names of people who may never have come.
// Who asked for what, and what came of it, is in the audit record.
func (q *queries) SweepIntroductions(ctx context.Context, now time.Time, limit int) (int, error) {
	return q.sweep(ctx, `
		DELETE FROM introduction WHERE id = ANY (ARRAY(
			SELECT id FROM introduction WHERE state <> 'open' AND ended_at <= $1 ORDER BY ended_at LIMIT $2 FOR UPDATE SKIP LOCKED))`, now, limit)
}
