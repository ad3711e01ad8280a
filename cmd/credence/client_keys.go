package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// mostKeys bounds what is read of a file with keys: the registration says how long a key set may be.
const mostKeys = 1 << 20

// readKeys reads the file of --jwks. What is in it is for the registration to judge.
func (f *clientFlags) readKeys() error {
	if f.jwks == "" {
		return nil
	}
	var err error
	if f.JWKS, err = readFile(f.jwks, mostKeys); err != nil {
		return fmt.Errorf("read keys: %w", err)
	}
	if len(f.JWKS) == 0 {
		return fmt.Errorf("the file %s is empty: want a JSON Web Key Set", f.jwks)
	}
	return nil
}

// applyKeys sets the keys that were given, in the place of those there were, and says whether any were. Whoever gives keys means
// that they are used, and whoever gives another way to authenticate means that they are not.
func (f *clientFlags) applyKeys(cmd *cobra.Command, r *oauth.Registration) bool {
	given, how := cmd.Flags().Changed("jwks") || cmd.Flags().Changed("jwks-uri"), cmd.Flags().Changed("auth")
	if given || how && f.Authentication != oauth.AuthPrivateKeyJWT {
		r.JWKS, r.JWKSURI = f.JWKS, f.JWKSURI
	}
	if given && !how {
		r.Authentication = oauth.AuthPrivateKeyJWT
	}
	return given
}

func newClientDecideCommand(p *program) *cobra.Command {
	var approve, refuse bool
	var reason string
	decide := &cobra.Command{
		Use:   "decide APPLICATION",
		Short: "Approve or refuse what goes live, where no organisation is above the one that applied",
		Long: "Approve or refuse an application for a client that goes live, where no organisation is above the one that applied. Everywhere\n" +
			"else officers decide, at the desk. APPLICATION is the last part of the address of its page there.",
		Example: `  credence client decide 01970c4e-8f1a-7c3e-9a51-3f0f4c5d6e7f --approve --reason "Agreed with the board"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseID(args[0], "an application", "take the last part of the address of its page")
			if err != nil {
				return err
			}
			if approve == refuse {
				return &usageError{errors.New("give one of --approve and --refuse")}
			}
			verdict := position.Refuse
			if approve {
				verdict = position.Approve
			}
			rules, err := authority.New()
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				outbox, err := p.outbox(ctx, s)
				if err != nil {
					return err
				}
				registrar := &onboarding.Registrar{Store: s, Rules: rules, Messenger: outbox, Now: p.clock}
				client, err := registrar.DecideAsOperator(ctx, operator(), id, verdict, reason)
				if err != nil {
					return err
				}
				if !approve {
					return say(cmd, "Application %s is refused.\n", id)
				}
				return say(cmd, "client_id: %s\n", client)
			})
		},
	}
	decide.Flags().BoolVar(&approve, "approve", false, "approve it: its client works from then on")
	decide.Flags().BoolVar(&refuse, "refuse", false, "refuse it")
	addReasonFlag(decide, &reason, "why, for the record and for whoever applied")
	return decide
}
