package webauthn

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/google/uuid"

	"github.com/credence-id/credence/store"
)

// Verdict is what the attestation of an authenticator proved: WebAuthn Level 3, Section 7.1, step 24. Only one that is
// trusted says which model it is; what the others say of that, anybody can say.
type Verdict string

// The verdicts.
const (
	VerdictNone      Verdict = "none"      // there is no attestation
	VerdictSelf      Verdict = "self"      // the new key attests itself
	VerdictUntrusted Verdict = "untrusted" // its certificates end at no root of the model that it says it is, or anybody's might
	VerdictTrusted   Verdict = "trusted"
)

// verdict judges an attestation whose signature was verified, as of a time. Its certificates have to chain to a root of the
// very model that it names.
//
// That proves a model in one format only, packed with certificates: the authenticator signs its AAGUID and flags itself, with
// a key that its vendor has certified (WebAuthn Level 3, Section 8.2). In the others, nothing binds the AAGUID to what the
// certificates are for, and their roots are those of all models of a vendor:
//   - fido-u2f signs neither AAGUID nor flags (Section 8.6);
//   - tpm, android-key and apple vouch for where the key is. The AAGUID is what the software of the platform writes, which
//     the TPM is given as a hash (Section 8.3), the new key itself signs (8.4), or Apple puts into a certificate (8.8);
//   - android-safetynet and compound have their certificates somewhere else (Sections 8.5 and 8.9).
func (k *known) verdict(format string, statement map[string]any, aaguid uuid.UUID, at time.Time) Verdict {
	if format == string(protocol.AttestationFormatNone) {
		return VerdictNone
	}
	if format != string(protocol.AttestationFormatPacked) {
		return VerdictUntrusted
	}
	chain, ok := statement["x5c"].([]any)
	if !ok {
		return VerdictSelf
	}
	m, there := k.models[aaguid]
	if !there || aaguid == uuid.Nil || len(chain) == 0 || len(chain) > maxChain {
		return VerdictUntrusted
	}
	var certificates []*x509.Certificate
	for _, der := range chain {
		raw, _ := der.([]byte)
		c, err := x509.ParseCertificate(raw)
		if err != nil {
			return VerdictUntrusted
		}
		certificates = append(certificates, c)
	}
	leaf, intermediates := certificates[0], x509.NewCertPool()
	for _, c := range certificates[1:] {
		intermediates.AddCert(c)
	}
	proves := func(m model) bool {
		_, err := leaf.Verify(x509.VerifyOptions{
			Roots: m.roots, Intermediates: intermediates, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		})
		return err == nil
	}
	if !proves(m) {
		return VerdictUntrusted
	}
	if names(leaf, aaguid) {
		return VerdictTrusted
	}
	// Under a root of several models the certificate must say for which it is: Section 8.2.1.
	for other, m := range k.models {
		if other != aaguid && proves(m) {
			return VerdictUntrusted
		}
	}
	return VerdictTrusted
}

// names says whether a certificate is for a model: WebAuthn Level 3, Section 8.2.1, id-fido-gen-ce-aaguid. One that is for
// another was refused with the signature.
func names(c *x509.Certificate, aaguid uuid.UUID) bool {
	value := append([]byte{asn1.TagOctetString, byte(len(aaguid))}, aaguid[:]...)
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool {
		return e.Id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 1, 1, 4}) && bytes.Equal(e.Value, value)
	})
}

const maxChain = 10

// verdictOf judges the attestation of an authenticator that was bound before, as of when it was.
func (k *known) verdictOf(a store.Authenticator) (Verdict, error) {
	var object protocol.AttestationObject
	if err := webauthncbor.Unmarshal(a.AttestationObject, &object); err != nil {
		return "", fmt.Errorf("read attestation of authenticator %s: %w", a.ID, err)
	}
	return k.verdict(object.Format, object.AttStatement, a.AAGUID, a.CreatedAt), nil
}
