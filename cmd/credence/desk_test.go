package main

import (
	"strings"
	"testing"
)

// atDesk is an officer who comes to a page of the registration desk and signs in there, in place of whoever was there.
func (b *browser) atDesk(d *trial, officer, path string) {
	b.t.Helper()
	b.open(d.issuer + path)
	if b.exists("#header-sign-out") {
		b.click("#header-sign-out")
		b.open(d.issuer + path)
	}
	b.click("#simulated-link")
	b.fill("#username", officer)
	b.click("#login-submit")
	b.waitURL(d.issuer + path)
}

// tick ticks boxes of a form by their ids.
func (b *browser) tick(ids ...string) {
	b.t.Helper()
	for _, id := range ids {
		b.press("#" + id)
	}
}

// evidenceForm opens the form for a kind of evidence from the page of what is on record.
func (b *browser) evidenceForm(kind string) {
	b.t.Helper()
	b.click("#add")
	b.click(`a[href$="kind=` + kind + `"]`)
	b.fill("#given_name", "Zoë")
	b.fill("#family_name", "Quist")
	b.press("#declared-in_person")
}

// TestJourneyDesk is how a position comes into somebody's hands: one officer proposes it, a second approves it, a sponsor asks
// for it for somebody, an agent approves that, and the person signs in and has it.
func TestJourneyDesk(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const manager, agent, sponsor, advanced = "656005750116", "656005750117", "656005750118", "656005750119"
	const person, clinician = "656005750113", "656005750107" // somebody who has no role, and somebody who is no officer
	b := newBrowser(t)

	// Who is no officer is told so, and whom to ask.
	b.atDesk(d, clinician, "/desk/requests")
	b.want("h1", "You cannot do this in your role")
	b.want("#acting-as", "Clinical Practitioner Access Role")
	b.want("#refused-next", "ask the registration authority manager")
	b.see("desk-refused")

	b.atDesk(d, manager, "/desk")
	b.want("#acting-as", "Registration Authority Manager at Larkmere Health Board")
	b.want("#requests", "Nothing to do")
	b.open(d.issuer + "/desk/positions?organisation=zx100")
	b.want("#none", "propose a new position")
	b.click("#propose")
	b.fill("#name", "Ward nurse, nights")
	b.press("#activity-B0401")
	b.see("desk-position-form")
	b.click("#propose")
	b.want("#error-summary", "Select a job role")
	b.want("#error-summary", "Enter a reason")
	b.see("desk-position-form-error")
	if got, want := b.attribute("#name", "value"), "Ward nurse, nights"; got != want {
		t.Errorf("the name on the form after a mistake = %q, want what was typed: %q", got, want)
	}
	b.choose("#job_role", "S8000:G8000:R8001")
	b.fill("#reason", "A new ward")
	b.click("#propose")
	b.want("h1", "Ward nurse, nights")
	b.want("#why-not", "another officer has to approve it")
	b.see("desk-position-proposed")

	b.atDesk(d, advanced, "/desk")
	b.want("#positions", "1 waits")
	b.see("desk")
	b.follow("#positions")
	b.see("desk-positions")
	b.follow("#positions")
	b.want("#proposed", "Proposed by Winifred Stewardley")
	b.click("#approve")
	b.want("#position", "In force")
	b.see("desk-position")

	b.atDesk(d, sponsor, "/desk")
	b.fill("#q", "jory emptage")
	b.click("#find")
	b.see("desk-people")
	b.follow("#people")
	b.want("h1", "Jory Emptage-Vale")
	b.see("desk-person")
	b.click("#ask")
	b.see("desk-offered")
	b.follow("#positions")
	b.click("#ask")
	b.want("#error-summary", "Enter a reason")
	b.see("desk-ask-error")
	b.fill("#reason", "Starts on Monday")
	b.click("#ask")
	b.waitURL(d.issuer + "/desk/requests/")
	b.want("#request", "Waits for a decision")
	if b.exists("#decide") {
		t.Error("the page offers to decide a request to the officer who asked")
	}
	b.see("desk-request-asked")
	asked := b.url()

	b.atDesk(d, agent, "/desk")
	b.want("#requests", "1 waits")
	b.follow("#requests")
	b.want("#requests", "Jory Emptage-Vale")
	b.see("desk-requests")
	b.follow("#requests")
	b.waitURL(asked)
	b.press("#verdict-approved")
	b.click("#decide")
	b.want("#error-summary", "Enter a reason")
	b.see("desk-request-error")
	b.fill("#reason", "As asked")
	b.click("#decide")
	b.want("#request", "Approved")
	b.want("#request", "Bartholomew Keykeeper")
	b.see("desk-request-approved")

	b.click("#header-sign-out")
	b.open(d.demo)
	b.click("#sign-in")
	b.click("#simulated-link")
	b.fill("#username", person)
	b.click("#login-submit")
	b.waitURL(d.demo)
	b.want("#claim-role", "S8000:G8000:R8001")
	b.want("#claim-organisation", "ZX100")
	if got, want := b.decisions(), "view true, prescribe false"; got != want {
		t.Errorf("decisions for the person who was given the position = %s, want %s", got, want)
	}
	b.click("#sign-out")

	// Two officers close the position, and see beforehand who loses it.
	b.atDesk(d, advanced, "/desk/positions")
	b.follow("#positions")
	b.click("#revise")
	b.want("h1", "Propose a change of Ward nurse, nights")
	b.see("desk-position-revision")
	b.open(b.url()[:strings.LastIndex(b.url(), "/")] + "/close")
	b.want("#losers", "1 person will lose what it gives")
	b.fill("#reason", "The ward has closed")
	b.see("desk-position-close")
	b.click("#propose-close")
	b.want("#proposed", "1 person loses what it gives")
	b.see("desk-position-to-close")
	closing := b.url()
	b.click("#holders")
	b.want("#holders", "Jory Emptage-Vale")
	b.see("desk-holders")
	b.atDesk(d, manager, strings.TrimPrefix(closing, d.issuer))
	b.click("#approve")
	b.want("#position", "Closed")
	b.see("desk-position-closed")
}
