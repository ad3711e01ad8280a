package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
)

func newAuthenticatorCommand(p *program) *cobra.Command {
	return newGroup("authenticator", "See what people sign in with, say what may be used, and stop it", "  credence authenticator list 656005750107",
		newAuthenticatorListCommand(p),
		newAuthenticatorChangeCommand(p, "suspend", "Suspend an authenticator, and end the sessions that were begun with it", registration.Suspend, "suspended"),
		newAuthenticatorChangeCommand(p, "resume", "Let an authenticator that was suspended work again", registration.Resume, "active"),
		newAuthenticatorChangeCommand(p, "lost", "Report an authenticator lost, and end the sessions that were begun with it", registration.ReportLoss, "lost"),
		newAuthenticatorChangeCommand(p, "found", "Let an authenticator that was lost and found work again", registration.Find, "active"),
		newAuthenticatorChangeCommand(p, "return", "Take an authenticator back, and end the sessions that were begun with it", registration.Return, "returned"),
		newAuthenticatorChangeCommand(p, "revoke", "Revoke an authenticator for good, and end the sessions that were begun with it", registration.Revoke, "revoked"),
		newAuthenticatorRenameCommand(p), newAuthenticatorAffectedCommand(p), newAuthenticatorRecomputeCommand(p),
		newAuthenticatorModelCommand(p), newAuthenticatorPolicyCommand(p), newAuthenticatorMetadataCommand(p))
}

func newAuthenticatorListCommand(p *program) *cobra.Command {
	type row struct {
		ID                string     `json:"id"`
		Name              string     `json:"name"`
		Kind              string     `json:"kind"`
		AAGUID            string     `json:"aaguid"`
		Model             string     `json:"model"`
		Transports        []string   `json:"transports"`
		AttestationFormat string     `json:"attestation_format"`
		Verdict           string     `json:"attestation_verdict"`
		Level             string     `json:"authenticator_level"` // the highest that it reaches; "" when it is refused
		Why               []string   `json:"why"`
		BackupEligible    bool       `json:"backup_eligible"`
		BackupState       bool       `json:"backup_state"`
		CreatedAt         time.Time  `json:"created_at"`
		LastUsedAt        *time.Time `json:"last_used_at"`
		State             string     `json:"state"`
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
				person, err := findPerson(ctx, s, args[0], p.clock())
				if err != nil {
					return err
				}
				models, err := p.models(ctx, s)
				if err != nil {
					return err
				}
				organisations := organisationsOf(person.Person)
				authenticators, err := s.Authenticators(ctx, args[0], true)
				if err != nil {
					return fmt.Errorf("list authenticators: %w", err)
				}
				gone := func(a store.Authenticator) bool { return registration.State(a.State) == registration.Revoked }
				if !revoked {
					authenticators = slices.DeleteFunc(authenticators, gone)
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), struct {
						Authenticators []row `json:"authenticators"`
					}{each(authenticators, func(a store.Authenticator) row {
						j := models.Judge(a, organisations)
						if !gone(a) {
							a.RevokedAt = nil // then it is since when it is not active
						}
						return row{
							a.ID.String(), a.Name, a.Kind, a.AAGUID.String(), j.Model, a.Transports, a.AttestationFormat, a.AttestationVerdict, highest(j), j.Why(),
							a.BackupEligible, a.BackupState, a.CreatedAt.UTC(), a.LastUsedAt, a.State, a.RevokedAt,
						}
					})})
				}
				titles := []string{"ID", "NAME", "KIND", "CREATED", "LAST USED", "STATE", "MODEL", "ATTESTATION", "AAL", "WHY"}
				return printTable(cmd.OutOrStdout(), titles, each(authenticators, func(a store.Authenticator) []string {
					j := models.Judge(a, organisations)
					return []string{
						a.ID.String(), a.Name, a.Kind, moment(&a.CreatedAt), moment(a.LastUsedAt), a.State,
						cmp.Or(j.Model, "-"), a.AttestationVerdict, cmp.Or(highest(j), "-"), strings.Join(j.Why(), "; "),
					}
				}))
			})
		},
	}
	list.Flags().BoolVar(&revoked, "revoked", false, "list those that were revoked as well")
	addJSONFlag(list, &asJSON)
	return list
}

// highest is the highest level that the authenticator reaches, when it verifies its user; "" when it is refused.
func highest(j webauthn.Judgement) string {
	if j.Refusal != "" {
		return ""
	}
	return assurance.Authentication{Factors: j.Factors()}.Level().String()
}

func organisationsOf(person store.Person) []string {
	return each(person.Memberships, func(m store.Membership) string { return m.OrganisationCode })
}

// models is what is known of models of authenticators, by the configuration and the database.
func (p *program) models(ctx context.Context, s *store.Store) (*webauthn.Models, error) {
	c, err := readConfig(p.environ)
	if err != nil {
		return nil, err
	}
	source, err := c.source()
	if err != nil {
		return nil, err
	}
	models := webauthn.NewModels(s, source, p.clock, slog.New(slog.DiscardHandler))
	return models, models.Load(ctx)
}

// newAuthenticatorChangeCommand is the command that does something to an authenticator, after which it is as done says.
func newAuthenticatorChangeCommand(p *program, name, short string, act registration.Act, done string) *cobra.Command {
	var reason string
	change := &cobra.Command{
		Use:     name + " ID",
		Short:   short,
		Example: "  credence authenticator " + name + " 0190b6ce-2f4a-7c1e-9d57-3f0c5c1c7f11 --reason \"left on the bus\"",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseID(args[0], "an authenticator", "`credence authenticator list PERSON` shows them")
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				outbox, err := p.outbox(ctx, s)
				if err != nil {
					return err
				}
				c := registration.Change{Authenticator: id, Act: act, Reason: reason, Messenger: outbox}
				if err := registration.ChangeAuthenticator(ctx, s, c, audit.Entry{At: p.clock(), Actor: operator()}); err != nil {
					return err
				}
				return say(cmd, "Authenticator %s is %s.\n", id, done)
			})
		},
	}
	change.Flags().StringVar(&reason, "reason", "", "why, for the record")
	return change
}

func newAuthenticatorRenameCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "rename ID NAME",
		Short:   "Give an authenticator another name",
		Example: `  credence authenticator rename 0190b6ce-2f4a-7c1e-9d57-3f0c5c1c7f11 "Blue key"`,
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseID(args[0], "an authenticator", "`credence authenticator list PERSON` shows them")
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				to := registration.Rename{Authenticator: id, Name: args[1]}
				if err := registration.RenameAuthenticator(ctx, s, to, audit.Entry{At: p.clock(), Actor: operator()}); err != nil {
					return err
				}
				return say(cmd, "Authenticator %s is called %q.\n", id, args[1])
			})
		},
	}
}
