package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

func newOrganisationPolicyCommand(p *program) *cobra.Command {
	var said policyFlags
	var asJSON bool
	policy := &cobra.Command{
		Use:   "policy ORGANISATION",
		Short: "Show how an organisation has its work done, or change it",
		Long: `Show how an organisation has its work done: the level at which its officers have to have
signed in, whether evidence of identity waits for a second officer, whether people may
register themselves, and where they find help. What an organisation leaves out is as at the
nearest one above it, but for self-registration, which each opens for itself.

With flags it changes what the organisation says of its own, for a reason, which is kept on
record. Do that when every server runs this release. What the authenticators of its people
have to be is ` + "`credence authenticator policy`" + `.`,
		Example: `  credence organisation policy ZX400
  credence organisation policy ZX400 --second-checker on --reason "The board asks for it"
  credence organisation policy ZX400 --desk-level 2 --reason "No keys of level 3 before June"
  credence organisation policy ZX400 --help-telephone "0113 496 0000" --reason "The new help desk"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			policies := directory.NewPolicies(directory.Help{})
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				stated, err := policies.Policy(ctx, s, args[0])
				if err != nil {
					return hint(err, directory.ErrUnknown, listOrganisations)
				}
				if said.changed(cmd) {
					if err := said.apply(cmd, &stated.Own); err != nil {
						return err
					}
					change := directory.PolicyChange{Organisation: args[0], Policy: stated.Own, Reason: said.reason, Seen: stated.Version}
					err := policies.SetPolicy(ctx, s, change, audit.Entry{At: p.clock(), Actor: operator()}, func(*store.Tx, directory.Stated) error { return nil })
					if err != nil {
						return err
					}
					if stated, err = policies.Policy(ctx, s, args[0]); err != nil {
						return err
					}
				}
				return printPolicy(cmd, stated, asJSON)
			})
		},
	}
	said.addFlags(policy)
	addJSONFlag(policy, &asJSON)
	return policy
}

// policyFlags are what is said of a policy at the command line.
type policyFlags struct {
	deskLevel, secondChecker, selfRegistration string
	help                                       directory.Help
	reason                                     string
}

func (f *policyFlags) addFlags(policy *cobra.Command) {
	flags := policy.Flags()
	flags.StringVar(&f.deskLevel, "desk-level", "", "`level` at which its officers have to have signed in: 2, 3 or inherit")
	flags.StringVar(&f.secondChecker, "second-checker", "", "whether evidence waits for a second officer, here and below: `on|off`")
	flags.StringVar(&f.selfRegistration, "self-registration", "", "whether people register themselves here: `on|off`")
	flags.StringVar(&f.help.Text, "help-text", "", "where people find help, in a `sentence` or two; empty inherits")
	flags.StringVar(&f.help.Email, "help-email", "", "the `address` of its help desk; empty inherits")
	flags.StringVar(&f.help.Telephone, "help-telephone", "", "the `number` of its help desk; empty inherits")
	flags.StringVar(&f.reason, "reason", "", "`why`, for the record; a change needs one")
}

// changed says whether anything is said at all.
func (f *policyFlags) changed(policy *cobra.Command) bool {
	return slices.ContainsFunc([]string{"desk-level", "second-checker", "self-registration", "help-text", "help-email", "help-telephone", "reason"}, policy.Flags().Changed)
}

// apply changes a policy as was said, and leaves what was not.
func (f *policyFlags) apply(policy *cobra.Command, to *directory.Policy) error {
	flags := policy.Flags()
	var errs []error
	if flags.Changed("desk-level") {
		level, known := map[string]assurance.AuthenticatorLevel{"2": assurance.AAL2, "3": assurance.AAL3, "inherit": 0}[f.deskLevel]
		if !known {
			errs = append(errs, fmt.Errorf("--desk-level is %q: want 2, 3 or inherit", f.deskLevel))
		}
		to.DeskLevel = level
	}
	for _, s := range []struct {
		name, value string
		to          *bool
	}{{"second-checker", f.secondChecker, &to.SecondChecker}, {"self-registration", f.selfRegistration, &to.SelfRegistration}} {
		if !flags.Changed(s.name) {
			continue
		}
		if s.value != "on" && s.value != "off" {
			errs = append(errs, fmt.Errorf("--%s is %q: want on or off", s.name, s.value))
		}
		*s.to = s.value == "on"
	}
	for _, s := range []struct {
		name, value string
		to          *string
	}{{"help-text", f.help.Text, &to.Help.Text}, {"help-email", f.help.Email, &to.Help.Email}, {"help-telephone", f.help.Telephone, &to.Help.Telephone}} {
		if flags.Changed(s.name) {
			*s.to = s.value
		}
	}
	return errors.Join(errs...)
}

// printPolicy shows what holds at an organisation, and by whose word.
func printPolicy(cmd *cobra.Command, stated directory.Stated, asJSON bool) error {
	type row struct {
		Setting string `json:"setting"`
		Value   string `json:"value"`
		Own     string `json:"own"`
		From    string `json:"from"`
	}
	var rows []row
	said := stated.Own.Settings()
	for i, s := range stated.Holds().Settings() {
		from, _ := stated.SaidBy(i)
		rows = append(rows, row{s.Name, s.Value, said[i].Value, from})
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), struct {
			Organisation string `json:"organisation"`
			Name         string `json:"name"`
			Version      int    `json:"version"`
			Settings     []row  `json:"settings"`
		}{stated.Code, stated.Name, stated.Version, rows})
	}
	return printTable(cmd.OutOrStdout(), []string{"SETTING", "VALUE", "FROM"}, each(rows, func(r row) []string {
		return []string{r.Setting, cmp.Or(r.Value, "-"), cmp.Or(r.From, "-")}
	}))
}
