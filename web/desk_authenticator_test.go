package web

import "time"

// deskAuthenticatorPages are the pages of the desk on which authenticators are bound and changed, by the name of their golden
// file.
func deskAuthenticatorPages() map[string]Page {
	at := func(day int) time.Time { return time.Date(2026, time.November, day, 9, 0, 0, 0, time.UTC) }
	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Bartholomew Keykeeper"},
		Role:   Role{ID: "555200000105", Name: "Registration Authority Agent", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"What needs doing", "/desk", ""}, {"People", "/desk/people", "true"}},
	}
	wrong := desk
	wrong.Errors = []FieldError{{"", "The authenticator is revoked, so it cannot be suspended: look at what can be done with it now."}, {"reason", "Enter a reason, of up to 500 characters"}}
	const of = "/desk/people/555100000001/authenticators"
	blue := AuthenticatorRow{
		Authenticator: Authenticator{Name: "Blue key", Kind: "Security key", AddedAt: at(1), LastUsedAt: at(22)}, Model: "Example Key 5", State: "Active", Level: "Reaches level 3",
		Acts: []KindLink{{"Suspend", of + "/0196/suspend"}, {"Revoke", of + "/0196/revoke"}},
	}
	phone := AuthenticatorRow{Authenticator: Authenticator{Name: "My phone", Kind: "Passkey", AddedAt: at(2)}, State: "Revoked", Level: "Reaches level 2"}
	change := DeskAuthenticatorChange{
		Desk: desk, PersonName: "Amara Okafor", ListURL: of, PostURL: of + "/0196/suspend", Act: "Suspend", What: "From this moment nobody signs in with it.", Authenticator: blue,
	}
	mistaken, resume := change, change
	mistaken.Desk, mistaken.Reason = wrong, "Left on the bus"
	resume.Act, resume.PostURL, resume.Back = "Let it work again", of+"/0196/resume", true
	link := DeskAuthenticatorLink{Desk: desk, PersonName: "Amara Okafor", ListURL: of, PostURL: of + "/link"}
	made := link
	made.Link, made.Code, made.ExpiresAt = "https://id.example.org/enrol?token=ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZ", "01234567", at(23)
	oldest, _ := sortings("/desk/people/555100000001/authenticators", "Added", "at", "Oldest first", "Newest first")
	return map[string]Page{
		"desk-authenticators": DeskAuthenticators{
			Sorting: oldest, URL: "/desk/people/555100000001/authenticators", NextURL: "/desk/people/555100000001/authenticators?after=0196", NextLinksURL: "/desk/people/555100000001/authenticators?after_link=0196",
			Desk: desk, PersonName: "Amara Okafor", PersonURL: "/desk/people/555100000001", Authenticators: []AuthenticatorRow{blue, phone}, AddURL: of + "/new", LinkURL: of + "/link",
			Links: []OpenLink{
				{MadeAt: at(2), ExpiresAt: at(23), TakesCode: true, CancelURL: of + "/link/0197?role=555100000009"}, {MadeAt: at(1), ExpiresAt: at(22), Recovers: true},
			},
		},
		"desk-authenticators-none": DeskAuthenticators{Desk: desk, PersonName: "Amara Okafor", PersonURL: "/desk/people/555100000001"},
		"desk-authenticator-new": DeskAuthenticatorNew{
			Desk: desk, PersonName: "Amara Okafor", ListURL: of, LinkURL: of + "/link", Ceremony: Ceremony{Options: []byte(`{"challenge":"AA"}`), Finish: of + "/new?ceremony=abc"},
		},
		"desk-authenticator-link":         link,
		"desk-authenticator-link-made":    made,
		"desk-authenticator-change":       change,
		"desk-authenticator-change-error": mistaken,
		"desk-authenticator-change-back":  resume,
	}
}
