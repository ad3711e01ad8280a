package outbound

import (
	"context"
	"crypto/x509"
	"errors"
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
		g := Guard{Loopback: test.loopback}
		if err := g.control(t.Context(), test.network, test.address, nil); (err == nil) != test.want {
			t.Errorf("control(%s, %s) with loopback %t = %v, want %t", test.network, test.address, test.loopback, err, test.want)
		}
	}
}

// tlsServer answers with a valid certificate of its own authority, for example.com and 127.0.0.1. The guard is that of dev.
func tlsServer(t *testing.T, answer http.HandlerFunc) (*httptest.Server, Guard) {
	t.Helper()
	s := httptest.NewUnstartedServer(answer)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	g := Guard{Loopback: true, Roots: x509.NewCertPool()}
	g.Roots.AddCert(s.Certificate())
	return s, g
}

func plain(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = io.WriteString(w, text)
}

// However this machine is spelled, it is not connected to; and with the field that dev sets, each answers that is one.
func TestGetReachesNothingThatIsNotPublic(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s, dev := tlsServer(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		plain(w, "{}")
	})
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	live := Guard{Roots: dev.Roots}
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::]", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1.",
		"[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[::127.0.0.1]", "169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "192.168.0.1",
	} {
		if text, err := live.Get(t.Context(), "https://"+host+":"+port+"/jwks", 100, "application/json"); err == nil {
			t.Errorf("Get(https://%s) = %q, want it refused", host, text)
		}
	}
	if n := asked.Load(); n != 0 {
		t.Errorf("requests that reached this machine = %d, want none", n)
	}
	if text, err := dev.Get(t.Context(), s.URL+"/jwks", 100, "application/json"); string(text) != "{}" || err != nil || asked.Load() != 1 {
		t.Errorf("Get(%s) in dev = %q, %v, %d requests, want what it answers", s.URL, text, err, asked.Load())
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
func TestGetLooksAtTheAddressThatItConnectsTo(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	s, dev := tlsServer(t, func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		plain(w, "{}")
	})
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	uri := "https://example.com:" + port + "/jwks"
	for _, answers := range [][][4]byte{{{127, 0, 0, 1}}, {{192, 0, 2, 1}, {127, 0, 0, 1}}, {{169, 254, 169, 254}}, {{10, 0, 0, 1}}} {
		live := Guard{Roots: dev.Roots}
		var questions *atomic.Int32
		live.Resolver, questions = resolver(t, answers...)
		for range answers {
			if _, err := live.Get(t.Context(), uri, 100, "application/json"); !errors.Is(err, ErrNotPublic) {
				t.Errorf("Get(a name of %v) = %v, want %v", answers, err, ErrNotPublic)
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
	if text, err := dev.Get(t.Context(), uri, 100, "application/json"); string(text) != "{}" || err != nil {
		t.Errorf("Get(the same name) in dev = %q, %v, want an answer", text, err)
	}
}

// What is read is of the type and size that were asked for, from the very address, and before the context ends.
func TestGetBounds(t *testing.T) {
	t.Parallel()
	var elsewhere atomic.Int32
	other, _ := tlsServer(t, func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) })
	s, g := tlsServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		case "/drip":
			for r.Context().Err() == nil {
				_, _ = io.WriteString(w, "x")
				w.(http.Flusher).Flush()
				select {
				case <-r.Context().Done():
				case <-time.After(time.Millisecond):
				}
			}
		case "/away":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/page":
			w.Header().Set("Content-Type", "text/html")
		case "/missing":
			http.NotFound(w, r)
		case "/compressed":
			w.Header().Set("Content-Encoding", "gzip")
			plain(w, "\x1f\x8b")
		case "/exact":
			plain(w, strings.Repeat("x", 100))
		default:
			plain(w, strings.Repeat("x", 101))
		}
	})
	get := func(path string) ([]byte, error) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		return g.Get(ctx, s.URL+path, 100, "application/jwk-set+json", "application/json")
	}
	if text, err := get("/exact"); len(text) != 100 || err != nil {
		t.Errorf("Get(of 100 bytes) = %d bytes, %v, want them", len(text), err)
	}
	if text, err := get("/compressed"); string(text) != "\x1f\x8b" || err != nil {
		t.Errorf("Get(of what is compressed) = %q, %v, want it as it is", text, err)
	}
	status, of := new(StatusError), new(TypeError)
	for path, is := range map[string]func(error) bool{
		"/long":    func(err error) bool { return errors.Is(err, ErrTooLong) },
		"/slow":    func(err error) bool { return errors.Is(err, context.DeadlineExceeded) },
		"/drip":    func(err error) bool { return err != nil },
		"/away":    func(err error) bool { return errors.As(err, &status) && status.Status == http.StatusFound },
		"/missing": func(err error) bool { return errors.As(err, &status) && status.Status == http.StatusNotFound },
		"/page":    func(err error) bool { return errors.As(err, &of) && of.Type == "text/html" },
	} {
		if _, err := get(path); !is(err) {
			t.Errorf("Get(%s) = %v", path, err)
		}
	}
	if n := elsewhere.Load(); n != 0 {
		t.Errorf("requests to where a redirect leads = %d, want none", n)
	}
	if _, err := (Guard{}).Get(t.Context(), "http://example.com/jwks", 100, "application/json"); !errors.Is(err, ErrNotPublic) {
		t.Errorf("Get(over http) = %v, want %v", err, ErrNotPublic)
	}
}
