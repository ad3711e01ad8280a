package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"
)

// localCA is the certificate authority of `credence dev --https`, in the directory of the database. People are asked to
// trust it, so it is held to this machine: by its name constraints it can speak for nothing but localhost and the
// loopback addresses, whoever takes its key.
type localCA struct {
	certificateFile string
	pair            tls.Certificate
}

// localCAFile holds the certificate of the authority.
const localCAFile = "local-ca.pem"

const (
	localCALife     = 365 * 24 * time.Hour
	localhostLife   = 90 * 24 * time.Hour
	renewLocalAhead = 30 * 24 * time.Hour // before the end
)

// ensureLocalCA reads the authority of a directory. It makes one at first, and another when it soon ends.
func ensureLocalCA(dir string, now time.Time) (localCA, error) {
	files := pairFiles{chain: filepath.Join(dir, localCAFile), key: filepath.Join(dir, "local-ca.key")}
	pair, err := files.read()
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && now.Add(renewLocalAhead).After(pair.Leaf.NotAfter):
		pair, err = files.issue(localCATemplate(now), nil)
	case err != nil:
		err = fmt.Errorf("%w, or remove both to make others", err)
	}
	if err != nil {
		return localCA{}, fmt.Errorf("local CA: %w", err)
	}
	return localCA{certificateFile: files.chain, pair: pair}, nil
}

// localCATemplate is constrained by RFC 5280, Sections 4.2.1.9 (it issues no other authority), 4.2.1.10 (names) and
// 4.2.1.12 (servers only).
func localCATemplate(now time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"Credence"}, CommonName: "Credence development CA, for localhost only"},
		NotBefore:             now,
		NotAfter:              now.Add(localCALife),
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		KeyUsage:              x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},

		PermittedDNSDomainsCritical: true, // of all name constraints
		PermittedDNSDomains:         []string{"localhost"},
		PermittedIPRanges: []*net.IPNet{
			{IP: net.IPv4(127, 0, 0, 0).To4(), Mask: net.CIDRMask(8, 32)},
			{IP: net.IPv6loopback, Mask: net.CIDRMask(128, 128)},
		},
	}
}

// pool is for clients that trust the authority; nil when there is none.
func (ca localCA) pool() *x509.CertPool {
	if ca.pair.Leaf == nil {
		return nil
	}
	pool := x509.NewCertPool()
	pool.AddCert(ca.pair.Leaf)
	return pool
}

// rootsWithLocalCA are the authorities that this machine trusts, and that of a directory when it has one.
func rootsWithLocalCA(dir string) (*x509.CertPool, error) {
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, localCAFile)
	certificate, _, err := readSmallFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return roots, nil
	case err != nil:
		return nil, fmt.Errorf("local CA: %w", err)
	case !roots.AppendCertsFromPEM(certificate):
		return nil, fmt.Errorf("local CA: %s holds no certificate: start `credence dev --https` again", path)
	}
	return roots, nil
}

// ensureLocalhost returns the files of a certificate for localhost, and issues another when the one there soon ends or
// is not of this authority.
func (ca localCA) ensureLocalhost(now time.Time) (pairFiles, error) {
	dir := filepath.Dir(ca.certificateFile)
	files := pairFiles{chain: filepath.Join(dir, "localhost.pem"), key: filepath.Join(dir, "localhost.key")}
	if pair, err := files.read(); err == nil {
		soon := x509.VerifyOptions{Roots: ca.pool(), DNSName: "localhost", CurrentTime: now.Add(renewLocalAhead)}
		if _, err := pair.Leaf.Verify(soon); err == nil {
			return files, nil
		}
	}
	if _, err := files.issue(localhostTemplate(now), &ca.pair); err != nil {
		return pairFiles{}, fmt.Errorf("certificate for localhost: %w", err)
	}
	return files, nil
}

func localhostTemplate(now time.Time) *x509.Certificate {
	return &x509.Certificate{
		Subject:               pkix.Name{Organization: []string{"Credence"}, CommonName: "localhost"},
		DNSNames:              []string{"localhost"},
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
		NotBefore:             now,
		NotAfter:              now.Add(localhostLife),
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
}

// issue writes a certificate with a new key, signed by an authority or, without one, by itself. What is issued ends no
// later than its authority.
func (f pairFiles) issue(template *x509.Certificate, authority *tls.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	parent, signer := template, crypto.PrivateKey(key)
	if authority != nil {
		parent, signer = authority.Leaf, authority.PrivateKey
	}
	if template.NotAfter.After(parent.NotAfter) {
		template.NotAfter = parent.NotAfter
	}
	signed, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return tls.Certificate{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	err = errors.Join(
		writeAnew(f.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600),
		writeAnew(f.chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), 0o644), // for every client to read
	)
	if err != nil {
		return tls.Certificate{}, err
	}
	return f.read()
}

// writeAnew writes a file with a mode, whatever the mode of the one that it replaces, or of one that was left half written.
func writeAnew(path string, content []byte, mode os.FileMode) error {
	next := path + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.WriteFile(next, content, mode); err != nil {
		return err
	}
	return os.Rename(next, path)
}
