package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newReadyCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "ready [URL]",
		Short: "Say by the exit status whether a server is ready",
		Long: `Say by the exit status whether a server is ready: for health checks in a container, which
has no shell and no curl. Without a URL it asks the server of this environment, beside
its metrics (CREDENCE_METRICS_LISTEN).`,
		Example: `  credence ready
  credence ready http://127.0.0.1:8081/`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				return ready(cmd.Context(), args[0])
			}
			c, err := readConfig(p.environ)
			if err != nil {
				return err
			}
			host, port, err := net.SplitHostPort(c.MetricsListen)
			if err != nil {
				return fmt.Errorf("CREDENCE_METRICS_LISTEN: %w", err)
			}
			if host == "" {
				host = "localhost"
			}
			return ready(cmd.Context(), "http://"+net.JoinHostPort(host, port)+"/readyz")
		},
	}
}

// ready fails unless a server answers a URL with 200, soon.
func ready(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	client := &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 3 * time.Second, // and no proxy: the server is near
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }() // only read
	if resp.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(resp.Body, 200)) // what arrives of it
		return fmt.Errorf("%s answers %s: %s", url, resp.Status, strings.TrimSpace(string(said)))
	}
	return nil
}
