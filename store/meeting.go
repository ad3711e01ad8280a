package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// Meeting is a meeting by video of an officer and a person.
type Meeting struct {
	ID               uuid.UUID
	PersonID         string
	Officer          string
	OfficerRole      string // that she acted in
	OrganisationCode string // of that role
	BegunAt          time.Time
	EndsAt           time.Time // until then the code confirms it; once it has, until then evidence is recorded in it
	WrongCodes       int
	ConfirmedAt      *time.Time // nil while it is not
	ReplacedAt       *time.Time // when the officer began another with the person
}

const meetingColumns = `id, person_id, officer, officer_role, organisation_code, begun_at, ends_at, wrong_codes, confirmed_at, replaced_at`

// BeginMeeting records a meeting, in place of the one that the officer had with the person.
func (t *Tx) BeginMeeting(ctx context.Context, m Meeting) error {
	err := t.db.exec(ctx, `
		UPDATE meeting SET replaced_at = $3, ends_at = greatest(least(ends_at, $3), coalesce(confirmed_at, begun_at))
		WHERE officer = $1 AND person_id = $2 AND replaced_at IS NULL`, m.Officer, m.PersonID, m.BegunAt)
	if err != nil {
		return err
	}
	return t.db.exec(ctx, `
		INSERT INTO meeting (id, person_id, officer, officer_role, organisation_code, begun_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		m.ID, m.PersonID, m.Officer, m.OfficerRole, m.OrganisationCode, m.BegunAt, m.EndsAt)
}

// Meeting reads a meeting.
func (q *queries) Meeting(ctx context.Context, id uuid.UUID) (Meeting, error) {
	return one[Meeting](ctx, q, `SELECT `+meetingColumns+` FROM meeting WHERE id = $1`, id)
}

// MeetingWith reads the last meeting of an officer with a person.
func (q *queries) MeetingWith(ctx context.Context, officer, personID string) (Meeting, error) {
	return one[Meeting](ctx, q, `SELECT `+meetingColumns+` FROM meeting WHERE officer = $1 AND person_id = $2 AND replaced_at IS NULL`, officer, personID)
}

// CountMeetings counts the meetings that were begun with a person since a time, by whomever.
func (q *queries) CountMeetings(ctx context.Context, personID string, since time.Time) (int, error) {
	return scalar[int](ctx, q, `SELECT count(*)::int FROM meeting WHERE person_id = $1 AND begun_at > $2`, personID, since)
}

// GiveMeetingCode puts a try of the code of a meeting on record: a wrong one is counted, a right one confirms the meeting, which
// lasts until a time from then on. A meeting that is confirmed, over or replaced, or of which as many codes were wrong as may be,
// is ErrNotFound. Of any number of right ones at once one is the first.
func (t *Tx) GiveMeetingCode(ctx context.Context, id uuid.UUID, right bool, most int, until, now time.Time) (Meeting, error) {
	return one[Meeting](ctx, &t.queries, `
		UPDATE meeting SET wrong_codes = wrong_codes + CASE WHEN $2 THEN 0 ELSE 1 END,
			confirmed_at = CASE WHEN $2 THEN $5::timestamptz END, ends_at = CASE WHEN $2 THEN $4 ELSE ends_at END
		WHERE id = $1 AND confirmed_at IS NULL AND replaced_at IS NULL AND wrong_codes < $3 AND ends_at > $5
		RETURNING `+meetingColumns, id, right, most, until, now)
}

// AwaitedMeeting is a meeting whose code its person is to read back.
type AwaitedMeeting struct {
	ID               uuid.UUID
	OfficerName      string
	OrganisationName string
	EndsAt           time.Time
}

// AwaitedMeetings lists the meetings with a person that wait for their code, newest first: without those of officers who gave her
// something to sign in with, and could be there in her place.
func (q *queries) AwaitedMeetings(ctx context.Context, personID string, mostWrong, limit int, now time.Time) ([]AwaitedMeeting, error) {
	return all[AwaitedMeeting](ctx, q, `
		SELECT m.id, (SELECT p.display_name FROM person p WHERE p.id = m.officer) AS officer_name,
			(SELECT o.name FROM organisation o WHERE o.code = m.organisation_code) AS organisation_name, m.ends_at
		FROM meeting m
		WHERE m.person_id = $1 AND m.confirmed_at IS NULL AND m.replaced_at IS NULL AND m.wrong_codes < $2 AND m.ends_at > $4
			AND NOT EXISTS (
				SELECT FROM audit_event e WHERE e.person_id = m.person_id AND e.person_id <> '' AND e.actor = m.officer AND e.refusal = '' AND e.event IN ('enrolled', 'enrolment_link_made'))
		ORDER BY m.begun_at DESC LIMIT $3`, personID, mostWrong, limit, now)
}

// Address is the address of a person, and who said that it is hers.
type Address struct {
	Email      string // "" where there is none
	By         string // who corrected it last, or else put the person on record; "" where the record does not say it
	Introduced bool   // somebody else than the officer in question introduced the person with this very address
	Introducer bool   // that officer introduced the person, whose address nobody has corrected
}

// Address reads the address of a person, as it looks to an officer.
func (q *queries) Address(ctx context.Context, personID, officer string) (Address, error) {
	return one[Address](ctx, q, `
		SELECT coalesce(p.email, '') AS email,
			coalesce(
				(SELECT c.actor FROM person_change c WHERE c.person_id = p.id AND c.kind = 'corrected' AND c.new ? 'email' ORDER BY c.id DESC LIMIT 1),
				(SELECT e.actor FROM audit_event e WHERE e.person_id = p.id AND e.person_id <> '' AND e.event = 'person_added' AND e.refusal = '' ORDER BY e.sequence LIMIT 1),
				'') AS by,
			EXISTS (SELECT FROM introduction i WHERE i.person_id = p.id AND i.state = 'taken_up' AND i.asked_by <> $2 AND lower(i.email) = lower(p.email)) AS introduced,
			EXISTS (
				SELECT FROM audit_event e
				WHERE e.person_id = p.id AND e.person_id <> '' AND e.event = 'introduction_ended' AND e.refusal = '' AND e.detail->>'state' = 'taken_up' AND e.detail->>'asked_by' = $2
			) AND NOT EXISTS (SELECT FROM person_change c WHERE c.person_id = p.id AND c.kind = 'corrected' AND c.new ? 'email') AS introducer
		FROM person p WHERE p.id = $1`, personID, officer)
}
