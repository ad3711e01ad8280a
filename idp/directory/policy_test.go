package directory_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

// elsewhere is the help of whoever has no nearer one.
func elsewhere() directory.Help {
	return directory.Help{Text: "Ask the provider.", Email: "provider@example.org"}
}

// tree is a database with a board, its hospital with a ward, and a surgery beside the hospital.
func tree(t *testing.T) (*store.Store, *directory.Policies) {
	t.Helper()
	s := storetest.New(t)
	for _, o := range []store.Organisation{
		{Code: "BOARD", Name: "Board"},
		{Code: "HOSPITAL", Name: "Hospital", ParentCode: new("BOARD")},
		{Code: "WARD", Name: "Ward", ParentCode: new("HOSPITAL")},
		{Code: "SURGERY", Name: "Surgery", ParentCode: new("BOARD")},
	} {
		if err := directory.AddOrganisation(t.Context(), s, o, operator, now); err != nil {
			t.Fatal(err)
		}
	}
	return s, directory.NewPolicies(elsewhere())
}

func permitted(*store.Tx, directory.Stated) error { return nil }

// say has an organisation say something of its own, in place of what it said.
func say(t *testing.T, s *store.Store, p *directory.Policies, organisation string, policy directory.Policy) {
	t.Helper()
	stated, err := p.Policy(t.Context(), s, organisation)
	if err != nil {
		t.Fatal(err)
	}
	c := directory.PolicyChange{Organisation: organisation, Policy: policy, Reason: "A test", Seen: stated.Version}
	if err := p.SetPolicy(t.Context(), s, c, audit.Entry{At: now, Actor: operator}, permitted); err != nil {
		t.Fatalf("SetPolicy(%s) = %v, want no error", organisation, err)
	}
}

// What an organisation leaves out is as at the nearest one above it that says something, but for an open door; what nobody says is
// the strictest. What is in memory and what is on record are one.
func TestPolicyIsInherited(t *testing.T) {
	t.Parallel()
	s, p := tree(t)
	strictest := directory.Policy{DeskLevel: assurance.AAL3, Help: elsewhere()}
	want := func(step string, least assurance.AuthenticatorLevel, policies map[string]directory.Policy) {
		t.Helper()
		if err := p.Load(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		for organisation, policy := range policies {
			if diff := cmp.Diff(policy, p.Of(organisation)); diff != "" {
				t.Errorf("%s: Of(%q) differs (-want +got):\n%s", step, organisation, diff)
			}
			if organisation == "" {
				continue
			}
			stated, err := p.Policy(t.Context(), s, organisation)
			if diff := cmp.Diff(policy, stated.Holds()); err != nil || diff != "" {
				t.Errorf("%s: Policy(%s).Holds() differs, %v (-want +got):\n%s", step, organisation, err, diff)
			}
		}
		if got := p.LeastDeskLevel(); got != least {
			t.Errorf("%s: LeastDeskLevel() = %v, want %v", step, got, least)
		}
	}
	want("nobody says anything", assurance.AAL3, map[string]directory.Policy{"": strictest, "BOARD": strictest, "WARD": strictest})

	say(t, s, p, "BOARD", directory.Policy{DeskLevel: assurance.AAL2, SecondChecker: true, SelfRegistration: true, Help: directory.Help{Text: "Ask the board.", Telephone: "0113 496 0000"}})
	board := directory.Policy{
		DeskLevel: assurance.AAL2, SecondChecker: true, SelfRegistration: true,
		Help: directory.Help{Text: "Ask the board.", Email: elsewhere().Email, Telephone: "0113 496 0000"},
	}
	below := board
	below.SelfRegistration = false
	want("the board says something", assurance.AAL2, map[string]directory.Policy{"": strictest, "BOARD": board, "HOSPITAL": below, "WARD": below, "SURGERY": below})

	say(t, s, p, "HOSPITAL", directory.Policy{DeskLevel: assurance.AAL3, Help: directory.Help{Email: "hospital@example.org"}})
	hospital := below
	hospital.DeskLevel, hospital.Help.Email = assurance.AAL3, "hospital@example.org"
	want("the hospital says otherwise", assurance.AAL2, map[string]directory.Policy{"BOARD": board, "HOSPITAL": hospital, "WARD": hospital, "SURGERY": below})

	say(t, s, p, "BOARD", directory.Policy{})
	hospital = directory.Policy{DeskLevel: assurance.AAL3, Help: directory.Help{Text: elsewhere().Text, Email: "hospital@example.org"}}
	want("the board says nothing any more", assurance.AAL3, map[string]directory.Policy{"BOARD": strictest, "HOSPITAL": hospital, "WARD": hospital, "SURGERY": strictest})
}

// Each setting is shown with the organisation whose word holds.
func TestPolicySaidBy(t *testing.T) {
	t.Parallel()
	s, p := tree(t)
	say(t, s, p, "BOARD", directory.Policy{DeskLevel: assurance.AAL2, SelfRegistration: true, Help: directory.Help{Text: "Ask the board."}})
	say(t, s, p, "HOSPITAL", directory.Policy{SecondChecker: true, Help: directory.Help{Text: "Ask the hospital."}})
	stated, err := p.Policy(t.Context(), s, "WARD")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for i, setting := range stated.Holds().Settings() {
		code, name := stated.SaidBy(i)
		got[setting.Name] = strings.Join([]string{setting.Value, code, name}, "|")
	}
	want := map[string]string{
		directory.DeskLevel: "2|BOARD|Board", directory.SecondChecker: "yes|HOSPITAL|Hospital", directory.SelfRegistration: "||",
		directory.HelpText: "Ask the hospital.|HOSPITAL|Hospital", directory.HelpEmail: "provider@example.org||", directory.HelpTelephone: "||",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who says what differs (-want +got):\n%s", diff)
	}
	if got := stated.Path(); !slices.Equal(got, []string{"WARD", "HOSPITAL", "BOARD"}) {
		t.Errorf("Path() = %v, want the ward, the hospital and the board", got)
	}
	if _, err := p.Policy(t.Context(), s, "NOWHERE"); !errors.Is(err, directory.ErrUnknown) {
		t.Errorf("Policy(of no organisation) = %v, want ErrUnknown", err)
	}
}

func TestPolicyRelaxes(t *testing.T) {
	t.Parallel()
	const aal2, aal3 = assurance.AAL2, assurance.AAL3
	level := func(l assurance.AuthenticatorLevel) directory.Policy { return directory.Policy{DeskLevel: l} }
	for _, tt := range []struct {
		name            string
		own, above, now directory.Policy
		want            bool
	}{
		{"level 3 in place of 2", level(aal2), level(aal3), level(aal3), false},
		{"level 3 where it holds", level(0), level(aal3), level(aal3), false},
		{"level 2 in place of 3", level(aal3), level(aal3), level(aal2), true},
		{"level 2 where 3 holds", level(0), level(aal3), level(aal2), true},
		{"level 2 where it holds, for good", level(0), level(aal2), level(aal2), true},
		{"level 2 as before", level(aal2), level(aal3), level(aal2), false},
		{"what is above in place of 3, where that is 2", level(aal3), level(aal2), level(0), true},
		{"what is above in place of 3, where that is 3", level(aal3), level(aal3), level(0), false},
		{"what is above in place of 2", level(aal2), level(aal3), level(0), false},
		{"a second checker", directory.Policy{}, level(aal3), directory.Policy{SecondChecker: true}, false},
		{"no second checker", directory.Policy{SecondChecker: true}, level(aal3), directory.Policy{}, true},
		{"no second checker where one above wants one", directory.Policy{SecondChecker: true}, directory.Policy{DeskLevel: aal3, SecondChecker: true}, directory.Policy{}, false},
		{"self-registration", directory.Policy{}, level(aal3), directory.Policy{SelfRegistration: true}, true},
		{"no self-registration", directory.Policy{SelfRegistration: true}, level(aal3), directory.Policy{}, false},
		{"another help", directory.Policy{Help: elsewhere()}, level(aal3), directory.Policy{Help: directory.Help{Text: "Ask."}}, false},
	} {
		if got := (directory.Stated{Own: tt.own, Above: tt.above}).Relaxes(tt.now); got != tt.want {
			t.Errorf("Relaxes(%s) = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSetPolicyRefuses(t *testing.T) {
	t.Parallel()
	s, p := tree(t)
	refusal := errors.New("not her")
	for _, tt := range []struct {
		name   string
		change func(*directory.PolicyChange)
		permit func(*store.Tx, directory.Stated) error
		want   string
	}{
		{"level 1", func(c *directory.PolicyChange) { c.Policy.DeskLevel = assurance.AAL1 }, permitted, "desk_level: want 2 or 3"},
		{"a level that there is not", func(c *directory.PolicyChange) { c.Policy.DeskLevel = -1 }, permitted, "desk_level: want"},
		{"an address with a header", func(c *directory.PolicyChange) { c.Policy.Help.Email = "help@example.org?bcc=eve@example.net" }, permitted, "help_email: want"},
		{"a number with a script", func(c *directory.PolicyChange) { c.Policy.Help.Telephone = "javascript:alert(1)" }, permitted, "help_telephone: want"},
		{"a long text", func(c *directory.PolicyChange) { c.Policy.Help.Text = strings.Repeat("x", 501) }, permitted, "help_text: want"},
		{"a text that runs the other way", func(c *directory.PolicyChange) { c.Policy.Help.Text = "Ask \u202eus" }, permitted, "help_text: want"},
		{"no reason", func(c *directory.PolicyChange) { c.Reason = "" }, permitted, "reason: want"},
		{"nothing to change", func(c *directory.PolicyChange) { c.Policy = directory.Policy{} }, permitted, "reason: want something to change"},
		{"no organisation", func(c *directory.PolicyChange) { c.Organisation = "NOWHERE" }, permitted, "is unknown"},
		{"another version", func(c *directory.PolicyChange) { c.Seen = 1 }, permitted, "was changed by somebody else since"},
		{"who may not", func(*directory.PolicyChange) {}, func(*store.Tx, directory.Stated) error { return refusal }, "not her"},
	} {
		c := directory.PolicyChange{Organisation: "HOSPITAL", Policy: directory.Policy{SecondChecker: true}, Reason: "A test"}
		tt.change(&c)
		err := p.SetPolicy(t.Context(), s, c, audit.Entry{At: now, Actor: operator}, tt.permit)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("SetPolicy(%s) = %v, want %q", tt.name, err, tt.want)
		}
	}
	if stated, err := p.Policy(t.Context(), s, "HOSPITAL"); err != nil || stated.Version != 0 {
		t.Errorf("version after what was refused = %d, %v, want 0", stated.Version, err)
	}
	say(t, s, p, "HOSPITAL", directory.Policy{SecondChecker: true}) // and the legitimate form
	events, err := s.AuditEvents(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	last := events[len(events)-1]
	want := map[string]string{"organisation": "HOSPITAL", "reason": "A test", "second_checker": "yes", "second_checker_before": ""}
	if diff := cmp.Diff(want, last.Detail); last.Event != string(audit.OrganisationPolicySet) || diff != "" {
		t.Errorf("the record says %s (-want +got):\n%s", last.Event, diff)
	}
}

// Of any number who change the same version at once one does, and the others are told.
func TestSetPolicyAtOnce(t *testing.T) {
	t.Parallel()
	s, p := tree(t)
	const officers = 8
	errs := make([]error, officers)
	var all sync.WaitGroup
	for i := range officers {
		all.Go(func() {
			c := directory.PolicyChange{Organisation: "WARD", Policy: directory.Policy{Help: directory.Help{Text: strings.Repeat("x", i+1)}}, Reason: "A test"}
			errs[i] = p.SetPolicy(t.Context(), s, c, audit.Entry{At: now, Actor: operator}, permitted)
		})
	}
	all.Wait()
	won := 0
	for _, err := range errs {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, directory.ErrChangedSince):
			t.Errorf("SetPolicy(at once) = %v, want ErrChangedSince", err)
		}
	}
	if stated, err := p.Policy(t.Context(), s, "WARD"); won != 1 || err != nil || stated.Version != 1 {
		t.Errorf("of %d who changed it at once %d did, version %d, %v, want one", officers, won, stated.Version, err)
	}
}

// Help is that of where somebody acts, else of where she could, else of where she belongs, else that of everybody.
func TestHelpFor(t *testing.T) {
	t.Parallel()
	s, p := tree(t)
	for _, organisation := range []string{"BOARD", "HOSPITAL", "SURGERY"} {
		say(t, s, p, organisation, directory.Policy{Help: directory.Help{Text: organisation}})
	}
	if err := p.Load(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	person := store.Person{Memberships: []store.Membership{{OrganisationCode: "BOARD"}}}
	withRoles := person
	withRoles.Roles = []store.Role{{OrganisationCode: "SURGERY"}, {OrganisationCode: "WARD"}}
	for _, tt := range []struct {
		person store.Person
		role   *store.Role
		want   string
	}{
		{withRoles, &withRoles.Roles[1], "HOSPITAL"},
		{withRoles, nil, "SURGERY"},
		{person, nil, "BOARD"},
		{store.Person{}, nil, elsewhere().Text},
	} {
		if got := p.HelpFor(tt.person, tt.role).Text; got != tt.want {
			t.Errorf("HelpFor(%d roles, acting in %v) = %q, want %q", len(tt.person.Roles), tt.role, got, tt.want)
		}
	}
}
