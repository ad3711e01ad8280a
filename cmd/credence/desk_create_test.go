package main

import "testing"

// TestJourneyDeskCreate is how somebody comes to be on record: an officer who does not find her is shown who may be the same,
// and creates her.
func TestJourneyDeskCreate(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	const agent, manager = "656005750117", "656005750116"
	b := newBrowser(t)
	b.atDesk(d, agent, "/desk/people")
	b.fill("#q", "Winnie Stewardly")
	b.click("#find")
	b.click("#create")
	b.see("desk-create")
	b.fill("#given_name", "Winifred")
	b.fill("#family_name", "Stewardly")
	b.fill("#date_of_birth", "31st of March")
	b.click("#look")
	b.want("#error-summary", "Enter the date of birth")
	b.see("desk-create-error")
	b.fill("#date_of_birth", "31/3/1990")
	b.click("#look")
	b.want("#shown", "1 person on record may be the same person")
	b.want("#people", manager)
	b.see("desk-create-alike")
	b.click("#create")
	b.want("h1", "Winifred Stewardly")
	b.want("#person", "31 March 1990")

	// Whoever enters her again is led to her.
	b.open(d.issuer + "/desk/people/new")
	b.fill("#given_name", "Winnifred")
	b.fill("#family_name", "Stewardly")
	b.fill("#date_of_birth", "31 3 1990")
	b.click("#look")
	b.want("#people", "Born on the same day")
	b.follow("#people")
	b.want("#person", "31 March 1990")

	b.open(d.issuer + "/desk/people/new")
	b.fill("#given_name", "Zoë")
	b.fill("#family_name", "Quist")
	b.fill("#date_of_birth", "1/2/1985")
	b.click("#look")
	b.want("#none", "Nobody on record is like the person")
	b.see("desk-create-none")
	b.click("#create")
	b.want("h1", "Zoë Quist")
}
