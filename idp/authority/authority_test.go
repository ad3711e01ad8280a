package authority

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func newRules(tb testing.TB) *Rules {
	tb.Helper()
	r, err := New()
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// matrix is the table of what officers of the Care Identity Service may do, with our rows after its own, once more: in the
// order of Actors, y for Full, r for Request, a for Assignable.
func matrix() map[Act]string {
	return map[Act]string{
		CreatePerson:            "yyyy----y",
		CorrectPerson:           "yyyyr---y",
		ClosePerson:             "yyy-r---y",
		ReopenPerson:            "yyy-r---y",
		MergePeople:             "yy-------",
		IssueAuthenticator:      "yyy-----y",
		UnlockAuthenticator:     "yyy-yy--y",
		RenewExpiredCertificate: "yyy-----y",
		AssignPosition:          "yyy-a---y",
		ManagePositions:         "yy-------",

		FindPerson:         "yyyyyy--y",
		RecordEvidence:     "yyyy----y",
		RequestPosition:    "yyy-y---y",
		ApprovePosition:    "yy-------",
		DecideRequest:      "yyy-----y",
		TakeUpIntroduction: "yyyy----y",
		ReadAudit:          "------y--",
		ReadRetention:      "y-----y--",
		ReviewAccess:       "yy-------",
		ReviewBreakGlass:   "y-----y--",
		ApplyClient:        "yy-----y-",
		ApproveClient:      "yy-------",
		SetPolicy:          "y--------",
		RelaxPolicy:        "y--------", // below her organisation, as all of these are tried
	}
}

const (
	officerID = "100000000001"
	another   = "100000000002"
	board     = "ZX000"
	hospital  = "ZX100" // of the board
	ward      = "ZX110" // of the hospital
	surgery   = "ZX200" // of the board
)

// officer is one at the hospital.
func officer(actors ...Actor) Officer {
	return Officer{PersonID: officerID, Role: "300000000001", Organisation: hospital, Actors: actors}
}

func ofAnotherAt(path ...string) Subject { return Subject{PersonID: another, Path: path} }

func making(actors ...Actor) Subject {
	return Subject{PersonID: another, Path: []string{hospital}, Makes: actors}
}

func TestMayIsTheMatrix(t *testing.T) {
	t.Parallel()
	r, cells := newRules(t), 0
	grants := map[byte]Grant{'y': Full, 'r': Request, 'a': Assignable, '-': None}
	for act, row := range matrix() {
		for i, actor := range Actors() {
			want := Decision{Grant: grants[row[i]]}
			if want.Grant == None {
				want.Refusal = NoRight
			}
			if got := r.May(officer(actor), act, ofAnotherAt(ward, hospital, board)); got != want {
				t.Errorf("May(%s, %s) = %+v, want %+v", actor, act, got, want)
			}
			cells++
		}
	}
	if want := len(Acts()) * len(Actors()); cells != want {
		t.Errorf("cells tried = %d, want %d: each act and each actor", cells, want)
	}
}

// The order is RA manager, advanced agent, agent, then sponsor and identity checker, then local smartcard administrator.
// An identity checker may unlock nothing, as the published table has it, so only the sponsor is above the administrator.
func TestWhoIsHigherNeverMayLess(t *testing.T) {
	t.Parallel()
	r := newRules(t)
	for _, pair := range [][2]Actor{
		{RAManager, RAAgentAdvanced},
		{RAAgentAdvanced, RAAgent},
		{RAAgent, IDChecker},
		{RAAgent, Sponsor},
		{Sponsor, LocalSmartcardAdministrator},
	} {
		for _, act := range Acts() {
			higher, lower := r.May(officer(pair[0]), act, ofAnotherAt(hospital)), r.May(officer(pair[1]), act, ofAnotherAt(hospital))
			if lower.Grant.exceeds(higher.Grant) {
				t.Errorf("May(%s, %s) = %q and May(%s) = %q, want no less", pair[0], act, higher.Grant, pair[1], lower.Grant)
			}
		}
	}
}

// Whatever sets of officers somebody is: more of them never take a right away, and give none that none of them has.
func TestMayWhatAnyOfThemMay(t *testing.T) {
	t.Parallel()
	r := newRules(t)
	for set := range 1 << len(Actors()) {
		var actors []Actor
		for i, a := range Actors() {
			if set&(1<<i) != 0 {
				actors = append(actors, a)
			}
		}
		for _, act := range Acts() {
			want := None
			for _, a := range actors {
				if g := r.May(officer(a), act, ofAnotherAt(hospital)).Grant; g.exceeds(want) {
					want = g
				}
			}
			if got := r.May(officer(actors...), act, ofAnotherAt(hospital)); got.Grant != want || (got.Refusal == "") != (want != None) {
				t.Errorf("May(%q, %s) = %+v, want %q", actors, act, got, want)
			}
		}
	}
}

func TestMayRefuses(t *testing.T) {
	t.Parallel()
	r := newRules(t)
	homeless := officer(RAManager)
	homeless.Organisation = ""
	for _, test := range []struct {
		name    string
		officer Officer
		act     Act
		subject Subject
		want    Decision
	}{
		{"an officer acts at her organisation", officer(RAAgent), AssignPosition, ofAnotherAt(hospital, board), Decision{Grant: Full}},
		{"an officer acts below her organisation", officer(RAAgent), AssignPosition, ofAnotherAt(ward, hospital, board), Decision{Grant: Full}},
		{"nobody acts above her organisation", officer(RAAgent), AssignPosition, ofAnotherAt(board), Decision{Refusal: AnotherOrganisation}},
		{"an agent makes agents", officer(RAAgent), AssignPosition, making(RAAgent, IDChecker, Sponsor), Decision{Grant: Full}},
		{"an agent makes nobody an officer above her", officer(RAAgent), AssignPosition, making(Sponsor, RAAgentAdvanced), Decision{Refusal: AboveOwn}},
		{"nor decides that somebody is", officer(RAAgent), DecideRequest, making(RAManager), Decision{Refusal: AboveOwn}},
		{"nor by a position", officer(RAAgentAdvanced, PrivacyOfficer), ApprovePosition, making(RAManager), Decision{Refusal: AboveOwn}},
		{"a sponsor makes sponsors", officer(Sponsor), AssignPosition, making(Sponsor), Decision{Grant: Assignable}},
		{"a sponsor makes no checker of identities", officer(Sponsor), AssignPosition, making(IDChecker), Decision{Refusal: AboveOwn}},
		{"a manager makes managers and privacy officers", officer(RAManager), DecideRequest, making(RAManager, PrivacyOfficer), Decision{Grant: Full}},
		{"an agent makes developers", officer(RAAgent), AssignPosition, making(Developer), Decision{Grant: Full}},
		{"a developer applies for a client at her organisation", officer(Developer), ApplyClient, Subject{Path: []string{hospital}}, Decision{Grant: Full}},
		{"nor elsewhere", officer(Developer), ApplyClient, Subject{Path: []string{surgery, board}}, Decision{Refusal: AnotherOrganisation}},
		{"nor approves one", officer(Developer), ApproveClient, Subject{Path: []string{hospital}}, Decision{Refusal: NoRight}},
		{"a break-glass officer gives a position", officer(BreakGlassOfficer), AssignPosition, making(), Decision{Grant: Full}},
		{"and makes nobody an officer", officer(BreakGlassOfficer), AssignPosition, making(Developer), Decision{Refusal: AboveOwn}},
		{"not even one like herself", officer(BreakGlassOfficer), AssignPosition, making(BreakGlassOfficer), Decision{Refusal: AboveOwn}},
		{"nor does an agent make one", officer(RAAgent), AssignPosition, making(BreakGlassOfficer), Decision{Refusal: AboveOwn}},
		{"a manager is above one", officer(RAManager), IssueAuthenticator, making(BreakGlassOfficer), Decision{Grant: Full}},
		{"nobody else makes privacy officers", officer(RAAgentAdvanced), AssignPosition, making(PrivacyOfficer), Decision{Refusal: AboveOwn}},
		{"nobody acts beside her organisation", officer(RAAgent), AssignPosition, ofAnotherAt(surgery, board), Decision{Refusal: AnotherOrganisation}},
		{"nobody assigns where no organisation is named", officer(RAAgent), AssignPosition, ofAnotherAt(), Decision{Refusal: AnotherOrganisation}},
		{"an officer of no organisation acts nowhere", homeless, AssignPosition, ofAnotherAt(hospital, ""), Decision{Refusal: AnotherOrganisation}},
		{"the highest officer of another organisation is as little", officer(RAManager), ManagePositions, Subject{Path: []string{surgery, board}}, Decision{Refusal: AnotherOrganisation}},

		{"a manager makes what is below her organisation less strict", officer(RAManager), RelaxPolicy, Subject{Path: []string{ward, hospital, board}}, Decision{Grant: Full}},
		{"and not her own", officer(RAManager), RelaxPolicy, Subject{Path: []string{hospital, board}}, Decision{Refusal: OwnOrganisation}},
		{"nor what is above it", officer(RAManager), RelaxPolicy, Subject{Path: []string{board}}, Decision{Refusal: AnotherOrganisation}},
		{"nor what is nowhere", officer(RAManager), RelaxPolicy, Subject{}, Decision{Refusal: AnotherOrganisation}},
		{"she makes her own stricter", officer(RAManager), SetPolicy, Subject{Path: []string{hospital, board}}, Decision{Grant: Full}},
		{"and no agent does either", officer(RAAgentAdvanced), RelaxPolicy, Subject{Path: []string{hospital, board}}, Decision{Refusal: NoRight}},
		{"a person who is at no organisation is everybody's", officer(RAAgent), IssueAuthenticator, ofAnotherAt(), Decision{Grant: Full}},
		{"of the organisations of a person one is enough", officer(RAAgent), IssueAuthenticator, ofAnotherAt(surgery, board, hospital), Decision{Grant: Full}},
		{"a person of other organisations is theirs", officer(RAAgent), IssueAuthenticator, ofAnotherAt(surgery, board), Decision{Refusal: AnotherOrganisation}},
		{"a person is found wherever she works", officer(LocalSmartcardAdministrator), FindPerson, ofAnotherAt(surgery, board), Decision{Grant: Full}},
		{"a person is recorded who is at no organisation yet", officer(IDChecker), CreatePerson, Subject{}, Decision{Grant: Full}},

		{"nobody corrects her own record", officer(RAManager), CorrectPerson, Subject{PersonID: officerID, Path: []string{hospital}}, Decision{Refusal: OwnPerson}},
		{"nobody asks for what only others may correct of her", officer(Sponsor), CorrectPerson, Subject{PersonID: officerID, Path: []string{hospital}}, Decision{Refusal: OwnPerson}},
		{"a sponsor asks to correct another's record", officer(Sponsor), CorrectPerson, ofAnotherAt(hospital), Decision{Grant: Request}},
		{"nobody changes a position that she holds", officer(RAManager), ManagePositions, Subject{PersonID: officerID, Path: []string{hospital}}, Decision{Refusal: OwnPerson}},
		{"a position that she does not hold is nobody's", officer(RAManager), ManagePositions, Subject{Path: []string{hospital}}, Decision{Grant: Full}},
		{"who has no id is not nobody", Officer{Organisation: hospital, Actors: []Actor{RAManager}}, ManagePositions, Subject{Path: []string{hospital}}, Decision{Grant: Full}},
		{"an officer finds herself", officer(RAAgent), FindPerson, Subject{PersonID: officerID, Path: []string{hospital}}, Decision{Grant: Full}},
		{"a privacy officer reads about herself", officer(PrivacyOfficer), ReadAudit, Subject{PersonID: officerID, Path: []string{hospital}}, Decision{Grant: Full}},
		{"a privacy officer does not read what is of no organisation", officer(PrivacyOfficer), ReadAudit, Subject{}, Decision{Refusal: AnotherOrganisation}},

		{"who is no officer may nothing", officer(), FindPerson, Subject{}, Decision{Refusal: NoRight}},
		{"an unknown officer may nothing", officer("root"), FindPerson, Subject{}, Decision{Refusal: NoRight}},
		{"nobody may what is unknown", officer(Actors()...), "delete_everything", ofAnotherAt(hospital), Decision{Refusal: NoRight}},
		{"who may not is told nothing else", officer(IDChecker), AssignPosition, Subject{PersonID: officerID, Path: []string{surgery}}, Decision{Refusal: NoRight}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := r.May(test.officer, test.act, test.subject); got != test.want {
				t.Errorf("May(%+v, %s, %+v) = %+v, want %+v", test.officer, test.act, test.subject, got, test.want)
			}
		})
	}
}

// No act is a request for one officer and assignable for another, so the matrix alone does not tell which is more.
func TestGrantsExceedEachOther(t *testing.T) {
	t.Parallel()
	order := []Grant{None, Request, Assignable, Full}
	for i, g := range order {
		for j, other := range order {
			if got := g.exceeds(other); got != (i > j) {
				t.Errorf("%q exceeds %q = %v, want %v", g, other, got, i > j)
			}
		}
	}
}

// Whoever she is, an officer does nothing about herself but read.
func TestNobodyWidensOrProvesHerself(t *testing.T) {
	t.Parallel()
	r := newRules(t)
	for _, act := range Acts() {
		own := r.May(officer(Actors()...), act, Subject{PersonID: officerID, Path: []string{ward, hospital}})
		if reads := act == FindPerson || act == ReadAudit; (own == Decision{Grant: Full}) != reads {
			t.Errorf("May(%s, about herself) = %+v, want %v", act, own, reads)
		}
		if others := r.May(officer(Actors()...), act, ofAnotherAt(ward, hospital)); others != (Decision{Grant: Full}) {
			t.Errorf("May(%s, about another) = %+v, want full", act, others)
		}
	}
}

func TestFourEyes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name                    string
		asker, decider, subject string
		want                    Refusal
	}{
		{"another decides about a third", "a", "b", "c", ""},
		{"another decides about nobody", "a", "b", "", ""},
		{"the asker does not decide", "a", "a", "c", OwnRequest},
		{"the asker does not decide about nobody", "a", "a", "", OwnRequest},
		{"nobody decides about herself", "a", "b", "b", OwnPerson},
		{"nobody asks about herself", "a", "b", "a", OwnPerson},
		{"nobody does both about herself", "a", "a", "a", OwnPerson},
		{"who is not named is not two people", "", "", "", OwnRequest},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := FourEyes(test.asker, test.decider, test.subject); got != test.want {
				t.Errorf("FourEyes(%q, %q, %q) = %q, want %q", test.asker, test.decider, test.subject, got, test.want)
			}
		})
	}
}

func TestActorsOf(t *testing.T) {
	t.Parallel()
	r := newRules(t)
	for _, test := range []struct {
		name       string
		jobRole    string
		activities []string
		want       []Actor
	}{
		{"a registration authority manager", "S0080:G0450:R5080", []string{"B0015"}, []Actor{RAManager}},
		{"a registration authority agent", "S0080:G0450:R5090", nil, []Actor{RAAgent}},
		{"an advanced agent, by an activity beside the job role", "S0080:G0450:R5090", []string{"B9001"}, []Actor{RAAgentAdvanced, RAAgent}},
		{"a nurse who checks identities and is a sponsor", "S8000:G8000:R8001", []string{"B1300", "B0420", "B0267"}, []Actor{IDChecker, Sponsor}},
		{"a local smartcard administrator", "S8001:G8002:R8008", []string{"B9002"}, []Actor{LocalSmartcardAdministrator}},
		{"a privacy officer", "S8002:G8003:R0001", nil, []Actor{PrivacyOfficer}},
		{"the R part alone", "R5080", nil, []Actor{RAManager}},
		{"a code twice", "R8001", []string{"B1300", "B1300"}, []Actor{Sponsor}},
		{"a nurse is no officer", "S8000:G8000:R8001", []string{"B0420"}, []Actor{}},
		{"the other parts of a job role count for nothing", "R5080:R5090:R8001", nil, []Actor{}},
		{"a code in other letters", "S0080:G0450:r5080", []string{"b1300", " B1300"}, []Actor{}},
		{"nothing", "", nil, []Actor{}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(test.want, r.ActorsOf(test.jobRole, test.activities)); diff != "" {
				t.Errorf("ActorsOf(%q, %q) (-want +got):\n%s", test.jobRole, test.activities, diff)
			}
		})
	}
}

// Every officer is made by some code, and every act may be done by somebody.
func TestRulesLeaveNothingOut(t *testing.T) {
	t.Parallel()
	r := newRules(t)
	for _, actor := range Actors() {
		made := false
		for _, a := range r.officers {
			made = made || a == actor
		}
		if !made {
			t.Errorf("officers.csv has no code that makes a %s", actor)
		}
	}
	for _, act := range Acts() {
		if r.May(officer(Actors()...), act, ofAnotherAt(ward, hospital)).Grant != Full {
			t.Errorf("rights.csv lets nobody %s", act)
		}
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	r := newRules(t)
	manager, privacy := Held{JobRole: "S0080:G0450:R5080"}, Held{JobRole: "S8002:G8003:R0001"}
	sponsor := Held{JobRole: "S8000:G8000:R8001", Activities: []string{"B0420", "B1300"}}
	for _, test := range []struct {
		name string
		held []Held
		want []string
	}{
		{"in two roles", []Held{privacy, manager}, []string{"R0001 R5080"}},
		{"the other way round", []Held{manager, privacy}, []string{"R0001 R5080"}},
		{"in one role", []Held{{JobRole: privacy.JobRole, Activities: []string{"B1300"}}}, []string{"R0001 B1300"}},
		{"several", []Held{sponsor, manager, privacy}, []string{"R0001 R5080", "R0001 B1300"}},
		{"none", []Held{sponsor, manager}, nil},
		{"one of a pair, twice", []Held{privacy, privacy}, nil},
		{"no role", nil, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, c := range r.Conflicts(test.held) {
				got = append(got, c.One+" "+c.Other)
				if !strings.HasPrefix(c.Reason, "who reads the record") {
					t.Errorf("reason of %s and %s = %q, want the one of the table", c.One, c.Other, c.Reason)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("Conflicts(%+v) (-want +got):\n%s", test.held, diff)
			}
		})
	}
}

// The privacy officer reads what every other officer did, so she is none of them.
func TestPrivacyOfficerStandsAlone(t *testing.T) {
	t.Parallel()
	r := newRules(t)
	for code, actor := range r.officers {
		apart := slices.ContainsFunc(r.separated, func(c Conflict) bool { return c.One == "R0001" && c.Other == code })
		if apart != (actor != PrivacyOfficer) {
			t.Errorf("separation.csv keeps R0001 apart from %s (%s) = %v", code, actor, apart)
		}
	}
}

// A decision is made with each request, often for every line of a list.
func TestMayAllocatesNothing(t *testing.T) {
	r := newRules(t)
	o, s := officer(IDChecker, Sponsor), ofAnotherAt(ward, hospital, board)
	if n := testing.AllocsPerRun(100, func() { r.May(o, AssignPosition, s) }); n != 0 {
		t.Errorf("allocations of May = %v, want 0", n)
	}
}

func BenchmarkMay(b *testing.B) {
	r := newRules(b)
	o, s := officer(IDChecker, Sponsor), ofAnotherAt(ward, hospital, board)
	b.ReportAllocs()
	for b.Loop() {
		r.May(o, AssignPosition, s)
	}
}
