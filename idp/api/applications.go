package api

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/store"
)

type applicationsWanted struct {
	Organisation string `json:"organisation,omitempty" doc:"Its code; that of the role that you act in, when it is left out."`
	State        string `json:"state,omitempty" enum:"open approved refused withdrawn" doc:"open, when it is left out."`
	Order        string `json:"order,omitempty" enum:"asked -asked name -name" doc:"By what it is ordered; with -, from the other end. The newest first, when it is left out."`
	after
}

type applicationRow struct {
	ID           uuid.UUID              `json:"id"`
	Organisation string                 `json:"organisation"`
	Environment  onboarding.Environment `json:"environment" enum:"development integration live"`
	Name         string                 `json:"client_name"`
	State        string                 `json:"state" enum:"open approved refused withdrawn"`
	AppliedAt    time.Time              `json:"applied_at"`
}

func applicationRowOf(a store.ClientApplicationRow) applicationRow {
	return applicationRow{a.ID, a.OrganisationCode, onboarding.Environment(a.Environment), a.Name, a.State, a.AppliedAt.UTC()}
}

func (h *Handler) listApplications(c call, in applicationsWanted) (page[applicationRow], error) {
	order := ordered(in.Order, store.Order{By: store.ByAsked, Descending: true})
	rows, more, err := h.Applications(c.Context(), c.officer, cmp.Or(in.Organisation, c.officer.Organisation), cmp.Or(in.State, "open"), order, in.id())
	last := ""
	if len(rows) > 0 {
		last = rows[len(rows)-1].ID.String()
	}
	return pageOf(rows, applicationRowOf, c.following(more, last)), err
}

// clientMetadata is what a client is to be, in the words of RFC 7591, Section 2.
type clientMetadata struct {
	Name                   string                  `json:"client_name"`
	Authentication         string                  `json:"token_endpoint_auth_method,omitempty" doc:"client_secret_basic, when it is left out."`
	JWKS                   string                  `json:"jwks,omitempty" doc:"A set of public keys (RFC 7517), as text."`
	JWKSURI                string                  `json:"jwks_uri,omitempty"`
	RedirectURIs           []string                `json:"redirect_uris"`
	PostLogoutRedirectURIs []string                `json:"post_logout_redirect_uris,omitempty"`
	Scope                  string                  `json:"scope" doc:"With a space between each."`
	RequiresRole           bool                    `json:"requires_role,omitempty" doc:"Whoever has no role is not let in."`
	MinimumAuthenticator   int                     `json:"minimum_authenticator_assurance_level,omitempty" doc:"1, when it is left out."`
	MinimumIdentity        assurance.IdentityLevel `json:"minimum_identity_assurance_level,omitempty" doc:"none, when it is left out."`
}

type application struct {
	Organisation string                 `json:"organisation"`
	Environment  onboarding.Environment `json:"environment" enum:"development integration live"`
	Follows      string                 `json:"follows,omitempty" format:"uuid" doc:"Of one for live, and of no other: the application for integration."`
	Purpose      string                 `json:"purpose"`
	Contact      string                 `json:"contact" format:"email"`
	clientMetadata
}

func (h *Handler) apply(c call, in application) (identified, error) {
	wanted := onboarding.Wanted{
		Organisation: in.Organisation, Environment: in.Environment, Purpose: in.Purpose, Contact: in.Contact,
		Client: oauth.Registration{
			Name: in.Name, Authentication: in.Authentication, JWKS: json.RawMessage(in.JWKS), JWKSURI: in.JWKSURI, RedirectURIs: in.RedirectURIs,
			PostLogoutRedirectURIs: in.PostLogoutRedirectURIs, Scopes: strings.Fields(in.Scope), RequiresRole: in.RequiresRole,
			MinimumAuthenticator: assurance.AuthenticatorLevel(in.MinimumAuthenticator), MinimumIdentity: in.MinimumIdentity,
		},
	}
	if in.Follows != "" {
		before, _, err := h.Application(c.Context(), c.officer, in.Follows, authority.ApplyClient)
		if err != nil {
			return identified{}, err
		}
		wanted.Follows = before.ID
	}
	if _, err := h.At(c.Context(), in.Organisation); err != nil {
		return identified{}, err
	}
	id, err := h.Onboarding.Apply(c.Context(), c.officer.Acting(), wanted)
	if err != nil {
		return identified{}, err
	}
	c.created("/api/applications/" + id.String())
	return identified{id}, nil
}

type applicationShown struct {
	ID uuid.UUID `json:"id"`
	application

	State          string     `json:"state" enum:"open approved refused withdrawn"`
	AppliedBy      string     `json:"applied_by"`
	AppliedAt      time.Time  `json:"applied_at"`
	DecidedBy      string     `json:"decided_by,omitempty"`
	DecidedAt      *time.Time `json:"decided_at,omitempty"`
	DecisionReason string     `json:"decision_reason,omitempty"`
	ClientID       string     `json:"client_id,omitempty" doc:"That was made when it was approved."`
	Secrets        int        `json:"secrets" doc:"How many were made: the ETag, with which another is."`
	SecretAt       *time.Time `json:"secret_at,omitempty" doc:"When the last of them was made."`
	Check          *readiness `json:"check,omitempty" doc:"The last one, when there was one."`
}

func (h *Handler) readApplication(c call, _ nothing) (applicationShown, error) {
	a, _, err := h.Application(c.Context(), c.officer, c.PathValue("application"), office.OnClients()...)
	if err != nil {
		return applicationShown{}, err
	}
	shown := applicationShown{
		ID: a.ID, State: a.State, AppliedBy: a.AppliedBy, AppliedAt: a.AppliedAt.UTC(), DecidedBy: or(a.DecidedBy), DecidedAt: utc(a.DecidedAt),
		DecisionReason: or(a.DecisionReason), ClientID: or(a.ClientID), Secrets: a.Secrets, SecretAt: utc(a.SecretAt),
		application: application{
			Organisation: a.OrganisationCode, Environment: onboarding.Environment(a.Environment), Purpose: a.Purpose, Contact: a.Contact,
			clientMetadata: clientMetadata{
				a.Name, a.Authentication, string(a.JWKS), a.JWKSURI, a.RedirectURIs, a.PostLogoutRedirectURIs, strings.Join(a.Scopes, " "), a.RequiresRole,
				a.MinimumAuthenticatorLevel, assurance.IdentityLevel(a.MinimumIdentityLevel),
			},
		},
	}
	if a.Follows != nil {
		shown.Follows = a.Follows.String()
	}
	last, err := h.Onboarding.LastCheck(c.Context(), a.ID)
	if last != nil {
		shown.Check = new(readinessOf(*last))
	}
	c.tag(a.Secrets)
	return shown, err
}

type readiness struct {
	At       time.Time            `json:"at"`
	By       string               `json:"by"`
	Ended    bool                 `json:"ended" doc:"One that has not may run, or have been cut off."`
	Passed   bool                 `json:"passed"`
	Findings []onboarding.Finding `json:"findings"`
}

func readinessOf(last onboarding.Check) readiness {
	return readiness{last.At.UTC(), last.By, last.Ended, last.Passed, append([]onboarding.Finding{}, last.Findings...)}
}

func (h *Handler) checkApplication(c call, _ nothing) (readiness, error) {
	a, _, err := h.Application(c.Context(), c.officer, c.PathValue("application"), office.OnClients()...)
	if err != nil {
		return readiness{}, err
	}
	if err := h.Onboarding.Check(c.Context(), c.officer.Acting(), a.ID); err != nil {
		return readiness{}, err
	}
	last, err := h.Onboarding.LastCheck(c.Context(), a.ID)
	if err != nil {
		return readiness{}, err
	}
	return readinessOf(*last), nil
}

type decidedApplication struct {
	ID       uuid.UUID `json:"id"`
	ClientID string    `json:"client_id,omitempty" doc:"That was made, when it is approved."`
}

func (h *Handler) decideApplication(c call, in decision) (decidedApplication, error) {
	a, _, err := h.Application(c.Context(), c.officer, c.PathValue("application"), office.OnClients()...)
	if err != nil {
		return decidedApplication{}, err
	}
	client, err := h.Onboarding.Decide(c.Context(), c.officer.Acting(), a.ID, in.Verdict, in.Reason)
	return decidedApplication{a.ID, client}, err
}

func (h *Handler) withdrawApplication(c call, in reason) (identified, error) {
	a, _, err := h.Application(c.Context(), c.officer, c.PathValue("application"), authority.ApplyClient)
	if err != nil {
		return identified{}, err
	}
	return identified{a.ID}, h.Onboarding.Withdraw(c.Context(), c.officer.Acting(), a.ID, in.Reason)
}

type rotation struct {
	Days int `json:"days,omitempty" doc:"For how many days, up to 30, the one before works beside it."`
}

type clientSecret struct {
	ClientID string `json:"client_id"`
	Secret   string `json:"client_secret" doc:"Nobody can be shown it again."`
}

func (h *Handler) rotateSecret(c call, in rotation) (clientSecret, error) {
	a, _, err := h.Application(c.Context(), c.officer, c.PathValue("application"), authority.ApplyClient)
	if err != nil {
		return clientSecret{}, err
	}
	seen, err := c.version()
	if err != nil {
		return clientSecret{}, err
	}
	secret, err := h.Onboarding.Rotate(c.Context(), c.officer.Acting(), a.ID, seen, in.Days)
	if err != nil {
		return clientSecret{}, err
	}
	c.tag(seen + 1)
	return clientSecret{or(a.ClientID), secret}, nil
}

// publicKeys are the keys of a client that are registered.
type publicKeys struct {
	ClientID string `json:"client_id"`
	JWKS     string `json:"jwks" doc:"A set of public keys (RFC 7517), as text."`
}

func (h *Handler) readKeys(c call, _ nothing) (publicKeys, error) {
	a, _, err := h.Application(c.Context(), c.officer, c.PathValue("application"), authority.ApplyClient)
	if err != nil {
		return publicKeys{}, err
	}
	client, err := h.Onboarding.ToReplaceKeys(c.Context(), a)
	if err != nil {
		return publicKeys{}, err
	}
	c.tag(onboarding.KeysSeen(client))
	return publicKeys{client.ID, string(client.JWKS)}, nil
}

type otherKeys struct {
	JWKS string `json:"jwks" doc:"A set of public keys (RFC 7517), as text. A key that is in both sets works throughout."`
}

func (h *Handler) replaceKeys(c call, in otherKeys) (publicKeys, error) {
	a, _, err := h.Application(c.Context(), c.officer, c.PathValue("application"), authority.ApplyClient)
	if err != nil {
		return publicKeys{}, err
	}
	seen, err := c.seen()
	if err != nil {
		return publicKeys{}, err
	}
	if err := h.Onboarding.ReplaceKeys(c.Context(), c.officer.Acting(), a.ID, seen, json.RawMessage(in.JWKS)); err != nil {
		return publicKeys{}, err
	}
	return h.readKeys(c, nothing{})
}
