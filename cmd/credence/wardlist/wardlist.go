// Package wardlist is the demonstration relying party of `credence dev` and
// `credence demo`: a small ward list that signs people in with an OpenID
// provider, shows what the provider said about them, and decides from those
// claims alone who may read the list and who may prescribe, giving its reasons.
// To prescribe it calls an API of its own with the access token, and when the
// API wants a stronger or a more recent sign-in, takes the person there and back.
//
// It is written as an outsider would write it, with go-oidc and x/oauth2 and
// nothing of this module, so that it can be copied. It guarantees that no page
// is shown for a sign-in that was not started in the same browser, answered by
// the configured issuer and proved by a verified ID token; that a permission
// absent from the claims is a refusal; that nobody is sent to sign in twice for
// one prescription; and that it loads nothing, and sends the browser nowhere,
// beyond itself and the provider. It keeps everything in
// memory, knows no real patient, and refuses to know how the person signed in
// other than by what the claims say.
//
// It implements the relying party's part of the following, and of the last three
// the resource server's:
//
//   - OpenID Connect Core 1.0, the authorization code flow: https://openid.net/specs/openid-connect-core-1_0.html
//   - OpenID Connect Discovery 1.0: https://openid.net/specs/openid-connect-discovery-1_0.html
//   - OpenID Connect RP-Initiated Logout 1.0: https://openid.net/specs/openid-connect-rpinitiated-1_0.html
//   - RFC 7636, proof key for code exchange: https://www.rfc-editor.org/rfc/rfc7636
//   - RFC 9207, issuer identification in the authorization response: https://www.rfc-editor.org/rfc/rfc9207
//   - RFC 6750, bearer tokens: https://www.rfc-editor.org/rfc/rfc6750
//   - RFC 9068, JWT access tokens: https://www.rfc-editor.org/rfc/rfc9068
//   - RFC 9470, the step-up authentication challenge: https://www.rfc-editor.org/rfc/rfc9470
package wardlist

import (
	"bytes"
	"context"
	"crypto/x509"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

//go:embed templates static
var files embed.FS

// Config is what a ward list must be told.
type Config struct {
	// Issuer is the provider's issuer identifier, letter for letter as its
	// discovery document says it, such as http://localhost:8080.
	Issuer string
	// ClientID is the name under which the provider knows the ward list.
	ClientID string
	// ClientSecret authenticates the ward list to the token endpoint
	// (client_secret_basic). Empty means a public client.
	ClientSecret string
	// Audience is for whom the provider says the ward list's access tokens are.
	// Empty means Issuer, which is what it says of clients that registered none.
	Audience string
	// URL is the ward list's own base URL without a trailing slash, such as
	// http://127.0.0.1:8081. URL/callback and URL/signed-out must be
	// registered with the provider. Its host must not be the provider's:
	// cookies are shared between the ports of one host.
	URL string
	// RootCAs are the authorities that the provider's certificate may come
	// from. Nil means those of the system.
	RootCAs *x509.CertPool
	// Log receives one record for each refusal.
	Log *slog.Logger
	// Now tells the time.
	Now func() time.Time
}

// LogValue keeps the client secret out of logs.
func (c Config) LogValue() slog.Value {
	return slog.GroupValue(slog.String("issuer", c.Issuer), slog.String("client_id", c.ClientID), slog.String("url", c.URL))
}

// check reports every mistake in c together.
func (c Config) check() error {
	var mistakes []error
	for name, value := range map[string]string{"Issuer": c.Issuer, "URL": c.URL} {
		u, err := url.Parse(value)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			mistakes = append(mistakes, fmt.Errorf("%s %q is not an http or https URL", name, value))
		}
	}
	if strings.HasSuffix(c.URL, "/") {
		mistakes = append(mistakes, fmt.Errorf("URL %q must not end in a slash", c.URL))
	}
	if c.ClientID == "" {
		mistakes = append(mistakes, errors.New("no ClientID"))
	}
	if c.Log == nil {
		mistakes = append(mistakes, errors.New("no Log"))
	}
	if c.Now == nil {
		mistakes = append(mistakes, errors.New("no Now"))
	}
	return errors.Join(mistakes...)
}

// Server is the ward list. It is safe for concurrent use.
type Server struct {
	config Config
	host   string // the only Host the server answers to
	secure bool   // whether cookies are for https only
	policy string // the Content-Security-Policy of every page

	client   *http.Client // every call to the provider and to the API
	provider atomic.Pointer[provider]
	pending  *expiring[pending]
	sessions *expiring[session]

	pages   *template.Template
	handler http.Handler
}

// New returns a ward list. It makes no call to the provider, which may start
// later: discovery waits for the first sign-in.
func New(config Config) (*Server, error) {
	if err := config.check(); err != nil {
		return nil, fmt.Errorf("configure the ward list: %w", err)
	}
	own, err := url.Parse(config.URL)
	if err != nil {
		return nil, fmt.Errorf("read the ward list's URL: %w", err)
	}
	issuer, err := url.Parse(config.Issuer)
	if err != nil {
		return nil, fmt.Errorf("read the issuer: %w", err)
	}
	pages, err := parsePages()
	if err != nil {
		return nil, fmt.Errorf("read the templates: %w", err)
	}
	static, err := fs.Sub(files, "static")
	if err != nil {
		return nil, fmt.Errorf("read the static files: %w", err)
	}
	s := &Server{
		config: config,
		host:   own.Host,
		secure: own.Scheme == "https",
		// Chromium applies form-action to the redirects that follow a form,
		// and signing out leads to the provider.
		policy: "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self' " +
			issuer.Scheme + "://" + issuer.Host + "; frame-ancestors 'none'; base-uri 'none'",
		client:   newClient(config.RootCAs),
		pending:  newExpiring[pending](maxPending, pendingLife),
		sessions: newExpiring[session](maxSessions, sessionIdle),
		pages:    pages,
	}
	s.handler = s.routes(static)
	return s, nil
}

func parsePages() (*template.Template, error) {
	return template.New("wardlist").Option("missingkey=error").Funcs(template.FuncMap{
		// The pieces of a claim's name, between which a line may break.
		"pieces": func(name string) []string { return strings.SplitAfter(name, "_") },
	}).ParseFS(files, "templates/*.html")
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.handler.ServeHTTP(w, r)
}

func (s *Server) routes(static fs.FS) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.page(s.home))
	mux.HandleFunc("GET /sign-in", s.page(s.signIn))
	mux.HandleFunc("GET /callback", s.page(s.callback))
	mux.HandleFunc("POST /check", s.page(s.checkAccess))
	mux.HandleFunc("POST /prescribe", s.page(s.prescribe))
	mux.HandleFunc("POST "+prescriptionsPath, s.servePrescriptions)
	mux.HandleFunc("POST /sign-out", s.page(s.signOut))
	mux.HandleFunc("GET /signed-out", s.page(s.signedOut))
	mux.Handle("GET /static/{file}", http.StripPrefix("/static/", http.FileServerFS(static)))
	mux.HandleFunc("/", s.page(func(http.ResponseWriter, *http.Request) error {
		return &problem{
			Status: http.StatusNotFound, Heading: "Page not found",
			What:   "The ward list has no page at this address.",
			Advice: "Check the address, or go back to the ward list.",
		}
	}))

	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(s.page(func(http.ResponseWriter, *http.Request) error {
		return &problem{
			Status: http.StatusForbidden, Heading: "Request refused",
			What:   "Another site tried to act here in your name, so nothing was done.",
			Advice: "Go back to the ward list and use the buttons there.",
		}
	}))
	return s.protect(guard.Handler(mux))
}

// protect sets the headers of every answer, and answers only to the server's
// own name: a page reached by another name would keep its cookies there, and
// another site's name could be made to point here (DNS rebinding).
func (s *Server) protect(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", s.policy)
		h.Set("X-Content-Type-Options", "nosniff")
		// Not no-referrer: that would make the Origin of our own forms null.
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if r.Host != s.host {
			http.Redirect(w, r, s.config.URL+"/", http.StatusSeeOther)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// problem is a page that says what went wrong and what to do about it.
// Everything in it but cause is shown to the person.
type problem struct {
	Status  int
	Heading string
	What    string // what happened, in one or two sentences
	Advice  string // what to do now
	// Code and Description are the provider's own words, for the people who
	// run the ward list; empty when the provider gave none.
	Code, Description string
	SignedInAs        string // who is signed in here all the same; empty for nobody
	cause             error  // for the log only
}

func (p *problem) Error() string { return p.Heading }

func (p *problem) Unwrap() error { return p.cause }

// Title is the title of the page.
func (p *problem) Title() string { return "Error: " + p.Heading }

func (*problem) template() string { return "problem.html" }

// page shows the problem that a handler returns. Any other error is a fault of
// the ward list, of which the person learns nothing but that it happened.
func (s *Server) page(handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		err := handle(w, r)
		if err == nil {
			return
		}
		p, ok := errors.AsType[*problem](err)
		if !ok {
			p = &problem{
				Status: http.StatusInternalServerError, Heading: "Something went wrong",
				What:   "The ward list could not show this page.",
				Advice: "Go back to the ward list and try again.",
				cause:  err,
			}
		}
		attrs := []slog.Attr{slog.Int("status", p.Status), slog.String("problem", p.Heading)}
		if p.Code != "" {
			attrs = append(attrs, slog.String("error_code", p.Code))
		}
		if p.cause != nil {
			attrs = append(attrs, slog.String("cause", p.cause.Error()))
		}
		s.config.Log.LogAttrs(r.Context(), slog.LevelWarn, "ward list refused a request", attrs...)
		s.render(r.Context(), w, p.Status, p)
	}
}

// view is a page: the data of one template.
type view interface{ template() string }

// render writes a whole page, or, when its template fails, a plain 500: never
// half a page.
func (s *Server) render(ctx context.Context, w http.ResponseWriter, status int, v view) {
	var page bytes.Buffer
	if err := s.pages.ExecuteTemplate(&page, v.template(), v); err != nil {
		s.config.Log.LogAttrs(ctx, slog.LevelError, "ward list could not render a page", slog.String("cause", err.Error()))
		http.Error(w, "The ward list could not show this page.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	// An error here means that the browser has gone; there is nobody to tell.
	_, _ = page.WriteTo(w)
}
