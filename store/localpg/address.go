package localpg

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// The roles and the database of every cluster.
const (
	superuser   = "postgres"
	ownerRole   = "credence_owner"
	serviceRole = "credence_service"
	database    = "credence"
)

// ErrNotRunning is returned by [Running] when no cluster runs in a directory.
var ErrNotRunning = errors.New("no database runs there: start `credence dev` first")

// Address tells how to connect to a cluster. Its URLs hold passwords; both pgx
// and psql accept them.
type Address struct {
	socket    string
	passwords passwords
}

// passwords of the roles, as passwords.json holds them.
type passwords struct {
	Superuser string `json:"superuser"`
	Owner     string `json:"owner"`
	Service   string `json:"service"`
}

// Running returns the address of the cluster that another process runs in dir,
// or [ErrNotRunning] when there is none.
func Running(ctx context.Context, dir string) (Address, error) {
	address, err := find(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Address{}, fmt.Errorf("database in %s: %w", dir, ErrNotRunning)
	}
	if err != nil {
		return Address{}, fmt.Errorf("find the database in %s: %w", dir, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, address.OwnerURL())
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED) {
		return Address{}, fmt.Errorf("database in %s: %w", dir, ErrNotRunning)
	}
	if err != nil {
		return Address{}, fmt.Errorf("connect to the database in %s: %w", dir, err)
	}
	return address, conn.Close(ctx)
}

// find is Running as far as files tell.
func find(dir string) (Address, error) {
	s, err := findSite(dir)
	if err != nil {
		return Address{}, err
	}
	if err := s.checkSocket(); err != nil {
		return Address{}, err
	}
	return s.address()
}

// OwnerURL connects to the database credence as credence_owner, which owns it
// and may change its schema.
func (a Address) OwnerURL() string { return a.url(ownerRole, a.passwords.Owner, database) }

// ServiceURL connects to the database credence as credence_service, which may
// do what the migrations grant it.
func (a Address) ServiceURL() string { return a.url(serviceRole, a.passwords.Service, database) }

// SuperuserURL connects to the named database as the superuser.
func (a Address) SuperuserURL(database string) string {
	return a.url(superuser, a.passwords.Superuser, database)
}

// LogValue keeps the passwords out of logs.
func (a Address) LogValue() slog.Value { return slog.StringValue(a.socket) }

func (a Address) url(user, password, database string) string {
	u := url.URL{
		Scheme: "postgres",
		User:   url.UserPassword(user, password),
		Path:   "/" + database,
		// The host is a parameter because Go's parser takes no %2F in an
		// authority. libpq knows %20 and not the plus sign. The port is there
		// against a PGPORT in the environment.
		RawQuery: "host=" + strings.ReplaceAll(url.QueryEscape(a.socket), "+", "%20") + "&port=5432",
	}
	return u.String()
}

// address is that of the cluster in the site, running or not.
func (s site) address() (Address, error) {
	b, err := readSmall(s.passwordFile())
	if err != nil {
		return Address{}, fmt.Errorf("read passwords of the cluster: %w", err)
	}
	var p passwords
	if err := json.Unmarshal(b, &p); err != nil {
		return Address{}, fmt.Errorf("read passwords of the cluster in %s: %w", s.passwordFile(), err)
	}
	return Address{socket: s.socket(), passwords: p}, nil
}

// makePasswords writes the passwords of a cluster about to be made. Those that
// are there stay: they may be of data that was moved away and will come back.
func (s site) makePasswords() (passwords, error) {
	known, err := s.address()
	if !errors.Is(err, fs.ErrNotExist) {
		return known.passwords, err
	}
	p := passwords{Superuser: rand.Text(), Owner: rand.Text(), Service: rand.Text()}
	b, err := json.Marshal(p)
	if err != nil {
		return passwords{}, err
	}
	unfinished := s.passwordFile() + ".new"
	f, err := os.OpenFile(unfinished, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) //nolint:gosec // a file of the cluster's directory
	if err != nil {
		return passwords{}, fmt.Errorf("write passwords of the cluster: %w", err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return passwords{}, fmt.Errorf("write passwords of the cluster: %w", err)
	}
	return p, os.Rename(unfinished, s.passwordFile()) // made durable by initdb's syncDir
}
