package store_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

func TestClient(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	read := func(want store.Client) {
		t.Helper()
		got, err := in.Client(ctx, want.ID)
		must(t, err)
		same(t, "Client()", got, want)
	}
	c := newClient(ward)
	read(c)
	c.Name, c.Authentication, c.SecretHash, c.RedirectURIs = "Ward list 2", "none", nil, []string{"http://127.0.0.1/"}
	c.PostLogoutRedirectURIs, c.Scopes, c.IDTokenAlg, c.Audience, c.RequiresRole = nil, []string{"openid", "email"}, "ES256", "https://api.example.org", true
	must(t, in.UpdateClient(ctx, c))
	c.PostLogoutRedirectURIs = []string{}
	read(c)
	must(t, in.DisableClient(ctx, ward, later))
	c.DisabledAt = &later
	read(c)
	is(t, "DisableClient(again)", in.DisableClient(ctx, ward, later), store.ErrNotFound)
}

// A change of a set raises its number, and nothing else does.
func TestGeneration(t *testing.T) { //nolint:tparallel // the subtests take turns on one database
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	for _, tt := range []struct {
		name          string
		clients, keys int64
		do            func() error
	}{
		{"a client is updated", 1, 0, func() error { return in.UpdateClient(ctx, newClient(ward)) }},
		{"a client is disabled", 1, 0, func() error { return in.DisableClient(ctx, ward, now) }},
		{"a client is added", 1, 0, func() error { return in.AddClient(ctx, newClient("another")) }},
		{"a key is added", 0, 1, func() error { return in.AddSigningKey(ctx, newSigningKey("RS256", "first")) }},
		{"a key is replaced", 0, 2, func() error {
			return in.ReplaceSigningKey(ctx, "first", later, newSigningKey("RS256", "second"))
		}},
		{"a person is disabled", 0, 0, func() error { return second(in.DisablePerson(ctx, ana, now)) }},
		{"a client is read", 0, 0, func() error { return second(in.Client(ctx, ward)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			read := func(set string) int64 {
				n, err := in.Generation(ctx, set)
				must(t, err)
				return n
			}
			clients, keys := read("client"), read("signing_key")
			must(t, tt.do())
			if got := read("client") - clients; got != tt.clients {
				t.Errorf("generation of clients rose by %d, want %d", got, tt.clients)
			}
			if got := read("signing_key") - keys; got != tt.keys {
				t.Errorf("generation of keys rose by %d, want %d", got, tt.keys)
			}
		})
	}
}

func newSigningKey(alg, id string) store.SigningKey {
	return store.SigningKey{ID: id, Alg: alg, Sealed: []byte("sealed"), CreatedAt: now, ActiveAt: now}
}

func TestSigningKeys(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	first, second, other := newSigningKey("RS256", "first"), newSigningKey("RS256", "second"), newSigningKey("ES256", "other")
	second.ActiveAt, other.ActiveAt = later, now.Add(time.Minute)
	must(t, in.AddSigningKey(ctx, first))
	must(t, in.AddSigningKey(ctx, other))
	is(t, "ReplaceSigningKey(of another algorithm)", in.ReplaceSigningKey(ctx, "other", later, second), store.ErrNotFound)
	must(t, in.ReplaceSigningKey(ctx, "first", later, second))
	is(t, "ReplaceSigningKey(again)", in.ReplaceSigningKey(ctx, "first", later, newSigningKey("RS256", "third")), store.ErrNotFound)

	first.ExpiresAt = &later
	got, err := in.SigningKeys(ctx, now)
	must(t, err)
	same(t, "SigningKeys(now)", got, []store.SigningKey{first, other, second})
	got, err = in.SigningKeys(ctx, later)
	must(t, err)
	same(t, "SigningKeys(when the first expires)", got, []store.SigningKey{other, second})
}

func TestAuditEvents(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	bare := store.AuditEvent{At: now, Event: "signed_in", Actor: "nobody"}
	whole := store.AuditEvent{
		At: later, Event: "token_issued", Refusal: "code_used", Actor: ward, PersonID: "somebody unknown", ClientID: ward,
		SessionID: new(uuid.New()), GrantID: new(uuid.New()), RequestID: "r", Address: "192.0.2.1", Detail: map[string]string{"why": "x"},
	}
	must(t, in.AddAuditEvent(ctx, bare))
	must(t, in.AddAuditEvent(ctx, whole))
	got, err := in.AuditEvents(ctx, 0, 10)
	must(t, err)
	bare.Sequence, bare.Detail, whole.Sequence = 1, map[string]string{}, 2
	same(t, "AuditEvents()", got, []store.AuditEvent{bare, whole})
	got, err = in.AuditEvents(ctx, 0, 1)
	must(t, err)
	same(t, "AuditEvents(the first)", got, []store.AuditEvent{bare})
	got, err = in.AuditEvents(ctx, 1, 10)
	must(t, err)
	same(t, "AuditEvents(after the first)", got, []store.AuditEvent{whole})
}

// Lines of one transaction travel together, in their order, and none of what was undone.
func TestAuditEventsOfATransaction(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	var want []string
	must(t, in.InTx(ctx, func(tx *store.Tx) error {
		must(t, second(tx.Person(ctx, ana, now)))
		appendLine := func(event string) error {
			return tx.AddAuditEvent(ctx, store.AuditEvent{At: now, Event: event, Actor: "nobody", Detail: map[string]string{"of": event}})
		}
		for i := range 20 {
			event := fmt.Sprintf("event_%d", i)
			must(t, appendLine(event))
			want = append(want, event)
			if i%7 == 3 {
				is(t, "Try()", tx.Try(ctx, func() error { return errors.Join(appendLine("undone"), errors.ErrUnsupported) }), errors.ErrUnsupported)
			}
		}
		return nil
	}))
	lines, err := in.AuditEvents(ctx, 0, 30)
	must(t, err)
	var got []string
	for _, l := range lines {
		got = append(got, l.Event)
		same(t, "detail of "+l.Event, l.Detail, map[string]string{"of": l.Event})
	}
	same(t, "events of the transaction", got, want)
}

func TestDoneToClient(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	for _, e := range []store.AuditEvent{
		{Event: "client_updated", Actor: ana, ClientID: ward, RequestID: "first"},
		{Event: "client_updated", Actor: ana, ClientID: "another", RequestID: "another's"},
		{Event: "client_updated", Actor: ward, ClientID: ward, RequestID: "by itself"},
		{Event: "client_updated", Actor: ben, PersonID: ben, ClientID: ward, RequestID: "about a person"},
		{Event: "client_disabled", Actor: ana, ClientID: ward, RequestID: "of another event"},
		{Event: "client_updated", Actor: ben, ClientID: ward, RequestID: "second"},
	} {
		e.At = now
		must(t, in.AddAuditEvent(ctx, e))
	}
	for _, tt := range []struct {
		limit int
		want  []string
	}{{10, []string{"second", "first"}}, {1, []string{"second"}}} {
		lines, err := in.DoneToClient(ctx, ward, []string{"client_updated"}, tt.limit)
		must(t, err)
		var got []string
		for _, l := range lines {
			got = append(got, l.RequestID)
		}
		same(t, fmt.Sprintf("DoneToClient(%d)", tt.limit), got, tt.want)
	}
}

func TestDevelopment(t *testing.T) {
	t.Parallel()
	in, ctx := newInstallation(t), t.Context()
	owner := open(t, in.ownerURL, nil)
	marked := func(want bool) {
		t.Helper()
		if got, err := in.Development(ctx); err != nil || got != want {
			t.Errorf("Development() = %t, %v, want %t", got, err, want)
		}
	}
	marked(false)
	must(t, owner.MarkDevelopment(ctx, now))
	is(t, "MarkDevelopment(again)", owner.MarkDevelopment(ctx, now), nil)
	marked(true)
	if empty, err := in.Empty(ctx); err != nil || empty {
		t.Errorf("Empty() = %t, %v, want false", empty, err)
	}
}
