// Package seal protects small values under the operator's key: signing keys at rest, and the state of a sign-in while it
// travels through the browser.
//
// Each purpose has a key of its own, derived with HKDF (RFC 5869), so that a value sealed for one purpose never opens
// for another. Values are sealed with XChaCha20-Poly1305, whose nonce is long enough to be drawn at random for as many
// values as there will ever be. A value can be bound to something that is not in it, such as a browser's cookie: it
// opens only together with the same.
//
// The key can be replaced while everything runs: a [Key] may hold older secrets beside the one that seals. They open what
// they sealed, until [Box.Reseal] has sealed anew what rests.
package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrSeal says that a value was not sealed by us, for this purpose, bound to this; or was changed.
var ErrSeal = errors.New("the seal is broken")

// Key is the operator's key: 32 random bytes, from which the key of each purpose is derived, and others that only open
// what was sealed under them. The zero Key is none.
type Key struct {
	secrets *[][32]byte // the first seals; a pointer, because fmt calls no Format of an unexported field that holds a Key, and prints an address
}

// maxSecrets leaves room for a rotation that begins before the last one ended. Each costs a trial when something is opened.
const maxSecrets = 3

// NewKey makes a key and its text, which ParseKey reads.
func NewKey() (Key, string) {
	var secret [32]byte
	_, _ = rand.Read(secret[:])
	return Key{&[][32]byte{secret}}, hex.EncodeToString(secret[:])
}

// ParseKey reads a key from its text: 64 hexadecimal digits, as `openssl rand -hex 32` prints them. While the key is
// replaced, the text has a line for each secret: the first seals, the others only open.
func ParseKey(text string) (Key, error) {
	lines := strings.SplitN(strings.TrimSpace(text), "\n", maxSecrets+1)
	if len(lines) > maxSecrets {
		return Key{}, fmt.Errorf("want at most %d lines: the first seals, the others open what was sealed before", maxSecrets)
	}
	secrets := make([][32]byte, len(lines))
	for i, line := range lines {
		b, err := hex.DecodeString(strings.TrimSpace(line))
		if err != nil || len(b) != len(secrets[i]) {
			return Key{}, fmt.Errorf("line %d: want 64 hexadecimal digits, as `openssl rand -hex 32` prints them", i+1)
		}
		if before := slices.Index(secrets[:i], [32]byte(b)); before >= 0 {
			return Key{}, fmt.Errorf("line %d is line %d again: each has to be another key", i+1, before+1)
		}
		secrets[i] = [32]byte(b)
	}
	return Key{&secrets}, nil
}

// Format hides the key, should it ever reach a log, whatever the verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "seal.Key(hidden)") }

func derive(secret [32]byte, purpose string) []byte {
	derived, err := hkdf.Key(sha256.New, secret[:], nil, "credence "+purpose, 32)
	if err != nil {
		panic(err) // the length is in range
	}
	return derived
}

// Box seals and opens values of one purpose. It is safe for concurrent use.
type Box struct{ aeads []cipher.AEAD } // the first seals

// Box returns the box of a purpose.
func (k Key) Box(purpose string) Box {
	var b Box
	for _, secret := range *k.secrets {
		aead, err := chacha20poly1305.NewX(derive(secret, "seal "+purpose))
		if err != nil {
			panic(err) // the key has the right length
		}
		b.aeads = append(b.aeads, aead)
	}
	return b
}

// Seal seals a value, bound to something it will be opened with.
func (b Box) Seal(value, bound []byte) []byte {
	aead := b.aeads[0]
	nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(value)+aead.Overhead())
	_, _ = rand.Read(nonce)
	return aead.Seal(nonce, nonce, value, bound)
}

// Open opens a sealed value, or fails with ErrSeal. How long it takes tells at most which secret sealed it.
func (b Box) Open(sealed, bound []byte) ([]byte, error) {
	value, _, err := b.open(sealed, bound)
	return value, err
}

// Reseal returns a sealed value as the key now seals it: anew, or as it is when it is sealed under the first secret
// already. It fails with ErrSeal as Open does.
func (b Box) Reseal(sealed, bound []byte) ([]byte, error) {
	value, by, err := b.open(sealed, bound)
	if err != nil {
		return nil, err
	}
	if by == 0 {
		return sealed, nil
	}
	return b.Seal(value, bound), nil
}

// open opens a sealed value and says by which secret.
func (b Box) open(sealed, bound []byte) (value []byte, by int, err error) {
	for i, aead := range b.aeads {
		if len(sealed) < aead.NonceSize() {
			return nil, 0, ErrSeal
		}
		if value, err := aead.Open(nil, sealed[:aead.NonceSize()], sealed[aead.NonceSize():], bound); err == nil {
			return value, i, nil
		}
	}
	return nil, 0, ErrSeal
}

// SealJSON seals a value as text that fits a URL. The value must marshal.
func (b Box) SealJSON(value any, bound []byte) (string, error) {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false) // it is in no page as it is, and addresses have many &
	if err := encoder.Encode(value); err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b.Seal(plain.Bytes(), bound)), nil
}

// OpenJSON opens text that SealJSON made into the value that into points to, or fails with ErrSeal.
func (b Box) OpenJSON(text string, bound []byte, into any) error {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		return ErrSeal
	}
	plain, err := b.Open(sealed, bound)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(plain, into); err != nil {
		return ErrSeal // sealed by another version of this program
	}
	return nil
}

// MAC is a keyed hash of a value for a purpose: the same for the same value, and unknown to who lacks the key. It is
// another under another first secret, so what must outlive the key is kept beside the value, sealed, and made anew with it.
func (k Key) MAC(purpose string, value []byte) []byte {
	return mac((*k.secrets)[0], purpose, value)
}

// MACs are the keyed hashes of a value under each secret, that of [Key.MAC] first: what is kept by its hash is found by one
// of them while the key is replaced.
func (k Key) MACs(purpose string, value []byte) [][]byte {
	var macs [][]byte
	for _, secret := range *k.secrets {
		macs = append(macs, mac(secret, purpose, value))
	}
	return macs
}

func mac(secret [32]byte, purpose string, value []byte) []byte {
	h := hmac.New(sha256.New, derive(secret, "mac "+purpose))
	_, _ = h.Write(value)
	return h.Sum(nil)
}
