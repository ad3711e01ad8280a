package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/mail"
	"os"
	"path/filepath"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/cmd/credence/wardlist"
	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/localpg"
)

// development is what `credence dev` was asked to run.
type development struct {
	*program
	listen, demoListen, metricsListen string
	https                             bool
	out                               io.Writer
	log                               *slog.Logger
}

// demoSecret is the fixed secret of the client demo-secret, which scripts rely on.
const demoSecret = "demo-secret-for-development-only"

// enrolPerson is for whom `dev` prints an enrolment link: the first of the fixed people with two roles to choose from.
const enrolPerson = "656005750104"

func newDevCommand(p *program) *cobra.Command {
	d := &development{program: p}
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run everything that is needed to try Credence, with invented people",
		Long: `Run everything that is needed to try Credence: a private database, the provider with
invented people and simulated sign-in, and a demo service. It takes connections from
this machine only. The database stays when it stops; --data says where it is.

With --https the issuer is https://localhost:8080. Its certificate comes from an
authority that is made beside the database and can speak for localhost only; browsers
and clients have to be told to trust it.`,
		Example: `  credence dev
  credence dev --https
  credence dev --data /tmp/try --listen localhost:0 --demo-listen 127.0.0.1:0 --metrics-listen 127.0.0.1:0`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.out = cmd.OutOrStdout()
			d.log = slog.New(idp.RequestLog{Handler: slog.NewTextHandler(cmd.ErrOrStderr(), nil)})
			return d.run(cmd.Context())
		},
	}
	c.Flags().StringVar(&d.listen, "listen", "localhost:8080", "`address` where the provider takes connections, of this machine only")
	c.Flags().BoolVar(&d.https, "https", false, "serve the provider with TLS, by a certificate authority of this directory")
	c.Flags().StringVar(&d.demoListen, "demo-listen", "127.0.0.1:8081", "`address` where the demo service takes connections")
	c.Flags().StringVar(&d.metricsListen, "metrics-listen", "127.0.0.1:9464", "`address` where Prometheus reads metrics")
	return c
}

func (d *development) run(ctx context.Context) (err error) {
	for _, address := range []string{d.listen, d.demoListen, d.metricsListen} {
		if err := checkLoopback(address); err != nil {
			return &usageError{err}
		}
	}
	dir, err := d.dataDir()
	if err != nil {
		return err
	}
	database, err := d.database(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.stop()) }()
	key, err := ensureSealKey(filepath.Join(dir, sealKeyFile))
	if err != nil {
		return err
	}
	s, err := d.prepare(ctx, database, key)
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	go func() {
		select {
		case <-database.done:
			cancel(errors.New("PostgreSQL stopped: see postgres.log in " + dir))
		case <-ctx.Done():
		}
	}()
	if err := d.serveAll(ctx, dir, database.issuerPath, s, key); err != nil {
		return err
	}
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// checkLoopback refuses addresses that others can reach: anyone can sign in as anyone here.
func checkLoopback(address string) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil || checkListen(address) != nil {
		return fmt.Errorf("address %q: want host:port, such as localhost:8080", address)
	}
	if !isLoopback(host) {
		return fmt.Errorf("address %q: `credence dev` takes connections from this machine only: use localhost, 127.0.0.1 or [::1]", address)
	}
	return nil
}

// developmentDatabase is the database that `dev` uses.
type developmentDatabase struct {
	ownerURL, serviceURL string
	issuerPath           string // where the other commands look for the issuer of this database; "" when it is not ours
	stop                 func() error
	done                 <-chan struct{} // closed when it ends by itself
}

// database starts the private cluster, or takes the database that the environment names.
func (d *development) database(ctx context.Context, dir string) (developmentDatabase, error) {
	c, err := readConfig(d.environ)
	if err != nil {
		return developmentDatabase{}, err
	}
	if c.DatabaseURL != "" && d.data == "" {
		if c.DatabaseOwnerURL == "" {
			return developmentDatabase{}, errors.New("CREDENCE_DATABASE_URL is set and CREDENCE_DATABASE_OWNER_URL is not: `credence dev` needs the owner to migrate, or neither to start a database of its own")
		}
		// PostgreSQL's account must be able to pass: a directory that it cannot reach is not the default one the next time.
		if err := os.MkdirAll(dir, 0o711); err != nil { //nolint:gosec // what is in it is closed to others by its own mode
			return developmentDatabase{}, err
		}
		return developmentDatabase{ownerURL: c.DatabaseOwnerURL, serviceURL: c.DatabaseURL, stop: func() error { return nil }}, nil
	}
	if d.data == "" && filepath.Base(dir) != defaultData {
		_, _ = fmt.Fprintf(d.out, "PostgreSQL's account cannot reach this directory: the database is in %s\n", dir)
	}
	cluster, err := localpg.Start(ctx, localpg.Options{Dir: dir})
	if err != nil {
		return developmentDatabase{}, err
	}
	return developmentDatabase{
		ownerURL: cluster.OwnerURL(), serviceURL: cluster.ServiceURL(), issuerPath: filepath.Join(dir, issuerFile), stop: cluster.Stop, done: cluster.Done(),
	}, nil
}

// prepare migrates the database, marks it as one of `dev`, and seeds it. One that holds anything and has no mark is
// somebody's, and is left alone.
func (d *development) prepare(ctx context.Context, database developmentDatabase, key seal.Key) (*store.Store, error) {
	if err := d.claim(ctx, database.ownerURL); err != nil {
		return nil, err
	}
	s, err := store.Open(ctx, database.serviceURL)
	if err != nil {
		return nil, err
	}
	if err := directory.Seed(ctx, s, key, d.clock()); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (d *development) claim(ctx context.Context, ownerURL string) error {
	owner, err := store.Open(ctx, ownerURL)
	if err != nil {
		return err
	}
	defer owner.Close()
	schema, err := owner.Schema(ctx)
	if err != nil {
		return err
	}
	if schema.Version > 0 {
		if err := d.checkClaim(ctx, owner); err != nil {
			return err
		}
	}
	if err := store.MigrateUp(ctx, ownerURL); err != nil {
		return err
	}
	return owner.MarkDevelopment(ctx, d.clock())
}

func (d *development) checkClaim(ctx context.Context, owner *store.Store) error {
	marked, err := owner.Development(ctx)
	if err != nil || marked {
		return err
	}
	empty, err := owner.Empty(ctx)
	if err != nil || empty {
		return err
	}
	return errors.New("this database was not made by `credence dev` and is not empty: unset CREDENCE_DATABASE_URL to use a private one")
}

// ensureSealKey reads the key of the directory, and makes it at first run.
func ensureSealKey(path string) (seal.Key, error) {
	key, err := readSealKey(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	key, text := seal.NewKey()
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		return seal.Key{}, fmt.Errorf("write seal key: %w", err)
	}
	return key, nil
}

// serveAll opens the listeners, whose ports the clients' addresses depend on, registers the clients, and serves.
func (d *development) serveAll(ctx context.Context, dir, issuerPath string, s *store.Store, key seal.Key) error {
	provider, err := listenLocalhost(ctx, d.listen, "--listen")
	if err != nil {
		return err
	}
	demo, err := listen(ctx, d.demoListen, "--demo-listen")
	if err != nil {
		return err
	}
	figures, err := listen(ctx, d.metricsListen, "--metrics-listen")
	if err != nil {
		return err
	}
	issuer := "http://localhost:" + port(provider[0])
	var ca localCA
	var localhost *certificate // nil without --https
	if d.https {
		issuer = "https://localhost:" + port(provider[0])
		if ca, localhost, err = d.localCertificate(dir); err != nil {
			return err
		}
	}
	demoURL := "http://" + demo.Addr().String()
	if issuerPath != "" {
		if err := os.WriteFile(issuerPath, []byte(issuer+"\n"), 0o600); err != nil {
			return fmt.Errorf("note the issuer: %w", err)
		}
	}
	demoClientSecret := base64.RawURLEncoding.EncodeToString(key.MAC("demo client", nil))
	if err := d.register(ctx, s, demoURL, demoClientSecret); err != nil {
		return err
	}
	letters := filepath.Join(dir, mailDir)
	d.log.InfoContext(ctx, "mail is written to files and not sent", slog.String("directory", letters))
	idProvider, err := idp.New(ctx, idp.Config{
		Issuer: issuer, Store: s, Key: key, Now: d.clock, Log: d.log, Simulated: directory.FixedPeople(),
		Mail: messenger.Folder(letters), MailFrom: &mail.Address{Name: "Credence", Address: "credence@localhost"},
	})
	if err != nil {
		return err
	}
	wards, err := wardlist.New(wardlist.Config{Issuer: issuer, ClientID: "demo", ClientSecret: demoClientSecret, URL: demoURL, RootCAs: ca.pool(), Log: d.log, Now: d.clock})
	if err != nil {
		return err
	}
	prometheus, err := metrics(idProvider, localhost, figures)
	if err != nil {
		return err
	}
	if err := d.greet(ctx, s, issuer, ca.certificateFile, demoURL, "http://"+figures.Addr().String()+"/metrics"); err != nil {
		return err
	}
	return run(ctx, d.log, idProvider,
		site{name: "provider", handler: idProvider, listeners: provider, certificate: localhost},
		site{name: "demo", handler: wards, listeners: []net.Listener{demo}},
		prometheus)
}

// localCertificate is the certificate for localhost, and the authority that it comes from.
func (d *development) localCertificate(dir string) (localCA, *certificate, error) {
	ca, err := ensureLocalCA(dir, d.clock())
	if err != nil {
		return localCA{}, nil, err
	}
	files, err := ca.ensureLocalhost(d.clock())
	if err != nil {
		return localCA{}, nil, err
	}
	localhost, err := openCertificate(files, "localhost", d.now, d.log)
	return ca, localhost, err
}

func port(l net.Listener) string {
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return port
}

// listenLocalhost listens on both loopback addresses, because "localhost" means either. A machine without IPv6 has one.
func listenLocalhost(ctx context.Context, address, setting string) ([]net.Listener, error) {
	_, number, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	const attempts = 20 // at port 0, until the port that one address got is free on the other
	for range attempts {
		four, err := listen(ctx, net.JoinHostPort("127.0.0.1", number), setting)
		if err != nil {
			return nil, err
		}
		six, err := listen(ctx, net.JoinHostPort("::1", port(four)), setting)
		switch {
		case err == nil:
			return []net.Listener{four, six}, nil
		case errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT):
			return []net.Listener{four}, nil
		}
		if err := errors.Join(err, four.Close()); number != "0" {
			return nil, err
		}
	}
	return nil, fmt.Errorf("no port is free on both 127.0.0.1 and [::1]: name one with %s", setting)
}

// register registers the fixed clients.
func (d *development) register(ctx context.Context, s *store.Store, demoURL, demoClientSecret string) error {
	now := d.clock()
	const anyPort = "http://127.0.0.1/"
	return errors.Join(
		oauth.EnsureClient(ctx, s, oauth.Registration{
			ID: "demo", Name: "Ward list", Scopes: oauth.Scopes(),
			RedirectURIs: []string{demoURL + "/callback"}, PostLogoutRedirectURIs: []string{demoURL + "/signed-out"},
		}, demoClientSecret, "dev", now),
		oauth.EnsureClient(ctx, s, oauth.Registration{
			ID: "demo-public", Name: "Demo (public client)", Authentication: oauth.AuthNone, Scopes: oauth.Scopes(),
			RedirectURIs: []string{anyPort + "callback"}, PostLogoutRedirectURIs: []string{anyPort + "signed-out"},
		}, "", "dev", now),
		oauth.EnsureClient(ctx, s, oauth.Registration{
			ID: "demo-secret", Name: "Demo (client with a secret)", Scopes: oauth.Scopes(),
			RedirectURIs: []string{anyPort + "callback"}, PostLogoutRedirectURIs: []string{anyPort + "signed-out"},
		}, demoSecret, "dev", now),
	)
}

// greet says what runs, and what to do first.
func (d *development) greet(ctx context.Context, s *store.Store, issuer, caFile, demoURL, metricsURL string) error {
	secret, _, err := registration.NewEnrolmentLink(ctx, s, enrolPerson, "dev", d.clock())
	if err != nil {
		return err
	}
	trust := ""
	if caFile != "" {
		trust = fmt.Sprintf(`
  Authority      %s
                 import it into your browser; curl takes it with --cacert. It can speak for localhost only.
`, caFile)
	}
	_, err = fmt.Fprintf(d.out, `
Credence runs, for development only: anyone can sign in as anyone.

  Demo service   %s
                 a ward list: sign in, choose a role, see what is permitted and why
  Issuer         %s
  Discovery      %s/.well-known/openid-configuration
  Metrics        %s
%s
  Add a passkey for user %s (the link works once, within a day):
                 %s/enrol?token=%s

  Clients        demo-public   public, redirect http://127.0.0.1/callback on any port
                 demo-secret   client_secret_basic, secret %s

Stop with Ctrl-C. People, roles and passkeys stay for the next time.
`, demoURL, issuer, issuer, metricsURL, trust, enrolPerson, issuer, secret, demoSecret)
	return err
}
