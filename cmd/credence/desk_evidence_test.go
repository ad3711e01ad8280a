package main

import "testing"

// TestJourneyDeskEvidence is how somebody's identity is proved at the desk: an officer records what she checked, sees what it
// comes to, and takes it back.
func TestJourneyDeskEvidence(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const agent, person = "656005750117", "656005750113" // of whom a passport is on record, without its chip
	b := newBrowser(t)
	b.atDesk(d, agent, "/desk/people/"+person)
	b.click("#prove")
	b.want("h1", "Evidence of Jory Emptage-Vale")
	b.want("#identity", "Medium")
	b.want("#evidence", "···")
	b.see("desk-evidence")
	b.click("#add")
	b.see("desk-evidence-kinds")
	b.click(`a[href$="kind=fraud_register"]`)
	b.see("desk-evidence-form-record")
	b.open(d.issuer + "/desk/people/" + person + "/evidence/new?kind=passport")
	b.fill("#given_name", "Jo")
	b.fill("#family_name", "Emptage Vale")
	b.fill("#number", "900800700")
	b.press("#vcrypt-cryptographic")
	b.press("#declared-in_person")
	b.see("desk-evidence-form")
	b.click("#record")
	b.want("#error-summary", "These given names are not the ones on record")
	if got, want := b.attribute("#number", "value"), "900800700"; got != want {
		t.Errorf("the number on the form after a mistake = %q, want what was typed: %q", got, want)
	}
	b.see("desk-evidence-form-error")
	b.fill("#given_name", "Jory")
	b.fill("#expires_on", "1/3/2031")
	b.press("#feature-biometric_chip")
	b.click("#record")
	b.want("h1", "Recorded: passport of Jory Emptage-Vale")
	b.want("#levels", "Medium")
	b.see("desk-evidence-change")
	b.click("#back")
	b.want("#evidence", "···700")
	b.click("#evidence .nhsuk-summary-list__row:last-child a")
	b.see("desk-evidence-withdraw")
	b.click("#withdraw")
	b.want("#error-summary", "Select why it is withdrawn")
	b.see("desk-evidence-withdraw-error")
	b.press("#reason-mistaken")
	b.click("#withdraw")
	b.want("h1", "Withdrawn: passport of Jory Emptage-Vale")
	b.click("#back")
	b.want("#evidence", "Withdrawn: mistaken. By Bartholomew Keykeeper")
}
