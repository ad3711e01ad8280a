package idp_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// TestSittingByAPI is a whole sitting by programs of four officers: a manager proposes a position and a second officer approves it;
// a sponsor asks for it for somebody who is not on record; an agent finds nobody like her, adds her, takes her up, records what
// proves who she is and binds her key; the second officer approves; and with that key she signs in at an application, whose token
// says all of that.
func TestSittingByAPI(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	as := p.programs()
	manager, sponsor, agent, advanced := as(raManager), as(raSponsor), as(raAgent), as(raAdvanced)
	must := func(a answer, status int) answer {
		t.Helper()
		if a.StatusCode != status {
			t.Fatalf("%s %s = %d %s, want %d", a.Request.Method, a.Request.URL.Path, a.StatusCode, a.body, status)
		}
		return a
	}

	a := must(manager.call(http.MethodPost, "/api/positions", nil, `{"organisation":"ZX100","name":"Ward nurse","job_role":"S8000:G8000:R8001","activities":["B0401"],"reason":"A new ward"}`), http.StatusCreated)
	ward := a.member(t, "id")
	fill := map[string]string{"position": ward}
	if a := manager.call(http.MethodPost, "/api/positions/{position}/approval", fill, "", "If-Match", a.Header.Get("ETag")); a.StatusCode != http.StatusForbidden || a.problem(t).Reason != "own_request" {
		t.Errorf("approval by who proposed it = %d %s, want 403 own_request", a.StatusCode, a.body)
	}
	must(advanced.call(http.MethodPost, "/api/positions/{position}/approval", fill, "", "If-Match", a.Header.Get("ETag")), http.StatusOK)

	const who = `"given_name":"Zoë","family_name":"Quist","date_of_birth":"1985-02-01"`
	a = must(sponsor.call(http.MethodPost, "/api/introductions", nil, `{`+who+`,"position":"`+ward+`","reason":"Starts on Monday"}`), http.StatusCreated)
	fill["introduction"] = a.member(t, "id")
	must(agent.call(http.MethodGet, "/api/introductions/{introduction}", fill, ""), http.StatusOK)
	search := "/api/people?" + url.Values{"name": {"Zoë Quist"}, "date_of_birth": {"1985-02-01"}}.Encode()
	if a := must(agent.call(http.MethodGet, search, nil, ""), http.StatusOK); !strings.Contains(a.body, `"items":[]`) {
		t.Errorf("people like her before she is added = %s, want none", a.body)
	}
	person := must(agent.call(http.MethodPost, "/api/people", nil, `{`+who+`}`), http.StatusCreated).member(t, "user_id")
	if a := must(agent.call(http.MethodGet, search, nil, ""), http.StatusOK); !strings.Contains(a.body, person) {
		t.Errorf("people like her after she is added = %s, want her", a.body)
	}
	fill["person"] = person
	fill["request"] = must(agent.call(http.MethodPost, "/api/introductions/{introduction}/person", fill, `{"person":"`+person+`"}`), http.StatusOK).member(t, "request")

	const subject = `"subject":{"given_name":"Zoë","family_name":"Quist","birthdate":"1985-02-01"},"declared":"in_person"`
	for _, evidence := range []string{
		`{"kind":"passport","number":"707777707","country":"GBR","features":["biometric_chip"],"expires_on":"2031-03-01",` + subject + `,"checks":[
			{"method":"vpiruv","facts":["physical","visible","uv_ir","original_document","specialist_training","refreshed_three_yearly"],"trained_by":"Some Training Body"},
			{"method":"vcrypt","facts":["cryptographic"]},
			{"method":"pvp","facts":["specialist_training","refreshed_yearly","adequate_light","unaltered_photo","masks_considered","eyes_visible"],"trained_by":"Some Training Body"}]}`,
		`{"kind":"driving_permit","number":"QUIST852015Z99AB","country":"GBR","features":["photocard"],"expires_on":"2032-04-30",` + subject + `,"checks":[
			{"method":"vpip","facts":["physical"]},{"method":"data","organisation":"DVLA","facts":["authoritative_match"]}]}`,
		`{"kind":"fraud_register",` + subject + `,"checks":[{"method":"data","organisation":"Some Fraud Bureau",
			"facts":["authoritative_source","identity_theft_check","impersonation_risk_check","mortality_check","synthetic_identity_check"]}]}`,
	} {
		a = must(agent.call(http.MethodPost, "/api/people/{person}/evidence", fill, evidence), http.StatusOK)
	}
	if got := p.count(`SELECT count(*) FROM person WHERE id = $1 AND identity_level = 'high' AND identity_profile = 'H1A'`, person); got != 1 {
		t.Fatalf("her identity after the evidence = %s, want high by H1A", a.body)
	}

	yes := `{"verdict":"approved","reason":"As asked"}`
	if a := agent.call(http.MethodPost, "/api/requests/{request}/decision", fill, yes); a.StatusCode != http.StatusConflict || a.problem(t).Reason != "took_up" {
		t.Errorf("approval by who took her up = %d %s, want 409 took_up", a.StatusCode, a.body)
	}
	must(advanced.call(http.MethodPost, "/api/requests/{request}/decision", fill, yes), http.StatusOK)

	key := webauthntest.New()
	options := must(agent.call(http.MethodPost, optionsPath, fill, ""), http.StatusOK)
	must(agent.call(http.MethodPost, bindPath, fill, p.bindingAnswer(options, key, issuer)), http.StatusCreated)

	k := newPKCE()
	b := p.browser()
	code := b.passkey(b.authorize(request(confidentialClient, k)), key).redirect(t).Get("code")
	token := claims(t, p.as(confidentialClient, redeem(confidentialClient, code, k)).IDToken)
	got := map[string]any{"role": token["role"].(map[string]any)["code"], "organisation": token["organisation"].(map[string]any)["code"]}
	want := map[string]any{
		"sub": person, "name": "Zoë Quist", "role": "S8000:G8000:R8001", "organisation": "ZX100", "identity_assurance_level": "high",
		"acr": "AAL2_ANY", // nobody vouches for the model of the key
	}
	for name := range want {
		if got[name] == nil {
			got[name] = token[name]
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("her ID token differs (-want +got):\n%s", diff)
	}
}
