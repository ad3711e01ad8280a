package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/directory"
)

// printJSON prints one object.
func printJSON(w io.Writer, object any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(object)
}

// printTable prints rows under titles. What a terminal would obey instead of show, it shows as a replacement character:
// people name their own authenticators.
func printTable(w io.Writer, titles []string, rows [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{titles}, rows...) {
		for i, cell := range row {
			row[i] = strings.Map(shown, cell)
		}
		if _, err := fmt.Fprintln(t, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return t.Flush()
}

func shown(r rune) rune {
	if unicode.IsGraphic(r) {
		return r
	}
	return unicode.ReplacementChar
}

// say tells what was done.
func say(cmd *cobra.Command, format string, values ...any) error {
	_, err := fmt.Fprintf(cmd.OutOrStdout(), format, values...)
	return err
}

// moment is a time as lists show it, and "-" for none.
func moment(t *time.Time) string {
	if t == nil {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

// orDash is a text that may be none, and "-" for none.
func orDash(text *string) string {
	if text == nil {
		return "-"
	}
	return *text
}

// each converts the elements of a list. A list without elements is not nil, so that JSON has [] and not null.
func each[T, V any](list []T, convert func(T) V) []V {
	out := make([]V, len(list))
	for i, e := range list {
		out[i] = convert(e)
	}
	return out
}

// hint adds how to correct a mistake to an error that is the target, or to those of several that are.
func hint(err, target error, fix string) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return errors.Join(each(joined.Unwrap(), func(err error) error { return hint(err, target, fix) })...)
	}
	if errors.Is(err, target) {
		return fmt.Errorf("%w: %s", err, fix)
	}
	return err
}

// asFlags is the text of an error, in which the fields of a record have the names of the flags that set them.
func asFlags(err error) string {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return strings.Join(each(joined.Unwrap(), asFlags), "\n")
	}
	if wrong, ok := errors.AsType[*directory.InvalidError](err); ok {
		return "--" + strings.ReplaceAll(wrong.Field, "_", "-") + ": want " + wrong.Want
	}
	return err.Error()
}
