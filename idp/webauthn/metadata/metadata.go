// Package metadata reads what the FIDO Alliance, or another whom the operator trusts, publishes of models of
// authenticators: blobs of the FIDO Metadata Service, Version 3.
//
// It guarantees that a blob was signed, with an algorithm of a short list, by a certificate that chains to a root of those
// that are trusted. Whether that certificate was revoked it does not ask: the issuers' lists are fetched over the network,
// and a blob that nobody can fetch must not fail. The package is pure: no I/O, no clock.
//
// It implements FIDO Metadata Service v3.1, Section 3.1 (format) and Section 3.2, steps 3 to 6 (signature), and those
// members of FIDO Metadata Statement v3.1 that decide anything here.
package metadata

import (
	"bytes"
	"crypto/x509"
	_ "embed" // of roots.pem
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
)

const (
	// MaxSize is the longest that a blob may be. FIDO's is some 10 MiB, most of it pictures.
	MaxSize = 20 << 20

	maxHeader  = 64 << 10
	maxNumber  = 1<<53 - 1 // what JSON carries whole: RFC 8259, Section 6
	maxEntries = 10_000
)

// Trust is whose blobs are believed.
type Trust struct {
	roots *x509.CertPool
	name  string // what the signer's certificate has to be for; "" when the roots are for nothing else
}

//go:embed roots.pem
var globalSign []byte

// FIDO trusts the FIDO Alliance. Its blobs are signed by a certificate of a public authority, GlobalSign, which has
// millions of customers: it has to be the one for the Metadata Service.
func FIDO() Trust {
	t := Trust{roots: x509.NewCertPool(), name: "mds.fidoalliance.org"}
	t.roots.AppendCertsFromPEM(globalSign)
	return t
}

// Own trusts whoever has a certificate that chains to one of some roots, as PEM.
func Own(roots []byte) (Trust, error) {
	t := Trust{roots: x509.NewCertPool()}
	if !t.roots.AppendCertsFromPEM(roots) {
		return Trust{}, errors.New("there is no certificate in it: want PEM, from BEGIN CERTIFICATE to END CERTIFICATE")
	}
	return t, nil
}

// Blob is the content of a genuine blob.
type Blob struct {
	Number     int64     // rises with each blob
	NextUpdate time.Time // when a newer one can be expected
	Models     map[uuid.UUID]Model
	Unread     int // entries and certificates that we cannot read, which therefore count for nothing
}

// Model is what is published of a model of authenticators that has an AAGUID.
type Model struct {
	Name          string
	Roots         []*x509.Certificate // its attestations chain to one of these, or are signed by it
	KeyProtection []string            // FIDO Registry of Predefined Values, Section 3.2
	Reports       []Report
}

// Parse verifies and reads a blob, as of a time.
func Parse(blob []byte, trust Trust, at time.Time) (Blob, error) {
	if len(blob) > MaxSize {
		return Blob{}, fmt.Errorf("it is longer than %d bytes", MaxSize)
	}
	blob = bytes.TrimSpace(blob)
	if n := bytes.IndexByte(blob, '.'); n < 0 || n > maxHeader {
		return Blob{}, errors.New("it is no signed blob: want the text of a JSON Web Signature")
	}
	signed, err := jose.ParseSignedCompact(string(blob), []jose.SignatureAlgorithm{jose.RS256, jose.PS256, jose.ES256, jose.ES384, jose.ES512})
	if err != nil {
		return Blob{}, fmt.Errorf("read signature: %w", err)
	}
	// Of Section 3.2, step 3, only x5c is taken: a chain from an address that the blob names is nobody's.
	chains, err := signed.Signatures[0].Header.Certificates(x509.VerifyOptions{
		Roots: trust.roots, DNSName: trust.name, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return Blob{}, fmt.Errorf("verify the certificate that signed it: %w", err)
	}
	payload, err := signed.Verify(chains[0][0].PublicKey)
	if err != nil {
		return Blob{}, fmt.Errorf("verify signature: %w", err)
	}
	return read(payload)
}

// entry is a MetadataBLOBPayloadEntry.
type entry struct {
	AAGUID    string `json:"aaguid"` // without one it is of another protocol
	Statement struct {
		Description   string   `json:"description"`
		KeyProtection []string `json:"keyProtection"`
		Roots         []string `json:"attestationRootCertificates"`
	} `json:"metadataStatement"`
	Reports []struct {
		Status        string `json:"status"`
		EffectiveDate string `json:"effectiveDate"`
	} `json:"statusReports"`
}

// read reads a MetadataBLOBPayload.
func read(payload []byte) (Blob, error) {
	var published struct {
		Number     *int64  `json:"no"`
		NextUpdate string  `json:"nextUpdate"`
		Entries    []entry `json:"entries"`
	}
	if err := json.Unmarshal(payload, &published); err != nil {
		return Blob{}, fmt.Errorf("read content: %w", err)
	}
	if published.Number == nil || *published.Number < 0 || *published.Number > maxNumber {
		return Blob{}, errors.New("read content: it has no number")
	}
	next, err := time.Parse(time.DateOnly, published.NextUpdate)
	if err != nil {
		return Blob{}, fmt.Errorf("read content: nextUpdate: %w", err)
	}
	if len(published.Entries) > maxEntries {
		return Blob{}, fmt.Errorf("read content: it has more than %d entries", maxEntries)
	}
	b := Blob{Number: *published.Number, NextUpdate: next, Models: map[uuid.UUID]Model{}}
	for _, e := range published.Entries {
		if e.AAGUID == "" {
			continue
		}
		aaguid, err := uuid.Parse(e.AAGUID)
		if err != nil || aaguid == uuid.Nil {
			b.Unread++
			continue
		}
		m, unread := e.model(b.Models[aaguid])
		b.Models[aaguid] = m
		b.Unread += unread
	}
	return b, nil
}

// model adds an entry to what other entries say of its model, and counts the certificates that cannot be read.
func (e entry) model(m Model) (_ Model, unread int) {
	m.Name = strings.ToValidUTF8(e.Statement.Description[:min(len(e.Statement.Description), 200)], "")
	m.KeyProtection = append(m.KeyProtection, e.Statement.KeyProtection...)
	for _, text := range e.Statement.Roots {
		root, err := certificate(text)
		if err != nil {
			unread++
			continue
		}
		m.Roots = append(m.Roots, root)
	}
	for _, r := range e.Reports {
		m.Reports = append(m.Reports, newReport(r.Status, r.EffectiveDate))
	}
	return m, unread
}

// certificate reads a certificate in base64, in which some vendors break lines.
func certificate(text string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
