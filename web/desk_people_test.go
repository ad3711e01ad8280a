package web

import "time"

// deskPeoplePages are the pages of the desk that are about one person, by the name of their golden file.
func deskPeoplePages() map[string]Page {
	at := func(day int) time.Time { return time.Date(2026, time.November, day, 9, 0, 0, 0, time.UTC) }
	desk := Desk{
		Frame:         Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Perpetua Vouchsafe"},
		Role:          Role{ID: "555200000107", Name: "Admin/Clinical Support Access Role", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		ChangeRoleURL: "/desk/role",
		Places:        []Place{{"What needs doing", "/desk", ""}, {"People", "/desk/people", "true"}},
	}
	wrong := func(mistakes ...FieldError) Desk {
		d := desk
		d.Errors = mistakes
		return d
	}
	const of = "/desk/people/555100000001"
	amara := PersonRow{"Amara Okafor", "555100000001", "High", []string{"Hilltop Surgery", "Riverside General Hospital"}, false, of}
	bram := PersonRow{"Amara Oakforth", "555100000002", "Not proved", nil, true, "/desk/people/555100000002"}
	nurse := Role{ID: "555200000101", Name: "Nurse Access Role", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"}
	request := RequestRow{
		What: "Give", PersonName: "Amara Okafor", PersonID: "555100000001", PositionName: "Ward nurse", OrganisationName: "Riverside General Hospital", OrganisationCode: "RX001", AskedByName: "Perpetua Vouchsafe",
		Age: "3 days", URL: "/desk/requests/0196",
	}
	elsewhere := request
	elsewhere.OrganisationCode, elsewhere.URL, elsewhere.OwnerName = "ZX900", "", "Ines Duquette"
	details := []Detail{{"Name", []string{"Ward nurse"}}, {"Job role", []string{"Nurse Access Role (S8000:G8000:R8001)"}}}
	ask := DeskAsk{
		Desk: desk, PersonName: "Amara Okafor", PersonURL: of, PositionName: "Ward nurse", OrganisationName: "Riverside General Hospital", OrganisationCode: "RX001", Position: details,
		PostURL: of + "/positions/555500000001",
	}
	atOnce, end, mistaken := ask, ask, ask
	atOnce.AtOnce, end.End = true, true
	mistaken.Desk = wrong(FieldError{"ends", "Enter a last day that is not before the first, such as 30/11/2031, or nothing"}, FieldError{"reason", "Enter a reason, of up to 500 characters"})
	mistaken.Starts, mistaken.Ends = "1/12/2030", "1/11/2030"
	oldest, _ := sortings("/desk/self-registered", "Registered", "at", "Oldest first", "Newest first")
	byName, _ := sortings(of+"/positions", "Position", "name", "A to Z", "Z to A")
	byStart, _ := sortings(of, "Start", "starts", "Oldest first", "Newest first")
	return map[string]Page{
		"desk-people":       DeskPeople{Desk: desk, Sorting: titled("Name", "User ID", "Identity", "Organisations"), Query: "Amara Okafor", Searched: true, People: []PersonRow{amara, bram}, NextURL: "/desk/people?after=555100000002&q=Amara+Okafor", CreateURL: "/desk/people/new"},
		"desk-people-first": DeskPeople{Desk: desk, Documents: []Option{{Label: "Name, user ID or email address"}, {Value: "passport", Label: "Passport number"}}},
		"desk-people-none":  DeskPeople{Desk: desk, Query: "Xavier Quist", Born: "31/3/1980", Searched: true, CreateURL: "/desk/people/new"},
		"desk-people-error": DeskPeople{Desk: wrong(FieldError{"born", "Enter a date of birth such as 31/3/1980"}), Query: "Amara", Born: "last week"},
		"desk-person": DeskPerson{
			Desk: desk, Name: "Amara Okafor", UserID: "555100000001", Born: "31 March 1985", Email: "amara.okafor@example.org", Identity: "High",
			Registrations: []Detail{{"Number of NMC", []string{"12A3456E"}}},
			Roles: []RoleRow{
				{nurse, "Ward nurse", false, at(1), at(29), of + "/positions/555500000001?end=1"},
				{nurse, "", true, at(29), time.Time{}, ""},
			},
			URL: of, Sorting: byStart, RolesURL: of + "?after=555200000101", AskURL: of + "/positions", EvidenceURL: of + "/evidence", PhotographURL: of + "/photograph.jpg", TakePhotographURL: of + "/photograph", AuthenticatorsURL: of + "/authenticators", Requests: []RequestRow{request, elsewhere},
			Authenticators: []Authenticator{{Name: "Blue key", Kind: "Security key", AddedAt: at(1), LastUsedAt: at(22)}},
		},
		"desk-person-self-registered": DeskPerson{
			Desk: desk, Name: "Amara Okafor", UserID: "555100000001", Email: "amara@example.org", Identity: "Not proved",
			Profile: Profile{RegisteredWith: "RX001", RegisteredAt: at(1), Unproved: true, SameNameURL: "/desk/people?q=Amara+Okafor"},
		},
		"desk-person-registered-proved": DeskPerson{
			Desk: desk, Name: "Amara Okafor", UserID: "555100000001", Email: "amara@example.org", Identity: "High",
			Profile: Profile{RegisteredWith: "RX001", RegisteredAt: at(1), SameNameURL: "/desk/people?q=Amara+Okafor"},
		},
		"desk-self-registered": DeskUnproved{
			Desk: desk, Sorting: oldest, Organisation: "RX001", People: []UnprovedRow{{"Amara Okafor", "555100000001", "RX001", at(1), of}, {"Bram de Vries", "555100000002", "RX002", at(2), "/desk/people/555100000002"}},
			NextURL: "/desk/self-registered?after=555100000002&organisation=RX001",
		},
		"desk-self-registered-none":  DeskUnproved{Desk: desk, Sorting: oldest, Organisation: "RX001"},
		"desk-self-registered-error": DeskUnproved{Desk: wrong(FieldError{"organisation", "Enter the code of an organisation, such as RX001"}), Organisation: "ZZZ"},
		"desk-to-prove":              DeskHome{Desk: desk, Unproved: &Waiting{2, false, "3 days", "/desk/self-registered"}},
		"desk-person-bare":           DeskPerson{Desk: desk, Name: "Bram de Vries", UserID: "555100000002", Identity: "Not proved", Disabled: true},
		"desk-offered": DeskOffered{
			Desk: desk, PersonName: "Amara Okafor", PersonURL: of, SearchURL: of + "/positions", Query: "nurse", Sorting: byName,
			Positions: []OfferedRow{
				{"Ward nurse", "Nights too", "Nurse Access Role", "Riverside General Hospital", false, of + "/positions/555500000001"},
				{"Bank nurse", "", "Nurse Access Role", "Riverside General Hospital", true, of + "/positions/555500000002"},
			},
			NextURL: of + "/positions?after=555500000002",
		},
		"desk-offered-none": DeskOffered{Desk: desk, PersonName: "Amara Okafor", PersonURL: of, SearchURL: of + "/positions"},
		"desk-ask":          ask,
		"desk-ask-at-once":  atOnce,
		"desk-ask-end":      end,
		"desk-ask-error":    mistaken,
	}
}
