package position_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
)

const titles = "person,position,starts,expires,reason\n"

func TestParseBulk(t *testing.T) {
	t.Parallel()
	rows, err := position.ParseBulk([]byte("\ufeffreason,person,expires,position,starts\r\n\"Starts, on\nMonday\",656005750113,30/11/2030,400000000001,2030-11-01\r\nx,656005750114,,400000000001,\r\n"))
	want := []position.BulkRow{
		{Line: 2, Asked: position.Asked{
			Kind: position.Assign, Person: "656005750113", Position: "400000000001", Reason: "Starts, on Monday",
			StartsAt: time.Date(2030, time.November, 1, 0, 0, 0, 0, time.UTC), ExpiresAt: new(time.Date(2030, time.December, 1, 0, 0, 0, 0, time.UTC)),
		}},
		{Line: 4, Asked: position.Asked{Kind: position.Assign, Person: "656005750114", Position: "400000000001", Reason: "x"}},
	}
	if diff := cmp.Diff(want, rows); diff != "" || err != nil {
		t.Errorf("ParseBulk() = %v (-want +got):\n%s", err, diff)
	}
	const good = "656005750113,400000000001,,,x\n"
	for name, test := range map[string]struct{ file, want string }{
		"nothing":              {"", "it is empty"},
		"titles alone":         {titles, "it has no requests"},
		"no titles":            {good, "its titles are"},
		"a title twice":        {"person,person,starts,expires,reason\n", "its titles are"},
		"another column":       {"person,position,starts,expires,reason,more\n", "its titles are"},
		"not UTF-8":            {titles + "\xff", "UTF-8"},
		"too large":            {titles + strings.Repeat("x", position.LargestBulk), "more than 262144 bytes"},
		"too many":             {titles + strings.Repeat(good, 501), "it has 501 requests: want 500 at most"},
		"a quote that is open": {titles + good + "\"x", "line 3"},
		"all mistakes": {
			titles + "x,y,tomorrow,31/2/2030,\n" + good + "656005750113,1\n",
			"line 2: person: want 12 digits\nline 2: position: want 12 digits\nline 2: starts: want a day such as 2030-11-30 or 30/11/2030, or nothing\nline 2: expires: want a day such as 2030-11-30 or 30/11/2030, or nothing\nline 2: reason: want 1 to 500 characters\nline 4: it has 2 columns, want 5",
		},
		"more than are told": {titles + strings.Repeat("x\n", 30), "and 10 more"},
	} {
		if rows, err := position.ParseBulk([]byte(test.file)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("ParseBulk(%s) = %v, %v, want %q", name, rows, err, test.want)
		}
	}
}

func FuzzParseBulk(f *testing.F) {
	f.Add([]byte(titles + "656005750113,400000000001,2030-11-01,30/11/2030,\"x\n\"\n"))
	f.Add([]byte("\ufeff" + titles))
	f.Fuzz(func(t *testing.T, data []byte) {
		rows, err := position.ParseBulk(data)
		if (err == nil) == (len(rows) == 0) || len(rows) > 500 {
			t.Errorf("ParseBulk(%q) = %d rows, %v", data, len(rows), err)
		}
		for _, row := range rows {
			if len(row.Person) != 12 || len(row.Position) != 12 || row.Reason == "" || row.Line < 2 {
				t.Errorf("ParseBulk(%q) has %+v", data, row)
			}
		}
	})
}

// bulk makes lines of requests.
func bulk(t *testing.T, pairs ...[2]string) []position.BulkRow {
	t.Helper()
	var file strings.Builder
	file.WriteString(titles)
	for _, p := range pairs {
		_, _ = fmt.Fprintf(&file, "%s,%s,,,Starts on Monday\n", p[0], p[1])
	}
	rows, err := position.ParseBulk([]byte(file.String()))
	must(t, err)
	return rows
}

// What is shown is what is done, all of it or nothing.
func TestBulk(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	ward, student := d.position(nil), d.position(func(p *position.Draft) { p.Assignable, p.Activities = true, []string{"B0420"} })
	other := d.person()
	good := bulk(t, [2]string{d.nurse, ward}, [2]string{d.nurse, student}, [2]string{other, ward})
	bad := bulk(t, [2]string{d.nurse, student}, [2]string{d.nurse, student}, [2]string{d.sponsor.Person, ward}, [2]string{"111111111111", ward}, [2]string{other, "111111111111"})

	tried := must1(d.AskAll(ctx, d.sponsor, bad, ""))(t)
	var got []string
	for _, e := range tried.Effects {
		refusal, _ := errors.AsType[*deed.Refusal](e.Refusal)
		switch {
		case refusal != nil:
			got = append(got, string(refusal.Reason))
		case errors.Is(e.Refusal, directory.ErrUnknown):
			got = append(got, "unknown")
		default:
			got = append(got, e.Answer.State)
		}
	}
	if diff := cmp.Diff([]string{"approved", "held_already", "own_person", "unknown", "unknown"}, got); diff != "" || tried.Refused != 4 || tried.Done {
		t.Errorf("AskAll(what is refused) = %+v (-want +got):\n%s", tried, diff)
	}
	if got := d.last("request_bulk").Detail["refused_as"]; got != "held_already 1, own_person 1, unknown 2" {
		t.Errorf("the record says that lines were refused as %q, want each reason", got)
	}
	if b := must1(d.AskAll(ctx, d.sponsor, bad, tried.Seal))(t); b.Done {
		t.Error("AskAll(what is refused, seen) is done, want nothing")
	}

	seen := must1(d.AskAll(ctx, d.sponsor, good, ""))(t)
	if got, is := d.last("request_bulk").Detail["refused_as"]; is {
		t.Errorf("the record says that lines were refused as %q, want nothing of it", got)
	}
	if seen.Given != 1 || seen.Asked != 2 || seen.Refused != 0 || seen.Done || len(d.roles(d.nurse)) != 0 {
		t.Errorf("AskAll(to see) = %+v, roles %v, want 1 given, 2 asked, nothing done", seen, d.roles(d.nurse))
	}
	if n := len(must1(d.Queue(ctx, d.manager, position.Wanted{}, uuid.Nil, 10))(t)); n != 0 || len(d.events("request_asked")) != 0 {
		t.Errorf("requests after it was only tried = %d, in the record %q, want none", n, d.events("request_asked"))
	}
	if b := must1(d.AskAll(ctx, d.sponsor, good[:2], seen.Seal))(t); b.Done {
		t.Error("AskAll(other lines than were seen) is done, want nothing")
	}
	if b := must1(d.AskAll(ctx, d.otherSponsor, good, seen.Seal))(t); b.Done {
		t.Error("AskAll(as another has seen) is done, want nothing")
	}
	must(t, second(d.Ask(ctx, d.otherSponsor, asked(other, ward)))) // something has changed since
	again := must1(d.AskAll(ctx, d.sponsor, good, seen.Seal))(t)
	if again.Done || again.Refused != 1 || len(d.roles(d.nurse)) != 0 {
		t.Errorf("AskAll(what changed since) = %+v, want nothing done", again)
	}
	seen = must1(d.AskAll(ctx, d.sponsor, good[:2], ""))(t)
	wider := draft()
	wider.Assignable, wider.Activities, wider.Reason = true, []string{"B0420", "B0401"}, "They do more"
	change := must1(d.Revise(ctx, d.manager, student, 1, wider))(t)
	if b := must1(d.AskAll(ctx, d.sponsor, good[:2], ""))(t); b.Seal != seen.Seal {
		t.Error("AskAll(of what is only proposed to change) has another seal, want the same")
	}
	must(t, second(d.Approve(ctx, d.otherManager, student, change)))
	if b := must1(d.AskAll(ctx, d.sponsor, good[:2], seen.Seal))(t); b.Done || b.Refused != 0 || b.Seal == seen.Seal || len(d.roles(d.nurse)) != 0 {
		t.Errorf("AskAll(whose position changed since) = %+v, want nothing done, and another seal", b)
	}
	seen = must1(d.AskAll(ctx, d.sponsor, good[:2], ""))(t)
	won, _ := race(t, func(int) error {
		b, err := d.AskAll(ctx, d.sponsor, good[:2], seen.Seal)
		if err == nil && !b.Done {
			err = deed.Refuse(deed.ChangedSince)
		}
		return err
	})
	if won != 1 || len(d.roles(d.nurse)) != 1 || len(must1(d.Queue(ctx, d.manager, position.Wanted{}, uuid.Nil, 10))(t)) != 2 {
		t.Errorf("of those who did it at once %d did, roles %v, want one", won, d.roles(d.nurse))
	}
	if n := len(d.events("request_asked")); n != 3 {
		t.Errorf("requests on record = %d, want 3", n)
	}
	for _, e := range must1(d.AskAll(ctx, d.elsewhere, good[:1], ""))(t).Effects {
		refused(t, "AskAll(by an officer elsewhere)", e.Refusal, deed.AnotherOrganisation)
	}
}

func second[T any](_ T, err error) error { return err }
