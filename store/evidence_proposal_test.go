package store_test

import (
	"errors"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/credence-id/credence/store"
)

// What waits for a second officer is listed for the organisation and those above it, until it is decided: once, by somebody else
// when it is confirmed, and for good.
func TestEvidenceProposal(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	proposal := func() store.EvidenceProposal {
		return store.EvidenceProposal{
			ID: uuid.Must(uuid.NewV7()), PersonID: ben, OrganisationCode: organisation, Kind: "passport", PieceSealed: []byte("sealed"), ProposedAt: now, ProposedBy: ana, ProposedRole: anaRole,
		}
	}
	add := func(p store.EvidenceProposal) error {
		return in.InTx(ctx, func(tx *store.Tx) error { return tx.AddEvidenceProposal(ctx, p) })
	}
	own := proposal()
	own.PersonID = ana
	if err := add(own); !errors.Is(err, store.ErrReference) {
		t.Errorf("AddEvidenceProposal(of herself) = %v, want %v", err, store.ErrReference)
	}
	first, newer := proposal(), proposal()
	must(t, errors.Join(add(first), add(newer)))
	list, err := in.EvidenceProposals(ctx, organisation, store.Order{}, uuid.Nil, 10)
	must(t, err)
	same(t, "EvidenceProposals()", list, []store.EvidenceProposal{first, newer})
	if list, err = in.EvidenceProposals(ctx, organisation, store.Order{}, first.ID, 10); err != nil || len(list) != 1 {
		t.Errorf("EvidenceProposals(after the first) = %v, %v, want the second", list, err)
	}
	newest := store.Order{By: store.ByTime, Descending: true}
	if list, err = in.EvidenceProposals(ctx, organisation, newest, uuid.Nil, 1); err != nil || len(list) != 1 || list[0].ID != newer.ID {
		t.Errorf("EvidenceProposals(from the last) = %v, %v, want the second", list, err)
	}
	if list, err = in.EvidenceProposals(ctx, organisation, newest, newer.ID, 10); err != nil || len(list) != 1 || list[0].ID != first.ID {
		t.Errorf("EvidenceProposals(from the last, after it) = %v, %v, want the first", list, err)
	}
	waiting := in.waiting(t, store.WaitingEvidence, organisation, 10, now)
	same(t, "Waiting()", waiting, store.Waiting{Count: 2, FirstAt: &now})
	of, err := in.EvidenceProposalsOf(ctx, ben, 1)
	must(t, err)
	same(t, "EvidenceProposalsOf(1 at most)", of, []store.EvidenceProposal{first})

	decide := func(id uuid.UUID, state, by string) error {
		return in.InTx(ctx, func(tx *store.Tx) error { return tx.DecideEvidenceProposal(ctx, id, state, by, anaRole, later) })
	}
	if err := decide(first.ID, "confirmed", ana); !errors.Is(err, store.ErrReference) {
		t.Errorf("DecideEvidenceProposal(confirmed by who proposed it) = %v, want %v", err, store.ErrReference)
	}
	is(t, "DecideEvidenceProposal(dismissed by who proposed it)", decide(first.ID, "dismissed", ana), nil)
	is(t, "DecideEvidenceProposal(again)", decide(first.ID, "dismissed", ana), store.ErrNotFound)
	is(t, "EvidenceProposal(decided)", second(in.EvidenceProposal(ctx, first.ID)), store.ErrNotFound)
	_, err = connect(t, in.ownerURL).Exec(ctx, `UPDATE evidence_proposal SET state = 'proposed', decided_at = NULL, decided_by = NULL, decided_role = NULL, piece_sealed = 'x' WHERE id = $1`, first.ID)
	if pg, ok := errors.AsType[*pgconn.PgError](err); !ok || pg.ConstraintName != "evidence_proposal_decided_for_good" {
		t.Errorf("to let it wait again = %v, want it refused by evidence_proposal_decided_for_good", err)
	}
}

// Whether an organisation asks for a second officer is asked of it together with those above it.
func TestSecondChecker(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	conn := connect(t, in.serviceURL)
	for _, asks := range []bool{false, true, false} {
		exec(t, conn, `UPDATE organisation SET second_checker = $1 WHERE code = $2`, asks, organisation)
		got, err := in.AsksSecondChecker(ctx, []string{"NOWHERE", organisation})
		must(t, err)
		same(t, "AsksSecondChecker()", got, asks)
	}
}
