package webauthntest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"slices"
	"time"

	"github.com/google/uuid"
)

// Model is a model of authenticators whose vendor has a certificate authority for them. A [Key] of the model attests with a
// certificate of it: WebAuthn Level 3, Section 8.2, or Section 8.6 when it is of U2F.
type Model struct {
	AAGUID      uuid.UUID // that its certificates are for; another than the key's is a lie
	Unnamed     bool      // its certificates do not say for which AAGUID they are
	CertifiesCA bool      // they can certify others, which is forbidden
	U2F         bool      // its keys sign what those of U2F do, which is neither AAGUID nor flags
	Root        *x509.Certificate

	key       *ecdsa.PrivateKey
	notBefore time.Time
	notAfter  time.Time
}

// NewModel returns a model of a vendor of its own.
func NewModel(aaguid uuid.UUID) *Model {
	m := &Model{AAGUID: aaguid, notBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), notAfter: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}
	m.key = newKey()
	m.Root = certify(&x509.Certificate{
		Subject: pkix.Name{CommonName: "Vendor Root"}, NotBefore: m.notBefore, NotAfter: m.notAfter, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil, &m.key.PublicKey, m.key)
	return m
}

// Sibling returns another model of the same vendor, under the same root.
func (m *Model) Sibling(aaguid uuid.UUID) *Model {
	sibling := *m
	sibling.AAGUID = aaguid
	return &sibling
}

// PEM is certificates as operators have them in files.
func PEM(certificates ...*x509.Certificate) []byte {
	var text []byte
	for _, c := range certificates {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text
}

// aaguidExtension is id-fido-gen-ce-aaguid: WebAuthn Level 3, Section 8.2.1.
func aaguidExtension() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 1, 1, 4}
}

// attest is the attestation of a credential by a batch of the model.
func (m *Model) attest(c credential, authenticatorData, clientData []byte) (format string, statement map[string]any) {
	batch := newKey()
	template := &x509.Certificate{
		Subject: pkix.Name{
			Country: []string{"GB"}, Organization: []string{"Vendor"}, OrganizationalUnit: []string{"Authenticator Attestation"}, CommonName: "Batch",
		},
		NotBefore: m.notBefore, NotAfter: m.notAfter, IsCA: m.CertifiesCA,
	}
	if !m.Unnamed {
		template.ExtraExtensions = []pkix.Extension{{Id: aaguidExtension(), Value: value(asn1.Marshal(m.AAGUID[:]))}}
	}
	leaf := certify(template, m.Root, &batch.PublicKey, m.key)
	clientDataHash := sha256.Sum256(clientData)
	sign := func(message ...[]byte) []byte {
		digest := sha256.Sum256(slices.Concat(message...))
		return value(ecdsa.SignASN1(rand.Reader, batch, digest[:]))
	}
	if m.U2F {
		point := value(c.key.Public().(*ecdsa.PublicKey).Bytes())
		signature := sign([]byte{0}, authenticatorData[:sha256.Size], clientDataHash[:], c.id, point)
		return "fido-u2f", map[string]any{"sig": signature, "x5c": []any{leaf.Raw}}
	}
	return "packed", map[string]any{"alg": ES256, "sig": sign(authenticatorData, clientDataHash[:]), "x5c": []any{leaf.Raw}}
}

func newKey() *ecdsa.PrivateKey { return value(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

// certify makes a certificate; without a parent it is signed by itself.
func certify(template, parent *x509.Certificate, public *ecdsa.PublicKey, signer *ecdsa.PrivateKey) *x509.Certificate {
	template.SerialNumber, template.BasicConstraintsValid = value(rand.Int(rand.Reader, big.NewInt(1<<62))), true
	if parent == nil {
		parent = template
	}
	return value(x509.ParseCertificate(value(x509.CreateCertificate(rand.Reader, template, parent, public, signer))))
}
