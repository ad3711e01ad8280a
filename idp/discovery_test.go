package idp_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"github.com/credence-id/credence/idp/keys"
)

// OpenID Connect Discovery 1.0, Section 4.3: "The issuer value returned MUST be identical to the Issuer URL that was used as
// the prefix to /.well-known/openid-configuration to retrieve the configuration information." RFC 8414 has its own address.
func TestProviderMetadata(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	documents := map[string]string{}
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
		a := b.get(path)
		var got map[string]any
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("GET %s = %d %s, %v", path, a.StatusCode, a.Header.Get("Content-Type"), err)
		}
		if got["issuer"] != issuer {
			t.Errorf("issuer of %s = %v, want %s", path, got["issuer"], issuer)
		}
		golden(t, "metadata.json", got)
		documents[path] = a.body
		for name, value := range got {
			if address, ok := value.(string); ok && name != "issuer" && !strings.HasPrefix(address, issuer+"/") {
				t.Errorf("%s = %s, want an address of ours", name, address)
			}
		}
	}
}

// Metadata, redirects and pages are those of the configured issuer, whatever a request or a proxy says about the host.
func TestTheHostOfARequestChangesNothing(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	want := b.get("/.well-known/openid-configuration").body
	b.code(request(confidentialClient, newPKCE()), oneRole)
	for name, headers := range map[string]http.Header{
		"X-Forwarded":   {"X-Forwarded-Host": {"evil.example"}, "X-Forwarded-Proto": {"http"}, "X-Forwarded-Port": {"81"}, "X-Forwarded-Prefix": {"/evil"}, "X-Forwarded-For": {"10.0.0.1"}},
		"Forwarded":     {"Forwarded": {`host="evil.example";proto=http`}},
		"a rewrite":     {"X-Original-Url": {"/evil"}, "X-Rewrite-Url": {"/evil"}, "X-Http-Method-Override": {"DELETE"}},
		"another Host":  {"Host": {"evil.example"}},
		"a strange one": {"Host": {"EXAMPLE.com:8443"}},
	} {
		ask := func(path string) answer {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, issuer+path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header = headers.Clone()
			if host := headers.Get("Host"); host != "" {
				r.Host = host
			}
			return b.send(r)
		}
		if got := ask("/.well-known/openid-configuration").body; got != want {
			t.Errorf("metadata with %s differs: %s", name, got)
		}
		q := request(confidentialClient, newPKCE())
		// Under another name the browser keeps its cookies back, and the person is asked to sign in: on a page without a host.
		a := ask("/authorize?" + q.Encode())
		if headers.Get("Host") != "evil.example" {
			if got := a.redirect(t); got.Get("iss") != issuer || !got.Has("code") {
				t.Errorf("authorize with %s answers %v", name, got)
			}
		} else if a.path() != "/sign-in" || strings.Contains(a.body, "evil") {
			t.Errorf("authorize with %s answers %d %s", name, a.StatusCode, a.body)
		}
		q.Set("prompt", "login")
		a = ask("/authorize?" + q.Encode())
		for name, values := range a.Header {
			if strings.Contains(strings.ToLower(strings.Join(values, " ")), "evil") {
				t.Errorf("header %s = %q", name, values)
			}
		}
	}
}

// RFC 7517, Section 9.3 and 8725: only public keys are published, each under a name of its own.
func TestThePublishedKeys(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	b := p.browser()
	a := b.get("/jwks")
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal([]byte(a.body), &set); err != nil || a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "application/jwk-set+json" {
		t.Fatalf("GET /jwks = %d %s, %v", a.StatusCode, a.Header.Get("Content-Type"), err)
	}
	seen := map[string]bool{}
	var algs []string
	for _, key := range set.Keys {
		kid, _ := key["kid"].(string)
		alg, _ := key["alg"].(string)
		if kid == "" || seen[kid] || key["use"] != "sig" {
			t.Errorf("key %v: want a name of its own, for signatures", key)
		}
		seen[kid], algs = true, append(algs, alg)
		for name := range key {
			if !slices.Contains([]string{"kty", "kid", "alg", "use", "n", "e", "crv", "x", "y"}, name) {
				t.Errorf("key %s has the member %s", kid, name)
			}
		}
	}
	slices.Sort(algs)
	if !slices.Equal(algs, []string{"ES256", "RS256"}) {
		t.Errorf("algorithms = %v, want ES256 and RS256", algs)
	}
	tag := a.Header.Get("ETag")
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, issuer+"/jwks", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("If-None-Match", tag)
	if again := b.send(r); tag == "" || again.StatusCode != http.StatusNotModified || again.body != "" || again.Header.Get("ETag") != tag {
		t.Errorf("GET /jwks with its ETag %s = %d %q, want 304", tag, again.StatusCode, again.body)
	}
	r.Header.Set("If-None-Match", `"another"`)
	if again := b.send(r); again.StatusCode != http.StatusOK || again.body != a.body {
		t.Errorf("GET /jwks with another ETag = %d, want 200", again.StatusCode)
	}
}

// kids lists the names of the keys that a process publishes.
func (p *provider) kids() []string {
	p.t.Helper()
	var set struct {
		Keys []struct {
			Kid string `json:"kid"`
		} `json:"keys"`
	}
	if err := json.Unmarshal([]byte(p.browser().get("/jwks").body), &set); err != nil {
		p.t.Fatal(err)
	}
	out := make([]string, 0, len(set.Keys))
	for _, key := range set.Keys {
		out = append(out, key.Kid)
	}
	return out
}

// OpenID Connect Core 1.0, Section 10.1.1: "Rollover of signing keys [...] The JWK Set document [...] SHOULD retain recently
// decommissioned signing keys for a reasonable period of time to facilitate a smooth transition." A key is published before
// it signs, by every process, and until the last token that it signed is dead.
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second()
	p.run()
	q.run()
	library, err := oidc.NewProvider(oidc.ClientContext(t.Context(), q.httpClient(nil)), issuer)
	if err != nil {
		t.Fatal(err)
	}
	verify := func(when string, held tokens, client string) {
		t.Helper()
		// A library that fetches the keys from either process, and keeps those that it knows.
		if _, err := library.Verifier(&oidc.Config{ClientID: client, Now: p.clock.Now}).Verify(oidc.ClientContext(t.Context(), q.httpClient(nil)), held.IDToken); err != nil {
			t.Errorf("Verify(ID token) %s = %v", when, err)
		}
		p.wantUserinfo(held.AccessToken, http.StatusOK)
		q.wantUserinfo(held.AccessToken, http.StatusOK)
	}
	bp, bq := p.browser(), q.browser()
	old := p.signedIn(bp, confidentialClient, oneRole)
	oldES := p.signedIn(bp, publicClient, oneRole)
	verify("before", old, confidentialClient)
	before := p.kids()

	// An operator rotates by the command line, which is a process of its own.
	added, err := keys.New(p.owner, p.key, p.clock.Now, nil).Rotate(t.Context(), "operator")
	if err != nil || len(added) != 2 {
		t.Fatalf("Rotate() = %v, %v, want two keys", added, err)
	}
	for _, p := range []*provider{p, q} {
		eventually(t, "every process publishes old and new keys", func() bool {
			kids := p.kids()
			return len(kids) == 4 && slices.Contains(kids, added[0].ID) && slices.Contains(kids, added[1].ID) && slices.Contains(kids, before[0]) && slices.Contains(kids, before[1])
		})
	}
	if kid := joseHeader(t, p.signedIn(bp, confidentialClient, oneRole).IDToken)["kid"]; !slices.Contains(before, kid.(string)) {
		t.Errorf("a key signs that was published a moment ago")
	}
	p.clock.advance(keys.MaxAge + 30*time.Second)
	for client, alg := range map[string]string{confidentialClient: keys.RS256, publicClient: keys.ES256} {
		for name, got := range map[string]tokens{"of the first process": p.signedIn(bp, client, oneRole), "of the second process": q.signedIn(bq, client, hospitalDoctor)} {
			for _, signed := range []string{got.IDToken, got.AccessToken} {
				if kid := joseHeader(t, signed)["kid"].(string); slices.Contains(before, kid) {
					t.Errorf("a token %s is signed with the old key", name)
				}
			}
			if header := joseHeader(t, got.IDToken); header["alg"] != alg {
				t.Errorf("algorithm of %s = %v, want %s", client, header["alg"], alg)
			}
			verify(name+", after", got, client)
		}
	}
	verify("of the old key, after", old, confidentialClient)
	verify("of the old key, after", oldES, publicClient)

	// While an ID token lives, its key is there; when no token of it can be alive, it is gone, and so is its worth.
	hinted := func(p *provider, hint string) string {
		t.Helper()
		return p.browser().authorize(request(confidentialClient, newPKCE(), "prompt", "none", "id_token_hint", hint)).redirect(t).Get("error")
	}
	p.clock.advance(time.Hour)
	if got := hinted(p, old.IDToken); got != "login_required" {
		t.Errorf("a hint whose key is published answers %q, want login_required", got)
	}
	for _, p := range []*provider{p, q} {
		if kids := p.kids(); len(kids) != 4 {
			t.Errorf("after an hour %v are published, want the old keys too", kids)
		}
	}
	p.clock.advance(time.Hour)
	for _, p := range []*provider{p, q} {
		if got := hinted(p, old.IDToken); got != "login_required" {
			t.Errorf("a hint whose key was retired an hour ago answers %q, want login_required", got)
		}
		eventually(t, "retired keys are gone", func() bool {
			kids := p.kids()
			return len(kids) == 2 && !slices.Contains(kids, before[0]) && !slices.Contains(kids, before[1])
		})
	}
	p.clock.advance(24 * time.Hour)
	if got := hinted(p, old.IDToken); got != "invalid_request" {
		t.Errorf("a hint whose key was retired a day ago answers %q, want invalid_request", got)
	}
	if got := p.audited("key_rotated"); len(got) != 4 { // two at the first start
		t.Errorf("the record has %q, want two first keys and two successors", got)
	}
}

// A token that is signed with a key of a moment ago works on a process that has not looked for new keys.
func TestAKeyThatAnotherProcessMade(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	q := p.second() // neither runs: q looks when it meets the key
	if _, err := keys.New(p.owner, p.key, p.clock.Now, nil).Rotate(t.Context(), "operator"); err != nil {
		t.Fatal(err)
	}
	p.clock.advance(time.Minute)
	third := p.second()
	got := third.signedIn(third.browser(), confidentialClient, oneRole)
	p.wantUserinfo(got.AccessToken, http.StatusOK)
	q.wantUserinfo(got.AccessToken, http.StatusOK)
}
