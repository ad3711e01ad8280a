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

// ErrUncoded says that a piece of who registered herself was proposed without the code of her account.
var ErrUncoded = errors.New("this was checked without the code that the account of this person shows her: dismiss it, and have it recorded once more with her there")

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

// ProposeIn is RecordIn for one piece that has to be confirmed by a second officer: it is refused as RecordIn refuses it, and otherwise
// waits. It returns what would come of it.
func (r *Recorder) ProposeIn(ctx context.Context, tx *store.Tx, by Checker, organisation, personID string, piece Piece) (change Change, refusal, err error) {
	var person store.IdentityRow
	err = tx.Try(ctx, func() error {
		change, refusal, err = r.record(ctx, tx, by, personID, []Piece{piece}, func(p store.IdentityRow) (refusal, err error) {
			person = p
			return nil, nil
		})
		if err == nil && refusal == nil {
			return errForeseen
		}
		return err
	})
	if !errors.Is(err, errForeseen) {
		return Change{}, refusal, err
	}
	if len(change.Known) == 1 && change.Known[0].As == change.Known[0].Evidence {
		return change, nil, nil // it is on record, word for word
	}
	change.Evidence, change.Awaits = nil, true
	text, err := json.Marshal(piece)
	if err != nil {
		return Change{}, nil, fmt.Errorf("write evidence: %w", err)
	}
	waits, err := r.waits(ctx, tx, personID, text)
	if err != nil || waits {
		return change, nil, err
	}
	p := store.EvidenceProposal{PersonID: personID, OrganisationCode: organisation, Kind: piece.Kind, ProposedAt: r.now(), ProposedBy: by.PersonID, ProposedRole: by.Role}
	if p.AccountCode, refusal, err = r.holds(ctx, tx, by, person, []Piece{piece}); err != nil || refusal != nil {
		return Change{}, refusal, err
	}
	if p.ID, err = uuid.NewV7(); err != nil {
		return Change{}, nil, fmt.Errorf("draw an id: %w", err)
	}
	p.PieceSealed = r.aside().Seal(text, p.ID[:])
	if err := tx.AddEvidenceProposal(ctx, p); err != nil {
		return Change{}, nil, fmt.Errorf("propose evidence: %w", err)
	}
	detail := piece.declaration()
	maps.Copy(detail, map[string]string{"proposal": p.ID.String(), "kind": p.Kind})
	return change, nil, audit.Record(ctx, tx, by.line(p.ProposedAt, audit.EvidenceProposed, personID, detail))
}

// waits says whether the same piece of a person waits already, because its form was sent twice. When as much waits as may, it is
// ErrInvalid.
func (r *Recorder) waits(ctx context.Context, tx *store.Tx, personID string, text []byte) (bool, error) {
	waiting, err := tx.EvidenceProposalsOf(ctx, personID, maxProposals)
	if err != nil {
		return false, fmt.Errorf("list proposals of evidence: %w", err)
	}
	for _, w := range waiting {
		if opened, err := r.aside().Open(w.PieceSealed, w.ID[:]); err == nil && slices.Equal(opened, text) {
			return true, nil
		}
	}
	if len(waiting) == maxProposals {
		return false, fmt.Errorf("evidence %w: %d pieces wait for a second officer: they have to be decided first", ErrInvalid, maxProposals)
	}
	return false, nil
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

// ConfirmIn puts a piece that waits on record, by the word of a second officer; who proposed it, under whichever of her profiles that
// were merged, is ErrOwnProposal. It is refused as RecordIn refuses it, by what is on record now, and then still waits. Of who registered
// herself it was proposed with the code of her account, or is ErrUncoded.
func (r *Recorder) ConfirmIn(ctx context.Context, tx *store.Tx, by Checker, id uuid.UUID) (change Change, refusal, err error) {
	row, err := tx.EvidenceProposal(ctx, id)
	if err != nil {
		return Change{}, nil, proposalError(id, err)
	}
	own, err := OwnProposal(ctx, tx, row.ProposedBy, by.PersonID)
	if err != nil {
		return Change{}, nil, err
	}
	if own {
		return Change{}, nil, ErrOwnProposal
	}
	p, err := r.proposal(row)
	if err != nil {
		return Change{}, nil, err
	}
	change, refusal, err = r.record(ctx, tx, by, p.PersonID, []Piece{p.Piece}, func(person store.IdentityRow) (refusal, err error) {
		if row.AccountCode {
			return nil, nil
		}
		unproved, err := r.unproved(ctx, tx, person)
		if err == nil && unproved {
			err = ErrUncoded
		}
		return nil, err
	})
	if err != nil || refusal != nil {
		return Change{}, refusal, err
	}
	return change, nil, r.decide(ctx, tx, by, row, "confirmed")
}

// OwnProposal says whether an officer proposed something herself, under whichever of her profiles that were merged.
func OwnProposal(ctx context.Context, records interface {
	Kept(ctx context.Context, personID string) (string, error)
}, proposedBy, officer string,
) (bool, error) {
	kept, err := records.Kept(ctx, proposedBy)
	if err != nil {
		return false, fmt.Errorf("read which profile is kept of person %s: %w", proposedBy, err)
	}
	return kept == officer, nil
}

// DismissIn ends the wait of a piece that is not to be put on record, and tells who proposed it. She may do so too.
func (r *Recorder) DismissIn(ctx context.Context, tx *store.Tx, by Checker, id uuid.UUID) error {
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
}

func (r *Recorder) decide(ctx context.Context, tx *store.Tx, by Checker, p store.EvidenceProposal, state string) error {
	now := r.now()
	if err := tx.DecideEvidenceProposal(ctx, p.ID, state, by.PersonID, by.Role, now); err != nil {
		return proposalError(p.ID, err)
	}
	return audit.Record(ctx, tx, by.line(now, audit.EvidenceDecided, p.PersonID, map[string]string{
		"proposal": p.ID.String(), "kind": p.Kind, "state": state, "state_before": "proposed", "proposed_by": p.ProposedBy,
	}))
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
