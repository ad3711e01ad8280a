package idp_test

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/position"
)

// opened is a page that is opened by its address.
func opened(address func(s *site) string) func(s *site) func(*browser) answer {
	return func(s *site) func(*browser) answer {
		at := address(s)
		return func(b *browser) answer { return b.rest(b.get(at)) }
	}
}

// aboutNew is an address that is about something new.
func aboutNew(before string, of func(p *provider) string, after string) func(s *site) func(*browser) answer {
	return opened(func(s *site) string { return before + of(s.p) + after })
}

// asked is a new request for the position of a ward nurse.
func (s *site) asked() string {
	s.p.t.Helper()
	wanted := position.Asked{Kind: position.Assign, Person: s.p.unproved(), Position: s.ward, Reason: "Starts on Monday"}
	answer, err := s.p.registrar().Ask(s.p.t.Context(), deed.Acting{Person: raSponsor, Role: sponsorsRole}, wanted)
	if err != nil {
		s.p.t.Fatal(err)
	}
	return "/desk/requests/" + answer.Request.String()
}

// newWard is a new position that is in force.
func (p *provider) newWard() string {
	p.t.Helper()
	id := p.drafted()
	if _, err := p.registrar().Approve(p.t.Context(), deed.Acting{Person: raManager, Role: managersRole}, id, 1); err != nil {
		p.t.Fatal(err)
	}
	return id
}

// contests are what two officers send, by the route that they send it to.
func contests() map[string][]contest {
	alone := func(why string) []contest { return []contest{{alone: why}} }
	const adds, other = "each adds one, and both are there", "Another Officer"
	unproved := (*provider).unproved
	return map[string][]contest{
		"POST /desk/positions/new":                           alone(adds),
		"POST /desk/positions/{id}/introduce":                alone(adds),
		"POST /desk/people/{id}/evidence/new":                alone(adds),
		"POST /desk/people/{id}/meetings/new":                alone(adds),
		"POST /desk/people/{id}/meetings/{meeting}":          alone("a meeting is of one officer"),
		"POST /desk/people/{id}/meetings/{meeting}/evidence": alone("a meeting is of one officer"),
		"POST /desk/people/{id}/authenticators/new":          alone(adds),
		"POST /desk/people/{id}/authenticators/link":         alone(adds),
		"POST /desk/clients/apply":                           alone(adds),
		"POST /desk/clients/{id}/check":                      alone("it is looked at, and nothing is changed"),
		"POST /desk/requests/bulk":                           alone("what was shown is in its address: TestDeskBulk"),
		"POST /desk/people/new":                              alone("the second is shown whom the first added: TestDeskCreates"),
		"POST /desk/organisations/{code}/policy": {{
			page:  opened(func(*site) string { return "/desk/organisations/ZX100/policy" }),
			first: typed("help_text", "Ask at the ward", "reason", "We moved"), second: typed("help_text", "Ask on floor 1", "reason", "We moved again"), who: other, now: []string{"Ask at the ward"}, entered: []string{"Ask on floor 1"},
		}},
		"POST /desk/requests/{id}": {
			{
				page: opened((*site).asked), first: typed("verdict", "refused", "reason", "Not needed"), second: typed("verdict", "approved", "reason", "As asked"), who: other,
				now: []string{"Refused", "Not needed"}, entered: []string{"Approve", "As asked"},
			},
			{
				page: opened((*site).asked), first: typed("verdict", "refused", "reason", "Not needed"), second: typed("reason", "She does not come"), who: other,
				rivals: func(s *site) (first, second *browser) { return s.other, s.sponsor }, then: typed("withdraw", "1"), now: []string{"Refused", "Not needed"}, entered: []string{"Withdraw", "She does not come"},
			},
		},
		"POST /desk/positions/{id}": {{page: aboutNew("/desk/positions/", (*provider).drafted, ""), first: url.Values{}, second: url.Values{}, who: other, now: []string{"Approved"}, entered: []string{"Approve"}}},
		"POST /desk/positions/{id}/revision": {{
			page:  aboutNew("/desk/positions/", (*provider).newWard, "/revision"),
			first: typed("name", "Nurse by day", "reason", "Days"), second: typed("name", "Nurse by night", "reason", "Nights"), who: other, now: []string{"Nurse by day"}, entered: []string{"Nurse by night"},
		}},
		"POST /desk/positions/{id}/close": {{
			page:  aboutNew("/desk/positions/", (*provider).newWard, "/close"),
			first: typed("reason", "The ward closes"), second: typed("reason", "Nobody needs it"), who: other, now: []string{"The ward closes"}, entered: []string{"Nobody needs it"},
		}},
		"POST /desk/introductions/{id}": {{
			page:  opened(func(s *site) string { return "/desk/introductions/" + s.p.introduced(s.ward) }),
			first: typed("reason", "Not needed"), second: typed("reason", "Never heard of"), who: other, now: []string{"Refused", "Not needed"}, entered: []string{"Never heard of"},
		}},
		"POST /desk/introductions/{id}/people/{person}": {{
			page: opened(func(s *site) string {
				return "/desk/introductions/" + s.p.introduced(s.ward) + "/people/" + s.p.unproved()
			}),
			first: url.Values{}, second: url.Values{}, who: other, now: []string{"Taken up"}, entered: []string{"Sarah Meredyth"},
		}},
		"POST /desk/evidence/{proposal}": {
			{
				page:  opened(func(s *site) string { return "/desk/evidence/" + s.p.proposedEvidence(s.p.unproved()) }),
				first: typed("verdict", "confirm"), second: typed("verdict", "dismiss"), who: other, now: []string{"Confirmed"}, entered: []string{"Dismiss"},
			},
			{
				page:  opened(func(s *site) string { return "/desk/evidence/" + s.p.proposedEvidence(s.p.unproved()) }),
				first: typed("verdict", "dismiss"), second: typed("verdict", "confirm"), who: other, now: []string{"Dismissed"}, entered: []string{"Confirm"},
			},
		},
		"POST /desk/people/{id}/correct": {{
			page:  aboutNew("/desk/people/", unproved, "/correct"),
			first: typed("email", "sarah@example.org", "reason", "Hers"), second: typed("email", "sarah@example.com", "reason", "Hers too"), who: other,
			now: []string{"sarah@example.org"}, entered: []string{"sarah@example.com"},
		}},
		"POST /desk/people/{id}/close": {{
			page:  aboutNew("/desk/people/", unproved, "/close"),
			first: typed("as", "left", "reason", "She retired"), second: typed("as", "fraud", "reason", "A forged passport"), who: other,
			now: []string{"left health and care", "She retired"}, entered: []string{"Fraud", "A forged passport"},
		}},
		"POST /desk/people/{id}/reopen": {{
			page:  opened(func(s *site) string { return "/desk/people/" + s.closed() + "/reopen" }),
			first: typed("reason", "She is back"), second: typed("reason", "A mistake"), who: other, now: []string{"Opened again", "She is back"}, entered: []string{"A mistake"},
		}},
		"POST /desk/people/{id}/leave": {{
			page: opened(func(s *site) string {
				person := s.p.unproved()
				s.p.nursing(person)
				return "/desk/people/" + person + "/leave?organisation=ZX100"
			}),
			first: typed("last", "", "reason", "She moves"), second: typed("last", "30/3/2026", "reason", "End of contract"), who: other,
			now: []string{"She moves"}, entered: []string{"30/3/2026", "End of contract"},
		}},
		"POST /desk/people/{id}/merge": {{
			page:  opened(func(s *site) string { return "/desk/people/" + s.p.unproved() + "/merge?other=" + s.p.unproved() }),
			first: typed("keep", "%OTHER", "reason", "The same face"), second: typed("keep", "%OTHER", "reason", "The same passport"), who: other, now: []string{"The same face"}, entered: []string{"The same passport"},
		}},
		"POST /desk/merges/{merge}": {{
			page:  opened(func(s *site) string { return "/desk/merges/" + s.newMerge() }),
			first: typed("verdict", "refused", "reason", "Two people"), second: typed("verdict", "approved", "reason", "One person"), who: other,
			now: []string{"Refused", "Two people"}, entered: []string{"Approve", "One person"},
		}},
		"POST /desk/people/{id}/positions/{position}": {{
			page:  opened(func(s *site) string { return "/desk/people/" + s.p.unproved() + "/positions/" + s.ward }),
			first: typed("starts", "", "ends", "30/6/2026", "reason", "For the summer"), second: typed("starts", "", "ends", "31/8/2026", "reason", "Until September"), who: other,
			now: []string{"30 June 2026", "For the summer"}, entered: []string{"31/8/2026", "Until September"},
		}},
		"POST /desk/people/{id}/photograph": {{
			page:  aboutNew("/desk/people/", unproved, "/photograph"),
			first: typed("upload", "%PNG"), second: typed("upload", "%PNG"), who: other,
		}},
		"POST /desk/people/{id}/evidence/{evidence}/withdraw": {{
			page: opened(func(s *site) string {
				person := s.p.unproved()
				s.p.prove(person)
				return "/desk/people/" + person + "/evidence/" + s.p.recorded(person) + "/withdraw"
			}),
			first: typed("reason", "mistaken"), second: typed("reason", "superseded"), who: other, now: []string{"mistaken"}, entered: []string{"superseded"},
		}},
		"POST /desk/reviews/new": {{
			page:  opened(func(*site) string { return "/desk/reviews/new" }),
			first: typed("organisation", "ZX000", "below", "yes", "due", "30/3/2026", "reason", "Each March"), second: typed("organisation", "ZX000", "below", "yes", "due", "31/3/2026", "reason", "The auditors ask"), who: other,
			now: []string{"30 March 2026", "Each March"}, entered: []string{"31/3/2026", "The auditors ask"},
		}},
		"POST /desk/reviews/{id}": {{
			page:  opened(func(s *site) string { return "/desk/reviews/" + s.review }),
			first: typed("entry", "%ENTRY"), second: typed("entry", "%ENTRY"), button: typed("remove", "ticked"), then: typed("certify", "ticked"), who: other, now: []string{"Removed"}, entered: []string{"Certif"},
		}},
		"POST /desk/break-glass/{id}": {
			{
				page: opened(func(s *site) string { return "/desk/break-glass/" + s.opened }), first: url.Values{}, second: url.Values{}, button: typed("act", "end"), who: other,
				now: []string{"ended"}, entered: []string{"To end it"},
			},
			{
				page: opened(func(s *site) string { return "/desk/break-glass/" + s.opened }), first: typed("note", "All well"), second: typed("note", "Too much was done"), button: typed("act", "sign"), who: other,
				now: []string{"All well"}, entered: []string{"Too much was done"},
			},
		},
		"POST /desk/clients/{id}": {
			{
				page: opened((*site).applied), first: typed("verdict", "refused", "reason", "Not needed"), second: typed("verdict", "approved", "reason", "As agreed"), who: other,
				rivals: func(s *site) (first, second *browser) { return s.other, s.advanced }, now: []string{"Refused", "Not needed"}, entered: []string{"Approve", "As agreed"},
			},
			{
				page: opened((*site).applied), first: typed("verdict", "refused", "reason", "Not needed"), second: typed("reason", "Not any more"), then: typed("withdraw", "1"), who: other,
				now: []string{"Refused", "Not needed"}, entered: []string{"Withdraw", "Not any more"},
			},
		},
		"POST /desk/clients/{id}/secret": {
			{page: opened(func(s *site) string { return "/desk/clients/" + s.client + "/secret" }), first: url.Values{}, second: url.Values{}, who: other, now: []string{"The last was made on 4 March 2026"}, entered: []string{"Make its secret"}},
			{
				page: opened(func(s *site) string { return "/desk/clients/" + s.client + "/secret" }), first: typed("days", "7"), second: typed("days", "0"), who: other,
				now: []string{"11 March 2026"}, entered: []string{"0 days"},
			},
			{page: opened(func(s *site) string { return "/desk/clients/" + s.client + "/secret" }), first: url.Values{}, second: url.Values{}, button: typed("end", "1"), who: other, now: []string{"does not work any more"}, entered: []string{"End it"}},
		},
		"POST /desk/clients/{id}/keys": {{
			page:  opened(func(s *site) string { return "/desk/clients/" + s.keyed + "/keys" }),
			first: typed("jwks", publicKeys), second: typed("jwks", strings.Replace(publicKeys, `"kid": "a"`, `"kid": "b"`, 1)), who: other, now: []string{"a (EdDSA)"}, entered: []string{"b (EdDSA)"},
		}},
		"POST /desk/people/{id}/authenticators/link/{link}": {{
			page: opened(func(s *site) string {
				person := s.p.unproved()
				s.p.openLink(person)
				return authenticatorsOf(person)
			}),
			first: url.Values{}, second: url.Values{}, who: other, status: http.StatusConflict, now: []string{"cancelled"}, entered: []string{"Cancel"},
		}},
		"POST /desk/people/{id}/authenticators/{authenticator}/{act}": {{
			page:  opened(func(s *site) string { return authenticatorsOf(noRole) + "/" + s.p.newestKey(noRole) + "/suspend" }),
			first: typed("reason", "Lost on a ward"), second: typed("reason", "Left behind"), who: other, now: []string{"Suspended", "Lost on a ward"}, entered: []string{"Suspend", "Left behind"},
		}},
	}
}
