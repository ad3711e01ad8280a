package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// certificate is what the server proves its name with: a chain and its key, read from two files, and again when they
// change. It only ever holds a pair that can serve.
type certificate struct {
	files   pairFiles
	host    string // of the issuer, which the certificate has to cover
	now     func() time.Time
	log     *slog.Logger
	current atomic.Pointer[tls.Certificate]

	// Run alone uses these after the start.
	states  [2]os.FileInfo // of the files, before current was read from them
	problem string         // what is wrong with the files since then, and has been logged
}

// pairFiles name a certificate chain, leaf first, and the private key of the leaf, both PEM.
type pairFiles struct{ chain, key string }

// reloadInterval is how often the files are looked at.
const reloadInterval = time.Second

// serveCertificate is the certificate of `credence serve`; nil when none is set, and TLS ends before the server.
func serveCertificate(c config, now func() time.Time, log *slog.Logger) (*certificate, error) {
	const certificateFile, keyFile = "CREDENCE_TLS_CERTIFICATE_FILE", "CREDENCE_TLS_KEY_FILE"
	issuer, err := url.Parse(c.Issuer)
	if err != nil {
		return nil, fmt.Errorf("CREDENCE_ISSUER: %w", err)
	}
	switch {
	case c.TLSCertificateFile == "" && c.TLSKeyFile == "":
		return nil, nil
	case c.TLSCertificateFile == "":
		return nil, fmt.Errorf("%s is not set and %s is: set both, or neither to run behind a TLS proxy", certificateFile, keyFile)
	case c.TLSKeyFile == "":
		return nil, fmt.Errorf("%s is not set and %s is: set both, or neither to run behind a TLS proxy", keyFile, certificateFile)
	case c.Issuer == "":
		return nil, nil // it is missing or wrong, which is reported already, and there is no host to cover
	case issuer.Scheme != "https":
		return nil, fmt.Errorf("%s is set and CREDENCE_ISSUER is %q: change http to https there, or unset %s and %s", certificateFile, c.Issuer, certificateFile, keyFile)
	}
	loaded, err := openCertificate(pairFiles{c.TLSCertificateFile, c.TLSKeyFile}, issuer.Hostname(), now, log)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", certificateFile, keyFile, err)
	}
	return loaded, nil
}

func openCertificate(files pairFiles, host string, now func() time.Time, log *slog.Logger) (*certificate, error) {
	c := &certificate{files: files, host: host, now: now, log: log}
	if _, err := c.refresh(); err != nil {
		return nil, err
	}
	return c, nil
}

// Run reads the files again when they change, until the context ends. What cannot serve is logged once and tried again:
// it may be half written, or not valid yet. Meanwhile the certificate stays the one before.
func (c *certificate) Run(ctx context.Context) error {
	tick := time.NewTicker(reloadInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			c.reload(ctx)
		}
	}
}

func (c *certificate) reload(ctx context.Context) {
	changed, err := c.refresh()
	switch end := slog.Time("ends_at", c.current.Load().Leaf.NotAfter); {
	case err == nil:
		c.problem = ""
		if changed {
			c.log.InfoContext(ctx, "TLS certificate changed", end)
		}
	case err.Error() != c.problem:
		c.problem = err.Error()
		c.log.WarnContext(ctx, "new TLS certificate cannot serve, the one before stays", slog.String("error", c.problem), end)
	}
}

// refresh makes what the files hold the current certificate, unless it is, and tells whether it did. Names are followed
// through links, so that it sees files that are written, renamed over, or swapped by the link of their directory.
func (c *certificate) refresh() (changed bool, err error) {
	var states [2]os.FileInfo
	for i, name := range []string{c.files.chain, c.files.key} {
		if states[i], err = os.Stat(name); err != nil {
			return false, err
		}
	}
	if c.current.Load() != nil && sameFile(states[0], c.states[0]) && sameFile(states[1], c.states[1]) {
		return false, nil
	}
	pair, err := c.files.read()
	if err != nil {
		return false, err
	}
	if err := c.check(pair); err != nil {
		return false, err
	}
	c.current.Store(&pair)
	c.states = states
	return true, nil
}

func sameFile(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && a.Mode() == b.Mode()
}

// read reads a pair that belongs together, whose key nobody else may read.
func (f pairFiles) read() (tls.Certificate, error) {
	chain, _, err := readSmallFile(f.chain)
	key, unread := readPrivateFile(f.key)
	if err := errors.Join(err, unread); err != nil {
		return tls.Certificate{}, err
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("%s with key %s: %w: want PEM, the server's certificate first and then its issuers', and the private key of the first", f.chain, f.key, err)
	}
	return pair, nil
}

// check refuses what clients would refuse.
func (c *certificate) check(pair tls.Certificate) error {
	now, leaf := c.now(), pair.Leaf
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("the certificate in %s expired at %s: renew it", c.files.chain, leaf.NotAfter.Format(time.RFC3339))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("the certificate in %s is not valid before %s: wait, or set the clock of this machine", c.files.chain, leaf.NotBefore.Format(time.RFC3339))
	}
	if err := leaf.VerifyHostname(c.host); err != nil {
		return fmt.Errorf("the certificate in %s does not cover the issuer's host: %w: get one that names %s", c.files.chain, err, c.host)
	}
	return nil
}

// config is that of a server: TLS 1.2 and 1.3 alone (RFC 9325, Section 3.1.1), and with 1.2 the suites of RFC 9325,
// Section 4.2. Those of 1.3 are not ours to choose. There is no renegotiation, which Go does with no client.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
		},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.current.Load(), nil },
	}
}

// Collectors are the metrics of a certificate; none when there is no certificate.
func (c *certificate) Collectors() []prometheus.Collector {
	if c == nil {
		return nil
	}
	return []prometheus.Collector{prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "credence_tls_certificate_expiry_seconds", Help: "When the TLS certificate that is served ends, in seconds since 1970.",
	}, func() float64 { return float64(c.current.Load().Leaf.NotAfter.Unix()) })}
}
