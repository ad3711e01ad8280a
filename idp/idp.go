// Package idp assembles the provider: the rooms below it, the middleware around them, and nothing else. Tests of whole
// flows live here.
package idp

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/credence-id/credence/idp/account"
	"github.com/credence-id/credence/idp/api"
	"github.com/credence-id/credence/idp/assertion"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/breakglass"
	"github.com/credence-id/credence/idp/desk"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/keys"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/meeting"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/idp/outbound"
	"github.com/credence-id/credence/idp/password"
	"github.com/credence-id/credence/idp/photograph"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/registration"
	"github.com/credence-id/credence/idp/retention"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/selfregistration"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/idp/sweep"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/idp/unusual"
	"github.com/credence-id/credence/idp/webauthn"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// Config is what a provider is made of.
type Config struct {
	Issuer string // its URL, without a path
	Store  *store.Store
	Key    seal.Key
	Now    func() time.Time // UTC, in microseconds as the database keeps them
	Log    *slog.Logger

	// TrustedProxies are the networks of the proxies whose word on a client's address is taken. None: the connection's.
	TrustedProxies []netip.Prefix

	// Metadata is where what FIDO publishes of authenticators comes from. Without it none is known.
	Metadata webauthn.Source

	// RelatedOrigins are other origins whose pages may use the passkeys of the issuer's host.
	RelatedOrigins []string

	// Mail brings people messages, from MailFrom. Without it nobody is told anything by mail.
	Mail     messenger.Carrier
	MailFrom *mail.Address

	// Help is where whoever is not known finds help, or whose organisation does not say.
	Help directory.Help

	// Traces makes the traces of requests. Nil traces nothing.
	Traces trace.TracerProvider

	// Simulated lists the people whom the development server signs in without an authenticator. Nil elsewhere.
	Simulated []directory.FixedPerson
}

// Provider is the assembled provider.
type Provider struct {
	http.Handler
	keys       *keys.Ring
	clients    *oauth.Clients
	catalogue  func(ctx context.Context) error // keeps it fresh
	policies   func(ctx context.Context) error // keeps them fresh
	models     *webauthn.Models
	limiter    *throttle.Limiter
	sweeper    *sweep.Sweeper
	watch      *unusual.Watch
	eraser     *retention.Eraser
	positions  *position.Registrar
	messenger  *messenger.Outbox // nil tells nobody
	collectors []prometheus.Collector
}

// New assembles a provider and reads what it keeps in memory. At first start it makes the signing keys.
func New(ctx context.Context, c Config) (*Provider, error) {
	pages, err := web.New(web.Options{Development: c.Simulated != nil, Help: web.Help(c.Help)})
	if err != nil {
		return nil, err
	}
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		return nil, err
	}
	if err := catalogue.Load(ctx, c.Store); err != nil {
		return nil, err
	}
	policies := directory.NewPolicies(c.Help)
	if err := policies.Load(ctx, c.Store); err != nil {
		return nil, err
	}
	rules, err := authority.New()
	if err != nil {
		return nil, err
	}
	models := webauthn.NewModels(c.Store, c.Metadata, c.Now, c.Log)
	if err := models.Load(ctx); err != nil {
		return nil, err
	}
	relyingParty, err := webauthn.New(webauthn.Config{
		Store: c.Store, Models: models, Key: c.Key, Issuer: c.Issuer, Name: "Credence", Now: c.Now, RelatedOrigins: c.RelatedOrigins,
	})
	if err != nil {
		return nil, err
	}
	ring := keys.New(c.Store, c.Key, c.Now, c.Log)
	if err := ring.Load(ctx); err != nil {
		return nil, err
	}
	clients := &oauth.Clients{Store: c.Store, Now: c.Now, Log: c.Log}
	if err := clients.Load(ctx); err != nil {
		return nil, err
	}
	sameOrigin, err := crossOriginProtection(c.Issuer)
	if err != nil {
		return nil, err
	}
	// The protocol's own endpoints take what other sites post, and turn what a person is part of into the same request as
	// GET, with the cookies that the browser then sends.
	guard, err := crossOriginProtection(c.Issuer, "POST /authorize", "POST /token", "POST /userinfo", "POST /logout")
	if err != nil {
		return nil, err
	}
	limiter := throttle.New(c.Store, c.Key, c.Now, c.Log)
	sweeper := sweep.New(c.Store, c.Now, c.Log)
	recorder, err := evidence.New(c.Store, c.Key, c.Now)
	if err != nil {
		return nil, err
	}
	retained, err := retention.Rules()
	if err != nil {
		return nil, err
	}
	outbox := NewOutbox(c, policies)
	recorder.Messenger = outbox
	passwords := password.New(c.Store, c.Key, c.Now)
	sessions := &session.Manager{Store: c.Store, Secure: strings.HasPrefix(c.Issuer, "https://"), Now: c.Now}
	signIn := &signin.Handler{
		Store: c.Store, Sessions: sessions, WebAuthn: relyingParty, Passwords: passwords, Evidence: recorder, Catalogue: catalogue, Policies: policies, Pages: pages,
		Throttle: limiter, Box: c.Key.Box("pending sign-in"), Now: c.Now, Log: c.Log, Simulated: c.Simulated,
	}
	enroller := &registration.Enroller{Issuer: c.Issuer, Store: c.Store, WebAuthn: relyingParty, Key: c.Key, Now: c.Now, Messenger: outbox}
	register := &registration.Handler{
		Store: c.Store, Sessions: sessions, WebAuthn: relyingParty, Enroller: enroller, Passwords: passwords, Evidence: recorder, Rules: rules, Catalogue: catalogue, Policies: policies, Pages: pages,
		Throttle: limiter, Box: c.Key.Box("enrolled"), Now: c.Now, Log: c.Log,
	}
	joining := &selfregistration.Handler{Issuer: c.Issuer, Store: c.Store, Messenger: outbox, Throttle: limiter, Pages: pages, Now: c.Now}
	if outbox != nil {
		signIn.RecoverURL = "/recover"
	}
	meetings := &meeting.Registrar{Store: c.Store, Rules: rules, Key: c.Key, Messenger: outbox, Now: c.Now}
	own := &account.Handler{
		Store: c.Store, Sessions: sessions, SignIn: signIn, WebAuthn: relyingParty, Enroller: enroller, Evidence: recorder, Meetings: meetings, Catalogue: catalogue, Policies: policies, Pages: pages, Now: c.Now,
	}
	registrar := &position.Registrar{Store: c.Store, Rules: rules, Catalogue: catalogue, Messenger: outbox, Now: c.Now, Log: c.Log}
	work := &office.Office{
		Store: c.Store, Positions: registrar, Evidence: recorder, Photographs: photograph.New(c.Store, c.Key, c.Now), Meetings: meetings, Enroller: enroller, Rules: rules, Policies: policies, Now: c.Now,
	}
	outgoing := outbound.Guard{Loopback: c.Simulated != nil}
	published, err := assertion.NewPublished(outgoing, c.Now, c.Log)
	if err != nil {
		return nil, err
	}
	profiles := &lifecycle.Registrar{Store: c.Store, Rules: rules, Evidence: recorder, Messenger: outbox, Now: c.Now}
	glass := breakglass.New(breakglass.Config{Store: c.Store, Rules: rules, Messenger: outbox, Throttle: limiter, Now: c.Now, Log: c.Log})
	services := &onboarding.Registrar{Store: c.Store, Rules: rules, Prober: onboarding.NewProber(outgoing), Messenger: outbox, Now: c.Now}
	officers := &desk.Handler{
		Office: work, Sessions: sessions, SignIn: signIn, Catalogue: catalogue, Lifecycle: profiles, Retained: retained, Pages: pages,
		Onboarding: services,
		Breakglass: glass,
	}
	endpoints := &oauth.Handler{
		Issuer: c.Issuer, Store: c.Store, Clients: clients, Keys: ring, Published: published, Sessions: sessions, SignIn: signIn, Evidence: recorder, Catalogue: catalogue, Pages: pages,
		Throttle: limiter, Box: c.Key.Box("pending authorization"), SameOrigin: sameOrigin, Now: c.Now, Log: c.Log,
	}

	programs := &api.Handler{Office: work, Lifecycle: profiles, Onboarding: services, Breakglass: glass, Retained: retained, Issuer: c.Issuer, Tokens: endpoints, Log: c.Log}

	signIn.Return = endpoints.Return

	s := &server{mux: http.NewServeMux(), pages: pages, sessions: sessions, policies: policies, log: c.Log, now: c.Now, trusted: c.TrustedProxies, hsts: hsts(c.Issuer), metrics: newMetrics(), traces: c.Traces}
	if err := endpoints.Mount(s.handle); err != nil {
		return nil, err
	}
	signIn.Mount(s.handle)
	register.Mount(s.handle)
	joining.Mount(s.handle)
	own.Mount(s.handle)
	(&breakglass.Handler{Registrar: glass, Sessions: sessions, SignIn: signIn, Pages: pages}).Mount(s.handle)
	officers.Mount(s.handle)
	programs.Mount(s.handle) //nolint:contextcheck // each request has its own
	s.mux.Handle("GET /static/", pages.Static())
	if err := s.wellKnown(c.Issuer, c.RelatedOrigins); err != nil {
		return nil, err
	}
	s.languages(c.Issuer)
	s.handle("GET /healthz", alive)
	s.handle("GET /readyz", ready(c.Store))
	s.handle("/", s.notFound)

	return &Provider{
		Handler:    s.middleware(guard),
		keys:       ring,
		clients:    clients,
		catalogue:  func(ctx context.Context) error { return catalogue.Run(ctx, c.Store, c.Log) },
		policies:   func(ctx context.Context) error { return policies.Run(ctx, c.Store, c.Log) },
		models:     models,
		limiter:    limiter,
		sweeper:    sweeper,
		watch:      &unusual.Watch{Store: c.Store, Now: c.Now, Log: c.Log},
		eraser:     &retention.Eraser{Store: c.Store, Rules: retained, Evidence: recorder, Now: c.Now, Log: c.Log},
		positions:  registrar,
		messenger:  outbox,
		collectors: slices.Concat(endpoints.Collectors(), ring.Collectors(), models.Collectors(), passwords.Collectors(), limiter.Collectors(), sweeper.Collectors(), outbox.Collectors(), glass.Collectors(), c.Store.Collectors(), s.metrics.collectors()),
	}, nil
}

// NewOutbox is where messages wait, or nil when nobody carries them: then there are none.
func NewOutbox(c Config, policies *directory.Policies) *messenger.Outbox {
	if c.Mail == nil {
		return nil
	}
	return messenger.New(messenger.Config{
		Store: c.Store, Key: c.Key, Issuer: c.Issuer, From: c.MailFrom, Carrier: c.Mail,
		Help: func(p store.Person) web.Help { return web.Help(policies.HelpFor(p, nil)) }, Now: c.Now, Log: c.Log,
	})
}

// hsts says whether browsers are told to speak nothing but https to the issuer's host: RFC 6797. Not to localhost, whose
// other ports are other programs.
func hsts(issuer string) bool {
	u, err := url.Parse(issuer)
	return err == nil && u.Scheme == "https" && u.Hostname() != "localhost"
}

// crossOriginProtection refuses what another site posts, but to the exempt endpoints.
func crossOriginProtection(issuer string, exempt ...string) (*http.CrossOriginProtection, error) {
	p := http.NewCrossOriginProtection()
	if err := p.AddTrustedOrigin(issuer); err != nil {
		return nil, fmt.Errorf("issuer %q: %w", issuer, err)
	}
	for _, pattern := range exempt {
		p.AddInsecureBypassPattern(pattern)
	}
	return p, nil
}

// RunKeys keeps the signing keys fresh, and rotates them when they are due, until the context ends.
func (p *Provider) RunKeys(ctx context.Context) error { return p.keys.Run(ctx) }

// RunClients keeps the clients fresh until the context ends.
func (p *Provider) RunClients(ctx context.Context) error { return p.clients.Run(ctx) }

// RunCatalogue keeps the codes that can be granted fresh until the context ends.
func (p *Provider) RunCatalogue(ctx context.Context) error { return p.catalogue(ctx) }

// RunPolicies keeps fresh how organisations have their work done until the context ends.
func (p *Provider) RunPolicies(ctx context.Context) error { return p.policies(ctx) }

// RunModels keeps what is known of models of authenticators fresh until the context ends.
func (p *Provider) RunModels(ctx context.Context) error { return p.models.Run(ctx) }

// RunMetadata fetches newer FIDO metadata, if there is a source of it, until the context ends.
func (p *Provider) RunMetadata(ctx context.Context) error { return p.models.RunMetadata(ctx) }

// RunThrottle learns which limits of failures were reached at other replicas, until the context ends.
func (p *Provider) RunThrottle(ctx context.Context) error { return p.limiter.Run(ctx) }

// RunWatch counts sign-ins and notes those that are unusual, every minute, until the context ends.
func (p *Provider) RunWatch(ctx context.Context) error { return p.watch.Run(ctx) }

// RunSweep deletes dead rows, every few minutes, until the context ends.
func (p *Provider) RunSweep(ctx context.Context) error { return p.sweeper.Run(ctx) }

// RunRetention erases what is said of people when its time is over, once a day, until the context ends.
func (p *Provider) RunRetention(ctx context.Context) error { return p.eraser.Run(ctx) }

// RunLapse ends requests that nobody decided in time, every few minutes, until the context ends.
func (p *Provider) RunLapse(ctx context.Context) error { return p.positions.RunLapse(ctx) }

// RunRollouts brings what was approved of positions to who holds them, until the context ends.
func (p *Provider) RunRollouts(ctx context.Context) error { return p.positions.RunRollouts(ctx) }

// RunReminders reminds people of what ends, until the context ends.
func (p *Provider) RunReminders(ctx context.Context) error { return p.messenger.RunReminders(ctx) }

// RunDelivery sends people their messages until the context ends.
func (p *Provider) RunDelivery(ctx context.Context) error { return p.messenger.RunDelivery(ctx) }

// Collectors are the metrics of the provider.
func (p *Provider) Collectors() []prometheus.Collector { return p.collectors }
