package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/store/storetest"
)

// A fakeCollector takes traces by OTLP/HTTP, as an OpenTelemetry collector does.
type fakeCollector struct {
	*httptest.Server
	mu    sync.Mutex
	raw   bytes.Buffer
	spans []*tracepb.Span
	calls int
}

func newCollector(t *testing.T) *fakeCollector {
	t.Helper()
	c := &fakeCollector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var data tracepb.TracesData
		if err == nil {
			err = proto.Unmarshal(body, &data)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.calls++
		c.raw.Write(body)
		for _, from := range data.GetResourceSpans() {
			for _, scope := range from.GetScopeSpans() {
				c.spans = append(c.spans, scope.GetSpans()...)
			}
		}
		if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("the collector got %s %s of %q, %v, want traces", r.Method, r.URL, r.Header.Get("Content-Type"), err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// path is the names from a span of a name up to its request.
func (c *fakeCollector) path(name string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	byID := map[string]*tracepb.Span{}
	for _, s := range c.spans {
		byID[string(s.GetSpanId())] = s
	}
	for _, s := range c.spans {
		if s.GetName() != name {
			continue
		}
		var up []string
		for ; s != nil; s = byID[string(s.GetParentSpanId())] {
			up = append(up, s.GetName())
		}
		return up
	}
	return nil
}

// signedInBrowser seeds a database with people and a client, and returns the cookie of a person's session.
func signedInBrowser(t *testing.T, ownerURL string, client oauth.Registration, secret, username string) session.Cookie {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Microsecond)
	owner, err := store.Open(t.Context(), ownerURL)
	if err != nil {
		t.Fatal(err)
	}
	defer owner.Close()
	key, _ := seal.NewKey()
	if err := directory.Seed(t.Context(), owner, key, now); err != nil {
		t.Fatal(err)
	}
	if err := oauth.EnsureClient(t.Context(), owner, client, secret, "test", now); err != nil {
		t.Fatal(err)
	}
	found, err := owner.Person(t.Context(), username, now)
	if err != nil {
		t.Fatal(err)
	}
	sessions := &session.Manager{Store: owner, Secure: true, Now: func() time.Time { return now }}
	var cookie session.Cookie
	err = owner.InTx(t.Context(), func(tx *store.Tx) error {
		var begun session.Session
		var err error
		if begun, cookie, err = sessions.Begin(t.Context(), tx, "", found.Person, uuid.Nil, assurance.Simulate(assurance.Passkey, now)); err != nil {
			return err
		}
		return audit.Record(t.Context(), tx, audit.Entry{At: now, Event: audit.SignedIn, Person: username, Session: begun.ID})
	})
	if err != nil {
		t.Fatal(err)
	}
	return cookie
}

// Requests of the real program are traced from handler over rule to SQL, and nothing secret leaves with the traces.
func TestServeTraces(t *testing.T) {
	t.Parallel()
	const (
		clientID, clientSecret, username  = "ward-system", "a-secret-that-this-test-chose-0123456789", "656005750108"
		callback, state, nonce, loginHint = "https://rp.example.org/callback", "a-state-0123456789", "a-nonce-0123456789", "hinted-0123456789"
		verifier                          = "a-verifier-that-this-test-chose-0123456789-0123456789"
	)
	collector := newCollector(t)
	ownerURL, serviceURL := storetest.URLs(t)
	cookie := signedInBrowser(t, ownerURL, oauth.Registration{
		ID: clientID, Name: "Ward system", Scopes: oauth.Scopes(), RedirectURIs: []string{callback},
	}, clientSecret, username)
	s := startServer(t, append(serveEnviron(t, serviceURL), "CREDENCE_OTLP_ENDPOINT="+collector.URL))

	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	challenge := sha256.Sum256([]byte(verifier))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.address+"/authorize?"+url.Values{
		"response_type": {"code"}, "client_id": {clientID}, "redirect_uri": {callback}, "scope": {"openid offline_access"}, "state": {state}, "nonce": {nonce},
		"login_hint": {loginHint}, "code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}.Encode(), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "__Host-credence", Value: string(cookie)})
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	location, err := resp.Location()
	if err != nil || location.Query().Get("code") == "" {
		t.Fatalf("GET /authorize = %s to %v, %v, want a code", resp.Status, location, err)
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {location.Query().Get("code")}, "redirect_uri": {callback}, "code_verifier": {verifier}}
	if r, err = http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.address+"/token", strings.NewReader(form.Encode())); err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(clientID, clientSecret)
	if resp, err = client.Do(r); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("POST /token = %s %v, %v, want tokens", resp.Status, got, err)
	}
	_ = resp.Body.Close()
	logged := s.logged("request")
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil { // which delivers what is not yet
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("credence serve ended with %v, want status 0", err)
	}

	for _, want := range [][]string{
		{"SELECT session", "session.Find", "GET /authorize"},
		{"INSERT audit_event; INSERT authorization_grant", "GET /authorize"},
		{"UPDATE authorization_grant", "oauth.IssueTokens", "Fosite.NewAccessResponse", "POST /token"},
	} {
		if diff := cmp.Diff(want, collector.path(want[0])); diff != "" {
			t.Errorf("a round trip and what it is part of (-want +got):\n%s", diff)
		}
	}
	if n := len(collector.spans); n > 20 {
		t.Errorf("two requests made %d spans, want few", n)
	}
	if id, ok := logged["trace_id"].(string); !ok || fmt.Sprintf("%x", collector.spans[0].GetTraceId()) != id {
		t.Errorf("the event of the first request has the trace %v, want that of its spans, %x", logged["trace_id"], collector.spans[0].GetTraceId())
	}
	database, err := url.Parse(serviceURL)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := database.User.Password()
	for what, value := range map[string]string{
		"the session cookie": string(cookie), "the code": form.Get("code"), "the verifier": verifier, "the client's secret": clientSecret, "the client": clientID,
		"the person": username, "the state": state, "the nonce": nonce, "the login hint": loginHint, "the redirect URI": "rp.example.org", "an address": "127.0.0.1",
		"the access token": got["access_token"].(string), "the ID token": got["id_token"].(string), "the refresh token": got["refresh_token"].(string),
		"the password of the database": password,
	} {
		if value != "" && bytes.Contains(collector.raw.Bytes(), []byte(value)) {
			t.Errorf("%s is in the traces", what)
		}
	}
	for _, there := range []string{"credence.request_id", "service.name"} { // the twin: this is found
		if !bytes.Contains(collector.raw.Bytes(), []byte(there)) {
			t.Errorf("%s is not in the traces", there)
		}
	}
}

// Off is the default, and a ratio of 0 keeps nothing: then nobody is called. What a ratio leaves out is told nobody.
func TestServeTracesNothing(t *testing.T) {
	t.Parallel()
	for name, settings := range map[string][]string{
		"by default":      {"OTEL_EXPORTER_OTLP_ENDPOINT=%s", "OTEL_TRACES_SAMPLER=always_on"}, // not ours
		"at a ratio of 0": {"CREDENCE_OTLP_ENDPOINT=%s", "CREDENCE_TRACE_RATIO=0", "OTEL_TRACES_SAMPLER=always_on"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			collector := newCollector(t)
			_, serviceURL := storetest.URLs(t)
			environ := serveEnviron(t, serviceURL)
			for _, setting := range settings {
				environ = append(environ, strings.ReplaceAll(setting, "%s", collector.URL))
			}
			s := startServer(t, environ)
			s.get("http://" + s.address + "/sign-in")
			if id, there := s.logged("request")["trace_id"]; there {
				t.Errorf("the event of a request has the trace %v, want none", id)
			}
			if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if err := s.cmd.Wait(); err != nil {
				t.Errorf("credence serve ended with %v, want status 0", err)
			}
			if collector.calls > 0 {
				t.Errorf("the collector was called %d times, want never", collector.calls)
			}
		})
	}
}

// A collector that never answers, or is not there, costs its traces: requests are answered and the program ends in time.
func TestServeWithoutItsCollector(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-stop:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(hanging.Close)
	t.Cleanup(func() { close(stop) })
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for name, address := range map[string]string{"one that never answers": hanging.URL, "one that is not there": gone.URL} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, serviceURL := storetest.URLs(t)
			s := startServer(t, append(serveEnviron(t, serviceURL), "CREDENCE_OTLP_ENDPOINT="+address))
			for range 3 * maxExported { // a batch under way, and more waiting
				if status, body, _ := s.get("http://" + s.address + "/sign-in"); status != http.StatusOK {
					t.Fatalf("GET /sign-in = %d %q, want 200", status, body)
				}
				s.logged("request")
			}
			told := time.Now()
			if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			for range s.lines { // until it ends
			}
			if err := s.cmd.Wait(); err != nil {
				t.Errorf("credence serve ended with %v, want status 0", err)
			}
			if took := time.Since(told); took > stopTimeout {
				t.Errorf("credence serve ended after %s, want within %s", took, stopTimeout)
			}
		})
	}
}
