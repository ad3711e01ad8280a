package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// Eve may own the request of these tests, as an officer above its organisation.
const (
	eve        = "100000000005"
	eveProfile = "100000000006" // which hers is merged into
)

// officers are the codes that make one.
func officers() []string { return []string{"R5090", "B0420"} }

// queues are one of each kind.
func queues() []store.Queue {
	var list []store.Queue
	for _, w := range []store.Queue{{}, {Unowned: true}, {PersonID: ben}, {PositionID: anaPosition}, {OwnerID: eve}, {PersonID: ben, PositionID: anaPosition, Unowned: true}} {
		w.OrganisationCode, w.Codes = organisation, officers()
		list = append(list, w)
	}
	return list
}

// withOwner has a request below her organisation that Eve took.
func withOwner(t *testing.T) *installation {
	t.Helper()
	in, ctx := withPosition(t), t.Context()
	must(t, in.AddOrganisation(ctx, store.Organisation{Code: "RXX03", Name: "Elsewhere"}, now))
	for i, person := range []string{eve, eveProfile} {
		must(t, in.AddPerson(ctx, newPerson(person), now))
		membership := []string{"200000000005", "200000000006"}[i]
		_, err := in.EnsureMembership(ctx, membership, person, organisation, now)
		must(t, err)
	}
	role := newRole("300000000005", "200000000005")
	role.JobRole, role.Activities, role.EndsAt = "S0080:G0450:R5090", nil, &later
	must(t, in.AddRole(ctx, role, now))
	must(t, in.InTx(ctx, func(tx *store.Tx) error { return tx.OwnRequest(ctx, requestID, eve, now) }))
	return in
}

// The owner of a request is who took it while she may decide it, and then nobody, though nothing has said so; or the profile that hers
// was merged into. The queue is narrowed by that.
func TestOwner(t *testing.T) {
	t.Parallel()
	const role = `ALTER TABLE role_profile DISABLE TRIGGER USER; UPDATE role_profile SET `
	merged := func(into, membership string) string {
		return role + `membership_id = '` + membership + `' WHERE id = '300000000005';
			UPDATE person SET disabled_at = now(), closed_at = now(), closed_as = 'duplicate', merged_into = '` + into + `' WHERE id = '` + eve + `'`
	}
	at := now.Add(2 * time.Minute)
	for _, tt := range []struct{ name, change, want string }{
		{"who took it", ``, eve},
		{"who is an officer by an activity", role + `job_role = 'S8000:G8000:R8000', activities = '{B0420}'`, eve},
		{"whose role has ended", role + `ends_at = starts_at + interval '1 minute' WHERE id = '300000000005'`, ""},
		{"whose role begins later", role + `starts_at = ends_at - interval '1 minute'`, ""},
		{"whose role makes her no officer any more", role + `job_role = 'S8000:G8000:R8000' WHERE id = '300000000005'`, ""},
		{"whose role is elsewhere", `UPDATE membership SET organisation_code = 'RXX03' WHERE id = '200000000005'`, ""},
		{"whose role is below", `UPDATE membership SET organisation_code = 'RXX02' WHERE id = '200000000005'`, ""},
		{"who is disabled", `UPDATE person SET disabled_at = now() WHERE id = '` + eve + `'`, ""},
		{"who gave it back", `UPDATE request SET owner_id = NULL, owner_since = NULL`, ""},
		{"whose profile was merged", merged(eveProfile, "200000000006"), eveProfile},
		{"whose profile was merged into that of who asked", merged(ana, anaMembership), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in, ctx := withOwner(t), t.Context()
			if tt.change != "" {
				exec(t, connect(t, in.ownerURL), tt.change)
			}
			owner, err := in.Owner(ctx, requestID, officers(), at)
			if tt.want == "" {
				is(t, "Owner()", err, store.ErrNotFound)
			} else if err != nil || owner.PersonID != tt.want || owner.DisplayName == "" || !owner.Since.Equal(now) {
				t.Errorf("Owner() = %v, %v, want %s since it was taken", owner, err, tt.want)
			}
			if list, err := in.OpenRequestsFor(ctx, ben, officers(), 10, at); err != nil || len(list) != 1 || list[0].OwnedBy != tt.want || (list[0].OwnedByName == "") != (tt.want == "") {
				t.Errorf("OpenRequestsFor() = %v, %v, want one that %q looks after", list, err, tt.want)
			}
			for _, o := range orders(store.ByAsked, store.ByStart) {
				for _, q := range []struct {
					queue  store.Queue
					listed bool
				}{
					{store.Queue{}, true},
					{store.Queue{PersonID: ben}, true},
					{store.Queue{PersonID: ana}, false},
					{store.Queue{PositionID: anaPosition, PersonID: ben}, true},
					{store.Queue{PositionID: "600000000009"}, false},
					{store.Queue{Unowned: true}, tt.want == ""},
					{store.Queue{PositionID: anaPosition, Unowned: true}, tt.want == ""},
					{store.Queue{OwnerID: eve}, tt.want == eve},
					{store.Queue{OwnerID: eveProfile}, tt.want == eveProfile},
					{store.Queue{OwnerID: ana}, false},
					{store.Queue{OwnerID: eve, PersonID: ben}, tt.want == eve},
				} {
					for _, organisation := range []string{organisation, "RXX02"} {
						q.queue.OrganisationCode, q.queue.Codes = organisation, officers()
						list, err := in.OpenRequests(ctx, q.queue, o, uuid.Nil, 10, at)
						must(t, err)
						if want := q.listed && organisation != "RXX02"; len(list) > 1 || (len(list) == 1) != want || want && (list[0].OwnedBy != tt.want || (list[0].OwnedByName == "") != (tt.want == "")) {
							t.Errorf("OpenRequests(%+v, %v) = %+v, want it listed %t, as that of %q", q.queue, o, list, want, tt.want)
						}
					}
				}
			}
			counted, err := in.Waiting(ctx, organisation, []store.Figure{store.UnownedRequests}, officers(), 10, at)
			must(t, err)
			if n := counted[store.UnownedRequests].Count; (n == 1) != (tt.want == "") {
				t.Errorf("Waiting(requests of nobody) = %d with the owner %q", n, tt.want)
			}
		})
	}
}

// What was decided has no owner and gets none; who asked, and whom it is for, never are.
func TestOwnRequestThatIsDecided(t *testing.T) {
	t.Parallel()
	in, ctx := withOwner(t), t.Context()
	own := func(owner string) error {
		return in.InTx(ctx, func(tx *store.Tx) error { return tx.OwnRequest(ctx, requestID, owner, now) })
	}
	for _, person := range []string{ana, ben} {
		is(t, "OwnRequest("+person+")", own(person), store.ErrReference)
	}
	must(t, own(""))
	must(t, own(eve))
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		return tx.SettleRequest(ctx, requestID, store.Settlement{State: "withdrawn", Reason: "No", At: now})
	}))
	is(t, "OwnRequest(decided)", own(eve), store.ErrNotFound)
	_, err := in.Owner(ctx, requestID, officers(), now)
	is(t, "Owner(decided)", err, store.ErrNotFound)
}
