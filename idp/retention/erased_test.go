package retention_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// filled is what there may be of Ana beside what the rules are about.
func filled() []string {
	return []string{
		`UPDATE person SET language = 'cy', self_registered_organisation = 'ZX100', identity_level = 'high', identity_profile = 'H1A', identity_profiles = '{H1A}',
			identity_ial = 2, identity_policy = 'x', identity_evidence = ARRAY[gen_random_uuid()], identity_computed_at = $1, proofs_erased_at = $1,
			closed_as = 'duplicate', merged_into = '656005750113' WHERE id = '100000000001'`,
		`INSERT INTO account_code (person_id, id, made_at, ends_at, used_at, wrong_codes, wrong_until) VALUES ('100000000001', gen_random_uuid(), $1, $1, $1, 1, $1)`,
		`INSERT INTO session (id, cookie_hash, person_id, authenticator_id, authenticator_level, methods, authenticated_at, role_id, role_chosen_at, created_at, idle_at, expires_at, ended_at)
			SELECT gen_random_uuid(), sha256('kanarienvogel'), person_id, id, 2, '{kanarienvogel}', $1, '200000000002', $1, $1, $1, $1, $1 FROM authenticator WHERE person_id = '100000000001' LIMIT 1`,
		`INSERT INTO enrolment_link (hash, person_id, created_at, expires_at, used_at, code_mac, wrong_codes, code_given_at, most_level, id, cancelled_at)
			VALUES (sha256('kanarienvogel'), '100000000001', $1, $1, $1, sha256('kanarienvogel'), 1, $1, 2, gen_random_uuid(), $1)`,
		`INSERT INTO evidence_proposal (id, person_id, organisation_code, kind, piece_sealed, proposed_at, proposed_by, proposed_role, state, decided_at, decided_by, decided_role)
			VALUES (gen_random_uuid(), '100000000001', 'ZX100', 'passport', 'kanarienvogel', $1, '656005750116', '656014116001', 'proposed', NULL, NULL, NULL),
				(gen_random_uuid(), '100000000001', 'ZX100', 'passport', NULL, $1, '656005750116', '656014116001', 'confirmed', $1, '656005750117', '656014117001')`,
		`INSERT INTO meeting (id, person_id, officer, officer_role, organisation_code, begun_at, ends_at, wrong_codes, confirmed_at, replaced_at)
			VALUES (gen_random_uuid(), '100000000001', '656005750116', '656014116001', 'ZX100', $1, $1, 1, $1, $1)`,
		`INSERT INTO membership (id, person_id, organisation_code, created_at) VALUES ('200000000001', '100000000001', 'ZX100', $1)`,
		`INSERT INTO message (id, person_id, address, kind, dedupe_key, text_sealed, created_at, due_at, attempts, last_error)
			VALUES (gen_random_uuid(), '100000000001', 'kanarienvogel@example.org', 'told', 'kanarienvogel', 'kanarienvogel', $1, $1, 1, 'deferred')`,
		`INSERT INTO review (id, organisation_code, below, removes, due_at, reason, opened_by, opened_role, opened_at)
			VALUES (gen_random_uuid(), 'ZX100', true, true, $1::timestamptz + interval '1 day', 'x', '656005750116', '656014116001', $1)`,
		`INSERT INTO review_item (review_id, role_id, person_id, given_by, outcome, decided_by, decided_role, decided_at)
			SELECT id, '656014117001', '100000000001', '656005750117', 'certified', '656005750116', '656014116001', $1 FROM review`,
		`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, session_id, grant_id, request_id, address, detail)
			VALUES ($1, 'signed_in', 'x', 'x', '100000000001', 'x', gen_random_uuid(), gen_random_uuid(), 'x', '192.0.2.1', '{"x": "y"}')`,
	}
}

// tombstone is which record it was, of what kind, and who did what when: that stays of everything.
var tombstone = regexp.MustCompile(`\.(id|.*_id|at|.*_at|kind|type|state|version|.*_version|.*_by|.*_role|organisation_code|actor|officer|duplicate|kept)$`)

// stays is what stays beside that of who was erased, and why.
func stays() map[string]string {
	return map[string]string{
		"account_code.wrong_codes":            "a number",
		"account_code.wrong_until":            "a time",
		"audit_event.":                        "the record cannot be changed; who she was is in none of it",
		"authenticator.aaguid":                "of what model it was",
		"authenticator.attestation_format":    "of what model it was",
		"authenticator.attestation_verdict":   "of what model it was",
		"authenticator.backup_eligible":       "of what model it was",
		"authenticator.backup_state":          "of what model it was",
		"authenticator.failed_attempts":       "a number",
		"authenticator.last_step":             "a time",
		"authenticator.sign_count":            "a number",
		"authenticator.transports":            "of what model it was",
		"break_glass.":                        "by a rule of its own: it is of an organisation",
		"enrolment_link.":                     "swept a week after it expired",
		"evidence.facts":                      "of what kind it was, as the schema checks",
		"evidence.withdrawn_reason":           "one of four words",
		"evidence_proposal.account_code":      "whether she was there",
		"introduction.ended_reason":           "of somebody who was not taken up",
		"meeting.wrong_codes":                 "a number",
		"person.closed_as":                    "one of five words: whether she left, or it was a fraud",
		"person.handle":                       "drawn anew",
		"person.merged_into":                  "which user id it was",
		"person.identity_level":               "none, as the schema checks",
		"person.self_registered_organisation": "where she registered, as a membership says where she worked",
		"photograph.way":                      "whether a camera took it",
		"request.assignable":                  "of the position",
		"request.owner_since":                 "since when an officer looked after it",
		"review_item.outcome":                 "whether a role was left",
		"session.":                            "swept an hour after it expired",
	}
}

// ofHer lists the columns of the tables in which she has rows, and those of them that say something.
func (a *archive) ofHer() (columns, said []string) {
	a.t.Helper()
	lines := func(sql string, args ...any) []string {
		rows, err := a.owner.Query(a.t.Context(), sql, args...)
		must(a.t, err)
		list, err := pgx.CollectRows(rows, pgx.RowTo[string])
		must(a.t, err)
		return list
	}
	for _, table := range lines(`SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'`) {
		hers := lines(`
			SELECT DISTINCT '`+table+`.' || s.key || CASE WHEN s.value NOT IN ('', '0', '{}', '[]', '[erased]') THEN '' ELSE '?' END
			FROM `+table+` t CROSS JOIN LATERAL jsonb_each_text(to_jsonb(t)) s WHERE $1 IN (SELECT value FROM jsonb_each_text(to_jsonb(t)))`, ana)
		for _, column := range hers {
			columns = append(columns, strings.TrimSuffix(column, "?"))
			if !strings.HasSuffix(column, "?") {
				said = append(said, column)
			}
		}
	}
	return columns, said
}

// Of somebody of whom there is all that there can be, nothing stays but what stays has reasons for. A column that is added has to be
// filled here, and erased, or be one of those.
func TestNothingOfHerIsLeft(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	for _, statement := range slices.Concat(recordedSince("profile_closed"), recordedSince("break_glass_signed"), filled()) {
		a.exec(statement, now)
	}
	reasons := stays()
	may := func(column string) bool {
		table, _, _ := strings.Cut(column, ".")
		return tombstone.MatchString(column) || reasons[column] != "" || reasons[table+"."] != ""
	}
	columns, before := a.ofHer()
	for _, column := range columns {
		if !may(column) && !slices.Contains(before, column) {
			t.Errorf("%s says nothing of her, so that nobody knows whether it is erased: fill it", column)
		}
	}
	must(t, a.ErasePerson(t.Context(), "operator:test", ana, "Asked"))
	_, after := a.ofHer()
	for _, column := range after {
		if !may(column) {
			t.Errorf("%s still says something of her: erase it, or say why it stays", column)
		}
	}
	if left := slices.DeleteFunc(a.says(canary), func(table string) bool { return reasons[table+"."] != "" }); len(left) != 0 {
		t.Errorf("tables that say what was hers = %q, want none", left)
	}

	// Of other tables that refer to people none is about one.
	others := map[string]bool{
		"authorization_grant": true, "break_glass_request": true, "recovery_code": true, // gone when she could be erased: swept, or with her profile
		"client_application": true, "client_check": true, "position_version": true, "review": true, // what she did as an officer of an organisation
	}
	for table := range strings.FieldsSeq(a.text(`
		SELECT string_agg(DISTINCT c.relname, ' ') FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
		WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND (a.attname = 'person_id'
			OR EXISTS (SELECT FROM pg_constraint k WHERE k.contype = 'f' AND k.confrelid = 'person'::regclass AND k.conrelid = c.oid))`)) {
		if !others[table] && !slices.ContainsFunc(columns, func(c string) bool { return strings.HasPrefix(c, table+".") }) {
			t.Errorf("table %s refers to people and has nothing of her: fill it, or say that it is about nobody", table)
		}
	}
}
