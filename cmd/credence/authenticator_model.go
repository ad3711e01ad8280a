package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
)

func newAuthenticatorModelCommand(p *program) *cobra.Command {
	return newGroup("model", "Name models of authenticators that you vouch for", "  credence authenticator model list",
		newModelAddCommand(p), newModelListCommand(p), newModelRemoveCommand(p))
}

// parseAAGUID reads the id of a model.
func parseAAGUID(text string) (uuid.UUID, error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return id, &usageError{fmt.Errorf("%.60q is not an AAGUID: want one such as 2fc0579f-8113-47ea-b116-bb5a8db9202a", text)}
	}
	return id, nil
}

func newModelAddCommand(p *program) *cobra.Command {
	var m store.AuthenticatorModel
	var roots string
	add := &cobra.Command{
		Use:   "add AAGUID",
		Short: "Vouch that a model keeps its keys, or replace its name and roots",
		Long: `Vouch that a model keeps its keys where nobody gets at them, so that it reaches AAL3
whatever FIDO has certified. An authenticator counts as of the model only if its
attestation chains to one of the roots. Reports of FIDO metadata still hold for it.

Those that were bound before are judged again by credence authenticator recompute.`,
		Example: `  credence authenticator model add 2fc0579f-8113-47ea-b116-bb5a8db9202a --name "Blue key 5" --roots blue.pem`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if m.AAGUID, err = parseAAGUID(args[0]); err != nil {
				return err
			}
			pem, _, err := readSmallFile(roots)
			if err != nil {
				return fmt.Errorf("--roots: %w", err)
			}
			m.Roots, m.CreatedAt = string(pem), p.clock()
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				if err := webauthn.VouchFor(ctx, s, m, operator()); err != nil {
					return err
				}
				return say(cmd, "Model %s is vouched for.\n", m.AAGUID)
			})
		},
	}
	add.Flags().StringVar(&m.Name, "name", "", "name of the model, as lists show it")
	add.Flags().StringVar(&roots, "roots", "", "`file` with the certificates that its attestations chain to, as PEM")
	require(add, "name", "roots")
	return add
}

func newModelListCommand(p *program) *cobra.Command {
	type row struct {
		AAGUID    string    `json:"aaguid"`
		Name      string    `json:"name"`
		CreatedAt time.Time `json:"created_at"`
	}
	var page paging
	list := &cobra.Command{
		Use:     "list",
		Short:   "List the models that you vouch for, by AAGUID",
		Example: "  credence authenticator model list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			after, err := page.afterID()
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				models, err := s.AuthenticatorModels(ctx, after, page.limit+1)
				if err != nil {
					return fmt.Errorf("list authenticator models: %w", err)
				}
				return listing[store.AuthenticatorModel]{
					name: "models", titles: []string{"AAGUID", "NAME", "CREATED"}, id: func(m store.AuthenticatorModel) string { return m.AAGUID.String() },
					row: func(m store.AuthenticatorModel) any { return row{m.AAGUID.String(), m.Name, m.CreatedAt.UTC()} },
					cells: func(m store.AuthenticatorModel) []string {
						return []string{m.AAGUID.String(), m.Name, moment(&m.CreatedAt)}
					},
				}.print(cmd, page, models)
			})
		},
	}
	page.addFlags(list)
	return list
}

func newModelRemoveCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "remove AAGUID",
		Short:   "Stop vouching for a model",
		Example: "  credence authenticator model remove 2fc0579f-8113-47ea-b116-bb5a8db9202a",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			aaguid, err := parseAAGUID(args[0])
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				if err := webauthn.StopVouchingFor(ctx, s, aaguid, operator(), p.clock()); err != nil {
					return hint(err, webauthn.ErrNoModel, "`credence authenticator model list` shows those there are")
				}
				return say(cmd, "Model %s is vouched for no more.\n", aaguid)
			})
		},
	}
}

func newAuthenticatorAffectedCommand(p *program) *cobra.Command {
	type row struct {
		ID       string   `json:"id"`
		Person   string   `json:"person"`
		Name     string   `json:"name"`
		AAGUID   string   `json:"aaguid"`
		Model    string   `json:"model"`
		Refusal  string   `json:"refusal"`
		Statuses []string `json:"statuses"`
		Level    string   `json:"authenticator_level"`
	}
	var page paging
	affected := &cobra.Command{
		Use:   "affected",
		Short: "List the authenticators in use that are refused or lowered",
		Long: `List the authenticators in use whose model has a report in FIDO metadata that lowers or
refuses them, and those that do not meet the policy of an organisation of their owner.`,
		Example: "  credence authenticator affected --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := page.check(); err != nil {
				return err
			}
			after, err := parsePosition(page.after)
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				models, err := p.models(ctx, s)
				if err != nil {
					return err
				}
				found, err := models.Affected(ctx, after, page.limit+1)
				if err != nil {
					return err
				}
				return listing[webauthn.Affected]{
					name: "authenticators", titles: []string{"PERSON", "ID", "NAME", "MODEL", "AAL", "WHY"}, id: func(a webauthn.Affected) string { return a.PersonID + "/" + a.ID.String() },
					row: func(a webauthn.Affected) any {
						return row{
							a.ID.String(), a.PersonID, a.Name, a.AAGUID.String(), a.Model, a.Refusal,
							append([]string{}, a.Statuses...), highest(a.Judgement),
						}
					},
					cells: func(a webauthn.Affected) []string {
						return []string{
							a.PersonID, a.ID.String(), a.Name, cmp.Or(a.Model, a.AAGUID.String()), cmp.Or(highest(a.Judgement), "-"), strings.Join(a.Why(), "; "),
						}
					},
				}.print(cmd, page, found)
			})
		},
	}
	page.addFlags(affected)
	return affected
}

func parsePosition(text string) (store.Position, error) {
	if text == "" {
		return store.Position{}, nil
	}
	person, id, found := strings.Cut(text, "/")
	authenticator, err := uuid.Parse(id)
	if !found || err != nil {
		return store.Position{}, &usageError{fmt.Errorf("--after %.60q: want what the page before gave as next", text)}
	}
	return store.Position{PersonID: person, AuthenticatorID: authenticator}, nil
}

func newAuthenticatorRecomputeCommand(p *program) *cobra.Command {
	type row struct {
		ID     string `json:"id"`
		Person string `json:"person"`
		Name   string `json:"name"`
		Was    string `json:"was"`
		Is     string `json:"is"`
	}
	var apply, asJSON bool
	recompute := &cobra.Command{
		Use:   "recompute",
		Short: "Judge attestations again by what is known of models now",
		Long: `Judge the attestations of all authenticators in use again, by the models that are known
now, and show which prove something else than is on record. Nothing changes without --apply.`,
		Example: `  credence authenticator recompute
  credence authenticator recompute --apply --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				models, err := p.models(ctx, s)
				if err != nil {
					return err
				}
				var moved []webauthn.Moved
				for after, more := uuid.Nil, true; more; {
					part, next, err := models.Recompute(ctx, after, !apply, operator())
					if err != nil {
						return err
					}
					moved, after, more = append(moved, part...), next, next != uuid.Nil
				}
				if asJSON {
					lines := json.NewEncoder(cmd.OutOrStdout())
					for _, a := range moved {
						if err := lines.Encode(row{a.ID.String(), a.PersonID, a.Name, a.AttestationVerdict, string(a.To)}); err != nil {
							return fmt.Errorf("print result: %w", err)
						}
					}
					return nil
				}
				return printTable(cmd.OutOrStdout(), []string{"PERSON", "ID", "NAME", "WAS", "IS"}, each(moved, func(a webauthn.Moved) []string {
					return []string{a.PersonID, a.ID.String(), a.Name, a.AttestationVerdict, string(a.To)}
				}))
			})
		},
	}
	recompute.Flags().BoolVar(&apply, "apply", false, "record what is shown")
	addJSONLinesFlag(recompute, &asJSON)
	return recompute
}

func newAuthenticatorMetadataCommand(p *program) *cobra.Command {
	var asJSON bool
	show := &cobra.Command{
		Use:     "metadata",
		Short:   "Show by which FIDO metadata authenticators are judged",
		Example: "  credence authenticator metadata --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				models, err := p.models(ctx, s)
				if err != nil {
					return err
				}
				state, there, err := models.MetadataState(ctx)
				if err != nil {
					return err
				}
				if !there {
					return errors.New("there is no FIDO metadata: set CREDENCE_FIDO_METADATA of the server")
				}
				stale := !p.clock().Before(state.NextUpdate)
				if asJSON {
					return printJSON(cmd.OutOrStdout(), struct {
						Number     int64     `json:"number"`
						NextUpdate string    `json:"next_update"`
						Stale      bool      `json:"stale"`
						FetchedAt  time.Time `json:"fetched_at"`
						CheckedAt  time.Time `json:"checked_at"`
						Models     int       `json:"models"`
						Unread     int       `json:"unread"`
					}{state.Number, state.NextUpdate.Format(time.DateOnly), stale, state.FetchedAt.UTC(), state.CheckedAt.UTC(), state.Models, state.Unread})
				}
				next := state.NextUpdate.Format(time.DateOnly)
				if stale {
					next += " (past)"
				}
				return printTable(cmd.OutOrStdout(), []string{"NUMBER", "NEXT UPDATE", "FETCHED", "CHECKED", "MODELS", "UNREAD"}, [][]string{{
					fmt.Sprint(state.Number), next, moment(&state.FetchedAt), moment(&state.CheckedAt), fmt.Sprint(state.Models), fmt.Sprint(state.Unread),
				}})
			})
		},
	}
	addJSONFlag(show, &asJSON)
	return show
}
