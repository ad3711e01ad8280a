package idp_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/api"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
	"github.com/credence-id/credence/store"
)

// officerCodes are a job role and activities that make somebody each officer.
func officerCodes(t *testing.T) map[authority.Actor][]string {
	t.Helper()
	text, err := os.ReadFile("authority/officers.csv")
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comment = '#'
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	jobs := map[string]string{"R5080": "S0080:G0450:R5080", "R5090": "S0080:G0450:R5090", "R0001": "S8002:G8003:R0001"}
	codes := map[authority.Actor][]string{}
	for _, row := range rows[1:] {
		if job, is := jobs[row[0]]; is {
			codes[authority.Actor(row[1])] = []string{job}
		} else {
			codes[authority.Actor(row[1])] = []string{"S8001:G8002:R8008", row[0]}
		}
	}
	return codes
}

// apiSubjects is what the matrix is about, all of the hospital, for each operation that needs its own.
func (p *provider) apiSubjects() (fill map[string]map[string]string, bodies, matches map[string]string) {
	p.t.Helper()
	ctx, r := p.t.Context(), p.registrar()
	manager, advanced, sponsor := deed.Acting{Person: raManager, Role: managersRole}, deed.Acting{Person: raAdvanced, Role: advancedsRole}, deed.Acting{Person: raSponsor, Role: sponsorsRole}
	propose := func(name string, approve bool) string {
		id, err := r.Propose(ctx, manager, "ZX100", position.Draft{Name: name, JobRole: "S8000:G8000:R8001", Reason: "A new ward"})
		if err == nil && approve {
			_, err = r.Approve(ctx, advanced, id, 1)
		}
		if err != nil {
			p.t.Fatal(err)
		}
		return id
	}
	ask := func(person, of string) string {
		asked, err := r.Ask(ctx, sponsor, position.Asked{Kind: position.Assign, Person: person, Position: of, Reason: "Starts on Monday"})
		if err != nil {
			p.t.Fatal(err)
		}
		return asked.Request.String()
	}
	ward := propose("Ward nurse", true)
	draft := `"name":"Night nurse","job_role":"S8000:G8000:R8001","reason":"Nights"`
	fill = map[string]map[string]string{
		"":                 {"person": hospitalDoctor, "position": ward, "request": ask(noRole, ward), "introduction": p.introduced(ward)},
		"withdrawEvidence": {"person": hospitalDoctor, "evidence": p.recorded(hospitalDoctor)},
		"revisePosition":   {"position": propose("To revise", true)},
		"closePosition":    {"position": propose("To close", true)},
		"approvePosition":  {"position": propose("To approve", false)},
		"decide":           {"request": ask(expiredRole, ward)},
		"withdrawRequest":  {"request": ask(passwordOnly, ward)},

		"takeUp":  {"introduction": p.introduced(ward)},
		"dismiss": {"introduction": p.introduced(ward)},
	}
	bodies = map[string]string{
		"addPerson": `{"given_name":"Winifred","family_name":"Newcomer","date_of_birth":"1970-02-01"}`,
		"recordEvidence": `{"kind":"driving_permit","declared":"in_person","number":"LARKS807024P99AB","country":"GBR","features":["photocard"],"expires_on":"2032-04-30",` +
			`"subject":{"given_name":"Petra","family_name":"Larkspell","birthdate":"1984-07-02"},"checks":[{"method":"vpip","facts":["physical"]}]}`,
		"withdrawEvidence": `{"reason":"mistaken"}`,
		"proposePosition":  `{"organisation":"ZX100",` + draft + `}`,
		"revisePosition":   `{` + draft + `}`,
		"closePosition":    `{"reason":"The ward closes"}`,
		"ask":              `{"kind":"assign_position","person":"` + passkeyDoctor + `","position":"` + ward + `","reason":"Starts on Monday"}`,
		"askBulk":          `{"csv":"person,position,starts,expires,reason\n` + passkeyDoctor + "," + ward + `,,,Starts on Monday\n"}`,
		"decide":           `{"verdict":"approved","reason":"As asked"}`,
		"withdrawRequest":  `{"reason":"Not needed"}`,

		"introduce": `{"given_name":"Zoë","family_name":"Quist","date_of_birth":"1985-02-01","position":"` + ward + `","reason":"Starts on Monday"}`,
		"takeUp":    `{"person":"` + sevenRoles + `"}`,
		"dismiss":   `{"reason":"No such post"}`,
	}
	matches = map[string]string{"revisePosition": `"1"`, "closePosition": `"1"`, "approvePosition": `"1"`, "takeRequest": `"nobody"`}
	p.apiProfiles(fill, bodies, matches)
	p.apiReview(fill, bodies)
	keyed := p.wardListWithKeys()
	fill["readKeys"], fill["replaceKeys"] = map[string]string{"application": keyed}, map[string]string{"application": keyed}
	bodies["replaceKeys"], matches["replaceKeys"] = `{"jwks":`+strconv.Quote(string(keySet(p.t, newClientKey(p.t, "2026-b"))))+`}`, `"as it was"`
	fill[""]["run"], bodies["takePhotograph"] = p.retained(), string(portrait(p.t, 480, 600))
	p.photographed(hospitalDoctor)
	p.enrol(hospitalDoctor, webauthntest.New())
	fill[""]["authenticator"] = p.newestKey(hospitalDoctor)
	for _, act := range []string{"suspend", "resume", "reportLost", "reportFound", "return", "revoke"} {
		bodies[act+"Authenticator"] = `{"reason":"Left on the bus"}`
	}
	return fill, bodies, matches
}

// nurse is somebody new who works on a ward of the hospital.
func (p *provider) nurse() string {
	p.t.Helper()
	id, err := directory.AddPerson(p.t.Context(), p.owner, directory.NewPerson{GivenName: "Another", FamilyName: "Nurse"}, "test", p.clock.Now())
	if err != nil {
		p.t.Fatal(err)
	}
	p.nursing(id)
	return id
}

// apiReview is the same for a review of who holds positions.
func (p *provider) apiReview(fill map[string]map[string]string, bodies map[string]string) {
	p.t.Helper()
	role := p.nursed(p.newOfficer("ZX100", "S8001:G8002:R8008"), fill[""]["position"])
	fill[""]["review"] = p.reviewed()
	maps.Copy(bodies, map[string]string{
		"openReview":   `{"organisation":"ZX100","due":"` + p.clock.Now().AddDate(0, 1, 0).Format(time.DateOnly) + `","reason":"Each November"}`,
		"decideReview": `{"roles":["` + role + `"],"outcome":"removed"}`,
	})
}

// apiProfiles is the same for what becomes of profiles.
func (p *provider) apiProfiles(fill map[string]map[string]string, bodies, matches map[string]string) {
	p.t.Helper()
	one, other := p.nurse(), p.nurse()
	merge, err := p.profiles().ProposeMerge(p.t.Context(), deed.Acting{Person: raManager, Role: managersRole}, p.nurse(), p.nurse(), "The same photograph")
	if err != nil {
		p.t.Fatal(err)
	}
	fill[""]["merge"] = merge.String()
	maps.Copy(fill, map[string]map[string]string{
		"closePerson": {"person": p.nurse()}, "leave": {"person": p.nurse()},
	})
	fill[""]["application"], fill[""]["organisation"], fill[""]["meeting"] = p.wardList(), "ZX100", p.met(hospitalDoctor)
	matches["rotateSecret"], matches["setPolicy"] = `"0"`, `"1"`
	matches["correctPerson"] = strconv.Quote(uuid.Nil.String())
	maps.Copy(bodies, map[string]string{
		"correctPerson": `{"title":"Prof","given_name":"Petra","family_name":"Larkspell","display_name":"Dr Petra Larkspell","date_of_birth":"1984-07-02","reason":"Her title"}`,
		"closePerson":   `{"as":"left","reason":"She emigrates"}`,
		"reopenPerson":  `{"reason":"She is back"}`, // of a profile that is open: whoever may is told so
		"apply": `{"organisation":"ZX100","environment":"integration","purpose":"Nurses see who is on the ward","contact":"ward@example.org",` +
			`"client_name":"Ward board","redirect_uris":["` + callback + `"],"scope":"openid profile"}`,
		"decideApplication":   `{"verdict":"approved","reason":"As agreed"}`,
		"withdrawApplication": `{"reason":"Not needed"}`,
		"rotateSecret":        `{"days":7}`,
		"setPolicy":           `{"desk_level":3,"reason":"As above"}`,
		"confirmMeeting":      `{"code":"12345678"}`,
		"leave":               `{"organisation":"ZX100","reason":"The contract ends"}`,
		"proposeMerge":        `{"duplicate":"` + one + `","kept":"` + other + `","reason":"The same photograph"}`,
		"decideMerge":         `{"verdict":"refused","reason":"They are twins"}`,
	})
}

// apiFresh makes what each of those who come needs one of her own of: once it was done, there is none.
func apiFresh(asks, lets program) map[string]func(program) (fill map[string]string, body string) {
	const first, second = `{"organisation":"ZX100","code":"%s","reason":"Nobody is there"}`, `{"organisation":"ZX100","code":"%s"}`
	proposal := func(g program) (map[string]string, string) {
		return map[string]string{"proposal": g.proposedEvidence(g.nurse())}, ""
	}
	return map[string]func(program) (map[string]string, string){
		"confirmProposal": proposal, "dismissProposal": proposal,
		"cancelEnrolmentLink": func(g program) (map[string]string, string) {
			person := g.nurse()
			_, link := g.openLink(person)
			return map[string]string{"person": person, "link": link}, ""
		},
		"askBreakGlass": func(g program) (map[string]string, string) { return nil, fmt.Sprintf(first, g.envelopes().First) },
		"joinBreakGlass": func(g program) (map[string]string, string) {
			e := g.envelopes()
			asks.call(http.MethodPost, glassPath+"first", nil, fmt.Sprintf(first, e.First))
			return nil, fmt.Sprintf(second, e.Second)
		},
		"openBreakGlass": func(g program) (map[string]string, string) {
			e := g.envelopes()
			a := asks.call(http.MethodPost, glassPath+"first", nil, fmt.Sprintf(first, e.First))
			g.call(http.MethodPost, glassPath+"second", nil, fmt.Sprintf(second, e.Second))
			return map[string]string{"opening": a.member(g.t, "id")}, ""
		},
		"endBreakGlass": func(g program) (map[string]string, string) { return g.brokenGlass(lets), "" },
		"bindAuthenticator": func(g program) (map[string]string, string) {
			person := map[string]string{"person": g.nurse()}
			a := g.call(http.MethodPost, "/api/people/{person}/authenticators/options", person, "")
			if a.StatusCode != http.StatusOK {
				return person, `{"ceremony":"none","response":{}}`
			}
			return person, g.bindingAnswer(a, webauthntest.New(), issuer)
		},
	}
}

// Which act is whose: each route of the API, each kind of officer, where the thing is of her organisation, below it, above it and
// of another. "yes" is done, or not done for another reason than who she is; anything else is why not. A new route gets its row,
// and a new officer her columns, in testdata/api.csv: -update writes them, and whoever runs it reads them.
func TestAPIByOfficerAndOrganisation(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	if err := directory.AddOrganisation(t.Context(), p.owner, store.Organisation{Code: "ZX110", Name: "Ward", ParentCode: new("ZX100")}, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	fill, bodies, matches := p.apiSubjects()
	titles, tokens, codes := []string{"route"}, []string{}, officerCodes(t)
	for _, actor := range authority.Actors() {
		if actor == authority.BreakGlassOfficer { // whom only two envelopes make: TestBreakGlassAtTheDesk
			continue
		}
		for _, place := range []struct{ name, organisation string }{{"own", "ZX100"}, {"below", "ZX000"}, {"above", "ZX110"}, {"other", "ZX200"}} {
			officer := p.newOfficer(place.organisation, codes[actor][0], codes[actor][1:]...)
			titles, tokens = append(titles, string(actor)+" "+place.name), append(tokens, p.officerToken(p.browser(), officer, apiScopes, "smartcard"))
		}
	}
	titles, tokens = append(titles, "no officer", "nobody"), append(tokens, p.officerToken(p.browser(), noOfficer, apiScopes, "smartcard"), "")
	d := p.description()
	fill[""]["proposal"] = p.proposedEvidence(p.nurse())
	someone := func() program {
		return program{p, d, p.officerToken(p.browser(), p.newOfficer("ZX100", "S8001:G8002:R8008"), apiScopes, "smartcard")}
	}
	asks, lets := someone(), someone()
	fill[""]["opening"], bodies["signBreakGlass"] = asks.brokenGlass(lets)["opening"], `{"note":"All well"}`
	fresh := apiFresh(someone(), lets)
	rows := [][]string{titles}
	for pattern, operations := range d.Paths {
		for method, operation := range operations {
			row := []string{strings.ToUpper(method) + " " + pattern}
			subject := fill[operation.Name]
			if subject == nil {
				subject = fill[""]
			}
			path := pattern
			switch operation.Name {
			case "findPeople":
				path += "?name=Larkspell"
			case "listPositions", "listRequests", "listIntroductions", "listReviews", "listApplications", "listSelfRegistered", "listStoppedAuthenticators", "listExpiringRoles", "listUnusualSignIns", "listMerges", "listBreakGlass":
				path += "?organisation=ZX100"
			case "listCodes":
				path += "?kind=activity"
			case "readAudit":
				path += "?person=" + hospitalDoctor
			}
			for _, token := range tokens {
				var headers []string
				as, body := program{p, d, token}, bodies[operation.Name]
				if another := fresh[operation.Name]; another != nil {
					subject, body = another(as)
				}
				if match := matches[operation.Name]; match != "" {
					headers = []string{"If-Match", match}
				}
				if operation.Name == "takePhotograph" {
					headers = []string{"Content-Type", "image/png"}
				}
				row = append(row, cell(t, as.call(strings.ToUpper(method), path, subject, body, headers...)))
			}
			rows = append(rows, row)
		}
	}
	slices.SortFunc(rows[1:], func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	compareTable(t, "testdata/api.csv", rows)

	var described, mounted []string
	for _, row := range rows[1:] {
		described = append(described, row[0])
	}
	new(api.Handler).Mount(func(pattern string, _ func(http.ResponseWriter, *http.Request) error) {
		if pattern != "/api/" && pattern != "GET /api/openapi.json" {
			mounted = append(mounted, pattern)
		}
	})
	slices.Sort(mounted)
	if diff := cmp.Diff(mounted, described); diff != "" {
		t.Errorf("the routes that are described differ from those that are served (-served +described):\n%s", diff)
	}
}

// cell is what became of a call, for the table.
func cell(t *testing.T, a answer) string {
	t.Helper()
	switch a.StatusCode {
	case http.StatusConflict:
		if a.problem(t).Reason == "separation_of_duties" { // which is what she is
			return "separation_of_duties"
		}
		return "yes"
	case http.StatusOK, http.StatusCreated, http.StatusPreconditionFailed: // the latter two: somebody of the same right did it before
		return "yes"
	case http.StatusForbidden, http.StatusNotFound: // the latter: it is hers alone who made it
		return a.problem(t).Reason
	case http.StatusUnauthorized:
		return "401"
	default:
		t.Errorf("%s %s = %d %s, want what it is for, or a refusal", a.Request.Method, a.Request.URL, a.StatusCode, a.body)
		return strconv.Itoa(a.StatusCode)
	}
}

// compareTable compares rows with a file.
func compareTable(t *testing.T, path string, rows [][]string) {
	t.Helper()
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	if err := w.WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", path, diff)
	}
}
