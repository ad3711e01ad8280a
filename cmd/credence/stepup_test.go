package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/webauthn"
)

// touched decides whether a finger is on the authenticator: of several that are plugged in, the one that is touched answers.
func (a authenticator) touched(touched bool) {
	a.browser.t.Helper()
	call(a.browser, "set presence", webauthn.SetAutomaticPresenceSimulation, webauthn.SetAutomaticPresenceSimulationParams{AuthenticatorID: a.id, Enabled: touched})
}

// TestJourneyStepUp is a clinician who signs in with a passkey of her phone, which is enough to see the ward list, and wants
// to prescribe, which is not: she is asked for her security key then, and for nothing else, in the same session.
func TestJourneyStepUp(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	d.vouchForVirtualKeys()
	const person = "656005750107"
	b := newBrowser(t)

	options := syncedPasskey()
	options.Transport = webauthn.AuthenticatorTransportUsb // so that it does not offer itself
	phone := b.addAuthenticator(options)
	b.enrol(enrolLink(t, d.command("person", "enrol-link", person)), "My phone")
	phone.touched(false)
	key := b.addAuthenticator(securityKey())
	b.enrol(enrolLink(t, d.command("person", "enrol-link", person)), "Blue key")
	d.command("authenticator", "recompute", "--apply") // when the server judged them, it may not have known of the model yet
	key.touched(false)
	phone.touched(true)

	b.open(d.demo)
	b.click("#sign-in")
	b.click("#passkey-sign-in")
	b.waitURL(d.demo)
	if got, want := b.decisions(), "view true, prescribe false"; got != want {
		t.Errorf("decisions after a sign-in with a passkey that is copied = %s, want %s", got, want)
	}
	b.want("#claim-acr", "AAL2_ANY")
	claims := []string{"#claim-acr", "#claim-amr", "#claim-auth_time", "#claim-sid", "#claim-sub"}
	read := func() (values []string) {
		for _, claim := range claims {
			values = append(values, b.text(claim))
		}
		return values
	}
	before := read()

	// The service answers the first attempt with a challenge (RFC 9470), and she is asked for the missing part alone.
	phone.touched(false)
	key.touched(true)
	b.click("#prescribe")
	b.waitURL(d.issuer + "/sign-in/step-up")
	b.want("h1", "Sign in more strongly")
	b.want("#needed", "at level 3")
	b.want("#will-do", "Blue key")
	if got := b.text("#will-do"); strings.Contains(got, "My phone") {
		t.Errorf("the page offers %q, want only what reaches level 3", got)
	}
	b.screenshot("step-up")
	b.accessible()
	b.click("#passkey-sign-in")
	b.waitURL(d.demo)
	b.want("#prescribed", "Prescribed for bed 1")
	b.screenshot("ward-list-prescribed")
	after := read()
	changed := []string{}
	for i, claim := range claims {
		if before[i] != after[i] {
			changed = append(changed, claim)
		}
	}
	if want := []string{"#claim-acr", "#claim-amr", "#claim-auth_time"}; !slices.Equal(changed, want) {
		t.Errorf("claims that changed by the step-up = %v, want %v: before %q, after %q", changed, want, before, after)
	}
	b.want("#claim-acr", "AAL3_ANY")

	// Who asks for less later gets what there is: nobody is asked again, and nothing is lowered.
	b.click("#change-role")
	b.waitURL(d.demo)
	b.want("#claim-acr", "AAL3_ANY")

	// Which rules granted the levels.
	b.open(d.issuer + "/levels")
	b.want("h1", "Your levels, and why")
	b.want("#identity", "H1A")
	b.screenshot("levels")
	b.accessible()
}
