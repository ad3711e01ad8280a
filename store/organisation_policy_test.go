package store_test

import (
	"testing"

	"github.com/credence-id/credence/store"
)

// What an organisation says is kept by version, and listed with all that is below it; of the others nothing is kept in memory.
func TestOrganisationPolicy(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	for i, code := range []string{"RXX02", "RXX03"} {
		must(t, in.AddOrganisation(ctx, store.Organisation{Code: code, Name: "Branch", ParentCode: new([]string{organisation, "RXX02"}[i])}, now))
	}
	list, err := in.OrganisationPolicies(ctx)
	must(t, err)
	same(t, "OrganisationPolicies(where nobody says anything)", list, []store.OrganisationPolicy{})

	set := func(p store.OrganisationPolicy) error {
		return in.InTx(ctx, func(tx *store.Tx) error { return tx.SetOrganisationPolicy(ctx, p) })
	}
	branch := store.OrganisationPolicy{
		Code: "RXX02", Name: "Branch", ParentCode: new(organisation), DeskAuthenticatorLevel: 2, SecondChecker: true, SelfRegistration: true,
		HelpText: "Ask at the front desk.", HelpEmail: "help@example.org", HelpTelephone: "0113 496 0000",
	}
	must(t, set(branch))
	is(t, "SetOrganisationPolicy(of a version before)", set(branch), store.ErrNotFound)
	is(t, "SetOrganisationPolicy(of no organisation)", set(store.OrganisationPolicy{Code: "NOWHERE"}), store.ErrNotFound)
	branch.PolicyVersion = 1
	below := store.OrganisationPolicy{Code: "RXX03", Name: "Branch", ParentCode: new("RXX02")}
	list, err = in.OrganisationPolicies(ctx)
	must(t, err)
	same(t, "OrganisationPolicies()", list, []store.OrganisationPolicy{branch, below})
	path, err := in.OrganisationPolicyPath(ctx, "RXX03")
	must(t, err)
	same(t, "OrganisationPolicyPath()", path, []store.OrganisationPolicy{below, branch, {Code: organisation, Name: "Riverside"}})
	path, err = in.OrganisationPolicyPath(ctx, "NOWHERE")
	must(t, err)
	same(t, "OrganisationPolicyPath(of no organisation)", path, []store.OrganisationPolicy{})

	must(t, set(store.OrganisationPolicy{Code: "RXX02", PolicyVersion: 1}))
	list, err = in.OrganisationPolicies(ctx)
	must(t, err)
	same(t, "OrganisationPolicies(where nobody says anything any more)", list, []store.OrganisationPolicy{})

	// The schema takes nothing weaker than level 2, and nothing that a link would do something else with.
	for name, p := range map[string]store.OrganisationPolicy{
		"level 1":                 {DeskAuthenticatorLevel: 1},
		"level 4":                 {DeskAuthenticatorLevel: 4},
		"an address with headers": {HelpEmail: "help@example.org?bcc=eve@example.net"},
		"two addresses":           {HelpEmail: "help@example.org,eve@example.net"},
		"words for a number":      {HelpTelephone: "ask the porter"},
		"a number and more":       {HelpTelephone: "0113;ext=5"},
	} {
		p.Code, p.PolicyVersion = "RXX02", 2
		if err := set(p); err == nil {
			t.Errorf("SetOrganisationPolicy(%s) = no error, want it refused", name)
		}
	}
}

// Replicas learn of each change, and of who is put under whom.
func TestOrganisationPolicyRaisesTheGeneration(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	conn := connect(t, in.serviceURL)
	for _, change := range []string{
		`second_checker = true`, `desk_authenticator_level = 2`, `help_text = 'x'`, `help_email = 'a@b'`, `help_telephone = '11'`, `self_registration = true`,
	} {
		before, err := in.Generation(t.Context(), "organisation")
		must(t, err)
		exec(t, conn, `UPDATE organisation SET `+change)
		if after, err := in.Generation(t.Context(), "organisation"); err != nil || after != before+1 {
			t.Errorf("Generation(after %s) = %d, %v, want %d", change, after, err, before+1)
		}
	}
}
