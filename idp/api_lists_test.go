package idp_test

import (
	"fmt"
	"image"
	"image/jpeg"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/photograph"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// By programs a photograph is put on record, encoded anew, and seen; whoever saw it is on record. What is no picture is refused.
func TestAPIPhotographs(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	as := p.programs()
	agent, sponsor := as(raAgent), as(raSponsor)
	of, png := map[string]string{"person": noRole}, []string{"Content-Type", "image/png"}
	const path = "/api/people/{person}/photograph"
	if a := sponsor.call(http.MethodGet, path, of, ""); a.StatusCode != http.StatusNotFound {
		t.Errorf("the photograph of who has none = %d %s, want 404", a.StatusCode, a.body)
	}
	for _, none := range []string{"1", "%00", "%ff"} {
		if a := sponsor.call(http.MethodGet, path, map[string]string{"person": none}, ""); a.StatusCode != http.StatusNotFound {
			t.Errorf("the photograph of %s = %d %s, want 404", none, a.StatusCode, a.body)
		}
	}
	picture := string(portrait(t, 800, 600))
	for _, test := range []struct {
		name    string
		by      program
		of      map[string]string
		body    string
		headers []string
		status  int
	}{
		{"by whom may not", sponsor, of, picture, png, http.StatusForbidden},
		{"of herself", agent, map[string]string{"person": raAgent}, picture, png, http.StatusForbidden},
		{"of nobody", agent, map[string]string{"person": "1"}, picture, png, http.StatusNotFound},
		{"as JSON", agent, of, picture, nil, http.StatusUnsupportedMediaType},
		{"as a drawing", agent, of, picture, []string{"Content-Type", "image/svg+xml"}, http.StatusUnsupportedMediaType},
		{"that is a drawing", agent, of, "<svg onload='alert(1)'/>", png, http.StatusUnprocessableEntity},
		{"that is none", agent, of, "", png, http.StatusUnprocessableEntity},
		{"that is too small", agent, of, string(portrait(t, 100, 100)), png, http.StatusUnprocessableEntity},
		{"that is too long", agent, of, strings.Repeat("a", photograph.MaxUpload+1), png, http.StatusRequestEntityTooLarge},
		{"that is one", agent, of, picture, png, http.StatusOK},
		{"in its place, which she has not seen", agent, of, picture, png, http.StatusPreconditionFailed},
		{"in the place of another", agent, of, picture, append([]string{"If-Match", `"1"`}, png...), http.StatusPreconditionFailed},
	} {
		a := test.by.call(http.MethodPut, path, test.of, test.body, test.headers...)
		if a.StatusCode != test.status || a.StatusCode == http.StatusUnprocessableEntity && a.problem(t).Errors[0].Field != "body" {
			t.Errorf("a photograph %s = %d %.300s, want %d", test.name, a.StatusCode, a.body, test.status)
		}
	}
	seen := agent.call(http.MethodGet, path, of, "").Header.Get("ETag")
	if a := agent.call(http.MethodPut, path, of, picture, append([]string{"If-Match", seen}, png...)...); a.StatusCode != http.StatusOK {
		t.Errorf("a photograph in the place of %s = %d %.300s, want 200", seen, a.StatusCode, a.body)
	}
	a := sponsor.call(http.MethodGet, path, of, "")
	m, err := jpeg.Decode(strings.NewReader(a.body))
	if err != nil || m.Bounds().Size() != image.Pt(480, 600) || a.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the photograph = %d %v, want a JPEG of 480 by 600", a.StatusCode, err)
	}
	if a := as(p.developer()).call(http.MethodGet, path, of, ""); a.StatusCode != http.StatusForbidden {
		t.Errorf("the photograph for who may find nobody = %d, want 403", a.StatusCode)
	}
	if n := p.count(`SELECT count(*) FROM photograph WHERE person_id = $1`, noRole); n != 2 {
		t.Errorf("photographs = %d, want both", n)
	}
	if actor, about, detail := p.line("photograph_taken"); actor != raAgent || about != noRole || detail["officer_role"] != agentsRole || detail["way"] != "upload" {
		t.Errorf("the record says that %s took that of %s: %v", actor, about, detail)
	}
	if actor, about, detail := p.line("person_viewed"); actor != raSponsor || about != noRole || detail["of"] != "photograph" {
		t.Errorf("the record says that %s saw %s: %v", actor, about, detail)
	}
}

// By programs the keys of a client are replaced by who has seen them as they are; a private key is taken nowhere.
func TestAPIReplacesKeys(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	as := p.programs()
	developer, agent, elsewhere := as(p.developer()), as(raAgent), as(p.newOfficer("ZX200", "S8001:G8002:R8008", "B9003"))
	const path = "/api/applications/{application}/keys"
	keyed, secretive := map[string]string{"application": p.wardListWithKeys()}, map[string]string{"application": p.wardList()}
	seen := developer.call(http.MethodGet, path, keyed, "")
	if seen.StatusCode != http.StatusOK || !strings.Contains(seen.member(t, "jwks"), "2026-a") {
		t.Fatalf("the keys = %d %s, want them", seen.StatusCode, seen.body)
	}
	if a := developer.call(http.MethodGet, path, secretive, ""); a.StatusCode != http.StatusConflict || a.problem(t).Reason != "no_keys" {
		t.Errorf("the keys of what has a secret = %d %s, want no_keys", a.StatusCode, a.body)
	}
	const private = `{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}]}`
	fmt.Fprintln(p.secrets, "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A") // the invariants look for it everywhere
	other := `{"jwks":` + strconv.Quote(string(keySet(t, newClientKey(t, "2026-b")))) + `}`
	match := []string{"If-Match", seen.Header.Get("ETag")}
	for _, test := range []struct {
		name    string
		by      program
		body    string
		headers []string
		status  int
	}{
		{"without what was seen", developer, other, nil, http.StatusPreconditionRequired},
		{"of what was not seen", developer, other, []string{"If-Match", `"0"`}, http.StatusPreconditionFailed},
		{"by who may not", agent, other, match, http.StatusForbidden},
		{"from elsewhere", elsewhere, other, match, http.StatusForbidden},
		{"by a private one", developer, `{"jwks":` + strconv.Quote(private) + `}`, match, http.StatusUnprocessableEntity},
		{"by none", developer, `{"jwks":""}`, match, http.StatusUnprocessableEntity},
		{"by another", developer, other, match, http.StatusOK},
		{"of what has changed since", developer, other, match, http.StatusPreconditionFailed},
	} {
		a := test.by.call(http.MethodPost, path, keyed, test.body, test.headers...)
		if a.StatusCode != test.status || a.StatusCode == http.StatusUnprocessableEntity && a.problem(t).Errors[0].Field != "jwks" || strings.Contains(a.body, "nWGxne") {
			t.Errorf("keys %s = %d %s, want %d", test.name, a.StatusCode, a.body, test.status)
		}
	}
	if a := developer.call(http.MethodGet, path, keyed, ""); !strings.Contains(a.member(t, "jwks"), "2026-b") || a.Header.Get("ETag") == seen.Header.Get("ETag") {
		t.Errorf("the keys after that = %s, want the other ones", a.body)
	}
	if got := p.audited("client_keys_replaced"); len(got) == 0 || got[len(got)-2] != "client_keys_replaced" || got[len(got)-1] != "client_keys_replaced: keys_since" {
		t.Errorf("the record = %v, want what was done and refused", got)
	}
}

// By programs officers read what the desk shows them: what was done to a profile, merges that wait, the record, retention, and the
// lists of what waits or ends. Somebody is found by the number of her passport.
func TestAPIReadsWhatTheDeskShows(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	as := p.programs()
	manager, sponsor, privacy := as(raManager), as(raSponsor), as(p.newOfficer("ZX100", "S8002:G8003:R0001"))
	of := map[string]string{"person": p.nurse(), "run": p.retained()}
	seen := manager.call(http.MethodGet, "/api/people/{person}/details", of, "").Header.Get("ETag")
	manager.call(http.MethodPost, "/api/people/{person}/details", of, `{"given_name":"Another","family_name":"Matron","display_name":"Sister Matron","reason":"She married"}`, "If-Match", seen)
	merge := manager.call(http.MethodPost, "/api/merges", nil, `{"duplicate":"`+p.nurse()+`","kept":"`+p.nurse()+`","reason":"One person"}`).member(t, "id")
	bearer := map[string]string{"person": p.unproved()}
	manager.call(http.MethodPost, "/api/people/{person}/evidence", bearer, `{"kind":"passport","declared":"in_person","number":"707777707","country":"GBR","features":["biometric_chip"],`+
		`"subject":{"given_name":"Sarah","family_name":"Meredyth","birthdate":"1976-03-11"},"checks":[{"method":"vcrypt","facts":["cryptographic"]}]}`)
	for _, test := range []struct {
		name   string
		by     program
		path   string
		status int
		want   string
	}{
		{"what was done to a profile", sponsor, "/api/people/{person}/history", http.StatusOK, `"from":"Nurse","to":"Matron"`},
		{"the same for who finds nobody", privacy, "/api/people/{person}/history", http.StatusForbidden, "no_right"},
		{"merges that wait", manager, "/api/merges?organisation=ZX100", http.StatusOK, merge},
		{"the same for a sponsor", sponsor, "/api/merges", http.StatusForbidden, "no_right"},
		{"evidence of another organisation", as(raAdvanced), "/api/evidence-proposals?organisation=ZX200", http.StatusForbidden, "another_organisation"},
		{"merges of another organisation", as(raAdvanced), "/api/merges?organisation=ZX200", http.StatusForbidden, "another_organisation"},
		{"the record about somebody", privacy, "/api/audit?person=" + of["person"] + "&event=person_corrected&order=at", http.StatusOK, `"event":"person_corrected"`},
		{"what somebody did", privacy, "/api/audit?of=did&person=" + raAgent, http.StatusOK, `"items":[`},
		{"the record on another day", privacy, "/api/audit?until=2001-01-01&person=" + of["person"], http.StatusOK, `"items":[]`},
		{"the record of no day", privacy, "/api/audit?from=1/1/2001&person=" + of["person"], http.StatusUnprocessableEntity, `"field":"from"`},
		{"the record of nobody", privacy, "/api/audit?person=000000000001", http.StatusNotFound, "unknown"},
		{"the record of nobody, for who may not", manager, "/api/audit?person=000000000001", http.StatusForbidden, "no_right"},
		{"the record in no order", privacy, "/api/audit?order=up&person=" + of["person"], http.StatusUnprocessableEntity, `"field":"order"`},
		{"what was erased", manager, "/api/retention", http.StatusOK, of["run"]},
		{"what a run erased", manager, "/api/retention/{run}", http.StatusOK, of["run"]},
		{"what no run erased", manager, "/api/retention/x", http.StatusNotFound, "unknown"},
		{"codes", sponsor, "/api/codes?kind=activity", http.StatusOK, `"code":"B0`},
		{"more codes", sponsor, "/api/codes?kind=job_role&after=S8001:G8002:R8008", http.StatusOK, `"items":[`},
		{"codes of no kind", sponsor, "/api/codes?kind=x", http.StatusUnprocessableEntity, `"field":"kind"`},
		{"what ends", sponsor, "/api/expiring-roles?until=2040-01-01T00:00:00Z", http.StatusOK, `"items":[`},
		{"what ends at no time", sponsor, "/api/expiring-roles?until=tomorrow", http.StatusBadRequest, ""},
		{"what is suspended nowhere", sponsor, "/api/stopped-authenticators?organisation=NOWHERE", http.StatusNotFound, "unknown"},
		{"who registered herself", manager, "/api/self-registered", http.StatusOK, `"items":[]`},
		{"unusual sign-ins", privacy, "/api/unusual-sign-ins", http.StatusOK, `"items":[`},
		{"somebody by her passport", sponsor, "/api/people?kind=passport&number=707777707", http.StatusOK, bearer["person"]},
		{"somebody by the number of another document", sponsor, "/api/people?kind=driving_permit&number=707777707", http.StatusOK, `"items":[]`},
		{"somebody by a number of no kind", sponsor, "/api/people?number=707777707", http.StatusUnprocessableEntity, `"field":"kind"`},
		{"somebody by two letters", sponsor, "/api/people?name=Qu", http.StatusUnprocessableEntity, `"field":"name"`},
	} {
		if a := test.by.call(http.MethodGet, test.path, of, ""); a.StatusCode != test.status || !strings.Contains(a.body, test.want) {
			t.Errorf("%s: %s = %d %.400s, want %d with %s", test.name, test.path, a.StatusCode, a.body, test.status, test.want)
		}
	}
	p.enrol(of["person"], webauthntest.New())
	person := map[string]string{"person": of["person"], "authenticator": p.newestKey(of["person"])}
	manager.call(http.MethodPost, "/api/people/{person}/authenticators/{authenticator}/loss", person, `{"reason":"Left on the bus"}`)
	if a := sponsor.call(http.MethodGet, "/api/stopped-authenticators", nil, ""); !strings.Contains(a.body, person["authenticator"]) || !strings.Contains(a.body, `"state":"lost"`) {
		t.Errorf("what is lost = %d %s, want it", a.StatusCode, a.body)
	}
	if diff := cmp.Diff([]string{"audit_read", "audit_read", "audit_read", "audit_read"}, p.audited("audit_read")); diff != "" {
		t.Errorf("the record differs (-want +got):\n%s", diff)
	}
}
