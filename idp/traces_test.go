package idp_test

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// traced is another process of the installation, which traces its requests.
func (p *provider) traced(changes ...func(*idp.Config)) (*provider, *tracetest.SpanRecorder) {
	p.t.Helper()
	spans := tracetest.NewSpanRecorder()
	q := p.second(append(changes, func(c *idp.Config) {
		c.Store = p.open(p.urls.service, store.Tracer{})
		c.Traces = sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans), sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.AlwaysSample())))
	})...)
	return q, spans
}

// whole waits until every request was traced to its end, which comes after its answer.
func whole(t *testing.T, spans *tracetest.SpanRecorder) {
	t.Helper()
	eventually(t, "every span has ended", func() bool { return len(spans.Ended()) == len(spans.Started()) })
}

// tree writes a trace a line a span, each below and further in than what it is part of.
func tree(spans []sdktrace.ReadOnlySpan) string {
	below := map[string][]sdktrace.ReadOnlySpan{}
	for _, s := range spans {
		parent := ""
		if s.Parent().IsValid() && !s.Parent().IsRemote() {
			parent = s.Parent().SpanID().String()
		}
		below[parent] = append(below[parent], s)
	}
	var out strings.Builder
	var write func(parent, indent string)
	write = func(parent, indent string) {
		slices.SortStableFunc(below[parent], func(a, b sdktrace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
		for _, s := range below[parent] {
			out.WriteString(indent + s.Name())
			for _, a := range s.Attributes() {
				if a.Key == "credence.refusal" {
					out.WriteString(", refused: " + a.Value.AsString())
				}
			}
			out.WriteString("\n")
			write(s.SpanContext().SpanID().String(), indent+"  ")
		}
	}
	write("", "")
	return out.String()
}

// Each request is one trace, from its handler over the rules to the round trips, in few spans.
func TestTraces(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	key := webauthntest.NewPasskey() // which does not count, so that nothing but the challenge tells a replay
	p.enrol(oneRole, key)
	q, spans := p.traced()
	q.signedIn(q.browser(), confidentialClient, oneRole) // what is kept in memory is read
	b, k := p.browser().at(q), newPKCE()
	asked := request(confidentialClient, k, "scope", "openid offline_access")

	page := b.authorize(asked)
	ceremony := page.ceremony(t)
	response := key.Get(ceremony.options, issuer)
	whole(t, spans)
	var code string
	var got tokens
	for _, step := range []struct {
		name string
		do   func()
		want string
	}{
		{"a sign-in with a passkey", func() { code = b.follow(b.finish(ceremony, response, "").Location).redirect(t).Get("code") }, `
POST /sign-in/passkey
  signin.WithPasskey
    webauthn.VerifySignIn
      SELECT authenticator
    session.Begin
    oauth.IssueCode
      Fosite.NewAuthorizeResponse
    INSERT used_challenge; UPDATE authenticator; INSERT session; INSERT audit_event; INSERT authorization_grant
`},
		{"a sign-in by a challenge that was answered", func() { b.finish(ceremony, response, "") }, `
POST /sign-in/passkey
  signin.WithPasskey, refused: challenge_replayed
    webauthn.VerifySignIn
      SELECT authenticator
    session.Begin
      BEGIN; INSERT used_challenge; UPDATE authenticator; UPDATE session
    ROLLBACK
    INSERT audit_event
`},
		{"an authorization of somebody who is signed in", func() { b.get("/authorize?" + asked.Encode()) }, `
GET /authorize
  session.Find
    SELECT session
  oauth.IssueCode
    Fosite.NewAuthorizeResponse
  INSERT audit_event; INSERT authorization_grant
`},
		{"a code that was issued here", func() { got = q.as(confidentialClient, redeem(confidentialClient, code, k)) }, `
POST /token
  Fosite.NewAccessRequest
    oauth.UseCode
  Fosite.NewAccessResponse
    oauth.IssueTokens
      UPDATE authorization_grant
`},
		{"a refresh token that was issued here", func() { got = q.as(confidentialClient, refresh(got.RefreshToken)) }, `
POST /token
  Fosite.NewAccessRequest
    oauth.UseRefreshToken
  Fosite.NewAccessResponse
    oauth.IssueTokens
      UPDATE refresh_token
`},
		{"a refresh token that was issued elsewhere", func() {
			elsewhere := p.as(confidentialClient, refresh(got.RefreshToken)).RefreshToken
			got = q.as(confidentialClient, refresh(elsewhere))
		}, `
POST /token
  Fosite.NewAccessRequest
    oauth.UseRefreshToken
      SELECT refresh_token
  Fosite.NewAccessResponse
    oauth.IssueTokens
      UPDATE refresh_token
`},
		{"an access token", func() { q.userinfo(got.AccessToken) }, `
GET /userinfo
  SELECT authorization_grant
`},
		{"a code that was used", func() { q.as(confidentialClient, redeem(confidentialClient, code, k)) }, `
POST /token, refused: invalid_grant
  Fosite.NewAccessRequest
    oauth.UseCode
      SELECT authorization_grant
      BEGIN; UPDATE authorization_grant
      INSERT audit_event; COMMIT
  INSERT throttle
`},
	} {
		spans.Reset()
		step.do()
		whole(t, spans)
		if diff := cmp.Diff(strings.TrimPrefix(step.want, "\n"), tree(spans.Ended())); diff != "" {
			t.Errorf("trace of %s (-want +got):\n%s", step.name, diff)
		}
	}
}

// Whoever reads traces learns of no person and no secret.
func TestTracesNameNobody(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q, spans := p.traced()
	b, k := p.browser().at(q), newPKCE()
	page := b.authorize(request(confidentialClient, k, "scope", "openid offline_access", "login_hint", oneRole))
	code := b.simulate(page, oneRole, "").redirect(t).Get("code")
	got := q.as(confidentialClient, redeem(confidentialClient, code, k))
	q.as(confidentialClient, redeem(confidentialClient, code, k)).refused(t, http.StatusBadRequest, "invalid_grant")
	b.get("/sign-in?username=" + oneRole)
	b.get("/nowhere/" + oneRole)
	b.post("/sign-in/simulated", url.Values{"username": {"999999999999"}})

	whole(t, spans)
	secrets := map[string]string{"a person": oneRole, "nobody": "999999999999", "a client": confidentialClient, "a secret": secret, "the verifier": k.verifier, "the nonce": "a-nonce", "an address": "127.0.0.1"}
	for i, value := range strings.Fields(p.secrets.String()) {
		secrets[fmt.Sprint("what was given out, ", i)] = value
	}
	delete(secrets, "")
	if got.AccessToken == "" || !slices.Contains(slices.Collect(maps.Values(secrets)), got.AccessToken) {
		t.Fatal("the access token is not looked for")
	}
	keys := map[string]bool{}
	for _, s := range spans.Ended() {
		written := fmt.Sprintf("%s %v %v %v", s.Name(), s.Attributes(), s.Events(), s.Status())
		for what, value := range secrets {
			if strings.Contains(written, value) {
				t.Errorf("%s is in the span %s", what, written)
			}
		}
		for _, a := range s.Attributes() {
			keys[string(a.Key)] = true
		}
	}
	want := []string{
		"credence.refusal", "credence.request_id", "db.operation.batch.size", "db.query.summary", "db.system.name",
		"http.request.method", "http.response.status_code", "http.route",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(keys))); diff != "" {
		t.Errorf("attributes of all spans (-want +got):\n%s", diff)
	}
}

// A trusted proxy says which trace a request is part of; anybody else may say so in vain.
func TestTracesContinueFromTrustedProxies(t *testing.T) {
	t.Parallel()
	const id = "0af7651916cd43dd8448eb211c80319c"
	p := newProvider(t)
	trust := func(c *idp.Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
	for name, test := range map[string]struct {
		change func(*idp.Config)
		flags  string
		want   bool // the trace goes on
		spans  int
	}{
		"from a proxy":                                  {trust, "01", true, 1},
		"from a proxy that does not keep it":            {trust, "00", false, 0},
		"from somebody who says the same":               {func(*idp.Config) {}, "01", false, 1},
		"from somebody who does not want to be watched": {func(*idp.Config) {}, "00", false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			q, spans := p.in(t).traced(test.change)
			r, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), http.MethodGet, issuer+"/sign-in", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Traceparent", "00-"+id+"-b7ad6b7169203331-"+test.flags)
			r.Header.Set("Tracestate", "vendor=canary")
			resp, err := q.httpClient(nil).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = resp.Body.Close() }()
			if _, err := io.Copy(io.Discard, resp.Body); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the request is logged", func() bool { return strings.Contains(q.logs.String(), "msg=request ") })
			if len(spans.Ended()) != test.spans {
				t.Fatalf("spans = %d, want %d", len(spans.Ended()), test.spans)
			}
			for _, s := range spans.Ended() {
				if goesOn := s.SpanContext().TraceID().String() == id; goesOn != test.want || s.SpanContext().TraceState().Len() > 0 {
					t.Errorf("trace = %s with state %q, want the proxy's: %t, and no state", s.SpanContext().TraceID(), s.SpanContext().TraceState(), test.want)
				}
				if mark := "trace_id=" + s.SpanContext().TraceID().String(); !strings.Contains(q.logs.String(), mark) {
					t.Errorf("the log has no %s: %s", mark, q.logs)
				}
			}
		})
	}
}
