package main

import (
	"context"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/migrations"
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
	var yes bool
	down := &cobra.Command{
		Use:   "down",
		Short: "Take back versions of the schema, with all that their tables hold",
		Long: "Take back versions of the schema, with all that their tables hold. Nothing brings that back but a backup, so it needs\n" +
			"--yes, other than on a database of credence dev.",
		Example: "  credence migrate down --versions 1 --yes",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if versions < 1 {
				return &usageError{fmt.Errorf("--versions is %d: want 1 or more", versions)}
			}
			url, err := p.ownerURL(cmd.Context())
			if err != nil {
				return err
			}
			if err := checkDown(cmd.Context(), url, versions, yes); err != nil {
				return err
			}
			if err := store.MigrateDown(cmd.Context(), url, versions); err != nil {
				return err
			}
			return printSchema(cmd, url)
		},
	}
	down.Flags().IntVar(&versions, "versions", 1, "take back so `many`")
	down.Flags().BoolVar(&yes, "yes", false, "delete what the tables of those versions hold")
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

// checkDown refuses to take back what is not there, and what somebody would miss.
func checkDown(ctx context.Context, url string, versions int, yes bool) error {
	s, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	defer s.Close()
	schema, err := s.Schema(ctx)
	if err != nil {
		return err
	}
	remaining := schema.Version - versions
	if remaining < 0 {
		return fmt.Errorf("the schema is at version %d: there are no %d versions to take back", schema.Version, versions)
	}
	if yes || schema.Version > schema.Latest { // MigrateDown refuses what it does not know
		return nil
	}
	development, err := s.Development(ctx)
	if err != nil || development {
		return err
	}
	names, err := fs.Glob(migrations.FS, "*.down.sql")
	if err != nil {
		return err
	}
	lost := each(names[remaining:schema.Version], func(name string) string { return strings.TrimSuffix(name, ".down.sql") })
	return fmt.Errorf("this deletes what the tables of %s hold, and only a backup brings it back: add --yes to do it", strings.Join(lost, ", "))
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
	return say(cmd, "The schema is at version %d, and this program needs %d.\n", schema.Version, schema.Latest)
}
