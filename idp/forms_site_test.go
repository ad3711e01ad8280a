package idp_test

import (
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/lifecycle"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// site is an installation in which every page that people come to is about something, and who comes to it.
type site struct {
	p                                                                             *provider
	manager, agent, advanced, sponsor, privacy, other, owner, registered, glasses *browser
	ward, request, client, keyed, introduction, review, opened                    string
	proposal, meeting, merge, run, person, role                                   string
	own, elsewhere                                                                string // of the account: what she signs in with, and a session
	invitation, registration                                                      string // links
}

// site prepares it.
func (p *provider) site(mails post) *site {
	p.t.Helper()
	s := &site{p: p}
	s.ward, s.request = p.wardNurse()
	s.client, s.keyed, s.introduction = p.wardList(), p.wardListWithKeys(), p.introduced(s.ward)
	p.photographed(noRole)
	s.proposal, s.meeting, s.merge, s.run = p.proposedEvidence(noRole), p.met(noRole), p.proposed(), p.retained()
	p.nursed(formerly, s.ward)
	s.review = p.reviewed()
	s.glasses, _, s.opened = p.brokenGlass()
	s.opened = strings.TrimPrefix(s.opened, "/break-glass/")
	p.enrol(noRole, webauthntest.New())
	p.enrol(sevenRoles, webauthntest.New())
	s.own = p.newestKey(sevenRoles)
	for b, person := range map[**browser]string{&s.manager: raManager, &s.agent: raAgent, &s.advanced: raAdvanced, &s.sponsor: raSponsor, &s.privacy: p.newOfficer("ZX100", "S8002:G8003:R0001"), &s.other: p.newOfficer("ZX000", "S0080:G0450:R5080")} {
		*b, _ = p.atDesk(person, "/desk")
	}
	p.browser().signInAlone(sevenRoles, "smartcard")
	sessions, err := p.owner.SessionsOf(p.t.Context(), sevenRoles, store.Order{By: store.ByTime, Descending: true}, uuid.Nil, 1, p.clock.Now())
	if err != nil || len(sessions) != 1 {
		p.t.Fatalf("SessionsOf(%s) = %v, %v, want one", sevenRoles, sessions, err)
	}
	s.elsewhere = sessions[0].ID.String()
	s.owner = p.browser()
	s.owner.signInAlone(sevenRoles, "smartcard")
	key := webauthntest.NewPasskey()
	s.person = mails.registers("sarah.elsewhere@example.org", key)
	s.registered = p.signedInWith(key)
	s.registration = mails.asks(p.browser(), "another@example.org")
	s.invitation, _ = p.invitation()
	return s
}

// applied is where an application of the manager is that nobody has decided.
func (s *site) applied() string {
	s.p.t.Helper()
	return s.appliedBy(deed.Acting{Person: raManager, Role: managersRole})
}

// appliedBy is where one of an officer is.
func (s *site) appliedBy(by deed.Acting) string {
	s.p.t.Helper()
	id, err := s.p.onboarder().Apply(s.p.t.Context(), by, onboarding.Wanted{
		Organisation: "ZX100", Environment: onboarding.Integration, Purpose: "Nurses see who is there", Contact: "ward@example.org",
		Client: oauth.Registration{Name: "Ward list " + uuid.NewString()[:8], RedirectURIs: []string{callback}, Scopes: []string{"openid"}},
	})
	if err != nil {
		s.p.t.Fatal(err)
	}
	return clientsPath + "/" + id.String()
}

// closed is somebody new whose profile was closed.
func (s *site) closed() (person string) {
	s.p.t.Helper()
	person = s.p.unproved()
	if err := s.p.profiles().Close(s.p.t.Context(), deed.Acting{Person: raManager, Role: managersRole}, person, lifecycle.Left, "She left"); err != nil {
		s.p.t.Fatal(err)
	}
	return person
}

// of is the page of a submission.
func (s *site) of(pattern string, row submission) (*browser, string) {
	s.p.t.Helper()
	if row.page != nil {
		return row.page(s)
	}
	_, path, _ := strings.Cut(pattern, " ")
	return s.at("GET " + path)
}

// at is an address of a page, and a browser of somebody whose page it is.
func (s *site) at(pattern string) (*browser, string) {
	s.p.t.Helper()
	_, path, _ := strings.Cut(pattern, " ")
	switch path {
	case "/enrol":
		return s.p.browser(), s.p.link(oneRole)
	case "/enrol/password":
		b := s.p.browser()
		return b, b.get(s.p.link(oneRole)).passwordLink()
	case "/register/confirm":
		return s.p.browser(), s.registration
	case "/desk/role", "/sign-in/role":
		b := s.p.browser()
		return b, b.simulate(b.get("/desk"), sevenRoles, "smartcard").address().RequestURI()
	case "/sign-in/step-up":
		b := s.p.browser()
		return b, b.simulate(b.get("/desk"), raAgent, "totp").address().RequestURI()
	case "/sign-in/unmet":
		b := s.p.browser()
		return b, b.simulate(b.get("/desk"), noRole, "smartcard").address().RequestURI()
	case "/account/code":
		return s.registered, path
	case "/desk/audit/lines.csv":
		return s.privacy, path + "?person=" + raAgent
	case "/desk/retention/{id}":
		return s.manager, "/desk/retention/" + s.run
	case "/desk/people/{id}/meetings/{meeting}", "/desk/people/{id}/meetings/{meeting}/evidence":
		return s.agent, s.fill(path)
	case "/break-glass/{id}":
		return s.glasses, "/break-glass/" + s.opened
	}
	at := s.fill(path)
	switch {
	case strings.HasPrefix(path, "/desk/unusual"), strings.HasPrefix(path, "/desk/audit"):
		return s.privacy, at
	case strings.HasPrefix(path, "/desk"), strings.HasPrefix(path, "/break-glass"):
		return s.manager, at
	case strings.HasPrefix(path, "/account"), path == "/{$}", path == "/logout", path == "/levels":
		return s.owner, at
	}
	return s.p.browser(), at
}

// fill fills in the address of a route.
func (s *site) fill(path string) string {
	id := s.request
	for _, of := range [][2]string{
		{"/desk/positions", s.ward},
		{"/desk/people", noRole},
		{"/desk/reviews", s.review},
		{"/desk/break-glass", s.opened},
		{"/desk/clients", s.client},
		{"/desk/clients/{id}/keys", s.keyed},
		{"/desk/introductions", s.introduction},
		{"/account/authenticators", s.own},
		{"/account/sessions", s.elsewhere},
	} {
		if strings.HasPrefix(path, of[0]) {
			id = of[1]
		}
	}
	return strings.NewReplacer("{code}", "ZX100", "{merge}", s.merge, "{id}", id, "{proposal}", s.proposal, "{position}", s.ward, "{person}", noRole, "{evidence}", s.p.recorded(noRole),
		"{meeting}", s.meeting, "{authenticator}", s.p.newestKey(noRole), "{act}", "revoke", "{organisation}", "ZX100", "{$}", "").Replace(path)
}
