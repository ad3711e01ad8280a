package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"path/filepath"
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
with invented people, and therefore takes only one of credence dev, an empty one, or one that
it has filled before; it goes on where it was cut short.

The people who sign in have passkeys derived from a secret, which it makes at first use and
keeps in bench.key beside the database, or in --secret-file.

With --alone it needs no server: it starts a private database and credence serve on it,
measures the start and the memory too, and leaves nothing behind.

A wrong answer is an error, and with an error the exit status is 1. docs/performance.md says
what the columns mean.`,
		Example: `  credence bench
  credence bench --alone
  credence bench --people 1500000 --limit 20m
  credence bench --flows code,refresh --concurrency 8 --duration 10s --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b.out, b.err = cmd.OutOrStdout(), cmd.ErrOrStderr()
			if err := b.config.Check(); err != nil {
				return &usageError{err}
			}
			if b.byItself && b.data != "" {
				return &usageError{errors.New("--alone makes a database of its own: leave --data out")}
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), b.limit)
			defer cancel()
			if b.remote && !cmd.Flags().Changed("metrics") {
				b.config.Metrics = "" // those of this machine are of another server
			}
			measure := b.run
			if b.byItself {
				measure = b.alone
			}
			err := measure(ctx)
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return fmt.Errorf("not everything was measured within %s: give it more time with --limit", b.limit)
			}
			return err
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
	f.BoolVar(&b.remote, "remote", false, "measure a server that is not on this machine")
	f.BoolVar(&b.byItself, "alone", false, "start a server and a database, and stop them again")
	f.BoolVar(&b.json, "json", false, "print a line of JSON for each measurement")
	for _, name := range []string{"issuer", "metrics", "secret-file", "remote"} {
		c.MarkFlagsMutuallyExclusive("alone", name)
	}
	return c
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
	if b.config.Key, err = b.secret(); err != nil {
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
	if err := bench.Seed(ctx, owner, b.config.Key, b.config.Issuer, b.config.People, b.clock, b.err); err != nil {
		return hint(err, bench.ErrForeign, "use that of `credence dev`, or an empty one")
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
