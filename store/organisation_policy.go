package store

import (
	"context"
	"time"
)

// OrganisationPolicy is what an organisation itself says of how it has its work done. What is empty, or 0, it does not say.
type OrganisationPolicy struct {
	Code                   string
	Name                   string
	ParentCode             *string
	DeskAuthenticatorLevel int
	SecondChecker          bool
	SelfRegistration       bool
	HelpText               string
	HelpEmail              string
	HelpTelephone          string
	PolicyVersion          int        // rises with each change
	PolicyBy               string     // who made the last, where that is known: an officer, or an operator
	PolicyAt               *time.Time // when; nil: not known, or there was none
}

const organisationPolicyColumns = `o.code, o.name, o.parent_code, coalesce(o.desk_authenticator_level, 0) AS desk_authenticator_level, o.second_checker,
	o.self_registration, coalesce(o.help_text, '') AS help_text, coalesce(o.help_email, '') AS help_email,
	coalesce(o.help_telephone, '') AS help_telephone, o.policy_version, coalesce(o.policy_by, '') AS policy_by, o.policy_at`

// OrganisationPolicies lists the organisations that say anything and all that are below them: of the others nothing holds but
// what holds everywhere.
func (q *queries) OrganisationPolicies(ctx context.Context) ([]OrganisationPolicy, error) {
	return all[OrganisationPolicy](ctx, q, `
		WITH RECURSIVE held (code) AS (
			SELECT code FROM organisation
			WHERE second_checker OR self_registration OR num_nonnulls(desk_authenticator_level, help_text, help_email, help_telephone) > 0
			UNION
			SELECT o.code FROM held h JOIN organisation o ON o.parent_code = h.code
		)
		SELECT `+organisationPolicyColumns+` FROM held h JOIN organisation o ON o.code = h.code`)
}

// OrganisationPolicyPath lists an organisation and those above it, nearest first. Of one that is unknown the list is empty.
func (q *queries) OrganisationPolicyPath(ctx context.Context, code string) ([]OrganisationPolicy, error) {
	return all[OrganisationPolicy](ctx, q, `
		WITH RECURSIVE path (code, parent_code, above) AS (
			SELECT code, parent_code, 0 FROM organisation WHERE code = $1
			UNION ALL
			SELECT o.code, o.parent_code, p.above + 1 FROM path p JOIN organisation o ON o.code = p.parent_code WHERE p.above < $2
		)
		SELECT `+organisationPolicyColumns+` FROM path p JOIN organisation o ON o.code = p.code ORDER BY p.above`, code, MostAbove)
}

// SetOrganisationPolicy changes what an organisation says, all of it, if its version is still the given one: otherwise it is
// ErrNotFound.
func (t *Tx) SetOrganisationPolicy(ctx context.Context, p OrganisationPolicy) error {
	_, err := scalar[string](ctx, &t.queries, `
		UPDATE organisation SET desk_authenticator_level = nullif($3::smallint, 0), second_checker = $4, self_registration = $5,
			help_text = nullif($6, ''), help_email = nullif($7, ''), help_telephone = nullif($8, ''), policy_version = policy_version + 1,
			policy_by = nullif($9, ''), policy_at = $10
		WHERE code = $1 AND policy_version = $2 RETURNING code`,
		p.Code, p.PolicyVersion, p.DeskAuthenticatorLevel, p.SecondChecker, p.SelfRegistration, p.HelpText, p.HelpEmail, p.HelpTelephone, p.PolicyBy, p.PolicyAt)
	return err
}
