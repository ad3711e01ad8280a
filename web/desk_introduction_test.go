package web

import "time"

// deskIntroductionPages are the pages about people who are to be put on record, by the name of their golden file.
func deskIntroductionPages() map[string]Page {
	at := func(day int) time.Time { return time.Date(2026, time.November, day, 9, 0, 0, 0, time.UTC) }
	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Perpetua Vouchsafe"},
		Role:   Role{ID: "555200000107", Name: "Admin/Clinical Support Access Role", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"What needs doing", "/desk", ""}, {"Positions", "/desk/positions", "true"}},
	}
	wrong := func(mistakes ...FieldError) Desk {
		d := desk
		d.Errors = mistakes
		return d
	}
	row := IntroductionRow{"Zoë Quist", "Ward nurse", "Riverside General Hospital", "RX001", "Perpetua Vouchsafe", "3 days", "/desk/introductions/0196"}
	details := []Detail{{"Name", []string{"Ward nurse"}}, {"Job role", []string{"Nurse Access Role (S8000:G8000:R8001)"}}}
	person := []Detail{{"Name", []string{"Dr Zoë Quist"}}, {"Date of birth", []string{"1 February 1985"}}, {"Email address", nil}}
	introduce := DeskIntroduce{Desk: desk, PostURL: "/desk/positions/555500000001/introduce", PositionName: "Ward nurse", PositionURL: "/desk/positions/555500000001", OrganisationName: "Riverside General Hospital", OrganisationCode: "RX001", Position: details}
	mistaken := introduce
	mistaken.Desk = wrong(FieldError{"date_of_birth", "Enter a date of birth such as 31/3/1980"}, FieldError{"reason", "Enter a reason, of up to 500 characters"})
	mistaken.Person, mistaken.Starts, mistaken.Ends = Newcomer{"Dr", "Zoë", "", "Quist", "last week", "zoe@example.org"}, "1/12/2030", "30/11/2031"
	open := DeskIntroduction{
		Desk: desk, IntroductionRow: row, State: "Waits for an officer", Person: person, Reason: "Starts on Monday", AskedAt: at(19), StartsAt: at(23), LapsesAt: at(30), ExpiresAt: at(29),
		Version: 2, Position: details, PositionURL: "/desk/positions/555500000001", LookURL: "/desk/people/new?introduction=0196", Dismiss: "Refuse", PostURL: row.URL,
	}
	own, taken, refused := open, open, open
	own.Desk, own.LookURL, own.Dismiss, own.WhyNot = wrong(FieldError{"reason", "Enter a reason, of up to 500 characters"}), "", "Withdraw", "Another officer looks for this person and puts them on record."
	taken.State, taken.LookURL, taken.Dismiss, taken.Ended = "Taken up: the person is on record", "", "", Decision{"Bartholomew Keykeeper", "", at(20)}
	taken.PersonURL, taken.RequestURL = "/desk/people/555100000001", "/desk/requests/0197"
	refused.State, refused.LookURL, refused.Dismiss, refused.Ended = "Refused", "", "", Decision{"Bartholomew Keykeeper", "No such post", at(20)}
	recognise := DeskIntroductionPerson{
		Desk: desk, IntroductionRow: row, Introduced: person, OnRecord: append(person, Detail{"User ID", []string{"555100000001"}}), PersonName: "Zoë Quist",
		PostURL: row.URL + "/people/555100000001", BackURL: "/desk/people/new?introduction=0196",
	}
	recogniseError := recognise
	recogniseError.Desk = wrong(FieldError{"", "This person has this position already, for as long as you ask for."})
	return map[string]Page{
		"desk-introductions":             DeskIntroductions{Desk: desk, Sorting: titled("Person", "Position", "Organisation", "Asked by", "Asked"), Organisation: "RX001", Introductions: []IntroductionRow{row}, NextURL: "/desk/introductions?after=0196", PositionsURL: "/desk/positions"},
		"desk-introductions-none":        DeskIntroductions{Desk: desk, Organisation: "RX001"},
		"desk-introductions-error":       DeskIntroductions{Desk: wrong(FieldError{"organisation", "Enter the code of an organisation, such as RX001"}), Organisation: "NOWHERE"},
		"desk-introduce":                 introduce,
		"desk-introduce-error":           mistaken,
		"desk-introduction":              open,
		"desk-introduction-own":          own,
		"desk-introduction-taken-up":     taken,
		"desk-introduction-refused":      refused,
		"desk-introduction-person":       recognise,
		"desk-introduction-person-error": recogniseError,
		"desk-create-introduced":         DeskCreate{Desk: desk, PostURL: "/desk/people/new?introduction=0196", For: &row, Person: Newcomer{"Dr", "Zoë", "", "Quist", "1 February 1985", ""}},
		"desk-people-none-sponsor":       DeskPeople{Desk: desk, Query: "Zoë Quist", Searched: true, PositionsURL: "/desk/positions"},
		"desk-position-introduce":        DeskPosition{Desk: desk, PositionRow: PositionRow{"Ward nurse", "555500000001", "Riverside General Hospital", "RX001", "Nurse Access Role", "In force", "/desk/positions/555500000001"}, IntroduceURL: "/desk/positions/555500000001/introduce"},
		"desk-request-took-up":           DeskRequest{Desk: desk, RequestRow: RequestRow{What: "Give", PersonName: "Zoë Quist", PositionName: "Ward nurse"}, Open: true, CanDecide: true, TookUp: true, WhyNot: "Another officer has to approve."},
		"desk-introduced":                DeskHome{Desk: desk, Introductions: &Waiting{1, false, "2 hours", "/desk/introductions"}},
	}
}
