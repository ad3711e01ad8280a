package desk

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/office"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

const clientsPath = "/desk/clients"

// clients lists the applications for clients that are in a state.
func (h *Handler) clients(w http.ResponseWriter, r *http.Request, o officer) error {
	organisation := codeOr(r.URL.Query().Get("organisation"), o.Organisation)
	order, sorting := sorted(r, store.Order{By: store.ByAsked, Descending: true}, column{"Service", store.ByName, "A to Z", "Z to A"}, column{name: "Stage"}, column{name: "Organisation"},
		column{name: "Applied by"}, column{"Applied on", store.ByAsked, "oldest first", "newest first"})
	page := web.DeskClients{Desk: h.desk(r, o), Sorting: sorting, Organisation: organisation, ApplyURL: clientsPath + "/apply"}
	var wrong []web.FieldError
	page.State, wrong = chosen(r, "state", page.States())
	rows, more, err := h.Applications(r.Context(), o.Officer, organisation, page.State, order, followingUUID(r))
	if page.Errors, err = ofOrganisation(o, err, wrong...); err != nil {
		return err
	}
	if len(page.Errors) > 0 {
		return h.Pages.Render(w, http.StatusBadRequest, page)
	}
	for _, row := range rows {
		page.Clients = append(page.Clients, web.ClientRow{
			Name: row.Name, OrganisationCode: row.OrganisationCode, Environment: environmentWords(row.Environment), AppliedByName: row.AppliedByName,
			AppliedAt: row.AppliedAt, URL: clientsPath + "/" + row.ID.String(),
		})
	}
	if more {
		page.NextURL = onward(r, rows[len(rows)-1].ID.String(), "organisation", organisation)
	}
	if !h.can(o, authority.Subject{Path: []string{o.Organisation}}, authority.ApplyClient) {
		page.ApplyURL = ""
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func environmentWords(environment string) string {
	return map[string]string{"development": "Development", "integration": "Integration", "live": "Live"}[environment]
}

// applied is an application that an officer may do something about, and where.
type applied struct {
	store.ClientApplication

	at authority.Subject
}

// applied reads an application for which an officer has one of some rights.
func (h *Handler) applied(ctx context.Context, o officer, text string, acts ...authority.Act) (applied, error) {
	a, at, err := h.Application(ctx, o.Officer, text, acts...)
	return applied{a, at}, err
}

func (a applied) url() string { return clientsPath + "/" + a.ID.String() }

// client shows one application.
func (h *Handler) client(w http.ResponseWriter, r *http.Request, o officer) error {
	a, err := h.applied(r.Context(), o, r.PathValue("id"), office.OnClients()...)
	if err != nil {
		return err
	}
	page, err := h.clientPage(r, o, a)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

func (h *Handler) clientPage(r *http.Request, o officer, a applied) (web.DeskClient, error) {
	page := web.DeskClient{
		Desk: h.desk(r, o), Name: a.Name, State: strings.ToUpper(a.State[:1]) + a.State[1:], Open: a.State == "open", Details: clientDetails(a.ClientApplication),
		AppliedAt: a.AppliedAt, PostURL: a.url(), CheckURL: a.url() + "/check",
	}
	people := []string{a.AppliedBy}
	if a.DecidedBy != nil {
		people = append(people, *a.DecidedBy)
	}
	names, err := h.Names(r.Context(), people...)
	if err != nil {
		return page, err
	}
	page.AppliedByName = names[a.AppliedBy]
	if page.Check, err = h.lastCheck(r.Context(), a.ID); err != nil {
		return page, err
	}
	if a.Follows != nil {
		page.FollowsURL = clientsPath + "/" + a.Follows.String()
	}
	alike, err := h.Onboarding.Alike(r.Context(), a.ClientApplication)
	if err != nil {
		return page, err
	}
	page.Alike = alikeWords(alike)
	mayApply := h.can(o, a.at, authority.ApplyClient)
	if a.ClientID != nil {
		page.ClientID = *a.ClientID
		if mayApply && oauth.HasSecret(a.Authentication) {
			page.SecretURL = a.url() + "/secret"
		}
		if mayApply && a.JWKS != nil {
			page.KeysURL = a.url() + "/keys"
		}
		if mayApply && a.Environment == string(onboarding.Integration) {
			page.LiveURL = clientsPath + "/apply?follows=" + a.ID.String()
		}
	}
	if !page.Open {
		page.Decided = web.Decision{Reason: *a.DecisionReason, At: *a.DecidedAt}
		if a.DecidedBy != nil {
			page.Decided.ByName = names[*a.DecidedBy]
		}
		if a.State != "approved" {
			page.CheckURL = ""
		}
		return page, nil
	}
	page.CanWithdraw = mayApply && a.AppliedBy == o.PersonID
	why := onboarding.Decides(a.ClientApplication, o.Acting(), o.Organisation)
	if refused := h.Refusal(o.Officer, a.at, authority.ApproveClient); refused != "" {
		why = deed.Refuse(refused)
	}
	page.CanDecide = why == nil
	if !page.CanDecide && !page.CanWithdraw {
		page.WhyNot = why.Sentence()
	}
	return page, nil
}

// clientDetails says for people what an application is for.
func clientDetails(a store.ClientApplication) []web.Detail {
	role := "No"
	if a.RequiresRole {
		role = "Yes: whoever has no role is not let in"
	}
	var scopes []string
	for _, scope := range a.Scopes {
		scopes = append(scopes, scopeWords(scope))
	}
	return []web.Detail{
		{Name: "Stage", Values: []string{environmentWords(a.Environment)}},
		{Name: "Organisation", Values: []string{a.OrganisationCode}},
		{Name: "What it is for", Values: []string{a.Purpose}},
		{Name: "Contact", Values: []string{a.Contact}},
		{Name: "People are sent back to", Values: a.RedirectURIs},
		{Name: "After they sign out to", Values: a.PostLogoutRedirectURIs},
		{Name: "How it proves that it is itself", Values: []string{authenticationWords(a.Authentication)}},
		{Name: "Its keys", Values: keysWords(a)},
		{Name: "What it may know", Values: scopes},
		{Name: "How strongly people sign in", Values: []string{"At level " + strconv.Itoa(a.MinimumAuthenticatorLevel) + " at least"}},
		{Name: "How well their identity is proved", Values: []string{provedWords(assurance.IdentityLevel(a.MinimumIdentityLevel))}},
		{Name: "Only people with a role", Values: []string{role}},
	}
}

// decideClient takes the decision about an application, or takes the application back.
func (h *Handler) decideClient(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	verdict, reason := f.Get("verdict"), web.OneLine(f.Get("reason"))
	if err = h.settleClient(r.Context(), o, r.PathValue("id"), f.Has("withdraw"), position.Verdict(verdict), reason); err == nil {
		return web.SeeOther(w, r, r.URL.Path)
	}
	wrong, err := mistakes(err, map[string]string{"reason": wantReason, "verdict": "Select whether you approve or refuse"})
	if err != nil {
		return err
	}
	a, err := h.applied(r.Context(), o, r.PathValue("id"), office.OnClients()...)
	if err != nil {
		return err
	}
	page, err := h.clientPage(r, o, a)
	if err != nil {
		return err
	}
	page.Errors, page.Verdict, page.DecisionReason = wrong, verdict, f.Get("reason")
	if !page.Open {
		page.Meanwhile = decidedMeanwhile(page.Decided, page.State, verdictEntered(f.Has("withdraw"), verdict), f.Get("reason"))
	}
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

func (h *Handler) settleClient(ctx context.Context, o officer, text string, withdraw bool, verdict position.Verdict, reason string) error {
	id, err := uuid.Parse(text)
	if err != nil {
		return fmt.Errorf("application %.40q %w", text, directory.ErrUnknown)
	}
	if withdraw {
		return h.Onboarding.Withdraw(ctx, o.Acting(), id, reason)
	}
	_, err = h.Onboarding.Decide(ctx, o.Acting(), id, verdict, reason)
	return err
}

// applying shows the form by which somebody applies for a client: for one that goes live with what that for integration had.
func (h *Handler) applying(w http.ResponseWriter, r *http.Request, o officer) error {
	page, err := h.clientForm(r, o)
	if err != nil {
		return err
	}
	return h.Pages.Render(w, http.StatusOK, page)
}

// clientForm is the form as it begins. The address of one that goes live says which application it follows.
func (h *Handler) clientForm(r *http.Request, o officer) (web.DeskClientForm, error) {
	page := web.DeskClientForm{
		Desk: h.desk(r, o), PostURL: r.URL.RequestURI(), Organisation: o.Organisation, Authentication: oauth.AuthBasic,
		MinimumAuthenticator: "2", MinimumIdentity: string(assurance.IdentityMedium),
	}
	follows := r.URL.Query().Get("follows")
	if follows == "" {
		page.SetChoices([]string{oauth.ScopeOpenID}, false, scopeOptions(), identityOptions())
		return page, h.may(r.Context(), o, authority.Subject{Path: []string{o.Organisation}}, authority.ApplyClient)
	}
	a, err := h.applied(r.Context(), o, follows, authority.ApplyClient)
	if err != nil {
		return page, err
	}
	page.FollowsName, page.FollowsURL, page.Organisation = a.Name, a.url(), a.OrganisationCode
	page.Name, page.Purpose, page.Contact, page.Authentication = a.Name, a.Purpose, a.Contact, a.Authentication
	page.MinimumAuthenticator, page.MinimumIdentity = strconv.Itoa(a.MinimumAuthenticatorLevel), a.MinimumIdentityLevel
	page.SetChoices(a.Scopes, a.RequiresRole, scopeOptions(), identityOptions())
	return page, nil
}

// apply applies for a client.
func (h *Handler) apply(w http.ResponseWriter, r *http.Request, o officer) error {
	f, err := web.Form(w, r, mostForm)
	if err != nil {
		return err
	}
	id, err := h.applyFor(r.Context(), o, r.URL.Query().Get("follows"), f)
	if err == nil {
		return web.SeeOther(w, r, clientsPath+"/"+id.String())
	}
	wrong, err := clientMistakes(err, o)
	if err != nil {
		return err
	}
	page, err := h.clientForm(r, o)
	if err != nil {
		return err
	}
	page.Errors, page.Environment, page.Name, page.Purpose, page.Contact = wrong, f.Get("environment"), f.Get("name"), f.Get("purpose"), f.Get("contact")
	page.RedirectURIs, page.PostLogoutRedirectURIs, page.Authentication = f.Get("redirect_uris"), f.Get("post_logout_redirect_uris"), f.Get("authentication")
	page.MinimumAuthenticator, page.MinimumIdentity = f.Get("minimum_authenticator"), f.Get("minimum_identity")
	page.JWKS, page.JWKSURI = shownKeys(f), f.Get("jwks_uri")
	if page.FollowsURL == "" {
		page.Organisation = f.Get("organisation")
	}
	page.SetChoices(f["scope"], f.Has("requires_role"), scopeOptions(), identityOptions())
	return h.Pages.Render(w, http.StatusBadRequest, page)
}

// applyFor applies for what was entered.
func (h *Handler) applyFor(ctx context.Context, o officer, follows string, f url.Values) (uuid.UUID, error) {
	level, _ := strconv.Atoi(f.Get("minimum_authenticator")) // what is no number is no level either
	wanted := onboarding.Wanted{
		Organisation: codeOr(f.Get("organisation"), o.Organisation), Environment: onboarding.Environment(f.Get("environment")),
		Purpose: web.OneLine(f.Get("purpose")), Contact: web.OneLine(f.Get("contact")),
		Client: oauth.Registration{
			Name: web.OneLine(f.Get("name")), Authentication: f.Get("authentication"), JWKS: enteredKeys(f), JWKSURI: web.OneLine(f.Get("jwks_uri")), RedirectURIs: strings.Fields(f.Get("redirect_uris")),
			PostLogoutRedirectURIs: strings.Fields(f.Get("post_logout_redirect_uris")), Scopes: f["scope"], RequiresRole: f.Has("requires_role"),
			MinimumAuthenticator: assurance.AuthenticatorLevel(level), MinimumIdentity: assurance.IdentityLevel(f.Get("minimum_identity")),
		},
	}
	if follows != "" {
		a, err := h.applied(ctx, o, follows, authority.ApplyClient)
		if err != nil {
			return uuid.Nil, err
		}
		wanted.Organisation, wanted.Environment, wanted.Follows = a.OrganisationCode, onboarding.Live, a.ID
	}
	return h.Onboarding.Apply(ctx, o.Acting(), wanted)
}
