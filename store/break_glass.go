package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// BreakGlassSeal is a pair of envelopes with the codes that open break-glass at an organisation.
type BreakGlassSeal struct {
	ID               uuid.UUID
	OrganisationCode string
	FirstHash        []byte // of the code in the first envelope
	SecondHash       []byte
	SealedBy         string // an operator
	SealedAt         time.Time
	ExpiresAt        time.Time
	EndedAt          *time.Time // nil: it was neither opened nor replaced
}

const breakGlassSealColumns = `s.id, s.organisation_code, s.first_hash, s.second_hash, s.sealed_by, s.sealed_at, s.expires_at, s.ended_at`

// EndBreakGlassSeals makes the envelopes of an organisation worthless, and says how many pairs that were: one or none.
func (t *Tx) EndBreakGlassSeals(ctx context.Context, organisation string, now time.Time) (int64, error) {
	return scalar[int64](ctx, &t.queries, `
		WITH ended AS (UPDATE break_glass_seal SET ended_at = $2 WHERE organisation_code = $1 AND ended_at IS NULL RETURNING 1)
		SELECT count(*) FROM ended`, organisation, now)
}

// AddBreakGlassSeal records a pair of envelopes. An organisation that has one is ErrConflict, an unknown one ErrReference.
func (t *Tx) AddBreakGlassSeal(ctx context.Context, s BreakGlassSeal) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		INSERT INTO break_glass_seal (id, organisation_code, first_hash, second_hash, sealed_by, sealed_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
		RETURNING id`, s.ID, s.OrganisationCode, s.FirstHash, s.SecondHash, s.SealedBy, s.SealedAt, s.ExpiresAt)
	return err
}

// LockBreakGlassSeal reads the envelopes of an organisation that one code is of, and keeps others from using them until the
// transaction ends.
func (t *Tx) LockBreakGlassSeal(ctx context.Context, organisation string, hash []byte) (BreakGlassSeal, error) {
	return one[BreakGlassSeal](ctx, &t.queries, `
		SELECT `+breakGlassSealColumns+` FROM break_glass_seal s
		WHERE s.organisation_code = $1 AND (s.first_hash = $2 OR s.second_hash = $2) FOR NO KEY UPDATE`, organisation, hash)
}

// SpendBreakGlassSeal has a pair of envelopes opened. Of any number at once one is; the others get ErrNotFound, and so does who
// comes after it has expired.
func (t *Tx) SpendBreakGlassSeal(ctx context.Context, id uuid.UUID, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		UPDATE break_glass_seal SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL AND expires_at > $2 RETURNING id`, id, now)
	return err
}

// BreakGlassRequest is that somebody asked, with the code of the first envelope, and waits for the second person.
type BreakGlassRequest struct {
	ID       uuid.UUID // of version 7
	SealID   uuid.UUID
	AskedBy  string
	Reason   string
	AskedAt  time.Time
	LapsesAt time.Time
	JoinedBy *string // who has the second envelope; nil: nobody yet

	AuthenticatorID *uuid.UUID // with which she signed in who asked; nil: the sign-in was simulated
}

const breakGlassRequestColumns = `r.id, r.seal_id, r.asked_by, r.reason, r.asked_at, r.lapses_at, r.joined_by, r.authenticator_id`

// AddBreakGlassRequest records what somebody asks, in place of what was asked with the same envelope before.
func (t *Tx) AddBreakGlassRequest(ctx context.Context, r BreakGlassRequest) error {
	if err := t.RemoveBreakGlassRequest(ctx, r.SealID); err != nil {
		return err
	}
	return t.db.exec(ctx, `
		INSERT INTO break_glass_request (id, seal_id, asked_by, reason, asked_at, lapses_at, authenticator_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		r.ID, r.SealID, r.AskedBy, r.Reason, r.AskedAt, r.LapsesAt, r.AuthenticatorID)
}

// RemoveBreakGlassRequest forgets what was asked with the first of a pair of envelopes.
func (t *Tx) RemoveBreakGlassRequest(ctx context.Context, sealID uuid.UUID) error {
	return t.db.exec(ctx, `DELETE FROM break_glass_request WHERE seal_id = $1`, sealID)
}

// JoinBreakGlassRequest notes who has the second envelope.
func (t *Tx) JoinBreakGlassRequest(ctx context.Context, sealID uuid.UUID, person string) error {
	return t.db.exec(ctx, `UPDATE break_glass_request SET joined_by = $2 WHERE seal_id = $1`, sealID, person)
}

// BreakGlassRequestOf reads what was asked with the first of a pair of envelopes.
func (t *Tx) BreakGlassRequestOf(ctx context.Context, sealID uuid.UUID) (BreakGlassRequest, error) {
	return one[BreakGlassRequest](ctx, &t.queries, `SELECT `+breakGlassRequestColumns+` FROM break_glass_request r WHERE r.seal_id = $1`, sealID)
}

// BreakGlassRequestRow is a BreakGlassRequest with what people call what it names.
type BreakGlassRequestRow struct {
	BreakGlassRequest

	OrganisationCode string
	OrganisationName string
	AskedByName      string
	Spent            bool // the envelopes were opened or replaced meanwhile, or have expired
}

// breakGlassRequestRow reads a BreakGlassRequestRow at the time $2.
const breakGlassRequestRow = `
	SELECT ` + breakGlassRequestColumns + `, s.organisation_code, o.name AS organisation_name, p.display_name AS asked_by_name,
		s.ended_at IS NOT NULL OR s.expires_at <= $2 AS spent
	FROM break_glass_request r
	JOIN break_glass_seal s ON s.id = r.seal_id
	JOIN organisation o ON o.code = s.organisation_code
	JOIN person p ON p.id = r.asked_by
	WHERE r.id = $1`

// BreakGlassRequest reads what somebody asked.
func (q *queries) BreakGlassRequest(ctx context.Context, id uuid.UUID, now time.Time) (BreakGlassRequestRow, error) {
	return one[BreakGlassRequestRow](ctx, q, breakGlassRequestRow, id, now)
}

// LockBreakGlassRequest is BreakGlassRequest, and keeps others from using the envelopes until the transaction ends.
func (t *Tx) LockBreakGlassRequest(ctx context.Context, id uuid.UUID, now time.Time) (BreakGlassRequestRow, error) {
	return one[BreakGlassRequestRow](ctx, &t.queries, breakGlassRequestRow+` FOR NO KEY UPDATE OF s`, id, now)
}

// BreakGlass is that two people opened break-glass, and who signed for it.
type BreakGlass struct {
	ID               uuid.UUID // of what was asked
	SealID           uuid.UUID
	OrganisationCode string
	AskedBy          string // who was given the role
	ConfirmedBy      string
	Reason           string
	RoleID           string
	OpenedAt         time.Time
	SignedBy         *string // nil: nobody has signed for it
	SignedRole       *string
	SignedAt         *time.Time
	Note             *string
}

// AddBreakGlass records that break-glass was opened.
func (t *Tx) AddBreakGlass(ctx context.Context, b BreakGlass) error {
	return t.db.exec(ctx, `
		INSERT INTO break_glass (id, seal_id, organisation_code, asked_by, confirmed_by, reason, role_id, opened_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		b.ID, b.SealID, b.OrganisationCode, b.AskedBy, b.ConfirmedBy, b.Reason, b.RoleID, b.OpenedAt)
}

// BreakGlassRow is a BreakGlass with what people call what it names.
type BreakGlassRow struct {
	BreakGlass

	EndsAt           time.Time // when the role ends, or ended
	OrganisationName string
	AskedByName      string
	ConfirmedByName  string
	SignedByName     *string
	// People are the two, and whoever their profiles were merged into.
	People []string
}

const breakGlassColumns = `b.id, b.seal_id, b.organisation_code, b.asked_by, b.confirmed_by, b.reason, b.role_id, b.opened_at, b.signed_by, b.signed_role, b.signed_at, b.note`

// breakGlassRow reads a BreakGlassRow of rows b. OFFSET 0 has what they name looked up row by row.
const breakGlassRow = `
	SELECT ` + breakGlassColumns + `,
		h.ends_at, o.name AS organisation_name, a.display_name AS asked_by_name, c.display_name AS confirmed_by_name,
		(SELECT g.display_name FROM person g WHERE g.id = b.signed_by) AS signed_by_name,
		array_remove(ARRAY[a.id, c.id, a.merged_into, c.merged_into], NULL) AS people
	FROM b
	CROSS JOIN LATERAL (SELECT h.ends_at FROM role_profile h WHERE h.id = b.role_id OFFSET 0) h
	CROSS JOIN LATERAL (SELECT o.name FROM organisation o WHERE o.code = b.organisation_code OFFSET 0) o
	CROSS JOIN LATERAL (SELECT a.id, a.display_name, a.merged_into FROM person a WHERE a.id = b.asked_by OFFSET 0) a
	CROSS JOIN LATERAL (SELECT c.id, c.display_name, c.merged_into FROM person c WHERE c.id = b.confirmed_by OFFSET 0) c`

// BreakGlass reads what was opened.
func (q *queries) BreakGlass(ctx context.Context, id uuid.UUID) (BreakGlassRow, error) {
	return one[BreakGlassRow](ctx, q, `WITH b AS (SELECT `+breakGlassColumns+` FROM break_glass b WHERE b.id = $1)`+breakGlassRow, id)
}

// BreakGlasses lists what was opened at an organisation and at those below it, by [ByTime], from the one after the given id, at
// most limit of them: all of it, or what nobody has signed for.
func (q *queries) BreakGlasses(ctx context.Context, organisation string, unsigned bool, o Order, after uuid.UUID, limit int) ([]BreakGlassRow, error) {
	const key = `b.opened_at`
	beyond, order := o.beyond(key, `b.id`, `(SELECT b.opened_at FROM break_glass b WHERE b.id = $2)`, `$2`), ` ORDER BY `+o.by(key, `b.id`)
	if unsigned {
		beyond += ` AND b.signed_at IS NULL`
	}
	return all[BreakGlassRow](ctx, q, below+`, b AS (
			SELECT `+breakGlassColumns+` FROM `+ofBelow("break_glass", "b", `b.organisation_code`, breakGlassColumns, beyond, order, "$3")+order+` LIMIT $3
		)`+breakGlassRow+order, organisation, from(after), limit)
}

// unsignedBreakGlasses counts what nobody has signed for by when it was opened, as far as $2.
func unsignedBreakGlasses() string {
	return countBelow("break_glass", "b", `b.organisation_code`, `b.opened_at`, `b.signed_at IS NULL AND b.opened_at > '-infinity'`)
}

// SignBreakGlass signs for what was opened. Of any number at once one does; the others get ErrNotFound.
func (t *Tx) SignBreakGlass(ctx context.Context, id uuid.UUID, by, role, note string, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		UPDATE break_glass SET signed_by = $2, signed_role = $3, note = $4, signed_at = $5 WHERE id = $1 AND signed_at IS NULL RETURNING id`, id, by, role, note, now)
	return err
}

// RAManagers lists registration authority managers of some organisations who have an address, at most limit of them, those of the
// organisation that is named first first. The index of those of all organisations is read, as they are few.
func (q *queries) RAManagers(ctx context.Context, organisations []string, limit int, now time.Time) ([]string, error) {
	return scalar[[]string](ctx, q, `
		SELECT ARRAY(
			SELECT p.id
			FROM role_profile r
			JOIN membership m ON m.id = r.membership_id AND m.organisation_code = ANY ($1)
			JOIN person p ON p.id = m.person_id
			WHERE r.job_role LIKE '%:R5080' AND r.membership_id > '' AND r.starts_at <= $3 AND (r.ends_at IS NULL OR r.ends_at > $3) AND p.disabled_at IS NULL AND coalesce(p.email, '') <> ''
			GROUP BY p.id ORDER BY min(array_position($1::text[], m.organisation_code)), p.id LIMIT $2)`, organisations, limit, now)
}
