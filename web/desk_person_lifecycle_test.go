package web

import "time"

// deskLifecyclePages are the pages of the desk on which profiles are corrected, merged and closed, by the name of their golden file.
func deskLifecyclePages() map[string]Page {
	at := time.Date(2026, time.November, 2, 9, 0, 0, 0, time.UTC)
	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Perpetua Vouchsafe"},
		Role:   Role{ID: "555200000107", Name: "Registration Authority Manager", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"What needs doing", "/desk", ""}, {"People", "/desk/people", "true"}},
	}
	wrong := desk
	wrong.Errors = []FieldError{{"reason", "Enter a reason, of up to 500 characters"}}
	nowhere := desk
	nowhere.Errors = []FieldError{{"organisation", "Enter the code of an organisation, such as RX001"}}
	const name, of = "Amara Okafor", "/desk/people/555100000001"
	other := Candidate{PersonRow{"Amara Oakforth", "555100000002", "Not proved", nil, true, "/desk/people/555100000002"}, []string{"A similar name", "Born on the same day"}}
	differences := []Difference{{"Family name", []string{"Okafor"}, []string{"Oakforth"}}, {"Email address", nil, []string{"amara@example.org"}}}
	losses := []Detail{{"Roles", []string{"Ward nurse at Riverside General Hospital"}}, {"Signs in with", []string{"1 authenticator"}}}
	correct := DeskCorrect{
		Desk: desk, PersonName: name, PersonURL: of, PostURL: of + "/correct?seen=0196", Person: Newcomer{"Ms", "Amara", "", "Okafor", "31 March 1985", ""}, Identity: "high",
	}
	since, looked := correct, correct
	since.Desk, since.DisplayName = wrong, "Dr Okafor"
	since.Meanwhile = &Meanwhile{By: "Bartholomew Keykeeper", At: at, Differences: differences}
	looked.Looked, looked.More, looked.People, looked.Reason = true, true, []Candidate{other}, "Married"
	closing := DeskClose{
		Desk: desk, PersonName: name, PersonURL: of, PostURL: of + "/close", Losses: losses,
		As: []Option{{Value: "left", Label: "The person has left health and care"}, {Value: "fraud", Label: "Fraud"}},
	}
	closingWrong := closing
	closingWrong.Desk, closingWrong.Chosen = wrong, "fraud"
	reopen := DeskReopen{Desk: desk, PersonName: name, PersonURL: of, PostURL: of + "/reopen", Profile: Profile{Closed: "fraud", ClosedAt: at}}
	sides := []Side{
		{Name: name, UserID: "555100000001", Born: "31 March 1985", Identity: "High", URL: of, Roles: []string{"Ward nurse at Riverside General Hospital", "Bank nurse at Hilltop Surgery"}},
		{Name: "Amara Oakforth", UserID: "555100000002", Email: "amara.oakforth@riverside-general-hospital.example.org", Identity: "Not proved", URL: "/desk/people/555100000002"},
	}
	merge := DeskMerge{
		Desk: desk, Sides: sides, PostURL: of + "/merge?other=555100000002",
		Keep: []Option{{Value: "555100000001", Label: "555100000001, Amara Okafor"}, {Value: "555100000002", Label: "555100000002, Amara Oakforth"}},
	}
	mergeWrong, proposed := merge, merge
	mergeWrong.Desk, mergeWrong.Kept = wrong, "555100000001"
	proposed.Sides = []Side{sides[0], sides[1]}
	proposed.Sides[0].Kept, proposed.Proposed, proposed.CanDecide, proposed.PostURL = true, true, true, "/desk/merges/0196"
	proposed.Details = []Detail{{"State", []string{"Proposed"}}, {"Proposed by", []string{"Crispin Seconder"}}, {"Reason", []string{"The same photograph"}}}
	proposed.Keep = []Option{{Value: "approved", Label: "Approve: they are one person"}, {Value: "refused", Label: "Refuse"}}
	officers := proposed
	officers.Bound = []BoundAuthenticator{{"blue key", "Perpetua Vouchsafe", at}}
	decided := proposed
	decided.CanDecide = false
	oldest, _ := sortings("/desk/merges", "Proposed", "at", "Oldest first", "Newest first")
	_, newest := sortings(of+"/history", "When", "at", "Oldest first", "Newest first")
	return map[string]Page{
		"desk-person-profile": DeskPerson{Desk: desk, Name: name, UserID: "555100000001", Identity: "High", Profile: Profile{
			AlsoKnown: []Link{{"555100000002", "/desk/people/555100000002"}, {"555100000003", "/desk/people/555100000003"}}, Merges: []Link{{"555100000004", "/desk/merges/0196"}},
			Leaves: []Link{{"RX001", of + "/leave?organisation=RX001"}}, CorrectURL: of + "/correct", MergeURL: of + "/merge", CloseURL: of + "/close", HistoryURL: of + "/history",
		}},
		"desk-person-closed": DeskPerson{Desk: desk, Name: name, UserID: "555100000001", Identity: "None", Disabled: true, Profile: Profile{
			Closed: "it is a duplicate", ClosedAt: at, MergedInto: Link{"555100000002", "/desk/people/555100000002"}, ReopenURL: of + "/reopen",
		}},
		"desk-correct":        correct,
		"desk-correct-since":  since,
		"desk-correct-looked": looked,
		"desk-corrected":      DeskCorrected{Desk: desk, PersonName: name, PersonURL: of, Changes: differences, Unnamed: true, EvidenceURL: of + "/evidence"},
		"desk-close":          closing,
		"desk-close-error":    closingWrong,
		"desk-reopen":         reopen,
		"desk-leave":          DeskLeave{Desk: desk, PersonName: name, PersonURL: of, PostURL: of + "/leave?organisation=RX001", Organisation: "RX001", Losses: losses[:1]},
		"desk-leave-error":    DeskLeave{Desk: wrong, PersonName: name, PersonURL: of, PostURL: of + "/leave?organisation=RX001", Organisation: "RX001", Losses: losses[:1], Last: "soon"},
		"desk-same":           DeskSame{Desk: desk, PersonName: name, PersonURL: of, SearchURL: of + "/merge", People: []Candidate{other}},
		"desk-same-none":      DeskSame{Desk: desk, PersonName: name, PersonURL: of, SearchURL: of + "/merge", Other: "5551"},
		"desk-merge":          merge,
		"desk-merge-error":    mergeWrong,
		"desk-merge-proposed": proposed,
		"desk-merge-officer":  officers,
		"desk-merge-decided":  decided,
		"desk-merges": DeskMerges{
			Desk: desk, Sorting: oldest, Organisation: "RX001", NextURL: "/desk/merges?after=0196", Merges: []MergeRow{
				{name, "555100000001", "Amara Oakforth", "555100000002", "Crispin Seconder", "3 days", "/desk/merges/0196"},
			},
		},
		"desk-merges-none":  DeskMerges{Desk: desk, Sorting: oldest, Organisation: "RX001"},
		"desk-merges-error": DeskMerges{Desk: nowhere, Organisation: "NOWHERE"},
		"desk-history": DeskHistory{Desk: desk, Sorting: newest, URL: of + "/history", PersonName: name, PersonURL: of, NextURL: of + "/history?after=0196", Changes: []HistoryRow{
			{"Details corrected", "", "Crispin Seconder", "Married", at, differences},
			{"Profile closed", "555100000002", "Perpetua Vouchsafe", "A duplicate", at, nil},
		}},
		"desk-history-none": DeskHistory{Desk: desk, PersonName: name, PersonURL: of},
	}
}
