package main

import (
	"strings"
	"testing"
)

// TestJourneyDeskAuthenticator is how a key comes into somebody's hands: an officer binds it at the desk, and the person signs in
// with it at a relying party. It is reported lost, and signs nobody in. Another is bound by a link and a code.
func TestJourneyDeskAuthenticator(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const agent, person = "656005750117", "656005750113" // somebody who has no role
	b := newBrowser(t)
	key := b.addAuthenticator(securityKey())
	b.atDesk(d, agent, "/desk/people/"+person)
	b.click("#keep")
	b.want("#authenticators", "Nothing yet")
	b.see("desk-authenticators-none")
	b.click("#add")
	b.want("#person-name", "Jory Emptage-Vale")
	b.see("desk-authenticator-new")
	b.fill("#authenticator-name", "Blue key")
	b.click("#enrol-submit")
	b.waitURL(d.issuer + "/desk/people/" + person + "/authenticators")
	b.want("#authenticators", "Blue key")
	b.want("#authenticators", "Active")
	b.see("desk-authenticators")
	b.click("#header-sign-out")

	b.open(d.demo)
	b.click("#sign-in")
	b.click("#passkey-sign-in")
	b.click("#continue-without-role")
	b.waitURL(d.demo)
	b.want("#claim-sub", person)

	// She has lost it.
	b.atDesk(d, agent, "/desk/people/"+person+"/authenticators")
	b.click(`#authenticators a[href$="/report_lost"]`)
	b.see("desk-authenticator-change")
	b.click("#change")
	b.want("#error-summary", "Enter a reason")
	b.see("desk-authenticator-change-error")
	b.fill("#reason", "Left on the bus")
	b.click("#change")
	b.want("#authenticators", "Lost")
	b.see("desk-authenticators-lost")

	b.open(d.issuer + "/desk/people/" + person + "/authenticators/link")
	b.see("desk-authenticator-link")
	b.click("#make")
	b.see("desk-authenticator-link-made")
	link, code := b.text("#enrolment-link"), b.text("#enrolment-code")
	b.click("#header-sign-out")
	b.open(d.issuer + "/sign-in")
	b.press("#passkey-sign-in")
	b.want("#ceremony-error:not([hidden])", "We could not sign you in with that passkey or security key")
	b.takeFindings() // the browser says that the answer was 403
	key.remove()
	b.addAuthenticator(securityKey())
	b.open(link)
	b.see("enrol-code")
	b.fill("#code", strings.Repeat("1", 7))
	b.click("#code-submit")
	b.want("#error-summary", "Enter the 8 digits")
	b.see("enrol-code-wrong")
	b.fill("#code", code)
	b.click("#code-submit")
	b.fill("#authenticator-name", "Green key")
	b.click("#enrol-submit")
	b.want("#authenticators", "Green key")
	b.open(d.issuer + "/sign-in")
	b.click("#passkey-sign-in")
	b.waitURL(d.issuer + "/")
	b.want("#authenticators", "Green key")
}
