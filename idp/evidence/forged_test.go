package evidence_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/seal"
)

// A passport whose chip was found false earns nothing when it is recorded once more, whatever is left out the second time,
// until it is withdrawn. Another passport does.
func TestACheckThatFailedIsNotEvaded(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		again func(*evidence.Piece)
		level assurance.IdentityLevel
	}{
		"the same":                  {func(*evidence.Piece) {}, "none"},
		"without its country":       {func(p *evidence.Piece) { p.Country = "" }, "none"},
		"with its jurisdiction":     {func(p *evidence.Piece) { p.Jurisdiction = "GB-ENG" }, "none"},
		"of another country":        {func(p *evidence.Piece) { p.Country = "FRA" }, "none"},
		"its number written so":     {func(p *evidence.Piece) { p.Number = "12 34-56.789" }, "none"},
		"a passport that is no lie": {func(p *evidence.Piece) { p.Number = "987654321" }, "high"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, ctx := newInstallation(t), t.Context()
			forged := example(t)
			forged[0].Checks[0].Failed = true
			first, err := in.Record(ctx, desk, sarah, forged)
			must(t, err)
			again := withoutIDs(example(t))[:1]
			tt.again(&again[0])
			change, err := in.Record(ctx, desk, sarah, again)
			must(t, err)
			if first.After.Level != "none" || change.After.Level != tt.level {
				t.Errorf("levels = %s, then %s, want none, then %s", first.After.Level, change.After.Level, tt.level)
			}
			change, err = in.Withdraw(ctx, desk, first.Evidence[0], evidence.Mistaken)
			must(t, err)
			if change.After.Level != "high" {
				t.Errorf("level, when what failed is withdrawn = %s, want high", change.After.Level)
			}
		})
	}
}

// A document that was withdrawn as forged is refused for everybody, for good; for another reason it is not.
func TestForgedDocuments(t *testing.T) {
	t.Parallel()
	lous := func(number, country string) []evidence.Piece {
		list := withoutIDs(numbered(about(t, subjectLou, "7"), number))[:1]
		list[0].Country = country
		return list
	}
	sarahs := func(country string) []evidence.Piece {
		list := withoutIDs(example(t))[:1]
		list[0].Country = country
		return list
	}
	for name, tt := range map[string]struct {
		reason evidence.Reason
		person string
		list   []evidence.Piece
		err    error
	}{
		"forged, for her again":               {evidence.Forged, sarah, sarahs("GBR"), evidence.ErrForged},
		"forged, for her from elsewhere":      {evidence.Forged, sarah, sarahs("FRA"), evidence.ErrForged},
		"forged, for somebody else":           {evidence.Forged, lou, lous("123 456 789", "GBR"), evidence.ErrForged},
		"forged, for somebody, of no country": {evidence.Forged, lou, lous("123456789", ""), evidence.ErrForged},
		"forged, and another number":          {evidence.Forged, lou, lous("123456780", "GBR"), nil},
		"forged, and another state's":         {evidence.Forged, lou, lous("123456789", "FRA"), nil},
		"mistaken, for her again":             {evidence.Mistaken, sarah, sarahs("GBR"), nil},
		"mistaken, for somebody else":         {evidence.Mistaken, lou, lous("123456789", "GBR"), nil},
		"superseded, for her again":           {evidence.Superseded, sarah, sarahs("GBR"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, ctx := newInstallation(t), t.Context()
			change, err := in.Record(ctx, desk, sarah, example(t))
			must(t, err)
			_, err = in.Withdraw(ctx, desk, change.Evidence[0], tt.reason)
			must(t, err)
			_, err = in.Record(ctx, desk, tt.person, tt.list)
			if !errors.Is(err, tt.err) {
				t.Errorf("Record() = %v, want %v", err, tt.err)
			}
			refused := slices.Contains(in.audited(t, tt.person), "evidence_recorded forged_evidence >")
			if refused != (tt.err != nil) || err != nil && (strings.Contains(err.Error(), sarah) || strings.Contains(err.Error(), "789")) {
				t.Errorf("Record() = %v, and the refusal is recorded: %t, want it recorded with nothing of Sarah in the error", err, refused)
			}
		})
	}
}

// What was recorded of a document, however often, counts no more when one piece of it is withdrawn as forged; for another
// reason the others stay, and so does what is of another document.
func TestAForgedDocumentCountsInNoPiece(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		reason evidence.Reason
		again  func(*evidence.Piece)
		gone   int
		level  assurance.IdentityLevel
	}{
		"forged":                            {evidence.Forged, func(*evidence.Piece) {}, 2, "none"},
		"forged, the number written so":     {evidence.Forged, func(p *evidence.Piece) { p.Number = "12 345-6789" }, 2, "none"},
		"forged, said to be from elsewhere": {evidence.Forged, func(p *evidence.Piece) { p.Country = "FRA" }, 2, "none"},
		"forged, and another passport":      {evidence.Forged, func(p *evidence.Piece) { p.Number = "987654321" }, 1, "high"},
		"mistaken":                          {evidence.Mistaken, func(*evidence.Piece) {}, 1, "high"},
		"superseded":                        {evidence.Superseded, func(*evidence.Piece) {}, 1, "high"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, ctx := newInstallation(t), t.Context()
			first, err := in.Record(ctx, desk, sarah, example(t))
			must(t, err)
			again := withoutIDs(example(t))[:1]
			again[0].Issuer = "Passport Office" // in other words
			tt.again(&again[0])
			second, err := in.Record(ctx, desk, sarah, again)
			must(t, err)
			change, err := in.Withdraw(ctx, desk, second.Evidence[0], tt.reason)
			must(t, err)
			want := []uuid.UUID{first.Evidence[0], second.Evidence[0]}[2-tt.gone:]
			if !slices.Equal(change.Evidence, want) || change.Others != nil || change.After.Level != tt.level || in.level(t, sarah) != string(tt.level) {
				t.Errorf("Withdraw(%s) = %+v, want %v gone and %s left", name, change, want, tt.level)
			}
			events, err := in.store.AuditEvents(ctx, 0, 1000)
			must(t, err)
			asked := second.Evidence[0].String()
			for i, e := range events[len(events)-tt.gone:] {
				with := map[bool]string{true: asked}[want[i].String() != asked]
				if e.Event != "evidence_withdrawn" || e.Detail["evidence"] != want[i].String() || e.Detail["with"] != with || e.Detail["level"] != string(tt.level) {
					t.Errorf("the audit record says %s %v, want %s withdrawn with %q", e.Event, e.Detail, want[i], with)
				}
			}
			if _, err := in.Withdraw(ctx, desk, first.Evidence[0], tt.reason); errors.Is(err, evidence.ErrWithdrawn) != (tt.gone == 2) {
				t.Errorf("Withdraw(the first) = %v, want it withdrawn already: %t", err, tt.gone == 2)
			}
		})
	}
}

// A document that was withdrawn for another reason and proves forged is refused from then on, for everybody; its level does not
// rise meanwhile, what else is on record of it for the person goes, and it is done once.
func TestADocumentProvesForgedLater(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		reason   evidence.Reason
		recorded bool // once more, when it had been withdrawn
		rotated  bool // the seal key was, between
	}{
		"it was mistaken":                                    {reason: evidence.Mistaken},
		"it was superseded":                                  {reason: evidence.Superseded},
		"it was superseded, and recorded once more":          {reason: evidence.Superseded, recorded: true},
		"it was superseded, and recorded under another line": {reason: evidence.Superseded, recorded: true, rotated: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, ctx := newInstallation(t), t.Context()
			change, err := in.Record(ctx, desk, sarah, example(t))
			must(t, err)
			passport := change.Evidence[0]
			_, err = in.Withdraw(ctx, desk, passport, tt.reason)
			must(t, err)
			if tt.rotated {
				_, line := seal.NewKey()
				in.Recorder = in.with(t, in.store, line, in.keyText)
			}
			var more []uuid.UUID
			if tt.recorded {
				change, err := in.Record(ctx, desk, sarah, withoutIDs(example(t))[:1])
				must(t, err)
				more = change.Evidence
			}
			before := in.level(t, sarah)
			if want := map[bool]string{true: "high", false: "none"}[tt.recorded]; before != want {
				t.Fatalf("level, before it proved forged = %s, want %s", before, want)
			}
			change, err = in.Withdraw(ctx, desk, passport, evidence.Forged)
			must(t, err)
			if len(change.Evidence) != len(more)+1 || !slices.Equal(change.Evidence[:len(more)], more) || string(change.Before.Level) != before || change.After.Level != "none" || in.level(t, sarah) != "none" {
				t.Fatalf("Withdraw() = %+v, want %v and one piece more gone, and nothing left", change, more)
			}
			again := change.Evidence[len(more)]
			if want := []evidence.Known{{Evidence: again, As: passport}}; !slices.Equal(change.Known, want) {
				t.Errorf("Withdraw() knows %v, want %v", change.Known, want)
			}
			list, err := in.Of(ctx, sarah, uuid.Nil, 10)
			must(t, err)
			if first, last := list[0].Withdrawn, list[len(list)-1]; first.Reason != tt.reason || last.ID != again.String() || last.Withdrawn.Reason != evidence.Forged || last.Number != "···789" {
				t.Errorf("Of(Sarah) = %+v, want the passport as it was, and once more as forged", list)
			}
			events, err := in.store.AuditEvents(ctx, 0, 1000)
			must(t, err)
			if e := events[len(events)-1]; e.Event != "evidence_withdrawn" || e.Detail["evidence"] != again.String() || e.Detail["withdrawn_before"] != passport.String() ||
				e.Detail["reason_before"] != string(tt.reason) || e.Detail["reason"] != "forged" {
				t.Errorf("the audit record says %s %v, want the passport forged, with both reasons", e.Event, e.Detail)
			}
			for i, e := range events {
				if e.PersonID == sarah && i > 0 && !tt.recorded && e.Detail["level"] != "none" {
					t.Errorf("the audit record says %s %v, want no level from the first withdrawal on", e.Event, e.Detail)
				}
			}
			hers := withoutIDs(numbered(about(t, subjectLou, "7"), "123456789"))[:1]
			for person, pieces := range map[string][]evidence.Piece{sarah: withoutIDs(example(t))[:1], lou: hers} {
				if _, err := in.Record(ctx, desk, person, pieces); !errors.Is(err, evidence.ErrForged) {
					t.Errorf("Record(the passport for %s) = %v, want %v", person, err, evidence.ErrForged)
				}
			}
			if _, err := in.Withdraw(ctx, desk, passport, evidence.Forged); !errors.Is(err, evidence.ErrWithdrawn) || !strings.Contains(err.Error(), change.Evidence[0].String()) {
				t.Errorf("Withdraw(again) = %v, want %v: %s", err, evidence.ErrWithdrawn, change.Evidence[0])
			}
		})
	}
	in, ctx := newInstallation(t), t.Context()
	change, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	_, err = in.Withdraw(ctx, desk, change.Evidence[0], evidence.Superseded)
	must(t, err)
	in.exec(t, `UPDATE person SET identity_level = 'medium', identity_policy = 'older'`)
	later, err := in.Withdraw(ctx, desk, change.Evidence[0], evidence.Forged)
	if must(t, err); later.Before != later.After || in.level(t, sarah) != "medium" { // that is for whoever recomputes levels
		t.Errorf("Withdraw(what counted no more) = %+v, want the level as it was", later)
	}
	register := change.Evidence[2]
	_, err = in.Withdraw(ctx, desk, register, evidence.Superseded)
	must(t, err)
	if _, err := in.Withdraw(ctx, desk, register, evidence.Forged); !errors.Is(err, evidence.ErrWithdrawn) { // it has no number to be known by
		t.Errorf("Withdraw(what has no number) = %v, want %v", err, evidence.ErrWithdrawn)
	}
}

// What counts of a forged document for somebody else is told, and stays: the other may have shown the true one.
func TestAForgedDocumentOfSeveralPeople(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		reason  evidence.Reason
		country string // of Lou's account
		gone    bool   // it was withdrawn before
		told    bool
	}{
		"forged":                           {evidence.Forged, "GBR", false, true},
		"forged, and no country is said":   {evidence.Forged, "", false, true},
		"forged, and Lou's is elsewhere":   {evidence.Forged, "FRA", false, false},
		"forged, and Lou's counts no more": {evidence.Forged, "GBR", true, false},
		"mistaken":                         {evidence.Mistaken, "GBR", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, ctx := newInstallation(t), t.Context()
			hers, err := in.Record(ctx, desk, sarah, sarahsAccount(t, subjectSarah, "GBR"))
			must(t, err)
			_, line := seal.NewKey()
			in.Recorder = in.with(t, in.store, line, in.keyText) // while the seal key is replaced
			lous, err := in.Record(ctx, desk, lou, sarahsAccount(t, subjectLou, tt.country))
			must(t, err)
			if tt.gone {
				_, err := in.Withdraw(ctx, desk, lous.Evidence[0], evidence.Mistaken)
				must(t, err)
			}
			change, err := in.Withdraw(ctx, desk, hers.Evidence[0], tt.reason)
			must(t, err)
			var want []evidence.Other
			var person, piece string
			if tt.told {
				want = []evidence.Other{{PersonID: lou, Evidence: lous.Evidence[0]}}
				person, piece = lou, lous.Evidence[0].String()
			}
			if !slices.Equal(change.Others, want) || !slices.Equal(change.Evidence, hers.Evidence) {
				t.Errorf("Withdraw(Sarah's account) = %+v, want her piece gone and %v told", change, want)
			}
			events, err := in.store.AuditEvents(ctx, 0, 1000)
			must(t, err)
			if detail := events[len(events)-1].Detail; detail["other_person"] != person || detail["other_evidence"] != piece {
				t.Errorf("the audit record says %v, want %q of %q", detail, piece, person)
			}
			list, err := in.Of(ctx, lou, uuid.Nil, 10)
			must(t, err)
			if len(list) != 1 || (list[0].Withdrawn == nil) == tt.gone {
				t.Errorf("Of(Lou) = %+v, want her account as it was", list)
			}
		})
	}
}

// sarahsAccount is one that Sarah and Lou may share, as a piece of either.
func sarahsAccount(t *testing.T, subject evidence.Subject, country string) []evidence.Piece {
	t.Helper()
	list := pieces(t, `{"type": "electronic_record", "kind": "current_account", "number": "12-34-56 12345678",
		"checks": [{"method": "data", "at": "2026-09-14T10:31:00Z", "organisation": "Example Bank", "facts": ["authoritative_match"]}]}`)
	list[0].Subject, list[0].Country = subject, country
	return list
}

// What is recorded for somebody else while a document is found forged is told too: the one waits for the other.
func TestForgedWhileItIsRecorded(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	hers, err := in.Record(ctx, desk, sarah, sarahsAccount(t, subjectSarah, "GBR"))
	must(t, err)
	tx, err := in.connect(t).Begin(ctx)
	must(t, err)
	_, err = tx.Exec(ctx, `LOCK TABLE audit_event IN EXCLUSIVE MODE`) // it is recorded last
	must(t, err)
	recorded, withdrawn := make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := in.Record(ctx, desk, lou, sarahsAccount(t, subjectLou, "GBR"))
		recorded <- err
	}()
	in.awaitWaiters(t, 1)
	var change evidence.Change
	go func() {
		var err error
		change, err = in.Withdraw(ctx, desk, hers.Evidence[0], evidence.Forged)
		withdrawn <- err
	}()
	in.awaitWaiters(t, 2)
	must(t, tx.Commit(ctx))
	must(t, <-recorded)
	must(t, <-withdrawn)
	if len(change.Others) != 1 || change.Others[0].PersonID != lou {
		t.Errorf("Withdraw(while Lou's is recorded) = %+v, want Lou's told", change)
	}
	if _, err := in.Record(ctx, desk, lou, sarahsAccount(t, subjectLou, "")); !errors.Is(err, evidence.ErrForged) {
		t.Errorf("Record(afterwards) = %v, want %v", err, evidence.ErrForged)
	}
}

// Of two officers who withdraw two pieces of one document as forged at once, one finds it done; and nobody who records the
// document meanwhile gets it on record for somebody else.
func TestForgedAtOnce(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	first, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	again := withoutIDs(example(t))[:1]
	again[0].Checks = again[0].Checks[:1]
	second, err := in.Record(ctx, desk, sarah, again)
	must(t, err)
	hers := withoutIDs(about(t, subjectLou, "7"))[:1]
	hers[0].Number = "123456789"
	var running sync.WaitGroup
	errs := make(chan error, 2)
	for _, id := range []uuid.UUID{first.Evidence[0], second.Evidence[0]} {
		running.Go(func() {
			_, err := in.Withdraw(ctx, desk, id, evidence.Forged)
			errs <- err
		})
	}
	running.Go(func() {
		if _, err := in.Record(ctx, desk, lou, hers); !errors.Is(err, evidence.ErrDuplicate) && !errors.Is(err, evidence.ErrForged) {
			t.Errorf("Record(the document for Lou) = %v, want %v or %v", err, evidence.ErrDuplicate, evidence.ErrForged)
		}
	})
	running.Wait()
	one, other := <-errs, <-errs
	if one != nil {
		one, other = other, one
	}
	if one != nil || !errors.Is(other, evidence.ErrWithdrawn) {
		t.Errorf("Withdraw(at once) = %v and %v, want one to find it done", one, other)
	}
	if got := in.level(t, sarah); got != "none" {
		t.Errorf("level = %s, want none", got)
	}
}

// Evidence without a number is nobody else's, so nobody waits while it is recorded; of a number that is recorded all do.
func TestNoNumberNoLock(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	for what, tt := range map[string]struct {
		list  []evidence.Piece
		locks int
	}{
		"a register without a number": {withoutIDs(example(t))[2:], 0},
		"a passport":                  {withoutIDs(example(t))[:1], 1},
	} {
		holder := in.connect(t)
		tx, err := holder.Begin(ctx)
		must(t, err)
		_, err = tx.Exec(ctx, `LOCK TABLE audit_event IN EXCLUSIVE MODE`) // it is recorded last
		must(t, err)
		done := make(chan error, 1)
		go func() {
			_, err := in.Record(ctx, desk, sarah, tt.list)
			done <- err
		}()
		in.awaitWaiters(t, 1)
		var locks int
		must(t, tx.QueryRow(ctx, `SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND datname = current_database()`).Scan(&locks))
		if locks != tt.locks {
			t.Errorf("locks of numbers while %s is recorded = %d, want %d", what, locks, tt.locks)
		}
		must(t, tx.Commit(ctx))
		must(t, <-done)
	}
}
