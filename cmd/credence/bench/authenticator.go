package bench

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/seal"
	"github.com/credence-id/credence/store"
)

// authenticator is the authenticator of one person, in software: a passkey that is synchronised, or one that says it is in a key.
type authenticator struct {
	person       string
	secondRole   string // that a person acts in who has to choose
	securityKey  bool
	credentialID []byte
	key          *ecdsa.PrivateKey
}

// clientSecret is that of the clients of the benchmark.
func clientSecret(key seal.Key) string { return hex.EncodeToString(key.MAC("bench client", nil)) }

// authenticators derives the authenticators of the first people.
func authenticators(key seal.Key, count int) ([]authenticator, error) {
	list := make([]authenticator, count)
	for n := range list {
		a, err := newAuthenticator(key, personID(n))
		if err != nil {
			return nil, err
		}
		a.secondRole = roleID(rolesOfPerson*n + 1)
		list[n] = a
	}
	return list, nil
}

func newAuthenticator(key seal.Key, person string) (authenticator, error) {
	private, err := privateKey(key, person)
	return authenticator{person: person, credentialID: key.MAC("bench credential", []byte(person)), key: private}, err
}

// privateKey derives the key of somebody. A derived number is outside the range of private keys once in 2^32: SEC 1, Section 3.2.1.
func privateKey(key seal.Key, of string) (*ecdsa.PrivateKey, error) {
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), key.MAC("bench private key", []byte(of)))
	if err != nil {
		return nil, fmt.Errorf("derive the key of %s: %w: take another secret", of, err)
	}
	return private, nil
}

// Flags of authenticator data, WebAuthn Level 3, Section 6.1: UP and UV; BE and BS of what is synchronised; AT when a credential follows.
const (
	used         = 0x01 | 0x04
	synchronised = 0x08 | 0x10
	attested     = 0x40
)

func (a authenticator) flags() byte {
	if a.securityKey {
		return used
	}
	return used | synchronised
}

// authenticatorData is that of WebAuthn Level 3, Section 6.1, with a signature counter of 0, which is none.
func authenticatorData(rpID string, flags byte) []byte {
	hash := sha256.Sum256([]byte(rpID))
	return append(hash[:], flags, 0, 0, 0, 0)
}

// publicKey is a COSE_Key: RFC 9053, Section 7.1.1, as WebAuthn Level 3, Section 6.5.1.1, wants it.
func (a authenticator) publicKey() []byte {
	point, err := a.key.PublicKey.Bytes() // 0x04, x, y: SEC 1, Section 2.3.3
	if err != nil {
		panic(err) // a key on P-256 has them
	}
	return slices.Concat(
		[]byte{0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01}, // kty: EC2, alg: ES256, crv: P-256
		[]byte{0x21, 0x58, 0x20}, point[1:33],
		[]byte{0x22, 0x58, 0x20}, point[33:],
	)
}

// attestation is an attestation object of the format "none": WebAuthn Level 3, Sections 6.5.4 and 8.7.
func (a authenticator) attestation(rpID string) []byte {
	aaguid, length := make([]byte, 16), []byte{0, sha256.Size} // of the credential id
	data := slices.Concat(authenticatorData(rpID, a.flags()|attested), aaguid, length, a.credentialID, a.publicKey())
	return slices.Concat(
		[]byte{0xa3, 0x63}, []byte("fmt"), []byte{0x64}, []byte("none"),
		[]byte{0x67}, []byte("attStmt"), []byte{0xa0},
		[]byte{0x68}, []byte("authData"), []byte{0x58, byte(len(data))}, data, //nolint:gosec // 164
	)
}

// row is the authenticator as an enrolment at the issuer would have recorded it; of a security key, one that proved its model.
func (a authenticator) row(issuer string, now time.Time) store.Authenticator {
	row := store.Authenticator{
		PersonID: a.person, Name: "Passkey in software", Kind: "passkey", CredentialID: a.credentialID, PublicKey: a.publicKey(),
		AAGUID: uuid.Nil, Transports: []string{"internal"}, BackupEligible: true, BackupState: true, AttestationFormat: "none",
		AttestationObject: a.attestation(hostOf(issuer)), ClientData: clientData("webauthn.create", "", issuer), AttestationVerdict: "none", CreatedAt: now,
	}
	if a.securityKey {
		row.Name, row.Kind, row.AAGUID, row.Transports = "Security key in software", "security-key", model(), []string{"usb"}
		row.BackupEligible, row.BackupState, row.AttestationVerdict = false, false, "trusted"
	}
	return row
}

// hostOf is the RP ID of an issuer.
func hostOf(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// clientData is serialised as WebAuthn Level 3, Section 5.8.1.1, prescribes. Challenges and origins have nothing to escape.
func clientData(ceremony, challenge, origin string) []byte {
	return []byte(`{"type":"` + ceremony + `","challenge":"` + challenge + `","origin":"` + origin + `","crossOrigin":false}`)
}

// assertion is what the page's script posts after navigator.credentials.get: an AuthenticationResponseJSON, WebAuthn Level 3,
// Section 5.1.
func (a authenticator) assertion(challenge, rpID, origin string) ([]byte, error) {
	data, client := authenticatorData(rpID, a.flags()), clientData("webauthn.get", challenge, origin)
	hash := sha256.Sum256(client)
	digest := sha256.Sum256(slices.Concat(data, hash[:]))
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		return nil, err
	}
	encode := base64.RawURLEncoding.EncodeToString
	id := encode(a.credentialID)
	return []byte(`{"response":{"id":"` + id + `","rawId":"` + id + `","type":"public-key","authenticatorAttachment":"platform","clientExtensionResults":{},"response":{` +
		`"clientDataJSON":"` + encode(client) + `","authenticatorData":"` + encode(data) + `","signature":"` + encode(signature) +
		`","userHandle":"` + encode(handle(a.person)) + `"}}}`), nil
}
