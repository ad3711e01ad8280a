package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

const listOrganisations = "`credence organisation list` shows organisations"

// findPath reads the organisation that a command names, with those above it.
func findPath(ctx context.Context, s *store.Store, code string) ([]string, error) {
	path, err := s.OrganisationPath(ctx, code)
	if errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("organisation %.40q is unknown: %s", code, listOrganisations)
	}
	if err != nil {
		return nil, fmt.Errorf("read organisation %.40q: %w", code, err)
	}
	return path, nil
}

func newOrganisationCommand(p *program) *cobra.Command {
	return newGroup("organisation", "Add organisations that people act for", "  credence organisation list",
		newOrganisationAddCommand(p), newOrganisationListCommand(p), newOrganisationPolicyCommand(p))
}

func newOrganisationAddCommand(p *program) *cobra.Command {
	var o store.Organisation
	var parent string
	add := &cobra.Command{
		Use:     "add",
		Short:   "Add an organisation",
		Example: `  credence organisation add --code ZX400 --name "Example Surgery" --parent ZX000`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("parent") {
				o.ParentCode = &parent
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				err := directory.AddOrganisation(ctx, s, o, operator(), p.clock())
				if err != nil {
					return hint(hint(err, directory.ErrUnknown, listOrganisations), directory.ErrTaken, listOrganisations)
				}
				return say(cmd, "Organisation %s is added.\n", o.Code)
			})
		},
	}
	add.Flags().StringVar(&o.Code, "code", "", "ODS `code`, such as ZX400")
	add.Flags().StringVar(&o.Name, "name", "", "name as pages show it")
	add.Flags().StringVar(&parent, "parent", "", "`code` of the organisation that it belongs to")
	require(add, "code", "name")
	return add
}

func newOrganisationListCommand(p *program) *cobra.Command {
	type row struct {
		Code   string  `json:"code"`
		Name   string  `json:"name"`
		Parent *string `json:"parent"`
	}
	var page paging
	list := &cobra.Command{
		Use:     "list",
		Short:   "List organisations by code",
		Example: "  credence organisation list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := page.check(); err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				organisations, err := s.Organisations(ctx, page.after, page.limit+1)
				if err != nil {
					return fmt.Errorf("list organisations: %w", err)
				}
				return listing[store.Organisation]{
					name: "organisations", titles: []string{"CODE", "NAME", "PARENT"}, id: func(o store.Organisation) string { return o.Code },
					row: func(o store.Organisation) any { return row{o.Code, o.Name, o.ParentCode} },
					cells: func(o store.Organisation) []string {
						return []string{o.Code, o.Name, orDash(o.ParentCode)}
					},
				}.print(cmd, page, organisations)
			})
		},
	}
	page.addFlags(list)
	return list
}
