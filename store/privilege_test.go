package store_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/credence-id/credence/store/storetest"
)

// What the running server may do to each table, all told: by a grant to it, to everybody, or to a column.
func TestPrivilegesOfTheService(t *testing.T) {
	t.Parallel()
	ownerURL, _ := storetest.URLs(t)
	conn := connect(t, ownerURL)
	rows, err := conn.Query(t.Context(), `
		SELECT t.table_name, coalesce((
			SELECT string_agg(p, ' ' ORDER BY p) FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
			WHERE CASE WHEN p IN ('DELETE', 'TRUNCATE', 'TRIGGER') THEN has_table_privilege('credence_service', t.table_name, p)
				ELSE has_any_column_privilege('credence_service', t.table_name, p) END), '') AS privileges
		FROM information_schema.tables t WHERE t.table_schema = 'public'`)
	must(t, err)
	got := map[string]string{}
	var table, privileges string
	_, err = pgx.ForEachRow(rows, []any{&table, &privileges}, func() error {
		got[table] = privileges
		return nil
	})
	must(t, err)
	const (
		read   = "SELECT"
		add    = "INSERT SELECT"
		change = "INSERT SELECT UPDATE"
		sweep  = "DELETE INSERT SELECT UPDATE"
	)
	same(t, "privileges of credence_service", got, map[string]string{
		"account_code":              change,
		"audit_event":               add,
		"audit_place":               "DELETE INSERT SELECT",
		"authenticator":             change,
		"authenticator_model":       sweep,
		"authenticator_policy":      sweep,
		"authorization_grant":       sweep,
		"break_glass":               change,
		"break_glass_request":       sweep,
		"break_glass_seal":          change,
		"catalogue_code":            change,
		"client":                    change,
		"client_application":        change,
		"client_check":              change,
		"development":               read,
		"enrolment_link":            sweep,
		"evidence":                  change,
		"evidence_proposal":         change,
		"fido_metadata":             change,
		"generation":                read,
		"introduction":              sweep,
		"meeting":                   change,
		"membership":                change,
		"message":                   sweep,
		"organisation":              change,
		"person":                    change,
		"person_change":             add,
		"person_merge":              change,
		"photograph":                change,
		"position":                  change,
		"position_rollout":          "DELETE SELECT UPDATE",
		"position_version":          change,
		"professional_registration": add,
		"recovery_code":             "DELETE INSERT SELECT",
		"refresh_token":             sweep,
		"request":                   change,
		"retention_count":           change,
		"retention_hold":            change,
		"retention_run":             change,
		"request_queue":             read,
		"review":                    change,
		"review_item":               change,
		"role_profile":              change,
		"schema_migrations":         read,
		"self_registration":         sweep,
		"session":                   sweep,
		"sign_in_day":               sweep,
		"sign_in_reading":           "SELECT UPDATE",
		"signing_key":               change,
		"throttle":                  sweep,
		"unusual_sign_in":           "DELETE INSERT SELECT",
		"used_assertion":            sweep,
		"used_challenge":            sweep,
		"workgroup":                 add,
	})
	rows, err = conn.Query(t.Context(), `
		SELECT c.table_name, string_agg(c.column_name, ' ' ORDER BY c.ordinal_position)
		FROM information_schema.columns c
		WHERE c.table_schema = 'public' AND has_column_privilege('credence_service', c.table_name, c.column_name, 'UPDATE')
		GROUP BY c.table_name`)
	must(t, err)
	got = map[string]string{}
	_, err = pgx.ForEachRow(rows, []any{&table, &privileges}, func() error {
		got[table] = privileges
		return nil
	})
	must(t, err)
	same(t, "columns that credence_service may change", got, map[string]string{
		"account_code":         "id made_at ends_at used_at wrong_codes wrong_until",
		"authenticator":        "name sign_count backup_state last_used_at revoked_at attestation_verdict secret_sealed failed_attempts last_step state",
		"authenticator_model":  "name roots",
		"authenticator_policy": "allowed denied device_bound attestation",
		"authorization_grant":  "code_used_at revoked_at",
		"break_glass":          "signed_by signed_role signed_at note",
		"break_glass_request":  "joined_by",
		"break_glass_seal":     "ended_at",
		"catalogue_code":       "name retired_at",
		"client":               "name authentication secret_hash redirect_uris post_logout_redirect_uris scopes id_token_alg audience requires_role disabled_at default_acr_values minimum_authenticator_level minimum_identity_level trustmark verified_claims old_secret_hash old_secret_ends_at jwks jwks_uri",
		"client_application":   "state decided_by decided_role decided_at decision_reason client_id secrets secret_at",
		"client_check":         "ended_at passed findings",
		"enrolment_link":       "used_at wrong_codes code_given_at cancelled_at",
		"evidence_proposal":    "piece_sealed state decided_at decided_by decided_role",
		"organisation":         "second_checker desk_authenticator_level help_text help_email help_telephone self_registration policy_version policy_by policy_at",
		"evidence":             "withdrawn_at withdrawn_by withdrawn_reason",
		"fido_metadata":        "number next_update blob fetched_at checked_at",
		"introduction":         "state ended_by ended_role ended_at ended_reason person_id request_id",
		"meeting":              "ends_at wrong_codes confirmed_at replaced_at",
		"membership":           "person_id",
		"message":              "text_sealed due_at attempts last_error sent_at gave_up_at",
		"person":               "title given_name middle_names family_name display_name email date_of_birth identity_level disabled_at identity_profile identity_profiles identity_ial identity_policy identity_evidence identity_computed_at closed_at closed_as merged_into language",
		"person_merge":         "state decided_by decided_role decided_at decision_reason",
		"photograph":           "replaced_at",
		"position":             "version",
		"position_version":     "approved_by approved_role approved_at",
		"refresh_token":        "used_at",
		"request":              "state assignable decided_by decided_role decided_at decision_reason owner_id owner_since",
		"retention_count":      "erased stayed stayed_because",
		"retention_hold":       "released_by released_at",
		"retention_run":        "ended_at",
		"review":               "closed_at",
		"review_item":          "outcome decided_by decided_role decided_at",
		"position_rollout":     "after_role",
		"role_profile":         "membership_id job_role areas_of_work activities workgroups ends_at position_version withheld",
		"self_registration":    "expires_at",
		"session":              "cookie_hash authenticator_id authenticator_level methods authenticated_at role_id role_chosen_at idle_at expires_at ended_at",
		"sign_in_day":          "sign_ins listed",
		"sign_in_reading":      "sequence",
		"signing_key":          "expires_at",
		"throttle":             "failures most ends_at",
		"used_assertion":       "expires_at",
		"used_challenge":       "expires_at",
	})
	functions := value[[]string](t, conn, `
		SELECT coalesce(array_agg(proname::text ORDER BY proname), '{}') FROM pg_proc
		WHERE pronamespace = 'public'::regnamespace AND has_function_privilege('credence_service', oid, 'EXECUTE')`)
	same(t, "functions that credence_service may call", functions, []string{"erase", "looks_like", "on_hold", "standing", "standing"})
	if n := value[int](t, conn, `SELECT count(*)::int FROM pg_class WHERE CASE relkind WHEN 'S' THEN has_sequence_privilege('credence_service', oid, 'SELECT, USAGE, UPDATE') END`); n != 0 {
		t.Errorf("sequences that credence_service may use = %d, want 0", n)
	}
}

func TestServiceIsRefused(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	must(t, in.AddAuditEvent(t.Context(), event))
	conn := connect(t, in.serviceURL)
	for _, statement := range []string{
		`UPDATE audit_event SET event = 'nothing'`,
		`DELETE FROM audit_event`,
		`TRUNCATE audit_event`,
		`SELECT setval('audit_event_sequence_seq', 1)`,
		`INSERT INTO audit_event (sequence, at, event, refusal, actor, person_id, client_id, request_id, address, detail) OVERRIDING SYSTEM VALUE
			SELECT sequence + 1, at, event, refusal, actor, person_id, client_id, request_id, address, detail FROM audit_event`,
		`UPDATE person SET handle = ''`,
		`UPDATE authenticator SET public_key = ''`,
		`UPDATE session SET person_id = ''`,
		`UPDATE signing_key SET sealed = ''`,
		`DELETE FROM authenticator`,
		`UPDATE authenticator SET attestation_object = ''`,
		`UPDATE enrolment_link SET code_mac = NULL`,
		`UPDATE enrolment_link SET most_level = NULL`,
		`UPDATE recovery_code SET person_id = ''`,
		`UPDATE self_registration SET email = ''`,
		`UPDATE person SET self_registered_organisation = NULL`,
		`DELETE FROM fido_metadata`,
		`DELETE FROM break_glass`,
		`UPDATE break_glass SET role_id = ''`,
		`UPDATE break_glass_seal SET expires_at = now()`,
		`UPDATE evidence SET facts = '{}'`,
		`UPDATE evidence SET number_hash = NULL`,
		`DELETE FROM evidence`,
		`UPDATE photograph SET image_sealed = ''`,
		`DELETE FROM photograph`,
		`UPDATE evidence_proposal SET proposed_by = ''`,
		`INSERT INTO evidence_proposal (state) VALUES ('confirmed')`,
		`DELETE FROM evidence_proposal`,
		`INSERT INTO account_code (used_at) VALUES (NULL)`,
		`DELETE FROM account_code`,
		`UPDATE meeting SET officer = ''`,
		`INSERT INTO meeting (confirmed_at) VALUES (NULL)`,
		`DELETE FROM meeting`,
		`UPDATE person_change SET reason = ''`,
		`DELETE FROM person_change`,
		`UPDATE person_merge SET proposed_by = ''`,
		`INSERT INTO person_merge (state) VALUES ('approved')`,
		`DELETE FROM person_merge`,
		`UPDATE role_profile SET starts_at = NULL`,
		`UPDATE role_profile SET position_id = NULL`,
		`INSERT INTO position_rollout (position_id) VALUES ('')`,
		`UPDATE position_rollout SET of_version = 1`,
		`UPDATE position SET organisation_code = ''`,
		`UPDATE position_version SET activities = '{B0420}'`,
		`UPDATE position_version SET made_by = ''`,
		`UPDATE position_version SET includes = '{}'`,
		`DELETE FROM catalogue_code`,
		`UPDATE catalogue_code SET code = ''`,
		`INSERT INTO position_version (approved_by) VALUES ('')`,
		`DELETE FROM position_version`,
		`UPDATE request SET expires_at = NULL`,
		`UPDATE request SET asked_by = ''`,
		`DELETE FROM request`,
		`UPDATE review SET due_at = NULL`,
		`INSERT INTO review (closed_at) VALUES (NULL)`,
		`DELETE FROM review`,
		`UPDATE review_item SET given_by = NULL`,
		`INSERT INTO review_item (outcome) VALUES (NULL)`,
		`DELETE FROM review_item`,
		`UPDATE client_application SET redirect_uris = NULL`,
		`UPDATE client_application SET applied_by = ''`,
		`INSERT INTO client_application (state) VALUES ('approved')`,
		`DELETE FROM client_application`,
		`INSERT INTO client_check (passed) VALUES (true)`,
		`DELETE FROM client_check`,
		`DELETE FROM request_queue`,
		`INSERT INTO request_queue (organisation_code) VALUES ('')`,
		`TRUNCATE evidence`,
		`UPDATE used_challenge SET hash = ''`,
		`UPDATE generation SET value = 0`,
		`INSERT INTO generation (name) VALUES ('another')`,
		`DELETE FROM generation`,
		`TRUNCATE generation`,
		`INSERT INTO development (marked_at) VALUES (now())`,
		`UPDATE development SET marked_at = now()`,
		`DELETE FROM development`,
		`TRUNCATE development`,
		`INSERT INTO schema_migrations (version, dirty) VALUES (99, false)`,
		`UPDATE schema_migrations SET version = 99`,
		`DELETE FROM schema_migrations`,
		`TRUNCATE schema_migrations`,
		`DELETE FROM person`,
		`TRUNCATE session CASCADE`,
		`DROP TABLE audit_event`,
		`ALTER TABLE audit_event DISABLE TRIGGER ALL`,
		`DROP TRIGGER client_generation ON client`,
		`CREATE TRIGGER mine AFTER INSERT ON client EXECUTE FUNCTION raise_generation()`,
		`CREATE TABLE mine ()`,
		`CREATE VIEW mine AS SELECT 1`,
		`CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
		`CREATE OR REPLACE FUNCTION raise_generation() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'`,
		`CREATE SCHEMA mine`,
		`CREATE FUNCTION trigram.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'`,
		`GRANT credence_owner TO credence_service`,
	} {
		_, err := conn.Exec(t.Context(), statement)
		if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "42501" {
			t.Errorf("%s = %v, want insufficient privilege (SQLSTATE 42501)", statement, err)
		}
	}
}

// The trigger that raises a generation runs as the owner. Nothing that the service can make in its own temporary schema
// may stand in for what the trigger uses, or use the trigger.
func TestTemporaryTablesOfTheService(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	conn := connect(t, in.serviceURL)
	exec(t, conn, `CREATE TEMPORARY TABLE generation (name text, value bigint)`)
	exec(t, conn, `INSERT INTO pg_temp.generation VALUES ('client', 0)`)
	exec(t, conn, `GRANT ALL ON pg_temp.generation TO PUBLIC`)
	before, err := in.Generation(t.Context(), "client")
	must(t, err)
	exec(t, conn, `UPDATE client SET name = 'Changed'`)
	if after, err := in.Generation(t.Context(), "client"); err != nil || after != before+1 {
		t.Errorf("Generation(client) = %d, %v, want %d", after, err, before+1)
	}
	exec(t, conn, `CREATE TEMPORARY TABLE client (id text)`)
	_, err = conn.Exec(t.Context(), `CREATE TRIGGER mine AFTER INSERT ON pg_temp.client EXECUTE FUNCTION raise_generation()`)
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.Code != "42501" {
		t.Errorf("CREATE TRIGGER(on a table of the service's own) = %v, want insufficient privilege", err)
	}
}

func TestCheckService(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	is(t, "CheckService(as the service)", in.CheckService(t.Context()), nil)
	if err := open(t, in.ownerURL, nil).CheckService(t.Context()); err == nil || !strings.Contains(err.Error(), "connect as credence_service") {
		t.Errorf("CheckService(as the owner) = %v, want it refused with the fix", err)
	}
}
