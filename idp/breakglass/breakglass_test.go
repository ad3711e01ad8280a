package breakglass_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/breakglass"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

var now = time.Date(2026, time.March, 2, 2, 30, 0, 0, time.UTC)

const (
	board    = "ZX000"
	hospital = "ZX100" // of the board
	surgery  = "ZX200" // of the board

	raManager = "S0080:G0450:R5080"
	privacy   = "S8002:G8003:R0001"
	support   = "S8001:G8002:R8008"
)

// night is a database with people at a hospital, and a clock that a test moves. When the test ends, nothing may be there that
// must never be.
type night struct {
	*breakglass.Registrar

	t     *testing.T
	owner string
	log   *bytes.Buffer

	mu sync.Mutex
	at time.Time

	ana, ben         string // who have the envelopes
	manager, privacy deed.Acting
}

func newNight(t *testing.T) *night {
	t.Helper()
	owner, service := storetest.URLs(t)
	s, err := store.Open(t.Context(), service)
	must(t, err)
	t.Cleanup(s.Close)
	n := &night{t: t, owner: owner, at: now, log: new(bytes.Buffer)}
	rules, err := authority.New()
	must(t, err)
	key, _ := seal.NewKey()
	outbox := messenger.New(messenger.Config{
		Store: s, Key: key, Issuer: "https://id.example.org", From: &mail.Address{Address: "registration@example.org"},
		Carrier: messenger.Folder(t.TempDir()), Now: n.clock, Log: slog.New(slog.DiscardHandler),
	})
	n.Registrar = breakglass.New(breakglass.Config{Store: s, Rules: rules, Messenger: outbox, Throttle: throttle.New(s, key, n.clock, slog.New(slog.DiscardHandler)), Now: n.clock, Log: slog.New(slog.NewTextHandler(n.log, nil))})
	for _, o := range []store.Organisation{{Code: board, Name: "Board"}, {Code: hospital, Name: "Hospital", ParentCode: new(board)}, {Code: surgery, Name: "Surgery", ParentCode: new(board)}} {
		must(t, directory.AddOrganisation(t.Context(), s, o, "operator", now))
	}
	n.ana, n.ben = n.person(), n.person()
	n.manager, n.privacy = n.officer(board, raManager), n.officer(hospital, privacy)
	t.Cleanup(func() { storetest.CheckInvariants(t, owner) })
	return n
}

func (n *night) clock() time.Time {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.at
}

// wait lets time pass.
func (n *night) wait(how time.Duration) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.at = n.at.Add(how)
}

func (n *night) person() string {
	n.t.Helper()
	id, err := directory.AddPerson(n.t.Context(), n.Store, directory.NewPerson{GivenName: "Ana", FamilyName: "Ng", Email: "ana@example.org"}, "operator", now)
	must(n.t, err)
	n.exec(`UPDATE person SET identity_level = 'high' WHERE id = $1`, id)
	return id
}

func (n *night) grant(person, organisation, jobRole string) string {
	n.t.Helper()
	catalogue, err := directory.NewCatalogue()
	must(n.t, err)
	id, err := directory.GrantRole(n.t.Context(), n.Store, catalogue, directory.NewRole{PersonID: person, Organisation: organisation, JobRole: jobRole}, "operator", now)
	must(n.t, err)
	return id
}

func (n *night) officer(organisation, jobRole string) deed.Acting {
	n.t.Helper()
	person := n.person()
	return deed.Acting{Person: person, Role: n.grant(person, organisation, jobRole)}
}

func (n *night) sealed() breakglass.Envelopes {
	n.t.Helper()
	e, err := breakglass.Seal(n.t.Context(), n.Store, hospital, "operator", n.clock())
	must(n.t, err)
	return e
}

func by(person string) deed.Acting { return deed.Acting{Person: person} }

func code(text string) breakglass.Code { return breakglass.Code{Organisation: hospital, Text: text} }

// asked asks with the first envelope, and has the second used.
func (n *night) asked(e breakglass.Envelopes) uuid.UUID {
	n.t.Helper()
	id, err := n.Ask(n.t.Context(), by(n.ana), code(e.First), "Nobody is there")
	must(n.t, err)
	joined, err := n.Join(n.t.Context(), by(n.ben), code(e.Second))
	must(n.t, err)
	if joined != id {
		n.t.Fatalf("Join() = %s, want %s", joined, id)
	}
	return id
}

// opened opens, and says what was.
func (n *night) opened() store.BreakGlassRow {
	n.t.Helper()
	id := n.asked(n.sealed())
	must(n.t, n.Open(n.t.Context(), by(n.ben), id))
	b, err := n.Store.BreakGlass(n.t.Context(), id)
	must(n.t, err)
	return b
}

// The role is hers where she signs in with what she opened it with, so nobody who types her name at a command line acts in it.
func TestOperatorActsInNoRoleOfBreakGlass(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	ctx, key := t.Context(), uuid.New()
	must(t, n.Store.AddAuthenticator(ctx, store.Authenticator{
		ID: key, PersonID: n.ana, Name: "Blue key", Kind: "passkey", CredentialID: key[:], PublicKey: []byte{1}, AAGUID: uuid.New(), Transports: []string{"usb"},
		AttestationFormat: "none", AttestationObject: []byte{1}, ClientData: []byte{1}, AttestationVerdict: "none", CreatedAt: now,
	}))
	must(t, audit.Record(ctx, n.Store, audit.Entry{At: now, Event: audit.Enrolled, Actor: n.ana, Person: n.ana, Detail: map[string]string{"authenticator": key.String()}}))
	e := n.sealed()
	id, err := n.Ask(ctx, deed.Acting{Person: n.ana, Authenticator: &key}, code(e.First), "Nobody is there")
	must(t, err)
	_, err = n.Join(ctx, by(n.ben), code(e.Second))
	must(t, err)
	must(t, n.Open(ctx, by(n.ben), id))
	b, err := n.Store.BreakGlass(ctx, id)
	must(t, err)
	acting := deed.Acting{Person: n.ana, Role: b.RoleID}
	if _, err := deed.Officer(ctx, n.Store, n.Rules, acting, n.clock()); err != nil {
		t.Errorf("Officer() of who opened it = %v", err)
	}
	acting.Operator = "operator:ada"
	_, err = deed.Officer(ctx, n.Store, n.Rules, acting, n.clock())
	if refusal, refused := errors.AsType[*deed.Refusal](err); !refused || refusal.Reason != deed.NotInRole {
		t.Errorf("Officer() by an operator = %v, want the refusal %s", err, deed.NotInRole)
	}
	acting = n.manager
	acting.Operator = "operator:ada"
	if _, err := deed.Officer(ctx, n.Store, n.Rules, acting, n.clock()); err != nil {
		t.Errorf("Officer() of a manager for whom an operator acts = %v", err)
	}
}

func (n *night) connect() *pgx.Conn {
	n.t.Helper()
	conn, err := pgx.Connect(n.t.Context(), n.owner)
	must(n.t, err)
	n.t.Cleanup(func() { _ = conn.Close(n.t.Context()) })
	return conn
}

func (n *night) exec(statement string, args ...any) {
	n.t.Helper()
	must(n.t, n.tries(statement, args...))
}

func (n *night) tries(statement string, args ...any) error {
	_, err := n.connect().Exec(n.t.Context(), statement, args...)
	return err
}

// recorded lists what is on record of break-glass, in order, with refusals.
func (n *night) recorded() []string {
	n.t.Helper()
	rows, err := n.connect().Query(n.t.Context(), `SELECT rtrim(event || ' ' || refusal) FROM audit_event WHERE event LIKE 'break_glass%' ORDER BY sequence`)
	must(n.t, err)
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(n.t, err)
	return list
}

// current are the job roles that somebody has.
func (n *night) current(person string) []string {
	n.t.Helper()
	standing, err := n.Store.Person(n.t.Context(), person, n.clock())
	must(n.t, err)
	var list []string
	for _, r := range standing.Person.Roles {
		list = append(list, r.OrganisationCode+" "+r.JobRole)
	}
	return list
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, call string, err error, want deed.Reason) {
	t.Helper()
	refusal, ok := errors.AsType[*deed.Refusal](err)
	if !ok || refusal.Reason != want || refusal.Error() == "" {
		t.Errorf("%s = %v, want the refusal %q", call, err, want)
	}
}

// Two people open it, one of them is an officer for four hours, and a third signs for it.
func TestBreakGlass(t *testing.T) {
	t.Parallel()
	n, ctx := newNight(t), t.Context()
	elsewhere := n.officer(surgery, raManager)
	b := n.opened()
	if diff := cmp.Diff([]string{hospital + " " + directory.BreakGlassOfficer}, n.current(n.ana)); diff != "" {
		t.Errorf("roles of who asked (-want +got):\n%s", diff)
	}
	if got := n.current(n.ben); got != nil {
		t.Errorf("roles of who let her = %v, want none", got)
	}
	if want := n.clock().Add(4 * time.Hour); !b.EndsAt.Equal(want) || b.AskedBy != n.ana || b.ConfirmedBy != n.ben || b.Reason != "Nobody is there" {
		t.Errorf("BreakGlass() = %+v, want one of both until %s", b, want)
	}

	// It is told, whether or not mail can be.
	if line := n.log.String(); !strings.Contains(line, `level=ERROR msg="break-glass opened"`) || !strings.Contains(line, "organisation="+hospital) {
		t.Errorf("log = %q, want an error", line)
	}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(n.Collectors()...)
	families, err := registry.Gather()
	must(t, err)
	if len(families) != 1 || families[0].GetName() != "credence_break_glass_opened_total" || families[0].GetMetric()[0].GetCounter().GetValue() != 1 {
		t.Errorf("metrics = %v, want one opening", families)
	}
	rows, err := n.connect().Query(ctx, `SELECT person_id || ' ' || kind FROM message`)
	must(t, err)
	told, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(t, err)
	if diff := cmp.Diff([]string{n.manager.Person + " break_glass_opened"}, told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}

	refused(t, "Sign(before it is over)", n.Sign(ctx, n.manager, b.ID, "All well"), breakglass.NotOver)
	n.wait(4 * time.Hour)
	if got := n.current(n.ana); got != nil {
		t.Errorf("roles when it is over = %v, want none", got)
	}
	refused(t, "End(when it is over)", n.End(ctx, by(n.ana), b.ID), breakglass.EndedAlready)
	anaManager := deed.Acting{Person: n.ana, Role: n.grant(n.ana, board, raManager)}
	benManager := deed.Acting{Person: n.ben, Role: n.grant(n.ben, board, raManager)}
	refused(t, "Sign(who asked)", n.Sign(ctx, anaManager, b.ID, "All well"), breakglass.OwnOpening)
	refused(t, "Sign(who let her)", n.Sign(ctx, benManager, b.ID, "All well"), breakglass.OwnOpening)
	refused(t, "Sign(a manager of elsewhere)", n.Sign(ctx, elsewhere, b.ID, "All well"), deed.AnotherOrganisation)
	refused(t, "Sign(no officer)", n.Sign(ctx, n.officer(hospital, support), b.ID, "All well"), deed.NoRight)
	refused(t, "Sign(in the role of another)", n.Sign(ctx, deed.Acting{Person: elsewhere.Person, Role: n.manager.Role}, b.ID, "All well"), deed.NotInRole)
	if err := n.Sign(ctx, n.manager, b.ID, ""); err == nil {
		t.Error("Sign(without a note) = nil, want a mistake")
	}
	must(t, n.Sign(ctx, n.privacy, b.ID, "All well"))
	refused(t, "Sign(again)", n.Sign(ctx, n.manager, b.ID, "All well"), breakglass.SignedAlready)
	if err := n.Sign(ctx, n.manager, uuid.New(), "All well"); !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("Sign(nothing) = %v, want ErrUnknown", err)
	}
	if diff := cmp.Diff([]string{
		"break_glass_sealed", "break_glass_asked", "break_glass_joined", "break_glass_opened", "break_glass_signed not_over", "break_glass_ended ended_already",
		"break_glass_signed own_opening", "break_glass_signed own_opening", "break_glass_signed another_organisation", "break_glass_signed no_right",
		"break_glass_signed not_in_role", "break_glass_signed", "break_glass_signed signed_already",
	}, n.recorded()); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
}

// A link by which somebody else would bind what she signs in with is worth nothing from then on, and until then it is.
func TestOpeningSpendsLinks(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	links := func() (live int) {
		must(t, n.connect().QueryRow(t.Context(), `SELECT count(*) FROM enrolment_link WHERE person_id = $1 AND used_at IS NULL`, n.ana).Scan(&live))
		return live
	}
	n.exec(`INSERT INTO enrolment_link (hash, code_mac, person_id, created_at, expires_at) VALUES (sha256('link'), sha256('code'), $1, $2, $3)`, n.ana, now, now.Add(24*time.Hour))
	asked := n.asked(n.sealed())
	if got := links(); got != 1 {
		t.Fatalf("links before it is opened = %d, want 1", got)
	}
	must(t, n.Open(t.Context(), by(n.ben), asked))
	if got := links(); got != 0 {
		t.Errorf("links after it was opened = %d, want none", got)
	}
}

// What does not open it, each beside the order in which it does.
func TestRefusals(t *testing.T) {
	t.Parallel()
	n, ctx := newNight(t), t.Context()
	e := n.sealed()
	another := n.person()
	ask := func(person string, c breakglass.Code) error {
		_, err := n.Ask(ctx, by(person), c, "Nobody is there")
		return err
	}
	join := func(person string, c breakglass.Code) error {
		_, err := n.Join(ctx, by(person), c)
		return err
	}
	for name, c := range map[string]breakglass.Code{
		"another code": code("ABCD-EFGH-IJKL-MNOP-QRST-UVWX-YZ"), "half a code": code(e.First[:13]), "none": code(""), "an endless one": code(strings.Repeat("A", 1<<16)),
		"another organisation": {Organisation: surgery, Text: e.First}, "no organisation": {Text: e.First}, "what is none": {Organisation: "ZX\x00", Text: e.First},
	} {
		refused(t, "Ask("+name+")", ask(n.ana, c), breakglass.CodeWrong)
		refused(t, "Join("+name+")", join(n.ben, c), breakglass.CodeWrong)
	}
	if _, err := n.Ask(ctx, by(n.ana), code(e.First), ""); err == nil {
		t.Error("Ask(without a reason) = nil, want a mistake")
	}
	refused(t, "Ask(the second envelope)", ask(n.ana, code(e.Second)), breakglass.OtherEnvelope)
	refused(t, "Join(before anybody asked)", join(n.ben, code(e.Second)), breakglass.NobodyAsked)
	refused(t, "Ask(a privacy officer)", ask(n.privacy.Person, code(e.First)), position.SeparationOfDuties)

	for reason, change := range map[deed.Reason]string{deed.NotProved: `identity_level = 'medium'`, position.PersonDisabled: `disabled_at = now()`} {
		who := n.person()
		n.exec(`UPDATE person SET `+change+` WHERE id = $1`, who)
		refused(t, "Ask("+change+")", ask(who, code(e.First)), reason)
	}
	must(t, ask(n.ana, code(strings.ToLower(strings.ReplaceAll(e.First, "-", " ")))))
	refused(t, "Join(the first envelope)", join(n.ben, code(e.First)), breakglass.OtherEnvelope)
	refused(t, "Join(who asked)", join(n.ana, code(e.Second)), breakglass.OwnEnvelope)
	n.wait(breakglass.Waits)
	refused(t, "Join(half an hour later)", join(n.ben, code(e.Second)), breakglass.NobodyAsked)

	id := n.asked(e)
	refused(t, "Open(who asked)", n.Open(ctx, by(n.ana), id), breakglass.OwnEnvelope)
	refused(t, "Open(who has no envelope)", n.Open(ctx, by(another), id), breakglass.NobodyAsked)
	refused(t, "Open(nothing)", n.Open(ctx, by(n.ben), uuid.New()), breakglass.NobodyAsked)
	n.wait(breakglass.Waits)
	refused(t, "Open(half an hour later)", n.Open(ctx, by(n.ben), id), breakglass.NobodyAsked)

	id = n.asked(e)
	must(t, ask(another, code(e.First))) // takes the place
	refused(t, "Open(what somebody else asked instead)", n.Open(ctx, by(n.ben), id), breakglass.NobodyAsked)

	id = n.asked(e)
	for reason, change := range map[deed.Reason]string{deed.NotProved: `identity_level = 'medium'`, position.PersonDisabled: `disabled_at = now()`} {
		for _, who := range []string{n.ana, n.ben} {
			n.exec(`UPDATE person SET `+change+` WHERE id = $1`, who)
			refused(t, "Open(meanwhile "+change+")", n.Open(ctx, by(n.ben), id), reason)
			n.exec(`UPDATE person SET identity_level = 'high', disabled_at = NULL WHERE id = $1`, who)
		}
	}
	role := n.grant(n.ana, hospital, privacy)
	refused(t, "Open(for who became privacy officer)", n.Open(ctx, by(n.ben), id), position.SeparationOfDuties)
	n.exec(`UPDATE role_profile SET ends_at = starts_at WHERE id = $1`, role)

	newer := n.sealed()
	if !newer.Replaces {
		t.Error("Seal(again).Replaces = false, want true")
	}
	refused(t, "Open(with envelopes that were replaced)", n.Open(ctx, by(n.ben), id), breakglass.CodeSpent)
	refused(t, "Ask(with an envelope that was replaced)", ask(n.ana, code(e.First)), breakglass.CodeSpent)

	must(t, n.Open(ctx, by(n.ben), n.asked(newer)))
	refused(t, "Ask(with an envelope that was opened)", ask(n.ana, code(newer.First)), breakglass.CodeSpent)
	refused(t, "Join(with an envelope that was opened)", join(n.ben, code(newer.Second)), breakglass.CodeSpent)

	refused(t, "Open(twice at one time)", n.Open(ctx, by(n.ben), n.asked(n.sealed())), position.HeldAlready)

	old := n.sealed()
	n.wait(breakglass.Keeps)
	refused(t, "Ask(a year later)", ask(n.ana, code(old.First)), breakglass.CodeExpired)
	if _, err := breakglass.Seal(ctx, n.Store, "ZX999", "operator", now); !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("Seal(of nowhere) = %v, want ErrUnknown", err)
	}
}

// Either of the two ends it before its time, and so does an officer; nobody else.
func TestEnd(t *testing.T) {
	t.Parallel()
	n, ctx := newNight(t), t.Context()
	for name, end := range map[string]func(uuid.UUID) error{
		"who asked":    func(id uuid.UUID) error { return n.End(ctx, by(n.ana), id) },
		"who let her":  func(id uuid.UUID) error { return n.End(ctx, by(n.ben), id) },
		"the manager":  func(id uuid.UUID) error { return n.Stop(ctx, n.manager, id) },
		"the other of": func(id uuid.UUID) error { return n.Stop(ctx, n.privacy, id) },
	} {
		b := n.opened()
		if err := n.End(ctx, by(n.manager.Person), b.ID); !errors.Is(err, directory.ErrUnknown) {
			t.Errorf("End(somebody else) = %v, want ErrUnknown", err)
		}
		refused(t, "Stop(no officer)", n.Stop(ctx, n.officer(hospital, support), b.ID), deed.NoRight)
		n.wait(time.Minute)
		if err := end(b.ID); err != nil {
			t.Errorf("end, by %s = %v", name, err)
		}
		if got := n.current(n.ana); got != nil {
			t.Errorf("roles after it was ended by %s = %v, want none", name, got)
		}
		must(t, n.Sign(ctx, n.manager, b.ID, "All well"))
		n.wait(time.Minute)
	}
}

// Of many who open, ask or sign at once one does.
func TestRaces(t *testing.T) {
	t.Parallel()
	n, ctx := newNight(t), t.Context()
	id := n.asked(n.sealed())
	race := func(what string, do func(i int) error, others ...deed.Reason) {
		t.Helper()
		errs := make([]error, 24)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = do(i) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			refusal, ok := errors.AsType[*deed.Refusal](err)
			switch {
			case err == nil:
				won++
			case !ok || !slices.Contains(others, refusal.Reason):
				t.Errorf("%s = %v, want one of %q", what, err, others)
			}
		}
		if won != 1 {
			t.Errorf("%s succeeded %d times, want once", what, won)
		}
	}
	race("open", func(int) error { return n.Open(ctx, by(n.ben), id) }, breakglass.CodeSpent, breakglass.NobodyAsked)
	if got := strings.Count(n.log.String(), "break-glass opened"); got != 1 {
		t.Errorf("alarms = %d, want 1", got)
	}
	race("end", func(i int) error { return n.End(ctx, by([]string{n.ana, n.ben}[i%2]), id) }, breakglass.EndedAlready)
	race("sign", func(i int) error { return n.Sign(ctx, []deed.Acting{n.manager, n.privacy}[i%2], id, "All well") }, breakglass.SignedAlready)

	// One who asks again while another opens: one or the other, and never two.
	e := n.sealed()
	id = n.asked(e)
	errs := make(chan error, 2)
	go func() { errs <- n.Open(ctx, by(n.ben), id) }()
	go func() {
		_, err := n.Ask(ctx, by(n.ana), code(e.First), "Again")
		errs <- err
	}()
	for range 2 {
		if refusal, ok := errors.AsType[*deed.Refusal](<-errs); ok && refusal.Reason != breakglass.CodeSpent && refusal.Reason != breakglass.NobodyAsked {
			t.Errorf("ask while another opens = %v", refusal)
		}
	}
}

// Whoever writes rows past the rules is refused by the schema.
func TestSchemaHoldsTheRules(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	b := n.opened()
	e := n.sealed()
	second := n.asked(e)
	sign := `UPDATE break_glass SET signed_by = $2, signed_role = $3, signed_at = $4, note = 'x' WHERE id = $1`
	over := b.EndsAt
	for _, tt := range []struct {
		rule, statement string
		args            []any
	}{
		{"break_glass_request_joined_by_another", `UPDATE break_glass_request SET joined_by = asked_by WHERE id = $1`, []any{second}},
		{"break_glass_request_lapses_soon", `UPDATE break_glass_request SET lapses_at = asked_at + interval '31 minutes' WHERE id = $1`, []any{second}},
		{"break_glass_takes_two", `UPDATE break_glass SET confirmed_by = asked_by WHERE id = $1`, []any{b.ID}},
		{"break_glass_seal_id_key", `INSERT INTO break_glass (id, seal_id, organisation_code, asked_by, confirmed_by, reason, role_id, opened_at)
			SELECT gen_random_uuid(), seal_id, organisation_code, asked_by, confirmed_by, reason, $2, opened_at FROM break_glass WHERE id = $1`, []any{b.ID, n.manager.Role}},
		{"break_glass_signed_by_another", sign, []any{b.ID, n.ana, n.manager.Role, over}},
		{"break_glass_signed_by_another", sign, []any{b.ID, n.ben, n.manager.Role, over}},
		{"break_glass_not_signed_in_its_role", sign, []any{b.ID, n.manager.Person, b.RoleID, over}},
		{"break_glass_signed_when_over", sign, []any{b.ID, n.manager.Person, n.manager.Role, over.Add(-time.Second)}},
		{"break_glass_signed_wholly", `UPDATE break_glass SET note = 'x' WHERE id = $1`, []any{b.ID}},
		{"role_profile_break_glass_is_short", `UPDATE role_profile SET ends_at = NULL WHERE id = $1`, []any{b.RoleID}},
		{"role_profile_break_glass_not_extended", `UPDATE role_profile SET ends_at = ends_at + interval '1 second' WHERE id = $1`, []any{b.RoleID}},
		{"role_profile_break_glass_is_short", `INSERT INTO role_profile (id, membership_id, job_role, areas_of_work, activities, workgroups, starts_at, ends_at, created_at)
			SELECT '999999999999', membership_id, job_role, '{}', '{}', '{}', starts_at, starts_at + interval '241 minutes', created_at FROM role_profile WHERE id = $1`, []any{b.RoleID}},
		{"break_glass_seal_ended_for_good", `UPDATE break_glass_seal SET ended_at = NULL WHERE id = $1`, []any{b.SealID}},
		{"break_glass_seal_at_most_a_year", `UPDATE break_glass_seal SET expires_at = sealed_at + interval '367 days' WHERE ended_at IS NULL`, nil},
		{"break_glass_seal_two_codes", `UPDATE break_glass_seal SET second_hash = first_hash WHERE ended_at IS NULL`, nil},
		{"break_glass_seal_once", `INSERT INTO break_glass_seal (id, organisation_code, first_hash, second_hash, sealed_by, sealed_at, expires_at)
			SELECT gen_random_uuid(), organisation_code, sha256('a'), sha256('b'), sealed_by, sealed_at, expires_at FROM break_glass_seal WHERE ended_at IS NULL`, nil},
	} {
		err := n.tries(tt.statement, tt.args...)
		if broken, ok := errors.AsType[interface {
			error
			SQLState() string
		}](err); !ok || !strings.Contains(err.Error(), tt.rule) && !strings.Contains(err.Error(), "for good") && !strings.Contains(err.Error(), "has not ended") && !strings.Contains(err.Error(), "last longer") {
			t.Errorf("%s = %v (%v), want it refused by %s", tt.statement, err, broken, tt.rule)
		}
	}
	n.exec(`UPDATE role_profile SET ends_at = ends_at - interval '1 hour' WHERE id = $1`, b.RoleID)
	n.wait(4 * time.Hour)
	must(t, n.Sign(t.Context(), n.manager, b.ID, "All well")) // the twin
	if err := n.tries(`UPDATE break_glass SET note = 'y' WHERE id = $1`, b.ID); err == nil || !strings.Contains(err.Error(), "for good") {
		t.Errorf("another note = %v, want it refused", err)
	}
}

// What was asked and nobody opened is swept, with what was written, once nobody can; what waits is not.
func TestWhatLapsedIsSwept(t *testing.T) {
	t.Parallel()
	n := newNight(t)
	n.asked(n.sealed())
	for want := range 2 {
		if swept, err := n.Store.SweepBreakGlassRequests(t.Context(), n.clock(), 10); err != nil || swept != want {
			t.Errorf("SweepBreakGlassRequests() = %d, %v, want %d", swept, err, want)
		}
		n.wait(breakglass.Waits)
	}
}
