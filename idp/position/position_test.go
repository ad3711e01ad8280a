package position_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var now = time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)

// Codes of organisations: a board, and two below it.
const (
	board    = "ZX000"
	hospital = "ZX100"
	surgery  = "ZX200"
)

const (
	support      = "S8001:G8002:R8008"
	practitioner = "S8000:G8000:R8000"
	raManager    = "S0080:G0450:R5080"
	privacy      = "S8002:G8003:R0001"
)

// desk is a database with officers, and a clock that a test moves. When the test ends, nothing may be there that must
// never be.
type desk struct {
	*position.Registrar

	t     *testing.T
	owner string

	mu sync.Mutex
	at time.Time

	manager, otherManager, agent, otherAgent, sponsor, otherSponsor, elsewhere deed.Acting
	nurse                                                                      string // who has no role yet
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	owner, service := storetest.URLs(t)
	s, err := store.Open(t.Context(), service)
	must(t, err)
	t.Cleanup(s.Close)
	d := &desk{t: t, owner: owner, at: now}
	rules, err := authority.New()
	must(t, err)
	catalogue, err := directory.NewCatalogue()
	must(t, err)
	d.Registrar = &position.Registrar{Store: s, Rules: rules, Catalogue: catalogue, Now: d.clock}
	for _, o := range []store.Organisation{{Code: board, Name: "Board"}, {Code: hospital, Name: "Hospital", ParentCode: new(board)}, {Code: surgery, Name: "Surgery", ParentCode: new(board)}} {
		must(t, directory.AddOrganisation(t.Context(), s, o, "operator", now))
	}
	d.nurse = d.person()
	d.manager, d.otherManager = d.officer(board, raManager), d.officer(board, raManager)
	d.agent, d.otherAgent = d.officer(hospital, support, "B9001"), d.officer(hospital, support, "B9001")
	d.sponsor, d.otherSponsor = d.officer(hospital, support, "B1300"), d.officer(hospital, support, "B1300")
	d.elsewhere = d.officer(surgery, support, "B9001", "B1300")
	t.Cleanup(func() { storetest.CheckInvariants(t, owner) })
	return d
}

func (d *desk) clock() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at
}

// wait lets time pass.
func (d *desk) wait(how time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = d.at.Add(how)
}

func (d *desk) person() string {
	d.t.Helper()
	id, err := directory.AddPerson(d.t.Context(), d.Store, directory.NewPerson{GivenName: "Ada", FamilyName: "Example"}, "operator", now)
	must(d.t, err)
	must(d.t, d.exec(`UPDATE person SET identity_level = 'high' WHERE id = $1`, id))
	return id
}

// grant gives a person a role as an operator does.
func (d *desk) grant(person, organisation, jobRole string, activities ...string) string {
	d.t.Helper()
	id, err := directory.GrantRole(d.t.Context(), d.Store, d.Catalogue, directory.NewRole{
		PersonID: person, Organisation: organisation, JobRole: jobRole, Activities: activities, Unlisted: true,
	}, "operator", now)
	must(d.t, err)
	return id
}

func (d *desk) officer(organisation, jobRole string, activities ...string) deed.Acting {
	d.t.Helper()
	person := d.person()
	return deed.Acting{Person: person, Role: d.grant(person, organisation, jobRole, activities...)}
}

func draft() position.Draft {
	return position.Draft{
		Name: "Ward nurse", Notes: "Nights too", JobRole: practitioner, Activities: []string{"B0360", "B0401"}, AreasOfWork: []string{"P0020:Q0300:T0640"},
		Workgroups: []store.Workgroup{{ID: "655694018104", Name: "Ward 4"}}, Reason: "New ward",
	}
}

// position proposes a position of the hospital and approves it.
func (d *desk) position(change func(*position.Draft)) string {
	d.t.Helper()
	p := draft()
	if change != nil {
		change(&p)
	}
	id, err := d.Propose(d.t.Context(), d.otherManager, hospital, p)
	must(d.t, err)
	_, err = d.Approve(d.t.Context(), d.manager, id, 1)
	must(d.t, err)
	return id
}

func asked(person, of string) position.Asked {
	return position.Asked{Kind: position.Assign, Person: person, Position: of, Reason: "Starts on Monday"}
}

// ask asks for a position as the sponsor.
func (d *desk) ask(q position.Asked) uuid.UUID {
	d.t.Helper()
	a, err := d.Ask(d.t.Context(), d.sponsor, q)
	must(d.t, err)
	return a.Request
}

// roles lists the current roles of a person.
func (d *desk) roles(person string) []store.Role {
	d.t.Helper()
	p, err := d.Store.Person(d.t.Context(), person, d.clock())
	must(d.t, err)
	return p.Person.Roles
}

// events lists the record of some events as "event refusal", in order.
func (d *desk) events(of ...string) []string {
	d.t.Helper()
	list, err := d.Store.AuditEvents(d.t.Context(), 0, 1000)
	must(d.t, err)
	var lines []string
	for _, e := range list {
		if slices.Contains(of, e.Event) {
			lines = append(lines, strings.TrimSpace(e.Event+" "+e.Refusal))
		}
	}
	return lines
}

// last is the last line of the record of an event.
func (d *desk) last(event string) store.AuditEvent {
	d.t.Helper()
	list, err := d.Store.AuditEvents(d.t.Context(), 0, 1000)
	must(d.t, err)
	for _, e := range slices.Backward(list) {
		if e.Event == event {
			return e
		}
	}
	d.t.Fatalf("the record has no %s", event)
	return store.AuditEvent{}
}

// connect is a connection of the test's own, as the owner.
func (d *desk) connect() *pgx.Conn {
	d.t.Helper()
	conn, err := pgx.Connect(d.t.Context(), d.owner)
	must(d.t, err)
	d.t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(d.t.Context())) })
	return conn
}

func (d *desk) exec(sql string, args ...any) error {
	d.t.Helper()
	_, err := d.connect().Exec(d.t.Context(), sql, args...)
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused wants a refusal for a reason, "" being none.
func refused(t *testing.T, call string, err error, want deed.Reason) {
	t.Helper()
	var got deed.Reason
	if refusal, ok := errors.AsType[*deed.Refusal](err); ok {
		got = refusal.Reason
	}
	if got != want || want == "" && err != nil {
		t.Errorf("%s = %v, want the refusal %q", call, err, want)
	}
}

// race runs do 32 times at once and returns how often it succeeded, and the reasons of the refusals.
func race(t *testing.T, do func(i int) error) (won int, reasons []deed.Reason) {
	t.Helper()
	errs := make([]error, 32)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			<-start
			errs[i] = do(i)
		})
	}
	close(start)
	wg.Wait()
	for _, err := range errs {
		refusal, ok := errors.AsType[*deed.Refusal](err)
		switch {
		case err == nil:
			won++
		case !ok:
			t.Errorf("of a race = %v, want a refusal", err)
		case !slices.Contains(reasons, refusal.Reason):
			reasons = append(reasons, refusal.Reason)
		}
	}
	return won, reasons
}

// A sponsor asks, another officer approves, and the person has the role: what the position said, until it expires.
func TestSponsorAsksAndOfficerApproves(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.position(nil)
	q := asked(d.nurse, id)
	q.ExpiresAt = new(now.AddDate(1, 0, 0))
	request := d.ask(q)
	if got := d.roles(d.nurse); len(got) != 0 {
		t.Errorf("roles before the decision = %v, want none", got)
	}
	got, err := d.Decide(ctx, d.agent, request, position.Approve, "Seen the contract", "")
	must(t, err)
	want := []store.Role{{
		ID: got.Role, OrganisationCode: hospital, OrganisationName: "Hospital", JobRole: practitioner, Activities: []string{"B0360", "B0401"},
		AreasOfWork: []string{"P0020:Q0300:T0640"}, Workgroups: []store.Workgroup{{ID: "655694018104", Name: "Ward 4"}},
	}}
	roles := d.roles(d.nurse)
	for i := range roles {
		roles[i].MembershipID = ""
	}
	if diff := cmp.Diff(want, roles); diff != "" || got.State != "approved" {
		t.Errorf("Decide(approved) = %+v, roles (-want +got):\n%s", got, diff)
	}
	if diff := cmp.Diff([]string{"request_asked", "role_granted", "request_decided"}, d.events("request_asked", "role_granted", "request_decided")[7:]); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	line := d.last("request_decided")
	for name, want := range map[string]string{
		"state": "approved", "role": got.Role, "position": id, "version": "1", "officer": d.agent.Person, "officer_role": d.agent.Role,
		"asked_by": d.sponsor.Person, "decision_reason": "Seen the contract", "request": request.String(), "expires_at": "2027-03-02T09:30:00Z",
	} {
		if line.Detail[name] != want {
			t.Errorf("the record's %s = %q, want %q", name, line.Detail[name], want)
		}
	}
	if line.Actor != d.agent.Person || line.PersonID != d.nurse {
		t.Errorf("the record says that %s did it to %s, want %s and %s", line.Actor, line.PersonID, d.agent.Person, d.nurse)
	}
	d.wait(366 * 24 * time.Hour)
	if got := d.roles(d.nurse); len(got) != 0 {
		t.Errorf("roles after the request expired = %v, want none", got)
	}
}
