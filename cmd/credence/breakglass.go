package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/breakglass"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

func newBreakGlassCommand(p *program) *cobra.Command {
	return newGroup("break-glass", "Seal the envelopes that make somebody an officer when no other is to be had", "  credence break-glass seal ZX100",
		newBreakGlassSealCommand(p))
}

func newBreakGlassSealCommand(p *program) *cobra.Command {
	var asJSON bool
	seal := &cobra.Command{
		Use:   "seal ORGANISATION",
		Short: "Make the codes of two envelopes for an organisation, and print them",
		Long: `Make the codes of two envelopes for an organisation, and print them. Put each into an envelope of its
own, write the organisation and the day on which it expires on it, seal it, and give the two to two
people who keep them in two places. Together they make one of two people an officer there for 4 hours.
They work once, for a year. Those that the organisation had before are worthless from now on.`,
		Example: "  credence break-glass seal ZX100",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				made, err := breakglass.Seal(ctx, s, args[0], operator(), p.clock())
				if err != nil {
					return hint(err, directory.ErrUnknown, listOrganisations)
				}
				slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil)).WarnContext(ctx, "break-glass: whoever has both codes can make an officer",
					slog.String("organisation", args[0]), slog.String("by", operator()), slog.Time("until", made.ExpiresAt), slog.Bool("replaces", made.Replaces))
				if asJSON {
					return printJSON(cmd.OutOrStdout(), map[string]string{
						"organisation": args[0], "first": made.First, "second": made.Second, "expires_at": moment(&made.ExpiresAt),
					})
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "First envelope:  %s\nSecond envelope: %s\nBoth expire on %s, or when they are sealed again.\n",
					made.First, made.Second, made.ExpiresAt.Format("2 January 2006"))
				return err
			})
		},
	}
	addJSONFlag(seal, &asJSON)
	return seal
}
