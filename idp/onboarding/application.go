package onboarding

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/deed"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/messenger"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/position"
	"github.com/credence-id/credence/store"
)

// Environment is the stage that a client is for.
type Environment string

// The environments, in the order in which a client comes to them.
const (
	Development Environment = "development"
	Integration Environment = "integration"
	Live        Environment = "live"
)

// Wanted is what an organisation applies for.
type Wanted struct {
	Organisation string
	Environment  Environment // Live where it follows an application, and only there
	Follows      uuid.UUID   // the application for integration; none when zero
	Purpose      string
	Contact      string // an email address
	Client       oauth.Registration
}

// mostOpen is how many applications of one person wait for a decision at most.
const mostOpen = 50

// Scopes lists those that can be applied for. A client that acts as an officer is for the operator alone to register.
func Scopes() []string { return append(oauth.DefaultScopes(), oauth.ScopeOfflineAccess) }

// check reports all mistakes together. What a client may be is package oauth's rule; that a service with a secret has no
// address on somebody's own machine, but while it is developed, is ours.
func (w Wanted) check() error {
	errs := []error{directory.CheckText("purpose", w.Purpose, 1, 1000), w.Client.Check()}
	if address, err := mail.ParseAddress(w.Contact); err != nil || address.Address != w.Contact || len(w.Contact) > 254 {
		errs = append(errs, &directory.InvalidError{Field: "contact", Want: "an email address"})
	}
	stages := []Environment{Development, Integration}
	if w.Follows != uuid.Nil {
		stages = []Environment{Live}
	}
	if !slices.Contains(stages, w.Environment) {
		errs = append(errs, &directory.InvalidError{Field: "environment", Want: "development or integration, or live for what follows integration"})
	}
	offered := func(scope string) bool { return slices.Contains(Scopes(), scope) }
	if !slices.Contains(w.Client.Scopes, oauth.ScopeOpenID) || slices.ContainsFunc(w.Client.Scopes, func(s string) bool { return !offered(s) }) {
		errs = append(errs, &oauth.Mistake{Field: "scope", Err: fmt.Errorf("want %s, and of the others only: %s", oauth.ScopeOpenID, strings.Join(Scopes(), " "))})
	}
	if w.Environment != Development && strings.HasPrefix(w.Client.JWKSURI, "http://") {
		errs = append(errs, &oauth.Mistake{Field: "jwks_uri", Err: fmt.Errorf("address %q: want https:// in %s", w.Client.JWKSURI, w.Environment)})
	}
	for _, uri := range slices.Concat(w.Client.RedirectURIs, w.Client.PostLogoutRedirectURIs) {
		if w.Environment != Development && w.Client.Authentication != oauth.AuthNone && strings.HasPrefix(uri, "http://") {
			errs = append(errs, &oauth.Mistake{Field: "redirect_uris", Err: fmt.Errorf("address %q: want https:// in %s", uri, w.Environment)})
		}
	}
	return errors.Join(errs...)
}

// Apply applies for a client and returns the id of the application.
func (r *Registrar) Apply(ctx context.Context, by deed.Acting, w Wanted) (id uuid.UUID, err error) {
	if err := w.check(); err != nil {
		return uuid.Nil, err
	}
	if id, err = uuid.NewV7(); err != nil {
		return uuid.Nil, fmt.Errorf("draw an id: %w", err)
	}
	c := w.Client
	if c.JWKS, err = registrable(c.JWKS); err != nil {
		return uuid.Nil, err
	}
	application := store.ClientApplication{
		ID: id, OrganisationCode: w.Organisation, Environment: string(w.Environment), Name: c.Name, Purpose: w.Purpose, Contact: w.Contact,
		Authentication: cmp.Or(c.Authentication, oauth.AuthBasic), JWKS: c.JWKS, JWKSURI: c.JWKSURI, RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs,
		Scopes: c.Scopes, RequiresRole: c.RequiresRole, MinimumAuthenticatorLevel: int(max(c.MinimumAuthenticator, assurance.AAL1)),
		MinimumIdentityLevel: string(cmp.Or(c.MinimumIdentity, assurance.IdentityNone)),
		AppliedBy:            by.Person, AppliedRole: by.Role, AppliedAt: r.Now(),
	}
	return id, r.act(ctx, by, audit.ClientApplied, func(a *act) error {
		a.Note(map[string]string{
			"application": id.String(), "organisation": w.Organisation, "environment": string(w.Environment), "name": c.Name, "purpose": w.Purpose,
			"redirect_uris": strings.Join(c.RedirectURIs, " "), "authentication": application.Authentication, "jwks_uri": c.JWKSURI,
		})
		if err := a.MustAt(ctx, w.Organisation, authority.ApplyClient); err != nil {
			return err
		}
		if w.Follows != uuid.Nil {
			before, err := a.ClientApplication(ctx, w.Follows)
			if err != nil {
				return directory.Missing(err, "application", w.Follows)
			}
			if before.OrganisationCode != w.Organisation || before.Environment != string(Integration) || before.ClientID == nil {
				return Refuse(NotFollowable)
			}
			application.Follows = &w.Follows
			if err := a.named(ctx, application); err != nil {
				return err
			}
		}
		open, err := a.OpenClientApplications(ctx, by.Person)
		if err != nil {
			return fmt.Errorf("count applications of %s: %w", by.Person, err)
		}
		if open >= mostOpen {
			return Refuse(TooMany)
		}
		if err := a.AddClientApplication(ctx, application); err != nil {
			return fmt.Errorf("add application: %w", err)
		}
		return nil
	})
}

// registrable is a key set as it is kept, with nothing in it but public keys. Nil for none.
func registrable(jwks json.RawMessage) (json.RawMessage, error) {
	if len(jwks) == 0 {
		return nil, nil
	}
	set, err := oauth.ParseKeys(jwks)
	if err != nil {
		return nil, err
	}
	return set.JSON()
}

// Decides says why an officer of an organisation may not decide about an application that is hers to decide by her rights; nil
// when she may. Nobody decides what she applied for; what goes live is not decided by colleagues, but above.
func Decides(a store.ClientApplication, by deed.Acting, organisation string) *deed.Refusal {
	if why := authority.FourEyes(a.AppliedBy, by.Person, ""); why != "" {
		return deed.Refuse(why)
	}
	if a.Environment == string(Live) && organisation == a.OrganisationCode {
		return Refuse(NotAbove)
	}
	return nil
}

// Decide approves or refuses an open application, for a reason, by an officer who [Decides]. What is approved is a client from
// then on, whose id it returns.
func (r *Registrar) Decide(ctx context.Context, by deed.Acting, id uuid.UUID, verdict position.Verdict, reason string) (clientID string, err error) {
	if err := checkDecision(verdict, reason); err != nil {
		return "", err
	}
	err = r.act(ctx, by, audit.ClientDecided, func(a *act) error {
		application, err := a.application(ctx, id, authority.ApproveClient)
		if err != nil {
			return err
		}
		officer, err := a.Officer(ctx)
		if err != nil {
			return err
		}
		if why := Decides(application, by, officer.Organisation); why != nil {
			return why
		}
		if err := position.FourEyes(ctx, a.Tx, application.AppliedBy, by.Person, ""); err != nil { // by her other profile, before a merge
			return err
		}
		clientID, err = a.decide(ctx, application, store.ClientSettlement{State: string(verdict), By: &by.Person, Role: &by.Role, Reason: reason, At: a.Now})
		return err
	})
	return clientID, err
}

// DecideAsOperator decides about an application to go live where no organisation is above the one that applies.
func (r *Registrar) DecideAsOperator(ctx context.Context, operator string, id uuid.UUID, verdict position.Verdict, reason string) (clientID string, err error) {
	if err := checkDecision(verdict, reason); err != nil {
		return "", err
	}
	err = r.act(ctx, deed.Acting{Person: operator}, audit.ClientDecided, func(a *act) error {
		application, err := a.lock(ctx, id)
		if err != nil {
			return err
		}
		path, err := a.OrganisationPath(ctx, application.OrganisationCode)
		if err != nil {
			return directory.Missing(err, "organisation", application.OrganisationCode)
		}
		if application.Environment != string(Live) || len(path) > 1 {
			return Refuse(NotOperators)
		}
		clientID, err = a.decide(ctx, application, store.ClientSettlement{State: string(verdict), Reason: reason, At: a.Now})
		return err
	})
	return clientID, err
}

func checkDecision(verdict position.Verdict, reason string) error {
	err := directory.CheckText("reason", reason, 1, 500)
	if verdict != position.Approve && verdict != position.Refuse {
		err = errors.Join(err, &directory.InvalidError{Field: "verdict", Want: string(position.Approve) + " or " + string(position.Refuse)})
	}
	return err
}

// decide ends an open application, makes the client that it is for if it is approved, and tells whoever applied.
func (a *act) decide(ctx context.Context, application store.ClientApplication, settled store.ClientSettlement) (clientID string, err error) {
	if application.State != "open" {
		return "", Refuse(NotOpen).In("state", "open", application.State)
	}
	if settled.State == string(position.Approve) {
		if err := a.applicantMay(ctx, application); err != nil {
			return "", err
		}
		if err := a.ready(ctx, application); err != nil {
			return "", err
		}
		if err := a.named(ctx, application); err != nil {
			return "", err
		}
		// Its secret is thrown away: nobody saw one before the developer has one made.
		c, _, err := oauth.AddClientIn(ctx, a.Tx, registration(application), a.By.Person, a.Now)
		if err != nil {
			return "", fmt.Errorf("add client: %w", err)
		}
		clientID, a.Entry.Client, settled.ClientID = c.ID, c.ID, &c.ID
	}
	told := messenger.Message{Person: application.AppliedBy, Letter: messenger.ApplicationDecided{Application: application.ID, State: settled.State}}
	if err := a.messenger.Post(ctx, a.Tx, told); err != nil { // a refusal below undoes it
		return "", err
	}
	return clientID, a.settle(ctx, application.ID, settled)
}

// named wants what goes live to have a name that nobody takes for that of another: of an organisation, of what is live, or of
// what the operator registered. Of two that go live at once, the second finds the first.
func (a *act) named(ctx context.Context, application store.ClientApplication) error {
	if application.Environment != string(Live) {
		return nil
	}
	if err := a.LockName(ctx, application.Name); err != nil {
		return fmt.Errorf("lock name of application %s: %w", application.ID, err)
	}
	alike, err := a.SameNames(ctx, application.Name, application.OrganisationCode)
	if err != nil {
		return fmt.Errorf("look for names like that of application %s: %w", application.ID, err)
	}
	for _, other := range alike {
		if other.ClientID == "" || other.OrganisationCode == "" || other.Environment == string(Live) {
			return Refuse(NameTaken)
		}
	}
	return nil
}

// applicantMay wants whoever applied to be an officer still who may. Whose profile was closed since is not.
func (a *act) applicantMay(ctx context.Context, application store.ClientApplication) error {
	path, err := a.OrganisationPath(ctx, application.OrganisationCode)
	if err != nil {
		return directory.Missing(err, "organisation", application.OrganisationCode)
	}
	return position.StillMay(ctx, a.Tx, a.Rules, application.AppliedBy, authority.ApplyClient, authority.Subject{Path: path}, a.Now)
}

// ready wants what an application follows to have passed its last check.
func (a *act) ready(ctx context.Context, application store.ClientApplication) error {
	if application.Follows == nil {
		return nil
	}
	last, err := a.LastClientCheck(ctx, *application.Follows)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("read last check of application %s: %w", *application.Follows, err)
	}
	if last.Passed == nil || !*last.Passed {
		return Refuse(NotReady)
	}
	a.Note(map[string]string{"ready_by_check": last.ID.String()})
	return nil
}

// settle ends an application, which was open when it was locked.
func (a *act) settle(ctx context.Context, id uuid.UUID, s store.ClientSettlement) error {
	a.Note(map[string]string{"state": s.State, "state_before": "open", "decision_reason": s.Reason})
	err := a.SettleClientApplication(ctx, id, s)
	if errors.Is(err, store.ErrNotFound) {
		return Refuse(NotOpen)
	}
	if err != nil {
		return fmt.Errorf("decide application %s: %w", id, err)
	}
	return nil
}

// registration is the client that an application is for.
func registration(a store.ClientApplication) oauth.Registration {
	return oauth.Registration{
		Name: a.Name, Authentication: a.Authentication, JWKS: a.JWKS, JWKSURI: a.JWKSURI, RedirectURIs: a.RedirectURIs, PostLogoutRedirectURIs: a.PostLogoutRedirectURIs,
		Scopes: a.Scopes, RequiresRole: a.RequiresRole, MinimumAuthenticator: assurance.AuthenticatorLevel(a.MinimumAuthenticatorLevel),
		MinimumIdentity: assurance.IdentityLevel(a.MinimumIdentityLevel),
	}
}

// Withdraw takes an open application back, by whoever applied.
func (r *Registrar) Withdraw(ctx context.Context, by deed.Acting, id uuid.UUID, reason string) error {
	if err := directory.CheckText("reason", reason, 1, 500); err != nil {
		return err
	}
	return r.act(ctx, by, audit.ClientDecided, func(a *act) error {
		application, err := a.application(ctx, id, authority.ApplyClient)
		switch {
		case err != nil:
			return err
		case application.AppliedBy != by.Person:
			return Refuse(NotApplicant)
		case application.State != "open":
			return Refuse(NotOpen).In("state", "open", application.State)
		}
		return a.settle(ctx, id, store.ClientSettlement{State: "withdrawn", Reason: reason, At: a.Now})
	})
}
