package registration_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/store"
)

func newPerson(t *testing.T, s *store.Store) string {
	t.Helper()
	id, err := directory.AddPerson(t.Context(), s, directory.NewPerson{GivenName: "Ana", FamilyName: "Example"}, "operator", now)
	must(t, err)
	return id
}

// in takes an active authenticator to a state.
func in(t *testing.T, s *store.Store, id uuid.UUID, state registration.State) {
	t.Helper()
	if state != registration.Active {
		_, err := s.ChangeAuthenticator(t.Context(), id, "active", string(state), now)
		must(t, err)
	}
}

func stateOf(t *testing.T, s *store.Store, person string, id uuid.UUID) registration.State {
	t.Helper()
	list, err := s.Authenticators(t.Context(), person, true)
	must(t, err)
	i := slices.IndexFunc(list, func(a store.Authenticator) bool { return a.ID == id })
	return registration.State(list[i].State)
}

func last(t *testing.T, s *store.Store) store.AuditEvent {
	t.Helper()
	events, err := s.AuditEvents(t.Context(), 0, 1000)
	must(t, err)
	return events[len(events)-1]
}

// Every state and every act: which state follows, or that it is refused and nothing changes. "-" is refused.
func TestChangesOfAuthenticators(t *testing.T) {
	t.Parallel()
	acts := []registration.Act{registration.Suspend, registration.Resume, registration.ReportLoss, registration.Find, registration.Return, registration.Revoke}
	if diff := cmp.Diff(acts, registration.Acts()); diff != "" {
		t.Errorf("acts (-want +got):\n%s", diff)
	}
	table := map[registration.State]string{
		registration.Issued:    "- - lost - returned revoked",
		registration.Active:    "suspended - lost - returned revoked",
		registration.Suspended: "- active lost - returned revoked",
		registration.Lost:      "- - - active returned revoked",
		registration.Returned:  "- - - - - revoked",
		registration.Revoked:   "- - - - - -",
	}
	s, _ := newBoard(t)
	person := newPerson(t, s)
	by := audit.Entry{At: now, Actor: "operator:sam", Detail: map[string]string{"officer": "100000000001"}}
	for from, wanted := range table {
		possible := []registration.Act{}
		for i, want := range strings.Fields(wanted) {
			id, act := enrol(t, s, person), acts[i]
			in(t, s, id, from)
			err := registration.ChangeAuthenticator(t.Context(), s, registration.Change{Authenticator: id, Act: act, Reason: "Seen"}, by)
			got, e := stateOf(t, s, person, id), last(t, s)
			if want == "-" {
				found, ok := errors.AsType[*registration.StateError](err)
				if !ok || found.State != from || found.Act != act || got != from || e.Refusal != "authenticator_"+string(from) || e.Detail["authenticator"] != id.String() {
					t.Errorf("%s of %s = %v, %s, record %s %v, want it refused", act, from, err, got, e.Refusal, e.Detail)
				}
				continue
			}
			possible = append(possible, act)
			detail := map[string]string{
				"authenticator": id.String(), "kind": "passkey", "from": string(from), "to": want, "reason": "Seen", "officer": "100000000001",
			}
			if diff := cmp.Diff(detail, e.Detail); err != nil || string(got) != want || e.Refusal != "" || e.PersonID != person || e.Actor != "operator:sam" || diff != "" {
				t.Errorf("%s of %s = %v, %s, want %s; record %+v (-want +got):\n%s", act, from, err, got, want, e, diff)
			}
			if act.Revives() != (want == "active") {
				t.Errorf("%s revives: %t, and it leads to %s", act, act.Revives(), want)
			}
		}
		if diff := cmp.Diff(possible, from.Acts()); diff != "" {
			t.Errorf("%s.Acts() (-want +got):\n%s", from, diff)
		}
	}
}

// Whoever may unlock stops an authenticator; that it works again, or never again, is for whoever issues them.
func TestRightsToChangeAuthenticators(t *testing.T) {
	t.Parallel()
	for _, act := range registration.Acts() {
		want := authority.IssueAuthenticator
		if act == registration.Suspend || act == registration.ReportLoss {
			want = authority.UnlockAuthenticator
		}
		if got := act.Right(); got != want {
			t.Errorf("%s takes %s, want %s", act, got, want)
		}
	}
}

// What somebody does to an authenticator as hers is done to hers alone.
func TestAPersonReportsHerLoss(t *testing.T) {
	t.Parallel()
	s, _ := newBoard(t)
	ctx, hers, other := t.Context(), newPerson(t, s), newPerson(t, s)
	report := func(id uuid.UUID) error {
		change := registration.Change{Authenticator: id, Person: hers, Act: registration.ReportLoss}
		return registration.ChangeAuthenticator(ctx, s, change, audit.Entry{At: now, Actor: hers})
	}
	key := enrol(t, s, hers)
	for what, id := range map[string]uuid.UUID{"somebody else's": enrol(t, s, other), "nobody's": uuid.New()} {
		if err := report(id); !errors.Is(err, directory.ErrUnknown) {
			t.Errorf("report of the loss of %s = %v, want %v", what, err, directory.ErrUnknown)
		}
	}
	must(t, report(key))
	if e := last(t, s); stateOf(t, s, hers, key) != registration.Lost || e.Event != "authenticator_lost" || e.Actor != hers || e.PersonID != hers {
		t.Errorf("the reported one = %s, record %+v, want it lost, by herself", stateOf(t, s, hers, key), e)
	}
	if _, ok := errors.AsType[*registration.StateError](report(key)); !ok {
		t.Error("a second report is no *StateError")
	}
}

func TestChangeAuthenticatorIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := newBoard(t)
	ctx, person := t.Context(), newPerson(t, s)
	by := audit.Entry{At: now, Actor: "operator"}
	secret := func() uuid.UUID {
		t.Helper()
		id := uuid.New()
		must(t, s.AddSecret(ctx, store.Secret{ID: id, PersonID: person, Name: "Password", Kind: "password", Sealed: []byte{1}, CreatedAt: now}))
		return id
	}
	old := secret()
	change := registration.Change{Authenticator: old, Act: registration.Suspend, Reason: strings.Repeat("x", 501)}
	if err := registration.ChangeAuthenticator(ctx, s, change, by); err == nil || stateOf(t, s, person, old) != registration.Active {
		t.Errorf("ChangeAuthenticator(with a long reason) = %v, want it refused", err)
	}
	change.Reason = strings.Repeat("x", 500)
	must(t, registration.ChangeAuthenticator(ctx, s, change, by))
	other := secret()
	change.Act, change.Reason = registration.Resume, ""
	if err := registration.ChangeAuthenticator(ctx, s, change, by); !errors.Is(err, registration.ErrAnotherPassword) || last(t, s).Refusal != "another_password" {
		t.Errorf("ChangeAuthenticator(resume a password beside another) = %v, want %v", err, registration.ErrAnotherPassword)
	}
	must(t, registration.ChangeAuthenticator(ctx, s, registration.Change{Authenticator: other, Act: registration.Revoke}, by))
	must(t, registration.ChangeAuthenticator(ctx, s, change, by))
}

// Of many who do the same, or something else, at once to one authenticator, each state is left by one.
func TestRaceOfChanges(t *testing.T) {
	t.Parallel()
	s, _ := newBoard(t)
	person := newPerson(t, s)
	for _, acts := range [][]registration.Act{{registration.Suspend}, {registration.Revoke}, {registration.Suspend, registration.Resume}} {
		id := enrol(t, s, person)
		start := make(chan struct{})
		var wg sync.WaitGroup
		var won [2]atomic.Int32
		for i := range 32 {
			wg.Go(func() {
				<-start
				err := registration.ChangeAuthenticator(t.Context(), s, registration.Change{Authenticator: id, Act: acts[i%len(acts)]}, audit.Entry{At: now, Actor: fmt.Sprint("operator:", i)})
				if _, refused := errors.AsType[*registration.StateError](err); err != nil && !refused {
					t.Error(err)
				} else if err == nil {
					won[i%len(acts)].Add(1)
				}
			})
		}
		close(start)
		wg.Wait()
		suspended := stateOf(t, s, person, id) != registration.Active
		if first, second := won[0].Load(), won[1].Load(); first-second != map[bool]int32{true: 1}[suspended] || len(acts) == 1 && first != 1 {
			t.Errorf("%v at once: done %d and %d times, and it is %s", acts, first, second, stateOf(t, s, person, id))
		}
	}
}

// With the last authenticator that an officer revokes go the recovery codes, however many are revoked at once; she who removes her own keeps
// hers, and so does who has something left.
func TestRecoveryCodesGoWithTheLastAuthenticator(t *testing.T) {
	t.Parallel()
	s, _ := newBoard(t)
	for _, test := range []struct {
		name    string
		by      string // "" is the person
		act     registration.Act
		has     []registration.State
		left    registration.State // of one more that is not touched; "" is none
		dropped bool
	}{
		{"by an officer", "100000000001", registration.Revoke, []registration.State{registration.Active}, "", true},
		{"both at once", "100000000001", registration.Revoke, []registration.State{registration.Active, registration.Active}, "", true},
		{"of those that are lost", "100000000001", registration.Revoke, []registration.State{registration.Lost, registration.Suspended}, registration.Returned, true},
		{"by an officer, and something is left", "100000000001", registration.Revoke, []registration.State{registration.Active}, registration.Suspended, false},
		{"by herself", "", registration.Revoke, []registration.State{registration.Active}, "", false},
		{"reported lost by an officer", "100000000001", registration.ReportLoss, []registration.State{registration.Active}, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			person := newPerson(t, s)
			must(t, s.InTx(t.Context(), func(tx *store.Tx) error {
				return tx.ReplaceRecoveryCodes(t.Context(), person, [][]byte{[]byte(strings.Repeat(person, 3)[:32])}, now)
			}))
			if test.left != "" {
				in(t, s, enrol(t, s, person), test.left)
			}
			by := audit.Entry{At: now, Actor: test.by}
			if test.by == "" {
				by.Actor = person
			}
			var all sync.WaitGroup
			for _, state := range test.has {
				id := enrol(t, s, person)
				in(t, s, id, state)
				all.Go(func() {
					change := registration.Change{Authenticator: id, Person: person, Act: test.act, Reason: "Seen"}
					if err := registration.ChangeAuthenticator(t.Context(), s, change, by); err != nil {
						t.Errorf("ChangeAuthenticator() = %v", err)
					}
				})
			}
			all.Wait()
			codes, err := s.RecoveryCodes(t.Context(), person)
			must(t, err)
			if (codes.Left == 0) != test.dropped {
				t.Errorf("recovery codes left = %d, want them dropped: %t", codes.Left, test.dropped)
			}
			events, err := s.AuditEvents(t.Context(), 0, 1000)
			must(t, err)
			recorded := slices.ContainsFunc(events, func(e store.AuditEvent) bool {
				return e.Event == "recovery_codes_dropped" && e.PersonID == person && e.Actor == test.by && e.Detail["why"] == "authenticators revoked"
			})
			if recorded != test.dropped {
				t.Errorf("that codes were dropped is on record: %t, want %t", recorded, test.dropped)
			}
		})
	}
}
