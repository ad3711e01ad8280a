package web

import "time"

// deskMeetingPages are the pages of a meeting by video, and of what is recorded in it, by the name of their golden file.
func deskMeetingPages() map[string]Page {
	until := time.Date(2026, time.November, 3, 9, 30, 0, 0, time.UTC)
	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Bartholomew Keykeeper"},
		Role:   Role{ID: "555200000105", Name: "Registration Authority Agent", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"What needs doing", "/desk", ""}, {"People", "/desk/people", "true"}},
	}
	const about, of = "/desk/people/555100000001", "/desk/people/555100000001/evidence"
	waits := DeskMeeting{
		Desk: desk, PersonName: "Amara Okafor", EvidenceURL: of, EndsAt: until, Left: 5, PostURL: about + "/meetings/0196", RecordURL: about + "/meetings/0196/evidence", AgainURL: about + "/meetings/new",
	}
	wrong, over, confirmed, spent := waits, waits, waits, waits
	wrong.Errors, wrong.Left = []FieldError{{"code", "This is not the code that the person was sent: ask for it once more"}}, 1
	over.Over, over.Left = true, 0
	confirmed.Confirmed, confirmed.EndsAt = true, until.Add(time.Hour)
	spent.Confirmed, spent.Over = true, true
	shown := []CheckGroup{
		{"vri", "Inspected by an image of it", []Option{{Value: "visible", Label: "Its visible security features are genuine"}}},
		{"pvr", "Its photo compared with an image or video of the person, by somebody", []Option{{Value: "live_capture", Label: "The image was captured live and not uploaded"}}},
	}
	return map[string]Page{
		"desk-meeting-new": DeskMeetingNew{
			Desk: desk, PersonName: "Amara Okafor", EvidenceURL: of, Email: "amara.okafor@example.org", PostURL: about + "/meetings/new", CurrentURL: about + "/meetings/0196",
		},
		"desk-meeting-none": DeskMeetingNew{
			Desk: desk, PersonName: "Amara Okafor", EvidenceURL: of, Why: "You put the email address of this person on record yourself.", CurrentURL: about + "/meetings/0196",
		},
		"desk-meeting":           waits,
		"desk-meeting-error":     wrong,
		"desk-meeting-over":      over,
		"desk-meeting-confirmed": confirmed,
		"desk-meeting-spent":     spent,
		"desk-evidence-video": DeskEvidence{
			Desk: desk, PersonName: "Amara Okafor", PersonURL: "/desk/people/555100000001", Identity: "Medium (M1A)", AddURL: of + "/new", MeetURL: about + "/meetings/0196",
			VideoURL: about + "/meetings/0196/evidence", VideoUntil: until,
			Evidence: []EvidenceRow{{Kind: "Passport", Checks: []string{"Inspected by an image of it, 3 November 2026"}, RecordedBy: "Bartholomew Keykeeper", RecordedAt: until, ByVideo: true, WithdrawURL: of + "/0196/withdraw"}},
		},
		"desk-evidence-video-kinds": DeskEvidenceKinds{
			Desk: desk, PersonName: "Amara Okafor", EvidenceURL: of, VideoUntil: until,
			Groups: []KindGroup{{"Documents", []KindLink{{"Passport", about + "/meetings/0196/evidence?kind=passport"}}}},
		},
		"desk-evidence-video-form": DeskEvidenceForm{
			Desk: desk, PersonName: "Amara Okafor", EvidenceURL: of, VideoUntil: until, Kind: "passport", PostURL: about + "/meetings/0196/evidence?kind=passport", Numbered: true, Checks: shown,
			Failed:      []Option{{Value: "vri", Label: "In its image, it does not look genuine"}},
			Declaration: []Option{{Value: "video", Label: "I saw the person and the originals live on video"}},
		},
	}
}
