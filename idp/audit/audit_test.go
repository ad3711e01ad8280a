package audit_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

func TestRecord(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	session, grant := uuid.New(), uuid.New()
	request := audit.WithRequest(t.Context(), audit.Request{ID: "r1", Address: "192.0.2.1"})
	for _, tt := range []struct {
		name  string
		ctx   context.Context //nolint:containedctx // what Record reads of it is tested
		entry audit.Entry
		want  store.AuditEvent
	}{
		{
			"the actor is the person", request,
			audit.Entry{At: at, Event: audit.TokenIssued, Person: "ana", Client: "ward", Session: session, Grant: grant, Detail: map[string]string{"why": "x"}},
			store.AuditEvent{
				Event: "token_issued", Actor: "ana", PersonID: "ana", ClientID: "ward", SessionID: &session, GrantID: &grant,
				RequestID: "r1", Address: "192.0.2.1", Detail: map[string]string{"why": "x"},
			},
		},
		{
			"and without a person the client", request,
			audit.Entry{At: at, Event: audit.TokenIssued, Refusal: "code_used", Client: "ward"},
			store.AuditEvent{Event: "token_issued", Refusal: "code_used", Actor: "ward", ClientID: "ward", RequestID: "r1", Address: "192.0.2.1", Detail: map[string]string{}},
		},
		{
			"unless another is named, as at the command line, where there is no request", t.Context(),
			audit.Entry{At: at, Event: audit.PersonDisabled, Actor: "operator", Person: "ana"},
			store.AuditEvent{Event: "person_disabled", Actor: "operator", PersonID: "ana", Detail: map[string]string{}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := storetest.New(t)
			err := s.InTx(tt.ctx, func(tx *store.Tx) error { return audit.Record(tt.ctx, tx, tt.entry) })
			if err != nil {
				t.Fatalf("Record() = %v, want no error", err)
			}
			got, err := s.AuditEvents(t.Context(), 0, 10)
			if err != nil {
				t.Fatal(err)
			}
			tt.want.Sequence, tt.want.At = 1, at
			if diff := cmp.Diff([]store.AuditEvent{tt.want}, got); diff != "" {
				t.Errorf("record differs (-want +got):\n%s", diff)
			}
		})
	}
}

// An act whose record cannot be written does not happen.
func TestRecordIsPartOfTheAct(t *testing.T) {
	t.Parallel()
	s := storetest.New(t)
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	err := s.InTx(t.Context(), func(tx *store.Tx) error {
		if err := tx.AddOrganisation(t.Context(), store.Organisation{Code: "RXX01", Name: "Riverside"}, at); err != nil {
			return err
		}
		return audit.Record(t.Context(), tx, audit.Entry{At: at, Event: audit.OrganisationAdded}) // by nobody
	})
	if err == nil {
		t.Error("InTx(with a record of nobody's act) = nil, want an error")
	}
	if got, err := s.Organisations(t.Context(), "", 10); err != nil || len(got) != 0 {
		t.Errorf("Organisations() = %v, %v, want none", got, err)
	}
}
