package web

import (
	"encoding/json"
	"time"
)

// accountPages are the pages on which people see what is on record about themselves, by the name of their golden file.
func accountPages() map[string]Page {
	at := func(day int) time.Time { return time.Date(2026, time.November, day, 9, 0, 0, 0, time.UTC) }
	account := Account{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Amara Okafor"},
		Places: []Place{{"About you", "/account", ""}, {"Sessions", "/account/sessions", "page"}, {"History", "/account/history", "true"}},
	}
	misnamed := account
	misnamed.Errors = []FieldError{{"name", "Enter a name of 1 to 60 letters, digits and signs"}}
	unknown := account
	unknown.Errors = []FieldError{{"show", "Select what to show"}}
	nurse := Role{ID: "555200000101", Name: "Nurse Access Role", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"}
	shows := []Option{{Label: "Everything"}, {Value: "sign-ins", Label: "Sign-ins and sessions"}, {Value: "refused", Label: "What was refused"}}
	byTime := func(order string) Sorting {
		return Sorting{Orders: []Option{{Value: "-at", Label: "Newest first"}, {Value: "at", Label: "Oldest first"}}, Order: order}
	}
	again := byTime("at")
	again.GoesOn = true
	key := OwnAuthenticator{
		Authenticator: Authenticator{Name: "Blue key", Kind: "Security key", AddedAt: at(1), LastUsedAt: at(22)}, ID: "0196", Model: "Example Key 5", State: "active", Current: true,
		RenameURL: "/account/authenticators/0196/name", RemoveURL: "/account/authenticators/0196/remove", LostURL: "/account/authenticators/0196/lost",
	}
	phone := OwnAuthenticator{
		Authenticator: Authenticator{Name: "Phone", Kind: "Passkey", AddedAt: at(2)}, ID: "0197", State: "active",
		RenameURL: "/account/authenticators/0197/name", RemoveURL: "/account/authenticators/0197/remove", LostURL: "/account/authenticators/0197/lost",
	}
	was := func(name, state string) OwnAuthenticator {
		return OwnAuthenticator{Authenticator: Authenticator{Name: name, Kind: "Passkey", AddedAt: at(3)}, State: state, Since: at(5)}
	}
	create := Ceremony{
		Options: json.RawMessage(`{"challenge":"dGhlIGNoYWxsZW5nZQ","rp":{"id":"localhost","name":"Credence"},` +
			`"user":{"id":"YW1hcmE","name":"555100000001","displayName":"Amara Okafor"},"pubKeyCredParams":[{"type":"public-key","alg":-7}]}`),
		Finish: "/account/authenticators/new?ceremony=abc",
	}
	here := OwnSession{ID: "0198", Method: "Passkey or security key", Level: "3", Address: "192.0.2.7", BegunAt: at(20), SignedInAt: at(22), LastSeenAt: at(22), EndsAt: at(22), Current: true}
	there := OwnSession{ID: "0199", Method: "Password", Level: "1", BegunAt: at(21), SignedInAt: at(21), LastSeenAt: at(21), EndsAt: at(22), EndURL: "/account/sessions/0199/end"}
	signIn := SignInLevel{"3: the strongest", "Passkey or security key", "", at(22)}
	remove := AccountRemove{
		Account: account, Authenticator: key, Falls: true, Has: "3", Left: "2", PostURL: "/account/authenticators/0196/remove?left=2", ListURL: "/account/authenticators",
	}
	last := AccountRemove{Account: account, Lost: true, Authenticator: phone, None: true, Has: "2", Left: "0", PostURL: "/account/authenticators/0197/lost?left=0", ListURL: "/account/authenticators"}
	one := last
	one.None, one.Left = false, "2"
	return map[string]Page{
		"account": AccountOverview{
			Account: account, Meetings: []AwaitedMeeting{{"Bartholomew Keykeeper", "Riverside General Hospital", "1234 5678", at(22)}}, Name: "Amara Okafor", UserID: "555100000001", Email: "amara.okafor@example.org", WrittenIn: "Welsh", Identity: "Medium", SignIn: signIn,
			Sorting: byTime("at"), URL: "/account", NextURL: "/account?after=0196", Evidence: []EvidenceOutline{{"Passport", "HM Passport Office", "···707", at(1), false}, {"Driving licence", "", "", at(2), true}},
			Next: &NextLevel{"high", [][]string{{"Bring your passport again: the desk has to read its chip."}, {"Bring a birth certificate.", "Have your face compared with your photo."}}},
		},
		"account-end-of-evidence":     AccountOverview{Account: account, Sorting: again, URL: "/account", Name: "Bram de Vries", UserID: "555100000002", WrittenIn: "English", Identity: "None", SignIn: signIn},
		"account-bare":                AccountOverview{Account: account, Name: "Bram de Vries", UserID: "555100000002", WrittenIn: "English", CodeURL: "/account/code", Identity: "None", SignIn: signIn, Next: &NextLevel{"low", [][]string{{"Bring a passport."}}}},
		"account-code":                AccountCode{Account: account, Code: "1234 5678", EndsAt: at(22), PostURL: "/account/code"},
		"account-code-none":           AccountCode{Account: account, PostURL: "/account/code"},
		"account-roles":               AccountRoles{Account: account, Sorting: byTime("at"), URL: "/account/roles", Roles: []OwnRole{{nurse, "Ward nurse", false, true, at(1), at(29)}, {nurse, "", true, false, at(29), time.Time{}}}, NextURL: "/account/roles?after=555200000101", ChangeRoleURL: "/sign-in/role"},
		"account-roles-none":          AccountRoles{Account: account},
		"account-authenticators":      AccountAuthenticators{Account: account, Sorting: byTime("at"), URL: "/account/authenticators", NextURL: "/account/authenticators?after=0196", Added: "Phone", Active: []OwnAuthenticator{key, phone}, Inactive: []OwnAuthenticator{was("A", "revoked"), was("B", "lost"), was("C", "suspended"), was("D", "returned"), was("E", "issued")}, AddURL: "/account/authenticators/new"},
		"account-authenticators-none": AccountAuthenticators{Account: account, AddURL: "/account/authenticators/new"},
		"account-add":                 AccountAdd{Account: account, SuggestedName: "My passkey", Ceremony: create, ListURL: "/account/authenticators"},
		"account-add-weak":            AccountAdd{Account: account, Weak: true, ListURL: "/account/authenticators"},
		"account-rename":              AccountRename{Account: account, Is: "Blue key", Name: "Blue key", PostURL: "/account/authenticators/0196/name", ListURL: "/account/authenticators"},
		"account-rename-wrong":        AccountRename{Account: misnamed, Is: "Blue key", PostURL: "/account/authenticators/0196/name", ListURL: "/account/authenticators"},
		"account-remove":              remove,
		"account-remove-last":         last,
		"account-remove-one":          one,
		"account-sessions":            AccountSessions{Account: account, Sorting: byTime("at"), URL: "/account/sessions", NextURL: "/account/sessions?after=0196", Sessions: []OwnSession{here, there}, EndOthersURL: "/account/sessions/end"},
		"account-sessions-one":        AccountSessions{Account: account, Sorting: byTime("-at"), Sessions: []OwnSession{here}},
		"account-end":                 AccountEnd{Account: account, Session: &there, PostURL: "/account/sessions/0199/end", ListURL: "/account/sessions"},
		"account-end-this":            AccountEnd{Account: account, Session: &here, PostURL: "/account/sessions/0198/end", ListURL: "/account/sessions"},
		"account-end-others":          AccountEnd{Account: account, PostURL: "/account/sessions/end", ListURL: "/account/sessions"},
		"account-history": AccountHistory{
			Account: account, Shows: shows, Sorting: byTime("-at"), FirstURL: "/account/history?sort=-at", NextURL: "/account/history?after=7",
			Lines: []HistoryLine{
				{"You signed in", "Passkey, level 2", at(22), "192.0.2.7", "7ZQK3M5TXA", false, false},
				{"A sign-in was refused", "", at(21), "192.0.2.8", "7ZQK3M5TXB", true, false},
				{"An enrolment link was made for you", "", at(20), "", "", false, true},
			},
		},
		"account-history-wrong":   AccountHistory{Account: unknown, Shows: shows, Sorting: byTime("-at")},
		"account-history-end":     AccountHistory{Account: account, Shows: shows, Show: "refused", Sorting: again, FirstURL: "/account/history?sort=at"},
		"account-recovery":        AccountRecovery{Account: account, Left: 9, MadeAt: at(3), NewURL: "/account/recovery/new", LostURL: "/account/recovery/lost"},
		"account-recovery-none":   AccountRecovery{Account: account},
		"account-recovery-codes":  AccountRecovery{Account: account, Codes: []string{"ABCD-EFGH-IJKL-MN23", "OPQR-STUV-WXYZ-2345"}},
		"account-recovery-change": AccountRecoveryChange{Account: account, PostURL: "/account/recovery/new", ListURL: "/account/recovery"},
		"account-recovery-again":  AccountRecoveryChange{Account: account, Left: 9, PostURL: "/account/recovery/new", ListURL: "/account/recovery"},
		"account-recovery-weak":   AccountRecoveryChange{Account: account, Weak: true, PostURL: "/account/recovery/new", ListURL: "/account/recovery"},
		"account-recovery-lost":   AccountRecoveryChange{Account: account, Lost: true, Left: 9, PostURL: "/account/recovery/lost", ListURL: "/account/recovery"},
		"account-data":            AccountData{Account: account, PostURL: "/account/data", MostLines: 5000},
	}
}
