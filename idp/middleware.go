package idp

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	oteltrace "go.opentelemetry.io/otel/trace"

	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/throttle"
	"github.com/credence-id/credence/idp/trace"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// server routes requests, and answers the errors of handlers in one place.
type server struct {
	mux      *http.ServeMux
	pages    *web.Pages
	sessions *session.Manager
	policies *directory.Policies
	log      *slog.Logger
	now      func() time.Time
	trusted  []netip.Prefix // proxies
	hsts     bool
	metrics  metrics
	traces   oteltrace.TracerProvider
}

// handle adds a handler whose error becomes a page: a *web.Problem says what it shows; of anything else, which is our
// fault, only the log learns.
func (s *server) handle(pattern string, f func(http.ResponseWriter, *http.Request) error) {
	s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
		if err := f(w, r); err != nil {
			s.fail(w, r, err)
		}
	})
}

func (s *server) fail(w http.ResponseWriter, r *http.Request, err error) {
	problem, ok := errors.AsType[*web.Problem](err)
	if beyond, tooMany := errors.AsType[*throttle.LimitError](err); tooMany {
		w.Header().Set("Retry-After", beyond.RetryAfter())
		problem, ok = &web.Problem{
			Status: http.StatusTooManyRequests, Title: "Wait a minute, then try again",
			Message: "This did not work, and too many other sign-ins or links have failed on your network just now. A key or link that is in order still works.",
			Next:    "If you copied a link, check that you copied all of it. If you see this again, tell your help desk the reference below.",
			Retry:   true,
		}, true
	}
	if !ok {
		s.log.ErrorContext(r.Context(), "request failed", slog.Any("error", err))
		problem = &web.Problem{
			Status: http.StatusInternalServerError, Title: "Sorry, there is a problem with this service",
			Message: "It is our fault, not yours.",
			Next:    "Try again in a few minutes. If it happens again, tell your help desk the reference below.",
		}
	}
	shown := *problem
	shown.RequestID, shown.Help = audit.RequestOf(r.Context()).ID, s.help(r)
	if !strings.HasPrefix(r.URL.Path, "/desk") { // which is in English alone
		shown.Language = web.LanguageOf(r, r.URL.Query().Get("ui_locales"))
	}
	if err := s.pages.Render(w, shown.Status, &shown); err != nil {
		s.log.ErrorContext(r.Context(), "error page failed", slog.Any("error", err))
		http.Error(w, "Sorry, there is a problem with this service.", http.StatusInternalServerError)
	}
}

// help is where whoever sent a request finds help. Where nobody is signed in, or nobody can be read, it is what holds everywhere.
func (s *server) help(r *http.Request) web.Help {
	found, err := s.sessions.Find(r.Context(), s.sessions.CookieOf(r), "")
	if err != nil {
		return web.Help{}
	}
	return web.Help(s.policies.HelpFor(found.Person, found.Role))
}

// answerWithin is how long a request may take, whatever it waits for: a connection of the pool, or a database that has
// stopped answering and has not said so. It runs to its end also when the client has hung up: nobody takes back by that
// what a request has shown of them, such as the second use of a refresh token.
const answerWithin = 10 * time.Second

// middleware is what every request passes, outermost first: it gets an id, its one log event and its metrics; a panic
// becomes an error page; a form that another site posts is refused.
func (s *server) middleware(sameOrigin *http.CrossOriginProtection) http.Handler {
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &web.Problem{
			Status: http.StatusForbidden, Title: "This form was sent from another site",
			Message: "We only accept forms that were filled in on our own pages.",
			Next:    "Go back to the service that you want to use and sign in again.",
		})
	}))
	guarded := sameOrigin.Handler(s.mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := s.now()
		id := rand.Text()[:16]
		address := clientAddress(r, s.trusted)
		refused := new(audit.Refusal)
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), answerWithin)
		defer cancel()
		if s.traces != nil && fromProxy(r, s.trusted) {
			ctx = trace.Continue(ctx, r.Header)
		}
		ctx, span := trace.Serve(ctx, s.traces, r.Method, id)
		ctx = audit.WithRequest(ctx, audit.Request{ID: id, Address: address, Refusal: refused})
		r = r.WithContext(ctx)
		seen := &recorder{ResponseWriter: w}
		seen.Header().Set("X-Request-Id", id)
		if s.hsts {
			seen.Header().Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains") // RFC 6797
		}
		s.guard(ctx, seen, r, guarded)

		pattern := r.Pattern
		if pattern == "" { // it was refused before it was routed
			_, pattern = s.mux.Handler(r)
		}
		span.Answered(pattern, seen.status)
		took := s.now().Sub(began)
		s.metrics.requests.WithLabelValues(pattern, strconv.Itoa(seen.status)).Inc()
		s.metrics.seconds.WithLabelValues(pattern).Observe(took.Seconds())
		event := []slog.Attr{
			slog.String("method", r.Method), slog.String("route", pattern), slog.Int("status", seen.status),
			slog.Float64("milliseconds", float64(took.Microseconds())/1000), slog.String("address", address),
		}
		if refused.Reason != "" {
			event = append(event, slog.String("refusal", refused.Reason))
		}
		if refused.Error != "" {
			event = append(event, slog.String("client", refused.Client), slog.String("error", refused.Error), slog.String("error_description", refused.Description), slog.String("redirect_origin", refused.RedirectOrigin))
		}
		s.log.LogAttrs(ctx, level(pattern, seen.status), "request", event...)
	})
}

// level is that of the log event of a request. What machines fetch all day, and nobody is part of, is for whoever looks
// closer.
func level(pattern string, status int) slog.Level {
	switch pattern {
	case "GET /healthz", "GET /readyz", "GET /static/", "GET /jwks", "GET /.well-known/openid-configuration", "GET /.well-known/oauth-authorization-server",
		"GET /.well-known/passkey-endpoints", "GET /.well-known/webauthn":
		if status < http.StatusBadRequest {
			return slog.LevelDebug
		}
	}
	return slog.LevelInfo
}

// guard turns a panic, which is a bug of ours, into the page of our faults.
func (s *server) guard(ctx context.Context, w *recorder, r *http.Request, next http.Handler) {
	defer func() {
		if v := recover(); v != nil {
			s.log.ErrorContext(ctx, "panic", slog.Any("value", v))
			if w.status == 0 {
				s.fail(w, r, errors.New("panic"))
			}
		}
		if w.status == 0 {
			w.status = http.StatusOK
		}
	}()
	next.ServeHTTP(w, r)
}

// recorder notes the status of an answer.
type recorder struct {
	http.ResponseWriter
	status int
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

type metrics struct {
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics() metrics {
	return metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "credence_http_requests_total", Help: "Requests, by route and status.",
		}, []string{"route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "credence_http_request_seconds", Help: "How long requests took, by route.",
			Buckets: []float64{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5},
		}, []string{"route"}),
	}
}

func (m metrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.requests, m.seconds}
}

// alive says that the process runs.
func alive(w http.ResponseWriter, _ *http.Request) error {
	return plain(w, http.StatusOK, "ok\n")
}

// ready says whether requests can be served: the database answers, and its schema has what we need. A newer one has:
// migrations expand first, and replicas are replaced one by one after them.
func ready(s *store.Store) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
		defer cancel()
		switch schema, err := s.Schema(ctx); {
		case errors.Is(err, store.ErrSchema) || err == nil && schema.Version < schema.Latest:
			return plain(w, http.StatusServiceUnavailable, "the schema of the database does not fit this program\n")
		case err != nil:
			return plain(w, http.StatusServiceUnavailable, "the database does not answer\n")
		}
		return plain(w, http.StatusOK, "ready\n")
	}
}

func plain(w http.ResponseWriter, status int, text string) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // a caller that is gone needs no answer
	return nil
}

// notFound answers what no pattern takes. What would be taken by another method gets 405 and says by which: RFC 9110,
// Section 15.5.6.
func (s *server) notFound(w http.ResponseWriter, r *http.Request) error {
	for method, allow := range map[string]string{http.MethodGet: "GET, HEAD", http.MethodPost: "POST"} {
		other := r.WithContext(r.Context()) // a copy
		other.Method = method
		if _, pattern := s.mux.Handler(other); pattern != "/" {
			w.Header().Add("Allow", allow)
		}
	}
	if w.Header().Get("Allow") != "" {
		return &web.Problem{
			Status: http.StatusMethodNotAllowed, Title: "This address is not used like that",
			Message: "There is something here, and your browser or program asked for it by a method that it does not take.",
			Next:    "Go back to the service that you want to use and try again.",
		}
	}
	return &web.Problem{
		Status: http.StatusNotFound, Title: "Page not found",
		Message: "If you typed the address, check it is right. If you copied it, check you copied all of it.",
		Next:    "Go to the home page to sign in or to see your roles.",
	}
}

// RequestLog adds the id of the request, and of its trace if it has one, to each record that is logged in it.
type RequestLog struct{ slog.Handler }

// Handle implements slog.Handler.
func (h RequestLog) Handle(ctx context.Context, record slog.Record) error {
	if id := audit.RequestOf(ctx).ID; id != "" {
		record.AddAttrs(slog.String("request_id", id))
	}
	if id := trace.ID(ctx); id != "" {
		record.AddAttrs(slog.String("trace_id", id))
	}
	return h.Handler.Handle(ctx, record) //nolint:wrapcheck // nothing to add
}

// WithAttrs implements slog.Handler.
func (h RequestLog) WithAttrs(attrs []slog.Attr) slog.Handler {
	return RequestLog{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h RequestLog) WithGroup(name string) slog.Handler { return RequestLog{h.Handler.WithGroup(name)} }
