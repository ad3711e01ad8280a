package store_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// A merge is seen where both people are, or above; who is nowhere is where the other is, and two who are nowhere are where it was
// proposed. What is decided is seen no more.
func TestOpenMerges(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	owner := connect(t, in.ownerURL)
	// RXX00 is above RXX01, where people 1 and 2 are, and RXX02, where person 3 is. People 4 and 5 are nowhere.
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: "RXX00", Name: "Board"}, now))
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: "RXX02", Name: "Hilltop"}, now))
	exec(t, owner, `UPDATE organisation SET parent_code = 'RXX00' WHERE code IN ('RXX01', 'RXX02')`)
	exec(t, owner, `
		INSERT INTO person (id, handle, title, given_name, middle_names, family_name, display_name, identity_level, created_at, version)
			SELECT '10000000010' || n, sha256(n::text::bytea), '', 'Person', '', n::text, 'Person ' || n, 'high', now(), gen_random_uuid() FROM generate_series(1, 5) n`)
	exec(t, owner, `INSERT INTO membership (id, person_id, organisation_code, created_at) SELECT '20000000010' || n, '10000000010' || n, CASE WHEN n < 3 THEN 'RXX01' ELSE 'RXX02' END, now() FROM generate_series(1, 3) n`)
	propose := func(n, duplicate, kept string) uuid.UUID {
		t.Helper()
		id := uuid.MustParse("01000000-0000-7000-8000-00000000000" + n)
		must(t, in.InTx(ctx, func(tx *store.Tx) error {
			return tx.AddMerge(ctx, store.Merge{ID: id, Duplicate: "10000000010" + duplicate, Kept: "10000000010" + kept, Reason: "x", ProposedBy: ana, ProposedRole: anaRole, ProposedAt: now})
		}))
		return id
	}
	propose("1", "1", "2")
	propose("2", "1", "3")
	propose("3", "4", "3")
	propose("4", "2", "4")
	propose("5", "4", "5")
	decided := propose("6", "5", "1")
	must(t, in.InTx(ctx, func(tx *store.Tx) error { return tx.DecideMerge(ctx, decided, "refused", ben, benRole, "x", now) }))
	list := func(organisation string, o store.Order) string {
		t.Helper()
		return paged(t, func(m store.MergeRow) string { return m.ID.String() }, func(after string) ([]store.MergeRow, error) {
			id, _ := uuid.Parse(after)
			return in.OpenMerges(ctx, organisation, o, id, 1)
		})
	}
	for organisation, want := range map[string]string{"RXX00": "12345", "RXX01": "145", "RXX02": "3", "NOWHERE": ""} { // Ana acts at RXX01
		same(t, "OpenMerges("+organisation+")", list(organisation, store.Order{By: store.ByTime}), want)
		if n := in.waiting(t, store.WaitingMerges, organisation, 10, now); int(n.Count) != len(want) {
			t.Errorf("Waiting(%s) = %v, want %d", organisation, n, len(want))
		}
	}
	same(t, "OpenMerges(newest first)", list("RXX00", store.Order{By: store.ByTime, Descending: true}), "54321")
	rows, err := in.OpenMerges(ctx, "RXX02", store.Order{}, uuid.Nil, 10)
	must(t, err)
	same(t, "OpenMerges(RXX02)", rows, []store.MergeRow{{
		ID: uuid.MustParse("01000000-0000-7000-8000-000000000003"), Duplicate: "100000000104", DuplicateName: "Person 4", Kept: "100000000103", KeptName: "Person 3",
		ProposedBy: ana, ProposedByName: "Ana Ng", ProposedAt: now,
	}})
}
