package main

import "testing"

// TestJourneyDeskVersion is a version of a position that people hold: before an officer approves it she sees whom it reaches and
// who would not get it, and afterwards everybody else has it.
func TestJourneyDeskVersion(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const manager, advanced, reader, nurse = "656005750116", "656005750119", "656005750113", "656005750114"
	position := d.student(reader, nurse)
	d.command("role", "grant", "--person", reader, "--organisation", "ZX100", "--job-role", "S8002:G8003:R0001")
	at := "/desk/positions/" + position

	b := newBrowser(t)
	b.atDesk(d, manager, at+"/revision")
	b.press("#activity-B1300")
	b.press("#activity-B0360")
	b.press("#assignable-yes")
	b.fill("#reason", "They ask for others")
	b.click("#propose")
	b.want("#reach", "2 people hold it")
	b.want("#why-not", "another officer has to approve it")

	b.atDesk(d, advanced, at)
	b.want("#reach", "Everybody who may have it gets: Activities")
	b.want("#refused", "1 of them would not get what is added")
	b.see("desk-position-reaches")
	b.click("#refused")
	b.want("#people", "R0001 and B1300")
	b.see("desk-position-withheld-proposed")
	b.click("#back")
	b.click("#approve")
	b.want("#position", "In force")
	b.want("#withheld", "1 person has less than it gives")
	b.see("desk-position-reached")
	b.click("#withheld")
	b.want("#people", "R0001 and B1300")
	b.see("desk-position-withheld")
}
