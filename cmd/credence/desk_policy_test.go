package main

import "testing"

// TestJourneyDeskPolicy is how a manager says how an organisation works: its officers may then sign in at level 2, and whoever is
// refused there is told where help is.
func TestJourneyDeskPolicy(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const manager, agent, hospital = "656005750116", "656005750117", "/desk/organisations/ZX100/policy"
	b := newBrowser(t)
	b.atDesk(d, manager, "/desk")
	b.click("#glance")
	b.click("#policy")
	b.want("h1", "How Larkmere Health Board (invented) works")
	b.want("#stricter", "for a registration authority manager of an organisation above")
	b.see("desk-policy-own")
	b.press("#desk_level-2")
	b.fill("#reason", "Keys are late")
	b.click("#send")
	b.want("#error-summary", "ask a registration authority manager of one above it")
	b.see("desk-policy-refused")

	b.open(d.issuer + hospital)
	b.want("#settings", "No organisation says anything about it")
	b.press("#desk_level-2")
	b.fill("#help_text", "Ask the service desk on level 2, from 8 to 18 hours.")
	b.fill("#help_email", "servicedesk@example.org")
	b.fill("#help_telephone", "extension 5")
	b.click("#send")
	b.want("#error-summary", "Enter a telephone number in digits")
	b.want("#error-summary", "Change something, and enter a reason")
	b.see("desk-policy-error")
	b.fill("#help_telephone", "0113 496 0000")
	b.fill("#reason", "Keys are late, and the help desk has moved")
	b.click("#send")
	b.want("#settings", "At level 2")
	b.want("#settings", "Said by this organisation itself")
	b.see("desk-policy")

	// By now every server has it.
	b.click("#header-sign-out")
	b.open(d.issuer + "/desk/audit")
	b.click("#simulated-link")
	b.fill("#username", agent)
	b.choose("#method", "totp")
	b.click("#login-submit")
	b.want("h1", "You cannot do this in your role")
	b.want("#help", "Ask the service desk on level 2")
	b.want("#help-telephone", "0113 496 0000")
	b.see("desk-refused-help")
	b.open(d.issuer + "/desk/people/1")
	b.want("h1", "There is nothing here")
	b.want("#help", "servicedesk@example.org")
	b.see("desk-nothing-help")
	b.open(d.issuer + hospital)
	b.want("#settings", "At level 2")
	b.see("desk-policy-read")

	// At the board, which says nothing, level 3 is asked for.
	b.click("#header-sign-out")
	b.open(d.issuer + "/desk")
	b.click("#simulated-link")
	b.fill("#username", manager)
	b.choose("#method", "totp")
	b.click("#login-submit")
	b.want("h1", "Sign in more strongly")
	b.see("desk-level-step-up")
}
