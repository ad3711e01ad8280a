package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
)

func newAuthenticatorPolicyCommand(p *program) *cobra.Command {
	return newGroup("policy", "Say what the authenticators of an organisation's people have to be", "  credence authenticator policy show ZX400",
		newPolicySetCommand(p), newPolicyShowCommand(p), newPolicyClearCommand(p))
}

func newPolicySetCommand(p *program) *cobra.Command {
	var policy store.AuthenticatorPolicy
	var allowed, denied []string
	set := &cobra.Command{
		Use:   "set ORGANISATION",
		Short: "Set the policy of an organisation, in place of the one before",
		Long: `Set what the authenticators of an organisation's people have to be, in place of what was
asked before. It holds for the organisations below it as well, unless they have a policy
of their own; for people of several organisations the policies of all hold. What does not
meet it is not bound any more and is refused at its next use: then
credence authenticator affected lists whom that concerns.`,
		Example: `  credence authenticator policy set ZX400 --device-bound --attestation
  credence authenticator policy set ZX400 --deny 2fc0579f-8113-47ea-b116-bb5a8db9202a`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			policy.OrganisationCode = args[0]
			for _, part := range []struct {
				from []string
				to   *[]uuid.UUID
			}{{allowed, &policy.Allowed}, {denied, &policy.Denied}} {
				for _, text := range part.from {
					aaguid, err := parseAAGUID(text)
					if err != nil {
						return err
					}
					*part.to = append(*part.to, aaguid)
				}
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				if err := webauthn.SetPolicy(ctx, s, policy, operator(), p.clock()); err != nil {
					return hint(err, webauthn.ErrNoOrganisation, listOrganisations)
				}
				return say(cmd, "Organisation %s has the policy.\n", policy.OrganisationCode)
			})
		},
	}
	set.Flags().StringSliceVar(&allowed, "allow", nil, "`AAGUID` of a model that alone may be used, proved by attestation; repeat it for more")
	set.Flags().StringSliceVar(&denied, "deny", nil, "`AAGUID` of a model that may not be used; repeat it for more")
	set.Flags().BoolVar(&policy.DeviceBound, "device-bound", false, "take keys that cannot be copied alone")
	set.Flags().BoolVar(&policy.Attestation, "attestation", false, "take authenticators alone that prove which model they are")
	return set
}

func newPolicyShowCommand(p *program) *cobra.Command {
	var asJSON bool
	show := &cobra.Command{
		Use:     "show ORGANISATION",
		Short:   "Show the policy that holds for an organisation, its own or one that it inherits",
		Example: "  credence authenticator policy show ZX400 --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				models, err := p.models(ctx, s)
				if err != nil {
					return err
				}
				policy, there := models.Policy(args[0])
				if !there {
					return noPolicyHolds(ctx, s, args[0])
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), struct {
						Organisation string   `json:"organisation"`
						From         string   `json:"from"`
						Allowed      []string `json:"allowed"`
						Denied       []string `json:"denied"`
						DeviceBound  bool     `json:"device_bound"`
						Attestation  bool     `json:"attestation"`
					}{args[0], policy.OrganisationCode, each(policy.Allowed, uuid.UUID.String), each(policy.Denied, uuid.UUID.String), policy.DeviceBound, policy.Attestation})
				}
				return printTable(cmd.OutOrStdout(), []string{"ORGANISATION", "FROM", "DEVICE BOUND", "ATTESTATION", "ALLOWED", "DENIED"}, [][]string{{
					args[0], policy.OrganisationCode, yes(policy.DeviceBound), yes(policy.Attestation), modelsOr(policy.Allowed, "any"), modelsOr(policy.Denied, "none"),
				}})
			})
		},
	}
	addJSONFlag(show, &asJSON)
	return show
}

// noPolicyHolds says of an organisation for which no policy holds whether there is such a one.
func noPolicyHolds(ctx context.Context, s *store.Store, organisation string) error {
	if _, err := findPath(ctx, s, organisation); err != nil {
		return err
	}
	return fmt.Errorf("no policy holds for organisation %q: anything may be used", organisation)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// modelsOr lists models, or says what none stands for.
func modelsOr(models []uuid.UUID, none string) string {
	if len(models) == 0 {
		return none
	}
	return strings.Join(each(models, uuid.UUID.String), " ")
}

func newPolicyClearCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "clear ORGANISATION",
		Short:   "Take the policy of an organisation away; one that it inherits holds again",
		Example: "  credence authenticator policy clear ZX400",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				err := webauthn.ClearPolicy(ctx, s, args[0], operator(), p.clock())
				if errors.Is(err, webauthn.ErrNoPolicy) {
					return fmt.Errorf("organisation %.40q has no policy of its own: `credence authenticator policy show` shows one that it inherits", args[0])
				}
				if err != nil {
					return err
				}
				return say(cmd, "Organisation %s has no policy of its own any more.\n", args[0])
			})
		},
	}
}
