package oauth

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/ory/fosite"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/assertion"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/keys"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// Handler serves the endpoints.
type Handler struct {
	Issuer     string
	Store      *store.Store
	Clients    *Clients
	Keys       *keys.Ring
	Published  *assertion.Published // keys of clients
	Sessions   *session.Manager
	SignIn     *signin.Handler
	Evidence   *evidence.Recorder
	Catalogue  *directory.Catalogue
	Pages      *web.Pages
	Throttle   *throttle.Limiter
	Box        seal.Box // of what travels with a pending request
	SameOrigin *http.CrossOriginProtection
	Now        func() time.Time
	Log        *slog.Logger

	fosite   *fosite.Fosite
	refusals *prometheus.CounterVec
	tokens   *prometheus.CounterVec
}

// Mount adds the endpoints to the server.
func (h *Handler) Mount(handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) error {
	h.fosite = &fosite.Fosite{Config: h.config()}
	h.refusals = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "credence_oauth_refusals_total", Help: "Requests that were refused, by endpoint and error code.",
	}, []string{"endpoint", "error"})
	h.tokens = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "credence_oauth_tokens_total", Help: "Token responses, by grant type.",
	}, []string{"grant_type"})
	for _, grantType := range grantTypes() {
		h.tokens.WithLabelValues(grantType) // at 0: an alert cannot tell what is not there from what is well
	}

	metadata, err := h.metadata()
	if err != nil {
		return err
	}
	schema, err := schemas.ReadFile("schemas/userinfo.json")
	if err != nil {
		return fmt.Errorf("read userinfo schema: %w", err)
	}
	handle("GET /.well-known/openid-configuration", Fixed("application/json", metadata))
	handle("GET /.well-known/oauth-authorization-server", Fixed("application/json", metadata))
	handle("GET /schemas/userinfo.json", Fixed("application/schema+json", schema))
	handle("GET /jwks", h.jwks)
	h.mountTrustmarks(handle)
	handle("GET /authorize", h.authorize)
	handle("HEAD /authorize", noHead)
	handle("POST /authorize", h.postAuthorization)
	handle("POST /token", h.api("token", h.exchange))
	handle("/token", h.api("token", onlyBy("POST")))
	handle("GET /userinfo", h.api("userinfo", h.userinfo))
	handle("POST /userinfo", h.api("userinfo", h.userinfo))
	handle("/userinfo", h.api("userinfo", onlyBy("GET, HEAD, POST")))
	handle("GET /logout", h.logout)
	handle("HEAD /logout", noHead)
	handle("POST /logout", h.confirmLogout)
	return nil
}

// noHead refuses HEAD where GET acts: RFC 9110, Section 9.2.1 has programs expect that HEAD does nothing.
func noHead(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Allow", "GET, POST")
	w.WriteHeader(http.StatusMethodNotAllowed)
	return nil
}

// Collectors are the metrics of the endpoints.
func (h *Handler) Collectors() []prometheus.Collector {
	return []prometheus.Collector{h.refusals, h.tokens}
}

// config sets everything that fosite asks for on the paths that our handlers leave to it, so that it fills in nothing at
// a first request, which would race. It never compares a secret and fetches no keys: our strategy authenticates clients.
func (h *Handler) config() *fosite.Config {
	return &fosite.Config{
		IDTokenIssuer:                h.Issuer,
		AccessTokenIssuer:            h.Issuer,
		TokenURL:                     h.Issuer + "/token",
		ScopeStrategy:                fosite.ExactScopeStrategy,
		AudienceMatchingStrategy:     fosite.ExactAudienceMatchingStrategy,
		EnforcePKCE:                  true,
		EnforcePKCEForPublicClients:  true,
		OmitRedirectScopeParam:       true,
		ClientAuthenticationStrategy: h.authenticateClient,
		AuthorizeEndpointHandlers:    fosite.AuthorizeEndpointHandlers{codeIssuer{h}},
		TokenEndpointHandlers:        fosite.TokenEndpointHandlers{h.codeGrant(), h.refreshGrant()},
	}
}
