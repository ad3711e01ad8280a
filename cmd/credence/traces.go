package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/credence-id/credence/store"
)

// traces are where the spans of requests go. The zero value is that nothing is traced: no connection is made, and nothing
// is paid.
type traces struct {
	provider   trace.TracerProvider // of requests; nil when nothing is traced
	statements pgx.QueryTracer      // nil when nothing is traced
	flush      func(context.Context)
}

// A collector that is slow or away costs spans and never a request: they wait in a queue of a fixed length, and what finds
// it full is dropped.
const (
	maxQueued     = 2048
	maxExported   = 512
	exportEvery   = 2 * time.Second
	exportTimeout = 5 * time.Second
	// flushTimeout is how long the last spans have at the end of the program, when every request has ended.
	flushTimeout = 5 * time.Second
)

// openTraces begins to send the given part of traces to the OpenTelemetry collector at an endpoint; "" is none.
func openTraces(ctx context.Context, endpoint, ratio string, log *slog.Logger) (traces, error) {
	if endpoint == "" {
		return traces{flush: func(context.Context) {}}, nil
	}
	part, err := strconv.ParseFloat(ratio, 64)
	if err != nil {
		return traces{}, fmt.Errorf("trace ratio: %w", err)
	}
	exporter, err := otlptrace.New(ctx, &collector{
		url: endpoint + "/v1/traces", log: log,
		client: &http.Client{
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, MaxIdleConns: 1, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 16 << 10},
			Timeout:       exportTimeout,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	})
	if err != nil {
		return traces{}, fmt.Errorf("open traces: %w", err)
	}
	// Every option is given, because what is not the library reads from the environment, where we do not look for mistakes.
	provider := sdktrace.NewTracerProvider(
		sdktrace.WithBatcher(exporter, sdktrace.WithMaxQueueSize(maxQueued), sdktrace.WithMaxExportBatchSize(maxExported),
			sdktrace.WithBatchTimeout(exportEvery), sdktrace.WithExportTimeout(exportTimeout)),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(part))),
		// No events: those that the library makes hold the text of errors and panics.
		sdktrace.WithRawSpanLimits(sdktrace.SpanLimits{AttributeValueLengthLimit: 500, AttributeCountLimit: 20}),
		sdktrace.WithResource(resource.NewSchemaless(semconv.ServiceName("credence"), semconv.ServiceVersion(readVersion().Version))),
	)
	return traces{
		provider:   provider,
		statements: store.Tracer{},
		flush: func(ctx context.Context) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTimeout)
			defer cancel()
			if err := provider.Shutdown(ctx); err != nil {
				log.WarnContext(ctx, "the last traces were not delivered", slog.Any("error", err))
			}
		},
	}, nil
}

// collector receives traces by OTLP/HTTP: https://opentelemetry.io/docs/specs/otlp/#otlphttp. It stands in for the client
// of OpenTelemetry's own, which brings all of gRPC into the program for one POST.
type collector struct {
	url    string
	client *http.Client
	log    *slog.Logger

	away bool // the last batch was not taken; batches are sent one after the other
}

var _ otlptrace.Client = (*collector)(nil)

// Start implements otlptrace.Client: a connection is made when there is something to send.
func (c *collector) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *collector) Stop(context.Context) error {
	c.client.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client. A batch that is not taken is lost. The log hears of the first and not of every
// one, and so does nobody else: the library would write to standard error itself.
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	err := c.upload(ctx, spans)
	switch {
	case err != nil && !c.away:
		c.log.WarnContext(ctx, "traces are not delivered", slog.Any("error", err))
	case err == nil && c.away:
		c.log.InfoContext(ctx, "traces are delivered again")
	}
	c.away = err != nil
	return nil
}

// upload sends an ExportTraceServiceRequest, whose bytes are those of a TracesData.
func (c *collector) upload(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("encode traces: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("send traces: %w", err)
	}
	r.Header.Set("Content-Type", "application/x-protobuf")
	resp, err := c.client.Do(r)
	if err != nil {
		return fmt.Errorf("send traces: %w", err)
	}
	defer func() { _ = resp.Body.Close() }() // only read
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)); err != nil {
		return fmt.Errorf("send traces: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("send traces: the collector answers %s", resp.Status)
	}
	return nil
}
