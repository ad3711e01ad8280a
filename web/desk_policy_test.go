package web

import (
	"strings"
	"testing"
)

// deskPolicyPages are how an organisation works, and pages with help at their end, by the name of their golden file.
func deskPolicyPages() map[string]Page {
	help := Help{Text: "Ask the service desk on level 2, from 8 to 18 hours.", Email: "help+desk@example.org", Telephone: "+44 113 496 0000"}
	desk := Desk{
		Frame:  Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Winifred Stewardley", Help: help},
		Role:   Role{ID: "555200000105", Name: "Registration Authority Manager", Organisation: "Riverside General Hospital", OrganisationCode: "RX001"},
		Places: []Place{{"What needs doing", "/desk", ""}},
	}
	wrong := desk
	wrong.Errors = []FieldError{{"help_telephone", "Enter a telephone number in digits, such as 0113 496 0000"}, {"", "Somebody else has changed this since."}}
	read := DeskPolicy{
		Desk: desk, Organisation: "Riverside General Hospital", Code: "RX001", Settings: []PolicySetting{
			{"Officers sign in", "At level 2", "Inherited from Riverside Health Board (RX000)"},
			{"Help", help.Text, "Said by this organisation itself"},
			{"Email address of the help desk", "Not said", "No organisation says anything about it"},
		},
	}
	form := read
	form.PostURL, form.CanRelax = "/desk/organisations/RX001/policy?role=555200000105&seen=3", true
	form.Level, form.Levels = "inherit", []Option{{Value: "3", Label: "At level 3", Hint: "With a key that cannot be copied"}, {Value: "2", Label: "At level 2"}, {Value: "inherit", Label: "As above: at level 2"}}
	form.SecondChecker = []Option{{Value: "yes", Label: "Another officer has to confirm it", Checked: true}}
	form.SelfRegistration = []Option{{Value: "yes", Label: "People can register themselves here"}}
	form.HelpText, form.HelpEmail, form.HelpTelephone = help.Text, help.Email, help.Telephone
	since := form
	since.Desk, since.CanRelax, since.Reason = wrong, false, "We moved"
	since.Meanwhile = &Meanwhile{Differences: []Difference{{"Help", []string{"Ask at the front desk."}, []string{help.Text}}, {"Email address of the help desk", nil, []string{help.Email}}}}
	return map[string]Page{
		"desk-policy":       form,
		"desk-policy-read":  read,
		"desk-policy-since": since,
		"problem-help":      &Problem{Frame: Frame{RequestID: "7ZQK3M5TXA", Help: Help{Telephone: "0113 496 0000"}}, Status: 404, Title: "There is nothing here", Message: "It does not exist."},
		"unmet-help": Unmet{
			Frame: Frame{RequestID: "7ZQK3M5TXA", SignedInAs: "Winifred Stewardley", Help: help}, PostURL: "/sign-in/unmet", ClientName: "Registration desk",
			Authenticator: "at level 3", ChangeRoleURL: "/desk/role",
		},
	}
}

// Whoever is not known, or whose organisation does not say where help is, is told what is said to everybody; and nothing where
// nobody says anything.
func TestHelpOfEverybody(t *testing.T) {
	t.Parallel()
	everybody := Options{Help: Help{Email: "provider@example.org"}}
	for _, tt := range []struct {
		name    string
		options Options
		help    Help
		want    string
	}{
		{"nobody says anything", Options{}, Help{}, ""},
		{"the provider does", everybody, Help{}, "mailto:provider@example.org"},
		{"her organisation does", everybody, Help{Email: "help@example.org"}, "mailto:help@example.org"},
	} {
		body := render(t, tt.options, Welcome{Frame: Frame{Help: tt.help}}).Body.String()
		if got := strings.Count(body, "mailto:"); !strings.Contains(body, tt.want) || (tt.want == "") != (got == 0) || strings.Contains(body, `id="help"`) != (tt.want != "") {
			t.Errorf("%s: the page has %d addresses, want %q", tt.name, got, tt.want)
		}
	}
}
