package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/oauth"
	"github.com/credence-id/credence/store"
)

func newClientCommand(p *program) *cobra.Command {
	return newGroup("client", "Register relying parties", `  credence client list
  credence client add --name "Ward list" --redirect-uri https://ward.example.org/callback`,
		newClientAddCommand(p), newClientListCommand(p), newClientUpdateCommand(p), newClientDisableCommand(p), newClientDecideCommand(p))
}

// clientFlags are the flags of what is registered of a client.
type clientFlags struct {
	oauth.Registration
	scope, defaultACR, minimumIdentity, trustmark string
	jwks                                          string // the name of a file
	minimumAuthenticator                          int
}

func (f *clientFlags) addTo(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.Name, "name", "", "name that people see when they sign in")
	flags.StringArrayVar(&f.RedirectURIs, "redirect-uri", nil, "`address` that answers go to, repeatable; compared byte for byte, but 127.0.0.1 and [::1] take any port")
	flags.StringArrayVar(&f.PostLogoutRedirectURIs, "post-logout-redirect-uri", nil, "`address` to return to after sign-out, repeatable; \"\" alone is none")
	flags.StringVar(&f.Authentication, "auth", oauth.AuthBasic, "`how` it authenticates: "+strings.Join(oauth.Authentications(), ", "))
	flags.StringVar(&f.jwks, "jwks", "", "`file` with its public keys, a JSON Web Key Set; it then authenticates by "+oauth.AuthPrivateKeyJWT)
	flags.StringVar(&f.JWKSURI, "jwks-uri", "", "`address` where it publishes its public keys; it then authenticates by "+oauth.AuthPrivateKeyJWT)
	flags.StringVar(&f.IDTokenAlg, "id-token-alg", "RS256", "`algorithm` of its ID tokens: RS256, ES256")
	flags.StringVar(&f.scope, "scope", "", "`scopes` it may ask for, separated by spaces (default all but "+oauth.ScopeOfflineAccess+" and those of the API)")
	flags.StringVar(&f.Audience, "audience", "", "`URI` of the API that its access tokens are for (default the issuer)")
	flags.BoolVar(&f.RequiresRole, "requires-role", false, "let nobody in who has no role")
	flags.StringVar(&f.defaultACR, "default-acr", "", "`values` of acr that it asks for when a request asks for none, separated by spaces, preferred first")
	flags.IntVar(&f.minimumAuthenticator, "minimum-aal", 1, "let nobody in who signed in at a lower `level`: 1, 2, 3")
	flags.StringVar(&f.minimumIdentity, "minimum-identity", string(assurance.IdentityNone), "let nobody in whose identity is proved to a lower `level`: none, low, medium, high, very_high")
	flags.StringVar(&f.trustmark, "trustmark", "", "`name` of the trustmark by which it reads vectors of trust: "+strings.Join(each(assurance.Trustmarks(), func(t assurance.Trustmark) string { return string(t) }), ", "))
	flags.StringVar(&f.VerifiedClaims, "verified-claims", "", "let it ask for verified claims, in the `spelling` of: oidf, uk")
}

// apply sets what was given on a registration, and says whether anything was.
func (f *clientFlags) apply(cmd *cobra.Command, r *oauth.Registration) (changed bool) {
	f.Scopes = strings.Fields(f.scope)
	for name, set := range map[string]func(){
		"name":         func() { r.Name = f.Name },
		"redirect-uri": func() { r.RedirectURIs = f.RedirectURIs },
		"post-logout-redirect-uri": func() {
			r.PostLogoutRedirectURIs = f.PostLogoutRedirectURIs
			if slices.Equal(f.PostLogoutRedirectURIs, []string{""}) {
				r.PostLogoutRedirectURIs = nil
			}
		},
		"auth":          func() { r.Authentication = f.Authentication },
		"id-token-alg":  func() { r.IDTokenAlg = f.IDTokenAlg },
		"scope":         func() { r.Scopes = f.Scopes },
		"audience":      func() { r.Audience = f.Audience },
		"requires-role": func() { r.RequiresRole = f.RequiresRole },

		"default-acr":      func() { r.DefaultACRValues = strings.Fields(f.defaultACR) },
		"minimum-aal":      func() { r.MinimumAuthenticator = assurance.AuthenticatorLevel(f.minimumAuthenticator) },
		"minimum-identity": func() { r.MinimumIdentity = assurance.IdentityLevel(f.minimumIdentity) },
		"trustmark":        func() { r.Trustmark = assurance.Trustmark(f.trustmark) },
		"verified-claims":  func() { r.VerifiedClaims = f.VerifiedClaims },
	} {
		if cmd.Flags().Changed(name) {
			set()
			changed = true
		}
	}
	return f.applyKeys(cmd, r) || changed
}

// check refuses an address that is there twice, for one of the two was meant to be another, and lists with commas between.
func (f *clientFlags) check() error {
	return errors.Join(
		eachOnce("--redirect-uri", f.RedirectURIs), eachOnce("--post-logout-redirect-uri", f.PostLogoutRedirectURIs),
		spaced("--scope", f.scope), spaced("--default-acr", f.defaultACR),
	)
}

// spaced refuses a comma in a list whose members stand apart by spaces: none of them has one.
func spaced(flag, list string) error {
	if !strings.Contains(list, ",") {
		return nil
	}
	return &usageError{fmt.Errorf("%s %q: separate the values by spaces and not by commas: %s %q", flag, list, flag, strings.Join(strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' }), " "))}
}

// eachOnce refuses a value that is given twice, where one of the two was meant to be another.
func eachOnce(what string, values []string) error {
	for i, value := range values {
		if slices.Contains(values[:i], value) {
			return &usageError{fmt.Errorf("%s %s is given twice", what, value)}
		}
	}
	return nil
}

// clientJSON names what is registered as RFC 7591, Section 2 does, where it does.
type clientJSON struct {
	ID                     string          `json:"client_id"`
	Secret                 string          `json:"client_secret,omitempty"`
	Name                   string          `json:"client_name"`
	RedirectURIs           []string        `json:"redirect_uris"`
	PostLogoutRedirectURIs []string        `json:"post_logout_redirect_uris"`
	Authentication         string          `json:"token_endpoint_auth_method"`
	JWKS                   json.RawMessage `json:"jwks,omitempty"`
	JWKSURI                string          `json:"jwks_uri,omitempty"`
	IDTokenAlg             string          `json:"id_token_signed_response_alg"`
	Scope                  string          `json:"scope"`
	Audience               string          `json:"audience"`
	RequiresRole           bool            `json:"requires_role"`
	DefaultACRValues       []string        `json:"default_acr_values"`
	MinimumAuthenticator   int             `json:"minimum_authenticator_assurance_level"`
	MinimumIdentity        string          `json:"minimum_identity_assurance_level"`
	Trustmark              string          `json:"trustmark"`
	VerifiedClaims         string          `json:"verified_claims"`
	CreatedAt              time.Time       `json:"created_at"`
	DisabledAt             *time.Time      `json:"disabled_at"`
}

func newClientJSON(c store.Client, secret string) clientJSON {
	uri := func(uri string) string { return uri }
	return clientJSON{
		ID: c.ID, Secret: secret, Name: c.Name,
		RedirectURIs: each(c.RedirectURIs, uri), PostLogoutRedirectURIs: each(c.PostLogoutRedirectURIs, uri),
		Authentication: c.Authentication, JWKS: c.JWKS, JWKSURI: c.JWKSURI, IDTokenAlg: c.IDTokenAlg, Scope: strings.Join(c.Scopes, " "), Audience: c.Audience,
		RequiresRole: c.RequiresRole, DefaultACRValues: each(c.DefaultACRValues, uri), MinimumAuthenticator: c.MinimumAuthenticatorLevel,
		MinimumIdentity: c.MinimumIdentityLevel, Trustmark: c.Trustmark, VerifiedClaims: c.VerifiedClaims, CreatedAt: c.CreatedAt.UTC(), DisabledAt: c.DisabledAt,
	}
}

// printClient prints a client, with its secret when it got one.
func printClient(cmd *cobra.Command, c store.Client, secret string, asJSON bool) error {
	if asJSON {
		return printJSON(cmd.OutOrStdout(), newClientJSON(c, secret))
	}
	if err := say(cmd, "client_id: %s\n", c.ID); err != nil || secret == "" {
		return err
	}
	if err := say(cmd, "client_secret: %s\n", secret); err != nil {
		return err
	}
	_, err := fmt.Fprintln(cmd.ErrOrStderr(), "The secret is not shown again: keep it now.")
	return err
}

func newClientAddCommand(p *program) *cobra.Command {
	var given clientFlags
	var asJSON bool
	add := &cobra.Command{
		Use:   "add",
		Short: "Register a client and print its id and its secret",
		Example: `  credence client add --name "Ward list" --redirect-uri https://ward.example.org/callback --requires-role
  credence client add --name "Ward round" --redirect-uri https://round.example.org/callback --jwks keys.json
  credence client add --name "Ward app" --redirect-uri http://127.0.0.1/callback --auth none --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := errors.Join(given.check(), given.readKeys()); err != nil {
				return err
			}
			var r oauth.Registration
			_ = given.apply(cmd, &r)
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				c, secret, err := oauth.AddClient(ctx, s, r, operator(), p.clock())
				if err != nil {
					return err
				}
				return printClient(cmd, c, secret, asJSON)
			})
		},
	}
	given.addTo(add)
	require(add, "name", "redirect-uri")
	addJSONFlag(add, &asJSON)
	return add
}

func newClientUpdateCommand(p *program) *cobra.Command {
	var given clientFlags
	var rotate, asJSON bool
	update := &cobra.Command{
		Use:   "update ID",
		Short: "Change what is registered of a client",
		Long:  "Change what is registered of a client. What is not given stays; a list that is given replaces the one there was.",
		Example: `  credence client update ward-list --redirect-uri https://ward.example.org/callback --redirect-uri https://ward.example.org/silent
  credence client update ward-list --rotate-secret`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := given.readKeys(); err != nil {
				return err
			}
			if !given.apply(cmd, &oauth.Registration{}) && !rotate {
				return &usageError{errors.New("there is nothing to change: give a flag of what is to change, or --rotate-secret")}
			}
			if err := given.check(); err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				// A client that is not there is for UpdateClient to report.
				if old, err := s.Client(ctx, args[0]); rotate && err == nil {
					r := oauth.Registration{Authentication: old.Authentication}
					_ = given.apply(cmd, &r)
					switch {
					case r.Authentication == oauth.AuthNone:
						return fmt.Errorf("client %q is public: it has no secret to rotate", args[0])
					case !oauth.HasSecret(r.Authentication):
						return fmt.Errorf("client %q has keys: it has no secret to rotate", args[0])
					}
				}
				change := func(r *oauth.Registration) { _ = given.apply(cmd, r) }
				c, secret, err := oauth.UpdateClient(ctx, s, args[0], change, rotate, operator(), p.clock())
				if err != nil {
					return err
				}
				return printClient(cmd, c, secret, asJSON)
			})
		},
	}
	given.addTo(update)
	update.Flags().BoolVar(&rotate, "rotate-secret", false, "make a new secret; the old one ends at once")
	addJSONFlag(update, &asJSON)
	return update
}

func newClientListCommand(p *program) *cobra.Command {
	var page paging
	list := &cobra.Command{
		Use:     "list",
		Short:   "List clients by id",
		Example: "  credence client list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := page.check(); err != nil {
				return err
			}
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				clients, err := s.Clients(ctx, page.after, page.limit+1)
				if err != nil {
					return fmt.Errorf("list clients: %w", err)
				}
				return listing[store.Client]{
					name: "clients", titles: []string{"ID", "NAME", "AUTHENTICATION", "MINIMUM", "DEFAULT ACR", "TRUSTMARK", "REDIRECT URIS", "DISABLED"}, id: func(c store.Client) string { return c.ID },
					row: func(c store.Client) any { return newClientJSON(c, "") },
					cells: func(c store.Client) []string {
						return []string{
							c.ID, c.Name, c.Authentication, fmt.Sprintf("AAL%d %s", c.MinimumAuthenticatorLevel, c.MinimumIdentityLevel),
							cmp.Or(strings.Join(c.DefaultACRValues, " "), "-"), cmp.Or(c.Trustmark, "-"), strings.Join(c.RedirectURIs, " "), moment(c.DisabledAt),
						}
					},
				}.print(cmd, page, clients)
			})
		},
	}
	page.addFlags(list)
	return list
}

func newClientDisableCommand(p *program) *cobra.Command {
	return &cobra.Command{
		Use:   "disable ID",
		Short: "Disable a client for good, with everything that it was issued",
		Long: "Disable a client at once, with everything that it was issued. It is final: no command enables the client again. Whoever\n" +
			"needs it after all registers another.",
		Example: "  credence client disable ward-list",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return p.withStore(cmd.Context(), func(ctx context.Context, s *store.Store) error {
				err := oauth.DisableClient(ctx, s, args[0], operator(), p.clock())
				if err != nil {
					if old, unread := s.Client(ctx, args[0]); unread == nil && old.DisabledAt != nil {
						return fmt.Errorf("client %q is disabled already", args[0])
					}
					return err
				}
				return say(cmd, "Client %s is disabled.\n", args[0])
			})
		},
	}
}
