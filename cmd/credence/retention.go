package main

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/retention"
	"github.com/credence-id/credence/store"
)

func newRetentionCommand(p *program) *cobra.Command {
	return newGroup("retention", "Erase what is said of people when its time is over", `  credence retention rules
  credence retention run --dry-run`,
		newRetentionRulesCommand(), newRetentionRunCommand(p), newRetentionReportsCommand(p),
		newRetentionHoldCommand(p), newRetentionReleaseCommand(p), newRetentionHoldsCommand(p), newRetentionEraseCommand(p))
}

// withEraser runs do with what erases, for so long at most.
func (p *program) withEraser(cmd *cobra.Command, limit time.Duration, do func(ctx context.Context, e *retention.Eraser) error) error {
	key, err := p.sealKey()
	if err != nil {
		return err
	}
	rules, err := retention.Rules()
	if err != nil {
		return err
	}
	return withStoreAt(cmd.Context(), limit, p.serviceURL, func(ctx context.Context, s *store.Store) error {
		recorder, err := evidence.New(s, key, p.clock)
		if err != nil {
			return err
		}
		return do(ctx, &retention.Eraser{Store: s, Rules: rules, Evidence: recorder, Now: p.clock, Log: slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))})
	})
}

func newRetentionRulesCommand() *cobra.Command {
	type row struct {
		Rule   string `json:"rule"`
		Record string `json:"record"`
		Kept   string `json:"kept"`
		Taken  string `json:"taken"`
		Basis  string `json:"basis"`
	}
	var asJSON bool
	list := &cobra.Command{
		Use:     "rules",
		Short:   "List for how long which records are kept, what is taken of them then, and why",
		Example: "  credence retention rules --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rules, err := retention.Rules()
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(cmd.OutOrStdout(), map[string][]row{"rules": each(rules, func(r retention.Rule) row {
					return row{r.Name, r.Record, r.Kept(), r.Taken, r.Basis}
				})})
			}
			return printTable(cmd.OutOrStdout(), []string{"RULE", "RECORDS", "KEPT FOR"}, each(rules, func(r retention.Rule) []string {
				return []string{r.Name, r.Record, r.Kept()}
			}))
		},
	}
	addJSONFlag(list, &asJSON)
	return list
}

func newRetentionRunCommand(p *program) *cobra.Command {
	var look, asJSON bool
	run := &cobra.Command{
		Use:   "run",
		Short: "Run the rules now, and print the report",
		Long: `Run the rules now, and print the report: by each rule how much was due, how much was erased, how much could not be, how much is due
within the next 30 days, and since when the oldest that was due was kept. ` + "`credence serve`" + ` runs them each day.`,
		Example: `  credence retention run --dry-run
  credence retention run --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withEraser(cmd, atLength, func(ctx context.Context, e *retention.Eraser) error {
				if look {
					counts, err := e.Due(ctx)
					if err != nil {
						return err
					}
					fmt.Fprintln(cmd.ErrOrStderr(), "Nothing was erased. This is due:")
					return printCounts(cmd, counts, asJSON)
				}
				id, err := e.Erase(ctx, operator())
				if err != nil {
					return err
				}
				counts, err := e.Store.RetentionCounts(ctx, id)
				if err != nil {
					return fmt.Errorf("read the report: %w", err)
				}
				return printCounts(cmd, counts, asJSON)
			})
		},
	}
	addDryRunFlag(run, &look)
	addJSONFlag(run, &asJSON)
	return run
}

// printCounts prints what a run found and did by each rule.
func printCounts(cmd *cobra.Command, counts []store.RetentionCount, asJSON bool) error {
	type row struct {
		Rule     string     `json:"rule"`
		Due      int        `json:"due"`
		Soon     int        `json:"due_within_30_days"`
		OldestAt *time.Time `json:"oldest_at"`
		Erased   int        `json:"erased"`

		Stayed        int    `json:"stayed"`
		StayedBecause string `json:"stayed_because"`
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), map[string][]row{"rules": each(counts, func(c store.RetentionCount) row { return row(c) })})
	}
	return printTable(cmd.OutOrStdout(), []string{"RULE", "DUE", "ERASED", "STAYED", "WITHIN 30 DAYS", "OLDEST"}, each(counts, func(c store.RetentionCount) []string {
		return []string{c.Rule, strconv.Itoa(c.Due), strconv.Itoa(c.Erased), strconv.Itoa(c.Stayed), strconv.Itoa(c.Soon), moment(c.OldestAt)}
	}))
}

func newRetentionReportsCommand(p *program) *cobra.Command {
	type row struct {
		ID      uuid.UUID  `json:"id"`
		By      string     `json:"by"`
		BeganAt time.Time  `json:"began_at"`
		EndedAt *time.Time `json:"ended_at"`
		Due     int        `json:"due"`
		Erased  int        `json:"erased"`
	}
	const most = 100
	var asJSON bool
	reports := &cobra.Command{
		Use:   "reports [ID]",
		Short: "List the runs of the rules, newest first, or print the report of one",
		Example: `  credence retention reports
  credence retention reports 0195a1b2-0000-7000-8000-000000000000`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				if len(args) == 1 {
					id, err := parseID(args[0], "a report", "`credence retention reports` lists them")
					if err != nil {
						return err
					}
					counts, err := s.RetentionCounts(ctx, id)
					if err != nil {
						return fmt.Errorf("read report %s: %w", id, err)
					}
					if len(counts) == 0 {
						return fmt.Errorf("no report has id %s: `credence retention reports` lists them", id)
					}
					return printCounts(cmd, counts, asJSON)
				}
				runs, err := s.RetentionRuns(ctx, store.Order{By: store.ByTime, Descending: true}, uuid.Nil, most)
				if err != nil {
					return fmt.Errorf("list reports: %w", err)
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), map[string][]row{"reports": each(runs, func(r store.RetentionRun) row { return row(r) })})
				}
				return printTable(cmd.OutOrStdout(), []string{"ID", "BEGAN", "ENDED", "BY", "DUE", "ERASED"}, each(runs, func(r store.RetentionRun) []string {
					return []string{r.ID.String(), moment(&r.BeganAt), moment(r.EndedAt), r.By, strconv.Itoa(r.Due), strconv.Itoa(r.Erased)}
				}))
			})
		},
	}
	addJSONFlag(reports, &asJSON)
	return reports
}

func newRetentionHoldCommand(p *program) *cobra.Command {
	var reason string
	hold := &cobra.Command{
		Use:   "hold PERSON",
		Short: "Keep everything of a person from being erased, for a claim or an inquiry",
		Long: `Keep everything of a person from being erased, by any rule and at anybody's wish, until it is released. The reason
is on record: name the matter, and nobody else.`,
		Example: `  credence retention hold 656005750107 --reason "Inquiry 2026/14"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withEraser(cmd, briefly, func(ctx context.Context, e *retention.Eraser) error {
				return hint(hint(e.Hold(ctx, operator(), args[0], reason), directory.ErrUnknown, listPeople), retention.ErrHeld, "`credence retention holds` says why")
			})
		},
	}
	addReasonFlag(hold, &reason, "the `matter` that needs the records")
	return hold
}

func newRetentionReleaseCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "release PERSON",
		Short:   "End the hold of a person's records: what is due goes with the next run",
		Example: "  credence retention release 656005750107",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withEraser(cmd, briefly, func(ctx context.Context, e *retention.Eraser) error {
				return hint(hint(e.Release(ctx, operator(), args[0]), directory.ErrUnknown, listPeople), retention.ErrNotHeld, "`credence retention holds` lists what is")
			})
		},
	}
}

func newRetentionHoldsCommand(p *program) *cobra.Command {
	type row struct {
		ID       uuid.UUID `json:"id"`
		PersonID string    `json:"person"`
		Reason   string    `json:"reason"`
		PlacedBy string    `json:"placed_by"`
		PlacedAt time.Time `json:"placed_at"`
	}
	var page paging
	list := &cobra.Command{
		Use:     "holds",
		Short:   "List whose records are held, since when, and why",
		Example: "  credence retention holds --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			after, err := page.afterID()
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				holds, err := s.Holds(ctx, after, page.limit+1)
				if err != nil {
					return fmt.Errorf("list holds: %w", err)
				}
				return listing[store.Hold]{
					name: "holds", titles: []string{"PERSON", "SINCE", "BY", "REASON"}, id: func(h store.Hold) string { return h.ID.String() },
					row: func(h store.Hold) any { return row{h.ID, h.PersonID, h.Reason, h.PlacedBy, h.PlacedAt} },
					cells: func(h store.Hold) []string {
						return []string{h.PersonID, moment(&h.PlacedAt), h.PlacedBy, h.Reason}
					},
				}.print(cmd, page, holds)
			})
		},
	}
	page.addFlags(list)
	return list
}

func newRetentionEraseCommand(p *program) *cobra.Command {
	var reason string
	erase := &cobra.Command{
		Use:   "erase PERSON",
		Short: "Erase a closed profile before its time, for good",
		Long: `Erase a closed profile before its time, for good, with those that were merged into it: names, date of birth,
addresses, evidence, photographs, authenticators and the reasons of what was done to it. Its user id
stays, with who did what when. Of whom a claim may still be made, or records are held, it is not for you to erase:
article 17(3) of the UK GDPR.`,
		Example: `  credence retention erase 656005750107 --reason "Asked on 2 March, DPO agrees"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withEraser(cmd, briefly, func(ctx context.Context, e *retention.Eraser) error {
				err := e.ErasePerson(ctx, operator(), args[0], reason)
				if err != nil {
					return hint(hint(err, directory.ErrUnknown, listPeople), retention.ErrHeld, "`credence retention holds` says why")
				}
				_, err = fmt.Fprintln(cmd.ErrOrStderr(), "Erased. Messages to the person go within 30 days, and backups when yours do.")
				return err
			})
		},
	}
	addReasonFlag(erase, &reason, "`why`, as the record has it for good")
	return erase
}
