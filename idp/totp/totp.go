// Package totp computes and verifies one-time codes that are made from a shared key and the time, as apps on phones do. It
// is pure: it reads no clock, and remembers nothing, so it is the caller who refuses a code that was taken before, by its
// time step.
//
// It implements
//   - RFC 6238, TOTP: Time-Based One-Time Password Algorithm, with what all apps know: SHA-1, 30 seconds, six digits
//   - RFC 4226, HOTP: An HMAC-Based One-Time Password Algorithm, which that rests on
//   - the otpauth URIs that apps read
package totp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6238, Section 1.2: HMAC does not need a hash without collisions, and many apps know no other
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

const (
	// KeySize is the length of a key in bytes: RFC 4226, Section 4, R6 recommends 160 bits.
	KeySize = 20
	// Digits is the length of a code.
	Digits = 6

	period  = 30 // seconds
	modulus = 1_000_000
	window  = 1 // steps to each side of now: RFC 6238, Section 5.2, for the delay of people and the drift of clocks
)

// NewKey draws a key.
func NewKey() []byte {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key)
	return key
}

// Text is a key as people type it into an app: base32 without padding.
func Text(key []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(key)
}

// URI is a key as apps take it over. The issuer and the account are what the app shows it under; the issuer has no colon.
func URI(key []byte, issuer, account string) string {
	// With %20 for a space, because some apps show a plus sign as it is.
	q := strings.ReplaceAll(url.Values{
		"secret": {Text(key)}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {fmt.Sprint(Digits)}, "period": {fmt.Sprint(period)},
	}.Encode(), "+", "%20")
	return "otpauth://totp/" + url.PathEscape(issuer) + ":" + url.PathEscape(account) + "?" + q
}

// Step is the time step of a time: RFC 6238, Section 4.2.
func Step(at time.Time) int64 { return at.Unix() / period }

// Code is the code of a time step.
func Code(key []byte, step int64) string {
	return fmt.Sprintf("%0*d", Digits, truncated(key, step)%modulus)
}

// truncated is RFC 4226, Section 5.3.
func truncated(key []byte, step int64) uint32 {
	mac := hmac.New(sha1.New, key)
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step)) //nolint:gosec // a step before 1970 is a number too
	_, _ = mac.Write(counter[:])
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	return binary.BigEndian.Uint32(sum[offset:]) & 0x7fffffff
}

// Verify says whether a code is right at a time, and of which time step it is. That step, and every one before, is spent when
// the code is taken: RFC 6238, Section 5.2, "The verifier MUST NOT accept the second attempt of the OTP".
func Verify(key []byte, code string, at time.Time) (step int64, ok bool) {
	now := Step(at)
	for s := now - window; s <= now+window; s++ { // all of them, whichever it is
		if subtle.ConstantTimeCompare([]byte(Code(key, s)), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok
}
