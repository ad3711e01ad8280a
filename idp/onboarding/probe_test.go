package onboarding

import (
	"context"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

func TestPublic(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"1.1.1.1": true, "8.8.8.8": true, "172.15.255.255": true, "172.32.0.1": true, "100.63.0.1": true, "223.255.255.255": true,
		"2606:4700:4700::1111": true, "2a00:1450:4009::1": true,

		"0.0.0.0": false, "0.1.2.3": false, "127.0.0.1": false, "127.255.255.254": false, "10.1.2.3": false, "172.16.0.1": false, "172.31.255.255": false,
		"192.168.1.1": false, "169.254.169.254": false, "100.64.0.1": false, "192.0.0.192": false, "192.0.2.1": false, "198.18.0.1": false, "198.51.100.1": false,
		"203.0.113.1": false, "224.0.0.1": false, "239.255.255.250": false, "240.0.0.1": false, "255.255.255.255": false,

		"::": false, "::1": false, "::127.0.0.1": false, "::ffff:127.0.0.1": false, "::ffff:8.8.8.8": false, "::ffff:169.254.169.254": false,
		"64:ff9b::7f00:1": false, "64:ff9b::808:808": false, "64:ff9b:1::a00:1": false, "100::1": false, "2001::1": false, "2001:db8::1": false,
		"2002:7f00:1::": false, "2002:a9fe:a9fe::1": false, "3fff::1": false, "fc00::1": false, "fd00:ec2::254": false, "fe80::1": false, "fe80::1%eth0": false,
		"2606:4700::1%eth0": false, "fec0::1": false, "ff02::1": false, "4000::1": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("public(%s) = %t, want %t", address, got, want)
		}
	}
}

func TestControl(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		network, address string
		loopback, want   bool
	}{
		{"tcp4", "8.8.8.8:443", false, true},
		{"tcp6", "[2606:4700:4700::1111]:8443", false, true},
		{"tcp4", "127.0.0.1:8080", true, true},
		{"tcp6", "[::1]:443", true, true},
		{"tcp4", "127.0.0.1:8080", false, false},
		{"tcp6", "[::1]:443", false, false},
		{"tcp4", "10.0.0.1:443", true, false},
		{"tcp4", "169.254.169.254:80", true, false},
		{"tcp4", "8.8.8.8:25", false, false},
		{"tcp4", "8.8.8.8:80", false, false},
		{"udp4", "8.8.8.8:443", false, false},
		{"unix", "/run/docker.sock", true, false},
		{"tcp4", "8.8.8.8", false, false},
	} {
		p := NewProber()
		p.Loopback = test.loopback
		if err := p.control(t.Context(), test.network, test.address, nil); (err == nil) != test.want {
			t.Errorf("control(%s, %s) with loopback %t = %v, want %t", test.network, test.address, test.loopback, err, test.want)
		}
	}
}

// tlsServer answers with a valid certificate of its own authority, for example.com and 127.0.0.1.
func tlsServer(t *testing.T, answer http.HandlerFunc) (*httptest.Server, *Prober) {
	t.Helper()
	s := httptest.NewUnstartedServer(answer)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	p := NewProber()
	p.Loopback, p.Roots = true, x509.NewCertPool()
	p.Roots.AddCert(s.Certificate())
	return s, p
}

func (p *Prober) one(t *testing.T, uri string) Finding {
	t.Helper()
	return p.probe(t.Context(), "test", []string{uri})[0]
}

// However this machine is spelled, it is not connected to; and with the field that dev sets, each answers that is one.
func TestProbeReachesNothingThatIsNotPublic(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s, dev := tlsServer(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	live := NewProber()
	live.Roots = dev.Roots
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.",
		"[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "192.168.0.1",
	} {
		if got := live.one(t, "https://"+host+":"+port+"/callback"); got.OK {
			t.Errorf("probe(https://%s) = %+v, want it refused", host, got)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("requests that reached this machine = %d, want none", n)
	}
	if got := dev.one(t, s.URL+"/callback"); !got.OK || asked.Load() != 1 {
		t.Errorf("probe(%s) in dev = %+v, %d requests, want it asked", s.URL, got, asked.Load())
	}
}

// resolver answers each question for an IPv4 address with the next of some, and the last again.
func resolver(t *testing.T, answers ...[4]byte) (*net.Resolver, *atomic.Int32) {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	var asked atomic.Int32
	go func() {
		buffer := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buffer[:n]) != nil || len(m.Questions) != 1 {
				continue
			}
			m.Response, m.Authoritative, m.Additionals = true, true, nil
			if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
				i := min(int(asked.Add(1)), len(answers)) - 1
				m.Answers = []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}, Body: &dnsmessage.AResource{A: answers[i]}}}
			}
			packed, err := m.Pack()
			if err == nil {
				_, _ = conn.WriteTo(packed, from)
			}
		}
	}()
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp4", conn.LocalAddr().String())
	}
	return &net.Resolver{PreferGo: true, Dial: dial}, &asked
}

// A name that leads to this machine leads nowhere, also when it led elsewhere a moment before: what is connected to is what is
// looked at. In dev the same name answers, so it is the address that is refused.
func TestProbeLooksAtTheAddressThatItConnectsTo(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s, dev := tlsServer(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	uri := "https://example.com:" + port + "/callback"
	for _, answers := range [][][4]byte{{{127, 0, 0, 1}}, {{192, 0, 2, 1}, {127, 0, 0, 1}}, {{169, 254, 169, 254}}, {{10, 0, 0, 1}}} {
		live := NewProber()
		live.Roots = dev.Roots
		var questions *atomic.Int32
		live.Resolver, questions = resolver(t, answers...)
		for range answers {
			got := live.one(t, uri)
			if got.OK || !strings.Contains(got.Found, "not public") {
				t.Errorf("probe(a name of %v) = %+v, want that it is not public", answers, got)
			}
		}
		if questions.Load() == 0 {
			t.Error("the test's resolver was not asked")
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("requests that reached this machine = %d, want none", n)
	}
	dev.Resolver, _ = resolver(t, [4]byte{127, 0, 0, 1})
	if got := dev.one(t, uri); !got.OK {
		t.Errorf("probe(the same name) in dev = %+v, want an answer", got)
	}
}

// What comes back is told in words, with what to do; a redirect is an answer like another, and is not followed.
func TestProbeFindings(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	other, _ := tlsServer(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	s, p := tlsServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/huge":
			w.Header().Set("X-Huge", strings.Repeat("x", 2*mostHeaders))
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
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
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
	live := NewProber()
	if got := live.one(t, plain.URL); !got.OK || !strings.Contains(got.Found, "cannot be tried from here") {
		t.Errorf("probe(%s) elsewhere than in dev = %+v, want that it cannot be tried", plain.URL, got)
	}
	live.Loopback = true
	if got := live.one(t, s.URL); got.OK || !strings.Contains(got.Found, "an authority that nobody trusts") {
		t.Errorf("probe(%s) by the system's authorities = %+v, want that it is not trusted", s.URL, got)
	}
}

// A check has its time, however many addresses there are.
func TestProbeIsBoundedInTime(t *testing.T) {
	t.Parallel()
	s, p := tlsServer(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
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
	p := NewProber()
	for i, want := range []bool{true, true, false} {
		if got := p.begin(); got != want {
			t.Errorf("begin() number %d = %t, want %t", i+1, got, want)
		}
	}
	if p.end(); !p.begin() {
		t.Error("begin() after one ended = false, want a place")
	}
}
