// Package seal protects small values under the operator's key: signing keys at rest, and the state of a sign-in while it
// travels through the browser.
//
// Each purpose has a key of its own, derived with HKDF (RFC 5869), so that a value sealed for one purpose never opens
// for another. Values are sealed with XChaCha20-Poly1305, whose nonce is long enough to be drawn at random for as many
// values as there will ever be. A value can be bound to something that is not in it, such as a browser's cookie: it
// opens only together with the same.
package seal

import (
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
	"strings"

	"golang.org/x/crypto/chacha20poly1305"
)

// ErrSeal says that a value was not sealed by us, for this purpose, bound to this; or was changed.
var ErrSeal = errors.New("the seal is broken")

// Key is the operator's key: 32 random bytes, from which the key of each purpose is derived. The zero Key is none.
type Key struct {
	secret *[32]byte // a pointer, because fmt calls no Format of an unexported field that holds a Key, and prints an address
}

// NewKey makes a key and its text, which ParseKey reads.
func NewKey() (Key, string) {
	k := Key{new([32]byte)}
	_, _ = rand.Read(k.secret[:])
	return k, hex.EncodeToString(k.secret[:])
}

// ParseKey reads a key from its text: 64 hexadecimal digits, as `openssl rand -hex 32` prints them.
func ParseKey(text string) (Key, error) {
	b, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil || len(b) != 32 {
		return Key{}, errors.New("want 64 hexadecimal digits, as `openssl rand -hex 32` prints them")
	}
	return Key{(*[32]byte)(b)}, nil
}

// Format hides the key, should it ever reach a log, whatever the verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "seal.Key(hidden)") }

func (k Key) derive(purpose string) []byte {
	derived, err := hkdf.Key(sha256.New, k.secret[:], nil, "credence "+purpose, 32)
	if err != nil {
		panic(err) // the length is in range
	}
	return derived
}

// Box seals and opens values of one purpose. It is safe for concurrent use.
type Box struct{ aead cipher.AEAD }

// Box returns the box of a purpose.
func (k Key) Box(purpose string) Box {
	aead, err := chacha20poly1305.NewX(k.derive("seal " + purpose))
	if err != nil {
		panic(err) // the key has the right length
	}
	return Box{aead}
}

// Seal seals a value, bound to something it will be opened with.
func (b Box) Seal(value, bound []byte) []byte {
	nonce := make([]byte, b.aead.NonceSize(), b.aead.NonceSize()+len(value)+b.aead.Overhead())
	_, _ = rand.Read(nonce)
	return b.aead.Seal(nonce, nonce, value, bound)
}

// Open opens a sealed value, or fails with ErrSeal.
func (b Box) Open(sealed, bound []byte) ([]byte, error) {
	if len(sealed) < b.aead.NonceSize() {
		return nil, ErrSeal
	}
	value, err := b.aead.Open(nil, sealed[:b.aead.NonceSize()], sealed[b.aead.NonceSize():], bound)
	if err != nil {
		return nil, ErrSeal
	}
	return value, nil
}

// SealJSON seals a value as text that fits a URL. The value must marshal.
func (b Box) SealJSON(value any, bound []byte) (string, error) {
	plain, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("seal: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b.Seal(plain, bound)), nil
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

// MAC is a keyed hash of a value for a purpose: the same for the same value, and unknown to who lacks the key.
func (k Key) MAC(purpose string, value []byte) []byte {
	h := hmac.New(sha256.New, k.derive("mac "+purpose))
	_, _ = h.Write(value)
	return h.Sum(nil)
}
