package idp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/credence-id/credence/idp/oauth"
)

// askUserinfo sends a request to the userinfo endpoint as it is: headers are pairs of a name and a value.
func (p *provider) askUserinfo(method, query string, body io.Reader, headers ...string) answer {
	p.t.Helper()
	r, err := http.NewRequestWithContext(p.t.Context(), method, issuer+"/userinfo"+query, body)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return p.browser().send(r)
}

// OpenID Connect Core 1.0, Section 5.3: "The UserInfo Endpoint MUST support the use of the HTTP GET and HTTP POST methods
// [...] The UserInfo Endpoint MUST accept Access Tokens as OAuth 2.0 Bearer Token Usage". RFC 6750, Section 2: "Clients
// MUST NOT use more than one method to transmit the token in each request."
func TestHowATokenReachesUserinfo(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	token := p.signedIn(p.browser(), confidentialClient, oneRole).AccessToken
	bearer, form := "Bearer "+token, url.Values{"access_token": {token}}.Encode()
	for name, tt := range map[string]struct {
		method, query, body string
		headers             []string
		status              int
		challenge           string // in WWW-Authenticate
	}{
		"GET with the header":                    {http.MethodGet, "", "", []string{"Authorization", bearer}, http.StatusOK, ""},
		"GET with the scheme in another case":    {http.MethodGet, "", "", []string{"Authorization", "bearer " + token}, http.StatusOK, ""},
		"POST with the header":                   {http.MethodPost, "", "", []string{"Authorization", bearer}, http.StatusOK, ""},
		"POST with the header and an empty form": {http.MethodPost, "", "", []string{"Authorization", bearer, "Content-Type", formType}, http.StatusOK, ""},
		"POST with the body":                     {http.MethodPost, "", form, []string{"Content-Type", formType}, http.StatusOK, ""},
		"the header and the body":                {http.MethodPost, "", form, []string{"Content-Type", formType, "Authorization", bearer}, http.StatusBadRequest, "invalid_request"},
		"two headers":                            {http.MethodGet, "", "", []string{"Authorization", bearer, "Authorization", bearer}, http.StatusBadRequest, "invalid_request"},
		"the body twice":                         {http.MethodPost, "", form + "&" + form, []string{"Content-Type", formType}, http.StatusBadRequest, "invalid_request"},
		"the address":                            {http.MethodGet, "?" + form, "", nil, http.StatusBadRequest, "invalid_request"},
		"the address beside the header":          {http.MethodGet, "?" + form, "", []string{"Authorization", bearer}, http.StatusBadRequest, "invalid_request"},
		"the body of a GET":                      {http.MethodGet, "", form, []string{"Content-Type", formType}, http.StatusUnauthorized, ""},
		"JSON":                                   {http.MethodPost, "", `{"access_token":"` + token + `"}`, []string{"Content-Type", "application/json"}, http.StatusUnauthorized, ""},
		"POST with the header and JSON":          {http.MethodPost, "", "{}", []string{"Authorization", bearer, "Content-Type", "application/json"}, http.StatusOK, ""},
		"a large body":                           {http.MethodPost, "", "access_token=" + strings.Repeat("a", 1<<20), []string{"Content-Type", formType}, http.StatusBadRequest, "invalid_request"},
		// RFC 6750, Section 3.1: "If the request lacks any authentication information [...] the resource server SHOULD NOT include
		// an error code or other error information."
		"nothing":                     {http.MethodGet, "", "", nil, http.StatusUnauthorized, ""},
		"Basic":                       {http.MethodGet, "", "", []string{"Authorization", basic(confidentialClient, secret)}, http.StatusUnauthorized, ""},
		"the scheme alone":            {http.MethodGet, "", "", []string{"Authorization", "Bearer"}, http.StatusUnauthorized, ""},
		"the scheme and a space":      {http.MethodGet, "", "", []string{"Authorization", "Bearer "}, http.StatusUnauthorized, ""},
		"the token without a scheme":  {http.MethodGet, "", "", []string{"Authorization", token}, http.StatusUnauthorized, ""},
		"two tokens in one header":    {http.MethodGet, "", "", []string{"Authorization", bearer + " " + token}, http.StatusUnauthorized, "invalid_token"},
		"two schemes in one header":   {http.MethodGet, "", "", []string{"Authorization", bearer + ", " + bearer}, http.StatusUnauthorized, "invalid_token"},
		"a cookie instead of a token": {http.MethodGet, "", "", []string{"Cookie", "access_token=" + token}, http.StatusUnauthorized, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := p.in(t)
			a := p.askUserinfo(tt.method, tt.query, strings.NewReader(tt.body), tt.headers...)
			if a.StatusCode != tt.status {
				t.Errorf("userinfo = %d %s, want %d", a.StatusCode, a.body, tt.status)
			}
			challenge := a.Header.Get("WWW-Authenticate")
			if (challenge != "") != (tt.status != http.StatusOK) || strings.Contains(challenge, "error=") != (tt.challenge != "") || !strings.Contains(challenge, tt.challenge) {
				t.Errorf("WWW-Authenticate = %q, want %q", challenge, tt.challenge)
			}
			if cache := a.Header.Get("Cache-Control"); cache != "no-store" {
				t.Errorf("Cache-Control = %q, want no-store", cache)
			}
		})
	}
	a := p.askUserinfo(http.MethodDelete, "", http.NoBody, "Authorization", bearer)
	if a.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("DELETE /userinfo = %d, want 405", a.StatusCode)
	}
}

// A token for another audience is not for userinfo of a client that has changed.
func TestATokenIsForItsAudience(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	p.run()
	old := p.signedIn(p.browser(), otherClient, oneRole)
	const audience = "https://api.example.org/records"
	if _, _, err := oauth.UpdateClient(t.Context(), p.owner, otherClient, func(r *oauth.Registration) { r.Audience = audience }, false, "test", p.clock.Now()); err != nil {
		t.Fatal(err)
	}
	var got tokens
	eventually(t, "tokens are for the new audience", func() bool {
		got = p.signedIn(p.browser(), otherClient, oneRole)
		return claims(t, got.AccessToken)["aud"] == audience
	})
	p.wantUserinfo(got.AccessToken, http.StatusOK)
	p.wantUserinfo(old.AccessToken, http.StatusUnauthorized)
}

// RFC 6750, Section 3.1, invalid_token: "The access token provided is expired, revoked, malformed, or invalid".
func TestAnAccessTokenExpires(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	got := p.signedIn(p.browser(), confidentialClient, oneRole)
	p.clock.advance(9*time.Minute + 59*time.Second)
	p.wantUserinfo(got.AccessToken, http.StatusOK)
	p.clock.advance(time.Second)
	p.wantUserinfo(got.AccessToken, http.StatusUnauthorized)
}

// forgeries are tokens that a token of ours was made into.
func (p *provider) forgeries(token string) map[string]string {
	p.t.Helper()
	t := p.t
	var set jose.JSONWebKeySet
	if err := json.Unmarshal([]byte(p.browser().get("/jwks").body), &set); err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	header := joseHeader(t, token)
	encode := base64.RawURLEncoding.EncodeToString
	withHeader := func(changes ...any) string { // pairs of a member and its value; nil takes it out
		changed := maps.Clone(header)
		for i := 0; i+1 < len(changes); i += 2 {
			changed[changes[i].(string)] = changes[i+1]
			if changes[i+1] == nil {
				delete(changed, changes[i].(string))
			}
		}
		b, err := json.Marshal(changed)
		if err != nil {
			t.Fatal(err)
		}
		return encode(b)
	}
	keyed := func(head string, key []byte) string {
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(head + "." + parts[1]))
		return head + "." + parts[1] + "." + encode(mac.Sum(nil))
	}
	out := map[string]string{
		"no signature":             parts[0] + "." + parts[1] + ".",
		"two parts":                parts[0] + "." + parts[1],
		"four parts":               token + ".e30",
		"many dots":                strings.Repeat(".", 50_000),
		"a zero signature":         parts[0] + "." + parts[1] + "." + encode(make([]byte, 64)),
		"a cut signature":          token[:len(token)-4],
		"a padded signature":       token + "=",
		"a changed payload":        parts[0] + "." + encode([]byte(`{"sub":"`+noRole+`"}`)) + "." + parts[2],
		"another type":             withHeader("typ", "secevent+jwt") + "." + parts[1] + "." + parts[2],
		"an unknown key":           withHeader("kid", "unknown") + "." + parts[1] + "." + parts[2],
		"no key":                   withHeader("kid", nil) + "." + parts[1] + "." + parts[2],
		"a key that is a path":     withHeader("kid", "../../dev/null") + "." + parts[1] + "." + parts[2],
		"a key that is SQL":        withHeader("kid", "' OR '1'='1") + "." + parts[1] + "." + parts[2],
		"a critical extension":     withHeader("crit", []string{"exp"}, "exp", 1) + "." + parts[1] + "." + parts[2],
		"an unencoded payload":     withHeader("b64", false, "crit", []string{"b64"}) + "." + parts[1] + "." + parts[2],
		"the JSON serialization":   `{"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`,
		"a header that is no JSON": encode([]byte("{")) + "." + parts[1] + "." + parts[2],
	}
	for _, alg := range []any{"none", "None", "nOnE", "", nil, 5, []string{"ES256"}, "RS256", "ES256", "ES384", "PS256", "EdDSA"} {
		if alg != header["alg"] {
			name, _ := json.Marshal(alg)
			out["the algorithm "+string(name)] = withHeader("alg", alg) + "." + parts[1] + "." + parts[2]
			out["the algorithm "+string(name)+" without a signature"] = withHeader("alg", alg) + "." + parts[1] + "."
		}
	}
	for i, key := range set.Keys {
		public, err := key.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		out["HS256 with a public key "+string(rune('0'+i))] = keyed(withHeader("alg", "HS256"), public)
		out["HS256 with a public key "+string(rune('0'+i))+" that it names"] = keyed(withHeader("alg", "HS256", "kid", key.KeyID), public)
	}
	// A key of somebody else's, which the token brings along.
	mallory, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	for name, options := range map[string]*jose.SignerOptions{
		"a foreign key under our name": (&jose.SignerOptions{}).WithHeader("kid", header["kid"]),
		"a foreign key that it brings": {EmbedJWK: true},
		"a foreign key at an address":  (&jose.SignerOptions{}).WithHeader("jku", "https://evil.example/jwks").WithHeader("kid", header["kid"]),
	} {
		signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: mallory}, options.WithHeader("typ", header["typ"]))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := signer.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		if out[name], err = signed.CompactSerialize(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// RFC 8725, Section 3.1: "Libraries MUST enable the caller to specify a supported set of algorithms and MUST NOT use any
// other algorithms when performing cryptographic operations." The same forgeries are tried wherever a token of ours comes
// back: at userinfo, and as id_token_hint.
func TestForgedTokens(t *testing.T) { //nolint:tparallel // the subtests run in turn: they share a browser
	t.Parallel()
	p := newProvider(t)
	for client, alg := range map[string]string{confidentialClient: "RS256", publicClient: "ES256"} {
		b := p.browser()
		held := p.signedIn(b, client, oneRole)
		for name, forged := range p.forgeries(held.AccessToken) {
			t.Run("an access token of "+client+" with "+name, func(t *testing.T) { p.in(t).wantUserinfo(forged, http.StatusUnauthorized) })
		}
		for name, forged := range p.forgeries(held.IDToken) {
			t.Run("a hint signed with "+alg+" with "+name, func(t *testing.T) {
				q := request(client, newPKCE(), "id_token_hint", forged, "prompt", "none")
				a := b.get("/authorize?" + q.Encode())
				if len(forged) > 8<<10 && a.StatusCode == http.StatusBadRequest {
					return // too long even to be redirected
				}
				if got := a.redirect(t).Get("error"); got != "invalid_request" {
					t.Errorf("authorize answers %q, want invalid_request", got)
				}
			})
		}
		p.wantUserinfo(held.AccessToken, http.StatusOK)
		if !b.authorize(request(client, newPKCE(), "id_token_hint", held.IDToken, "prompt", "none")).redirect(t).Has("code") {
			t.Error("a real hint yields no code")
		}
	}
}
