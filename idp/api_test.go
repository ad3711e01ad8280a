package idp_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/credence-id/credence/idp/api"
)

const apiScopes = "openid registration.read registration.write"

// officerToken signs somebody in by the code flow, by a method, and returns the access token that a client is issued.
func (p *provider) officerToken(b *browser, person, scope, method string) string {
	p.t.Helper()
	k := newPKCE()
	a := b.simulate(b.authorize(request(publicClient, k, "scope", scope)), person, method)
	if a.path() == "/sign-in/role" { // she has none, and goes on without
		a = b.rest(b.post("/sign-in/role?"+a.address().RawQuery, url.Values{"role": {""}}))
	}
	got := p.as(publicClient, redeem(publicClient, a.redirect(p.t).Get("code"), k))
	got.granted(p.t)
	return got.AccessToken
}

// description is the OpenAPI description of the API, and what answers and requests are held against.
type description struct {
	*jsonschema.Compiler

	Paths map[string]map[string]operation `json:"paths"`
}

// operation is what the tests read of one.
type operation struct {
	Name      string                `json:"operationId"`
	Responses map[string]content    `json:"responses"`
	Security  []map[string][]string `json:"security"`
	Body      *content              `json:"requestBody"`

	Parameters []struct {
		Name, In string
		Schema   struct{ Enum []string }
	} `json:"parameters"`
}

// content is what is sent or answered, by media type; what is no JSON has no schema.
type content struct {
	Of map[string]struct{ Schema any } `json:"content"`
}

// pictured says whether it is a picture.
func (c content) pictured() bool { return len(c.Of) > 0 && c.Of["application/json"].Schema == nil }

func (p *provider) description() *description {
	p.t.Helper()
	a := p.browser().get("/api/openapi.json")
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(a.body))
	if err != nil || a.StatusCode != http.StatusOK {
		p.t.Fatalf("GET /api/openapi.json = %d, %v, want the description", a.StatusCode, err)
	}
	d := &description{Compiler: jsonschema.NewCompiler()}
	d.AssertFormat()
	if err := d.AddResource("openapi.json", document); err != nil {
		p.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(a.body), d); err != nil {
		p.t.Fatal(err)
	}
	return d
}

// check holds JSON against the schema at a place of the description.
func (d *description) check(t *testing.T, text string, place ...string) {
	t.Helper()
	pointer := ""
	for _, part := range place {
		pointer += "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(part)
	}
	schema, err := d.Compile("openapi.json#" + (&url.URL{Path: pointer}).EscapedPath())
	if err != nil {
		t.Fatalf("the schema at %s: %v", pointer, err)
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		t.Errorf("%s is not as described at %s: %v", text, pointer, err)
	}
}

// program calls the API with a token, and holds what it sends and gets against the description.
type program struct {
	*provider
	*description

	token string
}

// call sends a request to a route, whose pattern is filled in. Headers are pairs of a name and a value.
func (g program) call(method, pattern string, fill map[string]string, body string, headers ...string) answer {
	g.t.Helper()
	path := pattern
	for name, value := range fill {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	r, err := http.NewRequestWithContext(g.t.Context(), method, issuer+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if g.token != "" {
		r.Header.Set("Authorization", "Bearer "+g.token)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a := g.browser().send(r)
	pattern, _, _ = strings.Cut(pattern, "?")
	operation, known := g.Paths[pattern][strings.ToLower(method)]
	if !known {
		return a
	}
	if operation.Body != nil && !operation.Body.pictured() && a.StatusCode < http.StatusBadRequest {
		g.check(g.t, body, "paths", pattern, strings.ToLower(method), "requestBody", "content", "application/json", "schema")
	}
	status, contentType := strconv.Itoa(a.StatusCode), "application/json"
	if described, is := operation.Responses[status]; !is {
		status, contentType = "default", "application/problem+json"
	} else if described.pictured() {
		contentType = "image/jpeg"
	}
	if got := a.Header.Get("Content-Type"); got != contentType || a.Header.Get("Cache-Control") != "no-store" {
		g.t.Errorf("%s %s answers %d as %s, kept by %q, want %s and no-store", method, path, a.StatusCode, got, a.Header.Get("Cache-Control"), contentType)
	}
	if method != http.MethodHead && contentType != "image/jpeg" {
		g.check(g.t, a.body, "paths", pattern, strings.ToLower(method), "responses", status, "content", contentType, "schema")
	}
	return a
}

// problem reads what an answer says is wrong.
func (a answer) problem(t *testing.T) api.Problem {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || p.Status != a.StatusCode || p.RequestID != a.Header.Get("X-Request-Id") {
		t.Fatalf("%d %s is no problem of this request: %v", a.StatusCode, a.body, err)
	}
	return p
}

// member reads text of an answer.
func (a answer) member(t *testing.T, name string) string {
	t.Helper()
	var members map[string]any
	if err := json.Unmarshal([]byte(a.body), &members); err != nil {
		t.Fatalf("%d %s: %v", a.StatusCode, a.body, err)
	}
	text, ok := members[name].(string)
	if !ok {
		t.Fatalf("%d %s has no %s", a.StatusCode, a.body, name)
	}
	return text
}

// A whole sitting by programs: a person is found to be new and added, her identity proved, a position proposed, approved, asked
// for and given. Each line of the record names the client and the grant.
func TestAPISitting(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	d := p.description()
	as := func(person string) program {
		return program{p, d, p.officerToken(p.browser(), person, apiScopes, "smartcard")}
	}
	manager, advanced, agent, sponsor := as(raManager), as(raAdvanced), as(raAgent), as(raSponsor)

	// Somebody on record is like her: whoever adds her has to have seen that.
	newcomer := `{"given_name":"Winifred","family_name":"Stewardly","date_of_birth":"1970-09-03"`
	a := agent.call(http.MethodPost, "/api/people", nil, newcomer+`}`)
	like := a.problem(t)
	if a.StatusCode != http.StatusConflict || like.Reason != "candidates" || len(like.Candidates) == 0 {
		t.Fatalf("POST /api/people of somebody like another = %d %s, want the candidates", a.StatusCode, a.body)
	}
	var seen []string
	for _, c := range like.Candidates {
		seen = append(seen, c.UserID)
	}
	if a := agent.call(http.MethodPost, "/api/people", nil, newcomer+`,"candidates_seen":["`+noRole+`"]}`); a.StatusCode != http.StatusConflict {
		t.Errorf("POST /api/people when others were seen = %d %s, want the candidates again", a.StatusCode, a.body)
	}
	a = agent.call(http.MethodPost, "/api/people", nil, newcomer+`,"candidates_seen":["`+strings.Join(seen, `","`)+`"]}`)
	if a.StatusCode != http.StatusCreated {
		t.Fatalf("POST /api/people when all were seen = %d %s, want 201", a.StatusCode, a.body)
	}
	id := a.member(t, "user_id")
	person := map[string]string{"person": id}
	if location := a.Header.Get("Location"); location != "/api/people/"+id {
		t.Errorf("Location = %s, want that of the person", location)
	}
	if a := agent.call(http.MethodGet, "/api/people?name=Stewardly&date_of_birth=1970-09-03", nil, ""); !strings.Contains(a.body, id) {
		t.Errorf("GET /api/people by name and birth = %d %s, want her", a.StatusCode, a.body)
	}

	evidence := `{"kind":"passport","declared":"in_person","number":"707777707","country":"GBR","features":["biometric_chip"],"subject":{"given_name":"Winifred","family_name":"Stewardly","birthdate":"1970-09-03"},` +
		`"checks":[{"method":"vcrypt","facts":["cryptographic"]},{"method":"pvp","facts":["adequate_light","unaltered_photo"]}]}`
	a = agent.call(http.MethodPost, "/api/people/{person}/evidence", person, evidence)
	if a.StatusCode != http.StatusOK || !strings.Contains(a.body, `"before":{"level":"none"`) {
		t.Errorf("POST evidence = %d %s, want what became of the level", a.StatusCode, a.body)
	}
	if a := agent.call(http.MethodPost, "/api/people/{person}/evidence", person, strings.Replace(evidence, "pvp", "pvr", 1)); a.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("POST evidence that no desk checks = %d %s, want 422", a.StatusCode, a.body)
	}
	a = agent.call(http.MethodGet, "/api/people/{person}/evidence", person, "")
	if !strings.Contains(a.body, `"number":"···707"`) || strings.Contains(a.body, "707777707") || !strings.Contains(a.body, `"checker":"`+raAgent+`"`) {
		t.Errorf("GET evidence = %s, want it with the end of the number, and who checked it", a.body)
	}

	a = manager.call(http.MethodPost, "/api/positions", nil, `{"organisation":"ZX100","name":"Ward nurse","job_role":"S8000:G8000:R8001","activities":["B0401"],"reason":"A new ward"}`)
	ward := map[string]string{"position": a.member(t, "id")}
	if a := advanced.call(http.MethodPost, "/api/positions/{position}/approval", ward, ""); a.StatusCode != http.StatusPreconditionRequired {
		t.Errorf("approval without a version = %d %s, want 428", a.StatusCode, a.body)
	}
	a = advanced.call(http.MethodGet, "/api/positions/{position}", ward, "")
	if a := advanced.call(http.MethodPost, "/api/positions/{position}/approval", ward, "", "If-Match", a.Header.Get("ETag")); a.StatusCode != http.StatusOK {
		t.Fatalf("approval = %d %s, want 200", a.StatusCode, a.body)
	}
	changed := `{"name":"Nurse of the ward","job_role":"S8000:G8000:R8001","reason":"Its name"}`
	if a := manager.call(http.MethodPost, "/api/positions/{position}/revision", ward, changed, "If-Match", `"1"`); a.StatusCode != http.StatusOK || a.Header.Get("ETag") != `"2"` {
		t.Errorf("revision = %d %s, want version 2", a.StatusCode, a.body)
	}
	a = advanced.call(http.MethodPost, "/api/positions/{position}/revision", ward, changed, "If-Match", `"1"`)
	if changes := a.problem(t).Changes; a.StatusCode != http.StatusPreconditionFailed || len(changes) == 0 {
		t.Errorf("revision of what has changed since = %d %s, want 412 and what differs", a.StatusCode, a.body)
	}

	a = sponsor.call(http.MethodPost, "/api/requests", nil, `{"kind":"assign_position","person":"`+id+`","position":"`+ward["position"]+`","starts_at":"2026-03-04T06:00:00Z","reason":"Starts on Monday"}`)
	if a.StatusCode != http.StatusCreated || a.member(t, "state") != "open" {
		t.Fatalf("POST /api/requests = %d %s, want an open request", a.StatusCode, a.body)
	}
	request := map[string]string{"request": a.member(t, "id")}
	if a := agent.call(http.MethodGet, "/api/requests?organisation=ZX100", nil, ""); !strings.Contains(a.body, request["request"]) {
		t.Errorf("GET /api/requests = %s, want the request", a.body)
	}
	yes := `{"verdict":"approved","reason":"As asked"}`
	if a := sponsor.call(http.MethodPost, "/api/requests/{request}/decision", request, yes); a.problem(t).Reason != "no_right" {
		t.Errorf("the sponsor's decision = %d %s, want no_right", a.StatusCode, a.body)
	}
	if a := agent.call(http.MethodPost, "/api/requests/{request}/decision", request, yes); a.StatusCode != http.StatusOK || a.member(t, "role") == "" {
		t.Errorf("the agent's decision = %d %s, want a role", a.StatusCode, a.body)
	}
	if a := agent.call(http.MethodPost, "/api/requests/{request}/decision", request, yes); a.StatusCode != http.StatusConflict || a.problem(t).Reason != "not_open" {
		t.Errorf("a second decision = %d %s, want 409 not_open", a.StatusCode, a.body)
	}
	for pattern, want := range map[string]string{"/api/requests/{request}": `"state":"approved"`, "/api/people/{person}": `"position":"` + ward["position"], "/api/positions/{position}/holders": id} {
		if a := agent.call(http.MethodGet, pattern, map[string]string{"request": request["request"], "person": id, "position": ward["position"]}, ""); !strings.Contains(a.body, want) {
			t.Errorf("GET %s = %s, want %s", pattern, a.body, want)
		}
	}

	events, err := p.owner.AuditEvents(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, e := range events {
		switch e.Event {
		case "person_added", "person_searched", "person_viewed", "evidence_recorded", "position_proposed", "position_approved", "request_asked", "request_decided":
		default:
			continue
		}
		if e.Actor == "test" || e.Actor == "dev" {
			continue
		}
		known[e.Event] = true
		if e.ClientID != publicClient || e.GrantID == nil || *e.GrantID == uuid.Nil {
			t.Errorf("the line %s of %s names client %q and grant %v, want both", e.Event, e.Actor, e.ClientID, e.GrantID)
		}
	}
	if len(known) != 8 {
		t.Errorf("the record has lines of %v, want all eight", known)
	}
}

// The page about the API lists what there is.
func TestAPIDocumentListsEachRoute(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed, served []string
	for line := range strings.Lines(string(text)) {
		if route, is := strings.CutPrefix(line, "| `"); is {
			route, _, _ = strings.Cut(route, "`")
			listed = append(listed, route)
		}
	}
	new(api.Handler).Mount(func(pattern string, _ func(http.ResponseWriter, *http.Request) error) {
		if pattern != "/api/" && pattern != "GET /api/openapi.json" {
			served = append(served, pattern)
		}
	})
	if diff := cmp.Diff(served, listed); diff != "" {
		t.Errorf("docs/api.md lists others than are served (-served +listed):\n%s", diff)
	}
}
