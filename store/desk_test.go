package store_test

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

func TestWaiting(t *testing.T) {
	t.Parallel()
	in, ctx := withPosition(t), t.Context()
	version := newVersion(2)
	row := store.PositionRow{OrganisationCode: organisation, OrganisationName: "Riverside", InForce: 1, PositionVersion: version}
	for _, tt := range []struct {
		organisation string
		at           time.Time
		requests     store.Waiting
		positions    store.Waiting
		proposed     []store.PositionRow
	}{
		{organisation, now, store.Waiting{Count: 1, FirstAt: &now}, store.Waiting{Count: 1, FirstAt: &now}, []store.PositionRow{row}},
		{organisation, later, store.Waiting{}, store.Waiting{Count: 1, FirstAt: &now}, []store.PositionRow{row}}, // the request has lapsed
		{"RXX02", now, store.Waiting{}, store.Waiting{}, []store.PositionRow{}},
		{"nowhere", now, store.Waiting{}, store.Waiting{}, []store.PositionRow{}},
	} {
		requests := in.waiting(t, store.WaitingRequests, tt.organisation, 10, tt.at)
		same(t, "Waiting("+tt.organisation+")", requests, tt.requests)
		positions := in.waiting(t, store.WaitingPositions, tt.organisation, 10, now)
		same(t, "Waiting("+tt.organisation+")", positions, tt.positions)
		list, err := in.ProposedPositions(ctx, tt.organisation, "", store.Order{}, "", 10)
		must(t, err)
		same(t, "ProposedPositions("+tt.organisation+")", list, tt.proposed)
	}
	list, err := in.ProposedPositions(ctx, organisation, "", store.Order{}, anaPosition, 10)
	must(t, err)
	same(t, "ProposedPositions(after the last)", list, []store.PositionRow{})

	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		must(t, tx.SettleRequest(ctx, requestID, store.Settlement{State: "withdrawn", Reason: "x", At: now}))
		return tx.ApprovePositionVersion(ctx, anaPosition, 2, ben, benRole, later)
	}))
	requests := in.waiting(t, store.WaitingRequests, organisation, 10, now)
	same(t, "Waiting(once it was withdrawn)", requests, store.Waiting{})
	positions := in.waiting(t, store.WaitingPositions, organisation, 10, now)
	same(t, "Waiting(once it was approved)", positions, store.Waiting{})
}

// What is above sees what waits below, and a count goes no further than it is asked to.
func TestWaitingBelow(t *testing.T) {
	t.Parallel()
	in, ctx := withPosition(t), t.Context()
	const ward, another = "600000000002", "600000000003"
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		for _, id := range []string{ward, another} {
			must(t, tx.AddPosition(ctx, id, "RXX02", now))
			version, request := newVersion(1), newRequest(uuid.New())
			version.PositionID, request.PositionID, request.OrganisationCode = id, id, "RXX02"
			must(t, tx.AddPositionVersion(ctx, version))
			must(t, tx.AddRequest(ctx, request))
		}
		return nil
	}))
	for _, tt := range []struct {
		organisation string
		most         int
		want         int64
	}{{organisation, 10, 3}, {"RXX02", 10, 2}, {organisation, 2, 2}, {"RXX02", 1, 1}} {
		requests := in.waiting(t, store.WaitingRequests, tt.organisation, tt.most, now)
		positions := in.waiting(t, store.WaitingPositions, tt.organisation, tt.most, now)
		if requests.Count != tt.want || positions.Count != tt.want {
			t.Errorf("what waits at %s, as far as %d = %d requests and %d positions, want %d", tt.organisation, tt.most, requests.Count, positions.Count, tt.want)
		}
	}
	list, err := in.ProposedPositions(ctx, organisation, "", store.Order{}, anaPosition, 1)
	must(t, err)
	if len(list) != 1 || list[0].PositionID != ward {
		t.Errorf("ProposedPositions(after the first) = %v, want the second alone", list)
	}
}

func TestPersonNames(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	got, err := in.PersonNames(t.Context(), []string{ben, "999999999999"})
	must(t, err)
	same(t, "PersonNames()", got, []store.PersonName{{ID: ben, DisplayName: "Ana Ng"}})
}
