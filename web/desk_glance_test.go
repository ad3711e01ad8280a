package web

import "time"

// deskGlancePages are an organisation at a glance and what its figures lead to, by the name of their golden file.
func deskGlancePages() map[string]Page {
	at := func(day int) time.Time { return time.Date(2026, time.November, day, 9, 0, 0, 0, time.UTC) }
	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Winifred Stewardley"},
		Role:   Role{ID: "555200000105", Name: "Registration Authority Manager", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"What needs doing", "/desk", ""}, {"Requests", "/desk/requests", ""}},
	}
	wrong := desk
	wrong.Errors = []FieldError{{"organisation", "Enter the code of an organisation, such as RX001"}}
	figures := []Figure{
		{"Open requests", Amount{1000, true}, "The oldest has waited for 3 days", "/desk/requests?organisation=RX001"},
		{"Requests that nobody looks after", Amount{1, false}, "The oldest has waited for 2 hours", "/desk/requests?organisation=RX001&owner=nobody"},
		{"Positions to approve", Amount{1, false}, "The oldest has waited for 2 hours", "/desk/positions?organisation=RX001&state=proposed"},
		{"Open access reviews", Amount{}, "None waits", "/desk/reviews?organisation=RX001&state=open"},
		{"Unusual sign-ins", Amount{2, false}, "In the last 28 days", "/desk/unusual?organisation=RX001"},
	}
	bars := []Bar{
		{"1 November 2026", Amount{1000, true}, "/desk/expiring?week=1"},
		{"8 November 2026", Amount{1, false}, "/desk/expiring?week=2"},
		{"15 November 2026", Amount{500, false}, "/desk/expiring?week=3"},
		{"22 November 2026", Amount{}, "/desk/expiring?week=4"},
	}
	chart := Chart{"expiring", "Positions that people lose in the next four weeks", "How many expire, week by week", "Week from", bars}
	days := &LineChart{"signed-in", "Sign-ins of the last four weeks", "How many sign-ins there were, day by day", "Day", []Point{{"1 November 2026", 12, "/desk/audit?from=1"}, {"2 November 2026", 1200, "/desk/audit?from=2"}, {"3 November 2026", 0, "/desk/audit?from=3"}}}
	quiet := *days
	quiet.Points = days.Points[2:]
	nothing := chart
	nothing.Bars = bars[3:]
	role := ExpiringRole{"Amara Okafor", "555100000001", "/desk/people/555100000001", "Ward nurse", "/desk/positions/555500000001", "RX001", at(29)}
	list := DeskExpiring{Desk: desk, Organisation: "RX001", From: at(1), Until: at(29)}
	mistaken := list
	mistaken.EnteredFrom, mistaken.EnteredUntil = "x", "30/11/2030 09:00:05"
	mistaken.Errors = []FieldError{{"from", "Enter a day, or a time, such as 1/11/2030 or 1/11/2030 09:00"}}
	listed := list
	listed.Sorting, _ = sortings("/desk/expiring", "Expires", "expires", "Soonest first", "Latest first")
	listed.Roles, listed.NextURL = []ExpiringRole{role, role}, "/desk/expiring?after=1"
	oldest, newest := sortings("/desk/unusual", "When", "at", "Oldest first", "Newest first")
	return map[string]Page{
		"desk-glance":         DeskGlance{Desk: desk, Organisation: "RX001", Name: "Riverside General Hospital", SignIns: days, Figures: figures, Expiring: &chart, PolicyURL: "/desk/organisations/RX001/policy"},
		"desk-glance-nothing": DeskGlance{Desk: desk, Organisation: "RX001", Name: "Riverside General Hospital", SignIns: &quiet, Figures: figures[3:], Expiring: &nothing},
		"desk-glance-reviews": DeskGlance{Desk: desk, Organisation: "RX001", Name: "Riverside General Hospital", Figures: figures[:1]},
		"desk-expiring":       listed,
		"desk-expiring-none":  list,
		"desk-expiring-times": mistaken,
		"desk-expiring-error": DeskExpiring{Desk: wrong, Organisation: "NOWHERE"},
		"desk-unusual": DeskUnusual{
			Desk: desk, Sorting: newest, Organisation: "RX001", Days: 28, NextURL: "/desk/unusual?after=1", SignIns: []UnusualSignIn{
				{at(2), "Amara Okafor", "555100000001", "192.0.2.1", "/desk/audit?person=555100000001", []string{"A recovery code was used", "After five or more in an hour that were refused"}},
				{at(1), "Bram de Vries", "555100000002", "", "/desk/audit?person=555100000002", []string{"A recovery code was used"}},
			},
		},
		"desk-unusual-none":  DeskUnusual{Desk: desk, Sorting: newest, Organisation: "RX001", Days: 28},
		"desk-unusual-error": DeskUnusual{Desk: wrong, Organisation: "NOWHERE"},
		"desk-suspended": DeskSuspended{
			Desk: desk, Sorting: oldest, Organisation: "RX001", NextURL: "/desk/suspended?after=1", Authenticators: []SuspendedAuthenticator{
				{"Amara Okafor", "555100000001", "/desk/people/555100000001/authenticators", "Blue key", "Security key", "Lost", at(1)},
			},
		},
		"desk-suspended-none":  DeskSuspended{Desk: desk, Sorting: oldest, Organisation: "RX001"},
		"desk-suspended-error": DeskSuspended{Desk: wrong, Organisation: "NOWHERE"},
		"desk-glance-link":     DeskHome{Desk: desk, Requests: &Waiting{}, GlanceURL: "/desk/organisations/RX001"},
	}
}
