package main

import (
	"strings"
	"testing"
)

// TestJourneyDeskAudit is a privacy officer who reads what an agent did, and who looked at whose record, and who takes it with her.
func TestJourneyDeskAudit(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const agent, privacy, sponsor = "656005750117", "656005750107", "656005750118"
	d.command("role", "end", "656014107001") // she is a doctor no more
	d.command("role", "grant", "--person", privacy, "--organisation", "ZX100", "--job-role", "S8002:G8003:R0001")
	b := newBrowser(t)
	b.atDesk(d, agent, "/desk/people/"+sponsor)
	b.open(d.issuer + "/desk/audit")
	b.want("h1", "You cannot do this in your role")

	b.atDesk(d, privacy, "/desk/audit")
	b.want("h1", "Audit record")
	b.see("desk-audit-first")
	b.fill("#person", "Perpetua")
	b.fill("#from", "soon")
	b.click("#read")
	b.want("#error-summary", "Enter the user ID of somebody who is on record")
	b.want("#error-summary", "Enter a day such as 1/11/2030")
	if got, want := b.attribute("#person", "value"), "Perpetua"; got != want {
		t.Errorf("the person on the form after a mistake = %q, want what was typed: %q", got, want)
	}
	b.see("desk-audit-error")

	b.fill("#person", sponsor)
	b.fill("#from", "1/1/2020")
	b.choose("#event", "person_viewed")
	b.click("#read")
	b.want("#whose", "What is on record about Perpetua Vouchsafe")
	b.want("#lines", "as Registration Authority Agent at ZX100")
	b.see("desk-audit")
	if url := b.attribute("#download", "href"); !strings.Contains(url, "/desk/audit/lines.csv?") || !strings.Contains(url, sponsor) {
		t.Errorf("the download is at %q, want the lines that are shown", url)
	}
	b.fill("#person", agent)
	b.press("#of-did")
	b.choose("#event", "")
	b.click("#read")
	b.want("#whose", "as an officer")
	b.want("#lines", "Refused: the role that the officer acted in does not let her do this")
	b.see("desk-audit-did")
	b.fill("#until", "1/1/2021")
	b.click("#read")
	b.want("#none", "Nothing like this is on record")
	b.see("desk-audit-none")

	b.open(d.issuer + "/desk/audit?of=did&person=656005750116")
	b.want("h1", "You cannot do this in your role")
	b.want("#refused-why", "neither at the organisation of the role")
}
