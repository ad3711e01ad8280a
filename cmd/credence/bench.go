package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/spf13/cobra"

	"github.com/credence-id/credence/cmd/credence/bench"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// benchKeyFile holds the secret of the people of `credence bench`, in the directory of the private database.
const benchKeyFile = "bench.key"

// benchmark is what `credence bench` was asked to measure.
type benchmark struct {
	*program
	config     bench.Config
	secretFile string
	limit      time.Duration
	idle       time.Duration // after which the memory of an idle server is measured
	remote     bool
	fill       bool // an empty database
	byItself   bool // --alone
	json       bool
	out, err   io.Writer
}

func newBenchCommand(p *program) *cobra.Command {
	b := &benchmark{program: p, idle: 3 * time.Second}
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure a running server",
		Long: `Measure a running server: whole sign-ins with passkeys, codes redeemed with PKCE, refreshes,
userinfo and the public documents, by so many users at once. It first fills the database
with invented people, who stay. Use one that you can throw away: start credence dev with a
directory of its own. It takes one of credence dev or one that it has filled before, where it
goes on when it was cut short, and an empty one with --fill. It leaves every other alone.

The people who sign in have passkeys derived from a secret, which it makes at first use and
keeps in bench.key beside the database, or in --secret-file. Whoever has the secret can sign in
as them wherever the database is served.

With --alone it needs no server: it starts a private database and credence serve on it,
measures the start and the memory too, and leaves nothing behind.

Each line is printed when it is measured, so that stopping it with Ctrl-C loses the one that
is being measured only. A wrong answer is an error; with an error, and when it was stopped, the
exit status is 1. docs/performance.md says what the columns mean.`,
		Example: `  credence dev --data /tmp/bench
  credence bench --data /tmp/bench
  credence bench --data /tmp/bench --people 1500000 --limit 20m
  credence bench --data /tmp/bench --flows code,refresh --concurrency 8 --duration 10s --json
  credence bench --alone`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.out, b.err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if err := b.config.Check(); err != nil {
				return &usageError{err}
			}
			for _, name := range []string{"data", "issuer", "metrics", "secret-file", "remote"} {
				if b.byItself && cmd.Flags().Changed(name) {
					return &usageError{fmt.Errorf("--alone starts a server and a database of its own: leave --%s out", name)}
				}
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), b.limit)
			defer cancel()
			if b.remote && !cmd.Flags().Changed("metrics") {
				b.config.Metrics = "" // those of this machine are of another server
			}
			if b.byItself {
				return b.alone(ctx)
			}
			return b.explain(ctx, b.run(ctx))
		},
	}
	f := c.Flags()
	f.StringVar(&b.config.Issuer, "issuer", "", "the `address` of the server (default that of the database)")
	f.StringVar(&b.config.Metrics, "metrics", "http://127.0.0.1:9464/metrics", "the `address` of the server's metrics")
	f.IntVar(&b.config.People, "people", 10_000, "how `many` people the database has to hold")
	f.StringSliceVar(&b.config.Flows, "flows", bench.Flows(), "what to measure")
	f.IntSliceVar(&b.config.Concurrency, "concurrency", []int{1, 8, 32, 256}, "`users` at once")
	f.DurationVar(&b.config.Duration, "duration", 5*time.Second, "how long each measurement lasts")
	f.DurationVar(&b.config.Warm, "warm", time.Second, "how long the server is warmed before each")
	f.BoolVar(&b.config.RS256, "rs256", false, "have ID tokens signed with RS256, not ES256")
	f.StringVar(&b.secretFile, "secret-file", "", "the `file` of the secret (default bench.key beside the database)")
	f.DurationVar(&b.limit, "limit", 10*time.Minute, "how long everything may take")
	f.BoolVar(&b.fill, "fill", false, "fill this empty database with invented people who can sign in")
	f.BoolVar(&b.remote, "remote", false, "measure a server that is not on this machine")
	f.BoolVar(&b.byItself, "alone", false, "start a server and a database, and stop them again")
	f.BoolVar(&b.json, "json", false, "print a line of JSON for each measurement")
	return c
}

// explain says in words that time was up or that somebody stopped it, instead of what then failed for it.
func (b *benchmark) explain(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("not everything was measured within %s: give it more time with --limit", b.limit)
	case ctx.Err() != nil:
		return errors.New("stopped before everything was measured")
	}
	return err
}

func (b *benchmark) run(ctx context.Context) error {
	if b.config.Issuer == "" {
		var err error
		if b.config.Issuer, err = b.issuer(); err != nil {
			return err
		}
	}
	ownerURL, err := b.ownerURL(ctx)
	if err != nil {
		return err
	}
	if err := b.checkLocal(ownerURL); err != nil {
		return &usageError{err}
	}
	if b.config.Roots, err = b.roots(); err != nil {
		return err
	}
	if err := b.seed(ctx, ownerURL); err != nil {
		return err
	}
	return b.drive(ctx)
}

// checkLocal keeps it from what others depend on.
func (b *benchmark) checkLocal(databaseURL string) error {
	if err := checkIssuer(b.config.Issuer); err != nil {
		return fmt.Errorf("--issuer %s: %w", b.config.Issuer, err)
	}
	if b.remote {
		return nil
	}
	issuer, err := url.Parse(b.config.Issuer)
	if err != nil {
		return err
	}
	if !isLoopback(issuer.Hostname()) {
		return fmt.Errorf("--issuer %s is not on this machine, and others may use it: measure a server of your own at localhost, or say --remote", b.config.Issuer)
	}
	if !localDatabase(databaseURL) {
		return errors.New("the database is not on this machine, and others may use it: use one at localhost, or say --remote")
	}
	return nil
}

// localDatabase says whether every host that a URL of a database names is this machine.
func localDatabase(databaseURL string) bool {
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return false
	}
	hosts := []string{config.Host}
	for _, f := range config.Fallbacks {
		hosts = append(hosts, f.Host)
	}
	for _, host := range hosts {
		address, err := netip.ParseAddr(host)
		if !filepath.IsAbs(host) && host != "localhost" && (err != nil || !address.IsLoopback()) { // absolute is a socket
			return false
		}
	}
	return true
}

// roots are what a server with TLS is trusted by. The authority of the directory can speak for localhost only, so that it does
// no harm beside the others.
func (b *benchmark) roots() (*x509.CertPool, error) {
	if !strings.HasPrefix(b.config.Issuer, "https:") {
		return nil, nil
	}
	dir, err := b.dataDir()
	if err != nil {
		return nil, err
	}
	return rootsWithLocalCA(dir)
}

// secret is that of the people, which it makes when there is none.
func (b *benchmark) secret() (seal.Key, error) {
	path := b.secretFile
	if path == "" {
		dir, err := b.dataDir()
		if err != nil {
			return seal.Key{}, err
		}
		path = filepath.Join(dir, benchKeyFile)
	}
	key, err := ensureSealKey(path)
	if err != nil {
		return seal.Key{}, fmt.Errorf("secret of the people: %w", hint(err, fs.ErrNotExist, "name a file with --secret-file"))
	}
	return key, nil
}

// seed fills the database, and finds PostgreSQL's processes when they are here.
func (b *benchmark) seed(ctx context.Context, ownerURL string) error {
	owner, err := store.Open(ctx, ownerURL)
	if err != nil {
		return err
	}
	defer owner.Close()
	if err := owner.CheckSchema(ctx); err != nil {
		return err
	}
	if err := bench.CheckDatabase(ctx, owner, b.fill); err != nil {
		err = hint(err, bench.ErrForeign, "use that of `credence dev`, or an empty one with --fill")
		return hint(err, bench.ErrEmpty, "say --fill to fill it with invented people who can sign in, if nobody does")
	}
	if b.config.Key, err = b.secret(); err != nil {
		return err
	}
	if err := bench.Seed(ctx, owner, b.config.Key, b.config.Issuer, b.config.People, b.clock, b.err); err != nil {
		return err
	}
	if !localDatabase(ownerURL) {
		return nil
	}
	backend, err := owner.BackendPID(ctx)
	b.config.Postmaster = bench.Postmaster(backend)
	return err
}

// drive measures, and fails when anything did.
func (b *benchmark) drive(ctx context.Context) error {
	table, failed := bench.Table{W: b.out}, 0
	err := bench.Run(ctx, b.config, func(r bench.Result) error {
		failed += r.Errors
		if b.json {
			return bench.WriteJSON(b.out, r)
		}
		return table.Add(r)
	})
	if err == nil && failed > 0 {
		err = fmt.Errorf("%d operations failed: see the errors above, and what the server logs", failed)
	}
	return err
}
