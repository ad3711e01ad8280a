package webauthn

import (
	"crypto/x509"
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
	VerdictUntrusted Verdict = "untrusted" // its certificates end at no root of the model that it says it is
	VerdictTrusted   Verdict = "trusted"
)

// verdict judges an attestation whose signature was verified, as of a time. Its certificates have to chain to a root of the
// very model that it names. Formats whose certificates are somewhere else (android-safetynet, compound) are not judged.
func (k *known) verdict(format string, statement map[string]any, aaguid uuid.UUID, at time.Time) Verdict {
	if format == string(protocol.AttestationFormatNone) {
		return VerdictNone
	}
	chain, ok := statement["x5c"].([]any)
	if !ok && format == string(protocol.AttestationFormatPacked) {
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
	if format == string(protocol.AttestationFormatTPM) {
		// The library has read the name of the TPM from it: WebAuthn Level 3, Section 8.3.1. To crypto/x509 it is a critical
		// extension that nobody has understood.
		leaf.UnhandledCriticalExtensions = slices.DeleteFunc(leaf.UnhandledCriticalExtensions, func(id asn1.ObjectIdentifier) bool {
			return id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17})
		})
	}
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: m.roots, Intermediates: intermediates, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return VerdictUntrusted
	}
	return VerdictTrusted
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
