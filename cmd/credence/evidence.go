package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

func newEvidenceCommand(p *program) *cobra.Command {
	return newGroup("evidence", "Record by what identities are proved, and withdraw it", `  credence evidence list 656005750104
  credence evidence add 656005750113 --file passport.json`,
		newEvidenceAddCommand(p), newEvidenceListCommand(p), newEvidenceFindCommand(p), newEvidenceWithdrawCommand(p),
		newEvidenceWaitingCommand(p), newEvidenceDismissCommand(p))
}

// withEvidence runs do with what records evidence, for so long at most.
func (p *program) withEvidence(ctx context.Context, limit time.Duration, do func(ctx context.Context, desk *evidence.Recorder) error) error {
	key, err := p.sealKey()
	if err != nil {
		return err
	}
	return withStoreAt(ctx, limit, p.serviceURL, func(ctx context.Context, s *store.Store) error {
		desk, err := p.recorder(ctx, s, key)
		if err != nil {
			return err
		}
		return do(ctx, desk)
	})
}

// recorder is what records evidence, and tells people of it.
func (p *program) recorder(ctx context.Context, s *store.Store, key seal.Key) (*evidence.Recorder, error) {
	desk, err := evidence.New(s, key, p.clock)
	if err != nil {
		return nil, err
	}
	desk.Messenger, err = p.outbox(ctx, s)
	return desk, err
}

func newEvidenceAddCommand(p *program) *cobra.Command {
	var file, code string
	var asJSON bool
	add := &cobra.Command{
		Use:   "add PERSON",
		Short: "Record evidence of who a person is, and compute the level anew",
		Long:  evidenceForm(),
		Example: `  credence evidence add 656005750113 --file passport.json
  jq --slurp . passport.json register.json | credence evidence add 656005750113`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			pieces, err := readPieces(cmd.InOrStdin(), file)
			if err != nil {
				return err
			}
			for i := range pieces {
				pieces[i].AccountCode = code
			}
			return p.withEvidence(cmd.Context(), briefly, func(ctx context.Context, desk *evidence.Recorder) error {
				change, err := desk.Record(ctx, operator(), args[0], pieces)
				if err != nil {
					return hint(err, evidence.ErrUnknown, listPeople)
				}
				return printChange(cmd, change, asJSON)
			})
		},
	}
	add.Flags().StringVar(&file, "file", "", "a `file` with the evidence (default standard input)")
	add.Flags().StringVar(&code, "account-code", "", "the `digits` that the account shows of who registered herself, and that she reads aloud")
	addJSONFlag(add, &asJSON)
	return add
}

func readPieces(in io.Reader, file string) (pieces []evidence.Piece, err error) {
	var text []byte
	if file != "" {
		text, err = readFile(file, evidence.MaxInput)
	} else {
		text, err = io.ReadAll(io.LimitReader(in, evidence.MaxInput+1))
	}
	if err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	return evidence.Parse(text)
}

// printChange prints which pieces an act was about, alone, so that a script can take them; and what it made of the level.
func printChange(cmd *cobra.Command, change evidence.Change, asJSON bool) error {
	if asJSON {
		return printJSON(cmd.OutOrStdout(), change)
	}
	for _, id := range change.Evidence {
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), id); err != nil {
			return err
		}
	}
	for _, known := range change.Known {
		if known.As == known.Evidence {
			fmt.Fprintf(cmd.ErrOrStderr(), "Already on record as %s, word for word: it was not recorded again.\n", known.As)
		} else {
			fmt.Fprintf(cmd.ErrOrStderr(), "Recorded as %s: it may be the same document as %s, which is on record already in other words.\n", known.Evidence, known.As)
		}
	}
	for _, other := range change.Others {
		fmt.Fprintf(cmd.ErrOrStderr(), "The same document counts for person %s as %s: withdraw that too, unless she showed the true one.\n", other.PersonID, other.Evidence)
	}
	_, err := fmt.Fprintf(cmd.ErrOrStderr(), "Identity of person %s: %s, before: %s.\n", change.PersonID, outcomeWords(change.After), outcomeWords(change.Before))
	return err
}

// outcomeWords is a level with the profile that it was reached by, as in "high (H1A)".
func outcomeWords(o evidence.Outcome) string {
	switch {
	case o.Profile != "":
		return fmt.Sprintf("%s (%s)", o.Level, o.Profile)
	case o.PolicyVersion == "" && o.Level != "none":
		return fmt.Sprintf("%s (asserted)", o.Level)
	}
	return string(o.Level)
}

func newEvidenceListCommand(p *program) *cobra.Command {
	var page paging
	list := &cobra.Command{
		Use:     "list PERSON",
		Short:   "List what was ever recorded of a person, oldest first",
		Example: "  credence evidence list 656005750104 --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			after, err := page.afterID()
			if err != nil {
				return err
			}
			return p.withEvidence(cmd.Context(), briefly, func(ctx context.Context, desk *evidence.Recorder) error {
				rows, err := desk.Of(ctx, args[0], after, page.limit+1)
				if err != nil {
					return hint(err, evidence.ErrUnknown, listPeople)
				}
				return listing[evidence.Recorded]{
					name: "evidence", titles: evidenceTitles(), cells: evidenceCells,
					row: func(r evidence.Recorded) any { return r }, id: func(r evidence.Recorded) string { return r.ID },
				}.print(cmd, page, rows)
			})
		},
	}
	page.addFlags(list)
	return list
}

func evidenceTitles() []string {
	return []string{"ID", "PERSON", "KIND", "NUMBER", "CHECKS", "RECORDED", "WITHDRAWN"}
}

func evidenceCells(r evidence.Recorded) []string {
	methods := each(r.Checks, func(c assurance.Check) string {
		if c.Failed {
			return string(c.Method) + " failed"
		}
		return string(c.Method)
	})
	withdrawn := "-"
	if r.Withdrawn != nil {
		withdrawn = moment(&r.Withdrawn.At) + " " + string(r.Withdrawn.Reason)
	}
	return []string{r.ID, r.PersonID, r.Kind, cmp.Or(r.Number, "-"), strings.Join(methods, ", "), moment(&r.RecordedAt), withdrawn}
}

func newEvidenceFindCommand(p *program) *cobra.Command {
	var number string
	var asJSON bool
	find := &cobra.Command{
		Use:     "find",
		Short:   "Find what was recorded with the number of a document, what counts first",
		Example: "  credence evidence find --number 123456789",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withEvidence(cmd.Context(), briefly, func(ctx context.Context, desk *evidence.Recorder) error {
				rows, err := desk.ByNumber(ctx, number)
				switch {
				case errors.Is(err, evidence.ErrInvalid):
					return &usageError{fmt.Errorf("--number: %w", err)}
				case err != nil:
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), map[string][]evidence.Recorded{"evidence": rows})
				}
				return printTable(cmd.OutOrStdout(), evidenceTitles(), each(rows, evidenceCells))
			})
		},
	}
	find.Flags().StringVar(&number, "number", "", "the `number`, however it is written")
	require(find, "number")
	addJSONFlag(find, &asJSON)
	return find
}

func newEvidenceWithdrawCommand(p *program) *cobra.Command {
	var reason string
	var asJSON bool
	reasons := strings.Join(each(evidence.Reasons(), func(r evidence.Reason) string { return string(r) }), ", ")
	withdraw := &cobra.Command{
		Use:   "withdraw ID",
		Short: "Let a piece of evidence count no more, and compute the level anew",
		Long: "Let a piece of evidence count no more, and compute the level anew from what is left. It falls at once, also for who is\n" +
			"signed in. The piece stays on record, and cannot be made to count again: record it anew.\n\n" +
			"With one that was forged goes all that was recorded of the same document for the person, and nobody can record the document\n" +
			"again. Where it counts for somebody else too, that is told and stays: the number of a forged document may be that of a true\n" +
			"one. What was withdrawn for another reason can be withdrawn as forged later, if it has a number: it stays as it was, and is\n" +
			"put on record once more as forged, without ever counting. The ids of what was withdrawn are printed.",
		Example: "  credence evidence withdraw 0190b6ce-2f4a-7c1e-9d57-3f0c5c1c7f11 --reason forged",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseID(args[0], "evidence", "`credence evidence list` shows evidence")
			if err != nil {
				return err
			}
			return p.withEvidence(cmd.Context(), briefly, func(ctx context.Context, desk *evidence.Recorder) error {
				change, err := desk.Withdraw(ctx, operator(), id, evidence.Reason(reason))
				switch {
				case errors.Is(err, evidence.ErrInvalid):
					return &usageError{fmt.Errorf("--reason is %.40q: want one of %s", reason, reasons)}
				case err != nil:
					return hint(err, evidence.ErrUnknown, "`credence evidence list` shows evidence")
				}
				if asJSON {
					return printChange(cmd, change, asJSON)
				}
				if n := len(change.Evidence); n > 1 {
					fmt.Fprintf(cmd.ErrOrStderr(), "The document was recorded %d times: none of it counts any more.\n", n)
				}
				for _, known := range change.Known {
					fmt.Fprintf(cmd.ErrOrStderr(), "Evidence %s was withdrawn before, and stays as it was: it is on record once more as %s, withdrawn as forged.\n", known.As, known.Evidence)
				}
				change.Known = nil // it is said
				return printChange(cmd, change, asJSON)
			})
		},
	}
	addReasonFlag(withdraw, &reason, "why: "+reasons)
	addJSONFlag(withdraw, &asJSON)
	return withdraw
}
