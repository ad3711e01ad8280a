package web

import "time"

// deskClientPages are the pages about the services that people sign in to, by the name of their golden file.
func deskClientPages() map[string]Page {
	at := func(day int) time.Time { return time.Date(2026, time.November, day, 9, 0, 0, 0, time.UTC) }
	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Dara Devlin"},
		Role:   Role{ID: "555200000105", Name: "Admin Support", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"What needs doing", "/desk", ""}, {"Services", "/desk/clients", "page"}},
	}
	wrong := func(mistakes ...FieldError) Desk {
		d := desk
		d.Errors = mistakes
		return d
	}
	const of, client = "/desk/clients/0196", "6p2c4xk3zq5wbe7jm2yt"
	form := DeskClientForm{Desk: desk, PostURL: "/desk/clients/apply", Organisation: "RX001", Authentication: "client_secret_basic", MinimumAuthenticator: "2", MinimumIdentity: "medium"}
	scopes := func() []Option {
		return []Option{{Value: "openid", Label: "Who signs in (openid)"}, {Value: "profile", Label: "Their name (profile)"}}
	}
	identities := []Option{{Value: "none", Label: "It need not be proved"}, {Value: "medium", Label: "To level medium at least"}}
	form.SetChoices([]string{"openid"}, false, scopes(), identities)
	mistaken := form
	mistaken.Desk = wrong(FieldError{"environment", "Select a stage"}, FieldError{"redirect_uris", "Redirect URI \"https://ward.example.org/#\": it must have no fragment"})
	mistaken.Authentication, mistaken.JWKSURI = "private_key_jwt", "https://ward.example.org/jwks.json"
	mistaken.Name, mistaken.Purpose, mistaken.Contact, mistaken.RedirectURIs = "Ward list", "Nurses see who is there", "ward@example.org", "https://ward.example.org/#"
	live := form
	live.PostURL, live.FollowsName, live.FollowsURL, live.Name = "/desk/clients/apply?follows=0196", "Ward list", of, "Ward list"
	details := []Detail{{"Stage", []string{"Integration"}}, {"People are sent back to", []string{"https://ward.example.org/callback"}}, {"After they sign out to", nil}}
	passed := &ClientCheck{At: at(20), ByName: "Dara Devlin", Ended: true, Passed: true, Findings: []ClientFinding{
		{"https://ward.example.org/callback", "People are sent back to it after they sign in", true, "It answered 400, over TLS with a valid certificate.", ""},
	}}
	failed := &ClientCheck{At: at(20), ByName: "Dara Devlin", Ended: true, Findings: []ClientFinding{
		{"https://ward.example.org/callback", "People are sent back to it after they sign in", false, "Its certificate has expired, or does not hold yet.", "Renew the certificate."},
	}}
	open := DeskClient{
		Desk: desk, Name: "Ward list", State: "Open", Open: true, Details: details, AppliedByName: "Dara Devlin", AppliedAt: at(19), CheckURL: of + "/check", CanDecide: true, PostURL: of,
	}
	open.Alike = []string{"the organisation Ward List (RX009)", "the service ward list (4t9x2k) of organisation RX002"}
	own, approved, refused := open, open, open
	own.Alike, approved.Alike, refused.Alike = nil, nil, nil
	own.Desk, own.CanDecide, own.CanWithdraw, own.Check, own.FollowsURL = wrong(FieldError{"reason", "Enter a reason, of up to 500 characters"}), false, true, &ClientCheck{At: at(20), ByName: "Dara Devlin"}, "/desk/clients/0195"
	approved.State, approved.Open, approved.CanDecide, approved.ClientID, approved.Check = "Approved", false, false, client, passed
	keyed := approved
	keyed.Decided, keyed.KeysURL = Decision{"Crispin Seconder", "As agreed", at(21)}, of+"/keys"
	approved.Decided, approved.SecretURL, approved.LiveURL = Decision{"Crispin Seconder", "As agreed", at(21)}, of+"/secret", "/desk/clients/apply?follows=0196"
	refused.State, refused.Open, refused.CanDecide, refused.Decided, refused.CheckURL = "Withdrawn", false, false, Decision{"", "Not needed", at(21)}, ""
	waits := open
	waits.CanDecide, waits.WhyNot = false, "The role that you act in does not let you do this."
	secret := DeskClientSecret{Desk: desk, Name: "Ward list", ClientURL: of, ClientID: client, PostURL: of + "/secret?seen=1", MadeAt: at(20), OldEndsAt: at(27), Days: "7"}
	first, secretMistaken := secret, secret
	first.First, first.MadeAt, first.OldEndsAt = true, time.Time{}, time.Time{}
	secretMistaken.Desk, secretMistaken.Days = wrong(FieldError{"days", "Enter a number of days from 0 to 30"}), "many"
	keys := DeskClientKeys{Desk: desk, Name: "Ward list", ClientURL: of, ClientID: client, Keys: []string{"2026-a (RS256, RS512, PS256)", "2026-b (ES256)"}, PostURL: of + "/keys?seen=9f"}
	keysMistaken := keys
	keysMistaken.Desk, keysMistaken.JWKS = wrong(FieldError{"jwks", `Key "2025" is too weak: RSA keys are of 2048 bits at least`}), `{"keys": []}`
	check := DeskClientCheck{Desk: desk, Name: "Ward list", ClientURL: of, PostURL: of + "/check", CanCheck: true, Check: passed}
	notReady, never := check, check
	notReady.Desk, notReady.Check = wrong(FieldError{"", "This was checked just now: wait a minute and check again."}), failed
	never.Check, never.CanCheck = nil, false
	row := ClientRow{"Ward list", "RX001", "Integration", "Dara Devlin", at(19), of}
	_, newest := sortings("/desk/clients", "Applied on", "asked", "Oldest first", "Newest first")
	return map[string]Page{
		"desk-clients":             DeskClients{Desk: desk, Sorting: newest, Organisation: "RX001", State: "open", Clients: []ClientRow{row}, ApplyURL: "/desk/clients/apply", NextURL: "/desk/clients?after=0196&sort=-asked"},
		"desk-clients-none":        DeskClients{Desk: desk, Organisation: "RX001", State: "refused"},
		"desk-clients-error":       DeskClients{Desk: wrong(FieldError{"organisation", "Enter the code of an organisation, such as RX001"}), Organisation: "NOWHERE", State: "open"},
		"desk-client-form":         form,
		"desk-client-form-error":   mistaken,
		"desk-client-form-live":    live,
		"desk-client":              open,
		"desk-client-own":          own,
		"desk-client-approved":     approved,
		"desk-client-keyed":        keyed,
		"desk-client-keys":         keys,
		"desk-client-keys-error":   keysMistaken,
		"desk-client-withdrawn":    refused,
		"desk-client-waits":        waits,
		"desk-client-check":        check,
		"desk-client-check-failed": notReady,
		"desk-client-check-never":  never,
		"desk-client-secret":       secret,
		"desk-client-secret-first": first,
		"desk-client-secret-error": secretMistaken,
		"desk-client-secret-made":  DeskClientSecretMade{Desk: desk, Name: "Ward list", ClientURL: of, ClientID: client, Secret: "k7v9-PzQ2mXw4bN8sR1tY5uA3cE6fH0jLdGiKoMqTyU", OldEndsAt: at(27)},
	}
}
