package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

const listPeople = "`credence person list` shows people"

// findPerson reads the person whom a command names.
func findPerson(ctx context.Context, s *store.Store, id string, now time.Time) (store.Standing, error) {
	person, err := s.Person(ctx, id, now)
	if errors.Is(err, store.ErrNotFound) {
		return store.Standing{}, fmt.Errorf("no person has id %.40q: %s", id, listPeople)
	}
	if err != nil {
		return store.Standing{}, fmt.Errorf("read person %.40q: %w", id, err)
	}
	return person, nil
}

func newPersonCommand(p *program) *cobra.Command {
	return newGroup("person", "Add people and withdraw their access", `  credence person list
  credence person enrol-link 656005750107`,
		newPersonAddCommand(p),
		newPersonListCommand(p),
		newPersonStateCommand(p, "disable", "Take all access from a person at once, and end her sessions", "disabled", directory.DisablePerson),
		newPersonStateCommand(p, "enable", "Give a disabled person her access back", "enabled", directory.EnablePerson),
		newPersonEnrolLinkCommand(p),
		newPersonLinksCommand(p),
		newPersonCancelLinkCommand(p),
		newPersonCorrectCommand(p),
		newPersonLeaveCommand(p),
		newPersonCloseCommand(p),
		newPersonReopenCommand(p),
		newPersonMergeCommand(p),
		newPersonDecideMergeCommand(p, "approve-merge", "Approve a merge that another officer proposed", position.Approve),
		newPersonDecideMergeCommand(p, "refuse-merge", "Refuse a merge that another officer proposed", position.Refuse),
	)
}

// printID prints the id of what was added, alone, so that a script can take it.
func printID(cmd *cobra.Command, id string, asJSON bool) error {
	if asJSON {
		return printJSON(cmd.OutOrStdout(), map[string]string{"id": id})
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), id)
	return err
}

func newPersonListCommand(p *program) *cobra.Command {
	type row struct {
		ID            string     `json:"id"`
		DisplayName   string     `json:"display_name"`
		IdentityLevel string     `json:"identity_level"`
		DisabledAt    *time.Time `json:"disabled_at"`
	}
	var page paging
	list := &cobra.Command{
		Use:     "list",
		Short:   "List people by id",
		Example: "  credence person list --json --limit 1000 --after 656005750107",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := page.check(); err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				people, err := s.People(ctx, page.after, page.limit+1)
				if err != nil {
					return fmt.Errorf("list people: %w", err)
				}
				return listing[store.PersonRow]{
					name: "people", titles: []string{"ID", "NAME", "IDENTITY", "DISABLED"}, id: func(r store.PersonRow) string { return r.ID },
					row: func(r store.PersonRow) any { return row(r) },
					cells: func(r store.PersonRow) []string {
						return []string{r.ID, r.DisplayName, r.IdentityLevel, moment(r.DisabledAt)}
					},
				}.print(cmd, page, people)
			})
		},
	}
	page.addFlags(list)
	return list
}

func newPersonStateCommand(p *program, name, short, done string, change func(ctx context.Context, s *store.Store, id, actor string, now time.Time) error) *cobra.Command {
	return &cobra.Command{
		Use:     name + " ID",
		Short:   short,
		Example: "  credence person " + name + " 656005750107",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				err := change(ctx, s, args[0], operator(), p.clock())
				if errors.Is(err, directory.ErrUnknown) {
					if _, err := findPerson(ctx, s, args[0], p.clock()); err != nil {
						return err
					}
					return fmt.Errorf("person %q is %s already", args[0], done)
				}
				if err != nil {
					return err
				}
				return say(cmd, "Person %s is %s.\n", args[0], done)
			})
		},
	}
}
