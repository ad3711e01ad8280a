package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/position"
)

func newRequestBulkCommand(p *program) *cobra.Command {
	var by deed.Acting
	var dryRun bool
	bulk := &cobra.Command{
		Use:   "bulk FILE",
		Short: "Ask for all that a file asks for, or for nothing of it",
		Long: `Ask that the people of a file be given positions: all of them, or none when a line is refused. The file is CSV whose
first line is person,position,starts,expires,reason.`,
		Example: "  credence request bulk term.csv --dry-run --as 656005750104 --role 656005754108",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			rows, err := readBulk(args[0])
			if err != nil {
				return err
			}
			return p.withRegistrar(cmd.Context(), listPositions+"; "+listPeople+"; "+listOrganisations, func(ctx context.Context, r *position.Registrar) error {
				b, err := r.AskAll(ctx, by, rows, "")
				if err == nil && !dryRun && b.Refused == 0 {
					b, err = r.AskAll(ctx, by, rows, b.Seal)
				}
				if err != nil {
					return err
				}
				return printBulk(cmd, b, dryRun)
			})
		},
	}
	addDryRunFlag(bulk, &dryRun)
	addOfficerFlags(bulk, &by)
	return bulk
}

func readBulk(name string) ([]position.BulkRow, error) {
	text, err := readFile(name, position.LargestBulk)
	if err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	rows, err := position.ParseBulk(text)
	if err != nil {
		return nil, fmt.Errorf("read requests of %s: %w", name, err)
	}
	return rows, nil
}

// printBulk says what came of each line, or would.
func printBulk(cmd *cobra.Command, b position.Bulk, dryRun bool) error {
	err := printTable(cmd.OutOrStdout(), []string{"LINE", "PERSON", "POSITION", "EFFECT"}, each(b.Effects, func(e position.BulkEffect) []string {
		effect := e.Answer.State
		if e.Refusal != nil {
			effect = strings.ReplaceAll(e.Refusal.Error(), "\n", "; ")
		}
		return []string{strconv.Itoa(e.Line), e.Person, e.Position, effect}
	}))
	switch {
	case err != nil:
		return err
	case b.Refused > 0:
		return fmt.Errorf("nothing was done, because lines were refused (%d): mend them or leave them out", b.Refused)
	case !b.Done && !dryRun:
		return errors.New("nothing was done, because things changed meanwhile: look with --dry-run, and do it again")
	}
	done := map[bool]string{true: "Done", false: "Nothing was done; it would be"}[b.Done]
	_, err = fmt.Fprintf(cmd.ErrOrStderr(), "%s: %d given at once, %d that wait for another officer.\n", done, b.Given, b.Asked)
	return err
}
