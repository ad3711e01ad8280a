package web

import "time"

// deskPages are the pages of the registration desk, by the name of their golden file.
func deskPages() map[string]Page {
	at := func(day, hour int) time.Time { return time.Date(2026, time.November, day, hour, 0, 0, 0, time.UTC) }
	desk := Desk{
		Frame:         Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Bartholomew Keykeeper"},
		Role:          Role{ID: "555200000105", Name: "Registration Authority Agent", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		ChangeRoleURL: "/desk/role",
		Places: []Place{
			{"What needs doing", "/desk", "page"}, {"Requests", "/desk/requests", ""}, {"Positions", "/desk/positions", "true"},
		},
	}
	wrong := desk
	wrong.Errors = []FieldError{{"reason", "Enter a reason, of up to 500 characters"}, {"", "This request was decided or withdrawn already."}}
	wrongOrganisation := desk
	wrongOrganisation.Errors = []FieldError{{"organisation", "Enter the code of an organisation, such as RX001"}}
	row := RequestRow{
		What: "Give", PersonName: "Amara Okafor", PersonID: "555100000001", PositionName: "Ward nurse", OrganisationName: "Riverside General Hospital", OrganisationCode: "RX001", AskedByName: "Perpetua Vouchsafe",
		Age: "3 days", StartsAt: at(23, 8), URL: "/desk/requests/0196",
	}
	owned := row
	owned.OwnerName = "Bartholomew Keykeeper"
	wrongPerson := desk
	wrongPerson.Errors = []FieldError{{"person", "Enter the user ID of somebody who is on record, of 12 digits"}}
	details := []Detail{
		{"Name", []string{"Ward nurse"}},
		{"Notes", nil},
		{"Job role", []string{"Nurse Access Role (S8000:G8000:R8001)"}},
		{"Activities", []string{"View Patient Medication (B0401)", "View Detailed Health Records (B0360)"}},
	}
	differences := []Difference{{"Activities", []string{"View Patient Medication (B0401)"}, nil}}
	request := DeskRequest{
		Desk: desk, RequestRow: row, State: "Waits for a decision", Open: true, Reason: "Starts on Monday", PersonURL: "/desk/people/555100000001",
		AskedAt: at(19, 9), LapsesAt: at(30, 9), ExpiresAt: at(29, 8), Version: 2, Position: details, PositionURL: "/desk/positions/555500000001",
		PostURL: "/desk/requests/0196", CanDecide: true, TakeURL: "/desk/requests/0196?from=",
	}
	requestWith := func(change func(*DeskRequest)) DeskRequest {
		changed := request
		change(&changed)
		return changed
	}
	first := PositionVersion{1, false, "Winifred Stewardley", "New ward", at(1, 9), "Crispin Seconder", at(1, 10)}
	second := PositionVersion{2, false, "Winifred Stewardley", "Medicines too", at(2, 9), "", time.Time{}}
	third := PositionVersion{3, true, "Crispin Seconder", "The ward has closed", at(3, 9), "", time.Time{}}
	_, newestVersion := sortings("/desk/positions/555500000001", "Version", "at", "Oldest first", "Newest first")
	position := DeskPosition{
		Desk: desk, Sorting: newestVersion, PositionRow: PositionRow{"Ward nurse", "555500000001", "Riverside General Hospital", "RX001", "Nurse Access Role", "In force, and a change waits for approval", "/desk/positions/555500000001"},
		Details: details, Changes: differences, Proposed: &second, Holders: 12, HoldersURL: "/desk/positions/555500000001/holders",
		ApproveURL: "/desk/positions/555500000001?version=2", ReviseURL: "/desk/positions/555500000001/revision", CloseURL: "/desk/positions/555500000001/close",
		Versions: []PositionVersion{second, first}, NextURL: "/desk/positions/555500000001?after=1",
	}
	form := DeskPositionForm{
		Desk: desk, PostURL: "/desk/positions/new", Organisation: "RX001",
		JobRoles:   []Option{{Label: "Select a job role"}, {Value: "S8000:G8000:R8001", Label: "Nurse Access Role (S8000:G8000:R8001)"}},
		Activities: []Option{{Value: "B0401", Label: "View Patient Medication (B0401)", Checked: true}, {Value: "B0360", Label: "View Detailed Health Records (B0360)"}},
		Assignable: []Option{{Value: "yes", Label: "A sponsor alone: it is given at once"}},
	}
	revision := form
	revision.PostURL, revision.PositionName, revision.Name, revision.JobRole = "/desk/positions/555500000001/revision?seen=2", "Ward nurse", "Ward nurse", "S8000:G8000:R8001"
	revision.PositionURL = "/desk/positions/555500000001"
	revision.Desk, revision.Notes, revision.Workgroups = wrong, "Nights too", "655694018104 Ward 4\n655694018105 Ward 5"
	revision.Meanwhile = &Meanwhile{Differences: differences}
	includes := position
	includes.Proposed, includes.Changes, includes.ApproveURL = nil, nil, ""
	includes.Includes = []IncludedPosition{
		{"All wards", "RX001", "/desk/positions/555500000002", false, false},
		{"Porters", "RX001", "/desk/positions/555500000003", true, false},
		{"Everybody", "RX000", "/desk/positions/555500000004", false, true},
	}
	includes.Effect = details
	includes.IncludedBy = Includers{Positions: []IncludedPosition{{Name: "Ward manager", OrganisationCode: "RX001", URL: "/desk/positions/555500000005"}}}
	revision.IncludedBy, revision.Includes = Includers{Positions: includes.Includes, More: true}, "555500000002\n555500000003"
	asked, newest := sortings("/desk/requests", "Asked", "asked", "Oldest first", "Newest first")
	byName, fromZ := sortings("/desk/positions", "Name", "name", "A to Z", "Z to A")
	return map[string]Page{
		"desk":         DeskHome{Desk: desk, Requests: &Waiting{1000, true, "3 days", "/desk/requests"}, Positions: &Waiting{1, false, "2 hours", "/desk/positions?state=proposed"}, Evidence: &Waiting{2, false, "3 days", "/desk/evidence"}, CanFind: true},
		"desk-quiet":   DeskHome{Desk: desk, Requests: &Waiting{URL: "/desk/requests"}},
		"desk-nothing": DeskHome{Desk: desk},
		"desk-refused": DeskRefused{Desk: desk, Why: "The role that you act in does not let you do this.", Next: "Ask the registration authority manager of your organisation."},
		"desk-refused-stranger": DeskRefused{
			Desk: Desk{Frame: desk.Frame, Role: desk.Role}, Why: "The registration desk is for officers of the registration authority.", Next: "Ask your manager.",
		},
		"desk-requests":       DeskRequests{Desk: desk, Sorting: asked, Organisation: "RX001", Requests: []RequestRow{row, owned}, NextURL: "/desk/requests?after=0196"},
		"desk-requests-none":  DeskRequests{Desk: desk, Sorting: newest, Organisation: "RX001"},
		"desk-requests-error": DeskRequests{Desk: wrongOrganisation, Organisation: "NOWHERE"},
		"desk-requests-mine":  DeskRequests{Desk: wrongPerson, Sorting: asked, Organisation: "RX001", Owner: "mine", Person: "Amara", Position: "555500000001"},
		"desk-request":        request,
		"desk-request-error": requestWith(func(p *DeskRequest) {
			p.Desk, p.Verdict, p.DecisionReason = wrong, "refused", "Not on this ward"
		}),
		"desk-request-changed": requestWith(func(p *DeskRequest) { p.Changes, p.CanDecide, p.TakeURL, p.CanWithdraw = differences, false, "", true }),
		"desk-request-officer": requestWith(func(p *DeskRequest) {
			p.Bound = []BoundAuthenticator{{"blue key", "Perpetua Vouchsafe", at(3, 9)}, {`"><img src=x>`, "Crispin Seconder", at(4, 9)}}
		}),
		"desk-request-closed": requestWith(func(p *DeskRequest) { p.Closed = true }),
		"desk-request-own": requestWith(func(p *DeskRequest) {
			p.CanDecide, p.TakeURL, p.WhyNot, p.ExpiresAt = false, "", "This is about yourself: ask another officer.", time.Time{}
		}),
		"desk-request-owned": requestWith(func(p *DeskRequest) {
			p.RequestRow, p.OwnerSince, p.TakeURL = owned, at(20, 11), "/desk/requests/0196?from=555100000007"
		}),
		"desk-request-mine": requestWith(func(p *DeskRequest) {
			p.RequestRow, p.OwnerSince, p.TakeURL, p.GiveBackURL = owned, at(20, 11), "", p.PostURL
		}),
		"desk-request-decided": requestWith(func(p *DeskRequest) {
			p.State, p.Open, p.CanDecide, p.TakeURL, p.Decided = "Approved", false, false, "", Decision{"Bartholomew Keykeeper", "As asked", at(20, 9)}
		}),
		"desk-request-at-once": requestWith(func(p *DeskRequest) {
			p.State, p.Open, p.CanDecide, p.TakeURL, p.Decided = "Given at once, because a sponsor alone decides for this position", false, false, "", Decision{"", "the position is assignable", at(19, 9)}
		}),
		"desk-positions": DeskPositions{
			Desk: desk, Sorting: byName, Organisation: "RX001", Positions: []PositionRow{position.PositionRow},
			NextURL: "/desk/positions?after=555500000001", ProposeURL: "/desk/positions/new",
		},
		"desk-positions-proposed": DeskPositions{Desk: desk, Sorting: fromZ, Organisation: "RX001", State: "proposed"},
		"desk-positions-error":    DeskPositions{Desk: wrongOrganisation, Organisation: "NOWHERE"},
		"desk-position":           position,
		"desk-position-includes":  includes,
		"desk-position-to-close": DeskPosition{
			Desk: desk, PositionRow: position.PositionRow, Details: details, Proposed: &third, Holders: 1, HoldersURL: position.HoldersURL,
			ApproveURL: "/desk/positions/555500000001?version=3", Versions: []PositionVersion{third},
		},
		"desk-position-own": DeskPosition{
			Desk: desk, PositionRow: position.PositionRow, Details: details, Proposed: &third, WhyNot: "You proposed it, so another officer has to approve it.",
			Versions: []PositionVersion{third},
		},
		"desk-position-form":          form,
		"desk-position-form-revision": revision,
		"desk-position-close":         DeskPositionClose{Desk: desk, PostURL: "/desk/positions/555500000001/close?seen=2", PositionName: "Ward nurse", PositionURL: "/desk/positions/555500000001", Holders: 1, HoldersURL: position.HoldersURL, IncludedBy: includes.IncludedBy},
		"desk-position-close-error":   DeskPositionClose{Desk: wrong, PostURL: "/desk/positions/555500000001/close?seen=2", PositionName: "Ward nurse", PositionURL: "/desk/positions/555500000001", Reason: "x"},
		"desk-position-reaches": DeskPosition{
			Desk: desk, PositionRow: position.PositionRow, Details: details, Changes: differences, Proposed: &second, Holders: 1200, HoldersURL: position.HoldersURL,
			Gains: details[3:4], Loses: details[2:3], ApproveURL: position.ApproveURL, Versions: []PositionVersion{second},
			Reach: Reach{Behind: 200, Withheld: 1, WithheldURL: "/desk/positions/555500000001/withheld", Including: 30, Refused: 12, LookedAt: 1000, RefusedURL: "/desk/positions/555500000001/withheld?state=proposed"},
		},
		"desk-position-withheld": DeskPositionWithheld{
			Desk: desk, Sorting: newest, URL: "/desk/positions/555500000001/withheld", PositionName: "Ward nurse", PositionURL: "/desk/positions/555500000001",
			NextURL: "/desk/positions/555500000001/withheld?after=1", People: []WithheldPerson{
				{Name: "Amara Okafor", PersonID: "555100000001", URL: "/desk/people/555100000001", StartsAt: at(1, 9), Because: "R0001 and B1300: who reads the record would read her own", Ends: true},
				{Name: "Bram de Vries", PersonID: "555100000002", URL: "/desk/people/555100000002", StartsAt: at(1, 9), Because: "R0001 and B1300: who reads the record would read her own"},
			},
		},
		"desk-position-withheld-proposed": DeskPositionWithheld{
			Desk: desk, Sorting: newest, PositionName: "Ward nurse", PositionURL: "/desk/positions/555500000001", URL: "/desk/positions/555500000001/withheld", State: "proposed", LookedAt: 1000,
			People: []WithheldPerson{{"Amara Okafor", "555100000001", "/desk/people/555100000001", "Ward manager", "/desk/positions/555500000005", at(1, 9), "R0001 and B1300: who reads the record would read her own", false}},
		},
		"desk-position-withheld-none": DeskPositionWithheld{Desk: desk, Sorting: newest, URL: "/desk/positions/555500000001/withheld", PositionName: "Ward nurse", PositionURL: "/desk/positions/555500000001"},
		"desk-position-withheld-error": DeskPositionWithheld{
			Desk: wrongOrganisation, Sorting: newest, URL: "/desk/positions/555500000001/withheld", PositionName: "Ward nurse", PositionURL: "/desk/positions/555500000001", Query: "Amara", Organisation: "NOWHERE",
		},
		"desk-holders": DeskHolders{
			Desk: desk, Sorting: newest, PositionName: "Ward nurse", PositionURL: "/desk/positions/555500000001", NextURL: "/desk/positions/555500000001/holders?after=1",
			Holders: []Holder{
				{"Amara Okafor", "555100000001", "/desk/people/555100000001", 1, at(1, 9), at(30, 9)},
				{"Bram de Vries", "555100000002", "/desk/people/555100000002", 2, at(1, 9), time.Time{}},
			},
		},
		"desk-holders-error": DeskHolders{Desk: wrongOrganisation, Sorting: newest, PositionName: "Ward nurse", PositionURL: "/desk/positions/555500000001", Query: "Amara", Organisation: "NOWHERE"},
		"desk-holders-like":  DeskHolders{Desk: desk, Sorting: newest, PositionName: "Ward nurse", PositionURL: "/desk/positions/555500000001", Query: "Amara"},
		"desk-holders-none":  DeskHolders{Desk: desk, PositionName: "Ward nurse", PositionURL: "/desk/positions/555500000001"},
	}
}
