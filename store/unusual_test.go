package store_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

const zone = "Europe/London"

// countSignIns reads the record on, as the watch does.
func countSignIns(ctx context.Context, s *store.Store, before time.Time) (lines []store.SignInLine, err error) {
	return lines, s.InTx(ctx, func(tx *store.Tx) error {
		after, err := tx.LockSignInReading(ctx)
		if err != nil {
			return err
		}
		if lines, err = tx.SignInLines(ctx, after, before, zone, 100, 10); err != nil || len(lines) == 0 {
			return err
		}
		if err := tx.PlaceLines(ctx, after, lines[len(lines)-1].Sequence, []string{"token_issued"}, zone); err != nil {
			return err
		}
		for _, l := range lines {
			if err := tx.AddUnusualSignIn(ctx, l, []string{"why"}); err != nil {
				return err
			}
		}
		if err := tx.SweepSignIns(ctx, now.Add(-time.Hour), 10); err != nil {
			return err
		}
		return tx.SetSignInReading(ctx, lines[len(lines)-1].Sequence)
	})
}

// summers is a day of July, which begins an hour before that of UTC, and how many sign-ins there were, all of which are listed.
func summers(day int, signIns int64) store.SignInDay {
	at := func(day int) time.Time { return time.Date(2026, 7, day, 0, 0, 0, 0, time.UTC) }
	return store.SignInDay{Day: at(day), From: at(day).Add(-time.Hour), Until: at(day + 1).Add(-time.Hour), SignIns: signIns, Listed: true}
}

// What there is to judge a sign-in by is what came before it; each line is read once, and counts where its person has a role and above.
func TestSignIns(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: "RXX00", Name: "Board"}, now))
	exec(t, connect(t, in.ownerURL), `UPDATE organisation SET parent_code = 'RXX00' WHERE code = $1`, organisation)
	exec(t, connect(t, in.ownerURL), `UPDATE role_profile SET ends_at = NULL WHERE id = $1`, anaRole) // she works there in summer
	key := uuid.NewString()
	add := func(at time.Time, event, refusal, address, authenticator string) {
		t.Helper()
		must(t, in.AddAuditEvent(ctx, store.AuditEvent{At: at, Event: event, Refusal: refusal, Actor: ana, PersonID: ana, Address: address, Detail: map[string]string{"authenticator": authenticator}}))
	}
	if lines, err := countSignIns(ctx, in.Store, later); err != nil || len(lines) > 0 {
		t.Fatalf("SignInLines(of a record without sign-ins) = %v, %v, want none", lines, err)
	}
	summer := time.Date(2026, 7, 1, 23, 30, 0, 0, time.UTC) // half past midnight, the day after
	add(summer.Add(-3*time.Hour), "signed_in", "", "192.0.2.1", "")
	add(summer.Add(-2*time.Hour), "enrolled", "", "192.0.2.1", key)
	add(summer.Add(-2*time.Hour), "signed_in", "unknown", "192.0.2.1", "") // more than an hour before
	add(summer.Add(-time.Minute), "signed_in", "unknown", "192.0.2.9", "")
	add(summer, "signed_in", "", "192.0.2.9", key)
	lines, err := countSignIns(ctx, in.Store, summer.Add(time.Hour))
	must(t, err)
	if len(lines) != 5 {
		t.Fatalf("SignInLines() = %v, want 5", lines)
	}
	bound := summer.Add(-2 * time.Hour)
	same(t, "the last line", lines[4], store.SignInLine{
		Sequence: lines[4].Sequence, At: summer, Event: "signed_in", PersonID: ana, Hour: 0,
		SignIns: 1, Failures: 1, BoundAt: &bound,
	})
	add(summer.Add(time.Minute), "signed_in", "", "192.0.2.1", key)
	add(summer.Add(2*time.Hour), "signed_in", "", "192.0.2.1", key) // too late: others may come before it
	add(summer.Add(3*time.Minute), "signed_in", "", "192.0.2.1", key)
	lines, err = countSignIns(ctx, in.Store, summer.Add(time.Hour))
	must(t, err)
	if len(lines) != 1 || lines[0].SignIns != 2 || !lines[0].KnownAddress || !lines[0].Used {
		t.Errorf("SignInLines(further) = %+v, want one from a known address with what was used", lines)
	}
	for _, code := range []string{organisation, "RXX00"} {
		days, err := in.SignInDays(ctx, code, zone, 2, summer)
		must(t, err)
		same(t, "SignInDays("+code+")", days, []store.SignInDay{summers(1, 1), summers(2, 2)})
		for _, d := range days {
			list, err := in.ReadAuditAt(ctx, code, store.AuditLines{Event: "signed_in", Outcome: store.Done, From: d.From, Until: d.Until}, 10)
			must(t, err)
			if len(list) != int(d.SignIns) {
				t.Errorf("ReadAuditAt(%s, %s) = %d lines, want the %d that are counted", code, d.Day, len(list), d.SignIns)
			}
		}
		for _, o := range []store.Order{{By: store.ByTime}, {By: store.ByTime, Descending: true}} {
			list, err := in.UnusualSignIns(ctx, code, summer, o, 0, 10)
			must(t, err)
			if len(list) != 2 || list[0].PersonName != "Ana Ng" || list[0].At.Before(list[1].At) == o.Descending {
				t.Errorf("UnusualSignIns(%s, %v) = %v, want two of Ana", code, o, list)
			}
			next, err := in.UnusualSignIns(ctx, code, summer, o, list[0].Sequence, 10)
			must(t, err)
			same(t, "UnusualSignIns(further)", next, list[1:])
		}
		n, err := in.CountUnusualSignIns(ctx, code, summer, 1)
		must(t, err)
		same(t, "CountUnusualSignIns(as far as one)", n, int64(1))
	}
	other, err := in.SignInDays(ctx, "RXX02", zone, 1, summer)
	must(t, err)
	same(t, "SignInDays(elsewhere)", other, []store.SignInDay{summers(2, 0)})
	must(t, in.InTx(ctx, func(tx *store.Tx) error { return tx.SweepSignIns(ctx, summer.Add(72*time.Hour), 10) }))
	if n, err := in.CountUnusualSignIns(ctx, organisation, time.Time{}, 10); err != nil || n != 0 {
		t.Errorf("CountUnusualSignIns(swept) = %d, %v, want none", n, err)
	}
}

// One replica reads at a time.
func TestSignInsAreReadByOne(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		if _, err := tx.LockSignInReading(ctx); err != nil {
			return err
		}
		if _, err := countSignIns(ctx, in.Store, later); err == nil {
			t.Error("LockSignInReading(while another reads) = nil, want an error")
		}
		return nil
	}))
}

// What is suspended or lost is seen where its person has a role and above, the oldest first or last.
func TestSuspendedAuthenticators(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	suspended, lost := newAuthenticator(uuid.New(), "suspended"), newAuthenticator(uuid.New(), "lost")
	must(t, in.AddAuthenticator(ctx, suspended))
	must(t, in.AddAuthenticator(ctx, lost))
	must(t, second(in.ChangeAuthenticator(ctx, suspended.ID, "active", "suspended", now)))
	must(t, second(in.ChangeAuthenticator(ctx, lost.ID, "active", "lost", later)))
	for _, tt := range []struct {
		order store.Order
		after uuid.UUID
		want  []uuid.UUID
	}{
		{store.Order{By: store.ByStart}, uuid.Nil, []uuid.UUID{suspended.ID, lost.ID}},
		{store.Order{By: store.ByStart, Descending: true}, uuid.Nil, []uuid.UUID{lost.ID, suspended.ID}},
		{store.Order{By: store.ByStart}, suspended.ID, []uuid.UUID{lost.ID}},
		{store.Order{By: store.ByStart, Descending: true}, suspended.ID, []uuid.UUID{}},
	} {
		list, err := in.SuspendedAuthenticators(ctx, organisation, tt.order, tt.after, 10)
		must(t, err)
		ids := []uuid.UUID{}
		for _, a := range list {
			ids = append(ids, a.ID)
		}
		same(t, "SuspendedAuthenticators()", ids, tt.want)
	}
	n := in.waiting(t, store.WaitingAuthenticators, organisation, 10, now)
	same(t, "Waiting()", n, store.Waiting{Count: 2, FirstAt: &now})
	if n := in.waiting(t, store.WaitingAuthenticators, "RXX02", 10, now); n.Count != 0 {
		t.Errorf("Waiting(elsewhere) = %v, want none", n)
	}
}

// A list of the record goes on after any line of it, also after one beyond those of 32 bits.
func TestRecordIsReadBeyondAnyLine(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	exec(t, connect(t, in.ownerURL), `INSERT INTO audit_event (sequence, at, event, refusal, actor, person_id, client_id, request_id, address, detail) OVERRIDING SYSTEM VALUE
		SELECT 5000000000 + n, $2::timestamptz, 'recovered', '', $1::text, $1::text, '', '', '', '{}' FROM generate_series(0, 1) n`, ana, now)
	exec(t, connect(t, in.ownerURL), `INSERT INTO unusual_sign_in (sequence, organisation_code, at, reasons) SELECT sequence, $1, at, '{recovered}' FROM audit_event WHERE sequence >= 5000000000`, organisation)
	for _, newest := range []bool{false, true} {
		after, want := int64(5000000000), int64(5000000001)
		if newest {
			after, want = want, after
		}
		o := store.Order{By: store.ByTime, Descending: newest}
		about, err := in.EventsAbout(ctx, ana, []string{"recovered"}, false, o, after, 10)
		must(t, err)
		read, err := in.ReadAudit(ctx, store.AuditLines{PersonID: ana, From: now, Until: later, Oldest: !newest, After: after}, 10)
		must(t, err)
		strange, err := in.UnusualSignIns(ctx, organisation, now, o, after, 10)
		must(t, err)
		if len(about) != 1 || about[0].Sequence != want || len(read) != 1 || read[0].Sequence != want || len(strange) != 1 || strange[0].Sequence != want {
			t.Errorf("after line %d of the record = %v, %v and %v, want line %d of each", after, about, read, strange, want)
		}
	}
}

// A line of the record is of the organisations where its person had a role then, of the one where the officer acted, and of those above; it is
// read from either end, also where several are of one time, by what it is of, and what came of it; and what services do is not.
func TestRecordOfAnOrganisation(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: "RXX00", Name: "Board"}, now))
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: "RXX02", Name: "Ward", ParentCode: new(organisation)}, now))
	owner := connect(t, in.ownerURL)
	exec(t, owner, `UPDATE organisation SET parent_code = 'RXX00' WHERE code = $1`, organisation)
	before := value[int64](t, owner, `SELECT coalesce(max(sequence), 0) FROM audit_event`)
	line := func(at time.Time, event, refusal, person, role string) {
		t.Helper()
		must(t, in.AddAuditEvent(ctx, store.AuditEvent{At: at, Event: event, Refusal: refusal, Actor: ben, PersonID: person, Detail: map[string]string{"officer_role": role}}))
	}
	line(now, "signed_in", "", ana, "")                    // 1
	line(now, "signed_in", "unknown", ana, "")             // 2
	line(now, "position_approved", "", "", anaRole)        // 3: about nobody
	line(now, "token_issued", "", ana, "")                 // 4: what services do
	line(later, "signed_in", "", ana, "")                  // 5
	line(later, "key_rotated", "", "", "no role")          // 6: of no organisation
	line(later, "signed_in", "", "100000009999", "x")      // 7: of nobody who is on record
	line(later.Add(time.Minute), "signed_in", "", ana, "") // 8: when her role has ended
	line(now.Add(-time.Minute), "signed_in", "", ana, "")  // 9: before it began
	must(t, second(countSignIns(ctx, in.Store, later.Add(time.Hour))))
	for _, tt := range []struct {
		of   string
		l    store.AuditLines
		want string
	}{
		{organisation, store.AuditLines{}, "1235"},
		{"RXX00", store.AuditLines{}, "1235"},
		{"RXX02", store.AuditLines{}, ""},
		{"nowhere", store.AuditLines{}, ""},
		{organisation, store.AuditLines{Event: "signed_in"}, "125"},
		{organisation, store.AuditLines{Event: "signed_in", Outcome: store.Done}, "15"},
		{organisation, store.AuditLines{Event: "signed_in", Outcome: store.Refused}, "2"},
		{organisation, store.AuditLines{Outcome: store.Refused}, "2"},
		{organisation, store.AuditLines{Outcome: store.Done}, "135"},
		{organisation, store.AuditLines{Until: later}, "123"},
		{organisation, store.AuditLines{From: later}, "5"},
		{organisation, store.AuditLines{Event: "token_issued"}, ""},
	} {
		if tt.l.Until.IsZero() {
			tt.l.Until = later.Add(time.Hour)
		}
		for _, tt.l.Oldest = range []bool{true, false} {
			got := ""
			for tt.l.After = 0; len(got) < 9; {
				list, err := in.ReadAuditAt(ctx, tt.of, tt.l, 1)
				must(t, err)
				if len(list) == 0 {
					break
				}
				tt.l.After = list[0].Sequence
				got += strconv.FormatInt(tt.l.After-before, 10)
			}
			if want := []byte(tt.want); !tt.l.Oldest {
				slices.Reverse(want)
				same(t, fmt.Sprintf("ReadAuditAt(%s, %v)", tt.of, tt.l), got, string(want))
			} else {
				same(t, fmt.Sprintf("ReadAuditAt(%s, %v)", tt.of, tt.l), got, tt.want)
			}
		}
	}
	for outcome, want := range map[store.Outcome]int{"": 4, store.Done: 3, store.Refused: 1} {
		list, err := in.ReadAudit(ctx, store.AuditLines{PersonID: ana, Event: "signed_in", Outcome: outcome, From: now, Until: later.Add(time.Hour)}, 10)
		must(t, err)
		same(t, fmt.Sprintf("ReadAudit(%s)", outcome), len(list), want)
	}
	// A day that a program counted which lists nothing is known to be one.
	exec(t, owner, `UPDATE sign_in_day SET sign_ins = sign_ins + 1`)
	days, err := in.SignInDays(ctx, organisation, zone, 1, now)
	must(t, err)
	if len(days) != 1 || days[0].Listed {
		t.Errorf("SignInDays(of which one is not listed) = %v, want it to say so", days)
	}
}
