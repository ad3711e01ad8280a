package store

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// Tracer makes a span of each round trip of a request that is traced, and of each wait for a connection. A span says what
// was done to which table, and never a value: https://opentelemetry.io/docs/specs/semconv/db/postgresql/.
type Tracer struct{}

var (
	_ pgx.QueryTracer       = Tracer{}
	_ pgx.BatchTracer       = Tracer{}
	_ pgxpool.AcquireTracer = Tracer{}
)

// TraceQueryStart implements pgx.QueryTracer.
func (Tracer) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	return startTrip(ctx, 1, func() string { return summary(data.SQL) })
}

// TraceQueryEnd implements pgx.QueryTracer.
func (Tracer) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryEndData) {
	endTrip(ctx, data.Err)
}

// TraceBatchStart implements pgx.BatchTracer.
func (Tracer) TraceBatchStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchStartData) context.Context {
	return startTrip(ctx, data.Batch.Len(), func() string { return summaries(data.Batch.QueuedQueries) })
}

// TraceBatchQuery implements pgx.BatchTracer: a batch is one round trip and one span.
func (Tracer) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (Tracer) TraceBatchEnd(ctx context.Context, _ *pgx.Conn, data pgx.TraceBatchEndData) {
	endTrip(ctx, data.Err)
}

// waiting is the key of the span of a wait, which pgx carries from its start to its end.
type waiting struct{}

// TraceAcquireStart implements pgxpool.AcquireTracer. Only a wait is worth a span.
func (Tracer) TraceAcquireStart(ctx context.Context, pool *pgxpool.Pool, _ pgxpool.TraceAcquireStartData) context.Context {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() || pool.Stat().IdleConns() > 0 {
		return ctx
	}
	_, span := parent.TracerProvider().Tracer(tracerName).Start(ctx, "store.AwaitConnection")
	return context.WithValue(ctx, waiting{}, span)
}

// TraceAcquireEnd implements pgxpool.AcquireTracer.
func (Tracer) TraceAcquireEnd(ctx context.Context, _ *pgxpool.Pool, data pgxpool.TraceAcquireEndData) {
	span, waited := ctx.Value(waiting{}).(trace.Span)
	if !waited {
		return
	}
	if data.Err != nil {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

const tracerName = "github.com/credence-id/credence/store"

func startTrip(ctx context.Context, statements int, name func() string) context.Context {
	parent := trace.SpanFromContext(ctx)
	if !parent.IsRecording() {
		return ctx
	}
	said := name()
	ctx, span := parent.TracerProvider().Tracer(tracerName).Start(ctx, said, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(semconv.DBSystemNamePostgreSQL, semconv.DBQuerySummary(said)))
	if statements > 1 {
		span.SetAttributes(semconv.DBOperationBatchSize(statements))
	}
	return ctx
}

// endTrip ends the span that startTrip began: where that began none, there is none that is recorded. The text of an error
// can quote a value, its code cannot.
func endTrip(ctx context.Context, err error) {
	span := trace.SpanFromContext(ctx)
	if err != nil {
		span.SetStatus(codes.Error, "")
		if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
			span.SetAttributes(semconv.DBResponseStatusCode(pg.Code))
		}
	}
	span.End()
}

// summary is what a statement of ours does and to which table: its first change, "UPDATE session", else what it reads,
// "SELECT person". One without a table, such as COMMIT, is its first word.
func summary(sql string) string {
	words := strings.Fields(sql)
	source, depth := "", 0
	for i, word := range words {
		switch next := table(words, i+1); {
		case word == "UPDATE" && next != "":
			return "UPDATE " + next
		case word == "INTO":
			return "INSERT " + next
		case word == "FROM" && i > 0 && words[i-1] == "DELETE":
			return "DELETE " + next
		case word == "FROM" && source == "" && depth == 0:
			source = next
		}
		depth += strings.Count(word, "(") - strings.Count(word, ")")
	}
	switch {
	case source != "":
		return "SELECT " + source
	case len(words) > 0:
		return words[0]
	}
	return ""
}

// table is the name of a table or function at a place of a statement, or "": we write them in small letters.
func table(words []string, i int) string {
	if i >= len(words) {
		return ""
	}
	word := words[i]
	if end := strings.IndexFunc(word, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }); end >= 0 {
		return word[:end]
	}
	return word
}

// summaries names a batch after its statements: "INSERT audit_event; COMMIT".
func summaries(queued []*pgx.QueuedQuery) string {
	var all []string
	for _, q := range queued {
		if said := summary(q.SQL); len(all) == 0 || all[len(all)-1] != said {
			all = append(all, said)
		}
	}
	return strings.Join(all, "; ")
}
