package main

import (
	"encoding/base32"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/credence-id/credence/idp/totp"
)

// TestJourneyPassword is what somebody does who cannot use a passkey: she sets a password, adds an app, and signs in with
// both. The journey waits for no clock: it uses the app's next code, which the server takes already.
func TestJourneyPassword(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const person, phrase = "656005750113", "seven lapwings over wet stubble"
	b := newBrowser(t)
	b.open(enrolLink(t, d.command("person", "enrol-link", person)))
	b.click("#password-link")
	b.want("h1", "Set a password")
	b.screenshot("set-password")
	b.accessible()
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(b.text("#key"), " ", ""))
	if err != nil {
		t.Fatalf("key on the page: %v", err)
	}
	code := func(ahead int64) string { return totp.Code(key, totp.Step(time.Now())+ahead) }

	b.fill("#password", "password1234567")
	b.fill("#code", code(0))
	b.click("#password-submit")
	b.want("#error-summary", "harder to guess")
	b.screenshot("set-password-error")
	b.accessible()
	b.fill("#password", phrase)
	b.fill("#code", code(0))
	b.click("#password-submit")
	b.want("h1", "You have set a password and added an app")
	b.want("#authenticators", "Password and authenticator app")
	b.screenshot("set-password-done")
	b.accessible()

	b.open(d.issuer + "/sign-in")
	b.click("#password-link")
	b.want("h1", "Sign in with a password and a code")
	b.screenshot("password-sign-in")
	b.accessible()
	b.fill("#username", person)
	b.fill("#password", strings.ToUpper(phrase))
	b.click("#password-submit")
	b.want("#error-summary", "could not sign you in")
	b.screenshot("password-sign-in-refused")
	b.accessible()
	b.fill("#password", phrase)
	b.fill("#code", code(1))
	b.click("#password-submit")
	b.waitURL(d.issuer + "/")
	b.want("#summary", "2: strong")
	b.want("#authenticators", "Authenticator app")
	b.screenshot("home-password")
	b.accessible()

	list := d.command("authenticator", "list", person)
	for _, want := range []string{`(?m)^\S+ +Password +password .* 1 +it is one factor, and two with the codes of an app$`, `(?m)^\S+ +Authenticator app +totp .* 2 +its codes are one factor, and two with a password$`} {
		if !regexp.MustCompile(want).MatchString(list) {
			t.Errorf("credence authenticator list says %s, want a line like %s", list, want)
		}
	}
	id := strings.Fields(regexp.MustCompile(`(?m)^.* totp .*$`).FindString(list))[0]
	d.command("authenticator", "revoke", id)
	b.open(d.issuer + "/")
	b.want("main", "Sign in")
	b.open(d.issuer + "/sign-in/password")
	b.fill("#username", person)
	b.fill("#password", phrase)
	b.click("#password-submit")
	b.waitURL(d.issuer + "/")
	b.want("#summary", "1: basic")
}
