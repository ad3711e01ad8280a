package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Key sets as a developer has them: two public keys, and one with its private half.
const (
	onePublicKey   = `{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "2026-a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}`
	bothPublicKeys = `{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "2026-a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
{"kty": "EC", "crv": "P-256", "kid": "2026-b", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}`
	privateKey = `{"keys": [{"kty": "OKP", "crv": "Ed25519", "kid": "2026-a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "d": "c2VjcmV0"}]}`
)

// TestJourneyDeskClientKeys is how a service comes to prove with a key of its own that it is itself: its developer hands in a
// private key, which is refused, and then the public one; the officer sees whose name it looks like; the keys are changed, two at
// once; and those that another service publishes are tried.
func TestJourneyDeskClientKeys(t *testing.T) {
	t.Parallel()
	d := startTrial(t)
	published := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/jwk-set+json")
		_, _ = w.Write([]byte(strings.Replace(bothPublicKeys, `"kid": "2026-b", `, "", 1)))
	}))
	t.Cleanup(published.Close)
	const advanced, manager = "656005750119", "656005750116"
	b := newBrowser(t)
	b.atDesk(d, advanced, "/desk/clients/apply")
	b.press("#environment-development")
	b.fill("#name", "LARKMERE HEALTH BOARD (invented)")
	b.fill("#purpose", "Nurses see who is on the ward")
	b.fill("#contact", "ward@example.org")
	b.fill("#redirect_uris", published.URL+"/callback")
	b.press("#authentication-private_key_jwt")
	b.fill("#jwks", privateKey)
	b.click("#apply")
	b.want("#error-summary", "There is a private or secret key in it")
	if strings.Contains(b.text("body"), "c2VjcmV0") {
		t.Error("the private key is on the page again")
	}
	b.see("desk-client-form-private")
	b.fill("#jwks", onePublicKey)
	b.click("#apply")
	b.want("#application", "2026-a (EdDSA)")
	b.see("desk-client-keys-applied")
	applied := strings.TrimPrefix(b.url(), d.issuer)

	b.atDesk(d, manager, applied)
	b.want("#alike", "the organisation Larkmere Health Board (invented)")
	b.see("desk-client-alike")
	b.press("#verdict-approved")
	b.fill("#reason", "It is the board's")
	b.click("#decide")
	b.want("#application", "Approved")

	b.atDesk(d, advanced, applied)
	if b.exists("#secret") {
		t.Error("a service with keys is offered a secret")
	}
	b.click("#keys")
	b.want("#keys", "2026-a (EdDSA)")
	b.see("desk-client-keys")
	b.fill("#jwks", privateKey)
	b.click("#replace")
	b.want("#error-summary", "There is a private or secret key in it")
	b.see("desk-client-keys-private")
	b.fill("#jwks", bothPublicKeys)
	b.click("#replace")
	b.want("#keys", "2026-b (ES256)")
	b.see("desk-client-keys-both")

	b.open(d.issuer + "/desk/clients/apply")
	b.press("#environment-development")
	b.fill("#name", "Ward round")
	b.fill("#purpose", "Nurses see who is on the ward")
	b.fill("#contact", "ward@example.org")
	b.fill("#redirect_uris", published.URL+"/callback")
	b.press("#authentication-private_key_jwt")
	b.fill("#jwks_uri", published.URL+"/jwks.json")
	b.click("#apply")
	b.want("#application", "It publishes them at")
	b.click("#check")
	b.click("#check")
	b.want("#findings", "Keys that can be used: 1, which are 2026-a (EdDSA). Not used: key 2 has no kid")
	b.see("desk-client-check-keys")
}
