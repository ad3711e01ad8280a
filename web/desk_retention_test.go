package web

import "time"

// deskRetentionPages say for how long records are kept and what was erased, by the name of their golden file.
func deskRetentionPages() map[string]Page {
	at := func(day int) *time.Time { return new(time.Date(2026, time.November, day, 3, 0, 0, 0, time.UTC)) }
	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Prudence Readwell"},
		Role:   Role{ID: "555200000109", Name: "Privacy Officer", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"Retention", "/desk/retention", "page"}, {"Audit record", "/desk/audit", ""}},
	}
	rule := RetentionRule{Record: "Photographs that were replaced", Kept: "1 year after it was replaced"}
	done := rule
	done.Due, done.Soon, done.Erased, done.OldestAt = Amount{100000, true}, Amount{12, false}, 99, at(1)
	done.Stayed, done.Because = 1, "withdraw evidence of person 656005750107: a reference to something that does not exist"
	last := RetentionRun{"/desk/retention/0196", *at(22), nil, "operator:ana", 99}
	before := RetentionRun{"/desk/retention/0195", *at(21), at(21), "The daily run", 0}
	_, newest := sortings("/desk/retention", "Began", "at", "Oldest first", "Newest first")
	return map[string]Page{
		"desk-retention":       DeskRetention{Desk: desk, Sorting: newest, URL: "/desk/retention", Run: &last, Rules: []RetentionRule{done, rule}, Runs: []RetentionRun{last, before}, NextURL: "/desk/retention?after=0195"},
		"desk-retention-first": DeskRetention{Desk: desk, Rules: []RetentionRule{rule}},
	}
}
