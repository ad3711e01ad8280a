// Package storetest gives a test a PostgreSQL database of its own.
//
// The database is a copy of a migrated template, so that a test gets it in
// some 30 ms, and is dropped when the test ends. Tests therefore run in
// parallel, and commit. What many tests of a package begin with is put there
// once, by a [Template].
//
// A test binary starts a private server of its own when the first test asks
// for a database, and [Main] stops it. CREDENCE_TEST_DATABASE may name a
// server instead, as a postgres:// URL of a superuser; test binaries share it,
// and leave on it one template for every state of the migrations that they
// have seen.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/credence-id/credence/store"
)

// current is the server of this test binary. The testing package has no other
// place for what the tests of a binary share.
var current struct {
	sync.Mutex
	inMain bool
	server *server
	err    error
}

// Main runs the tests of a package, stops what they started and exits. Every
// package that uses storetest has it as its TestMain:
//
//	func TestMain(m *testing.M) { storetest.Main(m) }
func Main(m *testing.M) {
	current.inMain = true
	code := m.Run()
	if current.server != nil {
		if err := current.server.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "storetest:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// New returns a store on a migrated, empty database. It is connected as
// credence_service, as the program is.
func New(tb testing.TB) *store.Store {
	tb.Helper()
	_, serviceURL := URLs(tb)
	s, err := store.Open(tb.Context(), serviceURL)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close) // before URLs drops the database
	return s
}

// URLs makes a database as New does and returns the URLs by which its owner
// and credence_service connect to it: for tests that open several stores on
// one database, or run the program.
func URLs(tb testing.TB) (ownerURL, serviceURL string) {
	tb.Helper()
	s := started(tb)
	return s.copyOf(tb, s.migrated(tb))
}

// A Template is what several tests of a package begin with. It is filled when
// the first of them asks for it, and each gets a copy.
type Template struct {
	// Fill puts rows into a migrated database, and closes its connections:
	// PostgreSQL copies no database that is in use.
	Fill func(tb testing.TB, ownerURL string)

	filling sync.Mutex
	name    string // of the database, once it is filled
}

// URLs is [URLs] for a copy of the template.
func (t *Template) URLs(tb testing.TB) (ownerURL, serviceURL string) {
	tb.Helper()
	s := started(tb)
	return s.copyOf(tb, t.filled(tb, s))
}

func (t *Template) filled(tb testing.TB, s *server) string {
	tb.Helper()
	t.filling.Lock()
	defer t.filling.Unlock()
	if t.name != "" {
		return t.name
	}
	name := "filled_" + strings.ToLower(rand.Text())
	if err := s.create(tb.Context(), name, s.migrated(tb)); err != nil {
		tb.Fatalf("make template database: %v", err)
	}
	s.keep(name)
	ownerURL, _ := s.urls(tb, name)
	t.Fill(tb, ownerURL)
	t.name = name
	return name
}

// Empty is URLs without the migrations.
func Empty(tb testing.TB) (ownerURL, serviceURL string) {
	tb.Helper()
	return started(tb).copyOf(tb, "template0")
}

// started is the server, which the first call starts.
func started(tb testing.TB) *server {
	tb.Helper()
	current.Lock()
	defer current.Unlock()
	if !current.inMain {
		tb.Fatal("the package needs func TestMain(m *testing.M) { storetest.Main(m) }")
	}
	if current.server == nil && current.err == nil {
		current.server, current.err = connect(tb.Context())
	}
	if current.err != nil {
		tb.Fatalf("start test server: %v", current.err)
	}
	return current.server
}

// copyOf makes a database from a template, to be dropped when the test ends.
func (s *server) copyOf(tb testing.TB, template string) (ownerURL, serviceURL string) {
	tb.Helper()
	name := "test_" + strings.ToLower(rand.Text())
	if err := s.create(tb.Context(), name, template); err != nil {
		tb.Fatalf("make test database: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(tb.Context()), time.Minute)
		defer cancel()
		if err := s.drop(ctx, name); err != nil {
			tb.Errorf("drop test database: %v", err)
		}
	})
	return s.urls(tb, name)
}

// urls are those of a database for its owner and the service.
func (s *server) urls(tb testing.TB, name string) (ownerURL, serviceURL string) {
	tb.Helper()
	ownerURL, ownerErr := at(s.ownerURL, name)
	serviceURL, serviceErr := at(s.serviceURL, name)
	if err := errors.Join(ownerErr, serviceErr); err != nil {
		tb.Fatal(err)
	}
	return ownerURL, serviceURL
}
