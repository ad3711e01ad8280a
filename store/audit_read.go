package store

import (
	"context"
	"time"
)

// Outcome is what came of what a line of the record says.
type Outcome string

// The outcomes.
const (
	Done    Outcome = "done"
	Refused Outcome = "refused"
)

// AuditLines says which lines of the record are read. They are of one person, those about her or those of what she did as an officer
// in one of some roles, where they are not of an organisation.
type AuditLines struct {
	PersonID string
	Roles    []string  // ids of role profiles; none: the lines about her
	Event    string    // "": any
	Outcome  Outcome   // "": any
	From     time.Time // and not before
	Until    time.Time // and before
	Oldest   bool      // the oldest comes first, and not the newest
	After    int64     // the sequence number of the line after which they go on; 0 is the beginning
}

// ReadAudit lists lines of the record, at most limit of them.
func (q *queries) ReadAudit(ctx context.Context, l AuditLines, limit int) ([]AuditEvent, error) {
	page := ` AND sequence < coalesce(nullif($5::bigint, 0), 9223372036854775807) ORDER BY sequence DESC LIMIT $6`
	if l.Oldest {
		page = ` AND sequence > $5 ORDER BY sequence LIMIT $6`
	}
	const columns, narrowed = `SELECT ` + auditColumns + ` FROM audit_event`,
		` AND ($2 = '' OR event = $2) AND at >= $3 AND at < $4 AND ($7 = '' OR (refusal <> '') = ($7 = 'refused'))`
	if len(l.Roles) == 0 {
		return all[AuditEvent](ctx, q, columns+` WHERE person_id = $1 AND person_id <> ''`+narrowed+page, l.PersonID, l.Event, l.From, l.Until, l.After, limit, l.Outcome)
	}
	return all[AuditEvent](ctx, q, columns+` WHERE actor = $1 AND actor <> person_id AND actor <> client_id AND detail ->> 'officer_role' = ANY ($8)`+narrowed+page,
		l.PersonID, l.Event, l.From, l.Until, l.After, limit, l.Outcome, l.Roles)
}

// RolePlace is where a role is, or was.
type RolePlace struct {
	ID               string
	OrganisationCode string
	JobRole          string // S:G:R code
}

// RolePlaces reads roles by id, also those that have ended.
func (q *queries) RolePlaces(ctx context.Context, ids []string) ([]RolePlace, error) {
	return all[RolePlace](ctx, q, `
		SELECT r.id, m.organisation_code, r.job_role FROM role_profile r JOIN membership m ON m.id = r.membership_id WHERE r.id = ANY ($1)`, ids)
}

// RolesEver lists the roles that a person has, had or is to have.
func (q *queries) RolesEver(ctx context.Context, personID string) ([]RolePlace, error) {
	return all[RolePlace](ctx, q, `
		SELECT r.id, m.organisation_code, r.job_role FROM membership m JOIN role_profile r ON r.membership_id = m.id WHERE m.person_id = $1 ORDER BY r.id`, personID)
}
