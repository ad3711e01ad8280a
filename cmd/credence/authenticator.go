package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/store"
)

func newAuthenticatorCommand(p *program) *cobra.Command {
	return newGroup("authenticator", "See what people sign in with, and revoke it", "  credence authenticator list 656005750107",
		newAuthenticatorListCommand(p), newAuthenticatorRevokeCommand(p))
}

func newAuthenticatorListCommand(p *program) *cobra.Command {
	type row struct {
		ID                string     `json:"id"`
		Name              string     `json:"name"`
		Kind              string     `json:"kind"`
		AAGUID            string     `json:"aaguid"`
		Transports        []string   `json:"transports"`
		AttestationFormat string     `json:"attestation_format"`
		BackupEligible    bool       `json:"backup_eligible"`
		BackupState       bool       `json:"backup_state"`
		CreatedAt         time.Time  `json:"created_at"`
		LastUsedAt        *time.Time `json:"last_used_at"`
		RevokedAt         *time.Time `json:"revoked_at"`
	}
	var revoked, asJSON bool
	list := &cobra.Command{
		Use:     "list PERSON",
		Short:   "List the authenticators of a person, oldest first",
		Example: "  credence authenticator list 656005750107 --revoked --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				if _, err := findPerson(ctx, s, args[0], p.clock()); err != nil {
					return err
				}
				authenticators, err := s.Authenticators(ctx, args[0], revoked)
				if err != nil {
					return fmt.Errorf("list authenticators: %w", err)
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), struct {
						Authenticators []row `json:"authenticators"`
					}{each(authenticators, func(a store.Authenticator) row {
						return row{
							a.ID.String(), a.Name, a.Kind, a.AAGUID.String(), a.Transports, a.AttestationFormat,
							a.BackupEligible, a.BackupState, a.CreatedAt.UTC(), a.LastUsedAt, a.RevokedAt,
						}
					})})
				}
				return printTable(cmd.OutOrStdout(), []string{"ID", "NAME", "KIND", "CREATED", "LAST USED", "REVOKED"}, each(authenticators, func(a store.Authenticator) []string {
					return []string{a.ID.String(), a.Name, a.Kind, moment(&a.CreatedAt), moment(a.LastUsedAt), moment(a.RevokedAt)}
				}))
			})
		},
	}
	list.Flags().BoolVar(&revoked, "revoked", false, "list those that were revoked as well")
	addJSONFlag(list, &asJSON)
	return list
}

func newAuthenticatorRevokeCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "revoke ID",
		Short:   "Revoke an authenticator, and end the sessions that were begun with it",
		Example: "  credence authenticator revoke 0190b6ce-2f4a-7c1e-9d57-3f0c5c1c7f11",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := uuid.Parse(args[0])
			if err != nil {
				return &usageError{fmt.Errorf("%q is not the id of an authenticator: `credence authenticator list PERSON` shows them", args[0])}
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				if err := registration.RevokeAuthenticator(ctx, s, id, operator(), p.clock()); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "Authenticator %s is revoked.\n", id)
				return err
			})
		},
	}
}
