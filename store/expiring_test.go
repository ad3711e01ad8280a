package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// What positions give that expires is seen where it is and above, in its week, whether the organisations are few or many.
func TestExpiringRoles(t *testing.T) {
	t.Parallel()
	in, ctx := withPosition(t), t.Context()
	const wardPosition = "600000000002"
	week := func(n int) time.Time { return now.Add(time.Duration(n) * 7 * 24 * time.Hour) }
	soon, then := now.Add(time.Hour), week(2)
	asked := newRequest(uuid.New())
	asked.PositionID, asked.OrganisationCode = wardPosition, "RXX02"
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		must(t, tx.AddPosition(ctx, wardPosition, "RXX02", now))
		version := newVersion(1)
		version.PositionID, version.Name = wardPosition, "Porter"
		must(t, tx.AddPositionVersion(ctx, version))
		return tx.AddRequest(ctx, asked)
	}))
	give := func(id, position string, request uuid.UUID, ends *time.Time) {
		role := newRole(id, benMembership)
		role.PositionID, role.RequestID, role.EndsAt = &position, &request, ends
		must(t, in.AddRole(ctx, role, now))
	}
	give("300000000008", anaPosition, requestID, &soon)
	give("300000000009", wardPosition, asked.ID, &then)
	first := store.ExpiringRole{RoleID: "300000000008", PersonID: ben, PersonName: "Ana Ng", PositionID: anaPosition, PositionName: newVersion(1).Name, OrganisationCode: organisation, EndsAt: soon}
	second := store.ExpiringRole{RoleID: "300000000009", PersonID: ben, PersonName: "Ana Ng", PositionID: wardPosition, PositionName: "Porter", OrganisationCode: "RXX02", EndsAt: then}
	check := func() {
		t.Helper()
		for _, tt := range []struct {
			organisation string
			from, until  time.Time
			after        string
			limit        int
			want         []store.ExpiringRole
		}{
			{organisation, now, week(4), "", 10, []store.ExpiringRole{first, second}},
			{organisation, now, week(4), "", 1, []store.ExpiringRole{first}},
			{organisation, soon, week(4), first.RoleID, 10, []store.ExpiringRole{second}},
			{organisation, soon, week(2), "", 10, []store.ExpiringRole{first}}, // what ends at the end of the time is not in it
			{"RXX02", now, week(4), "", 10, []store.ExpiringRole{second}},
			{"nowhere", now, week(4), "", 10, []store.ExpiringRole{}},
		} {
			list, err := in.ExpiringRoles(ctx, tt.organisation, tt.from, tt.until, store.Order{By: store.ByExpiry}, tt.after, tt.limit)
			must(t, err)
			same(t, "ExpiringRoles("+tt.organisation+")", list, tt.want)
		}
		for of, want := range map[string][]int64{organisation: {1, 0, 1, 0}, "RXX02": {0, 0, 1, 0}, "nowhere": {0, 0, 0, 0}} {
			counts, err := in.CountExpiringRoles(ctx, of, now, 4, 10)
			must(t, err)
			same(t, "CountExpiringRoles("+of+")", counts, want)
		}
	}
	check()
	owner := connect(t, in.ownerURL)
	exec(t, owner, `INSERT INTO organisation (code, name, parent_code, created_at) SELECT 'N' || n, 'N', 'RXX02', now() FROM generate_series(1, 400) n`)
	check()
	exec(t, owner, `UPDATE role_profile SET ends_at = $2 WHERE id = $1`, second.RoleID, soon.Add(time.Hour))
	for of, want := range map[string][]int64{organisation: {1, 0, 0, 0}, "RXX02": {1, 0, 0, 0}, "nowhere": {0, 0, 0, 0}} { // the first of the week is another's
		counts, err := in.CountExpiringRoles(ctx, of, now, 4, 1)
		must(t, err)
		same(t, "CountExpiringRoles("+of+", as far as one)", counts, want)
	}
	none, err := in.CountExpiringRoles(ctx, organisation, now, 4, 0)
	must(t, err)
	same(t, "CountExpiringRoles(as far as none)", none, []int64{0, 0, 0, 0})
}
