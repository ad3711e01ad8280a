package oauth

import (
	"cmp"
	"encoding/json"
	"net/url"
	"slices"

	"github.com/ory/fosite"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/ida"
)

// errUnmet says that what was asked of the sign-in, or of the proof of the identity, cannot be met: OpenID Connect Core Error
// Code unmet_authentication_requirements 1.0.
func errUnmet(description string) *fosite.RFC6749Error {
	return &fosite.RFC6749Error{
		ErrorField: "unmet_authentication_requirements", DescriptionField: description, CodeField: 403,
	}
}

// checkDemand reads what the request asks of whoever signs in, in each vocabulary, and adds what its client always asks:
// OpenID Connect Core 1.0, Sections 3.1.2.1 and 5.5.1.1; RFC 8485, Section 4; OpenID Connect Dynamic Client Registration
// 1.0, Section 2.
func (a *authorization) checkDemand(p url.Values) error {
	a.demand = assurance.Demand{
		MinimumAuthenticator: assurance.AuthenticatorLevel(a.client.MinimumAuthenticatorLevel),
		MinimumIdentity:      assurance.IdentityLevel(a.client.MinimumIdentityLevel),
	}
	if err := a.checkClaims(p); err != nil {
		return err
	}
	// A vector means nothing without the trustmark that its components are from. That of the RFC is what a client means that
	// has registered none, and the answer says so (vtm).
	registered := assurance.Trustmark(a.client.Trustmark)
	if p.Has("vtr") || registered != "" && len(a.demand.Values) == 0 && len(a.client.DefaultACRValues) == 0 {
		a.demand.Trustmark = cmp.Or(registered, assurance.RFC8485)
		var err error
		if a.demand.Vectors, err = assurance.ParseVectors(a.demand.Trustmark, p.Get("vtr")); err != nil {
			return invalidRequest("By the trustmark " + string(a.demand.Trustmark) + ", which is the client's, the vtr cannot be read: " + err.Error() + ".")
		}
	}
	if len(a.demand.Values) == 0 && len(a.demand.Vectors) == 0 {
		a.demand.Values = a.client.DefaultACRValues
	}
	return nil
}

// checkClaims reads acr_values and the parameter claims. An acr that claims asks for stands before acr_values, which is the
// same without saying whether it is essential. A sub that it asks for is who alone may sign in.
func (a *authorization) checkClaims(p url.Values) error {
	values, err := assurance.ParseValues(p.Get("acr_values"))
	if err != nil {
		return invalidRequest("The acr_values are too many or too long.")
	}
	a.demand.Values = values
	if !p.Has("claims") {
		return nil
	}
	asked, err := ida.ParseClaims(p.Get("claims"))
	if err != nil {
		return invalidRequest("The parameter " + err.Error() + ".")
	}
	a.claims = p.Get("claims")
	values, essential, ok := asked.ACR()
	if ok && len(values) > 0 {
		if assurance.CheckValues(values) != nil || !clean(url.Values{"acr": values}) {
			return invalidRequest("The parameter claims asks for an acr whose values are too many, too long, or no text.")
		}
		a.demand.Values, a.demand.Essential = values, essential
	}
	if sub := asked.IDToken.Claims["sub"]; sub.Values != nil {
		return a.mean(texts(sub.Values))
	}
	return nil
}

// texts are those of the values that are text.
func texts(values []any) []string {
	var list []string
	for _, v := range values {
		if text, ok := v.(string); ok {
			list = append(list, text)
		}
	}
	return list
}

// reached is what a grant stands for: never more than when it was given, and never more than is so now. A refresh therefore
// raises nothing, and evidence that is withdrawn lowers what every token says from then on.
func (g *grant) reached() assurance.Reached {
	return assurance.Reached{
		Authenticator: assurance.AuthenticatorLevel(g.AuthenticatorLevel), AMR: g.Methods,
		Identity: assurance.IdentityLevel(g.Person.IdentityLevel).AtMost(assurance.IdentityLevel(g.IdentityLevel)),
	}
}

// demand is what the request asked, with what its client always asks now.
func (g *grant) demand(c client) assurance.Demand {
	var d assurance.Demand
	if g.Demand != nil && json.Unmarshal(g.Demand, &d) != nil {
		d = assurance.Demand{Values: []string{""}, Essential: true} // which nothing meets: what we wrote is not there any more
	}
	d.MinimumAuthenticator, d.MinimumIdentity = assurance.AuthenticatorLevel(c.MinimumAuthenticatorLevel), assurance.IdentityLevel(c.MinimumIdentityLevel)
	return d
}

// asked is what the request asked of the ID token and of userinfo.
func (g *grant) asked() (ida.Request, error) {
	if g.Claims == "" {
		return ida.Request{}, nil
	}
	return ida.ParseClaims(g.Claims)
}

// promptsNobody says whether a request may show no page.
func (a authorization) promptsNobody() bool { return slices.Contains(a.prompt, "none") }
