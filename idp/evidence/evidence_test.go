package evidence_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const (
	desk  = "operator:desk"
	sarah = "100000000001"
	lou   = "100000000002"
	nobod = "100000000009"
)

// now is two days after the desk of the example saw Sarah.
var now = time.Date(2026, time.September, 16, 9, 0, 0, 0, time.UTC)

// installation is a database with Sarah Meredyth, of the example, and Lou Sample, whose date of birth is not on record.
type installation struct {
	*evidence.Recorder

	store    *store.Store // as the service
	ownerURL string
	keyText  string
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	in := &installation{}
	var serviceURL string
	in.ownerURL, serviceURL = storetest.URLs(t)
	in.store = open(t, serviceURL)
	_, in.keyText = seal.NewKey()
	in.Recorder = in.with(t, in.store, in.keyText)
	handle := func(id string) []byte { return []byte(id + strings.Repeat(" ", 20)) }
	for _, p := range []store.NewPerson{
		{ID: sarah, GivenName: "Sarah", MiddleNames: "Jane", FamilyName: "Meredyth", DisplayName: "Sarah Meredyth", DateOfBirth: new(time.Date(1976, time.March, 11, 0, 0, 0, 0, time.UTC))},
		{ID: lou, GivenName: "Lou-Ann", FamilyName: "O’Sample", DisplayName: "Lou"},
	} {
		p.Handle, p.IdentityLevel = handle(p.ID), "none"
		must(t, in.store.AddPerson(t.Context(), p, now))
	}
	t.Cleanup(func() { storetest.CheckInvariants(t, in.ownerURL, "MEREDxxxxxxxSMxxx", "5551234555123455512") })
	return in
}

// with is a recorder with a seal key of one or more lines.
func (in *installation) with(t *testing.T, s *store.Store, lines ...string) *evidence.Recorder {
	t.Helper()
	key, err := seal.ParseKey(strings.Join(lines, "\n"))
	must(t, err)
	r, err := evidence.New(s, key, func() time.Time { return now })
	must(t, err)
	return r
}

func open(t *testing.T, url string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), url)
	must(t, err)
	t.Cleanup(s.Close)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// connect is a connection of the test's own, as the owner.
func (in *installation) connect(t *testing.T) *pgx.Conn {
	t.Helper()
	db, err := pgx.Connect(t.Context(), in.ownerURL)
	must(t, err)
	t.Cleanup(func() { _ = db.Close(context.WithoutCancel(t.Context())) })
	return db
}

// exec runs a statement of the test's own, as the owner.
func (in *installation) exec(t *testing.T, sql string) {
	t.Helper()
	db := in.connect(t)
	_, err := db.Exec(t.Context(), sql)
	must(t, err)
	must(t, db.Close(t.Context()))
}

// awaitWaiters waits until so many statements wait for a lock.
func (in *installation) awaitWaiters(t *testing.T, waiters int) {
	t.Helper()
	db := in.connect(t)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		var n int
		must(t, db.QueryRow(t.Context(), `SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()`).Scan(&n))
		if n >= waiters {
			return
		}
	}
	t.Fatalf("fewer statements than %d wait for a lock", waiters)
}

// level is what the record of a person says, as every token does.
func (in *installation) level(t *testing.T, person string) string {
	t.Helper()
	p, err := in.store.Person(t.Context(), person, now)
	must(t, err)
	return p.Person.IdentityLevel
}

// audited lists the events about a person, each with its refusal and what changed.
func (in *installation) audited(t *testing.T, person string) []string {
	t.Helper()
	events, err := in.store.AuditEvents(t.Context(), 0, 1000)
	must(t, err)
	var list []string
	for _, e := range events {
		if e.PersonID == person {
			list = append(list, strings.TrimSpace(fmt.Sprintf("%s %s %s>%s %s", e.Event, e.Refusal, e.Detail["level_before"], e.Detail["level"], e.Detail["reason"])))
		}
	}
	return list
}

// pieces reads pieces as a desk hands them in.
func pieces(t *testing.T, text string) []evidence.Piece {
	t.Helper()
	list, err := evidence.Parse([]byte(text))
	must(t, err)
	return list
}

// example is what the desk of the example found of Sarah Meredyth, by testdata.
func example(t *testing.T) []evidence.Piece {
	t.Helper()
	text, err := os.ReadFile("testdata/h1a.json")
	must(t, err)
	return pieces(t, string(text))
}

// about is the same evidence with other numbers and another subject.
func about(t *testing.T, s evidence.Subject, number string) []evidence.Piece {
	t.Helper()
	list := example(t)
	for i := range list {
		list[i].Subject = s
		if list[i].Number != "" {
			list[i].Number = strings.ReplaceAll(list[i].Kind, "_", "-") + number
		}
	}
	return list
}

var (
	subjectSarah = evidence.Subject{GivenName: "SARAH JANE", FamilyName: "Meredyth", Birthdate: "1976-03-11"}
	subjectLou   = evidence.Subject{GivenName: "Lou Ann", FamilyName: "O'SAMPLE", Birthdate: "1990-01-17"}
)

func TestRecord(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	change, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	want := evidence.Change{
		PersonID: sarah, Before: evidence.Outcome{Level: "none"},
		After: evidence.Outcome{Level: "high", Profile: "H1A", IAL: change.After.IAL, PolicyVersion: assurance.PolicyVersion},
	}
	if diff := cmp.Diff(want, change, cmpopts.IgnoreFields(evidence.Change{}, "Evidence")); diff != "" || len(change.Evidence) != 3 {
		t.Errorf("Record(the example) = %d pieces, want 3; (-want +got):\n%s", len(change.Evidence), diff)
	}
	if got := in.level(t, sarah); got != "high" {
		t.Errorf("level = %q, want high", got)
	}
	identity, err := in.store.Identity(ctx, sarah)
	must(t, err)
	wantProfiles := []string{"L1A", "L1B", "M1A", "M1C", "M2C", "H1A", "H2D"}
	if !slices.Equal(identity.Profiles, wantProfiles) || !identity.ComputedAt.Equal(now) {
		t.Errorf("profiles = %v at %v, want %v now", identity.Profiles, identity.ComputedAt, wantProfiles)
	}
	rests := slices.Clone(identity.Evidence)
	if wantRests := []uuid.UUID{change.Evidence[0], change.Evidence[2]}; !slices.Equal(rests, wantRests) {
		t.Errorf("it rests on %v, want on the passport and the register: %v", rests, wantRests)
	}

	again, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	if !slices.Equal(again.Evidence, change.Evidence) || !slices.Equal(again.Known, sameWords(change.Evidence)) || again.Before != change.After || again.After != change.After {
		t.Errorf("Record(again) = %+v, want the pieces of before, as known, and no change", again)
	}
	list, err := in.Of(ctx, sarah, uuid.Nil, 10)
	must(t, err)
	if len(list) != 3 || list[0].Number != "···789" || list[0].Issuer != "HM Passport Office" || list[0].Subject != "" || list[0].Checks[0].ID != "chk-pp-chip-01" || list[2].Number != "" {
		t.Errorf("Of(Sarah) = %+v, want three pieces, the passport first, its number hidden but for its end", list)
	}
	if diff := cmp.Diff([]string{"evidence_recorded  none>high"}, in.audited(t, sarah)); diff != "" {
		t.Errorf("audit record (-want +got):\n%s", diff)
	}

	// More of the same person adds to it; a date of birth that is not on record is not compared.
	change, err = in.Record(ctx, desk, lou, about(t, subjectLou, "5551234555123455512")[:1])
	must(t, err)
	if change.After.Level != "medium" || change.After.Profile != "M1C" {
		t.Errorf("Record(a passport) = %+v, want medium by M1C", change)
	}
	change, err = in.Record(ctx, desk, lou, withoutIDs(about(t, subjectLou, "2"))[2:])
	must(t, err)
	if change.Before.Profile != "M1C" || change.After.Level != "high" {
		t.Errorf("Record(a register beside it) = %+v, want high", change)
	}
}

// sameWords is what is said of pieces that are on record word for word.
func sameWords(ids []uuid.UUID) []evidence.Known {
	var known []evidence.Known
	for _, id := range ids {
		known = append(known, evidence.Known{Evidence: id, As: id})
	}
	return known
}

// A document that is recorded once more with other words is known again, and counts once.
func TestADocumentIsKnownAgain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*evidence.Piece)
		known  bool
	}{
		"with other checks":             {func(p *evidence.Piece) { p.Checks = p.Checks[:1] }, true},
		"its number written so":         {func(p *evidence.Piece) { p.Checks, p.Number = p.Checks[1:], "12 345-6789" }, true},
		"without its country":           {func(p *evidence.Piece) { p.Country = "" }, true},
		"said to be from elsewhere":     {func(p *evidence.Piece) { p.Country, p.IssuedOn = "FRA", "2021-03-03" }, true},
		"another passport":              {func(p *evidence.Piece) { p.Number = "987654321" }, false},
		"another kind, the same number": {func(p *evidence.Piece) { p.Kind, p.Features = "driving_permit", nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in, ctx := newInstallation(t), t.Context()
			first, err := in.Record(ctx, desk, sarah, example(t))
			must(t, err)
			again := withoutIDs(example(t))[:1]
			again[0].Issuer = "Passport Office"
			tt.change(&again[0])
			change, err := in.Record(ctx, desk, sarah, again)
			must(t, err)
			var want []evidence.Known
			if tt.known {
				want = []evidence.Known{{Evidence: change.Evidence[0], As: first.Evidence[0]}}
			}
			if !slices.Equal(change.Known, want) || slices.Contains(first.Evidence, change.Evidence[0]) || change.After.Level != "high" {
				t.Errorf("Record(%s) = %+v, want a new piece, known %v", name, change, want)
			}
		})
	}
}

// An identity rests on what its best profile needs, and on what the person was compared with.
func TestWhatAnIdentityRestsOn(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	list := example(t)
	list[1].Checks = append(list[1].Checks, list[0].Checks[2]) // her face, with the licence
	list[0].Checks = list[0].Checks[:2]
	change, err := in.Record(ctx, desk, sarah, list)
	must(t, err)
	identity, err := in.store.Identity(ctx, sarah)
	must(t, err)
	if identity.Profile != "H1A" || !slices.Equal(identity.Evidence, change.Evidence) {
		t.Errorf("identity = %s on %v, want H1A on the passport, the licence and the register: %v", identity.Profile, identity.Evidence, change.Evidence)
	}
}

// withoutIDs takes the ids of the checks away, so that they are given.
func withoutIDs(list []evidence.Piece) []evidence.Piece {
	for _, p := range list {
		for i := range p.Checks {
			p.Checks[i].ID = ""
		}
	}
	return list
}

func TestRecordRefuses(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	for name, tt := range map[string]struct {
		person string
		change func(*evidence.Piece)
		err    error
		says   string
	}{
		"nothing wrong":                  {sarah, func(*evidence.Piece) {}, nil, ""},
		"another spelling of the name":   {sarah, func(p *evidence.Piece) { p.Subject.FamilyName = "MERE-DYTH" }, nil, ""},
		"no middle name":                 {sarah, func(p *evidence.Piece) { p.Subject.GivenName = "sarah" }, nil, ""},
		"a piece that says no birthdate": {sarah, func(p *evidence.Piece) { p.Subject.Birthdate = "" }, nil, ""},
		"a person who is not there":      {nobod, func(*evidence.Piece) {}, evidence.ErrUnknown, nobod},
		"another given name":             {sarah, func(p *evidence.Piece) { p.Subject.GivenName = "Sara" }, evidence.ErrInvalid, "about a different person: its given_name"},
		"the middle name alone":          {sarah, func(p *evidence.Piece) { p.Subject.GivenName = "Jane" }, evidence.ErrInvalid, "its given_name"},
		"another family name":            {sarah, func(p *evidence.Piece) { p.Subject.FamilyName = "Meredith" }, evidence.ErrInvalid, "its family_name"},
		"no name":                        {sarah, func(p *evidence.Piece) { p.Subject = evidence.Subject{} }, evidence.ErrInvalid, "its given_name"},
		"another birthdate":              {sarah, func(p *evidence.Piece) { p.Subject.Birthdate = "1976-03-12" }, evidence.ErrInvalid, "its birthdate is not the one on record"},
		"a birthdate that is none":       {sarah, func(p *evidence.Piece) { p.Subject.Birthdate = "11/03/1976" }, evidence.ErrInvalid, "want a date like 1980-12-31"},
		"no check":                       {sarah, func(p *evidence.Piece) { p.Checks = nil }, evidence.ErrInvalid, "nothing of it was checked"},
		"one check":                      {sarah, func(p *evidence.Piece) { p.Checks = p.Checks[:1] }, nil, ""},
		"a person of no id at all":       {"\xff\x1b[2J" + strings.Repeat("1", 99), func(*evidence.Piece) {}, evidence.ErrUnknown, `person "\xff\x1b[2J` + strings.Repeat("1", 35) + `" is unknown`},
		"a check of which nothing is said": {
			sarah, func(p *evidence.Piece) { p.Checks[0].Facts = nil }, evidence.ErrInvalid,
			"piece 1 is not valid: check 1: nothing that it established is on record: set facts, questions or activity; or failed, where its result was no",
		},
		"a check that failed, of which nothing is said": {sarah, func(p *evidence.Piece) { p.Checks[0].Facts, p.Checks[0].Failed = nil, true }, nil, ""},
		"no type":                         {sarah, func(p *evidence.Piece) { *p = evidence.Piece{} }, evidence.ErrInvalid, "piece 1 is not valid: it has no type: want one of document"},
		"no kind, and no check":           {sarah, func(p *evidence.Piece) { p.Kind, p.Checks = "", nil }, evidence.ErrInvalid, "piece 1 is not valid: it has no kind: want one of passport, "},
		"a jurisdiction of another state": {sarah, func(p *evidence.Piece) { p.Country, p.Jurisdiction = "FRA", "GB-NIR" }, evidence.ErrInvalid, `jurisdiction "GB-NIR" is not one of country "FRA"`},
		"an id":                           {sarah, func(p *evidence.Piece) { p.ID = "mine" }, evidence.ErrInvalid, "its id is given"},
		"a kind that nobody knows":        {sarah, func(p *evidence.Piece) { p.Kind = "library_card" }, evidence.ErrInvalid, "library_card"},
		"a check that is still to come":   {sarah, func(p *evidence.Piece) { p.Checks[0].At = now.Add(time.Second) }, evidence.ErrInvalid, "still to come"},
		"a check before the document":     {sarah, func(p *evidence.Piece) { p.IssuedOn = "2026-09-15" }, evidence.ErrInvalid, "before passport was issued"},
		"a fact of another check":         {sarah, func(p *evidence.Piece) { p.Checks[0].Facts = []assurance.Fact{"uv_ir"} }, evidence.ErrInvalid, "piece 1 is not valid: check 1: vcrypt cannot establish uv_ir"},
		"two checks of one id":            {sarah, func(p *evidence.Piece) { p.Checks[0].ID, p.Checks[1].ID = "one", "one" }, evidence.ErrInvalid, "two checks"},
		"a number that is none":           {sarah, func(p *evidence.Piece) { p.Number = "- -" }, evidence.ErrInvalid, "letters and digits"},
		"a number that is too long":       {sarah, func(p *evidence.Piece) { p.Number = strings.Repeat("1", 65) }, evidence.ErrInvalid, "letters and digits"},
		"no number":                       {sarah, func(p *evidence.Piece) { p.Number = "" }, evidence.ErrInvalid, "no such passport is put on record without its number"},
		"a number in other digits":        {sarah, func(p *evidence.Piece) { p.Number = "１２３４５６７８９" }, evidence.ErrInvalid, "A to Z and 0 to 9"},
		"a number in Arabic digits":       {sarah, func(p *evidence.Piece) { p.Number = "١٢٣٤٥٦٧٨٩" }, evidence.ErrInvalid, "A to Z and 0 to 9"},
		"a number in Cyrillic letters":    {sarah, func(p *evidence.Piece) { p.Number = "АВ123456" }, evidence.ErrInvalid, "A to Z and 0 to 9"},
		"a number with spaces and dots":   {sarah, func(p *evidence.Piece) { p.Number = "ab 12.34-56/7" }, nil, ""},
		"issued before she was born":      {sarah, func(p *evidence.Piece) { p.IssuedOn, p.ExpiresOn = "1976-03-10", "" }, evidence.ErrInvalid, "it was issued on 1976-03-10, before the person was born"},
		"issued when she was born":        {sarah, func(p *evidence.Piece) { p.IssuedOn, p.ExpiresOn = "1976-03-11", "" }, nil, ""},
		"a check before she was born":     {sarah, func(p *evidence.Piece) { dated(p, "1976-03-10") }, evidence.ErrInvalid, "check 1: it was done on 1976-03-10, before the person was born"},
		"a check when she was born":       {sarah, func(p *evidence.Piece) { dated(p, "1976-03-11") }, nil, ""},
		"activity before she was born":    {sarah, func(p *evidence.Piece) { active(p, "1976-03-10") }, evidence.ErrInvalid, "the activity begins on 1976-03-10, before the person was born"},
		"activity since she was born":     {sarah, func(p *evidence.Piece) { active(p, "1976-03-11") }, nil, ""},
		"an issuer in two lines":          {sarah, func(p *evidence.Piece) { p.Issuer = "HM\nPassport" }, evidence.ErrInvalid, "plain text"},
		"more facts than there is room":   {sarah, long, evidence.ErrInvalid, "bytes"},
		"dates that contradict on record": {sarah, func(p *evidence.Piece) { p.Number, p.ExpiresOn = "123-456-789 ", "2032-03-02" }, evidence.ErrInvalid, "their expires_on differs"},
		"a check's id that is on record":  {sarah, func(p *evidence.Piece) { p.Checks[0].ID = "chk-pp-chip-01" }, evidence.ErrInvalid, `both have a check "chk-pp-chip-01"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := newInstallation(t)
			_, err := in.Record(t.Context(), desk, sarah, example(t))
			must(t, err)
			p := withoutIDs(about(t, subjectSarah, "7"))[0]
			tt.change(&p)
			_, err = in.Record(t.Context(), desk, tt.person, []evidence.Piece{p})
			if !errors.Is(err, tt.err) || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Record(%s) = %v, want %v: %s", name, err, tt.err, tt.says)
			}
			if err != nil && p.Number != "" && strings.Contains(err.Error(), p.Number) {
				t.Errorf("Record(%s) = %v, want no number in it", name, err)
			}
			list, err := in.Of(t.Context(), sarah, uuid.Nil, 10)
			must(t, err)
			if want := 3 + map[bool]int{true: 1}[tt.err == nil]; len(list) != want {
				t.Errorf("there are %d pieces on record, want %d", len(list), want)
			}
		})
	}
	for what, list := range map[string][]evidence.Piece{"nothing": nil, "too much": make([]evidence.Piece, 21)} {
		if _, err := in.Record(t.Context(), desk, sarah, list); !errors.Is(err, evidence.ErrInvalid) {
			t.Errorf("Record(%s) = %v, want %v", what, err, evidence.ErrInvalid)
		}
	}
}

// dated gives a piece checks of that day, and no dates of its own.
func dated(p *evidence.Piece, day string) {
	p.IssuedOn, p.ExpiresOn = "", ""
	for i := range p.Checks {
		p.Checks[i].At, _ = time.Parse(time.DateOnly, day)
	}
}

// active gives a piece a check that found activity.
func active(p *evidence.Piece, since string) {
	p.Checks = append(p.Checks, assurance.Check{
		Method: assurance.RecordMatch, At: p.Checks[0].At, Activity: &assurance.Activity{Policy: assurance.PolicyPublished, Since: since},
	})
}

// long gives a piece checks that together are too long.
func long(p *evidence.Piece) {
	for range 40 {
		c := p.Checks[0]
		c.Organisation, c.Checker = strings.Repeat("é", 150), strings.Repeat("x", 100)
		p.Checks = append(p.Checks, c)
	}
}

// A document that counts for one person is refused for another, until it is withdrawn: it may have been hers.
func TestTheSameDocumentForTwoPeople(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	change, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	hers := withoutIDs(about(t, subjectLou, "7"))
	hers[0].Number = "12345 6789"
	_, err = in.Record(ctx, desk, lou, hers)
	if !errors.Is(err, evidence.ErrDuplicate) || strings.Contains(err.Error(), sarah) || strings.Contains(err.Error(), "789") {
		t.Errorf("Record(Sarah's passport for Lou) = %v, want %v, and nothing of Sarah", err, evidence.ErrDuplicate)
	}
	if diff := cmp.Diff([]string{"evidence_recorded duplicate_evidence >"}, in.audited(t, lou)); diff != "" {
		t.Errorf("audit record (-want +got):\n%s", diff)
	}
	if got := in.level(t, lou); got != "none" {
		t.Errorf("level of Lou = %s, want none", got)
	}
	foreign := hers[0]
	foreign.Country = "FRA"
	if _, err := in.Record(ctx, desk, lou, []evidence.Piece{foreign}); err != nil {
		t.Errorf("Record(a passport of that number from elsewhere) = %v, want no error", err)
	}
	_, err = in.Withdraw(ctx, desk, change.Evidence[0], evidence.Mistaken)
	must(t, err)
	if _, err := in.Record(ctx, desk, lou, hers); err != nil {
		t.Errorf("Record(the passport, when it was withdrawn) = %v, want no error", err)
	}

	found, err := in.ByNumber(ctx, " 123 456 789")
	must(t, err)
	var people []string
	for _, r := range found {
		people = append(people, r.PersonID)
	}
	if !slices.Equal(people, []string{lou, lou, sarah}) {
		t.Errorf("ByNumber() = of %v, want what counts first", people)
	}
	for number, want := range map[string]error{
		"123456780": nil, strings.Repeat("1", 64): nil, strings.Repeat("1", 65): evidence.ErrInvalid, "": evidence.ErrInvalid, "-": evidence.ErrInvalid, "１２３": evidence.ErrInvalid,
	} {
		if found, err := in.ByNumber(ctx, number); !errors.Is(err, want) || len(found) != 0 {
			t.Errorf("ByNumber(%q) = %v, %v, want nothing, %v", number, found, err, want)
		}
	}

	// What two people can have in common is not refused.
	for _, person := range []string{sarah, lou} {
		account := pieces(t, `{"type": "electronic_record", "kind": "current_account", "number": "12-34-56 12345678", "country": "GBR",
			"checks": [{"method": "data", "at": "2026-09-14T10:31:00Z", "organisation": "Example Bank", "facts": ["authoritative_match"]}]}`)
		account[0].Subject = map[string]evidence.Subject{sarah: subjectSarah, lou: subjectLou}[person]
		if _, err := in.Record(ctx, desk, person, account); err != nil {
			t.Errorf("Record(an account that %s shares) = %v, want no error", person, err)
		}
	}
}

// Of two desks that record one document for two people at once, one is refused; of many that record pieces of one person
// at once, none is lost.
func TestDesksAtOnce(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	var running sync.WaitGroup
	var mu sync.Mutex
	won, refused := 0, 0
	for i := range 8 {
		person, subject := sarah, subjectSarah
		if i%2 == 1 {
			person, subject = lou, subjectLou
		}
		list := withoutIDs(about(t, subject, "1"))
		if i%4 < 2 {
			slices.Reverse(list) // the numbers in the other order
		}
		running.Go(func() {
			_, err := in.Record(ctx, desk, person, list)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case errors.Is(err, evidence.ErrDuplicate):
				refused++
			default:
				t.Errorf("Record() = %v, want no error, or %v", err, evidence.ErrDuplicate)
			}
		})
	}
	running.Wait()
	if won != 4 || refused != 4 {
		t.Errorf("%d desks won and %d were refused, want those of one person and those of the other", won, refused)
	}

	person, subject := sarah, subjectSarah
	if in.level(t, sarah) != "none" {
		person, subject = lou, subjectLou
	}
	all := withoutIDs(about(t, subject, "2"))
	for i := range all {
		running.Go(func() {
			if _, err := in.Record(ctx, desk, person, all[i:i+1]); err != nil {
				t.Errorf("Record(piece %d) = %v, want no error", i, err)
			}
		})
	}
	running.Wait()
	if got := in.level(t, person); got != "high" {
		t.Errorf("level after all pieces = %s, want high: one was lost", got)
	}
}

func TestWithdraw(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	change, err := in.Record(ctx, desk, sarah, example(t))
	must(t, err)
	passport, register := change.Evidence[0], change.Evidence[2]
	for reason, id := range map[evidence.Reason]uuid.UUID{"because": passport, evidence.Forged: uuid.New()} {
		_, err := in.Withdraw(ctx, desk, id, reason)
		if want := map[bool]error{true: evidence.ErrUnknown, false: evidence.ErrInvalid}[reason == evidence.Forged]; !errors.Is(err, want) {
			t.Errorf("Withdraw(%s, %s) = %v, want %v", id, reason, err, want)
		}
	}
	change, err = in.Withdraw(ctx, desk, register, evidence.Superseded)
	must(t, err)
	if change.Before.Level != "high" || change.After.Profile != "H2E" && change.After.Level != "medium" {
		t.Errorf("Withdraw(the register) = %+v, want the profiles that need it gone", change)
	}
	change, err = in.Withdraw(ctx, desk, passport, evidence.Forged)
	must(t, err)
	if change.After.Level != "none" || change.After.Profile != "" || in.level(t, sarah) != "none" {
		t.Errorf("Withdraw(the passport) = %+v, want none", change)
	}
	for _, reason := range evidence.Reasons() {
		_, err := in.Withdraw(ctx, desk, passport, reason)
		if want := "evidence " + passport.String() + " was withdrawn before: at 2026-09-16T09:00:00Z, as forged"; !errors.Is(err, evidence.ErrWithdrawn) || err.Error() != want {
			t.Errorf("Withdraw(again, %s) = %v, want %s", reason, err, want)
		}
	}
	list, err := in.Of(ctx, sarah, uuid.Nil, 10)
	must(t, err)
	if len(list) != 3 || list[0].Withdrawn == nil || *list[0].Withdrawn != (evidence.Withdrawal{At: now, By: desk, Reason: evidence.Forged}) {
		t.Errorf("Of(Sarah) = %+v, want all three, the passport withdrawn", list)
	}
	want := []string{"evidence_recorded  none>high", "evidence_withdrawn  high>medium superseded", "evidence_withdrawn  medium>none forged"}
	if diff := cmp.Diff(want, in.audited(t, sarah)); diff != "" {
		t.Errorf("audit record (-want +got):\n%s", diff)
	}
	verified, err := in.Verified(ctx, sarah)
	if err != nil || verified != nil {
		t.Errorf("Verified(of whom nothing is left) = %v, %v, want nothing", verified, err)
	}
}
