package idp_test

import (
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/webauthn/webauthntest"
)

// What each request may cost: round trips to the database, transactions that write, and signatures. The counts do not
// depend on the machine. The first run of a flow warms what is kept in memory, and the second is counted.
func TestRoundTripBudgets(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	if _, _, err := oauth.UpdateClient(t.Context(), p.owner, confidentialClient, func(r *oauth.Registration) { r.VerifiedClaims = oauth.VerifiedOIDF }, false, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	p = p.second()
	p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid offline_access")

	spent := func(what string, mostTrips, mostWrites, mostSignatures int, do func()) {
		t.Helper()
		signed := p.signatures()
		p.trips.take()
		do()
		trips, writes := p.trips.take()
		if trips > mostTrips || writes > mostWrites {
			t.Errorf("%s took %d round trips and %d transactions that write, want at most %d and %d", what, trips, writes, mostTrips, mostWrites)
		}
		if signatures := p.signatures() - signed; signatures > mostSignatures {
			t.Errorf("%s made %d signatures, want at most %d", what, signatures, mostSignatures)
		}
	}
	b, k := p.browser(), newPKCE()
	q := request(confidentialClient, k, "scope", "openid offline_access")
	var page answer
	var code string
	var got tokens
	spent("GET /authorize without a session, which is the sign-in page", 0, 0, 0, func() { page = b.get("/authorize?" + q.Encode()) })
	spent("POST /sign-in/simulated in a fresh browser, with the code", 2, 1, 0, func() {
		code = b.post("/sign-in/simulated?"+page.address().RawQuery, map[string][]string{"username": {oneRole}}).redirect(t).Get("code")
	})
	spent("GET /authorize with a session", 2, 1, 0, func() { b.get("/authorize?" + q.Encode()).redirect(t) })
	spent("POST /token, authorization_code", 1, 1, 2, func() { got = p.as(confidentialClient, redeem(confidentialClient, code, k)) })
	spent("POST /token, refresh_token", 1, 1, 2, func() { got = p.as(confidentialClient, refresh(got.RefreshToken)) })
	spent("GET /userinfo", 1, 0, 0, func() { p.userinfo(got.AccessToken) })
	got = p.second().as(confidentialClient, refresh(got.RefreshToken))
	spent("POST /token, refresh_token that was issued at another replica", 2, 1, 2, func() { got = p.as(confidentialClient, refresh(got.RefreshToken)) })

	key := webauthntest.New()
	p.enrol(oneRole, key)
	other := p.browser()
	other.passkey(other.get("/sign-in"), key)
	other = p.browser()
	page = other.authorize(q)
	spent("the sign-in page for a user id", 1, 0, 0, func() { page = other.get(page.address().RequestURI() + "&username=" + oneRole) })
	asked := page.ceremony(t)
	response := key.Get(asked.options, issuer)
	spent("POST /sign-in/passkey in a fresh browser, with the code", 2, 1, 0, func() {
		code = other.follow(other.finish(asked, response, "").Location).redirect(t).Get("code")
	})
	if code == "" {
		t.Error("POST /sign-in/passkey gives no code")
	}
	asked = other.get("/sign-in").ceremony(t)
	response = key.Get(asked.options, issuer)
	spent("POST /sign-in/passkey with a session", 3, 1, 0, func() { other.finish(asked, response, "") })
	if other.home() == "" {
		t.Error("nobody is signed in after POST /sign-in/passkey")
	}
	chooser := p.browser()
	page = chooser.simulate(chooser.authorize(q), twoRoles, "")
	spent("POST /sign-in/role, with the code", 3, 1, 0, func() {
		code = chooser.post(page.address().RequestURI(), map[string][]string{"role": {manager}}).redirect(t).Get("code")
	})
	p.spendOnLevels(spent)
	p.spendOnDesk(spent)
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server", "/jwks", "/schemas/userinfo.json"} {
		spent("GET "+path, 0, 0, 0, func() { b.get(path) })
	}
	if p.signatures() == 0 {
		t.Error("no signature was counted")
	}
	if got.AccessToken == "" {
		t.Errorf("the last refresh answered %d %s, want tokens", got.status, got.Error)
	}
}

// spendOnLevels counts what it costs to ask for levels, to step up, and to tell of evidence.
func (p *provider) spendOnLevels(spent func(what string, mostTrips, mostWrites, mostSignatures int, do func())) {
	p.t.Helper()
	b, k := p.browser(), newPKCE()
	b.signInAlone(oneRole, "passkey")
	q := request(confidentialClient, k, "acr_values", "AAL3_ANY")
	var page answer
	var code string
	spent("GET /authorize that leads to a step-up", 2, 0, 0, func() { page = b.get("/authorize?" + q.Encode()) })
	spent("GET /sign-in/step-up", 2, 0, 0, func() { page = b.rest(page) })
	spent("POST /sign-in/simulated at a step-up, with the code", 3, 1, 0, func() { code = b.stronger(page, oneRole, "smartcard").redirect(p.t).Get("code") })
	if code == "" {
		p.t.Error("the step-up gives no code")
	}
	spent("GET /authorize for a level that is reached", 2, 1, 0, func() { b.get("/authorize?" + q.Encode()).redirect(p.t) })
	const part = `{"verified_claims":{"verification":{"trust_framework":null,"assurance_process":{"procedure":null}},"claims":{"given_name":null}}}`
	for name, tt := range map[string]struct {
		asked                          string
		tripsOfTokens, tripsOfUserinfo int
	}{
		"claims by name":                  {`{"userinfo":{"email":null,"acr":null},"id_token":{"email":null}}`, 2, 1},
		"verified claims in userinfo":     {`{"userinfo":` + part + `}`, 2, 2},
		"verified claims in the ID token": {`{"id_token":` + part + `}`, 3, 1},
	} {
		k := newPKCE()
		code := b.authorize(request(confidentialClient, k, "claims", tt.asked)).redirect(p.t).Get("code")
		var got tokens
		spent("POST /token with "+name, tt.tripsOfTokens, 1, 2, func() { got = p.as(confidentialClient, redeem(confidentialClient, code, k)) })
		spent("GET /userinfo with "+name, tt.tripsOfUserinfo, 0, 0, func() { p.userinfo(got.AccessToken) })
	}
}

// spendOnDesk counts what pages of the registration desk cost. It does not grow with the roles of a person and the organisations that
// she has them at.
func (p *provider) spendOnDesk(spent func(what string, mostTrips, mostWrites, mostSignatures int, do func())) {
	p.t.Helper()
	b, _ := p.atDesk(raManager, "/desk")
	open := func(what, path string, mostTrips, mostWrites int) {
		b.get(path)
		spent(what, mostTrips, mostWrites, 0, func() {
			if a := b.get(path); a.StatusCode != http.StatusOK {
				p.t.Errorf("%s = %d %s", what, a.StatusCode, text(a.body))
			}
		})
	}
	open("the search for a person by name", "/desk/people?q=winifred+stewardley", 3, 1)
	open("the search for a person by name and date of birth", "/desk/people?q=winifred&born=31/3/1990", 3, 1)
	open("the search for a person by user id", "/desk/people?q="+raSponsor, 3, 1)
	open("the queue", "/desk/requests", 3, 0)
	open("the queue by when requests start", "/desk/requests?sort=-starts", 3, 0)
	open("the page of a person with one role", "/desk/people/"+oneRole, 13, 6)
	open("the page of a person with seven roles", "/desk/people/"+sevenRoles, 13, 6)
	open("the evidence of a person", "/desk/people/"+oneRole+"/evidence", 9, 1)
	open("a glance", "/desk/organisations/ZX100", 5, 0)
}

// signatures is how many tokens the provider has signed.
func (p *provider) signatures() int {
	p.t.Helper()
	registry := prometheus.NewRegistry()
	registry.MustRegister(p.handler.Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		p.t.Fatal(err)
	}
	total := 0.0
	for _, family := range families {
		if family.GetName() == "credence_signatures_total" {
			for _, m := range family.GetMetric() {
				total += m.GetCounter().GetValue()
			}
		}
	}
	return int(total)
}
