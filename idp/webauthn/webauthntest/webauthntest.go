// Package webauthntest is an authenticator and its browser in software, for tests of the provider: it answers the options
// of a ceremony as WebAuthn Level 3 says, and lies when it is told to.
package webauthntest

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"

	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/google/uuid"
)

// The flags of authenticator data: WebAuthn Level 3, Section 6.1.
const (
	UserPresent    = 0x01
	UserVerified   = 0x04
	BackupEligible = 0x08
	BackupState    = 0x10
	attested       = 0x40
)

// The algorithms that a key can use: IANA COSE Algorithms.
const (
	ES256 = -7
	EdDSA = -8
	RS256 = -257
)

// Key is an authenticator plugged into a browser. Its fields are how it behaves, and can be changed between ceremonies.
// The hooks are lies: ClientData and AuthenticatorData change what is then signed, as a browser or an authenticator of
// the attacker's would; PublicKey changes the key before it is attested; Response changes the finished answer, as
// whoever holds it can. It is not safe for concurrent use.
type Key struct {
	AAGUID          uuid.UUID
	Algorithm       int
	Flags           byte
	SignCount       uint32 // of the last ceremony; each one adds 1
	NoCounter       bool   // SignCount stays as it is
	SelfAttestation bool   // otherwise there is none, but for that of Model
	Model           *Model // that attests it
	Transports      []string
	Attachment      string
	CredentialID    []byte // of the next credential; random when nil, and then of IDSize bytes
	IDSize          int

	ClientData        func(clientDataJSON []byte) []byte
	AuthenticatorData func(authenticatorData []byte) []byte
	PublicKey         func(cose map[int]any)
	Response          func(answer Answer)

	credentials []credential
}

// Answer is a RegistrationResponseJSON or an AuthenticationResponseJSON.
type Answer map[string]any

// Set replaces a member of the inner response.
func (a Answer) Set(name string, value any) { a["response"].(map[string]any)[name] = value }

type credential struct {
	rp, id, user []byte
	key          crypto.Signer
}

// New returns a security key for USB that verifies its user, counts, and does not attest.
func New() *Key {
	return &Key{
		AAGUID:     uuid.MustParse("01020304-0506-0708-0102-030405060708"),
		Algorithm:  ES256,
		Flags:      UserPresent | UserVerified,
		Transports: []string{"usb"},
		Attachment: "cross-platform",
		IDSize:     64,
	}
}

// NewPasskey returns a passkey that is synchronised between the devices of its user, and does not count.
func NewPasskey() *Key {
	k := New()
	k.AAGUID = uuid.Nil
	k.Flags |= BackupEligible | BackupState
	k.NoCounter = true
	k.Transports = []string{"hybrid", "internal"}
	k.Attachment = "platform"
	k.IDSize = 20
	return k
}

// NewOf returns a security key of a model.
func NewOf(m *Model) *Key {
	k := New()
	k.AAGUID, k.Model = m.AAGUID, m
	return k
}

type descriptor struct {
	ID encoded `json:"id"`
}

// Create answers PublicKeyCredentialCreationOptionsJSON, asked by a page of the origin. It returns nil when the options
// exclude a credential that it holds.
func (k *Key) Create(options []byte, origin string) []byte {
	var asked struct {
		Challenge string `json:"challenge"`
		RP        struct {
			ID string `json:"id"`
		} `json:"rp"`
		User               descriptor   `json:"user"`
		ExcludeCredentials []descriptor `json:"excludeCredentials"`
	}
	must(json.Unmarshal(options, &asked))
	for _, excluded := range asked.ExcludeCredentials {
		if k.find(asked.RP.ID, excluded.ID) != nil {
			return nil
		}
	}
	c := credential{rp: []byte(asked.RP.ID), id: k.CredentialID, user: asked.User.ID}
	if c.id == nil {
		c.id = make([]byte, k.IDSize)
		_, _ = rand.Read(c.id)
	}
	var cose map[int]any
	c.key, cose = generate(k.Algorithm)
	if k.PublicKey != nil {
		k.PublicKey(cose)
	}
	k.credentials = append(k.credentials, c)

	data := binary.BigEndian.AppendUint16(k.AAGUID[:], uint16(len(c.id))) //nolint:gosec // a test that wants another length says so in AuthenticatorData
	data = append(append(data, c.id...), value(webauthncbor.Marshal(cose))...)
	authenticatorData := k.authenticatorData(asked.RP.ID, data)
	clientData := k.clientData("webauthn.create", asked.Challenge, origin)
	format, statement := "none", map[string]any{}
	if k.Model != nil {
		format, statement = k.Model.attest(c, authenticatorData, clientData)
	} else if k.SelfAttestation {
		format, statement = "packed", map[string]any{"alg": k.Algorithm, "sig": c.sign(authenticatorData, clientData)}
	}
	return k.answer(c.id, map[string]any{
		"clientDataJSON": encoded(clientData),
		"attestationObject": encoded(value(webauthncbor.Marshal(map[string]any{
			"fmt": format, "attStmt": statement, "authData": authenticatorData,
		}))),
		"transports": k.Transports,
	}, map[string]any{"credProps": map[string]any{"rk": true}})
}

// Get answers PublicKeyCredentialRequestOptionsJSON, asked by a page of the origin, with a credential that the options
// allow, or the newest when they allow any. It returns nil when there is none.
func (k *Key) Get(options []byte, origin string) []byte {
	var asked struct {
		Challenge        string       `json:"challenge"`
		RPID             string       `json:"rpId"`
		AllowCredentials []descriptor `json:"allowCredentials"`
	}
	must(json.Unmarshal(options, &asked))
	var c *credential
	for _, allowed := range asked.AllowCredentials {
		if found := k.find(asked.RPID, allowed.ID); found != nil {
			c = found
		}
	}
	if len(asked.AllowCredentials) == 0 {
		c = k.find(asked.RPID, nil)
	}
	if c == nil {
		return nil
	}
	authenticatorData := k.authenticatorData(asked.RPID, nil)
	clientData := k.clientData("webauthn.get", asked.Challenge, origin)
	return k.answer(c.id, map[string]any{
		"clientDataJSON":    encoded(clientData),
		"authenticatorData": encoded(authenticatorData),
		"signature":         encoded(c.sign(authenticatorData, clientData)),
		"userHandle":        encoded(c.user),
	}, map[string]any{})
}

// find returns the newest credential for a relying party with an id, or with any when it is nil.
func (k *Key) find(rp string, id []byte) *credential {
	for i := len(k.credentials) - 1; i >= 0; i-- {
		c := &k.credentials[i]
		if string(c.rp) == rp && (id == nil || bytes.Equal(c.id, id)) {
			return c
		}
	}
	return nil
}

// authenticatorData is that of WebAuthn Level 3, Section 6.1.
func (k *Key) authenticatorData(rp string, attestedCredential []byte) []byte {
	flags := k.Flags
	if attestedCredential != nil {
		flags |= attested
	}
	if !k.NoCounter {
		k.SignCount++
	}
	hash := sha256.Sum256([]byte(rp))
	data := binary.BigEndian.AppendUint32(append(hash[:], flags), k.SignCount)
	data = append(data, attestedCredential...)
	if k.AuthenticatorData != nil {
		data = k.AuthenticatorData(data)
	}
	return data
}

// clientData is serialised as WebAuthn Level 3, Section 5.8.1.1, prescribes.
func (k *Key) clientData(ceremony, challenge, origin string) []byte {
	data := value(json.Marshal(struct {
		Type        string `json:"type"`
		Challenge   string `json:"challenge"`
		Origin      string `json:"origin"`
		CrossOrigin bool   `json:"crossOrigin"`
	}{ceremony, challenge, origin, false}))
	if k.ClientData != nil {
		data = k.ClientData(data)
	}
	return data
}

func (k *Key) answer(id []byte, response, extensions map[string]any) []byte {
	answer := Answer{
		"id": encoded(id), "rawId": encoded(id), "type": "public-key", "authenticatorAttachment": k.Attachment,
		"clientExtensionResults": extensions, "response": response,
	}
	if k.Response != nil {
		k.Response(answer)
	}
	return value(json.Marshal(answer))
}

// sign signs as WebAuthn Level 3, Section 6.3.3, step 11, says.
func (c credential) sign(authenticatorData, clientData []byte) []byte {
	hash := sha256.Sum256(clientData)
	message := append(bytes.Clone(authenticatorData), hash[:]...)
	if _, ok := c.key.(ed25519.PrivateKey); ok {
		return value(c.key.Sign(rand.Reader, message, crypto.Hash(0)))
	}
	digest := sha256.Sum256(message)
	return value(c.key.Sign(rand.Reader, digest[:], crypto.SHA256))
}

// generate makes a key pair, and its public half as a COSE_Key: RFC 9053, Section 7, and RFC 8230, Section 4.
func generate(algorithm int) (crypto.Signer, map[int]any) {
	switch algorithm {
	case EdDSA:
		public, private, err := ed25519.GenerateKey(rand.Reader)
		must(err)
		return private, map[int]any{1: 1, 3: EdDSA, -1: 6, -2: []byte(public)}
	case RS256:
		key := value(rsa.GenerateKey(rand.Reader, 2048))
		return key, map[int]any{1: 3, 3: RS256, -1: key.N.Bytes(), -2: []byte{1, 0, 1}}
	}
	key := value(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	point := value(key.PublicKey.Bytes()) // 0x04, x, y: SEC 1, Section 2.3.3
	return key, map[int]any{1: 2, 3: algorithm, -1: 1, -2: point[1:33], -3: point[33:]}
}

// encoded is base64url in JSON, as WebAuthn Level 3, Section 5.1, wants bytes.
type encoded []byte

// MarshalText implements encoding.TextMarshaler.
func (e encoded) MarshalText() ([]byte, error) {
	return []byte(base64.RawURLEncoding.EncodeToString(e)), nil
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (e *encoded) UnmarshalText(text []byte) (err error) {
	*e, err = base64.RawURLEncoding.DecodeString(string(text))
	return err
}

func value[T any](v T, err error) T {
	must(err)
	return v
}

// must panics: whoever gives a test's key something that is not options has a bug.
func must(err error) {
	if err != nil {
		panic(err)
	}
}
