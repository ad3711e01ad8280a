package main

import (
	"regexp"
	"testing"
)

// TestJourneyBreakGlass is a night without officers: two people with two envelopes make one of them an officer, who does what there
// is to do; in the morning a manager reads what that was, ends it, and signs for it.
func TestJourneyBreakGlass(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const doctor, agent, manager, nurse = "656005750107", "656005750117", "656005750116", "656005750113"
	printed := d.command("break-glass", "seal", "ZX100", "--json")
	code := func(name string) string {
		return regexp.MustCompile(`"` + name + `": "([A-Z2-7-]+)"`).FindStringSubmatch(printed)[1]
	}
	one, other := newBrowser(t), newBrowser(t)
	one.atDesk(d, doctor, "/break-glass")
	one.see("break-glass")
	one.click("#first")
	one.fill("#organisation", "ZX100")
	one.fill("#code", code("second"))
	one.fill("#reason", "A ward is closed in, and nobody of the registration authority answers")
	one.click("#send")
	one.want("#error-summary", "This is the code of the other envelope")
	one.see("break-glass-error")
	one.fill("#code", code("first"))
	one.click("#send")
	one.want("h1", "Waiting for the second envelope")
	one.see("break-glass-waits")

	other.atDesk(d, agent, "/break-glass/second")
	other.fill("#organisation", "zx100")
	other.fill("#code", code("second"))
	other.see("break-glass-second")
	other.click("#send")
	other.want("#asked", "nobody of the registration authority answers")
	other.see("break-glass-asked")
	other.click("#open")
	other.want("h1", "Break-glass is open")
	other.see("break-glass-opened")

	one.click("#again")
	one.want("h1", "Break-glass is open")
	one.see("break-glass-opened-own")
	one.click("#desk")
	role := regexp.MustCompile(`([0-9]{12}) +` + doctor + ` +ZX100 +S0080:G0450:R9001`).FindStringSubmatch(d.command("role", "list", "--person", doctor))[1]
	one.press("#role-" + role)
	one.see("break-glass-role")
	one.click("#role-submit")
	one.want("main", "Find a person")
	one.see("break-glass-desk")
	one.open(d.issuer + "/desk/people/" + nurse)
	one.want("h1", "Jory Emptage-Vale")

	other.atDesk(d, manager, "/desk")
	other.want("#break-glass", "1 waits")
	other.see("desk-break-glass-to-be-done")
	other.click("#break-glass a")
	other.see("desk-break-glasses")
	other.follow("#openings")
	other.want("#lines", "Petra Larkspell")
	other.see("desk-break-glass-in-use")
	other.click("#end")
	other.want("#opening", "To be signed for")
	other.click("#sign")
	other.want("#error-summary", "Enter what you found")
	other.see("desk-break-glass-error")
	other.fill("#note", "One record was looked at, as the reason says. Nothing follows from it.")
	other.click("#sign")
	other.want("#opening", "Signed for by")
	other.see("desk-break-glass-signed")

	one.open(d.issuer + "/desk/people/" + nurse)
	one.want("h1", "You cannot do this in your role") // it is the role of before, again
	one.see("break-glass-desk-over")
}
