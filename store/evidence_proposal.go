package store

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// EvidenceProposal is a piece of evidence that waits for a second officer.
type EvidenceProposal struct {
	ID               uuid.UUID
	PersonID         string
	OrganisationCode string
	Kind             string
	PieceSealed      []byte // nil once it is decided
	ProposedAt       time.Time
	ProposedBy       string
	ProposedRole     string // that she acted in
	AccountCode      bool   // the person read the code of her account aloud to her
}

const proposalColumns = `id, person_id, organisation_code, kind, piece_sealed, proposed_at, proposed_by, proposed_role, account_code`

// AsksSecondChecker says whether one of some organisations asks that a second officer confirms evidence.
func (q *queries) AsksSecondChecker(ctx context.Context, codes []string) (bool, error) {
	return scalar[bool](ctx, q, `SELECT EXISTS (SELECT FROM organisation WHERE code = ANY ($1) AND second_checker)`, codes)
}

// AddEvidenceProposal puts a piece of evidence aside, until it is decided.
func (t *Tx) AddEvidenceProposal(ctx context.Context, p EvidenceProposal) error {
	return t.db.exec(ctx, `INSERT INTO evidence_proposal (`+proposalColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		p.ID, p.PersonID, p.OrganisationCode, p.Kind, p.PieceSealed, p.ProposedAt, p.ProposedBy, p.ProposedRole, p.AccountCode)
}

// EvidenceProposal reads a piece that waits.
func (q *queries) EvidenceProposal(ctx context.Context, id uuid.UUID) (EvidenceProposal, error) {
	return one[EvidenceProposal](ctx, q, `SELECT `+proposalColumns+` FROM evidence_proposal WHERE id = $1 AND state = 'proposed'`, id)
}

// DecidedProposal is a piece of evidence that waited, and what became of it.
type DecidedProposal struct {
	PersonID  string
	Kind      string
	State     string // confirmed or dismissed
	DecidedBy string
	DecidedAt time.Time
}

// DecidedProposal reads what became of a piece that does not wait any more.
func (q *queries) DecidedProposal(ctx context.Context, id uuid.UUID) (DecidedProposal, error) {
	return one[DecidedProposal](ctx, q, `SELECT person_id, kind, state, decided_by, decided_at FROM evidence_proposal WHERE id = $1 AND state <> 'proposed'`, id)
}

// EvidenceProposalsOf lists what waits of a person by id, at most limit of it.
func (q *queries) EvidenceProposalsOf(ctx context.Context, personID string, limit int) ([]EvidenceProposal, error) {
	return all[EvidenceProposal](ctx, q, `
		SELECT `+proposalColumns+` FROM evidence_proposal WHERE person_id = $1 AND state = 'proposed' ORDER BY id LIMIT $2`, personID, limit)
}

// EvidenceProposals lists what waits at an organisation and below it, by [ByTime], which is since when, from the one after the
// given id, at most limit of it.
func (q *queries) EvidenceProposals(ctx context.Context, organisation string, o Order, after uuid.UUID, limit int) ([]EvidenceProposal, error) {
	const key = `e.proposed_at`
	so, order := `e.state = 'proposed' AND `+o.beyond(key, `e.id`, `(SELECT e.proposed_at FROM evidence_proposal e WHERE e.id = $2)`, `$2`), ` ORDER BY `+o.by(key, `e.id`)
	return all[EvidenceProposal](ctx, q, below+`
		SELECT `+proposalColumns+` FROM `+ofBelow("evidence_proposal", "e", `e.organisation_code`, proposalColumns, so, order, "$3")+order+` LIMIT $3`,
		organisation, from(after), limit)
}

// waitingEvidence counts what EvidenceProposals lists, as far as $2.
func waitingEvidence() string {
	return countBelow("evidence_proposal", "e", `e.organisation_code`, `e.proposed_at`, `e.state = 'proposed' AND e.proposed_at > '-infinity'`)
}

// DecideEvidenceProposal ends a proposal: it is confirmed, or dismissed. Of any number at once one does; the others get
// ErrNotFound.
func (t *Tx) DecideEvidenceProposal(ctx context.Context, id uuid.UUID, state, by, role string, now time.Time) error {
	_, err := scalar[uuid.UUID](ctx, &t.queries, `
		UPDATE evidence_proposal SET state = $2, decided_by = $3, decided_role = $4, decided_at = $5, piece_sealed = NULL
		WHERE id = $1 AND state = 'proposed' RETURNING id`, id, state, by, role, now)
	return err
}

// LockEvidenceProposals lists what waits by id, wherever it does, from the one after the given id, at most limit of it, to be
// sealed anew.
func (t *Tx) LockEvidenceProposals(ctx context.Context, after uuid.UUID, limit int) ([]EvidenceProposal, error) {
	return all[EvidenceProposal](ctx, &t.queries, `
		SELECT `+proposalColumns+` FROM evidence_proposal WHERE id > $1 AND state = 'proposed' ORDER BY id LIMIT $2 FOR UPDATE`, after, limit)
}

// ResealEvidenceProposal stores a piece as it was sealed anew.
func (t *Tx) ResealEvidenceProposal(ctx context.Context, id uuid.UUID, sealed []byte) error {
	return t.db.exec(ctx, `UPDATE evidence_proposal SET piece_sealed = $2 WHERE id = $1`, id, sealed)
}
