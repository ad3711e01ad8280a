package idp_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/evidence"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/idp/webauthn"
)

// foresight is the provider's decisions without its server, as `credence explain` has them.
func (p *provider) foresight() *oauth.Handler {
	p.t.Helper()
	log := slog.New(slog.DiscardHandler)
	models := webauthn.NewModels(p.store, webauthn.Source{}, p.clock.Now, log)
	keys, err := webauthn.New(webauthn.Config{Store: p.store, Models: models, Key: p.key, Issuer: issuer, Name: "Credence", Now: p.clock.Now})
	if err != nil {
		p.t.Fatal(err)
	}
	desk, err := evidence.New(p.store, p.key, p.clock.Now)
	if err != nil {
		p.t.Fatal(err)
	}
	catalogue, err := directory.NewCatalogue()
	if err != nil {
		p.t.Fatal(err)
	}
	clients := &oauth.Clients{Store: p.store, Now: p.clock.Now, Log: log}
	if err := clients.Load(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	return &oauth.Handler{
		Issuer: issuer, Store: p.store, Clients: clients, Evidence: desk, Catalogue: catalogue, Now: p.clock.Now,
		SignIn: &signin.Handler{Store: p.store, WebAuthn: keys, Evidence: desk, Now: p.clock.Now, Simulated: directory.FixedPeople()},
	}
}

// happened is what became of a request: the page that was shown, or what the client was told.
type happened struct{ Page, Error, ACR, Vector string }

// What is foreseen of a request is what happens to it.
func TestForeseenIsWhatHappens(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	strict := oauth.Registration{
		ID: "strict", Name: "Strict", Scopes: oauth.Scopes(), RedirectURIs: []string{callback}, MinimumAuthenticator: assurance.AAL2, MinimumIdentity: assurance.IdentityMedium,
		Trustmark: assurance.OneLogin, RequiresRole: true,
	}
	if err := oauth.EnsureClient(t.Context(), p.owner, strict, secret, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	p = p.second()
	h := p.foresight()
	essential := func(value string) string { return `{"id_token":{"acr":{"essential":true,"values":["` + value + `"]}}}` }
	tests := map[string]struct {
		client, person string
		method         assurance.Method
		asked          []string
	}{
		"nothing is asked":                        {confidentialClient, oneRole, assurance.Password, nil},
		"a level that is reached":                 {confidentialClient, oneRole, assurance.Passkey, []string{"acr_values", "AAL3_ANY AAL2_ANY"}},
		"a level that is not reached":             {confidentialClient, oneRole, assurance.TOTP, []string{"acr_values", "phr"}},
		"a level that has to be, and is":          {confidentialClient, oneRole, assurance.Smartcard, []string{"claims", essential("AAL3_SMARTCARD")}},
		"a level that has to be, and is not":      {confidentialClient, oneRole, assurance.Passkey, []string{"claims", essential("AAL3_ANY")}},
		"an identity that has to be, and is not":  {confidentialClient, noRole, assurance.Smartcard, []string{"claims", essential("urn:credence:acr:identity:very_high")}},
		"what nobody can be":                      {confidentialClient, oneRole, assurance.Smartcard, []string{"claims", essential("nonsense")}},
		"a vector":                                {confidentialClient, oneRole, assurance.Passkey, []string{"vtr", `["P1.Cc","P2.Ce"]`}},
		"a vector that cannot be read":            {confidentialClient, oneRole, assurance.Passkey, []string{"vtr", `["P7"]`}},
		"a minimum of the client that is reached": {"strict", oneRole, assurance.Passkey, []string{"vtr", `["P2.Cl.Cm"]`}},
		"a minimum of the client that is not":     {"strict", oneRole, assurance.Password, nil},
		"a role that the client wants":            {"strict", noRole, assurance.Passkey, nil},
		"a choice of roles":                       {confidentialClient, twoRoles, assurance.Passkey, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := p.in(t)
			person, err := p.store.Person(t.Context(), tt.person, p.clock.Now())
			if err != nil {
				t.Fatal(err)
			}
			parameters := url.Values{}
			for i := 0; i+1 < len(tt.asked); i += 2 {
				parameters.Set(tt.asked[i], tt.asked[i+1])
			}
			supposed := oauth.Supposed{ClientID: tt.client, Parameters: parameters, Person: person.Person, SignIn: assurance.Simulate(tt.method, p.clock.Now()), ForThis: true}

			k := newPKCE()
			b := p.browser()
			page := b.authorize(request(tt.client, k, tt.asked...))
			if page.path() == "/sign-in" {
				page = b.simulate(page, tt.person, string(tt.method))
			}
			if diff := cmp.Diff(p.happened(tt.client, page, k), foreseen(t.Context(), t, h, supposed)); diff != "" {
				t.Errorf("who signs in for the request: -happened +foreseen:\n%s", diff)
			}

			b = p.browser()
			b.simulate(b.get("/sign-in"), tt.person, string(tt.method))
			supposed.SignIn.At, supposed.ForThis = p.clock.Now(), false
			k = newPKCE()
			page = b.authorize(request(tt.client, k, tt.asked...))
			if diff := cmp.Diff(p.happened(tt.client, page, k), foreseen(t.Context(), t, h, supposed)); diff != "" {
				t.Errorf("who is signed in already: -happened +foreseen:\n%s", diff)
			}
		})
	}
}

// happened reads what an answer leads to.
func (p *provider) happened(client string, a answer, k pkce) happened {
	p.t.Helper()
	if a.Header.Get("Location") == "" {
		return happened{Page: a.path()}
	}
	q := a.redirect(p.t)
	if q.Get("code") == "" {
		return happened{Error: q.Get("error") + ": " + q.Get("error_description")}
	}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, issuer+"/token", strings.NewReader(redeem(client, q.Get("code"), k).Encode()))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(client, url.QueryEscape(secret))
	told := claims(p.t, p.sendToken(r).IDToken)
	vector, _ := told["vot"].(string)
	return happened{ACR: told["acr"].(string), Vector: vector}
}

func foreseen(ctx context.Context, t *testing.T, h *oauth.Handler, s oauth.Supposed) happened {
	t.Helper()
	f, err := h.Foresee(ctx, s)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case f.Error != nil:
		return happened{Error: f.Error.Code + ": " + f.Error.Description}
	case f.Step == signin.StepUp:
		return happened{Page: "/sign-in/step-up"}
	case f.Step == signin.Unmet:
		return happened{Page: "/sign-in/unmet"}
	case f.Step == signin.ChooseRole:
		return happened{Page: "/sign-in/role"}
	}
	vector, _ := f.Claims["vot"].(string)
	return happened{ACR: f.Claims["acr"].(string), Vector: vector}
}
