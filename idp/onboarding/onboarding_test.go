package onboarding_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/idp/outbound"
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

// desk is a database with officers, and a clock that a test moves.
type desk struct {
	*onboarding.Registrar

	t     *testing.T
	owner string

	mu sync.Mutex
	at time.Time

	developer, other, manager, advanced, agent, elsewhere deed.Acting
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	owner, service := storetest.URLs(t)
	s, err := store.Open(t.Context(), service)
	must(t, err)
	t.Cleanup(s.Close)
	rules, err := authority.New()
	must(t, err)
	d := &desk{t: t, owner: owner, at: now}
	d.Registrar = &onboarding.Registrar{Store: s, Rules: rules, Prober: onboarding.NewProber(outbound.Guard{Loopback: true}), Now: d.clock}
	for _, o := range []store.Organisation{{Code: board, Name: "Board"}, {Code: hospital, Name: "Hospital", ParentCode: new(board)}, {Code: surgery, Name: "Surgery", ParentCode: new(board)}} {
		must(t, directory.AddOrganisation(t.Context(), s, o, "operator", now))
	}
	const support = "S8001:G8002:R8008"
	officer := d.officer
	d.developer, d.other = officer(hospital, support, "B9003"), officer(hospital, support, "B9003")
	d.manager, d.advanced = officer(board, "S0080:G0450:R5080"), officer(hospital, support, "B9001")
	d.agent, d.elsewhere = officer(hospital, "S0080:G0450:R5090"), officer(surgery, support, "B9001", "B9003")
	t.Cleanup(func() { storetest.CheckInvariants(t, owner) })
	return d
}

// officer is another person in a role.
func (d *desk) officer(organisation, jobRole string, activities ...string) deed.Acting {
	d.t.Helper()
	catalogue, err := directory.NewCatalogue()
	must(d.t, err)
	person, err := directory.AddPerson(d.t.Context(), d.Store, directory.NewPerson{GivenName: "Ada", FamilyName: "Example"}, "operator", now)
	must(d.t, err)
	must(d.t, d.exec(`UPDATE person SET identity_level = 'high' WHERE id = $1`, person))
	role, err := directory.GrantRole(d.t.Context(), d.Store, catalogue, directory.NewRole{PersonID: person, Organisation: organisation, JobRole: jobRole, Activities: activities}, "operator", now)
	must(d.t, err)
	return deed.Acting{Person: person, Role: role}
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

func (d *desk) exec(sql string, args ...any) error {
	d.t.Helper()
	conn, err := pgx.Connect(d.t.Context(), d.owner)
	must(d.t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(d.t.Context())) }()
	_, err = conn.Exec(d.t.Context(), sql, args...)
	return err
}

func wanted(changes ...func(*onboarding.Wanted)) onboarding.Wanted {
	w := onboarding.Wanted{
		Organisation: hospital, Environment: onboarding.Integration, Purpose: "Nurses see who is on the ward", Contact: "ward@example.org",
		Client: oauth.Registration{
			Name: "Ward list", Authentication: oauth.AuthBasic, RedirectURIs: []string{"https://ward.example.org/callback"}, Scopes: []string{"openid", "profile"},
			RequiresRole: true, MinimumAuthenticator: assurance.AAL2, MinimumIdentity: assurance.IdentityMedium,
		},
	}
	for _, change := range changes {
		change(&w)
	}
	return w
}

// app makes an application one of an app, at an address of this machine.
func app(address string) func(*onboarding.Wanted) {
	return func(w *onboarding.Wanted) {
		w.Client.Authentication, w.Client.RedirectURIs = oauth.AuthNone, []string{address}
	}
}

func (d *desk) apply(changes ...func(*onboarding.Wanted)) uuid.UUID {
	d.t.Helper()
	id, err := d.Apply(d.t.Context(), d.developer, wanted(changes...))
	must(d.t, err)
	return id
}

func (d *desk) approved(changes ...func(*onboarding.Wanted)) (id uuid.UUID, client string) {
	d.t.Helper()
	id = d.apply(changes...)
	client, err := d.Decide(d.t.Context(), d.advanced, id, position.Approve, "Wanted")
	must(d.t, err)
	return id, client
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

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused wants what was done to have been refused for a reason, in words.
func refused(t *testing.T, what string, err error, want deed.Reason) {
	t.Helper()
	if refusal, ok := errors.AsType[*deed.Refusal](err); !ok || refusal.Reason != want || len(refusal.Error()) < 20 {
		t.Errorf("%s = %v, want it refused with %s, in words", what, err, want)
	}
}

// race does something ten times at once, and says how many succeeded and why the others did not.
func race(t *testing.T, do func(i int) error) (won int, reasons []deed.Reason) {
	t.Helper()
	errs := make([]error, 10)
	var running sync.WaitGroup
	for i := range errs {
		running.Go(func() { errs[i] = do(i) })
	}
	running.Wait()
	for _, err := range errs {
		refusal, ok := errors.AsType[*deed.Refusal](err)
		switch {
		case err == nil:
			won++
		case !ok:
			t.Errorf("one of the others = %v, want a refusal", err)
		case !slices.Contains(reasons, refusal.Reason):
			reasons = append(reasons, refusal.Reason)
		}
	}
	return won, reasons
}

// What is approved is a client that says what was applied for, and nobody has its secret before one is made.
func TestApproved(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id, clientID := d.approved(func(w *onboarding.Wanted) {
		w.Client.PostLogoutRedirectURIs = []string{"https://ward.example.org/"}
	})
	c, err := d.Store.Client(ctx, clientID)
	must(t, err)
	want := store.Client{
		ID: clientID, Name: "Ward list", OrganisationName: "Hospital", Authentication: oauth.AuthBasic, SecretHash: c.SecretHash, RedirectURIs: []string{"https://ward.example.org/callback"},
		PostLogoutRedirectURIs: []string{"https://ward.example.org/"}, Scopes: []string{"openid", "profile"}, IDTokenAlg: "RS256", RequiresRole: true,
		DefaultACRValues: []string{}, MinimumAuthenticatorLevel: 2, MinimumIdentityLevel: "medium", CreatedAt: now,
	}
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("the client differs (-want +got):\n%s", diff)
	}
	a, err := d.Store.ClientApplication(ctx, id)
	must(t, err)
	if a.State != "approved" || *a.ClientID != clientID || *a.DecidedBy != d.advanced.Person || a.Secrets != 0 {
		t.Errorf("application = %+v, want it approved by the advanced agent", a)
	}
	if diff := cmp.Diff([]string{"client_applied", "client_added", "client_decided"}, d.events("client_applied", "client_added", "client_decided")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}

func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	follows := func(id uuid.UUID) func(*onboarding.Wanted) {
		return func(w *onboarding.Wanted) { w.Follows, w.Environment = id, onboarding.Live }
	}
	integration, _ := d.approved()
	development, _ := d.approved(func(w *onboarding.Wanted) { w.Environment = onboarding.Development })
	for _, test := range []struct {
		name   string
		by     deed.Acting
		change func(*onboarding.Wanted)
		reason deed.Reason
	}{
		{"a developer applies", d.developer, nil, ""},
		{"a manager applies below her organisation", d.manager, nil, ""},
		{"an agent does not", d.agent, nil, deed.NoRight},
		{"a developer does not elsewhere", d.elsewhere, nil, deed.AnotherOrganisation},
		{"nobody does in a role of another", deed.Acting{Person: d.developer.Person, Role: d.other.Role}, nil, deed.NotInRole},
		{"live follows integration", d.developer, follows(integration), ""},
		{"live does not follow development", d.developer, follows(development), onboarding.NotFollowable},
		{"live does not follow what waits", d.developer, follows(d.apply()), onboarding.NotFollowable},
	} {
		var changes []func(*onboarding.Wanted)
		if test.change != nil {
			changes = append(changes, test.change)
		}
		_, err := d.Apply(ctx, test.by, wanted(changes...))
		if test.reason != "" {
			refused(t, test.name, err, test.reason)
		} else if err != nil {
			t.Errorf("%s = %v, want none", test.name, err)
		}
	}
	if _, err := d.Apply(ctx, d.manager, wanted(func(w *onboarding.Wanted) { w.Organisation = "ZX999" })); !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("Apply(for an unknown organisation) = %v, want ErrUnknown", err)
	}
}

// What is entered is checked by the rules of clients, and some of ours.
func TestApplyChecks(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	for name, test := range map[string]struct {
		change func(*onboarding.Wanted)
		want   string // a part of the mistake; "" when there is none
	}{
		"as it is":                        {func(*onboarding.Wanted) {}, ""},
		"no name":                         {func(w *onboarding.Wanted) { w.Client.Name = "" }, "the name must be"},
		"a fragment":                      {func(w *onboarding.Wanted) { w.Client.RedirectURIs = []string{"https://a.example/#x"} }, "no fragment"},
		"a pattern":                       {func(w *onboarding.Wanted) { w.Client.RedirectURIs = []string{"https://*.example/"} }, "no *"},
		"no address":                      {func(w *onboarding.Wanted) { w.Client.RedirectURIs = nil }, "1 to 20 redirect URIs"},
		"no encryption":                   {func(w *onboarding.Wanted) { w.Client.RedirectURIs = []string{"http://ward.example.org/"} }, "want https://"},
		"a service on somebody's machine": {func(w *onboarding.Wanted) { w.Client.RedirectURIs = []string{"http://127.0.0.1/"} }, "want https:// in integration"},
		"the same while it is developed": {func(w *onboarding.Wanted) {
			w.Environment, w.Client.RedirectURIs = onboarding.Development, []string{"http://127.0.0.1/"}
		}, ""},
		"an app on somebody's machine":        {app("http://127.0.0.1/"), ""},
		"a scope that is none":                {func(w *onboarding.Wanted) { w.Client.Scopes = []string{"openid", "all"} }, "scope"},
		"no scope":                            {func(w *onboarding.Wanted) { w.Client.Scopes = nil }, "want openid"},
		"the scope of an officer":             {func(w *onboarding.Wanted) { w.Client.Scopes = []string{"openid", oauth.ScopeRegistrationWrite} }, "of the others only"},
		"a level that is none":                {func(w *onboarding.Wanted) { w.Client.MinimumAuthenticator = 4 }, "level 4"},
		"an identity level that is none":      {func(w *onboarding.Wanted) { w.Client.MinimumIdentity = "total" }, "total"},
		"no purpose":                          {func(w *onboarding.Wanted) { w.Purpose = "" }, "purpose"},
		"no contact":                          {func(w *onboarding.Wanted) { w.Contact = "the team" }, "contact"},
		"a contact with a name":               {func(w *onboarding.Wanted) { w.Contact = "Team <team@example.org>" }, "contact"},
		"a stage that is none":                {func(w *onboarding.Wanted) { w.Environment = "staging" }, "environment"},
		"live from nowhere":                   {func(w *onboarding.Wanted) { w.Environment = onboarding.Live }, "environment"},
		"a stage before, of what follows one": {func(w *onboarding.Wanted) { w.Follows = uuid.New() }, "environment"},
	} {
		_, err := d.Apply(ctx, d.developer, wanted(test.change))
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("Apply(%s) = %v, want %q", name, err, test.want)
		}
	}
}

func TestDecideRefuses(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	own, err := d.Apply(ctx, d.advanced, wanted())
	must(t, err)
	id := d.apply()
	for _, test := range []struct {
		name   string
		by     deed.Acting
		id     uuid.UUID
		reason deed.Reason
	}{
		{"nobody approves what she applied for", d.advanced, own, deed.OwnRequest},
		{"a developer does not approve", d.other, id, deed.NoRight},
		{"an agent does not approve", d.agent, id, deed.NoRight},
		{"nobody approves elsewhere", d.elsewhere, id, deed.AnotherOrganisation},
		{"a manager approves what an advanced agent applied for", d.manager, own, ""},
		{"an advanced agent approves what a developer applied for", d.advanced, id, ""},
		{"nobody approves twice", d.manager, id, onboarding.NotOpen},
	} {
		_, err := d.Decide(ctx, test.by, test.id, position.Approve, "Yes")
		if test.reason != "" {
			refused(t, test.name, err, test.reason)
		} else if err != nil {
			t.Errorf("%s = %v, want none", test.name, err)
		}
	}
	refused(t, "Withdraw(what was approved)", d.Withdraw(ctx, d.developer, id, "No"), onboarding.NotOpen)
	id = d.apply()
	refused(t, "Withdraw(what another applied for)", d.Withdraw(ctx, d.other, id, "No"), onboarding.NotApplicant)
	must(t, d.Withdraw(ctx, d.developer, id, "No longer needed"))
	_, err = d.Decide(ctx, d.manager, id, position.Approve, "Yes")
	refused(t, "Decide(what was withdrawn)", err, onboarding.NotOpen)
	refusal := d.apply()
	client, err := d.Decide(ctx, d.manager, refusal, position.Refuse, "Not needed")
	if err != nil || client != "" {
		t.Errorf("Decide(refuse) = %q, %v, want no client", client, err)
	}
	if _, err := d.Decide(ctx, d.manager, uuid.New(), position.Approve, "Yes"); !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("Decide(nothing) = %v, want ErrUnknown", err)
	}
}

// Live comes after the last check of integration has passed, and no sooner.
func TestLiveFollowsReadiness(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	failing := false
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if failing {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(service.Close)
	integration, _ := d.approved(app(service.URL + "/callback"))
	live := d.apply(app(service.URL+"/callback"), func(w *onboarding.Wanted) { w.Follows, w.Environment = integration, onboarding.Live })
	decide := func() error {
		_, err := d.Decide(ctx, d.manager, live, position.Approve, "Ready")
		return err
	}
	refused(t, "Decide(before any check)", decide(), onboarding.NotReady)
	failing = true
	must(t, d.Check(ctx, d.developer, integration))
	refused(t, "Decide(after a check that failed)", decide(), onboarding.NotReady)
	check, err := d.LastCheck(ctx, integration)
	must(t, err)
	if check == nil || check.Passed || !check.Ended || len(check.Findings) != 1 || !strings.Contains(check.Findings[0].Found, "500") || check.By != d.developer.Person {
		t.Errorf("LastCheck() = %+v, want that it failed", check)
	}
	failing = false
	refused(t, "Check(again at once)", d.Check(ctx, d.developer, integration), onboarding.TooSoon)
	d.wait(time.Minute)
	must(t, d.Check(ctx, d.manager, integration))
	must(t, decide())
	want := []string{"client_checked", "client_checked checked_just_now", "client_checked"}
	if diff := cmp.Diff(want, d.events("client_checked")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
	if begun := d.events("client_check_begun"); len(begun) != 2 {
		t.Errorf("the record of checks that began = %q, want both", begun)
	}
	refused(t, "Check(by an agent)", d.Check(ctx, d.agent, integration), deed.NoRight)
	refused(t, "Check(from elsewhere)", d.Check(ctx, d.elsewhere, integration), deed.AnotherOrganisation)
	gone := d.apply()
	must(t, d.Withdraw(ctx, d.developer, gone, "No"))
	refused(t, "Check(what was withdrawn)", d.Check(ctx, d.developer, gone), onboarding.NotOpen)
}

// A check that is cut off has written nothing that the record does not have.
func TestCheckIsCutOff(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ctx, cancel := context.WithCancel(t.Context())
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cancel() }))
	t.Cleanup(service.Close)
	id, _ := d.approved(app(service.URL + "/callback"))
	if err := d.Check(ctx, d.developer, id); !errors.Is(err, context.Canceled) {
		t.Errorf("Check(cut off) = %v, want that it was", err)
	}
	check, err := d.LastCheck(t.Context(), id)
	must(t, err)
	if check == nil || check.Ended {
		t.Errorf("LastCheck() = %+v, want one that has not ended", check)
	}
	if begun, ended := d.events("client_check_begun"), d.events("client_checked"); len(begun) != 1 || len(ended) != 0 {
		t.Errorf("the record of the check = %q and %q, want that it began", begun, ended)
	}
}

func TestRotate(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id, clientID := d.approved()
	first, err := d.Rotate(ctx, d.developer, id, 0, 7)
	must(t, err)
	if c, err := d.Store.Client(ctx, clientID); err != nil || c.OldSecretHash != nil {
		t.Errorf("the client with its first secret = %+v, %v, want no old one: nobody had it", c, err)
	}
	second, err := d.Rotate(ctx, d.other, id, 1, 7)
	must(t, err)
	c, err := d.Store.Client(ctx, clientID)
	must(t, err)
	if first == second || len(second) < 43 || c.OldSecretEndsAt == nil || !c.OldSecretEndsAt.Equal(now.AddDate(0, 0, 7)) {
		t.Errorf("the client with its second secret = %+v, want the first beside it for a week", c)
	}
	_, err = d.Rotate(ctx, d.developer, id, 1, 7)
	refused(t, "Rotate(from a page that was opened before)", err, onboarding.SecretSince)
	refused(t, "EndOldSecret(from a page that was opened before)", d.EndOldSecret(ctx, d.developer, id, 1), onboarding.SecretSince)
	must(t, d.EndOldSecret(ctx, d.developer, id, 2))
	refused(t, "EndOldSecret(again)", d.EndOldSecret(ctx, d.developer, id, 2), onboarding.NoSecret)
	if c, err := d.Store.Client(ctx, clientID); err != nil || c.OldSecretHash != nil {
		t.Errorf("the client after its old secret ended = %+v, %v, want none", c, err)
	}
	_, err = d.Rotate(ctx, d.developer, id, 2, 1)
	must(t, err)
	d.wait(24 * time.Hour)
	refused(t, "EndOldSecret(that ended by itself)", d.EndOldSecret(ctx, d.developer, id, 3), onboarding.NoSecret)
	for _, days := range []int{-1, 31} {
		if _, err := d.Rotate(ctx, d.developer, id, 3, days); err == nil {
			t.Errorf("Rotate(%d days) = nil, want a mistake", days)
		}
	}
	for _, by := range []struct {
		who    deed.Acting
		reason deed.Reason
	}{{d.agent, deed.NoRight}, {d.elsewhere, deed.AnotherOrganisation}} {
		_, err := d.Rotate(ctx, by.who, id, 3, 1)
		refused(t, "Rotate(by an officer without the right)", err, by.reason)
		refused(t, "EndOldSecret(by an officer without the right)", d.EndOldSecret(ctx, by.who, id, 3), by.reason)
	}
	_, err = d.Rotate(ctx, d.developer, d.apply(), 0, 0)
	refused(t, "Rotate(before it is approved)", err, onboarding.NotApproved)
	public, _ := d.approved(app("http://127.0.0.1/"))
	_, err = d.Rotate(ctx, d.developer, public, 0, 0)
	refused(t, "Rotate(of a public client)", err, onboarding.NoSecret)
	must(t, oauth.DisableClient(ctx, d.Store, clientID, "operator", d.clock()))
	_, err = d.Rotate(ctx, d.developer, id, 3, 0)
	refused(t, "Rotate(of a disabled client)", err, onboarding.NoSecret)
	want := []string{"client_secret_rotated", "client_secret_rotated", "client_secret_rotated secret_since", "client_secret_ended secret_since", "client_secret_ended", "client_secret_ended no_secret", "client_secret_rotated"}
	if got := d.events("client_secret_rotated", "client_secret_ended"); !slices.Equal(got[:len(want)], want) {
		t.Errorf("the record begins with %v, want %v", got[:len(want)], want)
	}
}

func TestRaces(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id := d.apply()
	won, reasons := race(t, func(i int) error {
		if i%3 == 0 {
			return d.Withdraw(ctx, d.developer, id, "No")
		}
		_, err := d.Decide(ctx, []deed.Acting{d.manager, d.advanced}[i%2], id, position.Approve, "Yes")
		return err
	})
	if won != 1 || !slices.Equal(reasons, []deed.Reason{onboarding.NotOpen}) {
		t.Errorf("decisions = %d, the others %v, want 1, [%s]", won, reasons, onboarding.NotOpen)
	}
	id, _ = d.approved()
	won, reasons = race(t, func(i int) error {
		_, err := d.Rotate(ctx, []deed.Acting{d.developer, d.other}[i%2], id, 0, 0)
		return err
	})
	if won != 1 || !slices.Equal(reasons, []deed.Reason{onboarding.SecretSince}) {
		t.Errorf("secrets = %d, the others %v, want 1, [%s]", won, reasons, onboarding.SecretSince)
	}
	id, _ = d.approved(app("http://127.0.0.1:1/"))
	won, _ = race(t, func(int) error { return d.Check(ctx, d.developer, id) })
	if won != 1 {
		t.Errorf("checks = %d, want 1 a minute", won)
	}
}

// The schema holds what the rules do, whoever would write to it.
func TestSchemaHolds(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.apply()
	approved, client := d.approved()
	for _, statement := range []string{
		`UPDATE client_application SET state = 'refused', decided_by = applied_by, decided_role = applied_role, decided_at = now(), decision_reason = 'x' WHERE id = '` + id.String() + `'`,
		`UPDATE client_application SET state = 'approved', decided_by = '` + d.manager.Person + `', decided_role = '` + d.manager.Role + `', decided_at = now(), decision_reason = 'x' WHERE id = '` + id.String() + `'`,
		`UPDATE client_application SET client_id = '` + client + `' WHERE id = '` + id.String() + `'`,
		`UPDATE client_application SET environment = 'live' WHERE id = '` + id.String() + `'`,
		`UPDATE client_application SET secrets = 1, secret_at = now() WHERE id = '` + id.String() + `'`,
		`UPDATE client_application SET state = 'withdrawn', decided_by = NULL, decided_role = NULL, client_id = NULL WHERE id = '` + approved.String() + `'`,
		`UPDATE client_application SET decision_reason = 'another' WHERE id = '` + approved.String() + `'`,
		`UPDATE client SET old_secret_hash = secret_hash, old_secret_ends_at = now() WHERE id = '` + client + `'`,
		`UPDATE client SET old_secret_hash = sha256('x') WHERE id = '` + client + `'`,
		`UPDATE client SET authentication = 'none', secret_hash = NULL, old_secret_hash = sha256('x'), old_secret_ends_at = now() WHERE id = '` + client + `'`,
	} {
		if err := d.exec(statement); err == nil {
			t.Errorf("%s = nil, want it refused", statement)
		}
	}
	if err := d.exec(`UPDATE client SET old_secret_hash = sha256('x'), old_secret_ends_at = now() WHERE id = $1`, client); err != nil {
		t.Errorf("an old secret beside another = %v, want none", err)
	}
}
