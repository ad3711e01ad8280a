package main

import (
	"strings"
	"testing"
)

// TestJourneyDeskSecondChecker is how a second officer confirms what a first one checked, where an organisation asks for it.
func TestJourneyDeskSecondChecker(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const agent, advanced, person = "656005750117", "656005750119", "656005750113"
	if got := d.command("organisation", "policy", "ZX100", "--second-checker", "on", "--reason", "The board asks for it"); !strings.Contains(got, "second_checker     yes") {
		t.Fatalf("policy = %s, want a second checker", got)
	}
	first := newBrowser(t)
	first.atDesk(d, agent, "/desk/people/"+person+"/evidence/new?kind=passport")
	first.fill("#given_name", "Jory")
	first.fill("#family_name", "Emptage Vale")
	first.fill("#number", "900800700")
	first.press("#feature-biometric_chip")
	first.press("#vcrypt-cryptographic")
	first.press("#declared-in_person")
	first.see("desk-evidence-form-declared")
	first.click("#record")
	first.want("h1", "Waits for a second officer: passport of Jory Emptage-Vale")
	first.see("desk-evidence-change-awaits")
	first.click("#back")
	first.see("desk-evidence-waiting")
	first.click("#waiting a")
	first.want("#own", "You checked this yourself")
	first.see("desk-proposal-own")

	second := newBrowser(t)
	second.atDesk(d, advanced, "/desk")
	second.want("#evidence", "1 waits")
	second.see("desk-evidence-to-confirm")
	second.click("#evidence a")
	second.want("#proposals", "Checked by Bartholomew Keykeeper")
	second.see("desk-proposals")
	second.follow("#proposals")
	second.want("#says", "900800700")
	second.click("#decide")
	second.want("#error-summary", "Select whether you confirm or dismiss it")
	second.see("desk-proposal-error")
	second.press("#verdict-confirm")
	second.click("#decide")
	second.want("h1", "Recorded: passport of Jory Emptage-Vale")
	second.click("#back")
	second.want("#evidence", "Checked by Bartholomew Keykeeper, confirmed by")
	second.see("desk-evidence-confirmed")
}
