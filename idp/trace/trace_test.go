package trace_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/credence-id/credence/idp/trace"
)

// request answers one request with one step in it, which is refused.
func request(p oteltrace.TracerProvider, method, pattern string, status int) (id string) {
	ctx, span := trace.Serve(context.Background(), p, method, "REQUEST")
	defer span.Answered(pattern, status)
	stepCtx, step := trace.Start(ctx, "room.Verb")
	defer step.End()
	trace.Refuse(stepCtx, "invalid_grant")
	return trace.ID(stepCtx)
}

func TestRequest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		method, pattern string
		status          int
		want            map[string]string // attributes of the request's span
		failed          bool
	}{
		"one that is answered": {
			"GET", "GET /authorize", 303,
			map[string]string{"http.request.method": "GET", "http.route": "/authorize", "http.response.status_code": "303", "credence.request_id": "REQUEST"},
			false,
		},
		"one that is refused, which is no failure": {
			"POST", "POST /token", 400,
			map[string]string{"http.request.method": "POST", "http.route": "/token", "http.response.status_code": "400", "credence.request_id": "REQUEST"},
			false,
		},
		"one that fails": {
			"POST", "POST /token", 500,
			map[string]string{"http.request.method": "POST", "http.route": "/token", "http.response.status_code": "500", "credence.request_id": "REQUEST"},
			true,
		},
		"one whose method somebody made up, to a pattern without any": {
			"LOOK", "/", 404,
			map[string]string{"http.request.method": "_OTHER", "http.route": "/", "http.response.status_code": "404", "credence.request_id": "REQUEST"},
			false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spans := tracetest.NewSpanRecorder()
			id := request(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)), test.method, test.pattern, test.status)
			ended := spans.Ended()
			if len(ended) != 2 {
				t.Fatalf("spans = %d, want the step and the request", len(ended))
			}
			step, server := ended[0], ended[1]
			if step.Name() != "room.Verb" || server.Name() != test.pattern || server.SpanKind() != oteltrace.SpanKindServer {
				t.Errorf("spans = %q within %s %q, want room.Verb within server %q", step.Name(), server.SpanKind(), server.Name(), test.pattern)
			}
			if step.Parent().SpanID() != server.SpanContext().SpanID() || server.Parent().IsValid() || id != server.SpanContext().TraceID().String() {
				t.Errorf("the step's parent is %s and the request's %s in trace %s, want the request and none", step.Parent().SpanID(), server.Parent().SpanID(), id)
			}
			if diff := cmp.Diff(test.want, attributes(server)); diff != "" {
				t.Errorf("attributes of the request (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(map[string]string{"credence.refusal": "invalid_grant"}, attributes(step)); diff != "" {
				t.Errorf("attributes of the step (-want +got):\n%s", diff)
			}
			if failed := server.Status().Code == codes.Error; failed != test.failed || server.Status().Description != "" {
				t.Errorf("status = %v, want an error without words: %t", server.Status(), test.failed)
			}
		})
	}
}

func attributes(s sdktrace.ReadOnlySpan) map[string]string {
	all := map[string]string{}
	for _, a := range s.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

// The text of a panic may be anybody's secret. OpenTelemetry would write it into a span that ends while it unwinds.
func TestPanicIsNotWritten(t *testing.T) {
	t.Parallel()
	spans := tracetest.NewSpanRecorder()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic ended in the span, want that it goes on")
			}
		}()
		ctx, server := trace.Serve(t.Context(), sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)), "GET", "REQUEST")
		defer server.Answered("GET /", 500)
		_, step := trace.Start(ctx, "room.Verb")
		defer step.End()
		panic("secret")
	}()
	if len(spans.Ended()) != 2 {
		t.Fatalf("spans = %d, want the step and the request", len(spans.Ended()))
	}
	for _, s := range spans.Ended() {
		if len(s.Events()) > 0 {
			t.Errorf("events of %s = %v, want none", s.Name(), s.Events())
		}
	}
}

func TestNothingIsTraced(t *testing.T) {
	t.Parallel()
	if id := request(nil, "GET", "GET /", 200); id != "" {
		t.Errorf("id of a trace that nobody makes = %q, want none", id)
	}
	spans := tracetest.NewSpanRecorder()
	dropped := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans), sdktrace.WithSampler(sdktrace.NeverSample()))
	if id := request(dropped, "GET", "GET /", 200); id != "" || len(spans.Ended()) > 0 {
		t.Errorf("id of a trace that is not kept = %q with %d spans, want none", id, len(spans.Ended()))
	}
}

// Where nothing is traced, a request pays nothing.
func TestNothingIsPaid(t *testing.T) { //nolint:paralleltest // allocations are counted for the whole process
	ctx := t.Context()
	paid := testing.AllocsPerRun(100, func() {
		ctx, server := trace.Serve(ctx, nil, "POST", "REQUEST")
		stepCtx, step := trace.Start(ctx, "room.Verb")
		trace.Refuse(stepCtx, "invalid_grant")
		step.End()
		server.Answered("POST /token", 400)
		if trace.ID(stepCtx) != "" {
			t.Error("a trace that nobody makes has an id")
		}
	})
	if paid > 0 {
		t.Errorf("a request without tracing makes %v allocations, want none", paid)
	}
}
