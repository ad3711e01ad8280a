package main

import (
	"cmp"
	"context"
	"maps"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/store"
)

const listWaiting = "`credence evidence waiting` shows what waits"

func newEvidenceWaitingCommand(p *program) *cobra.Command {
	type row struct {
		ID         string    `json:"id"`
		Kind       string    `json:"kind"`
		Person     string    `json:"person"`
		PersonName string    `json:"person_name"`
		ProposedBy string    `json:"proposed_by"`
		ProposedAt time.Time `json:"proposed_at"`
	}
	var by deed.Acting
	var page paging
	var organisation string
	list := &cobra.Command{
		Use:   "waiting",
		Short: "List the evidence that waits for a second officer, oldest first",
		Long: `List the evidence that waits for a second officer at an organisation and below it, oldest first. Who confirms it has
looked at the originals herself: so she does it at the desk or by the API, and nobody for her.`,
		Example: "  credence evidence waiting --as 656005750104 --role 656005754108 --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			after, err := page.afterID()
			if err != nil {
				return err
			}
			return p.withOffice(cmd.Context(), by, listOrganisations, func(ctx context.Context, f *office.Office, o office.Officer) error {
				names := map[string]string{}
				id := func(e store.EvidenceProposal) uuid.UUID { return e.ID }
				rows, err := gather(page.limit, after, id, func(after uuid.UUID) ([]store.EvidenceProposal, bool, error) {
					list, called, more, err := f.ProposedEvidence(ctx, o, cmp.Or(organisation, o.Organisation), store.Order{By: store.ByTime}, after)
					maps.Copy(names, called)
					return list, more, err
				})
				if err != nil {
					return err
				}
				return listing[store.EvidenceProposal]{
					name: "evidence", titles: []string{"ID", "AGE", "KIND", "PERSON", "NAME", "CHECKED BY"}, id: func(e store.EvidenceProposal) string { return e.ID.String() },
					row: func(e store.EvidenceProposal) any {
						return row{e.ID.String(), e.Kind, e.PersonID, names[e.PersonID], e.ProposedBy, e.ProposedAt.UTC()}
					},
					cells: func(e store.EvidenceProposal) []string {
						return []string{e.ID.String(), age(p.clock().Sub(e.ProposedAt)), e.Kind, e.PersonID, names[e.PersonID], names[e.ProposedBy]}
					},
				}.print(cmd, page, rows)
			})
		},
	}
	addWhereFlag(list, &organisation)
	addOfficerFlags(list, &by)
	page.addFlags(list)
	return list
}

func newEvidenceDismissCommand(p *program) *cobra.Command {
	var by deed.Acting
	dismiss := &cobra.Command{
		Use:     "dismiss ID",
		Short:   "Dismiss a piece of evidence that waits for a second officer: it counts for nothing",
		Example: "  credence evidence dismiss 0190b6ce-2f4a-7c1e-9d57-3f0c5c1c7f11 --as 656005750104 --role 656005754108",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			key, err := p.sealKey()
			if err != nil {
				return err
			}
			return p.withOffice(cmd.Context(), by, listWaiting, func(ctx context.Context, f *office.Office, o office.Officer) error {
				if f.Evidence, err = p.recorder(ctx, f.Store, key); err != nil {
					return err
				}
				proposed, err := f.ToDecide(ctx, o, args[0])
				if err != nil {
					return err
				}
				if err := f.DismissEvidence(ctx, o, proposed); err != nil {
					return err
				}
				return say(cmd, "Evidence %s of person %s is dismissed.\n", proposed.ID, proposed.PersonID)
			})
		},
	}
	addOfficerFlags(dismiss, &by)
	return dismiss
}
