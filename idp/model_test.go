package idp_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/idp/webauthn/metadata"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// fetchMetadata has the process ask its source of metadata.
func (p *provider) fetchMetadata() {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.handler.RunMetadata(ctx) }()
	p.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			p.t.Error(err)
		}
	})
}

// signInWith answers the sign-in page with a key.
func (p *provider) signInWith(key *webauthntest.Key) said {
	p.t.Helper()
	b := p.browser()
	c := b.get("/sign-in").ceremony(p.t)
	return b.finish(c, key.Get(c.options, issuer), "")
}

// What FIDO revokes is refused at its next use, at a process that did not hear of it itself.
func TestRevokedModelIsRefusedAtEveryProcess(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	publisher, model := webauthntest.NewPublisher("mds.example.org"), webauthntest.NewModel(uuid.New())
	trust, err := metadata.Own(webauthntest.PEM(publisher.Root))
	if err != nil {
		t.Fatal(err)
	}
	next := p.clock.Now().AddDate(0, 1, 0)
	var blob atomic.Pointer[[]byte]
	blob.Store(new(publisher.Blob(1, next, model.Certified())))
	hears := func(c *idp.Config) {
		c.Metadata = webauthn.Source{Trust: &trust, Fetch: func(context.Context) ([]byte, error) { return *blob.Load(), nil }}
	}
	deaf := func(c *idp.Config) { c.Metadata = webauthn.Source{Trust: &trust} }
	p.second(hears).fetchMetadata()
	other := p.second(deaf)
	other.run()

	key := webauthntest.NewOf(model)
	eventually(t, "the other process knows the model", func() bool {
		key = webauthntest.NewOf(model)
		p.exec(`UPDATE authenticator SET revoked_at = $1 WHERE revoked_at IS NULL`, p.clock.Now())
		other.enrol(oneRole, key)
		return p.count(`SELECT count(*) FROM authenticator WHERE attestation_verdict = 'trusted' AND revoked_at IS NULL`) == 1
	})
	if got := other.signInWith(key); got.Status != http.StatusOK {
		t.Fatalf("the sign-in before = %+v, want 200", got)
	}
	if n := p.count(`SELECT count(*) FROM session WHERE authenticator_level = 3`); n != 1 {
		t.Errorf("%d sessions of level 3, want 1", n)
	}

	blob.Store(new(publisher.Blob(2, next, model.Certified(webauthntest.Report{Status: "REVOKED"}))))
	p.second(hears).fetchMetadata()
	var got said
	eventually(t, "the other process refuses the model", func() bool {
		got = other.signInWith(key)
		return got.Status != http.StatusOK
	})
	if want := (said{Status: http.StatusForbidden, Message: "This kind of passkey or security key is no longer safe, so you cannot sign in with it. Sign in with another one, and ask your registration authority to replace it."}); got != want {
		t.Errorf("the sign-in after = %+v, want %+v", got, want)
	}
	events := p.audited("signed_in", "metadata_taken")
	if got := events[len(events)-1]; got != "signed_in: model_revoked" {
		t.Errorf("the last event is %q, want the refusal", got)
	}
	if got := strings.Count(strings.Join(events, " "), "metadata_taken"); got != 2 {
		t.Errorf("%d blobs were taken, want 2", got)
	}
	another := webauthntest.New()
	other.enrol(oneRole, another)
	if got := other.signInWith(another); got.Status != http.StatusOK {
		t.Errorf("the sign-in with another key = %+v, want 200", got)
	}
}

// What an organisation asks is asked when an authenticator is bound and when it is used, and said in words.
func TestPolicyOfAnOrganisation(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.run()
	before := webauthntest.NewPasskey()
	p.enrol(oneRole, before)
	found, err := p.store.Person(t.Context(), oneRole, p.clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	policy := store.AuthenticatorPolicy{OrganisationCode: found.Person.Memberships[0].OrganisationCode, DeviceBound: true}
	if err := webauthn.SetPolicy(t.Context(), p.store, policy, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	var got said
	eventually(t, "the policy holds", func() bool {
		got = p.signInWith(before)
		return got.Status != http.StatusOK
	})
	if !strings.Contains(got.Message, "Your organisation does not accept this kind") || got.Forget {
		t.Errorf("the sign-in with a synchronised passkey = %+v, want it refused in words", got)
	}
	bind := func(key *webauthntest.Key) said {
		b := p.browser()
		c := b.get(p.link(oneRole)).ceremony(t)
		return b.finish(c, key.Create(c.options, issuer), "")
	}
	if got := bind(webauthntest.NewPasskey()); got.Status != http.StatusForbidden || !strings.Contains(got.Message, "copied between devices") {
		t.Errorf("the enrolment of a synchronised passkey = %+v, want it refused in words", got)
	}
	key := webauthntest.New()
	if got := bind(key); got.Status != http.StatusOK {
		t.Errorf("the enrolment of a security key = %+v, want 200", got)
	}
	if got := p.signInWith(key); got.Status != http.StatusOK {
		t.Errorf("the sign-in with a security key = %+v, want 200", got)
	}
	if diff := cmp.Diff([]string{"enrolled", "enrolled: device_bound_required", "enrolled"}, p.audited("enrolled")); diff != "" {
		t.Errorf("audited (-want +got):\n%s", diff)
	}
}

// The browser is told to forget what is on nobody's record, and which passkeys are on record.
func TestBrowserIsToldOfPasskeys(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	key, unknown := webauthntest.New(), webauthntest.New()
	p.enrol(oneRole, key)
	unknown.Create(p.browser().get(p.link(oneRole)).ceremony(t).options, issuer)
	if got := p.signInWith(unknown); got.Status != http.StatusForbidden || !got.Forget {
		t.Errorf("the sign-in with a passkey of nobody's = %+v, want it forgotten", got)
	}
	b := p.browser()
	home := b.passkey(b.get("/sign-in"), key)
	if !strings.Contains(home.body, `data-signals="{&#34;rpId&#34;:&#34;example.com&#34;`) || !strings.Contains(home.body, `allAcceptedCredentialIds`) || !strings.Contains(home.body, "/static/signals.js") {
		t.Errorf("home page has no signals: %s", home.body)
	}
}

func TestWellKnownPasskeyDocuments(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	related := p.second(func(c *idp.Config) { c.RelatedOrigins = []string{"https://id.example.net"} })
	for _, tt := range []struct {
		at   *provider
		path string
		want map[string]any // nil: not there
	}{
		{p, "/.well-known/passkey-endpoints", map[string]any{"enroll": issuer + "/", "manage": issuer + "/"}},
		{p, "/.well-known/webauthn", nil},
		{related, "/.well-known/webauthn", map[string]any{"origins": []any{"https://id.example.net"}}},
	} {
		got := tt.at.browser().get(tt.path)
		if tt.want == nil {
			if got.StatusCode != http.StatusNotFound {
				t.Errorf("GET %s = %d, want 404", tt.path, got.StatusCode)
			}
			continue
		}
		var document map[string]any
		if err := json.Unmarshal([]byte(got.body), &document); err != nil || got.StatusCode != http.StatusOK || got.Header.Get("Content-Type") != "application/json" {
			t.Errorf("GET %s = %d %s, %v, want JSON", tt.path, got.StatusCode, got.body, err)
		}
		if diff := cmp.Diff(tt.want, document); diff != "" {
			t.Errorf("GET %s (-want +got):\n%s", tt.path, diff)
		}
		for _, page := range document {
			if address, ok := page.(string); ok && tt.at.browser().get(address).StatusCode != http.StatusOK {
				t.Errorf("GET %s, which it names, is not 200", address)
			}
		}
	}
	key := webauthntest.New()
	p.enrol(oneRole, key)
	b := related.browser()
	c := b.get("/sign-in").ceremony(t)
	if got := b.finish(c, key.Get(c.options, "https://id.example.net"), ""); got.Status != http.StatusOK {
		t.Errorf("the sign-in from a related origin = %+v, want 200", got)
	}
	b = p.browser()
	c = b.get("/sign-in").ceremony(t)
	if got := b.finish(c, key.Get(c.options, "https://id.example.net"), ""); got.Status != http.StatusForbidden {
		t.Errorf("the sign-in from an origin that is not related = %+v, want 403", got)
	}
}
