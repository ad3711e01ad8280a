package store_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/credence-id/credence/store"
)

func TestTracer(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	traced := open(t, in.serviceURL, store.Tracer{})

	_, err := traced.Person(t.Context(), ana, now) // outside a request
	must(t, err)
	if n := len(spans.Started()); n > 0 {
		t.Errorf("a statement outside a span made %d spans, want none", n)
	}

	ctx, request := tracer.Start(t.Context(), "request")
	_, err = traced.Person(ctx, ana, now)
	must(t, err)
	err = traced.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.UseCode(ctx, hash("code"), now); err != nil {
			return err
		}
		return errors.Join(
			tx.AddAuditEvent(ctx, store.AuditEvent{At: now, Event: "token_issued", Actor: "canary"}),
			tx.AddAuditEvent(ctx, store.AuditEvent{At: now, Event: "token_issued", Actor: "canary"}),
			tx.AddGrant(ctx, newGrant(uuid.New()), hash("code"), later), // the same code: refused by the schema
		)
	})
	is(t, "InTx with a code that is there", err, store.ErrConflict)
	request.End()

	type span struct {
		name, system, size, code string
		failed                   bool
	}
	var got []span
	for _, s := range spans.Ended() {
		if s.Name() == "request" {
			continue
		}
		one := span{name: s.Name(), failed: s.Status().Code == codes.Error}
		for _, a := range s.Attributes() {
			value := a.Value.String()
			switch a.Key {
			case "db.system.name":
				one.system = value
			case "db.operation.batch.size":
				one.size = value
			case "db.response.status_code":
				one.code = value
			case "db.query.summary":
			default:
				t.Errorf("span %q has %s = %q, want nothing but names", s.Name(), a.Key, value)
			}
			if strings.Contains(value, ana) || strings.Contains(value, "canary") {
				t.Errorf("span %q has %s = %q: it names somebody", s.Name(), a.Key, value)
			}
		}
		if s.Parent().SpanID() != request.SpanContext().SpanID() || len(s.Events()) > 0 || s.Status().Description != "" {
			t.Errorf("span %q has the parent %s, events %v and the words %q, want the request, and none", s.Name(), s.Parent().SpanID(), s.Events(), s.Status().Description)
		}
		got = append(got, one)
	}
	want := []span{
		{name: "SELECT standing", system: "postgresql"},
		{name: "BEGIN; UPDATE authorization_grant", system: "postgresql", size: "2"},
		{name: "INSERT audit_event; INSERT authorization_grant; COMMIT", system: "postgresql", size: "3", code: "23505", failed: true},
		{name: "ROLLBACK", system: "postgresql"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(span{})); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
}

// A request that had to wait for a connection says so; one that had not is spared the span.
func TestTracerShowsWaiting(t *testing.T) {
	t.Parallel()
	in := newInstallation(t)
	spans := tracetest.NewSpanRecorder()
	tracer := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("test")
	traced := open(t, oneConnection(t, in.serviceURL), store.Tracer{})
	must(t, second(traced.Person(t.Context(), ana, now))) // her record stays in memory

	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	waiter, request := tracer.Start(ctx, "request")
	done := make(chan error)
	must(t, traced.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.UseCode(ctx, hash("code"), now); err != nil {
			return err
		}
		go func() {
			_, err := traced.Person(waiter, ana, now)
			done <- err
		}()
		for len(spans.Started()) < 2 { // until it waits
			if err := ctx.Err(); err != nil {
				return err
			}
			runtime.Gosched()
		}
		return nil
	}))
	must(t, <-done)
	_, err := traced.Person(waiter, ana, now) // which need not wait
	must(t, err)
	request.End()

	var got []string
	for _, s := range spans.Ended() {
		got = append(got, s.Name())
	}
	if diff := cmp.Diff([]string{"store.AwaitConnection", "SELECT standing", "SELECT standing", "request"}, got); diff != "" {
		t.Errorf("spans (-want +got):\n%s", diff)
	}
}
