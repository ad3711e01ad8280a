package main

import (
	"regexp"
	"strings"
	"testing"
)

// TestJourneyRefused is what a person sees who is not let in, and what the one at the help desk finds who is told the
// reference; and what people see where so much failed that a limit was reached.
func TestJourneyRefused(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const nurse, another = "656005750104", "656005750108"
	b := newBrowser(t)
	b.addAuthenticator(securityKey())
	b.enrol(d.enrolLink, "Blue key")
	d.command("person", "disable", nurse)

	b.open(d.issuer + "/sign-in")
	before := b.text("#reference")
	b.press("#passkey-sign-in")
	b.want("[role=alert]", "could not sign you in")
	reference := b.text("#reference")
	line := regexp.MustCompile(`.* msg=request .*request_id=` + reference).FindString(d.errors.String())
	if reference == before || !strings.Contains(line, `route="POST /sign-in/passkey"`) || !strings.Contains(line, "refusal=person_disabled") {
		t.Errorf("the page gives the reference %q, which the log knows as %q; want the answer of the authenticator, and why it was refused", reference, line)
	}
	if got := b.attribute("footer [aria-live]", "aria-live"); got != "polite" {
		t.Errorf("aria-live of the reference = %q, want polite", got)
	}
	b.screenshot("sign-in-refused-reference")
	b.accessible()

	bad := d.issuer + "/enrol?token=none"
	for range 61 {
		b.open(bad)
	}
	b.want("h1", "Wait a minute, then try again")
	b.screenshot("wait")
	b.accessible()
	before = b.text("#reference")
	b.click("#try-again")
	b.want("h1", "Wait a minute, then try again")
	if b.url() != bad || b.text("#reference") == before {
		t.Errorf("the button leads to %s, want that it asks for %s again", b.url(), bad)
	}
	b.enrol(enrolLink(t, d.command("person", "enrol-link", another)), "Red key") // what is right gets in
}
