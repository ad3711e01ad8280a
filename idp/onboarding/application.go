package onboarding

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/authority"
	"github.com/credence-id/credence/idp/directory"
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
	for _, uri := range slices.Concat(w.Client.RedirectURIs, w.Client.PostLogoutRedirectURIs) {
		if w.Environment != Development && w.Client.Authentication != oauth.AuthNone && strings.HasPrefix(uri, "http://") {
			errs = append(errs, &oauth.Mistake{Field: "redirect_uris", Err: fmt.Errorf("address %q: want https:// in %s", uri, w.Environment)})
		}
	}
	return errors.Join(errs...)
}

// Apply applies for a client and returns the id of the application.
func (r *Registrar) Apply(ctx context.Context, by position.Acting, w Wanted) (id uuid.UUID, err error) {
	if err := w.check(); err != nil {
		return uuid.Nil, err
	}
	if id, err = uuid.NewV7(); err != nil {
		return uuid.Nil, fmt.Errorf("draw an id: %w", err)
	}
	c := w.Client
	application := store.ClientApplication{
		ID: id, OrganisationCode: w.Organisation, Environment: string(w.Environment), Name: c.Name, Purpose: w.Purpose, Contact: w.Contact,
		Authentication: cmp.Or(c.Authentication, oauth.AuthBasic), RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogoutRedirectURIs,
		Scopes: c.Scopes, RequiresRole: c.RequiresRole, MinimumAuthenticatorLevel: int(max(c.MinimumAuthenticator, assurance.AAL1)),
		MinimumIdentityLevel: string(cmp.Or(c.MinimumIdentity, assurance.IdentityNone)),
		AppliedBy:            by.Person, AppliedRole: by.Role, AppliedAt: r.Now(),
	}
	return id, r.act(ctx, by, audit.ClientApplied, func(a *act) error {
		a.note(map[string]string{
			"application": id.String(), "organisation": w.Organisation, "environment": string(w.Environment), "name": c.Name, "purpose": w.Purpose,
			"redirect_uris": strings.Join(c.RedirectURIs, " "),
		})
		if err := a.may(ctx, w.Organisation, authority.ApplyClient); err != nil {
			return err
		}
		if w.Follows != uuid.Nil {
			before, err := a.ClientApplication(ctx, w.Follows)
			if err != nil {
				return unknown(err, "application", w.Follows)
			}
			if before.OrganisationCode != w.Organisation || before.Environment != string(Integration) || before.ClientID == nil {
				return Refuse(NotFollowable)
			}
			application.Follows = &w.Follows
		}
		if err := a.AddClientApplication(ctx, application); err != nil {
			return fmt.Errorf("add application: %w", err)
		}
		return nil
	})
}

// Decide approves or refuses an open application, for a reason, by an officer who did not apply. What is approved is a client
// from then on, whose id it returns.
func (r *Registrar) Decide(ctx context.Context, by position.Acting, id uuid.UUID, verdict position.Verdict, reason string) (clientID string, err error) {
	err = directory.CheckText("reason", reason, 1, 500)
	if verdict != position.Approve && verdict != position.Refuse {
		err = errors.Join(err, &directory.InvalidError{Field: "verdict", Want: string(position.Approve) + " or " + string(position.Refuse)})
	}
	if err != nil {
		return "", err
	}
	err = r.act(ctx, by, audit.ClientDecided, func(a *act) error {
		application, err := a.application(ctx, id, authority.ApproveClient)
		if err != nil {
			return err
		}
		if why := authority.FourEyes(application.AppliedBy, by.Person, ""); why != "" {
			return &position.Refusal{Reason: position.Reason(why)}
		}
		if application.State != "open" {
			return Refuse(NotOpen)
		}
		settled := store.ClientSettlement{State: string(verdict), By: &by.Person, Role: &by.Role, Reason: reason, At: a.now}
		if verdict == position.Approve {
			if err := a.ready(ctx, application); err != nil {
				return err
			}
			// Its secret is thrown away: nobody saw one before the developer has one made.
			c, _, err := oauth.AddClientIn(ctx, a.Tx, registration(application), by.Person, a.now)
			if err != nil {
				return fmt.Errorf("add client: %w", err)
			}
			clientID, a.entry.Client, settled.ClientID = c.ID, c.ID, &c.ID
		}
		return a.settle(ctx, id, settled)
	})
	return clientID, err
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
	a.note(map[string]string{"ready_by_check": last.ID.String()})
	return nil
}

// settle ends an application, which was open when it was locked.
func (a *act) settle(ctx context.Context, id uuid.UUID, s store.ClientSettlement) error {
	a.note(map[string]string{"state": s.State, "decision_reason": s.Reason})
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
		Name: a.Name, Authentication: a.Authentication, RedirectURIs: a.RedirectURIs, PostLogoutRedirectURIs: a.PostLogoutRedirectURIs,
		Scopes: a.Scopes, RequiresRole: a.RequiresRole, MinimumAuthenticator: assurance.AuthenticatorLevel(a.MinimumAuthenticatorLevel),
		MinimumIdentity: assurance.IdentityLevel(a.MinimumIdentityLevel),
	}
}

// Withdraw takes an open application back, by whoever applied.
func (r *Registrar) Withdraw(ctx context.Context, by position.Acting, id uuid.UUID, reason string) error {
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
			return Refuse(NotOpen)
		}
		return a.settle(ctx, id, store.ClientSettlement{State: "withdrawn", Reason: reason, At: a.now})
	})
}
