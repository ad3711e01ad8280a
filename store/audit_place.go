package store

import (
	"context"
)

// PlaceLines notes of which organisations the lines of the record are after one and up to another, but for those of some events, and
// adds the sign-ins among them to their days: what counts them and what lists them is of one statement. A line is of where its person
// had a role when it was written: what somebody does after she has left is not told where she was.
func (t *Tx) PlaceLines(ctx context.Context, after, upTo int64, but []string, zone string) error {
	return t.db.exec(ctx, `
		WITH placed AS (
			INSERT INTO audit_place (organisation_code, at, sequence, event, refused)
			SELECT a.code, e.at, e.sequence, e.event, e.refusal <> ''
			FROM audit_event e
			CROSS JOIN LATERAL (
				WITH RECURSIVE above (code) AS (
					(SELECT m.organisation_code FROM membership m WHERE m.person_id = e.person_id AND `+worksAt(`e.at`)+`
					UNION
					SELECT m.organisation_code FROM role_profile r JOIN membership m ON m.id = r.membership_id WHERE r.id = e.detail ->> 'officer_role')
					UNION
					SELECT o.parent_code FROM above a CROSS JOIN LATERAL (SELECT o.parent_code FROM organisation o WHERE o.code = a.code OFFSET 0) o WHERE o.parent_code IS NOT NULL
				)
				SELECT code FROM above
			) a
			WHERE e.sequence > $1 AND e.sequence <= $2 AND e.event <> ALL ($3)
			RETURNING organisation_code, at, event, refused
		)
		INSERT INTO sign_in_day (organisation_code, day, sign_ins, listed)
		SELECT p.organisation_code, (p.at AT TIME ZONE $4)::date, count(*), count(*) FROM placed p WHERE p.event = 'signed_in' AND NOT p.refused GROUP BY 1, 2
		ON CONFLICT (organisation_code, day) DO UPDATE SET sign_ins = sign_in_day.sign_ins + excluded.sign_ins, listed = sign_in_day.listed + excluded.listed`,
		after, upTo, but, zone)
}

// ReadAuditAt lists lines of the record that are of an organisation, as [Tx.PlaceLines] noted, by when they were, at most limit of them.
func (q *queries) ReadAuditAt(ctx context.Context, organisation string, l AuditLines, limit int) ([]AuditEvent, error) {
	o := Order{By: ByTime, Descending: !l.Oldest}
	of := `$2 = ''`
	switch l.Event {
	case "":
	case "signed_in": // most are: they are found along the key
		of = `p.event = $2`
	default:
		of = `p.event = $2 AND p.event <> 'signed_in'`
	}
	switch l.Outcome {
	case Done:
		of += ` AND NOT p.refused`
	case Refused:
		of += ` AND p.refused`
	}
	beyond := o.beyond(`p.at`, `p.sequence`, `(SELECT e.at FROM audit_event e WHERE e.sequence = $5)`, `nullif($5::bigint, 0)`)
	return all[AuditEvent](ctx, q, `
		SELECT `+auditColumns+`
		FROM (
			SELECT p.at AS moment, p.sequence AS line FROM audit_place p WHERE p.organisation_code = $1 AND `+of+` AND p.at >= $3 AND p.at < $4 AND `+beyond+`
			ORDER BY `+o.by(`p.at`, `p.sequence`)+` LIMIT $6
		) p
		CROSS JOIN LATERAL (SELECT `+auditColumns+` FROM audit_event e WHERE e.sequence = p.line OFFSET 0) e
		ORDER BY `+o.by(`moment`, `line`), organisation, l.Event, l.From, l.Until, l.After, limit)
}
