package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/store/storetest"
)

const testHost = "id.example.org"

// newPair writes a certificate for testHost, which signs itself, into a directory of its own.
func newPair(t *testing.T, changes ...func(*x509.Certificate)) pairFiles {
	t.Helper()
	template := localhostTemplate(time.Now())
	template.DNSNames, template.IPAddresses = []string{testHost}, nil
	for _, change := range changes {
		change(template)
	}
	dir := t.TempDir()
	files := pairFiles{chain: filepath.Join(dir, "chain.pem"), key: filepath.Join(dir, "key.pem")}
	if _, err := files.issue(template, nil); err != nil {
		t.Fatal(err)
	}
	return files
}

// newRSAPair is newPair with an RSA key.
func newRSAPair(t *testing.T) pairFiles {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := localhostTemplate(time.Now())
	template.DNSNames = []string{testHost}
	signed, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pairFiles{
		chain: file(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}))),
		key:   file(t, string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))),
	}
}

// leaf is the certificate of a pair.
func (f pairFiles) leaf(t *testing.T) *x509.Certificate {
	t.Helper()
	pair, err := f.read()
	if err != nil {
		t.Fatal(err)
	}
	return pair.Leaf
}

// trusting is the configuration of a client that trusts these certificates.
func trusting(certificates ...*x509.Certificate) *tls.Config {
	roots := x509.NewCertPool()
	for _, c := range certificates {
		roots.AddCert(c)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, ServerName: testHost, RootCAs: roots}
}

func startTLSServer(t *testing.T, files pairFiles) *server {
	t.Helper()
	_, serviceURL := storetest.URLs(t)
	return startServer(t, append(serveEnviron(t, serviceURL), "CREDENCE_TLS_CERTIFICATE_FILE="+files.chain, "CREDENCE_TLS_KEY_FILE="+files.key))
}

// handshake connects to the server once.
func (s *server) handshake(client *tls.Config) (tls.ConnectionState, error) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	conn, err := (&tls.Dialer{Config: client}).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return tls.ConnectionState{}, err
	}
	defer func() { _ = conn.Close() }()
	return conn.(*tls.Conn).ConnectionState(), nil
}

// RFC 9325, Section 3.1.1: "Implementations MUST NOT negotiate TLS version 1.1". Section 4.2 recommends four suites for
// TLS 1.2.
func TestServeNegotiatesTLS(t *testing.T) {
	t.Parallel()
	files := map[string]pairFiles{"ECDSA": newPair(t), "RSA": newRSAPair(t)}
	servers := make(map[string]*server)
	for key := range files {
		servers[key] = startTLSServer(t, files[key])
	}
	const tooOld, noSuite = "protocol version not supported", "handshake failure"
	for name, test := range map[string]struct {
		key    string
		oldest uint16
		newest uint16
		suite  uint16 // the only one offered with TLS 1.2; 0 for all
		want   string // of the error; "" when it is accepted
	}{
		"TLS 1.0 is refused":                                  {"ECDSA", tls.VersionTLS10, tls.VersionTLS10, 0, tooOld},
		"TLS 1.1 is refused":                                  {"RSA", tls.VersionTLS10, tls.VersionTLS11, 0, tooOld},
		"TLS 1.3 is chosen when the client has 1.2 too":       {"ECDSA", tls.VersionTLS12, tls.VersionTLS13, 0, ""},
		"TLS 1.3 alone is accepted":                           {"RSA", tls.VersionTLS13, tls.VersionTLS13, 0, ""},
		"ECDHE-ECDSA-AES128-GCM is accepted":                  {"ECDSA", tls.VersionTLS10, tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, ""},
		"ECDHE-ECDSA-AES256-GCM is accepted":                  {"ECDSA", tls.VersionTLS12, tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, ""},
		"ECDHE-RSA-AES128-GCM is accepted":                    {"RSA", tls.VersionTLS10, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, ""},
		"ECDHE-RSA-AES256-GCM is accepted":                    {"RSA", tls.VersionTLS12, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, ""},
		"ECDHE-ECDSA-CHACHA20 is refused":                     {"ECDSA", tls.VersionTLS12, tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, noSuite},
		"ECDHE-RSA-CHACHA20 is refused":                       {"RSA", tls.VersionTLS12, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, noSuite},
		"ECDHE-ECDSA-AES128-CBC is refused":                   {"ECDSA", tls.VersionTLS12, tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA, noSuite},
		"ECDHE-RSA-AES256-CBC is refused":                     {"RSA", tls.VersionTLS12, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA, noSuite},
		"RSA key exchange, which keeps no secret, is refused": {"RSA", tls.VersionTLS12, tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_GCM_SHA256, noSuite},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := trusting(files[test.key].leaf(t))
			client.MinVersion, client.MaxVersion = test.oldest, test.newest
			if test.suite != 0 {
				client.CipherSuites = []uint16{test.suite}
			}
			state, err := servers[test.key].handshake(client)
			switch {
			case test.want != "":
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("handshake = %v, want %q", err, test.want)
				}
			case err != nil || state.Version != test.newest || test.suite != 0 && state.CipherSuite != test.suite:
				t.Errorf("handshake = %s with %s, %v, want %s", tls.VersionName(state.Version), tls.CipherSuiteName(state.CipherSuite), err, tls.VersionName(test.newest))
			}
		})
	}
}

func TestServeOverTLS(t *testing.T) {
	t.Parallel()
	files := newPair(t)
	s := startTLSServer(t, files)
	for _, test := range []struct {
		http2 bool
		want  string
	}{{true, "HTTP/2.0"}, {false, "HTTP/1.1"}} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+s.address+"/.well-known/openid-configuration", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = testHost
		resp, err := (&http.Client{Transport: &http.Transport{TLSClientConfig: trusting(files.leaf(t)), ForceAttemptHTTP2: test.http2}}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK || resp.Proto != test.want || resp.Header.Get("Strict-Transport-Security") == "" {
			t.Errorf("discovery = %d over %s with %v, want 200 over %s with HSTS", resp.StatusCode, resp.Proto, resp.Header, test.want)
		}
	}
	if status, body, _ := s.get("http://" + s.address + "/readyz"); status != http.StatusBadRequest {
		t.Errorf("GET /readyz in plain text = %d %q, want 400", status, body)
	}
	_, body, _ := s.get("http://" + s.metrics + "/metrics")
	_, after, _ := strings.Cut(body, "\ncredence_tls_certificate_expiry_seconds ")
	value, _, _ := strings.Cut(after, "\n")
	if got, err := strconv.ParseFloat(value, 64); err != nil || int64(got) != files.leaf(t).NotAfter.Unix() {
		t.Errorf("credence_tls_certificate_expiry_seconds = %q, want %d", value, files.leaf(t).NotAfter.Unix())
	}
}

// A client that wants to renegotiate costs the server no second handshake, and one that never finishes its first is
// let go.
func TestServeLimitsHandshakes(t *testing.T) {
	t.Parallel()
	s := startTLSServer(t, newPair(t))
	t.Run("no renegotiation", func(t *testing.T) {
		t.Parallel()
		client := exec.CommandContext(t.Context(), "openssl", "s_client", "-connect", s.address, "-tls1_2")
		client.Stdin = strings.NewReader("R\n")
		out, err := client.CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("RENEGOTIATING")) || !bytes.Contains(out, []byte("alert")) {
			t.Errorf("openssl that renegotiates prints %q, %v, want that an alert ends it", out, err)
		}
	})
	t.Run("a handshake that never begins", func(t *testing.T) {
		t.Parallel()
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(conn); err != nil {
			t.Errorf("a connection without a handshake: %v, want that the server closes it", err)
		}
	})
}

func TestServeCertificate(t *testing.T) {
	t.Parallel()
	good := newPair(t)
	open, swapped, another := newPair(t), newPair(t), newPair(t)
	for name, mode := range map[string]os.FileMode{open.key: 0o640, swapped.chain: 0o600} {
		if err := os.Chmod(name, mode); err != nil {
			t.Fatal(err)
		}
	}
	valid := func(from, to time.Duration) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(to) }
	}
	named := func(names ...string) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.DNSNames = names }
	}
	addressed := func(c *x509.Certificate) {
		c.DNSNames, c.IPAddresses = nil, []net.IP{net.IPv4(192, 0, 2, 1), net.ParseIP("2001:db8::1")}
	}
	const issuer = "https://" + testHost
	for name, test := range map[string]struct {
		issuer string
		files  pairFiles
		want   string // of the error; "" when it is accepted
	}{
		"none":                             {issuer, pairFiles{}, ""},
		"none with an http issuer":         {"http://localhost:8080", pairFiles{}, ""},
		"one for the issuer's host":        {issuer, good, ""},
		"one for the host with a port":     {issuer + ":8443", good, ""},
		"one for any host of the domain":   {issuer, newPair(t, named("www.example.com", "*.example.org")), ""},
		"one for the issuer's address":     {"https://192.0.2.1", newPair(t, addressed), ""},
		"one for the issuer's IPv6":        {"https://[2001:db8::1]:8443", newPair(t, addressed), ""},
		"one with an RSA key":              {issuer, newRSAPair(t), ""},
		"a certificate without a key":      {issuer, pairFiles{chain: good.chain}, "CREDENCE_TLS_KEY_FILE is not set and CREDENCE_TLS_CERTIFICATE_FILE is: set both"},
		"a key without a certificate":      {issuer, pairFiles{key: good.key}, "CREDENCE_TLS_CERTIFICATE_FILE is not set and CREDENCE_TLS_KEY_FILE is: set both"},
		"one for an http issuer":           {"http://localhost:8080", good, "change http to https there"},
		"a certificate that is not there":  {issuer, pairFiles{good.chain + "x", good.key}, "CREDENCE_TLS_CERTIFICATE_FILE and CREDENCE_TLS_KEY_FILE: stat " + good.chain + "x: no such file"},
		"a key that others may read":       {issuer, open, "others may read " + open.key + " (mode 0640): chmod 600 it"},
		"a key of another certificate":     {issuer, pairFiles{good.chain, another.key}, "private key does not match public key: want PEM"},
		"the two files swapped":            {issuer, pairFiles{swapped.key, swapped.chain}, "want PEM, the server's certificate first"},
		"one that has expired":             {issuer, newPair(t, valid(-2*time.Hour, -time.Hour)), "expired at "},
		"one that expires soon":            {issuer, newPair(t, valid(-2*time.Hour, time.Hour)), ""},
		"one that is not valid yet":        {issuer, newPair(t, valid(time.Hour, 2*time.Hour)), "is not valid before "},
		"one for another host":             {issuer, newPair(t, named("www.example.org")), "does not cover the issuer's host: x509: certificate is valid for www.example.org, not id.example.org: get one that names id.example.org"},
		"one for the domain of the issuer": {issuer, newPair(t, named("example.org")), "get one that names id.example.org"},
		"one for another address":          {"https://192.0.2.2", newPair(t, addressed), "get one that names 192.0.2.2"},
		"one for an issuer that is amiss":  {"", good, ""}, // which is reported as what it is
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := config{Issuer: test.issuer, TLSCertificateFile: test.files.chain, TLSKeyFile: test.files.key}
			got, err := serveCertificate(c, time.Now, slog.New(slog.DiscardHandler))
			if test.want != "" {
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("serveCertificate(%+v) = %v, want %q", c, err, test.want)
				}
				return
			}
			if wanted := test.issuer != "" && test.files != (pairFiles{}); err != nil || (got != nil) != wanted {
				t.Errorf("serveCertificate(%+v) = %v, %v, want a certificate: %v", c, got, err, wanted)
			}
		})
	}
}

// What is wrong with the certificate is said with what is wrong elsewhere.
func TestServeReportsTheCertificateWithOtherMistakes(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), filepath.Join(programDir(t), "credence"), "serve")
	cmd.Env = append(os.Environ(), "CREDENCE_ISSUER=https://www.example.org", "CREDENCE_DATABASE_URL="+databaseURL,
		"CREDENCE_TLS_CERTIFICATE_FILE="+newPair(t).chain, "CREDENCE_LISTEN=443")
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"CREDENCE_LISTEN is", "CREDENCE_SEAL_KEY_FILE is not set", "CREDENCE_TLS_KEY_FILE is not set"} {
		if err == nil || !bytes.Contains(out, []byte(want)) {
			t.Errorf("credence serve = %q, %v, want an error that says %q", out, err, want)
		}
	}
}

// replace puts content where a file is, by rename.
func replace(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(name+".new", content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Certificates are replaced while the server runs, in each way that tools do it. No handshake fails meanwhile, and no
// connection is dropped.
func TestServeReloadsCertificate(t *testing.T) {
	t.Parallel()
	first, second, third, fourth := newPair(t), newPair(t), newPair(t), newPair(t)
	client := trusting(first.leaf(t), second.leaf(t), third.leaf(t), fourth.leaf(t))

	// As Kubernetes mounts secrets: the directory is a link, which is swapped.
	link := filepath.Join(t.TempDir(), "current")
	if err := os.Symlink(filepath.Dir(first.chain), link); err != nil {
		t.Fatal(err)
	}
	served := pairFiles{chain: filepath.Join(link, "chain.pem"), key: filepath.Join(link, "key.pem")}
	s := startTLSServer(t, served)

	lasting := &http.Client{Transport: &http.Transport{TLSClientConfig: client.Clone()}}
	request := func() (reused bool) {
		t.Helper()
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) { reused = c.Reused }})
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+s.address+"/healthz", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := lasting.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		if _, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("GET /healthz = %d, %v, want 200", resp.StatusCode, err)
		}
		return reused
	}
	request()

	// until shakes hands until the server shows a certificate. It may show only the one before, meanwhile.
	until := func(what string, before, want *x509.Certificate) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); ; {
			state, err := s.handshake(client)
			switch {
			case err != nil:
				t.Fatalf("handshake after %s: %v, want that none fails", what, err)
			case state.PeerCertificates[0].Equal(want):
				return
			case !state.PeerCertificates[0].Equal(before):
				t.Fatalf("handshake after %s shows a certificate that was neither before nor is now", what)
			case time.Now().After(deadline):
				t.Fatalf("handshakes after %s show the certificate before, want the new one within 30 s", what)
			}
		}
	}
	until("the start", first.leaf(t), first.leaf(t))

	if err := os.Symlink(filepath.Dir(second.chain), link+".new"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(link+".new", link); err != nil {
		t.Fatal(err)
	}
	until("the swap of a link", first.leaf(t), second.leaf(t))

	before := second.leaf(t)
	replace(t, served.chain, read(t, third.chain)) // between the two, they do not match
	replace(t, served.key, read(t, third.key))
	until("renaming over both files", before, third.leaf(t))

	whole := read(t, fourth.chain)
	if err := os.WriteFile(served.chain, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	s.logged("new TLS certificate cannot serve, the one before stays")
	until("half of a file is written", third.leaf(t), third.leaf(t))
	if err := os.WriteFile(served.chain, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(served.key, read(t, fourth.key), 0o600); err != nil {
		t.Fatal(err)
	}
	until("writing into both files", third.leaf(t), fourth.leaf(t))

	if !request() {
		t.Error("the connection of the first certificate was dropped, want it to last")
	}
}

// Whatever is put in the place of a certificate that serves, it serves on until there is another that can.
func TestCertificateStays(t *testing.T) {
	t.Parallel()
	expired := newPair(t, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = c.NotBefore.Add(-48*time.Hour), c.NotBefore.Add(-24*time.Hour)
	})
	elsewhere := newPair(t, func(c *x509.Certificate) { c.DNSNames = []string{"www.example.org"} })
	good := newPair(t)
	for name, spoil := range map[string]func(*testing.T, pairFiles){
		"no file": func(t *testing.T, f pairFiles) {
			t.Helper()
			if err := os.Remove(f.key); err != nil {
				t.Fatal(err)
			}
		},
		"an empty file": func(t *testing.T, f pairFiles) { t.Helper(); replace(t, f.chain, nil) },
		"a key that others may read": func(t *testing.T, f pairFiles) {
			t.Helper()
			if err := os.Chmod(f.key, 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"a key of another certificate": func(t *testing.T, f pairFiles) { t.Helper(); replace(t, f.key, read(t, good.key)) },
		"one that has expired": func(t *testing.T, f pairFiles) {
			t.Helper()
			replace(t, f.chain, read(t, expired.chain))
			replace(t, f.key, read(t, expired.key))
		},
		"one for another host": func(t *testing.T, f pairFiles) {
			t.Helper()
			replace(t, f.chain, read(t, elsewhere.chain))
			replace(t, f.key, read(t, elsewhere.key))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := newPair(t)
			c, err := openCertificate(files, testHost, time.Now, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			before := files.leaf(t)
			shown := func() *x509.Certificate {
				pair, err := c.config().GetCertificate(nil)
				if err != nil {
					t.Fatal(err)
				}
				return pair.Leaf
			}
			spoil(t, files)
			for range 2 {
				c.reload(t.Context())
				if changed, err := c.refresh(); changed || err == nil {
					t.Errorf("refresh() = %v, %v, want an error", changed, err)
				}
				if !shown().Equal(before) {
					t.Error("the certificate changed, want the one before")
				}
			}
			replace(t, files.chain, read(t, good.chain))
			replace(t, files.key, read(t, good.key))
			c.reload(t.Context())
			if !shown().Equal(good.leaf(t)) {
				t.Error("the certificate did not change, want the good one")
			}
			if changed, err := c.refresh(); changed || err != nil {
				t.Errorf("refresh() without a change = %v, %v, want nothing done", changed, err)
			}
		})
	}
}
