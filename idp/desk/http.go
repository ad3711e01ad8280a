package desk

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/web"
)

// Mount adds the pages to the server. A form is posted to the address of the page that has it.
func (h *Handler) Mount(handle func(pattern string, f func(http.ResponseWriter, *http.Request) error)) {
	handle("GET /desk", h.officers(h.overview))
	handle("GET "+rolePath, h.changeRole)
	handle("GET "+organisationsPath+"/{code}", h.officers(h.glance))
	handle("GET "+organisationsPath+"/{code}/policy", h.officers(h.policy))
	handle("POST "+organisationsPath+"/{code}/policy", h.officers(h.setPolicy))
	handle("GET "+expiringPath, h.officers(h.expiring))
	handle("GET "+unusualPath, h.officers(h.unusual))
	handle("GET "+suspendedPath, h.officers(h.suspended))
	handle("GET "+unprovedPath, h.officers(h.unproved))
	handle("GET /desk/requests", h.officers(h.requests))
	handle("GET "+bulkPath, h.officers(h.bulk))
	handle("POST "+bulkPath, h.officers(h.askBulk))
	handle("GET /desk/requests/{id}", h.officers(h.request))
	handle("POST /desk/requests/{id}", h.officers(h.decide))
	handle("GET /desk/positions", h.officers(h.positions))
	handle("GET /desk/positions/new", h.officers(h.newPosition))
	handle("POST /desk/positions/new", h.officers(h.propose))
	handle("GET /desk/positions/{id}", h.officers(h.position))
	handle("POST /desk/positions/{id}", h.officers(h.approve))
	handle("GET /desk/positions/{id}/revision", h.officers(h.revision))
	handle("POST /desk/positions/{id}/revision", h.officers(h.revise))
	handle("GET /desk/positions/{id}/close", h.officers(h.closing))
	handle("POST /desk/positions/{id}/close", h.officers(h.close))
	handle("GET /desk/positions/{id}/holders", h.officers(h.holders))
	handle("GET /desk/positions/{id}/withheld", h.officers(h.holdersWithLess))
	handle("GET /desk/positions/{id}/introduce", h.officers(h.introducing))
	handle("POST /desk/positions/{id}/introduce", h.officers(h.introduce))
	handle("GET "+introductionsPath, h.officers(h.introductions))
	handle("GET "+introductionsPath+"/{id}", h.officers(h.introduction))
	handle("POST "+introductionsPath+"/{id}", h.officers(h.dismiss))
	handle("GET "+introductionsPath+"/{id}/people/{person}", h.officers(h.recognising))
	handle("POST "+introductionsPath+"/{id}/people/{person}", h.officers(h.recognise))
	handle("GET "+proposalsPath, h.officers(h.proposals))
	handle("GET "+proposalsPath+"/{proposal}", h.officers(h.proposal))
	handle("POST "+proposalsPath+"/{proposal}", h.officers(h.decideProposal))
	handle("GET /desk/people", h.officers(h.people))
	handle("GET "+createPath, h.officers(h.creating))
	handle("POST "+createPath, h.officers(h.create))
	handle("GET /desk/people/{id}", h.officers(h.person))
	handle("GET /desk/people/{id}/correct", h.officers(h.correcting))
	handle("POST /desk/people/{id}/correct", h.officers(h.correct))
	handle("GET /desk/people/{id}/close", h.officers(h.closingProfile))
	handle("POST /desk/people/{id}/close", h.officers(h.closeProfile))
	handle("GET /desk/people/{id}/reopen", h.officers(h.reopening))
	handle("POST /desk/people/{id}/reopen", h.officers(h.reopen))
	handle("GET /desk/people/{id}/leave", h.officers(h.leaving))
	handle("POST /desk/people/{id}/leave", h.officers(h.leave))
	handle("GET /desk/people/{id}/merge", h.officers(h.comparing))
	handle("POST /desk/people/{id}/merge", h.officers(h.proposeMerge))
	handle("GET /desk/people/{id}/history", h.officers(h.history))
	handle("GET "+mergesPath, h.officers(h.merges))
	handle("GET "+mergesPath+"/{merge}", h.officers(h.merge))
	handle("POST "+mergesPath+"/{merge}", h.officers(h.decideMerge))
	handle("GET /desk/people/{id}/positions", h.officers(h.offered))
	handle("GET /desk/people/{id}/positions/{position}", h.officers(h.asking))
	handle("POST /desk/people/{id}/positions/{position}", h.officers(h.ask))
	handle("GET /desk/people/{id}/photograph", h.officers(h.photographing))
	handle("POST /desk/people/{id}/photograph", h.officers(h.photographed))
	handle("GET /desk/people/{id}/photograph.jpg", h.officers(h.photographJPEG))
	handle("GET /desk/people/{id}/evidence", h.officers(h.evidence))
	handle("GET /desk/people/{id}/evidence/new", h.officers(h.newEvidence))
	handle("POST /desk/people/{id}/evidence/new", h.officers(h.record))
	handle("GET /desk/people/{id}/meetings/new", h.officers(h.newMeeting))
	handle("POST /desk/people/{id}/meetings/new", h.officers(h.beginMeeting))
	handle("GET /desk/people/{id}/meetings/{meeting}", h.officers(h.meeting))
	handle("POST /desk/people/{id}/meetings/{meeting}", h.officers(h.confirmMeeting))
	handle("GET /desk/people/{id}/meetings/{meeting}/evidence", h.officers(h.newEvidence))
	handle("POST /desk/people/{id}/meetings/{meeting}/evidence", h.officers(h.record))
	handle("GET /desk/people/{id}/evidence/{evidence}/withdraw", h.officers(h.withdrawing))
	handle("POST /desk/people/{id}/evidence/{evidence}/withdraw", h.officers(h.withdraw))
	handle("GET "+reviewsPath, h.officers(h.reviews))
	handle("GET "+reviewsPath+"/new", h.officers(h.newReview))
	handle("POST "+reviewsPath+"/new", h.officers(h.openReview))
	handle("GET "+reviewsPath+"/{id}", h.officers(h.review))
	handle("POST "+reviewsPath+"/{id}", h.officers(h.decideReview))
	handle("GET "+reviewsPath+"/{id}/report.csv", h.officers(h.reviewReport))
	handle("GET "+breakGlassPath, h.officers(h.breakGlasses))
	handle("GET "+breakGlassPath+"/{id}", h.officers(h.breakGlass))
	handle("POST "+breakGlassPath+"/{id}", h.officers(h.changeBreakGlass))
	handle("GET "+retentionPath, h.officers(h.retention))
	handle("GET "+retentionPath+"/{id}", h.officers(h.retention))
	handle("GET "+auditPath, h.officers(h.audit))
	handle("GET "+auditPath+"/lines.csv", h.officers(h.auditLines))
	handle("GET /desk/clients", h.officers(h.clients))
	handle("GET /desk/clients/apply", h.officers(h.applying))
	handle("POST /desk/clients/apply", h.officers(h.apply))
	handle("GET /desk/clients/{id}", h.officers(h.client))
	handle("POST /desk/clients/{id}", h.officers(h.decideClient))
	handle("GET /desk/clients/{id}/check", h.officers(h.checking))
	handle("POST /desk/clients/{id}/check", h.officers(h.check))
	handle("GET /desk/clients/{id}/secret", h.officers(h.secret))
	handle("POST /desk/clients/{id}/secret", h.officers(h.makeSecret))
	handle("GET /desk/clients/{id}/keys", h.officers(h.keys))
	handle("POST /desk/clients/{id}/keys", h.officers(h.replaceKeys))
	handle("GET /desk/people/{id}/authenticators", h.officers(h.authenticators))
	handle("GET /desk/people/{id}/authenticators/new", h.officers(h.newAuthenticator))
	handle("POST /desk/people/{id}/authenticators/new", h.officers(h.bindAuthenticator))
	// What is bound by a link may reach any level.
	handle("GET /desk/people/{id}/authenticators/link", h.officersAt(assurance.AAL3, h.inviting))
	handle("POST /desk/people/{id}/authenticators/link", h.officersAt(assurance.AAL3, h.invite))
	handle("POST /desk/people/{id}/authenticators/link/{link}", h.officers(h.cancelLink))
	handle("GET /desk/people/{id}/authenticators/{authenticator}/{act}", h.officers(h.changingAuthenticator))
	handle("POST /desk/people/{id}/authenticators/{authenticator}/{act}", h.officers(h.changeAuthenticator))
}

// desk is what every page of the desk has.
func (h *Handler) desk(r *http.Request, o officer) web.Desk {
	d := web.Desk{
		Frame: web.Frame{RequestID: audit.RequestOf(r.Context()).ID, SignedInAs: o.name, Help: web.Help(h.Policies.Of(o.Organisation).Help)},
		Role:  web.Role{ID: o.role.ID, Name: h.Catalogue.JobRoleShortName(o.role.JobRole), Organisation: o.role.OrganisationName, OrganisationCode: o.role.OrganisationCode},
	}
	if o.choice {
		d.ChangeRoleURL = rolePath
	}
	if len(o.Actors) == 0 {
		return d
	}
	if name := officerWords(o.Actors[0]); !strings.EqualFold(name, d.Role.Name) {
		d.Officer = name
	}
	here := authority.Subject{Path: []string{o.Organisation}}
	for _, p := range []struct {
		name, path string
		acts       []authority.Act // any of which opens it; nil: every officer's
	}{
		{"What needs doing", "/desk", nil},
		{"People", "/desk/people", []authority.Act{authority.FindPerson}},
		{"Requests", "/desk/requests", office.OnRequests()},
		{"Positions", positionsPath, office.OnPositions()},
		{"Reviews", reviewsPath, []authority.Act{authority.ReviewAccess}},
		{"Services", clientsPath, office.OnClients()},
		{"Retention", retentionPath, []authority.Act{authority.ReadRetention}},
		{"Audit record", auditPath, []authority.Act{authority.ReadAudit}},
	} {
		if p.acts != nil && !h.can(o, here, p.acts...) {
			continue
		}
		place := web.Place{Name: p.name, URL: p.path}
		switch {
		case r.URL.Path == p.path:
			place.Current = "page"
		case p.path != "/desk" && strings.HasPrefix(r.URL.Path, p.path+"/"):
			place.Current = "true"
		}
		d.Places = append(d.Places, place)
	}
	return d
}

// officerWords is what people call an officer.
func officerWords(a authority.Actor) string {
	return map[authority.Actor]string{
		authority.RAManager:                   "registration authority manager",
		authority.RAAgentAdvanced:             "advanced registration authority agent",
		authority.RAAgent:                     "registration authority agent",
		authority.IDChecker:                   "identity checker",
		authority.Sponsor:                     "sponsor",
		authority.LocalSmartcardAdministrator: "local smartcard administrator",
		authority.PrivacyOfficer:              "privacy officer",
		authority.Developer:                   "developer",
		authority.BreakGlassOfficer:           "break-glass officer",
	}[a]
}

const rolePath = "/desk/role"

// changeRole has the role chosen again, and leads back to the desk.
func (h *Handler) changeRole(w http.ResponseWriter, r *http.Request) error {
	return h.SignIn.Show(w, r, signin.ChooseRole, signin.Request{
		ReturnTo: "/desk", Role: signin.RoleRequired, ChooseRole: true, Freshness: assurance.Freshness{AskedAt: h.Now()},
	}, h.Sessions.Browser(w, r))
}

// address is that of a list with changed parameters: pairs of a name and its value, "" being none.
func address(path string, pairs ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// age says for people how long ago something was.
func age(at, now time.Time) string {
	const day = 24 * time.Hour
	passed := now.Sub(at)
	switch {
	case passed < time.Minute:
		return "less than a minute"
	case passed < 2*time.Hour:
		return many(int(passed/time.Minute), "minute")
	case passed < 2*day:
		return many(int(passed/time.Hour), "hour")
	default:
		return many(int(passed/day), "day")
	}
}

// many is a number of things: "1 day", "3 days".
func many(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}
