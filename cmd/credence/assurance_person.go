package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/evidence"
)

func newAssuranceExplainCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "explain PERSON",
		Short: "Say by which evidence a person's level was reached, and what is missing for the next",
		Long: "Say by which evidence a person's level was reached, and what is missing for the next, as one JSON object: what `assurance\n" +
			"evaluate` prints, computed from what is on record by the tables of today, with the scores, the reason of each, and the\n" +
			"evidence. recorded is what tokens say; where it differs, `credence assurance recompute` is due. note is there when the\n" +
			"evidence is about another name or date of birth than is on record now: then no verified claims are given.",
		Example: "  credence assurance explain 656005750104",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withEvidence(cmd.Context(), briefly, func(ctx context.Context, desk *evidence.Recorder) error {
				explanation, err := desk.Explain(ctx, args[0])
				if err != nil {
					return hint(err, evidence.ErrUnknown, listPeople)
				}
				return printJSON(cmd.OutOrStdout(), explanation)
			})
		},
	}
}

func newAssuranceRecomputeCommand(p *program) *cobra.Command {
	var apply, asJSON bool
	recompute := &cobra.Command{
		Use:   "recompute",
		Short: "Show whose level would change by the tables of this program, or change it",
		Long: "Show whose level would change by the tables of this program: people whose level was computed by others, or was asserted\n" +
			"before there was evidence. With --apply it changes, at once, also for who is signed in, and each change is recorded.",
		Example: `  credence assurance recompute
  credence assurance recompute --apply`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withEvidence(cmd.Context(), atLength, func(ctx context.Context, desk *evidence.Recorder) error {
				moved := 0
				err := desk.Recompute(ctx, operator(), apply, func(c evidence.Change) error {
					moved++
					if asJSON {
						return json.NewEncoder(cmd.OutOrStdout()).Encode(c)
					}
					return say(cmd, "%s  %s -> %s\n", c.PersonID, outcomeWords(c.Before), outcomeWords(c.After))
				})
				if err != nil {
					return err
				}
				outcome := "would change: --apply changes them"
				if apply {
					outcome = "changed"
				}
				_, err = fmt.Fprintf(cmd.ErrOrStderr(), "%d levels %s.\n", moved, outcome)
				return err
			})
		},
	}
	recompute.Flags().BoolVar(&apply, "apply", false, "change the levels")
	addJSONLinesFlag(recompute, &asJSON)
	return recompute
}

// addJSONLinesFlag is addJSONFlag for a command that prints each result as it comes.
func addJSONLinesFlag(cmd *cobra.Command, into *bool) {
	cmd.Flags().BoolVar(into, "json", false, "print one JSON object a line")
}
