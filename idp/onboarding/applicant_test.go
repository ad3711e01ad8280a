package onboarding_test

import (
	"testing"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
)

// What somebody applied for who is no developer any more, nobody approves; it can be refused.
func TestApplicationOfWhoIsNoDeveloperAnyMore(t *testing.T) {
	t.Parallel()
	d, ctx := newDesk(t), t.Context()
	id, err := d.Apply(ctx, d.developer, wanted())
	must(t, err)
	must(t, directory.EndRole(ctx, d.Store, d.developer.Role, "operator", d.clock()))
	_, err = d.Decide(ctx, d.manager, id, position.Approve, "Yes")
	refused(t, "Decide(what somebody applied for who is no developer)", err, position.AskerNoOfficer)
	_, err = d.Decide(ctx, d.manager, id, position.Refuse, "Nobody answers for it")
	must(t, err)
	id, err = d.Apply(ctx, d.other, wanted())
	must(t, err)
	_, err = d.Decide(ctx, d.manager, id, position.Approve, "Yes")
	must(t, err)
}
