package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/localpg"
)

// What `credence dev` keeps in its directory beside the database, for the other commands.
const (
	defaultData = ".credence"
	sealKeyFile = "seal.key"
	issuerFile  = "issuer"
	mailDir     = "mail" // where `dev` writes what people would be told
)

// dataDir is the directory of the private database: the one that --data names, or the default one. `credence dev` and
// the commands that look for it agree on it as long as they are started in the same directory.
func (p *program) dataDir() (string, error) {
	if p.data != "" {
		return filepath.Abs(p.data)
	}
	return localpg.DefaultDir(defaultData)
}

// serviceURL is that of the database to work on: of the directory that --data names, else of the environment, else of
// the default directory.
func (p *program) serviceURL(ctx context.Context) (string, error) {
	return p.databaseURL(ctx, "CREDENCE_DATABASE_URL", func(c config) string { return c.DatabaseURL }, localpg.Address.ServiceURL)
}

// ownerURL is serviceURL for the owner.
func (p *program) ownerURL(ctx context.Context) (string, error) {
	return p.databaseURL(ctx, "CREDENCE_DATABASE_OWNER_URL", func(c config) string { return c.DatabaseOwnerURL }, localpg.Address.OwnerURL)
}

func (p *program) databaseURL(ctx context.Context, name string, configured func(config) string, private func(localpg.Address) string) (string, error) {
	c, err := readConfig(p.environ)
	if err != nil {
		return "", err
	}
	if address := configured(c); address != "" && p.data == "" {
		return address, nil
	}
	// An environment that names the one and not the other means its own database, and not whatever runs here.
	if p.data == "" && (c.DatabaseURL != "" || c.DatabaseOwnerURL != "") {
		return "", fmt.Errorf("%s is not set: set it, or name the directory of a private database with --data", name)
	}
	dir, err := p.dataDir()
	if err != nil {
		return "", err
	}
	address, err := localpg.Running(ctx, dir)
	if errors.Is(err, localpg.ErrNotRunning) {
		return "", fmt.Errorf("%w, or name its directory with --data, or set %s", err, name)
	}
	if err != nil {
		return "", err
	}
	return private(address), nil
}

// How long a command may take: one that looks at a few rows, and one that goes through everybody's.
const (
	briefly  = time.Minute
	atLength = 12 * time.Hour
)

// withStore runs do on the database, as the service role.
func (p *program) withStore(ctx context.Context, do func(ctx context.Context, s *store.Store) error) error {
	return withStoreAt(ctx, briefly, p.serviceURL, do)
}

// withOwner is withStore as the owner, for what the running server may not do.
func (p *program) withOwner(ctx context.Context, do func(ctx context.Context, s *store.Store) error) error {
	return withStoreAt(ctx, atLength, p.ownerURL, do)
}

func withStoreAt(ctx context.Context, limit time.Duration, find func(context.Context) (string, error), do func(ctx context.Context, s *store.Store) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	address, err := find(ctx)
	if err != nil {
		return err
	}
	s, err := store.Open(ctx, address)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.CheckSchema(ctx); err != nil {
		return err
	}
	return do(ctx, s)
}

// sealKey is the key of the installation that serviceURL finds.
func (p *program) sealKey() (seal.Key, error) {
	c, err := readConfig(p.environ)
	if err != nil {
		return seal.Key{}, err
	}
	path := c.SealKeyFile
	if path == "" || p.data != "" {
		dir, err := p.dataDir()
		if err != nil {
			return seal.Key{}, err
		}
		path = filepath.Join(dir, sealKeyFile)
	}
	key, err := readSealKey(path)
	if err != nil {
		return seal.Key{}, fmt.Errorf("read seal key: %w", hint(err, fs.ErrNotExist, "set CREDENCE_SEAL_KEY_FILE to the file that the server uses"))
	}
	return key, nil
}

// issuer is that of the installation that serviceURL finds.
func (p *program) issuer() (string, error) {
	c, err := readConfig(p.environ)
	if err != nil {
		return "", err
	}
	if c.Issuer != "" && p.data == "" {
		return c.Issuer, nil
	}
	// What the directory says is of the directory's database, and not of the one that the environment names.
	if c.DatabaseURL != "" && p.data == "" {
		return "", errors.New("CREDENCE_ISSUER is not set: set it to the issuer of the servers that use this database")
	}
	dir, err := p.dataDir()
	if err != nil {
		return "", err
	}
	b, _, err := readSmallFile(filepath.Join(dir, issuerFile))
	if err != nil {
		return "", fmt.Errorf("find issuer: %w", hint(err, fs.ErrNotExist, "set CREDENCE_ISSUER, or start `credence dev`"))
	}
	issuer := strings.TrimSpace(string(b))
	if err := checkIssuer(issuer); err != nil {
		return "", fmt.Errorf("find issuer: %s says %q: %w", filepath.Join(dir, issuerFile), issuer, err)
	}
	return issuer, nil
}

// libpqParameters are the parameters that a URL has for libpq and pgx alike, and not for the server.
func libpqParameters() []string {
	return []string{
		"application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname", "host", "krbsrvname",
		"max_protocol_version", "min_protocol_version", "passfile", "password", "port", "replication", "require_auth", "service",
		"servicefile", "sslcert", "sslcertmode", "sslkey", "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "sslsni",
		"target_session_attrs", "user",
	}
}

// forLibpq is a database URL of ours for psql and pg_dump, whose libpq refuses what it does not know: it gets a parameter
// of the server, which pgx takes by its name, among the options, and nothing of what only pgx and its pool know.
func forLibpq(address string) string {
	base, query, _ := strings.Cut(address, "?")
	given, _ := url.ParseQuery(query) // pgx too leaves out what is malformed
	kept := make(url.Values)
	var options []string
	if given.Has("options") {
		options = append(options, given.Get("options"))
	}
	escape := strings.NewReplacer(`\`, `\\`, " ", `\ `)
	for _, name := range slices.Sorted(maps.Keys(given)) {
		switch value := given.Get(name); {
		case slices.Contains(libpqParameters(), name):
			kept.Set(name, value)
		case strings.HasPrefix(name, "pool_"):
		case slices.Contains([]string{"default_query_exec_mode", "description_cache_capacity", "options", "statement_cache_capacity"}, name):
		default:
			options = append(options, "-c "+name+"="+escape.Replace(value))
		}
	}
	if len(options) > 0 {
		kept.Set("options", strings.Join(options, " "))
	}
	if len(kept) == 0 {
		return base
	}
	return base + "?" + strings.ReplaceAll(kept.Encode(), "+", "%20") // libpq knows no plus sign for a space
}

func newDBCommand(p *program) *cobra.Command {
	var owner bool
	show := &cobra.Command{
		Use:   "url",
		Short: "Print the URL of the database, for psql",
		Long: `Print the URL of the database, as psql and pg_dump take it: without the settings of our
pool, and with those of the server as options. It holds a password.`,
		Example: `  psql "$(credence db url)"
  pg_dump "$(credence db url --owner)"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			find := p.serviceURL
			if owner {
				find = p.ownerURL
			}
			address, err := find(cmd.Context())
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), forLibpq(address))
			return err
		},
	}
	show.Flags().BoolVar(&owner, "owner", false, "connect as the owner of the tables, and not as the service")
	return newGroup("db", "Find the database", `  psql "$(credence db url)"`, show)
}
