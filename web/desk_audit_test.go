package web

import "time"

// deskAuditPages are the pages that read the record, by the name of their golden file.
func deskAuditPages() map[string]Page {
	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Prudence Readwell"},
		Role:   Role{ID: "555200000109", Name: "Privacy Officer", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"What needs doing", "/desk", ""}, {"Audit record", "/desk/audit", "page"}},
	}
	wrong := desk
	wrong.Errors = []FieldError{{"person", "Enter the user ID of somebody who is on record, of 12 digits"}, {"until", "Enter a day that is not before the first, such as 30/11/2030"}}
	first := DeskAudit{
		Desk: desk, Of: "about", Most: 1000, Outcomes: []Option{{Label: "Any"}, {Value: "done", Label: "Done"}},
		Ofs:    []Option{{Value: "about", Label: "What is on record about this person"}, {Value: "did", Label: "What this person did as an officer", Hint: "In roles at your organisation or below it"}, {Value: "organisation", Label: "What is on record of an organisation"}},
		Events: []Option{{Label: "Anything"}, {Value: "person_viewed", Label: "Record of a person looked at"}},
	}
	none, mistaken, did := first, first, first
	none.Person, none.Searched, none.Name = "555100000001", true, "Amara Okafor"
	mistaken.Desk, mistaken.Person, mistaken.From, mistaken.Until = wrong, "Amara", "2/11/2030", "1/11/2030"
	read := none
	at := time.Date(2026, time.November, 22, 9, 0, 0, 0, time.UTC)
	read.Lines = []AuditLine{
		{
			At: at, What: "Record of a person looked at", Refused: "it is neither at the officer’s organisation nor below it", By: "Aidan Agentson (555100000002)", About: "Amara Okafor (555100000001)",
			Role: "Registration Authority Agent at RX001", Address: "192.0.2.1", Reference: "GHDQGYMT3XZBPVLS",
		},
		{
			At: at, What: "Request decided", Refused: "others had to do with what the person signs in with, and the officer had not seen all of it", By: "Aidan Agentson (555100000002)",
			Changes: []Difference{{Name: "State", Was: []string{"Open"}, Is: []string{"Approved"}}},
		},
		{At: at, What: "Token given to a service", By: "Amara Okafor (555100000001)", About: "Amara Okafor (555100000001)", Service: "ward"},
		{At: at, What: "Access stopped", By: "operator"},
		{
			At: at, What: "Details corrected", By: "Aidan Agentson (555100000002)", About: "Amara Okafor (555100000001)", Role: "Registration Authority Agent at RX001", Reference: "GHDQGYMT3XZBPVLT",
			Changes: []Difference{{Name: "Family name", Was: []string{"Okafor"}, Is: []string{"Okafor-Whitcombe"}}, {Name: "Email address", Is: []string{"amara@example.org"}}},
			Details: []AuditDetail{{Name: "Reason", Value: "She married"}, {Name: "Request", Value: "01a207eb-17ef-73a5-a263-3d88c82f5551", URL: "/desk/requests/01a207eb-17ef-73a5-a263-3d88c82f5551"}},
		},
	}
	_, read.Sorting = sortings("/desk/audit", "When", "at", "Oldest first", "Newest first")
	read.DownloadURL, read.NextURL = "/desk/audit/lines.csv?person=555100000001", "/desk/audit?after=7&person=555100000001"
	did.Person, did.Of, did.Searched, did.Name, did.Lines, did.DownloadURL = "555100000002", "did", true, "Aidan Agentson", read.Lines[:1], "/desk/audit/lines.csv?of=did"
	ofAll := did
	ofAll.Person, ofAll.Of, ofAll.Organisation, ofAll.Event, ofAll.Outcome, ofAll.Name, ofAll.From = "", "organisation", "RX001", "person_viewed", "done", "RX001", "1/11/2030 23:00:00"
	return map[string]Page{"desk-audit-organisation": ofAll, "desk-audit": read, "desk-audit-first": first, "desk-audit-none": none, "desk-audit-did": did, "desk-audit-error": mistaken}
}
