package totp_test

import (
	"encoding/base32"
	"net/url"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/totp"
)

// seed is the key of the vectors of RFC 6238, Appendix B, and of RFC 4226, Appendix D.
const seed = "12345678901234567890"

// RFC 6238, Appendix B, in the mode SHA1. There codes have eight digits, of which ours are the last six.
func TestVectors(t *testing.T) {
	t.Parallel()
	for at, want := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		moment := time.Unix(at, 0)
		if got := totp.Code([]byte(seed), totp.Step(moment)); got != want {
			t.Errorf("Code(at %d) = %s, want %s", at, got, want)
		}
		if step, ok := totp.Verify([]byte(seed), want, moment); !ok || step != at/30 {
			t.Errorf("Verify(%s, at %d) = step %d, %t, want step %d, true", want, at, step, ok, at/30)
		}
	}
}

// RFC 4226, Appendix D.
func TestVectorsOfCounters(t *testing.T) {
	t.Parallel()
	for counter, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := totp.Code([]byte(seed), int64(counter)); got != want {
			t.Errorf("Code(counter %d) = %s, want %s", counter, got, want)
		}
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	key, now := []byte(seed), time.Date(2026, 3, 4, 5, 6, 15, 0, time.UTC)
	code := totp.Code(key, totp.Step(now))
	for _, tt := range []struct {
		name string
		code string
		at   time.Time
		want bool
	}{
		{"the code of now", code, now, true},
		{"the code of the step before", code, now.Add(30 * time.Second), true},
		{"the code of the step after", code, now.Add(-30 * time.Second), true},
		{"a code two steps old", code, now.Add(60 * time.Second), false},
		{"a code two steps early", code, now.Add(-60 * time.Second), false},
		{"another code", "000000", now, false},
		{"no code", "", now, false},
		{"a code with a digit more", code + "0", now, false},
		{"a code with a digit less", code[:5], now, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			step, ok := totp.Verify(key, tt.code, tt.at)
			if ok != tt.want || ok && step != totp.Step(now) {
				t.Errorf("Verify(%q) = step %d, %t, want step %d, %t", tt.code, step, ok, totp.Step(now), tt.want)
			}
		})
	}
	if _, ok := totp.Verify(totp.NewKey(), code, now); ok {
		t.Error("Verify(another key) = true, want false")
	}
}

func TestURI(t *testing.T) {
	t.Parallel()
	key := totp.NewKey()
	if len(key) != totp.KeySize || string(key) == string(totp.NewKey()) {
		t.Errorf("NewKey() = %d bytes, want %d that are new each time", len(key), totp.KeySize)
	}
	u, err := url.Parse(totp.URI(key, "Some service", "656005750104"))
	if err != nil {
		t.Fatal(err)
	}
	if u.Scheme != "otpauth" || u.Host != "totp" || u.EscapedPath() != "/Some%20service:656005750104" || u.Query().Get("issuer") != "Some service" {
		t.Errorf("URI() = %s, want otpauth://totp/Some%%20service:656005750104?issuer=Some%%20service&...", u)
	}
	read, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(u.Query().Get("secret"))
	if err != nil || string(read) != string(key) {
		t.Errorf("the secret of URI() = %x, %v, want %x", read, err, key)
	}
	for name, want := range map[string]string{"algorithm": "SHA1", "digits": "6", "period": "30"} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s of URI() = %q, want %q", name, got, want)
		}
	}
}
