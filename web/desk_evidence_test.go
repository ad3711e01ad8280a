package web

import "time"

// deskEvidencePages are the pages of the desk on which an identity is proved, by the name of their golden file.
func deskEvidencePages() map[string]Page {
	at := func(day int) time.Time { return time.Date(2026, time.November, day, 9, 0, 0, 0, time.UTC) }
	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Bartholomew Keykeeper"},
		Role:   Role{ID: "555200000105", Name: "Registration Authority Agent", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"What needs doing", "/desk", ""}, {"People", "/desk/people", "true"}},
	}
	wrong := desk
	wrong.Errors = []FieldError{{"given_name", "These given names are not the ones on record"}, {"vpip", "Tick what you checked"}, {"", "Two pieces are the same passport."}}
	nowhere := desk
	nowhere.Errors = []FieldError{{"organisation", "Enter the code of an organisation, such as RX001"}}
	camera, unkept := desk, desk
	camera.Camera, unkept.Camera = true, true
	unkept.Errors = []FieldError{{"upload", "Select another photograph: it has to be a JPEG or a PNG"}}
	const of = "/desk/people/555100000001/evidence"
	passport := EvidenceRow{
		Kind: "Passport", Issuer: "HM Passport Office", Number: "···789", IssuedOn: "2 March 2021", ExpiresOn: "1 March 2031",
		Checks: []string{"Its signature verified, such as that of a chip, Riverside General Hospital, 3 November 2026"}, RecordedBy: "Bartholomew Keykeeper", RecordedAt: at(3),
		Organisation: "Riverside General Hospital", CheckedBy: "Perpetua Vouchsafe", FaceToFace: true, WithdrawURL: of + "/0196/withdraw",
	}
	forged := EvidenceRow{
		Kind: "Bank statement", Checks: []string{"Failed: Inspected in the hand, 2 November 2026"}, RecordedBy: "operator:desk", RecordedAt: at(2),
		Withdrawn: &Withdrawn{"forged", "Winifred Stewardley", at(3)},
	}
	form := DeskEvidenceForm{
		Desk: desk, PersonName: "Amara Okafor", EvidenceURL: of, Kind: "passport", PostURL: of + "/new?kind=passport", Numbered: true,
		Features: []Option{{Value: "machine_readable", Label: "Machine readable"}, {Value: "biometric_chip", Label: "Biometric chip"}},
		Checks: []CheckGroup{
			{"vpip", "Inspected in the hand", []Option{{Value: "physical", Label: "Its physical features look genuine"}, {Value: "original_document", Label: "The original was inspected and not a copy"}}},
			{"vcrypt", "Its signature verified, such as that of a chip", []Option{{Value: "cryptographic", Label: "Its signature is right"}}},
		},
		Failed: []Option{{Value: "vpip", Label: "In the hand, it does not look genuine"}, {Value: "vcrypt", Label: "Its signature is not right, such as that of a chip"}},
	}
	form.Declaration = []Option{{Value: "in_person", Label: "I met the person face to face"}}
	mistaken := form
	mistaken.Desk, mistaken.Kind, mistaken.Numbered, mistaken.Features = wrong, "bank statement", false, nil
	mistaken.GivenName, mistaken.FamilyName, mistaken.Born, mistaken.Number, mistaken.Issuer = "Amra", "Okafor", "31/3/1985", "12 34", "Some Bank"
	mistaken.Country, mistaken.Issued, mistaken.Expires, mistaken.Source, mistaken.TrainedBy = "GBR", "1/11/2026", "tomorrow", "Some Bank", "Some body"
	mistaken.AsksCode = true
	mistaken.Failed = []Option{{Value: "vpip", Label: "In the hand, it does not look genuine", Checked: true}}
	record := mistaken
	record.Desk, record.Kind, record.Since, record.Policy = desk, "current account", "1/5/2024", "published"
	record.Policies = []Option{{Label: "Select one"}, {Value: "published", Label: "By rules that it publishes"}}
	withdraw := DeskEvidenceWithdraw{
		Desk: desk, PersonName: "Amara Okafor", EvidenceURL: of, Kind: "passport", RecordedBy: "Bartholomew Keykeeper", RecordedAt: at(3), PostURL: of + "/0196/withdraw",
	}
	again := withdraw
	again.Errors, again.Reason = []FieldError{{"reason", "Select why it is withdrawn"}}, "forged"
	proposal := DeskProposal{
		Waits: true,
		Desk:  desk, PersonName: "Amara Okafor", EvidenceURL: of, Kind: "passport", ProposedBy: "Perpetua Vouchsafe", ProposedAt: at(3),
		Says: []Detail{{"Given names", []string{"Amara"}}, {"Number", []string{"123456789"}}}, Checks: []string{"Inspected in the hand, 3 November 2026"}, PostURL: "/desk/evidence/0196",
	}
	own := proposal
	own.Own, own.ByVideo = true, true
	own.Errors = []FieldError{{"verdict", "Select whether you confirm or dismiss it"}}
	oldest, newest := sortings("/desk/evidence", "Since when", "at", "Oldest first", "Newest first")
	return map[string]Page{
		"desk-evidence": DeskEvidence{
			Desk: desk, Sorting: oldest, URL: of, PersonName: "Amara Okafor", PersonURL: "/desk/people/555100000001", Identity: "Medium (M1A)", Note: "The level stands.",
			Missing: []EvidenceGap{
				{"high", [][]string{{"Bring your passport again: the desk has to read its chip.", "Have your face compared."}, {"Bring another proof of who you are."}}, [][]string{{"validity 3 of the passport"}, {"strength 4"}}},
				{"very high", nil, [][]string{{"verification 4"}}},
			},
			AddURL: of + "/new", MeetURL: "/desk/people/555100000001/meetings/new", Evidence: []EvidenceRow{forged, passport}, NextURL: of + "?after=0196", Waiting: []KindLink{{"Driving licence", "/desk/evidence/0197"}},
		},
		"desk-photograph": DeskPhotograph{
			Desk: camera, PersonName: "Amara Okafor", PersonURL: "/desk/people/555100000001", ImageURL: "/desk/people/555100000001/photograph.jpg", TakenBy: "Bartholomew Keykeeper",
			TakenAt: at(3), PostURL: "/desk/people/555100000001/photograph",
		},
		"desk-photograph-none":        DeskPhotograph{Desk: unkept, PersonName: "Amara Okafor", PersonURL: "/desk/people/555100000001", PostURL: "/desk/people/555100000001/photograph"},
		"desk-evidence-change-awaits": DeskEvidenceChange{Desk: desk, PersonName: "Amara Okafor", EvidenceURL: of, Kind: "passport", Awaits: true, Before: "Not proved", After: "High (H1A)"},
		"desk-proposals": DeskProposals{
			Desk: desk, Sorting: newest, Organisation: "RX001", Proposals: []ProposalRow{{"Passport", "Amara Okafor", "Bartholomew Keykeeper", "3 days", "/desk/evidence/0196"}}, NextURL: "/desk/evidence?organisation=RX001&after=0196",
		},
		"desk-proposals-none":  DeskProposals{Desk: desk, Organisation: "RX001"},
		"desk-proposals-error": DeskProposals{Desk: nowhere, Organisation: "NOWHERE"},
		"desk-proposal":        proposal,
		"desk-proposal-own":    own,
		"desk-evidence-none":   DeskEvidence{Desk: desk, PersonName: "Bram de Vries", PersonURL: "/desk/people/555100000002", Identity: "Not proved", AddURL: of + "/new", MeetURL: "/desk/people/555100000001/meetings/new"},
		"desk-evidence-kinds": DeskEvidenceKinds{Desk: desk, PersonName: "Amara Okafor", EvidenceURL: of, Groups: []KindGroup{
			{"Documents", []KindLink{{"Passport", of + "/new?kind=passport"}, {"Driving licence", of + "/new?kind=driving_permit"}}},
			{"People who vouch", []KindLink{{"Written attestation", of + "/new?kind=written_attestation"}}},
		}},
		"desk-evidence-form":           form,
		"desk-evidence-form-error":     mistaken,
		"desk-evidence-form-record":    record,
		"desk-evidence-withdraw":       withdraw,
		"desk-evidence-withdraw-error": again,
		"desk-evidence-change":         DeskEvidenceChange{Desk: desk, PersonName: "Amara Okafor", EvidenceURL: of, Kind: "passport", Before: "Not proved", After: "High (H1A)", Like: true},
		"desk-evidence-change-again":   DeskEvidenceChange{Desk: desk, PersonName: "Amara Okafor", EvidenceURL: of, Kind: "passport", Before: "High (H1A)", After: "High (H1A)", Again: true},
		"desk-evidence-change-withdrawn": DeskEvidenceChange{
			Desk: desk, PersonName: "Amara Okafor", EvidenceURL: of, Kind: "passport", Withdrawn: true, Before: "High (H1A)", After: "Not proved",
			Others: []KindLink{{"Person 555100000002", "/desk/people/555100000002/evidence"}},
		},
	}
}
