package evidence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// ErrOwnProposal says that who checked a piece would be its second checker too.
var ErrOwnProposal = errors.New("you checked this yourself: another officer has to confirm it")

// Checker is an officer who checks evidence, and the role that she acts in.
type Checker struct{ PersonID, Role string }

// Proposal is a piece of evidence that an officer checked and that waits for a second one. It is no evidence yet: whatever it
// says, the level of the person is what it was.
type Proposal struct {
	ID         uuid.UUID
	PersonID   string
	Piece      Piece
	ProposedAt time.Time
	ProposedBy string
}

// errForeseen ends a transaction of which nothing is to stay.
var errForeseen = errors.New("it was only looked at")

// maxProposals bounds what waits of one person.
const maxProposals = 20

// Propose is Record for one piece that has to be confirmed by a second officer: it is refused as Record refuses it, and
// otherwise waits. It returns what would come of it.
func (r *Recorder) Propose(ctx context.Context, by Checker, organisation, personID string, piece Piece) (Change, error) {
	var change Change
	var refusal error
	err := r.store.InTx(ctx, func(tx *store.Tx) (err error) {
		if change, refusal, err = r.record(ctx, tx, by.PersonID, personID, []Piece{piece}); err == nil && refusal == nil {
			err = errForeseen
		}
		return err
	})
	if refusal != nil {
		return Change{}, refusal
	}
	if !errors.Is(err, errForeseen) {
		return Change{}, err
	}
	if len(change.Known) == 1 && change.Known[0].As == change.Known[0].Evidence {
		return change, nil // it is on record, word for word
	}
	change.Evidence, change.Awaits = nil, true
	p := store.EvidenceProposal{PersonID: personID, OrganisationCode: organisation, Kind: piece.Kind, ProposedAt: r.now(), ProposedBy: by.PersonID, ProposedRole: by.Role}
	if p.ID, err = uuid.NewV7(); err != nil {
		return Change{}, fmt.Errorf("draw an id: %w", err)
	}
	text, err := json.Marshal(piece)
	if err != nil {
		return Change{}, fmt.Errorf("write evidence: %w", err)
	}
	p.PieceSealed = r.aside().Seal(text, p.ID[:])
	err = r.store.InTx(ctx, func(tx *store.Tx) error {
		if _, err := lock(ctx, tx, personID); err != nil {
			return err
		}
		waiting, err := tx.EvidenceProposalsOf(ctx, personID, maxProposals)
		if err != nil {
			return fmt.Errorf("list proposals of evidence: %w", err)
		}
		for _, w := range waiting {
			if opened, err := r.aside().Open(w.PieceSealed, w.ID[:]); err == nil && slices.Equal(opened, text) {
				return nil // the form was sent twice
			}
		}
		if len(waiting) == maxProposals {
			return fmt.Errorf("evidence %w: %d pieces wait for a second officer: they have to be decided first", ErrInvalid, maxProposals)
		}
		if err := tx.AddEvidenceProposal(ctx, p); err != nil {
			return fmt.Errorf("propose evidence: %w", err)
		}
		detail := piece.declaration()
		maps.Copy(detail, map[string]string{"proposal": p.ID.String(), "kind": p.Kind, "officer": by.PersonID, "officer_role": by.Role})
		return audit.Record(ctx, tx, audit.Entry{At: p.ProposedAt, Event: audit.EvidenceProposed, Actor: by.PersonID, Person: personID, Detail: detail})
	})
	return change, err
}

// aside is the box in which pieces wait.
func (r *Recorder) aside() seal.Box { return r.key.Box("evidence proposal") }

// Proposal reads a piece that waits. One that does not, or not any more, is ErrUnknown.
func (r *Recorder) Proposal(ctx context.Context, id uuid.UUID) (Proposal, error) {
	p, err := r.store.EvidenceProposal(ctx, id)
	if err != nil {
		return Proposal{}, proposalError(id, err)
	}
	return r.proposal(p)
}

func (r *Recorder) proposal(p store.EvidenceProposal) (Proposal, error) {
	text, err := r.aside().Open(p.PieceSealed, p.ID[:])
	if err != nil {
		return Proposal{}, fmt.Errorf("open proposal %s of evidence: %w", p.ID, err)
	}
	pieces, err := Parse(text)
	if err != nil {
		return Proposal{}, fmt.Errorf("read proposal %s of evidence: %w", p.ID, err)
	}
	return Proposal{ID: p.ID, PersonID: p.PersonID, Piece: pieces[0], ProposedAt: p.ProposedAt, ProposedBy: p.ProposedBy}, nil
}

func proposalError(id uuid.UUID, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("proposal %s of evidence %w", id, ErrUnknown)
	}
	return fmt.Errorf("read proposal %s of evidence: %w", id, err)
}

// Confirm puts a piece that waits on record, by the word of a second officer; who proposed it is ErrOwnProposal. It is refused
// as Record refuses it, by what is on record now, and then still waits.
func (r *Recorder) Confirm(ctx context.Context, by Checker, id uuid.UUID) (change Change, err error) {
	var refusal error
	err = r.store.InTx(ctx, func(tx *store.Tx) error {
		row, err := tx.EvidenceProposal(ctx, id)
		if err != nil {
			return proposalError(id, err)
		}
		if row.ProposedBy == by.PersonID {
			return ErrOwnProposal
		}
		p, err := r.proposal(row)
		if err != nil {
			return err
		}
		if change, refusal, err = r.record(ctx, tx, by.PersonID, p.PersonID, []Piece{p.Piece}); err != nil || refusal != nil {
			return err
		}
		return r.decide(ctx, tx, by, row, "confirmed")
	})
	if err == nil {
		err = refusal
	}
	return change, err
}

// Dismiss ends the wait of a piece that is not to be put on record, and tells who proposed it. She may do so too.
func (r *Recorder) Dismiss(ctx context.Context, by Checker, id uuid.UUID) error {
	return r.store.InTx(ctx, func(tx *store.Tx) error {
		p, err := tx.EvidenceProposal(ctx, id)
		if err != nil {
			return proposalError(id, err)
		}
		if by.PersonID != p.ProposedBy {
			told := messenger.Message{Person: p.ProposedBy, Letter: messenger.EvidenceDismissed{CheckedAt: p.ProposedAt}}
			if err := r.Messenger.Post(ctx, tx, told); err != nil {
				return err
			}
		}
		return r.decide(ctx, tx, by, p, "dismissed")
	})
}

func (r *Recorder) decide(ctx context.Context, tx *store.Tx, by Checker, p store.EvidenceProposal, state string) error {
	now := r.now()
	if err := tx.DecideEvidenceProposal(ctx, p.ID, state, by.PersonID, by.Role, now); err != nil {
		return proposalError(p.ID, err)
	}
	return audit.Record(ctx, tx, audit.Entry{
		At: now, Event: audit.EvidenceDecided, Actor: by.PersonID, Person: p.PersonID,
		Detail: map[string]string{"proposal": p.ID.String(), "kind": p.Kind, "state": state, "proposed_by": p.ProposedBy, "officer": by.PersonID, "officer_role": by.Role},
	})
}

// ResealProposals is Reseal for what waits. What no line opens stays as it is, and can only be dismissed.
func (r *Recorder) ResealProposals(ctx context.Context) error {
	const batch = 100
	for after, more := uuid.Nil, true; more; {
		err := r.store.InTx(ctx, func(tx *store.Tx) error {
			list, err := tx.LockEvidenceProposals(ctx, after, batch)
			if err != nil {
				return fmt.Errorf("read proposals of evidence: %w", err)
			}
			if more = len(list) == batch; more {
				after = list[batch-1].ID
			}
			for _, p := range list {
				sealed, err := r.aside().Reseal(p.PieceSealed, p.ID[:])
				if err != nil {
					continue
				}
				if err := tx.ResealEvidenceProposal(ctx, p.ID, sealed); err != nil {
					return fmt.Errorf("store proposal %s of evidence: %w", p.ID, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
