package main

import "testing"

// TestJourneyWelsh is how somebody works in Welsh: she chooses it when she signs in, and has it on each page that is for staff until
// she chooses English again.
func TestJourneyWelsh(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const manyRoles, officer = "656005750115", "656005750116"
	b := newBrowser(t)
	see := func(heading, name string) {
		t.Helper()
		b.want("h1", heading)
		if got := b.attribute("html", "lang"); got != "cy" {
			t.Errorf("%s: lang = %q, want cy", b.url(), got)
		}
		b.see("welsh-" + name)
	}

	b.open(d.demo)
	b.click("#sign-in")
	b.want("#language", "Cymraeg")
	b.click("#language")
	see("Mewngofnodi", "sign-in")
	b.want("#language", "English")

	// What goes wrong is said in Welsh, by the server and by the script.
	b.fill("#username", "12")
	b.click("#username-submit")
	b.want("#error-summary", "Rhowch eich ID defnyddiwr")
	see("Mewngofnodi", "sign-in-error")
	key := b.addAuthenticator(securityKey())
	key.setUserVerified(false)
	b.press("#passkey-sign-in")
	b.want("#ceremony-message", "Nid ydych wedi mewngofnodi")
	b.see("welsh-ceremony-error")
	b.accessible()
	key.remove()

	b.click("#simulated-link")
	b.fill("#username", manyRoles)
	b.click("#login-submit")
	see("Dewiswch eich rôl", "roles")
	b.press("input[name=role]")
	b.click("#role-submit")
	b.waitURL(d.demo)

	b.open(d.issuer + "/")
	b.want("#summary", "Mewngofnodi gyda")
	b.see("welsh-home")
	for _, page := range []struct{ path, heading, name string }{
		{"/levels", "Eich lefelau, a pham", "levels"},
		{"/account", "Amdanoch chi", "account"},
		{"/account/roles", "Eich rolau a’ch swyddi", "account-roles"},
		{"/account/authenticators", "Yr hyn rydych yn mewngofnodi ag ef", "account-authenticators"},
		{"/account/authenticators/new", "Ychwanegu allwedd mynediad neu allwedd ddiogelwch", "account-add"},
		{"/account/sessions", "Ble rydych wedi mewngofnodi", "account-sessions"},
		{"/account/sessions/end", "Dod â phob sesiwn arall i ben?", "account-end"},
		{"/account/history", "Eich hanes", "account-history"},
		{"/account/data", "Eich data", "account-data"},
		{"/nowhere", "Heb ddod o hyd i’r dudalen", "problem"},
	} {
		b.open(d.issuer + page.path)
		see(page.heading, page.name)
	}

	// She adds a key.
	b.open(d.issuer + "/account/authenticators/new")
	key = b.addAuthenticator(syncedPasskey())
	b.click("#enrol-submit")
	b.want("#added", "Rydych wedi ychwanegu Fy allwedd mynediad")
	key.remove()
	see("Yr hyn rydych yn mewngofnodi ag ef", "account-authenticators-added")
	b.click("#active a[id^=remove]")
	see("Dileu Fy allwedd mynediad?", "account-remove")

	// The desk is in English alone, and says so.
	b.atDesk(d, officer, "/desk")
	if got := b.attribute("html", "lang"); got != "en-GB" || b.exists("#language") {
		t.Errorf("the desk has lang = %q, and a choice of a language: %t, want en-GB and none", got, b.exists("#language"))
	}

	// And back to English, on the same page.
	b.open(d.issuer + "/account/history")
	b.click("#language")
	b.want("h1", "Your history")
	if got := b.attribute("html", "lang"); got != "en-GB" {
		t.Errorf("lang = %q, want en-GB", got)
	}
}
