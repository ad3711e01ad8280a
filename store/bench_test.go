package store_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

// BenchmarkSession reads a live session with all that it stands on, as every request of somebody who is signed in does.
func BenchmarkSession(b *testing.B) {
	s, ctx := storetest.New(b), b.Context()
	check := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	check(s.AddOrganisation(ctx, store.Organisation{Code: organisation, Name: "Riverside"}, now))
	check(s.AddPerson(ctx, newPerson(ben), now))
	check(second(s.EnsureMembership(ctx, benMembership, ben, organisation, now)))
	check(s.AddRole(ctx, newRole(benRole, benMembership), now))
	check(s.AddClient(ctx, newClient(ward)))
	check(second(s.BeginSession(ctx, newSession(uuid.New(), ben), nil, hash("cookie"), now)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Session(ctx, hash("cookie"), ward, now); err != nil {
			b.Fatal(err)
		}
	}
}
