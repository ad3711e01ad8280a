package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/assurance"
)

func newAssuranceCommand(p *program) *cobra.Command {
	group := newGroup("assurance", "See how levels are derived", `  echo '{"evidence":[{"strength":4,"validity":3}],"fraud":1,"verification":3}' | credence assurance evaluate`,
		newAssuranceEvaluateCommand())
	group.AddCommand(p.onDatabase(newAssuranceExplainCommand(p), newAssuranceRecomputeCommand(p))...)
	return group
}

func newAssuranceEvaluateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "evaluate",
		Short: "Derive the level of an identity from the scores of GPG 45",
		Long: "Derive the level of an identity from the scores of GPG 45: for each input on standard input print one line with the level,\n" +
			"the profiles that are met, the best of them, and what the levels above still take.\n\n" +
			"An input is a JSON object, on one line or on several: evidence is a list of pieces, each with strength (1 to 4), validity\n" +
			"(0 to 4) and, where it is known, kind; activity (0 to 4), fraud (0 to 3) and verification (0 to 4) are 0 when they are not\n" +
			"given. Kinds only tell pieces apart, whatever they are called: of one kind one piece counts for a profile. A line that\n" +
			"begins with { begins an input. A bad input is answered with " + `{"error":"..."}` + ", the others are evaluated all the\n" +
			"same, and the exit status is 1.",
		Example: `  credence assurance evaluate
  echo '{"evidence":[{"strength":4,"validity":3,"kind":"passport"}],"fraud":1,"verification":3}' | credence assurance evaluate`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			policy, err := assurance.NewPolicy()
			if err != nil {
				return err
			}
			return evaluateAll(policy, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
}

// evaluateAll answers each input with a line, as soon as it is complete.
func evaluateAll(policy *assurance.Policy, in io.Reader, out io.Writer) error {
	inputs, answers := newInputReader(in), json.NewEncoder(out)
	answers.SetEscapeHTML(false)
	var all, bad int
	for {
		input, err := inputs.next()
		if errors.Is(err, io.EOF) {
			break
		}
		var answer any
		if err == nil {
			answer, err = evaluateInput(policy, input)
		} else if !errors.Is(err, errInputTooLong) {
			return fmt.Errorf("read standard input: %w", err)
		}
		all++
		if err != nil {
			bad++
			answer = badInput{err.Error()}
		}
		if err := answers.Encode(answer); err != nil {
			return fmt.Errorf("print result: %w", err)
		}
	}
	switch {
	case all == 0:
		if err := answers.Encode(badInput{errNoInput.Error()}); err != nil {
			return fmt.Errorf("print result: %w", err)
		}
		return errNoInput
	case bad > 0:
		return fmt.Errorf("%d of %d inputs are bad", bad, all)
	}
	return nil
}

// badInput is the answer to what cannot be evaluated.
type badInput struct {
	Error string `json:"error"`
}

var errNoInput = errors.New("standard input is empty: " + wantedInput)

const wantedInput = "want a JSON object with evidence, activity, fraud and verification"

func evaluateInput(policy *assurance.Policy, input []byte) (assurance.Result, error) {
	if what := notScores(input); what != "" {
		return assurance.Result{}, fmt.Errorf("this is %s: %s", what, wantedInput)
	}
	scores, err := assurance.ParseScores(input)
	if err != nil {
		return assurance.Result{}, err
	}
	return policy.Evaluate(scores)
}

// notScores says what stands in the place of scores; "" when that is an object that has something, or no JSON.
func notScores(input []byte) string {
	var value any
	if err := json.Unmarshal(input, &value); err != nil {
		return ""
	}
	switch value := value.(type) {
	case map[string]any:
		if len(value) == 0 {
			return "an empty object"
		}
		return ""
	case []any:
		return "a list"
	case string:
		return "text"
	case nil:
		return "null"
	}
	return "a single value"
}

// longestInput is enough for as many pieces of evidence as there may be.
const longestInput = 64 << 10

var errInputTooLong = fmt.Errorf("the input is too long: want at most %d bytes", longestInput)

// inputReader cuts standard input into objects: see the help of evaluate.
type inputReader struct{ lines *bufio.Reader }

func newInputReader(r io.Reader) inputReader {
	return inputReader{bufio.NewReaderSize(r, longestInput)}
}

// next returns the next input, which may be broken, or errInputTooLong for one that was skipped. At the end it is io.EOF.
func (r inputReader) next() ([]byte, error) {
	var input []byte
	for {
		first, err := r.lines.Peek(1)
		switch {
		case len(input) > 0 && (errors.Is(err, io.EOF) || err == nil && first[0] == '{'): // nothing more belongs to it
			return bounded(input)
		case err != nil:
			return nil, err
		}
		oneLine := len(input) == 0
		for more := true; more; {
			part, err := r.lines.ReadSlice('\n')
			more = errors.Is(err, bufio.ErrBufferFull)
			if err != nil && !more && !errors.Is(err, io.EOF) {
				return nil, err
			}
			if len(input) <= longestInput { // what comes after is skipped
				input = append(input, part...)
			}
		}
		text := bytes.TrimSpace(input)
		if len(text) == 0 {
			input = nil
			continue
		}
		if oneLine && len(input) > longestInput {
			return nil, errInputTooLong
		}
		if oneLine || len(input) <= longestInput && text[len(text)-1] == '}' {
			err := json.NewDecoder(bytes.NewReader(text)).Decode(new(json.RawMessage))
			if err == nil || oneLine && !errors.Is(err, io.ErrUnexpectedEOF) {
				return bounded(input)
			}
		}
	}
}

func bounded(input []byte) ([]byte, error) {
	if len(input) > longestInput {
		return nil, errInputTooLong
	}
	return input, nil
}
