package assertion

import (
	"crypto/sha256"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

// Type is the client_assertion_type of a client assertion: RFC 7523, Section 2.2.
const Type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// Bounds of an assertion.
const (
	mostBytes   = 8 << 10
	longestLife = 5 * time.Minute
	skew        = 10 * time.Second // by which the clock of a client may differ
)

// Refusal is why an assertion does not prove anything: for the log, never for whoever sent it.
type Refusal string

// The refusals.
const (
	Malformed    Refusal = "assertion_malformed" // no JWT in the compact serialization, of an algorithm that is taken
	WrongType    Refusal = "assertion_of_another_type"
	WrongSubject Refusal = "assertion_iss_or_sub"
	WrongTarget  Refusal = "assertion_aud"
	Expired      Refusal = "assertion_exp" // there is none, or it has passed
	TooLong      Refusal = "assertion_exp_too_far"
	TooEarly     Refusal = "assertion_iat_or_nbf"
	NoID         Refusal = "assertion_jti"
	UnknownKey   Refusal = "assertion_key_unknown"
	WrongKey     Refusal = "assertion_signature"
	Replayed     Refusal = "assertion_replayed"
)

// RefusedError is that an assertion does not prove anything.
type RefusedError struct{ Why Refusal }

func (e *RefusedError) Error() string { return string(e.Why) }

// Presented is a client assertion, of which nothing is proved before its [Key] says so.
type Presented struct {
	ClientID string // who it says it is by

	keyID, algorithm string
	signed           *jose.JSONWebSignature
	claims           claims
}

// claims are those of RFC 7523, Section 3.
type claims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  audience `json:"aud"`
	ExpiresAt *date    `json:"exp"`
	NotBefore *date    `json:"nbf"`
	IssuedAt  *date    `json:"iat"`
	ID        string   `json:"jti"`
}

// audience is one name or several: RFC 7519, Section 4.1.3.
type audience []string

// UnmarshalJSON implements json.Unmarshaler.
func (a *audience) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(a))
}

// date is a NumericDate, which need not be whole: RFC 7519, Section 2.
type date float64

func (d date) time() (time.Time, bool) {
	const most = 1 << 40 // seconds: what is beyond is no date of anybody
	if math.IsNaN(float64(d)) || d < 0 || d > most {
		return time.Time{}, false
	}
	return time.Unix(int64(d), 0), true
}

// Parse reads a client assertion and verifies nothing. RFC 7515, Section 3.1: it is in the compact serialization.
func Parse(text string) (Presented, error) {
	if len(text) > mostBytes || strings.ContainsAny(text, "\r\n") { // the decoder would pass line ends by
		return Presented{}, &RefusedError{Malformed}
	}
	signed, err := jose.ParseSignedCompact(text, algorithms())
	if err != nil || len(signed.Signatures) != 1 {
		return Presented{}, &RefusedError{Malformed}
	}
	header := signed.Signatures[0].Protected
	// RFC 7515, Section 4.1.11: "If any of the listed extension Header Parameters are not understood and supported by the recipient,
	// then the JWS is invalid." None is.
	if _, critical := header.ExtraHeaders["crit"]; critical {
		return Presented{}, &RefusedError{Malformed}
	}
	// RFC 8725, Section 3.12: what is signed for one purpose is not to be taken for another. RFC 7523 gives no type, and its
	// successor client-authentication+jwt; RFC 7515, Section 4.1.9 compares without regard to case.
	if given, there := header.ExtraHeaders[jose.HeaderType]; there {
		name, _ := given.(string)
		if name = strings.ToLower(name); name != "jwt" && name != "client-authentication+jwt" {
			return Presented{}, &RefusedError{WrongType}
		}
	}
	p := Presented{keyID: header.KeyID, algorithm: header.Algorithm, signed: signed}
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &p.claims); err != nil {
		return Presented{}, &RefusedError{Malformed}
	}
	p.ClientID = p.claims.Subject
	return p, nil
}

// Check checks what an assertion says: RFC 7523, Section 3. The audiences are the names of this provider. An assertion that names
// another beside them is refused: that one could use it here.
func (p Presented) Check(audiences []string, now time.Time) error {
	c := p.claims
	if c.Issuer == "" || c.Issuer != c.Subject {
		return &RefusedError{WrongSubject}
	}
	if len(c.Audience) == 0 || slices.ContainsFunc(c.Audience, func(name string) bool { return !slices.Contains(audiences, name) }) {
		return &RefusedError{WrongTarget}
	}
	if c.ID == "" || len(c.ID) > longestID {
		return &RefusedError{NoID}
	}
	if c.ExpiresAt == nil {
		return &RefusedError{Expired}
	}
	expires, ok := c.ExpiresAt.time()
	switch {
	case !ok || !now.Before(expires.Add(skew)):
		return &RefusedError{Expired}
	case expires.After(now.Add(longestLife + skew)):
		return &RefusedError{TooLong}
	}
	for _, since := range []*date{c.NotBefore, c.IssuedAt} {
		if since == nil {
			continue
		}
		if at, ok := since.time(); !ok || at.After(now.Add(skew)) {
			return &RefusedError{TooEarly}
		}
	}
	return nil
}

// Find finds the key of a set that an assertion says it is signed with: by its id or, if neither has one, the only one there is.
func (s KeySet) Find(p Presented) (Key, bool) {
	for _, k := range s.Keys {
		if (k.ID == p.keyID || p.keyID == "" && len(s.Keys) == 1) && slices.Contains(k.Algorithms, p.algorithm) {
			return k, true
		}
	}
	return Key{}, false
}

// SignedBy says whether an assertion is signed with a key.
func (p Presented) SignedBy(k Key) error {
	if _, err := p.signed.Verify(k.public.Key); err != nil {
		return &RefusedError{WrongKey}
	}
	return nil
}

// Once is by what an assertion that was checked is known again: the SHA-256 of its jti, among those of its client, and until when.
func (p Presented) Once() (hash []byte, until time.Time) {
	sum := sha256.Sum256([]byte(p.claims.ID))
	until, _ = p.claims.ExpiresAt.time()
	return sum[:], until.Add(skew)
}
