// Package trace marks the steps of a request as spans of an OpenTelemetry trace.
//
// The tracer is that of the span which the context carries, so no room holds one, and where nothing is traced a step costs
// nothing. A span says what was done, how long it took and by which code it was refused. It never says for whom: no token,
// code, cookie, id, address, query or text of an error enters one, because those who read traces need not know people.
//
// It follows the semantic conventions of OpenTelemetry for HTTP servers, and leaves out the attributes that hold an address:
// https://opentelemetry.io/docs/specs/semconv/http/.
package trace

import (
	"context"
	"net/http"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Scope is the name under which our spans are made.
const Scope = "github.com/credence-id/credence"

// Span is a step of a request. It hides the span of OpenTelemetry: what could write text of an error there, as its End
// does with a panic, is out of reach.
type Span struct{ otel trace.Span }

// End ends the step.
func (s Span) End() { s.otel.End() }

// Start begins a step within the one that the context carries. The name is a constant, room.Verb. Outside a recorded span
// it does nothing, and allocates nothing.
func Start(ctx context.Context, name string) (context.Context, Span) {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx, Span{parent}
	}
	ctx, span := parent.TracerProvider().Tracer(Scope).Start(ctx, name)
	return ctx, Span{span}
}

// Refuse notes why the current step was refused: a code of ours or of a protocol. A refusal is an answer, and no failure.
func Refuse(ctx context.Context, code string) {
	if span := trace.SpanFromContext(ctx); span.IsRecording() {
		span.SetAttributes(attribute.String("credence.refusal", code))
	}
}

// ID is the id of the trace that a context is part of, or "" when none is kept.
func ID(ctx context.Context) string {
	if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
		return span.TraceID().String()
	}
	return ""
}

// Serve begins the span of a request that this server answers. A nil provider traces nothing.
func Serve(ctx context.Context, p trace.TracerProvider, method, requestID string) (context.Context, Request) {
	if p == nil {
		return ctx, Request{}
	}
	ctx, span := p.Tracer(Scope).Start(ctx, "request", trace.WithSpanKind(trace.SpanKindServer))
	if span.IsRecording() {
		span.SetAttributes(semconv.HTTPRequestMethodKey.String(known(method)), attribute.String("credence.request_id", requestID))
	}
	return ctx, Request{span}
}

// Continue takes over the trace in which a caller sent a request: https://www.w3.org/TR/trace-context/. Take it from trusted
// proxies alone, because it decides what is kept. The baggage and state that travel with it are nobody's business here.
func Continue(ctx context.Context, header http.Header) context.Context {
	return propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": header.Get("Traceparent")})
}

// Request is the span of a request.
type Request struct{ otel trace.Span }

// Answered ends it, with the pattern that routed the request and the status of the answer.
func (r Request) Answered(pattern string, status int) {
	if r.otel == nil {
		return
	}
	if r.otel.IsRecording() {
		route := pattern[strings.Index(pattern, " ")+1:]
		r.otel.SetName(pattern)
		r.otel.SetAttributes(semconv.HTTPRoute(route), semconv.HTTPResponseStatusCode(status))
		if status >= http.StatusInternalServerError {
			r.otel.SetStatus(codes.Error, "")
		}
	}
	r.otel.End()
}

// known is a method as it may be written: what somebody made up is not, and there are any number of those.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions,
		http.MethodConnect, http.MethodTrace:
		return method
	}
	return "_OTHER"
}
