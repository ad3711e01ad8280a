package main

import (
	"strings"
	"testing"
)

// TestJourneyAccount is how somebody keeps her account in order: she sees what is on record, adds a key, takes one away and ends
// a session that she does not know; and names what she keeps.
func TestJourneyAccount(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const person = "656005750104"
	elsewhere := newBrowser(t)
	elsewhere.atDesk(d, person, "/account")
	b := newBrowser(t)
	b.atDesk(d, person, "/account")
	b.want("h1", "About you")
	b.want("#person", person)
	b.see("account")
	for _, page := range []struct{ link, heading, name string }{
		{"/account/roles", "Your roles and positions", "account-roles"},
		{"/account/history", "Your history", "account-history"},
		{"/account/data", "Your data", "account-data"},
		{"/account/sessions", "Where you are signed in", "account-sessions"},
		{"/account/authenticators", "What you sign in with", "account-authenticators-none"},
	} {
		b.click(`nav a[href="` + page.link + `"]`)
		b.want("h1", page.heading)
		b.see(page.name)
	}

	// She adds two.
	for _, name := range []string{"My phone", "Blue key on the lanyard that I wear at work"} {
		key := b.addAuthenticator(syncedPasskey())
		b.click("#add")
		b.want("h1", "Add a passkey or security key")
		b.see("account-add")
		b.fill("#authenticator-name", name)
		b.click("#enrol-submit")
		b.want("#added", "You have added "+name)
		key.remove()
	}
	b.see("account-authenticators")

	// She calls one something else, after she has called it nothing.
	b.click("#active .nhsuk-summary-list__row:first-child a[id^=rename]")
	b.want("h1", "What do you call My phone?")
	b.see("account-rename")
	b.fill("#name", "")
	b.click("#rename")
	b.want("#error-summary", "Enter a name of 1 to 60 letters, digits and signs")
	b.see("account-rename-wrong")
	b.fill("#name", "Ffôn")
	b.click("#rename")
	b.want("#active", "Ffôn")

	// She chooses Welsh, also for her messages, and English again.
	b.open(d.issuer + "/account")
	b.click("#language")
	b.want("#person", "Cymraeg")
	b.see("account-welsh")
	b.click("#language")
	b.want("#person", "English")
	b.open(d.issuer + "/account/authenticators")

	// She takes one away, and reports the other lost.
	b.click("#active .nhsuk-summary-list__row:first-child a[id^=remove]")
	b.want("h1", "Remove Ffôn?")
	b.want("#loses", "you still reach level 2")
	b.see("account-remove")
	b.click("#confirm")
	b.want("#inactive", "Removed")
	b.click("#active a[id^=lost]")
	b.want("#loses", "You will not be able to sign in")
	b.see("account-lost")
	b.click("#back")
	if got := b.text("#active"); !strings.Contains(got, "Blue key") {
		t.Errorf("what she signs in with = %q, want the key that she kept", got)
	}
	b.see("account-authenticators-removed")

	// She ends what she does not know.
	b.open(d.issuer + "/account/sessions")
	b.want("#sessions", "Another browser")
	b.click("#sessions a[id^=end]")
	b.want("h1", "End this session?")
	b.see("account-end")
	b.click("#confirm")
	b.want("#sessions", "This browser")
	if got := b.text("#sessions"); strings.Contains(got, "Another browser") {
		t.Errorf("where she is signed in = %q, want this browser alone", got)
	}
	elsewhere.open(d.issuer + "/account")
	if elsewhere.exists("#header-sign-out") {
		t.Error("the session that was ended goes on")
	}
	b.open(d.issuer + "/account/history")
	b.want("#history", "Something to sign in with was taken away")
	b.see("account-history-after")
}
