package idp_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/authority"
)

// officersActs are acts of officers, by kind, in an order in which they follow on each other. The check of an application is not among
// them: that it began is kept before it is known what there is to record.
func officersActs() map[string][]string {
	return map[string][]string{
		"lifecycle": {"addPerson", "correctPerson", "closePerson", "leave", "proposeMerge", "decideMerge"},
		"evidence":  {"recordEvidence", "withdrawEvidence", "confirmProposal", "dismissProposal"},
		"authenticators": {
			"bindAuthenticator", "makeEnrolmentLink", "cancelEnrolmentLink", "suspendAuthenticator", "resumeAuthenticator",
			"reportLostAuthenticator", "reportFoundAuthenticator", "suspendAuthenticator", "returnAuthenticator", "revokeAuthenticator",
		},
		"positions":   {"proposePosition", "revisePosition", "closePosition", "approvePosition", "askBulk", "ask", "decide", "introduce", "takeUp", "dismiss"},
		"requests":    {"takeRequest", "giveBackRequest"},
		"reviews":     {"decideReview", "openReview"},
		"onboarding":  {"apply", "decideApplication", "rotateSecret", "replaceKeys"},
		"policy":      {"setPolicy"},
		"photograph":  {"takePhotograph"},
		"meeting":     {"beginMeeting"},
		"break-glass": {"askBreakGlass", "joinBreakGlass", "openBreakGlass", "endBreakGlass", "stopBreakGlass", "signBreakGlass"},
	}
}

// No act of an officer is done that cannot be recorded, and nothing of it is there; when it can be, it is done.
func TestNoActOfAnOfficerWithoutItsRecord(t *testing.T) {
	t.Parallel()
	p := newProvider(t).second(mailTo(t.TempDir()))
	fill, bodies, matches := p.apiSubjects()
	as, codes := p.programs(), officerCodes(t)
	someone := func() program { return as(p.newOfficer("ZX100", "S8001:G8002:R8008")) }
	officer := as(p.newOfficer("ZX100", codes[authority.RAManager][0], codes[authority.RAManager][1:]...))
	lets := someone()
	p.nursed(p.newOfficer("ZX100", "S8001:G8002:R8008"), fill[""]["position"]) // whom a review is about that is opened after the first
	application := as(raAdvanced).call(http.MethodPost, "/api/applications", nil, bodies["apply"]).member(t, "id")
	fill["beginMeeting"] = map[string]string{"person": p.newcomer()}
	fill["decideApplication"] = map[string]string{"application": application}
	matches["setPolicy"] = officer.call(http.MethodGet, "/api/organisations/ZX100/policy", nil, "").Header.Get("ETag")
	matches["replaceKeys"] = officer.call(http.MethodGet, "/api/applications/{application}/keys", fill["replaceKeys"], "").Header.Get("ETag")
	fill[""]["opening"], bodies["signBreakGlass"] = someone().brokenGlass(lets)["opening"], `{"note":"All well"}`
	fresh := apiFresh(someone(), lets)
	where := map[string][2]string{}
	for pattern, operations := range officer.Paths {
		for method, operation := range operations {
			where[operation.Name] = [2]string{strings.ToUpper(method), pattern}
		}
	}
	for kind, acts := range officersActs() {
		for _, act := range acts {
			subject, body := fill[act], bodies[act]
			if subject == nil {
				subject = fill[""]
			}
			if another := fresh[act]; another != nil {
				subject, body = another(officer)
			}
			var headers []string
			if match := matches[act]; match != "" {
				headers = []string{"If-Match", match}
			}
			if act == "takePhotograph" {
				headers = []string{"Content-Type", "image/png", "If-Match", officer.call(http.MethodGet, where[act][1], subject, "").Header.Get("ETag")}
			}
			do := func() answer { return officer.call(where[act][0], where[act][1], subject, body, headers...) }
			p.exec(`REVOKE INSERT ON audit_event FROM credence_service`)
			before := p.state()
			if a := do(); a.StatusCode != http.StatusInternalServerError {
				t.Errorf("%s: %s that cannot be recorded = %d %s, want 500", kind, act, a.StatusCode, a.body)
			}
			if diff := cmp.Diff(before, p.state()); diff != "" {
				t.Errorf("%s: %s that cannot be recorded has happened (-before +after):\n%s", kind, act, diff)
			}
			p.exec(`GRANT INSERT ON audit_event TO credence_service`)
			if a := do(); a.StatusCode != http.StatusOK && a.StatusCode != http.StatusCreated {
				t.Errorf("%s: %s that is recorded = %d %s, want it done", kind, act, a.StatusCode, a.body)
			}
		}
	}
}
