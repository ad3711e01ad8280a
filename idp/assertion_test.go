package idp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/oauth2"

	"github.com/credence-id/credence/idp"
	"github.com/credence-id/credence/idp/assertion"
	"github.com/credence-id/credence/idp/audit"
	"github.com/credence-id/credence/idp/oauth"
)

const keyedClient = "ward-round"

// clientKey is a key that a client signs assertions with.
type clientKey struct {
	t    *testing.T
	id   string
	pair *ecdsa.PrivateKey
}

func newClientKey(t *testing.T, id string) clientKey {
	t.Helper()
	pair, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return clientKey{t, id, pair}
}

// keySet is the set of some keys' public halves.
func keySet(t *testing.T, keys ...clientKey) []byte {
	t.Helper()
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{}}
	for _, k := range keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: k.pair.Public(), KeyID: k.id})
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// assert signs an assertion, with claims changed; nil takes one away.
func (k clientKey) assert(p *provider, changes map[string]any) string {
	k.t.Helper()
	claims := map[string]any{"iss": keyedClient, "sub": keyedClient, "aud": issuer, "exp": p.clock.Now().Add(time.Minute).Unix(), "jti": rand.Text()}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: k.pair, KeyID: k.id}}, nil)
	if err != nil {
		k.t.Fatal(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		k.t.Fatal(err)
	}
	signed, err := signer.Sign(text)
	if err != nil {
		k.t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		k.t.Fatal(err)
	}
	return compact
}

// newKeyed is a provider with a client that has keys.
func newKeyed(t *testing.T, change func(*oauth.Registration)) *provider {
	t.Helper()
	p := newProvider(t)
	r := oauth.Registration{ID: keyedClient, Name: "Ward round", Authentication: oauth.AuthPrivateKeyJWT, Scopes: oauth.Scopes(), RedirectURIs: []string{callback}}
	change(&r)
	if _, secret, err := oauth.AddClient(t.Context(), p.owner, r, "test", p.clock.Now()); err != nil || secret != "" {
		t.Fatalf("AddClient(with keys) = %q, %v, want no secret", secret, err)
	}
	return p.second()
}

// by sends a token request with an assertion, and changes to its form: pairs, in which "" takes away.
func (p *provider) by(form url.Values, assertion string, changes ...string) tokens {
	p.t.Helper()
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	for i := 0; i+1 < len(changes); i += 2 {
		form.Set(changes[i], changes[i+1])
		if changes[i+1] == "" {
			form.Del(changes[i])
		}
	}
	return p.knock(http.MethodPost, "", strings.NewReader(form.Encode()), "Content-Type", formType)
}

// RFC 7521, Section 4.2.1: "If the assertion is not valid or expired [...] the authorization server MUST set the value of the "error"
// parameter to "invalid_client"". All failures look alike, none spends the code, and why is in the log alone.
func TestAnAssertionProvesItsClient(t *testing.T) { //nolint:tparallel // the subtests run in turn: they share their code
	t.Parallel()
	k, stranger := newClientKey(t, "a"), newClientKey(t, "a")
	p := newKeyed(t, func(r *oauth.Registration) { r.JWKS = keySet(t, k) })
	b, verifier := p.browser(), newPKCE()
	code := b.code(request(keyedClient, verifier, "scope", "openid offline_access"), oneRole)
	at := func(d time.Duration) int64 { return p.clock.Now().Add(d).Unix() }
	good := k.assert(p, nil)
	descriptions := map[string]bool{}
	for name, tt := range map[string]struct {
		assertion string
		changes   []string
		why       assertion.Refusal
	}{
		// RFC 7523, Section 3, and OpenID Connect Core 1.0, Section 9; all of it is package assertion's test.
		"another client's issuer":   {k.assert(p, map[string]any{"iss": confidentialClient}), nil, assertion.WrongSubject},
		"another audience":          {k.assert(p, map[string]any{"aud": "https://other.example.org"}), nil, assertion.WrongTarget},
		"expired":                   {k.assert(p, map[string]any{"exp": at(-time.Minute)}), nil, assertion.Expired},
		"without an end":            {k.assert(p, map[string]any{"exp": nil}), nil, assertion.Expired},
		"good for an hour":          {k.assert(p, map[string]any{"exp": at(time.Hour)}), nil, assertion.TooLong},
		"from tomorrow":             {k.assert(p, map[string]any{"nbf": at(24 * time.Hour)}), nil, assertion.TooEarly},
		"without a jti":             {k.assert(p, map[string]any{"jti": nil}), nil, assertion.NoID},
		"by a stranger":             {stranger.assert(p, nil), nil, assertion.WrongKey},
		"by a key that is unknown":  {clientKey{t, "b", k.pair}.assert(p, nil), nil, assertion.UnknownKey},
		"that is no JWT":            {"x", nil, assertion.Malformed},
		"that is an ID token":       {p.signedIn(p.browser(), confidentialClient, oneRole).IDToken, nil, ""},
		"of a client with a secret": {k.assert(p, map[string]any{"iss": confidentialClient, "sub": confidentialClient}), nil, ""},
		"of nobody":                 {k.assert(p, map[string]any{"iss": "nobody", "sub": "nobody"}), nil, ""},
		// RFC 7521, Section 4.2: "client_assertion_type REQUIRED", "client_assertion REQUIRED".
		"of another type":   {good, []string{"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, assertion.Malformed},
		"of no type":        {good, []string{"client_assertion_type", ""}, assertion.Malformed},
		"a type of nothing": {good, []string{"client_assertion", ""}, assertion.Malformed},
		// "The client identifier [...] MUST identify the same client as is identified by the client assertion."
		"beside another client_id": {good, []string{"client_id", confidentialClient}, assertion.WrongSubject},
		// RFC 6749, Section 2.3: "The client MUST NOT use more than one authentication method in each request."
		"beside a secret":               {good, []string{"client_secret", secret}, assertion.Malformed},
		"a secret of a client of keys":  {"", []string{"client_assertion", "", "client_assertion_type", "", "client_id", keyedClient, "client_secret", secret}, ""},
		"nothing of a client with keys": {"", []string{"client_assertion", "", "client_assertion_type", "", "client_id", keyedClient}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := p.in(t).by(redeem(keyedClient, code, verifier), tt.assertion, tt.changes...)
			got.refused(t, http.StatusUnauthorized, "invalid_client")
			descriptions[got.Description] = true
			if logs := p.logs.String(); tt.why != "" && !strings.Contains(logs, "refusal="+string(tt.why)) || strings.Contains(logs, good) || tt.assertion != "x" && tt.assertion != "" && strings.Contains(logs, tt.assertion) {
				t.Errorf("the log has no %q, or the assertion", tt.why)
			}
		})
	}
	if len(descriptions) != 1 {
		t.Errorf("failures are told apart: %v", descriptions)
	}
	got := p.by(redeem(keyedClient, code, verifier), good, "client_id", keyedClient)
	got.granted(t)
	got = p.by(refresh(got.RefreshToken), k.assert(p, map[string]any{"aud": []string{issuer + "/token"}}))
	got.granted(t)
	if p.count(`SELECT count(*) FROM used_assertion WHERE client_id = $1 AND hash = sha256('x')`, keyedClient) != 0 || p.count(`SELECT count(*) FROM used_assertion`) != 2 {
		t.Error("the assertions that were taken are not on record, each once")
	}
}

// RFC 7523, Section 3: "The authorization server MAY ensure that JWTs are not replayed by maintaining the set of used "jti" values";
// OpenID Connect Core 1.0, Section 9: "This is used to prevent reuse of the token". An assertion works once, at all replicas, and
// a second use proves nothing: it spends nothing and ends no grant.
func TestAnAssertionWorksOnce(t *testing.T) {
	t.Parallel()
	k := newClientKey(t, "a")
	p := newKeyed(t, func(r *oauth.Registration) { r.JWKS = keySet(t, k) })
	other := p.second()
	b := p.browser()
	proof := k.assert(p, nil)
	first, v1 := newCode(b)
	second, v2 := newCode(b)
	got := p.by(redeem(keyedClient, first, v1), proof)
	got.granted(t)
	for name, at := range map[string]*provider{"one replica": p, "the other": other} {
		at.by(redeem(keyedClient, second, v2), proof).refused(t, http.StatusUnauthorized, "invalid_client")
		if !strings.Contains(at.logs.String(), "refusal=assertion_replayed") {
			t.Errorf("the log of %s does not say that the assertion was replayed", name)
		}
		at.by(redeem(keyedClient, "unknown", v2), proof).refused(t, http.StatusUnauthorized, "invalid_client")
		at.by(redeem(keyedClient, first, v1), proof).refused(t, http.StatusUnauthorized, "invalid_client") // whoever sends it proves nothing, so nothing is revoked
	}
	got = p.by(refresh(got.RefreshToken), k.assert(p, nil))
	got.granted(t)
	other.by(redeem(keyedClient, second, v2), k.assert(p, nil)).granted(t)

	// What is refused for good takes the assertion as well.
	proof = k.assert(p, nil)
	third, v3 := newCode(b)
	wrong := redeem(keyedClient, third, newPKCE())
	p.by(wrong, proof).refused(t, http.StatusBadRequest, "invalid_grant")
	p.by(wrong, proof).refused(t, http.StatusUnauthorized, "invalid_client")
	p.by(redeem(keyedClient, third, v3), k.assert(p, nil)).refused(t, http.StatusBadRequest, "invalid_grant")
	proof = k.assert(p, nil)
	p.by(redeem(keyedClient, "unknown", v3), proof).refused(t, http.StatusBadRequest, "invalid_grant")
	p.by(refresh(got.RefreshToken), proof).refused(t, http.StatusUnauthorized, "invalid_client")

	// One jti of two clients is two.
	jti := map[string]any{"jti": "the same"}
	p.by(refresh(got.RefreshToken), k.assert(p, jti)).granted(t)
	if p.count(`SELECT count(*) FROM used_assertion WHERE client_id = 'another'`) != 0 {
		t.Error("an assertion is on record as another client's")
	}
}

// newCode is a code for the client with keys.
func newCode(b *browser) (string, pkce) {
	k := newPKCE()
	return b.code(request(keyedClient, k, "scope", "openid offline_access"), oneRole), k
}

// Of any number of requests with one assertion one gets tokens, whatever else they present, at two replicas.
func TestAnAssertionRaces(t *testing.T) {
	t.Parallel()
	k := newClientKey(t, "a")
	p := newKeyed(t, func(r *oauth.Registration) { r.JWKS = keySet(t, k) })
	at := []*provider{p, p.second()}
	b, proof := p.browser(), k.assert(p, nil)
	codes, verifiers, got := make([]string, 32), make([]pkce, 32), make([]tokens, 32)
	for i := range codes {
		codes[i], verifiers[i] = newCode(b)
	}
	var running sync.WaitGroup
	for i := range codes {
		running.Go(func() { got[i] = at[i%2].by(redeem(keyedClient, codes[i], verifiers[i]), proof) })
	}
	running.Wait()
	won := 0
	for i := range got {
		if got[i].status == http.StatusOK {
			won++
			continue
		}
		if got[i].Error != "invalid_client" && got[i].Error != "temporarily_unavailable" {
			t.Errorf("one that lost = %d %s, want invalid_client", got[i].status, got[i].Error)
		}
	}
	if won != 1 {
		t.Errorf("requests with one assertion that got tokens = %d, want 1", won)
	}
	if spent := p.count(`SELECT count(*) FROM authorization_grant WHERE client_id = $1 AND code_used_at IS NOT NULL`, keyedClient); spent != 1 {
		t.Errorf("codes that were spent = %d, want that of the one who won", spent)
	}
}

// RFC 7517, and OpenID Connect Core 1.0, Section 10.1.1: "The signer can begin using a new key by publishing its public key and
// signaling to the verifier using the kid value." The new key works with its first use, and the one that was taken out stops.
func TestAClientRotatesItsPublishedKey(t *testing.T) {
	t.Parallel()
	first, second := newClientKey(t, "2026-a"), newClientKey(t, "2026-b")
	var published atomic.Value
	var asked atomic.Int32
	published.Store(keySet(t, first))
	place := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(published.Load().([]byte))
	}))
	t.Cleanup(place.Close)
	p := newKeyed(t, func(r *oauth.Registration) { r.JWKSURI = place.URL + "/jwks" })
	b := p.browser()
	code, verifier := newCode(b)
	got := p.by(redeem(keyedClient, code, verifier), first.assert(p, nil))
	got.granted(t)
	got = p.by(refresh(got.RefreshToken), first.assert(p, nil))
	got.granted(t)
	published.Store(keySet(t, first, second))
	p.by(refresh(got.RefreshToken), second.assert(p, nil)).refused(t, http.StatusUnauthorized, "invalid_client")
	p.clock.advance(assertion.Between)
	got = p.by(refresh(got.RefreshToken), second.assert(p, nil))
	got.granted(t)
	got = p.by(refresh(got.RefreshToken), first.assert(p, nil))
	got.granted(t)
	published.Store(keySet(t, second))
	p.clock.advance(assertion.Fresh)
	p.by(refresh(got.RefreshToken), first.assert(p, nil)).refused(t, http.StatusUnauthorized, "invalid_client")
	got = p.by(refresh(got.RefreshToken), second.assert(p, nil))
	got.granted(t)
	if n := asked.Load(); n != 3 {
		t.Errorf("the key set was fetched %d times, want 3", n)
	}
	// In production nothing of this machine is asked.
	live := p.second(func(c *idp.Config) { c.Simulated = nil })
	live.by(refresh(got.RefreshToken), second.assert(p, nil)).refused(t, http.StatusUnauthorized, "invalid_client")
	if n := asked.Load(); n != 3 {
		t.Errorf("a server that is not in dev asked this machine for keys")
	}
}

// A stock client library signs in with a key.
func TestAStockClientSignsInWithAKey(t *testing.T) {
	t.Parallel()
	k := newClientKey(t, "a")
	p := newKeyed(t, func(r *oauth.Registration) { r.JWKS = keySet(t, k) })
	ctx := oidc.ClientContext(t.Context(), p.httpClient(nil))
	library, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		t.Fatal(err)
	}
	config := oauth2.Config{ClientID: keyedClient, RedirectURL: callback, Endpoint: library.Endpoint(), Scopes: []string{"openid", "profile"}}
	config.Endpoint.AuthStyle = oauth2.AuthStyleInParams
	verifier := oauth2.GenerateVerifier()
	address, err := url.Parse(config.AuthCodeURL("a state", oauth2.S256ChallengeOption(verifier)))
	if err != nil {
		t.Fatal(err)
	}
	code := p.browser().code(address.Query(), oneRole)
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(verifier),
		oauth2.SetAuthURLParam("client_assertion_type", assertion.Type), oauth2.SetAuthURLParam("client_assertion", k.assert(p, map[string]any{"aud": config.Endpoint.TokenURL})))
	if err != nil {
		t.Fatalf("Exchange() = %v", err)
	}
	raw, _ := token.Extra("id_token").(string)
	if _, err := library.Verifier(&oidc.Config{ClientID: keyedClient, Now: p.clock.Now}).Verify(ctx, raw); err != nil {
		t.Errorf("Verify(ID token) = %v, want none", err)
	}
}

// A client changes from a secret to keys and back, and what it had before works no longer.
func TestAClientChangesToKeys(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	k := newClientKey(t, "a")
	update := func(change func(*oauth.Registration)) string {
		_, secret, err := oauth.UpdateClient(t.Context(), p.owner, confidentialClient, change, false, "test", p.clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		p = p.second()
		return secret
	}
	of := map[string]any{"iss": confidentialClient, "sub": confidentialClient}
	got := p.signedIn(p.browser(), confidentialClient, oneRole, "scope", "openid offline_access")
	if secret := update(func(r *oauth.Registration) { r.Authentication, r.JWKS = oauth.AuthPrivateKeyJWT, keySet(t, k) }); secret != "" {
		t.Errorf("UpdateClient(to keys) = a secret, want none")
	}
	p.as(confidentialClient, refresh(got.RefreshToken)).refused(t, http.StatusUnauthorized, "invalid_client")
	got = p.by(refresh(got.RefreshToken), k.assert(p, of))
	got.granted(t)
	fresh := update(func(r *oauth.Registration) { r.Authentication, r.JWKS = oauth.AuthPost, nil })
	if fresh == "" {
		t.Fatal("UpdateClient(to a secret) = none")
	}
	fmt.Fprintln(p.secrets, fresh)
	p.by(refresh(got.RefreshToken), k.assert(p, of)).refused(t, http.StatusUnauthorized, "invalid_client")
	form := refresh(got.RefreshToken)
	form.Set("client_id", confidentialClient)
	form.Set("client_secret", fresh)
	p.knock(http.MethodPost, "", strings.NewReader(form.Encode()), "Content-Type", formType).granted(t)
	if p.count(`SELECT count(*) FROM audit_event WHERE event = $1 AND detail->>'keys' = 'a (ES256)'`, string(audit.ClientUpdated)) != 1 {
		t.Error("the record does not say which keys the client had")
	}
}

// What an assertion costs beyond its signature is nothing: its row travels with what the exchange writes.
func TestAnAssertionCostsNoRoundTrip(t *testing.T) {
	t.Parallel()
	k := newClientKey(t, "a")
	p := newKeyed(t, func(r *oauth.Registration) { r.JWKS = keySet(t, k) })
	b := p.browser()
	code, verifier := newCode(b)
	got := p.by(redeem(keyedClient, code, verifier), k.assert(p, nil))
	for what, do := range map[string]func(){
		"authorization_code": func() { got = p.by(redeem(keyedClient, code, verifier), k.assert(p, nil)) },
		"refresh_token":      func() { got = p.by(refresh(got.RefreshToken), k.assert(p, nil)) },
	} {
		if what == "authorization_code" {
			code, verifier = newCode(b)
		}
		p.trips.take()
		do()
		if trips, writes := p.trips.take(); trips > 1 || writes > 1 || got.status != http.StatusOK {
			t.Errorf("POST /token, %s with an assertion = %d, %d round trips and %d transactions that write, want 200, 1 and 1", what, got.status, trips, writes)
		}
	}
}
