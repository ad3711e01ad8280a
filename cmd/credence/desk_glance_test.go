package main

import (
	"testing"
	"time"
)

// TestJourneyDeskGlance is an organisation at a glance: from what needs doing to its figures, and from a bar of the chart to
// the people whose positions expire.
func TestJourneyDeskGlance(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const manager, privacy = "656005750116", "656005750107"
	d.command("role", "end", "656014107001") // she is a doctor no more
	d.command("role", "grant", "--person", privacy, "--organisation", "ZX100", "--job-role", "S8002:G8003:R0001")
	student := d.student("656005750113")
	for _, person := range []string{"656005750112", "656005750114"} {
		d.command("request", "ask", "--as", "656005750118", "--role", "656014118001", "--person", person, "--position", student, "--reason", "For ten days",
			"--ends", time.Now().AddDate(0, 0, 10).UTC().Format(time.RFC3339))
	}
	b := newBrowser(t)
	b.atDesk(d, manager, "/desk")
	b.click("#glance")
	b.want("h1", "at a glance")
	b.want("#figures", "Open requests")
	b.want("#expiring-title", "in the next four weeks")
	b.lacks("#signed-in") // when people sign in is not her business
	b.see("desk-glance")
	b.press("#expiring-table summary")
	b.want("#expiring-table", "Week from")
	b.see("desk-glance-table")
	b.click("#expiring a:nth-of-type(2)")
	b.want("#roles", "Student")
	b.see("desk-expiring")
	b.click(".credence-headings a")
	b.want("#roles caption", "Latest first")
	b.see("desk-expiring-sorted")
	b.click("#back")
	b.click("#expiring a:nth-of-type(1)")
	b.want("#none", "No position expires")
	b.see("desk-expiring-none")
	b.click("#back")
	b.want("h1", "at a glance")
	// A list is chosen in its order by the form, where its headings are not seen.
	d.ask(d.position("Ward nurse"), "656005750113", "656005750114")
	b.open(d.issuer + "/desk/requests")
	b.choose("#sort", "-starts")
	b.click("#filter")
	b.want("#sort", "Starts")
	b.see("desk-requests-sorted")
	b.open(d.issuer + "/desk/people?q=Nurse&sort=-name")
	b.see("desk-people-sorted")
	b.open(d.issuer + "/desk/positions/" + student + "/holders")
	b.want("h1", "Who holds")
	b.see("desk-holders")
	b.open(d.issuer + "/desk/suspended")
	b.want("#none", "Nothing is suspended")
	b.see("desk-suspended")

	b.atDesk(d, "656005750117", "/desk/organisations/ZX100")
	b.want("#figures", "Evidence that waits for a second checker")
	b.see("desk-glance-agent")
	b.atDesk(d, privacy, "/desk/organisations/ZX100")
	b.want("#signed-in-title", "Sign-ins")
	b.see("desk-glance-privacy")
	b.press("#signed-in-table summary")
	b.want("#signed-in-table", "Day")
	b.see("desk-glance-privacy-table")
	b.click("#signed-in a") // the most on a day
	b.want("h1", "Audit record")
	b.see("desk-glance-day")
	b.click("#back")
	b.want("h1", "at a glance")
}
