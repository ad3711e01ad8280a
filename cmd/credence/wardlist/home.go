package wardlist

import (
	"cmp"
	"net/http"
	"slices"
)

// home shows the ward list to whoever is signed in, and to anybody else what
// this is and how to sign in.
func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	_, current, ok := s.session(r)
	if !ok {
		s.render(r.Context(), w, http.StatusOK, welcomePage{Issuer: s.config.Issuer})
		return nil
	}
	s.render(r.Context(), w, http.StatusOK, newListPage(current))
	return nil
}

// welcomePage is the page for somebody who is not signed in.
type welcomePage struct{ Issuer string }

// Title is the title of the page.
func (welcomePage) Title() string { return "Sign in" }

func (welcomePage) template() string { return "welcome.html" }

// listPage is the ward list.
type listPage struct {
	Person       string
	Role         string // empty when no role is in use
	Organisation string // empty when none is named
	Level        string // of the authenticator; empty when none is named
	Identity     string // level of the identity proof; empty when none is named
	SignedInAt   string // empty when the claims do not say
	CheckedAt    string // empty before the first check
	Prescribed   string // the bed last prescribed for; empty before that
	PrescribedAt string
	ACR          string // the rule that the sign-in met; empty when none is named
	Prescriber   bool   // whether to offer to prescribe: the activity is held, however weak the sign-in
	Simulated    bool
	View         decision
	Prescribe    decision
	Patients     []patient // none when View is denied
	Claims       []claimGroup
}

// Title is the title of the page.
func (listPage) Title() string { return "Ward list" }

func (listPage) template() string { return "list.html" }

// person is the name to show, or the identifier when there is no name.
func (s session) person() string { return cmp.Or(s.userInfo.text("name"), s.subject) }

func newListPage(current session) listPage {
	page := listPage{
		Person:    current.person(),
		Role:      current.idToken.named(claimRole).label(),
		Level:     current.idToken.text(claimLevel),
		Identity:  current.idToken.text("identity_assurance_level"),
		ACR:       current.idToken.text("acr"),
		Simulated: slices.Contains(current.idToken.texts("amr"), "simulated"),
		Claims:    layOut(current.idToken, current.userInfo),
	}
	if at := current.idToken.named("organisation"); at.Code != "" {
		page.Organisation = at.label()
	}
	if at, ok := current.idToken.instant("auth_time"); ok {
		page.SignedInAt = clock(at)
	}
	if !current.checkedAt.IsZero() {
		page.CheckedAt = clock(current.checkedAt)
	}
	if done := current.prescribed; done.ID != "" {
		page.Prescribed, page.PrescribedAt = done.Bed, clock(done.PrescribedAt)
	}
	page.View, page.Prescribe = decide(current.idToken)
	if page.View.Permitted {
		page.Patients, page.Prescriber = patients(), current.idToken.prescriber()
	}
	return page
}

// patient is a line of the ward list.
type patient struct{ Bed, Name, Born, Today string }

// patients are invented, and named so that nobody can think otherwise.
func patients() []patient {
	return []patient{
		{"1", "Aster Example", "1 January 1950", "Review after the morning round"},
		{"2", "Bramble Sample", "2 February 1962", "Fasting from noon for a scan"},
		{"3", "Clover Placeholder", "3 March 1974", "Home today if the blood count allows"},
		{"4", "Damson Demonstration", "4 April 1938", "Help with meals; daughter visits at two"},
	}
}
