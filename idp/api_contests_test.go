package idp_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// apiContest is an act that programs of two officers do, having seen the same.
type apiContest struct {
	of            func(s *site) map[string]string // what it is about, which is new
	match         string                          // reads what both have seen, by its ETag
	first, second string                          // what each sends, with {person} and whatever else it is about
	status        int                             // of the answer to the second
	reason        string
	alone         string // why nobody is in anybody's way
}

// apiContests are all acts of the API, by the name of the operation.
func apiContests() map[string]apiContest {
	const reason = `{"reason":"As agreed"}`
	one := func(name string, of func(s *site) string) func(s *site) map[string]string {
		return func(s *site) map[string]string { return map[string]string{name: of(s)} }
	}
	last := func(address func(s *site) string) func(s *site) string {
		return func(s *site) string {
			at := address(s)
			return at[strings.LastIndex(at, "/")+1:]
		}
	}
	person, fresh := one("person", func(s *site) string { return s.p.unproved() }), one("position", func(s *site) string { return s.p.newWard() })
	request, application := one("request", last((*site).asked)), one("application", last(func(s *site) string { return s.appliedBy(deed.Acting{Person: raAdvanced, Role: advancedsRole}) }))
	introduction, proposal := one("introduction", func(s *site) string { return s.p.introduced(s.ward) }), one("proposal", func(s *site) string { return s.p.proposedEvidence(s.p.unproved()) })
	draft := func(name string) string {
		return `{"name":"` + name + `","job_role":"S8000:G8000:R8001","reason":"Nights"}`
	}
	key := func(s *site) map[string]string {
		person := s.p.unproved()
		s.p.enrol(person, webauthntest.New())
		return map[string]string{"person": person, "authenticator": s.p.newestKey(person)}
	}
	detail := func(title string) string {
		return `{"title":"` + title + `","given_name":"Sarah","family_name":"Meredyth","date_of_birth":"1976-03-11","reason":"Misspelt"}`
	}
	verdict := func(v string) string { return `{"verdict":"` + v + `","reason":"As agreed"}` }
	const adds, hers, conflict, precondition = "each adds one, and both are there", "what is done is of one person", http.StatusConflict, http.StatusPreconditionFailed
	keys := func(kid string) string {
		return `{"jwks":` + strconv.Quote(strings.Replace(publicKeys, `"kid": "a"`, `"kid": "`+kid+`"`, 1)) + `}`
	}
	asked := func(reason string) string {
		return `{"kind":"assign_position","person":"{person}","position":"{position}","reason":"` + reason + `"}`
	}
	rows := map[string]apiContest{
		"correctPerson":           {of: person, match: "/api/people/{person}/details", first: detail("Dr"), second: detail("Prof"), status: precondition, reason: "changed_since"},
		"closePerson":             {of: person, first: `{"as":"left","reason":"She retired"}`, second: `{"as":"fraud","reason":"A forgery"}`, status: conflict, reason: "profile_closed"},
		"reopenPerson":            {of: one("person", func(s *site) string { return s.closed() }), first: reason, second: reason, status: conflict, reason: "profile_open"},
		"leave":                   {of: one("person", func(s *site) string { return s.p.nurse() }), first: `{"organisation":"ZX100","reason":"x"}`, second: `{"organisation":"ZX100","reason":"y"}`, status: conflict, reason: "not_there"},
		"decideMerge":             {of: one("merge", (*site).newMerge), first: verdict("refused"), second: verdict("approved"), status: conflict, reason: "decided_already"},
		"suspendAuthenticator":    {of: key, first: reason, second: reason, status: conflict, reason: "authenticator_suspended"},
		"reportLostAuthenticator": {of: key, first: reason, second: reason, status: conflict, reason: "authenticator_lost"},
		"returnAuthenticator":     {of: key, first: reason, second: reason, status: conflict, reason: "authenticator_returned"},
		"revokeAuthenticator":     {of: key, first: reason, second: reason, status: conflict, reason: "authenticator_revoked"},
		"cancelEnrolmentLink": {of: func(s *site) map[string]string {
			person := s.p.unproved()
			_, link := s.p.openLink(person)
			return map[string]string{"person": person, "link": link}
		}, status: conflict, reason: "link_over"},
		"revisePosition":    {of: fresh, match: "/api/positions/{position}", first: draft("By day"), second: draft("By night"), status: precondition, reason: "changed_since"},
		"closePosition":     {of: fresh, match: "/api/positions/{position}", first: reason, second: reason, status: precondition, reason: "changed_since"},
		"approvePosition":   {of: one("position", func(s *site) string { return s.p.drafted() }), match: "/api/positions/{position}", status: conflict, reason: "approved_already"},
		"takeRequest":       {of: request, match: "/api/requests/{request}", status: precondition, reason: "owned_since"},
		"decide":            {of: request, first: verdict("refused"), second: verdict("approved"), status: conflict, reason: "not_open"},
		"decideApplication": {of: application, first: verdict("refused"), second: verdict("refused"), status: conflict, reason: "application_not_open"},
		"rotateSecret":      {of: one("application", func(s *site) string { return s.client }), match: "/api/applications/{application}", first: `{"days":0}`, second: `{"days":7}`, status: precondition, reason: "secret_since"},
		"replaceKeys":       {of: one("application", func(s *site) string { return s.keyed }), match: "/api/applications/{application}/keys", first: keys("a"), second: keys("b"), status: precondition, reason: "keys_since"},
		"setPolicy": {
			of: one("organisation", func(*site) string { return "ZX100" }), match: "/api/organisations/{organisation}/policy",
			first: `{"self_registration":true,"help_text":"Ask at the ward","reason":"x"}`, second: `{"self_registration":true,"help_text":"Ask on floor 1","reason":"y"}`, status: precondition, reason: "changed_since",
		},
		"confirmProposal": {of: proposal, status: conflict, reason: "decided_already"},
		"dismissProposal": {of: proposal, status: conflict, reason: "decided_already"},
		"withdrawEvidence": {of: func(s *site) map[string]string {
			person := s.p.unproved()
			s.p.prove(person)
			return map[string]string{"person": person, "evidence": s.p.recorded(person)}
		}, first: `{"reason":"mistaken"}`, second: `{"reason":"superseded"}`, status: conflict, reason: "withdrawn_before"},
		"ask": {of: func(s *site) map[string]string {
			return map[string]string{"person": s.p.unproved(), "position": s.ward}
		}, first: asked("Nights"), second: asked("Days"), status: conflict, reason: "open_already"},
		"proposeMerge": {
			of: func(s *site) map[string]string {
				return map[string]string{"duplicate": s.p.unproved(), "kept": s.p.unproved()}
			}, first: `{"duplicate":"{duplicate}","kept":"{kept}","reason":"The same face"}`,
			second: `{"duplicate":"{kept}","kept":"{duplicate}","reason":"The same name"}`, status: conflict, reason: "proposed_already",
		},
		"dismiss":        {of: introduction, first: reason, second: reason, status: conflict, reason: "ended_already"},
		"takeUp":         {of: introduction, first: `{"person":"` + sevenRoles + `"}`, second: `{"person":"` + sevenRoles + `"}`, status: conflict, reason: "ended_already"},
		"stopBreakGlass": {of: one("opening", func(s *site) string { return s.opened }), status: conflict, reason: "ended_already"},
		"openReview":     {of: func(*site) map[string]string { return nil }, first: `{"organisation":"ZX000","below":true,"due":"2026-03-30","reason":"x"}`, second: `{"organisation":"ZX000","below":true,"due":"2026-03-31","reason":"y"}`, status: conflict, reason: "review_open_already"},
	}
	for name, why := range map[string]string{
		"addPerson": "the second is shown whom the first added: TestAPIAddsPeople", "recordEvidence": adds, "beginMeeting": adds, "confirmMeeting": hers, "beginBinding": hers, "bindAuthenticator": adds,
		"makeEnrolmentLink": adds, "proposePosition": adds, "askBulk": "what was seen is sealed: TestAPIDoesWhatWasSeen", "apply": adds, "checkApplication": "nothing is changed", "introduce": adds,
		"withdrawRequest": hers, "giveBackRequest": hers, "withdrawApplication": hers, "askBreakGlass": hers, "joinBreakGlass": hers, "openBreakGlass": hers, "endBreakGlass": "stopBreakGlass is the same",
		"takePhotograph": "TestAPIPhotographs", "decideReview": "it answers what became of each: TestAPIReviews", "signBreakGlass": "it is signed for once it is over: TestBreakGlassAtTheDesk",
		"resumeAuthenticator":      "suspendAuthenticator is the same",
		"reportFoundAuthenticator": "reportLostAuthenticator is the same",
	} {
		rows[name] = apiContest{alone: why}
	}
	return rows
}

// newMerge is a merge that nobody has decided.
func (s *site) newMerge() string {
	s.p.t.Helper()
	id, err := s.p.profiles().ProposeMerge(s.p.t.Context(), deed.Acting{Person: raAdvanced, Role: advancedsRole}, s.p.unproved(), s.p.unproved(), "The same face")
	if err != nil {
		s.p.t.Fatal(err)
	}
	return id.String()
}

// Programs of two officers have seen the same and both act: the second is answered 409 or 412, with why and what has
// changed, and nothing of the first is lost.
func TestAPIOfTwoOfficersTheSecondIsTold(t *testing.T) {
	t.Parallel()
	p, mails := openedToAll(t)
	s, d, rows := p.site(mails), p.description(), apiContests()
	as := p.programs()
	first, second := as(p.newOfficer("ZX000", "S0080:G0450:R5080")), as(raManager)
	for pattern, operations := range d.Paths {
		for method, operation := range operations {
			row, known := rows[operation.Name]
			if !known && method != "get" {
				t.Errorf("two programs %s: want a row that says what the second is told", operation.Name)
			}
			if !known || row.alone != "" {
				continue
			}
			of, headers := row.of(s), []string(nil)
			if row.match != "" {
				tag := second.call(http.MethodGet, row.match, of, "").Header.Get("ETag")
				headers = []string{"If-Match", tag}
			}
			var named []string
			for name, id := range of {
				named = append(named, "{"+name+"}", id)
			}
			about := strings.NewReplacer(named...)
			if a := first.call(strings.ToUpper(method), pattern, of, about.Replace(row.first), headers...); a.StatusCode >= http.StatusBadRequest {
				t.Errorf("%s by the first = %d %s, want it done", operation.Name, a.StatusCode, a.body)
				continue
			}
			before := s.written()
			a := second.call(strings.ToUpper(method), pattern, of, about.Replace(row.second), headers...)
			if a.StatusCode != row.status || a.problem(t).Reason != row.reason || len(a.problem(t).Changes) == 0 {
				t.Errorf("%s by the second = %d %s, want %d %s, with what has changed", operation.Name, a.StatusCode, a.body, row.status, row.reason)
			}
			s.wantUnwritten(operation.Name, before)
		}
	}
}
