package storetest

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// invariant is a state that there must never be, and the query that finds what is in it.
type invariant struct{ never, query string }

// invariants are what holds in every database that nothing but the program has changed, at any moment, whatever was
// asked of the program and however it or PostgreSQL ended. They go from what is there to the record and not back, because
// the record outlives what it speaks of. The one moment that they do not know is amid a sweep, which deletes refresh tokens
// of an expired grant before the grant.
//
// A use of a code or of a refresh token is one row changed, and one token_issued event: of success, or of the refusal that
// spent it. A second use spends nothing; it is told by its refusal, which ends in "_reused".
func invariants() []invariant {
	return []invariant{
		{"a session without the signed_in event of its last sign-in", `
			SELECT s.id FROM session s WHERE NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'signed_in' AND e.refusal = '' AND e.session_id = s.id AND e.person_id = s.person_id AND e.at = s.authenticated_at)`},
		{"a session that ended without its session_ended event", `
			SELECT s.id FROM session s WHERE s.ended_at IS NOT NULL AND NOT EXISTS (SELECT FROM audit_event e WHERE e.event = 'session_ended' AND e.session_id = s.id)`},
		{"a session of a person or authenticator that is not there", `
			SELECT s.id FROM session s WHERE NOT EXISTS (SELECT FROM person p WHERE p.id = s.person_id)
				OR s.authenticator_id IS NOT NULL AND NOT EXISTS (SELECT FROM authenticator a WHERE a.id = s.authenticator_id AND a.person_id = s.person_id)`},
		{"a session with the role of somebody else", `
			SELECT s.id FROM session s JOIN role_profile r ON r.id = s.role_id JOIN membership m ON m.id = r.membership_id WHERE m.person_id <> s.person_id`},
		{"a session of a password that was revoked", `
			SELECT s.id FROM session s WHERE s.ended_at IS NULL AND 'pwd' = ANY (s.methods) AND 'simulated' <> ALL (s.methods) AND NOT EXISTS (
				SELECT FROM authenticator a WHERE a.person_id = s.person_id AND a.kind = 'password' AND a.revoked_at IS NULL AND a.created_at <= s.authenticated_at)`},
		{"an authenticator without its enrolled event", `
			SELECT a.id FROM authenticator a WHERE NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'enrolled' AND e.refusal = '' AND e.detail->>'authenticator' = a.id::text)`},
		{"a grant without exactly one code_issued event", `
			SELECT g.id FROM authorization_grant g
			LEFT JOIN (SELECT grant_id, count(*) AS n FROM audit_event WHERE event = 'code_issued' AND refusal = '' GROUP BY grant_id) e ON e.grant_id = g.id
			WHERE coalesce(e.n, 0) <> 1`},
		{"a grant with other than one token_issued event for each code and refresh token that was used", used + `
			SELECT id FROM used WHERE code + refresh_tokens <> events`},
		{"a grant with more tokens from a code or from refresh tokens than were used", used + `
			SELECT id FROM used WHERE code < from_code OR refresh_tokens < from_refresh_tokens`},
		{"a grant with more refresh tokens than token_issued events", used + `
			SELECT id FROM used WHERE refresh_tokens + live > from_code + from_refresh_tokens`},
		{"a grant with more than one live refresh token", used + `
			SELECT id FROM used WHERE live > 1`},
		{"a grant of a client, person, session, authenticator or role that is not there", `
			SELECT g.id FROM authorization_grant g
			WHERE NOT EXISTS (SELECT FROM client c WHERE c.id = g.client_id) OR NOT EXISTS (SELECT FROM person p WHERE p.id = g.person_id)
				OR NOT EXISTS (SELECT FROM session s WHERE s.id = g.session_id AND s.person_id = g.person_id)
				OR g.authenticator_id IS NOT NULL AND NOT EXISTS (SELECT FROM authenticator a WHERE a.id = g.authenticator_id AND a.person_id = g.person_id)
				OR g.role_id IS NOT NULL AND NOT EXISTS (SELECT FROM role_profile r WHERE r.id = g.role_id)`},
		{"a refresh token of a grant that is not there", `
			SELECT t.grant_id FROM refresh_token t WHERE NOT EXISTS (SELECT FROM authorization_grant g WHERE g.id = t.grant_id)`},
		{"a grant that stands though a use of its code or refresh token was refused", `
			SELECT g.id FROM authorization_grant g WHERE g.revoked_at IS NULL AND EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'token_issued' AND e.refusal <> '' AND e.grant_id = g.id)`},
		{"a grant whose record begins with something else than its code", `
			SELECT grant_id FROM (SELECT DISTINCT ON (grant_id) grant_id, event FROM audit_event WHERE grant_id IS NOT NULL ORDER BY grant_id, sequence) first
			WHERE event <> 'code_issued'`},
		{"an identity that rests on evidence of somebody else, or on none", `
			SELECT p.id FROM person p, unnest(p.identity_evidence) rests (id)
			WHERE NOT EXISTS (SELECT FROM evidence e WHERE e.id = rests.id AND e.person_id = p.id AND e.withdrawn_at IS NULL)`},
		{"a person with a profile and no policy that it is of", `
			SELECT id FROM person WHERE identity_policy = '' AND (identity_profile <> '' OR identity_ial <> 0 OR identity_profiles <> '{}' OR identity_evidence <> '{}')`},
		{"evidence without its evidence_recorded event", `
			SELECT v.id FROM evidence v WHERE NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'evidence_recorded' AND e.refusal = '' AND e.person_id = v.person_id AND e.detail->>'evidence' LIKE '%' || v.id || '%')`},
		{"evidence that was withdrawn without its evidence_withdrawn event", `
			SELECT v.id FROM evidence v WHERE v.withdrawn_at IS NOT NULL AND NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'evidence_withdrawn' AND e.person_id = v.person_id AND e.detail->>'evidence' = v.id::text)`},
		{"a meeting without the event that it was begun, or confirmed", `
			SELECT m.id FROM meeting m WHERE NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'meeting_begun' AND e.refusal = '' AND e.person_id = m.person_id AND e.detail->>'meeting' = m.id::text)
				OR (SELECT count(*) FROM audit_event e WHERE e.event = 'meeting_confirmed' AND e.refusal = '' AND e.person_id = m.person_id AND e.detail->>'meeting' = m.id::text)
					<> (m.confirmed_at IS NOT NULL)::int
				OR (SELECT count(*) FROM audit_event e WHERE e.event = 'meeting_confirmed' AND e.refusal = 'wrong_code' AND e.detail->>'meeting' = m.id::text) <> m.wrong_codes`},
		{"evidence by video of no meeting with the person that was confirmed", `
			SELECT v.id FROM evidence v WHERE v.facts->>'declared' = 'video' AND NOT EXISTS (
				SELECT FROM meeting m WHERE m.id = v.process_id AND m.person_id = v.person_id AND m.confirmed_at IS NOT NULL)`},
		{"a role of a position without the approved request for it, or that says or lasts more", `
			SELECT r.id FROM role_profile r
			JOIN membership m ON m.id = r.membership_id
			JOIN request q ON q.id = r.request_id
			JOIN position_version v ON v.position_id = r.position_id AND v.version = r.position_version
			JOIN person asked ON asked.id = q.person_id
			WHERE (q.state, q.kind, coalesce(asked.merged_into, asked.id), q.organisation_code) IS DISTINCT FROM ('approved', 'assign_position', m.person_id, m.organisation_code)
				OR v.approved_at IS NULL OR v.version < q.position_version OR r.starts_at < q.starts_at AND r.starts_at < q.decided_at OR coalesce(r.ends_at, 'infinity') > coalesce(q.expires_at, 'infinity')
				OR r.job_role <> v.job_role
				OR r.withheld IS NULL AND NOT (r.areas_of_work @> v.areas_of_work AND r.activities @> v.activities AND r.workgroups @> v.workgroups)
				OR EXISTS ( -- what neither it nor one that it includes ever gave
					SELECT unnest(r.areas_of_work || r.activities || r.workgroups)
					EXCEPT SELECT unnest(v.areas_of_work || v.activities || v.workgroups)
					EXCEPT SELECT unnest(i.areas_of_work || i.activities || i.workgroups) FROM position_version i
					WHERE i.approved_at IS NOT NULL AND i.position_id IN (
						WITH RECURSIVE included (id) AS (
							SELECT unnest(v.includes) UNION SELECT unnest(n.includes) FROM included JOIN position_version n ON n.position_id = included.id
						)
						SELECT id FROM included))`},
		{"a request for a position that was approved without the role that it gives", `
			SELECT q.id FROM request q WHERE q.state = 'approved' AND q.kind = 'assign_position' AND NOT EXISTS (SELECT FROM role_profile r WHERE r.request_id = q.id)`},
		{"a request that somebody asked or decided for herself, or that one officer asked and decided", `
			SELECT id FROM request WHERE person_id IN (asked_by, decided_by) OR asked_by = decided_by`},
		{"an open request that waits not just at its organisation and at each above it, or another that waits", `
			WITH RECURSIVE waits (id, code) AS (
				SELECT id, organisation_code FROM request WHERE state = 'open'
				UNION SELECT w.id, o.parent_code FROM waits w JOIN organisation o ON o.code = w.code WHERE o.parent_code IS NOT NULL
			)
			SELECT coalesce(w.id, q.request_id) FROM waits w FULL JOIN request_queue q ON q.request_id = w.id AND q.organisation_code = w.code
			WHERE w.id IS NULL OR q.request_id IS NULL`},
		{"a request without its request_asked event", `
			SELECT q.id FROM request q WHERE NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'request_asked' AND e.refusal = '' AND e.person_id = q.person_id AND e.detail->>'request' = q.id::text)`},
		{"an open request that somebody took without its request_owned event", `
			SELECT q.id FROM request q WHERE q.state = 'open' AND q.owner_id IS NOT NULL AND NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'request_owned' AND e.refusal = '' AND e.person_id = q.person_id AND e.at = q.owner_since
					AND e.detail->>'request' = q.id::text AND e.detail->>'owner' = q.owner_id)`},
		{"a request that ended without the event that says so", `
			SELECT q.id FROM request q WHERE q.state <> 'open' AND NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event IN ('request_asked', 'request_decided', 'request_lapsed') AND e.refusal = '' AND e.detail->>'request' = q.id::text
					AND coalesce(e.detail->>'state', 'lapsed') = q.state)`},
		{"a position in force that nobody approved, or that the same officer made and approved", `
			SELECT p.id FROM position p JOIN position_version v ON v.position_id = p.id
			WHERE v.version = p.version AND v.approved_at IS NULL OR v.version IS DISTINCT FROM p.version AND v.version > coalesce(p.version, 0) AND v.approved_at IS NOT NULL
				OR v.approved_by = v.made_by`},
		{"a version of a position without the events that proposed and approved it", `
			SELECT v.position_id FROM position_version v WHERE NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'position_proposed' AND e.refusal = '' AND e.detail->>'position' = v.position_id AND e.detail->>'version' = v.version::text)
				OR v.approved_at IS NOT NULL AND NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event IN ('position_approved', 'position_closed') AND e.refusal = '' AND e.detail->>'position' = v.position_id AND e.detail->>'version' = v.version::text)`},
		{"a profile that was erased with something that says whose it was", `
			SELECT p.id FROM person p WHERE p.erased_at IS NOT NULL AND (EXISTS (SELECT FROM professional_registration g WHERE g.person_id = p.id)
				OR EXISTS (SELECT FROM evidence e WHERE e.person_id = p.id AND e.erased_at IS NULL) OR EXISTS (SELECT FROM photograph f WHERE f.person_id = p.id AND f.erased_at IS NULL)
				OR EXISTS (SELECT FROM authenticator a WHERE a.person_id = p.id AND a.erased_at IS NULL) OR EXISTS (SELECT FROM person_change c WHERE c.person_id = p.id AND c.erased_at IS NULL)
				OR EXISTS (SELECT FROM request q WHERE q.person_id = p.id AND q.erased_at IS NULL))`},
		{"a profile that was erased without its person_erased event", `
			SELECT p.id FROM person p WHERE p.erased_at IS NOT NULL AND NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'person_erased' AND e.refusal = '' AND e.person_id = p.id AND e.at = p.erased_at)`},
		{"a record that was erased while the person was held", `
			SELECT h.id FROM retention_hold h JOIN person p ON p.id = h.person_id WHERE greatest(p.erased_at, p.proofs_erased_at) > h.placed_at
				AND greatest(p.erased_at, p.proofs_erased_at) < coalesce(h.released_at, 'infinity')`},
		{"a run of retention that ended without its retention_run event", `
			SELECT r.id FROM retention_run r WHERE r.ended_at IS NOT NULL AND NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'retention_run' AND e.at = r.ended_at AND e.detail->>'run' = r.id::text)`},
		{"a closed profile with something to sign in with, or signed in", `
			SELECT p.id FROM person p WHERE p.closed_at IS NOT NULL AND (EXISTS (SELECT FROM authenticator a WHERE a.person_id = p.id AND a.state <> 'revoked') OR EXISTS (SELECT FROM recovery_code c WHERE c.person_id = p.id)
				OR EXISTS (SELECT FROM session s WHERE s.person_id = p.id AND s.ended_at IS NULL))`},
		{"a merged profile without the approved merge, or with a role", `
			SELECT p.id FROM person p WHERE p.merged_into IS NOT NULL AND (NOT EXISTS (SELECT FROM person_merge m WHERE m.duplicate = p.id AND m.state = 'approved')
				OR EXISTS (SELECT FROM membership m JOIN role_profile r ON r.membership_id = m.id WHERE m.person_id = p.id))`},
		{"a change of a profile without the event that says so", `
			SELECT c.id FROM person_change c WHERE c.kind <> 'merged' AND NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'person_' || c.kind AND e.refusal = '' AND e.person_id = c.person_id AND e.at = c.at)`},
		{"an organisation whose policy was changed without the event that says so", `
			SELECT o.code FROM organisation o WHERE o.policy_version <> (
				SELECT count(*) FROM audit_event e WHERE e.event = 'organisation_policy_set' AND e.refusal = '' AND e.detail->>'organisation' = o.code)`},
		{"an unusual sign-in that is none of the record", `
			SELECT u.sequence FROM unusual_sign_in u WHERE NOT EXISTS (
				SELECT FROM audit_event e WHERE e.sequence = u.sequence AND e.at = u.at AND e.event IN ('signed_in', 'recovered') AND e.refusal = '')`},
		{"a line of the record of an organisation that is none, or not that", `
			SELECT p.sequence FROM audit_place p WHERE NOT EXISTS (
				SELECT FROM audit_event e WHERE e.sequence = p.sequence AND e.at = p.at AND e.event = p.event AND (e.refusal <> '') = p.refused)`},
		{"a day with other sign-ins than are listed", `
			SELECT d.day FROM sign_in_day d WHERE d.listed <> (
				SELECT count(*) FROM audit_place p WHERE p.organisation_code = d.organisation_code AND p.event = 'signed_in' AND NOT p.refused AND (p.at AT TIME ZONE 'Europe/London')::date = d.day)`},
		{"a merge without the events that proposed and decided it", `
			SELECT m.id FROM person_merge m WHERE NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'merge_proposed' AND e.refusal = '' AND e.detail->>'merge' = m.id::text)
				OR m.state <> 'proposed' AND NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'merge_decided' AND e.refusal = '' AND e.detail->>'merge' = m.id::text AND e.detail->>'state' = m.state)`},
		{"a role that gives what its position gives no more, or not what it gives, and that nothing brings in line", `
			SELECT r.id FROM role_profile r JOIN position p ON p.id = r.position_id
			CROSS JOIN LATERAL (
				WITH RECURSIVE given AS (
					SELECT v.* FROM position_version v WHERE v.position_id = p.id AND v.version = p.version
					UNION
					SELECT v.* FROM (SELECT unnest(includes) AS id FROM given WHERE NOT closes) i JOIN position p ON p.id = i.id JOIN position_version v ON v.position_id = p.id AND v.version = p.version
				)
				SELECT max(approved_at) AS since, array_agg(DISTINCT codes.code) AS codes FROM given
				LEFT JOIN LATERAL unnest(CASE WHEN closes THEN '{}' ELSE areas_of_work || activities || workgroups END) codes (code) ON true
			) g
			WHERE NOT EXISTS (SELECT FROM position_rollout w WHERE w.position_id = p.id) AND (r.ends_at IS NULL OR r.ends_at > g.since)
				AND (r.position_version <> p.version OR NOT g.codes @> (r.areas_of_work || r.activities || r.workgroups)
					OR r.withheld IS NULL AND NOT (r.areas_of_work || r.activities || r.workgroups) @> array_remove(g.codes, NULL))`},
		{"a role that changed without its role_changed event", `
			SELECT r.id FROM role_profile r JOIN request q ON q.id = r.request_id WHERE r.withheld IS NOT NULL AND NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event IN ('role_changed', 'role_ended') AND e.detail->>'role' = r.id AND e.detail->>'withheld' = r.withheld)`},
		{"break-glass without the event that opened it, or that it was signed for", `
			SELECT b.id FROM break_glass b WHERE NOT EXISTS (
				SELECT FROM audit_event e WHERE e.event = 'break_glass_opened' AND e.refusal = '' AND e.actor = b.confirmed_by AND e.person_id = b.asked_by AND e.detail->>'role' = b.role_id)
				OR (SELECT count(*) FROM audit_event e WHERE e.event = 'break_glass_signed' AND e.refusal = '' AND e.detail->>'break_glass' = b.id::text)
					<> (b.signed_at IS NOT NULL)::int`},
		{"break-glass whose envelopes are not spent, or whose role is somebody else's or at another organisation", `
			SELECT b.id FROM break_glass b JOIN break_glass_seal s ON s.id = b.seal_id JOIN person p ON p.id = b.asked_by
			JOIN role_profile r ON r.id = b.role_id JOIN membership m ON m.id = r.membership_id
			WHERE s.ended_at IS NULL OR m.person_id NOT IN (p.id, coalesce(p.merged_into, p.id)) OR m.organisation_code <> b.organisation_code OR r.job_role NOT LIKE '%:R9001'
				OR s.organisation_code <> b.organisation_code`},
		{"a break-glass role that was not opened", `
			SELECT r.id FROM role_profile r WHERE r.job_role LIKE '%:R9001' AND NOT EXISTS (SELECT FROM break_glass b WHERE b.role_id = r.id)`},
		{"somebody who registered herself without the one self_registered event that says so", `
			SELECT p.id FROM person p WHERE p.self_registered_organisation IS NOT NULL AND 1 <> (
				SELECT count(*) FROM audit_event e WHERE e.event = 'self_registered' AND e.refusal = '' AND e.person_id = p.id AND e.detail->>'organisation' = p.self_registered_organisation)`},
		{"a role that somebody was given who had registered herself and of whom nothing was on record", `
			SELECT r.id FROM role_profile r JOIN membership m ON m.id = r.membership_id JOIN person p ON p.id = m.person_id
			WHERE p.self_registered_organisation IS NOT NULL AND NOT EXISTS (SELECT FROM evidence e WHERE e.person_id = p.id AND e.recorded_at <= r.created_at)
				AND NOT EXISTS (SELECT FROM person d WHERE d.merged_into = p.id)`},
		{"a role of a position that outlasts it", `
			SELECT r.id FROM role_profile r JOIN position p ON p.id = r.position_id JOIN position_version v ON v.position_id = p.id AND v.version = p.version
			WHERE v.closes AND NOT EXISTS (SELECT FROM position_rollout w WHERE w.position_id = p.id) AND (r.ends_at IS NULL OR r.ends_at > v.approved_at AND r.ends_at > r.starts_at)`},
		// Two events of a grant may be written side by side, each with the time at which its transaction came to it, so they may
		// change places: within the time that a transaction may take.
		{"an event of a grant that is recorded before an older one", `
			SELECT grant_id FROM (SELECT grant_id, at, max(at) OVER (PARTITION BY grant_id ORDER BY sequence) AS latest FROM audit_event WHERE grant_id IS NOT NULL) e
			WHERE at < latest - interval '10 seconds'`},
	}
}

// used counts for each grant what was spent, and what the record says of it.
const used = `
	WITH used AS (
		SELECT g.id, (g.code_used_at IS NOT NULL)::int AS code, coalesce(t.used, 0) AS refresh_tokens, coalesce(t.live, 0) AS live,
			coalesce(e.n, 0) AS events, coalesce(e.from_code, 0) AS from_code, coalesce(e.from_refresh_tokens, 0) AS from_refresh_tokens
		FROM authorization_grant g
		LEFT JOIN (
			SELECT grant_id, count(used_at) AS used, count(*) - count(used_at) AS live FROM refresh_token GROUP BY grant_id
		) t ON t.grant_id = g.id
		LEFT JOIN (
			SELECT grant_id, count(*) AS n,
				count(*) FILTER (WHERE refusal = '' AND detail->>'grant_type' = 'authorization_code') AS from_code,
				count(*) FILTER (WHERE refusal = '' AND detail->>'grant_type' = 'refresh_token') AS from_refresh_tokens
			FROM audit_event WHERE event = 'token_issued' AND refusal NOT LIKE '%\_reused' GROUP BY grant_id
		) e ON e.grant_id = g.id
	)`

// CheckInvariants fails the test for whatever in the database must never be there, whichever test it was: see the
// messages. The secrets are what the test has seen of codes, tokens, cookies and passwords: none may be in any column of
// any table, neither as text nor as bytes. It connects as the owner, and is for the end of a test, also in a Cleanup.
func CheckInvariants(tb testing.TB, ownerURL string, secrets ...string) {
	tb.Helper()
	check(tb, ownerURL, invariants(), secrets)
}

// CheckLoaded is CheckInvariants of a database that `credence bench` has filled: the evidence, positions and requests that it loads
// have no lines of the record.
func CheckLoaded(tb testing.TB, ownerURL string) {
	tb.Helper()
	check(tb, ownerURL, slices.DeleteFunc(invariants(), func(i invariant) bool {
		return slices.Contains([]string{
			"evidence without its evidence_recorded event",
			"a role of a position without the approved request for it, or that says or lasts more",
			"a request without its request_asked event",
			"a request that ended without the event that says so",
			"a version of a position without the events that proposed and approved it",
		}, i.never)
	}), nil)
}

func check(tb testing.TB, ownerURL string, never []invariant, secrets []string) {
	tb.Helper()
	ctx := context.WithoutCancel(tb.Context())
	db, err := pgx.Connect(ctx, ownerURL)
	if err != nil {
		tb.Fatalf("connect to check invariants: %v", err)
	}
	defer func() { _ = db.Close(ctx) }()
	for _, i := range never {
		var id any
		err := db.QueryRow(ctx, `SELECT id::text FROM (`+i.query+`) broken (id) LIMIT 1`).Scan(&id)
		if err == nil {
			tb.Errorf("the database has %s: %v", i.never, id)
		} else if !errors.Is(err, pgx.ErrNoRows) {
			tb.Errorf("look for %s: %v", i.never, err)
		}
	}
	if err := checkIdentities(ctx, db, func(personID, fault string) { tb.Errorf("the identity of person %s %s", personID, fault) }); err != nil {
		tb.Errorf("compare identities with their evidence: %v", err)
	}
	if err := findSecrets(ctx, db, secrets, func(table string) { tb.Errorf("the table %s has a secret in clear", table) }); err != nil {
		tb.Errorf("look for secrets: %v", err)
	}
}

// findSecrets reads every row of every table, and reports the tables that hold a secret.
func findSecrets(ctx context.Context, db *pgx.Conn, secrets []string, report func(table string)) error {
	wanted := map[string]bool{}
	for _, secret := range secrets {
		for _, word := range words(secret) {
			if len(word) >= 16 { // shorter ones are no secrets but what stands around them
				wanted[word] = true
			}
		}
	}
	rows, err := db.Query(ctx, `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`)
	if err != nil {
		return err
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, table := range tables {
		rows, err := db.Query(ctx, `SELECT t::text FROM `+pgx.Identifier{table}.Sanitize()+` t`)
		if err != nil {
			return err
		}
		found := false
		var row string
		if _, err := pgx.ForEachRow(rows, []any{&row}, func() error {
			found = found || holds(row, wanted)
			return nil
		}); err != nil {
			return fmt.Errorf("read %s: %w", table, err)
		}
		if found {
			report(table)
		}
	}
	return nil
}

// holds says whether the text of a row has one of the words, as it is or in the hexadecimal digits of bytes.
func holds(row string, wanted map[string]bool) bool {
	for _, word := range words(row) {
		if wanted[word] {
			return true
		}
		if b, err := hex.DecodeString(strings.TrimPrefix(word, "x")); err == nil && slices.ContainsFunc(words(string(b)), func(w string) bool { return wanted[w] }) {
			return true
		}
	}
	return false
}

// words splits a text at whatever is not of base64url: a JSON Web Token is three words, of which each is looked for.
func words(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool {
		return c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z')
	})
}
