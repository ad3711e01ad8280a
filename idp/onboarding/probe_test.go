package onboarding

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/outbound"
)

// tlsServer answers with a valid certificate of its own authority, for example.com and 127.0.0.1.
func tlsServer(t *testing.T, answer http.HandlerFunc) (*httptest.Server, *Prober) {
	t.Helper()
	s := httptest.NewUnstartedServer(answer)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	p := NewProber(outbound.Guard{Loopback: true, Roots: x509.NewCertPool()})
	p.Guard.Roots.AddCert(s.Certificate())
	return s, p
}

func (p *Prober) one(t *testing.T, uri string) Finding {
	t.Helper()
	return p.probe(t.Context(), "test", []string{uri})[0]
}

// What comes back is told in words, with what to do; a redirect is an answer like another, and is not followed.
func TestProbeFindings(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	over := make(chan struct{}) // nothing slow answers before, also when the one who asked has gone
	other, _ := tlsServer(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	s, p := tlsServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-over
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/huge":
			w.Header().Set("X-Huge", strings.Repeat("x", 128<<10))
		case "/broken":
			w.WriteHeader(http.StatusBadGateway)
		case "/endless":
			for _, err := w.Write(make([]byte, 1<<16)); err == nil; _, err = w.Write(make([]byte, 1<<16)) {
				if r.Context().Err() != nil {
					return
				}
			}
		default:
			w.WriteHeader(http.StatusBadRequest)
		}
	})
	t.Cleanup(func() { close(over) })
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	p.Guard.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { // the hosts file is read all the same
		return nil, errors.New("there is no name server")
	}}
	for _, test := range []struct {
		uri, found string
		ok         bool
	}{
		{s.URL + "/callback", "answered 400, over TLS with a valid certificate", true},
		{s.URL + "/callback?tenant=1", "answered 400", true},
		{s.URL + "/away", "answered 302", true},
		{s.URL + "/endless", "answered 200", true},
		{plain.URL + "/callback", "answered 404, over http", true},
		{"org.example.app:/callback", "only a device that has the app", true},
		{s.URL + "/broken", "answered 502", false},
		{s.URL + "/slow", "did not answer in time", false},
		{s.URL + "/huge", "did not speak HTTP", false},
		{strings.Replace(s.URL, "127.0.0.1", "localhost", 1), "for another name", false},
		{strings.Replace(plain.URL, "http:", "https:", 1), "did not speak HTTP over TLS", false},
		{strings.Replace(closed.URL, "http:", "https:", 1), "Nobody listens there", false},
		{"https://no-such-name.invalid/callback", "name could not be found", false},
	} {
		got := p.one(t, test.uri)
		if got.OK != test.ok || !strings.Contains(got.Found, test.found) || (got.Fix == "") != test.ok {
			t.Errorf("probe(%s) = %+v, want %t with %q, and what to do unless it is well", test.uri, got, test.ok, test.found)
		}
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("requests to where a redirect leads = %d, want none", n)
	}
	live := NewProber(outbound.Guard{})
	if got := live.one(t, plain.URL); !got.OK || !strings.Contains(got.Found, "cannot be tried from here") {
		t.Errorf("probe(%s) elsewhere than in dev = %+v, want that it cannot be tried", plain.URL, got)
	}
	if got := live.one(t, s.URL); got.OK || !strings.Contains(got.Found, "not public") {
		t.Errorf("probe(%s) elsewhere than in dev = %+v, want that it is not public", s.URL, got)
	}
	live.Guard.Loopback = true
	if got := live.one(t, s.URL); got.OK || !strings.Contains(got.Found, "an authority that nobody trusts") {
		t.Errorf("probe(%s) by the system's authorities = %+v, want that it is not trusted", s.URL, got)
	}
}

// A check has its time, however many addresses there are.
func TestProbeIsBoundedInTime(t *testing.T) {
	t.Parallel()
	over := make(chan struct{}) // nothing is answered before, also when the one who asked has gone
	s, p := tlsServer(t, func(http.ResponseWriter, *http.Request) { <-over })
	t.Cleanup(func() { close(over) })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	for _, f := range p.probe(ctx, "test", []string{s.URL, s.URL, s.URL, s.URL}) {
		if f.OK || !strings.Contains(f.Found, "in time") {
			t.Errorf("probe(a slow service) = %+v, want that it did not answer in time", f)
		}
	}
	if took := time.Since(began); took > longestTry {
		t.Errorf("probe() took %s, want it to end with its context", took)
	}
}

func TestProberRunsTwoAtOnce(t *testing.T) {
	t.Parallel()
	p := NewProber(outbound.Guard{})
	for i, want := range []bool{true, true, false} {
		if got := p.begin(); got != want {
			t.Errorf("begin() number %d = %t, want %t", i+1, got, want)
		}
	}
	if p.end(); !p.begin() {
		t.Error("begin() after one ended = false, want a place")
	}
}
