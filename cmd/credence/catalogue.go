package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/store"
)

func newCatalogueCommand(p *program) *cobra.Command {
	return newGroup("catalogue", "Keep the codes of job roles, activities and areas of work", `  credence catalogue list
  credence catalogue import activities.csv --dry-run`,
		newCatalogueListCommand(p), newCatalogueImportCommand(p))
}

// readCatalogue reads the codes that can be granted.
func readCatalogue(ctx context.Context, s *store.Store) (*directory.Catalogue, error) {
	c, err := directory.NewCatalogue()
	if err != nil {
		return nil, err
	}
	return c, c.Load(ctx, s)
}

func newCatalogueListCommand(p *program) *cobra.Command {
	type row struct {
		Kind    string `json:"kind"`
		Code    string `json:"code"`
		Name    string `json:"name"`
		Retired bool   `json:"retired"`
	}
	var asJSON bool
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the codes of job roles, activities and areas of work, and which are retired",
		Example: "  credence catalogue list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				c, err := readCatalogue(ctx, s)
				if err != nil {
					return err
				}
				rows := []row{}
				for _, kind := range directory.CodeKinds() {
					for _, e := range c.All(kind) {
						rows = append(rows, row{string(kind), e.Code, e.Name, e.Retired})
					}
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), map[string][]row{"codes": rows})
				}
				return printTable(cmd.OutOrStdout(), []string{"KIND", "CODE", "NAME", "RETIRED"}, each(rows, func(r row) []string {
					return []string{r.Kind, r.Code, r.Name, yes(r.Retired)}
				}))
			})
		},
	}
	addJSONFlag(list, &asJSON)
	return list
}

func newCatalogueImportCommand(p *program) *cobra.Command {
	type row struct {
		Kind   string `json:"kind"`
		Code   string `json:"code"`
		Change string `json:"change"`
		Name   string `json:"name"`
		Before string `json:"before"`
	}
	var look, asJSON bool
	imports := &cobra.Command{
		Use:   "import FILE...",
		Short: "Make the codes of job roles, activities or areas of work those of CSV files",
		Long: `Make the codes of job roles, activities or areas of work those of CSV files, all of them or none, and say what
changes. The titles of a file say what it has: code,name of activities; code,staff_group,sub_group,role of job
roles; code,speciality,sub_speciality,area of areas of work. Columns after those are yours. What is not in the
file of its kind any more is retired: nobody is given it, and who has it keeps it. Servers see it within two
seconds.`,
		Example: `  credence catalogue import activities.csv job_roles.csv --dry-run
  credence catalogue import activities.csv`,
		Args: cobra.RangeArgs(1, len(directory.CodeKinds())),
		RunE: func(cmd *cobra.Command, args []string) error {
			files, err := readCodes(args)
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				changes, err := directory.ImportCodes(ctx, s, files, operator(), p.clock(), look)
				if err != nil {
					return err
				}
				rows := each(changes, func(c directory.CodeChange) row { return row{string(c.Kind), c.Code, c.Change, c.Name, c.Before} })
				if asJSON {
					return printJSON(cmd.OutOrStdout(), struct {
						Imported bool  `json:"imported"`
						Changes  []row `json:"changes"`
					}{!look, rows})
				}
				if look {
					fmt.Fprintln(cmd.ErrOrStderr(), "Nothing was imported. Without --dry-run this would change:")
				}
				return printTable(cmd.OutOrStdout(), []string{"KIND", "CODE", "CHANGE", "NAME", "NAME BEFORE"}, each(rows, func(r row) []string {
					return []string{r.Kind, r.Code, r.Change, r.Name, r.Before}
				}))
			})
		},
	}
	addDryRunFlag(imports, &look)
	addJSONFlag(imports, &asJSON)
	return imports
}

// readCodes reads files of codes, each of a kind of its own.
func readCodes(paths []string) (map[directory.CodeKind][]directory.Entry, error) {
	files := make(map[directory.CodeKind][]directory.Entry)
	for _, path := range paths {
		data, err := readFile(path, directory.LargestCodes)
		if err != nil {
			return nil, err
		}
		kind, entries, err := directory.ParseCodes(data)
		if err != nil {
			return nil, fmt.Errorf("%s:\n%w", path, err)
		}
		if files[kind] != nil {
			return nil, &usageError{fmt.Errorf("%s is a second file of kind %s: put its codes into the first", path, kind)}
		}
		files[kind] = entries
	}
	return files, nil
}
