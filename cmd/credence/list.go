package main

import (
	"fmt"

	"github.com/google/uuid"
	"github.com/spf13/cobra"
)

// paging is the part of a list that was asked for.
type paging struct {
	after string
	limit int
	json  bool
}

const mostRows = 1000

func (p *paging) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.after, "after", "", "begin after this `id`: what the page before gave as next")
	cmd.Flags().IntVar(&p.limit, "limit", 100, fmt.Sprintf("at most so many `rows`, up to %d", mostRows))
	addJSONFlag(cmd, &p.json)
}

func (p *paging) check() error {
	if p.limit < 1 || p.limit > mostRows {
		return &usageError{fmt.Errorf("--limit is %d: want 1 to %d", p.limit, mostRows)}
	}
	return nil
}

// afterID is the id after which a list by UUID begins.
func (p *paging) afterID() (uuid.UUID, error) {
	if err := p.check(); err != nil || p.after == "" {
		return uuid.Nil, err
	}
	id, err := uuid.Parse(p.after)
	if err != nil {
		return uuid.Nil, &usageError{fmt.Errorf("--after is %.60q: want what the page before gave as next", p.after)}
	}
	return id, nil
}

// cut takes off what was read only to learn whether there is more, and returns the id that the next page comes
// after, or "".
func cut[T any](rows []T, limit int, id func(T) string) (shown []T, next string) {
	if len(rows) <= limit {
		return rows, ""
	}
	return rows[:limit], id(rows[limit-1])
}

// gather reads as much of a list that has pages of its own as was asked for, and more where there is more.
func gather[T, ID any](limit int, after ID, id func(T) ID, read func(after ID) ([]T, bool, error)) (rows []T, err error) {
	for more := true; more && len(rows) <= limit; {
		var list []T
		if list, more, err = read(after); err != nil {
			return nil, err
		}
		rows = append(rows, list...)
		if more {
			after = id(list[len(list)-1])
		}
	}
	return rows, nil
}

// sayMore tells a person how to see the next page.
func sayMore(cmd *cobra.Command, next string) {
	if next != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "There is more: --after %s\n", next)
	}
}

// listing is how the rows of a list are printed: as JSON, the list under a name, or as a table.
type listing[T any] struct {
	name   string
	titles []string
	cells  func(T) []string
	row    func(T) any
	id     func(T) string // that the next page comes after
}

// print prints the page of a list that was asked for, of which more was read where there is more.
func (l listing[T]) print(cmd *cobra.Command, page paging, rows []T) error {
	rows, next := cut(rows, page.limit, l.id)
	if page.json {
		return printJSON(cmd.OutOrStdout(), map[string]any{l.name: each(rows, l.row), "next": next})
	}
	sayMore(cmd, next)
	return printTable(cmd.OutOrStdout(), l.titles, each(rows, l.cells))
}
