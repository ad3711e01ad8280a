// Package otelx has what fosite asks of the package of this name.
package otelx

import "go.opentelemetry.io/otel/trace"

// End ends a span. It writes nothing of the error there: most are refusals, which are no failures, and the text of the
// others can name somebody. It is to be deferred. A panic goes on.
func End(span trace.Span, _ *error) { span.End() }
