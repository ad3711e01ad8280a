package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/store"
)

func newBootstrapCommand(p *program) *cobra.Command {
	var first registration.FirstManager
	var asJSON bool
	bootstrap := &cobra.Command{
		Use:   "bootstrap",
		Short: "Make the first registration authority manager, and print the link with which she enrols",
		Long: `Make the first registration authority manager of this installation, whom no other can make, and print
the link with which she binds her authenticator. Whoever opens it can make every other officer: give
it to nobody else, and be there when she opens it. It works once; a second one ends the first. When a
manager has an authenticator there is no other link, and the record says who asked.`,
		Example: `  credence bootstrap --organisation ZX000 --given-name Ada --family-name Example
  credence bootstrap --organisation ZX000 --person 656005750107`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if first.Person == "" {
				if err := first.New.Check(p.clock()); err != nil {
					return err
				}
			}
			issuer, err := p.issuer()
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				rules, err := authority.New()
				if err != nil {
					return err
				}
				made, err := registration.Bootstrap(ctx, s, rules, first, operator(), p.clock())
				if err != nil {
					return hint(hint(err, directory.ErrUnknown, listPeople+", "+listOrganisations), registration.ErrManagerExists, "`credence request ask` is the way to another")
				}
				address := enrolAddress(issuer, made.Secret)
				slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)).WarnContext(ctx, "bootstrap: whoever opens this link is the first registration authority manager",
					slog.String("person", made.PersonID), slog.String("organisation", first.Organisation), slog.String("by", operator()), slog.Time("until", made.ExpiresAt))
				if asJSON {
					return printJSON(cmd.OutOrStdout(), map[string]string{"person": made.PersonID, "url": address, "expires_at": moment(&made.ExpiresAt)})
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), address) // alone, so that a script can take it
				return err
			})
		},
	}
	flags := bootstrap.Flags()
	flags.StringVar(&first.Organisation, "organisation", "", "`code` of the organisation that she is manager of, and of those below it")
	flags.StringVar(&first.Person, "person", "", "`id` of a person who is there already")
	flags.StringVar(&first.New.GivenName, "given-name", "", "first name of a person to add")
	flags.StringVar(&first.New.FamilyName, "family-name", "", "last name of a person to add")
	require(bootstrap, "organisation")
	bootstrap.MarkFlagsMutuallyExclusive("person", "given-name")
	bootstrap.MarkFlagsRequiredTogether("given-name", "family-name")
	bootstrap.MarkFlagsOneRequired("person", "given-name")
	addJSONFlag(bootstrap, &asJSON)
	return bootstrap
}
