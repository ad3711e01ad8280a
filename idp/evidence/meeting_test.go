package evidence_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
)

// What is said to have been checked by video was: in a meeting with this person that her officer confirmed, while it lasted, and
// by no check that takes anything in the hand.
func TestRecordByVideo(t *testing.T) {
	t.Parallel()
	const confirmed, waiting, others = "019cae00-0000-7000-8000-00000000000a", "019cae00-0000-7000-8000-00000000000b", "019cae00-0000-7000-8000-00000000000c"
	in := newInstallation(t)
	in.exec(t, `
		INSERT INTO organisation (code, name, created_at) VALUES ('ZX1', 'Somewhere', now());
		INSERT INTO person (id, handle, given_name, family_name, display_name, title, middle_names, identity_level, created_at)
			VALUES ('100000000003', sha256('3'), 'Kim', 'Sample', 'Kim Sample', '', '', 'none', now());
		INSERT INTO membership (id, person_id, organisation_code, created_at) VALUES ('000000000010', '100000000003', 'ZX1', now());
		INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, created_at)
			VALUES ('000000000020', '000000000010', 'S8000:G8000:R8000', '{}', '{}', '{}', now(), now());
		INSERT INTO meeting (id, person_id, officer, officer_role, organisation_code, begun_at, ends_at, confirmed_at, replaced_at)
			SELECT id::uuid, person, '100000000003', '000000000020', 'ZX1', '2026-09-16 08:00Z', '2026-09-16 08:45Z', confirmed::timestamptz, '2026-09-16 08:50Z' FROM (VALUES
				('`+confirmed+`', '`+sarah+`', '2026-09-16 08:10:30Z'), ('`+waiting+`', '`+sarah+`', NULL), ('`+others+`', '`+lou+`', '2026-09-16 08:10:30Z')) v (id, person, confirmed);
		INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
			SELECT now(), e, '', officer, person_id, '', '', '', jsonb_build_object('meeting', id) FROM meeting, unnest(ARRAY['meeting_begun', 'meeting_confirmed']) e
			WHERE e = 'meeting_begun' OR confirmed_at IS NOT NULL`)
	piece := func(change func(*evidence.Piece)) []evidence.Piece {
		p := evidence.Piece{
			Piece: assurance.Piece{Type: assurance.Document, Kind: "passport", Checks: []assurance.Check{{
				Method: assurance.RemoteInspection, At: time.Date(2026, time.September, 16, 8, 10, 0, 0, time.UTC), Checker: "100000000003", Facts: []assurance.Fact{"visible"},
			}}},
			Subject: evidence.Subject{GivenName: "Sarah", FamilyName: "Meredyth"}, Number: "5551234", Declared: evidence.ByVideo, MeetingID: confirmed,
		}
		change(&p)
		return []evidence.Piece{p}
	}
	for name, test := range map[string]struct {
		change func(*evidence.Piece)
		want   string
	}{
		"no meeting":                        {func(p *evidence.Piece) { p.MeetingID = "" }, "names the meeting"},
		"a meeting of what was no video":    {func(p *evidence.Piece) { p.Declared = evidence.InPerson }, "names the meeting"},
		"a meeting of what nobody declares": {func(p *evidence.Piece) { p.Declared = "" }, "names the meeting"},
		"a meeting that was not confirmed":  {func(p *evidence.Piece) { p.MeetingID = waiting }, "no meeting"},
		"a meeting with somebody else":      {func(p *evidence.Piece) { p.MeetingID = others }, "no meeting"},
		"a meeting that is none":            {func(p *evidence.Piece) { p.MeetingID = "x" }, "no meeting"},
		"a check in the hand":               {func(p *evidence.Piece) { p.Checks[0].Method = assurance.PhysicalInspection }, "nothing and nobody is there"},
		"a check by another officer":        {func(p *evidence.Piece) { p.Checks[0].Checker = sarah }, "another officer's"},
		"a check before the code":           {func(p *evidence.Piece) { p.Checks[0].At = p.Checks[0].At.Add(-time.Minute) }, "while its meeting lasted"},
		"a check after the end":             {func(p *evidence.Piece) { p.Checks[0].At = p.Checks[0].At.Add(36 * time.Minute) }, "while its meeting lasted"},
	} {
		if _, err := in.Record(t.Context(), "100000000003", sarah, piece(test.change)); !errors.Is(err, evidence.ErrInvalid) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("Record(by video, with %s) = %v, want it invalid: %s", name, err, test.want)
		}
	}
	if _, err := in.Record(t.Context(), "100000000003", sarah, piece(func(*evidence.Piece) {})); err != nil {
		t.Errorf("Record(by video) = %v, want it on record", err)
	}
}
