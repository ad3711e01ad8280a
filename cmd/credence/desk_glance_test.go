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
	const manager = "656005750116"
	student := d.student("656005750113")
	d.command("request", "ask", "--as", "656005750118", "--role", "656014118001", "--person", "656005750114", "--position", student, "--reason", "For ten days",
		"--ends", time.Now().AddDate(0, 0, 10).UTC().Format(time.RFC3339))
	b := newBrowser(t)
	b.atDesk(d, manager, "/desk")
	b.click("#glance")
	b.want("h1", "at a glance")
	b.want("#figures", "Open requests")
	b.want("#expiring-title", "in the next four weeks")
	b.see("desk-glance")
	b.press("#expiring-table summary")
	b.want("#expiring-table", "Week from")
	b.see("desk-glance-table")
	b.click("#expiring a:nth-of-type(2)")
	b.want("#roles", "Student")
	b.see("desk-expiring")
	b.click("#back")
	b.click("#expiring a:nth-of-type(1)")
	b.want("#none", "No position expires")
	b.see("desk-expiring-none")
}
