package desk

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/idp/onboarding"
	"github.com/credence-id/credence/store"
	"github.com/credence-id/credence/web"
)

// clientMistakes says beside the fields of the form what is wrong with an application. What package oauth says of a field is
// for people already.
func clientMistakes(err error, o officer) (list []web.FieldError, _ error) {
	if errors.Is(err, directory.ErrUnknown) {
		return noOrganisation(o), nil
	}
	words := map[string]string{
		"purpose": "Enter what the service is for, in up to 1000 characters", "contact": "Enter an email address, such as team@example.org",
		"environment": "Select a stage", "client_name": "Enter the name of the service, of up to 100 characters", "scope": "Select what the service needs to know: at least who signs in",
		"minimum_authenticator_assurance_level": "Select how strongly people have to sign in", "minimum_identity_assurance_level": "Select how well their identity has to be proved",
		"token_endpoint_auth_method": "Select how the service proves that it is itself",
	}
	fields := map[string]string{
		"client_name": "name", "minimum_authenticator_assurance_level": "minimum_authenticator", "minimum_identity_assurance_level": "minimum_identity",
		"token_endpoint_auth_method": "authentication",
	}
	var others []error
	for _, e := range directory.Parts(err) {
		mistake, of := errors.AsType[*oauth.Mistake](e)
		if !of {
			others = append(others, e)
			continue
		}
		wrong := web.FieldError{Field: mistake.Field, Message: mistake.Error()}
		if field, renamed := fields[mistake.Field]; renamed {
			wrong.Field = field
		}
		if text, said := words[mistake.Field]; said {
			wrong.Message = text
		}
		wrong.Message = strings.ToUpper(wrong.Message[:1]) + wrong.Message[1:]
		list = append(list, wrong)
	}
	if len(others) > 0 {
		rest, err := mistakes(errors.Join(others...), words)
		if err != nil {
			return nil, err
		}
		list = append(list, rest...)
	}
	order := []string{"", "environment", "name", "purpose", "contact", "redirect_uris", "post_logout_redirect_uris", "authentication", "jwks", "jwks_uri", "scope"}
	slices.SortStableFunc(list, func(a, b web.FieldError) int { // as the form has them
		return cmp.Compare(uint(slices.Index(order, a.Field)), uint(slices.Index(order, b.Field))) // what is not there comes last
	})
	return list, nil
}

// scopeWords says what a scope lets a service know or do.
func scopeWords(scope string) string {
	return map[string]string{
		oauth.ScopeOpenID:                    "Who signs in: a number that stays the same (openid)",
		oauth.ScopeProfile:                   "Their name (profile)",
		oauth.ScopeEmail:                     "Their email address (email)",
		oauth.ScopeOfflineAccess:             "Access while they are not there (offline_access)",
		oauth.ScopeNHSPerson:                 "Their user ID and name as the NHS keeps them (nhsperson)",
		oauth.ScopeAssociatedOrgs:            "The organisations that they are of (associatedorgs)",
		oauth.ScopeNationalRBACAccess:        "All of their roles (nationalrbacaccess)",
		oauth.ScopeProfessionalMemberships:   "Their professional registrations (professionalmemberships)",
		oauth.ScopeOrganisationalMemberships: "Where they work (organisationalmemberships)",
		oauth.ScopeSelectedRole:              "The role that they act in (selectedrole)",
		oauth.ScopeChangedRole:               "To have the role chosen again (changedrole)",
	}[scope]
}

func scopeOptions() (list []web.Option) {
	for _, scope := range onboarding.Scopes() {
		list = append(list, web.Option{Value: scope, Label: scopeWords(scope)})
	}
	return list
}

// authenticationWords says how a client authenticates.
func authenticationWords(method string) string {
	return map[string]string{
		oauth.AuthBasic:         "With a secret, in a header (client_secret_basic)",
		oauth.AuthPost:          "With a secret, in the form (client_secret_post)",
		oauth.AuthPrivateKeyJWT: "With a key of its own (private_key_jwt)",
		oauth.AuthNone:          "It cannot keep a secret: an app, or a page without a server (none)",
	}[method]
}

// provedWords says how well the identity of people has to be proved.
func provedWords(level assurance.IdentityLevel) string {
	return map[assurance.IdentityLevel]string{
		assurance.IdentityNone: "It need not be proved", assurance.IdentityLow: "To level low at least", assurance.IdentityMedium: "To level medium at least",
		assurance.IdentityHigh: "To level high at least", assurance.IdentityVeryHigh: "To level very high",
	}[level]
}

func identityOptions() (list []web.Option) {
	for _, level := range []assurance.IdentityLevel{assurance.IdentityNone, assurance.IdentityLow, assurance.IdentityMedium, assurance.IdentityHigh, assurance.IdentityVeryHigh} {
		list = append(list, web.Option{Value: string(level), Label: provedWords(level)})
	}
	return list
}

// alikeWords says what else has a name that looks like that of an application.
func alikeWords(others []store.SameName) (list []string) {
	for _, other := range others {
		switch {
		case other.ClientID == "":
			list = append(list, fmt.Sprintf("the organisation %s (%s)", other.Name, other.OrganisationCode))
		case other.OrganisationCode == "":
			list = append(list, fmt.Sprintf("the service %s (%s), which the operator registered", other.Name, other.ClientID))
		default:
			list = append(list, fmt.Sprintf("the service %s (%s) of organisation %s", other.Name, other.ClientID, other.OrganisationCode))
		}
	}
	return list
}
