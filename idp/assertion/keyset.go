package assertion

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// Bounds of a key set.
const (
	MostRegistered = 32 << 10 // bytes of one that is handed in
	mostPublished  = 64 << 10 // bytes of one that is fetched
	mostKeys       = 10
	shortestRSA    = 2048 // bits
	longestID      = 200
)

// algorithms are those that an assertion may be signed with.
func algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.RS256, jose.RS512, jose.PS256, jose.ES256, jose.ES384, jose.EdDSA}
}

// Algorithms lists the algorithms that an assertion may be signed with, as the provider's metadata do.
func Algorithms() (names []string) {
	for _, a := range algorithms() {
		names = append(names, string(a))
	}
	return names
}

// ErrPrivate is that somebody handed in, or published, what has to stay secret.
var ErrPrivate = errors.New("there is a private or secret key in it, which nobody but the service may have: make a new pair, because this one has been shown, and give its public key alone")

// SetError is what is wrong with a key set as a whole, for people.
type SetError struct{ err error }

func (e *SetError) Error() string { return e.err.Error() }
func (e *SetError) Unwrap() error { return e.err }

// Key is a public key that a client signs assertions with.
type Key struct {
	ID         string // "" when it has none
	Algorithms []string

	public jose.JSONWebKey
}

// KeySet is the keys of a client that can be used. The zero value has none.
type KeySet struct{ Keys []Key }

// Fault is why a key of a set cannot be used.
type Fault struct { //nolint:errname // whoever gave the key made it
	ID     string // "" when it has none
	Number int    // in the set, from 1
	Why    string
}

func (f Fault) Error() string {
	if f.ID == "" {
		return fmt.Sprintf("key %d %s", f.Number, f.Why)
	}
	return fmt.Sprintf("key %q %s", f.ID, f.Why)
}

// ParseKeySet reads a key set (RFC 7517, Section 5) of at most so many bytes. The faults are those of keys that are in it and
// cannot be used: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type) values that are not understood by
// them, that are missing required members, or for which values are out of the supported ranges." The error is a [SetError]. None
// quotes what was handed in, but for the ids of keys.
func ParseKeySet(text []byte, most int) (KeySet, []Fault, error) {
	set, faults, err := parseKeySet(text, most)
	if err != nil {
		return KeySet{}, nil, &SetError{err}
	}
	return set, faults, nil
}

func parseKeySet(text []byte, most int) (read KeySet, faults []Fault, err error) {
	if len(text) > most {
		return read, nil, fmt.Errorf("the key set is longer than %d KiB", most>>10)
	}
	if bytes.Contains(text, []byte("PRIVATE KEY-----")) { // PEM
		return read, nil, ErrPrivate
	}
	var set map[string]json.RawMessage
	if err := json.Unmarshal(text, &set); err != nil {
		return read, nil, errNoSet
	}
	if private(set) {
		return read, nil, ErrPrivate
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(set["keys"], &raw); err != nil || raw == nil {
		return read, nil, errNoSet
	}
	if len(raw) > mostKeys {
		return read, nil, fmt.Errorf("there are more than %d keys in the set", mostKeys)
	}
	ids := map[string]bool{}
	for i, text := range raw {
		key, err := parseKey(text, len(raw) == 1)
		switch {
		case errors.Is(err, ErrPrivate):
			return read, nil, err
		case ids[key.ID]: // RFC 7517, Section 4.5: "different keys within the JWK Set SHOULD use distinct "kid" values"
			return read, nil, fmt.Errorf("two keys of the set have the id %q", key.ID)
		case err != nil:
			faults = append(faults, Fault{key.ID, i + 1, err.Error()})
		default:
			read.Keys = append(read.Keys, key)
		}
		ids[key.ID] = key.ID != ""
	}
	return read, faults, nil
}

var errNoSet = errors.New(`it is not a JSON Web Key Set, which looks like {"keys": [...]}`)

// private says whether an object has a member that only a private or symmetric key has: RFC 7518, Sections 6.2.2, 6.3.2, 6.4.
func private(members map[string]json.RawMessage) bool {
	return slices.ContainsFunc([]string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}, func(name string) bool {
		_, there := members[name]
		return there
	})
}

// parseKey reads a key. With the error of one that cannot be used comes its id, if it can be told.
func parseKey(text []byte, alone bool) (Key, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return Key{}, errors.New("is not a JSON object")
	}
	if private(all) {
		return Key{}, ErrPrivate
	}
	var m struct {
		ID         string   `json:"kid"`
		Operations []string `json:"key_ops"`
	}
	if err := json.Unmarshal(text, &m); err != nil || len(m.ID) > longestID || strings.ContainsFunc(m.ID, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return Key{}, fmt.Errorf("has a kid that is not up to %d printable characters, or members of another type than RFC 7517 gives them", longestID)
	}
	k := Key{ID: m.ID}
	switch err := json.Unmarshal(text, &k.public); {
	case err != nil || !k.public.Valid():
		return k, errors.New("is of a type that is not known here, or is not whole")
	case k.ID == "" && !alone:
		return k, errors.New("has no kid, which each of several keys needs")
	case k.public.Use != "" && k.public.Use != "sig":
		return k, errors.New("is not for signatures: its use is not sig")
	case m.Operations != nil && !slices.Contains(m.Operations, "verify"):
		return k, errors.New("is not for signatures: its key_ops have no verify")
	}
	k.public = jose.JSONWebKey{Key: k.public.Key, KeyID: k.ID, Use: k.public.Use, Algorithm: k.public.Algorithm} // and no certificates
	fits, err := algorithmsOf(k.public.Key)
	if err != nil {
		return k, err
	}
	for _, a := range fits {
		if k.public.Algorithm == "" || k.public.Algorithm == string(a) {
			k.Algorithms = append(k.Algorithms, string(a))
		}
	}
	if len(k.Algorithms) == 0 {
		return k, fmt.Errorf("has an alg that does not fit it, or that is not one of %s", strings.Join(Algorithms(), ", "))
	}
	return k, nil
}

// algorithmsOf lists the algorithms that a key can be for.
func algorithmsOf(key any) ([]jose.SignatureAlgorithm, error) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if key.N.BitLen() < shortestRSA || key.E < 3 || key.E%2 == 0 {
			return nil, fmt.Errorf("is too weak: RSA keys are of %d bits at least, with an odd exponent", shortestRSA)
		}
		return []jose.SignatureAlgorithm{jose.RS256, jose.RS512, jose.PS256}, nil
	case *ecdsa.PublicKey:
		switch key.Curve {
		case elliptic.P256():
			return []jose.SignatureAlgorithm{jose.ES256}, nil
		case elliptic.P384():
			return []jose.SignatureAlgorithm{jose.ES384}, nil
		}
	case ed25519.PublicKey:
		return []jose.SignatureAlgorithm{jose.EdDSA}, nil
	}
	return nil, errors.New("is of a curve or type that is not taken here: use RSA, P-256, P-384 or Ed25519")
}

// JSON writes the set, with nothing but what is needed to verify: RFC 7517, Section 5.
func (s KeySet) JSON() ([]byte, error) {
	set := jose.JSONWebKeySet{Keys: make([]jose.JSONWebKey, 0, len(s.Keys))}
	for _, k := range s.Keys {
		set.Keys = append(set.Keys, k.public)
	}
	text, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("encode key set: %w", err)
	}
	return text, nil
}

// String says which keys there are, for people.
func (s KeySet) String() string {
	list := make([]string, 0, len(s.Keys))
	for _, k := range s.Keys {
		list = append(list, k.String())
	}
	return strings.Join(list, ", ")
}

// String says which key it is and what for, for people.
func (k Key) String() string {
	id := k.ID
	if id == "" {
		id = "a key without an id"
	}
	return id + " (" + strings.Join(k.Algorithms, ", ") + ")"
}
