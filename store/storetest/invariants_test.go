package storetest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/store/storetest"
)

// sound is a database as a sign-in, a code and two refreshes leave it, the second of them with a token that was used before.
const sound = `
	INSERT INTO organisation (code, name, created_at) VALUES ('ZX1', 'Hospital', now());
	INSERT INTO person (id, handle, given_name, family_name, display_name, title, middle_names, identity_level, created_at)
		VALUES ('000000000001', sha256('1'), 'Sam', 'Sample', 'Sam Sample', '', '', 'high', now()), ('000000000002', sha256('2'), 'Lou', 'Sample', 'Lou Sample', '', '', 'high', now());
	INSERT INTO membership (id, person_id, organisation_code, created_at) VALUES ('000000000010', '000000000002', 'ZX1', now());
	INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, created_at)
		VALUES ('000000000020', '000000000010', 'S0030:G0100:R0260', '{}', '{}', '{}', now(), now());
	INSERT INTO client (id, name, authentication, redirect_uris, post_logout_redirect_uris, scopes, id_token_alg, audience, requires_role, created_at)
		VALUES ('ward', 'Ward', 'none', '{https://ward.example/}', '{}', '{openid}', 'RS256', '', false, now());
	INSERT INTO session (id, cookie_hash, person_id, authenticator_level, methods, authenticated_at, created_at, idle_at, expires_at, ended_at)
		VALUES ('00000000-0000-0000-0000-00000000000a', sha256('cookie'), '000000000001', 2, '{pop}', '2026-01-01', '2026-01-01', '2026-01-02', '2026-01-02', '2026-01-01 12:00');
	INSERT INTO authorization_grant (id, client_id, person_id, session_id, scopes, redirect_uri, nonce, authenticator_level, methods, authenticated_at,
			code_hash, code_challenge, code_expires_at, code_used_at, created_at, expires_at, revoked_at)
		VALUES ('00000000-0000-0000-0000-00000000000b', 'ward', '000000000001', '00000000-0000-0000-0000-00000000000a', '{openid}', 'https://ward.example/', '', 2, '{pop}', '2026-01-01',
			sha256('code'), repeat('c', 43), '2026-01-02', '2026-01-01', '2026-01-01', '2026-01-02', '2026-01-01');
	INSERT INTO refresh_token (hash, grant_id, created_at, used_at)
		VALUES (sha256('first'), '00000000-0000-0000-0000-00000000000b', now(), now()), (sha256('second'), '00000000-0000-0000-0000-00000000000b', now(), NULL);
	INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, session_id, grant_id, request_id, address, detail) VALUES
		('2026-01-01 00:00', 'signed_in', '', 'a', '000000000001', '', '00000000-0000-0000-0000-00000000000a', NULL, '', '', '{}'),
		('2026-01-01 00:01', 'code_issued', '', 'a', '000000000001', 'ward', '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b', '', '', '{}'),
		('2026-01-01 00:02', 'token_issued', '', 'a', '000000000001', 'ward', '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b', '', '', '{"grant_type": "authorization_code"}'),
		('2026-01-01 00:03', 'token_issued', '', 'a', '000000000001', 'ward', '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b', '', '', '{"grant_type": "refresh_token"}'),
		('2026-01-01 00:04', 'token_issued', 'refresh_token_reused', 'a', '000000000001', 'ward', '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-00000000000b', '', '', '{}'),
		('2026-01-01 12:00', 'session_ended', '', 'a', '000000000001', '', '00000000-0000-0000-0000-00000000000a', NULL, '', '', '{}')`

// evidence puts a piece on record.
const evidence = `
	INSERT INTO evidence (id, person_id, type, kind, facts, process_id, recorded_at, recorded_by)
		VALUES (gen_random_uuid(), '000000000001', 'document', 'passport', '{}', gen_random_uuid(), now(), 'a')`

// breakGlass makes somebody an officer by break-glass.
const breakGlass = `
	INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, ends_at, created_at)
		VALUES ('000000000022', '000000000010', 'S0080:G0450:R9001', '{}', '{}', '{}', '2026-01-01', '2026-01-01 04:00', now());
	INSERT INTO break_glass_seal (id, organisation_code, first_hash, second_hash, sealed_by, sealed_at, expires_at)
		VALUES ('00000000-0000-0000-0000-00000000000d', 'ZX1', sha256('1'), sha256('2'), 'operator', '2026-01-01', '2027-01-01');
	INSERT INTO break_glass (id, seal_id, organisation_code, asked_by, confirmed_by, reason, role_id, opened_at)
		VALUES (gen_random_uuid(), '00000000-0000-0000-0000-00000000000d', 'ZX1', '000000000002', '000000000001', 'x', '000000000022', '2026-01-01');`

// registered puts somebody on record who registered herself.
const registered = `
	INSERT INTO person (id, handle, given_name, family_name, display_name, title, middle_names, identity_level, created_at, self_registered_organisation)
		VALUES ('000000000009', sha256('9'), 'Lee', 'Sample', 'Lee Sample', '', '', 'none', now(), 'ZX1');
	INSERT INTO membership (id, person_id, organisation_code, created_at) VALUES ('000000000019', '000000000009', 'ZX1', now());
	INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
		VALUES (now(), 'self_registered', '', '000000000009', '000000000009', '', '', '', '{"organisation": "ZX1"}')`

// position gives somebody a position, as one officer asked and another decided. Its version is set in force by hand: nobody
// approves twice.
const position = `
	INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, created_at)
		VALUES ('000000000021', '000000000010', 'S8000:G8000:R8000', '{}', '{}', '{}', now(), now());
	INSERT INTO person (id, handle, given_name, family_name, display_name, title, middle_names, identity_level, created_at)
		VALUES ('000000000003', sha256('3'), 'Kim', 'Sample', 'Kim Sample', '', '', 'high', now());
	INSERT INTO membership (id, person_id, organisation_code, created_at) VALUES ('000000000011', '000000000003', 'ZX1', now());
	INSERT INTO position (id, organisation_code, created_at) VALUES ('000000000030', 'ZX1', now());
	INSERT INTO position_version (position_id, version, closes, name, notes, job_role, areas_of_work, activities, workgroups, assignable, reason, made_by, made_role, made_at,
			approved_by, approved_role, approved_at)
		SELECT '000000000030', n, n = 2, 'Nurse', '', 'S8000:G8000:R8000', '{}', '{B0420}', '{}', false, 'x', '000000000001', '000000000020', '2026-01-01',
			CASE n WHEN 1 THEN '000000000002' END, CASE n WHEN 1 THEN '000000000020' END, CASE n WHEN 1 THEN timestamptz '2026-01-01' END FROM generate_series(1, 2) n;
	UPDATE position SET version = 1;
	INSERT INTO request (id, kind, person_id, position_id, position_version, organisation_code, starts_at, expires_at, reason, asked_by, asked_role, asked_at, lapses_at,
			state, decided_by, decided_role, decided_at, decision_reason)
		VALUES ('00000000-0000-0000-0000-00000000000c', 'assign_position', '000000000003', '000000000030', 1, 'ZX1', '2026-01-01', '2027-01-01', 'x', '000000000001', '000000000020',
			'2026-01-01', '2026-02-01', 'approved', '000000000002', '000000000020', '2026-01-02', 'y');
	INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, ends_at, created_at, position_id, request_id)
		VALUES ('000000000022', '000000000011', 'S8000:G8000:R8000', '{}', '{B0420}', '{}', '2026-01-02', '2027-01-01', now(), '000000000030', '00000000-0000-0000-0000-00000000000c');
	INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail) VALUES
		('2026-01-01', 'position_proposed', '', 'a', '', '', '', '', '{"position": "000000000030", "version": "1"}'),
		('2026-01-01', 'position_proposed', '', 'a', '', '', '', '', '{"position": "000000000030", "version": "2"}'),
		('2026-01-01', 'position_approved', '', 'a', '', '', '', '', '{"position": "000000000030", "version": "1"}'),
		('2026-01-01', 'request_asked', '', 'a', '000000000003', '', '', '', '{"request": "00000000-0000-0000-0000-00000000000c"}'),
		('2026-01-02', 'request_decided', '', 'a', '000000000003', '', '', '', '{"request": "00000000-0000-0000-0000-00000000000c", "state": "approved"}');
	DELETE FROM request_queue;
	ALTER TABLE request DISABLE TRIGGER USER; ALTER TABLE position_version DISABLE TRIGGER USER;`

// said is a test whose failures are kept and not told.
type said struct {
	testing.TB
	errors []string
}

func (s *said) Helper() {}

func (s *said) Errorf(format string, args ...any) {
	s.errors = append(s.errors, fmt.Sprintf(format, args...))
}

func TestCheckInvariants(t *testing.T) {
	t.Parallel()
	const token = "Jx7aZ0-_9sQpW3eRt5Yu8i"
	tests := []struct{ name, change, want string }{ // want "" is nothing
		{"what the program leaves", ``, ""},
		{"a secret that rests as its hash", `UPDATE session SET cookie_hash = sha256('` + token + `')`, ""},
		{"grants that were swept, and their record", `DELETE FROM authorization_grant; DELETE FROM session`, ""},
		{"a sign-in that nobody recorded", `DELETE FROM audit_event WHERE event = 'signed_in'`, "a session without the signed_in event"},
		{"a second sign-in that nobody recorded", `UPDATE session SET authenticated_at = '2026-01-01 03:00'`, "a session without the signed_in event"},
		{"a sign-out that nobody recorded", `DELETE FROM audit_event WHERE event = 'session_ended'`, "a session that ended without"},
		{"a role of somebody else", `UPDATE session SET role_id = '000000000020'`, "a session with the role of somebody else"},
		{"an authenticator that nobody recorded", `
			INSERT INTO authenticator (id, person_id, name, kind, credential_id, public_key, sign_count, aaguid, transports, backup_eligible, backup_state,
				attestation_format, attestation_object, client_data, created_at)
			VALUES (gen_random_uuid(), '000000000001', 'key', 'passkey', '\x01', '\x01', 0, gen_random_uuid(), '{}', false, false, 'none', '\x01', '\x01', now())`, "an authenticator without"},
		{"a code that nobody recorded", `DELETE FROM audit_event WHERE event = 'code_issued'`, "a grant without exactly one code_issued event"},
		{"tokens that nobody recorded", `DELETE FROM audit_event WHERE event = 'token_issued' AND refusal = ''`, "a grant with other than one token_issued event"},
		{"a code that gave tokens and is not used", `UPDATE authorization_grant SET code_used_at = NULL`, "a grant with more tokens from a code"},
		{"a refresh token that gave tokens and is not used", `DELETE FROM refresh_token WHERE used_at IS NOT NULL`, "a grant with more tokens from a code or from refresh tokens"},
		{"a refresh token from nowhere", `INSERT INTO refresh_token (hash, grant_id, created_at, used_at) SELECT sha256('third'), id, now(), now() FROM authorization_grant`, "a grant with more refresh tokens than"},
		{"a refresh token of no grant", `INSERT INTO refresh_token (hash, grant_id, created_at) VALUES (sha256('third'), gen_random_uuid(), now())`, "a refresh token of a grant that is not there"},
		{"two live refresh tokens", `UPDATE refresh_token SET used_at = NULL`, "a grant with more than one live refresh token"},
		{"a grant of a client that is not there", `UPDATE authorization_grant SET client_id = 'other'`, "a grant of a client, person"},
		{"a grant of a session that is not there", `DELETE FROM session`, "a grant of a client, person, session"},
		{"a session of somebody who is not there", `UPDATE session SET person_id = '000000000099'; UPDATE authorization_grant SET person_id = '000000000099'`, "a session of a person or authenticator that is not there"},
		{"a session with the authenticator of somebody else", `UPDATE session SET authenticator_id = gen_random_uuid()`, "a session of a person or authenticator that is not there"},
		{"a grant with the authenticator of somebody else", `UPDATE authorization_grant SET authenticator_id = gen_random_uuid()`, "a grant of a client, person, session, authenticator"},
		{"a reuse that ended nothing", `UPDATE authorization_grant SET revoked_at = NULL`, "a grant that stands though"},
		{"tokens before the code", `ALTER TABLE audit_event ALTER sequence SET GENERATED BY DEFAULT; UPDATE audit_event SET sequence = DEFAULT WHERE event = 'code_issued'`, "a grant whose record begins with something else"},
		{"a record out of order", `UPDATE audit_event SET at = '2026-01-01 00:01:30' WHERE refusal <> ''`, "an event of a grant that is recorded before an older one"},
		{"a level that was asserted before there was evidence", `UPDATE person SET identity_level = 'very_high'`, ""},
		{"a level that follows from nothing", `UPDATE person SET identity_level = 'none', identity_policy = '` + assurance.PolicyVersion + `'`, ""},
		{"a level that does not follow", `UPDATE person SET identity_policy = '` + assurance.PolicyVersion + `'`, "the identity of person 000000000001 is high"},
		{"a profile without a policy", `UPDATE person SET identity_profile = 'H1A'`, "a person with a profile and no policy"},
		{"a level on evidence that is not there", `UPDATE person SET identity_evidence = ARRAY[gen_random_uuid()], identity_policy = 'older'`, "an identity that rests on evidence of somebody else"},
		{"evidence that nobody recorded", evidence, "evidence without its evidence_recorded event"},
		{"evidence that is recorded", evidence + `;
			INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
				SELECT now(), 'evidence_recorded', '', 'a', person_id, '', '', '', jsonb_build_object('evidence', gen_random_uuid() || ' ' || id) FROM evidence`, ""},
		{"evidence that nobody withdrew", evidence + `; UPDATE evidence SET withdrawn_at = now(), withdrawn_by = 'a', withdrawn_reason = 'forged'`, "evidence that was withdrawn without"},
		{"a meeting that nobody recorded", `INSERT INTO meeting (id, person_id, officer, officer_role, organisation_code, begun_at, ends_at)
			VALUES (gen_random_uuid(), '000000000001', '000000000002', '000000000020', 'ZX1', now(), now())`, "a meeting without"},
		{"evidence of no meeting", evidence + `; UPDATE evidence SET facts = '{"declared": "video"}'`, "evidence by video of no meeting"},
		{"a position that was asked, approved and given", position, ""},
		{"a role that gives more than its position", position + `ALTER TABLE role_profile DISABLE TRIGGER role_profile_in_position; UPDATE role_profile SET activities = '{B0420,B0401}' WHERE position_id IS NOT NULL`, "a role of a position without the approved request"},
		{"a role that lasts longer than was asked", position + `UPDATE role_profile SET ends_at = NULL WHERE position_id IS NOT NULL`, "a role of a position without the approved request"},
		{"a role that somebody else asked for", position + `UPDATE role_profile SET membership_id = '000000000010' WHERE position_id IS NOT NULL`, "a role of a position without the approved request"},
		{"a role whose request was refused", position + `UPDATE request SET state = 'refused'`, "a role of a position without the approved request"},
		{"an approved request that gave nothing", position + `DELETE FROM role_profile WHERE position_id IS NOT NULL`, "a request for a position that was approved without"},
		{"a request that one officer asked and decided", position + `ALTER TABLE request DROP CONSTRAINT request_decided_by_another; UPDATE request SET decided_by = asked_by`, "a request that somebody asked or decided for herself"},
		{"a request that its person decided", position + `ALTER TABLE request DROP CONSTRAINT request_not_decided_by_its_person; UPDATE request SET decided_by = person_id`, "a request that somebody asked or decided for herself"},
		{"a request that waits though it was decided", position + `INSERT INTO request_queue (organisation_code, request_id) SELECT organisation_code, id FROM request`, "an open request that waits not just"},
		{"an open request that waits nowhere", position + `UPDATE request SET state = 'open', decided_by = NULL, decided_role = NULL, decided_at = NULL, decision_reason = NULL`, "an open request that waits not just"},
		{"a request that nobody recorded", position + `DELETE FROM audit_event WHERE event = 'request_asked'`, "a request without its request_asked event"},
		{"a taking that nobody recorded", position + `UPDATE request SET state = 'open', decided_by = NULL, decided_role = NULL, decided_at = NULL, decision_reason = NULL, owner_id = '000000000002', owner_since = now()`, "an open request that somebody took"},
		{"a decision that nobody recorded", position + `DELETE FROM audit_event WHERE event = 'request_decided'`, "a request that ended without the event"},
		{"a position in force that nobody approved", position + `ALTER TABLE position DISABLE TRIGGER position_approved; UPDATE position SET version = 2`, "a position in force that nobody approved"},
		{"a version that was approved and is not in force", position + `ALTER TABLE position DISABLE TRIGGER position_approved; UPDATE position SET version = NULL`, "a position in force that nobody approved"},
		{"a version that nobody recorded", position + `DELETE FROM audit_event WHERE event = 'position_proposed'`, "a version of a position without the events"},
		{"an approval that nobody recorded", position + `DELETE FROM audit_event WHERE event = 'position_approved'`, "a version of a position without the events"},
		{"a closed profile that is signed in", `UPDATE person SET disabled_at = now(), closed_at = now(), closed_as = 'left'; UPDATE session SET ended_at = NULL`, "a closed profile with something"},
		{"a profile that nobody merged", `UPDATE person SET disabled_at = now(), closed_at = now(), closed_as = 'duplicate', merged_into = '000000000001' WHERE id = '000000000002'`, "a merged profile without"},
		{"an unusual sign-in of another line", `INSERT INTO unusual_sign_in (organisation_code, sequence, at, reasons) VALUES ('ZX1', 9999999, now(), '{x}')`, "an unusual sign-in that is none"},
		{"a place of another line", `INSERT INTO audit_place (organisation_code, at, sequence, event, refused) SELECT 'ZX1', now(), e.sequence, 'x', false FROM audit_event e`, "a line of the record of an organisation that is none"},
		{"a sign-in that is counted and not listed", `INSERT INTO sign_in_day (organisation_code, day, sign_ins, listed) VALUES ('ZX1', now(), 1, 1)`, "a day with other sign-ins"},
		{"a change that nobody recorded", `INSERT INTO person_change (id, person_id, kind, actor, actor_role, reason, old, new, at)
			VALUES (gen_random_uuid(), '000000000001', 'corrected', '000000000002', '000000000020', 'x', '{}', '{}', now())`, "a change of a profile without"},
		{"break-glass that nobody recorded", breakGlass + `UPDATE break_glass_seal SET ended_at = now()`, "break-glass without the event"},
		{"break-glass with envelopes that were not opened", breakGlass + `INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
			VALUES (now(), 'break_glass_opened', '', '000000000001', '000000000002', '', '', '', '{"role": "000000000022"}')`, "break-glass whose envelopes"},
		{"a break-glass role that nobody opened", breakGlass + `DELETE FROM break_glass`, "a break-glass role that"},
		{"a policy that nobody recorded", `UPDATE organisation SET policy_version = 1`, "an organisation whose policy was changed"},
		{"a merge that nobody recorded", position + `INSERT INTO person_merge (id, duplicate, kept, reason, proposed_by, proposed_role, proposed_at)
			VALUES (gen_random_uuid(), '000000000001', '000000000003', 'x', '000000000002', '000000000020', now())`, "a merge without"},
		{"a role that does not follow its position", position + `DELETE FROM audit_event WHERE event = 'position_approved'; ALTER TABLE position DISABLE TRIGGER position_rolled_out;
			UPDATE position_version SET approved_by = '000000000002', approved_role = '000000000020', approved_at = '2026-02-01' WHERE version = 2; UPDATE position_version SET closes = false;
			UPDATE position SET version = 2`, "a role that gives what its position gives no more"},
		{"a role that does not follow its position yet", position + `INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
				VALUES ('2026-02-01', 'position_approved', '', 'a', '', '', '', '', '{"position": "000000000030", "version": "2"}');
			UPDATE position_version SET approved_by = '000000000002', approved_role = '000000000020', approved_at = '2026-02-01' WHERE version = 2; UPDATE position_version SET closes = false;
			UPDATE position SET version = 2`, ""},
		{"a role that changed and nobody recorded", position + `UPDATE role_profile SET withheld = 'x' WHERE position_id IS NOT NULL`, "a role that changed without"},
		{"who registered herself", registered, ""},
		{"a self-registration that nobody recorded", registered + `; DELETE FROM audit_event WHERE event = 'self_registered'`, "somebody who registered herself without"},
		{"a role of whom nothing is on record", registered + `; ALTER TABLE role_profile DISABLE TRIGGER role_profile_proved;
			INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, created_at)
			VALUES ('000000000029', '000000000019', 'S8000:G8000:R8000', '{}', '{}', '{}', now(), now())`, "a role that somebody was given who had registered herself"},
		{"a role that outlasts its position", position + `UPDATE position_version SET closes = true`, "a role of a position that outlasts it"},
		{"a secret as text", `UPDATE audit_event SET detail = '{"why": "token=` + token + `"}'`, "audit_event has a secret"},
		{"a secret in an array", `UPDATE client SET redirect_uris = '{https://ward.example/?t=` + token + `}'`, "client has a secret"},
		{"a secret as bytes", `UPDATE client SET authentication = 'client_secret_basic', secret_hash = '` + token + `          '`, "client has a secret"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, _ := storetest.URLs(t)
			owner := open(t, url)
			for _, statements := range []string{sound, tt.change} {
				if _, err := owner.Exec(t.Context(), statements); err != nil {
					t.Fatal(err)
				}
			}
			found := &said{TB: t}
			storetest.CheckInvariants(found, url, token)
			if got := strings.Join(found.errors, "\n"); (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("CheckInvariants() says %q, want %q", got, tt.want)
			}
		})
	}
}
