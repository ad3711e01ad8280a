package evidence_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
)

func TestRecompute(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	_, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	run := func(apply bool) map[string]string {
		t.Helper()
		moved := map[string]string{}
		must(t, in.Recompute(ctx, desk, apply, func(c evidence.Change) error {
			moved[c.PersonID] = fmt.Sprintf("%s %q %q > %s", c.Before.Level, c.Before.Profile, c.Before.PolicyVersion, c.After.Level)
			return nil
		}))
		return moved
	}
	if got := run(false); len(got) != 0 {
		t.Errorf("Recompute(when all is up to date) = %v, want nothing", got)
	}
	// Lou's level was asserted, before there was evidence; Sarah's was computed by tables that were more generous.
	in.exec(t, `UPDATE person SET identity_level = 'medium' WHERE id = '`+lou+`'`)
	in.exec(t, `UPDATE person SET identity_level = 'very_high', identity_profile = 'V1A', identity_policy = 'older' WHERE id = '`+sarah+`'`)
	want := map[string]string{lou: `medium "" "" > none`, sarah: `very_high "V1A" "older" > high`}
	if diff := cmp.Diff(want, run(false)); diff != "" {
		t.Errorf("Recompute(dry) (-want +got):\n%s", diff)
	}
	if in.level(t, sarah) != "very_high" || in.level(t, lou) != "medium" {
		t.Errorf("levels after a dry run = %s, %s, want them as they were", in.level(t, sarah), in.level(t, lou))
	}
	explained, err := in.Explain(ctx, sarah)
	must(t, err)
	if explained.Recorded.Level != "very_high" || explained.Level != "high" {
		t.Errorf("Explain() = recorded %s and %s, want very_high and high", explained.Recorded.Level, explained.Level)
	}
	if diff := cmp.Diff(want, run(true)); diff != "" {
		t.Errorf("Recompute(apply) (-want +got):\n%s", diff)
	}
	if in.level(t, sarah) != "high" || in.level(t, lou) != "none" {
		t.Errorf("levels = %s, %s, want high, none", in.level(t, sarah), in.level(t, lou))
	}
	if got := run(true); len(got) != 0 {
		t.Errorf("Recompute(again) = %v, want nothing", got)
	}
	if diff := cmp.Diff([]string{"identity_recomputed  medium>none"}, in.audited(t, lou)); diff != "" {
		t.Errorf("audit record (-want +got):\n%s", diff)
	}
	stop := errors.New("stop")
	in.exec(t, `UPDATE person SET identity_policy = '', identity_level = 'low'`)
	if err := in.Recompute(ctx, desk, false, func(evidence.Change) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("Recompute(whose reader stops) = %v, want %v", err, stop)
	}
	run(true)
}

func TestExplain(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	_, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	x, err := in.Explain(ctx, sarah)
	must(t, err)
	if x.Level != "high" || x.Best != "H1A" || len(x.Evidence) != 3 || len(x.Next) == 0 || x.Scores.Verification != 3 || len(x.Reasons) == 0 {
		t.Errorf("Explain(Sarah) = %+v, want high by H1A with its evidence, and what is missing", x)
	}
	text, err := json.Marshal(x)
	must(t, err)
	for _, want := range []string{`"level":"high"`, `"best":"H1A"`, `"recorded":{"level":"high","profile":"H1A"`, `"number":"···789"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("Explain(Sarah) as JSON lacks %s: %s", want, text)
		}
	}
	if strings.Contains(string(text), "123456789") || strings.Contains(string(text), `"subject"`) {
		t.Errorf("Explain(Sarah) as JSON has a number or a subject: %s", text)
	}
	x, err = in.Explain(ctx, lou)
	if err != nil || x.Level != "none" || len(x.Next) == 0 || x.Evidence == nil {
		t.Errorf("Explain(Lou) = %+v, %v, want none, and what is missing", x, err)
	}
	// By the guide a licence whose chip was read lacks only activity of 2, or another document; no row gives 2.
	licence := withoutIDs(about(t, subjectLou, "7"))[1:]
	licence[0].Checks = append(licence[0].Checks, withoutIDs(example(t))[0].Checks[0], withoutIDs(example(t))[0].Checks[2])
	_, err = in.Record(ctx, desk, lou, licence)
	must(t, err)
	x, err = in.Explain(ctx, lou)
	if ways := x.Ways("high"); err != nil || len(ways) != 1 || !strings.HasPrefix(ways[0][0], "another piece of evidence") {
		t.Errorf("Explain(Lou with a licence).Ways(high) = %q, %v, want another piece, and nothing that no desk can do", ways, err)
	}
	if _, err := in.Explain(ctx, nobod); !errors.Is(err, evidence.ErrUnknown) {
		t.Errorf("Explain(nobody) = %v, want %v", err, evidence.ErrUnknown)
	}
	if _, err := in.Of(ctx, nobod, uuid.Nil, 1); !errors.Is(err, evidence.ErrUnknown) {
		t.Errorf("Of(nobody) = %v, want %v", err, evidence.ErrUnknown)
	}
}

// Whose evidence changed while her record was waited for is computed already, and stays as it is.
func TestRecomputeLooksAgain(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	_, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	in.exec(t, `UPDATE person SET identity_policy = 'older', identity_level = 'very_high'`)
	tx, err := in.connect(t).Begin(ctx)
	must(t, err)
	_, err = tx.Exec(ctx, `UPDATE person SET identity_policy = $2, identity_level = 'high', identity_computed_at = $3 WHERE id = $1`, sarah, assurance.PolicyVersion, now.Add(-time.Hour))
	must(t, err)
	done, moved := make(chan error, 1), []string{}
	go func() {
		done <- in.Recompute(ctx, desk, true, func(c evidence.Change) error {
			moved = append(moved, c.PersonID)
			return nil
		})
	}()
	in.awaitWaiters(t, 1)
	must(t, tx.Commit(ctx))
	must(t, <-done)
	identity, err := in.store.Identity(ctx, sarah)
	must(t, err)
	if diff := cmp.Diff([]string{lou}, moved); diff != "" || !identity.ComputedAt.Equal(now.Add(-time.Hour)) {
		t.Errorf("Recompute() computed Sarah's anew at %v, want it left alone; moved (-want +got):\n%s", identity.ComputedAt, diff)
	}
}

// A name that was changed since leaves the level, of which nothing is told any more in verified claims; and it is said.
func TestExplainSaysThatANameChanged(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	_, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	for _, tt := range []struct {
		change string
		told   bool
	}{
		{`given_name = given_name`, true},
		{`family_name = 'Meredyth-Vale'`, false},
		{`family_name = 'MEREDYTH'`, true},
		{`date_of_birth = '1976-03-12'`, false},
		{`date_of_birth = NULL`, true}, // each piece says it, and said it then
	} {
		in.exec(t, `UPDATE person SET `+tt.change+` WHERE id = '`+sarah+`'`)
		x, err := in.Explain(ctx, sarah)
		must(t, err)
		verified, err := in.Verified(ctx, sarah)
		must(t, err)
		if x.Level != "high" || x.Recorded.Level != "high" || (x.Note == "") != tt.told || (len(verified) == 1) != tt.told {
			t.Errorf("after %s: level %s, note %q, %d verified claims, want high, and them told: %t", tt.change, x.Recorded.Level, x.Note, len(verified), tt.told)
		}
	}
	in.exec(t, `UPDATE person SET given_name = 'Zara', identity_policy = 'older' WHERE id = '`+sarah+`'`)
	must(t, in.Recompute(ctx, desk, true, func(evidence.Change) error { return nil }))
	if got := in.level(t, sarah); got != "high" {
		t.Errorf("level, computed anew = %s, want high", got)
	}
}

// More evidence never lowers a level: neither a document that came only after an expired passport was checked, nor an expired
// document that is checked once more, nor a register that is asked when a document has expired meanwhile.
func TestMoreEvidenceNeverLowers(t *testing.T) {
	t.Parallel()
	on := func(day string, p evidence.Piece) evidence.Piece {
		for i := range p.Checks {
			p.Checks[i].At, _ = time.Parse(time.DateOnly, day)
		}
		return p
	}
	for name, tt := range map[string]func(passport, licence, register evidence.Piece) (first, more []evidence.Piece){
		"a licence issued after the passport was checked, in its grace": func(passport, licence, register evidence.Piece) (first, more []evidence.Piece) {
			passport.ExpiresOn = "2026-06-01"
			licence.IssuedOn = "2026-09-01"
			return []evidence.Piece{on("2026-08-14", passport), register}, []evidence.Piece{on("2026-09-10", licence)}
		},
		"a licence that is checked once more when it has expired": func(_, licence, register evidence.Piece) (first, more []evidence.Piece) {
			licence.ExpiresOn = "2026-06-01"
			again := licence
			again.Checks = slices.Clone(licence.Checks[1:2])
			again.Checks[0].ID = ""
			licence.Checks = append(licence.Checks, example(t)[0].Checks[2])
			return []evidence.Piece{on("2026-05-14", licence), register}, []evidence.Piece{on("2026-09-10", again)}
		},
		"a register that is asked when the passport has expired": func(passport, _, register evidence.Piece) (first, more []evidence.Piece) {
			passport.ExpiresOn = "2026-06-01"
			return []evidence.Piece{on("2026-05-14", passport)}, []evidence.Piece{register}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, ctx, list := newInstallation(t), t.Context(), example(t)
			first, more := tt(list[0], list[1], list[2])
			change, err := in.Record(ctx, desk, sarah, first)
			must(t, err)
			proved := change.After
			if proved.Level == "none" {
				t.Fatalf("Record() = %+v, want a level", change)
			}
			change, err = in.Record(ctx, desk, sarah, more)
			must(t, err)
			if after := change.After; proved.Level.AtMost(after.Level) != proved.Level || after.IAL < proved.IAL {
				t.Errorf("Record(more) = %+v, want no less than %+v", after, proved)
			}
		})
	}
}

// What has expired since takes nothing away.
func TestAResultStands(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	list := example(t)
	for i := range list {
		if list[i].ExpiresOn != "" {
			list[i].ExpiresOn = "2026-09-15" // the day after it was checked, and the day before now
		}
	}
	_, err := in.Record(ctx, desk, sarah, list)
	must(t, err)
	in.exec(t, `UPDATE person SET identity_policy = 'older'`)
	must(t, in.Recompute(ctx, desk, true, func(c evidence.Change) error {
		if c.PersonID == sarah {
			t.Errorf("Recompute() = %+v, want no change", c)
		}
		return nil
	}))
	if got := in.level(t, sarah); got != "high" {
		t.Errorf("level = %s, want high", got)
	}
}
