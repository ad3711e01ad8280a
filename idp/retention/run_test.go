package retention_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/retention"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

// Who is proved by evidence of the seed.
const proved = "656005750114"

// close closes her profile.
func (a *archive) close() {
	a.t.Helper()
	a.exec(`UPDATE session SET ended_at = $1 WHERE ended_at IS NULL`, a.at)
	a.exec(`UPDATE person SET disabled_at = $2, closed_at = $2, closed_as = 'left' WHERE id = $1`, proved, a.at)
}

func (a *archive) text(sql string, args ...any) (s string) {
	a.t.Helper()
	must(a.t, a.owner.QueryRow(a.t.Context(), sql, args...).Scan(&s))
	return s
}

// The evidence of a closed profile goes first, and takes the level with it; then all that says whose it was. What is left is in
// order, and each has its line of the record.
func TestClosedProfile(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	family := a.text(`SELECT family_name FROM person WHERE id = $1`, proved)
	number := a.text(`SELECT encode(number_hash, 'hex') FROM evidence WHERE person_id = $1 AND number_hash IS NOT NULL LIMIT 1`, proved)
	handle := a.text(`SELECT encode(handle, 'hex') FROM person WHERE id = $1`, proved)
	a.run(now.AddDate(10, 0, 0))
	closed := a.at
	if level := a.text(`SELECT identity_level FROM person WHERE id = $1`, proved); level != "high" || len(a.says(family)) == 0 {
		t.Fatalf("level of the open profile after ten years = %s, said in %q, want nothing erased", level, a.says(family))
	}
	a.exec(`INSERT INTO evidence_proposal (id, person_id, organisation_code, kind, piece_sealed, proposed_at, proposed_by, proposed_role)
		VALUES (gen_random_uuid(), $1, 'ZX100', 'passport', 'kanarienvogel', $2, '656005750116', '656014116001')`, proved, closed)
	a.close()
	if erased := a.run(closed.AddDate(2, 0, 0)); erased["profile_proofs"] != 1 || erased["profile_closed"] != 0 {
		t.Errorf("run after two years = %v, want the evidence of one profile", erased)
	}
	if level := a.text(`SELECT identity_level FROM person WHERE id = $1`, proved); level != "none" || len(a.says(number)) != 0 || len(a.says(family)) == 0 {
		t.Errorf("level after two years = %s, its number said in %q, want none and the name still there", level, a.says(number))
	}
	if left := a.text(`SELECT count(*)::text FROM evidence_proposal WHERE person_id = $1`, proved); left != "0" {
		t.Errorf("proposals of evidence after two years = %s, want none", left)
	}
	if erased := a.run(closed.AddDate(6, 0, 0)); erased["profile_closed"] != 1 {
		t.Errorf("run after six years = %v, want one profile", erased)
	}
	if left := append(a.says(family), a.says(handle)...); len(left) != 0 {
		t.Errorf("tables that say who it was = %q, want none", left)
	}
	if kinds := a.text(`SELECT string_agg(kind, ' ' ORDER BY kind) FROM evidence WHERE person_id = $1 AND erased_at IS NOT NULL`, proved); !strings.Contains(kinds, "passport") {
		t.Errorf("kinds of evidence that are left = %q, want the tombstones", kinds)
	}
	if events := a.text(`SELECT string_agg(event || ' ' || actor, ', ' ORDER BY sequence) FROM audit_event WHERE event IN ('person_erased', 'retention_run') AND at > $1`, closed); events !=
		"retention_run operator:test, person_erased operator:test, retention_run operator:test" {
		t.Errorf("events = %s", events)
	}
	rules, err := authority.New()
	must(t, err)
	a.at = seeded
	profiles := &lifecycle.Registrar{Store: a.Store, Rules: rules, Evidence: a.Evidence, Now: a.Now}
	err = profiles.Reopen(t.Context(), deed.Acting{Person: "656005750116", Role: "656014116001"}, proved, "She is back")
	if refusal, ok := errors.AsType[*deed.Refusal](err); !ok || refusal.Reason != lifecycle.Erased || refusal.Error() == "" {
		t.Errorf("Reopen(erased) = %v, want the refusal %s", err, lifecycle.Erased)
	}
	if err := a.Store.InTx(t.Context(), func(tx *store.Tx) error { return tx.ReopenPerson(t.Context(), proved) }); !errors.Is(err, store.ErrReference) {
		t.Errorf("ReopenPerson(erased) = %v, want it refused by the schema", err)
	}
	a.checkEvidence()
}

// checkEvidence reads what is on record as pages do.
func (a *archive) checkEvidence() {
	a.t.Helper()
	if _, err := a.Evidence.Of(a.t.Context(), proved, uuid.Nil, 100); err != nil {
		a.t.Errorf("Of(erased) = %v, want tombstones that can be read", err)
	}
	storetest.CheckInvariants(a.t, a.ownerURL)
}

// A profile that was opened again keeps what it has; closed once more, its time begins anew.
func TestReopenedProfile(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.close()
	a.run(now.AddDate(2, 0, 0))
	a.exec(`UPDATE person SET disabled_at = NULL, closed_at = NULL, closed_as = NULL WHERE id = $1`, proved)
	if erased := a.run(now.AddDate(9, 0, 0)); erased["profile_closed"]+erased["profile_proofs"] != 0 {
		t.Errorf("run of an open profile = %v, want nothing", erased)
	}
	a.close()
	if erased := a.run(now.AddDate(10, 0, 0)); erased["profile_proofs"] != 0 {
		t.Errorf("run a year after it was closed again = %v, want nothing", erased)
	}
	if erased := a.run(now.AddDate(11, 0, 0)); erased["profile_proofs"] != 1 {
		t.Errorf("run two years after it was closed again = %v, want its proofs", erased)
	}
}

// At the wish of the person a closed profile goes before its time, with those that were merged into it; an open one does not.
func TestErasePerson(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	ctx, family := t.Context(), a.text(`SELECT family_name FROM person WHERE id = $1`, proved)
	if err := a.ErasePerson(ctx, "operator:test", proved, "Asked"); !errors.Is(err, retention.ErrOpen) {
		t.Errorf("ErasePerson(open) = %v, want ErrOpen", err)
	}
	if err := a.ErasePerson(ctx, "operator:test", "999999999999", "Asked"); !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("ErasePerson(unknown) = %v, want ErrUnknown", err)
	}
	a.close()
	a.exec(person, now)
	a.exec(`UPDATE person SET closed_as = 'duplicate', merged_into = $2 WHERE id = $1`, ana, proved)
	a.exec(change, now) // goes with a closed profile, however young
	if _, ok := directory.Mistakes(a.ErasePerson(ctx, "operator:test", proved, "")); !ok {
		t.Error("ErasePerson(for no reason) is done, want it refused")
	}
	must(t, a.Hold(ctx, "operator:test", ana, "Inquest"))
	if err := a.ErasePerson(ctx, "operator:test", proved, "Asked"); !errors.Is(err, retention.ErrHeld) || len(a.says(family)) == 0 {
		t.Errorf("ErasePerson(one that was merged into it is held) = %v, want ErrHeld and nothing erased", err)
	}
	must(t, a.Release(ctx, "operator:test", ana))
	must(t, a.ErasePerson(ctx, "operator:test", proved, "Asked"))
	if left := append(a.says(family), a.says(canary)...); len(left) != 0 {
		t.Errorf("tables that say who it was = %q, want none", left)
	}
	if err := a.ErasePerson(ctx, "operator:test", proved, "Asked"); !errors.Is(err, retention.ErrErased) {
		t.Errorf("ErasePerson(again) = %v, want ErrErased", err)
	}
	if err := a.Hold(ctx, "operator:test", proved, "Late"); !errors.Is(err, retention.ErrErased) {
		t.Errorf("Hold(erased) = %v, want ErrErased", err)
	}
}

// photographs are as many that were replaced long ago.
func (a *archive) photographs(n int) {
	a.t.Helper()
	a.exec(`INSERT INTO photograph (id, person_id, image_sealed, way, taken_at, taken_by, taken_role, replaced_at)
		SELECT gen_random_uuid(), $2, 'kanarienvogel', 'camera', $1, '656005750116', '656014116001', $1 FROM generate_series(1, $3::int)`, now, ana, n)
}

// A run that is broken off amid its work has done what its report says; while it may be at work no other begins, and an hour later
// one goes on.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.photographs(1200)
	a.at = now.AddDate(2, 0, 0)
	ctx, cancel := context.WithCancel(t.Context())
	calls := 0
	a.Now = func() time.Time { // once for the report, and once for each batch
		if calls++; calls == 5 {
			cancel()
		}
		return a.at
	}
	id, err := a.Erase(ctx, "operator:test")
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("Erase(broken off) = %v, want that it was", err)
	}
	if left := a.text(`SELECT count(*)::text FROM photograph WHERE erased_at IS NULL`); left == "0" || left == "1200" {
		t.Errorf("photographs that are left = %s, want that it was amid them", left)
	}
	if said, done := a.text(`SELECT erased::text FROM retention_count WHERE run_id = $1 AND rule = 'photograph_replaced'`, id), a.text(`SELECT count(*)::text FROM photograph WHERE erased_at IS NOT NULL`); said != done {
		t.Errorf("the report says %s, and %s were erased", said, done)
	}
	if _, err := a.Erase(t.Context(), "operator:test"); !errors.Is(err, retention.ErrRunning) {
		t.Errorf("Erase(while it may be at work) = %v, want ErrRunning", err)
	}
	a.at = a.at.Add(2 * time.Hour)
	if _, err := a.Erase(t.Context(), "operator:test"); err != nil || len(a.says(canary)) != 0 {
		t.Errorf("Erase(later) = %v, and it is said in %q, want the rest erased", err, a.says(canary))
	}
}

// Of many replicas that look at once one runs the rules, and none for a day after that.
func TestOneReplicaRuns(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.photographs(700)
	a.at = now.AddDate(2, 0, 0)
	var group sync.WaitGroup
	var began atomic.Int32
	for range 8 {
		group.Go(func() {
			if _, err := a.Erase(t.Context(), retention.Schedule); err == nil {
				began.Add(1)
			} else if !errors.Is(err, retention.ErrRunning) {
				t.Errorf("Erase() = %v, want ErrRunning", err)
			}
		})
	}
	group.Wait()
	if erased := a.text(`SELECT sum(erased)::text FROM retention_count`); began.Load() < 1 || erased != "700" {
		t.Errorf("%d runs say that %s were erased, want 700 once", began.Load(), erased)
	}
	runs := func() string { return a.text(`SELECT count(*)::text FROM retention_run`) }
	before := runs()
	a.at = a.at.Add(24*time.Hour - time.Second)
	if err := a.Daily(t.Context()); err != nil || runs() != before {
		t.Errorf("Daily(a second before the next day) = %v, and %s runs, want %s", err, runs(), before)
	}
	a.at = a.at.Add(time.Second)
	if err := a.Daily(t.Context()); err != nil || runs() == before {
		t.Errorf("Daily(the next day) = %v, and %s runs, want another", err, runs())
	}
}

// Run begins at once, and ends with its context.
func TestRun(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.photographs(1)
	a.at = now.AddDate(2, 0, 0)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.Run(ctx) }()
	for end := time.Now().Add(30 * time.Second); a.text(`SELECT count(*)::text FROM retention_run WHERE ended_at IS NOT NULL`) == "0"; {
		if time.Now().After(end) {
			t.Fatal("after 30 s no run has ended")
		}
	}
	cancel()
	if err := <-done; err != nil || len(a.says(canary)) != 0 {
		t.Errorf("Run() = %v, and it is said in %q, want it erased", err, a.says(canary))
	}
}

// The service erases by the one function, and by it nothing that is in use.
func TestEraseTakesNothingInUse(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	in := func(table string) []string {
		return strings.Fields(a.text(`SELECT coalesce(string_agg(id::text, ' '), '') FROM ` + table))
	}
	a.exec(photograph+`NULL)`, now)
	a.exec(change, now.AddDate(-1, 0, 0).Add(time.Second)) // of an open profile, and not a year old
	a.exec(opened, now)                                    // and not signed for
	for rule, table := range map[string]string{
		"evidence_withdrawn": "evidence", "photograph_replaced": "photograph", "authenticator_revoked": "authenticator", "request_decided": "request",
		"application_refused": "client_application", "merge_decided": "person_merge", "profile_proofs": "person", "profile_closed": "person", "hold_released": "retention_hold",
		"profile_changed": "person_change", "break_glass_signed": "break_glass",
	} {
		err := a.Store.InTx(t.Context(), func(tx *store.Tx) error {
			n, err := tx.Erase(t.Context(), rule, in(table), now)
			if n != 0 {
				t.Errorf("Erase(%s, all) = %d, want none: all of it is in use", rule, n)
			}
			return err
		})
		must(t, err)
	}
	if kinds := store.RetainedKinds(); !slices.IsSorted(kinds) || len(kinds) != len(a.Rules) {
		t.Errorf("kinds = %q, want one for each rule", kinds)
	}
}

// What the database does not let go keeps nothing else from going: the report says how much stayed, and why, and it goes once it can.
func TestWhatCannotBeErasedStays(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.photographs(700)
	a.exec(`CREATE TABLE exhibit AS SELECT id FROM photograph ORDER BY id DESC LIMIT 3`)
	a.exec(`CREATE FUNCTION keep_exhibit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
		BEGIN
			IF EXISTS (SELECT FROM exhibit e WHERE e.id = OLD.id) THEN
				RAISE foreign_key_violation USING MESSAGE = 'it is an exhibit', CONSTRAINT = 'exhibit_photograph';
			END IF;
			RETURN NEW;
		END $$`)
	a.exec(`CREATE TRIGGER exhibit BEFORE UPDATE ON photograph FOR EACH ROW EXECUTE FUNCTION keep_exhibit()`)
	a.exec(change, now.AddDate(-5, 0, 0)) // by a rule that comes later
	report := func(at time.Time) store.RetentionCount {
		t.Helper()
		a.at = at
		id, err := a.Erase(t.Context(), "operator:test")
		must(t, err)
		counts, err := a.Store.RetentionCounts(t.Context(), id)
		must(t, err)
		i := slices.IndexFunc(counts, func(c store.RetentionCount) bool { return c.Rule == "photograph_replaced" })
		return counts[i]
	}
	due := now.AddDate(2, 0, 0)
	if c := report(due); c.Due != 700 || c.Erased != 697 || c.Stayed != 3 || c.StayedBecause == "" {
		t.Errorf("the report = %+v, want 3 of 700 that stayed, and why", c)
	}
	if left := a.text(`SELECT count(*)::text FROM photograph WHERE erased_at IS NULL`); left != "3" {
		t.Errorf("photographs that are left = %s, want the exhibits", left)
	}
	if left := a.text(`SELECT count(*)::text FROM person_change WHERE erased_at IS NULL`); left != "0" {
		t.Errorf("changes that are left = %s, want the rules after it to go on", left)
	}
	if stayed := a.text(`SELECT detail->>'photograph_replaced_stayed' FROM audit_event WHERE event = 'retention_run' ORDER BY sequence DESC LIMIT 1`); stayed != "3" {
		t.Errorf("the record says that %s stayed, want 3", stayed)
	}
	a.exec(`DROP TRIGGER exhibit ON photograph`)
	if c := report(due.AddDate(0, 0, 1)); c.Due != 3 || c.Erased != 3 || c.Stayed != 0 {
		t.Errorf("the report once they can go = %+v, want them erased", c)
	}
}

// Where nothing can be erased the run fails, and does not ask for each record.
func TestEraseGivesUp(t *testing.T) {
	t.Parallel()
	a := newArchive(t)
	a.photographs(300)
	a.exec(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$`)
	a.exec(`CREATE TRIGGER refuse BEFORE UPDATE ON photograph FOR EACH ROW EXECUTE FUNCTION refuse()`)
	a.at = now.AddDate(2, 0, 0)
	if _, err := a.Erase(t.Context(), "operator:test"); err == nil {
		t.Error("Erase() of what cannot be erased at all = nil, want that it fails")
	}
	if stayed := a.text(`SELECT stayed::text FROM retention_count WHERE rule = 'photograph_replaced'`); stayed != "100" {
		t.Errorf("stayed = %s, want as many as may", stayed)
	}
}
