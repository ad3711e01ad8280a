package webauthntest

import (
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"time"

	"github.com/google/uuid"
)

// Publisher publishes metadata of models, as the FIDO Alliance does, under a root of its own.
type Publisher struct {
	Root *x509.Certificate

	signer *x509.Certificate
	key    *ecdsa.PrivateKey
}

// NewPublisher returns a publisher whose certificate is for some host.
func NewPublisher(host string) *Publisher {
	rootKey, key := newKey(), newKey()
	begin, end := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	root := certify(&x509.Certificate{
		Subject: pkix.Name{CommonName: "Metadata Root"}, NotBefore: begin, NotAfter: end, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, &rootKey.PublicKey, rootKey)
	signer := certify(&x509.Certificate{
		Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: begin, NotAfter: end.AddDate(-60, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
	}, root, &key.PublicKey, rootKey)
	return &Publisher{Root: root, signer: signer, key: key}
}

// Report is a status of a model, since a day or always.
type Report struct {
	Status        string `json:"status"`
	EffectiveDate string `json:"effectiveDate,omitempty"`
}

// Entry is what is published of a model.
type Entry struct {
	AAGUID        uuid.UUID
	Name          string
	Roots         []*x509.Certificate
	KeyProtection []string
	Reports       []Report
}

// Certified is the entry of a model in hardware that FIDO has certified at level 1, with more reports on it.
func (m *Model) Certified(reports ...Report) Entry {
	return Entry{
		AAGUID: m.AAGUID, Name: "Certified key", Roots: []*x509.Certificate{m.Root}, KeyProtection: []string{"hardware", "secure_element"},
		Reports: append([]Report{{Status: "FIDO_CERTIFIED_L1", EffectiveDate: "2021-01-01"}}, reports...),
	}
}

// MarshalJSON implements json.Marshaler: FIDO Metadata Service v3.1, Section 3.1.1.
func (e Entry) MarshalJSON() ([]byte, error) {
	var roots []string
	for _, r := range e.Roots {
		roots = append(roots, base64.StdEncoding.EncodeToString(r.Raw))
	}
	return json.Marshal(map[string]any{
		"aaguid": e.AAGUID, "statusReports": e.Reports, "timeOfLastStatusChange": "2021-01-01",
		"metadataStatement": map[string]any{"description": e.Name, "keyProtection": e.KeyProtection, "attestationRootCertificates": roots, "icon": "data:"},
	})
}

// Blob is a blob of entries.
func (p *Publisher) Blob(number int, nextUpdate time.Time, entries ...Entry) []byte {
	return p.Sign(p.Header(), value(json.Marshal(map[string]any{
		"legalHeader": "For tests.", "no": number, "nextUpdate": nextUpdate.Format(time.DateOnly), "entries": entries,
	})))
}

// Header is what a blob of the publisher begins with, to be changed.
func (p *Publisher) Header() map[string]any {
	return map[string]any{"alg": "ES256", "typ": "JWT", "x5c": []string{
		base64.StdEncoding.EncodeToString(p.signer.Raw), base64.StdEncoding.EncodeToString(p.Root.Raw),
	}}
}

// Sign signs a content, always by ES256, whatever the header says: RFC 7515, Section 7.1.
func (p *Publisher) Sign(header map[string]any, payload []byte) []byte {
	text := base64.RawURLEncoding.EncodeToString(value(json.Marshal(header))) + "." + base64.RawURLEncoding.EncodeToString(payload)
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, digest[:])
	must(err)
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return []byte(text + "." + base64.RawURLEncoding.EncodeToString(signature))
}
