package webauthn_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

func TestMain(m *testing.M) { storetest.Main(m) }

const (
	origin  = "https://idp.example.org"
	related = "https://id.example.net"
	alice   = "555000000001"
	bob     = "555000000002"
	nobody  = "555000000009"
)

// world is a relying party with Alice and Bob, who have no authenticator yet.
type world struct {
	*webauthn.RelyingParty
	models  *webauthn.Models
	store   *store.Store
	browser []byte
	now     time.Time
	handles map[string][]byte
	logs    bytes.Buffer

	source    webauthn.Source // of FIDO metadata, if there is one
	publisher *webauthntest.Publisher
	number    int    // of what was published last
	blob      []byte // that the source has
	away      error  // of the source
}

// newWorldOf is another replica of a world.
func newWorldOf(t *testing.T, w *world) *world {
	t.Helper()
	clock := func() time.Time { return w.now }
	return &world{store: w.store, models: webauthn.NewModels(w.store, w.source, clock, slog.New(slog.DiscardHandler)), now: w.now}
}

// verifyEnrolment is VerifyEnrolment for somebody who works nowhere.
func (w *world) verifyEnrolment(state string, browser []byte, personID, name string, response []byte) (webauthn.Enrolment, error) {
	return w.VerifyEnrolment(state, browser, store.Person{ID: personID}, name, response)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, storetest.New(t))
}

func newWorldOn(t *testing.T, s *store.Store) *world {
	t.Helper()
	return newWorldFrom(t, s, webauthn.Source{})
}

func newWorldFrom(t *testing.T, s *store.Store, source webauthn.Source) *world {
	t.Helper()
	w := &world{store: s, source: source, browser: random(), now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), handles: map[string][]byte{}}
	key, _ := seal.NewKey()
	clock := func() time.Time { return w.now }
	w.models = webauthn.NewModels(s, source, clock, slog.New(slog.NewTextHandler(&w.logs, nil)))
	rp, err := webauthn.New(webauthn.Config{
		Store: s, Models: w.models, Key: key, Issuer: origin + "/", Name: "Credence", Now: clock, RelatedOrigins: []string{related},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.RelyingParty = rp
	for _, id := range []string{alice, bob} {
		w.handles[id] = random()
		p := store.NewPerson{ID: id, Handle: w.handles[id], GivenName: "Test", FamilyName: "Person", DisplayName: "Test Person " + id, IdentityLevel: "high"}
		if err := s.AddPerson(t.Context(), p, w.now); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func random() []byte {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return b
}

func (w *world) beginEnrolment(t *testing.T, personID string) webauthn.Ceremony {
	t.Helper()
	existing, err := w.store.Authenticators(t.Context(), personID, false)
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.BeginEnrolment(store.Person{ID: personID, DisplayName: "Test Person"}, w.handles[personID], existing, w.browser)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// enrol binds a key to a person as it should be done.
func (w *world) enrol(t *testing.T, personID string, key *webauthntest.Key) store.Authenticator {
	t.Helper()
	c := w.beginEnrolment(t, personID)
	e, err := w.verifyEnrolment(c.State, w.browser, personID, "", key.Create(c.Options, origin))
	if err != nil {
		t.Fatalf("VerifyEnrolment = %v (%v)", err, errors.Unwrap(err))
	}
	if err := record(t.Context(), w.store, e); err != nil {
		t.Fatalf("Record = %v", err)
	}
	return e.Authenticator
}

func (w *world) beginSignIn(t *testing.T, personID string) webauthn.Ceremony {
	t.Helper()
	c, err := w.BeginSignIn(t.Context(), personID, w.browser)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// signIn signs in with a key as it should be done, and records it.
func (w *world) signIn(t *testing.T, personID string, key *webauthntest.Key) webauthn.SignIn {
	t.Helper()
	c := w.beginSignIn(t, personID)
	s, err := w.VerifySignIn(t.Context(), "", c.State, w.browser, key.Get(c.Options, origin))
	if err != nil {
		t.Fatalf("VerifySignIn = %v (%v)", err, errors.Unwrap(err))
	}
	if err := record(t.Context(), w.store, s); err != nil {
		t.Fatalf("Record = %v", err)
	}
	return s
}

// record records a ceremony in a transaction of its own.
func record(ctx context.Context, s *store.Store, ceremony interface {
	Record(ctx context.Context, tx *store.Tx) error
},
) error {
	return s.InTx(ctx, func(tx *store.Tx) error { return ceremony.Record(ctx, tx) })
}

// wantRefusal checks why something was refused, whom it names, and what the debug log would say of it.
func wantRefusal(t *testing.T, what string, err error, reason, personID, cause string) {
	t.Helper()
	refusal, ok := errors.AsType[*webauthn.Refusal](err)
	if !ok {
		t.Fatalf("%s = %v, want refusal %s", what, err, reason)
	}
	if refusal.Reason != reason || refusal.PersonID != personID {
		t.Errorf("%s = %s of person %q (%v), want %s of %q", what, refusal.Reason, refusal.PersonID, refusal.Unwrap(), reason, personID)
	}
	if cause == "" {
		return
	}
	if refusal.Unwrap() == nil || !strings.Contains(refusal.Unwrap().Error(), cause) {
		t.Errorf("cause of %s = %v, want one with %q", reason, refusal.Unwrap(), cause)
	}
	if strings.Contains(refusal.Error(), cause) {
		t.Errorf("Error() = %q, which tells the cause", refusal.Error())
	}
}

// member reads a member of a JSON object.
func member[T any](t *testing.T, object []byte, name string) T {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		t.Fatal(err)
	}
	var v T
	if err := json.Unmarshal(members[name], &v); err != nil {
		t.Fatalf("member %q of %s: %v", name, object, err)
	}
	return v
}

// The lies that the tests tell.

func replace(old, replacement string) func([]byte) []byte {
	return func(b []byte) []byte { return []byte(strings.Replace(string(b), old, replacement, 1)) }
}

func setFlags(set, cleared byte) func([]byte) []byte {
	return func(b []byte) []byte {
		b[32] = b[32]&^cleared | set
		return b
	}
}

func TestNew(t *testing.T) {
	t.Parallel()
	key, _ := seal.NewKey()
	models := webauthn.NewModels(&store.Store{}, webauthn.Source{}, time.Now, slog.New(slog.DiscardHandler))
	whole := webauthn.Config{Store: &store.Store{}, Models: models, Key: key, Issuer: origin, Name: "Credence", Now: time.Now}
	tests := []struct {
		name   string
		change func(*webauthn.Config)
		want   bool
	}{
		{"a whole configuration is taken", func(*webauthn.Config) {}, true},
		{"localhost without TLS is taken", func(c *webauthn.Config) { c.Issuer = "http://localhost:8080" }, true},
		{"an issuer with a path is taken", func(c *webauthn.Config) { c.Issuer = origin + "/realm" }, true},
		{"an address cannot be an RP ID", func(c *webauthn.Config) { c.Issuer = "https://192.0.2.1" }, false},
		{"a host in upper case is refused", func(c *webauthn.Config) { c.Issuer = "https://IDP.example.org" }, false},
		{"no host is refused", func(c *webauthn.Config) { c.Issuer = "https:///x" }, false},
		{"another scheme is refused", func(c *webauthn.Config) { c.Issuer = "ftp://idp.example.org" }, false},
		{"what is no URL is refused", func(c *webauthn.Config) { c.Issuer = "https://idp example" }, false},
		{"no key is refused", func(c *webauthn.Config) { c.Key = seal.Key{} }, false},
		{"no store is refused", func(c *webauthn.Config) { c.Store = nil }, false},
		{"no models are refused", func(c *webauthn.Config) { c.Models = nil }, false},
		{"no name is refused", func(c *webauthn.Config) { c.Name = "" }, false},
		{"no clock is refused", func(c *webauthn.Config) { c.Now = nil }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			config := whole
			tt.change(&config)
			if _, err := webauthn.New(config); (err == nil) != tt.want {
				t.Errorf("New(%+v) = %v, want success %t", config.Issuer, err, tt.want)
			}
		})
	}
}

func TestOriginOfTheIssuer(t *testing.T) {
	t.Parallel()
	// Browsers leave the default port out of an origin.
	for issuer, origin := range map[string]string{
		"https://idp.example.org:443/": "https://idp.example.org",
		"https://idp.example.org:8443": "https://idp.example.org:8443",
		"http://localhost:80":          "http://localhost",
		"http://localhost:8080":        "http://localhost:8080",
	} {
		key, _ := seal.NewKey()
		models := webauthn.NewModels(&store.Store{}, webauthn.Source{}, time.Now, slog.New(slog.DiscardHandler))
		rp, err := webauthn.New(webauthn.Config{Store: &store.Store{}, Models: models, Key: key, Issuer: issuer, Name: "Credence", Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		browser := random()
		c, err := rp.BeginEnrolment(store.Person{ID: alice}, random(), nil, browser)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := rp.VerifyEnrolment(c.State, browser, store.Person{ID: alice}, "", webauthntest.New().Create(c.Options, origin)); err != nil {
			t.Errorf("issuer %s: VerifyEnrolment(from %s) = %v, want none", issuer, origin, err)
		}
	}
}
