package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

// seedMany fills the tables that grow with people and use with tens of thousands of rows, as the owner. Half of what
// expires has expired at now, and half has not.
func seedMany(t *testing.T, conn *pgx.Conn) {
	t.Helper()
	fill := strings.NewReplacer("{now}", "timestamptz '"+now.Format(time.RFC3339)+"'", "{many}", "generate_series(1, 20000) n")
	for _, table := range growing() { // they run row by row, and are about changes: there are none
		exec(t, conn, `ALTER TABLE `+table+` DISABLE TRIGGER USER`)
	}
	for _, statement := range []string{
		`INSERT INTO person (id, handle, title, given_name, middle_names, family_name, display_name, identity_level, created_at, version)
			SELECT to_char(500000000000 + n, 'FM000000000000'), sha256(n::text::bytea), '', 'A', '', 'B', 'A B', 'high', {now}, gen_random_uuid() FROM {many}`,
		`INSERT INTO professional_registration (person_id, body, number) SELECT id, 'gmc', '1' FROM person WHERE id > '5'`,
		`INSERT INTO evidence (id, person_id, type, kind, facts, number_sealed, number_hash, process_id, recorded_at, recorded_by)
			SELECT gen_random_uuid(), id, 'document', 'passport', '{}', 'sealed', sha256(id::bytea), gen_random_uuid(), {now}, 'desk' FROM person WHERE id > '5'`,
		`INSERT INTO membership (id, person_id, organisation_code, created_at)
			SELECT to_char(id::bigint + 100000000000, 'FM000000000000'), id, 'RXX01', {now} FROM person WHERE id > '5'`,
		`INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, created_at)
			SELECT to_char(id::bigint + k * 100000000000, 'FM000000000000'), id, 'S8000:G8000:R8000', '{}', '{B0420}', '{400000000001}', {now}, {now}
			FROM membership, generate_series(1, 2) k WHERE id > '5'`,
		`INSERT INTO authenticator (id, person_id, name, kind, credential_id, public_key, sign_count, aaguid, transports, backup_eligible, backup_state,
				attestation_format, attestation_object, client_data, created_at)
			SELECT gen_random_uuid(), id, 'key', 'passkey', handle, 'public', 0, gen_random_uuid(), '{}', true, true,
				CASE WHEN id LIKE '%1' THEN 'packed' ELSE 'none' END, 'object', '{}', {now}
			FROM person WHERE id > '5'`,
		`INSERT INTO session (id, cookie_hash, person_id, authenticator_level, methods, authenticated_at, created_at, idle_at, expires_at)
			SELECT gen_random_uuid(), handle, id, 2, '{pop}', {now}, {now}, at, at
			FROM person, LATERAL (SELECT {now} + (right(id, 5)::int - 10000) * interval '1 s' AS at) s WHERE id > '5'`,
		`INSERT INTO authorization_grant (id, client_id, person_id, session_id, scopes, redirect_uri, nonce, authenticator_level, methods, authenticated_at,
				code_hash, code_challenge, code_expires_at, created_at, expires_at)
			SELECT gen_random_uuid(), 'ward', person_id, id, '{openid}', 'https://rp.example.org/callback', '', 2, '{pop}', {now},
				cookie_hash, repeat('c', 43), expires_at, {now}, expires_at FROM session WHERE person_id > '5'`,
		`INSERT INTO refresh_token (hash, grant_id, created_at, used_at)
			SELECT sha256((id::text || k)::bytea), id, {now}, CASE WHEN k < 2 THEN {now} END FROM authorization_grant, generate_series(1, 2) k WHERE person_id > '5'`,
		`INSERT INTO used_challenge (hash, expires_at) SELECT sha256(n::text::bytea), {now} + (n - 10000) * interval '1 s' FROM {many}`,
		`INSERT INTO enrolment_link (hash, person_id, created_at, expires_at)
			SELECT cookie_hash, person_id, {now}, expires_at FROM session WHERE person_id > '5'`,
		`INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
			SELECT {now}, 'signed_in', '', 'x', id, 'ward', '', '', '{}' FROM person`,
		`INSERT INTO organisation (code, name, parent_code, created_at) SELECT 'N' || n, 'N', CASE WHEN n <= 20 THEN 'RXX01' ELSE 'N' || (n - 1) % 20 + 1 END, {now} FROM {many}`,
		`INSERT INTO position (id, organisation_code, created_at, sorted_as, offered_as, proposed_at) SELECT to_char(n, 'FM000000000000'), 'N' || n, {now}, n, n, {now} FROM {many}`,
		`INSERT INTO position_version (position_id, version, closes, name, notes, job_role, areas_of_work, activities, workgroups, assignable, reason, made_by, made_role, made_at)
			SELECT id, 1, false, 'Nurse', '', 'S8000:G8000:R8000', '{}', '{B0420}', '{}', false, 'x', '` + ana + `', '` + anaRole + `', {now} FROM position`,
		`INSERT INTO request (id, kind, person_id, position_id, position_version, organisation_code, starts_at, reason, asked_by, asked_role, asked_at, lapses_at)
			SELECT gen_random_uuid(), 'assign_position', to_char(500000000000 + id::bigint, 'FM000000000000'), id, 1, organisation_code, {now}, 'x', to_char(500000000001 + id::bigint % 20000, 'FM000000000000'), '` + anaRole + `', {now}, {now} + interval '1 day'
			FROM position`,
		`INSERT INTO request_queue (organisation_code, request_id) SELECT organisation_code, id FROM request UNION ALL SELECT 'RXX01', id FROM request`,
		`INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, created_at, position_id, request_id)
			SELECT to_char(900000000000 + r.position_id::bigint, 'FM000000000000'), m.id, 'S8000:G8000:R8000', '{}', '{B0420}', '{}', {now}, {now}, r.position_id, r.id
			FROM request r JOIN membership m ON m.person_id = r.person_id`,
		`INSERT INTO request (id, kind, person_id, position_id, position_version, organisation_code, starts_at, reason, asked_by, asked_role, asked_at, lapses_at, state, decided_at, decision_reason)
			SELECT gen_random_uuid(), kind, person_id, position_id, 1, organisation_code, starts_at, 'x', asked_by, asked_role, asked_at, lapses_at, 'withdrawn', {now} + n * interval '1 s', 'x'
			FROM (SELECT *, row_number() OVER () AS n FROM request) r`,
		`INSERT INTO message (id, person_id, address, kind, dedupe_key, text_sealed, created_at, due_at, sent_at)
			SELECT gen_random_uuid(), to_char(500000000000 + n, 'FM000000000000'), 'a@example.org', 'told', n, CASE WHEN n > 10000 THEN 'x'::bytea END, {now}, CASE WHEN n > 10000 THEN {now} END, CASE WHEN n <= 10000 THEN {now} END FROM {many}`,
		`INSERT INTO person_change (id, person_id, kind, actor, actor_role, reason, old, new, at)
			SELECT gen_random_uuid(), to_char(500000000000 + n, 'FM000000000000'), 'corrected', '` + ana + `', '` + anaRole + `', 'x', '{}', '{}', {now} FROM {many}`,
		`INSERT INTO person_merge (id, duplicate, kept, reason, proposed_by, proposed_role, proposed_at)
			SELECT gen_random_uuid(), to_char(500000000000 + n, 'FM000000000000'), to_char(500000000000 + n % 20000 + 1, 'FM000000000000'), 'x', '` + ana + `', '` + anaRole + `', {now} FROM {many}`,
		`INSERT INTO review (id, organisation_code, below, removes, due_at, reason, opened_by, opened_role, opened_at, closed_at)
			SELECT gen_random_uuid(), 'N' || n, false, false, {now} + interval '1 day', 'x', '` + ana + `', '` + anaRole + `', {now}, CASE WHEN n > 10000 THEN {now} END FROM {many}`,
		`INSERT INTO review_item (review_id, role_id, person_id, given_by)
			SELECT v.id, r.id, m.person_id, a.asked_by FROM role_profile r JOIN membership m ON m.id = r.membership_id JOIN request a ON a.id = r.request_id
			JOIN review v ON v.organisation_code = a.organisation_code`,
		`INSERT INTO client_application (id, organisation_code, environment, name, purpose, contact, authentication, redirect_uris, post_logout_redirect_uris, scopes, requires_role,
				minimum_authenticator_level, minimum_identity_level, applied_by, applied_role, applied_at)
			SELECT gen_random_uuid(), 'N' || n, 'integration', n, 'x', 'x', 'none', '{x}', '{}', '{openid}', false, 1, 'none', '` + ana + `', '` + anaRole + `', {now} FROM {many}`,
		`INSERT INTO sign_in_day (organisation_code, day, sign_ins) SELECT 'N' || n, {now}::date, 1 FROM {many}`,
		`INSERT INTO audit_place (organisation_code, at, sequence, event, refused)
			SELECT c.code, {now} + n * interval '1 s', n, CASE WHEN n % 2 = 0 THEN 'signed_in' ELSE 'enrolled' END, n % 10 = 0 FROM {many}, LATERAL (VALUES ('N' || n), ('RXX01')) c (code)`,
		`INSERT INTO unusual_sign_in (organisation_code, sequence, at, reasons) SELECT 'N' || n, n, {now}, '{x}' FROM {many}`,
		`INSERT INTO throttle (kind, slot, failures, most, ends_at) SELECT 'token', n, 1, 1 + n % 100, {now} + (n - 10000) * interval '1 s' FROM {many}`,
	} {
		exec(t, conn, fill.Replace(statement))
	}
	exec(t, conn, fill.Replace(manyProofs))
	for _, table := range growing() {
		exec(t, conn, `ALTER TABLE `+table+` ENABLE TRIGGER USER`)
	}
	exec(t, conn, `ANALYZE`)
}

// growing lists the tables that grow with people and use, so that no hot statement may read the whole of one.
func growing() []string {
	return []string{
		"person", "professional_registration", "evidence", "membership", "role_profile", "authenticator", "enrolment_link", "used_challenge", "session",
		"authorization_grant", "refresh_token", "audit_event", "throttle", "organisation", "position", "position_version", "request", "request_queue",
		"message", "person_change", "person_merge", "review", "review_item", "client_application", "sign_in_day", "unusual_sign_in", "audit_place",
		"photograph", "evidence_proposal", "introduction", "meeting", "recovery_code", "account_code", "self_registration", "break_glass", "break_glass_seal",
		"used_assertion", "client_check",
	}
}

// bounded lists the tables that do not grow so, and why.
func bounded() map[string]string {
	return map[string]string{
		"authenticator_model":  "one of each model that is sold",
		"authenticator_policy": "one of each organisation that says anything of models",
		"break_glass_request":  "one of each pair of envelopes, and swept an hour after it lapsed",
		"catalogue_code":       "as many as are published",
		"client":               "one of each service, read whole into memory",
		"development":          "one row",
		"fido_metadata":        "one row",
		"generation":           "one of each small set that is kept in memory",
		"position_rollout":     "one of each position that was changed, until it is carried out",
		"retention_count":      "one of each rule and run",
		"retention_hold":       "of whom there is a claim or an inquiry",
		"retention_run":        "one a day",
		"schema_migrations":    "one row",
		"sign_in_reading":      "one row",
		"signing_key":          "one every 90 days",
		"workgroup":            "as many as positions name",
	}
}

// Of every table it is decided whether a hot statement may read the whole of it. A new one is put into one of the two lists.
func TestEveryTableGrowsOrIsBounded(t *testing.T) {
	t.Parallel()
	ownerURL, _ := storetest.URLs(t)
	conn := connect(t, ownerURL)
	tables := value[[]string](t, conn, `SELECT array_agg(tablename::text ORDER BY tablename) FROM pg_tables WHERE schemaname = 'public'`)
	for _, table := range tables {
		if grows := slices.Contains(growing(), table); grows == (bounded()[table] != "") {
			t.Errorf("table %s grows: %t, and is bounded because of %q: want one of the two", table, grows, bounded()[table])
		}
	}
	for _, table := range slices.Concat(growing(), slices.Collect(maps.Keys(bounded()))) {
		if !slices.Contains(tables, table) {
			t.Errorf("table %s is in one of the lists and not there", table)
		}
	}
}

// planNode is a node of a plan as EXPLAIN (FORMAT JSON) writes it.
type planNode struct {
	NodeType  string     `json:"Node Type"`
	Relation  string     `json:"Relation Name"`
	Function  string     `json:"Function Name"`
	Schema    string     `json:"Schema"`
	IndexCond string     `json:"Index Cond"`
	Plans     []planNode `json:"Plans"`
}

// faults lists what of a plan reads the whole of a table that grows: a sequential scan, or an index from end to end. A
// function of ours that the planner does not look into could hide one.
func (n planNode) faults() []string {
	var found []string
	switch {
	case n.NodeType == "Function Scan" && n.Function != "" && n.Schema != "pg_catalog":
		found = append(found, "the plan of the function "+n.Function+" is hidden")
	case !slices.Contains(growing(), n.Relation) || n.NodeType == "ModifyTable" || n.NodeType == "Bitmap Heap Scan":
	case n.NodeType == "Seq Scan":
		found = append(found, "Seq Scan on "+n.Relation)
	case strings.HasPrefix(n.NodeType, "Index") && n.IndexCond == "":
		found = append(found, n.NodeType+" of the whole of "+n.Relation)
	}
	for _, child := range n.Plans {
		found = append(found, child.faults()...)
	}
	return found
}

// explain plans a statement as one that was prepared and knows nothing of its arguments, which is the plan that has to be
// good for all of them. It returns what is wrong with the plan, and the plan to read.
func explain(t *testing.T, conn *pgx.Conn, statement string, arguments int) (faults []string, text string) {
	t.Helper()
	exec(t, conn, `PREPARE hot AS `+statement)
	defer exec(t, conn, `DEALLOCATE hot`)
	run := `EXECUTE hot`
	if arguments > 0 {
		run += `(` + strings.TrimSuffix(strings.Repeat("NULL, ", arguments), ", ") + `)`
	}
	document := value[[]byte](t, conn, `EXPLAIN (FORMAT JSON, VERBOSE) `+run)
	var plans []struct{ Plan planNode }
	must(t, json.Unmarshal(document, &plans))
	rows, err := conn.Query(t.Context(), `EXPLAIN `+run)
	must(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	return plans[0].Plan.faults(), strings.Join(lines, "\n")
}

// statements is a tracer that keeps every statement that is sent, with the number of its arguments.
type statements struct {
	mu   sync.Mutex
	sent map[string]int
}

var (
	_ pgx.QueryTracer = (*statements)(nil)
	_ pgx.BatchTracer = (*statements)(nil)
)

func (s *statements) keep(sql string, arguments int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !strings.HasPrefix(sql, "BEGIN") && sql != "COMMIT" && sql != "-- ping" {
		s.sent[sql] = arguments
	}
}

// take returns the statements so far and begins anew.
func (s *statements) take() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	sent := s.sent
	s.sent = map[string]int{}
	return sent
}

// TraceQueryStart implements pgx.QueryTracer.
func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	s.keep(data.SQL, len(data.Args))
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TraceBatchStart implements pgx.BatchTracer.
func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	for _, q := range data.Batch.QueuedQueries {
		s.keep(q.SQL, len(q.Arguments))
	}
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (s *statements) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

// scans is how many sequential scans each table has seen, once the pool is closed and everything was counted.
func (in *installation) scans(t *testing.T, pool *store.Store, owner *pgx.Conn) map[string]int64 {
	t.Helper()
	pool.Close()
	eventually(t, "the end of the connections of the service", func() bool {
		return value[int](t, owner, `SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND usename = 'credence_service'`) == 0
	})
	exec(t, owner, `SELECT pg_stat_force_next_flush()`)
	rows, err := owner.Query(t.Context(), `SELECT relname::text, seq_scan FROM pg_stat_user_tables`)
	must(t, err)
	scans := map[string]int64{}
	var table string
	var n int64
	_, err = pgx.ForEachRow(rows, []any{&table, &n}, func() error {
		scans[table] = n
		return nil
	})
	must(t, err)
	return scans
}

// The cost of a request must not grow with the number of people, of sessions or of lines of the record. So no statement
// that a request or a sweep runs may read the whole of a table that grows, whatever its arguments are.
func TestNoHotStatementScansATableThatGrows(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	owner := connect(t, in.ownerURL)
	seedMany(t, owner)
	exec(t, owner, `UPDATE organisation SET self_registration = true WHERE code = '`+organisation+`'`)
	before := in.scans(t, in.Store, owner)
	conn := connect(t, in.serviceURL) // as the server itself: it may run them all
	exec(t, conn, `SET plan_cache_mode = force_generic_plan`)
	exec(t, conn, `CREATE FUNCTION pg_temp.hidden() RETURNS SETOF text LANGUAGE plpgsql AS 'BEGIN RETURN QUERY SELECT id FROM person; END'`)
	sent := &statements{sent: map[string]int{}}
	hot, ctx := open(t, in.serviceURL, sent), t.Context()
	sent.take()
	password, app := newSecret("password"), newSecret("totp")
	for _, tt := range []struct {
		what string
		do   func() error
	}{
		{"read a person", func() error { return second(hot.Person(ctx, ana, now)) }},
		{"read a credential", func() error { return second(hot.Credential(ctx, []byte("credential"), ward, now)) }},
		{"change an authenticator", func() error {
			a := newAuthenticator(uuid.New(), "suspended")
			return errors.Join(hot.AddAuthenticator(ctx, a), second(hot.ChangeAuthenticator(ctx, a.ID, "active", "suspended", now)))
		}},
		{"list authenticators", func() error {
			return errors.Join(second(hot.Authenticators(ctx, ana, true)), second(hot.AuthenticatorsOf(ctx, ana, store.Order{}, uuid.Nil, 10)), second(hot.AuthenticatorsOf(ctx, ana, store.Order{Descending: true}, authenticatorID, 10)))
		}},
		{"use an authenticator", func() error { return hot.UseAuthenticator(ctx, authenticatorID, 8, false, now) }},
		{"spend a challenge", func() error { return hot.UseChallenge(ctx, hash("challenge"), later) }},
		{"read an enrolment link", func() error { return second(hot.EnrolmentLink(ctx, hash("link"), now)) }},
		{"give the code of an enrolment link", func() error {
			return errors.Join(hot.AddEnrolmentLink(ctx, hash("coded"), hash("code"), ana, now, later), second(hot.GiveCode(ctx, hash("coded"), [][]byte{hash("code")}, 5, now)))
		}},
		{"list open enrolment links", func() error {
			return errors.Join(second(hot.OpenLinks(ctx, ana, 5, store.Order{}, uuid.Nil, 10, now)), second(hot.OpenLinks(ctx, ana, 5, store.Order{Descending: true}, requestID, 10, now)))
		}},
		{"use an enrolment link", func() error { return second(hot.UseEnrolmentLink(ctx, hash("link"), 3, 5, now)) }},
		{"cancel an enrolment link", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				list, err := tx.OpenLinks(ctx, ana, 5, store.Order{}, uuid.Nil, 50, now)
				if err != nil {
					return err
				}
				return errors.Join(second(tx.LockLink(ctx, list[0].ID)), tx.CancelLink(ctx, list[0].ID, now))
			})
		}},
		{"bind an authenticator", func() error { return hot.AddAuthenticator(ctx, newAuthenticator(uuid.New(), "another")) }},
		{"bind a password and an app", func() error { return errors.Join(hot.AddSecret(ctx, password), hot.AddSecret(ctx, app)) }},
		{"list secrets", func() error { return second(hot.Secrets(ctx, ana)) }},
		{"count a failed attempt", func() error { return hot.CountFailedAttempt(ctx, password.ID) }},
		{"use a password", func() error { return hot.UsePassword(ctx, password.ID, 2, now) }},
		{"use a one-time code", func() error { return hot.UseOneTimeCode(ctx, app.ID, 8, now) }},
		{"hash a password anew", func() error { return hot.ReplaceSealed(ctx, password.ID, []byte("anew")) }},
		{"begin a session", func() error {
			return second(hot.BeginSession(ctx, newSession(sessionID, ana), hash("cookie"), hash("next cookie"), now))
		}},
		{"read a session", func() error { return second(hot.Session(ctx, hash("next cookie"), ward, now)) }},
		{"read a session to end it", func() error { return second(hot.TimedOutSession(ctx, hash("next cookie"), now)) }},
		{"touch a session", func() error { return hot.TouchSession(ctx, sessionID, later) }},
		{"choose a role", func() error { return hot.ChooseRole(ctx, sessionID, new(anaRole), now) }},
		{"add a grant", func() error { return hot.AddGrant(ctx, newGrant(uuid.New()), hash("another code"), later) }},
		{"read a code", func() error { return second(hot.Code(ctx, hash("code"), ward, now)) }},
		{"exchange a code", func() error { return hot.ExchangeCode(ctx, exchange(ctx, t, hot, "code", "")) }},
		{"spend a code", func() error { return hot.UseCode(ctx, hash("another code"), now) }},
		{"read a refresh token", func() error { return second(hot.RefreshToken(ctx, hash("refresh"), ward, now)) }},
		{"exchange a refresh token", func() error { return hot.ExchangeRefreshToken(ctx, exchange(ctx, t, hot, "refresh", "next")) }},
		{"spend a refresh token", func() error { return hot.UseRefreshToken(ctx, hash("next"), now) }},
		{"read a grant", func() error { return second(hot.Grant(ctx, grantID, now)) }},
		{"see a code used again", func() error { return second(hot.RevokeGrantOfCode(ctx, hash("code"), ward, now)) }},
		{"see a refresh token used again", func() error { return second(hot.RevokeGrantOfRefreshToken(ctx, hash("refresh"), ward, now)) }},
		{"revoke a grant", func() error { return hot.RevokeGrant(ctx, grantID, now) }},
		{"add to the record", func() error { return hot.AddAuditEvent(ctx, event) }},
		{"count a failure", func() error {
			return second(hot.CountFailures(ctx, []store.FailureCount{{Kind: "token", Slot: 1, Most: 2, EndsAt: later}}, now))
		}},
		{"list the limits that were reached", func() error { return second(hot.ReachedLimits(ctx, now, 10)) }},
		{"record evidence", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				return errors.Join(second(tx.LockIdentities(ctx, ana)), tx.LockNumbers(ctx, [][]byte{hash("number")}), tx.AddEvidence(ctx, newEvidence(evidenceID, ana)), tx.SetIdentity(ctx, ana, identity))
			})
		}},
		{"withdraw evidence", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				return tx.WithdrawEvidence(ctx, []uuid.UUID{evidenceID}, "desk", "forged", now)
			})
		}},
		{"read a piece of evidence", func() error { return second(hot.Evidence(ctx, evidenceID)) }},
		{"read an identity", func() error { return second(hot.Identity(ctx, ana)) }},
		{"read an identity and its evidence", func() error {
			_, _, err := hot.IdentityAndEvidence(ctx, ana, 10)
			return err
		}},
		{"list identities", func() error { return second(hot.Identities(ctx, ana, 10)) }},
		{"list the evidence of a person", func() error {
			return errors.Join(second(hot.EvidenceOf(ctx, ana, store.Order{}, uuid.Nil, 10)), second(hot.EvidenceOf(ctx, ana, store.Order{Descending: true}, uuid.Nil, 10)))
		}},
		{"list the evidence that counts", func() error { return second(hot.EvidenceInForce(ctx, 10, ana, ben)) }},
		{"find evidence by a number", func() error { return second(hot.EvidenceByNumber(ctx, [][]byte{hash("number")}, 10)) }},
		{"list authenticators of models and organisations", func() error {
			return second(hot.HeldAuthenticators(ctx, []uuid.UUID{blueModel}, []string{organisation}, store.Position{PersonID: ana}, 10))
		}},
		{"list attested authenticators", func() error { return second(hot.AttestedAuthenticators(ctx, authenticatorID, 10)) }},
		{"find people by name", func() error { return second(hot.PeopleNamed(ctx, "Ana Ng", store.Order{}, ana, 10)) }},
		{"find people by name and date of birth", func() error { return second(hot.PeopleBornOn(ctx, now, "Ana Ng", store.Order{}, ana, 10)) }},
		{"find people by email address", func() error { return second(hot.PeopleOfEmail(ctx, "ana@example.org", store.Order{}, ana, 10)) }},
		{"find people by user id", func() error { return second(hot.PeopleOfID(ctx, ana)) }},
		{"keep others from adding the same person", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error { return tx.LockNewcomers(ctx, &now, "ana@example.org") })
		}},
		{"read a date of birth", func() error { return second(hot.DateOfBirth(ctx, ana)) }},
		{"list the roles of a person", func() error { return second(hot.PositionedRoles(ctx, ana, store.Order{}, "", 10, now)) }},
		{"list the open requests for a person", func() error { return second(hot.OpenRequestsFor(ctx, ana, officers(), 10, now)) }},
		{"list the positions that can be asked for", func() error { return second(hot.OfferedPositions(ctx, organisation, "nurse", store.Order{}, "", 10)) }},
		{"list the sessions of a person", func() error {
			return errors.Join(second(hot.SessionsOf(ctx, ana, store.Order{}, uuid.Nil, 10, now)), second(hot.SessionsOf(ctx, ana, store.Order{Descending: true}, requestID, 10, now)))
		}},
		{"list what happened to a person", func() error {
			return errors.Join(
				second(hot.EventsAbout(ctx, ana, []string{"signed_in"}, true, store.Order{}, 5, 10)),
				second(hot.EventsAbout(ctx, ana, []string{"signed_in"}, false, store.Order{Descending: true}, 5, 10)))
		}},
		{"read the record about a person", func() error {
			return errors.Join(second(hot.ReadAudit(ctx, store.AuditLines{PersonID: ana, Until: later}, 10)), second(hot.ReadAudit(ctx, store.AuditLines{PersonID: ana, Until: later, Oldest: true}, 10)))
		}},
		{"read the record of what an officer did", func() error {
			return errors.Join(second(hot.RolesEver(ctx, ana)), second(hot.RolePlaces(ctx, []string{anaRole})), second(hot.ReadAudit(ctx, store.AuditLines{PersonID: ana, Roles: []string{anaRole}, Until: later}, 10)))
		}},
		{"lock authenticators", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				return errors.Join(tx.LockAuthenticators(ctx, ana), second(tx.KeptAuthenticators(ctx, ana)), second(tx.Bindings(ctx, ana)), second(tx.BoundByOthers(ctx, []string{ana, ben})))
			})
		}},
		{"end the other sessions of a person", func() error { return second(hot.EndOtherSessions(ctx, ana, sessionID, now)) }},
		{"end a session of a person", func() error { return hot.EndSessionOf(ctx, ana, sessionID, now) }},
		{"end a session", func() error { return hot.EndSession(ctx, sessionID, now) }},
		{"end the sessions of a person", func() error { return second(hot.EndSessions(ctx, ana, now)) }},
		{"propose a position", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				return errors.Join(tx.AddPosition(ctx, anaPosition, organisation, now), tx.AddPositionVersion(ctx, newVersion(1)), second(tx.LockPosition(ctx, anaPosition)))
			})
		}},
		{"read organisations above", func() error { return second(hot.OrganisationPath(ctx, organisation)) }},
		{"read what a position gives", func() error { return second(hot.GivenAccess(ctx, anaPosition, now)) }},
		{"read a position", func() error { return second(hot.Position(ctx, anaPosition)) }},
		{"read a version of a position", func() error { return second(hot.PositionVersion(ctx, anaPosition, 1)) }},
		{"list the versions of a position", func() error {
			return errors.Join(second(hot.PositionVersions(ctx, anaPosition, store.Order{}, 1, 10)), second(hot.PositionVersions(ctx, anaPosition, store.Order{Descending: true}, 9, 10)))
		}},
		{"list positions", func() error { return second(hot.Positions(ctx, organisation, "", store.Order{}, "", 10)) }},
		{"approve a version", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				return errors.Join(tx.LockInclusions(ctx), tx.ApprovePositionVersion(ctx, anaPosition, 1, ben, benRole, now))
			})
		}},
		{"list what a position includes", func() error { return second(hot.IncludedPositions(ctx, []string{anaPosition}, 5, 100)) }},
		{"list what includes a position", func() error {
			return errors.Join(second(hot.Includers(ctx, anaPosition, 10)), second(hot.IncludedDepth(ctx, anaPosition, 5)))
		}},
		{"ask for a position", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				return errors.Join(second(tx.LapseRequests(ctx, anaPosition, "", now, "x", now)), tx.AddRequest(ctx, newRequest(requestID)),
					second(tx.LockPositionOfRequest(ctx, requestID)), second(tx.LockRequest(ctx, requestID)))
			})
		}},
		{"read a request", func() error { return second(hot.Request(ctx, requestID)) }},
		{"take a request", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				return errors.Join(tx.OwnRequest(ctx, requestID, "500000000123", now), second(tx.Owner(ctx, requestID, officers(), now)))
			})
		}},
		{"list in every order", func() error { return inEveryOrder(ctx, hot) }},
		{"count sign-ins", func() error { return second(countSignIns(ctx, hot, later)) }},
		{"list what sign-ins there were", func() error {
			o := store.Order{By: store.ByTime, Descending: true}
			return errors.Join(second(hot.SignInDays(ctx, organisation, zone, 28, now)), second(hot.UnusualSignIns(ctx, organisation, now, o, 0, 10)), second(hot.CountUnusualSignIns(ctx, organisation, now, 10)))
		}},
		{"look what was done to a client", func() error { return second(hot.DoneToClient(ctx, ward, []string{"client_updated"}, 10)) }},
		{"read the record of an organisation", func() (failed error) {
			for _, l := range []store.AuditLines{
				{},
				{Event: "signed_in"},
				{Event: "role_granted"},
				{Outcome: store.Done},
				{Outcome: store.Refused},
				{Event: "signed_in", Outcome: store.Done},
				{Event: "signed_in", Outcome: store.Refused},
				{Event: "role_granted", Outcome: store.Refused},
			} {
				for _, l.Oldest = range []bool{false, true} {
					l.From, l.Until, l.After = now, later, 7
					failed = errors.Join(failed, second(hot.ReadAuditAt(ctx, organisation, l, 10)))
				}
			}
			return failed
		}},
		{"list suspended authenticators", func() error {
			return errors.Join(second(hot.SuspendedAuthenticators(ctx, organisation, store.Order{Descending: true}, uuid.Nil, 10)))
		}},
		{"list open requests", func() error {
			return second(hot.OpenRequests(ctx, store.Queue{OrganisationCode: organisation}, store.Order{}, uuid.Nil, 10, now))
		}},
		{"count what waits", func() error { return second(hot.Waiting(ctx, "N1", figures(), officers(), 10, now)) }},
		{"prove who somebody is", func() error { return prove(ctx, hot) }},
		{"introduce somebody", func() error { return introduce(ctx, hot) }},
		{"count recovery codes and read earlier addresses", func() error {
			return errors.Join(second(hot.RecoveryCodes(ctx, ana)), second(hot.EarlierAddresses(ctx, ana, now)))
		}},
		{"find who has an address, and names that look alike", func() error {
			return errors.Join(second(hot.OnRecord(ctx, "ana@example.org")), second(hot.SameNames(ctx, "Riverside", "N1")))
		}},
		{"list positions by how their name begins", func() (failed error) {
			for _, o := range orders("", store.ByName, store.ByTime) {
				failed = errors.Join(failed, second(hot.Positions(ctx, organisation, "Ward", o, anaPosition, 10)), second(hot.ProposedPositions(ctx, organisation, "Ward", o, anaPosition, 10)))
			}
			return failed
		}},
		{"list proposed positions", func() error { return second(hot.ProposedPositions(ctx, organisation, "", store.Order{}, "", 10)) }},
		{"read a profile", func() error { return second(hot.Profile(ctx, ana)) }},
		{"list profiles that were merged", func() error { return second(hot.MergedInto(ctx, ana)) }},
		{"list merges that are proposed", func() error { return second(hot.ProposedMerges(ctx, ana, 10)) }},
		{"list open merges", func() error { return second(hot.OpenMerges(ctx, organisation, store.Order{}, uuid.Nil, 10)) }},
		{"list what was changed of people", func() error {
			return errors.Join(second(hot.PersonChanges(ctx, []string{ana, ben}, store.Order{}, uuid.Nil, 10)), second(hot.PersonChanges(ctx, []string{ana, ben}, store.Order{Descending: true}, uuid.Nil, 10)))
		}},
		{"count what ends with a profile", func() error { return second(hot.Holdings(ctx, ana, now)) }},
		{"find people by user ids", func() error { return second(hot.PeopleOfIDs(ctx, []string{ana, ben})) }},
		{"correct a person", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				return errors.Join(tx.LockOpenRequests(ctx, ana), tx.LockAccess(ctx, ana), tx.CorrectPerson(ctx, ana, store.Details{GivenName: "Ana", FamilyName: "Ng", DisplayName: "Ana Ng"}), tx.AddPersonChange(ctx, store.PersonChange{
					ID: uuid.New(), PersonID: ana, Kind: "corrected", Actor: ben, ActorRole: benRole, Reason: "x", Old: []byte("{}"), New: []byte("{}"), At: now,
				}), second(tx.LastChange(ctx, ana, "corrected")))
			})
		}},
		{"merge people", func() error {
			const duplicate, kept = "500000000777", "500000000900"
			return hot.InTx(ctx, func(tx *store.Tx) error {
				id := uuid.New()
				return errors.Join(tx.LockMerges(ctx), tx.AddMerge(ctx, store.Merge{ID: id, Duplicate: duplicate, Kept: kept, Reason: "x", ProposedBy: ana, ProposedRole: anaRole, ProposedAt: now}),
					second(tx.Merge(ctx, id)), tx.DecideMerge(ctx, id, "approved", ben, benRole, "x", now), tx.ClosePerson(ctx, duplicate, "duplicate", now),
					second(tx.EndRoles(ctx, duplicate, "", later)), second(tx.EndRoleSessions(ctx, duplicate, []string{anaRole}, now)), second(tx.EndAccess(ctx, duplicate, now)),
					second(tx.RevokeAuthenticators(ctx, duplicate, now)), second(tx.CancelRequests(ctx, duplicate, "", "x", now)), tx.MergePerson(ctx, duplicate, kept))
			})
		}},
		{"read names of people", func() error { return second(hot.PersonNames(ctx, []string{ana, ben})) }},
		{"list what somebody holds", func() error { return second(hot.HeldRoles(ctx, ana, 10, now)) }},
		{"read workgroups", func() error { return second(hot.Workgroups(ctx, []string{workgroup})) }},
		{"list who holds a position", func() (failed error) {
			for _, which := range []store.HolderFilter{{}, {PersonID: ana}, {Name: "Ana Ng"}, {Organisation: organisation}, {Name: "Ana Ng", Organisation: organisation}} {
				for _, o := range orders(store.ByName, store.ByStart, store.ByExpiry) {
					failed = errors.Join(failed, second(hot.Holders(ctx, []string{anaPosition, "600000000777"}, which, o, ana, 10, now)), second(hot.WithheldRoles(ctx, anaPosition, which, o, ana, 10, now)))
				}
			}
			return failed
		}},
		{"read who follows a position", func() error {
			return errors.Join(second(hot.RoleHolders(ctx, []string{anaPosition}, "", 10, now)), second(hot.HeldRolesOf(ctx, []string{ana, ben}, 10, now)), second(hot.CountBehind(ctx, anaPosition, now)),
				second(hot.IncludersInTurn(ctx, anaPosition, 10)),
				second(hot.Include(ctx, []string{anaPosition}, anaPosition, 5)), second(hot.Kept(ctx, ana)), second(hot.PositionNames(ctx, []string{anaPosition})))
		}},
		{"change roles", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				return errors.Join(tx.EndHeldRoles(ctx, []string{anaRole}, "", later), tx.LockPersonOfRole(ctx, anaRole), tx.LockOpenRequests(ctx, ana))
			})
		}},
		{"list what is to be rolled out", func() error { return second(hot.Rollouts(ctx, "", 10)) }},
		{"count who holds a position", func() error {
			return errors.Join(second(hot.CountHolders(ctx, []string{anaPosition}, now)), second(hot.Holding(ctx, anaPosition, now)))
		}},
		{"decide a request", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				return errors.Join(tx.SettleRequest(ctx, requestID, store.Settlement{State: "withdrawn", Reason: "x", At: now}), second(tx.EndPosition(ctx, anaPosition, "", now, nil)))
			})
		}},
		{"open a review", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				r := store.Review{ID: uuid.New(), OrganisationCode: organisation, DueAt: later, Reason: "x", OpenedBy: ana, OpenedRole: anaRole, OpenedAt: now}
				return errors.Join(tx.AddReview(ctx, r), second(tx.AddReviewItems(ctx, r.ID, organisation, false, 10, now)))
			})
		}},
		{"read a review", func() error {
			_, err := hot.Review(ctx, uuid.New(), now)
			if errors.Is(err, store.ErrNotFound) {
				err = nil
			}
			return err
		}},
		{"list reviews", func() error {
			return errors.Join(second(hot.Reviews(ctx, "N1", false, store.Order{}, uuid.Nil, 10, now)), second(hot.Reviews(ctx, "N1", true, store.Order{}, uuid.Nil, 10, now)))
		}},
		{"list break-glass", func() error {
			return errors.Join(second(hot.BreakGlasses(ctx, "N1", true, store.Order{}, uuid.Nil, 10)), second(hot.BreakGlasses(ctx, "N1", false, store.Order{Descending: true}, uuid.Nil, 10)))
		}},
		{"list managers to tell of break-glass", func() error { return second(hot.RAManagers(ctx, []string{"N1", "RXX01"}, 10, now)) }},
		{"list what a review is about", func() error {
			return errors.Join(second(hot.ReviewItems(ctx, uuid.New(), store.Order{}, "", 10)), second(hot.UndecidedItems(ctx, uuid.New(), store.Order{}, "", 10, now)),
				second(hot.TheseReviewItems(ctx, uuid.New(), []string{anaRole, benRole})))
		}},
		{"list open reviews", func() error {
			return errors.Join(second(hot.OpenReviews(ctx, now, uuid.Nil, 10)), second(hot.DueReviews(ctx, now, later, 0, "due/", 10)))
		}},
		{"decide in a review", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				for _, do := range []func() error{
					func() error { return second(tx.LockPositionOfItem(ctx, uuid.New(), anaRole)) },
					func() error { return second(tx.ReviewItem(ctx, uuid.New(), anaRole)) },
					func() error {
						return tx.DecideReviewItem(ctx, uuid.New(), anaRole, "certified", new(ben), new(benRole), now)
					},
					func() error { return tx.CloseReview(ctx, uuid.New(), now) },
				} {
					if err := do(); !errors.Is(err, store.ErrNotFound) {
						return fmt.Errorf("%w, want nothing found", err)
					}
				}
				return nil
			})
		}},
		{"sweep refresh tokens", func() error { return second(hot.SweepRefreshTokens(ctx, now, 10)) }},
		{"sweep grants", func() error { return second(hot.SweepGrants(ctx, now, 10)) }},
		{"sweep sessions", func() error { return second(hot.SweepSessions(ctx, now, 10)) }},
		{"sweep challenges", func() error { return second(hot.SweepChallenges(ctx, now, 10)) }},
		{"sweep what break-glass was asked", func() error { return second(hot.SweepBreakGlassRequests(ctx, now, 10)) }},
		{"sweep throttled slots", func() error { return second(hot.SweepThrottle(ctx, now, 10)) }},
		{"post a message", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error { return tx.AddMessage(ctx, newMessage("x")) })
		}},
		{"register oneself", func() error {
			secret, r := hash("self"), newSelfRegistration()
			return hot.InTx(ctx, func(tx *store.Tx) error {
				return errors.Join(second(tx.AddSelfRegistration(ctx, r, secret, now)), tx.DropSelfRegistrations(ctx, r.Email, 1), tx.CloseSelfRegistrations(ctx, "N1"), second(tx.SelfRegistration(ctx, secret, now)), second(tx.TakeSelfRegistration(ctx, secret, now)))
			})
		}},
		{"list people to prove", func() error { return second(hot.UnprovedPeople(ctx, organisation, store.Order{}, ana, 10)) }},
		{"sweep self-registrations", func() error { return second(hot.SweepSelfRegistrations(ctx, now, 10)) }},
		{"claim messages", func() error { return second(hot.ClaimMessages(ctx, later, 10, now)) }},
		{"finish messages", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error {
				m := newMessage("y")
				return errors.Join(tx.AddMessage(ctx, m), tx.PostponeMessage(ctx, m.ID, later, "deferred"), tx.GiveUpMessage(ctx, m.ID, "refused", now), tx.MessageSent(ctx, m.ID, now))
			})
		}},
		{"list roles that expire", func() error { return second(hot.ExpiringRoles(ctx, organisation, now, later, store.Order{}, "", 10)) }},
		{"count roles that expire", func() error { return second(hot.CountExpiringRoles(ctx, organisation, now, 4, 10)) }},
		{"list roles that end", func() error { return second(hot.EndingRoles(ctx, now, later, time.Hour, "ends/", 10)) }},
		{"end requests that have lapsed", func() error {
			return hot.InTx(ctx, func(tx *store.Tx) error { return second(tx.LapseOldRequests(ctx, "x", 10, now)) })
		}},
		{"sweep messages", func() error { return second(hot.SweepMessages(ctx, now, 10)) }},
		{"erase what is due", func() error { return eraseDue(ctx, hot) }},
		{"sweep enrolment links", func() error { return second(hot.SweepEnrolmentLinks(ctx, now, 10)) }},
	} {
		if err := tt.do(); err != nil {
			t.Errorf("%s = %v", tt.what, err)
		}
		list := sent.take()
		if len(list) == 0 {
			t.Errorf("%s sent no statement", tt.what)
		}
		for statement, arguments := range list {
			if faults, plan := explain(t, conn, statement, arguments); len(faults) > 0 {
				t.Errorf("%s: %s\n%s\n%s", tt.what, strings.Join(faults, ", "), statement, plan)
			}
		}
	}

	// The twin: the checker sees what it looks for.
	for statement, want := range map[string]string{
		`SELECT id FROM person WHERE display_name = $1`:                           "[Seq Scan on person]",
		`UPDATE session SET ended_at = $1 WHERE cookie_hash <> 'x'`:               "[Seq Scan on session]",
		`SELECT count(*) FROM refresh_token t JOIN person p ON p.id = $1`:         "[Seq Scan on refresh_token]",
		`SELECT id FROM person WHERE display_name = $1 ORDER BY id LIMIT 1`:       "[Index Scan of the whole of person]",
		`SELECT hidden FROM pg_temp.hidden()`:                                     "[the plan of the function hidden is hidden]",
		`SELECT name FROM client WHERE name = $1`:                                 "[]",
		`SELECT id FROM membership WHERE person_id = $1 ORDER BY created_at DESC`: "[]",
	} {
		if faults, plan := explain(t, conn, statement, strings.Count(statement, "$")); fmt.Sprint(faults) != want {
			t.Errorf("explain(%s) = %v, want %s\n%s", statement, faults, want, plan)
		}
	}

	// No plan shows what a trigger does, such as a foreign key's. What was done shows it.
	must(t, conn.Close(ctx))
	after := in.scans(t, hot, owner)
	for _, table := range growing() {
		if n := after[table] - before[table]; n != 0 {
			t.Errorf("sequential scans of %s = %d, want 0", table, n)
		}
	}
}
