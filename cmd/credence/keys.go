package main

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/keys"
	"github.com/credence-id/credence/idp/password"
	"github.com/credence-id/credence/idp/photograph"
	"github.com/credence-id/credence/store"
)

func newKeysCommand(p *program) *cobra.Command {
	return newGroup("keys", "See, rotate and seal the keys that sign tokens", "  credence keys list",
		newKeysListCommand(p), newKeysRotateCommand(p), newKeysResealCommand(p))
}

func newKeysListCommand(p *program) *cobra.Command {
	var asJSON bool
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the keys that are published, oldest first",
		Example: "  credence keys list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				list, err := s.SigningKeys(ctx, p.clock())
				if err != nil {
					return fmt.Errorf("list signing keys: %w", err)
				}
				return printKeys(cmd, list, asJSON)
			})
		},
	}
	addJSONFlag(list, &asJSON)
	return list
}

func newKeysRotateCommand(p *program) *cobra.Command {
	var asJSON bool
	rotate := &cobra.Command{
		Use:   "rotate",
		Short: "Give every algorithm a new key and print the new keys",
		Long: "Give every algorithm a new key and print the new keys. They sign as soon as every server has them; the old ones stay\n" +
			"published until the last token that they signed is dead. This needs the seal key of the servers.",
		Example: "  CREDENCE_SEAL_KEY_FILE=/etc/credence/seal.key credence keys rotate",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, err := p.sealKey()
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				log := slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))
				added, err := keys.New(s, key, p.clock, log).Rotate(ctx, operator())
				if err != nil {
					return err
				}
				return printKeys(cmd, added, asJSON)
			})
		},
	}
	addJSONFlag(rotate, &asJSON)
	return rotate
}

func newKeysResealCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "reseal",
		Short: "Seal signing keys, numbers of evidence, passwords and photographs under the first line of the seal key's file",
		Long: "Seal the signing keys under the first line of the seal key's file, all of them or none, and then the numbers of documents\n" +
			"that are on record as evidence, people's passwords and keys of apps, and photographs, while the servers run. When the seal key\n" +
			"is rotated, this comes after every server has both lines, and before the old one leaves the file. It may be run again. The\n" +
			"service role may not do this, so it needs CREDENCE_DATABASE_OWNER_URL.",
		Example: "  CREDENCE_DATABASE_OWNER_URL_FILE=/run/secrets/owner-url CREDENCE_SEAL_KEY_FILE=/etc/credence/seal.key credence keys reseal",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			key, err := p.sealKey()
			if err != nil {
				return err
			}
			return p.withOwner(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				resealed, total, err := keys.New(s, key, p.clock, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), nil))).Reseal(ctx, operator())
				if err != nil {
					return fmt.Errorf("reseal: %w", err)
				}
				if err := say(cmd, "All %d signing keys are sealed under the first line: %d were sealed anew.\n", total, resealed); err != nil {
					return err
				}
				desk, err := evidence.New(s, key, p.clock)
				if err != nil {
					return err
				}
				if err := desk.ResealProposals(ctx); err != nil {
					return fmt.Errorf("reseal: %w", err)
				}
				if resealed, total, err = desk.Reseal(ctx, operator()); err != nil {
					return fmt.Errorf("reseal: %w", err)
				}
				if err := say(cmd, "All %d numbers of evidence are sealed under the first line: %d were sealed anew.\n", total, resealed); err != nil {
					return err
				}
				if resealed, total, err = password.New(s, key, p.clock).Reseal(ctx, operator()); err != nil {
					return fmt.Errorf("reseal: %w", err)
				}
				if err := say(cmd, "All %d passwords and keys of apps are sealed under the first line: %d were sealed anew.\n", total, resealed); err != nil {
					return err
				}
				if resealed, total, err = photograph.New(s, key, p.clock).Reseal(ctx, operator()); err != nil {
					return fmt.Errorf("reseal: %w", err)
				}
				return say(cmd, "All %d photographs are sealed under the first line: %d were sealed anew.\n", total, resealed)
			})
		},
	}
}

func printKeys(cmd *cobra.Command, list []store.SigningKey, asJSON bool) error {
	type row struct {
		ID        string     `json:"kid"`
		Alg       string     `json:"alg"`
		CreatedAt time.Time  `json:"created_at"`
		ActiveAt  time.Time  `json:"active_at"`
		ExpiresAt *time.Time `json:"expires_at"`
	}
	if asJSON {
		return printJSON(cmd.OutOrStdout(), struct {
			Keys []row `json:"keys"`
		}{each(list, func(k store.SigningKey) row {
			return row{k.ID, k.Alg, k.CreatedAt.UTC(), k.ActiveAt.UTC(), k.ExpiresAt}
		})})
	}
	return printTable(cmd.OutOrStdout(), []string{"KID", "ALGORITHM", "SIGNS FROM", "PUBLISHED UNTIL"}, each(list, func(k store.SigningKey) []string {
		return []string{k.ID, k.Alg, moment(&k.ActiveAt), moment(k.ExpiresAt)}
	}))
}
