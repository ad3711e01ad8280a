package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/credence-id/credence/cmd/credence/wardlist"
)

// demonstration is what `credence demo` was asked to run.
type demonstration struct {
	*program
	issuer, clientID, secretFile, listen, url string
}

func newDemoCommand(p *program) *cobra.Command {
	d := &demonstration{program: p}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Run the demo service beside a provider",
		Long: `Run the demo service, a ward list of invented patients, beside a provider: credence dev
has its own. The provider has to know it as a client, with the redirect URI URL/callback
and the post-logout redirect URI URL/signed-out. Its host must not be the provider's,
because cookies are shared between the ports of a host.`,
		Example: `  credence client add --name "Ward list" --auth none --redirect-uri http://127.0.0.1:8081/callback
  credence demo --issuer http://localhost:8080 --client-id the-id-that-it-printed`,
		Args: cobra.NoArgs,
		RunE: d.run,
	}
	c.Flags().StringVar(&d.issuer, "issuer", "", "`address` of the provider")
	c.Flags().StringVar(&d.clientID, "client-id", "", "`id` under which the provider knows it")
	c.Flags().StringVar(&d.secretFile, "client-secret-file", "", "`file` with its secret (default none: a public client)")
	c.Flags().StringVar(&d.listen, "listen", "127.0.0.1:8081", "`address` where it takes connections")
	c.Flags().StringVar(&d.url, "url", "", "`address` at which browsers reach it (default http:// and that of --listen)")
	require(c, "issuer", "client-id")
	return c
}

// check reports the mistakes in the flags together.
func (d *demonstration) check() error {
	var mistakes []error
	if err := checkIssuer(d.issuer); err != nil {
		mistakes = append(mistakes, fmt.Errorf("--issuer %q: %w", d.issuer, err))
	}
	if d.clientID == "" {
		mistakes = append(mistakes, errors.New("--client-id is empty: register the demo with credence client add, which prints it"))
	}
	if err := checkListen(d.listen); err != nil {
		mistakes = append(mistakes, fmt.Errorf("--listen %q: %w", d.listen, err))
	}
	if err := checkIssuer(d.address(d.listen)); err != nil {
		mistakes = append(mistakes, fmt.Errorf("--url %q: %w", d.address(d.listen), err))
	}
	return errors.Join(mistakes...)
}

// address is where browsers find what listens there.
func (d *demonstration) address(listener string) string {
	if d.url != "" {
		return d.url
	}
	return "http://" + listener
}

func (d *demonstration) run(cmd *cobra.Command, _ []string) error {
	if err := d.check(); err != nil {
		return &usageError{err}
	}
	config := wardlist.Config{
		Issuer: d.issuer, ClientID: d.clientID, Log: slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), nil)), Now: d.clock,
	}
	if d.secretFile != "" {
		b, _, err := readSmallFile(d.secretFile)
		if err != nil {
			return fmt.Errorf("read client secret: %w", err)
		}
		if config.ClientSecret = strings.TrimSpace(string(b)); config.ClientSecret == "" {
			return fmt.Errorf("read client secret: %s is empty", d.secretFile)
		}
	}
	ctx := cmd.Context()
	l, err := listen(ctx, d.listen, "--listen")
	if err != nil {
		return err
	}
	config.URL = d.address(l.Addr().String())
	wards, err := wardlist.New(config)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	config.Log.InfoContext(ctx, "serving", slog.String("url", config.URL), slog.String("address", l.Addr().String()))
	group, ctx := errgroup.WithContext(ctx)
	site{name: "demo", handler: wards, listeners: []net.Listener{l}}.start(ctx, group, config.Log)
	return group.Wait()
}
