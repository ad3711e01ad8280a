package web

// deskBulkPages are the pages of bulk requests, by the name of their golden file.
func deskBulkPages() map[string]Page {
	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Perpetua Vouchsafe"},
		Role:   Role{ID: "555200000105", Name: "Sponsor", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"What needs doing", "/desk", ""}, {"Requests", "/desk/requests", "true"}},
	}
	wrong := desk
	wrong.Errors = []FieldError{{"text", "Mend what is wrong with the lines, or select another file"}}
	const file = "person,position,starts,expires,reason\n555100000001,555500000001,,,Starts on Monday\n"
	preview := DeskBulk{
		Desk: desk, PostURL: "/desk/requests/bulk", Text: file, Given: 1, Asked: 1, ApplyURL: "/desk/requests/bulk?seen=0196",
		Effects: []BulkEffect{
			{Line: 2, PersonID: "555100000001", PositionID: "555500000001", Effect: "Given at once, because a sponsor alone decides for this position"},
			{Line: 3, PersonID: "555100000002", PositionID: "555500000002", Effect: "Waits for another officer"},
		},
	}
	refused, changed, done := preview, preview, preview
	refused.Refused, refused.ApplyURL = 1, ""
	refused.Effects = append(refused.Effects, BulkEffect{Line: 4, PersonID: "555100000003", PositionID: "555500000002", Effect: "This position is closed: choose another one.", Refused: true})
	changed.Changed = true
	done.Done, done.Effects = true, []BulkEffect{{Line: 2, PersonID: "555100000001", PositionID: "555500000001", Effect: "Waits for another officer", URL: "/desk/requests/0196"}}
	return map[string]Page{
		"desk-bulk":         preview,
		"desk-bulk-form":    DeskBulk{Desk: desk, PostURL: "/desk/requests/bulk"},
		"desk-bulk-error":   DeskBulk{Desk: wrong, PostURL: "/desk/requests/bulk", Text: "x", Wrong: []string{"line 2: person: want 12 digits", "line 3: it has 4 columns, want 5"}},
		"desk-bulk-refused": refused,
		"desk-bulk-changed": changed,
		"desk-bulk-done":    done,
	}
}
