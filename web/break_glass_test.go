package web

import "time"

// breakGlassPages are the pages of break-glass, by the name of their golden file.
func breakGlassPages() map[string]Page {
	at := func(day, hour int) time.Time { return time.Date(2026, time.November, day, hour, 5, 0, 0, time.UTC) }
	frame := Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Amara Okafor"}
	wrong := frame
	wrong.Errors = []FieldError{{"code", "This is the code of the other envelope"}, {"reason", "Enter a reason, of up to 500 characters"}}
	asked := BreakGlassOpening{
		Frame: frame, PostURL: "/break-glass/0196", Organisation: "Riverside General Hospital", AskedBy: "Amara Okafor", Reason: "Nobody of the registration authority answers",
		LapsesAt: at(22, 3),
	}
	own, lapsed := asked, asked
	own.Own, lapsed.Over = true, true
	opened := asked
	opened.ConfirmedBy, opened.OpenedAt, opened.EndsAt = "Bram de Vries", at(22, 3), at(22, 7)
	ownOpened, over := opened, opened
	ownOpened.Own, over.Over = true, true
	signed := over
	signed.Signed = true
	late := opened
	late.Errors = []FieldError{{"", "It has ended already"}}

	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Winifred Stewardley"},
		Role:   Role{ID: "555200000105", Name: "Registration Authority Manager", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"What needs doing", "/desk", ""}},
	}
	nowhere, unsigned := desk, desk
	nowhere.Errors = []FieldError{{"organisation", "Enter the code of an organisation, such as RX001"}}
	unsigned.Errors = []FieldError{{"note", "Enter what you found, in up to 1,000 characters"}}
	row := BreakGlassRow{
		OrganisationName: "Riverside General Hospital", OrganisationCode: "RX001", AskedBy: "Amara Okafor", ConfirmedBy: "Bram de Vries",
		Reason: "Nobody of the registration authority answers", OpenedAt: at(22, 3), EndsAt: at(22, 7), State: "To be signed for", URL: "/desk/break-glass/0196",
	}
	inUse, done := row, row
	inUse.State, done.State = "In use", "Signed for"
	_, newest := sortings("/desk/break-glass", "Opened", "at", "Oldest first", "Newest first")
	list := DeskBreakGlasses{Desk: desk, Sorting: newest, Organisation: "RX001"}
	all := list
	all.Show, all.Rows, all.NextURL = "all", []BreakGlassRow{inUse, row, done}, "/desk/break-glass?after=0196&show=all"
	review := DeskBreakGlass{
		Desk: desk, Sorting: newest, BreakGlassRow: row, CanSign: true, PostURL: "/desk/break-glass/0196", NextURL: "/desk/break-glass/0196?after=7",
		Lines: []AuditLine{{At: at(22, 4), What: "Something to sign in with added", By: "Amara Okafor (555100000001)", Role: "S0080:G0450:R9001 at RX001", About: "Bram de Vries (555100000002)", Address: "192.0.2.1", Reference: "7ZQK3M5TXB"}},
	}
	mistaken, using, closed := review, review, review
	mistaken.Desk, mistaken.Note = unsigned, " "
	using.BreakGlassRow, using.CanSign, using.CanEnd, using.Lines, using.NextURL = inUse, false, true, nil, ""
	closed.BreakGlassRow, closed.CanSign, closed.SignedBy, closed.SignedAt, closed.Note = done, false, "Winifred Stewardley", at(23, 9), "All well"
	return map[string]Page{
		"break-glass":                 BreakGlass{Frame: frame},
		"break-glass-envelope":        BreakGlassEnvelope{Frame: frame},
		"break-glass-envelope-error":  BreakGlassEnvelope{Frame: wrong, Organisation: "RX001"},
		"break-glass-envelope-second": BreakGlassEnvelope{Frame: frame, Second: true},
		"break-glass-opening":         asked,
		"break-glass-waits":           own,
		"break-glass-lapsed":          lapsed,
		"break-glass-opened":          opened,
		"break-glass-opened-own":      ownOpened,
		"break-glass-over":            over,
		"break-glass-signed":          signed,
		"break-glass-error":           late,
		"desk-break-glasses":          list,
		"desk-break-glasses-all":      all,
		"desk-break-glasses-error":    DeskBreakGlasses{Desk: nowhere, Organisation: "NOWHERE"},
		"desk-break-glass":            review,
		"desk-break-glass-error":      mistaken,
		"desk-break-glass-in-use":     using,
		"desk-break-glass-signed":     closed,
		"desk-break-glass-to-be-done": DeskHome{Desk: desk, BreakGlass: &Waiting{Count: 1, Oldest: "9 days, which is overdue", URL: "/desk/break-glass"}},
	}
}
