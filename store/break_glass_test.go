package store_test

import (
	"testing"

	"github.com/credence-id/credence/store"
)

// Managers who are nearest to what happens are told first; who is disabled, or has no address, is not.
func TestManagersNearestFirst(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	const managers = "S0080:G0450:R5080"
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: "RXX02", Name: "Ward", ParentCode: new(organisation)}, now))
	add := func(person, membership, role, of string, address string) {
		p := newPerson(person)
		p.Email = address
		must(t, in.AddPerson(ctx, p, now))
		_, err := in.EnsureMembership(ctx, membership, person, of, now)
		must(t, err)
		r := newRole(role, membership)
		r.JobRole = managers
		must(t, in.AddRole(ctx, r, now))
	}
	add("100000000011", "200000000011", "300000000011", organisation, "above@example.org")
	add("100000000012", "200000000012", "300000000012", "RXX02", "near@example.org")
	add("100000000013", "200000000013", "300000000013", "RXX02", "")
	told := func(limit int) []string {
		t.Helper()
		list, err := in.RAManagers(ctx, []string{"RXX02", organisation}, limit, now)
		must(t, err)
		return list
	}
	same(t, "RAManagers()", told(10), []string{"100000000012", "100000000011"})
	same(t, "RAManagers(1)", told(1), []string{"100000000012"})
	exec(t, connect(t, in.ownerURL), `UPDATE person SET disabled_at = $1 WHERE id = '100000000012'`, now)
	same(t, "RAManagers(disabled)", told(10), []string{"100000000011"})
}
