package idp_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/oauth2"

	"github.com/credence-id/credence/idp/directory"
	"github.com/credence-id/credence/idp/oauth"
)

// The people of the seed who have one role, beside oneRole.
const (
	hospitalDoctor = "656005750107"
	passkeyDoctor  = "656005750109" // usually AAL2
	passwordOnly   = "656005750110"
	passkeyGP      = "656005750111"
	oneTimeCode    = "656005750112"
)

// everything asks for all scopes but those that change the flow, and those of the API.
func everything() string {
	return strings.Join(slices.DeleteFunc(oauth.DefaultScopes(), func(s string) bool { return s == oauth.ScopeChangedRole }), " ")
}

// granted fails unless the token endpoint issued tokens.
func (got tokens) granted(t *testing.T) {
	t.Helper()
	if got.status != http.StatusOK || got.AccessToken == "" || got.TokenType != "Bearer" {
		t.Fatalf("token endpoint answers %d %s: %s, want tokens", got.status, got.Error, got.Description)
	}
	if cache := got.header.Get("Cache-Control"); cache != "no-store" { // RFC 6749, Section 5.1: MUST
		t.Errorf("Cache-Control of tokens = %q, want no-store", cache)
	}
}

// refused fails unless the token endpoint refused as RFC 6749, Section 5.2 has it.
func (got tokens) refused(t *testing.T, status int, code string) {
	t.Helper()
	if got.status != status || got.Error != code || got.AccessToken+got.IDToken+got.RefreshToken != "" {
		t.Errorf("token endpoint answers %d %q: %s, want %d %q and no token", got.status, got.Error, got.Description, status, code)
	}
	if cache := got.header.Get("Cache-Control"); cache != "no-store" {
		t.Errorf("Cache-Control of a refusal = %q, want no-store", cache)
	}
	// "If the client attempted to authenticate via the "Authorization" request header field, the authorization server MUST
	// respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response header field".
	if challenge := got.header.Get("WWW-Authenticate"); (challenge != "") != (status == http.StatusUnauthorized) {
		t.Errorf("WWW-Authenticate of a %d = %q", status, challenge)
	}
}

// wantUserinfo fails unless the userinfo endpoint answers a token with a status.
func (p *provider) wantUserinfo(token string, status int) {
	p.t.Helper()
	a, body := p.userinfo(token)
	if a.StatusCode != status {
		p.t.Errorf("userinfo = %d %v, want %d", a.StatusCode, body, status)
	}
	if status == http.StatusUnauthorized && (body["error"] != "invalid_token" || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer ")) {
		t := a.Header.Get("WWW-Authenticate")
		p.t.Errorf("userinfo = %v with WWW-Authenticate %q, want invalid_token", body, t) // RFC 6750, Section 3: MUST
	}
}

// issue signs a person with one role in, in a new browser, and returns a code of hers with its verifier.
func (p *provider) issue(client, username string, changes ...string) (string, pkce) {
	p.t.Helper()
	k := newPKCE()
	return p.browser().code(request(client, k, changes...), username), k
}

// joseHeader decodes the header of a token.
func joseHeader(t *testing.T, token string) map[string]any {
	t.Helper()
	first, _, _ := strings.Cut(token, ".")
	return claims(t, "."+first+".")
}

func TestCodeFlowWithAStockLibrary(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	for name, tt := range map[string]struct {
		client, redirectURI, alg string
		style                    oauth2.AuthStyle
	}{
		"a client that authenticates in the header":                 {confidentialClient, callback, "RS256", oauth2.AuthStyleInHeader},
		"a client that authenticates in the body":                   {otherClient, callback, "RS256", oauth2.AuthStyleInParams},
		"a public client, on a loopback port":                       {publicClient, "http://127.0.0.1:49152/callback", "ES256", oauth2.AuthStyleInParams},
		"a public client, on another loopback port at another time": {publicClient, "http://127.0.0.1:1024/callback", "ES256", oauth2.AuthStyleInParams},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := p.in(t)
			ctx := oidc.ClientContext(t.Context(), p.httpClient(nil))
			library, err := oidc.NewProvider(ctx, issuer)
			if err != nil {
				t.Fatal(err)
			}
			config := oauth2.Config{ClientID: tt.client, RedirectURL: tt.redirectURI, Endpoint: library.Endpoint(), Scopes: []string{"openid", "profile", "nhsperson"}}
			config.Endpoint.AuthStyle = tt.style
			if tt.client != publicClient {
				config.ClientSecret = secret
			}
			verifier := oauth2.GenerateVerifier()
			asked, err := url.Parse(config.AuthCodeURL("the state", oidc.Nonce("the nonce"), oauth2.S256ChallengeOption(verifier)))
			if err != nil {
				t.Fatal(err)
			}
			back := p.browser().enter(asked.Query(), oneRole, "")
			if location := back.Header.Get("Location"); !strings.HasPrefix(location, tt.redirectURI) {
				t.Fatalf("the answer leads to %s, want %s", location, tt.redirectURI)
			}
			// RFC 9207, Section 2: the answer names who gives it.
			answered := back.redirect(t)
			if answered.Get("state") != "the state" || answered.Get("iss") != issuer || answered.Has("error") {
				t.Errorf("answer = %v, want the state and the issuer", answered)
			}
			got, err := config.Exchange(ctx, answered.Get("code"), oauth2.VerifierOption(verifier))
			if err != nil {
				t.Fatal(err)
			}

			raw, _ := got.Extra("id_token").(string)
			idToken, err := library.Verifier(&oidc.Config{ClientID: tt.client, Now: p.clock.Now}).Verify(ctx, raw)
			if err != nil {
				t.Fatalf("Verify(ID token) = %v", err)
			}
			if err := idToken.VerifyAccessToken(got.AccessToken); err != nil || idToken.AccessTokenHash == "" {
				t.Errorf("VerifyAccessToken() = %v", err)
			}
			if idToken.Nonce != "the nonce" || idToken.Subject != oneRole || idToken.Issuer != issuer || !slices.Equal(idToken.Audience, []string{tt.client}) {
				t.Errorf("ID token = %+v, want one for the client and the request", idToken)
			}
			if azp := claims(t, raw)["azp"]; azp != tt.client {
				t.Errorf("azp = %v, want %s", azp, tt.client)
			}
			if h := joseHeader(t, raw); h["alg"] != tt.alg || h["typ"] != "JWT" || h["kid"] == "" {
				t.Errorf("header of the ID token = %v, want %s", h, tt.alg)
			}

			// RFC 9068, Section 4: "The resource server MUST verify that the "typ" header value is "at+jwt"", signature, issuer,
			// audience and expiry. A library does the rest of an ID token's checks.
			if h := joseHeader(t, got.AccessToken); h["typ"] != "at+jwt" || h["alg"] != "ES256" {
				t.Errorf("header of the access token = %v, want at+jwt and ES256", h)
			}
			if _, err := library.Verifier(&oidc.Config{ClientID: issuer, Now: p.clock.Now}).Verify(ctx, got.AccessToken); err != nil {
				t.Errorf("Verify(access token) = %v", err)
			}
			access := claims(t, got.AccessToken)
			for _, name := range []string{"iss", "exp", "aud", "sub", "client_id", "iat", "jti", "auth_time", "acr", "amr", "scope"} { // Section 2.2
				if access[name] == nil {
					t.Errorf("the access token has no %s", name)
				}
			}
			if access["client_id"] != tt.client || access["sub"] != oneRole || access["scope"] != "nhsperson openid profile" {
				t.Errorf("access token = %v, want it for the client, the person and the scopes", access)
			}
			if info, err := library.UserInfo(ctx, oauth2.StaticTokenSource(got)); err != nil || info.Subject != idToken.Subject {
				t.Errorf("UserInfo() = %+v, %v, want the subject of the ID token", info, err)
			}
		})
	}
}

// The claims of a person with two roles, who acts in each. Only the active role is in tokens, and all are in userinfo.
func TestClaimsOfTheActiveRole(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	varying := []string{"jti", "sid", "at_hash"}
	for name, tt := range map[string]struct{ username, role string }{
		"support":    {twoRoles, "656014452101"},
		"manager":    {twoRoles, "656005754108"},
		"no_role":    {noRole, ""},
		"ended_role": {expiredRole, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, k := p.in(t), newPKCE()
			back := p.browser().enter(request(confidentialClient, k, "scope", everything()), tt.username, tt.role)
			got := p.as(confidentialClient, redeem(confidentialClient, back.redirect(t).Get("code"), k))
			got.granted(t)
			idToken, accessToken := claims(t, got.IDToken), claims(t, got.AccessToken)
			_, info := p.userinfo(got.AccessToken)
			wantNoNull(t, "ID token", idToken)
			wantNoNull(t, "access token", accessToken)
			// OpenID Connect Core 1.0, Section 5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match the
			// sub Claim in the ID Token".
			if info["sub"] != idToken["sub"] {
				t.Errorf("sub of userinfo = %v, want %v", info["sub"], idToken["sub"])
			}
			golden(t, "id_token."+name+".json", idToken, varying...)
			golden(t, "access_token."+name+".json", accessToken, varying...)
			golden(t, "userinfo."+tt.username+".json", info)
		})
	}
}

// wantNoNull: a claim that is not known is absent.
func wantNoNull(t *testing.T, where string, value any) {
	t.Helper()
	switch v := value.(type) {
	case nil:
		t.Errorf("%s is null", where)
	case map[string]any:
		for name, member := range v {
			wantNoNull(t, where+"."+name, member)
		}
	case []any:
		for i, element := range v {
			wantNoNull(t, fmt.Sprintf("%s[%d]", where, i), element)
		}
	}
}

func TestUserinfoOfEveryPersonIsAsItsSchemaSays(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(p.browser().get("/schemas/userinfo.json").body))
	if err != nil {
		t.Fatal(err)
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource(issuer+"/schemas/userinfo.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := compiler.Compile(issuer + "/schemas/userinfo.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []any{map[string]any{}, map[string]any{"sub": nil}, map[string]any{"sub": oneRole, "idassurancelevel": 3}, map[string]any{"sub": oneRole, "other": "x"}} {
		if schema.Validate(wrong) == nil {
			t.Errorf("the schema accepts %v", wrong)
		}
	}
	for _, person := range directory.FixedPeople() {
		t.Run(person.ID, func(t *testing.T) {
			t.Parallel()
			p, k := p.in(t), newPKCE()
			role := ""
			if found, err := p.owner.Person(t.Context(), person.ID, p.clock.Now()); err != nil {
				t.Fatal(err)
			} else if roles := found.Person.Roles; len(roles) > 0 {
				role = roles[len(roles)-1].ID
			}
			back := p.browser().enter(request(confidentialClient, k, "scope", everything()), person.ID, role)
			got := p.as(confidentialClient, redeem(confidentialClient, back.redirect(t).Get("code"), k))
			got.granted(t)
			info, body := p.userinfo(got.AccessToken)
			instance, err := jsonschema.UnmarshalJSON(strings.NewReader(info.body))
			if err != nil {
				t.Fatal(err)
			}
			if err := schema.Validate(instance); err != nil {
				t.Errorf("userinfo of %s is not as the schema says: %v", person.ID, err)
			}
			wantNoNull(t, "userinfo", body)
		})
	}
}

// A scope brings its own claims and no others.
func TestEachScopeBringsItsClaims(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	b.enter(request(confidentialClient, newPKCE()), twoRoles, "656005754108")
	for scope, want := range map[string][]string{
		"openid":                            {"sub"},
		"openid profile":                    {"family_name", "given_name", "name", "sub", "uid"},
		"profile openid":                    {"family_name", "given_name", "name", "sub", "uid"},
		"openid email":                      {"email", "sub"},
		"openid offline_access":             {"sub"},
		"openid nhsperson":                  {"display_name", "idassurancelevel", "initials", "middle_names", "nhsid_useruid", "sub", "title"},
		"openid associatedorgs":             {"nhsid_org_roles", "nhsid_user_orgs", "sub"},
		"openid nationalrbacaccess":         {"nhsid_nrbac_roles", "sub"},
		"openid organisationalmemberships":  {"nhsid_org_memberships", "sub"},
		"openid professionalmemberships":    {"consultant_id", "gdc_id", "gdp_id", "gmc_id", "gmp_id", "gphc_id", "nmc_id", "rcn_id", "sub"},
		"openid selectedrole":               {"sub"},
		"openid openid profile profile":     {"family_name", "given_name", "name", "sub", "uid"},
		"  openid   email ":                 {"email", "sub"},
		"openid profile email unregistered": nil,
	} {
		k := newPKCE()
		answered := b.authorize(request(confidentialClient, k, "scope", scope)).redirect(t)
		if want == nil {
			if answered.Get("error") != "invalid_scope" {
				t.Errorf("answer to scope %q = %v, want invalid_scope", scope, answered)
			}
			continue
		}
		got := p.as(confidentialClient, redeem(confidentialClient, answered.Get("code"), k))
		got.granted(t)
		_, info := p.userinfo(got.AccessToken)
		names := make([]string, 0, len(info))
		for name := range info {
			names = append(names, name)
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("userinfo of scope %q has %v, want %v", scope, names, want)
		}
		selected := claims(t, got.IDToken)["selected_roleid"]
		if wants := strings.Contains(scope, "selectedrole"); (selected == "656005754108") != wants {
			t.Errorf("selected_roleid of scope %q = %v", scope, selected)
		}
		if (got.RefreshToken != "") != strings.Contains(scope, "offline_access") {
			t.Errorf("refresh token of scope %q = %q", scope, got.RefreshToken)
		}
	}
}

// A request without openid is OAuth alone: there is no ID token, and no userinfo.
func TestWithoutOpenIDThereIsNoIDToken(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	got := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "profile", "nonce", "")
	if got.IDToken != "" || got.Scope != "profile" {
		t.Errorf("tokens of scope profile = %+v, want no ID token", got)
	}
	a, body := p.userinfo(got.AccessToken)
	if a.StatusCode != http.StatusForbidden || body["error"] != "insufficient_scope" { // RFC 6750, Section 3.1
		t.Errorf("userinfo = %d %v, want 403 insufficient_scope", a.StatusCode, body)
	}
}

// Whatever falls, every entry is closed at once, on the process that made it fall and on the other: person, client,
// session, authenticator, role.
func TestWhatFellOpensNothing(t *testing.T) { //nolint:tparallel // the subtests run in turn: they share the record
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	untouched := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid offline_access")
	const fallingClient = "falling-client"
	registration := oauth.Registration{ID: fallingClient, Name: "Falls", Authentication: oauth.AuthPost, Scopes: oauth.Scopes(), RedirectURIs: []string{callback}}
	if err := oauth.EnsureClient(t.Context(), p.owner, registration, secret, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, client, username string
		fall                   func(p *provider, b *browser)
		status                 int
		code, why              string
	}{
		{
			"a person who was disabled", confidentialClient, hospitalDoctor, func(p *provider, _ *browser) {
				if err := directory.DisablePerson(p.t.Context(), p.owner, hospitalDoctor, "test", p.clock.Now()); err != nil {
					p.t.Fatal(err)
				}
			}, http.StatusBadRequest, "invalid_grant", "person_disabled",
		},
		{
			"a session that was signed out", confidentialClient, passkeyDoctor, func(p *provider, b *browser) {
				if a := b.rest(b.post("/logout", url.Values{})); a.StatusCode != http.StatusOK {
					p.t.Fatalf("sign-out = %d %s", a.StatusCode, text(a.body))
				}
			}, http.StatusBadRequest, "invalid_grant", "session_ended",
		},
		{
			"a role that ended", confidentialClient, passkeyGP, func(p *provider, _ *browser) {
				if err := directory.EndRole(p.t.Context(), p.owner, "656014111001", "test", p.clock.Now()); err != nil {
					p.t.Fatal(err)
				}
			}, http.StatusBadRequest, "invalid_grant", "role_ended",
		},
		{
			"an authenticator that was revoked", confidentialClient, oneTimeCode, func(p *provider, _ *browser) {
				p.exec(`UPDATE authenticator SET revoked_at = $2 WHERE person_id = $1`, oneTimeCode, p.clock.Now())
			}, http.StatusBadRequest, "invalid_grant", "authenticator_revoked",
		},
		{
			"a client that was disabled", fallingClient, passwordOnly, func(p *provider, _ *browser) {
				if err := oauth.DisableClient(p.t.Context(), p.owner, fallingClient, "test", p.clock.Now()); err != nil {
					p.t.Fatal(err)
				}
			}, http.StatusUnauthorized, "invalid_client", "client_disabled",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p.clock.advance(time.Second) // each process looks again for a client that it does not know
			p, q := p.in(t), q.in(t)
			send := func(p *provider, form url.Values) tokens {
				if tt.client == fallingClient {
					form.Set("client_id", tt.client)
					form.Set("client_secret", secret)
					return p.token(form)
				}
				return p.as(tt.client, form)
			}
			b, k := p.browser(), newPKCE()
			asked := request(tt.client, k, "scope", "openid offline_access")
			b.code(asked, tt.username)
			p.bindAuthenticator(tt.username)
			first := send(p, redeem(tt.client, b.code(asked, tt.username), k))
			second := send(q, redeem(tt.client, b.code(asked, tt.username), k))
			first.granted(t)
			second.granted(t)
			codes := []string{b.code(asked, tt.username), b.code(asked, tt.username)}
			p.wantUserinfo(first.AccessToken, http.StatusOK)
			q.wantUserinfo(second.AccessToken, http.StatusOK)

			tt.fall(p, b)

			before := len(p.audited("token_issued", "userinfo_read"))
			for i, p := range []*provider{p, q} {
				held := []tokens{first, second}[i]
				p.wantUserinfo(held.AccessToken, http.StatusUnauthorized)
				send(p, refresh(held.RefreshToken)).refused(t, tt.status, tt.code)
				send(p, redeem(tt.client, codes[i], k)).refused(t, tt.status, tt.code)
			}
			want := slices.Repeat([]string{"userinfo_read: " + tt.why, "token_issued: " + tt.why, "token_issued: " + tt.why}, 2)
			if diff := cmp.Diff(want, p.audited("token_issued", "userinfo_read")[before:]); diff != "" {
				t.Errorf("the record differs (-want +got):\n%s", diff)
			}
			if a := b.authorize(request(tt.client, k, "prompt", "none")); a.Header.Get("Location") != "" && a.redirect(t).Has("code") {
				t.Errorf("a silent request still yields a code")
			}
		})
	}
	// The twin: nobody else noticed.
	p.wantUserinfo(untouched.AccessToken, http.StatusOK)
	q.as(confidentialClient, refresh(untouched.RefreshToken)).granted(t)
}

// bindAuthenticator has the sessions of a person be signed in with an authenticator: simulated ones have none.
func (p *provider) bindAuthenticator(username string) {
	p.t.Helper()
	p.exec(`
		WITH a AS (
			INSERT INTO authenticator (id, person_id, name, kind, credential_id, public_key, sign_count, aaguid, transports, backup_eligible,
				backup_state, attestation_format, attestation_object, client_data, created_at)
			VALUES (gen_random_uuid(), $1, 'key', 'passkey', convert_to($1, 'UTF8'), '', 0, gen_random_uuid(), '{}', false, false, 'none', '', '', $2)
			RETURNING id
		), e AS (
			INSERT INTO audit_event (at, event, refusal, actor, person_id, client_id, request_id, address, detail)
			SELECT $2, 'enrolled', '', $1, $1, '', '', '', jsonb_build_object('authenticator', id) FROM a
		)
		UPDATE session SET authenticator_id = a.id FROM a WHERE person_id = $1`, username, p.clock.Now())
}

// What was presented while something had fallen is dead for good, also when that stands again. What was not works again.
func TestWhatWasPresentedStaysDead(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	presented := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid offline_access")
	kept := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid offline_access")
	if err := directory.EndRole(t.Context(), p.owner, "656014108001", "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	p.as(confidentialClient, refresh(presented.RefreshToken)).refused(t, http.StatusBadRequest, "invalid_grant")
	p.wantUserinfo(kept.AccessToken, http.StatusUnauthorized)
	p.exec(`UPDATE role_profile SET ends_at = NULL WHERE id = '656014108001'`)
	p.wantUserinfo(presented.AccessToken, http.StatusUnauthorized)
	p.as(confidentialClient, refresh(presented.RefreshToken)).refused(t, http.StatusBadRequest, "invalid_grant")
	p.wantUserinfo(kept.AccessToken, http.StatusOK)
	p.as(confidentialClient, refresh(kept.RefreshToken)).granted(t)
}

// Who was disabled and let in again signs in anew: nothing of before works.
func TestWhoIsEnabledAgainSignsInAnew(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	held := p.signedIn(b, confidentialClient, oneRole, "scope", "openid offline_access")
	if err := directory.DisablePerson(t.Context(), p.owner, oneRole, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if err := directory.EnablePerson(t.Context(), p.owner, oneRole, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	p.wantUserinfo(held.AccessToken, http.StatusUnauthorized)
	p.as(confidentialClient, refresh(held.RefreshToken)).refused(t, http.StatusBadRequest, "invalid_grant")
	if a := b.authorize(request(confidentialClient, newPKCE())); a.path() != "/sign-in" {
		t.Errorf("authorize leads to %s, want the sign-in page", a.path())
	}
	p.signedIn(b, confidentialClient, oneRole)
}

// When the database fails, the answer says that it is our fault and nothing else, and nothing is half done.
func TestWhenTheDatabaseFails(t *testing.T) { //nolint:tparallel // the subtests run in turn: they break the one database
	t.Parallel()
	p := newProvider(t)
	for _, tt := range []struct {
		name          string
		fail, mend    func(q *provider)
		userinfoReads bool
	}{
		{"the connections are gone", func(q *provider) { q.store.Close() }, func(*provider) {}, false},
		{
			"a statement is refused",
			func(q *provider) { q.exec(`REVOKE ALL ON authorization_grant FROM credence_service`) },
			func(q *provider) {
				q.exec(`GRANT SELECT, INSERT, UPDATE, DELETE ON authorization_grant TO credence_service`)
			}, false,
		},
		{
			"the commit fails",
			func(q *provider) {
				q.exec(`CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE serialization_failure USING MESSAGE = 'injected'; END $$`)
				q.exec(`CREATE CONSTRAINT TRIGGER fail AFTER INSERT ON audit_event DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()`)
			},
			func(q *provider) {
				q.exec(`DROP TRIGGER fail ON audit_event`)
				q.exec(`DROP FUNCTION fail`)
			}, true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := p.in(t)
			q := p.second()
			b, k := p.browser(), newPKCE()
			asked := request(confidentialClient, k, "scope", "openid offline_access")
			held := p.as(confidentialClient, redeem(confidentialClient, b.code(asked, oneRole), k))
			held.granted(t)
			code := b.code(asked, oneRole)
			onOther := &browser{t: t, p: q, client: q.httpClient(b.client.Jar)}
			rows := p.dump()

			tt.fail(q)
			// A refusal that cannot be recorded is a failure, too, and spends nothing.
			q.as(confidentialClient, redeem(confidentialClient, code, newPKCE())).refused(t, http.StatusInternalServerError, "server_error")
			q.as(confidentialClient, redeem(confidentialClient, code, k)).refused(t, http.StatusInternalServerError, "server_error")
			q.as(confidentialClient, refresh(held.RefreshToken)).refused(t, http.StatusInternalServerError, "server_error")
			page := onOther.authorize(asked)
			if page.StatusCode != http.StatusInternalServerError || !strings.HasPrefix(page.Header.Get("Content-Type"), "text/html") || page.Header.Get("Location") != "" {
				t.Errorf("authorize = %d %s, want the page of our faults", page.StatusCode, page.Header.Get("Content-Type"))
			}
			info, body := q.userinfo(held.AccessToken)
			if tt.userinfoReads != (info.StatusCode == http.StatusOK) {
				t.Errorf("userinfo = %d %v", info.StatusCode, body)
			} else if !tt.userinfoReads && (info.StatusCode != http.StatusInternalServerError || body["error"] != "server_error") {
				t.Errorf("userinfo = %d %v, want 500 server_error", info.StatusCode, body)
			}
			for _, shown := range []string{page.body, info.body} {
				for _, word := range []string{"SQLSTATE", "pool", "permission", "injected", "authorization_grant", "pgx", "ERROR"} {
					if strings.Contains(shown, word) {
						t.Errorf("the answer tells %q: %s", word, text(shown))
					}
				}
			}
			tt.mend(q)

			if after := p.dump(); after != rows {
				t.Errorf("a failure left something behind:\n%s", cmp.Diff(strings.Split(rows, "\n"), strings.Split(after, "\n")))
			}
			p.as(confidentialClient, redeem(confidentialClient, code, k)).granted(t)
			p.as(confidentialClient, refresh(held.RefreshToken)).granted(t)
			if !b.authorize(asked).redirect(t).Has("code") {
				t.Error("authorize does not recover")
			}
		})
	}
}

// dump is every row of the database, as text.
func (p *provider) dump() string {
	p.t.Helper()
	db, err := pgx.Connect(p.t.Context(), p.urls.owner)
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = db.Close(p.t.Context()) }()
	rows, err := db.Query(p.t.Context(), `SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1`)
	if err != nil {
		p.t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		p.t.Fatal(err)
	}
	var all strings.Builder
	for _, table := range tables {
		var rows string
		sql := `SELECT coalesce(string_agg(t::text, E'\n' ORDER BY t::text), '') FROM ` + pgx.Identifier{table}.Sanitize() + ` t`
		if err := db.QueryRow(p.t.Context(), sql).Scan(&rows); err != nil {
			p.t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s:\n%s\n", table, rows)
	}
	return all.String()
}

// What proves something is nowhere but with whom it was issued to: not in the log, not in the database, not in a page or
// a refusal.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	var seen strings.Builder // every body but those that hand the secrets out
	b, k := p.browser(), newPKCE()
	page := b.authorize(request(confidentialClient, k, "scope", everything()+" offline_access"))
	seen.WriteString(page.body)
	code := b.simulate(page, oneRole, "").redirect(t).Get("code")
	got := p.as(confidentialClient, redeem(confidentialClient, code, k))
	next := p.as(confidentialClient, refresh(got.RefreshToken))
	next.granted(t)
	info, _ := p.userinfo(next.AccessToken)
	seen.WriteString(info.body + b.get("/").body + b.get("/logout").body)
	for _, form := range []url.Values{redeem(confidentialClient, code, k), refresh(got.RefreshToken), refresh(next.RefreshToken), refresh(code)} {
		refused := p.as(confidentialClient, form)
		refused.refused(t, http.StatusBadRequest, "invalid_grant")
		seen.WriteString(refused.Description)
	}
	refused, _ := p.userinfo(next.AccessToken)
	form := redeem(confidentialClient, code, k)
	form.Set("client_id", confidentialClient)
	form.Set("client_secret", secret+"?")
	seen.WriteString(refused.body + p.token(form).Description)
	seen.WriteString(b.get("/authorize?" + request(confidentialClient, k, "redirect_uri", callback+"&code="+code).Encode()).body)

	secrets := map[string]string{
		"the code": code, "the verifier": k.verifier, "the client secret": secret,
		"the first refresh token": got.RefreshToken, "the second refresh token": next.RefreshToken,
		"the access token": got.AccessToken, "the refreshed access token": next.AccessToken, "the ID token": got.IDToken,
	}
	origin, _ := url.Parse(issuer)
	for _, cookie := range b.client.Jar.Cookies(origin) {
		secrets["the cookie "+cookie.Name] = cookie.Value
	}
	places := map[string]string{"the log": p.logs.String(), "the database": p.dump(), "a page or refusal": seen.String()}
	for what, value := range secrets {
		for where, content := range places {
			for _, form := range []string{value, hex.EncodeToString([]byte(value)), base64.StdEncoding.EncodeToString([]byte(value)), url.QueryEscape(value)} {
				if strings.Contains(content, form) {
					t.Errorf("%s is in %s", what, where)
				}
			}
		}
	}
	// The twin: this would have been seen.
	for where, mark := range map[string]string{"the log": "POST /token", "the database": hexOfHash(code), "a page or refusal": "used already"} {
		if !strings.Contains(places[where], mark) {
			t.Errorf("%s has no %q", where, mark)
		}
	}
}

// hexOfHash is how a random token rests.
func hexOfHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
