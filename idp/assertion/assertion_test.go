package assertion

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/outbound"
)

var now = time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC)

const issuer = "https://id.example.org"

// pairs are private keys, one of each kind that is taken and some that are not.
type pairs struct {
	rsa, weak   *rsa.PrivateKey
	p256, p384  *ecdsa.PrivateKey
	p521, other *ecdsa.PrivateKey
	ed          ed25519.PrivateKey
}

func newPairs(tb testing.TB) (p pairs) {
	tb.Helper()
	var errs [7]error
	p.rsa, errs[0] = rsa.GenerateKey(rand.Reader, 2048)
	p.weak, errs[1] = rsa.GenerateKey(rand.Reader, 1024)
	p.p256, errs[2] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p.p384, errs[3] = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	p.p521, errs[4] = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	p.other, errs[5] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, p.ed, errs[6] = ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(errs[:]...); err != nil {
		tb.Fatal(err)
	}
	return p
}

// jwk writes a key as JSON, with members changed; nil takes one away.
func jwk(tb testing.TB, key any, id string, changes map[string]any) map[string]any {
	tb.Helper()
	text, err := json.Marshal(jose.JSONWebKey{Key: key, KeyID: id})
	if err != nil {
		tb.Fatal(err)
	}
	members := map[string]any{}
	if err := json.Unmarshal(text, &members); err != nil {
		tb.Fatal(err)
	}
	maps.Copy(members, changes)
	maps.DeleteFunc(members, func(_ string, v any) bool { return v == nil })
	return members
}

func setOf(tb testing.TB, keys ...any) []byte {
	tb.Helper()
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func parsed(tb testing.TB, keys ...any) KeySet {
	tb.Helper()
	set, faults, err := ParseKeySet(setOf(tb, keys...), MostRegistered)
	if err != nil || len(faults) > 0 {
		tb.Fatalf("ParseKeySet() = %v, %v, want all of it", faults, err)
	}
	return set
}

func TestParseKeySet(t *testing.T) {
	t.Parallel()
	p := newPairs(t)
	set, faults, err := ParseKeySet(setOf(t,
		jwk(t, p.rsa.Public(), "a", map[string]any{"use": "sig", "x-note": "ours"}), jwk(t, p.rsa.Public(), "b", map[string]any{"alg": "PS256"}),
		jwk(t, p.p256.Public(), "c", map[string]any{"key_ops": []string{"verify"}}), jwk(t, p.p384.Public(), "d", nil), jwk(t, p.ed.Public(), "e", nil),
	), MostRegistered)
	if err != nil || len(faults) > 0 {
		t.Fatalf("ParseKeySet() = %v, %v, want all of it", faults, err)
	}
	if got, want := set.String(), "a (RS256, RS512, PS256), b (PS256), c (ES256), d (ES384), e (EdDSA)"; got != want {
		t.Errorf("ParseKeySet() = %s, want %s", got, want)
	}
	text, err := set.JSON()
	if err != nil || bytes.Contains(text, []byte("x-note")) {
		t.Errorf("JSON() = %s, %v, want what is needed and nothing more", text, err)
	}
	again, _, err := ParseKeySet(text, MostRegistered)
	if err != nil || again.String() != set.String() {
		t.Errorf("ParseKeySet(JSON()) = %s, %v, want %s", again, err, set)
	}
	if set, faults, err := ParseKeySet([]byte(`{"keys":[]}`), MostRegistered); len(set.Keys)+len(faults) > 0 || err != nil {
		t.Errorf("ParseKeySet(of none) = %v, %v, %v, want none", set, faults, err)
	}
	if set := parsed(t, jwk(t, p.rsa.Public(), "", nil)); !strings.Contains(set.String(), "without an id") {
		t.Errorf("ParseKeySet(one without kid) = %s, want it: there is no other", set)
	}
}

// RFC 7517, Section 5: "Implementations SHOULD ignore JWKs within a JWK Set that use "kty" (key type) values that are not understood
// by them, that are missing required members, or for which values are out of the supported ranges." What is beside them works.
func TestParseKeySetFaults(t *testing.T) {
	t.Parallel()
	p := newPairs(t)
	public := func(changes map[string]any) map[string]any { return jwk(t, p.rsa.Public(), "k", changes) }
	for name, tt := range map[string]struct {
		key any
		why string
	}{
		"of an unknown type":          {map[string]any{"kty": "LATTICE", "kid": "k"}, "type that is not known"},
		"without a type":              {public(map[string]any{"kty": nil}), "not whole"},
		"without its modulus":         {public(map[string]any{"n": nil}), "not whole"},
		"a point not on its curve":    {jwk(t, p.p256.Public(), "k", map[string]any{"x": base64.RawURLEncoding.EncodeToString(make([]byte, 32))}), "not whole"},
		"of 1024 bits":                {jwk(t, p.weak.Public(), "k", nil), "2048 bits at least"},
		"of an exponent of 1":         {public(map[string]any{"e": "AQ"}), "not whole"},
		"of an even exponent":         {public(map[string]any{"e": "AQAC"}), "too weak"},
		"of P-521":                    {jwk(t, p.p521.Public(), "k", nil), "P-256, P-384 or Ed25519"},
		"for encryption":              {public(map[string]any{"use": "enc"}), "not for signatures"},
		"for signing, in its key_ops": {public(map[string]any{"key_ops": []string{"encrypt"}}), "not for signatures"},
		"of another's alg":            {public(map[string]any{"alg": "ES256"}), "alg that does not fit"},
		"of a symmetric alg":          {public(map[string]any{"alg": "HS256"}), "alg that does not fit"},
		"of no alg":                   {public(map[string]any{"alg": "none"}), "alg that does not fit"},
		"of an alg that is not taken": {public(map[string]any{"alg": "RS384"}), "alg that does not fit"},
		"without a kid":               {public(map[string]any{"kid": nil}), "has no kid"},
		"with a kid that is a number": {public(map[string]any{"kid": 7}), "another type"},
		"with a very long kid":        {public(map[string]any{"kid": strings.Repeat("k", longestID+1)}), "printable characters"},
		"with a kid of two lines":     {public(map[string]any{"kid": "a\nb"}), "printable characters"},
		"that is a text":              {"k", "not a JSON object"},
	} {
		set, faults, err := ParseKeySet(setOf(t, tt.key, jwk(t, p.ed.Public(), "good", nil)), MostRegistered)
		if err != nil || set.String() != "good (EdDSA)" || len(faults) != 1 || !strings.Contains(faults[0].Error(), tt.why) || faults[0].Number != 1 {
			t.Errorf("ParseKeySet(with a key %s) = %s, %v, %v, want the other, and %q of the first", name, set, faults, err, tt.why)
		}
	}
}

// No private key is taken, wherever it stands, and no error says anything of it.
func TestParseKeySetRefuses(t *testing.T) {
	t.Parallel()
	p := newPairs(t)
	var many []any
	for i := range mostKeys + 1 {
		many = append(many, jwk(t, p.ed.Public(), fmt.Sprint(i), nil))
	}
	good := jwk(t, p.ed.Public(), "good", nil)
	private, err := json.Marshal(jwk(t, p.p256, "k", nil))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		text []byte
		want string
	}{
		"a private RSA key":         {setOf(t, good, jwk(t, p.rsa, "k", nil)), ErrPrivate.Error()},
		"a private EC key":          {setOf(t, jwk(t, p.p256, "k", nil)), ErrPrivate.Error()},
		"a private Ed25519 key":     {setOf(t, jwk(t, p.ed, "k", nil)), ErrPrivate.Error()},
		"a key with one factor":     {setOf(t, jwk(t, p.rsa.Public(), "k", map[string]any{"p": "AQAB"})), ErrPrivate.Error()},
		"a private key of no type":  {setOf(t, map[string]any{"kty": "LATTICE", "priv": "AQAB"}), ErrPrivate.Error()},
		"an empty private member":   {setOf(t, jwk(t, p.rsa.Public(), "k", map[string]any{"d": ""})), ErrPrivate.Error()},
		"a secret":                  {setOf(t, map[string]any{"kty": "oct", "k": "AQAB"}), ErrPrivate.Error()},
		"a private key in no set":   {private, ErrPrivate.Error()},
		"PEM":                       {[]byte("-----BEGIN PRIVATE KEY-----\nAQAB"), ErrPrivate.Error()},
		"PEM of RSA":                {[]byte("-----BEGIN RSA PRIVATE KEY-----\nAQAB"), ErrPrivate.Error()},
		"two keys with one id":      {setOf(t, good, jwk(t, p.rsa.Public(), "good", nil)), `two keys of the set have the id "good"`},
		"eleven keys":               {setOf(t, many...), "more than 10 keys"},
		"more than there may be":    {setOf(t, good, strings.Repeat("x", MostRegistered)), "longer than 32 KiB"},
		"a key in no set":           {[]byte(`{"kty":"RSA"}`), "not a JSON Web Key Set"},
		"an array":                  {[]byte(`[]`), "not a JSON Web Key Set"},
		"keys that are none":        {[]byte(`{"keys":null}`), "not a JSON Web Key Set"},
		"keys that are there twice": {[]byte(`{"keys":[],"keys":[]}`), "not a JSON Web Key Set"},
		"nothing":                   {nil, "not a JSON Web Key Set"},
		"two sets":                  {[]byte(`{"keys":[]}{"keys":[]}`), "not a JSON Web Key Set"},
	} {
		set, _, err := ParseKeySet(tt.text, MostRegistered)
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(set.Keys) > 0 {
			t.Errorf("ParseKeySet(%s) = %v, %v, want %q", name, set, err, tt.want)
		}
	}
	if _, _, err := ParseKeySet(setOf(t, many[:mostKeys]...), MostRegistered); err != nil {
		t.Errorf("ParseKeySet(ten keys) = %v, want none", err)
	}
}

// signed is an assertion; header and claims are changed, and nil takes one away.
func signed(tb testing.TB, alg jose.SignatureAlgorithm, key any, header, changes map[string]any) string {
	tb.Helper()
	options := &jose.SignerOptions{}
	for name, value := range header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		tb.Fatal(err)
	}
	claims := map[string]any{"iss": "ward", "sub": "ward", "aud": issuer, "exp": now.Add(time.Minute).Unix(), "iat": now.Unix(), "jti": "one"}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	text, err := json.Marshal(claims)
	if err != nil {
		tb.Fatal(err)
	}
	jws, err := signer.Sign(text)
	if err != nil {
		tb.Fatal(err)
	}
	compact, err := jws.CompactSerialize()
	if err != nil {
		tb.Fatal(err)
	}
	return compact
}

// verify does what the token endpoint does.
func verify(text string, set KeySet) error {
	p, err := Parse(text)
	if err != nil {
		return err
	}
	if err := p.Check([]string{issuer, issuer + "/token"}, now); err != nil {
		return err
	}
	key, found := set.Find(p)
	if !found {
		return &RefusedError{UnknownKey}
	}
	return p.SignedBy(key)
}

// why is why an assertion was refused; "" when it was not.
func why(err error) Refusal {
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return refused.Why
	}
	return ""
}

func TestVerify(t *testing.T) {
	t.Parallel()
	p := newPairs(t)
	set := parsed(t, jwk(t, p.rsa.Public(), "rsa", nil), jwk(t, p.p256.Public(), "p256", nil), jwk(t, p.p384.Public(), "p384", nil), jwk(t, p.ed.Public(), "ed", nil))
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	kid := func(id string) map[string]any { return map[string]any{"kid": id} }
	type claims = map[string]any
	for name, text := range map[string]string{
		"RS256": signed(t, jose.RS256, p.rsa, kid("rsa"), nil), "RS512": signed(t, jose.RS512, p.rsa, kid("rsa"), nil), "PS256": signed(t, jose.PS256, p.rsa, kid("rsa"), nil),
		"ES256": signed(t, jose.ES256, p.p256, kid("p256"), nil), "ES384": signed(t, jose.ES384, p.p384, kid("p384"), nil), "EdDSA": signed(t, jose.EdDSA, p.ed, kid("ed"), nil),
		"the token endpoint":   signed(t, jose.ES256, p.p256, kid("p256"), claims{"aud": issuer + "/token"}),
		"a list of both":       signed(t, jose.ES256, p.p256, kid("p256"), claims{"aud": []string{issuer, issuer + "/token"}}),
		"for five minutes":     signed(t, jose.ES256, p.p256, kid("p256"), claims{"exp": at(5 * time.Minute)}),
		"by a clock behind":    signed(t, jose.ES256, p.p256, kid("p256"), claims{"exp": at(-skew + time.Second)}),
		"by a clock ahead":     signed(t, jose.ES256, p.p256, kid("p256"), claims{"iat": at(skew), "nbf": at(skew)}),
		"without iat":          signed(t, jose.ES256, p.p256, kid("p256"), claims{"iat": nil}),
		"a time in parts":      signed(t, jose.ES256, p.p256, kid("p256"), claims{"exp": float64(at(time.Minute)) + 0.5}),
		"of type JWT":          signed(t, jose.ES256, p.p256, claims{"kid": "p256", "typ": "JWT"}, nil),
		"of its own type":      signed(t, jose.ES256, p.p256, claims{"kid": "p256", "typ": "client-authentication+jwt"}, nil),
		"with claims of other": signed(t, jose.ES256, p.p256, kid("p256"), claims{"scope": "openid"}),
	} {
		if err := verify(text, set); err != nil {
			t.Errorf("verify(%s) = %v, want none", name, err)
		}
	}
	alone := parsed(t, jwk(t, p.p256.Public(), "", nil))
	if err := verify(signed(t, jose.ES256, p.p256, nil, nil), alone); err != nil {
		t.Errorf("verify(without kid, of the only key) = %v, want none", err)
	}
	named := parsed(t, jwk(t, p.p256.Public(), "p256", nil))
	if err := verify(signed(t, jose.ES256, p.p256, nil, nil), named); err != nil {
		t.Errorf("verify(without kid, of the only key, which has one) = %v, want none", err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	p := newPairs(t)
	set := parsed(t, jwk(t, p.rsa.Public(), "rsa", nil), jwk(t, p.p256.Public(), "p256", nil), jwk(t, p.rsa.Public(), "only256", map[string]any{"alg": "RS256"}))
	n, err := json.Marshal(jwk(t, p.rsa.Public(), "rsa", nil))
	if err != nil {
		t.Fatal(err)
	}
	at := func(d time.Duration) int64 { return now.Add(d).Unix() }
	kid := map[string]any{"kid": "p256"}
	with := func(claims map[string]any) string { return signed(t, jose.ES256, p.p256, kid, claims) }
	good := with(nil)
	parts := strings.Split(good, ".")
	for name, tt := range map[string]struct {
		text string
		want Refusal
	}{
		// RFC 7523, Section 3: "1. The JWT MUST contain an "iss" (issuer) claim". OpenID Connect Core 1.0, Section 9: "iss REQUIRED.
		// Issuer. This MUST contain the client_id of the OAuth Client. sub REQUIRED. Subject. This MUST contain the client_id".
		"no issuer":      {with(map[string]any{"iss": nil}), WrongSubject},
		"another issuer": {with(map[string]any{"iss": "other"}), WrongSubject},
		"no subject":     {with(map[string]any{"sub": nil}), WrongSubject},
		"neither":        {with(map[string]any{"iss": nil, "sub": nil}), WrongSubject},
		// "3. The JWT MUST contain an "aud" (audience) claim containing a value that identifies the authorization server".
		"no audience":                 {with(map[string]any{"aud": nil}), WrongTarget},
		"another audience":            {with(map[string]any{"aud": "https://other.example.org"}), WrongTarget},
		"the issuer, nearly":          {with(map[string]any{"aud": issuer + "/"}), WrongTarget},
		"another endpoint":            {with(map[string]any{"aud": issuer + "/authorize"}), WrongTarget},
		"us and another":              {with(map[string]any{"aud": []string{issuer, "https://other.example.org"}}), WrongTarget},
		"nobody":                      {with(map[string]any{"aud": []string{}}), WrongTarget},
		"an audience that is no text": {with(map[string]any{"aud": 7}), Malformed},
		// "4. The JWT MUST contain an "exp" (expiration time) claim [...] The authorization server MUST reject any JWT with an
		// expiration time that has passed, subject to allowable clock skew [...] may reject JWTs with an "exp" claim value that is
		// unreasonably far in the future."
		"no end":           {with(map[string]any{"exp": nil}), Expired},
		"an end that was":  {with(map[string]any{"exp": at(-skew)}), Expired},
		"far ahead":        {with(map[string]any{"exp": at(longestLife + skew + time.Second)}), TooLong},
		"in milliseconds":  {with(map[string]any{"exp": now.Add(time.Minute).UnixMilli()}), Expired},
		"at no time":       {with(map[string]any{"exp": 1e300}), Expired},
		"before all time":  {with(map[string]any{"exp": -1}), Expired},
		"an end in a text": {with(map[string]any{"exp": fmt.Sprint(at(time.Minute))}), Malformed},
		// "5. The JWT MAY contain an "nbf" (not before) claim that identifies the time before which the token MUST NOT be accepted".
		"not yet":              {with(map[string]any{"nbf": at(skew + time.Second)}), TooEarly},
		"issued later":         {with(map[string]any{"iat": at(time.Minute)}), TooEarly},
		"issued at no time":    {with(map[string]any{"iat": 1e300}), TooEarly},
		"no jti":               {with(map[string]any{"jti": nil}), NoID},
		"an empty jti":         {with(map[string]any{"jti": ""}), NoID},
		"a jti that goes on":   {with(map[string]any{"jti": strings.Repeat("j", longestID+1)}), NoID},
		"a jti that is a list": {with(map[string]any{"jti": []string{"j"}}), Malformed},
		// "9. The JWT MUST be digitally signed or have a Message Authentication Code (MAC) applied by the issuer. The authorization
		// server MUST reject JWTs with an invalid signature or MAC."
		"by another key":             {signed(t, jose.ES256, p.other, kid, nil), WrongKey},
		"with another's kid":         {signed(t, jose.ES256, p.p256, map[string]any{"kid": "rsa"}, nil), UnknownKey},
		"with an unknown kid":        {signed(t, jose.ES256, p.p256, map[string]any{"kid": "new"}, nil), UnknownKey},
		"without kid of several":     {signed(t, jose.ES256, p.p256, nil, nil), UnknownKey},
		"by an alg that is not its":  {signed(t, jose.RS512, p.rsa, map[string]any{"kid": "only256"}, nil), UnknownKey},
		"by an alg that is none":     {signed(t, jose.RS384, p.rsa, map[string]any{"kid": "rsa"}, nil), Malformed},
		"a MAC with the public key":  {signed(t, jose.HS256, n, map[string]any{"kid": "rsa"}, nil), Malformed},
		"with its own key in it":     {signed(t, jose.ES256, p.other, map[string]any{"kid": "p256", "jwk": jose.JSONWebKey{Key: p.other.Public()}}, nil), WrongKey},
		"not signed":                 {base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".", Malformed},
		"with the signature cut off": {parts[0] + "." + parts[1] + ".", WrongKey},
		"with other claims":          {parts[0] + "." + strings.Split(with(map[string]any{"jti": "two"}), ".")[1] + "." + parts[2], WrongKey},
		"of an access token's type":  {signed(t, jose.ES256, p.p256, map[string]any{"kid": "p256", "typ": "at+jwt"}, nil), WrongType},
		"of a type that is none":     {signed(t, jose.ES256, p.p256, map[string]any{"kid": "p256", "typ": 7}, nil), WrongType},
		"with a critical header":     {signed(t, jose.ES256, p.p256, map[string]any{"kid": "p256", "crit": []string{"b64"}, "b64": false}, nil), Malformed},
		"in JSON":                    {`{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`, Malformed},
		"with a line end":            {good + "\n", Malformed},
		"with a fourth part":         {good + ".x", Malformed},
		"of 9 KiB":                   {with(map[string]any{"note": strings.Repeat("x", 9<<10)}), Malformed},
		"of nothing":                 {"", Malformed},
	} {
		if err := verify(tt.text, set); why(err) != tt.want {
			t.Errorf("verify(%s) = %v, want %v", name, err, tt.want)
		}
	}
	if err := verify(good, set); err != nil {
		t.Errorf("verify(the same without a fault) = %v, want none", err)
	}
	if err := verify(good, KeySet{}); why(err) != UnknownKey {
		t.Errorf("verify(by no keys) = %v, want %v", err, UnknownKey)
	}
}

// A claim that is there twice is none: of two readers each might see another.
func TestParseRefusesWhatIsThereTwice(t *testing.T) {
	t.Parallel()
	p := newPairs(t)
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: p.p256}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]Refusal{`{"sub":"ward","sub":"other"}`: Malformed, `{"sub":"ward","SUB":"other"}`: "", `[]`: Malformed, `x`: Malformed} {
		jws, err := signer.Sign([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		compact, err := jws.CompactSerialize()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Parse(compact); why(err) != want || err == nil && got.ClientID != "ward" {
			t.Errorf("Parse(%s) = %q, %v, want %v", text, got.ClientID, err, want)
		}
	}
}

func TestOnce(t *testing.T) {
	t.Parallel()
	p := newPairs(t)
	hash := func(jti string) string {
		a, err := Parse(signed(t, jose.ES256, p.p256, nil, map[string]any{"jti": jti}))
		if err != nil {
			t.Fatal(err)
		}
		hash, until := a.Once()
		if want := now.Add(time.Minute + skew); !until.Equal(want) || len(hash) != 32 {
			t.Errorf("Once() = %x, %v, want a SHA-256 until %v", hash, until, want)
		}
		return string(hash)
	}
	if one, again := hash("one"), hash("one"); one != again || one == hash("two") {
		t.Error("Once() does not tell assertions apart by their jti")
	}
}

// place is where a client publishes its keys.
type place struct {
	*httptest.Server

	asked atomic.Int32
	mu    sync.Mutex
	text  []byte // nil: it fails
}

func newPlace(t *testing.T, text []byte) *place {
	t.Helper()
	p := &place{text: text}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		p.asked.Add(1)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.text == nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write(p.text)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *place) now(text []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text = text
}

// clock is one that a test moves.
type clock struct{ atomic.Int64 }

func (c *clock) now() time.Time          { return now.Add(time.Duration(c.Load())) }
func (c *clock) advance(d time.Duration) { c.Add(int64(d)) }

func TestPublished(t *testing.T) {
	t.Parallel()
	p := newPairs(t)
	first, second := jwk(t, p.p256.Public(), "first", nil), jwk(t, p.other.Public(), "second", nil)
	at, c := newPlace(t, setOf(t, first)), new(clock)
	published, err := NewPublished(outbound.Guard{Loopback: true}, c.now, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	finds := func(kid string) bool {
		a, err := Parse(signed(t, jose.ES256, p.p256, map[string]any{"kid": kid}, nil))
		if err != nil {
			t.Fatal(err)
		}
		key, found := published.Find(t.Context(), at.URL, a)
		if found && key.ID != kid {
			t.Errorf("Find(%s) = key %s", kid, key.ID)
		}
		return found
	}
	want := func(what, kid string, found bool, asked int32) {
		t.Helper()
		if got := finds(kid); got != found || at.asked.Load() != asked {
			t.Errorf("%s: Find(%s) = %t after %d requests, want %t after %d", what, kid, got, at.asked.Load(), found, asked)
		}
	}
	want("the set is fetched", "first", true, 1)
	want("and used", "first", true, 1)
	want("whoever makes up a kid makes nobody ask again", "made up", false, 1)
	at.now(setOf(t, first, second))
	want("nor does a new one, at once", "second", false, 1)
	c.advance(Between - time.Second)
	want("nor in the same minute", "second", false, 1)
	c.advance(time.Second)
	want("after a minute a new kid is looked for", "second", true, 2)
	want("beside which the old one works", "first", true, 2)
	want("and made up ones wait again", "made up", false, 2)
	at.now(setOf(t, second))
	c.advance(Fresh - time.Second)
	want("a key that was taken out works for five minutes", "first", true, 2)
	c.advance(time.Second)
	want("and no longer", "first", false, 3)
	want("the other goes on", "second", true, 3)

	at.now(nil)
	c.advance(Fresh)
	want("while the address fails, the last set is used", "second", true, 4)
	want("and the address left alone", "second", true, 4)
	c.advance(Kept - Fresh - time.Second)
	want("for an hour", "second", true, 5)
	c.advance(time.Second)
	want("and no longer", "second", false, 5)
	c.advance(Between)
	want("it is asked each minute then", "second", false, 6)
	at.now(setOf(t, second))
	want("and not before", "second", false, 6)
	c.advance(Between)
	want("until it answers", "second", true, 7)
	at.now(setOf(t, jwk(t, p.other, "second", nil)))
	c.advance(Fresh)
	want("a set with a private key in it ends at once", "second", false, 8)
	at.now(setOf(t))
	c.advance(Between)
	want("an empty set has nothing", "second", false, 9)
}

// Of any number of requests at once one fetches, and the others have what it found.
func TestPublishedIsFetchedOnce(t *testing.T) {
	t.Parallel()
	p := newPairs(t)
	at := newPlace(t, setOf(t, jwk(t, p.p256.Public(), "k", nil)))
	published, err := NewPublished(outbound.Guard{Loopback: true}, func() time.Time { return now }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	a, err := Parse(signed(t, jose.ES256, p.p256, map[string]any{"kid": "k"}, nil))
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	found := make([]bool, 32)
	var running sync.WaitGroup
	for i := range found {
		running.Go(func() { _, found[i] = published.Find(gone, at.URL, a) })
	}
	running.Wait()
	if slices.Contains(found, false) || at.asked.Load() != 1 {
		t.Errorf("Find() 32 times at once = %v with %d requests, want it found by all with one", found, at.asked.Load())
	}
}

// Outside of dev nothing on this machine is asked, whatever is registered.
func TestPublishedIsGuarded(t *testing.T) {
	t.Parallel()
	p := newPairs(t)
	at := newPlace(t, setOf(t, jwk(t, p.p256.Public(), "k", nil)))
	for _, uri := range []string{at.URL, strings.Replace(at.URL, "http:", "https:", 1)} {
		if _, _, err := Fetch(t.Context(), outbound.Guard{}, uri); !errors.Is(err, outbound.ErrNotPublic) {
			t.Errorf("Fetch(%s) = %v, want %v", uri, err, outbound.ErrNotPublic)
		}
	}
	if set, _, err := Fetch(t.Context(), outbound.Guard{Loopback: true}, at.URL); err != nil || cmp.Diff("k (ES256)", set.String()) != "" {
		t.Errorf("Fetch(in dev) = %s, %v, want the key", set, err)
	}
}

// A key set that was read is public, whole and within its bounds, and reads the same again.
func FuzzParseKeySet(f *testing.F) {
	p := newPairs(f)
	f.Add(setOf(f, jwk(f, p.rsa.Public(), "a", nil), jwk(f, p.p256.Public(), "b", map[string]any{"use": "enc"})))
	f.Add(setOf(f, jwk(f, p.ed, "a", nil)))
	f.Add([]byte(`{"keys":[{"kty":"EC","crv":"P-256","x":"","y":""},{"kty":"oct"},{"kid":"a"},{"kid":"a"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, faults, err := ParseKeySet(text, MostRegistered)
		if err != nil {
			return
		}
		if len(set.Keys)+len(faults) > mostKeys {
			t.Errorf("ParseKeySet(%q) = %d keys", text, len(set.Keys)+len(faults))
		}
		for _, k := range set.Keys {
			if !k.public.IsPublic() || len(k.Algorithms) == 0 {
				t.Errorf("ParseKeySet(%q) has key %q, which is private or for nothing", text, k.ID)
			}
		}
		written, err := set.JSON()
		if err != nil {
			t.Fatal(err)
		}
		again, faults, err := ParseKeySet(written, 2*MostRegistered)
		if err != nil || again.String() != set.String() && len(set.Keys) > 1 || len(faults) > 0 && len(set.Keys) == 1 {
			t.Errorf("ParseKeySet(%s) = %s, %v, %v, want %s", written, again, faults, err, set)
		}
	})
}

// What is presented is never a failure of ours, and nothing is proved that was not signed.
func FuzzParse(f *testing.F) {
	p := newPairs(f)
	set := parsed(f, jwk(f, p.p256.Public(), "k", nil))
	good := signed(f, jose.ES256, p.p256, map[string]any{"kid": "k"}, nil)
	f.Add(good)
	f.Add(signed(f, jose.ES256, p.other, map[string]any{"kid": "k"}, map[string]any{"aud": []string{issuer}, "exp": 1e300}))
	f.Add("e30.e30.")
	f.Fuzz(func(t *testing.T, text string) {
		err := verify(text, set)
		if err != nil && why(err) == "" {
			t.Errorf("verify(%q) = %v, want a refusal", text, err)
		}
		if err == nil && text[:strings.LastIndexByte(text, '.')] != good[:strings.LastIndexByte(good, '.')] {
			t.Errorf("verify(%q) = nil: nobody signed it", text)
		}
	})
}
