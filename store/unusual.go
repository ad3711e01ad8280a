package store

import (
	"context"
	"time"
)

// SignInLine is a line of the record, as far as it is of a sign-in or an account that was recovered.
type SignInLine struct {
	Sequence int64
	At       time.Time
	Event    string // of a sign-in or a recovery that was not refused; "" for any other line
	PersonID string

	Hour int // where people are

	// Of the last lines about the person before it.
	SignIns      int        // that were not refused
	KnownAddress bool       // she signed in from there
	Failures     int        // sign-ins that were refused, in the hour before
	Used         bool       // she signed in with the same authenticator
	BoundAt      *time.Time // when that was bound; nil: they do not say
}

// LockSignInReading reads up to which line of the record sign-ins were counted, and keeps others from counting until the transaction
// ends. ErrNotFound is that another does.
func (t *Tx) LockSignInReading(ctx context.Context) (int64, error) {
	return scalar[int64](ctx, &t.queries, `SELECT r.sequence FROM sign_in_reading r FOR UPDATE SKIP LOCKED`)
}

// SetSignInReading says up to which line they were.
func (t *Tx) SetSignInReading(ctx context.Context, sequence int64) error {
	return t.db.exec(ctx, `UPDATE sign_in_reading SET sequence = $1`, sequence)
}

// SignInLines lists the lines of the record after one, at most limit of them, with what there is to judge those of sign-ins by: the
// last lines about the person before each, as many as lately. It ends before the first line of a time, as lines of which the
// transaction is not over may come before it yet.
func (t *Tx) SignInLines(ctx context.Context, after int64, before time.Time, zone string, lately, limit int) ([]SignInLine, error) {
	return all[SignInLine](ctx, &t.queries, `
		WITH lines AS MATERIALIZED (
			SELECT e.sequence, e.at, CASE WHEN e.event IN ('signed_in', 'recovered') AND e.refusal = '' AND e.person_id <> '' THEN e.event ELSE '' END AS event,
				e.person_id, e.address, coalesce(e.detail ->> 'authenticator', '') AS authenticator
			FROM audit_event e WHERE e.sequence > $1 ORDER BY e.sequence LIMIT $5
		)
		SELECT l.sequence, l.at, l.event, l.person_id, extract(hour FROM l.at AT TIME ZONE $3)::int AS hour, p.*
		FROM lines l
		CROSS JOIN LATERAL (
			SELECT (count(*) FILTER (WHERE p.event = 'signed_in' AND p.refusal = ''))::int AS sign_ins,
				coalesce(bool_or(p.address = l.address) FILTER (WHERE p.event = 'signed_in' AND p.refusal = ''), false) AS known_address,
				(count(*) FILTER (WHERE p.event = 'signed_in' AND p.refusal <> '' AND p.at > l.at - interval '1 hour'))::int AS failures,
				coalesce(bool_or(p.authenticator = l.authenticator) FILTER (WHERE p.event = 'signed_in' AND p.refusal = ''), false) AS used,
				max(p.at) FILTER (WHERE p.event = 'enrolled' AND p.refusal = '' AND p.authenticator = l.authenticator AND l.authenticator <> '') AS bound_at
			FROM (
				SELECT p.at, p.event, p.refusal, p.address, p.detail ->> 'authenticator' AS authenticator
				FROM audit_event p WHERE l.event <> '' AND p.person_id = l.person_id AND p.person_id <> '' AND p.sequence < l.sequence
				ORDER BY p.sequence DESC LIMIT $4
			) p
		) p
		WHERE l.sequence < coalesce((SELECT min(n.sequence) FROM lines n WHERE n.at >= $2), 9223372036854775807)
		ORDER BY l.sequence`, after, before, zone, lately, limit)
}

// worksAt is whether a membership m has a role at a time, also one that ends just then.
func worksAt(at string) string {
	return `EXISTS (SELECT FROM role_profile r WHERE r.membership_id = m.id AND r.starts_at <= ` + at + ` AND (r.ends_at IS NULL OR r.ends_at >= ` + at + `))`
}

// AddUnusualSignIn notes that a sign-in of a person is unusual, and for which reasons, at the organisations where she had a role then and
// at those above them.
func (t *Tx) AddUnusualSignIn(ctx context.Context, l SignInLine, reasons []string) error {
	return t.db.exec(ctx, `
		WITH RECURSIVE above (code) AS (
			SELECT m.organisation_code FROM membership m WHERE m.person_id = $1 AND `+worksAt(`$3::timestamptz`)+`
			UNION
			SELECT o.parent_code FROM above a CROSS JOIN LATERAL (SELECT o.parent_code FROM organisation o WHERE o.code = a.code OFFSET 0) o WHERE o.parent_code IS NOT NULL
		)
		INSERT INTO unusual_sign_in (organisation_code, sequence, at, reasons)
		SELECT a.code, $2, $3, $4 FROM above a`, l.PersonID, l.Sequence, l.At, reasons)
}

// SweepSignIns deletes what is known of sign-ins before a time, and where they were at most limit of them; of the record it deletes nothing.
// Those of a day that is counted stay, wherever it begins.
func (t *Tx) SweepSignIns(ctx context.Context, before time.Time, limit int) error {
	if err := t.db.exec(ctx, `
		DELETE FROM audit_place p USING (
			SELECT p.organisation_code, p.at, p.sequence FROM audit_place p WHERE p.event = 'signed_in' AND p.at < $1::timestamptz - interval '2 days' ORDER BY p.at LIMIT $2
		) old WHERE p.organisation_code = old.organisation_code AND p.at = old.at AND p.sequence = old.sequence`, before, limit); err != nil {
		return err
	}
	if err := t.db.exec(ctx, `DELETE FROM sign_in_day WHERE day < $1::date`, before); err != nil {
		return err
	}
	return t.db.exec(ctx, `DELETE FROM unusual_sign_in WHERE at < $1`, before)
}

// SignInDay is how many sign-ins there were on a day.
type SignInDay struct {
	Day         time.Time
	From, Until time.Time // when it begins and is over
	SignIns     int64
	Listed      bool // each of them is listed: see [Store.ReadAuditAt]
}

// SignInDays lists the sign-ins of people of an organisation and of those below it, on each of some days up to the one of a time.
func (q *queries) SignInDays(ctx context.Context, organisation, zone string, days int, now time.Time) ([]SignInDay, error) {
	return all[SignInDay](ctx, q, `
		SELECT d.day, d.day::timestamp AT TIME ZONE $2 AS from, (d.day + 1)::timestamp AT TIME ZONE $2 AS until,
			coalesce(s.sign_ins, 0)::bigint AS sign_ins, coalesce(s.listed = s.sign_ins, true) AS listed
		FROM (SELECT ($4::timestamptz AT TIME ZONE $2)::date - n AS day FROM generate_series(0, $3::int - 1) n) d
		LEFT JOIN LATERAL (SELECT s.sign_ins, s.listed FROM sign_in_day s WHERE s.organisation_code = $1 AND s.day = d.day OFFSET 0) s ON true
		ORDER BY d.day`, organisation, zone, days, now)
}

// UnusualSignIn is a sign-in that is unusual.
type UnusualSignIn struct {
	Sequence   int64 // of its line of the record
	At         time.Time
	PersonID   string
	PersonName string
	Address    string
	Reasons    []string
}

// UnusualSignIns lists unusual sign-ins of people of an organisation and of those below it since a time, by [ByTime], from the one
// after the given line of the record, at most limit of them; 0 is the beginning.
func (q *queries) UnusualSignIns(ctx context.Context, organisation string, since time.Time, o Order, after int64, limit int) ([]UnusualSignIn, error) {
	than := ` > $3`
	if o.Descending {
		than = ` < coalesce(nullif($3::bigint, 0), 9223372036854775807)`
	}
	return all[UnusualSignIn](ctx, q, `
		SELECT u.sequence, u.at, e.person_id, coalesce(p.display_name, '') AS person_name, e.address, u.reasons
		FROM unusual_sign_in u
		CROSS JOIN LATERAL (SELECT e.person_id, e.address FROM audit_event e WHERE e.sequence = u.sequence OFFSET 0) e
		LEFT JOIN LATERAL (SELECT p.display_name FROM person p WHERE p.id = e.person_id OFFSET 0) p ON true
		WHERE u.organisation_code = $1 AND u.at >= $2 AND u.sequence`+than+`
		ORDER BY `+o.by(`u.organisation_code`, `u.sequence`)+` LIMIT $4`, organisation, since, after, limit)
}

// CountUnusualSignIns counts what UnusualSignIns lists, as far as most.
func (q *queries) CountUnusualSignIns(ctx context.Context, organisation string, since time.Time, most int) (int64, error) {
	return scalar[int64](ctx, q, `SELECT count(*) FROM (SELECT FROM unusual_sign_in u WHERE u.organisation_code = $1 AND u.at >= $2 ORDER BY u.sequence DESC LIMIT $3) u`,
		organisation, since, most)
}
