package idp_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// publicKeys are a key set that anybody may read.
const publicKeys = `{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`

// typed is what is entered in fields: pairs of a name and its values, which bars part.
func typed(pairs ...string) url.Values {
	f := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		f[pairs[i]] = nil
		for value := range strings.SplitSeq(pairs[i+1], "|") {
			if value != "" {
				f.Add(pairs[i], value)
			}
		}
	}
	return f
}

// tooLong is a text to be told from others that no field takes.
func tooLong(text string) string { return text + strings.Repeat(" and so on", 110) }

// submissions fills in each form, by the method and the route that it is sent to. A route without any takes what has no fields.
func submissions() map[string][]submission {
	rows := deskSubmissions()
	for _, pattern := range []string{
		"POST /desk/positions/{id}", "POST /desk/introductions/{id}/people/{person}", "POST /desk/people/{id}/meetings/new", "POST /desk/clients/{id}/check",
		"POST /desk/people/{id}/authenticators/link", "POST /desk/people/{id}/authenticators/link/{link}", "POST /break-glass/{id}",
		"POST /account/authenticators/{id}/remove", "POST /account/authenticators/{id}/lost", "POST /account/recovery/new", "POST /account/recovery/lost",
		"POST /account/sessions/end", "POST /account/sessions/{id}/end", "POST /account/code", "POST /account/data",
		"POST /sign-in/step-up", "POST /sign-in/unmet", "POST /register/confirm", "POST /logout",
		// The script of the page sends these, and the page stays.
		"POST /desk/people/{id}/authenticators/new", "POST /account/authenticators/new", "POST /enrol", "POST /sign-in/passkey",
	} {
		rows[pattern] = nil
	}
	maps.Copy(rows, listSubmissions())
	ownName := func(s *site) (*browser, string) { return s.at("GET /account/authenticators/{id}/name") }
	rows["POST /account/authenticators/{id}/name"] = []submission{{page: ownName, typed: typed("name", "a key called so "+strings.Repeat("x", 60))}}
	rows["POST /break-glass/first"] = []submission{{typed: typed("organisation", "ZX109", "code", "OFTHEENVELOPE", "reason", tooLong("Nobody is there"))}}
	rows["POST /break-glass/second"] = []submission{{typed: typed("organisation", "ZX109", "code", "OFTHEENVELOPE")}}
	rows["POST /enrol/code"] = []submission{{
		page:  func(s *site) (*browser, string) { return s.p.browser(), s.invitation },
		typed: typed("code", "7777777777"), writes: []string{"enrolment_link"}, // it stops working after some
	}}
	rows["POST /enrol/password"] = []submission{
		{typed: typed("password", "sh0rt-one", "code", "777777")},
		{typed: typed("password", "three slow otters swim at dawn", "code", "77-77")},
	}
	rows["POST /recover"] = []submission{
		{typed: typed("username", "6560057501", "code", "NOCODEOFANYBODY")},
		{typed: typed("username", "656005750108", "code", "AAAA-BBBB-CCCC-DDDD"), status: http.StatusForbidden, whole: true},
	}
	rows["POST /register/{organisation}"] = []submission{{typed: typed("given_name", "Sarah the First", "family_name", tooLong("Meredyth"), "email", "no address")}}
	rows["POST /sign-in"] = []submission{{typed: typed("username", "6560057501")}}
	rows["POST /sign-in/password"] = []submission{
		{typed: typed("username", "6560057501", "password", "not-what-it-is", "code", "777777")},
		{typed: typed("username", "656005750108", "password", "not-what-it-is", "code", "777777"), status: http.StatusForbidden, whole: true},
	}
	rows["POST /sign-in/simulated"] = []submission{{typed: typed("username", "6560057501", "method", "totp")}}
	rows["POST /sign-in/role"] = []submission{
		{typed: typed("role", "")},
		{typed: typed("q", "a role of mine"), fine: true},
	}
	return rows
}

// deskSubmissions are those of the desk.
func deskSubmissions() map[string][]submission {
	reason := func(page string) []submission {
		return []submission{{page: pageOf(page), typed: typed("reason", tooLong("A reason"))}}
	}
	person := []string{
		"title", "A very long title that none has", "given_name", "Zoë Anna", "middle_names", tooLong("May"), "family_name", "Quist", "date_of_birth", "31/2/1985", "email", "zoe at example",
	}
	draft := []string{
		"name", "Nurse of the ward", "notes", "Notes\nin two lines", "job_role", "S8000:G8000:R8001", "activity", "B0401|B0360", "area_of_work", "", "workgroup", "12 Ward 5\n655694018105 Ward 6",
		"include", "555500000001x", "assignable", "yes", "reason", tooLong("Records too"),
	}
	passport := []string{
		"given_name", "SARAH", "family_name", "Meredyth", "birthdate", "11/13/1976", "number", "707 777 707", "issuer", "HM Passport Office", "country", "GBR", "issued_on", "yesterday", "expires_on", "1 March 2031",
		"feature", "biometric_chip", "organisation", "Whoever keeps it", "trained_by", "Some Training Body", "failed", "pvp", "declared", "in_person",
	}
	inTheHand := append(slices.Clone(passport), "vpip", "physical", "vpiruv", "physical|visible", "vcrypt", "cryptographic", "vdig", "", "data", "authoritative_match", "pvp", "adequate_light", "bvp", "")
	byVideo := append(slices.Clone(passport), "failed", "pvr", "declared", "video", "vri", "visible", "vdig", "", "data", "", "pvr", "live_capture", "bvr", "")
	record := []string{
		"given_name", "SARAH", "family_name", "Meredyth", "birthdate", "11/13/1976", "number", "12 34", "issuer", "A bank", "country", "GBR", "issued_on", "2/3/2021", "expires_on", "", "organisation", "Whoever keeps it",
		"trained_by", "", "failed", "data", "declared", "in_person", "activity_since", "long ago", "activity_policy", "money_laundering_regulations", "data", "authoritative_match", "feature", "", "vcrypt", "", "vdig", "",
	}
	return map[string][]submission{
		"POST /desk/organisations/{code}/policy": {{typed: typed(
			"desk_level", "3", "help_email", "no address", "help_telephone", "call us", "help_text", "The desk on floor 1", "reason", "We moved", "second_checker", "yes", "self_registration", "")}},
		"POST /desk/requests/bulk": {{typed: typed("text", "person,position\nnobody,nothing", "file", "")}},
		"POST /desk/requests/{id}": {
			{typed: typed("verdict", "approved", "reason", tooLong("As asked"))},
			{page: func(s *site) (*browser, string) { _, at := s.at("GET /desk/requests/{id}"); return s.sponsor, at }, typed: typed("reason", tooLong("She does not come"))},
		},
		"POST /desk/positions/new":            {{typed: typed(append(draft, "organisation", "ZX109")...)}, {typed: typed(append(draft, "organisation", "no code")...)}},
		"POST /desk/positions/{id}/revision":  {{typed: typed(draft...)}},
		"POST /desk/positions/{id}/close":     reason("GET /desk/positions/{id}/close"),
		"POST /desk/positions/{id}/introduce": {{typed: typed(append(person, "starts", "soon", "ends", "later", "reason", tooLong("Monday"))...)}},
		"POST /desk/introductions/{id}":       reason("GET /desk/introductions/{id}"),
		"POST /desk/evidence/{proposal}":      {{typed: typed("verdict", "")}},
		"POST /desk/people/new":               {{typed: typed(person...)}},
		"POST /desk/people/{id}/correct":      {{typed: typed(append(person, "display_name", "Zoë of the ward", "reason", tooLong("Misspelt"))...)}},
		"POST /desk/people/{id}/close":        {{typed: typed("as", "left", "reason", tooLong("She left"))}},
		"POST /desk/people/{id}/reopen": {{
			page:  func(s *site) (*browser, string) { return s.manager, "/desk/people/" + s.closed() + "/reopen" },
			typed: typed("reason", tooLong("She is back")),
		}},
		"POST /desk/people/{id}/leave": {{typed: typed("last", "31/2/2030", "reason", tooLong("She moves"))}},
		"POST /desk/people/{id}/merge": {{
			page: func(s *site) (*browser, string) {
				return s.manager, "/desk/people/" + noRole + "/merge?other=" + formerly
			},
			typed: typed("keep", noRole, "reason", tooLong("One person")),
		}},
		"POST /desk/merges/{merge}": {{
			page:  func(s *site) (*browser, string) { _, at := s.at("GET /desk/merges/{merge}"); return s.advanced, at },
			typed: typed("verdict", "approved", "reason", tooLong("One person")),
		}},
		"POST /desk/people/{id}/positions/{position}": {
			{typed: typed("starts", "soon", "ends", "later", "reason", tooLong("Monday"))},
		},
		"POST /desk/people/{id}/photograph": {{typed: typed("upload", "no photograph")}},
		"POST /desk/people/{id}/evidence/new": {
			{page: passportOf, typed: typed(inTheHand...)},
			{page: evidenceOf("bank_account"), typed: typed(append(record, "account_code", "77777777")...)},
		},
		"POST /desk/people/{id}/evidence/{evidence}/withdraw": {{typed: typed("reason", "")}},
		"POST /desk/people/{id}/meetings/{meeting}": {{
			page: func(s *site) (*browser, string) {
				return s.agent, s.agent.rest(s.agent.post("/desk/people/"+s.p.newcomer()+"/meetings/new", nil)).path()
			},
			typed: typed("code", "7777777"),
		}},
		"POST /desk/people/{id}/meetings/{meeting}/evidence": {{page: pageOf("GET /desk/people/{id}/meetings/{meeting}/evidence", "kind", "passport"), typed: typed(byVideo...)}},
		"POST /desk/reviews/new":                             {{typed: typed("organisation", "ZX109", "below", "yes", "removes", "yes", "due", "tomorrow", "reason", tooLong("Each November"))}, {typed: typed("organisation", "no code", "below", "yes", "removes", "", "due", "tomorrow", "reason", "Each November")}},
		"POST /desk/reviews/{id}":                            {{typed: typed("entry", "")}},
		"POST /desk/break-glass/{id}": {
			{typed: url.Values{}, whole: true, button: url.Values{"act": {"sign"}, "note": {"All well"}}},
			{
				page: func(s *site) (*browser, string) {
					_, at := s.at("GET /desk/break-glass/{id}")
					s.manager.post(at, url.Values{"act": {"end"}})
					return s.manager, at
				},
				typed: typed("note", tooLong("All well")),
			},
		},
		"POST /desk/clients/apply": {{typed: typed(
			"authentication", "private_key_jwt", "contact", "no address", "environment", "integration", "jwks", publicKeys, "jwks_uri", "http://example.org/keys", "minimum_authenticator", "3", "minimum_identity", "high",
			"name", tooLong("Ward list"), "organisation", "ZX109", "post_logout_redirect_uris", "nowhere", "purpose", "Nurses see\nwho is there", "redirect_uris", "https://rp.example.org/cb#x", "requires_role", "yes", "scope", "openid|profile")}},
		"POST /desk/clients/{id}": {
			{
				page: func(s *site) (*browser, string) { return s.advanced, s.applied() }, typed: typed("verdict", "approved", "reason", tooLong("As agreed")),
			},
			{page: func(s *site) (*browser, string) { return s.manager, s.applied() }, typed: typed("reason", tooLong("Not any more"))},
		},
		"POST /desk/clients/{id}/secret": {
			{
				page: func(s *site) (*browser, string) {
					_, at := s.at("GET /desk/clients/{id}/secret")
					s.manager.secretOf(s.p, strings.TrimSuffix(at, "/secret"), 0, "0")
					return s.manager, at
				},
				typed: typed("days", "40 days"),
			},
		},
		"POST /desk/clients/{id}/keys":                                {{typed: typed("jwks", "no keys, or private ones"), gone: []string{"jwks"}}},
		"POST /desk/people/{id}/authenticators/{authenticator}/{act}": {{typed: typed("reason", tooLong("Lost"))}},
	}
}

// listSubmissions are those of lists, which are found by an address.
func listSubmissions() map[string][]submission {
	rows := make(map[string][]submission)
	for path, others := range map[string][]string{
		"/desk/expiring": {"sort", "-expires", "from", "1/4/2026", "until", "soon"}, "/desk/unusual": {"sort", "at"}, "/desk/suspended": {"sort", "-starts"}, "/desk/self-registered": {"sort", "-at"},
		"/desk/requests":  {"sort", "-asked", "owner", "nobody", "person", "65600575010", "position", "40000000001"},
		"/desk/positions": {"sort", "-name", "state", "proposed", "name", "Ward"}, "/desk/introductions": {"sort", "-asked"}, "/desk/evidence": {"sort", "-at"}, "/desk/merges": {"sort", "-at"},
		"/desk/positions/{id}/holders":  {"sort", "-starts", "name", "Ng"},
		"/desk/positions/{id}/withheld": {"sort", "-name", "name", "Ng", "state", "proposed"},
		"/desk/reviews":                 {"sort", "opened", "state", "open"}, "/desk/break-glass": {"sort", "at", "show", "all"}, "/desk/clients": {"sort", "asked", "state", "refused"},
	} {
		rows["GET "+path] = []submission{{page: pageOf("GET "+path, "after", "x"), typed: typed(append(others, "organisation", "NOWHERE")...)}}
	}
	for path, values := range map[string][]string{
		"/account": {"sort", "-at"}, "/account/sessions": {"sort", "at"}, "/desk/people/{id}/evidence": {"sort", "-at"}, "/desk/people/{id}/positions": {"q", "ward"},
		"/desk/reviews/{id}": {"show", "all"}, "/account/roles": {"sort", "-expires"}, "/account/history": {"sort", "at", "show", "sign-ins"},
	} {
		rows["GET "+path] = []submission{{typed: typed(values...), fine: true}}
	}
	rows["GET /desk/people"] = []submission{
		{typed: typed("q", "Stewardley", "born", "31/2/1970", "document", "passport")},
		{typed: typed("q", "none", "born", "", "document", "passport"), fine: true},
		{page: pageOf("GET /desk"), typed: typed("q", "none"), fine: true},
	}
	rows["GET /desk/people/{id}/merge"] = []submission{{typed: typed("other", "65600575010")}}
	rows["GET /desk/audit"] = []submission{{typed: typed("person", "65600575010", "of", "did", "event", "person_searched", "organisation", "", "outcome", "refused", "from", "31/2/2026", "until", "soon")}}
	return rows
}

// pageOf is the page of a route, with what its address says more.
func pageOf(pattern string, more ...string) func(s *site) (*browser, string) {
	return func(s *site) (*browser, string) {
		b, at := s.at(pattern)
		if len(more) > 0 {
			at += "?" + typed(more...).Encode()
		}
		return b, at
	}
}

// evidenceOf is the form for a kind of evidence of who registered herself.
func evidenceOf(kind string) func(s *site) (*browser, string) {
	return func(s *site) (*browser, string) {
		return s.manager, "/desk/people/" + s.person + "/evidence/new?kind=" + kind
	}
}

// passportOf is the form for a passport of somebody unproved.
func passportOf(s *site) (*browser, string) {
	return s.manager, "/desk/people/" + s.p.unproved() + "/evidence/new?kind=passport"
}
