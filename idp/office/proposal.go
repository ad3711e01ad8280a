package office

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/store"
)

// checker is the officer as package evidence knows her.
func (o Officer) checker() evidence.Checker {
	return evidence.Checker{PersonID: o.PersonID, Role: o.Role, Operator: o.Operator}
}

// put records a piece that an officer checked, or has it wait for a second one, where her organisation or one above it asks for
// that. One of which a check failed waits for nobody: it can only take away.
func (f *Office) put(ctx context.Context, tx *store.Tx, o Officer, personID string, piece evidence.Piece, failed bool) (change evidence.Change, refusal, err error) {
	here, err := deed.At(ctx, tx, o.Organisation)
	if err != nil {
		return change, nil, err
	}
	second, err := tx.AsksSecondChecker(ctx, here.Path)
	if err != nil {
		return change, nil, fmt.Errorf("read whether organisation %s asks for a second checker: %w", o.Organisation, err)
	}
	if second && !failed {
		return f.Evidence.ProposeIn(ctx, tx, o.checker(), o.Organisation, personID, piece)
	}
	return f.Evidence.RecordIn(ctx, tx, o.checker(), personID, []evidence.Piece{piece})
}

// ProposedEvidence lists a page of the evidence that waits for a second officer at an organisation and below it, by since when,
// from the piece after the given one, with the names of the people of it.
func (f *Office) ProposedEvidence(ctx context.Context, o Officer, organisation string, order store.Order, after uuid.UUID) (rows []store.EvidenceProposal, names map[string]string, more bool, err error) {
	rows, more, err = listed(ctx, f, o, organisation, "proposals of evidence", func(limit int) ([]store.EvidenceProposal, error) {
		return f.Store.EvidenceProposals(ctx, organisation, order, after, limit)
	}, authority.RecordEvidence)
	if err != nil {
		return nil, nil, false, err
	}
	var ids []string
	for _, p := range rows {
		ids = append(ids, p.PersonID, p.ProposedBy)
	}
	names, err = f.Names(ctx, ids...)
	return rows, names, more, err
}

// Proposed is a piece of evidence that waits, of a person whom an officer may prove.
type Proposed struct {
	evidence.Proposal

	Person         store.Person
	ProposedByName string
	Own            bool // the officer checked it herself
}

// Proposed reads a piece that waits, and records who saw it.
func (f *Office) Proposed(ctx context.Context, o Officer, text string) (p Proposed, err error) {
	id, err := uuid.Parse(text)
	if err != nil {
		return p, fmt.Errorf("proposal %.40q of evidence %w", text, directory.ErrUnknown)
	}
	if p.Proposal, err = f.Evidence.Proposal(ctx, id); err != nil {
		return p, refusing(err)
	}
	if p.Person, err = f.ToProve(ctx, o, p.PersonID); err != nil {
		return p, err
	}
	names, err := f.Names(ctx, p.ProposedBy)
	if err != nil {
		return p, err
	}
	p.ProposedByName = names[p.ProposedBy]
	if p.Own, err = evidence.OwnProposal(ctx, f.Store, p.ProposedBy, o.PersonID); err != nil {
		return p, err
	}
	if err := audit.Record(ctx, f.Store, f.Line(o, audit.PersonViewed, p.PersonID, map[string]string{"of": "evidence_proposal"})); err != nil {
		return p, fmt.Errorf("record: %w", err)
	}
	return p, nil
}

// ToDecide is Proposed for an officer who decides. That another one has decided meanwhile is the refusal [deed.DecidedAlready].
func (f *Office) ToDecide(ctx context.Context, o Officer, text string) (Proposed, error) {
	p, err := f.Proposed(ctx, o, text)
	return p, f.decidedMeanwhile(ctx, o, text, err)
}

// decidedMeanwhile is the refusal to decide about a piece that does not wait any more, on record, and any other error as it is.
func (f *Office) decidedMeanwhile(ctx context.Context, o Officer, text string, err error) error {
	if !errors.Is(err, directory.ErrUnknown) {
		return err
	}
	s, err := f.SettledProposal(ctx, o, text)
	if err != nil {
		return err
	}
	d := deed.New(f.Rules, o.Acting(), f.Now, audit.EvidenceDecided, s.PersonID)
	d.Note(map[string]string{"proposal": text, "kind": s.Kind})
	return d.Refuse(ctx, f.Store, d.Decided(&s.DecidedBy, "state", "proposed", s.State))
}

// Settled is a piece of evidence that waited, and what another officer decided about it.
type Settled struct {
	store.DecidedProposal

	Person store.Person
	Done   Done
}

// SettledProposal reads what became of a piece, for an officer who may decide about those that wait.
func (f *Office) SettledProposal(ctx context.Context, o Officer, text string) (s Settled, err error) {
	id, err := directory.ParseID("proposal of evidence", text)
	if err != nil {
		return s, err
	}
	if s.DecidedProposal, err = f.Store.DecidedProposal(ctx, id); err != nil {
		return s, directory.Missing(err, "proposal of evidence", text)
	}
	if s.Person, err = f.ToProve(ctx, o, s.PersonID); err != nil {
		return s, err
	}
	names, err := f.Names(ctx, s.DecidedBy)
	s.Done = Done{By: names[s.DecidedBy], At: s.DecidedAt}
	return s, err
}

// ConfirmEvidence puts a piece that waits on record, by the word of a second officer.
func (f *Office) ConfirmEvidence(ctx context.Context, o Officer, p Proposed) (change evidence.Change, err error) {
	err = f.prove(ctx, o, audit.EvidenceDecided, p.PersonID, false, func(tx *store.Tx) (refusal, err error) {
		change, refusal, err = f.Evidence.ConfirmIn(ctx, tx, o.checker(), p.ID)
		return refusal, err
	})
	return change, f.decidedMeanwhile(ctx, o, p.ID.String(), err)
}

// DismissEvidence ends the wait of a piece that is not put on record.
func (f *Office) DismissEvidence(ctx context.Context, o Officer, p Proposed) error {
	err := f.prove(ctx, o, audit.EvidenceDecided, p.PersonID, false, func(tx *store.Tx) (refusal, err error) {
		return nil, f.Evidence.DismissIn(ctx, tx, o.checker(), p.ID)
	})
	return f.decidedMeanwhile(ctx, o, p.ID.String(), err)
}
