package api

import (
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/store"
)

type waitingEvidence struct {
	ID         uuid.UUID `json:"id"`
	Kind       string    `json:"kind"`
	Person     someone   `json:"person"`
	ProposedBy someone   `json:"proposed_by"`
	ProposedAt time.Time `json:"proposed_at"`
}

func (h *Handler) listProposals(c call, in atByTime) (page[waitingEvidence], error) {
	rows, names, more, err := h.ProposedEvidence(c.Context(), c.officer, in.organisation(c), ordered(in.Order, store.Order{By: store.ByTime}), in.id())
	list, last := make([]waitingEvidence, len(rows)), ""
	for i, p := range rows {
		list[i] = waitingEvidence{p.ID, p.Kind, someone{p.PersonID, names[p.PersonID]}, someone{p.ProposedBy, names[p.ProposedBy]}, p.ProposedAt.UTC()}
		last = p.ID.String()
	}
	return page[waitingEvidence]{list, c.following(more, last)}, err
}

type evidenceProposal struct {
	waitingEvidence

	Piece proposedPiece `json:"piece"`
}

// proposedPiece is a piece of evidence as an officer checked it.
type proposedPiece struct {
	Number       string              `json:"number,omitempty"`
	Issuer       string              `json:"issuer,omitempty"`
	Country      string              `json:"country,omitempty"`
	Jurisdiction string              `json:"jurisdiction,omitempty"`
	Features     []assurance.Feature `json:"features,omitempty"`
	IssuedOn     string              `json:"issued_on,omitempty" format:"date"`
	ExpiresOn    string              `json:"expires_on,omitempty" format:"date"`
	Subject      evidence.Subject    `json:"subject" doc:"Whom it names."`
	Checks       []assurance.Check   `json:"checks"`
	Declared     evidence.Meeting    `json:"declared" doc:"How the officer met the person."`
}

func (h *Handler) readProposal(c call, _ nothing) (evidenceProposal, error) {
	p, err := h.Proposed(c.Context(), c.officer, c.PathValue("proposal"))
	if err != nil {
		return evidenceProposal{}, err
	}
	return evidenceProposal{
		waitingEvidence{p.ID, p.Piece.Kind, someone{p.PersonID, p.Person.DisplayName}, someone{p.ProposedBy, p.ProposedByName}, p.ProposedAt.UTC()},
		proposedPiece{
			p.Piece.Number, p.Piece.Issuer, p.Piece.Country, p.Piece.Jurisdiction, p.Piece.Features, p.Piece.IssuedOn, p.Piece.ExpiresOn, p.Piece.Subject,
			p.Piece.Checks, p.Piece.Declared,
		},
	}, nil
}

func (h *Handler) confirmProposal(c call, _ nothing) (evidence.Change, error) {
	p, err := h.ToDecide(c.Context(), c.officer, c.PathValue("proposal"))
	if err != nil {
		return evidence.Change{}, err
	}
	return h.ConfirmEvidence(c.Context(), c.officer, p)
}

func (h *Handler) dismissProposal(c call, _ nothing) (identified, error) {
	p, err := h.ToDecide(c.Context(), c.officer, c.PathValue("proposal"))
	if err != nil {
		return identified{}, err
	}
	return identified{p.ID}, h.DismissEvidence(c.Context(), c.officer, p)
}
