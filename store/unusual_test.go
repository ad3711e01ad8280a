package store_test

import (
	"context"
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
		for _, l := range lines {
			if err := tx.CountSignIns(ctx, []string{l.PersonID}, []time.Time{l.Day}); err != nil {
				return err
			}
			if err := tx.AddUnusualSignIn(ctx, l, []string{"why"}); err != nil {
				return err
			}
		}
		if err := tx.SweepSignIns(ctx, now.Add(-time.Hour)); err != nil {
			return err
		}
		return tx.SetSignInReading(ctx, lines[len(lines)-1].Sequence)
	})
}

// What there is to judge a sign-in by is what came before it; each line is read once, and counts where its person has a role and above.
func TestSignIns(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: "RXX00", Name: "Board"}, now))
	exec(t, connect(t, in.ownerURL), `UPDATE organisation SET parent_code = 'RXX00' WHERE code = $1`, organisation)
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
		Sequence: lines[4].Sequence, At: summer, Event: "signed_in", PersonID: ana, Day: time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC), Hour: 0,
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
		same(t, "SignInDays("+code+")", days, []store.SignInDay{{Day: time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC), SignIns: 3}, {Day: time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC), SignIns: 3}})
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
	same(t, "SignInDays(elsewhere)", other, []store.SignInDay{{Day: time.Date(2026, 7, 2, 0, 0, 0, 0, time.UTC)}})
	must(t, in.InTx(ctx, func(tx *store.Tx) error { return tx.SweepSignIns(ctx, summer.Add(48*time.Hour)) }))
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
