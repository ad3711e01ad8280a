package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sync/errgroup"

	"github.com/credence-id/credence/idp"
)

// clock is the time as the database keeps it: UTC, in microseconds.
func (p *program) clock() time.Time { return p.now().UTC().Truncate(time.Microsecond) }

// site is one HTTP server with the listeners that it serves.
type site struct {
	name      string
	handler   http.Handler
	listeners []net.Listener

	certificate *certificate // nil for plain text
}

// stopTimeout is how long requests that run when the program is told to stop have to end.
const stopTimeout = 20 * time.Second

// run serves the sites and runs the provider's own work until the context ends, then lets running requests finish.
func run(ctx context.Context, log *slog.Logger, provider *idp.Provider, sites ...site) error {
	// What lives is small and what requests leave behind is much, so it is collected less often; unless GOGC says how often.
	if was := debug.SetGCPercent(200); was != 100 {
		debug.SetGCPercent(was)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return provider.RunKeys(ctx) })
	group.Go(func() error { return provider.RunClients(ctx) })
	group.Go(func() error { return provider.RunModels(ctx) })
	group.Go(func() error { return provider.RunMetadata(ctx) })
	group.Go(func() error { return provider.RunThrottle(ctx) })
	group.Go(func() error { return provider.RunSweep(ctx) })
	group.Go(func() error { return provider.RunWatch(ctx) })
	group.Go(func() error { return provider.RunRetention(ctx) })
	group.Go(func() error { return provider.RunCatalogue(ctx) })
	group.Go(func() error { return provider.RunPolicies(ctx) })
	group.Go(func() error { return provider.RunLapse(ctx) })
	group.Go(func() error { return provider.RunRollouts(ctx) })
	group.Go(func() error { return provider.RunReminders(ctx) })
	group.Go(func() error { return provider.RunDelivery(ctx) })
	for _, s := range sites {
		s.start(ctx, group, log)
	}
	debug.FreeOSMemory() // what starting has left behind
	return group.Wait()
}

// start serves the site until the context ends, then lets running requests finish.
func (s site) start(ctx context.Context, group *errgroup.Group, log *slog.Logger) {
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	serve := server.Serve
	if s.certificate != nil {
		server.TLSConfig = s.certificate.config()
		serve = func(l net.Listener) error { return server.ServeTLS(l, "", "") }
		group.Go(func() error { return s.certificate.Run(ctx) })
	}
	for _, l := range s.listeners {
		group.Go(func() error {
			if err := serve(l); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve %s: %w", s.name, err)
			}
			return nil
		})
	}
	group.Go(func() error {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
		defer cancel()
		if err := server.Shutdown(stop); err != nil {
			return fmt.Errorf("stop %s: %w", s.name, errors.Join(err, server.Close()))
		}
		return nil
	})
}

// metrics is the site that Prometheus reads.
func metrics(provider *idp.Provider, certificate *certificate, l net.Listener) (site, error) {
	registry := prometheus.NewRegistry()
	all := append(slices.Concat(provider.Collectors(), certificate.Collectors()), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, c := range all {
		if err := registry.Register(c); err != nil {
			return site{}, fmt.Errorf("register metrics: %w", err)
		}
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	mux.Handle("GET /healthz", provider) // also here, where only operators reach
	mux.Handle("GET /readyz", provider)
	return site{name: "metrics", handler: mux, listeners: []net.Listener{l}}, nil
}

// listen opens a listener, and says which setting to change when it cannot.
func listen(ctx context.Context, address, setting string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w: stop what uses the address, or set another with %s", err, setting)
	}
	return l, nil
}
