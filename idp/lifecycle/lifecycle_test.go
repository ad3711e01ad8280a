package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var now = time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)

// People of the seed: the manager is of the health board, the others of its hospital.
const (
	board    = "ZX000"
	hospital = "ZX100"
	surgery  = "ZX200"
	nurse    = "656005750113" // who has no role, and is proved to level medium
	former   = "656005750114" // whose only role has ended, and who is proved to level high
)

var (
	manager  = deed.Acting{Person: "656005750116", Role: "656014116001"}
	agent    = deed.Acting{Person: "656005750117", Role: "656014117001"}
	sponsor  = deed.Acting{Person: "656005750118", Role: "656014118001"}
	advanced = deed.Acting{Person: "656005750119", Role: "656014119001"}
)

// desk is the database of `credence dev`. When the test ends, nothing may be there that must never be.
type desk struct {
	*lifecycle.Registrar

	t         *testing.T
	owner     string
	positions *position.Registrar
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	owner, service := storetest.URLs(t)
	s, err := store.Open(t.Context(), service)
	must(t, err)
	t.Cleanup(s.Close)
	key, _ := seal.NewKey()
	must(t, directory.Seed(t.Context(), s, key, now))
	rules, err := authority.New()
	must(t, err)
	catalogue, err := directory.NewCatalogue()
	must(t, err)
	clock := func() time.Time { return now.Add(time.Hour) }
	recorder, err := evidence.New(s, key, clock)
	must(t, err)
	d := &desk{
		Registrar: &lifecycle.Registrar{Store: s, Rules: rules, Evidence: recorder, Now: clock}, t: t, owner: owner,
		positions: &position.Registrar{Store: s, Rules: rules, Catalogue: catalogue, Now: clock},
	}
	t.Cleanup(func() { storetest.CheckInvariants(t, owner) })
	return d
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, what string, err error, want deed.Reason) {
	t.Helper()
	refusal, ok := errors.AsType[*deed.Refusal](err)
	if !ok || refusal.Reason != want || refusal.Error() == "" {
		t.Errorf("%s = %v, want the refusal %s", what, err, want)
	}
}

func (d *desk) grant(person, organisation, jobRole string, activities ...string) string {
	d.t.Helper()
	id, err := directory.GrantRole(d.t.Context(), d.Store, d.positions.Catalogue, directory.NewRole{
		PersonID: person, Organisation: organisation, JobRole: jobRole, Activities: activities, Unlisted: true, StartsAt: now,
	}, "operator", now)
	must(d.t, err)
	return id
}

func (d *desk) person(given, family string) string {
	d.t.Helper()
	id, err := directory.AddPerson(d.t.Context(), d.Store, directory.NewPerson{GivenName: given, FamilyName: family}, "operator", now)
	must(d.t, err)
	d.exec(`UPDATE person SET identity_level = 'high' WHERE id = $1`, id)
	return id
}

// manager is another manager, of an organisation.
func (d *desk) manager(organisation string) deed.Acting {
	d.t.Helper()
	id := d.person("Another", "Officer")
	return deed.Acting{Person: id, Role: d.grant(id, organisation, "S0080:G0450:R5080")}
}

// request is open: that somebody be given a position of the hospital.
func (d *desk) request(person string, by deed.Acting) uuid.UUID {
	d.t.Helper()
	ctx := d.t.Context()
	id, err := d.positions.Propose(ctx, manager, hospital, position.Draft{Name: "Ward nurse", JobRole: "S8000:G8000:R8001", Reason: "New ward"})
	must(d.t, err)
	_, err = d.positions.Approve(ctx, advanced, id, 1)
	must(d.t, err)
	answer, err := d.positions.Ask(ctx, by, position.Asked{Kind: position.Assign, Person: person, Position: id, Reason: "Starts on Monday"})
	must(d.t, err)
	return answer.Request
}

// session is one in which somebody acts in a role until tomorrow.
func (d *desk) session(person, role string) {
	d.t.Helper()
	id, until := uuid.New(), now.AddDate(0, 0, 1)
	d.exec(`INSERT INTO session (id, cookie_hash, person_id, authenticator_level, methods, authenticated_at, role_id, role_chosen_at, created_at, idle_at, expires_at)
		VALUES ($1, sha256($2), $3, 3, '{sc}', $4, $5, $4, $4, $6, $6)`, id, id[:], person, now, role, until)
	must(d.t, audit.Record(d.t.Context(), d.Store, audit.Entry{At: now, Event: audit.SignedIn, Person: person, Session: id}))
}

func (d *desk) exec(sql string, args ...any) {
	d.t.Helper()
	conn, err := pgx.Connect(d.t.Context(), d.owner)
	must(d.t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(d.t.Context())) }()
	_, err = conn.Exec(d.t.Context(), sql, args...)
	must(d.t, err)
}

func (d *desk) standing(person string) store.Standing {
	d.t.Helper()
	s, err := d.Store.Person(d.t.Context(), person, d.Now())
	must(d.t, err)
	return s
}

func (d *desk) last(event string) store.AuditEvent {
	d.t.Helper()
	events, err := d.Store.AuditEvents(d.t.Context(), 0, 1000)
	must(d.t, err)
	for _, e := range slices.Backward(events) {
		if e.Event == event {
			return e
		}
	}
	d.t.Fatalf("the record has no %s", event)
	return store.AuditEvent{}
}

// correction is what is on record of somebody, to be corrected.
func (d *desk) correction(person string) lifecycle.Correction {
	d.t.Helper()
	s, err := d.Look(d.t.Context(), manager, authority.CorrectPerson, person, "")
	must(d.t, err)
	return lifecycle.Correction{Person: person, Details: s.Details, Seen: s.Last, Reason: "Married"}
}

// What differs is changed and put on record with what it was, and evidence that is about another name counts no more: a level
// that was proved for one person is never another's by renaming her.
func TestCorrect(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	c := d.correction(former)
	c.FamilyName, c.DisplayName, c.Email = "Laterley", "Lotte Laterley", ""
	got, err := d.Correct(ctx, agent, c)
	must(t, err)
	want := lifecycle.Corrected{Unnamed: true, Changes: []deed.Change{
		{Field: "display_name", From: "Lotte Formerley", To: "Lotte Laterley"},
		{Field: "email", From: "lotte.formerley@larkmere.example"},
		{Field: "family_name", From: "Formerley", To: "Laterley"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Correct differs (-want +got):\n%s", diff)
	}
	p := d.standing(former).Person
	if p.FamilyName != "Laterley" || p.DisplayName != "Lotte Laterley" || p.Email != "" || p.GivenName != "Lotte" || p.IdentityLevel != "none" {
		t.Errorf("the person after a correction = %+v, want the new details, and nothing that proves them", p)
	}
	changes, err := d.Store.PersonChanges(ctx, []string{former}, store.Order{Descending: true}, uuid.Nil, 10)
	must(t, err)
	if len(changes) != 1 || changes[0].Kind != "corrected" || changes[0].Actor != agent.Person || changes[0].Reason != "Married" ||
		string(changes[0].Old) != `{"email": "lotte.formerley@larkmere.example", "family_name": "Formerley", "display_name": "Lotte Formerley"}` {
		t.Errorf("what was changed = %+v, want the one correction with what it was", changes)
	}
	if e := d.last("person_corrected"); e.Detail["fields"] != "display_name email family_name" || strings.Contains(fmt.Sprint(e.Detail), "Formerley") || e.Detail["withdrawn_evidence"] == "" || e.Detail["officer"] != agent.Person {
		t.Errorf("the line of the record = %v, want what differs, and not the name", e.Detail)
	}

	// A case, or what is not a name of hers, is no reason to doubt the evidence.
	c = d.correction(nurse)
	c.GivenName, c.DisplayName, c.Title = "JORY", "JORY Emptage-Vale", "Dr"
	if got, err := d.Correct(ctx, agent, c); err != nil || got.Unnamed {
		t.Errorf("Correct(another case) = %+v, %v, want the evidence to be about her still", got, err)
	}
}

// Of two who correct what they have seen the second is shown what differs.
func TestCorrectWhatHasChangedSince(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	first, second := d.correction(nurse), d.correction(nurse)
	first.Title, second.Title = "Dr", "Prof"
	_, err := d.Correct(ctx, agent, first)
	must(t, err)
	_, err = d.Correct(ctx, manager, second)
	refused(t, "Correct(what has changed since)", err, deed.ChangedSince)
	refusal, _ := errors.AsType[*deed.Refusal](err)
	if diff := cmp.Diff([]deed.Change{{Field: "title", From: "Dr", To: "Prof"}}, refusal.Changes); diff != "" {
		t.Errorf("what differs (-want +got):\n%s", diff)
	}
	second.Seen = d.correction(nurse).Seen
	if _, err := d.Correct(ctx, manager, second); err != nil {
		t.Errorf("Correct(having seen it) = %v, want no error", err)
	}
}

// Whoever by her new name may be somebody else on record is not corrected before the officer has seen that one.
func TestCorrectShowsWhoIsAlike(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	c := d.correction(nurse)
	c.GivenName, c.FamilyName, c.DisplayName = "Lotte", "Formerley", ""
	got, err := d.Correct(ctx, agent, c)
	must(t, err)
	if len(got.Alike.People) != 1 || got.Alike.People[0].ID != former || got.Changes != nil || d.standing(nurse).Person.GivenName != "Jory" {
		t.Fatalf("Correct(to the name of another) = %+v, want that one shown and nothing changed", got)
	}
	if e := d.last("person_searched"); e.Detail["hits"] != "1" {
		t.Errorf("the record has %v, want that one was shown", e.Detail)
	}
	c.Sure, c.Shown = true, []string{"656005750199"}
	if got, err := d.Correct(ctx, agent, c); err != nil || got.Alike.People == nil {
		t.Errorf("Correct(having been shown another) = %+v, %v, want the one shown", got, err)
	}
	c.Shown = []string{former}
	if got, err := d.Correct(ctx, agent, c); err != nil || got.Changes == nil || d.standing(nurse).Person.DisplayName != "Lotte Formerley" {
		t.Errorf("Correct(having been shown her) = %+v, %v, want it done", got, err)
	}
}

func TestCorrectRefuses(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	elsewhere := d.manager(surgery)
	d.grant(former, hospital, "S8000:G8000:R8001")
	title := func(person string) lifecycle.Correction {
		c := d.correction(former)
		c.Person, c.Title = person, "Dr"
		return c
	}
	for _, test := range []struct {
		name string
		by   deed.Acting
		of   string
		want deed.Reason
	}{
		{"a sponsor, who only asks", sponsor, former, deed.NoRight},
		{"an officer of another organisation", elsewhere, former, deed.AnotherOrganisation},
		{"herself", agent, agent.Person, deed.OwnPerson},
		{"an officer above her", agent, advanced.Person, deed.AboveOwn},
		{"in a role that is not hers", deed.Acting{Person: agent.Person, Role: manager.Role}, former, deed.NotInRole},
	} {
		_, err := d.Correct(ctx, test.by, title(test.of))
		refused(t, "Correct("+test.name+")", err, test.want)
		if e := d.last("person_corrected"); e.Refusal != string(test.want) {
			t.Errorf("Correct(%s) is recorded as %q, want %q", test.name, e.Refusal, test.want)
		}
	}
	for name, change := range map[string]func(*lifecycle.Correction){
		"no reason":             func(c *lifecycle.Correction) { c.Reason = "" },
		"no given name":         func(c *lifecycle.Correction) { c.GivenName = "" },
		"no date of birth":      func(c *lifecycle.Correction) { c.DateOfBirth = nil },
		"nothing that differs":  func(c *lifecycle.Correction) { c.Title = "Mrs" },
		"an address that is no": func(c *lifecycle.Correction) { c.Email = "lotte" },
		"control characters":    func(c *lifecycle.Correction) { c.FamilyName = "a\u202eb" },
	} {
		c := title(former)
		change(&c)
		if _, err := d.Correct(ctx, agent, c); !isInvalid(err) {
			t.Errorf("Correct(%s) = %v, want it invalid", name, err)
		}
	}
	if _, err := d.Correct(ctx, agent, title("656005750999")); !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("Correct(nobody) = %v, want directory.ErrUnknown", err)
	}
	if _, err := d.Correct(ctx, agent, title(former)); err != nil {
		t.Errorf("Correct(the twin) = %v, want no error", err)
	}
}

func isInvalid(err error) bool {
	_, invalid := errors.AsType[*directory.InvalidError](err)
	return invalid
}

// Everything ends with a profile, and nothing of it comes back.
func TestCloseAndReopen(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	role := d.grant(former, hospital, "S8001:G8002:R8008", "B1300")
	forHer := d.request(former, sponsor)
	byHer := d.request(nurse, deed.Acting{Person: former, Role: role})
	d.session(former, role)
	d.exec(`INSERT INTO enrolment_link (hash, person_id, created_at, expires_at) VALUES (sha256('b'), $1, $2, $2)`, former, now.AddDate(0, 0, 1))
	d.exec(`INSERT INTO authenticator (id, person_id, name, kind, sign_count, aaguid, transports, backup_eligible, backup_state, attestation_format, attestation_verdict, created_at, secret_sealed)
		VALUES ($3, $1, 'Password', 'password', 0, '00000000-0000-0000-0000-000000000000', '{}', true, false, '', 'none', $2, '\x00')`, former, now, former[:8]+"-0000-7000-8000-000000000000")
	d.exec(`INSERT INTO recovery_code (mac, person_id, created_at) VALUES (sha256('c'), $1, $2)`, former, now)
	must(t, audit.Record(ctx, d.Store, audit.Entry{At: now, Event: audit.Enrolled, Person: former, Detail: map[string]string{"authenticator": former[:8] + "-0000-7000-8000-000000000000"}}))
	s, err := d.Look(ctx, agent, authority.ClosePerson, former, "")
	must(t, err)
	if want := (store.Holdings{Roles: 1, Requests: 2, Authenticators: 1, Sessions: 1}); s.Holdings != want || len(s.Roles) != 1 {
		t.Errorf("what is lost = %+v, roles %v, want %+v", s.Holdings, s.Roles, want)
	}
	for name, as := range map[string]lifecycle.ClosedAs{"for no known reason": "tired", "as nothing": ""} {
		if err := d.Close(ctx, agent, former, as, "Retired"); !isInvalid(err) {
			t.Errorf("Close(%s) = %v, want it invalid", name, err)
		}
	}
	refused(t, "Close(by a sponsor)", d.Close(ctx, sponsor, former, lifecycle.Left, "Retired"), deed.NoRight)
	refused(t, "Close(an officer above her)", d.Close(ctx, agent, advanced.Person, lifecycle.Left, "Retired"), deed.AboveOwn)
	must(t, d.Close(ctx, agent, former, lifecycle.Left, "Retired"))
	if codes, err := d.Store.RecoveryCodes(ctx, former); err != nil || codes.Left != 0 {
		t.Errorf("recovery codes of a closed profile = %+v, %v, want none", codes, err)
	}
	refused(t, "Close(again)", d.Close(ctx, agent, former, lifecycle.Left, "Retired"), lifecycle.Closed)
	c := d.correction(former)
	c.Title = "Dr"
	_, err = d.Correct(ctx, agent, c)
	refused(t, "Correct(what is closed)", err, lifecycle.Closed)

	nothing := func(when string) {
		t.Helper()
		holdings, err := d.Store.Holdings(t.Context(), former, d.Now())
		must(t, err)
		if holdings != (store.Holdings{}) || len(d.standing(former).Person.Roles) != 0 {
			t.Errorf("%s she has %+v, want nothing", when, holdings)
		}
	}
	nothing("after the profile was closed")
	for _, id := range []uuid.UUID{forHer, byHer} {
		if r, err := d.Store.Request(ctx, id); err != nil || r.State != "lapsed" {
			t.Errorf("request = %s, %v, want it lapsed", r.State, err)
		}
	}
	if d.standing(former).PersonStands {
		t.Error("whose profile is closed stands, want her not to")
	}
	if err := directory.EnablePerson(ctx, d.Store, former, "operator", now); !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("EnablePerson(whose profile is closed) = %v, want directory.ErrUnknown", err)
	}
	d.grant(former, hospital, "S8000:G8000:R8001") // as an operator can

	refused(t, "Reopen(by who closed it)", d.Reopen(ctx, agent, former, "She is back"), lifecycle.OwnClosing)
	refused(t, "Reopen(elsewhere)", d.Reopen(ctx, d.manager(surgery), former, "She is back"), deed.AnotherOrganisation)
	if err := d.Reopen(ctx, advanced, former, " "); !isInvalid(err) {
		t.Errorf("Reopen(for no reason) = %v, want it invalid", err)
	}
	must(t, d.Reopen(ctx, advanced, former, "She is back"))
	nothing("after it was opened again")
	if p := d.standing(former); !p.PersonStands || p.Person.IdentityLevel != "high" {
		t.Errorf("after it was opened again she stands %t at %s, want her to at the level that she had", p.PersonStands, p.Person.IdentityLevel)
	}
	refused(t, "Reopen(what is open)", d.Reopen(ctx, advanced, former, "She is back"), lifecycle.Open)

	// A manager may undo what she did. Whom an operator has disabled stays so.
	must(t, directory.DisablePerson(ctx, d.Store, former, "operator", now))
	must(t, d.Close(ctx, manager, former, lifecycle.Fraud, "A forged passport"))
	must(t, d.Reopen(ctx, manager, former, "It was not forged"))
	if d.standing(former).PersonStands {
		t.Error("who was disabled before stands after her profile was opened again, want her not to")
	}
	must(t, directory.EnablePerson(ctx, d.Store, former, "operator", now))
}

// Of many who close a profile at once one does.
func TestRaceToClose(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	errs := together(8, func(int) error { return d.Close(ctx, agent, nurse, lifecycle.Left, "Retired") })
	done := 0
	for _, err := range errs {
		if err == nil {
			done++
		} else {
			refused(t, "Close(at once)", err, lifecycle.Closed)
		}
	}
	if done != 1 {
		t.Errorf("profiles closed = %d, want 1", done)
	}
}

// together does something several times at once.
func together(times int, do func(int) error) []error {
	errs := make([]error, times)
	var group sync.WaitGroup
	for i := range times {
		group.Go(func() { errs[i] = do(i) })
	}
	group.Wait()
	return errs
}

// Whoever leaves an organisation keeps who she is, and what she has elsewhere.
func TestLeave(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	here := d.grant(former, hospital, "S8000:G8000:R8001")
	there := d.grant(former, surgery, "S8000:G8000:R8001")
	request := d.request(former, sponsor)
	d.session(former, here)
	d.session(former, there)
	refused(t, "Leave(by a sponsor)", d.Leave(ctx, sponsor, former, hospital, d.Now(), "New job"), deed.NoRight)
	refused(t, "Leave(elsewhere)", d.Leave(ctx, agent, former, surgery, d.Now(), "New job"), deed.AnotherOrganisation)
	refused(t, "Leave(where she is not)", d.Leave(ctx, manager, former, board, d.Now(), "New job"), lifecycle.NotThere)
	for name, at := range map[string]time.Time{"two years later": now.AddDate(2, 0, 0), "last week": now.AddDate(0, 0, -7)} {
		if err := d.Leave(ctx, agent, former, hospital, at, "New job"); !isInvalid(err) {
			t.Errorf("Leave(%s) = %v, want it invalid", name, err)
		}
	}
	later := now.AddDate(0, 1, 0)
	must(t, d.Leave(ctx, agent, former, hospital, later, "New job"))
	roles, err := d.Store.Roles(ctx, former, "", 10)
	must(t, err)
	for _, r := range roles {
		if r.ID == here && (r.EndsAt == nil || !r.EndsAt.Equal(later)) || r.ID == there && r.EndsAt != nil {
			t.Errorf("role %s ends at %v, want the one here to, then", r.ID, r.EndsAt)
		}
	}
	if r, err := d.Store.Request(ctx, request); err != nil || r.State != "lapsed" {
		t.Errorf("request = %s, %v, want it lapsed", r.State, err)
	}
	h, err := d.Store.Holdings(ctx, former, now)
	must(t, err)
	if h.Sessions != 2 {
		t.Errorf("sessions before she left = %d, want both", h.Sessions)
	}
	must(t, d.Leave(ctx, agent, former, hospital, now, "Sooner"))
	p := d.standing(former)
	h, err = d.Store.Holdings(ctx, former, now)
	must(t, err)
	if len(p.Person.Roles) != 1 || p.Person.Roles[0].ID != there || !p.PersonStands || p.Person.IdentityLevel != "high" || h.Sessions != 1 {
		t.Errorf("after she left she has %v and %d sessions, want the role elsewhere and its session", p.Person.Roles, h.Sessions)
	}
	refused(t, "Leave(again)", d.Leave(ctx, agent, former, hospital, d.Now(), "New job"), lifecycle.NotThere)
}

// Whoever takes away what somebody signs in with, or spends her link, has that first and the person after it; so does whoever
// closes her profile, and neither waits for the other.
func TestCloseWaitsForWhoeverChangesAccess(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	d.exec(`INSERT INTO enrolment_link (hash, person_id, created_at, expires_at) VALUES (sha256('link'), $1, $2, $3)`, former, now, now.AddDate(0, 0, 1))
	db, err := pgx.Connect(ctx, d.owner)
	must(t, err)
	defer func() { _ = db.Close(context.WithoutCancel(ctx)) }()
	exec := func(sql string, args ...any) {
		t.Helper()
		_, err := db.Exec(ctx, sql, args...)
		must(t, err)
	}
	exec(`BEGIN`)
	exec(`UPDATE enrolment_link SET used_at = $2 WHERE person_id = $1`, former, now)
	closed := make(chan error, 1)
	go func() { closed <- d.Close(ctx, agent, former, lifecycle.Left, "Retired") }()
	patient, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for waiting := 0; waiting == 0; {
		must(t, db.QueryRow(patient, `SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))`).Scan(&waiting))
	}
	exec(`UPDATE person SET version = version WHERE id = $1`, former)
	exec(`COMMIT`)
	if err := <-closed; err != nil {
		t.Errorf("Close() = %v, want it to be done after the other", err)
	}
	if d.standing(former).PersonStands {
		t.Error("the person is enabled after her profile was closed")
	}
}
