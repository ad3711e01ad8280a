package main

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/breakglass"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
)

func newBreakGlassCommand(p *program) *cobra.Command {
	return newGroup("break-glass", "Seal the envelopes that make somebody an officer when no other is to be had, and end what was opened", `  credence break-glass seal ZX100
  credence break-glass list --as 656005750104 --role 656005754108`,
		newBreakGlassSealCommand(p), newBreakGlassListCommand(p), newBreakGlassEndCommand(p))
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
				return say(cmd, "First envelope:  %s\nSecond envelope: %s\nBoth expire on %s, or when they are sealed again.\n",
					made.First, made.Second, made.ExpiresAt.Format("2 January 2006"))
			})
		},
	}
	addJSONFlag(seal, &asJSON)
	return seal
}

const listBreakGlass = "`credence break-glass list --all` shows what was opened"

func newBreakGlassListCommand(p *program) *cobra.Command {
	type row struct {
		ID           string     `json:"id"`
		Organisation string     `json:"organisation"`
		AskedBy      string     `json:"asked_by"`
		ConfirmedBy  string     `json:"confirmed_by"`
		Reason       string     `json:"reason"`
		Role         string     `json:"role"`
		OpenedAt     time.Time  `json:"opened_at"`
		EndsAt       time.Time  `json:"ends_at"`
		SignedBy     *string    `json:"signed_by"`
		SignedAt     *time.Time `json:"signed_at"`
	}
	var by deed.Acting
	var page paging
	var organisation string
	var all bool
	list := &cobra.Command{
		Use:   "list",
		Short: "List what was opened by break-glass and nobody has signed for, newest first",
		Long: `List what was opened by break-glass at an organisation and below it, and nobody has signed for, newest first. Who signs
has read what was done, and is neither of the two who opened it: so she does it at the desk or by the API, and nobody for her.`,
		Example: "  credence break-glass list --all --as 656005750104 --role 656005754108 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			after, err := page.afterID()
			if err != nil {
				return err
			}
			return p.withOffice(cmd.Context(), by, listOrganisations, func(ctx context.Context, f *office.Office, o office.Officer) error {
				id := func(b store.BreakGlassRow) uuid.UUID { return b.ID }
				rows, err := gather(page.limit, after, id, func(after uuid.UUID) ([]store.BreakGlassRow, bool, error) {
					return f.ListBreakGlass(ctx, o, cmp.Or(organisation, o.Organisation), !all, store.Order{By: store.ByTime, Descending: true}, after)
				})
				if err != nil {
					return err
				}
				return listing[store.BreakGlassRow]{
					name: "openings", titles: []string{"ID", "ORGANISATION", "OPENED", "ENDS", "BY", "AND", "SIGNED BY"}, id: func(b store.BreakGlassRow) string { return b.ID.String() },
					row: func(b store.BreakGlassRow) any {
						return row{b.ID.String(), b.OrganisationCode, b.AskedBy, b.ConfirmedBy, b.Reason, b.RoleID, b.OpenedAt.UTC(), b.EndsAt.UTC(), b.SignedBy, b.SignedAt}
					},
					cells: func(b store.BreakGlassRow) []string {
						return []string{b.ID.String(), b.OrganisationCode, moment(&b.OpenedAt), moment(&b.EndsAt), b.AskedByName, b.ConfirmedByName, orDash(b.SignedByName)}
					},
				}.print(cmd, page, rows)
			})
		},
	}
	list.Flags().BoolVar(&all, "all", false, "list what somebody has signed for as well")
	addWhereFlag(list, &organisation)
	addOfficerFlags(list, &by)
	page.addFlags(list)
	return list
}

func newBreakGlassEndCommand(p *program) *cobra.Command {
	var by deed.Acting
	end := &cobra.Command{
		Use:     "end ID",
		Short:   "End what was opened by break-glass, at once",
		Example: "  credence break-glass end 01935c5e-7a70-7000-8000-000000000001 --as 656005750104 --role 656005754108",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withOffice(cmd.Context(), by, listBreakGlass, func(ctx context.Context, f *office.Office, o office.Officer) error {
				b, err := f.BreakGlass(ctx, o, args[0])
				if err != nil {
					return err
				}
				glass := breakglass.New(breakglass.Config{Store: f.Store, Rules: f.Rules, Messenger: f.Positions.Messenger, Now: p.clock})
				if err := glass.Stop(ctx, o.Acting(), b.ID); err != nil {
					return err
				}
				return say(cmd, "Break-glass %s has ended.\n", b.ID)
			})
		},
	}
	addOfficerFlags(end, &by)
	return end
}
