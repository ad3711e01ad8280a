package oauth

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/ory/fosite"

	"github.com/credence-id/credence/idp/assertion"
	"github.com/credence-id/credence/idp/assurance"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/keys"
	"github.com/credence-id/credence/store"
)

// Ways in which a client authenticates at the token endpoint: OpenID Connect Core 1.0, Section 9.
const (
	AuthNone          = "none"
	AuthBasic         = "client_secret_basic"
	AuthPost          = "client_secret_post"
	AuthPrivateKeyJWT = "private_key_jwt"
)

// Authentications lists them, as the provider's metadata do.
func Authentications() []string { return []string{AuthBasic, AuthPost, AuthPrivateKeyJWT, AuthNone} }

// HasSecret says whether a client that authenticates in one of these ways has a secret.
func HasSecret(authentication string) bool {
	return authentication == AuthBasic || authentication == AuthPost
}

// Registration is what is registered of a client: OpenID Connect Dynamic Client Registration 1.0, Section 2.
type Registration struct {
	ID                     string // made at random when empty
	Name                   string
	Authentication         string // AuthBasic when empty
	JWKS                   json.RawMessage
	JWKSURI                string // one of the two for AuthPrivateKeyJWT, and none for the others
	IDTokenAlg             string // RS256 (when empty) or ES256
	Audience               string // of its access tokens; "" is the issuer
	RedirectURIs           []string
	PostLogoutRedirectURIs []string
	Scopes                 []string // DefaultScopes, when empty
	RequiresRole           bool

	DefaultACRValues     []string                     // what it asks for when a request asks for nothing
	MinimumAuthenticator assurance.AuthenticatorLevel // nobody is let in who signed in at less; AAL1 when zero
	MinimumIdentity      assurance.IdentityLevel      // nobody is let in whose identity is proved less well; IdentityNone when empty
	Trustmark            assurance.Trustmark          // by which it reads vectors of trust (RFC 8485); "" when it does not
	VerifiedClaims       string                       // VerifiedOIDF or VerifiedUK; "" when it may not ask for verified claims
}

// Spellings of verified claims: those of OpenID Identity Assurance, and those of the UK trust framework's data schema.
const (
	VerifiedOIDF = "oidf"
	VerifiedUK   = "uk"
)

// AddClient registers a client and returns it with its secret, which is nowhere else: only its hash is kept. A public
// client has none. The error says what to correct.
func AddClient(ctx context.Context, s *store.Store, r Registration, actor string, now time.Time) (store.Client, string, error) {
	var c store.Client
	var secret string
	err := s.InTx(ctx, func(tx *store.Tx) (err error) {
		c, secret, err = AddClientIn(ctx, tx, r, actor, now)
		return err
	})
	if errors.Is(err, store.ErrConflict) {
		return store.Client{}, "", fmt.Errorf("a client with id %q is registered already: choose another id, or leave it out", r.ID)
	}
	if _, wrong := errors.AsType[*Mistake](err); wrong {
		return store.Client{}, "", err
	}
	if err != nil {
		return store.Client{}, "", fmt.Errorf("add client: %w", err)
	}
	return c, secret, nil
}

// AddClientIn is AddClient in a transaction that does more. An id that is taken is [store.ErrConflict].
func AddClientIn(ctx context.Context, tx *store.Tx, r Registration, actor string, now time.Time) (store.Client, string, error) {
	r.ID = cmp.Or(r.ID, newID())
	c := store.Client{ID: r.ID, CreatedAt: now}
	if err := r.apply(&c); err != nil {
		return store.Client{}, "", err
	}
	secret := newSecret(&c)
	if err := tx.AddClient(ctx, c); err != nil {
		return store.Client{}, "", err
	}
	return c, secret, audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.ClientAdded, Actor: actor, Client: c.ID, Detail: summary(c)})
}

// newID is the id of a client for which none was chosen.
func newID() string { return strings.ToLower(rand.Text()[:20]) }

// EnsureClient registers a client under a fixed id and secret, or leaves it as it is: for the clients of `credence dev`.
func EnsureClient(ctx context.Context, s *store.Store, r Registration, secret, actor string, now time.Time) error {
	c := store.Client{ID: r.ID, CreatedAt: now}
	if err := r.apply(&c); err != nil {
		return err
	}
	if HasSecret(c.Authentication) {
		c.SecretHash = hash(secret)
	}
	err := s.InTx(ctx, func(tx *store.Tx) error {
		old, err := tx.LockClient(ctx, r.ID)
		c.CreatedAt = old.CreatedAt
		switch {
		case errors.Is(err, store.ErrNotFound):
			c.CreatedAt = now
			if err := tx.AddClient(ctx, c); err != nil {
				return err
			}
			return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.ClientAdded, Actor: actor, Client: c.ID, Detail: summary(c)})
		case err != nil:
			return err
		case slices.Equal(old.RedirectURIs, c.RedirectURIs) && slices.Equal(old.PostLogoutRedirectURIs, c.PostLogoutRedirectURIs) &&
			subtle.ConstantTimeCompare(old.SecretHash, c.SecretHash) == 1:
			return nil
		}
		if err := tx.UpdateClient(ctx, c); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.ClientUpdated, Actor: actor, Client: c.ID, Detail: summary(c)})
	})
	if err != nil && !errors.Is(err, store.ErrConflict) {
		return fmt.Errorf("ensure client %q: %w", r.ID, err)
	}
	return nil
}

// UpdateClient changes what is registered of a client. It returns the client and a new secret, if one was asked for or
// the change makes one necessary.
func UpdateClient(ctx context.Context, s *store.Store, id string, change func(*Registration), rotateSecret bool, actor string, now time.Time) (store.Client, string, error) {
	var c store.Client
	var secret string
	err := s.InTx(ctx, func(tx *store.Tx) (err error) {
		if c, err = tx.LockClient(ctx, id); err != nil {
			return err
		}
		r := Registration{
			ID: c.ID, Name: c.Name, Authentication: c.Authentication, JWKS: c.JWKS, JWKSURI: c.JWKSURI, IDTokenAlg: c.IDTokenAlg, Audience: c.Audience, RedirectURIs: c.RedirectURIs,
			PostLogoutRedirectURIs: c.PostLogoutRedirectURIs, Scopes: c.Scopes, RequiresRole: c.RequiresRole,
			DefaultACRValues: c.DefaultACRValues, MinimumAuthenticator: assurance.AuthenticatorLevel(c.MinimumAuthenticatorLevel),
			MinimumIdentity: assurance.IdentityLevel(c.MinimumIdentityLevel), Trustmark: assurance.Trustmark(c.Trustmark), VerifiedClaims: c.VerifiedClaims,
		}
		before := summary(c)
		change(&r)
		if err := r.apply(&c); err != nil {
			return err
		}
		switch {
		case !HasSecret(c.Authentication):
			c.SecretHash, c.OldSecretHash, c.OldSecretEndsAt = nil, nil, nil
		case rotateSecret || c.SecretHash == nil:
			secret = newSecret(&c)
		}
		if err := tx.UpdateClient(ctx, c); err != nil {
			return err
		}
		detail := summary(c)
		for name, value := range before {
			if value != detail[name] {
				detail["old_"+name] = value
			}
		}
		if secret != "" {
			detail["secret"] = "new"
		}
		return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.ClientUpdated, Actor: actor, Client: c.ID, Detail: detail})
	})
	if errors.Is(err, store.ErrNotFound) {
		return store.Client{}, "", fmt.Errorf("no client has id %q: `credence client list` shows those there are", id)
	}
	if err != nil {
		return store.Client{}, "", fmt.Errorf("update client %q: %w", id, err)
	}
	return c, secret, nil
}

// DisableClient disables a client: from now on nothing of it works, nor what it was issued.
func DisableClient(ctx context.Context, s *store.Store, id, actor string, now time.Time) error {
	err := s.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.DisableClient(ctx, id, now); err != nil {
			return err
		}
		return audit.Record(ctx, tx, audit.Entry{At: now, Event: audit.ClientDisabled, Actor: actor, Client: id})
	})
	if errors.Is(err, store.ErrNotFound) {
		return fmt.Errorf("no enabled client has id %q: `credence client list` shows those there are", id)
	}
	if err != nil {
		return fmt.Errorf("disable client %q: %w", id, err)
	}
	return nil
}

// summary is what the record says of a client. The record takes at most 8 KiB, and a client has at most 40 addresses.
func summary(c store.Client) map[string]string {
	const most = 1500
	cut := func(s string) string { return s[:min(len(s), most)] }
	return map[string]string{
		"name": c.Name, "authentication": c.Authentication, "redirect_uris": cut(strings.Join(c.RedirectURIs, " ")),
		"post_logout_redirect_uris": cut(strings.Join(c.PostLogoutRedirectURIs, " ")), "scopes": cut(strings.Join(c.Scopes, " ")),
		"id_token_alg": c.IDTokenAlg, "audience": c.Audience, "requires_role": strconv.FormatBool(c.RequiresRole),
		"default_acr_values": cut(strings.Join(c.DefaultACRValues, " ")), "minimum_authenticator_level": strconv.Itoa(c.MinimumAuthenticatorLevel),
		"keys": cut(keysOf(c)), "minimum_identity_level": c.MinimumIdentityLevel, "trustmark": c.Trustmark, "verified_claims": c.VerifiedClaims,
	}
}

// keysOf says which keys a client has, or where they are.
func keysOf(c store.Client) string {
	if c.JWKS == nil {
		return c.JWKSURI
	}
	set, err := ParseKeys(c.JWKS)
	if err != nil {
		return err.Error()
	}
	return set.String()
}

// newSecret gives a client with a secret a new one and returns it. No other works any more.
func newSecret(c *store.Client) string {
	if !HasSecret(c.Authentication) {
		return ""
	}
	secret := randomToken()
	c.SecretHash, c.OldSecretHash, c.OldSecretEndsAt = hash(secret), nil, nil
	return secret
}

// randomToken is 256 random bits as text: a code, a refresh token, a client secret.
func randomToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// hash is how random tokens rest. They are too random to guess, so a fast hash is enough.
func hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Mistake is what is wrong with one field of a registration, by its name in RFC 7591, Section 2, or ours beside it. Its text is
// for people.
type Mistake struct { //nolint:errname // whoever is told of it made one
	Field string
	Err   error
}

func (m *Mistake) Error() string { return m.Err.Error() }
func (m *Mistake) Unwrap() error { return m.Err }

// Check says what is wrong with a registration, all of it together: each is a [Mistake].
func (r Registration) Check() error {
	r.ID = cmp.Or(r.ID, newID())
	return r.apply(new(store.Client))
}

// apply checks the registration and sets it on the client. All mistakes are reported together.
func (r Registration) apply(c *store.Client) error {
	var mistakes []error
	wrong := func(field, format string, args ...any) {
		mistakes = append(mistakes, &Mistake{Field: field, Err: fmt.Errorf(format, args...)})
	}

	if !regexp.MustCompile(`^[a-zA-Z0-9._-]{3,64}$`).MatchString(r.ID) {
		wrong("client_id", "the id %q is not 3 to 64 letters, digits, dots, dashes and underscores", r.ID)
	}
	if r.Name == "" || len(r.Name) > 100 || strings.ContainsFunc(r.Name, func(c rune) bool { return !unicode.IsPrint(c) }) {
		wrong("client_name", "the name must be 1 to 100 printable characters: people see it when they sign in")
	}
	if r.Authentication == "" {
		r.Authentication = AuthBasic
	}
	if !slices.Contains(Authentications(), r.Authentication) {
		wrong("token_endpoint_auth_method", "authentication %q is not one of: %s", r.Authentication, strings.Join(Authentications(), ", "))
	}
	mistakes = append(mistakes, r.applyKeys(c)...)
	if r.IDTokenAlg == "" {
		r.IDTokenAlg = keys.RS256
	}
	if !slices.Contains([]string{keys.RS256, keys.ES256}, r.IDTokenAlg) {
		wrong("id_token_signed_response_alg", "ID token algorithm %q is not %s or %s", r.IDTokenAlg, keys.RS256, keys.ES256)
	}
	if len(r.RedirectURIs) == 0 || len(r.RedirectURIs) > 20 || len(r.PostLogoutRedirectURIs) > 20 {
		wrong("redirect_uris", "a client has 1 to 20 redirect URIs and at most 20 post-logout redirect URIs")
	}
	for _, uri := range r.RedirectURIs {
		if err := checkRedirectURI(uri); err != nil {
			wrong("redirect_uris", "redirect URI %q: %w", uri, err)
		}
	}
	for _, uri := range r.PostLogoutRedirectURIs {
		if err := checkRedirectURI(uri); err != nil {
			wrong("post_logout_redirect_uris", "post-logout redirect URI %q: %w", uri, err)
		}
	}
	if len(r.Scopes) == 0 {
		r.Scopes = DefaultScopes()
	}
	for _, scope := range r.Scopes {
		if !slices.Contains(Scopes(), scope) {
			wrong("scope", "scope %q is not one of: %s", scope, strings.Join(Scopes(), " "))
		}
	}
	if r.Audience != "" {
		if u, err := url.Parse(r.Audience); err != nil || u.Scheme == "" || u.Fragment != "" || len(r.Audience) > 512 {
			wrong("audience", "the audience %q is not an absolute URI without a fragment", r.Audience)
		}
	}
	mistakes = append(mistakes, r.applyAssurance(c)...)
	slices.Sort(r.Scopes)
	c.Name, c.Authentication, c.IDTokenAlg, c.Audience, c.RequiresRole = r.Name, r.Authentication, r.IDTokenAlg, r.Audience, r.RequiresRole
	c.RedirectURIs, c.PostLogoutRedirectURIs, c.Scopes = r.RedirectURIs, r.PostLogoutRedirectURIs, slices.Compact(r.Scopes)
	return errors.Join(mistakes...)
}

// applyAssurance checks what the registration says about levels and sets it on the client.
func (r Registration) applyAssurance(c *store.Client) (mistakes []error) {
	wrong := func(field, format string, args ...any) {
		mistakes = append(mistakes, &Mistake{Field: field, Err: fmt.Errorf(format, args...)})
	}
	if r.MinimumAuthenticator == 0 {
		r.MinimumAuthenticator = assurance.AAL1
	}
	if r.MinimumAuthenticator < assurance.AAL1 || r.MinimumAuthenticator > assurance.AAL3 {
		wrong("minimum_authenticator_assurance_level", "the minimum authenticator assurance level %d is not 1, 2 or 3", r.MinimumAuthenticator)
	}
	if r.MinimumIdentity == "" {
		r.MinimumIdentity = assurance.IdentityNone
	}
	if !r.MinimumIdentity.Known() {
		wrong("minimum_identity_assurance_level", "the minimum identity level %q is not none, low, medium, high or very_high", r.MinimumIdentity)
	}
	if len(r.DefaultACRValues) > 20 {
		wrong("default_acr_values", "a client has at most 20 default ACR values")
	}
	for _, value := range r.DefaultACRValues {
		if !slices.Contains(assurance.Supported(), value) {
			wrong("default_acr_values", "the default ACR value %.60q is not one that `/.well-known/openid-configuration` lists", value)
		}
	}
	if r.Trustmark != "" && !slices.Contains(assurance.Trustmarks(), r.Trustmark) {
		var known []string
		for _, t := range assurance.Trustmarks() {
			known = append(known, string(t))
		}
		wrong("trustmark", "the trustmark %.60q is not one of: %s", r.Trustmark, strings.Join(known, ", "))
	}
	if !slices.Contains([]string{"", VerifiedOIDF, VerifiedUK}, r.VerifiedClaims) {
		wrong("verified_claims", "the spelling of verified claims %q is not %s or %s", r.VerifiedClaims, VerifiedOIDF, VerifiedUK)
	}
	c.DefaultACRValues, c.MinimumAuthenticatorLevel, c.MinimumIdentityLevel = r.DefaultACRValues, int(r.MinimumAuthenticator), string(r.MinimumIdentity)
	c.Trustmark, c.VerifiedClaims = string(r.Trustmark), r.VerifiedClaims
	return mistakes
}

// client is a relying party as fosite sees it.
type client struct {
	store.Client

	keys  assertion.KeySet // that are registered
	proof *store.Assertion // by which it was known in this request; nil when that was something else
}

var _ fosite.Client = client{}

// allowed are those of the scopes that the client is registered for.
func (c client) allowed(scopes []string) []string {
	return slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return !slices.Contains(c.Scopes, s) })
}

// called is how pages call the client: by its name, which its organisation chose, and then by the name of that organisation.
func (c client) called() string {
	if c.OrganisationName == "" {
		return c.Name
	}
	return c.Name + " (" + c.OrganisationName + ")"
}

func (c client) GetID() string                      { return c.ID }
func (c client) GetHashedSecret() []byte            { return nil } // our strategy authenticates, fosite never compares
func (c client) GetRedirectURIs() []string          { return c.RedirectURIs }
func (c client) GetGrantTypes() fosite.Arguments    { return grantTypes() }
func (c client) GetResponseTypes() fosite.Arguments { return fosite.Arguments{"code"} }
func (c client) GetScopes() fosite.Arguments        { return c.Scopes }
func (c client) IsPublic() bool                     { return c.Authentication == AuthNone }
func (c client) GetAudience() fosite.Arguments      { return fosite.Arguments{c.Audience} }
