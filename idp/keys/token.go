package keys

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"time"
)

// Types of tokens: the `typ` header, which keeps one kind from being taken for another (RFC 8725, Section 3.11).
const (
	IDToken     = "JWT"
	AccessToken = "at+jwt" // RFC 9068, Section 2.1
)

// ErrToken says that a token was not signed by a key that we publish, or is not of the expected type.
var ErrToken = errors.New("not a token of ours")

// maxToken bounds the tokens that we look at: ours carry at most some hundred roles and activities.
const maxToken = 64 << 10

// encoding is that of JWS: RFC 7515, Section 2.
func encoding() *base64.Encoding { return base64.RawURLEncoding }

// header is the encoded JOSE header of the tokens of a type that a key signs. It is written once and compared as it is:
// what chooses the key, the algorithm or the type of a token is never parsed from the token (RFC 8725, Sections 3.1
// and 3.11).
func header(alg, id, typ string) string {
	b, _ := json.Marshal(map[string]string{"alg": alg, "kid": id, "typ": typ}) // strings always encode
	return encoding().EncodeToString(b)
}

// Sign signs claims as a token of the given algorithm and type, in JWS compact serialization.
func (r *Ring) Sign(alg, typ string, claims any) (string, error) {
	k, ok := r.current.Load().signing(alg, r.now())
	if !ok {
		return "", fmt.Errorf("sign: no key for %s", alg)
	}
	payload, err := json.Marshal(claims)
	if err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	input := make([]byte, 0, len(k.headers[typ])+1+encoding().EncodedLen(len(payload)))
	input = append(append(input, k.headers[typ]...), '.')
	input = encoding().AppendEncode(input, payload)
	signature, err := k.sign(sha256.Sum256(input))
	if err != nil {
		return "", fmt.Errorf("sign with %s: %w", k.ID, err)
	}
	r.signatures.WithLabelValues(alg).Inc()
	var token strings.Builder
	token.Grow(len(input) + 1 + encoding().EncodedLen(len(signature)))
	token.Write(input)
	token.WriteByte('.')
	token.WriteString(encoding().EncodeToString(signature))
	return token.String(), nil
}

// sign makes a signature: RFC 7518, Sections 3.3 and 3.4.
func (k key) sign(digest [sha256.Size]byte) ([]byte, error) {
	switch private := k.private.(type) {
	case *ecdsa.PrivateKey:
		a, b, err := ecdsa.Sign(rand.Reader, private, digest[:])
		if err != nil {
			return nil, err
		}
		signature := make([]byte, 64)
		a.FillBytes(signature[:32])
		b.FillBytes(signature[32:])
		return signature, nil
	case *rsa.PrivateKey:
		return rsa.SignPKCS1v15(nil, private, crypto.SHA256, digest[:])
	}
	return nil, fmt.Errorf("%T is no signing key of ours", k.private)
}

// verifies says whether a signature is the key's.
func (k key) verifies(digest [sha256.Size]byte, signature []byte) bool {
	switch public := k.private.Public().(type) {
	case *ecdsa.PublicKey:
		return len(signature) == 64 && ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil
	}
	return false
}

// Verify checks that a token of the given type was signed by a key that we publish, and decodes its claims. It says
// nothing about them: issuer, audience and times are the caller's to check. A failure is ErrToken.
func (r *Ring) Verify(ctx context.Context, token, typ string, claims any) error {
	return r.verify(ctx, token, typ, claims, r.now())
}

// VerifyHint is Verify for an ID token that comes back as a hint of whom a request is about. It takes those of keys that
// were published a day ago as well: a hint may be as old as the session that it speaks of.
func (r *Ring) VerifyHint(ctx context.Context, token string, claims any) error {
	return r.verify(ctx, token, IDToken, claims, r.now().Add(-hintLife))
}

func (r *Ring) verify(ctx context.Context, token, typ string, claims any, since time.Time) error {
	end := strings.LastIndexByte(token, '.')
	if len(token) > maxToken || end < 0 || strings.ContainsAny(token, "\r\n") { // the decoder would pass line ends by
		return ErrToken
	}
	input := token[:end]
	header, encoded, ok := strings.Cut(input, ".")
	strict := encoding().Strict() // one token has one spelling
	payload, errPayload := strict.DecodeString(encoded)
	signature, errSignature := strict.DecodeString(token[end+1:])
	if !ok || errPayload != nil || errSignature != nil {
		return ErrToken
	}
	k, ok := r.find(ctx, header, typ)
	if !ok || !k.published(since) || !r.signed(k, token, input, signature) || json.Unmarshal(payload, claims) != nil {
		return ErrToken
	}
	return nil
}

// signed says whether the signature of a token is the key's, which its header names. A signature that was the key's before is
// so again: only that is remembered, and whether the key is worth something yet is asked each time.
func (r *Ring) signed(k key, token, input string, signature []byte) bool {
	whole, signed := sha256.Sum256([]byte(token)), r.current.Load().signed
	if _, ok := signed.Get(whole); ok {
		return true
	}
	if !k.verifies(sha256.Sum256([]byte(input)), signature) {
		return false
	}
	signed.Add(whole, struct{}{})
	return true
}

// find looks a key up by the header of its tokens, in the database if another replica may have made it a moment ago.
func (r *Ring) find(ctx context.Context, header, typ string) (key, bool) {
	if k, ok := r.current.Load().key(header, typ); ok {
		return k, true
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	r.loading.Lock()
	defer r.loading.Unlock()
	if r.now().Sub(r.lastReload) >= reloadEvery {
		if err := r.read(ctx); err != nil {
			r.log.ErrorContext(ctx, "signing keys could not be read", slog.Any("error", err))
		}
		r.lastReload = r.now() // after it: who waited for a database that is away does not wait for it again
	}
	return r.current.Load().key(header, typ)
}

func (s *snapshot) key(header, typ string) (key, bool) {
	for _, k := range s.keys {
		if k.headers[typ] == header {
			return k, true
		}
	}
	return key{}, false
}
