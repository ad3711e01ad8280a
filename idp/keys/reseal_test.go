package keys_test

import (
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/keys"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// lines are a seal key of two lines and its rotation: the old line, both, both in the other order, the new line.
func lines(tb testing.TB) (old, oldFirst, newFirst, alone seal.Key) {
	tb.Helper()
	_, one := seal.NewKey()
	_, two := seal.NewKey()
	var parsed [4]seal.Key
	for i, text := range []string{one, one + "\n" + two, two + "\n" + one, two} {
		var err error
		if parsed[i], err = seal.ParseKey(text); err != nil {
			tb.Fatal(err)
		}
	}
	return parsed[0], parsed[1], parsed[2], parsed[3]
}

// with is the installation as a process with another file of the seal key sees it.
func (in *installation) with(key seal.Key) *installation {
	other := *in
	other.key = key
	return &other
}

// reseal is what `credence keys reseal` does, as the owner of the tables.
func (in *installation) reseal(t *testing.T) (resealed, total int, err error) {
	t.Helper()
	s, err := store.Open(t.Context(), in.ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	return keys.New(s, in.key, in.clock.Now, slog.New(slog.DiscardHandler)).Reseal(t.Context(), "operator")
}

// The seal key rotates while replicas serve: at each step the replicas of the step before and of the step after verify
// each other's tokens, and a replica that starts at the wrong moment says so.
func TestSealKeyRotates(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	old, oldFirst, newFirst, alone := lines(t)
	agree := func(replicas ...*replica) {
		t.Helper()
		for _, signs := range replicas {
			for _, verifies := range replicas {
				if err := verifies.verify(t, signs.sign(t, keys.ES256, keys.IDToken), keys.IDToken); err != nil {
					t.Errorf("Verify(token of the replica of another step) = %v, want no error", err)
				}
			}
		}
	}
	refused := func(key seal.Key, when string) {
		t.Helper()
		err := in.with(key).replica(t).Load(t.Context())
		if !errors.Is(err, seal.ErrSeal) || !strings.Contains(err.Error(), "until `credence keys reseal` is done") {
			t.Errorf("Load(%s) = %v, want %v and the fix", when, err, seal.ErrSeal)
		}
	}
	first := in.with(old).started(t)
	token := first.sign(t, keys.RS256, keys.AccessToken)
	refused(alone, "with the new line alone, at once")
	second := in.with(oldFirst).started(t)
	agree(first, second)
	if got, total, err := in.with(oldFirst).reseal(t); err != nil || got != 0 || total != 2 {
		t.Errorf("Reseal(before the new line is the first) = %d of %d, %v, want 0 of 2", got, total, err)
	}
	third := in.with(newFirst).started(t)
	if _, err := third.Rotate(t.Context(), "operator"); err != nil { // a signing key that only the new line opens
		t.Fatal(err)
	}
	in.clock.advance(lead)
	agree(second, third)
	refused(old, "with the old line alone, when a signing key is under the new")
	refused(alone, "with the new line alone, before the old signing keys are sealed anew")

	if got, total, err := in.with(newFirst).reseal(t); err != nil || got != 2 || total != 4 {
		t.Fatalf("Reseal() = %d of %d, %v, want 2 of 4", got, total, err)
	}
	if got, total, err := in.with(newFirst).reseal(t); err != nil || got != 0 || total != 4 {
		t.Errorf("Reseal(again) = %d of %d, %v, want 0 of 4", got, total, err)
	}
	agree(second, third, in.with(newFirst).started(t), in.with(oldFirst).started(t)) // whoever has both lines needs no order
	fourth := in.with(alone).started(t)
	agree(second, third, fourth)
	if err := fourth.verify(t, token, keys.AccessToken); err != nil {
		t.Errorf("Verify(token from before the rotation) = %v, want no error", err)
	}
	refused(old, "with the old line alone, at the end")

	events, err := third.store.AuditEvents(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	actors := map[string]int{}
	for _, e := range events {
		if e.Event == "key_resealed" {
			actors[e.Actor+" "+e.Detail["alg"]]++
		}
	}
	if diff := cmp.Diff(map[string]int{"operator RS256": 1, "operator ES256": 1}, actors); diff != "" {
		t.Errorf("events of the reseal differ (-want +got):\n%s", diff)
	}
}

// Whoever cannot open every key, or is not the owner, changes none.
func TestResealRefuses(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	old, _, newFirst, alone := lines(t)
	r := in.with(old).started(t)
	before := r.rows(t, in.clock.Now())
	unchanged := func() {
		t.Helper()
		if diff := cmp.Diff(before, r.rows(t, in.clock.Now())); diff != "" {
			t.Errorf("keys differ (-before +after):\n%s", diff)
		}
	}
	if _, _, err := in.with(alone).reseal(t); !errors.Is(err, seal.ErrSeal) || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("Reseal(without the old line) = %v, want %v", err, seal.ErrSeal)
	}
	unchanged()
	if _, _, err := in.with(newFirst).replica(t).Reseal(t.Context(), "service"); err == nil || !strings.Contains(err.Error(), "permission denied") {
		t.Errorf("Reseal(as the service) = %v, want that it is not permitted", err)
	}
	unchanged()
	if got, _, err := in.with(newFirst).reseal(t); err != nil || got != 2 {
		t.Errorf("Reseal(as the owner, with both lines) = %d, %v, want 2", got, err)
	}
}

// Servers that rotate signing keys while the operator seals them anew, twice at once, leave nothing under the old line.
func TestResealBesideRotations(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	old, _, newFirst, alone := lines(t)
	in.with(old).started(t)
	one, two := in.with(newFirst).started(t), in.with(newFirst).started(t)
	var wg sync.WaitGroup
	for _, r := range []*replica{one, two} {
		wg.Go(func() {
			for range 5 {
				if _, err := r.Rotate(t.Context(), "operator"); err != nil {
					t.Errorf("Rotate(beside a reseal) = %v, want no error", err)
				}
			}
		})
	}
	for range 2 {
		wg.Go(func() {
			if _, _, err := in.with(newFirst).reseal(t); err != nil {
				t.Errorf("Reseal(beside rotations) = %v, want no error", err)
			}
		})
	}
	wg.Wait()
	last := in.with(alone).started(t)
	for _, r := range []*replica{one, two} {
		if err := last.verify(t, r.sign(t, keys.ES256, keys.IDToken), keys.IDToken); err != nil {
			t.Errorf("Verify(token of a replica) = %v, want no error", err)
		}
	}
}
