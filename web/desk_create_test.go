package web

// deskCreatePages are the pages by which a person is put on record, by the name of their golden file.
func deskCreatePages() map[string]Page {
	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Bartholomew Keykeeper"},
		Role:   Role{ID: "555200000105", Name: "Registration Authority Agent", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"What needs doing", "/desk", ""}, {"People", "/desk/people", "true"}},
	}
	wrong := desk
	wrong.Errors = []FieldError{{"family_name", "Enter a family name, of up to 100 characters"}, {"date_of_birth", "Enter a date of birth such as 31/3/1980"}}
	typed := Newcomer{"Dr", "Amara", "Grace", "Okafor", "31/3/1985", "amara.okafor@example.org"}
	candidates := []Candidate{
		{PersonRow{"Amara Okafor", "555100000001", "High", []string{"Hilltop Surgery", "Riverside General Hospital"}, false, "/desk/people/555100000001"}, []string{"A similar name", "Born on the same day"}},
		{PersonRow{"A team", "555100000002", "Not proved", nil, true, "/desk/people/555100000002"}, []string{"The same email address"}},
	}
	const post, sure = "/desk/people/new", "/desk/people/new?shown=555100000001.555100000002"
	return map[string]Page{
		"desk-create":       DeskCreate{Desk: desk, PostURL: post},
		"desk-create-error": DeskCreate{Desk: wrong, PostURL: post, Person: Newcomer{"Dr", "Amara", "Grace", "", "last week", "amara.okafor@example.org"}},
		"desk-create-alike": DeskCreate{Desk: desk, PostURL: sure, Person: typed, Looked: true, People: candidates, More: true},
		"desk-create-again": DeskCreate{Desk: desk, PostURL: sure, Person: typed, Looked: true, People: candidates[:1], Again: true},
		"desk-create-none":  DeskCreate{Desk: desk, PostURL: post + "?shown=", Person: typed, Looked: true},
	}
}
