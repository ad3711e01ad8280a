package oauth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"

	"github.com/ory/fosite"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/ida"
	"github.com/credence-id/credence/idp/session"
	"github.com/credence-id/credence/idp/signin"
	"github.com/credence-id/credence/store"
)

// Supposed is an authorization request that nobody has made, and who would come with it.
type Supposed struct {
	ClientID   string
	Parameters url.Values // about levels and the sign-in: acr_values, vtr, claims, max_age, prompt
	Person     store.Person
	SignIn     assurance.Authentication // at a time that is past
	ForThis    bool                     // she signs in for this request; otherwise she was signed in already
}

// Foreseen is what would come of a request.
type Foreseen struct {
	Demand   assurance.Demand      // how the request was read, with what its client always asks
	Step     signin.Step           // the page that she would be shown; Done is none
	Missing  assurance.Gap         // as that page sees it
	Optional bool                  // less will do than to close the gap
	Able     []store.Authenticator // those of hers that would close it, at StepUp

	// Error is what the client is told instead of all that; nil when nothing is wrong.
	Error *Told

	// Claims are those of the ID token about levels, and Verified says of each part of the parameter claims that asks for
	// verified claims whether there are any to give. Nil where nobody gets in.
	Claims   map[string]any
	Verified map[string]bool
}

// Told is an error as a client is told it: RFC 6749, Section 4.1.2.1.
type Told struct {
	Code        string `json:"error"`
	Description string `json:"error_description"`
}

// Foresee says what would come of a request, by the code that decides about real ones. It changes nothing. Of the handler
// it takes Issuer, Store, Clients, SignIn, Evidence, Catalogue and Now.
func (h *Handler) Foresee(ctx context.Context, s Supposed) (Foreseen, error) {
	a := authorization{scopes: []string{ScopeOpenID}}
	var known bool
	if a.client, known = h.Clients.find(ctx, s.ClientID); !known {
		return Foreseen{Error: told(fosite.ErrUnauthorizedClient.WithDescription("The client_id is missing, unknown or disabled."))}, nil
	}
	err := errors.Join(a.checkPrompt(s.Parameters), a.checkDemand(s.Parameters))
	if err != nil {
		return Foreseen{Demand: a.demand, Error: told(refusal(err))}, nil
	}
	now := h.Now()
	in := session.Session{
		Person: s.Person, Level: s.SignIn.Level(), AMR: s.SignIn.AMR(), AuthenticatedAt: s.SignIn.At, ClientStands: true,
	}
	if len(s.Person.Roles) == 1 { // in which she acts without being asked
		in.Role, in.RoleChosenAt = &s.Person.Roles[0], s.SignIn.At
	}
	first := firstAsk{At: now}
	if s.ForThis {
		first.At = s.SignIn.At
	}
	req, step, err := h.settle(ctx, a, first, &in, s.ForThis)
	f := Foreseen{Demand: a.demand, Step: step, Missing: req.Missing(in), Optional: req.Optional(in)}
	if err != nil {
		sent := refusal(err)
		if sent.ErrorField == "server_error" {
			return Foreseen{}, err
		}
		f.Error = told(sent)
		return f, nil
	}
	switch step {
	case signin.StepUp:
		f.Able, err = h.SignIn.Able(ctx, req, in)
		return f, err
	case signin.Authenticate, signin.Unmet:
		return f, nil
	case signin.Done, signin.ChooseRole:
	}
	g, err := newGrant(a, in, now)
	if err != nil {
		return Foreseen{}, err
	}
	return f, h.foreseeClaims(ctx, &f, g, a.client)
}

func told(e *fosite.RFC6749Error) *Told { return &Told{e.ErrorField, description(e)} }

// foreseeClaims says what tokens and userinfo would say about levels.
func (h *Handler) foreseeClaims(ctx context.Context, f *Foreseen, g *grant, c client) error {
	encoded, err := json.Marshal(h.assuranceClaims(g, c))
	if err != nil {
		return fmt.Errorf("encode claims: %w", err)
	}
	if err := json.Unmarshal(encoded, &f.Claims); err != nil {
		return fmt.Errorf("decode claims: %w", err)
	}
	for _, other := range []string{"auth_time", "sid", "organisation", "role", "roles", "entitlements"} {
		delete(f.Claims, other)
	}
	asked, err := g.asked()
	if err != nil {
		return err
	}
	f.Verified = map[string]bool{}
	for name, part := range map[string]ida.Part{"id_token": asked.IDToken, "userinfo": asked.UserInfo} {
		if !part.AsksVerified() {
			continue
		}
		more := map[string]json.RawMessage{}
		if c.VerifiedClaims != "" {
			if err := h.verified(ctx, g, c, part, more); err != nil {
				return err
			}
		}
		f.Verified[name] = more["verified_claims"] != nil
	}
	return nil
}
