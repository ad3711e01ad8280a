package main

import (
	"context"
	"fmt"
	"net/url"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/store"
)

func newPersonEnrolLinkCommand(p *program) *cobra.Command {
	var asJSON bool
	link := &cobra.Command{
		Use:   "enrol-link ID",
		Short: "Print a link with which a person enrols a passkey or a security key",
		Long: "Print a link with which a person enrols a passkey or a security key. It works once. Whoever opens it can sign in\n" +
			"as that person from then on: give it to nobody else.",
		Example: "  credence person enrol-link 656005750107",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			issuer, err := p.issuer()
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				person, err := findPerson(ctx, s, args[0], p.clock())
				if err != nil {
					return err
				}
				if !person.PersonStands {
					return fmt.Errorf("person %q is disabled: `credence person enable %s` first", args[0], args[0])
				}
				secret, expiresAt, err := registration.NewEnrolmentLink(ctx, s, args[0], operator(), p.clock())
				if err != nil {
					return err
				}
				address := enrolAddress(issuer, secret)
				if asJSON {
					return printJSON(cmd.OutOrStdout(), map[string]string{"url": address, "expires_at": moment(&expiresAt)})
				}
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), address); err != nil { // alone, so that a script can take it
					return err
				}
				_, err = fmt.Fprintf(cmd.ErrOrStderr(), "It works once, until %s.\n", moment(&expiresAt))
				return err
			})
		},
	}
	addJSONFlag(link, &asJSON)
	return link
}

// enrolAddress is where whoever has the secret of an enrolment link adds an authenticator.
func enrolAddress(issuer, secret string) string {
	return issuer + "/enrol?" + url.Values{"token": {secret}}.Encode()
}

func newPersonLinksCommand(p *program) *cobra.Command {
	type row struct {
		ID        string `json:"id"`
		CreatedAt string `json:"created_at"`
		ExpiresAt string `json:"expires_at"`
		TakesCode bool   `json:"takes_code"`
		Recovers  bool   `json:"recovers"`
	}
	var asJSON bool
	list := &cobra.Command{
		Use:     "links ID",
		Short:   "List the enrolment links of a person that are open, newest first",
		Example: "  credence person links 656005750107",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				if _, err := findPerson(ctx, s, args[0], p.clock()); err != nil {
					return err
				}
				links, err := registration.OpenLinks(ctx, s, args[0], store.Order{By: store.ByTime, Descending: true}, uuid.Nil, 50, p.clock())
				if err != nil {
					return err
				}
				if asJSON {
					return printJSON(cmd.OutOrStdout(), struct {
						Links []row `json:"links"`
					}{each(links, func(l store.OpenLink) row {
						return row{l.ID.String(), moment(&l.CreatedAt), moment(&l.ExpiresAt), l.TakesCode, l.Recovers}
					})})
				}
				return printTable(cmd.OutOrStdout(), []string{"ID", "CREATED", "EXPIRES", "KIND"}, each(links, func(l store.OpenLink) []string {
					kind := "works by itself"
					switch {
					case l.Recovers:
						kind = "mailed to recover the account"
					case l.TakesCode:
						kind = "takes a code"
					}
					return []string{l.ID.String(), moment(&l.CreatedAt), moment(&l.ExpiresAt), kind}
				}))
			})
		},
	}
	addJSONFlag(list, &asJSON)
	return list
}

func newPersonCancelLinkCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:     "cancel-link LINK",
		Short:   "Cancel an enrolment link that is open: nobody adds anything by it any more",
		Example: "  credence person cancel-link 0190b6ce-2f4a-4c1e-9d57-3f0c5c1c7f11",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := parseID(args[0], "an enrolment link", "`credence person links PERSON` shows them")
			if err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				by := audit.Entry{At: p.clock(), Actor: operator()}
				if err := registration.CancelLink(ctx, s, registration.Link{ID: id}, by, func(*store.Tx) error { return nil }); err != nil {
					return err
				}
				return say(cmd, "Enrolment link %s is cancelled.\n", id)
			})
		},
	}
}
