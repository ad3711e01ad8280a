package lifecycle_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/position"
)

// What an officer took is nobody's once she has left or her profile is closed, and of the one that hers was merged into while it may decide:
// nothing waits for her.
func TestOwnerOfARequestGoesOn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		do    func(d *desk, officer string) error
		owner func(officer, other string) string // "": nobody
	}{
		{"she stays", func(*desk, string) error { return nil }, func(officer, _ string) string { return officer }},
		{"she leaves", func(d *desk, officer string) error {
			return d.Leave(d.t.Context(), manager, officer, hospital, now, "She goes elsewhere")
		}, func(string, string) string { return "" }},
		{"her profile is closed", func(d *desk, officer string) error {
			return d.Close(d.t.Context(), manager, officer, lifecycle.Left, "She retires")
		}, func(string, string) string { return "" }},
		{"her profile is closed and opened again", func(d *desk, officer string) error {
			must(d.t, d.Close(d.t.Context(), manager, officer, lifecycle.Left, "She retires"))
			return d.Reopen(d.t.Context(), manager, officer, "She does not")
		}, func(string, string) string { return "" }},
		{"her profile is merged", func(*desk, string) error { return nil }, func(_, other string) string { return other }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d, ctx := newDesk(t), t.Context()
			request, officer, other := d.request(nurse, sponsor), d.person("Ada", "Example"), d.person("Ada", "Exampel")
			hers := deed.Acting{Person: officer, Role: d.grant(officer, hospital, "S0080:G0450:R5090")}
			must(t, d.positions.Take(ctx, hers, request, ""))
			must(t, tt.do(d, officer))
			want := tt.owner(officer, other)
			if want == other {
				id, err := d.ProposeMerge(ctx, manager, officer, other, "The same photograph")
				must(t, err)
				must(t, d.DecideMerge(ctx, d.manager(board), id, position.Approve, "The same photograph", ""))
			}
			owner, err := position.Owner(ctx, d.Store, d.Rules, request, d.Now())
			if err != nil || owner.PersonID != want {
				t.Errorf("owner = %+v, %v, want %q", owner, err, want)
			}
			open, err := d.positions.Queue(ctx, agent, position.Wanted{Owner: position.Nobodys}, uuid.Nil, 10)
			if err != nil || (len(open) == 1) != (want == "") {
				t.Errorf("the queue of what is nobody's = %v, %v with the owner %q", open, err, want)
			}
			if want == other { // her role is the other's now, and so is what she took
				hers.Person = other
				if mine, err := d.positions.Queue(ctx, hers, position.Wanted{Owner: position.Mine}, uuid.Nil, 10); err != nil || len(mine) != 1 {
					t.Errorf("the queue of what is hers = %v, %v, want the request", mine, err)
				}
				must(t, d.positions.GiveBack(ctx, hers, request))
				want = ""
			}
			must(t, d.positions.Take(ctx, agent, request, want))
			_, err = d.positions.Decide(ctx, advanced, request, position.Approve, "Yes", "")
			must(t, err)
		})
	}
}
