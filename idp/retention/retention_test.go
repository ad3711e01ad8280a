package retention_test

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/retention"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var (
	// now is long ago, so that what the tests wait for is over by the clock of the database, which no test sets.
	now = time.Date(2005, time.March, 2, 9, 30, 0, 0, time.UTC)
	// seeded is when the officers of the seed have their roles.
	seeded = time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)
)

const (
	ana    = "100000000001" // whose records the tests erase
	canary = "kanarienvogel"
)

// archive is a database with an officer, Ana, and rules that are run at a time which the test sets.
type archive struct {
	*retention.Eraser

	t        *testing.T
	owner    *pgx.Conn
	ownerURL string
	at       time.Time
}

func newArchive(t *testing.T) *archive {
	t.Helper()
	ownerURL, serviceURL := storetest.URLs(t)
	owner, err := pgx.Connect(t.Context(), ownerURL)
	must(t, err)
	t.Cleanup(func() { _ = owner.Close(context.WithoutCancel(t.Context())) })
	s, err := store.Open(t.Context(), serviceURL)
	must(t, err)
	t.Cleanup(s.Close)
	key, _ := seal.NewKey()
	must(t, directory.Seed(t.Context(), s, key, seeded))
	a := &archive{t: t, owner: owner, ownerURL: ownerURL, at: now}
	clock := func() time.Time { return a.at }
	recorder, err := evidence.New(s, key, clock)
	must(t, err)
	rules, err := retention.Rules()
	must(t, err)
	a.Eraser = &retention.Eraser{Store: s, Rules: rules, Evidence: recorder, Now: clock, Log: slog.New(slog.DiscardHandler)}
	a.exec(`INSERT INTO person (id, handle, title, given_name, middle_names, family_name, display_name, identity_level, created_at)
		VALUES ($1, sha256('ana'), '', 'Ana', '', 'Example', 'Ana Example', 'none', $2)`, ana, now)
	return a
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (a *archive) exec(sql string, args ...any) {
	a.t.Helper()
	if _, err := a.owner.Exec(a.t.Context(), sql, args...); err != nil {
		a.t.Fatalf("%s: %v", sql, err)
	}
}

// run runs the rules at a time, and says how much each erased that did.
func (a *archive) run(at time.Time) map[string]int {
	a.t.Helper()
	a.at = at
	id, err := a.Erase(a.t.Context(), "operator:test")
	must(a.t, err)
	counts, err := a.Store.RetentionCounts(a.t.Context(), id)
	must(a.t, err)
	erased := map[string]int{}
	for _, c := range counts {
		if c.Erased != c.Due {
			a.t.Errorf("the report of %s = %+v, want all that was due erased", c.Rule, c)
		}
		if c.Erased > 0 {
			erased[c.Rule] = c.Erased
		}
	}
	return erased
}

// says lists the tables in which a text stands, as it is or as the bytes of it.
func (a *archive) says(text string) (where []string) {
	a.t.Helper()
	rows, err := a.owner.Query(a.t.Context(), `SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`)
	must(a.t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(a.t, err)
	for _, table := range tables {
		var all string
		must(a.t, a.owner.QueryRow(a.t.Context(), `SELECT coalesce(string_agg(t::text, ' '), '') FROM `+table+` t`).Scan(&all))
		if strings.Contains(all, text) || strings.Contains(all, hex.EncodeToString([]byte(text))) {
			where = append(where, table)
		}
	}
	return where
}

// What each rule is about, recorded since a time ($1), with a word wherever there is content.
const (
	closed    = `UPDATE person SET disabled_at = $1, closed_at = $1, closed_as = 'left' WHERE id = '100000000001'`
	evidence1 = `INSERT INTO evidence (id, person_id, type, kind, facts, number_sealed, number_hash, process_id, recorded_at, recorded_by, withdrawn_at, withdrawn_by, withdrawn_reason)
		VALUES (gen_random_uuid(), '100000000001', 'document', 'passport', '{"issuer": "kanarienvogel"}', 'kanarienvogel', sha256('1'), gen_random_uuid(), $1, 'desk', $1, 'desk', `
	photograph = `INSERT INTO photograph (id, person_id, image_sealed, way, taken_at, taken_by, taken_role, replaced_at)
		VALUES (gen_random_uuid(), '100000000001', 'kanarienvogel', 'camera', $1, '656005750116', '656014116001', `
	authenticator = `INSERT INTO authenticator (id, person_id, name, kind, credential_id, public_key, sign_count, aaguid, transports, backup_eligible, backup_state, attestation_format,
			attestation_object, client_data, created_at, state, revoked_at)
		VALUES (gen_random_uuid(), '100000000001', 'kanarienvogel', 'passkey', 'kanarienvogel', 'kanarienvogel', 0, gen_random_uuid(), '{}', true, true, 'none',
			'kanarienvogel', 'kanarienvogel', $1, 'revoked', $1)`
	password = `INSERT INTO authenticator (id, person_id, name, kind, sign_count, aaguid, transports, backup_eligible, backup_state, attestation_format, secret_sealed, created_at, state, revoked_at)
		VALUES (gen_random_uuid(), '100000000001', 'kanarienvogel', 'password', 0, gen_random_uuid(), '{}', true, false, 'none', 'kanarienvogel', $1, 'revoked', $1)`
	request = `WITH p AS (INSERT INTO position (id, organisation_code, created_at) VALUES ('800000000001', 'ZX100', now()) RETURNING id), v AS (
			INSERT INTO position_version (position_id, version, closes, name, notes, job_role, areas_of_work, activities, workgroups, assignable, reason, made_by, made_role, made_at)
			SELECT id, 1, false, 'Nurse', '', 'S8000:G8000:R8001', '{}', '{}', '{}', false, 'why', '656005750116', '656014116001', now() FROM p RETURNING position_id)
		INSERT INTO request (id, kind, person_id, position_id, position_version, organisation_code, starts_at, reason, asked_by, asked_role, asked_at, lapses_at, state, decided_at, decision_reason, owner_id, owner_since)
		SELECT gen_random_uuid(), 'assign_position', '100000000001', position_id, 1, 'ZX100', $1, 'kanarienvogel', '656005750116', '656014116001', $1, $1, 'lapsed', $1, 'kanarienvogel', '656005750117', $1 FROM v`
	application = `INSERT INTO client_application (id, organisation_code, environment, name, purpose, contact, authentication, redirect_uris, post_logout_redirect_uris, scopes, requires_role,
			minimum_authenticator_level, minimum_identity_level, applied_by, applied_role, applied_at, state, decided_at, decision_reason)
		VALUES (gen_random_uuid(), 'ZX100', 'development', 'Ward', 'Ward list', 'kanarienvogel', 'none', '{https://rp.example.org}', '{}', '{openid}', false, 1, 'none',
			'656005750116', '656014116001', $1, 'withdrawn', $1, 'kanarienvogel')`
	change = `INSERT INTO person_change (id, person_id, kind, actor, actor_role, reason, old, new, at)
		VALUES (gen_random_uuid(), '100000000001', 'corrected', '656005750116', '656014116001', 'kanarienvogel', '{"family_name": "kanarienvogel"}', '{"family_name": "kanarienvogel"}', $1)`
	merge = `INSERT INTO person_merge (id, duplicate, kept, reason, proposed_by, proposed_role, proposed_at, state, decided_by, decided_role, decided_at, decision_reason)
		VALUES (gen_random_uuid(), '656005750113', '100000000001', 'kanarienvogel', '656005750116', '656014116001', $1, 'refused', '656005750117', '656014117001', $1, 'kanarienvogel')`
	hold   = `INSERT INTO retention_hold (id, person_id, reason, placed_by, placed_at, released_by, released_at) VALUES (gen_random_uuid(), '100000000001', 'kanarienvogel', 'x', $1, 'x', $1)`
	opened = `WITH s AS (INSERT INTO break_glass_seal (id, organisation_code, first_hash, second_hash, sealed_by, sealed_at, expires_at, ended_at)
			VALUES (gen_random_uuid(), 'ZX100', sha256('1'), sha256('2'), 'x', $1, $1::timestamptz + interval '1 day', $1) RETURNING id)
		INSERT INTO break_glass (id, seal_id, organisation_code, asked_by, confirmed_by, reason, role_id, opened_at)
		SELECT gen_random_uuid(), id, 'ZX100', '100000000001', '656005750113', 'kanarienvogel', '656014117001', $1 FROM s`
	ended  = `UPDATE role_profile SET starts_at = $1::timestamptz - interval '1 day', ends_at = $1 WHERE id = '656014117001'`
	signed = `UPDATE break_glass SET signed_by = '656005750116', signed_role = '656014116001', signed_at = $1, note = 'kanarienvogel'`
	person = `UPDATE person SET title = 'Dr', given_name = 'kanarienvogel', middle_names = 'kanarienvogel', family_name = 'kanarienvogel', display_name = 'kanarienvogel',
			email = 'kanarienvogel@example.org', date_of_birth = '1980-12-31', handle = decode(rpad(encode('kanarienvogel', 'hex'), 64, '0'), 'hex'),
			disabled_at = $1, closed_at = $1, closed_as = 'left' WHERE id = '100000000001'`
	registered = `INSERT INTO professional_registration (person_id, body, number) SELECT '100000000001', 'gmc', 'kanarienvogel' WHERE $1::timestamptz IS NOT NULL`
	introduced = `INSERT INTO introduction (id, position_id, position_version, organisation_code, title, given_name, middle_names, family_name, date_of_birth, email, starts_at, reason, asked_by,
			asked_role, asked_at, lapses_at, state, ended_by, ended_role, ended_at, person_id, request_id)
		SELECT gen_random_uuid(), position_id, 1, 'ZX100', 'Dr', 'kanarienvogel', 'kanarienvogel', 'kanarienvogel', '1980-12-31', 'kanarienvogel@example.org', $1, 'kanarienvogel', '656005750117',
			'656014117001', $1, $1, 'taken_up', '656005750116', '656014116001', $1, '100000000001', id FROM request`
)

func recordedSince(rule string) []string {
	return map[string][]string{
		"evidence_withdrawn":    {evidence1 + `'mistaken')`},
		"evidence_forged":       {evidence1 + `'forged')`},
		"photograph_replaced":   {photograph + `$1)`},
		"authenticator_revoked": {authenticator, password},
		"application_refused":   {application},
		"request_decided":       {request},
		"profile_changed":       {change},
		"merge_decided":         {merge},
		"break_glass_signed":    {ended, opened, signed},
		"hold_released":         {hold},
		"profile_proofs":        {photograph + `NULL)`, closed},
		"profile_closed":        {person, evidence1 + `'forged')`, authenticator, password, request, introduced, change, merge, hold, photograph + `NULL)`, registered},
	}[rule]
}

// A second before its time all of a record is there, and at its time nothing of it, in any table.
func TestRules(t *testing.T) {
	t.Parallel()
	rules, err := retention.Rules()
	must(t, err)
	for _, rule := range rules {
		t.Run(rule.Name, func(t *testing.T) {
			t.Parallel()
			a := newArchive(t)
			// The others take their time from the same moment: those that are over sooner would take it before.
			a.Rules = slices.DeleteFunc(slices.Clone(rules), func(r retention.Rule) bool { return r.Name != rule.Name })
			for _, statement := range recordedSince(rule.Name) {
				a.exec(statement, now)
			}
			there := a.says(canary)
			over := now.AddDate(rule.Period.Years, rule.Period.Months, rule.Period.Days)
			if erased := a.run(over.Add(-time.Second)); len(erased) != 0 {
				t.Errorf("run a second before = %v, want nothing erased", erased)
			}
			if left := a.says(canary); !slices.Equal(left, there) || len(there) == 0 {
				t.Errorf("tables that say it a second before = %q, want those that did: %q", left, there)
			}
			want := 1
			if rule.Name == "authenticator_revoked" {
				want = 2
			}
			if erased := a.run(over); erased[rule.Name] != want {
				t.Errorf("run at its time = %v, want %d of %s", erased, want, rule.Name)
			}
			if left := a.says(canary); len(left) != 0 {
				t.Errorf("tables that say it at its time = %q, want none of %q", left, there)
			}
			if erased := a.run(over.Add(time.Hour)); len(erased) != 0 {
				t.Errorf("run once more = %v, want nothing erased", erased)
			}
			var n int
			must(t, a.owner.QueryRow(t.Context(), `SELECT count(*) FROM `+rule.Table+` t WHERE to_jsonb(t)->>'erased_at' IS NOT NULL OR to_jsonb(t)->>'proofs_erased_at' IS NOT NULL`).Scan(&n))
			if gone := rule.Taken == ""; gone != (n == 0) {
				t.Errorf("tombstones in %s = %d, want some unless the record goes altogether (%t)", rule.Table, n, gone)
			}
		})
	}
}

// Of whom records are held nothing goes, by no rule and not at her own wish; released, it goes.
func TestHold(t *testing.T) {
	t.Parallel()
	rules, err := retention.Rules()
	must(t, err)
	const applied = "application_refused" // is of an organisation: it is held with whoever applied
	a := newArchive(t)
	for _, rule := range rules {
		if rule.Name != "profile_closed" && rule.Name != applied {
			for _, statement := range recordedSince(rule.Name) {
				a.exec(statement, now)
			}
		}
	}
	a.exec(person, now)
	there := a.says(canary)
	must(t, a.Hold(t.Context(), "operator:test", ana, "Inquest"))
	if erased := a.run(now.AddDate(20, 0, 0)); len(erased) != 0 {
		t.Errorf("run while it is held = %v, want nothing erased", erased)
	}
	for what, err := range map[string]error{
		"ErasePerson(held)": a.ErasePerson(t.Context(), "operator:test", ana, "Asked"),
		"Hold(held)":        a.Hold(t.Context(), "operator:test", ana, "Again"),
	} {
		if !errors.Is(err, retention.ErrHeld) {
			t.Errorf("%s = %v, want ErrHeld", what, err)
		}
	}
	if left := a.says(canary); !slices.Equal(left, there) {
		t.Errorf("tables that say it while it is held = %q, want %q", left, there)
	}
	must(t, a.Release(t.Context(), "operator:test", ana))
	if err := a.Release(t.Context(), "operator:test", ana); !errors.Is(err, retention.ErrNotHeld) {
		t.Errorf("Release(again) = %v, want ErrNotHeld", err)
	}
	a.run(now.AddDate(20, 0, 1))
	if left := append(a.says(canary), a.says("Inquest")...); !slices.Equal(left, []string{"audit_event"}) {
		t.Errorf("tables that say it when it was released = %q, want the record alone, with why it was held", left)
	}
}
