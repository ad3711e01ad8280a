package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/store"
)

func newMigrateCommand(p *program) *cobra.Command {
	up := &cobra.Command{
		Use:     "up",
		Short:   "Bring the schema of the database to the version of this program",
		Long:    "Bring the schema of the database to the version of this program. Run it before the servers of a new release start; those of the release before work on with it.",
		Example: "  CREDENCE_DATABASE_OWNER_URL_FILE=/run/secrets/owner-url credence migrate up",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			url, err := p.ownerURL(cmd.Context())
			if err != nil {
				return err
			}
			if err := store.MigrateUp(cmd.Context(), url); err != nil {
				return err
			}
			return printSchema(cmd, url)
		},
	}
	var versions int
	down := &cobra.Command{
		Use:     "down",
		Short:   "Take back versions of the schema, with all that their tables hold",
		Example: "  credence migrate down --versions 1",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if versions < 1 {
				return &usageError{fmt.Errorf("--versions is %d: want 1 or more", versions)}
			}
			url, err := p.ownerURL(cmd.Context())
			if err != nil {
				return err
			}
			schema, err := readSchema(cmd.Context(), url)
			if err != nil {
				return err
			}
			if versions > schema.Version {
				return fmt.Errorf("the schema is at version %d: there are no %d versions to take back", schema.Version, versions)
			}
			if err := store.MigrateDown(cmd.Context(), url, versions); err != nil {
				return err
			}
			return printSchema(cmd, url)
		},
	}
	down.Flags().IntVar(&versions, "versions", 1, "take back so `many`")
	var asJSON bool
	status := &cobra.Command{
		Use:     "status",
		Short:   "Show the version of the schema and that of this program",
		Example: "  credence migrate status --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			url, err := p.ownerURL(cmd.Context())
			if err != nil {
				return err
			}
			if !asJSON {
				return printSchema(cmd, url)
			}
			schema, err := readSchema(cmd.Context(), url)
			if err != nil {
				return err
			}
			return printJSON(cmd.OutOrStdout(), struct {
				Version int `json:"version"`
				Latest  int `json:"latest"`
			}{schema.Version, schema.Latest})
		},
	}
	addJSONFlag(status, &asJSON)
	return newGroup("migrate", "Change the schema of the database", `  credence migrate status
  credence migrate up`, up, down, status)
}

func readSchema(ctx context.Context, url string) (store.Schema, error) {
	s, err := store.Open(ctx, url)
	if err != nil {
		return store.Schema{}, err
	}
	defer s.Close()
	return s.Schema(ctx)
}

func printSchema(cmd *cobra.Command, url string) error {
	schema, err := readSchema(cmd.Context(), url)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "The schema is at version %d, and this program needs %d.\n", schema.Version, schema.Latest)
	return err
}
